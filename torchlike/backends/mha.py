"""torch.backends.mha: whether inference may take a shorter way. Here there is one way."""

_is_fastpath_enabled = True


def get_fastpath_enabled() -> bool:
    """What was asked for."""
    return _is_fastpath_enabled


def set_fastpath_enabled(value: bool) -> None:
    """Remembers the choice."""
    global _is_fastpath_enabled
    _is_fastpath_enabled = value
