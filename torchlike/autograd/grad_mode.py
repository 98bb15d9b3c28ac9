"""torch.autograd.grad_mode: the context managers of grad mode."""

import threading
from typing import Any

from ..core.gradmode import GradMode
from ..core.tape import enable_grad as enable_grad
from ..core.tape import inference_mode as inference_mode
from ..core.tape import no_grad as no_grad
from ..core.tape import set_grad_enabled as set_grad_enabled
from ..core.tensor import Tensor, counter_of


class _Threads(threading.local):
    backward = True  # whether backward may run on threads of its own; here it never needs one


_THREADS = _Threads()


class set_multithreading_enabled(GradMode):
    """Set whether backward may use other threads: it runs on the calling one in any case."""

    def __new__(cls, mode: bool) -> Any:
        return object.__new__(cls)

    def __init__(self, mode: bool) -> None:
        self.before, self.mode = _THREADS.backward, bool(mode)
        _THREADS.backward = self.mode

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        _THREADS.backward = self.before

    def clone(self) -> "set_multithreading_enabled":
        return set_multithreading_enabled(self.mode)


def is_multithreading_enabled() -> bool:
    """What `set_multithreading_enabled` set."""
    return _THREADS.backward


class _unsafe_preserve_version_counter:
    """Inside, writes to tensors leave their versions as they are: autograd does not see them."""

    def __init__(self, tensors: Any) -> None:
        several = (tensors,) if isinstance(tensors, Tensor) else tuple(tensors)
        self.kept = [(counter_of(t), counter_of(t).version) for t in several]

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        for counter, version in self.kept:
            counter.version = version
