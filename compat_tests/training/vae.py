"""A variational autoencoder: reparameterisation, ELBO, samples from the prior."""

import torch
import torch.nn.functional as F
from torch import nn


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(20, 16)
        self.mu, self.logvar = nn.Linear(16, 2), nn.Linear(16, 2)
        self.fc3, self.fc4 = nn.Linear(2, 16), nn.Linear(16, 20)

    def encode(self, x):
        h = F.relu(self.fc1(x))
        return self.mu(h), self.logvar(h)

    def reparameterize(self, mu, logvar):
        std = torch.exp(0.5 * logvar)
        return mu + torch.randn_like(std) * std

    def decode(self, z):
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z))))

    def forward(self, x):
        mu, logvar = self.encode(x)
        return self.decode(self.reparameterize(mu, logvar)), mu, logvar


def loss_function(recon, x, mu, logvar):
    bce = F.binary_cross_entropy(recon, x, reduction="sum")
    kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return bce, kld


torch.manual_seed(1)
data = torch.bernoulli(torch.rand(4, 20).repeat_interleave(8, 0))
model = VAE()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
for step in range(20):
    bce, kld = loss_function(*(out := model(data))[:1], data, *out[1:])
    loss = bce + kld
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{step:3d} bce {bce / len(data):.4f} kl {kld / len(data):.5f}")
with torch.no_grad():
    sample = model.decode(torch.randn(2, 2))
print(sample.shape, f"{sample.mean():.4f}")
