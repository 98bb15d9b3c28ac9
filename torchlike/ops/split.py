"""Cutting a tensor into views: split, chunk, unbind, tensor_split."""

from __future__ import annotations

from typing import Any

from ..core.check import check_dim, invalid_call
from ..core.dispatch import call_view
from ..core.nodes import edge_of, make_node
from ..core.op import composite, install
from ..core.plan import ArgumentTypeError, make_plan
from ..core.pullback import pullback_of
from ..core.record import LOCAL
from ..core.tensor import Tensor
from ..core.wrong_call import demand
from . import views
from .movement import split_parts, unbind_parts
from .shape import slice_along


def _split_node(input: Tensor, plan: Any) -> Any:
    """One node for the parts of a split, as PyTorch has; None when no gradient is wanted."""
    base = input._base_tensor
    wanted = input._requires_grad or (base is not None and base._requires_grad)
    if not (wanted and LOCAL.state.grad_enabled and plan.differentiable):
        return None
    edges = [edge_of(input)]
    return make_node(plan, pullback_of(plan, (True,)), edges, [input], [input._value_now()], ())


def _parts(
    input: Tensor, op: Any, statics: tuple[Any, ...], pieces: list[Tensor]
) -> tuple[Tensor, ...]:
    key = (statics, input._aval)
    plan = op.plans.get(key)
    if plan is None:
        plan = op.plans[key] = make_plan(op, (input,), statics)
    node = _split_node(input, plan)
    for i, piece in enumerate(pieces):
        if node is not None:
            piece._requires_grad, piece._grad_fn, piece._out_nr = True, node, i
        piece._creation = piece._creation or "multi"
    return tuple(pieces)


def _pieces(input: Tensor, views_of: Any) -> list[Tensor]:
    state = LOCAL.state
    saved, state.grad_enabled = state.grad_enabled, False
    try:
        pieces = views_of()
    finally:
        state.grad_enabled = saved
    for piece in pieces:
        piece._creation = "" if saved else "no_grad"
    return pieces


@composite(method=False)
def split(tensor: Tensor, split_size_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Parts of a dim: of one size (the last may be smaller), or of the given sizes."""
    return tensor.split(split_size_or_sections, dim)  # type: ignore[attr-defined]


def _split_method(self: Tensor, split_size: Any, dim: int = 0) -> tuple[Tensor, ...]:
    whole = split_size.__class__ is int
    if not whole or dim.__class__ is not int:
        whole = _demand_sizes(self, split_size, dim)
    if not self.ndim:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    dim = check_dim(dim, self.ndim)
    n = self.shape[dim]
    if not whole:
        sizes = [int(s) for s in split_size]
        if sum(sizes) != n or any(s < 0 for s in sizes):
            raise RuntimeError(
                f"split_with_sizes expects split_sizes to sum exactly to {n} (input tensor's size "
                "at "
                f"dimension {dim}), but got split_sizes={sizes}"
            )
        return _split(self, sizes, dim, "SplitWithSizesBackward0")
    size = int(split_size)
    if size < 0:
        raise RuntimeError(f"split expects split_size be non-negative, but got split_size={size}")
    if size == 0 and n != 0:
        raise RuntimeError(
            f"split_size can only be 0 if dimension size is 0, but got dimension size of {n}"
        )
    count = max(-(-n // size), 1) if size else 1
    sizes = [size] * (count - 1) + [n - size * (count - 1)]
    return _split(self, sizes, dim, "SplitBackward0")


def _demand_sizes(tensor: Tensor, given: Any, dim: Any) -> bool:
    """TypeError unless these are sizes; whether they are a single one."""
    whole = hasattr(given, "__index__") and not (isinstance(given, Tensor) and given.numel() != 1)
    demand("split" if whole else "torch.split_with_sizes", tensor, given, dim)
    return whole


def _split(tensor: Tensor, sizes: list[int], dim: int, node: str) -> tuple[Tensor, ...]:
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    pieces = _pieces(
        tensor,
        lambda: [slice_along(tensor, dim, a, n) for a, n in zip(starts, sizes, strict=True)],
    )
    return _parts(tensor, split_parts, (tuple(sizes), dim, node), pieces)


install("split", _split_method)


@composite
def split_with_sizes(input: Tensor, split_sizes: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Parts of a dim of the given sizes."""
    return split(input, list(split_sizes), dim)


@composite
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """About `chunks` parts of a dim, the last ones smaller."""
    if input.ndim == 0:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    n = input.shape[check_dim(dim, input.ndim)]
    size = -(-n // chunks)
    return split(input, [0] * chunks if n == 0 else size, dim)


@composite
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The parts at every index of a dim."""
    dim = check_dim(dim, input.ndim)
    if input.ndim == 0:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    n = input.shape[dim]
    pieces = _pieces(
        input, lambda: [call_view(views.select_at, (input, i), (dim,)) for i in range(n)]
    )
    return _parts(input, unbind_parts, (dim,), pieces) if n else ()


def _iterate(self: Tensor) -> Any:
    if self.ndim == 0:
        raise TypeError("iteration over a 0-d tensor")
    return iter(unbind(self))


Tensor.__iter__ = _iterate  # type: ignore[attr-defined]


@composite
def tensor_split(
    input: Tensor, indices_or_sections: Any = None, dim: int = 0, *, indices: Any = None,
    sections: Any = None, tensor_indices_or_sections: Any = None,
) -> tuple[Tensor, ...]:  # fmt: skip
    """Parts cut at indices, or as many nearly equal ones; each overload has its own name for it."""
    given = (indices_or_sections, indices, sections, tensor_indices_or_sections)
    indices_or_sections = _only_one(given)
    if input.ndim == 0:
        raise RuntimeError(
            "tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims"
        )
    dim = check_dim(dim, input.ndim)
    n = input.shape[dim]
    if isinstance(indices_or_sections, Tensor):
        indices_or_sections = indices_or_sections.tolist()
    if isinstance(indices_or_sections, int):
        k = indices_or_sections
        if k <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {k}")
        lengths = [n // k + (i < n % k) for i in range(k)]
        cuts = [sum(lengths[: i + 1]) for i in range(k - 1)]
    else:
        cuts = [int(i) for i in indices_or_sections]
    edges = [0, *[min(max(c + n if c < 0 else c, 0), n) for c in cuts], n]
    return tuple(
        slice_along(input, dim, a, max(b - a, 0)) for a, b in zip(edges, edges[1:], strict=False)
    )


def _only_one(given: tuple[Any, ...]) -> Any:
    found = [x for x in given if x is not None]
    if len(found) != 1:
        raise ArgumentTypeError("one of them is needed")
    return found[0]


def _check_sections(name: str, input: Tensor, given: Any) -> None:
    """TypeError (PyTorch's text) unless it is an int or a sequence of them."""
    items = given if isinstance(given, (tuple, list)) else (given,)
    wrong = [type(x).__name__ for x in items if not hasattr(x, "__index__")]
    if wrong and not isinstance(given, Tensor):
        kind = type(given).__name__
        kind = kind if items is not given else f"{kind} of [{', '.join(wrong)}]"
        why = (
            ")\n      didn't match because some of the arguments have invalid types: "
            f"(Tensor, !{kind}!"
        )
        forms = (f"Tensor input, {x}{why}" for x in ("int sections", "tuple of ints indices"))
        raise invalid_call(name, (input, given), {}, tuple(forms))


def _split_along(name: str, dim: int, least: int) -> None:
    def function(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
        _check_sections(name, input, indices_or_sections)
        if input.ndim < least:
            raise RuntimeError(
                f"torch.{name} requires a tensor with at least {least} dimension, but got a tensor "
                f"with {input.ndim} dimensions!"
            )
        at = 0 if name == "hsplit" and input.ndim == 1 else dim
        if isinstance(indices_or_sections, int) and (
            indices_or_sections <= 0 or input.shape[at] % indices_or_sections
        ):
            raise RuntimeError(
                f"torch.{name} attempted to split along dimension {at}, but the size of the "
                "dimension "
                f"{input.shape[at]} is not divisible by the split_size {indices_or_sections}!"
            )
        return tensor_split(input, indices_or_sections, at)

    function.__name__ = name
    function.__doc__ = f"Parts along dim {dim}."
    composite(function)


_split_along("hsplit", 1, 1)
_split_along("vsplit", 0, 2)
_split_along("dsplit", 2, 3)
