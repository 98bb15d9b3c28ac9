# Conjugates and negated imaginary parts: views that carry a bit.

# In [conj is a view]
x = torch.tensor([[1 + 2j, 3 - 1j], [0.5j, 2]])
y = x.conj()
print(y, y.is_conj(), y._is_view(), y._base is x, y.data_ptr() == x.data_ptr(), y.stride())
print(y.conj().is_conj(), torch.is_conj(y), torch._conj(y).is_conj(), x.real.conj() is x.real)
print(y.imag, y.imag.is_neg(), y.imag.storage_offset(), y.real.is_neg(), y.real.is_conj())
print(x.mH.is_conj(), x.H.is_conj(), x.adjoint(), x.mT.is_conj())

# In [what keeps the bit]
y = torch.tensor([[1 + 2j, 3 - 1j], [0.5j, 2]]).conj()
for t in (y.t(), y[0], y.contiguous(), y.detach(), y.data, y.cpu(), y.view(-1), y.reshape(-1),
          y.t().reshape(-1), y.expand(2, 2, 2), y.unsqueeze(0), y.split(1)[0],
          y.as_strided((2,), (2,))):
    print(t.is_conj(), t.tolist())
for t in (y * 2, y.clone(), y.to(torch.complex128), y.resolve_conj(), y + 1, torch.stack([y, y]),
          torch.empty_like(y), y.conj_physical(), y.new_zeros(2)):
    print(t.is_conj(), end=" ")
for t in (y.imag[0], y.imag.t(), y.imag.clone(), -y.imag, y.imag.resolve_neg(), y.imag + 0):
    print(t.is_neg(), end=" ")
print(torch._neg_view(y.real), torch._neg_view(y.real).is_neg())

# In [writes reach the base conjugated]
x = torch.tensor([1 + 2j, 3])
y = x.conj()
y[0] = 5 + 7j
print(x, y)
y.imag.fill_(3)
print(x, y._version)
y.mul_(1j)
print(x, y)
y.copy_(torch.tensor([1j, 2j]))
y.real[1:] += 4
print(x)
x.add_(1j)
print(y, y.imag)
y.t().conj()[1] = 9j
print(x)

# In [memory shared with NumPy]
a = np.array([1 + 2j, 3 - 1j])
y = torch.from_numpy(a).conj()
print(y)
y[0] = 4j
y.imag[1:].mul_(2)
print(a, y)
a[0] = 8j
print(y, y.imag)

# Each [refused]
torch.view_as_real(torch.ones(2, dtype=torch.complex64).conj())
torch.ones(2, dtype=torch.complex64).conj().numpy()
torch.ones(2, dtype=torch.complex64).conj().imag.numpy()
torch.ones(2, dtype=torch.complex64).conj().view(torch.float32)
torch._neg_view(torch.ones(2)).view(torch.int32)
torch.ones(2).imag

# In [numpy by force]
print(torch.tensor([1 + 2j]).conj().numpy(force=True), torch.tensor([2j]).conj().imag.numpy(force=True))

# In [graph]
x = torch.tensor([[1 + 2j, 3]], requires_grad=True)
y = x.conj()
print(y, y.imag.grad_fn.next_functions[0][0].name(), y.real.grad_fn.next_functions[0][0].name())
print(x.mH.grad_fn.name(), x.mH.grad_fn.next_functions[0][0].name(), y.resolve_conj().grad_fn.name())
print(y.imag.resolve_neg().grad_fn.name(), y.conj().grad_fn.name())
((y @ x.mT) * (2 + 1j)).imag.sum().backward()
print(x.grad, x.grad.is_conj())
print(torch.autograd.grad((x.conj().imag * x.real).sum(), x))
w = x * 1
w.conj()[0].mul_(2j)
print(w.grad_fn.name(), torch.autograd.grad(w.real.sum(), x))
torch.autograd.gradcheck(lambda t: (t.conj() * t.mH.sum()).imag, x.detach().to(torch.complex128).requires_grad_())

# In [files keep the bit]
import io, pickle, copy
x = torch.tensor([[1 + 2j, 3 - 1j]])
for t in (x.conj(), x.conj().imag, x.conj().t()):
    for options in ({}, {"_use_new_zipfile_serialization": False}):
        file = io.BytesIO()
        torch.save(t, file, **options)
        file.seek(0)
        back = torch.load(file)
        print(back, back.is_conj(), back.is_neg(), back._is_view())
print(pickle.loads(pickle.dumps(x.conj())), copy.deepcopy(x.conj()))

# In [maps over examples]
x = torch.tensor([[1 + 2j, 3 - 1j], [2j, 1j]])
print(torch.vmap(lambda t: t.conj() * t)(x), torch.vmap(lambda t: t.conj())(x))
print(torch.func.grad(lambda t: (t.conj() * t).real.sum())(x))
