"""What PyTorch says to a call whose arguments fit none of a function's overloads.

The overloads (`overloads.txt`, written by scripts/record_overloads.py) are read when a call first
goes wrong. Matching follows PyTorch's rules: the first overload that takes the arguments wins; if
none does, one that takes that many is blamed in particular, else all are listed.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .check import spelt
from .device import device
from .dtypes import COMPLEX, FLOAT, dtype
from .layouts import layout, memory_format
from .tensor import Tensor

_SHOWN = {
    "Scalar": "Number", "int64_t": "int", "SymInt": "int", "double": "float",
    "TensorList": "tuple of Tensors", "c10::List<::std::optional<Tensor>>": "tuple of Tensors",
    "IntArrayRef": "tuple of ints",
    "SymIntArrayRef": "tuple of ints", "ArrayRef<double>": "tuple of floats",
    "ScalarList": "tuple of Scalars", "Generator": "torch.Generator",
    "ScalarType": "torch.dtype", "Layout": "torch.layout", "Device": "torch.device",
    "MemoryFormat": "torch.memory_format", "c10::string_view": "str", "PyObject*": "object",
    "Storage": "torch.Storage", "Stream": "torch.Stream", "std::string": "str",
}  # fmt: skip
_NUMPY_NAMES = {
    "dim": ("axis",), "keepdim": ("keepdims",), "input": ("x", "a", "x1"), "other": ("x2",)
}  # fmt: skip
RENAMED = {old: new for new, names in _NUMPY_NAMES.items() for old in names}
_TENSOR_OR_NUMBER = frozenset(
    name + end
    for name in ("add", "sub", "subtract", "mul", "multiply", "div", "divide", "true_divide",
                 "floor_divide", "copy")
    for end in ("", "_")
)  # fmt: skip


class Given(NamedTuple):
    """The arguments of one call."""

    args: Sequence[Any]
    named: Mapping[str, Any]


class Parameter:
    """One parameter of an overload, from its text: `Tensor? weight=None`."""

    def __init__(self, text: str, keyword_only: bool) -> None:
        head, _, default = text.partition("=")
        kind, self.name = head.rsplit(" ", 1)
        self.optional, self.keyword_only = bool(default), keyword_only
        self.takes_none = kind.endswith("?") or default == "None"
        kind, _, self.size = kind.rstrip("?").partition("[")
        self.kind = _SHOWN.get(kind, kind)
        self.shown = f"{self.kind} {self.name}" + (f" = {default}" if default else "")

    def of(self, named: Mapping[str, Any]) -> Any:
        """Its value among keyword arguments, also under NumPy's name for it."""
        for name in (self.name, *_NUMPY_NAMES.get(self.name, ())):
            if name in named:
                return named[name]
        return _ABSENT


_ABSENT = object()


class Overload:
    """One way to call a function."""

    def __init__(self, text: str) -> None:
        self.name, _, rest = text.partition("(")
        inside, _, mark = rest.rpartition(")")
        self.hidden = bool(mark)
        parts = [part for part in inside.split(", ") if part]
        star = parts.index("*") if "*" in parts else len(parts)
        self.params = [Parameter(part, i > star) for i, part in enumerate(parts) if part != "*"]
        self.positional = star
        self.least = sum(not p.optional for p in self.params)
        first = self.params[0] if star == 1 else None
        self.spread = (  # f(2, 3) for f((2, 3))
            first is not None and first.kind == "tuple of ints" and not first.takes_none
        )
        self.tokens = [p.shown for p in self.params]
        if star < len(parts):
            self.tokens.insert(star, "*")
        self.tokens = self.tokens or [""]  # PyTorch takes nothing for one thing

    def __str__(self) -> str:
        return f"({', '.join(self.tokens)})"

    # ----- matching -----
    def refuses(self, given: Given) -> str | None:
        """Why the arguments don't fit, in PyTorch's words; None if they do."""
        args, named = given
        if len(args) > self.positional and not (self.spread and _is_int(args[0])):
            return self._too_many(len(args))
        at, left = 0, len(named)
        for i, p in enumerate(self.params):
            by_name = at >= len(args)
            if not by_name and p.keyword_only:
                return self._too_many(len(args))
            x = p.of(named) if by_name else args[at]
            if x is _ABSENT and not p.optional:
                return self._missing(i)
            if self.spread and at == 0 and not by_name and _is_int(args[0]):
                at = len(args)
                continue
            if x is not _ABSENT and not (x is None and p.takes_none):
                if why := self._misfit(p, x, None if by_name else at, i):
                    return why
            at += not by_name
            left -= by_name and x is not _ABSENT
        return self._unexpected(given) if left else None

    def _misfit(self, p: Parameter, x: Any, at: int | None, index: int) -> str | None:
        if p.kind == "tuple of Tensors" and isinstance(x, (tuple, list)):
            return _not_tensors(x, index)
        if _fits(p, x, self.name):
            return None
        where = "" if at is None else f" (position {at + 1})"
        start = f"{self.name}(): argument '{p.name}'{where} must be {p.kind}, "
        if at is not None and p.kind == "tuple of ints" and isinstance(x, (tuple, list)):
            return f"{start}but found element of type {spelt(x[0])} at pos 0"
        return f"{start}not {spelt(x)}"

    def _too_many(self, count: int) -> str:
        most = self.positional
        if self.least != most:
            takes = f"from {self.least} to {most} positional arguments but {count} were"
        else:
            were = "was" if count == 1 else "were"
            takes = f"{most} positional argument{'' if most == 1 else 's'} but {count} {were}"
        return f"{self.name}() takes {takes} given"

    def _missing(self, start: int) -> str:
        names = [f'"{p.name}"' for p in self.params[start:] if not p.optional]
        plural = "s" if len(names) == 1 else ""  # as PyTorch has it
        return (
            f"{self.name}() missing {len(names)} required positional argument{plural}: "
            f"{', '.join(names)}"
        )

    def _unexpected(self, given: Given) -> str:
        names = [p.name for p in self.params]
        for key in given.named:
            if key not in names:
                return f"{self.name}() got an unexpected keyword argument '{key}'"
            if names.index(key) < len(given.args):
                return f"{self.name}() got multiple values for argument '{key}'"
        return "invalid keyword arguments"

    def broken_list(self, given: Given) -> str | None:
        """Arguments fit, but a later element of a list of ints is none."""
        for i, p in enumerate(self.params):
            if p.kind != "tuple of ints":
                continue
            x = given.args[i] if i < len(given.args) else p.of(given.named)
            if self.spread and given.args and _is_int(given.args[0]):
                x = given.args
            for at, n in enumerate(x if isinstance(x, (tuple, list)) else ()):
                if not _is_int(n) and not (at and isinstance(n, bool)):
                    return (
                        f"{self.name}(): argument '{p.name}' failed to unpack the object at pos "
                        f'{at + 1} with error "type must be tuple of ints,but got {spelt(n)}"'
                    )
        return None


def _fits(p: Parameter, x: Any, function: str) -> bool:
    test = _TESTS.get(p.kind)
    if p.kind == "Tensor":
        return isinstance(x, Tensor) or (function in _TENSOR_OR_NUMBER and _is_number(x))
    if p.kind == "tuple of ints":
        if isinstance(x, (tuple, list)):
            return not x or _is_int(x[0])
        return bool(p.size) and _is_int(x)
    return test is None or test(x)


def _is_scalar_tensor(x: Any) -> bool:
    return isinstance(x, Tensor) and x.ndim == 0 and not x._requires_grad


def _is_int(x: Any) -> bool:
    if isinstance(x, Tensor):
        return _is_scalar_tensor(x) and x._aval.dtype.category < FLOAT
    return hasattr(x, "__index__") and not isinstance(x, bool)


def _is_float(x: Any) -> bool:
    if isinstance(x, Tensor):
        return _is_scalar_tensor(x) and x._aval.dtype.category < COMPLEX
    return isinstance(x, (int, float, np.number))


def _is_number(x: Any) -> bool:
    return isinstance(x, (int, float, complex, np.number, np.bool_)) or _is_scalar_tensor(x)


_TESTS: dict[str, Any] = {
    "Number": _is_number,
    "int": _is_int,
    "float": _is_float,
    "bool": lambda x: isinstance(x, (bool, np.bool_)),
    "str": lambda x: isinstance(x, str),
    "torch.dtype": lambda x: isinstance(x, dtype) or x in (float, int, bool, complex),
    "torch.device": lambda x: isinstance(x, (device, str)) or _is_int(x),
    "torch.layout": lambda x: isinstance(x, layout),
    "torch.memory_format": lambda x: isinstance(x, memory_format),
    "torch.Generator": lambda x: type(x).__name__ == "Generator",
    "tuple of Tensors": lambda x: isinstance(x, (tuple, list)),
    "tuple of floats": lambda x: isinstance(x, (tuple, list)) and (not x or _is_float(x[0])),
    "tuple of Scalars": lambda x: isinstance(x, (tuple, list)) and all(map(_is_number, x)),
}


def _not_tensors(given: Sequence[Any], index: int) -> str | None:
    for i, t in enumerate(given):
        if not isinstance(t, Tensor):
            return f"expected Tensor as element {i} in argument {index}, but got {spelt(t)}"
    return None


# ----- all overloads of a function -----
@functools.cache
def _texts() -> dict[str, list[str]]:
    """Overloads by `place.name`, as the file has them."""
    found: dict[str, list[str]] = {}
    lines = (Path(__file__).parent / "overloads.txt").read_text("utf-8").splitlines()
    place = ""
    for line in lines:
        if line.startswith("["):
            place = line.strip("[]")
        elif line:
            name = line.partition("(")[0].removeprefix(f"{place}_")  # linalg.linalg_inv
            found.setdefault(f"{place}.{name}", []).append(line)
    return found


@functools.cache
def overloads_of(place: str, name: str) -> list[Overload]:
    """The overloads of `torch.name`, `Tensor.name`, … in PyTorch's order."""
    return [Overload(text) for text in _texts().get(f"{place}.{name}", ())]


def complaint(place: str, name: str, args: Sequence[Any], named: Mapping[str, Any]) -> str | None:
    """PyTorch's text for arguments no overload takes; None if one does or none is known."""
    overloads = overloads_of(place, name)
    given = Given(args, named)
    if not overloads:
        return None
    if place == "Tensor" and len(overloads) == 1 and not overloads[0].params:
        return _of_no_arguments(name, given)
    reasons = []
    for overload in overloads:
        why = overload.refuses(given)
        if why is None:
            return overload.broken_list(given)
        if why.startswith("expected Tensor as element"):
            return why  # PyTorch gives up at once
        reasons.append(why)
    if len(overloads) == 1:
        return reasons[0]
    count = len(args) + len(named)
    plausible = [
        why
        for overload, why in zip(overloads, reasons, strict=True)
        if overload.least <= count <= len(overload.params) and not overload.hidden
    ]
    return plausible[0] if len(plausible) == 1 else _listed(overloads[0].name, given, overloads)


def deprecated(
    place: str, name: str, args: Sequence[Any], named: Mapping[str, Any]
) -> tuple[str, dict[str, Any]] | None:
    """PyTorch's warning for a call by an overload of old, and its arguments by name."""
    given = Given(args, named)
    overloads = overloads_of(place, name)
    found = next((o for o in overloads if o.hidden and o.refuses(given) is None), None)
    if found is None:
        return None
    listed = "".join(f"\n\t{name}{o}" for o in overloads if not o.hidden)
    text = (
        f"This overload of {name} is deprecated:\n\t{name}{found}\nConsider using one of the "
        f"following signatures instead:{listed} (Triggered internally at "
        "/__w/pytorch/pytorch/torch/csrc/utils/python_arg_parser.cpp:1841.)"
    )
    by_position = {p.name: x for p, x in zip(found.params, args, strict=False)}
    return text, by_position | dict(named)


def _of_no_arguments(name: str, given: Given) -> str | None:
    if given.named:
        return f"TensorBase.{name}() takes no keyword arguments"
    if given.args:
        return f"TensorBase.{name}() takes no arguments ({len(given.args)} given)"
    return None


# ----- the list -----
def _listed(name: str, given: Given, overloads: Sequence[Overload]) -> str:
    start = f"{name}() received an invalid combination of arguments - got "
    got = _described(given)
    shown = [o for o in overloads if not o.hidden]
    if len(shown) == 1:
        if unknown := _unknown(shown[0], given):
            return f"{start}unrecognized keyword arguments: {unknown}"
        if _same_count(shown[0], given):
            got = _marked(shown[0], given)
        return f"{start}{got}, but expected {shown[0]}"
    rows = "".join(f" * {o}\n{_hint(o, given)}" for o in shown)
    return f"{start}{got}, but expected one of:\n{rows}"


def _described(given: Given) -> str:
    """`(Tensor, dim=str)`; keywords come out of PyTorch's table last first."""
    parts = [spelt(x) for x in given.args]
    parts += [f"{key}={spelt(x)}" for key, x in reversed(list(given.named.items()))]
    return f"({', '.join(parts)}{'' if given.args or not parts else ', '})"


def _same_count(overload: Overload, given: Given) -> bool:
    return len(given.args) + len(given.named) == len(overload.tokens)


def _hint(overload: Overload, given: Given) -> str:
    if not _same_count(overload, given):
        return ""
    if unknown := _unknown(overload, given):
        return f"      didn't match because some of the keywords were incorrect: {unknown}\n"
    marked = _marked(overload, given)
    return f"      didn't match because some of the arguments have invalid types: {marked}\n"


def _name_in(token: str) -> str:
    return token.rpartition(" ")[2]  # a default stands where PyTorch looks for the name


def _unknown(overload: Overload, given: Given) -> str:
    names = [_name_in(t) for t in overload.tokens[max(0, len(overload.tokens) - len(given.named)):]]
    return ", ".join(key for key in reversed(list(given.named)) if key not in names)


def _marked(overload: Overload, given: Given) -> str:
    """The arguments with those of another type between exclamation marks."""
    parts = []
    for i, token in enumerate(overload.tokens):
        by_name = i >= len(given.args)
        x = given.named[_name_in(token)] if by_name else given.args[i]
        text = (f"{_name_in(token)}=" if by_name else "") + _unfolded(x)
        parts.append(text if _is_of(token.rpartition(" ")[0], x) else f"!{text}!")
    return f"({', '.join(parts)}{'' if given.args or not parts else ', '})"


def _is_of(kind: str, x: Any) -> bool:
    found = spelt(x)
    return found == kind or (kind == "float" and found == "int")


def _unfolded(x: Any) -> str:
    if not isinstance(x, (tuple, list)):
        return spelt(x)
    inner = ", ".join(spelt(e) for e in x)
    if isinstance(x, tuple):
        return f"{spelt(x)} of ({inner}{',' if len(x) == 1 else ''})"
    return f"{spelt(x)} of [{inner}]"
