"""Sparse gradients of embeddings, and optimizers on them."""

# In [sparse embedding grads]
e = nn.Embedding(5, 3, sparse=True)
with torch.no_grad(): e.weight.copy_(torch.arange(15.).view(5, 3))
idx = torch.tensor([[0, 2], [2, 4]])
e(idx).sum().backward()
g = e.weight.grad
print(g); print(g.is_sparse, g.is_coalesced(), g.shape, g._nnz())
print(g.coalesce()); print(g.to_dense())
e(idx).pow(2).sum().backward()
print(e.weight.grad); print(e.weight.grad.coalesce())
e.zero_grad(set_to_none=False); print(e.weight.grad)
e.zero_grad(); print(e.weight.grad)
print(e(idx).grad_fn)

# In [sparse embedding padding, scale]
def attempt(name, f):
    try: print(name, f())
    except Exception as e: print(name, type(e).__name__, e)
e = nn.Embedding(5, 3, sparse=True, padding_idx=2)
e(torch.tensor([0, 2, 2, 4])).sum().backward(); print(e.weight.grad)
e = nn.Embedding(5, 3, sparse=True, scale_grad_by_freq=True)
attempt('scale', lambda: e(torch.tensor([0, 2, 2, 4])).sum().backward())
w = torch.arange(15.).view(5, 3).requires_grad_()
F.embedding(torch.tensor([1, 1, 3]), w, sparse=True).mul(torch.tensor([[1.], [2.], [3.]])).sum().backward(); print(w.grad, w.grad.coalesce())
v = torch.arange(15.).view(5, 3).requires_grad_()
(F.embedding(torch.tensor([1, 1, 3]), v, sparse=True).sum() + F.embedding(torch.tensor([1, 1, 0]), v).sum()).backward(); print(v.grad)
v = torch.arange(15.).view(5, 3).requires_grad_()
(F.embedding(torch.tensor([1, 1, 3]), v, sparse=True).sum() + F.embedding(torch.tensor([0]), v, sparse=True).sum()).backward(); print(v.grad.coalesce())
v = torch.arange(15.).view(5, 3).requires_grad_()
(v * 2).sum().backward(); F.embedding(torch.tensor([1, 1, 3]), v, sparse=True).sum().backward(); print(v.grad)
v = torch.arange(15.).view(5, 3).requires_grad_()
F.embedding(torch.tensor([1, 1, 3]), v, sparse=True).sum().backward(); (v * 2).sum().backward(); print(v.grad)
v = torch.arange(15.).view(5, 3).requires_grad_()
attempt('grad', lambda: torch.autograd.grad(F.embedding(torch.tensor([1, 1, 3]), v, sparse=True).sum(), v))
attempt('through', lambda: torch.autograd.grad(F.embedding(torch.tensor([1, 1, 3]), v * 2, sparse=True).sum(), v))
attempt('create', lambda: torch.autograd.grad(F.embedding(torch.tensor([1, 1, 3]), v, sparse=True).pow(2).sum(), v, create_graph=True))
seen = []
v.register_hook(lambda g: seen.append((g.layout, g.shape)))
F.embedding(torch.tensor([1, 1, 3]), v, sparse=True).sum().backward(); print(seen)
m = F.embedding(torch.tensor([], dtype=torch.long), v, sparse=True); m.sum().backward(); print(v.grad.to_dense())
attempt('renorm', lambda: F.embedding(torch.tensor([1]), v, max_norm=1., sparse=True))

# In [embedding bag sparse]
def attempt(name, f):
    try: print(name, f())
    except Exception as e: print(name, type(e).__name__, e)
for mode in ('sum', 'mean', 'max'):
    e = nn.EmbeddingBag(5, 3, sparse=True, mode=mode)
    with torch.no_grad(): e.weight.copy_(torch.arange(15.).view(5, 3))
    def run():
        e(torch.tensor([1, 2, 4, 4, 3]), torch.tensor([0, 2])).sum().backward(); return e.weight.grad
    attempt(mode, run)
e = nn.EmbeddingBag(5, 3, sparse=True, mode='sum')
def run():
    e(torch.tensor([[1, 2], [4, 4]]), per_sample_weights=torch.tensor([[1., 2.], [3., 4.]])).sum().backward(); return e.weight.grad
attempt('weights', run)
e = nn.EmbeddingBag(5, 3, sparse=True, mode='mean', padding_idx=1)
def run():
    e(torch.tensor([[1, 2], [4, 4]])).sum().backward(); return e.weight.grad
attempt('padding', run)
e = nn.EmbeddingBag(5, 3, sparse=True, mode='mean', include_last_offset=True)
def run():
    e(torch.tensor([1, 2, 4, 4, 3]), torch.tensor([0, 2, 5])).sum().backward(); return e.weight.grad
attempt('last', run)
attempt('freq', lambda: nn.EmbeddingBag(5, 3, sparse=True, scale_grad_by_freq=True)(torch.tensor([[1, 2]])).sum().backward())

# In [optimizers on sparse grads]
import warnings; warnings.simplefilter('ignore')
def attempt(name, f):
    try: print(name, f())
    except Exception as e: print(name, type(e).__name__, e)
def fresh():
    e = nn.Embedding(5, 2, sparse=True)
    with torch.no_grad(): e.weight.copy_(torch.arange(10.).view(5, 2) / 10)
    return e
def train(make, steps=3):
    e = fresh(); opt = make(e.parameters())
    for s in range(steps):
        opt.zero_grad()
        (e(torch.tensor([0, 2, 2, 4][s:])).pow(2)).sum().backward()
        opt.step()
    return e.weight.data
O = torch.optim
attempt('SparseAdam', lambda: train(lambda p: O.SparseAdam(p, lr=0.1)))
attempt('SparseAdam betas', lambda: train(lambda p: O.SparseAdam(list(p), lr=0.1, betas=(0.5, 0.9), eps=1e-3)))
attempt('SparseAdam maximize', lambda: train(lambda p: O.SparseAdam(p, lr=0.1, maximize=True)))
attempt('SGD', lambda: train(lambda p: O.SGD(p, lr=0.1)))
attempt('SGD momentum', lambda: train(lambda p: O.SGD(p, lr=0.1, momentum=0.9)))
attempt('SGD wd', lambda: train(lambda p: O.SGD(p, lr=0.1, weight_decay=0.1)))
attempt('SGD maximize', lambda: train(lambda p: O.SGD(p, lr=0.1, maximize=True)))
attempt('Adagrad', lambda: train(lambda p: O.Adagrad(p, lr=0.1)))
attempt('Adagrad wd', lambda: train(lambda p: O.Adagrad(p, lr=0.1, weight_decay=0.1)))
for name in 'Adam AdamW Adadelta Adamax NAdam RAdam RMSprop Rprop ASGD LBFGS'.split():
    attempt(name, lambda: train(lambda p: getattr(O, name)(p)))
attempt('dense grad', lambda: (lambda w: (w.sum().backward(), O.SparseAdam([w]).step()))(torch.ones(2, requires_grad=True)))
attempt('bad lr', lambda: O.SparseAdam([torch.ones(2)], lr=-1))
attempt('sparse param', lambda: O.SparseAdam([torch.ones(2).to_sparse().requires_grad_()]))
opt = O.SparseAdam(fresh().parameters()); print(opt)
e = fresh(); opt = O.SparseAdam(e.parameters(), lr=0.1); e(torch.tensor([1])).sum().backward(); opt.step()
print({k: (v.layout, v) if torch.is_tensor(v) else v for k, v in opt.state_dict()['state'][0].items()})
e = fresh(); e(torch.tensor([1, 1])).sum().backward()

# In [grad with respect to a sparse leaf]
d = torch.tensor([[1., 0, 2], [0, 3, 0]])
twice = torch.sparse_coo_tensor(torch.tensor([[0, 1, 0], [1, 0, 1]]), torch.ones(3), (2, 3))
for s in (d.to_sparse(), d.to_sparse_csr(), twice):
    s.requires_grad_()
    print(torch.autograd.grad(s.to_dense().sum(), s))
    print(torch.autograd.grad(torch.sparse.mm(s, torch.ones(3, 2)).sum(), [s]))
    print(torch.autograd.grad((s * 2).to_dense().sum(), s))
    s.to_dense().mul(3).sum().backward(inputs=[s])
    print(s.grad)
    s.register_hook(lambda g: print("hook", g.layout, g.to_dense()))
    (s * 2).to_dense().sum().backward()
    print(s.grad.to_dense())

# In [full_like of a sparse tensor]
d = torch.tensor([[1., 0, 2], [0, 3, 0]])
print(torch.full_like(d.to_sparse_csr(), 3.))
try:
    torch.full_like(d.to_sparse(), 3.)
except NotImplementedError as error:
    print(str(error)[:78])
