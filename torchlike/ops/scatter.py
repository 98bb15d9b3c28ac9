"""Scattering along one dim, one index an element."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from ..core.dispatch import call
from ..core.dtypes import check_number
from ..core.op import Array, Number, composite, op
from ..core.plan import NUMBERS
from ..core.tensor import Tensor
from .gather import check_gather, check_places, wrap_index


def _places(index: Any, dim: int, n: int) -> tuple[Any, ...]:
    at = [
        jnp.arange(k).reshape([-1 if e == d else 1 for e in range(index.ndim)])
        for d, k in enumerate(index.shape)
    ]
    at[dim] = wrap_index(index, n)
    return tuple(at)


def _scatter_into(input: Any, dim: int, index: Any, src: Any, how: str) -> Any:
    if input.dtype == np.bool_ and how != "set":
        how = {"add": "max", "mul": "min"}.get(how, how)
        wide = _scatter_into(input.astype(np.uint8), dim, index, src.astype(np.uint8), how)
        return wide.astype(np.bool_)
    if input.ndim == 0:
        input, index = input.reshape(1), index.reshape(-1)
        return _scatter_into(input, 0, index, src.reshape(-1), how).reshape(())
    if index.ndim == 0:
        index, src = index.reshape(1), src.reshape(1)
    at = input.at[_places(index, dim, input.shape[dim])]
    return getattr(at, how)(src.astype(input.dtype), mode="drop")


def _source(src: Any, index: Any) -> Any:
    return src[tuple(slice(0, n) for n in index.shape)] if src.ndim == index.ndim else src


@op(name="scatter", module=None, method=False, promote="none", node=lambda s: "ScatterBackward0")
def _scatter(input: Array, dim: int, index: Array, src: Array):
    return _scatter_into(input, dim, index, _source(src, index), "set")


@_scatter.gradient
def _(grad, dim, index, src):
    found = grad.gather(dim, index)
    return grad.scatter(dim, index, 0), None, _padded(found, src)


def _padded(found: Tensor, src: Tensor) -> Tensor:
    if found.shape == src.shape:
        return found
    out = found.new_zeros(src.shape)
    out[tuple(slice(0, n) for n in found.shape)] = found
    return out


@op(name="scatter_value", module=None, method=False, promote="none", node="ScatterBackward1")
def _scatter_value(input: Array, dim: int, index: Array, value: Number):
    wide = jnp.broadcast_to(value.astype(input.dtype), index.shape)
    return _scatter_into(input, dim, index, wide, "set")


@_scatter_value.gradient
def _(grad, dim, index):
    return grad.scatter(dim, index, 0), None


@op(name="scatter_add", module=None, method=False, promote="none")
def _scatter_add(input: Array, dim: int, index: Array, src: Array):
    return _scatter_into(input, dim, index, _source(src, index), "add")


@_scatter_add.gradient
def _(grad, dim, index, src):
    return grad, None, _padded(grad.gather(dim, index), src)


def _check_scatter(name: str, input: Tensor, dim: int, index: Tensor, src: Any) -> int:
    dim = check_gather(name, input, dim, index)
    if isinstance(src, Tensor):
        if src.dtype is not input.dtype:
            raise RuntimeError("scatter(): Expected self.dtype to be equal to src.dtype")
        if max(src.ndim, 1) != max(input.ndim, 1) and index.numel():
            raise RuntimeError("Index tensor must have the same number of dimensions as src tensor")
        for d in range(index.ndim if index.numel() else 0):
            if index.shape[d] > src.shape[d] or (d != dim and index.shape[d] > input.shape[d]):
                raise RuntimeError(
                    f"Expected index {list(index.shape)} to be no larger than self "
                    f"{list(input.shape)} apart from dimension {dim} and to be no larger size than "
                    f"src {list(src.shape)}"
                )
    check_places(input, dim, index)
    return dim


@composite(inplace="apart", out=True)
def scatter(
    input: Tensor, dim: int, index: Tensor, src: Any = None, *, value: Any = None,
    reduce: str | None = None,
) -> Tensor:  # fmt: skip
    """A copy with elements written along a dim, one index an element."""
    src = value if src is None else src
    if not isinstance(src, (Tensor, *NUMBERS)):
        raise TypeError("src must be Tensor or Number")
    dim = _check_scatter("scatter", input, dim, index, src)
    if index.numel() == 0:
        return input.clone()
    if reduce is not None:
        return _scatter_reduced(input, dim, index, src, reduce)
    if isinstance(src, Tensor):
        return call(_scatter, (input, index, src), (dim,))
    check_number(src, input.dtype)
    return call(_scatter_value, (input, index, src), (dim,))


def _scatter_reduced(input: Tensor, dim: int, index: Tensor, src: Any, reduce: str) -> Tensor:
    if reduce not in ("add", "multiply"):
        raise RuntimeError("reduce argument must be either add or multiply.")
    if not isinstance(src, Tensor):
        src = input.new_full(index.shape, src)
    return scatter_reduce(input, dim, index, src, "sum" if reduce == "add" else "prod")


@composite(inplace="apart", out=True)
def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """A copy with elements added along a dim, one index an element."""
    dim = _check_scatter("scatter_add", input, dim, index, src)
    return call(_scatter_add, (input, index, src), (dim,)) if index.numel() else input.clone()


_REDUCERS = {"sum": "add", "prod": "mul", "amax": "max", "amin": "min", "mean": "add"}


def _counts(input: Any, dim: int, index: Any, src: Any) -> Any:
    """How many elements are scattered to each place."""
    nothing, one = jnp.zeros(input.shape, np.int64), jnp.ones(src.shape, np.int64)
    return _scatter_into(nothing, dim, index, one, "add")


@op(name="scatter_reduce", module=None, method=False, promote="none", node=lambda s: s["node"])
def _scatter_reduce(
    input: Array, dim: int, index: Array, src: Array, reduce: str, include_self: bool, node: str
):
    src = _source(src, index)
    counts = _counts(input, dim, index, src)
    start = input
    if not include_self:
        start = jnp.where(counts > 0, _neutral(reduce, input.dtype), input)
    out = _scatter_into(start, dim, index, src, _REDUCERS[reduce])
    if reduce == "mean":
        total = jnp.maximum(counts + (1 if include_self else 0), 1).astype(input.dtype)
        exact = not jnp.issubdtype(input.dtype, np.inexact)
        out = jnp.floor_divide(out, total) if exact else out / total
    return out


@_scatter_reduce.gradient
def _(grad, input, dim, index, src, result, reduce, include_self):
    part = src[tuple(slice(0, n) for n in index.shape)] if src.shape != index.shape else src
    shares = _SHARES.get(reduce, _extremum_shares)
    mine, theirs = shares(grad, input, dim, index, part, result, reduce, include_self)
    if not include_self:
        mine = mine.scatter(dim, index, 0)
    return mine, None, _padded(theirs, src)


def _sum_shares(grad, input, dim, index, src, result, reduce, include_self):
    return grad, grad.gather(dim, index)


def _mean_shares(grad, input, dim, index, src, result, reduce, include_self):
    start = grad.new_ones(grad.shape) if include_self else grad.new_zeros(grad.shape)
    count = start.scatter_add(dim, index, src.new_ones(src.shape))
    shared = grad / count.masked_fill(count == 0, 1)
    return shared, shared.gather(dim, index)


def _prod_shares(grad, input, dim, index, src, result, reduce, include_self):
    """Each factor's share is the product of the others, also where one factor is zero."""
    factor = input.masked_fill(input == 0, 1)
    others = factor.scatter_reduce(dim, index, src, reduce, include_self=include_self)
    zero = src == 0
    zeros = input.new_zeros(input.shape).scatter_add(dim, index, zero.to(input.dtype))
    alone = zero & (zeros.gather(dim, index) == 1)
    without = input.scatter_reduce(
        dim, index, src.masked_fill(alone, 1), reduce, include_self=include_self
    )
    rest = (grad * result).gather(dim, index) / src.masked_fill(zero, 1)
    theirs = (grad * without).gather(dim, index).where(alone, rest)
    return grad * others / factor, theirs


def _extremum_shares(grad, input, dim, index, src, result, reduce, include_self):
    """Equal ones share evenly."""
    mine = (input == result).to(grad.dtype)
    theirs = (src == result.gather(dim, index)).to(grad.dtype)
    shared = grad / mine.scatter_add(dim, index, theirs)
    return mine * shared, theirs * shared.gather(dim, index)


_SHARES = {"sum": _sum_shares, "mean": _mean_shares, "prod": _prod_shares}


def _neutral(reduce: str, kind: Any) -> Any:
    if reduce in ("sum", "mean"):
        return jnp.zeros((), kind)
    if reduce == "prod":
        return jnp.ones((), kind)
    if kind == np.bool_:
        return jnp.asarray(reduce == "amin")
    if jnp.issubdtype(kind, np.floating):
        low, high = -jnp.inf, jnp.inf
    else:
        low, high = jnp.iinfo(kind).min, jnp.iinfo(kind).max
    return jnp.asarray(low if reduce == "amax" else high, kind)


@composite(inplace="apart", out=True)
def scatter_reduce(
    input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """A copy with elements reduced into it along a dim, one index an element."""
    if reduce not in _REDUCERS:
        raise RuntimeError(
            f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}."
        )
    dim = _check_scatter("scatter_reduce", input, dim, index, src)
    if not index.numel():
        return input.clone()
    return reduced_into(input, dim, index, src, reduce, include_self, "ScatterReduceBackward0")


def reduced_into(
    input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, include_self: bool, node: str
) -> Tensor:
    """`scatter_reduce` of arguments already checked, under the given node name."""
    return call(_scatter_reduce, (input, index, src), (dim, reduce, include_self, node))

