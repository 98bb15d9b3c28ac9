"""`functionalize`, `debug_unwrap`: what PyTorch needs and this design has for free."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core.parameter import alias_of
from ..core.tensor import Tensor, wrap
from .batch import tensor_levels, whole
from .grads import wraps


def functionalize(func: Callable[..., Any], *, remove: str = "mutations") -> Callable[..., Any]:
    """The function without in-place writes: here every recorded program is so already."""
    if remove not in ("mutations", "mutations_and_views"):
        raise RuntimeError(
            "functionalize(f, remove='mutations'): received invalid argument for remove="
            f"{remove}. Valid options are:\n"
            "     remove='mutations': all inplace and out= operators will be removed from the "
            "program, and replaced with their out-of-place equivalents.\n"
            "     remove='mutations_and_views': In addition to the above, all aliasing operators "
            "{view} will be replaced with their non-aliasing counterparts, {view}_copy.\n"
        )

    @wraps(func)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return func(*args, **kwargs)

    return wrapped


def debug_unwrap(tensor: Tensor, *, recurse: bool = True) -> Tensor:
    """The tensor of all examples behind one of `vmap`'s; `recurse=False` removes one level."""
    levels = tensor_levels(tensor)
    if not levels and "_level" not in tensor.__dict__:
        return tensor
    if not levels:
        return alias_of(tensor)
    if not recurse and len(levels) > 1:
        raise NotImplementedError(
            "debug_unwrap: recurse=False under several vmaps is not supported"
        )
    return wrap(whole(tensor._value_now()))
