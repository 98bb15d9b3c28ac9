"""Losses of margins: ranking, hinges, triplets, cosine embedding, multi-class margins."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from ..core.check import broadcast_shapes
from ..core.dispatch import call
from ..core.dtypes import SCALAR_NAMES, int64
from ..core.op import Array, Number, Optional, composite, op
from ..core.tensor import Tensor
from .activation import logsigmoid
from .demands import check_range, refuse_gradient
from .kinds import BOOL, FLOATING, INTEGER, kind, refuse, scalar_name
from .loss import apply_reduction, kernel_reduction, named_reduction, reduced, spread
from .similarity import pairwise_distance
from .unary import NEG_BOOL


# ----- ranking -----
def _ranking(
    first: Tensor, second: Tensor, target: Tensor, margin: float, reduction: str
) -> Tensor:
    loss = (-target * (first - second) + margin).clamp_min(0)
    return apply_reduction(loss, reduction)


@composite(module="nn.functional")
def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0, size_average: Any = None,
    reduce: Any = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """max(0, -y (x1 - x2) + margin)."""
    reduction = named_reduction(size_average, reduce, reduction)
    if not input1.ndim == input2.ndim == target.ndim:
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {input1.shape}, input2: {input2.shape}, target: {target.shape} "
        )
    return _ranking(input1, input2, target, margin, reduction)


@composite(name="margin_ranking_loss", method=False)
def torch_margin_ranking_loss(input1, input2, target, margin=0.0, reduction=0):
    return _ranking(input1, input2, target, margin, kernel_reduction(reduction))


# ----- hinges -----
def _hinge(input: Tensor, target: Tensor, margin: float, reduction: str) -> Tensor:
    zeros = input.new_zeros(())
    apart = (margin - input).clamp_min(0).where(target != 1, zeros)
    return apply_reduction(apart + input.where(target != -1, zeros), reduction)


@composite(module="nn.functional")
def hinge_embedding_loss(
    input: Tensor, target: Tensor, margin: float = 1.0, size_average: Any = None,
    reduce: Any = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """x where y is 1, max(0, margin - x) where it is -1."""
    return _hinge(input, target, margin, named_reduction(size_average, reduce, reduction))


@composite(name="hinge_embedding_loss", method=False)
def torch_hinge_embedding_loss(input, target, margin=1.0, reduction=0):
    return _hinge(input, target, margin, kernel_reduction(reduction))


@op(module=None, name="soft_margin_loss")
def _soft_margin(input: Array, target: Array, reduction: str):
    if kind(input) == BOOL:
        raise RuntimeError(NEG_BOOL)
    if kind(input) == INTEGER:
        raise RuntimeError(
            "result type Float can't be cast to the desired output type "
            f"{scalar_name(input)}"
        )
    broadcast_shapes(input.shape, target.shape)
    # PyTorch's overflows, too
    return reduced(jnp.log1p(jnp.exp(-target * input)), reduction)


@_soft_margin.gradient
def _(grad, input, target, reduction):
    return spread(grad, reduction, input, target) * -target * (-target * input).sigmoid(), None


@composite(module="nn.functional")
def soft_margin_loss(
    input: Tensor, target: Tensor, size_average: Any = None, reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """log(1 + exp(-y x))."""
    reduction = named_reduction(size_average, reduce, reduction)
    refuse_gradient("soft_margin_loss", target=target)
    return call(_soft_margin, (input, target), (reduction,))


# ----- cosine embedding -----
def _cosine(
    first: Tensor, second: Tensor, target: Tensor, margin: float, reduction: str
) -> Tensor:
    if target.ndim > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    wanted = target.ndim + 1
    if first.ndim != wanted or second.ndim != wanted:
        raise RuntimeError(
            f"{target.ndim}D target tensor expects {wanted}D input tensors, but found inputs with "
            f"sizes {list(first.shape)} and {list(second.shape)}."
        )
    dot = (first * second).sum(target.ndim)
    sizes = [(x * x).sum(target.ndim) + 1e-12 for x in (first, second)]
    cosine = dot / (sizes[0] * sizes[1]).sqrt()
    zeros = cosine.new_zeros(cosine.shape)
    near = (1 - cosine).where(target == 1, zeros)
    far = (cosine - margin).clamp_min(0).where(target == -1, zeros)
    return apply_reduction(near + far, reduction)


@composite(module="nn.functional")
def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0, size_average: Any = None,
    reduce: Any = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """1 - cos where y is 1, max(0, cos - margin) where it is -1."""
    reduction = named_reduction(size_average, reduce, reduction)
    return _cosine(input1, input2, target, margin, reduction)


@composite(name="cosine_embedding_loss", method=False)
def torch_cosine_embedding_loss(input1, input2, target, margin=0.0, reduction=0):
    return _cosine(input1, input2, target, margin, kernel_reduction(reduction))


# ----- triplets -----
def _check_triplet(anchor: Tensor, positive: Tensor, negative: Tensor) -> None:
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of "
            f"dimensions, but got: anchor {anchor.ndim}D, positive {positive.ndim}D, and negative "
            f"{negative.ndim}D inputs"
        )


def _triplet(
    anchor: Tensor, positive: Tensor, negative: Tensor, distance: Any, margin: float, swap: bool,
    reduction: str,
) -> Tensor:  # fmt: skip
    _check_triplet(anchor, positive, negative)
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = far.minimum(distance(positive, negative))
    return apply_reduction((near + margin - far).clamp_min(0), reduction)


def _check_margin(margin: float) -> None:
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")


@composite(module="nn.functional")
def triplet_margin_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 1.0, p: float = 2,
    eps: float = 1e-6, swap: bool = False, size_average: Any = None, reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """max(0, |a - p| - |a - n| + margin)."""
    reduction = named_reduction(size_average, reduce, reduction)
    _check_margin(margin)
    return _triplet(
        anchor, positive, negative, lambda a, b: pairwise_distance(a, b, p, eps), margin, swap,
        reduction,
    )  # fmt: skip


@composite(name="triplet_margin_loss", method=False)
def torch_triplet_margin_loss(
    anchor, positive, negative, margin=1.0, p=2, eps=1e-6, swap=False, reduction=0
):
    return _triplet(
        anchor, positive, negative, lambda a, b: pairwise_distance(a, b, p, eps), margin, swap,
        kernel_reduction(reduction),
    )  # fmt: skip


@composite(module="nn.functional")
def triplet_margin_with_distance_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, *, distance_function: Any = None,
    margin: float = 1.0, swap: bool = False, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """A triplet loss with any distance."""
    reduction = named_reduction(None, None, reduction)
    _check_margin(margin)
    distance = pairwise_distance if distance_function is None else distance_function
    return _triplet(anchor, positive, negative, distance, margin, swap, reduction)


# ----- one class against the others -----
def _as_rows(x: Any) -> Any:
    return x if x.ndim == 2 else x.reshape(1, -1)


@op(module=None, promote="none", name="multi_margin_loss")
def _multi_margin(
    input: Array, target: Array, weight: Optional[Array], margin: Number, p: int, reduction: str
):
    refuse("multi_margin_loss_cpu_kernel", input, FLOATING)
    x, t = _as_rows(input), target.reshape(-1)
    mine = jnp.take_along_axis(x, t[:, None], 1)
    z = margin.astype(x.dtype) - mine + x
    z = jnp.where(z > 0, z, jnp.zeros_like(z))
    z = z if p == 1 else z * z
    z = z if weight is None else z * weight[t][:, None]
    others = jnp.arange(x.shape[1]) != t[:, None]
    loss = jnp.sum(jnp.where(others, z, jnp.zeros_like(z)), 1) / x.shape[1]
    return reduced(loss.reshape(target.shape), reduction)


@composite(module="nn.functional")
def multi_margin_loss(
    input: Tensor, target: Tensor, p: int = 1, margin: float = 1.0, weight: Tensor | None = None,
    size_average: Any = None, reduce: Any = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Σ max(0, margin - x[y] + x[i])ᵖ over the other classes, divided by their number."""
    reduction = named_reduction(size_average, reduce, reduction)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight.ndim != 1:
        raise ValueError("weight must be one-dimensional")
    refuse_gradient("multi_margin_loss", weight=weight)
    _check_multi_margin(input, target, weight)
    classes = input.shape[-1] if input.ndim else 1
    check_range(target, 0, classes, lambda _: RuntimeError("target out of range"))
    return call(_multi_margin, (input, target, weight, margin), (p, reduction))


def _check_rows(input: Tensor) -> None:
    if input.ndim > 2 or 0 in (input.shape[-1:]):
        raise RuntimeError(
            "Expected non-empty vector or matrix with optional 0-dim batch size, but got: "
            f"{list(input.shape)}"
        )


def _check_multi_margin(input: Tensor, target: Tensor, weight: Tensor | None) -> None:
    rows = input.shape[0] if input.ndim == 2 else 1
    _check_rows(input)
    if target.ndim > 1 or target.numel() != rows:
        raise RuntimeError(
            "multi_margin_loss: target tensor should be 1-D with size equal to the number of input "
            f"samples (batch size). Expected target size [{rows}], but got {list(target.shape)}. "
            f"Input has shape {list(input.shape)}."
        )
    classes = input.shape[-1] if input.ndim else 1
    if weight is not None and weight.numel() != classes:
        raise RuntimeError(
            f"inconsistent weight size, expected {classes} but got {list(weight.shape)}"
        )
    _check_long(target)


def _check_long(target: Tensor) -> None:
    if target.dtype is not int64:
        raise RuntimeError(
            f"expected scalar type Long but found {SCALAR_NAMES[target.dtype]}"
        )


@op(module=None, promote="none", name="multilabel_margin_loss")
def _multilabel_margin(input: Array, target: Array, reduction: str):
    refuse("multilabel_margin_loss_forward_out_frame", input, FLOATING)
    x, t = _as_rows(input), _as_rows(target)
    named = jnp.cumprod((t >= 0).astype(jnp.int64), 1) > 0  # up to the first -1
    at = jnp.where(named, t, 0)
    classes = jnp.arange(x.shape[1])
    chosen = jnp.any((at[:, :, None] == classes) & named[:, :, None], 1)
    z = 1 - jnp.take_along_axis(x, at, 1)[:, :, None] + x[:, None, :]
    counts = named[:, :, None] & ~chosen[:, None, :] & (z > 0)
    loss = jnp.sum(jnp.where(counts, z, jnp.zeros_like(z)), (1, 2)) / x.shape[1]
    return reduced(loss.reshape(input.shape[:-1]), reduction)


@composite(module="nn.functional")
def multilabel_margin_loss(
    input: Tensor, target: Tensor, size_average: Any = None, reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Margins between the classes in a row of `target`, up to its first -1, and the others."""
    reduction = named_reduction(size_average, reduce, reduction)
    _check_rows(input)
    if target.shape != input.shape and (input.ndim or target.ndim > 1):
        raise RuntimeError(
            f"inconsistent target size: {list(target.shape)} for input of size: "
            f"{list(input.shape)}"
        )
    _check_long(target)
    n = input.shape[-1] if input.ndim else 1
    check_range(
        target, -1, n, lambda _: RuntimeError("argument #2 'target' is out of range")
    )
    return call(_multilabel_margin, (input, target), (reduction,))


@composite(module="nn.functional")
def multilabel_soft_margin_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: Any = None,
    reduce: Any = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """The mean binary cross entropy of a row of logits."""
    if size_average is reduce is None and reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not valid")  # PyTorch's text here, and here only
    reduction = named_reduction(size_average, reduce, reduction)
    loss = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    if weight is not None:
        loss = loss * weight
    last = input.ndim - 1
    return apply_reduction(loss.sum(last) / input.shape[last], reduction)
