"""Views, writes, indexing and dtypes: programs that print what PyTorch prints.

The snippets and what real torch showed: snippets/views*.py and goldens/views*.json.
"""

import pytest

from compat_tests import transcript


@pytest.mark.parametrize("file, name", transcript.snippets("views"))
def test_snippet(torch, file, name):
    if found := transcript.snippet_difference(torch, file, name):
        pytest.fail(found, pytrace=False)
