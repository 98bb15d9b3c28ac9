"""What a step may change besides tensors' memory: a picture of it before the step.

The picture holds every living tensor's fields and the dictionaries and lists inside every living
object of the classes in HOLDERS (modules, optimizers, schedulers). It tells what a step changed,
and puts everything back when the step fails.
"""

from __future__ import annotations

import gc
import itertools
from collections.abc import Container, Iterable, Iterator
from typing import Any

from .storage import Storage
from .tensor import Tensor, fields_of

HOLDERS: list[type] = []  # nn, optim and amp put their base classes here
DEPTH = 4  # of containers inside an object: an optimizer's state is a dict of dicts
CACHES = {"_value", "_seen", "_accumulator", "_view_version"}  # a tensor's fields that say nothing


def containers(root: Any, depth: int = DEPTH) -> Iterator[Any]:
    """The dicts and lists inside an object's fields, the outermost first."""
    yield root
    if depth:
        for item in list(root.values() if isinstance(root, dict) else root):
            if isinstance(item, (dict, list)):
                yield from containers(item, depth - 1)


def _copied(container: Any) -> Any:
    return dict(container) if isinstance(container, dict) else list(container)


def same(old: Any, new: Any) -> bool:
    """Whether two copies of a container hold the same items: plain ones by value."""
    if len(old) != len(new):
        return False
    if isinstance(old, dict):
        if old.keys() != new.keys():
            return False
        return all(_equal(v, new[k]) for k, v in old.items())
    return all(map(_equal, old, new))


PLAIN = (bool, int, float, str, type(None), complex, bytes)


def _equal(a: Any, b: Any) -> bool:
    if a is b:
        return True
    kind = type(a)
    if kind is not type(b):
        return False
    if kind is tuple:
        return len(a) == len(b) and all(map(_equal, a, b))
    return kind in PLAIN and (a == b or (a != a and b != b))


def living(classes: tuple[type, ...]) -> list[Any]:
    """All objects of these classes and their subclasses, found on the heap.

    A list of the whole heap must not be ours while another thread runs: one that is building a
    tuple meanwhile would fail with a SystemError. Threads change between the interpreter's own
    instructions, so the heap is gone through within one, which keeps nothing but classes.
    """
    there = set(map(type, itertools.chain.from_iterable(map(gc.get_objects, (None,)))))
    kinds = there.intersection(_with_subclasses(classes))
    return [o for o in gc.get_referrers(*kinds) if type(o) in kinds] if kinds else []


def _with_subclasses(classes: Iterable[type]) -> Iterator[type]:
    for cls in classes:
        yield cls
        yield from _with_subclasses(type.__subclasses__(cls))


def reachable(roots: list[Any]) -> list[Any]:
    """The objects of HOLDERS' classes among `roots` and in what their fields hold."""
    found: dict[int, Any] = {}
    kinds, stack = tuple(HOLDERS), list(roots)
    while stack:
        o = stack.pop()
        if isinstance(o, kinds) and id(o) not in found:
            found[id(o)] = o
            for c in containers(o.__dict__):
                stack += c.values() if isinstance(c, dict) else c
    return list(found.values())


def rows_of(owners: Iterable[Any]) -> list[tuple[Any, Any, Any]]:
    """(owner, container, copy of its items) of every container inside the owners."""
    seen: dict[int, tuple[Any, Any, Any]] = {}
    for o in owners:
        for c in containers(o.__dict__):
            if id(c) not in seen:
                seen[id(c)] = (o, c, _copied(c))
    return list(seen.values())


def difference(row: tuple[Any, Any, Any]) -> str:
    """What of a container changed, in words: "training of Dropout"."""
    owner, now, before = row
    if isinstance(now, dict):
        keys = [k for k in {**before, **now} if not _equal(before.get(k, now), now.get(k, before))]
        return f"{', '.join(map(_name, keys[:3]))} of {type(owner).__name__}"
    return f"a list in {type(owner).__name__}"


def _name(key: Any) -> str:
    return "the state of a parameter" if isinstance(key, Tensor) else str(key)


class Snapshot:
    """The picture. It keeps what it shows alive: drop it soon."""

    def __init__(self, owners: list[Any] | None = None) -> None:
        self.tensors: list[tuple[Tensor, dict[str, Any]]] = []
        found = owners or []
        if owners is None:
            alive = living((Tensor, *HOLDERS))
            tensors = [o for o in alive if isinstance(o, Tensor) and "_storage" in fields_of(o)]
            self.tensors = [(t, dict(fields_of(t))) for t in tensors]
            found = [o for o in alive if not isinstance(o, Tensor)]
        self.held = rows_of(found)
        self.expected = self.held

    def storages(self) -> dict[int, Storage]:
        """The memory of every tensor there is, by identity."""
        return {id(fields["_storage"]): fields["_storage"] for _, fields in self.tensors}

    # ----- what changed -----
    def changed(self) -> list[tuple[Any, Any, Any]]:
        """(owner, container, items before) of the containers that differ now."""
        return [row for row in self.expected if not same(row[2], row[1])]

    def accept(self, rows: list[tuple[Any, Any, Any]]) -> None:
        """Take the containers as they are now for unchanged."""
        known = {id(row[1]) for row in rows}
        self.expected = [
            (o, c, _copied(c) if id(c) in known else before) for o, c, before in self.expected
        ]

    def regrown(self) -> list[tuple[Tensor, Any]]:
        """(tensor, its grad before) where `.grad` is another object, or none, now."""
        return [
            (t, fields.get("_grad"))
            for t, fields in self.tensors
            if fields_of(t).get("_grad") is not fields.get("_grad")
        ]

    def moved(self) -> Tensor | None:
        """A tensor with other memory, another history or another flag than before."""
        skip = {*CACHES, "_grad", "_lent"}
        for t, fields in self.tensors:
            now = fields_of(t)
            for name in (now.keys() | fields.keys()) - skip:
                before = fields.get(name, getattr(type(t), name, None))
                if now.get(name, getattr(type(t), name, None)) is not before:
                    return t
        return None

    # ----- putting back -----
    def forget_views(self) -> None:
        """What views derived while the step was captured is no value of theirs any more."""
        for t, fields in self.tensors:
            if fields_of(t).get("_value") is not fields.get("_value"):
                t._value = t._seen = None
            if "_lent" in fields:
                t._lent = fields["_lent"]  # the step's own looks at a gradient don't count

    def restore(self, others: Container[int] = ()) -> None:
        """Everything as it was, but for the tensors (by id) that another thread works on."""
        for t, fields in self.tensors:
            now = fields_of(t)
            changed = len(now) != len(fields) or any(
                now.get(name, self) is not x for name, x in fields.items()
            )
            if changed and id(t) not in others:
                now.clear()
                now.update(fields)
        for _, container, before in self.held:
            if not same(before, container):
                container.clear()
                container.update(before) if isinstance(before, dict) else container.extend(before)
