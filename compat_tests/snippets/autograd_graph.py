"""torch.utils.checkpoint and torch.autograd.graph."""

# In [checkpoint: contexts, determinism, early stop]
from torch.utils.checkpoint import checkpoint, checkpoint_sequential, set_checkpoint_early_stop, set_checkpoint_debug_enabled
import contextlib
import torch.autograd.graph as G
def attempt(name, f):
    try: print(name, f())
    except Exception as e: print(name, type(e).__name__, e)
x = torch.tensor([1., 2., 3.], requires_grad=True)
f = lambda a: a.sin() * a.exp()
for r in (True, False):
    x.grad = None
    checkpoint(f, x, use_reentrant=r).sum().backward(); print(r, x.grad)
attempt('ctx', lambda: checkpoint(f, x, use_reentrant=True, context_fn=lambda: (contextlib.nullcontext(), contextlib.nullcontext())))
attempt('kw', lambda: checkpoint(f, x, use_reentrant=True, foo=3))
attempt('bad det', lambda: checkpoint(f, x, use_reentrant=False, determinism_check='bla'))
calls = []
def named(tag):
    @contextlib.contextmanager
    def cm():
        calls.append(tag + ' in'); yield; calls.append(tag + ' out')
    return cm()
checkpoint(f, x, use_reentrant=False, context_fn=lambda: (named('forward'), named('recompute'))).sum().backward()
print(calls)
state = {'n': 0}
def changing(a):
    state['n'] += 1
    return a.sin() if state['n'] == 1 else (a[:2] * 2).sin()
attempt('changing', lambda: checkpoint(changing, x, use_reentrant=False).sum().backward())
state['n'] = 0
def fewer(a):
    state['n'] += 1
    return a.sin().exp() if state['n'] == 1 else a.sin()
attempt('fewer', lambda: checkpoint(fewer, x, use_reentrant=False).sum().backward())
state['n'] = 0
def more(a):
    state['n'] += 1
    return a.sin() if state['n'] == 1 else a.sin().exp().tanh()
attempt('more', lambda: checkpoint(more, x, use_reentrant=False).sum().backward())
state['n'] = 0
def run():
    with set_checkpoint_early_stop(False): return checkpoint(more, x, use_reentrant=False)
attempt('more nostop', lambda: run().sum().backward())
state['n'] = 0
steps = []
def said(a):
    steps.append('start'); b = a.sin(); c = b.exp(); steps.append('end'); return c
checkpoint(said, x, use_reentrant=False).sum().backward(); print(steps); steps.clear()
checkpoint(said, x, use_reentrant=False, early_stop=False).sum().backward(); print(steps); steps.clear()
with set_checkpoint_early_stop(False): out = checkpoint(said, x, use_reentrant=False)
out.sum().backward(); print(steps)

# In [checkpoint: streams, nesting, derivatives, chains]
from torch.utils.checkpoint import checkpoint, checkpoint_sequential, set_checkpoint_early_stop, set_checkpoint_debug_enabled
import contextlib
import torch.autograd.graph as G
def attempt(name, f):
    try: print(name, f())
    except Exception as e: print(name, type(e).__name__, e)
x = torch.tensor([1., 2., 3.], requires_grad=True)
f = lambda a: a.sin() * a.exp()
# rng
torch.manual_seed(0)
x.grad = None
d = nn.Dropout(.5)
o = checkpoint(d, x, use_reentrant=False); o.sum().backward(); print(o, x.grad)
# nested
x.grad = None
checkpoint(lambda a: checkpoint(f, a, use_reentrant=False).tanh(), x, use_reentrant=False).sum().backward(); print(x.grad)
# double backward
g, = torch.autograd.grad(checkpoint(f, x, use_reentrant=False).sum(), x, create_graph=True); print(torch.autograd.grad(g.sum(), x))
attempt('reentrant grad', lambda: torch.autograd.grad(checkpoint(f, x, use_reentrant=True).sum(), x))
out = checkpoint(f, x, use_reentrant=False)
out.sum().backward(retain_graph=True); out.sum().backward()
attempt('twice', lambda: out.sum().backward())
attempt('no grad in', lambda: checkpoint(f, x.detach(), use_reentrant=True))
attempt('no grad in', lambda: checkpoint(f, x.detach(), use_reentrant=False))
seq = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 1))
for r in (True, False):
    seq.zero_grad(); checkpoint_sequential(seq, 2, x, use_reentrant=r).sum().backward(); print(seq[0].weight.grad is not None)
attempt('seq kw', lambda: checkpoint_sequential(seq, 2, x, use_reentrant=False, foo=1))
attempt('none', lambda: checkpoint(f, x))
attempt('seq none', lambda: checkpoint_sequential(seq, 2, x))
attempt('tuple', lambda: checkpoint(lambda a, b, c=1: (a * b * c, 3, None), x, 2, c=4, use_reentrant=False))
attempt('tuple', lambda: checkpoint(lambda a, b: (a * b, 3, None), x, 2, use_reentrant=True))

# In [writes to what was saved]
import torch.autograd.graph as G
def attempt(name, f):
    try: print(name, f())
    except Exception as e: print(name, type(e).__name__, e)
w = torch.tensor([1., 2.], requires_grad=True)
with G.allow_mutation_on_saved_tensors() as ctx:
    a = w.clone(); out = (a ** 2).sum(); a.sin_(); out.backward(); print(w.grad)
    print(type(ctx).__name__)
w.grad = None
a = w.clone(); out = (a ** 2); 
def bad():
    with G.allow_mutation_on_saved_tensors():
        a = w.clone(); out = (a ** 2).sum(); a.sin_()
    out.backward()
attempt('outside', bad)
with G.allow_mutation_on_saved_tensors() as ctx:
    a = w.clone(); b = a[0]; out = (b * b) + a.exp().sum(); a.mul_(3); b.add_(1); 
    w.grad = None; out.backward(); print(w.grad); ctx.clear()
attempt('edge', lambda: G.get_gradient_edge(w.detach()))
e = G.get_gradient_edge(w * 2); print(e._fields, e.output_nr, e.node.name(), e.ownership_token)
t = torch.ones(2); G.increment_version(t); G.increment_version([t, t]); print(t._version)
with torch.inference_mode(): it = torch.ones(2)
attempt('inc inf', lambda: G.increment_version(it))

# In [hooks on several tensors]
import torch.autograd.graph as G
def attempt(name, f):
    try: print(name, f())
    except Exception as e: print(name, type(e).__name__, e)
w = torch.tensor([1., 2.], requires_grad=True)
seen = []
xs = [torch.ones(2, requires_grad=True) for _ in range(3)]
h = G.register_multi_grad_hook(xs, lambda gs: seen.append([None if g is None else g.tolist() for g in gs]))
(xs[0] * 2 + xs[1]).sum().backward(); print(seen); seen.clear()
(xs[0] * 2 + xs[1] + xs[2]).sum().backward(); print(seen); seen.clear(); h.remove()
(xs[0] * 2).sum().backward(); print(seen)
h = G.register_multi_grad_hook(xs, lambda g: seen.append(g.tolist()), mode='any')
(xs[0] * 2 + xs[1]).sum().backward(); print(seen); seen.clear()
(xs[1] * 5).sum().backward(); print(seen); seen.clear()
attempt('mode', lambda: G.register_multi_grad_hook(xs, lambda g: 0, mode='bla'))
attempt('nograd', lambda: G.register_multi_grad_hook([torch.ones(2)], lambda g: 0))

# In [hooks on nodes and saved tensors]
import torch.autograd.graph as G
def attempt(name, f):
    try: print(name, f())
    except Exception as e: print(name, type(e).__name__, e)
w = torch.tensor([1., 2.], requires_grad=True)
with G.disable_saved_tensors_hooks('no hooks here'):
    def use():
        with G.saved_tensors_hooks(lambda t: t, lambda t: t): return (w * w)
    attempt('disabled', use)
def both():
    with G.saved_tensors_hooks(lambda t: t, lambda t: t):
        with G.disable_saved_tensors_hooks('no hooks here'): pass
attempt('disabled2', both)
attempt('save_on_cpu', lambda: (lambda: [G.save_on_cpu().__enter__(), 1])() and None)
try: G.save_on_cpu().__exit__()
except Exception as e: print(type(e).__name__)
n = (w * 2).grad_fn
print(n.metadata, n._sequence_nr() >= 0, n.name(), n.next_functions[0][0].name())
attempt('topo', lambda: n._topological_nr() if hasattr(n, '_topological_nr') else 'x')
try:
    hh = n.register_prehook(lambda gs: (gs[0] * 10,)); hh2 = n.register_hook(lambda gi, go: print(gi, go))
    y = w * 2
    y.grad_fn.register_prehook(lambda gs: (gs[0] * 10,)); y.grad_fn.register_hook(lambda gi, go: print(gi, go)); w.grad = None; y.sum().backward(); print(w.grad)
except Exception as e: print(e)
p = torch.ones(2, requires_grad=True)
p.register_post_accumulate_grad_hook(lambda q: print('post', q.grad)); p.register_hook(lambda g: g * 2); (p * 3).sum().backward()
acc = G.get_gradient_edge(p).node; acc.register_prehook(lambda g: print('pre', g)); acc.register_hook(lambda gi, go: print('hook', gi, go)); (p * 3).sum().backward()
def pk(t): raise ValueError('pack')
def packing():
    with G.saved_tensors_hooks(pk, lambda t: t): return w * w
attempt('pack', packing)
def unpacking():
    with G.saved_tensors_hooks(lambda t: t, lambda t: 3): y = w * w
    y.sum().backward()
attempt('unpack', unpacking)
def modifying():
    with G.saved_tensors_hooks(lambda t: t.mul_(2), lambda t: t): y = w.clone() * w
    return y
attempt('modify', modifying)
h = (w * w).grad_fn._raw_saved_self; print(type(h).__name__)
attempt('reg', lambda: (h.register_hooks(lambda t: t * 2, lambda t: t)))
