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
    """The sum of (q + k)^-x over k >= 0, in double precision as in PyTorch."""
    kind = x.dtype
    x, q = jnp.broadcast_arrays(x.astype(jnp.float64), q.astype(jnp.float64))
    left = q <= 0
    whole = jnp.floor(q) == q
    pole = (x == 1) | (~(x < 1) & left & whole)
    undefined = (x < 1) | (left & ~whole & (jnp.floor(x) != x))
    plain = ~(pole | undefined)
    value = _sum(
        jnp.where(plain, x, jnp.full_like(x, 2)), jnp.where(plain, q, jnp.full_like(q, SHIFT))
    )
    value = jnp.where(undefined, jnp.full_like(value, jnp.nan), value)
    return jnp.where(pole & ~(x < 1), jnp.full_like(value, jnp.inf), value).astype(kind)


def _sum(x: Any, q: Any) -> Any:
    eps = jnp.finfo(x.dtype).eps

    def more(state: Any) -> Any:
        return jnp.any(state[3])

    def add(state: Any) -> Any:
        a, count, total, active, done = state
        a = jnp.where(active, a + 1, a)
        term = jnp.power(a, -x)
        total = jnp.where(active, total + term, total)
        done = done | (active & (jnp.abs(term) < eps * jnp.abs(total)))
        count = count + 1
        return a, count, total, active & ~done & ((count < 9) | (a <= SHIFT)), done

    active = jnp.ones_like(q, dtype=bool)
    start = (q, jnp.zeros((), jnp.int64), jnp.power(q, -x), active, ~active)
    a, _, total, _, done = lax.while_loop(more, add, start)
    return jnp.where(done, total, _tail(x, a, total))


def _tail(x: Any, a: Any, total: Any) -> Any:
    """What Euler and Maclaurin add to the terms up to a."""
    term = jnp.power(a, -x)
    total = total + term * a / (x - 1) - 0.5 * term
    rising, k, settled = jnp.ones_like(x), 0, jnp.zeros_like(x, dtype=bool)
    for weight in WEIGHTS:
        rising, term = rising * (x + k), term / a
        more = rising * term * weight
        total = jnp.where(settled, total, total + more)
        settled = settled | (jnp.abs(more) < jnp.finfo(x.dtype).eps * jnp.abs(total))
        rising, term, k = rising * (x + k + 1), term / a, k + 2
    return total
