# What dtype comes out: promotion of tensors, zero-dim tensors and Python numbers, in and out of place.

# In [promote_types matrix]
names = ['bool', 'uint8', 'int8', 'int16', 'int32', 'int64', 'float16', 'bfloat16', 'float32', 'float64', 'complex64', 'complex128']
for a in names:
    print(a, *[str(torch.promote_types(getattr(torch, a), getattr(torch, b))).split('.')[1] for b in names])

# In [add matrix of tensors]
names = ['bool', 'uint8', 'int32', 'int64', 'float16', 'bfloat16', 'float32', 'float64', 'complex64']
for a in names:
    print(a, *[str((torch.ones(2, dtype=getattr(torch, a)) + torch.ones(2, dtype=getattr(torch, b))).dtype)[6:] for b in names])

# In [add matrix with zero-dim right]
names = ['bool', 'uint8', 'int32', 'int64', 'float16', 'bfloat16', 'float32', 'float64']
for a in names:
    print(a, *[str((torch.ones(2, dtype=getattr(torch, a)) + torch.ones((), dtype=getattr(torch, b))).dtype)[6:] for b in names])

# In [zero-dim with zero-dim]
names = ['bool', 'int32', 'int64', 'float16', 'float32', 'float64']
for a in names:
    print(a, *[str((torch.ones((), dtype=getattr(torch, a)) * torch.ones((), dtype=getattr(torch, b))).dtype)[6:] for b in names])

# In [Python numbers]
for a in ['bool', 'uint8', 'int32', 'int64', 'bfloat16', 'float32', 'float64', 'complex64']:
    t = torch.ones(2, dtype=getattr(torch, a))
    print(a, *[str((t + s).dtype)[6:] for s in (True, 1, 1.5, 1j)], *[str((s * t).dtype)[6:] for s in (True, 2, 2.5, 1j)])

# In [NumPy numbers]
for a in ['int32', 'int64', 'float16', 'float32']:
    t = torch.ones(2, dtype=getattr(torch, a))
    print(a, *[(t * s).dtype for s in (np.int32(1), np.int64(1), np.float32(1), np.float64(1), np.bool_(1))])

# In [other operators]
i, f, b, h = torch.tensor([3, 4]), torch.tensor([1.5, 2.]), torch.tensor([True, False]), torch.ones(2, dtype=torch.float16)
for e in ('i / i', 'i // i', 'i % i', 'i ** 2', 'i ** 2.0', 'i ** -1.0', '2 ** i', '2.0 ** i', 'b / b', 'b + b', 'b * b', 'i / 2', 'i // 2.0', 'i % 2.5', 'f // i',
          'h / i', 'h * f', 'h ** 2', 'i == f', 'i > 2.5', 'b & b', 'b | i', 'i ^ i', '~i', '~b', '-i', 'abs(-i)', 'i << 1', 'i >> b.long()',
          'i.float() + h', 'i.sqrt()', 'b.exp()', 'i.true_divide(2)', 'i.atan2(i)', 'i.floor()', 'f.floor()', 'i.sigmoid()', 'i.clamp(1.5)', 'i.clamp(1, 3)',
          'i.pow(0.5)', 'torch.where(b, i, f)', 'torch.where(b, i, 1.5)', 'torch.where(b, 1, 2)', 'torch.where(b, 1.0, 2)', 'torch.cat([i, f])', 'torch.stack([i, f])', 'torch.maximum(i, f)',
          'torch.lerp(f, f, 0.5)', 'torch.logaddexp(f, f)', 'torch.hypot(f, h)', 'i.add(f, alpha=2)', 'i.add(1, alpha=2.0)', 'torch.addcmul(f, f, f)', 'i.remainder(2)', 'i.fmod(2.0)',
          'torch.rsub(i, 2.5)', 'i.div(2, rounding_mode="floor")', 'i.div(f, rounding_mode="trunc")', 'torch.copysign(i, f)', 'torch.ldexp(i, i)', 'i.float_power(2)'):
    try:
        r = eval(e)
        print(e, '->', r.dtype, r.tolist())
    except Exception as x:
        print(e, '->', type(x).__name__, x)

# In [reductions]
for a in ['bool', 'uint8', 'int32', 'int64', 'float16', 'float32']:
    t = torch.ones(2, 2, dtype=getattr(torch, a))
    out = []
    for f in ('sum', 'prod', 'cumsum', 'mean', 'max', 'argmax', 'any', 'all', 'std', 'amax', 'logsumexp', 'norm', 'median', 'count_nonzero', 'nansum'):
        try:
            r = getattr(t, f)(0) if f in ('cumsum', 'logsumexp') else getattr(t, f)()
            out.append(str(r.dtype)[6:])
        except Exception as e:
            out.append(type(e).__name__)
    print(a, *out)

# In [reductions with dtype]
t = torch.ones(3, dtype=torch.int32)
print(t.sum(dtype=torch.float64), t.prod(dtype=torch.float32), t.mean(dtype=torch.float32), t.cumsum(0, dtype=torch.int16), t.softmax(0, dtype=torch.float32))

# In [in place keeps the dtype]
for a, b in [('float32', 'float64'), ('float16', 'float32'), ('int32', 'int64'), ('int64', 'bool'), ('float32', 'int64'), ('int64', 'float32'), ('bool', 'int64'), ('float32', 'complex64'), ('uint8', 'int8')]:
    x = torch.ones(2, dtype=getattr(torch, a))
    try:
        x += torch.ones(2, dtype=getattr(torch, b))
        print(a, b, x)
    except RuntimeError as e:
        print(a, b, e)

# In [in place with numbers]
for a in ['bool', 'uint8', 'int64', 'float16', 'float32']:
    for s in (True, 2, 2.5):
        x = torch.ones(2, dtype=getattr(torch, a))
        try:
            x *= s
            print(a, s, x)
        except RuntimeError as e:
            print(a, s, e)

# In [in place division]
x = torch.tensor([4., 6.])
x /= 2
x //= 2
x **= 2
x %= 2
x -= 0.5
print(x)
k = torch.tensor([7, 8])
k //= 2
k %= 2
k **= 2
print(k)
k /= 2

# In [constructors]
for v in (1, 1.5, True, 1j, [1, 2], [1, 2.5], [True, 2], [True, 2.5], [1, 1j], [], [[]], (1, 2), range(3), np.float32(1), np.int16(2), np.array([1, 2], dtype=np.int8), np.ones(2),
          [np.float32(1), 2], [torch.tensor(1), torch.tensor(2)], torch.tensor([1.5]).numpy(), np.array(3), np.bool_(True), [[1.5], [2]], np.float64(2.5), [np.int64(3)]):
    t = torch.tensor(v)
    print(repr(v)[:40], t.dtype, tuple(t.shape))

# In [factories]
for f in ('torch.zeros(2)', 'torch.ones(2, dtype=torch.int8)', 'torch.full((2,), 1)', 'torch.full((2,), 1.)', 'torch.full((2,), True)', 'torch.full((1,), 1j)', 'torch.arange(3)', 'torch.arange(3.)',
          'torch.arange(0, 1, 0.25)', 'torch.linspace(0, 1, 3)', 'torch.linspace(0, 4, 3, dtype=torch.int64)', 'torch.logspace(0, 2, 3)', 'torch.eye(2)', 'torch.rand(1)', 'torch.randint(3, (1,))',
          'torch.randperm(2)', 'torch.empty(0)', 'torch.zeros_like(torch.ones(1, dtype=torch.int16))', 'torch.ones_like(torch.ones(1), dtype=torch.bool)', 'torch.full_like(torch.ones(2, dtype=torch.long), 1.7)',
          'torch.tensor([1]).new_zeros(2)', 'torch.tensor([1]).new_tensor([1.5])', 'torch.tensor([1.]).new_full((1,), 3)', 'torch.tensor([1]).new_ones((2,), dtype=torch.float)', 'torch.Tensor([1, 2])',
          'torch.Tensor(2, 0)', 'torch.LongTensor([1.7])', 'torch.BoolTensor([0, 2])', 'torch.IntTensor(0)', 'torch.as_tensor([1])', 'torch.tril_indices(2, 2)', 'torch.hann_window(2)', 'torch.complex(torch.ones(1), torch.ones(1))'):
    t = eval(f)
    print(f, t.dtype, tuple(t.shape))

# In [default dtype]
torch.set_default_dtype(torch.float64)
print(torch.zeros(1).dtype, torch.tensor(1.5).dtype, torch.tensor([1]).dtype, torch.arange(1.).dtype, (torch.tensor([1]) / 2).dtype, torch.tensor([1, 2]).sqrt().dtype)
print(torch.tensor(1j).dtype, torch.rand(1).dtype, nn.Linear(1, 1).weight.dtype, torch.get_default_dtype(), torch.tensor(1.5))
torch.set_default_dtype(torch.float16)
print(torch.ones(2), torch.tensor([1.5]).dtype)

# In [casts]
f = torch.tensor([1.9, -1.9, 0., 300., 1e10])
print(f[:4].int(), f.long(), f.bool(), f.half(), f.double(), f[:4].to(torch.int16), f[:3].to(torch.int8), f[:1].char(), f[:1].short(), f[:1].byte())
print(torch.tensor([256, -1, 127]).to(torch.uint8), torch.tensor([128]).to(torch.int8), torch.tensor([True]).float(), torch.tensor([1.5]).type_as(torch.tensor([1])))
print(torch.tensor([1.0000001]).bfloat16(), torch.tensor([70000.]).half(), torch.tensor([1 + 2j]).real.dtype, torch.tensor(3).float().item(), torch.tensor([0.1]).double())

# In [overflow wraps]
print(torch.tensor([127], dtype=torch.int8) + 1, torch.tensor([255], dtype=torch.uint8) + 1, torch.tensor([0], dtype=torch.uint8) - 1, torch.tensor([2 ** 62]) * 4, -torch.tensor([1], dtype=torch.uint8))
print(torch.tensor([2 ** 63 - 1]) + 1, torch.tensor([60000.], dtype=torch.float16) * 2, torch.tensor([1e38]) * 10, torch.ones(300, dtype=torch.uint8).sum())

# In [integer division and remainder]
a = torch.tensor([7, -7, 7, -7])
b = torch.tensor([2, 2, -2, -2])
print(a // b, a % b, torch.fmod(a, b), torch.div(a, b, rounding_mode='trunc'), a / b)
x = torch.tensor([7.5, -7.5])
print(x // 2, x % 2, x.fmod(2), x // -2, x % -2, x % 0, x // 0, torch.tensor([0.]) // 0)

# In [result_type and can_cast]
print(torch.result_type(torch.tensor([1]), 1.5), torch.result_type(torch.tensor(1), torch.tensor([1.], dtype=torch.half)), torch.result_type(torch.ones(1, dtype=torch.uint8), torch.tensor(300)))
print(torch.can_cast(torch.float, torch.int), torch.can_cast(torch.int, torch.float), torch.can_cast(torch.bool, torch.uint8), torch.can_cast(torch.uint8, torch.bool), torch.can_cast(torch.cfloat, torch.float))

# In [dtype objects]
for d in (torch.float, torch.half, torch.bfloat16, torch.double, torch.long, torch.int, torch.short, torch.uint8, torch.int8, torch.bool, torch.cfloat, torch.cdouble):
    print(d, d.itemsize, d.is_floating_point, d.is_complex, d.is_signed, d.to_real() if d.is_floating_point or d.is_complex else '')
print(torch.float is torch.float32, torch.long == torch.int64, {torch.float32: 1}[torch.float], isinstance(torch.float, torch.dtype))

# In [finfo iinfo]
print(torch.finfo(torch.float32), torch.finfo(torch.bfloat16), torch.iinfo(torch.int8), sep='\n')
print(torch.finfo().dtype, torch.finfo(torch.half).max, torch.finfo(torch.double).eps, torch.iinfo(torch.int64).max, torch.iinfo(torch.uint8).min, torch.finfo(torch.float).tiny, torch.finfo(torch.float).resolution)

# In [types and type strings]
for t in (torch.ones(1), torch.ones(1, dtype=torch.long), torch.ones(1, dtype=torch.bool), torch.ones(1, dtype=torch.half), torch.ones(1, dtype=torch.bfloat16), torch.ones(1, dtype=torch.int32)):
    print(t.type(), type(t), t.is_floating_point(), isinstance(t, torch.FloatTensor), torch.is_tensor(t), t.element_size())

# In [mixed matmul and functions]
for e in ('torch.ones(2, 2).half() @ torch.ones(2, 2).half()', 'torch.ones(2, 2, dtype=torch.long) @ torch.ones(2, 2, dtype=torch.long)', 'torch.ones(2, 2, dtype=torch.bool) @ torch.ones(2, 2, dtype=torch.bool)',
          'F.mse_loss(torch.ones(2), torch.ones(2).double())', 'F.linear(torch.ones(2, dtype=torch.bfloat16), torch.ones(1, 2, dtype=torch.bfloat16))', 'torch.einsum("i,i", torch.ones(2).half(), torch.ones(2).half())',
          'torch.ones(2, dtype=torch.half).softmax(0)', 'torch.ones(2, dtype=torch.half).sum()', 'torch.tensor([1, 2, 3]).double().std()', 'torch.bincount(torch.tensor([1, 1]))', 'torch.tensor([1, 2]).cumsum(0)',
          'torch.tensor([3, 1]).sort().indices', 'torch.tensor([1, 1, 2]).unique()', 'torch.histc(torch.tensor([1., 2.]), 2)', 'torch.tensor([1., 2.]).argmax()', 'torch.tensor([1, 2]).topk(1)', 'torch.isnan(torch.tensor([1]))'):
    try:
        r = eval(e)
        print(e, '->', r.dtype if hasattr(r, 'dtype') else r)
    except Exception as x:
        print(e, '->', type(x).__name__, x)

# In [printing]
print(torch.tensor([1., 2.5]), torch.tensor([1, 2]), torch.tensor([True]), torch.tensor([1e10, 1.]), torch.tensor([1e-5, 1.]), torch.tensor([float('nan'), 1., float('inf')]), sep='\n')
print(torch.tensor([1 + 2j]), torch.tensor([]), torch.zeros(0, 3), torch.tensor(3), torch.tensor(1.5, dtype=torch.half), torch.ones(2, dtype=torch.double), torch.ones(1, dtype=torch.int8), sep='\n')
print(torch.arange(2000), torch.zeros(2, 2, 2), torch.tensor([123456., 0.001]), torch.tensor([1., 2., 3e5]), torch.ones(1, 30), sep='\n')
print(torch.Size([1, 2]), torch.ones(2).size(), torch.float32, torch.device('cpu'), repr(torch.Size([])), torch.strided, torch.contiguous_format)
print(f'{torch.tensor(2.5):.2f} {torch.tensor(3)} {torch.tensor([1])}', str(torch.ones(1)), torch.ones(1).__repr__())
