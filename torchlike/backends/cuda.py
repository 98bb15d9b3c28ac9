"""torch.backends.cuda: settings of the kernels for GPUs. XLA chooses these, so most only remember.

`matmul.allow_tf32` (or `.fp32_precision`) has its effect, on all products and convolutions.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import Any

from ..core.device import count
from ..core.device import device as Device
from ..core.tensor import Tensor
from ..ops.attention import ALLOWED
from ._switches import (
    Precision,
    Setting,
    Switch,
    check_bool,
    get_float32_matmul_precision,
    of_precision,
    set_precision,
)


def is_built() -> bool:
    """Whether JAX sees a GPU."""
    return count("cuda") > 0


# ----- plans of FFTs: XLA keeps them, out of reach -----
class cuFFTPlanCacheManager:
    """The plans for FFTs on GPUs; XLA doesn't show them."""

    def __getitem__(self, device: Any) -> Any:
        index = device if isinstance(device, int) else Device(device).index or 0
        if not 0 <= index < count("cuda"):
            raise RuntimeError(
                f"cufft_plan_cache: expected 0 <= device index < {count('cuda')}, but got device "
                f"with index {index}"
            )
        raise NotImplementedError("torch.backends.cuda.cufft_plan_cache: XLA hides its plans")

    def __getattr__(self, name: str) -> Any:
        if not is_built():
            raise AssertionError("Torch not compiled with CUDA enabled")
        return getattr(self[0], name)

    def __setattr__(self, name: str, value: Any) -> None:
        self.__getattr__(name)


# ----- products -----
def _pair(name: str, value: Any) -> tuple[bool, bool]:
    """(reduced precision allowed, split-k allowed) of a bool or of one or two of them."""
    if isinstance(value, bool):
        return value, True
    if not isinstance(value, (list, tuple)):
        raise TypeError(
            f"{name} expects a bool or a tuple/list of bools, but got {type(value)!r}"
        )
    if not value:
        raise TypeError(f"{name} expects at least one boolean argument")
    if len(value) > 2:
        raise TypeError(f"{name} expects at most two boolean arguments")
    for given, which in zip(value, ("allow_reduced_precision", "allow_splitk")):
        if not isinstance(given, bool):
            raise TypeError(f"{name} expects a bool for {which}, but got {type(given)!r}")
    return value[0], value[1] if len(value) == 2 else True


class _Reduction(Setting):
    """Whether sums in products may be less exact, and whether they may be split; XLA decides."""

    def __init__(self, name: str) -> None:
        self.name, self.value = name, (True, True)
        super().__init__(lambda: self.value[0], self._set, freezes=False)

    def _set(self, value: Any) -> None:
        reduced, split = _pair(self.name, value)
        if reduced and not split:
            raise RuntimeError(
                "allow_splitk=False is not supported when reduced precision reductions are enabled"
            )
        self.value = reduced, split

    def split(self) -> Setting:
        """The attribute for the second half."""
        return Setting(lambda: self.value[1])


def _set_allow_tf32(value: bool) -> None:
    kind = "tf32" if check_bool("set_allow_tf32_cublas", value) else "ieee"
    set_precision("cuda", "matmul", kind)


class cuBLASModule(Precision):
    """Settings of products of matrices."""

    allow_tf32 = Setting(
        lambda: get_float32_matmul_precision() != "highest", _set_allow_tf32, freezes=False
    )
    fp32_precision = of_precision("cuda", "matmul")  # type: ignore[assignment]
    allow_fp16_accumulation = Switch(False, "set_allow_fp16_accumulation_cublas", freezes=False)
    allow_fp16_reduced_precision_reduction = _Reduction("allow_fp16_reduced_precision_reduction")
    allow_bf16_reduced_precision_reduction = _Reduction("allow_bf16_reduced_precision_reduction")

    def __setattr__(self, name: str, value: Any) -> None:
        setting = vars(cuBLASModule).get(name)
        if not isinstance(setting, Setting) or setting.put is None:
            raise AttributeError("Unknown attribute " + name)
        setting.__set__(self, value)


for _kind in ("fp16", "bf16"):
    _name = f"allow_{_kind}_reduced_precision_reduction"
    setattr(cuBLASModule, f"{_name}_split_k", vars(cuBLASModule)[_name].split())


# ----- libraries: there is one -----
class _Choice(IntEnum):
    """An enum that prints itself as those of PyTorch do."""

    def __str__(self) -> str:
        return f"{type(self).__name__}.{self.name}"

    def __repr__(self) -> str:
        return f"<{self}: {self.value}>"


class _LinalgBackend(_Choice):
    Default = 0
    Cusolver = 1
    Magma = 2


class _BlasBackend(_Choice):
    Default = 0
    Cublas = 1
    Cublaslt = 2
    Ck = 3


_LinalgBackends = {"default": _LinalgBackend.Default, "cusolver": _LinalgBackend.Cusolver,
                   "magma": _LinalgBackend.Magma}  # fmt: skip
_BlasBackends = {
    "default": _BlasBackend.Default, "cublas": _BlasBackend.Cublas, "hipblas": _BlasBackend.Cublas,
    "cublaslt": _BlasBackend.Cublaslt, "hipblaslt": _BlasBackend.Cublaslt, "ck": _BlasBackend.Ck,
}  # fmt: skip
_preferred: dict[type, Any] = {
    _LinalgBackend: _LinalgBackend.Default, _BlasBackend: _BlasBackend.Default
}


def _prefer(kind: type, names: dict[str, Any], backend: Any) -> Any:
    if isinstance(backend, str) and backend not in names:
        raise RuntimeError(f"Unknown input value. Choose from: {', '.join(names)}.")
    if not isinstance(backend, (str, kind, type(None))):
        raise RuntimeError("Unknown input value type.")
    if backend is not None:
        _preferred[kind] = names[backend] if isinstance(backend, str) else backend
    return _preferred[kind]


def preferred_linalg_library(backend: Any = None) -> _LinalgBackend:
    """The library preferred for linear algebra; RuntimeError for another than the default."""
    asked = _LinalgBackends.get(backend, backend) if isinstance(backend, str) else backend
    if isinstance(asked, _LinalgBackend) and asked:
        name = {"Cusolver": "cuSOLVER", "Magma": "MAGMA"}[asked.name]
        raise RuntimeError(
            f"Cannot set preferred backend to {name} if PyTorch has not been compiled with {name}."
        )
    return _prefer(_LinalgBackend, _LinalgBackends, backend)


def preferred_blas_library(backend: Any = None) -> _BlasBackend:
    """The library preferred for products: remembered, XLA chooses."""
    return _prefer(_BlasBackend, _BlasBackends, backend)


# ----- attention: on CPUs PyTorch has the kernels flash and math; so has torchlike everywhere -----
class SDPBackend(_Choice):
    """PyTorch's kernels for attention."""

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4


SDPBackend.__module__ = f"{__package__.partition('.')[0]}.nn.attention"  # where users find it

_KERNELS = {  # PyTorch's words for them, which ALLOWED has, too
    SDPBackend.CUDNN_ATTENTION: "cudnn", SDPBackend.FLASH_ATTENTION: "flash",
    SDPBackend.EFFICIENT_ATTENTION: "mem_efficient", SDPBackend.MATH: "math",
    SDPBackend.OVERRIDEABLE: "overrideable",
}  # fmt: skip
_reduced_math = Switch(False, "set_sdp_use_math")


def _asking(kernel: str) -> Callable[[], bool]:
    def asked() -> bool:
        return ALLOWED[kernel]

    asked.__name__ = asked.__qualname__ = f"{kernel}_sdp_enabled"
    asked.__doc__ = f"Whether attention may use the kernel {kernel}."
    return asked


def _enabling(kernel: str) -> Callable[[bool], None]:
    def enable(enabled: bool) -> None:
        setter = "set_sdp_use_cudnn" if kernel == "cudnn" else "set_sdp_use_math"
        ALLOWED[kernel] = check_bool(setter, enabled)

    enable.__name__ = enable.__qualname__ = f"enable_{kernel}_sdp"
    enable.__doc__ = f"Whether attention may use the kernel {kernel}."
    return enable


cudnn_sdp_enabled, enable_cudnn_sdp = _asking("cudnn"), _enabling("cudnn")
flash_sdp_enabled, enable_flash_sdp = _asking("flash"), _enabling("flash")
mem_efficient_sdp_enabled = _asking("mem_efficient")
enable_mem_efficient_sdp = _enabling("mem_efficient")
math_sdp_enabled, enable_math_sdp = _asking("math"), _enabling("math")


def fp16_bf16_reduction_math_sdp_allowed() -> bool:
    """Whether sums in half precision were allowed."""
    return _reduced_math.value


def allow_fp16_bf16_reduction_math_sdp(enabled: bool) -> None:
    """Remembers whether sums in half precision are allowed: they are made in float32."""
    _reduced_math.turn(enabled)


class SDPAParams:
    """The arguments of an attention, to ask which kernels could compute it."""

    def __init__(
        self, query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None, dropout: float,
        is_causal: bool, enable_gqa: bool,
    ) -> None:  # fmt: skip
        self.query, self.key, self.value, self.attn_mask = query, key, value, attn_mask
        self.dropout, self.is_causal, self.enable_gqa = dropout, is_causal, enable_gqa


def is_ck_sdpa_available() -> bool:
    """Never."""
    return False


def is_flash_attention_available() -> bool:
    """Never: attention is an XLA program."""
    return False


def can_use_flash_attention(params: SDPAParams, debug: bool = False) -> bool:
    """Never: attention is an XLA program."""
    return False


def can_use_efficient_attention(params: SDPAParams, debug: bool = False) -> bool:
    """Never: attention is an XLA program."""
    return False


def can_use_cudnn_attention(params: SDPAParams, debug: bool = False) -> bool:
    """Never: attention is an XLA program."""
    return False


def choose(backends: Iterable[SDPBackend]) -> list[SDPBackend]:
    """Allows these kernels and no others; gives those that were allowed."""
    wanted = list(backends)
    before = [backend for backend, kernel in _KERNELS.items() if ALLOWED[kernel]]
    ALLOWED.update((kernel, backend in wanted) for backend, kernel in _KERNELS.items())
    return before


@contextlib.contextmanager
def sdp_kernel(enable_flash: bool = True, enable_math: bool = True,
               enable_mem_efficient: bool = True, enable_cudnn: bool = True):  # fmt: skip
    """Deprecated in PyTorch: `torch.nn.attention.sdpa_kernel`."""
    warnings.warn(
        "`torch.backends.cuda.sdp_kernel()` is deprecated. In the future, this context manager "
        "will be removed. Please see `torch.nn.attention.sdpa_kernel()` for the new context "
        "manager, with updated signature.",
        FutureWarning, stacklevel=3,
    )  # fmt: skip
    asked = {
        SDPBackend.FLASH_ATTENTION: enable_flash, SDPBackend.MATH: enable_math,
        SDPBackend.EFFICIENT_ATTENTION: enable_mem_efficient,
        SDPBackend.CUDNN_ATTENTION: enable_cudnn,
    }  # fmt: skip
    before = choose([backend for backend, wanted in asked.items() if wanted])
    try:
        yield {}
    finally:
        choose(before)


cufft_plan_cache = cuFFTPlanCacheManager()
matmul = cuBLASModule("cuda", "matmul")
