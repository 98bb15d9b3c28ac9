"""Dropout: a mask drawn on the host, then ops whose grad_fn is PyTorch's."""

from __future__ import annotations

import math

import numpy as np

from ..core import dtypes, rng_draw
from ..core.check import warn
from ..core.dispatch import set_layout
from ..core.dtypes import COMPLEX, FLOAT, SCALAR_NAMES
from ..core.geometry import result_stride
from ..core.op import Array, Number, composite, op, publish
from ..core.plan import ArgumentTypeError
from ..core.rng import Generator
from ..core.tensor import Tensor, from_host
from .random_device import Recipe, draw_on_device
from .random_fill import draw_to_tensor, generator_for, in_memory_order, refuse, require

_SELU_ALPHA = 1.7580993408473766
_RANGE = "dropout probability has to be between 0 and 1, but got {}"


# ----- noise -----


def _noise(input: Tensor, p: float, feature: bool, value: float) -> Tensor:
    """`value` where something is kept, else 0: for every element, or every channel of a sample."""
    shape = _channels(input) if feature else tuple(input.shape)
    kind = dtypes.to_numpy(input.dtype)
    source = generator_for("dropout", None, input.device)
    if source.device.type != "cpu":
        return draw_on_device(Recipe("bernoulli", 1 - p), shape, kind, source).mul(value)

    at = input.geometry()  # a draw holds no tensor alive

    def draw(generator: Generator) -> np.ndarray:
        flat = rng_draw.bernoulli(generator, math.prod(shape), 1 - p).astype(_wide(kind))
        flat *= value
        flat = rng_draw.narrow(flat, kind)
        return flat.reshape(shape) if feature else in_memory_order(flat, at)

    noise = draw_to_tensor(draw, source, input.device)
    if not feature:
        set_layout(noise, result_stride((shape,), (tuple(input.geometry().stride),), shape))
    return noise


def _channels(input: Tensor) -> tuple[int, ...]:
    require(input.ndim >= 2, "Feature dropout requires at least 2 dimensions in the input")
    return tuple(input.shape[:2]) + (1,) * (input.ndim - 2)


def _check_kind(input: Tensor) -> None:
    refuse("bernoulli_scalar_cpu_", input.dtype, COMPLEX)
    require(
        input.dtype.category == FLOAT,
        f"result type Float can't be cast to the desired output type {SCALAR_NAMES[input.dtype]}",
    )


def _wide(kind: np.dtype) -> np.dtype:
    """The dtype PyTorch calculates in."""
    return np.dtype(np.float64) if kind == np.float64 else np.dtype(np.float32)


def _inverse(keep: float, kind: np.dtype) -> float:
    """1 / keep as the dtype holds it."""
    wide = _wide(kind)
    return float(rng_draw.narrow(wide.type(1) / wide.type(keep), kind))


def _dropped(
    input: Tensor, p: float, train: bool, inplace: bool, feature: bool, alpha: bool
) -> Tensor:
    require(0 <= p <= 1, _RANGE.format(f"{p:g}"))
    if not isinstance(input, Tensor):
        raise ArgumentTypeError("argument 'input' (position 1) must be Tensor")
    if p == 0 or not train or input.numel() == 0:
        return input
    names = ("mul_", "add_") if inplace else ("mul", "add")
    multiply, add = (getattr(Tensor, name) for name in names)
    kind = dtypes.to_numpy(input.dtype)
    if p == 1:
        return multiply(input, from_host(np.zeros((), kind), input.device))
    _check_kind(input)
    if not alpha:
        return multiply(input, _noise(input, p, feature, _inverse(1 - p, kind)))
    a = 1 / math.sqrt((_SELU_ALPHA**2 * p + 1) * (1 - p))
    keep = _noise(input, p, feature, 1.0)
    shift = keep.add(-1).mul(_SELU_ALPHA * a).add(_SELU_ALPHA * a * p)
    return add(multiply(input, keep.mul(a)), shift)


# ----- torch.dropout and its like -----


def _publish(name: str, feature: bool, alpha: bool) -> None:
    def function(input, p, train):
        return _dropped(input, p, train, False, feature, alpha)

    def twin(input, p, train):
        return _dropped(input, p, train, True, feature, alpha)

    for made, public in ((function, name), (twin, name + "_")):
        made.__name__ = made.__qualname__ = public
        publish("torch", public, made)


_publish("dropout", False, False)
_publish("feature_dropout", True, False)
_publish("alpha_dropout", False, True)
_publish("feature_alpha_dropout", True, True)


@op(module=None, promote="none", node="NativeDropoutBackward0")
def masked_native(input: Array, mask: Array, scale: Number):
    return input * mask.astype(input.dtype) * scale.astype(input.dtype)


@composite(method=False)
def native_dropout(input, p, train):
    """The result and the mask of what was kept; train=None means True."""
    p = float(p)
    keep = 1.0 if train is False else 1.0 - p
    refuse("bernoulli_scalar_cpu_", input.dtype, COMPLEX)

    at, count = input.geometry(), input.numel()

    def draw(generator):
        if train is False or count == 0:
            return np.ones(tuple(at.shape), bool)
        return in_memory_order(rng_draw.bernoulli(generator, count, keep), at)

    mask = draw_to_tensor(draw, generator_for("dropout", None, input.device), input.device)
    return masked_native(input, mask, 0.0 if keep == 0 else 1.0 / keep), mask


# ----- torch.nn.functional -----


def _check_range(p: float) -> None:
    if p < 0.0 or p > 1.0:
        raise ValueError(_RANGE.format(p))


@composite(module="nn.functional", name="dropout")
def _dropout(input, p=0.5, training=True, inplace=False):
    """Drop elements and scale up the others."""
    _check_range(p)
    return _dropped(input, p, training, inplace, feature=False, alpha=False)


@composite(module="nn.functional", name="alpha_dropout")
def _alpha_dropout(input, p=0.5, training=False, inplace=False):
    """Drop elements to SELU's negative limit, keeping mean and variance."""
    _check_range(p)
    return _dropped(input, p, training, inplace, feature=False, alpha=True)


@composite(module="nn.functional", name="feature_alpha_dropout")
def _feature_alpha_dropout(input, p=0.5, training=False, inplace=False):
    """Drop channels to SELU's negative limit, keeping mean and variance."""
    _check_range(p)
    return _dropped(input, p, training, inplace, feature=True, alpha=True)


_CHANNELS = (
    "Note that dropout{0}d exists to provide channel-wise dropout on inputs with {0} spatial "
    "dimension{1}, a channel dimension, and an optional batch dimension (i.e. {2}D or {3}D inputs)."
)
_DEPRECATED = (
    "dropout{0}d: Received a {4}-D input to dropout{0}d, which is deprecated and will result in an "
    "error in a future release. To retain the behavior and silence this warning, please use "
    "dropout instead. " + _CHANNELS
)
_AMBIGUOUS = (
    "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout "
    "behavior is desired - input is interpreted as shape (N, C, L), where C is the channel dim. "
    "This behavior will change in a future release to interpret the input as one without a batch "
    "dimension, i.e. shape (C, H, W). To maintain the 1D channel-wise dropout behavior, please "
    "switch to using dropout1d instead."
)


@composite(module="nn.functional")
def dropout1d(input, p=0.5, training=True, inplace=False):
    """Drop whole channels of (N, C, L) or (C, L)."""
    _check_range(p)
    if input.dim() not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {input.dim()}D input. "
            + _CHANNELS.format(1, "", 2, 3)
        )
    return _batched(input, p, training, inplace, 3)


@composite(module="nn.functional")
def dropout2d(input, p=0.5, training=True, inplace=False):
    """Drop whole channels of (N, C, H, W)."""
    _check_range(p)
    if input.dim() not in (3, 4):
        warn(_DEPRECATED.format(2, "s", 3, 4, input.dim()))
    if input.dim() == 3:
        warn(_AMBIGUOUS)
    return _dropped(input, p, training, inplace, feature=True, alpha=False)


@composite(module="nn.functional")
def dropout3d(input, p=0.5, training=True, inplace=False):
    """Drop whole channels of (N, C, D, H, W) or (C, D, H, W)."""
    _check_range(p)
    if input.dim() not in (4, 5):
        warn(_DEPRECATED.format(3, "s", 4, 5, input.dim()))
    return _batched(input, p, training, inplace, 5)


def _batched(input: Tensor, p: float, training: bool, inplace: bool, ndim: int) -> Tensor:
    """Drop channels; an input without a batch dimension gets one on the way."""
    if input.dim() == ndim:
        return _dropped(input, p, training, inplace, feature=True, alpha=False)
    batch = input.unsqueeze_(0) if inplace else input.unsqueeze(0)
    result = _dropped(batch, p, training, inplace, feature=True, alpha=False)
    return result.squeeze_(0) if inplace else result.squeeze(0)
