"""torch.xpu: Intel's GPUs, which JAX does not know: it answers as PyTorch built without them."""

from collections import OrderedDict
from typing import Any

from .core.refusals import refusing


def is_available() -> bool:
    """Whether there is one: never."""
    return False


def is_initialized() -> bool:
    """Whether one is in use: never."""
    return False


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Whether bfloat16 can be used: without a device, no."""
    return False


def is_tf32_supported() -> bool:
    """Whether products of TF32 can be used: without a device, no."""
    return False


def device_count() -> int:
    """How many there are: none."""
    return 0


def get_arch_list() -> list[str]:
    """The architectures of the build: none."""
    return []


def get_gencode_flags() -> str:
    """The flags of the build: none."""
    return ""


# ----- seeds: PyTorch keeps them for a device that may come; none does -----
def manual_seed(seed: int) -> None:
    """Seed the device's generator: without a device there is none."""


def manual_seed_all(seed: int) -> None:
    """Seed every device's generator: there is none."""


def seed() -> None:
    """Seed from the operating system: there is no generator."""


seed_all = seed
default_generators = ()


def get_rng_state_all() -> list[Any]:
    """The states of all devices' generators: none."""
    return []


# ----- memory -----
def empty_cache() -> None:
    """Free what is cached: nothing is."""


def memory_allocated(device: Any = None) -> int:
    """Bytes in use: none."""
    return 0


max_memory_allocated = memory_reserved = max_memory_reserved = memory_allocated


def memory_stats(device: Any = None) -> OrderedDict[str, Any]:
    """The allocator's counts: none."""
    return OrderedDict()


# ----- what needs a device -----
_NEEDS_DEVICE = (
    "can_device_access_peer", "current_device", "current_stream", "get_device_capability",
    "get_device_name", "get_device_properties", "get_per_process_memory_fraction", "get_rng_state",
    "get_stream_from_external", "init", "initial_seed", "mem_get_info", "set_device",
    "set_per_process_memory_fraction", "set_stream", "synchronize",
)  # fmt: skip
for _name in _NEEDS_DEVICE:
    globals()[_name] = refusing(
        _name, "Torch not compiled with XPU enabled", AssertionError, "There is no device to ask."
    )

__all__ = [
    "default_generators", "device_count", "empty_cache", "get_arch_list", "get_gencode_flags",
    "get_rng_state_all", "is_available", "is_bf16_supported", "is_initialized",
    "is_tf32_supported", "manual_seed", "manual_seed_all", "max_memory_allocated",
    "max_memory_reserved", "memory_allocated", "memory_reserved", "memory_stats", "seed",
    "seed_all",
]  # fmt: skip
__all__ += _NEEDS_DEVICE
