"""Scans and their relatives: cumsum …, diff, trapezoid, gradient; cov, corrcoef."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax

from ..core.check import check_dims
from ..core.dtypes import SCALAR_NAMES, bool_, finfo, get_default_dtype
from ..core.mutate import write_out
from ..core.op import TABLE, Array, Dim, Dtype, alias, composite, op
from ..core.tensor import Tensor
from . import return_types
from .binary import log_add_exp
from .elementwise import div_number, mul_number
from .kinds import BOOL, COMPLEX, FLOATING, REAL, in_single, refuse
from .reduce import wide


# ----- cumulative reductions -----
@op(promote="none", inplace=True, out="typed")
def cumsum(input: Array, dim: Dim, *, dtype: Dtype = None):
    x = input.astype(wide(input, dtype))
    if x.ndim == 0:
        return x
    refuse("cumsum_out_cpu", x, frozenset({BOOL}))
    return in_single(lambda x: jnp.cumsum(x, dim, dtype=x.dtype))(x)


@cumsum.gradient
def _(grad, dim):
    return grad if grad.ndim == 0 else grad.flip(dim).cumsum(dim).flip(dim)


@op(promote="none", inplace=True, out="typed")
def cumprod(input: Array, dim: Dim, *, dtype: Dtype = None):
    x = input.astype(wide(input, dtype))
    if x.ndim == 0:
        return x
    refuse("cumprod_out_cpu", x, frozenset({BOOL}))
    return in_single(lambda x: jnp.cumprod(x, dim, dtype=x.dtype))(x)


@op(promote="none")
def logcumsumexp(input: Array, dim: Dim):
    refuse("logcumsumexp_out_cpu", input, FLOATING - {COMPLEX})
    if input.ndim == 0 or input.size == 0:
        return input
    if jnp.iscomplexobj(input):
        return _running_log_sum(input, dim)
    return in_single(lambda x: lax.cumlogsumexp(x, axis=dim))(input)


@logcumsumexp.gradient
def _(grad, input, result, dim):
    if input.ndim == 0 or input.numel() == 0:
        return grad

    def share(log_grad):
        return ((log_grad - result).flip(dim).logcumsumexp(dim).flip(dim) + input).exp()

    if grad.is_complex():
        return share(grad.conj().log()).conj()
    lowest = finfo(grad.dtype).min
    size = grad.abs().log()
    return share(size.where(grad > 0, lowest)) - share(size.where(grad < 0, lowest))


def _running_log_sum(x: Any, dim: int) -> Any:
    """In order, one after the other: the phases add up as in PyTorch."""

    def step(total: Any, item: Any) -> tuple[Any, Any]:
        total = log_add_exp(total, item)
        return total, total

    first, *rest = (jnp.take(x, i, axis=dim) for i in (0, jnp.arange(1, x.shape[dim])))
    _, later = lax.scan(step, first, jnp.moveaxis(rest[0], dim, 0))
    return jnp.concatenate([jnp.expand_dims(first, dim), jnp.moveaxis(later, 0, dim)], dim)


def _running(name: str, ahead: Any) -> None:
    """cummax or cummin: equal values move the index on, nan stays."""

    def run(input: Array, dim: Dim):
        refuse(f"{name}_cpu", input, REAL)
        places = lax.broadcasted_iota(jnp.int64, input.shape, dim) if input.ndim else jnp.int64(0)
        if input.ndim == 0 or input.size == 0:
            return input, jnp.zeros(input.shape, jnp.int64)

        def later(a: Any, b: Any) -> Any:
            moved = ahead(b[0], a[0]) | (b[0] != b[0])
            keep = (a[0] != a[0]) & (b[0] == b[0])
            return tuple(jnp.where(moved & ~keep, y, x) for x, y in zip(a, b, strict=True))

        return lax.associative_scan(later, (input, places), axis=dim)

    made = op(
        promote="none", name=name, returns=getattr(return_types, name)
    )(run)

    @made.gradient
    def _(grad0, result1, input, dim):
        if input.ndim == 0:
            return grad0
        return input.new_zeros(input.shape).scatter_add(dim, result1, grad0)


_running("cummax", jnp.greater_equal)
_running("cummin", jnp.less_equal)


# ----- differences -----
@composite
def diff(
    input: Tensor, n: int = 1, dim: int = -1, prepend: Tensor | None = None,
    append: Tensor | None = None, *, out: Any = None,
) -> Tensor:  # fmt: skip
    """The n-th difference of neighbours along a dim."""
    if out is not None:
        return write_out("diff", out, diff(input, n, dim, prepend, append))
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    if input.dim() == 0:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if prepend is not None or append is not None:
        input = TABLE["torch", "cat"]([x for x in (prepend, input, append) if x is not None], dim)
    for _ in range(min(n, input.shape[dim])):
        size = input.shape[dim] - 1
        after, before = input.narrow(dim, 1, size), input.narrow(dim, 0, size)
        input = after.logical_xor(before) if input.dtype is bool_ else after - before
    return input


# ----- integrals -----
def _pairs(y: Tensor, dim: int) -> Tensor:
    size = max(y.shape[dim] - 1, 0)
    return y.narrow(dim, 1, size) + y.narrow(dim, 0, size)


def _check_dimensions(y: Tensor, dim: int) -> None:
    if y.dim() == 0:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")


def _steps(y: Tensor, x: Tensor, dim: int) -> Tensor:
    """The gaps of x, shaped to multiply pairs of y along dim."""
    gaps = x.diff(dim=dim if x.dim() > 1 else -1)
    if x.dim() == 1:
        shape = [1] * y.dim()
        shape[dim] = gaps.numel()
        gaps = gaps.reshape(shape)
    return gaps


@composite(method=False)
def cumulative_trapezoid(
    y: Tensor, x: Tensor | None = None, *, dx: float | None = None, dim: int = -1
) -> Tensor:
    """Running integral of y over x, or over points dx apart."""
    _check_dimensions(y, dim)
    if x is not None:
        return div_number((_steps(y, x, dim) * _pairs(y, dim)).cumsum(dim), 2.0)
    return mul_number(_pairs(y, dim), (1 if dx is None else dx) / 2.0).cumsum(dim)


@composite(method=False)
def trapezoid(
    y: Tensor, x: Tensor | None = None, *, dx: float | None = None, dim: int = -1
) -> Tensor:
    """Integral of y over x, or over points dx apart."""
    _check_dimensions(y, dim)
    if x is not None:
        return div_number((_steps(y, x, dim) * _pairs(y, dim)).sum(dim), 2.0)
    ends = (y.select(dim, 0) + y.select(dim, -1)) * 0.5 if y.shape[dim] else 0
    return mul_number(y.sum(dim) - ends, 1 if dx is None else dx)


alias("trapz", "trapezoid")


# ----- numerical gradient -----
def _spacings(spacing: Any, dims: list[int]) -> list[Any]:
    if spacing is None:
        return [1.0] * len(dims)
    if isinstance(spacing, (int, float)):
        return [spacing] * len(dims)
    if len(spacing) != len(dims):
        raise RuntimeError(
            "torch.gradient expected spacing to be unspecified, a scalar or it's spacing and dim "
            "arguments to have the same length, but got a spacing argument of length "
            f"{len(spacing)} and a dim argument of length {len(dims)}."
        )
    return list(spacing)


def _slope(y: Tensor, dim: int, gap: Any, edge_order: int) -> Tensor:
    n = y.shape[dim]
    if n < edge_order + 1:
        raise RuntimeError(
            "torch.gradient expected each dimension size to be at least edge_order+1"
        )

    def part(start: int, size: int) -> Tensor:
        return y.narrow(dim, start, size)

    if not isinstance(gap, Tensor):
        inner = (part(2, n - 2) - part(0, n - 2)) / (2.0 * gap)
        first, last = (part(1, 1) - part(0, 1)) / gap, (part(n - 1, 1) - part(n - 2, 1)) / gap
        if edge_order == 2:
            first = (-3 * part(0, 1) + 4 * part(1, 1) - part(2, 1)) / (2.0 * gap)
            last = (3 * part(n - 1, 1) - 4 * part(n - 2, 1) + part(n - 3, 1)) / (2.0 * gap)
        return TABLE["torch", "cat"]([first, inner, last], dim)
    steps = _steps(y, gap, dim)
    h, g = steps.narrow(dim, 0, n - 2), steps.narrow(dim, 1, n - 2)
    inner = (
        -g / (h * (h + g)) * part(0, n - 2)
        + (g - h) / (h * g) * part(1, n - 2)
        + h / (g * (h + g)) * part(2, n - 2)
    )
    return TABLE["torch", "cat"](
        [_edge(y, steps, dim, edge_order, 0), inner, _edge(y, steps, dim, edge_order, 1)], dim
    )


def _edge(y: Tensor, steps: Tensor, dim: int, edge_order: int, last: int) -> Tensor:
    n, sign = y.shape[dim], -1 if last else 1
    at = [n - 1, n - 2, n - 3] if last else [0, 1, 2]
    values = [y.narrow(dim, i, 1) for i in at[: edge_order + 1]]
    h = steps.narrow(dim, n - 2 if last else 0, 1)
    if edge_order == 1:
        return sign * (values[1] - values[0]) / h
    g = steps.narrow(dim, n - 3 if last else 1, 1)
    total = (
        -(2 * h + g) / (h * (h + g)) * values[0]
        + (h + g) / (h * g) * values[1]
        - h / (g * (h + g)) * values[2]
    )
    return sign * total


@composite(method=False)
def gradient(
    input: Tensor, *, spacing: Any = None, dim: Any = None, edge_order: int = 1
) -> tuple[Tensor, ...]:
    """Second-order estimates of the derivative along each dim."""
    if edge_order not in (1, 2):
        raise RuntimeError("torch.gradient only supports edge_order=1 and edge_order=2.")
    dims = range(input.dim()) if dim is None else [dim] if isinstance(dim, int) else dim
    dims = list(check_dims(dims, input.dim()))
    if not (input.is_floating_point() or input.is_complex()):
        input = input.to(get_default_dtype())
    gaps = _spacings([spacing] if isinstance(spacing, Tensor) else spacing, dims)
    return tuple(_slope(input, d, gap, edge_order) for d, gap in zip(dims, gaps, strict=True))


# ----- covariance -----
def _check_weights(name: str, weights: Tensor | None, rows: Tensor, wanted: str) -> None:
    if weights is None:
        return
    if weights.dim() > 1:
        raise RuntimeError(
            f"cov(): expected {name} to have one or fewer dimensions but got {name} with "
            f"{weights.dim()} dimensions"
        )
    if weights.is_floating_point() != (wanted == "floating point") or weights.is_complex():
        raise RuntimeError(
            f"cov(): expected {name} to have {wanted} dtype but got {name} with "
            f"{SCALAR_NAMES[weights.dtype]} dtype"
        )
    if weights.numel() != rows.shape[1]:
        raise RuntimeError(
            f"cov(): expected {name} to have the same numel as there are observations in the "
            f"input but got {weights.numel()} != {rows.shape[1]}"
        )
    if weights.numel() and bool((weights < 0).any()):
        raise RuntimeError(f"cov(): {name} cannot be negative")


@composite
def cov(
    input: Tensor, *, correction: int = 1, fweights: Tensor | None = None,
    aweights: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Covariance of the rows (variables) over the columns (observations)."""
    if input.dim() > 2:
        raise RuntimeError(
            "cov(): expected input to have two or fewer dimensions but got an input with "
            f"{input.dim()} dimensions"
        )
    rows = input.reshape(1, -1) if input.dim() < 2 else input
    _check_weights("fweights", fweights, rows, "integral")
    _check_weights("aweights", aweights, rows, "floating point")
    weight = fweights
    if aweights is not None:
        weight = aweights if weight is None else weight * aweights
    count = rows.shape[1] if weight is None else weight.sum()
    if weight is None:
        mean, total = rows.sum(1) / count, count - correction
    else:
        mean = (rows * weight).sum(1) / count
        total = count - correction
        if correction and aweights is not None:
            total = count - correction * (weight * aweights).sum() / count
    centred = rows - mean.unsqueeze(1)
    scaled = centred if weight is None else centred * weight
    total = max(total, 0) if not isinstance(total, Tensor) else total.clamp_min(0)
    return (centred @ scaled.t().conj() / total).squeeze()


@composite
def corrcoef(input: Tensor) -> Tensor:
    """Correlation of the rows."""
    if input.dim() > 2:
        raise RuntimeError(
            "corrcoef(): expected input to have two or fewer dimensions but got an input with "
            f"{input.dim()} dimensions"
        )
    c = cov(input)
    if c.dim() == 0:
        return c / c
    spread = c.diagonal()
    spread = (spread.real if spread.is_complex() else spread).sqrt()
    c = c / spread.view(-1, 1) / spread.view(1, -1)
    if not c.is_complex():
        return c.clamp(-1, 1)
    return TABLE["torch", "complex"](c.real.clamp(-1, 1), c.imag.clamp(-1, 1))
