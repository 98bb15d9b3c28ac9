"""Losses that are ops of their own in PyTorch, and cross entropy."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
from jax import lax

from ..core import dtypes
from ..core.check import broadcast_shapes, warn
from ..core.dispatch import call
from ..core.dtypes import SCALAR_NAMES
from ..core.op import Array, Number, Optional, composite, op
from ..core.plan import ArgumentTypeError
from ..core.tensor import Tensor
from .demands import check_range, refuse_gradient
from .kinds import FLOATING, refuse
from .softmax import log_softmax_of

REDUCTIONS = ("none", "mean", "sum")
SIZES_DIFFER = (
    "Using a target size ({}) that is different to the input size ({}). This will likely lead to "
    "incorrect results due to broadcasting. Please ensure they have the same size."
)


# ----- reductions -----
def named_reduction(size_average: Any, reduce: Any, reduction: Any) -> str:
    """The reduction's name, from the old flags (with PyTorch's warning), a name or a number."""
    if size_average is not None or reduce is not None:
        average = True if size_average is None else size_average
        wanted = True if reduce is None else reduce
        reduction = "none" if not wanted else "mean" if average else "sum"
        warn(
            f"size_average and reduce args will be deprecated, please use reduction='{reduction}' "
            "instead."
        )
    elif isinstance(reduction, int):
        return REDUCTIONS[reduction]
    if reduction not in REDUCTIONS:
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return reduction


def kernel_reduction(reduction: Any) -> str:
    """The reduction's name from the number that `torch.kl_div` and its like take.

    They reduce nothing unless told to: PyTorch's parser does not know its own default.
    """
    if not hasattr(reduction, "__index__"):
        raise ArgumentTypeError("argument 'reduction' must be int")
    number = reduction.__index__()
    return REDUCTIONS[number] if number in (1, 2) else "none"


def difference(input: Any, target: Any) -> Any:
    broadcast_shapes(input.shape, target.shape)
    return input - target


def reduced(loss: Any, reduction: str) -> Any:
    """The loss of a body, reduced."""
    if reduction == "mean":
        return jnp.mean(loss)
    return jnp.sum(loss) if reduction == "sum" else loss


def apply_reduction(loss: Tensor, reduction: str) -> Tensor:
    """The loss of a composite, reduced."""
    if reduction == "mean":
        return loss.mean()
    return loss.sum() if reduction == "sum" else loss


def spread(grad: Tensor, reduction: str, input: Tensor, *others: Tensor) -> Tensor:
    """The gradient that reaches each element of an elementwise loss."""
    if reduction != "mean":
        return grad
    return grad / math.prod(broadcast_shapes(*(tuple(t.shape) for t in (input, *others))))


def warn_sizes(input: Tensor, target: Tensor) -> None:
    if target.size() != input.size():  # so that a list has no `size`, as in PyTorch
        warn(SIZES_DIFFER.format(target.shape, input.shape))


def _weighted(loss: Tensor, input: Tensor, weight: Tensor, reduction: str) -> Tensor:
    if weight.shape != input.shape:
        raise ValueError("Weights and input must have the same size.")
    loss = loss * weight
    if reduction == "mean":
        return loss.sum() / weight.sum()
    return loss.sum() if reduction == "sum" else loss


# ----- differences -----
@op(module=None, name="mse_loss")
def _mse(input: Array, target: Array, reduction: str):
    refuse("mse_cpu", input, FLOATING)
    return reduced(jnp.square(difference(input, target)), reduction)


@_mse.kernel_gradient
def _(grad, input, target, reduction):
    slope = spread(grad, reduction, input, target) * (input - target) * 2
    return slope, -slope


@composite(module="nn.functional")
def mse_loss(
    input: Tensor, target: Tensor, size_average: Any = None, reduce: Any = None,
    reduction: str = "mean", weight: Tensor | None = None,
) -> Tensor:  # fmt: skip
    warn_sizes(input, target)
    reduction = named_reduction(size_average, reduce, reduction)
    if weight is not None:
        return _weighted((input - target).pow(2), input, weight, reduction)
    return call(_mse, (input, target), (reduction,))


@composite(module="nn.functional")
def l1_loss(
    input: Tensor, target: Tensor, size_average: Any = None, reduce: Any = None,
    reduction: str = "mean", weight: Tensor | None = None,
) -> Tensor:  # fmt: skip
    warn_sizes(input, target)
    reduction = named_reduction(size_average, reduce, reduction)
    loss = (input - target).abs()
    if weight is not None:
        return _weighted(loss, input, weight, reduction)
    return apply_reduction(loss, reduction)


@op(module=None, name="smooth_l1_loss")
def _smooth_l1(input: Array, target: Array, beta: Number, reduction: str):
    refuse("smooth_l1_cpu", input, FLOATING)
    z = jnp.abs(difference(input, target))
    return reduced(jnp.where(z < beta, 0.5 * z * z / beta, z - 0.5 * beta), reduction)


@_smooth_l1.kernel_gradient
def _(grad, input, target, beta, reduction):
    x = input - target
    slope = spread(grad, reduction, input, target) * (x / beta).clamp(-1, 1)
    return slope, -slope


@composite(module="nn.functional")
def smooth_l1_loss(
    input: Tensor, target: Tensor, size_average: Any = None, reduce: Any = None,
    reduction: str = "mean", beta: float = 1.0,
) -> Tensor:  # fmt: skip
    warn_sizes(input, target)
    reduction = named_reduction(size_average, reduce, reduction)
    if beta == 0.0:
        return apply_reduction((input - target).abs(), reduction)
    if beta < 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    return call(_smooth_l1, (input, target, beta), (reduction,))


@op(module=None, name="huber_loss")
def _huber(input: Array, target: Array, delta: Number, reduction: str):
    refuse("huber_cpu", input, FLOATING)
    z = jnp.abs(difference(input, target))
    loss = jnp.where(z < delta, 0.5 * z * z, delta * (z - 0.5 * delta))
    return reduced(loss, reduction)


@_huber.kernel_gradient
def _(grad, input, target, delta, reduction):
    x = input - target
    slope = spread(grad, reduction, input, target) * x.clamp(-delta, delta)
    return slope, -slope


@composite(module="nn.functional")
def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0,
    weight: Tensor | None = None,
) -> Tensor:  # fmt: skip
    warn_sizes(input, target)
    reduction = named_reduction(None, None, reduction)
    if not delta > 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    if weight is None:
        return call(_huber, (input, target, delta), (reduction,))
    if weight.shape != input.shape:
        raise ValueError("Weights and input must have the same size.")
    loss = call(_huber, (input, target, delta), ("none",)) * weight
    return apply_reduction(loss, reduction)


# ----- negative log likelihood: (n, c, positions) and (n, positions) -----
def _nll_body(input, target, weight, ignore_index, reduction):
    refuse("nll_loss_out_frame" if input.ndim < 3 else "nll_loss2d_forward_out_frame", input,
           FLOATING)  # fmt: skip
    x, t, keep = _classes(input, target, ignore_index)
    picked = _pick(x, t)
    scale = keep.astype(x.dtype) if weight is None else jnp.where(keep, weight[t], 0)
    loss = -picked * scale
    loss = jnp.where(keep, loss, jnp.zeros_like(loss))
    if reduction == "none":
        return loss.reshape(target.shape)
    total = jnp.sum(loss)
    return total / jnp.sum(scale) if reduction == "mean" else total


def _classes(input: Any, target: Any, ignore_index: Any) -> tuple[Any, Any, Any]:
    """The input as (n, c, p), the target as (n, p) with ignored ones at 0, and which count."""
    c = input.shape[1] if input.ndim > 1 else input.shape[0]
    n = input.shape[0] if input.ndim > 1 else 1
    size = math.prod(target.shape) // n if n else math.prod(input.shape[2:])
    t = target.astype(jnp.int64).reshape(n, size)
    keep = t != ignore_index
    return input.reshape(n, c, size), jnp.where(keep, t, 0), keep


def _pick(x: Any, t: Any) -> Any:
    """x[i, t[i, j], j], as one flat gather: NumPy interprets it too."""
    n, c, p = x.shape
    at = (jnp.arange(n)[:, None] * c + t) * p + jnp.arange(p)
    if not x.size:
        return jnp.zeros((n, p), x.dtype)
    return x.reshape(-1).at[at].get(mode="promise_in_bounds")


def _nll_slope_body(grad, input, target, weight, ignore_index, reduction):
    """-w/Σw at the target's class, zero elsewhere: compared with an iota, so it fuses."""
    x, t, keep = _classes(input, target, ignore_index)
    scale = keep.astype(x.dtype) if weight is None else jnp.where(keep, weight[t], 0)
    if reduction == "mean":
        scale = scale / jnp.sum(scale)
    g = -(grad.reshape(scale.shape) if reduction == "none" else grad) * scale
    g = jnp.where(keep, g, jnp.zeros_like(g))
    hit = lax.broadcasted_iota(jnp.int64, x.shape, 1) == t[:, None]
    return jnp.where(hit, g[:, None], jnp.zeros((), x.dtype)).reshape(input.shape)


@op(module=None, promote="none")
def nll_slope(
    grad: Array, input: Array, target: Array, weight: Optional[Array], ignore_index: Number,
    reduction: str,
):  # fmt: skip
    return _nll_slope_body(grad, input, target, weight, ignore_index, reduction)


@nll_slope.gradient
def _(grad, input, target, weight, ignore_index, reduction):
    # linear in the incoming gradient, and constant in the input
    back = call(_nll, (grad, target, weight, ignore_index), (reduction,))
    return back, None, None, None


def _total_weight(call: Any) -> Any:
    """The weights of the targets that count, added up."""
    counts = call.target != call.ignore_index
    if call.weight is None:
        return counts.sum().to(call.input.dtype)
    return (call.weight[call.target * counts] * counts).sum()


_SHOWS = {"total_weight": _total_weight}


@op(module=None, promote="none", name="nll_loss", shows=_SHOWS)
def _nll(
    input: Array, target: Array, weight: Optional[Array], ignore_index: Number, reduction: str
):
    return _nll_body(input, target, weight, ignore_index, reduction)


@op(module=None, promote="none", name="nll_loss2d", node="NllLoss2DBackward0", shows=_SHOWS)
def _nll2d(
    input: Array, target: Array, weight: Optional[Array], ignore_index: Number, reduction: str
):
    return _nll_body(input, target, weight, ignore_index, reduction)


def _nll_gradient(grad, input, target, weight, ignore_index, reduction):
    slope = call(nll_slope, (grad, input, target, weight, ignore_index), (reduction,))
    return slope, None, None


_nll.gradient(_nll_gradient)
_nll2d.gradient(_nll_gradient)


@composite(module="nn.functional")
def nll_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: Any = None,
    ignore_index: int = -100, reduce: Any = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Minus the log-probability of each target class."""
    reduction = named_reduction(size_average, reduce, reduction)
    if input.ndim == 0:
        raise ValueError("Expected 1 or more dimensions (got 0)")
    if input.ndim == 1 and target.ndim == 1 and target.shape[0] != 1:
        _check_target_type(target)
        raise ValueError(
            f"For 1D input, 1D target must have size 1, but got target size: {target.shape[0]}"
        )
    if input.ndim != 1 and input.shape[0] != (target.shape[0] if target.ndim else 0):
        raise ValueError(
            f"Expected input batch_size ({input.shape[0]}) to match target batch_size "
            f"({target.shape[0] if target.ndim else 0})."
        )
    return _nll_of(input, target, weight, ignore_index, reduction)


def _nll_of(
    input: Tensor, target: Tensor, weight: Any, ignore_index: int, reduction: str
) -> Tensor:
    c = input.shape[1] if input.ndim > 1 else input.shape[0]
    refuse_gradient("nll_loss_forward" if input.ndim < 3 else "nll_loss2d_forward", weight=weight)
    _check_nll_shapes(input, target, weight, c)
    _check_target_type(target)
    check_range(
        target, 0, c, lambda bad: IndexError(f"Target {bad} is out of bounds."), ignore_index
    )
    if input.ndim <= 2:
        return call(_nll, (input, target, weight, ignore_index), (reduction,))
    if input.ndim == 4:
        return call(_nll2d, (input, target, weight, ignore_index), (reduction,))
    n, size = input.shape[0], math.prod(input.shape[2:])
    flat, rows = input.reshape(n, c, 1, size), target.reshape(n, 1, size)
    found = call(_nll2d, (flat, rows, weight, ignore_index), (reduction,))
    return found.view(target.shape) if reduction == "none" else found


def _check_target_type(target: Tensor) -> None:
    if target.dtype not in (dtypes.int64, dtypes.uint8):
        raise RuntimeError(
            f"expected target dtype to be Long or Byte, but got {SCALAR_NAMES[target.dtype]}"
        )


def _check_nll_shapes(input: Tensor, target: Tensor, weight: Any, c: int) -> None:
    if input.ndim > 2:
        _check_spatial(input, target)
    elif target.ndim > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if weight is not None:
        if weight.ndim != 1 or weight.shape[0] != c:
            raise RuntimeError(
                f"weight tensor should be defined either for all {c} classes or no classes but "
                f"got weight tensor of shape: {list(weight.shape)}"
            )
        if weight.dtype is not input.dtype:
            names = SCALAR_NAMES[input.dtype], SCALAR_NAMES[weight.dtype]
            raise RuntimeError("expected scalar type {} but found {}".format(*names))


def _check_spatial(input: Tensor, target: Tensor) -> None:
    want = [input.shape[0], *input.shape[2:]]
    if list(target.shape) == want:
        return
    if input.ndim != 4:
        raise RuntimeError(f"Expected target size {want}, got {list(target.shape)}")
    if target.ndim != 3:
        raise RuntimeError(
            "only batches of spatial targets supported (3D tensors) but got targets of dimension: "
            f"{target.ndim}"
        )
    raise RuntimeError(
        f"size mismatch (got input: {list(input.shape)} , target: {list(target.shape)}"
    )


# ----- cross entropy -----
@composite(module="nn.functional")
def cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: Any = None,
    ignore_index: int = -100, reduce: Any = None, reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:  # fmt: skip
    """log_softmax and nll_loss; a floating target holds class probabilities."""
    reduction = named_reduction(size_average, reduce, reduction)
    if not isinstance(target, Tensor):
        raise TypeError(
            "cross_entropy_loss(): argument 'target' (position 2) must be Tensor, not "
            f"{type(target).__name__}"
        )
    dim = 0 if input.ndim == 1 else 1
    if input.shape == target.shape:
        return _of_chances(input, target, weight, dim, reduction, label_smoothing, ignore_index)
    if label_smoothing == 0.0:
        logs = call(log_softmax_of, (input,), (dim,))
        return nll_loss(logs, target, weight, None, ignore_index, None, reduction)
    _check_smoothing(label_smoothing)
    return _smoothed(input, target, weight, dim, reduction, label_smoothing, ignore_index)


def _check_smoothing(label_smoothing: float) -> None:
    if not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError(
            f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing:g}"
        )


def _of_chances(
    input: Tensor, target: Tensor, weight: Any, dim: int, reduction: str, smoothing: float,
    ignore_index: int,
) -> Tensor:  # fmt: skip
    c = input.shape[dim] if input.ndim else 1
    if not target.is_floating_point():
        raise RuntimeError(
            "Expected floating point type for target with class probabilities, got "
            f"{SCALAR_NAMES[target.dtype]}"
        )
    if ignore_index >= 0:
        raise RuntimeError("ignore_index is not supported for floating point target")
    if weight is not None and (weight.ndim != 1 or weight.shape[0] != c):
        raise RuntimeError(
            f"cross_entropy: weight tensor should be defined either for all {c} classes or no "
            f"classes but got weight tensor of shape: {list(weight.shape)}"
        )
    _check_smoothing(smoothing)
    if smoothing > 0:
        target = target * (1 - smoothing) + smoothing / max(c, 1)
    loss = call(log_softmax_of, (input,), (dim,)) * target
    if weight is not None:
        loss = loss * _along(weight, input.ndim, dim)
    if reduction == "none":
        return -loss.sum(dim)
    total = -loss.sum()
    if reduction == "sum":
        return total
    return call(_over_count, (total, input.numel() // c if c else 0))


@op(module=None, name="over_count", node="DivBackward1")
def _over_count(input: Array, count: Number):
    return input / count


def _along(weight: Tensor, ndim: int, dim: int) -> Tensor:
    return weight.view([-1 if i == dim else 1 for i in range(ndim)])


def _smoothed(
    input: Tensor, target: Tensor, weight: Any, dim: int, reduction: str, smoothing: float,
    ignore_index: int,
) -> Tensor:  # fmt: skip
    """A share of the loss from all classes alike."""
    logs = call(log_softmax_of, (input,), (dim,))
    likely = nll_loss(logs, target, weight, None, ignore_index, None, reduction)
    even = -(logs if weight is None else logs * _along(weight, input.ndim, dim)).sum(dim)
    ignored = target == ignore_index
    even = even.masked_fill(ignored.reshape(even.shape), 0)
    if reduction == "mean":
        if weight is None:
            even = even.sum() / (target.numel() - ignored.sum())
        else:
            used = target.masked_fill(ignored, 0)
            even = even.sum() / weight[used].masked_fill(ignored, 0).sum()
    elif reduction == "sum":
        even = even.sum()
    return likely * (1 - smoothing) + even * (smoothing / input.shape[dim])
