"""torch.sparse: its functions, from the op table."""

from .ops import TABLE

__all__ = sorted(name for where, name in TABLE if where == "sparse")
globals().update({name: TABLE["sparse", name] for name in __all__})
