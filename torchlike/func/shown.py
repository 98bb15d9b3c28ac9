"""Tensors inside torch.func's transforms as PyTorch prints them: a wrapper for each level."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..core.nodes import edge_of
from ..core.record import LOCAL, VMAP
from ..core.storage import Storage
from ..core.tape import AccumulateGrad
from ..core.tensor import Tensor, wrap
from .batch import levels_of, whole
from .grads import leads_outside


def _text(t: Tensor, tensor_text: Callable[[Tensor], str]) -> str:
    """What `repr` shows inside a transform."""
    value = t._value_now() if t._storage.__class__ is Storage else None
    levels = levels_of(value)
    grads, vmaps = LOCAL.state.transforms, LOCAL.state.vmaps
    marks = [(i + 1 + v.depth, v) for i, v in enumerate(vmaps) if v in levels]
    marks += [(0, v) for v in levels if v not in vmaps]  # it has ended: the tensor escaped
    for depth in range(1, min(t._born, grads) + 1):
        marks.append((depth + sum(v.depth < depth for v in vmaps), None))
    plain = t
    if marks:
        plain = wrap(whole(value)) if levels else t.detach()  # type: ignore[attr-defined]
        _keep_history(t, plain)
    dim = t.__dict__.get("_entered", 0) if len(levels) == 1 else 0
    with _outside():
        text = tensor_text(plain.movedim(0, dim) if dim else plain)  # type: ignore[attr-defined]
    for number, level in sorted(marks, key=lambda mark: mark[0]):
        kind = f"GradTrackingTensor(lvl={number}, value="
        if level is not None:
            kind = f"BatchedTensor(lvl={number}, bdim={dim}, value="
        text = f"{kind}\n{textwrap.indent(text, '    ')}\n)"
    return text


def _keep_history(t: Tensor, plain: Tensor) -> None:
    """Let the innermost tensor show the history that it has outside of all transforms."""
    edge = edge_of(t)
    while edge is not None and getattr(edge[0], "border", False):
        edge = edge[0].edges[0]
    if edge is None or not leads_outside(edge, set(), of_users=True):
        return
    plain._requires_grad = True
    if not isinstance(edge[0], AccumulateGrad):
        plain._grad_fn, plain._out_nr = edge


@contextmanager
def _outside() -> Iterator[None]:
    """As if no transform were in progress."""
    state = LOCAL.state
    saved = state.vmaps, state.transforms, state.interposed
    state.vmaps, state.transforms, state.interposed = [], 0, None
    try:
        yield
    finally:
        state.vmaps, state.transforms, state.interposed = saved


VMAP["text"] = _text

