"""What saved-tensor hooks make of a node's saved tensors."""

from __future__ import annotations

from typing import Any

from .check import FREED_HOOKS
from .storage import Value
from .tensor import Tensor, counter_of, wrap

PACKED_INPLACE = (
    "A saved tensor pack hook is modifying its input in place. Tensors provided as input to pack "
    "hook cannot be modified by in-place operations as this can lead to unexpected side-effects. "
    "Please open an issue if you need to perform in-place operations on the input to a pack hook."
)


class SavedTensor:
    """What `grad_fn._raw_saved_…` gives: one saved tensor, which hooks may be put on."""

    __module__ = "torch._C._autograd"

    def __init__(self, node: Any, at: int) -> None:
        self._node, self._at = node, at

    def register_hooks(self, pack_hook: Any, unpack_hook: Any) -> None:
        """Pack the tensor now, and unpack it when it is needed."""
        saved = self._node.saved
        if saved is None:
            raise RuntimeError(FREED_HOOKS)
        if isinstance(saved[self._at], Packed):
            raise RuntimeError(
                "Calling register_hooks on a saved tensor whose hooks have already been set. Hint: "
                "only one pair of hooks is allowed at a time."
            )
        packed = Packed(wrap(saved[self._at]), (pack_hook, unpack_hook))
        self._node.saved = (*saved[: self._at], packed, *saved[self._at + 1 :])
        self._node.versions = [v for v in self._node.versions if v[2] != self._at]
        self._node.packed = True


class Packed:
    """A saved tensor as `saved_tensors_hooks` packed it."""

    __slots__ = ("item", "unpack")

    def __init__(self, t: Tensor, hooks: Any) -> None:
        pack, self.unpack = hooks
        if not callable(pack):
            raise RuntimeError(pack)  # disable_saved_tensors_hooks' message
        before = int(counter_of(t).version)  # as a number: NumPy may look at it (`Unwatched`)
        self.item = pack(t)
        if int(counter_of(t).version) != before:
            raise RuntimeError(PACKED_INPLACE)

    def value(self) -> Value:
        t = self.unpack(self.item)
        if not isinstance(t, Tensor):
            raise TypeError(
                "Output of saved tensor unpack_hook expected to be a Tensor but got result of type "
                + type(t).__name__
            )
        return t._value_now()
