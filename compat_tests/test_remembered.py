"""Windows that an earlier process compiled are programs from their first run on."""

import os

import numpy as np
import pytest

import torchlike as torch
from torchlike.core import background, fused, remembered, run


@pytest.fixture
def path(tmp_path, monkeypatch):
    """A file of remembered windows; everything counts as dear."""
    path = tmp_path / "torchlike-windows"
    monkeypatch.setattr(remembered, "_path", lambda: str(path))
    monkeypatch.setattr(remembered, "DEAR", 0.0)
    monkeypatch.setattr(background, "enabled", True)
    _forget(monkeypatch)
    yield path
    background.wait()


def _forget(monkeypatch):
    """What a new process knows."""
    monkeypatch.setattr(remembered, "_known", None)
    monkeypatch.setattr(run, "windows", type(run.windows)())
    monkeypatch.setattr(run, "families", type(run.families)())


def _step(x):
    return (x.sin() * 2 + x).sum().item()


def _compiled(x):
    for _ in range(run.HOT):
        _step(x)
    background.wait()


def test_first_run_is_a_program(path, monkeypatch):
    x = torch.arange(7.0)
    _compiled(x)
    assert len(path.read_text().split()) >= 2  # the window, the program
    _forget(monkeypatch)
    expected, before = (np.sin(np.arange(7)) * 2 + np.arange(7)).sum(), fused.stats.fused
    assert _step(x) == pytest.approx(expected, rel=1e-6)  # float32, 14 roundings
    assert fused.stats.fused > before
    _step(torch.arange(9.0))  # another shape is another window
    assert next(reversed(run.windows.values())).programs == []


def test_an_unknown_variant_does_not_wait(path, monkeypatch):
    x = torch.arange(7.0)
    _compiled(x)
    _forget(monkeypatch)
    kept = x.sin()  # alive at the end: a program with another result
    (kept * 2 + x).sum().item()
    (window,) = (w for w in run.windows.values() if w.label == "sin")
    assert window.slow == 2  # one for being known, one for the run that was


@pytest.mark.parametrize("content", [b"", b"\xff\x00\n\n" * 9, b"0123456789abcdef\nx"])
def test_a_spoilt_file_is_no_harm(path, content):
    path.write_bytes(content)
    _compiled(torch.arange(7.0))
    assert path.read_bytes().startswith(content)
    assert len(path.read_bytes()) > len(content)


def test_the_file_is_begun_anew(path, monkeypatch):
    path.write_bytes(b"0123456789abcdef\n" * 9)
    monkeypatch.setattr(remembered, "LIMIT", 100)
    _compiled(torch.arange(7.0))
    assert b"0123456789abcdef" not in path.read_bytes()


def test_where_none_can_be_kept(path, monkeypatch):
    monkeypatch.setattr(remembered, "_path", lambda: os.path.join(path, "no", "folder"))
    _compiled(torch.arange(7.0))
    monkeypatch.setattr(remembered, "_path", lambda: None)
    _forget(monkeypatch)
    _compiled(torch.arange(7.0))


def test_a_cheap_window_is_not_remembered(path, monkeypatch):
    monkeypatch.setattr(remembered, "DEAR", 1e9)
    _compiled(torch.arange(7.0))
    assert not path.exists()
