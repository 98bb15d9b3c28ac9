"""Siamese and triplet networks: shared weights, contrastive, triplet and cosine losses."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class Embedder(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 4, 3), nn.PReLU(), nn.MaxPool2d(2), nn.Flatten(),
                                  nn.Linear(36, 16), nn.PReLU(), nn.Linear(16, 2))

    def forward(self, x):
        return self.body(x)


class ContrastiveLoss(nn.Module):
    def __init__(self, margin=1.0):
        super().__init__()
        self.margin = margin

    def forward(self, a, b, same):
        distance = F.pairwise_distance(a, b, keepdim=False)
        return torch.mean(same * distance.pow(2)
                          + (1 - same) * torch.clamp(self.margin - distance, min=0.0).pow(2))


torch.manual_seed(0)
prototypes = torch.randn(4, 1, 8, 8)


def images(labels):
    return prototypes[labels] + 0.3 * torch.randn(len(labels), 1, 8, 8)


net = Embedder()
print(net)
optimizer = torch.optim.RMSprop(net.parameters(), lr=2e-3, momentum=0.5)
contrastive = ContrastiveLoss()
triplet = nn.TripletMarginWithDistanceLoss(distance_function=nn.PairwiseDistance(), margin=3.0)
cosine = nn.CosineEmbeddingLoss(margin=0.2)
for i in range(50):
    y = torch.randint(4, (12,))
    other = torch.where(torch.rand(12) < 0.5, y, torch.randint(4, (12,)))
    a, b = net(images(y)), net(images(other))
    same = (y == other).float()
    negative = net(images((y + 1) % 4))
    losses = (contrastive(a, b, same), triplet(a, net(images(y)), negative),
              cosine(a, b, 2 * same - 1))
    optimizer.zero_grad()
    sum(losses).backward()
    optimizer.step()
    print(i, *(f"{loss.item():.4f}" for loss in losses))
with torch.no_grad():
    distances = torch.cdist(net(prototypes), net(images(torch.arange(4).repeat(3))))
print("nearest:", distances.argmin(0).tolist())
