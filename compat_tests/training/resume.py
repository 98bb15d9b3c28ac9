"""Checkpoint and resume: model, optimizer, scheduler and generators, bit for bit."""

import os
import random

import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
dataset = TensorDataset(torch.randn(40, 6), torch.randn(40, 1))


def make():
    model = nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3),
                          nn.Linear(16, 1))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, amsgrad=True)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
    return model, optimizer, scheduler


def epochs(model, optimizer, scheduler, first, last, shown=True):
    for epoch in range(first, last):
        model.train()
        total = 0.0
        for a, b in DataLoader(dataset, batch_size=8, shuffle=True):
            noise = random.random() + np.random.rand()
            loss = nn.functional.huber_loss(model(a + 0.01 * noise), b)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        scheduler.step(total)
        if shown:
            print(f"epoch {epoch} loss {total:.6f} lr {scheduler.get_last_lr()[0]:.6f}")


def save(path, epoch, model, optimizer, scheduler):
    torch.save({"epoch": epoch, "model": model.state_dict(), "optimizer": optimizer.state_dict(),
                "scheduler": scheduler.state_dict(), "rng": torch.get_rng_state(),
                "numpy": np.random.get_state()[1].tolist(), "python": random.getstate()}, path)


def load(path, model, optimizer, scheduler):
    checkpoint = torch.load(path, weights_only=True)
    model.load_state_dict(checkpoint["model"])
    optimizer.load_state_dict(checkpoint["optimizer"])
    scheduler.load_state_dict(checkpoint["scheduler"])
    torch.set_rng_state(checkpoint["rng"])
    state = list(np.random.get_state())
    state[1] = np.array(checkpoint["numpy"], dtype=np.uint32)
    np.random.set_state(tuple(state))
    random.setstate(checkpoint["python"])
    return checkpoint["epoch"]


random.seed(0)
np.random.seed(0)
torch.manual_seed(1)
straight = make()
epochs(*straight, 0, 5)
save("checkpoint.pt", 5, *straight)
numpy_at = np.random.get_state()[2]
epochs(*straight, 5, 10)

torch.manual_seed(99)  # another process would start elsewhere
resumed = make()
epochs(*resumed, 0, 1, shown=False)
first = load("checkpoint.pt", *resumed)
state = list(np.random.get_state())
state[2] = numpy_at
np.random.set_state(tuple(state))
epochs(*resumed, first, 10)
same = [torch.equal(a, b) for a, b in zip(straight[0].state_dict().values(),
                                          resumed[0].state_dict().values())]
print("bit for bit:", same)
for a, b in zip(*(run[1].state_dict()["state"].values() for run in (straight, resumed))):
    print(sorted(a), all(torch.equal(a[k], b[k]) for k in a))
print("generators:", torch.equal(torch.get_rng_state(), torch.get_rng_state()), torch.rand(2))
torch.save(straight[0], "model.pt")
whole = torch.load("model.pt", weights_only=False)
print(type(whole).__name__, torch.equal(whole[0].weight, straight[0][0].weight))
print(sorted(os.listdir()))
try:
    resumed[0].load_state_dict({"0.weight": torch.zeros(2, 2)})
except RuntimeError as error:
    print(error)
