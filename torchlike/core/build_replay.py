"""A capture made into a replay: its program, and what each run puts where."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .build import Builder
from .capture import Capture, Draw, Source, Stream, Update
from .early import check_flags
from .replay import (
    Cell,
    Layout,
    Program,
    Replay,
    program_of,
    read_array,
)
from .tensor import Tensor


# ----- the replay -----
def make_replay(b: Builder, program: Program, layout: Layout, results: list[Any]) -> Replay:
    """What runs the program again. The capture's own results are where they belong already."""
    replay = Replay(b.capture, program)
    replay.kept, replay.results = list(b.kept), list(results)
    replay.given = [None] * len(layout.donated)
    _add_cells(b, replay, layout)
    for t, _ in b.grads:
        if t._grad is not None:
            final = t._grad._storage.value
            replay.add_grad(t, t._grad, final.aval, b.place(final))
        else:
            replay.grads.append((t, None))
    for i, leaf in enumerate(b.trace.leaves):
        if i in b.kept_places and leaf.__class__ is Source and leaf.kind == "argument":
            replay.arguments.append((b.kept_places[i], leaf.item))
    draws: list[Any] = [
        (e, b.kept_places.get(e.leaf) if isinstance(e, Draw) else None)
        for e in b.capture.effects
        if isinstance(e, (Draw, Stream))
    ]
    replay.draws = draws
    _add_numbers(b, replay, layout)
    replay.flags, replay.early = b.late, b.early
    replay.skips = [(update, b.place(skip)) for update, skip in b.skips]
    for v in b.named.values():
        replay.result_of[id(v)] = b.place(v)
        replay.result_avals[b.place(v)] = v.aval
    replay.arg_writes = [(k, b.place(v), v.aval) for k, v in b.arg_writes]
    return replay


def _add_cells(b: Builder, replay: Replay, layout: Layout) -> None:
    given = {leaf: i for i, (leaf, _) in enumerate(layout.donated)}
    finals = {id(s): b.place(final) for s, final in b.written}
    for s, (_, version) in b.capture.before.items():
        leaf, result = b.leaf_of(s), finals.get(id(s))
        if s in b.capture.hosted or (leaf is None and result is None):
            continue
        cell = Cell(s, s.value.aval, result, s.version - version)
        if leaf is not None:
            cell.given = given.get(b.renumbered[leaf])
            cell.kept = b.kept_places.get(leaf)
        replay.add(cell)


def _add_numbers(b: Builder, replay: Replay, layout: Layout) -> None:
    """Where the numbers of optimizers go; counters that are equal become one object."""
    for e in replay.effects:
        if isinstance(e, Update):
            for own in e.storages[1:]:
                for s, first in zip(own, e.storages[0], strict=True):
                    s.value = first.value
    places = dict(zip(b.order, layout.kinds, strict=True))
    replay.numbers = dict(b.numbers)
    replay.host = {kind: np.array(b.numbers[kind]) for kind in ("float", "int")}
    replay.places = [
        sorted({(*places[i], name) for i, name in e.leaves.items() if i in places})
        if isinstance(e, Update)
        else []
        for e in replay.effects
    ]


class Finished(NamedTuple):
    """A captured step that has run: its replay, or the reason why there is none."""

    replay: Replay | None
    reason: str | None
    program: Program | None


def finish(
    capture: Capture, returned: list[Any], stand_ins: list[Tensor], arguments: list[Tensor]
) -> Finished:
    """Compile (unless a program is there) and run what was captured."""
    if capture.trace is None:
        return Finished(None, "the step computes nothing", None)
    b = Builder(capture, returned, stand_ins)
    b.collect()
    layout = b.lay_out()
    program = program_of(layout, b.label())
    arrays = [read_array(t) for t in arguments]
    results = b.execute(program, layout, arrays, arguments)
    b.deliver(results, arguments)
    check_flags(results, b.late, arguments)
    for update, skip in b.skips:
        if bool(np.asarray(results[b.place(skip)])):
            for s, value, version in update.before:
                s.value, s.version = value, version
    if b.reason is not None:
        return Finished(None, b.reason, program)
    return Finished(make_replay(b, program, layout, results), None, program)
