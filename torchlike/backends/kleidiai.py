"""torch.backends.kleidiai: not there."""


def is_available() -> bool:
    """Never."""
    return False
