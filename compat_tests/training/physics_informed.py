"""A physics-informed net: Burgers' equation, second derivatives in the loss, Adam then LBFGS."""

import numpy as np
import torch
from torch.autograd import grad


class Net(torch.nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.linears = torch.nn.ModuleList(
            torch.nn.Linear(a, b) for a, b in zip(layers[:-1], layers[1:]))
        for linear in self.linears:
            torch.nn.init.xavier_normal_(linear.weight)
            torch.nn.init.zeros_(linear.bias)

    def forward(self, x, t):
        h = torch.cat([x, t], dim=1)
        for linear in self.linears[:-1]:
            h = torch.tanh(linear(h))
        return self.linears[-1](h)


def residual(net, x, t, nu=0.01 / np.pi):
    u = net(x, t)
    ones = torch.ones_like(u)
    u_t = grad(u, t, grad_outputs=ones, retain_graph=True, create_graph=True)[0]
    u_x = grad(u, x, grad_outputs=ones, retain_graph=True, create_graph=True)[0]
    u_xx = grad(u_x, x, grad_outputs=torch.ones_like(u_x), retain_graph=True, create_graph=True)[0]
    return u_t + u * u_x - nu * u_xx


torch.manual_seed(1234)
np.random.seed(1234)
torch.set_default_dtype(torch.float64)
net = Net([2, 12, 12, 1])
x = torch.tensor(np.random.uniform(-1, 1, (60, 1)), requires_grad=True)
t = torch.tensor(np.random.uniform(0, 1, (60, 1)), requires_grad=True)
x0 = torch.linspace(-1, 1, 20).reshape(-1, 1)
u0 = -torch.sin(np.pi * x0)
walls = torch.cat([-torch.ones(10, 1), torch.ones(10, 1)])
times = torch.rand(20, 1)


def losses():
    initial = torch.mean((net(x0, torch.zeros_like(x0)) - u0) ** 2)
    border = net(walls, times).square().mean()
    inside = torch.mean(residual(net, x, t) ** 2)
    return initial, border, inside


adam = torch.optim.Adam(net.parameters(), lr=1e-2)
for i in range(40):
    adam.zero_grad()
    initial, border, inside = losses()
    loss = initial + border + inside
    loss.backward()
    adam.step()
    print(f"{i}: {loss.item():.6f} =", *(f"{x.item():.6f}" for x in (initial, border, inside)))

lbfgs = torch.optim.LBFGS(net.parameters(), lr=1.0, max_iter=6, history_size=10,
                          line_search_fn="strong_wolfe")
evaluations = 0


def closure():
    global evaluations
    evaluations += 1
    lbfgs.zero_grad()
    loss = sum(losses())
    loss.backward()
    return loss


for i in range(3):
    print(f"lbfgs {i}: {lbfgs.step(closure).item():.6f} after {evaluations} evaluations")
print(net(torch.zeros(1, 1), torch.full((1, 1), 0.5)).item() < 1, x.grad is not None)
torch.set_default_dtype(torch.float32)
