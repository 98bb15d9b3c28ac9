"""torch.func: every argument, errors, nests."""

# In [batch norm under transforms]
from torch.func import *
torch.manual_seed(0)
def attempt(name, f):
    try: print(name, f())
    except Exception as e: print(name, type(e).__name__, e)
x = torch.arange(6.).view(2, 3)
bn = nn.BatchNorm1d(3)
attempt('bn vmap', lambda: vmap(bn)(torch.randn(4, 2, 3)))
attempt('bn grad', lambda: grad(lambda a: bn(a).sum())(x))
attempt('bn grad x', lambda: (grad(lambda a: bn(a).pow(2).sum())(torch.randn(4,3)), bn.num_batches_tracked, bn.running_mean))
attempt('bn vmap grad', lambda: vmap(grad(lambda a: bn(a).sum()))(torch.randn(4, 2, 3)))
attempt('bn jvp', lambda: jvp(bn, (x,), (x,))[1].shape)
bn.eval(); attempt('bn eval vmap', lambda: vmap(bn)(torch.randn(4, 2, 3)).shape)
bn2 = nn.BatchNorm1d(3, track_running_stats=False); attempt('bn notrack', lambda: vmap(bn2)(torch.randn(4, 2, 3)).shape)
params, bufs = dict(bn2.named_parameters()), {}
attempt('fcall bn', lambda: vmap(lambda p, a: functional_call(bn2, p, (a,)), (None, 0))(params, torch.randn(4, 2, 3)).shape)
bn3 = nn.BatchNorm1d(3)
attempt('fcall bn buffers', lambda: (lambda p, b: (functional_call(bn3, (p, b), (x,)).shape, b['num_batches_tracked']))(dict(bn3.named_parameters()), {k: v.clone() for k, v in bn3.named_buffers()}))
attempt('inorm', lambda: vmap(nn.InstanceNorm1d(3))(torch.randn(2, 2, 3, 4)).shape)

# In [what depends on elements, and writes]
from torch.func import *
torch.manual_seed(0)
def attempt(name, f):
    try: print(name, f())
    except Exception as e: print(name, type(e).__name__, e)
x = torch.arange(6.).view(2, 3)
attempt('item', lambda: vmap(lambda a: a.sum().item())(x))
attempt('if', lambda: vmap(lambda a: a if a.sum() > 0 else -a)(x))
attempt('item grad', lambda: grad(lambda a: a.sum() * a.sum().item())(x))
attempt('bool', lambda: vmap(lambda a: bool(a[0]))(x))
attempt('int', lambda: vmap(lambda a: a * int(a[0]))(x))
attempt('tolist', lambda: vmap(lambda a: a.tolist())(x))
attempt('numpy', lambda: vmap(lambda a: a.numpy())(x))
attempt('nonzero', lambda: vmap(lambda a: a.nonzero())(x))
attempt('mask', lambda: vmap(lambda a: a[a > 1])(x))
attempt('unique', lambda: vmap(lambda a: a.unique())(x))
attempt('masked_select', lambda: vmap(lambda a: a.masked_select(a > 1))(x))
attempt('inplace1', lambda: vmap(lambda a: a.add_(1))(x.clone()))
attempt('inplace4', lambda: vmap(lambda a: torch.zeros_like(a).add_(a))(x))
attempt('inplace grad', lambda: grad(lambda a: a.clone().mul_(a).sum())(x))
attempt('inplace arg grad', lambda: grad(lambda a: a.mul_(2).sum())(x.clone()))
cap = torch.ones(3)
attempt('captured grad', lambda: grad(lambda a: cap.mul_(a).sum())(torch.ones(3)))
attempt('captured', lambda: cap)
attempt('captured jvp', lambda: jvp(lambda a: cap.mul_(a).sum(), (torch.ones(3),), (torch.ones(3),)))
attempt('setitem', lambda: vmap(lambda a: a.__setitem__(0, 5) or a)(x.clone()))

# In [randomness]
from torch.func import *
torch.manual_seed(0)
def attempt(name, f):
    try: print(name, f())
    except Exception as e: print(name, type(e).__name__, e)
x = torch.arange(6.).view(2, 3)
attempt('rand err', lambda: vmap(lambda a: a + torch.rand(3))(x))
attempt('rand diff', lambda: (torch.manual_seed(1), vmap(lambda a: a * 0 + torch.rand(3), randomness='different')(x))[1])
attempt('rand same', lambda: (torch.manual_seed(1), vmap(lambda a: a * 0 + torch.rand(3), randomness='same')(x))[1])
attempt('randn diff', lambda: (torch.manual_seed(1), vmap(lambda a: torch.randn_like(a), randomness='different')(x))[1])
attempt('drop err', lambda: vmap(lambda a: F.dropout(a))(x))
attempt('drop same', lambda: (torch.manual_seed(1), vmap(lambda a: F.dropout(a), randomness='same')(torch.ones(2, 6)))[1])
attempt('drop diff', lambda: (torch.manual_seed(1), vmap(lambda a: F.dropout(a), randomness='different')(torch.ones(2, 6)))[1])
attempt('randperm', lambda: (torch.manual_seed(1), vmap(lambda a: a[torch.randperm(3)], randomness='different')(x))[1])

# In [chunks]
from torch.func import *
torch.manual_seed(0)
def attempt(name, f):
    try: print(name, f())
    except Exception as e: print(name, type(e).__name__, e)
x = torch.arange(6.).view(2, 3)
attempt('chunk', lambda: vmap(lambda a: a.sum(), chunk_size=1)(x))
attempt('chunk0', lambda: vmap(lambda a: a.sum(), chunk_size=0)(x))
attempt('chunk rand', lambda: (torch.manual_seed(1), vmap(lambda a: a * 0 + torch.rand(3), randomness='different', chunk_size=1)(x))[1])

# In [dims]
from torch.func import *
torch.manual_seed(0)
def attempt(name, f):
    try: print(name, f())
    except Exception as e: print(name, type(e).__name__, e)
x = torch.arange(6.).view(2, 3)
attempt('in_dims tree', lambda: vmap(lambda d, e: d['a'] + e[0], in_dims=({'a': 0}, (1,)))({'a': x}, (x.t(),)))
attempt('in_dims bad', lambda: vmap(lambda d, e: d, in_dims=(0,))(x, x))
attempt('in_dims list', lambda: vmap(lambda d: d, in_dims=[0])(x))
attempt('in_dims none', lambda: vmap(lambda d: d, in_dims=None)(x))
attempt('in neg', lambda: vmap(lambda d: d, in_dims=-1)(x))
attempt('in out of range', lambda: vmap(lambda d: d, in_dims=5)(x))
attempt('in nontensor', lambda: vmap(lambda d: d, in_dims=0)(3))
attempt('in str', lambda: vmap(lambda d: d, in_dims=('a',))(x))
attempt('no args', lambda: vmap(lambda: 1)())
attempt('sizes', lambda: vmap(lambda a, b: a)(x, x.t()))
attempt('out_dims', lambda: vmap(lambda a: (a, a), out_dims=(0, 1))(x))
attempt('out_dims tree', lambda: vmap(lambda a: {'k': a, 'j': (a,)}, out_dims={'k': 1, 'j': (0,)})(x))
attempt('out_dims bad', lambda: vmap(lambda a: (a, a), out_dims=(0,))(x))
attempt('out_dims bad2', lambda: vmap(lambda a: a, out_dims='a')(x))
attempt('out range', lambda: vmap(lambda a: a, out_dims=5)(x))
attempt('out none', lambda: vmap(lambda a: a, out_dims=None)(x))
attempt('out const', lambda: vmap(lambda a: torch.ones(2), out_dims=1)(x))
attempt('out nontensor', lambda: vmap(lambda a: 3)(x))
attempt('rand bad', lambda: vmap(lambda a: a, randomness='x'))

# In [grad and vjp and jvp: arguments]
from torch.func import *
torch.manual_seed(0)
def attempt(name, f):
    try: print(name, f())
    except Exception as e: print(name, type(e).__name__, e)
x = torch.arange(6.).view(2, 3)
attempt('grad nonscalar', lambda: grad(lambda a: a)(x))
attempt('grad nontensor', lambda: grad(lambda a: 3)(x))
attempt('grad input', lambda: grad(lambda a: a)(3))
attempt('grad argnums', lambda: grad(lambda a: a.sum(), argnums=2)(x))
attempt('grad argnums', lambda: grad(lambda a: a.sum(), argnums=(0, 0))(x))
attempt('grad argnums', lambda: grad(lambda a: a.sum(), argnums='a')(x))
attempt('grad aux', lambda: grad(lambda a: a.sum(), has_aux=True)(x))
attempt('grad aux', lambda: grad(lambda a: (a.sum(), {'o': a * 2}), has_aux=True)(x))
attempt('grad int', lambda: grad(lambda a: a.sum())(x.long()))
attempt('gv', lambda: grad_and_value(lambda a, b: (a * b).sum(), argnums=(0, 1))(x, x))
attempt('vjp aux', lambda: (lambda o, f, a: (o, f(torch.ones(2, 3)), a))(*vjp(lambda a: (a * a, a.sum()), x, has_aux=True)))
attempt('vjp tree', lambda: vjp(lambda a: {'o': a * 2}, x)[1]({'o': x}))
attempt('vjp bad', lambda: vjp(lambda a: {'o': a * 2}, x)[1](x))
attempt('vjp int', lambda: vjp(lambda a: a > 0, x))
attempt('jvp aux', lambda: jvp(lambda a: (a.sin(), a.sum()), (x,), (x,), has_aux=True))
attempt('jvp strict', lambda: jvp(lambda a: torch.ones(3), (x,), (x,), strict=True))
attempt('jvp nostrict', lambda: jvp(lambda a: torch.ones(3), (x,), (x,)))
attempt('jvp bad', lambda: jvp(torch.sin, x, x))
attempt('jvp bad2', lambda: jvp(torch.sin, (x,), (x, x)))
attempt('jvp bad3', lambda: jvp(torch.sin, (x,), (torch.ones(2),)))
attempt('jvp bad4', lambda: jvp(torch.sin, (), ()))
attempt('jvp bad5', lambda: jvp(torch.sin, (3,), (3,)))

# In [Jacobians]
from torch.func import *
torch.manual_seed(0)
def attempt(name, f):
    try: print(name, f())
    except Exception as e: print(name, type(e).__name__, e)
x = torch.arange(6.).view(2, 3)
attempt('jacrev', lambda: jacrev(lambda a, b: (a * b).sum(1), argnums=(0, 1), chunk_size=1)(x, x))
attempt('jacrev aux', lambda: jacrev(lambda a: (a.sum(1), a), has_aux=True)(x))
attempt('jacrev chunk0', lambda: jacrev(torch.sin, chunk_size=0))
attempt('jacfwd', lambda: jacfwd(lambda a, b: (a * b).sum(1), argnums=(0, 1))(x, x))
attempt('jacfwd aux', lambda: jacfwd(lambda a: (a.sum(1), a), has_aux=True)(x))
attempt('jacfwd rand', lambda: jacfwd(lambda a: a.sum() * torch.rand(()))(x))
attempt('jacfwd rand same', lambda: (torch.manual_seed(1), jacfwd(lambda a: a.sum() * torch.rand(()), randomness='same')(x))[1])
attempt('jacfwd rand diff', lambda: (torch.manual_seed(1), jacfwd(lambda a: a.sum() * torch.rand(()), randomness='different')(x))[1])
attempt('jacrev complex', lambda: jacrev(torch.sin)(x.to(torch.complex64)))

# In [Hessians, linearize, functionalize]
import warnings
warnings.filterwarnings("ignore", "Attempted to insert a get_attr")
from torch.func import *
torch.manual_seed(0)
def attempt(name, f):
    try: print(name, f())
    except Exception as e: print(name, type(e).__name__, e)
x = torch.arange(6.).view(2, 3)
attempt('hessian', lambda: hessian(lambda a, b: (a ** 2 * b).sum(), argnums=(0, 1))(torch.ones(2), torch.ones(2)))
attempt('linearize', lambda: (lambda o, f: (o, f(x), f(x * 2)))(*linearize(lambda a: a.sin() * a, x)))
attempt('linearize tree', lambda: (lambda o, f: (o, f({'a': torch.ones(2, 3)})))(*linearize(lambda d: d['a'] ** 2, {'a': x})))
attempt('linearize bad', lambda: linearize(torch.sin, x)[1](torch.ones(2)))
attempt('linearize bad', lambda: linearize(torch.sin, x)[1](x, x))
attempt('functionalize', lambda: functionalize(lambda a: a.clone().add_(1))(x))
attempt('functionalize bad', lambda: functionalize(lambda a: a, remove='x')(x))

# In [functional_call]
from torch.func import *
torch.manual_seed(0)
def attempt(name, f):
    try: print(name, f())
    except Exception as e: print(name, type(e).__name__, e)
x = torch.arange(6.).view(2, 3)
lin = nn.Linear(3, 2); p = dict(lin.named_parameters())
attempt('fc', lambda: functional_call(lin, p, x).shape)
attempt('fc tuple', lambda: functional_call(lin, ({'weight': p['weight']}, {'bias': p['bias']}), (x,)).shape)
attempt('fc dup', lambda: functional_call(lin, (p, p), (x,)))
attempt('fc strict', lambda: functional_call(lin, {'weight': p['weight']}, (x,), strict=True))
attempt('fc strict2', lambda: functional_call(lin, {**p, 'foo': torch.ones(1)}, (x,), strict=True))
attempt('fc unexpected', lambda: functional_call(lin, {'foo': torch.ones(1)}, (x,)).shape)
attempt('fc bad', lambda: functional_call(lin, 3, (x,)))
class Tied(nn.Module):
    def __init__(self):
        super().__init__(); self.a = nn.Linear(3, 3, bias=False); self.b = self.a
    def forward(self, x): return self.b(self.a(x))
tied = Tied()
attempt('tied', lambda: functional_call(tied, {'a.weight': torch.ones(3, 3)}, x))
attempt('untied', lambda: functional_call(tied, {'a.weight': torch.ones(3, 3)}, x, tie_weights=False).allclose(tied.b(x @ torch.ones(3, 3))))
attempt('tied2', lambda: functional_call(tied, {'a.weight': torch.ones(3, 3), 'b.weight': torch.zeros(3, 3)}, x))
models = [nn.Linear(3, 2) for _ in range(3)]
sp, sb = stack_module_state(models)
attempt('ens', lambda: vmap(lambda q, a: functional_call(models[0], q, (a,)), (0, None))(sp, x).shape)
attempt('stack', lambda: {k: (v.shape, v.requires_grad, v.is_leaf) for k, v in sp.items()})
attempt('stack []', lambda: stack_module_state([]))

# In [nests]
from torch.func import *
torch.manual_seed(0)
def attempt(name, f):
    try: print(name, f())
    except Exception as e: print(name, type(e).__name__, e)
x = torch.arange(6.).view(2, 3)
attempt('vmap vmap', lambda: vmap(vmap(lambda a, b: a * b, (0, None)), (0, 0))(x, torch.tensor([2., 3.])))
attempt('grad vmap grad', lambda: grad(lambda a: vmap(grad(lambda b: b.pow(3).sum()))(a).sum())(x))
attempt('vmap hess', lambda: vmap(hessian(lambda a: a.pow(3).sum()))(x))
attempt('jvp grad vmap', lambda: jvp(grad(lambda a: vmap(torch.sin)(a).sum()), (x,), (torch.ones(2, 3),)))
attempt('vmap jvp', lambda: vmap(lambda a, t: jvp(torch.sin, (a,), (t,)))(x, x))
attempt('vmap vjp', lambda: vmap(lambda a, t: vjp(torch.sin, a)[1](t))(x, x))
attempt('vjp vjp', lambda: vjp(lambda t: vjp(torch.sin, x)[1](t)[0], x)[1](x))
attempt('jacfwd jacrev', lambda: jacfwd(jacrev(lambda a: a.prod()))(x[0] + 1))
attempt('jacrev jacfwd', lambda: jacrev(jacfwd(lambda a: a.prod()))(x[0] + 1))
attempt('jacrev jacrev', lambda: jacrev(jacrev(lambda a: a.prod()))(x[0] + 1))
attempt('jacfwd jacfwd', lambda: jacfwd(jacfwd(lambda a: a.prod()))(x[0] + 1))
attempt('backward in grad', lambda: grad(lambda a: a.sum().backward())(x))

# In [many ops under vmap]
from torch.func import *
torch.manual_seed(0)
def attempt(name, f):
    try: print(name, f())
    except Exception as e: print(name, type(e).__name__, e)
x = torch.arange(6.).view(2, 3)
attempt('view', lambda: vmap(lambda a: a.view(3, 1).t().squeeze())(x))
attempt('print', lambda: vmap(lambda a: (print(a), a)[1])(x).shape)
attempt('requires_grad in', lambda: grad(lambda a: (a.requires_grad, a.grad_fn, a.sum())[2])(x).shape)
attempt('shape', lambda: vmap(lambda a: (print(a.shape, a.ndim, a.size(), a.stride(), a.is_contiguous()), a)[1])(x).shape)
attempt('embedding', lambda: vmap(lambda w, i: F.embedding(i, w))(torch.arange(12.).view(2, 3, 2), torch.tensor([[0, 1], [2, 2]])))
attempt('ce', lambda: vmap(grad(lambda l, t: F.cross_entropy(l[None], t[None])))(torch.arange(6.).view(2, 3), torch.tensor([0, 2])))
attempt('conv', lambda: vmap(lambda a, w: F.conv1d(a, w))(torch.arange(16.).view(2, 1, 2, 4), torch.ones(2, 3, 2, 2)))
attempt('sort', lambda: vmap(lambda a: a.sort(descending=True))(x))
attempt('where', lambda: vmap(lambda a: torch.where(a > 1, a, 0.))(x))
attempt('scatter', lambda: vmap(lambda a, i: torch.zeros(3).scatter(0, i, a))(x, torch.tensor([[0, 1, 2], [2, 1, 0]])))
attempt('cumsum', lambda: vmap(lambda a: a.cumsum(0))(x))
