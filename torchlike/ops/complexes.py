"""Parts of complex tensors. `conj` makes a copy here, where PyTorch sets a bit on a view."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax

from ..core.dispatch import call
from ..core.op import Array, composite, op
from ..core.tensor import Tensor
from .kinds import scalar_name
from .shape import select


# ----- made of parts -----
def check_parts(real: Any, imag: Any) -> None:
    """RuntimeError (PyTorch's texts) unless both parts are of one floating point dtype."""
    first, second = scalar_name(real), scalar_name(imag)
    for array in (real, imag):
        if scalar_name(array) not in ("Half", "Float", "Double"):
            raise RuntimeError(
                f"Expected both inputs to be Half, Float or Double tensors but got {first} and "
                f"{second}"
            )
    if first != second:
        raise RuntimeError(
            f"Expected object of scalar type {first} but got scalar type {second} for second "
            "argument"
        )


@op(name="complex", method=False, promote="none")
def complex_of(real: Array, imag: Array):
    check_parts(real, imag)
    return lax.complex(*jnp.broadcast_arrays(real, imag))


@complex_of.gradient
def _(grad):
    return grad.real, grad.imag


# ----- conjugates and parts -----
@op(name="conj", module=None, method=False, elementwise=True, promote="none")
def _conj(input: Array):
    return jnp.conj(input)


@_conj.gradient
def _(grad):
    return grad.conj()


@composite
def conj(input: Tensor) -> Tensor:
    """The complex conjugate; a real tensor is returned as it is."""
    return call(_conj, (input,)) if input.is_complex() else input


@composite
def resolve_conj(input: Tensor) -> Tensor:
    """The tensor itself: conjugation is never pending."""
    return input


@composite
def resolve_neg(input: Tensor) -> Tensor:
    """The tensor itself: negation is never pending."""
    return input


@composite
def is_conj(input: Tensor) -> bool:
    """Whether conjugation is pending: never."""
    return False


@composite
def is_neg(input: Tensor) -> bool:
    """Whether negation is pending: never."""
    return False


@composite(method=False)
def real(input: Tensor) -> Tensor:
    """The real part: a view; a real tensor is returned as it is."""
    return select(input.view_as_real(), -1, 0) if input.is_complex() else input  # type: ignore[attr-defined]


@composite(method=False)
def imag(input: Tensor) -> Tensor:
    """The imaginary part: a view; RuntimeError for real tensors."""
    if not input.is_complex():
        raise RuntimeError("imag is not implemented for tensors with non-complex dtypes.")
    return select(input.view_as_real(), -1, 1)  # type: ignore[attr-defined]


def _set_real(self: Tensor, value: Tensor) -> None:
    real(self).copy_(value)  # type: ignore[attr-defined]


def _set_imag(self: Tensor, value: Tensor) -> None:
    imag(self).copy_(value)  # type: ignore[attr-defined]


Tensor.real = property(real, _set_real)  # type: ignore[attr-defined]
Tensor.imag = property(imag, _set_imag)  # type: ignore[attr-defined]
