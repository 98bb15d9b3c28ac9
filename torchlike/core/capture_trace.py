"""The trace of a step under capture: nothing flushes it, and to need a value is an error."""

from __future__ import annotations

import threading
from typing import Any

from .device import device
from .record import Trace, flush_value, user_line
from .storage import FLUSH, Value


def where() -> str:
    """ "file:line" of the innermost frame outside this package."""
    line = user_line()
    return "?" if line is None else f"{line[0]}:{line[1]}"


# ----- the trace -----
class Lines(list):
    """Records, with the user's line that made each."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def append(self, item: Any) -> None:
        super().append(item)
        self.lines.append(where())


class CaptureTrace(Trace):
    """A trace that nothing flushes: boundaries pass by, and to need a value is an error."""

    __slots__ = ("thread",)

    def __init__(self, where: device) -> None:
        self.thread = threading.get_ident()
        super().__init__(where)
        self.records = Lines()

    @property
    def done(self) -> bool:  # type: ignore[override]
        if threading.get_ident() != self.thread:
            raise RuntimeError("a tensor is used by a step that another thread is capturing")
        return True

    @done.setter
    def done(self, _: bool) -> None: ...

    @property
    def frozen(self) -> bool:  # type: ignore[override]
        return False

    @frozen.setter
    def frozen(self, _: bool) -> None: ...


class OneTrace(dict):
    """A thread's traces while it captures: one program runs on one device."""

    def get(self, where: device, default: Any = None) -> Any:  # type: ignore[override]
        if not self:
            self[where] = CaptureTrace(where)
        found = super().get(where)
        if found is None:
            raise NotImplementedError(
                f"torchlike.jit: a step on several devices ({next(iter(self))} and {where})"
            )
        return found


def _refuse_read(v: Value) -> None:
    """Computing a value: impossible while the step that makes it is being captured."""
    if v.trace.__class__ is not CaptureTrace:
        flush_value(v)
        return
    raise RuntimeError(
        f"the value of a tensor was read inside torchlike.jit, at {where()}: there is none "
        "while the step is captured. Return the tensor and read it outside; print, item(), "
        "numpy(), bool() and shapes that depend on data can't be used inside"
    )


FLUSH[0] = _refuse_read
