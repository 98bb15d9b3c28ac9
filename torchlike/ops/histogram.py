"""Counting: bincount, histc, histogram."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp

from ..core.check import no_meta_kernel
from ..core.device import META
from ..core.dtypes import SCALAR_NAMES, bfloat16, float16, float32, float64
from ..core.mutate import write_out
from ..core.op import Array, Arrays, Optional, composite, op
from ..core.tensor import Tensor
from . import return_types
from .kinds import FLOATING, refuse
from .refused import without_gradient

INDICES = "bincount only supports 1-d non-negative integral inputs."


@op(promote="none", module=None, name="bincount", differentiable=False)
def counts_of(input: Array, weights: Optional[Array], length: int):
    if weights is None:
        return jnp.zeros(length, jnp.int64).at[input].add(1)
    kind = weights.dtype if weights.dtype in (jnp.float32, jnp.float64) else jnp.float64
    return jnp.zeros(length, kind).at[input].add(weights.astype(kind))


@composite
def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each non-negative integer occurs, or the weights it occurs with."""
    if input.device is META:
        raise NotImplementedError(no_meta_kernel("bincount"))
    if minlength < 0:
        raise RuntimeError("minlength should be >= 0")
    if input.is_floating_point() or input.is_complex():
        raise NotImplementedError(
            f"\"bincount_cpu\" not implemented for '{SCALAR_NAMES[input.dtype]}'"
        )
    if input.dim() != 1 or (input.numel() and int(input.min()) < 0):
        raise RuntimeError(INDICES)
    if weights is not None and weights.shape != input.shape:
        raise RuntimeError("weights should be 1-d and have the same length as input")
    largest = int(input.max()) + 1 if input.numel() else 0
    if not largest:
        return input.new_zeros(minlength, dtype=int)
    found = counts_of(input, weights, max(largest, minlength))
    return without_gradient("bincount", found, weights)


# ----- histograms of floats -----
def _bin_of(x: Any, edges: Any) -> Any:
    """The bin of each value, its length where there is none; the last bin takes its upper edge."""
    last = edges.shape[0] - 1
    at = jnp.searchsorted(edges, x, side="right") - 1
    at = jnp.where(x == edges[-1], last - 1, at)
    return jnp.where((x >= edges[0]) & (x <= edges[-1]), at, last)


@op(promote="none", module=None, name="histogram", differentiable=False)
def count_in_bins(input: Array, edges: Array, weight: Optional[Array], density: bool):
    refuse("histogramdd", input, FLOATING)
    weights = jnp.ones_like(input) if weight is None else weight
    at = _bin_of(input.ravel(), edges)
    hist = jnp.zeros(edges.shape[0] - 1, input.dtype).at[at].add(weights.ravel(), mode="drop")
    return hist / (hist.sum() * jnp.diff(edges)) if density else hist


def _range_of(input: Tensor, low: float, high: float, name: str) -> tuple[float, float]:
    """The range to divide; the data's own where the two ends are equal."""
    if low == high and not input.numel():
        return low, high + 1
    if low == high and input.device.type == "meta":
        return low, high + 1
    if low == high:
        low, high = float(input.min()), float(input.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeError(f"{name}: range of [{_c(low)}, {_c(high)}] is not finite")
    if low > high:
        raise RuntimeError(f"{name}: max must be larger than min")
    return (low - 0.5, high + 0.5) if low == high else (low, high)


def _c(value: float) -> str:
    return f"{value:g}"


def _check_bins(bins: int) -> None:
    if bins <= 0:
        raise RuntimeError(
            f"torch.histogram(): bins must be > 0, but got {bins} for dimension 0"
        )


def _check_float(input: Tensor, kernel: str) -> None:
    if input.dtype not in (float32, float64):
        raise NotImplementedError(
            f"\"{kernel}\" not implemented for '{SCALAR_NAMES[input.dtype]}'"
        )


def _edges(input: Tensor, bins: int, low: float, high: float) -> Tensor:
    steps = input.new_tensor(range(bins + 1)) * ((high - low) / bins) + low
    steps[-1] = high
    return steps


@composite
def histc(
    input: Tensor, bins: int = 100, min: float = 0, max: float = 0, *, out: Any = None
) -> Tensor:
    """Counts in equal bins of [min, max], or of the data's range if they are equal."""
    if out is not None:
        return write_out("histc", out, histc(input, bins, min, max))
    _check_bins(bins)
    kind = input.dtype
    if kind in (float16, bfloat16):
        input = input.float()  # type: ignore[attr-defined]
    _check_float(input, "histogram_cpu")
    low, high = _range_of(input, float(min), float(max), "torch.histc")
    return count_in_bins(input.detach(), _edges(input, bins, low, high), None, False).to(kind)  # type: ignore[attr-defined]


@composite
def histogram(
    input: Tensor, bins: Any, *, range: Any = None, weight: Tensor | None = None,
    density: bool = False, out: Any = None,
) -> Any:  # fmt: skip
    """Counts in `bins` equal bins or between given edges, and the edges."""
    if out is not None:
        found = histogram(input, bins, range=range, weight=weight, density=density)
        return write_out("histogram", out, found)
    _check_float(input, "histogramdd")
    if isinstance(bins, Tensor):
        edges = bins
    else:
        _check_bins(bins)
        low, high = range or (0.0, 0.0)
        low, high = _range_of(input, low, high, "torch.histogram")
        edges = _edges(input, bins, low, high)
    hist = count_in_bins(input, edges, weight, density)
    return return_types.histogram(
        without_gradient("histogram", hist, input, weight),
        without_gradient("histogram", edges, input, weight),
    )


@op(promote="none", module=None, name="histogramdd", differentiable=False)
def count_in_boxes(input: Array, edges: Arrays, weight: Optional[Array], density: bool):
    refuse("histogramdd", input, FLOATING)
    shape = tuple(e.shape[0] - 1 for e in edges)
    points = input.reshape(-1, input.shape[-1])
    at = [_bin_of(points[:, i], e) for i, e in enumerate(edges)]
    weights = jnp.ones(points.shape[0], input.dtype) if weight is None else weight.ravel()
    outside = jnp.stack([i == n for i, n in zip(at, shape, strict=True)]).any(0)
    weights = jnp.where(outside, jnp.zeros_like(weights), weights)
    hist = jnp.zeros(shape, input.dtype).at[tuple(at)].add(weights, mode="drop")
    if density:
        hist = hist / hist.sum()
        for i, e in enumerate(edges):
            hist = hist / jnp.diff(e).reshape([-1 if k == i else 1 for k in range(len(shape))])
    return hist


@composite
def histogramdd(
    input: Tensor, bins: Any, *, range: Any = None, weight: Tensor | None = None,
    density: bool = False,
) -> Any:  # fmt: skip
    """Counts of points in a grid of boxes, and the edges along each coordinate."""
    _check_float(input, "histogramdd")
    flat, count = input.reshape(-1, input.shape[-1]), input.shape[-1]
    if isinstance(bins, int):
        bins = [bins] * count
    if len(bins) != count:
        raise RuntimeError(
            "histogramdd: The size of bins must be equal to the innermost dimension of the input."
        )
    edges = []
    for i, b in enumerate(bins):
        if isinstance(b, Tensor):
            edges.append(b)
            continue
        given = (0.0, 0.0) if range is None else (range[2 * i], range[2 * i + 1])
        edges.append(_edges(input, b, *_range_of(flat[:, i], *given, "torch.histogramdd")))
    hist = count_in_boxes(input, tuple(edges), weight, density)
    return return_types.histogramdd(hist, tuple(edges))
