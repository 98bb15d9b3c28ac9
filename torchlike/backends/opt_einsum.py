"""torch.backends.opt_einsum: einsum multiplies from left to right, as PyTorch without it."""

from types import ModuleType

from ._switches import Setting, become, kept


def is_available() -> bool:
    """Never: einsum looks for no better order (give it one with `torch.einsum(..., path)`)."""
    return False


def get_opt_einsum() -> None:
    """None."""


def _set_enabled(value: bool) -> None:
    if value:
        raise ValueError(
            f"opt_einsum is not available, so setting `enabled` to {value} will not reap the "
            "benefits of calculating an optimal path for einsum. torch.einsum will fall back to "
            "contracting from left to right. To enable this optimal path calculation, please "
            "install opt-einsum."
        )


def _set_strategy(value: str) -> None:
    raise ValueError(
        f"opt_einsum is not available, so setting `strategy` to {value} will not be meaningful. "
        "torch.einsum will bypass path calculation and simply contract from left to right. Please "
        "install opt_einsum or unset `strategy`."
    )


def set_flags(_enabled: bool | None = None, _strategy: str | None = None) -> tuple[bool, None]:
    """Changes what is not None; gives what both were."""
    for put, value in ((_set_enabled, _enabled), (_set_strategy, _strategy)):
        if value is not None:
            put(value)  # type: ignore[arg-type]
    return False, None


def flags(enabled: bool | None = None, strategy: str | None = None):
    """A block with other settings."""
    return kept(set_flags, enabled, strategy)


class OptEinsumModule(ModuleType):
    """The module, with its settings as attributes."""

    enabled = Setting(lambda: False, _set_enabled)
    strategy = Setting(lambda: None, _set_strategy)


become(__name__, OptEinsumModule)
