"""A U-Net segments a disc: transposed convolution, skip by concatenation, dice."""

import torch
from torch import nn


def double(a, b):
    return nn.Sequential(nn.Conv2d(a, b, 3, padding=1), nn.GroupNorm(2, b), nn.SiLU(),
                         nn.Conv2d(b, b, 3, padding=1), nn.SiLU())


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down, self.pool = double(1, 4), nn.MaxPool2d(2)
        self.middle = double(4, 8)
        self.up = nn.ConvTranspose2d(8, 4, 2, stride=2)
        self.join, self.out = double(8, 4), nn.Conv2d(4, 1, 1)

    def forward(self, x):
        skip = self.down(x)
        x = self.up(self.middle(self.pool(skip)))
        return self.out(self.join(torch.cat([skip, x], dim=1)))


torch.manual_seed(0)
grid = torch.stack(torch.meshgrid(torch.arange(8.0), torch.arange(8.0), indexing="ij"))
centres = 2 + 4 * torch.rand(4, 2, 1, 1)
masks = ((grid - centres).square().sum(1, keepdim=True) < 5).float()
images = masks + 0.3 * torch.randn_like(masks)
model = UNet()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for step in range(10):
    logits = model(images)
    p = logits.sigmoid()
    dice = 1 - (2 * (p * masks).sum() + 1) / (p.sum() + masks.sum() + 1)
    loss = nn.functional.binary_cross_entropy_with_logits(logits, masks) + dice
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    iou = ((p > 0.5) & (masks > 0)).sum() / ((p > 0.5) | (masks > 0)).sum()
    print(f"step {step} loss {loss.item():.4f} dice {dice.item():.4f} iou {iou:.4f}")
