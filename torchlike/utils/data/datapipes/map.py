"""Pipes that are indexed, and their methods."""

import copy

from ._decorator import functional_datapipe
from .datapipe import DataChunk, MapDataPipe
from .order import MapShuffler as Shuffler


class SequenceWrapper(MapDataPipe):
    """A sequence or a mapping as a pipe; with `deepcopy` a copy of it."""

    def __init__(self, sequence, deepcopy=True) -> None:
        self.sequence = copy.deepcopy(sequence) if deepcopy else sequence

    def __getitem__(self, index):
        return self.sequence[index]

    def __len__(self) -> int:
        return len(self.sequence)


@functional_datapipe("map")
class Mapper(MapDataPipe):
    """`fn` of each item."""

    def __init__(self, datapipe, fn=lambda x: x) -> None:
        self.datapipe, self.fn = datapipe, fn

    def __getitem__(self, index):
        return self.fn(self.datapipe[index])

    def __len__(self) -> int:
        return len(self.datapipe)


@functional_datapipe("concat")
class Concater(MapDataPipe):
    """One pipe after the other."""

    def __init__(self, *datapipes) -> None:
        if not datapipes:
            raise ValueError("Expected at least one DataPipe, but got nothing")
        if not all(isinstance(pipe, MapDataPipe) for pipe in datapipes):
            raise TypeError("Expected all inputs to be `MapDataPipe`")
        self.datapipes = datapipes

    def __getitem__(self, index):
        offset = 0
        for pipe in self.datapipes:
            if index - offset < len(pipe):
                return pipe[index - offset]
            offset += len(pipe)
        raise IndexError(f"Index {index} is out of range.")

    def __len__(self) -> int:
        return sum(len(pipe) for pipe in self.datapipes)


@functional_datapipe("zip")
class Zipper(Concater):
    """Tuples of one item of each pipe."""

    def __getitem__(self, index):
        return tuple(pipe[index] for pipe in self.datapipes)

    def __len__(self) -> int:
        return min(len(pipe) for pipe in self.datapipes)


@functional_datapipe("batch")
class Batcher(MapDataPipe):
    """So many items at a time."""

    def __init__(self, datapipe, batch_size, drop_last=False, wrapper_class=DataChunk) -> None:
        if batch_size <= 0:
            raise AssertionError("Batch size is required to be larger than 0!")
        self.datapipe, self.batch_size = datapipe, batch_size
        self.drop_last, self.wrapper_class = drop_last, wrapper_class

    def __getitem__(self, index):
        start, count = index * self.batch_size, len(self.datapipe)
        if index >= len(self):
            raise IndexError(f"Index {index} is out of bound.")
        stop = min(start + self.batch_size, count)
        return self.wrapper_class([self.datapipe[i] for i in range(start, stop)])

    def __len__(self) -> int:
        extra = 0 if self.drop_last else self.batch_size - 1
        return (len(self.datapipe) + extra) // self.batch_size


for _class in (SequenceWrapper, Mapper, Concater, Zipper, Batcher):
    _class.__name__ = _class.__qualname__ = f"{_class.__name__}MapDataPipe"  # as they print

Shuffler.__name__ = Shuffler.__qualname__ = "ShufflerIterDataPipe"
__all__ = ["Batcher", "Concater", "Mapper", "SequenceWrapper", "Shuffler", "Zipper"]
