"""Hot families of ops beside real torch: `python scripts/forms.py --torch-python PATH [WORD …]`.

PATH is a Python with torch 2.13. Each row is one call at one size: the warm forward, and forward
with backward, through the public API in torch eager and in torchlike, by turns and with the same
number of threads. Prints medians in µs and the ratio torch / torchlike: above 1 is faster than
torch. WORDs pick the rows whose call contains one of them. On a machine that others use, take
--busy: each side keeps to one core, and what counts is its processor time.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROUND = 0.06  # seconds a round should last
WARM_UP = 40  # rounds of three calls before measuring: a window is compiled in the background

# The call, then its arguments a, b, c, …: a shape is floats with a gradient, (n, *shape) with n
# negative are indices below -n.
ROWS = [
    ("F.linear(a, b, c)", (12, 64, 128), (512, 128), (512,)),
    ("F.linear(a, b, c)", (32, 128, 256), (256, 256), (256,)),
    ("F.linear(a, b, c)", (64, 784), (256, 784), (256,)),
    ("a @ b", (12, 4, 64, 32), (12, 4, 32, 64)),
    ("F.conv2d(a, b, c)", (64, 1, 28, 28), (32, 1, 3, 3), (32,)),
    ("F.conv2d(a, b, c)", (64, 32, 26, 26), (64, 32, 3, 3), (64,)),
    ("F.conv2d(a, b, c, padding=1)", (16, 64, 32, 32), (64, 64, 3, 3), (64,)),
    ("F.conv2d(a, b, None, 2, 1)", (16, 64, 32, 32), (128, 64, 3, 3)),
    ("F.conv2d(a, b)", (16, 64, 16, 16), (256, 64, 1, 1)),
    ("F.conv2d(a, b, None, 2)", (16, 64, 32, 32), (128, 64, 1, 1)),
    ("F.conv2d(a, b, None, 1, 1, 1, 64)", (16, 64, 32, 32), (64, 1, 3, 3)),
    ("F.conv2d(a, b, None, 1, 1, 1, 4)", (16, 64, 32, 32), (64, 16, 3, 3)),
    ("F.conv2d(a, b, None, 1, 2, 2)", (16, 32, 32, 32), (32, 32, 3, 3)),
    ("F.conv1d(a, b, c, padding=1)", (32, 64, 128), (64, 64, 3), (64,)),
    ("F.conv3d(a, b, c, padding=1)", (4, 8, 16, 16, 16), (16, 8, 3, 3, 3), (16,)),
    ("F.conv_transpose2d(a, b, None, 2, 1)", (16, 64, 8, 8), (64, 32, 4, 4)),
    ("F.max_pool2d(a, 2)", (64, 32, 24, 24)),
    ("F.max_pool2d(a, 3, 2, 1)", (16, 64, 32, 32)),
    ("F.avg_pool2d(a, 2)", (64, 32, 24, 24)),
    ("F.adaptive_avg_pool2d(a, 1)", (16, 128, 8, 8)),
    ("F.adaptive_max_pool2d(a, 4)", (16, 64, 16, 16)),
    ("F.scaled_dot_product_attention(a, b, c, is_causal=True)", *[(12, 4, 64, 32)] * 3),
    ("F.scaled_dot_product_attention(a, b, c)", *[(4, 8, 128, 64)] * 3),
    ("F.layer_norm(a, (128,), b, c)", (12, 64, 128), (128,), (128,)),
    ("F.layer_norm(a, (256,), b, c)", (32, 128, 256), (256,), (256,)),
    ("F.batch_norm(a, None, None, b, c, True)", (64, 32, 26, 26), (32,), (32,)),
    ("F.group_norm(a, 8, b, c)", (16, 64, 16, 16), (64,), (64,)),
    ("F.softmax(a, -1)", (12, 4, 64, 64)),
    ("F.log_softmax(a, -1)", (64, 1000)),
    ("F.cross_entropy(a, b)", (768, 65), (-65, 768)),
    ("F.cross_entropy(a, b)", (64, 1000), (-1000, 64)),
    ("F.embedding(b, a)", (65, 128), (-65, 12, 64)),
    ("F.embedding(b, a)", (10000, 256), (-10000, 32, 64)),
    ("F.gelu(a)", (12, 64, 512)),
    ("F.gelu(a)", (1000, 1000)),
    ("F.gelu(a, approximate='tanh')", (1000, 1000)),
    ("F.silu(a)", (1000, 1000)),
    ("torch.tanh(a)", (1000, 1000)),
    ("torch.cat([a, b, c], 1)", (64, 256), (64, 256), (64, 256)),
    ("torch.cat(a.split(32, 1)[::-1], 1)", (256, 256)),
    ("a.transpose(1, 2).contiguous()", (12, 64, 4, 32)),
    ("torch._VF.lstm(a, (h, h), m, True, 1, 0.0, True, False, True)[0]", (32, 64, 64)),
    ("torch._VF.gru(a, h, m, True, 1, 0.0, True, False, True)[0]", (32, 64, 64)),
]


# ----- one side: a process that answers requests -----
def case(torch, index):
    """(the call, its inputs that want a gradient)."""
    call, *given = ROWS[index]
    torch.manual_seed(0)
    names = {"torch": torch, "F": torch.nn.functional}
    for letter, shape in zip("abcdefg", given):
        if shape[0] < 0:
            names[letter] = torch.randint(-shape[0], shape[1:])
        else:
            names[letter] = torch.randn(*shape).requires_grad_()
    if "_VF" in call:  # a recurrent layer of 128
        layer = (torch.nn.LSTM if "lstm" in call else torch.nn.GRU)(64, 128, batch_first=True)
        names["layer"], call = layer, "layer(a)[0]"
    leaves = [t for t in names.values() if isinstance(t, torch.Tensor) and t.requires_grad]
    leaves += list(names["layer"].parameters()) if "layer" in names else []
    return eval(f"lambda: {call}", names), leaves


def forward(torch, call, leaves):
    with torch.no_grad():
        y = call()
        return y, y.reshape(-1)[0].item()  # y is held: all of it must be computed


def backward(torch, call, leaves):
    for leaf in leaves:
        leaf.grad = None
    y = call()
    y.backward(backward.gradients.setdefault(y.shape, torch.ones(y.shape)))
    return leaves[0].grad.reshape(-1)[0].item()


backward.gradients = {}


def serve(kind: str, busy: bool) -> None:
    """Answer lines of (row, direction, calls) with seconds per call."""
    if busy:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    clock = time.process_time if busy else time.perf_counter
    torch = __import__(kind)
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    ready = {}
    for line in sys.stdin:
        index, direction, calls = json.loads(line)
        if index not in ready:
            ready = {index: case(torch, index)}
            backward.gradients = {}
        run = forward if direction == "forward" else backward
        start = clock()
        for _ in range(calls):
            run(torch, *ready[index])
        print(json.dumps((clock() - start) / calls), flush=True)


# ----- both sides by turns -----
class Side:
    """A process that measures."""

    def __init__(self, python: str, kind: str, options: list[str]) -> None:
        self.process = subprocess.Popen(
            [python, "-W", "ignore", __file__, "--serve", kind, *options], cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def ask(self, index: int, direction: str, calls: int) -> float:
        self.process.stdin.write(json.dumps((index, direction, calls)) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{ROWS[index][0]}: {self.process.args} ended")
        return json.loads(line)


def measure(sides: list[Side], index: int, direction: str, rounds: int) -> list[float]:
    """The median seconds per call of each side."""
    calls = []
    for side in sides:
        for _ in range(WARM_UP):
            spent = side.ask(index, direction, 3)
            time.sleep(0.02)
        calls.append(max(2, int(ROUND / spent)))
        side.ask(index, direction, calls[-1])
    times = [[s.ask(index, direction, n) for s, n in zip(sides, calls)] for _ in range(rounds)]
    return [statistics.median(column) for column in zip(*times)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--torch-python", help="a Python with torch 2.13")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--serve", choices=["torch", "torchlike"], help=argparse.SUPPRESS)
    parser.add_argument("--busy", action="store_true", help="one core each, processor time")
    parser.add_argument("words", nargs="*")
    given = parser.parse_args()
    if given.serve:
        return serve(given.serve, given.busy)
    options = ["--busy"] if given.busy else []
    pythons = {"torch": given.torch_python, "torchlike": sys.executable}
    sides = [Side(python, kind, options) for kind, python in pythons.items()]
    print(f"{'':72}{'forward':^27}{'forward + backward':^27}")
    print(f"{'':72}{'torch':>9}{'ours':>9}{'ratio':>9}{'torch':>9}{'ours':>9}{'ratio':>9}")
    for index, (call, *inputs) in enumerate(ROWS):
        if given.words and not any(word in call for word in given.words):
            continue
        cells = ""
        for direction in ("forward", "backward"):
            torch, ours = measure(sides, index, direction, given.rounds)
            cells += f"{torch * 1e6:9.0f}{ours * 1e6:9.0f}{torch / ours:9.2f}"
        name = call.split("(")[0] + "".join(f" {'x'.join(map(str, s))}" for s in inputs[:2])
        options = call[len(call.split("(")[0]) :]
        print(f"{(name + ' ' + options)[:71]:72}{cells}", flush=True)


if __name__ == "__main__":
    main()
