"""torch.compile and torch.compiler. Every op is recorded and fused anyway, so `compile` changes
nothing but what PyTorch's version changes for a user: a Module comes back wrapped."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from .nn import Module

_MODES = (
    "default", "lite", "reduce-overhead", "max-autotune-no-cudagraphs", "max-autotune",
)  # fmt: skip
_BACKENDS = ("cudagraphs", "eager", "inductor", "openxla", "tvm")


class InvalidBackend(RuntimeError):
    """A back end of `torch.compile` that does not exist."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Invalid backend: {name!r}, see `torch._dynamo.list_backends()` for available "
            "backends."
        )


class OptimizedModule(Module):
    """A compiled module: the original is `_orig_mod`, and its attributes are found here too."""

    def __init__(self, mod: Module) -> None:
        super().__init__()
        self._orig_mod = mod
        self.training = mod.training

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self._orig_mod(*args, **kwargs)

    def train(self, mode: bool = True) -> Any:
        """As for any module."""
        self._orig_mod.train(mode)
        return super().train(mode)

    def __getattr__(self, name: str) -> Any:
        if name == "_orig_mod":
            return self._modules["_orig_mod"]
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(self._orig_mod, name)


def compile(
    model: Any = None, *, fullgraph: bool = False, dynamic: bool | None = None,
    backend: str | Callable[..., Any] = "inductor", mode: str | None = None,
    options: dict[str, Any] | None = None, disable: bool = False,
) -> Any:  # fmt: skip
    """The function, to be called as it is; a Module comes back wrapped, as in PyTorch.

    `fullgraph`, `dynamic`, `mode`, `options` and `disable` say how PyTorch would compile: what is
    called here is recorded and fused in any case. Usable as a decorator, with or without arguments.
    """
    settings = {"fullgraph": fullgraph, "dynamic": dynamic, "backend": backend, "mode": mode}
    if model is None:
        return functools.partial(compile, **settings, options=options, disable=disable)
    if mode is not None and options is not None:
        raise RuntimeError(
            "Either mode or options can be specified, but both can't be specified at the same time."
        )
    if mode is not None and mode not in _MODES:
        raise RuntimeError(f"Unrecognized mode={mode}, should be one of: {', '.join(_MODES)}")
    if isinstance(backend, str) and backend not in _BACKENDS:
        raise InvalidBackend(backend)
    if not callable(model):
        raise AssertionError(f"A callable function is expected, but {type(model)} is provided.")
    if isinstance(model, Module):
        return OptimizedModule(model)
    return model if isinstance(model, type) else _called(model)


def _called(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function, updated=())
    def compiled(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return compiled


# ----- torch.compiler -----
def is_compiling() -> bool:
    """Whether a compiler is tracing the caller: never, Python runs every call."""
    return False


is_dynamo_compiling = is_exporting = is_compiling


def disable(fn: Any = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    """The function itself: nothing is compiled that could be left out."""
    return (lambda f: f) if fn is None else fn


def allow_in_graph(fn: Any) -> Any:
    """The function itself."""
    return fn


assume_constant_result = allow_in_graph


def reset() -> None:
    """Forget compiled code: there is none of `compile`'s own."""


def list_backends(exclude_tags: Any = ("debug", "experimental")) -> list[str]:
    """The names `compile` takes as `backend`."""
    return [name for name in _BACKENDS if name != "eager"]


def cudagraph_mark_step_begin() -> None:
    """Nothing: there are no CUDA graphs."""


__all__ = [
    "allow_in_graph", "assume_constant_result", "compile", "cudagraph_mark_step_begin", "disable",
    "is_compiling", "is_dynamo_compiling", "is_exporting", "list_backends", "reset",
]  # fmt: skip
