"""`torch.autocast`: a region in which ops choose their dtypes; one setting per thread."""

import contextlib
import functools
import importlib.util
import threading
import warnings
from collections.abc import Iterable, Mapping

import numpy as np

from ..core import dtypes
from ..core.check import spelt
from ..core.device import count, device
from ..core.guards import MODES
from ..core.record import LOCAL
from ..core.tensor import Tensor
from .policy import Casting, eligible, guard

SUPPORTED = ("cpu", "cuda", "mtia", "maia", "xpu", "ipu", "hpu", "xla", "privateuseone", "mps")
BFLOAT16 = ("cpu", "maia", "hpu", "xla")  # the others take float16 by default


class _Settings(threading.local):
    """The thread's autocast state."""

    def __init__(self) -> None:
        self.enabled: set[str] = set()
        self.dtypes: dict = {}
        self.cache_enabled = True
        self.nesting = 0
        self.cache: dict = {}

    def active(self):
        """(device type, (lower dtype, cache or None)) of each device autocast is on for."""
        cache = self.cache if self.cache_enabled else None
        return [(kind, (self.dtype(kind), cache)) for kind in self.enabled]

    def dtype(self, kind: str):
        lower = dtypes.bfloat16 if kind in BFLOAT16 else dtypes.float16
        return self.dtypes.get(kind, lower)


SETTINGS = _Settings()


def _mode() -> tuple:
    """What of the settings a captured step depends on."""
    return tuple((kind, lower) for kind, (lower, _) in sorted(SETTINGS.active()))


MODES.append(_mode)


def _type(function: str, device_type: str) -> str:
    """The type that a device string begins with; PyTorch's errors for what is none."""
    if not isinstance(device_type, str):
        raise TypeError(
            f"{function}(): argument 'device_type' (position 1) must be str, not "
            f"{spelt(device_type)}"
        )
    return device(device_type).type


def _known(function: str, device_type: str) -> str:
    device_type = _type(function, device_type)
    if device_type not in SUPPORTED:
        raise RuntimeError(
            "unknown device type for autocast in get_autocast_dispatch_key_from_device_type"
        )
    return device_type


# ----- the state's accessors -----
def is_autocast_available(device_type: str) -> bool:
    """Whether PyTorch has autocast for a device type."""
    return _type("_is_autocast_available", device_type) in SUPPORTED


def is_autocast_enabled(device_type: str = "cuda") -> bool:
    """Whether autocast is on for a device type."""
    return _known("is_autocast_enabled", device_type) in SETTINGS.enabled


def set_autocast_enabled(device_type, *enabled: bool) -> None:
    """Turn autocast on or off for a device type (by one bool: for CUDA)."""
    place = 1 + len(enabled)
    device_type, enabled = (device_type, *enabled) if enabled else ("cuda", device_type)
    device_type = _known("set_autocast_enabled", device_type)
    if not isinstance(enabled, bool):
        raise TypeError(
            f"set_autocast_enabled(): argument 'enabled' (position {place}) must be bool, not "
            f"{spelt(enabled)}"
        )
    (SETTINGS.enabled.add if enabled else SETTINGS.enabled.discard)(device_type)
    _interpose()


def _interpose() -> None:
    """Stand in front of dispatch, or step aside when no device is left."""
    state, top = LOCAL.state, LOCAL.state.interposed
    if SETTINGS.enabled and top.__class__ is not Casting:
        guard()
        state.interposed = Casting(SETTINGS, top)
    elif not SETTINGS.enabled and top.__class__ is Casting:
        state.interposed = top.outer


def get_autocast_dtype(device_type: str):
    """The lower precision dtype of a device type."""
    device_type = _type("get_autocast_dtype", device_type)
    if device_type not in SUPPORTED:
        raise RuntimeError("unsupported scalarType")  # as PyTorch words it
    return SETTINGS.dtype(device_type)


def set_autocast_dtype(device_type: str, dtype) -> None:
    """Set the lower precision dtype of a device type."""
    if not isinstance(dtype, dtypes.dtype):
        raise TypeError(
            "set_autocast_dtype(): argument 'dtype' (position 2) must be torch.dtype, not "
            f"{spelt(dtype)}"
        )
    SETTINGS.dtypes[_type("set_autocast_dtype", device_type)] = dtype


def is_autocast_cache_enabled() -> bool:
    """Whether cast parameters are kept until the outermost region ends."""
    return SETTINGS.cache_enabled


def set_autocast_cache_enabled(enabled: bool) -> None:
    """Keep cast parameters until the outermost region ends, or not."""
    if not isinstance(enabled, bool):
        raise TypeError(f"enabled must be a bool (got {type(enabled).__name__})")
    SETTINGS.cache_enabled = enabled


def autocast_increment_nesting() -> int:
    """One region deeper; tells the depth."""
    SETTINGS.nesting += 1
    return SETTINGS.nesting


def autocast_decrement_nesting() -> int:
    """One region less deep; tells the depth."""
    SETTINGS.nesting -= 1
    return SETTINGS.nesting


def clear_autocast_cache() -> None:
    """Forget the cast parameters."""
    SETTINGS.cache.clear()


def _of(old: str, kind: str, function):
    what, wanted, article = "dtype", dtypes.dtype, "a torch.dtype"
    if function is set_autocast_enabled:
        what, wanted, article = "enabled", bool, "a bool"
    given = what if function.__name__.startswith("set") else ""
    better = f"torch.{function.__name__}('{kind}'{given and ', ' + given})"
    text = f"torch.{old}({given}) is deprecated. Please use {better} instead."

    def accessor(*args):
        warnings.warn(text, DeprecationWarning, stacklevel=2)
        if args and not isinstance(args[0], wanted):
            raise TypeError(f"{what} must be {article} (got {type(args[0]).__name__})")
        return function(kind, *args)

    accessor.__doc__ = f"Deprecated in PyTorch: `{function.__name__}` for {kind}."
    return accessor


is_autocast_cpu_enabled = _of("is_autocast_cpu_enabled", "cpu", is_autocast_enabled)
is_autocast_xla_enabled = _of("is_autocast_xla_enabled", "xla", is_autocast_enabled)
is_autocast_ipu_enabled = _of("is_autocast_ipu_enabled", "ipu", is_autocast_enabled)
set_autocast_cpu_enabled = _of("set_autocast_cpu_enabled", "cpu", set_autocast_enabled)
set_autocast_xla_enabled = _of("set_autocast_xla_enabled", "xla", set_autocast_enabled)
set_autocast_ipu_enabled = _of("set_autocast_ipu_enabled", "ipu", set_autocast_enabled)
get_autocast_cpu_dtype = _of("get_autocast_cpu_dtype", "cpu", get_autocast_dtype)
get_autocast_gpu_dtype = _of("get_autocast_gpu_dtype", "cuda", get_autocast_dtype)
get_autocast_xla_dtype = _of("get_autocast_xla_dtype", "xla", get_autocast_dtype)
get_autocast_ipu_dtype = _of("get_autocast_ipu_dtype", "ipu", get_autocast_dtype)
set_autocast_cpu_dtype = _of("set_autocast_cpu_dtype", "cpu", set_autocast_dtype)
set_autocast_gpu_dtype = _of("set_autocast_gpu_dtype", "cuda", set_autocast_dtype)
set_autocast_xla_dtype = _of("set_autocast_xla_dtype", "xla", set_autocast_dtype)
set_autocast_ipu_dtype = _of("set_autocast_ipu_dtype", "ipu", set_autocast_dtype)


# ----- the region -----
def amp_definitely_not_available() -> bool:
    """Whether there is no GPU (or TPU through torch_xla) for mixed precision."""
    return not (count("cuda") or importlib.util.find_spec("torch_xla"))


def autocast_decorator(autocast_instance, func):
    """A function that runs inside an autocast region."""

    @functools.wraps(func)
    def decorate_autocast(*args, **kwargs):
        with autocast_instance:
            return func(*args, **kwargs)

    return decorate_autocast


class autocast:
    """A region (`with`, or decorator) in which ops choose their dtypes by PyTorch's lists."""

    def __init__(self, device_type, dtype=None, enabled=True, cache_enabled=None) -> None:
        if not isinstance(device_type, str):
            raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
        self.device = device_type
        self.fast_dtype = get_autocast_dtype(device_type) if dtype is None else dtype
        if not is_autocast_available(device_type):
            raise RuntimeError(
                f"User specified an unsupported autocast device_type '{device_type}'"
            )
        cached = is_autocast_cache_enabled() if cache_enabled is None else cache_enabled
        self._cache_enabled = cached
        self._enabled = enabled and self._supported()

    def _supported(self) -> bool:
        if self.device == "cuda":
            if amp_definitely_not_available():
                text = "CUDA is not available or torch_xla is imported. Disabling autocast."
                warnings.warn(text, stacklevel=3)
                return False
        elif self.fast_dtype not in (dtypes.bfloat16, dtypes.float16):
            name = self.device.upper()
            warnings.warn(
                f"In {name} autocast, but the target dtype is not supported. Disabling autocast.\n"
                f"{name} Autocast only supports dtypes of torch.bfloat16, torch.float16 currently.",
                stacklevel=3,
            )
            return False
        return True

    def __enter__(self):
        self.prev_cache_enabled = is_autocast_cache_enabled()
        self.prev = is_autocast_enabled(self.device)
        self.prev_fastdtype = get_autocast_dtype(self.device)
        self._outside = LOCAL.state.interposed
        set_autocast_enabled(self.device, self._enabled)
        set_autocast_dtype(self.device, self.fast_dtype)
        autocast_increment_nesting()
        set_autocast_cache_enabled(self._cache_enabled)
        return self

    def __exit__(self, *error) -> bool:
        if autocast_decrement_nesting() == 0:
            clear_autocast_cache()
        set_autocast_enabled(self.device, self.prev)
        set_autocast_dtype(self.device, self.prev_fastdtype)
        set_autocast_cache_enabled(self.prev_cache_enabled)
        LOCAL.state.interposed = self._outside
        return False

    def __call__(self, func):
        if not callable(func):
            raise TypeError(
                f"autocast()(func) requires a callable, but got {type(func).__name__}. Did you "
                "mean to use autocast as a context manager? For example:\n"
                "    with torch.autocast(device_type=...):\n        output = model(input)"
            )
        return autocast_decorator(self, func)


class _UnmanagedAutocast(autocast):
    """A region entered and left by `_enter_autocast` and `_exit_autocast`."""


def _enter_autocast(*vals):
    mode = _UnmanagedAutocast(*vals)
    mode.__enter__()
    return mode


def _exit_autocast(mode) -> None:
    mode.__exit__(None, None, None)


def as_now():
    """What makes a context in which autocast is as it is now (for a rerun)."""
    kinds = SETTINGS.enabled | {"cpu"}
    now = [
        (kind, get_autocast_dtype(kind), is_autocast_enabled(kind), is_autocast_cache_enabled())
        for kind in sorted(kinds)
    ]

    @contextlib.contextmanager
    def again():
        with contextlib.ExitStack() as stack:
            for settings in now:
                stack.enter_context(autocast(*settings))
            yield

    return again


# ----- custom autograd functions -----
def _cast(value, device_type: str, dtype):
    """Tensors, and those in containers, in another dtype."""
    if isinstance(value, Tensor):
        return value.to(dtype) if eligible(value, device_type) else value
    if isinstance(value, str | bytes | np.ndarray):
        return value
    if isinstance(value, Mapping):
        pairs = value.items()
        return {_cast(k, device_type, dtype): _cast(v, device_type, dtype) for k, v in pairs}
    if isinstance(value, Iterable):
        parts = (_cast(v, device_type, dtype) for v in value)
        return type(value)(parts) if isinstance(value, list | tuple) else parts
    return value


def _check_kind(device_type) -> None:
    if not isinstance(device_type, str):
        raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")


def custom_fwd(fwd=None, *, device_type: str, cast_inputs=None):
    """Decorates `forward` of an autograd Function: with `cast_inputs`, its tensors are cast and
    autocast is off inside."""
    _check_kind(device_type)
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)

    @functools.wraps(fwd)
    def decorate_fwd(*args, **kwargs):
        enabled = is_autocast_enabled(device_type)
        args[0]._dtype = get_autocast_dtype(device_type)
        args[0]._fwd_used_autocast = enabled and cast_inputs is None
        if cast_inputs is None or not enabled:
            return fwd(*args, **kwargs)
        with autocast(device_type=device_type, enabled=False):
            args = _cast(args, device_type, cast_inputs)
            return fwd(*args, **_cast(kwargs, device_type, cast_inputs))

    return decorate_fwd


def custom_bwd(bwd=None, *, device_type: str):
    """Decorates `backward` of an autograd Function: autocast as it was in `forward`."""
    _check_kind(device_type)
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)

    @functools.wraps(bwd)
    def decorate_bwd(*args, **kwargs):
        used, dtype = args[0]._fwd_used_autocast, args[0]._dtype
        with autocast(device_type=device_type, enabled=used, dtype=dtype):
            return bwd(*args, **kwargs)

    return decorate_bwd


# the accessors in torch's own namespace
TOP = [
    name for name in globals()
    if "autocast" in name and name.startswith(("is_a", "set_", "get_", "clear", "autocast_"))
    and name not in ("is_autocast_available", "autocast_decorator")
]  # fmt: skip
__all__ = ["autocast", "autocast_decorator", "custom_bwd", "custom_fwd", "is_autocast_available"]
