"""DataLoader, in this process or over worker processes."""

import math
import multiprocessing
import multiprocessing.context
import os
import warnings
from collections.abc import Callable, Iterable
from typing import Any, Generic

from .collate import default_collate, default_convert
from .datapipes.datapipe import IterDataPipe
from .dataset import Dataset, Item, IterableDataset
from .fetch import DatasetKind
from .graph_settings import apply_shuffle_settings
from .iterate import DataLoaderIter, LocalIter
from .sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler
from .worker import get_worker_info as get_worker_info
from .workers import WorkerIter
from .zygote import ZYGOTE

_FIXED = ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers")
_TOO_MANY_WORKERS = (
    "This DataLoader will create {} worker processes in total. {} "
    "Please be aware that excessive worker creation might get DataLoader running slow or even "
    "freeze, lower the worker number to avoid potential slowness/freeze if necessary."
)
_SUGGESTED_WORKERS = (
    "Our suggested max number of worker in current system is {}{}, "
    "which is smaller than what this DataLoader is going to create."
)


class InfiniteSampler(Sampler):
    """None for ever: the sampler of a stream."""

    def __iter__(self):
        while True:
            yield None


def _check_workers(num_workers, timeout, prefetch_factor, persistent_workers) -> None:
    if num_workers < 0:
        raise ValueError(
            "num_workers option should be non-negative; "
            "use num_workers=0 to disable multiprocessing."
        )
    if timeout < 0:
        raise ValueError("timeout option should be non-negative")
    if num_workers == 0 and prefetch_factor is not None:
        raise ValueError(
            "prefetch_factor option could only be specified in multiprocessing."
            "let num_workers > 0 to enable multiprocessing, "
            "otherwise set prefetch_factor to None."
        )
    if prefetch_factor is not None and prefetch_factor < 0:
        raise ValueError("prefetch_factor option should be non-negative")
    if persistent_workers and num_workers == 0:
        raise ValueError("persistent_workers option needs num_workers > 0")


def _check_stream(shuffle, sampler, batch_sampler) -> None:
    options = {"shuffle": shuffle or None, "sampler": sampler, "batch_sampler": batch_sampler}
    for name, value in options.items():
        if value is not None:
            raise ValueError(
                f"DataLoader with IterableDataset: expected unspecified {name} option, "
                f"but got {name}={value}"
            )


def _check_batching(batch_size, shuffle, sampler, batch_sampler, drop_last) -> None:
    if sampler is not None and shuffle:
        raise ValueError("sampler option is mutually exclusive with shuffle")
    if batch_sampler is not None:
        if batch_size != 1 or shuffle or sampler is not None or drop_last:
            raise ValueError(
                "batch_sampler option is mutually exclusive with "
                "batch_size, shuffle, sampler, and drop_last"
            )
    elif batch_size is None and drop_last:
        raise ValueError(
            "batch_size=None option disables auto-batching and is mutually exclusive with drop_last"
        )


class DataLoader(Generic[Item]):
    """Batches of a dataset. Workers are never forked from a process that runs JAX."""

    __initialized = False

    def __init__(
        self,
        dataset: Dataset[Item],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Sampler | Iterable | None = None,
        batch_sampler: Sampler[list] | Iterable[list] | None = None,
        num_workers: int = 0,
        collate_fn: Callable | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context=None,
        generator=None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
        self.dataset = dataset
        self.num_workers = num_workers
        self.prefetch_factor = 2 if num_workers and prefetch_factor is None else prefetch_factor
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.in_order = in_order
        self.generator = generator
        self._choose_order(batch_size, shuffle, sampler, batch_sampler, drop_last)
        whole = default_collate if self._auto_collation else default_convert
        self.collate_fn = whole if collate_fn is None else collate_fn
        self.persistent_workers = persistent_workers
        self.__initialized = True
        self._IterableDataset_len_called = None
        self._iterator = None
        self.check_worker_number_rationality()
        if num_workers > 0:
            ZYGOTE.warm()  # it takes as long to start as JAX takes to import

    def _choose_order(self, batch_size, shuffle, sampler, batch_sampler, drop_last) -> None:
        stream = isinstance(self.dataset, IterableDataset)
        self._dataset_kind = DatasetKind.Iterable if stream else DatasetKind.Map
        if isinstance(self.dataset, IterDataPipe):
            apply_shuffle_settings(self.dataset, shuffle)
            shuffle = False
        if stream:
            _check_stream(shuffle, sampler, batch_sampler)
        _check_batching(batch_size, shuffle, sampler, batch_sampler, drop_last)
        if batch_sampler is not None:
            batch_size, drop_last = None, False
        if sampler is None and stream:
            sampler = InfiniteSampler()
        elif sampler is None and shuffle:
            sampler = RandomSampler(self.dataset, generator=self.generator)
        elif sampler is None:
            sampler = SequentialSampler(self.dataset)
        if batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = sampler
        self.batch_sampler = batch_sampler

    def _get_iterator(self) -> DataLoaderIter:
        if self.num_workers == 0:
            return LocalIter(self)
        self.check_worker_number_rationality()
        return WorkerIter(self)

    @property
    def multiprocessing_context(self):
        return self.__multiprocessing_context

    @multiprocessing_context.setter
    def multiprocessing_context(self, context) -> None:
        if context is not None:
            context = _checked_context(context, self.num_workers)
        self.__multiprocessing_context = context

    def __setattr__(self, attr, val) -> None:
        if self.__initialized and attr in _FIXED:
            raise ValueError(
                f"{attr} attribute should not be set after "
                f"{self.__class__.__name__} is initialized"
            )
        super().__setattr__(attr, val)

    def __iter__(self) -> DataLoaderIter:
        if not self.persistent_workers or self.num_workers == 0:
            return self._get_iterator()
        if self._iterator is None:
            self._iterator = self._get_iterator()
        else:
            self._iterator._reset(self)
        return self._iterator

    @property
    def _auto_collation(self) -> bool:
        return self.batch_sampler is not None

    @property
    def _index_sampler(self):
        return self.batch_sampler if self._auto_collation else self.sampler

    def __len__(self) -> int:
        if self._dataset_kind == DatasetKind.Map:
            return len(self._index_sampler)
        length = self._IterableDataset_len_called = len(self.dataset)
        if self.batch_size is None:
            return length
        if self.drop_last:
            return length // self.batch_size
        return math.ceil(length / self.batch_size)

    def check_worker_number_rationality(self) -> None:
        """Warns when there are more workers than processors."""
        if not self.num_workers:
            return
        bound = hasattr(os, "sched_getaffinity")
        most = len(os.sched_getaffinity(0)) if bound else os.cpu_count()
        if most is None:
            advice = (
                "DataLoader is not able to compute a suggested max number of worker "
                "in current system."
            )
        elif self.num_workers > most:
            note = "" if bound else " (`cpuset` is not taken into account)"
            advice = _SUGGESTED_WORKERS.format(most, note)
        else:
            return
        warnings.warn(_TOO_MANY_WORKERS.format(self.num_workers, advice), stacklevel=2)


def _checked_context(context, num_workers: int):
    """Which start method is asked for. It decides nothing: see `workers.py`."""
    if num_workers <= 0:
        raise ValueError(
            "multiprocessing_context can only be used with multi-process loading "
            f"(num_workers > 0), but got num_workers={num_workers}"
        )
    if isinstance(context, str):
        methods = multiprocessing.get_all_start_methods()
        if context not in methods:
            raise ValueError(
                "multiprocessing_context option should specify a valid start method in "
                f"{methods!r}, but got multiprocessing_context={context!r}"
            )
        context = multiprocessing.get_context(context)
    if not isinstance(context, multiprocessing.context.BaseContext):
        raise TypeError(
            "multiprocessing_context option should be a valid context object or a string "
            f"specifying the start method, but got multiprocessing_context={context}"
        )
    return context


# PyTorch's names, for those who subclass or ask for them
_DatasetKind = DatasetKind
_collate_fn_t = Callable[[list[Any]], Any]
_InfiniteConstantSampler = InfiniteSampler
_BaseDataLoaderIter = DataLoaderIter
_SingleProcessDataLoaderIter = LocalIter
_MultiProcessingDataLoaderIter = WorkerIter
