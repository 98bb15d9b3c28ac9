"""Modules against PyTorch: as recorded, and live where it is installed."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import torchlike
from compat_tests import nn_cases, nn_programs, subject, transcript

GOLDENS = Path(__file__).parent / "goldens"


@cache
def _goldens():
    texts = json.loads((GOLDENS / "nn.json").read_text())
    return texts, dict(np.load(GOLDENS / "nn.npz"))


def _expected(build, inputs):
    if subject.oracle:
        return nn_cases.observe(subject.oracle, build, inputs)
    recorded, flat = _goldens()
    texts = dict(recorded["cases"][f"{build} | {inputs}"])
    places = texts.pop("arrays", {})
    return texts, {name: nn_cases.unpack(flat, place) for name, place in places.items()}


def _close(ours, theirs):
    assert ours.dtype == theirs.dtype
    limit = 1e-12 if theirs.dtype == np.float64 else 3e-5
    np.testing.assert_allclose(ours, theirs, rtol=limit, atol=limit)


@pytest.mark.parametrize(("build", "inputs"), nn_cases.CASES, ids=lambda text: text or "-")
def test_module(build, inputs):
    texts, arrays = _expected(build, inputs)
    ours, found = nn_cases.observe(torchlike, build, inputs)
    same = nn_programs.same_names
    if texts.get("nodes", "").endswith("Backward"):  # a Python function there, an op here
        ours["nodes"] = texts["nodes"]
    assert {k: same(str(v)) for k, v in ours.items()} == \
        {k: same(str(v)) for k, v in texts.items()}
    assert set(found) == set(arrays)
    for name, value in arrays.items():
        if name.startswith("init."):
            np.testing.assert_array_equal(found[name], value)
        else:
            _close(found[name], value)


@pytest.mark.parametrize("name", nn_programs.PROGRAMS)
def test_program(name):
    source = nn_programs.PROGRAMS[name]
    expected = _goldens()[0]["programs"][name]
    if subject.oracle:
        expected = nn_programs.play(subject.oracle, source)
    assert nn_programs.play(torchlike, source) == expected


def test_every_class_has_a_case():
    source = " ".join(build for build, _ in nn_cases.CASES)
    ours = {n for n, v in vars(torchlike.nn).items() if isinstance(v, type) and n[0].isupper()}
    untested = {n for n in ours if f"nn.{n}" not in source and f"{n}(" not in source}
    assert untested <= {"Buffer", "Parameter", "RNNCellBase", "UninitializedBuffer",
                        "UninitializedParameter", "Module"}


@pytest.mark.parametrize("file, name", transcript.snippets("nn"))
def test_snippet(torch, file, name):
    if difference := transcript.snippet_difference(torch, file, name):
        pytest.fail(difference, pytrace=False)


@pytest.mark.parametrize("build", ["LSTM(2, 3, proj_size=2)", "GRU(2, 3)", "RNN(2, 3)"])
def test_recurrent_second_derivatives(build):
    """The gradient is written by hand: cells and states seen on the way have gradients too."""
    torch = torchlike
    torch.manual_seed(0)
    net = eval(f"torch.nn.{build}").double()
    names, weights = zip(*net.named_parameters(), strict=True)

    def run(x, *weights):
        return torch.func.functional_call(net, dict(zip(names, weights, strict=True)), (x,))[0]

    x = torch.randn(2, 1, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(run, (x, *weights), fast_mode=True)
    assert torch.autograd.gradgradcheck(run, (x, *weights), fast_mode=True)
