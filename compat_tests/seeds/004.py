# In [1]
import torch

# In [2]
x = torch.tensor([1.], requires_grad=True) # requires_grad : 미분할 것이라고 미리 표시해두는 것
# 그래서 tensor 값이 소수로 들어가야 한다!

# In [3]
x = torch.tensor([1.])
print(x.requires_grad)
x.requires_grad=True # 이후에 붙여줄 수도 있음
print(x.requires_grad)

# In [4]
x = torch.tensor([1.], requires_grad=True)
x = x,detach() # 아마 설치 버전이 달라 안되는 것 같다
print(x.requires_grad)

# In [5]
x = torch.tensor([1.], requires_grad=True)
with torch.no_grad():
  print(x.requires_grad)
  y=x**2
  print(y) # grad_fn을 기억하지 않는다!
print(x.requires_grad)
y=x**2
print(y)

# In [6]
x = torch.tensor([1.], requires_grad=True)
y=x**2
print(y) # PowBackward0 추가되어 있음
print()

print(x.grad) # 미분한 값은 grad에 있다 !
y.backward() # y에 대해 x 미분
print(x.grad)

# In [7]
x = torch.tensor([1.], requires_grad=True)
y=x.argmax()
print(y) # PowBackward0 추가 X > 미분이 불가능하므로!
y.backward() # 에러

# In [8]
x = torch.tensor([1.], requires_grad=True)
y=x**2
z = 3*y
print(z) # MulBackward0 추가되어 있음 > 연산방식에 대해 기억을 하고 있다
z.backward() # requires_grad를 찾아 미분을 한다
# 즉, y에는 requires_grad가 없고 x에만 있으므로, dz/dy >> dy/dx 순인 chain rule를 활용해서 dz/dx를 값을 얻을 수 있는 것
print(x.grad)

# In [9]
x = torch.tensor([1.], requires_grad=True)
y=(3*x**2 +1)*3
print(y)

# In [10]
print(y.grad) # requires_grad가 없으므로, 값이 없다

# In [11]
x = torch.tensor([1.], requires_grad=True)
y=x**2
z = 3*y

y.retain_grad() # 중간 stem에 대해서 미분하겠다고 변경하는 것

z.backward() # z를 y에 대해서 미분하겠다
# y는 1**2로, 1 값을 가지고 있으니까 z 미분한 것에 대해 y 값을 넣어 y.grad에 저장!
print(y.grad)

# In [12]
y=torch.tensor([1.])
z = 3*y
y.requires_grad=True
print(y.requires_grad) # True이지만, 이미 z를 정의한 이후로 시도했으므로 에러 발생
z.backward()

# In [13]
x=torch.tensor([1.], requires_grad=True)
y=torch.tensor([1.], requires_grad=True)
z = 2*x**2 + y**2
z.backward()

# z에 대해서 각각 편미분하고, 대입한 값이 들어가 있다
print(x.grad)
print(y.grad)

# In [14]
x=torch.tensor([1., 2., 3.], requires_grad=True)
y=torch.sum(x**2) # x1**2 + x2**2 + x3**2
print(y)

y.backward()
print(x.grad) # 스칼라를 벡터로 미분한 것

# In [15]
from torchviz import make_dot

# In [16]
x = torch.tensor([1.,2.], requires_grad=True)
make_dot((x**2+1)**2)
