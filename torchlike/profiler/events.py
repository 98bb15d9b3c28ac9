"""What a profile holds: events in the order of their start, and their averages as a table."""

import json
import os
from dataclasses import dataclass, field


@dataclass
class FunctionEvent:
    """One op run, or one `record_function` block; times in microseconds."""

    name: str
    start: float
    cpu_time_total: float = 0.0
    children: float = 0.0  # time of what ran inside
    input_shapes: list = field(default_factory=list)
    is_user_annotation: bool = False
    thread: int = 0

    @property
    def key(self) -> str:
        """What averages are grouped by."""
        return self.name

    @property
    def self_cpu_time_total(self) -> float:
        """Its time without that of what ran inside."""
        return self.cpu_time_total - self.children


class FunctionEventAvg:
    """All events of one name."""

    def __init__(self, key: str) -> None:
        self.key, self.count, self.input_shapes = key, 0, []
        self.cpu_time_total = self.self_cpu_time_total = 0.0

    def add(self, event: FunctionEvent) -> None:
        """Take one event in."""
        self.count += 1
        self.cpu_time_total += event.cpu_time_total
        self.self_cpu_time_total += event.self_cpu_time_total
        self.input_shapes = event.input_shapes

    @property
    def cpu_time(self) -> float:
        """The mean time."""
        return self.cpu_time_total / self.count

    def __repr__(self) -> str:
        return (
            f"<FunctionEventAvg key={self.key} self_cpu_time={_text(self.self_cpu_time_total)} "
            f"cpu_time={_text(self.cpu_time)} count={self.count}>"
        )


def _text(us: float) -> str:
    for limit, unit in ((1e6, "s"), (1e3, "ms")):
        if us >= limit:
            return f"{us / limit:.3f}{unit}"
    return f"{us:.3f}us"


_SORTS = (
    "count", "cpu_time", "cpu_time_total", "self_cpu_time_total", "cuda_time", "cuda_time_total",
    "self_cuda_time_total", "device_time", "device_time_total", "self_device_time_total",
)  # fmt: skip


class EventList(list):
    """Events, or averages, that print as a table."""

    @property
    def self_cpu_time_total(self) -> float:
        """The time of all events, each counted once."""
        return sum(event.self_cpu_time_total for event in self)

    def key_averages(
        self, group_by_input_shapes=False, group_by_stack_n=0, group_by_overload_name=False
    ) -> "EventList":
        """One row for each name (and input shapes)."""
        for name in ("group_by_stack_n", "group_by_overload_name"):
            if locals()[name]:
                raise NotImplementedError(f"key_averages: {name} is not supported")
        found: dict = {}
        for event in self:
            shapes = event.input_shapes if group_by_input_shapes else []
            found.setdefault((event.name, str(shapes)), FunctionEventAvg(event.name)).add(event)
            found[event.name, str(shapes)].input_shapes = shapes
        return EventList(found.values())

    def table(
        self, sort_by=None, row_limit=100, max_src_column_width=75, max_name_column_width=55,
        max_shapes_column_width=80, header=None, top_level_events_only=False, time_unit=None,
    ) -> str:  # fmt: skip
        """The rows as text, largest first; sources are not known, so their column is not there."""
        for name in ("top_level_events_only", "time_unit"):
            if locals()[name]:
                raise NotImplementedError(f"EventList.table: {name} is not supported")
        if sort_by is not None and sort_by not in _SORTS:
            raise AttributeError(f"{sort_by!r} is not one of {', '.join(_SORTS)}")
        key = (sort_by or "").replace("cuda", "cpu").replace("device", "cpu")
        rows = sorted(self, key=lambda row: -getattr(row, key)) if key else list(self)
        total = self.self_cpu_time_total or 1.0
        cells = [
            ("Name", "Self CPU %", "Self CPU", "CPU total %", "CPU total", "CPU time avg",
             "# of Calls"),
            *[_cells(row, total, max_name_column_width) for row in rows[: max(row_limit, 0)]],
        ]  # fmt: skip
        if any(row.input_shapes for row in self):
            shapes = [str(row.input_shapes)[:max_shapes_column_width] for row in rows]
            cells = [(*a, b) for a, b in zip(cells, ["Input Shapes", *shapes])]
        return _drawn(cells, header) + f"Self CPU time total: {_text(self.self_cpu_time_total)}\n"

    def export_chrome_trace(self, path, metadata=None) -> None:
        """The events, and what was noted beside them, as a file for chrome://tracing, Perfetto."""
        rows = [
            {
                "ph": "X", "cat": "user_annotation" if e.is_user_annotation else "cpu_op",
                "name": e.name, "pid": os.getpid(), "tid": e.thread, "ts": e.start,
                "dur": e.cpu_time_total, "args": {"Input Dims": e.input_shapes},
            }
            for e in self
        ]  # fmt: skip
        with open(path, "w") as file:
            json.dump({"schemaVersion": 1, **(metadata or {}), "traceEvents": rows}, file)

    def total_average(self) -> FunctionEventAvg:
        """All events as one row."""
        total = FunctionEventAvg("Total")
        for event in self:
            total.add(event)
        return total

    def __str__(self) -> str:
        return self.table()


def _cells(row, total: float, width: int) -> tuple[str, ...]:
    name = row.key if len(row.key) <= width else row.key[: width - 3] + "..."
    shares = [f"{100 * t / total:.2f}%" for t in (row.self_cpu_time_total, row.cpu_time_total)]
    mean = row.cpu_time_total / getattr(row, "count", 1)
    return (
        name, shares[0], _text(row.self_cpu_time_total), shares[1], _text(row.cpu_time_total),
        _text(mean), str(getattr(row, "count", 1)),
    )  # fmt: skip


def _drawn(cells: list, header) -> str:
    widths = [max(12, *(len(row[i]) for row in cells)) for i in range(len(cells[0]))]
    rule = "  ".join("-" * width for width in widths) + "  \n"
    lines = [
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) + "  \n"
        for row in cells
    ]
    title = f"{header}\n" if header else ""
    return title + rule + lines[0] + rule + "".join(lines[1:]) + rule
