"""torch.utils.checkpoint: keep a part's inputs, not what its graph saves, and run it again."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from ..amp.autocast_mode import as_now
from ..core.backward import backward
from ..core.record import LOCAL
from ..core.rng import default_generator
from ..core.tape import enable_grad, no_grad
from ..core.tensor import Tensor
from ..nn import Sequential
from ..utils._pytree import tree_leaves
from .function import Function
from .graph import saved_tensors_hooks
from .op_log import OpLog
from .selective import CheckpointPolicy as CheckpointPolicy
from .selective import SelectiveCheckpointContext as SelectiveCheckpointContext
from .selective import create_selective_checkpoint_contexts as create_selective_checkpoint_contexts

_BE_EXPLICIT = (
    "torch.utils.checkpoint: the use_reentrant parameter should be passed explicitly. Starting in "
    "PyTorch 2.9, calling checkpoint without use_reentrant will raise an exception. "
    "use_reentrant=False is recommended, but if you need to preserve the current default behavior, "
    "you can pass use_reentrant=True. Refer to docs for more details on the differences between "
    "the two variants."
)
_BE_EXPLICIT_SEQUENTIAL = (
    "torch.utils.checkpoint.checkpoint_sequential: the use_reentrant parameter should be passed "
    "explicitly. In version 2.9 we will raise an exception if use_reentrant is not passed. "
    "use_reentrant=False is recommended, but if you need to preserve the current default behavior, "
    "you can pass use_reentrant=True. Refer to docs for more details on the differences between "
    "the two variants."
)


_TIP = """
Tip: To see a more detailed error message, either pass `debug=True` to
`torch.utils.checkpoint.checkpoint(...)` or wrap the code block
with `with torch.utils.checkpoint.set_checkpoint_debug_enabled(True):` to
enable checkpoint\u2011debug mode globally.

If this error occurs under torch.compile with automatic_dynamic_shapes enabled,
it may be because the recomputation selected a different compiled graph than the
forward pass (e.g., a dynamic graph instead of the original static graph).
To fix this, either:
  - Use torch._dynamo.mark_dynamic() to explicitly mark varying dimensions as
    dynamic upfront, avoiding the static-to-dynamic transition.
  - Call torch._C._dynamo.eval_frame._set_lru_cache(False) to disable LRU cache
    reordering, which can change which graph is checked first between forward
    and recompute.
See https://github.com/pytorch/pytorch/issues/166926 for more details and
workaround examples.
"""


class CheckpointError(RuntimeError):
    """The rerun saved other tensors than the first run."""


class _Enough(Exception):
    """Ends a rerun when everything that was saved has been saved again."""


def noop_context_fn() -> tuple[Any, Any]:
    """The contexts of the first run and of the rerun: none."""
    return contextlib.nullcontext(), contextlib.nullcontext()


def checkpoint(
    function: Callable[..., Any], *args: Any, use_reentrant: bool | None = None,
    context_fn: Callable[[], tuple[Any, Any]] = noop_context_fn, determinism_check: str = "default",
    debug: bool = False, early_stop: bool = True, **kwargs: Any,
) -> Any:  # fmt: skip
    """`function(*args)`, which runs a second time in backward instead of saving tensors now."""
    if use_reentrant is None:
        warnings.warn(_BE_EXPLICIT, UserWarning, stacklevel=2)
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if use_reentrant:
        _only(kwargs)
        if context_fn is not noop_context_fn or debug is not False:
            raise ValueError(
                "Passing `context_fn` or `debug` is only supported when use_reentrant=False."
            )
        return CheckpointFunction.apply(function, preserve, *args)
    if determinism_check not in ("default", "none"):
        raise ValueError(
            f"determinism_check should be one of ['default', 'none'], but got {determinism_check}"
        )
    frame = _Frame(function, args, kwargs, preserve, determinism_check == "default")
    frame.early_stop = _early_stop[-1] if _early_stop else early_stop
    if _debug[-1] if _debug and _debug[-1] is not None else debug:
        if context_fn is not noop_context_fn:
            raise ValueError("debug=True is incompatible with non-default context_fn")
        frame.log = OpLog()
    forward_context, frame.context = context_fn()
    with saved_tensors_hooks(frame.pack, frame.unpack), forward_context, frame.logged():
        return function(*args, **kwargs)


def _only(kwargs: dict[str, Any]) -> None:
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))


@contextlib.contextmanager
def _stream_as(state: bytes | None) -> Iterator[None]:
    """Draw the random numbers of the first run again."""
    if state is None:
        yield
        return
    now = default_generator.save()
    default_generator.load(state)
    try:
        yield
    finally:
        default_generator.load(now)


class DefaultDeviceType:
    """The kind of device whose random state is kept beside the CPU's."""

    _name = "cpu"

    @staticmethod
    def set_device_type(device: str = "cpu") -> None:
        """Set it."""
        DefaultDeviceType._name = device

    @staticmethod
    def get_device_type() -> str:
        """What was set."""
        return DefaultDeviceType._name


def _on_accelerators(tree: Any) -> list[Any]:
    return [
        x.device for x in tree_leaves(tree) if isinstance(x, Tensor) and x.device.type != "cpu"
    ]


def get_device_states(*args: Any) -> tuple[list[int], list[Any]]:
    """The accelerators that tensors are on, and the state of their generators."""
    indices = sorted({device.index or 0 for device in _on_accelerators(args)})
    if indices:
        raise NotImplementedError("get_device_states: tensors on accelerators are not supported")
    return indices, []


def set_device_states(
    devices: Sequence[int], states: Sequence[Any], *, device_type: str | None = None
) -> None:
    """Put back what `get_device_states` gave: on the CPU there is nothing to put back."""
    if devices or states:
        raise NotImplementedError("set_device_states: accelerators are not supported")


# ----- without reentering the engine -----
class _Frame:
    """One checkpointed call: how to run it again, and what it saved (by position)."""

    context: Any
    early_stop: bool
    log: OpLog | None = None

    def __init__(self, function: Any, args: Any, kwargs: Any, preserve: bool, check: bool) -> None:
        self.function, self.args, self.kwargs, self.check = function, args, kwargs, check
        self.state = default_generator.save() if preserve else None
        self.autocast = as_now()
        self.kinds: list[Any] = []  # of each tensor saved: shape, dtype, device
        self.again: dict[int, Tensor] = {}  # saved by the rerun, until it is used

    def pack(self, t: Tensor) -> int:
        self.kinds.append(_kind(t))
        return len(self.kinds) - 1

    def unpack(self, at: int) -> Tensor:
        if at not in self.again:
            self.rerun()
        return self.again.pop(at)

    def logged(self) -> Any:
        return contextlib.nullcontext() if self.log is None else self.log

    def rerun(self) -> None:
        try:
            self._rerun()
        except CheckpointError as error:
            if self.log is None:
                raise
            raise CheckpointError(self.log.told()) from error

    def _rerun(self) -> None:
        kinds: list[Any] = []
        self.again.clear()

        def pack(t: Tensor) -> Tensor:
            self.again[len(kinds)] = t.detach()  # type: ignore[attr-defined]
            kinds.append(_kind(t))
            if len(kinds) > len(self.kinds):
                raise CheckpointError(
                    "torch.utils.checkpoint: trying to save more tensors during recomputation than "
                    "during the original forward pass.\n" + _TIP
                )
            if self.early_stop and len(kinds) == len(self.kinds):
                raise _Enough
            return t

        with _stream_as(self.state), enable_grad(), saved_tensors_hooks(pack, lambda t: t):
            ended = contextlib.suppress(_Enough)
            with ended, self.context, self.autocast(), self.logged():
                self.function(*self.args, **self.kwargs)
        self.compare(kinds)

    def compare(self, kinds: list[Any]) -> None:
        if len(kinds) != len(self.kinds):
            raise CheckpointError(
                "torch.utils.checkpoint: A different number of tensors was saved during the "
                "original forward and recomputation.\n"
                f"Number of tensors saved during forward: {len(self.kinds)}\n"
                f"Number of tensors saved during recomputation: {len(kinds)}.\n" + _TIP
            )
        other = [i for i, (a, b) in enumerate(zip(self.kinds, kinds, strict=True)) if a != b]
        if self.check and other:
            text = "".join(
                f"tensor at position {i}:\nsaved metadata: {self.kinds[i]}\n"
                f"recomputed metadata: {kinds[i]}\n"
                for i in other
            )
            raise CheckpointError(
                "torch.utils.checkpoint: Recomputed values for the following tensors have "
                f"different metadata than during the forward pass.\n{text}.\n" + _TIP
            )


def _kind(t: Tensor) -> dict[str, Any]:
    return {"shape": t.shape, "dtype": t.dtype, "device": t.device}


_debug: list[bool | None] = []


@contextlib.contextmanager
def set_checkpoint_debug_enabled(enabled: bool | None) -> Iterator[None]:
    """Inside, whether errors tell the ops of both runs; None leaves that to `debug`."""
    _debug.append(enabled)
    try:
        yield
    finally:
        _debug.pop()


_early_stop: list[bool] = []


@contextlib.contextmanager
def set_checkpoint_early_stop(enable: bool) -> Iterator[None]:
    """Inside, whether a rerun ends as soon as everything was saved again."""
    _early_stop.append(enable)
    try:
        yield
    finally:
        _early_stop.pop()


# ----- reentering the engine -----
def detach_variable(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The tensors among the inputs as leaves."""
    if not isinstance(inputs, tuple):
        raise RuntimeError(
            "Only tuple of tensors is supported. Got Unsupported input type: "
            f"{type(inputs).__name__}"
        )
    found = []
    for x in inputs:
        if isinstance(x, Tensor):
            leaf = x.detach()  # type: ignore[attr-defined]
            leaf.requires_grad = x.requires_grad  # type: ignore[attr-defined]
            x = leaf
        found.append(x)
    return tuple(found)


def check_backward_validity(inputs: Iterable[Any]) -> None:
    """Warn when no input requires grad."""
    if not any(x.requires_grad for x in inputs if isinstance(x, Tensor)):  # type: ignore[attr-defined]
        warnings.warn(
            "None of the inputs have requires_grad=True. Gradients will be None", stacklevel=2
        )


class CheckpointFunction(Function):
    """The function as one node, whose backward runs it again with a graph."""

    @staticmethod
    def forward(ctx: Any, run_function: Any, preserve_rng_state: bool, *args: Any) -> Any:
        check_backward_validity(args)
        ctx.run_function = run_function
        ctx.state = default_generator.save() if preserve_rng_state else None
        ctx.autocast = as_now()
        ctx.others = [None if isinstance(x, Tensor) else x for x in args]
        ctx.places = [i for i, x in enumerate(args) if isinstance(x, Tensor)]
        ctx.save_for_backward(*[args[i] for i in ctx.places])
        with no_grad():
            return run_function(*args)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        if LOCAL.state.runs[-1].only:
            raise RuntimeError(
                "When use_reentrant=True, torch.utils.checkpoint is incompatible with .grad() or "
                "passing an `inputs` parameter to .backward(). To resolve this error, you can "
                "either set use_reentrant=False, or call .backward() without passing the `inputs` "
                "argument."
            )
        inputs = list(ctx.others)
        for i, t in zip(ctx.places, ctx.saved_tensors, strict=True):
            inputs[i] = t
        leaves = detach_variable(tuple(inputs))
        with _stream_as(ctx.state), enable_grad(), ctx.autocast():
            outs = ctx.run_function(*leaves)
        outs = outs if isinstance(outs, (tuple, list)) else (outs,)
        wanted = [
            (o, g)
            for o, g in zip(outs, grads, strict=True)
            if isinstance(o, Tensor) and o.requires_grad  # type: ignore[attr-defined]
        ]
        if not wanted:
            raise RuntimeError(
                "none of output has requires_grad=True, this checkpoint() is not necessary"
            )
        backward([o for o, _ in wanted], [g for _, g in wanted])
        found = [x.grad if isinstance(x, Tensor) else None for x in leaves]  # type: ignore[attr-defined]
        return (None, None, *found)


# ----- a chain of modules -----
def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, **kwargs: Any
) -> Any:
    """A chain cut into segments, all but the last of them checkpointed."""
    if use_reentrant is None:
        warnings.warn(_BE_EXPLICIT_SEQUENTIAL, UserWarning, stacklevel=2)
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    _only(kwargs)
    chain = list(functions.children()) if isinstance(functions, Sequential) else list(functions)
    size = len(chain) // segments
    for start in range(0, size * (segments - 1), size):
        part = _chained(chain[start : start + size])
        input = checkpoint(part, input, use_reentrant=use_reentrant, preserve_rng_state=preserve)
    return _chained(chain[size * (segments - 1) :])(input)


def _chained(functions: Sequence[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    def run(input: Any) -> Any:
        for function in functions:
            input = function(input)
        return input

    return run
