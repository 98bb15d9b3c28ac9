# torch.library: ops from schemas.

# In [a library]
def attempt(f):
    try:
        return f()
    except Exception as error:
        print(type(error).__name__, str(error).split(" Duplicate")[0].split("  If you")[0].split(" This could")[0])
L = torch.library
lib = L.Library("tools1", "DEF")
print(lib, lib.define("foo(Tensor x, float a=2.0) -> Tensor"))
foo = torch.ops.tools1.foo
print(foo, repr(foo), foo.default, repr(foo.default), foo.default._schema, foo.overloads(), foo.default.name())
attempt(lambda: foo(torch.ones(2)))
lib.impl("foo", lambda x, a=2.0: x * a, "CPU")
print(foo(torch.ones(2)), foo(torch.ones(2), a=3.0), foo.default(torch.ones(2), 4))
attempt(lambda: foo(torch.ones(2), b=3.0))
attempt(lambda: foo())
attempt(lambda: foo(3))
attempt(lambda: foo(torch.ones(2), 3.0, 4.0))
attempt(lambda: lib.define("foo(Tensor x) -> Tensor"))
attempt(lambda: torch.ops.tools1.nope)
attempt(lambda: torch.ops.nospace.bar)
attempt(lambda: L.Library("tools1", "DEF"))
attempt(lambda: L.Library("tools1", "WRONG"))
print(torch.ops.tools1)
x = torch.ones(2, requires_grad=True)
y = foo(x)
print(y, y.grad_fn.name())
@L.register_fake("tools1::foo")
def _(x, a=2.0):
    return torch.empty_like(x)
print(foo(torch.empty(3, device="meta")))
lib._destroy()
attempt(lambda: torch.ops.tools1.foo)

# In [functions by name]
def attempt(f):
    try:
        return f()
    except Exception as error:
        print(type(error).__name__, str(error).split(" Duplicate")[0])
L = torch.library
L.define("tools2::bar", "(Tensor x) -> Tensor")
@L.impl("tools2::bar", "cpu")
def bar(x):
    return x + 1
print(torch.ops.tools2.bar(torch.ones(2)), bar)
attempt(lambda: L.define("bar", "(Tensor x) -> Tensor"))
attempt(lambda: L.define("tools2::bar", "(Tensor x) -> Tensor"))
attempt(lambda: L.define("tools2::baz", "Tensor x -> Tensor"))
def setup(ctx, inputs, output):
    ctx.save_for_backward(*inputs)
L.register_autograd("tools2::bar", lambda ctx, g: g * 5 * ctx.saved_tensors[0], setup_context=setup)
x = torch.full((2,), 3.0, requires_grad=True)
y = torch.ops.tools2.bar(x)
y.sum().backward()
print(y, x.grad)
lib = L.Library("tools2", "FRAGMENT")
lib.define("inplace(Tensor(a!) x) -> ()")
lib.impl("inplace", lambda x: (x.add_(1), None)[1], "CompositeExplicitAutograd")
t = torch.zeros(2)
print(torch.ops.tools2.inplace(t), t)
lib.define("two(Tensor x, int[] s, *, str? mode=None) -> (Tensor, Tensor)")
lib.impl("two", lambda x, s, mode=None: (x, x.reshape(s)), "CompositeImplicitAutograd")
print(torch.ops.tools2.two(x, [2, 1]), torch.ops.tools2.two.default._schema)
lib.define("over.a(Tensor x) -> Tensor")
lib.define("over.b(Tensor x, Tensor y) -> Tensor")
lib.impl("over.a", lambda x: x, "CPU")
lib.impl("over.b", lambda x, y: x + y, "CPU")
over = torch.ops.tools2.over
print(over(torch.ones(1)), over(torch.ones(1), torch.ones(1)), over.overloads(), over.b, over.b.name(), over.a._schema)
class Double(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2
    @staticmethod
    def backward(ctx, g):
        return g * 7
lib.define("own(Tensor x) -> Tensor")
lib.impl("own", Double.apply, "Autograd")
x.grad = None
torch.ops.tools2.own(x).sum().backward()
print(x.grad)

# In [schemas from annotations]
from typing import List, Optional, Sequence, Union
from torch import Tensor
infer = torch.library.infer_schema
def attempt(f, **kwargs):
    try:
        print(infer(f, **kwargs))
    except Exception as error:
        print(type(error).__name__, str(error).split(". The valid")[0].split(". Got func")[0])
def f(x: Tensor, y: int, z: list[int], w: float | None = None, *, k: bool = True) -> tuple[Tensor, Tensor]: ...
attempt(f, mutates_args=())
attempt(f, mutates_args={"x"})
attempt(f, mutates_args={"q"})
def g(x: Optional[Tensor], y: Sequence[Tensor], s: str = "a", d: torch.dtype = None) -> None: ...
attempt(g, mutates_args="unknown")
def h(x) -> Tensor: ...
attempt(h, mutates_args=())
def i(x: Tensor, n: Union[int, float, bool] = 2, f: float = 1.0, l: List[float] = None) -> List[Tensor]: ...
attempt(i, mutates_args=(), op_name="i")
def j(x: Tensor, *args: int) -> Tensor: ...
attempt(j, mutates_args=())
def k(x: dict) -> Tensor: ...
attempt(k, mutates_args=())
def l(x: Tensor): ...
attempt(l, mutates_args=())

# In [custom ops in torch.ops]
from torch import Tensor
@torch.library.custom_op("tools3::scaled", mutates_args=(), device_types="cpu")
def scaled(x: Tensor, by: float = 2.0) -> Tensor:
    return x * by
print(torch.ops.tools3.scaled, scaled, torch.ops.tools3.scaled.default._schema)
print(torch.ops.tools3.scaled(torch.ones(1)), scaled(torch.ones(1), by=3.0))
@scaled.register_fake
def _(x, by=2.0):
    return x.new_empty(x.shape)
print(scaled(torch.ones(2, device="meta")))
try:
    scaled(torch.ones(1), 1.0, 2)
except Exception as error:
    print(type(error).__name__, error)
