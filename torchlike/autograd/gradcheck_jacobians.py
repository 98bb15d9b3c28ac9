"""The two Jacobians that gradcheck compares: by differences, and by backward or forward passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .. import ops
from ..core.backward import grad
from ..core.dtypes import FLOAT, finfo, promote_types
from ..core.layouts import strided
from ..core.tensor import Tensor
from . import gradcheck_notes as notes
from .forward_ad import dual_level, make_dual, unpack_dual
from .gradcheck_vectors import dense, stored, unit_vectors


class GradcheckError(RuntimeError):
    """What `gradcheck` raises when a derivative is wrong."""


# ----- small things -----
def as_tuple(x: Any) -> tuple[Any, ...]:
    return tuple(x) if isinstance(x, (tuple, list)) else (x,)


def takes_steps(x: Any) -> bool:
    return isinstance(x, Tensor) and x._aval.dtype.category >= FLOAT


def differentiable_outputs(outs: Any) -> list[Any]:
    return [o for o in as_tuple(outs) if o.requires_grad]


def watched_inputs(inputs: Sequence[Any]) -> list[int]:
    return [i for i, x in enumerate(inputs) if isinstance(x, Tensor) and x.requires_grad]


def close_enough(a: Tensor, b: Tensor, rtol: float, atol: float) -> bool:
    kind = promote_types(a.dtype, b.dtype)
    return ops.allclose(a.to(kind), b.to(kind), rtol, atol)  # type: ignore[attr-defined]


@dataclass
class Settings:
    """How close derivatives must be, and which part of complex numbers is looked at."""

    eps: float
    atol: float
    rtol: float
    nondet_tol: float
    check_dtypes: bool
    fast: bool
    masked: bool = False
    forward: bool = False
    complex_at: Sequence[int] = ()
    imaginary: bool = False


# ----- numerical -----
def _moved(func: Any, inputs: Any, at: int, step: Tensor) -> list[Tensor]:
    given = list(inputs)
    x = inputs[at].detach()
    moved = dense(x) + step.reshape(x.shape)
    if x.layout is not strided:
        moved = moved.to_sparse(layout=x.layout)  # type: ignore[attr-defined]
    given[at] = moved.requires_grad_()  # type: ignore[attr-defined]
    return [o.detach() for o in as_tuple(func(*given)) if takes_steps(o)]


def _difference(func: Any, inputs: Any, at: int, u: Tensor, eps: float) -> list[Tensor]:
    plus, minus = (_moved(func, inputs, at, u * (sign * eps)) for sign in (1, -1))
    for a, b in zip(plus, minus, strict=True):
        for what in ("shape", "dtype"):
            if getattr(a, what) != getattr(b, what):
                raise AssertionError(
                    f"Expected `func` to return outputs with the same {what} when inputs are "
                    f"perturbed by {eps}, but got: {what}s {getattr(b, what)} and "
                    f"{getattr(a, what)}."
                )
    return [((a - b) / (2 * eps)).reshape(-1) for a, b in zip(plus, minus, strict=True)]


def numerical_jacobian(func: Any, inputs: Any, at: int, u: Any, eps: float) -> list[Tensor]:
    """How each output moves along `u`; of a complex input: d/d(re) + i d/d(im)."""
    if not inputs[at].is_complex():
        return _difference(func, inputs, at, u, eps)
    real, imaginary = u if isinstance(u, tuple) else (u, u)
    along = _difference(func, inputs, at, real.to(inputs[at].dtype), eps)
    across = _difference(func, inputs, at, imaginary * 1j, eps)
    return [a + b * 1j for a, b in zip(along, across, strict=True)]


def numerical_jacobians(func: Any, inputs: Any, at: int, how: Settings) -> list[Tensor]:
    x, eps = inputs[at], how.eps
    units = unit_vectors(x)
    if how.masked and x.layout is not strided:  # only what is stored moves
        there = stored(x)
        units = (u * there for u in units)
    rows = [numerical_jacobian(func, inputs, at, u, eps) for u in units]
    if rows:
        return [ops.stack(row) for row in zip(*rows, strict=True)]
    outs = [o for o in as_tuple(func(*inputs)) if takes_steps(o)]
    return [o.new_zeros(0, o.numel()) for o in outs]


# ----- analytical -----
_NONDETERMINISTIC = (
    "Backward is not reentrant, i.e., running backward with same input and grad_output multiple "
    "times gives different values, although analytical gradient matches numerical gradient.The "
    "tolerance for nondeterminism was {}." + notes.NONDETERMINISTIC
)


def _pulled(out: Tensor, inputs: list[Tensor], cotangents: Sequence[Tensor], how: Settings) -> Any:
    """For each input a column per cotangent, and whether shapes and dtypes are right."""
    columns: list[list[Tensor]] = [[] for _ in inputs]
    sizes = kinds = True
    for v in cotangents:
        found = grad(out, inputs, v.reshape(out.shape), retain_graph=True, allow_unused=True)
        for column, g, x in zip(columns, found, inputs, strict=True):
            sizes &= g is None or g.shape == x.shape
            kinds &= g is None or g.dtype == x.dtype
            g = ops.zeros_like(x) if g is None else g
            column.append(dense(g.detach()).reshape(-1))  # type: ignore[attr-defined]
    stacked = [
        ops.stack(c, 1) if c else x.new_zeros(x.numel(), 0)  # type: ignore[attr-defined]
        for c, x in zip(columns, inputs, strict=True)
    ]
    return stacked, sizes, kinds


def analytical_jacobian(
    out: Tensor, inputs: list[Tensor], cotangents: Any, how: Settings
) -> list[Tensor]:
    found, sizes, kinds = _pulled(out, inputs, cotangents, how)
    again, _, _ = _pulled(out, inputs, cotangents, how)
    if not kinds and how.check_dtypes:
        raise GradcheckError("Gradient has dtype mismatch")
    if not sizes:
        raise GradcheckError("Analytical gradient has incorrect size")
    for a, b in zip(found, again, strict=True):
        if a.numel() and float((a - b).abs().max()) > how.nondet_tol + _same(a):
            raise GradcheckError(_NONDETERMINISTIC.format(how.nondet_tol))
    return found


def pushed_forward(func: Any, inputs: Any, at: int, u: Tensor, how: Settings) -> list[Tensor]:
    """How each output moves along `u`, by forward mode."""
    found = []
    with dual_level():
        duals = [
            make_dual(x.detach(), u.reshape(x.shape).to(x.dtype) if i == at else ops.zeros_like(x))
            if isinstance(x, Tensor) and x.requires_grad
            else x
            for i, x in enumerate(inputs)
        ]
        for o in as_tuple(func(*duals)):
            if takes_steps(o):
                value, tangent = unpack_dual(o)
                if tangent is None:
                    tangent = ops.zeros_like(value)
                elif how.check_dtypes and tangent.is_complex() != value.is_complex():
                    raise GradcheckError("Forward AD gradient has dtype mismatch.")
                found.append(tangent.detach().reshape(-1))
    return found


def _same(a: Tensor) -> float:
    """Programs of different tiers may differ by an ulp or two of the largest element."""
    return 8 * finfo(a.dtype).eps * float(a.abs().max())  # type: ignore[attr-defined]
