"""The vocabulary of an op's annotations: what each parameter takes, and how it is converted."""

from __future__ import annotations

import typing
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from . import dtypes
from .check import check_dim, check_dims
from .plan import ArgumentTypeError, Op

# ----- the vocabulary of annotations -----
if TYPE_CHECKING:  # inside a body they are arrays, numbers and tuples
    Array = Operand = Number = Arrays = Dim = Dims = Dtype = Size = Any
else:

    class Array:
        """A tensor parameter: the body gets a JAX array."""

    class Operand:
        """A tensor or a Python number, promoted together with the other operands."""

    class Number:
        """A Python number handed in at run time, as a 0-d array of the promoted dtype."""

    class Arrays:
        """A list or tuple of tensors: the body gets a tuple of arrays."""

    class Dim:
        """One dim, checked and counted from the front."""

    class Dims:
        """None, a dim or several: the body gets a tuple of dims counted from the front, or None."""

    class Dtype:
        """A PyTorch dtype or None: the body gets the NumPy dtype, or None."""

    class Size:
        """A size or sequence of sizes: the body gets a tuple of ints."""


_KINDS = {"Array": "tensor", "Operand": "operand", "Number": "number", "Arrays": "tensors"}
_EXPECTS = {
    "tensor": "Tensor",
    "operand": "Tensor",
    "number": "Number",
    "tensors": "tuple of Tensors",
}


def _coerce_dim(x: Any, first: Any, op: Op) -> Any:
    if x is None:
        return None
    return check_dim(_integer(x, "dim", op), first.ndim)


def _coerce_dims(x: Any, first: Any, op: Op) -> Any:
    if x is None:
        return None
    if isinstance(x, (tuple, list)):
        return check_dims([_integer(d, "dim", op) for d in x], first.ndim)
    return (check_dim(_integer(x, "dim", op), first.ndim),)


def _integer(x: Any, name: str, op: Op) -> int:
    if isinstance(x, (bool, float)) or not hasattr(x, "__index__"):
        raise ArgumentTypeError(
            f"{op.name}(): argument '{name}' must be int, not {type(x).__name__}"
        )
    return x.__index__()


def _coerce_dtype(x: Any, first: Any, op: Op) -> Any:
    if x is None:
        return None
    if not isinstance(x, dtypes.dtype):
        found = _PYTHON_TYPES.get(x)
        if found is None:
            raise ArgumentTypeError(
                f"{op.name}(): argument 'dtype' must be torch.dtype, not {type(x).__name__}"
            )
        x = found() if callable(found) else found
    return dtypes.to_numpy(x)


_PYTHON_TYPES: dict[Any, Any] = {
    bool: dtypes.bool_, int: dtypes.int64, float: lambda: dtypes.float64,
    complex: dtypes.complex128,
}  # fmt: skip


def _coerce_size(x: Any, first: Any, op: Op) -> Any:
    if x is None:
        return None
    if isinstance(x, (tuple, list)):
        return tuple(_integer(n, "size", op) for n in x)
    return (_integer(x, "size", op),)


def _coerce_plain(kinds: tuple[type, ...], shown: str) -> Callable[..., Any]:
    """A static argument of a Python class: another class is an error, once per plan."""

    def coerce(x: Any, first: Any, op: Op) -> Any:
        if x is not None and (not isinstance(x, kinds) or x.__class__ is bool and shown == "int"):
            raise ArgumentTypeError(
                f"{op.name}(): argument must be {shown}, not {type(x).__name__}"
            )
        return x

    return coerce


COERCE = {
    "Dim": _coerce_dim, "Dims": _coerce_dims, "Dtype": _coerce_dtype, "Size": _coerce_size,
    "int": _coerce_plain((int, np.integer), "int"),
    "bool": _coerce_plain((bool, np.bool_), "bool"),
    "float": _coerce_plain((int, float, np.number), "float"),
}  # fmt: skip


class Param:
    """One parameter of an op, as its annotation says."""

    __slots__ = (
        "name", "position", "kind", "optional", "coerce", "default", "has_default", "keyword_only",
        "expects", "demanded",
    )  # fmt: skip

    def __init__(self, name: str, position: int, annotation: Any, keyword_only: bool) -> None:
        text = annotation if isinstance(annotation, str) else _text(annotation)
        self.optional = "Optional" in text or "None" in text
        inner = text.replace("Optional[", "").replace("]", "").replace("| None", "").strip()
        self.name, self.position, self.keyword_only = name, position, keyword_only
        self.kind = _KINDS.get(inner, "static")
        self.coerce = COERCE.get(inner)
        self.expects = _EXPECTS.get(self.kind, "")
        self.has_default, self.default = False, None
        self.demanded = inner in COERCE and not self.optional  # None is no value for it


def _text(annotation: Any) -> str:
    args = typing.get_args(annotation)
    if args:
        return " | ".join(_text(a) for a in args)
    return "None" if annotation is type(None) else getattr(annotation, "__name__", str(annotation))


def params_of(body: Callable[..., Any]) -> list[Param]:
    code, notes = body.__code__, body.__annotations__
    positional = code.co_varnames[: code.co_argcount]
    keywords = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    params = [Param(n, i, notes.get(n, "object"), False) for i, n in enumerate(positional)]
    params += [
        Param(n, len(positional) + i, notes.get(n, "object"), True) for i, n in enumerate(keywords)
    ]
    defaults, keyword_defaults = body.__defaults__ or (), body.__kwdefaults__ or {}
    for p, value in zip(
        params[len(positional) - len(defaults) : len(positional)], defaults, strict=True
    ):
        p.has_default, p.default = True, value
        p.demanded &= value is not None
    for p in params[len(positional) :]:
        if p.name in keyword_defaults:
            p.has_default, p.default = True, keyword_defaults[p.name]
            p.demanded &= p.default is not None
    return params
