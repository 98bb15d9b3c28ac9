"""From a capture to its program: results are found, the program runs, a replay is made."""

from __future__ import annotations

import gc
import time
from typing import Any

import jax
import numpy as np

from . import storage as memory
from .capture import Capture, Source, Update
from .device import to_jax
from .early import Early, Flag, early
from .function_nodes import function_node
from .fused import DONATE_BYTES
from .fused import stats as run_stats
from .mutate import store
from .record import flush, number_array
from .replay import (
    Layout,
    Program,
    copied,
    kind_of,
)
from .snapshot import difference
from .storage import OWNED, SHARED, Storage, Value, concrete
from .tensor import Tensor

_new = object.__new__
_raw: Any = memory._value_slot
GRAPH_GONE = (
    "the graph of a tensor returned by a torchlike.jit step is not kept: call backward() inside "
    "the step"
)


class Builder:
    """What is known about one capture while its program is made."""

    def __init__(self, capture: Capture, returned: list[Any], stand_ins: list[Any]) -> None:
        self.capture, self.returned, self.stand_ins = capture, returned, stand_ins
        self.trace = capture.trace
        self.reason = capture.reason
        self.written: list[tuple[Storage, Value]] = []
        self.grads = capture.regrown()
        self.arg_writes: list[tuple[int, Value]] = []
        self.tensors = {id(t) for t, _ in capture.snapshot.tensors}

    # ----- what came out -----
    def collect(self) -> None:
        """Find every result: memory written, gradients, what was returned, what else lives."""
        for t in self.returned:
            if isinstance(t, Tensor) and id(t) not in self.tensors:
                close_graph(t)
        self.capture.snapshot.forget_views()
        self.collect_writes()  # by itself: its locals would keep an input alive
        self.why()
        self.name_slots(self.trace)

    def collect_writes(self) -> None:
        """Find the memory and the arguments that were written; the rest as it was before."""
        capture = self.capture
        for s, (value, _) in capture.before.items():
            final = _raw.__get__(s)
            if s in capture.hosted:
                continue
            if self.is_input(final, s):
                _raw.__set__(s, value)
            else:
                self.written.append((s, final))
                if id(s) in capture.hosts:
                    _raw.__set__(s, None)
        for k, t in enumerate(self.stand_ins):
            final = _raw.__get__(t._storage)
            if not self.is_input(final, k):
                self.arg_writes.append((k, final))

    def is_input(self, v: Any, item: Any) -> bool:
        """Whether a value is the placeholder of this very memory or argument."""
        if v is None or v.trace is not self.trace or v.slot >= 0:
            return False
        source = self.trace.leaves[~v.slot]
        return source.__class__ is Source and source.item is item

    @property
    def grad_storages(self) -> list[Storage]:
        return [t._grad._storage for t, _ in self.grads if t._grad is not None]

    def why(self) -> None:
        """Why the capture can't be run again without its Python, if so."""
        capture = self.capture
        changed = capture.snapshot.changed()
        moved = capture.snapshot.moved()
        if self.reason is None and changed:
            self.reason = f"the step changed {difference(changed[0])}"
        if self.reason is None and moved is not None:
            self.reason = f"the step gave a tensor of shape {tuple(moved.shape)} other memory"
        for t, _ in self.grads:
            g = t._grad
            if g is not None and self.reason is None:
                known = id(g._storage) in capture.known
                if known or g._requires_grad or (g._view is not None and g._view.steps):
                    self.reason = "a gradient is a view, has a graph, or is a tensor made before"

    def name_slots(self, trace: Any) -> None:
        """The slots of all results; a live value nobody accounts for forbids a replay."""
        named = [v for _, v in self.written] + [v for _, v in self.arg_writes]
        for t, _ in self.grads:
            if t._grad is not None:
                t._grad._value = t._grad._seen = None
        named += [_raw.__get__(s) for s in self.grad_storages]
        named += self.checked(trace)
        updates = [e for e in self.capture.effects if isinstance(e, Update)]
        self.skips = [(e, e.skip) for e in updates if e.skip is not None]
        named += [skip for _, skip in self.skips]
        for t in self.returned:
            if isinstance(t, Tensor) and id(t._storage) not in self.capture.known:
                t._value = t._seen = None
                named.append(t._storage.value)
        self.named = {id(v): v for v in named}
        alive = self.alive()
        if any(id(v) not in self.named for v in alive):
            del alive
            gc.collect()  # what a cycle kept
            alive = self.alive()
        self.live = alive
        for v in alive:
            if id(v) not in self.named and self.reason is None:
                self.reason = f"the step keeps a tensor made at {self.line_of(v.slot)}"
        self.slots = {id(v): self.slot_of(v) for v in [*named, *alive]}

    def checked(self, trace: Any) -> list[Value]:
        """Flags of errors that depend on values, and what their messages will look at."""
        found = []
        self.looked_at: list[list[Tensor]] = []
        for flag, error in trace.checks:
            if flag.trace is not trace:
                continue
            found.append(flag)
            cells = [c.cell_contents for c in getattr(error, "__closure__", None) or ()]
            tensors = [t for t in cells if isinstance(t, Tensor)]
            self.looked_at.append(tensors)
            for t in tensors:
                t._value = t._seen = None
                if id(t._storage) not in self.capture.known:
                    found.append(t._storage.value)
        return found

    def sort_flags(self, layout: Layout) -> None:
        """Flags that what a run is given decides are looked at before it, the others after it.

        With each goes where the values come from that its message looks at.
        """
        numbers = {id(t._storage): k for k, t in enumerate(self.stand_ins)}
        leaves = self.known_leaves(layout)
        self.early: list[Early] = []
        self.late: list[Flag] = []
        for (slot, error), tensors in zip(self.flags, self.looked_at, strict=True):
            shown = []
            for t in tensors:
                s = t._storage
                if id(s) in numbers:
                    shown.append((s, "argument", numbers[id(s)]))
                elif id(s) not in self.capture.known:
                    shown.append((s, "computed", self.slots[id(s.value)]))
            first = early(layout.records, leaves, slot, error, shown)
            if first is not None:
                self.early.append(first)
                continue
            shown = [(s, kind, k if kind == "argument" else self.place(s.value))
                     for s, kind, k in shown]  # fmt: skip
            self.late.append(Flag(self.index[slot], error, shown))

    def known_leaves(self, layout: Layout) -> dict[int, Any]:
        """By slot in the layout: the place among the kept of arrays that no run changes, or what
        is always the same.
        """
        written = {id(s) for s, _ in self.written}
        numbers = {i for e in self.capture.effects if isinstance(e, Update) for i in e.leaves}
        found: dict[int, Any] = {}
        for number, i in enumerate(self.order):
            leaf = self.trace.leaves[i]
            if leaf.__class__ is Source:
                kept = leaf.kind == "argument" or (
                    leaf.kind == "storage" and id(leaf.item) not in written
                )
                if kept and i in self.kept_places:
                    found[~number] = self.kept_places[i]
            elif leaf.__class__ is Value:
                found[~number] = leaf
            elif i not in numbers:
                found[~number] = (leaf,)
        return found

    def alive(self) -> list[Value]:
        """Computed inside and still held, but for inputs that are nothing but inputs."""
        values = [r() for r in self.trace.values]
        kept = {id(v) for _, v in self.written} | {id(v) for _, v in self.arg_writes}
        for slot, ref in self.capture.placeholders:
            v = ref()
            if v is not None and (id(v) in kept or not self.is_stand_in(slot)):
                values.append(v)
        return [v for v in values if v is not None]

    def is_stand_in(self, slot: int) -> bool:
        return self.trace.leaves[~slot].kind == "argument"

    def slot_of(self, v: Value) -> int:
        if v.trace is self.trace:
            return v.slot
        slot = self.trace.leaf_slots.get(v)
        if slot is None:
            slot = self.trace.leaf_slots[v] = ~len(self.trace.leaves)
            self.trace.leaves.append(v)
        return slot

    def line_of(self, slot: int) -> str:
        records = self.trace.records
        for (_, _, first), line in zip(reversed(records), reversed(records.lines), strict=True):
            if 0 <= first <= slot:
                return line
        return "?"

    def label(self) -> str:
        """The program's name: its first op and the line that recorded it."""
        records = self.trace.records
        return f"{records[0][0].name} at {records.lines[0]}" if records else "nothing"

    # ----- the layout -----
    def lay_out(self) -> Layout:
        """Leaves numbered by first use, donated pairs, results: equal steps get equal layouts."""
        trace = self.trace
        order: dict[int, int] = {}
        for _, slots, _ in trace.records:
            for s in slots:
                if s < 0:
                    order.setdefault(~s, len(order))
        for s in self.slots.values():
            if s < 0:
                order.setdefault(~s, len(order))
        self.order = list(order)  # new number -> leaf
        self.renumbered = order
        records = tuple(
            (spec, tuple([s if s >= 0 else ~order[~s] for s in slots]), first)
            for spec, slots, first in trace.records
        )
        kinds = self.kinds()
        self.flags = [(flag.slot, error) for flag, error in trace.checks if flag.trace is trace]
        flags = [slot for slot, _ in self.flags]
        donated = self.donations()
        first = [slot for _, slot in donated]
        rest = {s if s >= 0 else ~order[~s] for s in (*self.slots.values(), *flags)}
        results = (*first, *sorted(rest - set(first)))
        self.index = {slot: i for i, slot in enumerate(results)}
        return Layout(records, kinds, tuple(donated), results)

    def kinds(self) -> tuple[tuple[str, int], ...]:
        """(kind, place among its kind) of each leaf; an optimizer's number for many is one."""
        shared = {
            i: (number, name)
            for number, e in enumerate(self.capture.effects)
            if isinstance(e, Update)
            for i, name in e.leaves.items()
        }
        counts = {"float": 0, "int": 0, "other": 0, "array": 0}
        places: dict[Any, tuple[str, int]] = {}
        found = []
        for i in self.order:
            kind = kind_of(self.trace.leaves[i])
            key = (kind, *shared[i]) if i in shared else i
            if key not in places:
                places[key] = kind, counts[kind]
                counts[kind] += 1
            found.append(places[key])
        return tuple(found)

    def donations(self) -> list[tuple[int, int]]:
        """(leaf, result) where memory is read and written: the buffer can be reused."""
        pairs, taken = [], set()
        finals = list(self.written)
        finals += [(s, _raw.__get__(s)) for s in self.capture.fresh]
        for s, final in finals:
            leaf = self.leaf_of(s)
            if leaf is None or final.trace is not self.trace or final.slot < 0:
                continue
            entry = self.entry_of(s)
            big = entry.aval.size * entry.aval.np.itemsize >= DONATE_BYTES
            if entry.aval is final.aval and big and final.slot not in taken:
                taken.add(final.slot)
                pairs.append((self.renumbered[leaf], final.slot))
        return sorted(pairs)

    def leaf_of(self, s: Storage) -> int | None:
        """The leaf that is this memory's value at the start, if it is used."""
        v = self.capture.fresh.get(s)
        if v is not None:
            slot = self.trace.leaf_slots.get(v)
            return None if slot is None or ~slot not in self.renumbered else ~slot
        for i in self.storage_leaves().get(id(s), ()):
            if i in self.renumbered:
                return i
        return None

    def storage_leaves(self) -> dict[int, list[int]]:
        found = self.__dict__.get("_storage_leaves")
        if found is None:
            found = self._storage_leaves = {}
            for i, leaf in enumerate(self.trace.leaves):
                if leaf.__class__ is Source and leaf.kind == "storage":
                    found.setdefault(id(leaf.item), []).append(i)
        return found

    def entry_of(self, s: Storage) -> Value:
        """The value of memory when the step began."""
        v = self.capture.fresh.get(s)
        return self.capture.real(s, self.capture.before[s][0]) if v is None else v

    # ----- the first run -----
    def execute(
        self, program: Program, layout: Layout, arguments: list[Any], tensors: list[Tensor]
    ) -> list[Any]:
        """Run the program on what the capture found."""
        place = to_jax(self.trace.device)
        gone = {leaf for leaf, _ in layout.donated}
        given, kept = [], []
        groups: dict[str, list[Any]] = {"float": [], "int": [], "other": []}
        self.kept_places: dict[int, int] = {}
        for number, i in enumerate(self.order):
            leaf = self.trace.leaves[i]
            kind, at = layout.kinds[number]
            if kind != "array":
                if at == len(groups[kind]):
                    groups[kind].append(leaf)
                continue
            array = self.array_of(leaf, arguments)
            if number in gone:
                given.append(copied(array, place))  # if the run fails, everything is as it was
            else:
                self.kept_places[i] = len(kept)
                kept.append(array)
        kept = jax.device_put(kept, place)  # committed, as results are: else XLA compiles twice
        self.sort_flags(layout)
        for flag in self.early:
            flag.check(kept, tensors)
        self.groups = groups
        numbers = pack(groups)
        fresh = program.hits == 0
        started = time.perf_counter()
        results = program.call(given, kept, *numbers.values())
        if fresh:
            program.seconds = time.perf_counter() - started
            run_stats.compiled_one(program.label, program.ops, program.seconds)
        program.hits += 1
        self.kept, self.numbers = kept, numbers
        return results

    def array_of(self, leaf: Any, arguments: list[Any]) -> Any:
        if leaf.__class__ is Value:
            return leaf.array
        if leaf.kind == "draw":
            return leaf.item
        if leaf.kind == "argument":
            return arguments[leaf.item]
        v = self.entry_of(leaf.item)
        if v.trace is not None:
            flush(v.trace)
        return v.array

    def deliver(self, results: list[Any], arguments: list[Tensor]) -> None:
        """Give every live value its array, memory its values, arguments what was written."""
        for v in self.live:
            if v.slot >= 0:
                v.array, v.trace = results[self.index[v.slot]], None
                v.slot = OWNED
        for s, final in self.written:
            s.value = self.own(final, results)
        for k, final in self.arg_writes:
            store(arguments[k], self.own(final, results))
        for slot, ref in self.capture.placeholders:
            v = ref()
            if v is not None and v.trace is self.trace:
                at = self.index.get(~self.renumbered[~slot]) if ~slot in self.renumbered else None
                if at is not None:
                    v.array, v.trace, v.slot = results[at], None, SHARED

    def own(self, final: Value, results: list[Any]) -> Value:
        if self.slots[id(final)] >= 0:
            return final
        return concrete(results[self.place(final)], final.aval)

    def place(self, v: Value) -> int:
        """The place of a value among the results."""
        slot = self.slots[id(v)]
        return self.index[slot if slot >= 0 else ~self.renumbered[~slot]]


def pack(groups: dict[str, list[Any]]) -> dict[str, Any]:
    """Numbers as the program takes them: floats and ints as one array each."""
    return {
        "float": np.array(groups["float"], np.float64),
        "int": np.array(groups["int"], np.int64),
        "other": [number_array(n) for n in groups["other"]],
    }


def close_graph(t: Tensor) -> None:
    """A returned tensor's grad_fn: its name, and an error for who walks on."""
    node = t._grad_fn
    if node is None:
        return

    def refuse(*_: Any) -> Any:
        raise RuntimeError(GRAPH_GONE)

    t._grad_fn, t._out_nr = function_node(type(node).__name__, refuse, [], [t._aval]), 0

