"""torch.mps: Apple's GPUs, which JAX does not show here: it answers as PyTorch without them."""

from .core.refusals import refusing


def is_available() -> bool:
    """Whether there is one: never."""
    return False


def device_count() -> int:
    """How many there are: none."""
    return 0


def manual_seed(seed: int) -> None:
    """Seed the device's generator: without a device there is none."""


# What asks the device, and what PyTorch says was asked.
_NEEDS_DEVICE = {
    "current_allocated_memory": "getCurrentAllocatedMemory", "empty_cache": "emptyCache",
    "driver_allocated_memory": "getDriverAllocatedMemory", "synchronize": "deviceSynchronize",
    "recommended_max_memory": "getRecommendedMaxMemory", "seed": "getDefaultGenerator",
    "get_rng_state": "getDefaultGenerator", "set_rng_state": "getDefaultGenerator",
    "set_per_process_memory_fraction": "setMemoryFraction",
}  # fmt: skip
for _name, _asked in _NEEDS_DEVICE.items():
    globals()[_name] = refusing(
        _name, f"Cannot execute {_asked}() without MPS backend.", RuntimeError,
        "There is no device to ask.",
    )  # fmt: skip

__all__ = ["device_count", "is_available", "manual_seed", *_NEEDS_DEVICE]
