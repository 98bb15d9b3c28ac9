"""What runs in a DataLoader's worker process."""

import importlib
import importlib.util
import mmap
import os
import pickle
import random
import socket
import struct
import sys
import traceback
import types
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...core.dtypes import set_default_dtype
from ...core.rng import default_generator
from ...misc import set_num_threads
from .byvalue import ByValue, dumps
from .datapipes.datapipe import IterDataPipe, MapDataPipe
from .fetch import DatasetKind
from .graph_settings import apply_sharding, reseed

HEADER = struct.Struct("<QQ")  # bytes of the pickle, number of buffers


@dataclass(frozen=True, slots=True)
class WorkerInfo:
    """Which worker this is, and its copy of the dataset."""

    id: int
    num_workers: int
    seed: int
    dataset: Any
    rng: Any = None
    worker_method: str | None = "multiprocessing"


_worker_info: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """The worker that asks; None in the main process."""
    return _worker_info


@dataclass(frozen=True)
class StreamEnd:
    """Sent instead of a batch: this worker's stream is at its end."""

    worker_id: int


@dataclass(frozen=True)
class Resume:
    """Sent both ways: begin again, with the same dataset; its pipes get new seeds."""

    seed: int | None = None


class _Shown(str):
    """KeyError shows its argument's repr; this one's repr is readable."""

    def __repr__(self) -> str:
        return str(self)


class ExceptionWrapper:
    """An exception on its way from one process to another, with its traceback as text."""

    def __init__(self, where: str) -> None:
        kind, error, trace = sys.exc_info()
        self.exc_type = kind
        self.exc_msg = "".join(traceback.format_exception(kind, error, trace))
        self.where = where

    def reraise(self):
        text = f"Caught {self.exc_type.__name__} {self.where}.\nOriginal {self.exc_msg}"
        if self.exc_type is KeyError:
            text = _Shown(text)
        elif getattr(self.exc_type, "message", None):
            raise self.exc_type(message=text)
        try:
            error = self.exc_type(text)
        except Exception:  # it takes other arguments, which nobody here knows
            raise RuntimeError(text) from None
        raise error


# ----- messages over a socket --------------------------------------------------------------------

def send(link: socket.socket, value) -> None:
    head, buffers = dumps(value)
    sizes = np.array([buffer.nbytes for buffer in buffers], np.uint64)
    link.sendall(HEADER.pack(len(head), len(buffers)) + sizes.tobytes() + head)
    for buffer in buffers:
        link.sendall(buffer)


def receive(link: socket.socket):
    """The next message; EOFError when the other side is gone."""
    size, count = HEADER.unpack(_read(link, HEADER.size))
    sizes = np.frombuffer(_read(link, 8 * count), np.uint64).tolist()
    head = _read(link, size)
    return pickle.loads(head, buffers=[_read(link, size) for size in sizes])


def _read(link: socket.socket, size: int) -> np.ndarray:
    whole = np.empty(size, np.uint8)
    rest = memoryview(whole)
    while rest:
        count = link.recv_into(rest)
        if not count:
            raise EOFError
        rest = rest[count:]
    return whole


# ----- a job: what every worker of a loader is given, in one file that they map -------------------

@dataclass
class Job:
    """What a worker needs besides its id; `content` may be what cannot be imported."""

    content: tuple  # dataset kind, dataset, auto_collation, collate_fn, drop_last, init_fn
    base_seed: int
    num_workers: int


def write_job(file, job: Job, look: dict) -> None:
    """Two pickles: how the process should look, and, only to be read after that, the job."""
    head, buffers = dumps(job, ByValue)
    for part in (look, [buffer.nbytes for buffer in buffers], head):
        pickle.dump(part, file)
    for buffer in buffers:
        file.write(bytes(-file.tell() % 64))  # NumPy is faster on aligned memory
        file.write(buffer)
    file.flush()


def read_job(fd: int) -> Job:
    # private pages: a dataset may be written to here, and costs nothing where it is only read
    file = mmap.mmap(fd, 0, access=mmap.ACCESS_COPY)
    _dress(pickle.load(file))
    sizes, head = pickle.load(file), pickle.load(file)
    place, buffers = file.tell(), []
    for size in sizes:
        place += -place % 64
        buffers.append(memoryview(file)[place : place + size])
        place += size
    return pickle.loads(head, buffers=buffers)


def surroundings(default_dtype) -> dict:
    """The state of this process that the workers share."""
    return {
        "argv": sys.argv,
        "path": sys.path,
        "cwd": os.getcwd(),
        "environ": dict(os.environ),
        "file": getattr(sys.modules["__main__"], "__file__", None),
        "dtype": default_dtype,
    }


def _dress(look: dict) -> None:
    sys.argv[:], sys.path[:] = look["argv"], look["path"]
    os.chdir(look["cwd"])
    os.environ.clear()
    os.environ.update(look["environ"])
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    main.__file__, main.__builtins__ = look["file"], __builtins__
    set_default_dtype(look["dtype"])
    if "TORCHLIKE_ALIAS" in os.environ:
        importlib.import_module(__package__.split(".")[0]).install()


# ----- the worker --------------------------------------------------------------------------------

def seed_worker(base_seed: int, worker_id: int) -> int:
    """Seeds Python's, NumPy's and torch's generators as PyTorch does."""
    seed = base_seed + worker_id
    random.seed(seed)
    default_generator.manual_seed(seed)
    entropy = [worker_id, base_seed & 0xFFFFFFFF, base_seed >> 32, 0]
    np.random.seed(np.random.SeedSequence(entropy).generate_state(4))
    return seed


class Worker:
    """Answers a loader's requests for batches."""

    def __init__(self, link: socket.socket, worker_id: int) -> None:
        self.link, self.id = link, worker_id
        self.failure: ExceptionWrapper | None = None
        self.ended = False

    def start(self, job_fd: int) -> None:
        global _worker_info
        try:
            job = read_job(job_fd)
            *self.content, init_fn = job.content
            set_num_threads(1)
            seed = seed_worker(job.base_seed, self.id)
            _worker_info = WorkerInfo(self.id, job.num_workers, seed, self.content[1])
            if isinstance(self.content[1], IterDataPipe | MapDataPipe):
                apply_sharding(self.content[1], job.num_workers, self.id)
            if init_fn is not None:
                init_fn(self.id)
            self.fetcher = DatasetKind.create_fetcher(*self.content)
        except Exception:
            self.failure = self.wrapped()

    def wrapped(self) -> ExceptionWrapper:
        return ExceptionWrapper(f"in DataLoader worker process {self.id}")

    def serve(self) -> None:
        while True:
            place, index = receive(self.link)
            if isinstance(index, Resume):
                self.ended = False
                reseed(self.content[1], index.seed)
                self.fetcher = DatasetKind.create_fetcher(*self.content)
                self.answer(place, index)
            elif not self.ended:  # requests sent before the end was known are dropped
                self.answer(place, self.batch(index))

    def batch(self, index):
        if self.failure is not None:
            failure, self.failure = self.failure, None
            return failure
        try:
            return self.fetcher.fetch(index)
        except StopIteration:
            if self.content[0] != DatasetKind.Iterable:
                return self.wrapped()
            self.ended = True
            return StreamEnd(self.id)
        except Exception:
            return self.wrapped()

    def answer(self, place: int, data) -> None:
        try:
            send(self.link, (place, data))
        except OSError:
            raise EOFError from None
        except Exception:  # the batch, or the exception's type, does not pickle
            failure = self.wrapped()
            failure.exc_type = RuntimeError
            send(self.link, (place, failure))


def run(link: socket.socket, worker_id: int, job_fd: int) -> None:
    """The life of a worker: until the loader, or its process, is gone."""
    try:
        worker = Worker(link, worker_id)
        worker.start(job_fd)
        worker.serve()
    except (EOFError, KeyboardInterrupt, ConnectionError):
        pass
