"""Bad input: what is said, and that nothing was changed by what was refused."""

# In [bad input, part 1]
import io, os, tempfile, warnings
import numpy as np
import torch.utils.data
warnings.simplefilter("ignore")
nn = torch.nn
F = nn.functional
DL = torch.utils.data.DataLoader
class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(2, 3), nn.BatchNorm1d(3)
x, p, m = torch.ones(2, 3), torch.ones(2, requires_grad=True), Two()
sd = {k: v.clone() for k, v in m.state_dict().items()}
f = io.BytesIO()
torch.save(sd, f)
data = f.getvalue()
here = os.getcwd()
os.chdir(tempfile.mkdtemp())
for name, content in (("ok", data), ("cut", data[:len(data) // 2]), ("empty", b""), ("txt", b"hello world")):
    with open(name + ".pt", "wb") as file: file.write(content)
os.mkdir("dir")
def closed():
    g = io.BytesIO(data)
    g.close()
    return g
ds = torch.utils.data.TensorDataset(torch.ones(4, 2))
def del_(x): del x.data
def state(): return (
    x.tolist(), x._version, p.tolist(), p._version, p.grad is None or p.grad.tolist(),
    [(v.tolist(), v._version) for v in m.state_dict().values()],
)
def tell(case):
    try:
        found = eval(case)
        if isinstance(found, torch.Tensor) and found.device.type == "cpu": found.detach().tolist()
        return "ok " + type(found).__name__
    except Exception as e: return f"{type(e).__name__} {e}"
for case in """
torch.tensor([[1,2],[3]])|torch.tensor([[1,2],3])|torch.tensor([1,[2]])
torch.tensor([[[1],[2]],[[3]]])|torch.tensor(['a'])|torch.tensor('a')|torch.tensor(None)
torch.tensor([None])|torch.tensor({})|torch.tensor([1,'a'])
torch.tensor([torch.ones(2),torch.ones(3)])|torch.tensor([torch.ones(2)])|torch.tensor(object())
torch.tensor([1],dtype='float')|torch.tensor([1],device='foo')|torch.tensor([1],device='cuda:0')
torch.tensor([1],device=1)|torch.tensor([1],device='cpu:1')
torch.tensor([1.5],requires_grad=True,dtype=torch.long)|torch.tensor([2**63])
torch.tensor([300],dtype=torch.uint8)|torch.tensor([-1],dtype=torch.uint8)|torch.tensor([1e400])
torch.tensor(2**70)|torch.tensor([1j],dtype=torch.float)|torch.tensor([[]]).view(3)
torch.tensor(np.array(['a']))|torch.tensor(np.array([object()]))|torch.as_tensor('a')
torch.from_numpy([1])|torch.from_numpy(np.array(['a']))|torch.Tensor('a')
torch.Tensor([[1],[2,3]])|torch.Tensor(-1)|torch.LongTensor([1.5])|torch.FloatTensor(['a'])
torch.device('foo')|torch.device('cpu:')|torch.device('cpu:a')|torch.device('cuda:-1')
torch.device(1.5)|torch.device('cpu',-1)|torch.device('')|x.to('foo')|x.to(1)|x.to('cpu:1')
x.to('meta')+x|x+x.to('meta')|nn.Linear(2,2).to('foo')|nn.Linear(2,2).to(torch.long)
x.to('meta').tolist()|x.to('meta').item()|x.to('meta').numpy()|torch.Generator('foo')
torch.randn(2,generator=1)|torch.manual_seed('a')|torch.manual_seed(1.5)|torch.manual_seed(2**70)
torch.set_default_dtype(torch.long)|torch.set_default_dtype('a')|torch.set_default_device('foo')
x.backward()|p.backward()|(p*2).backward()|(p*2).sum().backward('a')|(p*2).backward(torch.ones(3))
(p*2).backward(torch.ones(2,dtype=torch.long))|(p*2).backward(torch.ones(2,dtype=torch.double))
torch.ones(2).sum().backward()|(p*2).detach().sum().backward()|torch.autograd.grad(p*2,p)
torch.autograd.grad((p*2).sum(),x)
torch.autograd.grad((p*2).sum(),torch.ones(1,requires_grad=True))|torch.autograd.grad(1,p)
torch.autograd.grad((p*2).sum(),[])|torch.autograd.grad([],p)|torch.autograd.grad((p*2).sum(),1)
torch.autograd.backward([p*2],[torch.ones(2),torch.ones(2)])|torch.autograd.backward([p*2],[None])
torch.autograd.backward([])|torch.autograd.grad((p*2).sum(),p,grad_outputs=torch.ones(3))
p.add_(1)|p.zero_()|p.data.add_(1).requires_grad_().add_(1)|(p*1).requires_grad_(False)
setattr(p,'grad',1)|setattr(p,'grad',torch.ones(3))
setattr(p,'grad',torch.ones(2,dtype=torch.double))|setattr(p,'requires_grad','a')
setattr(x,'requires_grad',True) or setattr(x.long(),'requires_grad',True)|setattr(p,'data',1)
p.numpy()|np.asarray(p)|p.tolist() and float(p)|bool(torch.ones(2))|int(torch.ones(2))
torch.ones(2).item()|len(torch.tensor(1))|iter(torch.tensor(1))|list(torch.tensor(1))
hash(x)and{}[x]|x[5]|x['a']|x[1.5]|x[0,0,0]|x[torch.tensor([9])]|x[torch.tensor([1.5])]
x[[True,False,True]]|x[torch.tensor([True])]|x[:,:,0]|x[::-1]|x[None,...,...]|x[{}]|x[None:'a']
torch.tensor(1)[0]|torch.tensor(1)[:]|x.__setitem__(0,torch.ones(4))
x.__setitem__((0,0),torch.ones(2))|x.__setitem__(5,1)|x.__setitem__(0,'a')|x.__setitem__(0,[1,2])
x.__setitem__(x>9,torch.ones(2))|x.long().__setitem__(0,1j)|x.__delitem__(0)
torch.tensor(1).__setitem__(0,1)|del_(x)|m.load_state_dict({})
m.load_state_dict({k:v for k,v in sd.items() if k!='a.bias'})|m.load_state_dict(dict(sd,z=x))
m.load_state_dict(dict(sd,**{'a.weight':torch.ones(5,5)}))
m.load_state_dict(dict(sd,**{'a.weight':1}))|m.load_state_dict(dict(sd,**{'a.weight':'a'}))
m.load_state_dict(1)|m.load_state_dict([1])|m.load_state_dict(sd,strict='a')
m.load_state_dict({},strict=False)
m.load_state_dict(dict(sd,**{'a.weight':torch.ones(5,5)}),strict=False)
m.load_state_dict(dict(sd,**{'b.num_batches_tracked':torch.ones(3)}))
m.load_state_dict({'module.'+k:v for k,v in sd.items()})
m.load_state_dict(dict(sd,**{'a.weight':np.ones((3,2))}))|m.load_state_dict(dict(sd,**{1:x}))
m.load_state_dict(None)|nn.Linear(2,3).load_state_dict(sd)
torch.optim.SGD(m.parameters(),lr=.1).load_state_dict({})
torch.optim.SGD(m.parameters(),lr=.1).load_state_dict({'state':{},'param_groups':[]})
torch.optim.SGD(m.parameters(),lr=.1).load_state_dict(1)|torch.load('nowhere.pt')
torch.load('dir')|torch.load('cut.pt')|torch.load('empty.pt')|torch.load('txt.pt')
torch.load(closed())|torch.load(1)|torch.load(None)|torch.load(io.BytesIO())
torch.load('ok.pt',weights_only='a')|torch.load('ok.pt',map_location='foo')
torch.load('ok.pt',foo=1)|torch.load('ok.pt',map_location=1)|torch.load()|torch.save()
""".strip().replace("\n", "|").split("|"):
    x, p, m = torch.ones(2, 3), torch.ones(2, requires_grad=True), Two()
    m.load_state_dict(sd)
    before = state()
    print(case, "=>", tell(case), end="\n" if state() == before else " CHANGED\n")
os.chdir(here)

# In [bad input, part 2]
import io, os, tempfile, warnings
import numpy as np
import torch.utils.data
warnings.simplefilter("ignore")
nn = torch.nn
F = nn.functional
DL = torch.utils.data.DataLoader
class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(2, 3), nn.BatchNorm1d(3)
x, p, m = torch.ones(2, 3), torch.ones(2, requires_grad=True), Two()
sd = {k: v.clone() for k, v in m.state_dict().items()}
f = io.BytesIO()
torch.save(sd, f)
data = f.getvalue()
here = os.getcwd()
os.chdir(tempfile.mkdtemp())
for name, content in (("ok", data), ("cut", data[:len(data) // 2]), ("empty", b""), ("txt", b"hello world")):
    with open(name + ".pt", "wb") as file: file.write(content)
os.mkdir("dir")
def closed():
    g = io.BytesIO(data)
    g.close()
    return g
ds = torch.utils.data.TensorDataset(torch.ones(4, 2))
def del_(x): del x.data
def state(): return (
    x.tolist(), x._version, p.tolist(), p._version, p.grad is None or p.grad.tolist(),
    [(v.tolist(), v._version) for v in m.state_dict().values()],
)
def tell(case):
    try:
        found = eval(case)
        if isinstance(found, torch.Tensor) and found.device.type == "cpu": found.detach().tolist()
        return "ok " + type(found).__name__
    except Exception as e: return f"{type(e).__name__} {e}"
for case in """
torch.save(x)|torch.save(x,'no/dir.pt')|torch.save(x,1)|torch.save(x,closed())|torch.save(x,'dir')
torch.optim.SGD([],lr=.1)|torch.optim.SGD([x],lr=-1)|torch.optim.SGD(p,lr=.1)
torch.optim.SGD([p],lr=-1)|torch.optim.SGD([p],lr='a')|torch.optim.SGD([p],lr=.1,momentum=-1)
torch.optim.SGD([p],lr=.1,nesterov=True)|torch.optim.SGD([p*2],lr=.1)|torch.optim.SGD([1],lr=.1)
torch.optim.SGD([p,p],lr=.1)|torch.optim.SGD([{'params':[p]},{'params':[p]}],lr=.1)
torch.optim.SGD([{'lr':1}],lr=.1)|torch.optim.SGD({p},lr=.1)|torch.optim.Adam([p],betas=(1.,2.))
torch.optim.Adam([p],betas=1)|torch.optim.Adam([p],eps=-1)|torch.optim.Adam([p],lr=float('nan'))
torch.optim.Adam([p],weight_decay=-1)|torch.optim.Adam([p],betas=(-.1,.9))
torch.optim.Adam([p],foo=1)|torch.optim.lr_scheduler.StepLR(1,2)
torch.optim.lr_scheduler.StepLR(torch.optim.SGD([p],lr=.1),0).step()
torch.optim.lr_scheduler.StepLR(torch.optim.SGD([p],lr=.1),'a')
torch.optim.lr_scheduler.LambdaLR(torch.optim.SGD([p],lr=.1),[1,2])
torch.optim.lr_scheduler.OneCycleLR(torch.optim.SGD([p],lr=.1),.1)
torch.optim.lr_scheduler.ReduceLROnPlateau(torch.optim.SGD([p],lr=.1),'foo')
torch.optim.lr_scheduler.ReduceLROnPlateau(torch.optim.SGD([p],lr=.1),factor=2.)
torch.optim.lr_scheduler.ReduceLROnPlateau(torch.optim.SGD([p],lr=.1)).step()
torch.optim.lr_scheduler.CosineAnnealingLR(torch.optim.SGD([p],lr=.1),0).step()
torch.optim.SGD([p],lr=.1).step(1)|torch.optim.SGD([p],lr=.1).add_param_group(1)
DL(ds,batch_size=0)|DL(ds,batch_size=-1)|DL(ds,batch_size=1.5)|DL(ds,batch_size='a')
DL(ds,shuffle='a')|DL(ds,num_workers=-1)|DL(ds,sampler=1,shuffle=True)
DL(ds,batch_sampler=[[0]],batch_size=2)|DL(ds,timeout=-1)|DL(ds,prefetch_factor=2)
DL(ds,persistent_workers=True)|DL([])|next(iter(DL(1)))|next(iter(DL([1,'a'],batch_size=2)))
next(iter(DL([torch.ones(2),torch.ones(3)],batch_size=2)))|next(iter(DL([None])))
next(iter(DL([object()])))|next(iter(DL([{'a':1},{'b':1}],batch_size=2)))
next(iter(DL([(1,2),(1,)],batch_size=2)))|ds[9]
torch.utils.data.TensorDataset(torch.ones(2),torch.ones(3))
torch.utils.data.random_split(ds,[1,1])|torch.utils.data.random_split(ds,[.5,.9])
torch.utils.data.random_split(ds,['a'])|torch.utils.data.Subset(ds,[9])[0]
torch.utils.data.RandomSampler(ds,replacement='a')
torch.utils.data.RandomSampler(ds,num_samples=0)|torch.utils.data.RandomSampler([])
torch.utils.data.WeightedRandomSampler([1],0)|torch.utils.data.WeightedRandomSampler([[1]],1)
torch.utils.data.BatchSampler([1],0,False)|torch.utils.data.BatchSampler([1],1,1)
torch.utils.data.ConcatDataset([])|torch.utils.data.ConcatDataset([ds])[9]
torch.utils.data.ConcatDataset([ds])[-9]|torch.utils.data.default_collate([])
torch.utils.data.default_collate(1)|torch.multinomial(torch.tensor([float('nan'),1.]),1)
torch.multinomial(torch.tensor([-1.,1.]),1)|torch.multinomial(torch.tensor([0.,0.]),1)
torch.multinomial(torch.ones(2),3)|torch.multinomial(torch.ones(2),0)
torch.bernoulli(torch.tensor([2.]))|torch.bernoulli(torch.tensor([float('nan')]))
torch.normal(0.,-1.,(2,))|torch.poisson(torch.tensor([-1.]))
torch.distributions.Normal(float('nan'),1.)|torch.distributions.Normal(0.,-1.)
torch.distributions.Categorical(torch.tensor([float('nan'),1.]))|torch.distributions.Bernoulli(2.)
F.binary_cross_entropy(torch.tensor([2.]),torch.tensor([1.]))
F.binary_cross_entropy(torch.tensor([.5]),torch.tensor([2.]))
F.binary_cross_entropy(torch.tensor([float('nan')]),torch.tensor([1.]))
F.binary_cross_entropy(torch.ones(2),torch.ones(3))
F.cross_entropy(torch.ones(2,3),torch.tensor([0,3]))
F.cross_entropy(torch.ones(2,3),torch.tensor([0,-1]))
F.cross_entropy(torch.ones(2,3),torch.tensor([0.,1.]))
F.cross_entropy(torch.ones(2,3),torch.tensor([0,1,2]))
F.cross_entropy(torch.ones(2,3),torch.tensor([0,1]),reduction='foo')
F.nll_loss(torch.ones(2,3),torch.tensor([0,1],dtype=torch.int32))
F.mse_loss(torch.ones(2),torch.ones(3))|F.mse_loss(torch.ones(2),1)
F.linear(torch.ones(2,3),torch.ones(4,5))|F.linear(torch.ones(2,3),torch.ones(4,3).double())
F.conv2d(torch.ones(1,2,3,3),torch.ones(1,3,3,3))
F.conv2d(torch.ones(1,2,3,3),torch.ones(1,2,5,5))|F.conv2d(torch.ones(2),torch.ones(1,2,5,5))
""".strip().replace("\n", "|").split("|"):
    x, p, m = torch.ones(2, 3), torch.ones(2, requires_grad=True), Two()
    m.load_state_dict(sd)
    before = state()
    print(case, "=>", tell(case), end="\n" if state() == before else " CHANGED\n")
os.chdir(here)

# In [bad input, part 3]
import io, os, tempfile, warnings
import numpy as np
import torch.utils.data
warnings.simplefilter("ignore")
nn = torch.nn
F = nn.functional
DL = torch.utils.data.DataLoader
class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(2, 3), nn.BatchNorm1d(3)
x, p, m = torch.ones(2, 3), torch.ones(2, requires_grad=True), Two()
sd = {k: v.clone() for k, v in m.state_dict().items()}
f = io.BytesIO()
torch.save(sd, f)
data = f.getvalue()
here = os.getcwd()
os.chdir(tempfile.mkdtemp())
for name, content in (("ok", data), ("cut", data[:len(data) // 2]), ("empty", b""), ("txt", b"hello world")):
    with open(name + ".pt", "wb") as file: file.write(content)
os.mkdir("dir")
def closed():
    g = io.BytesIO(data)
    g.close()
    return g
ds = torch.utils.data.TensorDataset(torch.ones(4, 2))
def del_(x): del x.data
def state(): return (
    x.tolist(), x._version, p.tolist(), p._version, p.grad is None or p.grad.tolist(),
    [(v.tolist(), v._version) for v in m.state_dict().values()],
)
def tell(case):
    try:
        found = eval(case)
        if isinstance(found, torch.Tensor) and found.device.type == "cpu": found.detach().tolist()
        return "ok " + type(found).__name__
    except Exception as e: return f"{type(e).__name__} {e}"
for case in """
nn.Linear(2,3)(torch.ones(2,4))|nn.Linear(2,3)(torch.ones(2,2).long())|nn.Linear(2,3)(1)
nn.Conv2d(1,2,3)(torch.ones(1,2,5,5))|nn.Conv2d(1,2,9)(torch.ones(1,1,5,5))
nn.Embedding(3,2)(torch.tensor([3]))|nn.Embedding(3,2)(torch.tensor([-1]))
nn.Embedding(3,2)(torch.tensor([1.]))|nn.Embedding(3,2,padding_idx=5)
nn.BatchNorm1d(3)(torch.ones(1,3))|nn.BatchNorm1d(3)(torch.ones(2,4))
nn.BatchNorm2d(3)(torch.ones(2,3))|nn.LayerNorm(3)(torch.ones(2,4))|nn.Dropout(2.)|nn.Dropout(-1)
F.dropout(x,2.)|nn.MaxPool2d(9)(torch.ones(1,1,3,3))|nn.LSTM(2,3)(torch.ones(2))
nn.LSTM(2,3)(torch.ones(2,3,4))|nn.GRU(2,3)(torch.ones(1,1,2),torch.ones(9,1,3))
nn.MultiheadAttention(3,2)|nn.Conv2d(3,4,3,groups=2)|nn.Linear(-1,2)|nn.Linear('a',2)
nn.Softmax(5)(x)|nn.Flatten(5)(x)|nn.Sequential(1)|nn.Sequential()[0]|nn.ModuleList([1])
nn.ModuleList([])[0]|nn.ModuleDict({'a':1})|nn.ModuleDict()['a']|m.nothing|m.get_submodule('a.b')
m.get_parameter('q')|m.register_parameter('a.b',None)|m.register_buffer('a',None)
m.register_parameter('c',x)|m.add_module('','')|m.add_module('x',1)|setattr(m,'a',1)|m(1)
m.to(x,x)|nn.Parameter(1)|nn.Parameter(x.long())|nn.init.xavier_uniform_(torch.ones(2))
nn.init.orthogonal_(torch.ones(2))|nn.init.calculate_gain('foo')
nn.init.kaiming_uniform_(x,mode='foo')|nn.init.eye_(torch.ones(2))|nn.init.dirac_(x)
nn.utils.clip_grad_norm_(1,1.)|nn.utils.clip_grad_norm_([p],'a')
nn.utils.clip_grad_value_([p],'a')|nn.utils.rnn.pad_sequence([])
nn.utils.rnn.pack_padded_sequence(torch.ones(3,2),[1,2])
nn.utils.rnn.pack_padded_sequence(torch.ones(3,2),[0,2])|torch.linalg.inv(torch.zeros(2,2))
torch.linalg.inv(torch.ones(2,3))|torch.linalg.cholesky(-torch.eye(2))
torch.linalg.solve(torch.zeros(2,2),torch.ones(2))|torch.linalg.solve(torch.eye(2),torch.ones(3))
torch.linalg.eigh(torch.ones(2,3))|torch.linalg.svd(torch.ones(2))
torch.linalg.eig(torch.tensor([[float('nan'),0],[0,1]]))
torch.linalg.svd(torch.tensor([[float('nan'),0],[0,1]]))|torch.linalg.det(torch.ones(2,3))
torch.linalg.qr(torch.ones(2))|torch.linalg.lstsq(torch.ones(2,2),torch.ones(3,1))
torch.linalg.matrix_power(torch.ones(2,3),2)|torch.linalg.inv(torch.ones(2,2).long())
torch.linalg.norm(x,'foo')|torch.fft.fft(torch.tensor(1.))|torch.fft.fft(x,n=0)
torch.fft.fft(x,dim=5)|torch.arange(float('nan'))|torch.arange(0,float('inf'))
torch.linspace(0,1,-1)|torch.logspace(0,1,-1)|torch.full((2,),'a')
torch.histc(torch.tensor([float('nan')]))|torch.clamp(x)|torch.clamp(x,'a')|x.quantile(2.)
x.kthvalue(9)|x.topk(9)|x.repeat(-1,2)|x.pow('a')|x**'a'|x+'a'|'a'+x|x+None|x@1|1@x|x<'a'|x and 1
-torch.tensor([True])|~x|x&x|x<<1|x//0|torch.tensor([1])//0|torch.tensor([1])%0
torch.tensor([1])/0|divmod(x,2)|abs('a')|x.div(2,rounding_mode='foo')|torch.cat([x,1])
torch.cat([])|torch.stack([x,torch.ones(2)])|torch.cat([x,x],5)|torch.cat(x)|x.view('a')|x.view(5)
x.reshape(2,-1,-1)|x.expand(3,3)|x.sum('a')|x.sum(5)|x.mean(dtype=torch.long)|x.long().mean()
x.softmax(5)|x.t().view(6)|torch.ones(1,2,3).t()|x.squeeze(5)|x.permute(0)|x.permute(0,0)
x.transpose(0,5)|x.masked_fill(x,1)|x.masked_fill(x>0,'a')|x.gather(0,x)
x.gather(0,torch.tensor([0]))|x.scatter(0,torch.tensor([[9]]),1.)|x.type('foo')|x.type(1)
x.to(torch.float,foo=1)|torch.finfo(torch.long)|torch.iinfo(torch.float)|torch.finfo('a')
torch.promote_types(1,2)|torch.can_cast(1,2)|torch.result_type(1,'a')
torch.set_printoptions(profile='foo')|torch.set_num_threads(0)|torch.set_num_threads('a')
torch.no_grad(1)|torch.set_grad_enabled()|torch.set_grad_enabled('a')|torch.inference_mode('a')
torch.jit.script(1)|torch.compile(1)|torch.vmap(1)|torch.func.grad(lambda x:x)(x)
torch.einsum('ij',x,x)|torch.autograd.Function()|torch.autograd.functional.jacobian(1,x)
torch.utils.checkpoint.checkpoint(1)|torch.nn.functional.one_hot(torch.tensor([1.]))
torch.nn.functional.pad(x,(1,))|torch.nn.functional.interpolate(x)
torch.nn.functional.interpolate(torch.ones(1,1,2,2))|torch.nn.functional.grid_sample(x,x)
torch.nn.functional.embedding(x,x)|torch.bincount(torch.tensor([-1]))|torch.bincount(x)
torch.tensordot(x,x)|torch.dot(x,x)|torch.mv(x,x)|torch.bmm(x,x)|torch.mm(x,x)|torch.matmul(x,x)
torch.cross(torch.ones(2),torch.ones(2))|torch.outer(x,x)|torch.kron(1,x)
torch.cdist(x,torch.ones(2,4))|torch.tril(torch.ones(2))|torch.diag(torch.ones(1,1,1))
torch.searchsorted(x,x[0])|torch.unique(x,dim=5)|torch.where(x)|torch.where(x,x)
torch.where(x>0,x,'a')|torch.lerp(x,x,'a')|torch.addcmul(x,x,'a')|torch.bucketize(1,x)
""".strip().replace("\n", "|").split("|"):
    x, p, m = torch.ones(2, 3), torch.ones(2, requires_grad=True), Two()
    m.load_state_dict(sd)
    before = state()
    print(case, "=>", tell(case), end="\n" if state() == before else " CHANGED\n")
os.chdir(here)
