"""How both file formats speak of storages: persistent ids and raw bytes."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from .memory import StorageType, TypedStorage


def check_one_dtype(seen: dict[int, Any], storage: TypedStorage) -> None:
    """The formats can not say that two tensors see the same memory as different dtypes."""
    known = seen.setdefault(storage.memory.data_ptr(), storage.dtype)
    if storage.size() and known is not storage.dtype:
        raise RuntimeError(
            "Cannot save multiple tensors or storages that view the same data as different types"
        )


def parse_id(saved_id: Any, count: int) -> list[Any]:
    """The parts of a storage's persistent id after its first word."""
    if not isinstance(saved_id, tuple):
        raise AssertionError(f"saved_id must be a tuple, got {type(saved_id).__name__}")
    if saved_id[0] not in ("storage", b"storage"):
        raise AssertionError(
            f"Unknown typename for persistent_load, expected 'storage' but got '{saved_id[0]}'"
        )
    if len(saved_id) != count + 1:
        few = "not enough" if len(saved_id) <= count else "too many"
        raise ValueError(f"{few} values to unpack (expected {count}, got {len(saved_id) - 1})")
    kind, key, location, *rest = saved_id[1:]
    if not isinstance(kind, StorageType):
        raise AttributeError(f"'{type(kind).__name__}' object has no attribute 'dtype'")
    if type(rest[0]) is not int or rest[0] < 0:
        raise TypeError(f"the size of a storage must be an int of 0 or more, but got {rest[0]!r}")
    check_key(key)
    location = location.decode("ascii") if isinstance(location, bytes) else location
    if type(location) is not str:
        kind = type(location).__name__
        raise TypeError(f"expected string or bytes-like object, got '{kind}'")
    return [kind, key, location, *rest]


def check_key(key: Any) -> None:
    """Keys of storages are plain; hashing anything else could be a trap."""
    if type(key) not in (str, int, bytes):
        raise TypeError(f"the key of a storage must be a str, but got {type(key).__name__}")


def swapped(data: np.ndarray, dtype: Any, order: str) -> np.ndarray:
    """Bytes of that order as bytes of this machine's."""
    width = dtype.itemsize // 2 if dtype.is_complex else dtype.itemsize
    if order == sys.byteorder or width == 1:
        return data
    return data.view(f"u{width}").byteswap().view(np.uint8)
