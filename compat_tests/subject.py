"""PyTorch itself, where it is installed beside torchlike, and `import torch` for tested code."""

import contextlib
import importlib
import sys


def _real_torch():
    try:
        found = importlib.import_module("torch")
    except ImportError:
        return None
    return found if hasattr(found, "_C") and found.__version__.startswith("2.13") else None


oracle = _real_torch()


@contextlib.contextmanager
def imported_as_torch(torch):
    """`import torch` gives `torch`, also where PyTorch is installed; and no longer afterwards."""
    if torch is oracle:
        yield
        return
    hidden = _take_modules()
    torch.install()
    try:
        yield
    finally:
        torch.uninstall()
        _take_modules()
        sys.modules.update(hidden)


def _take_modules() -> dict:
    taken = {"torch", "torchviz"}           # torchviz keeps the torch that it imported
    return {name: sys.modules.pop(name) for name in list(sys.modules)
            if name.split(".")[0] in taken}
