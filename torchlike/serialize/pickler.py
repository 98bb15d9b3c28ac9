"""The pickler behind torch.save: it writes PyTorch's names for our functions and classes."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from types import FunctionType
from typing import Any

from ..core.dtypes import uint8
from ..core.layouts import layout
from ..core.storage import Size
from .memory import Memory, StorageType, TypedStorage
from .rebuild import _get_layout, knows, torch_path

PersistentId = Callable[[Any], Any]


def make_pickler(
    module: Any, file: Any, protocol: int, persistent_id: PersistentId, classes: Any = None
) -> Any:
    """A pickler of `module`'s kind that hands storages to `persistent_id`.

    Subclasses of `classes` are handed to it too.
    Pickle's own is taken in its Python form: the C one looks every name up where it was defined.
    Picklers written in C (cloudpickle's) write torchlike's names, which only torchlike reads.
    """
    base = pickle._Pickler if module.Pickler is pickle.Pickler else module.Pickler

    class Plain(base):
        def persistent_id(self, obj: Any) -> Any:
            if isinstance(obj, TypedStorage):
                return persistent_id(obj)
            if isinstance(obj, Memory):
                return persistent_id(TypedStorage(obj, uint8, untyped=True))
            if classes and isinstance(obj, type) and issubclass(obj, classes):
                return persistent_id(obj)
            return None

    if not issubclass(base, pickle._Pickler):
        return Plain(file, protocol=protocol)

    class Named(Plain):
        dispatch = dict(base.dispatch)

        def save_global(self, obj: Any, name: str | None = None) -> None:
            if not knows(obj):
                super().save_global(obj, name)
                return
            _write_global(self, *torch_path(obj))
            self.memoize(obj)

        def save_function(self, obj: Any) -> None:
            if knows(obj):
                self.save_global(obj)
            else:
                base.dispatch[FunctionType](self, obj)

        dispatch[FunctionType] = save_function

        def save_size(self, obj: Size) -> None:
            self.save_reduce(Size, (tuple(obj),), obj=obj)

        def save_layout(self, obj: layout) -> None:
            self.save_reduce(_get_layout, (repr(obj),), obj=obj)

        dispatch[StorageType] = save_global
        dispatch[layout] = save_layout
        dispatch[Size] = save_size

    return Named(file, protocol=protocol)


def _write_global(pickler: Any, module: str, name: str) -> None:
    if pickler.proto >= 4:
        pickler.save(module)
        pickler.save(name)
        pickler.write(pickle.STACK_GLOBAL)
    else:
        pickler.write(pickle.GLOBAL + f"{module}\n{name}\n".encode())
