"""torch.random: the default generator's state."""

from . import ops as _ops
from .core.rng import default_generator as default_generator

_SHARED = ("get_rng_state", "initial_seed", "manual_seed", "seed", "set_rng_state")
_OWN = {name: f for (where, name), f in _ops.TABLE.items() if where == "random"}
globals().update({name: getattr(_ops, name) for name in _SHARED})
globals().update(_OWN)
__all__ = sorted(["default_generator", *_SHARED, *_OWN])
