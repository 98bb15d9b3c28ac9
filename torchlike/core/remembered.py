"""Which dear windows earlier processes compiled: their programs lie in JAX's disk cache.

Such a window is loaded when it is first seen, not run slowly until it is hot: the first ten steps
of a GPT take 1.9 s for 2.8. A line that is wrong, lost or there twice costs a compilation at most.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from typing import Any

import jax

DEAR = 0.01  # seconds a run in the slower tier takes; a cheaper window is not worth a load (50 ms)
LIMIT = 1 << 20  # bytes after which the file is begun anew: 60,000 windows
DIGITS = 16

_known: set[str] | None = None


def dear(spent: float, runs: int) -> bool:
    """Whether so many seconds in the slower tier are much for so many runs."""
    return spent >= DEAR * max(runs, 1)


def has(records: Any, *variant: Any) -> bool:
    """Whether a window is known; with the program's results and donations: whether that one is."""
    known = _read()
    return bool(known) and _digest(records, *variant) in known


def add(records: Any, *variant: Any) -> None:
    """Remember a program that has just been compiled, and its window."""
    known, path = _read(), _path()
    digests = {_digest(records), _digest(records, *variant)} - known
    if not digests or path is None:
        return
    known |= digests
    with contextlib.suppress(OSError):  # as JAX's own cache: where none can be kept, none is
        fresh = os.O_TRUNC if _size(path) > LIMIT else os.O_APPEND
        file = os.open(path, os.O_WRONLY | os.O_CREAT | fresh, 0o644)
        try:
            lines = "".join(f"{d}\n" for d in sorted(digests))
            os.write(file, lines.encode())  # in one go, so lines of two processes don't mix
        finally:
            os.close(file)


def _path() -> str | None:
    folder: str | None = getattr(jax.config, "jax_compilation_cache_dir", None)
    if not folder or not os.path.isdir(folder):  # none, or not on this machine
        return None
    return os.path.join(folder, "torchlike-windows")


def _size(path: str) -> int:
    return os.path.getsize(path) if os.path.exists(path) else 0


def _read() -> set[str]:
    global _known
    if _known is None:
        path, text = _path(), b""
        if path is not None:
            with contextlib.suppress(OSError), open(path, "rb") as file:
                text = file.read(2 * LIMIT)
        _known = {line.decode("ascii", "replace") for line in text.split()}
    return _known


def _digest(records: Any, *variant: Any) -> str:
    """Of the ops, the shapes and dtypes of their results, and what is fed to what."""
    parts = [(spec.name, spec.outs, slots, first) for spec, slots, first in records]
    return hashlib.sha256(repr((parts, variant)).encode()).hexdigest()[:DIGITS]
