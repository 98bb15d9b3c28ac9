"""Public names no other test uses: values, dtypes, nodes and wrong calls are PyTorch's.

The snippets and what real torch showed: snippets/names*.py and goldens/names_*.json.
"""

import pytest

from compat_tests import transcript


@pytest.mark.parametrize("file, name", transcript.snippets("names"))
def test_snippet(torch, file, name):
    if found := transcript.snippet_difference(torch, file, name):
        pytest.fail(found, pytrace=False)
