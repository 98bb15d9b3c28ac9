"""Pullbacks: the gradient of a plan for one set of inputs, itself a traced op.

Traced from the declared formula (over Tensors) or from `jax.vjp` of the body; what a pullback does
not need is pruned, so a node saves only what PyTorch would.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal, jaxpr_as_fun

from .device import CPU, META
from .interpret import interpreter
from .plan import Plan, convert, scalar_struct, trace
from .record import Spec, inside_transform
from .saved import kept
from .storage import Aval, traced
from .tensor import Tensor, wrap


class Pullback:
    """The gradient of a plan for one set of inputs: the spec, and which values it needs."""

    __slots__ = (
        "spec", "inputs", "results", "grads", "targets", "numbers", "saves_number", "__weakref__",
    )  # fmt: skip

    spec: Spec
    inputs: list[int]  # of the plan's present inputs, those whose value is needed
    results: list[int]  # of its outputs, likewise
    grads: list[int]  # of its outputs, those whose gradient is needed
    targets: list[int]  # the input each gradient belongs to
    numbers: list[int]  # Python numbers that are kept for nothing but to be shown
    saves_number: bool  # whether it needs a Python number PyTorch makes a tensor of (`x * 3`)


def pullback_of(plan: Plan, mask: tuple[bool, ...]) -> Pullback:
    """The pullback for the inputs marked in `mask`; made on first use."""
    found = plan.pullbacks.get(mask)
    if found is None:
        found = plan.pullbacks[mask] = _make_pullback(plan, mask)
    return found


def _make_pullback(plan: Plan, mask: tuple[bool, ...]) -> Pullback:
    targets = [i for i, wanted in enumerate(mask) if wanted]
    outs = [a.struct for a in plan.outs]
    structs = [*plan.structs, *outs, *outs]
    back = pullback_function(plan, targets)
    keep, numbers = kept(plan, targets)
    scalar_key = None if plan.scalar_key is None else (plan.scalar_key, mask)
    closed = plan.op.scalar_pullbacks.get(scalar_key)
    if closed is None:
        scalar = scalar_key is not None
        shapes = list(map(scalar_struct, structs)) if scalar else structs
        closed, used = prune(inlined(trace(back, shapes), shapes), keep)
        if scalar:
            plan.op.scalar_pullbacks[scalar_key] = closed, used
    else:
        closed, used = closed
    p = Pullback()
    n, m = len(plan.structs), len(outs)
    p.targets = targets
    p.inputs = [i for i in used if i < n]
    p.numbers = [i for i in numbers if i not in p.inputs]
    p.results = [i - n for i in used if n <= i < n + m]
    p.grads = [i - n - m for i in used if i >= n + m]
    kinds = {q.name: q.kind for q in plan.op.inputs}
    p.saves_number = any(kinds.get(plan.names[i]) == "operand" for i in p.inputs)
    avals = tuple(plan.avals[i] for i in targets)
    name = f"{plan.op.name}_backward"
    where = plan.spec.device
    if scalar_key is None:
        p.spec = Spec(
            name, avals, jaxpr_as_fun(closed), lambda: interpreter(closed), where, plan.op.cheap
        )
    else:
        fun = _with_unused(back, structs, used)
        p.spec = Spec(name, avals, fun, lambda: _unbroadcasting(closed, avals), where)
    return p


def pullback_function(plan: Plan, targets: list[int]) -> Callable[..., list[Any]]:
    n, m = len(plan.structs), len(plan.outs)

    def back(*arrays: Any) -> list[Any]:
        inputs, grads = arrays[:n], arrays[n + m :]
        if plan.op.formula is None:
            return _vjp(plan, targets, inputs, grads)
        met = [_as_met(plan, i, a) for i, a in enumerate(arrays)]
        if plan.op.one_kernel:
            met = [_widened(a) for a in met]
        where = CPU if plan.spec.device is META else plan.spec.device  # a tracer holds a value
        tensors = [wrap(traced(a, where)) for a in met]
        with inside_transform():
            found = call_formula(plan, tensors[:n], tensors[n : n + m], tensors[n + m :])
        return [_as_input(found[i], inputs[i]) for i in targets]

    return back


def _as_met(plan: Plan, i: int, array: Any) -> Any:
    """A number in the dtype of the tensors it meets: a 0-d double would promote 0-d floats."""
    if i >= len(plan.avals) or isinstance(plan.avals[i], Aval):
        return array
    target = plan.number_dtype
    narrow = target is None or target.itemsize < 4  # 16 bits would lose digits PyTorch keeps
    return array if narrow else convert(array, target)


def _widened(array: Any) -> Any:
    small = array.dtype.itemsize == 2 and jnp.issubdtype(array.dtype, jnp.floating)
    return convert(array, jnp.float32) if small else array


def call_formula(
    plan: Plan, inputs: Sequence[Any], results: Sequence[Any], grads: Sequence[Any]
) -> list[Any]:
    """The declared gradient, applied to Tensors: one per input, None where there is none."""
    op = plan.op
    known: dict[str, Any] = dict(plan.statics)
    known.update(_named_inputs(plan, inputs))
    known["grads"], known["grad"] = list(grads), grads[0]
    known["results"], known["result"] = list(results), results[0]
    for i, r in enumerate(results):
        known[f"result{i}"], known[f"grad{i}"] = r, grads[i]
    assert op.formula is not None
    found = op.formula(*[known.get(name) for name in op.formula_params])
    given = list(found) if isinstance(found, (tuple, list)) else [found]
    return _per_present(plan, given)


def _named_inputs(plan: Plan, inputs: Sequence[Any]) -> dict[str, Any]:
    named: dict[str, Any] = dict(zip(plan.names, inputs, strict=True))
    for p in plan.op.inputs:
        if p.kind == "tensors":
            named[p.name] = [
                x for n, x in zip(plan.names, inputs, strict=True) if n.startswith(p.name)
            ]
    return named


def _per_present(plan: Plan, given: list[Any]) -> list[Any]:
    """Gradients come one per tensor parameter; line them up with the inputs that are there."""
    takers = [p for p in plan.op.inputs if p.kind in ("tensor", "operand", "tensors")]
    by_name: dict[str, Any] = {}
    for p, g in zip(takers, given, strict=False):
        if p.kind == "tensors":
            by_name.update({f"{p.name}{i}": x for i, x in enumerate(g)})
        else:
            by_name[p.name] = g
    return [by_name.get(name) for name in plan.names]


def _as_input(grad: Any, like: Any) -> Any:
    """A gradient in its input's shape and dtype: summed where the input was broadcast."""
    if grad is None:
        return jnp.zeros(like.shape, like.dtype)
    array = grad._value_now().array if isinstance(grad, Tensor) else jnp.asarray(grad)
    if array.dtype != like.dtype:
        array = convert(array, like.dtype)
    return _sum_to(array, like.shape)


def _broadcast_axes(have: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """The axes along which an array of shape `have` was broadcast from `shape`."""
    extra = len(have) - len(shape)
    inner = (i + extra for i, n in enumerate(shape) if n == 1 and have[i + extra] != 1)
    return (*range(extra), *inner)


def _sum_to(array: Any, shape: tuple[int, ...]) -> Any:
    if array.shape == shape:
        return array
    if array.ndim < len(shape):
        return jnp.broadcast_to(array, shape)
    axes = _broadcast_axes(array.shape, shape)
    if axes:
        array = array.sum(axes, dtype=array.dtype, keepdims=True)
    array = array.reshape(array.shape[array.ndim - len(shape) :])
    return jnp.broadcast_to(array, shape) if array.shape != shape else array


def _vjp(plan: Plan, targets: list[int], inputs: Sequence[Any], grads: Sequence[Any]) -> list[Any]:
    """`jax.vjp` of the body; PyTorch's complex gradients are JAX's, conjugated."""
    put = plan.op.put
    if put is not None and _rearranges(plan):  # half of a vjp's time
        return [put(inputs[0], jnp.broadcast_to(grads[0], plan.outs[0].shape), **plan.statics)]
    full = list(inputs)

    def of_targets(*chosen: Any) -> list[Any]:
        for i, x in zip(targets, chosen, strict=True):
            full[i] = x
        outs = plan.spec.fun(*full) if plan.scalar_key is None else plan.fun(*full)
        return [o for o in outs if jnp.issubdtype(o.dtype, jnp.inexact)]

    chosen = [inputs[i] for i in targets]
    given = [
        g.conj() if jnp.iscomplexobj(g) else g
        for g in grads
        if jnp.issubdtype(g.dtype, jnp.inexact)
    ]
    outs, pull = jax.vjp(of_targets, *chosen)
    given = [
        jnp.broadcast_to(g, o.shape) if g.shape == o.shape else _sum_to(g, o.shape)
        for g, o in zip(given, outs, strict=True)
    ]
    return [d.conj() if jnp.iscomplexobj(d) else d for d in pull(given)]


def _rearranges(plan: Plan) -> bool:
    """Whether a view shows each element of its base once: writing through it undoes it then."""
    base, shown = plan.avals[0], plan.outs[0]
    return len(plan.avals) == 1 and base.size == shown.size and base.dtype is shown.dtype


_JITS = ("jit", "pjit")


def inlined(closed: ClosedJaxpr, structs: list[Any]) -> ClosedJaxpr:
    """The jaxpr with jitted functions spelled out: what they don't need can then be pruned."""
    if not any(e.primitive.name in _JITS for e in closed.jaxpr.eqns) or _has_custom(closed.jaxpr):
        return closed
    return jax.make_jaxpr(lambda *xs: _evaluate(closed.jaxpr, closed.consts, xs))(*structs)


def _has_custom(jaxpr: Jaxpr) -> bool:
    """Whether a function with a derivative of its own is called: its rule must survive."""
    return any(
        e.primitive.name.startswith("custom_")
        or (e.primitive.name in _JITS and _has_custom(e.params["jaxpr"].jaxpr))
        for e in jaxpr.eqns
    )


def _evaluate(jaxpr: Jaxpr, consts: Sequence[Any], args: Sequence[Any]) -> list[Any]:
    env: dict[Any, Any] = dict(zip(jaxpr.constvars, consts, strict=True))
    env.update(zip(jaxpr.invars, args, strict=True))

    def read(v: Any) -> Any:
        return v.val if isinstance(v, Literal) else env[v]

    for eqn in jaxpr.eqns:
        given = [read(v) for v in eqn.invars]
        if eqn.primitive.name in _JITS:
            inner = eqn.params["jaxpr"]
            outs = _evaluate(inner.jaxpr, inner.consts, given)
        else:
            found = eqn.primitive.bind(*given, **eqn.params)
            outs = found if eqn.primitive.multiple_results else [found]
        env.update(zip(eqn.outvars, outs, strict=True))
    return [read(v) for v in jaxpr.outvars]


def prune(closed: ClosedJaxpr, keep: Sequence[int] = ()) -> tuple[ClosedJaxpr, list[int]]:
    """Drop equations no output needs and inputs nothing reads, but for those to `keep`; tell which
    inputs remain."""
    jaxpr = closed.jaxpr
    needed = {v for v in jaxpr.outvars if not isinstance(v, Literal)}
    kept = []
    for eqn in reversed(jaxpr.eqns):
        if any(v in needed for v in eqn.outvars):
            kept.append(eqn)
            needed.update(v for v in eqn.invars if not isinstance(v, Literal))
    used = [i for i, v in enumerate(jaxpr.invars) if v in needed or i in keep]
    pruned = _replace(jaxpr, eqns=kept[::-1], invars=[jaxpr.invars[i] for i in used])
    return ClosedJaxpr(pruned, closed.consts), used


def _replace(jaxpr: Jaxpr, eqns: list[Any], invars: list[Any]) -> Jaxpr:
    return jaxpr.replace(eqns=eqns, invars=invars, debug_info=jaxpr.debug_info.with_unknown_names())


def _with_unused(
    back: Callable[..., Any], structs: list[Any], used: list[int]
) -> Callable[..., Any]:
    """`back` as a function of the arrays it needs only; XLA never sees the fillers."""

    def fun(*arrays: Any) -> list[Any]:
        full: list[Any] = [None] * len(structs)
        for i, a in zip(used, arrays, strict=True):
            full[i] = a
        for i, s in enumerate(structs):
            if full[i] is None:
                full[i] = jnp.zeros(s.shape, s.dtype)
        return back(*full)

    return fun


def _unbroadcasting(
    closed: ClosedJaxpr, avals: tuple[Aval, ...]
) -> Callable[..., list[Any]] | None:
    run = interpreter(closed)
    if run is None:
        return None

    def whole(*arrays: Any) -> list[Any]:
        shape = np.broadcast_shapes(*[np.shape(a) for a in arrays])
        full = [np.broadcast_to(g, shape) if np.shape(g) != shape else g for g in run(*arrays)]
        return [_sum_to_numpy(g, a.shape) for g, a in zip(full, avals, strict=True)]

    return whole


def _sum_to_numpy(array: Any, shape: tuple[int, ...]) -> Any:
    array = np.asarray(array)
    if array.shape == shape:
        return array
    axes = _broadcast_axes(array.shape, shape)
    if axes:
        kind = array.dtype  # 16-bit floats are added up in 32 bits
        wide = np.float32 if kind.itemsize == 2 and kind.kind in "fV" else kind
        array = np.add.reduce(array, axis=axes, keepdims=True, dtype=wide).astype(kind, copy=False)
    array = array.reshape(array.shape[array.ndim - len(shape) :])
    return np.broadcast_to(array, shape) if array.shape != shape else array
