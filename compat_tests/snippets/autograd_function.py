# torch.autograd.Function: the functions a user writes, and what is refused in them.

# In [Function]
class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, g):
        x, = ctx.saved_tensors
        print('needs', ctx.needs_input_grad, g)
        return 2 * x * g


x = torch.tensor([1., 3.], requires_grad=True)
y = Square.apply(x)
print(y, y.grad_fn.name(), type(y.grad_fn).__name__)
y.sum().backward()
print(x.grad)
y.sum().backward()

# In [Function called wrongly]
class F1(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x


F1()(torch.ones(1))

# In [Function without forward]
class F1(torch.autograd.Function):
    pass


F1.apply(torch.ones(1))

# In [Function without backward]
class F1(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2


F1.apply(torch.ones(1, requires_grad=True)).backward()

# In [Function returns too few gradients]
class F1(torch.autograd.Function):
    @staticmethod
    def forward(ctx, a, b):
        return a * b

    @staticmethod
    def backward(ctx, g):
        return g


F1.apply(torch.ones(1, requires_grad=True), torch.ones(1, requires_grad=True)).backward()

# In [Function returns a wrong shape]
class F1(torch.autograd.Function):
    @staticmethod
    def forward(ctx, a):
        return a * 1

    @staticmethod
    def backward(ctx, g):
        return torch.ones(3)


F1.apply(torch.ones(2, requires_grad=True)).sum().backward()

# In [Function returns no tensor]
class F1(torch.autograd.Function):
    @staticmethod
    def forward(ctx, a):
        return a * 1

    @staticmethod
    def backward(ctx, g):
        return 'a'


F1.apply(torch.ones(2, requires_grad=True)).sum().backward()

# In [Function gives a gradient to a non-tensor]
class F1(torch.autograd.Function):
    @staticmethod
    def forward(ctx, a, k):
        return a * k

    @staticmethod
    def backward(ctx, g):
        return g, torch.ones(1)


F1.apply(torch.ones(2, requires_grad=True), 3).sum().backward()

# In [Function with constants and None]
class Scale(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, k, flag=None):
        ctx.k = k
        return x * k

    @staticmethod
    def backward(ctx, g):
        return g * ctx.k, None, None


x = torch.ones(2, requires_grad=True)
Scale.apply(x, 4).sum().backward()
print(x.grad, Scale.apply(torch.ones(1), 2).requires_grad)
Scale.apply(x, k=2)

# In [Function with two outputs]
class Both(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2, x * 3

    @staticmethod
    def backward(ctx, a, b):
        print(a, b)
        return a * 2 + b * 3


x = torch.ones(2, requires_grad=True)
a, b = Both.apply(x)
a.sum().backward()
print(x.grad, b.grad_fn is a.grad_fn, b.output_nr)

# In [Function without materialized gradients]
class Both(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.set_materialize_grads(False)
        return x * 2, x * 3

    @staticmethod
    def backward(ctx, a, b):
        print(a, b)
        return a * 2


x = torch.ones(2, requires_grad=True)
Both.apply(x)[0].sum().backward()
x.grad

# In [Function with setup_context]
class Cube(torch.autograd.Function):
    @staticmethod
    def forward(x):
        return x ** 3

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, = inputs
        ctx.save_for_backward(x, output)

    @staticmethod
    def backward(ctx, g):
        x, out = ctx.saved_tensors
        return 3 * x ** 2 * g


x = torch.tensor([2.], requires_grad=True)
Cube.apply(x).backward()
x.grad

# In [Function twice differentiable]
class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x ** 3

    @staticmethod
    def backward(ctx, g):
        x, = ctx.saved_tensors
        return 3 * x ** 2 * g


x = torch.tensor([2.], requires_grad=True)
g, = torch.autograd.grad(Cube.apply(x), x, create_graph=True)
print(g)
torch.autograd.grad(g, x)

# In [once_differentiable]
class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x ** 3

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, g):
        x, = ctx.saved_tensors
        return 3 * x ** 2 * g


x = torch.tensor([2.], requires_grad=True)
g, = torch.autograd.grad(Cube.apply(x), x, create_graph=True)
print(g)
torch.autograd.grad(g, x)

# In [mark_dirty]
class AddOne(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        x += 1
        ctx.mark_dirty(x)
        return x

    @staticmethod
    def backward(ctx, g):
        return g * 10


x = torch.ones(2, requires_grad=True)
y = x * 2
z = AddOne.apply(y)
print(z is y, y, y._version)
z.sum().backward()
print(x.grad)
AddOne.apply(x)

# In [mark_non_differentiable]
class SortIt(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        values, order = x.sort()
        ctx.mark_non_differentiable(order)
        ctx.save_for_backward(order)
        return values, order

    @staticmethod
    def backward(ctx, g, _):
        order, = ctx.saved_tensors
        return torch.zeros_like(g).index_add_(0, order, g)


x = torch.tensor([3., 1.], requires_grad=True)
v, i = SortIt.apply(x)
print(v.requires_grad, i.requires_grad)
(v * torch.tensor([1., 5.])).sum().backward()
x.grad

# In [Function returns its input]
class Same(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x

    @staticmethod
    def backward(ctx, g):
        return -g


x = torch.ones(2, requires_grad=True)
y = Same.apply(x)
print(y is x, y.grad_fn.name())
y.sum().backward()
x.grad

# In [Function in no_grad]
class Probe(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        print(torch.is_grad_enabled(), x.requires_grad, ctx.needs_input_grad)
        return x * 1

    @staticmethod
    def backward(ctx, g):
        print(torch.is_grad_enabled())
        return g


x = torch.ones(1, requires_grad=True)
with torch.no_grad():
    print(Probe.apply(x).requires_grad)
Probe.apply(x).backward()

# In [saved tensor changed]
class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, g):
        x, = ctx.saved_tensors
        return 2 * x * g


x = torch.ones(1, requires_grad=True)
y = x * 1
z = Square.apply(y)
y += 1
z.backward()

# In [save_for_backward of a number]
class F1(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x, 3)
        return x


F1.apply(torch.ones(1, requires_grad=True))

# In [straight-through estimator]
class Round(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.round()

    @staticmethod
    def backward(ctx, g):
        return g.clamp(-1, 1)


x = torch.tensor([0.4, 1.6], requires_grad=True)
(Round.apply(x) * torch.tensor([5., 0.5])).sum().backward()
x.grad
