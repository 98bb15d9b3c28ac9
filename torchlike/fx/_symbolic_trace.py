"""`torch.fx.symbolic_trace`: a Module or function run on proxies."""

import builtins
import functools
import inspect
import math
from types import FunctionType

from .. import overrides
from ..core.parameter import Parameter
from ..core.tensor import Tensor
from ..misc import _assert
from ..nn import Module, Sequential
from .graph import Graph
from .graph_module import GraphModule
from .node import map_aggregate
from .proxy import ParameterProxy, Proxy, TracerBase

_PATCHED: list = []  # (globals, name) of functions to be recorded as one call


def wrap(fn_or_name):
    """Marks a function of the calling module (or a builtin, by name) to be recorded as a call."""
    if not (callable(fn_or_name) or isinstance(fn_or_name, str)):
        raise RuntimeError(
            "Unsupported type for global function! Must be either a callable or string name"
        )
    frame = inspect.currentframe().f_back
    if frame.f_code.co_name != "<module>":
        raise NotImplementedError("wrap must be called at the top level of a module")
    name = fn_or_name if isinstance(fn_or_name, str) else fn_or_name.__name__
    _PATCHED.append((frame.f_globals, name))
    if callable(fn_or_name):
        fn_or_name._fx_wrapped = True
    return fn_or_name


def _assert_is_none(value, msg) -> None:
    if value is not None:
        raise AssertionError(msg)


def _proxy_in(values):
    found = []
    map_aggregate(values, lambda x: found.append(x) if isinstance(x, Proxy) else None)
    return found[0] if found else None


def _recorded(function):
    @functools.wraps(function)
    def call(*args, **kwargs):
        proxy = _proxy_in((args, kwargs))
        if proxy is None:
            return function(*args, **kwargs)
        return proxy.tracer.create_proxy("call_function", function, args, kwargs)

    return call


class _Patches:
    """Attributes replaced for the time of a trace."""

    def __init__(self) -> None:
        self.undo: list = []

    def item(self, space: dict, name: str, value) -> None:
        old = space.get(name, self)
        undo = (lambda: space.pop(name)) if old is self else (lambda: space.update({name: old}))
        self.undo.append(undo)
        space[name] = value

    def attribute(self, owner, name: str, value) -> None:
        old = getattr(owner, name)
        self.undo.append(lambda: setattr(owner, name, old))
        setattr(owner, name, value)

    def __enter__(self):
        return self

    def __exit__(self, *error) -> None:
        for undo in reversed(self.undo):
            undo()


class Tracer(TracerBase):
    """Traces; override `is_leaf_module` to say which modules are not looked into."""

    def __init__(
        self, autowrap_modules=(math,), autowrap_functions=(), param_shapes_constant=False
    ) -> None:
        self._autowrap = [
            f for module in autowrap_modules for f in vars(module).values() if callable(f)
        ]
        self._autowrap_functions = list(autowrap_functions)
        self.param_shapes_constant = param_shapes_constant
        self.root = None
        self.submodule_paths: dict = {}

    def is_leaf_module(self, m: Module, module_qualified_name: str) -> bool:
        """Whether a module is one node: PyTorch's own are, but not Sequential."""
        own = type(m).__module__.startswith(("torch.nn", "torchlike.nn", "torch.ao.nn"))
        return own and not isinstance(m, Sequential)

    def path_of_module(self, mod: Module) -> str:
        """The module's path below the root."""
        path = self.submodule_paths.get(mod)
        if path is None:
            raise NameError("module is not installed as a submodule")
        return path

    def call_module(self, m: Module, forward, args, kwargs):
        """A module called while tracing: one node, or what its forward does."""
        path = self.path_of_module(m)
        if self.is_leaf_module(m, path):
            return self.create_proxy("call_module", path, args, kwargs)
        return forward(*args, **kwargs)

    def _one_arg(self, a):
        if isinstance(a, Parameter | Tensor):
            path = self._path_of_tensor(a)
            return self.create_node("get_attr", path, (), {})
        if isinstance(a, Module):
            return self.create_node("get_attr", self.path_of_module(a), (), {})
        if callable(a) and not isinstance(a, Proxy):
            return a
        return super()._one_arg(a)

    def _path_of_tensor(self, a: Tensor) -> str:
        for name, p in (*self.root.named_parameters(), *self.root.named_buffers()):
            if p is a:
                return name
        for name, value in vars(self.root).items():
            if value is a:
                return name
        i = 0
        while hasattr(self.root, f"_tensor_constant{i}"):
            if getattr(self.root, f"_tensor_constant{i}") is a:
                return f"_tensor_constant{i}"
            i += 1
        setattr(self.root, f"_tensor_constant{i}", a)
        return f"_tensor_constant{i}"

    def getattr(self, attr: str, attr_val, parameter_proxy_cache: dict):
        """What reading an attribute of a module gives while tracing."""
        if not isinstance(attr_val, Parameter):
            return attr_val
        for name, p in self.root.named_parameters():
            if p is attr_val:
                if name not in parameter_proxy_cache:
                    made = self.create_proxy("get_attr", name, (), {})
                    if self.param_shapes_constant:
                        made = ParameterProxy(self, made.node, name, attr_val)
                    parameter_proxy_cache[name] = made
                return parameter_proxy_cache[name]
        return attr_val

    # ----- tracing -----
    def trace(self, root, concrete_args=None) -> Graph:
        """The graph of a Module's forward, or of a function."""
        overrides.install()
        if isinstance(root, Module):
            self.root, function = root, type(root).forward
            self.submodule_paths = {m: name for name, m in root.named_modules()}
        else:
            self.root, function = Module(), root
        self.graph = Graph(tracer_cls=type(self))
        function = inspect.unwrap(function)
        args = self._inputs(function, isinstance(root, Module), concrete_args or {})
        with _Patches() as patches:
            self._patch(patches)
            result = _flat(function)(*args)
        note = function.__annotations__.get("return")
        note = None if isinstance(note, str) else note
        self.create_node("output", "output", (self.create_arg(result),), {}, type_expr=note)
        return self.graph

    def _inputs(self, function, bound: bool, concrete: dict) -> list:
        """The proxies of a function's parameters, in the order of its variables."""
        found = dict(inspect.signature(function).parameters)
        names = list(found)
        values = [self.root] if bound else []
        order = function.__code__.co_varnames
        given = {name: self._input(found[name], concrete) for name in names[bound:]}
        return values + [given[name] for name in sorted(given, key=order.index)]

    def _input(self, p, concrete: dict):
        default = () if p.default is p.empty else (p.default,)
        stars = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
        if p.name in concrete:
            made = self.create_proxy("placeholder", f"{p.name}_1", default, {})
            self._specialize(p.name, made, concrete[p.name])
            return concrete[p.name]
        note = None if p.annotation is p.empty or isinstance(p.annotation, str) else p.annotation
        return self.create_proxy("placeholder", stars + p.name, default, {}, type_expr=note)

    def _specialize(self, name: str, given, value) -> None:
        """Record that an input must be the value that was traced with."""
        if value is None:
            text = f"{name} has been specialized to have value None but got another value"
            self.create_proxy("call_function", _assert_is_none, (given, text), {})
        elif isinstance(value, bool | int | float):
            text = f"{name} has been specialized to have value {value} but got another value"
            self.create_proxy("call_function", _assert, (given == value, text), {})
        else:
            raise NotImplementedError(f"symbolic_trace: concrete_args[{name!r}]={value!r}")

    def _patch(self, patches: _Patches) -> None:
        cache: dict = {}
        call, read = Module.__call__, Module.__getattr__

        @functools.wraps(call)
        def module_call(module, *args, **kwargs):
            if _proxy_in((args, kwargs)) is None and module not in self.submodule_paths:
                return call(module, *args, **kwargs)
            return self.call_module(
                module, lambda *a, **k: call(module, *a, **k), args, kwargs
            )

        @functools.wraps(read)
        def module_getattr(module, name):
            return self.getattr(name, read(module, name), cache)

        patches.attribute(Module, "__call__", module_call)
        patches.attribute(Module, "__getattr__", module_getattr)
        for space, name in _PATCHED:
            function = space.get(name, getattr(builtins, name, None))
            if callable(function):
                patches.item(space, name, _recorded(function))
        for function in (*self._autowrap, *self._autowrap_functions):
            self._patch_function(patches, function)

    def _patch_function(self, patches: _Patches, function) -> None:
        space = inspect.unwrap(type(self.root).forward).__globals__
        for name, value in list(space.items()):
            if value is function:
                patches.item(space, name, _recorded(function))


def _flat(function) -> FunctionType:
    """The function with all its parameters positional: `*args` is then a parameter like others."""
    code = function.__code__
    stars = bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
    plain = code.replace(
        co_flags=code.co_flags & ~(inspect.CO_VARARGS | inspect.CO_VARKEYWORDS),
        co_argcount=code.co_argcount + code.co_kwonlyargcount + stars,
        co_kwonlyargcount=0,
    )
    return FunctionType(plain, function.__globals__, function.__name__, (), function.__closure__)


def symbolic_trace(root, concrete_args=None) -> GraphModule:
    """A Module or function as a GraphModule."""
    tracer = Tracer()
    graph = tracer.trace(root, concrete_args)
    name = type(root).__name__ if isinstance(root, Module) else root.__name__
    return GraphModule(tracer.root, graph, name)
