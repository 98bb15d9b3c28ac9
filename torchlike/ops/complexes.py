"""Parts of complex tensors. `conj` makes a copy here, where PyTorch sets a bit on a view."""

from __future__ import annotations

import jax.numpy as jnp

from ..core.dispatch import call
from ..core.op import Array, composite, op
from ..core.tensor import Tensor
from .shape import select


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
