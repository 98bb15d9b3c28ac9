"""The unpickler behind `torch.load(..., weights_only=True)`: it calls nothing it was not told to.

A small virtual machine for the opcodes PyTorch's unpickler accepts. Names are looked up in a table
of allowed objects, never imported; calls go to objects from that table, with arguments checked
where a call could cost memory.
"""

from __future__ import annotations

import _compat_pickle
import pickle
import reprlib
import warnings
from collections import Counter, OrderedDict
from collections.abc import Callable
from functools import cached_property
from struct import unpack
from typing import Any

from ..core.parameter import Parameter
from ..core.tensor import Tensor
from .checked import check_key, checked_calls
from .memory import StorageType
from .rebuild import REBUILDERS, allowed_globals, find_torch, torch_path

BLOCKED_MODULES = ("sys", "os", "posix", "nt")
ONLY_WEIGHTS = "Can only build Tensor, Parameter, OrderedDict or types allowlisted "

_safe: set[Any] = set()


# ----- what the user allows besides -----


def add_safe_globals(safe_globals: list[Any]) -> None:
    """Allow functions or classes, or pairs of one and its full path in the files."""
    _safe.update(safe_globals)


def get_safe_globals() -> list[Any]:
    """What add_safe_globals was given so far."""
    return list(_safe)


def clear_safe_globals() -> None:
    """Forget everything add_safe_globals was given."""
    _safe.clear()


class safe_globals:
    """add_safe_globals for the length of a `with` block."""

    def __init__(self, safe_globals: list[Any]) -> None:
        self.safe_globals = safe_globals

    def __enter__(self) -> None:
        add_safe_globals(self.safe_globals)

    def __exit__(self, *error: Any) -> None:
        _safe.difference_update(self.safe_globals)


def user_globals() -> dict[str, Any]:
    """Full path -> object for what the user allowed."""
    found = {}
    for item in _safe:
        if not isinstance(item, tuple):
            found[".".join(torch_path(item))] = item
            continue
        if len(item) != 2:
            raise ValueError(
                "Expected tuple of length 2 (global, str of callable full path), but got tuple "
                f"of length: {len(item)}"
            )
        if type(item[1]) is not str:
            raise TypeError(
                "Expected second item in tuple to be str of callable full path, but got: "
                f"{type(item[1])}"
            )
        found[item[1]] = item[0]
    return found


def _same(thing: Any, among: Any) -> bool:
    """Identity, not equality: a file's objects get no chance to run their `__eq__`."""
    return thing is not None and any(thing is other for other in among)


# ----- the machine -----

_OPERATIONS: dict[int, Callable[[Unpickler], None]] = {}


def _operation(*codes: bytes) -> Callable[[Any], Any]:
    def declare(body: Any) -> Any:
        for code in codes:
            _OPERATIONS[code[0]] = body
        return body

    return declare


class Unpickler:
    """Reads one pickle from a file; `persistent_load` is set by whoever knows the storages."""

    def __init__(self, file: Any, *, encoding: str = "bytes") -> None:
        self.read, self.readline, self.encoding = file.read, file.readline, encoding
        self.memo: dict[int, Any] = {}
        self.stack: list[Any] = []
        self.marks: list[list[Any]] = []
        self.allowed, self.calls = allowed_globals(), checked_calls()
        self.ids = {id(thing) for thing in self.allowed.values()}

    @cached_property
    def user(self) -> dict[str, Any]:
        """What add_safe_globals allows."""
        return user_globals()

    def persistent_load(self, saved_id: Any) -> Any:
        raise pickle.UnpicklingError("unsupported persistent id encountered")

    def load(self) -> Any:
        read, operations = self.read, _OPERATIONS
        while True:
            code = read(1)
            if not code:
                raise EOFError
            if not isinstance(code, bytes):
                raise AssertionError(f"Expected bytes, got {type(code).__name__}")
            if code == pickle.STOP:
                return self.stack.pop()
            operation = operations.get(code[0])
            if operation is None:
                raise pickle.UnpicklingError(f"Unsupported operand {code[0]}")
            operation(self)

    def pop_mark(self) -> list[Any]:
        """What was pushed since the last MARK."""
        items = self.stack
        self.stack = self.marks.pop()
        return items

    def take(self, count: int) -> bytes:
        """`count` bytes of an argument."""
        data = self.read(count)
        if len(data) < count:
            raise EOFError
        return data

    def may_call(self, thing: Any) -> bool:
        return id(thing) in self.ids or _same(thing, self.user.values())


def load(file: Any, *, encoding: str = "ASCII") -> Any:
    """Read one pickle."""
    return Unpickler(file, encoding=encoding).load()


def read_global(readline: Callable[[], bytes]) -> tuple[str, str]:
    """The module and name of a GLOBAL, in their Python 3 spelling."""
    module = readline()[:-1].decode("utf-8")
    name = readline()[:-1].decode("utf-8")
    module, name = _compat_pickle.NAME_MAPPING.get((module, name), (module, name))
    return _compat_pickle.IMPORT_MAPPING.get(module, module), name


# ----- operations with consequences -----


@_operation(pickle.GLOBAL)
def _global(self: Unpickler) -> None:
    module, name = read_global(self.readline)
    path = f"{module}.{name}"
    if module in BLOCKED_MODULES:
        raise pickle.UnpicklingError(
            f"Trying to load unsupported GLOBAL {path} whose module {module} is blocked."
        )
    if path in self.allowed:
        self.stack.append(self.allowed[path])
    elif path in self.user:
        self.stack.append(self.user[path])
    elif self.user and _same(ours := find_torch(module, name, imported=True), self.user.values()):
        self.stack.append(ours)  # PyTorch knows it by another path than we do
    else:
        path = path.removeprefix("builtins.")
        raise pickle.UnpicklingError(
            f"Unsupported global: GLOBAL {path} was not an allowed global by default. Please use "
            f"`torch.serialization.add_safe_globals([{path}])` or the "
            f"`torch.serialization.safe_globals([{path}])` context manager to allowlist this "
            "global if you trust this class/function."
        )


@_operation(pickle.NEWOBJ)
def _newobj(self: Unpickler) -> None:
    args, cls = self.stack.pop(), self.stack.pop()
    if cls is Parameter:
        self.stack.append(Parameter(*args))
    elif isinstance(cls, type) and self.may_call(cls):
        checked = self.calls.get(id(cls))
        self.stack.append(checked(*args) if checked else cls.__new__(cls, *args))
    else:
        raise pickle.UnpicklingError(
            "Can only create new object for nn.Parameter or classes allowlisted via "
            f"`add_safe_globals` but got {_short(cls)}"
        )


@_operation(pickle.REDUCE)
def _reduce(self: Unpickler) -> None:
    args, function = self.stack.pop(), self.stack[-1]
    if not self.may_call(function):
        owner = getattr(function, "__self__", None)
        belongs = "" if owner is None else f" which belongs to {_short(owner)}"
        raise pickle.UnpicklingError(
            f"Trying to call reduce for unrecognized function {_short(function)}{belongs}"
        )
    if function is REBUILDERS["torch._tensor._rebuild_from_type_v2"]:
        _check_typed(self, *args)
    self.stack[-1] = self.calls.get(id(function), function)(*args)


def _check_typed(self: Unpickler, function: Any, kind: Any, args: Any, state: Any) -> None:
    """A tensor with a class and attributes: both functions it names must be allowed too."""
    if not (_same(function, REBUILDERS.values()) or _same(function, self.user.values())):
        raise pickle.UnpicklingError(
            f"Trying to call reduce for unrecognized function {_short(function)}"
        )
    if kind is not Tensor and kind is not Parameter and not _same(kind, self.user.values()):
        raise pickle.UnpicklingError(f"{_short(kind)} is not an allowed class of tensors")


def _short(thing: Any) -> str:
    """Its text; containers abridged, for theirs can be endless."""
    return reprlib.repr(thing) if isinstance(thing, (list, tuple, dict, set)) else str(thing)


@_operation(pickle.BUILD)
def _build(self: Unpickler) -> None:
    state, instance = self.stack.pop(), self.stack[-1]
    kind = type(instance)
    if _same(kind, self.user.values()):
        _set_state(instance, state)
    elif kind is OrderedDict or kind is Counter:
        instance.__dict__.update(state)
    elif kind is Tensor or kind is Parameter:
        # PyTorch 0.1's way to store a tensor; our tensors' attributes are no place for a file.
        raise pickle.UnpicklingError(f"BUILD of a {kind.__name__} is not supported")
    else:
        raise pickle.UnpicklingError(f"{ONLY_WEIGHTS}via `add_safe_globals`, but got {kind}")


def _set_state(instance: Any, state: Any) -> None:
    """As pickle's own BUILD does it."""
    if hasattr(instance, "__setstate__"):
        instance.__setstate__(state)
        return
    slots = None
    if isinstance(state, tuple) and len(state) == 2:
        state, slots = state
    if state:
        instance.__dict__.update(state)
    for name, value in (slots or {}).items():
        setattr(instance, name, value)


@_operation(pickle.BINPERSID)
def _persistent(self: Unpickler) -> None:
    saved_id = self.stack.pop()
    if type(saved_id) is not tuple and type(saved_id) is not int:
        raise pickle.UnpicklingError(
            f"persistent_load id must be tuple or int, but got {type(saved_id)}"
        )
    if type(saved_id) is tuple and saved_id and saved_id[0] not in ("storage", b"storage"):
        raise pickle.UnpicklingError(
            f"Only persistent_load of storage is allowed, but got {type(saved_id[0])}"
        )
    if type(saved_id) is tuple and len(saved_id) > 1 and not isinstance(saved_id[1], StorageType):
        raise pickle.UnpicklingError(f"{_short(saved_id[1])} is not a class of storages")
    self.stack.append(self.persistent_load(saved_id))


# ----- containers -----


@_operation(pickle.APPEND)
def _append(self: Unpickler) -> None:
    item, target = self.stack.pop(), self.stack[-1]
    if type(target) is not list:
        raise pickle.UnpicklingError(f"Can only append to lists, but got {type(target)}")
    target.append(item)


@_operation(pickle.APPENDS)
def _appends(self: Unpickler) -> None:
    items = self.pop_mark()
    target = self.stack[-1]
    if type(target) is not list:
        raise pickle.UnpicklingError(f"Can only extend lists, but got {type(target)}")
    target.extend(items)


def _put(self: Unpickler, code: str, items: list[Any]) -> None:
    target = self.stack[-1]
    if type(target) not in (dict, OrderedDict, Counter):
        raise pickle.UnpicklingError(
            f"Can only {code} for dict, collections.OrderedDict, collections.Counter, but got "
            f"{type(target)}"
        )
    for i in range(0, len(items), 2):
        if type(items[i]) is tuple:
            check_key(items[i])
        target[items[i]] = items[i + 1]


@_operation(pickle.SETITEM)
def _setitem(self: Unpickler) -> None:
    value, key = self.stack.pop(), self.stack.pop()
    _put(self, "SETITEM", [key, value])


@_operation(pickle.SETITEMS)
def _setitems(self: Unpickler) -> None:
    items = self.pop_mark()
    _put(self, "SETITEMS", items)


@_operation(pickle.MARK)
def _mark(self: Unpickler) -> None:
    self.marks.append(self.stack)
    self.stack = []


@_operation(pickle.TUPLE)
def _tuple(self: Unpickler) -> None:
    items = self.pop_mark()
    self.stack.append(tuple(items))


def _small_tuple(count: int) -> Callable[[Unpickler], None]:
    def build(self: Unpickler) -> None:
        if len(self.stack) < count:
            raise IndexError("list index out of range")
        self.stack[-count:] = [tuple(self.stack[-count:])]

    return build


for _code, _count in ((pickle.TUPLE1, 1), (pickle.TUPLE2, 2), (pickle.TUPLE3, 3)):
    _OPERATIONS[_code[0]] = _small_tuple(_count)


# ----- values -----


def _pushes(make: Callable[[Unpickler], Any]) -> Callable[[Unpickler], None]:
    def push(self: Unpickler) -> None:
        self.stack.append(make(self))

    return push


def _unicode(self: Unpickler) -> str:
    return str(self.take(unpack("<I", self.take(4))[0]), "utf-8", "surrogatepass")


def _short_string(self: Unpickler) -> bytes | str:
    data = self.take(self.take(1)[0])
    return data if self.encoding == "bytes" else data.decode(self.encoding, "strict")


_VALUES: dict[bytes, Callable[[Unpickler], Any]] = {
    pickle.NONE: lambda self: None,
    pickle.NEWFALSE: lambda self: False,
    pickle.NEWTRUE: lambda self: True,
    pickle.EMPTY_TUPLE: lambda self: (),
    pickle.EMPTY_LIST: lambda self: [],
    pickle.EMPTY_DICT: lambda self: {},
    pickle.EMPTY_SET: lambda self: set(),
    pickle.BININT: lambda self: unpack("<i", self.take(4))[0],
    pickle.BININT1: lambda self: self.take(1)[0],
    pickle.BININT2: lambda self: unpack("<H", self.take(2))[0],
    pickle.BINFLOAT: lambda self: unpack(">d", self.take(8))[0],
    pickle.LONG1: lambda self: pickle.decode_long(self.take(self.take(1)[0])),
    pickle.BINUNICODE: _unicode,
    pickle.SHORT_BINSTRING: _short_string,
    pickle.BINGET: lambda self: self.memo[self.take(1)[0]],
    pickle.LONG_BINGET: lambda self: self.memo[unpack("<I", self.take(4))[0]],
}
_OPERATIONS.update({code[0]: _pushes(make) for code, make in _VALUES.items()})


@_operation(pickle.BINPUT)
def _binput(self: Unpickler) -> None:
    self.memo[self.take(1)[0]] = self.stack[-1]


@_operation(pickle.LONG_BINPUT)
def _long_binput(self: Unpickler) -> None:
    self.memo[unpack("<I", self.take(4))[0]] = self.stack[-1]


@_operation(pickle.PROTO)
def _protocol(self: Unpickler) -> None:
    protocol = self.take(1)[0]
    if protocol != 2:
        warnings.warn(
            f"Detected pickle protocol {protocol} in the checkpoint, which was not the default "
            "pickle protocol used by `torch.load` (2). The weights_only Unpickler might not "
            "support all instructions implemented by this protocol, please file an issue for "
            "adding support if you encounter this."
        )


# ----- reading without running -----

_ARGUMENTS = {
    pickle.BININT: 4, pickle.BININT1: 1, pickle.BININT2: 2, pickle.BINFLOAT: 8, pickle.BINGET: 1,
    pickle.LONG_BINGET: 4, pickle.BINPUT: 1, pickle.LONG_BINPUT: 4, pickle.PROTO: 1,
}  # fmt: skip


def globals_in_pickle(file: Any) -> set[str]:
    """The full paths of all GLOBALs in a pickle, without executing it."""
    found = set()
    while (code := file.read(1)) != pickle.STOP:
        if not code:
            raise EOFError
        if code == pickle.GLOBAL:
            found.add(".".join(read_global(file.readline)))
        elif code == pickle.BINUNICODE:
            file.read(unpack("<I", file.read(4))[0])
        elif code in (pickle.SHORT_BINSTRING, pickle.LONG1):
            file.read(file.read(1)[0])
        elif code[0] in _OPERATIONS:
            file.read(_ARGUMENTS.get(code, 0))
        else:
            raise pickle.UnpicklingError(f"Unsupported operand {code[0]}")
    return found


def unsafe_globals(file: Any) -> list[str]:
    """The names in a pickle that are not allowed."""
    return list(globals_in_pickle(file) - {*allowed_globals(), *user_globals()})
