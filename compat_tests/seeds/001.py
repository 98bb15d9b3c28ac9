# In [1]
import torch                                     # Always import "torch" package first

x = torch.ones(2, 2, requires_grad=True)         # requires_grad는 
print(x)

# In [2]
y = x + 2
print(y)

# In [3]
print(y.grad_fn)

# In [4]
z = y * y * 3
out = z.mean()

print(z, out)

# In [5]
a = torch.randn(2, 2)
a = ((a * 3) / (a - 1))

print(a.requires_grad)

a.requires_grad_(True)

print(a.requires_grad)

b = (a * a).sum()

print(b.grad_fn)

# In [6]
out.backward()

print(x.grad) # Print gradients d(out)/dx

# In [7]
x = torch.randn(3, requires_grad=True)

y = x * 2
while y.data.norm() < 1000:
    y = y * 2

print(y)

# In [8]
v = torch.tensor([0.1, 1.0, 0.0001], dtype=torch.float) # tensor의 shape와 같음
y.backward(v)

print(x.grad)

# In [9]
print(x.requires_grad)
print((x ** 2).requires_grad)

with torch.no_grad():
    print((x ** 2).requires_grad)

# In [10]
print(x.requires_grad)
y = x.detach()
print(y.requires_grad)
print(x.eq(y).all())
