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


BATCH = 40  # rows in one window: a program of many ops is cheaper to build than many programs


def pytest_generate_tests(metafunc):
    """One row of each op by default: they compile in 20 s of CPU, all of them in 60."""
    if "pairs" not in metafunc.fixturenames:
        return
    pairs = [(case, reference.expected(case)) for case in rows.all_cases()]
    pairs = [pair for pair in pairs if checks.applies(checks.modes, *pair)]
    if not metafunc.config.getoption("--all-rows"):
        pairs = list({case.op: (case, want) for case, want in reversed(pairs)}.values())
    batches = [pairs[i : i + BATCH] for i in range(0, len(pairs), BATCH)]
    metafunc.parametrize("pairs", batches, ids=[str(batch[0][0].op) for batch in batches])


def test_rows_as_one_program(torch, pairs):
    if torch.__name__ == "torch":
        pytest.skip("PyTorch has no windows")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        checks.compiled(torch, pairs)


def test_an_expected_error_is_one():
    """A row that names an exception must be a case where torch raises it."""
    for case in rows.all_cases():
        if case.raises is not None:
            assert reference.expected(case)["error"][0] == case.raises.__name__
