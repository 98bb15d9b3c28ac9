"""Short programs about modules: what they print must be what they print with PyTorch.

`show(expression, …)` prints the values; `fails(function)` prints the error it raises.
"""

import contextlib
import io
import re
import warnings

from compat_tests import subject

BASE = """
class Leaf(nn.Module):
    def __init__(self, size=2):
        super().__init__()
        self.weight = nn.Parameter(torch.full((size,), 2.0))
        self.register_buffer("seen", torch.zeros(()))
        self.register_buffer("scratch", torch.ones(1), persistent=False)
    def forward(self, x, scale=1.0):
        self.seen += 1
        return x * self.weight * scale

class Tree(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = Leaf()
        self.second = Leaf()
        self.third = self.first
        self.nothing = None
    def forward(self, x):
        return self.second(self.first(x))
"""

PROGRAMS = {
    "attributes": """
m = nn.Module()
m.a = nn.Parameter(torch.ones(1)); m.b = nn.Linear(1, 1); m.c = nn.Buffer(torch.ones(2)); m.d = 3
show(list(m._parameters), list(m._buffers), list(m._modules), m.d)
fails(lambda: setattr(m, "a", torch.ones(1)))
fails(lambda: setattr(m, "b", 3))
fails(lambda: setattr(m, "c", 3))
fails(lambda: m.missing)
m.a = None; m.b = None; m.c = None
show(m.a, m.b, m.c)
m.d = nn.Linear(1, 1)
m.b = nn.Parameter(torch.zeros(1))
show(list(m._parameters), list(m._modules), "d" in vars(m))
del m.a, m.d, m.c
show(list(m._parameters), list(m._buffers), list(m._modules))
fails(lambda: delattr(m, "zzz"))
""",
    "registration": """
m = Leaf()
fails(lambda: m.register_parameter("weight.x", None))
fails(lambda: m.register_parameter("", None))
fails(lambda: m.register_parameter(3, None))
fails(lambda: m.register_parameter("seen", None))
fails(lambda: m.register_parameter("q", torch.ones(1)))
fails(lambda: m.register_parameter("q", 3))
fails(lambda: m.register_parameter("forward", None))
fails(lambda: m.register_buffer("a.b", None))
fails(lambda: m.register_buffer("weight", None))
fails(lambda: m.register_buffer("q", 3))
fails(lambda: m.register_buffer(3, None))
fails(lambda: m.add_module("a.b", None))
fails(lambda: m.add_module("weight", Leaf()))
fails(lambda: m.add_module("q", 3))
fails(lambda: m.add_module(3, Leaf()))
m.register_module("child", Leaf()); m.add_module("hole", None); m.register_parameter("none", None)
show(m, [n for n, _ in m.named_parameters()], m.hole, m.none)
show([n for n in dir(m) if n in ("child", "weight", "seen", "forward", "none")])
""",
    "before init": """
class Early(nn.Module):
    def __init__(self, what):
        self.plain = 3
        self.x = what
fails(lambda: Early(nn.Parameter(torch.ones(1))))
fails(lambda: Early(nn.ReLU()))
class Half(nn.Module):
    def __init__(self):
        self.register_buffer("a", None)
fails(lambda: Half())
""",
    "traversal": """
m = Tree()
show([n for n, _ in m.named_modules()], [n for n, _ in m.named_modules(remove_duplicate=False)])
show([n for n, _ in m.named_parameters()], [n for n, _ in m.named_parameters("p", False)])
show([n for n, _ in m.named_parameters(remove_duplicate=False)], len(list(m.parameters())))
show([n for n, _ in m.named_buffers()], len(list(m.buffers())), len(list(m.first.buffers(False))))
show([n for n, _ in m.named_children()], len(list(m.children())), len(list(m.modules())))
show([n for n, _ in m.named_modules(prefix="root")])
names = []
m.apply(lambda module: names.append(type(module).__name__)); show(names)
""",
    "lookup": """
m = nn.Sequential(Tree(), nn.ReLU())
show(m.get_submodule("0.first") is m[0].first, m.get_submodule("") is m)
show(m.get_parameter("0.first.weight"), m.get_buffer("0.second.seen"))
fails(lambda: m.get_submodule("0.zzz"))
fails(lambda: m.get_submodule("0.first.weight"))
fails(lambda: m.get_parameter("0.first.seen"))
fails(lambda: m.get_parameter("0.first.zzz"))
fails(lambda: m.get_buffer("0.first.weight"))
fails(lambda: m.get_buffer("0.zzz"))
m.set_submodule("0.first", nn.Tanh()); m.set_submodule("new", nn.ELU())
show(m)
fails(lambda: m.set_submodule("", nn.Tanh()))
fails(lambda: m.set_submodule("0", 3))
fails(lambda: m.set_submodule("0.zzz", nn.Tanh(), strict=True))
fails(lambda: m.set_submodule("0.second.weight", nn.Tanh()))
""",
    "modes": """
m = Tree()
show(m.training, m.eval() is m, m.first.training, m.train().second.training)
fails(lambda: m.train("yes"))
show(m.requires_grad_(False) is m, [p.requires_grad for p in m.parameters()])
m.requires_grad_(); m(torch.ones(2)).sum().backward()
show(m.first.weight.grad, m.second.weight.grad)
m.zero_grad(set_to_none=False); show(m.first.weight.grad)
m.zero_grad(); show(m.first.weight.grad)
""",
    "state": """
m = Tree()
show(m.state_dict(), m.state_dict()._metadata)
show(list(m.state_dict(prefix="p.")), m.state_dict(keep_vars=True)["first.weight"].requires_grad)
show(m.state_dict()["first.weight"].requires_grad)
m.state_dict()["first.weight"].zero_(); show(m.first.weight)
own = {}
show(m.first.state_dict(own, "x.") is own, list(own))
""",
    "loading": """
m, other = Tree(), Tree()
with torch.no_grad():
    for p in other.parameters(): p += 1
show(m.load_state_dict(other.state_dict()), m.first.weight)
fails(lambda: m.load_state_dict({}))
fails(lambda: m.load_state_dict({"a": torch.ones(1), "first.q": torch.ones(1)}))
show(m.load_state_dict({"a": torch.ones(1), "first.weight": torch.ones(2)}, strict=False))
fails(lambda: m.load_state_dict({"first.weight": torch.ones(3)}, strict=False))
fails(lambda: m.load_state_dict({"first.weight": 3}, strict=False))
fails(lambda: m.load_state_dict(3))
m.load_state_dict({"first.weight": torch.ones(2).double(), "first.seen": torch.ones(1)}, False)
show(m.first.weight, m.first.seen)
before = m.first.weight
m.load_state_dict({"first.weight": torch.ones(2).double()}, strict=False, assign=True)
show(m.first.weight is before, m.first.weight)
m.first.weight.requires_grad_(False)
m.load_state_dict({"first.weight": nn.Parameter(torch.zeros(2))}, strict=False, assign=True)
show(m.first.weight)
""",
    "state hooks": """
m = Tree()
m.register_state_dict_pre_hook(lambda *a: show("pre", type(a[0]).__name__, a[1:]))
handle = m.first.register_state_dict_post_hook(lambda mod, d, p, meta: show(list(d), p, meta))
m._register_state_dict_hook(lambda mod, d, p, meta: {k: v for k, v in d.items() if "first" in k})
show(list(m.state_dict()))
handle.remove()
def bad(*a): return 3
m.register_state_dict_post_hook(bad); fails(lambda: m.state_dict())
fails(lambda: m._register_state_dict_hook(bad))
m = Tree()
m.second.register_load_state_dict_pre_hook(lambda mod, d, p, *rest: show("load", p, list(d)))
m.register_load_state_dict_post_hook(lambda mod, keys: show("after", keys))
m.register_load_state_dict_post_hook(lambda mod, keys: keys.missing_keys.clear())
show(m.load_state_dict({"first.weight": torch.ones(2), "first.seen": torch.ones(())}))
m.register_load_state_dict_post_hook(lambda mod, keys: keys)
fails(lambda: m.load_state_dict({}))
""",
    "extra state": """
class Extra(nn.Linear):
    def get_extra_state(self): return {"n": 3}
    def set_extra_state(self, state): show("got", state)
m = nn.Sequential(Extra(1, 1))
show(list(m.state_dict()))
show(m.load_state_dict(m.state_dict()))
fails(lambda: m.load_state_dict({"0.weight": torch.ones(1, 1), "0.bias": torch.ones(1)}))
fails(lambda: nn.Linear(1, 1).load_state_dict(
    {"weight": torch.ones(1, 1), "bias": torch.ones(1), "_extra_state": 3}))
fails(lambda: nn.Linear(1, 1).get_extra_state())
""",
    "old checkpoints": """
m = nn.BatchNorm1d(2)
state = {k: v for k, v in m.state_dict().items() if k != "num_batches_tracked"}
show(m.load_state_dict(state))
fails(lambda: nn.InstanceNorm1d(2).load_state_dict(
    {"running_mean": torch.zeros(2), "running_var": torch.zeros(2)}))
""",
    "conversion": """
m = Tree()
first = m.first.weight
m(torch.ones(2)).sum().backward()
show(m.double() is m, m.first.weight is first, m.first.weight.dtype, m.first.weight.grad.dtype)
show(m.half().first.seen.dtype, m.bfloat16().first.weight.dtype, m.float().first.weight.dtype)
show(m.to(torch.float64).first.weight.dtype, m.to("cpu").first.weight.device)
show(m.to(torch.zeros(1)).first.weight.dtype, m.to(device="cpu", dtype=torch.float64).first.seen)
show(m.to("cpu", torch.float32, True).first.weight.dtype, m.type(torch.float64).first.weight.dtype)
fails(lambda: m.to(torch.int64))
fails(lambda: m.to(3, 4))
fails(lambda: m.to(foo=3))
fails(lambda: m.to("cpu", copy=True))
fails(lambda: m.to("nonsense"))
m.register_buffer("count", torch.tensor(3)); show(m.double().count)
show(m.to(torch.complex64).first.weight)
conv = nn.Conv2d(2, 2, 2).to(memory_format=torch.channels_last)
show(conv.weight.stride(), conv.bias.stride())
""",
    "meta": """
m = nn.Linear(2, 2, device="meta")
show(m.weight.device, m.weight.shape)
fails(lambda: m.to("cpu"))
before = m.weight
show(m.to_empty(device="cpu").weight.device, m.weight is before, m.weight.requires_grad)
m = nn.Linear(2, 2, device="meta")
m.load_state_dict({"weight": torch.ones(2, 2), "bias": torch.ones(2)})
show(m.weight.device)
m.load_state_dict({"weight": torch.ones(2, 2), "bias": torch.ones(2)}, assign=True)
show(m.weight)
""",
    "forward hooks": """
m = Tree()
a = m.register_forward_pre_hook(lambda mod, args: show("pre", args))
b = m.first.register_forward_pre_hook(lambda mod, args: args[0] + 1)
c = m.first.register_forward_pre_hook(
    lambda mod, args, kwargs: (args, {"scale": 10.0}), with_kwargs=True)
d = m.second.register_forward_hook(lambda mod, args, out: show("second", args, out))
e = m.first.register_forward_hook(lambda mod, args, kw, out: show("kw", kw), with_kwargs=True)
f = m.register_forward_hook(lambda mod, args, out: out * 0, prepend=True)
g = m.register_forward_hook(lambda mod, args, out: show("last", out))
show(m(torch.ones(2)))
for handle in (a, b, c, d, e, f): handle.remove()
show(m(torch.ones(2)), len(m._forward_hooks), len(m.first._forward_hooks_with_kwargs))
with m.register_forward_hook(lambda *a: show("inside")): m(torch.ones(2))
m.first.register_forward_pre_hook(lambda mod, args, kwargs: 3, with_kwargs=True)
fails(lambda: m(torch.ones(2)))
""",
    "hooks that always run": """
class Bad(nn.Module):
    def forward(self, x): raise ValueError("no")
m = Bad()
m.register_forward_hook(lambda mod, args, out: show("never"))
m.register_forward_hook(lambda mod, args, out: show("always", args, out), always_call=True)
m.register_forward_hook(lambda mod, args, out: 1 / 0, always_call=True)
fails(lambda: m(torch.ones(1)))
""",
    "global hooks": """
import torch.nn.modules.module as module
handles = [
    module.register_module_forward_pre_hook(lambda m, args: show("pre", type(m).__name__)),
    module.register_module_forward_hook(lambda m, args, out: show("post", type(m).__name__)),
    module.register_module_full_backward_hook(lambda m, gi, go: show("grad", gi, go)),
    module.register_module_full_backward_pre_hook(lambda m, go: show("pregrad", go)),
]
Tree()(torch.ones(2, requires_grad=True)).sum().backward()
fails(lambda: module.register_module_backward_hook(lambda *a: None))
for handle in handles: handle.remove()
Tree()(torch.ones(2))
handles = [
    module.register_module_parameter_registration_hook(lambda m, n, p: show("param", n)),
    module.register_module_buffer_registration_hook(lambda m, n, b: b + 5 if n == "seen" else None),
    module.register_module_module_registration_hook(lambda m, n, c: show("child", n)),
]
show(Tree().first.seen)
for handle in handles: handle.remove()
""",
    "backward hooks": """
m = Tree()
m.first.register_full_backward_hook(lambda mod, gi, go: show("first", gi, go))
m.second.register_full_backward_hook(lambda mod, gi, go: (gi[0] * 10,))
m.second.register_full_backward_pre_hook(lambda mod, go: (go[0] + 1,))
m.first.register_full_backward_hook(lambda mod, gi, go: show("earlier"), prepend=True)
x = torch.ones(2, requires_grad=True)
out = m(x); show(out.grad_fn.name(), out)
out.sum().backward(); show(x.grad, m.first.weight.grad, m.second.weight.grad)
m = Leaf(); m.register_full_backward_hook(lambda mod, gi, go: show("no input", gi, go))
m(torch.ones(2)).sum().backward(); show(m.weight.grad)
m = Leaf(); m.register_full_backward_hook(lambda mod, gi, go: gi + gi)
y = m(torch.ones(2, requires_grad=True)).sum(); fails(lambda: y.backward())
m = Leaf(); m.register_full_backward_pre_hook(lambda mod, go: go + go)
y = m(torch.ones(2, requires_grad=True)).sum(); fails(lambda: y.backward())
fails(lambda: m.register_full_backward_hook(lambda *a: None) and m.register_backward_hook(print))
class Two(nn.Module):
    def forward(self, a, b, c): return a * 2, b * 3, c
m = Two(); m.register_full_backward_hook(lambda mod, gi, go: show("two", gi, go))
a, b = torch.ones(1, requires_grad=True), torch.ones(1)
m(a, b, 7)[0].sum().backward(); show(a.grad)
with torch.no_grad(): show(m(a, b, 7))
class Listy(nn.Module):
    def forward(self, a): return [a * 2]
m = Listy(); m.register_full_backward_hook(lambda mod, gi, go: show("listy"))
m(a)
""",
    "old backward hooks": """
m = nn.ReLU()
m.register_backward_hook(lambda mod, gi, go: show("relu", gi, go))
x = torch.ones(2, requires_grad=True); m(x * 1).sum().backward(); show(x.grad)
m = Tree(); m.register_backward_hook(lambda mod, gi, go: show("tree", len(gi), go))
m(x * 1).sum().backward()
class Two(nn.Module):
    def forward(self, a): return a * 2, a * 3
m = Two(); m.register_backward_hook(lambda *a: None); m(x)
class Dicty(nn.Module):
    def forward(self, a): return {"a": a * 2}
m = Dicty(); m.register_backward_hook(lambda *a: None); m(x)
""",
    "text": """
class Extra(nn.Module):
    def __init__(self, extra):
        super().__init__(); self.extra = extra
    def extra_repr(self): return self.extra
show(nn.Module(), Extra("a=1"), Extra("a=1\\nb=2"))
m = Extra("a=1\\nb=2"); m.child = Extra("c\\nd"); m.other = nn.Sequential(nn.ReLU())
m.hole = nn.Module(); m.none = nn.ReLU(); m.none = None
show(m)
class Named(nn.Module):
    def _get_name(self): return "Fancy"
show(Named(), nn.ModuleList([m, m]), nn.ModuleDict())
""",
    "copies": """
import copy, pickle
m = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.ModuleList([nn.ReLU()]), nn.LSTM(2, 3))
n = copy.deepcopy(m)
show(n, n[0].weight is m[0].weight, torch.equal(n[0].weight, m[0].weight))
with torch.no_grad(): n[0].weight.zero_()
show(m[0].weight.abs().sum().item() > 0, list(n.state_dict()) == list(m.state_dict()))
n = pickle.loads(pickle.dumps(m))
show(n, torch.equal(n[0].weight, m[0].weight), n[0].weight.requires_grad, n.training)
m[0].weight.grad = torch.ones(2, 2); show(copy.deepcopy(m)[0].weight.grad)
show(copy.copy(m)[0] is m[0])
t = nn.Linear(2, 2); t.tied = t.weight; n = copy.deepcopy(t); show(n.tied is n.weight)
p = nn.Parameter(torch.ones(2), requires_grad=False); show(copy.deepcopy(p))
""",
    "super init": """
class Mixin:
    def __init__(self, a=1): self.a = a
class Both(nn.Module, Mixin):
    call_super_init = True
    def __init__(self, **kw): super().__init__(**kw)
show(Both(a=5).a)
class Neither(nn.Module, Mixin):
    def __init__(self): super().__init__()
show(hasattr(Neither(), "a"))
""",
    "sequential": """
m = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Tanh())
show(len(m), m[0], m[-1], [type(x).__name__ for x in m])
m[1] = nn.ELU(); del m[0]; show(m)
m.append(nn.SELU()).extend([nn.GELU(), nn.SiLU()]).insert(1, nn.Mish()); show(m)
show(m.pop(0), m.pop(-1), m); del m[1:]; show(m)
m += nn.Sequential(nn.ReLU()); m *= 2; show(m, 2 * nn.Sequential(nn.ReLU()))
fails(lambda: m[10]); fails(lambda: m[-10]); fails(lambda: m["a"]); fails(lambda: m.append(3))
fails(lambda: m.insert(0, 3)); fails(lambda: m.pop(10)); fails(lambda: m.__iadd__([nn.ReLU()]))
fails(lambda: nn.Sequential([nn.ReLU()])); fails(lambda: nn.Sequential()(1, 2))
show(nn.Sequential()(3), [n for n in dir(m) if n.isdigit()])
""",
    "module list": """
m = nn.ModuleList([nn.Linear(1, 1), nn.Linear(1, 1)])
m.append(nn.ReLU()).extend([nn.Tanh()]); m.insert(1, nn.ELU()); m += [nn.ELU()]
show(m, len(m), m[-1], m[1:3], nn.ReLU() in m, m[0] in m)
del m[0]; del m[1:3]; m[0] = nn.GELU(); show(m, m.pop(-1), m.pop(0), list(m.state_dict()))
fails(lambda: m[5]); fails(lambda: m.append(3)); fails(lambda: m.extend(3)); fails(lambda: m(1))
fails(lambda: m.insert("a", nn.ReLU()))
""",
    "module dict": """
m = nn.ModuleDict({"a": nn.ReLU()}); m["b"] = nn.Linear(1, 1); m.update({"c": nn.Tanh()})
m.update([("d", nn.ELU())]); m.update(nn.ModuleDict({"e": nn.GELU()}))
show(m, len(m), "a" in m, list(m), list(m.keys()), [k for k, _ in m.items()], list(m.values())[0])
del m["a"]; show(m.pop("b"), list(m.state_dict()))
fails(lambda: m["zzz"]); fails(lambda: m.pop("zzz")); fails(lambda: m.update([3]))
m.clear(); show(m, len(m))
""",
    "parameter containers": """
m = nn.ParameterList([torch.ones(2), nn.Parameter(torch.zeros(1, 3), requires_grad=False), "x"])
m.append(torch.ones(())); m += [torch.ones(1)]; m[0] = torch.zeros(2)
show(m, len(m), m[1], m[-1], m[1:3], [type(x).__name__ for x in m], list(m.state_dict()))
fails(lambda: m[9]); fails(lambda: m.extend(3)); fails(lambda: m())
d = nn.ParameterDict({"b": torch.ones(2), "a": 3}); d["z"] = torch.zeros(1)
d.update([("y", torch.ones(1))])
show(d, len(d), list(d), list(reversed(d)), d.get("q", 5), d.setdefault("w"), "w" in d)
show(d.pop("b"), d.popitem(), list(d.state_dict()), d.copy(), d.fromkeys(["k"], 7)["k"])
d |= {"new": torch.ones(1)}; show(d | {"o": 1}, [k for k, _ in d.items()], len(list(d.values())))
del d["new"]; d.clear(); show(d)
fails(lambda: d["zzz"]); fails(lambda: d(3))
fails(lambda: d.update(3)); fails(lambda: d.update([3]))
""",
    "clipping": """
def params():
    out = [nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(3)), nn.Parameter(torch.ones(1))]
    out[0].grad = torch.tensor([3.0, -4.0]); out[1].grad = torch.tensor([0.5, 2.0, float(12)])
    return out
U = nn.utils
for kind in (2.0, 1, float("inf")):
    p = params(); show(U.clip_grad_norm_(p, 1.0, kind), p[0].grad, p[1].grad, p[2].grad)
p = params(); show(U.clip_grad_norm_(p[0], 100.0), p[0].grad, U.clip_grad_norm_([], 1.0))
show(U.clip_grad_norm_((x for x in ()), 1.0), U.get_total_norm([q.grad for q in p[:2]]))
p = params(); U.clip_grad_value_(p, 1.0); show(p[0].grad, p[1].grad)
p[0].grad[0] = float("nan"); fails(lambda: U.clip_grad_norm_(p, 1.0, error_if_nonfinite=True))
p = params(); U.clip_grads_with_norm_(p, 1.0, torch.tensor(26.0)); show(p[0].grad)
p = params(); U.clip_grad_norm(p, 1.0)
v = U.parameters_to_vector(params()); show(v)
p = params(); U.vector_to_parameters(v * 2, p); show(p); fails(lambda: U.vector_to_parameters(3, p))
""",
    "packing": """
R = nn.utils.rnn
seqs = [torch.arange(4.0), torch.arange(2.0), torch.arange(1.0)]
show(R.pad_sequence(seqs), R.pad_sequence(seqs, True, -1.0))
show(R.pad_sequence(seqs, True, padding_side="left"))
packed = R.pack_sequence(seqs); show(packed, R.pad_packed_sequence(packed))
show(R.pad_packed_sequence(packed, True, 9.0, 6), R.unpack_sequence(packed))
x = torch.arange(12.0).view(3, 4)
packed = R.pack_padded_sequence(x, [2, 4, 1], True, enforce_sorted=False)
show(packed, R.pad_packed_sequence(packed, batch_first=True), packed.double().data.dtype)
fails(lambda: R.pad_packed_sequence(packed, total_length=2))
fails(lambda: R.pad_sequence(3)); fails(lambda: R.pad_sequence(seqs, padding_side="up"))
fails(lambda: R.pack_padded_sequence(torch.ones(4, 2), [1, 3]))
fails(lambda: R.pack_padded_sequence(torch.ones(4, 2), [3, 0]))
show(R.pack_padded_sequence(torch.arange(8.0).view(4, 2), [5, 2]))
fails(lambda: R.pack_padded_sequence(torch.ones(3, 0, 3), []))
fails(lambda: R.pack_sequence([torch.ones(0, 3)]))
fails(lambda: R.pad_sequence([torch.ones(2, 3), torch.ones(4, 2)]))
fails(lambda: R.pad_sequence([torch.ones(2), 3]))
fails(lambda: R.PackedSequence(torch.ones(1)))
show(R.invert_permutation(torch.tensor([2, 0, 1])), R.invert_permutation(None))
show(R.unpad_sequence(torch.arange(6).view(2, 3), torch.tensor([3, 1]), True))
""",
    "adaptive": """
m = nn.AdaptiveLogSoftmaxWithLoss(4, 6, [2, 4], head_bias=True)
with torch.no_grad():
    for p in m.parameters(): p.copy_(torch.linspace(-1, 1, p.numel()).view_as(p))
x = torch.linspace(-2, 2, 12).view(3, 4)
show(m, m.log_prob(x), m.predict(x), m(x, torch.tensor([0, 3, 5])), m(x[0], torch.tensor(4)))
fails(lambda: m(x, torch.tensor([0, 3]))); fails(lambda: m(x, torch.tensor([0, 3, 6])))
fails(lambda: m(x[0], torch.tensor([0]))); fails(lambda: m(x, torch.tensor([[0, 3, 5]])))
""",
    "lazy": """
m = nn.Sequential(nn.LazyLinear(3), nn.ReLU(), nn.LazyBatchNorm1d())
show(m, m[0].weight, m[0].has_uninitialized_params(), nn.parameter.is_lazy(m[0].weight))
fails(lambda: m[0].weight.shape)
show(m.state_dict()["0.weight"])
show(m(torch.ones(2, 4)).shape, m, m[0].weight.shape, type(m[0]).__name__)
show(m[0].weight.requires_grad, m[2].running_var.requires_grad)
m = nn.LazyLinear(3); m.load_state_dict({"weight": torch.ones(3, 5), "bias": torch.ones(3)})
show(m(torch.ones(1, 5)), m)
m = nn.LazyLinear(3); fails(lambda: nn.Linear(2, 3).load_state_dict(m.state_dict()))
m = nn.LazyLinear(3).double(); m(torch.ones(1, 2).double()); show(m.weight.dtype)
""",
    "parametrize": """
P = nn.utils.parametrize
class Symmetric(nn.Module):
    def forward(self, x): return x.triu() + x.triu(1).mT
    def right_inverse(self, x): return x.triu()
class Double(nn.Module):
    def forward(self, x): return x * 2
class Pair(nn.Module):
    def forward(self, a, b): return a + b
    def right_inverse(self, x): return x / 2, x / 2
class Wrong(nn.Module):
    def forward(self, x): return x.double()
m = nn.Linear(3, 3)
with torch.no_grad(): m.weight.copy_(torch.arange(9.0).view(3, 3))
P.register_parametrization(m, "weight", Symmetric())
show(m, m.weight, list(m.state_dict()), P.is_parametrized(m), P.is_parametrized(m, "bias"))
show(type(m).__name__, P.type_before_parametrizations(m).__name__, m.parametrizations.weight[0])
m.weight = torch.ones(3, 3); show(m.weight, m.parametrizations.weight.original)
P.register_parametrization(m, "weight", Double()); show(m.weight)
fails(lambda: setattr(m, "weight", torch.ones(3, 3)))
fails(lambda: P.register_parametrization(m, "weight", Wrong()))
fails(lambda: P.register_parametrization(nn.Linear(2, 2), "weight", Wrong()))
fails(lambda: P.register_parametrization(nn.Linear(2, 2), "zzz", Wrong()))
with P.cached(): show(m.weight is m.weight)
show(m.weight is m.weight)
import copy, pickle
n = copy.deepcopy(m); show(torch.equal(n.weight, m.weight)); fails(lambda: pickle.dumps(m))
m(torch.ones(1, 3)).sum().backward(); show(m.parametrizations.weight.original.grad)
P.remove_parametrizations(m, "weight"); show(m, m.weight, type(m).__name__)
fails(lambda: P.remove_parametrizations(m, "weight"))
m = nn.Linear(2, 2); P.register_parametrization(m, "weight", Pair())
show(list(m.state_dict())); before = m.weight.detach(); m.weight = torch.ones(2, 2); show(m.weight)
fails(lambda: P.remove_parametrizations(m, "weight", leave_parametrized=False))
show(P.remove_parametrizations(m, "weight").weight)
a, b = nn.Linear(2, 2), nn.Linear(2, 2); P.register_parametrization(a, "weight", Double())
P.transfer_parametrizations_and_params(a, b); show(torch.equal(a.weight, b.weight), b)
""",
    "weight norm": """
def fill(m):
    with torch.no_grad():
        for p in m.parameters(): p.copy_(torch.linspace(-1, 1, p.numel()).view_as(p))
    return m
x = torch.ones(1, 3)
m = nn.utils.weight_norm(fill(nn.Linear(3, 2)))
show(m, list(m.state_dict()), m.weight_g, m(x)); m(x).sum().backward(); show(m.weight_v.grad)
fails(lambda: nn.utils.weight_norm(m)); nn.utils.remove_weight_norm(m)
show(list(m.state_dict()), m.weight); fails(lambda: nn.utils.remove_weight_norm(m))
m = nn.utils.parametrizations.weight_norm(fill(nn.Linear(3, 2)), dim=1)
show(m, list(m.state_dict()), m.weight, m(x)); m(x).sum().backward()
show([p.grad for p in m.parameters()])
n = nn.utils.parametrizations.weight_norm(nn.Linear(3, 2))
show(n.load_state_dict({"weight_g": torch.ones(2, 1), "weight_v": torch.ones(2, 3),
                        "bias": torch.ones(2)}), n.weight)
m = nn.utils.weight_norm(fill(nn.Linear(3, 2)), dim=None); show(m.weight_g, m(x))
""",
    "spectral norm": """
def fill(m):
    with torch.no_grad():
        for p in m.parameters(): p.copy_(torch.linspace(-1, 2, p.numel()).view_as(p))
    return m
x = torch.ones(1, 3)
torch.manual_seed(1); m = nn.utils.spectral_norm(fill(nn.Linear(3, 2)))
show(m, list(m.state_dict()), m.weight_u, m(x)); m(x).sum().backward(); show(m.weight_orig.grad)
show(m.eval()(x), m.state_dict()._metadata[""], m.load_state_dict(m.state_dict()))
fails(lambda: nn.utils.spectral_norm(m)); nn.utils.remove_spectral_norm(m)
show(list(m.state_dict()), m.weight); fails(lambda: nn.utils.remove_spectral_norm(m))
torch.manual_seed(1); m = nn.utils.parametrizations.spectral_norm(fill(nn.Conv1d(3, 2, 2)))
show(m, list(m.state_dict()), m.weight, m.eval().weight)
fails(lambda: nn.utils.parametrizations.spectral_norm(nn.Linear(2, 2), n_power_iterations=0))
fails(lambda: nn.utils.parametrizations.spectral_norm(nn.Linear(2, 2), dim=4))
fails(lambda: nn.utils.parametrizations.spectral_norm(nn.Linear(2, 2), "zzz"))
""",
    "orthogonal": """
def near(m): return (m.weight.mT @ m.weight).detach().round(decimals=3).abs()
for size, kind in (((3, 3), None), ((2, 4), "cayley"), ((2, 4), None)):
    m = nn.utils.parametrizations.orthogonal(nn.Linear(*size), orthogonal_map=kind)
    show(near(m), list(m.state_dict()))
fails(lambda: nn.utils.parametrizations.orthogonal(nn.Linear(2, 2), "bias"))
fails(lambda: nn.utils.parametrizations.orthogonal(nn.Linear(2, 2), orthogonal_map="zzz"))
""",
    "pruning": """
import torch.nn.utils.prune as P
def fill(m):
    with torch.no_grad():
        for p in m.parameters(): p.copy_(torch.linspace(-1, 2, p.numel()).view_as(p))
    return m
m = fill(nn.Linear(4, 3))
P.l1_unstructured(m, "weight", 0.3); show(m.weight, list(m.state_dict()), m.weight_mask)
m(torch.ones(1, 4)).sum().backward(); show(m.weight_orig.grad)
P.ln_structured(m, "weight", amount=1, n=2, dim=0); show(m.weight, P.is_pruned(m))
show(len(list(m._forward_pre_hooks.values())[0]))
P.remove(m, "weight"); show(m.weight, list(m.state_dict()), P.is_pruned(m))
fails(lambda: P.remove(m, "weight"))
m = fill(nn.Linear(4, 3)); torch.manual_seed(2)
P.random_unstructured(m, "weight", 5); show(m.weight); P.random_structured(m, "weight", 1, dim=1)
show(m.weight); P.identity(m, "bias"); show(m.bias)
P.custom_from_mask(m, "bias", torch.tensor([1, 0, 1])); show(m.bias)
a, b = fill(nn.Linear(2, 2)), fill(nn.Linear(2, 3))
P.global_unstructured([(a, "weight"), (b, "weight")], P.L1Unstructured, amount=0.4)
show(a.weight, b.weight)
fails(lambda: P.l1_unstructured(a, "weight", -1))
fails(lambda: P.l1_unstructured(a, "weight", 1.5))
fails(lambda: P.l1_unstructured(a, "weight", "x")); fails(lambda: P.l1_unstructured(b, "bias", 9))
fails(lambda: P.ln_structured(b, "bias", 1, 2, 0))
fails(lambda: P.ln_structured(fill(nn.Linear(2, 2)), "weight", 1, 2, 5))
show(list(b.state_dict()))
""",
    "padding": """
layer = nn.TransformerEncoderLayer(4, 2, 6, batch_first=True)
m = nn.TransformerEncoder(layer, 2, nn.LayerNorm(4)).eval()
with torch.no_grad():
    for p in m.parameters(): p.copy_(torch.linspace(-1, 1, p.numel()).view_as(p))
x = torch.linspace(-2, 2, 24).view(2, 3, 4)
def look(pad, **options):
    with torch.no_grad(): show(m(x, src_key_padding_mask=torch.tensor(pad).bool(), **options))
look([[0, 0, 1], [0, 0, 0]]); look([[0, 1, 0], [0, 0, 0]]); look([[0, 1, 1], [0, 0, 1]])
look([[0, 0, 1], [0, 0, 0]], mask=nn.Transformer.generate_square_subsequent_mask(3))
show(m(x, src_key_padding_mask=torch.tensor([[0, 0, 1], [0, 0, 0]]).bool()).detach())
m.train(); m.layers[0].eval(); m.eval(); m.use_nested_tensor = False; look([[0, 0, 1], [0, 0, 0]])
""",
    "stateless": """
call = nn.utils.stateless.functional_call
m = Tree()
given = {"first.weight": torch.zeros(2), "first.seen": torch.tensor(5.0)}
show(call(m, given, torch.ones(2)), given, m.first.weight, m.first.seen, m.second.seen)
show(call(m, {"first.weight": torch.ones(2)}, (torch.ones(2),)))
show(call(m.first, {}, torch.ones(2), {"scale": 3.0}))
fails(lambda: call(m, {"zzz.weight": torch.ones(2)}, torch.ones(2)))
fails(lambda: call(m, {"first.weight": 3}, torch.ones(2)))
fails(lambda: call(m.first, {"weight": torch.ones(2)}, torch.ones(2), strict=True))
both = {"first.weight": torch.ones(2), "third.weight": torch.zeros(2)}
fails(lambda: call(m, both, torch.ones(2)))
w = torch.full((2,), 3.0, requires_grad=True)
call(m, {"third.weight": w}, torch.ones(2)).sum().backward(); show(w.grad, m.first.weight.grad)
""",
    "sizes": """
from collections import OrderedDict
from torch.nn.modules.utils import _pair, _triple, _ntuple, consume_prefix_in_state_dict_if_present
show(_pair(3), _pair([1, 2]), _triple(1), _ntuple(5)("ab"))
state = nn.Sequential(nn.Linear(1, 1)).state_dict(prefix="module.")
consume_prefix_in_state_dict_if_present(state, "module."); show(list(state), dict(state._metadata))
""",
    "fusion": """
conv, bn, lin = nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3), nn.Linear(2, 3)
fails(lambda: nn.utils.fuse_conv_bn_eval(conv, bn))
for m in (conv, bn, lin): m.eval()
bn.running_mean += 2; bn.running_var *= 3; x = torch.ones(1, 2, 1, 1)
show(torch.allclose(nn.utils.fuse_conv_bn_eval(conv, bn)(x), bn(conv(x)), atol=1e-6))
b1 = nn.BatchNorm1d(3).eval(); y = torch.ones(1, 2)
show(torch.allclose(nn.utils.fuse_linear_bn_eval(lin, b1)(y), b1(lin(y)), atol=1e-6))
fails(lambda: nn.utils.fuse_linear_bn_eval(lin, nn.BatchNorm1d(2).eval()))
show(nn.utils.skip_init(nn.Linear, 2, 3).weight.shape); fails(lambda: nn.utils.skip_init(nn.ReLU))
""",
    "reductions": """
fails(lambda: nn.functional.mse_loss(torch.ones(1), torch.ones(1), reduction="bad"))
show(nn.L1Loss(reduce=False).reduction, nn.L1Loss(False, True).reduction, nn.L1Loss(True).reduction)
""",
}


class _Printer:
    def __init__(self):
        self.out = io.StringIO()

    def show(self, *values):
        for value in values:
            print(value, file=self.out)

    def fails(self, function):
        try:
            result = function()
        except Exception as error:
            print(f"{type(error).__name__}: {error}", file=self.out)
        else:
            print(f"no error: {result}", file=self.out)


def play(torch, source):
    """What a program prints, its warnings last; names of torchlike's own modules as PyTorch's."""
    printer = _Printer()
    names = {"__name__": "program", "torch": torch, "nn": torch.nn, "show": printer.show,
             "fails": printer.fails}
    with (
        subject.imported_as_torch(torch), warnings.catch_warnings(record=True) as caught,
        contextlib.redirect_stdout(printer.out),
    ):
        warnings.simplefilter("always")
        torch.manual_seed(0)
        try:
            exec(BASE + source, names)
        except Exception as error:
            print(f"stopped: {type(error).__name__}: {error}", file=printer.out)
    for warning in caught:
        if "nested tensors is in prototype" in str(warning.message):
            continue  # torchlike has no nested tensors to warn about
        print(f"{warning.category.__name__}: {warning.message}", file=printer.out)
    return same_names(printer.out.getvalue())


def same_names(text):
    """The text with module paths, which differ by package, and the order of sets left out."""
    text = re.sub(r"\b(torch|torchlike)\.(nn\.)?(\w+\.)*(?=[A-Z])", "torch.", text)
    return re.sub(r"\{('\w+'(, )?)+\}", "{…}", text)
