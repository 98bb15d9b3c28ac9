"""What PyTorch's op database brought up: programs that print what PyTorch prints.

The snippets and what real torch showed: snippets/opdb.py and goldens/opdb.json.
"""

import pytest

from compat_tests import transcript


@pytest.mark.parametrize("file, name", transcript.snippets("opdb"))
def test_snippet(torch, file, name):
    if found := transcript.snippet_difference(torch, file, name):
        pytest.fail(found, pytrace=False)
