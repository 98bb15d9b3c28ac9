"""torch.overrides: the `__torch_function__` protocol.

Nothing is intercepted before the first class takes part in it; then public functions look at the
classes of their arguments first. A subclass of Tensor gets its own methods, so that those of plain
tensors stay as they are (but for `TorchFunctionMode`, which sees every call).
"""

import contextlib
import functools
import inspect
import sys
from types import FunctionType

from .core.intercept import DUCKS, OVERRIDING, disabled_impl, intercept
from .core.op import TABLE
from .core.parameter import Parameter
from .core.plan import ArgumentTypeError
from .core.tensor import Tensor

_disabled_torch_function_impl = disabled_impl


# ----- who takes part -----
_TAKES_PART: dict[type, bool] = {Tensor: False, Parameter: False}


def _takes_part(cls: type) -> bool:
    found = _TAKES_PART.get(cls)
    if found is None:
        method = getattr(cls, "__torch_function__", None)
        found = _TAKES_PART[cls] = method is not None and method is not disabled_impl
    return found


def has_torch_function(relevant_args) -> bool:
    """Whether one of the arguments overrides `__torch_function__` (or a mode is active)."""
    if OVERRIDING.modes and not OVERRIDING.all_off:
        return True
    return not OVERRIDING.off and any(_takes_part(type(arg)) for arg in relevant_args)


def has_torch_function_unary(obj) -> bool:
    """`has_torch_function` of one argument."""
    return has_torch_function((obj,))


def has_torch_function_variadic(*args) -> bool:
    """`has_torch_function` of several arguments."""
    return has_torch_function(args)


def is_tensor_like(inp) -> bool:
    """Whether a value is a Tensor or takes part in the protocol."""
    return type(inp) is Tensor or hasattr(inp, "__torch_function__")


def _get_overloaded_args(relevant_args, get_type_fn=type) -> list:
    """One argument of each class that takes part, subclasses before their superclasses."""
    found: list = []
    kinds: list[type] = []
    for arg in relevant_args:
        kind = get_type_fn(arg)
        if kind in kinds or not _takes_part(kind):
            continue
        at = next((i for i, old in enumerate(kinds) if issubclass(kind, old)), len(kinds))
        found.insert(at, arg)
        kinds.insert(at, kind)
    return found


def _relevant(args, kwargs) -> list:
    """The arguments, and the elements of those that are lists."""
    found = []
    for arg in (*args, *kwargs.values()):
        if arg.__class__ in (list, tuple):
            found += arg
        else:
            found.append(arg)
    return found


# ----- the protocol -----
def handle_torch_function(public_api, relevant_args, *args, **kwargs):
    """What modes and the arguments' classes make of a call; TypeError if none of them knows."""
    overloaded = () if OVERRIDING.off else _get_overloaded_args(relevant_args)
    result = _asked(public_api, overloaded, args, kwargs)
    if result is NotImplemented:
        name = f"{public_api.__module__}.{public_api.__name__}".replace("torchlike.", "torch.")
        raise TypeError(
            f"no implementation found for '{name}' on types that implement __torch_function__: "
            f"{[type(arg) for arg in overloaded]}"
        )
    return result


def _asked(function, overloaded, args, kwargs):
    types = tuple(map(type, overloaded))
    if OVERRIDING.modes and not OVERRIDING.all_off:
        with _pop_mode_temporarily() as mode:
            result = mode.__torch_function__(function, types, args, kwargs)
        if result is not NotImplemented:
            return result
    if not overloaded and OVERRIDING.modes:
        return function(*args, **(kwargs or {}))
    for arg in overloaded:
        result = arg.__torch_function__(function, types, args, kwargs)
        if result is not NotImplemented:
            return result
    return NotImplemented


def _call(function, original, args, kwargs):
    """A public function's call: by the classes of its arguments, or as it is."""
    modes = OVERRIDING.modes and not OVERRIDING.all_off
    if OVERRIDING.off and not modes:
        return original(*args, **kwargs)
    overloaded = () if OVERRIDING.off else _get_overloaded_args(_relevant(args, kwargs))
    if not overloaded and not modes:
        return original(*args, **kwargs)
    in_python = _in_python(function)
    if in_python:
        args, kwargs = _spelled(original, args, kwargs)
    result = _asked(function, overloaded, args, kwargs if kwargs or in_python else None)
    if result is NotImplemented:
        raise ArgumentTypeError(_refused(function, overloaded, in_python))
    return result


# Functions of nn.functional that are C in PyTorch: they hand on their arguments as they came.
_IN_C = frozenset(
    """adaptive_avg_pool1d avg_pool1d avg_pool2d avg_pool3d bilinear celu_ channel_shuffle conv1d
    conv2d conv3d conv_tbc conv_transpose1d conv_transpose2d conv_transpose3d cosine_similarity elu_
    gelu hardshrink hardtanh_ leaky_relu_ linear logsigmoid one_hot pairwise_distance pdist
    pixel_shuffle pixel_unshuffle prelu relu_ rrelu_ scaled_dot_product_attention selu_ softplus
    softshrink threshold_""".split()
)


# Functions of torch that are Python in PyTorch, in torch.functional.
_IN_FUNCTIONAL = frozenset(
    """atleast_1d atleast_2d atleast_3d block_diag broadcast_tensors cartesian_prod cdist
    chain_matmul einsum istft lu meshgrid norm pca_lowrank split stft svd_lowrank tensordot unique
    unique_consecutive unravel_index""".split()
)


def _in_python(function) -> bool:
    name = resolve_name(function) or ""
    place, _, own = name.rpartition(".")
    return place == "torch.functional" or place == "torch.nn.functional" and own not in _IN_C


_signature = functools.cache(inspect.signature)


def _spelled(original, args, kwargs):
    """The arguments as PyTorch's Python functions hand them on: those with a default by name."""
    signature = _signature(original)
    with contextlib.suppress(TypeError):
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        if any(p.kind is p.VAR_POSITIONAL for p in signature.parameters.values()):
            return args, kwargs
        given = bound.arguments
        named = {n: v for n, v in given.items() if signature.parameters[n].default is not _EMPTY}
        return tuple(v for n, v in given.items() if n not in named), named
    return args, kwargs


_EMPTY = inspect.Parameter.empty


def _refused(function, overloaded, in_python: bool) -> str:
    name = resolve_name(function)
    if in_python:
        return (
            f"no implementation found for '{name}' on types that implement __torch_function__: "
            f"{[type(arg) for arg in overloaded]}"
        )
    kinds = (
        f"  - {'tensor subclass ' * isinstance(arg, Tensor)}{type(arg)}" for arg in overloaded
    )
    return (
        f"Multiple dispatch failed for '{name}'; all __torch_function__ handlers returned "
        "NotImplemented:\n\n" + "\n".join(kinds) + "\n\nFor more information, try re-running with "
        "TORCH_LOGS=not_implemented"
    )


def _convert(ret, cls):
    if cls is Tensor:
        return ret
    if isinstance(ret, Tensor) and not isinstance(ret, cls):
        return ret.as_subclass(cls)
    if isinstance(ret, tuple) and hasattr(ret, "_fields"):
        return type(ret)(*(_convert(item, cls) for item in ret))
    if isinstance(ret, tuple | list):
        return type(ret)(_convert(item, cls) for item in ret)
    return ret


def _torch_function(cls, func, types, args=(), kwargs=None):
    """The default: the plain result, as an instance of the class the call came from."""
    if not all(issubclass(cls, kind) for kind in types):
        return NotImplemented
    with DisableTorchFunctionSubclass():
        ret = func(*args, **(kwargs or {}))
    return ret if func in get_default_nowrap_functions() else _convert(ret, cls)


class DisableTorchFunctionSubclass:
    """Inside, classes are not asked; modes still are."""

    def __enter__(self) -> None:
        OVERRIDING.off += 1

    def __exit__(self, *error) -> None:
        OVERRIDING.off -= 1


class DisableTorchFunction(DisableTorchFunctionSubclass):
    """Inside, neither classes nor modes are asked."""

    def __enter__(self) -> None:
        super().__enter__()
        OVERRIDING.all_off += 1

    def __exit__(self, *error) -> None:
        super().__exit__(*error)
        OVERRIDING.all_off -= 1


# ----- modes -----
class TorchFunctionMode:
    """A context manager whose `__torch_function__` sees every call of the torch API."""

    inner: "TorchFunctionMode"

    def __torch_function__(self, func, types, args=(), kwargs=None):
        raise NotImplementedError

    def __enter__(self):
        install()
        _intercept_methods()
        OVERRIDING.modes.append(self)
        return self

    def __exit__(self, *error) -> None:
        OVERRIDING.modes.pop()

    @classmethod
    def push(cls, *args, **kwargs):
        """Deprecated in PyTorch: an instance."""
        return cls(*args, **kwargs)


class BaseTorchFunctionMode(TorchFunctionMode):
    """A mode that changes nothing."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))


def _get_current_function_mode():
    return OVERRIDING.modes[-1] if OVERRIDING.modes else None


def _get_current_function_mode_stack() -> list:
    return list(OVERRIDING.modes)


@contextlib.contextmanager
def _pop_mode_temporarily():
    mode = OVERRIDING.modes.pop()
    try:
        yield mode
    finally:
        OVERRIDING.modes.append(mode)


enable_reentrant_dispatch = contextlib.nullcontext


# ----- interception -----
_functions: set = set()
_methods_done: list = []


def _around(original, function, args, kwargs):
    return _call(function, original, args, kwargs)


def install() -> None:
    """From here on public functions look at the classes of their arguments (once)."""
    if _functions:
        return
    for function in [*TABLE.values(), *map(vars(Tensor).get, _METHODS)]:
        if isinstance(function, FunctionType) and function not in _functions:
            _functions.add(function)
            intercept(function, _around)


# Methods that get here only through an instance, and in-place twins that have no public function.
_METHODS = [
    name for name, value in vars(Tensor).items()
    if isinstance(value, FunctionType) and not name.startswith("_")
    and name not in ("geometry", "as_subclass")
]  # fmt: skip


def _intercept_methods() -> None:
    """Operators and properties of plain tensors too: for modes."""
    if _methods_done:
        return
    _methods_done.append(True)
    for name in _names():
        value = vars(Tensor)[name]
        if isinstance(value, property):
            setattr(Tensor, name, _Property(name, value))
        elif value not in _functions:
            setattr(Tensor, name, _method(name, value))


_PLAIN = (
    "__dict__", "__init__", "__new__", "__init_subclass__", "__torch_function__", "__hash__",
    "__dir__", "__setstate__", "__iter__", "__jax_array__", "__array_wrap__", "__reduce_ex__",
    "__str__", "__class_getitem__", "__dlpack_device__", "geometry", "as_subclass",
)  # fmt: skip
# The method PyTorch's C code reports for an operator, where it has another name.
_REPORTED = {
    "__add__": "add", "__radd__": "add", "__iadd__": "add_", "__sub__": "sub", "__isub__": "sub_",
    "__mul__": "mul", "__rmul__": "mul", "__imul__": "mul_", "__truediv__": "div",
    "__itruediv__": "div_", "__pow__": "pow", "__matmul__": "matmul", "__neg__": "neg",
    "__abs__": "abs", "__ne__": "ne", "__lt__": "lt", "__le__": "le", "__gt__": "gt",
    "__ge__": "ge", "__mod__": "remainder", "__imod__": "remainder_", "__ipow__": "pow_",
    "__ifloordiv__": "floor_divide_", "__rand__": "bitwise_and", "__ror__": "bitwise_or",
    "__rxor__": "bitwise_xor", "__rtruediv__": "__rdiv__",
    **{name: name for name in ("__floordiv__", "__and__", "__or__", "__xor__", "__lshift__")},
    "__rshift__": "__rshift__",
}  # fmt: skip


def _names() -> list[str]:
    """Tensor's methods and properties that take part."""
    return [
        name for name, value in vars(Tensor).items()
        if isinstance(value, FunctionType | property) and name not in _PLAIN
        and (not name.startswith("_") or name.startswith("__") or name in ("_version", "_base"))
    ]  # fmt: skip


def _method(name: str, base: FunctionType) -> FunctionType:
    reported = getattr(Tensor, _REPORTED.get(name, name))
    operator = name.startswith("__")
    if isinstance(reported, _Property):
        reported = base

    @functools.wraps(base)
    def method(self, *args, **kwargs):
        args = (self, *args)
        if operator and len(args) == 2 and type(self) is Tensor and _is_duck(args[1]):
            return _of_operator(name, *args)
        if operator and len(args) == 2 and isinstance(args[1], Tensor) and name[2] == "r":
            forward = "__" + name[3:]
            if forward in _REPORTED:  # t + s comes here first: report it the way it was written
                return _operated(getattr(Tensor, _REPORTED[forward]), args[::-1])
        if operator and name in _REPORTED:
            return _operated(reported, args)
        return _call(reported, base, args, kwargs)

    method.__qualname__ = base.__qualname__
    return method


def _operated(function, args):
    try:
        return _call(function, vars(function).get("__wrapped__", function), args, {})
    except ArgumentTypeError:
        return NotImplemented


class _Property(property):
    """A property of Tensor, for a class that takes part."""

    def __init__(self, name: str, base: property) -> None:
        self.base = base
        super().__init__(base.fget, base.fset, base.fdel, base.__doc__)

    def __get__(self, instance, owner=None):
        if instance is None:
            return self.base
        if OVERRIDING.off and not OVERRIDING.modes:
            return self.base.__get__(instance, owner)
        return _call(self.base.__get__, self.base.__get__, (instance,), {})

    def __set__(self, instance, value) -> None:
        if OVERRIDING.off and not OVERRIDING.modes:
            self.base.__set__(instance, value)
        else:
            _call(self.base.__set__, self.base.__set__, (instance, value), {})


def _subclassed(cls, **kwargs) -> None:
    """A subclass with a `__torch_function__` of its own gets methods that ask it."""
    super(Tensor, cls).__init_subclass__(**kwargs)
    method = cls.__torch_function__
    if method is disabled_impl or getattr(method, "__func__", None) is _torch_function:
        return
    install()
    for name in _names():
        base = vars(Tensor)[name]
        if getattr(cls, name) is not base and inspect.getattr_static(cls, name) is not base:
            continue  # its own, or of another base class
        made = _Property(name, base) if isinstance(base, property) else _method(name, base)
        setattr(cls, name, made)


def _is_duck(x) -> bool:
    return hasattr(type(x), "__torch_function__") and not isinstance(x, Tensor)


def _of_operator(name, *args):
    """An operator of a plain tensor met such an argument."""
    install()
    reported = "eq" if name == "__eq__" else _REPORTED.get(name, name)
    return _operated(getattr(Tensor, reported), args)


def _caller():
    """The frame of the public function that this thread is in: what was called decides."""
    frame = sys._getframe(2)
    while frame is not None and "_style" not in frame.f_globals:
        frame = frame.f_back
    return frame


def _of_duck(op, inputs, statics):
    """A declared op met an argument that is no Tensor but takes part: ask it."""
    install()
    frame = _caller()
    if frame is not None and frame.f_globals["_style"] == "operator":
        names = frame.f_code.co_varnames[: len(inputs)]
        return _of_operator(frame.f_globals["_name"], *[frame.f_locals[n] for n in names][:2])
    method = frame is not None and frame.f_globals["_place"] == "Tensor"
    public = getattr(Tensor, frame.f_globals["_name"]) if method else op.public
    given = iter(zip([p for p in op.params if p.kind != "static"], inputs, strict=False))
    named = {p.name: x for p, x in given}
    named.update({p.name: x for p, x in zip(op.statics, statics, strict=False)})
    args: list = []
    kwargs = {}
    for p in op.params:
        value = named.get(p.name)
        if p.has_default and value is p.default:
            continue
        if p.keyword_only or len(args) < p.position:
            kwargs[p.name] = value
        else:
            args.append(value)
    return _call(public, public, tuple(args), kwargs)


for _name in ("__getitem__", "__setitem__", "__deepcopy__"):
    vars(Tensor)[_name].__name__ = _name
DUCKS += [_of_duck, _of_operator]
Tensor.__torch_function__ = classmethod(_torch_function)
Parameter.__torch_function__ = disabled_impl
Tensor.__init_subclass__ = classmethod(_subclassed)


# ----- lists -----
@functools.cache
def get_default_nowrap_functions() -> set:
    """Functions whose result the default `__torch_function__` leaves as it is."""
    return {Tensor._base.__get__, Tensor.grad.__get__}


def _places():
    import torchlike

    yield torchlike, "torch"
    for path in ("nn.functional", "nn.init", "linalg", "fft", "special", "functional"):
        found = torchlike
        for part in path.split("."):
            found = getattr(found, part)
        yield found, f"torch.{path}"


@functools.cache
def _names_of() -> dict:
    """Name by function (properties: by their `__get__`)."""
    found = {}
    for name in _names():
        value = inspect.getattr_static(Tensor, name)
        if isinstance(value, property):
            for part in ("__get__", "__set__", "__delete__"):
                found[getattr(getattr(value, "base", value), part)] = f"torch.Tensor.{name}.{part}"
        else:
            found[value] = f"torch.Tensor.{name}"
    # of several names the function's own, in torch's namespace if it is there
    rows = sorted(TABLE.items(), key=lambda row: (row[0][0] != "torch", row[0][1] != _own(row[1])))
    for (module, name), function in reversed(rows):
        place = "torch" if module == "torch" else f"torch.{module}"
        if module == "torch" and name in _IN_FUNCTIONAL:
            place = "torch.functional"
        found[function] = f"{place}.{name}"
    return found


def _own(function) -> str:
    return getattr(function, "__name__", "")


def resolve_name(f) -> str | None:
    """The public name of a function of the torch API; None for any other."""
    try:
        return _names_of().get(f)
    except TypeError:
        return None


def is_tensor_method_or_property(func) -> bool:
    """Whether a function is a method of Tensor, or reads or writes one of its properties."""
    if getattr(func, "__name__", "") in ("__get__", "__set__", "__delete__"):
        return True
    return any(vars(Tensor).get(name) is func for name in {func.__name__})


@functools.cache
def get_overridable_functions() -> dict:
    """The functions that take part, by the namespace they are found in."""
    found = {}
    for space, name in _places():
        module = name.removeprefix("torch").lstrip(".") or "torch"
        found[space] = [f for (where, _), f in TABLE.items() if where == module]
    found[Tensor] = [f for f, name in _names_of().items() if name.startswith("torch.Tensor.")]
    return found


@functools.cache
def get_ignored_functions() -> set:
    """Public functions that do not take part: those that are given no tensor."""
    names = "tensor as_tensor arange zeros ones empty full eye linspace logspace rand randn "
    names += "randint randperm from_numpy frombuffer is_tensor manual_seed set_default_dtype"
    return {TABLE["torch", name] for name in names.split() if ("torch", name) in TABLE}


@functools.cache
def get_testing_overrides() -> dict:
    """For each function that takes part, one with the same signature that returns -1."""
    found = {}
    for function in (f for many in get_overridable_functions().values() for f in many):
        def dummy(*args, **kwargs):
            return -1

        with contextlib.suppress(TypeError, ValueError):
            dummy.__signature__ = inspect.signature(function)
        found[function] = dummy
    return found


def wrap_torch_function(dispatcher):
    """Decorates a function so that the arguments the dispatcher names are asked first."""

    def inner(func):
        @functools.wraps(func)
        def wrapped(*args, **kwargs):
            relevant = dispatcher(*args, **kwargs)
            if has_torch_function(relevant):
                return handle_torch_function(wrapped, relevant, *args, **kwargs)
            return func(*args, **kwargs)

        return wrapped

    return inner


__all__ = [
    "BaseTorchFunctionMode", "TorchFunctionMode", "enable_reentrant_dispatch",
    "get_default_nowrap_functions", "get_ignored_functions", "get_overridable_functions",
    "get_testing_overrides", "handle_torch_function", "has_torch_function",
    "has_torch_function_unary", "has_torch_function_variadic", "is_tensor_like",
    "is_tensor_method_or_property", "resolve_name", "wrap_torch_function",
]  # fmt: skip
