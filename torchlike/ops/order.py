"""Order statistics: median, kthvalue, mode, quantile."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax

from ..core.mutate import write_out
from ..core.op import Array, Dim, composite, op
from ..core.plan import ABSENT
from ..core.tensor import Tensor
from . import return_types
from .extrema import check_nonempty, selected, shared
from .kinds import NUMERIC, REAL, refuse
from .linalg import squeezed

INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")


def _take(x: Any, at: Any, dim: int) -> Any:
    return jnp.take_along_axis(x, at, axis=dim)


def _is_nan(x: Any) -> Any:
    return x != x


def _finish(values: Any, at: Any, dim: int, keepdim: bool) -> tuple[Any, Any]:
    if not keepdim:
        values, at = jnp.squeeze(values, dim), jnp.squeeze(at, dim)
    return values, at.astype(jnp.int64)


def _ranked(input: Any, rank: Any, dim: int) -> tuple[Any, Any]:
    """The element of ascending rank `rank` (size 1 along dim) and where it was; nan is last."""
    order = jnp.argsort(input, axis=dim, stable=True)
    at = _take(order, rank, dim)
    return _take(input, at, dim), at


def _middle(input: Any, dim: int, ignore_nan: bool) -> tuple[Any, Any]:
    bad = _is_nan(input)
    known = input.shape[dim] - jnp.sum(bad, axis=dim, keepdims=True, dtype=jnp.int64)
    size = jnp.full_like(known, input.shape[dim])
    rank = jnp.maximum((known if ignore_nan else size) - 1, 0) // 2
    values, at = _ranked(input, rank, dim)
    if ignore_nan:
        return values, at
    first_bad = jnp.argmax(bad, axis=dim, keepdims=True)
    any_bad = known < size
    return jnp.where(any_bad, _take(input, first_bad, dim), values), jnp.where(
        any_bad, first_bad, at
    )


# ----- median -----
def _median(name: str, ignore_nan: bool) -> None:
    title = name.title()

    def over_all(input: Array):
        refuse("median_cpu", input, REAL | NUMERIC)
        if input.size == 0:
            return jnp.full((), jnp.nan, input.dtype)
        return _middle(input.ravel(), 0, ignore_nan)[0][0]

    def along(input: Array, dim: Dim, keepdim: bool):
        refuse("median_cpu", input, REAL | NUMERIC)
        check_nonempty(name, input.shape, dim)
        if input.ndim == 0:
            return input, jnp.zeros((), jnp.int64)
        return _finish(*_middle(input, dim, ignore_nan), dim, keepdim)

    whole = op(promote="none", module=None, name=f"{name}_all", node=f"{title}Backward0")(over_all)
    one = op(
        promote="none", module=None, name=f"{name}_dim", node=f"{title}Backward1",
        returns=getattr(return_types, name),
    )(along)  # fmt: skip
    whole.gradient(lambda grad, input, result: shared(grad, input, result))
    one.gradient(
        lambda grad0, result1, input, dim, keepdim: selected(grad0, result1, input, dim, keepdim)
    )

    def median(
        input: Tensor, dim: Any = ABSENT, keepdim: bool = False, *, out: Any = None
    ) -> Any:
        alone = dim is ABSENT and not keepdim
        found = whole(input) if alone else one(input, dim, keepdim)
        return found if out is None else write_out(name, out, found)

    median.__doc__ = f"The lower {name} of all elements, or values and indices along a dim."
    composite(name=name)(median)


_median("median", ignore_nan=False)
_median("nanmedian", ignore_nan=True)


# ----- the k-th smallest and the most frequent -----
@op(promote="none", returns=return_types.kthvalue, out="apart")
def kthvalue(input: Array, k: int, dim: Dim = -1, keepdim: bool = False):
    refuse("kthvalue_cpu", input, REAL | NUMERIC)
    check_nonempty("kthvalue", input.shape, dim)
    if not 1 <= k <= (input.shape[dim] if input.ndim else 1):
        raise RuntimeError(f"kthvalue(): selected number k out of range for dimension {dim}")
    if input.ndim == 0:
        return input, jnp.zeros((), jnp.int64)
    rank = jnp.full([1 if i == dim else n for i, n in enumerate(input.shape)], k - 1)
    return _finish(*_ranked(input, rank, dim), dim, keepdim)


@kthvalue.gradient
def _(grad0, result1, input, dim, keepdim):
    return selected(grad0, result1, input, dim, keepdim)


@op(promote="none", returns=return_types.mode)
def mode(input: Array, dim: Dim = -1, keepdim: bool = False):
    refuse("mode_cpu", input, REAL)
    check_nonempty("mode", input.shape, dim)
    if input.ndim == 0:
        return input, jnp.zeros((), jnp.int64)
    order = jnp.argsort(input, axis=dim, stable=True)
    ranked = _take(input, order, dim)
    places = lax.broadcasted_iota(jnp.int64, input.shape, dim)
    before = jnp.roll(ranked, 1, axis=dim)
    starts = jnp.where((places == 0) | (ranked != before), places, 0)
    length = places - lax.cummax(starts, axis=dim)
    at = _take(order, jnp.argmax(length, axis=dim, keepdims=True), dim)  # the last of its run
    return _finish(_take(input, at, dim), at, dim, keepdim)


@mode.gradient
def _(grad0, result1, input, dim, keepdim):
    return selected(grad0, result1, input, dim, keepdim)


# ----- quantiles -----
def _check_quantile(input: Tensor, q: Any, interpolation: str) -> None:
    if input.numel() == 0:
        raise RuntimeError("quantile() input tensor must be non-empty")
    if str(input.dtype) not in ("torch.float32", "torch.float64"):
        raise RuntimeError("quantile() input tensor must be either float or double dtype")
    if interpolation not in INTERPOLATIONS:
        raise RuntimeError(
            "quantile() interpolation must be one of linear, lower, higher, midpoint or nearest, "
            f"but got {interpolation}"
        )
    if not isinstance(q, Tensor):
        if not 0 <= q <= 1:
            raise RuntimeError(f"quantile() q must be in the range [0, 1] but got {q:g}")
        return
    if q.dim() > 1:
        raise RuntimeError("quantile() q must be a scalar or 1D tensor")
    if q.dtype is not input.dtype:
        raise RuntimeError("quantile() q tensor must be same dtype as the input tensor")
    if q.device.type != "meta" and not bool(((q >= 0) & (q <= 1)).all()):
        raise RuntimeError("quantile() q values must be in the range [0, 1]")


def _ranks(ordered: Tensor, q: Tensor, ignore_nan: bool) -> Tensor:
    if ignore_nan:
        rank = q * (~ordered.isnan()).sum(-1, True).sub(1)
        return rank.masked_fill(rank < 0, 0)
    last = ordered.shape[-1] - 1
    return (q * last).masked_fill(ordered.isnan().any(-1, True), last)


def _interpolate(ordered: Tensor, rank: Tensor, interpolation: str) -> Tensor:
    rounded = {"lower": rank.floor, "higher": rank.ceil, "nearest": rank.round}.get(interpolation)
    if rounded is not None:
        return ordered.gather(-1, rounded().long())
    below = rank.long()
    weight = rank.sub(below) if interpolation == "linear" else rank.new_full(rank.shape, 0.5)
    above = ordered.gather(-1, rank.ceil().long())
    return ordered.gather(-1, below).lerp(above, weight)


def _quantile(
    input: Tensor, q: Any, dim: int | None, keepdim: bool, interpolation: str, ignore_nan: bool
) -> Tensor:
    _check_quantile(input, q, interpolation)
    q = q if isinstance(q, Tensor) else input.new_tensor(q)
    lead, ndim = input, input.dim()
    lead = input.reshape(-1) if dim is None or ndim == 0 else input.movedim(dim, -1)
    ordered = lead.sort(-1)[0]
    shape = (1,) * (ordered.dim() - 1) + (-1,)
    rank = _ranks(ordered, q.reshape(shape), ignore_nan)
    rank = rank.expand(*ordered.shape[:-1], rank.shape[-1])
    found = _interpolate(ordered, rank, interpolation)  # the quantiles are the last dim
    if keepdim:
        kept = [1] * ndim if dim is None else list(input.shape)
        if dim is not None and ndim:
            kept[dim] = 1
        found = found.movedim(-1, 0).reshape(q.numel(), *kept)
        return found if q.dim() else squeezed(found, 0)
    return squeezed(found.unsqueeze(0).transpose(0, -1) if q.dim() else found, -1)


@composite
def quantile(
    input: Tensor, q: Any, dim: int | None = None, keepdim: bool = False, *,
    interpolation: str = "linear", out: Any = None,
) -> Tensor:  # fmt: skip
    """The q-th quantiles, nan where a slice has nan."""
    found = _quantile(input, q, dim, keepdim, interpolation, False)
    return found if out is None else write_out("quantile", out, found)


@composite
def nanquantile(
    input: Tensor, q: Any, dim: int | None = None, keepdim: bool = False, *,
    interpolation: str = "linear", out: Any = None,
) -> Tensor:  # fmt: skip
    """The q-th quantiles of what is not nan."""
    found = _quantile(input, q, dim, keepdim, interpolation, True)
    return found if out is None else write_out("nanquantile", out, found)
