"""torch.autograd.gradcheck and gradgradcheck with every argument."""

# In [gradcheck holds]
from torch.autograd import gradcheck, gradgradcheck
torch.manual_seed(0)
x = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
y = torch.randn(3, 2, dtype=torch.float64, requires_grad=True)
z = torch.randn(2, 2, dtype=torch.complex128, requires_grad=True)
every = dict(check_forward_ad=True, check_batched_grad=True, check_batched_forward_grad=True, check_grad_dtypes=True)
for fast in (False, True):
    for f in (lambda a, b: a @ b, lambda a, b: (a.sin(), b.exp() * 2)):
        print(gradcheck(f, (x, y), fast_mode=fast, **every))
    print(gradgradcheck(lambda a, b: (a @ b).sin(), (x, y), fast_mode=fast, check_fwd_over_rev=True, check_batched_grad=True))
    for f in (lambda a: a * a, lambda a: a.abs(), lambda a: a.real * 2, torch.view_as_real):
        print(gradcheck(f, (z,), fast_mode=fast, check_forward_ad=True, check_batched_grad=True))
    print(gradcheck(torch.sin, x, fast_mode=fast), gradcheck(lambda a: a.to(torch.complex128) * 1j, x, fast_mode=fast, **every))
print(gradgradcheck(lambda a: a ** 3, (x,), torch.ones(2, 3, dtype=torch.float64, requires_grad=True)))
print(gradgradcheck(lambda a: a ** 3, (x,), gen_non_contig_grad_outputs=True, check_fwd_over_rev=True, check_rev_over_rev=False, check_undefined_grad=False))

# In [gradcheck fails]
from torch.autograd import gradcheck, gradgradcheck
class Wrong(torch.autograd.Function):
    @staticmethod
    def forward(ctx, a):
        return a * 2
    @staticmethod
    def backward(ctx, g):
        return g * 3
    @staticmethod
    def jvp(ctx, t):
        return t * 5
class Constant(Wrong):
    @staticmethod
    def backward(ctx, g):
        return torch.full_like(g, 2)
class Undefined(Wrong):
    @staticmethod
    def forward(ctx, a):
        ctx.set_materialize_grads(False)
        return a * 2
    @staticmethod
    def backward(ctx, g):
        return g * 2
x = torch.tensor([1., 2.], dtype=torch.float64, requires_grad=True)
def attempt(*args, **kwargs):
    try:
        print(gradcheck(*args, **kwargs))
    except Exception as e:
        print(type(e).__name__, e)
attempt(Wrong.apply, (x,))
attempt(Wrong.apply, (x,), raise_exception=False)
attempt(Wrong.apply, (x,), check_backward_ad=False, check_forward_ad=True)
attempt(lambda a: a * 2, (x,), check_backward_ad=False)
attempt(lambda a: a * 2, (x,), check_backward_ad=False, check_forward_ad=True, check_batched_grad=True)
attempt(lambda a: a * 2, (x,), check_batched_forward_grad=True)
attempt(lambda a: a * 2, (x.detach(),))
attempt(lambda a: a.detach() * 2, (x,))
attempt(lambda a: a * 2, (torch.ones(1, dtype=torch.float64).expand(3).requires_grad_(),))
attempt(lambda a: a * 2, (x.detach().float().requires_grad_(),), eps=1e-2)
attempt(lambda a: Wrong.apply(a) * 1j, (x,))
attempt(Undefined.apply, (x,))
attempt(Undefined.apply, (x,), check_undefined_grad=False)
attempt(lambda a: (a * 2, Wrong.apply(a)), (x,))
print(gradgradcheck(lambda a: a ** 2, (x,), raise_exception=False))
try:
    gradgradcheck(lambda a: a * 2, (x,), check_rev_over_rev=False)
except AssertionError as e:
    print(e)
try:
    gradgradcheck(lambda a: a * 2, (x,), check_rev_over_rev=False, check_fwd_over_rev=True)
except AssertionError as e:
    print(e)

# In [a Function whose gradient nobody has]
class Said(torch.autograd.Function):
    @staticmethod
    def forward(ctx, a, name, materialize):
        ctx.name = name
        ctx.set_materialize_grads(materialize)
        return a * 2
    @staticmethod
    def backward(ctx, g):
        print(ctx.name, g)
        return None, None, None
x = torch.ones(2, requires_grad=True)
Said.apply(Said.apply(x, "first", True) * 3, "second", True).sum().backward()
Said.apply(Said.apply(x, "first", False), "second", False).sum().backward()
print(x.grad)

# In [fast mode tells what slow mode would have found]
class Wrong(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x
    @staticmethod
    def backward(ctx, g):
        return g * ctx.saved_tensors[0] * 3
    @staticmethod
    def jvp(ctx, t):
        return t * 5

class Random(torch.autograd.Function):
    runs = 0
    @staticmethod
    def forward(ctx, x):
        return x * 2
    @staticmethod
    def backward(ctx, g):
        Random.runs += 1
        return g * 2 + Random.runs * 0.01

x = torch.tensor([0.5, 0.25], dtype=torch.float64, requires_grad=True)
z = torch.tensor([1 + 2j, 3 - 1j], dtype=torch.complex128, requires_grad=True)
for call in [
    lambda: torch.autograd.gradcheck(Wrong.apply, x, fast_mode=True),
    lambda: torch.autograd.gradcheck(Wrong.apply, z, fast_mode=True),
    lambda: torch.autograd.gradcheck(
        Wrong.apply, x, fast_mode=True, check_forward_ad=True, check_backward_ad=False),
    lambda: torch.autograd.gradcheck(lambda a: a * 2, x, eps=1e-1, rtol=0, atol=0, fast_mode=True),
    lambda: torch.autograd.gradcheck(Random.apply, x, atol=1, fast_mode=True),
    lambda: torch.autograd.gradcheck(lambda q: 5, x),
    lambda: torch.autograd.gradcheck(lambda q: q.diag().to_sparse(), x),
    lambda: torch.autograd.gradgradcheck(Wrong.apply, x, fast_mode=True),
]:
    try:
        print(call())
    except (RuntimeError, AttributeError, ValueError) as error:
        print(type(error).__name__, error)
before = torch.get_rng_state()
torch.autograd.gradcheck(torch.sin, x, fast_mode=True)
print(torch.equal(before, torch.get_rng_state()))

# In [gradcheck of what takes sparse tensors]
import warnings

warnings.simplefilter("ignore")
d = torch.tensor([[1., 0, 2], [0, 3, 0]], dtype=torch.float64)
w = torch.tensor([[0.5, 1.], [2., 0.25], [1., 3.]], dtype=torch.float64, requires_grad=True)
for s in (d.to_sparse(), d.to_sparse_csr()):
    s.requires_grad_()
    for fast in (False, True):
        print(torch.autograd.gradcheck(
            lambda s: (s * 2).to_dense(masked_grad=True), s, masked=True, fast_mode=fast))
        if s.is_sparse:
            print(torch.autograd.gradcheck(torch.sparse.mm, (s, w), masked=True, fast_mode=fast))
try:
    torch.autograd.gradcheck(lambda s: s.to_dense(), d.to_sparse().requires_grad_())
except RuntimeError as error:
    print(error)
