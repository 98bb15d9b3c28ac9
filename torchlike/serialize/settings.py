"""What torch.serialization and torch.utils.serialization.config let the user set."""

from __future__ import annotations

import mmap
import threading
from enum import Enum
from types import SimpleNamespace
from typing import Any


class LoadEndianness(Enum):
    """Byte order of files that do not tell it."""

    NATIVE = 1
    LITTLE = 2
    BIG = 3


config = SimpleNamespace(
    load=SimpleNamespace(
        mmap=False,
        endianness=None,
        mmap_flags=getattr(mmap, "MAP_PRIVATE", None),
        calculate_storage_offsets=False,
    ),
    save=SimpleNamespace(compute_crc32=True, use_pinned_memory_for_d2h=False, storage_alignment=64),
)


def get_default_load_endianness() -> LoadEndianness | None:
    """The byte order assumed for files without a marker; None means little."""
    return config.load.endianness


def set_default_load_endianness(endianness: LoadEndianness | None) -> None:
    """Set the byte order assumed for files without a marker."""
    if not isinstance(endianness, LoadEndianness) and endianness is not None:
        raise TypeError("Invalid argument type in function set_default_load_endianness")
    config.load.endianness = endianness


def get_crc32_options() -> bool:
    """Whether torch.save writes checksums."""
    return config.save.compute_crc32


def set_crc32_options(compute_crc32: bool) -> None:
    """Set whether torch.save writes checksums."""
    config.save.compute_crc32 = compute_crc32


def get_default_mmap_options() -> int | None:
    """How torch.load(mmap=True) maps a file: mmap.MAP_PRIVATE or mmap.MAP_SHARED."""
    return config.load.mmap_flags


class set_default_mmap_options:
    """Set how torch.load(mmap=True) maps a file; as a context manager, for its block."""

    def __init__(self, flags: int) -> None:
        if flags not in (mmap.MAP_PRIVATE, mmap.MAP_SHARED):
            raise ValueError(
                "Invalid argument in function set_default_mmap_options, expected mmap.MAP_PRIVATE "
                f"or mmap.MAP_SHARED, but got {flags}"
            )
        self.prev = config.load.mmap_flags
        config.load.mmap_flags = flags

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: Any) -> None:
        config.load.mmap_flags = self.prev


class _SkipData(threading.local):
    on = False


SKIP_DATA = _SkipData()


class skip_data:
    """Save files with room for the tensors' bytes only; load tensors without reading them."""

    def __init__(self, materialize_fake_tensors: bool = False) -> None:
        if materialize_fake_tensors:
            raise NotImplementedError("skip_data: materialize_fake_tensors=True is not supported")

    def __enter__(self) -> None:
        self.before, SKIP_DATA.on = SKIP_DATA.on, True

    def __exit__(self, *error: Any) -> None:
        SKIP_DATA.on = self.before
