"""make_tensor: tensors of any dtype with uniform values, drawn as PyTorch draws them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

from .. import ops
from ..core import dtypes
from ..core.dtypes import dtype as Dtype
from ..core.dtypes import finfo, iinfo
from ..core.tensor import Tensor

_REDUCED = (dtypes.float8_e4m3fn, dtypes.float8_e5m2, dtypes.float8_e4m3fnuz,
            dtypes.float8_e5m2fnuz)  # fmt: skip
_WITH_GRAD = (dtypes.float16, dtypes.bfloat16, dtypes.float32, dtypes.float64, dtypes.complex32,
              dtypes.complex64, dtypes.complex128)  # fmt: skip


def make_tensor(
    *shape: int | Sequence[int], dtype: Dtype, device: Any, low: float | None = None,
    high: float | None = None, requires_grad: bool = False, noncontiguous: bool = False,
    exclude_zero: bool = False, memory_format: Any = None,
) -> Tensor:  # fmt: skip
    """A tensor of values drawn uniformly from [low, high), both clamped to what the dtype holds.

    Without bounds: 0 or 1 for bool, -9 … 9 for integers (0 … 9 if unsigned), [-9, 9) for others.
    """
    sizes: tuple[int, ...] = tuple(
        shape[0] if len(shape) == 1 and isinstance(shape[0], Sequence) else shape
    )  # type: ignore[arg-type]
    whole = not dtype.is_floating_point and not dtype.is_complex
    _check(dtype, whole, requires_grad, noncontiguous, memory_format)
    noncontiguous = noncontiguous and math.prod(sizes) > 1
    if noncontiguous:  # every second element of a last dim twice as long: strides and an offset
        sizes = (*sizes[:-1], 2 * sizes[-1])
    draw = _integers if whole else _numbers
    made = draw(sizes, dtype, device, *_bounds(low, high, dtype, whole))
    if noncontiguous:
        made = made[..., 1::2]
    elif memory_format is not None:
        made = made.clone(memory_format=memory_format)  # type: ignore[attr-defined]
    if exclude_zero:
        made[made == 0] = 1 if whole else finfo(dtype).tiny
    if dtype in _WITH_GRAD:
        made.requires_grad = requires_grad
    return made


def _check(dtype, whole, requires_grad, noncontiguous, memory_format) -> None:
    if noncontiguous and memory_format is not None:
        raise ValueError(
            "The parameters `noncontiguous` and `memory_format` are mutually exclusive, but got "
            f"{noncontiguous=} and {memory_format=}"
        )
    if requires_grad and whole:
        raise ValueError(
            "`requires_grad=True` is not supported for boolean and integral dtypes, but got "
            f"{dtype=}"
        )
    if not whole and dtype not in _WITH_GRAD and dtype not in _REDUCED:
        raise TypeError(
            f"The requested dtype '{dtype}' is not supported by torch.testing.make_tensor(). To "
            "request support, file an issue at: https://github.com/pytorch/pytorch/issues"
        )


def _limits(dtype: Dtype, whole: bool) -> tuple[float, float]:
    """The smallest value and, for integers, one more than the largest (where int64 holds it)."""
    if dtype is dtypes.bool_:
        return 0, 2
    if not whole:
        return finfo(dtype).min, finfo(dtype).max
    return iinfo(dtype).min, iinfo(dtype).max + (dtype is not dtypes.int64)


def _bounds(low, high, dtype: Dtype, whole: bool) -> tuple[float, float]:
    least, most = _limits(dtype, whole)
    default = (0, 2) if dtype is dtypes.bool_ else (-9, 10) if whole else (-9, 9)
    low, high = default[0] if low is None else low, default[1] if high is None else high
    if math.isnan(low) or math.isnan(high):
        raise ValueError(f"`low` and `high` cannot be NaN, but got {low=} and {high=}")
    if low == high and dtype in _WITH_GRAD:
        warnings.warn(
            "Passing `low==high` to `torch.testing.make_tensor` for floating or complex types is "
            "deprecated since 2.1 and will be removed in 2.3. Use `torch.full(...)` instead.",
            FutureWarning, stacklevel=3,
        )  # fmt: skip
    elif low >= high:
        raise ValueError(f"`low` must be less than `high`, but got {low} >= {high}")
    elif high < least or low >= most:
        raise ValueError(
            f"The value interval specified by `low` and `high` is [{low}, {high}), but {dtype} "
            f"only supports [{least}, {most})"
        )
    low, high = min(max(low, least), most), min(max(high, least), most)
    return (math.ceil(low), math.ceil(high)) if whole else (low, high)


def _integers(sizes, dtype, device, low, high) -> Tensor:
    return ops.randint(low, high, sizes, device=device, dtype=dtype)


def _numbers(sizes, dtype, device, low, high) -> Tensor:
    drawn = dtypes.float32 if dtype in _REDUCED else dtype
    made = ops.empty(sizes, device=device, dtype=drawn)
    parts = ops.view_as_real(made) if dtype.is_complex else made
    if high - low >= finfo(drawn).max:  # uniform_ takes no wider range
        parts.uniform_(low / 2, high / 2).mul_(2)
    else:
        parts.uniform_(low, high)
    return made.to(dtype)
