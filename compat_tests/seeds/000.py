# In [1]
import torch

# In [2]
x = torch.ones(2, 2, requires_grad = True)
print(x)

# In [3]
y = x + 1
print(y)
print('')
print(y.grad_fn)

# In [4]
3*y**2

# In [5]
z = 3 * y * y
out = z.mean()
out

# In [6]
out.backward()

# In [7]
x.grad

# In [8]
out.backward()

# In [9]
x.

# In [10]
a = torch.randn(2, 2)
a = ((a * 3) // (a - 1)) 
print(a.requires_grad, '\n')      

# .requires_grad_은 기존 Tensor에
# requuires_grad을 부여한다.  

a.requires_grad_(True)
print(a.requires_grad, '\n')

b = (a * a).sum()
print(b.grad_fn)

# In [11]
print(out)

out.backward()  # out = 3*y^2 = 3(x+2)^2
print(x.grad) # out에 대한 x의 미분값 출력(x = 1)

# In [12]
x = torch.randn(3, requires_grad = True)

y = x * 2
i = 1
while y.data.norm() < 1000: # 각 원소에 절대값을 취한 후 더한 값(p-norm, p = 1)
    y = y * 2
    i += 1
print(i)
print(y)

# In [13]
gradients = torch.tensor([0.1, 1.0, 0.0001], dtype = torch.float) # .backward()는 결과가 1개일 때만 가능
y.backward(gradients) # 각 입력값에 따른 미분값 
print(x.grad)

# In [14]
x = torch.ones(1, requires_grad=True)
print(x)
y = 3*(x+1)**2
print(y)
y.backward()
print(x.grad)

# In [15]
x = torch.ones(4,4, requires_grad=True)
y = (x**4 + 3*x**3 + 8*x**2 + 3).mean()
y.backward()
print(x.grad)

# In [16]
def f(x):
    y = 3*(x+1)**2
    return y

def diff(F, X):
    h = 0.001 # 매우 작은 수
    return (f(x+h) - f(x)) / h

x = torch.ones(1)
diff(f, x)

# In [17]
def f(x):
    y = x**4 + 3*x**3 + 8*x**2 + 3
    return y

def diff(F, X):
    h = 0.00001 # 매우 작은 수
    return (f(x+h) - f(x)) / h

x = torch.ones(4,4)
d = diff(f, x)
d/16

# In [18]
torch.ones(1)

# In [19]
x = torch.ones(1, requires_grad=True )
x

# In [20]
y = 3*(x+1)**2
y

# In [21]
y.backward()
x.grad

# In [22]
y = y.mean()
print(y)

# In [23]
y.backward()

# In [24]
x.grad

# In [25]
inputs = torch.tensor([1,2,3], dtype=torch.float)
y.backward(inputs)
x.grad

# In [26]
a = torch.tensor([1,2,3])
b = torch.tensor([4,5,6])

# In [27]
c = a * b
c

# In [28]
x
y = 3*(x+1)**2

# In [29]
def function(x):
    return x+1

# In [30]
function(1)

# In [31]
x

# In [32]
print(x.requires_grad)
print((x ** 2).requires_grad)

with torch.no_grad():
    print((x ** 2).requires_grad)
