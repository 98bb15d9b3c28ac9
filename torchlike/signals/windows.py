"""torch.signal.windows: symmetric windows for filters, periodic ones for spectra (`sym=False`)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .. import ops
from ..core.dtypes import dtype as dtype_class
from ..core.dtypes import float32, float64, get_default_dtype
from ..core.layouts import strided
from ..core.tensor import Tensor

__all__ = [
    "bartlett", "blackman", "cosine", "exponential", "gaussian", "general_cosine",
    "general_hamming", "hamming", "hann", "kaiser", "nuttall",
]  # fmt: skip


class _Options:
    """The keyword arguments every window has, checked."""

    def __init__(
        self, name: str, M: int, dtype: dtype_class | None = None, layout: Any = strided,
        device: Any = None, requires_grad: bool = False,
    ) -> None:  # fmt: skip
        dtype = get_default_dtype() if dtype is None else dtype
        if M < 0:
            raise ValueError(f"{name} requires non-negative window length, got M={M}")
        if layout is not strided:
            raise ValueError(f"{name} is implemented for strided tensors only, got: {layout}")
        if dtype not in (float32, float64):
            raise ValueError(f"{name} expects float32 or float64 dtypes, got: {dtype}")
        self.named = {"dtype": dtype, "device": device, "requires_grad": requires_grad}

    def line(self, start: float, end: float, count: int) -> Tensor:
        return ops.linspace(start, end, count, **self.named)  # type: ignore[attr-defined]

    def short(self, count: int) -> Tensor:
        return ops.ones(count, **self.named)  # type: ignore[attr-defined]


def _gaps(M: int, sym: bool) -> int:
    """The number of steps from the first place to the end: a periodic window has one more."""
    return M - 1 if sym or M <= 1 else M


def exponential(
    M: int, *, center: float | None = None, tau: float = 1.0, sym: bool = True, **options: Any
) -> Tensor:
    """Falls off as exp(-|n - center| / tau)."""
    made = _Options("exponential", M, **options)
    if tau <= 0:
        raise ValueError(f"Tau must be positive, got: {tau} instead.")
    if sym and center is not None:
        raise ValueError("Center must be None for symmetric windows")
    if M == 0:
        return made.short(0)
    middle = _gaps(M, sym) / 2.0 if center is None else center
    return (-made.line(-middle / tau, (M - 1 - middle) / tau, M).abs()).exp()


def cosine(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """Half a wave."""
    made = _Options("cosine", M, **options)
    step = math.pi / (_gaps(M, sym) + 1) if M else 0.0
    return made.line(0.5 * step, (M - 0.5) * step, M).sin() if M else made.short(0)


def gaussian(M: int, *, std: float = 1.0, sym: bool = True, **options: Any) -> Tensor:
    """A bell of standard deviation `std`."""
    made = _Options("gaussian", M, **options)
    if std <= 0:
        raise ValueError(f"Standard deviation must be positive, got: {std} instead.")
    if M == 0:
        return made.short(0)
    start, step = -_gaps(M, sym) / 2.0, 1 / (std * math.sqrt(2))
    return (-(made.line(start * step, (start + M - 1) * step, M) ** 2)).exp()


def kaiser(M: int, *, beta: float = 12.0, sym: bool = True, **options: Any) -> Tensor:
    """Kaiser's window of shape `beta`."""
    made = _Options("kaiser", M, **options)
    if beta < 0:
        raise ValueError(f"beta must be non-negative, got: {beta} instead.")
    if M <= 1:
        return made.short(M)
    end = min(beta, -beta + (M - 1) * (2.0 * beta / _gaps(M, sym)))
    width = made.line(-beta, end, M)
    height = (beta * beta - width**2).clamp(min=0).sqrt()  # type: ignore[attr-defined]
    return height.i0() / width.new_tensor(beta).i0()  # type: ignore[attr-defined]


def bartlett(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """A triangle."""
    made = _Options("bartlett", M, **options)
    if M <= 1:
        return made.short(M)
    return 1 - made.line(-1, -1 + (M - 1) * (2 / _gaps(M, sym)), M).abs()


def general_cosine(M: int, *, a: Iterable[float], sym: bool = True, **options: Any) -> Tensor:
    """A sum of cosines with the weights `a`, of alternating sign."""
    made = _Options("general_cosine", M, **options)
    if M <= 1:
        return made.short(M)
    if not isinstance(a, Iterable):
        raise TypeError("Coefficients must be a list/tuple")
    if not a:
        raise ValueError("Coefficients cannot be empty")
    places = made.line(0, (M - 1) * (2 * math.pi / _gaps(M, sym)), M)
    signed = [(-1) ** i * w for i, w in enumerate(a)]
    weights = ops.tensor(signed, **made.named)  # type: ignore[attr-defined]
    order = ops.arange(len(signed), **made.named)  # type: ignore[attr-defined]
    return (weights.unsqueeze(-1) * (order.unsqueeze(-1) * places).cos()).sum(0)


def general_hamming(M: int, *, alpha: float = 0.54, sym: bool = True, **options: Any) -> Tensor:
    """A raised cosine."""
    return general_cosine(M, a=[alpha, 1.0 - alpha], sym=sym, **options)


def _cosines(name: str, weights: Sequence[float], text: str) -> Callable[..., Tensor]:
    def window(M: int, *, sym: bool = True, **options: Any) -> Tensor:
        if name == "blackman":  # the only one of these whose errors name itself
            _Options(name, M, **options)
        return general_cosine(M, a=weights, sym=sym, **options)

    window.__name__ = window.__qualname__ = name
    window.__doc__ = text
    return window


hamming = _cosines("hamming", [0.54, 1.0 - 0.54], "Hamming's window.")
hann = _cosines("hann", [0.5, 0.5], "Hann's window.")
blackman = _cosines("blackman", [0.42, 0.5, 0.08], "Blackman's window.")
nuttall = _cosines("nuttall", [0.3635819, 0.4891775, 0.1365995, 0.0106411], "Nuttall's window.")
