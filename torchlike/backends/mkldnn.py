"""torch.backends.mkldnn: not there; its settings are remembered."""

from types import ModuleType
from typing import Any

from . import mkl
from ._switches import (
    Precision,
    Setting,
    Switch,
    become,
    check_bool,
    kept,
    of_precision,
    precision,
    set_precision,
)

VERBOSE_OFF, VERBOSE_ON, VERBOSE_ON_CREATION = 0, 1, 2
_ENABLED = Switch(True, "set_enabled_mkldnn")
_DETERMINISTIC = Switch(False, "set_deterministic_mkldnn")


def is_available() -> bool:
    """Never: products are XLA's and NumPy's."""
    return False


def is_acl_available() -> bool:
    """Never."""
    return False


class verbose(mkl.verbose):
    """A block in which the library reports; AssertionError where it should: it isn't there."""

    _library = "MKLDNN"

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.level = level


def _set_allow_tf32(value: bool) -> None:
    check_bool("set_allow_tf32_onednn", value)  # for Intel's GPUs: without effect


def set_flags(
    _enabled: bool | None = None, _deterministic: bool | None = None,
    _allow_tf32: bool | None = None, _fp32_precision: str | None = "none",
) -> tuple[Any, ...]:  # fmt: skip
    """Changes what is not None; gives what all were."""
    before = precision("mkldnn", "all")
    if _allow_tf32 is not None:
        _set_allow_tf32(_allow_tf32)
    if _fp32_precision is not None:
        set_precision("mkldnn", "all", _fp32_precision)
    return _ENABLED.update(_enabled), _DETERMINISTIC.update(_deterministic), None, before


def flags(enabled: bool = False, deterministic: bool = False, allow_tf32: bool = True,
          fp32_precision: str = "none"):  # fmt: skip
    """A block with other settings."""
    return kept(set_flags, enabled, deterministic, allow_tf32, fp32_precision)


class MkldnnModule(ModuleType):
    """The module, with its settings as attributes."""

    enabled, deterministic = _ENABLED, _DETERMINISTIC
    allow_tf32 = Setting(lambda: None, _set_allow_tf32)
    matmul, conv, rnn = (Precision("mkldnn", op) for op in ("matmul", "conv", "rnn"))
    fp32_precision = of_precision("mkldnn", "all")


become(__name__, MkldnnModule)
