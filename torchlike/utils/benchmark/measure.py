"""`Measurement`: the times of one statement, and their statistics."""

import dataclasses
import math
import statistics
import textwrap
from collections.abc import Iterable
from typing import Any

import numpy as np

MAX_SIGNIFICANT_FIGURES = 4
MIN_CONFIDENCE_INTERVAL = 25e-9
IQR_WARN_THRESHOLD, IQR_GROSS_WARN_THRESHOLD = 0.1, 0.25

_UNITS = {"s": 1, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_WORDS = {"s": "second", "ms": "millisecond", "us": "microsecond", "ns": "nanosecond"}


def select_unit(t: float) -> tuple[str, float]:
    """The unit a time is shown in, and its seconds."""
    thousands = int(np.log10(np.float32(t)) // 3)
    unit = {-3: "ns", -2: "us", -1: "ms"}.get(thousands, "s")
    return unit, _UNITS[unit]


def unit_to_english(u: str) -> str:
    """The unit's name."""
    return _WORDS[u]


def trim_sigfig(x: float, n: int) -> float:
    """The number with `n` significant figures."""
    if n != int(n):
        raise AssertionError("Number of significant figures must be an integer")
    scale = 10 ** (math.ceil(np.log10(abs(np.float32(x)))) - n)
    return float(np.float32(np.round(np.float32(x / scale))) * np.float32(scale))


def ordered_unique(elements: Iterable[Any]) -> list[Any]:
    """Each once, in the order of their first."""
    return list(dict.fromkeys(elements))


@dataclasses.dataclass(frozen=True, repr=False)
class TaskSpec:
    """What was timed."""

    stmt: str
    setup: str
    global_setup: str = ""
    label: str | None = None
    sub_label: str | None = None
    description: str | None = None
    env: str | None = None
    num_threads: int = 1

    @property
    def title(self) -> str:
        """The label, or the statement."""
        if self.label is None and "\n" in self.stmt:
            more = f" ({self.sub_label})" if self.sub_label else ""
            return f"stmt:{more}\n{textwrap.indent(self.stmt, '  ')}"
        more = f": {self.sub_label}" if self.sub_label else ""
        return (self.stmt if self.label is None else self.label) + more

    def setup_str(self) -> str:
        """The setup, named as such."""
        if self.setup in ("pass", ""):
            return ""
        if "\n" in self.setup:
            return f"setup:\n{textwrap.indent(self.setup, '  ')}"
        return f"setup: {self.setup}"

    def summarize(self) -> str:
        """What was timed, in a few lines."""
        parts = self.title, self.description or "", self.setup_str()
        return "\n".join(f"{part}\n" if "\n" in part else part for part in parts if part)


_FIELDS = tuple(field.name for field in dataclasses.fields(TaskSpec))


@dataclasses.dataclass(repr=False)
class Measurement:
    """The times of several runs of one statement."""

    number_per_run: int
    raw_times: list[float]
    task_spec: TaskSpec
    metadata: dict[Any, Any] | None = None

    def __getattr__(self, name: str) -> Any:
        if name in _FIELDS:
            return getattr(self.task_spec, name)
        return super().__getattribute__(name)

    @property
    def times(self) -> list[float]:
        """Seconds per statement."""
        return [t / self.number_per_run for t in self.raw_times]

    def _quantile(self, q: float) -> float:
        return float(np.quantile(self.times, q)) if self.raw_times else -1.0

    @property
    def median(self) -> float:
        """The median."""
        return self._quantile(0.5)

    @property
    def mean(self) -> float:
        """The mean."""
        return statistics.fmean(self.times) if self.raw_times else -1.0

    @property
    def iqr(self) -> float:
        """The distance between the quartiles."""
        return self._quantile(0.75) - self._quantile(0.25)

    @property
    def significant_figures(self) -> int:
        """How many figures the spread between the quartiles leaves standing."""
        count = len(self.raw_times)
        middle = sorted(self.times)[count // 4 : math.ceil(3 * count / 4)]
        interval = 1.645 * statistics.pstdev(middle) / len(middle) ** 0.5
        sure = math.log10(self.median / max(interval, MIN_CONFIDENCE_INTERVAL))
        return min(max(math.floor(sure), 1), MAX_SIGNIFICANT_FIGURES)

    def meets_confidence(self, threshold: float = IQR_WARN_THRESHOLD) -> bool:
        """Whether the quartiles lie close together."""
        return self.iqr / self.median < threshold

    @property
    def has_warnings(self) -> bool:
        """Whether the times are spread too much to be trusted."""
        return bool(self._warning())

    def _warning(self) -> str:
        if not self.raw_times or self.meets_confidence():
            return ""
        gross = not self.meets_confidence(IQR_GROSS_WARN_THRESHOLD)
        return (
            f"  WARNING: Interquartile range is {self.iqr / self.median * 100:.1f}% "
            "of the median measurement.\n           "
            + ("This suggests significant environmental influence." if gross else
               "This could indicate system fluctuation.")
        )  # fmt: skip

    @property
    def title(self) -> str:
        """That of the task."""
        return self.task_spec.title

    @property
    def as_row_name(self) -> str:
        """What a table calls it."""
        return self.sub_label or self.stmt or "[Unknown]"

    @staticmethod
    def merge(measurements: "Iterable[Measurement]") -> "list[Measurement]":
        """Those of one task joined, as times of single statements."""
        found: dict[TaskSpec, list[float]] = {}
        for m in measurements:
            found.setdefault(m.task_spec, []).extend(m.times)
        return [Measurement(1, times, spec) for spec, times in found.items()]

    def __repr__(self) -> str:
        (unit, size), count = select_unit(self.median), len(self.raw_times)
        many = count > 1
        lines = [object.__repr__(self), self.task_spec.summarize()]
        lines.append(f"  {'Median: ' if many else ''}{self.median / size:.2f} {unit}")
        if count >= 4:
            low, high = self._quantile(0.25) / size, self._quantile(0.75) / size
            lines.append(f"  IQR:    {self.iqr / size:.2f} {unit} ({low:.2f} to {high:.2f})")
        lines.append(
            f"  {count} measurement{'s' * many}, {self.number_per_run} runs "
            f"{'per measurement,' if many else ','} {self.num_threads} "
            f"thread{'s' * (self.num_threads > 1)}"
        )
        return "\n".join([*lines, self._warning()]).strip()

