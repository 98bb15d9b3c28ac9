"""Random integers: random_, and the bounds that a dtype can hold."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core import dtypes, rng_draw
from ..core.check import warn
from ..core.dtypes import BOOL, C_NAMES, COMPLEX, FLOAT, dtype
from ..core.tensor import Tensor
from .random_arguments import mismatch
from .random_device import Recipe
from .random_fill import fill, from_to, method, refuse, require, to_int


@method
def random_(self, *args, generator=None, **kwargs):
    """Integers in [from, to), or all that the dtype holds exactly, in place."""
    if not args and not kwargs:
        return _random_any(self, generator)
    only_high = len(args) + len(kwargs) == 1 and "from" not in kwargs
    if only_high and args:
        args = (0, *args)
    if any(isinstance(bound, float) for bound in args):
        raise mismatch("random_", args[only_high and bool(args) :], kwargs)
    low, high = from_to("random_", args, kwargs, (0, None))
    low = to_int("random_", "from", 1, low)
    if high is not None:
        high = to_int("random_", "to", 2, high)
    return fill_integers(self, low, high, generator, f"RandomBackward{int(only_high)}")


def _random_any(self: Tensor, generator: Any) -> Tensor:
    kind, count = self.dtype, self.numel()
    refuse("random_kernel_cpu", kind, COMPLEX)
    return fill(
        self, "random_", generator,
        lambda g: rng_draw.full_range(g, count, dtypes.to_numpy(kind)), "RandomBackward2",
    )  # fmt: skip


def fill_integers(
    tensor: Tensor, low: int, high: int | None, generator: Any, node: str = "RandomBackward0"
) -> Tensor:
    """Integers in [low, high); `high` None means to the end of the dtype."""
    kind, count = tensor.dtype, tensor.numel()
    if high is not None:
        low, high = _checked_range(low, high, kind)
    elif low == -(1 << 63):
        _check_full_range(kind)
        high = 1 << 63
    else:
        low, high = _open_range(low, kind)
    recipe = None if high == 1 << 63 else Recipe("integers", low, high)
    return fill(
        tensor, "random_", generator,
        lambda g: rng_draw.integers(g, count, low, high), node, recipe,
    )  # fmt: skip


def _limits(kind: dtype) -> tuple[float, float]:
    if kind.category == BOOL:
        return 0, 1
    if kind.category == COMPLEX:
        raise RuntimeError(
            "check_random_bounds handles only integral, floating-point and boolean types"
        )
    info = dtypes.finfo(kind) if kind.category == FLOAT else dtypes.iinfo(kind)
    return info.min, info.max


def _check_bound(name: str, bound: int, kind: dtype) -> None:
    least, most = _limits(kind)
    c_name = _C_UNSIGNED.get(kind) or C_NAMES.get(kind, kind.name)
    require(least <= bound <= most, f"{name} is out of bounds for {c_name}")
    if kind.category != FLOAT:
        return
    digits = _digits(kind)
    if not -(1 << digits) <= bound <= 1 << digits:
        warn(
            f"{name} is out of bounds [-(2^{digits}), 2^{digits}]. Due to precision limitations "
            f"{c_name} can support discrete uniform distribution only within this range. This "
            "warning will become an error in version 1.7 release, please fix the code in advance"
        )


_C_UNSIGNED = {
    dtypes.uint16: "short unsigned int",
    dtypes.uint32: "unsigned int",
    dtypes.uint64: "long unsigned int",
}


def _digits(kind: dtype) -> int:
    """Bits of a floating point dtype's significand."""
    return 1 - round(math.log2(dtypes.finfo(kind).eps))


def _checked_range(low: int, high: int, kind: dtype) -> tuple[int, int]:
    require(
        low < high,
        f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}",
    )
    if kind.category == FLOAT:
        low, high = _fit_low(low, kind), _fit_high(high, kind)
        require(
            low < high,
            "random_ expects 'from' casted to dtype to be less than 'to' casted to dtype, but got "
            f"from={low} >= to={high}",
        )
    _check_bound("from", low, kind)
    _check_bound("to - 1", high - 1, kind)
    return low, high


def _cast(value: int, kind: dtype) -> int:
    cast = float(rng_draw.narrow(np.int64(value), dtypes.to_numpy(kind)))
    return int(cast) if math.isfinite(cast) else -(1 << 63)  # as C converts infinity


def _gap(value: int, kind: dtype) -> int:
    """The distance between floating point numbers of this size."""
    return 1 << max(abs(value).bit_length() - _digits(kind), 0)


def _fit_low(low: int, kind: dtype) -> int:
    """The bound, moved up where casting the first value would fall below it."""
    cast = _cast(low + 1, kind)
    return cast + _gap(low + 1, kind) if cast < low else low


def _fit_high(high: int, kind: dtype) -> int:
    cast = _cast(high - 1, kind)
    return cast - _gap(high - 1, kind) if cast >= high else high


def _open_range(low: int, kind: dtype) -> tuple[int, int]:
    if kind.category == FLOAT:
        last = min(1 << _digits(kind), (1 << 63) - 1)
        low = _fit_low(low, kind)
        require(
            low < last,
            "random_ expects 'from' casted to dtype to be less than or equal to 'to_inc' casted to "
            f"dtype, but got from={low} > to_inc={last}",
        )
    else:
        last = int(_limits(kind)[1])
        if kind is dtypes.uint64:
            raise RuntimeError("to - 1 is out of bounds for long unsigned int")
    _check_bound("from", low, kind)
    return low, last + 1


def _check_full_range(kind: dtype) -> None:
    kernel = "random_full_64_bits_range_kernel_cpu"
    if kind is dtypes.float16:
        raise NotImplementedError(f"\"{kernel}\" not implemented for 'Half'")
    wide = (dtypes.int64, dtypes.float64, dtypes.float32, dtypes.bfloat16)
    require(kind in wide, f"{kernel} handles only int64, double, float and bfloat16")
