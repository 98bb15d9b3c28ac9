"""torch.autograd.profiler: the older spelling of torch.profiler."""

from ..profiler import profiler as _profiler
from ..profiler.events import EventList as EventList
from ..profiler.events import FunctionEvent as FunctionEvent
from ..profiler.profiler import ProfilerActivity as ProfilerActivity
from ..profiler.profiler import kineto_available as kineto_available
from ..profiler.profiler import record_function as record_function


class profile(_profiler.profile):
    """`torch.profiler.profile` without a schedule; `enabled=False` records nothing."""

    def __init__(self, enabled=True, *, record_shapes=False, use_device=None, **unsupported):
        for name, value in unsupported.items():
            if value and name != "use_cpu":
                raise NotImplementedError(f"torch.autograd.profiler.profile: {name}={value!r}")
        if use_device is not None:
            raise NotImplementedError(
                f"torch.autograd.profiler.profile: use_device={use_device!r} is not supported"
            )
        action = _profiler.ProfilerAction
        chosen = action.RECORD if enabled else action.NONE
        super().__init__(record_shapes=record_shapes, schedule=lambda step: chosen)

    @property
    def function_events(self) -> EventList:
        """Every event."""
        return self.events()

    @property
    def self_cpu_time_total(self) -> float:
        """The time of all events."""
        return self.events().self_cpu_time_total

    def total_average(self):
        """All events as one row."""
        return self.events().total_average()
