"""Whole windows as XLA programs: built in the background, found again by their live results.

A program gives the window's live results; dead ones are dropped, and buffers that nothing else
holds are donated. While a program is being compiled the caller goes on in the slower tier.
"""

from __future__ import annotations

import os
import sys
import time
import weakref
from collections import Counter
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from . import background, remembered, xla
from .device import to_jax
from .dtypes import from_numpy
from .record import Trace, number_array
from .storage import OWNED, SHARED, Value, aval_of, concrete

MAX_VARIANTS = 4  # programs per window: different sets of live results
GUESS = 0.3  # seconds a program takes to compile, before one was
DONATE_BYTES = 1 << 12  # a smaller buffer is not worth donating


LOG = os.environ.get("TORCHLIKE_LOG", "").split(",")  # what to tell on stderr: compiles


def place(line: Any) -> str:
    """ "file.py:12" of a (path, number)."""
    return "?" if line is None else f"{line[0].rpartition('/')[2]}:{line[1]}"


class Stats:
    """What ran how, since the start."""

    def __init__(self) -> None:
        self.windows = self.interpreted = self.per_op = self.fused = self.compiled = 0
        self.compile_seconds = self.waited_seconds = 0.0  # the latter: not in the background

    def compiled_one(self, what: str, ops: int, seconds: float) -> None:
        """Count a compilation; `TORCHLIKE_LOG=compiles` tells of it."""
        self.compiled += 1
        self.compile_seconds += seconds
        if not background.here():
            self.waited_seconds += seconds
            background.give_back(seconds)
        if "compiles" in LOG:
            text = f"torchlike: compiled {ops} ops from {what} in {seconds:.2f} s"
            print(text, file=sys.stderr, flush=True)


stats = Stats()


class Family:
    """The windows of the same ops on other shapes: how many, and what their programs cost."""

    __slots__ = ("windows", "programs", "seconds")

    def __init__(self) -> None:
        self.windows = self.programs = 0
        self.seconds = 0.0

    @property
    def price(self) -> float:
        """Seconds that compiling one more would take."""
        return self.seconds / self.programs if self.programs else GUESS


class Window:
    """One sequence of ops: how often it was seen, and its fused programs."""

    __slots__ = (
        "seen", "programs", "layout", "label", "numbers", "slow", "building", "line", "family",
        "spent",
    )  # fmt: skip

    def __init__(self, label: str, family: Family) -> None:
        self.seen = 0
        self.family = family
        self.spent = 0.0  # seconds in the slower tier, without its compilations
        self.slow = 0  # runs op by op: it can do so again without compiling
        self.building = False  # whether the background is at work on a program
        self.programs: list[Program] = []
        self.layout: list[str] | None = None  # what each leaf is: array, float, int, other
        self.numbers: tuple[Any, ...] | None = None
        self.label = label
        self.line: Any = None  # (path, number) of what recorded the first op


class Program:
    """A fused window: the live results it gives and the leaves it may donate."""

    __slots__ = ("live", "index", "donated", "gone", "call", "seconds", "hits")

    def __init__(self, live: tuple[int, ...], donated: tuple[int, ...]) -> None:
        self.live, self.donated = live, donated
        self.call: Callable[..., Any] | None = None  # none until compiled
        self.index = {slot: i for i, slot in enumerate(live)}
        self.gone = frozenset(donated)
        self.seconds, self.hits = 0.0, 0


class Leaves:
    """A trace's leaves by kind; its hold on their Values is given up, to see which ones die."""

    __slots__ = ("layout", "arrays", "refs", "owned", "floats", "ints", "others")

    def __init__(self, layout: list[str], leaves: list[Any]) -> None:
        self.layout = layout
        self.arrays: list[Any] = []
        self.refs: list[weakref.ref[Value]] = []
        self.owned: list[bool] = []
        self.floats: list[Any] = []
        self.ints: list[Any] = []
        self.others: list[Any] = []
        for leaf, kind in zip(leaves, layout, strict=True):
            if kind == "array":
                self.arrays.append(leaf.array)
                self.refs.append(weakref.ref(leaf))
                self.owned.append(leaf.slot == OWNED)
            elif kind == "other":
                self.others.append(number_array(leaf))
            else:
                (self.floats if kind == "float" else self.ints).append(leaf)

    def free(self) -> set[int]:
        """The arrays that nobody else holds any more."""
        both = zip(self.refs, self.owned, strict=True)
        return {i for i, (ref, owned) in enumerate(both) if owned and ref() is None}

    def restored(self) -> list[Any]:
        """The leaves again, those that died around new Values, which are never donated."""
        sources = {
            "array": (ref() or _around(a) for a, ref in zip(self.arrays, self.refs, strict=True)),
            "float": iter(self.floats),
            "int": iter(self.ints),
            "other": iter(self.others),
        }
        return [next(sources[kind]) for kind in self.layout]

    def place(self, donated: frozenset[int], device: Any) -> None:
        """Put NumPy's arrays on the device; a donated one as a copy, which nothing aliases."""
        mine = [i for i, a in enumerate(self.arrays) if a.__class__ is np.ndarray]
        if not mine:
            return
        alias = [i not in donated for i in mine]
        placed = jax.device_put([self.arrays[i] for i in mine], device, may_alias=alias)
        for i, array in zip(mine, placed, strict=True):
            self.arrays[i] = array
            value = self.refs[i]()
            if value is not None:  # there from now on
                value.array, value.slot = array, SHARED


def _around(array: Any) -> Value:
    return concrete(array, aval_of(tuple(array.shape), from_numpy(array.dtype)), SHARED)


def kind_of(leaf: Any) -> str:
    """How a leaf enters a program: array, float, int, or other numbers one by one."""
    if leaf.__class__ is Value:
        return "array"
    if isinstance(leaf, (bool, np.bool_, complex, np.complexfloating)) and not isinstance(
        leaf, float
    ):
        return "other"
    return "int" if isinstance(leaf, (int, np.integer)) else "float"


# ----- running -----
def run(window: Window, tr: Trace, live: list[Value]) -> bool:
    """Run a trace as one program. False, with nothing run, while that is still being compiled."""
    if window.layout is None:
        window.layout = [kind_of(leaf) for leaf in tr.leaves]
    leaves = Leaves(window.layout, tr.leaves)
    tr.leaves, tr.leaf_slots = [], {}
    free = leaves.free()
    slots = tuple([v.slot for v in live])
    try:
        program = _find(window, slots, free) or _build(window, tr, leaves, slots, free)
        results = None if program is None else _call(window, program, leaves, to_jax(tr.device))
    except BaseException:
        tr.leaves = leaves.restored()  # so that the run can repeat
        raise
    if program is None or results is None:
        tr.leaves = leaves.restored()
        return False
    if program.live != slots:
        results = [results[program.index[s]] for s in slots]
    for v, array in zip(live, results, strict=True):
        v.array, v.slot, v.trace = array, OWNED, None
    return True


def _call(window: Window, program: Program, leaves: Leaves, device: Any) -> list[Any]:
    leaves.place(program.gone, device)
    arrays = leaves.arrays
    given = [arrays[i] for i in program.donated]
    kept = [a for i, a in enumerate(arrays) if i not in program.gone]
    assert program.call is not None
    results = program.call(given, kept, *_numbers(window, leaves), leaves.others)
    stats.fused += 1
    program.hits += 1
    return results


def _numbers(window: Window, leaves: Leaves) -> tuple[Any, Any]:
    """A window's Python numbers as two arrays; numbers that come again are put on the device."""
    last, lists = window.numbers, (leaves.floats, leaves.ints)
    if last is not None and last[1] is not None and last[2] == lists and 0.0 not in lists[0]:
        return last[1]  # a NaN equals nothing, a zero has two signs: those take the long way
    given = np.array(leaves.floats, np.float64), np.array(leaves.ints, np.int64)
    key = given[0].tobytes(), given[1].tobytes()  # bytes: 0.0 and -0.0 differ, NaN equals itself
    if last is None or last[0] != key:
        window.numbers = key, None, lists
        return given  # a program takes NumPy's arrays in a tenth of device_put's time
    if last[1] is None:
        last = window.numbers = key, jax.device_put(given), lists
    return last[1]


def _find(window: Window, slots: tuple[int, ...], free: set[int]) -> Program | None:
    for program in window.programs:
        if program.gone <= free and (
            program.live == slots or all(s in program.index for s in slots)
        ):
            return program
    return None


# ----- building -----
def _build(
    window: Window, tr: Trace, leaves: Leaves, slots: tuple[int, ...], free: set[int]
) -> Program | None:
    """A new program; none yet where the slower tier can serve while it is compiled."""
    if window.building:
        return None
    live = slots
    if window.programs:  # one program for this set of results and the last one's
        live = tuple(sorted({*slots, *window.programs[0].live}))
    if len(window.programs) >= MAX_VARIANTS:
        free = set()
        window.programs.clear()
    program = Program(live, _donations(tr.records, leaves.arrays, live, free))
    build = _compilation(window, program, list(tr.records), leaves, to_jax(tr.device))
    stored = window.slow and remembered.has(tr.records, program.live, program.donated)
    if window.slow and background.enabled and not stored:
        window.building = True
        background.submit(build)
        return None
    build()
    return program


def _worth_storing(window: Window, records: Any) -> bool:
    return remembered.dear(window.spent, window.slow) or remembered.has(records)


def _compilation(
    window: Window, program: Program, records: list[Any], leaves: Leaves, device: Any
) -> Callable[[], None]:
    """What compiles a program and hands it to its window."""
    where = jax.sharding.SingleDeviceSharding(device)  # NumPy's will be there when it is called
    shapes = [_struct(a, where) for a in leaves.arrays]
    given = [shapes[i] for i in program.donated]
    kept = [s for i, s in enumerate(shapes) if i not in program.gone]
    floats = jax.ShapeDtypeStruct((len(leaves.floats),), np.float64)
    ints = jax.ShapeDtypeStruct((len(leaves.ints),), np.int64)
    others = [_struct(a) for a in leaves.others]
    fused = _fused(records, list(leaves.layout), program.live, program.donated)

    def build() -> None:
        started = time.perf_counter()
        try:
            program.call = xla.compiled(fused, given, kept, floats, ints, others, donated=0)
            window.programs.insert(0, program)  # the newest is tried first
        except BaseException:
            window.slow = 0  # the next run compiles where the error can be seen
            raise
        finally:
            window.building = False
        program.seconds = time.perf_counter() - started
        window.family.programs += 1
        window.family.seconds += program.seconds
        stats.compiled_one(f"{window.label} at {place(window.line)}", len(records), program.seconds)
        if background.enabled and _worth_storing(window, records):
            remembered.add(records, program.live, program.donated)

    return build


def _struct(array: Any, where: Any = None) -> jax.ShapeDtypeStruct:
    where = getattr(array, "sharding", where)
    return jax.ShapeDtypeStruct(array.shape, array.dtype, sharding=where)


def _donations(
    records: list[Any], arrays: list[Any], live: tuple[int, ...], free: set[int]
) -> tuple[int, ...]:
    """The leaves whose buffers a result of the same shape and dtype can take over."""
    wanted: Counter[Any] = Counter()
    alive = set(live)
    for spec, _, first in records:
        for i, a in enumerate(spec.outs):
            if first + i in alive:
                wanted[a.shape, a.np] += 1
    chosen = []
    for i in sorted(free):
        a = arrays[i]
        if a.nbytes >= DONATE_BYTES and wanted[a.shape, a.dtype] > 0:
            wanted[a.shape, a.dtype] -= 1
            chosen.append(i)
    return tuple(chosen)


def _fused(
    records: list[Any], layout: list[str], live: tuple[int, ...], donated: tuple[int, ...]
) -> Callable[..., list[Any]]:
    """The window as one function of its leaves."""
    size = records[-1][2] + len(records[-1][0].outs)
    gone = set(donated)

    def fused(given: list[Any], kept: list[Any], floats: Any, ints: Any, others: Any) -> list[Any]:
        given_at, kept_at = iter(given), iter(kept)
        count = layout.count("array")
        arrays = [next(given_at) if i in gone else next(kept_at) for i in range(count)]
        sources = {
            "array": iter(arrays),
            "float": iter(floats),
            "int": iter(ints),
            "other": iter(others),
        }
        leaves = [next(sources[kind]) for kind in layout]
        env: list[Any] = [None] * size
        for spec, slots, first in records:
            results = spec.fun(*[env[s] if s >= 0 else leaves[~s] for s in slots])
            env[first : first + len(spec.outs)] = results
        return _distinct([env[s] for s in live], arrays)

    return fused


def _distinct(outs: list[Any], inputs: list[Any]) -> list[Any]:
    """Copies of results that are inputs or appear twice: two Values never share a buffer."""
    seen = {id(a) for a in inputs}
    distinct = []
    for o in outs:
        distinct.append(jnp.copy(o) if id(o) in seen else o)
        seen.add(id(o))
    return distinct
