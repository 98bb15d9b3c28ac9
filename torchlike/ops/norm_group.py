"""Group and instance normalization."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
from jax import lax

from ..core.dispatch import call
from ..core.mutate import renew
from ..core.op import TABLE, Array, Number, Optional, composite, op
from ..core.tape import no_grad
from ..core.tensor import Tensor
from .activation import wide
from .kinds import FLOATING, refuse
from .norm import (
    _affine,
    _along,
    _batch_norm,
    _check_types,
    _moments,
    _moments_shown,
    _others,
    _standard_slope,
)


# ----- group and instance norm -----
def _rows(call: Any) -> Tensor:
    return call.input.detach().reshape(call.size("input")[0], call.groups, -1)


@op(
    module=None, promote="none", name="native_group_norm",
    shows=_moments_shown(_rows, lambda call: (2,))
    | {
        "N": lambda call: call.size("input")[0], "C": lambda call: call.size("input")[1],
        "HxW": lambda call: math.prod(call.size("input")[2:]), "group": lambda call: call.groups,
    },
)  # fmt: skip
def group_norm_of(
    input: Array, weight: Optional[Array], bias: Optional[Array], eps: Number, groups: int
):
    _check_types(input, weight, bias)
    refuse("GroupNormKernelImpl", input, FLOATING)
    x = wide(input)
    hat = _grouped_hat(x, groups, eps)[0].reshape(x.shape)
    parts = [None if p is None else _along(wide(p), x.ndim) for p in (weight, bias)]
    return _affine(hat, *parts).astype(input.dtype)


def _grouped_hat(x: Any, groups: int, eps: Any) -> tuple[Any, Any]:
    n = x.shape[0]
    rows = x.reshape(n, groups, math.prod(x.shape[1:]) // groups)
    mean, var = _moments(rows, (2,))
    inverse = lax.rsqrt(var + eps.astype(x.dtype))
    return (rows - mean) * inverse, inverse


@group_norm_of.kernel_gradient
def _(grad, input, weight, bias, eps, groups):
    found = call(group_norm_slope, (grad, input, weight, eps), (groups,))
    return found if weight is not None else (found[0], None, found[2])


@op(module=None, promote="none", returns=tuple, node="NativeGroupNormBackwardBackward0")
def group_norm_slope(grad: Array, input: Array, weight: Optional[Array], eps: Number, groups: int):
    x, g = wide(input), wide(grad)
    hat, inverse = _grouped_hat(x, groups, eps)
    scaled = g if weight is None else g * _along(wide(weight), x.ndim)
    back = _standard_slope(scaled.reshape(hat.shape), hat, inverse, (2,)).reshape(x.shape)
    kind = input.dtype if weight is None else weight.dtype
    of_weight = jnp.sum(g * hat.reshape(x.shape), _others(x))
    return back.astype(input.dtype), of_weight.astype(kind), jnp.sum(g, _others(x)).astype(kind)


def _check_group_norm(input: Tensor, groups: int, weight: Any, bias: Any) -> None:
    if not isinstance(groups, int):
        raise TypeError(
            "group_norm(): argument 'num_groups' (position 2) must be int, not "
            f"{type(groups).__name__}"
        )
    if groups <= 0:
        raise RuntimeError(f"Expected num groups to be greater than 0, got {groups}")
    if input.shape[1] % groups:
        raise RuntimeError(
            "Expected number of channels in input to be divisible by num_groups, but got input of "
            f"shape {list(input.shape)} and num_groups={groups}"
        )
    for name, p in (("weight", weight), ("bias", bias)):
        if p is not None and tuple(p.shape) != (input.shape[1],):
            raise RuntimeError(
                f"Expected {name} to be a vector of size equal to the number of channels in input, "
                f"but got {name} of shape {list(weight.shape)} and input of shape "
                f"{list(input.shape)}"
            )


def _group_norm(input: Tensor, groups: int, weight: Any, bias: Any, eps: float) -> Tensor:
    if input.ndim < 2:
        raise RuntimeError(
            f"Expected at least 2 dimensions for input tensor but received {input.ndim}"
        )
    _check_group_norm(input, groups, weight, bias)
    return call(group_norm_of, (input, weight, bias, eps), (groups,))


@composite(module="nn.functional")
def group_norm(
    input: Tensor, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Tensor:
    """Over each group of channels of each sample."""
    if input.ndim >= 2:
        size = (input.shape[0] * input.shape[1] // num_groups, num_groups, *input.shape[2:])
        if math.prod(size) == num_groups:
            raise ValueError(
                "Expected more than 1 value per channel when training, got input size "
                f"{list(size)}"
            )
    return _group_norm(input, num_groups, weight, bias, eps)


@composite(name="group_norm", method=False)
def torch_group_norm(input, num_groups, weight=None, bias=None, eps=1e-5, cudnn_enabled=True):
    return _group_norm(input, num_groups, weight, bias, eps)


@composite(method=False)
def native_group_norm(input, weight, bias, N, C, HxW, group, eps):  # noqa: N803
    """(result, mean, inverse deviation)."""
    out = _group_norm(input, group, weight, bias, eps)
    rows = input.reshape(N, group, C * HxW // group)
    var, mean = TABLE["torch", "var_mean"](rows, 2, correction=0)
    return out, mean, (var + eps).rsqrt()


def _instance_norm(
    input: Tensor, weight: Any, bias: Any, running_mean: Any, running_var: Any,
    use_input_stats: bool, momentum: float, eps: float,
) -> Tensor:  # fmt: skip
    """Batch norm with every sample's channels as channels of their own."""
    if not use_input_stats and (running_mean is None or running_var is None):
        raise RuntimeError(
            "Expected running_mean and running_var to be defined when use_input_stats is false"
        )
    if (running_mean is None) != (running_var is None):
        raise ValueError(
            "running_mean and running_var must either both be None or neither be None"
        )
    n, c = input.shape[:2]
    shape = (1, n * c, *input.shape[2:])
    weight, bias = (p if p is None else p.repeat(n) for p in (weight, bias))
    means, variances = (
        p if p is None else p.detach().repeat(n) for p in (running_mean, running_var)
    )
    found = _batch_norm(
        input.contiguous().view(shape), weight, bias, means, variances, use_input_stats, momentum,
        eps,
    )[0]  # fmt: skip
    if use_input_stats:
        with no_grad():
            for running, moved in ((running_mean, means), (running_var, variances)):
                if running is not None:
                    mean = moved.view(n, c).mean(0)  # type: ignore[union-attr]
                    renew(running.data, mean)
    return found.view(input.shape)


@composite(module="nn.functional")
def instance_norm(
    input: Tensor, running_mean: Any = None, running_var: Any = None, weight: Any = None,
    bias: Any = None, use_input_stats: bool = True, momentum: float = 0.1, eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """Over each channel of each sample."""
    if use_input_stats and math.prod(input.shape[2:]) == 1:
        raise ValueError(
            "Expected more than 1 spatial element when training, got input size "
            f"{input.shape}"
        )
    return _instance_norm(
        input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps
    )


@composite(name="instance_norm", method=False)
def torch_instance_norm(
    input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps, cudnn_enabled
):
    return _instance_norm(
        input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps
    )
