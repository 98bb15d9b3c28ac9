"""torch.cuda: the GPUs JAX sees, answered truthfully; without one, as PyTorch's CPU build."""

from typing import Any

import jax

from .core import device as _device
from .core.record import flush_all
from .core.rng import manual_seed_accelerators

NO_CUDA = "Torch not compiled with CUDA enabled"


def is_available() -> bool:
    """Whether JAX sees a GPU."""
    return _device.count("cuda") > 0


def device_count() -> int:
    """How many GPUs JAX sees."""
    return _device.count("cuda")


def is_initialized() -> bool:
    """Whether a GPU is in use."""
    return is_available()


def _need() -> None:
    if not is_available():
        raise AssertionError(NO_CUDA)


def current_device() -> int:
    """The index of the GPU that `cuda` means."""
    _need()
    return 0


def get_device_name(device: Any = None) -> str:
    """The GPU's name."""
    _need()
    return _device.to_jax(_device.resolve("cuda" if device is None else device)).device_kind


def set_device(device: Any) -> None:
    """Choose the GPU that `cuda` means: only the first is supported."""
    _need()
    if (device if isinstance(device, int) else _device.device(device).index or 0) != 0:
        raise NotImplementedError(f"torch.cuda.set_device: device={device!r} is not supported")


def synchronize(device: Any = None) -> None:
    """Wait until everything recorded and dispatched has run."""
    _need()
    flush_all()
    jax.effects_barrier()


def empty_cache() -> None:
    """Nothing to do: XLA's allocator keeps its pool, as PyTorch's documentation allows."""


def memory_allocated(device: Any = None) -> int:
    """Bytes in use on the GPU (0 without one)."""
    return _stat("bytes_in_use")


def max_memory_allocated(device: Any = None) -> int:
    """The most bytes in use on the GPU so far (0 without one)."""
    return _stat("peak_bytes_in_use")


def _stat(name: str) -> int:
    if not is_available():
        return 0
    stats = _device.to_jax(_device.resolve("cuda")).memory_stats() or {}
    return int(stats.get(name, 0))


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Whether bfloat16 can be used on the GPU."""
    return is_available()


def manual_seed(seed: int) -> None:
    """Seed the GPU's generator (nothing to do without a GPU)."""
    manual_seed_all(seed)


def manual_seed_all(seed: int) -> None:
    """Seed all GPUs' generators (nothing to do without a GPU)."""
    manual_seed_accelerators(seed)


# ----- streams, events and graphs: XLA schedules by itself -----
class _Unscheduled:
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(f"torch.cuda.{type(self).__name__} is not supported")


class Stream(_Unscheduled):
    """A CUDA stream: a name only."""


class Event(_Unscheduled):
    """A CUDA event: a name only."""


class CUDAGraph(_Unscheduled):
    """A CUDA graph: a name only."""


class StreamContext(_Unscheduled):
    """The choice of a CUDA stream for a block: a name only."""


class graph(_Unscheduled):  # noqa: N801 - PyTorch's name
    """The capture of a CUDA graph: a name only."""
