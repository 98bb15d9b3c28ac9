"""Writes that PyTorch refuses or names: overlapping memory, views of views, saved tensors."""


# In [partial overlap]
def attempt(name, f):
    try: print(name, f())
    except Exception as e: print(name, type(e).__name__, e)
x = torch.arange(6.)
attempt('copy', lambda: x[1:].copy_(x[:-1]))
attempt('add', lambda: x[1:].add_(x[:-1]))
attempt('mul', lambda: x[1:].mul_(x[:-1]))
attempt('add same', lambda: x[1:].add_(x[1:]))
attempt('apart', lambda: x[3:].add_(x[:3]))
attempt('bad shape', lambda: x[1:].add_(x[:2]))
attempt('strided', lambda: x[::2].add_(x[1::2]))
m = torch.arange(9.).view(3, 3)
attempt('t', lambda: m.add_(m.t()))
attempt('tcopy', lambda: m.copy_(m.t()))
attempt('row', lambda: m.add_(m[0]))
attempt('elem', lambda: m.mul_(m[0, 0]))
attempt('set', lambda: x.__setitem__(slice(1, None), x[:-1]))
attempt('where', lambda: x[1:].masked_fill_(x[:-1] > 1, 0.))
attempt('lerp', lambda: x[1:].lerp_(x[:-1], 0.5))
attempt('addcmul', lambda: x[1:].addcmul_(x[:-1], x[1:]))
attempt('clamp', lambda: x[1:].clamp_(x[:-1]))
attempt('expanded', lambda: torch.zeros(1).expand(3).add_(1))
attempt('expanded leaf', lambda: torch.zeros(1, requires_grad=True).expand(3).add_(1))
attempt('fill expanded', lambda: torch.zeros(1).expand(3).fill_(1))
attempt('zero expanded', lambda: torch.zeros(1).expand(3).zero_())
attempt('pow', lambda: x[1:].pow_(x[:-1]))
attempt('eq', lambda: x[1:].eq_(x[:-1]))
attempt('index_add', lambda: x[1:].index_add_(0, torch.tensor([0, 1]), x[:2]))
attempt('scatter', lambda: x[1:].scatter_(0, torch.tensor([0, 1]), x[:2]))

# In [views of views in no_grad]
def attempt(name, f):
    try: print(name, f())
    except Exception as e: print(name, type(e).__name__, e)
def base(): return torch.ones(2, 3, requires_grad=True) * 1
b = base()
with torch.no_grad(): v = b[0]
attempt('v', lambda: v.add_(1))
w = v[:2]
attempt('w', lambda: w.add_(1))
with torch.no_grad(): w2 = v[:2]
attempt('w2', lambda: w2.add_(1))
u = b.unbind(0)[0]
attempt('u', lambda: u.mul_(2))
attempt('u0', lambda: u[0].mul_(2))
attempt('uv', lambda: u.view(-1).mul_(2))
with torch.no_grad(): s = b.split(1)[0]
attempt('s', lambda: s.mul_(2))
attempt('ss', lambda: s[0].mul_(2))
with torch.inference_mode(): i = torch.ones(2)
t = b.split(1)[0]
attempt('t_', lambda: t.t_())
attempt('t3', lambda: torch.ones(2, 2, 2).t_())
attempt('idx', lambda: torch.ones(2, 2, 2)[..., 2])
attempt('idx', lambda: torch.ones(1, 2, 2).__setitem__((..., 2), 1.))
attempt('idx', lambda: torch.ones(2).__setitem__((..., 2), 1.))
attempt('idx', lambda: torch.ones(2, 4)[:, 5])

# In [modified texts]
def attempt(name, f):
    try: print(name, f())
    except Exception as e: print(name, type(e).__name__, e)
def base(): return torch.ones(2, 3, requires_grad=True) * 1
b = base(); y = b * b; b[0] = 2.; attempt('copyslices', lambda: y.sum().backward())
b = base(); y = b * b; b[0].add_(1); attempt('copyslices2', lambda: y.sum().backward())
b = base(); y = b * b; b.copy_(torch.zeros(2, 3)); attempt('copy', lambda: y.sum().backward())
b = base(); y = b * b; b.zero_(); attempt('zero', lambda: y.sum().backward())
b = base(); v = b[0]; y = v * v; b.add_(1); attempt('view', lambda: y.sum().backward())
b = base(); v = b[0]; y = v * v; v.add_(1); attempt('view2', lambda: y.sum().backward())
a = torch.ones(2, 3); c = torch.ones(2, 3, requires_grad=True); y = a * c; a.copy_(c); attempt('leaf', lambda: y.sum().backward())
a = torch.ones(2, 3); y = a * c; a.add_(c); attempt('leaf', lambda: y.sum().backward())
a = torch.ones(2, 3); y = a * c; a.add_(1); attempt('leaf', lambda: y.sum().backward())
b = base(); y = b.exp(); y.add_(1); attempt('out', lambda: y.sum().backward())
b = base(); y = b.exp(); y[0] = 1; attempt('out', lambda: y.sum().backward())
b = base(); d = b.detach(); y = b * b; d.add_(1); attempt('detach', lambda: y.sum().backward())
b = base(); d = b.t(); y = d * 2 * d; b.add_(1); attempt('t', lambda: y.sum().backward())
r = torch.ones(3) @ torch.ones(3, 2); print(r._version, torch.ones(2, 3).mean(1)._version)

# In [views made in no_grad ask their base]
w = torch.ones(2, 3, requires_grad=True)
with torch.no_grad():
    v = w[0]; print(v.requires_grad, v)
print(v.requires_grad, v.is_leaf, v)
(v * 2).sum().backward(); print(w.grad)
p = w * 2
with torch.no_grad():
    v = p[0]; print(v.requires_grad, p.detach()[0].requires_grad)
print(v, (v * 2).requires_grad)
q = torch.zeros(2, 3)
with torch.no_grad(): u = q[0]
q.mul_(w); print(u.requires_grad, q.requires_grad)
