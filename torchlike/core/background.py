"""One thread that compiles what was found hot, while the main thread goes on.

XLA releases the interpreter's lock while it compiles, tracing does not: meanwhile the lock changes
hands often, or each NumPy call of the main thread would wait for 5 ms. A job that fails is
forgotten: its window compiles in the open the next time, where the error can be seen.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import queue
import sys
import threading
from collections.abc import Callable

# Off: a hot window is compiled where it stands, so a run switches tiers at the same step each time.
enabled = os.environ.get("TORCHLIKE_BACKGROUND", "1") != "0"

SWITCH = 1e-4  # seconds after which the lock is asked for, while a job runs

_jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
_lock = threading.Lock()
_thread: threading.Thread | None = None
_closing = False


def submit(job: Callable[[], None]) -> None:
    """Have a job done, in the order given."""
    global _thread
    with _lock:
        if _thread is None:
            _thread = threading.Thread(target=_work, name="torchlike compiler", daemon=True)
            _thread.start()
            atexit.register(_close)
    _jobs.put(job)


def wait() -> None:
    """Return when all that was submitted is done."""
    if _thread is not None:
        done = threading.Event()
        _jobs.put(done.set)
        done.wait()


def _work() -> None:
    while (job := _jobs.get()) is not None:
        usual = sys.getswitchinterval()
        sys.setswitchinterval(min(usual, SWITCH))
        try:
            if not _closing:
                with contextlib.suppress(Exception):
                    job()
        finally:
            sys.setswitchinterval(usual)


def _close() -> None:
    """At exit: finish the job at hand; XLA must not be compiling in a process torn down."""
    global _closing
    _closing = True
    _jobs.put(None)
    if _thread is not None:
        _thread.join()
