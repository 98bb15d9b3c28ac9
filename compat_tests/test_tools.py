"""What surrounds the tensors (torch.testing, backends, storages, …): programs that print what
PyTorch prints.

The snippets and what real torch showed: snippets/tools*.py and goldens/tools*.json.
"""

import pytest

from compat_tests import transcript


@pytest.mark.parametrize("file, name", transcript.snippets("tools"))
def test_snippet(torch, file, name):
    if found := transcript.snippet_difference(torch, file, name):
        pytest.fail(found, pytrace=False)
