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
LEAST = 32  # elements for which arrays pay
LEAST_SHAPE = 1.2  # a gamma's; below it one normal in 200 is refused, and blocks are too short
_AHEAD = 65536  # uniforms looked at together
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
    generator: Generator, count: int, mean: float, lengths_of: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """Values that count their uniforms, less the last; of a mean under 10, so a byte holds them.

    `lengths_of(uniforms)` tells for each place the value that would begin there; only for the
    places whose values end within these uniforms, which are the first. `mean` uniforms are about
    what a value takes.
    """
    found, have, spare = bytearray(count), 0, generator.spare
    uniforms = left = np.empty(0)
    start, at = generator.save(), 0
    while have < count:
        start, left = generator.save(), uniforms[at:]
        wanted = int((count - have) * mean * 1.1) + 64
        uniforms = np.concatenate([left, generator.doubles(min(wanted, _AHEAD))])
        lengths = lengths_of(uniforms).astype(np.uint8).tobytes()
        have, at = _walk(lengths, found, have)
    _rewind(generator, start, at - len(left), spare)
    return np.frombuffer(found, np.uint8).astype(f64)


def _walk(lengths: bytes, found: bytearray, have: int) -> tuple[int, int]:
    """Fill `found` from place `have`; how many it has then, and where the next value begins."""
    at, size = 0, len(lengths)
    for place in range(have, len(found)):
        if at >= size:
            return place, at
        found[place] = length = lengths[at]
        at += length + 1
    return len(found), at


def product_lengths(rate: float) -> Callable[[np.ndarray], np.ndarray]:
    """How many uniforms until their product falls to exp(-rate)."""
    limit = math.exp(-rate)

    def lengths_of(uniforms: np.ndarray) -> np.ndarray:
        product, whole = uniforms.copy(), len(uniforms)
        lengths = np.zeros(whole, np.uint8)
        for step in range(1, min(256, whole + 1)):
            above = product > limit
            if not above.any():
                break
            if above[-1]:  # what begins here would end later
                whole = len(above) - 1
            lengths[: len(above)] += above
            product = product[:-1]
            product *= uniforms[step:]
        return lengths[:whole]

    return lengths_of


def gap_lengths(count: float, scale: float) -> Callable[[np.ndarray], np.ndarray]:
    """How many geometric gaps until their sum exceeds `count`."""

    def lengths_of(uniforms: np.ndarray) -> np.ndarray:
        gaps = np.ceil(log(np.maximum(uniforms, 2.0**-1000), True) / scale)
        total = np.cumsum(np.minimum(gaps, count + 1))
        ends = np.searchsorted(total, total - np.minimum(gaps, count + 1) + count, side="right")
        ends = ends[ends < len(ends)]
        return ends - np.arange(len(ends))

    return lengths_of


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
