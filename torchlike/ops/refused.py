"""Results whose gradient PyTorch does not have: they carry a node that says so in backward."""

from __future__ import annotations

from typing import Any

from ..core.function_nodes import function_node
from ..core.nodes import edge_of
from ..core.record import LOCAL
from ..core.tensor import Tensor


def without_gradient(name: str, found: Tensor, *inputs: Any) -> Tensor:
    """A result of aten::`name`; backward through it raises PyTorch's error."""
    text = f"derivative for aten::{name} is not implemented"
    return refuse_gradient(found, text, "NotImplemented", *inputs)


def refuse_gradient(
    found: Tensor, text: str, node: str, *inputs: Any, error: type = RuntimeError
) -> Tensor:
    """A floating result that requires grad if an input does; backward raises `text`."""
    edges = [edge_of(x) for x in inputs if isinstance(x, Tensor) and x.requires_grad]
    differentiable = found.is_floating_point() or found.is_complex()
    if edges and differentiable and LOCAL.state.grad_enabled:

        def backward(*_: Any) -> Any:
            raise error(text)

        found = found.detach()  # type: ignore[attr-defined]
        found._grad_fn = made = function_node(node, backward, edges, [found._aval])
        if node == "NotImplemented":
            type(made).name = lambda self: "torch::autograd::NotImplemented"
        found._requires_grad = True
    return found
