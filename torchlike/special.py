"""torch.special: its functions, from the op table."""

from .ops import TABLE

__all__ = sorted(name for where, name in TABLE if where == "special")
globals().update({name: TABLE["special", name] for name in __all__})
