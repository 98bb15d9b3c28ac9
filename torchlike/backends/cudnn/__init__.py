"""torch.backends.cudnn: XLA picks the algorithms of convolutions, so the settings are remembered.

On a GPU JAX uses cuDNN by itself; `version()` is None, for JAX doesn't tell.
"""

from types import ModuleType
from typing import Any

from ...core.device import count
from ...core.dtypes import float16, float32, float64
from ...core.tensor import Tensor
from .. import _switches
from .._switches import Precision, Setting, Switch, of_precision, precision, set_precision

CUDNN_TENSOR_DTYPES = {float16, float32, float64}


def version() -> int | None:
    """None: JAX tells no version."""
    return None


def is_available() -> bool:
    """Whether JAX sees a GPU."""
    return count("cuda") > 0


def is_acceptable(tensor: Tensor) -> bool:
    """Whether cuDNN could compute with the tensor."""
    if not _ENABLED.value or tensor.device.type != "cuda":
        return False
    return tensor.dtype in CUDNN_TENSOR_DTYPES and is_available()


# ----- settings -----
_ENABLED = Switch(True, "set_enabled_cudnn")
_BENCHMARK = Switch(False, "set_benchmark_cudnn")
_DETERMINISTIC = Switch(False, "set_deterministic_cudnn")
_more: dict[str, Any] = {"limit": 10, "kernel": "auto"}
_KERNELS = ("auto", "cudnn", "native")


def _limit() -> int | None:
    return _more["limit"] if is_available() else None


def _set_limit(limit: int) -> None:
    _more["limit"] = limit


def _kernel() -> str:
    return _more["kernel"]


def _set_kernel(kernel: str) -> None:
    if kernel not in _KERNELS:
        raise RuntimeError(
            f"Unknown cuDNN depthwise kernel mode: {kernel}. Expected one of: {', '.join(_KERNELS)}"
        )
    _more["kernel"] = kernel


def _allow_tf32() -> bool:
    kinds = {precision("cuda", op) == "tf32" for op in ("conv", "rnn")}
    if len(kinds) == 2:
        raise RuntimeError(
            "cuDNN's convolutions and its RNNs have different settings of fp32_precision, so there "
            "is no one answer for allow_tf32"
        )
    return kinds == {True}


def _set_allow_tf32(value: bool) -> None:
    kind = "tf32" if _switches.check_bool("set_allow_tf32_cublas", value) else "none"
    for op in ("conv", "rnn"):
        set_precision("cuda", op, kind)


def set_flags(
    _enabled: bool | None = None, _benchmark: bool | None = None,
    _benchmark_limit: int | None = None, _deterministic: bool | None = None,
    _allow_tf32: bool | None = None, _fp32_precision: str | None = "none",
    _depthwise_kernel: str | None = None,
) -> tuple[Any, ...]:  # fmt: skip
    """Changes what is not None; gives what all were."""
    before = (None, _limit(), None, CudnnModule.allow_tf32, precision("cuda", "all"), _kernel())
    puts = (
        (_set_limit, _benchmark_limit), (_set_allow_tf32, _allow_tf32),
        (lambda kind: set_precision("cuda", "all", kind), _fp32_precision),
        (_set_kernel, _depthwise_kernel),
    )  # fmt: skip
    for put, value in puts:
        if value is not None:
            put(value)
    return (_ENABLED.update(_enabled), _BENCHMARK.update(_benchmark), before[1],
            _DETERMINISTIC.update(_deterministic), *before[3:])  # fmt: skip


def flags(
    enabled: bool = False, benchmark: bool = False, benchmark_limit: int = 10,
    deterministic: bool = False, allow_tf32: bool = True, fp32_precision: str = "none",
    depthwise_kernel: str = "auto",
):  # fmt: skip
    """A block with other settings."""
    return _switches.kept(set_flags, enabled, benchmark, benchmark_limit, deterministic,
                          allow_tf32, fp32_precision, depthwise_kernel)  # fmt: skip


class CudnnModule(ModuleType):
    """The module, with its settings as attributes."""

    enabled, deterministic, benchmark = _ENABLED, _DETERMINISTIC, _BENCHMARK
    benchmark_limit = Setting(_limit, _set_limit)
    allow_tf32 = Setting(_allow_tf32, _set_allow_tf32)
    depthwise_kernel = Setting(_kernel, _set_kernel)
    conv = Precision("cuda", "conv")
    fp32_precision = of_precision("cuda", "all")


_switches.become(__name__, CudnnModule)
