"""A generator and a discriminator play for a ring of points."""

import torch
from torch import nn

torch.manual_seed(0)
G = nn.Sequential(nn.Linear(4, 16), nn.LeakyReLU(0.2), nn.Linear(16, 2))
D = nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))
criterion = nn.BCEWithLogitsLoss()
optimizerD = torch.optim.Adam(D.parameters(), lr=5e-3, betas=(0.5, 0.999))
optimizerG = torch.optim.Adam(G.parameters(), lr=5e-3, betas=(0.5, 0.999))
fixed_noise = torch.randn(8, 4)
real_label, fake_label = torch.ones(16, 1), torch.zeros(16, 1)
for i in range(15):
    angle = 2 * torch.pi * torch.rand(16)
    real = torch.stack([angle.cos(), angle.sin()], dim=1)
    D.zero_grad()
    errD_real = criterion(D(real), real_label)
    errD_real.backward()
    fake = G(torch.randn(16, 4))
    errD_fake = criterion(D(fake.detach()), fake_label)
    errD_fake.backward()
    optimizerD.step()
    G.zero_grad()
    errG = criterion(D(fake), real_label)
    errG.backward()
    optimizerG.step()
    print(f"[{i}] Loss_D: {(errD_real + errD_fake).item():.4f} Loss_G: {errG.item():.4f}")
print(f"mean radius {G(fixed_noise).norm(dim=1).mean().item():.4f}")
