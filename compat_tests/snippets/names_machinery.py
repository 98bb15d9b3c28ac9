"""The machinery of modules and containers: wrong names, hooks, state, operations; found by sweeping."""

# In [machinery of modules]
import warnings, copy, pickle
warnings.simplefilter("ignore")
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.a = nn.Linear(2, 2); self.b = nn.Sequential(nn.BatchNorm1d(2), nn.ReLU()); self.c = self.a
        self.register_buffer("buf", torch.ones(2)); self.register_buffer("tmp", torch.zeros(1), persistent=False); self.register_parameter("none", None)
    def forward(self, x, *, k=1): return self.b(self.a(x)) * k
class Bare(nn.Module): pass
class NoSuper(nn.Module):
    def __init__(self): self.x = nn.Linear(1, 1)
class NoSuper2(nn.Module):
    def __init__(self): self.x = nn.Parameter(torch.ones(1))
class NoSuper3(nn.Module):
    def __init__(self): self.x = 3
def run(call):
    try: return str(eval(call, {**globals_, "m": Net(), "log": log})).replace("\n", " | ")
    except Exception as e: return f"{type(e).__name__}: {str(e)[:400]}"
def do(*fs):
    r = None
    for f in fs: r = f
    return r
log = []
globals_ = dict(globals())
for call in """
Bare()(1)
Bare()
NoSuper()
NoSuper2()
NoSuper3()
NoSuper3().x
list(NoSuper3().parameters())
nn.Module(3)
nn.Module(a=3)
m
sorted(m.state_dict())
sorted(m.state_dict(prefix='p.'))
sorted(m.state_dict(keep_vars=True))
m.state_dict(keep_vars=True)['a.weight'].requires_grad, m.state_dict()['a.weight'].requires_grad
m.state_dict({}, 'p.')
[n for n, _ in m.named_parameters()]
[n for n, _ in m.named_parameters(remove_duplicate=False)]
[n for n, _ in m.named_parameters('q', recurse=False)]
[n for n, _ in m.named_modules()]
[n for n, _ in m.named_modules(remove_duplicate=False)]
[n for n, _ in m.named_modules(prefix='z')]
[n for n, _ in m.named_children()]
[n for n, _ in m.named_buffers()]
[n for n, _ in m.named_buffers(remove_duplicate=False, recurse=False)]
len(list(m.modules())), len(list(m.children()))
m.get_submodule('b.0')
m.get_submodule('')  is m
m.get_submodule('b.7')
m.get_submodule('buf')
m.get_submodule('nope.x')
m.get_submodule(3)
m.get_parameter('a.weight').shape
m.get_parameter('buf')
m.get_parameter('a.nope')
m.get_parameter('none')
m.get_buffer('b.0.running_mean')
m.get_buffer('a.weight')
m.get_buffer('tmp')
m.get_extra_state()
m.set_extra_state(3)
do(m.set_submodule('b.1', nn.Tanh()), m.b)
m.set_submodule('b.5', nn.Tanh())
do(m.set_submodule('b.5', nn.Tanh(), strict=False), m.b)
m.set_submodule('b.5', nn.Tanh(), strict=True)
m.set_submodule('', nn.Tanh())
m.set_submodule('b.1', 3)
m.set_submodule('x.y', nn.Tanh())
m.set_submodule('buf', nn.Tanh())
m.register_buffer('a', torch.ones(1))
m.register_buffer('x.y', torch.ones(1))
m.register_buffer('', torch.ones(1))
m.register_buffer(3, torch.ones(1))
m.register_buffer('q', 3)
m.register_buffer('q', None)
m.register_buffer('buf', None)
m.register_parameter('a', None)
m.register_parameter('w.x', None)
m.register_parameter('w', torch.ones(1))
m.register_parameter('w', torch.ones(1, requires_grad=True) * 2)
m.register_parameter('w', nn.Parameter(torch.ones(1)))
m.register_parameter('', nn.Parameter(torch.ones(1)))
m.register_parameter(3, nn.Parameter(torch.ones(1)))
m.add_module('a', nn.ReLU())
m.add_module('forward', nn.ReLU())
m.add_module('x.y', nn.ReLU())
m.add_module('', nn.ReLU())
m.add_module('q', 3)
m.add_module('q', None)
m.add_module(3, nn.ReLU())
m.register_module('r', nn.ReLU())
setattr(m, 'a', 3)
setattr(m, 'a', None)
setattr(m, 'buf', 3)
setattr(m, 'buf', None)
setattr(m, 'buf', torch.zeros(5))
setattr(m.a, 'weight', torch.zeros(2, 2))
setattr(m.a, 'weight', 3)
setattr(m.a, 'weight', None)
setattr(m.a, 'weight', nn.Parameter(torch.zeros(1)))
setattr(m, 'none', torch.ones(1))
setattr(m, 'none', nn.Parameter(torch.ones(1)))
do(setattr(m, 'buf', nn.Parameter(torch.ones(1))), sorted(n for n, _ in m.named_parameters()))
do(setattr(m, 'a', nn.Parameter(torch.ones(1))), sorted(n for n, _ in m.named_parameters()))
do(setattr(m, 'z', nn.Buffer(torch.ones(1))), sorted(n for n, _ in m.named_buffers()))
do(setattr(m, 'z', nn.Buffer(torch.ones(1), persistent=False)), sorted(m.state_dict()))
delattr(m, 'buf')
delattr(m, 'nope')
do(delattr(m, 'a'), sorted(m.state_dict()))
m.nope
m.a.nope
m(torch.ones(2, 2), k=2).shape
m(torch.ones(2, 2), 2)
m(torch.ones(2, 2), z=2)
m.train(3)
m.train('a')
m.eval().training
m.train(False).b[0].training
m.requires_grad_(False).a.weight.requires_grad
m.requires_grad_('a')
m.requires_grad_()  is m
do(m.zero_grad(), m.a.weight.grad)
m.zero_grad(set_to_none=False)
m.apply(lambda x: log.append(type(x).__name__)) is m and log[-5:]
m.apply(3)
m.to('nope')
m.to(3)
m.to(torch.int64)
m.to(torch.complex64).a.weight.dtype
m.to(torch.float64, non_blocking=True).buf.dtype
m.to(dtype='a')
m.to(torch.ones(1).double()).a.weight.dtype
m.to()
m.to('cpu', torch.float16).b[0].running_mean.dtype, m.to('cpu', torch.float16).b[0].num_batches_tracked.dtype
m.to(memory_format=torch.channels_last)
m.type(torch.float64).buf.dtype
m.type('torch.DoubleTensor').buf.dtype
m.half().b[0].num_batches_tracked.dtype
m.bfloat16().buf.dtype, m.double().buf.dtype, m.float().buf.dtype
m.to_empty(device='cpu').a.weight.shape
m.cpu() is m
m.share_memory().a.weight.is_shared() if 0 else 0
m.extra_repr(), m._get_name(), m.dump_patches, m.call_super_init
m.load_state_dict({})
m.load_state_dict({}, strict=False)
m.load_state_dict(3)
m.load_state_dict({**m.state_dict(), 'x': torch.ones(1)})
m.load_state_dict({k: v for k, v in m.state_dict().items() if 'b.' not in k})
m.load_state_dict({**m.state_dict(), 'buf': torch.ones(3), 'a.weight': torch.ones(1)})
m.load_state_dict({**m.state_dict(), 'buf': torch.ones(3)}, strict=False)
m.load_state_dict({**m.state_dict(), 'buf': 3})
m.load_state_dict({**m.state_dict(), 'buf': torch.tensor(1.)})
m.load_state_dict({**m.state_dict(), 'buf': torch.ones(2, dtype=torch.int64)})
m.load_state_dict({**m.state_dict(), 'buf': torch.ones(2, dtype=torch.complex64)})
m.load_state_dict(m.state_dict(), assign=True)
m.load_state_dict(m.state_dict(), assign='a')
m.load_state_dict({k: v.to('meta') for k, v in m.state_dict().items()})
m.register_forward_hook(lambda mod, x, y: y * 0) and m(torch.ones(2, 2)).sum()
m.register_forward_hook(lambda mod, x, k, y: y * k['k'], with_kwargs=True) and m(torch.ones(2, 2), k=3).shape
m.register_forward_hook(lambda mod, x, k, y: y, with_kwargs=False) and m(torch.ones(2, 2), k=3).shape
m.register_forward_pre_hook(lambda mod, x: (x[0] * 0,)) and m(torch.ones(2, 2)).sum()
m.register_forward_pre_hook(lambda mod, x: x[0] * 0) and m(torch.ones(2, 2)).sum()
m.register_forward_pre_hook(lambda mod, x, k: (x, {'k': 5}), with_kwargs=True) and m(torch.ones(2, 2)).shape
m.register_forward_pre_hook(lambda mod, x, k: 3, with_kwargs=True) and m(torch.ones(2, 2)).shape
m.register_forward_hook(3) and m(torch.ones(2, 2))
m.register_full_backward_hook(lambda mod, gi, go: log.append([g is None for g in gi])) and do(m(torch.ones(2, 2, requires_grad=True)).sum().backward(), log[-1])
m.register_full_backward_hook(lambda mod, gi, go: 3) and m(torch.ones(2, 2, requires_grad=True)).sum().backward()
m.register_full_backward_pre_hook(lambda mod, go: (go[0] * 2,)) and do(m(torch.ones(2, 2)).sum().backward(), m.a.bias.grad)
m.register_backward_hook(lambda mod, gi, go: log.append(len(gi))) and do(m(torch.ones(2, 2)).sum().backward(), log[-1])
do(m.register_full_backward_hook(lambda *a: None), m.register_backward_hook(lambda *a: None))
m.register_state_dict_post_hook(lambda mod, sd, p, meta: sd.update(z=1)) and sorted(m.state_dict())
m.register_state_dict_pre_hook(lambda mod, p, k: log.append((p, k))) and do(m.state_dict(prefix='w.'), log[-1])
m.register_load_state_dict_post_hook(lambda mod, keys: log.append(keys)) and do(m.load_state_dict({}, strict=False), len(log[-1].missing_keys))
m.register_load_state_dict_post_hook(lambda mod, keys: 3) and m.load_state_dict({}, strict=False)
m.register_load_state_dict_pre_hook(lambda mod, sd, *a: sd.update(extra=torch.ones(1))) and m.load_state_dict(m.state_dict())
m._register_load_state_dict_pre_hook(lambda sd, *a: log.append(len(a))) and do(m.load_state_dict(m.state_dict()), log[-1])
copy.deepcopy(m).c is copy.deepcopy(m).a
do(copy.copy(m), copy.copy(m).a is m.a)
[len(x) for x in (nn.ModuleList(), nn.ModuleDict(), nn.ParameterList(), nn.ParameterDict(), nn.Sequential())]
nn.ModuleList([3])
nn.ModuleList(3)
nn.ModuleList([nn.ReLU()])[1]
nn.ModuleList([nn.ReLU()])['a']
nn.ModuleList([nn.ReLU(), nn.Tanh(), nn.GELU()])[::2]
nn.ModuleList([nn.ReLU(), nn.Tanh()]) + [nn.GELU()]
nn.ModuleList([nn.ReLU()]) + 3
nn.ModuleList([nn.ReLU(), nn.Tanh()]).pop(0)
nn.ModuleList([nn.ReLU(), nn.Tanh()]).insert(1, nn.GELU())
nn.ModuleList([nn.ReLU()]).extend(3)
nn.ModuleList([nn.ReLU()]).extend(nn.Tanh())
nn.ModuleList([nn.ReLU()]).append(3)
nn.ModuleList([nn.ReLU()])(3)
do(nn.ModuleList([nn.ReLU(), nn.Tanh()]).__delitem__(0))
nn.ModuleList([nn.ReLU(), nn.Tanh()]).__delitem__(7)
nn.ModuleList([nn.Linear(2, 2) for _ in range(4)])
nn.ModuleDict({'a': 3})
nn.ModuleDict({'a.b': nn.ReLU()})
nn.ModuleDict({3: nn.ReLU()})
nn.ModuleDict(3)
nn.ModuleDict([('a', nn.ReLU()), ('b', nn.Tanh(), 3)])
nn.ModuleDict({'a': nn.ReLU()})['b']
nn.ModuleDict({'a': nn.ReLU()}).pop('b')
nn.ModuleDict({'keys': nn.ReLU()})
nn.ModuleDict({'a': nn.ReLU()}).update({'b': nn.Tanh()})
list(nn.ModuleDict({'a': nn.ReLU(), 'b': nn.Tanh()}).items())
'a' in nn.ModuleDict({'a': nn.ReLU()}), list(nn.ModuleDict({'a': nn.ReLU()})), nn.ModuleDict({'a': nn.ReLU()}).clear()
nn.ModuleDict({'a': nn.ReLU()})(3)
nn.Sequential(3)
nn.Sequential(nn.ReLU(), nn.Tanh())[5]
nn.Sequential(nn.ReLU(), nn.Tanh())[-1]
nn.Sequential(nn.ReLU(), nn.Tanh())[:1]
nn.Sequential(nn.ReLU()) + nn.Sequential(nn.Tanh())
nn.Sequential(nn.ReLU()) + 3
nn.Sequential(nn.ReLU()) * 2
nn.Sequential(nn.ReLU()) * -1
nn.Sequential(nn.ReLU()) * 1.5
nn.Sequential(nn.ReLU()).append(3)
nn.Sequential(nn.ReLU()).insert(5, nn.Tanh())
nn.Sequential(nn.ReLU()).insert(0, 3)
nn.Sequential(nn.ReLU()).extend(nn.Sequential(nn.Tanh()))
nn.Sequential(nn.ReLU()).extend(3)
nn.Sequential(nn.ReLU(), nn.Tanh()).pop(0)
nn.Sequential({'a': nn.ReLU()})
nn.Sequential(__import__('collections').OrderedDict(a=nn.ReLU()))
nn.Sequential()(3)
nn.Sequential(nn.ReLU())()
nn.ParameterList([3, torch.ones(1), nn.Parameter(torch.ones(2))])
nn.ParameterList(3)
nn.ParameterList([torch.ones(1)])[1]
nn.ParameterList([torch.ones(1)]).append(torch.ones(2))
nn.ParameterList([torch.ones(1)]).extend(3)
nn.ParameterList([torch.ones(1)]).extend(torch.ones(2))
nn.ParameterList([torch.ones(1)])(3)
type(nn.ParameterList([torch.ones(1)])[0])
nn.ParameterList([torch.ones(1), torch.ones(2)])[1:]
nn.ParameterList([torch.ones(1)]) + [torch.ones(1)]
nn.ParameterDict({'a': torch.ones(1), 'b': 3})
nn.ParameterDict({3: torch.ones(1)})
nn.ParameterDict({'a.b': torch.ones(1)})
nn.ParameterDict({'a': torch.ones(1)})['b']
nn.ParameterDict({'a': torch.ones(1)}).pop('a')
nn.ParameterDict({'a': torch.ones(1)}).popitem()
nn.ParameterDict({'a': torch.ones(1)}).setdefault('c', torch.zeros(1))
nn.ParameterDict({'a': torch.ones(1)}).get('z', 5)
nn.ParameterDict({'a': torch.ones(1)}) | {'b': torch.ones(1)}
nn.ParameterDict({'a': torch.ones(1)}) | nn.ParameterDict({'b': torch.ones(1)})
nn.ParameterDict().fromkeys(['a', 'b'], 1)
nn.ParameterDict({'a': torch.ones(1)})(3)
list(nn.ParameterDict({'b': torch.ones(1), 'a': 3}).items())
list(reversed(nn.ParameterDict({'b': torch.ones(1), 'a': 3})))
nn.ParameterDict({'a': torch.ones(1)}).copy()
nn.ParameterDict(3)
nn.ParameterDict([('a', torch.ones(1), 3)])
nn.Parameter(3)
nn.Parameter(torch.ones(2).long())
nn.Parameter(torch.ones(2).long(), requires_grad=False)
nn.Parameter(torch.ones(2), False)
nn.Parameter()
nn.Parameter(torch.ones(1), requires_grad='a')
nn.Parameter(nn.Parameter(torch.ones(1)))
isinstance(torch.ones(1), nn.Parameter), isinstance(nn.Buffer(torch.ones(1)), torch.Tensor)
nn.Buffer(3)
nn.Buffer(torch.ones(1)).persistent
copy.deepcopy(nn.Parameter(torch.ones(1)))
pickle.loads(pickle.dumps(nn.Parameter(torch.ones(1))))
nn.Parameter(torch.ones(1)) + 1
torch.nn.modules.module.register_module_forward_hook(lambda mod, x, y: log.append(type(mod).__name__)).remove()
torch.nn.modules.module.register_module_forward_pre_hook(3).remove()
m.compile()
torch.jit.script
m.cuda()
m.__dir__()[:1] and sorted(k for k in dir(m) if k in ('a', 'buf', 'none', 'weight'))
m.__setstate__({}) 
""".strip().splitlines():
    print(call, run(call))
