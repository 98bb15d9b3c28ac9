"""torch.random: the default generator's state."""

from . import ops as _ops

__all__ = [n for n in ("fork_rng", "get_rng_state", "initial_seed", "manual_seed", "seed", "set_rng_state") if hasattr(_ops, n)]
globals().update({name: getattr(_ops, name) for name in __all__})
