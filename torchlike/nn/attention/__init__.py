"""`torch.nn.attention`: which kernel scaled_dot_product_attention may use."""

import contextlib

from ...backends import cuda
from ...backends.cuda import SDPBackend as SDPBackend

WARN_FOR_UNFUSED_KERNELS = False
_IMPLEMENTATIONS = ("FA3", "FA4")


@contextlib.contextmanager
def sdpa_kernel(backends, set_priority=False):
    """A block in which scaled_dot_product_attention uses these kernels only; there it is a
    RuntimeError if none of them can. MATH and FLASH_ATTENTION exist, so no order matters."""
    chosen = [backends] if isinstance(backends, SDPBackend) else backends
    if not isinstance(chosen, list) or not all(isinstance(b, SDPBackend) for b in chosen):
        raise AssertionError(
            "Backend must be an instance of SDPBackend or a list of SDPBackend instances, got "
            f"{type(backends).__name__}"
        )
    before = cuda.choose(chosen)
    try:
        yield {}
    finally:
        cuda.choose(before)


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
