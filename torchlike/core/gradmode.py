"""Grad modes: `no_grad`, `enable_grad`, `inference_mode`, `set_grad_enabled`."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable
from typing import Any

from .record import LOCAL


class GradMode:
    """A context manager and decorator that sets the thread's grad mode."""

    grad_enabled = True
    inference: bool | None = None

    def __init__(self) -> None:
        self._saved: list[tuple[bool, bool]] = []

    def __new__(cls, orig_func: Any = None, *args: Any, **kwargs: Any) -> Any:
        made = super().__new__(cls)
        if orig_func is not None:
            made._saved = []
            made.__init__()
            return made(orig_func)
        return made

    def __enter__(self) -> None:
        state = LOCAL.state
        self._saved.append((state.grad_enabled, state.inference))
        state.grad_enabled = self.grad_enabled
        if self.inference is not None:
            state.inference = self.inference

    def __exit__(self, *_: object) -> None:
        state = LOCAL.state
        state.grad_enabled, state.inference = self._saved.pop()

    def clone(self) -> GradMode:
        return self.__class__()

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.isclass(function):
            warnings.warn(
                "Decorating classes is deprecated and will be disabled in future versions. You "
                "should only decorate functions or methods. To preserve the current behavior of "
                "class decoration, you can directly decorate the `__init__` method and nothing "
                "else.",
                FutureWarning,
                stacklevel=2,
            )
            function.__init__ = self(function.__init__)  # type: ignore[misc]
            return function
        if inspect.isgeneratorfunction(function):
            return _wrap_generator(self, function)

        @functools.wraps(function)
        def inside(*args: Any, **kwargs: Any) -> Any:
            with self.clone():
                return function(*args, **kwargs)

        return inside


def _wrap_generator(mode: GradMode, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def inside(*args: Any, **kwargs: Any) -> Any:
        generator = function(*args, **kwargs)
        resume, payload = generator.send, None
        try:
            while True:
                with mode.clone():
                    try:
                        item = resume(payload)
                    except StopIteration as stop:
                        return stop.value
                try:
                    payload = yield item
                    resume = generator.send
                except GeneratorExit:
                    raise
                except BaseException as error:  # handed into the generator
                    resume, payload = generator.throw, error
        finally:
            with mode.clone():
                generator.close()

    return inside


class no_grad(GradMode):
    """Inside, results do not require grad."""

    grad_enabled = False


class enable_grad(GradMode):
    """Inside, gradients are recorded, also within `no_grad`."""


class inference_mode(GradMode):
    """Like `no_grad`, and tensors made inside can never take part in autograd."""

    def __new__(cls, mode: Any = True) -> Any:
        if not isinstance(mode, bool):
            return cls()(mode)
        return object.__new__(cls)

    def __init__(self, mode: bool = True) -> None:
        super().__init__()
        self.inference, self.grad_enabled = mode, not mode

    def __enter__(self) -> None:
        super().__enter__()
        if not self.inference:
            LOCAL.state.grad_enabled = True

    def clone(self) -> inference_mode:
        return inference_mode(bool(self.inference))


class set_grad_enabled(GradMode):
    """Set the grad mode at once; as a context manager, put it back afterwards."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return object.__new__(cls)

    def __init__(self, mode: bool) -> None:
        super().__init__()
        if not isinstance(mode, bool):
            raise TypeError(
                "set_grad_enabled(): argument 'enabled' (position 1) must be bool, not "
                f"{type(mode).__name__}"
            )
        self.mode = self.grad_enabled = mode
        state = LOCAL.state
        self._saved.append((state.grad_enabled, state.inference))
        state.grad_enabled = self.mode

    def __enter__(self) -> None:
        LOCAL.state.grad_enabled = self.mode

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        LOCAL.state.grad_enabled, _ = self._saved[-1]
        return super().__call__(function)

    def __repr__(self) -> str:
        return f"torch.autograd.grad_mode.set_grad_enabled(mode={self.mode})"

    def clone(self) -> set_grad_enabled:
        return set_grad_enabled(self.mode)


def is_grad_enabled() -> bool:
    """Whether this thread records gradients."""
    return LOCAL.state.grad_enabled


def is_inference_mode_enabled() -> bool:
    """Whether this thread is in inference mode."""
    return LOCAL.state.inference
