"""LDLᴴ factorisation: LAPACK on the host, since neither XLA nor JAX has it. Not differentiable."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.mutate import write_out
from ..core.op import composite
from ..core.record import INLINE
from ..core.tensor import Tensor, from_host, to_host
from . import return_types
from .decomp import check_float, check_square, raise_if


def _host(name: str, t: Tensor) -> np.ndarray:
    if t._value_now().trace is INLINE:
        raise NotImplementedError(f"{name}: not supported inside a transform or a compiled step")
    return to_host(t.detach())


def _lapack(stem: str, kind: np.dtype, hermitian: bool) -> Any:
    from scipy.linalg import lapack  # imported when first needed: 30 ms

    letter = {"f": "s", "d": "d", "F": "c", "D": "z"}[kind.char]
    family = "he" if hermitian and kind.kind == "c" else "sy"
    return getattr(lapack, letter + family + stem)


def _factor(A: Tensor, hermitian: bool) -> tuple[Tensor, Tensor, Tensor]:
    check_square("torch.linalg.ldl_factor_ex", A)
    array = _host("linalg.ldl_factor", A)
    check_float("torch.linalg.ldl_factor_ex", array)
    factors = np.array(array)
    pivots = np.zeros(array.shape[:-1], np.int32)
    info = np.zeros(array.shape[:-2], np.int32)
    run = _lapack("trf", array.dtype, hermitian)
    for at in np.ndindex(*array.shape[:-2]) if factors.size else ():
        packed, ipiv, info[at] = run(array[at], lower=1)
        factors[at], pivots[at] = np.tril(packed), ipiv
    return from_host(factors), from_host(pivots), from_host(info)


@composite(module="linalg", method=False)
def ldl_factor_ex(
    A: Tensor, *, hermitian: bool = False, check_errors: bool = False, out: Any = None
) -> Any:
    """L and D packed in one matrix, pivots and info."""
    found = return_types.linalg_ldl_factor_ex(_factor(A, hermitian))
    if check_errors:
        _check("torch.linalg.ldl_factor_ex", found[2])
    return found if out is None else write_out("linalg_ldl_factor_ex", out, found)


def _check(name: str, info: Tensor) -> None:
    raise_if(
        info,
        lambda where, at: f"{name}: {where}The factorization could not be completed because the "
        f"input is singular: D[{at},{at}] is zero.",
        RuntimeError,
    )


@composite(module="linalg", method=False)
def ldl_factor(A: Tensor, *, hermitian: bool = False, out: Any = None) -> Any:
    """L and D packed in one matrix, and pivots."""
    packed, pivots, info = _factor(A, hermitian)
    _check("torch.linalg.ldl_factor", info)
    found = return_types.linalg_ldl_factor(packed, pivots)
    return found if out is None else write_out("linalg_ldl_factor", out, found)


@composite(module="linalg", method=False)
def ldl_solve(
    LD: Tensor, pivots: Tensor, B: Tensor, *, hermitian: bool = False, out: Any = None
) -> Tensor:
    """X of AX = B from A's packed LDLᴴ."""
    packed, ipiv, b = (_host("linalg.ldl_solve", t) for t in (LD, pivots, B))
    batch = np.broadcast_shapes(packed.shape[:-2], b.shape[:-2])
    packed = np.broadcast_to(packed, (*batch, *packed.shape[-2:]))
    ipiv = np.broadcast_to(ipiv, (*batch, ipiv.shape[-1]))
    b = np.broadcast_to(b, (*batch, *b.shape[-2:]))
    made = np.zeros(b.shape, b.dtype)
    run = _lapack("trs", packed.dtype, hermitian)
    for at in np.ndindex(*batch) if math.prod(b.shape) else ():
        made[at] = run(packed[at], ipiv[at], b[at], lower=1)[0]
    found = from_host(made)
    return found if out is None else write_out("linalg_ldl_solve", out, found)
