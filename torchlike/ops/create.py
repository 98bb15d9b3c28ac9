"""Making tensors: filled with a number, counted, and like other tensors."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np

from ..core import dtypes
from ..core.check import FLOAT_GRAD_ONLY, sizes_of, unsupported
from ..core.device import META, device, resolve
from ..core.dispatch import set_layout
from ..core.geometry import is_dense, result_stride
from ..core.layouts import layout as layout_class
from ..core.layouts import memory_format as format_class
from ..core.layouts import preserve_format, stride_of_format, strided
from ..core.mutate import write_out
from ..core.op import composite, install
from ..core.plan import NUMBERS
from ..core.record import LOCAL, VMAP, Spec, record
from ..core.storage import aval_of, concrete
from ..core.tape import filled
from ..core.tensor import Tensor, wrap


# ----- arguments every factory has -----
def kind_for(name: str, dtype: Any, default: dtypes.dtype | None = None) -> dtypes.dtype:
    """The dtype of a `dtype=` argument: Python's classes count too."""
    if dtype is None:
        return default or dtypes.get_default_dtype()
    found = _PYTHON.get(dtype, dtype) if isinstance(dtype, type) else dtype
    if not isinstance(found, dtypes.dtype):
        kind = type(dtype).__name__
        raise TypeError(f"{name}(): argument 'dtype' must be torch.dtype, not {kind}")
    return found


_PYTHON: dict[Any, dtypes.dtype] = {
    bool: dtypes.bool_, int: dtypes.int64, float: dtypes.float64, complex: dtypes.complex128,
}  # fmt: skip


def check_options(
    name: str, layout: Any, pin_memory: bool, memory_format: Any = None, requires_grad: Any = False
) -> None:
    """Refuse the layouts and formats a factory does not make, and flags that are no flags."""
    if requires_grad is not False and requires_grad is not True:
        kind = type(requires_grad).__name__
        raise TypeError(f"{name}(): argument 'requires_grad' must be bool, not {kind}")
    if layout is not None and layout is not strided:
        if not isinstance(layout, layout_class):
            kind = type(layout).__name__
            raise TypeError(f"{name}(): argument 'layout' must be torch.layout, not {kind}")
        raise unsupported(name, "layout", layout)
    if pin_memory:
        raise RuntimeError(
            "pin_memory=True requires a CUDA or other accelerator backend; no pinned memory "
            "allocator is available on this system."
        )
    if memory_format is not None and not isinstance(memory_format, format_class):
        raise TypeError(f"{name}(): argument 'memory_format' must be torch.memory_format")


def sizes_for(name: str, size: tuple[Any, ...]) -> tuple[int, ...]:
    """The sizes of a new tensor, none negative."""
    found = sizes_of(size, name)
    for n in found:
        if n < 0:
            raise RuntimeError(
                "zeros: Dimension size must be non-negative."
                if name == "zeros"
                else f"Trying to create tensor with negative dimension {n}: {list(found)}"
            )
    return found


def finish(t: Tensor, requires_grad: bool) -> Tensor:
    """The new tensor, marked to require grad if asked."""
    if requires_grad:
        if not (t.is_floating_point() or t.is_complex()):
            raise RuntimeError(FLOAT_GRAD_ONLY)
        t._requires_grad = True
    return t


def fill_number(name: str, value: Any) -> Any:
    """A `fill_value` argument as a Python number."""
    if isinstance(value, Tensor) and value.ndim == 0:
        value = value.item()
    if not isinstance(value, NUMBERS):
        kind = type(value).__name__
        raise TypeError(f"{name}(): argument 'fill_value' (position 2) must be Number, not {kind}")
    return value


# ----- filled -----
def beside(made: Tensor, x: Tensor) -> Tensor:
    """A tensor made after another's kind; inside `vmap` each example has its own, as `x` has."""
    return VMAP["beside"](made, x) if LOCAL.state.vmaps else made


def full_of(size: tuple[int, ...], number: Any, kind: dtypes.dtype, where: device) -> Tensor:
    """A tensor filled with a number; with None it is to be written before it is read."""
    aval = aval_of(size, kind, where)
    if where is META or number is None:
        return wrap(concrete(None, aval))
    if not isinstance(number, complex) and _is_bit(number):
        return wrap(filled(aval, int(number)))
    dtypes.check_number(number, kind)
    spec = _fill_specs.get(aval)
    if spec is None:
        shape, target = tuple(aval.shape), aval.np
        spec = _fill_specs[aval] = Spec(
            "full", (aval,), lambda v: [jnp.full(shape, _cast(v, target), target)],
            lambda: lambda v: [np.full(shape, _cast(v, target), target)], where,
        )  # fmt: skip
    return wrap(record(spec, (number,))[0])


_fill_specs: dict[Any, Spec] = {}


def _is_bit(number: Any) -> bool:
    return number == 1 or (number == 0 and not math.copysign(1, number) < 0)


def _cast(v: Any, target: Any) -> Any:
    if np.issubdtype(v.dtype, np.complexfloating) and not np.issubdtype(target, np.complexfloating):
        v = v.real
    return v.astype(target)


def _factory(name: str, number: int) -> Any:
    def function(
        *args: Any, out: Any = None, dtype: Any = None, layout: Any = None, device: Any = None,
        requires_grad: bool = False, pin_memory: bool = False, **named: Any,
    ) -> Tensor:  # fmt: skip
        size, wanted = _named_size(name, args, named)
        sizes = sizes_for(name, size)
        kind = kind_for(name, dtype, None if out is None else out.dtype)
        if is_sparse_layout(layout) and out is None:
            return finish(SPARSE[0](name, sizes, layout, kind, None), requires_grad)
        check_options(name, layout, pin_memory, wanted, requires_grad)
        if out is not None:
            _check_out_dtype(kind, out)
        t = full_of(sizes, number, kind, resolve(device) if out is None else out.device)
        if wanted is not None and wanted is not preserve_format:
            set_layout(t, stride_of_format(sizes, wanted))
        return finish(t, requires_grad) if out is None else write_out(name, out, t)

    function.__name__ = function.__qualname__ = name
    return composite(function, method=False)


def _named_size(name: str, args: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, Any]:
    """`size`, by position or by name, and `empty`'s `memory_format`."""
    wanted = named.pop("memory_format", None) if name == "empty" else None
    if named.get("names", 0) is None:
        del named["names"]
    if not named:
        if not args:
            raise TypeError(f'{name}() missing 1 required positional arguments: "size"')
        return args, wanted
    if "size" in named and args:
        raise TypeError(f"{name}() got multiple values for argument 'size'")
    for other in named:
        if other != "size":
            raise TypeError(f"{name}() got an unexpected keyword argument '{other}'")
    size = named["size"]
    if not isinstance(size, (tuple, list, int)):
        kind = type(size).__name__
        raise TypeError(f"{name}(): argument 'size' must be tuple of ints, not {kind}")
    return (size,), wanted


def _check_out_dtype(kind: dtypes.dtype, out: Tensor) -> None:
    if kind is not out.dtype:
        names = dtypes.SCALAR_NAMES
        raise RuntimeError(
            f"dtype {names[kind]} does not match dtype of out parameter ({names[out.dtype]})"
        )


zeros = _factory("zeros", 0)
zeros.__doc__ = "A tensor of zeros."
ones = _factory("ones", 1)
ones.__doc__ = "A tensor of ones."
empty = _factory("empty", 0)
empty.__doc__ = "A tensor whose elements are to be written (here they are zero)."


@composite(method=False)
def full(
    size: Any, fill_value: Any, *, out: Any = None, dtype: Any = None, layout: Any = None,
    device: Any = None, requires_grad: bool = False, pin_memory: bool = False, names: Any = None,
) -> Tensor:  # fmt: skip
    """A tensor filled with one number."""
    check_options("full", layout, pin_memory, None, requires_grad)
    if names is not None:
        raise unsupported("full", "names", names)
    if isinstance(size, int):
        raise TypeError("full(): argument 'size' (position 1) must be tuple of ints, not int")
    number = fill_number("full", fill_value)
    default = out.dtype if out is not None else dtypes.of_number(type(number))
    t = full_of(
        sizes_for("full", (size,)), number, kind_for("full", dtype, default), resolve(device)
    )
    return finish(t, requires_grad) if out is None else write_out("full", out, t)


def _like(name: str, number: int) -> Any:
    def function(
        input: Tensor, *, dtype: Any = None, layout: Any = None, device: Any = None,
        requires_grad: bool = False, pin_memory: bool = False, memory_format: Any = preserve_format,
    ) -> Tensor:  # fmt: skip
        kind = kind_for(name, dtype, _tensor(name, input).dtype)
        if is_sparse_layout(layout, input):
            return finish(SPARSE[0](name, tuple(input.shape), layout, kind, input), requires_grad)
        check_options(name, layout, pin_memory, memory_format, requires_grad)
        return _full_like(input, number, kind, device, requires_grad, memory_format)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"`{name[:-5]}` in another tensor's shape, dtype and device."
    return composite(function, method=False)


SPARSE: list[Any] = []  # ops.sparse_public puts here what makes sparse tensors of zeros


def is_sparse_layout(wanted: Any, input: Any = None) -> bool:
    """Whether a new tensor is to be sparse: it is asked for, or the one it is like is."""
    if wanted is None:
        return input is not None and input.layout is not strided
    return isinstance(wanted, layout_class) and wanted is not strided


def _tensor(name: str, input: Any) -> Tensor:
    if not isinstance(input, Tensor):
        kind = type(input).__name__
        raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {kind}")
    return input


def _full_like(
    input: Tensor, number: Any, kind: dtypes.dtype, where: Any, requires_grad: bool, wanted: Any
) -> Tensor:
    place = input.device if where is None else resolve(where)
    t = full_of(tuple(input._aval.shape), number, kind, place)
    if input.layout is not strided:  # type: ignore[attr-defined]
        return finish(t, requires_grad)
    at = input.geometry()
    if wanted is preserve_format and not at.contiguous:
        shape = tuple(t.shape)
        set_layout(t, result_stride((shape,), (tuple(at.stride),), shape))
    elif wanted is not preserve_format and wanted is not None:
        set_layout(t, stride_of_format(tuple(t.shape), wanted))
    return finish(beside(t, input), requires_grad)


zeros_like = _like("zeros_like", 0)
ones_like = _like("ones_like", 1)
empty_like = _like("empty_like", 0)


@composite(method=False)
def full_like(
    input: Tensor, fill_value: Any, *, dtype: Any = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False, pin_memory: bool = False, memory_format: Any = preserve_format,
) -> Tensor:  # fmt: skip
    """`full` in another tensor's shape, dtype and device."""
    check_options("full_like", layout, pin_memory, memory_format, requires_grad)
    number = fill_number("full_like", fill_value)
    kind = kind_for("full_like", dtype, _tensor("full_like", input).dtype)
    if input._bearer is not None and layout is None:
        ones = SPARSE[0]("ones_like", input.shape, None, kind, input)
        return finish(ones.with_values(ones._bearer * number), requires_grad)
    return _full_like(input, number, kind, device, requires_grad, memory_format)


def _new_method(name: str, number: int) -> None:
    def function(
        self: Tensor, *size: Any, dtype: Any = None, device: Any = None,
        requires_grad: bool = False,
        layout: Any = None, pin_memory: bool = False, **named: Any,
    ) -> Tensor:  # fmt: skip
        sizes = sizes_for(name, _named_size(name, size, named)[0])
        if is_sparse_layout(layout, self):
            kind = kind_for(name, dtype, self.dtype)
            return finish(SPARSE[0](name, sizes, layout, kind, self), requires_grad)
        check_options(name, layout, pin_memory, None, requires_grad)
        where = self.device if device is None else resolve(device)
        kind = kind_for(name, dtype, self.dtype)
        return finish(beside(full_of(sizes, number, kind, where), self), requires_grad)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"`{name[4:]}` with this tensor's dtype and device."
    install(name, function)


for _name, _number in {"new_zeros": 0, "new_ones": 1, "new_empty": 0}.items():
    _new_method(_name, _number)


@composite(module=None, method=True)
def new_full(
    self: Tensor, size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None,
    requires_grad: bool = False, layout: Any = None, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """`full` with this tensor's dtype and device."""
    check_options("new_full", layout, pin_memory, None, requires_grad)
    where = self.device if device is None else resolve(device)
    kind, number = kind_for("new_full", dtype, self.dtype), fill_number("new_full", fill_value)
    made = full_of(sizes_for("new_full", (size,)), number, kind, where)
    return finish(beside(made, self), requires_grad)


@composite(module=None, method=True)
def new_empty_strided(self: Tensor, size: Any, stride: Any, **named: Any) -> Tensor:
    """`empty_strided` with this tensor's dtype and device."""
    return empty_strided(size, stride, **{"dtype": self.dtype, "device": self.device, **named})


@composite(method=False)
def empty_strided(
    size: Any, stride: Any, *, dtype: Any = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """A tensor with the given strides (here its elements are zero)."""
    check_options("empty_strided", layout, pin_memory, None, requires_grad)
    size, stride = sizes_for("empty_strided", (size,)), sizes_of((stride,), "empty_strided")
    if len(size) != len(stride):
        raise RuntimeError(
            f"dimensionality of sizes ({len(size)}) must match dimensionality of strides "
            f"({len(stride)})"
        )
    if any(n < 0 for n in stride):
        raise RuntimeError(
            f"Storage size calculation overflowed with sizes={list(size)} and "
            f"strides={list(stride)}"
        )
    kind = kind_for("empty_strided", dtype)
    if is_dense(size, stride):
        t = full_of(size, 0, kind, resolve(device))
        set_layout(t, stride)
        return finish(t, requires_grad)
    extent = 1 + sum((n - 1) * s for n, s in zip(size, stride, strict=True))
    t = full_of((extent,), 0, kind, resolve(device)).as_strided(size, stride)  # type: ignore[attr-defined]
    return finish(t, requires_grad)


@composite(method=False)
def empty_permuted(
    size: Any, physical_layout: Any, *, dtype: Any = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """A tensor whose dims lie in memory in the given order."""
    check_options("empty_permuted", layout, pin_memory, None, requires_grad)
    size, order = sizes_for("empty_permuted", (size,)), list(physical_layout)
    if len(size) != len(order):
        raise RuntimeError(
            "Number of dimensions in size does not match the length of the physical_layout; i.e. "
            f"len(size) = {len(size)} is not equal to len(physical_layout) = {len(order)}"
        )
    for i, d in enumerate(order):
        if not 0 <= d < len(size):
            raise RuntimeError(
                f"Dimension out of range (expected to be between 0 and {len(size) - 1}, but got "
                f"{d} at index {i}).  NB: negative dims not currently supported; file an issue if "
                "you want it."
            )
    if len(set(order)) != len(order):
        raise RuntimeError("Duplicate dim not allowed")
    inverse = [order.index(i) for i in range(len(size))]
    kind = kind_for("empty_permuted", dtype)
    t = full_of(tuple(size[d] for d in order), 0, kind, resolve(device))
    return finish(t.permute(inverse).detach(), requires_grad)  # type: ignore[attr-defined]
