"""torch.futures: results that may not be there yet."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from types import GenericAlias
from typing import Any

log = logging.getLogger(__name__)


class Future:
    """A result, or an error, that somebody sets once; callbacks run as soon as it is there."""

    def __init__(self, *, devices: list[Any] | None = None) -> None:
        if devices:
            raise NotImplementedError(f"torch.futures.Future: devices={devices} is not supported")
        self._set, self._lock = threading.Event(), threading.Lock()
        self._result: Any = None
        self._error: Exception | None = None
        self._callbacks: list[Callable[[Future], Any]] = []

    __class_getitem__ = classmethod(GenericAlias)  # annotations: Future[Tensor]

    def done(self) -> bool:
        """Whether it is there."""
        return self._set.is_set()

    def wait(self) -> Any:
        """The result, as soon as it is there; raises the error that was set."""
        self._set.wait()
        return self.value()

    def value(self) -> Any:
        """The result, which must be there."""
        if not self.done():
            raise RuntimeError("torch.futures.Future.value: it is not completed yet")
        if self._error is not None:
            raise self._error
        return self._result

    def set_result(self, result: Any) -> None:
        """Sets the result: once."""
        self._complete(result, None)

    def set_exception(self, result: Exception) -> None:
        """Sets an error, which `wait` raises."""
        if not isinstance(result, Exception):
            raise AssertionError(f"{result} is of type {type(result)}, not an Exception.")
        self._complete(None, result)

    def _complete(self, result: Any, error: Exception | None) -> None:
        with self._lock:
            if self.done():
                raise RuntimeError(
                    "Attempting to mark a completed Future as complete again. Note that a Future "
                    "can only be marked completed once."
                )
            self._result, self._error = result, error
            self._set.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback(self)

    def _when_done(self, callback: Callable[[Future], Any]) -> None:
        with self._lock:
            if not self.done():
                self._callbacks.append(callback)
                return
        callback(self)

    def add_done_callback(self, callback: Callable[[Future], Any]) -> None:
        """Calls `callback(self)` once it is there; what that raises is logged only."""

        def guarded(future: Future) -> None:
            try:
                callback(future)
            except Exception:
                log.exception("Got the following error when running the callback")

        self._when_done(guarded)

    def then(self, callback: Callable[[Future], Any]) -> Future:
        """A Future of `callback(self)`."""
        made = Future()

        def run(future: Future) -> None:
            try:
                made.set_result(callback(future))
            except Exception as error:
                text = "Got the following error when running the callback: "
                made.set_exception(RuntimeError(f"{text}{type(error).__name__}: {error}"))

        self._when_done(run)
        return made


def collect_all(futures: list[Future]) -> Future:
    """A Future of the list, complete when all of them are."""
    made, left, lock = Future(), [len(futures)], threading.Lock()

    def count(future: Future) -> None:
        with lock:
            left[0] -= 1
            last = left[0] == 0
        if last:
            made.set_result(list(futures))

    for future in futures:
        future._when_done(count)
    if not futures:
        made.set_result([])
    return made


def wait_all(futures: list[Future]) -> list[Any]:
    """All results, or the first error."""
    return [future.wait() for future in collect_all(futures).wait()]


__all__ = ["Future", "collect_all", "wait_all"]
