"""Pipes that are iterated, and their methods."""

import copy

from ....core.refusals import refusing
from ..collate import default_collate
from ._decorator import functional_datapipe
from .branches import Demultiplexer, Forker, Grouper, Multiplexer
from .datapipe import DataChunk, IterDataPipe
from .files import FileLister, FileOpener, StreamReader
from .order import Sampler, ShardingFilter, Shuffler


class IterableWrapper(IterDataPipe):
    """Something iterable as a pipe; with `deepcopy` each iteration is of a copy."""

    def __init__(self, iterable, deepcopy=True) -> None:
        self.iterable, self.deepcopy = iterable, deepcopy

    def __iter__(self):
        yield from copy.deepcopy(self.iterable) if self.deepcopy else self.iterable

    def __len__(self) -> int:
        return len(self.iterable)


@functional_datapipe("map")
class Mapper(IterDataPipe):
    """`fn` of each item; or of a column of it, which the result (or `output_col`) replaces."""

    def __init__(self, datapipe, fn, input_col=None, output_col=None) -> None:
        if input_col is None and output_col is not None:
            raise ValueError("`output_col` must be None when `input_col` is None.")
        if isinstance(output_col, (list, tuple)):
            if len(output_col) > 1:
                raise ValueError("`output_col` must be a single-element list or tuple")
            output_col = output_col[0]
        self.datapipe, self.fn = datapipe, fn
        self.input_col, self.output_col = input_col, output_col

    def _apply_fn(self, data):
        given, put = self.input_col, self.output_col
        if given is None:
            return self.fn(data)
        columns = list(given) if isinstance(given, (list, tuple)) else [given]
        result = self.fn(*(data[column] for column in columns))
        made = list(data) if isinstance(data, tuple) else data
        if put == -1:
            made.append(result)
        else:
            made[columns[0] if put is None else put] = result
        for column in sorted(columns[1:], reverse=True) if put is None else ():
            del made[column]
        return tuple(made) if isinstance(data, tuple) else made

    def __iter__(self):
        for data in self.datapipe:
            yield self._apply_fn(data)

    def __len__(self) -> int:
        return len(self.datapipe)


@functional_datapipe("collate")
class Collator(Mapper):
    """Batches made into tensors."""

    def __init__(self, datapipe, conversion=None, collate_fn=None) -> None:
        if isinstance(conversion, dict):
            raise NotImplementedError("collate: conversion of columns is not supported")
        super().__init__(datapipe, conversion or collate_fn or default_collate)


@functional_datapipe("filter")
class Filter(IterDataPipe):
    """The items for which `filter_fn`, of the item or of columns, is true."""

    def __init__(self, datapipe, filter_fn, input_col=None) -> None:
        self.datapipe, self.filter_fn, self.input_col = datapipe, filter_fn, input_col

    def _keeps(self, data) -> bool:
        given = self.input_col
        columns = given if isinstance(given, (list, tuple)) else [given]
        inputs = [data] if given is None else [data[column] for column in columns]
        kept = self.filter_fn(*inputs)
        if not isinstance(kept, bool):
            raise ValueError(
                "Boolean output is required for `filter_fn` of FilterIterDataPipe, got",
                type(kept),
            )
        return kept

    def __iter__(self):
        for data in self.datapipe:
            if self._keeps(data):
                yield data


@functional_datapipe("batch")
class Batcher(IterDataPipe):
    """So many items at a time."""

    def __init__(self, datapipe, batch_size, drop_last=False, wrapper_class=DataChunk) -> None:
        if batch_size <= 0:
            raise AssertionError("Batch size is required to be larger than 0!")
        self.datapipe, self.batch_size = datapipe, batch_size
        self.drop_last, self.wrapper_class = drop_last, wrapper_class

    def __iter__(self):
        batch = []
        for item in self.datapipe:
            batch.append(item)
            if len(batch) == self.batch_size:
                yield self.wrapper_class(batch)
                batch = []
        if batch and not self.drop_last:
            yield self.wrapper_class(batch)

    def __len__(self) -> int:
        extra = 0 if self.drop_last else self.batch_size - 1
        return (len(self.datapipe) + extra) // self.batch_size


@functional_datapipe("unbatch")
class UnBatcher(IterDataPipe):
    """The items of batches, `unbatch_level` deep; -1 means all the way."""

    def __init__(self, datapipe, unbatch_level=1) -> None:
        self.datapipe, self.unbatch_level = datapipe, unbatch_level

    def __iter__(self):
        if self.unbatch_level < -1:
            raise ValueError("unbatch_level must be -1 or >= 0")
        for item in self.datapipe:
            yield from self._items(item, self.unbatch_level)

    def _items(self, item, level):
        if level == -1:
            whole = not isinstance(item, list)
        else:
            whole = level == 0
            if not whole and not isinstance(item, list):
                raise IndexError(f"unbatch_level {self.unbatch_level} exceeds the depth of the "
                                 "DataPipe")  # fmt: skip
        if whole:
            yield item
            return
        for inner in item:
            yield from self._items(inner, level if level == -1 else level - 1)


class _OfSeveral(IterDataPipe):
    _name = ""

    def __init__(self, *datapipes) -> None:
        if not all(isinstance(pipe, IterDataPipe) for pipe in datapipes):
            raise TypeError(f"All inputs are required to be `IterDataPipe`{self._name}.")
        self.datapipes = datapipes


@functional_datapipe("zip")
class Zipper(_OfSeveral):
    """Tuples of one item of each pipe, to the end of the shortest."""

    _name = " for `ZipIterDataPipe`"

    def __iter__(self):
        yield from zip(*self.datapipes)

    def __len__(self) -> int:
        return min(len(pipe) for pipe in self.datapipes)


@functional_datapipe("concat")
class Concater(_OfSeveral):
    """One pipe after the other."""

    def __init__(self, *datapipes) -> None:
        if not datapipes:
            raise ValueError("Expected at least one DataPipe, but got nothing")
        super().__init__(*datapipes)

    def __iter__(self):
        for pipe in self.datapipes:
            yield from pipe

    def __len__(self) -> int:
        return sum(len(pipe) for pipe in self.datapipes)


_PIPES = (
    Batcher, Collator, Concater, Demultiplexer, FileLister, FileOpener, Filter, Forker, Grouper,
    IterableWrapper, Mapper, Multiplexer, Sampler, ShardingFilter, Shuffler, StreamReader,
    UnBatcher, Zipper,
)  # fmt: skip
__all__ = [*(_class.__name__ for _class in _PIPES), "RoutedDecoder"]
for _class in _PIPES:
    _class.__name__ = _class.__qualname__ = f"{_class.__name__}IterDataPipe"  # as they print

RoutedDecoder = refusing(
    "RoutedDecoder", "torch.utils.data.datapipes.iter.RoutedDecoder is not supported"
)
IterDataPipe.register_function("routed_decode", RoutedDecoder)
