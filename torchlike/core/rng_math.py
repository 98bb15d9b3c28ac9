"""The arithmetic behind PyTorch's CPU samplers: the same roundings in the same places.

PyTorch's vector code computes float32 logarithms and sines with Cephes polynomials and fused
multiply-adds. A fused float32 multiply-add is one float64 multiply-add rounded to float32.
"""

import math
from collections.abc import Callable

import ml_dtypes
import numpy as np

f32, f64, i32 = np.float32, np.float64, np.int32
Floats = np.ndarray
BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
HALVES = (np.dtype(np.float16), BFLOAT16)
TWO_PI = 2.0 * math.pi


def narrow(values: np.ndarray | np.generic | float, dtype: np.dtype) -> np.ndarray:
    """Convert as PyTorch does: to the 16-bit types by way of float32."""
    if isinstance(values, np.ndarray) and values.dtype == dtype:
        return values
    if dtype in HALVES:
        values = np.asarray(values, f32)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(values).astype(dtype, copy=False)


# ----- float64 -----


def log(values: Floats, exact: bool) -> Floats:
    """With `exact` glibc's to the last bit; NumPy's differs by one unit in 0.3 % of places."""
    if not exact:
        return np.log(values)
    from scipy.special import xlogy  # takes 50 ms to import; jax depends on scipy

    return xlogy(1.0, values)  # a loop over libm's log


def exp(values: Floats, exact: bool) -> Floats:
    with np.errstate(over="ignore", invalid="ignore"):
        return np.real(np.exp(values.astype(np.complex128))) if exact else np.exp(values)


def _by_libm(name: str) -> Callable[[Floats, bool], Floats]:
    fast, slow = getattr(np, name), getattr(math, name)

    def function(values: Floats, exact: bool) -> Floats:
        if not exact:
            return fast(values)
        return np.fromiter(map(slow, values.ravel().tolist()), f64, values.size)

    return function


log1p, tan = _by_libm("log1p"), _by_libm("tan")


def fma64(a: Floats, b: float, c: float) -> Floats:
    """a * b + c rounded once (Dekker's product, Knuth's sum)."""
    if b == 1.0:
        return a + c
    if max(abs(b), abs(c)) > 2.0**960:  # Dekker's split would overflow
        return fma64(a, b * 2.0**-128, c * 2.0**-128) * 2.0**128
    product, product_error = _two_product(a, b)
    total = product + c
    back = total - product
    error = (product - (total - back)) + (c - back)
    with np.errstate(invalid="ignore"):
        return np.where(np.isfinite(total), total + (error + product_error), total)


def _two_product(a: Floats, b: float) -> tuple[Floats, Floats]:
    (a_high, a_low), (b_high, b_low) = _split(a), _split(b)
    product = a * b
    rest = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return product, rest


def _split(value):
    scaled = 134217729.0 * value  # 2 ** 27 + 1
    high = scaled - (scaled - value)
    return high, value - high


def affine_f32(values: Floats, scale: float, shift: float) -> Floats:
    """values * scale + shift as one fused float32 operation, in place."""
    for start in range(0, len(values), 32768):
        piece = values[start : start + 32768]
        wide = piece.astype(f64)
        wide *= float(f32(scale))
        wide += float(f32(shift))
        piece[...] = wide
    return values


# ----- float32 logarithm, sine and cosine as in PyTorch's vector code (Cephes) -----


def _exact(*values: float) -> list[float]:
    return [float(f32(value)) for value in values]


LOG = _exact(
    7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
    -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
)  # fmt: skip
LOG_Q1, LOG_Q2 = f32(-2.12194440e-4), f32(0.693359375)
SQRT_HALF = f32(0.707106781186547524).view(i32)
SIN = _exact(-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)
COS = _exact(2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)
FOUR_OVER_PI = f32(1.27323954473516)
PI_1, PI_2, PI_3 = map(f32, (-0.78515625, -2.4187564849853515625e-4, -3.77489497744594108e-8))


class _Scratch:
    """One thread's buffers for a chunk, used again for each: fresh memory costs page faults."""

    def __init__(self, size: int):
        self.wide, self.other = np.empty((2, size))
        self.floats = np.empty((6, size), f32)

    def __getitem__(self, size: int) -> tuple[Floats, Floats, Floats]:
        return self.wide[:size], self.other[:size], self.floats[:, :size]


def _horner(x: Floats, coefficients: list[float], wide: Floats, out: Floats) -> Floats:
    """A polynomial by fused steps: `x` and the scratch `wide` are float64, `out` is float32."""
    np.multiply(x, coefficients[0], out=wide)
    wide += coefficients[1]
    out[...] = wide
    for coefficient in coefficients[2:]:
        wide[...] = out
        wide *= x
        wide += coefficient
        out[...] = wide
    return out


def _log_f32(x: Floats, wide: Floats, other: Floats, floats: Floats) -> Floats:
    """log(x) in place, for 0 < x <= 1."""
    y, square, exponent = floats[:3]
    bits, power, whole = x.view(i32), y.view(i32), square.view(i32)
    np.subtract(bits, SQRT_HALF, out=power)
    power >>= i32(23)
    np.left_shift(power, i32(23), out=whole)
    bits -= whole
    exponent[...] = power
    x -= f32(1)
    other[...] = x
    _horner(other, LOG, wide, y)
    np.multiply(x, x, out=square)
    y *= x
    other[...] = square
    wide[...] = y
    wide *= other
    np.multiply(exponent, LOG_Q1, out=y)
    other[...] = y
    wide += other
    y[...] = wide
    square *= f32(0.5)  # products by powers of two and by LOG_Q2 are exact: no fused step needed
    y -= square
    x += y
    exponent *= LOG_Q2
    x += exponent
    return x


def _sincos_f32(x: Floats, wide: Floats, other: Floats, floats: Floats) -> tuple[Floats, Floats]:
    """sin and cos of x >= 0; `x` is used up."""
    sin, cos, square, octant = floats[:4]
    octant = octant.view(i32)
    np.multiply(x, FOUR_OVER_PI, out=sin)
    np.copyto(octant, sin, casting="unsafe")
    octant += i32(1)
    octant &= i32(~1)
    turns = cos
    turns[...] = octant
    wide[...] = turns
    np.multiply(turns, PI_1, out=sin)
    x += sin
    np.multiply(turns, PI_2, out=sin)
    x += sin
    wide *= float(PI_3)
    other[...] = x
    wide += other
    x[...] = wide
    np.multiply(x, x, out=square)
    other[...] = square
    _horner(other, COS, wide, cos)
    cos *= square
    wide[...] = cos
    wide *= other
    other *= 0.5
    wide -= other
    cos[...] = wide
    cos += f32(1)
    other *= 2.0
    _horner(other, SIN, wide, sin)
    sin *= square
    wide[...] = sin
    other[...] = x
    wide *= other
    wide += other
    sin[...] = wide
    return _place_octant(sin, cos, octant, floats[4].view(i32))


def _place_octant(
    sin: Floats, cos: Floats, octant: np.ndarray, swap: np.ndarray
) -> tuple[Floats, Floats]:
    """Swap sine and cosine and set their signs, with integer masks (np.where is 5 times slower)."""
    sin_bits, cos_bits = sin.view(i32), cos.view(i32)
    np.left_shift(octant, i32(30), out=swap)  # bit 1 tells whether to swap
    swap >>= i32(31)
    difference = cos_bits ^ sin_bits
    difference &= swap
    sin_bits ^= difference
    cos_bits ^= difference
    np.bitwise_and(octant, i32(4), out=swap)
    swap <<= i32(29)
    sin_bits ^= swap
    octant -= i32(2)
    np.invert(octant, out=octant)
    octant &= i32(4)
    octant <<= i32(29)
    cos_bits ^= octant
    return sin, cos


# ----- normals from uniforms, in blocks of 16 as PyTorch pairs them: i with i + 8 -----

EIGHT = np.dtype("V32")  # eight float32, moved as one item
# A chunk's scratch stays in the second-level cache. Two threads are no faster (18 ms for a million
# values, one takes 13): they wait for the GIL between short loops.
_BLOCKS = 4096


def box_muller(draws: Floats, mean: float, std: float) -> None:
    """Turn uniforms into normals in place; the size is a multiple of 16."""
    if draws.dtype == f64:
        _box_muller_f64(draws.reshape(-1, 2, 8), mean, std)
    else:
        _box_muller_chunks(draws, mean, std)


def _box_muller_chunks(draws: Floats, mean: float, std: float) -> None:
    pairs = draws.view(EIGHT).reshape(-1, 2)
    scratch = _Scratch(8 * min(len(pairs), _BLOCKS))
    for start in range(0, len(pairs), _BLOCKS):
        _box_muller_f32(pairs[start : start + _BLOCKS], mean, std, scratch)


def _box_muller_f32(pairs: np.ndarray, mean: float, std: float, scratch: _Scratch) -> None:
    wide, other, floats = scratch[8 * len(pairs)]
    radius, angle = floats[5], pairs[:, 1].copy().view(f32)
    radius.view(EIGHT)[...] = pairs[:, 0]
    np.subtract(f32(1), radius, out=radius)
    _log_f32(radius, wide, other, floats)
    radius *= f32(-2)
    np.sqrt(radius, out=radius)
    angle *= f32(TWO_PI)
    sin, cos = _sincos_f32(angle, wide, other, floats)
    for column, wave in enumerate((cos, sin)):
        wave *= radius
        if (mean, std) == (0.0, 1.0):
            wave += f32(0)  # turns -0.0 into 0.0, as the fused step does
        else:
            affine_f32(wave, std, mean)
        pairs[:, column] = wave.view(EIGHT)


def _box_muller_f64(pairs: Floats, mean: float, std: float) -> None:
    radius = np.sqrt(-2.0 * log(1.0 - pairs[:, 0], True))
    angle = TWO_PI * pairs[:, 1]
    pairs[:, 0] = fma64(radius * np.cos(angle), std, mean)
    pairs[:, 1] = fma64(radius * np.sin(angle), std, mean)
