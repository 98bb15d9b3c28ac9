"""What ops do with sparse tensors: a table by the op's name. What is not in it, PyTorch refuses too
or torchlike does not have; both say so as PyTorch does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.check import check_dim
from ..core.dispatch import FOREIGN, call, call_view
from ..core.layouts import sparse_coo, sparse_csc, sparse_csr
from ..core.plan import Op
from ..core.tensor import Tensor, to_host
from .movement import cat
from .sparse_kernels import keep, merge, pick, spread, times_dense
from .sparse_tensor import (
    WORDS,
    SparseTensor,
    coalesced,
    compressed,
    constant,
    coo,
    dense,
    flat,
    is_sparse,
    refused,
)

HANDLERS: dict[str, Callable[..., Any]] = {}


def handles(*names: str) -> Callable[..., Any]:
    """Declare what ops of these names do: `function(op, inputs, statics)`."""

    def put(function: Callable[..., Any]) -> Callable[..., Any]:
        HANDLERS.update(dict.fromkeys(names, function))
        return function

    return put


def sparse_call(op: Op, inputs: Sequence[Any], statics: Any) -> Any:
    """An op of which an input is sparse."""
    handler = HANDLERS.get(op.name)
    if handler is None:
        raise refused(op.name, next(x for x in inputs if is_sparse(x)))
    return handler(op, inputs, statics)


FOREIGN[SparseTensor] = sparse_call


# ----- element by element -----
ZERO_TO_ZERO = """
abs neg sign sgn sqrt square sin sinh asin asinh tan tanh atan atanh erf erfinv expm1 log1p floor
ceil round trunc frac relu deg2rad rad2deg signbit isnan isinf isposinf isneginf conj_physical
nan_to_num
"""


@handles(*ZERO_TO_ZERO.split(), "pow", "pow_static")
def _pointwise(op: Op, inputs: Sequence[Any], statics: Any) -> Any:
    s, *rest = inputs
    linear = op.name in ("neg", "deg2rad", "rad2deg")
    s = s if linear or s.layout is not sparse_coo else coalesced(s)
    return s.with_values(call(op, (s._held, *rest), statics))


@handles("clone", "to_copy", "alias", "detach", "_conj")
def _same_places(op: Op, inputs: Sequence[Any], statics: Any) -> Any:
    s, *rest = inputs
    run = call_view if op.view else call
    return s.with_values(run(op, (s._held, *rest), statics))


def _is_number(x: Any) -> bool:
    return not isinstance(x, Tensor) or (x.ndim == 0 and not is_sparse(x))


@handles("mul")
def _mul(op: Op, inputs: Sequence[Any], statics: Any) -> Any:
    s, other = inputs if is_sparse(inputs[0]) else inputs[::-1]
    if _is_number(other):
        return s.with_values(call(op, (s._held, other), statics))
    if not is_sparse(other):
        other = other.expand(s.shape)
        at = constant(flat(s.locations(), s.shape[: s.sparse_dim()]))
        found = pick(other, at, s.sparse_dim(), "IndexBackward0")
        return s.with_values(call(op, (s._held, found), statics))
    return _intersection(op, s, other, statics)


def _intersection(op: Op, s: SparseTensor, other: SparseTensor, statics: Any) -> Any:
    if s.shape != other.shape or s.sparse_dim() != other.sparse_dim():
        raise RuntimeError(
            "sparse_binary_op_intersection_cpu(): expects sparse inputs with equal dimensionality, "
            "number of sparse dimensions, and shape of sparse dimensions"
        )
    s, other = _as_coo(s), _as_coo(other)
    if np.array_equal(s.locations(), other.locations()):
        return s.with_values(call(op, (s._held, other._held), statics))
    size = s.shape[: s.sparse_dim()]
    both = flat(s.locations(), size), flat(other.locations(), size)
    _, mine, theirs = np.intersect1d(*both, assume_unique=True, return_indices=True)
    left = pick(s._held, constant(mine), 1, "IndexSelectBackward0")
    right = pick(other._held, constant(theirs), 1, "IndexSelectBackward0")
    return coo(s.locations()[:, mine], call(op, (left, right), statics), s.shape, True)


def _as_coo(s: SparseTensor) -> SparseTensor:
    return coalesced(_plain(s))


def _plain(s: SparseTensor) -> SparseTensor:
    return s if s.layout is sparse_coo else coo(s.locations(), s._held, s.shape)


@handles("div", "true_divide")
def _div(op: Op, inputs: Sequence[Any], statics: Any) -> Any:
    s, by = inputs[:2]
    if not is_sparse(s) or not _is_number(by):
        raise RuntimeError("Sparse division requires a scalar or zero-dim dense tensor divisor")
    return s.with_values(call(op, (s._held, by, *inputs[2:]), statics))


@handles("add", "sub")
def _add(op: Op, inputs: Sequence[Any], statics: Any) -> Any:
    s, other, alpha = inputs
    alpha = 1 if alpha is None else alpha
    alpha = -alpha if op.name == "sub" else alpha
    if not is_sparse(other):
        word = "add(sparse, dense) is not supported. Use add(dense, sparse) instead."
        raise RuntimeError(word)
    if s.shape != other.shape:
        raise RuntimeError(
            "add: expected sizes of 'self' and 'other' to match, but "
            f"{list(s.shape)} != {list(other.shape)}"
        )
    size = s.shape[: other.sparse_dim()]
    if not is_sparse(s):
        at = constant(flat(other.locations(), size))
        rows = s.reshape(-1, *other._held.shape[1:])
        every = constant(np.arange(len(rows)))
        return merge(rows, other._held, every, at, alpha, tuple(s.shape))
    return _sum(s, other, alpha, size)


def _sum(s: SparseTensor, other: SparseTensor, alpha: Any, size: Any) -> SparseTensor:
    if s.layout is not other.layout:
        raise refused("add", s)
    at, there = flat(s.locations(), size), flat(other.locations(), size)
    if np.array_equal(at, there):
        every = constant(np.arange(len(at)))
        values = merge(s._held, other._held, every, every, alpha, tuple(s._held.shape))
        return s.with_values(values)
    places, *here = _merged(at, there)
    shape = (len(places), *s._held.shape[1:])
    values = merge(s._held, other._held, *map(constant, here), alpha, shape)
    known = s._coalesced and other._coalesced
    found = coo(np.stack(np.unravel_index(places, size)), values, s.shape, known)
    if s.layout is sparse_coo:
        return found
    return compressed(found, s.layout, "AddBackward0")


def _merged(at: np.ndarray, there: np.ndarray) -> tuple[np.ndarray, ...]:
    """The places of two lists as PyTorch merges them, and where each of theirs comes to be.

    Its merge takes both for sorted: from lists that are not, some places come twice.
    """
    if all(len(x) < 2 or (x[1:] > x[:-1]).all() for x in (at, there)):
        places = np.unique(np.concatenate([at, there]))
        return places, np.searchsorted(places, at), np.searchsorted(places, there)
    left, right = at.tolist(), there.tolist()
    places, mine, theirs = [], [], []
    while len(mine) < len(left) and len(theirs) < len(right):
        a, b = left[len(mine)], right[len(theirs)]
        if a <= b:
            mine.append(len(places))
        if b <= a:
            theirs.append(len(places))
        places.append(min(a, b))
    rest = left[len(mine) :] or right[len(theirs) :]
    behind = range(len(places), len(places) + len(rest))
    (mine if len(mine) < len(left) else theirs).extend(behind)
    return tuple(np.array(x, np.int64) for x in (places + rest, mine, theirs))


# ----- products -----
@handles("mm", "linear_product")
def _mm(op: Op, inputs: Sequence[Any], statics: Any) -> Any:
    return product(inputs[0], inputs[1], "MmBackward0")


def product(a: Any, b: Any, node: str) -> Any:
    """a @ b, of which one or both are sparse."""
    if not is_sparse(a):  # as the transpose of a product with the sparse one first
        flipped = product(b.t(), a.t(), node)
        return flipped.t()
    a, b = a.elements(), b.elements() if is_sparse(b) else b
    if a.sparse_dim() == 1:
        raise RuntimeError("addmm: matrices expected, got 1D tensor")
    if a.ndim != 2 or b.ndim != 2:
        raise RuntimeError("addmm: 2D tensors expected")
    if a.shape[1] != b.shape[0]:
        raise RuntimeError(
            f"addmm: Argument #3 (dense): Expected dim 0 size {a.shape[1]}, got {b.shape[0]}"
        )
    if is_sparse(b):
        return _sparse_product(a, b, node)
    rows, cols = a.locations()
    return times_dense(a._held, b, constant(rows), constant(cols), a.shape[0], node)


def _sparse_product(a: SparseTensor, b: SparseTensor, node: str) -> SparseTensor:
    """Each value of `a` meets the values of the row of `b` that its column names."""
    first, second = _as_coo(a), _as_coo(b)
    (rows, cols), (brows, bcols) = first.locations(), second.locations()
    start, end = (np.searchsorted(brows, cols, side) for side in ("left", "right"))
    count = end - start
    mine = np.repeat(np.arange(len(cols)), count)
    theirs = np.arange(count.sum()) + np.repeat(start - np.cumsum(count) + count, count)
    size = (a.shape[0], b.shape[1])
    places, group = np.unique(
        flat(np.stack([rows[mine], bcols[theirs]]), size), return_inverse=True
    )
    left = pick(first._held, constant(mine), 1, "IndexSelectBackward0")
    right = pick(second._held, constant(theirs), 1, "IndexSelectBackward0")
    values = spread(left * right, constant(group), (len(places),), node)
    found = coo(np.stack(np.unravel_index(places, size)), values, size, True)
    if a.layout is sparse_coo:
        return found
    return compressed(found, a.layout, node)


@handles("mv")
def _mv(op: Op, inputs: Sequence[Any], statics: Any) -> Any:
    s, vec = inputs
    if is_sparse(vec):
        raise refused("mv", vec)
    if s.shape[-1] != vec.shape[-1]:
        raise RuntimeError("mv: expected self.size(-1) == vec.size(-1)")
    return call(keep, (product(s, vec.unsqueeze(1), "MvBackward0").squeeze(1),), ("MvBackward0",))


@handles("addmm")
def _addmm(op: Op, inputs: Sequence[Any], statics: Any) -> Any:
    plus, a, b, beta, alpha = inputs
    return plus_product(plus, a, b, beta, alpha, "AddmmBackward0")


def plus_product(plus: Any, a: Any, b: Any, beta: Any, alpha: Any, node: str) -> Any:
    """beta · plus + alpha · a @ b; None and 1 are left out."""
    found = product(a, b, node)
    found = found if alpha in (None, 1) else alpha * found
    found = (plus if beta in (None, 1) else beta * plus) + found
    return call(keep, (found,), (node,)) if found.requires_grad else found


@handles("linear_affine")
def _linear(op: Op, inputs: Sequence[Any], statics: Any) -> Any:
    plus, a, b = inputs
    if not is_sparse(a):
        raise RuntimeError(
            "addmm_sparse_dense: expected either 'mat1' to have sparse layout and 'mat2' to have "
            "strided layout, got 'mat1' with layout Strided and 'mat2' with layout "
            f"{WORDS[sparse_coo if b.layout is sparse_coo else sparse_csr]}"
        )
    return plus_product(plus, a, b, None, None, "AddmmBackward0")


@handles("bmm")
def _bmm(op: Op, inputs: Sequence[Any], statics: Any) -> Any:
    s, other = inputs
    if not is_sparse(s) or is_sparse(other) or s.sparse_dim() != 3 or other.ndim != 3:
        raise refused("bmm", s if is_sparse(s) else other)
    (batch, n, k), (which, rows, cols) = s.shape, s.locations()
    flat_other = other.reshape(batch * k, -1)
    at = constant(which * n + rows), constant(which * k + cols)
    found = times_dense(s._held, flat_other, *at, batch * n, "BmmBackward0")
    return found.reshape(batch, n, -1)


# ----- order of dims, parts -----
def _swapped(s: SparseTensor, a: int, b: int, node: str) -> SparseTensor:
    if max(a, b) >= s.sparse_dim():
        raise refused("transpose of dense dims", s)
    values, size = keep(s._held, node), list(s.shape)
    size[a], size[b] = size[b], size[a]
    if s.layout is not sparse_coo:
        turned = sparse_csc if s.layout is sparse_csr else sparse_csr
        return SparseTensor(s._at, values, size, turned if a != b else s.layout)
    at = s.locations().copy()
    at[[a, b]] = at[[b, a]]
    return coo(at, values, size)


@handles("transpose")
def _transpose(op: Op, inputs: Sequence[Any], statics: Any) -> Any:
    s = inputs[0]
    a, b = (check_dim(d, s.ndim) for d in statics)
    return _swapped(s, a, b, "TransposeBackward0")


@handles("t")
def _t(op: Op, inputs: Sequence[Any], statics: Any) -> Any:
    (s,) = inputs
    if s.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {s.ndim}D")
    return _swapped(s, 0, s.ndim - 1, "TBackward0")


@handles("permute")
def _permute(op: Op, inputs: Sequence[Any], statics: Any) -> Any:
    (s,), (dims,) = inputs, statics
    n = s.sparse_dim()
    if s.layout is not sparse_coo or sorted(dims[:n]) != list(range(n)):
        raise refused("permute", s)
    if tuple(dims[n:]) != tuple(range(n, s.ndim)):
        raise refused("permute of dense dims", s)
    values = keep(s._held, "PermuteBackward0")
    return coo(s.locations()[list(dims[:n])], values, [s.shape[d] for d in dims])


def part(s: SparseTensor, dim: int, wanted: np.ndarray, node: str) -> SparseTensor:
    """The slices of these indices along a sparse dim, in their order."""
    at = s.locations()
    found = [np.nonzero(at[dim] == i)[0] for i in wanted]
    chosen = np.concatenate(found) if found else np.zeros(0, np.int64)
    moved = at[:, chosen].copy()
    moved[dim] = np.repeat(np.arange(len(found)), [len(one) for one in found])
    size = list(s.shape)
    size[dim] = len(wanted)
    return coo(moved, pick(s._held, constant(chosen), 1, node), size)


@handles("select")
def _select(op: Op, inputs: Sequence[Any], statics: Any) -> Any:
    s, index = inputs
    dim = statics[0]
    if dim >= s.sparse_dim() and s.layout is sparse_coo:
        inner = s._held.select(dim - s.sparse_dim() + 1, int(index))
        return coo(s.locations(), inner, (*s.shape[:dim], *s.shape[dim + 1 :]), s._coalesced)
    found = part(_plain(s), dim, np.array([int(index)]), "SelectBackward0")
    if s.sparse_dim() == 1:
        only = constant(found.locations()[0])
        return spread(found._held, only, (1, *s.shape[1:]), "SelectBackward0")[0]
    at = np.delete(found.locations(), dim, 0)
    size = [n for d, n in enumerate(s.shape) if d != dim]
    return coo(at, found._held, size, s._coalesced)


@handles("index_select")
def _index_select(op: Op, inputs: Sequence[Any], statics: Any) -> Any:
    s, index = inputs
    dim = check_dim(statics[0], s.ndim)
    if dim >= s.sparse_dim() and s.layout is sparse_coo:
        inner = s._held.index_select(dim - s.sparse_dim() + 1, index)
        size = (*s.shape[:dim], index.numel(), *s.shape[dim + 1 :])
        return coo(s.locations(), inner, size, s._coalesced)
    return part(_plain(s), dim, to_host(index), "IndexSelectBackward0")


@handles("unsqueeze")
def _unsqueeze(op: Op, inputs: Sequence[Any], statics: Any) -> Any:
    return lifted(inputs[0], check_dim(statics[0], inputs[0].ndim + 1))


def lifted(s: SparseTensor, dim: int) -> SparseTensor:
    """With one more sparse dim, of size 1."""
    if dim > s.sparse_dim() or s.layout is not sparse_coo:
        raise refused("unsqueeze of a dense dim", s)
    at = np.insert(s.locations(), dim, 0, 0)
    size = (*s.shape[:dim], 1, *s.shape[dim:])
    return coo(at, keep(s._held, "UnsqueezeBackward0"), size, s._coalesced)


@handles("stack")
def _stack(op: Op, inputs: Sequence[Any], statics: Any) -> Any:
    dim = check_dim(statics[-1], inputs[0].ndim + 1)
    return joined([lifted(s, dim) for s in inputs], dim)


@handles("any")
def _any(op: Op, inputs: Sequence[Any], statics: Any) -> Any:
    if statics and statics[0] not in (None, ()):
        raise refused("any over a dim", inputs[0])
    return call(op, (coalesced(_plain(inputs[0]))._held,), statics)


@handles("linalg_vector_norm")
def _norm(op: Op, inputs: Sequence[Any], statics: Any) -> Any:
    return call(op, (coalesced(inputs[0])._held, *inputs[1:]), statics)


@handles("cat")
def _cat(op: Op, inputs: Sequence[Any], statics: Any) -> Any:
    return joined(inputs, check_dim(statics[-1], inputs[0].ndim))


def joined(inputs: Sequence[Any], dim: int) -> SparseTensor:
    """COO tensors one after the other along a sparse dim."""
    if any(not is_sparse(s) or s.layout is not sparse_coo for s in inputs):
        raise refused("cat of several layouts", next(s for s in inputs if is_sparse(s)))
    if dim >= inputs[0].sparse_dim():
        raise refused("cat along a dense dim", inputs[0])
    places, start = [], 0
    for s in inputs:
        at = s.locations().copy()
        at[dim] += start
        start += s.shape[dim]
        places.append(at)
    size = list(inputs[0].shape)
    size[dim] = start
    return coo(np.concatenate(places, 1), cat([s._held for s in inputs]), size)


# ----- reductions -----
@handles("sum")
def _reduce(op: Op, inputs: Sequence[Any], statics: Any) -> Any:
    (s,), (dim, keepdim, dtype) = inputs, statics
    if dim is None or dim == ():
        return call(op, (s._held,), (None, False, dtype))
    found = sum_over(s, dim)
    if keepdim:
        found = _kept(s, found, dim)
    return found if dtype is None else found.to(dtype)


def _kept(s: SparseTensor, found: Any, dim: Any) -> Any:
    """A sum with the dims it was taken over, of size 1."""
    dims = sorted(check_dim(d, s.ndim) for d in ((dim,) if isinstance(dim, int) else dim))
    if not is_sparse(found) and s.layout is sparse_coo:
        return found.reshape([1 if d in dims else n for d, n in enumerate(s.shape)])
    if not is_sparse(found) or dims[-1] >= s.sparse_dim():
        raise refused("sum of dense dims with keepdim", s)
    for d in dims:
        found = lifted(found, d)
    return found if s.layout is sparse_coo else compressed(found, s.layout, "SumBackward1")


def sum_over(s: SparseTensor, dim: Any) -> Any:
    """Summed over some dims: sparse while a sparse dim is left."""
    dims = {check_dim(d, s.ndim) for d in ((dim,) if isinstance(dim, int) else dim)}
    n = s.sparse_dim()
    inner = [d - n + 1 for d in dims if d >= n]
    values = s._held.sum(inner) if inner else s._held  # type: ignore[attr-defined]
    left = [d for d in range(n) if d not in dims]
    if not left:
        return call(keep, (values.sum(0),), ("SparseSumBackward0",))
    size = [m for d, m in enumerate(s.shape) if d not in dims]
    return coalesced(coo(s.locations()[left], values, size), "SparseSumBackward0")


__all__ = ["dense", "part", "product", "sparse_call", "sum_over"]
