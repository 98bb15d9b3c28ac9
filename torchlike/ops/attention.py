"""Scaled dot product attention: one op where PyTorch's CPU has one, a composite elsewhere."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp

from ..core.check import broadcast_shapes
from ..core.dispatch import call
from ..core.dtypes import BOOL, C_NAMES, FLOAT, SCALAR_NAMES, float32
from ..core.op import TABLE, Array, Dim, Number, Optional, composite, op
from ..core.tensor import Tensor
from .activation import wide


# ----- softmax that gives zeros where everything is masked -----
def _safe_softmax(scores: Any) -> Any:
    top = jnp.max(scores, -1, keepdims=True, initial=-jnp.inf)
    masked = top == -jnp.inf
    powers = jnp.exp(scores - jnp.where(masked, jnp.zeros_like(top), top))
    total = jnp.sum(powers, -1, keepdims=True)
    return powers / jnp.where(masked, jnp.ones_like(total), total)


@op(module=None, name="_safe_softmax", node="SafeSoftmaxBackward0")
def safe_softmax(input: Array, dim: Dim):
    return jnp.moveaxis(_safe_softmax(jnp.moveaxis(input, dim, -1)), -1, dim)


@safe_softmax.gradient
def _(grad, result, dim):
    weighed = grad * result
    return weighed - result * weighed.sum(dim, True)


# ----- the fused op -----
def _product(a: Any, b: Any) -> Any:
    return jnp.matmul(a, b, preferred_element_type=a.dtype)


def _chances(query: Any, key: Any, mask: Any, scale: Any, is_causal: bool) -> Any:
    """The weights of the values, for each query."""
    scores = _product(query * scale, jnp.swapaxes(key, -1, -2))
    if mask is not None:
        low = jnp.asarray(-jnp.inf, scores.dtype)
        scores = jnp.where(mask, scores, low) if mask.dtype == bool else scores + mask
    if is_causal:
        rows, cols = scores.shape[-2:]
        below = jnp.arange(rows)[:, None] >= jnp.arange(cols)
        scores = jnp.where(below, scores, jnp.asarray(-jnp.inf, scores.dtype))
    return _safe_softmax(scores)


def _with_heads(x: Any, heads: int) -> Any:
    """Key or value heads repeated to as many as the query has."""
    return x if x.shape[1] == heads else jnp.repeat(x, heads // x.shape[1], axis=1)


def _summed_heads(x: Any, heads: int) -> Any:
    if x.shape[1] == heads:
        return x
    n, h, *rest = x.shape
    return x.reshape(n, heads, h // heads, *rest).sum(2, dtype=x.dtype)


@op(module=None, promote="none", node="ScaledDotProductFlashAttentionForCpuBackward0")
def flash_attention(
    query: Array, key: Array, value: Array, mask: Optional[Array], scale: Number, is_causal: bool
):
    q, k, v = (wide(x) for x in (query, key, value))
    k, v = _with_heads(k, q.shape[1]), _with_heads(v, q.shape[1])
    mask = mask if mask is None or mask.dtype == bool else mask.astype(q.dtype)
    chances = _chances(q, k, mask, scale.astype(q.dtype), is_causal)
    return _product(chances, v).astype(query.dtype)


@flash_attention.gradient
def _(grad, query, key, value, mask, scale, is_causal):
    found = call(flash_backward, (grad, query, key, value, mask, scale), (is_causal,))
    return (*found, None)


@op(module=None, promote="none", returns=tuple)
def flash_backward(
    grad: Array, query: Array, key: Array, value: Array, mask: Optional[Array], scale: Number,
    is_causal: bool,
):  # fmt: skip
    g, q, k, v = (wide(x) for x in (grad, query, key, value))
    heads, scale = k.shape[1], scale.astype(q.dtype)
    k, v = _with_heads(k, q.shape[1]), _with_heads(v, q.shape[1])
    mask = mask if mask is None or mask.dtype == bool else mask.astype(q.dtype)
    chances = _chances(q, k, mask, scale, is_causal)
    of_value = _product(jnp.swapaxes(chances, -1, -2), g)
    weighed = chances * _product(g, jnp.swapaxes(v, -1, -2))
    of_scores = (weighed - chances * jnp.sum(weighed, -1, keepdims=True)) * scale
    of_query = _product(of_scores, k)
    of_key = _product(jnp.swapaxes(of_scores, -1, -2), q)
    return (
        of_query.astype(query.dtype),
        _summed_heads(of_key, heads).astype(key.dtype),
        _summed_heads(of_value, heads).astype(value.dtype),
    )


# ----- the public function -----
# which kernels torch.backends.cuda and torch.nn.attention allow; there are flash and math
ALLOWED = {name: True for name in ("cudnn", "flash", "mem_efficient", "math", "overrideable")}


@composite(module="nn.functional")
def scaled_dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None,
    dropout_p: float = 0.0, is_causal: bool = False, scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:  # fmt: skip
    """softmax(q kᵀ · scale + mask) v; rows that are masked altogether give zeros."""
    _check(query, key, value, attn_mask)
    if not 0 <= dropout_p <= 1:
        raise RuntimeError(
            f"dropout probability has to be between 0 and 1, but got {dropout_p:g}"
        )
    if enable_gqa:
        _check_heads(query, key, value)
    if _is_flash(query, key, value, attn_mask, dropout_p):
        width = query.shape[-1]
        scale = 1 / math.sqrt(width) if scale is None else scale
        return call(flash_attention, (query, key, value, attn_mask, scale), (bool(is_causal),))
    if not ALLOWED["math"]:
        raise RuntimeError(
            "No viable backend for scaled_dot_product_attention was found. This is likely due to "
            "turning off both the math kernel and the fused kernels."
        )
    if enable_gqa and query.ndim >= 3:
        key = key.repeat_interleave(query.shape[-3] // key.shape[-3], -3)
        value = value.repeat_interleave(query.shape[-3] // value.shape[-3], -3)
    return _composed(query, key, value, attn_mask, dropout_p, is_causal, scale)


def _is_flash(query: Tensor, key: Tensor, value: Tensor, mask: Any, dropout_p: float) -> bool:
    """Whether PyTorch's CPU takes its fused kernel."""
    if not ALLOWED["flash"] or dropout_p > 0 or query.ndim != 4 or key.ndim != 4 or value.ndim != 4:
        return False
    if mask is not None and (mask.requires_grad or mask.ndim not in (2, 4)):
        return False
    alike = query.shape[0] == key.shape[0] == value.shape[0] and key.shape[1] == value.shape[1]
    same = query.shape[-1] == key.shape[-1] == value.shape[-1] and key.shape[2] == value.shape[2]
    whole = query.shape[1] % max(key.shape[1], 1) == 0 and 0 not in (*query.shape, *key.shape)
    return query.dtype.category == FLOAT and alike and same and whole


def _composed(
    query: Tensor, key: Tensor, value: Tensor, mask: Any, dropout_p: float, is_causal: bool,
    scale: float | None,
) -> Tensor:  # fmt: skip
    if query.dtype.category < FLOAT:
        raise RuntimeError(f"expected scalar type Float but found {SCALAR_NAMES[query.dtype]}")
    kind = query.dtype
    if kind.itemsize == 2:  # computed in float32, rounded once
        query, key, value = (t.float() for t in (query, key, value))  # type: ignore[attr-defined]
        mask = mask.float() if mask is not None and mask.dtype.category == FLOAT else mask
    width = query.shape[-1]
    root = math.sqrt(1 / math.sqrt(width) if scale is None else abs(scale)) if width else 1.0
    sign = -1 if scale is not None and scale < 0 else 1
    if is_causal:
        rows, cols = query.shape[-2], key.shape[-2]
        mask = query.new_ones((rows, cols)).tril().bool()
    if mask is not None and mask.dtype.category == BOOL:
        mask = query.new_zeros(mask.shape).masked_fill(~mask, -math.inf)
    scores = (query * (root * sign)).matmul(key.transpose(-2, -1) * root)
    if mask is not None:
        scores = scores + mask
    chances = safe_softmax(scores, -1)
    if dropout_p > 0:
        chances = TABLE["nn.functional", "dropout"](chances, dropout_p)
    found = chances.matmul(value)
    return found if kind is found.dtype else found.to(kind)


# ----- checks -----
def _check(query: Tensor, key: Tensor, value: Tensor, mask: Any) -> None:
    if not query.dtype is key.dtype is value.dtype:
        names = (C_NAMES[t.dtype] for t in (query, key, value))
        raise RuntimeError(
            "Expected query, key, and value to have the same dtype, but got query.dtype: {} "
            "key.dtype: {} and value.dtype: {} instead.".format(*names)
        )
    if min(query.ndim, key.ndim, value.ndim) < 2:
        raise RuntimeError(
            "Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: "
            f"{query.ndim} key.dim: {key.ndim} and value.dim: {value.ndim} instead."
        )
    if mask is None:
        return
    broadcast_shapes((*query.shape[:-1], key.shape[-2]), tuple(mask.shape))
    if mask.dtype.category != BOOL and mask.dtype not in (query.dtype, float32):
        raise RuntimeError(
            "Expected attn_mask dtype to be bool or float or to match query dtype, but got "
            f"attn_mask.dtype: {C_NAMES[mask.dtype]} and  query.dtype: {C_NAMES[query.dtype]} "
            "instead."
        )


def _check_heads(query: Tensor, key: Tensor, value: Tensor) -> None:
    heads, k, v = query.shape[-3], key.shape[-3], value.shape[-3]
    if heads % k or heads % v:
        raise RuntimeError("Number of heads in key and value must divide the number of heads in ")
