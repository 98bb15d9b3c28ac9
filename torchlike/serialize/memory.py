"""Storages between file and tensors: bytes that become tensors, tensors that become bytes."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .. import ops
from ..core import dtypes
from ..core.device import CPU, META, device, resolve
from ..core.geometry import View, contiguous_stride, geometry, is_contiguous, is_dense
from ..core.parameter import alias_of
from ..core.storage import address_of
from ..core.tensor import Tensor, from_host, to_host
from ..ops.memory import TypedStorage as KernelTypedStorage
from ..ops.memory import UntypedStorage


class StorageType:
    """A storage class of PyTorch's: only its dtype and its name are left of it."""

    def __init__(self, name: str, dtype: dtypes.dtype, module: str = "torch") -> None:
        self.name, self.dtype, self.module = name, dtype, module

    def __str__(self) -> str:
        return f"StorageType(dtype={self.dtype})"


# Dtypes that have a storage class; PyTorch stores the younger ones as bytes and a dtype.
STORAGE_TYPES = {
    dtype: StorageType(f"{name}Storage", dtype)
    for dtype, name in {
        dtypes.float64: "Double", dtypes.float32: "Float", dtypes.float16: "Half",
        dtypes.int64: "Long", dtypes.int32: "Int", dtypes.int16: "Short", dtypes.int8: "Char",
        dtypes.uint8: "Byte", dtypes.bool_: "Bool", dtypes.bfloat16: "BFloat16",
        dtypes.complex128: "ComplexDouble", dtypes.complex64: "ComplexFloat",
    }.items()
}  # fmt: skip
UNTYPED = StorageType("UntypedStorage", dtypes.uint8, "torch.storage")


class Memory(UntypedStorage):
    """The bytes behind tensors: read from a file, or those of a tensor that is being saved.

    The first tensor made over it decides how the memory is laid out for JAX; others are views.
    """

    device: Any = CPU

    def __init__(self, data: np.ndarray | None, where: device = CPU, base: Any = None) -> None:
        self.data, self.device, self.base = data, where, base
        self.pending = False  # whether the bytes come later: see fill

    @property
    def _base(self) -> Tensor:  # type: ignore[override]
        if self.base is None:
            self.base = self.tensor(dtypes.uint8, 0, (self.nbytes(),), (1,))
        return self.base

    @classmethod
    def of(cls, tensor: Tensor) -> Memory:
        """The whole memory that a tensor looks at."""
        base = alias_of(tensor)
        if base._view is not None:
            whole, stride = base._view.base_aval, base._view.base_stride
            base._aval, base._view, base._value = whole, None, None
            if stride is not None:
                base._view = View(geometry(tuple(whole.shape), stride, 0), (), whole, stride)
        return cls(None, tensor.device, base)

    def data_ptr(self) -> int:
        """A number that tells this memory from every other one alive."""
        return id(self) if self.base is None else address_of(self.base._storage)

    _cdata = property(data_ptr)

    def nbytes(self) -> int:
        if self.data is not None:
            return self.data.nbytes
        at = self.base.geometry()
        return _extent(at.shape, at.stride) * self.base.itemsize

    def read(self) -> np.ndarray:
        """All bytes, in the order they have in memory."""
        if self.data is not None:
            return self.data
        array, at = to_host(self.base), self.base.geometry()
        if at.contiguous:
            return np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        flat = np.zeros(_extent(at.shape, at.stride), array.dtype)
        strides = [step * array.itemsize for step in at.stride]
        as_strided(flat, array.shape, strides)[...] = array
        return flat.view(np.uint8)

    def fill(self, data: np.ndarray) -> None:
        """The bytes became known after tensors were made: all of them read these from now on."""
        self.data, self.pending = data, False
        if self.base is not None and self.device is not META:
            at = self.base.geometry()
            filled = self._first(self.base.dtype, 0, at.shape, at.stride)
            self.base._storage.value = filled._storage.value

    def clone(self) -> Memory:
        """A copy with its own memory."""
        return Memory(self.read().copy(), self.device)

    def to(self, device: Any = None) -> Memory:
        """The same bytes on another device."""
        return Memory(self.data, resolve(device))

    def cpu(self) -> Memory:
        return self.to("cpu")

    def cuda(self, device: Any = None) -> Memory:
        return self.to(f"cuda:{device}" if isinstance(device, int) else device or "cuda")

    def size(self) -> int:
        return self.nbytes()

    __len__ = size

    def to_bytes(self) -> bytes:
        return self.read().tobytes()

    def tensor(self, dtype: dtypes.dtype, offset: int, size: Any, stride: Any) -> Tensor:
        """A view of the memory. Its bounds have been checked."""
        if self.device is META:
            return ops.empty_strided(size, stride, dtype=dtype, device=META)
        if self.base is None:
            self.base = self._first(dtype, offset, size, stride)
        base, at = self.base, self.base.geometry()
        if base.dtype is not dtype:
            raise NotImplementedError(f"one memory as {base.dtype} and as {dtype} is not supported")
        if (tuple(at.shape), at.stride, 0) == (size, stride, offset):
            return alias_of(base)
        # Only the handle: the tensor is a leaf of its own, not a view in autograd's sense.
        if prod(size):
            return alias_of(_look(base, offset, size, stride))
        seen = alias_of(_look(base, 0, size, contiguous_stride(size)))
        # An empty view may lie anywhere, even outside: only its own word tells where.
        view = seen._view or View(at, (), base._aval, None)
        where = geometry(size, stride, offset)
        seen._view = View(where, view.steps, view.base_aval, view.base_stride)
        return seen

    def _first(self, dtype: dtypes.dtype, offset: int, size: Any, stride: Any) -> Tensor:
        """What the memory hangs on: this tensor if it covers it all, else all of it in a row."""
        flat = self.data.view(dtypes.to_numpy(dtype))
        if offset or not is_dense(size, stride) or prod(size) != flat.size:
            size, stride = (flat.size,), (1,)
        order = sorted(range(len(size)), key=lambda i: (-stride[i], -size[i]))
        array = flat.reshape([size[i] for i in order])
        array = np.ascontiguousarray(array.transpose(np.argsort(order).tolist()))
        tensor = from_host(array.reshape(size), self.device)
        if not is_contiguous(size, stride) or stride != contiguous_stride(size):
            tensor._view = View(geometry(size, stride, 0), (), tensor._aval, stride)
        return tensor


def _look(base: Tensor, offset: int, size: Any, stride: Any) -> Tensor:
    """The view of a whole memory with that geometry, by the cheapest ops that make it."""
    if base.is_contiguous() and stride == contiguous_stride(size):
        return base.view(-1).narrow(0, offset, prod(size)).view(size)
    if 0 in stride:
        # Expanding costs nothing however large the result; positions would cost memory.
        once = tuple(n if s or not n else 1 for n, s in zip(size, stride))
        return base.as_strided(once, stride, offset).expand(size)
    return base.as_strided(size, stride, offset)


def _extent(shape: Any, stride: Any) -> int:
    """Elements from the first to the last of that geometry."""
    return 0 if 0 in shape else 1 + sum((n - 1) * s for n, s in zip(shape, stride))


class TypedStorage(KernelTypedStorage):
    """Memory, and the dtype it is stored as."""

    def __init__(
        self, memory: Memory, dtype: dtypes.dtype, start: int = 0, untyped: bool = False
    ) -> None:
        self.memory, self.dtype, self.start = memory, dtype, start
        self.kind = UNTYPED if untyped else STORAGE_TYPES[dtype]  # the class that files name

    device = property(lambda self: self.memory.device)

    def data_ptr(self) -> int:
        return self.memory.data_ptr()

    def nbytes(self) -> int:
        return self.memory.nbytes()

    def size(self) -> int:
        """The number of elements."""
        return self.memory.nbytes() // self.dtype.itemsize

    __len__ = size

    def to_bytes(self) -> bytes:
        return self.memory.to_bytes()

    @property
    def _base(self) -> Tensor:  # type: ignore[override]
        return self.memory.tensor(self.dtype, self.start, (self.size() - self.start,), (1,))

    def clone(self) -> TypedStorage:
        """A copy with its own memory."""
        return TypedStorage(self.memory.clone(), self.dtype, self.start)

    def untyped(self) -> Memory:
        return self.memory

    def __repr__(self) -> str:
        lines = "".join(f" {value}\n" for value in self.tolist())
        kind = f"dtype={self.dtype}, device={self.memory.device}"
        return f"{lines}[torch.storage.TypedStorage({kind}) of size {self.size()}]"

    def __reduce__(self) -> Any:
        # Plain pickle knows no persistent ids: the bytes go along, as PyTorch sends them.
        return _load_bytes, (self.memory.read().tobytes(), self.dtype)


def _load_bytes(data: bytes, dtype: dtypes.dtype) -> TypedStorage:
    return TypedStorage(Memory(np.frombuffer(bytearray(data), np.uint8)), dtype)
