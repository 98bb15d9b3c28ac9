"""Whole training programs, as a user of PyTorch writes them, print what they print there."""

import pytest

from compat_tests import transcript

PROGRAMS = sorted(transcript.HERE.glob("training/*.py"))


@pytest.mark.parametrize("name", [path.stem for path in PROGRAMS])
def test_program(torch, name):
    found = transcript.difference(transcript.run_program(name, torch),
                                  transcript.recorded("training")[name])
    if found:
        pytest.fail(found, pytrace=False)
