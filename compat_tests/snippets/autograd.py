# The engine: what backward does, what it refuses, what a graph remembers.

# In [accumulates]
x = torch.tensor([1., 2.], requires_grad=True)
for _ in range(3):
    (x * x).sum().backward()
print(x.grad)
x.grad.zero_()
(x * 2).sum().backward()
print(x.grad)
x.grad = None
print(x.grad)

# In [grad is the same tensor while accumulating]
x = torch.ones(2, requires_grad=True)
x.sum().backward()
g = x.grad
x.sum().backward()
print(g is x.grad, g, g.requires_grad, g.grad_fn)

# In [second backward]
x = torch.ones(2, requires_grad=True)
y = (x * x).sum()
y.backward()
y.backward()

# In [second backward of an op that saves nothing]
x = torch.ones(2, requires_grad=True)
y = (x + 1).sum()
y.backward()
y.backward()
x.grad

# In [retain_graph]
x = torch.ones(2, requires_grad=True)
y = (x ** 3).sum()
y.backward(retain_graph=True)
y.backward(retain_graph=True)
y.backward()
print(x.grad)
y.backward()

# In [two losses share a trunk]
x = torch.ones(2, requires_grad=True)
h = x.exp()
h.sum().backward()
(h * 2).sum().backward()

# In [non-scalar needs a gradient]
x = torch.ones(2, requires_grad=True)
y = x * 2
try:
    y.backward()
except RuntimeError as e:
    print(e)
y.backward(torch.tensor([1., 10.]))
x.grad

# In [wrong gradient shape]
x = torch.ones(2, requires_grad=True)
(x * 2).backward(torch.ones(3))

# In [wrong gradient type]
x = torch.ones(2, requires_grad=True)
(x * 2).backward([1., 1.])

# In [gradient of one element needs none]
x = torch.ones(2, requires_grad=True)
(x * 2)[:1].backward()
x.grad

# In [no grad path]
torch.ones(2).sum().backward()

# In [integer result has no grad]
x = torch.ones(2, requires_grad=True)
for y in (x.argmax(), x > 0, x.long(), x.detach(), x.data, x.round(), x.sign(), x.floor()):
    print(y.requires_grad, y.grad_fn.name() if y.grad_fn else None)

# In [backward inputs=]
x, w = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
(x * w).sum().backward(inputs=[x])
print(x.grad, w.grad)
(x * w).sum().backward(inputs=[])

# In [torch.autograd.backward of several]
x = torch.ones(2, requires_grad=True)
a, b = (x * 2).sum(), x * 3
torch.autograd.backward([a, b], [None, torch.tensor([1., 2.])])
x.grad

# In [autograd.grad]
x = torch.tensor([1., 2.], requires_grad=True)
y = (x ** 3).sum()
g, = torch.autograd.grad(y, x, create_graph=True)
print(g, x.grad)
h, = torch.autograd.grad(g.sum(), x)
print(h)

# In [autograd.grad unused]
x, z = torch.ones(1, requires_grad=True), torch.ones(1, requires_grad=True)
y = x * 2
print(torch.autograd.grad(y, [x, z], allow_unused=True, retain_graph=True))
print(torch.autograd.grad(y, [x, z], materialize_grads=True, retain_graph=True))
torch.autograd.grad(y, [x, z])

# In [autograd.grad of a tensor without grad]
x = torch.ones(1)
torch.autograd.grad(x * 2, x)

# In [autograd.grad with respect to itself and to the middle]
x = torch.ones(2, requires_grad=True)
y = x * 2
z = (y * y).sum()
print(torch.autograd.grad(z, [y, z, x]), x.grad)

# In [autograd.grad is_grads_batched]
x = torch.arange(3., requires_grad=True)
y = x ** 2
torch.autograd.grad(y, x, torch.eye(3), is_grads_batched=True)

# In [double backward]
x = torch.tensor(2., requires_grad=True)
y = x ** 3
g, = torch.autograd.grad(y, x, create_graph=True)
g2, = torch.autograd.grad(g, x, create_graph=True)
g3, = torch.autograd.grad(g2, x)
print(g, g2, g3, sep='\n')

# In [gradient penalty]
net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
x = torch.randn(4, 2, requires_grad=True)
g, = torch.autograd.grad(net(x).sum(), x, create_graph=True)
p = ((g.norm(dim=1) - 1) ** 2).mean()
p.backward()
print(p, net[0].weight.grad, net[2].bias.grad)

# In [create_graph on backward]
x = torch.tensor(3., requires_grad=True)
(x ** 2).backward(create_graph=True)
print(x.grad)

# In [retain_grad]
x = torch.ones(2, requires_grad=True)
y = x * 2
y.retain_grad()
y.retain_grad()
z = y * 3
z.sum().backward()
print(y.grad, z.grad, y.retains_grad, x.retains_grad)
x.retain_grad()
torch.ones(1).retain_grad()

# In [retain_grad then in-place]
x = torch.ones(2, requires_grad=True)
y = x * 2
y.retain_grad()
y.mul_(3)
y.sum().backward()
print(x.grad, y.grad)

# In [no_grad]
x = torch.ones(2, requires_grad=True)
with torch.no_grad():
    y = x * 2
    print(torch.is_grad_enabled(), y.requires_grad)
    with torch.enable_grad():
        print((x * 2).requires_grad)
    x += 1
print(torch.is_grad_enabled(), y.requires_grad, x)

# In [no_grad as a decorator]
@torch.no_grad()
def f(x):
    """doc"""
    return x * 2


@torch.no_grad
def g(x):
    return x * 2


x = torch.ones(1, requires_grad=True)
print(f(x), g(x), f.__name__, f.__doc__, torch.is_grad_enabled())

# In [no_grad in a generator]
@torch.no_grad()
def gen():
    yield torch.is_grad_enabled()
    yield torch.is_grad_enabled()


for inside in gen():
    print(inside, torch.is_grad_enabled())

# In [set_grad_enabled]
x = torch.ones(1, requires_grad=True)
torch.set_grad_enabled(False)
print((x * 2).requires_grad)
torch.set_grad_enabled(True)
with torch.set_grad_enabled(False):
    print((x * 2).requires_grad)
(x * 2).requires_grad

# In [no_grad after an exception]
try:
    with torch.no_grad():
        raise ValueError
except ValueError:
    print(torch.is_grad_enabled())

# In [inference_mode]
with torch.inference_mode():
    t = torch.ones(2)
    u = t * 2
    print(t.is_inference(), torch.is_inference_mode_enabled(), u.requires_grad)
    t += 1
print(t, torch.ones(1).is_inference())
t.requires_grad_()

# In [inference tensors outside]
with torch.inference_mode():
    t = torch.ones(2)
x = torch.ones(2, requires_grad=True)
print(t + 1, t._is_view())
try:
    print(x * t)
except RuntimeError as e:
    print(e)
t.add_(1)

# In [inference tensor version]
with torch.inference_mode():
    t = torch.ones(2)
t._version

# In [inference then normal view]
x = torch.ones(2, requires_grad=True)
with torch.inference_mode():
    y = x * 2
print(y.requires_grad, y.is_inference(), y.clone().is_inference())
y.sum().backward()

# In [leaf in-place]
x = torch.ones(2, requires_grad=True)
x += 1

# In [leaf view in-place]
x = torch.ones(2, requires_grad=True)
x[0] = 1

# In [leaf out=]
x = torch.ones(2, requires_grad=True)
torch.add(torch.ones(2), 1, out=x)

# In [out= with an input that requires grad]
x = torch.ones(2, requires_grad=True)
torch.add(x, 1, out=torch.zeros(2))

# In [in-place on a saved tensor]
x = torch.ones(2, requires_grad=True)
y = x.exp()
y += 1
y.sum().backward()

# In [in-place on a saved input]
x = torch.ones(2, requires_grad=True)
y = x * 1
z = y ** 2
y.add_(1)
z.sum().backward()

# In [in-place on both operands of mul]
a = torch.ones(2, requires_grad=True)
b = torch.ones(2)
c = a * b
b.zero_()
c.sum().backward()

# In [in-place that saved nothing is fine]
x = torch.ones(2, requires_grad=True)
y = x + 1
y.mul_(2)
z = y - 3
z.neg_()
z.sum().backward()
print(x.grad, z)

# In [in-place relu]
x = torch.tensor([-1., 2.], requires_grad=True)
y = x * 2
y.relu_()
y.sum().backward()
print(x.grad, y.grad_fn.name())

# In [in-place relu on a layer's output]
m = nn.Sequential(nn.Linear(2, 3), nn.ReLU(inplace=True), nn.Linear(3, 1))
m(torch.randn(4, 2)).sum().backward()
m[0].weight.grad

# In [in-place after max-pool saved indices]
x = torch.randn(1, 1, 4, 4, requires_grad=True)
y = F.max_pool2d(x, 2)
y.add_(1)
y.sum().backward()
x.grad

# In [sigmoid in place of its own result]
x = torch.ones(2, requires_grad=True)
y = x.sigmoid()
y *= 2
y.sum().backward()

# In [version of a saved view's base]
x = torch.ones(4, requires_grad=True)
y = x * 1
z = y[:2] ** 2
y[3] = 5
z.sum().backward()

# In [write to a view rebases history]
x = torch.ones(3, requires_grad=True)
y = x * 2
v = y[1:]
v *= 10
print(y, v)
y.sum().backward()
x.grad

# In [write to base changes view's grad_fn]
x = torch.ones(3, requires_grad=True)
y = x * 2
v = y[1:]
print(v.grad_fn.name())
y *= 3
print(v.grad_fn.name(), v)
v.sum().backward()
x.grad

# In [view and in-place: split outputs]
x = torch.ones(4, requires_grad=True)
y = x * 1
a, b = y.split(2)
a += 1

# In [view and in-place: unbind outputs]
x = torch.ones(2, 2, requires_grad=True)
a, b = (x * 1).unbind()
a.mul_(2)

# In [view made in no_grad]
x = torch.ones(4, requires_grad=True)
y = x * 1
with torch.no_grad():
    v = y[:2]
v += 1

# In [write a tensor that requires grad into one that does not]
x = torch.ones(2, requires_grad=True)
b = torch.zeros(2, 2)
b[0] = x * 2
b[1] = x
print(b, b.requires_grad, b.is_leaf)
b.sum().backward()
x.grad

# In [detach_]
x = torch.ones(2, requires_grad=True)
y = x * 2
y.detach_()
print(y.requires_grad, y.grad_fn, y.is_leaf)
z = x[0:1] * 1
z[0:1].detach_()

# In [requires_grad_ of non-leaf]
y = torch.ones(1, requires_grad=True) * 2
y.requires_grad_(False)

# In [assign grad]
x = torch.ones(2, requires_grad=True)
x.grad = torch.tensor([1., 2.])
x.sum().backward()
print(x.grad)
x.grad = torch.ones(3)

# In [assign grad of wrong kind]
x = torch.ones(2, requires_grad=True)
for g in ('a', torch.ones(2, dtype=torch.double), x):
    try:
        x.grad = g
    except Exception as e:
        print(type(e).__name__, e)

# In [del grad]
x = torch.ones(2, requires_grad=True)
x.sum().backward()
del x.grad
x.grad

# In [is_leaf]
x = torch.ones(1, requires_grad=True)
for t in (torch.ones(1), x, x * 1, x.detach(), x.data, (x * 1).detach(), torch.ones(1) * 2, x.clone(), x.cuda if 0 else x.float(), x.double()):
    print(t.is_leaf, t.requires_grad, t.grad_fn.name() if t.grad_fn else None)

# In [next_functions]
x, w = torch.ones(2, requires_grad=True), torch.ones(2)
y = (x * w + x).sum()
print(y.grad_fn.next_functions[0][0].next_functions)
print([(f.name() if f else None, i) for f, i in y.grad_fn.next_functions[0][0].next_functions])
print(y.grad_fn.next_functions[0][0].next_functions[1][0].variable is x)

# In [node names of arithmetic]
x = torch.ones(2, 2, requires_grad=True)
for t in (x + 1, 1 - x, x * x, x / 2, 2 / x, x ** 2, 2 ** x, -x, x @ x, x.T, x % 2, abs(x), x // 1, x.mean(0), x.sum((0, 1)), x.prod(),
          x.std(), x.var(0), x.max(), x.max(0)[0], x.amax(), x.min(1).values, x.norm(), x.cumsum(0), x.logsumexp(0), x.sort()[0],
          x.topk(1)[0], x.reshape(4), x.T.reshape(4), x.flatten(), x.view(4), x.squeeze(), x.unsqueeze(0), x.permute(1, 0), x.clone(),
          x.to(torch.double), x.T.contiguous(), torch.cat([x, x]), torch.stack([x, x]), x.repeat(2, 1), x.roll(1, 0),
          x.flip(0), x.tril(), x.where(x > 0, 0), x.clamp(0, 1), x.clamp(min=0), x.masked_fill(x > 0, 0), x.dot if 0 else x[0].dot(x[1]),
          x.mv(x[0]), x.bmm if 0 else x[None].bmm(x[None]), torch.einsum('ij,jk', x, x), torch.addmm(x, x, x), torch.lerp(x, x, 0.5)):
    print(t.grad_fn.name())

# In [node names of functions]
x = torch.ones(2, 2, requires_grad=True)
for f in (torch.exp, torch.log, torch.sqrt, torch.rsqrt, torch.sin, torch.tanh, torch.sigmoid, torch.relu, torch.erf, torch.square,
          torch.reciprocal, torch.log1p, torch.expm1, torch.abs, F.gelu, F.silu, F.softplus, F.elu, F.leaky_relu, F.selu, F.hardtanh,
          F.relu6, F.mish, F.logsigmoid, F.hardswish, F.softsign, F.tanhshrink, torch.nan_to_num, torch.trace, torch.linalg.det,
          lambda x: F.softmax(x, 0), lambda x: F.log_softmax(x, 0), lambda x: F.dropout(x, 0.5), lambda x: F.normalize(x), lambda x: F.glu(x),
          lambda x: F.layer_norm(x, (2,)), lambda x: F.batch_norm(x, None, None, training=True), lambda x: F.linear(x, x), lambda x: F.pad(x, (1, 1)),
          lambda x: F.mse_loss(x, x), lambda x: F.l1_loss(x, x), lambda x: F.cross_entropy(x, torch.tensor([0, 1])), lambda x: F.smooth_l1_loss(x, x),
          lambda x: F.nll_loss(x, torch.tensor([0, 1])), lambda x: F.kl_div(x, x), lambda x: F.binary_cross_entropy_with_logits(x, x.detach()),
          lambda x: F.embedding(torch.tensor([0]), x), lambda x: F.conv1d(x[None], x[None]), lambda x: F.avg_pool1d(x, 2), lambda x: F.max_pool1d(x[None], 2),
          lambda x: F.adaptive_avg_pool1d(x, 1), lambda x: F.interpolate(x[None], scale_factor=2), lambda x: F.cosine_similarity(x, x), lambda x: F.pairwise_distance(x, x),
          lambda x: F.scaled_dot_product_attention(x[None], x[None], x[None]), lambda x: torch.cdist(x, x), lambda x: F.one_hot if 0 else F.prelu(x, x[0, :1])):
    print(f(x).grad_fn.name())

# In [saved attributes]
x = torch.tensor([1., 2.], requires_grad=True)
y = x ** 2
print(y.grad_fn._saved_self, y.grad_fn._saved_exponent)
print(x.exp().grad_fn._saved_result, (x * 3).grad_fn._saved_other, x.sum(0).grad_fn._saved_self_sym_sizes)
y.sum().backward()
y.grad_fn._saved_self

# In [complex gradients]
z = torch.tensor([1 + 2j, 3 - 1j], requires_grad=True)
(z * z.conj()).real.sum().backward()
print(z.grad)
z.grad = None
z.abs().sum().backward()
print(z.grad)
(z * z).sum().backward()

# In [ties and kinks]
x = torch.tensor([1., 1., 0.], requires_grad=True)
for f in (torch.max, torch.amax, torch.min, lambda t: t.max(0)[0], lambda t: t.abs().sum(), lambda t: t.relu().sum(), lambda t: t.clamp(0, 1).sum(),
          lambda t: t.norm(), lambda t: t.median(), lambda t: torch.maximum(t, torch.ones(3)).sum(), lambda t: t.prod(), lambda t: t.std(),
          lambda t: t.sort()[0][0], lambda t: F.hardtanh(t).sum(), lambda t: t.sqrt().sum(), lambda t: (t ** 0.5).sum(), lambda t: (t - t).norm()):
    print(torch.autograd.grad(f(x), x)[0].tolist())

# In [broadcast gradients are summed]
a = torch.ones(3, 1, requires_grad=True)
b = torch.ones(2, requires_grad=True)
c = torch.tensor(2., requires_grad=True)
(a * b * c).sum().backward()
print(a.grad, b.grad, c.grad)

# In [dtype of gradients]
a = torch.ones(2, requires_grad=True)
b = torch.ones(2, dtype=torch.double, requires_grad=True)
(a * b).sum().backward()
print(a.grad.dtype, b.grad.dtype, (a.half() * 2).sum().grad_fn.next_functions[0][0].name())

# In [grad layout]
x = torch.ones(2, 3, requires_grad=True)
(x.t() * torch.arange(6.).view(3, 2)).sum().backward()
print(x.grad, x.grad.stride())

# In [anomaly mode]
import warnings
x = torch.tensor([-1.], requires_grad=True)
with warnings.catch_warnings():
    warnings.simplefilter('ignore')         # they quote the line with its file
    with torch.autograd.detect_anomaly(check_nan=True):
        y = x.sqrt()
        y.backward()

# In [gradcheck]
x = torch.rand(3, dtype=torch.double, requires_grad=True)
print(torch.autograd.gradcheck(lambda t: (t ** 2).sin(), x), torch.autograd.gradgradcheck(lambda t: t ** 3, x))
torch.autograd.gradcheck(lambda t: t.detach() * t, x, raise_exception=False)

# In [functional]
f = lambda x: (x ** 2).sum()
x = torch.tensor([1., 2.])
print(torch.autograd.functional.jacobian(lambda x: x ** 2, x), torch.autograd.functional.hessian(f, x))
print(torch.autograd.functional.vjp(f, x), torch.autograd.functional.jvp(f, x, torch.ones(2)), torch.autograd.functional.hvp(f, x, torch.ones(2)))
