"""Masks, and what depends on which elements are true."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from ..core.check import broadcast_shapes
from ..core.dispatch import call, set_layout
from ..core.dtypes import C_NAMES, SCALAR_NAMES, check_number
from ..core.mutate import checked_result, overwrite
from ..core.op import Array, Number, composite, op
from ..core.tensor import Tensor, elements_for, from_host, to_host
from ..core.writable import check_writable
from .demands import check_count
from .movement import finish
from .overlap import fill_once, once_of


# ----- masks -----
@op(name="masked_fill", module=None, method=False, promote="none", elementwise=True)
def _masked_fill(input: Array, mask: Array, value: Number):
    return jnp.where(mask, value.astype(input.dtype), input)


@_masked_fill.gradient
def _(grad, mask):
    return grad.masked_fill(mask, 0), None


@op(name="masked_fill_tensor", module=None, method=False, promote="none", elementwise=True,
    node="MaskedFillBackward1")  # fmt: skip
def _masked_fill_tensor(input: Array, mask: Array, value: Array):
    return jnp.where(mask, value.astype(input.dtype), input)


@_masked_fill_tensor.gradient
def _(grad, mask):
    return grad.masked_fill(mask, 0), None, grad.masked_fill(~mask, 0).sum()


@composite
def masked_fill(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """A copy with one number where the mask is true."""
    broadcast_shapes(tuple(mask.shape), tuple(input.shape))
    return _masked(input, mask, value)


def _masked(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    if mask.dtype.name != "bool":
        raise RuntimeError(
            f"masked_fill_ only supports boolean masks, but got mask with dtype {_c_name(mask)}"
        )
    if isinstance(value, Tensor):
        if value.ndim:
            raise RuntimeError(
                "masked_fill_ only supports a 0-dimensional value tensor, but got tensor with "
                f"{value.ndim} dimension(s)."
            )
        if value.is_complex() and not input.is_complex():
            check_number(1j, input.dtype)
        return call(_masked_fill_tensor, (input, mask, value))
    check_number(value, input.dtype)
    if isinstance(value, complex) and not input.is_complex():
        value = value.real
    return call(_masked_fill, (input, mask, value))


def _c_name(t: Tensor) -> str:
    return C_NAMES.get(t.dtype, t.dtype.name)


@composite(module=None, method=True)
def masked_fill_(self: Tensor, mask: Tensor, value: Any) -> Tensor:
    """In-place `masked_fill`."""
    part = once_of(self, "masked_fill_")
    if part is not None:
        return fill_once(self, part, mask, value)
    check_writable(self)
    broadcast_shapes(tuple(self.shape), tuple(mask.shape))
    return overwrite(self, checked_result(self, _masked(self, mask, value)))


# ----- what depends on the elements -----
@composite
def nonzero(input: Tensor, *, as_tuple: bool = False, out: Any = None) -> Any:
    """The indices of the elements that are not zero: a row each, or a tensor a dim."""
    if as_tuple:
        return nonzero(input if input.ndim else input.unsqueeze(0)).unbind(1)  # type: ignore[attr-defined]
    array = elements_for("nonzero", input)
    found = np.argwhere(array) if array.ndim else np.empty((int(bool(array)), 0))
    made = from_host(found.astype(np.int64))
    set_layout(made, (1, len(found)))  # a dim's indices lie side by side
    return finish("nonzero", made, out)


@composite
def argwhere(input: Tensor) -> Tensor:
    """The indices of the elements that are not zero, a row each."""
    return nonzero(input)


_SELECTED = (
    "vmap: Attempted to vmap over `mask` in torch.masked_select(self, mask) We cannot support this "
    "because for each batch this would return a differently shaped Tensor. Please file an issue at "
    "https://github.com/pytorch/pytorch/issues if you need this feature."
)


@composite
def masked_select(input: Tensor, mask: Tensor, *, out: Any = None) -> Tensor:
    """The elements where the mask is true, in one dim."""
    if mask.dtype.name != "bool":
        raise RuntimeError("masked_select: expected BoolTensor for mask")
    shape = broadcast_shapes(tuple(input.shape), tuple(mask.shape))
    chosen = elements_for("masked_select", mask, _SELECTED)
    at = np.flatnonzero(np.broadcast_to(chosen, shape)).astype(np.int64)
    wide = input if tuple(input.shape) == shape else input.expand(shape)  # type: ignore[attr-defined]
    picked = call(_masked_select, (wide, from_host(at)))
    return finish("masked_select", picked, out, (input, mask), "apart")


def _mask_of(call: Any) -> Any:
    shape = call.size("input")
    flags = np.zeros(shape, bool)
    flags.reshape(-1)[to_host(call.index)] = True
    return from_host(flags)


@op(name="masked_select", module=None, method=False, promote="none", shows={"mask": _mask_of})
def _masked_select(input: Array, index: Array):
    return jnp.take(input.reshape(-1), index, mode="clip")


@_masked_select.gradient
def _(grad, input, index):
    return grad.new_zeros(input.numel()).index_add(0, index, grad).view(input.shape), None


@composite(inplace=True)
def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """A copy with the source's elements, in order, where the mask is true."""
    if mask.dtype.name != "bool":
        raise RuntimeError(
            f"masked_scatter_ only supports boolean masks, but got mask with dtype {_name(mask)}"
        )
    if source.dtype is not input.dtype:
        raise RuntimeError(
            "masked_scatter: expected self and source to have same dtypes but got "
            f"{_name(input)} and {_name(source)}"
        )
    shape = broadcast_shapes(tuple(input.shape), tuple(mask.shape))
    check_count(mask.expand(shape), source.numel())  # type: ignore[attr-defined]
    return call(_masked_scatter, (input, mask, source))


@op(name="masked_scatter", module=None, method=False, promote="none")
def _masked_scatter(input: Array, mask: Array, source: Array):
    shape = jnp.broadcast_shapes(input.shape, mask.shape)
    mask = jnp.broadcast_to(mask, shape)
    if not source.size:
        return jnp.broadcast_to(input, shape)
    at = jnp.cumsum(mask.ravel().astype(np.int64)).reshape(shape) - 1
    return jnp.where(mask, jnp.take(source.ravel(), at, mode="clip"), input)


def _name(t: Tensor) -> str:
    return SCALAR_NAMES[t.dtype]
