"""Matrix products in groups, and products of scaled eight-bit numbers."""

from enum import Enum

from .. import ops
from ..core.dtypes import C_NAMES, bfloat16, float16, float32, int32

_KINDS = (float32, bfloat16, float16)


class ScalingType(Enum):
    """What shares one scale, in `scaled_mm`."""

    TensorWise = 0
    RowWise = 1
    BlockWise1x16 = 2
    BlockWise1x32 = 3
    BlockWise1x128 = 4
    BlockWise128x128 = 5


class SwizzleType(Enum):
    """How scales lie in memory, in `scaled_mm`."""

    NO_SWIZZLE = 0
    SWIZZLE_32_4_4 = 1


def grouped_mm(mat_a, mat_b, *, offs=None, bias=None, out_dtype=None):
    """One product for each group; `offs` says where groups end in the dim that 2-D sides share.

    Rows and columns after the last end are zeros. PyTorch asks for strides that are multiples of
    16 bytes, here any do.
    """
    _check(mat_a, mat_b, offs, bias, out_dtype)
    if offs is None:
        return mat_a @ mat_b
    ends = offs.tolist()
    parts = [slice(start, end) for start, end in zip([0, *ends], ends)]
    if mat_a.ndim == mat_b.ndim:
        return ops.stack([mat_a[:, part] @ mat_b[part] for part in parts])
    if mat_a.ndim == 2:
        found = [mat_a[part] @ b for part, b in zip(parts, mat_b)]
        rest = mat_a.new_zeros((mat_a.shape[0] - ends[-1], mat_b.shape[2]))
        return ops.cat([*found, rest], 0)
    found = [a @ mat_b[:, part] for a, part in zip(mat_a, parts)]
    rest = mat_a.new_zeros((mat_a.shape[1], mat_b.shape[1] - ends[-1]))
    return ops.cat([*found, rest], 1)


def _check(mat_a, mat_b, offs, bias, out_dtype):
    for name, mat in (("mat_a", mat_a), ("mat_b", mat_b)):
        if mat.dtype not in _KINDS:
            raise RuntimeError(
                f"Expected {name} to be Float32, BFloat16 or Float16 matrix, got "
                f"{C_NAMES[mat.dtype].capitalize()}"
            )
    for name, mat in (("mat_a", mat_a), ("mat_b", mat_b)):
        if mat.ndim not in (2, 3):
            raise RuntimeError(f"{name} has to be 2 or 3d")
    if (mat_a.ndim == 3 or mat_b.ndim == 3) and mat_a.shape[-1] != mat_b.shape[-2]:
        raise RuntimeError("contraction dimension of mat_a and mat_b must match")
    if (offs is None) == (mat_a.ndim == 2 or mat_b.ndim == 2):
        raise RuntimeError(
            "Have to provide offsets if there is a 2d matrix, or no offset if both matrices are 3d"
        )
    if offs is not None and offs.dtype is not int32:
        raise RuntimeError("Offsets have to be int32")
    if out_dtype not in (None, mat_a.dtype):
        raise RuntimeError("Grouped gemm output dtype must match `mat_a` dtype")
    if bias is not None:
        raise RuntimeError("Bias not supported yet")


def _only(given):
    """The one of a list, or what is given."""
    return given[0] if isinstance(given, (list, tuple)) and len(given) == 1 else given


def scaled_mm(mat_a, mat_b, scale_a, scale_recipe_a, scale_b, scale_recipe_b, swizzle_a=None,
              swizzle_b=None, bias=None, output_dtype=bfloat16, contraction_dim=(),
              use_fast_accum=False):  # fmt: skip
    """mat_a @ mat_b of eight-bit numbers, times scales: one each, or one per row and column.

    Scales of blocks, and swizzled ones, are not supported (nor by PyTorch's CPU).
    """
    recipes = _only(scale_recipe_a), _only(scale_recipe_b)
    if recipes not in ((ScalingType.TensorWise,) * 2, (ScalingType.RowWise,) * 2):
        raise NotImplementedError(
            f"scaled_mm: scale_recipe_a={recipes[0]}, scale_recipe_b={recipes[1]} are not supported"
        )
    for name, given in (("swizzle_a", swizzle_a), ("swizzle_b", swizzle_b)):
        if _only(given) not in (None, SwizzleType.NO_SWIZZLE):
            raise NotImplementedError(f"scaled_mm: {name}={given} is not supported")
    if tuple(contraction_dim) not in ((), (1, 0), (-1, -2)):
        raise NotImplementedError(
            f"scaled_mm: contraction_dim={contraction_dim} is not supported"
        )
    scales = _only(scale_a), _only(scale_b)
    return ops._scaled_mm(mat_a, mat_b, *scales, bias, None, output_dtype, use_fast_accum)


def scaled_grouped_mm(mat_a, mat_b, scale_a, scale_recipe_a, scale_b, scale_recipe_b, *args,
                      **kwargs):  # fmt: skip
    """Not supported, nor by PyTorch's CPU."""
    raise NotImplementedError(
        "scaled_grouped_mm is not supported: PyTorch has it on accelerators only"
    )
