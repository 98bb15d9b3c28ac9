# Sparse tensors as graph networks use them.

# In [print]
import warnings
warnings.simplefilter("ignore")  # PyTorch warns once that CSR is a beta feature
i, v = torch.tensor([[0, 1, 1], [2, 0, 2]]), torch.tensor([3., 4., 5.])
s = torch.sparse_coo_tensor(i, v, (2, 3))
print(s)
print(s.to_sparse_csr(), s.t().to_sparse_csr().t())
print(torch.sparse_coo_tensor(torch.tensor([[0, 1, 1, 0]]), torch.arange(8.).reshape(4, 2), (3, 2)))
print(torch.sparse_coo_tensor((2, 3)), torch.sparse_coo_tensor(i.tolist(), [3, 4, 5]))
print(torch.sparse_coo_tensor(i, v.double(), (2, 3), requires_grad=True))
print(torch.sparse_coo_tensor(i, v.requires_grad_(), (2, 3)), torch.sparse_coo_tensor(i, v, dtype=torch.float16))
print(torch.sparse_csr_tensor(torch.tensor([0, 1, 3]), torch.tensor([2, 0, 2]), v, (2, 3)))
print(torch.sparse_csc_tensor([0, 1, 1, 3], [1, 0, 1], [1, 2, 3]), torch.sparse_coo_tensor(i, v.detach() > 3))

# In [made of parts]
i, v = torch.tensor([[1, 0, 1], [2, 0, 2]]), torch.tensor([3., 4., 5.])
s = torch.sparse_coo_tensor(i, v, (2, 3))
print(s.is_sparse, s.layout, s.is_coalesced(), s._nnz(), s.shape, s.size(1), s.dim(), s.dtype, s.device, s.numel())
print(s.sparse_dim(), s.dense_dim(), s.is_leaf, s.requires_grad, s.grad_fn, len(s), type(s), s.stride())
c = s.coalesce()
print(c, c.is_coalesced(), c.indices(), c.values(), c.coalesce() is c, s._indices(), s._values())
r = c.to_sparse_csr()
print(r.crow_indices(), r.col_indices(), r.values(), r.is_sparse, r.is_sparse_csr, r._nnz(), r.to_dense())
print(torch.ones(2).layout, torch.ones(2).sparse_dim(), torch.ones(2).dense_dim(), torch.ones(2).is_sparse)
print(c.T.is_coalesced(), (c * 2).is_coalesced(), (s + s).to_dense(), s.is_same_size(c), s.element_size())

# In [from dense and back]
w = torch.tensor([[0., 1], [2, 3], [0, 0]])
print(w.to_sparse(), w.to_sparse(1), w.to_sparse_csr(), w.to_sparse_csc(), w.to_sparse(layout=torch.sparse_csr))
print(w.to_sparse().to_dense(), w.to_sparse(1).to_dense(), w.to_sparse_csr().to_sparse(), w.to_sparse_csc().to_dense())
print(w.to_dense() is w, w.to_dense(torch.float64).dtype)
print(w.sparse_mask(torch.sparse_coo_tensor([[0, 2], [1, 1]], [1., 1.], (3, 2)).coalesce()))

# In [arithmetic]
i, v = torch.tensor([[0, 1, 1], [2, 0, 2]]), torch.tensor([3., 4., 5.])
s, w = torch.sparse_coo_tensor(i, v, (2, 3)), torch.arange(6.).reshape(3, 2)
print(s * 2, 2.5 * s, s / 2, s - s, -s, s * s, torch.add(s, s, alpha=2))
print(torch.ones(2, 3) + s, s * torch.ones(2, 3), s.abs(), s.sqrt(), torch.sin(s), s ** 2, s.relu())
a = torch.sparse_coo_tensor([[0, 1], [0, 2]], [1., 2.], (2, 3)).coalesce()
print(a + s.coalesce(), a * s.coalesce())
print(s.double(), s.to(torch.int64), s.float() is s, s.clone(), s.detach(), s.cpu().shape)
r = s.to_sparse_csr()
print(r * 2, r + r, r.abs(), r.t())
s.mul_(2).add_(s)
print(s, s.detach().zero_(), s.detach().copy_(a))

# In [products]
i, v = torch.tensor([[0, 1, 1], [2, 0, 2]]), torch.tensor([3., 4., 5.])
s, w = torch.sparse_coo_tensor(i, v, (2, 3)), torch.arange(6.).reshape(3, 2)
for p in (torch.sparse.mm(s, w), torch.mm(s, w), s @ w, torch.matmul(s, w), s.mm(w), s.to_sparse_csr() @ w,
          s @ w[:, 0], torch.mv(s, w[:, 0]), w.t() @ s.t(), torch.sparse.addmm(torch.ones(2, 2), s, w, beta=2, alpha=3),
          torch.addmm(torch.ones(2, 2), s, w), s @ s.t(), torch.sparse.mm(s, s.t()),
          torch.bmm(torch.stack([s, s]), torch.stack([w, w]))):
    print(p)

# In [reductions and softmax]
i, v = torch.tensor([[0, 1, 1], [2, 0, 2]]), torch.tensor([3., 4., 5.])
s = torch.sparse_coo_tensor(i, v, (2, 3))
print(s.sum(), torch.sparse.sum(s), torch.sparse.sum(s, 0), torch.sparse.sum(s, dim=1), torch.sparse.sum(s, dim=(0, 1)))
print(s.sum(0), s.norm(), s.to_sparse_csr().sum(), s.sum(dtype=torch.float64))
print(torch.sparse.softmax(s, dim=1), torch.sparse.log_softmax(s, dim=1), torch.sparse.softmax(s, 0))
d = torch.sparse_coo_tensor([[0, 1, 1]], torch.arange(6.).reshape(3, 2), (3, 2))
print(torch.sparse.sum(d, 0), torch.sparse.sum(d, 1), d.to_dense(), d.coalesce())

# In [order of dims and parts]
i, v = torch.tensor([[0, 1, 1], [2, 0, 2]]), torch.tensor([3., 4., 5.])
s = torch.sparse_coo_tensor(i, v, (2, 3))
print(s.t(), s.transpose(0, 1), s.mT, s.T, s.permute(1, 0), s.unsqueeze(0))
print(s[0], s[1, 2], s[:, 0], list(s), s.index_select(0, torch.tensor([1])))
print(torch.cat([s, s]), torch.cat([s, s], 1), torch.stack([s, s]))

# In [gradients]
i, v = torch.tensor([[0, 1, 1], [2, 0, 2]]), torch.tensor([3., 4., 5.], requires_grad=True)
w = torch.arange(6.).reshape(3, 2).requires_grad_()
made = lambda: torch.sparse_coo_tensor(i, v, (2, 3))
csr = lambda: torch.sparse_csr_tensor([0, 1, 3], [2, 0, 2], v, (2, 3))
for f in (lambda: made(), lambda: made().coalesce(), lambda: made().coalesce().values(), lambda: made().to_dense(),
          lambda: torch.sparse.mm(made(), w), lambda: torch.mm(made(), w), lambda: made() @ w, lambda: csr() @ w,
          lambda: torch.sparse.addmm(torch.ones(2, 2), made(), w), lambda: torch.addmm(torch.ones(2, 2), made(), w),
          lambda: made() * 2, lambda: made() + made(), lambda: torch.ones(2, 3) + made(), lambda: made() * made(),
          lambda: made().t(), lambda: made().transpose(0, 1), lambda: made().sum(), lambda: torch.sparse.sum(made()),
          lambda: torch.sparse.sum(made(), 0), lambda: torch.sparse.softmax(made(), 1), lambda: made().abs(),
          lambda: torch.sparse.log_softmax(made(), 1), lambda: made().double(), lambda: made().clone(),
          lambda: w.to_sparse(), lambda: w.to_sparse_csr(), lambda: csr(), lambda: csr().to_dense(), lambda: csr().values()):
    t = f()
    o = t if t.layout == torch.strided else t.to_dense()
    weight = torch.arange(1., o.numel() + 1, dtype=o.dtype).reshape(o.shape)
    print(t.grad_fn.name(), torch.autograd.grad((o * weight).sum(), [v, w], allow_unused=True))

# In [a sparse leaf]
s = torch.sparse_coo_tensor([[0, 1, 1], [2, 0, 2]], [3., 4., 5.], (2, 3), requires_grad=True)
w = torch.arange(6.).reshape(3, 2)
for f in (lambda: torch.sparse.mm(s, w).sum(), lambda: s.to_dense().sum(), lambda: torch.sparse.sum(s)):
    s.grad = None
    f().backward()
    print(s.is_leaf, s.grad)

# In [one step of a graph network]
torch.manual_seed(0)
edges = torch.tensor([[0, 1, 2, 3, 0], [1, 2, 3, 0, 2]])
adjacency = torch.sparse_coo_tensor(edges, torch.ones(5), (4, 4)).coalesce()
degree = torch.sparse.sum(adjacency, 1).to_dense()
layer, x = nn.Linear(3, 2), torch.randn(4, 3)
opt = torch.optim.SGD(layer.parameters(), 0.1)
for _ in range(5):
    opt.zero_grad()
    loss = (torch.sparse.mm(adjacency, layer(x)) / degree[:, None]).pow(2).mean()
    loss.backward()
    opt.step()
    print(round(loss.item(), 5))

# In [files]
import io, copy, pickle
s = torch.sparse_coo_tensor([[0, 1, 1], [2, 0, 2]], [3., 4., 5.], (2, 3))
for t in (s, s.coalesce(), s.to_sparse_csr()):
    file = io.BytesIO()
    torch.save({"t": t}, file)
    file.seek(0)
    print(torch.load(file), pickle.loads(pickle.dumps(t)))
print(copy.deepcopy(s))

# Each [refused]
torch.sparse_coo_tensor(torch.tensor([[0, -1], [0, 0]]), torch.ones(2))
torch.sparse_coo_tensor(torch.tensor([0, 1]), torch.ones(2), (2, 2))
torch.sparse_coo_tensor(torch.tensor([[0, 1]]), torch.ones(3), (2,))
torch.sparse_coo_tensor(torch.tensor([[0, 1]]), torch.ones(2), (2, 2))
torch.sparse_coo_tensor(torch.tensor([[0, 1]]), torch.ones(2, 3), (2, 2))
torch.sparse_coo_tensor(torch.tensor([[0, 3]]), torch.ones(2), (2,), check_invariants=True)
torch.sparse_coo_tensor(torch.tensor([[0, -3]]), torch.ones(2), (2,), check_invariants=True)
torch.mm(torch.sparse_coo_tensor((2, 3)), torch.ones(2, 2))
torch.sparse.mm(torch.sparse_coo_tensor((2, 3)), torch.ones(2, 2))
torch.sparse_coo_tensor((2, 3)) @ torch.ones(2)
torch.sparse_coo_tensor((2, 3)) + torch.sparse_coo_tensor((3, 3))
torch.sparse_coo_tensor((2, 3)) * torch.sparse_coo_tensor((3, 3))
torch.sparse_coo_tensor((2, 3)) + 1
torch.sparse_coo_tensor((2, 3)) + torch.ones(2, 3)
torch.sparse.softmax(torch.sparse_coo_tensor((2, 3)), 2)
torch.sparse_coo_tensor((2, 3)).transpose(0, 2)
torch.sparse.sum(torch.sparse_coo_tensor((2, 3)), 5)
torch.sparse_coo_tensor([[0, 0]], [1., 2.]).values()
torch.sparse_coo_tensor([[0, 0]], [1., 2.]).indices()
torch.sparse_coo_tensor((2, 3)).crow_indices()
torch.sparse_coo_tensor((2, 3)).to_sparse_csr().indices()
torch.sparse_coo_tensor((2, 3)).numpy()
torch.sparse_coo_tensor((2, 3)).tolist()
torch.sparse_coo_tensor((2, 3)).data_ptr()
torch.sparse_coo_tensor((2, 3)).nbytes
torch.ones(2, 2).indices()
torch.sparse_coo_tensor((2, 3)).to_dense(torch.float64)
torch.ones(2, 2).values()
torch.ones(2, 2).coalesce()
torch.ones(2, 2).is_coalesced()
torch.ones(2, 2).to_sparse(0)
torch.ones(2, 2).to_sparse(3)

# In [invariants asked of compressed tensors]
def tell(maker, *parts):
    try:
        print(maker(*parts, check_invariants=True)._nnz())
    except RuntimeError as error:
        print(error)


values = [1.0, 2.0]
tell(torch.sparse_csr_tensor, [1, 1, 2], [0, 1], values)
tell(torch.sparse_csr_tensor, [0, 1, 3], [0, 1], values)
tell(torch.sparse_csr_tensor, [0, 3, 2], [0, 1], values, (2, 2))
tell(torch.sparse_csr_tensor, [0, 1, 2], [0, 5], values, (2, 2))
tell(torch.sparse_csr_tensor, [0, 2, 2], [1, 0], values, (2, 2))
tell(torch.sparse_csr_tensor, [0, 2, 2], [0, 1], values, (2, 1))
tell(torch.sparse_csr_tensor, [0, 2, 2, 2], [0, 1], values, (2, 2))
tell(torch.sparse_csc_tensor, [0, 2, 2], [0, 1, 1], values, (2, 2))
tell(torch.sparse_csc_tensor, [0, 2, 2], [0, 0], values, (2, 2))
tell(torch.sparse_csc_tensor, [0, 2, 2], [0, 1], values, (2, 2))

# In [invariants switched on]
check = torch.sparse.check_sparse_tensor_invariants


@check()
def inside(x):
    return x, check.is_enabled()


print(check.is_enabled(), inside(1), check.is_enabled())
with check():
    with check(False):
        print(torch.sparse_coo_tensor([[0, 1]], [1.0, 2.0], (3,))._nnz())
    try:
        torch.sparse_coo_tensor([[1, 0]], [1.0, 2.0], (3,), is_coalesced=True)
    except RuntimeError as error:
        print(error)
    torch.sparse_coo_tensor([[0, 5]], [1.0, 2.0], (3,))
