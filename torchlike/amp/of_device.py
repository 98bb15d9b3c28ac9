"""PyTorch's deprecated spellings of autocast and GradScaler, one per device, which warn."""

import warnings

from . import autocast_mode, grad_scaler


def deprecate(old: str, new: str) -> None:
    warnings.warn(
        f"`{old}` is deprecated. Please use `{new}` instead.", FutureWarning, stacklevel=3
    )


def autocast_of(kind: str, lower) -> type:
    class autocast(autocast_mode.autocast):
        __doc__ = f"Deprecated: `torch.amp.autocast('{kind}', …)`."

        def __init__(self, enabled=True, dtype=lower, cache_enabled=True) -> None:
            old = f"torch.{kind}.amp.autocast(args...)"
            deprecate(old, f"torch.amp.autocast('{kind}', args...)")
            super().__init__(kind, enabled=enabled, dtype=dtype, cache_enabled=cache_enabled)

    autocast.__module__, autocast.__qualname__ = f"torch.{kind}.amp.autocast_mode", "autocast"
    return autocast


def scaler_of(kind: str) -> type:
    class GradScaler(grad_scaler.GradScaler):
        __doc__ = f"Deprecated: `torch.amp.GradScaler('{kind}', …)`."

        def __init__(
            self, init_scale=2.0**16, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000,
            enabled=True,
        ) -> None:  # fmt: skip
            old = f"torch.{kind}.amp.GradScaler(args...)"
            deprecate(old, f"torch.amp.GradScaler('{kind}', args...)")
            factors = growth_factor, backoff_factor
            super().__init__(kind, init_scale, *factors, growth_interval, enabled)

    GradScaler.__module__, GradScaler.__qualname__ = f"torch.{kind}.amp.grad_scaler", "GradScaler"
    return GradScaler
