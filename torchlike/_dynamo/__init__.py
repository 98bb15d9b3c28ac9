"""torch._dynamo: what is left of it where every function runs as Python."""

from types import SimpleNamespace

from ..compiler import OptimizedModule as OptimizedModule
from ..compiler import allow_in_graph as allow_in_graph
from ..compiler import assume_constant_result as assume_constant_result
from ..compiler import compile as optimize  # noqa: F401
from ..compiler import disable as disable
from ..compiler import is_compiling as is_compiling
from ..compiler import list_backends as list_backends
from ..compiler import reset as reset
from . import eval_frame as eval_frame

# Settings that may be written; nothing reads them.
config = SimpleNamespace(
    suppress_errors=False, cache_size_limit=8, verbose=False, capture_scalar_outputs=False,
    recompile_limit=8, accumulated_cache_size_limit=256, automatic_dynamic_shapes=True,
    optimize_ddp=True,
)  # fmt: skip


def graph_break(msg: str = "") -> None:
    """Nothing: there is no graph to break."""


def mark_dynamic(t, index, *, min=None, max=None) -> None:
    """Nothing: shapes are always those of the tensor."""


maybe_mark_dynamic = mark_dynamic


def mark_static(t, index=None) -> None:
    """Nothing: shapes are always those of the tensor."""


def mark_static_address(t, guard=False) -> None:
    """Nothing: a program finds memory by itself."""


def is_dynamo_supported() -> bool:
    """Whether bytecode can be captured: no."""
    return False


def export(f, *args, **kwargs):
    """Not supported."""
    raise NotImplementedError("torch._dynamo.export is not supported: see torchlike.export")
