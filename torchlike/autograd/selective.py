"""Selective checkpoints: a policy tells which ops' results are kept and not computed again."""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from ..core.dispatch import call, call_view
from ..core.record import LOCAL
from ..core.tensor import Tensor
from ..ops.aten import UNSEEN, OpOverload, OpOverloadPacket, overload_of

_TWICE = (
    "Trying to backward an extra time. You are only allowed to backward once on any region "
    "computed under selective activation checkpoint."
)


class CheckpointPolicy(enum.Enum):
    """What becomes of an op's results: kept, or computed again in backward."""

    MUST_SAVE = 0
    PREFER_SAVE = 1
    MUST_RECOMPUTE = 2
    PREFER_RECOMPUTE = 3
    MUST_CPU_OFFLOAD = 4
    PREFER_CPU_OFFLOAD = 5


_KEPT = (CheckpointPolicy.MUST_SAVE, CheckpointPolicy.PREFER_SAVE)
_OFFLOADED = (CheckpointPolicy.MUST_CPU_OFFLOAD, CheckpointPolicy.PREFER_CPU_OFFLOAD)


class SelectiveCheckpointContext:
    """What a policy is told about the run."""

    def __init__(self, *, is_recompute: bool, op_output: Any = None) -> None:
        self.is_recompute, self.op_output = is_recompute, op_output


class _Watch:
    """A context in which every op is seen by `self.seen`."""

    def __enter__(self) -> None:
        state = LOCAL.state
        self.outer = outer = state.interposed

        def between(op: Any, inputs: Any, statics: Any) -> Any:
            state.interposed = outer
            try:
                out = (call_view if op.view else call)(op, inputs, statics)
                if not op.view and op.name not in UNSEEN:
                    self.seen(op, inputs, statics, out if isinstance(out, tuple) else (out,))
            finally:
                state.interposed = between
            return out

        state.interposed = between

    def __exit__(self, *_: object) -> None:
        LOCAL.state.interposed = self.outer

    def seen(self, op: Any, inputs: Any, statics: Any, outs: tuple[Tensor, ...]) -> None:
        raise NotImplementedError


class _Keeping(_Watch):
    """The first run: asks the policy, and keeps what it wants."""

    def __init__(self, policy: Callable[..., Any], kept: dict[str, list[Any]]) -> None:
        self.policy, self.kept = policy, kept

    def seen(self, op: Any, inputs: Any, statics: Any, outs: tuple[Tensor, ...]) -> None:
        overload = overload_of(op, inputs, statics)
        output = outs if len(outs) > 1 else outs[0]
        told = SelectiveCheckpointContext(is_recompute=False, op_output=output)
        wanted = self.policy(told, overload, *inputs)
        if isinstance(wanted, bool):
            wanted = CheckpointPolicy.MUST_SAVE if wanted else CheckpointPolicy.PREFER_RECOMPUTE
        if wanted in _OFFLOADED:
            raise NotImplementedError(f"create_selective_checkpoint_contexts: {wanted}")
        values = [t._value_now() for t in outs] if wanted in _KEPT else None
        self.kept[str(overload)].append(values)


class _Using(_Watch):
    """The rerun: where a result was kept it takes the place of the new one, which never runs."""

    def __init__(self, kept: dict[str, list[Any]]) -> None:
        self.kept, self.used = kept, False

    def __enter__(self) -> None:
        if self.used:
            raise RuntimeError(_TWICE)
        self.used = True
        super().__enter__()

    def seen(self, op: Any, inputs: Any, statics: Any, outs: tuple[Tensor, ...]) -> None:
        waiting = self.kept.get(str(overload_of(op, inputs, statics)))
        if not waiting:
            raise RuntimeError(f"{op.name} encountered during backward, but not found in storage")
        values = waiting.pop(0)
        for t, value in zip(outs, values or (), strict=False):
            _replace_saved(t, value)
            t._storage.value = value


def _replace_saved(t: Tensor, value: Any) -> None:
    """A rerun's hooks may have packed the result that is about to be replaced."""
    node, old = t._grad_fn, t._storage.value
    for item in getattr(node, "saved", None) or ():
        packed = getattr(item, "item", None)
        if isinstance(packed, Tensor) and packed._storage.value is old:
            packed._storage.value = value


def create_selective_checkpoint_contexts(
    policy_fn_or_list: Any, allow_cache_entry_mutation: bool = False
) -> tuple[Any, Any]:
    """The two contexts of `checkpoint(context_fn=)`, by a policy or a list of ops to keep.

    Results are immutable values: `allow_cache_entry_mutation` changes nothing.
    """
    kept: dict[str, list[Any]] = defaultdict(list)
    return _Keeping(_policy_of(policy_fn_or_list), kept), _Using(kept)


def _policy_of(given: Any) -> Callable[..., Any]:
    if callable(given):
        return given
    if not isinstance(given, list):
        raise TypeError("policy_fn_or_list must be either a function or a list of ops.")
    for op in given:
        if not isinstance(op, OpOverload):
            raise ValueError(
                f"Expected op in `op_list` to be an OpOverload but got: {op} of type {type(op)}. "
                + _HINT * isinstance(op, OpOverloadPacket)
            )
    return _of_list(given)


_HINT = (
    "Please update the OpOverloadPacket to a specific OpOverload.For example, if you have "
    "`torch.ops.aten.mm`, change it to `torch.ops.aten.mm.default`."
)


def _of_list(ops: Sequence[OpOverload]) -> Callable[..., Any]:
    def policy(ctx: Any, op: OpOverload, *args: Any, **kwargs: Any) -> CheckpointPolicy:
        kept = CheckpointPolicy.MUST_SAVE, CheckpointPolicy.PREFER_RECOMPUTE
        return kept[op not in ops]

    return policy
