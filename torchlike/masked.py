"""torch.masked: reductions and normalisations that leave elements out by a mask.

`mask=` is true where an element counts. Only strided tensors; there is no MaskedTensor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import ops
from .core.dtypes import dtype as dtype_class
from .core.dtypes import float32, iinfo, int64
from .core.tensor import Tensor

__all__ = [
    "amax", "amin", "argmax", "argmin", "cumprod", "cumsum", "log_softmax", "logaddexp",
    "logsumexp", "mean", "median", "norm", "normalize", "prod", "softmax", "softmin", "std", "sum",
    "var",
]  # fmt: skip

_F: Any = {name: f for (room, name), f in ops.TABLE.items() if room == "nn.functional"}


# ----- what stands for an element left out -----
def _lowest(input: Tensor) -> Any:
    if input.is_floating_point() or input.is_complex():
        return -float("inf")
    return iinfo(input.dtype).min


def _highest(input: Tensor) -> Any:
    return float("inf") if input.is_floating_point() else iinfo(input.dtype).max


_NEUTRAL: dict[str, Callable[[Tensor], Any]] = {
    "zero": lambda input: 0, "one": lambda input: 1, "lowest": _lowest, "highest": _highest,
    "nan": lambda input: float("nan"),
}  # fmt: skip


def _input_mask(input: Tensor, mask: Tensor) -> Tensor:
    """The mask as booleans in the input's shape."""
    if mask.shape != input.shape:
        if mask.ndim > input.ndim:
            raise IndexError(
                "_input_mask expected broadcastable mask (got mask dimensionality higher than of "
                "the input)"
            )
        mask = mask.expand(input.shape)  # type: ignore[attr-defined]
    return mask.bool()  # type: ignore[attr-defined]


def _filled(input: Tensor, mask: Tensor | None, neutral: str) -> Tensor:
    """The input with what is masked out replaced by a number that changes nothing."""
    if mask is None:
        return input
    if neutral in ("lowest", "highest") and input.dtype.name == "bool":
        raise NotImplementedError(f"identity of amax on {input.dtype} input")
    number = input.new_full((), _NEUTRAL[neutral](input))  # type: ignore[attr-defined]
    return input.where(_input_mask(input, mask), number)  # type: ignore[attr-defined]


def _dims(dim: Any, ndim: int) -> tuple[int, ...]:
    """Dims counted from the front and sorted; all of them for None and ()."""
    if dim is None or dim == ():
        return tuple(range(ndim))
    ndim, found = max(ndim, 1), []
    for d in (dim,) if isinstance(dim, int) else dim:
        if d in found:
            raise RuntimeError(f"dim={d} appears multiple times in the list of dims")
        if not -ndim <= d < ndim:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [{-ndim}, {ndim - 1}], but "
                f"got {d})"
            )
        found.append(d)
    return tuple(sorted(d % ndim for d in found))


def _total_dtype(input: Tensor) -> dtype_class:
    return int64 if input.dtype.name in _SMALL else input.dtype


_SMALL = ("uint8", "bool", "int8", "int16", "int32")


# ----- reductions -----
def sum(
    input: Tensor, dim: Any = None, *, keepdim: bool | None = False, dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The sum of the elements left in."""
    wanted = _total_dtype(input) if dtype is None else dtype
    dims = _dims(dim, input.ndim)
    return _filled(input, mask, "zero").sum(dims, bool(keepdim), dtype=wanted)  # type: ignore


def prod(
    input: Tensor, dim: Any = None, *, keepdim: bool | None = False, dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The product of the elements left in."""
    found = _filled(input, mask, "one").to(_total_dtype(input) if dtype is None else dtype)  # type: ignore[attr-defined]
    for d in reversed(_dims(dim, input.ndim)):
        found = found.prod(dim=d, keepdim=bool(keepdim))
    return found


def _extremum(name: str, neutral: str) -> Callable[..., Tensor]:
    def function(
        input: Tensor, dim: Any = None, *, keepdim: bool | None = False, dtype: Any = None,
        mask: Tensor | None = None,
    ) -> Tensor:  # fmt: skip
        given = _filled(input, mask, neutral)
        dims = dim if name.startswith("arg") else _dims(dim, input.ndim)
        found = getattr(given, name)(dims, keepdim=bool(keepdim))
        return found.to(input.dtype if dtype is None else dtype)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"`{name}` of the elements left in."
    return function


amax, amin = _extremum("amax", "lowest"), _extremum("amin", "highest")
argmax, argmin = _extremum("argmax", "lowest"), _extremum("argmin", "highest")


def _count(input: Tensor, dim: Any, keepdim: bool, mask: Tensor | None) -> Tensor:
    whole = ops.ones(input.shape, dtype=int64, device=input.device)  # type: ignore[attr-defined]
    counted = whole if mask is None else _input_mask(input, mask)
    return counted.sum(_dims(dim, input.ndim), keepdim)  # type: ignore[attr-defined]


def mean(
    input: Tensor, dim: Any = None, *, keepdim: bool | None = False, dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The mean of the elements left in; nan where there are none."""
    kind = input.dtype if dtype is None else dtype
    if not (kind.is_floating_point or kind.is_complex):
        raise ValueError(
            f"mean(): Could not infer output dtype. {'Input' if dtype is None else 'Optional'} "
            f"dtype must be either a floating point or complex dtype. Got: {kind}"
        )
    total = sum(input, dim, keepdim=keepdim, dtype=kind, mask=mask)
    return total / _count(input, dim, bool(keepdim), mask)


def median(
    input: Tensor, dim: int = -1, *, keepdim: bool = False, dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The lower median of the elements left in; nan where there are none."""
    floating = input.is_floating_point()
    given = _filled(input if floating else input.to(float32), mask, "nan")  # type: ignore
    found = given.nanmedian(_dims(dim, input.ndim)[0], keepdim).values  # type: ignore
    if floating:
        return found
    if found.isnan().any():
        raise ValueError(
            "masked median expects no fully masked out rows if dtype is not floating point"
        )
    return found.to(input.dtype if dtype is None else dtype)


def logsumexp(
    input: Tensor, dim: Any = None, *, keepdim: bool = False, dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The logarithm of the sum of exponentials of the elements left in."""
    found = _filled(input, mask, "lowest").logsumexp(_dims(dim, input.ndim), keepdim=keepdim)  # type: ignore
    return found.to(input.dtype if dtype is None else dtype)


def logaddexp(
    input: Tensor, other: Tensor, *, dtype: Any = None, input_mask: Tensor | None = None,
    other_mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """log(exp(input) + exp(other)), each with its mask."""
    first, second = _filled(input, input_mask, "lowest"), _filled(other, other_mask, "lowest")
    return first.logaddexp(second).to(input.dtype if dtype is None else dtype)  # type: ignore


def norm(
    input: Tensor, ord: float | None = 2.0, dim: Any = None, *, keepdim: bool | None = False,
    dtype: Any = None, mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The norm of the elements left in, as a vector."""
    given = _filled(input, mask, "highest" if ord == -float("inf") else "zero")
    kind = input.dtype if dtype is None else dtype
    vector_norm = ops.TABLE["linalg", "vector_norm"]
    return vector_norm(given, ord, _dims(dim, input.ndim), bool(keepdim), dtype=kind)


def _spread(
    input: Tensor, dim: Any, unbiased: bool | None, correction: float | None, keepdim: Any,
    dtype: Any, mask: Tensor | None,
) -> Tensor:  # fmt: skip
    if unbiased is not None and correction is not None:
        raise AssertionError("Only one of unbiased and correction may be given")
    less = float(correction if correction is not None else unbiased is not False)
    floating = input.is_floating_point() or input.is_complex()
    kind = dtype or (input.dtype if floating else float32)
    compute = kind if kind.is_floating_point or kind.is_complex else float32
    count = _count(input, dim, True, mask)
    away = input - sum(input, dim, keepdim=True, dtype=kind, mask=mask) / count
    total = sum(away * away.conj(), dim, keepdim=keepdim, dtype=compute, mask=mask)
    count = count if keepdim else count.reshape(total.shape)
    if less:
        count = (count.to(compute.to_real()) - less).clamp(min=0)
    return (total / count).to(kind)


def var(
    input: Tensor, dim: Any = None, unbiased: bool | None = None, *,
    correction: float | None = None, keepdim: bool | None = False, dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The variance of the elements left in; nan where there are none."""
    return _spread(input, dim, unbiased, correction, keepdim, dtype, mask)


def std(
    input: Tensor, dim: Any = None, unbiased: bool | None = None, *,
    correction: float | None = None, keepdim: bool | None = False, dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The standard deviation of the elements left in; nan where there are none."""
    return _spread(input, dim, unbiased, correction, keepdim, dtype, mask).sqrt()  # type: ignore


# ----- normalisations: every element stays -----
def _along(name: str, neutral: str, function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def normalised(
        input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None
    ) -> Tensor:
        kind = input.dtype if dtype is None else dtype
        return function(_filled(input, mask, neutral), _dims(dim, input.ndim)[0], dtype=kind)

    normalised.__name__ = normalised.__qualname__ = name
    normalised.__doc__ = f"`{name}` along a dim of the elements left in."
    return normalised


def _scan(name: str) -> Callable[..., Tensor]:
    scan = ops.TABLE["torch", name]
    return lambda input, dim, dtype: scan(input, dim, dtype=dtype)


cumsum = _along("cumsum", "zero", _scan("cumsum"))
cumprod = _along("cumprod", "one", _scan("cumprod"))
softmax = _along("softmax", "lowest", lambda x, dim, dtype: _F["softmax"](x, dim, dtype=dtype))
log_softmax = _along(
    "log_softmax", "lowest", lambda x, dim, dtype: _F["log_softmax"](x, dim, dtype=dtype)
)
softmin = _along("softmin", "highest", lambda x, dim, dtype: _F["softmin"](x, dim, dtype=dtype))


def normalize(
    input: Tensor, ord: float, dim: int, *, eps: float = 1e-12, dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Divided by the norm, at least eps, along a dim of the elements left in."""
    size = norm(input, ord, dim, keepdim=True, dtype=dtype, mask=mask)
    return _filled(input, mask, "zero") / size.maximum(size.new_full((), eps))  # type: ignore
