"""Draws made on an accelerator from a JAX key: PyTorch's distributions, not its numbers."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ..core import capture
from ..core.device import to_jax
from ..core.dtypes import from_numpy
from ..core.rng import Generator
from ..core.storage import aval_of, concrete
from ..core.tensor import Tensor, wrap


class Recipe(NamedTuple):
    """A distribution by name, with its parameters."""

    name: str
    a: Any = 0.0
    b: Any = 1.0


def _uniform(key: Any, shape: tuple[int, ...], real: Any, a: Any, b: Any) -> Any:
    return jax.random.uniform(key, shape, real) * (b - a).astype(real) + a.astype(real)


def _normal(key: Any, shape: tuple[int, ...], real: Any, a: Any, b: Any) -> Any:
    return jax.random.normal(key, shape, real) * b.astype(real) + a.astype(real)


def _bernoulli(key: Any, shape: tuple[int, ...], real: Any, a: Any, b: Any) -> Any:
    return jax.random.uniform(key, shape, jnp.float32) < a.astype(jnp.float32)


def _integers(key: Any, shape: tuple[int, ...], real: Any, a: Any, b: Any) -> Any:
    return jax.random.randint(key, shape, a, b, jnp.int64)


def _exponential(key: Any, shape: tuple[int, ...], real: Any, a: Any, b: Any) -> Any:
    return jax.random.exponential(key, shape, real) / a.astype(real)


_SAMPLERS = {
    "uniform": _uniform,
    "normal": _normal,
    "bernoulli": _bernoulli,
    "integers": _integers,
    "exponential": _exponential,
}


@partial(jax.jit, static_argnums=(0, 1, 2))
def _sample(name: str, shape: tuple[int, ...], kind: Any, seed: Any, a: Any, b: Any) -> Any:
    key = jax.random.key(seed[0], impl="rbg")  # a GPU makes these bits 10 times faster
    key = jax.random.fold_in(jax.random.fold_in(key, seed[1]), seed[2])
    halves = kind.itemsize == 2 or kind.kind not in "fc"
    real = jnp.float32 if halves else jnp.finfo(kind).dtype
    pair = (2, *shape) if kind.kind == "c" else shape
    values = _SAMPLERS[name](key, pair, real, a, b)
    return jax.lax.complex(*values) if kind.kind == "c" else values.astype(kind)


def draw_on_device(recipe: Recipe, shape: tuple[int, ...], kind: Any, source: Generator) -> Tensor:
    """A tensor drawn where its generator lives; each draw moves the offset on."""
    step = capture.current()
    if step is not None:  # a replay would give the same numbers again
        step.reason = step.reason or f"numbers drawn on {source.device} at {capture.where()}"
    seed, offset = source.key()
    words = np.array([seed & 0xFFFFFFFF, seed >> 32, offset // 4], np.uint32)
    whole = recipe.name == "integers"
    a, b = (np.int64(x) if whole else np.float64(x) for x in (recipe.a, recipe.b))
    with jax.default_device(to_jax(source.device)):
        array = _sample(recipe.name, shape, np.dtype(kind), words, a, b)
    return wrap(concrete(array, aval_of(shape, from_numpy(kind), source.device)))
