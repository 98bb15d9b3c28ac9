"""The associative scan: running results in about log2(n) rounds of whole slices."""

from collections.abc import Callable
from typing import Any

from .. import ops
from ..core.tensor import Tensor
from ..func import vmap
from ..utils._pytree import tree_flatten, tree_unflatten

_EMPTY = "All xs leaves must at least have 'dim' number of dimensions and scan dimension > 0"


def associative_scan(
    combine_fn: Callable[[Any, Any], Any], xs: Any, dim: int, reverse: bool = False,
    combine_mode: str = "pointwise",
) -> Any:  # fmt: skip
    """Running results of `combine_fn(left, right)` along a dim of all tensors of a tree.

    On the CPU `combine_mode` must be "generic", as in PyTorch.
    """
    leaves, spec = tree_flatten(xs)
    _check(combine_fn, leaves, reverse, combine_mode)
    moved = [ops.movedim(x, dim, 0) for x in leaves]
    if any(len(x) == 0 for x in moved):
        raise ValueError(_EMPTY)
    if reverse:
        moved = [x.flip(0) for x in moved]

    def flat(*elements: Tensor) -> list[Tensor]:
        left, right = elements[: len(leaves)], elements[len(leaves) :]
        made = combine_fn(tree_unflatten(list(left), spec), tree_unflatten(list(right), spec))
        return tree_flatten(made)[0]

    found = _scan(vmap(flat), moved)
    if reverse:
        found = [x.flip(0) for x in found]
    return tree_unflatten([ops.movedim(x, 0, dim) for x in found], spec)


def _check(combine_fn: Any, leaves: list[Any], reverse: Any, mode: Any) -> None:
    if not callable(combine_fn):
        raise ValueError(f"Combine_fn must be a callable, but got {combine_fn}")
    if not isinstance(reverse, bool):
        raise RuntimeError(f"Reverse must be a bool, but got {type(reverse)}")
    if mode not in ("pointwise", "generic"):
        raise ValueError(f"Combine_mode must either 'pointwise' or 'generic', but got {mode}")
    if not leaves:
        raise ValueError("Expected at least 1 xs leaf")
    if not all(isinstance(x, Tensor) for x in leaves):
        raise ValueError("xs leaves must be a Tensor")
    if mode == "pointwise" and not all(x.device.type in ("cuda", "xpu") for x in leaves):
        raise ValueError(
            "For combine_mode='pointwise', all input tensors need to be on CUDA or XPU"
        )
    if any(x.ndim == 0 for x in leaves):
        raise ValueError(_EMPTY)


def _scan(combine: Callable[..., Any], xs: list[Tensor]) -> list[Tensor]:
    """Neighbours are combined, the half as many results scanned, and the places between filled."""
    n = len(xs[0])
    if n < 2:
        return xs
    odd = _scan(combine, list(combine(*[x[:-1:2] for x in xs], *[x[1::2] for x in xs])))
    if n == 2:
        return [ops.cat([x[:1], y]) for x, y in zip(xs, odd, strict=True)]
    before = [y[: (n - 1) // 2] for y in odd]
    even = combine(*before, *[x[2::2] for x in xs])
    return [
        _woven(ops.cat([x[:1], e]), y) for x, e, y in zip(xs, even, odd, strict=True)
    ]


def _woven(even: Tensor, odd: Tensor) -> Tensor:
    pairs = ops.stack([even[: len(odd)], odd], 1).flatten(0, 1)
    return ops.cat([pairs, even[len(odd) :]])
