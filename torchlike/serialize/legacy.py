"""PyTorch's file format before 1.6: a row of pickles, then the storages' bytes."""

from __future__ import annotations

import inspect
import struct
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from ..nn.module import Module
from .archive import read_bytes
from .memory import Memory, TypedStorage
from .persistent import check_key, check_one_dtype, parse_id, swapped
from .pickler import make_pickler
from .places import location_tag
from .rebuild import LATE, knows
from .settings import SKIP_DATA
from .unpickle import Unpickler

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
PROTOCOL_VERSION = 1001


class SourceChangeWarning(Warning):
    """A class is not what it was when its instance was saved."""


# ----- writing -----


def save(obj: Any, file: Any, pickle_module: Any, protocol: int) -> None:
    """Write an object in the old format: torch.save(_use_new_zipfile_serialization=False)."""
    storages: dict[str, tuple[Memory, int]] = {}
    seen: dict[int, Any] = {}
    containers: set[type] = set()

    def persistent_id(thing: Any) -> tuple[Any, ...] | None:
        if isinstance(thing, type):
            if thing in containers:
                return None
            containers.add(thing)
            return "module", thing, *_source(thing)
        check_one_dtype(seen, thing)
        key = str(thing.memory.data_ptr())
        storages[key] = thing.memory, thing.dtype.itemsize
        return "storage", thing.kind, key, location_tag(thing.memory), thing.size(), None

    sizes = {"short": 2, "int": 4, "long": struct.calcsize("=l")}
    system = {"protocol_version": PROTOCOL_VERSION, "little_endian": True, "type_sizes": sizes}
    system["little_endian"] = sys.byteorder == "little"
    for part in (MAGIC_NUMBER, PROTOCOL_VERSION, system):
        pickle_module.dump(part, file, protocol=protocol)
    make_pickler(pickle_module, file, protocol, persistent_id, classes=Module).dump(obj)
    pickle_module.dump(sorted(storages), file, protocol=protocol)
    for key in sorted(storages):
        memory, width = storages[key]
        file.write(struct.pack("=q", memory.nbytes() // width))
        file.write(memory.read())


def _source(container: type) -> tuple[str | None, str | None]:
    """Where a class is written and how; PyTorch compares that when it loads an instance."""
    try:
        return inspect.getsourcefile(container), inspect.getsource(container)
    except (OSError, TypeError):
        warnings.warn(
            f"Couldn't retrieve source code for container of type {container.__name__}. It won't "
            "be checked for correctness upon loading."
        )
        return None, None


# ----- reading -----


def load(file: Any, restore: Callable[..., Any], unpickler: Any, arguments: dict[str, Any]) -> Any:
    """Read an object in the old format."""
    if unpickler(file, **arguments).load() != MAGIC_NUMBER:
        raise RuntimeError("Invalid magic number; corrupt file?")
    version = unpickler(file, **arguments).load()
    if version != PROTOCOL_VERSION:
        raise RuntimeError(f"Invalid protocol version: {version}")
    system = unpickler(file, **arguments).load()
    storages: dict[Any, TypedStorage] = {}
    room, used = _remaining(file), 0

    def persistent_load(saved_id: Any) -> Any:
        nonlocal used
        if isinstance(saved_id, tuple) and saved_id[0] in ("module", b"module"):
            return _container(*saved_id[1:])
        kind, key, location, count, view = parse_id(saved_id, 5)
        if key not in storages:
            size = count * kind.dtype.itemsize
            used += size
            if used > room:
                raise RuntimeError(f"storage {key} of {size} bytes is larger than the file")
            memory = restore(Memory(np.zeros(size, np.uint8)), location)
            memory.pending = True
            storages[key] = TypedStorage(memory, kind.dtype)
        if view is None:
            return storages[key]
        view_key, start, _ = view
        check_key(view_key)
        return storages.setdefault(view_key, TypedStorage(storages[key].memory, kind.dtype, start))

    reader = unpickler(file, **arguments)
    reader.persistent_load = persistent_load
    LATE.sparse = []
    try:
        result = reader.load()
        _fill_all(file, storages, system)
        LATE.settle()
    finally:
        LATE.sparse = None
    return result


def _fill_all(file: Any, storages: dict[Any, TypedStorage], system: Any) -> None:
    keys = Unpickler(file).load()
    little = not isinstance(system, dict) or system.get("little_endian", True)
    for key in [] if SKIP_DATA.on else keys:
        check_key(key)
        if key not in storages:
            raise AssertionError(f"storage key {key!r} not found in deserialized_objects")
        _fill(file, storages[key], "little" if little else "big")


def _remaining(file: Any) -> int:
    here = file.tell()
    end = file.seek(0, 2)
    file.seek(here)
    return end - here


def _fill(file: Any, storage: TypedStorage, order: str) -> None:
    """The bytes come after the tensors that were made from them."""
    lacking = 8 + storage.memory.nbytes() - _remaining(file)
    if lacking > 0:
        raise RuntimeError(
            f"unexpected EOF, expected {lacking} more bytes. The file might be corrupted."
        )
    (count,) = struct.unpack("<q", read_bytes(file, file.tell(), 8))
    if count != storage.size():
        raise RuntimeError(f"storage has wrong size: expected {count} got {storage.size()}")
    data = read_bytes(file, file.tell(), storage.memory.nbytes())
    storage.memory.fill(swapped(data, storage.dtype, order))


def _container(container: Any, file: str | None, source: str | None, *_: Any) -> Any:
    """A module's class; a warning if its source is no longer the saved one."""
    if not source or knows(container):
        return container
    try:
        now = inspect.getsource(container)
    except (OSError, TypeError):
        now = source
    if now != source:
        warnings.warn(
            f"source code of class '{container.__module__}.{container.__qualname__}' has changed. "
            "you can retrieve the original source code by accessing the object's source attribute "
            "or set `torch.nn.Module.dump_patches = True` and use the patch tool to revert the "
            "changes.",
            SourceChangeWarning,
        )
    return container
