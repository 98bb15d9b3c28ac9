"""Where storages live: the tags that files carry, and how loading obeys or overrules them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeAlias

from ..core.device import META, count, device
from .memory import Memory

MAP_LOCATION: TypeAlias = Callable[[Any, str], Any] | device | str | dict[str, str] | None
_packages: list[tuple[int, Any, Any]] = []
USE_MAP_LOCATION = (
    "If you are running on a CPU-only machine, please use torch.load with "
    "map_location=torch.device('cpu') to map your storages to the CPU."
)


def register_package(priority: int, tagger: Any, deserializer: Any) -> None:
    """Add a pair of functions that tag storages and put tagged ones where they belong."""
    _packages.append((priority, tagger, deserializer))
    _packages.sort(key=lambda package: package[0])


def _tag_of(type: str) -> Callable[[Memory], str | None]:
    return lambda storage: str(storage.device) if storage.device.type == type else None


def _to_accelerator(type: str) -> Callable[[Memory, str], Memory | None]:
    def move(storage: Memory, location: str) -> Memory | None:
        if location != type and not re.match(f"{type}(:|[0-9]+)", location):
            return None
        _check_device(type, device(location).index or 0)
        return storage.to(location)

    return move


def _check_device(type: str, index: int) -> None:
    found, name = count(type), type.upper()
    if not found:
        raise RuntimeError(
            f"Attempting to deserialize object on a {name} device but "
            f"torch.{type}.is_available() is False. {USE_MAP_LOCATION}"
        )
    if index >= found:
        raise RuntimeError(
            f"Attempting to deserialize object on {name} device {index} but "
            f"torch.{type}.device_count() is {found}. Please use torch.load with map_location to "
            "map your storages to an existing device."
        )


register_package(10, _tag_of("cpu"), lambda s, location: s if location == "cpu" else None)
register_package(20, _tag_of("cuda"), _to_accelerator("cuda"))
register_package(22, _tag_of("meta"), lambda s, where: s.to(META) if where == "meta" else None)
register_package(25, _tag_of("xla"), _to_accelerator("xla"))


def location_tag(storage: Memory) -> str:
    """The tag under which a storage is saved: its device."""
    for _, tagger, _ in _packages:
        location = tagger(storage)
        if location:
            return location
    raise RuntimeError("don't know how to determine data location of torch.storage.UntypedStorage")


def default_restore_location(storage: Memory, location: str) -> Memory:
    """Put a storage where its tag says."""
    for _, _, deserializer in _packages:
        placed = deserializer(storage, location)
        if placed is not None:
            return placed
    raise RuntimeError(
        "don't know how to restore data location of torch.storage.UntypedStorage (tagged with "
        f"{location})"
    )


def restorer(map_location: Any) -> Callable[[Memory, str], Memory]:
    """map_location as a function of a storage and its tag."""
    if map_location is None:
        return default_restore_location
    if isinstance(map_location, dict):
        return lambda s, tag: default_restore_location(s, map_location.get(tag, tag))
    if isinstance(map_location, (str, bytes, device)):
        where = map_location if isinstance(map_location, bytes) else str(map_location)
        return lambda s, tag: default_restore_location(s, where)

    def restore(storage: Memory, tag: str) -> Memory:
        placed = map_location(storage, tag)
        if placed is None:
            return default_restore_location(storage, tag)
        if not isinstance(placed, Memory):
            raise TypeError(
                "TypedStorage.__init__ received an invalid combination of arguments. Argument "
                f"'wrap_storage' must be UntypedStorage, but got {type(placed)}"
            )
        return placed

    return restore
