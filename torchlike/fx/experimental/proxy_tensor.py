"""Tracing through dispatch: there is none, so no mode is ever active."""


def get_proxy_mode() -> None:
    """The active mode: none."""


def is_traceable_wrapper_subclass(t) -> bool:
    """Whether a tensor wraps others: never."""
    return False


def make_fx(*args, **kwargs):
    """Not supported."""
    raise NotImplementedError("make_fx is not supported: use torch.fx.symbolic_trace")
