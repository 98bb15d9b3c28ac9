"""torch.utils.data in this process: batches, order, random numbers and errors as in PyTorch."""

import collections
import gc
import os
import pickle
import warnings

import numpy as np
import pytest

Point = collections.namedtuple("Point", "x y")


class Many:
    """What a case uses: the module's names, two tensors, and datasets over them."""

    def __init__(self, torch):
        self.torch, self.data = torch, torch.utils.data
        self.x = torch.arange(60, dtype=torch.float32).reshape(20, 3)
        self.y = torch.arange(20)
        self.rows = self.data.TensorDataset(self.x, self.y)

    def __getattr__(self, name):
        return getattr(self.data, name)

    def generator(self):
        return self.torch.Generator().manual_seed(5)

    def load(self, *args, **kwargs):
        return self.data.DataLoader(self.rows, *args, **kwargs)

    def stream(self, length=7):
        class Stream(self.data.IterableDataset):
            def __iter__(self):
                return iter(range(length))

            def __len__(self):
                return 5

            def __repr__(self):
                return "Stream"

        return Stream()

    def subset_of(self, **methods):
        return type("Mine", (self.data.Subset,), methods)([1], [0])


def both_passes(loader):
    return [list(loader), len(loader), list(loader)]


def shared(m, make):
    """Two passes that share a generator, and the state they leave."""
    generator = m.generator()
    return [*make(generator), generator.get_state()[:64]]


CASES = {
    f"batch_size={size} shuffle={shuffle} drop_last={drop}": lambda m, s=size, f=shuffle, d=drop: (
        both_passes(m.load(s, f, drop_last=d))
    )
    for size in (1, 3, 20, 64, None)
    for shuffle in (False, True)
    for drop in (False, True)
}
CASES |= {
    f"RandomSampler {count} {again}": lambda m, n=count, again=again: [
        list(m.RandomSampler(m.x, again, n)),
        *shared(m, lambda g: [list(m.RandomSampler(m.x, again, n, g))]),
    ]
    for count in (1, 20, 31, 32, 33, 64)
    for again in (False, True)
}
CASES |= {
    f"BatchSampler {length} {drop}": lambda m, n=length, d=drop: [
        list(m.BatchSampler(range(n), 3, d)),
        len(m.BatchSampler(range(n), 3, d)),
    ]
    for length in (0, 5, 6)
    for drop in (False, True)
}
CASES |= {
    f"DistributedSampler {length} {drop}": lambda m, n=length, d=drop: [
        [list(sampler), len(sampler), sampler.set_epoch(3), list(sampler)]
        for replicas in (1, 2, 7)
        for rank in range(replicas)
        for shuffle in (False, True)
        for sampler in [m.DistributedSampler(range(n), replicas, rank, shuffle, 1, d)]
    ]
    for length in (0, 5, 6)
    for drop in (False, True)
}
CASES |= {
    f"DataLoader error {options}": lambda m, o=options: m.load(**o)
    for options in [
        {"num_workers": -1},
        {"timeout": -1},
        {"prefetch_factor": 2},
        {"num_workers": 1, "prefetch_factor": -1},
        {"persistent_workers": True},
        {"shuffle": True, "sampler": [1]},
        {"batch_sampler": [1], "batch_size": 2},
        {"batch_sampler": [[1]], "drop_last": True},
        {"batch_size": None, "drop_last": True},
        {"multiprocessing_context": "spawn"},
        {"multiprocessing_context": "x", "num_workers": 1},
        {"multiprocessing_context": 4, "num_workers": 1},
        {"batch_size": 0},
        {"batch_size": 1.5},
    ]
}
CASES |= {
    f"stream {options}": lambda m, o=options: both_passes(m.DataLoader(m.stream(), **o))
    for options in [
        {},
        {"shuffle": True},
        {"shuffle": False},
        {"sampler": [1]},
        {"batch_sampler": [[1]]},
        {"batch_size": 3},
        {"batch_size": 3, "drop_last": True},
        {"batch_size": None},
    ]
}
CASES |= {
    "generator": lambda m: shared(
        m, lambda g: [list(m.load(4, True, generator=g)), list(m.load(4, True, generator=g))]
    ),
    "random_split": lambda m: [part.indices for part in m.random_split(m.rows, [5, 15])],
    "random_split fractions": lambda m: [
        part.indices for part in m.random_split(m.rows, [0.3, 0.3, 0.4], m.generator())
    ],
    "random_split empty part": lambda m: [
        part.indices for part in m.random_split(range(2), [0.3, 0.3, 0.4])
    ],
    "random_split sum": lambda m: m.random_split(range(2), [1, 2]),
    "random_split fraction": lambda m: m.random_split(range(2), [-0.5, 1.5]),
    "RandomSampler none": lambda m: m.RandomSampler(m.x, num_samples=0),
    "RandomSampler flag": lambda m: m.RandomSampler(m.x, replacement=1),
    "RandomSampler of nothing": lambda m: m.RandomSampler([]),
    "BatchSampler size": lambda m: m.BatchSampler([], True, False),
    "BatchSampler flag": lambda m: m.BatchSampler([], 3, 0),
    "WeightedRandomSampler": lambda m: [
        list(m.WeightedRandomSampler([1, 2, 3.0], 10)),
        list(m.WeightedRandomSampler([1, 2, 3.0], 3, False, m.generator())),
    ],
    "WeightedRandomSampler count": lambda m: m.WeightedRandomSampler([1, 2], 0),
    "WeightedRandomSampler flag": lambda m: m.WeightedRandomSampler([1, 2], 1, 1),
    "WeightedRandomSampler shape": lambda m: m.WeightedRandomSampler([[1, 2]], 1),
    "SubsetRandomSampler": lambda m: list(m.SubsetRandomSampler([4, 5, 6])),
    "DistributedSampler rank": lambda m: m.DistributedSampler(m.x, 2, 2),
    "sampler": lambda m: list(m.load(sampler=[3, 1], batch_size=2)),
    "sampler tensor": lambda m: list(m.load(sampler=m.torch.tensor([3, 10]), batch_size=2)),
    "sampler range": lambda m: list(m.load(sampler=[3, 100], batch_size=2)),
    "batch_sampler": lambda m: list(m.load(batch_sampler=[[1, 2], [-3], (4, 5)])),
    "subset": lambda m: list(m.DataLoader(m.Subset(m.rows, [3, 1, -1, 7]), 3)),
    "subset range": lambda m: list(m.DataLoader(m.Subset(m.rows, [3, 1, 99, 7]), 2)),
    "subset half overridden": lambda m: m.subset_of(__getitem__=lambda self, index: 0),
    "subset overridden": lambda m: list(
        m.DataLoader(
            m.subset_of(
                __getitem__=lambda self, index: 0, __getitems__=lambda self, indices: [7]
            )
        )
    ),
    "empty": lambda m: m.DataLoader([], shuffle=True),
    "too many workers": lambda m: m.load(num_workers=500).num_workers,
    "fixed attribute": lambda m: setattr(m.load(), "batch_size", 3),
    "pin_memory": lambda m: list(m.load(10, pin_memory=True, pin_memory_device="cuda")),
    "timeout": lambda m: iter(m.load(timeout=3)),
    "chain": lambda m: [
        list(m.DataLoader(m.stream() + m.stream(), 3)),
        len(m.stream() + m.stream()),
    ],
    "chain of maps": lambda m: list(m.ChainDataset([[1]])),
    "sparse batch": lambda m: m.default_collate([m.torch.eye(2).to_sparse()]),
    "concat": lambda m: [
        (joined := m.ConcatDataset([m.rows, [1, 2]]))[21],
        joined[-1],
        len(joined),
        joined.cummulative_sizes,
    ],
    "concat range": lambda m: m.ConcatDataset([[1]])[-3],
    "concat nothing": lambda m: m.ConcatDataset([]),
    "concat stream": lambda m: m.ConcatDataset([m.stream()]),
    "add": lambda m: list(m.DataLoader(m.rows + m.rows, 16)),
    "stack": lambda m: list(m.DataLoader(m.StackDataset(m.x, m.y), 3)),
    "stack named": lambda m: list(m.DataLoader(m.StackDataset(a=m.x, b=m.rows), 3)),
    "stack nothing": lambda m: m.StackDataset(),
    "stack both": lambda m: m.StackDataset([1], a=[2]),
    "stack sizes": lambda m: m.StackDataset([1], []),
    "tensor sizes": lambda m: m.TensorDataset(m.x, m.y[:3]),
    "no tensors": lambda m: len(m.TensorDataset()),
    "no __getitem__": lambda m: m.Dataset()[0],
    "rows changed between batches": lambda m: [
        [batch, m.x.add_(100)][0] for batch in m.load(9)
    ],
    "rows that require grad": lambda m: [
        type(batch.grad_fn).__name__
        for batch, _ in m.DataLoader(m.TensorDataset(m.x.requires_grad_(), m.y), 10)
    ],
}


@pytest.mark.parametrize("name", CASES)
def test_case(torch, golden, name, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    torch.manual_seed(3)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            golden(CASES[name](Many(torch)))
        except Exception as error:
            if isinstance(error, AssertionError) and "golden" in str(error):
                raise
            golden(error)
    golden([[str(one.message), one.category.__name__] for one in caught])
    golden(torch.rand(1).item())  # as many numbers were drawn


BATCHES = {
    "ints": lambda t: [1, 2],
    "floats": lambda t: [1.5, 2],
    "bools": lambda t: [True, False],
    "texts": lambda t: ["a", "b"],
    "bytes": lambda t: [b"a"],
    "none": lambda t: [None],
    "set": lambda t: [{1}],
    "tuples": lambda t: [(1, 2.0), (3, 4.0)],
    "lists": lambda t: [[1, 2], [3, 4]],
    "uneven": lambda t: [[1, 2], [3]],
    "dicts": lambda t: [{"a": 1, "b": [2, "c"]}] * 2,
    "ordered": lambda t: [collections.OrderedDict(a=1)] * 2,
    "named": lambda t: [Point(1, 2.0), Point(3, 4.0)],
    "arrays": lambda t: [np.arange(3)] * 2,
    "arrays of other shapes": lambda t: [np.arange(3), np.arange(4)],
    "array of text": lambda t: [np.array(["a"])],
    "array of objects": lambda t: [np.array([None])],
    "float32": lambda t: [np.float32(3)] * 2,
    "float64 and int": lambda t: [np.float64(2), 1],
    "dates": lambda t: [np.datetime64("2020-01-01")],
    "tensors": lambda t: [t.arange(3), t.arange(3) + 1],
    "tensors of other types": lambda t: [t.ones(2), t.ones(2, dtype=t.float64)],
    "tensors of other shapes": lambda t: [t.ones(2), t.ones(3)],
    "channels last": lambda t: [t.ones(2, 2, 3).permute(2, 0, 1)] * 2,
    "requires grad": lambda t: [t.zeros(2, requires_grad=True)] * 2,
    "zero dim": lambda t: [t.tensor(1.0), t.tensor(2.0)],
    "ranges": lambda t: [range(3)] * 2,
    "empty": lambda t: [[]],
    "big int": lambda t: [2**63],
    "int and text": lambda t: [1, "a"],
    "bytearray": lambda t: [bytearray(b"ab")],
    "one tensor": lambda t: t.arange(3),
    "int and tensor": lambda t: [1, t.arange(3)],
}


@pytest.mark.parametrize("name", BATCHES)
def test_collate(torch, golden, name):
    data = torch.utils.data
    for function in (data.default_collate, data.default_convert):
        try:
            result = function(BATCHES[name](torch))
        except Exception as error:
            result = error
        golden(result)
        if hasattr(result, "stride"):
            golden(result.stride())


def test_collate_fn_map(torch):
    from importlib import import_module

    collate = import_module(f"{torch.__name__}.utils.data._utils.collate")
    kinds = {torch.Tensor: lambda batch, *, collate_fn_map: len(batch)}
    assert collate.collate([(torch.ones(1), torch.ones(2))] * 3, collate_fn_map=kinds) == [3, 3]


def test_iterator_does_not_pickle(torch):
    iterator = iter(torch.utils.data.DataLoader([1]))
    with pytest.raises(NotImplementedError, match="cannot be pickled"):
        pickle.dumps(iterator)
    assert next(iterator) == torch.tensor([1]) and len(iterator) == 1


def test_no_reference_cycle(torch):
    gc.collect()
    gc.disable()
    try:
        m = Many(torch)
        for batch in m.load(7, shuffle=True):
            del batch
        assert gc.collect() == 0
    finally:
        gc.enable()
