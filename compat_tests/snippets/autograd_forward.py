"""Forward-mode AD: torch.autograd.forward_ad."""

# In [make and unpack]
import torch.autograd.forward_ad as fwAD
x, v = torch.tensor([1., 2., 3.]), torch.tensor([1., 0., 2.])
with fwAD.dual_level():
    d = fwAD.make_dual(x, v)
    print(d)
    print(fwAD.unpack_dual(d))
    print(fwAD.unpack_dual(x))
    out = d * d + d.sin()
    y, t = fwAD.unpack_dual(out)
    print(y, t, type(fwAD.unpack_dual(out)).__name__, fwAD.UnpackedDualTensor._fields)
    print(d.requires_grad, d._is_view(), d._base is x, y.data_ptr() == out.data_ptr())
    print(t is fwAD.unpack_dual(out).tangent, fwAD.unpack_dual(d).tangent is v)
print(fwAD.unpack_dual(out), out)

# In [levels]
import torch.autograd.forward_ad as fwAD
level = fwAD.enter_dual_level()
print(level)
d = fwAD.make_dual(torch.ones(2), torch.ones(2), level=level)
print(fwAD.unpack_dual(d * 2, level=level).tangent)
fwAD.exit_dual_level(level=level)
print(fwAD.unpack_dual(d).tangent)

# In [levels used wrongly]
import torch.autograd.forward_ad as fwAD
def attempt(f):
    try:
        print(f())
    except Exception as e:
        print(type(e).__name__, e)
attempt(lambda: fwAD.make_dual(torch.ones(2), torch.ones(2)))
attempt(lambda: fwAD.unpack_dual(torch.ones(2)))
attempt(lambda: fwAD.exit_dual_level())
with fwAD.dual_level():
    attempt(lambda: fwAD.enter_dual_level())
with fwAD.dual_level():
    attempt(lambda: fwAD.exit_dual_level(level=3))
    attempt(lambda: fwAD.make_dual(torch.ones(2), torch.ones(3)))
    attempt(lambda: fwAD.make_dual(torch.ones(2), torch.ones(2).double()))
    attempt(lambda: fwAD.make_dual(torch.ones(2).long(), torch.ones(2)))
    attempt(lambda: fwAD.make_dual(torch.ones(2), torch.ones(2).long()))
    d = fwAD.make_dual(torch.ones(2), torch.ones(2))
    attempt(lambda: fwAD.make_dual(d, torch.ones(2)))
    attempt(lambda: fwAD.make_dual(torch.ones(2), d))
    attempt(lambda: torch.add(d, d, out=torch.zeros(2)))

# In [over many ops]
import torch.autograd.forward_ad as fwAD
torch.manual_seed(0)
x, v = torch.randn(3, 4), torch.randn(3, 4)
w, u = torch.randn(4, 2), torch.randn(4, 2)
functions = [lambda a, b: a @ b, lambda a, b: a.softmax(-1), lambda a, b: a.log_softmax(0).exp(),
    lambda a, b: a.relu(), lambda a, b: a.abs().sqrt(), lambda a, b: a.sum(0), lambda a, b: a.mean(),
    lambda a, b: a.max(1).values, lambda a, b: a.amax(1), lambda a, b: a.sort(1)[0], lambda a, b: a.cumsum(1),
    lambda a, b: torch.cat([a, a * 2], 1), lambda a, b: a.std(1), lambda a, b: a.norm(), lambda a, b: torch.logsumexp(a, 1),
    lambda a, b: F.gelu(a), lambda a, b: F.layer_norm(a, (4,)), lambda a, b: F.mse_loss(a, torch.ones(3, 4)),
    lambda a, b: F.cross_entropy(a, torch.tensor([0, 1, 3])), lambda a, b: torch.where(a > 0, a, a * 2),
    lambda a, b: a[[0, 2]], lambda a, b: a.gather(1, torch.tensor([[0], [1], [2]])), lambda a, b: a.clamp(-.5, .5),
    lambda a, b: torch.einsum('ij,jk->ik', a, b), lambda a, b: a.pow(2), lambda a, b: 2 ** a, lambda a, b: a.prod(1),
    lambda a, b: torch.linalg.det(a[:, :3]), lambda a, b: torch.linalg.inv(a[:, :3]), lambda a, b: a.double().sum(),
    lambda a, b: a.to(torch.float64) * 2, lambda a, b: a.tril(), lambda a, b: F.linear(a, b.t(), torch.ones(2)),
    lambda a, b: a.var(0, keepdim=True), lambda a, b: torch.stack([a, a]).sum(0), lambda a, b: a.argmax(), lambda a, b: a > 0]
for i, f in enumerate(functions):
    with fwAD.dual_level():
        out = f(fwAD.make_dual(x, v), fwAD.make_dual(w, u))
        print(i, fwAD.unpack_dual(out).tangent)

# In [kinks and ties]
import torch.autograd.forward_ad as fwAD
x = torch.tensor([0., 0., 1., -1.])
for f in (torch.relu, torch.abs, torch.sign, lambda a: a.max(), lambda a: a.amax(), lambda a: a.norm(),
          lambda a: a.clamp(min=0), lambda a: torch.maximum(a, torch.zeros(4)), F.leaky_relu, F.hardtanh, torch.sqrt,
          lambda a: a.median(), F.elu, F.softplus, lambda a: a.cummax(0).values, lambda a: a.prod()):
    with fwAD.dual_level():
        print(fwAD.unpack_dual(f(fwAD.make_dual(x, torch.arange(1., 5.)))).tangent)

# In [complex]
import torch.autograd.forward_ad as fwAD
x, v = torch.tensor([1 + 2j, 3 - 1j]), torch.tensor([1j, 2 + 0j])
for f in (lambda z: z * z, torch.abs, torch.conj, torch.real, torch.exp, lambda z: z.abs() ** 2, torch.angle, torch.sqrt):
    with fwAD.dual_level():
        out = fwAD.unpack_dual(f(fwAD.make_dual(x, v))).tangent
        print(out.resolve_conj())

# In [views]
import torch.autograd.forward_ad as fwAD
with fwAD.dual_level():
    v = torch.arange(6.).view(2, 3)
    d = fwAD.make_dual(torch.ones(2, 3), v)
    for view in (d[0], d.t(), d.view(-1), d[:, 1:], d.unsqueeze(0), d.expand(2, 2, 3), d.diagonal(), d.unbind(1)[2]):
        t = fwAD.unpack_dual(view).tangent
        print(t, t.stride(), t.storage_offset())

# In [writes]
import torch.autograd.forward_ad as fwAD
with fwAD.dual_level():
    d = fwAD.make_dual(torch.ones(3), torch.arange(3.))
    d.mul_(2)
    print(fwAD.unpack_dual(d))
    d.add_(torch.ones(3))
    print(fwAD.unpack_dual(d))
    d.zero_()
    print(fwAD.unpack_dual(d))
    x = torch.zeros(2, 2)
    x[0] = fwAD.make_dual(torch.ones(2), torch.tensor([1., 2.]))
    print(fwAD.unpack_dual(x))
    x[:, 1] = 5
    print(fwAD.unpack_dual(x))
    y = torch.zeros(3)
    row = y[1:]
    row.copy_(fwAD.make_dual(torch.ones(2), torch.tensor([3., 4.])))
    print(fwAD.unpack_dual(y), fwAD.unpack_dual(row))
    y.mul_(2)
    print(fwAD.unpack_dual(row))
    z = torch.zeros(2)
    z += fwAD.make_dual(torch.ones(2), torch.ones(2))
    print(fwAD.unpack_dual(z))

# In [what a write does to the tangent given]
import torch.autograd.forward_ad as fwAD
x, v = torch.ones(3), torch.arange(3.)
with fwAD.dual_level():
    d = fwAD.make_dual(x, v)
    d.mul_(2)
    print(x, v, d)
    d[0] = 7
    print(x, v, fwAD.unpack_dual(d))

# In [detach and no_grad]
import torch.autograd.forward_ad as fwAD
with fwAD.dual_level():
    d = fwAD.make_dual(torch.ones(2), torch.ones(2))
    print(fwAD.unpack_dual(d.detach()).tangent, fwAD.unpack_dual(d.data).tangent)
    with torch.no_grad():
        print(fwAD.unpack_dual(d * 3).tangent)
    with torch.inference_mode():
        print(fwAD.unpack_dual(d * 3).tangent)
    print(fwAD.unpack_dual(d.clone()).tangent, fwAD.unpack_dual(d.numpy() if False else d.to(torch.float64)).tangent)
    print(fwAD.unpack_dual(torch.zeros_like(d)).tangent, fwAD.unpack_dual(d.new_ones(2)).tangent)

# In [reverse over forward]
import torch.autograd.forward_ad as fwAD
x = torch.tensor([1., 2.], requires_grad=True)
v = torch.tensor([3., 4.], requires_grad=True)
with fwAD.dual_level():
    d = fwAD.make_dual(x, v)
    print(d.requires_grad, d.is_leaf, d.grad_fn)
    y, t = fwAD.unpack_dual((d ** 3).sum())
    print(y.requires_grad, t.requires_grad)
gx, gv = torch.autograd.grad(t, (x, v), create_graph=True)
print(gx.detach(), gv.detach())
print(torch.autograd.grad(gx.sum(), x))

# In [forward over reverse]
import torch.autograd.forward_ad as fwAD
x = torch.tensor([1., 2.], requires_grad=True)
v = torch.tensor([3., 4.])
with fwAD.dual_level():
    d = fwAD.make_dual(x, v)
    loss = (d ** 3).sum() + (d.exp() * d).prod()
    g, = torch.autograd.grad(loss, d, create_graph=True)
    print(fwAD.unpack_dual(g).tangent.detach())
    loss = (d ** 3).sum() + d.tanh().sum()
    g, = torch.autograd.grad(loss, d)
    print(fwAD.unpack_dual(g))
    loss = d.sigmoid().log().sum()
    loss.backward()
print(x.grad)

# In [modules]
import torch.autograd.forward_ad as fwAD
torch.manual_seed(0)
model, x = nn.Linear(3, 2), torch.ones(4, 3)
tangents = {name: torch.ones_like(p) for name, p in model.named_parameters()}
with fwAD.dual_level():
    for name, p in list(model.named_parameters()):
        delattr(model, name)
        setattr(model, name, fwAD.make_dual(p, tangents[name]))
    print(fwAD.unpack_dual(model(x)).tangent.detach())

# In [functional_call with duals]
import torch.autograd.forward_ad as fwAD
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
params = dict(model.named_parameters())
with fwAD.dual_level():
    duals = {k: fwAD.make_dual(p, torch.ones_like(p)) for k, p in params.items()}
    out = torch.func.functional_call(model, duals, (torch.ones(2, 3),))
    print(fwAD.unpack_dual(out).tangent.detach())

# In [batch norm and convolution]
import torch.autograd.forward_ad as fwAD
torch.manual_seed(0)
bn, conv = nn.BatchNorm1d(3), nn.Conv1d(1, 2, 2)
with fwAD.dual_level():
    x = fwAD.make_dual(torch.randn(4, 3), torch.randn(4, 3))
    print(fwAD.unpack_dual(bn(x)).tangent.detach())
    c = fwAD.make_dual(torch.randn(1, 1, 5), torch.randn(1, 1, 5))
    print(fwAD.unpack_dual(F.max_pool1d(conv(c), 2)).tangent.detach())
    print(fwAD.unpack_dual(F.avg_pool1d(c, 2)).tangent)

# In [a Function with jvp]
import torch.autograd.forward_ad as fwAD
class Fn(torch.autograd.Function):
    @staticmethod
    def forward(ctx, foo, factor):
        result = foo.clone()
        tmp = torch.exp(result)
        ctx.save_for_forward(foo, tmp)
        ctx.save_for_backward(foo)
        ctx.factor = factor
        return result * factor
    @staticmethod
    def backward(ctx, grad):
        return grad * ctx.factor, None
    @staticmethod
    def jvp(ctx, gI, g_factor):
        print(gI, g_factor, ctx.saved_tensors)
        return gI * 100
with fwAD.dual_level():
    d = fwAD.make_dual(torch.tensor([1., 2.]), torch.tensor([3., 4.]))
    print(fwAD.unpack_dual(Fn.apply(d, 2.)))
    print(fwAD.unpack_dual(Fn.apply(torch.ones(2), 2.)))

# In [a Function without jvp]
import torch.autograd.forward_ad as fwAD
class Fn(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2
    @staticmethod
    def backward(ctx, g):
        return g * 2
with fwAD.dual_level():
    Fn.apply(fwAD.make_dual(torch.ones(2), torch.ones(2)))

# In [a Function's jvp that returns too many]
import torch.autograd.forward_ad as fwAD
class Fn(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2
    @staticmethod
    def jvp(ctx, t):
        return t, t
with fwAD.dual_level():
    Fn.apply(fwAD.make_dual(torch.ones(2), torch.ones(2)))

# In [a Function's jvp that returns a wrong shape]
import torch.autograd.forward_ad as fwAD
class Fn(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2
    @staticmethod
    def jvp(ctx, t):
        return torch.ones(3)
with fwAD.dual_level():
    Fn.apply(fwAD.make_dual(torch.ones(2), torch.ones(2)))

# In [a Function's jvp with several outputs, missing tangents, None]
import torch.autograd.forward_ad as fwAD
class Fn(torch.autograd.Function):
    @staticmethod
    def forward(x, y):
        return x * y, x + y, (x > y)
    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_forward(*inputs)
        ctx.mark_non_differentiable(output[2])
    @staticmethod
    def jvp(ctx, xt, yt):
        x, y = ctx.saved_tensors
        print(xt, yt)
        return xt * y + x * yt, xt + yt, None
with fwAD.dual_level():
    d = fwAD.make_dual(torch.tensor([1., 2.]), torch.tensor([3., 4.]))
    for o in Fn.apply(d, torch.full((2,), 5.)):
        print(fwAD.unpack_dual(o))

# In [a Function's jvp without materialized tangents]
import torch.autograd.forward_ad as fwAD
class Fn(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, y):
        ctx.set_materialize_grads(False)
        return x + y
    @staticmethod
    def jvp(ctx, xt, yt):
        print(xt, yt)
        return xt
with fwAD.dual_level():
    print(fwAD.unpack_dual(Fn.apply(fwAD.make_dual(torch.ones(2), torch.ones(2)), torch.ones(2))).tangent)

# In [an in-place Function's jvp]
import torch.autograd.forward_ad as fwAD
class Fn(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.mark_dirty(x)
        return x.mul_(2)
    @staticmethod
    def jvp(ctx, t):
        return t.mul_(2)
with fwAD.dual_level():
    d = fwAD.make_dual(torch.ones(2), torch.tensor([1., 2.])).clone()
    out = Fn.apply(d)
    print(fwAD.unpack_dual(out), out is d)

# In [a Function's jvp that is wrong]
import torch.autograd.forward_ad as fwAD
def made(forward, jvp):
    return type("Made", (torch.autograd.Function,), {"forward": staticmethod(forward), "jvp": staticmethod(jvp)})
def constant(ctx, x):
    y = x + 1
    ctx.mark_non_differentiable(y)
    return x * 2, y
def dirty(ctx, x):
    ctx.mark_dirty(x)
    return x.mul_(2)
x, v = torch.tensor([1., 2.]), torch.tensor([3., 4.])
for forward, jvp in ((constant, lambda ctx, t: (t, t)), (lambda ctx, x: x * 2, lambda ctx, t: "a"),
                     (lambda ctx, x: x, lambda ctx, t: t), (lambda ctx, x: x.view(-1), lambda ctx, t: t.view(-1)),
                     (lambda ctx, x: x.view(-1), lambda ctx, t: t * 2), (dirty, lambda ctx, t: t * 2)):
    with fwAD.dual_level():
        try:
            print(made(forward, jvp).apply(fwAD.make_dual(x, v).clone()))
        except Exception as e:
            print(type(e).__name__, e)

# In [as a decorator]
import torch.autograd.forward_ad as fwAD
@fwAD.dual_level()
def pushed(x, v):
    return fwAD.unpack_dual(fwAD.make_dual(x, v).sin()).tangent
print(pushed(torch.zeros(2), torch.ones(2)), pushed(torch.zeros(2), torch.ones(2)))
