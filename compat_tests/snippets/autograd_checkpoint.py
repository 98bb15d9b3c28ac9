"""Checkpoints: every argument, selective ones; derivatives of the third order."""

# In [checkpoint: arguments]
from torch.utils.checkpoint import checkpoint, checkpoint_sequential, set_checkpoint_early_stop, set_checkpoint_debug_enabled, CheckpointFunction, get_device_states, set_device_states, DefaultDeviceType
import contextlib
def attempt(name, f):
    try: print(name, f())
    except Exception as e: print(name, type(e).__name__, str(e)[:200])
x = torch.tensor([1., 2.], requires_grad=True)
f = lambda a, k=2: a.sin() * k
attempt('kwargs', lambda: checkpoint(f, x, k=3, use_reentrant=False))
attempt('kwargs r', lambda: checkpoint(f, x, k=3, use_reentrant=True))
attempt('noarg', lambda: checkpoint(f, x))
attempt('no grad in', lambda: checkpoint(f, torch.ones(2), use_reentrant=True))
attempt('no grad in', lambda: checkpoint(f, torch.ones(2), use_reentrant=False))
attempt('debug r', lambda: checkpoint(f, x, use_reentrant=True, debug=True))
attempt('det r', lambda: checkpoint(f, x, use_reentrant=True, determinism_check='none'))
attempt('preserve', lambda: checkpoint(lambda a: F.dropout(a), x, use_reentrant=False, preserve_rng_state=False).shape)
torch.manual_seed(0); y = checkpoint(lambda a: F.dropout(a) * a, x, use_reentrant=False); y.sum().backward(); print(y, x.grad)
x.grad = None; torch.manual_seed(0); y = checkpoint(lambda a: F.dropout(a) * a, x, use_reentrant=True); y.sum().backward(); print(y, x.grad)
def outs(a): return a * 2, 'text', None, [a]
attempt('outs', lambda: checkpoint(outs, x, use_reentrant=False))
attempt('outs r', lambda: checkpoint(lambda a: (a * 2, a * 3), x, use_reentrant=True))
attempt('grad r', lambda: torch.autograd.grad(checkpoint(f, x, use_reentrant=True).sum(), x))
attempt('inputs r', lambda: checkpoint(f, x, use_reentrant=True).sum().backward(inputs=[x]))
attempt('double', lambda: torch.autograd.grad(torch.autograd.grad(checkpoint(torch.sin, x, use_reentrant=False).sum(), x, create_graph=True)[0].sum(), x))
with torch.no_grad(): print(checkpoint(f, x, use_reentrant=False))
def fail(a): raise ValueError('inside')
attempt('raises', lambda: checkpoint(fail, x, use_reentrant=False))
n = {'c': 0}
def late(a):
    n['c'] += 1
    if n['c'] == 2: raise ValueError('second')
    return a.sin().cos()
y = checkpoint(late, x, use_reentrant=False); attempt('late', lambda: y.sum().backward())
seq = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1), nn.Sigmoid())
for r in (True, False):
    for s in (1, 2, 4): print(s, torch.equal(checkpoint_sequential(seq, s, x, use_reentrant=r), seq(x)))
attempt('seq kw', lambda: checkpoint_sequential(seq, 2, x, use_reentrant=False, foo=1))
attempt('seq pres', lambda: checkpoint_sequential(seq, 2, x, use_reentrant=False, preserve_rng_state=False).shape)
attempt('retain', lambda: (lambda y: (y.sum().backward(retain_graph=True), y.sum().backward()))(checkpoint(torch.exp, x, use_reentrant=False)))
attempt('twice', lambda: (lambda y: (y.sum().backward(), y.sum().backward()))(checkpoint(torch.exp, x, use_reentrant=False)))
print(DefaultDeviceType.get_device_type())

attempt('amp', lambda: torch.autograd.grad(checkpoint(lambda a: (a.view(1, 2) @ a.view(2, 1)), x, use_reentrant=False).sum(), x))

# In [checkpoint: selective]
from torch.utils.checkpoint import checkpoint, create_selective_checkpoint_contexts, CheckpointPolicy
import functools
def attempt(name, f):
    try: print(name, f())
    except Exception as e: print(name, type(e).__name__, e)
print(list(CheckpointPolicy))
x = torch.randn(3, 3, requires_grad=True); y = torch.randn(3, 3, requires_grad=True)
def fn(x, y):
    return torch.sigmoid(torch.matmul(torch.matmul(x, y), y)) * y
seen = []
def policy(ctx, op, *args, **kwargs):
    seen.append((ctx.is_recompute, str(op)))
    return CheckpointPolicy.MUST_SAVE if op == torch.ops.aten.mm.default else CheckpointPolicy.PREFER_RECOMPUTE
context_fn = functools.partial(create_selective_checkpoint_contexts, policy)
out = checkpoint(fn, x, y, use_reentrant=False, context_fn=context_fn)
out.sum().backward()
want = torch.autograd.grad(fn(x, y).sum(), (x, y))
print(torch.allclose(x.grad, want[0]), torch.allclose(y.grad, want[1]))
for s in seen: print(s)
context_fn = functools.partial(create_selective_checkpoint_contexts, [torch.ops.aten.mm.default])
out = checkpoint(fn, x, y, use_reentrant=False, context_fn=context_fn)
out.sum().backward(retain_graph=True)
attempt('again', lambda: out.sum().backward())
attempt('bad', lambda: create_selective_checkpoint_contexts(3))
attempt('bad', lambda: create_selective_checkpoint_contexts([3]))
attempt('bad', lambda: create_selective_checkpoint_contexts([torch.ops.aten.mm]))

# In [triple backward]
x = torch.tensor([0.3, 0.7], dtype=torch.float64, requires_grad=True)
def nth(f, n):
    y = f(x).sum()
    for _ in range(n): y = torch.autograd.grad(y, x, create_graph=True)[0].sum()
    return y
for name, f in dict(sin=torch.sin, exp=torch.exp, tanh=torch.tanh, sigmoid=torch.sigmoid, log=torch.log, pow=lambda a: a ** 4, div=lambda a: 1 / a, sqrt=torch.sqrt, softmax=lambda a: a.softmax(0) ** 2, logsumexp=lambda a: a.logsumexp(0), norm=lambda a: a.norm(), prod=lambda a: a.prod(), cumsum=lambda a: a.cumsum(0) ** 3, cumprod=lambda a: a.cumprod(0), var=lambda a: a.var() ** 2, matmul=lambda a: (a.view(1, 2) @ a.view(2, 1)) ** 2, mse=lambda a: F.mse_loss(a, a ** 2), gelu=F.gelu, silu=F.silu, softplus=F.softplus, elu=F.elu, mish=F.mish, layernorm=lambda a: F.layer_norm(a, (2,)) ** 3, erf=torch.erf, atan2=lambda a: torch.atan2(a, a + 1), det=lambda a: torch.linalg.det(torch.diag(a)), inv=lambda a: torch.linalg.inv(torch.diag(a) + 0.1), conv=lambda a: F.conv1d(a.view(1, 1, 2), a.view(1, 1, 2)) ** 2, logsm=lambda a: a.log_softmax(0) ** 2, bce=lambda a: F.binary_cross_entropy(a, a ** 2), addcmul=lambda a: torch.addcmul(a, a, a * a), lerp=lambda a: torch.lerp(a, a * a, a), where=lambda a: torch.where(a > 0.5, a ** 3, a ** 4), index=lambda a: a[[0, 0, 1]] ** 4, gather=lambda a: a.gather(0, torch.tensor([1, 1])) ** 4, sort=lambda a: a.sort()[0] ** 4, max=lambda a: a.max() ** 4, trig=lambda a: torch.sin(a) * torch.cos(a), lgamma=torch.lgamma, digamma=torch.digamma, asin=torch.asin, logit=torch.logit, hypot=lambda a: torch.hypot(a, a * a), rsqrt=torch.rsqrt, expm1=torch.expm1, cosh=torch.cosh, xlogy=lambda a: torch.xlogy(a, a)).items():
    try: print(name, *[round(nth(f, n).item(), 6) for n in range(4)])
    except Exception as e: print(name, type(e).__name__, str(e)[:150])

# In [checkpoint: selective, results that nodes save]
from torch.utils.checkpoint import checkpoint, create_selective_checkpoint_contexts, CheckpointPolicy
import functools
A = torch.ops.aten
x = torch.tensor([0.1, 0.5, 0.9], requires_grad=True)
f = lambda a: (a.exp().sigmoid() * a).softmax(0).pow(2).sum()
want, = torch.autograd.grad(f(x), x)
for ops in ([A.exp.default], [A.sigmoid.default, A._softmax.default], [A.mul.Tensor, A.pow.Tensor_Scalar, A.sum.default], []):
    y = checkpoint(f, x, use_reentrant=False, context_fn=functools.partial(create_selective_checkpoint_contexts, ops))
    print(torch.allclose(torch.autograd.grad(y, x)[0], want))
for policy in CheckpointPolicy:
    if 'OFFLOAD' not in policy.name:
        y = checkpoint(f, x, use_reentrant=False, context_fn=lambda: create_selective_checkpoint_contexts(lambda ctx, op, *a, **k: policy))
        print(policy, torch.allclose(torch.autograd.grad(y, x)[0], want))
print(A.mm, A.mm.default, A.add.Tensor == torch.ops.aten.add.Tensor, A.mm.default(torch.eye(2), torch.ones(2, 2)), A.add.Tensor.name(), A.mm.default.name())
try: torch.ops.aten.no_such_op
except AttributeError as e: print(e)

# In [names of the ops that a policy sees]
import torch
import torch.nn.functional as F
from torch.utils.checkpoint import create_selective_checkpoint_contexts
seen = []
def policy(ctx, op, *args, **kwargs):
    seen.append((str(op), tuple(ctx.op_output.shape)))
    return False
x, y, i, k = torch.rand(3, 3), torch.rand(3, 3), torch.zeros(3, 3, dtype=torch.long), torch.tensor([0, 2])
first, again = create_selective_checkpoint_contexts(policy)
with first:
    x + 1, 1 - x, x * y, x / 2, x // 2, x % 2, x % y, torch.fmod(x, 2), torch.fmod(x, y)
    x ** 2, x ** y, 2 ** x, x == 1, x > y, i & 1, i & i, i ^ 1, ~i
    x.sum(), x.sum(0), x.mean(1), x.prod(0), x.max(), x.amax(0), x.std(), x.var(0), x.any(0), x.median()
    x.clamp(0), x.clamp_min(0), torch.lerp(x, y, 0.5), torch.xlogy(x, y), torch.where(x > 0, x, y)
    x[k], x.gather(0, i), x.scatter(0, i, y), torch.cat([x, y]), torch.cdist(x, y), F.embedding(k, x)
len(seen)
seen
