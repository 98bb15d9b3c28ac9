"""Means over windows: avg_pool, adaptive_avg_pool, lp_pool."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from ..core.dispatch import call
from ..core.op import TABLE, Array, composite, op, publish
from ..core.saved import note
from ..core.tensor import Tensor
from .kinds import BOOL, COMPLEX, FLOATING, refuse
from .pool import WINDOWS_SHOWN, Windows, along, check_output, separately, sizes, windows

# ----- avg_pool -----
_KERNELS = {2: "avg_pool2d", 3: "avg_pool3d_out_frame"}


def _counts(size: Any, at: Windows, include_pad: bool) -> Any:
    """How many elements each window divides by."""
    total: Any = np.ones((), np.float64)
    for i, (n, k, s, p, m) in enumerate(zip(size, at.kernel, at.stride, at.padding, at.out)):
        begin = np.arange(m) * s - p
        end = np.minimum(begin + k, n + p)
        count = end - begin if include_pad else np.minimum(end, n) - np.maximum(begin, 0)
        total = total * count.reshape([-1 if j == i else 1 for j in range(len(at.out))])
    return total


def _divided(x: Any, size: Any, at: Windows, include_pad: bool, divisor: int | None) -> Any:
    counts = _counts(size, at, include_pad) if divisor is None else np.asarray(float(divisor))
    if not jnp.issubdtype(x.dtype, jnp.inexact):
        return lax.div(*jnp.broadcast_arrays(x, jnp.asarray(counts, x.dtype)))
    if counts.min(initial=1) == counts.max(initial=1):  # one number: no array to read
        return x / jnp.asarray(counts.ravel()[0] if counts.size else 1.0, x.dtype)
    return x / jnp.asarray(counts, x.dtype)


def _spread_windows(g: Any, at: Windows, size: Any) -> Any:
    """The transpose of summing windows, one dim after another."""
    for i, (n, k, s, p, m) in enumerate(zip(size, at.kernel, at.stride, at.padding, at.out)):
        axis = g.ndim - len(size) + i
        if k == s and not p and m * k == n:
            wide = jnp.broadcast_to(
                jnp.expand_dims(g, axis + 1), (*g.shape[: axis + 1], k, *g.shape[axis + 1 :])
            )
            g = wide.reshape(*g.shape[:axis], n, *g.shape[axis + 1 :])
            continue
        whole = max((m - 1) * s + k, n + p)
        total = None
        for j in range(k):
            config = [(0, 0, 0)] * g.ndim
            config[axis] = (j, whole - j - (m - 1) * s - 1, s - 1)
            term = lax.pad(g, jnp.zeros((), g.dtype), config)
            total = term if total is None else total + term
        g = along(total, axis, p, n, 1)
    return g


def _check_fits(size: Any, kernel: Any) -> None:
    """PyTorch asks this of the input without its padding, and in 3-D only."""
    if any(k > s for k, s in zip(kernel, size)):
        have, need = (" ".join(f"{p}{a}: {b}" for a, b in zip("THW", values))
                      for p, values in (("", size), ("k", kernel)))  # fmt: skip
        raise RuntimeError(f"input image ({have}) smaller than kernel size ({need})")


_SHOWS = WINDOWS_SHOWN | {
    "count_include_pad": lambda call: call.include_pad,
    "divisor_override": lambda call: call.divisor,
}


def _average(n: int) -> Any:
    @op(
        module=None, promote="none", name=f"avg_pool{n}d", node=f"AvgPool{n}DBackward0",
        shows=_SHOWS,
    )  # fmt: skip
    def made(input: Array, at: object, include_pad: bool, divisor: object):
        if n == 3:
            _check_fits(input.shape[-3:], at.kernel)  # type: ignore[attr-defined]
        check_output(input, at)  # type: ignore[arg-type]
        refuse(_KERNELS[n], input, frozenset({BOOL, COMPLEX}))
        total = separately(input, at, lambda a, b: a + b, 0)  # type: ignore[arg-type]
        return _divided(total, input.shape[-n:], at, include_pad, divisor)  # type: ignore[arg-type]

    @made.gradient
    def _(grad, input, at, include_pad, divisor):
        return call(average_slope, (grad,), (tuple(input.shape[-n:]), at, include_pad, divisor))

    return made


@op(module=None, promote="none", node="AvgPool2DBackwardBackward0")
def average_slope(grad: Array, size: object, at: object, include_pad: bool, divisor: object):
    return _spread_windows(_divided(grad, size, at, include_pad, divisor), at, size)  # type: ignore[arg-type]


_AVERAGE = {n: _average(n) for n in (2, 3)}


def _check_planes(input: Tensor, n: int) -> None:
    """RuntimeError unless it is planes, or a batch of them, none without elements."""
    known, empty = input.ndim in (n + 1, n + 2), 0 in input.shape[-n - 1 :]
    if n == 2 and (not known or empty):
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with optional 0 dim batch size for input, but "
            f"got:{list(input.shape)}"
        )
    if not known:
        raise RuntimeError("non-empty 4D or 5D (batch mode) tensor expected for input")
    if empty:
        raise RuntimeError(
            "avg_pool3d(): Expected input's non-batch dimensions to have positive length, but "
            f"input has a shape of {list(input.shape)} and non-batch dimension "
            f"{input.shape[-n - 1 :].index(0)} has length zero!"
        )


def _average_function(n: int) -> Any:
    name = f"avg_pool{n}d"

    def pool(
        input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0,
        ceil_mode: bool = False, count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> Tensor:  # fmt: skip
        if divisor_override == 0:
            raise RuntimeError("divisor must be not zero")
        if input.ndim < n + 1 and n == 2:
            input.size(-3)
        at = windows(name, n, input.shape[-n:], kernel_size, stride, padding, 1, ceil_mode)
        _check_planes(input, n)
        statics = (at, bool(count_include_pad), divisor_override)
        found = call(_AVERAGE[n], (input,), statics)
        return note(found, stride=()) if stride is None else found

    pool.__doc__ = f"The mean of each {n}-D window."
    return composite(name=name, module="nn.functional")(pool)


avg_pool2d, avg_pool3d = _average_function(2), _average_function(3)


def check_dims(name: str, input: Tensor, low: int, high: int) -> None:
    if not low <= input.ndim <= high:
        raise RuntimeError(
            f"Expected {low} to {high} dimensions, but got {input.ndim}-dimensional tensor for "
            f"argument #1 'self' (while checking arguments for {name})"
        )


@composite(module="nn.functional")
def avg_pool1d(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0,
    ceil_mode: bool = False, count_include_pad: bool = True,
) -> Tensor:  # fmt: skip
    """The mean of each 1-D window."""
    check_dims("avg_pool1d", input, 2, 3)
    k = sizes("avg_pool1d", "kernel_size", kernel_size, 1)
    p = sizes("avg_pool1d", "padding", padding, 1)
    s = k if stride is None or stride in ((), []) else sizes("avg_pool1d", "stride", stride, 1)
    wide = avg_pool2d(
        input.unsqueeze(-2), (1, *k), (1, *s), (0, *p), ceil_mode, count_include_pad
    )
    return wide.squeeze(-2)


publish("torch", "avg_pool1d", TABLE["nn.functional", "avg_pool1d"])


# ----- adaptive: windows of unequal sizes -----
def adaptive_windows(n: int, out: int) -> list[tuple[int, int]]:
    return [(i * n // out, -((-(i + 1) * n) // out)) for i in range(out)]


def adaptive_places(n: int, out: int) -> tuple[Any, Any]:
    """(out, longest) places of each window, and which of them belong to it."""
    spans = adaptive_windows(n, out)
    longest = max((b - a for a, b in spans), default=1)
    at = np.array([a for a, _ in spans], np.int64).reshape(-1, 1) + np.arange(longest)
    inside = at < np.array([b for _, b in spans], np.int64).reshape(-1, 1)
    return np.where(inside, at, 0), inside


def even_windows(size: Any, out: Any) -> Windows | None:
    """Ordinary windows that do the same, where the sizes divide."""
    if any(not m or n % m for n, m in zip(size, out)):
        return None
    k = tuple(n // m for n, m in zip(size, out))
    return Windows(k, k, (0,) * len(k), (1,) * len(k), tuple(out))


def _adaptive(n: int) -> Any:
    @op(
        module=None, promote="none", name=f"adaptive_avg_pool{n}d",
        node=f"AdaptiveAvgPool{n}DBackward0",
    )  # fmt: skip
    def made(input: Array, out: object):
        refuse(f"adaptive_avg_pool{n}d" + "_cpu" * (n == 3), input, FLOATING)
        x = input
        for i, (size, m) in enumerate(zip(input.shape[-n:], out)):  # type: ignore[arg-type]
            x = _adaptive_mean(x, input.ndim - n + i, size, m)
        return x

    return made


def _adaptive_mean(x: Any, axis: int, size: int, out: int) -> Any:
    at, inside = adaptive_places(size, out)
    seen = jnp.take(x, at, axis=axis)  # (…, out, longest, …)
    shape = (*at.shape, *(1,) * (x.ndim - axis - 1))
    kept = jnp.where(inside.reshape(shape), seen, jnp.zeros((), x.dtype))
    count = jnp.asarray(inside.sum(1).reshape((out,) + shape[2:]), x.dtype)
    return jnp.sum(kept, axis + 1, dtype=x.dtype) / count


_ADAPTIVE = {n: _adaptive(n) for n in (2, 3)}


def adaptive_size(ndim: int, value: Any, size: Any, wrong: str) -> tuple[int, ...]:
    """The output size, None standing for the input's."""
    n = len(size)
    if isinstance(value, (tuple, list)) and ndim <= len(value):
        raise ValueError(f"Input dimension should be at least {len(value) + 1}")
    given = tuple(value) if isinstance(value, (tuple, list)) else (value,) * n
    if len(given) > n or (len(given) < n and len(given) != 1):
        raise RuntimeError(wrong)
    given = given * n if len(given) == 1 else given
    return tuple(s if v is None else int(v) for s, v in zip(size, given))


def check_filled(name: str, input: Tensor, n: int, colon: str = "") -> None:
    if input.ndim not in (n + 1, n + 2):
        raise RuntimeError(
            f"{name}(): Expected {n + 1}D or {n + 2}D tensor, but got{colon} {list(input.shape)}"
        )
    for i in range(1, n + 1):
        if input.shape[-i] == 0:
            raise RuntimeError(
                f"{name}(): Expected input to have non-zero size for non-batch dimensions, but "
                f"input has sizes {list(input.shape)} with dimension {input.ndim - i} being empty"
            )


def _adaptive_function(n: int) -> Any:
    name = f"adaptive_avg_pool{n}d"

    def pool(input: Tensor, output_size: Any) -> Tensor:
        size = (1,) * (n - input.ndim) + tuple(input.shape[-n:])
        out = adaptive_size(input.ndim, output_size, size, f"{name}: output_size must be {n}")
        if min(out) < 0:
            raise RuntimeError(
                f"{name}: elements of output_size must be greater than or equal to 0 but received "
                f"{{{out[0]}, {','.join(map(str, out[1:]))}}}"
            )
        check_filled(name, input, n)
        if all(m == 1 for m in out):
            return input.mean(tuple(range(-n, 0)), keepdim=True)
        return call(_ADAPTIVE[n], (input,), (out,))

    pool.__doc__ = f"The mean of each of `output_size` {n}-D windows that cover the input."
    return composite(name=name, module="nn.functional")(pool)


adaptive_avg_pool2d, adaptive_avg_pool3d = _adaptive_function(2), _adaptive_function(3)


@composite(module="nn.functional")
def adaptive_avg_pool1d(input: Tensor, output_size: Any) -> Tensor:
    """The mean of each of `output_size` windows that cover the input."""
    check_dims("adaptive_avg_pool1d", input, 2, 3)
    out = sizes("adaptive_avg_pool1d", "output_size", output_size, 1)
    return adaptive_avg_pool2d(input.unsqueeze(-2), (1, *out)).squeeze(-2)


publish("torch", "adaptive_avg_pool1d", TABLE["nn.functional", "adaptive_avg_pool1d"])


# ----- power means -----
def _power(n: int, average: Any) -> None:
    def pool(
        input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None,
        ceil_mode: bool = False,
    ) -> Tensor:  # fmt: skip
        mean = average(input.pow(norm_type), kernel_size, stride, 0, ceil_mode)
        k = math.prod(kernel_size) if isinstance(kernel_size, (tuple, list)) else kernel_size**n
        return (mean.sign() * mean.abs().relu()).mul(k).pow(1.0 / norm_type)

    pool.__doc__ = f"The p-norm of each {n}-D window."
    composite(name=f"lp_pool{n}d", module="nn.functional")(pool)


for _n, _f in enumerate((avg_pool1d, avg_pool2d, avg_pool3d), 1):
    _power(_n, _f)
