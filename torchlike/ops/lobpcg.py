"""torch.lobpcg: some eigenpairs of a symmetric matrix, by products with it alone."""

from __future__ import annotations

from typing import Any

from ..core import dtypes
from ..core.op import TABLE, composite
from ..core.tensor import Tensor
from .sparse_tensor import is_sparse

_EPSILON = {dtypes.float32: 1.2e-7, dtypes.float64: 2.23e-16}


def _times(A: Any, X: Any) -> Any:
    """A X, by the sparse product where A is sparse; no A is the identity."""
    if A is None:
        return X
    return TABLE["sparse", "mm"](A, X) if is_sparse(A) else A @ X


def _basis(parts: list[Any], B: Any, epsilon: float) -> Any:
    """An orthonormal basis, in B's product, of what the columns span; tiny directions left out."""
    S = TABLE["torch", "cat"](parts, 1)
    for _ in range(2):  # once is not enough where columns are nearly parallel
        gram = S.mT @ _times(B, S)
        scale = gram.diagonal().clamp(min=0).sqrt()
        kept = scale > epsilon * scale.max()
        S, scale = S[:, kept], scale[kept]
        gram = gram[kept][:, kept] / (scale[:, None] * scale)
        E, Z = TABLE["linalg", "eigh"](gram)
        large = E > 10 * epsilon * E.max()
        S = (S / scale) @ (Z[:, large] * E[large].rsqrt())
    return S


def _residual(A: Any, B: Any, X: Any, E: Any) -> Any:
    return _times(A, X) - _times(B, X) * E


def _error(A: Any, B: Any, X: Any, E: Any, R: Any, norms: tuple[Any, Any]) -> Any:
    return R.norm(dim=0) / (X.norm(dim=0) * (norms[0] + E.abs() * norms[1]))


def _solved(
    A: Any, B: Any, X: Any, iK: Any, k: int, niter: int, tol: float, largest: bool
) -> tuple[Any, Any]:
    """LOBPCG: the best of what the last vectors, residuals and steps span, again and again."""
    n, epsilon = X.shape[1], _EPSILON[X.dtype]
    size = X.norm()
    norms = _times(A, X).norm() / size, _times(B, X).norm() / size
    steps: list[Any] = []
    residual: list[Any] = []
    X = _basis([X], B, epsilon)
    for left in range(niter, -1, -1):
        S = _basis([X, *residual, *steps], B, epsilon) if residual else X
        E, Z = TABLE["linalg", "eigh"](S.mT @ _times(A, S))
        E, Z = (E.flip(0), Z.flip(1)) if largest else (E, Z)
        new, E = S @ Z[:, :n], E[:n]
        steps = [new - X @ (X.mT @ _times(B, new))] if residual else []
        X, R = new, _residual(A, B, new, E)
        if not left or bool((_error(A, B, X, E, R, norms)[:k] < tol).all()):
            break
        residual = [_times(iK, R)]
    return E[:k], X[:, :k]


@composite(method=False)
def lobpcg(
    A: Tensor, k: Any = None, B: Any = None, X: Any = None, n: Any = None, iK: Any = None,
    niter: Any = None, tol: Any = None, largest: Any = None, method: Any = None,
    tracker: Any = None, ortho_iparams: Any = None, ortho_fparams: Any = None,
    ortho_bparams: Any = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """The k largest (or smallest) eigenvalues of A x = λ B x and their vectors, to a tolerance.

    One algorithm serves both values of `method`; vectors may differ from PyTorch's in sign.
    NotImplementedError for gradients, `tracker` and the settings of the orthogonalization.
    """
    given = dict(tracker=tracker, ortho_iparams=ortho_iparams, ortho_fparams=ortho_fparams,
                 ortho_bparams=ortho_bparams)  # fmt: skip
    for name, value in given.items():
        if value is not None:
            raise NotImplementedError(f"lobpcg: {name} is not supported")
    if method not in (None, "basic", "ortho"):
        raise NotImplementedError(f"lobpcg: method={method!r} is not supported")
    if A.requires_grad or (B is not None and B.requires_grad):  # type: ignore[attr-defined]
        raise NotImplementedError("lobpcg: gradients are not supported")
    m = A.shape[-1]
    if A.shape[-2] != m:
        raise AssertionError(f"A must be square, got shape {A.shape}")
    if B is not None and A.shape != B.shape:
        raise AssertionError(f"A and B must have same shape, got {A.shape} vs {B.shape}")
    kind = A.dtype if A.is_floating_point() else dtypes.float32  # type: ignore[attr-defined]
    tol = _EPSILON[kind] ** 0.5 if tol is None else tol
    k = (1 if X is None else X.shape[-1]) if k is None else k
    n = (k if n is None else n) if X is None else X.shape[-1]
    if m < 3 * n:
        raise ValueError(
            f"LOBPCG algorithm is not applicable when the number of A rows (={m}) is smaller than "
            f"3 x the number of requested eigenpairs (={n})"
        )
    settings = k, 1000 if niter is None else niter, tol, largest is None or largest
    pairs = [
        _solved(a, b, _started(x, m, n, kind, A.device), iK, *settings)
        for a, b, x in zip(*(_each(t, A) for t in (A, B, X)), strict=True)
    ]
    if A.ndim == 2:
        return pairs[0]
    values, vectors = (TABLE["torch", "stack"](list(part)) for part in zip(*pairs, strict=True))
    return values.reshape(*A.shape[:-2], k), vectors.reshape(*A.shape[:-2], m, k)


def _each(t: Any, A: Any) -> list[Any]:
    """The matrices of a batch as large as A's."""
    if A.ndim == 2:
        return [t]
    count = A.shape[:-2].numel()
    return [None] * count if t is None else list(t.reshape(count, *t.shape[-2:]))


def _started(X: Any, m: int, n: int, kind: Any, where: Any) -> Any:
    if X is None:
        return TABLE["torch", "randn"]((m, n), dtype=kind, device=where)
    if X.shape != (m, n):
        raise AssertionError(f"X shape mismatch: got {X.shape}, expected {(m, n)}")
    return X
