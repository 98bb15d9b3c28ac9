"""Shapes and strides: where each element of a view lies in its memory."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .storage import Aval, Shape


# ----- geometry -----
class Geometry:
    """Shape, stride and offset of a tensor in its memory, in elements. Interned."""

    __slots__ = ("shape", "stride", "offset", "contiguous")

    def __init__(self, shape: Shape, stride: Shape, offset: int) -> None:
        self.shape, self.stride, self.offset = shape, stride, offset
        self.contiguous = is_contiguous(shape, stride)


@lru_cache(1 << 14)
def geometry(shape: Shape, stride: Shape, offset: int) -> Geometry:
    """The Geometry with these numbers."""
    return Geometry(shape, stride, offset)


@lru_cache(1 << 14)
def contiguous_stride(shape: Shape) -> Shape:
    """Row-major strides; a dim of size 0 counts as 1, as in PyTorch."""
    strides, step = [], 1
    for n in reversed(shape):
        strides.append(step)
        step *= max(n, 1)
    return tuple(reversed(strides))


def is_contiguous(shape: Shape, stride: Shape) -> bool:
    """Whether the elements lie in row-major order without gaps."""
    step = 1
    for n, s in zip(reversed(shape), reversed(stride), strict=True):
        if n == 0:
            return True
        if n != 1:
            if s != step:
                return False
            step *= n
    return True


def is_dense(shape: Shape, stride: Shape) -> bool:
    """Whether the elements fill their memory without gaps or overlap, in some order of dims."""
    step = 1
    for s, n in sorted((s, n) for n, s in zip(shape, stride, strict=True) if n != 1):
        if s != step:
            return n == 0
        step *= n
    return True


def overlaps(shape: Shape, stride: Shape) -> bool:
    """Whether two elements surely share memory (PyTorch checks zero strides only)."""
    return any(n > 1 and s == 0 for n, s in zip(shape, stride, strict=True))


@lru_cache(1 << 12)
def result_stride(shapes: tuple[Shape, ...], strides: tuple[Shape, ...], out: Shape) -> Shape:
    """Strides of an elementwise result: dims ordered as in the inputs (TensorIterator's rule)."""
    wide = []
    for shape, stride in zip(shapes, strides, strict=True):
        pad = len(out) - len(shape)
        full = (0,) * pad + tuple(
            0 if n == 1 and m != 1 else s for n, s, m in zip(shape, stride, out[pad:], strict=True)
        )
        wide.append(full)
    same = all(shape == out for shape in shapes)
    if same and all(w == wide[0] for w in wide) and is_dense(out, wide[0]):
        return wide[0]
    perm = list(range(len(out)))[::-1]  # fastest dim first
    for i in range(1, len(out)):
        at = i
        for j in range(i - 1, -1, -1):
            order = _faster(wide, perm[j], perm[at], out)
            if order > 0:
                perm[j], perm[at] = perm[at], perm[j]
                at = j
            elif order < 0:
                break
    stride, step = [0] * len(out), 1
    for d in perm:
        stride[d] = step
        step *= max(out[d], 1)
    return tuple(stride)


def _faster(wide: list[Shape], a: int, b: int, shape: Shape) -> int:
    """1 if dim b must be inside dim a, -1 if not, 0 if the inputs don't say."""
    for stride in wide:
        x, y = stride[a], stride[b]
        if x == 0 or y == 0:
            continue
        if x != y:
            return 1 if x > y else -1
        if shape[a] > shape[b]:
            return 1
    return 0


class View:
    """How a tensor looks at its storage: geometry, and the steps from the base to here.

    No steps: the whole base, laid out in memory by other strides than row-major.
    """

    __slots__ = ("geometry", "steps", "base_aval", "base_stride")

    def __init__(
        self, at: Geometry, steps: tuple[Any, ...], base_aval: Aval, base_stride: Shape | None
    ) -> None:
        self.geometry, self.steps, self.base_aval = at, steps, base_aval
        self.base_stride = base_stride  # strides of the base when not row-major


def ghost(at: Geometry) -> np.ndarray:
    """An array of that geometry owning no memory: views of it tell their geometry."""
    return as_strided(np.empty(1, np.int8), at.shape, at.stride)


def geometry_after(at: Geometry, body: Callable[[np.ndarray], np.ndarray]) -> Geometry:
    """The geometry of a view: its NumPy body, applied to an array that owns no memory."""
    base = ghost(at)
    seen = body(base)
    start = seen.__array_interface__["data"][0] - base.__array_interface__["data"][0]
    return geometry(seen.shape, seen.strides, at.offset + start)
