"""Standing between a public function and its callers: autocast and `__torch_function__`.

The function keeps its identity: references taken earlier are intercepted too. Until the first
interception nothing costs anything.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from types import CodeType, FunctionType
from typing import Any

Around = Callable[[FunctionType, FunctionType, tuple[Any, ...], dict[str, Any]], Any]


def intercept(function: FunctionType, around: Around) -> FunctionType:
    """From here on calls end in `around(original, function, args, kwargs)`; tells the original."""
    original = _twin(function)
    space = function.__globals__
    if space.get("_function") is function:  # a declared op: it builds its code when first called
        space["_function"] = original
    function.__code__ = _code(len(function.__code__.co_freevars))
    function.__defaults__ = None
    function.__kwdefaults__ = {"_original": original, "_self": function, "_around": around}
    function.__dict__["__wrapped__"] = original
    return original


def as_declared(function: Any) -> Any:
    """The function as it was before anything stood between it and its callers."""
    while "_around" in (function.__kwdefaults__ or ()):
        function = function.__kwdefaults__["_original"]
    return function


def _twin(function: FunctionType) -> FunctionType:
    made = FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__,
        function.__closure__,
    )  # fmt: skip
    made.__kwdefaults__ = function.__kwdefaults__
    made.__dict__.update(function.__dict__)
    made.__doc__, made.__module__ = function.__doc__, function.__module__
    made.__qualname__, made.__annotations__ = function.__qualname__, function.__annotations__
    return made


@cache
def _code(cells: int) -> CodeType:
    """The code of an intercepted function, with as many free variables as the one it replaces."""
    names = [f"_cell{i}" for i in range(cells)]
    lines = ["def outer():", *[f"    {name} = None" for name in names]]
    lines += [
        "    def intercepted(*args, _original, _self, _around, **kwargs):",
        *[f"        if 0: {name}" for name in names],
        "        return _around(_original, _self, args, kwargs)",
        "    return intercepted",
    ]
    scope: dict[str, Any] = {}
    exec(compile("\n".join(lines), __file__, "exec"), scope)  # our own text
    return scope["outer"]().__code__


# ----- the state of `__torch_function__` -----
class _Overriding(threading.local):
    """Per thread: whether overrides are off, and the modes that see every call."""

    def __init__(self) -> None:
        self.off = 0  # depth of DisableTorchFunctionSubclass
        self.all_off = 0  # depth of DisableTorchFunction: modes are off as well
        self.modes: list[Any] = []


OVERRIDING = _Overriding()
# torchlike.overrides answers for arguments that are no Tensor: of an op, of an operator by name
DUCKS: list[Callable[..., Any]] = []


def disabled_impl(func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
    """The `__torch_function__` of classes that take no part in the protocol."""
    OVERRIDING.off += 1
    try:
        return func(*args, **(kwargs or {}))
    finally:
        OVERRIDING.off -= 1
