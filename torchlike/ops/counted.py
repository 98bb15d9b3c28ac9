"""Tensors of counted numbers: arange, linspace, logspace, eye, indices of triangles."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core import dtypes
from ..core.check import invalid_call, warn
from ..core.device import CPU, resolve
from ..core.mutate import write_out
from ..core.op import composite
from ..core.plan import NUMBERS
from ..core.storage import host_value
from ..core.tensor import Tensor, wrap
from .create import check_options, finish, kind_for


@composite(method=False)
def arange(
    start: Any = None, end: Any = None, step: Any = 1, *, out: Any = None, dtype: Any = None,
    layout: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Numbers from `start` to `end` (not included) in steps."""
    check_options("arange", layout, pin_memory, None, requires_grad)
    if end is None:
        if start is None:
            raise invalid_call("arange", (), {}, _ARANGE)
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
    if kind is dtypes.int64 and not whole:  # only this dtype counts in whole steps
        start, end, step = int(start), int(end), int(step)
        if step == 0:
            raise ValueError("step must be nonzero")
        whole = True
    count = max(-((end - start) // -step), 0) if whole else math.ceil((end - start) / step)
    array = _stepped(start, step, count, kind)
    return _made("arange", array.astype(dtypes.to_numpy(kind)), out, device, requires_grad)


def _stepped(start: Any, step: Any, count: int, kind: dtypes.dtype) -> np.ndarray:
    """start + i * step, rounded as PyTorch's kernel: by vectors of 32 bytes, the rest one by one.

    A vector's first element is rounded to the dtype before the others are counted from it.
    """
    exact = _computed_in(kind)
    first, step, at = exact.type(start), exact.type(step), np.arange(count)
    if exact.kind == "i":
        return first + at * step
    target = dtypes.to_numpy(kind)
    lanes = 32 // target.itemsize
    whole = count // (2 * lanes) * (2 * lanes)
    lane = np.where(at < whole, at % lanes, 0)
    base = _fused(step, (at - lane).astype(exact), first)
    base = np.where(at < whole, base.astype(target).astype(exact), base)
    return _fused(step, lane.astype(exact), base)


def _computed_in(kind: dtypes.dtype) -> np.dtype:
    """The dtype in which numbers of another are counted: int64, double, float for 16 bits."""
    if kind.category <= dtypes.INTEGER:
        return np.dtype(np.int64)
    return np.dtype(np.float64 if kind.itemsize > 2 else np.float32)


def _fused(a: Any, b: Any, c: Any) -> Any:
    """a * b + c rounded once, as the processor's instruction gives it."""
    if np.iscomplexobj(a):
        return _fused(a.real, b, c.real) + 1j * _fused(a.imag, b, c.imag)
    with np.errstate(all="ignore"):
        if a.dtype == np.float32:  # the product is exact in double
            return (a.astype(np.float64) * b + c).astype(np.float32)
        return _fused_double(a, b, c)


def _fused_double(a: Any, b: Any, c: Any) -> Any:
    """The same, from what the product and the sum lose."""
    high_a, high_b = _upper(a), _upper(b)
    product = a * b
    lost = (a - high_a) * (b - high_b) - (
        product - high_a * high_b - (a - high_a) * high_b - high_a * (b - high_b)
    )
    total = product + c
    back = total - product
    rest = (product - (total - back)) + (c - back) + lost
    return total + np.where(np.isfinite(rest), rest, 0)  # inf, or too near to it to be split


def _upper(x: Any) -> Any:
    """The upper half of a double's digits (Dekker)."""
    scaled = x * 134217729.0  # 2**27 + 1
    return scaled - (scaled - x)


_ARANGE = ("Number end, *, …", "Number start, Number end, Number step = 1, *, …")


def _number(name: str, at: int, x: Any) -> Any:
    """A bound as a Python int or float."""
    x = x.item() if isinstance(x, (Tensor, np.generic)) else x
    if isinstance(x, complex):
        raise RuntimeError("value cannot be converted to type double without overflow")
    if not isinstance(x, (int, float)):
        spelt = ("start", "end", "step")[at]
        place = 1 if at == 1 else at + 1
        raise TypeError(
            f"{name}(): argument '{spelt}' (position {place}) must be Number, not "
            f"{type(x).__name__}"
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
    warn(
        "torch.range is deprecated and will be removed in a future release because its behavior is "
        "inconsistent with Python's range builtin. Instead, use torch.arange, which produces "
        "values in "
        "[start, end).",
        UserWarning
    )
    check_options("range", layout, pin_memory, None, requires_grad)
    if end is None:
        start, end = 0, start
    kind = kind_for("range", dtype)
    exact = _computed_in(kind)
    first, last, step = (exact.type(int(x) if exact.kind == "i" else x) for x in (start, end, step))
    array = first + np.arange(int((last - first) / step) + 1).astype(exact) * step
    return _made("range", array.astype(dtypes.to_numpy(kind)), out, device, requires_grad)


def _ends(name: str, start: Any, end: Any) -> tuple[Any, Any]:
    given = {"start": start, "end": end}
    tensors = {spelt: x for spelt, x in given.items() if isinstance(x, Tensor)}
    if any(x.ndim for x in tensors.values()):
        found = " and ".join(f"{spelt} with {x.ndim} dimension(s)" for spelt, x in tensors.items())
        raise RuntimeError(
            f"{name} only supports 0-dimensional start and end tensors, but got {found}."
        )
    first, last = (x.item() if isinstance(x, Tensor) else x for x in (start, end))
    return first, last


def _check_counted(name: str, kind: dtypes.dtype) -> None:
    if kind is dtypes.bool_:
        raise NotImplementedError(f"\"{name}_cpu\" not implemented for 'Bool'")


def _check_call(name: str, start: Any, end: Any, steps: Any) -> None:
    fits = all(isinstance(x, (*NUMBERS, Tensor)) for x in (start, end))
    if not fits or not hasattr(steps, "__index__"):
        given = [x for x in (start, end, steps) if x is not None]
        raise invalid_call(name, given, {}, ("Number start, Number end, int steps, *, …",))


def _steps(name: str, steps: Any) -> int:
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    return int(steps)


@composite(method=False)
def linspace(
    start: Any, end: Any, steps: Any = None, *, out: Any = None, dtype: Any = None,
    layout: Any = None,
    device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """`steps` numbers from `start` to `end`, both included, evenly spaced."""
    check_options("linspace", layout, pin_memory, None, requires_grad)
    _check_call("linspace", start, end, steps)
    start, end = _ends("linspace", start, end)
    n = _steps("linspace", steps)
    complex_ends = isinstance(start, complex) or isinstance(end, complex)
    default = dtypes.get_default_dtype()
    default = default.to_complex() if complex_ends else default
    kind = kind_for("linspace", dtype, default if out is None else out.dtype)
    _check_counted("linspace", kind)
    return _made("linspace", _evenly(start, end, n, kind), out, device, requires_grad)


def _evenly(start: Any, end: Any, n: int, kind: dtypes.dtype) -> np.ndarray:
    """From both ends towards the middle, rounded as PyTorch's kernel does it."""
    target = dtypes.to_numpy(kind)
    if kind.category <= dtypes.INTEGER:
        start, end = int(start), int(end)
    first, last = np.array(start).astype(target), np.array(end).astype(target)
    if n < 2:
        return np.full(n, first)
    if kind.category <= dtypes.INTEGER:
        first, last = first.astype(np.float64), last.astype(np.float64)
    real: Any = np.real(first).dtype.type
    step = _over(last - first, real(n - 1))
    at = np.arange(n)
    count, near = np.minimum(at, n - 1 - at).astype(real), at < n // 2
    if kind.itemsize == 2 and kind.category == dtypes.FLOAT:  # each operation rounds
        return np.where(near, first + step * count, last - step * count)
    return np.where(near, _fused(step, count, first), _fused(-step, count, last)).astype(target)


def _over(x: Any, n: Any) -> Any:
    """x / n, for complex x part by part."""
    return x.dtype.type(complex(x.real / n, x.imag / n)) if np.iscomplexobj(x) else x / n


@composite(method=False)
def logspace(
    start: Any, end: Any, steps: Any = None, base: float = 10.0, *, out: Any = None,
    dtype: Any = None,
    layout: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """`steps` numbers from base**start to base**end, evenly spaced in the exponent."""
    check_options("logspace", layout, pin_memory, None, requires_grad)
    _check_call("logspace", start, end, steps)
    start, end = _ends("logspace", start, end)
    n = _steps("logspace", steps)
    kind = kind_for("logspace", dtype, None if out is None else out.dtype)
    _check_counted("logspace", kind)
    array = _powers(float(base), _exponents(start, end, n, kind))
    if kind.itemsize == 2 and kind.category == dtypes.FLOAT:
        array = array.astype(np.float32)
    return _made("logspace", array.astype(dtypes.to_numpy(kind)), out, device, requires_grad)


def _exponents(start: Any, end: Any, n: int, kind: dtypes.dtype) -> np.ndarray:
    """From both ends towards the middle; the distance in the dtype, the rest in double."""
    if n < 2:
        return np.full(n, start)
    if kind.category == dtypes.COMPLEX:
        return _evenly(start, end, n, kind)
    whole = kind.category <= dtypes.INTEGER
    target = np.dtype(np.int64) if whole else dtypes.to_numpy(kind)
    first, last = np.array(start).astype(target), np.array(end).astype(target)
    at = np.arange(n)
    step = float(last - first) / (n - 1)
    return np.where(at < n // 2, float(first) + step * at, float(last) - step * (n - 1 - at))


def _powers(base: float, exponents: np.ndarray) -> np.ndarray:
    """NumPy rounds powers of single numbers as the C library does, those of arrays otherwise."""
    if np.iscomplexobj(exponents):
        return np.power(np.complex128(base), exponents)
    with np.errstate(all="ignore"):
        return np.array([np.float64(base) ** x for x in exponents], np.float64)


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
