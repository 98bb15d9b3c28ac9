"""RealNVP: affine couplings, an actnorm-like layer, exact likelihood, sampling by the inverse."""

import math

import torch
import torch.nn as nn
from torch import distributions


class Coupling(nn.Module):
    def __init__(self, mask, hidden=16):
        super().__init__()
        self.register_buffer("mask", mask)
        self.scale = nn.Sequential(nn.Linear(2, hidden), nn.LeakyReLU(),
                                   nn.Linear(hidden, 2), nn.Tanh())
        self.shift = nn.Sequential(nn.Linear(2, hidden), nn.LeakyReLU(), nn.Linear(hidden, 2))

    def forward(self, x):
        kept = x * self.mask
        s, t = self.scale(kept) * (1 - self.mask), self.shift(kept) * (1 - self.mask)
        return kept + (1 - self.mask) * (x * torch.exp(s) + t), s.sum(dim=1)

    def inverse(self, z):
        kept = z * self.mask
        s, t = self.scale(kept) * (1 - self.mask), self.shift(kept) * (1 - self.mask)
        return kept + (1 - self.mask) * ((z - t) * torch.exp(-s))


class RealNVP(nn.Module):
    def __init__(self, masks, prior):
        super().__init__()
        self.prior = prior
        self.couplings = nn.ModuleList([Coupling(m) for m in masks])
        self.log_scale = nn.Parameter(torch.zeros(2))

    def log_prob(self, x):
        z, log_det = x * self.log_scale.exp(), x.new_zeros(x.shape[0]) + self.log_scale.sum()
        for coupling in self.couplings:
            z, s = coupling(z)
            log_det = log_det + s
        return self.prior.log_prob(z) + log_det

    @torch.no_grad()
    def sample(self, n):
        z = self.prior.sample((n,))
        for coupling in reversed(self.couplings):
            z = coupling.inverse(z)
        return z * (-self.log_scale).exp()


def moons(n, noise=0.1):
    angle = torch.rand(n) * math.pi
    upper = torch.rand(n) < 0.5
    x = torch.where(upper, angle.cos(), 1 - angle.cos())
    y = torch.where(upper, angle.sin(), 0.5 - angle.sin())
    return torch.stack([x, y], 1) + noise * torch.randn(n, 2)


torch.manual_seed(0)
masks = torch.tensor([[0.0, 1.0], [1.0, 0.0]]).repeat(2, 1)
prior = distributions.MultivariateNormal(torch.zeros(2), torch.eye(2))
flow = RealNVP(masks, prior)
optimizer = torch.optim.Adam([p for p in flow.parameters() if p.requires_grad], lr=1e-2)
for i in range(50):
    loss = -flow.log_prob(moons(64)).mean()
    optimizer.zero_grad()
    loss.backward(retain_graph=True)
    optimizer.step()
    print(f"iter {i}: loss = {loss.item():.4f}")
x = moons(5)
z = x * flow.log_scale.exp()
for coupling in flow.couplings:
    z, _ = coupling(z)
for coupling in reversed(flow.couplings):
    z = coupling.inverse(z)
print("inverse holds:", torch.allclose(z * (-flow.log_scale).exp(), x, atol=1e-4))
print(flow.sample(4))
print([n for n, _ in flow.named_buffers()])
