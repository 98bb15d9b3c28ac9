"""Functions of the torch namespace that begin with an underscore and that libraries call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core import dtypes
from ..core.check import warn
from ..core.op import TABLE
from ..core.tensor import Tensor
from .foreach import FOREACH

_VAGUE = (
    "Expected cond to be True, but got False. (Could this error message be improved? If so, "
    "please report an enhancement request to PyTorch.)"
)
_OLD_CHECK = (
    "_check_is_size will be removed in a future PyTorch release along with guard_size_oblivious."
    "     Use _check(i >= 0) instead."
)


# ----- checks -----
def _raise_unless(error: type[Exception], cond: Any, message: Any) -> None:
    if isinstance(cond, Tensor):
        raise TypeError(
            "cond must be a bool, but got a Tensor. For tensor conditions, use "
            "torch._check_tensor_all() to assert that all elements are true."
        )
    if not isinstance(cond, bool):
        raise TypeError(f"cond must be a bool, but got {type(cond)}")
    if cond:
        return
    if message is not None and not callable(message):
        raise TypeError("message must be a callable")
    raise error(_VAGUE if message is None else str(message()))


def _check_with(error_type: type[Exception], cond: bool, message: Callable[[], str]) -> None:
    """Raises `error_type(message())` unless `cond`."""
    _raise_unless(error_type, cond, message)


def _check_raising(name: str, error: type[Exception]) -> Callable[..., None]:
    def check(cond: bool, message: Callable[[], str] | None = None) -> None:
        _raise_unless(error, cond, message)

    check.__name__ = check.__qualname__ = name
    check.__doc__ = f"{error.__name__}(message()) unless `cond`."
    return check


def _check_is_size(i: int, message: Any = None, *, max: int | None = None) -> None:
    """Deprecated in PyTorch: RuntimeError unless 0 <= i (<= max)."""
    warn(_OLD_CHECK, FutureWarning)
    _raise_unless(RuntimeError, i >= 0, message)
    if max is not None:
        _raise_unless(RuntimeError, i <= max, message)


def _check_tensor_all_with(error_type: type[Exception], cond: Tensor, message: Any = None) -> None:
    """Raises `error_type(message())` unless all elements of a bool tensor are true."""
    if not isinstance(cond, Tensor):
        raise TypeError(f"cond must be a tensor, but got {type(cond)}")
    if cond.dtype is not dtypes.bool_:
        raise TypeError(f"cond tensor must have dtype torch.bool, but got {cond.dtype}")
    _raise_unless(error_type, bool(TABLE["torch", "all"](cond)), message)


def _check_tensor_all(cond: Tensor, message: Any = None) -> None:
    """RuntimeError unless all elements of a bool tensor are true."""
    _check_tensor_all_with(RuntimeError, cond, message)


def _assert_async(input: Tensor, assert_msg: str | None = None) -> None:
    """RuntimeError unless the one element is not zero; looked at at once, on every device."""
    if input.numel() == 0:
        raise RuntimeError("Boolean value of Tensor with no values is ambiguous")
    if input.numel() > 1:
        raise RuntimeError("Boolean value of Tensor with more than one value is ambiguous")
    if not input.item():  # type: ignore[attr-defined]
        text = "Expected Tensor with single nonzero value, but got zero"
        raise RuntimeError(text if assert_msg is None else assert_msg)


# ----- shapes and indices -----
def _shape_as_tensor(input: Tensor) -> Tensor:
    """The shape, as an int64 tensor."""
    return TABLE["torch", "tensor"](list(input.shape), dtype=dtypes.int64)


def _convert_indices_from_coo_to_csr(
    input: Tensor, size: int, *, out_int32: bool = False
) -> Tensor:
    """Where each of `size` rows begins, from the sorted rows of the elements."""
    counts = TABLE["torch", "bincount"](input, minlength=size)
    zero = counts.new_zeros(1)  # type: ignore[attr-defined]
    ends = TABLE["torch", "cumsum"](counts, 0)
    made = TABLE["torch", "cat"]([zero, ends])
    return made.to(dtypes.int32 if out_int32 else dtypes.int64)


def _convert_indices_from_csr_to_coo(
    crow_indices: Tensor, col_indices: Tensor, *, out_int32: bool = False, transpose: bool = False
) -> Tensor:
    """(2, elements): the row and the column of each; exchanged if `transpose`."""
    if crow_indices.ndim != 1:
        raise NotImplementedError(
            "torch._convert_indices_from_csr_to_coo: batched indices are not supported"
        )
    counts = TABLE["torch", "diff"](crow_indices)
    rows = TABLE["torch", "repeat_interleave"](counts)
    pair = [rows.to(col_indices.dtype), col_indices]
    made = TABLE["torch", "stack"](pair[::-1] if transpose else pair)
    return made.to(dtypes.int32 if out_int32 else made.dtype)


# ----- casts -----
def _cast(name: str, wanted: Any) -> Callable[..., Tensor]:
    def cast(input: Tensor, non_blocking: bool = False) -> Tensor:
        return input.to(wanted, non_blocking=non_blocking)  # type: ignore[attr-defined]

    cast.__name__ = cast.__qualname__ = name
    cast.__doc__ = f"The tensor as {wanted}."
    return cast


_KINDS = {
    "Byte": dtypes.uint8, "Char": dtypes.int8, "Double": dtypes.float64, "Float": dtypes.float32,
    "Half": dtypes.float16, "Int": dtypes.int32, "Long": dtypes.int64, "Short": dtypes.int16,
}  # fmt: skip
_ERRORS = {
    "_check": RuntimeError, "_check_index": IndexError, "_check_value": ValueError,
    "_check_type": TypeError, "_check_not_implemented": NotImplementedError,
}  # fmt: skip
UNDERSCORED: dict[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        _check_with, _check_is_size, _check_tensor_all_with, _check_tensor_all, _assert_async,
        _shape_as_tensor, _convert_indices_from_coo_to_csr, _convert_indices_from_csr_to_coo,
    )
} | FOREACH  # fmt: skip
UNDERSCORED["_segment_reduce"] = TABLE["torch", "segment_reduce"]
UNDERSCORED |= {name: _check_raising(name, error) for name, error in _ERRORS.items()}
UNDERSCORED |= {f"_cast_{kind}": _cast(f"_cast_{kind}", wanted) for kind, wanted in _KINDS.items()}
