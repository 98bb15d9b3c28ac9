"""Autograd's graph: nodes, edges, hooks, saved values, accumulation.

Nodes hold Values, never Tensors, and tensors hold nodes: no reference cycle keeps dead values
alive. `core.engine` walks the graph.
"""

from __future__ import annotations

import itertools
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from .check import BACKWARD_TWICE, DETACHED_SAVED
from .dtypes import COMPLEX, FLOAT
from .fills import filled as filled
from .fills import sum_spec as sum_spec
from .fills import zeros as zeros
from .gradmode import enable_grad as enable_grad
from .gradmode import inference_mode as inference_mode
from .gradmode import is_grad_enabled as is_grad_enabled
from .gradmode import is_inference_mode_enabled as is_inference_mode_enabled
from .gradmode import no_grad as no_grad
from .gradmode import set_grad_enabled as set_grad_enabled
from .hooks import RemovableHandle
from .node_text import AS_STRIDED
from .node_text import modified_text as modified_text
from .packed import Packed as Packed
from .packed import SavedTensor
from .plan import Op, Plan
from .pullback import Pullback, call_formula
from .record import LOCAL, number_array, record
from .saved import in_order, order_of, saved_names
from .storage import Aval, Value, host_value, let_go
from .tensor import FOREIGN, Counter, Tensor, wrap

sequence_number = itertools.count().__next__
LAST = (1 << 64) - 1  # AccumulateGrad's sequence number: it runs as soon as it can
Edge = tuple["Node", int] | None


# ----- nodes -----
_NO_EDGE = ("index", "indices", "mask", "condition")  # PyTorch has no edge for these inputs


class Node:
    """A step of the backward graph: `name()`, `next_functions`, hooks, saved values."""

    edges: tuple[Edge, ...] = ()
    seq: int = 0
    outs: tuple[Aval, ...] = ()
    tensor_hooks: Any = None  # {output: {id: hook}}
    prehooks: Any = None
    posthooks: Any = None
    takes_none: bool = False  # whether it is run though no gradient has come
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

    @property
    def _input_metadata(self) -> tuple[Aval, ...]:
        return tuple(self.outs)

    def _sequence_nr(self) -> int:
        return self.seq

    def register_hook(self, hook: Callable[..., Any], /) -> RemovableHandle:
        """Call `hook(grad_inputs, grad_outputs)` after the node has run; it may replace grads."""
        if self.posthooks is None:
            self.posthooks = OrderedDict()
        return _register(self.posthooks, hook)

    def register_prehook(self, hook: Callable[..., Any], /) -> RemovableHandle:
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
        tensors = [None if g is None else as_tensor(g) for g in grads]
        return [None if t is None else carried(t) for t in self.apply_tensors(tensors)]

    def apply_tensors(self, grads: list[Any]) -> list[Any]:
        raise NotImplementedError(type(self).__name__)


# ----- what backward carries: Values, and sparse tensors as they are -----
def carried(t: Tensor) -> Any:
    """A gradient as backward carries it where no history is wanted."""
    if t.__class__ not in FOREIGN:
        return t._value_now()
    LOCAL.state.runs[-1].sparse = True
    return t


def as_tensor(g: Any) -> Any:
    """A gradient that backward carried, as a tensor."""
    return wrap(g) if g.__class__ is Value else g


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
    packed: bool = False
    numbers: Any = ()  # Python numbers that are only shown
    given: Any = None  # {name: value} of arguments the plan knows otherwise, see core.saved
    on_view: bool = False  # whether its result was written into a view
    strides: Any = None  # of the inputs, where one was not row-major
    tangents: Any = None  # {(is a result, number): {level: tangent}}, made in forward mode

    @property
    def outs(self) -> tuple[Aval, ...]:  # type: ignore[override]
        return self.plan.outs

    def visible_edges(self) -> Sequence[Edge]:
        kinds = {p.name: p.kind for p in self.plan.op.inputs}
        names = self.plan.names
        return [
            e
            for e, n in zip(self.edges, names, strict=True)
            if kinds.get(n, "tensors") != "number" and n.rstrip("0123456789") not in _NO_EDGE
        ]

    def release(self) -> None:
        if self.tensors_saved:
            self.saved = None
            self.versions = NO_VERSIONS  # no new list: one object less for the garbage collector

    def unpack(self) -> tuple[Any, ...]:
        """The saved values; RuntimeError if they were freed or written to since."""
        saved = self.saved
        if saved is None:
            raise RuntimeError(BACKWARD_TWICE)
        for counter, version, _ in self.versions:
            if counter.version != version:
                saved = self._looked_at_again(saved)
                break
        if CUT[0]:
            self._check_attached()
        return self._all_unpacked(list(saved)) if self.packed else saved

    def _all_unpacked(self, saved: list[Any]) -> tuple[Any, ...]:
        for at in in_order(self, saved):
            if isinstance(saved[at], Packed):
                saved[at] = self._unpacked(saved[at], at)
        return tuple(saved)

    def _check_attached(self) -> None:
        """RuntimeError when a saved input has since been cut off from what made it."""
        for at in self.pullback.inputs:
            edge = self.edges[at] if at < len(self.edges) else None
            if edge is not None and edge[1] in DETACHED.get(edge[0], ()):
                raise RuntimeError(DETACHED_SAVED)

    def _looked_at_again(self, saved: Sequence[Any]) -> tuple[Any, ...]:
        """What was saved, from memory as it is now; RuntimeError if PyTorch counted a write."""
        if any(int(counter.version) != int(version) for counter, version, _ in self.versions):
            raise RuntimeError(_modified(self))
        found, pull = list(saved), self.pullback
        n = len(pull.inputs)
        for counter, version, at in self.versions:
            if counter.version == version:
                continue
            edge = self.edges[pull.inputs[at]] if at < n else None
            plain = self.strides is None or at >= n
            found[at] = value_now(found[at], counter, edge, plain)
        return tuple(found)

    def _unpacked(self, packed: Packed, at: int) -> Value:
        """What an unpack hook gave back, if it is of the shape that was packed."""
        n, found = len(self.pullback.inputs), packed.value()
        if at < n:
            aval = self.plan.avals[self.pullback.inputs[at]]
        else:
            aval = self.plan.outs[self.pullback.results[at - n]]
        if found.aval.shape != aval.shape:
            raise RuntimeError(
                f"{self.name()}: a tensor of shape {list(aval.shape)} was saved, but the unpack "
                f"hook returned one of shape {list(found.aval.shape)}"
            )
        return found if found.aval is aval else wrap(found).to(aval.dtype)._value_now()

    def apply_values(self, grads: list[Any]) -> list[Any]:
        pull = self.pullback
        inputs = list(self.unpack())
        count = len(grads)
        for i in pull.grads:
            g = grads[i] if i < count else None
            inputs.append(zeros(self.plan.outs[i]) if g is None else g)
        outs = record(pull.spec, inputs)
        if len(outs) == len(self.edges):
            return outs
        found: list[Any] = [None] * len(self.edges)
        for at, o in zip(pull.targets, outs, strict=True):
            found[at] = o
        return found

    def apply_tensors(self, grads: list[Any]) -> list[Any]:
        given = [
            wrap(zeros(a)) if g is None else g for g, a in zip(grads, self.plan.outs, strict=True)
        ]
        inputs, results = self.with_history()
        if self.plan.op.formula is not None:
            found = call_formula(self.plan, inputs, results, given)
            return [
                self._fit(found[i], i) if e is not None else None for i, e in enumerate(self.edges)
            ]
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

    def with_history(self) -> tuple[list[Any], list[Any]]:
        """Inputs and results as tensors that remember their history; fillers where not saved."""
        saved = self.unpack()
        pull, n = self.pullback, len(self.pullback.inputs)
        inputs: list[Any] = [_filler(a) for a in self.plan.avals]
        for at, v in zip(pull.inputs, saved[:n], strict=True):
            inputs[at] = v if v.__class__ is not Value else with_history(v, self.edges[at])
        results: list[Any] = [_filler(a) for a in self.plan.outs]
        for at, v in zip(pull.results, saved[n:], strict=True):
            results[at] = with_history(v, (self, at))
        for (of_result, at), tangents in (self.tangents or {}).items():
            (results if of_result else inputs)[at]._tangents = tangents
        return inputs, results

    # ----- what `grad_fn._saved_self` and its like show -----
    def __getattr__(self, name: str) -> Any:
        if name.startswith(("_saved_", "_raw_saved_")):
            kind, value = saved_names(self).get(name.split("_saved_", 1)[1], ("", None))
            if kind == "saved" and name.startswith("_raw"):
                return SavedTensor(self, value)
            if kind:
                return _SHOW[kind](self, value)
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def item_saved_at(self, at: int) -> Any:
        if self.saved is None:
            raise RuntimeError(BACKWARD_TWICE)
        inputs, results = self.with_history()
        pull, n = self.pullback, len(self.pullback.inputs)
        found = inputs[pull.inputs[at]] if at < n else results[pull.results[at - n]]
        if isinstance(found, Tensor) or self.plan.op.formula is None:
            return found
        kinds = {p.name: p.kind for p in self.plan.op.inputs}
        is_operand = kinds.get(self.plan.names[pull.inputs[at]]) == "operand"
        return wrap(host_value(number_array(found))) if is_operand else found

    def __dir__(self) -> list[str]:
        kinds = saved_names(self).items()
        names = ["_saved_" + n for n, _ in kinds]
        raw = ["_raw_saved_" + n for n, (kind, _) in kinds if kind == "saved"]
        return sorted({*object.__dir__(self), *names, *raw})


_SHOW: dict[str, Callable[[OpNode, Any], Any]] = {
    "known": lambda node, value: value,
    "made": lambda node, make: make(),
    "saved": OpNode.item_saved_at,
}


def value_now(old: Value, counter: Any, edge: Edge, plain: bool) -> Value:
    """A saved value after a write that was not counted: what its memory holds now.

    Of a view that has no node, or whose node was made anew, the old one: nobody knows its place.
    """
    if edge is not None and isinstance(edge[0], AccumulateGrad):
        now = edge[0].variable._value_now()
        return now if now.aval is old.aval else old
    steps = []
    node = None if edge is None else edge[0]
    while isinstance(node, OpNode) and node.plan.op.view:
        if len(node.plan.names) - 1 > len(node.saved or ()) or node.edges[0] is None:
            return old
        steps.append((node.plan, list(node.saved or ())))
        node = node.edges[0][0]
    base = counter.storage if isinstance(counter, Counter) else counter
    value = node.variable._value_now() if isinstance(node, AccumulateGrad) else base.value
    if isinstance(node, FunctionNode) or steps and value.aval is not steps[-1][0].avals[0]:
        return old
    for plan, numbers in reversed(steps):
        (value,) = record(plan.spec, (value, *numbers))
    known = bool(steps) or plain and value.aval.dtype.category < COMPLEX
    return value if value.aval is old.aval and known else old


def _filler(a: Any) -> Any:
    """Stands for a value that was not saved: what is computed from it is not asked for."""
    return wrap(zeros(a)) if isinstance(a, Aval) else 0


def apply_node(node: Node, grads: list[Any]) -> list[Any]:
    """Run one node on Tensors, recording history only where grad mode asks for it."""
    if LOCAL.state.grad_enabled or LOCAL.state.duals:
        return node.apply_tensors(grads)
    found = node.apply_values([None if g is None else g._value_now() for g in grads])
    return [None if v is None else wrap(v) for v in found]


def with_history(v: Value, edge: Edge) -> Tensor:
    if edge is not None and isinstance(edge[0], AccumulateGrad):
        return edge[0].variable
    t = wrap(v)
    if edge is not None and v.aval.dtype.category >= FLOAT:  # indices have no history
        t._grad_fn, t._out_nr, t._requires_grad = edge[0], edge[1], True
    return t


def _modified(node: OpNode) -> str:
    """The message about the first saved tensor, in PyTorch's order, that was written to."""
    changed = [v for v in node.versions if int(v[0].version) != int(v[1])]
    counter, before, at = min(changed, key=lambda v: order_of(node, v[2]))
    n = len(node.pullback.inputs)
    if at < n:
        i = node.pullback.inputs[at]
        aval, edge = node.plan.avals[i], node.edges[i]
        if edge is not None and isinstance(edge[0], AccumulateGrad):
            edge = None
    else:
        i = node.pullback.results[at - n]
        aval, edge = node.plan.outs[i], (node, i)
        if node.on_view:
            return modified_text(aval, edge, None, before, counter.version, AS_STRIDED)
    return modified_text(aval, edge, None if at >= n else counter, before, counter.version)


def _op_of_pullback(node: OpNode) -> Op:
    """The pullback as an op, so that it can be differentiated again."""
    pull = node.pullback
    op = PULLBACK_OPS.get(pull)
    if op is None:
        count = len(pull.inputs) + len(pull.results) + len(pull.grads)
        fun = pull.spec.fun
        params = [PullbackParam(f"a{i}", i) for i in range(count)]
        op = Op(
            node.plan.op.name + "_backward", lambda *arrays: tuple(fun(*arrays)), params,
            promote="none", module=None, node=type(node).__name__[:-1] + "Backward0",
            returns=tuple if len(pull.targets) > 1 else None,
        )  # fmt: skip
        PULLBACK_OPS[pull] = op
    return op


class PullbackParam:
    kind, optional, keyword_only, coerce, expects = "operand", False, False, None, "Tensor"

    def __init__(self, name: str, position: int) -> None:
        self.name, self.position = name, position


PULLBACK_OPS: weakref.WeakKeyDictionary[Pullback, Op] = weakref.WeakKeyDictionary()
DETACHED: weakref.WeakKeyDictionary[Node, set[int]] = weakref.WeakKeyDictionary()  # `detach_`
NO_VERSIONS: list[Any] = []  # of a node whose saved values were freed
CUT = [False]  # whether there ever was one
GRAD_FN: list[Callable[..., Any]] = []  # core.history puts its grad_fn property here
CALL: list[Callable[..., Any]] = []  # core.dispatch puts its `call` here
FIT: list[Callable[..., Any]] = []  # … and a differentiable sum-to-shape-and-dtype here
_node_classes: dict[str, type[OpNode]] = {}


def node_class(name: str) -> type[OpNode]:
    """The class of nodes with this name (`AddBackward0`)."""
    found = _node_classes.get(name)
    if found is None:
        found = _node_classes[name] = type(name, (OpNode,), {"__module__": "builtins"})
    return found


def both(a: Any, b: Any) -> Any:
    """The sum of two gradients; PyTorch adds a sparse one to a dense one, not the other way."""
    return b + a if a.__class__ in FOREIGN and b.__class__ not in FOREIGN else a + b


def _fresh(g: Any) -> Any:
    return g.clone() if g.__class__ in FOREIGN else wrap(zeros(g._aval)).copy_(g)


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
                variable._grad = as_tensor(g)
            elif g.__class__ is not Value or have.__class__ in FOREIGN:
                variable._grad = both(have, as_tensor(g))
            elif have._view is None and have._counter is None:
                storage = have._storage
                let_go(storage)
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
            variable._grad = _fresh(g) if have is None else both(have, g)
        self._post(variable)
        return []

    def _post(self, variable: Tensor) -> None:
        if variable._post_hooks:
            for hook in list(variable._post_hooks.values()):
                hook(variable)


# PyTorch's own classes: name() has their namespace
_CPP_NAMES = {"AccumulateGrad", "CopySlices", "CopyBackwards"}


class FunctionNode(Node):
    """A node whose backward is a Python function over Tensors, one gradient per edge."""

    function: Callable[..., Sequence[Any]] | None
    border = False  # whether it stands where a transform of torch.func begins or ends

    def apply_tensors(self, grads: list[Any]) -> list[Any]:
        if self.function is None:
            raise RuntimeError(BACKWARD_TWICE)
        return list(self.function(*grads))
