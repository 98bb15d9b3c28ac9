"""Indexing: `x[…]`, `x[…] = y`, and gathering by tensors of indices."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from ..core.check import check_dim
from ..core.dispatch import call, call_view
from ..core.dtypes import check_number
from ..core.mutate import check_apart, overwrite
from ..core.nodes import edge_of
from ..core.op import Array, Arrays, Dim, Number, composite, op
from ..core.plan import NUMBERS, ArgumentTypeError
from ..core.record import LOCAL, check_later
from ..core.saved import note
from ..core.storage import INLINE
from ..core.tensor import Tensor, all_examples, to_host
from ..core.writable import check_writable
from . import views
from .create import full_of
from .index_parse import index_tensors, parse, select_one
from .overlap import once_of, places, warn_expanded


# ----- reading -----
def _full_index(input: Any, indices: Any, dims: tuple[int, ...]) -> tuple[Any, ...]:
    at: list[Any] = [slice(None)] * input.ndim
    for d, i in zip(dims, indices, strict=True):
        n = input.shape[d]
        i = i.astype(np.int64)
        at[d] = jnp.where(i < 0, i + n, i)
    return tuple(at)


def _shown(call: Any) -> tuple[Any, ...]:
    """The indices as a node shows them: None for dims they skip."""
    at = dict(zip(call.dims, call.tensors("indices"), strict=True))
    return tuple(at.get(d) for d in range(max(at) + 1))


@op(name="index", module=None, method=False, promote="none", shows={"indices": _shown})
def _index(input: Array, indices: Arrays, dims: Any):
    return input.at[_full_index(input, indices, dims)].get(mode="clip")


@_index.gradient
def _(grad, input, indices, dims):
    out = grad.new_zeros(input.shape)
    mine = call(_index_put, (out, *indices, grad), (len(indices), dims, True))
    return mine, [None] * len(indices)


@op(name="index_put", module=None, method=False, promote="none", shows={"indices": _shown})
def _index_put(input: Array, indices: Arrays, values: Array, dims: Any, accumulate: bool):
    at, values = _full_index(input, indices, dims), values.astype(input.dtype)
    return add_at(input, at, values) if accumulate else input.at[at].set(values, mode="drop")


def add_at(input: Any, at: Any, values: Any) -> Any:
    """Values added at places; booleans add up to true."""
    if input.dtype == np.bool_:
        return input.astype(np.uint8).at[at].max(values.astype(np.uint8), mode="drop").astype(bool)
    return input.at[at].add(values, mode="drop")


@_index_put.gradient
def _(grad, indices, values, dims, accumulate):
    picked = call(_index, (grad, *indices), (len(indices), dims))
    zero = grad.new_zeros(values.shape)
    mine = grad
    if not accumulate:
        mine = call(_index_put, (grad, *indices, zero), (len(indices), dims, False))
    return mine, [None] * len(indices), picked


def check_bounds(i: Tensor, n: int, message: Any, low: int | None = None) -> None:
    """IndexError when an index is out of range: at once if its value is known, else at the "
    "flush."""
    i = all_examples(i)
    value = i._value_now()
    if value.trace is INLINE or value.aval.size == 0:
        return
    if value.trace is None and value.array is None:  # meta
        return
    least = -n if low is None else low
    if value.trace is None:
        array = np.asarray(value.array)
        if array.min() < least or array.max() >= n:
            raise message(_first_outside(array, least, n))
        return
    flag = call(_out_of_range, (i, least, n), ())
    check_later(flag._value_now(), lambda: message(_first_outside(to_host(i), least, n)))


def _first_outside(array: np.ndarray, least: int, n: int) -> int:
    return int(array[(array < least) | (array >= n)][0])


@op(name="out_of_range", module=None, method=False, promote="none", differentiable=False)
def _out_of_range(input: Array, low: Number, n: Number):
    return ((input < low) | (input >= n)).any()


def _ready(x: Tensor, tensors: list[Tensor | None]) -> tuple[list[Tensor], tuple[int, ...]]:
    dims = tuple(d for d, t in enumerate(tensors) if t is not None)
    chosen = [tensors[d] for d in dims]
    try:
        np.broadcast_shapes(*[tuple(t.shape) for t in chosen])  # type: ignore[union-attr]
    except ValueError:
        shapes = ", ".join(str(list(t.shape)) for t in chosen)  # type: ignore[union-attr]
        raise IndexError(
            f"shape mismatch: indexing tensors could not be broadcast together with shapes {shapes}"
        ) from None
    if any(not x.shape[d] for d in dims) and all(t.numel() for t in chosen):  # type: ignore[union-attr]
        raise IndexError("index is out of bounds for dimension with size 0")
    if not x.numel():
        return chosen, dims  # type: ignore[return-value]
    for k, (d, t) in enumerate(zip(dims, chosen, strict=True)):
        n = x.shape[d]
        check_bounds(
            t,  # type: ignore[arg-type]
            n,
            lambda bad, k=k, n=n: IndexError(
                f"index {bad} is out of bounds for dimension {k} with size {n}"
            ),
        )
    return chosen, dims  # type: ignore[return-value]


def getitem(self: Tensor, index: Any) -> Tensor:
    """`self[index]`: a view for ints and slices, a copy when tensors take part."""
    if index.__class__ is int and self._aval.ndim:
        return select_one(self, 0, index, 0)
    x, tensors = parse(self, index)
    if any(t is not None for t in tensors):
        chosen, dims = _ready(x, tensors)
        out = call(_index, (x, *chosen), (len(chosen), dims))
        return _showing_masks(out, tensors) if out._grad_fn is not None else out
    return call_view(views.alias_view, (self,), ()) if x is self else x


def _showing_masks(out: Tensor, tensors: list[Tensor | None]) -> Tensor:
    """A mask is one index to PyTorch, not one of each of its dims."""
    shown, left = [], list(tensors)
    while left:
        t = left.pop(0)
        mask = None if t is None else t._of_mask
        shown.append(t if mask is None else mask)
        del left[: 0 if mask is None else mask.ndim - 1]
    while shown[-1] is None:
        shown.pop()
    return note(out, indices=tuple(shown))


def setitem(self: Tensor, index: Any, value: Any) -> None:
    """`self[index] = value`."""
    if self._bearer is not None:
        raise TypeError("Cannot assign to a sparse tensor")
    if value.__class__ is int and not -(1 << 63) <= value < 1 << 63:
        raise ValueError("Overflow when unpacking long long")
    if isinstance(index, Tensor) and index.dtype.name == "bool" and index.shape == self.shape:
        if isinstance(value, NUMBERS) and not self._requires_grad:
            warn_expanded(self, "index_put_")
            self.masked_fill_(index, value)  # type: ignore[attr-defined]
            return
    x, tensors = parse(self, index)
    if not any(t is not None for t in tensors):
        _assign(call_view(views.alias_view, (self,), ()) if x is self else x, value)
        return
    part = once_of(x, "index_put_")
    if part is None:
        check_writable(x)
    chosen, dims = _ready(x, tensors)
    src = value if isinstance(value, Tensor) else _like(x, value)
    if src.dtype is not x.dtype and isinstance(value, Tensor):
        raise RuntimeError(
            f"Index put requires the source and destination dtypes match, got {_name(x)} for the "
            f"destination and {_name(src)} for the source."
        )
    check_apart(x, (src,), partly=True)
    values = _trimmed(src, x, chosen, dims)
    if part is not None:
        _put_once(x, part, chosen, dims, values, False)
        return
    new = call(_index_put, (x, *chosen, values), (len(chosen), dims, False))
    overwrite(x, new, "index_put_")


def _put_once(
    x: Tensor, part: Tensor, chosen: list[Tensor], dims: Any, values: Tensor, accumulate: bool
) -> None:
    """Write into an expanded tensor: of an element's places the last one written stays."""
    at = call(_index, (places(x, part), *chosen), (len(chosen), dims))
    values = values.expand(at.shape).reshape(-1)  # type: ignore[attr-defined]
    flat = (part.reshape(-1), at.reshape(-1), values)  # type: ignore[attr-defined]
    new = call(_index_put, flat, (1, (0,), accumulate))
    overwrite(part, new.view(part.shape), "index_put_")


def _name(t: Tensor) -> str:
    from ..core.dtypes import SCALAR_NAMES

    return SCALAR_NAMES[t.dtype]


def _trimmed(src: Tensor, x: Tensor, chosen: list[Tensor], dims: tuple[int, ...]) -> Tensor:
    """Leading dims of size 1 dropped; RuntimeError (PyTorch's text) when shapes don't match."""
    target = indexed_shape(x, chosen, dims)
    while src.ndim > len(target) and src.shape[0] == 1:
        src = src.squeeze(0)  # type: ignore[attr-defined]
    try:
        fits = np.broadcast_shapes(tuple(src.shape), target) == target
    except ValueError:
        fits = False
    if not fits:
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(src.shape)} cannot be broadcast to "
            f"indexing result of shape {list(target)}"
        )
    return src


def indexed_shape(x: Tensor, chosen: list[Tensor], dims: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of `x` indexed by tensors at some dims."""
    shape = np.broadcast_shapes(*[tuple(t.shape) for t in chosen])
    rest = [n for d, n in enumerate(x.shape) if d not in dims]
    adjacent = list(dims) == list(range(dims[0], dims[0] + len(dims)))
    at = dims[0] if adjacent else 0
    return (*rest[:at], *shape, *rest[at:])


def _like(x: Tensor, value: Any) -> Tensor:
    if not isinstance(value, NUMBERS):
        raise TypeError(f"can't assign a {type(value).__name__} to a {x.type()}")  # type: ignore[attr-defined]
    check_number(value, x.dtype)
    if isinstance(value, complex) and not x.is_complex():
        value = value.real
    return full_of((), value, x.dtype, x.device)


def _assign(x: Tensor, value: Any) -> None:
    if isinstance(value, NUMBERS):
        check_writable(x)
        x.fill_(value)  # type: ignore[attr-defined]
        return
    src = value if isinstance(value, Tensor) else _like(x, value)
    while src.ndim > x.ndim and src.shape[0] == 1:
        src = src.squeeze(0)  # type: ignore[attr-defined]
    extra = src.ndim - x.ndim
    if extra > 0 or any(
        n not in (1, m) for n, m in zip(src.shape, x.shape[-src.ndim or x.ndim :], strict=False)
    ):
        _assign_mismatch(x, src)
    x.copy_(src)  # type: ignore[attr-defined]


def _assign_mismatch(x: Tensor, src: Tensor) -> None:
    pad = x.ndim - src.ndim
    if LOCAL.state.grad_enabled:
        edge_of(src)  # that a view lost its history is said first
    if pad < 0:
        raise RuntimeError(
            f"expand(torch.{src.dtype.legacy}{{{list(src.shape)}}}, size={list(x.shape)}): the "
            f"number of sizes provided ({x.ndim}) must be greater or equal to the number of "
            f"dimensions in the tensor ({src.ndim})"
        )
    for d in range(src.ndim):
        if src.shape[d] not in (1, x.shape[d + pad]):
            raise RuntimeError(
                f"The expanded size of the tensor ({x.shape[d + pad]}) must match the existing "
                "size "
                f"({src.shape[d]}) at non-singleton dimension {d + pad}.  Target sizes: "
                f"{list(x.shape)}.  Tensor sizes: {list(src.shape)}"
            )


Tensor.__getitem__ = getitem  # type: ignore[attr-defined]
def _delitem(self: Tensor, index: Any) -> None:
    raise TypeError("Tensor does not support deleting items")


Tensor.__delitem__ = _delitem  # type: ignore[attr-defined]
Tensor.__setitem__ = setitem  # type: ignore[attr-defined]


# ----- index_put -----
def _check_list(indices: Any) -> None:
    """TypeError, told in PyTorch's words by the caller, unless they are tensors in a list."""
    if not isinstance(indices, (tuple, list)) or not all(
        isinstance(i, Tensor) for i in indices
    ):
        raise ArgumentTypeError("index_put(): argument 'indices' must be tuple of Tensors")


def _indices_of(self: Tensor, indices: Any) -> tuple[list[Tensor], tuple[int, ...]]:
    _check_list(indices)
    tensors: list[Tensor | None] = []
    for i in indices:
        tensors += [None] if i is None else index_tensors(self, len(tensors), i)
    return _ready(self, tensors)


@composite
def index_put(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """A copy with values written (or added) where tensors of indices say."""
    chosen, dims = _indices_of(input, indices)
    if values.dtype is not input.dtype:
        raise RuntimeError(
            f"Index put requires the source and destination dtypes match, got {_name(input)} for "
            "the "
            f"destination and {_name(values)} for the source."
        )
    values = _trimmed(values, input, chosen, dims)
    return call(_index_put, (input, *chosen, values), (len(chosen), dims, accumulate))


@composite(module=None, method=True)
def index_put_(self: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """In-place `index_put`."""
    _check_list(indices)
    part = once_of(self, "index_put_")
    if part is not None:
        if len(indices) == 1 and indices[0].dtype.name == "bool" and values.numel() == 1:
            if not accumulate:
                wide = (1,) * (self.ndim - indices[0].ndim)
                mask = indices[0].reshape(*indices[0].shape, *wide)
                return self.masked_fill_(mask, values.reshape(()))
        chosen, dims = _indices_of(self, indices)
        _put_once(self, part, chosen, dims, _trimmed(values, self, chosen, dims), accumulate)
        return self
    check_writable(self)
    check_apart(self, (values, *indices))
    return overwrite(self, index_put(self, indices, values, accumulate), "index_put_")


__all__ = ["Dim", "check_dim"]
