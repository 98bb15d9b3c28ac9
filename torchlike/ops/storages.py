"""Storage objects: the memory behind a tensor, as bytes or as elements."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..core import dtypes
from ..core.check import unsupported, warn
from ..core.device import device as Device
from ..core.mutate import set_host
from ..core.storage import read_numpy
from ..core.tensor import Tensor, from_host, from_shared
from .shape import whole


def _fresh(source: Any, kind: Any) -> np.ndarray:
    """Memory of so many elements (zeros), or of the elements of a sequence."""
    if not hasattr(source, "__index__"):
        return np.array(list(source)).astype(kind.np)
    if (count := source.__index__()) < 0:
        raise RuntimeError(f"alloc_cpu() seems to have been called with negative number: {count}")
    return np.zeros(count, kind.np)


class UntypedStorage:
    """The bytes behind a tensor: their number, address and values. Of an int: fresh memory; of a
    sequence of ints: those bytes."""

    dtype: Any = dtypes.uint8
    is_cuda = is_sparse = False
    _mapped: np.ndarray | None = None  # the bytes of a mapped file

    def __init__(self, source: Tensor | Sequence[int] | int = 0, *, device: Any = None) -> None:
        if device is not None and Device(device).type != "cpu":
            raise unsupported(type(self).__name__, "device", device)
        if isinstance(source, Tensor):
            made = source.detach()  # type: ignore[attr-defined]
        else:
            self._check(source)
            made = from_host(_fresh(source, self.dtype))
        self._base: Tensor = whole(made)

    def _check(self, source: Any) -> None:
        """RuntimeError unless it is a size or a sequence of ints."""
        name = "torch.UntypedStorage()"
        if hasattr(source, "__index__"):
            return
        if not isinstance(source, Sequence):
            raise RuntimeError(f"{name}: Expected a sequence type, but got {type(source).__name__}")
        for item in source:
            if not hasattr(item, "__index__"):
                raise RuntimeError(
                    f"{name}: tried to construct a storage from a sequence "
                    f"({type(source).__name__}), but one of the items was of type "
                    f"{type(item).__name__} instead of int"
                )

    @classmethod
    def from_buffer(
        cls, buffer: Any, byte_order: str = "native", *, dtype: Any = None, count: int = -1,
        offset: int = 0,
    ) -> UntypedStorage:  # fmt: skip
        """A copy of a buffer's bytes; of another byte order, turned into the machine's."""
        raw = np.frombuffer(buffer, dtypes.to_numpy(dtype), count, offset).copy()
        if byte_order not in ("native", sys.byteorder):
            raw = raw.byteswap()
        return cls(from_host(raw.view(np.uint8)))

    def byteswap(self, dtype: Any) -> None:
        """Turn round the bytes of each element of this dtype."""
        self._write(self._elements().view(dtypes.to_numpy(dtype)).byteswap().view(np.uint8))

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
        self._check_place(at)
        return self.tolist()[at]

    def _check_place(self, at: Any) -> None:
        if isinstance(at, slice):
            raise NotImplementedError(f"{type(self).__name__}[...]: slices are not supported")
        if not hasattr(at, "__index__"):
            raise TypeError(f"can't index a {self._name()} with {type(at).__name__}")
        if not -len(self) <= at < len(self):
            raise IndexError(f"index {at} out of range for storage of size {len(self)}")

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
        what = f"torch.storage.UntypedStorage(device={self.device})"
        return f" {values}\n[{what} of size {len(self)}]"

    def _name(self) -> str:
        return f"torch.{type(self).__name__}"


_REMOVAL = (
    "TypedStorage is deprecated. It will be removed in the future and UntypedStorage will be the "
    "only storage class. This should only matter to you if you are using storages directly.  To "
    "access UntypedStorage directly, use tensor.untyped_storage() instead of tensor.storage()"
)
_told = {"removal": False}


def tell_removal() -> None:
    """Warns that TypedStorage goes: once."""
    if not _told["removal"]:
        _told["removal"] = True
        warn(_REMOVAL)


class TypedStorage(UntypedStorage):
    """The elements behind a tensor; of a size or a sequence: elements of `dtype`."""

    def __init__(
        self, source: Any = 0, *, wrap_storage: Any = None, dtype: Any = None, device: Any = None
    ) -> None:
        if wrap_storage is not None:
            if dtype is None:
                raise RuntimeError(
                    "TypedStorage.__init__ received an invalid combination of arguments: "
                    "wrap_storage needs a dtype"
                )
            self.dtype, self._base = dtype, wrap_storage._base
            return
        if not isinstance(source, Tensor):
            tell_removal()
        own = source.dtype if isinstance(source, Tensor) else dtypes.get_default_dtype()
        self.dtype = dtype or own
        super().__init__(source, device=device)

    def _check(self, source: Any) -> None:
        fits = hasattr(source, "__index__") or isinstance(source, Sequence)
        if isinstance(source, str) or not fits:
            raise TypeError(f"new(): invalid data type '{type(source).__name__}'")

    def pickle_storage_type(self) -> str:
        """The name of the legacy class that files have."""
        return self.dtype.legacy.replace("Tensor", "Storage")

    def untyped(self) -> UntypedStorage:
        """The bytes."""
        return UntypedStorage(self._base)

    def type(self, dtype: Any = None, non_blocking: bool = False) -> Any:
        """The legacy class's name; given a class or its name, a copy of the elements for it."""
        if dtype is not None:
            name = dtype if isinstance(dtype, str) else dtype.__name__
            return _converted(LEGACY_STORAGES[name.removeprefix("torch.")].dtype)(self)
        found = storage_class(self.dtype)
        return f"{found.__module__}.{found.__name__}"

    def __repr__(self) -> str:
        values = "\n ".join(map(str, self.tolist()))
        kind = f"dtype={self.dtype}, device={self.device}"
        return f" {values}\n[torch.storage.TypedStorage({kind}) of size {len(self)}]"


def _converted(kind: dtypes.dtype) -> Any:
    def convert(self: TypedStorage) -> TypedStorage:
        elements = self._elements().astype(dtypes.to_numpy(kind))
        return TypedStorage(from_host(elements))

    convert.__doc__ = f"A copy with elements of {kind}."
    return convert


class _LegacyMeta(type):
    """`torch.FloatStorage` and its like: they make TypedStorages, which `isinstance` knows."""

    dtype: Any

    def __instancecheck__(cls, x: Any) -> bool:
        return isinstance(x, TypedStorage) and x.dtype is cls.dtype

    def __call__(cls, *args: Any, wrap_storage: Any = None, **named: Any) -> TypedStorage:
        wrong = "Too many positional arguments" * (len(args) > 1)
        for name in named:
            wrong = f"Keyword argument '{name}' cannot be specified"
        if args and isinstance(args[0], Tensor):
            wrong = "Argument type not recognized: Tensor"
        if wrong:
            error = TypeError if wrong.startswith("Arg") else RuntimeError
            raise error(
                f"{cls}.__new__ received an invalid combination of arguments. Expected one of:\n"
                " * no arguments\n * (int size)\n * (Sequence data)\n"
                f" * (*, UntypedStorage wrap_storage)\n{wrong}"
            )
        return TypedStorage(*args, wrap_storage=wrap_storage, dtype=cls.dtype)

    def from_buffer(cls, buffer: Any, byte_order: str = "native", **named: Any) -> TypedStorage:
        """A copy of a buffer's elements."""
        raw = UntypedStorage.from_buffer(buffer, byte_order, dtype=cls.dtype, **named)
        return TypedStorage(wrap_storage=raw, dtype=cls.dtype)


LEGACY_STORAGES: dict[str, Any] = {}
for _kind in dtypes.ALL:
    if _kind.legacy and _kind.np is not None:
        _name = _kind.legacy.replace("Tensor", "Storage")
        LEGACY_STORAGES[_name] = _LegacyMeta(_name, (), {"dtype": _kind, "__module__": "torch"})
        _name = re.sub(r"(?<=x)(?=[A-Z])", "_", _kind.legacy.removesuffix("Tensor"))
        setattr(TypedStorage, _name.lower(), _converted(_kind))
UntypedStorage.__module__ = TypedStorage.__module__ = "torch.storage"


def storage_class(kind: dtypes.dtype) -> Any:
    """The legacy class of a dtype; TypedStorage itself for the younger dtypes."""
    young = kind.name.startswith(("uint16", "uint32", "uint64", "float8"))
    return TypedStorage if young else LEGACY_STORAGES[kind.legacy.replace("Tensor", "Storage")]
