# In [1]
import torch
import torch.nn as nn
import torch.nn.functional as F

x = torch.ones(2, 2, requires_grad=True)
y = x + 2
z = y * y * 3
out = z.mean()
for t in (y, z, out, z ** 2, z - 1, z / 2, -z, z.sum(), z.view(4), z.t(), z @ z, z[0], z.clone()):
    print(t.grad_fn.name(), type(t.grad_fn).__name__)

# In [2]
out.backward()
x.grad

# In [3]
out.backward()

# In [4]
x.grad

# In [5]
x = torch.tensor([1.], requires_grad=True)
x = x,detach()

# In [6]
y = torch.ones(2, requires_grad=True) * 2
y.requires_grad = False

# In [7]
y.requires_grad_(False)

# In [8]
y.requires_grad_(True)
y.requires_grad = True
y.requires_grad

# In [9]
torch.tensor([1, 2, 3], requires_grad=True)

# In [10]
torch.arange(3).requires_grad_()

# In [11]
k = torch.arange(3)
k.requires_grad = True

# In [12]
torch.ones(2, dtype=torch.bool).requires_grad_()

# In [13]
y = torch.ones(2, requires_grad=True) * 2
print(y.grad)

# In [14]
y.retain_grad()
y.sum().backward()
y.grad

# In [15]
torch.ones(2, requires_grad=True).argmax().backward()

# In [16]
torch.ones(2, requires_grad=True).backward()

# In [17]
y = torch.tensor([1.])
z = 3 * y
y.requires_grad = True
z.backward()

# In [18]
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 3)
        self.conv2 = nn.Conv2d(6, 16, 3)
        self.fc1 = nn.Linear(16 * 6 * 6, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), (2, 2))
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = x.view(-1, 16 * 6 * 6)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


net = Net()
loss = nn.MSELoss()(net(torch.randn(1, 1, 32, 32)), torch.randn(1, 10))
loss

# In [19]
node, depth = loss.grad_fn, 0
while node is not None:
    print('  ' * depth + node.name(), [n.name() if n else None for n, _ in node.next_functions])
    node = next((n for n, _ in reversed(node.next_functions) if n and n.next_functions and
                 n.name() != 'TBackward0'), None) or next((n for n, _ in node.next_functions if n), None)
    depth += 1

# In [20]
def tree(node, depth=0):
    print('  ' * depth + type(node).__name__)
    for parent, index in node.next_functions:
        if parent is not None:
            assert index == 0
            tree(parent, depth + 1)


tree(loss.grad_fn)

# In [21]
leaf = net.fc3(torch.zeros(1, 84)).grad_fn.next_functions[0][0]
print(leaf, leaf.variable is net.fc3.bias)
print(net.fc3.bias.grad_fn, net.fc3.bias.is_leaf)

# In [22]
class MyReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, input):
        ctx.save_for_backward(input)
        return input.clamp(min=0)

    @staticmethod
    def backward(ctx, grad_output):
        input, = ctx.saved_tensors
        grad_input = grad_output.clone()
        grad_input[input < 0] = 0
        return grad_input


x = torch.tensor([-1., 2.], requires_grad=True)
y = MyReLU.apply(x)
print(y, y.grad_fn, y.grad_fn.name(), y.grad_fn.next_functions[0][0].name())
y.sum().backward()
x.grad

# In [23]
from torchviz import make_dot
x = torch.tensor([1., 2.], requires_grad=True)
print(make_dot((x**2+1)**2).source)

# In [24]
print(make_dot((x**2+1)**2, params={'x': x}).source)

# In [25]
print(make_dot(loss, params=dict(net.named_parameters())).source)

# In [26]
print(make_dot(MyReLU.apply(x).sum(), params={'x': x}, show_attrs=True, show_saved=True).source)

# In [27]
print(make_dot((x * x).mean(), params={'x': x}, show_attrs=True, show_saved=True, max_attr_chars=20).source)
