"""Pipes that choose which items come, and in what order."""

import random
from enum import IntEnum

from .... import ops
from ....core import dtypes
from ..sampler import SequentialSampler
from ._decorator import functional_datapipe
from .datapipe import IterDataPipe, MapDataPipe, length_of


class _Shuffled(IterDataPipe):
    """Python's generator, seeded anew for each iteration: from `set_seed`, else PyTorch's own."""

    def __init__(self) -> None:
        self._enabled, self._seed, self._rng = True, None, random.Random()

    def set_shuffle(self, shuffle=True):
        """Whether the order changes."""
        self._enabled = shuffle
        return self

    def set_seed(self, seed: int):
        """The seed of the next iteration."""
        self._seed = seed
        return self

    def _seeded(self) -> None:
        if self._enabled and self._seed is None:
            self._seed = int(ops.empty((), dtype=dtypes.int64).random_().item())
        self._rng.seed(self._seed)
        self._seed = None


@functional_datapipe("shuffle")
class Shuffler(_Shuffled):
    """Items in random order, by way of a buffer of `buffer_size`."""

    def __init__(self, datapipe, *, buffer_size: int = 10000, unbatch_level: int = 0) -> None:
        super().__init__()
        if buffer_size <= 0:
            raise AssertionError("buffer_size should be larger than 0")
        self.datapipe = datapipe.unbatch(unbatch_level=unbatch_level) if unbatch_level else datapipe
        self.buffer_size = buffer_size

    def reset(self) -> None:
        """Seed the order that comes."""
        if self._enabled:
            self._seeded()

    def __iter__(self):
        if not self._enabled:
            yield from self.datapipe
            return
        buffer = []
        for item in self.datapipe:
            if len(buffer) < self.buffer_size:
                buffer.append(item)
                continue
            at = self._rng.randint(0, len(buffer) - 1)
            chosen, buffer[at] = buffer[at], item
            yield chosen
        while buffer:
            yield buffer.pop(self._rng.randint(0, len(buffer) - 1))

    def __len__(self) -> int:
        return length_of(self, self.datapipe)


class MapShuffler(_Shuffled):
    """The items of a pipe that is indexed, in random order."""

    def __init__(self, datapipe, *, indices: list | None = None) -> None:
        super().__init__()
        self.datapipe = datapipe
        self.indices = list(range(len(datapipe))) if indices is None else indices
        self._order = self.indices

    def reset(self) -> None:
        """Choose the order that comes."""
        self._seeded()
        self._order = self._rng.sample(self.indices, len(self.indices))

    def __iter__(self):
        if not self._enabled:
            yield from (self.datapipe[index] for index in self.indices)
            return
        while self._order:
            yield self.datapipe[self._order.pop()]

    def __len__(self) -> int:
        return len(self.datapipe)


MapDataPipe.register_datapipe_as_function("shuffle", MapShuffler)


class Sampler(IterDataPipe):
    """What a sampler gives for the pipe's length."""

    def __init__(
        self, datapipe, sampler=SequentialSampler, sampler_args=None, sampler_kwargs=None
    ) -> None:
        if not hasattr(type(datapipe), "__len__"):
            raise AssertionError("Sampler class requires input datapipe implemented `__len__`")
        self.datapipe, self.sampler_args = datapipe, sampler_args or ()
        self.sampler_kwargs = {**(sampler_kwargs or {}), "data_source": datapipe}
        self.sampler = sampler(*self.sampler_args, **self.sampler_kwargs)

    def __iter__(self):
        return iter(self.sampler)

    def __len__(self) -> int:
        return length_of(self, self.sampler)


class SHARDING_PRIORITIES(IntEnum):
    """Which division is the outer one."""

    DEFAULT = 1
    DISTRIBUTED = 2
    MULTIPROCESSING = 3


@functional_datapipe("sharding_filter")
class ShardingFilter(IterDataPipe):
    """Each so-many-th item: those of this process or worker, once `apply_sharding` said so."""

    def __init__(self, source_datapipe, sharding_group_filter=None) -> None:
        self.source_datapipe = source_datapipe
        self.sharding_group_filter = sharding_group_filter
        self.groups: dict[int, tuple[int, int]] = {}
        self._count()

    def apply_sharding(
        self, num_of_instances, instance_id, sharding_group=SHARDING_PRIORITIES.DEFAULT
    ) -> None:
        """This is `instance_id` of so many."""
        if instance_id >= num_of_instances:
            raise ValueError(
                f"instance_id({instance_id}) should be smaller than "
                f"num_of_instances({num_of_instances})"
            )
        default = SHARDING_PRIORITIES.DEFAULT
        if self.groups and (sharding_group == default) != (default in self.groups):
            raise RuntimeError("ShardingFilter cannot mix DEFAULT and non DEFAULT groups")
        self.groups[sharding_group] = num_of_instances, instance_id
        self._count()

    def _count(self) -> None:
        self.num_of_instances, self.instance_id = 1, 0
        for key in sorted(self.groups, reverse=True):
            if self.sharding_group_filter in (None, key):
                count, at = self.groups[key]
                self.instance_id += self.num_of_instances * at
                self.num_of_instances *= count

    def __iter__(self):
        for i, item in enumerate(self.source_datapipe):
            if i % self.num_of_instances == self.instance_id:
                yield item

    def __len__(self) -> int:
        whole, rest = divmod(length_of(self, self.source_datapipe), self.num_of_instances)
        return whole + (self.instance_id < rest)
