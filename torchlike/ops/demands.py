"""Demands on tensor arguments that only their values, or their wish for a gradient, can break."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from ..core.device import CPU
from ..core.dispatch import call
from ..core.op import Array, Number, op
from ..core.record import check_later, peek
from ..core.storage import INLINE
from ..core.tape import is_grad_enabled
from ..core.tensor import Tensor, all_examples, to_host


def refuse_gradient(function: str, **tensors: Any) -> None:
    """RuntimeError (PyTorch's text) where a gradient is wanted that there is no formula for."""
    for name, t in tensors.items():
        if t is not None and t.requires_grad and is_grad_enabled():
            raise RuntimeError(
                f"The function '{function}' is not differentiable with respect to argument "
                f"'{name}'. This input cannot have requires_grad True."
            )


# ----- values that must lie in a range -----
@op(module=None, promote="none", differentiable=False, name="outside")
def outside(input: Array, low: Number, high: Number, skip: Number):
    x = input.astype(jnp.int64)
    return jnp.any(((x < low) | (x >= high)) & (x != skip))


def check_range(
    t: Tensor, low: int, high: int, error: Callable[[Any], Exception], skip: int | None = None
) -> None:
    """Raise `error(first bad value)`: at once if the values are known, else at the flush."""
    t = all_examples(t)
    value = t._value_now()
    if value.trace is INLINE or value.aval.size == 0 or t.device.type == "meta":
        return
    array = known_values(t)
    if array is not None:
        bad = _first_bad(array, low, high, skip)
        if bad is not None:
            raise error(bad)
        return
    flag = call(outside, (t, low, high, low if skip is None else skip))
    check_later(flag._value_now(), lambda: error(_first_bad(to_host(t), low, high, skip)))


def known_values(t: Tensor) -> Any:
    """The values as a NumPy array if they are on the host, or all but computed; else None."""
    return peek(t._value_now()) if t.device is CPU else None


def _first_bad(array: Any, low: int, high: int, skip: int | None) -> Any:
    if low <= array.min() and array.max() < high:
        return None
    bad = (array < low) | (array >= high)
    if skip is not None:
        bad &= array != skip
    return array[bad].ravel()[0].item() if bad.any() else None


# ----- how many are true -----
@op(module=None, promote="none", differentiable=False)
def more_than(mask: Array, most: Number):
    return jnp.sum(mask, dtype=jnp.int64) > most


def check_count(mask: Tensor, most: int) -> None:
    """RuntimeError when more than `most` elements are true: at once, or at the flush."""
    mask = all_examples(mask)
    value = mask._value_now()
    if value.trace is INLINE or mask.device.type == "meta" or most >= mask.numel():
        return
    check_later(
        call(more_than, (mask, most))._value_now(),
        lambda: RuntimeError("Number of elements of source < number of ones in mask"),
    )


# ----- chances -----
@op(module=None, promote="none", differentiable=False)
def not_chances(input: Array, target: Array):
    return ~(jnp.all((input >= 0) & (input <= 1)) & jnp.all((target >= 0) & (target <= 1)))


def check_chances(input: Tensor, target: Tensor) -> None:
    """RuntimeError unless all values lie between 0 and 1: at once, or at the flush."""
    input, target = all_examples(input), all_examples(target)
    values = input._value_now(), target._value_now()
    if any(v.trace is INLINE for v in values) or input.device.type == "meta":
        return
    if not input.is_floating_point():
        return

    def error() -> RuntimeError:
        x = to_host(input)
        name = "target" if ((x >= 0) & (x <= 1)).all() else "input"
        return RuntimeError(f"all elements of {name} should be between 0 and 1")

    arrays = known_values(input), known_values(target)
    if all(a is not None for a in arrays):
        if not all(((a >= 0) & (a <= 1)).all() for a in arrays):
            raise error()
        return
    check_later(call(not_chances, (input, target))._value_now(), error)
