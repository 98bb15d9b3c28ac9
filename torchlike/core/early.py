"""Errors that depend on values, found before a captured step runs.

Whether an index is in range, say, is often decided by arguments and memory that the step does not
write. Then it is worked out on the host first: the error comes before anything has changed, and no
run waits for its program to be told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .record import number_array
from .run import SMALL, by_numpy
from .storage import SHARED, Storage, Value, concrete
from .tensor import Tensor

Shown = tuple[Storage, str, int]  # memory an error's message looks at, and where it comes from


class Flag(NamedTuple):
    """An error that depends on values: the flag's place, and the memory its message looks at."""

    result: int
    error: Callable[[], BaseException]
    shown: list[Shown]


def check_flags(results: list[Any], flags: list[Flag], arguments: list[Tensor]) -> None:
    """Raise the error of the first flag that is set."""
    for flag in flags:
        if bool(np.asarray(results[flag.result])):
            _refuse(flag.error, flag.shown, results, arguments)


def _refuse(
    error: Callable[[], BaseException], shown: list[Shown], found: Any, arguments: list[Tensor]
) -> None:
    for s, kind, at in shown:
        if kind == "argument":
            s.value = arguments[at]._value_now()
        else:
            s.value = concrete(found[at], s.value.aval, SHARED)
    raise error()


class Early:
    """A flag that is worked out in NumPy from what a run is given."""

    def __init__(
        self, records: list[Any], places: dict[int, int], constants: dict[int, Any], slot: int,
        error: Callable[[], BaseException], shown: list[Shown],
    ) -> None:  # fmt: skip
        self.records, self.places, self.constants = records, places, constants
        self.slot, self.error, self.shown = slot, error, shown
        self.last: list[Any] = []  # the arrays that were found good

    def check(self, kept: list[Any], arguments: list[Tensor]) -> None:
        """Raise the error if the flag is set for what a run takes."""
        given = [kept[place] for place in self.places.values()]
        if len(given) == len(self.last) and all(map(_same, given, self.last)):
            return
        found = dict(self.constants)
        found.update(zip(self.places, map(np.asarray, given), strict=True))
        with np.errstate(all="ignore"):
            for spec, slots, first in self.records:
                results = by_numpy(spec, [found[s] for s in slots])
                found.update(enumerate(results, first))
        if bool(found[self.slot]):
            _refuse(self.error, self.shown, found, arguments)
        self.last = given


def _same(a: Any, b: Any) -> bool:
    return a is b


def early(
    records: Sequence[Any], leaves: dict[int, Any], slot: int, error: Any, shown: list[Shown]
) -> Early | None:
    """A flag as one to be looked at first; None if it takes more than a look at what is given.

    `leaves` has what is known beforehand by slot: the place of an array among the kept, or a
    constant.
    """
    needed, cone = {slot}, []
    for record in reversed(records):
        spec, slots, first = record
        if needed.isdisjoint(range(first, first + len(spec.outs))):
            continue
        if spec.interpret is None or max(a.size for a in spec.outs) > SMALL:
            return None
        cone.append(record)
        needed.update(slots)
    inputs = [s for s in needed if s < 0]
    computed = {first + i for spec, _, first in cone for i in range(len(spec.outs))}
    if any(s not in leaves for s in inputs) or any(
        kind != "argument" and at not in computed for _, kind, at in shown
    ):
        return None
    places = {s: leaves[s] for s in inputs if leaves[s].__class__ is int}
    constants = {s: _constant(leaves[s]) for s in inputs if s not in places}
    return Early(cone[::-1], places, constants, slot, error, shown)


def _constant(leaf: Any) -> Any:
    return np.asarray(leaf.array) if leaf.__class__ is Value else number_array(leaf[0])
