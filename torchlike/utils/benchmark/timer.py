"""`Timer`: `timeit` that waits for what a statement recorded, and warms up first."""

import enum
import importlib
import textwrap
import time
import timeit

from ...core.record import flush_all
from .measure import Measurement, TaskSpec


class Language(enum.Enum):
    """The language of a statement."""

    PYTHON = 0
    CPP = 1


def timer() -> float:
    """The time, when everything recorded has run."""
    flush_all()
    return time.perf_counter()


def _dedented(code: str) -> str:
    return textwrap.dedent(code).removeprefix("\n").rstrip()


class Timer:
    """Times a statement. `num_threads` is noted only: XLA sizes its own pool."""

    def __init__(
        self, stmt="pass", setup="pass", global_setup="", timer=timer, globals=None, label=None,
        sub_label=None, description=None, env=None, num_threads=1, language=Language.PYTHON,
    ) -> None:  # fmt: skip
        if not isinstance(stmt, str):
            raise ValueError("Currently only a `str` stmt is supported.")
        if language in (Language.CPP, "cpp", "c++"):
            raise NotImplementedError(f"Timer: language={language!r} is not supported")
        if language not in (Language.PYTHON, "py", "python"):
            raise ValueError(f"Invalid language `{language}`.")
        if global_setup:
            raise ValueError(
                f"global_setup is C++ only, got `{global_setup}`. Most likely this code can "
                "simply be moved to `setup`."
            )
        here = importlib.import_module(__name__.partition(".")[0])
        self._globals = {"torch": here, **(globals or {})}
        stmt, setup = _dedented(stmt), _dedented(setup)
        self._timer = timeit.Timer(stmt, setup, timer, self._globals)
        self._task_spec = TaskSpec(
            stmt, setup, global_setup, label, sub_label, description, env, num_threads
        )

    def _run(self, number: int) -> float:
        return max(self._timer.timeit(number), 1e-9)  # no statement takes less

    def timeit(self, number: int = 1000000) -> Measurement:
        """One measurement of `number` runs, after a short warm-up."""
        self._run(max(number // 100, 2))
        return Measurement(number, [self._run(number)], self._task_spec)

    def repeat(self, repeat: int = -1, number: int = -1) -> None:
        """Not supported, as in PyTorch."""
        raise NotImplementedError("See `Timer.blocked_autorange.`")

    def autorange(self, callback=None) -> None:
        """Not supported, as in PyTorch."""
        raise NotImplementedError("See `Timer.blocked_autorange.`")

    def _block_size(self, min_run_time: float) -> int:
        """So many runs that reading the clock is below 0.1 % and windows are compiled."""
        number, overhead = 1, min(self._empty(5) for _ in range(3))
        self._timer.timeit(4)
        while True:
            took = self._run(number)
            if took >= min_run_time / 1000 and overhead <= took * 1e-4:
                return number
            if took > min_run_time:
                return number
            number *= 10

    def _empty(self, number: int) -> float:
        return timeit.Timer("pass", timer=self._timer.timer).timeit(number)

    def blocked_autorange(self, callback=None, min_run_time: float = 0.2) -> Measurement:
        """As many blocks of runs as fit into `min_run_time`."""
        number = self._block_size(min_run_time)
        times: list[float] = []
        while sum(times) < min_run_time:
            times.append(self._run(number))
            if callback is not None:
                callback(number, times[-1])
        return Measurement(number, times, self._task_spec)

    def adaptive_autorange(
        self, threshold=0.1, *, min_run_time=0.01, max_run_time=10.0, callback=None
    ) -> Measurement:
        """Blocks of runs until the quartiles lie close together."""
        number = self._block_size(0.05)
        times: list[float] = []
        while True:
            times.append(self._run(number))
            if callback is not None:
                callback(number, times[-1])
            found = Measurement(number, times, self._task_spec)
            enough = len(times) > 3 and found.meets_confidence(threshold)
            if sum(times) >= max_run_time or (enough and sum(times) >= min_run_time):
                return found

    def collect_callgrind(self, *args, **kwargs) -> None:
        """Not supported."""
        raise NotImplementedError("Timer.collect_callgrind is not supported")
