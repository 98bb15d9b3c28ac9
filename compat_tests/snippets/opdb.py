# What comparing with PyTorch's own op database brought up.

# Each [scatter gradients]
x = torch.tensor([2., 0., 3.], requires_grad=True); s = torch.tensor([4., 0., 5., 6.], requires_grad=True); i = torch.tensor([0, 0, 1, 2])
torch.autograd.grad(torch.scatter_reduce(x, 0, i, s, 'prod').sum(), (x, s)), torch.autograd.grad(torch.scatter_reduce(x, 0, i, s, 'prod', include_self=False).sum(), (x, s))
torch.autograd.grad(torch.scatter_reduce(x, 0, i, s, 'mean').sum(), (x, s)), torch.autograd.grad(torch.scatter_reduce(x, 0, torch.tensor([1, 1, 0, 2]), s, 'amin').sum(), (x, s))
torch.index_reduce(x, 0, i, s, 'prod').grad_fn.name(), torch.scatter_reduce(x, 0, i, s, 'sum').grad_fn.name(), torch.index_fill(x, 0, torch.tensor([1]), s[0]).grad_fn.name()
torch.autograd.grad(torch.index_fill(x, 0, torch.tensor([1, 1]), s[0]).sum(), (x, s))

# Each [one part replaced]
x = torch.arange(6.).view(2, 3).requires_grad_(); s = torch.ones(2, 2, requires_grad=True)
torch.select_scatter(x, torch.ones(3), 0, 1), torch.diagonal_scatter(x, torch.ones(2), 1), torch.slice_scatter(x, s, 1, 1, 3), torch.as_strided_scatter(x, s, (2, 2), (3, 1), 1)
torch.autograd.grad((torch.as_strided_scatter(x, s, (2, 2), (3, 1), 1) * x.detach()).sum(), (x, s)), torch.autograd.grad(torch.slice_scatter(x, s, 1, 1, 3).sum(), (x, s))
torch.select_scatter(x, torch.ones(2), 0, 1)

# Each [windows]
torch.hann_window(5), torch.hann_window(4, periodic=False), torch.hamming_window(4, True, .5, .4), torch.bartlett_window(5), torch.blackman_window(4, dtype=torch.float64), torch.kaiser_window(4, True, 2.), torch.hann_window(1), torch.hann_window(0)
torch.hann_window(-1)
torch.hann_window(3, dtype=torch.int64)
torch.signal.windows.hann(4), torch.signal.windows.hann(4, sym=False), torch.signal.windows.gaussian(3, std=2.), torch.signal.windows.kaiser(3, dtype=torch.float64), torch.signal.windows.exponential(3, tau=2., sym=False, center=1.)
torch.signal.windows.cosine(-1)
torch.signal.windows.general_cosine(3, a=[])
import torch.signal.windows as w; w.nuttall(4)

# Each [masked]
x = torch.tensor([[1., 2., 3.], [4., 5., 6.]], requires_grad=True); m = torch.tensor([[True, False, True], [False, False, False]])
torch.masked.sum(x, mask=m), torch.masked.mean(x, 1, mask=m), torch.masked.amax(x, 1, keepdim=True, mask=m), torch.masked.var(x, mask=m), torch.masked.softmax(x, 1, mask=m[:1])
torch.masked.median(x.detach(), 1, mask=m), torch.masked.argmin(x, 1, mask=m), torch.masked.norm(x, 2., 1, mask=m), torch.masked.cumsum(x, 1, mask=m), torch.masked.prod(x.detach().long(), 1, mask=m)
torch.autograd.grad(torch.masked.mean(x, mask=m), x), torch.masked.mean(x.detach().long(), mask=m)
torch.masked.sum(x, (0, 0), mask=m)

# Each [out of the dtype's range]
x = torch.tensor([float('nan'), float('inf'), -float('inf'), 3e9, -3e9, 1e19, 300.5, -70000.])
x.to(torch.int8), x.to(torch.uint8), x.to(torch.int16), x.int(), x.long(), x.bfloat16().char(), x.half().int()
torch.complex(torch.tensor([float('inf'), 1.]), torch.tensor([float('nan'), float('inf')]))
torch.arange(0, 3.1, dtype=torch.int64), torch.arange(2.1, -2.9, -1., dtype=torch.int64), torch.arange(0, 3, .5, dtype=torch.int32), torch.linspace(4.3, 9, 5, dtype=torch.int64), torch.logspace(1.5, 4, 3, 3., dtype=torch.int64)
torch.arange(1, 10, .5, dtype=torch.int64)
torch.special.log_ndtr(torch.tensor([-501., -1., 0., 7.])), torch.special.zeta(torch.tensor([501., 501., 1e20]), torch.tensor([-1001.2, -13437.7, 501.]))

# Each [where results are written]
x = torch.arange(6.); i = torch.tensor([0, 1])
torch.gather(x, 0, i, out=x)
torch.gather(x, 0, i, out=torch.empty(2, dtype=torch.double))
torch.cat((x, x), out=x)
torch.add(x[:3], 1, out=x[1:4])
torch.add(x[:3], 1, out=x[3:]), torch.add(x, 1, out=x)
torch.kthvalue(x, 2, out=(x, torch.tensor(0)))
torch.aminmax(x, out=(torch.tensor(0.), torch.tensor(0)))
torch.complex(x, x, out=torch.empty(6))
p = torch.unsafe_split(x, 2); p[0].add_(1); x, p[0]._is_view()

# Each [wrong calls]
torch.hsplit(torch.ones(4), 'a')
torch.vsplit(torch.ones(4), 2)
torch.narrow(torch.ones(3), 0, torch.tensor([1]), 1)
torch.narrow_copy(torch.ones(3), 1, 0, 1)
torch.roll(torch.tensor(1.), 0, 0)
torch.empty_permuted((2,), (0, 1))
torch.empty_permuted((2,), (3,))
torch.meshgrid(torch.arange(2), torch.arange(3), indexing='xy'), torch.flip(torch.arange(3), dims=[0]), torch.arange(3).flip(dims=(0,))
torch.unique_consecutive(torch.zeros(2, 0, 2), dim=1, return_counts=True), torch.gather(torch.ones(5), 0, torch.zeros(2, 0, dtype=torch.long)).shape

# Each [booleans add up]
x = torch.tensor([True, False, True]); i = torch.tensor([0, 1]); t = torch.tensor([True, False])
x.index_add(0, i, t), x.scatter_add(0, i, t), x.scatter_reduce(0, i, t, 'prod'), x.scatter_reduce(0, i, t, 'amin', include_self=False), x.index_put((i,), t, True), x.prod(dtype=torch.bool)
[torch.tensor(True).index_add(0, i[:1], torch.tensor(True), alpha=a) for a in (True, False, 1, True, False, True)]
torch.tensor(True).sum_to_size(()), torch.fft.ihfft(torch.arange(6.).view(3, 2), dim=0)

# Each [gradients at edges]
g = lambda f, *a: torch.autograd.grad(f(*(xs := [torch.tensor(x, requires_grad=True) for x in a])).sum(), xs)
g(lambda x: x.var(correction=2), [1., 2.]), g(lambda x: x.var(1, correction=3), [[1., 1.], [1., 2.]]), g(lambda x: x.std(), [1.])
g(torch.atan2, [0., 1.], [0., 1.]), g(lambda x: torch.renorm(x, 2, 0, 1.), [[0., 0.], [3., 4.]]), g(lambda x: x.logcumsumexp(0), [0., -float('inf'), 1.])
torch.round(torch.tensor([3, 15]), decimals=1)
torch.zeros(3).put_(torch.tensor([3]), torch.ones(1))

# Each [the first thing wrong]
torch.gather(torch.ones(1, 1), 1, torch.ones(2, 2, dtype=torch.long))
torch.scatter(torch.zeros(3), 0, torch.tensor([34]), torch.ones(1, 1))
torch.linspace(torch.ones(1), torch.ones(1), 3)
torch.masked_scatter(torch.ones(2), torch.ones(2), torch.ones(2))
x = torch.empty(0); torch.cat((x, torch.ones(2)), out=x)

# Each [complex gradients]
x, w, h = (torch.view_as_complex(torch.arange(1., n + 1).view(*s, 2)) .requires_grad_() for n, s in ((24, (1, 2, 6)), (16, (2, 2, 2)), (24, (2, 6))))
[torch.autograd.grad((f(x, w) * (1 + 2j)).real.sum(), (x, w)) for f in (torch.nn.functional.conv1d, torch.nn.functional.conv_transpose1d)]
torch.autograd.grad((torch.nn.functional.linear(x, h) * (1 + 2j)).real.sum(), (x, h))
