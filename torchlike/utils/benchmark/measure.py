"""`Measurement`: the times of one statement, and their statistics."""

import dataclasses
import statistics

import numpy as np

MAX_SIGNIFICANT_FIGURES = 4
MIN_CONFIDENCE_INTERVAL = 25e-9


def select_unit(t: float) -> tuple[str, float]:
    """The unit a time is shown in, and its seconds."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if t >= size:
            return unit, size
    return "ns", 1e-9


@dataclasses.dataclass(frozen=True)
class TaskSpec:
    """What was timed."""

    stmt: str
    setup: str = "pass"
    global_setup: str = ""
    label: str | None = None
    sub_label: str | None = None
    description: str | None = None
    env: str | None = None
    num_threads: int = 1

    @property
    def title(self) -> str:
        """The label, or the statement."""
        if self.label is None:
            return self.stmt
        return self.label + (f": {self.sub_label}" if self.sub_label else "")

    def summarize(self) -> str:
        """What was timed, in a few lines."""
        parts = [self.title, self.description or ""]
        if self.setup != "pass":
            parts.append("setup:\n" + "\n".join(f"  {line}" for line in self.setup.splitlines()))
        return "\n".join(part for part in parts if part)


@dataclasses.dataclass
class Measurement:
    """The times of several runs of one statement."""

    number_per_run: int
    raw_times: list[float]
    task_spec: TaskSpec
    metadata: dict | None = None

    @property
    def times(self) -> list[float]:
        """Seconds per statement."""
        return [t / self.number_per_run for t in self.raw_times]

    @property
    def median(self) -> float:
        """The median."""
        return statistics.median(self.times)

    @property
    def mean(self) -> float:
        """The mean."""
        return statistics.fmean(self.times)

    @property
    def iqr(self) -> float:
        """The distance between the quartiles."""
        low, high = np.quantile(self.times, (0.25, 0.75))
        return float(high - low)

    @property
    def significant_figures(self) -> int:
        """How many figures the spread leaves standing."""
        spread = self.iqr / len(self.times) ** 0.5 * 1.645
        width = max(spread, MIN_CONFIDENCE_INTERVAL)
        return min(MAX_SIGNIFICANT_FIGURES, max(1, int(np.log10(self.median / width)) + 1))

    @property
    def has_warnings(self) -> bool:
        """Whether the times are spread too much to be trusted."""
        return self.iqr / self.median > 0.1

    def __getattr__(self, name: str):
        names = ("label", "sub_label", "description", "env", "num_threads", "stmt", "title")
        if name in names:
            return getattr(self.task_spec, name)
        raise AttributeError(name)

    def meets_confidence(self, threshold: float = 0.1) -> bool:
        """Whether the quartiles lie close together."""
        return self.iqr / self.median < threshold

    @staticmethod
    def merge(measurements) -> list["Measurement"]:
        """Those of one task joined."""
        found: dict = {}
        for m in measurements:
            key = m.task_spec, m.number_per_run
            found.setdefault(key, []).extend(m.raw_times)
        return [Measurement(n, times, spec) for (spec, n), times in found.items()]

    def __repr__(self) -> str:
        unit, size = select_unit(self.median)
        lines = [f"{type(self).__module__}.Measurement object", self.task_spec.summarize()]
        name = "Median" if len(self.times) > 1 else ""
        figure = f"{self.median / size:.2f} {unit}"
        if not name:
            lines.append(f"  {figure}")
        else:
            lines.append(f"  Median: {figure}\n  IQR:    {self.iqr / size:.2f} {unit}")
        runs = f"{len(self.raw_times)} measurement{'s' * (len(self.raw_times) > 1)}"
        threads = f"{self.task_spec.num_threads} thread{'s' * (self.task_spec.num_threads > 1)}"
        return "\n".join([*lines, f"  {runs}, {self.number_per_run} runs , {threads}"])
