"""MAML on sines: by grad(create_graph=True), then by functional_call and vmap."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.func import functional_call, grad, vmap

torch.manual_seed(0)


def tasks(n, shots=8):
    amplitude = torch.empty(n, 1, 1).uniform_(0.1, 5.0)
    phase = torch.empty(n, 1, 1).uniform_(0, math.pi)
    x = torch.empty(n, 2 * shots, 1).uniform_(-5, 5)
    y = amplitude * torch.sin(x + phase)
    return x[:, :shots], y[:, :shots], x[:, shots:], y[:, shots:]


def forward(x, weights):
    x = F.relu(F.linear(x, weights[0], weights[1]))
    x = F.relu(F.linear(x, weights[2], weights[3]))
    return F.linear(x, weights[4], weights[5])


model = nn.Sequential(nn.Linear(1, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1))
weights = list(model.parameters())
meta = torch.optim.Adam(weights, lr=5e-3)
for iteration in range(25):
    total = 0.0
    for x, y, xq, yq in zip(*tasks(3)):
        fast = [w.clone() for w in weights]
        for _ in range(2):
            loss = F.mse_loss(forward(x, fast), y)
            gradients = torch.autograd.grad(loss, fast, create_graph=True)
            fast = [w - 0.01 * g for w, g in zip(fast, gradients)]
        total = total + F.mse_loss(forward(xq, fast), yq)
    total = total / 3
    meta.zero_grad()
    for w, g in zip(weights, torch.autograd.grad(total, weights)):
        w.grad = g
    meta.step()
    print(f"{iteration} meta loss {total.item():.5f}")


def loss_fn(params, x, y):
    return F.mse_loss(functional_call(model, params, (x,)), y)


def adapted(params, x, y, xq, yq):
    gradients = grad(loss_fn)(params, x, y)
    fast = {k: p - 0.01 * gradients[k] for k, p in params.items()}
    return loss_fn(fast, xq, yq)


for iteration in range(25):
    params = dict(model.named_parameters())
    losses = vmap(adapted, in_dims=(None, 0, 0, 0, 0))(params, *tasks(4))
    loss = losses.mean()
    meta.zero_grad()
    loss.backward()
    meta.step()
    print(f"vmap {iteration} {loss.item():.5f} {tuple(losses.shape)}")
first_order = torch.autograd.grad(loss_fn(dict(model.named_parameters()), *tasks(1)[:2]), weights)
print([f"{g.norm().item():.4f}" for g in first_order])
