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
    """Forks a worker for each request, until the main process is gone."""
    # children that end are not waited for: the main process sees it at their end of the pipe
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    control = socket.socket(fileno=fd)
    while True:
        request, fds, _, _ = socket.recv_fds(control, _ID_BYTES, 5)
        if not request:
            os._exit(0)
        if os.fork() == 0:
            control.close()
            _become_worker(int.from_bytes(request, sys.byteorder), fds)
        for one in fds:
            os.close(one)


def _become_worker(worker_id: int, fds: list[int]) -> None:
    link, job, life, out, err = fds
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
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
        if self.process is not None:
            self.control.close()
            self.process.kill()
            self.process.wait()


ZYGOTE = _Zygote()
atexit.register(ZYGOTE.stop)
