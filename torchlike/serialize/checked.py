"""Calls that files may make, with arguments checked where a call could cost memory or the stack."""

from __future__ import annotations

import pickle
from collections import Counter, OrderedDict
from collections.abc import Callable
from functools import cache
from typing import Any

from ..core.storage import Size
from ..core.tensor import Tensor
from .rebuild import allowed_globals


def _bytearray(*args: Any) -> bytearray:
    if any(isinstance(arg, int) for arg in args):
        raise pickle.UnpicklingError("bytearray of a given size is refused: pickles hold contents")
    return bytearray(*args)


def _encode(text: Any, encoding: Any = "utf-8") -> bytes:
    if type(text) is not str or encoding not in ("latin1", "latin-1", "ascii", "utf-8"):
        raise pickle.UnpicklingError(f"_codecs.encode of {type(text)} to {encoding!r} is refused")
    return text.encode(encoding)


def _tensor(*args: Any) -> Tensor:
    if args:
        raise pickle.UnpicklingError("torch.Tensor with arguments is refused")
    return Tensor()


def _size(*args: Any) -> Size:
    for i, item in enumerate(args[0] if args else ()):
        if type(item) is not int:
            kind = type(item).__name__
            raise TypeError(f"torch.Size() takes an iterable of 'int' (item {i} is '{kind}')")
    return Size(*args)


def _hashing(kind: Any) -> Callable[..., Any]:
    """A class whose constructor hashes what its argument holds: items, or the first of pairs."""

    def build(*args: Any) -> Any:
        for item in [item for arg in args if type(arg) in (list, tuple) for item in arg]:
            check_key(item)
            check_key(item[0] if type(item) is list and item else None)
        return kind(*args)

    return build


@cache
def checked_calls() -> dict[int, Callable[..., Any]]:
    table = allowed_globals()
    encode = table["_codecs.encode"]
    calls = {bytearray: _bytearray, encode: _encode, Tensor: _tensor, Size: _size}
    calls |= {kind: _hashing(kind) for kind in (set, OrderedDict, Counter)}
    return {id(real): checked for real, checked in calls.items()}


def check_key(key: Any) -> None:
    """Hashing a tuple nested a million deep would overflow the C stack."""
    level, depth = [key], 0
    while level := [part for item in level if type(item) is tuple for part in item]:
        depth += 1
        if depth > 100 or len(level) > 100_000:
            raise pickle.UnpicklingError("a key is nested too deep")
