"""View ops: one body each, run on JAX arrays to read and on NumPy arrays to share memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax
from numpy.lib.stride_tricks import as_strided as numpy_strided
from numpy.lib.stride_tricks import sliding_window_view

from ..core.check import check_dim, infer_size
from ..core.dispatch import call_view
from ..core.dtypes import SCALAR_NAMES, dtype
from ..core.geometry import Geometry
from ..core.op import Array, Dim, Number, op
from ..core.parameter import has_bit
from ..core.tensor import Tensor

VIEW_INCOMPATIBLE = (
    "view size is not compatible with input tensor's size and stride (at least one dimension spans "
    "across two contiguous subspaces). Use .reshape(...) instead."
)


def _at(dim: int, where: Any) -> tuple[Any, ...]:
    return (slice(None),) * dim + (where,)


# ----- order of dims -----
def _unpermute(base: Any, value: Any, dims: tuple[int, ...]) -> Any:
    return value.transpose(tuple(int(i) for i in np.argsort(dims)))


def _permute_geometry(at: Geometry, dims: tuple[int, ...]) -> Any:
    return [at.shape[d] for d in dims], [at.stride[d] for d in dims], at.offset


@op(
    name="permute", module=None, method=False, view=True, put=_unpermute, geometry=_permute_geometry
)
def permute_dims(input: Array, dims: object):
    return input.transpose(dims)


def _swap_back(base: Any, value: Any, dim0: int, dim1: int) -> Any:
    return value.swapaxes(dim0, dim1) if base.ndim else value


def _swap_geometry(at: Geometry, dim0: int, dim1: int) -> Any:
    shape, stride = list(at.shape), list(at.stride)
    if shape:
        shape[dim0], shape[dim1] = shape[dim1], shape[dim0]
        stride[dim0], stride[dim1] = stride[dim1], stride[dim0]
    return shape, stride, at.offset


@op(view=True, put=_swap_back, geometry=_swap_geometry)
def transpose(input: Array, dim0: Dim, dim1: Dim):
    return input.swapaxes(dim0, dim1) if input.ndim else input[...]


@op(
    view=True, put=lambda base, value: value.T,
    geometry=lambda at: (at.shape[::-1], at.stride[::-1], at.offset),
)  # fmt: skip
def t(input: Array):
    if input.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {input.ndim}D")
    return input.T


@op(name="alias", module=None, method=False, view=True, put=lambda base, value: value)
def alias_view(input: Array):
    return input[...] if isinstance(input, np.ndarray) else input


# ----- parts -----
def _select_geometry(at: Geometry, index: Any, dim: int) -> Any:
    stride = at.stride
    return (
        at.shape[:dim] + at.shape[dim + 1 :], stride[:dim] + stride[dim + 1 :],
        at.offset + int(index) * stride[dim],
    )  # fmt: skip


@op(
    name="select", module=None, method=False, view=True, promote="none", geometry=_select_geometry,
    put=lambda base, value, index, dim: lax.dynamic_update_index_in_dim(base, value, index, dim),
)  # fmt: skip
def select_at(input: Array, dim: int, index: Number):
    if isinstance(input, np.ndarray):
        return input[(*_at(dim, int(index)), ...)]  # `...`: a 0-d view, not a scalar
    return lax.dynamic_index_in_dim(input, index, dim, keepdims=False)


def _slice_geometry(at: Geometry, start: Any, dim: int, length: int, step: int) -> Any:
    shape, stride = list(at.shape), list(at.stride)
    shape[dim] = length
    stride[dim] *= step
    return shape, stride, at.offset + int(start) * at.stride[dim]


def _unslice(base: Any, value: Any, start: Any, dim: int, length: int, step: int) -> Any:
    if step == 1:
        return lax.dynamic_update_slice_in_dim(base, value, start, dim)
    where = start + jnp.arange(length, dtype=start.dtype) * step
    return base.at[_at(dim, where)].set(value)


def _slice_end(call: Any) -> int:
    """Where a slice ends that was not given by its end."""
    return call.start + call.length * call.step


@op(
    name="slice", module=None, method=False, view=True, promote="none", put=_unslice,
    geometry=_slice_geometry, shows={"end": _slice_end},
)  # fmt: skip
def slice_at(input: Array, dim: int, start: Number, length: int, step: int):
    if isinstance(input, np.ndarray):
        first = int(start)
        last = first + (length - 1) * step + 1 if length else first
        return input[_at(dim, slice(first, last, step))]
    if step == 1:
        return lax.dynamic_slice_in_dim(input, start, length, dim)
    where = start + jnp.arange(length, dtype=start.dtype) * step
    return jnp.take(input, where, axis=dim, mode="clip")


def _diagonal_dims(input: Any, offset: int, dim1: int, dim2: int) -> None:
    if dim1 == dim2:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")


@op(view=True)
def diagonal(input: Array, offset: int = 0, dim1: Dim = 0, dim2: Dim = 1):
    _diagonal_dims(input, offset, dim1, dim2)
    if isinstance(input, np.ndarray):
        out = input.diagonal(offset, dim1, dim2)
        if input.flags.writeable:
            out.flags.writeable = True  # NumPy makes it read-only out of caution
        return out
    rows = jnp.moveaxis(input, (dim1, dim2), (-2, -1))
    below, right = max(-offset, 0), max(offset, 0)
    at = np.arange(max(0, min(rows.shape[-2] - below, rows.shape[-1] - right)))
    return rows[..., at + below, at + right]


@op(view=True)
def unfold(input: Array, dimension: int, size: int, step: int):
    dim = check_dim(dimension, input.ndim)
    extent = input.shape[dim] if input.ndim else 1
    if size > extent:
        raise RuntimeError(
            f"maximum size for tensor at dimension {dim} is {extent} but size is {size}"
        )
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    wide = input if input.ndim else input.reshape(1)
    if isinstance(input, np.ndarray):
        out = sliding_window_view(wide, size, axis=dim, writeable=True)
        out = out[_at(dim, slice(None, None, step))]
        return out if input.ndim else out[0]
    starts = np.arange(0, extent - size + 1, step)
    where = jnp.asarray(starts[:, None] + np.arange(size))
    out = jnp.moveaxis(jnp.take(wide, where, axis=dim, mode="clip"), dim + 1, -1)
    return out if input.ndim else out[0]


# ----- shapes -----
def _unsqueeze_geometry(at: Geometry, dim: int) -> Any:
    inner = at.shape[dim] * at.stride[dim] if dim < len(at.shape) else 1
    return (
        at.shape[:dim] + (1,) + at.shape[dim:], at.stride[:dim] + (inner,) + at.stride[dim:],
        at.offset,
    )  # fmt: skip


def _reshape_back(base: Any, value: Any, **_: Any) -> Any:
    return value.reshape(base.shape)


@op(
    name="unsqueeze", module=None, method=False, view=True, put=_reshape_back,
    geometry=_unsqueeze_geometry,
)  # fmt: skip
def unsqueeze_at(input: Array, dim: int):
    if isinstance(input, np.ndarray):
        return np.expand_dims(input, dim)
    return lax.expand_dims(input, (dim,))


def _squeezed(at: Geometry, dims: tuple[int, ...]) -> Any:
    keep = [i for i in range(len(at.shape)) if i not in dims]
    return [at.shape[i] for i in keep], [at.stride[i] for i in keep], at.offset


def _squeeze_node(statics: dict[str, Any]) -> str:
    dim = statics["dim"]
    return f"SqueezeBackward{0 if dim is None else 2 if isinstance(dim, tuple) else 1}"


@op(
    name="squeeze", module=None, method=False, view=True, put=_reshape_back, node=_squeeze_node,
    geometry=lambda at, dims, dim: _squeezed(at, dims),
)  # fmt: skip
def squeeze_at(input: Array, dims: object, dim: object):
    """Without `dims`, of those that `dim` asked for."""
    return input.squeeze(dims)


def expand_sizes(size: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """`expand`'s sizes with -1 filled in; RuntimeError (PyTorch's text) if it can't be."""
    extra = len(size) - len(shape)
    found = list(size)
    for i, n in reversed(list(enumerate(size))):
        have = shape[i - extra] if i >= extra else None
        if n == -1:
            if have is None:
                raise RuntimeError(
                    f"The expanded size of the tensor ({n}) isn't allowed in a leading, "
                    f"non-existing dimension {i}"
                )
            found[i] = have
        elif have is not None and have != n and have != 1:
            raise RuntimeError(
                f"The expanded size of the tensor ({n}) must match the existing size ({have}) at "
                f"non-singleton dimension {i}.  Target sizes: {list(size)}.  Tensor sizes: "
                f"{list(shape)}"
            )
    return tuple(found)


def _expand_geometry(at: Geometry, size: tuple[int, ...]) -> Any:
    size = expand_sizes(size, at.shape)
    extra = len(size) - len(at.shape)
    stride = [0] * extra + [
        0 if n == 1 and m != 1 else s
        for n, s, m in zip(at.shape, at.stride, size[extra:], strict=True)
    ]
    return size, stride, at.offset


@op(name="expand", module=None, method=False, view=True, geometry=_expand_geometry)
def expand_to(input: Array, size: Any):
    sizes = expand_sizes(size, input.shape)
    if isinstance(input, np.ndarray):
        seen = np.broadcast_to(input, sizes)  # read-only, which a write through it must not be
        return numpy_strided(input, sizes, seen.strides, writeable=input.flags.writeable)
    return jnp.broadcast_to(input, sizes)


def view_stride(at: Geometry, size: tuple[int, ...]) -> tuple[int, ...] | None:
    """Strides of `at` seen in another shape without a copy; None where there are none."""
    shape, stride = at.shape, at.stride
    count = int(np.prod(shape, dtype=np.int64))
    if count == 0:
        return stride if tuple(size) == tuple(shape) else _rows(size)
    out = [0] * len(size)
    view_d = len(size) - 1
    chunk_base = stride[-1] if stride else 1
    tensor_numel = view_numel = 1
    for d in range(len(shape) - 1, -1, -1):
        tensor_numel *= shape[d]
        if d == 0 or (shape[d - 1] != 1 and stride[d - 1] != tensor_numel * chunk_base):
            while view_d >= 0 and (view_numel < tensor_numel or size[view_d] == 1):
                out[view_d] = view_numel * chunk_base
                view_numel *= size[view_d]
                view_d -= 1
            if view_numel != tensor_numel:
                return None
            if d > 0:
                chunk_base = stride[d - 1]
                tensor_numel = view_numel = 1
    if not shape:
        return (1,) * len(size)
    return tuple(out) if view_d == -1 else None


def _rows(size: tuple[int, ...]) -> tuple[int, ...]:
    from ..core.geometry import contiguous_stride

    return contiguous_stride(tuple(size))


def _view_geometry(at: Geometry, size: tuple[int, ...]) -> Any:
    size = infer_size(size, int(np.prod(at.shape, dtype=np.int64)))
    stride = view_stride(at, size)
    if stride is None:
        raise RuntimeError(VIEW_INCOMPATIBLE)
    return size, stride, at.offset


@op(
    name="view",
    module=None,
    method=False,
    view=True,
    put=_reshape_back,
    geometry=_view_geometry,
)
def view_as_size(input: Array, size: Any):
    sizes = infer_size(size, input.size)
    if isinstance(input, np.ndarray):
        return np.reshape(input, sizes, copy=False)
    return input.reshape(sizes)


reshape_alias = op(  # what `reshape` makes of a tensor that is not row-major
    view_as_size.body, name="_reshape_alias", node="ReshapeAliasBackward0", module=None,
    method=False, view=True, put=_reshape_back, geometry=_view_geometry,
)  # fmt: skip


# ----- memory -----
@op(
    name="as_strided", module=None, method=False, view=True,
    shows={"storage_offset": lambda call: call.offset or None},
)  # fmt: skip
def strided(input: Array, size: Any, stride: Any, offset: int, order: Any):
    """A view of the base's memory; `order` lists its dims from slowest to fastest."""
    flat = input.transpose(order)
    if isinstance(input, np.ndarray):
        flat = np.reshape(flat, -1, copy=False)
        unit = flat.strides[0] if flat.size > 1 else flat.itemsize
        return numpy_strided(flat[offset:], size, tuple(s * unit for s in stride))
    flat = flat.reshape(-1)
    where = np.full(size, offset, np.int64)
    for d, (n, s) in enumerate(zip(size, stride, strict=True)):
        where += np.arange(n).reshape([-1 if i == d else 1 for i in range(len(size))]) * s
    return flat[jnp.asarray(where)]


# ----- complex and bits -----
def _real_geometry(at: Geometry) -> Any:
    return at.shape + (2,), tuple(2 * s for s in at.stride) + (1,), 2 * at.offset


@op(
    name="view_as_real", module=None, method=False, view=True, geometry=_real_geometry,
    put=lambda base, value: lax.complex(value[..., 0], value[..., 1]),
)  # fmt: skip
def real_view(input: Array):
    if input.dtype.kind != "c":
        raise RuntimeError("view_as_real is only supported for complex tensors")
    if isinstance(input, np.ndarray):
        return input[..., None].view(input.real.dtype)
    return jnp.stack([input.real, input.imag], -1)


def _same_geometry(at: Geometry) -> Any:
    return at.shape, at.stride, at.offset


@op(name="_conj", view=True, bit="conj", geometry=_same_geometry)
def conj_view(input: Array):
    return input.conj()


conj_view.gradient(lambda grad: grad.conj())


@op(name="_neg_view", node="NegViewBackward0", view=True, bit="neg", geometry=_same_geometry)
def neg_view(input: Array):
    return -input


neg_view.gradient(lambda grad: grad.neg())
_BIT_VIEWS = {"conj": conj_view, "neg": neg_view}


def bits_of(tensor: Tensor) -> dict[str, bool]:
    """The bits that are set, as PyTorch's files name them."""
    return {bit: True for bit in _BIT_VIEWS if has_bit(tensor, bit)}


def with_bits(tensor: Tensor, bits: Iterable[str]) -> Tensor:
    """The same memory seen with these bits."""
    for bit in bits:
        tensor = call_view(_BIT_VIEWS[bit], (tensor,))
    return tensor


def _complex_geometry(at: Geometry) -> Any:
    if not at.shape or at.shape[-1] != 2:
        raise RuntimeError("Tensor must have a last dimension of size 2")
    if at.stride[-1] != 1:
        raise RuntimeError("Tensor must have a last dimension with stride 1")
    if any(s % 2 for s in at.stride[:-1]):
        raise RuntimeError("Tensor must have a stride divisible by 2 for all but last dimension")
    return at.shape[:-1], tuple(s // 2 for s in at.stride[:-1]), at.offset // 2


@op(
    view=True, geometry=_complex_geometry,
    put=lambda base, value: jnp.stack([value.real, value.imag], -1),
)  # fmt: skip
def view_as_complex(input: Array):
    kinds = {"float32": np.complex64, "float64": np.complex128}
    target = kinds.get(input.dtype.name)
    if target is None:
        raise RuntimeError(
            "view_as_complex is only supported for half, float and double tensors, but got a "
            "tensor "
            f"of scalar type: {input.dtype.name.title()}"
        )
    if not input.ndim or input.shape[-1] != 2:
        raise RuntimeError("Tensor must have a last dimension of size 2")
    if isinstance(input, np.ndarray):
        return input.view(target)[..., 0]
    return lax.complex(input[..., 0], input[..., 1])


def check_bits(at: Geometry, old: dtype, new: dtype) -> None:
    """RuntimeError (PyTorch's texts) when a view as a dtype of another size is impossible."""
    if new.itemsize == old.itemsize:
        return
    names = f"{SCALAR_NAMES[old]} as {SCALAR_NAMES[new]} (different element sizes)"
    if not at.shape:
        raise RuntimeError(f"self.dim() cannot be 0 to view {names}")
    if at.stride[-1] != 1:
        raise RuntimeError(f"self.stride(-1) must be 1 to view {names}, but got {at.stride[-1]}")
    k = new.itemsize // old.itemsize
    if k:
        facts = {"size(-1)": at.shape[-1], "storage_offset()": at.offset}
        facts |= {f"stride({d})": n for d, n in enumerate(at.stride[:-1])}
        for name, n in facts.items():
            if n % k:
                raise RuntimeError(
                    f"self.{name} must be divisible by {k} to view {names}, but got {n}"
                )


def _bits_geometry(at: Geometry, dtype: Any, itemsize: int) -> Any:
    new = np.dtype(dtype).itemsize
    if new == itemsize:
        return at.shape, at.stride, at.offset
    if new < itemsize:
        k = itemsize // new
        return (
            at.shape[:-1] + (at.shape[-1] * k,), tuple(s * k for s in at.stride[:-1]) + (1,),
            at.offset * k,
        )  # fmt: skip
    k = new // itemsize
    return (
        at.shape[:-1] + (at.shape[-1] // k,), tuple(s // k for s in at.stride[:-1]) + (1,),
        at.offset // k,
    )  # fmt: skip


def _bits_back(base: Any, value: Any, dtype: Any, itemsize: int) -> Any:
    return _bitcast(value, base.dtype).reshape(base.shape)


@op(
    name="view_dtype", module=None, method=False, view=True, differentiable=False, promote="none",
    put=_bits_back, geometry=_bits_geometry,
)  # fmt: skip
def view_bits(input: Array, dtype: Any, itemsize: int):
    if isinstance(input, np.ndarray):
        return input.view(dtype)
    return _bitcast(input, np.dtype(dtype))


def _bitcast(x: Any, target: Any) -> Any:
    if x.dtype.kind == "c":
        x = jnp.stack([x.real, x.imag], -1).reshape(*x.shape[:-1], -1)
    if x.dtype == np.bool_:
        x = x.astype(np.uint8)
    if target == np.bool_:
        return _bitcast(x, np.dtype(np.uint8)).astype(np.bool_)
    if target.kind == "c":
        parts = _bitcast(x, np.dtype(f"f{target.itemsize // 2}"))
        parts = parts.reshape(*parts.shape[:-1], -1, 2)
        return lax.complex(parts[..., 0], parts[..., 1])
    old, new = x.dtype.itemsize, target.itemsize
    if new > old:
        x = x.reshape(*x.shape[:-1], x.shape[-1] * old // new, new // old)
    out = lax.bitcast_convert_type(x, target)
    return out.reshape(*out.shape[:-2], -1) if new < old else out
