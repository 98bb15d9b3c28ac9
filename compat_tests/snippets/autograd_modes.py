"""Anomaly mode, threads, detached saved tensors, draws on meta tensors."""

# In [anomaly: parents, errors, no forward]
import warnings
def said(f):
    with warnings.catch_warnings(record=True) as w:
        warnings.simplefilter('always')
        try: print(f())
        except Exception as e: print(type(e).__name__, e)
    for i in w:
        lines = str(i.message).splitlines()
        own = [l for a, l in zip(['', *lines], lines) if '<cell>' in l]
        print(i.category.__name__, [l for l in lines if l.strip() and 'File' not in l][0], own)
x = torch.tensor([-1.0], requires_grad=True)
def f():
    with torch.autograd.detect_anomaly():
        y = torch.sqrt(x)
        z = y * 0
        z.sum().backward()
said(f)
class Bad(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x): return x.clone()
    @staticmethod
    def backward(ctx, g): raise ValueError('no')
def g():
    with torch.autograd.detect_anomaly(check_nan=False):
        y = Bad.apply(x)
        y.sum().backward()
said(g)
y = x.sqrt() * 0
def h():
    with torch.autograd.detect_anomaly(): y.sum().backward()
said(h)
class Twice(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x): return x.clone()
    @staticmethod
    def backward(ctx, g): return Bad.apply(g)
def k():
    with torch.autograd.detect_anomaly():
        w = torch.ones(1, requires_grad=True)
        a = Twice.apply(x * w)
        b, = torch.autograd.grad(a * a, x, create_graph=True)
        b.backward()
said(k)
with torch.autograd.set_detect_anomaly(True):
    print(torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled())
print(torch.is_anomaly_enabled())
v = torch.ones(2, requires_grad=True)
with torch.autograd.set_detect_anomaly(True):
    u = v * 2
print(sorted(u.grad_fn.metadata))

# In [multithreading]
import torch.autograd as A
print(A.set_multithreading_enabled)
with A.set_multithreading_enabled(False):
    a = torch.ones(2, requires_grad=True); (a*2).sum().backward(); print(a.grad, A.is_multithreading_enabled())
A.set_multithreading_enabled(True)
@A.set_multithreading_enabled(False)
def f(): return A.is_multithreading_enabled()
print(f(), A.is_multithreading_enabled())
A.set_multithreading_enabled(False); print(A.is_multithreading_enabled(), f()); _ = A.set_multithreading_enabled(True)

# In [detach_ on what was saved]
def attempt(name, f):
    try: print(name, f())
    except Exception as e: print(name, type(e).__name__, e)
a = torch.ones(2, requires_grad=True)
b = a * 2
c = b.exp()
d = c.sin()
c.detach_()
print(c.requires_grad, c.grad_fn, c.is_leaf, c._version)
attempt('d', lambda: d.sum().backward())
print(a.grad)
b = a * 2
c = b * b
b.detach_()
attempt('c', lambda: c.sum().backward())
print(a.grad)
a = torch.ones(2, requires_grad=True)
a.detach_(); print(a.requires_grad, a)
x = torch.ones(3, requires_grad=True).clone()
v = x[:2]
attempt('view', lambda: v.detach_())
x.detach_(); print(x, v.requires_grad, v.grad_fn)
y = torch.ones(3, requires_grad=True) * 1
y.retain_grad(); y.register_hook(print); y.detach_(); print(y.retains_grad)
with torch.no_grad():
    z = y * 1
    z.detach_()

# In [draws on meta tensors]
def attempt(name, f):
    try: print(name, f())
    except Exception as e: print(name, type(e).__name__, e)
m = torch.ones(3, 4, device='meta')
attempt('multinomial', lambda: torch.multinomial(m, 2))
attempt('multinomial1', lambda: m.multinomial(7, replacement=True))
attempt('normal', lambda: torch.normal(m, m))
attempt('normal', lambda: torch.normal(m, 2.))
attempt('normal', lambda: torch.normal(2., m))
attempt('normal_', lambda: m.normal_())
attempt('uniform_', lambda: m.uniform_())
attempt('bernoulli', lambda: torch.bernoulli(m))
attempt('bernoulli_', lambda: m.bernoulli_(0.5))
attempt('poisson', lambda: torch.poisson(m))
attempt('exponential_', lambda: m.exponential_())
attempt('geometric_', lambda: m.geometric_(0.5))
attempt('log_normal_', lambda: m.log_normal_())
attempt('cauchy_', lambda: m.cauchy_())
attempt('random_', lambda: m.random_(3))
attempt('rand', lambda: torch.rand(3, device='meta'))
attempt('randn_like', lambda: torch.randn_like(m))
attempt('randint', lambda: torch.randint(3, (2,), device='meta'))
attempt('randperm', lambda: torch.randperm(3, device='meta'))
attempt('dropout', lambda: F.dropout(m))
attempt('rrelu', lambda: F.rrelu(m, training=True))
attempt('gumbel', lambda: F.gumbel_softmax(m))
attempt('trunc', lambda: nn.init.trunc_normal_(m))
attempt('kaiming', lambda: nn.init.kaiming_uniform_(m))
attempt('orth', lambda: nn.init.orthogonal_(m))
attempt('normal size', lambda: torch.normal(0., 1., (2, 3), device='meta'))
attempt('item', lambda: m.sum().item())
attempt('bool', lambda: bool(m.sum()))
attempt('tolist', lambda: m.tolist())
attempt('numpy', lambda: m.numpy())
attempt('print', lambda: print(m))
attempt('to', lambda: m.to('cpu'))
attempt('allclose', lambda: torch.allclose(m, m))

# In [arrays of parameters in no_grad]
w = torch.ones(2, requires_grad=True)
with torch.no_grad():
    print(w.numpy(), np.asarray(w), np.array(w * 2))
    w.numpy()[0] = 5
print(w)
with torch.inference_mode(): print(w.numpy())
try: np.array(w)
except RuntimeError as e: print(e)
w.numpy()
