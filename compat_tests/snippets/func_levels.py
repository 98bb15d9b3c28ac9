"""What is seen inside torch.func's transforms: printing, random numbers, refused writes."""

# In [wrappers of every level]
from torch.func import grad, vmap, vjp, jvp, jacrev, jacfwd, hessian
w = torch.ones(2, requires_grad=True)
c = torch.ones(2)
def f(x):
    print(x); print(c); print(w); print(w * 2); print(c * 2); print(torch.zeros(2)); print(x * w); print(x[0], x.detach(), x + c); return (x * w).sum()
grad(f)(w)
print('---- vmap'); vmap(f)(torch.ones(2, 2))
print('---- jvp'); jvp(f, (torch.ones(2),), (torch.ones(2),))
print('---- vjp')
_, g = vjp(lambda x: x * 2, torch.ones(2)); 
print('---- jacrev'); jacrev(lambda x: (print(x), x * 2)[1])(torch.ones(2))
print('---- jacfwd'); jacfwd(lambda x: (print(x), x * 2)[1])(torch.ones(2))
print('---- hessian'); hessian(lambda x: (print(x), (x * 2).sum())[1])(torch.ones(2))

# In [wrappers of mixed levels]
from torch.func import grad, vmap, vjp, jvp
def f(x, y):
    print(x); print(y); print(x * y); return (x * y).sum()
vmap(f, in_dims=(0, None))(torch.ones(2, 2), torch.ones(2))
vmap(f, in_dims=(1, 0))(torch.ones(2, 2), torch.ones(2, 2))
grad(f, argnums=1)(torch.ones(2), torch.ones(2))
vmap(grad(f), in_dims=(None, 0))(torch.ones(2), torch.ones(2, 2))
vmap(lambda x: (print(x), print(x[0]), print(x.sum()), print(x.int()), x)[-1])(torch.ones(2, 2))
with torch.no_grad(): grad(f)(torch.ones(2), torch.ones(2))
print(str(torch.ones(2)), repr(torch.ones(2)))
grad(lambda x: (print(f'{x}'), print(str(x)), x)[-1])(torch.tensor(2.))

# In [wrappers of nested levels]
from torch.func import grad, vmap, vjp, jvp, jacrev, hessian
def f(x):
    print(x); print(x * 2); return (x ** 2).sum()
grad(f)(torch.tensor([1., 2.]))
vmap(f)(torch.arange(4.).reshape(2, 2))
grad(lambda x: vmap(f)(x).sum())(torch.arange(4.).reshape(2, 2))
vmap(grad(f))(torch.arange(4.).reshape(2, 2))
jvp(f, (torch.ones(2),), (torch.ones(2),))
vmap(f, in_dims=1)(torch.arange(6.).reshape(2, 3))
def g(x):
    print(repr(x.grad_fn), x.requires_grad, x.is_leaf); return x.sum()
grad(g)(torch.ones(3))
grad(grad(lambda x: f(x).sin()))(torch.tensor(1.))
vmap(vmap(f))(torch.arange(8.).reshape(2, 2, 2))

# In [writes into what is not batched]
import warnings; warnings.simplefilter("ignore")
from torch.func import vmap
def attempt(name, f):
    try: print(name, f())
    except Exception as e: print(name, type(e).__name__, e)
y = torch.zeros(3)
def f(x):
    y.add_(x); return y
attempt('outer add_', lambda: vmap(f)(torch.ones(2, 3)))
def f(x):
    z = torch.zeros(3); z.add_(x); return z
attempt('inner add_', lambda: vmap(f)(torch.ones(2, 3)))
def f(x):
    z = torch.zeros(3); z.copy_(x); return z
attempt('inner copy_', lambda: vmap(f)(torch.ones(2, 3)))
def f(x):
    z = torch.zeros(3); z[0] = x; return z
attempt('inner setitem', lambda: vmap(f)(torch.ones(2)))
def f(x):
    z = torch.zeros(3); z[1:] += x; return z
attempt('inner slice +=', lambda: vmap(f)(torch.ones(2)))
def f(x):
    z = x.new_zeros(3); z[1:] += x; return z
attempt('new_zeros', lambda: vmap(f)(torch.ones(2)))
def f(x):
    z = torch.zeros_like(x); z += x; return z
attempt('zeros_like', lambda: vmap(f)(torch.ones(2)))
def f(x):
    z = torch.zeros(3); z.scatter_(0, torch.tensor([0]), x); return z
attempt('scatter_', lambda: vmap(f)(torch.ones(2, 1)))
def f(x):
    z = torch.zeros(3); z.mul_(x); return z
attempt('mul_', lambda: vmap(f)(torch.ones(2)))
def f(x):
    z = torch.zeros(3); z.index_add_(0, torch.tensor([0, 1, 2]), x); return z
attempt('index_add_', lambda: vmap(f)(torch.ones(2, 3)))
def f(x):
    z = torch.zeros(3); z.index_put_((torch.tensor(0),), x); return z
attempt('index_put_', lambda: vmap(f)(torch.ones(2)))
def f(x):
    z = torch.zeros(3); z.fill_(x); return z
attempt('fill_', lambda: vmap(f)(torch.ones(2)))
def f(x):
    z = torch.zeros(3); z.lerp_(x, 0.5); return z
attempt('lerp_', lambda: vmap(f)(torch.ones(2, 3)))
def f(x):
    z = torch.zeros(3); z.masked_fill_(x > 0, 1.); return z
attempt('masked_fill_', lambda: vmap(f)(torch.ones(2, 3)))
def f(x):
    z = torch.zeros(3); z.clamp_(x); return z
attempt('clamp_', lambda: vmap(f)(torch.ones(2, 3)))
def f(x):
    z = torch.ones(3); z.addcmul_(x, x); return z
attempt('addcmul_', lambda: vmap(f)(torch.ones(2, 3)))

# In [draws with batched parameters]
from torch.func import vmap
def attempt(name, f):
    try: print(name, f())
    except Exception as e: print(name, type(e).__name__, e)
p = torch.tensor([0.1, 0.5, 0.9, 1.0])
attempt('same', lambda: vmap(lambda p: torch.bernoulli(p), randomness='same')(p))
torch.manual_seed(0)
attempt('different', lambda: vmap(lambda p: torch.bernoulli(p), randomness='different')(p))
torch.manual_seed(0)
attempt('direct', lambda: torch.bernoulli(p))
attempt('error', lambda: vmap(lambda p: torch.bernoulli(p))(p))
torch.manual_seed(0)
attempt('x p', lambda: vmap(lambda x, p: x.bernoulli_(p), randomness='different')(torch.zeros(4, 3), p))
torch.manual_seed(0)
attempt('x unb p', lambda: vmap(lambda x: x.bernoulli_(0.3), randomness='different')(torch.zeros(4, 3)))
torch.manual_seed(0)
attempt('rows', lambda: vmap(lambda p: torch.bernoulli(p), randomness='different')(torch.full((3, 5), 0.4)))
torch.manual_seed(0)
attempt('normal', lambda: vmap(lambda p: torch.normal(p, 1.), randomness='different')(torch.full((3, 5), 0.4)))
torch.manual_seed(0)
attempt('multinomial', lambda: vmap(lambda p: torch.multinomial(p, 2), randomness='different')(torch.full((3, 5), 0.4)))
torch.manual_seed(0)
attempt('poisson', lambda: vmap(lambda p: torch.poisson(p), randomness='different')(torch.full((3, 5), 3.4)))
torch.manual_seed(0)
attempt('dropout', lambda: vmap(lambda p: F.dropout(p), randomness='different')(torch.ones((3, 5))))
torch.manual_seed(0)
attempt('dropout same', lambda: vmap(lambda p: F.dropout(p), randomness='same')(torch.ones((3, 5))))
torch.manual_seed(0)
attempt('rand_like', lambda: vmap(lambda p: torch.rand_like(p), randomness='different')(torch.ones((3, 5))))
torch.manual_seed(0)
attempt('randperm', lambda: vmap(lambda p: torch.randperm(4), randomness='different')(torch.ones((3, 5))))
torch.manual_seed(0)
attempt('randint', lambda: vmap(lambda p: torch.randint(0, 9, (2,)), randomness='different')(torch.ones((3, 5))))
torch.manual_seed(0)
attempt('exponential_', lambda: vmap(lambda p: torch.empty(2).exponential_(), randomness='different')(torch.ones((3, 5))))
torch.manual_seed(0)
attempt('randn', lambda: vmap(lambda p: torch.randn(2), randomness='same')(torch.ones((3, 5))))
