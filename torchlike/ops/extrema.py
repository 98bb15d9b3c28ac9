"""Largest and smallest: max, min, amax, amin, aminmax, argmax, argmin."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from ..core.mutate import write_out
from ..core.op import Array, Dim, Dims, composite, op
from ..core.plan import ABSENT
from ..core.tensor import Tensor
from . import return_types
from .compare import maximum, minimum
from .kinds import REAL, is_complex, refuse
from .reduce import axes, restore

NO_DIM = (
    "{0}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction "
    "dim with the 'dim' argument."
)


def check_nonempty(name: str, shape: tuple[int, ...], dim: int) -> None:
    """IndexError when the dim to choose along has no element."""
    if shape and shape[dim] == 0:
        raise IndexError(f"{name}(): Expected reduction dim {dim} to have non-zero size.")


# ----- gradients: the chosen element takes all, equal ones share -----
@op(module=None, promote="none")
def place(grad: Array, indices: Array, dim: int, size: int):
    """Zeros of `size` along `dim`, but `grad` at `indices` (both kept at 1 along dim)."""
    if grad.ndim == 0:
        return grad
    at = jnp.arange(size).reshape([-1 if i == dim else 1 for i in range(grad.ndim)])
    return jnp.where(at == indices, grad, jnp.zeros_like(grad))


def selected(grad: Tensor, indices: Tensor, input: Tensor, dim: int, keepdim: bool) -> Tensor:
    """The gradient of a choice along `dim`."""
    if input.ndim == 0:
        return grad
    if not keepdim:
        grad, indices = grad.unsqueeze(dim), indices.unsqueeze(dim)
    return place(grad, indices, dim, input.shape[dim])


def shared(grad: Tensor, input: Tensor, result: Tensor, dim: Any = None) -> Tensor:
    """The gradient of an extremum, spread evenly over the elements equal to it."""
    top = restore(result, input.shape, dim)
    equal = (input == top) | (input.isnan() & top.isnan())
    count = equal.sum(axes(dim, input.ndim), True)
    return restore(grad, input.shape, dim) * equal / count


# ----- along one dim: value and index -----
def _chooser(name: str, value: Any, index: Any) -> Any:
    def choose(input: Array, dim: Dim, keepdim: bool = False):
        refuse(f"{name}_cpu", input, REAL)
        check_nonempty(name, input.shape, dim)
        if input.ndim == 0:
            return input, jnp.zeros((), jnp.int64)
        at = index(input, axis=dim, keepdims=keepdim).astype(jnp.int64)
        return value(input, axis=dim, keepdims=keepdim), at

    made = op(
        promote="none", module=None, name=f"{name}_dim", node=f"{name.title()}Backward0",
        returns=getattr(return_types, name),
    )(choose)  # fmt: skip

    @made.gradient
    def _(grad0, result1, input, dim, keepdim):
        return selected(grad0, result1, input, dim, keepdim)

    return made


# ----- over everything -----
def _over_all(name: str, value: Any) -> Any:
    def reduce(input: Array):
        refuse(f"{name}_all", input, REAL)
        if input.size == 0:
            raise RuntimeError(NO_DIM.format(name))
        return value(input)

    made = op(promote="none", module=None, name=f"{name}_all", node=f"{name.title()}Backward1")(
        reduce
    )

    @made.gradient
    def _(grad, input, result):
        return shared(grad, input, result)

    return made


def _three_forms(name: str, value: Any, index: Any, binary: Any) -> None:
    along, over_all = _chooser(name, value, index), _over_all(name, value)

    def extremum(
        input: Tensor,
        dim: Any = ABSENT,
        keepdim: bool = False,
        *,
        other: Any = ABSENT,
        out: Any = None,
    ) -> Any:
        if isinstance(dim, Tensor) or other is not ABSENT:
            found = binary(input, dim if other is ABSENT else other)
        elif dim is ABSENT and not keepdim:
            found = over_all(input)
        else:
            found = along(input, dim, keepdim)
        return found if out is None else write_out(name, out, found)

    extremum.__doc__ = f"{name}(input), {name}(input, dim, keepdim) or {name}(input, other)."
    composite(name=name)(extremum)


_three_forms("max", jnp.max, jnp.argmax, maximum)
_three_forms("min", jnp.min, jnp.argmin, minimum)


# ----- over several dims -----
def _values(name: str, value: Any, kernel: str) -> None:
    def reduce(input: Array, dim: Dims = None, keepdim: bool = False):
        refuse(kernel, input, REAL)
        if input.size == 0:
            if not dim:
                raise RuntimeError(NO_DIM.format(name))
            for d in dim:
                check_nonempty(name, input.shape, d)
        return value(input, axes(dim, input.ndim), keepdims=keepdim)

    made = op(promote="none", name=name)(reduce)

    @made.gradient
    def _(grad, input, result, dim):
        return shared(grad, input, result, dim)


_values("amax", jnp.max, "max_values_cpu")
_values("amin", jnp.min, "min_values_cpu")


@op(promote="none", returns=return_types.aminmax, out="same")
def aminmax(input: Array, *, dim: Dim | None = None, keepdim: bool = False):
    refuse("aminmax_cpu", input, REAL)
    if dim is not None and input.ndim and input.shape[dim] == 0:
        raise IndexError(f"aminmax: Expected reduction dim {dim} to have non-zero size.")
    if input.size == 0 and dim is None:
        raise RuntimeError(
            "aminmax(): cannot compute aminmax over an empty dimension as the operation has no "
            "identity."
        )
    over = axes(None if dim is None else (dim,), input.ndim)
    return tuple(f(input, over, keepdims=keepdim) for f in (jnp.min, jnp.max))


@aminmax.gradient
def _(grad0, grad1, result0, result1, input, dim):
    over = None if dim is None else (dim,)
    return shared(grad0, input, result0, over) + shared(grad1, input, result1, over)


# ----- where it is -----
def _position(name: str, index: Any) -> None:
    def find(input: Array, dim: Dim | None = None, keepdim: bool = False):
        for refused, what in ((input.dtype == bool, "bool"), (is_complex(input), "complex")):
            if refused:
                raise RuntimeError(f"{name}(): does not support {what} input")
        if dim is None and input.size == 0:
            raise IndexError(
                f"{name}(): Expected reduction dim to be specified for input.numel() == 0."
            )
        if dim is not None:
            check_nonempty(name, input.shape, dim)
        over = None if input.ndim == 0 else dim
        return index(input, axis=over, keepdims=keepdim).astype(jnp.int64)

    op(promote="none", differentiable=False, name=name)(find)


_position("argmax", jnp.argmax)
_position("argmin", jnp.argmin)
