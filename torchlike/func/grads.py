"""Levels of differentiation: inputs that gradients are taken of, and what remains after.

A level is a stretch of autograd's graph that begins at `opened` inputs. It nests because the graph
does: an input that an outer level (or the user's `requires_grad`) watches stays connected to it.
When the level ends, results that lead nowhere outside are detached.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from ..core.backward import make_grad
from ..core.dispatch import call, call_view
from ..core.dual import twin_of
from ..core.engine import execute
from ..core.function_nodes import function_node
from ..core.history import watch
from ..core.nodes import edge_of
from ..core.record import LOCAL
from ..core.run import step_boundary
from ..core.tape import AccumulateGrad, Node, enable_grad, zeros
from ..core.tensor import Tensor, fields_of, wrap
from ..utils._pytree import tree_map
from .batch import imported


def wraps(func: Any) -> Callable[..., Any]:
    """`functools.wraps` for anything callable."""
    return functools.wraps(func)


class transforming:
    """Marks this thread as being inside a derivative of torch.func."""

    def __enter__(self) -> None:
        state = LOCAL.state
        state.transforms += 1
        self.depth, self.outer = state.transforms, state.interposed
        state.interposed = self.call

    def __exit__(self, *_: object) -> None:
        LOCAL.state.transforms -= 1
        LOCAL.state.interposed = self.outer

    def call(self, op: Any, inputs: Any, statics: Any) -> Any:
        """An op called inside: what it makes may be written to inside."""
        state = LOCAL.state
        state.interposed = self.outer
        try:
            out = (call_view if op.view else call)(op, inputs, statics)
        finally:
            state.interposed = self.call
        for t in out if isinstance(out, tuple) else (out,):
            t._born = self.depth
        return out


def born_here(x: Tensor) -> Tensor:
    """Another handle on a tensor, of the innermost derivative in progress; with its history."""
    twin = object.__new__(type(x))
    fields_of(twin).update(fields_of(x))
    twin._born = LOCAL.state.transforms
    return twin


class Mark:
    """What a level's own leaves carry: whether it is in progress, and which vmaps it began in."""

    def __init__(self) -> None:
        self.active, self.vmaps = True, tuple(LOCAL.state.vmaps)


class Pass:
    """One level in progress; a context manager that enables grad."""

    def __enter__(self) -> Pass:
        self.mark = Mark()
        self.was_enabled = LOCAL.state.grad_enabled
        self.edges: list[Any] = []
        self.inside = transforming()
        self.inside.__enter__()
        self.mode = enable_grad()
        self.mode.__enter__()
        return self

    def __exit__(self, *details: object) -> None:
        self.end()
        self.inside.__exit__(*details)
        self.mode.__exit__(*details)

    def end(self) -> None:
        """From now on the level's own leaves are nobody's."""
        self.mark.active = False

    def open(self, tree: Any) -> Any:
        """The tensors of a tree, watched by this level."""
        return tree_map(self.opened, tree)

    def opened(self, x: Any) -> Tensor:
        if not isinstance(x, Tensor):
            raise ValueError(f"Thing passed to transform API must be Tensor, got {type(x)}")
        t = twin_of(x)
        t._born = LOCAL.state.transforms
        edge = edge_of(imported(x)) if self.was_enabled else None
        if edge is None:
            watch(t)
            t._level = self.mark  # the mark only: no cycle through `edges`
        else:
            t._grad_fn = function_node("AliasBackward0", lambda g: [g], [edge], [t._aval])
            t._grad_fn.border = True
            t._requires_grad = True
        self.edges.append(edge_of(t))
        return t

    def wrapped(self, tree: Any) -> Any:
        """The arguments that no gradient is taken of: the level's own, too."""
        return tree_map(lambda x: born_here(x) if isinstance(x, Tensor) else x, tree)

    def watched(self, tensors: Sequence[Tensor]) -> list[bool]:
        """Which tensors something outside of this level wants gradients of (once it has ended)."""
        dead: set[Node] = set()
        edges = [edge_of(t) if self.was_enabled else None for t in tensors]
        return [edge is not None and leads_outside(edge, dead) for edge in edges]

    def closed(self, tree: Any) -> Any:
        """Results as the world outside sees them; only tensors may be among them."""
        return tree_map(self._close, tree)

    def _close(self, t: Any) -> Any:
        if not isinstance(t, Tensor):
            raise RuntimeError(f"Expected tensors, got unsupported type {type(t)}")
        edge = edge_of(t)
        return t if edge is None or self.watched([t])[0] else twin_of(t)


def leads_outside(edge: Any, dead: set[Node], of_users: bool = False) -> bool:
    """Whether a graph reaches a leaf that no ended level owns (`of_users`: no level at all)."""
    stack = [edge[0]]
    seen: set[Node] = set()
    while stack:
        node = stack.pop()
        if node in seen or node in dead:
            continue
        seen.add(node)
        if isinstance(node, AccumulateGrad):
            owner = node.variable.__dict__.get("_level")
            if owner is None or (owner.active and not of_users):
                return True
        stack.extend(e[0] for e in node.edges if e is not None)
    dead |= seen
    return False


def pull(
    outputs: Sequence[Tensor], edges: Sequence[Any], likes: Sequence[Tensor], cotangents: Any,
    keep: bool, create: bool,
) -> list[Tensor]:  # fmt: skip
    """Gradients of outputs at edges of the graph; zeros where there is no way."""
    given = cotangents or [None] * len(outputs)
    roots = [
        (t, make_grad(t, g, i)) for i, (t, g) in enumerate(zip(outputs, given, strict=True))
    ]
    rooted = [(edge_of(t), g) for t, g in roots if edge_of(t) is not None]
    capture: dict[Node, dict[int, int]] = {}
    slots = [capture.setdefault(node, {}).setdefault(nr, i) for i, (node, nr) in enumerate(edges)]
    from_, carried = [e for e, _ in rooted], [g for _, g in rooted]
    found = execute(from_, carried, keep, create, capture, only=True)
    grads = [found.get(slot) for slot in slots]
    return [wrap(zeros(x._aval)) if g is None else g for g, x in zip(grads, likes, strict=True)]


def end_window() -> None:
    """Like `backward()`, an outermost transform ends a window, so that loops line up."""
    state = LOCAL.state
    if not state.vmaps and not state.tracing:
        step_boundary()


# ----- argnums -----
def chosen(args: tuple[Any, ...], argnums: Any, as_tuple: bool = True) -> Any:
    """The arguments that `argnums` names."""
    at = checked_argnums(argnums, len(args))
    if isinstance(at, int):
        return (args[at],) if as_tuple else args[at]
    return tuple(args[i] for i in at)


def checked_argnums(argnums: Any, count: int) -> Any:
    """Argnums counted from the front; RuntimeError, in PyTorch's words, for bad ones."""
    if not isinstance(argnums, int | tuple):
        raise RuntimeError(f"argnums must be int or Tuple[int, ...], got: {type(argnums)}")
    if isinstance(argnums, int):
        return _argnum(argnums, count)
    found = tuple(_argnum(i, count) for i in argnums)
    if not found:
        raise RuntimeError("argnums must be non-empty")
    if len(set(found)) != len(found):
        raise RuntimeError(f"argnums elements must be unique, got {found}")
    return found


def _argnum(argnum: Any, count: int) -> int:
    if not isinstance(argnum, int):
        raise RuntimeError(f"argnum must be int, got: {type(argnum)}")
    if not -count <= argnum < count:
        raise RuntimeError(f"Got argnum={argnum}, but only {count} positional inputs")
    return argnum % count


def replaced(args: tuple[Any, ...], new: Any, argnums: Any) -> tuple[Any, ...]:
    """The arguments with those that `argnums` names replaced (`new`: one, or a tuple of them)."""
    at = checked_argnums(argnums, len(args))
    full = list(args)
    for i, x in zip(
        (at,) if isinstance(at, int) else at, (new,) if isinstance(at, int) else new, strict=True
    ):
        full[i] = x
    return tuple(full)
