"""Ops that move or repeat elements: joining, flipping, tiling, triangles, diagonals."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from ..core.check import as_int, check_dim, check_dims, infer_size, sizes_of
from ..core.device import META
from ..core.dispatch import call, set_layout
from ..core.dtypes import SCALAR_NAMES, can_cast
from ..core.geometry import result_stride
from ..core.mutate import write_out
from ..core.op import Array, Arrays, Dim, Dims, Operand, alias, composite, install, op
from ..core.plan import ABSENT, ArgumentTypeError
from ..core.saved import note
from ..core.tensor import Tensor, to_host


# ----- what views share a gradient with -----
@op(
    module=None, name="split_parts", promote="none", returns=tuple, node=lambda s: s["node"],
    shows={"split_size": lambda call: call.sizes[0], "split_sizes": lambda call: call.sizes},
)  # fmt: skip
def split_parts(input: Array, sizes: Any, dim: int, node: str):
    return tuple(jnp.split(input, list(np.cumsum(sizes)[:-1]), axis=dim))


@op(module=None, name="unbind_parts", promote="none", returns=tuple, node="UnbindBackward0")
def unbind_parts(input: Array, dim: int):
    return tuple(input[(slice(None),) * dim + (i,)] for i in range(input.shape[dim]))


@op(module=None, name="unsafe_view")
def _unsafe_view(input: Array, size: object):
    return input.reshape(size)


def unsafe_view(input: Tensor, size: tuple[int, ...]) -> Tensor:
    """A reshape of memory nobody else sees: not a view."""
    return call(_unsafe_view, (input,), (infer_size(size, input.numel()),))


# ----- joining -----
def _check_cat(tensors: tuple[Any, ...], dim: int) -> None:
    first = tensors[0]
    for i, t in enumerate(tensors):
        if t.ndim != first.ndim:
            raise RuntimeError(
                f"Tensors must have same number of dimensions: got {first.ndim} and {t.ndim}"
            )
        for d in range(first.ndim):
            if d != dim and t.shape[d] != first.shape[d]:
                raise RuntimeError(
                    f"Sizes of tensors must match except in dimension {dim}. Expected size "
                    f"{first.shape[d]} but got size {t.shape[d]} for tensor number {i} in the list."
                )


@op(name="cat", module=None, method=False)
def _cat(tensors: Arrays, dim: int):
    if any(t.ndim == 0 for t in tensors):
        where = next(i for i, t in enumerate(tensors) if t.ndim == 0)
        raise RuntimeError(f"zero-dimensional tensor (at position {where}) cannot be concatenated")
    kept = [t for t in tensors if t.shape != (0,)] or list(tensors[:1])
    at = check_dim(dim, kept[0].ndim)
    _check_cat(tuple(kept), at)
    return jnp.concatenate(kept, axis=at)


@composite(method=False)
def cat(tensors: Any, dim: int = 0, *, out: Any = None) -> Tensor:
    """Tensors joined along a dim."""
    given = _sequence("cat", tensors)
    if not given:
        raise ValueError("torch.cat(): expected a non-empty list of Tensors")
    made = call(_cat, tuple(given), (len(given), dim))
    return _joined_into("cat", made, out, given, "apart")


def finish(name: str, result: Any, out: Any, inputs: Any = (), rule: str = "") -> Any:
    """The result, or `out` with the result written into it (see `write_out`)."""
    return result if out is None else write_out(name, out, result, inputs, rule)


def _joined_into(name: str, made: Tensor, out: Any, inputs: Any = (), rule: str = "") -> Tensor:
    if isinstance(out, Tensor) and not can_cast(made.dtype, out.dtype):
        raise TypeError(
            "torch.cat(): input types can't be cast to the desired output type "
            f"{SCALAR_NAMES[out.dtype]}"
        )
    return finish(name, made, out, inputs, rule)


def _sequence(name: str, tensors: Any) -> list[Tensor]:
    if isinstance(tensors, Tensor) or not isinstance(tensors, (tuple, list)):
        raise TypeError(
            f"{name}(): argument 'tensors' (position 1) must be tuple of Tensors, not "
            f"{type(tensors).__name__}"
        )
    for i, t in enumerate(tensors):
        if not isinstance(t, Tensor):
            raise TypeError(
                f"expected Tensor as element {i} in argument 0, but got {type(t).__name__}"
            )
    return list(tensors)


alias("concat", "cat")
alias("concatenate", "cat")


@op(name="stack", module=None, method=False)
def _stack(tensors: Arrays, dim: int):
    first = tensors[0]
    for i, t in enumerate(tensors):
        if t.shape != first.shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(first.shape)} at entry "
                "0 "
                f"and {list(t.shape)} at entry {i}"
            )
    return jnp.stack(tensors, check_dim(dim, first.ndim + 1))


@composite(method=False)
def stack(tensors: Any, dim: int = 0, *, out: Any = None) -> Tensor:
    """Tensors of one shape joined along a new dim."""
    given = _sequence("stack", tensors)
    if not given:
        raise RuntimeError("stack expects a non-empty TensorList")
    return _joined_into("stack", call(_stack, tuple(given), (len(given), dim)), out)




def _joined(name: str, least: Any, dim: Any) -> None:
    def function(tensors: Any, *, out: Any = None) -> Tensor:
        given = _sequence(name, tensors)
        if not given:
            raise RuntimeError(f"{name} expects a non-empty TensorList")
        shaped = [least(t) for t in given]
        return cat(shaped, dim(shaped[0]), out=out)

    function.__name__ = name
    function.__doc__ = "Tensors joined along one dim, raised to enough dims first."
    composite(function, method=False)


@composite(method=False)
def atleast_1d(*tensors: Any) -> Any:
    """At least one dim."""
    return _each(tensors, lambda t: t.reshape(1) if t.ndim == 0 else t)


@composite(method=False)
def atleast_2d(*tensors: Any) -> Any:
    """At least two dims: new ones in front."""
    return _each(tensors, _two_dims)


@composite(method=False)
def atleast_3d(*tensors: Any) -> Any:
    """At least three dims."""
    return _each(tensors, _three_dims)


def _two_dims(t: Tensor) -> Tensor:
    return t.reshape(1, 1) if t.ndim == 0 else t.unsqueeze(0) if t.ndim == 1 else t


def _three_dims(t: Tensor) -> Tensor:
    if t.ndim == 0:
        return t.reshape(1, 1, 1)
    if t.ndim == 1:
        return t.unsqueeze(0).unsqueeze(2)
    return t.unsqueeze(2) if t.ndim == 2 else t


def _each(tensors: tuple[Any, ...], function: Any) -> Any:
    if len(tensors) == 1:
        if isinstance(tensors[0], Tensor):
            return function(tensors[0])
        tensors = tuple(tensors[0])
    return tuple(function(t) for t in tensors)


_joined("hstack", lambda t: t.reshape(1) if t.ndim == 0 else t, lambda t: 0 if t.ndim == 1 else 1)
_joined("vstack", _two_dims, lambda t: 0)
_joined("dstack", _three_dims, lambda t: 2)
alias("row_stack", "vstack")


@composite(method=False)
def column_stack(tensors: Any, *, out: Any = None) -> Tensor:
    """1-D tensors as columns."""
    given = _sequence("column_stack", tensors)
    shaped = [t.reshape(t.numel(), 1) if t.ndim <= 1 else t for t in given]
    return cat(shaped, 1, out=out)


@composite(method=False)
def block_diag(*tensors: Any) -> Tensor:
    """A matrix with the given ones along its diagonal."""
    blocks = [_two_dims(t) for t in tensors] or [Tensor(0, 0)]
    width = sum(b.shape[1] for b in blocks)
    rows, left = [], 0
    for b in blocks:
        before = b.new_zeros(b.shape[0], left)  # type: ignore[attr-defined]
        after = b.new_zeros(b.shape[0], width - left - b.shape[1])  # type: ignore[attr-defined]
        rows.append(cat([before, b, after], 1))
        left += b.shape[1]
    return cat(rows, 0)


# ----- order of elements -----
@op(name="flip", module=None, method=False)
def _flip(input: Array, dims: Dims):
    return jnp.flip(input, dims) if dims and input.ndim else input


@_flip.gradient
def _(grad, dims):
    return grad.flip(dims)


@composite(method=False)
def flip(input: Tensor, dims: Any) -> Tensor:
    """The order along dims reversed (a copy)."""
    _demand_several(dims)
    out = call(_flip, (input,), (sizes_of((dims,), "flip", "dims", 2),))
    set_layout(out, _kept_stride(input))
    return out


def _demand_several(dims: Any) -> None:
    """TypeError for a lone number, which only the method takes."""
    if not isinstance(dims, (tuple, list)):
        raise ArgumentTypeError("must be tuple of ints")


def _flip_method(self: Tensor, *args: Any, dims: Any = ABSENT) -> Tensor:
    return flip(self, sizes_of(args if dims is ABSENT else (dims,), "flip", "dims"))


def _kept_stride(input: Tensor) -> tuple[int, ...]:
    """Strides of the result of a kernel that keeps its input's order of dims in memory."""
    at = input.geometry()
    return result_stride((tuple(at.shape),), (tuple(at.stride),), tuple(at.shape))


install("flip", _flip_method)


@composite
def fliplr(input: Tensor) -> Tensor:
    """Columns reversed."""
    if input.ndim < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return flip(input, (1,))


@composite
def flipud(input: Tensor) -> Tensor:
    """Rows reversed."""
    if input.ndim < 1:
        raise RuntimeError("Input must be >= 1-d.")
    return flip(input, (0,))


@op(name="roll", module=None, method=False)
def _roll(input: Array, shifts: Any, dims: Any):
    return jnp.roll(input, shifts, dims)


def roll(input: Tensor, shifts: Any, dims: Any = None) -> Tensor:
    """Elements moved along dims, round the end."""
    shifts = tuple(map(as_int, shifts if isinstance(shifts, (tuple, list)) else (shifts,)))
    dims = () if dims is None else (dims,) if not isinstance(dims, (tuple, list)) else tuple(dims)
    if not shifts:
        raise RuntimeError("`shifts` required")
    if not dims and len(shifts) == 1:
        return call(_roll, (input,), (shifts[0], None))
    if len(shifts) != len(dims):
        raise RuntimeError(
            f"shifts and dimensions must align. shifts: {len(shifts)}, dims:{len(dims)}"
        )
    if input.ndim == 0:
        raise IndexError(f"Dimension specified as {dims[0]} but tensor has no dimensions")
    return note(
        call(_roll, (input,), (shifts, tuple(check_dim(d, input.ndim) for d in dims))), dims=dims
    )


composite(roll)


@op(name="rot90", module=None, method=False)
def _rot90(input: Array, k: int, dims: Any):
    return jnp.rot90(input, k, dims)


@composite
def rot90(input: Tensor, k: int = 1, dims: Any = (0, 1)) -> Tensor:
    """Rotated by k quarter turns in the plane of two dims."""
    if len(dims) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    if input.ndim < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {input.ndim}")
    found = tuple(check_dim(d, input.ndim) for d in dims)
    if found[0] == found[1]:
        raise RuntimeError(
            f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}"
        )
    out = call(_rot90, (input,), (k % 4, found))
    stride = list(_kept_stride(input))
    if k % 2:  # a flip, then a transposed view of it
        stride[found[0]], stride[found[1]] = stride[found[1]], stride[found[0]]
    set_layout(out, tuple(stride))
    return out


# ----- repetition -----
@op(name="repeat", module=None, method=False)
def _repeat(input: Array, repeats: object):
    return jnp.tile(input, repeats)


def repeat(self: Tensor, *repeats: Any, **named: Any) -> Tensor:
    """The tensor repeated along each dim (a copy)."""
    times = sizes_of((named["repeats"],) if "repeats" in named else repeats, "repeat", "repeats")
    if len(times) < self.ndim:
        raise RuntimeError(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of "
            "tensor"
        )
    if any(n < 0 for n in times):
        shape = (1,) * (len(times) - self.ndim) + tuple(self.shape)
        sizes = [n * m for n, m in zip(times, shape, strict=True)]
        first = next((n for n in sizes if n < 0), min(times))
        raise RuntimeError(f"Trying to create tensor with negative dimension {first}: {sizes}")
    return call(_repeat, (self,), (times,))


install("repeat", repeat)


@composite(method=False)
def tile(input: Tensor, dims: Any) -> Tensor:
    """`repeat` with the missing leading repeats taken as one."""
    _demand_several(dims)
    times = sizes_of((dims,), "tile", "dims", 2)
    return repeat(input, (1,) * (input.ndim - len(times)) + times)


def _tile_method(self: Tensor, *args: Any, dims: Any = ABSENT) -> Tensor:
    return tile(self, sizes_of(args if dims is ABSENT else (dims,), "tile", "dims"))


install("tile", _tile_method)


@composite
def repeat_interleave(
    input: Tensor, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Tensor:
    """Each element repeated, next to itself."""
    lengths = input if repeats is None else repeats
    if isinstance(lengths, Tensor) and lengths.device is META and output_size is None:
        raise RuntimeError("cannot repeat_interleave a meta tensor without output_size")
    if repeats is None:
        return _repeated_indices(input, output_size)
    if dim is None:
        input, dim = input.flatten(), 0
    dim = check_dim(dim, input.ndim)
    if isinstance(repeats, Tensor):
        n = input.shape[dim] if input.ndim else 1
        if repeats.ndim > 1:
            raise RuntimeError("repeats must be 0-dim or 1-dim tensor")
        if repeats.numel() not in (1, n) or repeats.ndim and not repeats.numel():
            raise RuntimeError(
                "repeats must have the same size as input along dim, but got repeats.size(0) = "
                f"{repeats.numel()} and input.size({dim}) = {n}"
            )
        at = _repeated_indices(repeats.reshape(-1).expand(n), output_size)
        return input.index_select(dim, at)
    times = as_int(repeats)
    if times < 0:
        raise RuntimeError("Repeats must be non-negative")
    if output_size not in (None, input.shape[dim] * times):
        raise RuntimeError(
            "repeat_interleave: Invalid output_size, expected "
            f"{input.shape[dim] * times} but got {output_size}"
        )
    shape = list(input.shape)
    wide = input.unsqueeze(dim + 1).expand(*shape[: dim + 1], times, *shape[dim + 1 :])
    return wide.clone(memory_format=None).flatten(dim, dim + 1)


def _repeated_indices(repeats: Tensor, output_size: int | None) -> Tensor:
    """Each index as often as `repeats` says."""
    if repeats.dtype.name not in ("int32", "int64"):
        name = SCALAR_NAMES[repeats.dtype]
        raise NotImplementedError(f"\"repeat_interleave_cpu\" not implemented for '{name}'")
    if repeats.ndim != 1:
        raise RuntimeError("repeat_interleave only accept 1D vector as repeat")
    counts = to_host(repeats)
    if (counts < 0).any():
        raise RuntimeError("repeats can not be negative")
    if output_size not in (None, counts.sum()):
        raise RuntimeError("allocated size does not match required size")
    return Tensor_from(np.repeat(np.arange(len(counts)), counts))


def Tensor_from(array: np.ndarray) -> Tensor:
    """An int64 tensor from a host array."""
    from ..core.tensor import from_host

    return from_host(np.asarray(array, np.int64))


# ----- triangles and diagonals -----
def _triangle(name: str, function: Any) -> None:
    def body(input: Array, diagonal: int = 0) -> Any:
        if input.ndim < 2:
            raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")
        return function(input, diagonal)

    op(body, name=name, inplace=True, node=name.title() + "Backward0").gradient(
        lambda grad, diagonal: getattr(grad, name)(diagonal)
    )


_triangle("tril", jnp.tril)
_triangle("triu", jnp.triu)


@op(promote="none")
def diag_embed(input: Array, offset: int = 0, dim1: int = -2, dim2: int = -1):
    first, second = check_dims((dim1, dim2), input.ndim + 1) if dim1 != dim2 else (dim1, dim2)
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    n = input.shape[-1] + abs(offset)
    out = jnp.zeros((*input.shape[:-1], n, n), input.dtype)
    at = jnp.arange(input.shape[-1])
    out = out.at[..., at + max(-offset, 0), at + max(offset, 0)].set(input)
    return jnp.moveaxis(out, (-2, -1), (first, second))


@diag_embed.gradient
def _(grad, offset, dim1, dim2):
    return grad.diagonal(offset, dim1, dim2)


@composite
def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """A matrix with all elements as its diagonal."""
    return input.contiguous().view(-1).diag_embed(offset)


__all__ = ["Dim", "Operand", "split_parts", "unbind_parts", "unsafe_view"]
