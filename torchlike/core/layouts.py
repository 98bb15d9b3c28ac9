"""Memory formats: the order in which a tensor's dims lie in memory."""

from __future__ import annotations

from typing import Any


class _Named:
    """One of a few objects, each known by its name in this module."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return "torch." + self.name

    def __reduce__(self) -> tuple[Any, ...]:
        return (_named, (self.name,))  # plain pickle needs no module called torch


def _named(name: str) -> _Named:
    return globals()[name]


class memory_format(_Named):
    """One of contiguous_format, preserve_format, channels_last, channels_last_3d."""

    __slots__ = ()
    __module__ = "torch"


class layout(_Named):
    """How elements are stored: strided, or a sparse form."""

    __slots__ = ()
    __module__ = "torch"


contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last")
channels_last_3d = memory_format("channels_last_3d")
strided = layout("strided")
sparse_coo = layout("sparse_coo")
sparse_csr = layout("sparse_csr")
sparse_csc = layout("sparse_csc")
sparse_bsr = layout("sparse_bsr")
sparse_bsc = layout("sparse_bsc")
jagged = layout("jagged")
_RANKS = {"channels_last": 4, "channels_last_3d": 5}


def stride_of_format(shape: tuple[int, ...], wanted: Any) -> tuple[int, ...]:
    """Strides of a dense tensor in a memory format; RuntimeError for the wrong rank."""
    rank = _RANKS.get(wanted.name)
    if rank is None:
        order = list(range(len(shape)))
    elif len(shape) != rank:
        raise RuntimeError(f"required rank {rank} tensor to use {wanted.name} format")
    else:
        order = [0, *range(2, rank), 1]
    stride, step = [0] * len(shape), 1
    for d in reversed(order):
        stride[d] = step
        step *= max(shape[d], 1)
    return tuple(stride)
