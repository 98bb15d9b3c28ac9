"""torch.distributions against PyTorch: draws, densities, gradients, divergences, texts."""

import json
import math
from functools import cache
from pathlib import Path

import pytest

import torchlike
from compat_tests import distribution_cases as cases
from compat_tests import transcript

PATH = Path(__file__).parent / "goldens" / "distribution_cases.json"


@cache
def _recorded():
    return json.loads(PATH.read_text("utf-8"))


def _close(ours, theirs):
    one, other = float(ours), float(theirs)
    if one == other or math.isnan(one) and math.isnan(other):
        return True
    return abs(one - other) <= 2e-5 * abs(other) + 1e-5


def _same(ours, theirs):
    """Texts equal; tensors of one shape and dtype, their numbers close."""
    if not isinstance(theirs, list) or len(theirs) != 3:
        return ours == theirs
    pairs = list(zip(ours[2].split(), theirs[2].split(), strict=True))
    return ours[:2] == theirs[:2] and all(_close(a, b) for a, b in pairs)


def _differences(ours, theirs):
    assert set(ours) == set(theirs)
    return [(name, ours[name], theirs[name]) for name in theirs
            if not _same(ours[name], theirs[name])]


@pytest.mark.parametrize("case", cases.CASES)
def test_distribution(case):
    assert not _differences(cases.observe(torchlike, case), _recorded()[case])


def test_divergences():
    assert not _differences(cases.divergences(torchlike), _recorded()["divergences"])


@pytest.mark.parametrize("file, name", transcript.snippets("distributions"))
def test_snippet(torch, file, name):
    if found := transcript.snippet_difference(torch, file, name):
        pytest.fail(found, pytrace=False)


def test_every_distribution_has_a_case():
    base = torchlike.distributions.Distribution
    names = {n for n, v in vars(torchlike.distributions).items()
             if isinstance(v, type) and issubclass(v, base)}
    tested = {case.split("(")[0] for case in cases.CASES}
    assert names - tested == {"Distribution", "ExponentialFamily"}
