"""Names of Tensor, nn.functional, utils.data, autograd and distributions that no other test calls."""

# In [methods and attributes of tensors]
import warnings
warnings.simplefilter('ignore')
def tell(call):
    torch.manual_seed(0)
    x = torch.tensor([[1., 2., 3.], [4., 5., 7.]], requires_grad=True)
    names = {"torch": torch, "x": x, "y": x * 1, "z": x.detach().clone(), "s": torch.tensor([[0., 2], [3, 0]]).to_sparse(), "q": torch.tensor([[2., 1], [1, 3]], requires_grad=True)}
    try:
        found = eval(call, names)
        if isinstance(found, torch.Tensor): return f"{found!r} {tuple(found.shape)} {found.dtype}"
        return repr(found)
    except Exception as e: return f"{type(e).__name__}: {str(e).splitlines()[0]}"
for call in """
x.H
x.H.shape
torch.Tensor.H.__get__(x).shape
torch.ones(2, dtype=torch.complex64).H
torch.ones(2, 2, 2).H
torch.tensor([[1j, 2]]).H
z.apply_(lambda v: v + 1)
z.apply_(3)
x.apply_(lambda v: v)
y.apply_(lambda v: v)
z.long().apply_(lambda v: v * 2)
z.map_(z.clone(), lambda a, b: a * b)
z.map_(torch.ones(3), lambda a, b: a - b)
z.map_(torch.ones(4), lambda a, b: a - b)
z.map_(z.double(), lambda a, b: a - b)
z.map2_(z.clone(), z.clone(), lambda a, b, c: a + b + c)
s.to_sparse_csr().ccol_indices()
s.to_sparse_csc().ccol_indices()
s.to_sparse_csc().row_indices()
s.to_sparse_csr().col_indices()
s.to_sparse_csr().row_indices()
x.ccol_indices()
x.col_indices()
x.row_indices()
x.const_data_ptr() == x.data_ptr()
s.dense_dim()
x.dense_dim()
s.sparse_dim()
x.sparse_dim()
x.dim()
x.ndimension()
x.nelement()
x.dim(1)
x.nelement(1)
x.ndimension(1)
x.dim_order()
x.t().dim_order()
torch.ones(2, 3, 4, 5).to(memory_format=torch.channels_last).dim_order()
torch.ones(1, 1).dim_order(ambiguity_check=True)
torch.ones(2, 3).dim_order(ambiguity_check=True)
z.fill_diagonal_(9)
z.fill_diagonal_(9.5, wrap=True)
torch.zeros(5, 2).fill_diagonal_(1, True)
torch.zeros(5, 2).fill_diagonal_(1)
torch.zeros(2, 2, 2).fill_diagonal_(1)
torch.zeros(2, 3, 2).fill_diagonal_(1)
torch.zeros(3).fill_diagonal_(1)
x.fill_diagonal_(1)
y.fill_diagonal_(1)
z.fill_diagonal_('a')
z.fill_diagonal_(1j)
q.inverse()
x.inverse()
torch.zeros(2, 2).inverse()
q.long().inverse()
q.matrix_power(3)
q.matrix_power(-1)
q.matrix_power(0)
x.matrix_power(2)
q.matrix_power(1.5)
q.slogdet()
x.slogdet()
x.is_cpu
x.is_cuda
x.is_ipu
x.is_maia
x.is_mkldnn
x.is_mps
x.is_mtia
x.is_nested
x.is_quantized
x.is_sparse
s.is_sparse
x.is_sparse_csr
s.to_sparse_csr().is_sparse_csr
x.is_vulkan
x.is_xla
x.is_xpu
x.is_distributed()
x.is_pinned()
x.is_shared()
x.is_nonzero()
x[0, 0].is_nonzero()
torch.zeros(1).is_nonzero()
torch.zeros(0).is_nonzero()
x.is_same_size(x)
x.is_same_size(x[0])
x.is_same_size(3)
x.layout
s.layout
s.to_sparse_csr().layout
x.new(2, 3).shape
x.new([1, 2])
x.new(z)
x.new()
x.long().new([1, 2])
x.new('a')
x.orgqr(torch.ones(2))
torch.eye(3, 2).orgqr(torch.ones(2))
torch.eye(3, 2).orgqr(torch.ones(3))
z.resize(3, 2)
z.resize((6,))
z.resize(7)
z.resize_as(torch.ones(6))
z.resize_as(torch.ones(7))
z.resize_as_(torch.ones(2, 2))
torch.ones(2).resize_as_(torch.ones(2, 2)).shape
x.resize_as_(torch.ones(2, 2))
z.resize_as_(3)
s.smm(torch.ones(2, 2))
z.smm(torch.ones(2, 2))
s.sspaddmm(s, torch.ones(2, 2))
s.sspaddmm(s, torch.ones(2, 2), beta=2, alpha=3)
s.sspaddmm(s, torch.ones(2, 2)).to_dense()
z.sparse_mask(s)
torch.ones(2, 2).sparse_mask(s)
torch.ones(2, 2).sparse_mask(s.to_sparse_csr())
q.sparse_mask(s).grad_fn
z.storage().tolist()
z.storage().dtype
z.storage().size()
z.t().storage().tolist()
z.swapdims(0, 1)
x.swapdims(0, 1).grad_fn
z.swapdims(0, 2)
z.swapdims_(0, 1)
y.swapdims_(0, 1).grad_fn
z.swapdims_(0)
torch.ones(2, 2).to_sparse_bsr((1, 2))
torch.ones(2, 2).to_sparse_bsr(2)
torch.ones(2, 2).to_sparse_bsr((3, 1))
torch.ones(2, 2).to_sparse_bsc((1, 2))
torch.ones(2, 2).to_sparse_csc()
torch.ones(2, 2).to_sparse_coo()
q.to_sparse_csc().grad_fn
q.to_sparse_coo().grad_fn
s.to_sparse_coo()
z.unsafe_split_with_sizes([1, 2], 1)
z.unsafe_split_with_sizes([1, 1], 1)
y.unsafe_split_with_sizes([1, 1])[0].grad_fn
x.volatile
""".strip().splitlines():
    print(call, tell(call))

# In [rare functions of nn.functional]
import warnings
warnings.simplefilter('ignore')
def tell(call):
    torch.manual_seed(0)
    x = torch.arange(16.).view(1, 1, 4, 4).requires_grad_()
    try:
        found = eval(call, {"torch": torch, "F": F, "x": x, "v": torch.arange(64.).view(1, 1, 4, 4, 4)})
        if isinstance(found, torch.Tensor): found = (found,)
        if isinstance(found, tuple): return " ".join(f"{tuple(t.shape)} {t.double().sum().item():.4f} {t.dtype} {t.grad_fn and t.grad_fn.name()}" for t in found)
        return repr(found)
    except Exception as e: return f"{type(e).__name__}: {str(e).splitlines()[0]}"
for call in """
F.ScalingType.TensorWise.value, F.ScalingType.RowWise.value, F.ScalingType.BlockWise1x32.name
F.SwizzleType.NO_SWIZZLE.value, F.SwizzleType.SWIZZLE_32_4_4.value
F.adaptive_max_pool1d_with_indices(x[0], 2)
F.adaptive_max_pool1d_with_indices(x[0], 2, True)
F.adaptive_max_pool1d_with_indices(x[0], (2, 2))
F.adaptive_max_pool2d_with_indices(x, 2)
F.adaptive_max_pool2d_with_indices(x, (2, None))
F.adaptive_max_pool2d_with_indices(x, (2, 2, 2))
F.adaptive_max_pool3d_with_indices(v, 2)
F.adaptive_max_pool3d_with_indices(v, (2, 1, None))
F.adaptive_max_pool3d_with_indices(x[0], 2)
F.max_pool1d_with_indices(x[0], 2)
F.max_pool1d_with_indices(x[0], 2, 1, 1, 2, True)
F.max_pool1d_with_indices(x[0], 2, padding=3)
F.max_pool2d_with_indices(x, 2)
F.max_pool2d_with_indices(x, 2, 1, 1, 2, True, False)
F.max_pool2d_with_indices(x[0, 0], 2)
F.max_pool3d_with_indices(v, 2)
F.max_pool3d_with_indices(v, (2, 1, 1), stride=1)
F.max_pool3d_with_indices(x, 2)
F.fractional_max_pool2d_with_indices(x, 2, 2)
F.fractional_max_pool2d_with_indices(x, (2, 1), (3, 3), _random_samples=torch.full((1, 1, 2), 0.5))
F.fractional_max_pool2d_with_indices(x, 2)
F.fractional_max_pool2d_with_indices(x, 2, 2, 0.5)
F.fractional_max_pool2d_with_indices(x, 2, 4)
F.fractional_max_pool2d_with_indices(x, 2, output_ratio=(0.5, 1.5))
F.fractional_max_pool3d_with_indices(v, 2, 2)
F.fractional_max_pool3d_with_indices(v, 2, output_ratio=(0.5, 0.5, 0.5))
F.fractional_max_pool3d_with_indices(v, 2)
F.fractional_max_pool3d_with_indices(v, 2, 5)
F.lp_pool3d(v, 2, 2)
F.lp_pool3d(v, 3., 2, 1, True)
F.lp_pool3d(x, 2, 2)
F.lp_pool3d(v, 2, (2, 2, 1), stride=(1, 1, 1))
F.grouped_mm(torch.ones(6, 8).bfloat16(), torch.ones(2, 8, 8).bfloat16(), offs=torch.tensor([2, 6], dtype=torch.int32))
F.grouped_mm(torch.ones(6, 8), torch.ones(2, 8, 8), offs=torch.tensor([2, 6], dtype=torch.int32))
F.grouped_mm(torch.ones(6, 8).bfloat16(), torch.ones(2, 8, 8).bfloat16())
F.grouped_mm(torch.ones(6, 8).bfloat16(), torch.ones(2, 7, 8).bfloat16(), offs=torch.tensor([2, 6], dtype=torch.int32))
F.grouped_mm(torch.ones(6, 8).bfloat16(), torch.ones(2, 8, 8).bfloat16(), offs=torch.tensor([2, 6]))
F.upsample(x, 8)
F.upsample(x, scale_factor=2, mode='bilinear')
F.upsample(x, scale_factor=2, mode='bilinear', align_corners=True)
F.upsample(x)
F.upsample(x, 8, 2)
F.upsample(x, 8, mode='nope')
""".strip().splitlines():
    print(call, tell(call))

# In [rare names of utils.data and autograd]
import warnings
warnings.simplefilter('ignore')
from torch.utils import data
from torch.utils.data import ChainDataset, ConcatDataset, Sampler, SequentialSampler, StackDataset, random_split, IterableDataset, TensorDataset, DataLoader
class Counted(IterableDataset):
    def __init__(self, n): self.n = n
    def __iter__(self): return iter(range(self.n))
class Sized(Counted):
    def __len__(self): return self.n
class Own(Sampler):
    def __iter__(self): return iter([2, 0])
a, b = TensorDataset(torch.arange(3)), TensorDataset(torch.arange(3, 7))
def tell(call):
    torch.manual_seed(0)
    try: return repr(eval(call, globals_))
    except Exception as e: return f"{type(e).__name__}: {str(e).splitlines()[0] if str(e) else ''}"
globals_ = dict(globals())
for call in """
list(ChainDataset([Counted(2), Counted(3)]))
len(ChainDataset([Sized(2), Sized(3)]))
len(ChainDataset([Counted(2), Sized(3)]))
list(ChainDataset([a, b]))
len(ChainDataset([a, b]))
ChainDataset(3)
list(ChainDataset(3))
ChainDataset([Counted(2)])[0]
list(Counted(1) + Counted(2))
type(Counted(1) + Counted(2)).__name__
list(DataLoader(ChainDataset([Counted(2), Counted(3)]), batch_size=3))
len(ConcatDataset([a, b]))
ConcatDataset([a, b])[4]
ConcatDataset([a, b])[-1]
ConcatDataset([a, b])[7]
ConcatDataset([a, b])[-8]
ConcatDataset([a, b]).cumulative_sizes
ConcatDataset([a, b]).cummulative_sizes
ConcatDataset([])
ConcatDataset([Counted(2)])
ConcatDataset(3)
(a + b)[5]
type(a + b).__name__
list(SequentialSampler(a))
len(SequentialSampler(b))
list(SequentialSampler(3))
SequentialSampler(a)
list(Own(a))
list(Sampler(a))
Sampler()
len(Sampler())
len(Own())
list(DataLoader(b, sampler=Own()))
len(StackDataset(a, TensorDataset(torch.ones(3))))
StackDataset(a, torch.arange(3))[1]
StackDataset(x=a, y=torch.arange(3))[1]
StackDataset(a, b)
StackDataset(x=a, y=b)
StackDataset()
StackDataset(a, x=b)
StackDataset(a, torch.arange(3)).__getitems__([0, 2])
StackDataset(x=a, y=torch.arange(3)).__getitems__([0, 2])
StackDataset(a)[5]
[list(s.indices) for s in torch.utils.data.random_split(range(6), [2, 4])]
[list(s.indices) for s in random_split(range(6), [0.5, 0.5])]
[list(s.indices) for s in random_split(range(7), [0.5, 0.5])]
[list(s.indices) for s in random_split(range(6), [2, 4], generator=torch.Generator().manual_seed(3))]
random_split(range(6), [2, 3])
random_split(range(6), [0.5, 0.6])
random_split(range(6), [0.5, -0.1])
random_split(range(6), [-1, 7])
[len(s) for s in random_split(range(3), [0.01, 0.99])]
random_split(range(6), 3)
random_split(3, [1, 2])
data.dataloader.default_collate([torch.ones(1), torch.ones(1)])
data.dataloader.DataLoader is DataLoader
data.sampler.RandomSampler is data.RandomSampler
data.distributed.DistributedSampler is data.DistributedSampler
list(data.distributed.DistributedSampler(range(5), 2, 1, shuffle=False))
torch.autograd.grad_mode.no_grad is torch.no_grad
torch.autograd.grad_mode.set_grad_enabled(True)
torch.autograd.is_multithreading_enabled()
torch.autograd.set_multithreading_enabled(False)
torch.autograd.is_multithreading_enabled()
torch.autograd.set_multithreading_enabled(True)
torch.autograd.is_multithreading_enabled()
torch.autograd.grad_mode.set_multithreading_enabled(True).__class__.__name__
torch.autograd.set_detect_anomaly(False).__class__
torch.is_anomaly_enabled()
torch.autograd.set_detect_anomaly(True) and torch.is_anomaly_enabled()
torch.autograd.set_detect_anomaly(False) and torch.is_anomaly_enabled()
torch.autograd.profiler.profile
torch.func.debug_unwrap(torch.ones(2))
torch.func.vmap(lambda x: (print(type(torch.func.debug_unwrap(x)), torch.func.debug_unwrap(x).shape), x)[1])(torch.ones(3, 2)).shape
torch.linalg.LinAlgError.__mro__[1]
torch.linalg.inv(torch.zeros(2, 2))
torch.nn.attention.SDPBackend.MATH
torch.nn.parallel.DataParallel.__name__
list(torch.nn.attention.SDPBackend.__members__)
torch.nn.attention.sdpa_kernel([torch.nn.attention.SDPBackend.MATH]).__class__.__name__
torch.nn.attention.sdpa_kernel(3)
torch.nn.grad.conv2d_input((1, 1, 3, 3), torch.ones(1, 1, 2, 2), torch.ones(1, 1, 2, 2))
torch.nn.grad.conv2d_weight(torch.ones(1, 1, 3, 3), (1, 1, 2, 2), torch.ones(1, 1, 2, 2))
torch.nn.grad.conv1d_input((1, 1, 3), torch.ones(1, 1, 2), torch.ones(1, 1, 1), stride=2)
torch.nn.grad.conv1d_weight(torch.ones(1, 1, 3), (1, 1, 2), torch.ones(1, 1, 4), padding=1)
torch.nn.grad.conv3d_input((1, 1, 2, 2, 2), torch.ones(1, 1, 2, 2, 2), torch.ones(1, 1, 1, 1, 1)).sum()
torch.nn.grad.conv3d_weight(torch.ones(1, 1, 2, 2, 2), (1, 1, 2, 2, 2), torch.ones(1, 1, 1, 1, 1)).sum()
torch.nn.RNNCellBase(3, 4, True, 2)
[p.shape for p in torch.nn.RNNCellBase(3, 4, True, 2).parameters()]
torch.nn.RNNCellBase(3, 4, False, 4).extra_repr()
torch.nn.RNNCellBase(3, 4)
torch.nn.RNNCellBase(3, 4, True, 1)(torch.ones(3))
torch.nn.UninitializedParameter()
torch.nn.UninitializedParameter().shape
torch.nn.UninitializedParameter(requires_grad=False).requires_grad
torch.nn.UninitializedParameter().is_leaf
torch.nn.UninitializedParameter(dtype=torch.float64).dtype
torch.nn.UninitializedBuffer()
torch.nn.UninitializedBuffer().shape
torch.nn.UninitializedBuffer().dtype
torch.nn.UninitializedBuffer(requires_grad=True).requires_grad
""".strip().splitlines():
    print(call, tell(call))
p = torch.nn.UninitializedParameter(); p.materialize((2, 3)); print(type(p), p.shape, p.requires_grad)
b = torch.nn.UninitializedBuffer(); b.materialize((2,), dtype=torch.float64); print(type(b), b.shape, b.dtype)

# In [modules and transforms of distributions]
from torch import distributions as D
from torch.distributions import transforms as T, constraints as C, AbsTransform, AffineTransform, ComposeTransform, CumulativeDistributionTransform, LowerCholeskyTransform, PositiveDefiniteTransform, PowerTransform, SigmoidTransform, SoftplusTransform, TanhTransform, identity_transform, transform_to, register_kl
x = torch.tensor([0.3, -1.2])
def tell(call):
    try: return repr(eval(call, globals_))
    except Exception as e: return f"{type(e).__name__}: {str(e).splitlines()[0] if str(e) else ''}"
globals_ = dict(globals())
for name in "bernoulli beta binomial categorical cauchy chi2 continuous_bernoulli dirichlet distribution exp_family exponential fishersnedecor gamma generalized_pareto geometric gumbel half_cauchy half_normal independent inverse_gamma kl kumaraswamy laplace lkj_cholesky log_normal logistic_normal lowrank_multivariate_normal mixture_same_family multinomial multivariate_normal negative_binomial one_hot_categorical pareto poisson relaxed_bernoulli relaxed_categorical studentT transformed_distribution transforms uniform von_mises weibull wishart".split():
    module = getattr(D, name)
    print(name, type(module).__name__, module.__name__.endswith(name))
torch.distributions.bernoulli, torch.distributions.beta, torch.distributions.binomial, torch.distributions.categorical, torch.distributions.cauchy, torch.distributions.chi2, torch.distributions.continuous_bernoulli, torch.distributions.dirichlet, torch.distributions.distribution, torch.distributions.exp_family, torch.distributions.exponential, torch.distributions.fishersnedecor, torch.distributions.gamma, torch.distributions.generalized_pareto, torch.distributions.geometric, torch.distributions.gumbel, torch.distributions.half_cauchy, torch.distributions.half_normal, torch.distributions.independent, torch.distributions.inverse_gamma, torch.distributions.kl, torch.distributions.kumaraswamy, torch.distributions.laplace, torch.distributions.lkj_cholesky, torch.distributions.log_normal, torch.distributions.logistic_normal, torch.distributions.lowrank_multivariate_normal, torch.distributions.mixture_same_family, torch.distributions.multinomial, torch.distributions.multivariate_normal, torch.distributions.negative_binomial, torch.distributions.one_hot_categorical, torch.distributions.pareto, torch.distributions.poisson, torch.distributions.relaxed_bernoulli, torch.distributions.relaxed_categorical, torch.distributions.studentT, torch.distributions.transformed_distribution, torch.distributions.transforms, torch.distributions.uniform, torch.distributions.von_mises, torch.distributions.weibull, torch.distributions.wishart
for call in """
AbsTransform()
AbsTransform()(x)
AbsTransform().inv(x)
AbsTransform().log_abs_det_jacobian(x, x)
AbsTransform() == AbsTransform()
AbsTransform().domain, AbsTransform().codomain, AbsTransform().bijective
AffineTransform(1., 2.)(x)
AffineTransform(1., 2.).inv(x)
AffineTransform(1., 2.).log_abs_det_jacobian(x, x)
AffineTransform(1., 2., event_dim=1).log_abs_det_jacobian(x, x)
AffineTransform(1., 2.) == AffineTransform(1., 2.)
AffineTransform(1., x) == AffineTransform(1., x)
AffineTransform(1., 2.) == AffineTransform(1., 3.)
AffineTransform(1., -2.).sign, AffineTransform(1., x).sign
AffineTransform(1., 2., cache_size=3)
AffineTransform(1., 2., event_dim=2).domain
AffineTransform()
ComposeTransform([AffineTransform(1., 2.), T.ExpTransform()])
ComposeTransform([AffineTransform(1., 2.), T.ExpTransform()])(x)
ComposeTransform([AffineTransform(1., 2.), T.ExpTransform()]).inv(x.exp())
ComposeTransform([AffineTransform(1., 2.), T.ExpTransform()]).log_abs_det_jacobian(x, x)
ComposeTransform([]) == identity_transform
ComposeTransform([])(x) is x
ComposeTransform([AbsTransform()]).bijective
ComposeTransform([AffineTransform(0., 2.)], cache_size=2)
ComposeTransform(3)
ComposeTransform([AffineTransform(0., 2.)]).with_cache(1)._cache_size
identity_transform
identity_transform(x)
torch.distributions.identity_transform is identity_transform
torch.distributions.transform_to is transform_to, torch.distributions.register_kl is register_kl
identity_transform.inv(x)
CumulativeDistributionTransform(D.Normal(0., 1.))(x)
CumulativeDistributionTransform(D.Normal(0., 1.)).inv(torch.tensor([0.2, 0.9]))
CumulativeDistributionTransform(D.Normal(0., 1.)).log_abs_det_jacobian(x, x)
LowerCholeskyTransform()(torch.tensor([[1., 2], [3, 0.5]]))
LowerCholeskyTransform().inv(torch.tensor([[1., 0], [3, 0.5]]))
LowerCholeskyTransform().log_abs_det_jacobian(x, x)
PositiveDefiniteTransform()(torch.tensor([[1., 2], [3, 0.5]]))
PositiveDefiniteTransform().inv(torch.tensor([[2., 0.5], [0.5, 1]]))
PowerTransform(2.)(x.abs())
PowerTransform(torch.tensor(2.)).inv(x.abs())
PowerTransform(2.).log_abs_det_jacobian(x.abs(), x.abs())
PowerTransform(2.) == PowerTransform(2.)
PowerTransform(torch.tensor(-2.)).sign
SigmoidTransform()(x)
SigmoidTransform().inv(x.sigmoid())
SigmoidTransform().inv(torch.tensor([0., 1]))
SigmoidTransform().log_abs_det_jacobian(x, x)
SoftplusTransform()(x)
SoftplusTransform().inv(x.exp())
SoftplusTransform().log_abs_det_jacobian(x, x)
TanhTransform()(x)
TanhTransform().inv(x.tanh())
TanhTransform().inv(torch.tensor([1.]))
TanhTransform().log_abs_det_jacobian(x, x)
TanhTransform() == TanhTransform(), TanhTransform() == SigmoidTransform()
TanhTransform().forward_shape((2,)), TanhTransform().inverse_shape((2,))
transform_to(C.positive)
transform_to(C.simplex)(x)
transform_to(C.interval(-1., 1.))(x)
transform_to(C.lower_cholesky)(torch.ones(2, 2))
transform_to(C.greater_than(3.))(x)
transform_to(C.real)
transform_to(C.boolean)
transform_to(3)
register_kl(3, D.Normal)
register_kl(D.Normal, 3)
D.kl_divergence(D.Normal(0., 1.), D.Pareto(1., 1.))
D.kl.kl_divergence is D.kl_divergence, D.kl.register_kl is register_kl
T.StackTransform([T.ExpTransform(), TanhTransform()], dim=0)(x)
T.CatTransform([T.ExpTransform(), TanhTransform()], dim=0)(x)
T.ReshapeTransform((2,), (1, 2))(x)
T.CorrCholeskyTransform()(x[:1])
T.StickBreakingTransform()(x)
T.IndependentTransform(T.ExpTransform(), 1).log_abs_det_jacobian(x, x.exp())
""".strip().splitlines():
    print(call, tell(call))
class P(D.Normal): pass
@register_kl(P, P)
def _(p, q): return p.loc * 0 + 7
print(D.kl_divergence(P(0., 1.), P(0., 1.)), D.kl_divergence(P(0., 1.), D.Normal(0., 2.)))

# In [functions that are gone, and copies of sparse tensors' parts]
import warnings
warnings.simplefilter('ignore')
def attempt(n, f):
    try: print(n, f())
    except Exception as e: print(n, type(e).__name__, str(e))
a, b = torch.ones(3, 3), torch.ones(3, 2)
for n in 'eig symeig lstsq solve matrix_rank'.split():
    attempt(n, lambda: getattr(torch, n)(a)); attempt(n, lambda: getattr(torch, n)(b, a)); attempt(n, lambda: getattr(a, n)()); attempt(n, lambda: getattr(b, n)(a))
attempt('eig', lambda: torch.eig(a, eigenvectors=True)); attempt('symeig', lambda: torch.symeig(a, eigenvectors=True, upper=False)); attempt('rank', lambda: torch.matrix_rank(a, symmetric=True))
s = torch.sparse_coo_tensor(torch.tensor([[0, 1, 0], [1, 0, 1]]), torch.tensor([1., 2., 3.]), (2, 3)).coalesce()
print(torch.saddmm(s, s, torch.ones(3, 3), beta=2, alpha=3), torch.hsmm(s, torch.ones(3, 2)))
for n in 'crow_indices col_indices ccol_indices row_indices values indices'.split():
    for q in (s.to_sparse_csr(), s.to_sparse_csc(), s, a): attempt(n, lambda: str(getattr(torch, n + '_copy')(q))) if q is not s else attempt(n, lambda: q.layout)
p, z = nn.Parameter(torch.ones(2)), torch.zeros(2)
attempt('load', lambda: p.module_load(z)); attempt('load', lambda: z.module_load(torch.ones(2))); attempt('load', lambda: z.module_load(p, assign=True))
attempt('grad_dtype', lambda: (p.grad_dtype, z.grad_dtype, torch.ones(2).long().grad_dtype)); attempt('grad_dtype', lambda: (p * 2).grad_dtype)
attempt('grad_dtype', lambda: setattr(p, 'grad_dtype', 3)); attempt('grad_dtype', lambda: setattr(p * 2, 'grad_dtype', torch.float32)); attempt('grad_dtype', lambda: setattr(p, 'grad_dtype', torch.float32))
attempt('enable', lambda: torch.enable_grad(orig_func=lambda: torch.is_grad_enabled())()); attempt('no', lambda: torch.no_grad(orig_func=lambda: torch.is_grad_enabled())())
