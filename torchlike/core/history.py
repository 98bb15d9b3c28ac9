"""A tensor's autograd face: requires_grad, grad, grad_fn, hooks, detach, data, backward."""

from __future__ import annotations

import warnings
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from .check import FLOAT_GRAD_ONLY, NON_LEAF_FLAG, NON_LEAF_FLAG_OFF, NON_LEAF_GRAD
from .dtypes import C_NAMES, FLOAT, SCALAR_NAMES
from .engine import execute
from .hooks import RemovableHandle
from .mutate import regenerate
from .record import LOCAL
from .run import step_boundary
from .tape import GRAD_FN, Node, _register, accumulator_of, edge_of, filled
from .tensor import Counter, Tensor, alias_of, counter_of, wrap


# ----- properties -----
def grad_fn_of(t: Tensor) -> Node | None:
    """The node that made the tensor; of a view, made anew when its base has new history."""
    base = t._base_tensor
    if base is not None and base._requires_grad and t._view_version != counter_of(t).version:
        regenerate(t)
        t._view_version = counter_of(t).version
    return t._grad_fn


def _requires_grad(t: Tensor) -> bool:
    return t._requires_grad or (
        t._base_tensor is not None and t._base_tensor._requires_grad and grad_fn_of(t) is not None
    )


def _is_leaf(t: Tensor) -> bool:
    return grad_fn_of(t) is None


def requires_grad_(self: Tensor, requires_grad: bool = True) -> Tensor:
    """Set whether gradients are wanted; RuntimeError for non-leaves and integer dtypes."""
    if not _is_leaf(self) and not requires_grad:
        raise RuntimeError(NON_LEAF_FLAG_OFF)
    text = "only Tensors of floating point dtype can require gradients"
    return _set_flag(self, requires_grad, text)


def _set_requires_grad(self: Tensor, requires_grad: bool) -> None:
    if not isinstance(requires_grad, bool):
        raise RuntimeError("requires_grad must be a bool")
    if not _is_leaf(self):
        raise RuntimeError(NON_LEAF_FLAG if requires_grad else NON_LEAF_FLAG_OFF)
    _set_flag(self, requires_grad, FLOAT_GRAD_ONLY[0].lower() + FLOAT_GRAD_ONLY[1:])


def _set_flag(self: Tensor, requires_grad: bool, text: str) -> Tensor:
    if requires_grad and self._aval.dtype.category < FLOAT:
        raise RuntimeError(text)
    if requires_grad and self._inference and not LOCAL.state.inference:
        raise RuntimeError(
            "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed."
        )
    if self._grad_fn is None:
        self._requires_grad = bool(requires_grad)
    return self


def _get_grad(self: Tensor) -> Tensor | None:
    if self._grad is None and self._grad_fn is not None and not self._retains:
        warnings.warn(NON_LEAF_GRAD, UserWarning, stacklevel=2)
    return self._grad


def _set_grad(self: Tensor, grad: Any) -> None:
    if grad is not None:
        if not isinstance(grad, Tensor):
            raise TypeError(
                "assigned grad expected to be a Tensor or None but got grad of type "
                f"{type(grad).__name__}"
            )
        if grad is self:
            raise RuntimeError("can't assign Variable as its own grad")
        _check_grad(self, grad)
    self._grad = grad


def _check_grad(self: Tensor, grad: Tensor) -> None:
    if grad._aval.dtype is not self._aval.dtype:
        given, own = C_NAMES.get(grad.dtype, grad.dtype.name), SCALAR_NAMES[self.dtype]
        raise RuntimeError(
            f"attempting to assign a gradient with dtype '{given}' to a tensor with grad_dtype "
            f"'{own}'. The gradient must match the tensor's grad_dtype (defaults to the tensor's "
            "dtype). You can set the tensor's grad_dtype attribute with a specific dtype, or None "
            "to allow any dtype. Set grad_dtype with caution. Diverging the dtypes of a tensor and "
            "its gradient may break downstream systems that assume they match."
        )
    if grad._aval.device is not self._aval.device:
        raise RuntimeError(
            f"attempting to assign a gradient with device type '{grad.device.type}' to a tensor "
            f"with device type '{self.device.type}'. Please ensure that the gradient and the "
            "tensor are on the same device"
        )
    if grad.shape != self.shape:
        raise RuntimeError(
            f"attempting to assign a gradient of size '{list(grad.shape)}' to a tensor of size "
            f"'{list(self.shape)}'. Please ensure that the gradient and the tensor are the same "
            "size"
        )


def _del_grad(self: Tensor) -> None:
    self._grad = None


# ----- detach and data -----
def detach(self: Tensor) -> Tensor:
    """A tensor over the same memory and version without history."""
    t = alias_of(self)
    t._inference = self._inference
    return t


def detach_(self: Tensor) -> Tensor:
    """Forget the history in place; RuntimeError for a view."""
    if self._base_tensor is not None:
        raise RuntimeError(
            "Can't detach views in-place. Use detach() instead. If you are using "
            "DistributedDataParallel (DDP) for training, and gradient_as_bucket_view is set as "
            "True, gradients are views of DDP buckets, and hence detach_() cannot be called on "
            "these gradients. To fix this error, please refer to the Optimizer.zero_grad() "
            "function in torch/optim/optimizer.py as the solution."
        )
    self._grad_fn, self._out_nr, self._requires_grad = None, 0, False
    return self


def _get_data(self: Tensor) -> Tensor:
    t = alias_of(self)
    t._counter = Counter()
    return t


def _set_data(self: Tensor, other: Tensor) -> None:
    if not isinstance(other, Tensor):
        raise TypeError(f"Variable data has to be a tensor, but got {type(other).__name__}")
    if other._aval.dtype.category < FLOAT <= self._aval.dtype.category and self._requires_grad:
        raise RuntimeError(
            "data set to a tensor that requires gradients must be floating point or complex dtype"
        )
    self._storage, self._aval, self._view = other._storage, other._aval, other._view
    self._value, self._seen = other._value, other._seen


# ----- hooks -----
def register_hook(self: Tensor, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
    """Call `hook(grad)` when this tensor's gradient is known; what it returns replaces it."""
    if not _requires_grad(self):
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    node = grad_fn_of(self)
    if node is None:
        if self._hooks is None:
            self._hooks = OrderedDict()
        return _register(self._hooks, hook)
    if node.tensor_hooks is None:
        node.tensor_hooks = {}
    return _register(node.tensor_hooks.setdefault(self._out_nr, OrderedDict()), hook)


def register_post_accumulate_grad_hook(
    self: Tensor, hook: Callable[[Tensor], None]
) -> RemovableHandle:
    """Call `hook(param)` after the leaf's `.grad` was accumulated."""
    if not _requires_grad(self):
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    if not _is_leaf(self):
        raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
    if self._post_hooks is None:
        self._post_hooks = OrderedDict()
    return _register(self._post_hooks, hook)


def retain_grad(self: Tensor) -> None:
    """Keep this non-leaf's gradient in `.grad`."""
    if not _requires_grad(self):
        raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
    node = grad_fn_of(self)
    if node is None or self._retains:
        return
    if node.retains is None:
        node.retains = {}
    node.retains[self._out_nr] = weakref.ref(self)
    self._retains = True


# ----- backward -----
def backward(
    tensors: Any, grad_tensors: Any = None, retain_graph: bool | None = None,
    create_graph: bool = False, inputs: Any = None,
) -> None:  # fmt: skip
    """Accumulate the gradients of `tensors` into the leaves (or into `inputs` only)."""
    roots = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    given = _sequence_of(grad_tensors, len(roots))
    grads = [
        make_grad(t, g, i, create_graph) for i, (t, g) in enumerate(zip(roots, given, strict=True))
    ]
    keep = create_graph if retain_graph is None else retain_graph
    edges, carried = _root_edges(roots, grads, create_graph)
    if create_graph:
        warnings.warn(
            "Using backward() with create_graph=True will create a reference cycle between the "
            "parameter and its gradient which can cause a memory leak. We recommend using "
            "autograd.grad when creating the graph to avoid this. If you have to use this "
            "function, make sure to reset the .grad fields of your parameters to None after use "
            "to break the cycle and avoid the leak. (Triggered internally at "
            "/pytorch/torch/csrc/autograd/engine.cpp:1297.)",
            UserWarning,
            stacklevel=3,
        )
    if inputs is None:
        execute(edges, carried, keep, create_graph)
    else:
        _backward_into(edges, carried, keep, create_graph, inputs)
    if not LOCAL.state.grad_enabled or not create_graph:
        step_boundary()


def _backward_into(edges: Any, carried: Any, keep: bool, create: bool, inputs: Any) -> None:
    chosen = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    if not chosen:
        raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    capture = capture_of(chosen)
    found = execute(edges, carried, keep, create, capture, only=True)
    for key, g in found.items():
        if g is None:
            continue
        t = chosen[key]
        if _is_leaf(t):
            node = accumulator_of(t)
            node.apply_tensors([g]) if create else node.apply_values([g._value_now()])
        else:
            t._grad = g if t._grad is None else t._grad + g


def _differentiated(t: Any) -> tuple[Node, int]:
    """The place in the graph of an input of `grad` (a tensor or a GradientEdge)."""
    if isinstance(t, tuple):
        return t[0], t[1]
    edge = edge_of(t) if _requires_grad(t) else None
    if edge is None:
        raise RuntimeError("One of the differentiated Tensors does not require grad")
    return edge


def capture_of(inputs: Sequence[Tensor]) -> dict[Node, dict[int, int]]:
    """Where in the graph the gradients of `inputs` appear: node -> {output: index of the input}."""
    capture: dict[Node, dict[int, int]] = {}
    for i, t in enumerate(inputs):
        edge = _edge_to(t)
        capture.setdefault(edge[0], {})[edge[1]] = i
    return capture


def _edge_to(t: Any) -> tuple[Node, int]:
    """The place in the graph of an input: a tensor, or a GradientEdge itself."""
    if not isinstance(t, Tensor) and hasattr(t, "output_nr"):
        return t.node, t.output_nr
    if not _requires_grad(t):
        raise RuntimeError("One of the differentiated Tensors does not require grad")
    edge = edge_of(t)
    assert edge is not None
    return edge


def _sequence_of(grads: Any, count: int) -> list[Any]:
    if grads is None:
        return [None] * count
    found = list(grads) if isinstance(grads, (tuple, list)) else [grads]
    for g in found:
        if g is not None and not isinstance(g, Tensor):
            raise TypeError(f"gradients can be either Tensors or None, but got {type(g).__name__}")
    if len(found) != count:
        raise RuntimeError(f"got {count} tensors and {len(found)} gradients")
    return found


def make_grad(t: Tensor, g: Any, index: int, create: bool) -> Any:
    """The root gradient of one tensor: given, or one for a scalar."""
    if g is not None:
        if g.shape != t.shape:
            raise RuntimeError(
                f"Mismatch in shape: grad_output[{index}] has a shape of {g.shape} and "
                f"output[{index}] has a shape of {t.shape}."
            )
        if g.is_complex() != t.is_complex():
            raise RuntimeError(
                "For complex Tensors, both grad_output and output are required to have the same "
                f"dtype. Mismatch in dtype: grad_output[{index}] has a dtype of {g.dtype} and "
                f"output[{index}] has a dtype of {t.dtype}."
            )
        return g
    if not _requires_grad(t):
        return None
    if t._aval.size != 1:
        raise RuntimeError("grad can be implicitly created only for scalar outputs")
    if t._aval.dtype.category != FLOAT:
        raise RuntimeError(
            f"grad can be implicitly created only for real scalar outputs but got {t.dtype}"
        )
    return wrap(filled(t._aval, 1))


def _root_edges(roots: list[Tensor], grads: list[Any], create: bool) -> tuple[list[Any], list[Any]]:
    edges, carried = [], []
    for i, (t, g) in enumerate(zip(roots, grads, strict=True)):
        edge = edge_of(t) if _requires_grad(t) else None
        if edge is None:
            raise RuntimeError(
                f"element {i} of tensors does not require grad and does not have a grad_fn"
            )
        edges.append(edge)
        carried.append(g)
    return edges, carried


def grad(
    outputs: Any, inputs: Any, grad_outputs: Any = None, retain_graph: bool | None = None,
    create_graph: bool = False, allow_unused: bool | None = None, is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:  # fmt: skip
    """The gradients of `outputs` with respect to `inputs`, without touching any `.grad`.

    With `is_grads_batched` each grad_output has a leading batch dim, and so do the results; they
    are computed one after the other here.
    """
    if is_grads_batched:
        rows = zip(*[g.unbind(0) for g in _as_list(grad_outputs)], strict=True)  # type: ignore[attr-defined]
        batch = [
            grad(outputs, inputs, row, True, create_graph, allow_unused, False, materialize_grads)
            for row in rows
        ]
        return tuple(None if gs[0] is None else STACK[0](gs) for gs in zip(*batch, strict=True))
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: "
            "allow_unused=False."
        )
    roots = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    alone = isinstance(inputs, Tensor) or hasattr(inputs, "output_nr")
    chosen = [inputs] if alone else list(inputs)
    given = _sequence_of(grad_outputs, len(roots))
    grads = [
        make_grad(t, g, i, create_graph) for i, (t, g) in enumerate(zip(roots, given, strict=True))
    ]
    keep = create_graph if retain_graph is None else retain_graph
    edges, carried = _root_edges(roots, grads, create_graph)
    capture: dict[Node, dict[int, int]] = {}
    slots = []
    for i, t in enumerate(chosen):
        node, nr = _edge_to(t)
        slots.append(capture.setdefault(node, {}).setdefault(nr, i))
    found = execute(edges, carried, keep, create_graph, capture, only=True)
    if not create_graph:
        step_boundary()
    return tuple(
        _captured(
            i,
            found.get(slot),
            t,
            create_graph,
            bool(allow_unused or materialize_grads),
            materialize_grads,
        )
        for i, (slot, t) in enumerate(zip(slots, chosen, strict=True))
    )


def _as_list(x: Any) -> list[Any]:
    return [x] if isinstance(x, Tensor) else list(x)


STACK: list[Callable[..., Any]] = []  # ops.movement puts `stack` here


def _captured(
    index: int, g: Any, t: Tensor, create: bool, allow_unused: bool, materialize: bool
) -> Any:
    if g is not None:
        return g
    if not allow_unused:
        raise RuntimeError(
            f"The differentiated Tensor at index {index} appears to not have been used in the "
            "graph. Set allow_unused=True if this is the desired behavior."
        )
    return wrap(filled(t._aval, 0)) if materialize else None


def _method_backward(
    self: Tensor, gradient: Any = None, retain_graph: bool | None = None,
    create_graph: bool = False, inputs: Any = None,
) -> None:  # fmt: skip
    """Accumulate this tensor's gradients into the leaves."""
    backward(self, gradient, retain_graph, create_graph, inputs)


GRAD_FN.append(grad_fn_of)
for _name, _value in {
    "requires_grad": property(_requires_grad, _set_requires_grad),
    "grad": property(_get_grad, _set_grad, _del_grad),
    "grad_fn": property(grad_fn_of),
    "is_leaf": property(_is_leaf),
    "retains_grad": property(lambda self: self._retains),
    "output_nr": property(lambda self: self._out_nr),
    "data": property(_get_data, _set_data),
    "_backward_hooks": property(lambda self: self._hooks),
    "requires_grad_": requires_grad_,
    "detach": detach,
    "detach_": detach_,
    "register_hook": register_hook,
    "register_post_accumulate_grad_hook": register_post_accumulate_grad_hook,
    "retain_grad": retain_grad,
    "backward": _method_backward,
    "is_inference": lambda self: self._inference,
}.items():
    setattr(Tensor, _name, _value)
