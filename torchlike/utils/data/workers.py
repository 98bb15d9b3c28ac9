"""A pass over a DataLoader with worker processes: requests out, batches back in order."""

from __future__ import annotations

import atexit
import itertools
import os
import queue
import tempfile
import threading
import weakref
from typing import TYPE_CHECKING

from ...core.dtypes import get_default_dtype
from .collate import pin_memory
from .iterate import DataLoaderIter
from .worker import (
    ExceptionWrapper,
    Job,
    Resume,
    StreamEnd,
    receive,
    send,
    surroundings,
    write_job,
)
from .zygote import ZYGOTE, Process

if TYPE_CHECKING:
    from .loader import DataLoader

_GRACE = 5.0  # seconds that a worker has to finish what it is at


_live: weakref.WeakSet[WorkerIter] = weakref.WeakSet()


@atexit.register
def _end_all() -> None:
    """While modules still have what the end of a worker needs."""
    for one in list(_live):
        one._shutdown_workers()


class _Gone:
    """Put into the queue by a reader whose worker's socket has closed."""


def _read_all(process: Process, worker_id: int, batches: queue.SimpleQueue) -> None:
    """Takes batches from a worker as they come, so that it never waits to send one."""
    try:
        while True:
            batches.put((worker_id, *receive(process.link)))
    except (EOFError, OSError):
        batches.put((worker_id, None, _Gone))
    except Exception:  # a batch that cannot be unpickled here
        batches.put((worker_id, None, ExceptionWrapper("while receiving a batch")))


def _job_file():
    if hasattr(os, "memfd_create"):
        return open(os.memfd_create("torchlike-job"), "wb+")
    return tempfile.TemporaryFile()


class WorkerIter(DataLoaderIter):
    """Loads in worker processes."""

    def __init__(self, loader: DataLoader) -> None:
        super().__init__(loader)
        if loader.prefetch_factor <= 0:
            raise AssertionError(
                "prefetch_factor must be greater than 0 for MultiProcessingDataLoaderIter"
            )
        self._prefetch_factor = loader.prefetch_factor
        self._in_order = loader.in_order
        self._batches: queue.SimpleQueue = queue.SimpleQueue()
        self._workers: list[Process] = []
        self._readers: list[threading.Thread] = []
        self._shutdown = False
        _live.add(self)
        self._start(loader)
        self._reset(loader, first_iter=True)

    def _start(self, loader: DataLoader) -> None:
        content = (
            self._dataset_kind,
            self._dataset,
            self._auto_collation,
            self._collate_fn,
            self._drop_last,
            loader.worker_init_fn,
        )
        with _job_file() as file:
            job = Job(content, self._base_seed, self._num_workers)
            write_job(file, job, surroundings(get_default_dtype()))
            for worker_id in range(self._num_workers):
                process = ZYGOTE.fork(worker_id, file)
                self._workers.append(process)
                reader = threading.Thread(
                    target=_read_all, args=(process, worker_id, self._batches), daemon=True
                )
                reader.start()
                self._readers.append(reader)

    def _reset(self, loader, first_iter=False) -> None:
        super()._reset(loader, first_iter)
        self._sent = self._taken = 0  # requests sent; batches given to the user, in their order
        self._owner: dict[int, int] = {}  # request -> worker, until its batch is given
        self._early: dict[int, object] = {}  # batches that came before their turn
        self._outstanding = 0
        self._active = [True] * self._num_workers
        self._loads = [0] * self._num_workers
        self._turns = itertools.cycle(range(self._num_workers))
        if not first_iter:
            self._resume()
        for _ in range(self._prefetch_factor * self._num_workers):
            self._request()

    def _resume(self) -> None:
        """Has the workers begin again; batches of the last pass that still come are dropped."""
        for process in self._workers:
            send(process.link, (-1, Resume(self._shared_seed)))
        waiting = self._num_workers
        while waiting:
            waiting -= isinstance(self._receive()[2], Resume)

    # ----- requests --------------------------------------------------------------------------

    def _request(self) -> None:
        """Asks the next worker for the next batch, if there is one."""
        try:
            index = self._next_index()
        except StopIteration:
            return
        worker_id = self._next_worker()
        if worker_id is None:
            return
        try:
            send(self._workers[worker_id].link, (self._sent, index))
        except OSError:
            pass  # it is gone, and its reader will say so
        self._owner[self._sent] = worker_id
        self._loads[worker_id] += 1
        self._outstanding += 1
        self._sent += 1

    def _next_worker(self) -> int | None:
        most = self._prefetch_factor * self._num_workers
        for worker_id in itertools.islice(self._turns, self._num_workers):
            if not self._active[worker_id]:
                continue
            if self._in_order or self._loads[worker_id] < most // sum(self._active):
                return worker_id
        return None

    # ----- batches ---------------------------------------------------------------------------

    def _receive(self):
        try:
            worker_id, place, data = self._batches.get(timeout=self._timeout or None)
        except queue.Empty:
            raise RuntimeError(f"DataLoader timed out after {self._timeout} seconds") from None
        if data is _Gone:
            self._active[worker_id] = False
            pid = self._workers[worker_id].pid
            raise RuntimeError(f"DataLoader worker (pid(s) {pid}) exited unexpectedly")
        return worker_id, place, data

    def _skip_ended(self) -> None:
        """Passes over requests that a worker whose stream has ended will not answer."""
        while self._taken < self._sent:
            worker_id = self._owner.get(self._taken)
            if worker_id is not None:
                if self._taken in self._early or self._active[worker_id]:
                    return
                del self._owner[self._taken]
            self._taken += 1

    def _next_data(self):
        while True:
            self._skip_ended()
            if self._taken >= self._sent:
                if not self._persistent_workers:
                    self._shutdown_workers()
                raise StopIteration
            if self._taken in self._early:
                return self._give(self._taken, self._early.pop(self._taken))
            worker_id, place, data = self._receive()
            self._outstanding -= 1
            if isinstance(data, StreamEnd):
                self._active[worker_id] = False
                self._request()
            elif place == self._taken or not self._in_order or place is None:
                return self._give(place, data)
            else:
                self._early[place] = data

    def _give(self, place, data):
        worker_id = self._owner.pop(place, None)
        if worker_id is not None:
            self._loads[worker_id] -= 1
        self._request()
        if isinstance(data, ExceptionWrapper):
            data.reraise()
        return pin_memory(data) if self._pin_memory else data

    # ----- the end ---------------------------------------------------------------------------

    def _shutdown_workers(self) -> None:
        """Ends the workers: at once where they wait, after the batch they are at otherwise."""
        if self._shutdown:
            return
        self._shutdown = True
        for process in self._workers:
            process.hang_up()
        for process, reader in zip(self._workers, self._readers):
            process.join(_GRACE)
            process.terminate()
            reader.join()
            process.close()

    def __del__(self) -> None:
        if hasattr(self, "_shutdown"):
            self._shutdown_workers()
