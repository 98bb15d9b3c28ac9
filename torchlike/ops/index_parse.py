"""Indexing expressions taken apart: views for the basic part, tensors for the rest."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ..core.device import CPU, META
from ..core.dispatch import call_view
from ..core.dtypes import INTEGER, bool_, int32, int64, uint8
from ..core.saved import note
from ..core.tensor import Tensor, elements_for, from_host
from . import views
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
            used = index_tensors(x, dim, item)
            tensors += used
            dim += len(used)
            continue
        else:
            x = select_one(x, dim, item.__index__(), place)
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


def select_one(x: Tensor, dim: int, i: int, place: int) -> Tensor:
    n = x.shape[dim]
    if not -n <= i < n:
        raise IndexError(f"index {i} is out of bounds for dimension {place} with size {n}")
    return call_view(views.select_at, (x, i % n), (dim,))


def index_tensors(x: Tensor, dim: int, t: Tensor) -> list[Tensor]:
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
