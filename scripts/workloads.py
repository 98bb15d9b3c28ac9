"""The workloads of `scripts/bench.py`: plain PyTorch, each a function that gives one training step.

`setup(torch)` returns `step`, a function of no arguments that gives the loss; what it trains is
made inside, from a fixed seed. `python scripts/workloads.py NAME VARIANT` measures one of them: it
prints a line of JSON after its tenth step, and one more for each line it reads (see `serve`).
"""

import itertools
import json
import math
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

START = time.perf_counter()


# ----- small things -----
def small_op(torch):
    x, y = torch.ones(3), torch.ones(3)

    def step():
        return x + y

    return step


def tutorial(torch):
    def step():
        x = torch.ones(2, 2, requires_grad=True)
        y = x + 2
        out = (y * y * 3).mean()
        out.backward()
        return x.grad

    return step


def two_layers(torch):
    x, y = torch.randn(64, 1000), torch.randn(64, 10)
    w1 = torch.randn(1000, 100, requires_grad=True)
    w2 = torch.randn(100, 10, requires_grad=True)

    def step():
        loss = (x.mm(w1).clamp(min=0).mm(w2) - y).pow(2).sum()
        loss.backward()
        with torch.no_grad():
            w1.sub_(1e-6 * w1.grad)
            w2.sub_(1e-6 * w2.grad)
            w1.grad.zero_()
            w2.grad.zero_()
        return loss

    return step


def trained(torch, net, optimizer, loss_of) -> Callable[[], Any]:
    """The usual step."""

    def step():
        optimizer.zero_grad()
        loss = loss_of(net)
        loss.backward()
        optimizer.step()
        return loss

    return step


def mlp(torch):
    nn, F = torch.nn, torch.nn.functional
    net = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(),
                        nn.Linear(128, 10))
    x, y = torch.randn(32, 64), torch.randint(10, (32,))
    return trained(torch, net, torch.optim.Adam(net.parameters()),
                   lambda net: F.cross_entropy(net(x), y))


# ----- pictures -----
def cnn_model(torch):
    nn = torch.nn
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Dropout(0.25), nn.Flatten(), nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5),
        nn.Linear(128, 10),
    )  # fmt: skip


def cnn(torch):
    net, F = cnn_model(torch), torch.nn.functional
    x, y = torch.randn(64, 1, 28, 28), torch.randint(10, (64,))
    return trained(torch, net, torch.optim.Adam(net.parameters()),
                   lambda net: F.cross_entropy(net(x), y))


def resnet_model(torch):
    nn = torch.nn

    class Block(nn.Module):
        def __init__(self, inside, outside, stride):
            super().__init__()
            self.body = nn.Sequential(
                nn.Conv2d(inside, outside, 3, stride, 1, bias=False), nn.BatchNorm2d(outside),
                nn.ReLU(), nn.Conv2d(outside, outside, 3, 1, 1, bias=False),
                nn.BatchNorm2d(outside),
            )  # fmt: skip
            self.short = nn.Sequential()
            if stride != 1 or inside != outside:
                self.short = nn.Sequential(nn.Conv2d(inside, outside, 1, stride, bias=False),
                                           nn.BatchNorm2d(outside))

        def forward(self, x):
            return torch.relu(self.body(x) + self.short(x))

    layers = [nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
    width = 64
    for outside, stride in [(64, 1), (128, 2), (256, 2), (512, 2)]:
        layers += [Block(width, outside, stride), Block(outside, outside, 1)]
        width = outside
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))


def resnet18(torch):
    net, F = resnet_model(torch), torch.nn.functional
    x, y = torch.randn(16, 3, 32, 32), torch.randint(10, (16,))
    sgd = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    return trained(torch, net, sgd, lambda net: F.cross_entropy(net(x), y))


def dcgan(torch):
    nn, F = torch.nn, torch.nn.functional
    up = [nn.ConvTranspose2d(64, 128, 4, 1, 0, bias=False), nn.BatchNorm2d(128), nn.ReLU(),
          nn.ConvTranspose2d(128, 64, 4, 2, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU(),
          nn.ConvTranspose2d(64, 32, 4, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
          nn.ConvTranspose2d(32, 3, 4, 2, 1, bias=False), nn.Tanh()]
    down = [nn.Conv2d(3, 32, 4, 2, 1, bias=False), nn.LeakyReLU(0.2),
            nn.Conv2d(32, 64, 4, 2, 1, bias=False), nn.BatchNorm2d(64), nn.LeakyReLU(0.2),
            nn.Conv2d(64, 128, 4, 2, 1, bias=False), nn.BatchNorm2d(128), nn.LeakyReLU(0.2),
            nn.Conv2d(128, 1, 4, 1, 0, bias=False), nn.Flatten()]
    maker, judge = nn.Sequential(*up), nn.Sequential(*down)
    adams = [torch.optim.Adam(m.parameters(), lr=2e-4, betas=(0.5, 0.999)) for m in (maker, judge)]
    real, yes, no = torch.randn(16, 3, 32, 32), torch.ones(16, 1), torch.zeros(16, 1)
    loss_of = F.binary_cross_entropy_with_logits

    def step():
        adams[1].zero_grad()
        fake = maker(torch.randn(16, 64, 1, 1))
        loss = loss_of(judge(real), yes) + loss_of(judge(fake.detach()), no)
        loss.backward()
        adams[1].step()
        adams[0].zero_grad()
        made = loss_of(judge(fake), yes)
        made.backward()
        adams[0].step()
        return loss + made

    return step


# ----- text -----
def gpt_model(torch, vocabulary=65, width=128, layers=4, heads=4, block=64):
    nn, F = torch.nn, torch.nn.functional

    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)

        def forward(self, x):
            b, t, c = x.size()
            q, k, v = (part.view(b, t, heads, c // heads).transpose(1, 2)
                       for part in self.qkv(x).split(width, dim=2))
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            return self.out(y.transpose(1, 2).contiguous().view(b, t, c))

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.ln1, self.ln2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.attention = Attention()
            self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(),
                                     nn.Linear(4 * width, width))

        def forward(self, x):
            x = x + self.attention(self.ln1(x))
            return x + self.mlp(self.ln2(x))

    class GPT(nn.Module):
        def __init__(self):
            super().__init__()
            self.token, self.place = nn.Embedding(vocabulary, width), nn.Embedding(block, width)
            self.blocks = nn.Sequential(*[Block() for _ in range(layers)])
            self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary, bias=False)
            self.token.weight = self.head.weight

        def forward(self, ids):
            x = self.token(ids) + self.place(torch.arange(ids.size(1)))
            return self.head(self.norm(self.blocks(x)))

    return GPT()


def gpt(torch):
    net, F = gpt_model(torch), torch.nn.functional
    ids, target = torch.randint(65, (12, 64)), torch.randint(65, (12, 64))
    adam = torch.optim.AdamW(net.parameters(), lr=1e-3)
    return trained(torch, net, adam,
                   lambda net: F.cross_entropy(net(ids).view(-1, 65), target.view(-1)))


def char_lstm(torch):
    nn, F = torch.nn, torch.nn.functional
    embed, lstm, head = nn.Embedding(65, 64), nn.LSTM(64, 128, batch_first=True), nn.Linear(128, 65)
    net = nn.ModuleList([embed, lstm, head])
    ids, target = torch.randint(65, (32, 64)), torch.randint(65, (32, 64))

    def loss_of(_):
        return F.cross_entropy(head(lstm(embed(ids))[0]).view(-1, 65), target.view(-1))

    return trained(torch, net, torch.optim.Adam(net.parameters()), loss_of)


def texts(torch):
    """A new length at nearly every batch."""
    nn, F = torch.nn, torch.nn.functional
    embed, first, last = nn.Embedding(1000, 64), nn.Linear(64, 64), nn.Linear(64, 4)
    net = nn.ModuleList([embed, first, last])
    lengths = itertools.cycle(torch.randperm(180).add(20).tolist())
    y = torch.randint(4, (16,))

    def loss_of(_):
        ids = torch.randint(1000, (16, next(lengths)))
        return F.cross_entropy(last(torch.relu(first(embed(ids))).mean(1)), y)

    return trained(torch, net, torch.optim.Adam(net.parameters()), loss_of)


# ----- other mathematics -----
def chain(torch):
    x = torch.rand(1_000_000)

    def step():
        y = x
        for _ in range(6):
            y = torch.sin(y * 1.01) + 0.5
            y = (y * y - 0.1).abs()
        return y.sum()

    return step


def hessian_vector(torch):
    w = torch.randn(50, 50, requires_grad=True)
    x, v = torch.randn(64, 50), torch.randn(50, 50)

    def step():
        loss = torch.tanh(torch.tanh(x @ w) @ w).pow(2).mean()
        (slope,) = torch.autograd.grad(loss, w, create_graph=True)
        return torch.autograd.grad((slope * v).sum(), w)[0]

    return step


def inference(build, shape, integer):
    def setup(torch):
        net = build(torch).eval()
        x = torch.randint(65, shape) if integer else torch.randn(shape)

        def step():
            with torch.no_grad():
                return net(x)

        return step

    return setup


def tiny_tensors(torch):
    many = [torch.randn(3, 3, requires_grad=True) for _ in range(200)]
    sgd = torch.optim.SGD(many, lr=0.01, momentum=0.9)
    x = torch.randn(3)

    def step():
        sgd.zero_grad()
        loss = sum(((w @ x) ** 2).sum() for w in many)
        loss.backward()
        sgd.step()
        return loss

    return step


def loader_fed(torch):
    nn, F, data = torch.nn, torch.nn.functional, torch.utils.data
    held = data.TensorDataset(torch.randn(2048, 64), torch.randint(10, (2048,)))
    batches = iter(())
    net = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
    loader = data.DataLoader(held, batch_size=64, shuffle=True)

    def loss_of(net):
        nonlocal batches
        batch = next(batches, None)
        if batch is None:
            batches = iter(loader)
            batch = next(batches)
        return F.cross_entropy(net(batch[0]), batch[1])

    return trained(torch, net, torch.optim.SGD(net.parameters(), lr=0.1), loss_of)


WORKLOADS = {
    "a": ("one small op", small_op),
    "b": ("tutorial, forward and backward", tutorial),
    "c": ("two-layer net by hand", two_layers),
    "d": ("MLP, Adam, batch 32", mlp),
    "e": ("MNIST CNN, Adam, batch 64", cnn),
    "f": ("ResNet-18, 32×32, batch 16", resnet18),
    "g": ("GPT 4×128, 12×64 tokens, AdamW", gpt),
    "h": ("char LSTM, 64 steps", char_lstm),
    "i": ("texts of varying length", texts),
    "j": ("30 elementwise ops on 10⁶", chain),
    "k": ("DCGAN", dcgan),
    "l": ("Hessian-vector product", hessian_vector),
    "m": ("CNN inference, batch 1", inference(cnn_model, (1, 1, 28, 28), False)),
    "m2": ("GPT inference, batch 1", inference(gpt_model, (1, 64), True)),
    "n": ("200 tiny tensors, SGD", tiny_tensors),
    "o": ("fed by a DataLoader", loader_fed),
}
FREE_PYTHON = {"i", "o"}    # their data comes from Python: no step that can be captured whole


# ----- measuring one of them -----
def load(variant: str) -> Any:
    """The module that plays torch."""
    if variant.startswith("torchlike"):
        import torchlike

        torchlike.install()
    import torch

    return torch


def wrapped(torch: Any, variant: str, step: Callable[[], Any]) -> Callable[[], Any]:
    """The step as the variant runs it."""
    if variant.endswith("-compile"):
        return torch.compile(step)
    if variant.endswith("-jit"):
        return sys.modules["torchlike"].jit(step)
    return step


def compilations(torch: Any) -> int:
    """How many XLA programs were built so far."""
    run = sys.modules.get("torchlike.core.run")
    return run.stats.compiled if run else 0


LOOKED_AT = {"j", "l", "m", "m2"}  # each step's result is used; others change a state, or are (a)
KEPT = 64  # results of the others kept until they are read


def timed(step: Callable[[], Any], steps: int, kept: int = KEPT) -> float:
    """Seconds per step, until every result is known: none may be dropped as never looked at."""
    started = time.perf_counter()
    results = []
    for k in range(steps):
        results.append(step())
        if not k % kept:
            read(results)
    read(results)
    return (time.perf_counter() - started) / steps


def known(result: Any) -> Any:
    """A result as NumPy has it: a tensor, or an array of JAX."""
    return result.detach().numpy() if hasattr(result, "detach") else np.asarray(result)


def read(results: list[Any]) -> None:
    """Wait for all of them."""
    for result in results:
        known(result)
    results.clear()


def answer(torch: Any, **found: Any) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**found, "peak_mib": peak, "compiled": compilations(torch)}), flush=True)


def ready(name: str, variant: str) -> tuple[Any, Callable[[], Any]]:
    """What plays torch, and the step as the variant runs it."""
    if variant == "jax":
        sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
        from scripts import workloads_jax

        return None, workloads_jax.WORKLOADS[name]()
    torch = load(variant)
    torch.manual_seed(0)
    return torch, wrapped(torch, variant, WORKLOADS[name][1](torch))


def serve(name: str, variant: str) -> None:
    """First to tenth step at once; then, for each line read, as many steps as it says."""
    torch, step = ready(name, variant)
    loaded = time.perf_counter()
    first = timed(step, 1)
    at_first = time.perf_counter()
    losses = [float(known(step()).sum()) for _ in range(9)]
    tenth = time.perf_counter()
    assert all(math.isfinite(x) for x in losses), losses
    answer(torch, load=loaded - START, first=at_first - START, tenth=tenth - START, step=first,
           loss=losses[-1])
    for line in sys.stdin:
        step_time = timed(step, int(line), 1 if name in LOOKED_AT else KEPT)
        if "torchlike.core.background" in sys.modules:
            sys.modules["torchlike.core.background"].wait()     # what got hot is built
        answer(torch, step=step_time)


if __name__ == "__main__":
    serve(*sys.argv[1:])
