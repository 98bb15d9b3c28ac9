"""Fake quantization: values rounded as if they were stored as integers; gradients pass through
where nothing was cut off. Quantized dtypes themselves are not there."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from ..core import dtypes
from ..core.check import check_dim
from ..core.dispatch import call
from ..core.dtypes import FLOAT, SCALAR_NAMES
from ..core.op import Array, Number, composite, op
from ..core.tape import no_grad
from ..core.tensor import Tensor, from_host

_NODES = {
    "tensor": "FakeQuantizePerTensorAffineCachemaskBackward0",
    "qparams": "FakeQuantizePerTensorAffineCachemaskTensorQparamsBackward0",
    "channel": "FakeQuantizePerChannelAffineCachemaskBackward0",
    "fused": "FusedMovingAvgObsFqHelperBackward0",
}
_SMALL = 6.1e-5  # PyTorch's least scale


def _node(static: dict[str, Any]) -> str:
    return _NODES[static["kind"]]


@op(module=None, promote="none", node=_node, returns=tuple)
def fake_quantize(
    input: Array, scale: Array, zero_point: Array, on: Array, quant_min: int, quant_max: int,
    axis: int, kind: str,
):  # fmt: skip
    """(values, where nothing was cut off); with `on` 0 the input and everywhere."""
    wide = input if input.dtype == jnp.float64 else input.astype(jnp.float32)
    shape = [1] * input.ndim
    if scale.ndim and input.ndim:
        shape[axis] = -1
    scale, zero = scale.astype(jnp.float32).reshape(shape), zero_point.reshape(shape)
    steps = wide * (1 / scale).astype(wide.dtype)
    if jnp.issubdtype(zero.dtype, jnp.floating):  # added before rounding
        placed = jnp.round(steps + zero.astype(wide.dtype))
    else:
        placed = jnp.round(steps) + zero.astype(wide.dtype)
    cut = jnp.clip(jnp.where(jnp.isnan(placed), quant_min, placed), quant_min, quant_max)
    found = ((cut - zero.astype(wide.dtype)) * scale.astype(wide.dtype)).astype(input.dtype)
    kept = (placed >= quant_min) & (placed <= quant_max)
    used = on.reshape(()) != 0
    return jnp.where(used, found, input), kept | ~used


@fake_quantize.gradient
def _(grads, results, input, scale, zero_point, on, quant_min, quant_max, axis, kind):
    return grads[0] * results[1], None, None, None


def _check(input: Tensor, quant_min: int, quant_max: int) -> None:
    if input.dtype.category != FLOAT:
        raise NotImplementedError(
            '"fake_quantize_tensor_cachemask_kernel_type_handling" not implemented for '
            f"'{SCALAR_NAMES[input.dtype]}'"
        )
    if quant_min > quant_max:
        raise RuntimeError(
            "`quant_min` should be less than or         equal to `quant_max`."
        )


def _number(value: Any, kind: dtypes.dtype) -> Tensor:
    return from_host(kind.np.type(value).reshape(()).copy())  # type: ignore[union-attr]


def _quantized(input: Any, scale: Any, zero_point: Any, *statics: Any) -> Tensor:
    on = _number(1, dtypes.uint8)
    return call(fake_quantize, (input, scale, zero_point, on), statics)[0]


@composite(method=False)
def fake_quantize_per_tensor_affine(
    input: Tensor, scale: Any, zero_point: Any, quant_min: int, quant_max: int
) -> Tensor:
    """`input` rounded to quant_max - quant_min + 1 steps of one scale."""
    _check(input, quant_min, quant_max)
    bounds = quant_min, quant_max, 0
    if isinstance(scale, Tensor) and isinstance(zero_point, Tensor):
        for given in (scale, zero_point):
            if given.numel() != 1:
                raise RuntimeError(
                    f"a Tensor with {given.numel()} elements cannot be converted to Scalar"
                )
        if scale.requires_grad:
            raise RuntimeError(
                "The function '_fake_quantize_per_tensor_affine_cachemask_tensor_qparams' is not "
                "differentiable with respect to argument 'scale'. This input cannot have "
                "requires_grad True."
            )
        return _quantized(input, scale.reshape(()), zero_point.reshape(()).int(), *bounds,
                          "qparams")  # fmt: skip
    if not quant_min <= zero_point <= quant_max:
        raise RuntimeError("`zero_point` must be between `quant_min` and `quant_max`.")
    scale, zero = _number(scale, dtypes.float32), _number(zero_point, dtypes.int32)
    return _quantized(input, scale, zero, *bounds, "tensor")


@composite(method=False)
def fake_quantize_per_channel_affine(
    input: Tensor, scale: Tensor, zero_point: Tensor, axis: int, quant_min: int, quant_max: int
) -> Tensor:
    """`input` rounded with a scale and a zero point for each index of the dim `axis`."""
    if scale.dtype not in (dtypes.float32, dtypes.bfloat16):
        raise RuntimeError(f"Scale must be Float or BFloat16, found {SCALAR_NAMES[scale.dtype]}")
    if zero_point.dtype not in (dtypes.int32, dtypes.float32, dtypes.float16):
        raise RuntimeError(
            "Zero-point must be Int32, Float or Half, found " + SCALAR_NAMES[zero_point.dtype]
        )
    if scale.ndim != 1:
        raise RuntimeError("scale should be a 1-D tensor")
    if zero_point.ndim != 1:
        raise RuntimeError("zero point should be a 1-D tensor")
    if scale.numel() != zero_point.numel():
        raise RuntimeError("scale and zero-point need to have the same dimensions")
    if scale.numel() != input.shape[check_dim(axis, input.ndim)]:
        raise RuntimeError(
            "dimensions of scale and zero-point are not consistent with input tensor"
        )
    _check(input, quant_min, quant_max)
    if zero_point.dtype is dtypes.int32 and not (
        (zero_point >= quant_min) & (zero_point <= quant_max)
    ).all():
        raise RuntimeError("`zero_point` must be between `quant_min` and `quant_max`.")
    if axis < 0:
        raise RuntimeError("`axis` must be between 0 and number of dimensions of input")
    return _quantized(input, scale, zero_point, quant_min, quant_max, axis, "channel")


# ----- with an observer of the range -----
@op(module=None, promote="none", returns=tuple, differentiable=False)
def observe_range(
    input: Array, on: Array, low: Array, high: Array, share: Number, per_row: bool
):
    """(least, greatest value): a moving average, begun where the bounds are infinite."""
    rows = input.reshape(input.shape[0], -1) if per_row else input.reshape(1, -1)
    least, most = rows.min(1).astype(low.dtype), rows.max(1).astype(high.dtype)
    share, watching = share.astype(low.dtype), on.reshape(()) != 0

    def moved(old: Any, new: Any) -> Any:
        new = new.reshape(old.shape)
        average = jnp.where(jnp.isinf(old), new, old + share * (new - old))
        return jnp.where(watching, average, old)

    return moved(low, least), moved(high, most)


@op(module=None, promote="none", returns=tuple, differentiable=False)
def choose_qparams(low: Array, high: Array, quant_min: int, quant_max: int, symmetric: bool):
    """(scale, zero point) for a range, which is made to hold 0."""
    low = jnp.minimum(low.astype(jnp.float32), 0).astype(jnp.float64)
    high = jnp.maximum(high.astype(jnp.float32), 0).astype(jnp.float64)
    span, both = quant_max - quant_min, (low < 0) & (high > 0) & symmetric
    below, above = -(span // 2 + 1), span // 2
    widest = jnp.maximum(abs(low / below), abs(high / above))
    low, high = jnp.where(both, widest * below, low), jnp.where(both, widest * above, high)
    scale = (high - low) / span
    useless = (scale.astype(jnp.float32) == 0) | jnp.isinf(1 / scale.astype(jnp.float32))
    scale = jnp.where(useless, 0.1, scale)
    grown = jnp.where(scale < _SMALL, _SMALL / scale, 1.0)
    low, high, scale = low * grown, high * grown, jnp.maximum(scale, _SMALL)
    near_low = abs(quant_min) + abs(low / scale) < abs(quant_max) + abs(high / scale)
    zero = jnp.where(near_low, quant_min - low / scale, quant_max - high / scale)
    zero = jnp.where(both, (quant_min + quant_max) / 2, zero)
    zero = jnp.clip(jnp.round(zero), quant_min, quant_max)
    return scale.astype(jnp.float32), zero.astype(jnp.int32)


@composite(method=False)
def fused_moving_avg_obs_fake_quant(
    input: Tensor, observer_on: Tensor, fake_quant_on: Tensor, running_min: Tensor,
    running_max: Tensor, scale: Tensor, zero_point: Tensor, averaging_const: float, quant_min: int,
    quant_max: int, ch_axis: int, per_row_fake_quant: bool = False, symmetric_quant: bool = False,
) -> Tensor:  # fmt: skip
    """Fake quantization for the range seen so far: running_min, running_max, scale and zero_point
    are written to."""
    if per_row_fake_quant and ch_axis != 0:
        raise RuntimeError(
            "Per-channel FakeQuant in fused_moving_avg_obs_fake_quant is only supported on axis "
            "== 0"
        )
    rows = input.shape[0] if per_row_fake_quant else 1
    with no_grad():
        for bound, start in ((running_min, float("inf")), (running_max, float("-inf"))):
            if bound.numel() == 0:
                bound.resize_(rows).fill_(start)  # type: ignore[attr-defined]
        seen = call(observe_range, (input.detach(), observer_on, running_min, running_max,  # type: ignore
                                    averaging_const), (per_row_fake_quant,))  # fmt: skip
        running_min.copy_(seen[0])  # type: ignore[attr-defined]
        running_max.copy_(seen[1])  # type: ignore[attr-defined]
        chosen = call(choose_qparams, (running_min, running_max),
                      (quant_min, quant_max, symmetric_quant))  # fmt: skip
        for old, new in ((scale, chosen[0]), (zero_point, chosen[1])):
            if old.numel() == 0:
                old.resize_(rows)  # type: ignore[attr-defined]
            used = fake_quant_on.reshape(()) != 0
            new = new.to(old.dtype).reshape(old.shape)
            old.copy_(new.where(used, old))  # type: ignore[attr-defined]
    statics = (quant_min, quant_max, 0, "fused")
    return call(fake_quantize, (input, scale, zero_point, fake_quant_on), statics)[0]
