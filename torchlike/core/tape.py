"""Autograd's graph and engine: nodes, edges, hooks, accumulation, backward.

Nodes hold Values, never Tensors, and tensors hold nodes: no reference cycle keeps dead values
alive. The engine walks in PyTorch's order (latest node first) and records one pullback per node.
"""

from __future__ import annotations

import functools
import heapq
import inspect
import itertools
import re
import warnings
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from .check import BACKWARD_TWICE, INFERENCE_SAVED

from .hooks import RemovableHandle
from .plan import Op, Plan, Pullback, call_formula
from .record import LOCAL, Spec, number_array, record

from .storage import Aval, Value, host_value
from .tensor import TENSORS, Tensor, alias_of, counter_of, wrap

_sequence = itertools.count().__next__
LAST = (1 << 64) - 1  # AccumulateGrad's sequence number: it runs as soon as it can
Edge = tuple["Node", int] | None


# ----- grad modes -----
class _GradMode:
    """A context manager and decorator that sets the thread's grad mode."""

    grad_enabled = True
    inference: bool | None = None

    def __init__(self) -> None:
        self._saved: list[tuple[bool, bool]] = []

    def __new__(cls, function: Any = None, *args: Any, **kwargs: Any) -> Any:
        made = super().__new__(cls)
        if callable(function) and not isinstance(function, bool):
            made._saved = []
            made.__init__()
            return made(function)
        return made

    def __enter__(self) -> None:
        state = LOCAL.state
        self._saved.append((state.grad_enabled, state.inference))
        state.grad_enabled = self.grad_enabled
        if self.inference is not None:
            state.inference = self.inference

    def __exit__(self, *_: object) -> None:
        state = LOCAL.state
        state.grad_enabled, state.inference = self._saved.pop()

    def clone(self) -> _GradMode:
        return self.__class__()

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.isclass(function):
            warnings.warn(
                "Decorating classes is deprecated and will be disabled in future versions. You "
                "should only decorate functions or methods. To preserve the current behavior of "
                "class decoration, you can directly decorate the `__init__` method and nothing "
                "else.",
                FutureWarning,
                stacklevel=2,
            )
            function.__init__ = self(function.__init__)  # type: ignore[misc]
            return function
        if inspect.isgeneratorfunction(function):
            return _wrap_generator(self, function)

        @functools.wraps(function)
        def inside(*args: Any, **kwargs: Any) -> Any:
            with self.clone():
                return function(*args, **kwargs)

        return inside


def _wrap_generator(mode: _GradMode, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def inside(*args: Any, **kwargs: Any) -> Any:
        generator = function(*args, **kwargs)
        resume, payload = generator.send, None
        try:
            while True:
                with mode.clone():
                    try:
                        item = resume(payload)
                    except StopIteration as stop:
                        return stop.value
                try:
                    payload = yield item
                    resume = generator.send
                except GeneratorExit:
                    raise
                except BaseException as error:  # noqa: BLE001: handed into the generator
                    resume, payload = generator.throw, error
        finally:
            with mode.clone():
                generator.close()

    return inside


class no_grad(_GradMode):
    """Inside, results do not require grad."""

    grad_enabled = False


class enable_grad(_GradMode):
    """Inside, gradients are recorded, also within `no_grad`."""


class inference_mode(_GradMode):
    """Like `no_grad`, and tensors made inside can never take part in autograd."""

    def __new__(cls, mode: Any = True) -> Any:
        if callable(mode) and not isinstance(mode, bool):
            return cls()(mode)
        return object.__new__(cls)

    def __init__(self, mode: bool = True) -> None:
        super().__init__()
        self.inference, self.grad_enabled = mode, not mode

    def __enter__(self) -> None:
        super().__enter__()
        if not self.inference:
            LOCAL.state.grad_enabled = True

    def clone(self) -> inference_mode:
        return inference_mode(bool(self.inference))


class set_grad_enabled(_GradMode):
    """Set the grad mode at once; as a context manager, put it back afterwards."""

    def __new__(cls, mode: bool) -> Any:
        return object.__new__(cls)

    def __init__(self, mode: bool) -> None:
        super().__init__()
        self.mode = self.grad_enabled = bool(mode)
        state = LOCAL.state
        self._saved.append((state.grad_enabled, state.inference))
        state.grad_enabled = self.mode

    def __enter__(self) -> None:
        LOCAL.state.grad_enabled = self.mode

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        LOCAL.state.grad_enabled, _ = self._saved[-1]
        return super().__call__(function)

    def clone(self) -> set_grad_enabled:
        return set_grad_enabled(self.mode)


def is_grad_enabled() -> bool:
    """Whether this thread records gradients."""
    return LOCAL.state.grad_enabled


def is_inference_mode_enabled() -> bool:
    """Whether this thread is in inference mode."""
    return LOCAL.state.inference


# ----- nodes -----
class Node:
    """A step of the backward graph: `name()`, `next_functions`, hooks, saved values."""

    edges: tuple[Edge, ...] = ()
    seq: int = 0
    outs: tuple[Aval, ...] = ()
    tensor_hooks: Any = None  # {output: {id: hook}}
    prehooks: Any = None
    posthooks: Any = None
    retains: Any = None  # {output: weakref to the tensor that retains its grad}
    _metadata: Any = None
    __hash__ = object.__hash__

    def name(self) -> str:
        """The node's name."""
        name = type(self).__name__
        return "torch::autograd::" + name if name in _CPP_NAMES else name

    def __repr__(self) -> str:
        return f"<{type(self).__name__} object at {hex(id(self))}>"

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """The nodes the gradients flow on to, with the number of their output."""
        return tuple((None, 0) if e is None else e for e in self.visible_edges())

    def visible_edges(self) -> Sequence[Edge]:
        return self.edges

    @property
    def metadata(self) -> dict[Any, Any]:
        """A dict for the user's own notes."""
        if self._metadata is None:
            self._metadata = {}
        return self._metadata

    def _sequence_nr(self) -> int:
        return self.seq

    def register_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(grad_inputs, grad_outputs)` after the node has run; it may replace grads."""
        if self.posthooks is None:
            self.posthooks = OrderedDict()
        return _register(self.posthooks, hook)

    def register_prehook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(grad_outputs)` before the node runs; it may replace them."""
        if self.prehooks is None:
            self.prehooks = OrderedDict()
        return _register(self.prehooks, hook)

    def release(self) -> None:
        """Forget saved values: the graph can't be walked again."""

    def __call__(self, *grads: Any) -> Any:
        found = self.apply_tensors(list(grads))
        return found[0] if len(found) == 1 else tuple(found)

    def apply_values(self, grads: list[Any]) -> list[Any]:
        """The gradients for the edges, from the outputs' gradients."""
        tensors = [None if g is None else wrap(g) for g in grads]
        return [None if t is None else t._value_now() for t in self.apply_tensors(tensors)]

    def apply_tensors(self, grads: list[Any]) -> list[Any]:
        raise NotImplementedError(type(self).__name__)


def _register(hooks: dict[int, Any], hook: Callable[..., Any]) -> RemovableHandle:
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    return handle


class OpNode(Node):
    """The node of a declared op: its pullback, the values it needs, their versions."""

    plan: Plan
    pullback: Pullback
    saved: tuple[Any, ...] | None  # needed inputs, then needed results
    versions: list[tuple[Any, int, int]]  # counter, version when saved, position in `saved`
    tensors_saved: bool

    @property
    def outs(self) -> tuple[Aval, ...]:  # type: ignore[override]
        return self.plan.outs

    def visible_edges(self) -> Sequence[Edge]:
        kinds = {p.name: p.kind for p in self.plan.op.inputs}
        names = self.plan.names
        return [
            e for e, n in zip(self.edges, names, strict=True) if kinds.get(n, "tensors") != "number"
        ]

    def release(self) -> None:
        if self.tensors_saved:
            self.saved = None
            self.versions = []

    def unpack(self) -> tuple[Any, ...]:
        """The saved values; RuntimeError if they were freed or written to since."""
        saved = self.saved
        if saved is None:
            raise RuntimeError(BACKWARD_TWICE)
        for counter, version, at in self.versions:
            if counter.version != version:
                raise RuntimeError(_modified(self, at, counter.version, version))
        return saved

    def apply_values(self, grads: list[Any]) -> list[Any]:
        pull = self.pullback
        inputs = list(self.unpack())
        for i in pull.grads:
            g = grads[i]
            inputs.append(zeros(self.plan.outs[i]) if g is None else g)
        outs = record(pull.spec, inputs)
        if len(outs) == len(self.edges):
            return outs
        found: list[Any] = [None] * len(self.edges)
        for at, o in zip(pull.targets, outs, strict=True):
            found[at] = o
        return found

    def apply_tensors(self, grads: list[Any]) -> list[Any]:
        given = [wrap(zeros(a)) if g is None else g for g, a in zip(grads, self.plan.outs, strict=True)]
        inputs, results = self.saved_tensors()
        if self.plan.op.formula is not None:
            found = call_formula(self.plan, inputs, results, given)
            return [self._fit(found[i], i) if e is not None else None for i, e in enumerate(self.edges)]
        return self._differentiable_pullback(inputs, results, given)

    def _fit(self, grad: Any, i: int) -> Any:
        aval = self.plan.avals[i]
        if grad is None:
            return wrap(zeros(aval))
        if grad._aval is not aval:
            grad = FIT[0](grad, aval)
        return grad

    def _differentiable_pullback(
        self, inputs: list[Any], results: list[Any], grads: list[Any]
    ) -> list[Any]:
        pull = self.pullback
        op = _op_of_pullback(self)
        args = [inputs[i] for i in pull.inputs] + [results[i] for i in pull.results]
        outs = CALL[0](op, (*args, *[grads[i] for i in pull.grads]))
        outs = outs if isinstance(outs, tuple) else (outs,)
        found: list[Any] = [None] * len(self.edges)
        for at, o in zip(pull.targets, outs, strict=True):
            found[at] = o
        return found

    def saved_tensors(self) -> tuple[list[Any], list[Any]]:
        """Inputs and results as tensors that remember their history; fillers where not saved."""
        saved = self.unpack()
        pull, n = self.pullback, len(self.pullback.inputs)
        inputs: list[Any] = [_filler(a) for a in self.plan.avals]
        for at, v in zip(pull.inputs, saved[:n], strict=True):
            inputs[at] = v if v.__class__ is not Value else _with_history(v, self.edges[at])
        results: list[Any] = [_filler(a) for a in self.plan.outs]
        for at, v in zip(pull.results, saved[n:], strict=True):
            results[at] = _with_history(v, (self, at))
        return inputs, results

    # ----- what `grad_fn._saved_self` and its like show -----
    def saved_names(self) -> dict[str, Any]:
        """What PyTorch would call each saved thing: name -> index into `saved`, or a static value."""
        pull, n = self.pullback, len(self.pullback.inputs)
        found: dict[str, Any] = {}
        for k, at in enumerate(pull.inputs):
            name = self.plan.names[at]
            found[_saved_name(name)] = k
        for k, at in enumerate(pull.results):
            suffix = str(at) if len(self.plan.outs) > 1 else ""
            found["result" + suffix] = n + k
        return found

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_saved_") and not name.startswith("_raw_saved_"):
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
        key = name.split("_saved_", 1)[1]
        names = self.saved_names()
        if key in names:
            return self._saved_item(names[key])
        statics = {_saved_name(k): v for k, v in self.plan.statics.items()}
        if key in statics:
            return statics[key]
        if key == "self_sym_sizes":
            return tuple(self.plan.avals[0].shape)
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def _saved_item(self, at: int) -> Any:
        if self.saved is None:
            raise RuntimeError(BACKWARD_TWICE)
        inputs, results = self.saved_tensors()
        pull, n = self.pullback, len(self.pullback.inputs)
        found = inputs[pull.inputs[at]] if at < n else results[pull.results[at - n]]
        if isinstance(found, Tensor) or self.plan.op.formula is None:
            return found
        kinds = {p.name: p.kind for p in self.plan.op.inputs}
        is_operand = kinds.get(self.plan.names[pull.inputs[at]]) == "operand"
        return wrap(host_value(number_array(found))) if is_operand else found

    def __dir__(self) -> list[str]:
        names = ["_saved_" + n for n in [*self.saved_names(), *map(_saved_name, self.plan.statics)]]
        return sorted({*object.__dir__(self), *names})


def _filler(a: Any) -> Any:
    """Stands for a value that was not saved: what is computed from it is not asked for."""
    return wrap(zeros(a)) if isinstance(a, Aval) else 0


def apply_node(node: Node, grads: list[Any]) -> list[Any]:
    """Run one node on Tensors, recording history only where grad mode asks for it."""
    if LOCAL.state.grad_enabled:
        return node.apply_tensors(grads)
    found = node.apply_values([None if g is None else g._value_now() for g in grads])
    return [None if v is None else wrap(v) for v in found]


def _saved_name(name: str) -> str:
    return "self" if name == "input" else name


def _with_history(v: Value, edge: Edge) -> Tensor:
    if edge is not None and isinstance(edge[0], AccumulateGrad):
        return edge[0].variable
    t = wrap(v)
    if edge is not None:
        t._grad_fn, t._out_nr, t._requires_grad = edge[0], edge[1], True
    return t


def _modified(node: OpNode, at: int, now: int, before: int) -> str:
    n = len(node.pullback.inputs)
    if at < n:
        i = node.pullback.inputs[at]
        aval, edge = node.plan.avals[i], node.edges[i]
        if edge is not None and isinstance(edge[0], AccumulateGrad):
            edge = None
    else:
        i = node.pullback.results[at - n]
        aval, edge = node.plan.outs[i], (node, i)
    whence = "" if edge is None else f", which is output {edge[1]} of {_short_name(edge[0])},"
    name = aval.dtype.legacy or "Tensor"
    where = "cuda." if aval.device.type == "cuda" else ""
    return (
        "one of the variables needed for gradient computation has been modified by an inplace "
        f"operation: [torch.{where}{name} {list(aval.shape)}]{whence} is at version {now}; expected "
        f"version {before} instead. Hint: enable anomaly detection to find the operation that "
        "failed to compute its gradient, with torch.autograd.set_detect_anomaly(True, check_nan=False)."
    )


def _short_name(node: Node) -> str:
    """The op a node is of, as PyTorch's messages name it: `Exp` for `ExpBackward0`."""
    if isinstance(node, OpNode) and node.plan.op.view:
        return "AsStrided"  # a view whose base was written to has been regenerated
    return re.sub(r"Backward\d*$", "", node.name())


def _op_of_pullback(node: OpNode) -> Op:
    """The pullback as an op, so that it can be differentiated again."""
    pull = node.pullback
    op = PULLBACK_OPS.get(pull)
    if op is None:
        count = len(pull.inputs) + len(pull.results) + len(pull.grads)
        fun = pull.spec.fun
        params = [_PullbackParam(f"a{i}", i) for i in range(count)]
        op = Op(
            node.plan.op.name + "_backward", lambda *arrays: tuple(fun(*arrays)), params,
            promote="none", module=None, node=type(node).__name__[:-1] + "Backward0",
            returns=tuple if len(pull.targets) > 1 else None,
        )  # fmt: skip
        PULLBACK_OPS[pull] = op
    return op


class _PullbackParam:
    kind, optional, keyword_only, coerce, expects = "operand", False, False, None, "Tensor"

    def __init__(self, name: str, position: int) -> None:
        self.name, self.position = name, position


PULLBACK_OPS: weakref.WeakKeyDictionary[Pullback, Op] = weakref.WeakKeyDictionary()
GRAD_FN: list[Callable[..., Any]] = []  # core.history puts its grad_fn property here
CALL: list[Callable[..., Any]] = []  # core.dispatch puts its `call` here
FIT: list[Callable[..., Any]] = []  # … and a differentiable sum-to-shape-and-dtype here
_node_classes: dict[str, type[OpNode]] = {}


def node_class(name: str) -> type[OpNode]:
    """The class of nodes with this name (`AddBackward0`)."""
    found = _node_classes.get(name)
    if found is None:
        found = _node_classes[name] = type(name, (OpNode,), {"__module__": "torch.autograd"})
    return found


class AccumulateGrad(Node):
    """The node at a leaf: adds what arrives to `variable.grad`."""

    seq = LAST
    variable: Tensor

    @property
    def outs(self) -> tuple[Aval, ...]:  # type: ignore[override]
        return (self.variable._aval,)

    def apply_values(self, grads: list[Any]) -> list[Any]:
        (g,) = grads
        variable = self.variable
        if g is not None:
            have = variable._grad
            if have is None:
                variable._grad = wrap(g)
            elif have._view is None and have._counter is None:
                storage = have._storage
                storage.value = record(sum_spec(g.aval), (storage.value, g))[0]
                storage.version += 1
            else:
                have.add_(wrap(g))
        self._post(variable)
        return []

    def apply_tensors(self, grads: list[Any]) -> list[Any]:
        (g,) = grads
        variable = self.variable
        if g is not None:
            have = variable._grad
            variable._grad = wrap(zeros(g._aval)).copy_(g) if have is None else have + g
        self._post(variable)
        return []

    def _post(self, variable: Tensor) -> None:
        if variable._post_hooks:
            for hook in list(variable._post_hooks.values()):
                hook(variable)


_CPP_NAMES = {"AccumulateGrad", "CopySlices", "CopyBackwards"}  # PyTorch's own classes: name() has their namespace


class FunctionNode(Node):
    """A node whose backward is a Python function over Tensors, one gradient per edge."""

    function: Callable[..., Sequence[Any]] | None

    def apply_tensors(self, grads: list[Any]) -> list[Any]:
        if self.function is None:
            raise RuntimeError(BACKWARD_TWICE)
        return list(self.function(*grads))


def function_node(
    name: str, function: Callable[..., Any], edges: Iterable[Edge], outs: Sequence[Aval]
) -> FunctionNode:
    """A node called `name` that runs a Python function over Tensors."""
    cls = _function_classes.get(name)
    if cls is None:
        cls = _function_classes[name] = type(name, (FunctionNode,), {"outs": ()})
    node = cls()
    node.function, node.edges, node.outs = function, tuple(edges), tuple(outs)
    node.seq = _sequence()
    return node


_function_classes: dict[str, type[FunctionNode]] = {}


def edge_of(t: Tensor) -> Edge:
    """Where a tensor's gradient goes: its grad_fn, or its AccumulateGrad if it is a leaf."""
    base = t._base_tensor
    if base is not None and base._requires_grad:
        node = GRAD_FN[0](t)
    elif not t._requires_grad:
        return None
    else:
        node = t._grad_fn
    if node is not None:
        return (node, t._out_nr)
    return (accumulator_of(t), 0)


def accumulator_of(t: Tensor) -> AccumulateGrad:
    """The leaf's AccumulateGrad; the tensor holds it weakly, as in PyTorch."""
    ref = t._accumulator
    node = None if ref is None else ref()
    if node is None:
        node = AccumulateGrad()
        node.variable = t
        t._accumulator = weakref.ref(node)
    return node


def make_node(
    plan: Plan, pull: Pullback, edges: list[Edge], inputs: Sequence[Any], values: Sequence[Any],
    outs: Sequence[Value],
) -> OpNode:  # fmt: skip
    """The node of one call; `inputs` are the tensors and numbers, `values` what they hold."""
    cls = plan.node_class
    if cls.__class__ is str:
        cls = plan.node_class = node_class(cls)
    node = cls()
    node.plan, node.pullback, node.edges = plan, pull, edges
    node.seq = _sequence()
    saved, versions = [], []
    for i in pull.inputs:
        t = inputs[i]
        if t.__class__ in TENSORS or isinstance(t, Tensor):
            if t._inference:
                raise RuntimeError(INFERENCE_SAVED)
            counter = t._storage if t._counter is None else t._counter
            versions.append((counter, counter.version, len(saved)))
        saved.append(values[i])
    for i in pull.results:
        saved.append(outs[i])
    node.saved, node.versions = saved, versions
    node.tensors_saved = bool(versions or pull.results)
    return node


# ----- small programs of the engine's own -----
_sums: dict[Aval, Spec] = {}
_fills: dict[tuple[Aval, int], Spec] = {}


def sum_spec(a: Aval) -> Spec:
    """The op that adds two gradients."""
    found = _sums.get(a)
    if found is None:
        found = _sums[a] = Spec(
            "accumulate", (a,), lambda x, y: [x + y], lambda: lambda x, y: [x + y], a.device
        )
    return found


def filled(a: Aval, number: int) -> Value:
    """A value of zeros or ones."""
    spec = _fills.get((a, number))
    if spec is None:
        spec = _fills[a, number] = Spec(
            ("zeros", "ones")[number], (a,), lambda: [jnp.full(a.shape, number, a.np)],
            lambda: lambda: [np.full(a.shape, number, a.np)], a.device,
        )  # fmt: skip
    return record(spec, ())[0]


def zeros(a: Aval) -> Value:
    """A value of zeros."""
    return filled(a, 0)


# ----- the engine -----
def execute(
    roots: Sequence[tuple[Node, int]], grads: Sequence[Any], keep: bool, create: bool,
    capture: dict[Node, dict[int, int]] | None = None, only: bool = False,
) -> dict[int, Any]:  # fmt: skip
    """Walk the graph. `capture` maps node -> {output: key} of gradients to return; with `only`
    nothing is accumulated but what was captured."""
    state = LOCAL.state
    saved_mode = state.grad_enabled
    state.grad_enabled = create
    try:
        return _Run(keep, create, capture or {}, only).run(roots, grads)
    finally:
        state.grad_enabled = saved_mode


class _Run:
    """One backward pass."""

    def __init__(self, keep: bool, create: bool, capture: dict[Node, dict[int, int]], only: bool):
        self.keep, self.create, self.capture, self.only = keep, create, capture, only
        self.buffers: dict[Node, list[Any]] = {}
        self.captured: dict[int, Any] = {}
        self.needed: set[Node] | None = None

    def run(self, roots: Sequence[tuple[Node, int]], grads: Sequence[Any]) -> dict[int, Any]:
        waiting = _dependencies([node for node, _ in roots])
        if self.only:
            self.needed = _leading_to(self.capture, waiting)
        buffers = self.buffers
        heap: list[tuple[int, int, Node]] = []
        count = 0
        for (node, nr), g in zip(roots, grads, strict=True):
            self.add(node, nr, g)
        for node in dict.fromkeys(node for node, _ in roots):
            if waiting[node] == 0:
                heapq.heappush(heap, (-node.seq, count, node))
                count += 1
        while heap:
            node = heapq.heappop(heap)[2]
            found = self.visit(node, buffers.pop(node, None))
            for edge, g in zip(node.edges, found, strict=False):
                if edge is None:
                    continue
                target, nr = edge
                if g is not None:
                    self.add(target, nr, g)
                waiting[target] -= 1
                if waiting[target] == 0:
                    heapq.heappush(heap, (-target.seq, count, target))
                    count += 1
        return self.captured

    def add(self, node: Node, nr: int, g: Any) -> None:
        buffer = self.buffers.get(node)
        if buffer is None:
            buffer = self.buffers[node] = [None] * max(len(node.outs), nr + 1)
        have = buffer[nr]
        if have is None:
            buffer[nr] = g
        elif self.create:
            buffer[nr] = have + g
        else:
            buffer[nr] = record(sum_spec(have.aval), (have, g))[0]

    def visit(self, node: Node, grads: list[Any] | None) -> list[Any]:
        nothing: list[Any] = [None] * len(node.edges)
        if grads is None:
            return nothing
        if node.tensor_hooks or node.prehooks or node.retains or _leaf_hooks(node):
            grads = self.before(node, grads)
        wanted = self.capture.get(node)
        if wanted is not None:
            for nr, key in wanted.items():
                self.captured[key] = grads[nr]
        if self.needed is not None and (node not in self.needed or isinstance(node, AccumulateGrad)):
            return nothing
        if all(g is None for g in grads):
            return nothing
        found = node.apply_tensors(grads) if self.create else node.apply_values(grads)
        if node.posthooks:
            found = self.after(node, found, grads)
        if not self.keep:
            node.release()
        return found

    def before(self, node: Node, grads: list[Any]) -> list[Any]:
        tensors = [self.tensor(g) for g in grads]
        for nr, hooks in _all_tensor_hooks(node):
            for hook in list(hooks.values()):
                if tensors[nr] is not None:
                    new = hook(tensors[nr])
                    if new is not None:
                        tensors[nr] = _checked_hook_result(new, tensors[nr])
        for hook in list((node.prehooks or {}).values()):
            new = hook(tuple(tensors))
            if new is not None:
                tensors = list(new) if isinstance(new, (tuple, list)) else [new]
        for nr, ref in (node.retains or {}).items():
            t = ref()
            if t is not None and tensors[nr] is not None:
                g = tensors[nr]
                t._grad = (g if self.create else alias_of(g)) if t._grad is None else t._grad + g
        return [self.carrier(t) for t in tensors]

    def after(self, node: Node, found: list[Any], grads: list[Any]) -> list[Any]:
        given = tuple(self.tensor(g) for g in grads)
        for hook in list(node.posthooks.values()):
            new = hook(tuple(self.tensor(g) for g in found), given)
            if new is not None:
                found = [self.carrier(t) for t in (new if isinstance(new, (tuple, list)) else (new,))]
        return found

    def tensor(self, g: Any) -> Any:
        return g if g is None or self.create else wrap(g)

    def carrier(self, t: Any) -> Any:
        return t if t is None or self.create else t._value_now()


def _leaf_hooks(node: Node) -> bool:
    return node.__class__ is AccumulateGrad and bool(node.variable._hooks)  # type: ignore[attr-defined]


def _all_tensor_hooks(node: Node) -> list[tuple[int, dict[int, Any]]]:
    if _leaf_hooks(node):
        return [(0, node.variable._hooks)]  # type: ignore[attr-defined]
    return list((node.tensor_hooks or {}).items())


def _checked_hook_result(new: Any, old: Tensor) -> Tensor:
    if not isinstance(new, Tensor):
        raise TypeError(f"expected Variable, but hook returned '{type(new).__name__}'")
    if new.shape != old.shape:
        raise RuntimeError(
            f"hook '<lambda>' has changed the size of value"
        )
    return new


def _dependencies(roots: Iterable[Node]) -> dict[Node, int]:
    """How many edges lead to each node that can be reached."""
    waiting: dict[Node, int] = {}
    stack = []
    for node in roots:
        if node not in waiting:
            waiting[node] = 0
            stack.append(node)
    while stack:
        for edge in stack.pop().edges:
            if edge is not None:
                node = edge[0]
                if node in waiting:
                    waiting[node] += 1
                else:
                    waiting[node] = 1
                    stack.append(node)
    return waiting


def _leading_to(targets: Iterable[Node], reachable: dict[Node, int]) -> set[Node]:
    """The nodes from which one of `targets` can be reached (not the targets themselves)."""
    sources: dict[Node, list[Node]] = {}
    for node in reachable:
        for edge in node.edges:
            if edge is not None:
                sources.setdefault(edge[0], []).append(node)
    found: set[Node] = set()
    stack = list(targets)
    while stack:
        for node in sources.get(stack.pop(), ()):
            if node not in found:
                found.add(node)
                stack.append(node)
    return found
