"""Maxima over other windows: adaptive and fractional max_pool; max_unpool."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np

from ..core.dispatch import call
from ..core.dtypes import FLOAT, SCALAR_NAMES, int64
from ..core.op import TABLE, Array, composite, op, publish
from ..core.tensor import Tensor
from .demands import check_range
from .kinds import FLOATING, refuse
from .pool import pool_slope, sizes
from .pool_average import adaptive_places, adaptive_size, check_dims, check_filled


# ----- windows given by their places -----
def _chosen(x: Any, places: list[Any], insides: list[Any]) -> tuple[Any, Any]:
    """The maximum over (out_1, k_1) × … places of each plane, and its flat place.

    `places[i]` broadcasts against (planes, out_i, k_i).
    """
    n = len(places)
    size = x.shape[-n:]
    flat, inside = jnp.zeros((), jnp.int64), np.ones((), bool)
    for i, (at, mask) in enumerate(zip(places, insides)):
        shape = (at.shape[0], *_in_place(at.shape[1], i, n), *_in_place(at.shape[2], i, n))
        flat = flat * size[i] + at.reshape(shape)
        inside = inside & np.asarray(mask).reshape(shape[0] if mask.shape[0] > 1 else 1, *shape[1:])
    planes = x.reshape(math.prod(x.shape[:-n]), math.prod(size))
    flat = jnp.broadcast_to(flat, (planes.shape[0], *flat.shape[1:]))
    out, count = flat.shape[1 : n + 1], math.prod(flat.shape[n + 1 :])
    flat = flat.reshape(planes.shape[0], math.prod(out), count)
    rows = jnp.arange(planes.shape[0])[:, None, None]
    seen = planes[rows, flat]
    inside = np.broadcast_to(inside, (1, *out, *inside.shape[n + 1 :]))
    inside = inside.reshape(1, math.prod(out), count)
    shown = jnp.where(seen != seen, jnp.inf, seen)  # nan is greater than all
    best = jnp.argmax(jnp.where(inside, shown, -jnp.inf), -1)[..., None]
    shape = (*x.shape[:-n], *out)
    pick = lambda a: jnp.take_along_axis(a, best, -1).reshape(shape)  # noqa: E731
    return pick(seen), pick(flat)


def _in_place(count: int, i: int, n: int) -> list[int]:
    return [count if j == i else 1 for j in range(n)]


def _by_result(made: Any, n: int) -> None:
    made.gradient(
        lambda grad, input, result1: call(pool_slope, (grad, result1), (tuple(input.shape), n))
    )


def _adaptive_max(n: int) -> Any:
    @op(
        module=None, promote="none", name=f"adaptive_max_pool{n}d", returns=tuple,
        node=f"AdaptiveMaxPool{n}DBackward0",
    )  # fmt: skip
    def made(input: Array, out: object):
        refuse(f"adaptive_max_pool{n}d" + "_cpu" * (n == 3), input, FLOATING)
        found = [adaptive_places(s, m) for s, m in zip(input.shape[-n:], out)]  # type: ignore[arg-type]
        places = [jnp.asarray(at)[None] for at, _ in found]
        return _chosen(input, places, [inside[None] for _, inside in found])

    _by_result(made, n)
    return made


_ADAPTIVE = {n: _adaptive_max(n) for n in (2, 3)}


def _adaptive_function(n: int) -> None:
    name = f"adaptive_max_pool{n}d"

    def with_indices(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
        wrong = f"{name}(): internal error: output_size.size() must be {n}"
        size = (1,) * (n - input.ndim) + tuple(input.shape[-n:])
        out = adaptive_size(input.ndim, output_size, size, wrong)
        check_filled(name, input, n, ":")
        if min(out) < 0:
            raise RuntimeError(
                f"Trying to create tensor with negative dimension {min(out)}: "
                f"{[*input.shape[:-n], *out]}"
            )
        return call(_ADAPTIVE[n], (input,), (out,))

    def pool(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
        found = with_indices(input, output_size)
        return found if return_indices else found[0]

    pool.__doc__ = f"The maximum of each of `output_size` {n}-D windows that cover the input."
    composite(name=name, module="nn.functional")(pool)
    composite(name=f"{name}_with_indices", module="nn.functional")(with_indices)


_adaptive_function(2)
_adaptive_function(3)


@composite(module="nn.functional")
def adaptive_max_pool1d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> Any:
    check_dims("adaptive_max_pool1d", input, 2, 3)
    out = sizes("adaptive_max_pool1d", "output_size", output_size, 1)
    found = TABLE["nn.functional", "adaptive_max_pool2d_with_indices"](
        input.unsqueeze(-2), (1, *out)
    )
    return found[0].squeeze(-2), found[1].squeeze(-2)


@composite(module="nn.functional")
def adaptive_max_pool1d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """The maximum of each of `output_size` windows that cover the input."""
    found = adaptive_max_pool1d_with_indices(input, output_size)
    return found if return_indices else found[0]


publish("torch", "adaptive_max_pool1d", adaptive_max_pool1d_with_indices)


# ----- fractional: windows begin at random places -----
def _starts(samples: Any, n: int, out: int, k: int) -> Any:
    """(planes, out): where the windows of one dim begin; PyTorch's rounding, in its dtype."""
    last = jnp.full((samples.shape[0], 1), n - k, jnp.int64)
    if out == 1:
        return last
    alpha = jnp.asarray((n - k) / (out - 1), samples.dtype)
    steps = jnp.arange(out - 1).astype(samples.dtype)
    u = samples[:, None]
    first = ((steps + u) * alpha).astype(jnp.int64) - (u * alpha).astype(jnp.int64)
    return jnp.concatenate([first, last], 1)


def _fractional(n: int) -> Any:
    @op(
        module=None, promote="none", name=f"fractional_max_pool{n}d", returns=tuple,
        node=f"FractionalMaxPool{n}DBackward0",
    )  # fmt: skip
    def made(input: Array, samples: Array, kernel: object, out: object):
        draws = samples.reshape(-1, n)
        order = range(n) if n == 3 else reversed(range(n))  # 2-D draws the width first
        places, insides = [], []
        for which, size, k, m in zip(order, input.shape[-n:], kernel, out):  # type: ignore[arg-type]
            begin = _starts(draws[:, which], size, m, k)
            places.append(begin[:, :, None] + jnp.arange(k))
            insides.append(np.ones((1, m, k), bool))
        return _chosen(input, places, insides)

    made.gradient(
        lambda grad, input, result1: (
            call(pool_slope, (grad, result1), (tuple(input.shape), n)), None
        )
    )  # fmt: skip
    return made


_FRACTIONAL = {n: _fractional(n) for n in (2, 3)}
_SIDES = {2: ("height", "width"), 3: ("time", "height", "width")}


def _fractional_function(n: int) -> None:
    name = f"fractional_max_pool{n}d"

    def with_indices(
        input: Tensor, kernel_size: Any, output_size: Any = None, output_ratio: Any = None,
        return_indices: bool = False, _random_samples: Tensor | None = None,
    ) -> Any:  # fmt: skip
        if output_size is None and output_ratio is None:
            raise ValueError(f"{name} requires specifying either an output_size or an output_ratio")
        input.dim()  # what is no tensor fails as in PyTorch
        input.size(-n - 1)
        kernel_name = name if n == 2 else f"{name}_out"
        if input.ndim not in (n + 1, n + 2):
            raise RuntimeError(
                f"{kernel_name}(): Expected {n + 1}D or {n + 2}D tensor, but got: "
                f"{list(input.shape)}"
            )
        if input.is_complex():  # type: ignore[attr-defined]
            raise NotImplementedError(
                f"\"{name}_out_frame\" not implemented for '{SCALAR_NAMES[input.dtype]}'"
            )
        size = input.shape[-n:]
        if output_size is None:
            ratio = output_ratio if isinstance(output_ratio, (tuple, list)) else (output_ratio,) * n
            output_size = tuple(int(s * r) for s, r in zip(size, ratio))
        kernel = sizes(name, "kernel_size", kernel_size, n)
        out = sizes(name, "output_size", output_size, n)
        for side, s, k, m in zip(_SIDES[n], size, kernel, out):
            if m + k - 1 > s:
                raise RuntimeError(
                    f"{kernel_name}(): pool {side} {k} too large relative to input {side} {s}"
                )
        if _random_samples is None:
            batch = input.shape[0] if input.ndim == n + 2 else 1
            _random_samples = TABLE["torch", "rand"](
                batch, input.shape[-n - 1], n, dtype=input.dtype, device=input.device
            )
        return call(_FRACTIONAL[n], (input, _random_samples), (kernel, out))

    def pool(
        input: Tensor, kernel_size: Any, output_size: Any = None, output_ratio: Any = None,
        return_indices: bool = False, _random_samples: Tensor | None = None,
    ) -> Any:  # fmt: skip
        found = with_indices(input, kernel_size, output_size, output_ratio, False, _random_samples)
        return found if return_indices else found[0]

    pool.__doc__ = f"The maximum of {n}-D windows that begin at random places."
    composite(name=name, module="nn.functional")(pool)
    composite(name=f"{name}_with_indices", module="nn.functional")(with_indices)


_fractional_function(2)
_fractional_function(3)


# ----- unpooling -----
def _unpool(n: int) -> Any:
    @op(module=None, promote="none", name=f"max_unpool{n}d", node=f"MaxUnpool{n}DBackward0")
    def made(input: Array, indices: Array, out: object):
        lead = input.shape[:-n]
        planes, size = math.prod(lead), math.prod(out)  # type: ignore[arg-type]
        count = math.prod(input.shape[-n:])
        flat = indices.reshape(planes, count) + (jnp.arange(planes) * size)[:, None]
        zeros = jnp.zeros(planes * size, input.dtype)
        filled = zeros.at[flat.reshape(-1)].set(input.reshape(-1), mode="drop")
        return filled.reshape(*lead, *out)  # type: ignore[misc]

    @made.gradient
    def _(grad, indices):
        lead = tuple(indices.shape[:-n])
        rows = indices.reshape(*lead, -1)
        return grad.flatten(-n).gather(-1, rows).reshape(indices.shape), None

    return made


_UNPOOL = {n: _unpool(n) for n in (2, 3)}


def _unpooled_size(
    input: Tensor, kernel: Any, stride: Any, padding: Any, given: Any
) -> tuple[int, ...]:
    n = len(kernel)
    default = [
        (m - 1) * s + k - 2 * p for m, k, s, p in zip(input.shape[-n:], kernel, stride, padding)
    ]
    if given is None:
        return tuple(default)
    if len(given) == n + 2:
        given = given[2:]
    if len(given) != n:
        raise ValueError(
            f"output_size should be a sequence containing {n} or {n + 2} elements, but it has a "
            f"length of '{len(given)}'"
        )
    for d, (size, step) in enumerate(zip(default, stride)):
        if not size - step < given[d] < size + step:
            raise ValueError(
                f'invalid output_size "{given}" (dim {d} must be between {size - step} and '
                f"{size + step})"
            )
    return tuple(given)


def _unpool_function(n: int) -> None:
    name = f"max_unpool{n}d"

    def unpool(
        input: Tensor, indices: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0,
        output_size: Any = None,
    ) -> Tensor:  # fmt: skip
        kernel = sizes(name, "kernel_size", kernel_size, n)
        step = kernel if stride is None else sizes(name, "stride", stride, n)
        pad = sizes(name, "padding", padding, n)
        out = _unpooled_size(input, kernel, step, pad, output_size)
        if n == 1:
            flat = _unpooled(input.unsqueeze(-1), indices.unsqueeze(-1), (*out, 1))
            return flat.squeeze(-1)
        return _unpooled(input, indices, out)

    unpool.__doc__ = f"The transpose of {n}-D max pooling: values put back where they were."
    composite(name=name, module="nn.functional")(unpool)


def _unpooled(input: Tensor, indices: Tensor, out: tuple[int, ...]) -> Tensor:
    n = len(out)
    if indices.dtype is not int64:
        raise RuntimeError(
            f"elements in indices should be type int64 but got: {SCALAR_NAMES[indices.dtype]}"
        )
    if input.dtype.category != FLOAT:
        raise NotImplementedError(
            f"\"max_unpool{n}d\" not implemented for '{SCALAR_NAMES[input.dtype]}'"
        )
    if input.ndim not in (n + 1, n + 2):
        raise RuntimeError(
            f"Input to max_unpooling{n}d should be a {n + 1}d or {n + 2}d Tensor, but got a tensor "
            f"with {input.ndim} dimensions."
        )
    if indices.shape != input.shape:
        raise RuntimeError(
            "Expected shape of indices to be same as that of the input tensor "
            f"({list(input.shape)}) but got indices tensor with shape: {list(indices.shape)}"
        )
    volume = "x".join(map(str, out))
    check_range(indices, 0, math.prod(out), lambda bad: RuntimeError(
        f"Found an invalid max index: {bad} (output volumes are of size {volume})"
    ))  # fmt: skip
    return call(_UNPOOL[n], (input, indices), (out,))


for _n in (1, 2, 3):
    _unpool_function(_n)
