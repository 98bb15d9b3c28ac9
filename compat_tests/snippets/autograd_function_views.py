# torch.autograd.Function: its arguments, views it returns, writes, vmap's rule; what transforms refuse.

# In [views that a Function returns]
from torch.autograd import Function
def attempt(n, f):
    try: print(n, f())
    except Exception as e: print(n, type(e).__name__, e)
class Same(Function):
    @staticmethod
    def forward(ctx, x): return x
    @staticmethod
    def backward(ctx, a): return a * 3
class Two(Function):
    @staticmethod
    def forward(ctx, x): return x.view(1, 2), x.view(2, 1)
    @staticmethod
    def backward(ctx, a, b): return (a + b.view(1, 2)).view(2)
class Part(Function):
    @staticmethod
    def forward(ctx, x): return x[1:]
    @staticmethod
    def backward(ctx, a): return torch.cat([a * 0, a * 3])
class Beside(Function):
    @staticmethod
    def forward(ctx, x): return x, x * 2
    @staticmethod
    def backward(ctx, a, b): return a * 3 + b
class Own(Function):
    @staticmethod
    def forward(ctx, x): return (x * 2).view(-1)
    @staticmethod
    def backward(ctx, g): return g * 2
x = torch.ones(2, requires_grad=True)
for F in (Same, Two, Part, Beside, Own):
    for leaf in (True, False):
        for mode in (torch.enable_grad(), torch.no_grad()):
            b = x if leaf else x * 1
            with mode: y = F.apply(b)
            y = y[0] if isinstance(y, tuple) else y
            print(F.__name__, leaf, y, y.requires_grad, y.is_leaf, y._base is b, y._version)
            attempt('add_', lambda: y.add_(1))
            with torch.no_grad(): attempt('add_ no_grad', lambda: y.add_(1))
            print(b, b._version, y._version)
            attempt('view', lambda: y.view(-1)[:1].mul_(2))
            x.grad = None
            attempt('bw', lambda: (y.sum().backward(), x.grad))
            with torch.no_grad(): x.fill_(1)
t = torch.ones(2)
y = Same.apply(t); print(y is t, y._base is t, y.requires_grad, y.add_(1), t)
y = Part.apply(t); print(y._base is t, y.add_(1), t)

# In [inputs that a Function writes to]
from torch.autograd import Function
def attempt(n, f):
    try: print(n, f())
    except Exception as e: print(n, type(e).__name__, e)
class Twice(Function):
    @staticmethod
    def forward(ctx, x): ctx.mark_dirty(x); x.mul_(2); return x
    @staticmethod
    def backward(ctx, g): return g * 2
class Lost(Function):
    @staticmethod
    def forward(ctx, x): ctx.mark_dirty(x); return x.mul(2)
    @staticmethod
    def backward(ctx, g): return g * 2
x = torch.ones(2, requires_grad=True)
y = x * 1; v = y[:1]; r = Twice.apply(v); print(r is v, v, y, v._version, v._base is y)
y.sum().backward(); print(x.grad)
y = x * 1; z = y * y; r = Twice.apply(y); print(r is y, y)
attempt('saved', lambda: z.sum().backward())
attempt('view of a leaf', lambda: Twice.apply(x[:1]))
attempt('leaf', lambda: Twice.apply(x))
attempt('lost', lambda: Lost.apply(x * 1))
attempt('lost plain', lambda: Lost.apply(torch.ones(2)))
attempt('plain', lambda: Twice.apply(torch.ones(2)))

# In [what pack hooks see]
def pack(t):
    print('pack', t, t is w, isinstance(t, nn.Parameter), t.is_leaf, t.grad_fn and t.grad_fn.name())
    return t
def unpack(t):
    print('unpack', t)
    return t
w = nn.Parameter(torch.ones(2))
with torch.autograd.graph.saved_tensors_hooks(pack, unpack):
    y = w * w
    z = y.exp()[0] * y.sum()
z.backward(); print(w.grad)
with torch.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t):
    y = w * 1; z = y.sin()
with torch.no_grad(): y.add_(3)
w.grad = None; z.sum().backward(); print(w.grad)
def packed(n, f):
    l, u = [], []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: (l.append(tuple(t.shape)), t)[1], lambda t: (u.append(tuple(t.shape)), t)[1]): y = f()
    (y if isinstance(y, torch.Tensor) else y[0]).sum().backward(); print(n, l, u)
r = lambda *s: torch.ones(*s, requires_grad=True)
packed('mul', lambda: r(2, 1) * r(1, 3)); packed('div', lambda: r(2, 1) / r(1, 3)); packed('mm', lambda: r(2, 4) @ r(4, 3))
packed('linear', lambda: F.linear(r(2, 4), r(3, 4), r(3))); packed('conv', lambda: F.conv2d(r(1, 2, 4, 4), r(3, 2, 2, 2), r(3)))
packed('pow', lambda: r(2, 1) ** r(1, 3)); packed('gather', lambda: r(2, 3).gather(1, torch.zeros(2, 1).long())); packed('max', lambda: r(2, 3).max(1))
y = nn.LSTM(2, 3)(r(4, 1, 2))[0].grad_fn
while 'Rnn' not in y.name(): y = y.next_functions[0][0]
print(y.name(), y._saved_mode, y._saved_reverse, y._saved_input.shape)
y = w.exp(); print([n for n in dir(y.grad_fn) if 'saved_r' in n], type(y.grad_fn))

# In [vmap over a Function]
from torch.autograd import Function
from torch.func import grad, jvp, vmap
def attempt(n, f):
    try: print(n, f())
    except Exception as e: print(n, type(e).__name__, e)
class Mul(Function):
    @staticmethod
    def forward(x, y): return torch.tensor(x.detach().numpy() * y.detach().numpy())
    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs); ctx.save_for_forward(*inputs)
    @staticmethod
    def backward(ctx, g):
        x, y = ctx.saved_tensors
        return Mul.apply(g, y), Mul.apply(g, x)
    @staticmethod
    def jvp(ctx, a, b):
        x, y = ctx.saved_tensors
        return a * y + x * b
    @staticmethod
    def vmap(info, in_dims, x, y):
        print(info, in_dims, x.shape, y.shape)
        x = x.movedim(in_dims[0], -1) if in_dims[0] is not None else x.unsqueeze(-1)
        y = y.movedim(in_dims[1], -1) if in_dims[1] is not None else y.unsqueeze(-1)
        return Mul.apply(x, y), -1
x, y = torch.arange(6.).view(2, 3), torch.arange(3.) + 1
attempt('rows', lambda: vmap(Mul.apply, (0, None))(x, y))
attempt('columns', lambda: vmap(Mul.apply, (1, 0), randomness='same')(x, y))
attempt('nested', lambda: vmap(vmap(Mul.apply, (0, None)), (0, 0))(x, y[:2]))
attempt('none mapped', lambda: vmap(lambda a: Mul.apply(y, y) + a)(x))
attempt('grad inside', lambda: vmap(grad(lambda a, b: (Mul.apply(a, b) * a).sum()), (0, None))(x, y))
attempt('grad outside', lambda: grad(lambda b: vmap(Mul.apply, (0, None))(x, b).sum())(y))
attempt('jvp inside', lambda: vmap(lambda a: jvp(lambda a: Mul.apply(a, y), (a,), (y,)))(x))
class No(Function):
    @staticmethod
    def forward(x): return x * 2
    @staticmethod
    def setup_context(ctx, inputs, output): pass
    @staticmethod
    def backward(ctx, g): return g
class Both(No):
    generate_vmap_rule = True
    @staticmethod
    def vmap(info, in_dims, x): return x, 0
class One(No):
    @staticmethod
    def vmap(info, in_dims, x): return x
class Three(No):
    @staticmethod
    def vmap(info, in_dims, x): return x, 0, 0
class Given(No):
    @staticmethod
    def vmap(info, in_dims, x): return (x, x + 1, 5), (None, 0, None)
class Odd(No):
    @staticmethod
    def vmap(info, in_dims, x): return x, (0, 0)
class Old(Function):
    @staticmethod
    def forward(ctx, x): return x * 2
for F in (No, Both, One, Three, Odd, Old): attempt(F.__name__, lambda: vmap(F.apply)(x))
attempt('Given', lambda: vmap(lambda a: Given.apply(a)[:2])(x))
attempt('Given', lambda: vmap(lambda a: Given.apply(a)[2] + a)(x))
attempt('plain', lambda: Function.vmap(None, (), x))

# In [arguments and results of a Function by name, by default and as lists]
from torch.autograd import Function
def attempt(n, f):
    try: print(n, f())
    except Exception as e: print(n, type(e).__name__, e)
x=torch.ones(2,requires_grad=True); w=torch.full((2,),3.,requires_grad=True)
class A(Function):
    @staticmethod
    def forward(ctx,x,k=1,w=None,s=2): print('needs',ctx.needs_input_grad, k, s); return x*k+(0 if w is None else w*s)
    @staticmethod
    def backward(ctx,g): return (g,None,g,None)[:len(ctx.needs_input_grad)]
attempt('gap', lambda: A.apply(x,w=w))
attempt('gap2', lambda: A.apply(x,s=3))
attempt('order', lambda: A.apply(w=w,x=x))
attempt('unknown', lambda: A.apply(x,zz=3))
attempt('double', lambda: A.apply(x,x=3))
attempt('missing', lambda: A.apply(w=w))
attempt('missing2', lambda: A.apply(k=2))
attempt('many', lambda: A.apply(x,1,w,2,3))
attempt('none', lambda: A.apply())
attempt('many kw', lambda: A.apply(x,1,w,2,3,k=3))
attempt('ctx kw', lambda: A.apply(x,ctx=3))
class V(Function):
    @staticmethod
    def forward(ctx,x,*args,**kw): print('needs',ctx.needs_input_grad, args, kw); return x*2
    @staticmethod
    def backward(ctx,g): return (g,)+(None,)*(len(ctx.needs_input_grad)-1)
attempt('var', lambda: V.apply(x,1,2))
attempt('var kw', lambda: V.apply(x,1,foo=2))
attempt('var kw', lambda: V.apply(x=x,foo=2))
class K(Function):
    @staticmethod
    def forward(ctx,*args,w=None): print('needs',ctx.needs_input_grad, args, w); return args[0]*2
    @staticmethod
    def backward(ctx,g): return (g,)+(None,)*(len(ctx.needs_input_grad)-1)
attempt('K', lambda: K.apply(x,1))
attempt('K w', lambda: K.apply(x,1,w=2))
class P(Function):
    @staticmethod
    def forward(ctx,x,/,y=2): return x*y
    @staticmethod
    def backward(ctx,*g): return g[0],None
attempt('P', lambda: P.apply(x,y=3)); attempt('P', lambda: P.apply(x=x,y=3))
class D(Function):
    @classmethod
    def forward(cls,ctx,x,y=2): return x*y
    @classmethod
    def backward(cls,ctx,g): return g,None
attempt('D', lambda: D.apply(x))
class S(Function):
    @staticmethod
    def forward(x,*args,k=4): print(args,k); return x*2
    @staticmethod
    def setup_context(ctx,inputs,output): print(inputs)
    @staticmethod
    def backward(ctx,*g): return g[0],None,None
attempt('S', lambda: S.apply(x,3,4)); attempt('S', lambda: S.apply(x,3,4,k=3)); 
class S2(S):
    @staticmethod
    def forward(x,*args,**k): print(args,k); return x*2
attempt('S2', lambda: S2.apply(x,3,4)); attempt('S2', lambda: S2.apply(x,3,4,k=3)); 
for n in (lambda g:(g,None,None),lambda g:(g,None,g),lambda g:(g,g,None),lambda g: ()):
    class N(Function):
        @staticmethod
        def forward(ctx,x): return x*2
        @staticmethod
        def backward(ctx,g): return n(g)
    attempt('N', lambda: N.apply(x).sum().backward())
class O(Function):
    @staticmethod
    def forward(ctx,x): return [x*2, x]
    @staticmethod
    def backward(ctx,g): return g
attempt('list',lambda:O.apply(x)); attempt('list bw',lambda:O.apply(x)[0].sum().backward())
class O2(O):
    @staticmethod
    def forward(ctx,x): return (x*2, [x*3], 4, None, (x,))
attempt('nested',lambda:O2.apply(x))
class O3(O):
    @staticmethod
    def forward(ctx,x): return ()
attempt('empty',lambda:O3.apply(x))
import collections
NT=collections.namedtuple('NT','a b')
class O4(O):
    @staticmethod
    def forward(ctx,x): return NT(x*2,x*3)
attempt('nt',lambda:O4.apply(x))

# In [what a transform and backward refuse]
from torch.autograd import Function, graph as G
from torch.func import grad, hessian, jacfwd, jacrev, jvp, linearize, vmap
def attempt(n, f):
    try: print(n, f())
    except Exception as e: print(n, type(e).__name__, e)
x, X, I = torch.tensor([1., 2., 3.]), torch.ones(2, 3), torch.tensor([1, 2])
def fresh(a): b = torch.ones(3).requires_grad_(); return (a * b).sum()
def off(a): return a.requires_grad_(False).sum()
def kept(a): b = a * 2; b.retain_grad(); return b.sum()
for f in (fresh, off, kept):
    attempt('grad', lambda: grad(f)(x)); attempt('vmap', lambda: vmap(f)(X)); attempt('jacrev', lambda: jacrev(f)(x))
for n, F in dict(jvp=lambda f: lambda a: jvp(f, (a,), (a,)), jacfwd=jacfwd, hessian=hessian, linearize=lambda f: lambda a: linearize(f, a)).items():
    attempt(n, lambda: F(lambda a: (a * 1.5).sum())(I)); attempt(n, lambda: F(lambda a: a * 2)(I > 1))
attempt('tangent', lambda: jvp(lambda a: a * 2., (x,), (torch.ones(3).long(),)))
w = torch.ones(2, requires_grad=True)
attempt('inputs', lambda: torch.autograd.backward((w * 2).sum(), inputs=[torch.ones(2)]))
attempt('retain', lambda: torch.ones(2).retain_grad())
for v in (0.5, True, 'x', 2): attempt(v, lambda: G.region_activation_memory_budget(v))
for v in (True, 1, None): attempt(v, lambda: G.set_warn_on_accumulate_grad_stream_mismatch(v)); attempt(v, lambda: G.set_override_stale_capture_stream(v))
class C(Function):
    @staticmethod
    def forward(x, k=1, w=None): return x * k + (0 if w is None else w)
    @staticmethod
    def setup_context(ctx, inputs, output): print('setup', len(inputs), inputs[1:], ctx.needs_input_grad)
    @staticmethod
    def backward(ctx, g): return g, None, g if ctx.needs_input_grad[2] else None
for kw in (dict(), dict(w=w), dict(w=w, s=3), dict(k=3), dict(k=2, w=w)):
    w.grad = None
    attempt(list(kw), lambda: (C.apply(x[:2], **kw).sum().backward(), w.grad))
attempt('too many', lambda: C.apply(x, 1, w, 3)); attempt('none', lambda: C.apply()); attempt('by name', lambda: C.apply(x=x[:2], w=w))
y = C.apply(w); print(type(y.grad_fn), y.grad_fn.name())
