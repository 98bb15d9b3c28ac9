"""The norm of a weight apart from one dim, and the weight put together from norm and direction."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from ..core.dispatch import call
from ..core.op import Array, composite, op
from ..core.tensor import Tensor
from .similarity import norm_of_dims


@composite(method=False)
def norm_except_dim(v: Tensor, pow: int = 2, dim: int = 0):
    """The norm over all dims but one, which stays."""
    if dim == -1:
        return call(norm_of_dims, (v,), (float(pow), None, False))
    if dim == 0:
        return v.contiguous().view(v.size(0), -1).norm(pow, 1).view(-1, *[1] * (v.dim() - 1))
    if dim == v.dim() - 1:
        return v.contiguous().view(-1, v.size(-1)).norm(pow, 0).view(*[1] * (v.dim() - 1), -1)
    return norm_except_dim(v.transpose(0, dim), pow, 0).transpose(0, dim)


def _scaled(v: Any, g: Any, dim: int) -> Any:
    axes = tuple(d for d in range(v.ndim) if d != dim)
    return v * (g / jnp.sqrt((v * v).sum(axes, keepdims=True)))


@op(name="_weight_norm_interface", module=None, node="WeightNormInterfaceBackward0")
def _fused(v: Array, g: Array, dim: int):
    return _scaled(v, g, dim)


@composite(method=False)
def _weight_norm(v: Tensor, g: Tensor, dim: int = 0):
    """v scaled to the norm g; one op where the dim is the first or last, as in PyTorch."""
    if dim in (0, v.dim() - 1):
        return _fused.public(v, g, dim)
    return v * (g / norm_except_dim(v, 2, dim))
