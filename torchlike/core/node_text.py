"""How PyTorch's messages name nodes and the tensors they saved."""

from __future__ import annotations

import re
from typing import Any

from .storage import Aval

AS_STRIDED = "AsStrided"  # the name of a view's node once its base was written to

def short_name(node: Any, renewed: bool = True) -> str:
    """The op a node is of, as PyTorch's messages name it: `Exp` for `ExpBackward0`."""
    plan = getattr(node, "plan", None)
    if renewed and plan is not None and plan.op.view:
        return AS_STRIDED
    return re.sub(r"Backward\d*$", "", node.name())


def modified_text(
    aval: Aval, edge: Any, counter: Any, before: int, now: int, writer: str = ""
) -> str:
    """PyTorch's message about a saved tensor that was written to."""
    number, made_by = (0, "") if edge is None else (edge[1], short_name(edge[0]))
    writer = writer or made_by
    last = getattr(counter, "writer", None)
    if last is not None and last[2] > before and writer != AS_STRIDED:
        number, writer, _ = last
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
