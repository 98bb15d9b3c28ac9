"""Writes by index or mask to expanded tensors: PyTorch warns, and writes in the tensor's order."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.check import warn
from ..core.tensor import Tensor, from_host
from ..core.writable import check_history

_TEXT = (
    "Use of {} on expanded tensors is deprecated. Please clone() the tensor before performing this "
    "operation. This also applies to advanced indexing e.g. {} (Triggered internally at "
    "/__w/pytorch/pytorch/aten/src/ATen/native/TensorAdvancedIndexing.cpp:{}.)"
)
_WARNINGS = {
    "masked_fill_": _TEXT.format("masked_fill_", "tensor[mask] = scalar", 2450),
    "index_fill_": _TEXT.format("index_fill_", "tensor[mask] = scalar", 1913),
    "index_put_": _TEXT.format("index_put_", "tensor[indices] = tensor", 976),
}


def once_of(x: Tensor, name: str) -> Tensor | None:
    """The part of an expanded tensor that holds each element of memory once, with the warning of
    the method that is about to write; None for any other tensor.
    """
    if x._view is None or not _repeated(x):
        return None
    check_history(x)
    warn_expanded(x, name)
    part = x
    for d in _repeated(x):
        part = part.narrow(d, 0, 1)  # type: ignore[attr-defined]
    return part


def warn_expanded(x: Tensor, name: str) -> None:
    """The warning of a method that writes, if the tensor is an expanded one."""
    if x._view is not None and _repeated(x):
        warn(_WARNINGS[name])


def _repeated(x: Tensor) -> list[int]:
    at = x.geometry()
    pairs = zip(at.shape, at.stride, strict=True)
    return [d for d, (n, s) in enumerate(pairs) if n > 1 and s == 0]


def fill_once(x: Tensor, part: Tensor, mask: Any, value: Any) -> Tensor:
    """Fill what the mask hits, in any of an element's places."""
    where = mask.expand(x.shape)
    for d in _repeated(x):
        where = where.any(d, True)
    part.masked_fill_(where, value)  # type: ignore[attr-defined]
    return x


def places(x: Tensor, part: Tensor) -> Tensor:
    """For each element of the expanded tensor its position in the part."""
    at = np.arange(part.numel()).reshape(tuple(part.shape))
    return from_host(np.broadcast_to(at, tuple(x.shape)).copy())
