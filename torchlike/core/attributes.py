"""What `vars(tensor)` shows: the user's attributes, not the fields that make it a tensor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

STATE: set[str] = set()  # fields that are no attributes of the user's; core.tensor fills it


class Fields:
    """Holds a tensor's fields, where `__dict__` tells the user's attributes alone."""


fields_of: Callable[[Any], dict[str, Any]] = vars(Fields)["__dict__"].__get__


class Attributes(dict):
    """What `vars(tensor)` is: the user's attributes. Writing here writes them to the tensor."""

    __slots__ = ("_fields",)

    def __init__(self, tensor: Any) -> None:
        self._fields = fields_of(tensor)
        super().__init__((k, v) for k, v in self._fields.items() if k not in STATE)

    def _written(name: str) -> Any:  # type: ignore[misc]
        def write(self: Any, *args: Any, **named: Any) -> Any:
            before = set(self)
            result = getattr(dict, name)(self, *args, **named)
            for gone in before - self.keys():
                del self._fields[gone]
            self._fields.update(self)
            return result

        return write

    __setitem__, __delitem__, __ior__ = map(_written, ("__setitem__", "__delitem__", "__ior__"))
    update, pop, popitem = map(_written, ("update", "pop", "popitem"))
    clear, setdefault = map(_written, ("clear", "setdefault"))

    def __reduce_ex__(self, protocol: Any) -> Any:
        return dict, (dict(self),)


def _replace(tensor: Any, given: dict[str, Any]) -> None:
    held = Attributes(tensor)
    held.clear()
    held.update(given)


_ATTRIBUTES = property(Attributes, _replace)


class TensorMeta(type):
    """Gives each class of tensors its `__dict__`, as another base may have one of its own.

    It makes `isinstance` of what is no plain Tensor 45 ns slower.
    """

    def __new__(mcs, name: str, bases: Any, space: dict[str, Any], **named: Any) -> Any:
        space.setdefault("__dict__", _ATTRIBUTES)
        return super().__new__(mcs, name, bases, space, **named)
