"""torch.cpu: the CPU as a device module; its streams do nothing, as in PyTorch."""

from typing import Any

from .core.record import flush_all


class Stream:
    """A stream of the CPU: a name only."""

    def __init__(self, priority: int = -1) -> None:
        self.priority = priority

    def wait_stream(self, stream: Any) -> None:
        """Nothing to wait for."""

    def record_event(self) -> None:
        """Nothing to record."""

    def wait_event(self, event: Any) -> None:
        """Nothing to wait for."""


class Event:
    """A moment of a CPU stream."""

    def query(self) -> bool:
        """Whether it is over: always."""
        return True

    def record(self, stream: Any = None) -> None:
        """Nothing to record."""

    def synchronize(self) -> None:
        """Nothing to wait for."""

    def wait(self, stream: Any = None) -> None:
        """Nothing to wait for."""


_STREAM = Stream()


class StreamContext:
    """Chooses a stream for a block; there is only one on the CPU."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def __enter__(self) -> None:
        return None

    def __exit__(self, *error: object) -> None:
        return None


def stream(stream: Any) -> StreamContext:
    """Chooses a stream for a block."""
    return StreamContext(stream)


def current_stream(device: Any = None) -> Stream:
    """The only stream."""
    return _STREAM


def is_available() -> bool:
    """Whether there is a CPU."""
    return True


def is_initialized() -> bool:
    """Whether the CPU is in use."""
    return True


def device_count() -> int:
    """One CPU device, whatever the number of cores."""
    return 1


def current_device() -> str:
    """The CPU's name."""
    return "cpu"


def set_device(device: Any) -> None:
    """Nothing to choose."""


def synchronize(device: Any = None) -> None:
    """Wait until everything recorded has run."""
    flush_all()


__all__ = [
    "Event", "Stream", "StreamContext", "current_device", "current_stream", "device_count",
    "is_available", "is_initialized", "set_device", "stream", "synchronize",
]  # fmt: skip
