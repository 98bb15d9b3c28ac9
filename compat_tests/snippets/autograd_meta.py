# Tensors without elements: shapes and gradients flow, what depends on elements is refused.

# In [training on meta]
net = torch.nn.Sequential(
    torch.nn.Conv2d(3, 4, 3, padding=1), torch.nn.BatchNorm2d(4), torch.nn.ReLU(),
    torch.nn.MaxPool2d(2), torch.nn.Flatten(), torch.nn.Linear(64, 10)).to("meta")
out = net(torch.empty(2, 3, 8, 8, device="meta"))
print(out)
loss = torch.nn.functional.cross_entropy(out, torch.empty(2, dtype=torch.long, device="meta"))
loss.backward()
print([tuple(p.grad.shape) for p in net.parameters()], net[0].weight.grad.device)
torch.optim.Adam(net.parameters()).step()
layer = torch.nn.TransformerEncoderLayer(8, 2, 16, device="meta")
found = layer(torch.empty(3, 2, 8, device="meta"))
print(found.shape, found.grad_fn.name())
x = torch.empty(2, 3, device="meta", requires_grad=True)
g, = torch.autograd.grad((x * x).sum(), x, create_graph=True)
print(g, torch.autograd.grad(g.sum(), x))

# In [what depends on elements]
m = torch.empty(2, 3, device="meta")
i = torch.empty(3, device="meta", dtype=torch.int64)
s = torch.empty((), device="meta")
for call in [
    lambda: m.nonzero(), lambda: torch.unique(m), lambda: torch.unique(m, dim=0),
    lambda: torch.unique_consecutive(m), lambda: m.masked_select(m.bool()), lambda: m[m.bool()],
    lambda: m.argwhere(), lambda: torch.where(m.bool()), lambda: torch.bincount(i),
    lambda: torch.repeat_interleave(m, i[:2], dim=0), lambda: torch.repeat_interleave(i),
    lambda: s.item(), lambda: bool(s), lambda: int(s), lambda: m.tolist(), lambda: m.numpy(),
    lambda: m.cpu(), lambda: torch.allclose(m, m),
]:
    try:
        print(call())
    except (RuntimeError, TypeError) as error:
        print(type(error).__name__, error)
