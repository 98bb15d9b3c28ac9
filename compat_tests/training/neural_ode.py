"""A neural ODE: RK4 steps unrolled, then gradients by the adjoint in a custom Function."""

import torch
import torch.nn as nn


class ODEFunc(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 20), nn.Tanh(), nn.Linear(20, 2))
        for m in self.net.modules():
            if isinstance(m, nn.Linear):
                nn.init.normal_(m.weight, mean=0, std=0.1)
                nn.init.constant_(m.bias, val=0)

    def forward(self, t, y):
        return self.net(y**3)


def rk4_step(func, t, dt, y):
    k1 = func(t, y)
    k2 = func(t + dt / 2, y + dt / 2 * k1)
    k3 = func(t + dt / 2, y + dt / 2 * k2)
    k4 = func(t + dt, y + dt * k3)
    return y + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def odeint(func, y0, t):
    solution = [y0]
    for t0, t1 in zip(t[:-1], t[1:]):
        solution.append(rk4_step(func, t0, t1 - t0, solution[-1]))
    return torch.stack(solution)


class Adjoint(torch.autograd.Function):
    """The gradient of the end state, by integrating backwards."""

    @staticmethod
    def forward(ctx, func, y0, t, flat):
        with torch.no_grad():
            y1 = odeint(func, y0, t)[-1]
        ctx.func = func
        ctx.save_for_backward(y1, t)
        return y1

    @staticmethod
    def backward(ctx, a):
        y, t = ctx.saved_tensors
        func, params = ctx.func, tuple(ctx.func.parameters())
        total = torch.zeros(sum(p.numel() for p in params))
        for t1, t0 in zip(t.flip(0)[:-1], t.flip(0)[1:]):
            with torch.enable_grad():
                y = y.detach().requires_grad_(True)
                back = rk4_step(func, t1, t0 - t1, y)
                forward = rk4_step(func, t0, t1 - t0, back.detach().requires_grad_(True))
            y = back.detach().requires_grad_(True)
            with torch.enable_grad():
                forward = rk4_step(func, t0, t1 - t0, y)
            a, *by_params = torch.autograd.grad(forward, (y, *params), a)
            total += torch.cat([g.reshape(-1) for g in by_params])
        return None, a, None, total


torch.manual_seed(0)
true_A = torch.tensor([[-0.1, 2.0], [-2.0, -0.1]])
true_y0, t = torch.tensor([[2.0, 0.0]]), torch.linspace(0.0, 2.0, 21)
with torch.no_grad():
    true_y = odeint(lambda t, y: torch.mm(y**3, true_A), true_y0, t)
func = ODEFunc()
optimizer = torch.optim.RMSprop(func.parameters(), lr=1e-3)
for itr in range(25):
    s = torch.multinomial(torch.ones(16), 6, replacement=False)
    batch_y0, batch_y = true_y[s], torch.stack([true_y[s + i] for i in range(5)], dim=0)
    optimizer.zero_grad()
    loss = torch.mean(torch.abs(odeint(func, batch_y0, t[:5]) - batch_y))
    loss.backward()
    optimizer.step()
    print(f"Iter {itr:04d} | Total Loss {loss.item():.6f}")
for itr in range(25):
    optimizer.zero_grad()
    flat = nn.utils.parameters_to_vector(func.parameters()).detach().requires_grad_(True)
    end = Adjoint.apply(func, true_y0[0], t[:6], flat)
    loss = (end - true_y[5]).square().sum()
    loss.backward()
    at = 0
    for p in func.parameters():
        p.grad = flat.grad[at:at + p.numel()].view_as(p)
        at += p.numel()
    optimizer.step()
    print(f"adjoint {itr:02d} | {loss.item():.6f} | {flat.grad.norm().item():.5f}")
