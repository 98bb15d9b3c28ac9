# torch.utils: counting operations, weak references, facts about the machine.

# In [flops]
from torch.utils.flop_counter import FlopCounterMode
def count(name, f, backward=True):
    with FlopCounterMode(display=False) as counter:
        y = f()
        forward = counter.get_total_flops()
        if backward:
            y.sum().backward()
    counts = sorted((k, sorted((str(op), n) for op, n in v.items())) for k, v in counter.get_flop_counts().items())
    print(name, forward, counter.get_total_flops(), counts)
a, q = torch.ones(5, 2, 3, requires_grad=True), torch.ones(1, 2, 3, 4, requires_grad=True)
count("linear", lambda: nn.Linear(3, 4)(torch.ones(2, 3, requires_grad=True)))
count("linear of 3 dims", lambda: nn.Linear(3, 4)(torch.ones(5, 2, 3)))
count("no bias", lambda: nn.Linear(3, 4, bias=False)(torch.ones(5, 2, 3)))
count("conv", lambda: nn.Conv2d(2, 4, 3, padding=1)(torch.ones(2, 2, 5, 5, requires_grad=True)))
count("groups", lambda: nn.Conv2d(2, 4, 3, groups=2, stride=2)(torch.ones(2, 2, 5, 5)))
count("unbatched", lambda: nn.Conv1d(2, 4, 3)(torch.ones(2, 5)))
count("transposed", lambda: nn.ConvTranspose2d(2, 4, 3)(torch.ones(2, 2, 5, 5, requires_grad=True)))
count("attention", lambda: F.scaled_dot_product_attention(q, q, q))
count("attention of 3 dims", lambda: F.scaled_dot_product_attention(q[0], q[0], q[0]))
count("matmul", lambda: a @ torch.ones(3, 4, requires_grad=True))
count("bmm", lambda: a @ torch.ones(5, 3, 4, requires_grad=True))
count("mv", lambda: torch.ones(2, 3) @ torch.ones(3), False)
count("einsum", lambda: torch.einsum("bij,bjk->bik", a, torch.ones(5, 3, 4)))
count("einsum of three", lambda: torch.einsum("bij,bjk,kl->bl", a, torch.ones(5, 3, 4), torch.ones(4, 6)), False)
count("outer", lambda: torch.einsum("i,j->ij", torch.ones(3), torch.ones(4)), False)
count("lstm", lambda: nn.LSTM(3, 4)(torch.ones(5, 2, 3))[0])
count("gru", lambda: nn.GRU(3, 4)(torch.ones(5, 2, 3))[0])
count("mha", lambda: nn.MultiheadAttention(4, 2)(*[torch.ones(3, 1, 4)] * 3)[0])
count("bilinear", lambda: nn.Bilinear(2, 3, 4)(torch.ones(5, 2), torch.ones(5, 3)))
count("addmm", lambda: torch.addmm(torch.ones(4), torch.ones(2, 3), torch.ones(3, 4)), False)
count("baddbmm", lambda: torch.baddbmm(torch.ones(4), a, torch.ones(5, 3, 4)))

# In [flops of modules]
from torch.utils.flop_counter import FlopCounterMode, register_flop_formula, get_suffix_str, convert_num_with_suffix, convert_to_percent_str
model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Sequential(nn.Linear(4, 5)))
counter = FlopCounterMode(display=False)
with counter:
    model(torch.ones(2, 3)).sum().backward()
for name, counts in sorted(counter.get_flop_counts().items()):
    print(name, sorted((str(op), n) for op, n in counts.items()))
with counter:
    model[0](torch.ones(2, 3))
print(counter.get_total_flops())
with FlopCounterMode(display=False, custom_mapping={torch.ops.aten.mm: lambda a, b, out_shape=None: 7}) as counter:
    torch.ones(2, 3) @ torch.ones(3, 4)
    y = torch.ones(2, 3, requires_grad=True) @ torch.ones(3, 4)
print(counter.get_total_flops(), counter.flop_counts["Global"][torch.ops.aten.mm])
y.sum().backward()
print(counter.get_total_flops())
@register_flop_formula(torch.ops.aten.relu)
def relu_flop(shape, *args, out_shape=None, **kwargs):
    return shape[0] * 100
with FlopCounterMode(display=False) as counter:
    torch.ones(3).relu()
print(counter.get_total_flops())
for wrong in (torch.relu, torch.ops.aten.mm):
    try:
        register_flop_formula(wrong)(relu_flop)
    except Exception as error:
        print(type(error).__name__, str(error)[:120])
for n in (0, 999, 12345, 1234567, 10**13):
    print(get_suffix_str(n), convert_num_with_suffix(n, get_suffix_str(n + 10000)), convert_to_percent_str(n, 12345))
import warnings
with warnings.catch_warnings(record=True) as seen:
    FlopCounterMode(model)
print(seen[0].message)

# In [weak references]
from torch.utils.weak import TensorWeakRef, WeakIdKeyDictionary, WeakIdRef, WeakTensorKeyDictionary
import copy
t, u = torch.ones(2), torch.zeros(2)
d = WeakTensorKeyDictionary({t: 1})
d[u] = 2
print(len(d), d[t], t in d, torch.ones(2) in d, 3 in d, list(d.values()), d.get(u), d.pop(u), len(d))
d[u] = [3]
e, f = copy.copy(d), copy.deepcopy(d)
print(e == d, f == d, e[u] is d[u], f[u] is d[u], (d | {t: 5})[t], len(d.keyrefs()), d == 3)
ref, wref = TensorWeakRef(u), WeakIdRef(t)
print(ref() is u, wref() is t, wref == WeakIdRef(t), wref == WeakIdRef(u), hash(wref) == id(t))
del u
print(len(d), ref(), [k is t for k in d], d.setdefault(t, 9))
try:
    TensorWeakRef(3)
except AssertionError as error:
    print(error)

# In [the machine, and extensions]
import torch.utils.cpp_extension as C
print(torch.utils.weak.TensorWeakRef.__name__)
from torch.utils.collect_env import get_env_info, get_pretty_env_info
info = get_env_info()
print(info.is_debug_build, info.cuda_compiled_version, "PyTorch version: 2.13" in get_pretty_env_info(), C.CUDA_HOME, C.ROCM_HOME, C.IS_HIP_EXTENSION)

# In [modules by name]
from torch.utils.module_tracker import ModuleTracker
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(2, 2))
    def forward(self, x):
        print(sorted(tracker.parents))
        return self.inner(x)
class Shows(nn.Module):
    def forward(self, x):
        print(sorted(tracker.parents))
        return x
net = Net()
net.inner.append(Shows())
with ModuleTracker() as tracker:
    net(torch.ones(1, 2))
    print(tracker.parents)
net.inner[1](torch.ones(1))
