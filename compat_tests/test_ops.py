"""Every op of rows_*.py against every check of checks.py; what real torch gives is the measure."""

import warnings

import pytest

from compat_tests import checks, reference, rows


def _pairs():
    for case in rows.all_cases():
        want = reference.expected(case)
        for check in checks.CHECKS:
            if checks.applies(check, case, want):
                yield pytest.param(check, case, want, id=f"{check.__name__}-{case}")


@pytest.mark.parametrize("check, case, want", list(_pairs()))
def test_op(torch, check, case, want):
    if torch.__name__ == "torch" and check is checks.modes:
        pytest.skip("PyTorch has no modes")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(torch, case, want)


def test_an_expected_error_is_one():
    """A row that names an exception must be a case where torch raises it."""
    for case in rows.all_cases():
        if case.raises is not None:
            assert reference.expected(case)["error"][0] == case.raises.__name__
