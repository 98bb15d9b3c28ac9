"""Edges, hooks on nodes and on saved tensors, versions."""

# In [gradient edges]
import torch.autograd.graph as G
def attempt(name, f):
    try: print(name, f())
    except Exception as e: print(name, type(e).__name__, e)
a = torch.tensor([1., 2.], requires_grad=True)
b = a * 3
e = G.get_gradient_edge(b)
print(type(e), e.node, e.output_nr, e._fields, isinstance(e.node, G.Node), isinstance(G.get_gradient_edge(a).node, G.Node))
ea = G.get_gradient_edge(a); print(ea.node.name(), ea.output_nr, ea.ownership_token)
print(torch.autograd.grad(e, a, grad_outputs=torch.ones(2)))
print(torch.autograd.grad(b.sum(), ea))
print(torch.autograd.grad((a * a).sum(), [ea, a]))
attempt('nograd', lambda: G.get_gradient_edge(torch.ones(2)))
attempt('str', lambda: G.get_gradient_edge('x'))
c, d = (a * 2).unbind(); print(G.get_gradient_edge(d).output_nr)
torch.autograd.backward(G.get_gradient_edge((a * 2).sum()), torch.tensor(2.)); print(a.grad)
a.grad = None
(a * 2).sum().backward(inputs=[ea]); print(a.grad)
class F2(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x): return x * 2
    @staticmethod
    def backward(ctx, g): return g * 2
y = F2.apply(a); print(isinstance(y.grad_fn, G.Node), issubclass(type(y.grad_fn), G.Node), type(y.grad_fn).__mro__[1].__name__)
attempt('ret', lambda: torch.autograd.grad(e, e))
attempt('mat', lambda: torch.autograd.grad(b.sum(), G.get_gradient_edge(torch.ones(1, requires_grad=True)), materialize_grads=True))

# In [node hooks]
def attempt(name, f):
    try: print(name, f())
    except Exception as e: print(name, type(e).__name__, e)
a = torch.tensor([1., 2.], requires_grad=True)
def build():
    b = a * 3; c = b + 1; return b, c
b, c = build()
h = b.grad_fn.register_prehook(lambda g: print('pre', g))
b.grad_fn.register_hook(lambda gi, go: print('post', gi, go))
c.sum().backward(); print(a.grad); h.remove()
b, c = build(); b.grad_fn.register_prehook(lambda g: (g[0] * 10,)); a.grad = None; c.sum().backward(); print(a.grad)
b, c = build(); b.grad_fn.register_hook(lambda gi, go: (gi[0] * 10, None)); a.grad = None; c.sum().backward(); print(a.grad)
b, c = build(); b.grad_fn.register_prehook(lambda g: g[0]); attempt('not tuple', lambda: c.sum().backward())
b, c = build(); b.grad_fn.register_prehook(lambda g: (g[0], g[0])); attempt('too many', lambda: c.sum().backward())
b, c = build(); b.grad_fn.register_prehook(lambda g: (1,)); attempt('not tensor', lambda: c.sum().backward())
b, c = build(); b.grad_fn.register_hook(lambda gi, go: (gi[0],)); attempt('too few', lambda: c.sum().backward())
b, c = build(); b.grad_fn.register_hook(lambda gi, go: gi[0]); attempt('bare', lambda: c.sum().backward())
b, c = build(); b.register_hook(lambda g: g.sum()); attempt('shape', lambda: c.sum().backward())
b, c = build(); b.register_hook(lambda g: 3); attempt('kind', lambda: c.sum().backward())
b, c = build(); b.register_hook(lambda g: g.double()); attempt('dtype', lambda: c.sum().backward())
attempt('call', lambda: b.grad_fn(torch.ones(2)))

acc = b.grad_fn.next_functions[0][0]
acc.register_prehook(lambda g: print('acc pre', g)); acc.register_hook(lambda gi, go: print('acc post', gi, go))
a.grad = None; (a * 2).sum().backward(); print(a.grad)
order = []
x = torch.ones(1, requires_grad=True); y = x * 2
y.register_hook(lambda g: order.append('t1')); y.grad_fn.register_prehook(lambda g: order.append('pre')); y.register_hook(lambda g: order.append('t2'))
y.retain_grad(); y.grad_fn.register_hook(lambda a, b: order.append('post')); x.register_hook(lambda g: order.append('leaf')); x.register_post_accumulate_grad_hook(lambda p: order.append('acc'))
y.backward(); print(order, y.grad)
print(y.grad_fn.metadata, y.grad_fn._sequence_nr() >= 0)
torch.autograd.grad((x * 2).sum(), x); print(order)

# In [multi grad hooks]
from torch.autograd.graph import register_multi_grad_hook
def attempt(name, f):
    try: print(name, f())
    except Exception as e: print(name, type(e).__name__, e)
a = torch.ones(2, requires_grad=True); b = torch.ones(2, requires_grad=True); c = a * b; d = (a * 2)
h = register_multi_grad_hook((a, b, c, d), lambda gs: print('all', gs))
c.sum().backward(retain_graph=True)
(c.sum() + d.sum()).backward(retain_graph=True)
h.remove(); c.sum().backward(retain_graph=True)
h = register_multi_grad_hook((a, b, c), lambda g: print('any', g), mode='any')
c.sum().backward(retain_graph=True); c.sum().backward(retain_graph=True); h.remove()
attempt('mode', lambda: register_multi_grad_hook((a,), print, mode='x'))
attempt('none', lambda: register_multi_grad_hook((torch.ones(1),), print))

# In [saved hooks]
import torch.autograd.graph as G
def attempt(name, f):
    try: print(name, f())
    except Exception as e: print(name, type(e).__name__, e)
log = []
def pack(tag): return lambda t: (log.append(f'pack {tag} {tuple(t.shape)}'), t)[1]
def unpack(tag): return lambda t: (log.append(f'unpack {tag}'), t)[1]
a = torch.ones(2, requires_grad=True)
with G.saved_tensors_hooks(pack('A'), unpack('A')):
    y = a.exp()
    with G.saved_tensors_hooks(pack('B'), unpack('B')): z = (y * a).sin()
    w = z * z
w.sum().backward(); print(log, a.grad)
log.clear()
with G.save_on_cpu(): y = (a * a).exp()
y.sum().backward(); print(a.grad)
with G.save_on_cpu(pin_memory=False): y = a * a
print(y.grad_fn._saved_self)
with G.saved_tensors_hooks(lambda t: t.numpy().copy(), lambda x: torch.from_numpy(x) * 2):
    attempt('numpy', lambda: (a.detach().requires_grad_() * 2).exp())
    q = torch.tensor([1., 2.], requires_grad=True); r = q.detach().requires_grad_(); s = (r ** 3)
    attempt('packed', lambda: s.sum().backward())
print(log)
with G.saved_tensors_hooks(lambda t: t, lambda t: 3): y = a.exp()
attempt('bad unpack', lambda: y.sum().backward())
with G.saved_tensors_hooks(lambda t: t.mul_(2), lambda t: t): attempt('inplace', lambda: (a * 1).exp())
with G.disable_saved_tensors_hooks('no hooks here'):
    def f():
        with G.saved_tensors_hooks(lambda t: t, lambda t: t): pass
    attempt('disabled', f)
    def f():
        with G.save_on_cpu(): pass
    attempt('disabled', f)
y = a.exp(); y.grad_fn._raw_saved_result.register_hooks(lambda t: t * 2, lambda t: t); print(torch.autograd.grad(y.sum(), a))
y = a.exp(); s = y.grad_fn._raw_saved_result; s.register_hooks(lambda t: t, lambda t: t); attempt('twice', lambda: s.register_hooks(lambda t: t, lambda t: t))
y.sum().backward(); attempt('freed', lambda: y.grad_fn._raw_saved_result.register_hooks(lambda t: t, lambda t: t)); attempt('freed', lambda: y.grad_fn._saved_result)
with G.saved_tensors_hooks(lambda t: t, lambda t: t):
    class F2(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x): ctx.save_for_backward(x, x * 2); return x * 3
        @staticmethod
        def backward(ctx, g): print(ctx.saved_tensors); return g
    F2.apply(a).sum().backward()
@G.saved_tensors_hooks(lambda t: t, lambda t: t)
def g(): return 1

# In [mutation and versions]
import torch.autograd.graph as G
def attempt(name, f):
    try: print(name, f())
    except Exception as e: print(name, type(e).__name__, e)
a = torch.ones(2, 3, requires_grad=True)
with G.allow_mutation_on_saved_tensors():
    b = a.clone(); out = (b ** 2).sum(); b.sin_(); print(b.sum() > 0); out.backward(); print(a.grad)
    b = a.clone(); v = b[0]; o = (v * v).sum() + (b * b).sum(); b.zero_(); a.grad = None; o.backward(); print(a.grad)
with G.allow_mutation_on_saved_tensors() as ctx:
    b = a.clone(); o = (b ** 2).sum(); b.zero_(); ctx.clear(); attempt('cleared', lambda: o.backward())
with G.allow_mutation_on_saved_tensors():
    b = a.clone(); o = (b ** 2).sum()
attempt('outside', lambda: o.backward())
def nested():
    with G.allow_mutation_on_saved_tensors():
        with G.allow_mutation_on_saved_tensors(): pass
attempt('nested', nested)
t = torch.ones(2); print(t._version); G.increment_version(t); print(t._version); G.increment_version([t, t]); print(t._version)
attempt('inc', lambda: G.increment_version(3)); attempt('inc', lambda: G.increment_version([3]))
x = torch.ones(2, requires_grad=True); y = x * 2; z = y * y; G.increment_version(y); attempt('mod', lambda: z.sum().backward())
with torch.inference_mode(): i = torch.ones(2)
attempt('inf version', lambda: i._version)
with torch.autograd._unsafe_preserve_version_counter(t): t.add_(1)
print(t._version)
