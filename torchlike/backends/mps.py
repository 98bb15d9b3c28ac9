"""torch.backends.mps: not there."""


def is_built() -> bool:
    """Never."""
    return False


def is_available() -> bool:
    """Never."""
    return False


def is_macos_or_newer(major: int, minor: int) -> bool:
    """RuntimeError: there is no such backend to ask."""
    raise RuntimeError("Cannot execute isOnMacOSorNewer() without MPS backend.")


def is_macos13_or_newer(minor: int = 0) -> bool:
    """RuntimeError: there is no such backend to ask."""
    return is_macos_or_newer(13, minor)


def get_name() -> str:
    """RuntimeError: there is no such device."""
    raise RuntimeError("torch.backends.mps.get_name: there is no MPS backend")


def get_core_count() -> int:
    """RuntimeError: there is no such device."""
    raise RuntimeError("torch.backends.mps.get_core_count: there is no MPS backend")
