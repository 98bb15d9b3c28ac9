"""torch.accelerator: the device that is not the CPU, where JAX sees one (a GPU before a TPU)."""

import warnings
from collections import OrderedDict
from typing import Any

import jax

from .core import device as _device
from .core.record import flush_all
from .core.refusals import refusing

_TYPES = ("cuda", "xla")


def current_accelerator(check_available: bool = False) -> _device.device | None:
    """The accelerator's device without an index; None where there is none."""
    found = next((name for name in _TYPES if _device.count(name)), None)
    return None if found is None else _device.device(found)


def is_available() -> bool:
    """Whether JAX sees an accelerator."""
    return current_accelerator() is not None


def device_count() -> int:
    """How many of them JAX sees."""
    found = current_accelerator()
    return 0 if found is None else _device.count(found.type)


def _need() -> _device.device:
    found = current_accelerator()
    if found is None:
        raise RuntimeError("Cannot access accelerator device when none is available.")
    return found


def current_device_index() -> int:
    """The index of the one that is meant where none is given: the first."""
    _need()
    return 0


def set_device_index(device: Any, /) -> None:
    """Choose the one that is meant: only the first is supported."""
    _need()
    index = device if isinstance(device, int) else _device.device(device).index or 0
    if index != 0:
        raise NotImplementedError(f"set_device_index: device={device!r} is not supported")


def current_device_idx() -> int:
    """The old name of `current_device_index`."""
    warnings.warn("Use `current_device_index` instead.", FutureWarning, stacklevel=2)
    return current_device_index()


def set_device_idx(device: Any, /) -> None:
    """The old name of `set_device_index`."""
    warnings.warn("Use `set_device_index` instead.", FutureWarning, stacklevel=2)
    set_device_index(device)


class device_index:  # noqa: N801 - PyTorch's name
    """Choose a device for a block; None chooses nothing."""

    def __init__(self, device: int | None, /) -> None:
        self.idx = device

    def __enter__(self) -> None:
        if self.idx is not None:
            set_device_index(self.idx)

    def __exit__(self, *_: object) -> None:
        """Only the first can have been chosen."""


def synchronize(device: Any = None, /) -> None:
    """Wait until everything recorded and dispatched has run."""
    _need()
    flush_all()
    jax.effects_barrier()


def empty_cache() -> None:
    """Nothing to do: XLA's allocator keeps its pool."""
    _need()


def _stats(device: Any = None) -> dict[str, int]:
    index = device if isinstance(device, int) else None
    if device is not None and index is None:
        index = _device.device(device).index
    found = _device.to_jax(_device.device(_need().type, index or 0))
    return found.memory_stats() or {}


def memory_stats(device_index: Any = None, /) -> OrderedDict[str, Any]:
    """What XLA's allocator counts, under its own names."""
    return OrderedDict(sorted(_stats(device_index).items()))


def memory_allocated(device_index: Any = None, /) -> int:
    """Bytes in use."""
    return int(_stats(device_index).get("bytes_in_use", 0))


def max_memory_allocated(device_index: Any = None, /) -> int:
    """The most bytes in use so far."""
    return int(_stats(device_index).get("peak_bytes_in_use", 0))


def memory_reserved(device_index: Any = None, /) -> int:
    """Bytes that XLA's allocator holds."""
    return int(_stats(device_index).get("pool_bytes", 0))


def get_memory_info(device_index: Any = None, /) -> tuple[int, int]:
    """(free, whole) bytes of what XLA may use."""
    stats = _stats(device_index)
    whole = int(stats.get("bytes_limit", 0))
    return whole - int(stats.get("bytes_in_use", 0)), whole


_REFUSED = (
    "Graph", "current_stream", "empty_host_cache", "get_device_capability", "max_memory_reserved",
    "reset_accumulated_memory_stats", "reset_peak_memory_stats", "set_stream",
)  # fmt: skip
for _name in _REFUSED:
    globals()[_name] = refusing(
        _name, f"torch.accelerator.{_name} is not supported",
        doc="Not supported: XLA schedules and counts by itself.", first=_need,
    )  # fmt: skip

__all__ = [
    "current_accelerator", "current_device_idx", "current_device_index", "device_count",
    "device_index", "empty_cache", "get_memory_info", "is_available", "max_memory_allocated",
    "memory_allocated", "memory_reserved", "memory_stats", "set_device_idx", "set_device_index",
    "synchronize",
]  # fmt: skip
__all__ += _REFUSED
