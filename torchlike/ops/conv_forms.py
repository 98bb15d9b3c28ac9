"""The array forms of sliding windows: slices, columns, and the three products of a convolution.

On CPU a convolution is columns and matrix products, chosen by measurement (DESIGN, section 8).
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import lax

CHUNK = 1 << 19  # elements of columns worked on at a time: more spills out of the caches
WHOLE = 5 << 18  # columns of so few elements are made for all images at once in a weight's gradient
DIRECT = 32  # up to this many taps a convolution is a sum of shifted products
ALONE = 64  # from so many positions on, an image's product is worth being made alone
MANY = 64  # groups or taps that are spelled out one by one, at most
WIDE = 512  # from so many on, that is faster than XLA's own input gradient
CHANNELS = 32  # of an input; from so many on, XLA's own is the faster one after all


class Geometry(NamedTuple):
    """How a kernel moves over its input."""

    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int


# ----- sizes -----
def spread_size(name: str, value: Any, n: int) -> tuple[int, ...]:
    """One int for each of n dims; RuntimeError (PyTorch's text) for another count."""
    if isinstance(value, (tuple, list)):
        _check_ints(name, value)
        if len(value) == n:
            return tuple(value)
        if len(value) == 1:
            return tuple(value) * n
        raise RuntimeError(
            f"expected {name} to be a single integer value or a list of {n} values to match the "
            f"convolution dimensions, but got {name}={list(value)}"
        )
    _check_ints(name, (value,))
    return (value,) * n


def _check_ints(name: str, values: Any) -> None:
    for value in values:
        if not hasattr(value, "__index__"):
            raise TypeError(
                f"convolution(): argument '{name}' must be tuple of ints, not "
                f"{type(value).__name__}"
            )


def output_size(size: Sequence[int], kernel: Sequence[int], geo: Geometry) -> tuple[int, ...]:
    """The spatial shape of a convolution's result."""
    return tuple(
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, s, p, d in zip(size, kernel, geo.stride, geo.padding, geo.dilation)
    )


def _divisor(n: int, most: int) -> int:
    """The largest divisor of n that is at most `most` (at least 1)."""
    return next(k for k in range(max(min(n, most), 1), 0, -1) if n % k == 0)


# ----- columns -----
def taps(kernel: Sequence[int]) -> Any:
    """The places of a kernel, in row-major order."""
    return itertools.product(*map(range, kernel))


def shifted(x: Any, at: Sequence[int], geo: Geometry, out: Sequence[int]) -> Any:
    """What one tap of the kernel sees: a strided slice of the padded input."""
    start = [i * d for i, d in zip(at, geo.dilation)]
    stop = [b + (n - 1) * s + 1 for b, n, s in zip(start, out, geo.stride)]
    lead = x.ndim - len(out)
    whole = x.shape[:lead]
    return lax.slice(x, [0] * lead + start, [*whole, *stop], [1] * lead + list(geo.stride))


def padded(x: Any, geo: Geometry) -> Any:
    """The input with its zeros around it."""
    if not any(geo.padding):
        return x
    lead = x.ndim - len(geo.padding)
    return lax.pad(x, jnp.zeros((), x.dtype), [(0, 0, 0)] * lead + [(p, p, 0) for p in geo.padding])


def columns(x: Any, kernel: Sequence[int], geo: Geometry, out: Sequence[int]) -> Any:
    """(n, c, taps, positions) of a padded input (n, c, ...)."""
    n, c = x.shape[:2]
    count = math.prod(out)
    if math.prod(kernel) == 1:
        return shifted(x, (0,) * len(kernel), geo, out).reshape(n, c, 1, count)
    seen = [shifted(x, at, geo, out).reshape(n, c, 1, count) for at in taps(kernel)]
    return jnp.concatenate(seen, axis=2)


def unshifted(cols: Any, at: Sequence[int], geo: Geometry, size: Sequence[int]) -> Any:
    """The transpose of `shifted`: a tap's part of the padded input's gradient."""
    out = cols.shape[cols.ndim - len(size) :]
    config = [(0, 0, 0)] * (cols.ndim - len(size))
    for i, d, s, n, m in zip(at, geo.dilation, geo.stride, out, size):
        config.append((i * d, m - i * d - (n - 1) * s - 1, s - 1))
    return lax.pad(cols, jnp.zeros((), cols.dtype), config)


def cropped(x: Any, geo: Geometry, size: Sequence[int]) -> Any:
    """A padded input without its padding."""
    if not any(geo.padding):
        return x
    lead = x.ndim - len(size)
    stop = [p + n for p, n in zip(geo.padding, size)]
    return lax.slice(x, [0] * lead + list(geo.padding), [*x.shape[:lead], *stop])


def padded_size(size: Sequence[int], geo: Geometry) -> tuple[int, ...]:
    return tuple(n + 2 * p for n, p in zip(size, geo.padding))


def by_chunks(fun: Callable[..., Any], work: int, *arrays: Any) -> Any:
    """`fun` over the leading dim, a few at a time if the whole would be too much work at once."""
    n = arrays[0].shape[0]
    if n * work <= CHUNK:
        return fun(*arrays)
    k = _divisor(n, max(CHUNK // max(work, 1), 1))
    if k == n:
        return fun(*arrays)
    parts = [a.reshape(n // k, k, *a.shape[1:]) for a in arrays]
    found = lax.map(lambda one: fun(*one), tuple(parts))
    return found.reshape(n, *found.shape[2:])


def dot(equation: str, *operands: Any) -> Any:
    return jnp.einsum(equation, *operands, preferred_element_type=operands[0].dtype)


# ----- the three products, on CPU -----
def _is_direct(x: Any, w: Any, groups: int) -> bool:
    places = math.prod(w.shape[2:])
    if w.shape[1] == 0:
        return False
    if groups == 1:
        return 1 < places and w.shape[1] * places <= DIRECT
    return w.shape[1] == 1 and places <= DIRECT


def _correlate_direct(x: Any, w: Any, geo: Geometry, out: Sequence[int]) -> Any:
    """One fused sum: no columns in memory."""
    n, g, c, o = x.shape[0], geo.groups, w.shape[1], w.shape[0]
    wide = padded(x, geo).reshape(n, g, 1, c, *padded_size(x.shape[2:], geo))
    kernel = w.reshape(1, g, o // g, c, *w.shape[2:], *(1,) * len(out))
    total: Any = None
    for channel, *at in itertools.product(range(c), *map(range, w.shape[2:])):
        seen = shifted(wide[:, :, :, channel], at, geo, out)
        term = kernel[(slice(None), slice(None), slice(None), channel, *at)] * seen
        total = term if total is None else total + term
    return total.reshape(n, o, *out)


def _correlate_columns(x: Any, w: Any, geo: Geometry, out: Sequence[int]) -> Any:
    g, o = geo.groups, w.shape[0]
    rows = w.reshape(g, o // g, -1)

    def some(x: Any) -> Any:
        cols = columns(padded(x, geo), w.shape[2:], geo, out)
        cols = cols.reshape(x.shape[0], g, -1, cols.shape[-1])
        return dot("gok,ngkp->ngop", rows, cols).reshape(x.shape[0], o, *out)

    return by_chunks(some, x.shape[1] * math.prod(w.shape[2:]) * math.prod(out), x)


def _correlate_images(x: Any, w: Any, geo: Geometry, out: Sequence[int]) -> Any:
    """The same for one image after another, and its groups: a third of a batched product's time."""
    g, rows = geo.groups, w.reshape(geo.groups, w.shape[0] // geo.groups, -1)

    def one(x: Any) -> Any:
        cols = columns(padded(x[None], geo), w.shape[2:], geo, out).reshape(g, rows.shape[2], -1)
        parts = [a @ b for a, b in zip(rows, cols)] if g <= 8 else [dot("gok,gkp->gop", rows, cols)]
        return jnp.concatenate(parts).reshape(-1, *out)

    return lax.map(one, x)


def _flat_sizes(size: Sequence[int], out: Sequence[int]) -> tuple[list[int], int]:
    """How far apart neighbours along each dim lie in memory; from the first to the last result."""
    steps = [math.prod(size[i + 1 :]) for i in range(len(size))]
    return steps, sum((n - 1) * step for n, step in zip(out, steps)) + 1


def _flat_columns(x: Any, kernel: Sequence[int], geo: Geometry, out: Sequence[int]) -> Any:
    """(taps * c, positions) of a padded image (c, ...), for strides of 1: each tap sees the image's
    memory from another place on, row ends and all. A third of the time of `columns`.
    """
    steps, span = _flat_sizes(x.shape[1:], out)
    flat, c = x.reshape(x.shape[0], -1), x.shape[0]
    cols = jnp.zeros((math.prod(kernel) * c, span), x.dtype)
    for k, at in enumerate(taps(kernel)):
        first = sum(i * d * step for i, d, step in zip(at, geo.dilation, steps))
        seen = lax.slice_in_dim(flat, first, first + span, axis=1)
        cols = lax.dynamic_update_slice(cols, seen, (k * c, 0))
    return cols


def _correlate_flat(x: Any, w: Any, geo: Geometry, out: Sequence[int]) -> Any:
    """One image after another by `_flat_columns`; what row ends gave is cropped."""
    groups, kernel = geo.groups, w.shape[2:]
    rows = w.reshape(groups, w.shape[0] // groups, w.shape[1], -1).swapaxes(2, 3)
    rows = rows.reshape(groups, w.shape[0] // groups, -1)
    size = padded_size(x.shape[2:], geo)

    def one(x: Any) -> Any:
        wide = padded(x, geo).reshape(groups, -1, *size)
        found = [a @ _flat_columns(part, kernel, geo, out) for a, part in zip(rows, wide)]
        whole = jnp.concatenate(found)
        rest = out[0] * math.prod(size[1:]) - whole.shape[1]
        whole = jnp.pad(whole, ((0, 0), (0, rest))).reshape(-1, out[0], *size[1:])
        return lax.slice(whole, [0] * whole.ndim, [whole.shape[0], *out])

    return lax.map(one, x)


def _weigh_flat(x: Any, g: Any, geo: Geometry, kernel: tuple[int, ...]) -> Any:
    """The weight's gradient likewise: positions at row ends have no gradient."""
    groups, out = geo.groups, g.shape[2:]
    size = padded_size(x.shape[2:], geo)
    _, span = _flat_sizes(size, out)
    edges = [(0, 0), (0, 0), *((0, n - m) for n, m in zip(size[1:], out[1:]))]

    def add(total: Any, xg: Any) -> Any:
        x, g = xg
        wide = padded(x, geo).reshape(groups, -1, *size)
        slope = jnp.pad(g, edges).reshape(groups, g.shape[0] // groups, -1)[:, :, :span]
        parts = [a @ _flat_columns(b, kernel, geo, out).T for a, b in zip(slope, wide)]
        return total + jnp.concatenate(parts), None

    c = x.shape[1] // groups
    start = jnp.zeros((g.shape[1], c * math.prod(kernel)), x.dtype)
    total = lax.scan(add, start, (x, g))[0]
    return total.reshape(g.shape[1], -1, c).swapaxes(1, 2).reshape(-1, c, *kernel)


def _correlate_window(x: Any, w: Any, geo: Geometry, out: Sequence[int]) -> Any:
    """XLA's own: inside a program of JAX's its fast form is taken only with padding, so there is a
    row to be cropped.
    """
    edges = [(p, p) for p in geo.padding]
    if not any(geo.padding):
        edges[0] = (0, geo.stride[0])
    found = lax.conv_general_dilated(
        x, w, geo.stride, edges, rhs_dilation=geo.dilation, preferred_element_type=x.dtype
    )
    return found[:, :, : out[0]]


def _correlate_folded(x: Any, w: Any, geo: Geometry, out: Sequence[int]) -> Any:
    """In 3-D: the taps of the first dim as channels of images, a tenth of the columns' time."""
    s, p, d = (v[1:] for v in geo[:3])
    first, flat = geo.padding[0], Geometry(s, p, d, 1)
    wide = jnp.pad(x, [(0, 0), (0, 0), (first, first), (0, 0), (0, 0)])
    reach, step = (out[0] - 1) * geo.stride[0] + 1, geo.stride[0]
    starts = [i * geo.dilation[0] for i in range(w.shape[2])]
    seen = [lax.slice_in_dim(wide, i, i + reach, step, axis=2) for i in starts]
    images = jnp.stack(seen, 2).transpose(0, 3, 1, 2, 4, 5)  # n, depth, c, taps, h, w
    images = images.reshape(-1, w.shape[1] * w.shape[2], *x.shape[3:])
    kernel = w.reshape(w.shape[0], -1, *w.shape[3:])
    found = _correlate_window(images, kernel, flat, out[1:])
    return found.reshape(x.shape[0], out[0], -1, *out[1:]).swapaxes(1, 2)


def _correlate_cpu(x: Any, w: Any, geo: Geometry, out: tuple[int, ...]) -> Any:
    form = _correlate_direct if _is_direct(x, w, geo.groups) else _correlate_columns
    return form(x, w, geo, out)


def _correlate_large(x: Any, w: Any, geo: Geometry, out: tuple[int, ...]) -> Any:
    single = x.dtype == jnp.float32  # XLA has a fast form for no other
    if math.prod(w.shape[2:]) == 1 or _is_direct(x, w, geo.groups):
        return _correlate_cpu(x, w, geo, out)
    if single and geo.groups == 1:
        return (_correlate_folded if len(out) == 3 else _correlate_window)(x, w, geo, out)
    if math.prod(out) < ALONE:
        return _correlate_columns(x, w, geo, out)
    return (_correlate_flat if _is_flat(geo) else _correlate_images)(x, w, geo, out)


def _is_flat(geo: Geometry) -> bool:
    return max(geo.stride) == 1 and geo.groups <= MANY


def _spread_images(g: Any, w: Any, geo: Geometry, size: tuple[int, ...]) -> Any:
    """`_spread_cpu`, one image after another; or as a sum of shifted products."""
    groups, kernel, out = geo.groups, w.shape[2:], g.shape[2:]
    around = tuple(d * (k - 1) - p for d, k, p in zip(geo.dilation, kernel, geo.padding))
    if groups == w.shape[0] and w.shape[1] == 1 and max(geo.stride) == 1 and min(around) >= 0:
        turned = geo._replace(padding=around)
        if _is_direct(g, w, groups) and output_size(out, kernel, turned) == tuple(size):
            return _correlate_direct(g, _flipped(w, groups), turned, size)
    if math.prod(out) < ALONE or groups > 8:
        return _spread_cpu(g, w, geo, size)
    single = g.dtype == jnp.float32 and groups == 1 and len(size) == 2
    if single and (w.shape[1] >= CHANNELS or math.prod(out) < WIDE):
        return _spread_native(g, w, geo, size)
    rows = w.reshape(groups, w.shape[0] // groups, -1).swapaxes(1, 2)
    whole = padded_size(size, geo)

    def one(g: Any) -> Any:
        flat = g.reshape(groups, rows.shape[2], -1)
        cols = jnp.concatenate([a @ b for a, b in zip(rows, flat)]).reshape(-1, *kernel, *out)
        parts = [unshifted(cols[(slice(None), *at)], at, geo, whole) for at in taps(kernel)]
        return cropped(functools.reduce(lambda a, b: a + b, parts), geo, size)

    return lax.map(one, g)


def _spread_cpu(g: Any, w: Any, geo: Geometry, size: tuple[int, ...]) -> Any:
    """The transpose of correlation: columns by a product, each tap added where it came from."""
    groups, o, kernel = geo.groups, w.shape[0], w.shape[2:]
    c, out = w.shape[1] * groups, g.shape[2:]
    rows = w.reshape(groups, o // groups, -1)
    whole = padded_size(size, geo)

    def some(g: Any) -> Any:
        flat = g.reshape(g.shape[0], groups, o // groups, -1)
        cols = dot("gok,ngop->ngkp", rows, flat).reshape(g.shape[0], c, *kernel, *out)
        everywhere = (slice(None), slice(None))
        parts = [unshifted(cols[(*everywhere, *at)], at, geo, whole) for at in taps(kernel)]
        return cropped(functools.reduce(lambda a, b: a + b, parts), geo, size)

    return by_chunks(some, c * math.prod(kernel) * math.prod(out), g)


def _weigh_cpu(x: Any, g: Any, geo: Geometry, kernel: tuple[int, ...]) -> Any:
    """The weight's gradient, summed over a few images at a time."""
    n, groups, o, out = x.shape[0], geo.groups, g.shape[1], g.shape[2:]
    c = x.shape[1] // groups
    work = max(x.shape[1] * math.prod(kernel) * math.prod(out), 1)
    k = max(n, 1) if n * work <= WHOLE else _divisor(n, min(max(CHUNK // work, 1), 8))

    def some(x: Any, g: Any) -> Any:
        cols = columns(padded(x, geo), kernel, geo, out)
        cols = cols.reshape(k, groups, -1, cols.shape[-1])
        # images are contracted with positions: XLA's sum over a leading dim is 50 times slower
        return dot("ngop,ngkp->gok", g.reshape(k, groups, o // groups, -1), cols)

    shape = (o, c, *kernel)
    if k == n:
        return some(x, g).reshape(shape)
    start = jnp.zeros((groups, o // groups, c * math.prod(kernel)), x.dtype)
    parts = tuple(a.reshape(n // k, k, *a.shape[1:]) for a in (x, g))
    total, _ = lax.scan(lambda acc, xg: (acc + some(*xg), None), start, parts)
    return total.reshape(shape)


def _weigh_each(x: Any, g: Any, geo: Geometry, kernel: tuple[int, ...]) -> Any:
    """Channels by themselves: products added image by image and summed last, for XLA adds arrays
    many numbers at a time but sums one after another (a third to a tenth of the columns' time).
    """
    c, out = x.shape[1], g.shape[2:]
    start = jnp.zeros((c, g.shape[1] // c, *out), x.dtype)

    def add(totals: Any, xg: Any) -> Any:
        x, g = padded(xg[0], geo)[:, None], xg[1].reshape(start.shape)
        return [t + g * shifted(x, at, geo, out) for t, at in zip(totals, taps(kernel))], None

    totals = lax.scan(add, [start] * math.prod(kernel), (x, g))[0]
    sums = [t.reshape(*start.shape[:2], -1).sum(-1) for t in totals]
    return jnp.stack(sums, -1).reshape(g.shape[1], 1, *kernel)


def _weigh_large(x: Any, g: Any, geo: Geometry, kernel: tuple[int, ...]) -> Any:
    """XLA's own where it is fast: float32 images that are not a product or two."""
    positions = math.prod(g.shape[2:])
    whole = x.shape[0] * x.shape[1] * math.prod(kernel) * positions <= WHOLE
    single = x.dtype == jnp.float32 and geo.groups == 1 and len(kernel) < 3
    if geo.groups == x.shape[1] and 1 < math.prod(kernel) <= MANY:
        return _weigh_each(x, g, geo, kernel)
    if geo.groups > 1 and positions >= ALONE and _is_flat(geo):
        return _weigh_flat(x, g, geo, kernel)
    if not single or math.prod(kernel) == 1 or (whole and positions <= ALONE):
        return _weigh_cpu(x, g, geo, kernel)
    return _weigh_native(x, g, geo, kernel)


# ----- the same, in the accelerators' own form -----
def _correlate_native(x: Any, w: Any, geo: Geometry, out: tuple[int, ...]) -> Any:
    return lax.conv_general_dilated(
        x, w, geo.stride, [(p, p) for p in geo.padding], rhs_dilation=geo.dilation,
        feature_group_count=geo.groups, preferred_element_type=x.dtype,
    )  # fmt: skip


def _flipped(w: Any, groups: int) -> Any:
    """(o, c/g, ...) as the kernel of the transpose: (c, o/g, ...), turned round."""
    o, c, *kernel = w.shape
    turned = lax.rev(w, range(2, w.ndim)).reshape(groups, o // groups, c, *kernel)
    return turned.swapaxes(1, 2).reshape(groups * c, o // groups, *kernel)


def _spread_native(g: Any, w: Any, geo: Geometry, size: tuple[int, ...]) -> Any:
    edges = []
    for n, m, k, s, p, d in zip(
        size, g.shape[2:], w.shape[2:], geo.stride, geo.padding, geo.dilation
    ):
        low = d * (k - 1) - p
        edges.append((low, n + d * (k - 1) - (m - 1) * s - 1 - low))
    return lax.conv_general_dilated(
        g, _flipped(w, geo.groups), (1,) * len(size), edges, lhs_dilation=geo.stride,
        rhs_dilation=geo.dilation, feature_group_count=geo.groups, preferred_element_type=g.dtype,
    )  # fmt: skip


def _weigh_native(x: Any, g: Any, geo: Geometry, kernel: tuple[int, ...]) -> Any:
    """Batch and channels change places: the gradient is the kernel."""
    edges = []
    for size, m, k, s, p, d in zip(
        x.shape[2:], g.shape[2:], kernel, geo.stride, geo.padding, geo.dilation
    ):
        edges.append((p, d * (k - 1) + (m - 1) * s + 1 - size - p))
    groups = geo.groups
    images = x.reshape(x.shape[0], groups, -1, *x.shape[2:]).swapaxes(0, 2)  # c/g, g, n
    images = images.reshape(-1, groups * x.shape[0], *x.shape[2:])
    found = lax.conv_general_dilated(
        images, g.swapaxes(0, 1), geo.dilation, edges, rhs_dilation=geo.stride,
        feature_group_count=groups, preferred_element_type=x.dtype,
    )  # fmt: skip
    return found.swapaxes(0, 1).reshape(g.shape[1], -1, *kernel)


def _by_device(
    cpu: Callable[..., Any], native: Callable[..., Any], shape: Callable[..., Any],
    large: Callable[..., Any] | None = None,
) -> Callable[..., Any]:  # fmt: skip
    """Small or inexact-free work takes the CPU form anywhere; it needs no choice at lowering.

    `shape` is the result's, but for the trailing sizes; a sum over nothing is 0.
    `large` is the CPU form of work that isn't small, where it is another.
    """
    large = large or cpu

    def product(a: Any, b: Any, geo: Geometry, sizes: tuple[int, ...]) -> Any:
        if 0 in (*a.shape, *b.shape):
            return jnp.zeros((*shape(a, b, geo), *sizes), a.dtype)
        small = math.prod(a.shape) * math.prod(sizes) <= CHUNK >> 4
        if small or not jnp.issubdtype(a.dtype, jnp.floating):
            return cpu(a, b, geo, sizes)
        return lax.platform_dependent(
            a, b,
            cpu=lambda a, b: large(a, b, geo, sizes),
            default=lambda a, b: native(a, b, geo, sizes),
        )  # fmt: skip

    return product


correlate = _by_device(
    _correlate_cpu, _correlate_native, lambda x, w, geo: (x.shape[0], w.shape[0]), _correlate_large
)
spread = _by_device(
    _spread_cpu, _spread_native, lambda g, w, geo: (g.shape[0], w.shape[1] * geo.groups),
    _spread_images,
)  # fmt: skip
weigh = _by_device(
    _weigh_cpu, _weigh_native, lambda x, g, geo: (g.shape[1], x.shape[1] // geo.groups),
    _weigh_large,
)  # fmt: skip
