# Fake quantization.

# In [per tensor]
x = torch.tensor([-3., -0.6, -0.25, 0., 0.3, 0.5, 1.5, 9., float("nan"), float("inf")], requires_grad=True)
Q = torch.fake_quantize_per_tensor_affine
y = Q(x, 0.5, 1, -4, 3)
y.sum().backward()
print(y, x.grad, y.grad_fn.name())
print(Q(x, torch.tensor(0.5), torch.tensor(1, dtype=torch.int32), 0, 255), Q(x, torch.tensor([0.5]), torch.tensor(1.0), 0, 255))
for kind in (torch.double, torch.half, torch.bfloat16):
    print(Q(x.to(kind), 0.3, 1, 0, 255))
print(Q(torch.tensor([0.25, 0.75, 1.25]), 0.5, 0, 0, 255), Q(torch.empty(0), 0.5, 0, 0, 255), Q(x, 0.0, 0, 0, 255), Q(torch.tensor([1e10, -1e10]), 0.1, 0, -128, 127))
z = torch.randn(2, 3, 4, requires_grad=True)
y = Q(z, 0.07, 3, 0, 15)
(y * y).sum().backward()
print(y, z.grad)
for wrong in ((x.int(), 0.5, 1, 0, 255), (x, 0.5, 1, 5, 3), (x, 0.5, -1, 0, 255), (x, torch.ones(2), torch.ones(2), 0, 255),
              (x, torch.ones(1, requires_grad=True), torch.ones(1), 0, 255)):
    try:
        Q(*wrong)
    except Exception as error:
        print(type(error).__name__, error)

# In [per channel]
w = torch.arange(-3, 3.).reshape(2, 3).mul(0.3).requires_grad_()
C = torch.fake_quantize_per_channel_affine
s, z = torch.tensor([0.5, 0.1]), torch.tensor([0, 3], dtype=torch.int32)
y = C(w, s, z, 0, -4, 3)
y.sum().backward()
print(y, w.grad, y.grad_fn.name())
print(C(w, torch.tensor([0.5, 0.1, 0.2]), torch.tensor([0., 3, 1.5]), 1, -4, 3), C(w.half(), s, z, 0, -4, 3), C(w.double(), s, z, 0, -4, 3))
for wrong in ((s[:1], z[:1], 0, -4, 3), (s, z.long(), 0, -4, 3), (s, z * 3, 0, -4, 3), (s, z, 2, -4, 3), (s.double(), z, 0, -4, 3), (s, z[:1], 0, -4, 3),
              (s[None], z, 0, -4, 3), (s, z, -2, -4, 3), (s, z, 0, 4, 3)):
    try:
        C(w, *wrong)
    except Exception as error:
        print(type(error).__name__, error)

# In [observed ranges]
w = torch.arange(-3, 3.).reshape(2, 3).mul(0.3).requires_grad_()
x = torch.tensor([-1., 0.5, 2.], requires_grad=True)
inf = float("inf")
def observed(x, on=1, fake=1, axis=-1, rows=False, symmetric=False, share=0.1, low=inf, high=-inf, shape=(1,)):
    low, high = torch.full(shape, low), torch.full(shape, high)
    scale, zero = torch.ones(shape), torch.zeros(shape, dtype=torch.int32)
    y = torch.fused_moving_avg_obs_fake_quant(x, torch.tensor([on]), torch.tensor([fake]), low, high, scale, zero, share, 0, 255, axis, rows, symmetric)
    print(y, low, high, scale, zero)
    return y
print(observed(x).grad_fn.name())
observed(x, on=0)
observed(x, fake=0)
observed(x, symmetric=True)
observed(x, low=-3., high=1.)
observed(w, axis=0, rows=True, shape=(2,))
observed(w, axis=0, rows=True, shape=(0,))
observed(w, axis=0, rows=True, symmetric=True, shape=(2,))
observed(x.detach().abs() * 1e-4)
observed(x, low=-0.5, high=1., share=0.0).sum().backward()
print(x.grad)
try:
    observed(w, axis=1, rows=True, shape=(3,))
except RuntimeError as error:
    print(error)
