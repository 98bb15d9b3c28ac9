"""torch.multiprocessing: Python's own multiprocessing; tensors travel by value."""

import multiprocessing
from multiprocessing import *  # noqa: F403

__all__ = [*multiprocessing.__all__, "get_all_sharing_strategies", "get_sharing_strategy", "spawn"]


def get_all_sharing_strategies() -> set[str]:
    """How tensors can be shared between processes: not at all."""
    return set()


def get_sharing_strategy() -> str:
    """How tensors are shared between processes: they are copied."""
    return "copy"


def set_sharing_strategy(new_strategy: str) -> None:
    """Not supported."""
    raise NotImplementedError(f"torch.multiprocessing.set_sharing_strategy({new_strategy!r})")


def spawn(fn, args=(), nprocs=1, join=True, daemon=False, start_method="spawn"):
    """Not supported."""
    raise NotImplementedError("torch.multiprocessing.spawn is not supported")
