# What a node shows as `_saved_…`: names and values.

# In [saved attributes]
import torch.nn.functional as F
torch.manual_seed(0)
R = lambda *s: torch.randn(*s, requires_grad=True)
a, b, c, v = R(3, 4), R(3, 4), R(4, 5), R(4)
p = (torch.rand(3, 4) + .5).requires_grad_()
B1, B2, img = R(2, 3, 4), R(2, 4, 5), R(2, 3, 8, 8)
t, m = torch.tensor([0, 2, 1]), torch.tensor([True, False, True])
ix = torch.tensor([[0, 1], [1, 0], [2, 2]])
def plain(x):
    return (tuple(x.shape), str(x.dtype)) if isinstance(x, torch.Tensor) else x
def show(made):
    f = made.grad_fn
    print(f.name(), {n: plain(getattr(f, n)) for n in sorted(dir(f)) if n.startswith('_saved')})
show(a[0])
show(a[:,None])
show(a[...,1])
show(a.select(0,1))
show(B1.bmm(B2))
show(a.mv(v))
show(v.dot(v))
show(a.max())
show(a.max(1)[0])
show(a.min(1)[0])
show(a.amax(1))
show(a.clamp(0,1))
show(torch.sub(a,b,alpha=3))
show(a/b)
show(a/2)
show(2/a)
show(a*b)
show(a*2)
show(torch.add(a,b,alpha=2))
show(torch.cat([a,b]))
show(torch.stack([a,b]))
show(a.mean())
show(a.mean(1))
show(a.sum())
show(a.sum(1))
show(a.scatter(1,ix,1.))
show(F.softmax(a,1))
show(F.log_softmax(a,1))
show(F.mse_loss(a,b))
show(F.l1_loss(a,b))
show(F.smooth_l1_loss(a,b))
show(F.dropout(a,.5))
show(a.unbind(0)[0])
show(a.view(12))
show(a.reshape(12))
show(a.expand(2,3,4))
show(B1.permute(2,0,1))
show(a.transpose(0,1))
show(a.t())
show(a**2)
show(p**b)
show(torch.where(a>0,a,b))
show(a.exp())
show(p.log())
show(p.sqrt())
show(a.abs())
show(a.sin())
show(a.tanh())
show(a.sigmoid())
show(a.relu())
show(F.silu(a))
show(F.prelu(a,R(1)))
show(a.norm())
show(a.norm(dim=1))
show(a.cumsum(1))
show(a.sort(1)[0])
show(a.flip(0))
show(a.roll(1,0))
show(a.repeat(2,1))
show(a.squeeze())
show(a.unsqueeze(0))
show(a.masked_fill(a>0,1.))
show(a.index_select(0,t))
show(a.tril())
show(a.triu(1))
show(a.diagonal())
show(F.pad(a,(1,1)))
show(a.clone())
show(a.contiguous())
show(a.double())
show(a.to(torch.half))
show(a.logsumexp(1))
show(torch.lerp(a,b,a))
show(torch.maximum(a,b))
show(torch.atan2(a,b))
show(a.floor())
show(a.sign())
show(a.pow(3))
show(a.square())
show(a.rsqrt())
show(a.reciprocal())
show(a.neg())
show(torch.linalg.inv(a[:,:3]))
show(a.unfold(1,2,1))
show(torch.outer(v,v))
show(a.addcmul(a,b,value=2))
show(F.kl_div(F.log_softmax(a,1),torch.softmax(b,1),reduction='batchmean'))
show(F.cosine_similarity(a,b))
show(a.median())
show(F.glu(a,1))
show(a.erf())
show(F.scaled_dot_product_attention(B1,B1,B1))
# what only PyTorch needs, numbers, arguments in its form
show(a[t])
show(a[:, t])
show(a.mm(c))
show(a.t().mm(a))
show(torch.addmm(R(5),a,c))
show(torch.baddbmm(R(2,3,5),B1,B2))
show(a.clamp(min=0))
show(a - b)
show(2 - a)
show(a + b)
show(a.std())
show(a.var(1))
show(a.prod())
show(a.gather(1,ix))
show(F.conv2d(img,R(4,3,3,3),R(4),padding=1))
show(F.layer_norm(a,(4,)))
show(F.group_norm(img,3))
show(F.embedding(t,a))
show(F.nll_loss(F.log_softmax(a,1),t))
show(F.cross_entropy(a,t,reduction='sum'))
show(F.binary_cross_entropy(torch.sigmoid(a),torch.rand(3,4)))
show(F.binary_cross_entropy_with_logits(a,torch.rand(3,4)))
show(a.split(2,1)[0])
show(a.chunk(2,1)[0])
show(a.split([1,3],1)[0])
show(a**2.5)
show(2**a)
show(F.leaky_relu(a,.1))
show(F.elu(a,2))
show(F.gelu(a))
show(F.softplus(a))
show(F.hardtanh(a))
show(a.cumprod(1))
show(a.topk(2)[0])
show(R(3,1).squeeze(-1))
show(a.squeeze((0,1)))
show(a.masked_select(a>0))
show(a.index_add(0,t,b))
show(v.diag())
show(F.max_pool2d(img,3,2,1))
show(F.avg_pool2d(img,2,2))
show(F.adaptive_avg_pool2d(img,2))
show(F.interpolate(img,scale_factor=2))
show(F.linear(a,c.t()))
show(torch.lerp(a,b,.3))
show(torch.linalg.det(a[:,:3]))
show(a.as_strided((2,2),(4,1)))
show(a.addcdiv(a,b))
show(a.index_put((t,),b))
show(torch.complex(a,b))
show(a.logit())
show(a*torch.ones(4))
show(a.sum(-1))
show(a.transpose(-1,0))
batch = F.batch_norm(img, None, None, training=True).grad_fn
mean, inverse = batch._saved_result1, batch._saved_result2
print((mean - img.mean((0, 2, 3))).abs().max() < 1e-6, (inverse - (img.var((0, 2, 3), False) + 1e-5).rsqrt()).abs().max() < 1e-5)

# In [saved though we could do without: a write is an error]
import torch.nn.functional as F
img = torch.ones(1, 3, 8, 8, requires_grad=True)
for make in [lambda x: F.avg_pool2d(x, 2), lambda x: x.gather(1, torch.zeros(1, 1, 1, 1, dtype=int)), lambda x: F.adaptive_avg_pool2d(x, 1), lambda x: x.cumprod(0)]:
    x = img * 1
    y = make(x)
    x.add_(1)
    try: y.sum().backward()
    except RuntimeError as e: print(e)

# In [which of several written tensors is named]
def t(name,f,*shapes):
    ls=[torch.ones(s,dtype=torch.float64,requires_grad=True)*1 for s in shapes]
    y=f(*ls)
    for i,l in enumerate(ls):
        for _ in range(i+1): l.add_(1)
    try: y.sum().backward(); print(name,'ok')
    except RuntimeError as e:
        s=str(e); print(name, s[s.index('operation:')+10:s.index('; expected')])
t('mul',lambda a,b:a*b,(2,3),(2,3))
t('mm',lambda a,b:a.mm(b),(2,3),(3,4))
t('bmm',torch.bmm,(1,2,3),(1,3,4))
t('atan2',torch.atan2,(2,),(2,))
t('addcmul',torch.addcmul,(2,),(2,),(2,))
t('pow',torch.pow,(2,),(2,))
t('div',torch.div,(2,),(2,))
t('addmm',torch.addmm,(2,4),(2,3),(3,4))
t('lerp',torch.lerp,(2,),(2,),(2,))
t('dist',torch.dist,(2,),(2,))
t('max',torch.maximum,(2,),(2,))
t('addcdiv',torch.addcdiv,(2,),(2,),(2,))
t('dot',torch.dot,(2,),(2,))
t('mv',torch.mv,(2,3),(3,))
t('baddbmm',torch.baddbmm,(1,2,4),(1,2,3),(1,3,4))
t('conv',torch.nn.functional.conv1d,(1,1,4),(1,1,2))
t('mse',torch.nn.functional.mse_loss,(2,),(2,))
t('linear',torch.nn.functional.linear,(2,3),(4,3),(4,))
t('cdist',torch.cdist,(2,3),(4,3))
t('bilinear',torch.nn.functional.bilinear,(2,3),(2,4),(5,3,4))
t('ln',lambda a,w,b:torch.nn.functional.layer_norm(a,(3,),w,b),(2,3),(3,),(3,))
t('hypot',torch.hypot,(2,),(2,))
t('addr',torch.addr,(2,3),(2,),(3,))
t('prelu',torch.nn.functional.prelu,(2,3),(3,))
t('xlogy',torch.xlogy,(2,),(2,))
t('bce',lambda a,b:torch.nn.functional.binary_cross_entropy_with_logits(a,b),(2,),(2,))

# In [memory written past the version counter: .data, NumPy]

def run(name,f):
    try: print(name, f())
    except Exception as e: print(name, type(e).__name__, str(e)[:150])
L=lambda v=2.: torch.full((2,),v,dtype=torch.float64,requires_grad=True)
def a():
    x=L(); y=x*x; x.data.fill_(3); y.sum().backward(); return x.grad, x._version
def b():
    x=L(); y=(x*1).relu(); y.data.fill_(-1); y.sum().backward(); return x.grad
def c():
    w=L(); x=L(5.); y=w*x; y.sum().backward(retain_graph=True); w.data-=0.5*w.grad; y.sum().backward(); return x.grad,w.grad,w
def d():
    x=L(); y=x*x; x.data=torch.full((2,),7.,dtype=torch.float64); y.sum().backward(); return x.grad
def e():
    w=torch.eye(2,dtype=torch.float64,requires_grad=True); x=L(); y=torch.nn.functional.linear(x,w); w.data.mul_(10); y.sum().backward(); return x.grad
def f():
    w=torch.eye(2,dtype=torch.float64,requires_grad=True); x=torch.ones(3,2,dtype=torch.float64,requires_grad=True); y=torch.nn.functional.linear(x,w); w.data.mul_(10); y.sum().backward(); return x.grad
def g():
    x=L(); h=x*1; y=h*h; h.data.fill_(9); y.sum().backward(); return x.grad
def h():
    x=L(); h=x*1; y=h[0]*h[1]; h.data[0]=9.; y.sum().backward(); return x.grad
def i():
    x=L(); y=x.exp(); y.data.zero_(); y.sum().backward(); return x.grad
def j():
    x=L(); y=x*x; d=x.detach(); d.fill_(3); y.sum().backward(); return x.grad
def k():
    x=L(); y=x*x
    with torch.no_grad(): x.fill_(3)
    y.sum().backward(); return x.grad
def l():
    x=L(); d=x.data; w=L(); y=d*w
    with torch.no_grad(): x.fill_(3)
    y.sum().backward(); return w.grad
def m():
    x=L(); y=x*x; z=y.sum(); x.data.add_(1); g1,=torch.autograd.grad(z,x,create_graph=True); x.data.add_(1); g2,=torch.autograd.grad(g1.sum(),x); return g1,g2
def n():
    x=L(); y=x*x; n=x.detach().numpy(); n[:]=4; y.sum().backward(); return x.grad
def o():
    x=L(); y=x*x; n=x.data.numpy(); n[0]=4; y.sum().backward(); return x.grad
def p():
    x=L(); v=x[0:1]; y=v*v; x.data.fill_(3); y.sum().backward(); return x.grad, y.grad_fn
def q():
    x=L(); h=x*1; v=h[0:1]; h.data.fill_(3); return v.grad_fn, v._version, h._version
def r():
    lin=torch.nn.Linear(2,1).double(); lin.weight.data.fill_(1); x=L(); o=lin(x).sum(); lin.weight.data.fill_(5); o.backward(); return x.grad
def s():
    x=L(); y=torch.softmax(x,0); y.data.fill_(1.); y[0].backward(); return x.grad
def t():
    x=L(); y=x*x; x.data.fill_(3); x.data.fill_(4); y.sum().backward(); return x.grad
def u():
    x=L(); h=x*1; y=h*h; h.data.fill_(3); h.add_(1); y.sum().backward(); return x.grad
def v():
    x=L(); y=x*x; d=x.data; d.fill_(3); z=x*x; d.fill_(4); (y+z).sum().backward(); return x.grad, y, z
def w():
    x=L(); y=x**3; x.data[1]=0.; y.sum().backward(); return x.grad
def z():
    m=torch.nn.BatchNorm1d(2).double(); x=torch.arange(4.,dtype=torch.float64).view(2,2).requires_grad_(); y=m(x); m.weight.data.fill_(2); (y*y).sum().backward(); return x.grad.abs().sum()>0, m.weight.grad
for fn in 'abcdefghijklmnopqrstuvwz': run(fn,globals()[fn])
class Sq(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x); return x * x
    @staticmethod
    def backward(ctx, g):
        x, = ctx.saved_tensors; return 2 * x * g
def aa():
    x=L(); y=Sq.apply(x); x.data.fill_(3); y.sum().backward(); return x.grad
def bb():
    x=L(); h=x*1; y=Sq.apply(h); h.data.fill_(3); y.sum().backward(); return x.grad
def cc():
    x=L(); h=x*1; y=Sq.apply(h); h.data.fill_(3); h.add_(1); y.sum().backward(); return x.grad
for fn in ('aa', 'bb', 'cc'): run(fn, globals()[fn])

# In [what is saved, as it was given]
F=torch.nn.functional
R=lambda *s: torch.randn(*s, requires_grad=True)
a,c=R(3,4),R(4,5)
def show(o):
    f=o.grad_fn
    d={}
    for n in sorted(x for x in dir(f) if x.startswith('_saved')):
        try: v=getattr(f,n)
        except Exception as e: v=type(e).__name__+str(e)[:60]
        if isinstance(v,torch.Tensor): v=('T',tuple(v.shape),str(v.dtype))
        elif isinstance(v,(tuple,list)): v=tuple(('T',tuple(y.shape),str(y.dtype)) if isinstance(y,torch.Tensor) else y for y in v)
        d[n]=v
    return f"{f.name()} {d}"
img=R(2,3,8,8); m=torch.tensor([True,False,True]); m4=torch.tensor([True,False,True,True])
for case in """
torch.einsum('ij,jk->ik',a,c)|torch.einsum('bij,bjk->bik',R(2,3,4),R(2,4,5))
torch.einsum('ij,jk,kl->il',a,c,R(5,6))|torch.einsum('ij,ij->',a,R(3,4))
torch.einsum('i,i->',R(3),R(3))|torch.einsum('...ij,jk->...ik',R(2,3,4),c)
torch.einsum('bhid,bhjd->bhij',R(2,2,3,4),R(2,2,5,4))|torch.einsum('ij,j->i',a,R(1))
torch.einsum('ij,kl->',a,c)|F.max_pool2d(img,2,2)|F.max_pool2d(img,(2,2),None)
F.max_pool2d(img,2,return_indices=True)[0]|F.avg_pool2d(img,2,2)|torch.nn.MaxPool2d(2)(img)
torch.nn.AvgPool2d(2)(img)|F.avg_pool3d(R(1,1,4,4,4),2)|F.max_pool3d(R(1,1,4,4,4),2)
F.avg_pool1d(R(1,1,4),2)|F.max_pool1d(R(1,1,4),2)|a[m]|a[:,m4]|a[m,1:]|a[m][m[:2]]
a[m,torch.tensor([0,1])]|a[m[:,None].expand(3,4)]|a[None,m]|a[...,m4]|a[[True,False,True]]|a[0,m4]
R(3,4,2)[:,m4]|R(3,4,2)[m,:,torch.tensor([0,1])]|a[m[:,None]&m4]
F.batch_norm(img,torch.zeros(3),torch.ones(3),training=True)
F.batch_norm(img,None,None,training=True)|F.batch_norm(img,torch.zeros(3),torch.ones(3))
torch.nn.BatchNorm2d(3)(img)|torch.nn.BatchNorm1d(3,affine=False)(R(4,3))|F.instance_norm(img)
a.softmax(-1)|a.log_softmax(-1)|a.sum(-1)|a.mean(-2)|a.cumsum(-1)|torch.cat([a,a],-1)
torch.stack([a,a],-1)|a.unsqueeze(-1)|R(3,1).squeeze(-1)|a.transpose(-1,-2)|a.max(-1)[0]
a.sort(-1)[0]|a.topk(2,-1)[0]|a.gather(-1,torch.tensor([[0]]))
a.index_select(-1,torch.tensor([0]))|a.unbind(-1)[0]|a.split(2,-1)[0]|a.chunk(2,-1)[0]|a.flip(-1)
a.roll(1,-1)|a.select(-1,0)|a.narrow(-1,0,2)|a.diagonal(0,-1,-2)|a.logsumexp(-1)|a.norm(dim=-1)
a.var(-1)|a.std(-1)|a.prod(-1)|a.amax(-1)|a.argsort(-1)*a|a.unfold(-1,2,1)
a.scatter(-1,torch.tensor([[0]]),1.)|a.index_fill(-1,torch.tensor([0]),1.)
a.index_add(-1,torch.tensor([0]),R(3,1))|a.cumprod(-1)|a.kthvalue(1,-1)[0]|a.median(-1)[0]
a.mode(-1)[0]|F.glu(a,-1)|a.permute(-1,0)|a.movedim(-1,0)|a.flatten(-2,-1)|a.unflatten(-1,(2,2))
a.swapaxes(-1,0)|F.normalize(a,dim=-1)|F.cosine_similarity(a,a,-1)|a.expand(2,-1,-1)|a.view(-1)
a.reshape(-1,2)|a.repeat(2,1)|F.softmin(a,-1)|torch.cross(R(2,3),R(2,3),-1)
torch.take_along_dim(a,torch.tensor([[0]]),-1)|a.tensor_split(2,-1)[0]|a.nansum(-1)
a.cummax(-1)[0]|a.logcumsumexp(-1)|torch.linalg.norm(a,dim=-1)|a.renorm(2,-1,1.)
torch.diff(a,dim=-1)|a.repeat_interleave(2,-1)|torch.var_mean(a,-1)[0]|a.quantile(.5,-1)
torch.hstack([a,a])|F.layer_norm(a,(4,))|a.sum((-1,-2))|a.mean((-1,))|a.softmax(1)|a[1:3]|a[1:]
a[:]|a[:3]|a[:5]|a[0:2]|a[1:-1]|a[-2:]|a[-2:3]|a[:,1:4]|a[:,1:9]|a[::2]|a[0:3:2]|a[-9:2]|a[2:1]
a.narrow(0,1,2)|a[...,2:4]|torch.narrow(a,1,0,4)|a[1:None]|a[torch.tensor(1):]
a[1:torch.tensor(3)]|a[:,:4]|a[:,-4:]|a[0:3]|a[3:]|a[5:9]|a.split(2)[1]|a[1:2**62]
a.narrow(0,-2,2)|a.chunk(2,1)[0]|a[:2][0:2]
""".strip().replace("\n", "|").split("|"): print(case, "::", show(eval(case)))
o=a[m]; o.sum().backward()
try: print(o.grad_fn._saved_indices)
except Exception as e: print(type(e),e)
b=torch.nn.BatchNorm1d(3); o=b(R(4,3)); f=o.grad_fn; print(f._saved_running_mean is not None, torch.equal(f._saved_running_mean,b.running_mean)); o.sum().backward()
try: print(f._saved_running_mean)
except Exception as e: print(type(e),e)
