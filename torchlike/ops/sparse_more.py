"""Rarer products and makers of `torch.sparse`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.check import check_dims
from ..core.layouts import sparse_coo, sparse_csc, sparse_csr
from ..core.op import TABLE, composite, install, publish
from ..core.tensor import Tensor, to_host
from .create import zeros
from .movement import cat
from .sparse_calls import product
from .sparse_kernels import pick
from .sparse_tensor import SparseTensor, coalesced, constant, coo, flat, is_sparse, refused


def reduced_product(mat1: Any, mat2: Tensor, reduce: str) -> Tensor:
    """mat1 @ mat2, its terms reduced in another way than by a sum; mat1 is CSR."""
    if mat1.layout is not sparse_csr or is_sparse(mat2):
        raise NotImplementedError("sparse.mm: reduce of these layouts is not supported")
    rows, cols = mat1.locations()
    terms = mat1._held.unsqueeze(1) * pick(mat2, constant(cols), 1, "IndexSelectBackward0")
    index = constant(rows).unsqueeze(1).expand(terms.shape)  # type: ignore[attr-defined]
    reduce = {"max": "amax", "min": "amin"}.get(reduce, reduce)
    start = zeros((mat1.shape[0], mat2.shape[1]), dtype=terms.dtype)
    return start.scatter_reduce(0, index, terms, reduce, include_self=False)


@composite(module="sparse", method=False)
def sampled_addmm(
    input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Any = 1.0, alpha: Any = 1.0,
    out: Any = None,
) -> Tensor:  # fmt: skip
    """alpha · mat1 @ mat2 at the places of a CSR tensor, added to beta times its values."""
    if out is not None:
        raise NotImplementedError("sparse.sampled_addmm: out is not supported")
    if not is_sparse(input) or input.layout is not sparse_csr:  # type: ignore[attr-defined]
        raise NotImplementedError("sparse.sampled_addmm: input must be CSR")
    at = constant(flat(input.locations(), input.shape))  # type: ignore[attr-defined]
    found = pick(mat1 @ mat2, at, 2, "SparseSampledAddmmBackward0")  # type: ignore[operator]
    return input.with_values(beta * input._held + alpha * found)  # type: ignore[attr-defined]


@composite(module="sparse", method=False)
def spdiags(diagonals: Tensor, offsets: Tensor, shape: Any, layout: Any = None) -> Tensor:
    """The matrix with these diagonals, a row each, at these offsets from the main one."""
    layout = sparse_coo if layout is None else layout
    if layout not in (sparse_coo, sparse_csr, sparse_csc):
        raise NotImplementedError(f"sparse.spdiags: layout={layout} is not supported")
    rows_of = diagonals.reshape(-1, diagonals.shape[-1])
    places, held = [], []
    for number, offset in enumerate(to_host(offsets).reshape(-1).tolist()):
        cols = np.arange(max(offset, 0), min(rows_of.shape[1], shape[1], shape[0] + offset))
        places.append(np.stack([cols - offset, cols]))
        held.append(rows_of[number, constant(cols)])
    found = coo(np.concatenate(places, 1), cat(held), tuple(shape))
    return found if layout is sparse_coo else found.to_sparse(layout=layout)  # type: ignore[attr-defined]


@composite(method=False)
def hspmm(mat1: Tensor, mat2: Tensor) -> Tensor:
    """A sparse matrix times a dense one: sparse in its rows only."""
    if not is_sparse(mat1):
        raise NotImplementedError(
            "Could not run 'aten::hspmm' with arguments from the 'CPU' backend: the first matrix "
            "is not sparse"
        )
    found = product(mat1, mat2, "HspmmBackward0")
    rows = np.unique(mat1.locations()[0])  # type: ignore[attr-defined]
    return coo(rows[None], pick(found, constant(rows), 1, "HspmmBackward0"), found.shape, True)


@composite
def sspaddmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta · input + alpha · mat1 @ mat2, where input and the result are sparse."""
    full = alpha * product(mat1, mat2, "SspaddmmBackward0")
    rows = np.unique(coalesced(mat1).locations()[0])  # type: ignore[arg-type]
    at = np.stack([np.repeat(rows, full.shape[1]), np.tile(np.arange(full.shape[1]), len(rows))])
    values = pick(full, constant(flat(at, full.shape)), 2, "SspaddmmBackward0")
    places = np.concatenate([input.locations(), at], 1)  # type: ignore[attr-defined]
    return coo(places, cat([beta * input._held, values]), input.shape)  # type: ignore[attr-defined]


publish("torch", "saddmm", TABLE["torch", "sspaddmm"])
publish("torch", "hsmm", TABLE["torch", "hspmm"])


def _sparse_resize_(self: Any, size: Any, sparse_dim: int, dense_dim: int) -> Any:
    """Another size in place; RuntimeError where an index would lie outside."""
    fits = all(new >= old for new, old in zip(size, self.shape, strict=False))
    if (sparse_dim, dense_dim) != (self.sparse_dim(), self.dense_dim()) or not fits:
        raise NotImplementedError("sparse_resize_: only larger sizes of the same dims")
    self._aval = coo(self._at[0], self._held, size)._aval
    return self


SparseTensor.sparse_resize_ = _sparse_resize_  # type: ignore[attr-defined]


def _sparse_resize_and_clear_(self: Any, size: Any, sparse_dim: int, dense_dim: int) -> Any:
    """Another size in place, with no elements."""
    if not is_sparse(self):
        raise refused("sparse_resize_and_clear_", self)
    if len(size) != sparse_dim + dense_dim:
        raise RuntimeError(
            f"'len(size) == sparse_dim + dense_dim' is not satisfied: len(size) = {len(size)}, "
            f"sparse_dim = {sparse_dim}, dense_dim = {dense_dim}"
        )
    values = TABLE["torch", "zeros"]((0, *size[sparse_dim:]), dtype=self.dtype, device=self.device)
    self._at, self._held = (np.zeros((sparse_dim, 0), np.int64),), values
    self._coalesced, self._aval = True, coo(self._at[0], values, size)._aval
    return self


install("sparse_resize_and_clear_", _sparse_resize_and_clear_)


@composite(module="torch", method=True)
def resize_as_sparse_(input: Tensor, the_template: Tensor) -> Tensor:
    """The size of another sparse tensor, in place; its elements stay if they still fit."""
    if not is_sparse(input):
        raise refused("resize_as_sparse_", input)
    size = tuple(the_template.shape)
    dims = (the_template.sparse_dim(), the_template.dense_dim())
    if (size, dims) == (tuple(input.shape), (input.sparse_dim(), input.dense_dim())):
        return input
    if not input._nnz():
        return _sparse_resize_and_clear_(input, size, *dims)
    return _sparse_resize_(input, size, *dims)


@composite(method=False)
def native_norm(
    input: Tensor, p: Any = 2, dim: Any = (), keepdim: bool = False, dtype: Any = None
) -> Tensor:
    """The norm of a sparse tensor's elements: over all dims only, in its own dtype."""
    if not is_sparse(input):
        raise refused("native_norm", input)
    if dim and sorted(check_dims(tuple(dim), input.ndim)) != list(range(input.ndim)):
        raise RuntimeError(
            "norm_sparse currently only supports full reductions, so 'dim' must either be empty or "
            "contain all dimensions of the input"
        )
    if keepdim:
        raise RuntimeError("norm_sparse currently does not support keepdim=True")
    if dtype is not None:
        raise RuntimeError("norm_sparse currently does not support 'dtype' argument")
    return input.coalesce().values().norm(2 if p is None else p)


@composite(method=True)
def slice_inverse(
    input: Tensor, src: Tensor, dim: int = 0, start: Any = None, end: Any = None, step: int = 1
) -> Tensor:
    """A tensor of `src`'s size on the memory of `input`, a slice of such a tensor."""
    return input.as_strided(src.shape, src.stride(), src.storage_offset())


@composite(module=None, method=True)
def record_stream(self: Tensor, s: Any) -> None:
    """For memory of accelerators: refused on the CPU, as in PyTorch."""
    if s is None:
        raise RuntimeError("unknown parameter type")
    raise refused("record_stream", self)
