"""torch.backends.openmp: not there, XLA has threads of its own."""


def is_available() -> bool:
    """Never."""
    return False
