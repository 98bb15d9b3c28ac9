"""Ops on the values of sparse tensors: what is differentiable about them. Indices are constants."""

from __future__ import annotations

from math import prod
from typing import Any

import jax.numpy as jnp

from ..core.op import Array, Number, op


def _named(statics: dict[str, Any]) -> str:
    return statics["node"]


@op(name="sparse_pass", module=None, method=False, promote="none", node=_named)
def keep(values: Array, node: str):
    """The values as they are, under the name of a node."""
    return values


@keep.gradient
def _(grad):
    return grad


@op(name="sparse_gather", module=None, method=False, promote="none", node=_named)
def pick(values: Array, at: Array, dims: int, node: str):
    """Elements by their place in the first `dims` dims, row-major; one may come several times."""
    return values.reshape(-1, *values.shape[dims:])[at]


@op(name="sparse_scatter", module=None, method=False, promote="none", node=_named)
def spread(values: Array, at: Array, shape: Any, node: str):
    """Zeros of a shape, and each value added at its place in all dims that it has not itself."""
    rest = values.shape[1:]
    count = prod(shape[: len(shape) - len(rest)])
    return jnp.zeros((count, *rest), values.dtype).at[at].add(values).reshape(shape)


@pick.gradient
def _(grad, values, at):
    return spread(grad, at, tuple(values.shape), "IndexAddBackward0"), None


@spread.gradient
def _(grad, values, at):
    return taken(grad, at, grad.ndim - values.ndim + 1), None


def taken(values: Any, at: Any, dims: int = 1) -> Any:
    """`pick` in a gradient."""
    return pick(values, at, dims, "IndexSelectBackward0")


def summed(values: Any, at: Any, count: int) -> Any:
    """`spread` in a gradient."""
    return spread(values, at, (count, *values.shape[1:]), "IndexAddBackward0")


@op(name="sparse_merge", module=None, method=False, promote="none", node="AddBackward0")
def merge(values: Array, other: Array, at: Array, there: Array, alpha: Number, shape: Any):
    """Two sets of rows in one of some shape; `other` times alpha."""
    rest = values.shape[1:]
    kind = jnp.promote_types(values.dtype, other.dtype)
    count = prod(shape[: len(shape) - len(rest)])
    total = jnp.zeros((count, *rest), kind).at[at].add(values.astype(kind))
    return total.at[there].add(alpha.astype(kind) * other.astype(kind)).reshape(shape)


@merge.gradient
def _(grad, values, at, there, alpha):
    grad = grad.reshape(-1, *values.shape[1:])
    return taken(grad, at), taken(grad, there) * alpha, None, None, None


@op(name="sparse_mm", module=None, method=False, promote="none", node=_named)
def times_dense(values: Array, dense: Array, rows: Array, cols: Array, count: int, node: str):
    """Σ values · dense[cols] at rows: a sparse matrix times a dense one."""
    terms = values[:, None] * dense[cols]
    return jnp.zeros((count, dense.shape[1]), terms.dtype).at[rows].add(terms)


@times_dense.gradient
def _(grad, values, dense, rows, cols):
    above = taken(grad, rows)
    mine = (above * taken(dense, cols).conj()).sum(-1)
    terms = values.conj().unsqueeze(-1) * above
    return mine, summed(terms, cols, dense.shape[0]), None, None


@op(name="sparse_softmax", module=None, method=False, promote="none", node=_named)
def softmax_of(values: Array, group: Array, count: int, log: bool, node: str):
    """softmax among the values of each group."""
    shape = (count, *values.shape[1:])
    top = jnp.full(shape, -jnp.inf, values.dtype).at[group].max(values)
    shifted = values - top[group]
    total = jnp.zeros(shape, values.dtype).at[group].add(jnp.exp(shifted))
    return shifted - jnp.log(total)[group] if log else jnp.exp(shifted) / total[group]


@softmax_of.gradient
def _(grad, result, group, count, log):
    def sums(x: Any) -> Any:
        return taken(summed(x, group, count), group)

    slope = grad - result.exp() * sums(grad) if log else result * (grad - sums(grad * result))
    return slope, None
