# Wrong state: modules, parameters, optimizers, files, data, gradients, in-place writes.

# Each [layers]
nn.Linear(3, 2)(torch.ones(4))
nn.Linear(3, 2)(torch.ones(3, dtype=torch.long))
nn.Linear(3, 2)(torch.ones(3, dtype=torch.double))
nn.Linear(3, 2)('a')
nn.Linear(3, 2)()
nn.Linear(3)
nn.Linear(3, 2, bais=False)
nn.Linear(-1, 2)
nn.Conv2d(1, 2, 3)(torch.ones(2, 3, 4, 4))
nn.Conv2d(1, 2, 3)(torch.ones(4, 4))
nn.Conv2d(1, 2, 5)(torch.ones(1, 1, 4, 4))
nn.Conv2d(3, 4, 3, groups=2)
nn.Conv2d(1, 2, 3, stride=2, padding='same')
nn.Conv1d(1, 2, 3)(torch.ones(1, 1, 2))
nn.MaxPool2d(3)(torch.ones(1, 1, 2, 2))
nn.MaxPool2d(2, padding=2)(torch.ones(1, 1, 4, 4))
nn.AvgPool2d(2)(torch.ones(4))
F.max_pool2d(torch.ones(1, 4, 4), 0)
nn.BatchNorm1d(3)(torch.ones(1, 3))
nn.BatchNorm1d(3)(torch.ones(2, 4))
nn.BatchNorm1d(3)(torch.ones(3))
nn.BatchNorm2d(3)(torch.ones(2, 3))
nn.LayerNorm(3)(torch.ones(2, 4))
nn.GroupNorm(2, 3)
nn.GroupNorm(2, 4)(torch.ones(2, 6))
nn.Dropout(1.5)
nn.Dropout(-0.1)
nn.Embedding(3, 2)(torch.tensor([3]))
nn.Embedding(3, 2)(torch.tensor([-1]))
nn.Embedding(3, 2)(torch.tensor([1.]))
nn.Embedding(3, 2, padding_idx=3)
nn.LSTM(3, 4)(torch.ones(2, 5))
nn.LSTM(3, 4)(torch.ones(2, 1, 3), torch.ones(1))
nn.GRU(3, 4, num_layers=2)(torch.ones(2, 1, 3), torch.ones(1, 1, 4))
nn.RNN(3, 4, nonlinearity='x')
nn.LSTM(3, 0)
nn.MultiheadAttention(5, 2)
nn.Softmax()(torch.ones(2, 3))
F.softmax(torch.ones(2, 3))
nn.Flatten(2)(torch.ones(3))
nn.Sequential(nn.Linear(2, 3), nn.Linear(2, 3))(torch.ones(2))
nn.Sequential(1)
nn.Sequential(nn.ReLU())[1]
nn.Sequential(nn.ReLU())['a']
nn.ModuleList([1])
nn.ModuleList([nn.ReLU()])[2]
nn.ModuleList([nn.ReLU()])(torch.ones(1))
nn.ModuleDict({'a': 1})
nn.ModuleDict({'a': nn.ReLU()})['b']
nn.ParameterList([torch.ones(1)])[1]
nn.Module()(torch.ones(2))
nn.Module().nosuch
nn.Module().register_parameter('a.b', None)
nn.Module().register_parameter('', None)
nn.Module().register_parameter('w', torch.ones(1))
nn.Module().register_parameter('w', nn.Parameter(torch.ones(1)) * 2)
nn.Module().register_buffer('b', 3)
nn.Module().register_buffer('b.c', None)
nn.Module().add_module('m', 3)
nn.Module().add_module('m.n', None)
nn.Linear(2, 2).register_parameter('weight', None)
m = nn.Module(); m.w = 1; m.register_buffer('w', None)
m = nn.Linear(2, 2); m.weight = torch.ones(2, 2)
m = nn.Linear(2, 2); m.weight = 3
m = nn.Linear(2, 2); m.weight = None; m.weight is None, list(dict(m.named_parameters()))
m = nn.Linear(2, 2); del m.weight; m.weight
m = nn.Linear(2, 2); m(torch.ones(2), torch.ones(2))
m = nn.Linear(2, 2); m.train('yes')
m = nn.Linear(2, 2); m.to(torch.int64)
m = nn.Linear(2, 2); m.get_submodule('a.b')
m = nn.Linear(2, 2); m.get_parameter('nosuch')
m = nn.Linear(2, 2); m.requires_grad_(False); m(torch.ones(2)).sum().backward()
nn.Parameter(torch.ones(2, dtype=torch.long))
nn.Parameter([1., 2.])
nn.init.kaiming_uniform_(torch.ones(3))
nn.init.xavier_uniform_(torch.ones(3))
nn.init.orthogonal_(torch.ones(3))
nn.init.calculate_gain('x')
nn.init.kaiming_normal_(torch.ones(2, 2), mode='x')
nn.utils.clip_grad_norm_([torch.ones(2, requires_grad=True)], 1.)

# Each [losses]
F.cross_entropy(torch.ones(2, 3), torch.tensor([0, 3]))
F.cross_entropy(torch.ones(2, 3), torch.tensor([0, -1]))
F.cross_entropy(torch.ones(2, 3), torch.tensor([0]))
F.cross_entropy(torch.ones(2, 3), torch.tensor([0., 1.]))
F.cross_entropy(torch.ones(2, 3), torch.tensor([[0], [1]]))
F.cross_entropy(torch.ones(2, 3), torch.ones(2, 3, dtype=torch.long))
F.cross_entropy(torch.ones(2, 3), torch.tensor([0, 1]), weight=torch.ones(2))
F.cross_entropy(torch.ones(2, 3), torch.tensor([0, 1]), reduction='x')
F.cross_entropy(torch.ones(2, 3), torch.tensor([0, 1]), label_smoothing=2.)
F.cross_entropy(torch.ones(2, 3), torch.tensor([-100, -100]))
F.nll_loss(torch.ones(2, 3), torch.tensor([0, 3]))
F.nll_loss(torch.ones(2, 3), torch.tensor([0., 1.]))
F.nll_loss(torch.ones(3), torch.tensor([0]))
F.mse_loss(torch.ones(2, 1), torch.ones(2))
F.mse_loss(torch.ones(2), torch.ones(3))
F.mse_loss(torch.ones(2), torch.ones(2, dtype=torch.long))
F.mse_loss(torch.ones(2), [1., 2.])
F.l1_loss(torch.ones(2, 1), torch.ones(2))
F.binary_cross_entropy(torch.tensor([1.5]), torch.tensor([1.]))
F.binary_cross_entropy(torch.tensor([float('nan')]), torch.tensor([1.]))
F.binary_cross_entropy(torch.ones(2), torch.ones(3))
F.binary_cross_entropy(torch.ones(2), torch.ones(2, dtype=torch.long))
F.binary_cross_entropy_with_logits(torch.ones(2), torch.ones(3))
F.kl_div(torch.zeros(2), torch.ones(2))
F.cosine_similarity(torch.ones(2), torch.ones(3))
F.smooth_l1_loss(torch.ones(2), torch.ones(2), beta=-1)
F.huber_loss(torch.ones(2), torch.ones(2), delta=0)
F.gelu(torch.ones(2), approximate='x')
F.interpolate(torch.ones(1, 1, 2, 2))
F.interpolate(torch.ones(1, 1, 2, 2), scale_factor=2, mode='x')
F.interpolate(torch.ones(1, 1, 2), size=(2, 2))
F.pad(torch.ones(1, 1, 2), (3, 3), mode='reflect')
F.pad(torch.ones(2), (1, 1), mode='x')
F.conv2d(torch.ones(1, 1, 3, 3), torch.ones(1, 2, 2, 2))
F.conv2d(torch.ones(1, 1, 3, 3), torch.ones(1, 1, 2, 2), bias=torch.ones(2))
F.conv2d(torch.ones(1, 1, 3, 3), torch.ones(1, 1, 2, 2), stride=0)
F.conv2d(torch.ones(1, 1, 3, 3), torch.ones(1, 1, 2, 2), padding=-1)
F.scaled_dot_product_attention(torch.ones(1, 2, 3), torch.ones(1, 2, 4), torch.ones(1, 2, 4))
F.dropout(torch.ones(2), p=2)
F.normalize('a')
F.glu(torch.ones(3))
F.pixel_shuffle(torch.ones(1, 3, 2, 2), 2)

# In [load_state_dict missing and unexpected]
m = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
state = m.state_dict()
state['extra'] = torch.ones(1)
del state['0.bias']
m.load_state_dict(state)

# In [load_state_dict not strict]
m = nn.Linear(2, 3)
print(m.load_state_dict({'weight': torch.ones(3, 2), 'x': torch.ones(1)}, strict=False))
m.weight

# In [load_state_dict all keys]
nn.Linear(2, 3).load_state_dict(nn.Linear(2, 3).state_dict())

# In [load_state_dict wrong shapes]
nn.Linear(2, 3).load_state_dict({'weight': torch.ones(2, 3), 'bias': torch.ones(4)})

# In [load_state_dict nested wrong shape]
m = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
state = m.state_dict()
state['1.running_mean'] = torch.ones(4)
m.load_state_dict(state, strict=False)

# In [load_state_dict not a dict]
nn.Linear(2, 3).load_state_dict([1, 2])

# In [load_state_dict not a tensor]
nn.Linear(1, 1).load_state_dict({'weight': [[1.0]], 'bias': torch.ones(1)})

# In [load_state_dict copies and keeps the old parameter]
a, b = nn.Linear(1, 1), nn.Linear(1, 1)
w = a.weight
a.load_state_dict(b.state_dict())
print(a.weight is w, torch.equal(a.weight, b.weight), a.weight._version)
with torch.no_grad():
    b.weight.zero_()
print(bool(a.weight.detach()[0, 0] == 0))

# In [module without super().__init__]
class M(nn.Module):
    def __init__(self):
        self.layer = nn.Linear(1, 1)


M()

# In [buffer without super().__init__]
class M(nn.Module):
    def __init__(self):
        self.register_buffer('b', torch.ones(1))


M()

# In [parameter without super().__init__]
class M(nn.Module):
    def __init__(self):
        self.w = nn.Parameter(torch.ones(1))


M()

# In [forward raises]
class M(nn.Module):
    def forward(self, x):
        raise ValueError('mine')


M()(1)

# In [attribute error inside a property]
class M(nn.Module):
    @property
    def size(self):
        return self.nosuch


M().size

# Each [optimizers]
torch.optim.SGD([], lr=0.1)
torch.optim.SGD([torch.ones(2)], lr=-1.)
torch.optim.SGD(torch.ones(2, requires_grad=True), lr=0.1)
torch.optim.SGD([torch.ones(2, requires_grad=True) * 2], lr=0.1)
torch.optim.SGD(['a'], lr=0.1)
torch.optim.SGD([1], lr=0.1)
torch.optim.SGD([torch.ones(2, requires_grad=True)], lr=0.1, nesterov=True)
torch.optim.SGD([torch.ones(2, requires_grad=True)], momentum=-1)
torch.optim.SGD([torch.ones(2, requires_grad=True)], weight_decay=-1)
torch.optim.SGD([torch.ones(2, requires_grad=True)], nosuch=1)
torch.optim.Adam([torch.ones(2, requires_grad=True)], lr=-1)
torch.optim.Adam([torch.ones(2, requires_grad=True)], betas=(1.0, 0.9))
torch.optim.Adam([torch.ones(2, requires_grad=True)], betas=(0.9, -1))
torch.optim.Adam([torch.ones(2, requires_grad=True)], eps=-1)
torch.optim.AdamW([torch.ones(2, requires_grad=True)], weight_decay=-1)
torch.optim.RMSprop([torch.ones(2, requires_grad=True)], alpha=-1)
torch.optim.Adagrad([torch.ones(2, requires_grad=True)], lr_decay=-1)
torch.optim.LBFGS([torch.ones(2, requires_grad=True)]).step()
torch.optim.Optimizer([torch.ones(1, requires_grad=True)], {}).step()
p = torch.ones(1, requires_grad=True); torch.optim.SGD([p, p], lr=0.1)
p = torch.ones(1, requires_grad=True); torch.optim.SGD([{'params': [p]}, {'params': [p]}], lr=0.1)
p = torch.ones(1, requires_grad=True); torch.optim.SGD([{'params': {p}}], lr=0.1)
p = torch.ones(1, requires_grad=True); o = torch.optim.SGD([p]); o.add_param_group([p])
p = torch.ones(1, requires_grad=True); o = torch.optim.SGD([p]); o.step(); p
p = torch.ones(1, requires_grad=True); o = torch.optim.SGD([p]); o.load_state_dict({'state': {}, 'param_groups': []})
p = torch.ones(1, requires_grad=True); o = torch.optim.SGD([p]); o.load_state_dict({})
p = torch.ones(1, requires_grad=True); o = torch.optim.SGD([p]); o.load_state_dict({'state': {}, 'param_groups': [{'params': [0, 1]}]})
p = torch.ones(1, requires_grad=True); o = torch.optim.SGD([p]); torch.optim.lr_scheduler.StepLR(o)
p = torch.ones(1, requires_grad=True); o = torch.optim.SGD([p]); torch.optim.lr_scheduler.StepLR(1, 1)
p = torch.ones(1, requires_grad=True); o = torch.optim.SGD([p]); s = torch.optim.lr_scheduler.StepLR(o, 1); s.step()
p = torch.ones(1, requires_grad=True); o = torch.optim.SGD([p]); torch.optim.lr_scheduler.StepLR(o, 1, last_epoch=3)
p = torch.ones(1, requires_grad=True); o = torch.optim.SGD([p]); torch.optim.lr_scheduler.ReduceLROnPlateau(o, factor=2.)
p = torch.ones(1, requires_grad=True); o = torch.optim.SGD([p]); torch.optim.lr_scheduler.ReduceLROnPlateau(o, mode='x')
p = torch.ones(1, requires_grad=True); o = torch.optim.SGD([p]); torch.optim.lr_scheduler.ReduceLROnPlateau(o).step()
p = torch.ones(1, requires_grad=True); o = torch.optim.SGD([p]); torch.optim.lr_scheduler.OneCycleLR(o, 0.1)
p = torch.ones(1, requires_grad=True); o = torch.optim.SGD([p]); torch.optim.lr_scheduler.LambdaLR(o, [len, len])

# Each [data]
D = torch.utils.data; D.DataLoader([1, 2], batch_size=0)
D = torch.utils.data; D.DataLoader([1, 2], batch_size=-1)
D = torch.utils.data; D.DataLoader([1, 2], num_workers=-1)
D = torch.utils.data; D.DataLoader([1, 2], timeout=-1)
D = torch.utils.data; D.DataLoader([1, 2], shuffle=True, sampler=[0, 1])
D = torch.utils.data; D.DataLoader([1, 2], batch_sampler=[[0]], batch_size=2)
D = torch.utils.data; D.DataLoader([1, 2], batch_size=None, drop_last=True)
D = torch.utils.data; D.DataLoader([1, 2], prefetch_factor=2)
D = torch.utils.data; D.DataLoader([1, 2], persistent_workers=True)
D = torch.utils.data; D.DataLoader([], shuffle=True)
D = torch.utils.data; list(D.DataLoader([torch.ones(2), torch.ones(3)], batch_size=2))
D = torch.utils.data; list(D.DataLoader([object(), object()], batch_size=2))
D = torch.utils.data; list(D.DataLoader([None, None], batch_size=2))
D = torch.utils.data; list(D.DataLoader([[1, 2], [1]], batch_size=2))
D = torch.utils.data; list(D.DataLoader([{'a': 1}, {'b': 1}], batch_size=2))
D = torch.utils.data; D.TensorDataset(torch.ones(2), torch.ones(3))
D = torch.utils.data; D.random_split([1, 2, 3], [1, 1])
D = torch.utils.data; D.random_split([1, 2, 3], [0.5, 0.6])
D = torch.utils.data; D.ConcatDataset([])
D = torch.utils.data; D.ConcatDataset([[1, 2]])[2]
D = torch.utils.data; D.Dataset()[0]
D = torch.utils.data; len(D.Subset([1, 2], [0, 1])), D.Subset([1, 2], [5])[0]
D = torch.utils.data; D.WeightedRandomSampler([1., 2.], 0)
D = torch.utils.data; D.WeightedRandomSampler(torch.ones(2, 2), 1)
D = torch.utils.data; D.RandomSampler([1, 2], num_samples=0)
D = torch.utils.data; D.RandomSampler([1, 2], replacement=1)
D = torch.utils.data; D.BatchSampler([0, 1], 0, False)
D = torch.utils.data; D.BatchSampler([0, 1], 2, 1)
D = torch.utils.data; iter(D.IterableDataset())
D = torch.utils.data; D.default_collate([1, 'a'])
D = torch.utils.data; D.default_collate([])

# In [load a file that is no archive]
__import__('pathlib').Path('x.pt').write_text('hello')
torch.load('x.pt')

# In [load an empty file]
__import__('pathlib').Path('x.pt').touch()
torch.load('x.pt')

# In [load refuses code]
class Evil:
    def __reduce__(self):
        return print, ('ran',)


torch.save(Evil(), 'x.pt')
try:
    torch.load('x.pt')
except Exception as e:
    print(type(e).__name__, str(e).split('\n')[0][:200])
torch.load('x.pt', weights_only=False)

# In [save to a missing folder]
torch.save(torch.ones(2), 'a/b/x.pt')

# In [save what cannot be pickled]
torch.save(lambda: 1, 'x.pt')

# In [load back]
torch.save({'a': torch.arange(3), 'b': [torch.ones(2, requires_grad=True), 'text'], 'c': 1.5}, 'x.pt')
torch.load('x.pt')

# In [load keeps sharing]
x = torch.zeros(4)
torch.save([x, x[1:3]], 'x.pt')
a, b = torch.load('x.pt')
b += 1
a

# In [cat: numbers before dims]
def attempt(f):
    try: print(f())
    except Exception as e: print(type(e).__name__, e)
attempt(lambda: torch.cat([torch.tensor(1.), torch.ones(2)], 1))
attempt(lambda: torch.cat([torch.ones(2), torch.tensor(1.)], 1))
attempt(lambda: torch.cat([torch.ones(2), torch.ones(2, 2)], 3))
attempt(lambda: torch.cat([torch.ones(0), torch.tensor(1.)], 3))
