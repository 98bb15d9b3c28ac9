"""`torch.nn.attention`: which kernel scaled_dot_product_attention may use. Here there is one."""

import contextlib
from collections.abc import Iterable
from enum import IntEnum

WARN_FOR_UNFUSED_KERNELS = False
_IMPLEMENTATIONS = ("FA3", "FA4")


class SDPBackend(IntEnum):
    """PyTorch's kernels; all compute the same."""

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4

    def __repr__(self):
        return f"<{type(self).__name__}.{self.name}: {self.value}>"


@contextlib.contextmanager
def sdpa_kernel(backends, set_priority=False):
    """Accepts a choice of kernels, in any order of priority; XLA's stays the one that runs, and
    gives the same numbers. RuntimeError (here at once) for no kernel at all."""
    chosen = [backends] if isinstance(backends, SDPBackend) else backends
    if not isinstance(chosen, Iterable) or not all(isinstance(b, SDPBackend) for b in chosen):
        raise AssertionError(
            "Backend must be an instance of SDPBackend or a list of SDPBackend instances, got "
            f"{type(backends).__name__}"
        )
    if not list(chosen):
        raise RuntimeError(
            "No viable backend for scaled_dot_product_attention was found. This is likely due to "
            "turning off both the math kernel and the fused kernels."
        )
    yield {}


# ----- other kernels for CUDA, which are not there -----
def list_flash_attention_impls():
    """The kernels PyTorch can be given."""
    return sorted(_IMPLEMENTATIONS)


def current_flash_attention_impl():
    """Which of them is in use: never one."""
    return None


def activate_flash_attention_impl(impl):
    """Not supported: XLA's kernel stays the one that runs."""
    if impl not in _IMPLEMENTATIONS:
        raise ValueError(
            f"Unknown flash attention impl {impl!r}. Available implementations: "
            f"{list_flash_attention_impls()}"
        )
    raise NotImplementedError(f"activate_flash_attention_impl: impl={impl!r} is not supported")


def restore_flash_attention_impl(_raise_warn=True):
    """Nothing to do: none was activated."""


def register_flash_attention_impl(impl, *, register_fn):
    """Not supported."""
    raise NotImplementedError("register_flash_attention_impl is not supported")
