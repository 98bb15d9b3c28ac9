"""Attention with several heads as a function, and the masks it takes."""

import math
import warnings

from .. import ops
from ..core.dtypes import bool_
from ..core.op import TABLE
from ..core.tensor import Tensor

linear, pad, softmax, dropout, scaled_dot_product_attention = (
    TABLE["nn.functional", name]
    for name in ("linear", "pad", "softmax", "dropout", "scaled_dot_product_attention")
)


# ----- masks -----
def _canonical_mask(mask, mask_name, other_type, other_name, target_type, check_other=True):
    """The mask as floats to add: minus infinity where a boolean one is set."""
    if mask is None:
        return None
    is_float = mask.is_floating_point()
    if mask.dtype != bool_ and not is_float:
        raise AssertionError(f"only bool and floating types of {mask_name} are supported")
    if check_other and other_type is not None and mask.dtype != other_type:
        warnings.warn(
            f"Support for mismatched {mask_name} and {other_name} is deprecated. Use same type "
            "for both instead.",
            stacklevel=2,
        )
    if is_float:
        return mask
    return ops.zeros_like(mask, dtype=target_type).masked_fill_(mask, float("-inf"))


def _none_or_dtype(input):
    if input is None:
        return None
    if isinstance(input, Tensor):
        return input.dtype
    raise RuntimeError("input to _none_or_dtype() must be None or torch.Tensor")


# ----- checks -----
def _require(holds, text):
    if not holds:
        raise AssertionError(text)


def _check_dims(query, key, value, padding, mask, num_heads):
    """Whether there is a batch, once all dimensions fit each other."""
    ndim = query.dim()
    _require(
        ndim in (2, 3),
        "query should be unbatched 2D or batched 3D tensor but received "
        f"{ndim}-D query tensor",
    )
    which = f"For {'batched' if ndim == 3 else 'unbatched'} ({ndim}-D) `query`, expected"
    _require(
        key.dim() == ndim and value.dim() == ndim,
        f"{which} `key` and `value` to be {ndim}-D but found {key.dim()}-D and "
        f"{value.dim()}-D tensors respectively",
    )
    if padding is not None:
        _require(
            padding.dim() == ndim - 1,
            f"{which} `key_padding_mask` to be `None` or {ndim - 1}-D but found "
            f"{padding.dim()}-D tensor instead",
        )
    if mask is not None:
        _require(
            mask.dim() in (2, 3),
            f"{which} `attn_mask` to be `None`, 2-D or 3-D but found {mask.dim()}-D tensor "
            "instead",
        )
        if ndim == 2 and mask.dim() == 3:
            expected = (num_heads, query.shape[0], key.shape[0])
            _require(
                mask.shape == expected,
                f"Expected `attn_mask` shape to be {expected} but got {mask.shape}",
            )
    return ndim == 3


def _checked_mask(mask, batch, num_heads, targets, sources):
    """The mask in three dimensions."""
    if mask is None:
        return None
    expected = {2: (targets, sources), 3: (batch * num_heads, targets, sources)}[mask.dim()]
    if mask.shape != expected:
        raise RuntimeError(
            f"The shape of the {mask.dim()}D attn_mask is {mask.shape}, but should be "
            f"{expected}."
        )
    return mask.unsqueeze(0) if mask.dim() == 2 else mask


# ----- projections -----
def _project_packed(query, key, value, weight, bias):
    """Query, key and value through one weight, with as few products as there are tensors."""
    size = query.size(-1)
    if key is value and query is key:
        return _split(linear(query, weight, bias), 3, size)
    if key is value:
        weights = weight.split([size, size * 2])
        biases = (None, None) if bias is None else bias.split([size, size * 2])
        both = linear(key, weights[1], biases[1])
        return linear(query, weights[0], biases[0]), *_split(both, 2, size)
    biases = (None,) * 3 if bias is None else bias.chunk(3)
    parts = zip((query, key, value), weight.chunk(3), biases)
    return tuple(linear(*part) for part in parts)


def _split(projected, count, size):
    parts = projected.unflatten(-1, (count, size)).unsqueeze(0).transpose(0, -2).squeeze(-2)
    parts = parts.contiguous()
    return tuple(parts[i] for i in range(count))


def _project(inputs, weights, bias):
    """Query, key and value, each through its own weight."""
    biases = (None,) * 3 if bias is None else bias.chunk(3)
    size = inputs[0].size(-1)
    for name, input, weight, one in zip(("query", "key", "value"), inputs, weights, biases):
        expected = (size, input.size(-1))
        _require(
            weight.shape == expected,
            f"expecting {name} weights shape of {expected}, but got {weight.shape}",
        )
        _require(
            one is None or one.shape == (size,),
            f"expecting {name} bias shape of {(size,)}, but got {_shape(one)}",
        )
    return tuple(map(linear, inputs, weights, biases))


def _shape(tensor):
    return None if tensor is None else tensor.shape


def _heads(projected, static, name, batch_heads, head_dim):
    """(batch * heads, length, head_dim), or the given static tensor of that form."""
    if static is None:
        length = projected.shape[0]
        return projected.view(length, batch_heads, head_dim).transpose(0, 1)
    for dim, expected in ((0, batch_heads), (2, head_dim)):
        _require(
            static.size(dim) == expected,
            f"expecting {name}.size({dim}) of {expected}, but got {static.size(dim)}",
        )
    return static


def _wider(*masks):
    """Masks with one more key, which is seen."""
    return (None if mask is None else pad(mask, (0, 1)) for mask in masks)


# ----- the function -----
def multi_head_attention_forward(
    query, key, value, embed_dim_to_check, num_heads, in_proj_weight, in_proj_bias, bias_k,
    bias_v, add_zero_attn, dropout_p, out_proj_weight, out_proj_bias, training=True,
    key_padding_mask=None, need_weights=True, attn_mask=None, use_separate_proj_weight=False,
    q_proj_weight=None, k_proj_weight=None, v_proj_weight=None, static_k=None, static_v=None,
    average_attn_weights=True, is_causal=False,
):
    """What MultiheadAttention computes: (output, attention weights or None)."""
    batched = _check_dims(query, key, value, key_padding_mask, attn_mask, num_heads)
    if not batched:
        query, key, value = (t.unsqueeze(1) for t in (query, key, value))
        if key_padding_mask is not None:
            key_padding_mask = key_padding_mask.unsqueeze(0)
    targets, batch, embed_dim = query.shape
    padding, mask, is_causal = _both_masks(
        query, key_padding_mask, attn_mask, need_weights, is_causal
    )
    head_dim = _head_dim(embed_dim, embed_dim_to_check, num_heads)
    if use_separate_proj_weight:
        weights = (q_proj_weight, k_proj_weight, v_proj_weight)
        _check_separate(key, value, weights)
        q, k, v = _project((query, key, value), weights, in_proj_bias)
    else:
        _check_packed(key, value, in_proj_weight)
        q, k, v = _project_packed(query, key, value, in_proj_weight, in_proj_bias)
    mask = _checked_mask(mask, batch, num_heads, targets, key.shape[0])
    _check_added(bias_k, bias_v, static_k, static_v)
    if bias_k is not None:
        k = ops.cat([k, bias_k.repeat(1, batch, 1)])
        v = ops.cat([v, bias_v.repeat(1, batch, 1)])
        mask, padding = _wider(mask, padding)
    heads = batch * num_heads
    q = _heads(q, None, "", heads, head_dim)
    k = _heads(k, static_k, "static_k", heads, head_dim)
    v = _heads(v, static_v, "static_v", heads, head_dim)
    if add_zero_attn:
        zeros = ops.zeros((heads, 1, head_dim), dtype=k.dtype, device=k.device)
        k, v = ops.cat([k, zeros], dim=1), ops.cat([v, zeros], dim=1)
        mask, padding = _wider(mask, padding)
    mask = _merged(mask, padding, batch, num_heads, k.size(1))
    dropout_p = dropout_p if training else 0.0
    if need_weights:
        output, scores = _attend(q, k, v, mask, dropout_p)
        scores = scores.view(batch, num_heads, targets, scores.size(-1))
        scores = scores.mean(dim=1) if average_attn_weights else scores
        scores = scores if batched else scores.squeeze(0)
    else:
        output = _attend_fused(q, k, v, mask, dropout_p, is_causal, (batch, num_heads))
        scores = None
    output = output.reshape(targets * batch, embed_dim)
    output = linear(output, out_proj_weight, out_proj_bias)
    output = output.view(targets, batch, output.size(1))
    return output if batched else output.squeeze(1), scores


def _both_masks(query, padding, mask, need_weights, is_causal):
    padding = _canonical_mask(
        padding, "key_padding_mask", _none_or_dtype(mask), "attn_mask", query.dtype
    )
    if is_causal and mask is None:
        raise RuntimeError(
            "Need attn_mask if specifying the is_causal hint. You may use the Transformer module "
            "method `generate_square_subsequent_mask` to create this mask."
        )
    if is_causal and padding is None and not need_weights:
        return None, None, True  # the fused form needs no mask to be causal
    mask = _canonical_mask(mask, "attn_mask", None, "", query.dtype, check_other=False)
    return padding, mask, is_causal and padding is None


def _head_dim(embed_dim, expected, num_heads):
    _require(
        embed_dim == expected,
        f"was expecting embedding dimension of {expected}, but got {embed_dim}",
    )
    _require(
        embed_dim % num_heads == 0,
        f"embed_dim {embed_dim} not divisible by num_heads {num_heads}",
    )
    return embed_dim // num_heads


def _check_packed(key, value, weight):
    _require(
        key.shape == value.shape,
        f"key shape {key.shape} does not match value shape {value.shape}",
    )
    _require(
        weight is not None, "use_separate_proj_weight is False but in_proj_weight is None"
    )


def _check_separate(key, value, weights):
    _require(
        key.shape[:2] == value.shape[:2],
        f"key's sequence and batch dims {key.shape[:2]} do not match value's {value.shape[:2]}",
    )
    for name, weight in zip("qkv", weights):
        _require(
            weight is not None,
            f"use_separate_proj_weight is True but {name}_proj_weight is None",
        )


def _check_added(bias_k, bias_v, static_k, static_v):
    if bias_k is None or bias_v is None:
        _require(bias_k is None, "bias_k is set but bias_v is None")
        _require(bias_v is None, "bias_v is set but bias_k is None")
    else:
        _require(static_k is None, "bias cannot be added to static key.")
        _require(static_v is None, "bias cannot be added to static value.")


def _merged(mask, padding, batch, num_heads, sources):
    if padding is None:
        return mask
    for dim, expected in enumerate((batch, sources)):
        _require(
            padding.shape[dim] == expected,
            f"Expected key_padded_mask.shape[{dim}] to be {expected}, but got "
            f"{padding.shape[dim]}",
        )
    padding = padding.view(batch, 1, 1, sources).expand(-1, num_heads, -1, -1)
    padding = padding.reshape(batch * num_heads, 1, sources)
    return padding if mask is None else mask + padding


def _attend(q, k, v, mask, dropout_p):
    """(targets, batch · heads, features) of attention, and its weights."""
    scaled, keys = q * math.sqrt(1.0 / q.size(-1)), k.transpose(-2, -1)
    scores = ops.bmm(scaled, keys) if mask is None else ops.baddbmm(mask, scaled, keys)
    scores = softmax(scores, dim=-1)
    if dropout_p > 0.0:
        scores = dropout(scores, p=dropout_p)
    output = ops.bmm(scores, v).transpose(0, 1)
    return output, scores


def _attend_fused(q, k, v, mask, dropout_p, is_causal, split):
    """(targets, batch, heads, features) of attention without its weights, in one op."""
    if mask is not None:
        one = mask.size(0) == 1 and mask.dim() == 3
        mask = mask.unsqueeze(0) if one else mask.view(*split, mask.size(1), k.size(1))
    q, k, v = (t.view(*split, t.size(1), t.size(2)) for t in (q, k, v))
    output = scaled_dot_product_attention(q, k, v, mask, dropout_p, is_causal)
    return output.permute(2, 0, 1, 3)
