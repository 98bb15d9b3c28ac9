"""torch.autograd.forward_ad: dual tensors, which carry a tangent through what is done to them."""

from __future__ import annotations

from typing import NamedTuple

from ..core.dual import Level, dual_at, primal_of, tangent_of
from ..core.gradmode import GradMode
from ..core.record import LOCAL
from ..core.tensor import Tensor


class UnpackedDualTensor(NamedTuple):
    """A dual tensor's two parts; the tangent is None where there is none."""

    primal: Tensor
    tangent: Tensor | None


def _current() -> Level | None:
    return LOCAL.state.forward


def enter_dual_level() -> int:
    """Begin the (only) level of forward mode."""
    if _current() is not None:
        raise RuntimeError("Nested forward mode AD is not supported at the moment")
    LOCAL.state.forward = Level().__enter__()
    return 0


def exit_dual_level(*, level: int | None = None) -> None:
    """End the level: what carried a tangent does so no longer."""
    current = _current()
    if level is not None and level != (-1 if current is None else 0):
        raise RuntimeError(
            "Trying to exit a forward AD level that was not the last one that was created. This is "
            "not supported."
        )
    if current is None:
        raise RuntimeError("Dual level must be a positive number.")
    LOCAL.state.forward = None
    current.__exit__()


class dual_level(GradMode):
    """The level as a context manager or decorator."""

    def __enter__(self) -> int:
        return enter_dual_level()

    def __exit__(self, *_: object) -> None:
        exit_dual_level()


def make_dual(tensor: Tensor, tangent: Tensor, *, level: int | None = None) -> Tensor:
    """A view of `tensor` that carries `tangent`."""
    current = _current()
    if current is None or (level is not None and level < 0):
        raise RuntimeError(
            "Trying to create a dual Tensor for forward AD but no level exists, make sure to "
            "enter_dual_level() first."
        )
    for name, t in (("primal", tensor), ("tangent", tangent)):
        if not (t.is_floating_point() or t.is_complex()):
            raise ValueError(f"Expected {name} to be floating point or complex, but got: {t.dtype}")
    if tangent_of(tensor, current) is not None:
        raise RuntimeError(
            "Making a dual Tensor based on a Tensor that already has a forward gradient at the "
            "same level 0 is not supported."
        )
    if tangent_of(tangent, current) is not None:
        raise RuntimeError(
            "Setting a forward grad that itself has a forward gradient at the same level0 is not "
            "supported."
        )
    return dual_at(current, tensor, tangent)


def unpack_dual(tensor: Tensor, *, level: int | None = None) -> UnpackedDualTensor:
    """The tensor without its tangent, and the tangent."""
    current = _current()
    if current is None or (level is not None and level < 0):
        return UnpackedDualTensor(tensor, None)
    tangent = tangent_of(tensor, current)
    return UnpackedDualTensor(primal_of(tensor, current), tangent)
