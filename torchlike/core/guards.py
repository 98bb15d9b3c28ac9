"""What a captured step took for granted: checked before each run, without running its Python."""

from __future__ import annotations

import types
import weakref
from collections.abc import Callable
from typing import Any

from .capture import Capture, Update
from .device import get_default_device
from .dtypes import get_default_dtype
from .hooks import Changes
from .record import LOCAL
from .replay import Replay
from .snapshot import PLAIN, difference, reachable, rows_of, same
from .storage import Storage
from .tensor import FOREIGN, Tensor


# ----- modes -----
def modes() -> tuple[Any, ...]:
    """The thread's modes, part of a signature: grad, inference, default dtype and device …"""
    state = LOCAL.state
    return (
        state.grad_enabled, state.inference, get_default_dtype(), get_default_device(),
        type(state.interposed), len(state.saved_hooks), state.anomaly,
        *[mode() for mode in MODES],
    )  # fmt: skip


MODES: list[Callable[[], Any]] = []  # amp adds autocast's state


# ----- what the function sees around it -----
def surroundings(function: Any) -> list[Callable[[], Any]]:
    """Looks at the function's closure, the globals it names and the object it is bound to."""
    looks: list[Callable[[], Any]] = []
    owner = getattr(function, "__self__", None)
    plain = getattr(function, "__func__", function)
    code = getattr(plain, "__code__", None)
    if owner is not None and not isinstance(owner, types.ModuleType):
        looks += _fields_of(owner)
    if code is None:
        return looks
    for cell in plain.__closure__ or ():
        looks.append(lambda cell=cell: cell.cell_contents)
    globals_ = plain.__globals__
    for name in sorted(_names(code) & globals_.keys()):
        looks.append(lambda name=name: globals_.get(name))
    return looks


def _fields_of(owner: Any) -> list[Callable[[], Any]]:
    fields = getattr(owner, "__dict__", {})
    if isinstance(owner, Tensor):
        return []
    return [lambda name=name: fields.get(name) for name in fields]


def _names(code: types.CodeType) -> set[str]:
    found = set(code.co_names)
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            found |= _names(inner)
    return found


class Look:
    """One thing around the function, as it was: plain values are compared, others must be it."""

    __slots__ = ("see", "was", "name")

    def __init__(self, see: Callable[[], Any]) -> None:
        self.see = see
        try:
            was = see()
        except ValueError:  # an empty cell
            was = None
        self.was: Any = was if isinstance(was, (*PLAIN, tuple)) else _weakly(was)

    def holds(self) -> bool:
        try:
            now = self.see()
        except ValueError:
            now = None
        was = self.was
        if isinstance(was, weakref.ref):
            return was() is now
        if was is now or isinstance(was, _Any):
            return True
        return type(was) is type(now) and was == now


class _Any:
    """Stands for what can be neither compared nor watched."""


def _weakly(x: Any) -> Any:
    try:
        return weakref.ref(x)
    except TypeError:
        return _Any()


# ----- all guards of a replay -----
class Guards:
    """Everything but the arguments that a replay depends on."""

    def __init__(self, capture: Capture, replay: Replay, looks: list[Any]) -> None:
        self.replay = replay
        self.looks = [Look(see) for see in looks]
        self._watch_memory(capture)
        self._watch_grads(capture)
        self._watch_optimizers(capture)
        roots = [x for see in looks for x in _seen(see)]
        self.modules = rows_of(_modules_in_use(capture, roots))
        self.count = Changes.count

    def _watch_memory(self, capture: Capture) -> None:
        """Each memory in use belongs to a tensor; when that dies or moves, look again."""
        used = {id(cell.storage): cell.storage for cell in self.replay.cells}
        owners: dict[int, Tensor] = {}
        for t, fields in capture.snapshot.tensors:
            s = fields["_storage"]
            if id(s) in used and (id(s) not in owners or t._requires_grad):
                owners[id(s)] = t
        replay = weakref.ref(self.replay)

        def died(_: Any) -> None:
            found = replay()
            if found is not None:
                found.stale = "a tensor the step used is gone"

        self.memory: list[tuple[weakref.ref[Tensor], Storage]] = [
            (weakref.ref(t, died), used[key]) for key, t in owners.items()
        ]

    def _watch_grads(self, capture: Capture) -> None:
        params = {id(p) for o in capture.stepped for g in o.param_groups for p in g["params"]}
        self.no_grad: list[Tensor] = []
        self.same_grad: list[tuple[Tensor, Tensor]] = []
        regrown = {id(t) for t, _ in capture.regrown()}
        for t, fields in capture.snapshot.tensors:
            grad = fields.get("_grad")
            if grad is None:
                if id(t) in regrown or id(t) in params:
                    self.no_grad.append(t)
            elif grad.__class__ not in FOREIGN and grad._storage in capture.before:
                self.same_grad.append((t, grad))

    def _watch_optimizers(self, capture: Capture) -> None:
        ruled = {id(e.optimizer) for e in self.replay.effects if isinstance(e, Update)}
        self.optimizers = [
            (o, o.state, list(o.param_groups), [len(g["params"]) for g in o.param_groups])
            for o in capture.stepped
        ]
        foreign = [o for o in capture.stepped if id(o) not in ruled]
        self.options = rows_of(foreign)

    # ----- checking -----
    def broken(self) -> str | None:
        """What no longer holds, in words."""
        if self.replay.stale:
            return self.replay.stale
        for look in self.looks:
            if not look.holds():
                return "a global, a closure variable or an attribute of the step changed"
        for t in self.no_grad:
            if t._grad is not None:
                return "a gradient that was None is a tensor now"
        for t, grad in self.same_grad:
            if t._grad is not grad:
                return "a gradient that was there is None or another tensor now"
        for o, state, groups, counts in self.optimizers:
            if o.state is not state or len(o.param_groups) != len(groups):
                return f"{type(o).__name__} has other state or groups now"
            for group, was, count in zip(o.param_groups, groups, counts, strict=True):
                if group is not was or len(group["params"]) != count:
                    return f"a group of {type(o).__name__} changed"
        for row in self.options:
            if not same(row[2], row[1]):
                return difference(row) + " changed"
        return None if self.count == Changes.count else self._look_closer()

    def _look_closer(self) -> str | None:
        """Some module's attribute was set, a hook added, or a tensor given other memory."""
        for row in self.modules:
            if not same(row[2], row[1]):
                return difference(row) + " changed"
        for ref, s in self.memory:
            t = ref()
            if t is None or t._storage is not s:
                return "a tensor the step uses was given other memory"
        self.count = Changes.count
        return None


def _seen(see: Callable[[], Any]) -> list[Any]:
    try:
        found = see()
    except ValueError:
        return []
    return list(found) if isinstance(found, (list, tuple)) else [found]


def _modules_in_use(capture: Capture, roots: list[Any]) -> list[Any]:
    """The modules around the function, and those that hold memory the step touched."""
    touched = {id(s) for s in capture.before}
    owners = {id(o): o for o, _, _ in capture.snapshot.held if hasattr(o, "_modules")}
    below = {key: reachable([o]) for key, o in owners.items()}
    using = {
        key
        for key, o in owners.items()
        for t in (*o._parameters.values(), *o._buffers.values())
        if t is not None and id(t._storage) in touched
    }
    found: dict[int, Any] = {}
    for parts in below.values():
        if any(id(part) in using for part in parts):
            found.update((id(part), part) for part in parts)
    for part in reachable(roots):
        if hasattr(part, "_modules"):
            found[id(part)] = part
    return list(found.values())
