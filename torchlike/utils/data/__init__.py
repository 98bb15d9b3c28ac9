"""torch.utils.data: datasets, samplers and loaders."""

import importlib

from .collate import default_collate as default_collate
from .collate import default_convert as default_convert
from .dataset import ChainDataset as ChainDataset
from .dataset import ConcatDataset as ConcatDataset
from .dataset import Dataset as Dataset
from .dataset import IterableDataset as IterableDataset
from .dataset import StackDataset as StackDataset
from .dataset import Subset as Subset
from .dataset import TensorDataset as TensorDataset
from .dataset import random_split as random_split
from .distributed import DistributedSampler as DistributedSampler
from .loader import DataLoader as DataLoader
from .loader import _DatasetKind as _DatasetKind
from .sampler import BatchSampler as BatchSampler
from .sampler import RandomSampler as RandomSampler
from .sampler import Sampler as Sampler
from .sampler import SequentialSampler as SequentialSampler
from .sampler import SubsetRandomSampler as SubsetRandomSampler
from .sampler import WeightedRandomSampler as WeightedRandomSampler
from .worker import get_worker_info as get_worker_info

_PIPES = (
    "DFIterDataPipe", "DataChunk", "IterDataPipe", "MapDataPipe", "argument_validation",
    "functional_datapipe", "guaranteed_datapipes_determinism", "non_deterministic",
    "runtime_validation", "runtime_validation_disabled",
)  # fmt: skip


def __getattr__(name):  # imported when first asked for
    if name in (*_PIPES, "datapipes"):
        pipes = importlib.import_module(".datapipes", __package__)
        found = [vars(pipes.datapipe), vars(pipes._decorator), {"datapipes": pipes}]
        return next(names[name] for names in found if name in names)
    raise AttributeError(f"module 'torch.utils.data' has no attribute '{name}'")


__all__ = sorted(name for name, value in globals().items() if hasattr(value, "__qualname__")
                 and name[:2] != "__")
__all__ += _PIPES
