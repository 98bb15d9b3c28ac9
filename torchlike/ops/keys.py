"""torch._C.DispatchKey and its sets, as far as Python code that registers ops names them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

# Order is that in which a set prints them.
_NAMES = """
Undefined Dense CPU CUDA Meta PrivateUse1 Quantized Sparse SparseCsr NestedTensor BackendSelect
Python Conjugate Negative ZeroTensor ADInplaceOrView AutogradOther AutogradCPU AutogradCUDA
AutogradMeta AutogradPrivateUse1 AutogradNestedTensor AutocastCPU AutocastMPS AutocastXPU
AutocastIPU AutocastHPU AutocastPrivateUse1 AutocastCUDA FuncTorchBatched FuncTorchVmapMode
FuncTorchGradWrapper Functionalize PythonDispatcher PreDispatch Autograd CompositeImplicitAutograd
CompositeExplicitAutograd CompositeExplicitAutogradNonFunctional
""".split()


class _Key(Enum):
    def __repr__(self) -> str:
        return str(self)


DispatchKey = _Key("DispatchKey", _NAMES)
DispatchKey.__module__ = "torch._C"


class DispatchKeySet:
    """A set of dispatch keys."""

    def __init__(self, *keys: _Key) -> None:
        self._keys = frozenset(keys)

    def __or__(self, other: DispatchKeySet) -> DispatchKeySet:
        return DispatchKeySet(*self._keys | other._keys)

    def __and__(self, other: DispatchKeySet) -> DispatchKeySet:
        return DispatchKeySet(*self._keys & other._keys)

    def __sub__(self, other: DispatchKeySet) -> DispatchKeySet:
        return DispatchKeySet(*self._keys - other._keys)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DispatchKeySet) and self._keys == other._keys

    def __hash__(self) -> int:
        return hash(self._keys)

    def has(self, key: _Key) -> bool:
        """Whether a key is in the set."""
        return key in self._keys

    def add(self, key: _Key) -> DispatchKeySet:
        """The set with one more key."""
        return DispatchKeySet(*self._keys, key)

    def remove(self, key: _Key) -> DispatchKeySet:
        """The set without a key."""
        return DispatchKeySet(*self._keys - {key})

    def __repr__(self) -> str:
        return f"DispatchKeySet({', '.join(k.name for k in DispatchKey if k in self._keys)})"


DispatchKeySet.__module__ = "torch._C"


class _Excluded(threading.local):
    """Names of the keys that calls pass over."""

    names: frozenset[str] = frozenset()


EXCLUDED = _Excluded()


@contextmanager
def excluding(keys: DispatchKeySet) -> Iterator[None]:
    """Inside, calls of ops pass over what was registered for these keys."""
    before = EXCLUDED.names
    EXCLUDED.names = before | {key.name for key in keys._keys}
    try:
        yield
    finally:
        EXCLUDED.names = before
