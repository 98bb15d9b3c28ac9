"""Solving with triangular matrices."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax

from ..core.mutate import write_out
from ..core.op import Array, composite, op
from ..core.tensor import Tensor
from . import return_types
from .linalg import columns, mH


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
    found = columns(solve_triangle(A, B, upper, left, unitriangular))
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
def _by_factor(factor: Any, b: Any, upper: bool) -> Any:
    batch = jnp.broadcast_shapes(factor.shape[:-2], b.shape[:-2])
    factor, b = (jnp.broadcast_to(x, (*batch, *x.shape[-2:])) for x in (factor, b))
    if b.size == 0:
        return jnp.zeros_like(b)

    def solve(x: Any, adjoint: bool) -> Any:
        return lax.linalg.triangular_solve(
            factor, x, left_side=True, lower=not upper, transpose_a=adjoint,
            conjugate_a=adjoint and jnp.iscomplexobj(factor),
        )  # fmt: skip

    return solve(solve(b, upper), not upper)


@op(promote="none", module=None, name="cholesky_solve")
def solve_factored(input: Array, L: Array, upper: bool):
    for name, x in (("b", input), ("u", L)):
        if x.ndim < 2:
            raise RuntimeError(
                f"{name} should have at least 2 dimensions, but has {x.ndim} dimensions instead"
            )
    return _by_factor(L, input, upper)


@solve_factored.gradient
def _(grad, L, result, upper):
    down = solve_factored(grad, L, upper)
    common = down @ mH(result)
    return down, _factor_slope(L, common + mH(common), upper)


@op(promote="none", module=None, name="cholesky_inverse")
def invert_factored(input: Array, upper: bool):
    return _by_factor(input, jnp.eye(input.shape[-1], dtype=input.dtype), upper)


@invert_factored.gradient
def _(grad, input, result, upper):
    return _factor_slope(input, result @ (grad + mH(grad)) @ result, upper)


@composite
def cholesky_solve(input: Tensor, L: Tensor, upper: bool = False, *, out: Any = None) -> Tensor:
    """X of AX = B, given the Cholesky factor of A."""
    found = columns(solve_factored(input, L, upper))
    return found if out is None else write_out("cholesky_solve", out, found)


@composite
def cholesky_inverse(input: Tensor, upper: bool = False, *, out: Any = None) -> Tensor:
    """The inverse of A, given its Cholesky factor."""
    found = columns(invert_factored(input, upper))
    return found if out is None else write_out("cholesky_inverse", out, found)


def _factor_slope(factor: Tensor, common: Tensor, upper: bool) -> Tensor:
    return -(factor @ common) if upper else -(common @ factor)
