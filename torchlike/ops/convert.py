"""Copies and conversions: clone, contiguous, to, copy_, fill_, dtype methods."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..core import dtypes
from ..core.check import broadcast_shapes, invalid_call, sizes_of, warn
from ..core.device import CPU, META, device, resolve, to_jax
from ..core.dispatch import call, set_layout
from ..core.dual import mapped_tangents
from ..core.function_nodes import function_node
from ..core.geometry import contiguous_stride, is_dense
from ..core.layouts import contiguous_format, memory_format, preserve_format, stride_of_format
from ..core.mutate import check_apart, overwrite, replace
from ..core.nodes import edge_of
from ..core.op import Array, Number, composite, install, op
from ..core.plan import NUMBERS
from ..core.record import LOCAL
from ..core.storage import Value, aval_of, concrete, read_jax, read_numpy
from ..core.tape import zeros
from ..core.tensor import Tensor, from_host, is_tensor, wrap
from ..core.writable import check_captured, check_history, check_writable


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
def contiguous(self: Tensor, *, memory_format: Any = contiguous_format) -> Tensor:
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
    return jnp.broadcast_to(cast(src, input.dtype), input.shape)


@_copy.gradient
def _(grad):
    return grad * 0, grad


@composite(module=None, method=True)
def copy_(self: Tensor, src: Any, non_blocking: bool = False) -> Tensor:
    """Write another tensor's elements, broadcast and converted, into this one."""
    check_captured(self, "copy_")
    if not isinstance(src, Tensor):
        src = _scalar_tensor(src)
    check_writable(self, sources=(src,))
    check_apart(self, (src,), partly=True)
    shape = tuple(self.shape)
    if src.shape != shape:
        _check_copy_shape(src, self)
    if src.device is not self.device:
        src = src.to(self.device)
    return overwrite(self, call(_copy, (self, src)), "copy_")


def _check_copy_shape(src: Tensor, self: Tensor) -> None:
    """RuntimeError when the source does not broadcast, or broadcasts to more than there is."""
    shape = broadcast_shapes(tuple(self.shape), tuple(src.shape))
    if shape != tuple(self.shape):
        raise RuntimeError(
            f"output with shape {list(self.shape)} doesn't match the broadcast shape {list(shape)}"
        )


def _scalar_tensor(x: Any) -> Tensor:
    if not isinstance(x, NUMBERS):
        kind = "numpy.ndarray" if isinstance(x, np.ndarray) else type(x).__name__
        raise TypeError(f"copy_(): argument 'other' (position 1) must be Tensor, not {kind}")
    return from_host(np.array(x, dtypes.to_numpy(dtypes.of_number(type(x)))))


# ----- filling -----
@op(name="fill", module=None, method=False, promote="none", node=lambda s: s["node"])
def _fill(input: Array, value: Number, node: str):
    return jnp.broadcast_to(value.astype(input.dtype), input.shape)


@_fill.gradient
def _(grad):
    return grad * 0


@op(name="fill_tensor", module=None, method=False, promote="none", node=lambda s: s["node"])
def _fill_tensor(input: Array, value: Array, node: str):
    return jnp.broadcast_to(value.astype(input.dtype), input.shape)


@_fill_tensor.gradient
def _(grad):
    return grad * 0, grad.sum()


def _filled(input: Tensor, value: Any, nodes: tuple[str, str]) -> Tensor:
    if value.__class__ is not float or not -1e4 < value < 1e4 or not input.dtype.is_floating_point:
        value = _fill_value(input, value)
    if isinstance(value, Tensor):
        return call(_fill_tensor, (input, value), (nodes[1],))
    return call(_fill, (input, value), (nodes[0],))


@composite(method=False)
def fill(input: Tensor, value: Any) -> Tensor:
    """A copy with one number everywhere."""
    return _filled(input, value, ("FillBackward0", "FillBackward1"))


@composite(method=True)
def fill_(input: Tensor, value: Any) -> Tensor:
    """One number everywhere, in place."""
    check_captured(input, "fill_.Tensor" if isinstance(value, Tensor) else "fill_.Scalar")
    return overwrite(input, _filled(input, value, ("FillBackward2", "FillBackward3")), "fill_")


def _fill_value(input: Tensor, value: Any) -> Any:
    if isinstance(value, Tensor):
        if value.ndim:
            raise RuntimeError(
                "fill_ only supports 0-dimension value tensor but got tensor with "
                f"{value.ndim} dimensions."
            )
        return convert(value, input.dtype)
    if not isinstance(value, NUMBERS):
        raise invalid_call("fill_", (value,), {}, ("Tensor value", "Number value"))
    dtypes.check_number(value, input.dtype)
    return value.real if isinstance(value, complex) and not input.is_complex() else value


@op(name="zero", module=None, method=False, promote="none", inplace=True)
def _zero(input: Array):
    return jnp.zeros_like(input)


@_zero.gradient
def _(grad):
    return grad * 0


# ----- conversions -----
@op(name="to_copy", module=None, method=False, elementwise=True, promote="none")
def _to_copy(input: Array, dtype: Any):
    target = np.dtype(dtype)
    if target == input.dtype:
        return input
    if input.dtype.kind == "c" and target.kind != "c":
        if target == np.bool_:
            return input != 0
        input = input.real
    return cast(input, target)


def cast(x: Any, target: Any) -> Any:
    """`astype`, but a float out of an integer's range becomes what x86 makes of it."""
    target = np.dtype(target)
    if not jnp.issubdtype(x.dtype, jnp.floating) or target.kind not in "iu" or target == np.uint64:
        return x.astype(target)
    wide = np.dtype(np.int64 if target.name in ("int64", "uint32") else np.int32)
    low = np.iinfo(wide).min
    x = x.astype(np.float32) if x.dtype.itemsize == 2 else x
    inside = (x >= low) & (x < -float(low))
    whole = jnp.where(inside, x, jnp.zeros_like(x)).astype(wide)
    return jnp.where(inside, whole, jnp.asarray(low, wide)).astype(target)


@_to_copy.gradient
def _(grad, input):
    return (grad.real if grad.is_complex() and not input.is_complex() else grad).to(input.dtype)


def convert(input: Tensor, kind: dtypes.dtype, copy: bool = False) -> Tensor:
    """The tensor in another dtype."""
    if kind is input.dtype and not copy:
        return input
    if input.is_complex() and kind.category in (dtypes.INTEGER, dtypes.FLOAT):
        
        warn(
            "Casting complex values to real discards the imaginary part (Triggered internally at "
            "/pytorch/aten/src/ATen/native/Copy.cpp:309.)",
            UserWarning
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
        out._grad_fn = function_node(
            "ToCopyBackward0", lambda g: [move(g, home)], [edge], [out._aval]
        )
        out._requires_grad = True
    mapped_tangents(input, out, lambda tangent: move(tangent, where))
    return out


def _moved(input: Tensor, where: device) -> Value:
    aval = aval_of(tuple(input.shape), input.dtype, where)
    if where is META:
        return concrete(None, aval)
    if input.device is META:
        raise NotImplementedError("Cannot copy out of meta tensor; no data!")
    if where is CPU:
        return concrete(np.array(read_numpy(input._value_now())), aval)
    return concrete(jax.device_put(read_jax(input._value_now()), to_jax(where)), aval)


_TO_FORMS = (
    "torch.device device = None, torch.dtype dtype = None, bool non_blocking = False, "
    "bool copy = False, *, torch.memory_format memory_format = None",
    "torch.dtype dtype, bool non_blocking = False, bool copy = False, *, "
    "torch.memory_format memory_format = None",
    "Tensor tensor, bool non_blocking = False, bool copy = False, *, "
    "torch.memory_format memory_format = None",
)


def _to_arguments(self: Tensor, args: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"dtype": None, "device": None, "copy": False, "memory_format": None}
    rest = list(args)
    while rest:
        _positional(found, rest, args)
    other = named.pop("other", named.pop("tensor", None))
    if other is not None:
        found["dtype"], found["device"] = other.dtype, other.device
    named.pop("non_blocking", None)  # transfers are asynchronous anyway
    for name in list(named):
        if name not in found:
            raise TypeError(f"to() got an unexpected keyword argument '{name}'")
        if named[name] is not None:
            found[name] = named[name]
    found["dtype"] = python_kind(found["dtype"])
    if found["dtype"] is not None and not isinstance(found["dtype"], dtypes.dtype):
        raise invalid_call("to", args, named, _TO_FORMS)
    return found


def python_kind(kind: Any) -> Any:
    """Python's `float` and its like as dtypes."""
    return _PYTHON.get(kind, kind) if isinstance(kind, type) else kind


_PYTHON: dict[Any, dtypes.dtype] = {
    bool: dtypes.bool_, int: dtypes.int64, float: dtypes.float64, complex: dtypes.complex128,
}  # fmt: skip


def _positional(found: dict[str, Any], rest: list[Any], args: tuple[Any, ...]) -> None:
    """Take the next positional argument of `to`; what it means depends on its class."""
    a = rest.pop(0)
    first = len(rest) == len(args) - 1
    if isinstance(a, dtypes.dtype) or (isinstance(a, type) and a in _PYTHON):
        found["dtype"] = a
    elif is_tensor(a) and first:
        found["dtype"], found["device"] = a.dtype, a.device
    elif isinstance(a, bool) and not first:  # non_blocking, then copy
        if rest and isinstance(rest[0], bool):
            found["copy"] = rest.pop(0)
    elif isinstance(a, (bool, float)) and first:  # PyTorch makes a tensor of the number
        found["dtype"] = dtypes.bool_ if isinstance(a, bool) else dtypes.float64
    elif isinstance(a, (str, device, int)) and first:
        found["device"] = a
    elif isinstance(a, memory_format):
        found["memory_format"] = a
    elif a is not None:
        raise invalid_call("to", args, {}, _TO_FORMS)


def to(self: Tensor, *args: Any, **named: Any) -> Tensor:
    """Another dtype, device or memory format; the tensor itself when nothing changes."""
    want = _to_arguments(self, args, named)
    out = self
    if want["device"] is not None:
        out = move(out, resolve(want["device"]))
    if want["dtype"] is not None and want["dtype"] is not out.dtype:
        out = convert(out, want["dtype"])
    if want["copy"] and out is self:
        out = clone(self)
    if want["memory_format"] not in (None, preserve_format):
        out = contiguous(out, memory_format=want["memory_format"])
    return out


install("to", to)


def _conversion(name: str, kind: dtypes.dtype) -> None:
    def function(self: Tensor, *args: Any, memory_format: Any = preserve_format) -> Tensor:
        if args:
            count = f"{len(args)} {'was' if len(args) == 1 else 'were'}"
            raise TypeError(f"{name}() takes 0 positional arguments but {count} given")
        return _maybe_format(convert(self, kind), memory_format)

    function.__name__ = name
    function.__doc__ = f"The tensor as {kind}."
    install(name, function)


def _maybe_format(t: Tensor, wanted: Any) -> Tensor:
    return t if wanted is preserve_format else contiguous(t, memory_format=wanted)


for _name, _kind in {
    "bool": dtypes.bool_, "byte": dtypes.uint8, "char": dtypes.int8, "short": dtypes.int16,
    "int": dtypes.int32, "long": dtypes.int64, "half": dtypes.float16, "bfloat16": dtypes.bfloat16,
    "float": dtypes.float32, "double": dtypes.float64, "cfloat": dtypes.complex64,
    "cdouble": dtypes.complex128, "chalf": dtypes.complex32,  # the last one refuses, by name
}.items():  # fmt: skip
    _conversion(_name, _kind)


@composite(module=None, method=True)
def type_as(self: Tensor, other: Tensor) -> Tensor:
    """The tensor in another one's dtype, on its device."""
    return to(self, other.device, other.dtype)


def type_(self: Tensor, dtype: Any = None, non_blocking: bool = False) -> Any:
    """Without argument the legacy type's name, with one the tensor of that type or dtype."""
    if dtype is None:
        where = "" if self.device.type == "cpu" else self.device.type + "."
        return f"torch.{where}{self.dtype.legacy}"
    if isinstance(dtype, dtypes.dtype):
        return convert(self, dtype)
    if not isinstance(dtype, (str, type, dtypes.dtype)) and not hasattr(dtype, "__name__"):
        raise TypeError("dtype must be a type, str, or dtype object")
    named = getattr(dtype, "__module__", ""), getattr(dtype, "__name__", "")
    text = dtype if isinstance(dtype, str) else ".".join(named)
    place, _, name = text.rpartition(".")
    for kind in dtypes.ALL:
        if kind.legacy == name and place in ("torch", "torch.cuda"):
            where = resolve("cuda") if place == "torch.cuda" else CPU
            return convert(move(self, where), kind)
    raise ValueError(f"invalid type: '{getattr(dtype, '__name__', dtype)}'")


install("type", type_)


@composite(module=None, method=True)
def cpu(self: Tensor, *, memory_format: Any = preserve_format) -> Tensor:
    """The tensor on the CPU."""
    return _maybe_format(move(self, CPU), memory_format)


@composite(module=None, method=True)
def cuda(
    self: Tensor, device: Any = None, non_blocking: bool = False,
    memory_format: Any = preserve_format,
) -> Tensor:  # fmt: skip
    """The tensor on a GPU; AssertionError when there is none."""
    where = resolve("cuda" if device is None else device)
    return _maybe_format(move(self, where), memory_format)


# ----- memory -----
@composite(module=None, method=True)
def set_(
    self: Tensor, source: Any = None, storage_offset: int = 0, size: Any = None, stride: Any = None
) -> Tensor:
    """Look at another tensor's memory from now on."""
    check_history(self)
    if source is None:
        replace(self, zeros(aval_of((0,), self.dtype, self.device)))
        return self
    other = _of_storage(self, source)
    if size is not None:
        size = sizes_of((size,), "set_")
        other = other.as_strided(size, stride or contiguous_stride(size), storage_offset)  # type: ignore[attr-defined]
    self._storage, self._aval, self._view = other._storage, other._aval, other._view
    self._value, self._seen = other._value, other._seen
    return self


def _of_storage(self: Tensor, source: Any) -> Tensor:
    """A tensor, or all of a storage as a vector of this tensor's dtype."""
    if isinstance(source, Tensor):
        return source
    base = getattr(source, "_base", None)
    if not isinstance(base, Tensor):
        raise invalid_call("set_", (source,), {}, ("Storage source", "Tensor source"))
    return base.view(-1).view(self.dtype)  # type: ignore[attr-defined]


@composite(module=None, method=True)
def is_set_to(self: Tensor, tensor: Tensor) -> bool:
    """Whether both look at the same memory in the same way."""
    return self._storage is tensor._storage and self.geometry() is tensor.geometry()


def _given(name: str, input: Any) -> Tensor:
    if not isinstance(input, Tensor):
        kind = type(input).__name__
        raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {kind}")
    return input


@composite(method=False)
def is_floating_point(input: Tensor) -> bool:
    """Whether the dtype is a floating point one."""
    return _given("is_floating_point", input).is_floating_point()


@composite(method=False)
def is_complex(input: Tensor) -> bool:
    """Whether the dtype is a complex one."""
    return _given("is_complex", input).is_complex()


@composite(method=False)
def numel(input: Tensor) -> int:
    """The number of elements."""
    return _given("numel", input).numel()


@composite
def is_nonzero(input: Tensor) -> bool:
    """Whether the only element is not zero; RuntimeError for any other count."""
    if input.numel() != 1:
        if input.numel() == 0:
            raise RuntimeError("Boolean value of Tensor with no values is ambiguous")
        raise RuntimeError("Boolean value of Tensor with more than one value is ambiguous")
    return bool(input)
