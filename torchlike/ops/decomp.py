"""Factorisations: Cholesky, QR, SVD, eigenvalues, LU; what they need checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax import lax

from ..core.check import warn_once
from ..core.mutate import write_out
from ..core.op import TABLE, Array, composite, op
from ..core.record import INLINE
from ..core.tensor import Tensor, all_examples
from . import return_types
from .kinds import INTEGER, kind, scalar_name
from .linalg import columns, mH
from .triangular import solve_triangle

HALF = (jnp.float16, jnp.bfloat16)


class _LinAlgError(RuntimeError):
    """torch.linalg.LinAlgError."""


_LinAlgError.__module__ = "torch._C"
LinAlgError = _LinAlgError


# ----- checks -----
def check_float(name: str, a: Any) -> None:
    if kind(a) <= INTEGER:
        raise RuntimeError(
            f"{name}: Expected a floating point or complex tensor as input. Got {scalar_name(a)}"
        )
    if a.dtype in HALF:
        raise RuntimeError(f"{name}: Low precision dtypes not supported. Got {scalar_name(a)}")


def check_matrix(name: str, a: Any, letter: str = "A") -> None:
    if a.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor {letter} must have at least 2 dimensions.")


def check_square(name: str, a: Any, letter: str = "A") -> None:
    check_matrix(name, a, letter)
    if a.shape[-1] != a.shape[-2]:
        raise RuntimeError(
            f"{name}: {letter} must be batches of square matrices, but they are "
            f"{a.shape[-2]} by {a.shape[-1]} matrices"
        )


def check_square_float(name: str, a: Any) -> None:
    check_square(name, a)
    check_float(name, a)


def unknown(t: Tensor) -> bool:
    """Whether a tensor has no value to look at now: inside a transform, or on meta."""
    return t.device.type == "meta" or t._value_now().trace is INLINE


def raise_if(info: Tensor, text: Callable[[str, int], str], error: type = LinAlgError) -> None:
    """An error for the first matrix of a batch with info > 0; at once, so that `except` sees it."""
    info = all_examples(info)
    if unknown(info):  # inside a transform there is no value to look at
        return
    values = info.reshape(-1).tolist()
    at = next((i for i, v in enumerate(values) if v), None)
    if at is not None:
        where = f"(Batch element {at}): " if info.dim() else ""
        raise error(text(where, values[at]))


# ----- helpers of bodies -----
def adjoint(x: Any) -> Any:
    return jnp.conj(jnp.swapaxes(x, -1, -2))


def first_true(bad: Any) -> Any:
    """The 1-based place of the first True in the last dim, 0 without one: LAPACK's info."""
    if not bad.shape[-1]:
        return jnp.zeros(bad.shape[:-1], jnp.int32)
    return jnp.where(bad.any(-1), jnp.argmax(bad, -1) + 1, 0).astype(jnp.int32)


def _diagonal(x: Any) -> Any:
    return jnp.diagonal(x, axis1=-2, axis2=-1)


# ----- Cholesky -----
@op(promote="none", module=None, name="linalg_cholesky_ex", returns=return_types.linalg_cholesky_ex)
def factor_cholesky(A: Array, upper: bool):
    name = "linalg.cholesky"
    check_square_float(name, A)
    if A.size == 0:
        return A, jnp.zeros(A.shape[:-2], jnp.int32)
    lower = jnp.tril(adjoint(A) if upper else A)
    whole = lower + adjoint(jnp.tril(lower, -1))
    found = lax.linalg.cholesky(whole, symmetrize_input=False)
    failed = jnp.isnan(_diagonal(found).real).any(-1)
    info = lax.cond(
        failed.any(), _failing_minor, lambda a: jnp.zeros(a.shape[:-2], jnp.int32), whole
    )
    return (adjoint(found) if upper else found), info


def _failing_minor(a: Any) -> Any:
    """The order of the first leading minor that is not positive definite, 0 if all are."""

    def eliminate(k: Any, state: Any) -> Any:
        a, found = state
        pivot = a[..., k, k].real
        found = jnp.where((found == 0) & ~(pivot > 0), k + 1, found)
        column = a[..., :, k] / pivot[..., None]
        return a - column[..., :, None] * a[..., k, None, :], found

    start = a, jnp.zeros(a.shape[:-2], jnp.int64)
    return lax.fori_loop(0, a.shape[-1], eliminate, start)[1].astype(jnp.int32)


@factor_cholesky.gradient
def _(grad0, result0, upper):
    lower = mH(result0) if upper else result0
    slope = mH(grad0) if upper else grad0
    inner = mH(lower) @ slope
    strict = inner.tril(-1)
    core = strict + mH(strict) + inner.diagonal(0, -2, -1).diag_embed()
    return mH(solve_lower(lower, mH(solve_lower(lower, core * 0.5))))


def solve_lower(lower: Tensor, b: Tensor) -> Tensor:
    """L⁻ᴴ b."""
    return solve_triangle(mH(lower), b, True, True, False)


@composite(module="linalg", method=False)
def cholesky_ex(
    input: Tensor, *, upper: bool = False, check_errors: bool = False, out: Any = None
) -> Any:
    """The Cholesky factor and an info that tells where it failed."""
    found = factor_cholesky(input, upper)
    columns(found[0])
    if check_errors:
        _check_cholesky("torch.linalg.cholesky_ex", found[1])
    return found if out is None else write_out("linalg_cholesky_ex", out, found)


def _check_cholesky(name: str, info: Tensor) -> None:
    raise_if(
        info,
        lambda where, at: f"{name}: {where}The factorization could not be completed because the "
        f"input is not positive-definite (the leading minor of order {at} is not "
        "positive-definite).",
    )


@composite(module="linalg", name="cholesky", method=False)
def linalg_cholesky(input: Tensor, *, upper: bool = False, out: Any = None) -> Tensor:
    """The Cholesky factor; LinAlgError when the matrix is not positive definite."""
    found, info = factor_cholesky(input, upper)
    _check_cholesky("linalg.cholesky", info)
    found = columns(found)
    return found if out is None else write_out("cholesky", out, found)


@composite
def cholesky(input: Tensor, upper: bool = False, *, out: Any = None) -> Tensor:
    """The Cholesky factor."""
    warn_once(
        "torch.cholesky is deprecated in favor of torch.linalg.cholesky and will be removed in a "
        "future PyTorch release.\nL = torch.cholesky(A)\nshould be replaced with\n"
        "L = torch.linalg.cholesky(A)\nand\nU = torch.cholesky(A, upper=True)\n"
        "should be replaced with\nU = torch.linalg.cholesky(A).mH\nThis transform will produce "
        "equivalent results for all valid (symmetric positive definite) inputs."
    )
    return linalg_cholesky(input, upper=upper, out=out)


# ----- QR -----
QR_COMPLETE = (
    "The QR decomposition is not differentiable when mode='complete' and nrows > ncols."
)
QR_R = (
    "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please use "
    "linalg.qr(A, mode='reduced') if you are going to require gradients."
)


@op(promote="none", module=None, name="linalg_qr", returns=return_types.linalg_qr)
def factor_qr(A: Array, mode: str):
    check_matrix("linalg.qr", A)
    check_float("linalg.qr", A)
    if mode == "r":
        return jnp.zeros((0,), A.dtype), jnp.linalg.qr(A, mode="r")
    return tuple(jnp.linalg.qr(A, mode=mode))


@factor_qr.gradient
def _(grad0, grad1, result0, result1, A, mode):
    rows, cols = A.shape[-2:]
    if mode == "r":
        raise RuntimeError(QR_R)
    if mode == "complete" and rows > cols:
        raise RuntimeError(QR_COMPLETE)
    q, r, dq, dr = result0, result1, grad0, grad1
    if rows >= cols:
        return _tall_qr_slope(q, r, dq, dr)
    # A = [X | Y], R = [U | V]: X = QU and V = QᴴY, so Y's gradient reaches Q too
    split = rows, cols - rows
    y, dv = A.narrow(-1, *split), dr.narrow(-1, *split)
    left = _tall_qr_slope(q, r.narrow(-1, 0, rows), dq + y @ mH(dv), dr.narrow(-1, 0, rows))
    return TABLE["torch", "cat"]([left, q @ dv], -1)


def _tall_qr_slope(q: Tensor, r: Tensor, dq: Tensor, dr: Tensor) -> Tensor:
    middle = (r @ mH(dr) - mH(dq) @ q).tril()
    lower = middle.tril(-1)
    diagonal = middle.diagonal(0, -2, -1)
    diagonal = diagonal.real.to(q.dtype) if q.is_complex() else diagonal
    whole = lower + mH(lower) + diagonal.diag_embed()
    return mH(solve_triangle(r, mH(dq + q @ whole), True, True, False))


@composite(module="linalg", method=False)
def qr(A: Tensor, mode: str = "reduced", *, out: Any = None) -> Any:
    """Q with orthonormal columns, R upper triangular."""
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), "
            "'r', or 'complete'"
        )
    found = factor_qr(A, mode)
    for part in found if mode != "r" else found[1:]:
        columns(part)
    return found if out is None else write_out("linalg_qr", out, found)


@composite(name="qr")
def torch_qr(input: Tensor, some: bool = True, *, out: Any = None) -> Any:
    """The older torch.qr."""
    warn_once(
        "torch.qr is deprecated in favor of torch.linalg.qr and will be removed in a future "
        "PyTorch release.\nThe boolean parameter 'some' has been replaced with a string parameter "
        "'mode'.\nQ, R = torch.qr(A, some)\nshould be replaced with\n"
        "Q, R = torch.linalg.qr(A, 'reduced' if some else 'complete')"
    )
    found = return_types.qr(factor_qr(input, "reduced" if some else "complete"))
    return found if out is None else write_out("qr", out, found)


# ----- SVD -----
@op(promote="none", module=None, name="linalg_svd", returns=return_types.linalg_svd)
def factor_svd(A: Array, full_matrices: bool):
    check_matrix("linalg.svd", A)
    check_float("linalg.svd", A)
    return tuple(jnp.linalg.svd(A, full_matrices=full_matrices))


@factor_svd.gradient
def _(grad0, grad1, grad2, result0, result1, result2):
    count = result1.shape[-1]
    u, du = (x.narrow(-1, 0, count) for x in (result0, grad0))
    vh, dvh = (x.narrow(-2, 0, count) for x in (result2, grad2))
    return _svd_slope(u, result1, vh, du, grad1, dvh)


def _svd_slope(u: Tensor, s: Tensor, vh: Tensor, du: Tensor, ds: Tensor, dvh: Tensor) -> Tensor:
    turn_u, turn_v = _skew(mH(u) @ du), _skew(vh @ mH(dvh))
    squares = s * s
    gap = squares.unsqueeze(-2) - squares.unsqueeze(-1)
    row, column = s.unsqueeze(-2), s.unsqueeze(-1)
    core = ((turn_u * row + column * turn_v) / gap).masked_fill(gap == 0, 0)
    diagonal = ds.to(u.dtype)
    if u.is_complex():
        diagonal = diagonal + (turn_u.diagonal(0, -2, -1) / (2 * s)).masked_fill(s == 0, 0)
    core = core + diagonal.diag_embed()
    left = u @ core
    if u.shape[-2] > s.shape[-1]:
        scaled = du / row
        left = left + scaled - u @ (mH(u) @ scaled)
    slope = left @ vh
    if vh.shape[-1] > s.shape[-1]:
        scaled = dvh / column
        slope = slope + u @ (scaled - (scaled @ mH(vh)) @ vh)
    return slope


def _skew(x: Tensor) -> Tensor:
    return x - mH(x)


def _check_driver(name: str, driver: str | None) -> None:
    if driver is not None:
        raise RuntimeError(
            f"{name}: keyword argument `driver=` is only supported on CUDA inputs with cuSOLVER "
            "backend."
        )


def _check_finite_svd(s: Tensor) -> None:
    if not unknown(s) and bool(s.isnan().any()):
        raise LinAlgError(
            "linalg.svd: The algorithm failed to converge because the input matrix contained "
            "non-finite values."
        )


@composite(module="linalg", method=False)
def svd(
    A: Tensor, full_matrices: bool = True, *, driver: str | None = None, out: Any = None
) -> Any:
    """U, the singular values in descending order, and Vᴴ."""
    _check_driver("torch.linalg.svd", driver)
    found = factor_svd(A, full_matrices)
    _check_finite_svd(found[1])
    return found if out is None else write_out("linalg_svd", out, found)


@composite(module="linalg", method=False)
def svdvals(A: Tensor, *, driver: str | None = None, out: Any = None) -> Tensor:
    """The singular values in descending order."""
    _check_driver("torch.linalg.svdvals", driver)
    found = factor_svd(A, False)[1]
    _check_finite_svd(found)
    return found if out is None else write_out("svdvals", out, found)


@composite(name="svd")
def torch_svd(
    input: Tensor, some: bool = True, compute_uv: bool = True, *, out: Any = None
) -> Any:
    """The older torch.svd, which returns V and not Vᴴ."""
    u, s, vh = factor_svd(input, not some)
    if not compute_uv:
        rows, cols = input.shape[-2:]
        u = input.new_zeros(*input.shape[:-2], rows, rows)
        vh = input.new_zeros(*input.shape[:-2], cols, cols)
    found = return_types.svd(u, s, mH(vh))
    return found if out is None else write_out("svd", out, found)


# ----- eigenvalues -----
@op(promote="none", module=None, name="linalg_eigh", returns=return_types.linalg_eigh)
def factor_eigh(A: Array, UPLO: str):
    check_square_float("linalg.eigh", A)
    side = jnp.tril(A) if UPLO == "L" else adjoint(jnp.triu(A))
    whole = side + adjoint(jnp.tril(side, -1))
    vectors, values = lax.linalg.eigh(whole, symmetrize_input=False)
    return values, vectors


@factor_eigh.gradient
def _(grad0, grad1, result0, result1):
    turned = _skew(mH(result1) @ grad1) * 0.5
    gap = result0.unsqueeze(-2) - result0.unsqueeze(-1)
    core = (turned / gap).masked_fill(gap == 0, 0) + grad0.to(turned.dtype).diag_embed()
    return result1 @ core @ mH(result1)


def _check_uplo(UPLO: str) -> str:
    if UPLO.upper() not in ("L", "U"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {UPLO}")
    return UPLO.upper()


@composite(module="linalg", method=False)
def eigh(A: Tensor, UPLO: str = "L", *, out: Any = None) -> Any:
    """Eigenvalues (ascending) and eigenvectors of a Hermitian matrix, read from one triangle."""
    found = factor_eigh(A, _check_uplo(UPLO))
    return found if out is None else write_out("linalg_eigh", out, found)


@composite(module="linalg", method=False)
def eigvalsh(A: Tensor, UPLO: str = "L", *, out: Any = None) -> Tensor:
    """Eigenvalues of a Hermitian matrix."""
    found = factor_eigh(A, _check_uplo(UPLO))[0]
    return found if out is None else write_out("eigvalsh", out, found)


@op(promote="none", module=None, name="linalg_eig", returns=return_types.linalg_eig)
def factor_eig(A: Array):
    check_square_float("linalg.eig", A)
    return tuple(lax.linalg.eig(A, compute_left_eigenvectors=False))


@factor_eig.gradient
def _(grad0, grad1, result0, result1):
    vectors = result1
    turned = mH(vectors) @ grad1
    turned = turned - (mH(vectors) @ vectors) * turned.diagonal(0, -2, -1).real.unsqueeze(-2)
    gap = (result0.unsqueeze(-2) - result0.unsqueeze(-1)).conj()
    core = (turned / gap).masked_fill(gap == 0, 0) + grad0.diag_embed()
    return TABLE["linalg", "solve"](mH(vectors), core @ mH(vectors))


def _check_finite(A: Tensor) -> None:
    if not unknown(A) and not bool(A.isfinite().all()):
        raise RuntimeError("torch.linalg.eig: input tensor should not contain infs or NaNs.")


@composite(module="linalg", method=False)
def eig(A: Tensor, *, out: Any = None) -> Any:
    """Eigenvalues and eigenvectors, complex."""
    _check_finite(A)
    found = factor_eig(A)
    return found if out is None else write_out("linalg_eig", out, found)


@composite(module="linalg", method=False)
def eigvals(A: Tensor, *, out: Any = None) -> Tensor:
    """Eigenvalues, complex."""
    _check_finite(A)
    found = factor_eig(A)[0]
    return found if out is None else write_out("eigvals", out, found)
