"""A discrete autoencoder: Gumbel-softmax with annealed temperature, straight-through at the end."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.distributions import OneHotCategorical, RelaxedOneHotCategorical, kl_divergence

torch.manual_seed(0)
patterns = (torch.rand(4, 12) < 0.5).float()


class DiscreteVAE(nn.Module):
    def __init__(self, latents=3, categories=4):
        super().__init__()
        self.latents, self.categories = latents, categories
        n = latents * categories
        self.encoder = nn.Sequential(nn.Linear(12, 24), nn.Mish(), nn.Linear(24, n))
        self.decoder = nn.Sequential(nn.Linear(n, 24), nn.Mish(), nn.Linear(24, 12))

    def forward(self, x, tau, hard):
        logits = self.encoder(x).view(-1, self.latents, self.categories)
        z = F.gumbel_softmax(logits, tau=tau, hard=hard)
        return self.decoder(z.flatten(1)), logits, z


def loss_function(recon, x, logits):
    bce = F.binary_cross_entropy_with_logits(recon, x, reduction="sum") / x.size(0)
    q = OneHotCategorical(logits=logits)
    p = OneHotCategorical(logits=torch.zeros_like(logits))
    return bce + 0.1 * kl_divergence(q, p).sum(-1).mean(), bce


model = DiscreteVAE()
optimizer = torch.optim.RAdam(model.parameters(), lr=2e-2)
tau = 1.0
for i in range(50):
    x = patterns[torch.randint(4, (16,))]
    x = torch.where(torch.rand_like(x) < 0.05, 1 - x, x)
    recon, logits, z = model(x, tau, hard=i >= 40)
    loss, bce = loss_function(recon, x, logits)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    tau = max(0.3, tau * 0.97)
    print(f"{i} loss {loss.item():.4f} bce {bce.item():.4f} tau {tau:.3f}")
print("one-hot:", torch.unique(z.detach().round(decimals=4)).tolist(), z.requires_grad)
relaxed = RelaxedOneHotCategorical(torch.tensor(0.5), logits=logits[0].detach().requires_grad_())
sample = relaxed.rsample()
print(sample.shape, sample.sum(-1), relaxed.log_prob(sample.detach()))
