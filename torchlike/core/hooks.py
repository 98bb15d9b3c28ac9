"""Handles that take a hook away again."""

import weakref
from collections import OrderedDict


class Changes:
    """Counts what may change how a module behaves: hooks, attributes, memory given to tensors."""

    count = 0
    lent = 0  # gradients of captured steps that somebody took


class RemovableHandle:
    """Removes one hook from the dictionaries that hold it; also a context manager."""

    next_id: int = 0

    def __init__(self, hooks_dict, *, extra_dict=None) -> None:
        extra = [extra_dict] if isinstance(extra_dict, dict) else extra_dict or []
        self._hold(hooks_dict, extra)
        self.id = RemovableHandle.next_id
        RemovableHandle.next_id += 1
        Changes.count += 1

    def _hold(self, hooks_dict, extra) -> None:
        # weak, so that a handle kept by the user does not keep a module or a tensor alive
        self.hooks_dict_ref = weakref.ref(hooks_dict)
        self.extra_dict_ref = tuple(weakref.ref(one) for one in extra)

    def remove(self) -> None:
        Changes.count += 1
        for ref in (self.hooks_dict_ref, *self.extra_dict_ref):
            hooks = ref()
            if hooks is not None:
                hooks.pop(self.id, None)

    def __getstate__(self):
        return self.hooks_dict_ref(), self.id, tuple(ref() for ref in self.extra_dict_ref)

    def __setstate__(self, state) -> None:
        hooks_dict, self.id, *extra = state
        dead = OrderedDict()
        self._hold(dead if hooks_dict is None else hooks_dict, (extra[0] if extra else None) or ())
        RemovableHandle.next_id = max(RemovableHandle.next_id, self.id + 1)

    def __enter__(self) -> "RemovableHandle":
        return self

    def __exit__(self, *error) -> None:
        self.remove()


def unserializable_hook(f):
    """Marks a hook that is dropped in silence when its tensor is saved."""
    f.__torch_unserializable__ = True
    return f
