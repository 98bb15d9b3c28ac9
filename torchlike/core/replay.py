"""Captured steps as programs: compiled once for equal ops, run again without their Python.

Between two runs the program holds the arrays of the memory it reads and writes; a Storage whose
class is `Bound` hands its Value out when somebody looks, and the program takes it back. So a warm
call is: draw and count on the host, one call into XLA.
"""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from . import storage as memory
from . import xla
from .capture import (
    CURRENT,
    Capture,
    Draw,
    Hosted,
    Source,
    Update,
    is_number,
)
from .device import to_jax
from .early import Early, Flag, check_flags
from .hooks import Changes
from .mutate import store
from .record import flush
from .snapshot import Snapshot, reachable
from .storage import OWNED, SHARED, HostStorage, Storage, Value, concrete, let_go
from .tensor import Tensor, wrap

MAX_PROGRAMS = 128
_raw: Any = memory._value_slot
_raw_version: Any = Storage.__dict__["version"]


class Stale(Exception):
    """A captured step no longer fits what it finds; the message says why."""


# ----- the program -----
class Layout(NamedTuple):
    """What makes two captures the same program: ops, kinds of leaves, what is donated, results."""

    records: tuple[Any, ...]
    kinds: tuple[tuple[str, int], ...]
    donated: tuple[tuple[int, int], ...]  # (array leaf, result slot), results in this order first
    results: tuple[int, ...]


class Program:
    """One compiled step, for all captures of the same layout."""

    def __init__(self, layout: Layout, label: str) -> None:
        self.call: Any = xla.jitted(_function(layout), donated=0)
        self.label, self.ops = label, len(layout.records)
        self.seconds, self.hits = 0.0, 0


programs: OrderedDict[Layout, Program] = OrderedDict()


def program_of(layout: Layout, label: str) -> Program:
    """The program of a layout; compiled at its first call."""
    found = programs.get(layout)
    if found is None:
        found = programs[layout] = Program(layout, label)
        if len(programs) > MAX_PROGRAMS:
            programs.popitem(last=False)
    return found


def _function(layout: Layout) -> Callable[..., list[Any]]:
    records, kinds, donated, results = layout
    size = records[-1][2] + len(records[-1][0].outs) if records else 0
    gone = {leaf: i for i, (leaf, _) in enumerate(donated)}

    def step(given: list[Any], kept: list[Any], floats: Any, ints: Any, others: Any) -> list[Any]:
        sources = {"float": list(floats), "int": list(ints), "other": others}
        rest = iter(kept)
        leaves = []
        for i, (kind, at) in enumerate(kinds):
            if kind == "array":
                leaves.append(given[gone[i]] if i in gone else next(rest))
            else:
                leaves.append(sources[kind][at])
        env: list[Any] = [None] * size
        for spec, slots, first in records:
            found = spec.fun(*[env[s] if s >= 0 else leaves[~s] for s in slots])
            env[first : first + len(spec.outs)] = found
        inputs = {id(a) for a in (*given, *kept)}
        chosen = [env[s] if s >= 0 else leaves[~s] for s in results]
        return [jnp.copy(o) if id(o) in inputs else o for o in chosen]

    return step


def kind_of(leaf: Any) -> str:
    """How a leaf is handed in: an array, or among the float, the int or the other numbers."""
    if isinstance(leaf, (Value, Source)):
        return "array"
    if is_number(leaf):
        return "int" if isinstance(leaf, (int, np.integer)) else "float"
    return "other"


# ----- memory between two runs -----
class Cell:
    """Memory a replay reads or writes: its place among the donated, the kept, the results."""

    __slots__ = ("replay", "storage", "aval", "given", "kept", "result", "bump", "at", "slot")

    def __init__(self, storage: Storage, aval: Any, result: int | None, bump: int) -> None:
        self.storage, self.aval, self.result, self.bump = storage, aval, result, bump
        self.given: int | None = None
        self.kept: int | None = None
        self.at, self.slot = 0, OWNED

    def release(self) -> Value:
        """Somebody looks: the memory is an ordinary Storage again, until the next run."""
        s, replay = self.storage, self.replay
        found = replay.results[self.result] if self.result is not None else replay.kept[self.kept]
        value = concrete(found, self.aval, self.slot)
        version = s.version
        s.__class__ = Storage  # type: ignore[assignment]
        s.value, s.version = value, version
        replay.loose.append(self)
        return value

    def take(self) -> Any:
        """The array of the memory, from whoever holds it now; the Storage is bound again."""
        s = self.storage
        v = s.value
        if v.trace is not None:
            flush(v.trace)
        if v.aval is not self.aval:
            raise Stale(f"memory of {self.aval} holds {v.aval} now")
        array = v.array
        if id(s) in self.replay.positive and not np.asarray(array) > 0:
            raise Stale("a counter that was positive is 0 now")
        if s.__class__ is HostStorage:
            return jax.device_put(array, to_jax(self.aval.device))
        owned = v.slot == OWNED and array.__class__ is not np.ndarray
        self.slot = OWNED if self.result is not None else v.slot
        if array.__class__ is np.ndarray and self.given is None:
            array = v.array = jax.device_put(array, to_jax(self.aval.device))
            self.slot = v.slot = SHARED
        version = s.version
        self.bind(version)
        watch = weakref.ref(v)
        del v
        if self.given is not None and not (owned and watch() is None):
            array = copied(array, to_jax(self.aval.device))
        return array

    def bind(self, version: int) -> None:
        s = self.storage
        if s.__class__ is not HostStorage:
            _raw.__set__(s, self)
            _raw_version.__set__(s, version)
            self.at = self.replay.calls
            s.__class__ = Bound  # type: ignore[assignment]


def copied(array: Any, place: Any) -> Any:
    """A copy on a device that nobody else holds: it may be donated."""
    return jax.device_put(jnp.array(array, copy=True), place)


class GradCell(Cell):
    """The memory of a gradient made by the step."""

    __slots__ = ("number",)

    number: int

    def renew(self) -> None:
        """Somebody has the old gradient and may keep it: the next one is another tensor."""
        t, _ = self.replay.grads[self.number]
        _ = self.storage.value  # it keeps its numbers
        fresh = wrap(concrete(None, self.aval))
        fresh._lent = False
        self.storage = fresh._storage
        self.replay.grads[self.number] = t, fresh


class Bound(Storage):
    """Memory whose array a replay holds."""

    __slots__ = ()

    @property
    def value(self) -> Value:  # type: ignore[override]
        return _raw.__get__(self).release()

    @value.setter
    def value(self, new: Value) -> None:
        _raw.__get__(self).release()
        self.value = new

    @property
    def version(self) -> int:  # type: ignore[override]
        cell = _raw.__get__(self)
        return _raw_version.__get__(self) + cell.bump * (cell.replay.calls - cell.at)

    @version.setter
    def version(self, new: int) -> None:
        _raw.__get__(self).release()
        self.version = new


# ----- a replay -----
class Replay:
    """A captured step, ready to run again: where inputs come from and results go."""

    def __init__(self, capture: Capture, program: Program) -> None:
        self.program = program
        self.given: list[Any] = []
        self.kept: list[Any] = []
        self.results: list[Any] = []
        self.cells: list[Cell] = []
        self.loose: list[Cell] = []
        self.always: list[Cell] = []  # memory NumPy sees too: read and written at every run
        self.carried: list[tuple[int, int]] = []
        self.arguments: list[tuple[int, int]] = []  # (place among the kept, number)
        self.grads: list[tuple[Tensor, Any]] = []
        self.result_of: dict[int, int] = {}  # id of a value of the capture -> place of its array
        self.result_avals: dict[int, Any] = {}
        self.guarded: Any = None
        self.draws: list[tuple[Any, Any]] = []
        self.effects = [e for e in capture.effects if isinstance(e, (Update, Hosted))]
        self.saves: list[Any] = [None] * len(capture.saves)
        self.numbers: dict[str, Any] = {}
        self.places: list[list[tuple[str, int, str]]] = []
        self.flags: list[Flag] = []
        self.early: list[Early] = []
        self.skips: list[tuple[Update, int]] = []  # updates that may not happen, and the flag
        self.undo: dict[int, Callable[[], None]] = {}
        self.arg_writes: list[tuple[int, int, Any]] = []
        self.calls, self.stale, self.lent = 0, "", -1
        self.positive = {id(s) for s in capture.positive}
        self.host: dict[Any, Any] = {}

    def add(self, cell: Cell) -> None:
        """Memory to be taken over at the first run."""
        cell.replay = self
        self.cells.append(cell)
        if cell.kept is not None and cell.result is not None:
            self.carried.append((cell.kept, cell.result))
        (self.always if isinstance(cell.storage, HostStorage) else self.loose).append(cell)

    def add_grad(self, t: Tensor, grad: Tensor, aval: Any, result: int) -> None:
        """A gradient the step makes: the same tensor at every run, until somebody takes it."""
        grad._lent = False
        cell = GradCell(grad._storage, aval, result, 0)
        cell.number = len(self.grads)
        self.grads.append((t, grad))
        self.add(cell)

    def run(self, tensors: list[Tensor]) -> list[Any]:
        """Run the program on the arguments; the arrays of its results."""
        kept = self.kept
        for place, number in self.arguments:
            kept[place] = read_array(tensors[number])
        if self.early:
            self._check(tensors)
        if self.effects:
            self._count()
        if self.lent != Changes.lent:
            self._renew()
        if self.loose or self.always:
            self._bind()
        if self.draws:
            self._draw()
        numbers = self.numbers
        results = self.program.call(
            self.given, kept, numbers["float"], numbers["int"], numbers["other"]
        )
        self.results = results
        self.given = results[: len(self.given)]
        for place, result in self.carried:
            kept[place] = results[result]
        self.calls += 1
        self.program.hits += 1
        for cell in self.always:
            if cell.result is not None:
                cell.storage.value = concrete(results[cell.result], cell.aval, SHARED)
        for t, grad in self.grads:
            t._grad = grad
        for number, result, aval in self.arg_writes:
            store(tensors[number], concrete(results[result], aval))
        for update, result in self.skips:
            if bool(np.asarray(results[result])):
                self.undo[id(update)]()
        if self.flags:
            check_flags(results, self.flags, tensors)
        return results

    # ----- before the program -----
    def _check(self, tensors: list[Tensor]) -> None:
        """Errors that show before anything has changed; nothing is taken over yet."""
        kept = self.kept
        if self.loose or self.always:
            kept = list(kept)
            for cell in (*self.loose, *self.always):
                if cell.kept is not None:
                    kept[cell.kept] = computed(cell.storage.value)
        for flag in self.early:
            flag.check(kept, tensors)

    def _bind(self) -> None:
        """Take back what others looked at or wrote to."""
        loose, self.loose = self.loose, []
        done = 0
        try:
            for cell in loose:
                let_go(cell.storage)
                if cell.storage.__class__ is HostStorage:
                    self.always.append(cell)
                elif cell.storage.__class__ is Bound and _raw.__get__(cell.storage) is cell:
                    pass
                elif cell.given is not None:
                    self.given[cell.given] = cell.take()
                elif cell.kept is not None:
                    self.kept[cell.kept] = cell.take()
                else:
                    self._bind_result(cell)
                done += 1
        except BaseException:
            self.loose = loose[done:]
            raise
        for cell in self.always:
            if cell.given is not None:
                self.given[cell.given] = copied(cell.take(), to_jax(cell.aval.device))
            elif cell.kept is not None:
                self.kept[cell.kept] = cell.take()

    def _renew(self) -> None:
        for cell in self.cells:
            if isinstance(cell, GradCell) and self.grads[cell.number][1]._lent:
                cell.renew()
                if cell not in self.loose:
                    self.loose.append(cell)
        self.lent = Changes.lent

    def _bind_result(self, cell: Cell) -> None:
        """Memory that is only written: what it holds now is of no use."""
        s = cell.storage
        version = s.version
        if s.__class__ is Bound:
            _ = s.value  # another replay lets go of it
        cell.bind(version)

    def _draw(self) -> None:
        for effect, place in self.draws:
            if isinstance(effect, Draw):
                self.kept[place] = effect()
            elif effect.state is None:
                self.saves[effect.saved] = effect.generator.save()
            else:
                state = effect.state if effect.saved < 0 else self.saves[effect.saved]
                effect.generator.load(state)

    def _count(self) -> None:
        """The host's share: counters, schedules, hyper-parameters."""
        undo: list[Callable[[], None]] = []
        floats, ints = self.host["float"], self.host["int"]
        try:
            for effect, places in zip(self.effects, self.places, strict=True):
                if isinstance(effect, Hosted):
                    undo.append(Snapshot(reachable(list(effect.args))).restore)
                    effect.method(*effect.args, **effect.kwargs)
                    continue
                found = _count_update(effect, undo)
                self.undo[id(effect)] = undo[-1]
                for kind, at, name in places:
                    (floats if kind == "float" else ints)[at] = found[name]
        except BaseException:
            for back in reversed(undo):
                back()
            raise
        self.numbers["float"], self.numbers["int"] = floats.copy(), ints


def _count_update(update: Update, undo: list[Callable[[], None]]) -> dict[str, Any]:
    """Move one optimizer's counters on; its numbers by name."""
    before = [(s.value, s.version) for s in update.storages[0]]
    columns = list(zip(*update.storages, strict=True))  # one counter of all parameters
    for column, (value, _) in zip(columns, before, strict=True):
        for s in column:
            if s.value is not value:
                raise Stale("the optimizer's counters of two parameters differ now")

    def back() -> None:
        for column, (value, version) in zip(columns, before, strict=True):
            for s in column:
                s.value, s.version = value, version

    undo.append(back)
    CURRENT.numbers = calls = []
    try:
        update.optimizer._update(*update.args)
    finally:
        CURRENT.numbers = None
    ((rule, state, numbers),) = calls
    if not update.fits(rule, state, numbers):
        raise Stale(f"options of {type(update.optimizer).__name__} changed")
    for first, *rest in columns:
        value = first.value
        for s in rest:
            s.value = value
            s.version += 1
    return numbers


def read_array(t: Tensor) -> Any:
    """A tensor's array, on its device."""
    v = t._value_now()
    array = computed(v)
    if array.__class__ is np.ndarray:
        v.array, v.slot = jax.device_put(array, to_jax(v.aval.device)), SHARED
    return v.array


def computed(v: Value) -> Any:
    """A value's array, as it is."""
    if v.trace is not None:
        flush(v.trace)
    return v.array
