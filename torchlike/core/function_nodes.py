"""Nodes that run a Python function over Tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .storage import Aval
from .tape import Edge, sequence_number
from .tape import FunctionNode as FunctionNode


def function_node(
    name: str, function: Callable[..., Any], edges: Iterable[Edge], outs: Sequence[Aval]
) -> FunctionNode:
    """A node called `name` that runs a Python function over Tensors."""
    cls = _function_classes.get(name)
    if cls is None:
        cls = _function_classes[name] = type(
            name, (FunctionNode,), {"outs": (), "__module__": "builtins"}
        )
    node = cls()
    node.function, node.edges, node.outs = function, tuple(edges), tuple(outs)
    node.seq = sequence_number()
    return node


_function_classes: dict[str, type[FunctionNode]] = {}
