"""The pickler behind torch.save: it writes PyTorch's names for our functions and classes."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from types import FunctionType
from typing import Any

from ..core.device import device
from ..core.dtypes import dtype, uint8
from ..core.layouts import layout, memory_format
from ..core.rng import Generator
from ..core.storage import Size
from ..core.tensor import Tensor
from ..ops.memory import TypedStorage as KernelTypedStorage
from ..ops.memory import UntypedStorage
from ..ops.sparse_tensor import SparseTensor
from .memory import Memory, StorageType, TypedStorage
from .rebuild import _get_layout, knows, reduce_tensor, torch_path

PersistentId = Callable[[Any], Any]


def make_pickler(
    module: Any, file: Any, protocol: int, persistent_id: PersistentId, classes: Any = None
) -> Any:
    """A pickler of `module`'s kind that hands storages (and subclasses of `classes`) to a function.

    Pickle's own is taken in its Python form: the C one looks every name up where it was defined.
    Picklers written in C (cloudpickle's) write torchlike's names, which only torchlike reads.
    """
    base = pickle._Pickler if module.Pickler is pickle.Pickler else module.Pickler

    class Plain(base):
        def persistent_id(self, obj: Any) -> Any:
            if isinstance(obj, UntypedStorage):
                return persistent_id(stored(obj))
            if classes and isinstance(obj, type) and issubclass(obj, classes):
                return persistent_id(obj)
            return None

    named = issubclass(base, pickle._Pickler)
    return (_named(Plain, base) if named else Plain)(file, protocol=protocol)


def _as_in_c(error: pickle.PicklingError, obj: Any) -> Exception:
    """The error with the words of pickle's C form, which PyTorch uses."""
    if "<locals>" in getattr(obj, "__qualname__", ""):
        return AttributeError(f"Can't pickle local object {obj.__qualname__!r}")
    found = re.fullmatch(r"(.*): it's not found as (.*)\.([^.]*)", str(error))
    if found is None:
        return error
    start, module, name = found.groups()
    return pickle.PicklingError(f"{start}: attribute lookup {name} on {module} failed")


def _named(plain: Any, base: Any) -> Any:
    """The pickler class that knows PyTorch's names."""

    class Named(plain):
        dispatch = dict(base.dispatch)

        def persistent_id(self, obj: Any) -> Any:
            if isinstance(obj, Tensor) and type(obj).__reduce_ex__ is Tensor.__reduce_ex__:
                # Any class of tensors; those with a __reduce_ex__ of their own keep it.
                self.dispatch.setdefault(type(obj), _save_tensor)
            return super().persistent_id(obj)

        def save_global(self, obj: Any, name: str | None = None) -> None:
            if not knows(obj):
                try:
                    super().save_global(obj, name)
                except pickle.PicklingError as error:
                    raise _as_in_c(error, obj) from None
                return
            _write_global(self, *torch_path(obj))
            self.memoize(obj)

    def save_function(pickler: Any, obj: Any) -> None:
        save = Named.save_global if knows(obj) else base.dispatch[FunctionType]
        try:
            save(pickler, obj)
        except pickle.PicklingError as error:
            raise _as_in_c(error, obj) from None

    Named.dispatch[FunctionType] = save_function
    Named.dispatch[StorageType] = Named.save_global
    Named.dispatch[SparseTensor] = _save_tensor
    Named.dispatch[Size] = _save_size
    Named.dispatch[Generator] = _save_generator
    Named.dispatch[layout] = _save_layout
    Named.dispatch[memory_format] = _save_format
    Named.dispatch[device] = _save_device
    Named.dispatch[dtype] = Named.save_global
    return Named


def _save_size(pickler: Any, size: Size) -> None:
    pickler.save_reduce(Size, (tuple(size),), obj=size)


def _save_generator(pickler: Any, obj: Generator) -> None:
    state = obj.initial_seed(), None, obj.get_state()
    pickler.save_reduce(Generator, (obj.device,), state, obj=obj)


def _save_layout(pickler: Any, obj: layout) -> None:
    pickler.save_reduce(_get_layout, (repr(obj),), obj=obj)


def _save_format(pickler: Any, obj: memory_format) -> None:
    _write_global(pickler, "torch", obj.name)
    pickler.memoize(obj)


def _save_device(pickler: Any, obj: device) -> None:
    where = (obj.type,) if obj.index is None else (obj.type, obj.index)
    pickler.save_reduce(device, where, obj=obj)


def _save_tensor(pickler: Any, tensor: Tensor) -> None:
    """As PyTorch pickles it; Tensor's own __reduce_ex__ is for plain pickle."""
    pickler.save_reduce(*reduce_tensor(tensor), obj=tensor)


def stored(storage: UntypedStorage) -> TypedStorage:
    """A storage that the user saves by itself."""
    if isinstance(storage, TypedStorage):
        return storage
    typed = isinstance(storage, KernelTypedStorage)
    memory = storage if isinstance(storage, Memory) else Memory.of(storage._base)
    return TypedStorage(memory, storage.dtype if typed else uint8, untyped=not typed)


def _write_global(pickler: Any, module: str, name: str) -> None:
    if pickler.proto >= 4:
        pickler.save(module)
        pickler.save(name)
        pickler.write(pickle.STACK_GLOBAL)
    else:
        pickler.write(pickle.GLOBAL + f"{module}\n{name}\n".encode())
