"""Fourier transforms: three primitives as in PyTorch (r2c, c2c, c2r), and torch.fft over them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from ..core.check import check_dim
from ..core.dispatch import set_layout
from ..core.dtypes import SCALAR_NAMES, bfloat16, float16, get_default_dtype
from ..core.geometry import contiguous_stride
from ..core.mutate import write_out
from ..core.op import TABLE, Array, composite, op
from ..core.tensor import Tensor

NORMS = (None, "backward", "ortho", "forward")


# ----- primitives -----
def _fit(x: Any, dims: tuple[int, ...], sizes: tuple[int, ...]) -> Any:
    """Crop or pad with zeros to the sizes of the transform."""
    for d, n in zip(dims, sizes, strict=True):
        if x.shape[d] > n:
            x = jnp.take(x, jnp.arange(n), axis=d)
        elif x.shape[d] < n:
            x = jnp.pad(x, [(0, n - x.shape[d]) if i == d else (0, 0) for i in range(x.ndim)])
    return x


def _transform(x: Any, dims: tuple[int, ...], forward: bool, norm: str | None) -> Any:
    for at in range(0, len(dims), 3):  # XLA transforms up to three dims at once
        some = dims[at : at + 3]
        x = (jnp.fft.fftn if forward else jnp.fft.ifftn)(x, axes=some, norm=norm or "backward")
    return x


@op(promote="none", module=None, node="FftC2CBackward0")
def fft_c2c(input: Array, dims: Any, sizes: Any, norm: str, forward: bool):
    return _transform(_fit(input, dims, sizes), dims, forward, norm)


@op(promote="none", module=None, node="FftR2CBackward0")
def fft_r2c(input: Array, dims: Any, sizes: Any, norm: str, forward: bool, onesided: bool):
    x = _fit(input, dims, sizes)
    if not onesided:
        return _transform(x.astype(_complex_of(x)), dims, forward, norm)
    half = jnp.fft.rfft(x, axis=dims[-1], norm=norm or "backward")
    if not forward:  # the inverse differs from the transform by a conjugate and the scale
        half = jnp.conj(jnp.fft.rfft(x, axis=dims[-1], norm=_other(norm)))
    return _transform(half, dims[:-1], forward, norm) if len(dims) > 1 else half


def _complex_of(x: Any) -> Any:
    return jnp.complex128 if x.dtype == jnp.float64 else jnp.complex64


def _other(norm: str | None) -> str:
    return {"ortho": "ortho", "forward": "backward"}.get(norm or "backward", "forward")


@op(promote="none", module=None, node="FftC2RBackward0")
def fft_c2r(input: Array, dims: Any, sizes: Any, norm: str, forward: bool):
    last = dims[-1]
    x = _fit(input, dims, (*sizes[:-1], sizes[-1] // 2 + 1))
    x = _transform(x, dims[:-1], forward, norm) if len(dims) > 1 else x
    if forward:
        return jnp.fft.irfft(jnp.conj(x), n=sizes[-1], axis=last, norm=_other(norm))
    return jnp.fft.irfft(x, n=sizes[-1], axis=last, norm=norm or "backward")


# ----- arguments -----
def _check_norm(norm: str | None) -> str:
    if norm not in NORMS:
        raise RuntimeError(f'Invalid normalization mode: "{norm}"')
    return norm or "backward"


def _promoted(x: Tensor, to_complex: bool) -> Tensor:
    if x.dtype in (float16, bfloat16):
        raise RuntimeError(f"Unsupported dtype {SCALAR_NAMES[x.dtype]}")
    if not (x.is_floating_point() or x.is_complex()):
        x = x.to(get_default_dtype())
    return x.to(x.dtype.to_complex()) if to_complex and not x.is_complex() else x


def _check_size(n: int) -> int:
    if n < 1:
        raise RuntimeError(f"Invalid number of data points ({n}) specified")
    return n


def _one_dim(x: Tensor, dim: int) -> int:
    if x.dim() == 0:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    return check_dim(dim, x.dim())


def _many_dims(x: Tensor, s: Any, dim: Any, all_: bool = True) -> tuple[tuple[int, ...], list[Any]]:
    """The dims of an n-dimensional transform and their sizes, None where unchanged."""
    s = (s,) if isinstance(s, int) else s
    dim = (dim,) if isinstance(dim, int) else dim
    if dim is not None:
        dims = tuple(_one_dim(x, d) for d in dim)
        if len(set(dims)) != len(dims):
            raise RuntimeError("FFT dims must be unique")
        if s is not None and len(s) != len(dims):
            raise RuntimeError("When given, dim and shape arguments must have the same length")
    elif s is not None:
        if len(s) > x.dim():
            raise RuntimeError(
                f"Got shape with {len(s)} values but input tensor only has {x.dim()} dimensions."
            )
        dims = tuple(range(x.dim() - len(s), x.dim()))
    else:
        dims = tuple(range(x.dim()))
    return dims, [None if n == -1 else n for n in s] if s is not None else [None] * len(dims)


def _sizes(x: Tensor, dims: tuple[int, ...], s: list[Any]) -> tuple[int, ...]:
    return tuple(
        _check_size(x.shape[d] if n is None else n) for d, n in zip(dims, s, strict=True)
    )


# ----- the public functions -----
def _complex_to_complex(x: Tensor, dims: Any, s: Any, norm: Any, forward: bool) -> Tensor:
    norm = _check_norm(norm)
    if not dims:
        return _promoted(x, True)
    if not x.is_complex() and len(dims) == 1:
        x = _promoted(x, False)
        return fft_r2c(x, dims, _sizes(x, dims, s), norm, forward, False)
    return fft_c2c(_promoted(x, True), dims, _sizes(x, dims, s), norm, forward)


def _real_to_complex(name: str, x: Tensor, dims: Any, s: Any, norm: Any, forward: bool) -> Tensor:
    if x.is_complex():
        raise RuntimeError(f"{name} expects a real input tensor, but got {SCALAR_NAMES[x.dtype]}")
    if not dims:
        raise RuntimeError(f"{name} must transform at least one axis")
    x, norm = _promoted(x, False), _check_norm(norm)
    if len(dims) == 1 and not forward:  # ihfft: a conjugate at the end, as PyTorch has it
        found = fft_r2c(x, dims, _sizes(x, dims, s), _other(norm), True, True)
        _innermost(found, dims[0])
        return found.conj()
    return fft_r2c(x, dims, _sizes(x, dims, s), norm, forward, True)


def _complex_to_real(name: str, x: Tensor, dims: Any, s: Any, norm: Any, forward: bool) -> Tensor:
    if not dims:
        raise RuntimeError(f"{name} must transform at least one axis")
    last = 2 * (x.shape[dims[-1]] - 1) if s[-1] is None else s[-1]
    sizes = (*_sizes(x, dims[:-1], s[:-1]), _check_size(last))
    return fft_c2r(_promoted(x, True), dims, sizes, _check_norm(norm), forward)


Kernel = Callable[[str, Tensor, Any, Any, Any, bool], Tensor]


def _family(stem: str, kernel: Kernel, forward: bool) -> None:
    """`stem`, its 2-D and its n-D form."""

    def one(
        input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None, *,
        out: Any = None,
    ) -> Tensor:  # fmt: skip
        found = kernel(stem, input, (_one_dim(input, dim),), [n], norm, forward)
        if not input.is_complex() and found.is_complex() and not found.is_conj():
            _innermost(found, dim)
        return found if out is None else write_out(stem, out, found)

    def two(
        input: Tensor, s: Any = None, dim: Any = (-2, -1), norm: str | None = None, *,
        out: Any = None,
    ) -> Tensor:  # fmt: skip
        found = kernel(stem + "2", input, *_many_dims(input, s, dim), norm, forward)
        return found if out is None else write_out(stem + "2", out, found)

    def many(
        input: Tensor, s: Any = None, dim: Any = None, norm: str | None = None, *, out: Any = None
    ) -> Tensor:
        found = kernel(stem + "n", input, *_many_dims(input, s, dim), norm, forward)
        return found if out is None else write_out(stem + "n", out, found)

    for suffix, function, shape in (("", one, "1-D"), ("2", two, "2-D"), ("n", many, "n-D")):
        function.__doc__ = f"The {shape} {stem}."
        function.__name__ = stem + suffix
        composite(name=stem + suffix, module="fft")(function)


def _c2c(name: str, x: Tensor, dims: Any, s: Any, norm: Any, forward: bool) -> Tensor:
    return _complex_to_complex(x, dims, s, norm, forward)


def _innermost(found: Tensor, dim: int) -> None:
    """The transform of a real tensor is laid out with the transformed dim innermost."""
    if found.ndim > 1 and found.numel():
        order = [i for i in range(found.ndim) if i != dim % found.ndim] + [dim % found.ndim]
        packed = contiguous_stride(tuple(found.shape[i] for i in order))
        set_layout(found, tuple(packed[order.index(i)] for i in range(found.ndim)))


_family("fft", _c2c, True)
_family("ifft", _c2c, False)
_family("rfft", _real_to_complex, True)
_family("irfft", _complex_to_real, False)
_family("hfft", _complex_to_real, True)
_family("ihfft", _real_to_complex, False)


# ----- frequencies and shifts -----
def _frequencies(name: str, make: Callable[[int, float], list[float]]) -> None:
    def frequencies(
        n: int, d: float = 1.0, *, out: Any = None, dtype: Any = None, layout: Any = None,
        device: Any = None, requires_grad: bool = False,
    ) -> Tensor:  # fmt: skip
        made = TABLE["torch", "tensor"](
            make(n, d), dtype=dtype or get_default_dtype(), device=device,
            requires_grad=requires_grad,
        )  # fmt: skip
        return made if out is None else write_out(name, out, made)

    frequencies.__doc__ = f"The frequencies of {'r' if name[0] == 'r' else ''}fft's result."
    composite(name=name, module="fft")(frequencies)


_frequencies("fftfreq", lambda n, d: [(i if 2 * i < n else i - n) / (n * d) for i in range(n)])
_frequencies("rfftfreq", lambda n, d: [i / (n * d) for i in range(n // 2 + 1)])


def _roll(input: Tensor, dim: Any, sign: int) -> Tensor:
    dims = range(input.dim()) if dim is None else [dim] if isinstance(dim, int) else dim
    half = [input.shape[d] // 2 if sign > 0 else (input.shape[d] + 1) // 2 for d in dims]
    return input.roll(tuple(half), tuple(dims))


@composite(module="fft")
def fftshift(input: Tensor, dim: Any = None) -> Tensor:
    """Move frequency zero to the middle."""
    return _roll(input, dim, 1)


@composite(module="fft")
def ifftshift(input: Tensor, dim: Any = None) -> Tensor:
    """Undo fftshift."""
    return _roll(input, dim, -1)
