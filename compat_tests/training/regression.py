"""A cubic is fitted by hand-written gradient descent, then by nn.Linear and SGD."""

import math

import torch

torch.manual_seed(0)
x = torch.linspace(-math.pi, math.pi, 64)
y = torch.sin(x) + 0.05 * torch.randn(64)
features = (x / math.pi).unsqueeze(-1).pow(torch.tensor([1, 2, 3]))

weights = torch.zeros(3, requires_grad=True)
for step in range(12):
    loss = (features @ weights - y).pow(2).mean()
    loss.backward()
    with torch.no_grad():
        weights -= 0.5 * weights.grad
        weights.grad = None
    print(step, round(loss.item(), 5))
print(weights)

model = torch.nn.Sequential(torch.nn.Linear(3, 1), torch.nn.Flatten(0, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.9, nesterov=True)
for _ in range(15):
    loss = torch.nn.functional.huber_loss(model(features), y, delta=0.5)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.6f}")
print(f"y = {model[0].bias.item():.3f} + {model[0].weight[0, 0].item():.3f} x + ...")
