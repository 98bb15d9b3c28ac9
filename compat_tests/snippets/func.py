# torch.func: derivatives and batching of functions, nested in any order.

# In [grad]
f = lambda a: (a.sin() * a).sum()
x = torch.arange(3.) + 0.5
print(torch.func.grad(f)(x))
print(torch.func.grad(torch.func.grad(torch.func.grad(torch.sin)))(torch.tensor(1.)))
print(torch.func.grad(lambda a: torch.func.grad(lambda b: (b ** 3).sum())(a).sum())(x))

# In [grad_and_value with aux and several arguments]
f = lambda a, b: ((a * b).sum(), a * 2)
torch.func.grad_and_value(f, argnums=(0, 1), has_aux=True)(torch.ones(2), torch.tensor([2., 3.]))

# In [grad keeps an outer graph]
x = torch.tensor([1., 2.], requires_grad=True)
w = torch.tensor([3., 4.], requires_grad=True)
g = torch.func.grad(lambda a: (a ** 3 * w).sum())(x)
print(g.requires_grad)
g.sum().backward()
print(x.grad, w.grad)
g = torch.func.grad(lambda a: (a ** 3).sum())(x.detach())
print(g.requires_grad, g.is_leaf)

# In [grad and no_grad]
x = torch.tensor([1., 2.], requires_grad=True)
with torch.no_grad():
    g = torch.func.grad(lambda a: (a ** 3).sum())(x)
print(g, g.requires_grad)
def f(a):
    with torch.no_grad():
        c = a ** 2
    return (a - c).sum()
print(torch.func.grad(f)(x.detach()))

# In [values are known inside grad]
x = torch.tensor([1., 2.])
print(torch.func.grad(lambda a: a.sum() * a.sum().item())(x))
print(torch.func.grad(lambda a: a.sum() * 2 if a.sum() > 0 else a.sum())(x))

# In [trees of parameters]
p = {"w": torch.ones(2), "b": [torch.zeros(()), torch.ones(1)]}
torch.func.grad(lambda p, x: ((p["w"] * x).sum() + p["b"][0] * p["b"][1].sum()))(p, torch.arange(2.))

# In [vjp]
x = torch.arange(3.)
out, pull = torch.func.vjp(lambda a: {"s": a.sin(), "t": a.sum()}, x)
print(out)
print(pull({"s": x, "t": torch.tensor(2.)}))
print(pull({"s": x * 0, "t": torch.tensor(1.)}))
pull({"s": x})

# In [jvp]
x = torch.arange(3.)
print(torch.func.jvp(lambda a: (a.sin() * a.sum(), a.max()), (x,), (torch.ones(3),)))
print(torch.func.jvp(lambda a, b: a * b, (x, x + 1), (x, torch.ones(3))))

# In [jvp of jvp]
x = torch.arange(3.)
one = torch.ones(3)
torch.func.jvp(lambda a: torch.func.jvp(lambda b: b ** 3, (a,), (one,))[1], (x,), (one,))

# In [jvp at kinks and ties]
x = torch.tensor([-1., 0., 1.])
one = torch.tensor([1., 2., 3.])
print(torch.func.jvp(torch.relu, (x,), (one,))[1], torch.func.jvp(torch.abs, (x,), (one,))[1])
print(torch.func.jvp(lambda a: a.max(), (torch.tensor([1., 1., 0.]),), (one,))[1])
print(torch.func.jvp(lambda a: a.clamp(0, 1), (x,), (one,))[1])

# In [grad at kinks and ties]
x = torch.tensor([-1., 0., 1.])
print(torch.func.grad(lambda a: a.relu().sum() + a.abs().sum())(x))
print(torch.func.grad(lambda a: a.amax())(torch.tensor([1., 1., 0.])))
print(torch.func.vmap(torch.func.grad(lambda a: torch.maximum(a, -a)))(x))

# In [complex]
z = torch.tensor([1 + 2j, 3 - 1j])
one = torch.ones_like(z)
print(torch.func.grad(lambda a: (a * a).abs().sum())(z))
print(torch.func.vjp(lambda a: a * a * a.conj(), z)[1](one))
print(torch.func.jvp(lambda a: a * a * a.conj(), (z,), (one * 1j,))[1])
torch.func.jacrev(lambda a: a * a)(z)

# In [jacobians]
x = torch.arange(3.) + 0.5
f = lambda a: a.sin() * a.sum()
print(torch.func.jacrev(f)(x))
print(torch.func.jacfwd(f)(x))
print(torch.func.jacrev(f, chunk_size=2)(x))
print(torch.func.jacrev(f, chunk_size=1)(x))

# In [jacobians of trees]
A = torch.arange(6.).reshape(2, 3)
f = lambda a, b: {"o": (a * b).sum(0), "p": a.sum()}
print(torch.func.jacrev(f, argnums=(0, 1))(A, A + 1))
print(torch.func.jacfwd(f, argnums=1)(A, A + 1))
print(torch.func.jacfwd(lambda a: (a.sum(), a * 2), has_aux=True)(torch.ones(2)))

# In [hessians]
x = torch.arange(3.) + 0.5
f = lambda a: (a ** 3).sum() * a[0]
print(torch.func.hessian(f)(x))
print(torch.func.jacrev(torch.func.jacrev(f))(x))
print(torch.func.jacfwd(torch.func.jacfwd(f))(x))
print(torch.func.jacrev(torch.func.jacfwd(f))(x))
print(torch.func.vmap(torch.func.hessian(f))(torch.stack([x, x + 1])))

# In [hessian of a network]
m = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1), nn.Softplus())
torch.func.hessian(lambda a: m(a).sum())(torch.tensor([0.3, -0.2])).detach()

# In [linearize]
import warnings
warnings.simplefilter("ignore")
x = torch.arange(3.)
out, push = torch.func.linearize(lambda a: a.sin() * 2, x)
print(out, push(torch.ones(3)), push(x))
try:
    push(torch.ones(2))
except RuntimeError as e:
    print(e)

# In [vmap]
A = torch.arange(6.).reshape(2, 3)
print(torch.func.vmap(torch.dot)(A, A))
print(torch.func.vmap(torch.dot, in_dims=(0, None))(A, A[0]))
print(torch.func.vmap(lambda a: a * 2, in_dims=1, out_dims=1)(A))
print(torch.func.vmap(lambda a: (a.sum(), a, 3), out_dims=(0, -1, None))(A))
print(torch.func.vmap(lambda d: d["a"] + d["b"][0], in_dims=({"a": 0, "b": (None,)},))({"a": A, "b": (A[0],)}))
print(torch.func.vmap(lambda a: torch.ones(2))(A))

# In [vmap of vmap]
x, y = torch.arange(3.), torch.arange(2.)
print(torch.func.vmap(torch.func.vmap(torch.mul, (0, None)), (None, 0))(x, y))
print(torch.func.vmap(torch.func.vmap(torch.mul, (None, 0)), (0, None))(x, y))

# In [vmap in chunks]
A = torch.arange(10.).reshape(5, 2)
print(torch.func.vmap(lambda a: a.sum(), chunk_size=2)(A))
print(torch.func.vmap(lambda a: {"s": a.sum(), "a": a}, chunk_size=3, out_dims={"s": 0, "a": 1})(A))

# In [vmap over many ops]
A = torch.arange(6.).reshape(2, 3) / 5
i = torch.tensor([[0, 2], [1, 1]])
print(torch.func.vmap(lambda a, i: a[i])(A, i))
print(torch.func.vmap(lambda a, i: a.gather(0, i))(A, i))
print(torch.func.vmap(lambda a: a[1:].flip(0))(A))
print(torch.func.vmap(lambda a: torch.sort(a, descending=True))(A))
print(torch.func.vmap(lambda a: torch.where(a > 0.5, a, -a))(A))
print(torch.func.vmap(lambda a: F.softmax(a, 0))(A))
print(torch.func.vmap(F.cross_entropy)(A, torch.tensor([0, 1])))
print(torch.func.vmap(torch.linalg.inv)(torch.eye(2).expand(3, 2, 2) * 2))
print(torch.func.vmap(lambda a, w: F.conv1d(a[None], w), (0, None))(A[:, None], torch.ones(1, 1, 2)))
print(torch.func.vmap(F.embedding, (0, None))(i, A))

# In [vmap and views and writes]
A = torch.arange(6.).reshape(2, 3)
def f(a):
    out = a.new_zeros(3)
    out[0] = a[1]
    out[1:].copy_(a[:2])
    return out
print(torch.func.vmap(f)(A))
print(torch.func.vmap(torch.func.grad(lambda a: (f(a) ** 2).sum()))(A))
print(torch.func.jacfwd(f)(A[0]))
print(torch.func.vmap(lambda a: a.add_(1))(A), A)

# In [gradients per sample]
w, A = torch.tensor([0.5, 1.5, 2.5]), torch.arange(6.).reshape(2, 3)
f = lambda w, x: (x @ w).sin()
print(torch.func.vmap(torch.func.grad(f), in_dims=(None, 0))(w, A))
print(torch.func.grad(lambda w: torch.func.vmap(lambda x: f(w, x))(A).sum())(w))
print(torch.func.jacrev(lambda w: torch.func.vmap(f, (None, 0))(w, A))(w))

# In [vmap inside autograd]
x = torch.tensor([1., 2.], requires_grad=True)
A = torch.arange(4.).reshape(2, 2).requires_grad_()
torch.func.vmap(lambda a: (a * x * x).sum())(A).sum().backward()
print(x.grad, A.grad)

# In [derivatives around and inside vmap]
x, A = torch.tensor([0.5, 1.5, 2.5]), torch.arange(6.).reshape(2, 3) / 5
inner = lambda v: torch.func.grad(lambda w: torch.func.vmap(lambda r: (r * w * w).sin().sum())(A).sum())(v)
print(torch.func.grad(lambda v: (inner(v) ** 2).sum())(x))
print(torch.func.vmap(lambda s: torch.func.grad(
    lambda w: torch.func.vmap(lambda r: (r * w * s).sin().sum())(A).sum())(x))(torch.arange(2.)))
print(torch.func.jvp(lambda v: torch.func.vmap(lambda r: (r * v).sin())(A), (x,), (x,))[1])

# In [a module's parameters]
m = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
P = {k: v.detach() for k, v in m.named_parameters()}
A = torch.arange(6.).reshape(2, 3) / 5
loss = lambda p, x, y: F.mse_loss(torch.func.functional_call(m, p, (x,)), y)
print(torch.func.grad(loss)(P, A, torch.ones(2, 1)))
print({k: v.shape for k, v in torch.func.vmap(torch.func.grad(loss), (None, 0, 0))(P, A, torch.ones(2, 1)).items()})

# In [functional_call refuses]
m = nn.Linear(2, 2)
for bad in ([{"weight": 1}, {"weight": 2}], [1], 3):
    try:
        torch.func.functional_call(m, bad, torch.ones(2))
    except ValueError as e:
        print(e)

# In [an ensemble]
ms = [nn.Linear(3, 2) for _ in range(3)]
params, buffers = torch.func.stack_module_state(ms)
x = torch.arange(6.).reshape(2, 3)
y = torch.func.vmap(lambda p, b, x: torch.func.functional_call(ms[0], (p, b), (x,)), (0, 0, None))(params, buffers, x)
print(y.detach())
y.square().sum().backward()
print(params["weight"].is_leaf, params["weight"].grad.shape, params["bias"].grad)

# In [stack_module_state refuses]
for bad in ([], [nn.Linear(1, 1), nn.Linear(1, 1).eval()], [nn.Linear(1, 1), nn.ReLU()]):
    try:
        torch.func.stack_module_state(bad)
    except RuntimeError as e:
        print(e)

# In [batch norm without state]
m = nn.Sequential(nn.BatchNorm1d(2), nn.Linear(2, 2))
torch.func.replace_all_batch_norm_modules_(m)
print(m[0].running_mean, m[0].num_batches_tracked, m[0].track_running_stats)
torch.func.vmap(m)(torch.arange(8.).reshape(2, 2, 2)).shape

# In [randomness: different]
x = torch.arange(3.)
print(torch.func.vmap(lambda a: torch.randn(10), randomness="different")(x))
print(torch.func.vmap(lambda a: torch.rand(2) + a, randomness="different")(x))
print(torch.func.vmap(lambda a: F.dropout(torch.ones(4)), randomness="different")(x))
print(torch.func.vmap(lambda a: torch.randperm(4), randomness="different")(x))
print(torch.func.vmap(lambda a: torch.randint(0, 9, (3,)), randomness="different")(x))
print(torch.func.vmap(lambda a: torch.randn_like(a), randomness="different")(x))

# In [randomness: same]
x = torch.arange(3.)
print(torch.func.vmap(lambda a: torch.randn(2), randomness="same")(x))
print(torch.func.vmap(lambda a: a + torch.rand(2), randomness="same", chunk_size=2)(x))

# In [randomness: error]
torch.func.vmap(lambda a: torch.randn(2))(torch.ones(3))

# In [randomness: no such]
torch.func.vmap(torch.sin, randomness="some")

# In [functionalize]
print(torch.func.functionalize(lambda a: a.clone().add_(1))(torch.ones(2)))
try:
    torch.func.functionalize(torch.sin, remove="all")
except RuntimeError as e:
    print(str(e)[:100])

# In [custom functions]
class Cube(torch.autograd.Function):
    generate_vmap_rule = True
    @staticmethod
    def forward(x):
        return x ** 3
    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * 3 * x ** 2
x = torch.tensor([1., 2.])
w = torch.tensor(3., requires_grad=True)
print(torch.func.vmap(torch.func.grad(Cube.apply))(x))
print(torch.func.grad(lambda a: torch.func.vmap(Cube.apply)(a).sum())(x))
print(torch.func.vmap(lambda a: Cube.apply(w) * a)(x).sum().backward(), w.grad)

# In [tensors inside vmap show all examples]
torch.func.vmap(lambda a: print(a * 2, torch.ones(2)) or a)(torch.arange(3.))
torch.func.vmap(torch.func.vmap(lambda a: print(a * 2) or a))(torch.arange(4.).reshape(2, 2))

# Each [vmap refuses]
torch.func.vmap(lambda a: a.item())(torch.ones(3))
torch.func.vmap(lambda a: a if a > 0 else -a)(torch.ones(3))
torch.func.vmap(lambda a: float(a))(torch.ones(3))
torch.func.vmap(torch.sin)()
torch.func.vmap(torch.sin)(torch.ones(()))
torch.func.vmap(torch.sin, in_dims=2)(torch.ones(3))
torch.func.vmap(torch.sin, in_dims=[0])(torch.ones(3))
torch.func.vmap(torch.sin, in_dims=(0, 0))(torch.ones(3))
torch.func.vmap(torch.sin, in_dims=("a",))(torch.ones(3))
torch.func.vmap(torch.sin, in_dims=None)(torch.ones(3))
torch.func.vmap(torch.add, in_dims=(0, 0))(torch.ones(3), 2)
torch.func.vmap(torch.add)(torch.ones(3), torch.ones(2))
torch.func.vmap(torch.sin, out_dims=3)(torch.ones(3))
torch.func.vmap(torch.sin, out_dims="a")(torch.ones(3))
torch.func.vmap(torch.sin, out_dims=(0, 0))(torch.ones(3))
torch.func.vmap(lambda a: (a, a), out_dims=(0,))(torch.ones(3))
torch.func.vmap(lambda a: 3)(torch.ones(3))
torch.func.vmap(lambda a: a, out_dims=None)(torch.ones(3))
torch.func.vmap(torch.sin, chunk_size=0)
torch.func.vmap(F.embedding, (0, None))(torch.tensor([[0], [5]]), torch.ones(2, 3))
torch.func.vmap(torch.linalg.inv)(torch.zeros(2, 2, 2))

# Each [grad refuses]
torch.func.grad(lambda a: a)(torch.ones(3))
torch.func.grad(lambda a: 1.)(torch.ones(3))
torch.func.grad(lambda a: a.sum())(1.)
torch.func.grad(lambda a: a.sum(), has_aux=True)(torch.ones(3))
torch.func.grad(lambda a: (a.sum(), 1), has_aux=True)(torch.ones(3))
torch.func.grad(lambda a: a.sum(), argnums=1)(torch.ones(3))
torch.func.grad(lambda a: a.sum(), argnums=())(torch.ones(3))
torch.func.grad(lambda a: a.sum(), argnums=(0, 0))(torch.ones(3))
torch.func.grad(lambda a: a.sum(), argnums=[0])(torch.ones(3))
torch.func.grad(lambda a: a.add_(1).sum())(torch.ones(3))
torch.func.vjp(torch.sin, torch.ones(3))[1](torch.ones(2))
torch.func.vjp(torch.sin, torch.ones(3))[1]((torch.ones(3), torch.ones(3)))
torch.func.vjp(lambda a: None, torch.ones(3))
torch.func.vjp(lambda a: 3, torch.ones(3))
torch.func.vjp(lambda a: a.long(), torch.ones(3))
torch.func.jvp(torch.sin, torch.ones(3), torch.ones(3))
torch.func.jvp(torch.sin, (torch.ones(3),), (torch.ones(2),))
torch.func.jvp(torch.sin, (torch.ones(3),), torch.ones(3))
torch.func.jvp(torch.sin, (3,), (torch.ones(3),))
torch.func.jvp(lambda a: torch.ones(2), (torch.ones(3),), (torch.ones(3),), strict=True)
torch.func.jvp(lambda a: 3, (torch.ones(3),), (torch.ones(3),))
torch.func.jacrev(torch.sin, chunk_size=0)
torch.func.jacfwd(torch.sin)(torch.ones(2) * 1j)
