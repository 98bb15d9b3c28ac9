"""Sampling at points: affine_grid and grid_sample."""

from __future__ import annotations

import itertools
import math
from typing import Any

import jax.numpy as jnp
import numpy as np

from ..core.check import warn
from ..core.dispatch import call
from ..core.dtypes import FLOAT, SCALAR_NAMES
from ..core.op import Array, composite, op
from ..core.tensor import Tensor

MODES, PADDINGS = ("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection")
CHANGED = (
    "Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. "
    "Please specify align_corners=True if the old behavior is desired. See the documentation of "
    "grid_sample for details."
)


# ----- affine_grid -----
def _points(n: int, align: bool) -> Any:
    if n <= 1:
        return np.zeros(n)
    return np.linspace(-1, 1, n) * (1 if align else (n - 1) / n)


@op(module=None, promote="none", name="affine_grid_generator")
def _affine_grid(theta: Array, size: object, align: bool):
    axes = [_points(n, align) for n in size[2:]]  # type: ignore[index]
    ones = np.ones([len(a) for a in axes])
    base = np.stack([*np.meshgrid(*axes, indexing="ij")[::-1], ones], -1)
    base = jnp.asarray(base, theta.dtype).reshape(-1, base.shape[-1])
    found = jnp.matmul(base, theta.swapaxes(1, 2), preferred_element_type=theta.dtype)
    return found.reshape(theta.shape[0], *ones.shape, theta.shape[1])


@composite(name="affine_grid_generator", method=False)
def torch_affine_grid_generator(theta: Tensor, size: Any, align_corners: bool) -> Tensor:
    if len(size) not in (4, 5):
        raise RuntimeError("AffineGridGenerator needs 4d (spatial) or 5d (volumetric) inputs.")
    return call(_affine_grid, (theta,), (tuple(size), bool(align_corners)))


@composite(module="nn.functional")
def affine_grid(theta: Tensor, size: Any, align_corners: bool | None = None) -> Tensor:
    """The points that an affine map sends the pixels of an image of this size to."""
    if align_corners is None:
        warn(CHANGED)
        align_corners = False
    if theta.dtype.category < FLOAT:
        raise ValueError(f"Expected theta to have floating point type, but got {theta.dtype}")
    _check_theta(theta, size)
    if min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {_as_given(size)}")
    return torch_affine_grid_generator(theta, size, align_corners)


def _as_given(size: Any) -> Any:
    return size if isinstance(size, (tuple, list)) else tuple(size)


def _check_theta(theta: Tensor, size: Any) -> None:
    if len(size) not in (4, 5):
        raise NotImplementedError(
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, "
            f"respectively. Got size {_as_given(size)}."
        )
    n = len(size) - 2
    if theta.ndim != 3 or tuple(theta.shape[-2:]) != (n, n + 1):
        raise ValueError(
            f"Expected a batch of {n}D affine matrices of shape Nx{n}x{n + 1} for size "
            f"{_as_given(size)}. Got {theta.shape}."
        )


# ----- grid_sample -----
def _to_pixels(x: Any, n: int, align: bool) -> Any:
    return (x + 1) / 2 * (n - 1) if align else ((x + 1) * n - 1) / 2


def _clipped(x: Any, n: int) -> Any:
    """Inside the image; the slope is zero at and beyond the border, as in PyTorch."""
    top = jnp.asarray(n - 1, x.dtype)
    return jnp.where(x <= 0, jnp.zeros_like(x), jnp.where(x >= top, top, x))


def _reflected(x: Any, n: int, align: bool) -> Any:
    low, span = (0.0, n - 1.0) if align else (-0.5, float(n))
    if span <= 0:
        return jnp.zeros_like(x)
    away = jnp.abs(x - low)
    flips = jnp.floor(away / span)
    extra = away - flips * span
    return jnp.where(flips % 2 == 0, extra + low, span - extra + low)


def _placed(x: Any, n: int, padding: str, align: bool) -> Any:
    if padding == "border":
        return _clipped(x, n)
    if padding == "reflection":
        return _clipped(_reflected(x, n, align), n)
    return x


def _values(planes: Any, places: list[Any], size: tuple[int, ...]) -> Any:
    """(n, c, points) at whole-numbered places, zero outside."""
    flat = jnp.zeros((), jnp.int64)
    inside: Any = True
    for at, n in zip(places, size):
        inside = inside & (at >= 0) & (at < n)
        flat = flat * n + jnp.clip(at, 0, n - 1).astype(jnp.int64)
    rows = jnp.arange(planes.shape[0])[:, None]
    found = planes[rows, :, flat].swapaxes(1, 2)  # (n, points, c) -> (n, c, points)
    return jnp.where(inside[:, None], found, jnp.zeros_like(found))


def _bilinear(planes: Any, spots: list[Any], size: tuple[int, ...]) -> Any:
    lows = [jnp.floor(x) for x in spots]
    total = None
    for corner in itertools.product((0, 1), repeat=len(spots)):
        weight = math.prod(
            (x - low if c else low + 1 - x for x, low, c in zip(spots, lows, corner)),
            start=jnp.ones((), planes.dtype),
        )
        term = _values(planes, [low + c for low, c in zip(lows, corner)], size) * weight[:, None]
        total = term if total is None else total + term
    return total


def _cubic_weights(t: Any) -> list[Any]:
    a = -0.75

    def near(x: Any) -> Any:
        return ((a + 2) * x - (a + 3)) * x * x + 1

    def far(x: Any) -> Any:
        return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a

    return [far(t + 1), near(t), near(1 - t), far(2 - t)]


def _bicubic(planes: Any, spots: list[Any], size: Any, padding: str, align: bool) -> Any:
    lows = [jnp.floor(x) for x in spots]
    weights = [_cubic_weights(x - low) for x, low in zip(spots, lows)]
    total = None
    for i, j in itertools.product(range(4), repeat=2):
        at = [
            jnp.round(_placed(low + k - 1, n, padding, align))
            for low, k, n in zip(lows, (i, j), size)
        ]
        term = _values(planes, at, size) * (weights[0][i] * weights[1][j])[:, None]
        total = term if total is None else total + term
    return total


def _sample(input: Any, grid: Any, mode: str, padding: str, align: bool) -> Any:
    n, c, *size = input.shape
    points = grid.reshape(n, math.prod(grid.shape[1:-1]), len(size))
    spots = [_to_pixels(points[..., -1 - i], m, align) for i, m in enumerate(size)]
    planes = input.reshape(n, c, math.prod(size))
    if mode == "bicubic":
        found = _bicubic(planes, spots, size, padding, align)
    else:
        spots = [_placed(x, m, padding, align) for x, m in zip(spots, size)]
        if mode == "nearest":
            found = _values(planes, [jnp.round(x) for x in spots], tuple(size))
        else:
            found = _bilinear(planes, spots, tuple(size))
    return found.reshape(n, c, *grid.shape[1:-1])


def _sampler(n: int) -> Any:
    @op(module=None, promote="none", name=f"grid_sampler_{n}d", node=f"GridSampler{n}DBackward0")
    def made(input: Array, grid: Array, mode: str, padding: str, align: bool):
        return _sample(input, grid, mode, padding, align)

    return made


_SAMPLERS = {n: _sampler(n) for n in (2, 3)}


def _check_sampler(input: Tensor, grid: Tensor, mode: str) -> None:
    a, b = list(input.shape), list(grid.shape)
    if input.shape[0] != grid.shape[0]:
        raise RuntimeError(
            "grid_sampler(): expected grid and input to have same batch size, but got input with "
            f"sizes {a} and grid with sizes {b}"
        )
    if grid.shape[-1] != input.ndim - 2:
        raise RuntimeError(
            f"grid_sampler(): expected grid to have size {input.ndim - 2} in last dimension, but "
            f"got grid with sizes {b}"
        )
    for i in range(2, input.ndim):
        if input.shape[i] <= 0:
            raise RuntimeError(
                "grid_sampler(): expected input to have non-empty spatial dimensions, but input "
                f"has sizes {a} with dimension {i} being empty"
            )
    if input.ndim not in (4, 5) or input.ndim != grid.ndim:
        wanted = f"{input.ndim}D" if input.ndim in (4, 5) else "4D or 5D"
        raise RuntimeError(
            f"grid_sampler(): expected {wanted} input and grid with same number of dimensions, but "
            f"got input with sizes {a} and grid with sizes {b}"
        )
    if input.ndim == 5 and mode == "bicubic":
        raise RuntimeError("grid_sampler(): bicubic interpolation only supports 4D input")
    if input.dtype is not grid.dtype:
        names = SCALAR_NAMES[input.dtype], SCALAR_NAMES[grid.dtype]
        raise RuntimeError("expected scalar type {} but found {}".format(*names))


@composite(module="nn.functional")
def grid_sample(
    input: Tensor, grid: Tensor, mode: str = "bilinear", padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:  # fmt: skip
    """The input at the points of a grid, in coordinates from -1 to 1."""
    if mode not in MODES:
        raise ValueError(
            "nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', "
            f"but got: '{mode}'"
        )
    if padding_mode not in PADDINGS:
        raise ValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or "
            f"'reflection', but got: '{padding_mode}'"
        )
    if align_corners is None:
        warn(CHANGED)
        align_corners = False
    return _run(input, grid, mode, padding_mode, align_corners)


def _run(input: Tensor, grid: Tensor, mode: str, padding: str, align: bool) -> Tensor:
    _check_sampler(input, grid, mode)
    return call(_SAMPLERS[input.ndim - 2], (input, grid), (mode, padding, bool(align)))


def _numbered(name: str) -> None:
    """The torch.* forms, which name mode and padding by numbers."""

    def sampler(input, grid, interpolation_mode, padding_mode, align_corners):
        return _run(
            input, grid, MODES[interpolation_mode], PADDINGS[padding_mode], align_corners
        )

    composite(name=name, method=False)(sampler)


for _name in ("grid_sampler", "grid_sampler_2d", "grid_sampler_3d"):
    _numbered(_name)
