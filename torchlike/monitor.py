"""torch.monitor: events that handlers get. Counters of statistics are not there."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .core.refusals import refusing

_HANDLERS: dict[int, Any] = {}


@dataclass
class Event:
    """Something that happened, with numbers and texts about it."""

    name: str
    timestamp: datetime
    data: dict[str, Any] = field(default_factory=dict)


class EventHandlerHandle:
    """What `unregister_event_handler` takes."""


def register_event_handler(callback: Any) -> EventHandlerHandle:
    """Calls `callback(event)` for each event that is logged."""
    handle = EventHandlerHandle()
    _HANDLERS[id(handle)] = handle, callback
    return handle


def unregister_event_handler(handler: EventHandlerHandle) -> None:
    """No more calls."""
    _HANDLERS.pop(id(handler), None)


def log_event(event: Event) -> None:
    """Hands the event to all handlers."""
    for _, callback in list(_HANDLERS.values()):
        callback(event)


class TensorboardEventHandler:
    """Writes the numbers of events named "torch.monitor.Stat" to a SummaryWriter."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer

    def __call__(self, event: Event) -> None:
        if event.name == "torch.monitor.Stat":
            for key, value in event.data.items():
                self._writer.add_scalar(key, value, walltime=event.timestamp.timestamp())


Stat = refusing("Stat", "torch.monitor.Stat is not supported")
Aggregation = refusing("Aggregation", "torch.monitor.Aggregation is not supported")
