"""`backward` and `grad`: what they take, checked, for the engine."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from .dtypes import FLOAT
from .engine import execute
from .history import NO_RETAIN, is_leaf, wants_grad
from .nodes import accumulator_of, edge_of
from .record import LOCAL, VMAP
from .run import step_boundary
from .storage import Aval
from .tape import Edge, Node, filled
from .tensor import Tensor, wrap


class GradientEdge(NamedTuple):
    """A place in the graph: a node and the number of its output."""

    node: Node
    output_nr: int
    ownership_token: Node | None = None


# ----- arguments -----
def _several(given: Any, name: str, function: str) -> list[Any]:
    """One or several tensors or places, or a dict of them, as a list."""
    if isinstance(given, (Tensor, GradientEdge)):
        return [given]
    if isinstance(given, Mapping):
        if type(given) is not dict:
            raise TypeError(
                f"`{name}` argument to `{function}()` must be a dict, not {type(given).__name__}. "
                "Other Mapping types are not supported."
            )
        return list(given.values())
    return list(given)


def _grads_of(grads: Any, count: int) -> list[Any]:
    if grads is None:
        return [None] * count
    return [grads] if isinstance(grads, Tensor) else list(grads)


def _aval_at(t: Any) -> Aval:
    return t._aval if isinstance(t, Tensor) else t.node.outs[t.output_nr]


def make_grad(t: Any, g: Any, index: int, batched: bool = False) -> Any:
    """The root gradient of one tensor or place: given, or one for a scalar."""
    if g is None:
        return _implicit_grad(t)
    if not isinstance(g, Tensor):
        raise TypeError(f"gradients can be either Tensors or None, but got {type(g).__name__}")
    aval = _aval_at(t)
    shape = g.shape[1:] if batched and g.ndim else g.shape
    if shape != aval.shape:
        raise RuntimeError(_mismatch(index, shape[1:] if batched else shape, aval, batched))
    if g.is_complex() != (aval.dtype.category > FLOAT):
        raise RuntimeError(
            "For complex Tensors, both grad_output and output are required to have the same dtype. "
            f"Mismatch in dtype: grad_output[{index}] has a dtype of {g.dtype} and output[{index}] "
            f"has a dtype of {aval.dtype}."
        )
    return g


def _mismatch(index: int, shape: Any, aval: Aval, batched: bool) -> str:
    text = (
        f"grad_output[{index}] has a shape of {shape} and output[{index}] has a shape of "
        f"{aval.shape}."
    )
    if not batched:
        return f"Mismatch in shape: {text}"
    return (
        "If `is_grads_batched=True`, we interpret the first dimension of each grad_output as the "
        "batch dimension. The sizes of the remaining dimensions are expected to match the shape of "
        f"corresponding output, but a mismatch was detected: {text} If you only want some tensors "
        "in `grad_output` to be considered batched, consider using vmap."
    )


def _implicit_grad(t: Any) -> Any:
    if isinstance(t, Tensor) and not wants_grad(t):
        return None
    aval = _aval_at(t)
    if aval.size != 1:
        raise RuntimeError("grad can be implicitly created only for scalar outputs")
    if aval.dtype.category != FLOAT:
        raise RuntimeError(
            f"grad can be implicitly created only for real scalar outputs but got {aval.dtype}"
        )
    return wrap(filled(aval, 1))


def _roots(tensors: list[Any], grads: Any, batched: bool = False) -> tuple[list[Any], list[Any]]:
    """The places to start from, and the gradients there."""
    given = _grads_of(grads, len(tensors))
    made = [make_grad(t, g, i, batched) for i, (t, g) in enumerate(zip(tensors, given))]  # noqa: B905 (as PyTorch)
    if len(given) < len(tensors):
        raise RuntimeError(f"got {len(tensors)} tensors and {len(given)} gradients")
    edges = [_root_edge(i, t) for i, t in enumerate(tensors)]
    return edges, made


def _root_edge(index: int, t: Any) -> Edge:
    if not isinstance(t, Tensor):
        return t.node, t.output_nr
    edge = edge_of(t) if wants_grad(t) else None
    if edge is None:
        raise RuntimeError(
            f"element {index} of tensors does not require grad and does not have a grad_fn"
        )
    return edge


def _edge_to(t: Any) -> tuple[Node, int]:
    """The place in the graph of an input: a tensor's, or a GradientEdge itself."""
    if not isinstance(t, Tensor):
        return t.node, t.output_nr
    if not wants_grad(t):
        raise RuntimeError("One of the differentiated Tensors does not require grad")
    t = t if t._bearer is None else t._bearer
    return edge_of(t) or (accumulator_of(t), 0)  # of a view made in no_grad: nothing leads there


# ----- backward -----
_CYCLE = (
    "Using backward() with create_graph=True will create a reference cycle between the parameter "
    "and its gradient which can cause a memory leak. We recommend using autograd.grad when "
    "creating the graph to avoid this. If you have to use this function, make sure to reset the "
    ".grad fields of your parameters to None after use to break the cycle and avoid the leak. "
    "(Triggered internally at /pytorch/torch/csrc/autograd/engine.cpp:1297.)"
)
_OLD_NAME = "`grad_variables` is deprecated. Use `grad_tensors` instead."


def backward(
    tensors: Any, grad_tensors: Any = None, retain_graph: bool | None = None,
    create_graph: bool = False, grad_variables: Any = None, inputs: Any = None,
) -> None:  # fmt: skip
    """Accumulate the gradients of `tensors` into the leaves (or into `inputs` only)."""
    if LOCAL.state.transforms or LOCAL.state.vmaps:
        raise RuntimeError(
            "backward() called inside a functorch transform. This is not supported, please use "
            "functorch.grad or functorch.vjp instead or call backward() outside of functorch "
            "transforms."
        )
    if grad_variables is not None:
        warnings.warn(_OLD_NAME, FutureWarning, stacklevel=2)
        if grad_tensors is not None:
            raise RuntimeError(
                "`grad_tensors` and `grad_variables` (deprecated) arguments both passed to "
                "`backward()`. Please only use `grad_tensors`."
            )
        grad_tensors = grad_variables
    chosen = None if inputs is None else _several(inputs, "inputs", "backward")
    if chosen is not None and not chosen:
        raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    if any(isinstance(t, Tensor) and not wants_grad(t) for t in chosen or ()):
        raise RuntimeError(NO_RETAIN)
    edges, carried = _roots(_several(tensors, "tensors", "backward"), grad_tensors)
    keep = create_graph if retain_graph is None else retain_graph
    if create_graph:
        warnings.warn(_CYCLE, UserWarning, stacklevel=3)
    if chosen is None:
        execute(edges, carried, keep, create_graph)
    else:
        _backward_into(edges, carried, keep, create_graph, chosen)
    if not LOCAL.state.grad_enabled or not create_graph:
        step_boundary()


def _backward_into(edges: Any, carried: Any, keep: bool, create: bool, chosen: list[Any]) -> None:
    slots, found = _captured(edges, carried, keep, create, chosen, returns=False)
    for key in dict.fromkeys(slots):
        g = found.get(key)
        if g is None:
            continue
        t = chosen[key]
        if not isinstance(t, Tensor) and hasattr(t.node, "variable"):
            t = t.node.variable
        if not isinstance(t, Tensor):
            raise RuntimeError(
                "backward(): an input that is a GradientEdge must lead to a leaf, got "
                f"{t.node.name()}"
            )
        t = t if t._bearer is None else t._bearer
        if is_leaf(t):
            node = accumulator_of(t)
            node.apply_tensors([g]) if create else node.apply_values([g._value_now()])
        else:
            t._grad = g if t._grad is None else t._grad + g


def _captured(
    edges: Any, carried: Any, keep: bool, create: bool, chosen: list[Any], returns: bool = True
) -> tuple[list[int], dict[int, Any]]:
    """The gradients at some places: for each its key, and the gradients by key."""
    capture: dict[Node, dict[int, int]] = {}
    slots = []
    for i, t in enumerate(chosen):
        node, nr = _edge_to(t)
        slots.append(capture.setdefault(node, {}).setdefault(nr, i))
    return slots, execute(edges, carried, keep, create, capture, True, returns)


# ----- grad -----
_ONLY_INPUTS = (
    "only_inputs argument is deprecated and is ignored now (defaults to True). To accumulate "
    "gradient for other parts of the graph, please use torch.autograd.backward."
)


def grad(
    outputs: Any, inputs: Any, grad_outputs: Any = None, retain_graph: bool | None = None,
    create_graph: bool = False, only_inputs: bool = True, allow_unused: bool | None = None,
    is_grads_batched: bool = False, materialize_grads: bool = False,
) -> Any:  # fmt: skip
    """The gradients of `outputs` with respect to `inputs`, without touching any `.grad`.

    With `is_grads_batched` each grad_output has a leading batch dim, and so do the results.
    """
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: "
            "allow_unused=False."
        )
    chosen = _several(inputs, "inputs", "grad")
    if not chosen:
        raise RuntimeError("`inputs` argument to `grad()` cannot be empty.")
    if not only_inputs:
        warnings.warn(_ONLY_INPUTS, FutureWarning, stacklevel=2)
    roots = _several(outputs, "outputs", "grad")
    if is_grads_batched and any(not isinstance(t, Tensor) for t in roots):
        raise RuntimeError("Batched grads are not supported with GradientEdge")
    edges, carried = _roots(roots, grad_outputs, is_grads_batched)
    keep = create_graph if retain_graph is None else retain_graph
    unused = bool(materialize_grads if allow_unused is None else allow_unused)

    def vjp(*grads: Tensor) -> list[Any]:
        slots, found = _captured(edges, list(grads), keep, create_graph, chosen)
        return [_used(i, found.get(slot), unused, chosen[i]) for i, slot in enumerate(slots)]

    found = _batched(vjp, carried) if is_grads_batched else vjp(*carried)
    if not create_graph:
        step_boundary()
    if materialize_grads:
        found = [_materialized(g, t, create_graph) for g, t in zip(found, chosen, strict=True)]
    return dict(zip(inputs, found, strict=True)) if type(inputs) is dict else tuple(found)


def _batched(vjp: Callable[..., list[Any]], carried: Sequence[Any]) -> list[Any]:
    there: list[int] = []

    def present(*grads: Tensor) -> list[Any]:
        found = vjp(*grads)
        there[:] = [i for i, g in enumerate(found) if g is not None]
        there.append(len(found))
        return [g for g in found if g is not None]

    present.__name__ = "vjp"
    found = VMAP["vmap"](present)(*carried)
    full: list[Any] = [None] * there.pop()
    for i, g in zip(there, found, strict=True):
        full[i] = g
    return full


def _used(index: int, g: Any, allow_unused: bool, t: Any) -> Any:
    if g is None and not allow_unused:
        raise RuntimeError(
            f"The differentiated Tensor at index {index} appears to not have been used in the "
            "graph. Set allow_unused=True if this is the desired behavior."
        )
    bearer = None if g is None else getattr(t, "_bearer", None)
    return g if bearer is None else t.with_gradient(g)


def _materialized(g: Any, t: Any, create: bool) -> Any:
    if g is not None:
        return g
    if not isinstance(t, Tensor):
        raise RuntimeError(
            "materialize_grads cannot be used when the given input is a GradientEdge"
        )
    return wrap(filled(t._aval, 0)).requires_grad_(create)


def _method_backward(
    self: Tensor, gradient: Any = None, retain_graph: bool | None = None,
    create_graph: bool = False, inputs: Any = None,
) -> None:  # fmt: skip
    """Accumulate this tensor's gradients into the leaves."""
    backward(self, gradient, retain_graph, create_graph, inputs=inputs)


_method_backward.__qualname__ = "Tensor.backward"
Tensor.backward = _method_backward  # type: ignore[attr-defined]
