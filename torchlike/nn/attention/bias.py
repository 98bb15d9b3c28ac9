"""`torch.nn.attention.bias`: causal masks that are not square, by their corner."""

import warnings
from enum import IntEnum, auto

from ... import ops
from ...core.tensor import Tensor
from ..functional import scaled_dot_product_attention


class CausalVariant(IntEnum):
    """Which corner of the matrix the diagonal ends in."""

    UPPER_LEFT = auto()
    LOWER_RIGHT = auto()


class CausalBias(Tensor):
    """A causal mask for `scaled_dot_product_attention`; other functions see its booleans."""

    def __new__(cls, variant, seq_len_q, seq_len_kv):
        if not isinstance(variant, CausalVariant):
            raise AssertionError(f"variant must be a CausalVariant, got {type(variant).__name__}")
        beyond = seq_len_kv - seq_len_q if variant is CausalVariant.LOWER_RIGHT else 0
        mask = ops.ones(seq_len_q, seq_len_kv, dtype=bool).tril(beyond)
        return mask.as_subclass(cls)

    def __init__(self, variant, seq_len_q, seq_len_kv):
        self.variant, self.seq_len_q, self.seq_len_kv = variant, seq_len_q, seq_len_kv
        if seq_len_q > seq_len_kv and variant == CausalVariant.LOWER_RIGHT:
            warnings.warn(
                "Lower right causal bias will produce NaNs in the output when seq_len_q > "
                "seq_len_kv!",
                stacklevel=2,
            )

    def _materialize(self, device=None):
        return self.as_subclass(Tensor).to(device or "cpu")

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if func is scaled_dot_product_attention:
            return cls._dispatch(*args, **(kwargs or {}))
        args = [a._materialize() if isinstance(a, CausalBias) else a for a in args]
        return func(*args, **(kwargs or {}))

    @staticmethod
    def _dispatch(query, key, value, attn_mask, dropout_p=0.0, is_causal=False, scale=None,
                  enable_gqa=False):
        if is_causal:
            raise ValueError("CausalBias should not be used with causal=True")
        square = attn_mask.seq_len_q == attn_mask.seq_len_kv
        upper = square or attn_mask.variant == CausalVariant.UPPER_LEFT
        mask = None if upper else attn_mask._materialize(query.device)
        return scaled_dot_product_attention(
            query, key, value, attn_mask=mask, dropout_p=dropout_p, is_causal=upper, scale=scale,
            enable_gqa=enable_gqa,
        )  # fmt: skip

    def __repr__(self):
        return repr(self._materialize())


def causal_upper_left(*size):
    """A bias of size (queries, keys): query i sees keys up to i."""
    return _of_size(CausalVariant.UPPER_LEFT, size)


def causal_lower_right(*size):
    """A bias of size (queries, keys): the last query sees every key."""
    return _of_size(CausalVariant.LOWER_RIGHT, size)


def _of_size(variant, size):
    if len(size) != 2:
        raise AssertionError("causal bias only supports 2D tensors")
    return CausalBias(variant, *size)


__all__ = ["CausalBias", "CausalVariant", "causal_lower_right", "causal_upper_left"]
