"""torch.compile and torch.compiler: a function's ops are one window, compiled at its first call."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

from .core.run import compile_window, step_boundary
from .core.tensor import Tensor
from .nn import Module
from .utils._pytree import tree_leaves

_MODES = (
    "default", "lite", "reduce-overhead", "max-autotune-no-cudagraphs", "max-autotune",
)  # fmt: skip
_BACKENDS = ("cudagraphs", "inductor", "openxla", "tvm")
_DEBUG_BACKENDS = ("aot_eager", "eager")
_default_backend = ["inductor"]


class InvalidBackend(RuntimeError):
    """A back end of `torch.compile` that does not exist."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Invalid backend: {name!r}, see `torch._dynamo.list_backends()` for available "
            "backends."
        )


class OptimizedModule(Module):
    """A compiled module: the original is `_orig_mod`, and its attributes are found here too."""

    def __init__(self, mod: Module, settings: _Settings) -> None:
        super().__init__()
        self._orig_mod = mod
        self.training = mod.training
        object.__setattr__(self, "_compiled", _called(mod, settings))

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self._compiled(*args, **kwargs)

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


class _Stance:
    """What compiled functions do at a call: `set_stance` changes it, also for a `with` block."""

    names = (
        "default", "force_eager", "eager_on_recompile", "fail_on_recompile", "eager_then_compile",
        "aot_eager_then_compile",
    )  # fmt: skip
    now = "default"

    def __init__(self, stance: str) -> None:
        if stance not in self.names:
            raise RuntimeError(f"invalid torch.compile stance {stance!r}")
        self.before, _Stance.now = _Stance.now, stance

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None:
        _Stance.now = self.before

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        stance, _Stance.now = _Stance.now, self.before

        @functools.wraps(function)
        def inside(*args: Any, **kwargs: Any) -> Any:
            with _Stance(stance):
                return function(*args, **kwargs)

        return inside


class _Settings(NamedTuple):
    """What of `compile`'s arguments matters here."""

    at_once: bool
    limit: int


def compile(
    model: Any = None, *, fullgraph: bool = False, dynamic: bool | None = None,
    backend: str | Callable[..., Any] | None = None, mode: str | None = None,
    options: dict[str, Any] | None = None, name: str | None = None, disable: bool = False,
    recompile_limit: int | None = None, isolate_recompiles: bool = False, shapes_spec: Any = None,
) -> Any:  # fmt: skip
    """The function, whose ops become one program at its first call, not once they are hot.

    Python runs at every call, so nothing is frozen and there are no graph breaks: `fullgraph` and
    `isolate_recompiles` hold by themselves, `mode` and `options` choose among what only PyTorch's
    compiler has. After `recompile_limit` (8) sets of argument shapes, or with `dynamic=True`, new
    shapes wait until they are hot. A Module comes back wrapped. Usable as a decorator.
    """
    if model is None:
        return functools.partial(
            compile, fullgraph=fullgraph, dynamic=dynamic, backend=backend, mode=mode,
            options=options, name=name, disable=disable, recompile_limit=recompile_limit,
            isolate_recompiles=isolate_recompiles, shapes_spec=shapes_spec,
        )  # fmt: skip
    _check(model, backend, mode, options, shapes_spec)
    chosen = _default_backend[0] if backend is None else backend
    at_once = not disable and dynamic is not True and chosen not in ("eager", "aot_eager")
    settings = _Settings(at_once, 8 if recompile_limit is None else recompile_limit)
    if isinstance(model, Module):
        return OptimizedModule(model, settings)
    return model if isinstance(model, type) or disable else _called(model, settings)


def _check(model: Any, backend: Any, mode: Any, options: Any, shapes_spec: Any) -> None:
    if mode is not None and options is not None:
        raise RuntimeError(
            "Either mode or options can be specified, but both can't be specified at the same time."
        )
    if mode is not None and mode not in _MODES:
        raise RuntimeError(f"Unrecognized mode={mode}, should be one of: {', '.join(_MODES)}")
    if isinstance(backend, str) and backend not in (*_BACKENDS, *_DEBUG_BACKENDS):
        raise InvalidBackend(backend)
    if not callable(model):
        raise AssertionError(f"A callable function is expected, but {type(model)} is provided.")
    if backend is not None and not isinstance(backend, str):
        raise NotImplementedError("compile: a function as backend: there is no FX graph to give it")
    if shapes_spec is not None:
        raise NotImplementedError("compile: shapes_spec is not supported")


def _called(function: Callable[..., Any], settings: _Settings) -> Callable[..., Any]:
    shapes: set[Any] = set()

    @functools.wraps(function, updated=())
    def compiled(*args: Any, **kwargs: Any) -> Any:
        if not settings.at_once or _Stance.now == "force_eager":
            return function(*args, **kwargs)
        given = tuple([x._aval for x in tree_leaves((args, kwargs)) if isinstance(x, Tensor)])
        if given not in shapes and len(shapes) >= settings.limit:
            return function(*args, **kwargs)
        shapes.add(given)
        step_boundary()
        out = function(*args, **kwargs)
        compile_window(open_end=any(_has_graph(x) for x in tree_leaves(out)))
        return out

    compiled._torchdynamo_orig_callable = function  # type: ignore[attr-defined]
    return compiled


def _has_graph(x: Any) -> bool:
    """Whether `backward` will go on from here: it joins the window then."""
    return isinstance(x, Tensor) and x._grad_fn is not None


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
    hidden = "debug" in (exclude_tags or ())
    return sorted(_BACKENDS if hidden else (*_BACKENDS, *_DEBUG_BACKENDS))


def set_stance(
    stance: str = "default", *, skip_guard_eval_unsafe: bool = False, force_backend: Any = None
) -> Any:
    """What compiled functions do from now on, or in a `with` block: `force_eager` marks nothing."""
    if skip_guard_eval_unsafe or force_backend is not None:
        raise NotImplementedError("set_stance: skip_guard_eval_unsafe and force_backend")
    return _Stance(stance)


def get_default_backend() -> str:
    """The backend of a `compile` that names none."""
    return _default_backend[0]


def set_default_backend(backend: str) -> None:
    """Choose the backend of a `compile` that names none."""
    if backend not in (*_BACKENDS, *_DEBUG_BACKENDS):
        raise InvalidBackend(backend)
    _default_backend[0] = backend


def nested_compile_region(
    fn: Any = None, *, options: Any = None, max_reuse_entries: int = 8, reuse_hash_fn: Any = None
) -> Any:
    """The function itself: a region becomes part of its caller's window."""
    return (lambda f: f) if fn is None else fn


def cudagraph_mark_step_begin() -> None:
    """Nothing: there are no CUDA graphs."""


__all__ = [
    "allow_in_graph", "assume_constant_result", "compile", "cudagraph_mark_step_begin", "disable",
    "get_default_backend", "is_compiling", "is_dynamo_compiling", "is_exporting", "list_backends",
    "nested_compile_region", "reset", "set_default_backend", "set_stance",
]  # fmt: skip
