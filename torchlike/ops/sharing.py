"""Memory that processes share: `share_memory_`, and what a tensor is sent as.

Elements lie in a file without a name, whose descriptor is sent: the file goes with the last process
that has it. NumPy looks at this memory, so each read takes a snapshot and each write copies, as for
tensors of `from_numpy`: what another process writes is seen at the next read.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from typing import Any
from weakref import WeakKeyDictionary, WeakValueDictionary

import numpy as np

from ..core.check import unsupported
from ..core.op import composite
from ..core.storage import Storage, relocate
from ..core.tensor import Tensor, from_shared
from .shape import whole


class Segment:
    """Memory in a file without a name; equal keys are the same file."""

    def __init__(self, fd: int, nbytes: int) -> None:
        self.fd, self.nbytes = fd, nbytes
        found = os.fstat(fd)
        self.key = found.st_dev, found.st_ino
        self.memory = mmap.mmap(fd, max(nbytes, 1))

    def __del__(self) -> None:
        os.close(self.fd)


_SEGMENTS: WeakKeyDictionary[Storage, Segment] = WeakKeyDictionary()
_BY_KEY: WeakValueDictionary[tuple[int, int], Storage] = WeakValueDictionary()


def _new_segment(nbytes: int) -> Segment:
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("torchlike")
    else:  # not Linux: a file in the file system that has lost its name
        with tempfile.TemporaryFile() as file:
            fd = os.dup(file.fileno())
    os.truncate(fd, max(nbytes, 1))
    return Segment(fd, nbytes)


def _keep(s: Storage, segment: Segment) -> Segment:
    _SEGMENTS[s], _BY_KEY[segment.key] = segment, s
    return segment


def segment_of(tensor: Tensor) -> Segment:
    """The shared memory behind a tensor of the CPU, which moves there if need be."""
    if tensor.device.type != "cpu":
        raise unsupported("share_memory_", "device", tensor.device)
    s = tensor._storage
    if s in _SEGMENTS:
        return _SEGMENTS[s]
    base = whole(tensor.detach())  # type: ignore[attr-defined]
    segment = _new_segment(base.nbytes)
    relocate(s, base.geometry().stride, segment.memory)
    return _keep(s, segment)


def from_segment(fd: int, nbytes: int, dtype: np.dtype, shape: Any, stride: Any) -> Tensor:
    """A tensor over shared memory sent by another process; one Storage per memory."""
    segment = Segment(fd, nbytes)
    steps = [n * dtype.itemsize for n in stride]
    made = from_shared(np.ndarray(shape, dtype, segment.memory, 0, steps))
    known = _BY_KEY.get(segment.key)
    if known is None:
        _keep(made._storage, segment)
    else:
        made._storage = known
    return made


@composite(module=None, method=True)
def share_memory_(self: Tensor) -> Tensor:
    """Moves to memory that other processes can look at; a tensor of a GPU stays as it is."""
    if self.device.type != "cuda":
        segment_of(self)
    return self


@composite(module=None, method=True)
def is_shared(self: Tensor) -> bool:
    """Whether other processes can look at the memory; of a GPU's, as in PyTorch, always."""
    return self.device.type == "cuda" or self._storage in _SEGMENTS
