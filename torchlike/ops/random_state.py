"""torch.random: seeds, and generator states as tensors."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

from ..core import device as devices
from ..core import dtypes
from ..core.op import composite
from ..core.rng import Generator, default_generator, generator_of, manual_seed_all
from ..core.tensor import Tensor, from_host, to_host

WORKER = threading.local()  # a data loader's worker thread keeps its generator here

# ----- the state of a Generator -----


def _get_state(self: Generator) -> Tensor:
    """The state as a uint8 tensor, byte for byte PyTorch's."""
    return from_host(self.save())


def _set_state(self: Generator, new_state: Tensor, /) -> Generator:
    if not isinstance(new_state, Tensor):
        kind = type(new_state).__name__
        raise TypeError(f"expected a torch.ByteTensor, but got {kind}")
    if new_state.dtype is not dtypes.uint8 or new_state.device.type != "cpu":
        raise TypeError("RNG state must be a torch.ByteTensor")
    if not new_state.is_contiguous():
        raise RuntimeError("RNG state must be contiguous")
    return self.load(to_host(new_state))


def _rebuild(device: devices.device, state: Tensor) -> Generator:
    return Generator(device).set_state(state)


def _reduce(self: Generator) -> tuple:
    return _rebuild, (self.device, self.get_state())


Generator.get_state = _get_state
Generator.set_state = _set_state
def _restore(self: Generator, state: tuple) -> None:
    """As PyTorch's files hold it: seed, offset (of other devices), state."""
    self.set_state(state[-1])


Generator.__reduce__ = _reduce
Generator.__setstate__ = _restore


# ----- the default generator -----


@composite
def manual_seed(seed):
    """Seed the default generator of every device."""
    return manual_seed_all(int(seed))


@composite
def seed():
    """Seed the default generators from the operating system; the seed is returned."""
    value = default_generator.seed()
    manual_seed_all(value)
    return value


@composite
def initial_seed():
    """The CPU's last seed."""
    return default_generator.initial_seed()


@composite
def get_rng_state():
    """The CPU generator's state, as bytes."""
    return default_generator.get_state()


@composite
def set_rng_state(new_state):
    """Restore the CPU generator's state."""
    default_generator.set_state(new_state)


@composite(module="random")
@contextlib.contextmanager
def fork_rng(
    devices: Any = None,
    enabled: bool = True,
    _caller: str = "fork_rng",
    _devices_kw: str = "devices",
    device_type: str | None = None,
) -> Iterator[None]:
    """Put the default generators back as they were when the block ends."""
    if not enabled or device_type == "meta":
        yield
        return
    generators = [default_generator, *_accelerators(devices, device_type)]
    states = [generator.save() for generator in generators]
    try:
        yield
    finally:
        for generator, state in zip(generators, states, strict=True):
            generator.load(state)


def _accelerators(chosen: Any, device_type: str | None) -> list[Generator]:
    kind = devices.device(device_type or devices.accelerator_name()).type
    if chosen is None:
        chosen = range(devices.count(kind))
    return [generator_of(_accelerator(kind, which)) for which in chosen]


def _accelerator(kind: str, which: Any) -> devices.device:
    return devices.resolve(devices.device(kind, which) if isinstance(which, int) else which)


@composite(module="random")
def thread_safe_generator():
    """A data loader's worker thread has a generator of its own; elsewhere None."""
    return getattr(WORKER, "generator", None)
