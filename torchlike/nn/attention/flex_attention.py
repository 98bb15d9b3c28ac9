"""`torch.nn.attention.flex_attention`: attention whose scores pass through a function.

The functions are called once, with indices that broadcast to (batch, head, query, key). Masked
blocks are computed too: a BlockMask here says what is masked, it saves no work.
"""

import math
import warnings
from typing import NamedTuple

from ... import ops
from ...core.dtypes import float32, float64, int8, int32
from ...core.tensor import Tensor
from ...ops.attention import safe_softmax
from .. import functional as F

_DEFAULT_SPARSE_BLOCK_SIZE = 128


class AuxRequest(NamedTuple):
    """Which of the two a call shall give besides its output."""

    lse: bool = False
    max_scores: bool = False


class AuxOutput(NamedTuple):
    """What was asked for, of shape (batch, head, query); None where it was not."""

    lse: Tensor | None = None
    max_scores: Tensor | None = None


# ----- masks -----
def noop_mask(batch, head, token_q, token_kv):
    """Nothing is masked."""
    return batch.new_ones(size=(), dtype=bool, device=batch.device)


def _joined(name, how, start, mask_mods):
    if not all(callable(mod) for mod in mask_mods):
        raise RuntimeError(f"All inputs should be callable mask_mods: {mask_mods}")

    def mask(b, h, q_idx, kv_idx):
        result = start(b, (), dtype=bool)
        for mod in mask_mods:
            result = how(result, mod(b, h, q_idx, kv_idx))
        return result

    mask.__name__ = name
    return mask


def and_masks(*mask_mods):
    """A mask that lets through what all let through."""
    return _joined("and_mask", lambda a, b: a & b, Tensor.new_ones, mask_mods)


def or_masks(*mask_mods):
    """A mask that lets through what one lets through."""
    return _joined("or_mask", lambda a, b: a | b, Tensor.new_zeros, mask_mods)


def _indices(sizes, device):
    """The four indices, each along its own dim of four."""
    shapes = ((-1, 1, 1, 1), (1, -1, 1, 1), (1, 1, -1, 1), (1, 1, 1, -1))
    return [ops.arange(n, device=device).view(shape) for n, shape in zip(sizes, shapes)]


def _takes_scores(mod):
    """A score function takes one argument more than a mask function."""
    code = getattr(mod, "__code__", None) or type(mod).__call__.__code__
    count = code.co_argcount - (not hasattr(mod, "__code__") or hasattr(mod, "__self__"))
    return count - len(getattr(mod, "__defaults__", None) or ()) == 5


def create_mask(mod_fn, B, H, Q_LEN, KV_LEN, device=None):
    """The mask as booleans of shape (B, H, Q_LEN, KV_LEN)."""
    sizes = (B or 1, H or 1, Q_LEN, KV_LEN)
    places = _indices(sizes, device or "cpu")
    if _takes_scores(mod_fn):
        scores = ops.zeros(sizes, device=device or "cpu")
        return ~mod_fn(scores, *places).isneginf().expand(sizes)
    return mod_fn(*places).expand(sizes)


class BlockMask:
    """A mask, and which blocks of it are partly or wholly let through.

    Made by `create_block_mask`; slicing, `from_kv_blocks` and write orders are not supported.
    """

    def __init__(self, mask_mod, seq_lengths, block_size, partial, full):
        self.mask_mod, self.seq_lengths, self.BLOCK_SIZE = mask_mod, seq_lengths, block_size
        self._partial, self._full = partial, full
        self.kv_num_blocks, self.kv_indices = _ordered(partial)
        self.q_num_blocks, self.q_indices = _ordered(partial.transpose(-2, -1))
        self.full_kv_num_blocks = self.full_kv_indices = None
        self.full_q_num_blocks = self.full_q_indices = None
        if full is not None:
            self.full_kv_num_blocks, self.full_kv_indices = _ordered(full)
            self.full_q_num_blocks, self.full_q_indices = _ordered(full.transpose(-2, -1))

    def __getitem__(self, index):
        raise NotImplementedError("BlockMask.__getitem__: slicing a mask is not supported")

    @property
    def shape(self):
        """(batch, heads, queries, keys)."""
        return (*self.kv_num_blocks.shape[:2], *self.seq_lengths)

    def to_dense(self):
        """1 for every block that lets something through, of shape (batch, heads, rows, cols)."""
        some = self._partial if self._full is None else self._partial + self._full
        return some.to(int32)

    def numel(self):
        """How many scores there are."""
        return math.prod(self.shape)

    def sparsity(self):
        """The share of blocks that let nothing through, in percent of the scores."""
        kept = int(self.to_dense().sum()) * math.prod(self.BLOCK_SIZE)
        return 100 * (1 - kept / self.numel())

    def to(self, device):
        """The same mask on a device."""
        parts = (None if p is None else p.to(device) for p in (self._partial, self._full))
        return BlockMask(self.mask_mod, self.seq_lengths, self.BLOCK_SIZE, *parts)

    def __repr__(self):
        names = [f"{side}{kind}" for side in ("kv_", "full_kv_", "q_", "full_q_")
                 for kind in ("num_blocks", "indices")]
        parts = ((name, getattr(self, name)) for name in names)
        lines = [f"{n}={None if p is None else repr(p.shape)}" for n, p in parts]
        name = getattr(self.mask_mod, "__name__", self.mask_mod)
        lines += [f"BLOCK_SIZE={self.BLOCK_SIZE}", f"shape={self.shape}",
                  f"sparsity={self.sparsity():.2f}%", f"mask_mod={name}"]
        return "BlockMask(\n    " + ",\n    ".join(lines) + "\n)"


def _ordered(blocks):
    """How many there are in each row, and where: those first, in order, then the others."""
    places = (-blocks.to(int32)).argsort(dim=-1, stable=True).to(int32)
    return blocks.sum(-1).to(int32), places.contiguous()


def _no_write_order(compute_dq_write_order):
    if compute_dq_write_order:
        raise NotImplementedError("create_block_mask: compute_dq_write_order is not supported")


def create_block_mask(
    mask_mod, B, H, Q_LEN, KV_LEN, device=None, BLOCK_SIZE=_DEFAULT_SPARSE_BLOCK_SIZE,
    _compile=False, separate_full_blocks=True, compute_dq_write_order=False, dq_kv_order=True,
):  # fmt: skip
    """The BlockMask of a function (batch, head, query, key) -> bool; `_compile` changes nothing."""
    if _takes_scores(mask_mod):
        raise AssertionError(f"create-block_mask requires a mask_mod function! Got {mask_mod}")
    _no_write_order(compute_dq_write_order)
    rows, cols = (BLOCK_SIZE,) * 2 if isinstance(BLOCK_SIZE, int) else BLOCK_SIZE
    mask = create_mask(mask_mod, B, H, Q_LEN, KV_LEN, device)
    mask = F.pad(mask, (0, -KV_LEN % cols, 0, -Q_LEN % rows))
    b, h, q, k = mask.shape
    counts = mask.view(b, h, q // rows, rows, k // cols, cols).sum((3, 5))
    full = counts == rows * cols
    some = (counts > 0) & ~full if separate_full_blocks else counts > 0
    full = full.to(int8) if separate_full_blocks else None
    return BlockMask(mask_mod, (Q_LEN, KV_LEN), (rows, cols), some.to(int8), full)


# ----- attention -----
def _check(query, key, value, block_mask, enable_gqa):
    if query.dim() != 4 or key.dim() != 4 or value.dim() != 4:
        raise NotImplementedError("NYI: query, key, and value must be 4D tensors")
    heads, shared = query.size(-3), key.size(-3)
    if not enable_gqa and heads != shared:
        raise ValueError(
            "Expect query and key/value to have the same number of heads but got "
            f"Hq={heads} and Hkv={shared}. Try setting enable_gqa=True for GQA."
        )
    if heads % shared:
        raise ValueError(
            "Expect number of query heads to be a multiple of kv heads for GQA but got "
            f"Hq={heads} and Hkv={shared}."
        )
    if query.size(0) != key.size(0) and block_mask is None:
        raise ValueError(
            "Expect query and key/value to have the same batch size, or non-none block_mask, but "
            f"got block_mask=None, Bq={query.size(0)}, and Bkv={key.size(0)}."
        )
    _check_lengths(query.size(-2), key.size(-2), block_mask)


def _check_lengths(q_len, kv_len, block_mask):
    if block_mask is None or block_mask.shape[-2:] == (q_len, kv_len):
        return
    rows, cols = block_mask.shape[-2:]
    if q_len > rows or kv_len > cols:
        word, what = "smaller", "you likely need to create a new block mask."
    else:
        word, what = "larger", (
            "you can either 1. create a new block mask with the correct length, or 2. 'adjust' "
            "the existing block mask to the correct length by calling block_mask._adjust(q_len, "
            "kv_len). This essentially 'crops' the block mask to the upper left corner, which does "
            "not work for all mask_mods!"
        )
    raise ValueError(
        f"block_mask was created for block_mask.shape={block_mask.shape} but got q_len={q_len} and "
        f"kv_len={kv_len}. As the block mask was created for a {word} length than you're using it "
        f"for, {what}"
    )


def flex_attention(
    query, key, value, score_mod=None, block_mask=None, scale=None, enable_gqa=False,
    return_lse=False, kernel_options=None, *, return_aux=None,
):  # fmt: skip
    """softmax(score_mod(q kᵀ · scale)) v, where the mask lets through; rows without any are zero.

    Gradients flow on the CPU too, which PyTorch's do not; `kernel_options` are about its kernels
    and change nothing.
    """
    _check(query, key, value, block_mask, enable_gqa)
    if return_lse and return_aux is not None:
        raise ValueError(
            "Cannot specify both return_lse and return_aux. return_lse is deprecated, please use "
            "return_aux=AuxRequest(lse=True) instead."
        )
    if return_lse:
        warnings.warn(
            "return_lse is deprecated and will be removed in v2.10. Please use "
            "return_aux=AuxRequest(lse=True) instead.",
            FutureWarning, stacklevel=2,
        )  # fmt: skip
    scores, value = _scores(query, key, value, score_mod, block_mask, scale)
    out = safe_softmax(scores, -1).to(query.dtype) @ value.to(query.dtype)
    if return_aux is None and not return_lse:
        return out
    lse = scores.logsumexp(-1)
    if return_aux is None:
        return out, lse
    top = scores.amax(-1) if return_aux.max_scores else None
    return out, AuxOutput(lse if return_aux.lse else None, top)


def _scores(query, key, value, score_mod, block_mask, scale):
    wide = float64 if query.dtype is float64 else float32
    group = query.size(1) // key.size(1)
    key, value = key.repeat_interleave(group, 1), value.repeat_interleave(group, 1)
    scale = 1 / math.sqrt(query.size(-1)) if scale is None else scale
    scores = (query.to(wide) @ key.to(wide).transpose(-2, -1)) * scale
    places = _indices(scores.shape, scores.device)
    if score_mod is not None:
        scores = score_mod(scores, *places).to(wide)
    if block_mask is not None:
        scores = scores.masked_fill(~block_mask.mask_mod(*places), -math.inf)
    return scores, value


__all__ = ["AuxOutput", "AuxRequest", "BlockMask", "and_masks", "create_block_mask", "create_mask",
           "flex_attention", "noop_mask", "or_masks"]
