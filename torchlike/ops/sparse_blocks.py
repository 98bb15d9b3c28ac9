"""BSR and BSC: compressed rows (columns) of blocks. What they can't do themselves COO does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.dispatch import FOREIGN, call
from ..core.layouts import sparse_bsc, sparse_bsr
from ..core.op import composite, publish
from ..core.tensor import Tensor, to_host
from .data import as_tensor, tensor
from .sparse_calls import HANDLERS, sparse_call
from .sparse_kernels import keep, pick
from .sparse_tensor import SparseTensor, constant, coo, dense, flat, is_sparse

_NODES = {sparse_bsr: "ToSparseBsrBackward0", sparse_bsc: "ToSparseBscBackward0"}


class BlockTensor(SparseTensor):
    """A SparseTensor whose values are blocks: (number of blocks, height, width)."""

    def sparse_dim(self) -> int:
        """Rows and columns."""
        return 2

    def dense_dim(self) -> int:
        """None: blocks are parts of the two dims."""
        return 0

    def with_values(self, values: Tensor) -> BlockTensor:
        """Other blocks at the same places."""
        return BlockTensor(self._at, values, self.shape, self._layout)

    def locations(self) -> np.ndarray:
        """The row and column of each block."""
        edges, plain = self._at
        main = np.repeat(np.arange(len(edges) - 1), np.diff(edges))
        return np.stack([main, plain] if self._layout is sparse_bsr else [plain, main])

    def elements(self) -> SparseTensor:
        """COO of all elements of the blocks, in order."""
        height, width = self._held.shape[1:]
        rows, cols = self.locations()[:, :, None, None]
        rows = rows * height + np.arange(height)[:, None]
        cols = cols * width + np.arange(width)
        rows, cols = np.broadcast_arrays(rows, cols)
        at = np.stack([rows.ravel(), cols.ravel()])
        order = np.lexsort((at[1], at[0]))
        values = self._held.reshape(-1)  # type: ignore[attr-defined]
        return coo(at[:, order], pick(values, constant(order), 1, "ToSparseBackward1"),
                   self.shape, True)  # fmt: skip


BlockTensor.__name__ = BlockTensor.__qualname__ = "Tensor"
BlockTensor.__module__ = "torch"
_OWN = ("clone", "to_copy", "alias", "detach", "neg", "abs", "relu", "sqrt", "sin", "sign")


def block_call(op: Any, inputs: Sequence[Any], statics: Any) -> Any:
    """An op of which an input is made of blocks."""
    s = next(x for x in inputs if isinstance(x, BlockTensor))
    scaled = op.name in ("mul", "div", "true_divide") and inputs[0] is s
    if op.name in _OWN or (scaled and not isinstance(inputs[1], Tensor)):
        return HANDLERS[op.name](op, inputs, statics)
    if op.name in ("t", "transpose"):
        return _turned(s)
    if op.name == "sum" and statics[0] in (None, ()):
        return call(op, (s._held,), statics)
    plain = [x.elements() if isinstance(x, BlockTensor) else x for x in inputs]
    return sparse_call(op, plain, statics)


FOREIGN[BlockTensor] = block_call


def _turned(s: BlockTensor) -> BlockTensor:
    other = sparse_bsc if s._layout is sparse_bsr else sparse_bsr
    blocks = keep(s._held, "TransposeBackward0").transpose(-2, -1)  # type: ignore[attr-defined]
    return BlockTensor(s._at, blocks, s.shape[::-1], other)


# ----- making them -----
def blocks_of(t: Tensor, layout: Any, blocksize: Any) -> BlockTensor:
    """The blocks of a tensor in which some element is not zero."""
    word = layout.name[7:]
    if blocksize is None:
        raise RuntimeError(
            "dense_to_sparse: conversion from Strided to Sparse"
            f"{word.title()} without blocksize argument given is not supported"
        )
    if is_sparse(t):
        t = dense(t.elements() if isinstance(t, BlockTensor) else t)  # type: ignore[arg-type]
    if t.ndim != 2:
        raise NotImplementedError(f"to_sparse_{word}: a tensor of {t.ndim} dims is not supported")
    pair = (blocksize, blocksize) if isinstance(blocksize, int) else blocksize
    (height, width), (rows, cols) = pair, t.shape
    if rows % height or cols % width:
        raise RuntimeError(
            f"dense_to_sparse_{word}: tensor sparse size ({rows},{cols}) must be divisible by "
            f"given blocksize ({height},{width})"
        )
    grid = t.reshape(rows // height, height, cols // width, width).transpose(1, 2)  # type: ignore[attr-defined]
    full = to_host(grid).any((2, 3))
    at = np.stack(np.nonzero(full) if layout is sparse_bsr else np.nonzero(full.T)[::-1])
    main = at[0 if layout is sparse_bsr else 1]
    count = full.shape[0 if layout is sparse_bsr else 1]
    edges = np.searchsorted(main, np.arange(count + 1))
    blocks = pick(grid, constant(flat(at, full.shape)), 2, _NODES[layout])
    return BlockTensor((edges, at[1 if layout is sparse_bsr else 0]), blocks, t.shape, layout)


def block_tensor(
    compressed_indices: Any, plain_indices: Any, values: Any, size: Any, layout: Any, dtype: Any,
    device: Any, requires_grad: bool,
) -> BlockTensor:  # fmt: skip
    """A tensor of blocks from its parts."""
    edges, plain = (to_host(as_tensor(x)) for x in (compressed_indices, plain_indices))
    held = values if isinstance(values, Tensor) else tensor(values)
    held = held.to(device=device, dtype=dtype or held.dtype)  # type: ignore[attr-defined]
    if held.ndim != 3 or edges.ndim != 1:
        raise NotImplementedError("sparse_compressed_tensor: batches are not supported")
    if size is None:
        counts = len(edges) - 1, int(plain.max(initial=-1)) + 1
        counts = counts if layout is sparse_bsr else counts[::-1]
        size = tuple(n * m for n, m in zip(counts, held.shape[1:], strict=True))
    if requires_grad:
        held = held.detach().requires_grad_()
    else:
        held = keep(held, "SparseCompressedTensorBackward0")
    return BlockTensor((edges, plain), held, tuple(size), layout)


def _method(layout: Any) -> None:
    name = f"to_sparse_{layout.name[7:]}"

    def convert(self: Tensor, blocksize: Any, dense_dim: int | None = None) -> Tensor:
        if dense_dim not in (None, 0):
            raise NotImplementedError(f"{name}: dense_dim={dense_dim} is not supported")
        return blocks_of(self, layout, blocksize)

    convert.__name__ = convert.__qualname__ = name
    convert.__doc__ = f"A {layout.name[7:].upper()} tensor of blocks of this size."
    composite(convert, module=None, method=True)


def publish_maker(layout: Any, make: Callable[..., Tensor]) -> None:
    """`make` as torch.sparse_*_tensor; its indices also go by the layout's names."""
    places = ("crow", "col") if layout.name.endswith("r") else ("ccol", "row")
    own = ("compressed_indices", "plain_indices")
    words = {f"{place}_indices": name for place, name in zip(places, own, strict=True)}

    def made(*args: Any, **named: Any) -> Tensor:
        return make(*args, **{words.get(name, name): given for name, given in named.items()})

    made.__name__ = made.__qualname__ = f"{layout.name}_tensor"
    made.__doc__ = f"A {layout.name[7:].upper()} tensor."
    publish("torch", made.__name__, made)


def _maker(layout: Any) -> None:
    def make(
        compressed_indices: Any, plain_indices: Any, values: Any, size: Any = None, *,
        dtype: Any = None, device: Any = None, pin_memory: bool = False,
        requires_grad: bool = False, check_invariants: bool | None = None,
    ) -> Tensor:  # fmt: skip
        if check_invariants or pin_memory:
            raise NotImplementedError(
                f"{layout.name}_tensor: check_invariants and pin_memory are not supported"
            )
        return block_tensor(
            compressed_indices, plain_indices, values, size, layout, dtype, device, requires_grad
        )

    publish_maker(layout, make)


for _layout in (sparse_bsr, sparse_bsc):
    _method(_layout)
    _maker(_layout)
