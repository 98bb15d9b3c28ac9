"""Indexing: `x[…]`, `x[…] = y`, and gathering by tensors of indices."""

from __future__ import annotations

import warnings
from typing import Any

import jax.numpy as jnp
import numpy as np

from ..core.check import check_dim
from ..core.device import CPU, META
from ..core.dispatch import call, call_view
from ..core.dtypes import INTEGER, bool_, check_number, int32, int64, uint8
from ..core.mutate import check_apart, check_writable, overwrite
from ..core.op import Array, Arrays, Dim, Number, composite, op
from ..core.plan import NUMBERS, ArgumentTypeError
from ..core.record import LOCAL, check_later
from ..core.saved import note
from ..core.storage import INLINE
from ..core.tape import edge_of
from ..core.tensor import Tensor, all_examples, elements_for, from_host, to_host
from . import views
from .create import full_of
from .overlap import once_of, places, warn_expanded
from .shape import slice_along

INDEX_KINDS = (
    "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid "
    "indices (got {})"
)
NO_DIM = (
    "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ "
    "to convert a 0-dim tensor to a number"
)
NOT_A_TUPLE = (
    "Using a non-tuple sequence for multidimensional indexing is deprecated and will be changed in "
    "pytorch 2.9; use x[tuple(seq)] instead of x[seq]. In pytorch 2.9 this will be interpreted as "
    "tensor index, x[torch.tensor(seq)], which will result either in an error or a different "
    "result "
    "(Triggered internally at /pytorch/torch/csrc/autograd/python_variable_indexing.cpp:347.)"
)

_MASKED = (
    "vmap: We do not support batching operators that can support dynamic shape. Attempting to "
    "batch over indexing with a boolean mask."
)


# ----- parsing -----
def parse(x: Tensor, index: Any) -> tuple[Tensor, list[Tensor | None]]:
    """The basic part of an index applied as views; the tensors left over, one per dim or None."""
    if isinstance(index, slice):
        if x.ndim == 0:
            raise IndexError("slice() cannot be applied to a 0-dim tensor.")
        return _slice(x, 0, index), [None]
    items = _items(index)
    consumed = sum(_dims_of(i) for i in items)
    if consumed > x.ndim:
        if not isinstance(index, (tuple, list, Tensor)) and x.ndim == 0:
            raise IndexError(NO_DIM)
        raise IndexError(f"too many indices for tensor of dimension {x.ndim}")
    return _apply(x, items, x.ndim - consumed)


def _apply(x: Tensor, items: list[Any], spread: int) -> tuple[Tensor, list[Tensor | None]]:
    dim = 0  # in the view made so far
    tensors: list[Tensor | None] = []
    for place, item in enumerate(items):
        if item is Ellipsis:
            dim += spread
            tensors += [None] * spread
            continue
        if item is None:
            x = x.unsqueeze(dim)  # type: ignore[attr-defined]
            tensors.append(None)
        elif isinstance(item, slice):
            x = _slice(x, dim, item, skip=True)
            tensors.append(None)
        elif isinstance(item, bool):
            x = x.unsqueeze(dim)  # type: ignore[attr-defined]
            tensors.append(from_host(np.array([0] if item else [], np.int64)))
        elif isinstance(item, Tensor):
            if item.ndim == 0 and item.dtype.name in ("bool", "uint8"):
                x = x.unsqueeze(dim)  # type: ignore[attr-defined]
            used = _index_tensors(x, dim, item)
            tensors += used
            dim += len(used)
            continue
        else:
            x = _select(x, dim, item.__index__(), place)
            dim -= 1
        dim += 1
    return x, tensors


def _items(index: Any) -> list[Any]:
    if isinstance(index, tuple):
        items = list(index)
    elif isinstance(index, (list, str, range)) and _treat_as_tuple(index):
        warnings.warn(NOT_A_TUPLE, UserWarning, stacklevel=5)
        items = list(index)
    else:
        items = [index]
    found = [_item(i) for i in items]
    ellipses = [i for i, item in enumerate(found) if item is Ellipsis]
    for extra in reversed(ellipses[1:]):
        found[extra] = slice(None)  # a second `...` is a plain `:`
    return found


def _treat_as_tuple(index: Any) -> bool:
    return len(index) < 32 and any(
        isinstance(i, (slice, Tensor, list, tuple, range, str, np.ndarray))
        or i is Ellipsis
        or i is None
        for i in index
    )


def _item(i: Any) -> Any:
    if i is None or i is Ellipsis or isinstance(i, (slice, bool)):
        return i
    if isinstance(i, Tensor):
        return _index_tensor(i)
    if isinstance(i, np.ndarray):
        return _index_tensor(from_host(np.array(i)))
    if isinstance(i, (list, tuple, range)):
        return _index_tensor(_tensor_of(i))
    if isinstance(i, np.bool_):
        return bool(i)
    if hasattr(i, "__index__"):
        return i
    kind = type(i).__name__
    raise (
        IndexError(INDEX_KINDS.format(kind))
        if kind != "str"
        else TypeError("new(): invalid data type 'str'")
    )


def _tensor_of(items: Any) -> Tensor:
    t = TENSOR[0](list(items))
    # a list of numbers that are no integers is converted, as PyTorch does
    return t.long() if t.numel() == 0 or t.is_floating_point() else t  # type: ignore[attr-defined]


TENSOR: list[Any] = []  # ops.data puts `torch.tensor` here


INDEXING = (bool_, uint8, int32, int64)


def _index_tensor(i: Tensor) -> Any:
    kind = i.dtype
    if kind not in INDEXING and (i.ndim or kind.category > INTEGER):
        raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
    if i.ndim == 0 and kind.category > 0 and not i.requires_grad:  # type: ignore[attr-defined]
        value = i._value_now()
        if value.trace is None and (value.array is not None or i._aval.device is META):
            return int(i.item())  # a known 0-dim index is an int: a view, as in PyTorch
    return i


def _dims_of(item: Any) -> int:
    if item is None or item is Ellipsis or isinstance(item, bool):
        return 0
    if isinstance(item, Tensor) and item.dtype.name in ("bool", "uint8"):
        return item.ndim
    return 1


def _slice(x: Tensor, dim: int, s: slice, skip: bool = False) -> Tensor:
    n = x.shape[dim]
    step = 1 if s.step is None else s.step.__index__()
    if step <= 0:
        raise ValueError(
            "slice step cannot be zero" if step == 0 else "step must be greater than zero"
        )
    first, last = _plain(s.start), _plain(s.stop)
    start, stop, _ = slice(first, last, step).indices(n)
    length = max(0, -((stop - start) // -step))
    if skip and step == 1 and not first and (last is None or last >= n):
        return x  # among several indices a slice of the whole dim is no view
    out = slice_along(x, dim, start, length, step)
    if out._grad_fn is not None:
        note(out, start=first or 0, end=MOST if last is None else min(last, MOST))
    return out


MOST = (1 << 63) - 1


def _plain(bound: Any) -> int | None:
    if bound is None:
        return None
    if not hasattr(bound, "__index__"):
        raise TypeError("slice indices must be integers or None or have an __index__ method")
    return bound.__index__()


def _select(x: Tensor, dim: int, i: int, place: int) -> Tensor:
    n = x.shape[dim]
    if not -n <= i < n:
        raise IndexError(f"index {i} is out of bounds for dimension {place} with size {n}")
    return call_view(views.select_at, (x, i % n), (dim,))


def _index_tensors(x: Tensor, dim: int, t: Tensor) -> list[Tensor]:
    if t.dtype.name not in ("bool", "uint8"):
        return [_beside(x, t)]
    if t.dtype.name == "uint8":
        warnings.warn(
            "indexing with dtype torch.uint8 is now deprecated, please use a dtype torch.bool "
            "instead. (Triggered internally at /pytorch/aten/src/ATen/native/IndexingUtils.h:30.)",
            UserWarning,
            stacklevel=5,
        )
    for k in range(t.ndim):
        if t.shape[k] != x.shape[dim + k]:
            raise IndexError(
                f"The shape of the mask {list(t.shape)} at index {k} does not match the shape of "
                f"the indexed tensor {list(x.shape)} at index {dim + k}"
            )
    array = elements_for("nonzero", t, _MASKED)
    if not t.ndim:  # a 0-dim mask adds a dim, of size 1 or 0
        return [from_host(np.arange(int(bool(array))))]
    found = [_beside(x, from_host(a.astype(np.int64))) for a in np.nonzero(array)]
    found[0]._of_mask = t
    return found


def _beside(x: Tensor, index: Tensor) -> Tensor:
    """An index on the CPU, on the device of what it is for."""
    where = x._aval.device
    if index._aval.device is where or index._aval.device is not CPU:
        return index
    return index.to(where)  # type: ignore[attr-defined]


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
        return _select(self, 0, index, 0)
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
        tensors += [None] if i is None else _index_tensors(self, len(tensors), i)
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
