"""torch.profiler: every op run at once and timed, under PyTorch's names and shapes.

While a profile is on, nothing is fused, so that each op has a time of its own. On a GPU or TPU,
`jax.profiler` tells what the device did: `trace_dir=` of `profile` writes its trace, too.
"""

import contextlib
import enum
import json
import math
import os
import socket
import time
import traceback
import warnings

import jax

from ..core import record as _record
from ..core.record import flush_all
from .events import EventList, FunctionEvent

_PACKAGE = (os.path.dirname(os.path.dirname(__file__)) + os.sep, "<torchlike ")


class ProfilerActivity(enum.Enum):
    """What is looked at."""

    CPU = 0
    XPU = 1
    MTIA = 4
    CUDA = 2
    HPU = 3
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

    def __init__(self, shapes: bool, memory: bool, stack: bool) -> None:
        self.events, self.open = EventList(profile_memory=memory), []
        self.shapes, self.memory, self.stack = shapes, memory, stack

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
        with self.block("aten::" + "+".join(names), shapes=shapes) as event:
            self.execute(trace)
            if self.memory:
                event.self_cpu_memory_usage = event.cpu_memory_usage = _given_bytes(trace)

    def _shapes(self, trace) -> list:
        given = [trace.leaves[~slot] for _, slots, _ in trace.records for slot in slots if slot < 0]
        return [list(getattr(getattr(leaf, "aval", None), "shape", ())) for leaf in given]

    @contextlib.contextmanager
    def block(self, name: str, user: bool = False, shapes: list | None = None):
        event = FunctionEvent(name, time.perf_counter_ns() / 1e3, 0.0, 0.0, shapes or [], user)
        event.id, event.cpu_parent = len(self.events) + 1, self.open[-1] if self.open else None
        event.stack = _callers() if self.stack else []
        self.events.append(event)
        self.open.append(event)
        try:
            yield event
        finally:
            event.cpu_time_total = time.perf_counter_ns() / 1e3 - event.start
            self.open.pop()
            if self.open:
                self.open[-1].children += event.cpu_time_total
                self.open[-1].cpu_memory_usage += event.cpu_memory_usage


def _given_bytes(trace) -> int:
    """How large the results are that somebody holds."""
    avals = [value.aval for ref in trace.values if (value := ref()) is not None]
    return sum(math.prod(aval.shape) * aval.dtype.itemsize for aval in avals)


def _callers() -> list[str]:
    """The lines outside of this package that led here, innermost first."""
    left_out = (*_PACKAGE, contextlib.__file__)
    frames = [f for f in traceback.extract_stack() if not f.filename.startswith(left_out)]
    return [f"{f.filename}({f.lineno}): {f.name}" for f in reversed(frames)]


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


_CYCLE_IS_CLEARED = (
    "Warning: Profiler clears events at the end of each cycle. Only events from the current cycle "
    "will be reported. To keep events across cycles, set acc_events=True."
)
_RECORDING = (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE)


class profile:
    """Records what runs inside: with a schedule, the steps that it names.

    Whatever the `activities`, it is the CPU's time that is told. `profile_memory` tells the bytes
    of each op's results, `with_stack` the caller's lines; `with_modules` matters for TorchScript
    only, as in PyTorch. NotImplementedError for `with_flops`, observers and experimental settings.
    """

    def __init__(
        self, *, activities=None, schedule=None, on_trace_ready=None, record_shapes=False,
        profile_memory=False, with_stack=False, with_flops=False, with_modules=False,
        experimental_config=None, execution_trace_observer=None, acc_events=False, use_cuda=None,
        custom_trace_id_callback=None, post_processing_timeout_s=None, trace_dir=None,
    ) -> None:  # fmt: skip
        for name in ("with_flops", "experimental_config", "execution_trace_observer",
                     "custom_trace_id_callback", "post_processing_timeout_s"):  # fmt: skip
            if locals()[name]:
                raise NotImplementedError(f"torch.profiler.profile: {name} is not supported")
        self.activities = supported_activities() if activities is None else set(activities)
        if use_cuda is not None:
            text = "`use_cuda` is deprecated, use `activities` argument instead"
            warnings.warn(text, FutureWarning, stacklevel=2)
            change = self.activities.add if use_cuda else self.activities.discard
            change(ProfilerActivity.CUDA)
        if not self.activities:
            raise AssertionError("No valid profiler activities found")
        self.schedule, self.on_trace_ready = schedule or _always, on_trace_ready
        self.record_shapes, self.acc_events = record_shapes, acc_events
        self.profile_memory, self.with_stack = profile_memory, with_stack
        self.step_num, self.recorder, self.trace_dir = 0, None, trace_dir
        self.current_action = self.schedule(0)
        self._finished: EventList | None = None
        self._started = False
        self._metadata, self._marked = {}, contextlib.ExitStack()

    # ----- its life -----
    def start(self) -> None:
        """Begin."""
        if self.trace_dir is not None:
            jax.profiler.start_trace(str(self.trace_dir))
        self.current_action = self.schedule(self.step_num)
        self._begin()

    def _begin(self) -> None:
        self._started = True
        if self.current_action in _RECORDING and self.recorder is None:
            recorder = _Recorder(self.record_shapes, self.profile_memory, self.with_stack)
            recorder.start()
            self.recorder = recorder
            if self._finished and not self.acc_events:
                warnings.warn(_CYCLE_IS_CLEARED, stacklevel=3)
        if self.recorder is not None and self.schedule is not _always:
            block = self.recorder.block(f"ProfilerStep#{self.step_num}", True)
            self._marked.enter_context(block)

    def _end(self) -> None:
        if self.recorder is not None:
            self.recorder.stop()
            before = self._finished if self.acc_events and self._finished else ()
            self._finished = EventList([*before, *self.recorder.events], self.profile_memory)
            self.recorder = None

    def stop(self) -> None:
        """End, and hand the trace over."""
        ready = self.recorder is not None
        self._marked.close()
        self._end()
        if self.trace_dir is not None:
            jax.profiler.stop_trace()
        if ready and self.on_trace_ready is not None:
            self.on_trace_ready(self)

    def step(self) -> None:
        """The next step of the schedule begins."""
        before = self.current_action
        flush_all() if self.recorder is not None else None
        self._marked.close()
        self.step_num += 1
        self.current_action = self.schedule(self.step_num)
        if before is ProfilerAction.RECORD_AND_SAVE:
            self._end()
            if self.on_trace_ready is not None:
                self.on_trace_ready(self)
        elif self.current_action not in _RECORDING:
            self._end()
        if self._started:
            self._begin()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *error) -> None:
        self.stop()

    # ----- what it found -----
    def _found(self, what: str) -> EventList:
        if self._finished is None:
            raise AssertionError(f"Profiler must be initialized before {what}")
        return self._finished

    def events(self) -> EventList:
        """Every event of the last trace."""
        return self._found("accessing events")

    def key_averages(
        self, group_by_input_shape=False, group_by_stack_n=0, group_by_overload_name=False
    ) -> EventList:
        """One row for each op."""
        return self._found("getting key averages").key_averages(
            group_by_input_shape, group_by_stack_n, group_by_overload_name
        )

    def export_chrome_trace(self, path, use_python_export=False) -> None:
        """The last trace as a file for chrome://tracing or Perfetto, always by Python."""
        self._found("exporting chrome trace").export_chrome_trace(path, self._metadata)

    def export_stacks(self, path: str, metric: str = "self_cpu_time_total") -> None:
        """The last trace's stacks with their times, for flame graphs."""
        events = self._found("exporting stacks")
        if not self.with_stack:
            raise AssertionError("export_stacks() requires with_stack=True")
        events.export_stacks(path, metric)

    def export_memory_timeline(self, path: str, device: str | None = None) -> None:
        """Not supported."""
        raise NotImplementedError("torch.profiler.profile.export_memory_timeline is not supported")

    def preset_metadata_json(self, key: str, value: str) -> None:
        """Note something given as JSON, before the start."""
        self.add_metadata_json(key, value)

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
    def handle(prof: profile) -> None:
        os.makedirs(dir_name, exist_ok=True)
        name = worker_name or f"{socket.gethostname()}_{os.getpid()}"
        file = f"{name}.{time.time_ns()}.pt.trace.json" + (".gz" if use_gzip else "")
        prof.export_chrome_trace(os.path.join(dir_name, file))

    return handle


def kineto_available() -> bool:
    """Whether PyTorch's own tracer is there: no."""
    return False
