"""Fixtures shared by all tests: torchlike as `torch`, and goldens recorded from real PyTorch.

    pytest                                      torchlike against the recorded goldens
    REAL/bin/python -m pytest --oracle=check    real PyTorch 2.13 against the recorded goldens
    REAL/bin/python -m pytest --oracle=record   records them (only tests that use `golden`)
"""

import importlib.util
import json
import math
import os
import re
import signal
from pathlib import Path

import pytest

from compat_tests.known import KNOWN

GOLDENS = Path(__file__).parent / "goldens"


def pytest_addoption(parser):
    parser.addoption("--oracle", choices=["check", "record"])
    parser.addoption("--all-rows", action="store_true", help="every row in a compiled window")


def register_profiles() -> None:
    """How many random examples: `--hypothesis-profile=long` runs 50 times as many."""
    try:
        from hypothesis import HealthCheck, settings
    except ImportError:  # the venv that records goldens needs none
        return
    common = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}
    settings.register_profile("suite", max_examples=25, derandomize=True, **common)
    settings.register_profile("long", max_examples=2000, **common)
    settings.load_profile("suite")


register_profiles()


def pytest_configure(config):
    os.environ.setdefault("TORCHLIKE_BACKGROUND", "0")  # tiers change at the same step each run
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell's background job: programs
        signal.signal(signal.SIGINT, signal.default_int_handler)  # started here would ignore it too
    if importlib.util.find_spec("jax") is not None:
        import jax

        # a body that leans on JAX's own promotion fails here
        jax.config.update("jax_numpy_dtype_promotion", "strict")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--oracle"):
        items[:] = [item for item in items if "torch" in getattr(item, "fixturenames", ())]
        return
    for item in items:
        name = item.nodeid.removeprefix("compat_tests/")
        if name in KNOWN:
            item.add_marker(pytest.mark.xfail(reason=KNOWN[name], strict=True))


@pytest.fixture
def torch(request):
    """torchlike, or with --oracle real PyTorch."""
    if request.config.getoption("--oracle"):
        return importlib.import_module("torch")
    return importlib.import_module("torchlike")


def plain(value):
    """The value in JSON's terms: tensors as dtype, shape and elements; errors as type and text."""
    if isinstance(value, BaseException):
        return {"error": type(value).__name__, "text": str(value)}
    if isinstance(value, type):
        return {"class": value.__name__}
    if hasattr(value, "requires_grad") and hasattr(value, "tolist"):
        flat = value.detach().reshape(-1).tolist()
        return {"tensor": str(value.dtype), "shape": list(value.shape), "values": plain(flat)}
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}
    if isinstance(value, dict):
        return {"dict": [[plain(key), plain(item)] for key, item in value.items()]}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {"named": type(value).__name__, "items": [plain(item) for item in value]}
    if isinstance(value, tuple):
        return {"tuple": [plain(item) for item in value]}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return {"repr": re.sub(" at 0x[0-9a-f]+", "", repr(value)).replace("torchlike.", "torch.")}


class Golden:
    """Holds a test's values: `golden(value)` compares the next one with what PyTorch gave."""

    def __init__(self, path, name, mode):
        self.path, self.name, self.mode = path, name, mode
        recorded = json.loads(path.read_text()) if path.exists() else {}
        self.known = recorded.get(name, [])
        self.seen = []

    def __call__(self, value):
        value = json.loads(json.dumps(plain(value)))
        self.seen.append(value)
        if self.mode != "record":
            place = len(self.seen) - 1
            assert place < len(self.known), f"no golden {place} of {self.name}: record it"
            assert value == self.known[place]

    def error(self, function, *args, **kwargs):
        """Compares the exception that the call must raise."""
        with pytest.raises(Exception) as caught:
            function(*args, **kwargs)
        self(caught.value)

    def close(self):
        if self.mode == "record":
            recorded = json.loads(self.path.read_text()) if self.path.exists() else {}
            recorded[self.name] = self.seen
            rows = (f"{json.dumps(key)}: {json.dumps(recorded[key])}" for key in sorted(recorded))
            self.path.write_text("{\n" + ",\n".join(rows) + "\n}\n")
        else:
            assert len(self.seen) == len(self.known), f"{self.name}: values were left out"


@pytest.fixture
def golden(request):
    """Values recorded from real PyTorch, compared in order."""
    name = request.node.name
    path = GOLDENS / f"{request.path.stem.removeprefix('test_')}.json"
    held = Golden(path, name, request.config.getoption("--oracle"))
    yield held
    if not getattr(request.node, "failed", False):
        held.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    item.failed = getattr(item, "failed", False) or report.failed
    return report
