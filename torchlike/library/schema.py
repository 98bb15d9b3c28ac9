"""Signatures of ops in PyTorch's notation: read, written, and made from Python's annotations."""

from __future__ import annotations

import ast
import collections.abc
import inspect
import re
import types
import typing
from dataclasses import dataclass
from typing import Any

from ..core.device import device
from ..core.dtypes import dtype
from ..core.tensor import Tensor

_ARGUMENT = re.compile(
    r"(?P<kind>\w+)(?P<alias>\([^)]*\))?(?P<marks>(?:\?|\[\d*\])*)\s*(?P<name>\w+)?"
    r"(?:\s*=\s*(?P<default>.+))?", re.DOTALL,
)  # fmt: skip
_SCHEMA = re.compile(
    r"(?:(?P<space>\w+)::)?(?P<name>\w+)(?:\.(?P<overload>\w+))?\s*\((?P<arguments>.*)\)\s*->\s*"
    r"(?P<returns>.*)", re.DOTALL,
)  # fmt: skip
NOTHING = object()  # of an argument: it has no default


@dataclass
class Argument:
    """One argument, or one result."""

    kind: str  # Tensor, int, …
    alias: str  # (a), or (a!) if the op writes to it
    marks: str  # ? if it may be None, [] for a list
    name: str
    default: Any = NOTHING
    kwarg_only: bool = False

    @property
    def type(self) -> str:
        """The type, as in error messages."""
        shown = self.kind
        for mark in re.findall(r"\?|\[\d*\]", self.marks):
            shown = f"Optional[{shown}]" if mark == "?" else f"List[{shown}]"
        return shown

    @property
    def is_write(self) -> bool:
        return "!" in self.alias

    def __str__(self) -> str:
        name = f" {self.name}" if self.name else ""
        default = "" if self.default is NOTHING else f"={_shown(self.default)}"
        return f"{self.kind}{self.alias}{self.marks}{name}{default}"

    def accepts(self, value: Any) -> bool:
        """Whether a tensor is where one must be, and a list where one must be."""
        if value is None:
            return "?" in self.marks or self.default is None
        if "[" in self.marks:
            return isinstance(value, (list, tuple)) or (self.kind != "Tensor")
        return self.kind != "Tensor" or isinstance(value, Tensor)


class _Word(str):
    """A default that is a name: contiguous_format."""


def _shown(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return f"{int(value)}."
    if isinstance(value, str) and not isinstance(value, _Word):
        return f'"{value}"'
    return str(value)


def _split(text: str) -> list[str]:
    """At commas outside of brackets and quotes."""
    parts, depth, quote = [""], 0, ""
    for letter in text:
        if quote or letter in "'\"":
            quote = "" if letter == quote else quote or letter
        else:
            depth += (letter in "([") - (letter in ")]")
        if letter == "," and not depth and not quote:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]


def _default(text: str | None, kind: str) -> Any:
    if text is None:
        return NOTHING
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return _Word(text)
    return float(value) if kind == "float" and type(value) is int else value


def _argument(text: str) -> Argument:
    found = _ARGUMENT.fullmatch(text)
    if found is None:
        raise RuntimeError(f"not an argument of a schema: {text!r}")
    kind, alias, marks, name, default = found.groups()
    return Argument(kind, alias or "", marks, name or "", _default(default, kind))


def _is_default(given: Argument, value: Any) -> bool:
    return value is given.default or (
        type(value) is type(given.default) and not isinstance(value, Tensor)
        and value == given.default
    )  # fmt: skip


class Schema:
    """What an op takes and gives."""

    def __init__(self, text: str) -> None:
        found = _SCHEMA.fullmatch(text.strip())
        if found is None:
            raise RuntimeError(f"not a schema: {text!r}, it must look like foo(Tensor x) -> Tensor")
        self.namespace, self.name = found["space"] or "", found["name"]
        self.overload = found["overload"] or ""
        words = _split(found["arguments"])
        star = words.index("*") if "*" in words else len(words)
        self.arguments = [_argument(word) for word in words if word != "*"]
        for given in self.arguments[star:]:
            given.kwarg_only = True
        returns = found["returns"].strip()
        inner = returns[1:-1] if returns.startswith("(") else returns
        self.returns = [_argument(word) for word in _split(inner)]

    @property
    def qualname(self) -> str:
        return f"{self.namespace}::{self.name}"

    @property
    def is_mutable(self) -> bool:
        return any(given.is_write for given in self.arguments)

    def __str__(self) -> str:
        plain = [str(given) for given in self.arguments if not given.kwarg_only]
        named = [str(given) for given in self.arguments if given.kwarg_only]
        inside = ", ".join([*plain, *(["*", *named] if named else [])])
        returns = ", ".join(map(str, self.returns))
        returns = returns if len(self.returns) == 1 else f"({returns})"
        overload = f".{self.overload}" if self.overload else ""
        return f"{self.qualname}{overload}({inside}) -> {returns}"

    # ----- calls -----
    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[list[Any], dict]:
        """The arguments in order, and those by name; RuntimeError where they don't fit."""
        plain = [given for given in self.arguments if not given.kwarg_only]
        if len(args) > len(plain):
            raise RuntimeError(
                f"{self.qualname}() expected at most {len(plain)} argument(s) but received "
                f"{len(args)} argument(s). Declaration: {self}"
            )
        values, left = {}, dict(kwargs)
        for at, given in enumerate(self.arguments):
            if at < len(args) and not given.kwarg_only:
                values[given.name] = args[at]
            elif given.name in left:
                values[given.name] = left.pop(given.name)
            elif given.default is not NOTHING:
                values[given.name] = given.default
            else:
                raise RuntimeError(
                    f"{self.qualname}() is missing value for argument '{given.name}'. "
                    f"Declaration: {self}"
                )
            self._check(at, given, values[given.name])
        if left:
            raise RuntimeError(
                f"Unknown keyword argument '{next(iter(left))}' for operator '{self.qualname}'. "
                f"Schema: {self}"
            )
        named = {g.name: values[g.name] for g in self.arguments if g.kwarg_only}
        return [values[given.name] for given in plain], named

    def without_defaults(self, values: list[Any], named: dict[str, Any]) -> tuple[list, dict]:
        """What PyTorch hands to a function: no defaults at the end, nor among those by name."""
        plain = [given for given in self.arguments if not given.kwarg_only]
        while values and _is_default(plain[len(values) - 1], values[-1]):
            values = values[:-1]
        table = {given.name: given for given in self.arguments}
        return values, {k: v for k, v in named.items() if not _is_default(table[k], v)}

    def _check(self, at: int, given: Argument, value: Any) -> None:
        if not given.accepts(value):
            raise RuntimeError(
                f"{self.qualname}() Expected a value of type '{given.type}' for argument "
                f"'{given.name}' but instead found type '{type(value).__name__}'.\n"
                f"Position: {at}\nValue: {value}\nDeclaration: {self}\n"
                f"Cast error details: Unable to cast {value} to Tensor"
            )


# ----- from annotations -----
_KINDS = {Tensor: "Tensor", int: "SymInt", float: "float", bool: "bool", str: "str",
          dtype: "ScalarType", device: "Device"}  # fmt: skip
_LISTS = (list, collections.abc.Sequence, tuple)


def _kind(annotation: Any) -> str | None:
    """PyTorch's name for an annotation; None where it has none."""
    if annotation in _KINDS:
        return _KINDS[annotation]
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        if set(inner) == {int, float, bool}:
            return "Scalar"
        rest = [x for x in inner if x is not type(None)]
        found = _kind(rest[0]) if len(rest) == 1 and len(inner) == 2 else None
        return None if found is None else f"{found}?"
    if origin in _LISTS and len(set(inner) - {...}) == 1:
        found = _kind(inner[0])
        return None if found is None else f"{found}[]"
    return None


def infer_schema(prototype_function: Any, /, *, mutates_args: Any, op_name: str | None = None,
                 tags: Any = ()) -> str:  # fmt: skip
    """The schema of a function with annotations; `mutates_args` are those it writes to."""
    signature = inspect.signature(prototype_function)
    hints = typing.get_type_hints(prototype_function)
    words, starred, written = [], False, 0
    for given in signature.parameters.values():
        if given.kind in (given.VAR_POSITIONAL, given.VAR_KEYWORD, given.POSITIONAL_ONLY):
            raise ValueError(
                "infer_schema(func): We do not support positional-only args, varargs, or varkwargs."
                f" Got func with signature {signature})"
            )
        if given.kind is given.KEYWORD_ONLY and not starred:
            words.append("*")
            starred = True
        kind = _annotated(given, hints, signature)
        if kind.startswith("Tensor") and (mutates_args == "unknown" or given.name in mutates_args):
            kind = kind.replace("Tensor", f"Tensor(a{written}!)", 1)
        written += 1
        shown = f'"{given.default}"' if isinstance(given.default, str) else given.default
        default = "" if given.default is given.empty else f"={shown}"
        words.append(f"{kind} {given.name}{default}")
    if mutates_args != "unknown":
        _check_written(mutates_args, signature)
    name = op_name or ""
    return f"{name}({', '.join(words)}) -> {_returned(hints.get('return', NOTHING), signature)}"


def _annotated(given: inspect.Parameter, hints: dict[str, Any], signature: Any) -> str:
    if given.annotation is given.empty:
        raise ValueError(
            f"infer_schema(func): Parameter {given.name} must have a type annotation. Got func "
            f"with signature {signature})"
        )
    annotation = hints[given.name]
    if given.default is None and type(None) in typing.get_args(annotation):
        bare = given.annotation  # get_type_hints of Python 3.10 adds None to what may be None
        annotation = annotation if isinstance(bare, str) else bare
    kind = _kind(annotation)
    if kind is None:
        raise ValueError(
            f"infer_schema(func): Parameter {given.name} has unsupported type "
            f"{given.annotation}. Got func with signature {signature})"
        )
    return kind


def _check_written(mutates_args: Any, signature: Any) -> None:
    unknown = set(mutates_args) - set(signature.parameters)
    if unknown:
        raise ValueError(
            f"infer_schema(func): {unknown} in mutates_args were not found in the custom op's "
            "signature. mutates_args should contain the names of all args that the custom op "
            "mutates, or just the string 'unknown' if you don't know. Got func with "
            f"signature {signature})"
        )


def _returned(annotation: Any, signature: Any) -> str:
    if annotation is NOTHING or annotation is Any:
        raise ValueError(
            "infer_schema(func): No return type annotation was provided. Please add one. Got func "
            f"with signature {signature})"
        )
    if annotation in (None, type(None)):
        return "()"
    kinds = typing.get_args(annotation) if typing.get_origin(annotation) is tuple else (annotation,)
    found = [_kind(kind) for kind in kinds]
    if None in found:
        raise ValueError(
            f"infer_schema(func): Return has unsupported type {annotation}. Got func with "
            f"signature {signature})"
        )
    words = [str(kind) for kind in found]
    return words[0] if len(words) == 1 else f"({', '.join(words)})"
