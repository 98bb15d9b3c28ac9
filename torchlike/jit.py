"""`torch.jit` and `torchlike.jit(step)`: one name for both, so this module can be called.

TorchScript's names (`torchlike.scripting`) accept what libraries decorate and leave it in Python.
"""

import sys
from types import ModuleType

from . import scripting
from .core.jit import jit as capture
from .scripting import *  # noqa: F403


class _Callable(ModuleType):
    """A module that is also the function `capture`."""

    def __call__(self, *args, **kwargs):
        return capture(*args, **kwargs)


vars(sys.modules[__name__]).update(
    {name: value for name, value in vars(scripting).items() if name in scripting.PRIVATE}
)
sys.modules[__name__].__class__ = _Callable
__all__ = list(scripting.__all__)
