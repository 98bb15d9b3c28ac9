"""torch.compile: always right, compiled at the first call, PyTorch's arguments and messages."""

import pytest

import torchlike as torch
from torchlike import nn
from torchlike.core.run import stats


def test_compiles_at_the_first_call():
    @torch.compile
    def f(x):
        return (x * 2 + 1).relu().sum() / 7.25

    x = torch.randn(1000)
    fused = stats.fused
    first = f(x).item()
    assert stats.fused == fused + 1
    assert first == pytest.approx(((x * 2 + 1).relu().sum() / 7.25).item())
    assert f.__name__ == "f"


def test_python_runs_at_every_call():
    seen = []

    @torch.compile(fullgraph=True, mode="max-autotune")
    def f(x):
        seen.append(1)
        if x.sum() > 0:
            return x + len(seen)
        return x - len(seen)

    outs = [f(torch.tensor([v])).item() for v in (1.0, -1.0, 1.0)]
    assert outs == [2, -3, 4]


def test_many_shapes_stop_compiling():
    f = torch.compile(lambda x: (x + 0.125).cosh().sum(), recompile_limit=2)
    fused = stats.fused
    for n in range(1, 6):
        f(torch.ones(n)).item()
    assert stats.fused == fused + 2


def test_module_compile_and_training():
    def run(prepare):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.Linear(8, 1))
        called = prepare(model)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        losses = []
        for _ in range(3):
            optimizer.zero_grad()
            loss = called(torch.ones(2, 4)).square().mean()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses

    def in_place(model):
        model.compile()
        return model

    plain = run(lambda m: m)
    assert run(torch.compile) == pytest.approx(plain, rel=1e-5)
    assert run(in_place) == pytest.approx(plain, rel=1e-5)


def test_refused():
    with pytest.raises(NotImplementedError, match="function as backend"):
        torch.compile(abs, backend=lambda gm, inputs: gm)
    with pytest.raises(NotImplementedError, match="shapes_spec"):
        torch.compile(abs, shapes_spec=1)
