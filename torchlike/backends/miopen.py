"""torch.backends.miopen: not there; its setting is remembered."""

from types import ModuleType

from ._switches import Switch, become, kept

_IMMEDIATE = Switch(False, "set_immediate_miopen")


def set_flags(_immediate: bool | None = None) -> tuple[bool]:
    """Changes the setting, unless it is None; gives what it was."""
    return (_IMMEDIATE.update(_immediate),)


def flags(immediate: bool = False):
    """A block with another setting."""
    return kept(set_flags, immediate)


class MiopenModule(ModuleType):
    """The module, with its setting as attribute."""

    immediate = _IMMEDIATE


become(__name__, MiopenModule)
