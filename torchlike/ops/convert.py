"""Copies and conversions: clone, contiguous, to, copy_, fill_, dtype methods."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..core import dtypes
from ..core.device import CPU, META, device, resolve, to_jax
from ..core.dispatch import call, set_layout
from ..core.layouts import contiguous_format, memory_format, preserve_format, stride_of_format
from ..core.mutate import check_writable, overwrite, replace
from ..core.op import Array, Number, composite, op
from ..core.record import LOCAL
from ..core.storage import Value, aval_of, concrete, is_dense, read_jax, read_numpy
from ..core.tape import edge_of, function_node, zeros
from ..core.tensor import Tensor, is_tensor, wrap


# ----- copies -----
@op(name="clone", module=None, method=False, elementwise=True, promote="none")
def _clone(input: Array):
    return input


@_clone.gradient
def _(grad):
    return grad


@composite
def clone(input: Tensor, *, memory_format: Any = preserve_format) -> Tensor:
    """A copy with its own memory."""
    return _in_format(call(_clone, (input,)), input, memory_format)


def _in_format(out: Tensor, input: Tensor, wanted: Any) -> Tensor:
    if wanted is None or wanted is contiguous_format:
        out._view = None
    elif wanted is not preserve_format:
        out._view = None
        set_layout(out, stride_of_format(tuple(out.shape), wanted))
    elif input._view is not None:
        at = input.geometry()
        out._view = None
        if is_dense(at.shape, at.stride):
            set_layout(out, at.stride)
    return out


@composite(module=None, method=True)
def contiguous(self: Tensor, memory_format: Any = contiguous_format) -> Tensor:
    """The tensor itself if its memory is in order, else a copy that is."""
    return self if self.is_contiguous(memory_format) else clone(self, memory_format=memory_format)


def _copy_node(statics: dict[str, Any]) -> str:
    return "CopyBackwards"


@op(name="copy", module=None, method=False, promote="none", node=_copy_node)
def _copy(input: Array, src: Array):
    if np.issubdtype(src.dtype, np.complexfloating) and not np.issubdtype(
        input.dtype, np.complexfloating
    ):
        src = src.real
    return jnp.broadcast_to(src.astype(input.dtype), input.shape)


@_copy.gradient
def _(grad):
    return grad * 0, grad


@composite(module=None, method=True)
def copy_(self: Tensor, src: Any, non_blocking: bool = False) -> Tensor:
    """Write another tensor's elements, broadcast and converted, into this one."""
    if not isinstance(src, Tensor):
        src = _scalar_tensor(src)
    check_writable(self)
    shape = tuple(self.shape)
    if src.shape != shape:
        _check_copy_shape(src, self)
    if src.device is not self.device:
        src = src.to(self.device)
    return overwrite(self, call(_copy, (self, src)))


def _check_copy_shape(src: Tensor, self: Tensor) -> None:
    extra = src.ndim - self.ndim
    have = tuple(src.shape)[max(extra, 0) :]
    pad = self.ndim - len(have)
    if extra > 0 and any(n != 1 for n in src.shape[:extra]):
        raise RuntimeError(
            f"output with shape {list(self.shape)} doesn't match the broadcast shape {list(src.shape)}"
        )
    for i, n in enumerate(have):
        if n not in (1, self.shape[i + pad]):
            raise RuntimeError(
                f"The size of tensor a ({self.shape[i + pad]}) must match the size of tensor b ({n}) at "
                f"non-singleton dimension {i + pad}"
            )


def _scalar_tensor(x: Any) -> Tensor:
    from .data import tensor

    return tensor(x)


# ----- filling -----
@op(name="fill", module="torch", promote="none", inplace=True, node="FillBackward2", out=False, inplace_function=True)
def fill(input: Array, value: Number):
    value = value.astype(input.dtype) if value.dtype != input.dtype else value
    return jnp.broadcast_to(value, input.shape)


@fill.gradient
def _(grad):
    return grad * 0


@op(name="zero", module=None, method=False, promote="none", inplace=True)
def _zero(input: Array):
    return jnp.zeros_like(input)


@_zero.gradient
def _(grad):
    return grad * 0


# ----- conversions -----
@op(name="to_copy", module=None, method=False, elementwise=True, promote="none")
def _to_copy(input: Array, dtype: object):
    target = np.dtype(dtype)
    if target == input.dtype:
        return input
    if np.issubdtype(input.dtype, np.complexfloating) and not np.issubdtype(target, np.complexfloating):
        if target == np.bool_:
            return input != 0
        input = input.real
    if np.issubdtype(input.dtype, np.floating) and target.kind == "u" and target.itemsize < 8:
        return input.astype(np.int64).astype(target)  # C wraps on x86; XLA clamps
    if np.issubdtype(input.dtype, np.floating) and target.kind == "i" and target.itemsize < 8:
        return input.astype(np.int64 if target.itemsize < 4 else target).astype(target)
    return input.astype(target)


@_to_copy.gradient
def _(grad, input):
    return grad.to(input.dtype)


def convert(input: Tensor, kind: dtypes.dtype, copy: bool = False) -> Tensor:
    """The tensor in another dtype."""
    if kind is input.dtype and not copy:
        return input
    if input.is_complex() and kind.category in (dtypes.INTEGER, dtypes.FLOAT):
        import warnings

        warnings.warn(
            "Casting complex values to real discards the imaginary part (Triggered internally at "
            "/pytorch/aten/src/ATen/native/Copy.cpp:309.)",
            UserWarning,
            stacklevel=4,
        )
    return call(_to_copy, (input,), (dtypes.to_numpy(kind),))


def move(input: Tensor, where: device) -> Tensor:
    """The tensor on another device."""
    if where is input.device:
        return input
    out = wrap(_moved(input, where))
    edge = edge_of(input) if LOCAL.state.grad_enabled else None
    if edge is not None:
        home = input.device
        out._grad_fn = function_node("ToCopyBackward0", lambda g: [move(g, home)], [edge], [out._aval])
        out._requires_grad = True
    return out


def _moved(input: Tensor, where: device) -> Value:
    aval = aval_of(tuple(input.shape), input.dtype, where)
    if where is META:
        return concrete(None, aval)
    if input.device is META:
        raise NotImplementedError(
            "Cannot copy out of meta tensor; no data! Please use torch.nn.Module.to_empty() instead "
            "of torch.nn.Module.to() when moving module from meta to a different device."
        )
    if where is CPU:
        return concrete(np.array(read_numpy(input._value_now())), aval)
    return concrete(jax.device_put(read_jax(input._value_now()), to_jax(where)), aval)


def _to_arguments(self: Tensor, args: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"dtype": None, "device": None, "copy": False, "memory_format": None}
    rest = list(args)
    while rest:
        a = rest.pop(0)
        if isinstance(a, dtypes.dtype):
            found["dtype"] = a
        elif is_tensor(a):
            found["dtype"], found["device"] = a.dtype, a.device
        elif isinstance(a, bool):  # non_blocking, then copy
            if rest and isinstance(rest[0], bool):
                found["copy"] = rest.pop(0)
        elif isinstance(a, (str, device, int)):
            found["device"] = a
        elif isinstance(a, memory_format):
            found["memory_format"] = a
        elif a is not None:
            raise TypeError(
                "to() received an invalid combination of arguments - got "
                f"({', '.join(type(x).__name__ for x in args)}), but expected one of:\n"
                " * (torch.device device = None, torch.dtype dtype = None, bool non_blocking = False, "
                "bool copy = False, *, torch.memory_format memory_format = None)\n"
                " * (torch.dtype dtype, bool non_blocking = False, bool copy = False, *, "
                "torch.memory_format memory_format = None)\n"
                " * (Tensor tensor, bool non_blocking = False, bool copy = False, *, "
                "torch.memory_format memory_format = None)\n"
            )
    other = named.pop("other", named.pop("tensor", None))
    if other is not None:
        found["dtype"], found["device"] = other.dtype, other.device
    named.pop("non_blocking", None)  # transfers are asynchronous anyway
    for name in list(named):
        if name not in found:
            raise TypeError(f"to() got an unexpected keyword argument '{name}'")
        if named[name] is not None:
            found[name] = named[name]
    return found


def to(self: Tensor, *args: Any, **named: Any) -> Tensor:
    """Another dtype, device or memory format; the tensor itself when nothing changes."""
    want = _to_arguments(self, args, named)
    out = self
    if want["device"] is not None:
        out = move(out, resolve(want["device"]))
    if want["dtype"] is not None and want["dtype"] is not out.dtype:
        if not isinstance(want["dtype"], dtypes.dtype):
            raise TypeError(f"to(): argument 'dtype' must be torch.dtype, not {type(want['dtype']).__name__}")
        out = convert(out, want["dtype"])
    if want["copy"] and out is self:
        out = clone(self)
    if want["memory_format"] not in (None, preserve_format):
        out = contiguous(out, want["memory_format"])
    return out


Tensor.to = to  # type: ignore[attr-defined]


def _conversion(name: str, kind: dtypes.dtype) -> None:
    def function(self: Tensor, memory_format: Any = preserve_format) -> Tensor:
        return _maybe_format(convert(self, kind), memory_format)

    function.__name__ = name
    function.__doc__ = f"The tensor as {kind}."
    setattr(Tensor, name, function)


def _maybe_format(t: Tensor, wanted: Any) -> Tensor:
    return t if wanted is preserve_format else contiguous(t, wanted)


for _name, _kind in {
    "bool": dtypes.bool_, "byte": dtypes.uint8, "char": dtypes.int8, "short": dtypes.int16,
    "int": dtypes.int32, "long": dtypes.int64, "half": dtypes.float16, "bfloat16": dtypes.bfloat16,
    "float": dtypes.float32, "double": dtypes.float64, "cfloat": dtypes.complex64,
    "cdouble": dtypes.complex128,
}.items():  # fmt: skip
    _conversion(_name, _kind)


@composite(module=None, method=True)
def type_as(self: Tensor, other: Tensor) -> Tensor:
    """The tensor in another one's dtype."""
    return to(self, other.dtype)


def type_(self: Tensor, dtype: Any = None, non_blocking: bool = False) -> Any:
    """Without argument the legacy type's name, with one the tensor in that dtype."""
    if dtype is None:
        where = "" if self.device.type == "cpu" else self.device.type + "."
        return f"torch.{where}{self.dtype.legacy}"
    if isinstance(dtype, dtypes.dtype):
        return convert(self, dtype)
    text = dtype if isinstance(dtype, str) else f"torch.{getattr(dtype, '__name__', dtype)}"
    for kind in dtypes.ALL:
        if kind.legacy and text == f"torch.{kind.legacy}":
            return convert(self, kind)
    raise ValueError(f"invalid type: '{dtype}'")


Tensor.type = type_  # type: ignore[attr-defined]


@composite(module=None, method=True)
def cpu(self: Tensor, memory_format: Any = preserve_format) -> Tensor:
    """The tensor on the CPU."""
    return _maybe_format(move(self, CPU), memory_format)


@composite(module=None, method=True)
def cuda(self: Tensor, device: Any = None, non_blocking: bool = False, memory_format: Any = preserve_format) -> Tensor:
    """The tensor on a GPU; AssertionError when there is none."""
    return _maybe_format(move(self, resolve("cuda" if device is None else device)), memory_format)


# ----- memory -----
@composite(module=None, method=True)
def set_(self: Tensor, source: Any = None, storage_offset: int = 0, size: Any = None, stride: Any = None) -> Tensor:
    """Look at another tensor's memory from now on."""
    if source is None:
        replace(self, zeros(aval_of((0,), self.dtype, self.device)))
        return self
    if not isinstance(source, Tensor):
        raise NotImplementedError(f"set_: source={type(source).__name__} is not supported")
    other = source if size is None else source.as_strided(size, stride or (), storage_offset)
    self._storage, self._aval, self._view = other._storage, other._aval, other._view
    self._value, self._seen = other._value, other._seen
    return self


@composite(module=None, method=True)
def is_set_to(self: Tensor, tensor: Tensor) -> bool:
    """Whether both look at the same memory in the same way."""
    return self._storage is tensor._storage and self.geometry() is tensor.geometry()


@composite(method=False)
def is_floating_point(input: Tensor) -> bool:
    """Whether the dtype is a floating point one."""
    return input.is_floating_point()


@composite(method=False)
def is_complex(input: Tensor) -> bool:
    """Whether the dtype is a complex one."""
    return input.is_complex()


@composite(method=False)
def numel(input: Tensor) -> int:
    """The number of elements."""
    return input.numel()


@composite(method=False)
def is_nonzero(input: Tensor) -> bool:
    """Whether the only element is not zero; RuntimeError for any other count."""
    if input.numel() != 1:
        if input.numel() == 0:
            raise RuntimeError("Boolean value of Tensor with no values is ambiguous")
        raise RuntimeError("Boolean value of Tensor with more than one value is ambiguous")
    return bool(input)

