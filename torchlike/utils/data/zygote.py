"""A process that forks workers, so that the process that runs JAX never forks.

It imports torchlike once and computes nothing: no thread of JAX is running when it forks, and a
worker starts in milliseconds with everything imported.
"""

import atexit
import os
import signal
import socket
import subprocess
import sys
import threading
from multiprocessing.connection import wait

from . import worker

_PROGRAM = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); "
    "sys.path[:] = {path!r}; from {package}.zygote import serve; serve({fd})"
)
_ID_BYTES = 4


# ----- in the zygote and in the workers ----------------------------------------------------------

def serve(fd: int) -> None:
    """Forks a worker for each request, until the main process is gone; then ends what is left."""
    control = socket.socket(fileno=fd)
    children: set[int] = set()
    while True:
        request, fds, _, _ = socket.recv_fds(control, _ID_BYTES, 5)
        _reap(children)
        if not request:
            break
        child = os.fork()
        if child == 0:
            control.close()
            _become_worker(int.from_bytes(request, sys.byteorder), fds)
        children.add(child)
        for one in fds:
            os.close(one)
    for child in children:
        os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)
    os._exit(0)


def _reap(children: set[int]) -> None:
    while children:
        pid, _ = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        children.discard(pid)


def _become_worker(worker_id: int, fds: list[int]) -> None:
    link, job, life, out, err = fds
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.dup2(out, 1)
        os.dup2(err, 2)
        os.write(life, os.getpid().to_bytes(8, sys.byteorder))
        worker.run(socket.socket(fileno=link), worker_id, job)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(0)


# ----- in the main process -----------------------------------------------------------------------

class Process:
    """A worker, seen from the main process. `life` ends when the worker does, however it ends."""

    def __init__(self, link: socket.socket, life: int) -> None:
        self.link, self.life = link, life
        pid = os.read(life, 8)
        if not pid:
            raise RuntimeError("DataLoader: a worker process could not be started")
        self.pid = int.from_bytes(pid, sys.byteorder)

    def is_alive(self) -> bool:
        return not self._ends_within(0)

    def _ends_within(self, seconds: float) -> bool:
        return bool(wait([self.life], seconds))

    def join(self, timeout: float) -> None:
        self._ends_within(timeout)

    def terminate(self) -> None:
        if self.is_alive():
            os.kill(self.pid, signal.SIGTERM)

    def hang_up(self) -> None:
        """The worker's next message, or its wait for one, will fail."""
        try:
            self.link.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it is gone already

    def close(self) -> None:
        self.link.close()
        os.close(self.life)


class _Zygote:
    """The one zygote of this process, started when it is first needed."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.process = self.control = None

    def warm(self) -> None:
        """Starts it in the background, for use a moment later."""
        if not hasattr(os, "fork") or not hasattr(socket, "send_fds"):
            raise NotImplementedError(
                "DataLoader: num_workers > 0 needs fork and Unix sockets, "
                "which this platform does not have"
            )
        with self.lock:
            if self.process is None or self.process.poll() is not None:
                self._start()

    def _start(self) -> None:
        self.control, theirs = socket.socketpair()
        program = _PROGRAM.format(path=sys.path, package=__package__, fd=theirs.fileno())
        # workers compute on the host; the accelerator is the main process's
        environ = {**os.environ, "JAX_PLATFORMS": "cpu"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", program], pass_fds=[theirs.fileno()], env=environ
        )
        theirs.close()

    def fork(self, worker_id: int, job_file) -> Process:
        """A new worker."""
        self.warm()
        ours, theirs = socket.socketpair()
        read_end, write_end = os.pipe()
        fds = [theirs.fileno(), job_file.fileno(), write_end, 1, 2]
        request = worker_id.to_bytes(_ID_BYTES, sys.byteorder)
        try:
            with self.lock:
                socket.send_fds(self.control, [request], fds)
        finally:
            theirs.close()
            os.close(write_end)
        return Process(ours, read_end)

    def stop(self) -> None:
        if self.process is None:
            return
        self.control.close()
        try:
            self.process.wait(1)
        except subprocess.TimeoutExpired:  # it is still importing
            self.process.kill()
            self.process.wait()


ZYGOTE = _Zygote()
atexit.register(ZYGOTE.stop)
