"""Parts of complex tensors. Conjugates and negated imaginary parts are views that carry a bit."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax

from ..core.dispatch import call_view
from ..core.op import Array, composite, op
from ..core.parameter import has_bit
from ..core.tensor import Tensor
from .convert import clone
from .kinds import scalar_name
from .shape import select
from .views import conj_view, neg_view, real_view


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


@op(name="complex", method=False, promote="none", out="object")
def complex_of(real: Array, imag: Array):
    check_parts(real, imag)
    return lax.complex(*jnp.broadcast_arrays(real, imag))


@complex_of.gradient
def _(grad):
    return grad.real, grad.imag


# ----- conjugates and parts -----
@composite
def conj(input: Tensor) -> Tensor:
    """The complex conjugate: a view that carries a bit; a real tensor is returned as it is."""
    return call_view(conj_view, (input,)) if input.is_complex() else input


@composite
def is_conj(input: Tensor) -> bool:
    """Whether the tensor is a view of conjugated memory."""
    return has_bit(input, "conj")


@composite
def is_neg(input: Tensor) -> bool:
    """Whether the tensor is a view of negated memory."""
    return has_bit(input, "neg")


@composite
def resolve_conj(input: Tensor) -> Tensor:
    """A copy in plain memory if the conjugate bit is set, else the tensor itself."""
    return clone(input) if is_conj(input) else input


@composite
def resolve_neg(input: Tensor) -> Tensor:
    """A copy in plain memory if the negative bit is set, else the tensor itself."""
    return clone(input) if is_neg(input) else input


@composite
def view_as_real(input: Tensor) -> Tensor:
    """Real and imaginary parts along a last dim of 2: a view; RuntimeError for conjugated ones."""
    if is_conj(input):
        raise RuntimeError(
            "view_as_real doesn't work on unresolved conjugated tensors.  To resolve the conjugate "
            "tensor so you can view it as real, use self.resolve_conj(); however, be warned that "
            "the resulting tensor will NOT alias the original."
        )
    return call_view(real_view, (input,))


@composite(method=False)
def real(input: Tensor) -> Tensor:
    """The real part: a view; a real tensor is returned as it is."""
    if not input.is_complex():
        return input
    plain = conj(input) if is_conj(input) else input
    return select(view_as_real(plain), -1, 0)


@composite(method=False)
def imag(input: Tensor) -> Tensor:
    """The imaginary part: a view, negated for a conjugated one; RuntimeError for real tensors."""
    if not input.is_complex():
        raise RuntimeError("imag is not implemented for tensors with non-complex dtypes.")
    if is_conj(input):
        return select(neg_view(view_as_real(conj(input))), -1, 1)
    return select(view_as_real(input), -1, 1)


def _set_real(self: Tensor, value: Tensor) -> None:
    real(self).copy_(value)  # type: ignore[attr-defined]


def _set_imag(self: Tensor, value: Tensor) -> None:
    imag(self).copy_(value)  # type: ignore[attr-defined]


Tensor.real = property(real, _set_real)  # type: ignore[attr-defined]
Tensor.imag = property(imag, _set_imag)  # type: ignore[attr-defined]
