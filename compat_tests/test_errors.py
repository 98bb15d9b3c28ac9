"""Wrong calls and wrong states: the exception's type and text are PyTorch's.

The snippets and what real torch showed: snippets/errors*.py and goldens/errors*.json.
"""

import pytest

from compat_tests import transcript


@pytest.mark.parametrize("file, name", transcript.snippets("errors"))
def test_snippet(torch, file, name):
    if found := transcript.snippet_difference(torch, file, name):
        pytest.fail(found, pytrace=False)
