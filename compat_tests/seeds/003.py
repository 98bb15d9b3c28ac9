# In [1]
"""
네트워크 구성
"""

# N : batch size
# H : hidden layer의 차원
# D_in : 입력의 차원
# D_out : 출력의 차원
N, H, D_in, D_out = 64, 100, 1000, 10

# learning rate
lr = 1e-6

# In [2]
import torch

device = "cuda" if torch.cuda.is_available() else "cpu"

x = torch.randn(N, D_in, device=device, dtype=torch.float)
y = torch.randn(N, D_out, device=device, dtype=torch.float)

# gradient를 계산해야하므로, requires_grad=True
w1 = torch.randn(D_in, H, device=device, dtype=torch.float, requires_grad=True)
w2 = torch.randn(H, D_out, device=device, dtype=torch.float, requires_grad=True)

for t in range(500):
    # Forward pass
    # 중간의 값들을 가지고 있을 필요가 없음
    y_pred = x.mm(w1).clamp(min=0).mm(w2)
    
    # Loss
    loss = (y_pred - y).pow(2).sum()
    if t % 10 == 0:
        print(t, loss.item())
    
    # Backprop
    loss.backward()
    
    # Update
    with torch.no_grad():
        # 가중치들에 대해서는 추적할 필요가 없으므로, torch.no_grad()로 감쌌음
        w1 -= lr * w1.grad
        w2 -= lr * w2.grad
        
        # gradient 계산 후, 0으로 비워주기
        w1.grad.zero_()
        w2.grad.zero_()


print("")
print((y_pred - y).sum().item())

# In [3]
import torch

class MyReLU(torch.autograd.Function):
    
    @staticmethod
    def forward(ctx, input):
        # ctx : context object를 의미
        # ctx.save_for_backward()로 backward()에서 사용할 정보 저장(cache)
        
        ctx.save_for_backward(input)
        return input.clamp(min=0)
    
    @staticmethod
    def backward(ctx, grad_output):
        # ctx.saved_tensors로 forward()에서 저장한 정보를 가져올 수 있음
        input, = ctx.saved_tensors
        grad_input = grad_output.clone()
        grad_input[input < 0] = 0
        return grad_input

# In [4]
import torch

device = "cuda" if torch.cuda.is_available() else "cpu"

x = torch.randn(N, D_in, device=device, dtype=torch.float)
y = torch.randn(N, D_out, device=device, dtype=torch.float)

w1 = torch.randn(D_in, H, device=device, dtype=torch.float, requires_grad=True)
w2 = torch.randn(H, D_out, device=device, dtype=torch.float, requires_grad=True)

for t in range(500):
    # Function.apply를 통해 사용자 정의 Function을 적용
    relu = MyReLU.apply
    
    # Forward pass
    y_pred = relu(x.mm(w1)).mm(w2) # 사용자 정의 Function인 relu 사용
    
    # Loss
    loss = (y_pred - y).pow(2).sum()
    if t % 10 == 0:
        print(t, loss.item())
    
    # Backprop
    loss.backward()
    
    # Update
    with torch.no_grad():
        w1 -= lr * w1.grad
        w2 -= lr * w2.grad
        
        w1.grad.zero_()
        w2.grad.zero_()


print("")
print((y_pred - y).sum().item())
