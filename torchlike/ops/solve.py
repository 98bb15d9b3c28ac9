"""Linear systems: inverse, solve, determinant, LU, least squares, pseudo-inverse."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
from jax import lax

from ..core.check import warn_once
from ..core.mutate import write_out
from ..core.op import TABLE, Array, Optional, composite, op
from ..core.tensor import Tensor
from . import return_types
from .decomp import adjoint, check_float, check_matrix, check_square, first_true, raise_if
from .decomp import check_square_float as check_both
from .linalg import columns, mH

SINGULAR = (
    "{name}: {where}The diagonal element {at} is zero, the inversion could not be completed "
    "because the input matrix is singular."
)


# ----- LU -----
def lu_with_info(a: Any) -> tuple[Any, Any, Any]:
    """Packed LU, LAPACK's 1-based pivots and info."""
    packed, pivots, _ = lax.linalg.lu(a)
    zero = jnp.diagonal(packed, axis1=-2, axis2=-1) == 0
    return packed, pivots + 1, first_true(zero)


def _permuted(pivots: Any, size: int) -> Any:
    return lax.linalg.lu_pivots_to_permutation(pivots - 1, size)


def _rows(x: Any, order: Any) -> Any:
    return jnp.take_along_axis(x, order[..., None], axis=-2)


def solve_by_lu(packed: Any, pivots: Any, b: Any, adjoint_: bool) -> Any:
    """A⁻¹b or A⁻ᴴb from A's packed LU."""
    batch = jnp.broadcast_shapes(packed.shape[:-2], b.shape[:-2])
    n = packed.shape[-1]
    order = jnp.broadcast_to(_permuted(pivots, n), (*batch, n))
    packed = jnp.broadcast_to(packed, (*batch, n, n))
    b = jnp.broadcast_to(b, (*batch, *b.shape[-2:]))
    if b.size == 0:
        return b

    def triangle(x: Any, lower: bool) -> Any:
        return lax.linalg.triangular_solve(
            packed, x, left_side=True, lower=lower, unit_diagonal=lower,
            transpose_a=adjoint_, conjugate_a=adjoint_ and jnp.iscomplexobj(packed),
        )  # fmt: skip

    if adjoint_:
        return _rows(triangle(triangle(b, False), True), jnp.argsort(order, axis=-1))
    return triangle(triangle(_rows(b, order), True), False)


def _check_pivot(name: str, pivot: bool) -> None:
    if not pivot:
        raise RuntimeError(f"{name}: LU without pivoting is not implemented on the CPU")


@op(
    promote="none", module=None, name="linalg_lu_factor_ex",
    returns=return_types.linalg_lu_factor_ex,
)  # fmt: skip
def factor_lu(A: Array):
    check_matrix("torch.linalg.lu_factor_ex", A)
    check_float("torch.linalg.lu_factor_ex", A)
    return lu_with_info(A)


@composite(module="linalg", method=False)
def lu_factor_ex(
    A: Tensor, *, pivot: bool = True, check_errors: bool = False, out: Any = None
) -> Any:
    """Packed LU, pivots and info."""
    _check_pivot("linalg.lu_factor", pivot)
    found = factor_lu(A)
    if check_errors:
        _check_lu("torch.linalg.lu_factor_ex", found[2])
    return found if out is None else write_out("linalg_lu_factor_ex", out, found)


def _check_lu(name: str, info: Tensor) -> None:
    raise_if(
        info,
        lambda where, at: f"{name}: {where}U[{at},{at}] is zero and using it on lu_solve would "
        "result in a division by zero. If you still want to perform the factorization, consider "
        "calling linalg.lu(A, pivot) or linalg.lu_factor_ex(A, pivot)",
        RuntimeError,
    )


@composite(module="linalg", method=False)
def lu_factor(A: Tensor, *, pivot: bool = True, out: Any = None) -> Any:
    """Packed LU and pivots."""
    _check_pivot("linalg.lu_factor", pivot)
    packed, pivots, info = factor_lu(A)
    _check_lu("torch.linalg.lu_factor", info)
    found = return_types.linalg_lu_factor(columns(packed), pivots)
    return found if out is None else write_out("linalg_lu_factor", out, found)


_lu_with_info = return_types.make("_lu_with_info", "LU", "pivots", "info")


@composite
def lu(input: Tensor, pivot: bool = True, get_infos: bool = False, out: Any = None) -> Any:
    """The older torch.lu."""
    warn_once(
        "torch.lu is deprecated in favor of torch.linalg.lu_factor / torch.linalg.lu_factor_ex and "
        "will be removed in a future PyTorch release.\nLU, pivots = torch.lu(A, compute_pivots)\n"
        "should be replaced with\nLU, pivots = torch.linalg.lu_factor(A, compute_pivots)\nand\n"
        "LU, pivots, info = torch.lu(A, compute_pivots, get_infos=True)\nshould be replaced with\n"
        "LU, pivots, info = torch.linalg.lu_factor_ex(A, compute_pivots)"
    )
    _check_pivot("linalg.lu_factor", pivot)
    packed, pivots, info = factor_lu(input)
    found = _lu_with_info(packed, pivots, info) if get_infos else (packed, pivots)
    return found if out is None else write_out("lu", out, found)


def _unpacked(packed: Any, order: Any) -> tuple[Any, Any, Any]:
    rows, cols = packed.shape[-2:]
    k = min(rows, cols)
    lower = jnp.tril(packed[..., :, :k], -1) + jnp.eye(rows, k, dtype=packed.dtype)
    chosen = order[..., None, :] == jnp.arange(rows)[:, None]
    return chosen.astype(packed.dtype), lower, jnp.triu(packed[..., :k, :])


@op(promote="none", module=None, name="linalg_lu", returns=return_types.linalg_lu)
def factor_plu(A: Array):
    check_matrix("linalg.lu", A)
    check_float("linalg.lu", A)
    packed, _, order = lax.linalg.lu(A)
    return _unpacked(packed, order)


@composite(module="linalg", name="lu", method=False)
def linalg_lu(A: Tensor, *, pivot: bool = True, out: Any = None) -> Any:
    """P, L and U with A = PLU."""
    _check_pivot("linalg.lu", pivot)
    found = factor_plu(A)
    return found if out is None else write_out("linalg_lu", out, found)


@op(promote="none", module=None, name="lu_unpack", returns=return_types.lu_unpack)
def unpack_lu(LU_data: Array, LU_pivots: Array):
    return _unpacked(LU_data, _permuted(LU_pivots, LU_data.shape[-2]))


@composite(name="lu_unpack", method=False)
def lu_unpack(
    LU_data: Tensor, LU_pivots: Tensor, unpack_data: bool = True, unpack_pivots: bool = True, *,
    out: Any = None,
) -> Any:  # fmt: skip
    """P, L and U from the packed form; what is not asked for is empty."""
    if str(LU_pivots.dtype) != "torch.int32":
        raise RuntimeError(
            "torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 "
            "dtype.\nNote: this function is intended to be used with the output produced by "
            "torch.linalg.lu_factor"
        )
    p, lower, upper = unpack_lu(LU_data, LU_pivots)
    empty = LU_data.new_zeros(0)
    found = return_types.lu_unpack(
        p if unpack_pivots else empty,
        lower if unpack_data else empty,
        upper if unpack_data else empty,
    )
    return found if out is None else write_out("lu_unpack", out, found)


@op(promote="none", module=None, name="linalg_lu_solve")
def solve_lu(LU: Array, pivots: Array, B: Array, left: bool, adjoint_: bool):
    if pivots.dtype != jnp.int32:
        raise RuntimeError(
            "linalg.lu_solve: pivots should be a Tensor of scalar type torch.int32"
        )
    check_square("torch.linalg.lu_solve", LU)
    if left:
        return solve_by_lu(LU, pivots, B, adjoint_)
    return adjoint(solve_by_lu(LU, pivots, adjoint(B), not adjoint_))


@composite(module="linalg", name="lu_solve", method=False)
def linalg_lu_solve(
    LU: Tensor, pivots: Tensor, B: Tensor, *, left: bool = True, adjoint: bool = False,
    out: Any = None,
) -> Tensor:  # fmt: skip
    """X of AX = B from A's packed LU."""
    found = solve_lu(LU, pivots, B, left, adjoint)
    return found if out is None else write_out("lu_solve", out, found)


@composite
def lu_solve(input: Tensor, LU_data: Tensor, LU_pivots: Tensor, *, out: Any = None) -> Tensor:
    """The older torch.lu_solve(b, LU, pivots)."""
    return linalg_lu_solve(LU_data, LU_pivots, input, out=out)


# ----- inverse and solve -----
@op(promote="none", module=None, name="linalg_inv_ex", returns=return_types.linalg_inv_ex)
def invert_matrix(A: Array):
    check_both("linalg.inv", A)
    packed, pivots, info = lu_with_info(A)
    return solve_by_lu(packed, pivots, jnp.eye(A.shape[-1], dtype=A.dtype), False), info


@invert_matrix.gradient
def _(grad0, result0):
    turned = mH(result0)
    return -(turned @ (grad0 @ turned))


def _check_inverse(name: str, info: Tensor) -> None:
    raise_if(info, lambda where, at: SINGULAR.format(name=name, where=where, at=at))


@composite(module="linalg", method=False)
def inv_ex(A: Tensor, *, check_errors: bool = False, out: Any = None) -> Any:
    """The inverse and an info that tells where it failed."""
    found = invert_matrix(A)
    if check_errors:
        _check_inverse("linalg.inv_ex", found[1])
    return found if out is None else write_out("linalg_inv_ex", out, found)


@composite(module="linalg", method=False)
def inv(A: Tensor, *, out: Any = None) -> Tensor:
    """The inverse; LinAlgError when the matrix is singular."""
    found, info = invert_matrix(A)
    _check_inverse("linalg.inv", info)
    found = columns(found)
    return found if out is None else write_out("linalg_inv", out, found)


@composite
def inverse(input: Tensor, *, out: Any = None) -> Tensor:
    """The inverse."""
    return inv(input, out=out)


def _is_vector(A: Any, B: Any) -> bool:
    return B.ndim == 1 or (A.ndim - 1 == B.ndim and tuple(B.shape) == tuple(A.shape[:-1]))


def _check_solve(A: Any, B: Any, left: bool, vector: bool) -> None:
    check_both("linalg.solve", A)
    if A.dtype != B.dtype:
        raise RuntimeError(
            "linalg.solve: Expected A and B to have the same dtype, but found A of type "
            f"{A.dtype} and B of type {B.dtype} instead"
        )
    rows, cols = (B.shape[-1], 1) if vector else B.shape[-2:]
    if A.shape[-1] != (rows if left else cols):
        equation = "AX = B" if left else "XA = B"
        raise RuntimeError(
            f"linalg.solve: Incompatible shapes of A and B for the equation {equation} "
            f"({A.shape[-2]}x{A.shape[-1]} and {rows}x{cols})"
        )


@op(promote="none", module=None, name="linalg_solve_ex", returns=return_types.linalg_solve_ex)
def solve_system(A: Array, B: Array, left: bool):
    vector = _is_vector(A, B)
    _check_solve(A, B, left, vector)
    packed, pivots, info = lu_with_info(A)
    columns = B[..., None] if vector else B
    if left:
        found = solve_by_lu(packed, pivots, columns, False)
    else:
        found = adjoint(solve_by_lu(packed, pivots, adjoint(columns), True))
    return (found[..., 0] if vector else found), info


@solve_system.gradient
def _(grad0, result0, A, B, left):
    down = solve_system(mH(A), grad0, left)[0]
    if _is_vector(A, B):
        return -(down.unsqueeze(-1) @ mH(result0.unsqueeze(-1))), down
    return (-(down @ mH(result0)) if left else -(mH(result0) @ down)), down


@composite(module="linalg", method=False)
def solve_ex(
    A: Tensor, B: Tensor, *, left: bool = True, check_errors: bool = False, out: Any = None
) -> Any:
    """X of AX = B and an info that tells where it failed."""
    found = solve_system(A, B, left)
    if check_errors:
        _check_solved("torch.linalg.solve_ex", found[1])
    return found if out is None else write_out("linalg_solve_ex", out, found)


def _check_solved(name: str, info: Tensor) -> None:
    raise_if(
        info,
        lambda where, at: f"{name}: {where}The solver failed because the input matrix is singular.",
    )


@composite(module="linalg", method=False)
def solve(A: Tensor, B: Tensor, *, left: bool = True, out: Any = None) -> Tensor:
    """X of AX = B (or XA = B); LinAlgError when A is singular."""
    found, info = solve_system(A, B, left)
    _check_solved("torch.linalg.solve", info)
    found = found if _is_vector(A, B) else columns(found)
    return found if out is None else write_out("linalg_solve", out, found)


# ----- determinants -----
_SHOWS = {
    "LU": lambda call: TABLE["linalg", "lu_factor"](call.A)[0],
    "pivots": lambda call: TABLE["linalg", "lu_factor"](call.A)[1],
}


@op(promote="none", module=None, name="linalg_det", shows=_SHOWS)
def determinant(A: Array):
    check_both("linalg.det", A)
    return jnp.linalg.det(A) if A.size else jnp.ones(A.shape[:-2], A.dtype)


@op(promote="none", module=None, name="linalg_slogdet", returns=return_types.linalg_slogdet)
def log_determinant(A: Array):
    check_both("linalg.slogdet", A)
    return tuple(jnp.linalg.slogdet(A))


@composite(module="linalg", name="det", method=False)
def linalg_det(A: Tensor, *, out: Any = None) -> Tensor:
    """The determinant."""
    found = determinant(A)
    return found if out is None else write_out("linalg_det", out, found)


@composite(module="linalg", name="slogdet", method=False)
def linalg_slogdet(A: Tensor, *, out: Any = None) -> Any:
    """Sign and logarithm of the magnitude of the determinant."""
    found = log_determinant(A)
    return found if out is None else write_out("linalg_slogdet", out, found)


@composite
def det(input: Tensor) -> Tensor:
    """The determinant."""
    return determinant(input)


@composite
def slogdet(input: Tensor) -> Any:
    """Sign and logarithm of the magnitude of the determinant."""
    return return_types.slogdet(tuple(log_determinant(input)))


@composite
def logdet(input: Tensor) -> Tensor:
    """The logarithm of the determinant, nan where that is negative."""
    sign, magnitude = log_determinant(input)
    if input.is_complex():
        return magnitude + sign.log()
    return TABLE["torch", "where"](sign == -1, math.nan, magnitude)


# ----- pseudo-inverse -----
def _tolerance(s: Any, shape: Any, atol: Any, rtol: Any) -> Any:
    """max(atol, rtol · largest), with NumPy's defaults."""
    largest = s.max(-1) if s.shape[-1] else jnp.zeros(s.shape[:-1], s.dtype)
    if rtol is None:
        positive = jnp.zeros_like(largest) if atol is None else atol
        default = jnp.finfo(s.dtype).eps * max(shape[-2:])
        rtol = jnp.where(positive > 0, 0.0, default)
    found = (rtol * largest).astype(s.dtype)
    return found if atol is None else jnp.maximum(atol.astype(s.dtype), found)


@op(promote="none", module=None, name="linalg_pinv")
def pseudo_inverse(A: Array, atol: Optional[Array], rtol: Optional[Array], hermitian: bool):
    if A.ndim < 2:
        raise RuntimeError("linalg.pinv: The input tensor A must have at least 2 dimensions.")
    check_float("linalg.pinv", A)
    if A.size == 0:
        return jnp.zeros((*A.shape[:-2], A.shape[-1], A.shape[-2]), A.dtype)
    if hermitian:
        vectors, s = lax.linalg.eigh(A, symmetrize_input=False)
        u, vh, size = vectors, adjoint(vectors), jnp.abs(s)
    else:
        u, s, vh = jnp.linalg.svd(A, full_matrices=False)
        size = s
    keep = size > _tolerance(size, A.shape, atol, rtol)[..., None]
    inverse = jnp.where(keep, 1 / jnp.where(keep, s, jnp.ones_like(s)), jnp.zeros_like(s))
    return jnp.matmul(adjoint(vh) * inverse[..., None, :], adjoint(u))


@pseudo_inverse.gradient
def _(grad, result, A):
    return pinv_slope(grad, result, A), None, None


def pinv_slope(grad: Tensor, p: Tensor, A: Tensor) -> Tensor:
    """The gradient of the pseudo-inverse p of A (Golub and Pereyra)."""
    rows, cols = A.shape[-2:]
    ph, gh = mH(p), mH(grad)
    if rows <= cols:
        k = gh @ p
        kp = k @ ph
        return -mH(p @ k) + kp - (A @ p) @ kp + (ph @ p) @ (gh - k @ A)
    k = p @ gh
    pk = ph @ k
    return -mH(k @ p) + (gh - A @ k) @ p @ ph + pk - (pk @ p) @ A


def as_tolerance(A: Tensor, value: Any) -> Tensor | None:
    """A tolerance given as None, a number or a tensor."""
    if value is None or isinstance(value, Tensor):
        return value
    return TABLE["torch", "tensor"](float(value), dtype=A.real.dtype if A.is_complex() else A.dtype)


@composite(module="linalg", method=False)
def pinv(
    A: Tensor, rcond: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None,
    out: Any = None,
) -> Tensor:  # fmt: skip
    """The Moore-Penrose inverse."""
    rtol = rcond if rtol is None else rtol
    found = pseudo_inverse(A, as_tolerance(A, atol), as_tolerance(A, rtol), hermitian)
    return found if out is None else write_out("linalg_pinv", out, found)


@composite
def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """The Moore-Penrose inverse."""
    return pinv(input, rcond)
