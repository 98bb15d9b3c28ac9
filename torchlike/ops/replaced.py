"""Copies of a tensor with one part replaced: `select_scatter` and its like."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from ..core.check import check_dim, sizes_of
from ..core.dispatch import call
from ..core.geometry import is_dense
from ..core.op import Array, composite, op
from ..core.tensor import Tensor
from .shape import slice_along


def _check_part(part: Tensor, src: Tensor) -> None:
    if part.shape != src.shape:
        raise RuntimeError(
            "expected src to have a size equal to the slice of self. src size = "
            f"{list(src.shape)}, slice size = {list(part.shape)}"
        )


# ----- one index of a dim -----
@op(name="select_scatter", module=None, method=False)
def _select_scatter(input: Array, src: Array, dim: int, index: int):
    return input.at[(slice(None),) * dim + (index,)].set(src.astype(input.dtype))


@_select_scatter.gradient
def _(grad, src, dim, index):
    return grad.select_scatter(grad.new_zeros(src.shape), dim, index), grad.select(dim, index)


@composite(out=True)
def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """A copy with `src` at one index of a dim."""
    _check_part(input.select(dim, index), src)  # type: ignore[attr-defined]
    return call(_select_scatter, (input, src), (check_dim(dim, input.ndim), int(index)))


# ----- a slice of a dim -----
@op(name="slice_scatter", module=None, method=False)
def _slice_scatter(input: Array, src: Array, dim: int, start: int, end: int, step: int):
    at = (slice(None),) * dim + (slice(start, end, step),)
    return input.at[at].set(src.astype(input.dtype))


@_slice_scatter.gradient
def _(grad, src, dim, start, end, step):
    rest = grad.slice_scatter(grad.new_zeros(src.shape), dim, start, end, step)
    return rest, grad[(slice(None),) * dim + (slice(start, end, step),)]


@composite(out=True)
def slice_scatter(
    input: Tensor, src: Tensor, dim: int = 0, start: Any = None, end: Any = None, step: int = 1
) -> Tensor:
    """A copy with `src` at a slice of a dim."""
    if step <= 0:
        raise RuntimeError("slice step must be positive")
    dim = check_dim(dim, input.ndim)
    start, end, _ = slice(start, end).indices(input.shape[dim])
    _check_part(slice_along(input, dim, start, max(0, -((end - start) // -step)), step), src)
    return call(_slice_scatter, (input, src), (dim, start, max(end, start), step))


# ----- a diagonal -----
def _diagonal_at(shape: Any, offset: int, dim1: int, dim2: int) -> tuple[Any, ...]:
    """The index of a diagonal's elements with its two dims first."""
    count = max(min(shape[dim1] + min(offset, 0), shape[dim2] - max(offset, 0)), 0)
    at = np.arange(count)
    return at + max(-offset, 0), at + max(offset, 0)


@op(name="diagonal_scatter", module=None, method=False)
def _diagonal_scatter(input: Array, src: Array, offset: int, dim1: int, dim2: int):
    lead = jnp.moveaxis(input, (dim1, dim2), (0, 1))
    found = lead.at[_diagonal_at(input.shape, offset, dim1, dim2)].set(
        jnp.moveaxis(src, -1, 0).astype(input.dtype)
    )
    return jnp.moveaxis(found, (0, 1), (dim1, dim2))


@_diagonal_scatter.gradient
def _(grad, src, offset, dim1, dim2):
    rest = grad.diagonal_scatter(grad.new_zeros(src.shape), offset, dim1, dim2)
    return rest, grad.diagonal(offset, dim1, dim2)


@composite(out=True)
def diagonal_scatter(
    input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1
) -> Tensor:
    """A copy with `src` as a diagonal."""
    _check_part(input.diagonal(offset, dim1, dim2), src)  # type: ignore[attr-defined]
    dims = check_dim(dim1, input.ndim), check_dim(dim2, input.ndim)
    return call(_diagonal_scatter, (input, src), (offset, *dims))


# ----- anything strides reach -----
@op(name="as_strided_scatter", module=None, method=False)
def _as_strided_scatter(input: Array, src: Array, size: Any, stride: Any, offset: int, order: Any):
    flat = input.transpose(order)
    at = sum(
        (np.arange(n).reshape([-1 if i == d else 1 for i in range(len(size))]) * s
         for d, (n, s) in enumerate(zip(size, stride, strict=True))),
        start=np.full(size, offset, np.int64),
    )  # fmt: skip
    found = flat.reshape(-1).at[at].set(src.astype(input.dtype)).reshape(flat.shape)
    return found.transpose(np.argsort(order))


@_as_strided_scatter.gradient
def _(grad, size, stride, offset):
    # PyTorch 2.13 hands the input the gradient of the part that was replaced
    part = grad.contiguous().as_strided(size, stride, offset)
    return grad.new_zeros(grad.shape).as_strided_scatter(part, size, stride, offset), part


@composite(out=True)
def as_strided_scatter(
    input: Tensor, src: Tensor, size: Any, stride: Any, storage_offset: int | None = None
) -> Tensor:
    """A copy with `src` at the places that strides reach.

    Its gradient with respect to `input` is PyTorch's: that of the part that was replaced.
    """
    size, stride = sizes_of((size,), "as_strided_scatter"), tuple(stride)
    _check_part(input.as_strided(size, stride, storage_offset), src)  # type: ignore[attr-defined]
    at = input.geometry()
    offset = 0 if storage_offset is None else int(storage_offset) - at.offset
    if not is_dense(at.shape, at.stride) or offset < 0:
        raise NotImplementedError("as_strided_scatter: the input's memory has gaps")
    order = tuple(sorted(range(input.ndim), key=lambda i: -at.stride[i]))
    return call(_as_strided_scatter, (input, src), (size, stride, offset, order))
