"""Memory: what a value is, the cell that holds one, and the geometry of views on it.

A Value is an immutable array, computed or still pending in a trace. A Storage is a cell holding
the current Value of some memory, and its version. A View says how a tensor looks at its storage.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable
from math import prod
from typing import Any

import jax
import numpy as np

from .device import CPU, META, device, to_jax
from .dtypes import dtype, from_numpy, to_numpy

Shape = tuple[int, ...]


class Size(tuple):
    """A tensor's shape: a tuple that prints and slices as `torch.Size`."""

    __slots__ = ()
    __module__ = "torch"

    def __repr__(self) -> str:
        return f"torch.Size([{', '.join(map(str, self))}])"

    def __getitem__(self, at: Any) -> Any:
        found = tuple.__getitem__(self, at)
        return Size(found) if isinstance(at, slice) else found

    def __add__(self, other: Any) -> Any:
        if not isinstance(other, tuple):
            return NotImplemented
        return Size(tuple.__add__(self, other))

    def __radd__(self, other: Any) -> Any:
        if not isinstance(other, tuple):
            return NotImplemented
        return Size(tuple.__add__(other, self))

    def __mul__(self, times: Any) -> Size:
        return Size(tuple.__mul__(self, times))

    __rmul__ = __mul__

    def __reduce__(self) -> tuple[Any, ...]:
        return (_size, (tuple(self),))  # plain pickle needs no module called torch

    def numel(self) -> int:
        """The number of elements of a tensor of this shape."""
        return prod(self)


def _size(values: tuple[int, ...]) -> Size:
    return Size(values)


# ----- abstract values -----
class Aval:
    """Shape, dtype and device of a value. Interned: equal ones are the same object."""

    __slots__ = ("shape", "dtype", "device", "ndim", "size", "np", "struct")

    def __init__(self, shape: Shape, kind: dtype, where: device) -> None:
        self.shape, self.dtype, self.device = Size(shape), kind, where
        self.ndim, self.size, self.np = len(shape), prod(shape), to_numpy(kind)
        if self.size * self.np.itemsize >= 1 << 63:  # XLA would end the process
            raise RuntimeError(f"Storage size calculation overflowed with sizes={list(shape)}")
        self.struct = jax.ShapeDtypeStruct(tuple(shape), self.np)

    def __repr__(self) -> str:
        return f"{self.dtype.name}[{','.join(map(str, self.shape))}]"


_AVALS: dict[tuple[Shape, dtype, device], Aval] = {}


def aval_of(shape: Shape, kind: dtype, where: device = CPU) -> Aval:
    """The interned Aval of a shape, dtype and device."""
    found = _AVALS.get((shape, kind, where))
    if found is None:
        # setdefault: two threads may make one at once, and identity is what plans are keyed by
        found = _AVALS.setdefault((shape, kind, where), Aval(shape, kind, where))
    return found


# ----- values -----
OWNED, SHARED = 0, -1  # a computed Value's slot: may its buffer be donated?


class Value:
    """An immutable array. `trace` is None once it is computed; `slot` is its place in the trace."""

    __slots__ = ("aval", "array", "trace", "slot", "__weakref__")

    aval: Aval
    array: Any
    trace: Any
    slot: int


_new_value = Value.__new__


def concrete(array: Any, aval: Aval, slot: int = OWNED) -> Value:
    """A computed Value."""
    v = _new_value(Value)
    v.aval, v.array, v.trace, v.slot = aval, array, None, slot
    return v


def host_value(array: np.ndarray, where: device = CPU) -> Value:
    """A computed Value that takes over a NumPy array nobody else writes to."""
    v = concrete(array, aval_of(array.shape, from_numpy(array.dtype), where))
    if where.type != "cpu" and where is not META:
        v.array = jax.device_put(array, to_jax(where))
    return v


# ----- storage -----
class Unwatched(int):
    """A version after writes that PyTorch does not count (`.data`, NumPy): as a number it is equal
    to the one before, but it differs, so that whoever saved the memory looks at it again.
    """

    def __ne__(self, other: object) -> bool:
        return self is not other

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = int.__hash__


_addresses = itertools.count(0x5500_0000_0000, 64)


class Storage:
    """The memory behind one or more tensors: a cell with its current Value and a version."""

    __slots__ = (
        "value", "version", "address", "host", "exported", "pin", "seen", "writer", "__weakref__",
    )  # fmt: skip

    value: Value  # a plain slot, read on the hot path; HostStorage overrides it with a snapshot
    version: int
    writer: tuple[int, str, int, Aval]  # of the last recorded write: output, node, new version
    address: int  # made up on first use, to tell memories apart; that of `pin` once there is one
    host: np.ndarray | None  # memory shared with NumPy: then this array is the value
    exported: weakref.ref[Any] | None  # NumPy's hold on it; None: held for good (from_numpy)
    pin: np.ndarray  # what lies at `address`: it is `host` while it must be up to date
    seen: Value  # what the pin was found to hold


_value_slot: Any = Storage.__dict__["value"]
_version_slot: Any = Storage.__dict__["version"]


class HostStorage(Storage):
    """Storage whose memory NumPy sees too: reading takes a snapshot, writing copies into it."""

    __slots__ = ()

    @property
    def value(self) -> Value:  # type: ignore[override]
        host = self.host
        if self.exported is not None and self.exported() is None:
            return self.release()
        assert host is not None
        if not is_pinned(self):
            return host_value(np.array(host, order="C"))
        if not _holds(host, getattr(self, "seen", None)):
            self.seen = host_value(np.array(host, order="C"))
        return self.seen

    @value.setter
    def value(self, new: Value) -> None:
        if self.exported is not None and self.exported() is None:
            self.release()
            self.value = new
            return
        assert self.host is not None
        self.host[...] = read_numpy(new)
        if is_pinned(self):
            self.seen = new

    @property
    def version(self) -> int:  # type: ignore[override]
        return Unwatched(_version_slot.__get__(self))

    @version.setter
    def version(self, new: int) -> None:
        _version_slot.__set__(self, new)

    def release(self) -> Value:
        """Nobody outside holds the memory any more: be an ordinary storage again, or pinned."""
        if is_pinned(self):
            self.exported = None
            return self.value
        value = host_value(np.ascontiguousarray(self.host).reshape(self.host.shape))  # type: ignore[union-attr]
        self.host = self.exported = None
        self.__class__ = Storage  # type: ignore[assignment]
        self.value = value
        return value


_new_storage = Storage.__new__


def storage_of(value: Value) -> Storage:
    """A fresh Storage holding `value`."""
    s = _new_storage(Storage)
    s.value = value
    s.version = 0
    return s


def address_of(s: Storage) -> int:
    """A number that tells this memory from every other one alive."""
    try:
        return s.address
    except AttributeError:
        s.address = next(_addresses)
        return s.address


class _Export:
    """Owner of memory handed out to NumPy; its death tells that no array looks at it any more."""

    __slots__ = ("memory", "__array_interface__", "__weakref__")

    def __init__(self, memory: np.ndarray) -> None:
        self.memory, self.__array_interface__ = memory, memory.__array_interface__


def export(s: Storage, layout: Shape | None) -> np.ndarray:
    """The storage's memory as a writable NumPy array in the base's shape, shared both ways."""
    if isinstance(s, HostStorage):
        owner = None if s.exported is None else s.exported()
        if owner is not None:
            return _array_over(owner)
        if s.exported is not None:
            s.release()
        elif not is_pinned(s):
            assert s.host is not None
            return s.host
    owner = _Export(_host_of(s, layout))
    s.exported = weakref.ref(owner)
    return _array_over(owner)


def _host_of(s: Storage, layout: Shape | None) -> np.ndarray:
    """The storage's memory, made NumPy's: where it was pinned once it lies again."""
    if s.__class__ is not HostStorage:
        array, pin = np.asarray(read_numpy(s.value)), getattr(s, "pin", None)
        memory = _laid_out(array, layout)
        if pin is not None and (pin.shape, pin.strides) == (memory.shape, memory.strides):
            pin[...] = memory
            memory = pin
        s.host, s.exported = memory, None
        _value_slot.__set__(s, None)
        s.__class__ = HostStorage
    assert s.host is not None
    return s.host


# ----- memory whose address is known -----
def pinned_address(s: Storage, layout: Shape | None) -> int:
    """Where the memory lies, for code that reads or writes it through a pointer."""
    if s.__class__ is not HostStorage or s.exported is not None:
        s.pin = _host_of(s, layout)
        s.address = s.pin.__array_interface__["data"][0]
    return s.address


def is_pinned(s: Storage) -> bool:
    """Whether the storage is NumPy's because its address was told."""
    return s.host is not None and getattr(s, "pin", None) is s.host


def let_go(s: Storage) -> None:
    """Before a step changes it: memory that was pinned, and that no array looks at, is ordinary
    again. Its address stays, and with it what lies there, which is old from now on.
    """
    if s.__class__ is HostStorage and is_pinned(s):
        value = s.value
        if s.exported is None:
            s.host = None
            del s.seen
            s.__class__ = Storage  # type: ignore[assignment]
            s.value = value


def _holds(memory: np.ndarray, value: Value | None) -> bool:
    """Whether memory has a value's bytes; a look takes a third of a copy's time."""
    if value is None or not memory.flags.c_contiguous:
        return False
    found, known = (np.ravel(a).view(np.uint8) for a in (memory, np.asarray(value.array)))
    if len(found) % 8 == 0:
        found, known = found.view(np.uint64), known.view(np.uint64)
    return np.array_equal(found, known)


def _array_over(owner: _Export) -> np.ndarray:
    array = np.asarray(owner)
    # ml_dtypes have no array-interface code: they travel as raw bytes
    return array if array.dtype == owner.memory.dtype else array.view(owner.memory.dtype)


def _laid_out(array: np.ndarray, stride: Shape | None) -> np.ndarray:
    if stride is None:
        return np.array(array, order="C")
    order = sorted(range(array.ndim), key=lambda i: -stride[i])
    inverse = np.argsort(order)
    return np.array(array.transpose(order), order="C").transpose(inverse)


def relocate(s: Storage, layout: Shape | None, memory: Any) -> None:
    """The storage's elements move to a buffer that is theirs for good; arrays that looked at the
    old memory keep that."""
    old = _host_of(s, layout)
    s.host = np.ndarray(old.shape, old.dtype, memory, 0, old.strides)
    s.host[...] = old
    s.exported = None
    s.address = s.host.__array_interface__["data"][0]


def adopt(array: np.ndarray) -> Storage:
    """A Storage over a NumPy array somebody else holds: shared for good."""
    s = _new_storage(HostStorage)
    s.host, s.exported, s.version = array, None, 0
    _value_slot.__set__(s, None)
    s.address = array.__array_interface__["data"][0]
    return s


def read_numpy(v: Value) -> np.ndarray:
    """The value as a NumPy array not to be written to; computes it if it is pending."""
    if v.trace is not None:
        FLUSH[0](v)
    if v.array is None:
        raise NotImplementedError("Cannot copy out of meta tensor; no data!")
    if v.array.__class__ is not np.ndarray:
        v.slot = SHARED  # NumPy may look into the buffer from now on: never donate it
    return np.asarray(v.array)


def read_jax(v: Value) -> Any:
    """The value as a `jax.Array` or tracer; computes it if it is pending."""
    if v.trace is not None and not is_traced(v):
        FLUSH[0](v)
    if v.array is None:
        raise NotImplementedError("Cannot copy out of meta tensor; no data!")
    if v.array.__class__ is np.ndarray:
        v.array = jax.device_put(v.array, to_jax(v.aval.device))
    v.slot = SHARED
    return v.array


class _Inline:
    """The trace of values that hold JAX tracers: their ops run at once, inside JAX's own trace."""


INLINE = _Inline()
FLUSH: list[Callable[[Value], None]] = []  # core.record puts its flush here


def is_traced(v: Value) -> bool:
    """Whether the value holds a JAX tracer."""
    return v.trace is INLINE


def traced(array: Any, where: device = CPU) -> Value:
    """A Value around a JAX tracer."""
    v = concrete(array, aval_of(tuple(array.shape), from_numpy(array.dtype), where), SHARED)
    v.trace = INLINE
    return v


