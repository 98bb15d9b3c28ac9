"""Averaged weights: SWA with its schedule and update_bn, EMA, swapping the averages in and out."""

import torch
import torch.nn as nn
from torch.optim.swa_utils import SWALR, AveragedModel, get_ema_multi_avg_fn, update_bn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(96, 6)
y = (x[:, :2].prod(1) > 0).float()
loader = DataLoader(TensorDataset(x, y), batch_size=24, shuffle=True, drop_last=True)
model = nn.Sequential(nn.Linear(6, 12), nn.BatchNorm1d(12), nn.Hardswish(), nn.Linear(12, 1))
swa_model = AveragedModel(model)
ema_model = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.9), use_buffers=True)
optimizer = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.9, nesterov=True)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=10)
swa_scheduler = SWALR(optimizer, anneal_strategy="linear", anneal_epochs=3, swa_lr=0.05)
criterion = nn.BCEWithLogitsLoss(pos_weight=torch.tensor(1.2))


def evaluate(net):
    net.eval()
    with torch.no_grad():
        return criterion(net(x).squeeze(1), y).item()


for epoch in range(14):
    model.train()
    total = 0.0
    for a, b in loader:
        optimizer.zero_grad()
        loss = criterion(model(a).squeeze(-1), b)
        loss.backward()
        optimizer.step()
        ema_model.update_parameters(model)
        total += loss.item()
    if epoch >= 6:
        swa_model.update_parameters(model)
        swa_scheduler.step()
    else:
        scheduler.step()
    print(f"{epoch}: {total / len(loader):.5f} lr {optimizer.param_groups[0]['lr']:.5f} "
          f"model {evaluate(model):.5f} ema {evaluate(ema_model):.5f} "
          f"averaged {swa_model.n_averaged}")

print(f"swa before update_bn {evaluate(swa_model):.5f}")
update_bn(loader, swa_model)
print(f"swa after update_bn {evaluate(swa_model):.5f}")
print(list(swa_model.state_dict()))


class EMA:
    """The usual hand-written shadow copy."""

    def __init__(self, model, decay):
        self.decay, self.model = decay, model
        self.shadow = {n: p.data.clone() for n, p in model.named_parameters() if p.requires_grad}

    @torch.no_grad()
    def update(self):
        for n, p in self.model.named_parameters():
            self.shadow[n].mul_(self.decay).add_(p.data, alpha=1 - self.decay)

    def swap(self):
        for n, p in self.model.named_parameters():
            p.data, self.shadow[n] = self.shadow[n], p.data


ema = EMA(model, 0.8)
for a, b in loader:
    optimizer.zero_grad()
    criterion(model(a).squeeze(-1), b).backward()
    optimizer.step()
    ema.update()
print(f"raw {evaluate(model):.5f}")
ema.swap()
print(f"averaged {evaluate(model):.5f}")
ema.swap()
print(f"raw again {evaluate(model):.5f}")
