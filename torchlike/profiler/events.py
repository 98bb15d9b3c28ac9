"""What a profile holds: events in the order of their start, and their averages as a table."""

import gzip
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
    id: int = 0
    cpu_parent: "FunctionEvent | None" = field(default=None, repr=False)
    self_cpu_memory_usage: int = 0  # bytes of what the op gave
    cpu_memory_usage: int = 0  # … with that of what ran inside
    stack: list[str] = field(default_factory=list)  # the caller's lines, innermost first
    count = 1

    @property
    def cpu_time(self) -> float:
        """Its time."""
        return self.cpu_time_total

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
        self.cpu_memory_usage = self.self_cpu_memory_usage = 0
        self.cpu_parent: FunctionEvent | None = None
        self.stack: list[str] = []

    def add(self, event: FunctionEvent) -> None:
        """Take one event in."""
        self.count += 1
        self.cpu_time_total += event.cpu_time_total
        self.self_cpu_time_total += event.self_cpu_time_total
        self.cpu_memory_usage += event.cpu_memory_usage
        self.self_cpu_memory_usage += event.self_cpu_memory_usage
        self.input_shapes, self.cpu_parent = event.input_shapes, event.cpu_parent

    @property
    def cpu_time(self) -> float:
        """The mean time."""
        return self.cpu_time_total / self.count

    def __repr__(self) -> str:
        return (
            f"<FunctionEventAvg key={self.key} self_cpu_time={_text(self.self_cpu_time_total)} "
            f"cpu_time={_text(self.cpu_time)} count={self.count}>"
        )


_SIZES = {"s": 1e6, "ms": 1e3, "us": 1.0}


def _text(us: float, unit: str | None = None) -> str:
    unit = unit or next((u for u, size in _SIZES.items() if us >= size), "us")
    return f"{us / _SIZES[unit]:.3f}{unit}"


def _bytes(count: int) -> str:
    for unit, size in (("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10)):
        if abs(count) >= size:
            return f"{count / size:.2f} {unit}"
    return f"{count} B"


_SORTS = (
    "count", "cpu_time", "cpu_time_total", "self_cpu_time_total", "cuda_time", "cuda_time_total",
    "self_cuda_time_total", "device_time", "device_time_total", "self_device_time_total",
    "cpu_memory_usage", "self_cpu_memory_usage", "cuda_memory_usage", "self_cuda_memory_usage",
)  # fmt: skip
_STACK_METRICS = [
    f"self_{device}_time_total" for device in ("cpu", "cuda", "xpu", "privateuse1")
]


class EventList(list):
    """Events, or averages, that print as a table; `profile_memory` gives it columns of memory."""

    def __init__(self, events=(), profile_memory=False) -> None:
        super().__init__(events)
        self._memory = profile_memory

    @property
    def self_cpu_time_total(self) -> float:
        """The time of all events, each counted once."""
        return sum(event.self_cpu_time_total for event in self)

    def key_averages(
        self, group_by_input_shapes=False, group_by_stack_n=0, group_by_overload_name=False
    ) -> "EventList":
        """One row for each name (and input shapes, and so many lines of the stack)."""
        if group_by_overload_name:
            raise NotImplementedError("key_averages: group_by_overload_name is not supported")
        found: dict = {}
        for event in self:
            shapes = event.input_shapes if group_by_input_shapes else []
            stack = event.stack[:group_by_stack_n]
            key = event.name, str(shapes), *stack
            row = found.setdefault(key, FunctionEventAvg(event.name))
            row.add(event)
            row.input_shapes, row.stack = shapes, stack
        return EventList(found.values(), self._memory)

    def table(
        self, sort_by=None, row_limit=100, max_src_column_width=75, max_name_column_width=55,
        max_shapes_column_width=80, header=None, top_level_events_only=False, time_unit=None,
    ) -> str:  # fmt: skip
        """The rows as text, largest first."""
        if sort_by is not None and sort_by not in _SORTS:
            raise AttributeError(f"{type(self[0]).__name__!r} object has no attribute {sort_by!r}")
        if not self:
            return ""
        key = (sort_by or "").replace("cuda", "cpu").replace("device", "cpu")
        rows = sorted(self, key=lambda row: -getattr(row, key)) if key else list(self)
        if top_level_events_only:
            rows = [row for row in rows if row.cpu_parent is None]
        rows = rows[:row_limit] if row_limit >= 0 else rows
        columns = self._columns(rows, time_unit, max_name_column_width)
        if any(row.input_shapes for row in self):
            texts = [str(row.input_shapes) for row in rows]
            widest = max(len(str(row.input_shapes)) for row in self) + 4
            columns.append(_column("Input Shapes", texts, widest, max_shapes_column_width))
        lines = _lines(columns)
        if any(row.stack for row in self):
            lines = _with_stacks(lines, rows, self, max_src_column_width)
        return self._framed(lines, header, top_level_events_only, time_unit)

    def _columns(self, rows, unit, name_limit) -> list:
        """Each as its width and its texts, the head first."""
        total = self.self_cpu_time_total or 1.0
        names = [_shortened(row.key, name_limit) for row in rows]
        widest = max(len(row.key) for row in self) + 4
        columns = [_column("Name", names, widest, name_limit)]
        given = {
            "Self CPU %": lambda row: f"{100 * row.self_cpu_time_total / total:.2f}%",
            "Self CPU": lambda row: _text(row.self_cpu_time_total, unit),
            "CPU total %": lambda row: f"{100 * row.cpu_time_total / total:.2f}%",
            "CPU total": lambda row: _text(row.cpu_time_total, unit),
            "CPU time avg": lambda row: _text(row.cpu_time, unit),
        }
        if self._memory:
            given["CPU Mem"] = lambda row: _bytes(row.cpu_memory_usage)
            given["Self CPU Mem"] = lambda row: _bytes(row.self_cpu_memory_usage)
        given["# of Calls"] = lambda row: str(row.count)
        columns += [_column(name, [text(row) for row in rows], 12) for name, text in given.items()]
        return columns

    def _framed(self, lines: list[str], header, top_level: bool, unit) -> str:
        rule = "".join(("-" * (len(cell) - 2) + "  ") for cell in lines[0])
        wide, title = "=" * (len(rule) - 2), []
        if header is not None:
            title = [wide, header]
        if top_level:
            title += [wide, "This report only display top-level ops statistics"]
        shown = ["".join(cells) for cells in lines]
        total = _text(self.self_cpu_time_total, unit)
        parts = [*title, rule, shown[0], rule, *shown[1:], rule, f"Self CPU time total: {total}"]
        return "\n".join(parts) + "\n"

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
        opened = gzip.open if str(path).endswith(".gz") else open
        with opened(path, "wt") as file:
            json.dump({"schemaVersion": 1, **(metadata or {}), "traceEvents": rows}, file)

    def export_stacks(self, path: str, metric: str) -> None:
        """A line for each event: its stack, outermost first, and its time; for flame graphs."""
        if metric not in _STACK_METRICS:
            raise ValueError(f"metric should be one of: {_STACK_METRICS}")
        replaced = str.maketrans(" ;\t\n", "____")
        with open(path, "w") as file:
            for event in self if metric == "self_cpu_time_total" else ():
                time = int(event.self_cpu_time_total)
                if event.stack and time > 0:
                    lines = (line.translate(replaced) for line in reversed(event.stack))
                    file.write(f"{';'.join(lines)} {time}\n")

    def total_average(self) -> FunctionEventAvg:
        """All events as one row."""
        total = FunctionEventAvg("Total")
        for event in self:
            total.add(event)
        return total

    def __str__(self) -> str:
        return self.table()


def _column(head: str, texts: list[str], width: int, limit: int | None = None):
    width = width if limit is None else min(width, limit)
    return [text[:width].rjust(width) + "  " for text in (head, *texts)]


def _lines(columns: list) -> list:
    return [list(cells) for cells in zip(*columns, strict=True)]


def _shortened(name: str, limit: int | None) -> str:
    if limit is None or len(name) < limit - 3:
        return name
    return name[: limit - 3] + "..."


def _with_stacks(lines: list, rows: list, events: list, limit: int) -> list:
    """The lines with those of each row's stack, an empty one after each."""
    width = min(max(len(line) for row in events for line in row.stack) + 4, limit)
    out = [[*lines[0], "Source Location".ljust(width) + "  "]]
    empty = [" " * len(cell) for cell in lines[0]]
    for cells, row in zip(lines[1:], rows, strict=True):
        for k, source in enumerate(row.stack or [""]):
            cut = source if len(source) <= width else "..." + source[len(source) - width + 3 :]
            out.append([*(empty if k else cells), cut.ljust(width) + "  "])
        out.append([*empty, " " * width + "  "])
    return out
