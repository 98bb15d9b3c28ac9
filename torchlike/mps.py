"""torch.mps: Apple's GPUs, of which JAX sees none here."""


def is_available() -> bool:
    """Whether there is one: never."""
    return False


def device_count() -> int:
    """How many there are: none."""
    return 0


def manual_seed(seed: int) -> None:
    """Nothing to seed."""


def empty_cache() -> None:
    """Nothing to free."""


def synchronize() -> None:
    """Nothing to wait for."""


def current_allocated_memory() -> int:
    """Bytes in use: none."""
    return 0


driver_allocated_memory = recommended_max_memory = current_allocated_memory
__all__ = ["device_count", "empty_cache", "is_available", "manual_seed", "synchronize"]
