# Rarely met names, in the order of their use in real code.

# In [fill_diagonal_]
x = torch.arange(6.).reshape(2, 3)
print(x.clone().fill_diagonal_(7), torch.zeros(5, 2).fill_diagonal_(1, wrap=True), torch.zeros(5, 2).fill_diagonal_(1))
print(torch.zeros(3, 3, 3).fill_diagonal_(2), torch.zeros(2, 5).fill_diagonal_(1, True), torch.zeros(7, 3).fill_diagonal_(1, True))
y = torch.zeros(3, 4)
y.t().fill_diagonal_(5)
y[1:, 1:].fill_diagonal_(3)
print(y)
z = torch.ones(3, 3, requires_grad=True)
w = (z * 2).fill_diagonal_(0)
print(torch.autograd.grad(w.sum(), z))

# Each [fill_diagonal_ refused]
torch.zeros(2, 3, 3).fill_diagonal_(2)
torch.zeros(3).fill_diagonal_(2)

# In [by a Python function]
x = torch.arange(6.).reshape(2, 3)
print(x.clone().apply_(lambda v: v * 2 + 1), torch.arange(3).apply_(lambda v: v * 2.7), x.t().clone().apply_(abs))
print(x.clone().map_(x, lambda a, b: a + b), x.clone().map2_(x, x, lambda a, b, c: a + b * c), x.clone().map_(torch.ones(3), max))
x.requires_grad_().apply_(lambda v: v)

# In [truth and order]
print(torch.tensor(2.).is_nonzero(), torch.is_nonzero(torch.tensor([0])))
x = torch.arange(6.).reshape(2, 3)
print(x.dim_order(), x.t().dim_order(), torch.ones(2, 3, 4, 5).to(memory_format=torch.channels_last).dim_order())
print(x.is_ipu, x.is_maia, x.is_mtia, x.is_vulkan, x.const_data_ptr() == x.data_ptr(), torch.legacy_contiguous_format)

# Each [truth and order refused]
torch.ones(2).is_nonzero()
torch.ones(0).is_nonzero()
torch.ones(1, 1).dim_order(ambiguity_check=True)

# In [old norms]
import warnings
warnings.simplefilter("ignore")  # PyTorch warns once that they are deprecated
x = torch.arange(6.).reshape(2, 3)
print(torch.nuclear_norm(x), torch.nuclear_norm(torch.ones(2, 3, 4), (1, 2)), torch.frobenius_norm(x, (0, 1)))
print(torch.frobenius_norm(x, 1), torch.frobenius_norm(x, (0, 1), True))

# In [errors are classes]
print(torch.OutOfMemoryError.__mro__[1], torch.AcceleratorError.__mro__[1], torch.linalg.LinAlgError.__mro__[1])
print(torch.OutOfMemoryError, isinstance(3, torch.SymInt), isinstance(3., torch.SymFloat), isinstance(True, torch.SymBool))
try:
    torch.linalg.inv(torch.zeros(2, 2))
except torch.linalg.LinAlgError as error:
    print(error)

# In [anomaly mode]
print(torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled())
torch.set_anomaly_enabled(True, False)
print(torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled())
torch.set_anomaly_enabled(False)
print(torch.is_anomaly_enabled())

# In [files]
with open("numbers", "wb") as f:
    f.write(b"\0\0\x80?" * 3)
print(torch.from_file("numbers", size=3))
y = torch.from_file("numbers", shared=True, size=2)
y[0] = 2
print(y, torch.from_file("numbers", False, 2, dtype=torch.int32))

# In [segments]
print(torch.segment_reduce(torch.arange(6.), 'sum', lengths=torch.tensor([2, 4])))
print(torch.segment_reduce(torch.arange(6.).reshape(3, 2), 'max', lengths=torch.tensor([1, 2]), axis=0))
print(torch.segment_reduce(torch.arange(6.), 'mean', offsets=torch.tensor([0, 2, 6])))
print(torch.segment_reduce(torch.arange(6.), 'mean', lengths=torch.tensor([0, 6])))
print(torch.segment_reduce(torch.arange(6.), 'min', lengths=torch.tensor([0, 6])))
print(torch.segment_reduce(torch.arange(6.), 'prod', lengths=torch.tensor([2, 4]), initial=10))
x = torch.arange(6.).requires_grad_()
torch.segment_reduce(x, 'mean', lengths=torch.tensor([2, 4])).prod().backward()
print(x.grad)
torch.segment_reduce(torch.arange(6.), 'sum', lengths=torch.tensor([2, 3]))

# In [branches]
x = torch.ones(2)
print(torch.cond(True, lambda a: a + 1, lambda a: a - 1, (x,)), torch.cond(x.sum() > 5, lambda a: a + 1, lambda a: a - 1, (x,)))

# In [old sparse products]
s = torch.arange(6.).reshape(2, 3).to_sparse()
print(torch.spmm(s, torch.ones(3, 2)), torch.dsmm(torch.ones(2, 2), s), torch.smm(s, torch.ones(3, 2)))

# In [operands that overlap the memory written to]
def show(f):
    try: print(f())
    except Exception as e: print(type(e).__name__, str(e)[:120])
a = torch.arange(6., dtype=torch.float64); show(lambda: a[1:].add_(a[:-1]))
a = torch.arange(6., dtype=torch.float64); show(lambda: a[1:].copy_(a[:-1]))
a = torch.arange(6., dtype=torch.float64); show(lambda: a[:-1].add_(a[1:]))
a = torch.arange(6., dtype=torch.float64); show(lambda: a[::2].add_(a[1::2]))
a = torch.arange(6., dtype=torch.float64); show(lambda: a.view(2,3).t().add_(a.view(3,2)))
a = torch.arange(6., dtype=torch.float64); show(lambda: a.view(2,3).add_(a.view(2,3)))
a = torch.arange(6., dtype=torch.float64); show(lambda: a.add_(a))
a = torch.arange(6., dtype=torch.float64); show(lambda: a.add_(a[0]))
a = torch.arange(6., dtype=torch.float64); show(lambda: a[:3].add_(a[3:]))
a = torch.arange(6., dtype=torch.float64); show(lambda: a[:3].add_(a[2:5]))
a = torch.arange(6., dtype=torch.float64); show(lambda: a.view(2,3)[0].add_(a.view(2,3)[:,0]))
a = torch.arange(6., dtype=torch.float64); show(lambda: a.add_(a.flip(0)))
a = torch.arange(6., dtype=torch.float64); show(lambda: a.expand(2,6).add_(1))
a = torch.arange(6., dtype=torch.float64); show(lambda: a[None].expand(2,6).copy_(torch.ones(2,6)))
a = torch.arange(6., dtype=torch.float64); show(lambda: a[1:].__setitem__(slice(None),a[:-1]))
a = torch.arange(6., dtype=torch.float64); show(lambda: a.masked_fill_(a>1,a[0]))
a = torch.arange(6., dtype=torch.float64); show(lambda: torch.add(a[1:],1,out=a[:-1]))
a = torch.arange(6., dtype=torch.float64); show(lambda: a[1:].mul_(a[:-1]).sum())
a = torch.arange(6., dtype=torch.float64); show(lambda: a[1:].addcmul_(a[:-1],a[:-1]))
a = torch.arange(6., dtype=torch.float64); show(lambda: a[1:].lerp_(a[:-1],.5))
a = torch.arange(6., dtype=torch.float64); show(lambda: a[1:].clamp_(min=a[:-1]))
a = torch.arange(6., dtype=torch.float64); show(lambda: a[1:].where(a[1:]>0,a[1:]).sum())
a = torch.arange(6., dtype=torch.float64); show(lambda: a[1:].sub_(a[:-1],alpha=2))
a = torch.arange(6., dtype=torch.float64); show(lambda: a[1:].div_(a[:-1]))
a = torch.arange(6., dtype=torch.float64); show(lambda: a[1:].pow_(a[:-1]))
a = torch.arange(6., dtype=torch.float64); show(lambda: a[1:].atan2_(a[:-1]))
a = torch.arange(6., dtype=torch.float64); show(lambda: a[1:].eq_(a[:-1]))
a = torch.arange(6., dtype=torch.float64); show(lambda: a[1:].fmod_(a[:-1]))
a = torch.arange(6., dtype=torch.float64); show(lambda: a[1:].index_add_(0,torch.tensor([0]),a[:1]))
a = torch.arange(6., dtype=torch.float64); show(lambda: a.index_add_(0,torch.tensor([0,1]),a[1:3]))
a = torch.arange(6., dtype=torch.float64); show(lambda: a.scatter_(0,torch.tensor([0,1]),a[1:3]))
a = torch.arange(6., dtype=torch.float64); show(lambda: a.index_copy_(0,torch.tensor([0,1]),a[1:3]))
a = torch.arange(6., dtype=torch.float64); show(lambda: a.index_put_((torch.tensor([0,1]),),a[1:3]))
a = torch.arange(6., dtype=torch.float64); show(lambda: a[torch.tensor([0,1])].add_(a[:2]))
a = torch.arange(6., dtype=torch.float64); show(lambda: a.__setitem__(torch.tensor([0,1]),a[1:3]))
a = torch.arange(6., dtype=torch.float64); show(lambda: a.view(2,3).t_().add_(a.view(3,2)).sum())
a = torch.arange(6., dtype=torch.float64); show(lambda: a[1:].logical_and_(a[:-1]))
a = torch.arange(6., dtype=torch.float64); show(lambda: a[1:].maximum(a[:-1]).sum())
a = torch.arange(6., dtype=torch.float64); show(lambda: torch.exp(a[1:],out=a[:-1]))
a = torch.arange(6., dtype=torch.float64); show(lambda: torch.cat([a[:2],a[2:4]],out=a[:4]))
a = torch.arange(6., dtype=torch.float64); show(lambda: a[1:].addcdiv_(a[:-1],a[:-1]))
a = torch.arange(6., dtype=torch.float64); show(lambda: a.cumsum_(0))
a = torch.arange(6., dtype=torch.float64); show(lambda: a[1:].hypot_(a[:-1]))
a = torch.arange(6., dtype=torch.float64); show(lambda: a[1:].remainder_(a[:-1]))
a = torch.arange(6., dtype=torch.float64); show(lambda: a[1:].floor_divide_(a[:-1]))
a = torch.arange(6., dtype=torch.float64); show(lambda: a[1:].copysign_(a[:-1]))
a = torch.arange(6., dtype=torch.float64); show(lambda: a[1:].__iadd__(a[:-1]))
a = torch.arange(6., dtype=torch.float64); show(lambda: a.expand(2,6)[0].add_(1))
a = torch.arange(6., dtype=torch.float64); show(lambda: a.expand(2,6).zero_())
a = torch.arange(6., dtype=torch.float64); show(lambda: a.expand(2,6).fill_(1))
a = torch.arange(6., dtype=torch.float64); show(lambda: a.expand(2,6).uniform_())
a = torch.arange(6., dtype=torch.float64); show(lambda: a.expand(2,6).relu_())
a = torch.arange(6., dtype=torch.float64); show(lambda: a.as_strided((2,2),(0,1)).mul_(2))
a = torch.arange(6., dtype=torch.float64); show(lambda: a.expand(2,6).cumsum_(0))
a = torch.arange(6., dtype=torch.float64); show(lambda: a.expand(2,6).scatter_(0,torch.zeros(1,6,dtype=int),1.))
a = torch.arange(6., dtype=torch.float64); show(lambda: a.expand(2,6).sort()[0].sum())
a = torch.arange(6., dtype=torch.float64); show(lambda: a.expand(2,6).index_add_(0,torch.tensor([0]),torch.ones(1,6,dtype=torch.float64)))
a = torch.arange(6., dtype=torch.float64); show(lambda: a.expand(2,6).__setitem__(0,1.))
a = torch.arange(6., dtype=torch.float64); show(lambda: a.expand(2,6).__setitem__(slice(None),torch.ones(2,6)))
a = torch.arange(6., dtype=torch.float64); show(lambda: a.add_(a.view(6,1)))
a = torch.arange(6., dtype=torch.float64); show(lambda: a[1:].add_(a.view(2,3)))

# In [versions of new tensors]
F = torch.nn.functional
print([t._version for t in (torch.rand(2), torch.randn(2), torch.randint(3, (2,)), torch.randperm(3), torch.rand_like(torch.ones(2)))])
print((torch.ones(2) @ torch.ones(2, 3))._version, F.linear(torch.ones(3), torch.ones(2, 3))._version, torch.ones(3).dot(torch.ones(3))._version)
x = torch.ones(2); torch.rand(2, out=x); print(x._version)
