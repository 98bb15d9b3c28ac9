"""torch.profiler: every op run at once and timed, under PyTorch's names and shapes.

While a profile is on, nothing is fused, so that each op has a time of its own. On a GPU or TPU,
`jax.profiler` tells what the device did: `trace_dir=` of `profile` writes its trace, too.
"""

import contextlib
import enum
import json
import os
import socket
import time
import warnings

import jax

from ..core import record as _record
from ..core.record import flush_all
from .events import EventList, FunctionEvent


class ProfilerActivity(enum.Enum):
    """What is looked at."""

    CPU = 0
    XPU = 1
    MTIA = 2
    CUDA = 3
    HPU = 4
    PrivateUse1 = 5


class ProfilerAction(enum.Enum):
    """What a schedule says of one step."""

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3


def supported_activities() -> set:
    """What can be looked at here."""
    return {ProfilerActivity.CPU}


# ----- the recorder -----
class _Recorder:
    """Runs each op as it is recorded and notes how long that took."""

    active: "list[_Recorder]" = []

    def __init__(self, shapes: bool) -> None:
        self.events, self.open, self.shapes = EventList(), [], shapes

    def start(self) -> None:
        if _Recorder.active:
            raise RuntimeError("Can't start a profiler while another one is active")
        flush_all()
        self.mask, _record.BOUND_MASK = _record.BOUND_MASK, 0
        self.execute = _record.EXECUTE[0]
        _record.EXECUTE[0] = self.timed
        _Recorder.active.append(self)

    def stop(self) -> None:
        flush_all()
        _record.EXECUTE[0], _record.BOUND_MASK = self.execute, self.mask
        _Recorder.active.remove(self)

    def timed(self, trace) -> None:
        """The executor, timed; the trace holds one op."""
        names = dict.fromkeys(spec.name for spec, _, _ in trace.records)
        shapes = self._shapes(trace) if self.shapes else []
        with self.block("aten::" + "+".join(names), shapes=shapes):
            self.execute(trace)

    def _shapes(self, trace) -> list:
        given = [trace.leaves[~slot] for _, slots, _ in trace.records for slot in slots if slot < 0]
        return [list(getattr(getattr(leaf, "aval", None), "shape", ())) for leaf in given]

    @contextlib.contextmanager
    def block(self, name: str, user: bool = False, shapes: list | None = None):
        event = FunctionEvent(name, time.perf_counter_ns() / 1e3, 0.0, 0.0, shapes or [], user)
        self.events.append(event)
        self.open.append(event)
        try:
            yield event
        finally:
            event.cpu_time_total = time.perf_counter_ns() / 1e3 - event.start
            self.open.pop()
            if self.open:
                self.open[-1].children += event.cpu_time_total


class record_function(contextlib.ContextDecorator):
    """A named block (or function) in the profile."""

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name, self.args = name, args

    def __enter__(self):
        flush_all() if _Recorder.active else None
        self.block = _Recorder.active[-1].block(self.name, True) if _Recorder.active else None
        if self.block is not None:
            self.block.__enter__()
        return self

    def __exit__(self, *error) -> None:
        if self.block is not None:
            self.block.__exit__(None, None, None)


# ----- schedules -----
def schedule(*, wait, warmup, active, repeat=0, skip_first=0, skip_first_wait=0):
    """Which steps are recorded: after `skip_first`, cycles of waiting, warming up and recording."""
    if wait < 0 or warmup < 0 or active <= 0 or repeat < 0 or skip_first < 0:
        raise AssertionError(
            f"Invalid profiler schedule arguments. Got wait={wait} (need >= 0), warmup={warmup} "
            f"(need >= 0), active={active} (need > 0), repeat={repeat} (need >= 0), "
            f"skip_first={skip_first} (need >= 0)."
        )
    if warmup == 0:
        text = "Profiler won't be using warmup, this can skew profiler results"
        warnings.warn(text, stacklevel=2)

    def action(step: int) -> ProfilerAction:
        if step < 0:
            raise AssertionError(f"Step must be non-negative. Got {step}.")
        if step < skip_first:
            return ProfilerAction.NONE
        step -= skip_first
        if skip_first_wait:
            step += wait
        cycle = wait + warmup + active
        if repeat and step // cycle >= repeat:
            return ProfilerAction.NONE
        at = step % cycle
        if at < wait:
            return ProfilerAction.NONE
        if at < wait + warmup:
            return ProfilerAction.WARMUP
        return ProfilerAction.RECORD_AND_SAVE if at == cycle - 1 else ProfilerAction.RECORD

    return action


def _always(step: int) -> ProfilerAction:
    return ProfilerAction.RECORD


_RECORDING = (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE)


class profile:
    """Records what runs inside: with a schedule, the steps that it names.

    Whatever the `activities`, it is the CPU's time that is told. NotImplementedError for
    `profile_memory`, `with_stack`, `with_flops`, `with_modules`, `use_cuda` and observers.
    """

    def __init__(
        self, *, activities=None, schedule=None, on_trace_ready=None, record_shapes=False,
        profile_memory=False, with_stack=False, with_flops=False, with_modules=False,
        experimental_config=None, execution_trace_observer=None, acc_events=False, use_cuda=None,
        custom_trace_id_callback=None, post_processing_timeout_s=None, trace_dir=None,
    ) -> None:  # fmt: skip
        for name in ("profile_memory", "with_stack", "with_flops", "with_modules", "use_cuda",
                     "experimental_config", "execution_trace_observer",
                     "custom_trace_id_callback", "post_processing_timeout_s"):  # fmt: skip
            if locals()[name]:
                raise NotImplementedError(f"torch.profiler.profile: {name} is not supported")
        self.activities = set(activities) if activities else supported_activities()
        self.schedule, self.on_trace_ready = schedule or _always, on_trace_ready
        self.record_shapes, self.acc_events = record_shapes, acc_events
        self.step_num, self.recorder, self.trace_dir = 0, None, trace_dir
        self._finished, self._metadata = EventList(), {}

    # ----- its life -----
    def start(self) -> None:
        """Begin."""
        if self.trace_dir is not None:
            jax.profiler.start_trace(str(self.trace_dir))
        self.current_action = self.schedule(self.step_num)
        self._begin()

    def _begin(self) -> None:
        if self.current_action in _RECORDING and self.recorder is None:
            self.recorder = _Recorder(self.record_shapes)
            self.recorder.start()

    def _end(self) -> None:
        if self.recorder is not None:
            self.recorder.stop()
            self._finished = EventList(
                [*(self._finished if self.acc_events else ()), *self.recorder.events]
            )
            self.recorder = None

    def stop(self) -> None:
        """End, and hand the trace over."""
        ready = self.recorder is not None
        self._end()
        if self.trace_dir is not None:
            jax.profiler.stop_trace()
        if ready and self.on_trace_ready is not None:
            self.on_trace_ready(self)

    def step(self) -> None:
        """The next step of the schedule begins."""
        before = self.current_action
        self.step_num += 1
        self.current_action = self.schedule(self.step_num)
        if before is ProfilerAction.RECORD_AND_SAVE:
            self._end()
            if self.on_trace_ready is not None:
                self.on_trace_ready(self)
        elif self.current_action not in _RECORDING:
            self._end()
        self._begin()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *error) -> None:
        self.stop()

    # ----- what it found -----
    def events(self) -> EventList:
        """Every event of the last trace."""
        return self._finished

    def key_averages(
        self, group_by_input_shape=False, group_by_stack_n=0, group_by_overload_name=False
    ) -> EventList:
        """One row for each op."""
        return self._finished.key_averages(
            group_by_input_shape, group_by_stack_n, group_by_overload_name
        )

    def export_chrome_trace(self, path, use_python_export=False) -> None:
        """The last trace as a file for chrome://tracing or Perfetto, always by Python."""
        self._finished.export_chrome_trace(path, self._metadata)

    def add_metadata(self, key: str, value: str) -> None:
        """Note something beside the trace."""
        self._metadata[key] = value

    def add_metadata_json(self, key: str, value: str) -> None:
        """Note something given as JSON beside the trace."""
        self._metadata[key] = json.loads(value)

    def table(self, *args, **kwargs) -> str:
        """The averages as text."""
        return self.key_averages().table(*args, **kwargs)


def tensorboard_trace_handler(
    dir_name, worker_name=None, use_gzip=False, use_python_export=False
):
    """An `on_trace_ready` that writes each trace into a directory."""
    if use_gzip:
        raise NotImplementedError("tensorboard_trace_handler: use_gzip=True is not supported")

    def handle(prof: profile) -> None:
        os.makedirs(dir_name, exist_ok=True)
        name = worker_name or f"{socket.gethostname()}_{os.getpid()}"
        prof.export_chrome_trace(
            os.path.join(dir_name, f"{name}.{time.time_ns()}.pt.trace.json")
        )

    return handle


def kineto_available() -> bool:
    """Whether PyTorch's own tracer is there: no."""
    return False
