"""Tensors from data: numbers, nested sequences, NumPy arrays, buffers; `torch.Tensor(…)`."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from ..core import capture, dtypes
from ..core.check import invalid_call, spelt, warn
from ..core.device import CPU, count, resolve
from ..core.dtypes import SCALAR_NAMES
from ..core.op import composite
from ..core.parameter import alias_of
from ..core.plan import NUMBERS
from ..core.storage import Size
from ..core.tensor import CONSTRUCT, Tensor, from_host, from_shared
from .convert import convert
from .create import check_options, finish, full_of, kind_for, sizes_for
from .index_parse import TENSOR

_MISSING = object()


# ----- from data -----
@composite(method=False)
def tensor(
    data: Any = _MISSING, *, dtype: Any = None, device: Any = None, requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """A new tensor with a copy of the data: numbers, nested sequences, arrays, tensors."""
    check_options("tensor", None, pin_memory, None, requires_grad)
    kind = None if dtype is None else kind_for("tensor", dtype)
    if isinstance(data, Tensor):
        warn(_COPY_CONSTRUCT, UserWarning)
        out = alias_of(data).clone()  # type: ignore[attr-defined]
        out = out if kind is None else out.to(kind)
        return finish(out if device is None else out.to(resolve(device)), requires_grad)
    if isinstance(data, (str, bytes)):
        raise TypeError(f"new(): invalid data type '{spelt(data)}'")
    if data is _MISSING:
        raise TypeError('tensor() missing 1 required positional arguments: "data"')
    if isinstance(data, jax.Array):
        data = np.asarray(data)
    where = resolve(device)
    t = _of_array(data, kind) if hasattr(data, "__array_interface__") else None
    if t is None:
        t = from_host(_array_of(data, kind))
    return finish(t if where is CPU else t.to(where), requires_grad)  # type: ignore[attr-defined]


TENSOR.append(tensor)
_COPY_CONSTRUCT = (
    "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
    "sourceTensor.detach().clone().requires_grad_(True), rather than torch.tensor(sourceTensor)."
)
_SLOW_LIST = (
    "Creating a tensor from a list of numpy.ndarrays is extremely slow. Please consider converting "
    "the list to a single numpy.ndarray with numpy.array() before converting to a tensor. "
    "(Triggered internally at /pytorch/torch/csrc/utils/tensor_new.cpp:252.)"
)


def _of_array(data: Any, kind: dtypes.dtype | None) -> Tensor:
    """A copy of a NumPy array or number, in the array's order of dims."""
    if isinstance(data, np.ndarray):
        _note_numpy()
        check_array(data)
    array = np.array(data, order="K")
    own = dtypes.from_numpy(array.dtype)
    t = from_shared(array) if array.ndim > 1 and not array.flags.c_contiguous else from_host(array)
    t = t.clone() if t._view is not None else t  # type: ignore[attr-defined]
    return t if kind is None or kind is own else convert(t, kind)


def _array_of(data: Any, kind: dtypes.dtype | None) -> np.ndarray:
    shape = _nested_shape(data)
    flat: list[Any] = []
    try:
        _flatten(data, shape, 0, flat)
    except (TypeError, ValueError):
        if kind is None:
            _inferred([data])  # an element of no dtype is what PyTorch sees first
        raise
    return _from_flat(flat, shape, kind)


def _is_sequence(x: Any) -> bool:
    if isinstance(x, (list, tuple, range)):
        return True
    if isinstance(x, (Tensor, str, bytes, dict, np.generic)):
        return False
    if isinstance(x, np.ndarray):
        return x.ndim > 0
    return hasattr(x, "__len__") and hasattr(x, "__getitem__")


def _nested_shape(data: Any) -> tuple[int, ...]:
    shape = []
    while _is_sequence(data):
        if isinstance(data, np.ndarray):
            _note_numpy()
            warn(_SLOW_LIST, UserWarning)
            return (*shape, *data.shape)
        shape.append(len(data))
        if not len(data):
            break
        data = data[0]
    if isinstance(data, str):
        raise ValueError("too many dimensions 'str'")
    return tuple(shape)


def _flatten(data: Any, shape: tuple[int, ...], depth: int, out: list[Any]) -> None:
    if depth == len(shape):
        out.append(data)
        return
    if not shape[depth]:
        return
    if not _is_sequence(data):
        raise TypeError("not a sequence")
    if len(data) != shape[depth]:
        raise ValueError(
            f"expected sequence of length {shape[depth]} at dim {depth} (got {len(data)})"
        )
    if depth == len(shape) - 1:
        out.extend(data)
        return
    for item in data:
        _flatten(item, shape, depth + 1, out)


def _from_flat(flat: list[Any], shape: tuple[int, ...], kind: dtypes.dtype | None) -> np.ndarray:
    kind = _inferred(flat) if kind is None else kind
    target = dtypes.to_numpy(kind)
    convert_one = _AS_NUMBER[kind.category]
    flat = [x if x.__class__ is convert_one else _number(x, kind, convert_one) for x in flat]
    if kind.category == dtypes.INTEGER:
        flat = [_checked_int(x, kind) for x in flat]
    source = np.float64 if kind.category == dtypes.FLOAT else target
    with np.errstate(over="ignore"):
        return np.array(flat, source).astype(target).reshape(shape)


_AS_NUMBER: dict[int, Any] = {
    dtypes.BOOL: bool, dtypes.INTEGER: int, dtypes.FLOAT: float, dtypes.COMPLEX: complex,
}  # fmt: skip


def _number(x: Any, kind: dtypes.dtype, made: Any) -> Any:
    """An element as a Python number of the dtype's kind; errors as Python's C API gives them."""
    if isinstance(x, Tensor):
        whole = kind.category <= dtypes.INTEGER and x.numel() != 1
        x = x.__index__() if whole else x._scalar()  # the first says that there are too many
    if isinstance(x, np.ndarray) and x.ndim == 0:
        x = x.item()
    if kind.category == dtypes.INTEGER:
        if isinstance(x, NUMBERS) and not isinstance(x, (complex, np.complexfloating)):
            if isinstance(x, (float, np.floating)):
                dtypes.check_number(x, kind, kind.name)
            return int(x)
        raise TypeError(f"'{type(x).__name__}' object cannot be interpreted as an integer")
    if kind.category == dtypes.BOOL:
        return bool(x)
    if not isinstance(x, NUMBERS) or (made is float and isinstance(x, complex)):
        raise TypeError(f"must be real number, not {type(x).__name__}")
    return made(x)  # type: ignore[arg-type]


def _checked_int(n: int, kind: dtypes.dtype) -> int:
    if not -(1 << 63) <= n < 1 << (64 if kind is dtypes.uint64 else 63):
        raise ValueError("Overflow when unpacking long long")
    dtypes.check_number(n, kind, kind.name)
    return n if n >= 0 or kind.is_signed else n % (1 << 8 * kind.itemsize)


def _inferred(flat: Any) -> dtypes.dtype:
    best: dtypes.dtype | None = None
    seen: set[Any] = set()
    for x in flat:
        if x.__class__ in seen:
            continue
        kind = _kind_of(x)
        if isinstance(x, (bool, int, float, complex)):
            seen.add(x.__class__)
        best = kind if best is None else best if best is kind else dtypes.promote_types(best, kind)
    return best or dtypes.get_default_dtype()


def _kind_of(x: Any) -> dtypes.dtype:
    if isinstance(x, Tensor):
        return x.dtype
    if isinstance(x, (np.generic, np.ndarray)):
        return dtypes.from_numpy(x.dtype)
    if isinstance(x, NUMBERS):
        return dtypes.of_number(type(x))
    if isinstance(x, (str, bytes)):
        raise TypeError(f"new(): invalid data type '{spelt(x)}'")
    if _is_sequence(x):
        return _inferred(x)
    raise RuntimeError(f"Could not infer dtype of {spelt(x)}")


@composite(method=False)
def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """The data as a tensor, sharing memory where possible."""
    if isinstance(data, Tensor):
        return data.to(device=device, dtype=dtype)  # type: ignore[attr-defined]
    if isinstance(data, np.ndarray) and data.dtype.kind in "biufc":
        t = from_numpy(data)
        return t.to(device=device, dtype=dtype)  # type: ignore[attr-defined]
    return tensor(data, dtype=dtype, device=device)


ASARRAY_GRAD = (
    "torch.asarray: unspecified requires_grad now defaults to obj.requires_grad instead of False. "
    "Pass requires_grad=False explicitly to get the old behavior and silence this warning. "
    "(Triggered internally at /pytorch/torch/csrc/utils/tensor_new.cpp:1737.)"
)


@composite(method=False)
def asarray(
    obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None,
    requires_grad: bool | None = None,
) -> Tensor:  # fmt: skip
    """The object as a tensor; `copy` forces or forbids new memory.

    A tensor keeps its history unless `requires_grad=False`.
    """
    t: Any = as_tensor(obj, dtype=dtype, device=device)
    if copy and (t is obj or isinstance(obj, np.ndarray)):
        t = t.clone()
    if copy is False and t is not obj and not isinstance(obj, np.ndarray):
        if isinstance(obj, Tensor):
            raise ValueError(
                f"can't alias tensor with dtype '{SCALAR_NAMES[obj.dtype]}' into dtype "
                f"'{SCALAR_NAMES[t.dtype]}'."
            )
        raise ValueError("can't alias arbitrary sequence into a tensor.")
    if requires_grad is None and isinstance(obj, Tensor) and obj.requires_grad:
        warn(ASARRAY_GRAD)
    if requires_grad and not t.requires_grad:
        return t.requires_grad_(True)
    if requires_grad is False and t.requires_grad:
        return t.requires_grad_(False) if t.is_leaf else t.detach()
    return t


def check_array(ndarray: np.ndarray) -> None:
    """TypeError or ValueError for an array that PyTorch does not take."""
    dtypes.from_numpy(ndarray.dtype)
    if any(s < 0 for s in ndarray.strides):
        raise ValueError(
            "At least one stride in the given numpy array is negative, and tensors with negative "
            "strides are not currently supported. (You can probably work around this by making a "
            "copy "
            "of your array  with array.copy().) "
        )
    if not ndarray.dtype.isnative:
        raise ValueError(
            "given numpy array has byte order different from the native byte order. Conversion "
            "between "
            "byte orders is currently not supported."
        )


@composite(method=False)
def from_numpy(ndarray: Any) -> Tensor:
    """A tensor over a NumPy array's memory: a write on either side shows on both."""
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {spelt(ndarray)})")
    check_array(ndarray)
    if any(s % ndarray.itemsize for s in ndarray.strides):
        raise ValueError(
            "given numpy array strides not a multiple of the element byte size. Copy the numpy "
            "array to "
            "reallocate the memory."
        )
    if not ndarray.flags.writeable:
        warn(_READ_ONLY, UserWarning)
    _note_numpy()
    return from_shared(ndarray)


def _note_numpy() -> None:
    """A step captured by torchlike.jit must see an array's numbers anew at each call."""
    step = capture.current()
    if step is not None:
        step.reason = step.reason or f"numbers from NumPy at {capture.where()}"


_READ_ONLY = (
    "The given NumPy array is not writable, and PyTorch does not support non-writable tensors. "
    "This "
    "means writing to this tensor will result in undefined behavior. You may want to copy the "
    "array "
    "to protect its data or make it writable before converting it to a tensor. This type of "
    "warning "
    "will be suppressed for the rest of this program. (Triggered internally at "
    "/pytorch/torch/csrc/utils/tensor_numpy.cpp:219.)"
)
_READ_ONLY_BUFFER = (
    "The given buffer is not writable, and PyTorch does not support non-writable tensors. This "
    "means "
    "you can write to the underlying (supposedly non-writable) buffer using the tensor. You may "
    "want "
    "to copy the buffer to protect its data or make it writable before converting it to a tensor. "
    "This type of warning will be suppressed for the rest of this program. (Triggered internally "
    "at "
    "/pytorch/torch/csrc/utils/tensor_new.cpp:1586.)"
)


@composite(method=False)
def frombuffer(
    buffer: Any, *, dtype: dtypes.dtype, count: int = -1, offset: int = 0,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """A tensor over a buffer's memory."""
    try:
        memory = memoryview(buffer)
    except TypeError:
        raise ValueError("object does not implement Python buffer protocol.") from None
    _check_buffer(memory.nbytes, dtype.itemsize, count, offset)
    if memory.readonly:
        warn(_READ_ONLY_BUFFER, UserWarning)
    array = np.frombuffer(buffer, dtypes.to_numpy(dtype), count, offset)
    return finish(from_shared(array), requires_grad)


def _check_buffer(nbytes: int, item: int, count: int, offset: int) -> None:
    if nbytes == 0 or count == 0:
        raise ValueError(f"both buffer length ({nbytes}) and count ({count}) must not be 0")
    if not 0 <= offset < nbytes:
        raise ValueError(
            f"offset ({offset} bytes) must be non-negative and no greater than buffer length "
            f"({nbytes} bytes) minus 1"
        )
    if count < 0:
        if (nbytes - offset) % item:
            raise ValueError(
                f"buffer length ({nbytes} bytes) after offset ({offset} bytes) must be a multiple "
                f"of element size ({item})"
            )
    elif offset + count * item > nbytes:
        raise ValueError(
            f"requested buffer length ({count} * {item} bytes) after offset ({offset} bytes) must "
            f"not be greater than actual buffer length ({nbytes} bytes)"
        )


@composite(method=False)
def scalar_tensor(
    s: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """A 0-dim tensor."""
    kind = dtype or dtypes.get_default_dtype()
    return tensor(s, dtype=kind, device=device, requires_grad=requires_grad)


@composite(module=None, method=True)
def new_tensor(
    self: Tensor, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """`tensor` with this tensor's dtype and device."""
    kind = kind_for("new_tensor", dtype, self.dtype)
    return tensor(data, dtype=kind, device=device or self.device, requires_grad=requires_grad)


# ----- torch.Tensor(...) -----
def construct(cls: type, *args: Any, **named: Any) -> Tensor:
    """`torch.Tensor(2, 3)`, `torch.Tensor([1, 2])`, `torch.Tensor()`: the legacy constructor."""
    return _constructed(cls, None, args, named)


def _constructed(
    cls: type, kind: dtypes.dtype | None, args: tuple[Any, ...], named: dict[str, Any]
) -> Tensor:
    where, given = named.pop("device", None), args
    for other in named:
        if other != "data" or args:
            raise invalid_call("new", given, named, _NEW_FORMS)
    args = (named["data"],) if named else args
    if len(args) == 1 and isinstance(args[0], Tensor) and (args[0].ndim or kind is None):
        if kind is not None and args[0].dtype is not kind:
            raise TypeError(_other_options(kind, args[0].dtype))
        return alias_of(args[0], cls)
    t = _from_arguments(kind or dtypes.get_default_dtype(), resolve(where), args)
    t.__class__ = cls
    return t


def _from_arguments(kind: dtypes.dtype, where: Any, args: tuple[Any, ...]) -> Tensor:
    """A tensor of the given sizes, or of the elements of the one sequence."""
    first: Any = args[0] if args else 0
    if not args:
        return full_of((0,), 0, kind, where)
    if len(args) == 1 and hasattr(first, "untyped"):
        return tensor(first.tolist(), dtype=kind, device=where)
    if len(args) == 1 and (isinstance(first, Size) or not _is_sequence(first)):
        if isinstance(first, (str, bytes)):
            raise TypeError(f"new(): invalid data type '{spelt(first)}'")
        if isinstance(first, bool) or not hasattr(first, "__index__"):
            if not isinstance(first, Size):
                raise TypeError(f"new(): data must be a sequence (got {type(first).__name__})")
    elif _is_sequence(first):
        if len(args) > 1:
            raise invalid_call("new", args, {}, _NEW_FORMS)
        return tensor(first, dtype=kind, device=where)
    return full_of(sizes_for("new", args), 0, kind, where)


_NEW_FORMS = (
    "*, torch.device device = None", "torch.Storage storage", "Tensor other",
    "tuple of ints size, *, torch.device device = None",
    "object data, *, torch.device device = None",
)  # fmt: skip


def _other_options(want: dtypes.dtype, got: dtypes.dtype) -> str:
    def text(kind: dtypes.dtype) -> str:
        name = dtypes.C_NAMES.get(kind, kind.name)
        return (
            f"TensorOptions(dtype={name}, device=cpu, layout=Strided, requires_grad=false "
            "(default), pinned_memory=false (default), memory_format=(nullopt))"
        )

    return f"expected {text(want)} (got {text(got)})"


CONSTRUCT.append(construct)


@composite(module=None, method=True)
def new(self: Tensor, *args: Any, **named: Any) -> Tensor:
    """The legacy constructor, with this tensor's dtype and device."""
    named.setdefault("device", self.device)
    return _constructed(Tensor, self.dtype, args, named)


def _legacy(kind: dtypes.dtype, where: str) -> type:
    """`torch.FloatTensor` and its like: constructors that `isinstance` understands."""
    module = "torch" if where == "cpu" else f"torch.{where}"

    class Meta(type):
        def __instancecheck__(cls, x: Any) -> bool:
            return isinstance(x, Tensor) and x.dtype is kind and x.device.type == where

        def __call__(cls, *args: Any, **named: Any) -> Tensor:
            if where != "cpu":
                check_legacy(cls)
                named.setdefault("device", where)
            return _constructed(Tensor, kind, args, named)

    named = {"dtype": kind, "is_cuda": where == "cuda", "__module__": module}
    return Meta(kind.legacy, (), named)


def check_legacy(kind: Any) -> None:
    """PyTorch's error for a legacy type of a device that is not there."""
    if kind.is_cuda and not count("cuda"):
        raise TypeError(
            f"type torch.cuda.{kind.__name__} not available. Torch not compiled with CUDA enabled."
        )


_KINDS = [d for d in dtypes.ALL if d.legacy and d.np is not None]
LEGACY = {d.legacy: _legacy(d, "cpu") for d in _KINDS}
LEGACY_CUDA = {d.legacy: _legacy(d, "cuda") for d in _KINDS if not d.is_complex}
__all__ = ["LEGACY"]
