"""Short-time Fourier transforms: frames of a signal, windowed and transformed, and back."""

from __future__ import annotations

import jax.numpy as jnp

from ..core.check import warn
from ..core.op import TABLE, Array, composite, op
from ..core.tensor import Tensor
from .fft import fft_c2c, fft_c2r, fft_r2c
from .linalg import squeezed

NO_COMPLEX = (
    "stft requires the return_complex parameter be given for real inputs, and will further "
    "require that return_complex=True in a future PyTorch release."
)


@op(promote="none", module=None)
def overlap_add(frames: Array, hop: int):
    """Frames (…, count, size) added up where they overlap."""
    count, size = frames.shape[-2:]
    places = jnp.arange(count)[:, None] * hop + jnp.arange(size)
    total = jnp.zeros((*frames.shape[:-2], size + hop * (count - 1)), frames.dtype)
    return total.at[..., places].add(frames)


def _padded_window(window: Tensor | None, win_length: int, n_fft: int, like: Tensor) -> Tensor:
    """The window, centred in n_fft."""
    if window is None:
        real = like.dtype.to_real() if like.is_complex() else like.dtype
        window = like.new_ones(win_length, dtype=real)
    assert window is not None
    left = (n_fft - win_length) // 2
    if win_length == n_fft:
        return window
    return TABLE["torch", "cat"](
        [window.new_zeros(left), window, window.new_zeros(n_fft - win_length - left)]
    )


def _check_frame(name: str, n_fft: int, hop: int, win: int, window: Tensor | None) -> None:
    if hop <= 0:
        raise RuntimeError(f"{name}: expected hop_length > 0, but got hop_length={hop}")
    if not 0 < win <= n_fft:
        raise RuntimeError(
            f"{name}: expected 0 < win_length <= n_fft, but got win_length={win}"
        )
    if window is not None and (window.dim() != 1 or window.shape[0] != win):
        raise RuntimeError(
            f"{name}: expected a 1D window tensor of size equal to win_length={win}, but got "
            f"window with size {list(window.shape)}"
        )


@composite
def stft(
    input: Tensor, n_fft: int, hop_length: int | None = None, win_length: int | None = None,
    window: Tensor | None = None, center: bool = True, pad_mode: str = "reflect",
    normalized: bool = False, onesided: bool | None = None, return_complex: bool | None = None,
    align_to_window: bool | None = None,
) -> Tensor:  # fmt: skip
    """The spectrum of each windowed frame: (…, frequencies, frames)."""
    hop, win = hop_length or n_fft // 4, win_length or n_fft
    if align_to_window is not None and center:
        raise RuntimeError(
            "stft align_to_window should only be set when center = false"
        )
    if input.dim() not in (1, 2):
        raise RuntimeError(
            f"stft: expected a 1D or 2D tensor, but got {input.dim()}D tensor"
        )
    signal = input.unsqueeze(0) if input.dim() == 1 else input
    if center:
        wide = [n_fft // 2, n_fft // 2]
        signal = TABLE["nn.functional", "pad"](signal.unsqueeze(0), wide, pad_mode).squeeze(0)
    if return_complex is None:
        if not (input.is_complex() or (window is not None and window.is_complex())):
            raise RuntimeError(NO_COMPLEX)
        return_complex = True
    length = signal.shape[-1]
    if not 0 < n_fft <= length:
        raise RuntimeError(
            f"stft: expected 0 < n_fft < {length}, but got n_fft={win}"
        )
    _check_frame("stft", n_fft, hop, win, window)
    frames = signal.unfold(-1, n_fft, hop) * _padded_window(window, win, n_fft, input)
    found = _spectrum(frames, n_fft, normalized, onesided).transpose(-1, -2)
    if input.dim() == 1:
        found = squeezed(found, 0)
    return found if return_complex else found.view_as_real()


def _spectrum(frames: Tensor, n_fft: int, normalized: bool, onesided: bool | None) -> Tensor:
    dims, sizes = (frames.dim() - 1,), (n_fft,)
    norm = "ortho" if normalized else "backward"
    if frames.is_complex():
        if onesided:
            raise RuntimeError(
                "Cannot have onesided output if window or input is complex"
            )
        return fft_c2c(frames, dims, sizes, norm, True)
    return fft_r2c(frames, dims, sizes, norm, True, onesided is not False)


@composite
def istft(
    input: Tensor, n_fft: int, hop_length: int | None = None, win_length: int | None = None,
    window: Tensor | None = None, center: bool = True, normalized: bool = False,
    onesided: bool | None = None, length: int | None = None, return_complex: bool = False,
) -> Tensor:  # fmt: skip
    """The signal whose frames have these spectra, by least squares."""
    hop, win = hop_length or n_fft // 4, win_length or n_fft
    _check_spectra(input, n_fft, hop, win, window, onesided)
    spectra = (input.unsqueeze(0) if input.dim() == 2 else input).transpose(1, 2)
    norm = "ortho" if normalized else "backward"
    onesided = n_fft != input.shape[-2] if onesided is None else onesided
    shape = (2,), (n_fft,)
    if return_complex:
        frames = fft_c2c(spectra, *shape, norm, False)
    else:
        if not onesided:
            spectra = spectra.narrow(-1, 0, n_fft // 2 + 1)
        frames = fft_c2r(spectra, *shape, norm, False)
    weights = _padded_window(window, win, n_fft, input)
    total = overlap_add(frames * weights, hop)
    squares = (weights * weights).expand(1, frames.shape[1], n_fft)
    envelope = overlap_add(squares, hop)
    start = n_fft // 2 if center else 0
    end = total.shape[-1] - (n_fft // 2 if center else 0) if length is None else start + length
    known = min(end, total.shape[-1]) - start
    total, envelope = total.narrow(-1, start, known), envelope.narrow(-1, start, known)
    if known and bool(envelope.abs().min() < 1e-11):
        raise RuntimeError(
            "istft(...) window overlap add min: 1"
        )
    found = total / envelope
    if end - start > known:
        warn(
            "The length of signal is shorter than the length parameter. Result is being padded "
            "with zeros in the tail."
        )
        found = TABLE["nn.functional", "pad"](found, [0, end - start - known])
    return found.squeeze(0) if input.dim() == 2 else found


def _check_spectra(
    input: Tensor, n_fft: int, hop: int, win: int, window: Tensor | None, onesided: bool | None
) -> None:
    if not input.is_complex():
        raise RuntimeError(
            "istft requires a complex-valued input tensor matching the output from stft with "
            "return_complex=True."
        )
    if input.numel() == 0:
        raise RuntimeError("istft(...) input tensor cannot be empty")
    if input.dim() not in (2, 3):
        raise RuntimeError(
            f"istft(...) expected a tensor with 3 or 4 dimensions, but got {input.dim() + 1}"
        )
    wanted = n_fft if onesided is False else n_fft // 2 + 1
    if onesided is not None and input.shape[-2] != wanted:
        raise RuntimeError(
            f"istft(...) expected the frequency dimension (3rd to the last) of the input tensor "
            f"to match n_fft / 2 + 1 when onesided=True, but got {input.shape[-2]}"
        )
    _check_frame("istft(...)", n_fft, hop, win, window)
