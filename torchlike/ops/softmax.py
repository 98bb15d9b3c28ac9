"""softmax, log_softmax, softmin and gumbel_softmax."""

from __future__ import annotations

import warnings
from typing import Any

import jax.numpy as jnp
from jax import lax

from ..core.dispatch import call
from ..core.mutate import write_out
from ..core.op import TABLE, Array, Dim, Op, composite, op
from ..core.tape import no_grad
from ..core.tensor import Tensor
from .activation import wide
from .kinds import FLOATING, refuse

IMPLICIT = (
    "Implicit dimension choice for {} has been deprecated. Change the call to include dim=X as an "
    "argument."
)


def _check_softmax(name: str, input: Any, dim: int) -> None:
    last = input.ndim == 0 or dim == input.ndim - 1
    refuse(f"{name}_lastdim_kernel_impl" if last else f"{name}_kernel_impl", input, FLOATING)


def _shifted(input: Any, dim: int) -> Any:
    x = wide(input)
    return x - lax.stop_gradient(jnp.max(x, dim, keepdims=True, initial=-jnp.inf))


@op(module=None, name="softmax")
def softmax_of(input: Array, dim: Dim):
    _check_softmax("softmax", input, dim)
    if input.ndim == 0:
        return jnp.ones_like(input)
    powers = jnp.exp(_shifted(input, dim))
    return (powers / jnp.sum(powers, dim, keepdims=True)).astype(input.dtype)


@softmax_of.kernel_gradient
def _(grad, result, dim):
    weighed = grad * result
    return weighed - result * weighed.sum(dim, True)


@op(module=None, name="log_softmax")
def log_softmax_of(input: Array, dim: Dim):
    _check_softmax("log_softmax", input, dim)
    if input.ndim == 0:
        return jnp.zeros_like(input)
    low = _shifted(input, dim)
    total = jnp.sum(jnp.exp(low), dim, keepdims=True)
    if input.dtype.itemsize == 2 and dim == input.ndim - 1:  # ATen keeps both in 16 bits there
        rounded = jnp.log(total.astype(input.dtype).astype(low.dtype)).astype(input.dtype)
        return (low - rounded.astype(low.dtype)).astype(input.dtype)
    return (low - jnp.log(total)).astype(input.dtype)


@log_softmax_of.kernel_gradient
def _(grad, result, dim):
    return grad - result.exp() * grad.sum(dim, True)


def _softmax_family(name: str, made: Op) -> None:
    def function(input: Tensor, dim: int, dtype: Any = None, *, out: Any = None) -> Tensor:
        x = input if dtype is None or dtype is input.dtype else input.to(dtype=dtype)
        found = call(made, (x,), (dim,))
        return found if out is None else write_out(name, out, found)

    function.__doc__ = f"The {name} along a dim, computed in `dtype`."
    composite(name=name)(function)


_softmax_family("softmax", softmax_of)
_softmax_family("log_softmax", log_softmax_of)


def _implicit_dim(name: str, ndim: int, stacklevel: int) -> int:
    warnings.warn(IMPLICIT.format(name), stacklevel=stacklevel + 1)
    return 0 if ndim in (0, 1, 3) else 1


def _functional_softmax(name: str, negate: bool = False) -> None:
    target = TABLE["torch", "softmax" if negate else name]

    def function(
        input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
    ) -> Tensor:
        if dim is None:
            dim = _implicit_dim(name, input.ndim, _stacklevel)
        return target(-input if negate else input, dim, dtype=dtype)

    composite(module="nn.functional", name=name)(function)


_functional_softmax("softmax")
_functional_softmax("log_softmax")
_functional_softmax("softmin", negate=True)


@composite(module="nn.functional")
def gumbel_softmax(
    logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Tensor:
    """A softmax of logits plus Gumbel noise; `hard` gives one-hot values with soft gradients."""
    if eps != 1e-10:
        warnings.warn("`eps` parameter is deprecated and has no effect.", stacklevel=2)
    with no_grad():
        gumbels = -logits.new_empty(logits.shape).exponential_().log()
    soft = softmax_of((logits + gumbels) / tau, dim)
    if not hard:
        return soft
    index = soft.max(dim, keepdim=True)[1]
    ones = logits.new_zeros(logits.shape).scatter_(dim, index, 1.0)
    return ones - soft.detach() + soft
