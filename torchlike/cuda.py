"""torch.cuda: the GPUs JAX sees, answered truthfully; without one, as PyTorch's CPU build.

With a GPU, memory is what XLA's allocator counts (it takes a pool and keeps it).
"""

import warnings
from collections import OrderedDict
from types import SimpleNamespace
from typing import Any

import jax

from .core import device as _device
from .core.record import flush_all
from .core.refusals import refusing
from .core.rng import generator_of, manual_seed_accelerators
from .core.tensor import Tensor
from .misc import AcceleratorError as AcceleratorError
from .misc import OutOfMemoryError as OutOfMemoryError
from .ops.data import LEGACY_CUDA

NO_CUDA = "Torch not compiled with CUDA enabled"
has_half, has_magma = True, False
globals().update(LEGACY_CUDA)


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


def init() -> None:
    """Nothing to start; AssertionError without a GPU."""
    _need()


# ----- which GPU -----
def current_device() -> int:
    """The index of the GPU that `cuda` means."""
    _need()
    return 0


def _index(which: Any) -> int:
    if which is None or isinstance(which, int):
        return which or 0
    return _device.device(which).index or 0


def _of_jax(which: Any) -> Any:
    _need()
    return _device.to_jax(_device.resolve(_device.device("cuda", _index(which))))


def set_device(device: Any) -> None:
    """Choose the GPU that `cuda` means: only the first is supported."""
    _need()
    if _index(device) > 0:
        raise NotImplementedError(f"torch.cuda.set_device: device={device!r} is not supported")


class device:  # noqa: N801 - PyTorch's name
    """Choose a GPU for a block: only the first is supported; -1 chooses nothing."""

    def __init__(self, device: Any) -> None:
        self.idx = _index(device)

    def __enter__(self) -> None:
        if self.idx >= 0:
            if not is_available():
                raise RuntimeError("PyTorch was compiled without CUDA support")
            set_device(self.idx)

    def __exit__(self, *error: object) -> None:
        """Only the first can have been chosen."""


class device_of(device):  # noqa: N801 - PyTorch's name
    """Choose a tensor's GPU for a block; for a tensor on the CPU nothing."""

    def __init__(self, obj: Tensor) -> None:
        super().__init__(obj.device.index if obj.is_cuda else -1)  # type: ignore[attr-defined]


def get_device_name(device: Any = None) -> str:
    """The GPU's name."""
    return _of_jax(device).device_kind


def get_device_capability(device: Any = None) -> tuple[int, int]:
    """The GPU's compute capability, as (major, minor)."""
    major, minor = _of_jax(device).compute_capability.split(".")
    return int(major), int(minor)


def get_device_properties(device: Any = None) -> SimpleNamespace:
    """Name, capability, processors and `total_memory`: the bytes that XLA may use."""
    found = _of_jax(device)
    major, minor = get_device_capability(device)
    return SimpleNamespace(
        name=found.device_kind, major=major, minor=minor, multi_processor_count=found.core_count,
        total_memory=mem_get_info(device)[1],
    )  # fmt: skip


def get_arch_list() -> list[str]:
    """The architectures there are GPUs of."""
    return [f"sm_{a}{b}" for a, b in {get_device_capability(i) for i in range(device_count())}]


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Whether bfloat16 can be used on the GPU: XLA has it on each, emulated or not."""
    return is_available() and (including_emulation or get_device_capability() >= (8, 0))


def is_tf32_supported() -> bool:
    """Whether the GPU multiplies in TF32."""
    return is_available() and get_device_capability() >= (8, 0)


def synchronize(device: Any = None) -> None:
    """Wait until everything recorded and dispatched has run, on every device."""
    _of_jax(device)
    flush_all()
    jax.effects_barrier()


# ----- memory -----
def empty_cache() -> None:
    """Nothing to do: XLA's allocator keeps its pool, as PyTorch's documentation allows."""


def memory_stats(device: Any = None) -> OrderedDict[str, Any]:
    """What XLA's allocator counts, under its own names (nothing without a GPU)."""
    found = _of_jax(device).memory_stats() if is_available() else None
    return OrderedDict(sorted((found or {}).items()))


def memory_allocated(device: Any = None) -> int:
    """Bytes in use on the GPU (0 without one)."""
    return int(memory_stats(device).get("bytes_in_use", 0))


def max_memory_allocated(device: Any = None) -> int:
    """The most bytes in use on the GPU so far (0 without one)."""
    return int(memory_stats(device).get("peak_bytes_in_use", 0))


def memory_reserved(device: Any = None) -> int:
    """Bytes of XLA's pool on the GPU (0 without one)."""
    return int(memory_stats(device).get("pool_bytes", 0))


def max_memory_reserved(device: Any = None) -> int:
    """The most bytes of XLA's pool on the GPU so far (0 without one)."""
    return int(memory_stats(device).get("peak_pool_bytes", 0))


def memory_cached(device: Any = None) -> int:
    """The old name of `memory_reserved`."""
    _renamed("memory_cached", "memory_reserved")
    return memory_reserved(device)


def max_memory_cached(device: Any = None) -> int:
    """The old name of `max_memory_reserved`."""
    _renamed("max_memory_cached", "max_memory_reserved")
    return max_memory_reserved(device)


def _renamed(old: str, new: str) -> None:
    text = f"`torch.cuda.{old}` has been renamed to `torch.cuda.{new}`"
    warnings.warn(text, FutureWarning, stacklevel=3)


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """(free, whole) bytes of what XLA may use."""
    _need()
    stats = memory_stats(device)
    whole = int(stats.get("bytes_limit", 0))
    return whole - int(stats.get("bytes_in_use", 0)), whole


# ----- random numbers -----
def manual_seed(seed: int) -> None:
    """Seed the GPU's generator (nothing to do without a GPU)."""
    manual_seed_all(seed)


def manual_seed_all(seed: int) -> None:
    """Seed all GPUs' generators (nothing to do without a GPU)."""
    manual_seed_accelerators(seed)


def seed() -> None:
    """Seed the GPU's generator from the operating system (nothing to do without a GPU)."""
    if is_available():
        generator_of(_device.device("cuda", 0)).seed()


def seed_all() -> None:
    """Seed all GPUs' generators from the operating system, alike."""
    if is_available():
        manual_seed_accelerators(generator_of(_device.device("cuda", 0)).seed())


def initial_seed() -> int:
    """The last seed of the GPU's generator."""
    _need()
    return generator_of(_device.device("cuda", 0)).initial_seed()


def get_rng_state(device: Any = "cuda") -> Tensor:
    """The state of a GPU's generator."""
    _need()
    return generator_of(_device.device("cuda", _index(device))).get_state()  # type: ignore


def get_rng_state_all() -> list[Tensor]:
    """The states of all GPUs' generators (none without a GPU)."""
    return [get_rng_state(i) for i in range(device_count())]


def set_rng_state(new_state: Tensor, device: Any = "cuda") -> None:
    """Restore the state of a GPU's generator (nothing to do without a GPU)."""
    if is_available():
        generator_of(_device.device("cuda", _index(device))).set_state(new_state)  # type: ignore


def set_rng_state_all(new_states: Any) -> None:
    """Restore the states of all GPUs' generators."""
    for i, state in enumerate(new_states):
        set_rng_state(state, i)


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


class graph(_Unscheduled):  # noqa: N801 - PyTorch's name
    """The capture of a CUDA graph: a name only."""


class StreamContext:
    """The choice of a stream for a block: None chooses nothing, and no stream can be made."""

    def __init__(self, stream: None) -> None:
        self.stream = stream

    def __enter__(self) -> None:
        return None

    def __exit__(self, *error: object) -> None:
        return None


def stream(stream: None) -> StreamContext:
    """The choice of a stream for a block: None chooses nothing, and no stream can be made."""
    return StreamContext(stream)


_REFUSED = (
    "can_device_access_peer", "current_blas_handle", "current_stream", "default_stream",
    "get_per_process_memory_fraction", "get_sync_debug_mode", "graph_pool_handle", "ipc_collect",
    "is_current_stream_capturing", "make_graphed_callables", "memory_snapshot", "memory_summary",
    "reset_accumulated_memory_stats", "reset_max_memory_allocated", "reset_max_memory_cached",
    "reset_peak_memory_stats", "set_per_process_memory_fraction", "set_stream",
    "set_sync_debug_mode", "temperature", "utilization",
)  # fmt: skip
for _name in _REFUSED:
    globals()[_name] = refusing(
        _name, f"torch.cuda.{_name} is not supported",
        doc="Not supported: XLA schedules and counts by itself.", first=_need,
    )  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "default_generators":  # asking for the devices takes time: not before it must be
        return tuple(generator_of(_device.device("cuda", i)) for i in range(device_count()))
    raise AttributeError(f"module 'torch.cuda' has no attribute {name!r}")


__all__ = [
    "AcceleratorError", "CUDAGraph", "Event", "OutOfMemoryError", "Stream", "StreamContext",
    "current_device", "device", "device_count", "device_of", "empty_cache",
    "get_arch_list", "get_device_capability", "get_device_name", "get_device_properties",
    "get_rng_state", "get_rng_state_all", "graph", "has_half", "has_magma", "init",
    "initial_seed", "is_available", "is_bf16_supported", "is_initialized", "is_tf32_supported",
    "manual_seed", "manual_seed_all", "max_memory_allocated", "max_memory_cached",
    "max_memory_reserved", "mem_get_info", "memory_allocated", "memory_cached", "memory_reserved",
    "memory_stats", "seed", "seed_all", "set_device", "set_rng_state", "set_rng_state_all",
    "stream", "synchronize", *_REFUSED, *LEGACY_CUDA,
]  # fmt: skip
