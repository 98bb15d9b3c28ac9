"""Making tensors: filled with a number, counted, and like other tensors."""

from __future__ import annotations

import math
import warnings
from typing import Any

import jax.numpy as jnp
import numpy as np

from ..core import dtypes
from ..core.check import FLOAT_GRAD_ONLY, sizes_of, unsupported
from ..core.device import CPU, META, device, resolve
from ..core.dispatch import set_layout
from ..core.layouts import layout as layout_class
from ..core.layouts import memory_format as format_class
from ..core.layouts import preserve_format, stride_of_format, strided
from ..core.mutate import write_out
from ..core.op import composite
from ..core.plan import NUMBERS
from ..core.record import Spec, record
from ..core.storage import aval_of, concrete, host_value, is_dense
from ..core.tape import filled
from ..core.tensor import Tensor, wrap


# ----- arguments every factory has -----
def kind_for(name: str, dtype: Any, default: dtypes.dtype | None = None) -> dtypes.dtype:
    """The dtype of a `dtype=` argument: Python's classes count too."""
    if dtype is None:
        return default or dtypes.get_default_dtype()
    found = _PYTHON.get(dtype, dtype) if isinstance(dtype, type) else dtype
    if not isinstance(found, dtypes.dtype):
        kind = type(dtype).__name__
        raise TypeError(f"{name}(): argument 'dtype' must be torch.dtype, not {kind}")
    return found


_PYTHON: dict[Any, dtypes.dtype] = {
    bool: dtypes.bool_, int: dtypes.int64, float: dtypes.float64, complex: dtypes.complex128,
}  # fmt: skip


def check_options(
    name: str, layout: Any, pin_memory: bool, memory_format: Any = None, requires_grad: Any = False
) -> None:
    """Refuse the layouts and formats a factory does not make, and flags that are no flags."""
    if requires_grad is not False and requires_grad is not True:
        kind = type(requires_grad).__name__
        raise TypeError(f"{name}(): argument 'requires_grad' must be bool, not {kind}")
    if layout is not None and layout is not strided:
        if not isinstance(layout, layout_class):
            kind = type(layout).__name__
            raise TypeError(f"{name}(): argument 'layout' must be torch.layout, not {kind}")
        raise unsupported(name, "layout", layout)
    if pin_memory:
        raise RuntimeError("Cannot access accelerator device when none is available.")
    if memory_format is not None and not isinstance(memory_format, format_class):
        raise TypeError(f"{name}(): argument 'memory_format' must be torch.memory_format")


def sizes_for(name: str, size: tuple[Any, ...]) -> tuple[int, ...]:
    """The sizes of a new tensor, none negative."""
    found = sizes_of(size, name)
    for n in found:
        if n < 0:
            raise RuntimeError(
                "zeros: Dimension size must be non-negative."
                if name == "zeros"
                else f"Trying to create tensor with negative dimension {n}: {list(found)}"
            )
    return found


def finish(t: Tensor, requires_grad: bool) -> Tensor:
    """The new tensor, marked to require grad if asked."""
    if requires_grad:
        if not (t.is_floating_point() or t.is_complex()):
            raise RuntimeError(FLOAT_GRAD_ONLY)
        t._requires_grad = True
    return t


def fill_number(name: str, value: Any) -> Any:
    """A `fill_value` argument as a Python number."""
    if isinstance(value, Tensor) and value.ndim == 0:
        value = value.item()
    if not isinstance(value, NUMBERS):
        kind = type(value).__name__
        raise TypeError(f"{name}(): argument 'fill_value' (position 2) must be Number, not {kind}")
    return value


# ----- filled -----
def full_of(size: tuple[int, ...], number: Any, kind: dtypes.dtype, where: device) -> Tensor:
    """A tensor filled with a number."""
    aval = aval_of(size, kind, where)
    if where is META:
        return wrap(concrete(None, aval))
    if not isinstance(number, complex) and _is_bit(number):
        return wrap(filled(aval, int(number)))
    dtypes.check_number(number, kind)
    spec = _fill_specs.get(aval)
    if spec is None:
        shape, target = tuple(aval.shape), aval.np
        spec = _fill_specs[aval] = Spec(
            "full", (aval,), lambda v: [jnp.full(shape, _cast(v, target), target)],
            lambda: lambda v: [np.full(shape, _cast(v, target), target)], where,
        )  # fmt: skip
    return wrap(record(spec, (number,))[0])


_fill_specs: dict[Any, Spec] = {}


def _is_bit(number: Any) -> bool:
    return number == 1 or (number == 0 and not math.copysign(1, number) < 0)


def _cast(v: Any, target: Any) -> Any:
    if np.issubdtype(v.dtype, np.complexfloating) and not np.issubdtype(target, np.complexfloating):
        v = v.real
    return v.astype(target)


def _factory(name: str, number: int) -> Any:
    def function(
        *args: Any, out: Any = None, dtype: Any = None, layout: Any = None, device: Any = None,
        requires_grad: bool = False, pin_memory: bool = False, **named: Any,
    ) -> Tensor:  # fmt: skip
        size, wanted = _named_size(name, args, named)
        check_options(name, layout, pin_memory, wanted, requires_grad)
        sizes = sizes_for(name, size)
        kind = kind_for(name, dtype, None if out is None else out.dtype)
        if out is not None:
            _check_out_dtype(kind, out)
        t = full_of(sizes, number, kind, resolve(device) if out is None else out.device)
        if wanted is not None and wanted is not preserve_format:
            set_layout(t, stride_of_format(sizes, wanted))
        return finish(t, requires_grad) if out is None else write_out(name, out, t)

    function.__name__ = function.__qualname__ = name
    return composite(function, method=False)


def _named_size(name: str, args: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, Any]:
    """`size`, by position or by name, and `empty`'s `memory_format`."""
    wanted = named.pop("memory_format", None) if name == "empty" else None
    if named.get("names", 0) is None:
        del named["names"]
    if not named:
        if not args:
            raise TypeError(f'{name}() missing 1 required positional arguments: "size"')
        return args, wanted
    if "size" in named and args:
        raise TypeError(f"{name}() got multiple values for argument 'size'")
    for other in named:
        if other != "size":
            raise TypeError(f"{name}() got an unexpected keyword argument '{other}'")
    size = named["size"]
    if not isinstance(size, (tuple, list, int)):
        kind = type(size).__name__
        raise TypeError(f"{name}(): argument 'size' must be tuple of ints, not {kind}")
    return (size,), wanted


def _check_out_dtype(kind: dtypes.dtype, out: Tensor) -> None:
    if kind is not out.dtype:
        names = dtypes.SCALAR_NAMES
        raise RuntimeError(
            f"dtype {names[kind]} does not match dtype of out parameter ({names[out.dtype]})"
        )


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
    check_options("full", layout, pin_memory, None, requires_grad)
    if names is not None:
        raise unsupported("full", "names", names)
    if isinstance(size, int):
        raise TypeError("full(): argument 'size' (position 1) must be tuple of ints, not int")
    number = fill_number("full", fill_value)
    default = out.dtype if out is not None else dtypes.of_number(type(number))
    t = full_of(sizes_for("full", (size,)), number, kind_for("full", dtype, default), resolve(device))
    return finish(t, requires_grad) if out is None else write_out("full", out, t)


def _like(name: str, number: int) -> Any:
    def function(
        input: Tensor, *, dtype: Any = None, layout: Any = None, device: Any = None,
        requires_grad: bool = False, pin_memory: bool = False, memory_format: Any = preserve_format,
    ) -> Tensor:  # fmt: skip
        check_options(name, layout, pin_memory, memory_format, requires_grad)
        kind = kind_for(name, dtype, _tensor(name, input).dtype)
        return _full_like(input, number, kind, device, requires_grad, memory_format)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"`{name[:-5]}` in another tensor's shape, dtype and device."
    return composite(function, method=False)


def _tensor(name: str, input: Any) -> Tensor:
    if not isinstance(input, Tensor):
        kind = type(input).__name__
        raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {kind}")
    return input


def _full_like(
    input: Tensor, number: Any, kind: dtypes.dtype, where: Any, requires_grad: bool, wanted: Any
) -> Tensor:
    place = input.device if where is None else resolve(where)
    t = full_of(tuple(input.shape), number, kind, place)
    at = input.geometry()
    if wanted is preserve_format and not at.contiguous and is_dense(at.shape, at.stride):
        set_layout(t, at.stride)
    elif wanted is not preserve_format and wanted is not None:
        set_layout(t, stride_of_format(tuple(t.shape), wanted))
    return finish(t, requires_grad)


zeros_like = _like("zeros_like", 0)
ones_like = _like("ones_like", 1)
empty_like = _like("empty_like", 0)


@composite(method=False)
def full_like(
    input: Tensor, fill_value: Any, *, dtype: Any = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False, pin_memory: bool = False, memory_format: Any = preserve_format,
) -> Tensor:  # fmt: skip
    """`full` in another tensor's shape, dtype and device."""
    check_options("full_like", layout, pin_memory, memory_format, requires_grad)
    number = fill_number("full_like", fill_value)
    kind = kind_for("full_like", dtype, _tensor("full_like", input).dtype)
    return _full_like(input, number, kind, device, requires_grad, memory_format)


def _new_method(name: str, number: int) -> None:
    def function(
        self: Tensor, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False,
        layout: Any = None, pin_memory: bool = False, **named: Any,
    ) -> Tensor:  # fmt: skip
        check_options(name, layout, pin_memory, None, requires_grad)
        sizes = sizes_for(name, _named_size(name, size, named)[0])
        where = self.device if device is None else resolve(device)
        kind = kind_for(name, dtype, self.dtype)
        return finish(full_of(sizes, number, kind, where), requires_grad)

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
    check_options("new_full", layout, pin_memory, None, requires_grad)
    where = self.device if device is None else resolve(device)
    kind, number = kind_for("new_full", dtype, self.dtype), fill_number("new_full", fill_value)
    return finish(full_of(sizes_for("new_full", (size,)), number, kind, where), requires_grad)


@composite(module=None, method=True)
def new_empty_strided(self: Tensor, size: Any, stride: Any, **named: Any) -> Tensor:
    """`empty_strided` with this tensor's dtype and device."""
    return empty_strided(size, stride, **{"dtype": self.dtype, "device": self.device, **named})


@composite(method=False)
def empty_strided(
    size: Any, stride: Any, *, dtype: Any = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """A tensor with the given strides (here its elements are zero)."""
    check_options("empty_strided", layout, pin_memory, None, requires_grad)
    size, stride = sizes_for("empty_strided", (size,)), sizes_of((stride,), "empty_strided")
    if len(size) != len(stride):
        raise RuntimeError(
            f"dimensionality of sizes ({len(size)}) must match dimensionality of strides "
            f"({len(stride)})"
        )
    if any(n < 0 for n in stride):
        raise RuntimeError(
            f"Storage size calculation overflowed with sizes={list(size)} and strides={list(stride)}"
        )
    kind = kind_for("empty_strided", dtype)
    if is_dense(size, stride):
        t = full_of(size, 0, kind, resolve(device))
        set_layout(t, stride)
        return finish(t, requires_grad)
    extent = 1 + sum((n - 1) * s for n, s in zip(size, stride, strict=True))
    t = full_of((extent,), 0, kind, resolve(device)).as_strided(size, stride)  # type: ignore[attr-defined]
    return finish(t, requires_grad)


@composite(method=False)
def empty_permuted(
    size: Any, physical_layout: Any, *, dtype: Any = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """A tensor whose dims lie in memory in the given order."""
    check_options("empty_permuted", layout, pin_memory, None, requires_grad)
    size, order = sizes_for("empty_permuted", (size,)), list(physical_layout)
    if len(set(order)) != len(order):
        raise RuntimeError("Duplicate dim not allowed")
    inverse = [order.index(i) for i in range(len(size))]
    kind = kind_for("empty_permuted", dtype)
    t = full_of(tuple(size[d] for d in order), 0, kind, resolve(device))
    return finish(t.permute(inverse).detach(), requires_grad)  # type: ignore[attr-defined]


# ----- counted -----
@composite(method=False)
def arange(
    start: Any = None, end: Any = None, step: Any = 1, *, out: Any = None, dtype: Any = None,
    layout: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Numbers from `start` to `end` (not included) in steps."""
    check_options("arange", layout, pin_memory, None, requires_grad)
    if end is None:
        if start is None:
            raise TypeError(_ARANGE_NOTHING)
        start, end = 0, start
    start, end, step = (_number("arange", i, x) for i, x in enumerate((start, end, step)))
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if not all(math.isfinite(x) for x in (start, end)):
        raise RuntimeError(f"unsupported range: {start} -> {end}")
    if (step > 0 and start > end) or (step < 0 and start < end):
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    whole = all(isinstance(x, int) for x in (start, end, step))
    default = dtypes.int64 if whole else dtypes.get_default_dtype()
    kind = kind_for("arange", dtype, default if out is None else out.dtype)
    if kind is dtypes.bool_:
        raise NotImplementedError("\"arange_cpu\" not implemented for 'Bool'")
    count = -((end - start) // -step) if whole else math.ceil((end - start) / step)
    exact = np.int64 if kind.category <= dtypes.INTEGER else np.float64
    base = exact(int(start) if exact is np.int64 else start)
    array = base + np.arange(count, dtype=exact) * exact(int(step) if exact is np.int64 else step)
    return _made("arange", array.astype(dtypes.to_numpy(kind)), out, device, requires_grad)


_ARANGE_NOTHING = (
    "arange() received an invalid combination of arguments - got (), but expected one of:\n"
    " * (Number end, *, Tensor out = None, torch.dtype dtype = None, torch.layout layout = None, "
    "torch.device device = None, bool pin_memory = False, bool requires_grad = False)\n"
    " * (Number start, Number end, Number step = 1, *, Tensor out = None, torch.dtype dtype = None, "
    "torch.layout layout = None, torch.device device = None, bool pin_memory = False, "
    "bool requires_grad = False)\n"
)


def _number(name: str, at: int, x: Any) -> Any:
    """A bound as a Python int or float."""
    x = x.item() if isinstance(x, (Tensor, np.generic)) else x
    if isinstance(x, complex):
        raise RuntimeError("value cannot be converted to type double without overflow")
    if not isinstance(x, (int, float)):
        spelt = ("start", "end", "step")[at]
        place = 1 if at == 1 else at + 1
        raise TypeError(
            f"{name}(): argument '{spelt}' (position {place}) must be Number, not {type(x).__name__}"
        )
    return x


def _made(name: str, array: np.ndarray, out: Any, where: Any, requires_grad: bool) -> Tensor:
    t = wrap(host_value(array))
    target = resolve(where)
    if target is not CPU:
        t = t.to(target)  # type: ignore[attr-defined]
    return finish(t, requires_grad) if out is None else write_out(name, out, t)


@composite(method=False, name="range")
def range_of(
    start: Any = 0, end: Any = None, step: Any = 1, *, out: Any = None, dtype: Any = None,
    layout: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Numbers from `start` to `end`, included; deprecated in PyTorch."""
    warnings.warn(
        "torch.range is deprecated and will be removed in a future release because its behavior is "
        "inconsistent with Python's range builtin. Instead, use torch.arange, which produces values in "
        "[start, end).",
        UserWarning,
        stacklevel=2,
    )
    check_options("range", layout, pin_memory, None, requires_grad)
    if end is None:
        start, end = 0, start
    count = int((end - start) / step) + 1
    kind = kind_for("range", dtype)
    array = (start + np.arange(count, dtype=np.float64) * step).astype(dtypes.to_numpy(kind))
    return _made("range", array, out, device, requires_grad)


def _ends(name: str, start: Any, end: Any) -> tuple[Any, Any]:
    for spelt, x in (("start", start), ("end", end)):
        if isinstance(x, Tensor) and x.ndim:
            raise RuntimeError(
                f"{name} only supports 0-dimensional start and end tensors, but got {spelt} with "
                f"{x.ndim} dimension(s)."
            )
    first, last = (x.item() if isinstance(x, Tensor) else x for x in (start, end))
    return first, last


def _check_counted(name: str, kind: dtypes.dtype) -> None:
    if kind is dtypes.bool_:
        raise NotImplementedError(f"\"{name}_cpu\" not implemented for 'Bool'")


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
    check_options("linspace", layout, pin_memory, None, requires_grad)
    start, end = _ends("linspace", start, end)
    n = _steps("linspace", steps)
    complex_ends = isinstance(start, complex) or isinstance(end, complex)
    default = dtypes.get_default_dtype()
    default = default.to_complex() if complex_ends else default
    kind = kind_for("linspace", dtype, default if out is None else out.dtype)
    _check_counted("linspace", kind)
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
    check_options("logspace", layout, pin_memory, None, requires_grad)
    start, end = _ends("logspace", start, end)
    n = _steps("logspace", steps)
    kind = kind_for("logspace", dtype, None if out is None else out.dtype)
    _check_counted("logspace", kind)
    exponents = _evenly(start, end, n, kind if kind.category >= dtypes.FLOAT else dtypes.float64)
    array = np.power(np.float64(base), exponents.astype(np.result_type(exponents, np.float64)))
    return _made("logspace", array.astype(dtypes.to_numpy(kind)), out, device, requires_grad)


@composite(method=False)
def eye(
    n: int, m: int | None = None, *, out: Any = None, dtype: Any = None, layout: Any = None,
    device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Ones on the diagonal, zeros elsewhere."""
    check_options("eye", layout, pin_memory, None, requires_grad)
    for at, (name, size) in enumerate((("n", n), ("m", m)), 1):
        if size is not None and not hasattr(size, "__index__"):
            kind = type(size).__name__
            raise TypeError(f"eye(): argument '{name}' (position {at}) must be int, not {kind}")
        if size is not None and size < 0:
            raise RuntimeError(f"{name} must be greater or equal to 0, got {size}")
    kind = kind_for("eye", dtype, None if out is None else out.dtype)
    return _made("eye", np.eye(n, m, dtype=dtypes.to_numpy(kind)), out, device, requires_grad)


def _indices(name: str, function: Any) -> None:
    def indices(
        row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None,
        layout: Any = None, pin_memory: bool = False,
    ) -> Tensor:  # fmt: skip
        check_options(name, layout, pin_memory)
        for spelt, n in (("row", row), ("col", col)):
            if n < 0:
                raise RuntimeError(f"{spelt} must be non-negative, got{n}")
        kind = kind_for(name, dtype, dtypes.int64)
        if kind.category != dtypes.INTEGER:
            scalar = dtypes.SCALAR_NAMES[kind]
            raise NotImplementedError(f"\"{name}\" not implemented for '{scalar}'")
        array = np.stack(function(row, offset, col)).astype(dtypes.to_numpy(kind))
        return _made(name, array, None, device, False)

    indices.__name__ = name
    indices.__doc__ = "Row and column of the elements of a triangle."
    composite(indices, method=False)


_indices("tril_indices", np.tril_indices)
_indices("triu_indices", np.triu_indices)
