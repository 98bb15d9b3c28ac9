"""`torch.nn.attention`: which kernel scaled_dot_product_attention may use. Here there is one."""

import contextlib
from collections.abc import Iterable
from enum import IntEnum


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
    """Accepts a choice of kernels; XLA's stays the one that runs, and gives the same numbers."""
    chosen = [backends] if isinstance(backends, SDPBackend) else backends
    if not isinstance(chosen, Iterable) or not all(isinstance(b, SDPBackend) for b in chosen):
        raise AssertionError(
            "Backend must be an instance of SDPBackend or a list of SDPBackend instances"
        )
    if not list(chosen):
        raise RuntimeError("No available kernel. Aborting execution.")
    yield {}
