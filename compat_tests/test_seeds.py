"""The notebooks the project must reproduce, cell by cell (005: what the five only touch)."""

import functools

import pytest

from compat_tests import subject, transcript

GOLDEN = transcript.recorded("seeds")
# 500 steps of float32 amplify rounding. Torch itself, with and without AVX, differs in 003 by 2e-5
# in late losses and by 6e-4 in the last line, a sum of 640 residuals of about 2e-4 around zero
LOSS_FLOOR, SUM_FLOOR = 5e-5, 5e-3


@functools.cache
def shown(torch, name: str) -> dict:
    """What every cell of the notebook shows."""
    with subject.imported_as_torch(torch):
        return transcript.run_notebook(transcript.HERE / "seeds" / f"{name}.py", torch)


def chaotic(got: str, want: str) -> str | None:
    """The difference of two trainings: losses, and a sum in the last line."""
    (losses, total), (losses_, total_) = (t.rstrip().rpartition("\n")[::2] for t in (got, want))
    found = transcript.difference(losses, losses_, floor=LOSS_FLOOR)
    return found or transcript.difference(total, total_, floor=SUM_FLOOR)


@pytest.mark.parametrize("name, cell", [(n, c) for n, book in GOLDEN.items() for c in book])
def test_cell(torch, name, cell):
    got, want = shown(torch, name)[cell], GOLDEN[name][cell]
    if found := chaotic(got, want) if name == "003" else transcript.difference(got, want):
        pytest.fail(found, pytrace=False)
