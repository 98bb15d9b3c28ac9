"""Comparisons, logic and bits; the smaller, the larger, and the choice between two."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from ..core.check import no_meta_kernel
from ..core.dtypes import SCALAR_NAMES, get_default_dtype
from ..core.mutate import write_out
from ..core.op import Array, Number, Operand, Optional, alias, composite, op
from ..core.plan import ArgumentTypeError
from ..core.tensor import Tensor
from .kinds import (
    BOOL,
    COMPLEX,
    INTEGER,
    INTEGRAL,
    NUMERIC,
    REAL,
    common,
    is_complex,
    kind,
    refuse,
    scalar_name,
    truth,
    with_tensor,
)

CLAMP_COMPLEX = "clamp is not supported for complex types"
INVERT = "~ (operator.invert) is only implemented on integer and Boolean-type tensors"


# ----- comparisons -----
def _comparison(
    name: str, body: Callable[..., Any], ordered: bool = True, arrays: bool = False
) -> None:
    def compare(input: Array, other: Operand):
        if ordered:
            refuse(f"{name}_cpu", input, REAL)
        return body(input, other)

    op(elementwise=True, differentiable=False, name=name, arrays=arrays)(compare)


_comparison("eq", jnp.equal, ordered=False, arrays=True)
_comparison("ne", jnp.not_equal, ordered=False)
_comparison("lt", jnp.less)
_comparison("le", jnp.less_equal)
_comparison("gt", jnp.greater)
_comparison("ge", jnp.greater_equal)


@op(elementwise=True, differentiable=False, module=None)
def close(input: Array, other: Array, rtol: float, atol: float, equal_nan: bool):
    near = input == other
    if equal_nan and kind(input) > INTEGER:
        near = near | ((input != input) & (other != other))
    if kind(input) <= INTEGER:
        input, other = (x.astype(get_default_dtype().np) for x in (input, other))
    error = jnp.abs(input - other)
    return near | (jnp.isfinite(error) & (error <= atol + jnp.abs(rtol * other)))


@composite
def isclose(
    input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> Tensor:
    """Where |input - other| <= atol + rtol * |other|."""
    for i, (name, x) in enumerate((("input", input), ("other", other))):
        if not isinstance(x, Tensor):
            raise TypeError(
                f"isclose(): argument '{name}' (position {i + 1}) must be Tensor, not "
                f"{type(x).__name__}"
            )
    if input.dtype is not other.dtype:
        names = SCALAR_NAMES[input.dtype], SCALAR_NAMES[other.dtype]
        raise RuntimeError("{} did not match {}".format(*names))
    for name, bound in (("rtol", rtol), ("atol", atol)):
        if bound < 0:
            raise RuntimeError(f"{name} must be greater than or equal to zero, but got {bound}")
    return close(input, other, float(rtol), float(atol), equal_nan)


@composite
def allclose(
    input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> bool:
    """Whether `isclose` holds everywhere, as a Python bool."""
    return bool(isclose(input, other, rtol, atol, equal_nan).all())


@composite
def equal(input: Tensor, other: Tensor) -> bool:
    """Whether shapes and all values agree, as a Python bool."""
    if not isinstance(other, Tensor):
        raise TypeError(
            f"equal(): argument 'other' (position 2) must be Tensor, not {type(other).__name__}"
        )
    if "meta" in (input.device.type, other.device.type):
        raise NotImplementedError(no_meta_kernel("equal"))
    return input.shape == other.shape and bool((input == other).all())


@op(differentiable=False, method=False)
def isin(
    elements: Operand, test_elements: Operand, *, assume_unique: bool = False, invert: bool = False
):
    for x in (elements, test_elements):
        if kind(x) in (BOOL, COMPLEX):
            raise RuntimeError(f"Unsupported input type encountered for isin(): {scalar_name(x)}")
    return jnp.isin(elements, test_elements, assume_unique=assume_unique, invert=invert)


# ----- classes of numbers -----
def _class(name: str, floats: Callable[..., Any], exact: bool, refused: str = "") -> None:
    def test(input: Array):
        if refused and is_complex(input):
            raise RuntimeError(refused)
        if kind(input) > INTEGER:
            return floats(input)
        return input == input if exact else input != input

    op(elementwise=True, differentiable=False, name=name)(test)


_class("isnan", jnp.isnan, False)
_class("isinf", jnp.isinf, False)
_class("isfinite", jnp.isfinite, True)
_class("isposinf", lambda x: x == jnp.inf, False, "isposinf does not support complex inputs.")
_class("isneginf", lambda x: x == -jnp.inf, False, "isneginf does not support complex inputs.")
_class("isreal", lambda x: x.imag == 0 if is_complex(x) else (x == x) | (x != x), True)


# ----- logic -----
def _logical(name: str, body: Callable[..., Any]) -> None:
    def combine(input: Array, other: Array):
        return body(input.astype(bool), other.astype(bool))

    op(elementwise=True, differentiable=False, name=name)(combine)


_logical("logical_and", jnp.bitwise_and)
_logical("logical_or", jnp.bitwise_or)
_logical("logical_xor", jnp.bitwise_xor)


@op(elementwise=True, differentiable=False)
def logical_not(input: Array):
    return ~truth(input)


# ----- bits -----
def _bitwise(name: str, body: Callable[..., Any], kernel: str = "", bools: bool = True) -> None:
    refused = INTEGRAL if bools else INTEGRAL | NUMERIC

    def combine(input: Operand, other: Operand):
        refuse(kernel or f"{name}_cpu", input, refused)
        return body(input, other)

    op(elementwise=True, promote=with_tensor(name), differentiable=False, name=name)(combine)


def _divisor(name: str, body: Callable[..., Any]) -> None:
    def combine(input: Array, other: Array):
        refuse(f"{name}_cpu", input, INTEGRAL | NUMERIC)
        return body(input, other)

    op(elementwise=True, differentiable=False, name=name)(combine)


_bitwise("bitwise_and", jnp.bitwise_and)
_bitwise("bitwise_or", jnp.bitwise_or)
_bitwise("bitwise_xor", jnp.bitwise_xor)
_bitwise("bitwise_left_shift", jnp.left_shift, "lshift_cpu", bools=False)
_bitwise("bitwise_right_shift", jnp.right_shift, "rshift_cpu", bools=False)
_divisor("gcd", jnp.gcd)
_divisor("lcm", jnp.lcm)


@op(elementwise=True, differentiable=False)
def bitwise_not(input: Array):
    refuse("bitwise_not_cpu", input, INTEGRAL)
    return jnp.invert(input)


@composite(name="__invert__", module=None, method=True)
def invert(input: Tensor) -> Tensor:
    """~input."""
    if input.dtype.is_floating_point or input.dtype.is_complex:
        raise TypeError(INVERT)
    return bitwise_not(input)


# ----- the larger and the smaller -----
@op(elementwise=True, module=None)
def share(grad: Array, kept: Array, other: Array):
    """The gradient where `kept` is not the smaller; half of it at a tie."""
    some = jnp.where(kept == other, grad / 2, grad)
    return jnp.where(kept < other, jnp.zeros_like(grad), some)


@share.gradient
def _(grad, kept, other):
    return share(grad, kept, other), None, None


def _extremum(name: str, body: Callable[..., Any]) -> Any:
    def choose(input: Array, other: Array):
        if is_complex(input):
            raise RuntimeError(f"{name} not implemented for complex tensors.")
        return body(input, other)

    return op(elementwise=True, name=name)(choose)


maximum = _extremum("maximum", jnp.maximum)
maximum.gradient(
    lambda grad, input, other: (share(grad, input, other), share(grad, other, input))
)
minimum = _extremum("minimum", jnp.minimum)
minimum.gradient(
    lambda grad, input, other: (share(grad, other, input), share(grad, input, other))
)


def _fmax_rule(grad, input, other):
    first = (input >= other) | other.isnan()
    return grad.masked_fill(~first, 0), grad.masked_fill(first, 0)


def _fmin_rule(grad, input, other):
    first = (input <= other) | other.isnan()
    return grad.masked_fill(~first, 0), grad.masked_fill(first, 0)


_extremum("fmax", jnp.fmax).gradient(_fmax_rule)
_extremum("fmin", jnp.fmin).gradient(_fmin_rule)


# ----- clamp: a bound at which the gradient still passes -----
@op(elementwise=True, module=None)
def clamp_backward(
    grad: Array, input: Array, min: Optional[Operand] = None, max: Optional[Operand] = None
):
    return _inside(grad, input, min, max)


@op(elementwise=True, promote="none", module=None, name="clamp_backward")
def clamp_number_backward(
    grad: Array, input: Array, min: Optional[Number] = None, max: Optional[Number] = None
):
    return _inside(grad, input, *(x if x is None else x.astype(input.dtype) for x in (min, max)))


def _inside(grad: Any, input: Any, min: Any, max: Any) -> Any:
    inside = input == input
    inside = inside if min is None else inside & (input >= min)
    inside = inside if max is None else inside & (input <= max)
    return jnp.where(inside, grad, jnp.zeros_like(grad))


@clamp_backward.gradient
def _(grad, input, min, max):
    return clamp_backward(grad, input, min, max), None, None, None


@clamp_number_backward.gradient
def _(grad, input, min, max):
    return clamp_number_backward(grad, input, min, max), None


def _clamp_rule(grad, input, min, max):
    below = above = None
    if isinstance(min, Tensor):
        below = input < min if max is None else (input < min) & (min < max)
    if isinstance(max, Tensor):
        above = input > max if min is None else (input > max) | (max < min)
    return (
        clamp_backward(grad, input, min, max),
        None if below is None else grad.masked_fill(~below, 0),
        None if above is None else grad.masked_fill(~above, 0),
    )


def _clamped(input: Any, min: Any, max: Any) -> Any:
    if is_complex(input):
        raise NotImplementedError(CLAMP_COMPLEX)
    input = input if min is None else jnp.maximum(input, min)
    return input if max is None else jnp.minimum(input, max)


def _clamps(name: str, of_numbers: str, of_tensors: str) -> list[Any]:
    """The op with numbers as bounds, and the op with tensors."""

    def by_numbers(
        input: Array, min: Optional[Number] = None, max: Optional[Number] = None
    ) -> Any:
        return _clamped(input, min, max)

    def by_tensors(
        input: Array, min: Optional[Operand] = None, max: Optional[Operand] = None
    ) -> Any:
        return _clamped(input, min, max)

    first = op(
        by_numbers, elementwise=True, promote=lambda metas, statics: common(metas), module=None,
        name=name + "_number", node=of_numbers,
    )  # fmt: skip
    first.gradient(lambda grad, input, min, max: clamp_number_backward(grad, input, min, max))
    second = op(by_tensors, elementwise=True, module=None, name=name, node=of_tensors)
    second.gradient(_clamp_rule)
    return [first, second]


_CLAMPS = _clamps("clamp", "ClampBackward1", "ClampBackward0")
_LOWER = _clamps("clamp_min", "ClampMinBackward0", "ClampMinBackward1")
_UPPER = _clamps("clamp_max", "ClampMaxBackward0", "ClampMaxBackward1")


@composite(inplace=True)
def clamp(input: Tensor, min: Any = None, max: Any = None, *, out: Any = None) -> Tensor:
    """Values limited to min … max, both numbers or both tensors."""
    if out is not None:
        return write_out("clamp", out, clamp(input, min, max))
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    tensors = [isinstance(bound, Tensor) for bound in (min, max) if bound is not None]
    if len(set(tensors)) > 1:
        raise TypeError("clamp(): min and max must both be numbers or both be tensors")
    return _CLAMPS[tensors[0]](input, min, max)


def _demand_bound(bound: Any) -> None:
    if bound is None:
        raise ArgumentTypeError("the bound must be a number or a tensor")


@composite(inplace=True)
def clamp_min(input: Tensor, min: Any, *, out: Any = None) -> Tensor:
    """Values not below `min`."""
    _demand_bound(min)
    found = _LOWER[isinstance(min, Tensor)](input, min, None)
    return found if out is None else write_out("clamp_min", out, found)


@composite(inplace=True)
def clamp_max(input: Tensor, max: Any, *, out: Any = None) -> Tensor:
    """Values not above `max`."""
    _demand_bound(max)
    found = _UPPER[isinstance(max, Tensor)](input, None, max)
    return found if out is None else write_out("clamp_max", out, found)


for _name, _other in dict(
    not_equal="ne", less="lt", less_equal="le", greater="gt", greater_equal="ge", clip="clamp",
).items():  # fmt: skip
    alias(_name, _other)
