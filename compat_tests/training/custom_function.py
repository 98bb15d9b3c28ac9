"""Custom autograd functions in a net: a polynomial, binarised weights, a scaled exp, gradcheck."""

import torch
import torch.nn as nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable


class LegendrePolynomial3(Function):
    @staticmethod
    def forward(ctx, input):
        ctx.save_for_backward(input)
        return 0.5 * (5 * input**3 - 3 * input)

    @staticmethod
    def backward(ctx, grad_output):
        (input,) = ctx.saved_tensors
        return grad_output * 1.5 * (5 * input**2 - 1)


class Binarize(Function):
    """Sign forward, straight through inside [-1, 1]."""

    @staticmethod
    def forward(x, clip):
        return x.sign()

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, ctx.clip = inputs
        ctx.save_for_backward(x)
        ctx.set_materialize_grads(False)

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return (g * (x.abs() <= ctx.clip) if ctx.needs_input_grad[0] else None), None


class MulExp(Function):
    """Two outputs, one of them without a gradient."""

    @staticmethod
    def forward(ctx, a, b):
        result = (a * b).exp()
        ctx.save_for_backward(a, b, result)
        largest = result.argmax()
        ctx.mark_non_differentiable(largest)
        return result, largest

    @staticmethod
    @once_differentiable
    def backward(ctx, g, _):
        a, b, result = ctx.saved_tensors
        return g * b * result, g * a * result


class BinaryLinear(nn.Linear):
    def forward(self, x):
        return nn.functional.linear(x, Binarize.apply(self.weight, 1.0), self.bias)


torch.manual_seed(0)
x = torch.linspace(-3.14, 3.14, 200, dtype=torch.float64)
y = torch.sin(x)
a, b, c, d = (torch.full((), v, dtype=torch.float64, requires_grad=True)
              for v in (0.0, -1.0, 0.0, 0.3))
for t in range(25):
    loss = (a + b * LegendrePolynomial3.apply(c + d * x) - y).pow(2).sum()
    loss.backward()
    with torch.no_grad():
        for p in (a, b, c, d):
            p -= 5e-6 * p.grad
            p.grad = None
    print(t, f"{loss.item():.5f}")
print(f"y = {a.item():.5f} + {b.item():.5f} * P3({c.item():.5f} + {d.item():.5f} x)")

inputs, targets = torch.randn(32, 6), torch.randn(32, 1)
net = nn.Sequential(BinaryLinear(6, 16), nn.Hardtanh(), BinaryLinear(16, 1))
optimizer = torch.optim.Adadelta(net.parameters(), lr=1.0)
for t in range(25):
    loss = nn.functional.l1_loss(net(inputs), targets)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        for layer in (net[0], net[2]):
            layer.weight.clamp_(-1, 1)
    print(t, f"{loss.item():.5f}")

u, v = torch.randn(5, requires_grad=True), torch.randn(5, requires_grad=True)
result, at = MulExp.apply(u, v)
result.sum().backward()
print(result, at, u.grad, at.requires_grad, result.grad_fn.name())
z = torch.randn(4, dtype=torch.float64, requires_grad=True)
print(torch.autograd.gradcheck(LegendrePolynomial3.apply, (z,)),
      torch.autograd.gradgradcheck(LegendrePolynomial3.apply, (z,)))
try:
    g, = torch.autograd.grad(MulExp.apply(u, v)[0].sum(), u, create_graph=True)
    g.sum().backward()
except RuntimeError as error:
    print(error)
