"""torchlike.explain(): the page tells what ran; compilations are logged on request."""

import re
import subprocess
import sys

import pytest

import torchlike as torch
from torchlike.core import background, run


@pytest.fixture
def fresh(monkeypatch):
    """No windows seen yet, and compiled where they stand."""
    torch.step_boundary()
    monkeypatch.setattr(run, "windows", type(run.windows)())
    monkeypatch.setattr(run, "families", type(run.families)())
    monkeypatch.setattr(background, "enabled", False)


def window(n):
    x = torch.full((n,), 2.0)
    y = (x * 3 + 1).sqrt()
    return y.sum().item()


def test_hot_and_cold_windows(fresh):
    for _ in range(5):
        window(4)
    window(5)
    page = torch.explain()
    assert "compiled" in page and "test_explain.py" in page
    hot = next(w for w in page.windows if w.tier == "compiled")
    assert hot.seen == 5 and hot.hits == 3 and hot.seconds > 0 and hot.ops >= 4
    assert re.search(r"test_explain.py:\d+$", hot.where)
    cold = next(w for w in page.windows if w.tier == "cold")
    assert "seen 1 of 3 times; op 0, full, gives float32[5], float32[4]" in cold.cold
    assert max(map(len, page.splitlines())) <= 96


def test_what_keeps_a_window_cold(fresh):
    x = torch.tensor([1.0, 2.0, 3.0])
    (x.sin() + 1).sum().item()
    (x.cos() + 1).sum().item()
    (x.sin() + 1).sum().exp().item()
    told = [w.cold for w in torch.explain().windows]
    assert any("op 0 is cos, sin in the window most like it" in t for t in told)
    assert any("1 ops more than" in t for t in told)


def test_steps_and_op_times(fresh):
    step = torch.jit(lambda x: (x @ x).relu().sum())
    for _ in range(3):
        step(torch.ones(8, 8))
    with torch.op_times():
        assert (torch.ones(8, 8) @ torch.ones(8, 8)).sum().item() == 512
    page = torch.explain()
    assert "jit step" in page and "Ops by time" in page and re.search(r"% +\d+ × (mm|matmul)", page)


def test_html(fresh, tmp_path):
    for _ in range(4):
        window(4)
    path = tmp_path / "page.html"
    torch.explain(html=path)
    text = path.read_text()
    assert text.count("<svg") == min(len(torch.explain().windows), 40) >= 1  # the rest are counted
    assert ">sqrt</text>" in text and "<path d=" in text and "src=" not in text


def test_log_of_compiles():
    code = "import torchlike as torch; torch.jit(lambda x: x.sin() + 1)(torch.ones(3))"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True,
        env={**__import__("os").environ, "TORCHLIKE_LOG": "compiles"},
    )  # fmt: skip
    assert re.search(r"torchlike: compiled 2 ops from sin at <string>:1 in [\d.]+ s", run.stderr)
