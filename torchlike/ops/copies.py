"""Views that are copied (`select_copy` …), and functions that are known as methods."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.check import broadcast_shapes as common_shape
from ..core.check import check_dim
from ..core.dispatch import call
from ..core.geometry import contiguous_stride
from ..core.mutate import write_out
from ..core.op import TABLE, checked, composite, declare, install, publish
from ..core.plan import Op
from ..core.storage import Size
from ..core.tape import OpNode, node_class
from ..core.tensor import Counter, Tensor, from_host
from . import memory as memory  # its methods are named below
from .gather import check_select
from .masked import nonzero
from .refused import without_gradient
from .scatter import reduced_into
from .shape import as_strided, narrow, slice_along, view
from .split import chunk, split, split_with_sizes
from .views import diagonal


# ----- copies of views -----
def _copying(view: Op) -> Op:
    """The view's body as an op whose result has memory of its own."""
    name, node = view.name + "_copy", f"{view.node}_copy"
    return declare(name, view.body, view.params, module=None, promote="none", node=node)


_diagonal_copy = _copying(diagonal)


@composite(out=True)
def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """A matrix's diagonal (a copy), or a matrix with a vector as its diagonal."""
    if input.ndim == 1:
        return input.diag_embed(diagonal)  # type: ignore[attr-defined]
    if input.ndim == 2:
        return call(_diagonal_copy, (input,), (diagonal, 0, 1))
    raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {input.ndim}D")


def _copied(view: Callable[..., Any], name: str) -> Callable[..., Any]:
    @functools.wraps(view)
    def copy(*args: Any, out: Any = None, **kwargs: Any) -> Any:
        found = view(*args, **kwargs)
        if isinstance(found, (tuple, list)):
            nodes = {id(t._grad_fn): t._grad_fn for t in found}
            made = tuple(t.clone(memory_format=None) for t in found)
        else:
            nodes = {0: found._grad_fn}
            made = found.clone(memory_format=None)
        for t, was in zip(_each(made), _each(found), strict=True):
            _lend_node(t, was)
        for node in nodes.values():
            _rename(node, f"{name.title().replace('_', '')}Backward0_copy")
        return made if out is None else write_out(name + "_copy", out, made)

    return copy


def _each(found: Any) -> Sequence[Tensor]:
    return found if isinstance(found, (tuple, list)) else (found,)


def _lend_node(copy: Tensor, view: Tensor) -> None:
    """The view's node is the copy's: their gradients are the same."""
    if copy._grad_fn is not None and copy._grad_fn is not view._grad_fn:
        copy._grad_fn, copy._out_nr = view._grad_fn, view._out_nr


def _rename(node: Any, name: str) -> None:
    if isinstance(node, OpNode):
        node.__class__ = node_class(name)


@composite(out=True)
def narrow_copy(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """`narrow`, copied."""
    if dim >= input.ndim:
        raise RuntimeError(
            "Expected dim < static_cast<int64_t>(self_sizes.size()) to be true, but got false.  "
            "(Could this error message be improved?  If so, please report an enhancement request "
            "to PyTorch.)"
        )
    if length < 0:
        raise RuntimeError(
            f"start ({start}) + length ({length}) exceeds dimension size ({input.shape[dim]})."
        )
    return narrow(input, dim, start, length).clone(memory_format=None)


def _slice(input: Tensor, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Any:
    dim = check_dim(dim, input.ndim)
    if step <= 0:
        raise RuntimeError("slice step must be positive")
    first, last, _ = slice(start, end, step).indices(input.shape[dim])
    return slice_along(input, dim, first, max(0, -((last - first) // -step)), step)


@composite(method=False)
def detach_copy(input: Tensor, *, out: Any = None) -> Tensor:
    """A copy; backward through it raises."""
    found = without_gradient("detach_copy", input.detach().clone(), input)  # type: ignore[attr-defined]
    return found if out is None else write_out("detach_copy", out, found)


_VIEWS: dict[str, Callable[..., Any]] = {
    "alias": lambda input: view(input, input.shape), "expand": Tensor.expand,  # type: ignore[attr-defined]
    "slice": _slice, "view": view,
}  # fmt: skip
for _name in (
    "as_strided", "diagonal", "permute", "select", "split", "split_with_sizes", "squeeze", "t",
    "transpose", "unbind", "unsqueeze", "view_as_complex", "view_as_real",
):  # fmt: skip
    _VIEWS[_name] = TABLE["torch", _name]
_VIEWS["unfold"] = Tensor.unfold  # type: ignore[attr-defined]
for _name, _function in _VIEWS.items():
    publish("torch", _name + "_copy", _copied(_function, _name))


# ----- splits whose parts may be written to -----
def _unshared(function: Callable[..., Any]) -> Callable[..., Any]:
    sizes = "WithSizes" * (function.__name__ == "split_with_sizes")

    @functools.wraps(function)
    def parts(*args: Any, **kwargs: Any) -> tuple[Tensor, ...]:
        found = tuple(_apart(t) for t in function(*args, **kwargs))
        _rename(found[0]._grad_fn, f"UnsafeSplit{sizes}Backward0")
        return found

    return parts


def _apart(t: Tensor) -> Tensor:
    """Forget that a tensor is a view: it may be written to, as if its memory were its own."""
    if t._base_tensor is not None:
        t._base_tensor, t._creation, t._counter = None, "", Counter(t._storage)
    return t


for _function in (split, split_with_sizes, chunk):
    _parts = _unshared(_function)
    publish("torch", f"unsafe_{_function.__name__}", _parts)
    install(f"unsafe_{_function.__name__}", _parts)


# ----- functions PyTorch has beside the methods -----
for _name in (
    "detach", "detach_", "zero_", "as_strided_", "resize_as_", "index_put_", "put", "get_device",
    "is_signed",
):  # fmt: skip
    _method = getattr(Tensor, _name)
    publish("torch", _name, checked(getattr(_method, "__wrapped__", _method), "torch", _name))


@composite
def is_distributed(input: Tensor) -> bool:
    """Whether the tensor is spread over processes: never."""
    return False


@composite
def is_inference(input: Tensor) -> bool:
    """Whether the tensor was made in inference mode."""
    return input._inference


# ----- shapes and indices -----
@composite(method=False)
def broadcast_shapes(*shapes: Any) -> Size:
    """The common shape by broadcasting; RuntimeError when there is none."""
    given = [tuple(s) if isinstance(s, Sequence) else (s,) for s in shapes]
    if any(n < 0 for shape in given for n in shape):
        raise ValueError("Attempting to broadcast a dimension with negative length!")
    merged: tuple[int, ...] = ()
    for i, shape in enumerate(given):
        try:
            merged = common_shape(merged, shape)
        except RuntimeError:
            said = [s if isinstance(s, Sequence) else (s,) for s in shapes]
            raise RuntimeError(_misfit(said, i)) from None
    return Size(merged)


def _misfit(shapes: list[Sequence[int]], index: int) -> str:
    """Which argument does not fit those before it, in PyTorch's words."""
    ndim = max(map(len, shapes))
    wide = [1] * ndim
    for i, shape in enumerate(shapes):
        for d in range(-1, -1 - len(shape), -1):
            n = shape[d]
            if n not in (1, wide[d]) and wide[d] != 1:
                return (
                    f"Attempting to broadcast a dimension of length {n} at {d}! Mismatching "
                    f"argument at index {i} had {shape}; but expected shape should be "
                    f"broadcastable to {wide}"
                )
            wide[d] = max(wide[d], n)
    return f"shape {shapes[index]} can't be broadcast"


@composite(method=False)
def unravel_index(indices: Tensor, shape: Any) -> tuple[Tensor, ...]:
    """Flat indices as a tuple of indices, one a dim."""
    sizes = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    steps = contiguous_stride(sizes)
    return tuple(
        indices.div(step, rounding_mode="floor") % n  # type: ignore[attr-defined]
        for step, n in zip(steps, sizes, strict=True)
    )


@composite
def nonzero_static(input: Tensor, *, size: int, fill_value: int = -1) -> Tensor:
    """The first `size` indices of elements that are not zero, filled up."""
    found = nonzero(input)[:size].numpy()
    made = np.full((size, input.ndim), fill_value, np.int64)
    made[: len(found)] = found
    return from_host(made)


@composite(inplace="apart", inplace_function=False, out=True)
def index_reduce(
    input: Tensor, dim: int, index: Tensor, source: Tensor, reduce: str, *,
    include_self: bool = True,
) -> Tensor:  # fmt: skip
    """A copy with slices of `source` reduced into the slices at the given indices."""
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise RuntimeError(
            "index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got "
            f"{reduce}."
        )
    dim = check_dim(dim, input.ndim)
    along = [-1 if d == dim else 1 for d in range(source.ndim)]
    check_select(index, input.shape[dim] if input.ndim else 1)
    wide = index.view(along).expand(source.shape)  # type: ignore[attr-defined]
    return reduced_into(input, dim, wide, source, reduce, include_self, "IndexReduceBackward0")


__all__ = ["as_strided"]
