"""torch.utils: data loading, hooks, trees."""

import importlib

from . import _pytree as _pytree
from . import data as data
from . import hooks as hooks


def __getattr__(name):
    if name in ("collect_env", "weak"):  # imported when first asked for
        return importlib.import_module(f".{name}", __package__)
    raise AttributeError(f"module 'torch.utils' has no attribute '{name}'")
