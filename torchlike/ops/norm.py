"""Normalisations: batch, layer, group, instance, rms, local response."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from ..core.dispatch import call
from ..core.dtypes import FLOAT, SCALAR_NAMES, finfo, float32, from_numpy
from ..core.mutate import renew
from ..core.op import TABLE, Array, Number, Optional, composite, op, publish
from ..core.record import LOCAL, VMAP
from ..core.saved import note
from ..core.tape import no_grad
from ..core.tensor import Tensor, from_host
from .activation import wide
from .demands import refuse_gradient
from .kinds import FLOATING, refuse

MIXED = "mixed dtype (CPU): all inputs must share same datatype."
MIXED_PARAMETER = "mixed dtype (CPU): expect parameter to have scalar type of Float"


# ----- shared forms -----
def _along(x: Any, ndim: int) -> Any:
    """A vector over channels, ready to broadcast against (n, c, …)."""
    return x.reshape(1, -1, *(1,) * (ndim - 2))


def _others(x: Any) -> tuple[int, ...]:
    return tuple(i for i in range(x.ndim) if i != 1)


def _moments(x: Any, axes: tuple[int, ...]) -> tuple[Any, Any]:
    mean = jnp.mean(x, axes, keepdims=True)
    return mean, jnp.mean(jnp.square(x - mean), axes, keepdims=True)


def _standard_slope(g: Any, hat: Any, inverse: Any, axes: tuple[int, ...]) -> Any:
    """The gradient through (x - mean) / deviation, both taken over `axes`."""
    straight = jnp.mean(g, axes, keepdims=True)
    turned = jnp.mean(g * hat, axes, keepdims=True)
    return inverse * (g - straight - hat * turned)


def _affine(x: Any, weight: Any, bias: Any) -> Any:
    x = x if weight is None else x * weight
    return x if bias is None else x + bias


def _check_types(input: Any, *others: Any) -> None:
    """Parameters have the input's dtype, or are float32 beside half precision."""
    kinds = [other.dtype for other in others if other is not None]
    other = next((kind for kind in kinds if kind != input.dtype), None)
    if other is None:
        return
    if kinds[0] == input.dtype:
        expected, found = (SCALAR_NAMES[from_numpy(np.dtype(k))] for k in (kinds[0], other))
        raise RuntimeError(f"expected scalar type {expected} but found {found}")
    if any(kind != jnp.float32 for kind in kinds):
        raise RuntimeError(MIXED_PARAMETER)
    if input.dtype.itemsize != 2:
        raise RuntimeError(MIXED)


# ----- batch norm -----
def _moments_shown(rows: Callable[[Any], Tensor], over: Callable[[Any], Any]) -> dict[str, Any]:
    """Mean and inverse deviation of the input, as nodes show them; made when they are looked at."""

    def mean(call: Any) -> Tensor:
        return rows(call).mean(*over(call))

    def inverse(call: Any) -> Tensor:
        return (rows(call).var(*over(call)[:1], False, *over(call)[1:]) + call.eps).rsqrt()

    return {"result1": mean, "result2": inverse}


def _by_channel(call: Any) -> Any:
    return ((0, *range(2, len(call.size("input")))),)


@op(
    module=None, promote="none", name="native_batch_norm", returns=tuple,
    shows=_moments_shown(lambda call: call.input.detach(), _by_channel)
    | {"training": lambda call: True},
)  # fmt: skip
def batch_norm_train(
    input: Array, weight: Optional[Array], bias: Optional[Array], eps: Number
):
    """The result, and the batch's mean and biased variance."""
    refuse("batch_norm", input, FLOATING)
    _check_types(input, weight, bias)
    x = wide(input)
    mean, var = _moments(x, _others(x))
    scale = lax.rsqrt(var + eps.astype(x.dtype))
    shape = [None if p is None else _along(wide(p), x.ndim) for p in (weight, bias)]
    out = _affine((x - mean) * scale, *shape).astype(input.dtype)
    return out, mean.reshape(-1), var.reshape(-1)


@batch_norm_train.kernel_gradient
def _(grad0, input, weight, bias, eps):
    found = call(batch_norm_slope, (grad0, input, weight, eps))
    return found if weight is not None else (found[0], None, found[2])


@op(module=None, promote="none", returns=tuple, node="NativeBatchNormBackwardBackward0")
def batch_norm_slope(grad: Array, input: Array, weight: Optional[Array], eps: Number):
    x, g = wide(input), wide(grad)
    axes = _others(x)
    mean, var = _moments(x, axes)
    inverse = lax.rsqrt(var + eps.astype(x.dtype))
    hat = (x - mean) * inverse
    scaled = g if weight is None else g * _along(wide(weight), x.ndim)
    back = _standard_slope(scaled, hat, inverse, axes)
    of_weight, of_bias = jnp.sum(g * hat, axes), jnp.sum(g, axes)
    kind = input.dtype if weight is None else weight.dtype
    return back.astype(input.dtype), of_weight.astype(kind), of_bias.astype(kind)


def _no_moments(call: Any) -> Tensor:
    return from_host(np.empty(0, np.float32))


@op(
    module=None, promote="none", node="NativeBatchNormBackward0",
    shows={"training": lambda call: False, "result1": _no_moments, "result2": _no_moments},
)  # fmt: skip
def batch_norm_eval(
    input: Array, weight: Optional[Array], bias: Optional[Array], running_mean: Array,
    running_var: Array, eps: Number,
):  # fmt: skip
    refuse("batch_norm", input, FLOATING)
    _check_types(input, weight, bias, running_mean, running_var)
    x = wide(input)
    inverse = lax.rsqrt(wide(running_var) + eps.astype(x.dtype))
    scale = inverse if weight is None else inverse * wide(weight)
    shift = -wide(running_mean) * scale
    shift = shift if bias is None else shift + wide(bias)
    return (x * _along(scale, x.ndim) + _along(shift, x.ndim)).astype(input.dtype)


@batch_norm_eval.kernel_gradient
def _(grad, input, weight, bias, running_mean, running_var, eps):
    shape = [1, -1] + [1] * (input.ndim - 2)
    axes = [i for i in range(input.ndim) if i != 1]
    inverse = (running_var + eps).rsqrt()
    scale = inverse if weight is None else inverse * weight
    back = grad * scale.view(shape)
    hat = (input - running_mean.view(shape)) * inverse.view(shape)
    of_weight = None if weight is None else (grad * hat).sum(axes)
    of_bias = None if bias is None else grad.sum(axes)
    return back, of_weight, of_bias, None, None


@op(module=None, promote="none", differentiable=False)
def running_stats(running: Array, batch: Array, momentum: Number, factor: Number):
    m, k = momentum.astype(running.dtype), factor.astype(running.dtype)
    return running * (1 - m) + batch.astype(running.dtype) * k * m


def _update(running: Tensor | None, batch: Tensor, momentum: float, factor: float) -> None:
    """Move a running statistic; through `.data`, as PyTorch does not bump its version."""
    if running is not None:
        if LOCAL.state.vmaps:
            VMAP["check_norm"](running, batch)
        with no_grad():
            renew(running.data, call(running_stats, (running, batch, momentum, factor)))


def _check_batch_norm(input: Tensor, training: bool, *named: tuple[str, Any]) -> None:
    channels = input.shape[1] if input.ndim > 1 else 0
    for name, x in named:
        if x is None:
            if not training and name.startswith("running"):
                raise RuntimeError(f"{name} must be defined in evaluation mode")
        elif x.numel() != channels:
            raise RuntimeError(f"{name} should contain {channels} elements not {x.numel()}")


def _batch_norm(
    input: Tensor, weight: Any, bias: Any, running_mean: Any, running_var: Any, training: bool,
    momentum: float, eps: float,
) -> tuple[Tensor, Any, Any]:  # fmt: skip
    refuse_gradient("native_batch_norm", running_mean=running_mean, running_var=running_var)
    named = (
        ("running_mean", running_mean), ("running_var", running_var), ("weight", weight),
        ("bias", bias),
    )  # fmt: skip
    _check_batch_norm(input, training, *named)
    if input.numel() == 0:
        return _nothing(input, weight, bias), None, None
    if weight is None and input.dtype.category == FLOAT and input.dtype.itemsize != 2:
        for running in (running_mean, running_var):
            if running is not None and running.dtype is not input.dtype:
                raise RuntimeError(MIXED if running.dtype is float32 else MIXED_PARAMETER)
    if not training:
        inputs = (input, weight, bias, running_mean, running_var, eps)
        return call(batch_norm_eval, inputs), None, None
    out, mean, var = call(batch_norm_train, (input, weight, bias, eps))
    note(out, running_mean=running_mean, running_var=running_var)
    if running_mean is not None or running_var is not None:
        count = input.numel() // input.shape[1]
        _update(running_mean, mean, momentum, 1)
        _update(running_var, var, momentum, count / (count - 1) if count != 1 else math.nan)
    return out, mean, var


def _nothing(input: Tensor, weight: Any, bias: Any) -> Tensor:
    """An empty result that still has the parameters in its history."""
    out = input.clone()
    out = out if weight is None else out * weight[:1].sum()
    return out if bias is None else out + bias[:1].sum()


def _check_count(size: Any) -> None:
    if math.prod((size[0], *size[2:])) == 1:
        raise ValueError(
            f"Expected more than 1 value per channel when training, got input size {size}"
        )


@composite(module="nn.functional")
def batch_norm(
    input: Tensor, running_mean: Any, running_var: Any, weight: Any = None, bias: Any = None,
    training: bool = False, momentum: float = 0.1, eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """Per channel, by the batch's statistics or the running ones, which training updates."""
    if training:
        _check_count(input.shape)
    if eps <= 0.0 and training:
        raise ValueError(f"batch_norm eps must be positive during training, but got {eps}")
    if eps < 0.0:
        raise ValueError(f"batch_norm eps must be non-negative, but got {eps}")
    return _batch_norm(
        input, weight, bias, running_mean, running_var, training, momentum, eps
    )[0]


@composite(name="batch_norm", method=False)
def torch_batch_norm(
    input, weight, bias, running_mean, running_var, training, momentum, eps, cudnn_enabled
):
    return _batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps)[0]


@composite(method=False)
def native_batch_norm(
    input, weight, bias, running_mean, running_var, training, momentum, eps
):
    """(result, mean, inverse deviation); the last two empty outside of training."""
    out, mean, var = _batch_norm(
        input, weight, bias, running_mean, running_var, training, momentum, eps
    )
    if mean is None:
        return out, input.new_empty(0), input.new_empty(0)
    kind = next((t.dtype for t in (weight, running_mean) if t is not None), input.dtype)
    mean, inverse = mean.detach(), (var.detach() + eps).rsqrt()
    return out, mean.to(kind), inverse.to(kind)


# ----- layer norm -----
@op(
    module=None, promote="none", name="native_layer_norm",
    shows=_moments_shown(
        lambda call: call.input.detach(), lambda call: (tuple(range(-call.dims, 0)), True)
    )
    | {"normalized_shape": lambda call: call.size("input")[-call.dims :]},
)  # fmt: skip
def layer_norm_of(
    input: Array, weight: Optional[Array], bias: Optional[Array], eps: Number, dims: int
):
    _check_types(input, weight, bias)
    refuse("LayerNormKernelImpl", input, FLOATING)
    x = wide(input)
    mean, var = _moments(x, tuple(range(x.ndim - dims, x.ndim)))
    hat = (x - mean) * lax.rsqrt(var + eps.astype(x.dtype))
    parts = [None if p is None else wide(p) for p in (weight, bias)]
    return _affine(hat, *parts).astype(input.dtype)


@layer_norm_of.kernel_gradient
def _(grad, input, weight, bias, eps, dims):
    found = call(layer_norm_slope, (grad, input, weight, eps), (dims,))
    return found if weight is not None else (found[0], None, found[2])


@op(module=None, promote="none", returns=tuple, node="NativeLayerNormBackwardBackward0")
def layer_norm_slope(grad: Array, input: Array, weight: Optional[Array], eps: Number, dims: int):
    x, g = wide(input), wide(grad)
    lead, axes = tuple(range(x.ndim - dims)), tuple(range(x.ndim - dims, x.ndim))
    mean, var = _moments(x, axes)
    inverse = lax.rsqrt(var + eps.astype(x.dtype))
    hat = (x - mean) * inverse
    scaled = g if weight is None else g * wide(weight)
    back = _standard_slope(scaled, hat, inverse, axes)
    kind = input.dtype if weight is None else weight.dtype
    of_weight, of_bias = jnp.sum(g * hat, lead), jnp.sum(g, lead)
    return back.astype(input.dtype), of_weight.astype(kind), of_bias.astype(kind)


def _shape_of(name: str, shape: Any) -> tuple[int, ...]:
    if not isinstance(shape, (tuple, list)):
        raise TypeError(
            f"{name}(): argument 'normalized_shape' (position 2) must be tuple of ints, not "
            f"{type(shape).__name__}"
        )
    if not shape:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one "
            "element, but got normalized_shape = []"
        )
    return tuple(shape)


def _check_normalized(input: Tensor, shape: tuple[int, ...], comma: str, *named: Any) -> None:
    said = list(shape)
    for name, p in named:
        if p is not None and tuple(p.shape) != shape:
            raise RuntimeError(
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape "
                f"{list(p.shape)} and normalized_shape = {said}"
            )
    if tuple(input.shape[input.ndim - len(shape) :]) != shape or input.ndim < len(shape):
        raise RuntimeError(
            f"Given normalized_shape={said}, expected input with shape [*{comma}"
            f"{', '.join(map(str, shape))}], but got input of size{list(input.shape)}"
        )


def _layer_norm(input: Tensor, shape: Any, weight: Any, bias: Any, eps: float) -> Tensor:
    shape = _shape_of("layer_norm", shape)
    _check_normalized(input, shape, ", ", ("weight", weight), ("bias", bias))
    return call(layer_norm_of, (input, weight, bias, eps), (len(shape),))


@composite(module="nn.functional")
def layer_norm(
    input: Tensor, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Tensor:
    """Over the last dims."""
    return _layer_norm(input, normalized_shape, weight, bias, eps)


@composite(name="layer_norm", method=False)
def torch_layer_norm(
    input, normalized_shape, weight=None, bias=None, eps=1e-5, cudnn_enable=True
):
    return _layer_norm(input, normalized_shape, weight, bias, eps)


@composite(method=False)
def native_layer_norm(input, normalized_shape, weight, bias, eps):
    """(result, mean, inverse deviation)."""
    out = _layer_norm(input, normalized_shape, weight, bias, eps)
    dims = tuple(range(-len(normalized_shape), 0))
    with no_grad():
        var, mean = TABLE["torch", "var_mean"](input, dims, correction=0, keepdim=True)
        return out, mean, (var + eps).rsqrt()


# ----- by the mean square, by the neighbours -----
@composite(method=False)
def rms_norm(
    input: Tensor, normalized_shape: Any, weight: Any = None, eps: float | None = None
) -> Tensor:
    """x / sqrt(mean(x²) + eps) over the last dims."""
    shape = _shape_of("rms_norm", normalized_shape)
    _check_normalized(input, shape, "", ("weight", weight))
    if input.dtype.category < FLOAT:
        raise NotImplementedError(f"\"rms_norm\" not implemented for '{SCALAR_NAMES[input.dtype]}'")
    eps = finfo(input.dtype).eps if eps is None else eps
    x = input.to(float32) if input.dtype.itemsize == 2 else input
    dims = tuple(range(-len(shape), 0))
    found = x * (x.pow(2).mean(dims, keepdim=True) + eps).rsqrt()
    found = found if weight is None else found * weight
    return found.to(input.dtype) if found.dtype is not input.dtype else found


publish("nn.functional", "rms_norm", rms_norm)


@composite(module="nn.functional")
def local_response_norm(
    input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """Divided by a power of the mean square of neighbouring channels."""
    if input.ndim < 3:
        raise ValueError(
            "Expected 3D or higher dimensionality                          input (got "
            f"{input.ndim} dimensions)"
        )
    if input.numel() == 0:
        return input
    pad, average = TABLE["nn.functional", "pad"], TABLE["nn.functional", "avg_pool2d"]
    square = input * input
    if input.ndim == 3:
        around = pad(square.unsqueeze(1), (0, 0, size // 2, (size - 1) // 2))
        mean = average(around, (size, 1), stride=1).squeeze(1)
    else:
        n, c, h = input.shape[:3]
        around = pad(square.view(n, 1, c, h, -1), (0, 0, 0, 0, size // 2, (size - 1) // 2))
        average = TABLE["nn.functional", "avg_pool3d"]
        mean = average(around, (size, 1, 1), stride=1).squeeze(1).view(input.shape)
    return input / (mean * alpha + k).pow(beta)
