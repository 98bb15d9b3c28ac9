"""Activations, with PyTorch's slopes at kinks."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from ..core.dispatch import call
from ..core.dtypes import BOOL, FLOAT, SCALAR_NAMES, finfo
from ..core.mutate import inplace as call_inplace
from ..core.mutate import write_out
from ..core.op import TABLE, Array, Dim, Number, Op, Param, composite, declare, op, publish
from ..core.tape import no_grad
from ..core.tensor import Tensor, from_host, to_host
from . import unary as unary  # declares relu_, sigmoid and tanh
from .kinds import COMPLEX, FLOATING, in_single, kind, refuse
from .memory import rename_in_place

SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946
SQRT_HALF, SQRT_2_OVER_PI, GELU_CUBE = math.sqrt(0.5), math.sqrt(2 / math.pi), 0.044715


def wide(x: Any) -> Any:
    """Half precision is computed in float32 and rounded once, as PyTorch's kernels do."""
    return x.astype(jnp.float32) if x.dtype.itemsize == 2 else x


def activation(
    name: str, kernel: str, body: Callable[..., Any], kinds: Any = FLOATING, **traits: Any
) -> Op:
    """Declare `body(x, *numbers)`, refusing the dtypes that PyTorch's kernel refuses."""

    def check(input: Any) -> Any:
        refuse(kernel, input, kinds)
        return wide(input)

    def form(input: Any, *numbers: Any) -> Any:
        x = check(input)
        return body(x, *[n.astype(x.dtype) for n in numbers]).astype(input.dtype)

    params = [Param("input", 0, "Array", False)]
    params += [Param(n, i, "Number", False) for i, n in enumerate(_names_of(body)[1:], 1)]
    traits = {"elementwise": True, "opmath": True, **traits}
    return declare(name, form, params, module=None, **traits)


def _names_of(body: Callable[..., Any]) -> tuple[str, ...]:
    return body.__code__.co_varnames[: body.__code__.co_argcount]


def run(made: Op, inplace: bool, *inputs: Any) -> Tensor:
    if not inplace:
        return call(made, inputs)
    out = call_inplace(made, inputs)
    if made is not hardtanh_of and out._base_tensor is None:
        rename_in_place(out)
    return out


# ----- one line each: forward, slope -----
_leaky = activation(
    "leaky_relu", "leaky_relu_cpu",
    lambda x, negative_slope: jnp.where(x > 0, x, x * negative_slope),
)  # fmt: skip
_leaky.kernel_gradient(
    lambda grad, input, negative_slope: grad.where(input > 0, grad * negative_slope)
)

_elu = activation("elu", "elu_cpu", lambda x, alpha: jnp.where(x < 0, jnp.expm1(x) * alpha, x))
_elu.kernel_gradient(lambda grad, input, alpha: grad.where(input > 0, grad * alpha * input.exp()))

elu_scaled = activation(
    "elu", "elu_cpu",
    lambda x, alpha, scale, input_scale: scale * jnp.where(
        x < 0, jnp.expm1(x * input_scale) * alpha, x
    ),
)  # fmt: skip


@elu_scaled.kernel_gradient
def _(grad, input, alpha, scale, input_scale):
    slope = alpha * input_scale * scale
    return (grad * scale).where(input > 0, grad * slope * (input * input_scale).exp())


_selu = activation(
    "selu", "elu_cpu", node="EluBackward0",
    shows={"alpha": lambda call: SELU_ALPHA, "scale": lambda call: SELU_SCALE},
    body=lambda x: jnp.where(x < 0, jnp.expm1(x) * (SELU_ALPHA * SELU_SCALE), x * SELU_SCALE),
)  # fmt: skip
_selu.kernel_gradient(
    lambda grad, input: (grad * SELU_SCALE).where(
        input > 0, grad * (SELU_ALPHA * SELU_SCALE) * input.exp()
    )
)

_celu = activation(
    "celu", "elu_cpu", lambda x, alpha: jnp.where(x < 0, jnp.expm1(x / alpha) * alpha, x)
)
_celu.kernel_gradient(
    lambda grad, input, alpha: grad.where(input > 0, grad * (input / alpha).exp())
)

_silu = activation(
    "silu", "silu_cpu", lambda x: x * lax.logistic(x), kinds=FLOATING - {COMPLEX}
)


@_silu.kernel_gradient
def _(grad, input):
    gate = input.sigmoid()
    slope = gate * (1 + input * (1 - gate))
    return grad * (slope.conj() if slope.is_complex() else slope)


_mish = activation("mish", "mish_cpu", lambda x: x * jnp.tanh(_softplus_of(x)))


@_mish.kernel_gradient
def _(grad, input):
    gate, squashed = input.sigmoid(), _softplus(input, 1, 20).tanh()
    return grad * (squashed + input * gate * (1 - squashed * squashed))


_hardswish = activation(
    "hardswish", "hardswish_cpu", lambda x: x * jnp.clip(x + 3, 0, 6) * (1 / 6)
)


@_hardswish.kernel_gradient
def _(grad, input):
    ramp = (grad * (input / 3 + 0.5)).where(input < 3, grad)
    return ramp.masked_fill(input <= -3, 0)


_SIXTH = float(np.float32(1 / 6))  # PyTorch's constant, for float64 too
_hardsigmoid = activation(
    "hardsigmoid", "hardsigmoid_cpu", lambda x: jnp.clip(x + 3, 0, 6) * (1 / 6)
)
_hardsigmoid.kernel_gradient(
    lambda grad, input: (grad * _SIXTH).masked_fill(~((input > -3) & (input < 3)), 0)
)

_softplus = activation(
    "softplus", "softplus_cpu",
    lambda x, beta, threshold: jnp.where(
        x * beta > threshold, x, jnp.log1p(jnp.exp(jnp.minimum(x * beta, threshold))) / beta
    ),
)  # fmt: skip


@_softplus.kernel_gradient
def _(grad, input, beta, threshold):
    scaled = input * beta
    return grad.where(scaled > threshold, grad * scaled.sigmoid())


def _softplus_of(x: Any) -> Any:
    return jnp.where(x > 20, x, jnp.log1p(jnp.exp(jnp.minimum(x, 20))))


_log_sigmoid = activation(
    "log_sigmoid", "log_sigmoid_cpu", elementwise=False,  # row-major, whatever the input
    body=lambda x: jnp.minimum(x, 0) - jnp.log1p(jnp.exp(-jnp.abs(x))),
)  # fmt: skip
_log_sigmoid.kernel_gradient(lambda grad, input: grad * (-input).sigmoid())

_softshrink = activation(
    "softshrink", "softshrink_check",
    lambda x, lambd: jnp.where(x > lambd, x - lambd, jnp.where(x < -lambd, x + lambd, x * 0)),
)  # fmt: skip
_softshrink.kernel_gradient(lambda grad, input, lambd: grad.masked_fill(input.abs() <= lambd, 0))

_hardshrink = activation(
    "hardshrink", "hardshrink_cpu",
    lambda x, lambd: jnp.where(jnp.abs(x) <= lambd, jnp.zeros_like(x), x),
)
_hardshrink.kernel_gradient(lambda grad, input, lambd: grad.masked_fill(input.abs() <= lambd, 0))

_gelu = activation("gelu", "GeluKernelImpl", lambda x: x * 0.5 * (1 + lax.erf(x * SQRT_HALF)))


@_gelu.kernel_gradient
def _(grad, input):
    bell = (input * input * -0.5).exp() * (1 / math.sqrt(2 * math.pi))
    return grad * ((input * SQRT_HALF).erf() * 0.5 + 0.5 + input * bell)


_gelu_tanh = activation(
    "gelu_tanh", "GeluKernelImpl", node="GeluBackward0", shows={"approximate": lambda call: "tanh"},
    body=lambda x: x * 0.5 * (1 + jnp.tanh((x + GELU_CUBE * x * x * x) * SQRT_2_OVER_PI)),
)  # fmt: skip


@_gelu_tanh.kernel_gradient
def _(grad, input):
    square = input * input
    t = (input * (1 + GELU_CUBE * square) * SQRT_2_OVER_PI).tanh()
    inner = (1 + 3 * GELU_CUBE * square) * SQRT_2_OVER_PI
    return grad * (0.5 * (1 + t) + 0.5 * input * (1 - t * t) * inner)


# ----- those that take integers too -----
@op(elementwise=True, module=None, name="hardtanh")
def hardtanh_of(input: Array, min_val: Number, max_val: Number):
    if kind(input) == COMPLEX:
        raise NotImplementedError("clamp is not supported for complex types")
    return jnp.minimum(jnp.maximum(input, min_val), max_val)


@hardtanh_of.kernel_gradient
def _(grad, input, min_val, max_val):
    return grad.masked_fill((input <= min_val) | (input >= max_val), 0)


@op(elementwise=True, module=None, name="threshold")
def threshold_of(input: Array, threshold: Number, value: Number):
    refuse("threshold_cpu", input, frozenset({BOOL, COMPLEX}))
    return jnp.where(input <= threshold, value, input)


@threshold_of.kernel_gradient
def _(grad, input, threshold):
    return grad.masked_fill(input <= threshold, 0)


# ----- public forms -----
@composite(module="nn.functional")
def relu(input: Tensor, inplace: bool = False) -> Tensor:
    return input.relu_() if inplace else input.relu()


def _in_functional(name: str, made: Op) -> None:
    """F.name(input, inplace=False)."""

    def function(input: Tensor, inplace: bool = False) -> Tensor:
        return call_inplace(made, (input,)) if inplace else call(made, (input,))

    composite(module="nn.functional", name=name)(function)


for _name, _made in dict(
    silu=_silu, mish=_mish, hardswish=_hardswish, hardsigmoid=_hardsigmoid
).items():
    _in_functional(_name, _made)


@composite(module="nn.functional")
def selu(input: Tensor, inplace: bool = False) -> Tensor:
    return run(_selu, inplace, input)


@composite(module="nn.functional")
def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    return run(_leaky, inplace, input, negative_slope)


@composite(module="nn.functional")
def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    return run(_elu, inplace, input, alpha)


@composite(module="nn.functional")
def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    return run(_celu, inplace, input, alpha)


@composite(module="nn.functional")
def hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Tensor:
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    if input.dtype.category == BOOL:
        raise RuntimeError("Bool inputs not supported for hardtanh")
    return run(hardtanh_of, inplace, input, min_val, max_val)


@composite(module="nn.functional")
def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    return hardtanh(input, 0, 6, inplace)


@composite(module="nn.functional")
def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    return run(threshold_of, inplace, input, threshold, value)


@composite(module="nn.functional")
def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    if approximate not in ("none", "tanh"):
        raise RuntimeError("approximate argument must be either none or tanh.")
    return call(_gelu if approximate == "none" else _gelu_tanh, (input,))


@composite(module="nn.functional")
def softplus(input: Tensor, beta: float = 1, threshold: float = 20) -> Tensor:
    return call(_softplus, (input, beta, threshold))


@composite(module="nn.functional")
def logsigmoid(input: Tensor) -> Tensor:
    return call(_log_sigmoid, (input,))


@composite(module="nn.functional")
def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    if input.dtype.category >= FLOAT and not 0 <= lambd <= finfo(input.dtype).max:
        raise RuntimeError(
            f"lambda must be in range [0, {finfo(input.dtype).max:g}] for input dtype "
            f"{SCALAR_NAMES[input.dtype]}, but found {lambd:g}"
        )
    return call(_softshrink, (input, lambd))


@composite
def hardshrink(input: Tensor, lambd: float = 0.5, *, out: Any = None) -> Tensor:
    """0 where |x| <= lambd."""
    found = call(_hardshrink, (input, lambd))
    return found if out is None else write_out("hardshrink", out, found)


@composite(module="nn.functional")
def softsign(input: Tensor) -> Tensor:
    return input / (input.abs() + 1)


@composite(module="nn.functional")
def tanhshrink(input: Tensor) -> Tensor:
    return input - input.tanh()


# ----- gates -----
@op(module=None, name="glu")
def glu_of(input: Array, dim: Dim):
    refuse("glu_cpu", input, FLOATING)
    n = input.shape[dim] // 2
    left = lax.slice_in_dim(input, 0, n, axis=dim)
    right = lax.slice_in_dim(input, n, 2 * n, axis=dim)
    return in_single(lambda a, b: a * lax.logistic(b))(left, right)


@composite(module="nn.functional")
def glu(input: Tensor, dim: int = -1) -> Tensor:
    """The first half, gated by the sigmoid of the second."""
    if input.ndim == 0:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    if input.size(dim) % 2:
        where = dim % input.ndim
        raise RuntimeError(
            f"Halving dimension must be even, but dimension {where} is size {input.shape[where]}"
        )
    return call(glu_of, (input,), (dim,))


@op(module=None, elementwise=True, promote="none", name="prelu_kernel")
def _prelu_kernel(input: Array, weight: Array):
    refuse("prelu_cpu", input, FLOATING)
    return jnp.where(input > 0, input, input * weight)


@_prelu_kernel.kernel_gradient
def _(grad, input, weight):
    above = input > 0
    return grad.where(above, grad * weight), (grad * input).masked_fill(above, 0)


@composite
def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """max(x, 0) + weight * min(x, 0), one weight in all or one per channel."""
    if input.dtype is not weight.dtype:
        names = SCALAR_NAMES[input.dtype], SCALAR_NAMES[weight.dtype]
        raise RuntimeError("prelu: Type promoting not supported. Got {} and {}".format(*names))
    if weight.ndim > 1:
        raise RuntimeError(
            f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {weight.ndim}"
        )
    if weight.numel() != 1:
        _check_channels(input, weight.numel())
    if weight.ndim:
        shape = [1] * input.ndim
        if input.ndim >= 2:
            shape[1] = weight.numel()
        weight = weight.view(shape)
    return call(_prelu_kernel, (input, weight))


def _check_channels(input: Tensor, count: int) -> None:
    if input.ndim == 0:
        raise RuntimeError("Not allow zero-dim input tensor.")
    channels = input.shape[1] if input.ndim >= 2 else 1
    if channels != count:
        raise RuntimeError(
            f"Mismatch of parameter numbers and input channel size. Found parameter numbers = "
            f"{count} and channel size = {channels}."
        )


@op(module=None, elementwise=True, promote="none", name="rrelu_with_noise")
def _rrelu(input: Array, noise: Array):
    refuse("leaky_relu_cpu", input, FLOATING)
    return jnp.where(input > 0, input, input * noise)


@_rrelu.kernel_gradient
def _(grad, input, noise):
    return grad.where(input > 0, grad * noise), None


def _rrelu_noise(
    input: Tensor, lower: float, upper: float, training: bool, generator: Any
) -> Tensor:
    """The slopes: drawn in float64, one for each element that is not positive."""
    kind = input._aval.np
    if input.device.type == "meta":
        return input.new_empty(input.shape)
    if not training or input.dtype.category < FLOAT:
        middle = np.full((), (lower + upper) / 2).astype(kind)
        return from_host(np.broadcast_to(middle, input.shape), input.device)
    low = to_host(input) <= 0
    noise = np.ones(low.shape, kind)
    with no_grad():
        draws = from_host(np.zeros(int(low.sum()), np.float64)).uniform_(
            lower, upper, generator=generator
        )
    noise[low] = to_host(draws).astype(kind)
    return from_host(noise, input.device)


def rrelu_run(
    input: Tensor, lower: float, upper: float, training: bool, inplace: bool, generator: Any = None
) -> Tensor:
    if lower > upper:
        raise RuntimeError("Lower bound should be less than or equal to the upper bound")
    if training and input.dtype.category != FLOAT:
        raise NotImplementedError(
            f"\"rrelu_with_noise_out_cpu\" not implemented for '{SCALAR_NAMES[input.dtype]}'"
        )
    return run(_rrelu, inplace, input, _rrelu_noise(input, lower, upper, training, generator))


@composite(module="nn.functional")
def rrelu(
    input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False,
    inplace: bool = False,
) -> Tensor:  # fmt: skip
    return rrelu_run(input, lower, upper, training, inplace)


publish("nn.functional", "relu_", TABLE["torch", "relu_"])
for _name in ("sigmoid", "tanh", "prelu", "hardshrink"):
    publish("nn.functional", _name, TABLE["torch", _name])
