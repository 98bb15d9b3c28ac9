"""torch.distributed.nn: collectives with gradients: names only."""

from types import SimpleNamespace

from . import _refused

_NAMES = ("all_gather", "all_reduce", "all_to_all", "broadcast", "gather", "reduce", "scatter")
functional = SimpleNamespace(**{name: _refused(name) for name in _NAMES})
globals().update(vars(functional))
__all__ = ["functional", *_NAMES]
