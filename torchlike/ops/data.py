"""Tensors from data: numbers, nested sequences, NumPy arrays, buffers; `torch.Tensor(…)`."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ..core import dtypes
from ..core.device import CPU, resolve
from ..core.op import composite
from ..core.plan import NUMBERS
from ..core.tensor import CONSTRUCT, Tensor, alias_of, from_host, from_shared, to_host
from .convert import convert
from .create import check_options, finish, full_of, kind_for, sizes_for


# ----- from data -----
@composite(method=False)
def tensor(data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False) -> Tensor:
    """A new tensor with a copy of the data: numbers, nested sequences, arrays, tensors."""
    check_options("tensor", None, pin_memory)
    kind = None if dtype is None else kind_for("tensor", dtype)
    if isinstance(data, Tensor):
        warnings.warn(
            "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
            "sourceTensor.detach().clone().requires_grad_(True), rather than "
            "torch.tensor(sourceTensor).",
            UserWarning,
            stacklevel=2,
        )
        out = alias_of(data).clone()  # type: ignore[attr-defined]
        out = out if kind is None else out.to(kind)
        return finish(out if device is None else out.to(resolve(device)), requires_grad)
    array = _array_of(data, kind)
    where = resolve(device)
    t = from_host(array) if where is CPU else from_host(array).to(where)
    return finish(t, requires_grad)


def _array_of(data: Any, kind: dtypes.dtype | None) -> np.ndarray:
    if isinstance(data, (np.ndarray, np.generic)) or hasattr(data, "__array_interface__"):
        array = np.array(data)
        dtypes.from_numpy(array.dtype)
        return array if kind is None else _as_kind(array, kind)
    shape = _nested_shape(data)
    flat: list[Any] = []
    _flatten(data, shape, 0, flat)
    return _from_flat(flat, shape, kind)


def _as_kind(array: np.ndarray, kind: dtypes.dtype) -> np.ndarray:
    from .convert import convert

    if array.dtype == kind.np:
        return array
    return np.array(to_host(convert(from_host(array), kind)))


def _is_sequence(x: Any) -> bool:
    if isinstance(x, (list, tuple, range)):
        return True
    if isinstance(x, (Tensor, np.ndarray)):
        return x.ndim > 0
    return hasattr(x, "__len__") and hasattr(x, "__getitem__") and not isinstance(x, (str, bytes, dict, np.generic))


def _nested_shape(data: Any) -> tuple[int, ...]:
    shape = []
    while _is_sequence(data):
        if isinstance(data, (Tensor, np.ndarray)):
            return (*shape, *data.shape)
        shape.append(len(data))
        if not len(data):
            break
        data = data[0]
    if not isinstance(data, (*NUMBERS, Tensor, list, tuple)) and not _is_sequence(data):
        if isinstance(data, str):
            raise TypeError("new(): invalid data type 'str'")
        if data is None:
            raise RuntimeError("Could not infer dtype of NoneType")
        raise RuntimeError(f"Could not infer dtype of {type(data).__name__}")
    return tuple(shape)


def _flatten(data: Any, shape: tuple[int, ...], depth: int, out: list[Any]) -> None:
    if isinstance(data, (Tensor, np.ndarray)):
        array = to_host(data) if isinstance(data, Tensor) else data
        if array.shape != shape[depth:]:
            raise ValueError(
                "only one element tensors can be converted to Python scalars"
                if depth == len(shape)
                else f"expected sequence of length {shape[depth]} at dim {depth} (got {len(array)})"
            )
        out += list(array.ravel())
        return
    if depth == len(shape):
        if _is_sequence(data):
            raise TypeError(f"must be real number, not {type(data).__name__}")
        if not isinstance(data, NUMBERS):
            raise TypeError(f"new(): invalid data type '{type(data).__name__}'")
        out.append(data)
        return
    if not _is_sequence(data):
        raise TypeError("not a sequence")
    if len(data) != shape[depth]:
        raise ValueError(f"expected sequence of length {shape[depth]} at dim {depth} (got {len(data)})")
    for item in data:
        _flatten(item, shape, depth + 1, out)


def _from_flat(flat: list[Any], shape: tuple[int, ...], kind: dtypes.dtype | None) -> np.ndarray:
    if kind is None:
        kind = _inferred(flat)
    target = dtypes.to_numpy(kind)
    if kind.category == dtypes.INTEGER:
        flat = [_checked_int(x, kind) for x in flat]
    elif kind is dtypes.bool_:
        flat = [bool(x) for x in flat]
    elif kind.category == dtypes.FLOAT and any(isinstance(x, (complex, np.complexfloating)) for x in flat):
        raise TypeError("can't convert complex to float")
    source = np.float64 if kind.category == dtypes.FLOAT else target
    return np.array(flat, source).astype(target).reshape(shape)


def _checked_int(x: Any, kind: dtypes.dtype) -> int:
    if isinstance(x, (complex, np.complexfloating)):
        raise TypeError("'complex' object cannot be interpreted as an integer")
    n = int(x)
    info = np.iinfo(dtypes.to_numpy(kind))
    if not -(1 << 63) <= n < 1 << 64 or (kind is dtypes.int64 and n >= 1 << 63):
        raise RuntimeError("Overflow when unpacking long long")
    if not info.min <= n <= info.max:
        if kind.itemsize < 8 and -(info.max + 1) <= n <= info.max:
            return n % (info.max + 1)
        raise RuntimeError(f"value cannot be converted to type {dtypes.C_NAMES.get(kind, kind.name)} without overflow")
    return n


def _inferred(flat: list[Any]) -> dtypes.dtype:
    best: dtypes.dtype | None = None
    for x in flat:
        kind = dtypes.from_numpy(x.dtype) if isinstance(x, np.generic) else dtypes.of_number(type(x))
        best = kind if best is None else best if best is kind else dtypes.promote_types(best, kind)
    return best or dtypes.get_default_dtype()


@composite(method=False)
def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """The data as a tensor, sharing memory where possible."""
    if isinstance(data, Tensor):
        return data.to(device=device, dtype=dtype)  # type: ignore[attr-defined]
    if isinstance(data, np.ndarray) and data.dtype.kind in "biufc":
        t = from_numpy(data)
        return t.to(device=device, dtype=dtype)  # type: ignore[attr-defined]
    return tensor(data, dtype=dtype, device=device)


@composite(method=False)
def asarray(
    obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None, requires_grad: bool = False
) -> Tensor:
    """The object as a tensor; `copy` forces or forbids new memory."""
    t = as_tensor(obj, dtype=dtype, device=device)
    if copy and (t is obj or isinstance(obj, np.ndarray)):
        t = t.clone()  # type: ignore[attr-defined]
    if copy is False and t is not obj and not isinstance(obj, np.ndarray):
        raise ValueError("can't alias arbitrary sequence into a tensor.")
    return finish(t.detach() if not requires_grad else t, requires_grad)  # type: ignore[attr-defined]


@composite(method=False)
def from_numpy(ndarray: Any) -> Tensor:
    """A tensor over a NumPy array's memory: a write on either side shows on both."""
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray).__name__})")
    dtypes.from_numpy(ndarray.dtype)
    if any(s < 0 for s in ndarray.strides):
        raise ValueError(
            "At least one stride in the given numpy array is negative, and tensors with negative "
            "strides are not currently supported. (You can probably work around this by making a copy "
            "of your array  with array.copy().) "
        )
    if not ndarray.dtype.isnative:
        raise ValueError(
            "given numpy array has byte order different from the native byte order. Conversion between "
            "byte orders is currently not supported."
        )
    if any(s % ndarray.itemsize for s in ndarray.strides):
        raise ValueError(
            "given numpy array strides not a multiple of the element byte size. Copy the numpy array to "
            "reallocate the memory."
        )
    if not ndarray.flags.writeable:
        warnings.warn(_READ_ONLY, UserWarning, stacklevel=2)
    return from_shared(ndarray)


_READ_ONLY = (
    "The given NumPy array is not writable, and PyTorch does not support non-writable tensors. This "
    "means writing to this tensor will result in undefined behavior. You may want to copy the array to "
    "protect its data or make it writable before converting it to a tensor. This type of warning will "
    "be suppressed for the rest of this program. (Triggered internally at "
    "/pytorch/torch/csrc/utils/tensor_numpy.cpp:219.)"
)


@composite(method=False)
def frombuffer(buffer: Any, *, dtype: dtypes.dtype, count: int = -1, offset: int = 0, requires_grad: bool = False) -> Tensor:
    """A tensor over a buffer's memory."""
    array = np.frombuffer(buffer, dtypes.to_numpy(dtype), count, offset)
    return finish(from_shared(array), requires_grad)


@composite(method=False)
def scalar_tensor(s: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A 0-dim tensor."""
    return tensor(s, dtype=dtype or dtypes.get_default_dtype(), device=device, requires_grad=requires_grad)


@composite(module=None, method=True)
def new_tensor(self: Tensor, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """`tensor` with this tensor's dtype and device."""
    kind = kind_for("new_tensor", dtype, self.dtype)
    return tensor(data, dtype=kind, device=device or self.device, requires_grad=requires_grad)


# ----- torch.Tensor(...) -----
def construct(cls: type, *args: Any, **named: Any) -> Tensor:
    """`torch.Tensor(2, 3)`, `torch.Tensor([1, 2])`, `torch.Tensor()`: the legacy constructor."""
    where = resolve(named.pop("device", None))
    data = named.pop("data", None)
    if data is not None:
        args = (data,)
    if len(args) == 1 and isinstance(args[0], Tensor):
        t = alias_of(args[0], cls)
        return t
    kind = dtypes.get_default_dtype()
    if len(args) == 1 and isinstance(args[0], (list, tuple, np.ndarray)) and not hasattr(args[0], "numel"):
        t = tensor(args[0], dtype=kind, device=where)
    else:
        t = full_of(sizes_for("new", args), 0, kind, where)
    t.__class__ = cls
    return t


CONSTRUCT.append(construct)


def _legacy(name: str, kind: dtypes.dtype) -> type:
    """`torch.FloatTensor` and its like: constructors that `isinstance` understands."""

    class Meta(type):
        def __instancecheck__(cls, x: Any) -> bool:
            return isinstance(x, Tensor) and x.dtype is kind

        def __call__(cls, *args: Any, **named: Any) -> Tensor:
            t = construct(Tensor, *args, **named)
            return t.to(kind)  # type: ignore[attr-defined]

    return Meta(name, (), {"dtype": kind, "is_cuda": False, "__module__": "torch"})


LEGACY = {d.legacy: _legacy(d.legacy, d) for d in dtypes.ALL if d.legacy and d.np is not None}
__all__ = ["LEGACY", "call", "full_of"]
