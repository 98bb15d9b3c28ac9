"""Randomised factorisations of low rank, after Halko, Martinsson and Tropp."""

from __future__ import annotations

from ..core.op import TABLE, composite
from ..core.tensor import Tensor
from .decomp import qr, svd
from .linalg import matmul, mH


def _times(A: Tensor, x: Tensor, M: Tensor | None) -> Tensor:
    found = matmul(A, x)
    return found if M is None else found - matmul(M, x)


def _basis(A: Tensor, q: int, niter: int, M: Tensor | None) -> Tensor:
    """Orthonormal columns that nearly span A's range, by subspace iteration."""
    start = TABLE["torch", "randn"](A.shape[-1], q, dtype=A.dtype, device=A.device)
    basis = qr(_times(A, start, M))[0]
    for _ in range(niter):
        basis = qr(_times(mH(A), basis, None if M is None else mH(M)))[0]
        basis = qr(_times(A, basis, M))[0]
    return basis


def _low_rank(A: Tensor, q: int, niter: int, M: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    if M is not None:
        M = M.broadcast_to(A.shape)
    flipped = A.shape[-2] < A.shape[-1]
    if flipped:
        A, M = mH(A), None if M is None else mH(M)
    basis = _basis(A, q, niter, M)
    small = matmul(mH(basis), A)
    if M is not None:
        small = small - matmul(mH(basis), M)
    u, s, vh = svd(small, False)
    u, v = matmul(basis, u), mH(vh)
    return (v, s, u) if flipped else (u, s, v)


@composite(method=False)
def svd_lowrank(
    A: Tensor, q: int | None = 6, niter: int | None = 2, M: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """U, S, V of A - M, approximately, for the q largest singular values."""
    return _low_rank(A, 6 if q is None else q, 2 if niter is None else niter, M)


@composite(method=False)
def pca_lowrank(
    A: Tensor, q: int | None = None, center: bool = True, niter: int = 2
) -> tuple[Tensor, Tensor, Tensor]:
    """The principal components of A's rows, approximately."""
    rows, cols = A.shape[-2:]
    q = min(6, rows, cols) if q is None else q
    if not 0 <= q <= min(rows, cols):
        raise ValueError(
            f"q(={q}) must be non-negative integer and not greater than min(m, n)={min(rows, cols)}"
        )
    if niter < 0:
        raise ValueError(f"niter(={niter}) must be non-negative integer")
    return _low_rank(A - A.mean(-2, True) if center else A, q, niter, None)
