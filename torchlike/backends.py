"""torch.backends: what this build computes with, answered truthfully."""

from types import SimpleNamespace
from typing import Any

import jax

from .core.device import count


class _Tf32:
    """The `allow_tf32` switch of a backend: JAX's matmul precision."""

    def __init__(self, **facts: Any) -> None:
        vars(self).update(facts)

    @property
    def allow_tf32(self) -> bool:
        return jax.config.jax_default_matmul_precision != "highest"

    @allow_tf32.setter
    def allow_tf32(self, value: bool) -> None:
        jax.config.update("jax_default_matmul_precision", "default" if value else "highest")


class _Cudnn(_Tf32):
    """torch.backends.cudnn: JAX picks the algorithms, so the switches only remember."""

    def is_available(self) -> bool:
        return count("cuda") > 0

    def version(self) -> None:
        return None


cudnn = _Cudnn(enabled=True, benchmark=False, benchmark_limit=10, deterministic=False)
cuda = SimpleNamespace(
    matmul=_Tf32(), is_built=lambda: count("cuda") > 0,
    cufft_plan_cache=None,
)  # fmt: skip
mps = SimpleNamespace(is_available=lambda: False, is_built=lambda: False)
mkl = SimpleNamespace(is_available=lambda: False)
mkldnn = SimpleNamespace(is_available=lambda: False, enabled=False)
openmp = SimpleNamespace(is_available=lambda: False)
opt_einsum = SimpleNamespace(is_available=lambda: True, enabled=True, strategy="auto")


def _precision_name() -> str:
    return {"highest": "highest", "default": "medium"}.get(
        jax.config.jax_default_matmul_precision or "default", "high"
    )


def get_float32_matmul_precision() -> str:
    """How exactly float32 products are computed: highest, high or medium."""
    return _precision_name()


def set_float32_matmul_precision(precision: str) -> None:
    """How exactly float32 products are computed: highest (float32), high (TF32), medium (bf16)."""
    if precision not in ("highest", "high", "medium"):
        raise ValueError(
            f"{precision} is not one of 'highest', 'high', or 'medium'"
        )
    names = {"highest": "highest", "high": "high", "medium": "default"}
    jax.config.update("jax_default_matmul_precision", names[precision])


__all__ = ["cuda", "cudnn", "mkl", "mkldnn", "mps", "openmp", "opt_einsum"]
