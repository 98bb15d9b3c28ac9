"""torch.autograd.Variable: the old name of Tensor."""

from __future__ import annotations

from typing import Any

from ..core.parameter import alias_of
from ..core.tape import no_grad
from ..core.tensor import Tensor


class VariableMeta(type):
    """`isinstance(t, Variable)` holds for every Tensor."""

    def __instancecheck__(cls, other: Any) -> bool:
        return isinstance(other, Tensor)


class Variable(metaclass=VariableMeta):
    """`Variable(tensor, requires_grad, volatile)` gives a Tensor over the same memory."""

    def __new__(cls, data: Tensor, requires_grad: bool = False, volatile: bool = False) -> Any:
        with no_grad():
            t = alias_of(data)
        return t.requires_grad_(requires_grad and not volatile)  # type: ignore[attr-defined]
