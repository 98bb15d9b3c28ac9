"""Storage objects: the memory behind a tensor, as bytes or as elements."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core import dtypes
from ..core.check import unsupported
from ..core.mutate import set_host
from ..core.storage import read_numpy
from ..core.tensor import Tensor, from_host, from_shared
from .shape import whole


class UntypedStorage:
    """The bytes behind a tensor: their number, address and values. Of an int: fresh memory."""

    dtype: Any = dtypes.uint8
    is_cuda = is_sparse = False
    _mapped: np.ndarray | None = None  # the bytes of a mapped file

    def __init__(self, source: Tensor | int = 0) -> None:
        fresh = not isinstance(source, Tensor)
        made = from_host(np.zeros(source, self.dtype.np)) if fresh else source.detach()  # type: ignore
        self._base: Tensor = whole(made)

    @classmethod
    def from_file(cls, filename: Any, shared: bool = False, nbytes: int = 0) -> UntypedStorage:
        """The first `nbytes` of a file, mapped; with `shared` what is written reaches it."""
        mode = "r+" if shared else "c"
        mapped = np.memmap(filename, np.uint8, mode, 0, (nbytes,))
        made = cls(from_shared(mapped))
        made._mapped = np.asarray(mapped)
        return made

    def untyped(self) -> UntypedStorage:
        """Itself."""
        return self

    def data_ptr(self) -> int:
        """The memory's address, as in Tensor.data_ptr."""
        return self._base.data_ptr()

    _cdata = property(data_ptr)

    def nbytes(self) -> int:
        """The number of bytes."""
        return self._base.nbytes

    def size(self) -> int:
        """The number of elements."""
        return self.nbytes() // self.element_size()

    def __len__(self) -> int:
        return self.size()

    def element_size(self) -> int:
        """Bytes per element."""
        return self.dtype.itemsize

    @property
    def device(self) -> Any:
        return self._base.device

    def is_pinned(self, device: Any = None) -> bool:
        """Whether the memory is pinned: never."""
        return False

    def is_shared(self) -> bool:
        """Whether other processes can look at the memory."""
        return self._base.is_shared()

    def share_memory_(self) -> Any:
        """Moves to memory that other processes can look at."""
        self._base.share_memory_()
        return self

    def type(self) -> str:
        """The class's name."""
        return "torch.storage.UntypedStorage"

    # ----- elements -----
    def _order(self) -> list[int]:
        at = self._base.geometry()
        return sorted(range(len(at.shape)), key=lambda i: -at.stride[i])

    def _elements(self) -> np.ndarray:
        """A copy of the elements, as they lie in memory."""
        array = read_numpy(self._base._value_now()).transpose(self._order())
        return np.frombuffer(bytearray(array.tobytes()), dtypes.to_numpy(self.dtype))

    def _write(self, elements: np.ndarray) -> None:
        order, at = self._order(), self._base.geometry()
        flat = elements.view(self._base._aval.np)
        array = flat.reshape([at.shape[i] for i in order]).transpose(np.argsort(order))
        set_host(self._base, np.ascontiguousarray(array).reshape(at.shape))

    def to_bytes(self) -> bytes:
        """The bytes as they lie in memory."""
        return self._elements().tobytes()

    def tolist(self) -> list[Any]:
        """The elements as Python numbers."""
        return self._elements().tolist()

    def __iter__(self) -> Iterator[Any]:
        return iter(self.tolist())

    def __getitem__(self, at: Any) -> Any:
        """A number; a slice of mapped bytes is a NumPy view of them, which copies nothing."""
        if isinstance(at, slice) and type(self) is UntypedStorage and self._mapped is not None:
            return self._mapped[at]
        return self.tolist()[at]

    def __setitem__(self, at: Any, value: Any) -> None:
        elements = self._elements()
        elements[at] = value
        self._write(elements)

    def fill_(self, value: Any) -> Any:
        """Write one value everywhere."""
        self[:] = value
        return self

    def copy_(self, source: UntypedStorage, non_blocking: bool = False) -> Any:
        """Write another storage's elements."""
        self[:] = source._elements()
        return self

    def clone(self) -> Any:
        """A copy with its own memory."""
        made = object.__new__(type(self))
        made.dtype = self.dtype
        made._base = from_host(self._elements())
        return made

    def resize_(self, size: int) -> Any:
        """Not supported: memory here belongs to values of fixed shape."""
        raise unsupported("UntypedStorage.resize_", "size", size)

    def cpu(self) -> Any:
        """The storage itself, or a copy on the CPU."""
        return self if self.device.type == "cpu" else self.clone()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UntypedStorage) and self._base._storage is other._base._storage

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        values = "\n ".join(map(str, self.tolist()))
        return f" {values}\n[{self._name()}(device={self.device}) of size {len(self)}]"

    def _name(self) -> str:
        return "torch.storage.UntypedStorage"


class TypedStorage(UntypedStorage):
    """The elements behind a tensor."""

    def __init__(self, source: Tensor | int = 0) -> None:
        self.dtype = source.dtype if isinstance(source, Tensor) else dtypes.get_default_dtype()
        super().__init__(source)

    def untyped(self) -> UntypedStorage:
        """The bytes."""
        return UntypedStorage(self._base)

    def type(self) -> str:
        """The legacy class's name."""
        return "torch." + self.dtype.legacy.replace("Tensor", "Storage")

    def __repr__(self) -> str:
        values = "\n ".join(map(str, self.tolist()))
        kind = f"dtype={self.dtype}, device={self.device}"
        return f" {values}\n[torch.storage.TypedStorage({kind}) of size {len(self)}]"
