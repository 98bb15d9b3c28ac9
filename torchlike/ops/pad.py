"""Padding: constant, reflect, replicate, circular."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from ..core.dispatch import call
from ..core.op import Array, Number, composite, op
from ..core.tensor import Tensor
from .kinds import NUMERIC, refuse

MODES = ("constant", "reflect", "replicate", "circular")
COMBINATIONS = (
    "Padding size {} is not supported for {}D input tensor.\nSupported combinations for "
    "non-constant padding:\n  - 2D or 3D input: padding size = 2 (pads last dimension)\n  - 3D or "
    "4D input: padding size = 4 (pads last 2 dimensions)\n  - 4D or 5D input: padding size = 6 "
    "(pads last 3 dimensions)"
)


def sides(pad: tuple[int, ...], ndim: int) -> list[tuple[int, int]]:
    """(before, after) of every dim, from PyTorch's order: last dim first."""
    pairs = [(pad[i], pad[i + 1]) for i in range(0, len(pad), 2)]
    return [(0, 0)] * (ndim - len(pairs)) + pairs[::-1]


def crop(x: Any, around: list[tuple[int, int]]) -> Any:
    """Negative padding, done first."""
    if all(a >= 0 and b >= 0 for a, b in around):
        return x
    start = [max(-a, 0) for a, _ in around]
    stop = [n - max(-b, 0) for n, (_, b) in zip(x.shape, around)]
    return lax.slice(x, start, stop)


# ----- constant -----
@op(name="constant_pad_nd", module=None)
def constant_pad(input: Array, value: Number, pad: object):
    around = sides(pad, input.ndim)  # type: ignore[arg-type]
    if any(n + a + b < 0 for n, (a, b) in zip(input.shape, around)):
        raise RuntimeError("narrow(): length must be non-negative.")
    inner = crop(input, around)
    if all(a <= 0 and b <= 0 for a, b in around):
        return inner
    config = [(max(a, 0), max(b, 0), 0) for a, b in around]
    return lax.pad(inner, value.astype(input.dtype), config)


@constant_pad.gradient
def _(grad, pad):
    return constant_pad(grad, 0, tuple(-n for n in pad))


def _check_pairs(pad: tuple[int, ...]) -> None:
    if len(pad) % 2:
        raise RuntimeError("Padding length must be divisible by 2")


@composite(method=False)
def constant_pad_nd(input: Tensor, pad: Any, value: Any = 0) -> Tensor:
    """Constants around the last dims; a negative size crops."""
    pad = tuple(int(n) for n in pad)
    _check_pairs(pad)
    if len(pad) > 2 * input.ndim:
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but got "
            f"padding length {len(pad)} and input of dimension {input.ndim}"
        )
    if not pad:
        return input.clone()
    return call(constant_pad, (input, value), (pad,))


# ----- the others, along one axis after another -----
def _part(x: Any, axis: int, start: int, stop: int) -> Any:
    return lax.slice_in_dim(x, start, stop, axis=axis)


def _reflected(x: Any, axis: int, before: int, after: int) -> Any:
    n = x.shape[axis]
    if before < 0 or after < 0:
        at = np.abs(np.arange(n + before + after) - before)
        return jnp.take(x, np.where(at < n, at, 2 * (n - 1) - at), axis=axis)
    return _joined(
        x, axis,
        before and lax.rev(_part(x, axis, 1, before + 1), (axis,)),
        after and lax.rev(_part(x, axis, n - 1 - after, n - 1), (axis,)),
    )  # fmt: skip


def _replicated(x: Any, axis: int, before: int, after: int) -> Any:
    n = x.shape[axis]
    if before < 0 or after < 0:
        return jnp.take(x, np.clip(np.arange(n + before + after) - before, 0, n - 1), axis=axis)

    def edge(at: int, count: int) -> Any:
        shape = (*x.shape[:axis], count, *x.shape[axis + 1 :])
        return jnp.broadcast_to(_part(x, axis, at, at + 1), shape)

    return _joined(x, axis, before and edge(0, before), after and edge(n - 1, after))


def _wrapped(x: Any, axis: int, before: int, after: int) -> Any:
    n = x.shape[axis]
    if before < 0 or after < 0:  # what is left after cropping is what wraps
        if n + before + after == 0:
            return _part(x, axis, 0, 0)
        x = _part(x, axis, max(-before, 0), n - max(-after, 0))
        n, before, after = x.shape[axis], max(before, 0), max(after, 0)
    return _joined(
        x, axis, before and _part(x, axis, n - before, n), after and _part(x, axis, 0, after)
    )


def _joined(x: Any, axis: int, before: Any, after: Any) -> Any:
    parts = [p for p in (before, x, after) if not isinstance(p, int)]
    return x if len(parts) == 1 else jnp.concatenate(parts, axis)


def _all_axes(form: Any, x: Any, pad: tuple[int, ...]) -> Any:
    for axis, (before, after) in enumerate(sides(pad, x.ndim)):
        if before or after:
            x = form(x, axis, before, after)
    return x


def _node(kind: str) -> Any:
    return lambda statics: f"{kind}Pad{len(statics['pad']) // 2}DBackward0"


@op(module=None, promote="none", node=_node("Reflection"))
def reflection_pad(input: Array, pad: object):
    refuse(f"reflection_pad{len(pad) // 2}d", input, NUMERIC)  # type: ignore[arg-type]
    around = sides(pad, input.ndim)  # type: ignore[arg-type]
    _check_filled(input, len(pad) // 2)  # type: ignore[arg-type]
    for axis in range(input.ndim - 1, -1, -1):
        n, (before, after) = input.shape[axis], around[axis]
        if (before or after) and (before >= n or after >= n):
            place = 4 + 2 * (input.ndim - 1 - axis)
            raise RuntimeError(
                f"Argument #{place}: Padding size should be less than the corresponding input "
                f"dimension, but got: padding ({before}, {after}) at dimension {axis} of input "
                f"{list(input.shape)}"
            )
    return _all_axes(_reflected, input, pad)  # type: ignore[arg-type]


@op(module=None, promote="none", node=_node("Replication"))
def replication_pad(input: Array, pad: object):
    refuse(f"replication_pad{len(pad) // 2}d", input, NUMERIC)  # type: ignore[arg-type]
    n = len(pad) // 2  # type: ignore[arg-type]
    _check_filled(input, n)
    size = [m + a + b for m, (a, b) in zip(input.shape, sides(pad, input.ndim))][-n:]  # type: ignore[arg-type]
    if min(size) < 1:
        names = ("W",) if n == 1 else ("H", "W") if n == 2 else ("D", "H", "W")
        have, get = (
            " ".join(f"{name}: {m}" for name, m in zip(names, s)) for s in (input.shape[-n:], size)
        )
        raise RuntimeError(f"input ({have}) is too small. Calculated output {get}")
    return _all_axes(_replicated, input, pad)  # type: ignore[arg-type]


def _check_filled(x: Any, n: int) -> None:
    if 0 in x.shape[-n - 1 :]:
        raise RuntimeError(
            f"Expected {n + 1}D or {n + 2}D (batch mode) tensor with possibly 0 batch size and "
            f"other non-zero dimensions for input, but got: {list(x.shape)}"
        )


@op(module=None, promote="none", node="CopySlices")
def circular_pad(input: Array, pad: object):
    for n, (before, after) in zip(input.shape, sides(pad, input.ndim)):  # type: ignore[arg-type]
        if before > n or after > n:
            raise RuntimeError("Padding value causes wrapping around more than once.")
        if n + before + after < 0:
            raise RuntimeError("Negative padding value is resulting in an empty dimension")
    return _all_axes(_wrapped, input, pad)  # type: ignore[arg-type]


_FORMS = {"reflect": reflection_pad, "replicate": replication_pad, "circular": circular_pad}


@composite(module="nn.functional")
def pad(input: Tensor, pad: Any, mode: str = "constant", value: Any = None) -> Tensor:
    """Padding of the last dims, in (left, right, top, bottom, …) order."""
    pad = _checked(pad)
    if mode == "constant":
        return constant_pad_nd(input, pad, 0 if value is None else value)
    _check_pairs(pad)
    if mode not in MODES:
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    if value is not None and value != 0:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    if len(pad) not in (2, 4, 6) or input.ndim - len(pad) // 2 not in (1, 2):
        raise NotImplementedError(COMBINATIONS.format(len(pad), input.ndim))
    return call(_FORMS[mode], (input,), (pad,))


def _checked(pad: Any) -> tuple[int, ...]:
    if not isinstance(pad, (tuple, list)):
        raise TypeError(
            f"pad(): argument 'pad' (position 2) must be tuple of ints, not {type(pad).__name__}"
        )
    for i, n in enumerate(pad, 1):
        if isinstance(n, float) or not hasattr(n, "__index__"):
            raise TypeError(
                f"pad(): argument 'pad' failed to unpack the object at pos {i} with error \"type "
                f'must be tuple of ints,but got {type(n).__name__}"'
            )
    return tuple(n.__index__() for n in pad)
