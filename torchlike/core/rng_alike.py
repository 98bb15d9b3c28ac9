"""The rejection samplers where all elements share their parameters: the same draws, in arrays.

A proposal then does not depend on which element it is for, so all of a block's are judged at once.
Where NumPy's functions may differ from libm's in the last bit and that could decide, libm does.
"""

import math
from collections.abc import Callable

import numpy as np

from .rng import Generator
from .rng_math import TWO_PI, log, log1p

f64 = np.float64
LEAST = 512  # elements for which arrays pay
LEAST_SHAPE = 1.2  # a gamma's; below it one normal in 200 is refused, and blocks are too short
_AHEAD = 16384  # uniforms looked at together: their summed logarithms are right to 1e-8
_UNSURE = 1e-6  # distance of such a sum from the limit at which the product itself decides
_SQUEEZE = float(np.float32(0.0331))
_NEAR = 1e-9  # relative distance from a tie at which libm decides
Judge = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def _rewind(generator: Generator, start: np.ndarray, words: int, spare: float | None) -> None:
    """Leave the generator as after `words` words from `start`."""
    generator.load(start)
    generator.words64(words)
    generator.spare = spare


# ----- proposals of two uniforms each -----
def from_pairs(generator: Generator, count: int, judge: Judge) -> np.ndarray:
    """The first `count` proposals that `judge(u, v)` takes; it gives values and whether."""
    found, spare = np.empty(count), generator.spare
    have = 0
    while have < count:
        start, tries = generator.save(), (count - have) * 5 // 4 + 16
        pairs = generator.doubles(2 * tries).reshape(-1, 2)
        with np.errstate(all="ignore"):
            values, taken = judge(pairs[:, 0] - 0.5, pairs[:, 1])
        at = np.flatnonzero(taken)[: count - have]
        found[have : have + len(at)] = values[at]
        have += len(at)
        if have == count:
            _rewind(generator, start, 2 * (int(at[-1]) + 1), spare)
    return found


def settled(left: np.ndarray, right: np.ndarray, slow: Callable[[int], bool]) -> np.ndarray:
    """left <= right, decided by `slow(place)` where the two are as good as equal."""
    result = left <= right
    for place in np.flatnonzero(np.abs(left - right) <= _NEAR * (1 + np.abs(right))).tolist():
        result[place] = slow(place)
    return result


# ----- values of as many uniforms as they need -----
def in_turn(
    generator: Generator, count: int, mean: float, ends_of: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """Values that count their uniforms, less the last.

    `ends_of(uniforms)` tells for each place where a value that begins there would end; past the
    last place if the uniforms don't suffice. `mean` is how many uniforms a value takes, about.
    """
    found: list[int] = []
    spare = generator.spare
    while len(found) < count:
        start = generator.save()
        wanted = int((count - len(found)) * mean * 1.1) + 256
        uniforms = generator.doubles(min(wanted, _AHEAD))
        ends = ends_of(uniforms).tolist()
        size, at = len(ends), 0
        for _ in range(count - len(found)):
            if at >= size or ends[at] >= size:
                break
            end = ends[at]
            found.append(end - at)
            at = end + 1
        _rewind(generator, start, at, spare)
    return np.array(found, f64)


def product_ends(rate: float) -> Callable[[np.ndarray], np.ndarray]:
    """Where the product of the uniforms falls to exp(-rate)."""
    limit = math.exp(-rate)

    def ends_of(uniforms: np.ndarray) -> np.ndarray:
        parts = -np.log(np.maximum(uniforms, 2.0**-1000))
        total = np.cumsum(parts)
        target = total - parts + rate
        ends = np.searchsorted(total, target)
        above = np.abs(total[np.minimum(ends, len(total) - 1)] - target)
        below = np.abs(total[np.maximum(ends - 1, 0)] - target)
        for place in np.flatnonzero(np.minimum(above, below) < _UNSURE).tolist():
            ends[place] = _product_end(uniforms, place, limit)
        return ends

    return ends_of


def _product_end(uniforms: np.ndarray, place: int, limit: float) -> int:
    product = 1.0
    for end in range(place, len(uniforms)):
        product *= float(uniforms[end])
        if product <= limit:
            return end
    return len(uniforms)


def gap_ends(count: float, scale: float) -> Callable[[np.ndarray], np.ndarray]:
    """Where the sum of the geometric gaps exceeds `count`."""

    def ends_of(uniforms: np.ndarray) -> np.ndarray:
        gaps = np.ceil(log(np.maximum(uniforms, 2.0**-1000), True) / scale)
        total = np.cumsum(np.minimum(gaps, count + 1))
        return np.searchsorted(total, total - np.minimum(gaps, count + 1) + count, side="right")

    return ends_of


# ----- gamma -----
def gamma(generator: Generator, count: int, d: float, c: float) -> np.ndarray:
    """Marsaglia and Tsang's values for d and c, from a generator without a spare normal.

    Two trials take four uniforms (two for a pair of normals, one each to judge them) unless a
    normal is refused outright: up to the first such pair a block is judged at once.
    """
    odd = 0.5 * math.erfc(1 / (c * math.sqrt(2)))  # the chance that a normal is refused outright
    block = int(min(2048, max(16, 0.5 / max(odd, 1e-6))))
    found: list[np.ndarray] = []
    have = 0
    while have < count:
        start = generator.save()
        quads = generator.doubles(4 * min(block, (count - have) // 2 + 8)).reshape(-1, 4)
        radius = np.sqrt(-2.0 * log1p(-quads[:, 1], True))
        angle = TWO_PI * quads[:, 0]
        x = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)
        regular = np.minimum(x[:, 0], x[:, 1]) * c > -1.0
        whole = len(regular) if regular.all() else int(regular.argmin())
        values, taken = _gamma_trials(x[:whole], 1.0 - quads[:whole, 2:], d, c)
        at = np.flatnonzero(taken)[: count - have]
        found.append(values.ravel()[at])
        have += len(at)
        if have == count:
            last = int(at[-1])
            spare = float(x[last // 2, 1]) if last % 2 == 0 else None
            _rewind(generator, start, 4 * (last // 2) + 3 + last % 2, spare)
        elif whole < len(regular):
            pair, used = x[whole].tolist(), quads.ravel()[4 * whole + 2 :].tolist()
            more, words, spare = _odd_pair(pair, used, d, c, count - have)
            found.append(np.array(more, f64))
            have += len(more)
            _rewind(generator, start, 4 * whole + 2 + words, spare)
    return np.concatenate(found)


def _gamma_trials(x: np.ndarray, u: np.ndarray, d: float, c: float) -> tuple[np.ndarray, ...]:
    y = 1.0 + c * x
    v = y * y * y
    square = x * x
    taken = u < 1.0 - _SQUEEZE * square * square
    rest = np.flatnonzero(~taken)
    at, gained, cubes = u.ravel()[rest], square.ravel()[rest], v.ravel()[rest]
    right = 0.5 * gained + d * (1.0 - cubes + np.log(cubes))

    def slow(i: int) -> bool:
        return _taken(float(at[i]), float(gained[i]), float(cubes[i]), d)

    taken.ravel()[rest] = settled(np.log(at), right, slow)
    return d * v, taken


def _taken(u: float, square: float, v: float, d: float) -> bool:
    return math.log(u) < 0.5 * square + d * (1.0 - v + math.log(v))


def _odd_pair(
    pair: list[float], uniforms: list[float], d: float, c: float, wanted: int
) -> tuple[list[float], int, float | None]:
    """The values of a pair of normals of which one is refused, the uniforms used, what is left."""
    found: list[float] = []
    used = 0
    for i, x in enumerate(pair):
        y = 1.0 + c * x
        if y <= 0:
            continue
        v, square, u = y * y * y, x * x, 1.0 - uniforms[used]
        used += 1
        if u < 1.0 - _SQUEEZE * square * square or _taken(u, square, v, d):
            found.append(d * v)
            if len(found) == wanted:
                return found, used, pair[1] if i == 0 else None
    return found, used, None
