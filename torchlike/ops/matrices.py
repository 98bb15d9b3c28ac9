"""torch.linalg's functions of matrices built on the factorisations; least squares."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import jax.scipy.linalg as jsl

from ..core.check import no_meta_kernel
from ..core.dispatch import set_layout
from ..core.dtypes import FLOAT, finfo, int64
from ..core.geometry import contiguous_stride
from ..core.mutate import write_out
from ..core.op import TABLE, Array, composite, op
from ..core.tensor import Tensor
from . import return_types
from .decomp import (
    HALF,
    adjoint,
    check_float,
    check_matrix,
    check_square_float,
    factor_eigh,
    factor_svd,
)
from .linalg import columns, matmul, mH
from .norms import _matrix_norm
from .solve import as_tolerance, inv, invert_matrix, pinv_slope, pseudo_inverse, solve

DRIVERS = ("gels", "gelsy", "gelsd", "gelss")


# ----- least squares -----
@op(promote="none", module=None, name="linalg_lstsq", returns=tuple)
def least_squares(A: Array, B: Array, rcond: float | None, driver: str):
    if A.ndim < 2:
        raise RuntimeError("torch.linalg.lstsq: input must have at least 2 dimensions.")
    check_float("torch.linalg.lstsq", A)
    rows, cols = A.shape[-2:]
    vector = B.ndim == 1 or B.ndim == A.ndim - 1
    b = B[..., None] if vector else B
    if b.shape[-2] != rows:
        raise RuntimeError("torch.linalg.lstsq: input.size(-2) should match other.size(-2)")
    u, s, vh = jnp.linalg.svd(A, full_matrices=False)
    rcond = jnp.finfo(A.dtype).eps * max(rows, cols) if rcond is None else rcond
    keep = s > rcond * s[..., :1]  # type: ignore[operator]
    inverse = jnp.where(keep, 1 / jnp.where(keep, s, jnp.ones_like(s)), jnp.zeros_like(s))
    x = jnp.matmul(adjoint(vh), inverse[..., None] * jnp.matmul(adjoint(u), b))
    residuals = jnp.zeros((0,), s.dtype)
    if rows > cols and driver != "gelsy":
        residuals = jnp.sum(jnp.square(jnp.abs(jnp.matmul(A, x) - b)), -2)
    rank = jnp.sum(keep, -1, dtype=jnp.int64)
    if driver == "gels":
        rank = jnp.zeros((0,), jnp.int64)
    s = s if driver in ("gelsd", "gelss") else jnp.zeros((0,), s.dtype)
    return x[..., 0] if vector else x, residuals, rank, s


@least_squares.gradient
def _(grad0, grad1, result0, result1, A, B):
    vector = B.ndim == 1 or B.ndim == A.ndim - 1
    g, x, b = (t.unsqueeze(-1) if vector else t for t in (grad0, result0, B))
    inverse = pseudo_inverse(A, None, None, False)
    to_a, to_b = pinv_slope(g @ mH(b), inverse, A), mH(inverse) @ g
    if result1.numel():
        rest = (A @ x - b) * (2 * grad1.unsqueeze(-2).to(A.dtype))
        to_a, to_b = to_a + rest @ mH(x), to_b - rest
    return to_a, to_b.squeeze(-1) if vector else to_b


@composite(module="linalg", method=False)
def lstsq(
    A: Tensor, B: Tensor, rcond: float | None = None, *, driver: str | None = None
) -> Any:
    """The least-squares solution; residuals, rank and singular values as the driver gives them."""
    driver = driver or "gelsy"
    if driver not in DRIVERS:
        raise RuntimeError(
            "torch.linalg.lstsq: parameter `driver` should be one of (gels, gelsy, gelsd, gelss)"
        )
    if A.device.type == "meta":
        raise NotImplementedError(no_meta_kernel("linalg_lstsq.out"))
    found = least_squares(A, B, None if driver == "gels" else rcond, driver)
    x, residuals, rank, s = found
    if residuals.numel() and driver != "gels" and not bool((rank == A.shape[-1]).all()):
        residuals = residuals.new_zeros(0)
    rows, cols = A.shape[-2:]
    if x.ndim == A.ndim and rows >= cols:  # LAPACK's buffer has the rows of B
        set_layout(x, (*contiguous_stride((*x.shape[:-2], x.shape[-1], rows))[:-2], 1, rows))
    return return_types.linalg_lstsq(x, residuals, rank, s.detach())


# ----- powers and the exponential -----
@composite(module="linalg", method=False)
def matrix_power(A: Tensor, n: int, *, out: Any = None) -> Tensor:
    """A to an integer power, by repeated squaring."""
    if A.dim() < 2 or A.shape[-1] != A.shape[-2]:
        check_square_shape("linalg.matrix_power", A)
    found = _power(A, n)
    return found if out is None else write_out("matrix_power", out, found)


def check_square_shape(name: str, A: Tensor) -> None:
    """RuntimeError unless A is a batch of square matrices."""
    if A.dim() < 2:
        raise RuntimeError(f"{name}: The input tensor A must have at least 2 dimensions.")
    raise RuntimeError(
        f"{name}: A must be batches of square matrices, but they are {A.shape[-2]} by "
        f"{A.shape[-1]} matrices"
    )


def _power(A: Tensor, n: int) -> Tensor:
    if n == 0:
        return A.clone().copy_(A.new_ones(A.shape[-1]).diag_embed())
    if n < 0:
        return inv(A) if n == -1 else _power(inv(A), -n)
    found: Any = None
    while True:
        if n & 1:
            found = A if found is None else matmul(found, A)
        n >>= 1
        if not n:
            return found.clone() if found is A else found
        A = matmul(A, A)


@composite(name="matrix_power")
def torch_matrix_power(input: Tensor, n: int, *, out: Any = None) -> Tensor:
    """A to an integer power."""
    return matrix_power(input, n, out=out)


@op(promote="none", module=None, name="linalg_matrix_exp")
def exponential(A: Array):
    wider = A.astype(jnp.float32) if A.dtype in HALF else A
    check_square_float("linalg.matrix_exp", wider)
    return jsl.expm(wider).astype(A.dtype) if A.size else A


@composite(module="linalg", name="matrix_exp", method=False)
def linalg_matrix_exp(A: Tensor) -> Tensor:
    """The matrix exponential."""
    return exponential(A)


@composite
def matrix_exp(input: Tensor) -> Tensor:
    """The matrix exponential."""
    return exponential(input)


# ----- rank and condition -----
def _singular_values(A: Tensor, hermitian: bool) -> Tensor:
    return factor_eigh(A, "L")[0].abs() if hermitian else factor_svd(A, False)[1]


@composite(module="linalg", method=False)
def matrix_rank(
    A: Tensor, tol: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None,
    out: Any = None,
) -> Tensor:  # fmt: skip
    """How many singular values exceed the tolerance."""
    if tol is not None:
        atol, rtol = tol, 0.0
    found = rank_of(A.detach(), as_tolerance(A, atol), as_tolerance(A, rtol), hermitian)
    return found if out is None else write_out("matrix_rank", out, found)


def rank_of(A: Tensor, atol: Tensor | None, rtol: Tensor | None, hermitian: bool) -> Tensor:
    """The rank by singular values."""
    s = _singular_values(A, hermitian)
    if s.shape[-1] == 0:
        return s.new_zeros(s.shape[:-1], dtype=int)
    largest = s.amax(-1)
    if rtol is None:
        default = finfo(s.dtype).eps * max(A.shape[-2:])
        rtol = default if atol is None else default * (atol <= 0)
    bound = largest * rtol
    if atol is not None:
        bound = bound.clamp_min(atol)
    return (s > bound.unsqueeze(-1)).sum(-1)


@composite(module="linalg", method=False)
def cond(A: Tensor, p: Any = None, *, out: Any = None) -> Tensor:
    """The condition number in a matrix norm."""
    found = _condition(A, p)
    return found if out is None else write_out("linalg_cond", out, found)


def _condition(A: Tensor, p: Any) -> Tensor:
    if p is None or p in (2, -2):
        s = factor_svd(A, False)[1]
        if s.numel() == 0:
            return s.new_zeros(s.shape[:-1])
        largest, smallest = s.narrow(-1, 0, 1), s.narrow(-1, s.shape[-1] - 1, 1)
        ratio = smallest / largest if p == -2 else largest / smallest
        return ratio.squeeze(-1)
    if p not in ("fro", "nuc", 1, -1, math.inf, -math.inf):
        raise RuntimeError(f"linalg.cond got an invalid norm type: {p}")
    if A.shape[-1] != A.shape[-2]:
        check_square_shape("linalg.cond", A)
    if A.numel() == 0:
        return A.abs().new_zeros(A.shape[:-2])
    inverse, info = invert_matrix(A)
    norms = _matrix_norm(A, p, (-2, -1), False, None)
    found = norms * _matrix_norm(inverse, p, (-2, -1), False, None)
    return found.masked_fill(info != 0, math.inf)


# ----- tensors as matrices -----
@composite(module="linalg", method=False)
def tensorinv(A: Tensor, ind: int = 2, *, out: Any = None) -> Tensor:
    """The inverse for tensordot over `ind` dims."""
    if ind <= 0:
        raise RuntimeError("Expected a strictly positive integer for 'ind'")
    rows, cols = math.prod(A.shape[ind:]), math.prod(A.shape[:ind])
    if rows != cols:
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[ind:]) == "
            f"prod(self.shape[:ind]), but got {rows} != {cols}"
        )
    found = inv(A.reshape(cols, rows)).reshape(*A.shape[ind:], *A.shape[:ind])
    return found if out is None else write_out("linalg_tensorinv", out, found)


@composite(module="linalg", method=False)
def tensorsolve(A: Tensor, B: Tensor, dims: Any = None, *, out: Any = None) -> Tensor:
    """X of tensordot(A, X) = B."""
    if dims is not None:
        A = A.movedim(tuple(dims), tuple(range(A.dim() - len(dims), A.dim())))
    shape = A.shape[B.dim() :]
    rows, cols = math.prod(shape), math.prod(A.shape[: B.dim()])
    if rows != cols:
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == "
            f"prod(self.shape[:other.ndim]), but got {rows} != {cols}"
        )
    found = solve(A.reshape(rows, rows), B.reshape(-1)).reshape(shape)
    return found if out is None else write_out("linalg_tensorsolve", out, found)


# ----- Vandermonde -----
@composite(module="linalg", name="vander", method=False)
def linalg_vander(x: Tensor, *, N: int | None = None) -> Tensor:
    """Rows of powers 1, x, x², …"""
    x = x.reshape(1) if x.dim() == 0 else x
    count = x.shape[-1] if N is None else N
    if N is not None and N < 2:
        raise RuntimeError(f"linalg.vander: N must be greater than 1, got {N}")
    repeated = x.unsqueeze(-1).expand(*x.shape, count - 1)
    ones = x.new_ones(
        *x.shape, 1, dtype=repeated.dtype if x.is_floating_point() or x.is_complex() else int
    )
    return TABLE["torch", "cat"]([ones, repeated.cumprod(-1)], -1)


@composite(name="vander", method=False)
def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """Powers of a vector as columns, falling unless `increasing`."""
    if x.dim() != 1:
        raise RuntimeError("x must be a one-dimensional tensor.")
    count = x.numel() if N is None else N
    if count < 0:
        raise RuntimeError("N must be non-negative.")
    kind = int64 if x.dtype.category < FLOAT else x.dtype
    made = TABLE["torch", "empty"](x.shape[0], count, dtype=kind, device=x.device)
    if count > 0:
        made.select(1, 0).fill_(1)  # type: ignore[attr-defined]
    if count > 1:
        made.narrow(1, 1, count - 1).copy_(x.unsqueeze(-1))
        rest = made.narrow(1, 1, count - 1)
        rest.copy_(rest.cumprod(1))
    return made if increasing else made.flip(1)


# ----- Householder -----
@op(promote="none", module=None, name="linalg_householder_product")
def reflectors_product(input: Array, tau: Array):
    check_matrix("torch.linalg.householder_product", input, "input")
    if input.shape[-2] < input.shape[-1]:
        raise RuntimeError(
            "torch.linalg.householder_product: input.shape[-2] must be greater than or equal to "
            "input.shape[-1]"
        )
    if input.shape[-1] < tau.shape[-1]:
        raise RuntimeError(
            "torch.linalg.householder_product: input.shape[-1] must be greater than or equal to "
            "tau.shape[-1]"
        )
    return _reflect(input, tau)


def _reflect(a: Any, tau: Any) -> Any:
    """H1 H2 … Hk applied to the identity, Hi = I - tau v vᴴ: differentiable by JAX."""
    rows, cols = a.shape[-2:]
    out = jnp.broadcast_to(jnp.eye(rows, cols, dtype=a.dtype), a.shape)
    for i in reversed(range(tau.shape[-1])):
        v = jnp.where(jnp.arange(rows) > i, a[..., :, i], (jnp.arange(rows) == i).astype(a.dtype))
        row = jnp.einsum("...i,...ij->...j", jnp.conj(v), out)
        out = out - tau[..., i, None, None] * v[..., :, None] * row[..., None, :]
    return out


@composite(module="linalg", method=False)
def householder_product(input: Tensor, tau: Tensor, *, out: Any = None) -> Tensor:
    """The first columns of a product of Householder reflections."""
    found = columns(reflectors_product(input, tau))
    return found if out is None else write_out("householder_product", out, found)


@composite
def orgqr(input: Tensor, input2: Tensor, *, out: Any = None) -> Tensor:
    """householder_product by its older name."""
    return householder_product(input, input2, out=out)


@op(promote="none", returns=return_types.geqrf, differentiable=False)
def geqrf(input: Array):
    check_matrix("torch.geqrf", input, "input")
    raw, tau = jnp.linalg.qr(input, mode="raw")
    return jnp.swapaxes(raw, -1, -2), tau


@op(promote="none")
def ormqr(input: Array, tau: Array, other: Array, left: bool = True, transpose: bool = False):
    for name, x in (("input", input), ("other", other)):
        if x.ndim < 2:
            raise RuntimeError(f"torch.ormqr: {name} must have at least 2 dimensions.")
    rows = input.shape[-2]
    if tau.shape[-1] != min(other.shape[-2 if left else -1], input.shape[-1]):
        side = "-2" if left else "-1"
        raise RuntimeError(
            f"torch.ormqr: tau.shape[-1] must be equal to min(other.shape[{side}], input.shape[-1])"
        )
    kept = input[..., : tau.shape[-1]]
    square = jnp.concatenate(
        [kept, jnp.zeros((*kept.shape[:-1], rows - kept.shape[-1]), kept.dtype)], -1
    )
    q = _reflect(square, tau)
    q = adjoint(q) if transpose else q
    return jnp.matmul(q, other) if left else jnp.matmul(other, q)
