"""Which kinds of dtype an op's body accepts, refused in PyTorch's words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp

from ..core.dtypes import (
    BOOL,
    COMPLEX,
    FLOAT,
    INTEGER,
    SCALAR_NAMES,
    combine,
    dtype,
    from_numpy,
    get_default_dtype,
    of_number,
)
from ..core.plan import ArgumentTypeError

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


def truth(array: Any) -> Any:
    """Where an array is not zero."""
    return array if array.dtype == bool else array != 0


def in_single(body: Callable[..., Any]) -> Callable[..., Any]:
    """A body that computes 16-bit floats in 32 bits, as PyTorch's kernels do."""

    def widened(*arrays: Any) -> Any:
        if arrays[0].dtype.itemsize != 2:
            return body(*arrays)
        return body(*(x.astype(jnp.float32) for x in arrays)).astype(arrays[0].dtype)

    return widened


# ----- promotion rules: from what the inputs are to the dtype the body gets -----
def common(metas: Sequence[Any]) -> dtype:
    """The dtype that tensors (their Avals) and numbers (their classes) are promoted to."""
    groups: tuple[list[dtype], ...] = [], [], []
    for m in metas:
        if isinstance(m, type):
            groups[2].append(of_number(m))
        else:
            groups[0 if m.ndim else 1].append(m.dtype)
    return combine(*groups)


def with_tensor(name: str, to_float: bool = False) -> Callable[..., dtype]:
    """A rule for an op that takes a number in any place, but a tensor in one."""

    def rule(metas: Sequence[Any], statics: Any) -> dtype:
        if all(isinstance(m, type) for m in metas):
            raise ArgumentTypeError(
                f"{name}(): argument 'input' (position 1) must be Tensor, not {metas[0].__name__}"
            )
        found = common(metas)
        return get_default_dtype() if to_float and found.category <= INTEGER else found

    return rule
