"""Storage objects, in-place changes of shape, copying and pickling of tensors."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from ..core import dtypes
from ..core.check import invalid_call, sizes_of
from ..core.device import META
from ..core.dispatch import set_layout
from ..core.geometry import View, geometry
from ..core.layouts import contiguous_format, preserve_format, stride_of_format
from ..core.mutate import replace
from ..core.node_text import short_name
from ..core.op import composite, install
from ..core.parameter import Parameter, alias_of
from ..core.plan import NUMBERS
from ..core.refusals import refusing
from ..core.storage import (
    HostStorage,
    Storage,
    aval_of,
    concrete,
    host_value,
    read_numpy,
    storage_of,
)
from ..core.tape import OpNode, node_class, zeros
from ..core.tensor import Tensor, counter_of, fields_of, wrap
from ..core.writable import check_history
from .shape import whole
from .storages import TypedStorage as TypedStorage
from .storages import UntypedStorage as UntypedStorage
from .storages import storage_class, tell_removal
from .views import bits_of, with_bits


# ----- storage objects -----
@composite(module=None, method=True)
def untyped_storage(self: Tensor) -> UntypedStorage:
    """The bytes behind the tensor."""
    return UntypedStorage(self)


@composite(module=None, method=True)
def storage(self: Tensor) -> TypedStorage:
    """The elements behind the tensor."""
    tell_removal()
    return TypedStorage(self)


@composite(module=None, method=True)
def storage_type(self: Tensor) -> Any:
    """The legacy class of the tensor's storage; None where there is none."""
    tell_removal()
    found = storage_class(self.dtype)
    return None if found is TypedStorage else found


# ----- shape changes in place -----
def _in_place(name: str) -> None:
    def function(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        check_history(self)
        if name == "t" and self.ndim > 2:
            raise RuntimeError(
                f"t_() expects a tensor with <= 2 dimensions, but self is {self.ndim}D"
            )
        out = getattr(self, name)(*args, **kwargs)
        renumber(out._grad_fn)
        become(self, out)
        return self

    function.__name__ = name + "_"
    function.__doc__ = f"In-place `{name}`: the tensor looks at its memory in another way."
    install(name + "_", function)


def renumber(node: Any) -> None:
    """PyTorch's own number for the in-place variant: `TBackward1`, `SqueezeBackward3`."""
    if isinstance(node, OpNode):
        name, number = type(node).__name__[:-1], int(type(node).__name__[-1])
        node.__class__ = node_class(f"{name}{number + (3 if name.startswith('Squeeze') else 1)}")


def rename_in_place(out: Tensor) -> None:
    """`EluBackward1`: PyTorch has a formula of its own for some functions done in place."""
    if isinstance(out._grad_fn, OpNode):
        renumber(out._grad_fn)
        counter = counter_of(out)
        counter.writer = (out._out_nr, short_name(out._grad_fn), counter.version, out._aval)


def become(self: Tensor, out: Tensor) -> None:
    """Look at memory as `out` does, with its history."""
    self._aval, self._view, self._storage = out._aval, out._view, out._storage
    self._value, self._seen, self._tangents = out._value, out._seen, out._tangents
    if out._grad_fn is not None:
        self._grad_fn, self._out_nr, self._requires_grad = out._grad_fn, out._out_nr, True
    counter = counter_of(self)
    counter.version += 1
    if self._base_tensor is not None:
        self._view_version = counter.version
    else:
        made_by = "" if self._grad_fn is None else short_name(self._grad_fn, renewed=False)
        counter.writer = (self._out_nr, made_by, counter.version, self._aval)


@composite
def swapaxes(input: Tensor, axis0: int, axis1: int) -> Tensor:
    """`transpose`."""
    return input.transpose(axis0, axis1)  # type: ignore[attr-defined]


@composite
def swapdims(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """`transpose`."""
    return input.transpose(dim0, dim1)  # type: ignore[attr-defined]


for _name in (
    "t", "transpose", "swapaxes", "swapdims", "squeeze", "unsqueeze", "as_strided",
):  # fmt: skip
    _in_place(_name)


@composite(module=None, method=True)
def resize_(self: Tensor, *sizes: Any, memory_format: Any = None) -> Tensor:
    """Another shape in place: elements stay as they lie in memory, new ones are zero."""
    size = sizes_of(sizes, "resize_")
    if self._requires_grad:
        raise RuntimeError("cannot resize variables that require grad")
    if any(n < 0 for n in size):
        raise RuntimeError("numel: integer multiplication overflow")
    stride = geometry_of(size)
    if memory_format is not None and memory_format not in (contiguous_format, preserve_format):
        stride = stride_of_format(size, memory_format)
    elif tuple(self.shape) == size:
        return self
    count, base = int(np.prod(size, dtype=np.int64)), whole(self)
    if self.storage_offset() + count <= base.numel():
        become(self, base.as_strided(size, stride, self.storage_offset()))  # type: ignore[attr-defined]
        self._base_tensor = None
        return self
    flat = read_numpy(base._value_now()).ravel()[self.storage_offset() :]
    grown = np.zeros(count, flat.dtype)
    grown[: flat.size] = flat
    at = np.lib.stride_tricks.as_strided(grown, size, [n * grown.itemsize for n in stride])
    replace(self, concrete(np.array(at, order="C"), aval_of(size, self.dtype, self.device)))
    set_layout(self, stride)
    return self


def geometry_of(size: tuple[int, ...]) -> tuple[int, ...]:
    """Row-major strides."""
    from ..core.geometry import contiguous_stride

    return contiguous_stride(size)


@composite(module=None, method=True)
def resize_as_(self: Tensor, the_template: Tensor, *, memory_format: Any = None) -> Tensor:
    """`resize_` to another tensor's shape."""
    return resize_(self, the_template.shape, memory_format=memory_format)


# ----- copy and pickle -----
def _copy_storage(s: Storage, memo: dict[int, Any]) -> Storage:
    found = memo.get(id(s))
    if found is None:
        if isinstance(s, HostStorage):
            found = storage_of(host_value(np.array(s.value.array)))
        else:
            found = storage_of(s.value)  # values are immutable: the copy may share it
        memo[id(s)] = found
    return found


def deepcopy(self: Tensor, memo: dict[int, Any]) -> Any:
    """A copy of a leaf: memory (shared as before within the copy), flags, gradient, attributes."""
    if id(self) in memo:
        return memo[id(self)]
    if self.grad_fn is not None:  # type: ignore[attr-defined]
        raise RuntimeError(
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy "
            "protocol "
            "at the moment.  If you were attempting to deepcopy a module, this may be because of a "
            "torch.nn.utils.weight_norm usage, see https://github.com/pytorch/pytorch/pull/103001"
        )
    out = object.__new__(type(self))
    memo[id(self)] = out
    out._storage, out._aval, out._view = _copy_storage(self._storage, memo), self._aval, self._view
    out._requires_grad = self._requires_grad
    if self._grad is not None:
        out._grad = copy.deepcopy(self._grad, memo)
    for name, value in self.__dict__.items():
        if not hasattr(Tensor, name):
            fields_of(out)[name] = copy.deepcopy(value, memo)
    return out


def _deepcopy_parameter(self: Parameter, memo: dict[int, Any]) -> Any:
    """A parameter's copy has its memory and flag, neither gradient nor attributes."""
    if id(self) not in memo:
        out = object.__new__(type(self))
        out._storage, out._aval, out._view = (
            _copy_storage(self._storage, memo),
            self._aval,
            self._view,
        )
        out._requires_grad = self._requires_grad
        memo[id(self)] = out
    return memo[id(self)]


def _load_storage(array: np.ndarray) -> Storage:
    return storage_of(host_value(array))


def _unknown_storage(shape: tuple[int, ...], dtype: Any) -> Storage:
    return storage_of(zeros(aval_of(shape, dtype, META)))


def _reduce(self: Tensor, protocol: int) -> Any:
    if self.grad_fn is not None:  # type: ignore[attr-defined]
        raise RuntimeError("Pickling of non-leaf tensors is not supported: detach() it first")
    base = whole(self)
    at, base_at = self.geometry(), base.geometry()
    kind = {Tensor: "Tensor", Parameter: "Parameter"}.get(type(self), type(self))
    extra = {
        k: v
        for k, v in self.__dict__.items()
        if not hasattr(Tensor, k)
    }
    state = (
        kind, self._storage, tuple(base_at.stride), tuple(at.shape), tuple(at.stride),
        at.offset, self._requires_grad, extra, tuple(bits_of(self)),
    )  # fmt: skip
    return (_rebuild, state)


def _storage_reduce(self: Storage, protocol: int) -> Any:
    aval = self.value.aval
    if aval.device is META:
        return (_unknown_storage, (tuple(aval.shape), aval.dtype))
    return (_load_storage, (np.array(read_numpy(self.value)),))


def _rebuild(
    kind: Any, memory: Storage, base_stride: Any, shape: Any, stride: Any, offset: int,
    requires_grad: bool, extra: dict[str, Any], bits: tuple[str, ...],
) -> Tensor:  # fmt: skip
    cls = {"Tensor": Tensor, "Parameter": Parameter}.get(kind, kind)
    base = wrap(memory.value)
    base._storage = memory
    full = tuple(base.shape)
    if base_stride != geometry_of(full):
        base._view = View(geometry(full, base_stride, 0), (), base._aval, base_stride)
    out = base
    if (shape, stride, offset) != (full, base_stride, 0):
        out = base.as_strided(shape, stride, offset).detach()  # type: ignore[attr-defined]
    if bits:
        out = with_bits(out, bits).detach()  # type: ignore[attr-defined]
    out.__class__ = cls
    out._requires_grad = requires_grad
    fields_of(out).update(extra)
    return out


Tensor.__deepcopy__ = deepcopy  # type: ignore[attr-defined]
Parameter.__deepcopy__ = _deepcopy_parameter  # type: ignore[assignment]
Tensor.__reduce_ex__ = _reduce  # type: ignore[assignment]
Storage.__reduce_ex__ = _storage_reduce  # type: ignore[assignment]


# ----- dtypes of expressions -----
def _group(x: Any) -> tuple[list[Any], list[Any], list[Any]]:
    if isinstance(x, Tensor):
        return ([x.dtype], [], []) if x.ndim else ([], [x.dtype], [])
    return [], [], [dtypes.of_number(type(x))]


_RESULT_TYPE = (
    "Tensor tensor, Tensor other", "Number scalar, Tensor tensor", "Tensor tensor, Number other",
    "Number scalar1, Number scalar2",
)  # fmt: skip


@composite(method=False)
def result_type(tensor1: Any, tensor2: Any) -> dtypes.dtype:
    """The dtype that arithmetic on two tensors or numbers gives."""
    if not all(isinstance(x, (Tensor, *NUMBERS)) for x in (tensor1, tensor2)):
        raise invalid_call("result_type", (tensor1, tensor2), {}, _RESULT_TYPE)
    a, b = _group(tensor1), _group(tensor2)
    return dtypes.combine(a[0] + b[0], a[1] + b[1], a[2] + b[2])


@composite(method=False)
def can_cast(from_: dtypes.dtype, to: dtypes.dtype) -> bool:
    """Whether PyTorch's casting rules allow the conversion."""
    for i, (name, given) in enumerate((("from_", from_), ("to", to)), 1):
        if not isinstance(given, dtypes.dtype):
            raise TypeError(
                f"can_cast(): argument '{name}' (position {i}) must be torch.dtype, not "
                f"{type(given).__name__}"
            )
    return dtypes.can_cast(from_, to)


@composite(method=False)
def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have one shape."""
    return input.shape == other.shape


@composite(module=None, method=True)
def as_subclass(self: Tensor, cls: type) -> Any:
    """The tensor as an instance of a subclass, over the same memory and history."""
    out = object.__new__(cls)
    fields_of(out).update(fields_of(self))
    return out


def _make_subclass(cls: type, data: Tensor, require_grad: bool = False) -> Any:
    """A tensor of a subclass over the same memory, without history."""
    made = alias_of(data, cls)
    made._requires_grad = require_grad
    return made


Tensor._make_subclass = staticmethod(_make_subclass)  # type: ignore[attr-defined]
Tensor._make_wrapper_subclass = staticmethod(refusing(  # type: ignore[attr-defined]
    "_make_wrapper_subclass",
    "Tensor._make_wrapper_subclass is not supported: there is no __torch_dispatch__",
))


@composite(module=None, method=True)
def pin_memory(self: Tensor, device: Any = None) -> Tensor:
    """RuntimeError where there is no accelerator to pin for."""
    raise RuntimeError("Cannot access accelerator device when none is available.")


@composite(module=None, method=True)
def is_pinned(self: Tensor, device: Any = None) -> bool:
    """Whether the memory is pinned: never."""
    return False


@composite(module=None, method=True)
def get_device(self: Tensor) -> int:
    """The device's index; -1 for the CPU and meta."""
    return -1 if self.device.type in ("cpu", "meta") else self.device.index or 0


for _name, _value in {
    "is_cuda": property(lambda self: self.device.type == "cuda"),
    "is_cpu": property(lambda self: self.device.type == "cpu"),
    "is_meta": property(lambda self: self.device.type == "meta"),
    "is_mps": property(lambda self: False),
    "is_xpu": property(lambda self: False),
    "is_xla": property(lambda self: self.device.type == "xla"),
    "is_sparse": property(lambda self: False),
    "is_sparse_csr": property(lambda self: False),
    "is_quantized": property(lambda self: False),
    "is_nested": property(lambda self: False),
    "is_mkldnn": property(lambda self: False),
    "volatile": property(lambda self: False),
    "name": property(lambda self: None),
}.items():
    setattr(Tensor, _name, _value)
