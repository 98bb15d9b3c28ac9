"""Batched values: what tensors hold inside `vmap`, and how ops run on them.

Inside `vmap` a tensor has one example's shape; its Value holds a `Batch`: the recorded Value of all
examples, with one leading dim per level. `core.record` hands every op on such values to `record`
here, which records `jax.vmap` of it on the whole. Autograd sees examples; `enter`, `leave` and
`spread` are the nodes at the border, so that derivatives and `vmap` nest in any order.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import jaxpr_as_fun

from ..core.check import check_dim
from ..core.dispatch import call, call_view
from ..core.dual import mapped_tangents, twin_of
from ..core.function_nodes import function_node
from ..core.interpret import interpreter
from ..core.mutate import ARITHMETIC
from ..core.nodes import edge_of
from ..core.plan import Op
from ..core.record import LOCAL, VMAP, Batch, Spec, number_array, record
from ..core.storage import INLINE, Storage, Value, aval_of, concrete
from ..core.tape import AccumulateGrad, sequence_number
from ..core.tensor import TENSORS, Tensor, wrap

_number = itertools.count().__next__

ITEM = (
    "vmap: It looks like you're calling .item() on a Tensor. We don't support vmap over calling "
    ".item() on a Tensor, please try to rewrite what you're doing with other operations. If error "
    "is occurring somewhere inside PyTorch internals, please file a bug report."
)
BRANCH = (
    "vmap: It looks like you're attempting to use a Tensor in some data-dependent control flow. We "
    "don't support that yet, please file an issue at https://github.com/pytorch/pytorch/issues ."
)
INPLACE = (
    "vmap: {0}(self, *extra_args) is not possible because there exists a Tensor `other` in "
    "extra_args that has more elements than `self`. This happened due to `other` being vmapped "
    "over but `self` not being vmapped over {1}. Please try to use out-of-place operators instead "
    "of {0}. If said operator is being called inside the PyTorch framework, please file a bug "
    "report instead."
)
_BROADCAST = ("add_", "iadd_", "atan2_", "arctan2_", "copysign_")
_PLAIN = """
sub_ mul_ div_ true_divide_ logical_and_ logical_or_ logical_xor_ clamp_min_ clamp_max_ multiply_
divide_ copy_ masked_fill_
""".split()
_NAMED = ("index_add_", "index_put_", "scatter_add_", "scatter_reduce_", "fill_", "index_fill_")


class Level:
    """One `vmap` in progress; a context manager. Levels are ordered by when they began."""

    def __init__(self, size: int, randomness: str) -> None:
        self.number, self.size, self.randomness = _number(), size, randomness

    def __enter__(self) -> Level:
        state = LOCAL.state
        self.outer = state.interposed
        self.starts = {tr: len(tr.values) for tr in state.traces.values()}
        self.depth = state.transforms
        self.first = sequence_number()
        state.interposed = self.call
        state.vmaps.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        state = LOCAL.state
        state.vmaps.pop()
        state.interposed = self.outer
        self.starts = {}

    def call(self, op: Op, inputs: Sequence[Any], statics: Any) -> Any:
        """An op called inside: what comes from outside is told to sum the examples' gradients."""
        state = LOCAL.state
        state.interposed = self.outer
        try:
            if state.grad_enabled:
                inputs = [imported(x) if x.__class__ in TENSORS else x for x in inputs]
            return (call_view if op.view else call)(op, inputs, statics)
        finally:
            state.interposed = self.call

    def holds(self, x: Tensor, node: Any) -> bool:
        """Whether a tensor's history began inside of this level."""
        if not isinstance(node, AccumulateGrad):
            return node.seq >= self.first
        opener = node.variable.__dict__.get("_level")
        if opener is not None:
            return self in opener.vmaps
        return self in tensor_levels(node.variable) or not self.began_with(x._storage.value)

    def began_with(self, v: Value) -> bool:
        """Whether a value was there before this level (or has been read since it was made)."""
        tr = v.trace
        return tr is None or (tr in self.starts and v.slot < self.starts[tr])


Levels = tuple[Level, ...]


# ----- values -----
def levels_of(v: Any) -> Levels:
    """The levels a value is batched at, outermost first."""
    return v.array.levels if v.__class__ is Value and v.array.__class__ is Batch else ()


def whole(v: Any) -> Any:
    """The value of all examples."""
    return v.array.value if v.__class__ is Value and v.array.__class__ is Batch else v


def batched(v: Value, levels: Levels) -> Value:
    """The value of one example, where `v` has one leading dim per level."""
    if not levels:
        return v
    shape = tuple(v.aval.shape)[len(levels) :]
    made = concrete(Batch(v, levels), aval_of(shape, v.aval.dtype, v.aval.device))
    made.trace = INLINE
    return made


def in_order(levels: Any) -> Levels:
    return tuple(sorted(set(levels), key=lambda level: level.number))


def run(spec: Spec, inputs: Sequence[Any]) -> list[Value]:
    """Record an op on all examples at once."""
    levels = in_order(level for v in inputs for level in levels_of(v))
    pattern = tuple(tuple(level in levels_of(v) for level in levels) for v in inputs)
    plain = [whole(v) for v in inputs]
    outs = record(_vmapped(spec, pattern, tuple(level.size for level in levels), plain), plain)
    return [batched(o, levels) for o in outs]


_vmapped_specs: dict[Any, Spec] = {}


def _vmapped(spec: Spec, pattern: Any, sizes: tuple[int, ...], inputs: Sequence[Any]) -> Spec:
    key = (spec, pattern, sizes)
    found = _vmapped_specs.get(key)
    if found is None:
        fun: Callable[..., Any] = spec.fun
        for at in reversed(range(len(sizes))):
            axes = tuple(0 if row[at] else None for row in pattern)
            fun = jax.vmap(fun, in_axes=axes, axis_size=sizes[at])
        outs = [aval_of((*sizes, *a.shape), a.dtype, a.device) for a in spec.outs]
        found = _vmapped_specs[key] = _traced(f"vmap_{spec.name}", fun, outs, inputs, spec.cheap)
    return found


def _traced(name: str, fun: Any, outs: Any, inputs: Sequence[Any], cheap: bool) -> Spec:
    closed = jax.make_jaxpr(fun)(*map(_struct, inputs))
    return Spec(
        name, tuple(outs), jaxpr_as_fun(closed), lambda: interpreter(closed), outs[0].device, cheap
    )


def _struct(v: Any) -> Any:
    if v.__class__ is Value:
        return v.aval.struct
    number = number_array(v)
    return jax.ShapeDtypeStruct((), number.dtype)


_small_specs: dict[Any, Spec] = {}


def _small(
    kind: str, aval: Any, numbers: tuple[int, ...], shape: Any, fun: Callable[..., Any]
) -> Spec:
    """A spec of one input from a function that takes NumPy or jax.numpy."""
    spec = _small_specs.get((kind, aval, numbers))
    if spec is None:
        out = aval_of(tuple(shape), aval.dtype, aval.device)
        spec = _small_specs[kind, aval, numbers] = Spec(
            kind, (out,), lambda x: [fun(jnp, x)], lambda: lambda x: [fun(np, x)], aval.device, True
        )
    return spec


def _moved(v: Value, source: int, to: int) -> Value:
    if source == to:
        return v
    shape = list(v.aval.shape)
    shape.insert(to, shape.pop(source))
    fun = lambda xp, x: xp.moveaxis(x, source, to)  # noqa: E731
    return record(_small("movedim", v.aval, (source, to), shape, fun), (v,))[0]


def _repeated(v: Value, size: int, dim: int) -> Value:
    shape = list(v.aval.shape)
    shape.insert(dim, size)
    fun = lambda xp, x: xp.broadcast_to(xp.expand_dims(x, dim), shape)  # noqa: E731
    return record(_small("expand", v.aval, (size, dim), shape, fun), (v,))[0]


def enter_value(v: Value, dim: int, level: Level) -> Value:
    """One example of a value whose `dim` runs over the examples."""
    have = levels_of(v)
    levels = in_order((*have, level))
    return batched(_moved(whole(v), len(have) + dim, levels.index(level)), levels)


def leave_value(v: Value, dim: int, level: Level) -> Value:
    """The value of all examples, which run over `dim`."""
    levels = levels_of(v)
    if level not in levels:
        return _repeated(v, level.size, dim)
    rest = tuple(other for other in levels if other is not level)
    return batched(_moved(whole(v), levels.index(level), len(rest) + dim), rest)


# ----- tensors -----
def _linked(value: Value, x: Tensor, name: str, back: Callable[[Tensor], Tensor]) -> Tensor:
    t = wrap(value)
    edge = edge_of(x) if LOCAL.state.grad_enabled else None
    if edge is not None:
        t._grad_fn = function_node(name, lambda grad: [back(grad)], [edge], [value.aval])
        t._grad_fn.border = True
        t._requires_grad = True
    return t


def enter(x: Tensor, dim: int, level: Level) -> Tensor:
    """One example of a tensor, differentiably."""
    value = enter_value(x._value_now(), dim, level)
    t = _linked(
        value, imported(x, level), "AddBatchDimBackward0", lambda grad: leave(grad, dim, level)
    )
    mapped_tangents(x, t, lambda tangent: enter(tangent, dim, level))
    t._born, t._entered = x._born, dim  # type: ignore[attr-defined]
    return t


def leave(t: Tensor, dim: int, level: Level) -> Tensor:
    """All examples of a tensor, differentiably."""
    dim = check_dim(dim, t.ndim + 1)
    value = leave_value(t._value_now(), dim, level)
    out = _linked(
        value, imported(t), "RemoveBatchDimBackward0", lambda grad: enter(grad, dim, level)
    )
    mapped_tangents(t, out, lambda tangent: leave(tangent, dim, level))
    return out


def _beside(made: Tensor, x: Tensor) -> Tensor:
    """One of a new tensor for each example of another."""
    levels = tensor_levels(x)
    value = made._value_now()
    for level in levels:
        value = _repeated(value, level.size, levels.index(level))
    return wrap(batched(value, levels)) if levels else made


def _spread(w: Tensor, levels: Levels) -> Tensor:
    """A tensor that is the same for all examples: its gradient is the sum of theirs."""

    def back(grad: Tensor) -> list[Tensor]:
        for level in levels:
            if level in tensor_levels(grad):
                grad = leave(grad, 0, level).sum(0)  # type: ignore[attr-defined]
        return [grad]

    t = twin_of(w)
    t._grad_fn = function_node("ExpandBackward0", back, [edge_of(w)], [w._aval])
    t._grad_fn.border = True
    t._requires_grad = True
    return t


def tensor_levels(x: Any) -> Levels:
    """The levels a tensor is batched at."""
    if not isinstance(x, Tensor) or x._storage.__class__ is not Storage:
        return ()
    return levels_of(x._storage.value)


def _tracked(x: Any) -> bool:
    base = x._base_tensor
    return x._requires_grad or (base is not None and base._requires_grad)


def imported(x: Tensor, but: Level | None = None) -> Tensor:
    """A tensor whose history began outside of the levels in progress, as they may use it."""
    if not LOCAL.state.vmaps or not _tracked(x):
        return x
    edge = edge_of(x)
    if edge is None:
        return x
    have, node = tensor_levels(x), edge[0]
    missing = tuple(
        level
        for level in LOCAL.state.vmaps
        if level is not but and level not in have and not level.holds(x, node)
    )
    return _spread(x, missing) if missing else x


# ----- what the kernel asks inside vmap -----
def _read_error(v: Value) -> RuntimeError:
    """A value of many examples was read as if it were one."""
    active = LOCAL.state.vmaps
    inside = any(level in active for level in levels_of(v))
    return RuntimeError(ITEM if inside else INPLACE.format(ARITHMETIC, "in a vmap"))


def _check_branch(t: Tensor) -> None:
    if tensor_levels(t):
        raise RuntimeError(BRANCH)


def _check_write(t: Tensor, value: Value, name: str) -> None:
    """RuntimeError when many examples are written into memory that has room for one."""
    missing = in_order(set(levels_of(value)) - set(tensor_levels(t)))
    if not missing:
        return
    if name in _BROADCAST:
        shape = [*[level.size for level in missing], *t.shape]
        raise RuntimeError(
            f"output with shape {list(t.shape)} doesn't match the broadcast shape {shape}"
        )
    plain = name in _PLAIN or name == ARITHMETIC
    if plain or name in _NAMED:
        raise RuntimeError(INPLACE.format(ARITHMETIC if plain else name, "in a vmap"))
    at = LOCAL.state.vmaps.index(missing[-1]) + 1
    raise RuntimeError(INPLACE.format(f"aten::{name}", f"at level {at}"))


def _check_memory(t: Tensor) -> None:
    if tensor_levels(t):
        raise RuntimeError("Cannot access data pointer of Tensor that doesn't have storage")


NORM = (
    "Batch norm got a batched tensor as input while the running_mean or running_var, which will be "
    "updated in place, were not batched.\nIf you are using a module and do not need eval mode, "
    "please set `track_running_stats` to be False.If you are using a prebuilt module and do not "
    "need eval mode, please see the functorch website for resources on how to patch your module to "
    "work with vmap"
)


def _check_norm(running: Tensor, batch: Tensor) -> None:
    """RuntimeError when many examples would move statistics that there is one of."""
    if set(tensor_levels(batch)) - set(tensor_levels(running)):
        raise RuntimeError(NORM)


VMAP.update(
    beside=_beside,
    record=run, read_error=_read_error, check_branch=_check_branch, check_write=_check_write,
    imported=imported,
    check_memory=_check_memory, check_norm=_check_norm,
)  # fmt: skip
