"""Functions of the `torch` namespace that compute nothing: settings, names, counts."""

from __future__ import annotations

import builtins
import math
import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from . import ops
from .core.check import warn
from .core.device import count, get_default_device, set_default_device
from .core.device import device as Device
from .core.dtypes import dtype, set_default_dtype
from .core.tensor import Tensor
from .ops.memory import TypedStorage as TypedStorage
from .ops.memory import UntypedStorage as UntypedStorage

_settings: dict[str, Any] = {
    "threads": os.cpu_count() or 1, "interop": os.cpu_count() or 1, "deterministic": False,
    "warn_only": False, "always": False,
}  # fmt: skip


# ----- kinds and names -----
def is_storage(obj: Any, /) -> bool:
    """Whether `obj` is a storage object."""
    return isinstance(obj, UntypedStorage)


def typename(obj: Any, /) -> str:
    """The qualified name of an object's class (a tensor's legacy type)."""
    if isinstance(obj, Tensor):
        return obj.type()  # type: ignore[attr-defined]
    where = getattr(obj, "__module__", "") or ""
    name = ""
    if hasattr(obj, "__qualname__"):
        name = obj.__qualname__
    elif hasattr(obj, "__name__"):
        name = obj.__name__
    else:
        where, name = type(obj).__module__ or "", type(obj).__qualname__
    return name if where in ("", "builtins") else f"{where}.{name}"


def set_default_tensor_type(t: Any, /) -> None:
    """Deprecated in PyTorch: the default dtype (and device), by a legacy type or its name.

    TypeError for a type that is not floating-point, or of a device that is not there.
    """
    warn(
        "torch.set_default_tensor_type() is deprecated as of PyTorch 2.1, please use "
        "torch.set_default_dtype() and torch.set_default_device() as alternatives."
    )
    if isinstance(t, str):
        where, _, name = t.rpartition(".")
        tables = {"torch": ops.data.LEGACY, "torch.cuda": ops.data.LEGACY_CUDA}  # type: ignore
        if where not in tables:
            raise ModuleNotFoundError(f"No module named '{where or t}'")
        if name not in tables[where]:
            raise AttributeError(f"module '{where}' has no attribute '{name}'")
        t = tables[where][name]
    kind = getattr(t, "dtype", None)
    if not isinstance(kind, dtype):
        raise TypeError(
            "invalid type object: only floating-point types are supported as the default type"
        )
    on_gpu = getattr(t, "is_cuda", False)
    if on_gpu:
        ops.data.check_legacy(t)  # type: ignore
        set_default_device("cuda")
    elif get_default_device().type == "cuda":
        set_default_device(None)
    set_default_dtype(kind)


class OutOfMemoryError(RuntimeError):
    """A device has no memory left. JAX raises an error of its own."""


class AcceleratorError(RuntimeError):
    """A device failed. JAX raises an error of its own."""


class _Symbolic:
    """A number that is not known yet: shapes are always known here, so there is none."""

    def __init__(self, *_: Any) -> None:
        raise NotImplementedError(f"{type(self).__name__}: symbolic numbers are not supported")


class SymInt(_Symbolic):
    """An integer that is not known yet."""


class SymFloat(_Symbolic):
    """A number that is not known yet."""


class SymBool(_Symbolic):
    """A truth value that is not known yet."""


for _class in (OutOfMemoryError, AcceleratorError, SymInt, SymFloat, SymBool):
    _class.__module__ = "torch"
has_lapack = has_mkl = has_openmp = has_spectral = True  # what they did in PyTorch, XLA does here


# ----- threads: XLA sizes its own pool, so these only remember -----
def _count(name: str, threads: Any) -> int:
    if isinstance(threads, bool) or not isinstance(threads, int):
        raise RuntimeError(f"{name} expects an int, but got {type(threads).__name__}")
    if threads <= 0:
        raise RuntimeError(f"{name} expects a positive integer")
    return threads


def get_num_threads() -> int:
    """The number of threads asked for."""
    return _settings["threads"]


def set_num_threads(num: int, /) -> None:
    """Remember a number of threads; XLA decides by itself how many it uses."""
    _settings["threads"] = _count("set_num_threads", num)


def get_num_interop_threads() -> int:
    """The number of threads for parallel operations asked for."""
    return _settings["interop"]


def set_num_interop_threads(num: int, /) -> None:
    """Remember a number of threads for parallel operations."""
    _settings["interop"] = _count("set_num_interop_threads", num)


# ----- determinism: every program here gives the same answer twice -----
def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Remember the choice: on the CPU every op is deterministic anyway."""
    for name, given in (("mode", mode), ("warn_only", warn_only)):
        if not isinstance(given, bool):
            raise TypeError(
                f"_set_deterministic_algorithms(): argument '{name}' (position 1) must be bool, "
                f"not {type(given).__name__}"
            )
    _settings["deterministic"], _settings["warn_only"] = mode, warn_only


def are_deterministic_algorithms_enabled() -> bool:
    """Whether deterministic algorithms were asked for."""
    return _settings["deterministic"]


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Whether only warnings were asked for."""
    return _settings["warn_only"]


_DEBUG_MODES = ("default", "warn", "error")


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """`use_deterministic_algorithms` by 0, 1, 2 or "default", "warn", "error"."""
    if not isinstance(debug_mode, (int, str)):
        raise TypeError(f"debug_mode must be str or int, but got {type(debug_mode)}")
    if isinstance(debug_mode, str):
        if debug_mode not in _DEBUG_MODES:
            raise RuntimeError(
                "invalid value of debug_mode, expected one of `default`, `warn`, `error`, but got "
                f"{debug_mode}"
            )
        debug_mode = _DEBUG_MODES.index(debug_mode)
    if debug_mode not in (0, 1, 2):
        raise RuntimeError(
            f"invalid value of debug_mode, expected 0, 1, or 2, but got {debug_mode}"
        )
    use_deterministic_algorithms(debug_mode > 0, warn_only=debug_mode == 1)


def get_deterministic_debug_mode() -> int:
    """0, 1 or 2: no determinism asked for, with warnings, with errors."""
    if not _settings["deterministic"]:
        return 0
    return 1 if _settings["warn_only"] else 2


def set_warn_always(b: bool, /) -> None:
    """Remember whether warnings are to be repeated (here they always are)."""
    if not isinstance(b, bool):
        raise RuntimeError(f"setWarnOnlyOnce expects a bool, but got {type(b).__name__}")
    _settings["always"] = b


def is_warn_always_enabled() -> bool:
    """Whether `set_warn_always` was asked for."""
    return _settings["always"]


def set_flush_denormal(mode: bool) -> bool:
    """Whether the setting took effect: never, XLA decides about denormal numbers."""
    if not isinstance(mode, bool):
        raise RuntimeError(f"flush_denormal expects a bool, but got {type(mode).__name__}")
    return False


# ----- facts of the build -----
def compiled_with_cxx11_abi() -> bool:
    """Whether C++ extensions would need the new ABI: as PyTorch's own wheels answer."""
    return True


def is_vulkan_available() -> bool:
    """Whether Vulkan is there: never."""
    return False


def get_device_module(device: Any = None) -> Any:
    """The `torch.<type>` module of a device; without one the accelerator's, or `torch.cpu`."""
    import importlib

    if not (device is None or isinstance(device, (str, Device))):
        raise RuntimeError(
            f"Invalid value of device '{device}', expect torch.device, str, or None"
        )
    found = next((name for name in ("cuda", "xla") if count(name)), "cpu")
    kind = found if device is None else Device(device).type
    try:
        return importlib.import_module(f"{__package__}.{kind}")
    except ImportError:
        raise RuntimeError(
            f"Invalid device module '{kind}': torch has no module named '{kind}'."
        ) from None


def _assert(condition: Any, message: str) -> None:
    """AssertionError unless the condition holds: a function, so that tracers can record it."""
    if not condition:
        raise AssertionError(message)


# ----- sizes: always plain numbers here -----
_REAL = (np.integer, np.floating, int, float)


def _demand_real(*given: Any) -> None:
    for x in given:
        if not isinstance(x, _REAL):
            raise AssertionError(f"expected {_REAL}, got {type(x)}")


def sym_int(a: Any) -> int:
    """`a` as an int, rounded towards zero."""
    return int(a)


def sym_float(a: Any) -> float:
    """`a` as a float."""
    return float(a)


def sym_not(a: Any) -> bool:
    """The negation."""
    return not a


def sym_max(a: Any, b: Any) -> Any:
    """The larger one; a float if one is."""
    _demand_real(a, b)
    found = max(a, b)
    return float(found) if float in (type(a), type(b)) else found


def sym_min(a: Any, b: Any) -> Any:
    """The smaller one; a float if one is."""
    _demand_real(a, b)
    found = min(a, b)
    return float(found) if float in (type(a), type(b)) else found


def sym_ite(b: bool, t: Any, f: Any) -> Any:
    """`t if b else f`, which are of one type."""
    if not isinstance(b, bool):
        raise AssertionError(f"expected SymBool or bool, got {type(b)}")
    if type(t) is not type(f):
        raise AssertionError(f"type mismatch: {type(t)} vs {type(f)}")
    return t if b else f


def sym_sum(args: Sequence[Any] | float) -> Any:
    """The sum of numbers; a number itself."""
    return builtins.sum(args) if isinstance(args, Iterable) else args


def sym_sqrt(a: Any) -> float:
    """The square root."""
    return math.sqrt(a)


__all__ = [
    "AcceleratorError", "OutOfMemoryError", "SymBool", "SymFloat", "SymInt", "has_lapack",
    "has_mkl", "has_openmp", "has_spectral", "TypedStorage", "UntypedStorage",
    "_assert", "are_deterministic_algorithms_enabled",
    "compiled_with_cxx11_abi", "get_deterministic_debug_mode", "get_device_module",
    "get_num_interop_threads", "get_num_threads", "is_deterministic_algorithms_warn_only_enabled",
    "is_storage", "is_vulkan_available", "is_warn_always_enabled", "set_default_tensor_type",
    "set_deterministic_debug_mode", "set_flush_denormal", "set_num_interop_threads",
    "set_num_threads", "set_warn_always", "sym_float", "sym_int", "sym_ite", "sym_max", "sym_min",
    "sym_not", "sym_sqrt", "sym_sum", "typename", "use_deterministic_algorithms",
]  # fmt: skip
