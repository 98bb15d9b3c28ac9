"""How PyTorch's messages name nodes and the tensors they saved."""

from __future__ import annotations

import re
from typing import Any

from .storage import Aval

COPY_SLICES = "torch::autograd::CopySlices"
AS_STRIDED = "AsStrided"  # the name of a view's node once its base was written to


def is_view(node: Any) -> bool:
    """Whether a node is that of a view."""
    plan = getattr(node, "plan", None)
    return plan is not None and plan.op.view


def short_name(node: Any, renewed: bool = True) -> str:
    """The op a node is of, as PyTorch's messages name it: `Exp` for `ExpBackward0`."""
    if renewed and is_view(node) and type(node) is node.plan.node_class:
        return AS_STRIDED
    return re.sub(r"Backward0?(\d*)$", r"\1", node.name())


def modified_text(
    saved: Aval, edge: Any, counter: Any, before: int, now: int, writer: str = ""
) -> str:
    """PyTorch's message about a saved tensor that was written to."""
    aval = saved
    number, made_by = (0, "") if edge is None else (edge[1], short_name(edge[0]))
    writer = writer or made_by
    last = getattr(counter, "writer", None)
    if last is not None and last[2] > before and writer != AS_STRIDED:
        number, writer, _, aval = last
    if writer == COPY_SLICES and edge is not None and is_view(edge[0]):
        number, writer, aval = 0, AS_STRIDED, saved  # a view turned in place, then written to
    whence = f", which is output {number} of {writer}," if writer else ""
    name = aval.dtype.legacy or "Tensor"
    where = "cuda." if aval.device.type == "cuda" else ""
    return (
        "one of the variables needed for gradient computation has been modified by an inplace "
        f"operation: [torch.{where}{name} {list(aval.shape)}]{whence} is at version {now}; "
        f"expected version {before} instead. Hint: enable anomaly detection to find the operation "
        "that failed to compute its gradient, with torch.autograd.set_detect_anomaly(True, "
        "check_nan=False)."
    )
