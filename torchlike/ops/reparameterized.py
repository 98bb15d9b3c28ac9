"""How draws of gamma and Dirichlet variables move with their concentrations.

PyTorch's own approximations (series near the ends, Rice's saddle point for large parameters, a
fitted rational function between), good to about 1e-3, so that gradients equal PyTorch's. They are
computed in float64, as PyTorch does for float32.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..core.op import Array, op

_GAMMA = (  # powers of log(x / a) down, of log(a) across: numerator, denominator
    (0.16009398, -0.094634809, 0.025146376, -0.0030648343, 1, 0.32668115, 0.10406089, 0.0014179084),
    (0.53487893, 0.1298071, 0.065735949, -0.0015649758,
     0.16639465, 0.020070113, -0.0035938915, -0.00058392623),
    (0.040121004, -0.0065914022, -0.0026286047, -0.0013441777,
     0.017050642, -0.0021309326, 0.00085092367, -1.5247877e-07),
)  # fmt: skip
_BETA = np.array((  # numerator and denominator: powers of log x, of log(a / x), of the third
    (1.003668233, -0.01061107488, -0.0657888334, 0.01201642863),
    (0.6336835991, -0.3557432599, 0.05486251648, -0.001465281033),
    (-0.03276231906, 0.004474107445, 0.002429354597, -0.0001557569013),
    (0.221950385, -0.3187676331, 0.01799915743, 0.01074823814),
    (-0.2951249643, 0.06219954479, 0.01535556598, 0.001550077057),
    (0.02155310298, 0.004170831599, 0.001292462449, 6.976601077e-05),
    (-0.05980841433, 0.008441916499, 0.01085618172, 0.002319392565),
    (0.02911413504, 0.01400243777, -0.002721828457, 0.000751041181),
    (0.005900514878, -0.001936558688, -9.495446725e-06, 5.385558597e-05),
    (1, -0.02924021934, -0.04438342661, 0.007285809825),
    (0.6357567472, -0.3473456711, 0.05454656494, -0.002407477521),
    (-0.03301322327, 0.004845219414, 0.00231480583, -0.0002307248149),
    (0.5925320577, -0.1757678135, 0.01505928619, 0.000564515273),
    (0.1014815858, -0.06589186703, 0.01272886114, -0.0007316646956),
    (-0.007258481865, 0.001096195486, 0.0003934994223, -4.12701925e-05),
    (0.06469649321, -0.0236701437, 0.002902096474, -5.896963079e-05),
    (0.001925008108, -0.002869809258, 0.0008000589141, -6.063713228e-05),
    (-0.0003477407336, 6.959756487e-05, 1.097287507e-05, -1.650964693e-06),
)).reshape(2, 3, 3, 4)  # fmt: skip


def _polynomial(x: Any, coefficients: Sequence[Any]) -> Any:
    return functools.reduce(lambda total, c: c + x * total, reversed(coefficients))


def _wide(*arrays: Any) -> list[Any]:
    return [jnp.asarray(x, jnp.float64) for x in arrays]


def _no_nan(x: Any) -> Any:
    return jnp.where(jnp.isnan(x), 0.0, x)


# ----- gamma -----


@op(promote="none", method=False, out=False)
def _standard_gamma_grad(input: Array, output: Array):
    """d draw / d concentration of a standard gamma variable."""
    a, x = _wide(input, output)
    middle = jnp.where(a > 8.0, _gamma_saddle(a, x), _gamma_fitted(a, x))
    return jnp.where(x < 0.8, _gamma_series(a, x), middle).astype(input.dtype)


def _gamma_series(a: Any, x: Any) -> Any:
    """By Taylor's series of the distribution function in x."""
    numer, first, second = 1.0, 1 / a, 1 / (a * a)
    for i in range(1, 6):
        numer = numer * -x / i
        first = first + numer / (a + i)
        second = second + numer / (a + i) ** 2
    power = x**a
    cdf = power * first
    slope = (jnp.log(x) - jax.scipy.special.digamma(a)) * cdf - power * second
    return _no_nan(-slope / (x ** (a - 1) * jnp.exp(-x)))


def _gamma_saddle(a: Any, x: Any) -> Any:
    numer = 1440 * a**2 + 6 * x * (53 - 120 * x) - 65 * x * x / a + a * (107 + 3600 * x)
    near = (1 + 24 * a * (1 + 12 * a)) * numer / (1244160 * a**4)
    root, log_ratio = jnp.sqrt(8 * a), jnp.log(x / a)
    cube = (x - a - a * log_ratio) ** -1.5
    both = root / (a - x) + jnp.where(x < a, -cube, cube)
    term = log_ratio * both - jnp.sqrt(2 / a) * (a + x) / (a - x) ** 2
    stirling = 1 + 1 / (12 * a) * (1 + 1 / (24 * a))
    return jnp.where((0.9 * a <= x) & (x <= 1.1 * a), near, -stirling * x * term / root)


def _gamma_fitted(a: Any, x: Any) -> Any:
    u, v = jnp.log(x / a), jnp.log(a)
    row = [_polynomial(u, column) for column in zip(*_GAMMA)]
    return jnp.exp(_polynomial(v, row[:4]) / _polynomial(v, row[4:]))


# ----- Dirichlet -----


@op(promote="none", method=False, out=False)
def _dirichlet_grad(x: Array, alpha: Array, total: Array):
    """d x / d alpha / (1 - x) of a part of a Dirichlet draw; total is the concentrations' sum."""
    x_, a, whole = _wide(x, alpha, total)
    b = whole - a
    edge = whole * x_ * (1 - x_)
    middle = jnp.where((a > 6) & (b > 6), _beta_saddle(x_, a, b), _beta_fitted(x_, a, whole))
    high = jnp.where((x_ >= 0.5) & (edge < 0.75), -_beta_other(1 - x_, b, a), middle)
    low = _beta_own(x_, a, b)
    return jnp.where((x_ <= 0.5) & (edge < 2.5), low, high).astype(x.dtype)


def _beta_own(x: Any, a: Any, b: Any) -> Any:
    """For x near 0, towards the first concentration."""
    digamma = jax.scipy.special.digamma
    factor = digamma(a) - digamma(a + b) - jnp.log(x)
    numer, series = 1.0, (factor + 1 / a) / a
    for i in range(1, 11):
        numer = numer * (i - b) * x / i
        series = series + numer / (a + i) * (factor + 1 / (a + i))
    return _no_nan(x * (1 - x) ** -b * series)


def _beta_other(x: Any, a: Any, b: Any) -> Any:
    """For x near 0, towards the second concentration."""
    digamma = jax.scipy.special.digamma
    factor = digamma(a + b) - digamma(b)
    numer, product, slope, series = 1.0, 1.0, 0.0, factor / a
    for i in range(1, 9):
        numer = numer * -x / i
        slope = slope * (b - i) + product
        product = product * (b - i)
        series = series + numer / (a + i) * (slope + factor * product)
    return _no_nan(-((1 - x) ** (1 - b)) * series)


def _beta_saddle(x: Any, a: Any, b: Any) -> Any:
    """For two large concentrations."""
    total = a + b
    mean = a / total
    std = jnp.sqrt(a * b / (total + 1)) / total
    near = (mean - 0.1 * std <= x) & (x <= mean + 0.1 * std)
    return jnp.where(near, _beta_at_mean(x, a, b), _beta_off_mean(x, a, b, mean))


def _beta_at_mean(x: Any, a: Any, b: Any) -> Any:
    total = a + b
    rows = [
        47 * x * b**4,
        (43 + 20 * (16 + 27 * b) * x) * b**3,
        3 * (59 + 180 * b - 90 * x) * b**2,
        (453 + 1620 * b * (1 - x) - 455 * x) * b,
        8 * (1 - x) * (135 * b - 11),
    ]
    above = (1 + 12 * a) * (1 + 12 * b) / total**2
    return above / (1 - x) * _polynomial(a, rows) / (12960 * a**3 * b**2 * (1 + 12 * total))


def _stirling(z: Any) -> Any:
    return 1 + 1 / (12 * z) + 1 / (288 * z * z)


def _beta_off_mean(x: Any, a: Any, b: Any, mean: Any) -> Any:
    total = a + b
    away = a * (x - 1) + b * x
    prefactor = -x / jnp.sqrt(2 * a * b / total)
    numer = 2 * a**2 * (x - 1) + a * b * (x - 1) - x * b**2
    first = numer / (jnp.sqrt(2 * a / b) * total**1.5 * away**2)
    ratio = jnp.log(a / (total * x))
    cube = (b * jnp.log(b / (total * (1 - x))) + a * ratio) ** -1.5
    third = jnp.sqrt(8 * a * b / total) / away
    terms = first + 0.5 * ratio * (third + jnp.where(x < mean, cube, -cube))
    return _stirling(a) * _stirling(b) / _stirling(total) * prefactor * terms


def _beta_fitted(x: Any, a: Any, total: Any) -> Any:
    u = jnp.log(x)
    v = jnp.log(a) - u
    w = jnp.log(total) - v
    above, below = (
        sum(u**i * v**j * _polynomial(w, table[i, j]) for i in range(3) for j in range(3))
        for table in _BETA
    )
    digamma = jax.scipy.special.digamma
    return above / below * x * (digamma(total) - digamma(a)) / (total - a)
