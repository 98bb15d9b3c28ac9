"""Contrastive learning of views (NT-Xent): augmentation, batch norm, a projection head, a probe."""

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)


def augment(x):
    x = torch.flip(x, dims=[-1]) if torch.rand(1).item() < 0.5 else x
    top, left = torch.randint(0, 3, (2,)).tolist()
    x = F.pad(x, (1, 1, 1, 1), mode="reflect")[:, :, top:top + 8, left:left + 8]
    scale = torch.empty(x.size(0), 1, 1, 1).uniform_(0.6, 1.4)
    return x * scale + 0.05 * torch.randn_like(x)


def nt_xent(z1, z2, temperature=0.5):
    z = F.normalize(torch.cat([z1, z2]), dim=1)
    similarity = z @ z.t() / temperature
    n = z.size(0)
    similarity.masked_fill_(torch.eye(n, dtype=torch.bool), float("-inf"))
    targets = (torch.arange(n) + n // 2) % n
    return F.cross_entropy(similarity, targets), (similarity.argmax(1) == targets).float().mean()


class SimCLR(nn.Module):
    def __init__(self, dim=16):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(inplace=True),
            nn.Conv2d(8, 16, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(16),
            nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.projector = nn.Sequential(nn.Linear(16, dim, bias=False), nn.BatchNorm1d(dim),
                                       nn.ReLU(inplace=True), nn.Linear(dim, dim, bias=False))

    def forward(self, x):
        h = self.encoder(x)
        return h, self.projector(h)


model = SimCLR()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=50)
data = torch.randn(64, 3, 8, 8).cumsum(-1) * 0.3
for i in range(50):
    x = data[torch.randperm(64)[:16]]
    (_, z1), (_, z2) = model(augment(x)), model(augment(x))
    loss, accuracy = nt_xent(z1, z2)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    scheduler.step()
    rate = scheduler.get_last_lr()[0]
    print(f"{i} loss {loss.item():.4f} top-1 {accuracy.item():.3f} lr {rate:.5f}")

model.eval()  # linear probe on frozen features
for p in model.parameters():
    p.requires_grad_(False)
features, labels = model(data)[0], (data.mean((1, 2, 3)) > 0).long()
probe = nn.Linear(16, 2)
optimizer = torch.optim.SGD(probe.parameters(), lr=0.5)
for _ in range(10):
    loss = F.cross_entropy(probe(features), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(f"probe {loss.item():.4f}", features.requires_grad, model.encoder[1].num_batches_tracked)
