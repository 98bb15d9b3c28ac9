"""Sorting, ranking, distinct elements, searching."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..core.check import as_int, check_dim
from ..core.dispatch import call
from ..core.dtypes import SCALAR_NAMES
from ..core.op import Array, Dim, alias, composite, op
from ..core.tensor import Tensor, elements_for, from_host, to_host
from ..core.wrong_call import demand
from . import return_types
from .movement import finish


# ----- sort -----
def _order(input: Any, dim: int, descending: bool) -> Any:
    """A stable order; NaN counts as the largest."""
    if input.dtype == np.bool_:
        input = input.astype(np.uint8)
    if not descending:
        return jnp.argsort(input, axis=dim, stable=True)
    if np.issubdtype(input.dtype, np.complexfloating):
        raise RuntimeError("Sort currently does not support complex dtypes on CPU")
    back = jnp.argsort(
        jnp.flip(input, dim), axis=dim, stable=True
    )  # flipped twice: ties keep order
    return input.shape[dim] - 1 - jnp.flip(back, dim)


@op(name="sort", module=None, method=False, promote="none", returns=return_types.sort)
def _sort(input: Array, dim: Dim, descending: bool):
    if np.issubdtype(input.dtype, np.complexfloating):
        raise RuntimeError("Sort currently does not support complex dtypes on CPU")
    if input.ndim == 0:
        return input, jnp.zeros((), np.int64)
    order = _order(input, dim, descending)
    return jnp.take_along_axis(input, order, dim, mode="clip"), order.astype(np.int64)


@_sort.gradient
def _(grad0, result1, input, dim):
    return grad0.new_zeros(input.shape).scatter(dim, result1, grad0) if input.ndim else grad0


@composite
def sort(
    input: Tensor,
    dim: int = -1,
    descending: bool = False,
    *,
    stable: bool | None = None,
    out: Any = None,
) -> Any:
    """Values in order along a dim, and where they were; always stable here."""
    if input.is_complex():
        raise RuntimeError("Sort currently does not support complex dtypes on CPU")
    return finish("sort", call(_sort, (input,), (dim, descending)), out)


@composite
def argsort(
    input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = False
) -> Tensor:
    """The indices that put a dim in order; always stable here."""
    return sort(input, dim, descending).indices


@composite
def msort(input: Tensor, *, out: Any = None) -> Tensor:
    """Values in order along the first dim."""
    return finish("msort", sort(input, 0).values, out)


@op(name="topk", module=None, method=False, promote="none", returns=return_types.topk)
def _topk(input: Array, k: int, dim: Dim, largest: bool):
    n = input.shape[dim] if input.ndim else 1
    if not 0 <= k <= n:
        raise RuntimeError("selected index k out of range")
    if input.ndim == 0:
        return input, jnp.zeros((), np.int64)
    moved = jnp.moveaxis(input, dim, -1)
    if largest and not np.issubdtype(input.dtype, np.bool_):
        values, order = jax.lax.top_k(moved, k)
    else:
        order = jax.lax.slice_in_dim(_order(moved, moved.ndim - 1, largest), 0, k, axis=-1)
        values = jnp.take_along_axis(moved, order, -1, mode="clip")
    return jnp.moveaxis(values, -1, dim), jnp.moveaxis(order.astype(np.int64), -1, dim)


@_topk.gradient
def _(grad0, result1, input, dim):
    return grad0.new_zeros(input.shape).scatter(dim, result1, grad0) if input.ndim else grad0


@composite
def topk(
    input: Tensor,
    k: int,
    dim: int = -1,
    largest: bool = True,
    sorted: bool = True,
    *,
    out: Any = None,
) -> Any:
    """The k largest (or smallest) elements of a dim, in order, and where they are."""
    return finish("topk", call(_topk, (input,), (as_int(k), dim, largest)), out)


# ----- distinct elements -----
@composite
def unique(
    input: Tensor, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False,
    dim: int | None = None,
) -> Any:  # fmt: skip
    """Distinct elements (or slices of a dim) in order, with inverse and counts if asked."""
    flags = {"return_inverse": return_inverse, "return_counts": return_counts}
    if dim is None:
        demand("_unique2", input, sorted=sorted, **flags)
    else:
        demand("unique_dim", input, dim, sorted=sorted, **flags)
    array = elements_for("_unique2" if dim is None else "unique_dim", input)
    axis = None if dim is None else check_dim(dim, input.ndim)
    flat = array.reshape(-1) if axis is None else array
    equal_nan = False
    values, inverse, counts = np.unique(
        flat, return_inverse=True, return_counts=True, axis=axis, equal_nan=equal_nan
    )
    shape = tuple(input.shape) if axis is None else (array.shape[axis],)
    return _several(values, inverse.reshape(shape), counts, return_inverse, return_counts)


def _several(values: Any, inverse: Any, counts: Any, with_inverse: bool, with_counts: bool) -> Any:
    found = [from_host(np.array(values))]
    if with_inverse:
        found.append(from_host(inverse.astype(np.int64)))
    if with_counts:
        found.append(from_host(counts.astype(np.int64)))
    return found[0] if len(found) == 1 else tuple(found)


@composite
def unique_consecutive(
    input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """Runs of equal elements (or slices of a dim), each once."""
    demand("unique_consecutive", input, return_inverse, return_counts, dim)
    array = elements_for("unique_consecutive", input)
    if dim is None:
        rows = array.reshape(-1, 1)
    else:
        rows = np.moveaxis(array, check_dim(dim, input.ndim), 0)
        rows = rows.reshape(rows.shape[0], math.prod(rows.shape[1:]))
    fresh = np.ones(len(rows), bool)
    fresh[1:] = (rows[1:] != rows[:-1]).any(1)
    starts = np.flatnonzero(fresh)
    counts = np.diff(np.append(starts, len(rows)))
    inverse = np.cumsum(fresh) - 1
    if dim is None:
        return _several(
            array.reshape(-1)[starts],
            inverse.reshape(array.shape),
            counts,
            return_inverse,
            return_counts,
        )
    kept = np.take(array, starts, axis=check_dim(dim, input.ndim))
    return _several(kept, inverse, counts, return_inverse, return_counts)


# ----- searching -----
@op(name="searchsorted", module=None, method=False, promote="common", differentiable=False)
def _searchsorted(sorted_sequence: Array, values: Array, right: bool, out_int32: bool):
    kind = jnp.promote_types(sorted_sequence.dtype, values.dtype)
    edges, wanted = sorted_sequence.astype(kind), values.astype(kind)
    side = "right" if right else "left"
    target = np.int32 if out_int32 else np.int64
    if wanted.size == 0 or edges.shape[-1] == 0:
        return jnp.zeros(wanted.shape, target)
    if edges.ndim == 1:
        return jnp.searchsorted(edges, wanted, side=side).astype(target)
    rows = edges.reshape(-1, edges.shape[-1])
    found = jax.vmap(lambda e, w: jnp.searchsorted(e, w, side=side))(
        rows, wanted.reshape(rows.shape[0], -1)
    )
    return found.reshape(wanted.shape).astype(target)


@composite(method=False)
def searchsorted(
    sorted_sequence: Tensor, input: Any, *, out_int32: bool = False, right: bool = False,
    side: str | None = None, sorter: Any = None, out: Any = None,
) -> Tensor:  # fmt: skip
    """Where values would be inserted into sorted sequences."""
    if side not in (None, "left", "right"):
        raise RuntimeError(
            f"torch.searchsorted(): side can only be 'left' or 'right' but got {side}"
        )
    if side == "left" and right:
        raise RuntimeError(
            "torch.searchsorted(): side and right can't be set to opposites, got side of left "
            "while right was True"
        )
    values = (
        input
        if isinstance(input, Tensor)
        else from_host(np.asarray(input, to_host(sorted_sequence).dtype))
    )
    if sorted_sequence.ndim == 0:
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should have positive dimension, but got 0 "
            "dimension"
        )
    if sorter is not None:
        if sorter.dtype.name != "int64":
            raise RuntimeError(
                "torch.searchsorted(): sorter must be a tensor of long dtype but got dtype "
                f"{SCALAR_NAMES[sorter.dtype]}"
            )
        sorted_sequence = sorted_sequence.gather(-1, sorter)
    if values.ndim == 0 and sorted_sequence.ndim != 1:
        raise RuntimeError(
            "torch.searchsorted(): input value can be a scalar only when boundaries tensor "
            f"dimension is 1, but we got boundaries tensor dim({sorted_sequence.ndim}) and input "
            "value's dim(0) numel(1)"
        )
    if sorted_sequence.ndim > 1 and tuple(sorted_sequence.shape[:-1]) != tuple(values.shape[:-1]):
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 "
            "dimensions of "
            "boundaries tensor and input value tensor must match, but we got boundaries tensor "
            f"{list(sorted_sequence.shape)} and "
            f"input value tensor {list(values.shape)}"
        )
    found = call(_searchsorted, (sorted_sequence, values), (right or side == "right", out_int32))
    return finish("searchsorted", found, out)


@composite(method=False)
def bucketize(
    input: Any, boundaries: Tensor, *, out_int32: bool = False, right: bool = False, out: Any = None
) -> Tensor:
    """The bucket each value falls into, given the boundaries between buckets."""
    if boundaries.ndim != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({boundaries.ndim})")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right, out=out)


alias("moveaxis", "movedim")
