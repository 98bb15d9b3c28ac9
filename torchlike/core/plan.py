"""Plans: an op specialised to the avals, number classes and static arguments of one call.

A plan is made once per key and cached on the op. It holds the spec that is recorded and, per set of
inputs that require grad, the pullback (`core.pullback`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import ClosedJaxpr, jaxpr_as_fun

from . import dtypes
from .check import broadcast_shapes
from .device import CPU, META, device
from .interpret import interpreter
from .record import LOCAL, Spec, inside
from .storage import Aval, aval_of
from .tensor import Tensor

MAX_PLANS = 1 << 9  # per op; about 10 kB each, and what XLA built for it
NUMBERS = (bool, int, float, complex, np.generic)
_NUMBER_STRUCTS = {
    dtypes.BOOL: jax.ShapeDtypeStruct((), np.bool_),
    dtypes.INTEGER: jax.ShapeDtypeStruct((), np.int64),
    dtypes.FLOAT: jax.ShapeDtypeStruct((), np.float64),
    dtypes.COMPLEX: jax.ShapeDtypeStruct((), np.complex128),
}


class ArgumentTypeError(TypeError):
    """An argument is of a class the op does not take; operators turn it into NotImplemented."""


ArgumentTypeError.__name__ = ArgumentTypeError.__qualname__ = "TypeError"  # as users see it
ArgumentTypeError.__module__ = "builtins"


class _Absent:
    """Stands for an argument that was not given."""


ABSENT = _Absent()


class Op:
    """A declared op: its body, its parameters and traits, and the plans made of it so far."""

    def __init__(
        self, name: str, body: Callable[..., Any], params: Sequence[Any], **traits: Any
    ) -> None:
        self.name, self.body, self.params = name, body, tuple(params)
        self.inputs = [p for p in self.params if p.kind != "static"]
        self.statics = [p for p in self.params if p.kind == "static"]
        self.view: bool = traits.get("view", False)
        self.elementwise: bool = traits.get("elementwise", False)
        self.promote: Any = "none" if self.view else traits.get("promote", "common")
        self.differentiable: bool = traits.get("differentiable", True)
        self.node: Any = traits.get("node") or name.title().replace("_", "") + "Backward0"
        self.module: str | None = traits.get("module", "torch")
        self.put: Callable[..., Any] | None = traits.get("put")  # view: (base, value, …) -> base
        self.geometry: Callable[..., Any] | None = traits.get("geometry")
        self.bit: str | None = traits.get("bit")  # view: its own inverse on each element, by name
        self.returns: Any = traits.get("returns")
        self.cheap: bool = traits.get("view", False)
        # 16-bit floats are computed in 32 bits and rounded once; "rounded": numbers before, too
        self.opmath: bool | str = traits.get("opmath", False)
        self.arrays: bool = traits.get("arrays", False)  # its operator takes NumPy's arrays too
        self.shows: dict[str, Any] = traits.get("shows", {})  # see core.saved
        out = traits.get("out")  # `True`, or the words of `write_out`'s rule
        self.out_rule = out if isinstance(out, str) else "partly" if self.elementwise else ""
        self.formula: Callable[..., Any] | None = None
        self.formula_params: tuple[str, ...] = ()
        self.one_kernel = False  # see kernel_gradient
        self.plans: dict[tuple[Any, ...], Plan] = dtypes.Recent(MAX_PLANS)
        self.scalars: dict[Any, ClosedJaxpr] = {}
        self.scalar_pullbacks: dict[Any, Any] = {}
        self.public: Callable[..., Any] | None = None

    def gradient(self, formula: Callable[..., Any]) -> Callable[..., Any]:
        """Declare the gradient: `formula(grad, …)` over Tensors, naming what it needs saved."""
        self.formula = formula
        code = formula.__code__
        self.formula_params = code.co_varnames[: code.co_argcount]
        return formula

    def kernel_gradient(self, formula: Callable[..., Any]) -> Callable[..., Any]:
        """The same for one that is a single kernel in PyTorch: 16-bit floats are rounded once."""
        self.one_kernel = True
        return self.gradient(formula)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        assert self.public is not None
        return self.public(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<op {self.name}>"


class Plan:
    """An op at one key: what is recorded, and how it is differentiated."""

    __slots__ = (
        "op", "spec", "outs", "single", "present", "statics", "avals", "fun", "structs", "names",
        "pullbacks", "node_class", "differentiable", "scalar_key", "put_spec", "number_dtype",
        "given",
    )  # fmt: skip

    op: Op
    spec: Spec
    outs: tuple[Aval, ...]
    single: bool
    present: list[int] | None  # indices of the inputs that are not None; None when all are
    statics: dict[str, Any]
    avals: list[Any]  # per present input: its Aval, or the class of the number
    names: list[str]
    given: dict[str, Any]  # the static arguments as they were given
    number_dtype: Any  # the NumPy dtype numbers are promoted to, None: as they are


# ----- making a plan -----
def make_plan(op: Op, inputs: Sequence[Any], statics: Sequence[Any]) -> Plan:
    """Check the arguments, decide the dtypes, trace the body."""
    plan = Plan()
    plan.op = op
    per_input, count = _params_of_inputs(op, inputs, statics)
    metas = [_meta(op, p, x) for p, x in zip(per_input, inputs, strict=True)]
    where = _common_device(op, metas)
    first = next((m for m in metas if isinstance(m, Aval)), None)
    given = statics[len(statics) - len(op.statics) :]
    plan.given = dict(zip((p.name for p in op.statics), given, strict=True))
    plan.statics = _bind_statics(op, given, first)
    present = [i for i, m in enumerate(metas) if m is not None]
    plan.present = None if len(present) == len(metas) else present
    plan.avals = [metas[i] for i in present]
    plan.names = _input_names(per_input, present)
    plan.structs = [m.struct if isinstance(m, Aval) else _number_struct(m) for m in plan.avals]
    targets = _targets(op, [per_input[i] for i in present], plan.avals, plan.statics)
    narrow = targets[0] if op.opmath and targets and _is_half(targets[0]) else None
    wide = targets if narrow is None else [np.dtype(np.float32)] * len(targets)
    plan.fun = _function(op, plan.statics, per_input, present, wide, count, narrow)
    plan.pullbacks, plan.put_spec = {}, None
    plan.number_dtype = targets[0] if targets else None
    if LOCAL.state.tracing and not (LOCAL.state.vmaps or op.elementwise):
        _run_once(plan, where, [inputs[i] for i in present])
    else:
        _trace(plan, where, targets)
    plan.single = not isinstance(plan.outs, tuple) or (len(plan.outs) == 1 and op.returns is None)
    node = op.node(plan.statics) if callable(op.node) else op.node
    plan.node_class = node
    plan.differentiable = op.differentiable and any(
        a.dtype.category >= dtypes.FLOAT for a in plan.outs
    )
    return plan


def _params_of_inputs(
    op: Op, inputs: Sequence[Any], statics: Sequence[Any]
) -> tuple[list[Any], int]:
    """The parameter each flat input belongs to; the length of the tensor list, if there is one."""
    if not any(p.kind == "tensors" for p in op.inputs):
        return list(op.inputs), -1
    count = statics[0]
    found: list[Any] = []
    for p in op.inputs:
        found += [p] * count if p.kind == "tensors" else [p]
    return found, count


def _meta(op: Op, p: Any, x: Any) -> Any:
    """What a plan depends on of one input: its Aval, the class of a number, or None."""
    if isinstance(x, Tensor):
        return x._aval
    if x is None and p.optional:
        return None
    if isinstance(x, NUMBERS) and p.kind in ("operand", "number"):
        if isinstance(x, int) and not -(1 << 63) <= x < 1 << 63 and not isinstance(x, bool):
            raise OverflowError("int too big to convert")
        return x.__class__
    raise ArgumentTypeError(
        f"{op.name}(): argument '{p.name}' (position {p.position + 1}) must be "
        f"{p.expects}, not {type(x).__name__}"
    )


def _input_names(params: list[Any], present: list[int]) -> list[str]:
    names: list[str] = []
    for i in present:
        p = params[i]
        names.append(f"{p.name}{i - params.index(p)}" if p.kind == "tensors" else p.name)
    return names


def _common_device(op: Op, metas: list[Any]) -> device:
    found: device | None = None
    for m in metas:
        if not isinstance(m, Aval) or m.device is found:
            continue
        if found is None:
            found, ndim = m.device, m.ndim
        elif m.ndim == 0 and m.device is CPU:
            continue
        elif ndim == 0 and found is CPU:
            found, ndim = m.device, m.ndim
        elif META in (found, m.device):
            raise RuntimeError(
                f"Tensor on device {_named(m.device)} is not on the expected device "
                f"{_named(found)}!"
            )
        else:
            raise RuntimeError(
                "Expected all tensors to be on the same device, but found at least two devices, "
                f"{_named(found)} and {_named(m.device)}!"
            )
    return found or CPU


def _named(where: device) -> str:
    return str(where)


def _bind_statics(op: Op, values: Sequence[Any], first: Aval | None) -> dict[str, Any]:
    bound = {}
    for p, x in zip(op.statics, values, strict=True):
        if x is ABSENT:
            raise ArgumentTypeError(f"{op.name}() missing 1 required argument: '{p.name}'")
        if x is None and p.demanded and op.module is not None:
            raise ArgumentTypeError(f"{op.name}(): argument '{p.name}' must not be None")
        bound[p.name] = p.coerce(x, first, op) if p.coerce is not None else x
    return bound


def _number_struct(kind: type) -> Any:
    return _NUMBER_STRUCTS[dtypes.of_number(kind).category]


# ----- promotion -----
def _targets(op: Op, params: list[Any], metas: list[Any], statics: dict[str, Any]) -> list[Any]:
    """The NumPy dtype each present input is converted to before the body; None: as it is."""
    rule = op.promote
    common: Any
    if rule == "none":
        return [None] * len(metas)
    if callable(rule):
        common = rule(metas, statics)
    else:
        common = _common_dtype(op, params, metas)
        if rule == "float" and common is not None and common.category <= dtypes.INTEGER:
            common = dtypes.get_default_dtype()
    if common is None:
        return [None] * len(metas)
    return [dtypes.to_numpy(common)] * len(metas)


def _common_dtype(op: Op, params: list[Any], metas: list[Any]) -> dtypes.dtype | None:
    tensors, zero_dims, numbers = [], [], []
    for p, m in zip(params, metas, strict=True):
        if p.kind == "number":
            continue
        if isinstance(m, Aval):
            (tensors if m.ndim else zero_dims).append(m.dtype)
        else:
            numbers.append(dtypes.of_number(m))
    if not (tensors or zero_dims or numbers):
        return None
    return dtypes.combine(tensors, zero_dims, numbers)


# ----- the body as a function of flat arrays -----
def _function(
    op: Op, statics: dict[str, Any], per_input: list[Any], present: list[int], targets: list[Any],
    count: int, narrow: Any = None,
) -> Callable[..., list[Any]]:  # fmt: skip
    """`targets` are the dtypes the inputs are converted to, `narrow` the results' if another."""
    body, total = op.body, len(per_input)
    dtype_of = dict(zip(present, targets, strict=True))
    first = narrow if op.opmath == "rounded" else None

    def fun(*arrays: Any) -> list[Any]:
        flat: list[Any] = [None] * total
        for i, a in zip(present, arrays, strict=True):
            target = dtype_of[i]
            if first is not None:
                a = convert(a, first)
            flat[i] = a if target is None or a.dtype == target else convert(a, target)
        out = body(*_group(op, flat, count, statics), **_keywords(op, flat, statics))
        outs = list(out) if isinstance(out, (tuple, list)) else [out]
        return outs if narrow is None else [convert(o, narrow) for o in outs]

    return fun


def _is_half(kind: Any) -> bool:
    return kind is not None and kind.itemsize == 2 and jnp.issubdtype(kind, jnp.floating)


def convert(a: Any, target: Any) -> Any:
    if np.issubdtype(a.dtype, np.complexfloating) and not np.issubdtype(target, np.complexfloating):
        a = a.real
    return a.astype(target)


def _group(op: Op, flat: list[Any], count: int, statics: dict[str, Any]) -> list[Any]:
    """Positional arguments of the body, in its order: list parameters gathered again."""
    args, at = [], 0
    for p in op.params:
        if p.keyword_only:
            continue
        if p.kind == "static":
            args.append(statics[p.name])
        elif p.kind == "tensors":
            args.append(tuple(flat[at : at + count]))
            at += count
        else:
            args.append(flat[at])
            at += 1
    return args


def _keywords(op: Op, flat: list[Any], statics: dict[str, Any]) -> dict[str, Any]:
    found = {}
    at = len(flat) - sum(p.keyword_only and p.kind != "static" for p in op.params)
    for p in op.params:
        if p.keyword_only:
            if p.kind == "static":
                found[p.name] = statics[p.name]
            else:
                found[p.name] = flat[at]
                at += 1
    return found


# ----- tracing -----
def _trace(plan: Plan, where: device, targets: list[Any]) -> None:
    op = plan.op
    plan.scalar_key = None
    if op.elementwise:
        _trace_elementwise(plan, where, targets)
        return
    closed = trace(plan.fun, plan.structs)
    plan.outs = _out_avals(closed.out_avals, where)
    plan.spec = Spec(
        op.name, plan.outs, jaxpr_as_fun(closed), lambda: interpreter(closed), where, op.cheap
    )


def _run_once(plan: Plan, where: device, inputs: Sequence[Any]) -> None:
    """Inside a transform the body runs anyhow: what it gives tells the avals, and it needs no trace
    of its own (1 to 2 ms) unless the op is recorded later. The call that asked gets these results.
    """
    fun, structs, op = plan.fun, plan.structs, plan.op
    arrays = [inside(x._value_now() if isinstance(x, Tensor) else x) for x in inputs]
    plan.scalar_key = None
    outs = fun(*arrays)
    plan.outs = _out_avals(outs, where)
    ready = [(arrays, outs)]

    def run(*given: Any) -> list[Any]:
        if ready:
            met, found = ready.pop()
            if all(a is b for a, b in zip(met, given, strict=True)):
                return found
        return fun(*given)

    def make_interpret() -> Any:
        return interpreter(trace(fun, structs))

    plan.spec = Spec(op.name, plan.outs, run, make_interpret, where, op.cheap)


def _out_avals(outs: Sequence[Any], where: device) -> tuple[Aval, ...]:
    return tuple(aval_of(tuple(o.shape), dtypes.from_numpy(o.dtype), where) for o in outs)


def trace(fun: Callable[..., Any], structs: Sequence[Any]) -> ClosedJaxpr:
    """The jaxpr of a function; JAX keeps nothing of it, for what it traced is gone then."""
    return jax.make_jaxpr(lambda *arrays: fun(*arrays))(*structs)


def scalar_struct(struct: Any) -> Any:
    return jax.ShapeDtypeStruct((), struct.dtype)


def _trace_elementwise(plan: Plan, where: device, targets: list[Any]) -> None:
    """Trace at shape () once per dtypes; NumPy's broadcasting then runs it at any shape."""
    op = plan.op
    kinds = tuple(s.dtype for s in plan.structs)
    key = (kinds, tuple(targets), tuple(plan.names), tuple(plan.statics.values()))
    plan.scalar_key = key
    shape = broadcast_shapes(*[m.shape for m in plan.avals if isinstance(m, Aval)] or [()])
    closed = op.scalars.get(key)
    if closed is None:
        closed = op.scalars[key] = trace(plan.fun, [*map(scalar_struct, plan.structs)])
    plan.outs = tuple(aval_of(shape, dtypes.from_numpy(o.dtype), where) for o in closed.out_avals)
    fun = plan.fun

    def broadcasting(*arrays: Any) -> list[Any]:
        return [jnp.broadcast_to(o, shape) for o in fun(*arrays)]

    plan.spec = Spec(op.name, plan.outs, broadcasting, lambda: interpreter(closed), where)
