"""The op table: importing this package declares every op and re-exports the `torch.*` functions."""

from __future__ import annotations

import importlib
import pkgutil

from ..core import history as history
from ..core.op import TABLE, install_operators
from ..core.tensor import Tensor

for _module in sorted(m.name for m in pkgutil.iter_modules(__path__)):
    importlib.import_module(f"{__name__}.{_module}")

from .aten import Namespace  # noqa: E402
from .elementwise import OPERATORS  # noqa: E402 (they need the whole table)

for (_where, _name), _function in TABLE.items():
    if _where == "torch":
        globals()[_name] = _function

install_operators(
    {d: n for d, n in OPERATORS.items() if not n.endswith("_")},
    {d: n for d, n in OPERATORS.items() if n.endswith("_")},
)
PUBLIC = {name: f for (where, name), f in TABLE.items() if where == "torch"}
__all__ = ["TABLE", "Tensor", *PUBLIC]

SPACES: dict[str, object] = {}  # what torch.ops shows besides: ops of torch.library
loaded_libraries: set[str] = set()


UNREADABLE: list[str] = []


def load_library(path: object) -> None:
    """OSError: compiled ops of PyTorch can't run here.

    From then on torch.library lets Python code register for ops that C++ would have declared;
    without a function in Python, a call raises NotImplementedError.
    """
    UNREADABLE.append(str(path))
    raise OSError(f"Could not load this library: {path} (torchlike runs no ops written in C++)")


def __getattr__(name: str) -> object:
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return SPACES.setdefault(name, Namespace(name))
