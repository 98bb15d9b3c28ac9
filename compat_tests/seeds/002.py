# In [1]
import torch

# In [2]
x = torch.ones(2, 2, requires_grad=True)  # requires_grad=True로 설정하여 연산을 기록한다.
print(x)

# In [3]
# tensor에 연산을 수행한다.

y = x + 2
print(y)

# In [4]
print(y.grad_fn)

# In [5]
z = y * y * 3
out = z.mean()

print(z, out)  # z 또한 .grad_fn 속성을 가지고 있을까?

# In [6]
a = torch.randn(2, 2)
a = ((a * 3) / (a - 1))
print(a.requires_grad)

# In [7]
a.requires_grad_(True)  # .requires_grad_(True)로 인해 기존의 requires_grad=False가 True로 바뀌었다.
print(a)

# In [8]
print(a.requires_grad)
b = (a * a).sum()
print(b.grad_fn)  # b의 grad_fn은 Tensor를 생성한 Function을 참조한다. 

# In [9]
out.backward()

# In [10]
print(x.grad)

# In [11]
x = torch.randn(3, requires_grad=True)
print('x: ', x)
y = x * 2
while y.data.norm() < 1000:
    y = y * 2
    
print('y: ', y)

# In [12]
v = torch.tensor([0.1, 1.0, 0.0001], dtype=torch.float)
y.backward(v)

print(x.grad)

# In [13]
print(y.grad)

# In [14]
print(v.grad)

# In [15]
v = torch.tensor([0.1, 1.0, 0.0001], dtype=torch.float)
y.backward(v)  # v에 대한 벡터-야코비안 곱을 계산한다. 


print(x.grad)

# In [16]
print(x.requires_grad)
print((x ** 2).requires_grad)

# In [17]
with torch.no_grad():
    print((x ** 2).requires_grad)

# In [18]
print(x.requires_grad)
y = x.detach()
print(y.requires_grad)
print(x.eq(y).all())

# In [19]
import torch
import torch.nn as  nn
import torch.nn.functional as F

class Net(nn.Module):
    
    def __init__(self):
        super(Net, self).__init__()
        # 1 input image channer, 6 output channels, 3x3 square convolution
        # kernel
        
        # 참고 https://github.com/inmoonlight/PyTorchTutorial/blob/master/01_CNN.ipynb
        
                                         # 희한하네 
                                         # 
        self.conv1 = nn.Conv2d(1, 6, 3)  # Conv2d 통과 후 receptive field 값.
                                         # 초기 값이 그림과 같이 28*28일 때,  6@26*26
                                         # 튜토리얼이라 그런지 pool레이어가 생략되어있다(여기서 혼동이 온듯)
                                         # 6@13*13
        self.conv2 = nn.Conv2d(6, 16, 3) # 16@11*11
                                         # 16@6*6
        # an affine operation: y = Wx + b
        self.fc1 = nn.Linear(16 * 6 * 6, 120)  # 6 * 6 from Image dimension # ???
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)
        
    def forward(self, x):
        # Max pooling over a (2, 2) window
        x = F.max_pool2d(F.relu(self.conv1(x)), (2, 2))
        # If the size is a square you can only specify a single number
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = x.view(-1, self.num_flat_features(x))
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        x = self.fc3(x)
        return x
    
    def num_flat_features(self, x):
        size = x.size()[1:]  # all dimensions except the batch dimension
        num_features = 1
        for s in size:
            num_features *= s
        return num_features

# In [20]
net = Net()
print(net)

# In [21]
params = list(net.parameters())
# print(params)
print(len(params))
print(params[0].size())  # conv1's .weight

# In [22]
input = torch.randn(1, 1, 32, 32)
out = net(input)
print(out)

# In [23]
net.zero_grad()
out.backward(torch.randn(1, 10))

# In [24]
output = net(input)
target = torch.randn(10)
target = target.view(1, -1)
criterion = nn.MSELoss()

loss = criterion(output, target)
print(loss)

# In [25]
print(loss.grad_fn)  # MSE loss
print(loss.grad_fn.next_functions[0][0])  # Linear
print(loss.grad_fn.next_functions[0][0].next_functions[0][0])  # Relu

# In [26]
net.zero_grad()

print('conv1.bias.grad before backward')
print(net.conv1.bias.grad)

loss.backward()

print('conv1.bias.grad after backward')
print(net.conv1.bias.grad)

# In [27]
learning_rate = 0.01
for f in net.parameters():
    f.data.sub_(f.grad.data * learning_rate)

# In [28]
import torch.optim as optim

# Optimizer를 생성합니다.
optimizer = optim.SGD(net.parameters(), lr=0.01)

# 학습 과정(training loop)에서는 다음과 같습니다:
optimizer.zero_grad()   # zero the gradient buffers
output = net(input)
loss = criterion(output, target)
loss.backward()
optimizer.step()    # Does the update
