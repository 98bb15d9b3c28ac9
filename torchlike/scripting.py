"""TorchScript's names: what libraries decorate is accepted and stays Python, run eagerly.

`script` and `trace` hand back the very object they were given. What would need TorchScript's own
file format or compiler raises NotImplementedError.
"""

import builtins
import contextlib
import functools
import types
import typing
from typing import Dict as Dict  # noqa: UP035 (torch.jit.annotations shows them)
from typing import Final as Final
from typing import List as List  # noqa: UP035
from typing import Optional as Optional
from typing import Tuple as Tuple  # noqa: UP035
from typing import Union as Union

from .core.refusals import refusing
from .core.tensor import Tensor
from .nn import Module
from .nn.sizes import BroadcastingList1 as BroadcastingList1
from .nn.sizes import BroadcastingList2 as BroadcastingList2
from .nn.sizes import BroadcastingList3 as BroadcastingList3


class Error(RuntimeError):
    """An error inside TorchScript."""


class ScriptWarning(Warning):
    """A warning of the TorchScript compiler."""


class TracerWarning(Warning):
    """A warning of the tracer."""

    @staticmethod
    def ignore_lib_warnings() -> None:
        """Nothing to ignore: the tracer does not warn."""


class TracingCheckError(Exception):
    """A traced function gave another answer than the original."""


class ScriptModule(Module):
    """The base of scripted modules; here an ordinary Module."""


class RecursiveScriptModule(ScriptModule):
    """What scripting makes of a Module in PyTorch."""


class TracedModule(ScriptModule):
    """What tracing makes of a Module in PyTorch."""


TopLevelTracedModule = TracedModule


class ScriptFunction:
    """What scripting makes of a function in PyTorch: nothing here is one."""


class Attribute(typing.NamedTuple):
    """A value and its TorchScript type."""

    value: typing.Any
    type: typing.Any


def _unsupported(name: str):
    return refusing(name, f"torch.jit.{name} is not supported: there is no TorchScript")


class CompilationUnit:
    """TorchScript source, compiled: not supported."""

    def __init__(self, lang=None, _frames_up=0) -> None:
        _unsupported("CompilationUnit")()


save, load = _unsupported("save"), _unsupported("load")
export_opnames = _unsupported("export_opnames")
jit_module_from_flatbuffer = _unsupported("jit_module_from_flatbuffer")
save_jit_module_to_flatbuffer = _unsupported("save_jit_module_to_flatbuffer")
last_executed_optimized_graph = _unsupported("last_executed_optimized_graph")


# ----- scripting and tracing -----
def script(obj, optimize=None, _frames_up=0, _rcb=None, example_inputs=None):
    """The function, class or Module itself."""
    if not callable(obj) and not builtins.isinstance(obj, dict | list):
        raise TypeError(f"{type(obj)} is a built-in class")
    return obj


def trace(
    func, example_inputs=None, optimize=None, check_trace=True, check_inputs=None,
    check_tolerance=1e-05, strict=True, _force_outplace=False, _module_class=None,
    _compilation_unit=None, example_kwarg_inputs=None, _store_inputs=True,
):  # fmt: skip
    """The function or Module itself, after one call on the example (so that errors show here)."""
    if (example_inputs is None) == (example_kwarg_inputs is None):
        raise RuntimeError("torch.jit.trace: example_inputs or example_kwarg_inputs must be given")
    if builtins.isinstance(example_inputs, Tensor | dict):
        example_inputs = (example_inputs,)
    func(*(example_inputs or ()), **(example_kwarg_inputs or {}))
    return func


def trace_module(
    mod, inputs, optimize=None, check_trace=True, check_inputs=None, check_tolerance=1e-05,
    strict=True, _force_outplace=False, _module_class=None, _compilation_unit=None,
    example_inputs_is_kwarg=False, _store_inputs=True,
):  # fmt: skip
    """The Module itself, after one call of each method on its example."""
    for name, example in inputs.items():
        method = mod if name == "forward" else getattr(mod, name)
        if example_inputs_is_kwarg:
            method(**example)
        else:
            method(*(example if builtins.isinstance(example, tuple) else (example,)))
    return mod


def is_scripting() -> bool:
    """Whether the caller is being compiled: never."""
    return False


def is_tracing() -> bool:
    """Whether the caller is being traced: never."""
    return False


# ----- decorators -----
def ignore(drop=False, **kwargs):
    """A mark for the compiler, with or without arguments; the function stays as it is."""
    return drop if callable(drop) else _itself


def _itself(fn):
    return fn


unused = export = script_method = script_if_tracing = _drop = _script_if_tracing = _itself
_overload = _overload_method = _copy_to_script_wrapper = _disable_emit_hooks_decorator = _itself


def interface(obj):
    """A mark for the compiler on a class."""
    if not builtins.isinstance(obj, type):
        raise RuntimeError("interface must be applied to a class")
    return obj


def annotate(the_type, the_value):
    """The value."""
    return the_value


def boolean_dispatch(arg_name, arg_index, default, if_true, if_false, module_name, func_name):
    """One function of two, chosen by a boolean argument."""

    @functools.wraps(if_true if default else if_false)
    def chosen(*args, **kwargs):
        flag = kwargs[arg_name] if arg_name in kwargs else default
        if arg_index < len(args):
            flag = args[arg_index]
        return (if_true if flag else if_false)(*args, **kwargs)

    return chosen


# ----- containers -----
def isinstance(obj, target_type) -> bool:
    """`isinstance` that understands `List[int]`, `Dict`, `Tuple`, `Optional` and `Union`."""
    if builtins.isinstance(target_type, tuple):
        return any(isinstance(obj, kind) for kind in target_type)
    origin, args = typing.get_origin(target_type), typing.get_args(target_type)
    if origin is None:
        return builtins.isinstance(obj, target_type)
    if origin in (typing.Union, types.UnionType):
        return any(isinstance(obj, kind) for kind in args)
    if not builtins.isinstance(obj, origin):
        return False
    if origin is tuple:
        return len(obj) == len(args) and all(map(isinstance, obj, args))
    if origin is dict:
        return all(isinstance(k, args[0]) and isinstance(v, args[1]) for k, v in obj.items())
    return all(isinstance(item, args[0]) for item in obj)


_isinstance = isinstance


def _unwrap_optional(x):
    if x is None:
        raise AssertionError("Unwrapping null optional")
    return x


def _qualified_name(obj, mangle_name=True) -> str:
    name = getattr(obj, "_jit_override_qualname", None) or obj.__name__
    return f"{obj.__module__}.{name}"


BroadcastingList4 = BroadcastingList5 = BroadcastingList6 = BroadcastingList1


# ----- what would make it faster -----
def freeze(mod, preserved_attrs=None, optimize_numerics=True):
    """The Module itself, which must be in eval mode."""
    if mod.training:
        raise RuntimeError(
            "Freezing is currently only implemented for modules in eval mode. Please call .eval() "
            "on your module before freezing."
        )
    return mod


def optimize_for_inference(mod, other_methods=None):
    """The Module itself; in eval mode, if it has one."""
    return mod


def run_frozen_optimizations(mod, optimize_numerics=True, preserved_methods=None) -> None:
    """Nothing: XLA optimizes in any case."""


@contextlib.contextmanager
def optimized_execution(should_optimize):
    """Nothing changes inside."""
    yield


@contextlib.contextmanager
def fuser(name):
    """Nothing changes inside: every op is fused in any case."""
    yield


class strict_fusion(contextlib.nullcontext):
    """Nothing changes inside."""


def enable_onednn_fusion(enabled: bool) -> None:
    """Nothing: there is no oneDNN."""


def onednn_fusion_enabled() -> bool:
    """Whether oneDNN fuses: never."""
    return False


def set_fusion_strategy(strategy):
    """The strategy before: none."""
    return []


# ----- fork and wait: at once -----
class Future:
    """A result that is there already."""

    def __init__(self, value) -> None:
        self._value = value

    def wait(self):
        """The result."""
        return self._value

    value = wait

    def done(self) -> bool:
        """Whether it is there: always."""
        return True

    def then(self, callback):
        """The callback's result."""
        return Future(callback(self))


def fork(func, *args, **kwargs) -> Future:
    """Calls the function now."""
    return Future(func(*args, **kwargs))


def wait(future: Future):
    """The result of `fork`."""
    return future.wait()


_fork, _wait = fork, wait
PRIVATE = (
    "_drop", "_fork", "_isinstance", "_overload", "_overload_method", "_script_if_tracing",
    "_unwrap_optional", "_wait",
)  # fmt: skip
__all__ = [
    "Attribute", "CompilationUnit", "Error", "Final", "Future", "RecursiveScriptModule",
    "ScriptFunction", "ScriptModule", "ScriptWarning", "TopLevelTracedModule", "TracedModule",
    "TracerWarning", "TracingCheckError", "annotate", "enable_onednn_fusion", "export",
    "export_opnames", "fork", "freeze", "fuser", "ignore", "interface", "is_scripting",
    "is_tracing", "isinstance", "jit_module_from_flatbuffer", "last_executed_optimized_graph",
    "load", "onednn_fusion_enabled", "optimize_for_inference", "optimized_execution",
    "run_frozen_optimizations", "save", "save_jit_module_to_flatbuffer", "script",
    "script_if_tracing", "script_method", "set_fusion_strategy", "strict_fusion", "trace",
    "trace_module", "unused", "wait",
]  # fmt: skip
