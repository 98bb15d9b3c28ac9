"""Rejection samplers (gamma, Dirichlet, Poisson, binomial): PyTorch's loops, value by value."""

import math
from collections.abc import Callable

import numpy as np

from .rng import Generator
from .rng_math import TWO_PI, narrow

f32, f64 = np.float32, np.float64
_BLOCK = 4096


class _Stream:
    """Scalar uniforms and normals read in blocks; closing rewinds to the first word not used."""

    def __init__(self, generator: Generator):
        self.generator = generator
        self.start, self.words = generator.save(), 0
        self.block: list[float] = []
        self.position = 0

    def uniform(self) -> float:
        if self.position == len(self.block):
            self.block, self.position = self.generator.doubles(_BLOCK).tolist(), 0
        self.position += 1
        self.words += 1
        return self.block[self.position - 1]

    def normal(self) -> float:
        generator = self.generator
        if generator.spare is not None:
            value, generator.spare = generator.spare, None
            return value
        angle, chance = self.uniform(), self.uniform()
        radius, angle = math.sqrt(-2.0 * math.log1p(-chance)), TWO_PI * angle
        generator.spare = radius * math.sin(angle)
        return radius * math.cos(angle)

    def close(self) -> None:
        spare = self.generator.spare
        self.generator.load(self.start)
        self.generator.words64(self.words)
        self.generator.spare = spare


def _each(generator: Generator, sample: Callable, *parameters: np.ndarray) -> np.ndarray:
    """`sample(stream, *values)` for every element, in order."""
    stream, first = _Stream(generator), parameters[0]
    values = [sample(stream, *row) for row in zip(*map(np.ravel, parameters), strict=True)]
    stream.close()
    return narrow(np.array(values, f64), first.dtype).reshape(first.shape)


# ----- gamma (Marsaglia and Tsang) and Dirichlet -----

_THIRD_F32, _SQUEEZE = f32(1) / f32(3), float(f32(0.0331))


def standard_gamma(generator: Generator, shape: np.ndarray) -> np.ndarray:
    values = _each(generator, _gamma if shape.dtype == f64 else _gamma_f32, shape)
    return np.fmax(values, np.finfo(shape.dtype).tiny)


def _gamma(stream: _Stream, shape: float) -> float:
    return _gamma_core(stream, float(shape), lambda a: 1.0 / a, lambda a: a - float(_THIRD_F32))


def _gamma_f32(stream: _Stream, shape: np.floating) -> float:
    return _gamma_core(
        stream, f32(shape), lambda a: float(f32(1) / a), lambda a: float(a - _THIRD_F32)
    )


def _gamma_core(stream: _Stream, shape, inverse: Callable, less_a_third: Callable) -> float:
    scale = 1.0
    if shape < 1:
        if shape == 0:
            return 0.0
        scale = math.pow(1.0 - stream.uniform(), inverse(shape))
        shape = shape + type(shape)(1)
    d = less_a_third(shape)
    c = 1.0 / math.sqrt(9.0 * d) if d > 0 else math.nan
    while True:
        x = stream.normal()
        y = 1.0 + c * x
        if y <= 0:
            continue
        v = y * y * y
        u = 1.0 - stream.uniform()
        square = x * x
        if u < 1.0 - _SQUEEZE * square * square:
            return scale * d * v
        if math.log(u) < 0.5 * square + d * (1.0 - v + math.log(v)):
            return scale * d * v


def dirichlet(generator: Generator, concentration: np.ndarray) -> np.ndarray:
    """float64 results differ from PyTorch's by up to 4 units in the last place."""
    dtype = concentration.dtype
    gammas = standard_gamma(generator, concentration.astype(f64))
    shares = narrow(gammas / gammas.sum(-1, keepdims=True), dtype)
    one = np.ones((), dtype)
    return np.clip(shares, np.finfo(dtype).tiny, np.nextafter(one, np.zeros_like(one)))


# ----- Poisson (Hörmann's PTRS) -----


def poisson(generator: Generator, rate: np.ndarray) -> np.ndarray:
    return _each(generator, _poisson, rate.astype(f64)).astype(rate.dtype)


def _poisson(stream: _Stream, rate: float) -> float:
    if rate == 0:
        return 0
    return _poisson_many(stream, rate) if rate >= 10 else _poisson_few(stream, rate)


def _poisson_few(stream: _Stream, rate: float) -> float:
    limit, product, count = math.exp(-rate), 1.0, 0
    while True:
        product *= stream.uniform()
        if product <= limit:
            return count
        count += 1


def _poisson_many(stream: _Stream, rate: float) -> float:
    root, log_rate = math.sqrt(rate), math.log(rate)
    b = 0.931 + 2.53 * root
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    accept = 0.9277 - 3.6224 / (b - 2)
    while True:
        u, v = stream.uniform() - 0.5, stream.uniform()
        edge = 0.5 - abs(u)
        if edge == 0:
            continue
        k = math.floor((2 * a / edge + b) * u + rate + 0.43)
        if edge >= 0.07 and v <= accept:
            return k
        if k < 0 or (edge < 0.013 and v > edge):
            continue
        chance = math.log(v) if v else -math.inf
        left = chance + math.log(inverse_alpha) - math.log(a / (edge * edge) + b)
        if left <= -rate + k * log_rate - math.lgamma(k + 1):
            return k


# ----- binomial (inversion, and Hörmann's BTRS) -----

_STIRLING = (
    0.0810614667953272, 0.0413406959554092, 0.0276779256849983, 0.0207906721037650,
    0.0166446911898211, 0.0138761288230707, 0.0118967099458917, 0.0104112652619720,
    0.00925546218271273, 0.00833056343336287,
)  # fmt: skip


def binomial(generator: Generator, count: np.ndarray, p: np.ndarray) -> np.ndarray:
    return _each(generator, _binomial, count, p)


def _binomial(stream: _Stream, count: float, p: float) -> float:
    count, p = float(count), float(p)
    if count <= 0 or p <= 0:
        return 0.0
    if p >= 1:
        return count
    if math.isnan(p):
        return math.nan
    sample = _binomial_many if count * min(p, 1 - p) >= 10 else _binomial_few
    return sample(stream, count, p) if p <= 0.5 else count - sample(stream, count, 1 - p)


def _binomial_few(stream: _Stream, count: float, p: float) -> float:
    total, successes, scale = 0.0, 0, math.log1p(-p)
    while True:
        chance = stream.uniform()
        total += math.ceil(math.log(chance) / scale) if chance else math.inf
        if total > count:
            return successes
        successes += 1


def _binomial_many(stream: _Stream, count: float, p: float) -> float:
    spread = math.sqrt(count * p * (1 - p))
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * p
    accept, odds = 0.92 - 4.2 / b, p / (1 - p)
    alpha = (2.83 + 5.1 / b) * spread
    mode = math.floor((count + 1) * p)
    while True:
        u, v = stream.uniform() - 0.5, stream.uniform()
        edge = 0.5 - abs(u)
        k = math.floor((2 * a / edge + b) * u + count * p + 0.5) if edge else -1
        if k < 0 or k > count:
            continue
        if edge >= 0.07 and v <= accept:
            return k
        v = math.log(v * alpha / (a / (edge * edge) + b)) if v else -math.inf
        if v <= _binomial_bound(count, odds, mode, k):
            return k


def _binomial_bound(count: float, odds: float, mode: float, k: float) -> float:
    return (
        (mode + 0.5) * math.log((mode + 1) / (odds * (count - mode + 1)))
        + (count + 1) * math.log((count - mode + 1) / (count - k + 1))
        + (k + 0.5) * math.log(odds * (count - k + 1) / (k + 1))
        + _stirling_tail(mode)
        + _stirling_tail(count - mode)
        - _stirling_tail(k)
        - _stirling_tail(count - k)
    )


def _stirling_tail(k: float) -> float:
    if k <= 9:
        return _STIRLING[int(k)]
    square = (k + 1) ** 2
    return (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (k + 1)
