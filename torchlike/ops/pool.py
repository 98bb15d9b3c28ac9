"""Maxima over windows: max_pool, adaptive and fractional forms, and max_unpool."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import lax

from ..core.dispatch import call
from ..core.dtypes import FLOAT, SCALAR_NAMES
from ..core.op import TABLE, Array, composite, op, publish
from ..core.saved import note
from ..core.tensor import Tensor
from .kinds import BOOL, COMPLEX, INTEGER, kind, refuse


class Windows(NamedTuple):
    """Where a pooling looks: per dim."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    out: tuple[int, ...]


# ----- sizes -----
WORDS = {1: "one int", 2: "two ints", 3: "three ints"}


def sizes(name: str, argument: str, value: Any, n: int) -> tuple[int, ...]:
    """One int for each of n dims; RuntimeError (PyTorch's text) for another count."""
    if not isinstance(value, (tuple, list)):
        return (int(value),) * n
    if len(value) == n:
        return tuple(int(v) for v in value)
    if len(value) == 1:
        return (int(value[0]),) * n
    if n == 1:
        raise RuntimeError(
            f"{name}() argument '{argument}' should contain one int (got {len(value)})"
        )
    omitted = " be omitted," if argument == "stride" else ""
    be = "" if omitted else " be"
    first = argument in ("padding", "dilation")
    either = f"be either{omitted}" if first else f"either{omitted or be}"
    raise RuntimeError(f"{name}: {argument} must {either} a single int, or a tuple of {WORDS[n]}")


def pooled_size(n: int, k: int, s: int, p: int, d: int, ceil_mode: bool) -> int:
    """The number of windows; with `ceil_mode` the last may stick out, if it starts inside."""
    out = (n + 2 * p - d * (k - 1) - 1 + (s - 1 if ceil_mode else 0)) // s + 1
    return out - 1 if ceil_mode and (out - 1) * s >= n + p else out


def windows(
    name: str, n: int, size: Sequence[int], kernel: Any, stride: Any, padding: Any,
    dilation: Any, ceil_mode: bool,
) -> Windows:  # fmt: skip
    """The windows of a pooling over the last n dims, checked in PyTorch's words."""
    k = sizes(name, "kernel_size", kernel, n)
    s = k if stride is None or stride == () or stride == [] else sizes(name, "stride", stride, n)
    p, d = sizes(name, "padding", padding, n), sizes(name, "dilation", dilation, n)
    _check_windows(k, s, p, d)
    out = tuple(pooled_size(*one, ceil_mode) for one in zip(size, k, s, p, d))
    return Windows(k, s, p, d, out)


def _check_windows(k: Any, s: Any, p: Any, d: Any) -> None:
    letters = ("T", "H", "W")[3 - len(k) :]
    if min(s) == 0:
        raise RuntimeError("stride should not be zero")
    named = (("kernel size", "k", k), ("stride", "d", s), ("dilation", "dilation", d))
    for what, short, values in named:
        if min(values) <= 0:
            said = " ".join(f"{short}{letter}: {v}" for letter, v in zip(letters, values))
            raise RuntimeError(f"{what} should be greater than zero, but got {said}")
    for pad, kernel, dilation in zip(p, k, d):
        if pad < 0:
            raise RuntimeError(f"pad must be non-negative, but got pad: {pad}")
        if pad > ((kernel - 1) * dilation + 1) // 2:
            raise RuntimeError(
                "pad should be at most half of effective kernel size, but got "
                f"pad={pad}, kernel_size={kernel} and dilation={dilation}"
            )
    if any(pad > kernel // 2 for pad, kernel in zip(p, k)):
        raise RuntimeError(
            f"pad should be smaller than or equal to half of kernel size, but got {_half(k, p)}"
        )


def _half(k: Any, p: Any) -> str:
    if len(k) == 2:
        return f"padW = {p[1]}, padH = {p[0]}, kW = {k[1]}, kH = {k[0]}"
    return f"kT: {k[0]} kW: {k[2]} kH: {k[1]} padT: {p[0]} padW: {p[2]} padH: {p[1]}"


def check_output(x: Any, at: Windows) -> None:
    n = len(at.out)
    if min(at.out) < 1:
        have, get = (
            "x".join(map(str, (x.shape[-n - 1], *size))) for size in (x.shape[-n:], at.out)
        )
        have, get = (("x1x".join(text.split("x")) if n == 1 else text) for text in (have, get))
        raise RuntimeError(
            f"Given input size: ({have}). Calculated output size: ({get}). Output size is too small"
        )


# ----- windows as slices -----
def widened(x: Any, at: Windows, fill: Any) -> Any:
    """The input with as much filling around it as the windows reach."""
    config = [(0, 0, 0)] * (x.ndim - len(at.out))
    for n, k, s, p, d, m in zip(x.shape[-len(at.out) :], *at):
        config.append((p, max((m - 1) * s + d * (k - 1) + 1 - n - p, 0), 0))
    if not any(a or b for a, b, _ in config):
        return x
    return lax.pad(x, jnp.asarray(fill, x.dtype), config)


def along(x: Any, axis: int, begin: int, count: int, stride: int) -> Any:
    return lax.slice_in_dim(x, begin, begin + (count - 1) * stride + 1, stride, axis)


def separately(x: Any, at: Windows, combine: Any, fill: Any) -> Any:
    """An associative combination over each window, one dim after another."""
    x = widened(x, at, fill)
    for i, (k, s, _, d, m) in enumerate(zip(*at)):
        axis = x.ndim - len(at.out) + i
        seen = [along(x, axis, j * d, m, s) for j in range(k)]
        x = seen[0]
        for other in seen[1:]:
            x = combine(x, other)
    return x


def lowest(x: Any) -> Any:
    return -jnp.inf if kind(x) > INTEGER else jnp.iinfo(x.dtype).min


def _window_index(x: Any, at: Windows) -> tuple[Any, Any]:
    """The maximum of each window and its flat place in the plane: the first of equals, or a nan."""
    size = x.shape[-len(at.out) :]
    wide, lead = widened(x, at, lowest(x)), x.ndim - len(at.out)
    best: Any = None
    which: Any = None
    for tap, offset in enumerate(itertools.product(*map(range, at.kernel))):
        seen = wide
        for i, (j, s, d, m) in enumerate(zip(offset, at.stride, at.dilation, at.out)):
            seen = along(seen, lead + i, j * d, m, s)
        if best is None:
            best, which = seen, jnp.broadcast_to(_first_tap(at), seen.shape)
            continue
        better = (seen > best) | (seen != seen)
        best = jnp.where(better, seen, best)
        which = jnp.where(better, jnp.asarray(tap, jnp.int32), which)
    return best, _flat_place(which, at, size)


def _first_tap(at: Windows) -> Any:
    """The first tap of each window that is not padding: filling is never greater than it."""
    first = np.zeros((), np.int32)
    for i, (k, s, p, d, m) in enumerate(zip(*at)):
        before = np.maximum(p - np.arange(m) * s, 0)
        tap = -(-before // d)
        first = first * k + tap.reshape([-1 if j == i else 1 for j in range(len(at.out))])
    return jnp.asarray(first, jnp.int32)


def _flat_place(which: Any, at: Windows, size: Sequence[int]) -> Any:
    """The flat place in the plane of the chosen tap of each window."""
    flat, step = jnp.zeros((), jnp.int64), 1
    for i in reversed(range(len(size))):
        k = jnp.asarray(at.kernel[i], jnp.int32)
        tap = lax.rem(which, jnp.broadcast_to(k, which.shape)).astype(jnp.int64)
        which = lax.div(which, jnp.broadcast_to(k, which.shape))
        start = np.arange(at.out[i]) * at.stride[i] - at.padding[i]
        start = start.reshape([-1 if j == i else 1 for j in range(len(size))])
        flat = flat + (tap * at.dilation[i] + start) * step
        step *= size[i]
    return flat


def scatter_planes(values: Any, places: Any, shape: Sequence[int], n: int) -> Any:
    """Values added to zeros at flat places of each plane (the last n dims)."""
    planes, size = math.prod(shape[: len(shape) - n]), math.prod(shape[len(shape) - n :])
    base = (jnp.arange(planes) * size)[:, None]
    flat = (places.reshape(planes, math.prod(values.shape[len(shape) - n :])) + base).reshape(-1)
    zeros = jnp.zeros(planes * size, values.dtype)
    return zeros.at[flat].add(values.reshape(-1), mode="drop").reshape(shape)


WINDOWS_SHOWN = {
    name: lambda call, field=field: getattr(call.at, field)
    for name, field in (
        ("kernel_size", "kernel"), ("stride", "stride"), ("padding", "padding"),
        ("dilation", "dilation"),
    )
} | {"ceil_mode": lambda call: _rounded_up(call.at, call.size("input"))}  # fmt: skip


def _rounded_up(at: Windows, shape: tuple[int, ...]) -> bool:
    """Whether there are more windows than fit."""
    rows = zip(shape[-len(at.out) :], *at, strict=True)
    return any(o > (n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d, o in rows)


# ----- max_pool -----
def _max_pool(n: int) -> tuple[Any, Any]:
    node = f"MaxPool{n}DWithIndicesBackward0"

    def values(input: Array, at: object):
        _check_max(input, n, at)
        return separately(input, at, jnp.maximum, lowest(input))  # type: ignore[arg-type]

    def both(input: Array, at: object):
        _check_max(input, n, at)
        return _window_index(input, at)  # type: ignore[arg-type]

    places = {"result1": lambda call: call_both(call.input, call.at)}
    made = op(
        module=None, promote="none", name=f"max_pool{n}d", node=node, shows=WINDOWS_SHOWN | places
    )(values)
    pair = op(
        module=None, promote="none", name=f"max_pool{n}d_with_indices", node=node, returns=tuple,
        shows=WINDOWS_SHOWN,
    )(both)  # fmt: skip

    def call_both(input: Tensor, at: Any) -> Tensor:
        return call(pair, (input,), (at,))[1]

    made.gradient(lambda grad, input, at: call(max_pool_slope, (grad, input), (at,)))
    pair.gradient(
        lambda grad, input, result1: call(pool_slope, (grad, result1), (tuple(input.shape), n))
    )
    return made, pair


def _check_max(x: Any, n: int, at: Any) -> None:
    check_output(x, at)
    refuse(f"max_pool{n}d", x, frozenset({BOOL, COMPLEX}))


@op(module=None, promote="none", node="MaxPool2DWithIndicesBackwardBackward0")
def max_pool_slope(grad: Array, input: Array, at: object):
    places = _window_index(lax.stop_gradient(input), at)[1]  # type: ignore[arg-type]
    return scatter_planes(grad, places, input.shape, len(at.out))  # type: ignore[attr-defined]


@op(module=None, promote="none", node="MaxPool2DWithIndicesBackwardBackward0")
def pool_slope(grad: Array, places: Array, shape: object, n: int):
    return scatter_planes(grad, places, shape, n)  # type: ignore[arg-type]


_MAX = {n: _max_pool(n) for n in (2, 3)}


def _check_planes(input: Tensor, n: int) -> None:
    if input.ndim not in (n + 1, n + 2):
        raise RuntimeError(
            f"non-empty {n + 1}D or {n + 2}D (batch mode) tensor expected for input"
        )
    if 0 in input.shape[-n - 1 :]:
        if n == 3:
            raise RuntimeError(
                "max_pool3d_with_indices_out_cpu_template(): Expected input's non-batch dimensions "
                f"to have positive length, but input has a shape of {list(input.shape)} and "
                "non-batch dimension 0 has length zero!"
            )
        raise RuntimeError(
            f"Expected {n + 1}D or {n + 2}D (batch mode) tensor with optional 0 dim batch size for "
            f"input, but got:{list(input.shape)}"
        )


def _pool_function(n: int) -> Any:
    name = f"max_pool{n}d"
    made, pair = _MAX[n]

    def pool(
        input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
        ceil_mode: bool = False, return_indices: bool = False,
    ) -> Any:  # fmt: skip
        at = windows(name, n, input.shape[-n:], kernel_size, stride, padding, dilation, ceil_mode)
        _check_planes(input, n)
        found = call(pair if return_indices else made, (input,), (at,))
        if stride is None:
            note(found[0] if return_indices else found, stride=())
        return found

    return pool


def max_pool1d(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    k, p, d = (
        sizes("max_pool1d", name, value, 1)[0]
        for name, value in (
            ("kernel_size", kernel_size), ("padding", padding), ("dilation", dilation)
        )
    )
    s = k if stride is None or stride in ((), []) else sizes("max_pool1d", "stride", stride, 1)[0]
    if return_indices:
        _check_ndim_1d(input)
    else:
        _check_1d(input, k, s, p, d, ceil_mode)
        if input.dtype.category != FLOAT:  # the kernel that gives no places takes no others
            raise NotImplementedError(
                f"\"max_pool1d_impl\" not implemented for '{SCALAR_NAMES[input.dtype]}'"
            )
    found = TABLE["nn.functional", "max_pool2d"](
        input.unsqueeze(-2), (1, k), (1, s), (0, p), (1, d), ceil_mode, return_indices
    )
    if return_indices:
        return found[0].squeeze(-2), found[1].squeeze(-2)
    return found.squeeze(-2)


def _check_ndim_1d(input: Tensor) -> None:
    if input.ndim not in (2, 3):
        raise RuntimeError(
            f"Expected 2 to 3 dimensions, but got {input.ndim}-dimensional tensor for argument #1 "
            "'self' (while checking arguments for max_pool1d)"
        )


def _check_1d(input: Tensor, k: int, s: int, p: int, d: int, ceil_mode: bool) -> None:
    if input.ndim not in (2, 3):
        raise RuntimeError(
            "max_pool1d: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for "
            f"input, but got:{list(input.shape)}"
        )
    for what, value in (("kernel_size", k), ("stride", s), ("dilation", d)):
        if value <= 0:
            raise RuntimeError(f"max_pool1d() {what} must be greater than zero, but got {value}")
    if p < 0:
        raise RuntimeError(f"max_pool1d() padding must be non-negative, but got {p}")
    if p > k // 2:
        raise RuntimeError(
            "max_pool1d() padding should be at most half of kernel size, but got "
            f"padding={p} and kernel_size={k}"
        )
    out = pooled_size(input.shape[-1], k, s, p, d, ceil_mode)
    if out <= 0:
        raise RuntimeError(f"max_pool1d() Invalid computed output size: {out}")


def _publish_pool(n: int, pool: Any) -> None:
    """F.max_pool takes return_indices last, torch.max_pool does not know it."""
    name = f"max_pool{n}d"
    pool.__doc__ = f"The maximum of each {n}-D window; with `return_indices` also where it is."
    composite(name=name, module="nn.functional")(pool)

    def with_indices(
        input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
        ceil_mode: bool = False, return_indices: bool = True,
    ) -> Any:  # fmt: skip
        return pool(input, kernel_size, stride, padding, dilation, ceil_mode, True)

    composite(name=f"{name}_with_indices", module="nn.functional")(with_indices)
    publish("torch", name, pool)


for _n in (1, 2, 3):
    _publish_pool(_n, max_pool1d if _n == 1 else _pool_function(_n))


@composite(method=False)
def max_pool1d_with_indices(
    input: Tensor, kernel_size: Any, stride: Any = (), padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False,
) -> Any:  # fmt: skip
    """The maxima of windows and their places, as the kernel gives them."""
    return max_pool1d(input, kernel_size, stride, padding, dilation, ceil_mode, True)
