"""The node of a call: what it keeps, and where its gradients go."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

from .anomaly import remember
from .check import INFERENCE_SAVED
from .gradmode import no_grad
from .packed import Packed
from .plan import Plan
from .pullback import Pullback
from .record import LOCAL
from .saved import in_order
from .storage import Value
from .tape import GRAD_FN, AccumulateGrad, Edge, OpNode, node_class, sequence_number, with_history
from .tensor import TENSORS, Tensor


def edge_of(t: Tensor) -> Edge:
    """Where a tensor's gradient goes: its grad_fn, or its AccumulateGrad if it is a leaf."""
    base = t._base_tensor
    if base is not None and (base._requires_grad or t._creation):
        node = GRAD_FN[0](t)
        if node is None and not t._requires_grad:  # made in no_grad: PyTorch leads nowhere
            return None
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
    node.seq = sequence_number()
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
    if pull.numbers:
        node.numbers = [values[i] for i in pull.numbers]
    node.saved, node.versions = saved, versions
    node.tensors_saved = bool(versions or pull.results or pull.saves_number)
    state = LOCAL.state
    if state.saved_hooks or state.anomaly[0]:
        _watched(node, inputs, state)
    return node


def _as_saved(node: OpNode, inputs: Sequence[Any], at: int, value: Value) -> Tensor:
    """What a pack hook is given: the input itself, or a tensor with its or the result's history."""
    known = node.pullback.inputs
    if at >= len(known):
        return with_history(value, (node, node.pullback.results[at - len(known)]))
    t = inputs[known[at]]
    same = isinstance(t, Tensor) and t._value_now() is value
    return t if same else with_history(value, node.edges[known[at]])


def _watched(node: OpNode, inputs: Sequence[Any], state: Any) -> None:
    """What saved-tensor hooks and anomaly mode do when a node is made."""
    if state.saved_hooks:
        hooks = state.saved_hooks[-1]
        found: list[Any] = list(node.saved or ())
        with no_grad():
            for at in in_order(node, found):
                if found[at].__class__ is Value:
                    found[at] = Packed(_as_saved(node, inputs, at, found[at]), hooks)
        node.saved, node.packed = tuple(found), True
        node.versions = []  # nobody can tell whether what was packed changed
    if state.anomaly[0]:
        remember(node)
