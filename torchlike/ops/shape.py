"""Shape manipulation: PyTorch's functions over the view ops, and the ops that move elements."""

from __future__ import annotations

from typing import Any

from ..core.check import check_dim, check_dims, infer_size
from ..core.dispatch import call_view, view_of
from ..core.op import composite, publish
from ..core.plan import make_plan
from ..core.pullback import pullback_of
from ..core.record import LOCAL
from ..core.storage import View, contiguous_stride, geometry, is_dense
from ..core.tape import edge_of, function_node, make_node, zeros
from ..core.tensor import Tensor, wrap
from . import views
from .movement import split_parts, unbind_parts


def sizes_of(given: tuple[Any, ...], name: str = "size") -> tuple[int, ...]:
    """`f(2, 3)`, `f((2, 3))` and `f(torch.Size(…))` alike, as a tuple of ints."""
    if len(given) == 1 and isinstance(given[0], (tuple, list)):
        given = tuple(given[0])
    sizes = []
    for i, n in enumerate(given):
        if isinstance(n, (bool, float)) or not hasattr(n, "__index__"):
            raise TypeError(
                f"{name}(): argument 'size' must be tuple of ints, but found element of type "
                f"{type(n).__name__} at pos {i}"
            )
        sizes.append(n.__index__())
    return tuple(sizes)


# ----- strides -----
@composite(module=None, method=True)
def stride(self: Tensor, dim: int | None = None) -> Any:
    """Elements between neighbours along each dim, or along one."""
    strides = self.geometry().stride
    return strides if dim is None else strides[check_dim(dim, self.ndim)]


# ----- order of dims -----
def permute(input: Tensor, *dims: Any, **named: Any) -> Tensor:
    """The dims in another order."""
    wanted = sizes_of((named["dims"],) if "dims" in named else dims, "permute")
    if len(wanted) != input.ndim:
        raise RuntimeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the length "
            f"of the desired ordering of dimensions i.e. input.dim() = {input.ndim} is not equal to "
            f"len(dims) = {len(wanted)}"
        )
    found = tuple(check_dim(d, input.ndim) for d in wanted)
    if len(set(found)) != len(found):
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return call_view(views.permute_dims, (input,), (found,))


publish("torch", "permute", permute)
Tensor.permute = permute  # type: ignore[attr-defined]


@composite
def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
    """Dims moved to other positions, the rest in order."""
    source = (source,) if isinstance(source, int) else tuple(source)
    destination = (destination,) if isinstance(destination, int) else tuple(destination)
    if len(source) != len(destination):
        raise RuntimeError(
            "movedim: Invalid source or destination dims: source "
            f"({list(source)} dims) should contain the same number of dims as destination "
            f"({list(destination)} dims)"
        )
    src, dst = check_dims(source, input.ndim), check_dims(destination, input.ndim)
    rest = iter(d for d in range(input.ndim) if d not in src)
    back = dict(zip(dst, src, strict=True))
    order = [back[i] if i in back else next(rest) for i in range(input.ndim)]
    return permute(input, order)


@composite
def adjoint(input: Tensor) -> Tensor:
    """The last two dims swapped, conjugated."""
    swapped = input.transpose(-2, -1)
    return swapped.conj() if input.is_complex() else swapped


def _transposed(self: Tensor) -> Tensor:
    return permute(self, tuple(range(self.ndim - 1, -1, -1)))


def _matrix_transposed(self: Tensor) -> Tensor:
    if self.ndim < 2:
        raise RuntimeError(
            "tensor.mT is only supported on matrices or batches of matrices. Got "
            f"{self.ndim}-D tensor."
        )
    return self.transpose(-2, -1)


def _hermitian(self: Tensor) -> Tensor:
    if self.ndim not in (0, 2):
        raise RuntimeError(
            f"tensor.H is only supported on matrices (2-D tensors). Got {self.ndim}-D tensor."
        )
    return adjoint(self) if self.ndim else self


Tensor.T = property(_transposed)  # type: ignore[attr-defined]
Tensor.mT = property(_matrix_transposed)  # type: ignore[attr-defined]
Tensor.H = property(_hermitian)  # type: ignore[attr-defined]
Tensor.mH = property(lambda self: adjoint(self))  # type: ignore[attr-defined]


# ----- parts -----
@composite
def select(input: Tensor, dim: int, index: Any) -> Tensor:
    """The part at one index of a dim, without that dim."""
    if input.ndim == 0:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    dim, index = check_dim(dim, input.ndim), index.__index__()
    n = input.shape[dim]
    if not -n <= index < n:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(input.shape)} at "
            f"dimension {dim}"
        )
    return call_view(views.select_at, (input, index % n), (dim,))


@composite
def narrow(input: Tensor, dim: int, start: Any, length: int) -> Tensor:
    """`length` indices of a dim, from `start` on."""
    if input.ndim == 0:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    dim, start = check_dim(dim, input.ndim), int(start)
    n = input.shape[dim]
    if not -n <= start <= n:
        raise IndexError(f"start out of range (expected to be in range of [{-n}, {n}], but got {start})")
    start = start + n if start < 0 else start
    if start + length > n:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({n}).")
    return slice_along(input, dim, start, length)


def slice_along(input: Tensor, dim: int, start: int, length: int, step: int = 1) -> Tensor:
    """The slice view; numbers already checked."""
    return call_view(views.slice_at, (input, start), (dim, length, step))


def _split_node(input: Tensor, plan: Any) -> Any:
    """One node for the parts of a split, as PyTorch has; None when no gradient is wanted."""
    base = input._base_tensor
    wanted = input._requires_grad or (base is not None and base._requires_grad)
    if not (wanted and LOCAL.state.grad_enabled and plan.differentiable):
        return None
    edge = edge_of(input)
    if edge is None:
        return None
    return make_node(plan, pullback_of(plan, (True,)), [edge], [input], [input._value_now()], ())


def _parts(input: Tensor, op: Any, statics: tuple[Any, ...], pieces: list[Tensor]) -> tuple[Tensor, ...]:
    key = (statics, input._aval)
    plan = op.plans.get(key)
    if plan is None:
        plan = op.plans[key] = make_plan(op, (input,), statics)
    node = _split_node(input, plan)
    for i, piece in enumerate(pieces):
        if node is not None:
            piece._requires_grad, piece._grad_fn, piece._out_nr = True, node, i
        piece._creation = piece._creation or "multi"
    return tuple(pieces)


def _pieces(input: Tensor, views_of: Any) -> list[Tensor]:
    state = LOCAL.state
    saved, state.grad_enabled = state.grad_enabled, False
    try:
        pieces = views_of()
    finally:
        state.grad_enabled = saved
    for piece in pieces:
        piece._creation = "" if saved else "no_grad"
    return pieces


@composite(method=True)
def split(tensor: Tensor, split_size_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Parts of a dim: of one size (the last may be smaller), or of the given sizes."""
    dim = check_dim(dim, tensor.ndim)
    n = tensor.shape[dim] if tensor.ndim else 1
    if isinstance(split_size_or_sections, (tuple, list)):
        sizes = [int(s) for s in split_size_or_sections]
        if sum(sizes) != n or any(s < 0 for s in sizes):
            raise RuntimeError(
                f"split_with_sizes expects split_sizes to sum exactly to {n} (input tensor's size at "
                f"dimension {dim}), but got split_sizes={sizes}"
            )
        return _split(tensor, sizes, dim, "SplitWithSizesBackward0")
    size = int(split_size_or_sections)
    if size < 0:
        raise RuntimeError(f"split expects split_size be non-negative, but got split_size={size}")
    if size == 0 and n != 0:
        raise RuntimeError(
            f"split_size can only be 0 if dimension size is 0, but got dimension size of {n}"
        )
    count = max(-(-n // size), 1) if size else 1
    sizes = [size] * (count - 1) + [n - size * (count - 1)]
    return _split(tensor, sizes, dim, "SplitBackward0")


def _split(tensor: Tensor, sizes: list[int], dim: int, node: str) -> tuple[Tensor, ...]:
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    pieces = _pieces(
        tensor,
        lambda: [slice_along(tensor, dim, a, n) for a, n in zip(starts, sizes, strict=True)],
    )
    return _parts(tensor, split_parts, (tuple(sizes), dim, node), pieces)


Tensor.split = split  # type: ignore[attr-defined]


@composite
def split_with_sizes(input: Tensor, split_sizes: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Parts of a dim of the given sizes."""
    return split(input, list(split_sizes), dim)


@composite
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """About `chunks` parts of a dim, the last ones smaller."""
    if input.ndim == 0:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    n = input.shape[check_dim(dim, input.ndim)]
    size = -(-n // chunks)
    return split(input, [0] * chunks if n == 0 else size, dim)


@composite
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The parts at every index of a dim."""
    dim = check_dim(dim, input.ndim)
    if input.ndim == 0:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    n = input.shape[dim]
    pieces = _pieces(input, lambda: [call_view(views.select_at, (input, i), (dim,)) for i in range(n)])
    return _parts(input, unbind_parts, (dim,), pieces) if n else ()


def _iterate(self: Tensor) -> Any:
    if self.ndim == 0:
        raise TypeError("iteration over a 0-d tensor")
    return iter(unbind(self))


Tensor.__iter__ = _iterate  # type: ignore[attr-defined]


@composite
def tensor_split(input: Tensor, indices_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Parts cut at indices, or as many nearly equal ones."""
    if input.ndim == 0:
        raise RuntimeError("tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims")
    dim = check_dim(dim, input.ndim)
    n = input.shape[dim]
    if isinstance(indices_or_sections, Tensor):
        indices_or_sections = indices_or_sections.tolist()
    if isinstance(indices_or_sections, int):
        k = indices_or_sections
        if k <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {k}")
        lengths = [n // k + (i < n % k) for i in range(k)]
        cuts = [sum(lengths[: i + 1]) for i in range(k - 1)]
    else:
        cuts = [int(i) for i in indices_or_sections]
    edges = [0, *[min(max(c + n if c < 0 else c, 0), n) for c in cuts], n]
    return tuple(
        slice_along(input, dim, a, max(b - a, 0)) for a, b in zip(edges, edges[1:], strict=False)
    )


def _split_along(name: str, dim: int, least: int) -> None:
    def function(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
        if input.ndim < least:
            raise RuntimeError(
                f"torch.{name} requires a tensor with at least {least} dimension"
                f"{'s' if least > 1 else ''}, but got a tensor with {input.ndim} dimensions!"
            )
        at = 0 if name == "hsplit" and input.ndim == 1 else dim
        if isinstance(indices_or_sections, int) and (
            indices_or_sections <= 0 or input.shape[at] % indices_or_sections
        ):
            raise RuntimeError(
                f"torch.{name} attempted to split along dimension {at}, but the size of the dimension "
                f"{input.shape[at]} is not divisible by the split_size {indices_or_sections}!"
            )
        return tensor_split(input, indices_or_sections, at)

    function.__name__ = name
    function.__doc__ = f"Parts along dim {dim}."
    composite(function)


_split_along("hsplit", 1, 1)
_split_along("vsplit", 0, 2)
_split_along("dsplit", 2, 3)


# ----- shapes -----
@composite
def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """A new dim of size 1."""
    return call_view(views.unsqueeze_at, (input,), (check_dim(dim, input.ndim + 1),))


@composite
def squeeze(input: Tensor, dim: Any = None) -> Tensor:
    """Without dims of size 1: all, one, or several."""
    shape = input.shape
    if dim is None:
        dims, variant = tuple(i for i, n in enumerate(shape) if n == 1), 0
    elif isinstance(dim, (tuple, list)):
        dims, variant = check_dims(dim, input.ndim), 2
    else:
        dims, variant = (check_dim(int(dim), input.ndim),), 1
    dims = tuple(sorted(d for d in dims if shape and shape[d] == 1))
    return call_view(views.squeeze_at, (input,), (dims, variant))


def expand(input: Tensor, *sizes: Any, **named: Any) -> Tensor:
    """Dims of size 1 repeated without a copy."""
    size = sizes_of((named["size"],) if "size" in named else sizes, "expand")
    if len(size) < input.ndim:
        raise RuntimeError(
            f"expand(torch.{input.dtype.legacy}{{{list(input.shape)}}}, size={list(size)}): the number "
            f"of sizes provided ({len(size)}) must be greater or equal to the number of dimensions in "
            f"the tensor ({input.ndim})"
        )
    return call_view(views.expand_to, (input,), (size,))


Tensor.expand = expand  # type: ignore[attr-defined]


@composite
def broadcast_to(input: Tensor, size: Any) -> Tensor:
    """`expand` as a function."""
    return expand(input, size)


@composite(module=None, method=True)
def expand_as(self: Tensor, other: Tensor) -> Tensor:
    """Expanded to another tensor's shape."""
    return expand(self, other.shape)


def view(self: Tensor, *shape: Any, **named: Any) -> Tensor:
    """The same memory in another shape, or as another dtype; RuntimeError if it needs a copy."""
    from ..core.dtypes import dtype as dtype_class
    from ..core.dtypes import to_numpy

    if "dtype" in named or (len(shape) == 1 and isinstance(shape[0], dtype_class)):
        kind = named.get("dtype") or shape[0]
        if kind is self.dtype:
            return call_view(views.alias_view, (self,), ())
        return call_view(views.view_bits, (self,), (to_numpy(kind), self.itemsize))
    return call_view(views.view_as_size, (self,), (sizes_of((named["size"],) if named else shape, "view"),))


Tensor.view = view  # type: ignore[attr-defined]


@composite(module=None, method=True)
def view_as(self: Tensor, other: Tensor) -> Tensor:
    """`view` in another tensor's shape."""
    return view(self, other.shape)


@composite(module=None, method=True)
def reshape_as(self: Tensor, other: Tensor) -> Tensor:
    """`reshape` to another tensor's shape."""
    return reshape(self, other.shape)


def reshape(input: Tensor, *shape: Any, **named: Any) -> Tensor:
    """Another shape: a view where possible, else a copy."""
    size = sizes_of((named["shape"],) if "shape" in named else shape, "reshape")
    at = input.geometry()
    if not at.contiguous:
        full = infer_size(size, input.numel())
        if views.view_stride(at, full) is None:
            from .movement import unsafe_view

            return unsafe_view(input.contiguous(), full)
        size = full
    return call_view(views.view_as_size, (input,), (size,))


publish("torch", "reshape", reshape)
Tensor.reshape = reshape  # type: ignore[attr-defined]


@composite
def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """A range of dims made one."""
    first, last = check_dim(start_dim, input.ndim), check_dim(end_dim, input.ndim)
    if first > last:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if input.ndim == 0:
        return reshape(input, 1)
    if first == last:
        return input
    shape = list(input.shape)
    return reshape(input, [*shape[:first], _product(shape[first : last + 1]), *shape[last + 1 :]])


def _product(sizes: list[int]) -> int:
    total = 1
    for n in sizes:
        total *= n
    return total


@composite
def unflatten(input: Tensor, dim: int, sizes: Any) -> Tensor:
    """One dim made several."""
    dim = check_dim(dim, input.ndim)
    sizes = sizes_of((sizes,), "unflatten")
    if not sizes:
        raise RuntimeError("unflatten: sizes must be non-empty")
    n = input.shape[dim]
    known = _product([s for s in sizes if s != -1])
    if known != n if -1 not in sizes else (known == 0 or n % known):
        raise RuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {dim} "
            f"({n}) in the input tensor"
        )
    return view(input, [*input.shape[:dim], *infer_size(sizes, n), *input.shape[dim + 1 :]])


@composite
def ravel(input: Tensor) -> Tensor:
    """All elements in one dim."""
    return reshape(input, -1)


@composite
def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """Tensors expanded to their common shape."""
    from ..core.check import broadcast_shapes

    given = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else tensors
    shape = broadcast_shapes(*[tuple(t.shape) for t in given])
    return tuple(expand(t, shape) for t in given)


# ----- memory -----
@composite
def as_strided(input: Tensor, size: Any, stride: Any, storage_offset: int | None = None) -> Tensor:
    """Any view of the storage, by strides; RuntimeError when it leaves the memory."""
    size, stride = sizes_of((size,)), sizes_of((stride,))
    offset = input.storage_offset() if storage_offset is None else int(storage_offset)
    base = _whole(input)
    at = base.geometry()
    if not is_dense(at.shape, at.stride):
        raise NotImplementedError("as_strided: the storage has gaps (from_numpy of a strided array)")
    _check_bounds(size, stride, offset, base)
    order = tuple(sorted(range(base.ndim), key=lambda i: -at.stride[i]))
    out = call_view(views.strided, (base,), (size, stride, offset, order))
    if base is not input:
        _graft(out, input, base)
    return out


def _whole(t: Tensor) -> Tensor:
    """The tensor over all of `t`'s storage, without history."""
    if t._view is None or not t._view.steps:
        return t
    base = object.__new__(Tensor)
    base._storage, base._aval = t._storage, t._view.base_aval
    if t._view.base_stride is not None:
        shape = tuple(base._aval.shape)
        base._view = View(geometry(shape, t._view.base_stride, 0), (), base._aval, t._view.base_stride)
    if t._counter is not None:
        base._counter = t._counter
    return base


def _check_bounds(size: Any, stride: Any, offset: int, base: Tensor) -> None:
    if any(s < 0 for s in stride):
        raise RuntimeError(
            f"as_strided: Negative strides are not supported at the moment, got strides: {list(stride)}"
        )
    if len(size) != len(stride):
        raise RuntimeError(
            "mismatch in length of strides and shape"
        )
    if _product(list(size)) == 0:
        return
    item = base.itemsize
    needed = (offset + 1 + sum((n - 1) * s for n, s in zip(size, stride, strict=True))) * item
    if needed > base.nbytes:
        raise RuntimeError(
            f"setStorage: sizes {list(size)}, strides {list(stride)}, storage offset {offset}, and "
            f"itemsize {item} requiring a storage size of {needed} are out of bounds for storage of "
            f"size {base.nbytes}"
        )


def _graft(out: Tensor, input: Tensor, base: Tensor) -> None:
    """Let the gradient of a view of the whole storage flow to the view it was taken of."""
    owner = input._base_tensor if input._base_tensor is not None else input
    out._base_tensor = owner
    edge = edge_of(input)
    if edge is None or not LOCAL.state.grad_enabled:
        return
    steps = input._view.steps  # type: ignore[union-attr]
    plan = out._view.steps[-1].plan  # type: ignore[union-attr]
    aval = base._aval

    def backward(grad: Tensor) -> list[Any]:
        from ..core.mutate import replay

        leaf = wrap(zeros(aval))
        leaf._requires_grad = True
        pull = pullback_of(plan, (True,))
        node = make_node(plan, pull, [edge_of(leaf)], [leaf], [leaf._value_now()], ())
        (whole,) = node.apply_tensors([grad])
        return [replay(whole, steps)]

    out._grad_fn = function_node("AsStridedBackward0", backward, [edge], [out._aval])
    out._requires_grad, out._out_nr = True, 0


__all__ = ["contiguous_stride", "sizes_of", "slice_along", "view_of"]
