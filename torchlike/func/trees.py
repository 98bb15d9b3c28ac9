"""torch.return_types as trees: what sort or max returns can be mapped over."""

from ..ops import return_types
from ..utils._pytree import SUPPORTED_NODES, register_pytree_node


def _register(kind: type) -> None:
    if kind not in SUPPORTED_NODES:
        register_pytree_node(kind, lambda made: (list(made), None), lambda items, _: kind(*items))


for _kind in vars(return_types).values():
    if isinstance(_kind, type) and issubclass(_kind, return_types.NamedTuple):
        if _kind is not return_types.NamedTuple:
            _register(_kind)
