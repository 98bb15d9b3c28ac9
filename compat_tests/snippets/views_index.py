# Reading and writing through every kind of index.

# Each [read]
torch.arange(5)[2], torch.arange(5)[-1], torch.arange(5)[True], torch.arange(5)[False], torch.arange(5)[None].shape
torch.arange(24).view(2, 3, 4)[1], torch.arange(24).view(2, 3, 4)[1, 2], torch.arange(24).view(2, 3, 4)[1, 2, 3]
torch.arange(24).view(2, 3, 4)[:, 1].shape, torch.arange(24).view(2, 3, 4)[..., 1].shape, torch.arange(24).view(2, 3, 4)[0, ..., 0]
torch.arange(24).view(2, 3, 4)[:, :, ::2].stride(), torch.arange(24).view(2, 3, 4)[:, None, 1].shape, torch.arange(24).view(2, 3, 4)[()].shape
torch.arange(10)[2:5], torch.arange(10)[:-3], torch.arange(10)[-3:], torch.arange(10)[::3], torch.arange(10)[7:2], torch.arange(10)[50:]
torch.arange(10)[slice(None, 2)], torch.arange(10)[torch.tensor(3)], torch.arange(10)[np.int64(3)], torch.arange(10)[torch.tensor(1):torch.tensor(4)]
torch.arange(10)[[1, 3, 1]], torch.arange(10)[torch.tensor([1, -1])], torch.arange(10)[np.array([1, 2])], torch.arange(10)[(1,)]
torch.arange(10)[torch.tensor([[0, 1], [2, 3]])], torch.arange(10)[torch.tensor([], dtype=torch.long)], torch.arange(10)[[]]
torch.arange(10)[torch.arange(10) % 2 == 0], torch.arange(4)[[True, False, True, False]], torch.arange(4)[np.array([True] * 4)]
torch.arange(6).view(2, 3)[torch.tensor([[True, False, True], [False, True, False]])]
torch.arange(6).view(2, 3)[torch.tensor([True, False])], torch.arange(6).view(2, 3)[:, torch.tensor([True, False, True])]
torch.arange(6).view(2, 3)[[0, 1], [1, 2]], torch.arange(6).view(2, 3)[[[0], [1]], [0, 2]], torch.arange(6).view(2, 3)[[1, 0]]
torch.arange(6).view(2, 3)[torch.tensor([1, 0]), :2], torch.arange(6).view(2, 3)[1:, [2, 0]], torch.arange(6).view(2, 3)[..., [0]]
torch.arange(24).view(2, 3, 4)[[0, 1], :, [1, 2]].shape, torch.arange(24).view(2, 3, 4)[:, [0, 1], [1, 2]], torch.arange(24).view(2, 3, 4)[[0], None].shape
torch.arange(24).view(2, 3, 4)[0, :, [1, 2]].shape, torch.arange(24).view(2, 3, 4)[:, [[0, 1], [1, 2]]].shape, torch.arange(24).view(2, 3, 4)[[1], ..., [0]].shape
torch.arange(24).view(2, 3, 4)[torch.ones(2, 3, dtype=torch.bool)].shape, torch.arange(24).view(2, 3, 4)[torch.ones(2, dtype=torch.bool), 0].shape
torch.arange(24).view(2, 3, 4)[torch.tensor([True, False]), torch.tensor([0])], torch.arange(24).view(2, 3, 4)[True].shape, torch.arange(24).view(2, 3, 4)[None, ..., None].shape
torch.arange(6).view(2, 3)[torch.tensor(1)], torch.arange(6).view(2, 3)[torch.tensor(1), torch.tensor(2)], torch.arange(6).view(2, 3)[torch.tensor(True)].shape
torch.arange(6).view(2, 3)[:, -1], torch.arange(6).view(2, 3)[:, -1:], torch.arange(6).view(2, 3)[-1, -1], torch.arange(6).view(2, 3)[1:2, 1:]
torch.arange(5)[torch.tensor([1, 2], dtype=torch.int32)], torch.arange(5)[torch.tensor([1, 0, 1, 0, 1], dtype=torch.uint8)]
torch.arange(5)[range(1, 3)], torch.arange(5)[(0, )], torch.arange(4).view(2, 2)[(0, 1)], torch.arange(4).view(2, 2)[[0, 1],]
torch.zeros(0)[:], torch.zeros(0, 3)[:, 1], torch.zeros(2, 0)[1], torch.zeros(3, 0)[[0, 1]].shape
torch.tensor(5)[None], torch.tensor(5)[...], torch.tensor(5)[()], torch.tensor(5)[True], torch.tensor(5)[torch.tensor(True)], torch.tensor(5)[False]
torch.nonzero(torch.tensor([[0, 1], [2, 0]])), torch.nonzero(torch.tensor([0, 3]), as_tuple=True), torch.where(torch.tensor([0, 1, 1]) > 0)
torch.arange(6).view(2, 3).take(torch.tensor([5, 0])), torch.arange(6).view(2, 3).index_select(1, torch.tensor([2, 2])), torch.arange(3)[torch.tensor([0, 2])].stride()
torch.arange(6).view(2, 3).gather(1, torch.tensor([[0, 2], [1, 1]])), torch.arange(6).view(2, 3).take_along_dim(torch.tensor([[0], [2]]), 1)
torch.arange(6.).view(2, 3).masked_select(torch.tensor([True, False, True])), torch.arange(4).unfold(0, 2, 1), torch.arange(4).unflatten(0, (2, -1))
torch.arange(3)[..., None], torch.arange(3)[:, None] * torch.arange(2), torch.arange(3)[None, :].expand(2, 3)
len(torch.arange(6).view(2, 3)), torch.arange(6).view(2, 3)[0].shape, 3 in torch.arange(6), [int(i) for i in torch.arange(3)]

# In [write number]
x = torch.zeros(3, 4)
x[0] = 1
x[1, 2] = 2.5
x[:, 3] = -1
x[2, :2] = True
x[..., 1] += 10
x

# In [write tensor broadcast]
x = torch.zeros(2, 3)
x[:] = torch.tensor([1, 2, 3])
x[:, :2] = torch.tensor([[9.], [8.]])
x[1] = torch.tensor(5, dtype=torch.int64)
x[0, 0] = torch.tensor([7.])
x

# In [write list and numpy]
x = torch.zeros(3)
x[:2] = torch.tensor([1., 2.])
x[2] = np.float64(3)
x[:] = torch.from_numpy(np.ones(3))
x[:2] = [4., 5.]

# In [write with int tensor]
x = torch.zeros(5)
x[torch.tensor([0, 3])] = torch.tensor([1., 2.])
x[[1, 1]] = torch.tensor([5., 6.])
x[torch.tensor(2)] = 9
x[torch.tensor([[4]])] = 7
x

# In [write with two index tensors]
x = torch.zeros(3, 3)
x[[0, 1, 2], [2, 1, 0]] = torch.tensor([1., 2., 3.])
x[[0, 1], :] += 10
x[:, [0, 2]] = torch.tensor([[1.], [2.], [3.]])
x[[[0], [2]], [1, 2]] = -1
x

# In [write with mask]
x = torch.arange(6.).view(2, 3)
x[x > 3] = 0
x[x == 0] = torch.tensor([5., 6., 7.])
x[torch.tensor([True, False])] *= 2
x[:, torch.tensor([False, True, False])] = torch.tensor([[100.], [200.]])
x

# In [write with mask and slice]
x = torch.zeros(2, 3, 2)
x[torch.tensor([True, False]), 1:] = 3
x[:, torch.tensor([True, False, False]), 0] = torch.tensor([[1.], [2.]])
x[x.sum(-1) == 0] = -1
x

# In [write with None and Ellipsis]
x = torch.zeros(2, 3)
x[None, 0] = 1
x[..., 2] = 2
x[..., None, 1] = torch.tensor([[7.], [8.]])
x

# In [write with True and False]
x = torch.zeros(2)
x[True] = 1
x[False] = 5
x

# In [write zero-dim]
x = torch.tensor(1.)
x[...] = 3
x[()] += 1
x[None] = 7
x

# In [write zero elements]
x = torch.zeros(3)
x[5:] = 1
x[torch.tensor([], dtype=torch.long)] = 2
x[x > 10] = 3
x

# In [write dtype conversion]
k = torch.zeros(3, dtype=torch.long)
k[0] = 2.9
k[1] = torch.tensor(3.9)
k[2] = True
b = torch.zeros(2, dtype=torch.bool)
b[0] = 5
c = torch.zeros(2, dtype=torch.complex64)
c[0] = 1 + 2j
c[1] = 3
print(k, b, c)
k[0] = 1 + 2j

# In [gradient of reads]
x = torch.arange(6.).view(2, 3).requires_grad_()
(x[0].sum() * 2 + x[:, 1].prod() + x[[0, 0], [1, 1]].sum() * 10 + x[x > 4].sum() * 100).backward()
x.grad

# In [gradient of writes]
x = torch.ones(4, requires_grad=True)
v = torch.tensor([2., 3.], requires_grad=True)
y = x * 3
y[1:3] = v
y[0] *= 10
y[[3, 3]] = y[0] * 2
y.sum().backward()
print(x.grad, v.grad, y)

# In [gradient of masked write]
x = torch.tensor([1., -2., 3.], requires_grad=True)
y = x * x
y[x < 0] = 0
y.sum().backward()
x.grad

# In [grad_fn of indexing]
x = torch.arange(6.).view(2, 3).requires_grad_()
for t in (x[0], x[:, 1:], x[[0, 1]], x[x > 2], x[None], x[..., 0], x[0, 1], x[:, [0]], x.index_select(0, torch.tensor([0])),
          x.gather(1, torch.tensor([[0], [1]])), x.take(torch.tensor([1])), x.masked_select(x > 1), x.unbind()[0],
          x.split(1)[0], x.chunk(3, 1)[2], x.narrow(1, 0, 2), x.diagonal(), x.unfold(1, 2, 1), x.expand(2, 2, 3)):
    print(tuple(t.shape), t.grad_fn.name())

# In [grad_fn after writes]
x = torch.zeros(2, 3, requires_grad=True)
y = x * 1
y[0] = 1
print(y.grad_fn.name())
y[0, 0] = 2
print(y.grad_fn.name(), y.grad_fn.next_functions[0][0].name())
z = y[1]
z += 1
print(z.grad_fn.name(), y.grad_fn.name())
y[[0]] = 5
print(y.grad_fn.name())
y.masked_fill_(y > 3, 0)
print(y.grad_fn.name(), y)

# In [out= and index of results]
v, i = torch.tensor([[3., 1.], [2., 5.]]).max(1)
r = torch.tensor([[3., 1.], [2., 5.]]).sort(descending=True)
print(v, i, r, r.values[0], r[1], sep='\n')
