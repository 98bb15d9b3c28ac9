"""Outer, inner and Kronecker products; cross products."""

from __future__ import annotations

import warnings
from typing import Any

import jax.numpy as jnp

from ..core.check import broadcast_shapes, check_dim
from ..core.dtypes import SCALAR_NAMES
from ..core.mutate import write_out
from ..core.op import Array, alias, composite, op
from ..core.tensor import Tensor
from .kinds import INTEGER, kind
from .linalg import CROSS_DIM, unsafe_view


# ----- outer, inner, Kronecker, cross -----
@composite
def outer(input: Tensor, vec2: Tensor, *, out: Any = None) -> Tensor:
    """All products of two vectors' elements."""
    for name, x in (("self", input), ("vec2", vec2)):
        if x.dim() != 1:
            raise RuntimeError(f"outer: Expected 1-D argument {name}, but got {x.dim()}-D")
    found = input.reshape(input.shape[0], 1) * vec2
    return found if out is None else write_out("outer", out, found)


alias("ger", "outer")


@composite
def kron(input: Tensor, other: Tensor, *, out: Any = None) -> Tensor:
    """The Kronecker product."""
    if out is not None:
        return write_out("kron", out, kron(input, other))
    ndim = max(input.dim(), other.dim())
    a, b = ((1,) * (ndim - x.dim()) + tuple(x.shape) for x in (input, other))
    left = input.reshape([n for size in a for n in (size, 1)])
    right = other.reshape([n for size in b for n in (1, size)])
    return unsafe_view(left * right, tuple(n * m for n, m in zip(a, b, strict=True)))


@op(name="linalg_cross", module=None)
def cross_along(input: Array, other: Array, dim: int):
    shape = broadcast_shapes(input.shape, other.shape)
    a, b = (jnp.broadcast_to(x, shape) for x in (input, other))
    return jnp.cross(a, b, axis=dim)


@cross_along.gradient
def _(grad, input, other, dim):
    return cross_along(other.conj(), grad, dim), cross_along(grad, input.conj(), dim)


def _cross(name: str, input: Tensor, other: Tensor, dim: int) -> Tensor:
    if input.dim() != other.dim():
        raise RuntimeError(f"{name}: inputs must have the same number of dimensions.")
    at = check_dim(dim, input.dim())
    if input.dtype is not other.dtype:
        kinds = [SCALAR_NAMES[x.dtype] for x in (input, other)]
        raise RuntimeError("expected scalar type {} but found {}".format(*kinds))
    dims = input.shape[at], other.shape[at]
    if dims != (3, 3):
        raise RuntimeError(
            f"{name}: inputs dimension {dim} must have length 3. Got {dims[0]} and {dims[1]}"
        )
    return cross_along(input, other, dim)


@composite(name="cross", module="linalg")
def linalg_cross(input: Tensor, other: Tensor, *, dim: int = -1, out: Any = None) -> Tensor:
    """The cross product along a dim of size 3."""
    found = _cross("linalg.cross", input, other, dim)
    return found if out is None else write_out("linalg_cross", out, found)


@composite
def cross(input: Tensor, other: Tensor, dim: int | None = None, *, out: Any = None) -> Tensor:
    """The cross product; without `dim`, along the first dim of size 3."""
    if out is not None:
        return write_out("cross", out, cross(input, other, dim))
    if dim is None:
        warnings.warn(CROSS_DIM)
        dim = next((i for i, n in enumerate(input.shape) if n == 3), None)
        if dim is None:
            raise RuntimeError("no dimension of size 3 in input")
    return _cross("linalg.cross", input, other, dim)


@op(promote="none")
def trace(input: Array):
    if input.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input.ndim}")
    total = jnp.diagonal(input)
    return total.sum(dtype=jnp.int64 if kind(input) <= INTEGER else input.dtype)


@composite(module="linalg")
def vecdot(x: Tensor, y: Tensor, *, dim: int = -1, out: Any = None) -> Tensor:
    """Products of vectors along a dim, the first conjugated."""
    found = ((x.conj() if x.is_complex() else x) * y).sum(dim)
    return found if out is None else write_out("linalg_vecdot", out, found)


alias("matmul", "matmul", module="linalg", of="torch")


@composite(module="linalg", method=False)
def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """The diagonals of the last two dims: a view."""
    return A.diagonal(offset, dim1, dim2)
