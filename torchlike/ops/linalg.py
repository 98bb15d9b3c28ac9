"""Matrix products: mm, bmm, matmul and the add… family; outer, kron, cross."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax import lax

from ..core.check import broadcast_shapes
from ..core.dispatch import set_layout
from ..core.dtypes import C_NAMES, from_numpy
from ..core.mutate import write_out
from ..core.op import Array, Number, Optional, composite, op, publish
from ..core.plan import ArgumentTypeError
from ..core.tensor import Tensor
from .kinds import NUMERIC, refuse, scalar_name, truth
from .unary import conj

CROSS_DIM = (
    "Using torch.cross without specifying the dim arg is deprecated.\n"
    "Please either pass the dim explicitly or simply use torch.linalg.cross.\n"
    "The default value of dim will change to agree with that of linalg.cross in a future release."
)


# ----- checks, in PyTorch's words -----
def _c_name(x: Any) -> str:
    return C_NAMES[from_numpy(x.dtype)]


def _check_mm(a: Any, b: Any) -> None:
    if a.ndim != 2:
        raise RuntimeError("self must be a matrix")
    if b.ndim != 2:
        raise RuntimeError("mat2 must be a matrix")
    if a.shape[1] != b.shape[0]:
        sizes = f"{a.shape[0]}x{a.shape[1]} and {b.shape[0]}x{b.shape[1]}"
        raise RuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({sizes})")
    if a.dtype != b.dtype:
        raise RuntimeError(
            f"expected m1 and m2 to have the same dtype, but got: {_c_name(a)} != {_c_name(b)}"
        )
    refuse("addmm_impl_cpu_", a, NUMERIC)


def _check_bmm(a: Any, b: Any) -> None:
    for name, x in (("batch1", a), ("batch2", b)):
        if x.ndim != 3:
            raise RuntimeError(f"{name} must be a 3D tensor")
    if b.shape[:2] != (a.shape[0], a.shape[2]):
        raise RuntimeError(
            "Expected size for first two dimensions of batch2 tensor to be: "
            f"[{a.shape[0]}, {a.shape[2]}] but got: [{b.shape[0]}, {b.shape[1]}]."
        )
    _check_same(a, b)


def _check_same(a: Any, b: Any) -> None:
    if a.dtype != b.dtype:
        raise RuntimeError(f"expected scalar type {scalar_name(a)} but found {scalar_name(b)}")


def _check_mv(mat: Any, vec: Any, size: int | None = None) -> None:
    if mat.ndim != 2 or vec.ndim != 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got 1, {mat.ndim}, {vec.ndim}")
    size = mat.shape[0] if size is None else size
    if mat.shape[1] != vec.shape[0] or size not in (1, mat.shape[0]):
        raise RuntimeError(
            f"size mismatch, got input ({size}), mat ({mat.shape[0]}x{mat.shape[1]}), "
            f"vec ({vec.shape[0]})"
        )
    if mat.dtype != vec.dtype:
        names = scalar_name(vec), scalar_name(mat), scalar_name(vec)
        raise RuntimeError(
            "addmv input tensors must have the same dtype, but got {}, {}, and {}".format(*names)
        )


def _check_dot(a: Any, b: Any) -> None:
    if a.ndim != 1 or b.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {a.ndim}D and {b.ndim}D tensors")
    if a.dtype != b.dtype:
        raise RuntimeError(
            "dot : expected both vectors to have same dtype, but found "
            f"{scalar_name(a)} and {scalar_name(b)}"
        )
    if a.shape != b.shape:
        n, m = a.shape[0], b.shape[0]
        raise RuntimeError(
            f"inconsistent tensor size, expected tensor [{n}] and src [{m}] to have the same "
            f"number of elements, but got {n} and {m} elements respectively"
        )


def _check_expands(x: Any, shape: tuple[int, ...]) -> None:
    for i in range(1, len(shape) + 1):
        if x.ndim >= i and x.shape[-i] not in (1, shape[-i]):
            raise RuntimeError(
                f"The expanded size of the tensor ({shape[-i]}) must match the existing size "
                f"({x.shape[-i]}) at non-singleton dimension {len(shape) - i}.  Target sizes: "
                f"{list(shape)}.  Tensor sizes: {list(x.shape)}"
            )


def mH(x: Tensor) -> Tensor:
    """The conjugate transpose of the last two dims."""
    flipped = x.transpose(-2, -1)
    return flipped.conj() if x.is_complex() else flipped


def columns(t: Tensor) -> Tensor:
    """A fresh tensor, its matrices laid out column by column as LAPACK leaves them."""
    *batch, rows, cols = t.shape
    if rows and cols:
        counts = [math.prod(batch[i + 1 :]) * rows * cols for i in range(len(batch))]
        set_layout(t, (*counts, 1, rows))
    return t


def product(a: Any, b: Any) -> Any:
    """The matrix product, in the operands' dtype."""
    if a.ndim == b.ndim == 2:
        return lax.dot(a, b, preferred_element_type=a.dtype)  # a third of matmul's time to trace
    return jnp.matmul(a, b, preferred_element_type=a.dtype)


def unrounded(a: Any, b: Any) -> Any:
    """The matrix product; of 16-bit floats in 32 bits, to be rounded after what is added."""
    if a.dtype.itemsize > 2 or not jnp.issubdtype(a.dtype, jnp.floating):
        return product(a, b)
    return jnp.matmul(a, b, preferred_element_type=jnp.float32)


# ----- products of two -----
@op(promote="none")
def mm(input: Array, mat2: Array):
    _check_mm(input, mat2)
    return product(input, mat2)


@mm.gradient
def _(grad, input, mat2):
    return mm(grad, mH(mat2)), mm(mH(input), grad)


@op(promote="none")
def bmm(input: Array, mat2: Array):
    _check_bmm(input, mat2)
    return product(input, mat2)


@bmm.gradient
def _(grad, input, mat2):
    return bmm(grad, mH(mat2)), bmm(mH(input), grad)


@op(promote="none")
def mv(input: Array, vec: Array):
    _check_mv(input, vec)
    return product(input, vec)


@mv.gradient
def _(grad, input, vec):
    return grad.unsqueeze(1) * vec.conj(), mv(mH(input), grad)


@op(promote="none")
def dot(input: Array, tensor: Array):
    _check_dot(input, tensor)
    return jnp.dot(input, tensor, preferred_element_type=input.dtype)


@dot.gradient
def _(grad, input, tensor):
    return grad * tensor.conj(), grad * input.conj()


@op(promote="none")
def vdot(input: Array, other: Array):
    _check_dot(input, other)
    return jnp.dot(jnp.conj(input), other, preferred_element_type=input.dtype)


@vdot.gradient
def _(grad, input, other):
    return grad.conj() * other, grad * input


@op(promote="none", module=None, name="_unsafe_view", node="UnsafeViewBackward0")
def unsafe_view(input: Array, size: object):
    return input.reshape(size)


@op(promote="none", module=None, name="squeezed", node="SqueezeBackward4")
def without_dim(input: Array, dim: int):
    return jnp.squeeze(input, dim)


def squeezed(t: Tensor, dim: int) -> Tensor:
    """A result without one of its dims: PyTorch's in-place squeeze of what nobody else holds."""
    stride = list(t.stride())  # type: ignore[attr-defined]
    found = without_dim(t, dim)
    del stride[dim]
    set_layout(found, tuple(stride))
    found._storage.version += 1
    return found


# ----- matmul: which product, by the numbers of dims -----
@composite
def matmul(input: Tensor, other: Tensor, *, out: Any = None) -> Tensor:
    """The product of vectors, matrices or batches of matrices; leading dims are flattened."""
    found = _matmul(input, other)
    return found if out is None else write_out("matmul", out, found)


def _matmul(a: Tensor, b: Tensor) -> Tensor:
    if not (isinstance(a, Tensor) and isinstance(b, Tensor)):
        name, x = ("input", a) if not isinstance(a, Tensor) else ("other", b)
        place = 1 + (name == "other")
        raise ArgumentTypeError(
            f"matmul(): argument '{name}' (position {place}) must be Tensor, not {type(x).__name__}"
        )
    dims = a._aval.ndim, b._aval.ndim
    simple = _PRODUCTS.get(dims)
    if simple is not None:
        return simple(a, b)
    if 0 in dims:
        raise RuntimeError(
            f"both arguments to matmul need to be at least 1D, but they are {dims[0]}D and "
            f"{dims[1]}D"
        )
    if dims[1] <= 2:
        return _fold(a, b)
    if dims[0] == 1 and not a.requires_grad and a.shape[0] != b.shape[-2] and b.numel():
        batch = math.prod(b.shape[:-2])
        raise RuntimeError(
            "Expected size for first two dimensions of batch2 tensor to be: "
            f"[{batch}, {a.shape[0]}] but got: [{batch}, {b.shape[-2]}]."
        )
    if dims[0] == 1 or (dims[0] == 2 and a.requires_grad):
        folded = _fold(b.transpose(-2, -1), a if dims[0] == 1 else a.t())
        return folded if dims[0] == 1 else folded.transpose(-2, -1).contiguous()
    return _batched(a, b)


_PRODUCTS: dict[tuple[int, int], Callable[[Tensor, Tensor], Tensor]] = {
    (2, 2): mm.public,
    (1, 1): dot.public,
    (2, 1): mv.public,
    (1, 2): lambda a, b: squeezed(mm(a.unsqueeze(0), b), 0),
}


def _fold(a: Tensor, b: Tensor) -> Tensor:
    """The product with one matrix or vector, as one 2-D product: several times faster on CPU."""
    flat, shape = _folded(a._aval.shape, b._aval.shape)
    return unsafe_view((mv if b.ndim == 1 else mm)(a.reshape(flat), b), shape)


@functools.lru_cache(4096)
def _folded(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[Any, Any]:
    return (math.prod(a[:-1]), a[-1]), (*a[:-1], *b[1:])


def _batched(a: Tensor, b: Tensor) -> Tensor:
    shape, *steps = _batches(a._aval.shape, b._aval.shape)
    matrices = []
    for x, (whole, flat) in zip((a, b), steps, strict=True):
        x = x if whole is None else x.expand(whole)
        matrices.append(x if flat is None else x.reshape(flat))
    return unsafe_view(bmm(*matrices), shape)


@functools.lru_cache(4096)
def _batches(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[Any, ...]:
    """The result's shape; what each operand is expanded and flattened to, None where it is so."""
    batch = broadcast_shapes(tuple(a[:-2]), tuple(b[:-2]))
    steps = []
    for x in (a, b):
        whole = (*batch, *x[-2:])
        flat = (math.prod(batch), *x[-2:])
        steps.append((None if tuple(x) == whole else whole, None if whole == flat else flat))
    return (*batch, a[-2], b[-1]), *steps


# ----- a product added to something -----
def _scaled(input: Any, beta: Any, found: Any, alpha: Any) -> Any:
    """beta·input + alpha·found; beta = 0 ignores nan in the input. Rounded to `input`'s dtype."""
    _check_expands(input, found.shape)
    input, narrow = input.astype(found.dtype), input.dtype
    if alpha is not None:
        found = found * alpha.astype(found.dtype)
    if beta is None:
        return (input + found).astype(narrow)
    factor = beta.astype(found.dtype)
    return (jnp.where(factor == 0, jnp.zeros_like(input), factor * input) + found).astype(narrow)


def _slope(grad: Tensor, factor: Any) -> Tensor:
    return grad if factor is None else grad * conj(factor)


@op(promote="none", inplace=True)
def addmm(
    input: Array,
    mat1: Array,
    mat2: Array,
    *,
    beta: Optional[Number] = None,
    alpha: Optional[Number] = None,
):
    if input.dtype != mat2.dtype or mat1.dtype != mat2.dtype:
        first = input if input.dtype != mat2.dtype else mat1
        raise RuntimeError(
            "self and mat2 must have the same dtype, but got "
            f"{scalar_name(first)} and {scalar_name(mat2)}"
        )
    _check_mm(mat1, mat2)
    return _scaled(input, beta, unrounded(mat1, mat2), alpha)


@addmm.gradient
def _(grad, mat1, mat2, beta, alpha):
    return _slope(grad, beta), _slope(mm(grad, mH(mat2)), alpha), _slope(mm(mH(mat1), grad), alpha)


@op(promote="none", inplace=True)
def baddbmm(
    input: Array,
    batch1: Array,
    batch2: Array,
    *,
    beta: Optional[Number] = None,
    alpha: Optional[Number] = None,
):
    _check_bmm(batch1, batch2)
    _check_same(input, batch1)
    return _scaled(input, beta, unrounded(batch1, batch2), alpha)


@baddbmm.gradient
def _(grad, batch1, batch2, beta, alpha):
    slopes = bmm(grad, mH(batch2)), bmm(mH(batch1), grad)
    return _slope(grad, beta), *(_slope(x, alpha) for x in slopes)


@op(promote="none", inplace=True)
def addbmm(
    input: Array,
    batch1: Array,
    batch2: Array,
    *,
    beta: Optional[Number] = None,
    alpha: Optional[Number] = None,
):
    _check_bmm(batch1, batch2)
    _check_same(input, batch1)
    rows, cols = batch1.shape[1], batch2.shape[2]  # one product, summed over batch and inner dim
    left = batch1.transpose(1, 0, 2).reshape(rows, -1)
    return _scaled(input, beta, unrounded(left, batch2.reshape(-1, cols)), alpha)


@addbmm.gradient
def _(grad, batch1, batch2, beta, alpha):
    whole = grad.unsqueeze(0).expand(batch1.shape[0], *grad.shape)
    slopes = bmm(whole, mH(batch2)), bmm(mH(batch1), whole)
    return _slope(grad, beta), *(_slope(x, alpha) for x in slopes)


@op(promote="none", inplace=True)
def addmv(
    input: Array,
    mat: Array,
    vec: Array,
    *,
    beta: Optional[Number] = None,
    alpha: Optional[Number] = None,
):
    _check_mv(mat, vec, input.shape[0] if input.ndim else 1)
    return _scaled(input, beta, product(mat, vec), alpha)


publish("torch", "addmv_", Tensor.addmv_)  # type: ignore[attr-defined]


@addmv.gradient
def _(grad, mat, vec, beta, alpha):
    slopes = grad.unsqueeze(1) * vec.conj(), mv(mH(mat), grad)
    return _slope(grad, beta), *(_slope(x, alpha) for x in slopes)


@op(inplace=True)
def addr(
    input: Array,
    vec1: Array,
    vec2: Array,
    *,
    beta: Optional[Number] = None,
    alpha: Optional[Number] = None,
):
    if vec1.ndim != 1 or vec2.ndim != 1:
        which, x = ("vec1", vec1) if vec1.ndim != 1 else ("vec2", vec2)
        raise RuntimeError(f"addr: Expected 1-D argument {which}, but got {x.ndim}-D")
    common = jnp.promote_types(jnp.promote_types(vec1.dtype, vec2.dtype), input.dtype)
    input, vec1, vec2 = (x.astype(common) for x in (input, vec1, vec2))
    if common == jnp.dtype(bool):
        kept = input if beta is None else input & truth(beta)
        found = vec1[:, None] & vec2
        return kept | (found if alpha is None else found & truth(alpha))
    return _scaled(input, beta, vec1[:, None] * vec2, alpha)


@addr.gradient
def _(grad, vec1, vec2, beta, alpha):
    slopes = mv(grad, vec2.conj()), mv(grad.t(), vec1.conj())
    return _slope(grad, beta), *(_slope(x, alpha) for x in slopes)


