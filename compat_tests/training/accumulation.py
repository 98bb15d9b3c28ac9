"""Gradient accumulation over micro-batches, clipping by norm and by value."""

import torch
import torch.nn as nn

torch.manual_seed(0)
x, y = torch.randn(48, 5), torch.randn(48, 2)
accumulation_steps = 4


def build():
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(5, 10), nn.SiLU(), nn.Linear(10, 2))


model, whole = build(), build()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
full = torch.optim.SGD(whole.parameters(), lr=0.1, momentum=0.9)
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.3, total_steps=13)
criterion = nn.MSELoss()
optimizer.zero_grad()
for i in range(48):
    at = i % accumulation_steps
    inputs, targets = x[at * 12:at * 12 + 12], y[at * 12:at * 12 + 12]
    loss = criterion(model(inputs), targets) / accumulation_steps
    loss.backward()
    if (i + 1) % accumulation_steps == 0:
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        after = torch.nn.utils.get_total_norm([p.grad for p in model.parameters()])
        rate, momentum = optimizer.param_groups[0]["lr"], optimizer.param_groups[0]["momentum"]
        full.param_groups[0].update(lr=rate, momentum=momentum)
        full.zero_grad()
        criterion(whole(x), y).backward()
        torch.nn.utils.clip_grad_norm_(whole.parameters(), 0.5, norm_type=2.0, foreach=False)
        optimizer.step()
        full.step()
        optimizer.zero_grad()
        scheduler.step()
        close = all(torch.allclose(a, b, atol=1e-5)
                    for a, b in zip(model.parameters(), whole.parameters()))
        print(f"  step {i // 4}: norm {norm.item():.5f} -> {after.item():.5f} lr {rate:.5f} "
              f"momentum {momentum:.5f} as the full batch: {close}")
    print(f"{i} {loss.item() * accumulation_steps:.6f}")

model.zero_grad()
(model(x) * 100).sum().backward()
nn.utils.clip_grad_value_(model.parameters(), clip_value=0.25)
print(max(p.grad.abs().max().item() for p in model.parameters()))
handles = [p.register_hook(lambda g: g.clamp(-0.1, 0.1)) for p in model.parameters()]
model.zero_grad()
(model(x) * 100).sum().backward()
print([f"{p.grad.abs().max().item():.4f}" for p in model.parameters()])
for handle in handles:
    handle.remove()
model.zero_grad()
model(x).sum().backward()
print(torch.nn.utils.clip_grad_norm_(model[0].weight, 1.0, norm_type=float("inf")))
try:
    model[0].bias.grad[0] = float("nan")
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0, error_if_nonfinite=True)
except RuntimeError as error:
    print(error)
