"""`torchlike.explain()`: what was recorded, which tier runs it, what it cost, why it stays cold."""

from __future__ import annotations

import textwrap
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax

from . import replay, run, xla
from .fused import Window, place, stats
from .record import Trace, flush_all, number_array
from .storage import OWNED, SHARED, Value

WIDTH = 96
SHOWN = 12  # windows of each kind in the text


class WindowReport(NamedTuple):
    """One window, or one step of torchlike.jit."""

    where: str
    tier: str
    ops: int
    seen: int
    hits: int
    seconds: float
    memory: int | None
    cold: str
    records: tuple[Any, ...]


class Report(str):
    """The page as text; printing it or evaluating it at a prompt shows it."""

    __repr__ = str.__str__
    windows: list[WindowReport]


def explain(html: Any = None) -> Report:
    """A page about every window since the start; `html` names a file for it with drawings."""
    flush_all()
    windows = [*_windows(), *_steps()]
    page = Report(_text(windows))
    page.windows = windows
    if html is not None:
        from .explain_html import page_of

        with open(html, "w", encoding="utf-8") as file:
            file.write(page_of(page, windows, totals()))
    return page


# ----- collecting -----
def _windows() -> list[WindowReport]:
    found = list(run.windows.items())
    return [_window(key, w, found) for key, w in found]


def _window(key: tuple[Any, ...], w: Window, others: list[Any]) -> WindowReport:
    tier = "compiled" if w.programs else "compiling" if w.building else "cold"
    cold = "" if w.programs or w.building else why_cold(key, w, others)
    return WindowReport(
        f"{w.label} at {place(w.line)}", tier, len(key), w.seen, sum(p.hits for p in w.programs),
        sum(p.seconds for p in w.programs), _memory([p.call for p in w.programs]), cold, key,
    )  # fmt: skip


def _steps() -> list[WindowReport]:
    return [
        WindowReport(
            p.label, "jit step", p.ops, p.hits, p.hits, p.seconds, None, "", layout.records
        )
        for layout, p in replay.programs.items()
    ]


def _memory(calls: Sequence[Any]) -> int | None:
    """Bytes the largest of the programs needs: arguments, results and scratch."""
    sizes = []
    for call in calls:
        try:
            m = call.memory_analysis()
        except (AttributeError, NotImplementedError, jax.errors.JaxRuntimeError):
            continue
        if m is not None:
            shared = m.alias_size_in_bytes
            whole = m.argument_size_in_bytes + m.output_size_in_bytes + m.temp_size_in_bytes
            sizes.append(whole - shared)
    return max(sizes, default=None)


def why_cold(key: tuple[Any, ...], w: Window, others: list[Any]) -> str:
    """What keeps a window from being compiled: how it differs from the one most like it."""
    if w.seen >= run.HOT:
        kin = w.family.windows
        shapes = f", one of {kin} windows of these ops on other shapes" if kin > run.KIN else ""
        limit = run.patience(w)
        return f"seen {w.seen} times{shapes}; cost {w.spent:.2f} s of {limit:.2f} s that it may"
    best, score = None, 0
    for other, _ in others:
        if other is not key:
            equal = sum(_likeness(a[0], b[0]) for a, b in zip(key, other, strict=False))
            if equal > score:
                best, score = other, equal
    if best is None or score < len(key):
        return f"seen {w.seen} of {run.HOT} times; no other window is like it"
    return f"seen {w.seen} of {run.HOT} times; {_first_difference(key, best)}"


def _likeness(a: Any, b: Any) -> int:
    return 2 if a is b else int(a.name == b.name)


def _first_difference(key: tuple[Any, ...], other: tuple[Any, ...]) -> str:
    for i, ((a, slots, _), (b, there, _)) in enumerate(zip(key, other, strict=False)):
        if a is b:
            if slots != there:
                return f"op {i}, {a.name}, takes other inputs than in a window that is else like it"
        elif a.name != b.name:
            return f"op {i} is {a.name}, {b.name} in the window most like it"
        elif a.outs != b.outs:
            return f"op {i}, {a.name}, gives {_avals(a)}, {_avals(b)} in the window most like it"
        else:
            return f"op {i}, {a.name}, has other arguments than in the window most like it"
    more, what = len(key) - len(other), "more" if len(key) > len(other) else "less"
    return f"it has {abs(more)} ops {what} than the window most like it"


def _avals(spec: Any) -> str:
    return ", ".join(map(repr, spec.outs))


def totals() -> dict[str, Any]:
    """Counts since the start."""
    return {
        "windows run": stats.windows, "as one program": stats.fused,
        "ops interpreted by NumPy": stats.interpreted, "ops run alone": stats.per_op,
        "programs compiled": stats.compiled, "seconds compiling": round(stats.compile_seconds, 2),
        "steps run by torchlike.jit": sum(p.hits for p in replay.programs.values()),
    }  # fmt: skip


# ----- the text -----
def _text(windows: list[WindowReport]) -> str:
    lines = ["torchlike: what ran how", ""]
    lines += [f"  {value:>10} {name}" for name, value in totals().items()]
    hot = sorted((w for w in windows if w.tier != "cold"), key=lambda w: -w.hits)
    cold = sorted((w for w in windows if w.tier == "cold"), key=lambda w: -w.ops * w.seen)
    if hot:
        lines += ["", "Compiled windows, the busiest first", _ROW.format(*_HEAD)]
        lines += [_row(w) for w in hot[:SHOWN]] + _rest(hot)
    if cold:
        lines += ["", "Cold windows, the largest first"]
        for w in cold[:SHOWN]:
            lines += [f"  {w.ops:>5} ops from {w.where}", *_indented(w.cold)]
        lines += _rest(cold)
    if TIMES:
        lines += ["", "Ops by time (run one by one, while op_times() was on)"]
        lines += op_table()
    return "\n".join(line[:WIDTH].rstrip() for line in lines) + "\n"


def _indented(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=" " * 8, subsequent_indent=" " * 8)


_ROW = "  {:>9} {:>6} {:>5} {:>8} {:>9}  {}"
_HEAD = ("tier", "hits", "ops", "compile", "memory", "from")


def _row(w: WindowReport) -> str:
    size = "" if w.memory is None else bytes_text(w.memory)
    return _ROW.format(w.tier, w.hits, w.ops, f"{w.seconds:.2f} s", size, w.where)


def _rest(rows: list[Any]) -> list[str]:
    return [f"  … and {len(rows) - SHOWN} more"] if len(rows) > SHOWN else []


def bytes_text(count: float) -> str:
    """ "1.5 MB"."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return ""


# ----- ops by time -----
TIMES: dict[str, float] = defaultdict(float)
COUNTS: Counter[str] = Counter()


class op_times:
    """Inside, ops run one by one, each waited for: `explain()` then tells where time goes."""

    def __enter__(self) -> op_times:
        flush_all()
        self.usual, run._dispatch = run._dispatch, _run_timed
        return self

    def __exit__(self, *_: object) -> None:
        flush_all()
        run._dispatch = self.usual


def _run_timed(tr: Trace, live: list[Value]) -> None:
    env: list[Any] = [None] * len(tr.values)
    held = {id(leaf.array) for leaf in tr.leaves if isinstance(leaf, Value)}
    for spec, slots, first in tr.records:
        given = [env[s] if s >= 0 else _array(tr.leaves[~s]) for s in slots]
        if spec.jit is None:
            spec.jit = xla.jitted(spec.fun)
            jax.block_until_ready(spec.jit(*given))  # compiling is not counted
        started = time.perf_counter()
        results = jax.block_until_ready(spec.jit(*given))
        TIMES[spec.name] += time.perf_counter() - started
        COUNTS[spec.name] += 1
        env[first : first + len(spec.outs)] = results
    for v in live:
        array = env[v.slot]
        v.slot, v.trace = SHARED if id(array) in held else OWNED, None
        v.array = array


def _array(leaf: Any) -> Any:
    return leaf.array if isinstance(leaf, Value) else number_array(leaf)


def op_table() -> list[str]:
    """The ops that took the most time."""
    whole = sum(TIMES.values())
    rows = sorted(TIMES.items(), key=lambda row: -row[1])[:SHOWN]
    return [
        f"  {1000 * t:>9.2f} ms {100 * t / whole:>4.0f} % {COUNTS[name]:>7} × {name}"
        for name, t in rows
    ]
