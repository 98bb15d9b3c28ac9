"""Sparse tensors: blocks, factories, gradients, printing, what is refused."""

# In [bsr bsc]
import warnings; warnings.simplefilter('ignore')
def attempt(name, f):
    try: print(name, f())
    except Exception as e: print(name, type(e).__name__, str(e)[:200])
d = torch.tensor([[1., 2, 0, 0], [3, 4, 0, 0], [0, 0, 5, 0], [0, 0, 0, 6]])
b = d.to_sparse_bsr((2, 2)); print(b); print(b.layout, b.shape, b._nnz(), b.dim(), b.is_sparse, b.is_sparse_csr)
print(b.crow_indices(), b.col_indices(), b.values().shape)
print(b.to_dense())
c = d.to_sparse_bsc((2, 1)); print(c); print(c.ccol_indices(), c.row_indices(), c.values())
print(c.to_dense())
x = torch.sparse_bsr_tensor(torch.tensor([0, 1, 2]), torch.tensor([0, 1]), torch.arange(8.).view(2, 2, 2)); print(x)
x = torch.sparse_bsr_tensor([0, 1, 2], [0, 1], torch.arange(8.).view(2, 2, 2), size=(4, 6), dtype=torch.float64); print(x.to_dense())
x = torch.sparse_bsc_tensor([0, 1, 2], [0, 1], torch.arange(8.).view(2, 2, 2)); print(x, x.to_dense())
x = torch.sparse_compressed_tensor([0, 1, 2], [0, 1], torch.arange(8.).view(2, 2, 2), layout=torch.sparse_bsr); print(x.layout)
attempt('blocks', lambda: d.to_sparse_bsr((3, 2)))
attempt('layout', lambda: d.to_sparse(layout=torch.sparse_bsr, blocksize=(2, 2)))
attempt('noblock', lambda: d.to_sparse(layout=torch.sparse_bsr))
attempt('coo', lambda: b.to_sparse())
attempt('csr', lambda: b.to_sparse_csr())
attempt('csr->bsr', lambda: d.to_sparse_csr().to_sparse_bsr((2, 2)))
attempt('t', lambda: b.t())
attempt('mm', lambda: b @ torch.ones(4, 2))
attempt('mul', lambda: b * 2)
attempt('clone', lambda: b.clone())
attempt('sum', lambda: b.sum())
attempt('mat', lambda: torch.sparse.mm(b, torch.ones(4, 1)))
attempt('eq', lambda: torch.equal(b.to_dense(), d))
attempt('bad', lambda: torch.sparse_bsr_tensor([0, 1], [0, 1], torch.ones(2, 2, 2)))
w = d.clone().requires_grad_(); s = w.to_sparse_bsr((2, 2)); print(s.requires_grad, s.grad_fn); s.to_dense().pow(2).sum().backward(); print(w.grad)
print(torch.zeros(4, 4).to_sparse_bsr((2, 2)))

# In [like and new]
def attempt(name, f):
    try: print(name, f())
    except Exception as e: print(name, type(e).__name__, str(e)[:120])
s = torch.tensor([[1., 0], [0, 2]]).to_sparse()
r = s.to_sparse_csr()
for n in ('zeros_like', 'ones_like', 'empty_like', 'rand_like', 'randn_like'):
    for t in (s, r)[n[:4] in ('ones', 'rand'):]: n[0] != 'r' and attempt(n, lambda: (getattr(torch, n)(t).layout, getattr(torch, n)(t).shape) if n[0] in 'er' else getattr(torch, n)(t))
attempt('zl dtype', lambda: torch.zeros_like(s, dtype=torch.int64))
attempt('zl dense', lambda: torch.zeros_like(s, layout=torch.strided))
attempt('zeros layout', lambda: torch.zeros(2, 2, layout=torch.sparse_coo))
attempt('empty layout', lambda: torch.empty(2, 2, layout=torch.sparse_csr).layout)
attempt('zeros csr', lambda: torch.zeros(2, 2, layout=torch.sparse_csr))
attempt('new_zeros', lambda: s.new_zeros(2, 2))
attempt('new_tensor', lambda: s.new_tensor([1.]))
attempt('new_empty', lambda: s.new_empty(2).layout)

attempt('like dense', lambda: torch.zeros_like(torch.ones(2, 2), layout=torch.sparse_coo))

# In [softmax, sum, addmm gradients]
def attempt(name, f):
    try: print(name, f())
    except Exception as e: print(name, type(e).__name__, str(e)[:200])
def leaf(): return torch.tensor([[1., 0, 2], [0, 3, 0], [4, 0, 5]]).to_sparse().requires_grad_()
for dim in (0, 1):
    for f in (torch.sparse.softmax, torch.sparse.log_softmax):
        s = leaf(); y = f(s, dim); (y.to_dense() * torch.arange(9.).view(3, 3)).sum().backward(); print(y, s.grad)
for dim in (None, 0, 1, (0, 1), [0]):
    s = leaf(); y = torch.sparse.sum(s) if dim is None else torch.sparse.sum(s, dim); print(y)
    z = y.to_dense() if y.is_sparse else y
    (z * torch.arange(1., 1 + z.numel()).view(z.shape)).sum().backward(); print(s.grad)
s = leaf(); m = torch.ones(3, 2, requires_grad=True); d = torch.ones(3, 2, requires_grad=True)
y = torch.sparse.addmm(m, s, d, beta=2, alpha=3); print(y); y.pow(2).sum().backward(); print(s.grad, m.grad, d.grad)
s = leaf(); y = torch.sparse.mm(s, d); print(y.grad_fn); y.sum().backward(); print(s.grad)
s = leaf(); y = torch.sparse.mm(s, s); print(y)
y.to_dense().sum().backward(); print(s.grad)
s = leaf(); y = s @ torch.ones(3); print(y); 
s = leaf(); y = (s * 2).to_dense(); y.sum().backward(); print(s.grad)
s = leaf(); torch.sparse.sum(s * s).backward(); print(s.grad)
a = torch.ones(3, 3, requires_grad=True); torch.sparse.sampled_addmm(torch.ones(3, 3).to_sparse_csr(), a, a).to_dense().sum().backward(); print(a.grad)
attempt('sum dtype', lambda: torch.sparse.sum(leaf(), dtype=torch.float64))
attempt('mm reduce', lambda: torch.sparse.mm(leaf().detach().to_sparse_csr(), torch.ones(3, 2), 'mean'))
attempt('mm reduce', lambda: torch.sparse.mm(leaf().detach().to_sparse_csr(), torch.ones(3, 2), 'amax'))
attempt('spdiags', lambda: torch.sparse.spdiags(torch.arange(9.).view(3, 3), torch.tensor([0, -1, 2]), (3, 3)))

# In [hybrid and printing]
h = torch.sparse_coo_tensor([[0, 2], [1, 0]], torch.arange(4.).view(2, 2), (3, 2, 2)); print(h)
print(h.coalesce(), h.to_dense(), h.sparse_dim(), h.dense_dim())
print(torch.sparse_coo_tensor(torch.zeros(2, 0, dtype=torch.long), [], (2, 3)))
print(torch.sparse_coo_tensor([[0]], [1], (3,)))
print(torch.sparse_coo_tensor([[0]], [1j], (3,)))
print(torch.sparse_coo_tensor([[0]], [True], (3,)))
print(torch.sparse_coo_tensor([[0, 1]], torch.tensor([1., 2.], requires_grad=True), (3,)))
print(torch.sparse_coo_tensor(torch.arange(2000).view(1, -1), torch.arange(2000.), (2000,)))
print(torch.eye(3).to_sparse_csc())
print(torch.eye(3, dtype=torch.float64).to_sparse_csr())
print(repr(torch.sparse_coo_tensor([[], []], [], (0, 2))))

# In [errors and misc]
def attempt(name, f):
    try: print(name, f())
    except Exception as e: print(name, type(e).__name__, str(e)[:160])
s = torch.tensor([[1., 0], [0, 2]]).to_sparse()
attempt('indices', lambda: torch.sparse_coo_tensor([[0, 1], [1, 0]], [1., 2.]).indices())
attempt('neg', lambda: torch.sparse_coo_tensor([[-1]], [1.], (2,), check_invariants=True))
attempt('big', lambda: torch.sparse_coo_tensor([[5]], [1.], (2,), check_invariants=True))
attempt('item', lambda: s.sum().item())
attempt('numpy', lambda: s.numpy())
attempt('idx', lambda: s[0])
attempt('idx2', lambda: s[0, 0])
attempt('any', lambda: s.any())
attempt('norm', lambda: s.norm())
attempt('norm2', lambda: torch.norm(s, 1))
attempt('add', lambda: s + 1)
attempt('sparse+dense', lambda: s + torch.ones(2, 2))
attempt('dense+sparse', lambda: torch.ones(2, 2) + s)
attempt('dense*sparse', lambda: torch.ones(2, 2) * s)
attempt('s-s', lambda: (s - s).coalesce())
attempt('cat', lambda: torch.cat([s, s]))
attempt('stack', lambda: torch.stack([s, s]).shape)
attempt('t', lambda: s.t())
attempt('pow', lambda: s.pow(2))
attempt('float', lambda: s.double())
attempt('int', lambda: s.int())
attempt('to', lambda: s.to(torch.float16))
attempt('cpu', lambda: s.cpu())
attempt('pickle', lambda: __import__('pickle').loads(__import__('pickle').dumps(s)))
attempt('deepcopy', lambda: __import__('copy').deepcopy(s))
attempt('isnan', lambda: torch.isnan(s))
attempt('zero_', lambda: s.clone().zero_())
attempt('copy_', lambda: torch.zeros(2, 2).to_sparse().copy_(s))
attempt('unsqueeze', lambda: s.unsqueeze(0).shape)
attempt('mask', lambda: torch.ones(2, 2).sparse_mask(s))
attempt('resize', lambda: s.clone().sparse_resize_((3, 3), 2, 0).shape)
attempt('mv', lambda: s.mv(torch.ones(2)))
attempt('bmm', lambda: torch.stack([s, s]).bmm(torch.ones(2, 2, 1)))
attempt('hspmm', lambda: torch.hspmm(s, torch.ones(2, 2)))
attempt('smm', lambda: torch.smm(s, torch.ones(2, 2)))
attempt('sspaddmm', lambda: torch.sspaddmm(s, s, torch.ones(2, 2)))
attempt('index_select', lambda: s.index_select(0, torch.tensor([1])))
attempt('permute', lambda: s.permute(1, 0))
attempt('allclose', lambda: torch.allclose(s.to_dense(), s.to_dense()))
attempt('is_coalesced', lambda: s.to_sparse_csr().is_coalesced())
attempt('backward', lambda: (lambda t: (t.to_dense().sum().backward(), t.grad))(s.clone().requires_grad_())[1])
attempt('numel', lambda: (s.numel(), s.size(), s.stride(), len(s), s.element_size()))

# In [sums that keep dims, dense dims, and what is refused]
u = torch.sparse_coo_tensor(torch.tensor([[0, 1, 0], [1, 0, 1]]), torch.tensor([1., 2., 3.]), (2, 3))
h = torch.sparse_coo_tensor(torch.tensor([[0, 2, 0]]), torch.arange(6.).view(3, 2), (3, 2))
for call in [
    lambda: u.sum(0, keepdim=True), lambda: u.sum(-1, keepdim=True),
    lambda: u.sum((0, 1), keepdim=True), lambda: h.sum(0, keepdim=True),
    lambda: h.select(1, 1), lambda: h[:, 0], lambda: h.index_select(1, torch.tensor([1, 0])),
    lambda: h @ torch.ones(2, 2), lambda: h.to_sparse_csr(), lambda: u.contiguous(),
    lambda: u.reshape(6), lambda: u.__setitem__(0, 1.), lambda: h.__setitem__(0, 1.),
]:
    try:
        print(call())
    except (RuntimeError, TypeError) as error:
        print(type(error).__name__, error)

# In [linear of sparse tensors]
u = torch.sparse_coo_tensor(torch.tensor([[0, 1, 0], [1, 0, 1]]), torch.tensor([1., 2., 3.]), (2, 3))
w, b = torch.arange(6.).view(2, 3).requires_grad_(), torch.ones(2, requires_grad=True)
for s in (u, u.coalesce()):
    print(torch.nn.functional.linear(s, w), torch.nn.functional.linear(torch.ones(4, 3), s))
    torch.nn.functional.linear(s, w, b).sum().backward()
    print(w.grad, b.grad)
    try:
        torch.nn.functional.linear(torch.ones(4, 3), s, b)
    except RuntimeError as error:
        print(error)

# In [bags with sparse gradients]
for mode in ('sum','mean','max'):
  try:
    m=nn.EmbeddingBag(10,3,sparse=True,mode=mode)
    with torch.no_grad(): m.weight.fill_(1.)
    for k in range(2):
        m.weight.grad=None
        l=(m(torch.tensor([[1,2],[3,1]]))**2).sum(); l.backward(); print(mode, m.weight.grad)
        torch.optim.SGD(m.parameters(),.1).step(); print(m.weight[:4])
    l=(m(torch.tensor([1,2,3,1]),torch.tensor([0,3]))**2).sum(); l.backward(); print(mode, m.weight.grad)
    m(torch.tensor([1,2]),torch.tensor([0,2])).sum().backward(); print(m.weight.grad)
    m.weight.grad=None; m(torch.empty(0,dtype=torch.long),torch.tensor([0])).sum().backward(); print(m.weight.grad)
  except Exception as e: print(type(e),e)

# In [sums of tensors that are not coalesced]
g=lambda i,v,s=5: torch.sparse_coo_tensor(torch.tensor([i]),torch.tensor(v),(s,))
for a,b in ((([1,2,3,1],[1.,2,3,4]),([1,2],[10.,20.])),(([3,1],[1.,2]),([1,3,0],[10.,20.,30.])),(([],[]),([1,1],[1.,2.])),(([1,3],[1.,2.]),([0,4],[1.,2.])),(([1,1],[1.,2.]),([1,1,1],[1.,2.,5.]))):
    x,y=g(*a),g(*b); z=x+y; print(z, z.is_coalesced(), (x-y).to_dense(), (x.coalesce()+y.coalesce()))
    x+=y; print(x)

# In [sparse gradients of each kind of bag]
for kw in (dict(mode='sum'),dict(mode='mean'),dict(mode='sum',include_last_offset=True),dict(mode='sum',padding_idx=1),dict(mode='mean',padding_idx=1)):
    for psw in (False,True):
        if psw and kw['mode']!='sum': continue
        for dt in (torch.float32,torch.float64):
            w=torch.arange(12,dtype=dt).view(4,3).requires_grad_(); p=torch.tensor([1.,2,3,4],dtype=dt,requires_grad=True) if psw else None
            o=F.embedding_bag(torch.tensor([1,2,1,3]),w,torch.tensor([0,3,4] if 'include_last_offset' in kw else [0,0,3]),sparse=True,per_sample_weights=p,**kw)
            (o**2).sum().backward(); print(kw,o,w.grad,None if p is None else p.grad)

# In [sizes and norms of sparse tensors]
s = torch.ones(2, 3).to_sparse()
print(torch.native_norm(s), torch.native_norm(s, 1), torch.native_norm(s, None, [], False, None), torch.native_norm(s, 2, [0, 1], False, None))
print(torch.resize_as_sparse_(torch.zeros(2, 2).to_sparse(), torch.eye(3).to_sparse()), torch.ones(2, 2).to_sparse().resize_as_sparse_(torch.eye(3).to_sparse()))
print(torch.zeros(2, 2).to_sparse().sparse_resize_and_clear_((4, 4), 1, 1), torch.ones(2, 2).to_sparse().sparse_resize_and_clear_((4, 4), 2, 0))
for wrong in (lambda: torch.native_norm(s, 2, [0], True, None), lambda: torch.native_norm(s, 2, [0, 1], True, None), lambda: torch.native_norm(s, 2, [0, 1], False, torch.float64),
              lambda: torch.native_norm(torch.ones(2)), lambda: torch.resize_as_sparse_(torch.ones(2), torch.ones(2)), lambda: s.sparse_resize_and_clear_((4,), 1, 1),
              lambda: torch.ones(2).sparse_resize_and_clear_((4,), 1, 0), lambda: torch.ones(2).record_stream(torch.Stream("cpu")), lambda: torch.ones(2).record_stream(None)):
    try:
        print(wrong())
    except Exception as error:
        print(type(error).__name__, str(error).split(" This could be")[0])
