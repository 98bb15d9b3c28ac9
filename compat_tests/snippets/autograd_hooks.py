# Hooks, threads, checkpoints, and whether the engine stays usable after trouble.

# In [tensor hook]
x = torch.ones(2, requires_grad=True)
h = x.register_hook(lambda g: print('hook', g))
(x * 2).sum().backward()
h.remove()
(x * 2).sum().backward()
x.grad

# In [hook changes the gradient]
x = torch.ones(2, requires_grad=True)
y = x * 2
y.register_hook(lambda g: g * 10)
y.register_hook(lambda g: g + 1)
y.sum().backward()
x.grad

# In [hook order and retain_grad]
x = torch.ones(1, requires_grad=True)
y = x * 2
y.register_hook(lambda g: print('first', g))
y.retain_grad()
y.register_hook(lambda g: g * 3)
y.backward()
print(x.grad, y.grad)

# In [hook returns nonsense]
x = torch.ones(2, requires_grad=True)
x.register_hook(lambda g: 'a')
x.sum().backward()

# In [hook returns a wrong shape]
x = torch.ones(2, requires_grad=True)
x.register_hook(lambda g: torch.ones(3))
x.sum().backward()

# In [hook on a tensor without grad]
torch.ones(1).register_hook(lambda g: g)

# In [hook raises and the graph is usable]
x = torch.ones(1, requires_grad=True)
y = x * 2
h = y.register_hook(lambda g: 1 / 0)
try:
    y.backward(retain_graph=True)
except ZeroDivisionError as e:
    print(e, x.grad)
h.remove()
y.backward()
x.grad

# In [KeyboardInterrupt in a hook]
x = torch.ones(1, requires_grad=True)


def stop(g):
    raise KeyboardInterrupt


h = x.register_hook(stop)
try:
    (x * 2).sum().backward()
except KeyboardInterrupt:
    print('stopped', x.grad, torch.is_grad_enabled())
h.remove()
(x * 3).sum().backward()
x.grad

# In [exception inside Function.backward]
class Bad(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 1

    @staticmethod
    def backward(ctx, g):
        raise ValueError('mine')


x = torch.ones(1, requires_grad=True)
try:
    Bad.apply(x).backward()
except ValueError as e:
    print(e, torch.is_grad_enabled(), x.grad)
(x * 3).backward()
x.grad

# In [post-accumulate hook]
x = torch.ones(2, requires_grad=True)
x.register_post_accumulate_grad_hook(lambda t: print('have', t.grad))
x.sum().backward()
x.sum().backward()

# In [post-accumulate hook of a non-leaf]
(torch.ones(1, requires_grad=True) * 2).register_post_accumulate_grad_hook(print)

# In [optimizer in backward]
p = torch.ones(2, requires_grad=True)
opt = torch.optim.SGD([p], lr=0.5)


def step(t):
    opt.step()
    opt.zero_grad()


p.register_post_accumulate_grad_hook(step)
for _ in range(2):
    (p * p).sum().backward()
print(p, p.grad)

# In [node hooks]
x = torch.ones(2, requires_grad=True)
y = x * 3
h = y.grad_fn.register_hook(lambda inputs, outputs: print('post', inputs, outputs))
y.grad_fn.register_prehook(lambda outputs: (outputs[0] * 2,))
y.sum().backward()
x.grad

# In [hook in double backward]
x = torch.tensor(2., requires_grad=True)
y = x ** 2
y.register_hook(lambda g: g * x)
g, = torch.autograd.grad(y, x, create_graph=True)
print(g)
torch.autograd.grad(g, x)

# In [saved_tensors_hooks]
log = []


def pack(t):
    log.append(('pack', tuple(t.shape)))
    return t * 1


def unpack(t):
    log.append(('unpack', tuple(t.shape)))
    return t


x = torch.ones(2, requires_grad=True)
with torch.autograd.graph.saved_tensors_hooks(pack, unpack):
    y = (x * x).exp().sum()
y.backward()
print(log, x.grad)

# In [save_on_cpu]
x = torch.ones(2, requires_grad=True)
with torch.autograd.graph.save_on_cpu():
    y = (x ** 3).sum()
y.backward()
x.grad

# In [module hooks]
m = nn.Linear(2, 1, bias=False)
nn.init.ones_(m.weight)
m.register_forward_pre_hook(lambda m, args: (args[0] * 2,))
m.register_forward_hook(lambda m, args, out: out + 1)
m.register_full_backward_hook(lambda m, gi, go: print('backward', gi, go))
m.register_full_backward_pre_hook(lambda m, go: (go[0] * 3,))
x = torch.ones(1, 2, requires_grad=True)
y = m(x)
print(y)
y.sum().backward()
print(x.grad, m.weight.grad)

# In [hook handle removed inside itself]
x = torch.ones(1, requires_grad=True)


def once(g):
    print('once')
    handle.remove()


handle = x.register_hook(once)
for _ in range(2):
    x.sum().backward()
x.grad

# In [backward in another thread]
import threading
x = torch.ones(2, requires_grad=True)
y = (x * 2).sum()
t = threading.Thread(target=y.backward)
t.start()
t.join()
x.grad

# In [grad mode is per thread]
import threading
seen = []
with torch.no_grad():
    t = threading.Thread(target=lambda: seen.append(torch.is_grad_enabled()))
    t.start()
    t.join()
print(seen, torch.is_grad_enabled())

# In [threads each with their own graph]
import threading
out = {}


def work(i):
    x = torch.full((3,), float(i), requires_grad=True)
    for _ in range(20):
        x.grad = None
        (x ** 2).sum().backward()
    out[i] = x.grad.tolist()


threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
for t in threads:
    t.start()
for t in threads:
    t.join()
sorted(out.items())

# In [threads on one leaf]
import threading
x = torch.zeros(2, requires_grad=True)
lock = threading.Lock()


def work():
    for _ in range(10):
        y = (x * 1).sum()
        with lock:
            y.backward()


threads = [threading.Thread(target=work) for _ in range(4)]
for t in threads:
    t.start()
for t in threads:
    t.join()
x.grad

# In [exception while building a graph]
x = torch.ones(2, requires_grad=True)
y = x * 2
try:
    y @ torch.ones(3)
except RuntimeError as e:
    print(e)
y.sum().backward()
x.grad

# In [backward inside backward]
class Inner(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, g):
        x, = ctx.saved_tensors
        with torch.enable_grad():
            t = x.detach().requires_grad_()
            (t ** 2).sum().backward()
        return t.grad * g


x = torch.tensor([3.], requires_grad=True)
Inner.apply(x).backward()
x.grad

# In [checkpoint]
from torch.utils.checkpoint import checkpoint
calls = []


def f(x):
    calls.append(torch.is_grad_enabled())
    return (x ** 2).sin()


x = torch.tensor([1., 2.], requires_grad=True)
y = checkpoint(f, x, use_reentrant=False)
y.sum().backward()
print(x.grad, len(calls))

# In [deep graph]
x = torch.ones(1, requires_grad=True)
y = x
for _ in range(3000):
    y = y + 1
y.backward()
print(x.grad, y)

# In [wide graph]
x = torch.ones(1, requires_grad=True)
y = sum((x * i for i in range(200)), torch.zeros(1))
y.backward()
x.grad

# In [graph freed while a view of a leaf is alive]
import gc
x = torch.ones(2, requires_grad=True)
y = (x * 2).sum()
node = y.grad_fn
del y
gc.collect()
print(node.name(), node.next_functions[0][0].name())

# In [Node metadata]
x = torch.ones(1, requires_grad=True)
n = (x * 2).grad_fn
n.metadata['a'] = 1
print(n.metadata, n == n, n.next_functions[0][0] is not None, isinstance(n, torch.autograd.graph.Node))

# In [gradient edge]
x = torch.ones(2, requires_grad=True)
y = x * 2
e = torch.autograd.graph.get_gradient_edge(y)
print(e.node.name(), e.output_nr, torch.autograd.grad((y * 3).sum(), [e]))

# In [Variable]
v = torch.autograd.Variable(torch.ones(2), requires_grad=True)
print(v, isinstance(v, torch.Tensor), isinstance(v, torch.autograd.Variable))

# In [hooks on several tensors inside grad, and in a backward inside another]
from torch.autograd.graph import register_multi_grad_hook

def show(tag):
    return lambda g: print(tag, g if torch.is_tensor(g) else [x if x is None else x.tolist() for x in g])

def leaves():
    return [torch.tensor([float(i + 1)], requires_grad=True) for i in range(3)]

class Inside(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2
    @staticmethod
    def backward(ctx, g):
        with torch.enable_grad():
            y = torch.ones(1, requires_grad=True)
            handle = register_multi_grad_hook((y, b), show("inner"), mode=mode)
            (y * b).sum().backward()
            handle.remove()
        return g * 2

for mode in ("all", "any"):
    a, b, c = leaves()
    register_multi_grad_hook([a, b, c], show(mode), mode=mode)
    for inputs in ([a, b], [a], [c, a]):
        try:
            print(torch.autograd.grad((a * b * c).sum(), inputs))
        except RuntimeError as error:
            print(error)
    (a * b).sum().backward(inputs=[a])
    for inputs in ([0], [1], [2, 3]):
        a, b, c = leaves()
        x, y = a * 2, b * 3
        register_multi_grad_hook((x, y), show("inner nodes"), mode=mode)
        print(torch.autograd.grad((x * y).sum(), [[a, x, y, b][i] for i in inputs]))
    a, b, c = leaves()
    register_multi_grad_hook((a, b), show("outer"), mode=mode)
    (Inside.apply(a) * b).sum().backward()
    print(a.grad, b.grad)
print(register_multi_grad_hook((torch.ones(1), a), print, mode="any") is None)

# In [hooks see that no gradient came]
class First(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, y):
        return x * y
    @staticmethod
    def backward(ctx, g):
        return g, None

a, b = torch.ones(1, requires_grad=True), torch.ones(1, requires_grad=True)
x = b.exp()
x.register_hook(lambda g: print("tensor", g))
x.grad_fn.register_prehook(lambda g: print("before", g))
x.grad_fn.register_hook(lambda i, o: print("after", i, o))
b.register_hook(lambda g: print("leaf", g))
b.register_post_accumulate_grad_hook(lambda p: print("accumulated", p.grad))
First.apply(a, x).sum().backward()
torch.autograd.graph.register_multi_grad_hook((a, b), lambda g: print("all", g))
First.apply(a, b).sum().backward()
b.register_hook(lambda g: torch.ones(1))
First.apply(a, b).sum().backward()
