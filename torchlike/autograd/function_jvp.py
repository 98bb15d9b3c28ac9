"""Forward mode through `autograd.Function`: its `jvp` pushes the tangents of its arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..core.dtypes import FLOAT
from ..core.dual import Level, check_tangent, primal_of, put_tangent, tangent_of
from ..core.record import LOCAL
from ..core.tape import zeros
from ..core.tensor import Tensor, wrap

_NO_VIEW = (
    "A custom Function's forward is returning a view (or an input as-is) but the jvp is not "
    "returning a view."
)
_NOT_IN_PLACE = (
    "An inplace custom Function is not modifying the forward mode gradients inplace. If the "
    "forward is modifying an input inplace, then the jvp function must modify the corresponding "
    "gradient inplace."
)


def push_tangents(
    ctx: Any, args: Sequence[Any], outs: Sequence[Any], dirty: set[int], constant: set[int]
) -> None:
    """Give the outputs of one `apply` their tangents, at every level in progress."""
    for level in list(LOCAL.state.duals):
        tangents = [tangent_of(a, level) if isinstance(a, Tensor) else None for a in args]
        if not level.paused and any(t is not None for t in tangents):
            saved = [None if t is None else primal_of(t, level) for t in ctx.saved_for_forward]
            ctx._for_forward = tuple(saved)
            try:
                _push(ctx, level, args, tangents, outs, dirty, constant)
            finally:
                ctx._for_forward = None


def _push(
    ctx: Any, level: Level, args: Any, tangents: list[Any], outs: Any, dirty: set[int],
    constant: set[int],
) -> None:  # fmt: skip
    with level.outside():
        if ctx.materialize_grads:
            tangents = [_filled(a, t) for a, t in zip(args, tangents, strict=True)]
        found = ctx._forward_cls.jvp(ctx, *tangents)
    found = list(found) if isinstance(found, (tuple, list)) else [found]
    if len(found) != len(outs):
        raise RuntimeError(
            "Function's jvp returned an invalid number of forward gradients (expected "
            f"{len(outs)} but got {len(found)})"
        )
    for i, (o, g) in enumerate(zip(outs, found, strict=True)):
        if _checked(i, o, g, constant):
            if id(o) in dirty and g is not tangent_of(o, level):
                raise RuntimeError(_NOT_IN_PLACE)
            if o._base_tensor is not None and id(o) not in dirty and g._base_tensor is None:
                raise RuntimeError(_NO_VIEW)
            put_tangent(o, level, g)


def _filled(x: Any, tangent: Any) -> Any:
    if tangent is not None or not isinstance(x, Tensor) or x._aval.dtype.category < FLOAT:
        return tangent
    return wrap(zeros(x._aval))


def _checked(i: int, out: Any, tangent: Any, constant: set[int]) -> bool:
    """Whether the output gets this tangent; RuntimeError when it may not have one."""
    if tangent is None:
        return False
    if not isinstance(tangent, Tensor):
        raise RuntimeError(
            f"expected Variable or None (got {type(tangent).__name__}) for grad output {i}."
        )
    if not isinstance(out, Tensor) or id(out) in constant:
        raise RuntimeError(
            f"Function's jvp returned a gradient at position {i}, but  the corresponding forward "
            "output is not a differentiable Tensor.You should return None at that position "
            "instead."
        )
    check_tangent(out, tangent)
    return True
