"""Pickling for workers: what lives in a script, a notebook or a function travels by value.

A worker is a new interpreter that never runs the script again, so that scripts need no
`if __name__ == "__main__"` and lambdas may be sent, as where PyTorch forks.
"""

import abc
import dataclasses
import dis
import enum
import functools
import importlib
import io
import marshal
import pickle
import sys
import types
import typing

import numpy as np

from ...core.parameter import Parameter
from ...core.tensor import Tensor, from_host, to_host

_MAINS = ("__main__", "__mp_main__")
_FIXED = ("__module__", "__slots__", "__orig_bases__")  # what a class body must have at once
_HEAP_TYPE = 1 << 9  # of a type's flags: made by Python code
_GLOBAL_OPS = ("LOAD_GLOBAL", "LOAD_NAME", "STORE_GLOBAL", "DELETE_GLOBAL")
# of a class: made with it, or of use to type checkers only
_MADE = """__dict__ __weakref__ __slots__ __module__ __qualname__ __abstractmethods__ _abc_impl
__orig_bases__ __parameters__ __annotations__ __annotate_func__ __annotations_cache__""".split()
_ATTRIBUTES = ("__defaults__", "__kwdefaults__", "__qualname__", "__doc__", "__dict__")
_METHODS = (types.FunctionType, property, classmethod, staticmethod)
_NOT_A_LEAF = (
    "Cowardly refusing to serialize non-leaf tensor which requires_grad, "
    "since autograd does not support crossing process boundaries.  "
    "If you just want to transfer the data, call detach() on the tensor before serializing "
    "(e.g., putting it on the queue)."
)


def peek(tensor: Tensor) -> np.ndarray:
    """The elements, to be read at once: memory shared with NumPy is not copied."""
    shared = getattr(tensor._storage, "host", None) is not None
    return tensor.detach().numpy() if shared else to_host(tensor)


class Pickler(pickle.Pickler):
    """Tensors travel as host arrays."""

    def reducer_override(self, obj):
        if type(obj) is Tensor or type(obj) is Parameter:
            return _reduce_tensor(obj)
        if isinstance(obj, type) and obj.__module__.split(".")[0] == "torch":
            return _own_class, (obj.__module__, obj.__qualname__)  # torch need not be importable
        return NotImplemented


class ByValue(Pickler):
    """Functions and classes that the other process cannot import travel as their contents."""

    def reducer_override(self, obj):
        kind = type(obj)
        if kind is types.FunctionType:
            return NotImplemented if _is_importable(obj) else _reduce_function(obj)
        if isinstance(obj, type) and obj.__module__.split(".")[0] != "torch":
            local = obj.__flags__ & _HEAP_TYPE and not _is_importable(obj)
            return _reduce_class(obj) if local else NotImplemented
        if kind is types.ModuleType:
            return importlib.import_module, (obj.__name__,)
        rule = _RULES.get(kind)
        if rule is not None:
            return rule(obj)
        if kind.__module__ == "dataclasses":
            return _reduce_singleton(obj)
        return super().reducer_override(obj)


def dumps(value, pickler=Pickler) -> tuple[bytes, list]:
    """The pickle and the large buffers that it leaves out."""
    buffers: list = []
    file = io.BytesIO()
    pickler(file, 5, buffer_callback=buffers.append).dump(value)
    return file.getvalue(), [buffer.raw() for buffer in buffers]


def _is_importable(obj) -> bool:
    home = getattr(obj, "__module__", None)
    if home in _MAINS:
        return False
    found = sys.modules.get(home)
    for name in obj.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is obj


# ----- tensors -----------------------------------------------------------------------------------

def _reduce_tensor(tensor):
    if tensor.requires_grad and not tensor.is_leaf:
        raise RuntimeError(_NOT_A_LEAF)
    array = np.ascontiguousarray(peek(tensor)).reshape(tensor.shape)
    make = _make_parameter if type(tensor) is Parameter else _make_tensor
    return make, (array, tensor.requires_grad)


def _make_tensor(array, requires_grad):
    return from_host(array, requires_grad=requires_grad)


def _make_parameter(array, requires_grad):
    return Parameter(from_host(array), requires_grad)


def _own_class(module: str, name: str):
    """The class that says it is PyTorch's: it lies in our module of that path, or on top."""
    package = __package__.split(".")[0]
    home = sys.modules.get(package + module.removeprefix("torch"))
    return getattr(home if hasattr(home, name) else sys.modules[package], name)


# ----- functions ---------------------------------------------------------------------------------

def names_used(code: types.CodeType) -> set[str]:
    """The global names in a function's code and in the functions inside it."""
    names = {step.argval for step in dis.get_instructions(code) if step.opname in _GLOBAL_OPS}
    inner = (part for part in code.co_consts if isinstance(part, types.CodeType))
    return names.union(*map(names_used, inner))


def _reduce_function(function):
    used = {}
    if function.__module__ in _MAINS or function.__module__ not in sys.modules:
        known = function.__globals__
        used = {name: known[name] for name in names_used(function.__code__) if name in known}
    cells = function.__closure__
    made = marshal.dumps(function.__code__), function.__module__, cells
    state = {name: getattr(function, name) for name in _ATTRIBUTES}
    state = used, [_content(cell) for cell in cells or ()], state
    return _make_function, made, state, None, None, _fill_function


def _content(cell) -> tuple:
    try:
        return (cell.cell_contents,)
    except ValueError:
        return ()


def _namespace(home: str) -> dict:
    """Where a function's global names are looked up: in a module, or in the worker's `__main__`."""
    try:
        return vars(importlib.import_module("__main__" if home in _MAINS else home))
    except ImportError:
        return vars(sys.modules["__main__"])


def _make_function(code, home, cells):
    code = marshal.loads(code)
    made = types.FunctionType(code, _namespace(home), code.co_name, None, cells)
    made.__module__ = home
    return made


def _fill_function(function, state) -> None:
    used, contents, attributes = state
    function.__globals__.update(used)
    for cell, content in zip(function.__closure__ or (), contents):
        if content:
            (cell.cell_contents,) = content
    for name, value in attributes.items():
        setattr(function, name, value)
    _show_in_main(function)


def _show_in_main(made) -> None:
    """A batch that holds an instance names its class, which must be found in this process too."""
    if made.__module__ in _MAINS and "." not in made.__qualname__:
        setattr(sys.modules["__main__"], made.__qualname__, made)


# ----- classes -----------------------------------------------------------------------------------

def _reduce_class(cls):
    fixed = {name: vars(cls)[name] for name in _FIXED if name in vars(cls)}
    fixed["__qualname__"] = cls.__qualname__
    made = type(cls), cls.__name__, cls.__bases__, fixed
    if issubclass(cls, enum.Enum):
        fixed.update((name, member.value) for name, member in cls.__members__.items())
        fixed.update((name, part) for name, part in vars(cls).items() if _is_own_method(name, part))
        return _make_class, made
    slots = fixed.get("__slots__", ())
    hidden = {*_MADE, *([slots] if isinstance(slots, str) else slots)}
    state = {name: value for name, value in vars(cls).items() if name not in hidden}
    return _make_class, made, state, None, None, _fill_class


def _is_own_method(name: str, part) -> bool:
    return isinstance(part, _METHODS) and not name.startswith("_")


def _make_class(metaclass, name, bases, fixed):
    def body(names) -> None:
        for key, value in fixed.items():
            names[key] = value

    made = types.new_class(name, bases, {"metaclass": metaclass}, body)
    _show_in_main(made)
    return made


def _fill_class(cls, state) -> None:
    for name, value in state.items():
        setattr(cls, name, value)
    abc.update_abstractmethods(cls)


def _reduce_singleton(obj):
    """dataclasses compares its markers by identity."""
    for name, value in vars(dataclasses).items():
        if value is obj:
            return getattr, (dataclasses, name)
    return NotImplemented


def _make_cell():
    return types.CellType()  # filled with the functions that share it


def _make_proxy(mapping):
    return types.MappingProxyType(mapping)


def _make_cached_property(function, name):
    made = functools.cached_property(function)
    made.__set_name__(None, name)
    return made


_RULES = {
    types.CellType: lambda one: (_make_cell, ()),
    types.MappingProxyType: lambda one: (_make_proxy, (dict(one),)),
    property: lambda one: (property, (one.fget, one.fset, one.fdel, one.__doc__)),
    classmethod: lambda one: (classmethod, (one.__func__,)),
    staticmethod: lambda one: (staticmethod, (one.__func__,)),
    functools.cached_property: lambda one: (_make_cached_property, (one.func, one.attrname)),
    typing.TypeVar: lambda one: (typing.TypeVar, (one.__name__, *one.__constraints__)),
}
