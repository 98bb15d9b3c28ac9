"""The incomplete gamma functions, with an expansion where XLA's series stops too early."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import jax.scipy.special as jsp
from jax import lax

from ..core.mutate import write_out
from ..core.op import Array, alias, composite, op
from ..core.tensor import Tensor
from .kinds import FLOATING, refuse
from .refused import refuse_gradient

LARGE = 200  # from here on, near x = a, Temme's uniform expansion is used
TEMME = (  # its coefficients: powers of eta, for each power of 1 / a
    (-1 / 3, 1 / 12, -2 / 135, 1 / 864, 1 / 2835, -139 / 777600, 1 / 25515),
    (-1 / 540, -1 / 288, 1 / 378, -77 / 77760, 1 / 4860),
    (25 / 6048, -139 / 51840, 1 / 1296),
)


def _polynomial(coefficients: Any, x: Any) -> Any:
    total = jnp.zeros_like(x)
    for c in reversed(coefficients):
        total = total * x + c
    return total


def _uniform(a: Any, x: Any, sign: int) -> Any:
    """P(a, x) (sign 1) or Q(a, x) (sign -1) for large a and x near a."""
    offset = (x - a) / a
    series = [(-1) ** k / k for k in range(2, 12)]  # offset - log(1 + offset), without cancelling
    small = offset * offset * _polynomial(series, offset)
    half = jnp.where(jnp.abs(offset) < 0.1, small, offset - jnp.log1p(offset))
    eta = jnp.sign(offset) * jnp.sqrt(2 * half)
    rest = sum(_polynomial(c, eta) / a**k for k, c in enumerate(TEMME))
    rest = rest * jnp.exp(-a * half) / jnp.sqrt(2 * math.pi * a)
    return 0.5 * lax.erfc(-sign * eta * jnp.sqrt(a / 2)) - sign * rest


def _incomplete(name: str, body: Callable[..., Any], sign: int) -> None:
    full, none = (1.0, 0.0) if sign > 0 else (0.0, 1.0)  # the values right of the mass and left

    def gamma(input: Array, other: Array):
        refuse(f"{name}_cpu", input, FLOATING)
        a, x = jnp.broadcast_arrays(input, other)
        plain = (a > 0) & (x > 0) & jnp.isfinite(a) & jnp.isfinite(x)
        one = jnp.ones_like(a)
        close = plain & (a > LARGE) & (jnp.abs(x - a) < 4.5 * jnp.sqrt(a))
        found = body(*(jnp.where(plain & ~close, v, one) for v in (a, x)))
        near_a, near_x = (jnp.where(close, v, LARGE * one) for v in (a, x))
        near = _uniform(near_a, near_x, sign)
        found = jnp.where(close, near, found)
        at_limit = jnp.where(jnp.isinf(x), full * one, jnp.full_like(a, jnp.nan))
        at_limit = jnp.where(jnp.isinf(a), jnp.where(jnp.isinf(x), jnp.nan, none * one), at_limit)
        at_limit = jnp.where((x == 0) & (a > 0), none * one, at_limit)
        at_limit = jnp.where((a == 0) & (x > 0), full * one, at_limit)
        at_limit = jnp.where((a < 0) | (x < 0), jnp.full_like(a, jnp.nan), at_limit)
        return jnp.where(plain, found, at_limit)

    def rule(grad, input, other):
        density = ((input - 1) * other.log() - other - input.lgamma()).exp()
        return None, sign * grad * density

    made = op(elementwise=True, module=None, name=name)(gamma)
    made.gradient(rule)

    def function(input: Tensor, other: Tensor, *, out: Any = None) -> Tensor:
        found = made(input, other)
        if input.requires_grad:
            text = f"the derivative for '{name}: input' is not implemented."
            node = f"{name.title()}Backward0"
            found = refuse_gradient(found, text, node, input, other, error=NotImplementedError)
        return found if out is None else write_out(name, out, found)

    function.__doc__ = f"The regularised incomplete gamma function ({name})."
    composite(name=name, inplace=True)(function)


_incomplete("igamma", jsp.gammainc, 1)
_incomplete("igammac", jsp.gammaincc, -1)
alias("gammainc", "igamma", module="special", of="torch")
alias("gammaincc", "igammac", module="special", of="torch")
