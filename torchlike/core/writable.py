"""Whether a tensor may be written in place: PyTorch's refusals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .check import LEAF_INPLACE, LEAF_VIEW_INPLACE
from .dispatch import check_no_overlap
from .node_text import short_name
from .record import LOCAL
from .tensor import Tensor


# ----- may it be written? -----
def check_writable(t: Tensor, overlap: bool = False, sources: Sequence[Any] = ()) -> None:
    """RuntimeError (PyTorch's texts) when an in-place write is not allowed; with `overlap` the
    tensor may show an element several times."""
    check_history(t, sources)
    if t._view is not None and not overlap:
        check_no_overlap(t)


def check_history(t: Tensor, sources: Sequence[Any] = ()) -> None:
    """RuntimeError when autograd does not allow the tensor to be changed (from `sources`)."""
    state = LOCAL.state
    if t._inference and not state.inference:
        raise RuntimeError(
            "Inplace update to inference tensor outside InferenceMode is not allowed.You can make "
            "a clone to get a normal tensor before doing inplace update.See "
            "https://github.com/pytorch/rfcs/pull/17 for more details."
        )
    if not state.grad_enabled:
        return
    base = t._base_tensor
    if base is not None:
        if t._creation and any(getattr(x, "_requires_grad", False) for x in (t, base, *sources)):
            raise RuntimeError(_creation_text(t))
        if base._requires_grad and base._grad_fn is None:
            raise RuntimeError(LEAF_VIEW_INPLACE)
    elif t._requires_grad and t._grad_fn is None:
        raise RuntimeError(LEAF_INPLACE)


def _creation_text(t: Tensor, what: str = "is being modified inplace") -> str:
    mode, node = t._creation, t._grad_fn
    head = "A view was created in no_grad mode"
    if node is not None:
        head = f"Output {t._out_nr} of {short_name(node, False)} is a view"
    if mode == "multi":
        with_grad = "" if node is not None else " with grad mode enabled"
        return (
            f"{head} and {what}{with_grad}. This view is the output of a function that returns "
            "multiple views. Such functions do not allow the output views to be modified inplace. "
            "You should replace the inplace operation by an out-of-place one."
        )
    if mode == "custom":
        with_grad = "" if node is not None else " with grad mode enabled"
        return (
            f"{head} and {what}{with_grad}. This view was created inside a custom Function (or "
            "because an input was returned as-is) and the autograd logic to handle view+inplace "
            "would override the custom backward associated with the custom Function, leading to "
            "incorrect gradients. This behavior is forbidden. You can fix this by cloning the "
            "output of the custom Function."
        )
    head = f"A view was created in {mode} mode" if node is None else (
        f"{head} of a view which was created in {mode} mode"
    )
    return (
        f"{head} and {what} with grad mode enabled. Given that this use case is ambiguous and "
        "error-prone, it is forbidden. You can clarify your code by moving both the view and the "
        f"inplace either both inside the {mode} block (if you don't want the inplace to be "
        "tracked) or both outside (if you want the inplace to be tracked)."
    )


def check_captured(t: Tensor, name: str) -> None:
    """RuntimeError when a derivative of torch.func is about to write to what came from outside."""
    depth, base = LOCAL.state.transforms, t._base_tensor
    if depth and t._born != depth and (base is None or base._born != depth):
        raise RuntimeError(
            "During a grad (vjp, jvp, grad, etc) transform, the function provided attempted to "
            f"call in-place operation (aten::{name}) that would mutate a captured Tensor. This is "
            "not supported; please rewrite the function being transformed to explicitly accept the "
            "mutated Tensor(s) as inputs."
        )
