"""Declaring ops: one declaration gives function, method, in-place and `out=` variants.

`@op` reads a body's signature once; the public function is compiled when it is first called.
"""

from __future__ import annotations

import functools
import inspect
import types
import typing
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .check import warn
from .dispatch import call, call_view
from .intercept import DUCKS
from .mutate import check_apart, checked_result, inplace, overwrite, write_out
from .overloads import RENAMED, deprecated
from .params import COERCE, params_of
from .params import Array as Array
from .params import Arrays as Arrays
from .params import Dim as Dim
from .params import Dims as Dims
from .params import Dtype as Dtype
from .params import Number as Number
from .params import Operand as Operand
from .params import Param as Param
from .plan import ABSENT, ArgumentTypeError, Op
from .tensor import TENSORS, Tensor, from_host
from .writable import check_captured, check_writable
from .wrong_call import FAILED, build, checked, wrong

Optional = typing.Optional  # re-exported: declarations import their whole vocabulary from here

_ROOT = __name__.partition(".")[0]
TABLE: dict[tuple[str, str], Callable[..., Any]] = {}  # (module, public name) -> function
_NAMED: set[Callable[..., Any]] = set()
OPS: dict[str, Op] = {}  # public ops by name


# ----- @op -----
def op(body: Any = None, **traits: Any) -> Any:
    """Declare an op from its body; see the module's text and CONTRIBUTING.md."""
    if body is None:
        return lambda b: op(b, **traits)
    name = traits.pop("name", body.__name__)
    return declare(name, body, params_of(body), **traits)


def declare(name: str, body: Callable[..., Any], params: Sequence[Param], **traits: Any) -> Op:
    """Make the op, its public function and its variants."""
    made = Op(name, body, params, **traits)
    module = made.module
    if module is not None:
        OPS[name] = made  # overloads behind a composite share a name and are not listed
    first_is_tensor = bool(params) and params[0].kind in ("tensor", "operand")
    has_out = traits.get("out", module == "torch" and not made.view)
    short = name.removeprefix(f"{module}_")  # linalg.vector_norm is linalg_vector_norm
    made.public = public = _function(made, short, has_out, "call", module or "")
    if module is not None:
        publish(module, short, public)
    if first_is_tensor and traits.get("method", module == "torch"):
        _install(name, _function(made, name, False, "call", "Tensor"))
    if first_is_tensor and traits.get("inplace", made.elementwise and module == "torch"):
        twin = name + "_"
        _install(twin, _function(made, twin, False, "inplace", "Tensor"))
        if module is not None and traits.get(
            "inplace_function", made.elementwise or module != "torch"
        ):
            publish(module, twin, _function(made, twin, False, "inplace", module))
    return made


def publish(module: str, name: str, function: Callable[..., Any]) -> None:
    """Put a public function into the table; declaring one twice is an error.

    A plain Python function is wrapped, so that a wrong call of it says what PyTorch says.
    """
    if (module, name) in TABLE:
        raise ValueError(f"{module}.{name} is declared twice")
    _tell(function, name)
    if "_place" not in getattr(function, "__globals__", {"_place"}):
        function = checked(function, module, name)
    TABLE[module, name] = function
    if function not in _NAMED:  # under its first name; aliases come later
        _NAMED.add(function)
        function.__name__ = function.__qualname__ = name
        function.__module__ = _ROOT + f".{module}" * (module != "torch")  # where pickle finds it


def _install(name: str, function: Callable[..., Any]) -> None:
    setattr(Tensor, name, function)


def install(name: str, function: Callable[..., Any]) -> None:
    """A method written in Python; a wrong call of it says what PyTorch says."""
    _tell(function, name)
    setattr(Tensor, name, checked(function, "Tensor", name))


def unary(name: str, function: Callable[..., Any], promote: Any = "float", **traits: Any) -> Op:
    """Declare an elementwise op of one tensor as a row."""

    def body(input: Array) -> Any:
        return function(input)

    traits.setdefault("elementwise", True)
    return declare(name, body, params_of(body), promote=promote, **traits)


# ----- the public function, compiled on first call -----
def _function(
    made: Op, name: str, has_out: bool, style: str, place: str
) -> Callable[..., Any]:
    space = {
        "_build": _build, "_op": made, "_name": name, "_out": has_out, "_style": style,
        "_place": place, "__name__": "torch",
    }  # fmt: skip
    function = types.FunctionType(_stub.__code__, space, name)
    function.__doc__ = made.body.__doc__ or _called(made.params, name, has_out)
    function.__qualname__ = name
    space["_function"] = function
    return function


def _tell(function: Callable[..., Any], name: str) -> None:
    if function.__doc__ is None:
        function.__doc__ = _called(params_of(inspect.unwrap(function)), name, False)


def _called(params: Sequence[Param], name: str, has_out: Any) -> str:
    """How it is called, for `help` of an op whose body says nothing of itself."""
    parts, named = [], []
    for p in params:
        text = f"{p.name}={p.default!r}" if p.has_default else p.name
        (named if p.keyword_only else parts).append(text)
    if has_out:
        named.append("out=None")
    return f"{name}({', '.join([*parts, *['*'] * bool(named), *named])}), as in PyTorch."


def _stub(*args: Any, **kwargs: Any) -> Any:
    real = _build(_function, _op, _name, _out, _style)  # type: ignore # noqa: F821
    return real(*args, **kwargs)


def _build(function: Any, made: Op, name: str, has_out: bool, style: str) -> Callable[..., Any]:
    """Give the stub its real code: from then on it is as fast as a function written by hand."""
    space = function.__globals__
    return build(function, _source(made, name, has_out, style, space), space)


def _source(made: Op, name: str, has_out: bool, style: str, space: dict[str, Any]) -> str:
    """The function's text. It takes any arguments: what is wrong with them is told afterwards."""
    space.update(
        _call=call_view if made.view else call, _inplace=inplace, _write_out=write_out,
        _tensors=_tensor_list, _rename=_rename, _error=ArgumentTypeError, _absent=ABSENT,
        _wrong=wrong, _rule=made.out_rule, _only_bool=_only_bool,
        _dtype_of=_dtype_of, _of_array=_of_array,
        _head=functools.partial(_head, made, has_out, "{}"),
    )  # fmt: skip
    for p in made.params:
        if p.has_default:
            space["_d_" + p.name] = p.default
    lines: list[str] = []
    lines += [_MISTAKEN[p.coerce].format(p.name) for p in made.statics if p.coerce in _MISTAKEN]
    inputs, prefix = _input_list(made, lines)
    statics = ", ".join([*prefix, *[p.name for p in made.statics]])
    statics = f"({statics},)" if statics else "()"
    target = "_inplace" if style == "inplace" else "_call"
    if has_out:
        if "typed" in made.out_rule:
            lines.append("if out is not None and dtype is None: dtype = _dtype_of(out)")
        lines.append(
            f"if out is not None: return _write_out(_name, out, _call(_op, {inputs}, {statics}), "
            f"{inputs}, _rule)"
        )
    lines.append(f"return {target}(_op, {inputs}, {statics})")
    if style == "operator":
        pair = ", ".join(p.name for p in made.params)
        other = f"_of_array(_function, {pair})" if made.arrays else "NotImplemented"
        head, failed = _head(made, False, "{}"), [f"    except _error: return {other}"]
    else:
        head = _head(made, has_out, "{}=_absent", "*_more", "**_names")
        lines.insert(0, "if _more or _names: return _rename(_function, _more, _names, locals())")
        failed = FAILED
    body = ["    try:", *["        " + line for line in lines], *failed]
    return "\n".join([f"def {name}({head}):", *body])


def _of_array(function: Callable[..., Any], x: Tensor, other: Any) -> Any:
    """What an operator makes of a NumPy array of numbers; it leaves the rest to the other side."""
    known = isinstance(other, np.ndarray) and other.dtype.kind in "biufc"
    return function(x, from_host(np.array(other))) if known else NotImplemented


def _dtype_of(out: Any) -> Any:
    return out.dtype if isinstance(out, Tensor) else None  # what is no tensor is refused later


# A plan's key takes True for 1: these are told apart at every call, for 15 ns.
_MISTAKEN = {
    COERCE["Dim"]: "if {0} is True or {0} is False: raise _error('int')",
    COERCE["Dims"]: "if {0} is True or {0} is False: raise _error('int')",
    COERCE["int"]: "if {0} is True or {0} is False: raise _error('int')",
    COERCE["bool"]: "if {0} is not True and {0} is not False: _only_bool({0})",
}


def _only_bool(x: Any) -> None:
    if x is not None and not isinstance(x, (bool, np.bool_)):
        raise ArgumentTypeError(f"must be bool, not {type(x).__name__}")


def _head(made: Op, has_out: bool, needed: str, more: str = "*", rest: str = "") -> str:
    """The parameters as text; `needed` spells one without a default."""
    positional, keyword = [], []
    for p in made.params:
        text = f"{p.name}=_d_{p.name}" if p.has_default else needed.format(p.name)
        (keyword if p.keyword_only else positional).append(text)
    if has_out:
        keyword.append("out=None")
    star = [more] if keyword or more != "*" else []
    return ", ".join([*positional, *star, *keyword, *([rest] if rest else [])])


def _input_list(made: Op, lines: list[str]) -> tuple[str, list[str]]:
    parts, prefix = [], []
    for p in made.inputs:
        if p.kind == "tensors":
            lines.append(f"{p.name} = _tensors(_op, {p.name!r}, {p.name})")
            parts.append("*" + p.name)
            prefix.append(f"len({p.name})")
        else:
            parts.append(p.name)
    return f"({', '.join(parts)},)", prefix


def _tensor_list(made: Op, name: str, given: Any) -> Any:
    if not isinstance(given, (tuple, list)):
        raise ArgumentTypeError(
            f"{made.name}(): argument '{name}' (position 1) must be tuple of Tensors, not "
            f"{type(given).__name__}"
        )
    for i, t in enumerate(given):
        if not isinstance(t, Tensor):
            raise ArgumentTypeError(
                f"expected Tensor as element {i} in argument 0, but got {type(t).__name__}"
            )
    return given


def _rename(
    function: Callable[..., Any], more: Any, names: dict[str, Any], given: dict[str, Any]
) -> Any:
    """The call with NumPy's names made PyTorch's; TypeError for what is not a parameter."""
    given = {k: v for k, v in given.items() if v is not ABSENT and k not in ("_more", "_names")}
    space = function.__globals__
    known = {p.name for p in space["_op"].params}
    known -= {n for n in known if given.get(n, ABSENT) is not space.get("_d_" + n, ABSENT)}
    if more or not all(RENAMED.get(old) in known for old in names):
        return _deprecated(function, (*more,), given | names)
    return function(**(given | {RENAMED[old]: x for old, x in names.items()}))


def _deprecated(function: Callable[..., Any], more: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """The call by an overload of old, `add(alpha, other)`; TypeError where there is none."""
    space = function.__globals__
    made: Op = space["_op"]
    positional = [p.name for p in made.params if not p.keyword_only and p.name in named]
    args = [named.pop(name) for name in positional]
    named = {k: v for k, v in named.items() if v is not space.get("_d_" + k, None)}
    method = space["_place"] == "Tensor"
    found = deprecated(space["_place"], space["_name"], (*args[method:], *more), named)
    if found is None:
        raise ArgumentTypeError("unexpected arguments")
    text, arguments = found
    if not _deprecations:  # PyTorch tells the first of them only
        warn(text)
    _deprecations.append(text)
    return function(*args[:method], **arguments)


_deprecations: list[str] = []


# ----- composites and aliases -----
def composite(function: Any = None, **traits: Any) -> Any:
    """A public function written with other ops: function, method and, if asked, in-place twin."""
    if function is None:
        return lambda f: composite(f, **traits)
    name = traits.get("name", function.__name__)
    module = traits.get("module", "torch")
    _tell(function, name)
    if module is not None:
        write = write_out if traits.get("out") else None
        publish(module, name, checked(function, module, name, write))
    code = inspect.unwrap(function).__code__
    first = code.co_varnames[0] if code.co_argcount else ""
    if traits.get("method", module == "torch" and first in ("input", "self")):
        _install(name, checked(function, "Tensor", name))
    if traits.get("inplace", False):
        twin = _inplace_twin(function, name + "_", traits["inplace"] != "apart")
        _install(name + "_", checked(twin, "Tensor", name + "_"))
        if module == "torch" and traits.get("inplace_function", True) or module == "nn.functional":
            publish(module, name + "_", checked(twin, module, name + "_"))
    return function


def _inplace_twin(function: Callable[..., Any], name: str, partly: bool) -> Callable[..., Any]:
    """`partly`: an argument may be all of the tensor's memory, as elementwise kernels allow."""

    def twin(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        check_captured(self, name)
        check_writable(self)
        check_apart(self, (*args, *kwargs.values()), partly)
        return overwrite(self, checked_result(self, function(self, *args, **kwargs)), name)

    twin.__name__ = twin.__qualname__ = name
    twin.__doc__ = f"In-place `{function.__name__}`."
    return twin


def alias(new: str, old: str, module: str = "torch", of: str | None = None) -> None:
    """Another public name for a function, its method and its in-place twin; each is a function of
    its own, so that a wrong call is told under the name it was made by."""
    source = of or module
    publish(module, new, _renamed(TABLE[source, old], module, new))
    if module != "torch":
        return
    for end in ("", "_"):
        if hasattr(Tensor, old + end):
            _install(new + end, _renamed(getattr(Tensor, old + end), "Tensor", new + end))
    if (source, old + "_") in TABLE:
        publish(module, new + "_", _renamed(TABLE[source, old + "_"], module, new + "_"))


def _renamed(function: Callable[..., Any], place: str, name: str) -> Callable[..., Any]:
    space = function.__globals__
    if "_op" in space:
        return _function(space["_op"], name, space["_out"], space["_style"], place)
    return checked(space["_f"], place, name, space["_write"])


# ----- operators -----
_USUAL = {int, float, bool, complex, *TENSORS}  # classes of operands that answer for nothing


def install_operators(rows: dict[str, str], inplace_rows: dict[str, str] | None = None) -> None:
    """Install `__add__` and its like on Tensor from {dunder: name of a public function}."""
    for dunder, name in rows.items():
        made = OPS.get(name)
        if made is not None and made.public is TABLE.get(("torch", name)):
            setattr(Tensor, dunder, _operator_of_op(made, dunder))
        else:
            function = getattr(Tensor, name, None) or TABLE["torch", name]
            # Python says what is wrong with an operand, so the function needs no check
            function = getattr(function, "__wrapped__", function)
            setattr(Tensor, dunder, _operator_of_function(function, dunder))
    for dunder, name in (inplace_rows or {}).items():
        setattr(Tensor, dunder, _operator_of_function(getattr(Tensor, name), dunder))


def _operator_of_op(made: Op, dunder: str) -> Callable[..., Any]:
    function = _function(made, dunder, False, "operator", "")
    return function


def _operator_of_function(target: Callable[..., Any], dunder: str) -> Callable[..., Any]:
    def operator(self: Tensor, *others: Any) -> Any:
        if others and others[0].__class__ not in _USUAL:
            if hasattr(others[0].__class__, "__torch_function__"):
                return DUCKS[1](dunder, self, *others)
        try:
            return target(self, *others)
        except ArgumentTypeError:
            return NotImplemented

    operator.__name__ = dunder
    return operator


def number_types() -> tuple[type, ...]:
    """The classes that count as Python numbers."""
    return (bool, int, float, complex, np.generic)
