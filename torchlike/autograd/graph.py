"""torch.autograd.graph: nodes, edges, and hooks on what the graph saves."""

from __future__ import annotations

import itertools
import threading
import weakref
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from ..core.backward import GradientEdge as GradientEdge
from ..core.hooks import RemovableHandle
from ..core.nodes import edge_of
from ..core.record import LOCAL
from ..core.tape import AccumulateGrad
from ..core.tape import Node as Node
from ..core.tensor import Tensor, wrap

GradientEdge.__module__ = __name__


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """The place a tensor's gradient goes to."""
    if not tensor.requires_grad:  # type: ignore[attr-defined]
        raise RuntimeError(
            "It is not possible to get the gradient edge for a Tensor that does not require "
            "gradients"
        )
    return GradientEdge(_node_of(tensor), tensor.output_nr)  # type: ignore[attr-defined]


def _node_of(t: Tensor) -> Node:
    edge = edge_of(t) if t.requires_grad else None  # type: ignore[attr-defined]
    if edge is None:
        raise AssertionError("Expected gradient function to be set")
    return edge[0]


class allow_mutation_on_saved_tensors:
    """Inside, what was saved may be written to: nodes hold the values that they saw."""

    def __enter__(self) -> _AllowMutationOnSavedContext:
        if _AllowMutationOnSavedContext.inside:
            raise RuntimeError("allow_mutation_on_saved_tensors contexts cannot be nested")
        _AllowMutationOnSavedContext.inside = True
        context = self._context = _AllowMutationOnSavedContext()

        def unpack(t: Tensor) -> Tensor:
            if not context.active:
                raise AssertionError(
                    "Trying to backward outside of the 'allow_mutation_on_saved_tensors' context"
                    "in which the graph was originally recorded."
                )
            return t

        self._hooks = saved_tensors_hooks(lambda t: wrap(t._value_now()), unpack)
        self._hooks.__enter__()
        return context

    def __exit__(self, *error: object) -> None:
        self._hooks.__exit__(*error)
        self._context.active = _AllowMutationOnSavedContext.inside = False


class _AllowMutationOnSavedContext:
    """What `allow_mutation_on_saved_tensors` gives."""

    active = True
    inside = False  # of the class: whether one is in progress

    def clear(self) -> None:
        """Forget what was saved inside: its graphs can't be walked any more."""
        self.active = False


class saved_tensors_hooks:
    """Inside, tensors the graph saves go through `pack_hook`, and back through `unpack_hook`."""

    def __init__(
        self, pack_hook: Callable[[Tensor], Any], unpack_hook: Callable[[Any], Tensor]
    ) -> None:
        self.hooks: Any = (pack_hook, unpack_hook)

    def __enter__(self) -> None:
        LOCAL.state.saved_hooks.append(self.hooks)

    def __exit__(self, *_: object) -> None:
        LOCAL.state.saved_hooks.pop()


class save_on_cpu(saved_tensors_hooks):
    """Inside, what the graph saves is kept in the CPU's memory."""

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        if pin_memory:
            raise NotImplementedError("save_on_cpu: pin_memory=True is not supported")
        super().__init__(lambda t: (t.device, t.cpu()), lambda packed: packed[1].to(packed[0]))


class disable_saved_tensors_hooks(saved_tensors_hooks):
    """Inside, saving a tensor under `saved_tensors_hooks` raises the given message."""

    def __init__(self, error_message: str) -> None:
        self.message = error_message

    def __enter__(self) -> None:
        if LOCAL.state.saved_hooks:
            raise RuntimeError(self.message)
        self._saved = LOCAL.state.saved_hooks
        LOCAL.state.saved_hooks = _Refusing(self.message)

    def __exit__(self, *_: object) -> None:
        LOCAL.state.saved_hooks = self._saved


class _Refusing(list):  # type: ignore[type-arg]
    """A stack of hooks on which nothing may be put."""

    def __init__(self, message: str) -> None:
        super().__init__()
        self.message = message

    def append(self, item: Any) -> None:
        raise RuntimeError(self.message)


class _MultiHandle(RemovableHandle):
    def __init__(self, handles: Sequence[RemovableHandle]) -> None:
        self.handles = tuple(handles)

    def remove(self) -> None:
        for handle in self.handles:
            handle.remove()


def register_multi_grad_hook(
    tensors: Sequence[Tensor], fn: Callable[..., None], *, mode: str = "all"
) -> Any:
    """Call `fn` when the gradients of all (or any first) of the tensors are there."""
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    hooks = _first_of(fn) if mode == "any" else _all_of(fn, [_node_of(t) for t in tensors])
    wanted = [t for t in tensors if mode == "all" or t.requires_grad]  # type: ignore[attr-defined]
    return _MultiHandle([t.register_hook(hook) for t, hook in zip(wanted, hooks, strict=False)])  # type: ignore[attr-defined]


def _all_of(fn: Callable[..., None], nodes: Sequence[Any]) -> Iterable[Callable[[Tensor], None]]:
    """Hooks that collect a pass's gradients until as many have come as will come.

    How many is asked at a pass's first gradient and kept across passes, so that a pass inside
    another forgets the outer one's number, as in PyTorch.
    """
    lock, passes = threading.Lock(), weakref.WeakKeyDictionary[Any, dict[int, Any]]()
    expected = 0

    def hook(grad: Tensor, i: int) -> None:
        nonlocal expected
        run = LOCAL.state.runs[-1]
        with lock:
            grads = passes.setdefault(run, {})
            if not grads:
                expected = sum(_will_run(run, node) for node in nodes)
            grads[i] = grad
            complete = len(grads) == expected
        if complete:
            fn([grads.get(k) for k in range(len(nodes))])

    return [partial(hook, i=i) for i in range(len(nodes))]


def _will_run(run: Any, node: Any) -> bool:
    if run.returns and node in run.capture and isinstance(node, AccumulateGrad):
        raise RuntimeError(
            "A leaf node was passed to _will_engine_execute_node but we are currently running "
            "autograd.grad(). This is currently not supported."
        )
    return run.visits(node)


def _first_of(fn: Callable[..., None]) -> Iterable[Callable[[Tensor], None]]:
    """Hooks of which the first in a pass calls `fn`."""
    lock, passes = threading.Lock(), weakref.WeakSet[Any]()

    def hook(grad: Tensor) -> None:
        run = LOCAL.state.runs[-1]
        with lock:
            first = run not in passes
            passes.add(run)
        if first:
            fn(grad)

    return itertools.repeat(hook)


def increment_version(tensor: Any) -> None:
    """Mark tensors as written to."""
    from ..core.tensor import counter_of

    several = [tensor] if isinstance(tensor, Tensor) else tensor
    if not isinstance(several, Iterable):
        raise RuntimeError("increment_version expect a Iterable[Tensor] as input")
    if any(not isinstance(t, Tensor) for t in several):
        raise RuntimeError("increment_version expects each element of the iterable to be a tensor")
    for t in several:
        counter_of(t).version += 1


def region_activation_memory_budget(budget: float) -> Any:
    """For PyTorch's partitioner of compiled graphs; XLA has none, so every call is outside one."""
    name = "torch.autograd.graph.region_activation_memory_budget"
    if isinstance(budget, bool) or not isinstance(budget, (int, float)):
        raise TypeError(f"{name}: expects a float, got {type(budget).__name__}")
    if not 0.0 <= budget <= 1.0:
        raise ValueError(f"{name}: must be in [0, 1], got {budget}")
    raise RuntimeError(
        f"{name} can only be used inside a torch.compile region; it has no effect in eager mode."
    )


def set_warn_on_accumulate_grad_stream_mismatch(enabled: bool) -> None:
    """Of CUDA streams, which JAX has none of: there is never a mismatch to warn of."""
    if not isinstance(enabled, bool):
        raise RuntimeError(f"enabled must be a bool, but got {type(enabled).__name__}")


def set_override_stale_capture_stream(enabled: bool) -> None:
    """Of CUDA streams, which JAX has none of: none can be stale."""
    set_warn_on_accumulate_grad_stream_mismatch(enabled)
