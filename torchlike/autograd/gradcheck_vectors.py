"""The directions `gradcheck` looks along, and dense forms of sparse tensors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .. import ops
from ..core.layouts import strided
from ..core.rng import Generator
from ..core.tensor import Tensor


def dense(t: Tensor) -> Tensor:
    """The tensor with its zeros."""
    return t if t.layout is strided else t.to_dense()  # type: ignore[attr-defined]


def stored(t: Any) -> Tensor:
    """One where a sparse tensor stores an element, row-major."""
    return t.with_values(ops.ones_like(t._bearer)).to_dense().reshape(-1).real.sign()


def unit_vectors(t: Tensor) -> Iterator[Tensor]:
    kind = t.dtype.to_real() if t.is_complex() else t.dtype
    yield from ops.eye(t.numel(), dtype=kind).unbind(0)


def random_vector(t: Tensor, real: bool = False, generator: Generator | None = None) -> Tensor:
    kind = t.dtype.to_real() if real and t.is_complex() else t.dtype
    if t.layout is not strided:  # random where it has elements
        places = stored(t).nonzero()[:, 0]
        vector = ops.rand(len(places), generator=generator).to(kind)
        vector /= vector.norm()
        return ops.zeros(t.numel(), dtype=kind).index_put((places,), vector)  # type: ignore[attr-defined]
    vector = ops.rand(t.numel(), generator=generator).to(kind)
    return vector / vector.norm()
