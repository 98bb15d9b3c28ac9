"""The Tensor handle: storage, view and autograd metadata. No maths: ops install their methods."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from . import dtypes
from .attributes import STATE, Fields, TensorMeta
from .attributes import fields_of as fields_of
from .check import (
    BOOL_AMBIGUOUS,
    BOOL_EMPTY,
    as_int,
    check_dim,
    no_dynamic_shape,
    no_meta_kernel,
)
from .device import CPU, META, device, resolve
from .dtypes import dtype
from .geometry import Geometry, View, contiguous_stride, geometry, is_contiguous
from .record import LOCAL, VMAP, Batch, record
from .storage import (
    Aval,
    HostStorage,
    Size,
    Storage,
    Unwatched,
    Value,
    address_of,
    adopt,
    aval_of,
    export,
    host_value,
    is_pinned,
    is_traced,
    pinned_address,
    read_jax,
    read_numpy,
    storage_of,
)

_new = object.__new__


class Step:
    """One view op of a chain: its plan, and the numbers (offsets) it was called with."""

    __slots__ = ("plan", "numbers")

    def __init__(self, plan: Any, numbers: tuple[Any, ...]) -> None:
        self.plan, self.numbers = plan, numbers

    def numpy(self, array: np.ndarray) -> np.ndarray:
        """The view of a NumPy array, sharing its memory."""
        return self.plan.fun(array, *self.numbers)[0]


_element = tuple.__getitem__  # a Size's own looks for slices first: 3 times


class Tensor(Fields, metaclass=TensorMeta):
    """A multi-dimensional array that records what is done to it."""

    # Class attributes are the defaults of a fresh tensor: making one sets two attributes.
    _storage: Storage
    _aval: Aval
    _view: View | None = None  # None: the whole storage, row-major
    _value: Value | None = None  # a view's value, derived from …
    _seen: Value | None = None  # … this value of the base
    _requires_grad: bool = False
    _grad_fn: Any = None
    _out_nr: int = 0
    _grad: Any = None
    _base_tensor: Any = None  # of a view: the tensor it is a view of (PyTorch's _base)
    _view_version: int = -1  # of a differentiable view: the base's history when grad_fn was made
    _creation: str = ""  # how a view came about, where that forbids in-place writes
    _counter: Any = None  # `.data`: a version counter apart from the storage's
    _bearer: Any = None  # of a sparse tensor: its values, whose history is the tensor's
    _accumulator: Any = None  # weak reference to a leaf's AccumulateGrad node
    _hooks: Any = None
    _post_hooks: Any = None
    _retains: bool = False
    _born: int = 0  # depth of the derivative of torch.func that the tensor was made in
    _tangents: Any = None  # {level: tangent}, in forward mode
    _inference: bool = False
    _lent: Any = None  # of a captured step's gradient: whether somebody took it
    _of_mask: Any = None  # of the positions in a mask: the mask
    __array_priority__ = 1000

    if TYPE_CHECKING:  # the table installs most methods and the operators

        def __getattr__(self, name: str) -> Any: ...

        def _operator(self, *others: Any) -> Any: ...

        __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _operator
        __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = _operator
        __pow__ = __rpow__ = __matmul__ = __rmatmul__ = __neg__ = __pos__ = __abs__ = _operator
        __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = __invert__ = _operator
        __lshift__ = __rlshift__ = __rshift__ = __rrshift__ = _operator
        __lt__ = __le__ = __gt__ = __ge__ = __getitem__ = __setitem__ = __iter__ = _operator

        def __eq__(self, other: Any) -> Any: ...
        def __ne__(self, other: Any) -> Any: ...

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls is Tensor or not args:
            return CONSTRUCT[0](cls, *args, **kwargs)
        return CONSTRUCT[0](cls, *args)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    # ----- what it is -----
    @property
    def shape(self) -> Size:
        """The sizes of the dims."""
        return self._aval.shape

    @property
    def dtype(self) -> dtype:
        """The element type."""
        return self._aval.dtype

    @property
    def device(self) -> device:
        """Where the tensor lives."""
        return self._aval.device

    @property
    def ndim(self) -> int:
        """The number of dims."""
        return self._aval.ndim

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return self._aval.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self._aval.size * self._aval.dtype.itemsize

    def dim(self) -> int:
        """The number of dims."""
        return self._aval.ndim

    ndimension = dim

    def numel(self) -> int:
        """The number of elements."""
        return self._aval.size

    nelement = numel

    def element_size(self) -> int:
        """Bytes per element."""
        return self._aval.dtype.itemsize

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of one dim."""
        shape = self._aval.shape
        if dim is None:
            return shape
        if dim.__class__ is int and -len(shape) <= dim < len(shape):
            return _element(shape, dim)
        if dim.__class__ is not int:
            dim = as_int(dim)
        if self._aval.ndim == 0:
            check_dim(dim, 0)
            raise IndexError("Dimension specified as 0 but tensor has no dimensions")
        return self._aval.shape[check_dim(dim, self._aval.ndim)]

    def geometry(self) -> Geometry:
        """Shape, strides and offset: where the elements lie in the storage."""
        view = self._view
        if view is not None:
            return view.geometry
        shape = tuple(self._aval.shape)
        return geometry(shape, contiguous_stride(shape), 0)

    def storage_offset(self) -> int:
        """Elements between the start of the storage and the first element."""
        return 0 if self._view is None else self._view.geometry.offset

    def is_contiguous(self, memory_format: Any = None) -> bool:
        """Whether the elements lie in memory in row-major (or `memory_format`) order."""
        if memory_format is not None and not str(memory_format).endswith("contiguous_format"):
            from .layouts import stride_of_format

            at = self.geometry()
            order = stride_of_format(at.shape, memory_format)
            dims = sorted(range(len(order)), key=lambda i: -order[i])
            return is_contiguous(
                tuple(at.shape[i] for i in dims), tuple(at.stride[i] for i in dims)
            )
        return self._view is None or self._view.geometry.contiguous

    def is_floating_point(self) -> bool:
        """Whether the dtype is a floating point one."""
        return self._aval.dtype.category == dtypes.FLOAT

    def is_complex(self) -> bool:
        """Whether the dtype is a complex one."""
        return self._aval.dtype.category == dtypes.COMPLEX

    def is_signed(self) -> bool:
        """Whether the dtype has negative numbers."""
        return self._aval.dtype.is_signed

    @property
    def _version(self) -> int:
        if self._inference:
            raise RuntimeError("Inference tensors do not track version counter.")
        return int(counter_of(self).version)

    @property
    def _base(self) -> Tensor | None:
        return self._base_tensor

    def _is_view(self) -> bool:
        return self._base_tensor is not None

    def data_ptr(self) -> int:
        """The address of the first element: one for all views, the same as long as memory lives.

        Code may read and write there, and ops that write in place do, until a step changes the
        memory: an optimizer's, a running mean's, a gradient's sum, a captured one. What lies at
        the address is old from then on, until `data_ptr()` is called again. On an accelerator and
        in a transform this is a number that tells memories apart.
        """
        if self._aval.size == 0:
            return 0
        if self.device.type == "meta":
            return self.storage_offset() * self.itemsize
        storage, view = self._storage, self._view
        if self.device.type == "cpu" and (
            storage.__class__ is HostStorage or not is_traced(storage.value)
        ):
            start = pinned_address(storage, None if view is None else view.base_stride)
        else:
            start = address_of(storage)
        return start + self.storage_offset() * self.itemsize

    # ----- what it holds -----
    def _value_now(self) -> Value:
        """The current Value, recorded anew if the base was written to since the last look."""
        view = self._view
        if view is None or not view.steps:
            return self._storage.value
        storage = self._storage
        if storage.__class__ is HostStorage and not is_pinned(storage):
            if storage.exported is None or storage.exported() is not None:  # type: ignore[union-attr]
                return host_value(np.array(_host_view(self), order="C"))
        base = storage.value
        if self._seen is base:
            return self._value  # type: ignore[return-value]
        value = base
        for step in view.steps:
            (value,) = record(step.plan.spec, (value, *step.numbers))
        self._value, self._seen = value, base
        return value

    def item(self) -> Any:
        """The only element, as a Python number; RuntimeError for any other count."""
        if self._aval.size != 1:
            raise RuntimeError(
                f"a Tensor with {self._aval.size} elements cannot be converted to Scalar"
            )
        if self._aval.device is META:
            raise RuntimeError("Tensor.item() cannot be called on meta tensors")
        return to_host(self).item()

    def tolist(self) -> Any:
        """The elements as nested lists of Python numbers."""
        if LOCAL.state.vmaps:
            VMAP["check_memory"](self)
        return to_host(self).tolist()

    def numpy(self, *, force: bool = False) -> np.ndarray:
        """The tensor as a NumPy array over the same memory: a write on either side shows on both.

        RuntimeError when it requires grad (and gradients are on), TypeError off the CPU or for a
        dtype NumPy lacks.
        """
        if LOCAL.state.vmaps:
            VMAP["check_memory"](self)
        if force:
            return self.detach().cpu().resolve_conj().resolve_neg().numpy()  # type: ignore[attr-defined]
        if self._aval.device is not CPU:
            raise TypeError(
                f"can't convert {self._aval.device} device type tensor to numpy. Use "
                "Tensor.cpu() to copy the tensor to host memory first."
            )
        if LOCAL.state.grad_enabled and self.requires_grad:  # type: ignore[attr-defined]
            raise RuntimeError(
                "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() "
                "instead."
            )
        for bit, word in (("conj", "conjugate"), ("neg", "negative")):
            if has_bit(self, bit):
                raise RuntimeError(
                    f"Can't call numpy() on Tensor that has {word} bit set. Use "
                    f"tensor.resolve_{bit}().numpy() instead."
                )
        if self._aval.np.kind == "V" or self._aval.dtype.name.startswith(("bfloat", "float8")):
            name = dtypes.SCALAR_NAMES.get(self._aval.dtype, self._aval.dtype.name)
            raise TypeError(f"Got unsupported ScalarType {name}")
        return _shared_array(self)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy:
            if self._requires_grad:
                self.numpy()  # raises
            return np.array(to_host(self), dtype)
        array = self.numpy()
        return array if dtype is None else array.astype(dtype, copy=False)

    def __array_wrap__(self, array: np.ndarray, *_: Any) -> Tensor:
        return from_host(np.array(array, np.uint8 if array.dtype == bool else array.dtype))

    def __jax_array__(self) -> Any:
        return read_jax(self._value_now())

    def __bool__(self) -> bool:
        if self._aval.size == 1:
            if LOCAL.state.vmaps:
                VMAP["check_branch"](self)
            return bool(self.item())
        raise RuntimeError(BOOL_EMPTY if self._aval.size == 0 else BOOL_AMBIGUOUS)

    def __int__(self) -> int:
        return int(self._scalar())

    def __float__(self) -> float:
        return float(self._scalar())

    def __complex__(self) -> complex:
        return complex(self._scalar())

    def _scalar(self) -> Any:
        if self._aval.size != 1:
            raise ValueError("only one element tensors can be converted to Python scalars")
        return self.item()

    def __contains__(self, element: Any) -> bool:
        if isinstance(element, (Tensor, bool, int, float, complex)):
            return bool((element == self).any())  # type: ignore[attr-defined,union-attr]
        raise RuntimeError(
            "Tensor.__contains__ only supports Tensor or scalar, but you passed in a "
            f"{type(element)}."
        )

    def __index__(self) -> int:
        if self._aval.dtype.category > dtypes.INTEGER or self._aval.size != 1:
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self.item())

    def __len__(self) -> int:
        if self._aval.ndim == 0:
            raise TypeError("len() of a 0-d tensor")
        return self._aval.shape[0]

    def __hash__(self) -> int:
        return id(self)

    def __dir__(self) -> list[str]:
        return sorted({*dir(type(self)), *self.__dict__})

    def __setstate__(self, state: Any) -> None:
        vars(self).update(state)


STATE.update(Tensor.__annotations__)
CONSTRUCT: list[Callable[..., Tensor]] = []  # ops.create puts the constructor here
TENSORS: set[type] = {Tensor}  # classes whose instances take the fast path
FOREIGN: dict[type, Callable[..., Any]] = {}  # tensors that are not one array, and who calls


def is_tensor(obj: Any, /) -> bool:
    """Whether `obj` is a Tensor."""
    return isinstance(obj, Tensor)


# ----- making tensors -----
def wrap(value: Value, cls: type = Tensor) -> Any:
    """A fresh tensor over a Value."""
    t = _new(cls)
    t._storage = storage_of(value)
    t._aval = value.aval
    if LOCAL.state.inference:
        t._inference = True
    if LOCAL.state.transforms:
        t._born = LOCAL.state.transforms
    return t


def from_host(array: np.ndarray, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor that takes over a NumPy array nobody else writes to (no copy)."""
    t = wrap(host_value(array, resolve(device)))
    t._requires_grad = requires_grad
    return t


def from_shared(array: np.ndarray) -> Tensor:
    """A tensor over the memory of a NumPy array: a write on either side shows on both."""
    t = _new(Tensor)
    t._storage, t._born = adopt(array), LOCAL.state.transforms
    t._aval = aval_of(array.shape, dtypes.from_numpy(array.dtype))
    stride = tuple(s // array.itemsize for s in array.strides)
    if not is_contiguous(array.shape, stride):
        at = geometry(array.shape, stride, 0)
        t._view = View(at, (), t._aval, stride)
    return t


def to_host(tensor: Tensor, batched: str = "") -> np.ndarray:
    """The elements as a NumPy array not to be written to; computes them if they are pending.

    `batched` is the message of the RuntimeError inside `vmap`, where there is one per example.
    """
    if batched and LOCAL.state.vmaps and all_examples(tensor) is not tensor:
        raise RuntimeError(batched)
    storage = tensor._storage
    if storage.__class__ is HostStorage and storage.host is not None:
        return np.array(_host_view(tensor), order="C")
    return read_numpy(tensor._value_now())


def elements_for(name: str, tensor: Tensor, batched: str = "") -> np.ndarray:
    """`to_host` for an op whose result's shape depends on the elements."""
    if tensor._aval.device is META:
        raise NotImplementedError(no_meta_kernel(name))
    return to_host(tensor, batched or no_dynamic_shape(name))


def all_examples(t: Tensor) -> Tensor:
    """The tensor; inside `vmap` that of all examples behind it, for a look at the values."""
    value = t._value_now()
    return wrap(value.array.value) if value.array.__class__ is Batch else t


def _host_view(tensor: Tensor) -> np.ndarray:
    """The tensor's part of memory shared with NumPy, as a NumPy view of it."""
    array = tensor._storage.host
    assert array is not None
    return _along(tensor, array)


def _along(tensor: Tensor, array: np.ndarray) -> np.ndarray:
    if tensor._view is not None:
        for step in tensor._view.steps:
            array = step.numpy(array)
    return array


def _shared_array(tensor: Tensor) -> np.ndarray:
    view = tensor._view
    return _along(tensor, export(tensor._storage, None if view is None else view.base_stride))


def write_host(tensor: Tensor, array: Any) -> None:
    """Copy into memory that NumPy sees too."""
    _host_view(tensor)[...] = array


def counter_of(tensor: Tensor) -> Any:
    """What holds the tensor's version: its storage, or `.data`'s own counter."""
    return tensor._storage if tensor._counter is None else tensor._counter


class Counter:
    """A version counter apart from its storage's (`.data`): writes by others are not counted."""

    __slots__ = ("storage", "writer", "_writes")

    def __init__(self, storage: Storage) -> None:
        self.storage, self._writes = storage, 0

    @property
    def version(self) -> int:
        return Unwatched(self._writes)

    @version.setter
    def version(self, new: int) -> None:
        self._writes = int(new)


def has_bit(tensor: Tensor, bit: str) -> bool:
    """Whether a view's elements are the memory's conjugated ("conj") or negated ("neg")."""
    view = tensor._view
    return view is not None and sum(step.plan.op.bit == bit for step in view.steps) % 2 == 1
