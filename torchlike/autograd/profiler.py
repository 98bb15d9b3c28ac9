"""torch.autograd.profiler: the older spelling of torch.profiler."""

from ..profiler import profiler as _profiler
from ..profiler.events import EventList as EventList
from ..profiler.events import FunctionEvent as FunctionEvent
from ..profiler.profiler import ProfilerActivity as ProfilerActivity
from ..profiler.profiler import kineto_available as kineto_available
from ..profiler.profiler import record_function as record_function


class profile(_profiler.profile):
    """`torch.profiler.profile` without a schedule; `enabled=False` records nothing."""

    def __init__(
        self, enabled=True, *, use_cuda=False, use_device=None, record_shapes=False,
        with_flops=False, profile_memory=False, with_stack=False, with_modules=False,
        use_kineto=False, use_cpu=True, experimental_config=None, acc_events=False,
        custom_trace_id_callback=None, post_processing_timeout_s=None, activity_filters=None,
    ):  # fmt: skip
        for name in ("use_cuda", "use_device", "with_flops", "use_kineto",
                     "experimental_config", "activity_filters",
                     "custom_trace_id_callback", "post_processing_timeout_s"):  # fmt: skip
            if locals()[name]:
                raise NotImplementedError(
                    f"torch.autograd.profiler.profile: {name}={locals()[name]!r} is not supported"
                )
        if not use_cpu:
            raise NotImplementedError("torch.autograd.profiler.profile: use_cpu=False")
        action = _profiler.ProfilerAction
        chosen = action.RECORD if enabled else action.NONE
        super().__init__(
            record_shapes=record_shapes, acc_events=acc_events, profile_memory=profile_memory,
            with_stack=with_stack, with_modules=with_modules,
        )  # fmt: skip
        self.current_action = chosen

    def start(self):
        """Begin; once only."""
        if self._started:
            raise RuntimeError("Profiler context manager is not reentrant")
        self._begin()

    def __repr__(self) -> str:
        if self._finished is None:
            return "<unfinished torch.autograd.profile>" if self._started else "None"
        return repr(self._finished)

    def __str__(self) -> str:
        return repr(self) if self._finished is None else str(self._finished)

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


class _Emitting:
    """Marks for a vendor's profiler: there are none."""

    def __init__(self, enabled=True, record_shapes=False):
        self.enabled = enabled

    def __enter__(self):
        if self.enabled:
            raise NotImplementedError(f"torch.autograd.profiler.{type(self).__name__}")
        return self

    def __exit__(self, *error):
        return None


class emit_nvtx(_Emitting):
    """Marks for NVIDIA's profiler: NotImplementedError on entering."""


class emit_itt(_Emitting):
    """Marks for Intel's profiler: NotImplementedError on entering."""
