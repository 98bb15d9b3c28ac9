"""Products of eight-bit numbers with scales, computed in float32 as PyTorch's CPU does."""

from __future__ import annotations

from typing import Any

from ..core import dtypes
from ..core.check import unsupported
from ..core.dtypes import SCALAR_NAMES, finfo
from ..core.op import composite
from ..core.tensor import Tensor


@composite(method=False)
def _scaled_mm(
    input: Tensor, mat2: Tensor, scale_a: Tensor, scale_b: Tensor, bias: Tensor | None = None,
    scale_result: Tensor | None = None, out_dtype: dtypes.dtype | None = None,
    use_fast_accum: bool = False,
) -> Tensor:  # fmt: skip
    """(input @ mat2) · scale_a · scale_b + bias; scales are one number each, or one per row of
    `input` and column of `mat2`. A result of eight bits is cut off at the largest number.

    `use_fast_accum` changes nothing: sums are float32.
    """
    if scale_result is not None:
        raise unsupported("_scaled_mm", "scale_result", scale_result)
    _check(input, mat2, scale_a, scale_b, bias)
    product = (input.float() @ mat2.float()) * _one(scale_a) * _one(scale_b)  # type: ignore
    if bias is not None:
        product = product + bias.float()  # type: ignore[attr-defined]
    kind = input.dtype if out_dtype is None else out_dtype
    if kind.is_floating_point and kind.itemsize == 1:
        product = product.clamp(finfo(kind).min, finfo(kind).max)
    return product.to(kind)


def _one(scale: Tensor) -> Tensor:
    return scale.reshape(()) if scale.numel() == 1 else scale


def _check(a: Tensor, b: Tensor, scale_a: Tensor, scale_b: Tensor, bias: Any) -> None:
    for name, mat in (("mat1", a), ("mat2", b)):
        if mat.ndim != 2:
            raise RuntimeError(f"{name} must be a matrix")
    if a.shape[1] != b.shape[0]:
        raise RuntimeError(
            "mat_a and mat_b shapes cannot be multiplied "
            f"({a.shape[0]}x{a.shape[1]} and {b.shape[0]}x{b.shape[1]})"
        )
    rows, columns = (a.shape[0], 1), (1, b.shape[1])
    single = scale_a.numel() == 1 and scale_b.numel() == 1
    each = tuple(scale_a.shape) == rows and tuple(scale_b.shape) == columns
    short = all(mat.dtype.itemsize == 1 and mat.dtype.is_floating_point for mat in (a, b))
    exact = scale_a.dtype is scale_b.dtype is dtypes.float32
    if not (short and exact and (single or each)):
        pairs = ((("mat_a", a), ("scale_a", scale_a)), (("mat_b", b), ("scale_b", scale_b)))
        raise ValueError(
            "Invalid scaling configuration.\n"
            "- For TensorWise scaling, a and b should be float8, scales should be float and "
            "singletons.\n- For RowWise scaling, a and b should be float8, scales should be "
            f"float, scale_a should be {rows} and scale_b should be {columns}, and both should be "
            f"contiguous.\nGot {_told(pairs[0])}, {' and '.join(_told(pairs[1]).rsplit(', ', 1))}"
        )
    if bias is not None and bias.numel() != b.shape[1]:
        raise RuntimeError(f"Bias must be size {b.shape[1]} but got {bias.numel()}")


def _told(pair: Any) -> str:
    (name, mat), (scale_name, scale) = pair
    size, stride = list(scale.shape), list(scale.stride())
    return (
        f"{name}.dtype()={SCALAR_NAMES[mat.dtype]}, "
        f"{scale_name}.dtype()={SCALAR_NAMES[scale.dtype]}, {scale_name}.size()={size}, "
        f"{scale_name}.stride()={stride}"
    )
