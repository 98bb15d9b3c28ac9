# Memory that processes share.

# In [share_memory_]
t = torch.arange(6.0).reshape(2, 3)
v = t[1]
print(t.is_shared(), v.is_shared(), t.share_memory_() is t, t.is_shared(), v.is_shared(), t.untyped_storage().is_shared())
t.add_(1)
v[0] = 9
print(t, v, t.numpy(), (t * 2).is_shared(), t.clone().is_shared(), t.t().is_shared())
t.numpy()[0, 0] = 5
print(t, t.t()[0])
p = nn.Parameter(torch.ones(2, requires_grad=True)).share_memory_()
(p * 3).sum().backward()
torch.optim.SGD([p], lr=0.1).step()
print(p, p.is_shared(), p.grad.is_shared())
c = torch.ones(1, 2, 2, 2).to(memory_format=torch.channels_last).share_memory_()
print(c.stride(), c.is_shared(), torch.empty(0).share_memory_().is_shared(), torch.tensor(3).share_memory_())
for dtype in (torch.bfloat16, torch.bool, torch.complex64):
    print(torch.ones(2, dtype=dtype).share_memory_())
m = nn.Linear(2, 2)
print(m.share_memory() is m, m.weight.is_shared(), m.bias.is_shared())
s = torch.ones(2).untyped_storage()
print(s.share_memory_() is s, s.is_shared())

# In [pickling for another process]
import multiprocessing.reduction as R
import pickle
import torch.multiprocessing as mp
mp.Queue, mp.Process, mp.spawn, mp.get_context("spawn").Pool
def there_and_back(x):
    return pickle.loads(R.ForkingPickler.dumps(x))
t = torch.arange(6.0).reshape(2, 3)
u = there_and_back(t)
u[0, 0] = 7
print(t, u, t.is_shared(), u.is_shared())
v = there_and_back(t[:, 1:])
v.zero_()
print(t, v.stride(), v.storage_offset())
a, b = there_and_back([t, t.t()])
a.add_(1)
print(t, b)
p = there_and_back(nn.Parameter(torch.ones(2)))
print(p, there_and_back(torch.ones(2, requires_grad=True)))
try:
    there_and_back(p * 2)
except RuntimeError as error:
    print(error)
model = nn.Linear(2, 1)
other = there_and_back(model)
with torch.no_grad():
    other.weight.fill_(3)
print(model.weight, there_and_back({"x": torch.empty(0, 2), "n": 3}))
print(mp.get_sharing_strategy(), "file_descriptor" in mp.get_all_sharing_strategies(), mp.set_sharing_strategy("file_descriptor"))
try:
    mp.set_sharing_strategy("x")
except AssertionError as error:
    print(str(error)[:30])
