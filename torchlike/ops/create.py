"""Making tensors: from data, filled, counted, and like other tensors."""

from __future__ import annotations

import math
import warnings
from typing import Any

import jax.numpy as jnp
import numpy as np

from ..core import dtypes
from ..core.check import unsupported
from ..core.device import CPU, META, device, resolve
from ..core.dispatch import call, set_layout
from ..core.layouts import layout as layout_class
from ..core.layouts import memory_format as format_class
from ..core.layouts import preserve_format, stride_of_format, strided
from ..core.mutate import write_out
from ..core.op import Array, Number, composite, op
from ..core.plan import NUMBERS
from ..core.record import Spec, record
from ..core.storage import aval_of, concrete, host_value, is_dense
from ..core.tape import filled
from ..core.tensor import CONSTRUCT, Tensor, alias_of, from_host, from_shared, to_host, wrap


# ----- arguments every factory has -----
def _kind(name: str, dtype: Any, default: dtypes.dtype | None = None) -> dtypes.dtype:
    if dtype is None:
        return default or dtypes.get_default_dtype()
    found = _PYTHON.get(dtype, dtype) if isinstance(dtype, type) else dtype
    if not isinstance(found, dtypes.dtype):
        raise TypeError(f"{name}(): argument 'dtype' must be torch.dtype, not {type(dtype).__name__}")
    return found


_PYTHON: dict[Any, dtypes.dtype] = {
    bool: dtypes.bool_, int: dtypes.int64, float: dtypes.float64, complex: dtypes.complex128,
}  # fmt: skip


def check_options(name: str, layout: Any, pin_memory: bool, memory_format: Any = None) -> None:
    """Refuse the layouts and formats a factory does not make."""
    if layout is not None and layout is not strided:
        if not isinstance(layout, layout_class):
            raise TypeError(f"{name}(): argument 'layout' must be torch.layout, not {type(layout).__name__}")
        raise unsupported(name, "layout", layout)
    if pin_memory:
        raise RuntimeError("Cannot access accelerator device when none is available.")
    if memory_format is not None and not isinstance(memory_format, format_class):
        raise TypeError(f"{name}(): argument 'memory_format' must be torch.memory_format")


def _sizes(name: str, size: tuple[Any, ...]) -> tuple[int, ...]:
    from .shape import sizes_of

    found = sizes_of(size, name)
    for n in found:
        if n < 0:
            raise RuntimeError(f"{name}: Dimension size must be non-negative.")
    return found


def _finish(t: Tensor, requires_grad: bool) -> Tensor:
    if requires_grad:
        if not (t.is_floating_point() or t.is_complex()):
            raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
        t._requires_grad = True
    return t


# ----- filled -----
@op(name="full", module=None, method=False, promote="none")
def _full(value: Number, size: object, dtype: object):
    return jnp.full(size, value.astype(dtype), dtype)


def full_of(size: tuple[int, ...], number: Any, kind: dtypes.dtype, where: device) -> Tensor:
    """A tensor filled with a number."""
    aval = aval_of(size, kind, where)
    if where is META:
        return wrap(concrete(None, aval))
    if not isinstance(number, complex) and (number == 1 or (number == 0 and not math.copysign(1, number) < 0)):
        return wrap(filled(aval, int(number)))
    spec = _fill_specs.get(aval)
    if spec is None:
        shape, target = tuple(aval.shape), aval.np
        spec = _fill_specs[aval] = Spec(
            "full", (aval,), lambda v: [jnp.full(shape, _cast(v, target), target)],
            lambda: lambda v: [np.full(shape, _cast(v, target), target)], where,
        )  # fmt: skip
    return wrap(record(spec, (number,))[0])


_fill_specs: dict[Any, Spec] = {}


def _cast(v: Any, target: Any) -> Any:
    if np.issubdtype(v.dtype, np.complexfloating) and not np.issubdtype(target, np.complexfloating):
        v = v.real
    return v.astype(target)


def _factory(name: str, number: int) -> Any:
    def function(
        *size: Any, out: Any = None, dtype: Any = None, layout: Any = None, device: Any = None,
        requires_grad: bool = False, pin_memory: bool = False, memory_format: Any = None,
        names: Any = None, **named: Any,
    ) -> Tensor:  # fmt: skip
        check_options(name, layout, pin_memory, memory_format)
        if names is not None:
            raise unsupported(name, "names", names)
        given = (named.pop("size"),) if "size" in named else size
        if named:
            raise TypeError(f"{name}() got an unexpected keyword argument '{next(iter(named))}'")
        sizes = _sizes(name, given)
        kind = _kind(name, dtype, out.dtype if out is not None else None)
        t = full_of(sizes, number, kind, resolve(device) if out is None else out.device)
        if memory_format is not None and memory_format is not preserve_format:
            set_layout(t, stride_of_format(sizes, memory_format))
        return _finish(t, requires_grad) if out is None else write_out(name, out, t)

    function.__name__ = function.__qualname__ = name
    return composite(function, method=False)


zeros = _factory("zeros", 0)
zeros.__doc__ = "A tensor of zeros."
ones = _factory("ones", 1)
ones.__doc__ = "A tensor of ones."
empty = _factory("empty", 0)
empty.__doc__ = "A tensor whose elements are to be written (here they are zero)."


@composite(method=False)
def full(
    size: Any, fill_value: Any, *, out: Any = None, dtype: Any = None, layout: Any = None,
    device: Any = None, requires_grad: bool = False, pin_memory: bool = False, names: Any = None,
) -> Tensor:  # fmt: skip
    """A tensor filled with one number."""
    check_options("full", layout, pin_memory)
    if names is not None:
        raise unsupported("full", "names", names)
    if isinstance(fill_value, Tensor):
        fill_value = fill_value.item()
    if not isinstance(fill_value, NUMBERS):
        raise TypeError(
            f"full(): argument 'fill_value' (position 2) must be Number, not {type(fill_value).__name__}"
        )
    kind = _kind("full", dtype, out.dtype if out is not None else dtypes.of_number(type(fill_value)))
    t = full_of(_sizes("full", (size,)), fill_value, kind, resolve(device))
    return _finish(t, requires_grad) if out is None else write_out("full", out, t)


def _like(name: str, number: int) -> Any:
    def function(
        input: Tensor, *, dtype: Any = None, layout: Any = None, device: Any = None,
        requires_grad: bool = False, pin_memory: bool = False, memory_format: Any = preserve_format,
    ) -> Tensor:  # fmt: skip
        check_options(name, layout, pin_memory, memory_format)
        return _full_like(input, number, _kind(name, dtype, input.dtype), device, requires_grad, memory_format)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"`{name[:-5]}` in another tensor's shape, dtype and device."
    return composite(function, method=False)


def _full_like(
    input: Tensor, number: Any, kind: dtypes.dtype, where: Any, requires_grad: bool, wanted: Any
) -> Tensor:
    if not isinstance(input, Tensor):
        raise TypeError(f"argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
    t = full_of(tuple(input.shape), number, kind, input.device if where is None else resolve(where))
    at = input.geometry()
    if wanted is preserve_format and not at.contiguous and is_dense(at.shape, at.stride):
        set_layout(t, at.stride)
    elif wanted is not preserve_format and wanted is not None:
        set_layout(t, stride_of_format(tuple(t.shape), wanted))
    return _finish(t, requires_grad)


zeros_like = _like("zeros_like", 0)
ones_like = _like("ones_like", 1)
empty_like = _like("empty_like", 0)


@composite(method=False)
def full_like(
    input: Tensor, fill_value: Any, *, dtype: Any = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False, pin_memory: bool = False, memory_format: Any = preserve_format,
) -> Tensor:  # fmt: skip
    """`full` in another tensor's shape, dtype and device."""
    check_options("full_like", layout, pin_memory, memory_format)
    number = fill_value.item() if isinstance(fill_value, Tensor) else fill_value
    return _full_like(input, number, _kind("full_like", dtype, input.dtype), device, requires_grad, memory_format)


def _new_method(name: str, number: int) -> None:
    def function(
        self: Tensor, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False,
        layout: Any = None, pin_memory: bool = False, **named: Any,
    ) -> Tensor:  # fmt: skip
        check_options(name, layout, pin_memory)
        sizes = _sizes(name, (named["size"],) if "size" in named else size)
        where = self.device if device is None else resolve(device)
        return _finish(full_of(sizes, number, _kind(name, dtype, self.dtype), where), requires_grad)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"`{name[4:]}` with this tensor's dtype and device."
    setattr(Tensor, name, function)


for _name, _number in {"new_zeros": 0, "new_ones": 1, "new_empty": 0}.items():
    _new_method(_name, _number)


@composite(module=None, method=True)
def new_full(
    self: Tensor, size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None,
    requires_grad: bool = False, layout: Any = None, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """`full` with this tensor's dtype and device."""
    check_options("new_full", layout, pin_memory)
    where = self.device if device is None else resolve(device)
    kind = _kind("new_full", dtype, self.dtype)
    return _finish(full_of(_sizes("new_full", (size,)), fill_value, kind, where), requires_grad)


@composite(module=None, method=True)
def new_tensor(self: Tensor, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """`tensor` with this tensor's dtype and device."""
    kind = _kind("new_tensor", dtype, self.dtype)
    return tensor(data, dtype=kind, device=device or self.device, requires_grad=requires_grad)


@composite(module=None, method=True)
def new_empty_strided(self: Tensor, size: Any, stride: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """`empty_strided` with this tensor's dtype and device."""
    return empty_strided(size, stride, dtype=dtype or self.dtype, device=device or self.device)


@composite(method=False)
def empty_strided(
    size: Any, stride: Any, *, dtype: Any = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """A tensor with the given strides (here its elements are zero)."""
    check_options("empty_strided", layout, pin_memory)
    size, stride = _sizes("empty_strided", (size,)), _sizes("empty_strided", (stride,))
    kind = _kind("empty_strided", dtype)
    if is_dense(size, stride):
        t = full_of(size, 0, kind, resolve(device))
        set_layout(t, stride)
        return _finish(t, requires_grad)
    extent = 1 + sum((n - 1) * s for n, s in zip(size, stride, strict=True))
    return _finish(full_of((extent,), 0, kind, resolve(device)).as_strided(size, stride), requires_grad)


@composite(method=False)
def empty_permuted(size: Any, physical_layout: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor whose dims lie in memory in the given order."""
    size = _sizes("empty_permuted", (size,))
    inverse = [list(physical_layout).index(i) for i in range(len(size))]
    t = full_of(tuple(size[d] for d in physical_layout), 0, _kind("empty_permuted", dtype), resolve(device))
    return _finish(t.permute(inverse), requires_grad)


# ----- from data -----
@composite(method=False)
def tensor(data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False) -> Tensor:
    """A new tensor with a copy of the data: numbers, nested sequences, arrays, tensors."""
    check_options("tensor", None, pin_memory)
    kind = None if dtype is None else _kind("tensor", dtype)
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
        return _finish(out if device is None else out.to(resolve(device)), requires_grad)
    array = _array_of(data, kind)
    where = resolve(device)
    t = from_host(array) if where is CPU else from_host(array).to(where)
    return _finish(t, requires_grad)


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
    return _finish(t.detach() if not requires_grad else t, requires_grad)  # type: ignore[attr-defined]


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
    return _finish(from_shared(array), requires_grad)


@composite(method=False)
def scalar_tensor(s: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A 0-dim tensor."""
    return tensor(s, dtype=dtype or dtypes.get_default_dtype(), device=device, requires_grad=requires_grad)


# ----- counted -----
@composite(method=False)
def arange(
    start: Any = 0, end: Any = None, step: Any = 1, *, out: Any = None, dtype: Any = None,
    layout: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Numbers from `start` to `end` (not included) in steps."""
    check_options("arange", layout, pin_memory)
    if end is None:
        start, end = 0, start
    start, end, step = (x.item() if isinstance(x, (Tensor, np.generic)) else x for x in (start, end, step))
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if not all(math.isfinite(x) for x in (start, end)):
        raise RuntimeError(f"unsupported range: {start} -> {end}")
    if (step > 0 and start > end) or (step < 0 and start < end):
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    whole = all(isinstance(x, int) for x in (start, end, step))
    default = dtypes.int64 if whole else dtypes.get_default_dtype()
    kind = _kind("arange", dtype, default if out is None else out.dtype)
    count = -((end - start) // -step) if whole else math.ceil((end - start) / step)
    exact = np.int64 if kind.category <= dtypes.INTEGER else np.float64
    base = exact(int(start) if exact is np.int64 else start)
    array = base + np.arange(count, dtype=exact) * exact(int(step) if exact is np.int64 else step)
    return _made("arange", array.astype(dtypes.to_numpy(kind)), out, device, requires_grad)


def _made(name: str, array: np.ndarray, out: Any, where: Any, requires_grad: bool) -> Tensor:
    t = wrap(host_value(array))
    target = resolve(where)
    if target is not CPU:
        t = t.to(target)  # type: ignore[attr-defined]
    return _finish(t, requires_grad) if out is None else write_out(name, out, t)


@composite(method=False, name="range")
def range_of(start: Any = 0, end: Any = None, step: Any = 1, **named: Any) -> Tensor:
    """Numbers from `start` to `end`, included; deprecated in PyTorch."""
    warnings.warn(
        "torch.range is deprecated and will be removed in a future release because its behavior is "
        "inconsistent with Python's range builtin. Instead, use torch.arange, which produces values in "
        "[start, end).",
        UserWarning,
        stacklevel=2,
    )
    count = int((end - start) / step) + 1
    kind = _kind("range", named.pop("dtype", None))
    array = (start + np.arange(count, dtype=np.float64) * step).astype(dtypes.to_numpy(kind))
    return _made("range", array, named.pop("out", None), named.pop("device", None), named.pop("requires_grad", False))


def _steps(name: str, steps: Any) -> int:
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    return int(steps)


@composite(method=False)
def linspace(
    start: Any, end: Any, steps: int, *, out: Any = None, dtype: Any = None, layout: Any = None,
    device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """`steps` numbers from `start` to `end`, both included, evenly spaced."""
    check_options("linspace", layout, pin_memory)
    start, end = (x.item() if isinstance(x, Tensor) else x for x in (start, end))
    n = _steps("linspace", steps)
    complex_ends = isinstance(start, complex) or isinstance(end, complex)
    default = dtypes.get_default_dtype().to_complex() if complex_ends else dtypes.get_default_dtype()
    kind = _kind("linspace", dtype, default if out is None else out.dtype)
    return _made("linspace", _evenly(start, end, n, kind), out, device, requires_grad)


def _evenly(start: Any, end: Any, n: int, kind: dtypes.dtype) -> np.ndarray:
    """PyTorch's order of rounding: from both ends towards the middle, in the tensor's dtype."""
    target = dtypes.to_numpy(kind)
    real = np.dtype(np.float32) if kind in (dtypes.float16, dtypes.bfloat16) else target
    if kind.category <= dtypes.INTEGER:
        real = np.dtype(np.float32)
    if n == 0:
        return np.empty(0, target)
    if n == 1:
        return np.array([start], real).astype(target)
    first, last = np.array(start).astype(real), np.array(end).astype(real)
    step = ((last - first) / real.type(n - 1)).astype(real)
    at = np.arange(n)
    low = first + step * at.astype(real)
    high = last - step * (n - 1 - at).astype(real)
    return np.where(at < n // 2, low, high).astype(target)


@composite(method=False)
def logspace(
    start: Any, end: Any, steps: int, base: float = 10.0, *, out: Any = None, dtype: Any = None,
    layout: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """`steps` numbers from base**start to base**end, evenly spaced in the exponent."""
    check_options("logspace", layout, pin_memory)
    start, end = (x.item() if isinstance(x, Tensor) else x for x in (start, end))
    kind = _kind("logspace", dtype)
    exponents = _evenly(start, end, _steps("logspace", steps), kind if kind.category >= dtypes.FLOAT else dtypes.float64)
    array = np.power(np.float64(base), exponents.astype(np.result_type(exponents, np.float64)))
    return _made("logspace", array.astype(dtypes.to_numpy(kind)), out, device, requires_grad)


@composite(method=False)
def eye(
    n: int, m: int | None = None, *, out: Any = None, dtype: Any = None, layout: Any = None,
    device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Ones on the diagonal, zeros elsewhere."""
    check_options("eye", layout, pin_memory)
    for name, size in (("n", n), ("m", m)):
        if size is not None and size < 0:
            raise RuntimeError(f"{name} must be greater or equal to 0, got {size}")
    kind = _kind("eye", dtype, None if out is None else out.dtype)
    return _made("eye", np.eye(n, m, dtype=dtypes.to_numpy(kind)), out, device, requires_grad)


def _indices(name: str, function: Any) -> None:
    def indices(row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None, layout: Any = None) -> Tensor:
        check_options(name, layout, False)
        kind = _kind(name, dtype, dtypes.int64)
        array = np.stack(function(row, offset, col)).astype(dtypes.to_numpy(kind))
        return _made(name, array, None, device, False)

    indices.__name__ = name
    indices.__doc__ = "Row and column of the elements of a triangle."
    composite(indices, method=False)


_indices("tril_indices", np.tril_indices)
_indices("triu_indices", np.triu_indices)


@op(name="complex", method=False, promote="none")
def complex_of(real: Array, imag: Array):
    if real.dtype != imag.dtype:
        from ..core.dtypes import SCALAR_NAMES
        from ..core.dtypes import from_numpy as kind_of

        raise RuntimeError(
            f"Expected object of scalar type {SCALAR_NAMES[kind_of(real.dtype)]} but got scalar type "
            f"{SCALAR_NAMES[kind_of(imag.dtype)]} for second argument"
        )
    return real + 1j * imag.astype(jnp.result_type(imag.dtype, jnp.complex64))


@complex_of.gradient
def _(grad):
    return grad.real, grad.imag


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
        t = full_of(_sizes("new", args), 0, kind, where)
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
