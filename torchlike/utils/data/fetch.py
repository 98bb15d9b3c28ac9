"""From indices to batches."""

import numpy as np

from ... import ops
from ...core.tensor import Tensor, from_host
from .byvalue import peek
from .collate import collate_tensor_fn, default_collate, default_collate_fn_map
from .dataset import Subset, TensorDataset


class DatasetKind:
    """How a dataset is read: by index, or as a stream."""

    Map = 0
    Iterable = 1

    @staticmethod
    def create_fetcher(kind, dataset, auto_collation, collate_fn, drop_last):
        if kind == DatasetKind.Iterable:
            return IterableFetcher(dataset, auto_collation, collate_fn, drop_last)
        if auto_collation and collate_fn is default_collate:
            rows = table_of(dataset)
            if rows is not None:
                return RowFetcher(dataset, rows, collate_fn, drop_last)
        return MapFetcher(dataset, auto_collation, collate_fn, drop_last)


class Fetcher:
    def __init__(self, dataset, auto_collation, collate_fn, drop_last) -> None:
        self.dataset = dataset
        self.auto_collation = auto_collation
        self.collate_fn = collate_fn
        self.drop_last = drop_last

    def fetch(self, possibly_batched_index):
        raise NotImplementedError


class MapFetcher(Fetcher):
    def fetch(self, possibly_batched_index):
        return self.collate_fn(self._samples(possibly_batched_index))

    def _samples(self, index):
        if not self.auto_collation:
            return self.dataset[index]
        # not samples_at: PyTorch takes a __getitems__ set to None for "none"
        if getattr(self.dataset, "__getitems__", None):
            return self.dataset.__getitems__(index)
        return [self.dataset[one] for one in index]


class IterableFetcher(Fetcher):
    def __init__(self, dataset, auto_collation, collate_fn, drop_last) -> None:
        super().__init__(dataset, auto_collation, collate_fn, drop_last)
        self.dataset_iter = iter(dataset)
        self.ended = False

    def fetch(self, possibly_batched_index):
        if self.ended:
            raise StopIteration
        if not self.auto_collation:
            return self.collate_fn(next(self.dataset_iter))
        samples = []
        for _ in possibly_batched_index:
            try:
                samples.append(next(self.dataset_iter))
            except StopIteration:
                self.ended = True
                break
        if not samples or (self.drop_last and len(samples) < len(possibly_batched_index)):
            raise StopIteration
        return self.collate_fn(samples)


# ----- rows of tensors: one gather a tensor instead of one op a sample ---------------------------

def table_of(dataset) -> tuple[tuple, np.ndarray | None] | None:
    """The tensors whose rows are the samples, and which rows; None where it is not that simple."""
    rows = None
    if type(dataset) is Subset:
        dataset, rows = dataset.dataset, np.asarray(dataset.indices)
        if rows.dtype.kind != "i" or rows.ndim != 1:
            return None
    as_usual = default_collate_fn_map[Tensor] is collate_tensor_fn
    if type(dataset) is TensorDataset and as_usual and all(map(_plain, dataset.tensors)):
        return dataset.tensors, rows
    return None


def _plain(tensor) -> bool:
    # a stacked batch keeps other strides, and has other nodes in its history
    return type(tensor) is Tensor and not tensor.requires_grad and tensor.is_contiguous()


def _take(tensor, rows: np.ndarray):
    if tensor.device.type == "cpu":
        return from_host(peek(tensor).take(rows, axis=0))
    if ((rows < -len(tensor)) | (rows >= len(tensor))).any():
        raise IndexError
    return ops.index_select(tensor, 0, from_host(rows % len(tensor), tensor.device))


class RowFetcher(MapFetcher):
    """What MapFetcher gives for a TensorDataset and the default collate, by one gather a tensor."""

    def __init__(self, dataset, table, collate_fn, drop_last) -> None:
        super().__init__(dataset, True, collate_fn, drop_last)
        self.tensors, self.rows = table

    def fetch(self, possibly_batched_index):
        rows = np.asarray(possibly_batched_index)
        if rows.dtype.kind == "i" and rows.ndim == 1 and all(map(_plain, self.tensors)):
            try:
                rows = rows if self.rows is None else self.rows[rows]
                return [_take(tensor, rows) for tensor in self.tensors]
            except IndexError:
                pass  # the plain way below says it in PyTorch's words
        return super().fetch(possibly_batched_index)
