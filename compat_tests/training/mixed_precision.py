"""Automatic mixed precision on the CPU: autocast to bfloat16, GradScaler, unscale and clip."""

import torch
import torch.nn as nn

torch.manual_seed(0)
x, y = torch.randn(64, 12), torch.randint(4, (64,))


def build():
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(12, 24), nn.LayerNorm(24), nn.GELU(), nn.Linear(24, 24),
                         nn.ReLU(), nn.Linear(24, 4))


def train(use_amp):
    net, losses = build(), []
    opt = torch.optim.AdamW(net.parameters(), lr=1e-2)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**8, growth_interval=10, enabled=use_amp)
    for epoch in range(30):
        with torch.autocast(device_type="cpu", dtype=torch.bfloat16, enabled=use_amp):
            output = net(x)
            loss = nn.functional.cross_entropy(output, y)
        if epoch == 0:
            print(output.dtype, loss.dtype, net[0].weight.dtype)
        scaler.scale(loss).backward()
        scaler.unscale_(opt)
        norm = nn.utils.clip_grad_norm_(net.parameters(), max_norm=0.5)
        scaler.step(opt)
        scaler.update()
        opt.zero_grad()
        losses.append((loss.item(), norm.item(), scaler.get_scale()))
    return net, opt, scaler, losses


*_, plain = train(use_amp=False)
net, opt, scaler, mixed = train(use_amp=True)
for epoch, ((want, norm, _), (got, _, scale)) in enumerate(zip(plain, mixed)):
    print(f"{epoch} loss {want:.4f} norm {norm:.4f} "
          f"bfloat16 as near: {abs(got - want) < 0.03 * want} scale {scale:.0f}")

# an overflow: the step is left out and the scale is halved
before = net[0].weight.detach().clone()
with torch.autocast("cpu", dtype=torch.bfloat16):
    loss = net(x).float().sum() * float("inf")
scaler.scale(loss).backward()
scaler.step(opt)
scaler.update()
print("left out:", torch.equal(before, net[0].weight), scaler.get_scale())
print(sorted(scaler.state_dict()))
opt.zero_grad()

with torch.autocast("cpu", enabled=False):
    print(net(x).dtype, torch.is_autocast_enabled("cpu"))
with torch.autocast("cpu"):
    a = torch.mm(x, x.t())
    print(a.dtype, a.softmax(-1).dtype, (a + x @ x.t()).dtype, torch.get_autocast_dtype("cpu"))
    with torch.autocast("cpu", enabled=False):
        print(torch.mm(a.float(), a.float()).dtype)

half, single = nn.Linear(12, 4).bfloat16(), nn.Linear(12, 4)  # bfloat16 throughout, weights too
single.load_state_dict(half.state_dict())
for i in range(20):
    found = []
    for layer in (single, half):
        loss = nn.functional.cross_entropy(layer(x.to(layer.weight.dtype)).float(), y)
        layer.zero_grad()
        loss.backward()
        torch.optim.SGD(layer.parameters(), lr=0.05).step()
        found.append(loss.item())
    print(f"{i} {found[0]:.4f} bfloat16 as near: {abs(found[1] - found[0]) < 0.02 * found[0]}")
print(half.weight.dtype, half.weight.grad.dtype)
