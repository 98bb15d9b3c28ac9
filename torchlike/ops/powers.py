"""Powers, and the operators with a number on the left."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from ..core.dtypes import SCALAR_NAMES, complex128, float64
from ..core.intercept import DUCKS
from ..core.mutate import write_out
from ..core.op import TABLE, Array, Operand, composite, op
from ..core.plan import NUMBERS
from ..core.tensor import Tensor
from .elementwise import floor_divide
from .kinds import NUMERIC, in_single, is_exact, refuse
from .unary import conj, zeros_of

NEGATIVE_POWER = "Integers to negative integer powers are not allowed."
STATIC_POWERS = frozenset({-0.5, 0.5} | {float(n) for n in range(-8, 9)})


@op(elementwise=True, module=None, node="PowBackward0")
def pow_static(input: Array, exponent: Any):
    if is_exact(input):
        if exponent < 0:
            raise RuntimeError(NEGATIVE_POWER)
        wide = input.astype(jnp.int64) if input.dtype == bool else input
        return lax.integer_pow(wide, exponent)
    if exponent == int(exponent):
        whole = functools.partial(lax.integer_pow, y=int(exponent))  # ATen's bfloat16 stays in 16
        return (whole if input.dtype == jnp.bfloat16 else in_single(whole))(input)
    root = jnp.sqrt(input)
    return root if exponent == 0.5 else 1 / root


@op(elementwise=True, module=None, node="PowBackward0")
def pow_scalar(input: Operand, exponent: Operand):
    return _power(input, exponent)


@op(elementwise=True, module=None, node="PowBackward1")
def pow_tensor(input: Operand, exponent: Operand):
    return _power(input, exponent)


@op(elementwise=True, module=None, node="PowBackward2")
def pow_base(input: Operand, exponent: Operand):
    return _power(input, exponent)


def _power(base: Any, exponent: Any) -> Any:
    refuse("pow", base, NUMERIC)
    if not is_exact(base):
        return jnp.power(base, exponent)
    # a negative power of an integer is 0 …
    powered = jnp.power(base, jnp.maximum(exponent, jnp.zeros_like(exponent)))
    odd = jnp.where(exponent % 2 == 0, jnp.ones_like(base), base)
    inverse = jnp.where(jnp.abs(base) == 1, odd, jnp.zeros_like(base))  # … or ±1
    return jnp.where(exponent >= 0, powered, inverse)


@pow_static.gradient
def _(grad, input, exponent):
    if exponent == 0:
        return zeros_of(grad)
    return grad * conj(exponent * input.pow(exponent - 1))


def _base_rule(grad, input, exponent):
    slope = grad * conj(exponent * input.pow(exponent - 1))
    if isinstance(exponent, Tensor):
        return slope.masked_fill(exponent == 0, 0)
    return slope if exponent else zeros_of(grad)


@pow_scalar.gradient
def _(grad, input, exponent):
    return _base_rule(grad, input, exponent), None


def _exponent_rule(grad, input, exponent, result):
    log = input.log() if isinstance(input, Tensor) else exponent.new_tensor(input).log()
    slope = grad * conj(result * log)
    at_zero = exponent == exponent if slope.is_complex() else exponent >= 0
    return slope.masked_fill((input == 0) & at_zero, 0)


@pow_tensor.gradient
def _(grad, input, exponent, result):
    return _base_rule(grad, input, exponent), _exponent_rule(grad, input, exponent, result)


@pow_base.gradient
def _(grad, input, exponent, result):
    return None, _exponent_rule(grad, input, exponent, result)


@composite(inplace=True)
def pow(input: Any, exponent: Any, *, out: Any = None) -> Tensor:
    """input ** exponent; small constant exponents are compiled in."""
    if out is not None:
        return write_out("pow", out, pow(input, exponent))
    if isinstance(exponent, Tensor):
        return (pow_tensor if isinstance(input, Tensor) else pow_base)(input, exponent)
    if type(exponent) is int and -8 <= exponent <= 8:
        return pow_static(input, exponent)
    if type(exponent) is float and exponent in STATIC_POWERS and input.dtype.is_floating_point:
        return pow_static(input, exponent)
    return pow_scalar(input, exponent)


@composite
def float_power(input: Any, exponent: Any, *, out: Any = None) -> Tensor:
    """input ** exponent in float64 (complex128 for complex operands)."""
    wide = complex128 if _any_complex(input, exponent) else float64
    found = pow(*(v.to(wide) if isinstance(v, Tensor) else v for v in (input, exponent)))
    return found if out is None else write_out("float_power", out, found)


def _any_complex(*operands: Any) -> bool:
    return any(
        v.is_complex() if isinstance(v, Tensor) else isinstance(v, complex) for v in operands
    )


@composite(name="float_power_", module=None, method=True)
def float_power_(self: Tensor, exponent: Any) -> Tensor:
    """In-place float_power, for tensors that are float64 or complex128 already."""
    wide = complex128 if _any_complex(self, exponent) else float64
    if self.dtype is not wide:
        raise RuntimeError(
            f"the base given to float_power_ has dtype {SCALAR_NAMES[self.dtype]} but the "
            f"operation's result requires dtype {SCALAR_NAMES[wide]}"
        )
    return self.pow_(exponent)


@composite(inplace=True)
def square(input: Tensor, *, out: Any = None) -> Tensor:
    """input ** 2."""
    return pow(input, 2, out=out)


# ----- reflected operators: `number op tensor` -----
def _reflected(dunder: str, function: Callable[[Any, Tensor], Tensor]) -> None:
    def operator(self: Tensor, other: Any) -> Any:
        if not isinstance(other, (Tensor, *NUMBERS)) and not (
            isinstance(other, np.ndarray) and dunder == "__rtruediv__"
        ):
            asks = hasattr(type(other), "__torch_function__")
            return DUCKS[1](dunder, self, other) if asks else NotImplemented
        return function(other, self)

    composite(name=dunder, module=None, method=True)(operator)


for _dunder, _function in {
    "__rtruediv__": lambda other, self: self.reciprocal() * other,  # as PyTorch does
    "__rdiv__": lambda other, self: self.reciprocal() * other,
    "__rfloordiv__": lambda other, self: floor_divide(other, self),
    "__rmod__": lambda other, self: TABLE["torch", "remainder"](other, self),
    "__rpow__": lambda other, self: pow(other, self),
    "__rmatmul__": lambda other, self: (
        other.matmul(self) if isinstance(other, Tensor) else NotImplemented
    ),
    "__rlshift__": lambda other, self: TABLE["torch", "bitwise_left_shift"](other, self),
    "__rrshift__": lambda other, self: TABLE["torch", "bitwise_right_shift"](other, self),
}.items():
    _reflected(_dunder, _function)
