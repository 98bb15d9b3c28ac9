"""Rejection samplers (gamma, Dirichlet, Poisson, binomial): PyTorch's loops, value by value."""

import math
from collections.abc import Callable

import numpy as np

from . import rng_alike
from .rng import Generator
from .rng_math import TWO_PI, narrow

f32, f64 = np.float32, np.float64
_FIRST_BLOCK, _BLOCK = 32, 4096


class _Stream:
    """Scalar uniforms and normals read in blocks; closing rewinds to the first word not used."""

    def __init__(self, generator: Generator):
        self.generator = generator
        self.start, self.words = generator.save(), 0
        self.block: list[float] = []
        self.position, self.next = 0, _FIRST_BLOCK

    def uniform(self) -> float:
        if self.position == len(self.block):
            self.block, self.position = self.generator.doubles(self.next).tolist(), 0
            self.next = min(2 * self.next, _BLOCK)
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


def _alike(values: np.ndarray) -> bool:
    """Many equal values."""
    return values.size >= rng_alike.LEAST and bool((values == values.flat[0]).all())


# ----- gamma (Marsaglia and Tsang) and Dirichlet -----

_THIRD_F32, _SQUEEZE = f32(1) / f32(3), float(f32(0.0331))


def standard_gamma(generator: Generator, shape: np.ndarray) -> np.ndarray:
    if _alike(shape) and shape.flat[0] >= rng_alike.LEAST_SHAPE:
        values = narrow(_gamma_alike(generator, shape), shape.dtype).reshape(shape.shape)
    else:
        values = _each(generator, _gamma if shape.dtype == f64 else _gamma_f32, shape)
    return np.fmax(values, np.finfo(shape.dtype).tiny)


def _gamma_alike(generator: Generator, shape: np.ndarray) -> np.ndarray:
    sample = _gamma if shape.dtype == f64 else _gamma_f32
    first, rest = [], shape.ravel()
    while len(rest) and generator.spare is not None:
        first.append(_each(generator, sample, rest[:1].astype(f64))[0])
        rest = rest[1:]
    if not len(rest):
        return np.array(first)
    a = rest[0]
    d = float(a) - float(_THIRD_F32) if shape.dtype == f64 else float(a - _THIRD_F32)
    found = rng_alike.gamma(generator, len(rest), d, 1.0 / math.sqrt(9.0 * d))
    return np.concatenate([first, found])


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
    if _alike(rate) and rate.flat[0] > 0:
        values = _poisson_alike(generator, rate.size, float(rate.flat[0]))
        return values.astype(rate.dtype).reshape(rate.shape)
    return _each(generator, _poisson, rate.astype(f64)).astype(rate.dtype)


def _poisson_alike(generator: Generator, size: int, rate: float) -> np.ndarray:
    if rate < 10:
        return rng_alike.in_turn(generator, size, rate + 1, rng_alike.product_lengths(rate))
    return rng_alike.from_pairs(generator, size, lambda u, v: _judged_poisson(rate, u, v))


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


def _ptrs(rate: float) -> tuple[float, float, float, float]:
    b = 0.931 + 2.53 * math.sqrt(rate)
    a = -0.059 + 0.02483 * b
    return a, b, 1.1239 + 1.1328 / (b - 3.4), 0.9277 - 3.6224 / (b - 2)


def _judged_poisson(rate: float, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What `_poisson_many` makes of many pairs of uniforms, and which it takes."""
    from scipy.special import gammaln  # jax depends on scipy

    a, b, inverse_alpha, accept = _ptrs(rate)
    edge = 0.5 - np.abs(u)
    k = np.floor((2 * a / edge + b) * u + rate + 0.43)
    taken = (edge >= 0.07) & (v <= accept)
    open_ = ~taken & (edge != 0) & (k >= 0) & ~((edge < 0.013) & (v > edge))
    rest = np.flatnonzero(open_)
    e, w, n = edge[rest], v[rest], k[rest]
    left = np.log(w) + math.log(inverse_alpha) - np.log(a / (e * e) + b)
    right = -rate + n * math.log(rate) - gammaln(n + 1)

    def slow(i: int) -> bool:
        return _poisson_takes(rate, a, b, inverse_alpha, float(e[i]), float(w[i]), float(n[i]))

    taken[rest] = rng_alike.settled(left, right, slow)
    return k, taken


def _poisson_takes(
    rate: float, a: float, b: float, inverse_alpha: float, edge: float, v: float, k: float
) -> bool:
    chance = math.log(v) if v else -math.inf
    left = chance + math.log(inverse_alpha) - math.log(a / (edge * edge) + b)
    return left <= -rate + k * math.log(rate) - math.lgamma(k + 1)


def _poisson_many(stream: _Stream, rate: float) -> float:
    a, b, inverse_alpha, accept = _ptrs(rate)
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
        if _poisson_takes(rate, a, b, inverse_alpha, edge, v, k):
            return k


# ----- binomial (inversion, and Hörmann's BTRS) -----

_STIRLING = (
    0.0810614667953272, 0.0413406959554092, 0.0276779256849983, 0.0207906721037650,
    0.0166446911898211, 0.0138761288230707, 0.0118967099458917, 0.0104112652619720,
    0.00925546218271273, 0.00833056343336287,
)  # fmt: skip


def binomial(generator: Generator, count: np.ndarray, p: np.ndarray) -> np.ndarray:
    """PyTorch computes in doubles, but what it makes of count and p alone in their dtype."""
    if _alike(count) and _alike(p) and count.flat[0] > 0 and 0 < p.flat[0] < 1:
        values = _binomial_alike(generator, p.size, count.flat[0], p.flat[0])
        return narrow(values, count.dtype).reshape(count.shape)
    return _each(generator, _binomial, count, p)


def _lower(p: np.floating) -> np.floating:
    """p or 1 - p, that which is at most a half."""
    return p if p <= 0.5 else type(p)(1.0 - float(p))


def _binomial_alike(
    generator: Generator, size: int, count: np.floating, p: np.floating
) -> np.ndarray:
    low = _lower(p)
    if count * low >= 10:
        way = _Btrs(count, low)
        found = rng_alike.from_pairs(generator, size, way.judged)
    else:
        lengths_of = rng_alike.gap_lengths(float(count), float(np.log1p(-low)))
        found = rng_alike.in_turn(generator, size, float(count * low) + 1, lengths_of)
    return found if p <= 0.5 else float(count) - found


def _binomial(stream: _Stream, count: np.floating, p: np.floating) -> float:
    if count <= 0 or p <= 0:
        return 0.0
    if p >= 1:
        return float(count)
    if math.isnan(p):
        return math.nan
    low = _lower(p)
    many = count * low >= 10
    found = _Btrs(count, low).one(stream) if many else _binomial_few(stream, count, low)
    return found if p <= 0.5 else float(count) - found


def _binomial_few(stream: _Stream, count: np.floating, p: np.floating) -> float:
    total, successes, scale = 0.0, 0, float(np.log1p(-p))
    while True:
        chance = stream.uniform()
        total += math.ceil(math.log(chance) / scale) if chance else math.inf
        if total > count:
            return successes
        successes += 1


class _Btrs:
    """Hörmann's sampler for one count and chance."""

    def __init__(self, count: np.floating, p: np.floating):
        one = type(p)(1)
        spread = float(np.sqrt(count * p * (one - p)))
        self.b = b = 1.15 + 2.53 * spread
        self.a = -0.0873 + 0.0248 * b + 0.01 * float(p)
        self.accept, self.alpha = 0.92 - 4.2 / b, (2.83 + 5.1 / b) * spread
        self.centre, self.odds = float(count * p) + 0.5, float(p / (one - p))
        self.mode, self.count = float(np.floor((count + one) * p)), float(count)

    def one(self, stream: _Stream) -> float:
        a, b = self.a, self.b
        while True:
            u, v = stream.uniform() - 0.5, stream.uniform()
            edge = 0.5 - abs(u)
            k = math.floor((2 * a / edge + b) * u + self.centre) if edge else -1
            if k < 0 or k > self.count:
                continue
            if edge >= 0.07 and v <= self.accept or self.takes(edge, v, k):
                return k

    def takes(self, edge: float, v: float, k: float) -> bool:
        v = math.log(v * self.alpha / (self.a / (edge * edge) + self.b)) if v else -math.inf
        return v <= _binomial_bound(self.count, self.odds, self.mode, k)

    def judged(self, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What `one` makes of many pairs of uniforms, and which it takes."""
        a, b = self.a, self.b
        edge = 0.5 - np.abs(u)
        k = np.where(edge != 0, np.floor((2 * a / edge + b) * u + self.centre), -1)
        inside = (k >= 0) & (k <= self.count)
        taken = inside & (edge >= 0.07) & (v <= self.accept)
        rest = np.flatnonzero(inside & ~taken)
        e, w, n = edge[rest], v[rest], k[rest]
        left = np.log(w * self.alpha / (a / (e * e) + b))
        taken[rest] = rng_alike.settled(
            left, self._bounds(n), lambda i: self.takes(float(e[i]), float(w[i]), float(n[i]))
        )
        return k, taken

    def _bounds(self, k: np.ndarray) -> np.ndarray:
        """The bound of each value that occurs is computed once."""
        each, place = np.unique(k, return_inverse=True)
        bounds = [_binomial_bound(self.count, self.odds, self.mode, n) for n in each.tolist()]
        return np.array(bounds, f64)[place]


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
