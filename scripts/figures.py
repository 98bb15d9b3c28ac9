"""Measures torchlike beside real torch in one run: `python scripts/figures.py --torch-python PATH`.

PATH is a Python with torch 2.13. Each figure runs in fresh processes, torchlike and torch by turns,
and shows the medians and their ratio; a limit, where there is one, is that of the project's goals.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

START = """
import sys, time
from pathlib import Path
ROOT = Path({root!r})
sys.path.insert(0, {root!r})
began = time.perf_counter()
{load}
loaded = time.perf_counter()
def best(block, rounds=9):
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        count = block()
        times.append((time.perf_counter() - start) / count)
    return sorted(times)[rounds // 2]
"""
LOADS = {
    "torchlike": "import torchlike\ntorchlike.install()\nimport torch",
    "torch": "import torch",
}

IMPORT = "print(loaded - began)"

NOTEBOOK = """
from compat_tests import transcript
transcript.run_notebook(ROOT / "compat_tests/seeds/000.py", torch)
print(time.perf_counter() - began)
"""

RECORD = """
x, y = torch.ones(3), torch.ones(3)
def block():
    z = y
    for _ in range(100):
        z = x + z
    return 100
def timed():
    start = time.perf_counter()
    block()
    spent = time.perf_counter() - start
    torch.ones(1).item()            # outside the clock: what was recorded is run
    return spent / 100
[timed() for _ in range(200)]
print(sorted(timed() for _ in range(200))[100])
"""

RECORD_GRAD = RECORD.replace("x, y = torch.ones(3),", "x, y = torch.ones(3, requires_grad=True),")

TUTORIAL = """
def step():
    x = torch.ones(2, 2, requires_grad=True)
    y = x + 2
    z = y * y * 3
    out = z.mean()
    out.backward()
    return x.grad.tolist()
def block():
    for _ in range(100):
        step()
    return 100
block()
print(best(block))
"""

ADAM = """
torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Linear(10, 32), torch.nn.ReLU(), torch.nn.Linear(32, 1))
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
data, target = torch.randn(64, 10), torch.randn(64, 1)
def block():
    for _ in range(100):
        opt.zero_grad()
        loss = torch.nn.functional.mse_loss(net(data), target)
        loss.backward()
        opt.step()
    loss.item()
    return 100
block()
print(best(block, 5))
"""

TWO_LAYERS = """
from compat_tests import transcript
code = transcript.cells(ROOT / "compat_tests/seeds/003.py")
names = {}
exec(code["1"], names)
exec(code["2"].replace("print(t, loss.item())", "loss.item()").replace("print(", "str("), names)
print(time.perf_counter() - began)
"""

GROWTH = """
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 2**20
net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.01)
data, target = torch.randn(16, 4), torch.randn(16, 1)
def train(steps):
    for _ in range(steps):
        opt.zero_grad()
        torch.nn.functional.mse_loss(net(data), target).backward()
        opt.step()
train(1000)
before = resident()
train(10000)
print(resident() - before)
"""


@dataclass(frozen=True)
class Figure:
    """A thing to measure: its code prints one number."""

    name: str
    unit: str
    scale: float
    code: str
    rounds: int = 5
    ratio: float | None = None      # at most this many times torch's
    limit: float | None = None      # at most this, in the unit
    warm: bool = True               # the compile cache is kept between rounds


FIGURES = [
    Figure("import", "ms", 1e3, IMPORT, 7, ratio=0.6),
    Figure("first notebook, nothing compiled yet", "s", 1, NOTEBOOK, 5, warm=False),
    Figure("one small op", "µs", 1e6, RECORD, 5, ratio=2.5, limit=3.0),
    Figure("one small op, with grad", "µs", 1e6, RECORD_GRAD, 5),
    Figure("tutorial forward and backward", "µs", 1e6, TUTORIAL, 5, ratio=1.5),
    Figure("small net, Adam step", "µs", 1e6, ADAM, 3),
    Figure("two-layer net, 500 iterations, cold", "s", 1, TWO_LAYERS, 3, warm=False),
    Figure("two-layer net, 500 iterations, cached", "s", 1, TWO_LAYERS, 3),
    Figure("growth over 10,000 iterations", "MiB", 1, GROWTH, 1),
]


def measure(python: str, library: str, figure: Figure, cache: str) -> float:
    """One fresh process; what its code prints."""
    source = START.format(root=str(ROOT), load=LOADS[library]) + figure.code
    environment = {**os.environ, "XDG_CACHE_HOME": cache, "PYTHONHASHSEED": "0"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)    # an installed package has its bytecode
    done = subprocess.run([python, "-W", "ignore", "-c", source], env=environment, cwd=cache,
                          capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{figure.name} on {library} failed:\n{done.stderr[-2000:]}")
    return float(done.stdout.split()[-1]) * figure.scale


def compare(figure: Figure, pythons: dict, cache: str) -> dict:
    """The medians of both libraries, measured by turns."""
    times = {library: [] for library in pythons}
    if figure.warm:
        measure(pythons["torchlike"], "torchlike", figure, cache)
    for _ in range(figure.rounds):
        for library, python in pythons.items():
            with tempfile.TemporaryDirectory() as empty:
                where = cache if figure.warm else empty
                times[library].append(measure(python, library, figure, where))
    return {library: statistics.median(values) for library, values in times.items()}


def verdict(figure: Figure, ours: float, theirs: float) -> str:
    """Within the limits, over them, or no limit set."""
    over = [f"{what} > {limit:g}" for what, value, limit in
            [("ratio", ours / theirs, figure.ratio), (figure.unit, ours, figure.limit)]
            if limit is not None and value > limit]
    limits = [f"≤ {figure.ratio:g}x" if figure.ratio else "",
              f"≤ {figure.limit:g} {figure.unit}" if figure.limit else ""]
    said = " and ".join(filter(None, limits))
    return f"{said}: {'over, ' + ', '.join(over) if over else 'met'}" if said else ""


def main() -> None:
    """Measure what is asked for, a line each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--torch-python", required=True, help="a Python that has torch 2.13")
    parser.add_argument("--only", default="", help="figures whose name contains this")
    args = parser.parse_args()
    pythons = {"torchlike": sys.executable, "torch": args.torch_python}
    print(f"{'':42}{'torchlike':>10}{'torch':>10}{'ratio':>8}")
    with tempfile.TemporaryDirectory() as cache:
        for figure in FIGURES:
            if args.only in figure.name:
                found = compare(figure, pythons, cache)
                ours, theirs = found["torchlike"], found["torch"]
                ratio = f"{ours / theirs:8.2f}" if theirs > 0.05 else f"{'':8}"
                print(f"{figure.name + ', ' + figure.unit:42}{ours:10.3g}{theirs:10.3g}{ratio}  "
                      f"{verdict(figure, ours, theirs)}", flush=True)


if __name__ == "__main__":
    main()
