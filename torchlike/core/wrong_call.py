"""From a call that failed to the error PyTorch raises for its arguments.

Costs nothing while calls are right: a public function catches what its body raised, and only then
asks how it was called.
"""

from __future__ import annotations

import dis
import functools
import inspect
import sys
import types
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

from . import intercept
from .check import spelt
from .overloads import RENAMED, complaint, overloads_of
from .plan import ABSENT, ArgumentTypeError
from .saved import note_dim
from .tensor import Tensor


def error_of(place: str, name: str, args: Sequence[Any], named: dict[str, Any]) -> Any:
    """PyTorch's TypeError if the arguments fit no overload of `place.name`, else None."""
    text = complaint(place, name, args[1:] if place == "Tensor" else args, named)
    return None if text is None else ArgumentTypeError(text)


def _is_ours(frame: FrameType | None, error: BaseException) -> bool:
    """An op's own call of another op: its arguments are right, unless their classes are not."""
    while frame is not None and (
        frame.f_globals.get("__name__", "").startswith(_BETWEEN)
        or frame.f_code.co_filename == intercept.__file__
    ):
        frame = frame.f_back
    where = "" if frame is None else frame.f_globals.get("__name__", "")
    return where.startswith(_OURS) and not isinstance(error, (TypeError, AttributeError))


def demand(name: str, *args: Any, **named: Any) -> None:
    """TypeError unless the function that PyTorch's own Python calls here takes these arguments."""
    place, _, name = name.rpartition(".")
    text = complaint(place or "behind", name, args, named)
    if text is not None:
        raise ArgumentTypeError(text)


_BOTH = {"args", "kwargs"}
_PACKAGE = __name__.partition(".")[0] + "."
_OURS = tuple(_PACKAGE + room for room in ("core.", "ops."))
_BETWEEN = tuple(_PACKAGE + room for room in ("overrides", "amp"))  # stand before a function


def error_in(place: str, name: str, head: Callable[..., Any], given: dict[str, Any]) -> Any:
    """The same for a compiled function, from the values of its parameters when it failed.

    `head` has the declaration's parameters and no body: Python says what is wrong with a call that
    PyTorch leaves to Python.
    """
    caller: Any = sys._getframe(3)
    by_stub = "_build" in caller.f_code.co_names  # a function's first call
    if _is_ours(caller.f_back if by_stub else caller, sys.exception()):  # type: ignore[arg-type]
        return None
    passed_on = caller.f_globals.get("__name__", "").startswith(_PACKAGE) and _BOTH <= set(
        caller.f_locals
    )
    if by_stub or passed_on:  # by what stands between function and caller
        args, named = caller.f_locals["args"], caller.f_locals["kwargs"]
    else:
        args, named = _arguments(head, given, _spelling(caller), place == "Tensor")
    found = error_of(place, name, args, named)
    if found is None and place == "nn.functional" and name in KERNELS:
        found = _no_tensor(KERNELS[name], (*args, named.get("input"))[0])
    if found is None:
        if overloads_of(place, name):
            named = {RENAMED.get(key, key): x for key, x in named.items()}
        try:
            head(*args, **named)
        except TypeError as error:
            return ArgumentTypeError(*error.args)
    return found


# PyTorch's functions of these names hand their input to a kernel before they look at it.
KERNELS = {"unfold": "im2col", "fold": "col2im", "relu6": "hardtanh"} | {
    name: name
    for name in (
        "pad", "max_pool1d", "max_pool2d", "max_pool3d", "adaptive_max_pool1d", "hardtanh", "relu",
        "rrelu", "layer_norm", "rms_norm", "dropout", "alpha_dropout", "feature_alpha_dropout",
    )
}  # fmt: skip


def _no_tensor(kernel: str, given: Any) -> Any:
    if isinstance(given, Tensor):
        return None
    return ArgumentTypeError(
        f"{kernel}(): argument 'input' (position 1) must be Tensor, not {spelt(given)}"
    )


# ----- how was it called? -----
def _spelling(frame: FrameType) -> tuple[int, tuple[str, ...]] | None:
    """Positional arguments and keywords of the call a frame is making, if it spells them out."""
    code = frame.f_code
    before = [i for i in dis.get_instructions(code) if i.offset <= frame.f_lasti]
    if not before or before[-1].opname not in ("CALL", "CALL_KW"):
        return None
    made = before[-1]
    spelt: tuple[str, ...] = ()
    for near in before[-3:-1]:  # Python 3.13 has the names on the stack, earlier ones beside it
        if near.opname == "KW_NAMES" or made.opname == "CALL_KW" and near is before[-2]:
            spelt = code.co_consts[near.arg]  # type: ignore[index]
    return (made.arg or 0) - len(spelt), spelt


def _arguments(
    head: Callable[..., Any], given: dict[str, Any], spelling: Any, method: bool
) -> tuple[list[Any], dict[str, Any]]:
    code = head.__code__
    order = code.co_varnames[: code.co_argcount]
    keywords = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    more, extra = given.get("_more", ()), given.get("_names", {})
    count, spelt = spelling if spelling is not None else (None, ())
    if not extra.keys() <= set(spelt):  # called from C, which has no frame: that is another call
        count, spelt = None, ()
    if count is not None:
        count += method  # the tensor in front of the dot
        args = [given[name] for name in order[:count]]
        named = {name: given[name] if name in given else extra.get(name) for name in spelt}
        return [x for x in args if x is not ABSENT] + list(more), named
    defaults = _defaults(head)
    while order and given[order[-1]] is defaults.get(order[-1], ABSENT):
        order = order[:-1]
    args = [given[name] for name in order if given[name] is not ABSENT]
    named = {k: given[k] for k in keywords if given[k] is not defaults.get(k, ABSENT)}
    return [*args, *more], named | extra


def _defaults(head: Callable[..., Any]) -> dict[str, Any]:
    values = head.__defaults__ or ()
    names = head.__code__.co_varnames[: head.__code__.co_argcount]
    return dict(zip(names[len(names) - len(values) :], values, strict=True)) | (
        head.__kwdefaults__ or {}
    )


# ----- functions written in Python -----
def checked(
    function: Callable[..., Any], place: str, name: str, write: Callable[..., Any] | None = None
) -> Callable[..., Any]:
    """The function, saying what PyTorch says to a call that is wrong; `write` gives it an `out=`.

    It takes the function's parameters one by one, which costs 40 ns (`*args, **kwargs`: 160).
    """
    space = {
        "_build": _build, "_f": function, "_place": place, "_name": name, "_write": write,
        "__name__": "torch",
    }  # fmt: skip
    made = types.FunctionType(_stub.__code__, space, name)
    functools.update_wrapper(made, function)
    made.__name__ = name
    space["_function"] = made
    return made


def _stub(*args: Any, **kwargs: Any) -> Any:
    return _build(_function)(*args, **kwargs)  # type: ignore # noqa: F821


def _build(function: Any) -> Callable[..., Any]:
    """Give a checked function its code: what the call path needs, and the way to the error."""
    space = function.__globals__
    inner = Signature(intercept.as_declared(space["_f"]))
    space.update(
        inner.defaults, _absent=ABSENT, _odd=_odd, _refuse=_refuse, _wrong=wrong, _unknown=_unknown,
        _head=inner.declared, _note_dim=note_dim,
    )  # fmt: skip
    return build(function, _text(inner, space["_name"], space["_place"], space["_write"]), space)


def build(function: Any, text: str, space: dict[str, Any]) -> Callable[..., Any]:
    """Replace a function's code by that of the one function in a text."""
    scope: dict[str, Any] = {}
    exec(compile(text, f"<torchlike {function.__name__}>", "exec"), space, scope)  # our own text
    (real,) = scope.values()
    function.__code__ = real.__code__
    function.__defaults__, function.__kwdefaults__ = real.__defaults__, real.__kwdefaults__
    return function


class Signature:
    """A Python function's parameters, as text."""

    def __init__(self, function: Callable[..., Any]) -> None:
        code = function.__code__
        names, count, keywords = code.co_varnames, code.co_argcount, code.co_kwonlyargcount
        self.positional, self.keywords = names[:count], names[count : count + keywords]
        rest = list(names[count + keywords :])
        self.more = rest.pop(0) if code.co_flags & inspect.CO_VARARGS else ""
        self.names = rest.pop(0) if code.co_flags & inspect.CO_VARKEYWORDS else ""
        self.defaults = {f"_d_{k}": v for k, v in _defaults(function).items()}
        kinds = function.__annotations__  # a wrapper's are those of what it wraps
        self.annotations = {n: kinds[n] for n in (*self.positional, *self.keywords) if n in kinds}

    def parameters(self, needed: str, more: str, names: str) -> list[str]:
        """The parameters' declarations; `needed` spells one without a default."""
        each = {
            n: f"{n}=_d_{n}" if f"_d_{n}" in self.defaults else needed.format(n)
            for n in (*self.positional, *self.keywords)
        }
        star = [f"*{more}"] if more or self.keywords else []
        rest = [f"**{names}"] if names else []
        keywords = [each[n] for n in self.keywords]
        return [*[each[n] for n in self.positional], *star, *keywords, *rest]

    def declared(self) -> str:
        """The parameters as they were declared."""
        return ", ".join(self.parameters("{}", self.more, self.names))

    def passed_on(self) -> str:
        """The arguments of a call that hands every parameter on."""
        parts = [*self.positional, *(["*_more"] if self.more else [])]
        parts += [f"{n}={n}" for n in self.keywords]
        return ", ".join([*parts, *(["**_names"] if self.names else [])])


# Python takes True for 1, and anything for a truth value; PyTorch's functions written in C don't.
_STRICT = {
    "int": "{0} is True or {0} is False or {0} is None",
    "int | None": "{0} is True or {0} is False",
    "bool": "{0} is not True and {0} is not False",
}


def _text(inner: Signature, name: str, place: str, write: Any) -> str:
    parts = inner.parameters("{}=_absent", "_more", "_names")
    if write is not None:
        parts.insert(len(parts) - 1, "out=None")
    odd = ["_more"] * (not inner.more) + ["_names"] * (not inner.names)
    odd += [f"{n} is _absent" for n in inner.positional if f"_d_{n}" not in inner.defaults]
    odd += [f"{n} is _absent" for n in inner.keywords if f"_d_{n}" not in inner.defaults]
    call = f"_f({inner.passed_on()})"
    lines = [f"def {name}({', '.join(parts)}):", "    try:"]
    lines += [f"        if {' or '.join(odd)}: return _odd(_function, locals())"] if odd else []
    if inner.names and place in ("torch", "Tensor"):
        lines.append("        if _names: _unknown(_function, _names)")
    kinds = {n: _STRICT.get(kind) for n, kind in inner.annotations.items()}
    wrong = [test.format(n) for n, test in kinds.items() if test]
    if wrong and place != "nn.functional":  # written in Python there too
        lines.append(f"        if {' or '.join(wrong)}: _refuse(_function, locals())")
    if write is not None:
        lines.append(f"        if out is not None: return _write(_name, out, {call})")
    if inner.annotations.get("dim") in ("int", "int | None") and place in ("torch", "Tensor"):
        lines.append(f"        found = {call}")
        lines.append("        if dim.__class__ is int and dim < 0: _note_dim(found, _name, dim)")
        call = "found"
    lines += [f"        return {call}", *FAILED]
    return "\n".join(lines)


FAILED = (
    "    except Exception:",
    "        wrong = _wrong(_function, locals())",
    "        if wrong is None: raise",
    "        raise wrong from None",
)  # of a compiled function


def wrong(function: Callable[..., Any], given: dict[str, Any]) -> Exception | None:
    """PyTorch's error for the arguments of a call that failed, if it is they that are wrong."""
    space: dict[str, Any] = function.__globals__
    return error_in(space["_place"], space["_name"], _head_of(function), given)


def _head_of(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of the same parameters, with no body."""
    space: dict[str, Any] = function.__globals__
    scope: dict[str, Any] = {}
    name = function.__name__
    exec(f"def {name}({space['_head']()}): pass", space, scope)  # our own text
    head = scope[name]
    if space["_place"] == "Tensor" and not overloads_of("Tensor", name):
        head.__qualname__ = f"Tensor.{name}"  # PyTorch's is a method written in Python
    return head


def _refuse(function: Any, given: dict[str, Any]) -> None:
    """PyTorch's error for arguments that Python would take, if it is one to PyTorch."""
    space = function.__globals__
    error = error_in(space["_place"], space["_name"], _head_of(function), given)
    if error is not None:
        raise error


def _unknown(function: Any, names: dict[str, Any]) -> None:
    """TypeError for a keyword that no overload has, in a function that takes any."""
    space = function.__globals__
    overloads = overloads_of(space["_place"], space["_name"])
    known = {p.name for overload in overloads for p in overload.params}
    for name in names if overloads else ():
        if RENAMED.get(name, name) not in known:
            raise ArgumentTypeError(
                f"{space['_name']}() got an unexpected keyword argument '{name}'"
            )


def _odd(function: Any, given: dict[str, Any]) -> Any:
    """A call with more, less or other arguments than declared; they may have NumPy's names."""
    space = function.__globals__
    more: Any = given.pop("_more")
    names: dict[str, Any] = given.pop("_names")
    inner, out = Signature(space["_f"]), given.pop("out", None) if space["_write"] else None
    named = {k: v for k, v in given.items() if v is not ABSENT}
    args = [named.pop(n) for n in inner.positional if n in named] if more else []
    if overloads_of(space["_place"], space["_name"]):  # NumPy's names too
        names = {RENAMED.get(name, name): value for name, value in names.items()}
        usual = inner.defaults
        twice = [n for n in names if named.get(n, ABSENT) is not usual.get(f"_d_{n}", ABSENT)]
        if twice:
            raise ArgumentTypeError(f"multiple values for argument '{twice[0]}'")
    result: Any = space["_f"](*args, *more, **(named | names))
    return result if out is None else space["_write"](space["_name"], out, result)


# ----- classes -----
def own_init(cls: type) -> type:
    """Give a class that inherits `__init__` a copy: a wrong call of it names this class."""
    _own(cls, "__init__")
    return cls


def _own(cls: type, name: str) -> None:
    inherited: Any = getattr(cls, name)
    code, space = inherited.__code__, inherited.__globals__
    made = types.FunctionType(code, space, name, inherited.__defaults__, inherited.__closure__)
    functools.update_wrapper(made, inherited, ("__module__", "__doc__", "__annotations__"))
    made.__kwdefaults__ = inherited.__kwdefaults__
    made.__qualname__ = f"{cls.__name__}.{name}"
    del made.__wrapped__
    setattr(cls, name, made)


class LendsInit:
    """Base of classes whose public subclasses have an `__init__` and a `forward` each in
    PyTorch."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name in ("__init__", "forward"):
            owner = next((c for c in cls.__mro__ if name in vars(c)), None)
            if owner and owner.__name__.startswith("_") and not cls.__name__.startswith("_"):
                _own(cls, name)
