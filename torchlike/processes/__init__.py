"""torch.multiprocessing: Python's own, with tensors of the CPU sent as memory to share.

A tensor put into a queue, or given to a process, moves to shared memory (ops/sharing.py), and the
process that gets it looks at the same. Tensors of accelerators can't be sent.
"""

import multiprocessing
from multiprocessing import *  # noqa: F403

from .reductions import init_reductions
from .spawn import ProcessContext as ProcessContext
from .spawn import ProcessExitedException as ProcessExitedException
from .spawn import ProcessRaisedException as ProcessRaisedException
from .spawn import SpawnContext as SpawnContext
from .spawn import spawn as spawn
from .spawn import start_processes as start_processes

__all__ = ["set_sharing_strategy", "get_sharing_strategy", "get_all_sharing_strategies",
           *multiprocessing.__all__]  # fmt: skip
_STRATEGY = "file_descriptor"


def get_all_sharing_strategies() -> set[str]:
    """How tensors can be shared: by sending the descriptor of their memory."""
    return {_STRATEGY}


def get_sharing_strategy() -> str:
    """How tensors are shared."""
    return _STRATEGY


def set_sharing_strategy(new_strategy: str) -> None:
    """NotImplementedError for another strategy than file_descriptor."""
    if new_strategy == "file_system":
        raise NotImplementedError(
            "torch.multiprocessing.set_sharing_strategy: new_strategy='file_system' is not "
            "supported, memory has no name; raise the limit of open files (ulimit -n) instead"
        )
    if new_strategy != _STRATEGY:
        raise AssertionError(
            f"invalid sharing strategy {new_strategy!r}, expected one of "
            f"{get_all_sharing_strategies()}"
        )


init_reductions()
