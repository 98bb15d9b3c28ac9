"""torch.linalg: its functions, from the op table."""

from .ops import TABLE
from .ops.decomp import LinAlgError as LinAlgError

__all__ = sorted(name for where, name in TABLE if where == "linalg")
globals().update({name: TABLE["linalg", name] for name in __all__})
