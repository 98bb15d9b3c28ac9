"""Forward mode: tensors that carry a tangent, and ops that push tangents on.

A level in progress stands between callers and `dispatch.call` (`State.interposed`). What an op
computes is computed first; then its `Push` is called on the same inputs and their tangents, as an
op of its own, one level further out. So levels nest, and backward may be run over forward. Backward
inside a level runs on tensors, which bring the tangents that its nodes saved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import jaxpr_as_fun

from .dispatch import call, call_view, plan_of
from .dtypes import FLOAT
from .mutate import replay, steps_from_base, write
from .parameter import alias_of
from .plan import Op, Plan
from .pullback import inlined, prune, pullback_function
from .record import DUAL, LOCAL
from .tape import OpNode, PullbackParam, zeros
from .tensor import Tensor, fields_of, wrap


class Level:
    """One forward pass in progress; a context manager."""

    paused = False

    def __enter__(self) -> Level:
        state = LOCAL.state
        self.outer = state.interposed
        state.interposed = self.call
        state.duals.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        state = LOCAL.state
        state.duals.remove(self)
        state.interposed = self.outer

    @contextmanager
    def outside(self) -> Iterator[None]:
        """As if this level, and those inside of it, had not begun."""
        state = LOCAL.state
        interposed, duals = state.interposed, state.duals
        state.interposed, state.duals = self.outer, duals[: duals.index(self)]
        try:
            yield
        finally:
            state.interposed, state.duals = interposed, duals

    def call(self, op: Op, inputs: Sequence[Any], statics: Any) -> Any:
        """An op called inside: the op, then its pushforward."""
        with self.outside():
            out = (call_view if op.view else call)(op, inputs, statics)
            if self.paused or LOCAL.state.inference or not op.differentiable:
                return out
            moving = [tangent_of(x, self) if isinstance(x, Tensor) else None for x in inputs]
            if any(t is not None for t in moving):
                self.push(op, inputs, statics, out, moving)
            return out

    def push(self, op: Op, inputs: Any, statics: Any, out: Any, moving: list[Any]) -> None:
        if op.view:
            put_tangent(out, self, call_view(op, (moving[0], *inputs[1:]), statics))
            return
        plan = plan_of(op, inputs, statics)
        if not plan.differentiable:
            return
        outs = out if isinstance(out, tuple) else (out,)
        if plan.present is not None:
            inputs, moving = ([xs[i] for i in plan.present] for xs in (inputs, moving))
        inexact = [i for i, o in enumerate(outs) if o._aval.dtype.category >= FLOAT]
        found = dict(zip(inexact, pushed(plan, inputs, outs, moving), strict=True))
        for i, t in found.items():
            put_tangent(outs[i], self, t)
        node = outs[inexact[0]]._grad_fn
        if isinstance(node, OpNode) and node.plan is plan:
            self.remember(node, {(False, i): t for i, t in enumerate(moving) if t is not None})
            self.remember(node, {(True, i): t for i, t in found.items()})

    def remember(self, node: OpNode, tangents: dict[tuple[bool, int], Tensor]) -> None:
        """What a node saved keeps its tangents."""
        for at, t in tangents.items():
            node.tangents = {**(node.tangents or {})}
            node.tangents[at] = {**node.tangents.get(at, {}), self: t}


# ----- tangents of tensors -----
def put_tangent(t: Tensor, level: Level, tangent: Tensor | None) -> None:
    """Let a tensor carry a tangent; None: surely none, whatever its base carries."""
    t._tangents = {**(t._tangents or {}), level: tangent}


def tangent_of(t: Tensor, level: Level) -> Tensor | None:
    """The tangent a tensor carries; of a view, a view of its base's."""
    own = t._tangents
    if own is not None and level in own:
        return own[level]
    base = t._base_tensor
    whole = None if base is None or base._tangents is None else base._tangents.get(level)
    if whole is None:
        return None
    with level.outside():
        found = replay(whole, steps_from_base(t))
    put_tangent(t, level, found)
    return found


def primal_of(t: Tensor, level: Level) -> Tensor:
    """The same tensor without the level's tangent."""
    if tangent_of(t, level) is None:
        return t
    twin = object.__new__(type(t))
    fields_of(twin).update(fields_of(t))
    put_tangent(twin, level, None)
    return twin


def twin_of(t: Tensor) -> Any:
    """Another handle on the same memory, with the tangents and without history."""
    twin = alias_of(t)
    twin._tangents = t._tangents
    return twin


def mapped_tangents(source: Tensor, to: Tensor, function: Callable[[Tensor], Tensor]) -> None:
    """Give a tensor made outside of dispatch the tangents of its source, made likewise."""
    if source._tangents is not None:
        to._tangents = {
            k: None if v is None else function(v) for k, v in source._tangents.items()
        }


def dual_at(level: Level, primal: Tensor, tangent: Tensor) -> Tensor:
    """A view of a tensor that carries a tangent at a level."""
    check_tangent(primal, tangent)
    dual = primal.view_as(primal)  # type: ignore[attr-defined]
    put_tangent(dual, level, tangent)
    return dual


def check_tangent(primal: Tensor, tangent: Tensor) -> None:
    """RuntimeError when the shapes differ."""
    if primal.shape != tangent.shape:
        raise RuntimeError(
            "Trying to set a forward gradient that has a different size than that of the original "
            f"Tensor, this is not supported. Tensor is of size {list(primal.shape)} while the "
            f"given forward gradient is of size {list(tangent.shape)}."
        )


@contextmanager
def paused() -> Iterator[None]:
    """Inside, no tangents are pushed."""
    levels = [level for level in LOCAL.state.duals if not level.paused]
    for level in levels:
        level.paused = True
    try:
        yield
    finally:
        for level in levels:
            level.paused = False


def _write(t: Tensor, src: Tensor) -> None:
    """`src` was written into `t`: so is its tangent into that of `t`, in place as PyTorch does."""
    for level in list(LOCAL.state.duals):
        if not level.paused:
            have, new = tangent_of(t, level), tangent_of(src, level)
            if have is not None or new is not None:
                with level.outside():
                    _write_tangent(t, level, have, new)


def _write_tangent(t: Tensor, level: Level, have: Tensor | None, new: Tensor | None) -> None:
    base = t._base_tensor
    if have is None and base is None:
        assert new is not None
        put_tangent(t, level, new)
        return
    if have is None:
        whole = wrap(zeros(base._aval))
        put_tangent(base, level, whole)
        have = replay(whole, steps_from_base(t))
        put_tangent(t, level, have)
    write(have, wrap(zeros(have._aval)) if new is None else new, "")


def _carries(*tensors: Tensor) -> bool:
    """Whether a tensor carries a tangent of a level in progress."""
    levels = [level for level in LOCAL.state.duals if not level.paused]
    return any(tangent_of(t, level) is not None for t in tensors for level in levels)


DUAL.update(write=_write, carries=_carries)


# ----- the pushforward of an op -----
class Push:
    """The pushforward of a plan for one set of moving inputs, as an op."""

    def __init__(self, plan: Plan, mask: tuple[bool, ...]) -> None:
        targets = [i for i, moves in enumerate(mask) if moves]
        outs = [a.struct for a in plan.outs]
        structs = [*plan.structs, *outs, *[plan.structs[i] for i in targets]]
        make = _by_jvp if plan.op.formula is None else _by_transpose
        closed = inlined(jax.make_jaxpr(make(plan, targets))(*structs), structs)
        closed, self.used = prune(closed)
        fun = jaxpr_as_fun(closed)
        self.op = Op(
            plan.op.name + "_jvp", lambda *arrays: tuple(fun(*arrays)),
            [PullbackParam(f"a{i}", i) for i in range(len(self.used))],
            promote="none", module=None, returns=tuple,
        )  # fmt: skip


_push_of = lru_cache(1 << 12)(Push)


def pushed(plan: Plan, inputs: Any, outs: Any, moving: Sequence[Any]) -> Sequence[Tensor]:
    """The tangents of an op's floating outputs."""
    mask = tuple(t is not None for t in moving)
    push = _push_of(plan, mask)
    tangents = [_like(t, plan.avals[i]) for i, t in enumerate(moving) if t is not None]
    given = [*inputs, *outs, *tangents]
    if not push.used:
        return [wrap(zeros(a)) for a in plan.outs if a.dtype.category >= FLOAT]
    return call(push.op, tuple(given[i] for i in push.used))


def _like(t: Tensor, aval: Any) -> Tensor:
    return t if t._aval.dtype is aval.dtype else t.to(aval.dtype)  # type: ignore[attr-defined]


def _inexact(x: Any) -> bool:
    return jnp.issubdtype(x.dtype, jnp.inexact)


def _by_jvp(plan: Plan, targets: list[int]) -> Callable[..., list[Any]]:
    n, m = len(plan.structs), len(plan.outs)
    fun = plan.fun if plan.scalar_key is None else plan.spec.fun

    def push(*arrays: Any) -> list[Any]:
        full = list(arrays[:n])

        def of_targets(*chosen: Any) -> list[Any]:
            for i, x in zip(targets, chosen, strict=True):
                full[i] = x
            return [o for o in fun(*full) if _inexact(o)]

        return jax.jvp(of_targets, tuple(full[i] for i in targets), tuple(arrays[n + m :]))[1]

    return push


def _by_transpose(plan: Plan, targets: list[int]) -> Callable[..., list[Any]]:
    """A declared gradient is linear in its cotangents: its transpose pushes tangents."""
    n, m = len(plan.structs), len(plan.outs)
    back = pullback_function(plan, targets)

    def push(*arrays: Any) -> list[Any]:
        known, tangents = arrays[: n + m], arrays[n + m :]
        zeros = [jnp.zeros(s.shape, s.dtype) for s in arrays[n : n + m]]

        def pull(cotangents: list[Any]) -> list[Any]:
            rest = iter(cotangents)
            return back(*known, *[next(rest) if _inexact(z) else z for z in zeros])

        zero = [z for z in zeros if _inexact(z)]
        _, transposed = jax.vjp(pull, zero)
        return [t.conj() for t in transposed([t.conj() for t in tangents])[0]]

    return push
