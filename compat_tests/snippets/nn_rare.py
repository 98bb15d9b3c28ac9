# Rarely used corners of torch.nn, and torch.accelerator.

# In [flex attention]
import warnings
warnings.simplefilter("ignore")
import torch.nn.attention.flex_attention as fa
fa._FLEX_ATTENTION_DISABLE_COMPILE_DEBUG = True
from torch.nn.attention.flex_attention import AuxRequest, create_block_mask, flex_attention
q, k, v = torch.randn(2, 4, 6, 8), torch.randn(2, 2, 5, 8), torch.randn(2, 2, 5, 3)
slopes = torch.tensor([0.5, 0.25, 0.125, 0.0625])
def alibi(score, b, h, q_idx, kv_idx):
    return score + slopes[h] * (kv_idx - q_idx)
def window(b, h, q_idx, kv_idx):
    return (q_idx >= kv_idx) & (q_idx - kv_idx <= 2)
mask = create_block_mask(window, None, None, 6, 5, device="cpu", BLOCK_SIZE=4)
with torch.no_grad():
    print(flex_attention(q, k, v, enable_gqa=True).sum(-1))
    print(flex_attention(q, k, v, alibi, enable_gqa=True, scale=0.5)[0, 1])
    out, aux = flex_attention(q, k, v, alibi, mask, enable_gqa=True, return_aux=AuxRequest(lse=True))
    print(out[1], aux.lse[1], aux.max_scores)
    print(flex_attention(q.double(), k.double(), v.double(), alibi, mask, enable_gqa=True).dtype)
    try:
        flex_attention(q, k, v)
    except ValueError as error:
        print(error)
    flex_attention(q[:, :, :4], k, v, block_mask=mask, enable_gqa=True)

# In [block masks]
from torch.nn.attention.flex_attention import and_masks, create_block_mask, create_mask, noop_mask, or_masks
def causal(b, h, q, k):
    return q >= k
def near(b, h, q, k):
    return (q - k).abs() < 2
print(create_mask(and_masks(causal, near), 1, 2, 4, 5, device="cpu")[0, 1].int())
print(create_mask(or_masks(causal, near), None, None, 3, 4, device="cpu").int(), or_masks(near).__name__)
print(create_mask(lambda s, b, h, q, k: torch.where(q >= k, s, -float("inf")), 1, 1, 2, 3, device="cpu"))
print(create_mask(noop_mask, 1, 1, 2, 2, device="cpu"))
m = create_block_mask(causal, None, None, 256, 384, device="cpu", BLOCK_SIZE=128)
print(repr(m), m.shape, m.numel(), m.sparsity(), m.to_dense(), m.BLOCK_SIZE, m.seq_lengths)
for name in ("kv_num_blocks", "kv_indices", "full_kv_num_blocks", "full_kv_indices", "q_num_blocks", "q_indices", "full_q_num_blocks", "full_q_indices"):
    print(name, getattr(m, name))
m = create_block_mask(causal, 2, None, 7, 5, device="cpu", BLOCK_SIZE=(2, 4), separate_full_blocks=False)
print(m.to_dense(), m.full_kv_num_blocks, m.kv_indices.dtype, m.to("cpu").sparsity())
and_masks(3)

# In [causal biases]
from torch.nn.attention.bias import CausalBias, CausalVariant, causal_lower_right, causal_upper_left
q, k, v = torch.randn(1, 2, 2, 4), torch.randn(1, 2, 3, 4), torch.randn(1, 2, 3, 4)
low = causal_lower_right(2, 3)
print(low, low.variant, low.seq_len_q, low.seq_len_kv, isinstance(low, torch.Tensor), CausalVariant.UPPER_LEFT)
print(causal_upper_left(2, 3))
print(F.scaled_dot_product_attention(q, k, v, low), F.scaled_dot_product_attention(q, k, v, causal_upper_left(2, 3)))
print(F.scaled_dot_product_attention(q, k, v, attn_mask=low, scale=0.1))
for call in (lambda: F.scaled_dot_product_attention(q, k, v, low, is_causal=True), lambda: CausalBias(1, 2, 3)):
    try:
        call()
    except (ValueError, AssertionError) as error:
        print(type(error).__name__, error)
causal_lower_right(3, 2)

# In [gradients of convolutions]
import torch.nn.grad
x, w, g = torch.randn(2, 4, 6, 7), torch.randn(6, 2, 3, 2), None
g = torch.randn_like(F.conv2d(x, w, stride=(2, 1), padding=1, dilation=(1, 2), groups=2))
print(torch.nn.grad.conv2d_input(x.shape, w, g, (2, 1), 1, (1, 2), 2).sum((0, 1)))
print(torch.nn.grad.conv2d_weight(x, w.shape, g, stride=(2, 1), padding=1, dilation=(1, 2), groups=2).sum((0, 1)))
x, w = torch.randn(2, 3, 9), torch.randn(4, 3, 2)
g = torch.randn_like(F.conv1d(x, w, stride=3))
print(torch.nn.grad.conv1d_input((2, 3, 9), w, g, stride=3)[0], torch.nn.grad.conv1d_weight(x, (4, 3, 2), g, stride=3)[0])
x, w = torch.randn(1, 2, 4, 3, 4), torch.randn(2, 2, 2, 1, 3)
g = torch.randn_like(F.conv3d(x, w)).requires_grad_()
out = torch.nn.grad.conv3d_input(x.shape, w, g)
print(out.sum((0, 1, 2)), torch.nn.grad.conv3d_weight(x, w.shape, g).shape)
out.pow(2).sum().backward()
print(g.grad.sum((0, 1)))

# In [grouped products]
a, b, offs = torch.randn(6, 8), torch.randn(2, 8, 4), torch.tensor([2, 5], dtype=torch.int32)
print(F.grouped_mm(a, b, offs=offs)[:5])
print(F.grouped_mm(torch.randn(2, 3, 8), torch.randn(2, 8, 4)).shape)
print(F.grouped_mm(torch.randn(4, 8), torch.randn(8, 4), offs=torch.tensor([4, 8], dtype=torch.int32)))
print(F.grouped_mm(torch.randn(2, 3, 4), torch.randn(4, 8), offs=torch.tensor([4, 8], dtype=torch.int32)))
for call in (lambda: F.grouped_mm(a, b), lambda: F.grouped_mm(a.double(), b, offs=offs), lambda: F.grouped_mm(a, b, offs=offs.long()),
             lambda: F.grouped_mm(a, b, offs=offs, bias=b[0, 0]), lambda: F.grouped_mm(a, b, offs=offs, out_dtype=torch.float16),
             lambda: F.grouped_mm(a[0], b, offs=offs), lambda: F.grouped_mm(torch.randn(2, 3, 4), b)):
    try:
        call()
    except RuntimeError as error:
        print(error)

# In [memory formats of weights]
from torch.nn.utils import convert_conv2d_weight_memory_format, convert_conv3d_weight_memory_format
m = nn.Sequential(nn.Conv2d(2, 3, 2), nn.ConvTranspose2d(2, 3, 2), nn.Conv3d(2, 2, 2), nn.Linear(2, 2))
print(convert_conv2d_weight_memory_format(m, torch.channels_last) is m, [p.stride() for p in m.parameters()])
convert_conv3d_weight_memory_format(m, torch.channels_last_3d)
print([p.stride() for p in m.parameters()])

# In [accelerator]
a = torch.accelerator
print(a.is_available(), a.current_accelerator(), a.current_accelerator(check_available=True), a.device_count())
for call in (a.current_device_index, a.synchronize, a.current_stream, a.empty_cache, a.memory_allocated, a.memory_stats, a.get_memory_info, lambda: a.set_device_idx(0)):
    try:
        call()
    except RuntimeError as error:
        print(error)
with a.device_index(None):
    print(sorted(a.__all__))

# In [uninitialized parameters in functions]
import re
u = nn.parameter.UninitializedParameter()
for f in (lambda: torch.add(u, 1), lambda: torch.sum(u), lambda: torch.cat([u]), lambda: torch.ones(1) + u, lambda: torch.zeros_like(u), lambda: F.linear(torch.ones(1, 2), u),
          lambda: torch.where(torch.ones(1) > 0, u, 1), lambda: u.numel(), lambda: u.shape, lambda: nn.init.zeros_(u), lambda: u.double().dtype, lambda: u.data.shape, lambda: u.dtype):
    try:
        print(f())
    except Exception as error:
        print(type(error).__name__, re.sub("<.*?>", "F", str(error)))
model = nn.Sequential(nn.LazyLinear(3), nn.LazyBatchNorm1d()).double()
print(model(torch.ones(2, 4).double()).dtype, model[0].weight.shape, model[1].running_mean.dtype)
