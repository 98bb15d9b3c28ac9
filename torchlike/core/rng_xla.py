"""Many normals by one XLA program, with the bits of rng_math and several times its speed.

XLA fuses a float32 product into the sum it meets where the machine can, which is what PyTorch's
code does. `_apart` keeps the two apart where PyTorch rounds in between. Whether this machine's
program gives the right bits is checked once; if not, NumPy goes on.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from . import background, rng_math
from .device import CPU, to_jax
from .rng import Generator

f32, i32 = jnp.float32, jnp.int32
CHUNK = 1 << 17  # values in a call of the program; half as many take as long
LEAST = 1 << 15  # values for which a chunk pays, even if it is not filled
_PATIENCE = 1 << 21  # values by NumPy (25 ms) before the program (100 ms) is built

Program = Callable[[np.ndarray, float, float], tuple[Any, Any]]
_program: Program | None = None
_seen = 0  # values made without it; negative once it is being built


def program(count: int) -> Program | None:
    """The program, if it is there and `count` values are worth it."""
    global _seen
    if count < LEAST:
        return None
    if _program is None and _seen >= 0:
        _seen += count
        if _seen > _PATIENCE:
            _seen = -1 << 62
            background.submit(_build) if background.enabled else _build()
    return _program


def fill(made: Program, generator: Generator, values: np.ndarray, mean: float, std: float) -> None:
    """Normals into float32 memory of a multiple of 16 values.

    Words are drawn while the chunk before is at work.
    """
    last: tuple[np.ndarray, tuple[Any, Any]] | None = None
    for start in range(0, len(values), CHUNK):
        piece = values[start : start + CHUNK]
        if len(piece) < LEAST:
            piece[...] = generator.floats(len(piece))
            rng_math.box_muller(piece, mean, std)
            continue
        waves = made(_padded(generator.words32(len(piece))), mean, std)
        if last is not None:
            _place(*last)
        last = piece, waves
    if last is not None:
        _place(*last)


def _padded(words: np.ndarray) -> np.ndarray:
    if len(words) < CHUNK:
        words = np.concatenate([words, np.zeros(CHUNK - len(words), words.dtype)])
    return words.reshape(-1, 2, 8)


def _place(values: np.ndarray, waves: tuple[Any, Any]) -> None:
    pairs = values.view(rng_math.EIGHT).reshape(-1, 2)
    for column, wave in enumerate(waves):
        pairs[:, column] = np.asarray(wave).view(rng_math.EIGHT)[: len(pairs), 0]


def _forget() -> None:
    """XLA's threads don't live in a forked process: NumPy makes its normals."""
    global _program, _seen
    _program, _seen = None, -1 << 62


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def _build() -> None:
    """Compile for the CPU, whatever JAX's default is, and compare with NumPy's values."""
    global _program
    place = jax.sharding.SingleDeviceSharding(to_jax(CPU))

    def like(shape: tuple[int, ...], dtype: Any) -> Any:
        return jax.ShapeDtypeStruct(shape, dtype, sharding=place)

    words = like((CHUNK // 16, 2, 8), jnp.uint32)
    compiled = jax.jit(_box_muller).lower(words, like((), i32), like((), f32), like((), f32))
    call = compiled.compile()

    def made(words: np.ndarray, mean: float, std: float) -> tuple[Any, Any]:
        return call(words, np.int32(0), np.float32(mean), np.float32(std))

    words = np.random.RandomState(0).randint(0, 1 << 32, CHUNK, dtype=np.uint32)
    values, expected = np.empty((2, CHUNK), np.float32)
    expected[...] = (words & 0xFFFFFF) * np.float32(2.0**-24)
    rng_math.box_muller(expected, 0.25, 1.5)
    _place(values, made(_padded(words), 0.25, 1.5))
    if np.array_equal(values, expected):
        _program = made


# ----- the program: rng_math's steps -----


def _bits(x: jax.Array) -> jax.Array:
    return lax.bitcast_convert_type(x, i32)


def _float(x: jax.Array) -> jax.Array:
    return lax.bitcast_convert_type(x, f32)


def _apart(product: jax.Array, zero: jax.Array) -> jax.Array:
    """A product rounded before it is added: a zero the compiler doesn't know comes between."""
    return _float(_bits(product) ^ zero)


def _polynomial(x: jax.Array, coefficients: list[float]) -> jax.Array:
    y = f32(coefficients[0])
    for coefficient in coefficients[1:]:
        y = y * x + f32(coefficient)
    return y


def _box_muller(
    words: jax.Array, zero: jax.Array, mean: jax.Array, std: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Cosine and sine halves of normals, from words in pairs of eights."""
    uniforms = (words & 0xFFFFFF).astype(i32).astype(f32) * f32(2.0**-24)
    radius = lax.sqrt(_log(f32(1) - uniforms[:, 0], zero) * f32(-2))
    sin, cos = _sincos(_apart(uniforms[:, 1] * f32(rng_math.TWO_PI), zero), zero)
    return _apart(cos * radius, zero) * std + mean, _apart(sin * radius, zero) * std + mean


def _log(x: jax.Array, zero: jax.Array) -> jax.Array:
    power = (_bits(x) - i32(rng_math.SQRT_HALF)) >> 23
    x = _float(_bits(x) - (power << 23)) - f32(1)
    exponent = power.astype(f32)
    square = _apart(x * x, zero)
    y = _apart(_polynomial(x, rng_math.LOG) * x, zero)
    y = y * square + _apart(exponent * rng_math.LOG_Q1, zero)
    y = y - _apart(square * f32(0.5), zero)
    return _apart(x + y + _apart(exponent * rng_math.LOG_Q2, zero), zero)


def _sincos(x: jax.Array, zero: jax.Array) -> tuple[jax.Array, jax.Array]:
    octant = ((x * rng_math.FOUR_OVER_PI).astype(i32) + 1) & ~1
    turns = octant.astype(f32)
    for part in (rng_math.PI_1, rng_math.PI_2):
        x = x + _apart(turns * part, zero)
    x = turns * rng_math.PI_3 + x
    square = _apart(x * x, zero)
    cos = _apart(_polynomial(square, rng_math.COS) * square, zero)
    cos = cos * square - _apart(square * f32(0.5), zero) + f32(1)
    sin = _apart(_polynomial(square, rng_math.SIN) * square, zero) * x + x
    swapped = (octant & 2) != 0
    sin, cos = jnp.where(swapped, cos, sin), jnp.where(swapped, sin, cos)
    sin = _float(_bits(sin) ^ ((octant & 4) << 29))
    return sin, _float(_bits(cos) ^ ((~(octant - 2) & 4) << 29))
