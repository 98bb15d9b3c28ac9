# torch.library: functions as ops.

# In [custom op with a gradient]
import torch.library
@torch.library.custom_op("mylib::axpy", mutates_args=())
def axpy(x: torch.Tensor, y: torch.Tensor, a: float, *, b: int = 1) -> torch.Tensor:
    return a * x + b * y
@axpy.register_fake
def _(x, y, a, *, b=1):
    return torch.empty_like(x)
x, y = torch.ones(3, requires_grad=True), torch.arange(3.)
z = axpy(x, y, 2.0)
print(z, z.requires_grad)
try:
    z.sum().backward()
except RuntimeError as error:
    print(error)
def setup(ctx, inputs, keyword_only_inputs, output):
    ctx.a = inputs[2]
    print(len(inputs), keyword_only_inputs)
axpy.register_autograd(lambda ctx, g: (g * ctx.a, None, None), setup_context=setup)
z = axpy(x, y, 2.0, b=3)
z.sum().backward()
print(z.detach(), x.grad, z.grad_fn.name(), axpy)
print(torch.ops.mylib.axpy(x.detach(), y, 1.0))

# In [custom ops of several results, in place, by name]
from torch import Tensor
@torch.library.custom_op("mylib::fill", mutates_args={"x"})
def fill(x: Tensor, v: float) -> None:
    x.fill_(v)
t = torch.zeros(2)
print(fill(t, 3.0), t)
def square(x: Tensor) -> tuple[Tensor, Tensor]:
    return x * x, x + 1
square = torch.library.custom_op("mylib::square", square, mutates_args=())
def keep(ctx, inputs, output):
    ctx.save_for_backward(*inputs)
torch.library.register_autograd("mylib::square", lambda ctx, a, b: 2 * ctx.saved_tensors[0] * a + b, setup_context=keep)
torch.library.register_fake("mylib::square", lambda x: (x, x))
x = torch.tensor([1., 2.], requires_grad=True)
a, b = square(x)
(a.sum() + b.sum()).backward()
print(x.grad, a, b.requires_grad)
with torch.no_grad():
    print(square(x))
@square.register_kernel("cpu")
def _(x):
    return x * x * 10, x + 10
print(square(x.detach()))

# In [what Transformers asks for]
from torch._dynamo._trace_wrapped_higher_order_op import TransformGetItemToIndex
from torch._dynamo.utils import is_compile_supported
with TransformGetItemToIndex():
    print(torch.arange(4)[torch.tensor(2)])
print(isinstance(torch.cuda.graph, type))
print(torch._dynamo.assume_constant_result(lambda x: x + 1)(1))
