"""nanoGPT's loop: decayed and undecayed groups, cosine rate, accumulation, clipping."""

import inspect
import math

import torch
import torch.nn as nn
from torch.nn import functional as F


class Block(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(n, bias=False), nn.LayerNorm(n, bias=False)
        self.qkv, self.proj = nn.Linear(n, 3 * n, bias=False), nn.Linear(n, n, bias=False)
        self.up, self.down = nn.Linear(n, 2 * n, bias=False), nn.Linear(2 * n, n, bias=False)

    def forward(self, x):
        B, T, C = x.shape
        q, k, v = self.qkv(self.ln_1(x)).view(B, T, 3, 2, C // 2).permute(2, 0, 3, 1, 4).unbind(0)
        y = F.scaled_dot_product_attention(q, k, v, dropout_p=0.0, is_causal=True)
        x = x + self.proj(y.transpose(1, 2).reshape(B, T, C))
        return x + self.down(F.gelu(self.up(self.ln_2(x))))


class GPT(nn.Module):
    def __init__(self, vocabulary=12, block=8, n=16):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(vocabulary, n), nn.Embedding(block, n)
        self.blocks, self.ln_f = nn.ModuleList([Block(n)]), nn.LayerNorm(n)
        self.lm_head = nn.Linear(n, vocabulary, bias=False)
        self.wte.weight = self.lm_head.weight

    def forward(self, idx, targets):
        x = self.wte(idx) + self.wpe(torch.arange(idx.shape[1]))
        for block in self.blocks:
            x = block(x)
        logits = self.lm_head(self.ln_f(x))
        return F.cross_entropy(logits.view(-1, logits.size(-1)), targets.reshape(-1))


def configure_optimizers(model, weight_decay, learning_rate, betas):
    named = {n: p for n, p in model.named_parameters() if p.requires_grad}
    decay = [p for p in named.values() if p.dim() >= 2]
    nodecay = [p for p in named.values() if p.dim() < 2]
    print(f"decayed: {len(decay)}, {sum(p.numel() for p in decay):,}; "
          f"not: {len(nodecay)}, {sum(p.numel() for p in nodecay):,}")
    assert "fused" in inspect.signature(torch.optim.AdamW).parameters
    groups = [{"params": decay, "weight_decay": weight_decay},
              {"params": nodecay, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=learning_rate, betas=betas)


def get_lr(it, warmup=3, total=12, top=2e-2, low=2e-3):
    if it < warmup:
        return top * (it + 1) / (warmup + 1)
    ratio = (it - warmup) / (total - warmup)
    return low + 0.5 * (1.0 + math.cos(math.pi * ratio)) * (top - low)


torch.manual_seed(1337)
data = torch.randint(0, 12, (64,)).sort().values.roll(7)


def get_batch(size=4, block=8):
    ix = torch.randint(len(data) - block, (size,))
    x = torch.stack([data[i:i + block] for i in ix])
    y = torch.stack([data[i + 1:i + 1 + block] for i in ix])
    return x, y


model = GPT()
optimizer = configure_optimizers(model, 1e-1, 1e-2, (0.9, 0.95))
X, Y = get_batch()
for it in range(10):
    lr = get_lr(it)
    for group in optimizer.param_groups:
        group["lr"] = lr
    for _ in range(2):
        loss = model(X, Y) / 2
        X, Y = get_batch()
        loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    print(f"iter {it}: loss {loss.item() * 2:.4f}, norm {norm:.4f}, lr {lr:.6f}")
