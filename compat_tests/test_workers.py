"""DataLoader with worker processes: batches, seeds and errors as in PyTorch; processes that end."""

import collections
import contextlib
import dataclasses
import enum
import functools
import os
import random
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

# PyTorch forks where threads may run, and warns of it on new Pythons; torchlike never does
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def noisy_rows(torch):
    """A dataset of a class that no other process can import, with numbers from every generator."""

    class Base(torch.utils.data.Dataset):
        def __len__(self):
            return 13

    class Rows(Base):
        def __init__(self):
            super().__init__()
            self.table = torch.arange(26.0).reshape(13, 2)

        def __getitem__(self, index):
            info = torch.utils.data.get_worker_info()
            drawn = torch.rand(1), np.random.rand(), random.random()
            return self.table[index] * 10, *drawn, info.id, info.num_workers, info.seed

    return Rows()


def stream(torch):
    class Stream(torch.utils.data.IterableDataset):
        def __iter__(self):
            worker = torch.utils.data.get_worker_info().id
            return iter(range(worker * 100, worker * 100 + (5 if worker == 0 else 9)))

    return Stream()


OPTIONS = {
    "plain": {},
    "persistent": {"persistent_workers": True},
    "prefetch": {"prefetch_factor": 5},
    "init": {"worker_init_fn": lambda worker_id: np.random.seed(worker_id)},
    "collate": {"collate_fn": lambda batch: batch},
    "drop_last": {"drop_last": True},
    "context": {"multiprocessing_context": "fork"},
}


@pytest.mark.parametrize("kind", [noisy_rows, stream])
@pytest.mark.parametrize("options", OPTIONS)
def test_passes(torch, golden, options, kind):
    torch.manual_seed(1)
    shuffle = {"shuffle": True} if kind is noisy_rows else {}
    options = OPTIONS[options] | shuffle
    loader = torch.utils.data.DataLoader(kind(torch), 3, num_workers=2, **options)
    golden([list(loader), list(loader)])
    golden(torch.rand(1).item())


def test_generator(torch, golden):
    generator = torch.Generator().manual_seed(3)
    loader = torch.utils.data.DataLoader(
        noisy_rows(torch), 4, shuffle=True, num_workers=1, generator=generator
    )
    golden([list(loader), list(loader)])
    golden(torch.rand(1, generator=generator).item())


def test_batch_memory(torch):
    """A worker's batch is written into memory of the first sample's dtype; one thread works."""
    one, data = torch.ones(2), torch.utils.data

    class Threads(data.IterableDataset):
        def __iter__(self):
            yield torch.get_num_threads()

    for kind, pair, text in [
        (TypeError, (one.long(), one), "input types can't be cast to the desired output type Long"),
        (RuntimeError, (one.clone().requires_grad_(), one), "don't support automatic different"),
    ]:
        with pytest.raises(kind, match=text):
            next(iter(data.DataLoader(pair, 2, num_workers=1)))
    loader = data.DataLoader((one, one.double()), 2, num_workers=1)
    assert next(iter(loader)).dtype is torch.float32
    assert list(data.DataLoader(Threads(), num_workers=1)) == [1]


def test_out_of_order(torch):
    class Slow(torch.utils.data.Dataset):
        def __len__(self):
            return 6

        def __getitem__(self, index):
            time.sleep(0.5 * (index == 0))
            return index

    options = {"batch_size": None, "num_workers": 2}
    assert list(torch.utils.data.DataLoader(Slow(), **options)) == [0, 1, 2, 3, 4, 5]
    late = list(torch.utils.data.DataLoader(Slow(), in_order=False, **options))
    assert sorted(late) == [0, 1, 2, 3, 4, 5] and late[0] == 1


class Odd(Exception):
    def __init__(self, first, second):
        super().__init__(first, second)


def failing(torch, how):
    class Failing(torch.utils.data.Dataset):
        def __len__(self):
            return 8

        def __getitem__(self, index):
            if index == 5:
                how()
            return index

    return Failing()


def fail(kind, *args):
    raise kind(*args)


FAILURES = {
    "ValueError": functools.partial(fail, ValueError, "no"),
    "KeyError": functools.partial(fail, KeyError, "no"),
    "Odd": functools.partial(fail, Odd, 1, 2),
    "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "exits": lambda: os._exit(3),
    "late": lambda: time.sleep(60),
}


@pytest.mark.parametrize("name", FAILURES)
def test_failure(torch, golden, name):
    timeout = 1 if name == "late" else 0
    loader = torch.utils.data.DataLoader(
        failing(torch, FAILURES[name]), 2, num_workers=2, collate_fn=list, timeout=timeout
    )
    with pytest.raises(Exception) as caught:
        list(loader)
    lines = str(caught.value).splitlines()
    text = " ".join("#" if word.rstrip(")").isdigit() else word for word in lines[0].split())
    golden([type(caught.value).__name__, text, lines[-1] if lines[1:] else ""])


def test_failure_in_worker_init_fn(torch, golden):
    loader = torch.utils.data.DataLoader(
        [1], num_workers=1, worker_init_fn=functools.partial(fail, ValueError)
    )
    with pytest.raises(ValueError) as caught:
        list(loader)
    golden(str(caught.value).splitlines()[0])


def test_batch_that_does_not_pickle(torch):
    class Unpicklable(torch.utils.data.Dataset):
        def __len__(self):
            return 1

        def __getitem__(self, index):
            return lambda: index

    if "torchlike" not in torch.__name__:
        pytest.skip("PyTorch waits for ever")
    with pytest.raises(RuntimeError, match="Can't (pickle|get) local object"):
        list(torch.utils.data.DataLoader(Unpicklable(), num_workers=1, collate_fn=list))


def test_tensor_with_history(torch, golden):
    class Grown(torch.utils.data.Dataset):
        def __len__(self):
            return 1

        def __getitem__(self, index):
            return torch.ones(2, requires_grad=True) * 2

    if "torchlike" not in torch.__name__:
        pytest.skip("PyTorch waits for ever")
    with pytest.raises(RuntimeError, match="Cowardly refusing to serialize non-leaf tensor"):
        list(torch.utils.data.DataLoader(Grown(), None, num_workers=1))


def test_tensors_keep_their_kind(torch):
    leaf = torch.ones(2, requires_grad=True)
    part = torch.nn.Parameter(torch.zeros(1))
    half = torch.ones(3, dtype=torch.bfloat16)
    shared = torch.from_numpy(np.arange(6).reshape(2, 3)).T
    values = [leaf, part, half, shared, torch.tensor(2.5), torch.empty(0, 2)]
    loader = torch.utils.data.DataLoader(values, batch_size=None, num_workers=1)
    for value, got in zip(values, loader):
        assert type(got) is type(value) and got.requires_grad == value.requires_grad
        assert got.dtype == value.dtype and got.shape == value.shape and bool((got == value).all())


# ----- what travels by value ---------------------------------------------------------------------

class Color(enum.Enum):
    RED = 1

    def twice(self):
        return self.value * 2


@dataclasses.dataclass
class Settings:
    scale: int = 3
    names: list = dataclasses.field(default_factory=list)

    @functools.cached_property
    def doubled(self):
        return self.scale * 2


Point = collections.namedtuple("Point", "x y")


def make_counter():
    count = 0

    def up():
        nonlocal count
        count += 1
        return count

    return up, lambda: count


def factorial(n):
    return 1 if n < 2 else n * factorial(n - 1)


def there_and_back(value):
    """As a worker gets it, where the value's module is the script."""
    import pickle

    from torchlike.utils.data.byvalue import ByValue, dumps

    head, buffers = dumps(value, ByValue)
    return pickle.loads(head, buffers=buffers)


@pytest.fixture
def as_script(monkeypatch):
    """Makes this module's functions and classes look like those of the script that is run."""
    here = sys.modules[__name__]
    before = dict(vars(sys.modules["__main__"]))
    for value in (Color, Settings, Point, make_counter, factorial):
        monkeypatch.setattr(value, "__module__", "__main__")
    yield here
    main = vars(sys.modules["__main__"])
    for name in set(main) - set(before):
        del main[name]


def test_by_value(as_script):
    assert there_and_back(factorial) is not factorial and there_and_back(factorial)(5) == 120
    color = there_and_back(Color.RED)
    assert color is not Color.RED and color.twice() == 2 and color.name == "RED"
    settings = there_and_back(Settings(names=["a"]))
    assert type(settings) is not Settings and settings.doubled == 6
    assert [field.name for field in dataclasses.fields(settings)] == ["scale", "names"]
    assert there_and_back(Point(1, 2))._replace(x=5) == (5, 2)
    up, count = there_and_back(make_counter())
    assert (up(), up(), count()) == (1, 2, 2)


# ----- whole programs ----------------------------------------------------------------------------

UNGUARDED = """
    import torchlike as torch
    from torch_free import *

    class Squares(torch.utils.data.Dataset):
        def __len__(self):
            return 6

        def __getitem__(self, index):
            return Pair(index, index * FACTOR)

    FACTOR = 3
    loader = torch.utils.data.DataLoader(
        Squares(), 2, num_workers=2, collate_fn=lambda batch: batch
    )
    print("once")
    for batch in loader:
        assert all(type(pair) is Pair for pair in batch)
        print([tuple(pair) for pair in batch])
    loader = torch.utils.data.DataLoader(range(9), num_workers=1, persistent_workers=True)
    assert next(iter(loader)) == 0  # its worker waits when the program ends
"""
HANGING = """
    import os, sys, time
    import torchlike as torch

    class Sleepy(torch.utils.data.Dataset):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            os.write(1, b"%d\\n" % os.getpid())  # in one piece: two processes write
            time.sleep(60)

    for batch in torch.utils.data.DataLoader(Sleepy(), num_workers=2):
        pass
"""


@pytest.fixture
def start(tmp_path):
    """Starts programs in a process group of their own; none is left when the test ends."""
    programs = []

    def start(source, *options):
        (tmp_path / "torch_free.py").write_text(
            "import collections\nPair = collections.namedtuple('Pair', 'a b')\n"
        )
        script = tmp_path / "script.py"
        script.write_text(textwrap.dedent(source))
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(tmp_path)])}
        program = subprocess.Popen(
            [sys.executable, *options, str(script)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environ,
            start_new_session=True,
        )
        programs.append(program)
        return program

    yield start
    for program in programs:
        with program, contextlib.suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)


def gone(pid) -> bool:
    deadline = time.time() + 10
    while time.time() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("options", [[], ["-m", "torchlike"]])
def test_script_without_guard(start, options):
    name = "torch" if options else "torchlike as torch"
    source = UNGUARDED.replace("torchlike as torch", name)
    out, err = start(source, *options).communicate(timeout=120)
    assert out.splitlines() == [
        "once", "[(0, 0), (1, 3)]", "[(2, 6), (3, 9)]", "[(4, 12), (5, 15)]"
    ], err
    assert "Exception ignored" not in err


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_workers_do_not_outlive_the_program(start, how):
    program = start(HANGING)
    workers = [int(program.stdout.readline()) for _ in range(2)]
    # a terminal's Ctrl-C reaches every process of the group
    (os.killpg if how == signal.SIGINT else os.kill)(program.pid, how)
    _, err = program.communicate(timeout=30)
    assert program.returncode == -how
    if how == signal.SIGINT:
        assert err.count("Traceback") == 1 and err.rstrip().endswith("KeyboardInterrupt")
    assert all(map(gone, workers))
