"""A long run that must not grow: `python scripts/soak.py --minutes 60`.

Random shapes, models and optimizers, exceptions thrown midway, captured steps and two threads at
once. Prints resident memory and the sizes of the bounded caches; exits with 1 if memory in the last
quarter is more than 5 % and 20 MiB above the second quarter's.
"""

import argparse
import random
import statistics
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torchlike as torch  # noqa: E402
from torchlike.core import run  # noqa: E402

nn, F = torch.nn, torch.nn.functional


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def train_a_little(rng: random.Random) -> None:
    """A new small net on new shapes, for a few steps."""
    width, batch = rng.randrange(4, 40), rng.randrange(1, 40)
    net = nn.Sequential(nn.Linear(8, width), rng.choice([nn.ReLU, nn.Tanh])(), nn.Linear(width, 3))
    make = rng.choice([torch.optim.SGD, torch.optim.Adam, torch.optim.RMSprop])
    optimizer = make(net.parameters(), lr=0.01)
    x, y = torch.randn(batch, 8), torch.randint(3, (batch,))

    def step():
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        return loss

    body = torch.jit(step) if rng.random() < 0.1 else step
    for _ in range(rng.randrange(1, 8)):
        body().item()


def fail_midway(rng: random.Random) -> None:
    """Errors of shape, of value and of the user's, each with work pending."""
    x = torch.randn(rng.randrange(5, 30), 4, requires_grad=True)
    y = (x * 2).relu()
    for wrong in (lambda: y @ y, lambda: F.embedding(torch.tensor([9]), x[:2]), lambda: 1 / 0):
        try:
            wrong()
        except (RuntimeError, IndexError, ZeroDivisionError):
            continue
        raise AssertionError("no error")
    y.sum().backward()


def work(seed: int, until: float) -> None:
    rng = random.Random(seed)
    while time.monotonic() < until:
        rng.choices([train_a_little, fail_midway], [3, 1])[0](rng)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60)
    seconds = parser.parse_args().minutes * 60
    until = time.monotonic() + seconds
    workers = [threading.Thread(target=work, args=(seed, until)) for seed in (1, 2)]
    for worker in workers:
        worker.start()
    seen = []
    while any(worker.is_alive() for worker in workers):
        time.sleep(seconds / 40)
        seen.append(resident_mib())
        print(f"{seen[-1]:8.1f} MiB, {len(run.windows)} windows in {len(run.families)} families, "
              f"{run.stats.compiled} programs built, {run.stats.windows} windows run", flush=True)
    early, late = (statistics.median(seen[a:b]) for a, b in ((10, 20), (30, 40)))
    print(f"second quarter {early:.1f} MiB, last quarter {late:.1f} MiB")
    return int(late > early * 1.05 and late > early + 20)


if __name__ == "__main__":
    sys.exit(main())
