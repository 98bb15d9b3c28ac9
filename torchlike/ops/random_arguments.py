"""Arguments of the random factories, checked and refused in PyTorch's words."""

from __future__ import annotations

from typing import Any

from ..core import dtypes
from ..core.device import device as Device
from ..core.device import resolve
from ..core.dtypes import SCALAR_NAMES, dtype
from ..core.layouts import layout, memory_format
from ..core.op import TABLE
from ..core.record import LOCAL
from ..core.rng import Generator
from ..core.storage import Size
from ..core.tensor import Tensor
from .create import check_options, full_of, kind_for, sizes_for

_KINDS: dict[str, Any] = {
    "generator": Generator,
    "out": Tensor,
    "dtype": dtype | type,
    "layout": layout,
    "device": Device | str | int,
    "pin_memory": bool,
    "requires_grad": bool,
    "memory_format": memory_format,
}
_SPELT = {
    "generator": "torch.Generator",
    "out": "Tensor",
    "dtype": "torch.dtype",
    "layout": "torch.layout",
    "device": "torch.device",
    "pin_memory": "bool",
    "requires_grad": "bool",
    "memory_format": "torch.memory_format",
}
_NEW = tuple(name for name in _KINDS if name != "memory_format")
_LIKE = tuple(name for name in _KINDS if name != "out")
_FORMS = {
    "rand": ("tuple of ints size",),
    "randn": ("tuple of ints size",),
    "randint": ("int high, tuple of ints size", "int low, int high, tuple of ints size"),
    "randperm": ("int n",),
    "rand_like": ("Tensor input",),
    "randn_like": ("Tensor input",),
    "randint_like": ("Tensor input, int high", "Tensor input, int low, int high"),
}
_OTHER_FORMS = {
    "bernoulli": (
        "Tensor input, *, torch.Generator generator = None, Tensor out = None",
        "Tensor input, float p, *, torch.Generator generator = None",
    ),
    "bernoulli_": (
        "Tensor p, *, torch.Generator generator = None",
        "float p = 0.5, *, torch.Generator generator = None",
    ),
    "random_": (
        "*, torch.Generator generator = None",
        "int from, int to, *, torch.Generator generator = None",
        "int to, *, torch.Generator generator = None",
    ),
    "normal": (
        "Tensor mean, Tensor std, *, torch.Generator generator = None, Tensor out = None",
        "Tensor mean, float std = 1, *, torch.Generator generator = None, Tensor out = None",
        "float mean, Tensor std, *, torch.Generator generator = None, Tensor out = None",
        "float mean, float std, tuple of ints size, *, torch.Generator generator = None, "
        "Tensor out = None, torch.dtype dtype = None, torch.layout layout = None, torch.device "
        "device = None, bool pin_memory = False, bool requires_grad = False",
    ),
}


# ----- errors -----


def mismatch(function: str, args: tuple, named: dict) -> TypeError:
    """The error for arguments that fit none of a function's forms, which it lists."""
    got = [_kind(arg) for arg in args] + [f"{name}={_kind(x)}" for name, x in named.items()]
    forms = "".join(f" * ({form})\n" for form in _forms(function))
    return TypeError(
        f"{function}() received an invalid combination of arguments - got ({', '.join(got)}), "
        f"but expected one of:\n{forms}"
    )


def _kind(value: Any) -> str:
    ours = (Generator, dtype, layout, memory_format, Device, Size)
    name = type(value).__name__
    return f"torch.{name}" if isinstance(value, ours) else name


def _forms(function: str) -> tuple[str, ...]:
    if function in _OTHER_FORMS:
        return _OTHER_FORMS[function]
    allowed = _LIKE if function.endswith("_like") else _NEW
    rest = ", ".join(f"{_SPELT[name]} {name}" for name in allowed)
    return tuple(f"{form}, *, {rest}" for form in _FORMS[function])


def is_int(value: Any) -> bool:
    """Whether PyTorch takes the value for an int: no bool, no float, but a tensor of one int."""
    return hasattr(value, "__index__") and not isinstance(value, bool)


# ----- options and sizes -----


def check_named(function: str, args: tuple, named: dict) -> None:
    """Only options the function has, each of its class."""
    allowed = _LIKE if function.endswith("_like") else _NEW
    for name, value in named.items():
        if name not in allowed or (value is not None and not isinstance(value, _KINDS[name])):
            raise mismatch(function, args, named)


def size_of(function: str, size: tuple, position: int = 1) -> tuple[int, ...]:
    """`f(2, 3)` and `f((2, 3))` alike."""
    first = size[0]
    if isinstance(first, tuple | list):
        if len(size) > 1:
            raise mismatch(function, size, {})
        size = tuple(first)
    elif not is_int(first):
        raise TypeError(
            f"{function}(): argument 'size' (position {position}) must be tuple of ints, not "
            f"{_kind(first)}"
        )
    for place, n in enumerate(size):
        if not is_int(n):
            raise TypeError(
                f"{function}(): argument 'size' failed to unpack the object at pos {place + 1} "
                f'with error "type must be tuple of ints,but got {_kind(n)}"'
            )
    sizes = [n.__index__() for n in size]
    for n in sizes:
        if n < 0:
            raise RuntimeError(f"Trying to create tensor with negative dimension {n}: {sizes}")
    return tuple(sizes)


# ----- the tensor to fill -----


def blank(function: str, size: tuple[int, ...], options: dict, kind: Any = None) -> Tensor:
    """A new tensor, or `out` in this size; `kind` is the dtype when none is named."""
    out = options.get("out")
    dtype, device = options.get("dtype"), options.get("device")
    check_options(function, options.get("layout"), bool(options.get("pin_memory")))
    if out is None:
        return _new(sizes_for("empty", (size,)), kind_for("empty", dtype, kind), resolve(device))
    if dtype is not None and dtype is not out.dtype:
        ours, theirs = SCALAR_NAMES[dtype], SCALAR_NAMES[out.dtype]
        raise RuntimeError(f"dtype {ours} does not match dtype of out parameter ({theirs})")
    if device is not None and resolve(device) is not out.device:
        raise RuntimeError(f"device {device} does not match device of out parameter ({out.device})")
    return out if tuple(out.shape) == size else out.resize_(size)


def _new(size: tuple[int, ...], kind: dtype, where: Device) -> Tensor:
    """Memory to be filled at once, so on the host nothing is recorded."""
    host = where.type in ("cpu", "meta") and not LOCAL.state.vmaps
    return full_of(size, None if host else 0, kind, where)


def blank_like(function: str, input: Tensor, options: dict) -> Tensor:
    kept = ("dtype", "layout", "device", "pin_memory", "memory_format")
    if not any(name in options for name in kept) and input.is_contiguous():
        return _new(tuple(input.shape), input.dtype, input.device)
    given = {name: options[name] for name in kept if options.get(name) is not None}
    return TABLE["torch", "empty_like"](input, **given)


def finish(tensor: Tensor, options: dict) -> Tensor:
    """A tensor made to be filled is new; set requires_grad, where a dtype can have a gradient."""
    if options.get("out") is None:
        tensor._storage.version = 0
    if not options.get("requires_grad"):
        return tensor
    if tensor.dtype.category < dtypes.FLOAT:
        raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
    return tensor.requires_grad_()
