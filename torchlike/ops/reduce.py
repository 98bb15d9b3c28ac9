"""Reductions: sums, products, moments, norms of the exponent, any and all."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from ..core.dtypes import SCALAR_NAMES
from ..core.mutate import write_out
from ..core.op import Array, Dim, Dims, Dtype, alias, composite, op
from ..core.tensor import Tensor
from .kinds import COMPLEX, INTEGER, in_single, is_complex, kind, refuse, scalar_name

MEAN_DTYPE = (
    "mean(): could not infer output dtype. {} dtype must be either a floating point or complex "
    "dtype. Got: {}"
)


def axes(dim: tuple[int, ...] | None, ndim: int) -> tuple[int, ...]:
    """The axes to reduce: all for None and ()."""
    if ndim == 0:
        return ()
    return tuple(dim) if dim else tuple(range(ndim))


def shape_kept(shape: Any, dim: tuple[int, ...] | None) -> tuple[int, ...]:
    """The shape with reduced dims left as 1."""
    gone = axes(dim, len(shape))
    return tuple(1 if i in gone else n for i, n in enumerate(shape))


def restore(reduced: Tensor, shape: Any, dim: tuple[int, ...] | None) -> Tensor:
    """A reduced tensor with its lost dims back as 1, ready to broadcast against the input."""
    kept = shape_kept(shape, dim)
    return reduced if tuple(reduced.shape) == kept else reduced.reshape(kept)


def wide(x: Any, dtype: Any) -> Any:
    """The dtype sums and products are made in: int64 for booleans and integers."""
    if dtype is not None:
        return dtype
    return jnp.int64 if kind(x) <= INTEGER else x.dtype


def total(x: Any, over: tuple[int, ...], keepdims: bool = False) -> Any:
    """The sum in `x`'s own dtype, 16-bit floats added up in 32 bits.

    `jnp.sum` makes 64 bits of small integers, and takes twice as long to trace.
    """
    if x.dtype == bool:
        return jnp.any(x, over, keepdims=keepdims)
    small = x.dtype.itemsize == 2 and jnp.issubdtype(x.dtype, jnp.inexact)
    found = lax.reduce_sum(x.astype(jnp.float32) if small else x, axes=over)
    return (lax.expand_dims(found, over) if keepdims else found).astype(x.dtype)


def _all_or_dim(name: str) -> Any:
    return lambda statics: f"{name}Backward{0 if statics['dim'] is None else 1}"


# ----- sums -----
@op(promote="none", node=_all_or_dim("Sum"), out="typed")
def sum(input: Array, dim: Dims = None, keepdim: bool = False, *, dtype: Dtype = None):
    return total(input.astype(wide(input, dtype)), axes(dim, input.ndim), keepdim)


@sum.gradient
def _(grad, input, dim):
    return restore(grad, input.shape, dim).expand(input.shape)


@op(promote="none", node=_all_or_dim("Mean"))
def mean(input: Array, dim: Dims = None, keepdim: bool = False, *, dtype: Dtype = None):
    if dtype is not None and not jnp.issubdtype(dtype, jnp.inexact):
        raise RuntimeError(MEAN_DTYPE.format("Optional", scalar_name(jnp.zeros((), dtype))))
    if dtype is None and kind(input) <= INTEGER:
        raise RuntimeError(MEAN_DTYPE.format("Input", scalar_name(input)))
    over, found = axes(dim, input.ndim), input.astype(dtype or input.dtype)
    if found.dtype.itemsize == 2:
        return jnp.mean(found, over, keepdims=keepdim)  # rounded once
    return total(found, over, keepdim) / math.prod(input.shape[i] for i in over)


@mean.gradient
def _(grad, input, dim):
    count = math.prod(input.shape[i] for i in axes(dim, input.ndim))
    return restore(grad, input.shape, dim).expand(input.shape) / count


@op(promote="none", out="typed")
def nansum(input: Array, dim: Dims = None, keepdim: bool = False, *, dtype: Dtype = None):
    if is_complex(input):
        raise RuntimeError("nansum on CPU does not support complex inputs")
    if kind(input) > INTEGER and dtype is not None:
        refuse("nansum_cpu", jnp.zeros((), dtype), frozenset({COMPLEX}))
    known = jnp.where(input != input, jnp.zeros_like(input), input)
    return total(known.astype(wide(input, dtype)), axes(dim, input.ndim), keepdim)


@nansum.gradient
def _(grad, input, dim):
    return restore(grad, input.shape, dim) * ~input.isnan()


@composite
def nanmean(
    input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, out: Any = None
) -> Tensor:
    """The mean of what is not nan."""
    if not (input.is_floating_point() or input.is_complex()):
        raise RuntimeError(
            "nanmean(): expected input to have floating point or complex dtype but got "
            f"{SCALAR_NAMES[input.dtype]}"
        )
    if dtype is not None and not (dtype.is_floating_point or dtype.is_complex):
        raise RuntimeError("nan" + MEAN_DTYPE.format("Optional", SCALAR_NAMES[dtype]))
    found = nansum(input, dim, keepdim, dtype=dtype) / (~input.isnan()).sum(dim, keepdim)
    return found if out is None else write_out("nanmean", out, found)


@op(promote="none", node=_all_or_dim("Prod"), out="typed")
def prod(input: Array, dim: Dim | None = None, keepdim: bool = False, *, dtype: Dtype = None):
    over = axes(None if dim is None else (dim,), input.ndim)
    kind = wide(input, dtype)
    return jnp.prod(input.astype(kind), over, keepdims=keepdim).astype(kind)


@op(promote="none", differentiable=False)
def count_nonzero(input: Array, dim: Dims = None):
    return jnp.sum(input.astype(bool), axes(dim, input.ndim), dtype=jnp.int64)


# ----- logic -----
def _logic(name: str, body: Any) -> None:
    def reduce(input: Array, dim: Dims = None, keepdim: bool = False):
        over = () if dim == () else axes(dim, input.ndim)  # unlike sum, dim=() reduces nothing
        found = body(input.astype(bool), over, keepdims=keepdim)
        return found.astype(jnp.uint8) if input.dtype == jnp.uint8 else found

    op(promote="none", differentiable=False, name=name)(reduce)


_logic("any", jnp.any)
_logic("all", jnp.all)


# ----- moments -----
def _variance(input: Any, over: tuple[int, ...], correction: float, keepdim: bool) -> Any:
    return in_single(lambda x: _squares(x, over, correction, keepdim))(input)


def _deviation(input: Any, over: tuple[int, ...], correction: float, keepdim: bool) -> Any:
    return in_single(lambda x: jnp.sqrt(_squares(x, over, correction, keepdim)))(input)


def _squares(input: Any, over: tuple[int, ...], correction: float, keepdim: bool) -> Any:
    """Sum of squared deviations over max(n - correction, 0)."""
    count = math.prod(input.shape[i] for i in over)
    centred = input - jnp.mean(input, over, keepdims=True)
    squares = jnp.square(centred.real) + jnp.square(centred.imag) if is_complex(input) else None
    whole = jnp.sum(jnp.square(centred) if squares is None else squares, over, keepdims=keepdim)
    return whole / max(count - correction, 0.0) if count > correction else _over_zero(whole)


def _over_zero(whole: Any) -> Any:
    return whole / jnp.zeros_like(whole)


def _check_moment(input: Any) -> None:
    if kind(input) <= INTEGER:
        raise RuntimeError("std and var only support floating point and complex dtypes")


def _shown_correction(call: Any) -> Any:
    """As it is mostly given: a whole number, and for all elements nothing."""
    if call.dim is None and call.correction == 1:
        return None
    return int(call.correction) if call.correction == int(call.correction) else call.correction


_SHOWS = {"correction": _shown_correction}


@op(promote="none", module=None, name="var", shows=_SHOWS)
def var_of(input: Array, dim: Dims, correction: float, keepdim: bool):
    _check_moment(input)
    return _variance(input, axes(dim, input.ndim), correction, keepdim)


@op(promote="none", module=None, name="std", shows=_SHOWS)
def std_of(input: Array, dim: Dims, correction: float, keepdim: bool):
    _check_moment(input)
    return _deviation(input, axes(dim, input.ndim), correction, keepdim)


@op(promote="none", module=None, name="var_mean", returns=tuple, shows=_SHOWS)
def var_mean_of(input: Array, dim: Dims, correction: float, keepdim: bool):
    _check_moment(input)
    over = axes(dim, input.ndim)
    return _variance(input, over, correction, keepdim), jnp.mean(input, over, keepdims=keepdim)


@op(promote="none", module=None, name="std_mean", returns=tuple, shows=_SHOWS)
def std_mean_of(input: Array, dim: Dims, correction: float, keepdim: bool):
    _check_moment(input)
    over = axes(dim, input.ndim)
    spread = _deviation(input, over, correction, keepdim)
    return spread, jnp.mean(input, over, keepdims=keepdim)


def _var_rule(grad: Tensor, input: Tensor, dim: Any, correction: float) -> Tensor:
    over = axes(dim, input.ndim)
    rest = math.prod(input.shape[i] for i in over) - correction
    away = input - mean(input, over, True)
    if not dim and rest <= 0:  # over everything PyTorch has another rule
        return grad * away.new_full((), math.inf).where(away != 0, math.nan)
    scale = 2 / rest if rest else math.inf
    return restore(grad, input.shape, dim) * scale * away


def _std_rule(grad: Tensor, result: Tensor, input: Tensor, dim: Any, correction: float) -> Tensor:
    slope = (grad / (result * 2)).masked_fill(result == 0, 0)
    return _var_rule(slope, input, dim, correction)


def _mean_rule(grad: Tensor, input: Tensor, dim: Any) -> Tensor:
    count = math.prod(input.shape[i] for i in axes(dim, input.ndim))
    return restore(grad, input.shape, dim).expand(input.shape) / count


var_of.gradient(_var_rule)


@std_of.gradient
def _(grad, result, input, dim, correction):
    return _std_rule(grad, result, input, dim, correction)


@var_mean_of.gradient
def _(grad0, grad1, input, dim, correction):
    return _var_rule(grad0, input, dim, correction) + _mean_rule(grad1, input, dim)


@std_mean_of.gradient
def _(grad0, grad1, result0, input, dim, correction):
    return _std_rule(grad0, result0, input, dim, correction) + _mean_rule(grad1, input, dim)


def _moment(name: str, function: Any) -> None:
    def moment(
        input: Tensor,
        dim: Any = None,
        unbiased: bool | None = None,
        keepdim: bool = False,
        *,
        correction: float | None = None,
        out: Any = None,
    ) -> Any:
        if isinstance(dim, bool) and unbiased is None:  # var(input, unbiased)
            dim, unbiased = None, dim
        if unbiased is not None and unbiased.__class__ is not bool:
            raise TypeError("unbiased must be bool")
        if unbiased is not None and correction is not None:
            raise TypeError(f"{name}() takes `unbiased` or `correction`, not both")
        if correction is None:
            correction = 1 if unbiased is None else int(unbiased)
        found = function(input, dim, float(correction), keepdim)
        return found if out is None else write_out(name, out, found)

    moment.__doc__ = f"The {name}, with {name}(input, unbiased) and {name}(…, correction=…)."
    composite(name=name)(moment)


for _name, _function in dict(
    var=var_of, std=std_of, var_mean=var_mean_of, std_mean=std_mean_of
).items():
    _moment(_name, _function)


# ----- log-sum-exp -----
@op(promote="float")
def logsumexp(input: Array, dim: Dims, keepdim: bool = False):
    return jax.nn.logsumexp(input, axes(dim, input.ndim), keepdims=keepdim)


@logsumexp.gradient
def _(grad, input, result, dim):
    top = restore(result, input.shape, dim)
    return restore(grad, input.shape, dim) * (input - top).exp().conj()


alias("logsumexp", "logsumexp", module="special", of="torch")


# ----- a checksum -----
@op(promote="none", differentiable=False)
def hash_tensor(input: Array, dim: Dims = (), *, keepdim: bool = False, mode: int = 0):
    if mode != 0:
        raise RuntimeError(f"Unknown mode {mode}: only mode 0 (xor_sum) is supported")
    wide_ = input.astype(jnp.float64 if kind(input) > INTEGER else jnp.int64)
    bits = lax.bitcast_convert_type(wide_, jnp.uint64)
    over = axes(dim, input.ndim)
    found = lax.reduce_xor(bits, over)
    return jnp.expand_dims(found, over) if keepdim else found


# ----- back to the shape before broadcasting -----
@composite(module=None, method=True)
def sum_to_size(self: Tensor, *size: Any) -> Tensor:
    """The sum over the dims that broadcasting from `size` would expand."""
    wanted = tuple(size[0]) if len(size) == 1 and not isinstance(size[0], int) else size
    if not wanted:
        return sum(self)
    lead = self.dim() - len(wanted)
    fits = lead >= 0 and all(n in (1, m) for n, m in zip(wanted, self.shape[lead:], strict=True))
    if not fits:
        raise RuntimeError(
            f"size {{{list(wanted)}}} is not expandable to size {{{list(self.shape)}}}."
        )
    gone = [
        *range(lead),
        *(lead + i for i, n in enumerate(wanted) if n == 1 != self.shape[lead + i]),
    ]
    found = sum(self, tuple(gone), True) if gone else self
    return found.reshape(wanted) if lead else found
