"""A tour of the schedules, each driving a small fit; chained, sequential, saved and loaded."""

import warnings

import torch
import torch.nn as nn
from torch.optim import lr_scheduler as S

torch.manual_seed(0)
x, y = torch.randn(32, 3), torch.randn(32, 1)
TOUR = {
    "LambdaLR": lambda o: S.LambdaLR(o, lr_lambda=[lambda e: 0.95**e, lambda e: 1 / (1 + e)]),
    "MultiplicativeLR": lambda o: S.MultiplicativeLR(o, lr_lambda=lambda e: 0.9),
    "StepLR": lambda o: S.StepLR(o, step_size=2, gamma=0.3),
    "MultiStepLR": lambda o: S.MultiStepLR(o, milestones=[2, 4, 4], gamma=0.5),
    "ConstantLR": lambda o: S.ConstantLR(o, factor=0.25, total_iters=3),
    "LinearLR": lambda o: S.LinearLR(o, start_factor=0.2, total_iters=4),
    "ExponentialLR": lambda o: S.ExponentialLR(o, gamma=0.8),
    "PolynomialLR": lambda o: S.PolynomialLR(o, total_iters=5, power=2.0),
    "CosineAnnealingLR": lambda o: S.CosineAnnealingLR(o, T_max=4, eta_min=1e-3),
    "Warm restarts": lambda o: S.CosineAnnealingWarmRestarts(o, T_0=2, T_mult=2),
    "CyclicLR": lambda o: S.CyclicLR(o, 0.01, max_lr=0.1, step_size_up=2, mode="triangular2"),
    "OneCycleLR": lambda o: S.OneCycleLR(o, max_lr=0.2, steps_per_epoch=2, epochs=3,
                                         anneal_strategy="linear", three_phase=True),
    "Sequential": lambda o: S.SequentialLR(
        o, [S.LinearLR(o, 0.1, total_iters=2), S.CosineAnnealingLR(o, T_max=4)], milestones=[2]),
    "Chained": lambda o: S.ChainedScheduler(
        [S.ConstantLR(o, factor=0.1, total_iters=2), S.ExponentialLR(o, gamma=0.9)], optimizer=o),
    "Plateau": lambda o: S.ReduceLROnPlateau(o, "min", patience=0, factor=0.5, threshold=0.05),
}


def build():
    model = nn.Sequential(nn.Linear(3, 6), nn.Softplus(), nn.Linear(6, 1))
    groups = [{"params": model[0].parameters(), "lr": 0.1}, {"params": model[2].parameters()}]
    return model, torch.optim.SGD(groups, lr=0.05, momentum=0.9)


for name, make in TOUR.items():
    torch.manual_seed(1)
    model, optimizer = build()
    scheduler = make(optimizer)
    for step in range(6):
        loss = nn.functional.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step(loss.item()) if name == "Plateau" else scheduler.step()
        print(f"{name} {step} {loss.item():.5f}", [f"{v:.6f}" for v in scheduler.get_last_lr()])
    print(sorted(k for k in scheduler.state_dict() if not k.startswith("_")))

model, optimizer = build()  # saved in the middle
scheduler = S.OneCycleLR(optimizer, max_lr=0.1, total_steps=8)
for _ in range(3):
    optimizer.step()
    scheduler.step()
state, after = (optimizer.state_dict(), scheduler.state_dict()), []
for other in (scheduler, None):
    if other is None:
        model, optimizer = build()
        other = S.OneCycleLR(optimizer, max_lr=0.1, total_steps=8)
        optimizer.load_state_dict(state[0])
        other.load_state_dict(state[1])
    for _ in range(3):
        optimizer.step()
        other.step()
    after.append(other.get_last_lr())
print(after, after[0] == after[1])
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    model, optimizer = build()
    scheduler = S.StepLR(optimizer, 1)
    scheduler.step()
    optimizer.step()
    scheduler.step(3)
for w in caught:
    print(w.category.__name__, str(w.message)[:60])
try:
    for _ in range(9):
        optimizer.step()
        other.step()
except ValueError as error:
    print(error)
