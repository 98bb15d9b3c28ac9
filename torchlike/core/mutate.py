"""The only writer: in-place ops, `out=`, `x[i] = y`, `copy_` and optimizers all end here.

A write checks that it may happen, replaces the storage's value (through the view, if there is one),
bumps the version and, under autograd, rebases history as PyTorch does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import jax.numpy as jnp
import numpy as np

from . import dtypes
from .check import OVERLAP_OUT, warn
from .dispatch import FOREIGN, call, call_view
from .engine import execute
from .function_nodes import FunctionNode, function_node
from .geometry import Geometry, is_dense, overlaps
from .hooks import Changes
from .node_text import COPY_SLICES, short_name
from .nodes import accumulator_of, edge_of
from .plan import Op, Plan
from .record import DUAL, LOCAL, VMAP, Spec, record
from .storage import (
    Aval,
    HostStorage,
    Unwatched,
    Value,
    host_value,
    let_go,
    prod,
    read_numpy,
    storage_of,
)
from .tape import OpNode, apply_node, enable_grad, zeros
from .tensor import Step, Tensor, counter_of, wrap, write_host
from .writable import _creation_text, check_captured, check_writable

# ----- writing -----
ARITHMETIC = "inplace arithmetic"  # what PyTorch calls most writes in errors of `vmap`


def overwrite(t: Tensor, src: Tensor, name: str = ARITHMETIC) -> Tensor:
    """Write `src` (same shape) into `t`, with its history."""
    check_writable(t, name in ("fill_", "zero_"), (src,))
    return write(t, src, name)


def renew(t: Tensor, src: Tensor) -> Tensor:
    """`overwrite` by a step (an optimizer's, a running mean's): a pin doesn't hold it up."""
    let_go(t._storage)
    return overwrite(t, src)


def write(t: Tensor, src: Tensor, name: str = ARITHMETIC) -> Tensor:
    """`overwrite` where the tensor is known to be writable; with no name, also inside `vmap`."""
    if src._aval.dtype is not t._aval.dtype:
        src = src.to(t._aval.dtype)  # type: ignore[attr-defined]
    store(t, src._value_now(), name)
    if LOCAL.state.duals:
        DUAL["write"](t, src)
    if LOCAL.state.grad_enabled and (src._requires_grad or t._requires_grad):
        rebase(t, src)
    return t


def store(t: Tensor, value: Value, name: str = ARITHMETIC) -> None:
    """Replace the tensor's elements and bump the version. No checks, no history."""
    if LOCAL.state.vmaps and name and not LOCAL.state.runs:
        VMAP["check_write"](t, value, name)
    storage, view = t._storage, t._view
    counter = t._counter if t._counter is not None else storage
    if view is None:
        storage.value = value
    elif (
        storage.__class__ is HostStorage
        and storage.host is not None
        and not any(step.plan.op.bit for step in view.steps)
    ):
        write_host(t, read_numpy(value))
    elif not view.steps:
        storage.value = value
    else:
        storage.value = _through(view.steps, storage.value, value)
        op = view.steps[-1].plan.op
        if op.put is None and not op.bit:
            t._value = t._seen = None  # it may show one element in several places: look again
        else:
            t._value, t._seen = value, storage.value
    counter.version += 1
    if counter is not storage:
        storage.version = Unwatched(storage.version)


def set_host(t: Tensor, array: np.ndarray) -> Tensor:
    """Replace the elements by a NumPy array nobody else writes to; nothing is run."""
    check_writable(t)
    array = np.asarray(array, t._aval.np)
    store(t, host_value(array.reshape(t._aval.shape), t._aval.device))
    if t._requires_grad and LOCAL.state.grad_enabled and t._grad_fn is not None:
        rebase(t, wrap(t._value_now()))
    return t


def _through(steps: Sequence[Step], base: Value, value: Value) -> Value:
    """The base's value after a write through a chain of views."""
    bits = any(step.plan.op.bit for step in steps)
    if not bits and any(step.plan.op.put is None for step in steps[:-1]):
        plans = tuple(step.plan for step in steps)
        if all(plan.outs[0].dtype is base.aval.dtype for plan in plans):
            numbers = [n for step in steps for n in step.numbers]
            return record(_chain_spec(plans), (base, value, *numbers))[0]
    seen = [base]
    for step in steps[:-1]:
        seen.append(record(step.plan.spec, (seen[-1], *step.numbers))[0])
    for step, below in zip(reversed(steps), reversed(seen), strict=True):
        (value,) = record(put_spec(step.plan), (below, value, *step.numbers))
    return value


@lru_cache(1 << 10)
def _chain_spec(plans: tuple[Plan, ...]) -> Spec:
    """A write through a chain at once: a view under it may show one element in several places,
    and only those the last view shows may be written."""

    def along(array: Any, numbers: Sequence[Any]) -> Any:
        rest = iter(numbers)
        for plan in plans:
            own = [next(rest) for _ in range(len(plan.avals) - 1)]
            array = plan.fun(array, *own)[0]
        return array

    def fun(base: Any, value: Any, *numbers: Any) -> list[Any]:
        places = jnp.arange(base.size).reshape(base.shape)
        where = along(places, numbers).ravel()
        return [base.ravel().at[where].set(value.ravel()).reshape(base.shape)]

    def interpret(base: Any, value: Any, *numbers: Any) -> list[Any]:
        out = np.array(base)
        along(out, [n.item() for n in numbers])[...] = value
        return [out]

    first = plans[0]
    return Spec("chain_put", (first.avals[0],), fun, lambda: interpret, first.spec.device)


def put_spec(plan: Plan) -> Spec:
    """The op that writes through one view: (base, value, *numbers) -> new base."""
    spec = plan.put_spec
    if spec is None and plan.op.bit:
        spec = plan.put_spec = _put_inverse(plan)
    if spec is None:
        put = plan.op.put
        fun = _put_by_position(plan) if put is None else _put_declared(plan, put)
        spec = plan.put_spec = Spec(
            f"{plan.op.name}_put", (plan.avals[0],), fun, lambda: _put_numpy(plan), plan.spec.device
        )
    return spec


def _put_inverse(plan: Plan) -> Spec:
    """What is written through a bit comes out by the view itself: it is its own inverse."""

    def fun(base: Any, value: Any) -> list[Any]:
        return plan.fun(value)

    return Spec(f"{plan.op.name}_put", (plan.avals[0],), fun, lambda: fun, plan.spec.device)


def _put_declared(plan: Plan, put: Callable[..., Any]) -> Callable[..., Any]:
    return lambda base, value, *numbers: [put(base, value, *numbers, **plan.statics)]


def _put_by_position(plan: Plan) -> Callable[..., Any]:
    """The view of an iota tells where each element of the view lives in its base."""

    def fun(base: Any, value: Any, *numbers: Any) -> list[Any]:
        places = jnp.arange(base.size).reshape(base.shape)
        where = plan.fun(places, *numbers)[0].ravel()
        return [base.ravel().at[where].set(value.ravel()).reshape(base.shape)]

    return fun


def _put_numpy(plan: Plan) -> Callable[..., Any]:
    def interpret(base: Any, value: Any, *numbers: Any) -> list[Any]:
        out = np.array(base)
        plan.fun(out, *[n.item() for n in numbers])[0][...] = value
        return [out]

    return interpret


# ----- history -----
def rebase(t: Tensor, src: Tensor) -> None:
    node = src._grad_fn
    if isinstance(node, OpNode):
        _move_saved(node, t, src)
        node.on_view = t._base_tensor is not None
    counter = counter_of(t)
    if t._base_tensor is None:
        if node is not None:
            counter.writer = (src._out_nr, short_name(node), counter.version, t._aval)
        if t._retains:
            _move_retained(t, node, src._out_nr)
        t._grad_fn, t._out_nr, t._requires_grad = node, src._out_nr, src._requires_grad
        return
    base = t._base_tensor
    others = [] if node is None else list(node.edges[1:])
    counter.writer = (0, COPY_SLICES, counter.version, base._aval)
    base._grad_fn = _copy_slices(edge_of(base), others, node, *_ways(t), base)
    base._out_nr, base._requires_grad = 0, True
    t._requires_grad = True


def _move_retained(t: Tensor, node: Any, nr: int) -> None:
    """`retain_grad` keeps the gradient of the tensor as it is last, after in-place writes."""
    old = t._grad_fn
    ref = (old.retains or {}).pop(t._out_nr, None) if old is not None else None
    if ref is not None and node is not None:
        node.retains = {**(node.retains or {}), nr: ref}


def _move_saved(node: OpNode, t: Tensor, src: Tensor) -> None:
    """The written tensor's old value was saved on purpose; a saved result is now the tensor."""
    counter = counter_of(t)
    n = len(node.pullback.inputs)
    node.versions = [
        (counter, counter.version, at) if at >= n and c is src._storage else (c, version, at)
        for c, version, at in node.versions
        if at >= n or c is not counter
    ]


def _copy_slices(
    base_edge: Any, others: list[Any], inner: Any, root: Aval, ups: Sequence[Step],
    steps: Sequence[Step], base: Tensor,
) -> FunctionNode:  # fmt: skip
    """PyTorch's CopySlices: the gradient of a base that was written to through a view."""

    def backward(grad: Tensor) -> list[Any]:
        memory = wrap(zeros(root)) if ups else grad.clone()  # type: ignore[attr-defined]
        whole = replay(memory, ups)
        if ups:
            whole.copy_(grad)  # type: ignore[attr-defined]
        part = replay(memory, steps)
        if inner is None:
            found = [None]
        else:
            found = apply_node(inner, [part.clone()])  # type: ignore[attr-defined]
        mine = wrap(zeros(part._aval)) if found[0] is None else found[0]
        part.copy_(mine)  # type: ignore[attr-defined]
        return [whole, *found[1:]]

    return function_node("CopySlices", backward, [base_edge, *others], [base._aval])


def steps_from_base(t: Tensor) -> Sequence[Step]:
    """The views that lead from a view's base to it."""
    base = t._base_tensor._view
    return t._view.steps[0 if base is None else len(base.steps) :]  # type: ignore[union-attr]


def _ways(t: Tensor) -> tuple[Aval, Sequence[Step], Sequence[Step]]:
    """A memory, and the views of it that its base and the view are.

    The base itself, unless it was turned in place (`t_`) after the view was made: then the root.
    """
    base, view = t._base_tensor, t._view
    ups = () if base._view is None else base._view.steps
    if view.steps[: len(ups)] == ups:  # type: ignore[union-attr]
        return base._aval, (), steps_from_base(t)
    return view.base_aval, ups, view.steps  # type: ignore[union-attr]


def replay(base: Tensor, steps: Sequence[Step]) -> Tensor:
    """The same chain of views, of another tensor."""
    for step in steps:
        statics = tuple(step.plan.statics.values())
        base = call_view(step.plan.op, (base, *step.numbers), statics)
    return base


def _pulled(memory: Tensor, steps: Sequence[Step], grad: Tensor) -> Tensor:
    """The gradient of a memory from that of a view of it."""
    create = LOCAL.state.grad_enabled
    leaf = wrap(memory._value_now())
    leaf._requires_grad = True
    with enable_grad():
        edge = edge_of(replay(leaf, steps))
    here = accumulator_of(leaf)
    return execute([edge], [grad], create, create, {here: {0: 0}}, only=True)[0]  # type: ignore[list-item]


def regenerate(t: Tensor) -> None:
    """Give a view whose base was written to a grad_fn that leads to the base's new history."""
    base = t._base_tensor
    if t._creation:
        what = "its base or another view of its base has been modified inplace"
        raise RuntimeError(_creation_text(t, what))
    root, ups, steps = _ways(t)

    at = t.geometry()
    several = overlaps(at.shape, at.stride)  # of an element shown twice the gradients add up

    def backward(grad: Tensor) -> list[Any]:
        memory = wrap(zeros(root))
        if several:
            memory = _pulled(memory, steps, grad)
        else:
            replay(memory, steps).copy_(grad)  # type: ignore[attr-defined]
        return [replay(memory, ups)]

    t._grad_fn = function_node("AsStridedBackward0", backward, [edge_of(base)], [t._aval])
    t._out_nr, t._requires_grad = 0, True


# ----- what the variants of an op end in -----
def inplace(op: Op, inputs: Sequence[Any], statics: Any = ()) -> Tensor:
    """The in-place variant: the op's result, written into its first input."""
    t = inputs[0]
    if not isinstance(t, Tensor):
        raise TypeError(f"{op.name}_(): argument 'input' must be Tensor, not {type(t).__name__}")
    if LOCAL.state.transforms:
        several = sum(p.kind == "operand" for p in op.inputs) > 1
        check_captured(t, op.name + ("_.Tensor" if several else "_"))
    check_writable(t, op.name == "zero", inputs)
    if op.elementwise and len(inputs) > 1:
        check_apart(t, inputs[1:], partly=True)
    return write(t, checked_result(t, call(op, inputs, statics)), op.name + "_")


def checked_result(t: Tensor, src: Tensor) -> Tensor:
    """The result, if it may be written into `t`: same shape, castable dtype."""
    if src._aval.shape != t._aval.shape:
        raise RuntimeError(
            f"output with shape {list(t.shape)} doesn't match the broadcast shape {list(src.shape)}"
        )
    check_cast(src, t)
    return src


def check_cast(src: Tensor, t: Tensor) -> None:
    """RuntimeError when a result of this dtype may not be written into that tensor."""
    if not dtypes.can_cast(src._aval.dtype, t._aval.dtype):
        names = dtypes.SCALAR_NAMES
        raise RuntimeError(
            f"result type {names[src._aval.dtype]} can't be cast to the desired output type "
            f"{names[t._aval.dtype]}"
        )


def check_apart(out: Tensor, inputs: Sequence[Any], partly: bool = False) -> None:
    """RuntimeError when `out` shares memory with an input; with `partly` only if less than all."""
    for x in inputs:
        if x is out and not partly:
            raise RuntimeError(OVERLAP_OUT)
        if not isinstance(x, Tensor) or x.__class__ in FOREIGN:
            continue
        if x._storage is out._storage and x._aval.size and out._aval.size:
            mine, other = out.geometry(), x.geometry()
            same = partly and (mine.offset, mine.stride) == (other.offset, other.stride)
            if not (same and mine.shape == other.shape) and _dense_ranges_meet(mine, other):
                raise RuntimeError(OVERLAP_OUT)


def _dense_ranges_meet(a: Geometry, b: Geometry) -> bool:
    """Whether the memory of two tensors without gaps overlaps; PyTorch looks at no others."""
    if not all(is_dense(at.shape, at.stride) for at in (a, b)):
        return False
    ends = [at.offset + prod(at.shape) for at in (a, b)]
    return a.offset < ends[1] and b.offset < ends[0]


def _check_same_dtype(src: Tensor, out: Tensor, rule: str) -> None:
    """RuntimeError when `out` is not of the result's dtype, for ops that don't convert."""
    kinds = src._aval.dtype, out._aval.dtype
    if kinds[0] is kinds[1]:
        return
    if "object" in rule:
        want, got = (dtypes.SCALAR_NAMES[k] for k in kinds)
        raise RuntimeError(
            f"Expected object of scalar type {want} but got scalar type {got} for argument 'out'"
        )
    want, got = (dtypes.C_NAMES[k] for k in kinds)
    raise RuntimeError(f"Expected out tensor to have dtype {want}, but got {got} instead")


def write_out(name: str, out: Any, src: Any, inputs: Sequence[Any] = (), rule: str = "") -> Any:
    """The `out=` variant: write the result into `out`, resized if need be.

    Words of `rule`: `typed` (computed in `out`'s dtype, unless told another), `same` and `object`
    (no conversion of dtype, two texts), `apart` (no memory shared with the inputs), `partly` (all
    of it may be shared, a part not).
    """
    if isinstance(out, (tuple, list)):
        pairs = zip(out, src, strict=True)
        return type(src)(*[write_out(name, o, s, inputs, rule) for o, s in pairs])
    if not isinstance(out, Tensor):
        raise TypeError(f"{name}(): argument 'out' must be Tensor, not {type(out).__name__}")
    if LOCAL.state.grad_enabled and (src._requires_grad or out._requires_grad):
        raise RuntimeError(
            f"{name}(): functions with out=... arguments don't support automatic differentiation, "
            "but one of the arguments requires grad."
        )
    if LOCAL.state.duals and DUAL["carries"](src, out):
        raise NotImplementedError(
            f"Trying to use forward AD with {name}_out that does not support it because it is an "
            "out= function"
        )
    if "same" in rule or "object" in rule or "typed" in rule:
        _check_same_dtype(src, out, rule)
    if "apart" in rule or "partly" in rule:
        check_apart(out, inputs, "partly" in rule)
    check_cast(src, out)
    if src._aval.shape != out._aval.shape:
        resize_out(out, src)
    check_writable(out)
    return write(out, src)


def resize_out(out: Tensor, src: Tensor) -> None:
    """Give `out` the result's shape; PyTorch warns when it had elements."""
    if out._aval.size:
        warn(
            f"An output with one or more elements was resized since it had shape "
            f"{list(out.shape)}, which does not match the required output shape "
            f"{list(src.shape)}. This behavior is deprecated, and in a future PyTorch release "
            "outputs will not be resized unless they have zero elements. You can explicitly reuse "
            "an out tensor t by resizing it, inplace, to zero elements with t.resize_(0). "
            "(Triggered internally at /pytorch/aten/src/ATen/native/Resize.cpp:38.)",
            UserWarning
        )
    from .storage import aval_of

    aval = aval_of(tuple(src.shape), out._aval.dtype, out._aval.device)
    replace(out, zeros(aval))


def replace(t: Tensor, value: Value) -> None:
    """Give a tensor new memory of another shape (`resize_`, `set_`, `.data =`)."""
    version = counter_of(t).version
    t._storage, t._aval, t._view = storage_of(value), value.aval, None
    Changes.count += 1
    t._value = t._seen = None
    counter_of(t).version = version + 1
