"""Random programs (programs.py): PyTorch and every mode see the same.

`--hypothesis-profile=long` runs 50 times as many; `scripts/fuzz.py` compares with a live PyTorch.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compat_tests import checks, programs, subject, transcript

DIGIT = st.integers(0, 9)
STEP = st.tuples(st.integers(0, len(programs.OPS) - 1), DIGIT, DIGIT, st.integers(0, 2))
PROGRAMS = st.lists(STEP, min_size=1, max_size=12)


def check(got: str, want: str, rel: float = 1e-7) -> None:
    if found := programs.difference(got, want, rel):
        pytest.fail(found, pytrace=False)


@given(program=PROGRAMS)
def test_as_pytorch(program):
    torch = pytest.importorskip("torchlike")
    if subject.oracle is None:
        pytest.skip("PyTorch is not installed here")
    check(programs.run(torch, program), programs.run(subject.oracle, program))


@pytest.mark.parametrize("seed", transcript.recorded("programs"))
def test_as_recorded(torch, seed):
    check(programs.run(torch, programs.seeded(int(seed))), transcript.recorded("programs")[seed])


@given(program=PROGRAMS)
def test_modes_agree(program):
    torch = pytest.importorskip("torchlike")
    shown = []
    for name in ("debug", "strict", "fused"):
        with checks.mode(name):
            shown += [programs.run(torch, program) for _ in range(4 if name == "fused" else 1)]
    for other in shown[1:]:  # fused: the fourth time, the window is compiled as a whole
        check(other, shown[0], rel=1e-9)
