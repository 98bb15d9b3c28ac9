"""Pointwise functions of two: angles, magnitudes, neighbours; floating point taken apart."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from ..core.mutate import write_out
from ..core.op import Array, alias, composite, op
from ..core.tensor import Tensor
from . import return_types
from .kinds import (
    COMPLEX,
    FLOAT,
    FLOATING,
    REAL,
    in_single,
    is_complex,
    kind,
    refuse,
    scalar_name,
)  # fmt: skip
from .refused import without_gradient
from .unary import LN2, conj, turned, zeros_of


@op(elementwise=True, promote="float")
def atan2(input: Array, other: Array):
    refuse("atan2_cpu", input, REAL)
    return jnp.arctan2(input, other)


@atan2.gradient
def _(grad, input, other):
    size = input * input + other * other
    scaled = grad * size.reciprocal().masked_fill(size == 0, 0)
    return scaled * other, scaled * -input


@op(elementwise=True)
def hypot(input: Array, other: Array):
    refuse("hypot_cpu", input, FLOATING)
    return in_single(jnp.hypot)(input, other)


@hypot.gradient
def _(grad, input, other, result):
    return grad * (input / result), grad * (other / result)


def _log_sum(name: str, body: Any, rule: Any, refused: frozenset[int]) -> None:
    def log_sum(input: Array, other: Array):
        refuse(f"{name}_cpu", input, refused)
        return body(input, other)

    op(elementwise=True, name=name)(log_sum).gradient(rule)


def log_add_exp(a: Any, b: Any) -> Any:
    """log(exp a + exp b); the phase of the larger complex number is not reduced, as in PyTorch."""
    if not is_complex(a):
        return jnp.logaddexp(a, b)
    smaller = a.real < b.real
    low, high = jnp.where(smaller, a, b), jnp.where(smaller, b, a)
    return high + jnp.log1p(jnp.exp(low - high))


def _logaddexp_rule(grad, input, other):
    first, second = (1 + (other - input).exp()).conj(), (1 + (input - other).exp()).conj()
    return grad / first, grad / second


def _logaddexp2_rule(grad, input, other):
    return grad / (1 + (other - input).exp2()), grad / (1 + (input - other).exp2())


_log_sum("logaddexp", log_add_exp, _logaddexp_rule, FLOATING - {COMPLEX})
_log_sum("logaddexp2", jnp.logaddexp2, _logaddexp2_rule, FLOATING)


@op(elementwise=True)
def nextafter(input: Array, other: Array):
    refuse("nextafter_cpu", input, FLOATING)
    return jnp.nextafter(input, other)


@nextafter.gradient
def _(grad, input, other):
    return grad.masked_fill(input == other, 0), zeros_of(grad)


@op(elementwise=True, promote="none", module=None, name="heaviside", differentiable=False)
def step_function(input: Array, values: Array):
    if is_complex(input):
        raise RuntimeError("heaviside is not yet implemented for complex tensors.")
    if input.dtype != values.dtype:
        raise RuntimeError(
            "heaviside is not yet implemented for tensors with different dtypes."
        )
    return jnp.where(input == 0, values, (input > 0).astype(input.dtype))


@composite(inplace=True)
def heaviside(input: Tensor, values: Tensor, *, out: Any = None) -> Tensor:
    """0 left of zero, 1 right of it, `values` at it."""
    found = without_gradient("heaviside", step_function(input, values), input, values)
    return found if out is None else write_out("heaviside", out, found)


@op(elementwise=True, promote="float")
def ldexp(input: Array, other: Array):
    return input * jnp.exp2(other)


@ldexp.gradient
def _(grad, input, other, result):
    power = 2**other if isinstance(other, Tensor) else 2.0**other
    return grad * conj(power), grad * conj(result) * LN2


@op(elementwise=True, method=False, promote="none")
def polar(abs: Array, angle: Array):
    for x in (abs, angle):
        if kind(x) != FLOAT:
            names = scalar_name(abs), scalar_name(angle)
            raise RuntimeError(
                "Expected both inputs to be Half, Float or Double tensors but got {} and {}".format(
                    *names
                )
            )
    if abs.dtype != angle.dtype:
        names = scalar_name(abs), scalar_name(angle)
        raise RuntimeError(
            "Expected object of scalar type {} but got scalar type {} for second argument".format(
                *names
            )
        )
    return lax.complex(abs * jnp.cos(angle), abs * jnp.sin(angle))


@op(elementwise=True, promote="none", module=None, returns=tuple)
def polar_slopes(grad: Array, result: Array):
    across = lax.complex(-result.imag, result.real)
    return (jnp.conj(grad) * turned(result)).real, (jnp.conj(grad) * across).real


@polar.gradient
def _(grad, result):
    return polar_slopes(grad, result)


@op(module=None, node="FrexpBackward0")
def split_exponent(input: Array):
    if kind(input) != FLOAT:
        raise RuntimeError("torch.frexp() only supports floating-point dtypes")
    wide = input if input.dtype.itemsize > 2 else input.astype(jnp.float32)
    with jax.numpy_dtype_promotion("standard"):  # which jnp.frexp of float64 leans on
        mantissa, exponent = jnp.frexp(wide)
    return mantissa.astype(input.dtype), exponent.astype(jnp.int32)


@split_exponent.gradient
def _(grad, result1):
    return grad / result1.to(grad.dtype).exp2()


@composite
def frexp(input: Tensor) -> Any:
    """Mantissa in [0.5, 1) and power of two, as a named tuple."""
    return return_types.frexp(split_exponent(input))


alias("arctan2", "atan2")
