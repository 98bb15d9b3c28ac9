"""How XLA is asked for programs, and the memory that they take."""

from __future__ import annotations

import ctypes
import functools
import os
from collections.abc import Callable
from typing import Any

import jax

# On CPU. Convolutions go by Eigen's products, not by YNNPACK's, which have half their speed at up
# to 64 channels (16 × 64 × 32²: 82 and 151 GFLOP/s); XLA's other two uses of YNNPACK stay. Vectors
# are as wide as the machine's: a chain of sines takes two thirds of the time.
OPTIONS: dict[str, Any] = {
    "xla_cpu_experimental_ynn_fusion_type":
        "LIBRARY_FUSION_TYPE_INDIVIDUAL_DOT,LIBRARY_FUSION_TYPE_REDUCE",
    "xla_cpu_prefer_vector_width": 512,
}  # fmt: skip

KEPT = 1 << 30  # bytes of freed memory that malloc may keep
ARENAS = 2  # one is 10 % slower where steps are small, more keep memory each to themselves
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # of glibc's malloc.h


@functools.cache
def options() -> dict[str, Any]:
    """OPTIONS, or none: they are XLA's own, and another release of it may not know them."""
    try:
        jax.jit(lambda: 0, compiler_options=OPTIONS).lower().compile()
    except jax.errors.JaxRuntimeError:
        return {}
    return OPTIONS


def jitted(fun: Callable[..., Any], donated: Any = ()) -> Any:
    """`jax.jit` with these options; with hundreds of arrays its calls are the quickest."""
    return jax.jit(fun, donate_argnums=donated, compiler_options=options() or None)


def compiled(fun: Callable[..., Any], *arguments: Any, donated: Any = ()) -> Any:
    """The program of a function for arguments of these shapes."""
    lowered = jax.jit(fun, donate_argnums=donated).lower(*arguments)
    return lowered.compile(compiler_options=options() or None)


def keep_memory() -> None:
    """Have glibc keep what programs free for the next step.

    A step asks for its temporary memory anew each time: handed back to the system in between, it
    comes page by page (10 to 60 thousand faults a step of a CNN or GPT, a fifth of its time). Left
    alone where the environment says something of malloc's, and where there is no mallopt.
    """
    if any(name.startswith(("MALLOC_", "GLIBC_TUNABLES")) for name in os.environ):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    if mallopt is not None:
        mallopt(M_ARENA_MAX, ARENAS)
        mallopt(M_MMAP_THRESHOLD, KEPT)
        mallopt(M_TRIM_THRESHOLD, KEPT)
