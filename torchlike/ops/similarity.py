"""Distances and similarities of vectors: normalize, cosine_similarity, pairwise_distance."""

from __future__ import annotations

from typing import Any

from ..core.dispatch import call
from ..core.dtypes import FLOAT, SCALAR_NAMES, promote_types
from ..core.mutate import write_out
from ..core.op import TABLE, Array, composite, op, publish
from ..core.tape import no_grad
from ..core.tensor import Tensor
from .norms import norm_slope, vector_norm


@composite(module="nn.functional")
def normalize(
    input: Tensor, p: float = 2.0, dim: Any = 1, eps: float = 1e-12, out: Any = None
) -> Tensor:
    """Divided by its norm along `dim`."""
    norm = input.norm(p, dim, True).clamp_min(eps).expand_as(input)
    return input / norm if out is None else write_out("div", out, input / norm)


@composite(method=False)
def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """The cosine of the angle between vectors; norms below `eps` count as `eps`."""
    kind = promote_types(x1.dtype, x2.dtype)
    if kind.category < FLOAT:
        raise RuntimeError(
            "expected common dtype to be floating point, yet common dtype is "
            f"{SCALAR_NAMES[kind]}"
        )
    x1, x2 = x1.to(kind), x2.to(kind)
    if x1.shape != x2.shape:
        x1, x2 = TABLE["torch", "broadcast_tensors"](x1, x2)
    norms = [vector_norm(x, 2, dim, True).clone() for x in (x1, x2)]
    with no_grad():  # the gradient does not know of the clamp, as in PyTorch
        for norm in norms:
            norm.clamp_min_(eps)
    return ((x1 / norms[0]) * (x2 / norms[1])).sum(dim)


@op(module=None, promote="float", name="norm_last", node="NormBackward1")
def norm_last(input: Array, p: float, keepdim: bool):
    return vector_norm.body(input, p, (input.ndim - 1,), keepdim)


@norm_last.gradient
def _(grad, input, result, p):
    return norm_slope(grad, input, float(p), result, (input.ndim - 1,))


@composite(method=False)
def pairwise_distance(
    x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """The p-norm of x1 - x2 + eps along the last dim."""
    return call(norm_last, (x1 - x2 + eps,), (p, keepdim))


for _name, _function in dict(
    cosine_similarity=cosine_similarity, pairwise_distance=pairwise_distance,
    pdist=TABLE["torch", "pdist"],
).items():  # fmt: skip
    publish("nn.functional", _name, _function)
