"""Distances and similarities of vectors: normalize, cosine_similarity, pairwise_distance."""

from __future__ import annotations

from typing import Any

from ..core.dispatch import call
from ..core.dtypes import FLOAT, SCALAR_NAMES, promote_types
from ..core.mutate import write_out
from ..core.op import TABLE, Array, Dims, composite, op, publish
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


@op(
    module=None, promote="float", name="norm_of_dims",
    node=lambda static: f"NormBackward{int(static['dim'] is not None)}",
)  # fmt: skip
def norm_of_dims(input: Array, p: float, dim: Dims, keepdim: bool):
    return vector_norm.body(input, p, dim, keepdim)


@norm_of_dims.gradient
def _(grad, input, result, p, dim):
    return norm_slope(grad, input, float(p), result, dim)


@composite(method=False)
def pairwise_distance(
    x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """The p-norm of x1 - x2 + eps along the last dim."""
    return call(norm_of_dims, (x1 - x2 + eps,), (p, (-1,), keepdim))


for _name in ("cosine_similarity", "pairwise_distance", "pdist"):
    publish("nn.functional", _name, TABLE["torch", _name])
