"""What checkpoint's `debug` tells: the ops of the first run and those of the rerun."""

from __future__ import annotations

from typing import Any

from ..core.dispatch import call, call_view
from ..core.record import LOCAL
from ..core.tensor import Tensor


class OpLog:
    """Entered once per run; writes down every op called inside."""

    def __init__(self) -> None:
        self.runs: list[list[str]] = []

    def __enter__(self) -> None:
        state = LOCAL.state
        self.outer = outer = state.interposed
        ops: list[str] = []
        self.runs.append(ops)

        def said(op: Any, inputs: Any, statics: Any) -> Any:
            ops.append(f"{op.name}({', '.join(map(_said, inputs))})")
            state.interposed = outer
            try:
                return (call_view if op.view else call)(op, inputs, statics)
            finally:
                state.interposed = said

        state.interposed = said

    def __exit__(self, *_: object) -> None:
        LOCAL.state.interposed = self.outer

    def told(self) -> str:
        """The ops of the first and of the last run, one a line."""
        lines = ["An error happened while unpacking tensors; the operations of both runs follow."]
        for name, ops in (("original", self.runs[0]), ("recompute", self.runs[-1])):
            lines += [f"\nOperations executed during {name}:\n", *ops]
        return "\n".join(lines) + "\n"


def _said(x: Any) -> str:
    if not isinstance(x, Tensor):
        return repr(x)
    return f"{x.dtype}[{', '.join(map(str, x.shape))}]"
