"""Window functions of one length: `hann_window` and its like."""

from __future__ import annotations

import math
from typing import Any

from ..core import dtypes
from ..core.device import resolve
from ..core.gradmode import no_grad
from ..core.layouts import strided
from ..core.op import TABLE, composite
from ..core.tensor import Tensor
from .create import check_options, finish, full_of, kind_for


def _check(name: str, length: Any, kind: dtypes.dtype, layout: Any) -> None:
    if isinstance(length, bool) or not hasattr(length, "__index__"):
        raise TypeError(
            f"{name}(): argument 'window_length' (position 1) must be int, not "
            f"{type(length).__name__}"
        )
    if layout is not None and layout is not strided:
        raise RuntimeError(
            f"{name} is not implemented for sparse types, got: {_options(kind, 'Sparse')}"
        )
    if not (kind.is_floating_point or kind.is_complex):
        raise RuntimeError(
            f"{name} expects floating point dtypes, got: {_options(kind, 'Strided (default)')}"
        )
    if length < 0:
        raise RuntimeError(
            f"{name} requires non-negative window_length, got window_length={length}"
        )


def _options(kind: dtypes.dtype, layout: str) -> str:
    return (
        f"TensorOptions(dtype={dtypes.C_NAMES.get(kind, kind.name)}, device=cpu, layout={layout}, "
        "requires_grad=false (default), pinned_memory=false, memory_format=(nullopt))"
    )


def _window(
    name: str, shape: Any, length: Any, periodic: bool, dtype: Any = None, layout: Any = None,
    device: Any = None, pin_memory: bool = False, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """The window `shape` makes of the places 0 … n - 1; a periodic one drops its last element."""
    kind = kind_for(name, dtype)
    _check(name, length, kind, layout)
    check_options(name, None, pin_memory, None, requires_grad)
    if length < 2:
        return finish(full_of((length,), 1, kind, resolve(device)), requires_grad)
    count = length + 1 if periodic else length
    with no_grad():
        places = TABLE["torch", "arange"](count, dtype=kind, device=device)
        found = shape(places, count)
        found = found.narrow(0, 0, length).clone() if periodic else found
    return finish(found, requires_grad)


def _bartlett(places: Tensor, count: int) -> Tensor:
    rising = places * (2 / (count - 1))
    return rising.where(places < ((count - 1) >> 1) + 1, 2 - rising)  # type: ignore[attr-defined]


def _blackman(places: Tensor, count: int) -> Tensor:
    angle = places * (math.pi / (count - 1))
    return (angle * 4).cos() * 0.08 - (angle * 2).cos() * 0.5 + 0.42


def _hamming(places: Tensor, count: int, alpha: float, beta: float) -> Tensor:
    return (places * (2 * math.pi / (count - 1))).cos() * -beta + alpha  # type: ignore[attr-defined]


def _kaiser(places: Tensor, count: int, beta: float) -> Tensor:
    middle = (count - 1) / 2
    height = (1 - ((places - middle) / middle).square()).clamp(min=0).sqrt()
    return (height * beta).i0() / height.new_tensor(beta).i0()


@composite(method=False)
def bartlett_window(window_length: int, periodic: bool = True, **options: Any) -> Tensor:
    """A triangle."""
    return _window("bartlett_window", _bartlett, window_length, periodic, **options)


@composite(method=False)
def blackman_window(window_length: int, periodic: bool = True, **options: Any) -> Tensor:
    """Blackman's window."""
    return _window("blackman_window", _blackman, window_length, periodic, **options)


@composite(method=False)
def hamming_window(
    window_length: int, periodic: bool = True, alpha: float = 0.54, beta: float = 0.46,
    **options: Any,
) -> Tensor:  # fmt: skip
    """Hamming's window: `alpha` less a cosine of height `beta`."""

    def shape(places: Tensor, count: int) -> Tensor:
        return _hamming(places, count, alpha, beta)

    return _window("hamming_window", shape, window_length, periodic, **options)


@composite(method=False)
def hann_window(window_length: int, periodic: bool = True, **options: Any) -> Tensor:
    """Hann's window: a raised cosine."""

    def shape(places: Tensor, count: int) -> Tensor:
        return _hamming(places, count, 0.5, 0.5)

    return _window("hann_window", shape, window_length, periodic, **options)


@composite(method=False)
def kaiser_window(
    window_length: int, periodic: bool = True, beta: float = 12.0, **options: Any
) -> Tensor:
    """Kaiser's window."""

    def shape(places: Tensor, count: int) -> Tensor:
        return _kaiser(places, count, beta)

    return _window("kaiser_window", shape, window_length, periodic, **options)
