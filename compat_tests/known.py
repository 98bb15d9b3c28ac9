"""Tests that show a difference from PyTorch not yet removed: end of the test's id -> why.

They are strict expected failures: one that passes fails the run until its row is taken out.
"""

KNOWN: dict[str, str] = {
    'test_properties.py::test_as_recorded[6]': 'version of a gradient that was summed in place',
}  # fmt: skip
