"""Functions that PyTorch has removed but for a word on what to call instead."""

from __future__ import annotations

from typing import Any, NoReturn

from ..core.op import TABLE
from ..core.tensor import Tensor

_GONE = "This function was deprecated since version 1.9 and is now removed."
_RANK = (
    f"{_GONE}\nPlease use the `torch.linalg.matrix_rank` function instead. The parameter "
    "'symmetric' was renamed in `torch.linalg.matrix_rank()` to 'hermitian'."
)
_SOLVE = (
    f"{_GONE} `torch.solve` is deprecated in favor of `torch.linalg.solve`. `torch.linalg.solve` "
    "has its arguments reversed and does not return the LU factorization.\n\nTo get the LU "
    "factorization see `torch.lu`, which can be used with `torch.lu_solve` or `torch.lu_unpack`.\n"
    "X = torch.solve(B, A).solution should be replaced with:\nX = torch.linalg.solve(A, B)"
)
_LSTSQ = (
    f"{_GONE} `torch.lstsq` is deprecated in favor of `torch.linalg.lstsq`.\n`torch.linalg.lstsq` "
    "has reversed arguments and does not return the QR decomposition in the returned tuple "
    "(although it returns other information about the problem).\n\nTo get the QR decomposition "
    "consider using `torch.linalg.qr`.\n\nThe returned solution in `torch.lstsq` stored the "
    "residuals of the solution in the last m - n columns of the returned value whenever m > n. In "
    "torch.linalg.lstsq, the residuals are in the field 'residuals' of the returned named tuple."
    "\n\nThe unpacking of the solution, as in\nX, _ = torch.lstsq(B, A).solution[:A.size(1)]\n"
    "should be replaced with:\nX = torch.linalg.lstsq(A, B).solution"
)
_SYMEIG = (
    f"{_GONE} The default behavior has changed from using the upper triangular portion of the "
    "matrix by default to using the lower triangular portion.\n\nL, _ = torch.symeig(A, "
    "upper=upper) should be replaced with:\nL = torch.linalg.eigvalsh(A, UPLO='U' if upper else "
    "'L')\n\nand\n\nL, V = torch.symeig(A, eigenvectors=True) should be replaced with:\nL, V = "
    "torch.linalg.eigh(A, UPLO='U' if upper else 'L')"
)
_EIG = (
    f"{_GONE} `torch.linalg.eig` returns complex tensors of dtype `cfloat` or `cdouble` rather "
    "than real tensors mimicking complex tensors.\n\nL, _ = torch.eig(A) should be replaced with:\n"
    "L_complex = torch.linalg.eigvals(A)\n\nand\n\nL, V = torch.eig(A, eigenvectors=True) should "
    "be replaced with:\nL_complex, V_complex = torch.linalg.eig(A)"
)


def matrix_rank(
    input: Any, tol: Any = None, symmetric: bool = False, *, out: Any = None
) -> NoReturn:
    """RuntimeError: linalg.matrix_rank is what is left."""
    raise RuntimeError(_RANK)


def solve(input: Any, A: Any, *, out: Any = None) -> NoReturn:
    """RuntimeError: linalg.solve is what is left."""
    raise RuntimeError(_SOLVE)


def lstsq(input: Any, A: Any, *, out: Any = None) -> NoReturn:
    """RuntimeError: linalg.lstsq is what is left."""
    raise RuntimeError(_LSTSQ)


def symeig(
    input: Any, eigenvectors: bool = False, upper: bool = True, *, out: Any = None
) -> NoReturn:
    """RuntimeError: linalg.eigh is what is left."""
    raise RuntimeError(_SYMEIG)


def eig(self: Any, eigenvectors: bool = False, *, e: Any = None, v: Any = None) -> NoReturn:
    """RuntimeError: linalg.eig is what is left."""
    raise RuntimeError(_EIG)


for _function in (matrix_rank, solve, lstsq, symeig, eig):
    TABLE["torch", _function.__name__] = _function


def _solve(self: Any, other: Any) -> NoReturn:
    solve(self, other)


def _lstsq(self: Any, other: Any) -> NoReturn:
    lstsq(self, other)


def _eig(self: Any, eigenvectors: bool = False) -> NoReturn:
    eig(self, eigenvectors)


def _symeig(self: Any, eigenvectors: bool = False) -> NoReturn:
    symeig(self, eigenvectors)


for _function in (_solve, _lstsq, _eig, _symeig):
    _function.__name__ = _function.__name__[1:]
    _function.__qualname__ = f"Tensor.{_function.__name__}"
    _function.__doc__ = TABLE["torch", _function.__name__].__doc__
    setattr(Tensor, _function.__name__, _function)
