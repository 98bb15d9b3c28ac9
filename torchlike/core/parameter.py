"""Parameters and buffers: tensors that modules register."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from . import dtypes
from .attributes import TensorMeta
from .check import (
    FLOAT_GRAD_ONLY,
)
from .tensor import TENSORS, Tensor, from_host
from .tensor import _new as new_object
from .tensor import has_bit as has_bit


# ----- parameters -----
class _ParameterMeta(TensorMeta):
    """`isinstance(t, Parameter)` holds for tensor subclasses marked as parameters too."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return super().__instancecheck__(instance) or (
            isinstance(instance, Tensor) and getattr(instance, "_is_param", False)
        )


class Parameter(Tensor, metaclass=_ParameterMeta):
    """A tensor that a Module registers when it is assigned as an attribute."""

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Any:  # type: ignore[misc]
        if data is None:
            data = from_host(np.empty(0, dtypes.to_numpy(dtypes.get_default_dtype())))
        if not isinstance(data, Tensor):
            raise AttributeError(f"'{type(data).__name__}' object has no attribute 'detach'")
        if requires_grad is not True and requires_grad is not False:
            raise TypeError(
                "_make_subclass(): argument 'require_grad' (position 3) must be bool, not "
                f"{type(requires_grad).__name__}"
            )
        if requires_grad and data._aval.dtype.category < dtypes.FLOAT:
            raise RuntimeError(FLOAT_GRAD_ONLY)
        kind = cls if type(data) in TENSORS else type(data)
        t = alias_of(data, kind)
        if kind is not cls:
            t._is_param = True
        t.requires_grad = requires_grad
        return t

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass


TENSORS.add(Parameter)


def alias_of(tensor: Tensor, cls: type = Tensor) -> Any:
    """Another handle on the same memory and version, with no autograd history."""
    t = new_object(cls)
    t._storage, t._aval, t._view = tensor._storage, tensor._aval, tensor._view
    if tensor._value is not None:
        t._value, t._seen = tensor._value, tensor._seen
    if tensor._counter is not None:
        t._counter = tensor._counter
    if tensor._born:
        t._born = tensor._born
    return t




def weak(tensor: Tensor) -> weakref.ref[Tensor]:
    """A weak reference to a tensor."""
    return weakref.ref(tensor)
