"""Embeddings whose weight gets a sparse gradient: the rows that were looked up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core import capture
from ..core.function_nodes import function_node
from ..core.nodes import edge_of
from ..core.record import LOCAL
from ..core.tape import no_grad
from ..core.tensor import Tensor, to_host
from .sparse_kernels import keep, pick
from .sparse_tensor import SparseTensor, constant, coo

_NODE = "SparseCooTensorWithDimsAndTensorsBackward0"


def _rows(indices: Tensor, values: Tensor, weight: Tensor, padding_idx: int) -> SparseTensor:
    """COO of a value for each index but the padding."""
    at = to_host(indices).astype(np.int64).ravel()
    kept = np.nonzero(at != padding_idx)[0]
    if len(kept) < len(at):
        values = pick(values, constant(kept), 1, "IndexSelectBackward0")
    if values.requires_grad:  # type: ignore[attr-defined]
        values = keep(values, _NODE)
    return coo(at[kept][None], values, weight.shape)


def _attached(outs: Any, name: str, back: Callable[..., Any], inputs: list[Any]) -> Any:
    """The first result, with a node that gives each input its gradient."""
    out = outs[0] if isinstance(outs, tuple) else outs
    edges = [None if x is None else edge_of(x) for x in inputs]
    out._grad_fn = function_node(name, back, edges, [out._aval])
    out._requires_grad = True
    return outs


def _wanted(*inputs: Any) -> bool:
    if capture.current() is not None:
        raise capture.Uncapturable("embedding: sparse=True, whose gradient's places are values")
    return LOCAL.state.grad_enabled and any(x is not None and x.requires_grad for x in inputs)


def _check_frequency(scale: bool) -> None:
    if scale:
        raise RuntimeError(
            "embedding_backward: scale_grad_by_freq not supported with sparse gradients"
        )


def rows_of(
    weight: Tensor, indices: Tensor, padding_idx: int, scale: bool, forward: Callable[[], Tensor]
) -> Tensor:
    """What `forward` looks up, with the sparse gradient."""
    with no_grad():
        out = forward()
    if not _wanted(weight):
        return out

    def back(grad: Any) -> list[Any]:
        _check_frequency(scale)
        size = indices.numel()  # type: ignore[attr-defined]
        return [_rows(indices, grad.reshape(size, *weight.shape[1:]), weight, padding_idx)]

    return _attached(out, "EmbeddingBackward0", back, [weight])


def bags_of(
    weight: Tensor, indices: Tensor, begins: Tensor, scales: Any, mean: bool, padding_idx: Any,
    scale: bool, forward: Callable[[], Any],
) -> Any:  # fmt: skip
    """The bags that `forward` makes, with the sparse gradient."""
    with no_grad():
        outs = forward()
    if not _wanted(weight, scales):
        return outs
    size = outs[2]

    def back(grad: Any) -> list[Any]:
        _check_frequency(scale)
        count = np.arange(len(indices))
        bag = constant(np.searchsorted(to_host(begins), count, side="right") - 1)
        each = grad[bag]
        if mean:
            each = each / size.clamp(min=1)[bag].unsqueeze(1).to(each.dtype)
        found: list[Any] = [None, None]
        if scales is not None and scales.requires_grad:
            products = (each * weight.detach()[indices]).sum(-1)  # type: ignore[attr-defined]
            found[1] = products.masked_fill(indices == padding_idx, 0)
        if weight.requires_grad:  # type: ignore[attr-defined]
            rows = each if scales is None else each * scales.unsqueeze(1)
            found[0] = _rows(indices, rows, weight, padding_idx)
        return found

    return _attached(outs, "EmbeddingBagBackward0", back, [weight, scales])
