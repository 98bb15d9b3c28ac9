"""`__torch_function__`: subclasses of Tensor, duck types, modes; what a call hands to them."""

import operator
import subprocess
import sys
import types

import pytest

SEEN = """
    s + t | t + s | s + 1 | 1 + s | 2 - s | s / t | s ** 2 | s @ t.t() | -s | abs(s) | s != t | s < t
    s[0] | torch.add(t, s) | s.add_(1) | torch.square(s) | s.sum() | torch.sum(s, dim=0) | s.shape
    torch.sum(s, 0, keepdim=True) | s.dtype | s.grad | s.requires_grad | s.T | s.size(0) | len(s)
    F.linear(s, t) | torch.cat([s, t]) | torch.stack([t, s]) | s.view(4, 3) | s.to(torch.float64)
    s.detach() | s.tolist() | s.max(0) | torch.zeros_like(s) | torch.where(s > 0, s, t) | s.chunk(2)
    torch.nn.Linear(4, 2)(s) | format(s)[:2] | torch.is_floating_point(s) | float(s.sum()) | s.mean()
    torch.matmul(s, t.t()) | s.numel() | torch.allclose(s, t) | s.topk(1) | 0.5 in s | s.permute(1, 0)
    torch.linalg.norm(s).dim() | s.expand(2, 3, 4) | s.masked_fill(t > 0, 0) | s.clamp(0) | s.sin()
"""  # noqa: E501
# what PyTorch's bindings report of linalg and special functions, and of properties, differs
UNEVEN = ("linalg",)


def spaces(torch):
    t = torch.arange(12.0).reshape(3, 4)
    return {"torch": torch, "F": torch.nn.functional, "t": t}


def calls(text):
    return [part.strip() for line in text.splitlines() for part in line.split("|") if part.strip()]


def test_subclass_sees_each_call(torch, golden):
    seen = []

    class Sub(torch.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            seen.append([func.__name__, len(args), sorted(kwargs or {})])
            return super().__torch_function__(func, types, args, kwargs)

    space = spaces(torch)
    for call in calls(SEEN):
        space["s"] = space["t"].as_subclass(Sub)
        seen.clear()
        kind = type(eval(call, space)).__name__
        golden([call, kind] + ([] if any(word in call for word in UNEVEN) else [list(seen)]))


class Kinds:
    """Subclasses with PyTorch's own `__torch_function__`, and one that knows nothing."""

    def __init__(self, torch):
        class A(torch.Tensor):
            pass

        class B(torch.Tensor):
            pass

        class A2(A):
            pass

        class Nothing(torch.Tensor):
            @classmethod
            def __torch_function__(cls, func, types, args=(), kwargs=None):
                return NotImplemented

        class MyParameter(torch.nn.Parameter):
            pass

        t = torch.ones(2, 2)
        for name, kind in {"a": A, "b": B, "a2": A2, "nothing": Nothing}.items():
            setattr(self, name, t.as_subclass(kind))
        self.p, self.A = MyParameter(t), A


KEPT = """
    p * 1 | p.data | a + 1 | a + a2 | a2 + a | t + a | a.max(0)[0] | a.split(1)[0] | a.sum()
    a.detach() | torch.ones_like(a) | a.T | a[0] | a.numpy() | A([1.0, 2.0]) | a.clone()
    torch.Tensor._make_subclass(A, t, True) | a.as_subclass(torch.Tensor) | torch.nn.Parameter(a)
    repr(a) | repr(torch.nn.Parameter(a)) | torch.cat([t, a]) | F.relu(a)
    a + b | torch.add(nothing, 1) | nothing + 1 | F.relu(nothing) | torch.cat([nothing])
"""


def test_subclasses_are_preserved(torch, golden):
    space = {**spaces(torch), **vars(Kinds(torch)), "t": torch.ones(2, 2)}
    for call in calls(KEPT):
        try:
            found = eval(call, space)
        except TypeError as error:
            golden([call, error])
        else:
            golden([call, type(found).__name__, found if isinstance(found, str) else None])


DUCK = """
    torch.mean(d) | torch.add(t, d) | torch.add(d, t, alpha=2) | torch.square(d) | torch.sum(d, 0)
    torch.cat([t, d]) | torch.add(d, d2) | t.add(d) | torch.stack((d, d)) | torch.matmul(d, t)
"""


def test_duck_types(torch, golden):
    class Duck:
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            return [func.__name__, [kind.__name__ for kind in types], len(args), kwargs]

    class Duck2(Duck):
        pass

    space = {**spaces(torch), "d": Duck(), "d2": Duck2()}
    for call in calls(DUCK):
        golden([call, eval(call, space)])


def test_implementations_by_function(torch, golden):
    known = {}

    class Diagonal:
        def __init__(self, n, value):
            self.n, self.value = n, value

        def tensor(self):
            return self.value * torch.eye(self.n)

        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            if func not in known:
                return NotImplemented
            return known[func](*args, **(kwargs or {}))

    known[torch.mean] = lambda input: float(input.value) / input.n
    known[torch.add] = lambda a, b: a.tensor() + b if isinstance(a, Diagonal) else a + b.tensor()
    d = Diagonal(2, 4)
    golden([torch.mean(d), torch.add(d, torch.ones(2, 2)), torch.add(torch.ones(2, 2), d)])
    with pytest.raises(TypeError):
        torch.sum(d)


def test_mode(torch, golden):
    seen = []

    class Mode(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            seen.append(func.__name__)
            return func(*args, **(kwargs or {}))

    t = torch.ones(2, 2)
    with Mode():
        t + 1, 2 * t, torch.add(t, 1), torch.nn.functional.relu(t), t.sum(), t[0], torch.cat([t, t])
        torch.zeros(2), t.add_(0), torch.tensor(1.0)
    t + 1
    golden(seen)


def test_queries(torch, golden):
    over, t = torch.overrides, torch.ones(2)
    sub = Kinds(torch).a
    duck = type("Duck", (), {"__torch_function__": classmethod(lambda *args: 0)})()
    for x in (t, sub, duck, 1, torch.nn.Parameter(t)):
        golden([over.is_tensor_like(x), over.has_torch_function((x,))])
        golden([over.has_torch_function_unary(x), over.has_torch_function_variadic(t, x)])
    functional = torch.nn.functional
    golden([over.is_tensor_method_or_property(f) for f in (torch.Tensor.add, functional.linear)])
    golden([over.resolve_name(f) for f in (functional.linear, torch.cat, torch.Tensor.T.__get__)])
    golden(torch.add in over.get_overridable_functions()[torch])
    golden(torch.add in over.get_testing_overrides())
    with torch._C.DisableTorchFunctionSubclass():
        golden([type(sub + 1).__name__, over.has_torch_function((sub,))])


def test_own_functions(torch, golden):
    def mine(x, y=1):
        if torch.overrides.has_torch_function((x,)):
            return torch.overrides.handle_torch_function(mine, (x,), x, y=y)
        return "plain"

    class Duck:
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            return [func.__name__, len(args), kwargs]

    golden([mine(torch.ones(2)), mine(Duck())])
    wrapped = torch.overrides.wrap_torch_function(lambda x: (x,))(lambda x: "plain")
    golden([wrapped(torch.ones(2)), wrapped(Duck())[1:]])


def test_attributes_travel(torch, golden):
    class Tagged(torch.Tensor):
        def __new__(cls, x, tag="x"):
            made = torch.Tensor._make_subclass(cls, torch.as_tensor(x, dtype=torch.float32))
            made.tag = tag
            return made

        def __init__(self, x, tag="x"):
            super().__init__()

        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            out = super().__torch_function__(func, types, args, kwargs or {})
            tag = next((x.tag for x in args if isinstance(x, Tagged)), "")
            if isinstance(out, Tagged):
                out.tag = f"{tag}.{func.__name__}"
            return out

    x = Tagged([1.0, 2.0])
    golden([(x * 2).tag, (2 + x).tag, torch.exp(x).tag, x.sum().tag, repr(x), list(x.shape)])


def test_functions_stay_the_same_objects(torch):
    """What was taken from the module before the first override is intercepted too."""
    add, linear = torch.add, torch.nn.functional.linear
    assert isinstance(add, types.FunctionType | types.BuiltinFunctionType)
    calls_made = []

    class Sub(torch.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            calls_made.append(func)
            return super().__torch_function__(func, types, args, kwargs or {})

    s = torch.ones(2, 2).as_subclass(Sub)
    add(s, 1), linear(s, s)
    assert calls_made == [torch.add, torch.nn.functional.linear]


def test_leaves_of_subclasses_get_their_gradients(torch, golden):
    class Sub(torch.Tensor):
        pass

    class MyParameter(torch.nn.Parameter):
        pass

    sub = torch.Tensor._make_subclass(Sub, torch.ones(2), True)
    p = MyParameter(torch.ones(2))
    (sub * 2 + p[0] * 3).sum().backward()
    golden([sub.grad.tolist(), p.grad.tolist(), type(sub.grad).__name__, type(p.grad).__name__])
    golden([torch.Tensor.__repr__(p), str(torch.nn.Parameter(torch.ones(1)))])


def test_functions_with_class_methods(torch, golden):
    class Twice(torch.autograd.Function):
        @classmethod
        def forward(cls, ctx, x):
            return x * 2

        @classmethod
        def backward(cls, ctx, grad):
            return grad * 2

    x = torch.ones(2, requires_grad=True)
    Twice.apply(x).sum().backward()
    golden(x.grad)


class Duck:
    """No tensor, but it answers."""

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return function.__name__, [type(x).__name__ for x in args]


BINARY = (
    "add sub mul truediv pow matmul gt ge lt le eq ne floordiv mod and_ or_ xor lshift rshift iadd "
    "imul isub itruediv ipow ifloordiv imod iand ior ixor"
).split()


def test_operators_on_what_is_no_tensor(torch, golden):
    """Which function is reported, whatever was intercepted before."""
    t = torch.tensor([1, 2])
    found = [[f(t, Duck()), f(Duck(), t)] for f in (getattr(operator, n) for n in BINARY)]
    golden([list(x) for x in (t.add(Duck()), torch.add(t, Duck()))])
    golden([[name, [list(x) for x in pair]] for name, pair in zip(BINARY, found, strict=True)])


def test_functions_seen_by_a_mode_before_their_first_call():
    """Functions get their code when first called: also those that something stands before."""
    code = """
import torchlike as torch
from torchlike.core.op import TABLE
from torchlike.overrides import BaseTorchFunctionMode
with BaseTorchFunctionMode():
    torch.ones(2)
print(f"{torch.special.polygamma(1, torch.ones(1)).item():.4f}")
for name, function in TABLE.items():
    for arguments in ((), (1,), (torch.ones(2), torch.ones(2))):
        try:
            function(*arguments)
        except NameError as error:
            print(name, error)
        except (Exception, SystemExit):
            continue
"""
    found = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True,
                           text=True)  # fmt: skip
    assert found.stdout == "1.6449\n", found.stdout + found.stderr[-500:]
