"""Shape manipulation: PyTorch's functions over the view ops, and the ops that move elements."""

from __future__ import annotations

from typing import Any

from ..core.check import (
    broadcast_shapes,
    check_dim,
    check_dims,
    infer_size,
    invalid_call,
    sizes_of,
    warn,
)
from ..core.dispatch import call_view, view_of
from ..core.dtypes import INTEGER, to_numpy
from ..core.dtypes import dtype as dtype_class
from ..core.function_nodes import function_node
from ..core.geometry import View, contiguous_stride, geometry, is_dense
from ..core.nodes import edge_of, make_node
from ..core.op import checked, composite, install, publish
from ..core.parameter import has_bit
from ..core.pullback import pullback_of
from ..core.record import LOCAL
from ..core.saved import note
from ..core.tape import zeros
from ..core.tensor import Tensor, wrap
from ..core.wrong_call import demand
from . import views
from .movement import unsafe_view


# ----- strides -----
@composite(module=None, method=True)
def stride(self: Tensor, dim: int | None = None) -> Any:
    """Elements between neighbours along each dim, or along one."""
    strides = self.geometry().stride
    if dim is not None and self.ndim == 0:
        check_dim(dim, 0)
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    return strides if dim is None else strides[check_dim(dim, self.ndim)]


# ----- order of dims -----
def permute(input: Tensor, *dims: Any, **named: Any) -> Tensor:
    """The dims in another order."""
    wanted = sizes_of((named["dims"],) if "dims" in named else dims, "permute", "dims")
    if len(wanted) != input.ndim:
        raise RuntimeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the "
            "length "
            f"of the desired ordering of dimensions i.e. input.dim() = {input.ndim} is not equal "
            "to "
            f"len(dims) = {len(wanted)}"
        )
    found = tuple(check_dim(d, input.ndim) for d in wanted)
    if len(set(found)) != len(found):
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    out = call_view(views.permute_dims, (input,), (found,))
    return note(out, dims=wanted) if found != wanted else out


publish("torch", "permute", checked(permute, "torch", "permute"))
install("permute", permute)


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


_T_OF_OTHERS = (
    "The use of `x.T` on tensors of dimension other than 2 to reverse their shape is deprecated "
    "and it will throw an error in a future release. Consider `x.mT` to transpose batches of "
    "matrices or `x.permute(*torch.arange(x.ndim - 1, -1, -1))` to reverse the dimensions of a "
    "tensor. (Triggered internally at /pytorch/aten/src/ATen/native/TensorShape.cpp:4312.)"
)
_T_OF_NUMBERS = (
    "Tensor.{} is deprecated on 0-D tensors. This function is the identity in these cases. "
    "(Triggered internally at /pytorch/aten/src/ATen/native/TensorShape.cpp:4321.)"
)


def _transposed(self: Tensor) -> Tensor:
    if self.ndim not in (1, 2):
        text = _T_OF_OTHERS if self.ndim else _T_OF_NUMBERS.format("T")
        warn(text, UserWarning)
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
            + (" For batches of matrices, consider using tensor.mH" if self.ndim > 2 else "")
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
    if isinstance(start, Tensor):
        if start.ndim or start.dtype.category != INTEGER:
            raise RuntimeError("start must be an 0-dim integral Tensor.")
    elif not hasattr(start, "__index__"):
        forms = ("Tensor input, int dim, Tensor start, int length",
                 "Tensor input, int dim, int start, int length")  # fmt: skip
        raise invalid_call("narrow", (input, dim, start, length), {}, forms)
    dim, start = check_dim(dim, input.ndim), int(start)
    n = input.shape[dim]
    if not -n <= start <= n:
        raise IndexError(
            f"start out of range (expected to be in range of [{-n}, {n}], but got {start})"
        )
    start = start + n if start < 0 else start
    if start + length > n:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({n}).")
    return slice_along(input, dim, start, length)


def slice_along(input: Tensor, dim: int, start: int, length: int, step: int = 1) -> Tensor:
    """The slice view; numbers already checked."""
    return call_view(views.slice_at, (input, start), (dim, length, step))


# ----- shapes -----
@composite
def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """A new dim of size 1."""
    return call_view(views.unsqueeze_at, (input,), (check_dim(dim, input.ndim + 1),))


_ALL: Any = ...  # not None, which PyTorch refuses


@composite
def squeeze(input: Tensor, dim: Any = _ALL) -> Tensor:
    """Without dims of size 1: all, one, or several."""
    shape = input.shape
    if dim is None:
        demand("torch.squeeze", input, dim)
    if dim is _ALL:
        dims = tuple(i for i, n in enumerate(shape) if n == 1)
    elif isinstance(dim, (tuple, list)):
        dims, dim = check_dims(dim, input.ndim), tuple(dim)
    else:
        dims = (check_dim(dim, input.ndim),)  # type: ignore[arg-type]
    dims = tuple(sorted(d for d in dims if shape and shape[d] == 1))
    return call_view(views.squeeze_at, (input,), (dims, None if dim is _ALL else dim))


def expand(input: Tensor, *sizes: Any, **named: Any) -> Tensor:
    """Dims of size 1 repeated without a copy."""
    size = sizes_of((named["size"],) if "size" in named else sizes, "expand")
    if len(size) < input.ndim:
        raise RuntimeError(
            f"expand(torch.{input.dtype.legacy}{{{list(input.shape)}}}, size={list(size)}): the "
            "number "
            f"of sizes provided ({len(size)}) must be greater or equal to the number of dimensions "
            "in "
            f"the tensor ({input.ndim})"
        )
    return call_view(views.expand_to, (input,), (size,))


install("expand", expand)


def broadcast_to(input: Tensor, *size: Any, **named: Any) -> Tensor:
    """`expand` as a function."""
    wanted = sizes_of((named["size"],) if "size" in named else size, "broadcast_to")
    return expand(input, wanted)


composite(broadcast_to)


@composite(module=None, method=True)
def expand_as(self: Tensor, other: Tensor) -> Tensor:
    """Expanded to another tensor's shape."""
    return expand(self, other.shape)


def view(self: Tensor, *shape: Any, **named: Any) -> Tensor:
    """The same memory in another shape, or as another dtype; RuntimeError if it needs a copy."""
    if "dtype" in named or (len(shape) == 1 and isinstance(shape[0], dtype_class)):
        kind = named.get("dtype") or shape[0]
        if kind is self.dtype:
            return call_view(views.alias_view, (self,), ())
        if has_bit(self, "conj"):
            raise RuntimeError(
                "torch.Tensor.view is not supported for conjugate view tensors when converting to "
                "a different dtype."
            )
        if has_bit(self, "neg"):
            raise RuntimeError(
                "torch.Tensor.view is not supported for tensors with negative bit set when "
                "converting to a different dtype."
            )
        views.check_bits(self.geometry(), self.dtype, kind)
        return call_view(views.view_bits, (self,), (to_numpy(kind), self.itemsize))
    given = (named["size"],) if named else shape
    if not given or isinstance(given[0], (str, float)):
        raise invalid_call("view", given, {}, ("torch.dtype dtype", "tuple of ints size"))
    return call_view(views.view_as_size, (self,), (sizes_of(given, "view"),))


install("view", view)


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
    size = sizes_of((named["shape"],) if "shape" in named else shape, "reshape", "shape")
    at = input.geometry()
    if not at.contiguous:
        full = infer_size(size, input.numel())
        if views.view_stride(at, full) is None:
            return unsafe_view(input.contiguous(), full)
        return call_view(views.reshape_alias, (input,), (full,))
    return call_view(views.view_as_size, (input,), (size,))


publish("torch", "reshape", checked(reshape, "torch", "reshape"))
install("reshape", reshape)


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
    sizes = sizes_of((sizes,), "unflatten", "sizes", 2)
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
    return view(input.contiguous(), -1)


@composite
def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """Tensors expanded to their common shape."""
    given = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else tensors
    shape = broadcast_shapes(*[tuple(t.shape) for t in given])
    return tuple(t if tuple(t.shape) == shape else expand(t, shape) for t in given)


# ----- memory -----
@composite
def as_strided(input: Tensor, size: Any, stride: Any, storage_offset: int | None = None) -> Tensor:
    """Any view of the storage, by strides; RuntimeError when it leaves the memory."""
    size = sizes_of((size,), "as_strided")
    stride = sizes_of((stride,), "as_strided", "stride")
    offset = input.storage_offset() if storage_offset is None else int(storage_offset)
    base = whole(input)
    at = base.geometry()
    if not is_dense(at.shape, at.stride):
        raise NotImplementedError(
            "as_strided: the storage has gaps (from_numpy of a strided array)"
        )
    _check_bounds(size, stride, offset, base)
    order = tuple(sorted(range(base.ndim), key=lambda i: -at.stride[i]))
    out = call_view(views.strided, (base,), (size, stride, offset, order))
    if base is not input:
        _graft(out, input, base)
    return views.with_bits(out, views.bits_of(input))


def whole(t: Tensor) -> Tensor:
    """The tensor over all of `t`'s storage, without history."""
    if t._view is None or not t._view.steps:
        return t
    base = object.__new__(Tensor)
    base._storage, base._aval = t._storage, t._view.base_aval
    if t._view.base_stride is not None:
        shape = tuple(base._aval.shape)
        base._view = View(
            geometry(shape, t._view.base_stride, 0), (), base._aval, t._view.base_stride
        )
    if t._counter is not None:
        base._counter = t._counter
    return base


def _check_bounds(size: Any, stride: Any, offset: int, base: Tensor) -> None:
    if any(s < 0 for s in stride):
        raise RuntimeError(
            "as_strided: Negative strides are not supported at the moment, got strides: "
            f"{list(stride)}"
        )
    if len(size) != len(stride):
        raise RuntimeError("mismatch in length of strides and shape")
    if _product(list(size)) == 0:
        return  # also where a size is negative, as in PyTorch
    if min(size, default=0) < 0:
        raise RuntimeError(
            f"Storage size calculation overflowed with sizes={list(size)} and "
            f"strides={list(stride)}"
        )
    item = base.itemsize
    needed = (offset + 1 + sum((n - 1) * s for n, s in zip(size, stride, strict=True))) * item
    if needed > base.nbytes:
        raise RuntimeError(
            f"setStorage: sizes {list(size)}, strides {list(stride)}, storage offset {offset}, and "
            f"itemsize {item} requiring a storage size of {needed} are out of bounds for storage "
            "of "
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
