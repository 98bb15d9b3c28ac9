# Views made in no_grad, tensors turned in place, and who is named when a write is refused.

# In [a view made in no_grad of what wants a gradient leads nowhere]
x = torch.ones(3, requires_grad=True)
with torch.no_grad():
    y = x[1:]
z = y * torch.ones(2)
print(y.requires_grad, y.is_leaf, y.grad_fn)
print(z.requires_grad, z.grad_fn.name(), z.grad_fn.next_functions)
print(torch.autograd.grad(z.sum(), [y], allow_unused=True))
w = torch.ones(2, requires_grad=True)
(y * w).sum().backward()
print(w.grad, y.grad, x.grad, y[0])
for call in [
    lambda: torch.autograd.grad((y * w).sum(), [y]),
    lambda: y.numpy(),
    lambda: y.add_(1),
    lambda: y.copy_(torch.ones(7)),
]:
    try:
        call()
    except RuntimeError as error:
        print(error)

# In [that a view lost its history is said before wrong arguments]
x = torch.ones(3, requires_grad=True) * 1
with torch.no_grad():
    y = x[1:]
x.add_(1)
a = torch.ones(2, 3, requires_grad=True) * 1
p, q = a.split(1)
a.mul_(2)
for call in [
    lambda: y.diagonal(0, 0, 5),
    lambda: y.view(7),
    lambda: y.sum(4),
    lambda: y.add(torch.ones(7)),
    lambda: torch.ones(1, 2).__setitem__(0, torch.ones(3, 3) if y is None else y.new_zeros(3)),
    lambda: torch.ones(4).__setitem__(0, p),
    lambda: p.sum(8),
]:
    try:
        call()
    except (RuntimeError, IndexError) as error:
        print(type(error).__name__, error)

# In [a write from what wants a gradient into a part]
x = torch.ones(2, 3)
p, q = x.split(1)
p.add_(1)
print(x)
p.copy_(torch.ones(2, 3, requires_grad=True))

# In [leaves can't be turned in place]
l = torch.ones(2, 3, requires_grad=True)
for call in [
    lambda: l.t_(), lambda: l.view(-1).t_(), lambda: l[0].unsqueeze_(0), lambda: l.squeeze_(9),
    lambda: l[0].swapaxes_(0, 5), lambda: l.as_strided_((1,), (1,)), lambda: l.set_(l),
]:
    try:
        call()
    except (RuntimeError, IndexError) as error:
        print(type(error).__name__, error)

# In [a saved tensor turned in place]
for turn in [
    lambda x: x.t_(), lambda x: x.unsqueeze_(0), lambda x: x.squeeze_(0), lambda x: x.t_().mul_(2),
    lambda x: x.mul_(2).t_(), lambda x: x.view(-1).t_(), lambda x: x.as_strided_((2,), (1,)),
]:
    x = torch.ones(2, 3, requires_grad=True) * 1
    z = x * x
    y = turn(x)
    w = y * y
    y.add_(1)
    for out in (z, w):
        try:
            out.sum().backward()
        except RuntimeError as error:
            print(error)

# In [indices out of range, the first one is named]
for call in [
    lambda: torch.ones(3)[[0, 5, 9, -7]], lambda: torch.ones(0, 3)[[0, -1]],
    lambda: torch.ones(2, 0)[:, torch.tensor([5])], lambda: torch.ones(2, 0)[torch.tensor([5])],
    lambda: torch.ones(0, 3)[[]],
]:
    try:
        print(call())
    except IndexError as error:
        print(error)
