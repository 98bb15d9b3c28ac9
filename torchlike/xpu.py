"""torch.xpu: Intel's GPUs, of which JAX sees none here."""


def is_available() -> bool:
    """Whether there is one: never."""
    return False


def is_initialized() -> bool:
    """Whether one is in use: never."""
    return False


def device_count() -> int:
    """How many there are: none."""
    return 0


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Whether bfloat16 can be used: without a device, no."""
    return False


def manual_seed(seed: int) -> None:
    """Nothing to seed."""


manual_seed_all = manual_seed


def empty_cache() -> None:
    """Nothing to free."""


def synchronize(device=None) -> None:
    """AssertionError: there is no device to wait for."""
    raise AssertionError("Torch not compiled with XPU enabled")


__all__ = ["device_count", "empty_cache", "is_available", "is_initialized", "manual_seed"]
