"""The backward engine: walks nodes in PyTorch's order (latest first), recording their pullbacks."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .anomaly import tell
from .parameter import alias_of
from .record import LOCAL, record
from .storage import Value
from .tape import AccumulateGrad, Node, OpNode, as_tensor, both, carried, sum_spec
from .tensor import Tensor, to_host


def execute(
    roots: Sequence[tuple[Node, int]], grads: Sequence[Any], keep: bool, create: bool,
    capture: dict[Node, dict[int, int]] | None = None, only: bool = False, returns: bool = True,
) -> dict[int, Any]:  # fmt: skip
    """Walk the graph. `capture` maps node -> {output: key} of gradients to return; with `only`
    nothing is accumulated but what was captured; without `returns` the caller accumulates that."""
    state = LOCAL.state
    saved_mode = state.grad_enabled
    state.grad_enabled = create
    tensors = create or bool(state.duals)  # only tensors have a history and tangents
    try:
        state.runs.append(_Run(keep, tensors, capture or {}, only))
        try:
            state.runs[-1].returns = returns
            found = state.runs[-1].run(roots, grads if tensors else [carried(g) for g in grads])
        finally:
            state.runs.pop()
        return found if tensors else {k: as_tensor(g) for k, g in found.items()}
    finally:
        state.grad_enabled = saved_mode


class _Run:
    """One backward pass, which carries gradients as Tensors or as Values."""

    current: Any = None  # the node in progress, in anomaly mode
    sparse = False  # whether a sparse gradient has come
    returns = True  # whether what is captured goes to the caller of `grad`

    def __init__(self, keep: bool, tensors: bool, capture: dict[Node, dict[int, int]], only: bool):
        self.keep, self.tensors, self.capture, self.only = keep, tensors, capture, only
        self.buffers: dict[Node, list[Any]] = {}
        self.captured: dict[int, Any] = {}
        self.needed: set[Node] | None = None

    def run(self, roots: Sequence[tuple[Node, int]], grads: Sequence[Any]) -> dict[int, Any]:
        waiting = self.waiting = _dependencies([node for node, _ in roots])
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
        usual = not (self.tensors or self.capture or self.only or LOCAL.state.anomaly[0])
        while heap:
            node = heapq.heappop(heap)[2]
            come = buffers.pop(node, None)
            if (
                usual and come is not None and come[0] is not None and isinstance(node, OpNode)
                and node.tensor_hooks is None and node.retains is None and node.prehooks is None
                and node.posthooks is None and not self.sparse
            ):  # fmt: skip
                found = node.apply_values(come)  # what `visit` comes to, in a third of its time
                if not self.keep:
                    node.release()
            else:
                found = self.visit(node, come)
            for edge, g in zip(node.edges, found, strict=False):
                if edge is None:
                    continue
                target, nr = edge
                if g is not None:
                    if nr == 0 and target not in buffers:
                        buffers[target] = [g]
                    else:
                        self.add(target, nr, g)
                waiting[target] -= 1
                if waiting[target] == 0:
                    heapq.heappush(heap, (-target.seq, count, target))
                    count += 1
        return self.captured

    def visits(self, node: Node) -> bool:
        """Whether a gradient will come to this node."""
        if node not in self.waiting:
            return False
        return self.needed is None or node in self.needed or node in self.capture

    def add(self, node: Node, nr: int, g: Any) -> None:
        """Add to what has come for an output; a buffer may end before the node's last one."""
        buffer = self.buffers.setdefault(node, [])
        if len(buffer) <= nr:
            buffer += [None] * (nr + 1 - len(buffer))
        have = buffer[nr]
        if have is None:
            buffer[nr] = g
        elif self.tensors or self.sparse:
            buffer[nr] = self.carrier(both(self.tensor(have), self.tensor(g)))
        else:
            buffer[nr] = record(sum_spec(have.aval), (have, g))[0]

    def visit(self, node: Node, grads: list[Any] | None) -> list[Any]:
        wanted = self.capture.get(node)
        if wanted is None and self.needed is not None and node not in self.needed:
            return [None] * len(node.edges)
        leaf = node.variable if node.__class__ is AccumulateGrad else None  # type: ignore
        before = (
            node.tensor_hooks is not None or node.prehooks or node.retains
            or (leaf is not None and leaf._hooks)
        )  # fmt: skip
        if grads is None:
            after = node.posthooks or (leaf is not None and leaf._post_hooks)
            if not (before or after or node.takes_none):
                return [None] * len(node.edges)
            grads = []
        if len(grads) < len(node.outs):
            grads = [*grads, *[None] * (len(node.outs) - len(grads))]
        if before:
            grads = self.before(node, grads)
        if wanted is not None:
            for nr, key in wanted.items():
                self.captured[key] = grads[nr]
        if self.needed is not None and (
            node not in self.needed or isinstance(node, AccumulateGrad)
        ):
            return [None] * len(node.edges)
        if (
            grads[0] is None and not node.takes_none and leaf is None
            and all(g is None for g in grads)
        ):  # fmt: skip
            found: list[Any] = [None] * len(node.edges)
        elif LOCAL.state.anomaly[0]:
            found = self.watched(node, grads)
        else:
            found = self.apply(node, grads)
        if node.posthooks:
            found = self.after(node, found, grads)
        if not self.keep:
            node.release()
        return found

    def apply(self, node: Node, grads: list[Any]) -> list[Any]:
        if self.tensors:
            return node.apply_tensors(grads)
        if self.sparse and isinstance(node, OpNode):
            if any(g is not None and g.__class__ is not Value for g in grads):
                found = node.apply_tensors([self.tensor(g) for g in grads])
                return [self.carrier(t) for t in found]
        return node.apply_values(grads)

    def before(self, node: Node, grads: list[Any]) -> list[Any]:
        tensors = [self.tensor(g) for g in grads]
        for nr, hooks in _all_tensor_hooks(node):
            for hook in list(hooks.values()):
                new = hook(tensors[nr])
                if new is not None and tensors[nr] is None:
                    raise RuntimeError("can't replace a None gradient with a non-None value")
                if new is not None:
                    tensors[nr] = _checked(hook, new, tensors[nr])
        for hook in list((node.prehooks or {}).values()):
            new = hook(tuple(tensors))
            if new is not None:
                tensors = _checked_tuple(hook, new, tensors)
        for nr, ref in (node.retains or {}).items():
            t = ref()
            if t is not None and tensors[nr] is not None:
                g = tensors[nr]
                t._grad = (g if self.tensors else alias_of(g)) if t._grad is None else t._grad + g
        return [self.carrier(t) for t in tensors]

    def after(self, node: Node, found: list[Any], grads: list[Any]) -> list[Any]:
        given = tuple(self.tensor(g) for g in grads)
        for hook in list(node.posthooks.values()):
            old = tuple(self.tensor(g) for g in found)
            new = hook(old, given)
            if new is not None:
                found = [self.carrier(t) for t in _checked_tuple(hook, new, old)]
        return found

    def watched(self, node: Node, grads: list[Any]) -> list[Any]:
        """Anomaly mode: an error, or NaN, comes after a warning that shows the forward."""
        outer, self.current = self.current, node
        try:
            found = self.apply(node, grads)
        except Exception:
            tell(node)
            raise
        finally:
            self.current = outer
        if LOCAL.state.anomaly[1]:
            self.check_nan(node, found)
        return found

    def check_nan(self, node: Node, found: list[Any]) -> None:
        """RuntimeError when a node gives NaN."""
        for i, g in enumerate(found):
            t = self.tensor(g)
            if t is None or not np.isnan(to_host(t.detach()).astype(np.complex128)).any():
                continue
            tell(node)
            raise RuntimeError(f"Function '{node.name()}' returned nan values in its {i}th output.")

    def tensor(self, g: Any) -> Any:
        return as_tensor(g)

    def carrier(self, t: Any) -> Any:
        return t if t is None or self.tensors else carried(t)


def _all_tensor_hooks(node: Node) -> list[tuple[int, dict[int, Any]]]:
    if isinstance(node, AccumulateGrad) and node.variable._hooks:
        return [(0, node.variable._hooks)]  # type: ignore[attr-defined]
    return list((node.tensor_hooks or {}).items())


def _checked(hook: Any, new: Any, old: Tensor | None) -> Tensor:
    """What a hook made of one gradient: of the same dtype and shape, or PyTorch's error."""
    if not isinstance(new, Tensor):
        raise TypeError(f"expected Variable, but hook returned '{type(new).__name__}'")
    if old is None:
        return new
    name = getattr(hook, "__name__", "unknown")
    if new.dtype is not old.dtype:
        kinds = f"was {old.type()} got {new.type()}"  # type: ignore[attr-defined]
        raise RuntimeError(f"hook '{name}' has changed the type of value ({kinds})")
    if new.shape != old.shape:
        raise RuntimeError(f"hook '{name}' has changed the size of value")
    return new


def _checked_tuple(hook: Any, new: Any, old: Sequence[Tensor | None]) -> list[Tensor | None]:
    """What a node's hook made of all its gradients."""
    if not isinstance(new, tuple):
        raise TypeError(f"expected tuple, but hook returned '{type(new).__name__}'")
    if len(new) != len(old):
        raise RuntimeError(
            f"hook '{getattr(hook, '__name__', 'unknown')}' has returned an incorrect number of "
            f"values (got {len(new)}, but expected {len(old)})"
        )
    return [None if n is None else _checked(hook, n, o) for n, o in zip(new, old, strict=True)]


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
