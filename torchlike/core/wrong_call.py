"""From a call that failed to the error PyTorch raises for its arguments.

Costs nothing while calls are right: a public function catches what its body raised, and only then
asks how it was called.
"""

from __future__ import annotations

import dis
import functools
import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

from . import intercept
from .overloads import complaint
from .plan import ABSENT, ArgumentTypeError


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
    if found is None:
        try:
            head(*args, **named)
        except TypeError as error:
            return ArgumentTypeError(*error.args)
    return found


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
def checked(function: Callable[..., Any], place: str, name: str) -> Callable[..., Any]:
    """The function, saying what PyTorch says to a call that fails for its arguments."""

    @functools.wraps(function)
    def public(*args: Any, **named: Any) -> Any:
        try:
            return function(*args, **named)
        except Exception as error:
            if _is_ours(sys._getframe(1), error):
                raise
            found = error_of(place, name, args, named)
            if found is None:
                raise
            raise found from None

    public.__name__ = name
    return public
