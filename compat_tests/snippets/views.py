# Programs of views and writes: who sees what, strides, offsets, versions, sharing with NumPy.

# In [slice write reaches base]
x = torch.zeros(3, 4)
y = x[1]
y[2] = 5
x[:, 0] = 1
y += 10
print(x)
print(y)

# In [view of view]
x = torch.arange(12.)
y = x.view(3, 4)
z = y[1:].t()
z[0] = -1
z *= 2
print(x)
print(z, z.stride(), z.storage_offset())

# In [sibling views overlap]
x = torch.zeros(5)
a, b = x[:3], x[2:]
a += 1
b += 10
print(x, a, b)

# In [write through step slice]
x = torch.arange(10)
x[::2] = -1
x[1::3] += 100
x

# In [write through negative index and ellipsis]
x = torch.zeros(2, 3, 4)
x[..., -1] = 1
x[-1, ..., 0] = 2
x[:, 1, 1:3] = torch.tensor([[7., 8.]])
x

# In [transpose view write]
x = torch.arange(6.).reshape(2, 3)
x.t()[0] = torch.tensor([10., 20.])
x.t().mul_(2)
x

# In [permute and select]
x = torch.zeros(2, 3, 4)
p = x.permute(2, 0, 1)
p[1, 0] = 9
print(p.shape, p.stride(), p.is_contiguous(), p.storage_offset())
print(p[1:].storage_offset(), p[:, 1].stride(), p[..., 1].stride())
x

# In [expand write refused]
x = torch.zeros(3, 1)
e = x.expand(3, 4)
print(e.stride())
e += 1

# In [expand then add to base]
x = torch.zeros(3, 1)
e = x.expand(3, 4)
x += 1
e

# In [as_strided]
x = torch.arange(10.)
w = x.as_strided((3, 3), (2, 1), 1)
print(w)
w[0, 0] = 100
print(x)
print(w.stride(), w.storage_offset(), w._base is x)

# In [as_strided overlapping write]
x = torch.zeros(5)
w = x.as_strided((2, 3), (1, 1))
w[0] = torch.tensor([1., 2., 3.])
print(x, w)

# In [as_strided_ on itself]
x = torch.arange(6.)
x.as_strided_((2, 2), (3, 1))
x

# In [diagonal write]
x = torch.zeros(3, 3)
x.diagonal().fill_(5)
x.diagonal(1)[:] = torch.tensor([1., 2.])
x

# In [unfold view]
x = torch.arange(6.)
u = x.unfold(0, 3, 2)
print(u, u.stride())
u[1, 0] = 50
x

# In [narrow split chunk unbind]
x = torch.arange(6.)
a, b = x.split([2, 4])
c, d, e = x.chunk(3)
b[0] = 20
c[1] = 10
print(x, a, b, c, d)
f, g = x.view(2, 3).unbind()
g.zero_()
x.narrow(0, 1, 2).fill_(7)
x

# In [squeeze unsqueeze flatten]
x = torch.zeros(2, 1, 3)
x.squeeze(1)[0] = 1
x.unsqueeze(0)[0, 1, 0, 2] = 4
x.flatten()[3] = 9
x.view(-1)[4] = 8
print(x, x.unsqueeze(1).stride(), x.squeeze().stride(), x[:, 0].stride())

# In [reshape copies when it must]
x = torch.arange(6.).view(2, 3)
r = x.t().reshape(6)
r[0] = 100
print(x)
s = x.reshape(3, 2)
s[0, 0] = 50
print(x)
print(r.data_ptr() == x.data_ptr(), s.data_ptr() == x.data_ptr())

# In [contiguous is itself or a copy]
x = torch.arange(6.).view(2, 3)
print(x.contiguous() is x, x.t().contiguous() is x, x.t().contiguous().stride())
c = x.t().contiguous()
c[0, 0] = 9
x

# In [view as other dtype]
x = torch.tensor([1., 2.])
i = x.view(torch.int32)
print(i)
i[0] = 0
print(x)
print(torch.ones(2, 2).view(torch.uint8).shape, torch.ones(4, dtype=torch.uint8).view(torch.float32))
torch.ones(3, dtype=torch.uint8).view(torch.int16)

# In [real and imag are views]
z = torch.zeros(2, dtype=torch.complex64)
z.real[0] = 1
z.imag.fill_(2)
print(z, torch.view_as_real(z).shape)
torch.view_as_real(z)[1, 0] = 7
z

# In [detach shares]
x = torch.ones(3, requires_grad=True)
d = x.detach()
d[0] = 5
print(x, d.requires_grad, d._version, x._version)
d.add_(1)
print(x, d._version, x._version)

# In [data shares without version]
x = torch.ones(3, requires_grad=True)
x.data[0] = 5
x.data.mul_(2)
print(x, x._version)
x.data = torch.zeros(2)
print(x, x.shape, x.requires_grad)
x.data = 3

# In [versions]
x = torch.zeros(3)
print(x._version)
x.add_(1)
x[0] = 2
v = x[1:]
v.mul_(3)
print(x._version, v._version)
x.zero_()
x.copy_(torch.ones(3))
print(x._version, v._version, (x + 1)._version)
x = x + 1
print(x._version)

# In [version counters and views]
x = torch.zeros(4)
a, b = x[:2], x.view(2, 2)
c = x.clone()
a += 1
print(x._version, a._version, b._version, c._version)

# In [_base and _is_view]
x = torch.zeros(4)
v = x.view(2, 2)[0]
print(v._is_view(), v._base is x, x._base, x.clone()._is_view(), x.detach()._is_view())
print(v.is_set_to(x.view(2, 2)[0]), v.untyped_storage().data_ptr() == x.untyped_storage().data_ptr())

# In [from_numpy shares both ways]
a = np.zeros(3)
t = torch.from_numpy(a)
a[0] = 1
t[1] = 2
t += 10
print(a, t, t.dtype)
a *= 2
print(t, t + 0)

# In [numpy shares both ways]
t = torch.zeros(2, 2)
a = t.numpy()
t[0, 0] = 1
a[1, 1] = 2
print(t, a, sep='\n')
t.mul_(3)
a += 1
print(t, a, sep='\n')
print(t.sum(), (t * 2).tolist(), a.flags.writeable)

# In [numpy of a view]
t = torch.arange(6.).view(2, 3)
a = t[:, 1].numpy()
a[0] = 100
print(t, a.strides)
t.t()[1] = -1
a

# In [as_tensor and asarray share, tensor copies]
a = np.zeros(2, dtype=np.float32)
s, c, f = torch.as_tensor(a), torch.tensor(a), torch.asarray(a)
a += 1
print(s, c, f, torch.as_tensor(a, dtype=torch.float64))

# In [numpy keeps a value computed before a write]
a = np.ones(3)
t = torch.from_numpy(a)
s = t * 2
a[:] = 7
print(s, t)
b = t + 1
t.zero_()
print(b, a)

# In [readonly numpy]
a = np.broadcast_to(np.ones(1), (3,))
t = torch.from_numpy(a)
t

# In [np.array of a tensor copies]
t = torch.zeros(2)
a, b = np.array(t), np.asarray(t)
t += 1
a, b

# In [numpy of expanded and of zero-dim]
print(torch.ones(1).expand(3).numpy(), torch.tensor(2.5).numpy(), type(torch.tensor(2.5).numpy()))
np.float32(2) * torch.ones(2), torch.tensor(2.0) * np.ones(2), np.add(torch.ones(2), 1)

# In [tolist and iteration]
x = torch.arange(4).view(2, 2)
for row in x:
    row += 10
print(x.tolist(), [t.item() for t in x.view(-1)], list(x[0]))
a, (b, c) = x[0], x[1]
a, b, c

# In [copy_ broadcasts and casts]
x = torch.zeros(2, 3, dtype=torch.long)
x.copy_(torch.tensor([1.7, -1.7, 2.5]))
print(x)
x[:, 1:].copy_(torch.tensor(True))
print(x)
x.copy_(torch.ones(3, 3))

# In [copy_ within itself]
x = torch.arange(5.)
x[1:] = x[:-1].clone()
print(x)
x = torch.arange(5.)
x[:3].copy_(x[2:].clone())
x

# In [fill_ zero_ clamp_ on views]
x = torch.arange(-3., 3.)
x[1:4].clamp_(min=-1)
x[4:].zero_()
x[:1].fill_(9)
x

# In [augmented assignment on index]
x = torch.zeros(3)
x[0] += 1
x[[0, 2]] += 5
x[torch.tensor([1, 1])] += 1
x[x > 5] *= 2
print(x, x._version)

# In [index assignment makes copies on read]
x = torch.arange(4.)
y = x[[0, 1]]
y += 100
print(x)
z = x[x > 1]
z.zero_()
x

# In [setitem with views of itself]
x = torch.arange(6.).view(2, 3)
x[0] = x[1]
x[:, 0] = x[:, 2]
x

# In [swap by tuple assignment]
x = torch.arange(4.)
x[0], x[1] = x[1], x[0]
print(x)
x = torch.arange(4.)
x[0], x[1] = x[1].clone(), x[0].clone()
x

# In [out= writes into views and resizes]
x = torch.zeros(2, 3)
torch.add(torch.ones(3), 1, out=x[1])
print(x)
o = torch.empty(0)
r = torch.mul(torch.ones(2), 3, out=o)
print(r is o, o)
m = torch.zeros(2), torch.zeros(2, dtype=torch.long)
torch.max(torch.tensor([[1., 5.], [7., 2.]]), 1, out=m)
m

# In [resize_ and set_]
x = torch.arange(6.)
x.resize_(2, 2)
print(x)
x.resize_(6)
print(x)
y = torch.zeros(2)
y.set_(x)
y[0] = 9
print(x, y.shape)

# In [storage]
x = torch.arange(4.)
s = x.untyped_storage()
print(len(s), x[1:].storage_offset(), x[1:].untyped_storage().nbytes(), x.element_size(), x.nbytes)
print(x[2:].clone().untyped_storage().nbytes())

# In [strides of fresh results]
x = torch.zeros(2, 3, 4)
for t in (x, x.transpose(0, 2), x.transpose(0, 2) + 1, x.permute(1, 0, 2).clone(), x.sum(1), x.t if 0 else x.mT,
          x.mT.contiguous(), x[:, :1].expand(2, 5, 4) * 2, torch.zeros_like(x.mT), x.mT.exp(), x.mT.cumsum(0),
          x.mT + torch.ones(2, 4, 3), x.mT.sum(0, keepdim=True), x.mT.softmax(1), x[:, ::2], x[..., None, :]):
    print(tuple(t.shape), t.stride(), t.is_contiguous())

# In [channels_last]
x = torch.zeros(2, 3, 4, 5).to(memory_format=torch.channels_last)
print(x.stride(), x.is_contiguous(), x.is_contiguous(memory_format=torch.channels_last))
print((x + 1).stride(), x.contiguous().stride(), x.clone().stride(), torch.empty_like(x).stride())
print(F.relu(x).stride(), x[0].stride(), x.sum(0).stride())

# In [zero-size and zero-dim]
x = torch.zeros(0, 3)
print(x, x.sum(), x.sum(0), x.t().stride(), x.stride(), x.numel(), x.view(3, 0).shape)
y = torch.tensor(5)
y += 1
print(y, y.shape, y.stride(), y[None], y[...], y.view(1), y.expand(2))
x[:] = 4
x[0:0] = torch.zeros(0, 3)
x

# In [inplace on a leaf's view under no_grad]
w = torch.ones(2, 2, requires_grad=True)
with torch.no_grad():
    w[0] = 3
    w.t()[1] -= 1
print(w, w._version, w.is_leaf, w.grad_fn)

# In [chained inplace returns self]
x = torch.zeros(2)
y = x.add_(1).mul_(2)
print(y is x, x.relu_() is x, x.t_() is x, x.unsqueeze_(0) is x, x.shape, x.squeeze_().shape)
x.transpose_(0, 0).shape, torch.zeros(2, 3).transpose_(0, 1).shape

# In [inplace type rules]
x = torch.ones(2, dtype=torch.int32)
x += torch.ones(2, dtype=torch.int64)
print(x.dtype)
y = torch.ones(2, dtype=torch.float16)
y += torch.ones(2, dtype=torch.float64)
print(y.dtype, y)
x += 1.5

# In [swap_tensors and data swap]
a, b = torch.zeros(2), torch.ones(2)
a.data, b.data = b.data, a.data
print(a, b)

# In [clone preserves nothing shared]
x = torch.zeros(3)
c, k = x.clone(), __import__('copy').deepcopy(x)
s = __import__('copy').copy(x)
x += 1
print(c, k, s, s is x)

# In [deepcopy keeps sharing inside]
x = torch.zeros(3)
pair = __import__('copy').deepcopy([x, x[1:]])
pair[0][2] = 9
pair

# In [pickle round trip]
import pickle
x = torch.arange(6.).view(2, 3).t()
y = pickle.loads(pickle.dumps(x))
print(y, y.stride(), pickle.loads(pickle.dumps(torch.ones(2, requires_grad=True))))

# In [a loop of writes read at the end]
x = torch.zeros(10)
for i in range(9):
    x[i + 1] = x[i] + i
x

# In [write to a view after the base is gone]
def view():
    base = torch.zeros(4)
    return base[1:3]


v = view()
v += 1
print(v, v._base)

# In [masked writes]
x = torch.arange(6.).view(2, 3)
x.masked_fill_(x > 3, -1)
x[:, 1:].masked_fill_(torch.tensor([True, False]), 0)
x[0].masked_scatter_(torch.tensor([True, False, True]), torch.tensor([8., 9.]))
x.t().index_fill_(0, torch.tensor([0]), 5)
x

# In [scatter and index writes on views]
x = torch.zeros(3, 3)
x[1:].scatter_(1, torch.tensor([[0], [2]]), 4.)
x.t().index_add_(0, torch.tensor([0, 0]), torch.ones(2, 3))
x[:, 1].index_copy_(0, torch.tensor([2, 0]), torch.tensor([1., 2.]))
x.index_put_((torch.tensor([0, 0]), torch.tensor([1, 1])), torch.tensor([1., 1.]), accumulate=True)
x

# In [real write after read, many times]
x = torch.zeros(3)
log = []
for i in range(4):
    x[i % 3] += i
    log.append(x.sum().item())
    y = x * 2
    x.neg_()
    log.append((y + x).tolist())
log

# In [bool and int writes]
m = torch.zeros(4, dtype=torch.bool)
m[1:3] = True
m |= torch.tensor([True, False, False, False])
m ^= True
print(m)
k = torch.arange(4)
k <<= 1
k //= 3
k %= 2
k &= 1
k

# In [roll flip repeat do not share]
x = torch.arange(3.)
for y in (x.roll(1), x.flip(0), x.repeat(1), x.reshape(3).clone(), x + 0, x[[0, 1, 2]], x.to(torch.float64)):
    y.zero_()
print(x, x.to(torch.float32) is x, x.float() is x, x.to('cpu') is x, x.type(torch.float) is x)

# In [iterating over out-of-date views]
x = torch.zeros(2, 2)
rows = list(x)
x += 1
rows[0] *= 5
print(x, rows)

# In [requires_grad_ on a view]
x = torch.zeros(4)
v = x[:2].requires_grad_()
print(v, v.is_leaf, x.requires_grad)
v.sum().backward()
print(v.grad)
x[0] = 3
v
