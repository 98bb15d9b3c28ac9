"""torch.backends.nnpack: not there; its setting is remembered."""

from ._switches import Switch, kept

__all__ = ["is_available", "flags", "set_flags"]
_ENABLED = Switch(True, "set_enabled_NNPACK")


def is_available() -> bool:
    """Never: convolutions are XLA's."""
    return False


def set_flags(_enabled: bool) -> tuple[bool]:
    """Changes the setting; gives what it was."""
    return (_ENABLED.turn(_enabled),)


def flags(enabled: bool = False):
    """A block with another setting."""
    return kept(set_flags, enabled)
