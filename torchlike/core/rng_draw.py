"""Draws: PyTorch's CPU distributions over a Generator's words, as flat NumPy arrays."""

import math
import sys
from typing import Any

import numpy as np

from . import rng_xla
from .rng import Generator
from .rng_math import (
    BFLOAT16,
    HALVES,
    TWO_PI,
    affine_f32,
    box_muller,
    exp,
    fma64,
    log,
    log1p,
    narrow,
    tan,
)

f32, f64, u32, u64 = np.float32, np.float64, np.uint32, np.uint64
F32 = np.dtype(f32)
_MANTISSA = {np.dtype(np.float16): 11, BFLOAT16: 8, F32: 24, np.dtype(f64): 53}


# ----- uniform and normal -----


def uniform(
    generator: Generator, count: int, low: float = 0.0, high: float = 1.0, dtype: np.dtype = F32
) -> np.ndarray:
    """[low, high); values that round up to `high` become `low`, as in PyTorch."""
    unit = (low, high) == (0.0, 1.0)
    if dtype == f64:
        values = generator.doubles(count)
        if unit:
            return values
        values = fma64(values, high - low, low)
    else:
        values = generator.floats(count)
        if unit and dtype == F32:
            return values
        if not unit:
            values = affine_f32(values, float(f32(high) - f32(low)), low)
        values = narrow(values, dtype)
    return _below(values, low, high)


def _below(values: np.ndarray, low: float, high: float) -> np.ndarray:
    if values.dtype != f64:
        low, high = float(f32(low)), float(f32(high))
    top = narrow(high, values.dtype)
    if values.size and values.max() == top:
        values[values == top] = narrow(low, values.dtype)
    return values


def normal(
    generator: Generator,
    count: int,
    mean: float = 0.0,
    std: float = 1.0,
    dtype: np.dtype = F32,
    contiguous: bool = True,
) -> np.ndarray:
    """Blocks of 16 by Box and Muller; few values, or a tensor with gaps, pair by pair."""
    if count < 16 or not contiguous:
        values = _pairs(generator, count, exact=dtype == f64)
        if (mean, std) != (0.0, 1.0):
            values = fma64(values, std, mean)
        return narrow(values, dtype)
    if dtype == F32 and (program := rng_xla.program(count)):
        return _many_normals(program, generator, count, mean, std)
    whole, rest = count - count % 16, count % 16
    draw = generator.doubles if dtype == f64 else generator.floats
    tail = 16 if rest else 0
    if dtype in HALVES:
        values = draw(whole + tail)
    else:  # draws `rest` uniforms, then overwrites the last 16 values from fresh ones
        values = draw(count + tail)
        values[whole : whole + tail] = values[count:].copy()
        values = values[: whole + tail]
    box_muller(values, mean, std)
    if tail:
        values[count - 16 : count] = values[whole:].copy()
    return narrow(values[:count], dtype)


def _many_normals(
    program: rng_xla.Program, generator: Generator, count: int, mean: float, std: float
) -> np.ndarray:
    values, rest = np.empty(count, f32), count % 16
    rng_xla.fill(program, generator, values[: count - rest], mean, std)
    if rest:
        generator.words32(rest)
        last = generator.floats(16)
        box_muller(last, mean, std)
        values[-16:] = last
    return values


def _pairs(generator: Generator, count: int, exact: bool) -> np.ndarray:
    """Standard normals in float64, two at a time; an odd one out waits in the generator."""
    values = np.empty(count)
    start = 0
    if count and generator.spare is not None:
        values[0], generator.spare, start = generator.spare, None, 1
    pairs = (count - start + 1) // 2
    if pairs:
        made = _small_pairs if count <= 16 else _many_pairs
        both = made(generator.doubles(2 * pairs), exact)
        values[start:] = both[: count - start]
        if (count - start) % 2:
            generator.spare = float(both[-1])
    return values


def _small_pairs(draws: np.ndarray, exact: bool) -> list[float]:
    values, given = [], iter(draws.tolist())
    for angle, chance in zip(given, given, strict=True):
        radius, angle = math.sqrt(-2.0 * math.log1p(-chance)), TWO_PI * angle
        values += (radius * math.cos(angle), radius * math.sin(angle))
    return values


def _many_pairs(draws: np.ndarray, exact: bool) -> np.ndarray:
    angle, chance = TWO_PI * draws[0::2], draws[1::2]
    radius = np.sqrt(-2.0 * log1p(-chance, exact))
    radius[-1] = math.sqrt(-2.0 * math.log1p(-chance[-1]))  # may be kept for later
    values = np.empty(draws.size)
    values[0::2] = radius * np.cos(angle)
    values[1::2] = radius * np.sin(angle)
    return values


# ----- integers -----


def integers(generator: Generator, count: int, low: int, high: int) -> np.ndarray:
    """[low, high) as int64, for every dtype; `high` may be 2 ** 63."""
    span = high - low
    if span == 1 << 64:
        return generator.words64(count).view(np.int64)
    if span >= 1 << 28:
        words = generator.words64(count)
        words %= u64(span)
        values = words.view(np.int64)
    else:
        words = generator.words32(count)
        words %= u32(span)
        values = words.astype(np.int64)
    if low:
        values += low
    return values


def full_range(generator: Generator, count: int, dtype: np.dtype) -> np.ndarray:
    """random_() without bounds: what a dtype holds exactly, from 0."""
    if dtype.itemsize == 8:
        words = generator.words64(count)
        if dtype.kind == "f":
            return (words % u64((1 << 53) + 1)).astype(dtype)
        return (words & u64((1 << 63) - 1)).astype(dtype)
    words = generator.words32(count)
    if dtype in _MANTISSA:
        return narrow(words % u32((1 << _MANTISSA[dtype]) + 1), dtype)
    bits = 1 if dtype.kind == "b" else np.iinfo(dtype).bits - (dtype.kind == "i")
    return (words & u32((1 << bits) - 1)).astype(dtype)


def permutation(generator: Generator, count: int) -> np.ndarray:
    """A shuffle by Fisher and Yates, from the front."""
    if count < 2:
        return np.zeros(count, np.int64)
    if count >= 0xFFFFFFFF // 20:
        return _inside_out(generator.words64(count) % np.arange(1, count + 1, dtype=u64))
    place = np.arange(count)
    partner = place.copy()
    span = (count - place[:-1]).astype(u32)
    partner[:-1] += generator.words32(count - 1) % span
    if interchange := _row_interchange(count):
        rows = interchange(place.astype(f64)[:, None], partner.astype(np.int32), overwrite_a=True)
        return rows[:, 0].astype(np.int64)
    return _few_swaps(partner) if count < 400 else _swap_all(partner, place)


_swaps = 0  # made without SciPy, which takes 0.1 to 0.2 s to import
_PATIENCE = 1 << 21  # … and this many in NumPy 0.12 s; LAPACK needs 0.008 s for a million


def _row_interchange(count: int) -> Any:
    """LAPACK's function that swaps rows one after the other, once it pays; jax depends on SciPy."""
    global _swaps
    if "scipy.linalg" not in sys.modules:
        _swaps += count
        if _swaps < _PATIENCE:
            return None
    from scipy.linalg import get_lapack_funcs

    return get_lapack_funcs("laswp", dtype=f64)


def _inside_out(sources: np.ndarray) -> np.ndarray:
    values = [0] * len(sources)
    for place, source in enumerate(sources.tolist()):
        values[place], values[source] = values[source], place
    return np.array(values)


def _few_swaps(partner: np.ndarray) -> np.ndarray:
    values = list(range(len(partner)))
    for place, other in enumerate(partner.tolist()):
        values[place], values[other] = values[other], values[place]
    return np.array(values)


def _swap_all(partner: np.ndarray, place: np.ndarray) -> np.ndarray:
    """What swapping values[i] with values[partner[i] >= i] in turn gives, without the loop.

    A step leaves at its partner the value that was at its own place, so the value found at a place
    is followed back from step to step (`came`) until a place that no step had touched.
    """
    step = _stable_order(partner)  # by partner, then by time
    slot = partner.take(step)
    moves = slot != step
    came = place.copy()  # the last step before k that left its value at place k, if any
    came[slot[moves]] = step[moves]
    while True:
        further = came.take(came)
        if np.array_equal(further, came):
            break
        came = further
    values = slot.copy()
    again = np.flatnonzero(slot[1:] == slot[:-1])
    values[again + 1] = came.take(step.take(again))
    stay = np.flatnonzero(~moves)
    values[stay] = came.take(slot.take(stay))
    result = np.empty_like(values)
    result[step] = values
    return result


def _stable_order(keys: np.ndarray) -> np.ndarray:
    """argsort of 32-bit keys by NumPy's radix sort of 16 bits: 4 times faster than one sort."""
    order = np.argsort(keys.astype(np.uint16), kind="stable")
    if len(keys) > 1 << 16:
        high = (keys >> 16).astype(np.uint16)
        order = order[np.argsort(high[order], kind="stable")]
    return order


# ----- Bernoulli and transformed uniforms -----


def bernoulli(generator: Generator, count: int, p: float) -> np.ndarray:
    """Booleans with one probability: 53-bit draws for every dtype."""
    words = generator.words64(count)
    words &= u64((1 << 53) - 1)
    return words < u64(math.ceil(p * 2.0**53))


def bernoulli_each(generator: Generator, p: np.ndarray) -> np.ndarray:
    """Booleans with a probability each: draws as wide as the probabilities."""
    if p.dtype == f64:
        return generator.doubles(p.size) < p
    return generator.floats(p.size) < p.astype(f32)


def exponential(
    generator: Generator, count: int, rate: float = 1.0, dtype: np.dtype = F32
) -> np.ndarray:
    draws = generator.doubles(count)
    return narrow((-1.0 / rate) * log1p(-draws, dtype == f64), dtype)


def geometric(generator: Generator, count: int, p: float, dtype: np.dtype = F32) -> np.ndarray:
    draws = generator.doubles(count)
    with np.errstate(divide="ignore"):
        return narrow(np.ceil(log(draws, dtype == f64) / math.log1p(-p)), dtype)


def cauchy(
    generator: Generator, count: int, median: float, sigma: float, dtype: np.dtype = F32
) -> np.ndarray:
    slope = tan(math.pi * (generator.doubles(count) - 0.5), dtype == f64)
    return narrow(fma64(slope, sigma, median), dtype)


def log_normal(
    generator: Generator, count: int, mean: float, std: float, dtype: np.dtype = F32
) -> np.ndarray:
    exact = dtype == f64
    return narrow(exp(fma64(_pairs(generator, count, exact), std, mean), exact), dtype)


# ----- multinomial -----


def multinomial(
    generator: Generator, weights: np.ndarray, count: int, replacement: bool
) -> np.ndarray:
    """Rows of `count` indices for a matrix of weights, one row each."""
    if replacement and count > 1:
        return np.array([_with_replacement(generator, row, count) for row in weights], np.int64)
    noise = exponential(generator, weights.size, 1.0, weights.dtype).reshape(weights.shape)
    race = weights / noise
    if count == 1:
        return np.argmax(race, -1, keepdims=True)
    return np.argsort(-race, -1, kind="stable")[:, :count]


def _with_replacement(generator: Generator, row: np.ndarray, count: int) -> np.ndarray:
    bounds = np.cumsum(row, dtype=f32 if row.dtype in HALVES else row.dtype)
    bounds /= bounds[-1]
    bounds[-1] = 1
    return np.searchsorted(bounds.astype(f64), generator.doubles(count), side="left")


# ----- normals within bounds (torch.nn.init) -----


def trunc_normal(
    generator: Generator,
    count: int,
    mean: float,
    std: float,
    low: float,
    high: float,
    dtype: np.dtype = F32,
    contiguous: bool = True,
) -> np.ndarray:
    """Whole-tensor redraws until every value is within bounds; far tails by uniform proposals."""
    if _cdf((high - mean) / std) - _cdf((low - mean) / std) <= 0.3:
        return _from_uniforms(generator, count, mean, std, low, high, dtype)
    least, most = narrow(low, dtype), narrow(high, dtype)
    values = normal(generator, count, mean, std, dtype, contiguous)
    while (outside := (values < least) | (values > most)).any():
        again = normal(generator, count, mean, std, dtype, contiguous)
        values = np.where(outside, again, values)
    return values


def _cdf(x: float) -> float:
    return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0


def _from_uniforms(
    generator: Generator,
    count: int,
    mean: float,
    std: float,
    low: float,
    high: float,
    dtype: np.dtype,
) -> np.ndarray:
    """Accept a uniform proposal where log(u) is not above the density's log over its peak's."""
    mode = max(low, min(mean, high))
    peak = narrow(-0.5 * ((mode - mean) / std) ** 2, dtype)
    values, pending = np.empty(count, dtype), np.ones(count, bool)
    while pending.any():
        proposal = uniform(generator, count, low, high, dtype)
        values = np.where(pending, proposal, values)
        deviation = (proposal - narrow(mean, dtype)) / narrow(std, dtype)
        density = deviation * deviation * narrow(-0.5, dtype) - peak
        with np.errstate(divide="ignore"):
            chance = narrow(np.log(uniform(generator, count, 0.0, 1.0, dtype).astype(f64)), dtype)
        pending &= chance > density
    return values
