"""Norms of vectors and matrices, distances, renorm."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np

from ..core.dtypes import SCALAR_NAMES, from_numpy, promote_types
from ..core.mutate import write_out
from ..core.op import TABLE, Array, Dims, Dtype, composite, install, op
from ..core.tensor import Tensor
from ..core.wrong_call import demand
from .kinds import INTEGER, kind, scalar_name
from .reduce import axes, restore
from .unary import zeros_of

INFINITE = (math.inf, -math.inf)


# ----- vectors -----
@op(promote="none", module="linalg", name="linalg_vector_norm", out=True)
def vector_norm(
    x: Array, ord: float = 2, dim: Dims = None, keepdim: bool = False, *, dtype: Dtype = None
):
    if kind(x) <= INTEGER:
        raise RuntimeError(
            "linalg.vector_norm: Expected a floating point or complex tensor as input. Got "
            f"{scalar_name(x)}"
        )
    _check_kind("linalg.vector_norm", x, dtype)
    over = axes(dim, x.ndim)
    _check_identity(x, ord, dim, over)
    return _power_norm(jnp.abs(x if dtype is None else x.astype(dtype)), float(ord), over, keepdim)


def _check_kind(name: str, x: Any, dtype: Any) -> None:
    """That a norm's `dtype` holds what its input (an array or Tensor) does."""
    if dtype is None:
        return
    given = x.dtype if isinstance(x, Tensor) else from_numpy(x.dtype)
    wanted = dtype if isinstance(x, Tensor) else from_numpy(dtype)
    spelt, real = SCALAR_NAMES[wanted], "complex" if given.is_complex else "real"
    if not (wanted.is_floating_point or wanted.is_complex):
        raise RuntimeError(f"{name}: dtype should be floating point or complex, but got {spelt}")
    if given.is_complex is not wanted.is_complex:
        raise RuntimeError(f"{name}: dtype should be {real} for {real} inputs, but got {spelt}")
    if promote_types(given, wanted) is not wanted:
        raise RuntimeError(
            f"{name}: the dtype of the input ({SCALAR_NAMES[given]}) should be convertible without "
            f"narrowing to the specified dtype ({spelt})"
        )


def _check_identity(x: Any, ord: float, dim: Any, over: tuple[int, ...]) -> None:
    if ord in INFINITE and any(x.shape[d] == 0 for d in over):
        raise RuntimeError(
            f"linalg.vector_norm cannot compute the {ord} norm on an empty tensor because the "
            "operation does not have an identity"
        )


def _power_norm(size: Any, ord: float, over: tuple[int, ...], keepdim: bool) -> Any:
    if size.dtype.itemsize == 2:  # sums in float32, rounded once
        return _power_norm(size.astype(jnp.float32), ord, over, keepdim).astype(size.dtype)
    if ord == math.inf:
        return jnp.max(size, over, keepdims=keepdim)
    if ord == -math.inf:
        return jnp.min(size, over, keepdims=keepdim)
    if ord == 0:
        return jnp.sum((size != 0).astype(size.dtype), over, keepdims=keepdim)
    if ord == 1:
        return jnp.sum(size, over, keepdims=keepdim)
    if ord == 2:
        return jnp.sqrt(jnp.sum(jnp.square(size), over, keepdims=keepdim))
    power = jnp.asarray(ord, size.dtype)
    return jnp.power(jnp.sum(jnp.power(size, power), over, keepdims=keepdim), 1 / power)


@vector_norm.gradient
def _(grad, x, ord, result, dim):
    return norm_slope(grad, x, float(ord), result, dim)


def norm_slope(grad: Tensor, x: Tensor, p: float, norm: Tensor, dim: Any) -> Tensor:
    """The gradient of a p-norm, zero where the norm is (PyTorch's subgradient)."""
    grad, norm = restore(grad, x.shape, dim), restore(norm, x.shape, dim)
    if p == 0:
        return zeros_of(x)
    if p == 1:
        return x.sgn() * grad
    if p == 2:
        return grad * (x / norm).masked_fill(norm == 0, 0)
    if p in INFINITE:
        size = x.abs()
        top = (size == norm) | (size.isnan() & norm.isnan())
        return x.sgn() * (grad / top.sum(axes(dim, x.ndim), True)) * top
    if p < 1:
        scaled = x.sgn() * x.abs().pow(p - 1)
        return scaled.masked_fill(x == 0, 0) * grad * norm.pow(1 - p)
    scaled = x.sgn() * x.abs().pow(p - 1) if p < 2 else x * x.abs().pow(p - 2)
    return scaled * (grad / norm.pow(p - 1)).masked_fill(norm == 0, 0)


# ----- matrices -----
def _svdvals(a: Tensor) -> Tensor:
    return TABLE["linalg", "svdvals"](a)


def _check_matrix(a: Tensor, dim: Any) -> tuple[int, int]:
    if a.dim() < 2:
        raise RuntimeError(
            "linalg.matrix_norm: The input tensor A must have at least 2 dimensions."
        )
    if not isinstance(dim, (tuple, list)) or len(dim) != 2:
        got = " ".join(map(str, dim)) if isinstance(dim, (tuple, list)) else dim
        raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {got}")
    if dim[0] % a.dim() == dim[1] % a.dim():
        raise RuntimeError(
            f"linalg.matrix_norm: dims must be different. Got ({dim[0]}, {dim[1]})"
        )
    return dim[0] % a.dim(), dim[1] % a.dim()


@composite(module="linalg")
def matrix_norm(
    A: Tensor, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *,
    dtype: Any = None, out: Any = None,
) -> Tensor:  # fmt: skip
    """A norm of matrices: 'fro', 'nuc', ±inf, ±1, ±2."""
    found = _matrix_norm(A, ord, dim, keepdim, dtype)
    return found if out is None else write_out("matrix_norm", out, found)


def _matrix_norm(A: Tensor, ord: Any, dim: Any, keepdim: bool, dtype: Any) -> Tensor:
    if not (A.is_floating_point() or A.is_complex()):
        raise RuntimeError(
            "linalg.matrix_norm: Expected a floating point or complex tensor as input. Got "
            f"{SCALAR_NAMES[A.dtype]}"
        )
    rows, cols = _check_matrix(A, dim)
    _check_kind("linalg.matrix_norm", A, dtype)
    A = A if dtype is None else A.to(dtype)
    if ord == "fro":
        return vector_norm(A, 2, (rows, cols), keepdim)
    if ord in ("nuc", 2, -2):
        values = _svdvals(A.movedim((rows, cols), (-2, -1)))
        found = _of_singular_values(values, ord, keepdim)
        return found.unsqueeze(-1).movedim((-2, -1), (rows, cols)) if keepdim else found
    if ord in (1, -1, math.inf, -math.inf):
        first, second = (rows, cols) if abs(ord) == 1 else (cols, rows)
        sums = vector_norm(A, 1, first, keepdim)
        second -= not keepdim and second > first
        return _greatest(sums, second, keepdim) if ord > 0 else sums.amin(second, keepdim)
    raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported.")


def _of_singular_values(values: Tensor, ord: Any, keepdim: bool) -> Tensor:
    if ord == "nuc":
        return values.sum(-1, keepdim)
    return _greatest(values, -1, keepdim) if ord == 2 else values.amin(-1, keepdim)


def _greatest(norms: Tensor, dim: int, keepdim: bool) -> Tensor:
    """The greatest of norms, 0 of none."""
    return norms.amax(dim, keepdim) if norms.shape[dim] else norms.sum(dim, keepdim)


@composite(module="linalg", name="norm", method=False)
def linalg_norm(
    A: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False, *,
    dtype: Any = None, out: Any = None,
) -> Tensor:  # fmt: skip
    """A vector or matrix norm, by the number of dims."""
    found = _linalg_norm(A, ord, dim, keepdim, dtype)
    return found if out is None else write_out("linalg_norm", out, found)


def _linalg_norm(A: Tensor, ord: Any, dim: Any, keepdim: bool, dtype: Any) -> Tensor:
    dims = (dim,) if isinstance(dim, int) else None if dim is None else tuple(dim)
    if dims is not None and len(dims) not in (1, 2):
        raise RuntimeError(
            "linalg.norm: If dim is specified, it must be of length 1 or 2. Got "
            f"{list(dims)}"
        )
    if ord is None:
        return vector_norm(A, 2.0, dims, keepdim, dtype=dtype)
    if dims is None and A.dim() not in (1, 2):
        raise RuntimeError(
            "linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got "
            f"{A.dim()}D."
        )
    if (len(dims) if dims else A.dim()) == 2:
        return _matrix_norm(A, ord, dims or (0, 1), keepdim, dtype)
    if isinstance(ord, str):
        return _matrix_norm(A, ord, dims, keepdim, dtype)
    return vector_norm(A, ord, dims, keepdim, dtype=dtype)


@composite(method=False)
def norm(
    input: Tensor, p: Any = "fro", dim: Any = None, keepdim: bool = False, out: Any = None,
    dtype: Any = None,
) -> Tensor:  # fmt: skip
    """The older torch.norm: 'fro' and numbers are vector norms, 'nuc' a matrix norm."""
    if not isinstance(input, Tensor):
        raise AttributeError(f"'{type(input).__name__}' object has no attribute 'layout'")
    ord = 2 if p is None or isinstance(p, str) and p == "fro" else p
    dims = (dim,) if isinstance(dim, int) else dim
    if isinstance(ord, str):
        where = dims if dims is not None else tuple(range(input.dim()))
        _demand_norm("linalg.matrix_norm", input, ord, where, keepdim, dtype, out)
        found = _matrix_norm(input, ord, where, keepdim, dtype)
    else:
        if isinstance(p, str) and dims is not None:
            len(dims)
        _demand_norm("linalg.vector_norm", input, ord, dims, keepdim, dtype, out)
        found = vector_norm(input, ord, dims, keepdim, dtype=dtype)
    return found if out is None else write_out("norm", out, found)


_PLAIN = {float, int, str, tuple, bool, type(None)}


def _demand_norm(
    name: str, input: Tensor, ord: Any, dims: Any, keepdim: Any, dtype: Any, out: Any
) -> None:
    """TypeError for arguments that a norm does not take (the usual ones are seen at a glance)."""
    usual = ord.__class__ in _PLAIN and dims.__class__ in _PLAIN and keepdim.__class__ is bool
    if not usual or dims.__class__ is str or dims and dims[0].__class__ is not int:
        demand(name, input, ord, dims, keepdim, dtype=dtype)
    if dtype is not None or out is not None:
        demand(name, input, ord, dims, keepdim, dtype=dtype, out=out)


def _norm_method(
    self: Tensor, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None
) -> Tensor:
    return norm(self, p, dim, keepdim, dtype=dtype)


install("norm", _norm_method)


# ----- distances -----
@op(name="dist")
def dist(input: Array, other: Array, p: float = 2):
    difference = jnp.abs(input - other)
    return _power_norm(difference, float(p), tuple(range(difference.ndim)), False)


@dist.gradient
def _(grad, input, other, p, result):
    slope = norm_slope(grad, input - other, float(p), result, None)
    return slope, -slope


@op(promote="none", module=None, name="cdist", node="CdistBackward0")
def distances(x1: Array, x2: Array, p: float, by_product: bool):
    """All distances between rows of two batches."""
    shape = jnp.broadcast_shapes(x1.shape[:-2], x2.shape[:-2])
    x1, x2 = (jnp.broadcast_to(x, (*shape, *x.shape[-2:])) for x in (x1, x2))
    if not by_product:
        return row_norm(x1[..., :, None, :] - x2[..., None, :, :], p)
    squares = [jnp.sum(jnp.square(x), -1, keepdims=True) for x in (x1, x2)]
    product = jnp.matmul(x1, jnp.swapaxes(x2, -1, -2), preferred_element_type=x1.dtype)
    return safe_sqrt(squares[0] + jnp.swapaxes(squares[1], -1, -2) - 2 * product)


def safe_sqrt(x: Any) -> Any:
    """sqrt of what is positive, else 0, with gradient 0 there."""
    positive = x > 0
    return jnp.where(
        positive, jnp.sqrt(jnp.where(positive, x, jnp.ones_like(x))), jnp.zeros_like(x)
    )


def row_norm(difference: Any, p: float) -> Any:
    """The p-norm over the last dim, with gradient 0 at 0."""
    if difference.shape[-1] == 0:
        return jnp.zeros(difference.shape[:-1], difference.dtype)
    size = jnp.abs(difference)
    if p == 2:
        return safe_sqrt(jnp.sum(jnp.square(size), -1))
    if p in (0, 1, math.inf):
        return _power_norm(size, p, (size.ndim - 1,), False)
    power = jnp.asarray(p, size.dtype)
    known = size > 0
    terms = jnp.where(known, jnp.power(jnp.where(known, size, jnp.ones_like(size)), power), 0)
    total = jnp.sum(terms, -1)
    some = total > 0
    return jnp.where(some, jnp.power(jnp.where(some, total, jnp.ones_like(total)), 1 / power), 0)


_BY_PRODUCT = {
    "use_mm_for_euclid_dist": True, "donot_use_mm_for_euclid_dist": False,
    "use_mm_for_euclid_dist_if_necessary": None, None: None,
}  # fmt: skip


@composite(method=False)
def cdist(
    x1: Tensor, x2: Tensor, p: float = 2.0,
    compute_mode: str | None = "use_mm_for_euclid_dist_if_necessary",
) -> Tensor:  # fmt: skip
    """Distances between every row of x1 and every row of x2."""
    if compute_mode not in _BY_PRODUCT:
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode")
    demand("cdist", x1, x2, p, None)
    for name, x in (("X1", x1), ("X2", x2)):
        if x.dim() < 2:
            raise RuntimeError(f"cdist only supports at least 2D tensors, {name} got: {x.dim()}D")
    if x1.shape[-1] != x2.shape[-1]:
        raise RuntimeError(
            "X1 and X2 must have the same number of columns. "
            f"X1: {x1.shape[-1]} X2: {x2.shape[-1]}"
        )
    for name, x in (("X1", x1), ("X2", x2)):
        if not x.is_floating_point():
            raise RuntimeError(
                f"cdist only supports floating-point dtypes, {name} got: {SCALAR_NAMES[x.dtype]}"
            )
    if p < 0:
        raise RuntimeError("cdist only supports non-negative p values")
    if x1.dtype is not x2.dtype:
        raise RuntimeError(
            f"expected scalar type {SCALAR_NAMES[x1.dtype]} but found {SCALAR_NAMES[x2.dtype]}"
        )
    if x1.dtype.itemsize == 2:
        name = SCALAR_NAMES[x1.dtype]
        raise NotImplementedError(f"\"cdist\" not implemented for '{name}'")
    by_product = _BY_PRODUCT[compute_mode]
    if by_product is None:
        by_product = max(x1.shape[-2], x2.shape[-2]) > 25
    return distances(x1, x2, float(p), p == 2 and by_product)


@op(promote="none", node="PdistBackward0", method=False)
def pdist(input: Array, p: float = 2):
    if input.ndim != 2:
        raise RuntimeError(
            f"pdist only supports 2D tensors, got: {input.ndim}D"
        )
    if p < 0:
        raise RuntimeError("pdist only supports non-negative p values")
    rows, cols = jnp.triu_indices(input.shape[0], 1)
    return row_norm(input[rows] - input[cols], float(p))


@op(promote="none", inplace=True)
def renorm(input: Array, p: float, dim: int, maxnorm: float):
    if input.ndim < 2:
        raise RuntimeError(
            f"renorm: input needs at least 2 dimensions, got {input.ndim} dimensions"
        )
    if p <= 0:
        raise RuntimeError("renorm: non-positive-norm not supported")
    if maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm}")
    over = tuple(i for i in range(input.ndim) if i != dim % input.ndim)
    size = _power_norm(jnp.abs(input), float(p), over, True)
    scale = jnp.where(size > maxnorm, maxnorm / (size + 1e-7), jnp.ones_like(size))
    return input * scale.astype(input.dtype)


@renorm.gradient
def _(grad, input, p, dim, maxnorm):
    over = tuple(i for i in range(input.ndim) if i != dim % input.ndim)
    size = vector_norm(input, p, over, True)
    inner = (input.conj() * grad).sum(over, True)
    inner = inner.real if input.is_complex() else inner
    slope = norm_slope(inner, input, float(p), size, over)
    inverse = 1 / (size + 1e-7)
    return grad.where(size <= maxnorm, maxnorm * inverse * (grad - inverse * slope))


# ----- across channels, as Caffe has it -----
def _channel_windows(channels: int, size: int) -> np.ndarray:
    """(channels, channels): which squares PyTorch adds up; it never takes out the first again."""
    reach = int((size - 1) / 2 + 1)
    c, j = np.indices((channels, channels))
    return (abs(c - j) < reach) | ((j == 0) & (c >= reach))


def _across(windows: np.ndarray, x: Any) -> Any:
    return jnp.einsum("cj,njhw->nchw", windows.astype(x.dtype), x)


def _lrn_scale(input: Any, size: int, alpha: float, k: float) -> Any:
    return _across(_channel_windows(input.shape[1], size), input * input) * (alpha / size) + k


@op(module=None, promote="none", node="CrossMapLRN2dBackward")
def cross_map_lrn(input: Array, size: int, alpha: float, beta: float, k: float):
    return input * _lrn_scale(input, size, alpha, k) ** -beta


@op(module=None, promote="none")
def cross_map_lrn_slope(
    grad: Array, input: Array, size: int, alpha: float, beta: float, k: float
):  # fmt: skip
    """PyTorch's sum, whose windows lie elsewhere than those of the forward pass."""
    channels, shift = input.shape[1], int(size - (size - 1) / 2)
    if shift > size - 1:
        raise RuntimeError(
            f"start ({shift}) + length ({channels}) exceeds dimension size ({channels + size - 1})."
        )
    c, j = np.indices((channels, channels))
    scale = _lrn_scale(input, size, alpha, k)
    small = scale**-beta
    ratio = _across((j >= c - shift) & (j < c - shift + size), grad * input * small / scale)
    return small * grad - 2 * alpha * beta / size * input * ratio


@cross_map_lrn.gradient
def _(grad, input, size, alpha, beta, k):
    return cross_map_lrn_slope.public(grad, input, size, alpha, beta, k)
