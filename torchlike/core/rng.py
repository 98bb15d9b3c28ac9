"""Generator: PyTorch's random streams on the host, bit for bit.

The CPU stream is one sequence of MT19937 words plus one cached normal, in the 5056 state bytes of
torch.get_rng_state(). An accelerator's stream is a seed and an offset (16 bytes), as in PyTorch,
but its numbers are not those of PyTorch on a GPU.
"""

from __future__ import annotations

import secrets
import struct
from typing import Any

import numpy as np

from .device import device as Device
from .device import resolve

u32, u64 = np.uint32, np.uint64
DEFAULT_SEED = 67280421310721
_CPU_STATE, _ACCELERATOR_STATE = 5056, 16
_FEW = 512  # words that NumPy's raw call, which makes each 8 bytes wide, gives 3 us sooner
_WORD, _DOUBLE_BITS, _FLOAT_BITS = 1 << 64, u64((1 << 53) - 1), u32((1 << 24) - 1)


class _MersenneTwister:
    """The CPU engine: NumPy's MT19937, which shares PyTorch's seeding, and the spare normal."""

    def __init__(self):
        self.bits: Any = np.random.MT19937()
        self.state = np.random.RandomState(self.bits)

    def seed(self, seed: int) -> None:
        self.state.seed(seed & 0xFFFFFFFF)  # the other half of the seed is only remembered
        self.fresh = True  # get_state says position 0, not 624, before the first draw
        self.spare: float | None = None

    def words32(self, count: int) -> np.ndarray:
        self.fresh = self.fresh and count == 0
        if count < _FEW:
            return self.bits.random_raw(count).astype(u32)
        return self.state.randint(0, 1 << 32, count, dtype=u32)

    def words64(self, count: int) -> np.ndarray:
        self.fresh = self.fresh and count == 0
        if count < _FEW // 2:
            words = self.bits.random_raw(2 * count)
            return words[0::2] << u64(32) | words[1::2]
        return self.state.randint(0, 1 << 64, count, dtype=u64)

    def save(self, seed: int) -> bytes:
        key, position = self.bits.state["state"].values()
        left = 1 if position == 624 else 625 - position
        head = struct.pack("<QiiQ", seed, left, 1, 0 if self.fresh else position)
        spare = 0.0 if self.spare is None else self.spare
        tail = struct.pack("<dddi4xfB3x", 0.0, spare, 0.0, self.spare is not None, 0.0, 0)
        return head + key.astype("<u8").tobytes() + tail

    def load(self, state: bytes) -> int:
        """Restore the stream; the seed is returned."""
        seed, left, seeded, position = struct.unpack_from("<QiiQ", state)
        key = np.frombuffer(state, "<u8", 624, 24).astype(u32)
        _, spare, _, has_spare = struct.unpack_from("<dddi", state, 24 + 624 * 8)
        if not (seeded and 0 < left <= 624 and position <= 624):
            raise RuntimeError("Invalid mt19937 state")
        inner = {"key": key, "pos": 624 if left == 1 else position}
        self.bits.state = {"bit_generator": "MT19937", "state": inner}
        self.fresh = left == 1 and position == 0
        self.spare = spare if has_spare else None
        return seed


class _Counter:
    """The accelerator engine: Philox words addressed by (seed, offset)."""

    spare: float | None

    def seed(self, seed: int) -> None:
        self.key, self.offset, self.spare = seed, 0, None

    def words64(self, count: int) -> np.ndarray:
        words = np.random.Philox(key=self.key, counter=[0, self.offset, 0, 0]).random_raw(count)
        self.offset += 4  # PyTorch's offsets are multiples of 4
        return np.atleast_1d(words)

    def words32(self, count: int) -> np.ndarray:
        return self.words64(-(-count // 2)).view(u32)[:count]

    def save(self, seed: int) -> bytes:
        return struct.pack("<QQ", seed, self.offset)

    def load(self, state: bytes) -> int:
        self.key, self.offset = struct.unpack("<QQ", state)
        self.spare = None
        return self.key


def _checked_seed(seed: int) -> int:
    if type(seed) is not int:
        raise RuntimeError(f"manual_seed expected a long, but got {type(seed).__name__}")
    if not -(1 << 63) <= seed < _WORD:
        raise ValueError("Overflow when unpacking long long")
    return seed % _WORD


class Generator:
    """A stream of random numbers. Its state as a Tensor is added where tensors exist."""

    get_state: Any  # these three by ops.random_state
    set_state: Any
    __setstate__: Any

    __module__ = "torch._C"

    def __init__(self, device: Device | str | int | None = "cpu"):
        if not isinstance(device, Device | str | int | None):
            raise TypeError(
                "Generator(): argument 'device' (position 1) must be torch.device, not "
                f"{type(device).__name__}"
            )
        self._device = resolve("cpu" if device is None else device)
        if self._device.type == "meta":
            raise RuntimeError("META device type not an accelerator.")
        self._engine = _MersenneTwister() if self._device.type == "cpu" else _Counter()
        self.manual_seed(DEFAULT_SEED)

    @property
    def device(self) -> Device:
        return self._device

    def manual_seed(self, seed: int, /) -> Generator:
        self._seed = _checked_seed(seed)
        self._engine.seed(self._seed)
        return self

    def seed(self) -> int:
        self.manual_seed(secrets.randbits(64))
        return self._seed

    def initial_seed(self) -> int:
        return self._seed

    # ----- state -----

    def save(self) -> np.ndarray:
        """The state as bytes: what get_state() returns as a tensor."""
        return np.frombuffer(self._engine.save(self._seed), np.uint8).copy()

    def load(self, state: np.ndarray) -> Generator:
        size = _CPU_STATE if self._device.type == "cpu" else _ACCELERATOR_STATE
        if state.size != size:
            kind = "CPUGeneratorImplState" if size == _CPU_STATE else "state"
            raise RuntimeError(
                f"Expected a {kind} of size {size} but found the input RNG state size to be "
                f"{state.size}"
            )
        self._seed = self._engine.load(state.tobytes())
        return self

    def clone_state(self) -> Generator:
        return Generator(self._device).load(self.save())

    __copy__ = clone_state

    def __deepcopy__(self, memo) -> Generator:
        return self.clone_state()

    def graphsafe_get_state(self) -> Generator:
        raise NotImplementedError("graphsafe_get_state is not supported in this Generator")

    def graphsafe_set_state(self, state: Generator, /) -> Generator:
        if not isinstance(state, Generator):
            raise TypeError(f"expected a Generator, but got {type(state).__name__}")
        raise NotImplementedError("graphsafe_set_state is not supported in this Generator")

    def get_offset(self) -> int:
        return self._counter().offset

    def set_offset(self, offset: int, /) -> Generator:
        self._counter().offset = offset
        return self

    def _counter(self) -> _Counter:
        if not isinstance(self._engine, _Counter):
            raise RuntimeError("CPU Generator does not use offset")
        return self._engine

    # ----- words and unit uniforms -----

    @property
    def spare(self) -> float | None:
        """The second normal of the last pair, if nothing has used it."""
        return self._engine.spare

    @spare.setter
    def spare(self, value: float | None) -> None:
        self._engine.spare = value

    def words32(self, count: int) -> np.ndarray:
        return self._engine.words32(count)

    def words64(self, count: int) -> np.ndarray:
        return self._engine.words64(count)

    def doubles(self, count: int) -> np.ndarray:
        """Uniforms of 53 bits in [0, 1)."""
        words = self._engine.words64(count)
        words &= _DOUBLE_BITS
        return _scaled(words.view(np.int64), np.float64, 2.0**-53)

    def floats(self, count: int) -> np.ndarray:
        """Uniforms of 24 bits in [0, 1)."""
        words = self._engine.words32(count)
        words &= _FLOAT_BITS
        return _scaled(words.view(np.int32), np.float32, np.float32(2.0**-24))

    def key(self) -> tuple[int, int]:
        """An accelerator's seed and offset, used up: one per draw made on the device."""
        counter = self._counter()
        counter.offset += 4
        return counter.key, counter.offset - 4


def _scaled(integers: np.ndarray, kind: type, scale: Any) -> np.ndarray:
    """Convert in place, piece by piece: fresh memory for a million floats costs 2 ms of faults."""
    floats = integers.view(kind)
    for start in range(0, len(integers), 32768):
        piece = slice(start, start + 32768)
        floats[piece] = integers[piece].astype(kind)
    floats *= scale
    return floats


# ----- the generators that functions use when none is given -----

default_generator = Generator()
_accelerators: dict[tuple[str, int], Generator] = {}
_accelerator_seed = DEFAULT_SEED


def generator_of(device: Device) -> Generator:
    """The default generator of a device."""
    if device.type in ("cpu", "meta"):
        return default_generator
    where = (device.type, device.index or 0)
    if where not in _accelerators:
        _accelerators[where] = Generator(device).manual_seed(_accelerator_seed)
    return _accelerators[where]


def manual_seed_accelerators(seed: int) -> None:
    """Seed every accelerator's default generator, also those not used yet."""
    global _accelerator_seed
    _accelerator_seed = _checked_seed(seed)
    for generator in _accelerators.values():
        generator.manual_seed(seed)


def manual_seed_all(seed: int) -> Generator:
    """torch.manual_seed: seed the default generator of every device."""
    manual_seed_accelerators(seed)
    return default_generator.manual_seed(seed)
