"""Bessel and Airy functions of torch.special, by Chebyshev series fitted once to scipy's values."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import jax.numpy as jnp
import jax.scipy.special as jsp
import numpy as np

from ..core.op import unary
from .kinds import COMPLEX, refuse

DEGREE = 24  # enough for float64 on every interval below
EDGE = 8.0  # where the oscillating functions change from series to asymptotic form


def _fit(function: Callable[[np.ndarray], np.ndarray], low: float, high: float) -> np.ndarray:
    """Chebyshev coefficients of a function on [low, high]."""
    made = np.polynomial.chebyshev.Chebyshev.interpolate(function, DEGREE, domain=[low, high])
    return made.coef


def _series(coefficients: np.ndarray, x: Any, low: float, high: float) -> Any:
    """Clenshaw's sum; x is held inside [low, high]."""
    t = (2 * jnp.clip(x, low, high) - (low + high)) / (high - low)
    first = second = jnp.zeros_like(t)
    for c in coefficients[:0:-1]:
        first, second = 2 * t * first - second + float(c), first
    return t * first - second + float(coefficients[0])


@cache
def _tables() -> dict[str, np.ndarray]:
    from scipy import special as exact  # imported when first needed: 30 ms

    def of_square(function: Callable[[np.ndarray], np.ndarray], edge: float) -> np.ndarray:
        return _fit(lambda t: function(np.sqrt(t)), 0.0, edge * edge)

    def waves(first: Any, second: Any, phase: float) -> tuple[np.ndarray, np.ndarray]:
        """P and Q of first = √(2/πx)(P cos - Q sin), second = √(2/πx)(P sin + Q cos)."""

        def part(in_phase: bool) -> Callable[[np.ndarray], np.ndarray]:
            def function(t: np.ndarray) -> np.ndarray:
                x = EDGE / np.sqrt(t)
                c, s = np.cos(x - phase), np.sin(x - phase)
                a, b = np.sqrt(np.pi * x / 2) * np.array([first(x), second(x)])
                return a * c + b * s if in_phase else (b * c - a * s) / np.sqrt(t)

            return function

        return _fit(part(True), 0.0, 1.0), _fit(part(False), 0.0, 1.0)

    p0, q0 = waves(exact.j0, exact.y0, math.pi / 4)
    p1, q1 = waves(exact.j1, exact.y1, 3 * math.pi / 4)
    return {
        "p0": p0, "q0": q0, "p1": p1, "q1": q1,
        "j0": of_square(exact.j0, EDGE),
        "j1": of_square(lambda x: exact.j1(x) / x, EDGE),
        "y0": of_square(lambda x: exact.y0(x) - 2 / np.pi * np.log(x) * exact.j0(x), EDGE),
        "y1": of_square(
            lambda x: (exact.y1(x) - 2 / np.pi * (np.log(x) * exact.j1(x) - 1 / x)) / x, EDGE
        ),
        "k0": of_square(lambda x: exact.k0(x) + np.log(x / 2) * exact.i0(x), 2.0),
        "k1": of_square(lambda x: (exact.k1(x) - 1 / x - np.log(x / 2) * exact.i1(x)) / x, 2.0),
        "k0_far": _fit(lambda t: exact.k0e(2 / t) * np.sqrt(2 / t), 0.0, 1.0),
        "k1_far": _fit(lambda t: exact.k1e(2 / t) * np.sqrt(2 / t), 0.0, 1.0),
        **_airy_tables(exact),
    }  # fmt: skip


# ----- oscillating functions -----
def _wave(order: int, x: Any, second_kind: bool) -> Any:
    """J or Y of x >= EDGE from amplitude and phase."""
    tables, inverse = _tables(), EDGE / jnp.maximum(x, EDGE)
    p = _series(tables[f"p{order}"], inverse * inverse, 0.0, 1.0)
    q = _series(tables[f"q{order}"], inverse * inverse, 0.0, 1.0) * inverse
    turn = x - (0.25 + 0.5 * order) * math.pi
    c, s = jnp.cos(turn), jnp.sin(turn)
    return jnp.sqrt(2 / (math.pi * x)) * (p * s + q * c if second_kind else p * c - q * s)


def _near(name: str, x: Any, edge: float = EDGE) -> Any:
    return _series(_tables()[name], jnp.square(jnp.minimum(x, edge)), 0.0, edge * edge)


def bessel_j0(x: Any) -> Any:
    x = jnp.abs(x)
    return jnp.where(x < EDGE, _near("j0", x), _wave(0, x, False))


def bessel_j1(x: Any) -> Any:
    size = jnp.abs(x)
    value = jnp.where(size < EDGE, size * _near("j1", size), _wave(1, size, False))
    return jnp.where(x < 0, -value, value)


def bessel_y0(x: Any) -> Any:
    near = _near("y0", x) + 2 / math.pi * jnp.log(x) * bessel_j0(x)
    return _from_zero(x, -jnp.inf, jnp.where(x < EDGE, near, _wave(0, x, True)))


def bessel_y1(x: Any) -> Any:
    near = x * _near("y1", x) + 2 / math.pi * (jnp.log(x) * bessel_j1(x) - 1 / x)
    return _from_zero(x, -jnp.inf, jnp.where(x < EDGE, near, _wave(1, x, True)))


def _from_zero(x: Any, at_zero: float, value: Any) -> Any:
    """`value`, its limit at 0 and nan below."""
    below = jnp.where(x == 0, jnp.asarray(at_zero, x.dtype), jnp.asarray(jnp.nan, x.dtype))
    return jnp.where(x > 0, value, below)


# ----- modified functions of the second kind -----
def _k(order: int, x: Any, scaled: bool) -> Any:
    log = jnp.log(x / 2)
    near = _near("k0", x, 2.0) - log * jsp.i0(x)
    if order == 1:
        near = x * _near("k1", x, 2.0) + log * jsp.i1(x) + 1 / x
    far = _series(_tables()[f"k{order}_far"], 2 / x, 0.0, 1.0) / jnp.sqrt(x)
    value = jnp.where(x <= 2, near * jnp.exp(x), far)
    if not scaled:
        value = jnp.where(x <= 2, near, far * jnp.exp(-x))
    return _from_zero(x, jnp.inf, value)


# ----- Airy's function -----
AIRY_LOW, AIRY_HIGH = -4.0, 2.0


def _zeta(x: Any) -> Any:
    return 2 / 3 * x * x**0.5


def _airy_tables(exact: Any) -> dict[str, np.ndarray]:
    last = 1 / _zeta(AIRY_HIGH)
    first = 1 / _zeta(-AIRY_LOW) ** 2

    def decay(t: np.ndarray) -> np.ndarray:
        x = (1.5 / t) ** (2 / 3)
        return exact.airye(x)[0] * x**0.25

    def part(in_phase: bool) -> Callable[[np.ndarray], np.ndarray]:
        def function(t: np.ndarray) -> np.ndarray:
            x = (1.5 / np.sqrt(t)) ** (2 / 3)
            turn = _zeta(x) - np.pi / 4
            ai, _, bi, _ = exact.airy(-x) * x**0.25
            if in_phase:
                return ai * np.cos(turn) - bi * np.sin(turn)
            return (ai * np.sin(turn) + bi * np.cos(turn)) / np.sqrt(t)

        return function

    return {
        "ai": _fit(lambda x: exact.airy(x)[0], AIRY_LOW, AIRY_HIGH),
        "ai_far": _fit(decay, 0.0, last),
        "ai_p": _fit(part(True), 0.0, first),
        "ai_q": _fit(part(False), 0.0, first),
    }


def airy_ai(x: Any) -> Any:
    tables = _tables()
    middle = _series(tables["ai"], x, AIRY_LOW, AIRY_HIGH)
    right = jnp.maximum(x, AIRY_HIGH)
    zeta = _zeta(right)
    decay = _series(tables["ai_far"], 1 / zeta, 0.0, 1 / _zeta(AIRY_HIGH))
    decay = decay * jnp.exp(-zeta) / jnp.sqrt(jnp.sqrt(right))
    left = jnp.maximum(-x, -AIRY_LOW)
    zeta, last = _zeta(left), 1 / _zeta(-AIRY_LOW) ** 2
    p = _series(tables["ai_p"], 1 / zeta**2, 0.0, last)
    q = _series(tables["ai_q"], 1 / zeta**2, 0.0, last) / zeta
    turn = zeta - math.pi / 4
    wave = (p * jnp.cos(turn) + q * jnp.sin(turn)) / jnp.sqrt(jnp.sqrt(left))
    value = jnp.where(x > AIRY_HIGH, decay, jnp.where(x < AIRY_LOW, wave, middle))
    return jnp.where(jnp.isinf(x) | (x != x), jnp.asarray(jnp.nan, x.dtype), value)


def spherical_bessel_j0(x: Any) -> Any:
    safe = jnp.where(x == 0, jnp.ones_like(x), x)
    value = jnp.where(x == 0, jnp.ones_like(x), jnp.sin(safe) / safe)
    return jnp.where(jnp.isinf(x), jnp.zeros_like(x), value)


def _row(name: str, body: Callable[[Any], Any]) -> None:
    def checked(input: Any) -> Any:
        refuse(f"{name}_cpu", input, frozenset({COMPLEX}))
        return body(input)

    unary(name, checked, module="special", differentiable=False, out=True)


for _name, _body in dict(
    bessel_j0=bessel_j0, bessel_j1=bessel_j1, bessel_y0=bessel_y0, bessel_y1=bessel_y1,
    modified_bessel_i0=jsp.i0, modified_bessel_i1=jsp.i1,
    modified_bessel_k0=lambda x: _k(0, x, False), modified_bessel_k1=lambda x: _k(1, x, False),
    scaled_modified_bessel_k0=lambda x: _k(0, x, True),
    scaled_modified_bessel_k1=lambda x: _k(1, x, True),
    airy_ai=airy_ai, spherical_bessel_j0=spherical_bessel_j0,
).items():  # fmt: skip
    _row(_name, _body)
