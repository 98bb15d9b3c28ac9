"""torch.autograd.profiler: regions can be named; nothing is measured here.

JAX has a profiler of its own (`jax.profiler.trace`), which sees the programs that torchlike runs.
"""

from __future__ import annotations

from contextlib import ContextDecorator
from typing import Any


class record_function(ContextDecorator):
    """Names a region for a profiler; as in PyTorch nothing happens while none is running."""

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name, self.args = name, args

    def __enter__(self) -> record_function:
        return self

    def __exit__(self, *_: object) -> None:
        return None


def _refusing(name: str) -> Any:
    def refuse(*_: Any, **__: Any) -> Any:
        raise NotImplementedError(
            f"torch.autograd.profiler.{name} is not supported: jax.profiler.trace profiles the "
            "programs that are run"
        )

    refuse.__name__ = name
    return refuse


profile = _refusing("profile")
emit_nvtx = _refusing("emit_nvtx")
emit_itt = _refusing("emit_itt")
load_nvprof = _refusing("load_nvprof")
