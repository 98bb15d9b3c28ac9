"""Hurwitz's zeta function by Euler and Maclaurin, accurate left of zero too (XLA's is not)."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import jax.numpy as jnp
from jax import lax

BERNOULLI = [
    Fraction(n, d) for n, d in (
        (1, 6), (-1, 30), (1, 42), (-1, 30), (5, 66), (-691, 2730), (7, 6), (-3617, 510),
        (43867, 798), (-174611, 330), (854513, 138), (-236364091, 2730),
    )
]  # fmt: skip
WEIGHTS = [float(b / math.factorial(2 * i + 2)) for i, b in enumerate(BERNOULLI)]
SHIFT = 9.0  # the series is summed directly up to here


def zeta(x: Any, q: Any) -> Any:
    """The sum of (q + k)^-x over k >= 0."""
    x, q = jnp.broadcast_arrays(x, q)
    whole = jnp.floor(q) == q
    pole = (x == 1) | ((q <= 0) & whole & (x > 1))
    undefined = (x < 1) | ((q <= 0) & ~whole & (jnp.floor(x) != x)) | (x != x) | (q != q)
    start = jnp.where(undefined | pole, jnp.full_like(q, SHIFT), q)
    order = jnp.where(undefined | pole, jnp.full_like(x, 2), x)
    value = _sum(order, start)
    value = jnp.where(pole, jnp.full_like(value, jnp.inf), value)
    return jnp.where(undefined & (x != 1), jnp.full_like(value, jnp.nan), value)


def _sum(x: Any, q: Any) -> Any:
    def more(state: Any) -> Any:
        return jnp.any(state[3])

    def add(state: Any) -> Any:
        a, count, total, active = state
        a = jnp.where(active, a + 1, a)
        term = jnp.power(a, -x)
        total = jnp.where(active, total + term, total)
        count = count + 1
        return a, count, total, active & ((count < 9) | (a <= SHIFT))

    active = jnp.ones_like(q, dtype=bool)
    start = (q, jnp.zeros((), jnp.int64), jnp.power(q, -x), active)
    a, _, total, _ = lax.while_loop(more, add, start)
    term = jnp.power(a, -x)
    total = total + term * a / (x - 1) - 0.5 * term
    rising, k = jnp.ones_like(x), 0
    for weight in WEIGHTS:
        rising, term = rising * (x + k), term / a
        total = total + rising * term * weight
        rising, term, k = rising * (x + k + 1), term / a, k + 2
    return total
