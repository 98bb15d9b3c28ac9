"""Which kinds of dtype an op's body accepts, refused in PyTorch's words."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from ..core.dtypes import BOOL, COMPLEX, FLOAT, INTEGER, SCALAR_NAMES, from_numpy, get_default_dtype

FLOATING = frozenset({BOOL, INTEGER, COMPLEX})  # what a floating point kernel refuses
INTEGRAL = frozenset({FLOAT, COMPLEX})  # what a bitwise kernel refuses
REAL = frozenset({COMPLEX})
NUMERIC = frozenset({BOOL})


def kind(array: Any) -> int:
    """BOOL, INTEGER, FLOAT or COMPLEX: the promotion category of an array."""
    return from_numpy(array.dtype).category


def is_complex(array: Any) -> bool:
    return kind(array) == COMPLEX


def is_exact(array: Any) -> bool:
    """Whether the dtype is boolean or an integer."""
    return kind(array) <= INTEGER


def scalar_name(array: Any) -> str:
    """PyTorch's C++ name of the dtype: Float, Long, …"""
    return SCALAR_NAMES[from_numpy(array.dtype)]


def refuse(kernel: str, array: Any, kinds: frozenset[int]) -> None:
    """NotImplementedError as from PyTorch's dispatch macros, if the dtype is of these kinds."""
    if kind(array) in kinds:
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{scalar_name(array)}'")


def to_float(array: Any) -> Any:
    """The array, integers and booleans converted to the default dtype."""
    return array.astype(get_default_dtype().np) if is_exact(array) else array


def real_dtype(array: Any) -> Any:
    """The NumPy dtype of the real part."""
    return jnp.finfo(array.dtype).dtype if is_complex(array) else array.dtype


def constant(value: float, like: Any) -> Any:
    """A number in the dtype of `like` (a body never leans on weak types)."""
    return jnp.asarray(value, like.dtype)
