"""Gathering along one dim, and whole slices added, copied or filled there."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from ..core.check import broadcast_shapes, check_dim
from ..core.dispatch import call
from ..core.dtypes import SCALAR_NAMES, check_number
from ..core.mutate import check_apart, overwrite
from ..core.op import Array, Number, composite, install, op
from ..core.tensor import Tensor, from_host
from ..core.writable import check_captured, check_writable
from .index import add_at, check_bounds
from .movement import finish
from .overlap import fill_once, once_of


def wrap_index(i: Any, n: int) -> Any:
    """Indices counted from the front."""
    i = i.astype(np.int64)
    return jnp.where(i < 0, i + n, i)


def check_select(index: Tensor, n: int) -> None:
    """IndexError for an index out of range, negative ones included."""
    check_bounds(index, n, lambda bad: IndexError("index out of range in self"), low=0)


def _in_range(dim: int, n: int) -> Any:
    return lambda bad: RuntimeError(
        f"index {bad} is out of bounds for dimension {dim} with size {n}"
    )


# ----- along one dim, whole slices -----
@op(name="index_select", module=None, method=False, promote="none")
def _index_select(input: Array, dim: int, index: Array):
    if input.ndim == 0:
        return input.reshape(1)[wrap_index(index, 1).reshape(-1)[0]]
    return jnp.take(input, wrap_index(index.reshape(-1), input.shape[dim]), axis=dim, mode="clip")


@_index_select.gradient
def _(grad, input, dim, index):
    return grad.new_zeros(input.shape).index_add(dim, index, grad), None


@composite
def index_select(input: Tensor, dim: int, index: Tensor, *, out: Any = None) -> Tensor:
    """The slices of a dim at the given indices."""
    dim = check_dim(dim, input.ndim)
    if index.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    if index.dtype.name not in ("int64", "int32"):
        raise RuntimeError("index_select(): Expected dtype int32 or int64 for index")
    check_select(index, input.shape[dim] if input.ndim else 1)
    return finish("index_select", call(_index_select, (input, index), (dim,)), out)


def _slices(input: Any, dim: int, index: Any) -> tuple[Any, ...]:
    """The place of the slices a vector of indices names."""
    return (slice(None),) * dim + (wrap_index(index.reshape(-1), (*input.shape, 1)[dim]),)


@op(
    name="index_add", module=None, method=False, promote="none",
    shows={"source_dim": lambda call: len(call.size("source"))},
)  # fmt: skip
def _index_add(input: Array, dim: int, index: Array, source: Array, *, alpha: Number = 1):
    at = _slices(input, dim, index)
    scaled = source * alpha.astype(source.dtype)
    if input.ndim == 0:
        total = scaled.sum(dtype=input.dtype)
        return input | total if input.dtype == np.bool_ else input + total
    return add_at(input, at, scaled)


@_index_add.gradient
def _(grad, input, dim, index, alpha):
    return grad, None, grad.index_select(dim, index) * alpha


@composite(inplace="apart", out=True)
def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Any = 1) -> Tensor:
    """A copy with `alpha * source` added to the slices at the given indices."""
    dim = check_dim(dim, input.ndim)
    if source.dtype is not input.dtype:
        raise RuntimeError(
            "index_add_(): self and source expected to have the same dtype, but got (self) "
            f"{_title(input)} and (source) {_title(source)}"
        )
    if input.ndim and index.numel() != source.shape[dim]:
        raise RuntimeError(
            f"index_add_(): Number of indices ({index.numel()}) should be equal to "
            f"source.size(dim): ({source.shape[dim]}), for dim: {dim}"
        )
    if _without(input.shape, dim) != _without(source.shape, dim):
        raise RuntimeError(
            "source tensor shape must match self tensor shape, excluding the specified dimension. "
            f"Got self.shape = {list(input.shape)} source.shape = {list(source.shape)}"
        )
    n = input.shape[dim] if input.ndim else 1
    check_bounds(index, n, _in_range(dim, n), low=0)
    return call(_index_add, (input, index, source, alpha), (dim,))


def _title(t: Tensor) -> str:
    return SCALAR_NAMES[t.dtype]


@op(name="index_copy", module=None, method=False, promote="none")
def _index_copy(input: Array, dim: int, index: Array, source: Array):
    at = _slices(input, dim, index)
    return source.reshape(input.shape) if input.ndim == 0 else input.at[at].set(source, mode="drop")


@_index_copy.gradient
def _(grad, dim, index):
    return grad.index_fill(dim, index, 0), None, grad.index_select(dim, index)


@composite(inplace="apart", out=True)
def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """A copy with the slices at the given indices replaced."""
    dim = check_dim(dim, input.ndim)
    if source.dtype is not input.dtype:
        raise RuntimeError(
            "index_copy_(): self and source expected to have the same dtype, but got (self) "
            f"{_title(input)} and (source) {_title(source)}"
        )
    _check_index_copy(input, dim, index, source)
    return call(_index_copy, (input, index, source), (dim,))


def _without(shape: Any, dim: int) -> tuple[int, ...]:
    return tuple(n for d, n in enumerate(shape) if d != dim)


def _check_index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> None:
    have = source.shape[dim] if source.ndim else 1
    if index.numel() != have:
        raise IndexError(
            f"index_copy_(): Number of indices ({index.numel()}) should be equal to "
            f"source.size(dim) ({have})"
        )
    mine, other = _without(input.shape, dim), _without(source.shape, dim)
    if source.ndim and mine != other:
        raise RuntimeError(
            "index_copy_(): Source/destination tensor must have same slice shapes. Destination "
            f"slice shape: {' '.join(map(str, mine))} at dimension {dim} and source slice shape: "
            f"{' '.join(map(str, other))} at dimension 0."
        )
    n = input.shape[dim] if input.ndim else 1
    check_bounds(
        index,
        n,
        lambda bad: IndexError(
            f"index_copy_(): index {bad} is out of bounds for dimension {dim} with size {n}"
        ),
        low=0,
    )


@op(name="index_fill", module=None, method=False, promote="none")
def _index_fill(input: Array, dim: int, index: Array, value: Number):
    if input.ndim == 0:
        return jnp.broadcast_to(value.astype(input.dtype), ())
    at = _slices(input, dim, index)
    return input.at[at].set(value.astype(input.dtype), mode="drop")


@_index_fill.gradient
def _(grad, dim, index):
    return grad.index_fill(dim, index, 0), None


@op(name="index_fill_tensor", module=None, method=False, promote="none", node="IndexFillBackward1")
def _index_fill_tensor(input: Array, dim: int, index: Array, value: Array):
    return _index_fill.body(input, dim, index, value)


@_index_fill_tensor.gradient
def _(grad, dim, index):
    kept = grad.new_ones(grad.shape).index_fill(dim, index, 0)
    return grad.index_fill(dim, index, 0), None, grad.masked_fill(kept != 0, 0).sum()


@composite
def index_fill(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """A copy with the slices at the given indices filled with one number."""
    dim = check_dim(dim, input.ndim)
    if index.dtype.name != "int64":
        raise IndexError("index_fill_(): Expected dtype int64 for index.")
    if isinstance(value, Tensor):
        if value.ndim:
            raise RuntimeError(
                "index_fill_ only supports a 0-dimensional value tensor, but got tensor with "
                f"{value.ndim} dimension(s)."
            )
        if value.is_complex() and not input.is_complex():
            check_number(1j, input.dtype)
    else:
        check_number(value, input.dtype)
    n = input.shape[dim] if input.ndim else 1
    check_bounds(
        index,
        n,
        lambda bad: IndexError(f"index {bad} is out of bounds for dimension {dim} with size {n}"),
    )
    fill = _index_fill_tensor if isinstance(value, Tensor) else _index_fill
    return call(fill, (input, index, value), (dim,))


@composite(module=None, method=True)
def index_fill_(self: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """In-place `index_fill`."""
    part = once_of(self, "index_fill_")
    if part is not None:
        nothing = from_host(np.zeros(tuple(self.shape), bool))
        return fill_once(self, part, index_fill(nothing, dim, index, True), value)
    check_captured(self, "index_fill_")
    check_writable(self)
    check_apart(self, (index, value), partly=True)
    return overwrite(self, index_fill(self, dim, index, value), "index_fill_")


# ----- along one dim, element by element -----
@op(name="gather", module=None, method=False, promote="none")
def _gather(input: Array, dim: int, index: Array):
    if input.ndim == 0 or index.size == 0:
        return jnp.broadcast_to(input if input.ndim == 0 else 0, index.shape).astype(input.dtype)
    if index.ndim == 0:
        return input[wrap_index(index, input.shape[0])]
    cut = tuple(slice(None) if d == dim else slice(0, n) for d, n in enumerate(index.shape))
    where = wrap_index(index, input.shape[dim])
    return jnp.take_along_axis(input[cut], where, axis=dim, mode="clip")


@_gather.gradient
def _(grad, input, dim, index):
    return grad.new_zeros(input.shape).scatter_add(dim, index, grad), None


def check_gather(name: str, input: Tensor, dim: int, index: Tensor) -> int:
    """The dim counted from the front; errors for an index of another dtype or number of dims."""
    dim = check_dim(dim, input.ndim)
    if index.numel() and index.dtype.name not in ("int64", "int32"):
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index")
    if max(index.ndim, 1) != max(input.ndim, 1) and index.numel():
        which = "input" if name == "gather" else "self"
        raise RuntimeError(
            f"Index tensor must have the same number of dimensions as {which} tensor"
        )
    return dim


def check_places(input: Tensor, dim: int, index: Tensor) -> None:
    """RuntimeError for an index beyond its dim."""
    n = input.shape[dim] if input.ndim else 1
    check_bounds(index, n, _in_range(dim, n), low=0)


@composite
def gather(
    input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False, out: Any = None
) -> Tensor:
    """Elements picked along a dim, one index an element."""
    if sparse_grad:
        raise NotImplementedError("gather: sparse_grad=True is not supported")
    dim = check_gather("gather", input, dim, index)
    for d in range(min(input.ndim, index.ndim)):
        if d != dim and index.shape[d] > input.shape[d]:
            raise RuntimeError(
                f"Size does not match at dimension {d} expected index {list(index.shape)} to be no "
                f"larger than self {list(input.shape)} apart from dimension {dim}"
            )
    check_places(input, dim, index)
    found = call(_gather, (input, index), (dim,))
    return finish("gather", found, out, (input, index), "same apart")


@composite
def take_along_dim(
    input: Tensor, indices: Tensor, dim: int | None = None, *, out: Any = None
) -> Tensor:
    """`gather` with broadcasting; without dim on the flattened tensor."""
    if dim is None:
        at = indices.reshape(-1).remainder(input.numel())  # type: ignore[attr-defined]
        return gather(input.reshape(-1), 0, at, out=out)
    if input.ndim != indices.ndim:
        raise RuntimeError(
            "torch.take_along_dim(): input and indices should have the same number of dimensions, "
            f"but got {input.ndim} dimensions for input, and {indices.ndim} dimensions for indices"
        )
    dim = check_dim(dim, input.ndim)
    indices = indices.remainder(input.shape[dim] if input.ndim else 1)  # as PyTorch wraps them
    a, b = list(input.shape), list(indices.shape)
    a[dim] = b[dim] = 1
    shape = list(broadcast_shapes(tuple(a), tuple(b)))
    wide = input.expand([input.shape[dim] if d == dim else n for d, n in enumerate(shape)])
    index = indices.expand([indices.shape[dim] if d == dim else n for d, n in enumerate(shape)])
    return gather(wide, dim, index, out=out)


@composite
def take(input: Tensor, index: Tensor, *, out: Any = None) -> Tensor:
    """Elements of the flattened tensor."""
    if index.dtype.name != "int64":
        raise RuntimeError("take(): Expected a long tensor for index, but got " + _title(index))
    if input.numel() == 0 and index.numel():
        raise IndexError("take(): tried to take from an empty tensor")
    _check_flat(index, input.numel())
    return finish("take", call(_take, (input, index)), out, (input, index), "apart")


def _check_flat(index: Tensor, n: int) -> None:
    check_bounds(
        index,
        n,
        lambda bad: IndexError(
            f"out of range: tried to access index {bad} on a tensor of {n} elements."
        ),
    )


@op(name="take", module=None, method=False, promote="none")
def _take(input: Array, index: Array):
    return jnp.take(input.reshape(-1), wrap_index(index, input.size), mode="clip")


@_take.gradient
def _(grad, input, index):
    flat = grad.new_zeros(input.numel()).index_add(0, index.reshape(-1), grad.reshape(-1))
    return flat.view(input.shape), None


@composite(module=None, method=True)
def put(self: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """A copy with elements of the flattened tensor replaced (or added to)."""
    flat = self.reshape(-1)
    _check_flat(index, self.numel())
    return flat.index_put((index.reshape(-1),), source.reshape(-1), accumulate).view(self.shape)


def _put_(self: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    check_writable(self)
    check_apart(self, (index, source))
    return overwrite(self, put(self, index, source, accumulate), "put_")


install("put_", _put_)
