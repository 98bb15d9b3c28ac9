"""torch.backends.cusparselt: not there."""


def is_available() -> bool:
    """Never."""
    return False


def version() -> None:
    """None."""


def get_max_alg_id() -> None:
    """None."""
