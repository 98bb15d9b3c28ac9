"""torch.sparse: its functions, from the op table, and the switch of its checks."""

from .ops import TABLE
from .ops.sparse_checks import check_sparse_tensor_invariants

__all__ = sorted(name for where, name in TABLE if where == "sparse")
globals().update({name: TABLE["sparse", name] for name in __all__})
__all__ += ["check_sparse_tensor_invariants"]
