"""A denoising autoencoder with a bottleneck of three numbers."""

import torch
from torch import nn


class AutoEncoder(nn.Module):
    def __init__(self, size=16, code=3):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(size, 12), nn.Tanh(), nn.Linear(12, code))
        self.decoder = nn.Sequential(nn.Linear(code, 12), nn.Tanh(), nn.Linear(12, size))

    def forward(self, x):
        return self.decoder(self.encoder(x))


torch.manual_seed(0)
basis = torch.randn(3, 16)
data = torch.sigmoid(torch.randn(32, 3) @ basis)
model = AutoEncoder()
optimizer = torch.optim.NAdam(model.parameters(), lr=0.02)
criterion = nn.MSELoss()
for step in range(20):
    noisy = data + 0.1 * torch.randn_like(data)
    loss = criterion(model(noisy), data)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    print(f"[{step:02d}] {loss.item():.5f}")
with torch.inference_mode():
    codes = model.encoder(data[:2])
print("codes", codes.shape, [round(v, 3) for v in codes[0].tolist()])
