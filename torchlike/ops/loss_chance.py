"""Losses of chances: binary cross entropy, divergences, likelihoods, CTC."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ..core.check import broadcast_shapes, warn
from ..core.dispatch import call
from ..core.dtypes import FLOAT, INTEGER, SCALAR_NAMES, int64
from ..core.op import TABLE, Array, Optional, composite, op
from ..core.tensor import Tensor, from_host, to_host
from .demands import check_chances, refuse_gradient
from .kinds import FLOATING, refuse, scalar_name
from .loss import (
    apply_reduction,
    cross_entropy,
    kernel_reduction,
    named_reduction,
    reduced,
    spread,
)
from .neural import linear


# ----- binary cross entropy -----
@op(module=None, promote="none", name="binary_cross_entropy")
def _bce(input: Array, target: Array, weight: Optional[Array], reduction: str):
    refuse("binary_cross_entropy", input, FLOATING)
    if target.dtype != input.dtype:
        raise RuntimeError(f"Found dtype {scalar_name(target)} but expected {scalar_name(input)}")
    yes, no = (jnp.maximum(x, -100) for x in (jnp.log(input), jnp.log1p(-input)))
    loss = (target - 1) * no - target * yes
    return reduced(loss if weight is None else loss * weight, reduction)


_LEAST = float(np.float32(1e-12))  # PyTorch's bound is a float32, for float64 too


@_bce.kernel_gradient
def _(grad, input, target, weight, reduction):
    g = spread(grad, reduction, input)
    g = g if weight is None else g * weight
    odds = (1 - input).log() - input.log()
    return g * (input - target) / ((1 - input) * input).clamp_min(_LEAST), g * odds, None


@composite(module="nn.functional")
def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: Any = None,
    reduce: Any = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Of chances; their logarithms are kept above -100."""
    reduction = named_reduction(size_average, reduce, reduction)
    if target.shape != input.shape:
        raise ValueError(
            f"Using a target size ({target.shape}) that is different to the input size "
            f"({input.shape}) is deprecated. Please ensure they have the same size."
        )
    if weight is not None:
        size = TABLE["torch", "broadcast_shapes"](target.shape, weight.shape)
        if size != input.shape:
            raise RuntimeError(
                f"output with shape {list(input.shape)} doesn't match the broadcast shape "
                f"{list(size)}"
            )
        weight = weight.expand(size)
    refuse_gradient("binary_cross_entropy", weight=weight)
    check_chances(input, target)
    return call(_bce, (input, target, weight), (reduction,))


@op(module=None, name="binary_cross_entropy_with_logits")
def _bce_logits(
    input: Array, target: Array, weight: Optional[Array], pos_weight: Optional[Array],
    reduction: str,
):  # fmt: skip
    broadcast_shapes(*(x.shape for x in (pos_weight, input, target, weight) if x is not None))
    low = jnp.log1p(jnp.exp(-jnp.abs(input))) + jnp.maximum(-input, 0)  # -log sigmoid
    low = low if pos_weight is None else low * (1 + (pos_weight - 1) * target)
    loss = (1 - target) * input + low
    return reduced(loss if weight is None else loss * weight, reduction)


@_bce_logits.gradient
def _(grad, input, target, weight, pos_weight, reduction):
    g = spread(grad, reduction, input, target)
    g = g if weight is None else g * weight
    if pos_weight is None:
        return g * (input.sigmoid() - target), g * -input, None, None
    positive = pos_weight * target
    slope = (positive + 1 - target) * input.sigmoid() - positive
    of_target = -input - (pos_weight - 1) * TABLE["nn.functional", "logsigmoid"](input)
    return g * slope, g * of_target, None, None


def _with_logits(
    input: Tensor, target: Tensor, weight: Any, pos_weight: Any, reduction: str
) -> Tensor:
    if input.dtype.category != FLOAT:
        raise NotImplementedError(
            f"\"log_sigmoid_cpu\" not implemented for '{SCALAR_NAMES[input.dtype]}'"
        )
    if target.dtype.category <= INTEGER:
        raise RuntimeError(
            f"result type {SCALAR_NAMES[input.dtype]} can't be cast to the desired output type "
            f"{SCALAR_NAMES[target.dtype]}"
        )
    refuse_gradient("binary_cross_entropy_with_logits", weight=weight, pos_weight=pos_weight)
    return call(_bce_logits, (input, target, weight, pos_weight), (reduction,))


@composite(module="nn.functional")
def binary_cross_entropy_with_logits(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: Any = None,
    reduce: Any = None, reduction: str = "mean", pos_weight: Tensor | None = None,
) -> Tensor:  # fmt: skip
    reduction = named_reduction(size_average, reduce, reduction)
    if target.shape != input.shape:
        raise ValueError(
            f"Target size ({target.shape}) must be the same as input size ({input.shape})"
        )
    return _with_logits(input, target, weight, pos_weight, reduction)


@composite(name="binary_cross_entropy_with_logits", method=False)
def torch_bce_with_logits(input, target, weight=None, pos_weight=None, reduction=0):
    if broadcast_shapes(input.shape, target.shape) != target.shape:
        raise RuntimeError(
            f"output with shape {list(target.shape)} doesn't match the broadcast shape "
            f"{list(broadcast_shapes(input.shape, target.shape))}"
        )
    return _with_logits(input, target, weight, pos_weight, kernel_reduction(reduction))


# ----- divergences and likelihoods -----
def _kl(input: Tensor, target: Tensor, log_target: bool) -> Tensor:
    if input.dtype.category < FLOAT or target.dtype.category < FLOAT:
        raise RuntimeError("kl_div: Integral inputs not supported.")
    if log_target:
        return target.exp() * (target - input)
    return target.xlogy(target) - target * input


@composite(module="nn.functional")
def kl_div(
    input: Tensor, target: Tensor, size_average: Any = None, reduce: Any = None,
    reduction: str = "mean", log_target: bool = False,
) -> Tensor:  # fmt: skip
    """The Kullback-Leibler divergence; `input` holds log-chances."""
    if size_average is None and reduce is None and reduction == "batchmean":
        loss = _kl(input, target, log_target).sum()
        return loss / input.shape[0] if input.ndim else loss
    if reduction == "mean" and size_average is None and reduce is None:
        warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size."
            "'batchmean' divides only by the batch size, and aligns with the KL div math "
            "definition.'mean' will be changed to behave the same as 'batchmean' in the next major "
            "release."
        )
    reduction = named_reduction(size_average, reduce, reduction)
    return apply_reduction(_kl(input, target, log_target), reduction)


@composite(name="kl_div", method=False)
def torch_kl_div(input, target, reduction=0, *, log_target=False):
    return apply_reduction(_kl(input, target, log_target), kernel_reduction(reduction))


def _poisson(
    input: Tensor, target: Tensor, log_input: bool, full: bool, eps: float, reduction: str
) -> Tensor:
    if log_input:
        loss = input.exp() - target * input
    else:
        loss = input - target * (input + eps).log()
    if full:
        stirling = target * target.log() - target + 0.5 * (2 * math.pi * target).log()
        loss = loss + stirling.masked_fill(target <= 1, 0)
    return apply_reduction(loss, reduction)


@composite(module="nn.functional")
def poisson_nll_loss(
    input: Tensor, target: Tensor, log_input: bool = True, full: bool = False,
    size_average: Any = None, eps: float = 1e-8, reduce: Any = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    reduction = named_reduction(size_average, reduce, reduction)
    return _poisson(input, target, log_input, full, eps, reduction)


@composite(name="poisson_nll_loss", method=False)
def torch_poisson_nll_loss(input, target, log_input, full, eps, reduction):
    return _poisson(input, target, log_input, full, eps, kernel_reduction(reduction))


@composite(module="nn.functional")
def gaussian_nll_loss(
    input: Tensor, target: Tensor, var: Any, full: bool = False, eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Of a normal distribution with the given variance, kept above `eps`."""
    if not isinstance(var, Tensor):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        var = input.new_full(input.shape, var)
    elif bool((var < 0).any()):
        raise ValueError("var has negative entry/entries")
    var = _matching_variance(input, var)
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not valid")
    kept = var.clone()
    kept.detach().clamp_(min=eps)  # the gradient does not know of the clamp, as in PyTorch
    loss = 0.5 * (kept.log() + (input - target).pow(2) / kept)
    if full:
        loss = loss + 0.5 * math.log(2 * math.pi)
    return apply_reduction(loss, reduction)


def _matching_variance(input: Tensor, var: Tensor) -> Tensor:
    """One variance for each number, each row, or broadcastable in the last dim."""
    if var.shape == input.shape:
        return var
    if tuple(input.shape[:-1]) == tuple(var.shape):
        return var.unsqueeze(-1)
    pairs = zip(input.shape, var.shape)
    if var.ndim == input.ndim and sum(m for n, m in pairs if m != n) == 1:
        return var
    raise ValueError("var is of incorrect size")


# ----- CTC -----
def _ctc_body(logs: Any, targets: Any, times: Any, lengths: Any, blank: int) -> Any:
    """The negative log-likelihood of each sample: PyTorch's alpha recursion, as one scan."""
    steps, n = logs.shape[:2]
    s = targets.shape[1]
    low = jnp.asarray(-jnp.inf, logs.dtype)
    labels = jnp.full((n, 2 * s + 1), blank, jnp.int64).at[:, 1::2].set(targets)
    wide = jnp.pad(labels, ((0, 0), (2, 0)), constant_values=-1)
    skips = (labels != blank) & (labels != wide[:, :-2])
    heard = jnp.take_along_axis(logs, jnp.broadcast_to(labels, (steps, n, 2 * s + 1)), 2)
    start = jnp.where(jnp.arange(2 * s + 1) < 2, heard[0], low)
    start = jnp.where((jnp.arange(2 * s + 1) == 1) & (lengths == 0)[:, None], low, start)

    def step(alpha: Any, now: Any) -> tuple[Any, None]:
        t, at = now
        before = jnp.pad(alpha, ((0, 0), (2, 0)), constant_values=-jnp.inf)
        ways = (alpha, before[:, 1:-1], jnp.where(skips, before[:, :-2], low))
        grown = _log_sum(ways) + at
        return jnp.where((t < times)[:, None], grown, alpha), None

    alpha, _ = lax.scan(step, start, (jnp.arange(1, steps), heard[1:]))
    ends = [2 * lengths, jnp.maximum(2 * lengths - 1, 0)]
    last, before = (jnp.take_along_axis(alpha, e[:, None], 1)[:, 0] for e in ends)
    found = -_log_sum((last, jnp.where(lengths > 0, before, low)))
    return jnp.where(times > 0, found, jnp.where(lengths == 0, jnp.zeros_like(found), -low))


def _log_sum(parts: tuple[Any, ...]) -> Any:
    """log Σ exp, with gradients of zero where everything is minus infinity."""
    top = lax.stop_gradient(jnp.max(jnp.stack(parts), 0))
    none = top == -jnp.inf
    shift = jnp.where(none, jnp.zeros_like(top), top)
    total = sum(jnp.exp(p - shift) for p in parts)
    found = jnp.log(jnp.where(none, jnp.ones_like(total), total)) + shift
    return jnp.where(none, top, found)


@op(module=None, promote="none", name="ctc_loss")
def _ctc(
    logs: Array, targets: Array, times: Array, lengths: Array, blank: int, zero_infinity: bool
):
    return _ctc_body(logs, targets, times, lengths, blank)


@_ctc.gradient
def _(grad, logs, targets, times, lengths, blank, zero_infinity):
    inputs = (grad, logs, targets, times, lengths)
    return call(_ctc_slope, inputs, (blank, zero_infinity)), None, None, None


@op(module=None, promote="none", name="ctc_loss_backward", node="CtcLossBackwardBackward0")
def _ctc_slope(
    grad: Array, logs: Array, targets: Array, times: Array, lengths: Array, blank: int,
    zero_infinity: bool,
):  # fmt: skip
    # PyTorch's slope is of the logits: the softmax less the posterior
    found, pull = jax.vjp(lambda x: _ctc_body(x, targets, times, lengths, blank), logs)
    slope = jnp.exp(logs) + pull(jnp.ones_like(found))[0]
    heard = (jnp.arange(logs.shape[0])[:, None] < times)[:, :, None]
    if zero_infinity:
        heard = heard & (found != jnp.inf)[None, :, None]
    return jnp.where(heard, slope * grad[None, :, None], jnp.zeros_like(logs))


def _ctc_loss(
    log_probs: Tensor, targets: Tensor, input_lengths: Any, target_lengths: Any, blank: int,
    reduction: str, zero_infinity: bool,
) -> Tensor:  # fmt: skip
    if not log_probs.numel():
        raise RuntimeError("log_probs tensor must not be empty")
    if log_probs.dtype.category != FLOAT or log_probs.dtype.itemsize < 4:
        raise NotImplementedError(
            f"\"ctc_loss_cpu\" not implemented for '{SCALAR_NAMES[log_probs.dtype]}'"
        )
    if log_probs.ndim not in (2, 3):
        raise RuntimeError(
            f"Expected 3-dimensional tensor, but got {log_probs.ndim}-dimensional tensor for "
            "argument #1 'log_probs' (while checking arguments for ctc_loss_allocate_outputs)"
        )
    batched = log_probs.ndim == 3
    logs = log_probs if batched else log_probs.unsqueeze(1)
    times, lengths = _counts(input_lengths), _counts(target_lengths)
    padded = _padded_targets(logs, targets, times, lengths, blank)
    inputs = (logs, padded, from_host(times, logs.device), from_host(lengths, logs.device))
    found = call(_ctc, inputs, (blank, bool(zero_infinity)))
    if zero_infinity:
        found = TABLE["torch", "where"](found == math.inf, found.new_zeros(()), found)
    if reduction == "mean":
        sizes = np.maximum(lengths, 1).astype(found._aval.np)
        return (found / from_host(sizes, found.device)).mean()
    if reduction == "sum":
        return found.sum()
    return found if batched else found.squeeze(0)


def _counts(lengths: Any) -> np.ndarray:
    array = to_host(lengths) if isinstance(lengths, Tensor) else np.asarray(lengths)
    if isinstance(lengths, Tensor) and array.dtype.kind not in "iu":
        raise RuntimeError("input_lengths must be integral")
    return np.array(array, np.int64).reshape(-1)


def _padded_targets(logs: Tensor, targets: Tensor, times: Any, lengths: Any, blank: int) -> Tensor:
    """(n, longest) labels, whichever of PyTorch's two forms they came in."""
    steps, n, classes = logs.shape
    where = "(while checking arguments for ctc_loss_allocate_outputs)"
    if not 0 <= blank < classes:
        raise RuntimeError("blank must be in label range")
    if times.size != n:
        raise RuntimeError("input_lengths must be of size batch_size")
    if lengths.size != n:
        raise RuntimeError("target_lengths must be of size batch_size")
    if times.max(initial=0) > steps:
        raise RuntimeError(
            f"Expected input_lengths to have value at most {steps}, but got value {times.max()} "
            f"{where}"
        )
    if targets.device.type == "meta":
        return logs.new_zeros((n, max(int(lengths.max(initial=0)), 1)), dtype=int64)
    rows = to_host(targets).astype(np.int64)
    longest = int(lengths.max(initial=0))
    if rows.ndim == 1:
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        at = np.minimum(starts[:, None] + np.arange(max(longest, 1)), max(rows.size - 1, 0))
        rows = rows[at] if rows.size else np.zeros((n, 1), np.int64)
    elif rows.shape[1] < longest:
        raise RuntimeError(
            f"Expected tensor to have size at least {longest} at dimension 1, but got size "
            f"{rows.shape[1]} for argument #2 'targets' {where}"
        )
    inside = np.arange(rows.shape[1]) < lengths[:, None]
    return from_host(np.where(inside, rows, (blank + 1) % max(classes, 1)), logs.device)


@composite(module="nn.functional")
def ctc_loss(
    log_probs: Tensor, targets: Tensor, input_lengths: Any, target_lengths: Any, blank: int = 0,
    reduction: str = "mean", zero_infinity: bool = False,
) -> Tensor:  # fmt: skip
    """Connectionist temporal classification."""
    reduction = named_reduction(None, None, reduction)
    return _ctc_loss(
        log_probs, targets, input_lengths, target_lengths, blank, reduction, zero_infinity
    )


@composite(name="ctc_loss", method=False)
def torch_ctc_loss(
    log_probs, targets, input_lengths, target_lengths, blank=0, reduction=0, zero_infinity=False
):
    reduction = kernel_reduction(reduction)
    return _ctc_loss(
        log_probs, targets, input_lengths, target_lengths, blank, reduction, zero_infinity
    )


# ----- a linear map and its cross entropy -----
@composite(module="nn.functional")
def linear_cross_entropy(
    input: Tensor, linear_weight: Tensor, target: Tensor, *, linear_bias: Tensor | None = None,
    weight: Tensor | None = None, reduction: str = "mean", ignore_index: int | None = None,
    label_smoothing: float = 0.0, options: Any = None,
) -> Tensor:  # fmt: skip
    """cross_entropy(linear(…)); `options` choose PyTorch's chunks, which don't change the value."""
    classes, out = linear_weight.shape[0], tuple(linear_weight.shape[1:-1])
    _check_linear_ce(input, linear_weight, linear_bias)
    shape = (*input.shape[:-1], classes, *out)
    if tuple(target.shape) == shape and ignore_index is not None:
        raise RuntimeError("ignore_index cannot be specified when target contains probabilities")
    rows = linear_weight.reshape(-1, linear_weight.shape[-1]) if out else linear_weight
    bias = linear_bias.reshape(-1) if out and linear_bias is not None else linear_bias
    logits = linear(input, rows, bias)
    return cross_entropy(
        logits.reshape(shape) if out else logits, target, weight, reduction=reduction,
        ignore_index=-100 if ignore_index is None else ignore_index,
        label_smoothing=label_smoothing,
    )  # fmt: skip


def _check_linear_ce(input: Tensor, weight: Tensor, bias: Tensor | None) -> None:
    if input.ndim not in (1, 2):
        raise RuntimeError(f"expected input with dimensionality 1 or 2, got {input.ndim}")
    if weight.ndim < 2:
        raise RuntimeError(
            f"expected linear_weight with dimensionality at least 2, got {weight.ndim}"
        )
    if input.shape[-1] != weight.shape[-1]:
        raise RuntimeError(
            "expected equal input and linear_weight last dimensions (in_features), got "
            f"{input.shape[-1]} and {weight.shape[-1]}, respectively"
        )
    if bias is not None and tuple(bias.shape) != tuple(weight.shape[:-1]):
        raise RuntimeError(
            f"expected linear_bias shape {tuple(weight.shape[:-1])}, got {tuple(bias.shape)}"
        )
    if weight.ndim > 2 and input.ndim == 1:
        raise RuntimeError(
            f"K-dimensional loss defined by linear_weight shape {tuple(weight.shape)} requires "
            f"batched input, (N, {weight.shape[-1]}), got unbatched input with shape "
            f"{tuple(input.shape)}"
        )
