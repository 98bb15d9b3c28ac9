"""One thread that compiles what was found hot, while the main thread goes on.

XLA releases the interpreter's lock while it compiles, tracing does not: meanwhile the lock changes
hands often, or each NumPy call of the main thread would wait for 5 ms. A job that fails is
forgotten: its window compiles in the open the next time, where the error can be seen.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import os
import queue
import sys
import threading
import time
from collections.abc import Callable

# Off: a hot window is compiled where it stands, so a run switches tiers at the same step each time.
enabled = os.environ.get("TORCHLIKE_BACKGROUND", "1") != "0"

SWITCH = 1e-4  # seconds after which the lock is asked for, while a job runs

TRIM = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
PAYS = 0.25  # seconds of compiling after which memory is given back, which takes 0.02 to 0.04

_jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
_lock = threading.Lock()
_thread: threading.Thread | None = None
_closing = False
_setting = threading.Lock()
_busy = False
_compiled = 0.0  # seconds since memory was given back
_usual = _ours = sys.getswitchinterval()


def _set_interval() -> None:
    """Set what is right now; the user's own setting is kept for when nothing is wanted of us."""
    global _usual, _ours
    with _setting:
        if (found := sys.getswitchinterval()) != _ours:
            _usual = found
        sys.setswitchinterval(min(_usual, SWITCH) if _busy else _usual)
        _ours = sys.getswitchinterval()  # as the interpreter rounds it


def submit(job: Callable[[], None]) -> None:
    """Have a job done, in the order given."""
    global _thread
    with _lock:
        if _thread is None:
            _thread = threading.Thread(target=_work, name="torchlike compiler", daemon=True)
            _thread.start()
            atexit.register(_close)
    _jobs.put(job)


def here() -> bool:
    """Whether this is the background's own thread."""
    return threading.current_thread() is _thread


def wait() -> None:
    """Return when all that was submitted is done."""
    if _thread is not None:
        done = threading.Event()
        _jobs.put(done.set)
        done.wait()


def give_back(seconds: float) -> None:
    """After compiling for so long: let the system have what was freed. glibc would keep it: half
    of what a ResNet's first steps take.
    """
    global _compiled
    _compiled += seconds
    if TRIM is not None and _compiled > PAYS:
        _compiled = 0.0
        TRIM(0)


def _work() -> None:
    global _busy
    while (job := _jobs.get()) is not None:
        _busy, started = True, time.perf_counter()
        _set_interval()
        try:
            if not _closing:
                with contextlib.suppress(Exception):
                    job()
        finally:
            _busy = False
            _set_interval()
        job = None
        give_back(time.perf_counter() - started)


def _close() -> None:
    """At exit: finish the job at hand; XLA must not be compiling in a process torn down."""
    global _closing
    _closing = True
    _jobs.put(None)
    if _thread is not None:
        _thread.join()
