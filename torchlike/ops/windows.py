"""Rearrangements of images: fold and unfold, pixel and channel shuffles."""

from __future__ import annotations

import functools
import math
from typing import Any

from ..core.dispatch import call
from ..core.op import TABLE, Array, composite, op, publish
from ..core.tensor import Tensor
from .conv_forms import (
    Geometry,
    columns,
    cropped,
    output_size,
    padded,
    padded_size,
    taps,
    unshifted,
)
from .kinds import INTEGER, refuse


# ----- unfold and fold -----
def _pair(name: str, value: Any) -> tuple[int, int]:
    if isinstance(value, (tuple, list)):
        if len(value) != 2:
            raise RuntimeError(f"It is expected {name} equals to 2, but got size {len(value)}")
        return tuple(value)  # type: ignore[return-value]
    return (value, value)


def _window(kernel: Any, dilation: Any, padding: Any, stride: Any) -> tuple[Any, Geometry]:
    kernel, dilation = _pair("kernel_size", kernel), _pair("dilation", dilation)
    padding, stride = _pair("padding", padding), _pair("stride", stride)
    for what, short, pair in (
        ("kernel size", "kernel", kernel), ("stride", "stride", stride),
        ("dilation", "dilation", dilation),
    ):  # fmt: skip
        if min(pair) <= 0:
            raise RuntimeError(
                f"{what} should be greater than zero, but got {short}_height: {pair[0]} "
                f"{short}_width: {pair[1]}"
            )
    if min(padding) < 0:
        raise RuntimeError(
            f"padding should be non-negative, but got pad_height: {padding[0]} pad_width: "
            f"{padding[1]}"
        )
    return kernel, Geometry(stride, padding, dilation, 1)


def _said(pair: Any) -> str:
    return f"({pair[0]}, {pair[1]})"


@op(module=None, promote="none", node="Im2ColBackward0")
def im2col(input: Array, kernel: Any, geo: Any):
    refuse("im2col_out_cpu", input, frozenset({INTEGER}))
    x = input if input.ndim == 4 else input[None]
    out = output_size(x.shape[2:], kernel, geo)  # type: ignore[arg-type]
    if min(out) < 1:
        raise RuntimeError(
            f"Given input with spatial size {_said(x.shape[2:])}, kernel_size={_said(kernel)}, "
            f"dilation={_said(geo.dilation)}, padding={_said(geo.padding)}, calculated shape of "
            f"the array of sliding blocks as {_said(out)}, but its components must be at least one."
        )
    cols = columns(padded(x, geo), kernel, geo, out)  # type: ignore[arg-type]
    found = cols.reshape(x.shape[0], x.shape[1] * math.prod(kernel), cols.shape[-1])  # type: ignore[arg-type]
    return found if input.ndim == 4 else found[0]


@op(module=None, promote="none", node="Col2ImBackward0")
def col2im(input: Array, size: object, kernel: object, geo: object):
    refuse("col2im_out_cpu", input, frozenset({INTEGER}))
    x = input if input.ndim == 3 else input[None]
    out = output_size(size, kernel, geo)  # type: ignore[arg-type]
    _check_blocks(input, size, kernel, geo, out)
    cols = x.reshape(x.shape[0], x.shape[1] // math.prod(kernel), *kernel, *out)  # type: ignore
    whole = padded_size(size, geo)  # type: ignore[arg-type]
    parts = [unshifted(cols[:, :, i, j], (i, j), geo, whole) for i, j in taps(kernel)]  # type: ignore[arg-type]
    found = cropped(functools.reduce(lambda a, b: a + b, parts), geo, size)  # type: ignore[arg-type]
    return found if input.ndim == 3 else found[0]


def _check_blocks(input: Any, size: Any, kernel: Any, geo: Any, out: Any) -> None:
    lead, count = input.shape[-2], input.shape[-1]
    if lead % math.prod(kernel):
        raise RuntimeError(
            f"Expected size of input's dimension 1 to be divisible by the product of kernel_size, "
            f"but got input.size(1)={lead} and kernel_size={_said(kernel)}."
        )
    given = (
        f"Given output_size={_said(size)}, kernel_size={_said(kernel)}, "
        f"dilation={_said(geo.dilation)}, padding={_said(geo.padding)}, stride={_said(geo.stride)}"
    )
    blocks = math.prod(out)
    if min(out) < 1:
        raise RuntimeError(
            f"{given}, calculated shape of the array of sliding blocks as {_said(out)}, which is "
            "too small (non-positive)"
        )
    if count != blocks:
        raise RuntimeError(
            f"{given}, expected size of input's dimension 2 to match the calculated number of "
            f"sliding blocks {out[0]} * {out[1]} = {blocks}, but got input.size(2)={count}."
        )


@composite(module="nn.functional")
def unfold(
    input: Tensor, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Tensor:
    """Sliding blocks as columns."""
    if input.ndim not in (3, 4) or 0 in input.shape[-3:]:
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero "
            f"dimensions for input, but got: {list(input.shape)}"
        )
    return call(im2col, (input,), _window(kernel_size, dilation, padding, stride))


@composite(module="nn.functional")
def fold(
    input: Tensor, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0,
    stride: Any = 1,
) -> Tensor:  # fmt: skip
    """Columns added up where they came from: the transpose of `unfold`."""
    if input.ndim not in (2, 3) or 0 in input.shape[-2:]:
        raise RuntimeError(
            "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and "
            f"non-zero dimensions for input, but got: {list(input.shape)}"
        )
    window = _window(kernel_size, dilation, padding, stride)
    return call(col2im, (input,), (_pair("output_size", output_size), *window))


# ----- shuffles -----
@op(module=None, promote="none", name="pixel_shuffle")
def _pixel_shuffle(input: Array, factor: int):
    *lead, c, h, w = input.shape
    n, r = len(lead), factor
    split = input.reshape(*lead, c // (r * r), r, r, h, w)
    order = (*range(n), n, n + 3, n + 1, n + 4, n + 2)
    return split.transpose(order).reshape(*lead, c // (r * r), h * r, w * r)


@op(module=None, promote="none", name="pixel_unshuffle")
def _pixel_unshuffle(input: Array, factor: int):
    *lead, c, h, w = input.shape
    n, r = len(lead), factor
    split = input.reshape(*lead, c, h // r, r, w // r, r)
    order = (*range(n), n, n + 2, n + 4, n + 1, n + 3)
    return split.transpose(order).reshape(*lead, c * r * r, h // r, w // r)


@composite(method=False)
def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """(…, c r², h, w) as (…, c, h r, w r)."""
    _check_image("pixel_shuffle", "upscale_factor", input, upscale_factor)
    square = upscale_factor * upscale_factor
    if input.shape[-3] % square:
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square "
            f"of upscale_factor, but input.size(-3)={input.shape[-3]} is not divisible by {square}"
        )
    return call(_pixel_shuffle, (input,), (upscale_factor,))


@composite(method=False)
def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """(…, c, h r, w r) as (…, c r², h, w)."""
    _check_image("pixel_unshuffle", "downscale_factor", input, downscale_factor)
    for name, dim in (("height", -2), ("width", -1)):
        if input.shape[dim] % downscale_factor:
            raise RuntimeError(
                f"pixel_unshuffle expects {name} to be divisible by downscale_factor, but "
                f"input.size({dim})={input.shape[dim]} is not divisible by {downscale_factor}"
            )
    return call(_pixel_unshuffle, (input,), (downscale_factor,))


def _check_whole(name: str, argument: str, value: object) -> None:
    if not isinstance(value, int):
        raise TypeError(
            f"{name}(): argument '{argument}' (position 2) must be int, not {type(value).__name__}"
        )


def _check_image(name: str, argument: str, input: Tensor, factor: int) -> None:
    _check_whole(name, argument, factor)
    if input.ndim < 3:
        raise RuntimeError(
            f"{name} expects input to have at least 3 dimensions, but got input with {input.ndim} "
            "dimension(s)"
        )
    if factor <= 0:
        raise RuntimeError(f"{name} expects a positive {argument}, but got {factor}")


@op(module=None, promote="none", name="channel_shuffle")
def _channel_shuffle(input: Array, groups: int):
    n, c, *rest = input.shape
    return input.reshape(n, groups, c // groups, -1).swapaxes(1, 2).reshape(n, c, *rest)


@composite(method=False)
def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """Channels dealt round in groups."""
    _check_whole("channel_shuffle", "groups", groups)
    if input.ndim <= 2:
        raise RuntimeError(
            "channel_shuffle expects input with > 2 dims, but got input with sizes "
            f"{list(input.shape)}"
        )
    if groups <= 0:
        raise RuntimeError(
            "Number of groups to divide channels in must be positive. Value of groups:"
            f"{groups}"
        )
    if not input.numel():
        return input.clone()  # type: ignore[attr-defined]
    if input.shape[1] % groups:
        raise RuntimeError(
            f"Number of channels must be divisible by groups. Got {input.shape[1]} channels and "
            f"{groups} groups."
        )
    return call(_channel_shuffle, (input,), (groups,))


publish("torch", "native_channel_shuffle", channel_shuffle)
for _name in ("pixel_shuffle", "pixel_unshuffle", "channel_shuffle", "native_channel_shuffle"):
    publish("nn.functional", _name, TABLE["torch", _name])
