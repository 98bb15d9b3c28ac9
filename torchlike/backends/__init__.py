"""torch.backends: what this build computes with, answered truthfully.

XLA picks kernels and algorithms, so most settings are only remembered; `matmul.allow_tf32` and
what else sets the precision of float32 products has its effect.
"""

import importlib
from types import ModuleType
from typing import Any

from ._switches import become, kept, of_precision, precision, set_precision
from ._switches import disable_global_flags as disable_global_flags
from ._switches import flags_frozen as flags_frozen
from ._switches import get_float32_matmul_precision as get_float32_matmul_precision
from ._switches import set_float32_matmul_precision as set_float32_matmul_precision

_MODULES = (
    "cpu", "cuda", "cudnn", "cusparselt", "kleidiai", "mha", "miopen", "mkl", "mkldnn", "mps",
    "nnpack", "openmp", "opt_einsum", "quantized",
)  # fmt: skip  (imported when first asked for)


def set_flags(_fp32_precision: str | None = "none") -> tuple[str]:
    """Changes the precision for all backends, unless it is None; gives what it was."""
    before = precision("generic", "all")
    if _fp32_precision is not None:
        set_precision("generic", "all", _fp32_precision)
    return (before,)


def flags(fp32_precision: str = "none"):
    """A block with a precision for all backends."""
    return kept(set_flags, fp32_precision)


class GenericModule(ModuleType):
    """torch.backends itself: it has a setting, too."""

    fp32_precision = of_precision("generic", "all")


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f".{name}", __package__)
    raise AttributeError(f"module 'torch.backends' has no attribute '{name}'")


become(__name__, GenericModule)
