"""Several calls as one record: an optimizer's update of all its parameters.

The slower tiers take a joint record apart again (`record.single`), so that its parts are
interpreted or compiled as they would be alone. What the calls write is written at the end; a call
that reads or writes memory which an earlier one will have written waits for that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .device import META
from .dispatch import plan_of
from .dtypes import Recent
from .mutate import overwrite
from .plan import Op
from .record import LOCAL, Spec, record
from .storage import Storage
from .tensor import TENSORS, Tensor, wrap

MAX_JOINTS = 1 << 8
NONE = type(None)
Part = tuple[Spec, int, int, int, int]  # spec, first array, arrays, first number, numbers
_specs: dict[Any, Spec] = Recent(MAX_JOINTS)


def possible() -> bool:
    """Whether nothing stands between a call and its record, nor wants to see single writes."""
    state = LOCAL.state
    return (
        state.interposed is None and not state.grad_enabled and not state.inference
        and not state.tracing and not state.vmaps and not state.duals
    )  # fmt: skip


def plain(t: Tensor | None) -> bool:
    """Whether a tensor, if there is one, is all of its memory, which is no one else's."""
    return t is None or (
        t.__class__ in TENSORS and t._view is None and t._counter is None
        and t._storage.__class__ is Storage and not t._inference and t._aval.device is not META
    )  # fmt: skip


class Joint:
    """Calls that wait to be recorded together."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.values: list[Any] = []
        self.targets: list[Tensor] = []
        self.written: set[Storage] = set()
        self.shared: tuple[Any, ...] = (None, None)  # numbers of the last call, their classes
        self.place = self.count = 0  # … and where they are among the values

    def add(
        self, op: Op, tensors: Sequence[Any], numbers: list[Any], statics: tuple[Any, ...]
    ) -> None:
        """Call `op` on tensors (or None) and then numbers; its results go to all but the second."""
        arrays = [t for t in tensors if t is not None]
        storages = [t._storage for t in arrays]
        if not self.written.isdisjoint(storages):
            self.finish()
        kinds = [*map(type, numbers)]
        avals = [NONE if t is None else t._aval for t in tensors]
        plan = op.plans.get((statics, *avals, *kinds))
        if plan is None:
            plan = plan_of(op, [*tensors, *numbers], statics)
        if self.parts and plan.spec.device is not self.parts[0][0].device:
            self.finish()
        values = self.values
        if self.shared != (numbers, kinds):
            self.shared, self.place = (numbers, kinds), len(values)
            values += [n for n in numbers if n is not None]
            self.count = len(values) - self.place
        self.parts.append((plan.spec, len(values), len(arrays), self.place, self.count))
        values += [s.value for s in storages]
        del arrays[1], storages[1]
        self.targets += arrays
        self.written.update(storages)

    def finish(self) -> None:
        """Record what was called so far and write its results."""
        parts, values, targets = tuple(self.parts), self.values, self.targets
        self.__init__()
        if not parts:
            return
        spec = _specs.get(parts)
        if spec is None:
            spec = _specs[parts] = _joint_spec(parts)
        for t, v in zip(targets, record(spec, values), strict=True):
            storage = t._storage
            if v.aval is t._aval:
                storage.value = v
                storage.version += 1
            else:
                overwrite(t, wrap(v))


def _joint_spec(parts: Sequence[Part]) -> Spec:
    """The parts as one op. Each takes its arrays, then the numbers it may share with others."""
    wired = tuple(
        (spec, (*range(first, first + n), *range(place, place + m)))
        for spec, first, n, place, m in parts
    )

    def fun(*values: Any) -> list[Any]:
        return [o for spec, at in wired for o in spec.fun(*[values[i] for i in at])]

    outs = tuple(a for spec, _ in wired for a in spec.outs)
    first = wired[0][0]
    return Spec(first.name, outs, fun, lambda: None, first.device, parts=wired)


__all__ = ["Joint", "plain", "possible"]
