"""Resizing images: interpolate in all its modes, and the older upsample functions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from ..core.check import unsupported, warn
from ..core.dispatch import call
from ..core.dtypes import uint8
from ..core.op import TABLE, Array, composite, op
from ..core.tensor import Tensor
from .activation import wide
from .kinds import FLOATING, refuse

NAMES = {1: "linear", 2: "bilinear", 3: "trilinear"}
SHARP = ("linear", "bilinear", "bicubic", "trilinear", "lanczos")
KNOWN = "nearest | linear | bilinear | bicubic | trilinear | lanczos | area | nearest-exact"


# ----- where each output reads its input, per dim -----
def _step(n: int, out: int, align: bool, scale: float | None) -> float:
    """Input elements per output element."""
    if align:
        return (n - 1) / (out - 1) if out > 1 else 0.0
    return 1.0 / scale if scale is not None and scale > 0 else n / out


def _nearest(n: int, out: int, scale: float | None, exact: bool) -> Any:
    step = np.float32(_step(n, out, False, scale))  # PyTorch rounds in float32
    at = np.arange(out, dtype=np.float32) + np.float32(0.5 if exact else 0)
    return np.minimum(np.floor(at * step).astype(np.int64), n - 1)


def _linear(n: int, out: int, align: bool, scale: float | None) -> tuple[Any, Any]:
    """(places, weights), each (out, 2)."""
    step = _step(n, out, align, scale)
    at = np.arange(out) * step if align else np.maximum((np.arange(out) + 0.5) * step - 0.5, 0)
    low = np.minimum(np.floor(at).astype(np.int64), n - 1)
    part = np.clip(at - low, 0, 1)
    return np.stack([low, np.minimum(low + 1, n - 1)], 1), np.stack([1 - part, part], 1)


def _cubic(n: int, out: int, align: bool, scale: float | None) -> tuple[Any, Any]:
    """(places, weights), each (out, 4); Keys' kernel with a = -0.75."""
    step = _step(n, out, align, scale)
    at = np.arange(out) * step if align else (np.arange(out) + 0.5) * step - 0.5
    low = np.floor(at).astype(np.int64)
    part = at - low
    places = np.clip(low[:, None] + np.arange(-1, 3), 0, n - 1)
    gaps = np.abs(part[:, None] - np.arange(-1, 3))
    return places, _keys(gaps, -0.75)


def _keys(x: Any, a: float) -> Any:
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * a
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))


def _triangle(x: Any) -> Any:
    return np.maximum(1 - np.abs(x), 0)


def _lanczos(x: Any) -> Any:
    return np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0.0)


FILTERS: dict[str, tuple[int, Callable[[Any], Any]]] = {
    "bilinear": (2, _triangle),
    "bicubic": (4, lambda x: _keys(np.abs(x), -0.5)),
    "lanczos": (6, _lanczos),
}


def _smooth(n: int, out: int, align: bool, scale: float | None, mode: str) -> Any:
    """(out, n) weights of a filter as wide as the reduction, as in Pillow."""
    width, kernel = FILTERS[mode]
    step = _step(n, out, align, scale)
    reach, narrow = width * 0.5 * max(step, 1.0), 1 / max(step, 1.0)
    weights = np.zeros((out, n))
    for i in range(out):
        centre = step * (i + 0.5)
        low, high = max(int(centre - reach + 0.5), 0), min(int(centre + reach + 0.5), n)
        row = kernel((np.arange(low, high) - centre + 0.5) * narrow)
        weights[i, low:high] = row / row.sum() if row.sum() else row
    return weights


# ----- reading -----
def _mix(x: Any, axis: int, places: Any, weights: Any) -> Any:
    """A weighted sum of gathered slices along one axis."""
    shape = [-1 if i == axis else 1 for i in range(x.ndim)]
    total = None
    for at, w in zip(places.T, weights.T):
        if not w.any():
            continue
        term = jnp.take(x, at, axis=axis) * jnp.asarray(w, x.dtype).reshape(shape)
        total = term if total is None else total + term
    return total


def _pick(x: Any, axis: int, places: Any) -> Any:
    n, out = x.shape[axis], len(places)
    if out % n == 0 and (places == np.arange(out) // (out // n)).all():
        times = out // n  # whole repeats need no gather, and their gradient no scatter
        wide_shape = (*x.shape[: axis + 1], times, *x.shape[axis + 1 :])
        repeated = jnp.broadcast_to(jnp.expand_dims(x, axis + 1), wide_shape)
        return repeated.reshape(*x.shape[:axis], out, *x.shape[axis + 1 :])
    return jnp.take(x, places, axis=axis)


def _node(statics: dict[str, Any]) -> str:
    n, mode = len(statics["out"]), statics["mode"]
    if mode.startswith("nearest"):
        return f"UpsampleNearest{'Exact' if mode != 'nearest' else ''}{n}DBackward0"
    aa = "Aa" if statics["antialias"] else ""
    return f"Upsample{mode.title()}{n}D{aa}Backward0"


def _scale(i: int) -> Any:
    return lambda call: None if call.scales is None else call.scales[i]


_SHOWS = {
    "output_size": lambda call: call.out, "align_corners": lambda call: call.align,
    "scales": _scale(-1), "scales_w": _scale(-1), "scales_h": _scale(-2), "scales_d": _scale(-3),
    "scale_factors": lambda call: call.scales,
}  # fmt: skip


@op(module=None, promote="none", node=_node, shows=_SHOWS)
def upsample_to(
    input: Array, out: object, scales: object, mode: str, align: bool, antialias: bool
):
    n = len(out)  # type: ignore[arg-type]
    _check_kind(input, mode, n)
    x = input if mode.startswith("nearest") else wide(input)
    for i, (size, m) in enumerate(zip(input.shape[2:], out)):  # type: ignore[arg-type]
        scale = None if scales is None else scales[i]  # type: ignore[index]
        x = _resized(x, i + 2, size, m, scale, mode, align, antialias)
    return x.astype(input.dtype)


def _check_kind(x: Any, mode: str, n: int) -> None:
    if mode.startswith("nearest"):
        if x.dtype != jnp.uint8:
            kernel = "upsample_nearest2d_channels_last" if n == 2 else ""
            refuse(kernel or "compute_indices_weights_nearest", x, FLOATING)
        return
    kernels = {"bilinear": "upsample_bilinear2d_channels_last"}
    refuse(
        kernels.get(mode, f"compute_indices_weights_{NAMES[n] if n != 2 else mode}"), x, FLOATING
    )


def _resized(
    x: Any, axis: int, n: int, out: int, scale: Any, mode: str, align: bool, antialias: bool
) -> Any:
    if mode.startswith("nearest"):
        return _pick(x, axis, _nearest(n, out, scale, mode != "nearest"))
    if antialias:
        weights = jnp.asarray(_smooth(n, out, align, scale, mode), x.dtype)
        found = jnp.tensordot(x, weights, ((axis,), (1,)), preferred_element_type=x.dtype)
        return jnp.moveaxis(found, -1, axis)
    if n == out and (align or scale in (None, 1.0)):
        return x
    form = _cubic if mode == "bicubic" else _linear
    return _mix(x, axis, *form(n, out, align, scale))


# ----- the public function -----
@composite(module="nn.functional")
def interpolate(
    input: Tensor, size: Any = None, scale_factor: Any = None, mode: str = "nearest",
    align_corners: bool | None = None, recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:  # fmt: skip
    """An image, line or volume resized to `size` or by `scale_factor`."""
    if mode in ("nearest", "area", "nearest-exact") and align_corners is not None:
        raise ValueError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear "
            "| bicubic | trilinear"
        )
    out, scales = _target(input, size, scale_factor, mode, recompute_scale_factor)
    if antialias and not (mode in FILTERS and input.ndim == 4):
        raise ValueError(
            "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires "
            "a 4-D tensor as input"
        )
    if mode == "area" and input.ndim in (3, 4, 5):
        return TABLE["nn.functional", f"adaptive_avg_pool{input.ndim - 2}d"](input, out)
    _check_mode(input, mode, align_corners, antialias)
    _check_sizes(input, out)
    if input.dtype is uint8 and not mode.startswith("nearest"):
        raise unsupported("interpolate", "input", "a uint8 tensor with this mode")
    return call(upsample_to, (input,), (out, scales, mode, bool(align_corners), bool(antialias)))


def _target(
    input: Tensor, size: Any, factor: Any, mode: str, recompute: bool | None
) -> tuple[tuple[int, ...], Any]:
    """The output's spatial shape, and the scales where they, not it, decide the steps."""
    n, spatial = input.ndim - 2, list(input.shape[2:])
    if size is not None and factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is not None:
        out = _given_size(size, n, spatial)
        if recompute:
            raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
        return out, None
    if factor is None:
        raise ValueError("either size or scale_factor should be defined")
    if isinstance(factor, (tuple, list)):
        if len(factor) != n:
            raise ValueError(
                "Input and scale_factor must have the same number of spatial dimensions, but got "
                f"input with spatial dimensions of {spatial} and scale_factor of shape {factor}. "
                "Please provide input tensor in (N, C, d1, d2, ...,dK) format and scale_factor in "
                "(s1, s2, ...,sK) format."
            )
        scales = tuple(float(s) for s in factor)
    else:
        scales = (float(factor),) * n
    out = tuple(math.floor(m * s) for m, s in zip(spatial, scales))
    return out, None if recompute or mode == "area" else scales


def _given_size(size: Any, n: int, spatial: list[int]) -> tuple[int, ...]:
    if not isinstance(size, (tuple, list)):
        return (int(size),) * n
    if len(size) != n:
        raise ValueError(
            "Input and output must have the same number of spatial dimensions, but got input with "
            f"spatial dimensions of {spatial} and output size of {size}. Please provide input "
            "tensor in (N, C, d1, d2, ...,dK) format and output size in (o1, o2, ...,oK) format."
        )
    if not all(hasattr(s, "__index__") for s in size):
        raise TypeError(
            "expected size to be one of int or Tuple[int] or Tuple[int, int] or Tuple[int, int, "
            f"int], but got size with types {[type(s) for s in size]}"
        )
    return tuple(s.__index__() for s in size)


def _check_mode(input: Tensor, mode: str, align: bool | None, antialias: bool) -> None:
    n = input.ndim - 2
    if mode in ("nearest", "nearest-exact", NAMES.get(n)) and n in (1, 2, 3):
        return
    if n == 2 and mode == "bicubic":
        return
    if n == 2 and mode == "lanczos":
        if align:
            raise ValueError("Lanczos mode does not support align_corners=True")
        if not antialias:
            raise ValueError("Lanczos mode requires antialias=True")
        return
    for dims, name in NAMES.items():
        if mode == name and n in (1, 2, 3):
            raise NotImplementedError(
                f"Got {input.ndim}D input, but {name} mode needs {dims + 2}D input"
            )
    raise NotImplementedError(
        f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {input.ndim}D) for the "
        f"modes: {KNOWN} (got {mode})"
    )


def _check_sizes(input: Tensor, out: tuple[int, ...]) -> None:
    have = tuple(input.shape[2:])
    if min(*have, *out) <= 0:
        names = ("D", "H", "W")[3 - len(out) :]
        said = [", ".join(f"{name}: {v}" for name, v in zip(names, s)) for s in (have, out)]
        raise RuntimeError(
            "Input and output sizes should be greater than 0, but got input "
            f"({said[0]}) and output ({said[1]})"
        )


# ----- the older names -----
def _deprecated(name: str) -> None:
    warn(
        f"`nn.functional.{name}` is deprecated. Use `nn.functional.interpolate` instead."
    )


@composite(module="nn.functional")
def upsample(
    input: Tensor, size: Any = None, scale_factor: Any = None, mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:  # fmt: skip
    _deprecated("upsample")
    return interpolate(input, size, scale_factor, mode, align_corners)


@composite(module="nn.functional")
def upsample_nearest(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    _deprecated("upsample_nearest")
    return interpolate(input, size, scale_factor, mode="nearest")


@composite(module="nn.functional")
def upsample_bilinear(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    _deprecated("upsample_bilinear")
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)
