"""Batches from lists of samples."""

import copy
import re
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence

import numpy as np

from ... import ops
from ...core import dtypes
from ...core.tensor import Tensor, from_host, to_host

_TEXT_KINDS = "SaUO"
np_str_obj_array_pattern = re.compile(f"[{_TEXT_KINDS}]")
_INT64 = 1 << 63
_BAD_BATCH = (
    "default_collate: batch must contain tensors, numpy arrays, numbers, "
    "dicts or lists; found {}"
)
_SPARSE = (
    "Batches of sparse tensors are not currently supported by the default collate_fn; please "
    "provide a custom collate_fn to handle them appropriately."
)


# ----- containers of the user's own types --------------------------------------------------------

def mapping_like(like: Mapping, items: dict):
    """The items in a mapping of the same type, or in a dict where that cannot be made."""
    try:
        if isinstance(like, MutableMapping):
            clone = copy.copy(like)  # it may have more to it than its items
            clone.update(items)
            return clone
        return type(like)(items)
    except TypeError:
        return items


def sequence_like(like: Sequence, items: list):
    """The items in a sequence of the same type, or in a list where that cannot be made."""
    try:
        if isinstance(like, MutableSequence):
            clone = copy.copy(like)
            for place, item in enumerate(items):
                clone[place] = item
            return clone
        return type(like)(items)
    except TypeError:
        return items


def is_named_tuple(value) -> bool:
    return isinstance(value, tuple) and hasattr(value, "_fields")


# ----- one sample --------------------------------------------------------------------------------

def default_convert(data):
    """NumPy arrays to tensors, at any depth; tuples become lists."""
    kind = type(data)
    if isinstance(data, Tensor):
        return data
    if kind.__module__ == "numpy" and kind.__name__ not in ("str_", "string_"):
        if kind.__name__ == "ndarray" and data.dtype.kind in _TEXT_KINDS:
            return data
        return ops.as_tensor(data)
    if isinstance(data, Mapping):
        return mapping_like(data, {key: default_convert(data[key]) for key in data})
    if is_named_tuple(data):
        return kind(*map(default_convert, data))
    if isinstance(data, Sequence) and not isinstance(data, str | bytes):
        items = [default_convert(item) for item in data]
        return items if isinstance(data, tuple) else sequence_like(data, items)
    return data


def pin_memory(data, device=None):
    """`pin_memory()` of every tensor in the data."""
    if isinstance(data, Tensor) or hasattr(data, "pin_memory"):
        return data.pin_memory()
    if isinstance(data, str | bytes):
        return data
    if isinstance(data, Mapping):
        return mapping_like(data, {key: pin_memory(item, device) for key, item in data.items()})
    if is_named_tuple(data):
        return type(data)(*(pin_memory(item, device) for item in data))
    if isinstance(data, Sequence):
        return sequence_like(data, [pin_memory(item, device) for item in data])
    return data


# ----- many samples ------------------------------------------------------------------------------

def collate(batch, *, collate_fn_map: dict[type | tuple[type, ...], Callable] | None = None):
    """One batch of many samples; the map says which function takes which type of element."""
    element = batch[0]
    kinds = collate_fn_map or {}
    if type(element) in kinds:
        return kinds[type(element)](batch, collate_fn_map=collate_fn_map)
    for kind, function in kinds.items():
        if isinstance(element, kind):
            return function(batch, collate_fn_map=collate_fn_map)
    if isinstance(element, Mapping):
        columns = {
            key: collate([sample[key] for sample in batch], collate_fn_map=collate_fn_map)
            for key in element
        }
        return mapping_like(element, columns)
    if not isinstance(element, Sequence):
        raise TypeError(_BAD_BATCH.format(type(element)))
    return _collate_sequences(batch, element, collate_fn_map)


def _collate_sequences(batch, element, collate_fn_map):
    named = is_named_tuple(element)
    if not named and any(len(sample) != len(element) for sample in batch):
        raise RuntimeError("each element in list of batch should be of equal size")
    columns = [collate(column, collate_fn_map=collate_fn_map) for column in zip(*batch)]
    if named:
        return type(element)(*columns)
    return columns if isinstance(element, tuple) else sequence_like(element, columns)


def collate_tensor_fn(batch, *, collate_fn_map=None):
    if batch[0].is_sparse:
        raise RuntimeError(_SPARSE)
    if isinstance(batch, (list, tuple)) and _stackable(batch):
        return from_host(np.stack([to_host(tensor) for tensor in batch]))
    from .worker import get_worker_info  # that module needs this one

    if get_worker_info() is None:
        return ops.stack(batch, 0)
    # a worker's batch is written into memory of the first sample's dtype, not of the common one
    memory = batch[0].detach().new_empty(len(batch), *batch[0].shape)
    return ops.stack(batch, 0, out=memory)


def _stackable(batch) -> bool:
    """Whether the batch can be put together on the host, outside the trace."""
    first = batch[0]
    shape, dtype = first.shape, first.dtype
    return all(
        type(tensor) is Tensor
        and tensor.dtype is dtype
        and tensor.shape == shape
        and not tensor.requires_grad
        and tensor.device.type == "cpu"
        and tensor.is_contiguous()  # other strides are the stacked tensor's too
        for tensor in batch
    )


def collate_numpy_array_fn(batch, *, collate_fn_map=None):
    if batch[0].dtype.kind in _TEXT_KINDS:
        raise TypeError(_BAD_BATCH.format(batch[0].dtype))
    as_usual = (collate_fn_map or {}).get(Tensor) is collate_tensor_fn
    if as_usual and all(_is_like(batch[0], array) for array in batch):
        ops.as_tensor(batch[0])  # refuses what a tensor cannot hold
        return from_host(np.stack(batch))
    return collate([ops.as_tensor(array) for array in batch], collate_fn_map=collate_fn_map)


def _is_like(first, array) -> bool:
    return type(array) is np.ndarray and array.dtype == first.dtype and array.shape == first.shape


def collate_numpy_scalar_fn(batch, *, collate_fn_map=None):
    return ops.as_tensor(batch)


def collate_float_fn(batch, *, collate_fn_map=None):
    if {*map(type, batch)} == {float}:
        return from_host(np.array(batch))
    return ops.tensor(batch, dtype=dtypes.float64)


def collate_int_fn(batch, *, collate_fn_map=None):
    if {*map(type, batch)} == {int} and -_INT64 <= min(batch) and max(batch) < _INT64:
        return from_host(np.array(batch, np.int64))
    return ops.tensor(batch)


def collate_str_fn(batch, *, collate_fn_map=None):
    return batch


default_collate_fn_map: dict[type | tuple[type, ...], Callable] = {
    Tensor: collate_tensor_fn,
    np.ndarray: collate_numpy_array_fn,
    (np.bool_, np.number, np.object_): collate_numpy_scalar_fn,
    float: collate_float_fn,
    int: collate_int_fn,
    str: collate_str_fn,
    bytes: collate_str_fn,
}


def default_collate(batch):
    """Samples into one batch with a new first dimension, at any depth; users may extend the map."""
    return collate(batch, collate_fn_map=default_collate_fn_map)
