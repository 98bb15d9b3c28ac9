"""torch.Stream and torch.Event of any device. XLA orders the work, so there is nothing to order."""

from __future__ import annotations

from typing import Any

from .core.device import count
from .core.device import device as Device
from .core.record import flush_all

_TYPES = {"cpu": 0, "cuda": 1, "xla": 9, "meta": 14, "xpu": 12}  # PyTorch's numbers


def _need_events(device: Device) -> None:
    if device.type in ("cpu", "meta"):
        raise RuntimeError(f"{device.type} backend doesn't support events.")
    raise NotImplementedError(f"torch.Stream: events on {device.type} are not supported")


def _device(device: Any) -> Device:
    if isinstance(device, int):
        raise RuntimeError("Cannot access accelerator device when none is available.")
    made = Device("cpu" if device is None else device)
    if made.type not in ("cpu", "meta") and not count(made.type):
        raise RuntimeError(f"PyTorch is not linked with support for {made.type} devices")
    return made


class Stream:
    """A queue of work of a device: there is one."""

    __module__ = "torch"
    stream_id, device_index = 0, -1

    def __init__(self, device: Any = None, *, priority: int = 0) -> None:
        self.device = _device(device)

    @property
    def device_type(self) -> int:
        return _TYPES.get(self.device.type, -1)

    def query(self) -> bool:
        """Whether all its work is done."""
        flush_all()
        return True

    def synchronize(self) -> None:
        """Wait until everything recorded has run."""
        flush_all()

    def record_event(self, event: Event | None = None) -> Event:
        """Not there on the CPU."""
        return _need_events(self.device)  # type: ignore[return-value]

    def wait_event(self, event: Event) -> None:
        """Nothing to wait for."""

    def wait_stream(self, stream: Stream) -> None:
        """Not there on the CPU."""
        _need_events(self.device)

    def is_capturing(self) -> bool:
        """Whether its work is captured: never."""
        return False

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream) and self.device == other.device

    def __hash__(self) -> int:
        return hash(self.device)

    def __repr__(self) -> str:
        return (
            f"torch.Stream device_type={self.device.type}, device_index={self.device_index}, "
            f"stream_id={self.stream_id}"
        )


class Event:
    """A moment of a stream; on the CPU none can be recorded."""

    __module__ = "torch"
    event_id = 0

    def __init__(self, device: Any = None, *, enable_timing: bool = False, blocking: bool = False,
                 interprocess: bool = False) -> None:  # fmt: skip
        self.device, self._timed = _device(device), enable_timing
        self._flag = int(enable_timing)

    def query(self) -> bool:
        """Whether it is over: nothing was recorded."""
        return True

    def record(self, stream: Stream | None = None) -> None:
        """Not there on the CPU."""
        _need_events(self.device)

    def synchronize(self) -> None:
        """Nothing to wait for."""

    def wait(self, stream: Stream | None = None) -> None:
        """Nothing to wait for."""

    def elapsed_time(self, end_event: Event) -> float:
        """Milliseconds between two events that were recorded: there are none on the CPU."""
        if not (self._timed and end_event._timed):
            raise ValueError("Both events must be created with argument 'enable_timing=True'.")
        return _need_events(self.device)  # type: ignore[return-value]

    def __repr__(self) -> str:
        return (
            f"torch.Event device_type={self.device.type}, device_index=-1, "
            f"event_flag={self._flag}, event_id={self.event_id}"
        )
