"""Orthogonal polynomials of torch.special: one three-term recurrence, ten rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax import lax

from ..core.op import Operand, op
from .kinds import FLOATING, INTEGER, refuse, with_tensor

Coefficients = Callable[[Any, Any], tuple[Any, Any]]


def _polynomial(name: str, first: Callable[[Any], Any], step: Coefficients, shift: bool = False):
    """p0 = 1, p1 = first(x), p(k+1) = a·pk - b·p(k-1) with (a, b) = step(k, x); 0 for n < 0."""

    def polynomial(input: Operand, n: Operand):
        refuse(name, input, FLOATING - {INTEGER})
        x, degree = jnp.broadcast_arrays(input, jnp.trunc(n))
        x = 2 * x - 1 if shift else x
        known = jnp.isfinite(degree) & (jnp.abs(degree) < 2.0**63)  # as C converts to int64
        degree = jnp.where(known, degree, -jnp.ones_like(degree))

        def advance(state):
            k, before, now = state
            a, b = step(k, x)
            after = a * now - b * before
            go = (k < degree) & (now == now)
            return k + 1, jnp.where(go, now, before), jnp.where(go, after, now)

        def running(state):
            return jnp.any((state[0] < degree) & (state[2] == state[2]))

        one = jnp.ones_like(x)
        start = (jnp.ones((), x.dtype), one, first(x))
        _, _, value = lax.while_loop(running, advance, start)
        return jnp.where(degree < 0, jnp.zeros_like(x), jnp.where(degree == 0, one, value))

    op(
        promote=with_tensor(name, to_float=True), module="special", name=name, out=True,
        differentiable=False,
    )(polynomial)  # fmt: skip


def _chebyshev(k: Any, x: Any) -> tuple[Any, Any]:
    return 2 * x, 1


for _prefix, _shift in (("", False), ("shifted_", True)):
    for _kind, _first in dict(
        t=lambda x: x, u=lambda x: 2 * x, v=lambda x: 2 * x - 1, w=lambda x: 2 * x + 1
    ).items():
        _polynomial(f"{_prefix}chebyshev_polynomial_{_kind}", _first, _chebyshev, _shift)
_polynomial("hermite_polynomial_h", lambda x: 2 * x, lambda k, x: (2 * x, 2 * k))
_polynomial("hermite_polynomial_he", lambda x: x, lambda k, x: (x, k))
_polynomial(
    "laguerre_polynomial_l",
    lambda x: 1 - x,
    lambda k, x: ((2 * k + 1 - x) / (k + 1), k / (k + 1)),
)
_polynomial(
    "legendre_polynomial_p",
    lambda x: x,
    lambda k, x: ((2 * k + 1) * x / (k + 1), k / (k + 1)),
)
