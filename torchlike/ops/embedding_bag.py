"""Sums, means and maxima of bags of embedding rows."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..core import dtypes
from ..core.dispatch import call
from ..core.dtypes import SCALAR_NAMES
from ..core.op import Array, Optional, composite, op
from ..core.tape import no_grad
from ..core.tensor import Tensor, to_host
from .demands import check_range, known_values
from .neural import _bag_frequency, _check_indices, embedding_renorm_
from .sparse_rows import bags_of

# ----- bags -----
MODES = {"sum": 0, "mean": 1, "max": 2}


@op(module=None, promote="none", name="embedding_bag", returns=tuple)
def _embedding_bag(
    weight: Array, indices: Array, offsets: Array, scales: Optional[Array], mode: int, last: bool,
    padding_idx: int, by_frequency: bool, bare: bool,
):  # fmt: skip
    bags = offsets.shape[0] - last
    at = indices.astype(jnp.int64)
    begin = offsets[:bags].astype(jnp.int64)
    bag = jnp.searchsorted(begin, jnp.arange(at.shape[0]), side="right").astype(jnp.int64) - 1
    rows = weight[at]
    if by_frequency:  # the gradient alone is scaled
        count = _bag_frequency(at, weight.shape[0])[at][:, None]
        part = (rows - jax.lax.stop_gradient(rows)) / count.astype(rows.dtype)
        rows = jax.lax.stop_gradient(rows) + part.astype(rows.dtype)
    counted = at != padding_idx
    size = jnp.zeros(bags, jnp.int64).at[bag].add(counted.astype(jnp.int64))
    if mode == MODES["max"]:
        out, chosen = _greatest(rows, at, bag, bags, counted)
        return out, bag, size, chosen
    kept = jnp.where(counted[:, None], rows, jnp.zeros_like(rows))
    kept = kept if scales is None else kept * scales[:, None]
    out = jnp.zeros((bags, weight.shape[1]), weight.dtype).at[bag].add(kept)
    if mode == MODES["mean"]:
        out = out / jnp.maximum(size, 1)[:, None].astype(out.dtype)
    if bare:
        return out, bag[:0], size * 0, size * 0
    return out, bag, size, size


def _greatest(rows: Any, at: Any, bag: Any, bags: int, counted: Any) -> tuple[Any, Any]:
    """The maximum of each bag and where it is: the first of equals."""
    n = rows.shape[0]
    low = jnp.asarray(-jnp.inf, rows.dtype)
    shown = jax.lax.stop_gradient(jnp.where(counted[:, None], rows, low))
    top = jnp.full((bags, rows.shape[1]), low).at[bag].max(shown)
    hit = (shown == top[bag]) & counted[:, None]
    place = jnp.where(hit, jnp.arange(n)[:, None], n)
    first = jnp.full(top.shape, n).at[bag].min(place)
    full = first < n
    there = jnp.where(full, first, 0)
    out = jnp.take_along_axis(rows, there, 0) if n else jnp.zeros_like(top)
    chosen = jnp.where(full, at[there], -1) if n else first * 0 - 1
    return jnp.where(full, out, jnp.zeros_like(out)), chosen


@composite(name="embedding_bag", method=False)
def torch_embedding_bag(
    weight: Tensor, indices: Tensor, offsets: Tensor, scale_grad_by_freq: bool = False,
    mode: int = 0, sparse: bool = False, per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False, padding_idx: int | None = None,
) -> Any:  # fmt: skip
    """(bags, offset2bag, bag_size, max_indices)."""
    for index in (indices, offsets):
        _check_indices("embedding_bag", index)
    if per_sample_weights is not None and per_sample_weights.dtype is not weight.dtype:
        types = weight.dtype, per_sample_weights.dtype
        weights, scales = (f"torch.{SCALAR_NAMES[dtype]}Tensor" for dtype in types)
        raise RuntimeError(
            "Expected tensor for argument #1 'weight' to have the same type as tensor for argument "
            f"#1 'per_sample_weights'; but type {weights} does not equal {scales} (while checking "
            "arguments for embedding_bag)"
        )
    _check_bags(weight, indices, offsets, mode)
    if padding_idx is None:
        padding_idx = -1
    elif not -weight.shape[0] <= padding_idx < weight.shape[0]:
        raise RuntimeError(
            f"padding_idx must be within the number of embeddings, {-weight.shape[0]} through "
            f"{weight.shape[0] - 1}, but got {padding_idx}"
        )
    elif padding_idx < 0:
        padding_idx += weight.shape[0]
    inputs = (weight, indices, offsets, per_sample_weights)
    sparse = sparse and weight.requires_grad
    # PyTorch's fastest sum keeps no account of the bags
    fast = weight.dtype.itemsize < 8 and (padding_idx or 0) < 0
    bare = mode == MODES["sum"] and fast and not sparse
    statics = (mode, bool(include_last_offset), padding_idx, scale_grad_by_freq, bare)
    if sparse:
        forward = functools.partial(call, _embedding_bag, inputs, statics)
        begins = offsets[: len(offsets) - bool(include_last_offset)]  # type: ignore[index]
        return bags_of(
            weight, indices, begins, per_sample_weights, mode == MODES["mean"], padding_idx,
            scale_grad_by_freq, forward,
        )  # fmt: skip
    return call(_embedding_bag, inputs, statics)


def _check_bags(weight: Tensor, indices: Tensor, offsets: Tensor, mode: int) -> None:
    n = indices.shape[0]
    ends = known_values(offsets)
    if ends is not None and ends.size:
        if ends[0] != 0:
            raise RuntimeError(
                "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start "
                f"from position 0. However, got {ends[0]}\n[ torch.LongTensor{{}} ]"
            )
        if ends[-1] > n:
            raise RuntimeError(
                f"offsets[-1] can not be greater than input's length {n} but got offsets[-1] of "
                f"{ends[-1]}"
            )
    rows = weight.shape[0]

    def error(bad: int) -> RuntimeError:
        if mode == MODES["max"] or weight.dtype is dtypes.float64:
            return RuntimeError(
                "embedding_bag: Expected idx >= 0 && idx < num_embeddings but found idx to be "
                f"{bad}"
            )
        place = int(np.argmax(to_host(indices) == bad))
        return RuntimeError(
            f"Index {place} of input takes value {bad} which is not in the valid range [0, {rows})"
        )

    check_range(indices, 0, rows, error)


@composite(module="nn.functional")
def embedding_bag(
    input: Tensor, weight: Tensor, offsets: Tensor | None = None, max_norm: float | None = None,
    norm_type: float = 2, scale_grad_by_freq: bool = False, mode: str = "mean",
    sparse: bool = False, per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False, padding_idx: int | None = None,
) -> Tensor:  # fmt: skip
    """Sums, means or maxima of bags of rows."""
    if input.dtype.name == "int64" and weight.dtype.category < dtypes.FLOAT:
        input, weight = weight, input  # an old order of the arguments, as PyTorch allows
    if per_sample_weights is not None and input.shape != per_sample_weights.shape:
        raise ValueError(
            f"embedding_bag: If per_sample_weights ({per_sample_weights.shape}) is not None, then "
            f"it must have the same shape as the input ({input.shape})"
        )
    input, offsets, per_sample_weights = _as_bags(input, offsets, per_sample_weights)
    if mode not in MODES:
        raise ValueError("mode has to be one of sum, mean or max")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError("max mode does not support scaling the gradient by the frequency")
    if mode == "max" and sparse:
        raise ValueError("max mode does not support sparse weights")
    if max_norm is not None:
        with no_grad():
            embedding_renorm_(weight, input, max_norm, norm_type)
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported "
            f"for mode='sum' (got mode='{mode}'). Please open a feature request on GitHub."
        )
    return torch_embedding_bag(
        weight, input, offsets, scale_grad_by_freq, MODES[mode], sparse, per_sample_weights,
        include_last_offset, padding_idx,
    )[0]  # fmt: skip


def _as_bags(input: Tensor, offsets: Any, scales: Any) -> tuple[Tensor, Any, Any]:
    """Rows of a matrix are bags; a vector is cut by offsets."""
    if input.ndim == 2:
        if offsets is not None:
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch "
                f"of fixed length sequences. However, found offsets of type {type(offsets)}"
            )
        starts = np.arange(input.shape[0]) * input.shape[1]
        offsets = input.new_tensor(starts)
        return input.reshape(-1), offsets, None if scales is None else scales.reshape(-1)
    if input.ndim != 1:
        raise ValueError(
            f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.ndim}"
        )
    if offsets is None:
        raise ValueError("offsets has to be a 1D Tensor but got None")
    if offsets.ndim != 1:
        raise ValueError("offsets has to be a 1D Tensor")
    return input, offsets, scales
