"""The one call path: find the plan, record, note the gradient, wrap the result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from . import dtypes
from .check import OVERLAP_WRITE
from .geometry import Geometry, View, contiguous_stride, geometry, geometry_after, result_stride
from .intercept import DUCKS, OVERRIDING, disabled_impl
from .nodes import edge_of, make_node
from .plan import NUMBERS, ArgumentTypeError, Op, Plan, make_plan
from .pullback import pullback_of
from .record import LOCAL, record
from .storage import Aval, HostStorage, Storage, Value, is_pinned
from .tape import CALL, FIT
from .tensor import FOREIGN as FOREIGN
from .tensor import TENSORS, Step, Tensor, fields_of, wrap

_new = object.__new__


def call(op: Op, inputs: Sequence[Any], statics: Any = ()) -> Any:
    """Call an op: `inputs` are Tensors, numbers or None, `statics` what selects code."""
    state = LOCAL.state
    if state.interposed is not None:
        return state.interposed(op, inputs, statics)
    key = [statics]
    values = []
    track = strided = False
    for x in inputs:
        cls = x.__class__
        if cls in TENSORS:
            key.append(x._aval)
            view = x._view
            if view is None:
                values.append(x._storage.value)
            else:
                values.append(x._value_now())
                if not view.geometry.contiguous:
                    strided = True
                base = x._base_tensor
                if base is not None and base._requires_grad:
                    track = True
            if x._requires_grad:
                track = True
        else:
            key.append(cls)
            values.append(x)
    try:
        plan = op.plans.get(tuple(key))
    except TypeError:  # a list among the static arguments
        return call(op, inputs, _frozen(statics))
    if plan is None:
        unusual = _unusual(op, inputs, statics)
        if unusual is not None:
            return unusual()
        plan = op.plans[tuple(key)] = _planned(op, inputs, statics)
    present = plan.present
    if present is not None:
        values = [values[i] for i in present]
        inputs = [inputs[i] for i in present]
    outs = record(plan.spec, values)
    node = None
    if track and state.grad_enabled and plan.differentiable:
        edges = _edges(plan, inputs)
        mask = tuple([e is not None for e in edges])
        node = make_node(plan, pullback_of(plan, mask), edges, inputs, values, outs)
    if plan.single:
        v = outs[0]
        t = _new(Tensor)
        t._storage = s = _new(Storage)
        s.value = v
        s.version = 0
        t._aval = v.aval
        if strided:
            _lay_out(plan, t, inputs, node)
        if node is not None:
            t._requires_grad = True
            t._grad_fn = node
            if node.pullback.results:
                node.versions.append((s, 0, len(node.saved or ()) - 1))
        elif state.inference:
            t._inference = True
        return t
    return _many(plan, outs, node, state)


def unseen(inputs: Sequence[Any]) -> bool:
    """Whether nobody sees how a composite comes to its result: no history, and nothing between."""
    state = LOCAL.state
    if state.interposed is not None or state.vmaps or state.duals:
        return False
    for x in inputs:
        if x is not None and x.__class__ not in TENSORS:
            return False
    return not state.grad_enabled or not any(
        [x is not None and (x._requires_grad or x._base_tensor is not None) for x in inputs]
    )


def plan_of(op: Op, inputs: Sequence[Any], statics: Any = ()) -> Plan:
    """The plan of a call."""
    statics = _frozen(statics)
    unusual = any(isinstance(s, Tensor) for s in statics)
    statics = tuple(_plain_static(s) for s in statics) if unusual else statics
    inputs = [_plain_number(x) if isinstance(x, np.generic) else x for x in inputs]
    key = (statics, *[x._aval if isinstance(x, Tensor) else x.__class__ for x in inputs])
    plan = op.plans.get(key)
    if plan is None:
        plan = op.plans[key] = _planned(op, inputs, statics)
    return plan


def _planned(op: Op, inputs: Sequence[Any], statics: Any) -> Plan:
    """A fresh plan; an error in the arguments shows the caller's frames, not the tracer's."""
    try:
        return make_plan(op, inputs, statics)
    except Exception as error:
        if LOCAL.state.grad_enabled:
            for x in inputs:
                if x.__class__ in TENSORS:
                    edge_of(x)  # that a view lost its history is said first
        if hasattr(error, "__notes__"):
            del error.__notes__
        raise error.with_traceback(None) from None


def _edges(plan: Plan, inputs: Sequence[Any]) -> list[Any]:
    edges: list[Any] = []
    for x in inputs:
        if x.__class__ not in TENSORS:
            edges.append(None)
        elif x._base_tensor is None and x._grad_fn is not None:
            edges.append((x._grad_fn, x._out_nr))
        else:
            edges.append(edge_of(x))
    return edges


def _many(plan: Plan, outs: list[Value], node: Any, state: Any) -> Any:
    tensors = []
    for i, v in enumerate(outs):
        t = wrap(v)
        if node is not None and v.aval.dtype.category >= dtypes.FLOAT:
            t._requires_grad, t._grad_fn, t._out_nr = True, node, i
        elif state.inference:
            t._inference = True
        tensors.append(t)
    if node is not None:
        n = len(node.pullback.inputs)
        for k, i in enumerate(node.pullback.results):
            node.versions.append((tensors[i]._storage, 0, n + k))
    made = plan.op.returns
    return tuple(tensors) if made is None or made is tuple else made(*tensors)


def _lay_out(plan: Plan, t: Tensor, inputs: Sequence[Any], node: Any) -> None:
    """An elementwise result of permuted inputs is permuted likewise (TensorIterator's rule)."""
    if node is not None:
        node.strides = [x.geometry().stride if isinstance(x, Tensor) else () for x in inputs]
    if not plan.op.elementwise or plan.outs[0].ndim < 2:
        return
    ats = [x.geometry() for x in inputs if isinstance(x, Tensor) and x._aval.ndim]
    shape = tuple(t._aval.shape)
    stride = result_stride(
        tuple(tuple(at.shape) for at in ats), tuple(tuple(at.stride) for at in ats), shape
    )
    set_layout(t, stride)


def set_layout(t: Tensor, stride: tuple[int, ...]) -> None:
    """Give a fresh tensor other strides than row-major."""
    shape = tuple(t._aval.shape)
    if stride != contiguous_stride(shape):
        t._view = _laid(t._aval, stride)


@lru_cache(1 << 12)
def _laid(aval: Aval, stride: tuple[int, ...]) -> View:
    return View(geometry(tuple(aval.shape), stride, 0), (), aval, stride)


# ----- unusual arguments -----


def _foreign(inputs: Sequence[Any]) -> Callable[..., Any] | None:
    return next((FOREIGN[type(x)] for x in inputs if type(x) in FOREIGN), None)


def _unusual(op: Op, inputs: Sequence[Any], statics: Any) -> Callable[[], Any] | None:
    """Another call to make instead, when an argument is of an unusual class."""
    if any(hasattr(type(x), "__torch_function__") and not isinstance(x, Tensor) for x in inputs):
        return lambda: DUCKS[0](op, inputs, statics)
    foreign = _foreign(inputs)
    if foreign is not None:
        return lambda: foreign(op, inputs, statics)
    if any(isinstance(s, Tensor) for s in statics):
        plain = tuple(_plain_static(s) for s in statics)
        return lambda: call(op, inputs, plain)
    if any(type(x) not in TENSORS and isinstance(x, Tensor) for x in inputs):
        return lambda: _of_subclasses(op, inputs, statics)
    if any(isinstance(x, np.generic) and not isinstance(x, (int, float, complex)) for x in inputs):
        plain = tuple(_plain_number(x) if isinstance(x, np.generic) else x for x in inputs)
        return lambda: call(op, plain, statics)
    return None


def _plain_number(x: np.generic) -> Any:
    return float(x) if isinstance(x, np.bool_) else x.item()  # PyTorch takes np.bool_ for a float


def _plain_static(s: Any) -> Any:
    return s.item() if isinstance(s, Tensor) else s


def _of_subclasses(op: Op, inputs: Sequence[Any], statics: Any) -> Any:
    """Subclasses of Tensor without their own `__torch_function__`: the result is a subclass too."""
    kinds = [type(x) for x in inputs if isinstance(x, Tensor) and type(x) not in TENSORS]
    # A leaf holds its accumulator weakly, and its twin does too: these keep them until the call.
    edges = [edge_of(x) for x in inputs if isinstance(x, Tensor) and x._requires_grad]
    plain = tuple(_as_base(x) for x in inputs)
    out = (call_view if op.view else call)(op, plain, statics)
    del edges
    if OVERRIDING.off:
        return out
    kinds = [k for k in kinds if getattr(k, "__torch_function__", None) is not disabled_impl]
    kind = next((k for k in kinds if all(issubclass(k, other) for other in kinds)), None)
    if kind is None:
        if kinds:
            raise ArgumentTypeError(_unrelated(op, kinds))
        return out
    for t in out if isinstance(out, tuple) else (out,):
        if isinstance(t, Tensor):
            t.__class__ = kind
    return out


def _unrelated(op: Op, kinds: Sequence[type]) -> str:
    lines = [f"  - tensor subclass {kind}" for kind in dict.fromkeys(kinds)]
    return (
        f"Multiple dispatch failed for 'torch.{op.name}'; all __torch_function__ handlers returned "
        "NotImplemented:\n\n" + "\n".join(lines) + "\n\nFor more information, try re-running with "
        "TORCH_LOGS=not_implemented"
    )


def _as_base(x: Any) -> Any:
    if not isinstance(x, Tensor) or type(x) in TENSORS:
        return x
    twin = _new(Tensor)
    fields_of(twin).update(fields_of(x))
    return twin


def _frozen(statics: Any) -> Any:
    """Static arguments with lists made tuples, so that they can be a key."""
    if isinstance(statics, (list, tuple)) and not hasattr(statics, "numel"):
        return tuple(_frozen(s) for s in statics)
    if isinstance(statics, np.ndarray):
        return _frozen(statics.tolist())
    hash(statics)
    return statics


# ----- views -----
_geometries: dict[Any, Geometry] = {}
_views: dict[Any, View] = {}  # by plan and the view looked through: equal ones are one object


def call_view(op: Op, inputs: Sequence[Any], statics: Any = ()) -> Any:
    """Call a view op: the result shares the first input's storage."""
    state = LOCAL.state
    x = inputs[0]
    if state.interposed is not None:
        return state.interposed(op, inputs, statics)
    if x.__class__ not in TENSORS:
        if hasattr(type(x), "__torch_function__") and not isinstance(x, Tensor):
            return DUCKS[0](op, inputs, statics)
        if not isinstance(x, Tensor):
            raise ArgumentTypeError(
                f"{op.name}(): argument 'input' (position 1) must be Tensor, not {type(x).__name__}"
            )
        if x.__class__ in FOREIGN:
            return FOREIGN[x.__class__](op, inputs, statics)
        return _of_subclasses(op, inputs, statics)
    numbers = inputs[1:]
    try:
        key = (statics, x._aval, *[n.__class__ for n in numbers])
        plan = op.plans.get(key)
    except TypeError:
        return call_view(op, inputs, _frozen(statics))
    if plan is None:
        unusual = _unusual(op, inputs, statics)
        if unusual is not None:
            plain = tuple(_plain_static(s) for s in statics)
            return call_view(op, inputs, plain)
        plan = op.plans[key] = _planned(op, inputs, statics)
    t = view_of(x, plan, numbers)
    base = x._base_tensor if x._base_tensor is not None else x
    if x._inference or state.inference:
        t._inference = x._inference
    if (x._requires_grad or base._requires_grad) and state.grad_enabled and plan.differentiable:
        mask = (True,) + (False,) * len(numbers)
        edges = [edge_of(x)] + [None] * len(numbers)
        values = [t._value, *numbers]
        t._grad_fn = make_node(plan, pullback_of(plan, mask), edges, inputs, values, ())
        t._requires_grad = True
    t._base_tensor = base
    t._view_version = (t._counter or t._storage).version
    if not state.grad_enabled:
        t._creation = "inference" if state.inference else "no_grad"
    elif x._creation:
        t._creation = x._creation
    return t


def view_of(x: Tensor, plan: Plan, numbers: Sequence[Any]) -> Tensor:
    """The view itself: geometry, steps, and its value while the base is as it is now."""
    view = x._view
    key = (plan, view, *numbers)
    found = _views.get(key)
    if found is None:
        if len(_views) > 1 << 14:
            _views.clear()
        found = _views[key] = _looking(x, plan, tuple(numbers))
    t = _new(Tensor)
    t._storage = storage = x._storage
    t._aval = plan.outs[0]
    t._view = found
    if x._counter is not None:
        t._counter = x._counter
    if storage.__class__ is not HostStorage or is_pinned(storage):
        t._seen = seen = storage.value
        value = seen if view is None else x._value_now()
        (t._value,) = record(plan.spec, (value, *numbers) if numbers else (value,))
    return t


def _looking(x: Tensor, plan: Plan, numbers: tuple[Any, ...]) -> View:
    """How a view of `x` looks at the memory; its plan knows the shape of what it looks at."""
    at, view, step = x.geometry(), x._view, Step(plan, numbers)
    key = (plan, at, *numbers)
    where = _geometries.get(key)
    if where is None:
        where = _geometry(plan, at, numbers)
        if len(_geometries) > 1 << 15:
            _geometries.clear()
        _geometries[key] = where
    if view is None:
        return View(where, (step,), x._aval, None)
    return View(where, (*view.steps, step), view.base_aval, view.base_stride)


def _geometry(plan: Plan, at: Geometry, numbers: Sequence[Any]) -> Geometry:
    rule = plan.op.geometry
    if rule is not None:
        shape, stride, offset = rule(at, *numbers, **plan.statics)
        return geometry(tuple(shape), tuple(stride), offset)
    return geometry_after(at, lambda a: plan.fun(a, *numbers)[0])


def _fit(grad: Tensor, aval: Aval) -> Tensor:
    """A gradient summed to its input's shape and converted to its dtype, differentiably."""
    if grad._aval.dtype is not aval.dtype:
        if grad.is_complex() and aval.dtype.category < dtypes.COMPLEX:
            grad = grad.real  # type: ignore[attr-defined]
        grad = grad.to(aval.dtype)  # type: ignore[attr-defined]
    if grad.shape != aval.shape:
        if grad.ndim < aval.ndim or grad.numel() < aval.size:
            return grad.expand(aval.shape)  # type: ignore[attr-defined]
        grad = grad.sum_to_size(tuple(aval.shape))  # type: ignore[attr-defined]
    return grad


def check_no_overlap(t: Tensor) -> None:
    """RuntimeError when two elements of a tensor about to be written share memory."""
    view = t._view
    if view is not None and not view.geometry.contiguous:
        at = view.geometry
        if any(n > 1 and s == 0 for n, s in zip(at.shape, at.stride, strict=True)):
            raise RuntimeError(OVERLAP_WRITE)


CALL.append(call)
FIT.append(_fit)

__all__ = ["NUMBERS", "call", "call_view", "check_no_overlap", "set_layout", "unseen", "view_of"]
