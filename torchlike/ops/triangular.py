"""Solving with triangular matrices."""

from __future__ import annotations

from typing import Any

from jax import lax
import jax.numpy as jnp

from ..core.mutate import write_out
from ..core.op import Array, composite, op
from ..core.tensor import Tensor
from . import return_types
from .linalg import mH


@op(
    promote="none", module=None, name="linalg_solve_triangular",
    node="LinalgSolveTriangularBackward0",
)  # fmt: skip
def solve_triangle(A: Array, B: Array, upper: bool, left: bool, unitriangular: bool):
    batch = jnp.broadcast_shapes(A.shape[:-2], B.shape[:-2])
    A, B = (jnp.broadcast_to(x, (*batch, *x.shape[-2:])) for x in (A, B))
    if B.size == 0:
        return jnp.zeros_like(B)
    return lax.linalg.triangular_solve(
        A, B, left_side=left, lower=not upper, unit_diagonal=unitriangular
    )


@solve_triangle.gradient
def _(grad, A, result, upper, left, unitriangular):
    down = solve_triangle(mH(A), grad, not upper, left, unitriangular)
    slope = -(down @ mH(result)) if left else -(mH(result) @ down)
    if unitriangular:
        return (slope.triu(1) if upper else slope.tril(-1)), down
    return (slope.triu() if upper else slope.tril()), down


def _check(A: Tensor, B: Tensor, left: bool) -> None:
    name = "linalg.solve_triangular"
    for letter, x in (("A", A), ("B", B)):
        if x.dim() < 2:
            raise RuntimeError(
                f"{name}: The input tensor {letter} must have at least 2 dimensions."
            )
    if A.shape[-1] != A.shape[-2]:
        raise RuntimeError(
            f"{name}: A must be batches of square matrices, but they are {A.shape[-2]} by "
            f"{A.shape[-1]} matrices"
        )
    if A.shape[-1] != B.shape[-2 if left else -1]:
        equation = "AX = B" if left else "XA = B"
        raise RuntimeError(
            f"{name}: Incompatible shapes of A and B for the equation {equation} "
            f"({A.shape[-2]}x{A.shape[-1]} and {B.shape[-2]}x{B.shape[-1]})"
        )


@composite(module="linalg", method=False)
def solve_triangular(
    A: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False,
    out: Any = None,
) -> Tensor:  # fmt: skip
    """X of AX = B (or XA = B) for a triangular A."""
    _check(A, B, left)
    found = solve_triangle(A, B, upper, left, unitriangular)
    return found if out is None else write_out("linalg_solve_triangular", out, found)


@composite
def triangular_solve(
    input: Tensor, A: Tensor, upper: bool = True, transpose: bool = False,
    unitriangular: bool = False, *, out: Any = None,
) -> Any:  # fmt: skip
    """The older form: solution and a copy of the coefficients."""
    _check(A, input, True)
    matrix, side = (A.transpose(-2, -1), not upper) if transpose else (A, upper)
    batch = jnp.broadcast_shapes(tuple(A.shape[:-2]), tuple(input.shape[:-2]))
    found = return_types.triangular_solve(
        solve_triangle(matrix, input, side, True, unitriangular),
        A.expand(*batch, *A.shape[-2:]).clone(),
    )
    return found if out is None else write_out("triangular_solve", out, found)


# ----- from a Cholesky factor -----
def _by_factor(factor: Tensor, b: Tensor, upper: bool) -> Tensor:
    if upper:
        return solve_triangle(factor, solve_triangle(mH(factor), b, False, True, False), True, True, False)
    return solve_triangle(mH(factor), solve_triangle(factor, b, False, True, False), True, True, False)


@composite
def cholesky_solve(
    input: Tensor, L: Tensor, upper: bool = False, *, out: Any = None
) -> Tensor:
    """X of AX = B, given the Cholesky factor of A."""
    for name, x in (("b", input), ("u", L)):
        if x.dim() < 2:
            raise RuntimeError(
                f"{name} should have at least 2 dimensions, but has {x.dim()} dimensions instead"
            )
    triangle = L.triu() if upper else L.tril()
    found = _by_factor(triangle, input, upper)
    return found if out is None else write_out("cholesky_solve", out, found)


@composite
def cholesky_inverse(input: Tensor, upper: bool = False, *, out: Any = None) -> Tensor:
    """The inverse of A, given its Cholesky factor."""
    eye = input.new_zeros(input.shape)
    eye = eye + input.new_ones(input.shape[-1]).diag_embed()
    found = _by_factor(input.triu() if upper else input.tril(), eye, upper)
    return found if out is None else write_out("cholesky_inverse", out, found)
