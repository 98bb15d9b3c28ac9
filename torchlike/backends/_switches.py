"""What the modules of torch.backends are made of: settings that look like attributes."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import jax

from ..core.check import warn

_state = {"frozen": False}


def disable_global_flags() -> None:
    """From here on settings change only inside `flags()`."""
    _state["frozen"] = True


def flags_frozen() -> bool:
    """Whether `disable_global_flags` was called."""
    return _state["frozen"]


@contextlib.contextmanager
def kept(set_flags: Callable[..., tuple[Any, ...]], *values: Any) -> Iterator[None]:
    """`set_flags(*values)` for a block, also after `disable_global_flags`."""
    before = _thawed(set_flags, values)
    try:
        yield
    finally:
        _thawed(set_flags, before)


def _thawed(set_flags: Callable[..., tuple[Any, ...]], values: tuple[Any, ...]) -> tuple[Any, ...]:
    frozen, _state["frozen"] = _state["frozen"], False
    try:
        return set_flags(*values)
    finally:
        _state["frozen"] = frozen


def become(name: str, cls: type[ModuleType]) -> None:
    """The module of that name gets a class with settings."""
    sys.modules[name].__class__ = cls


def check_bool(setter: str, value: Any) -> bool:
    """RuntimeError, in PyTorch's words, unless `value` is a bool."""
    if not isinstance(value, bool):
        raise RuntimeError(f"{setter} expects a bool, but got {type(value).__name__}")
    return value


class Setting:
    """An attribute that is read and written by functions; frozen ones are written in `flags()`."""

    def __init__(self, get: Callable[[], Any], put: Callable[[Any], Any] | None = None,
                 freezes: bool = True) -> None:  # fmt: skip
        self.get, self.put, self.freezes = get, put, freezes

    def __get__(self, owner: Any, kind: type | None = None) -> Any:
        return self.get()

    def __set__(self, owner: Any, value: Any) -> None:
        if self.put is None:
            raise RuntimeError("Assignment not supported")
        if self.freezes and _state["frozen"]:
            name = "torch" + owner.__name__.removeprefix(__package__.partition(".")[0])
            raise RuntimeError(
                f"not allowed to set {name} flags after disable_global_flags; please use flags() "
                "context manager instead"
            )
        self.put(value)


class Switch(Setting):
    """A truth value that is remembered; `setter` is PyTorch's name for what sets it."""

    def __init__(self, value: bool, setter: str, freezes: bool = True) -> None:
        self.value, self.setter = value, setter
        super().__init__(lambda: self.value, self.turn, freezes)

    def turn(self, value: Any) -> bool:
        """Sets it; gives what it was."""
        before, self.value = self.value, check_bool(self.setter, value)
        return before

    def update(self, value: Any) -> bool:
        """`turn`, unless the value is None."""
        return self.value if value is None else self.turn(value)


# ----- how exactly float32 is computed -----
# XLA has one setting, for products and convolutions; that for products of "cuda" chooses it.
PRECISIONS: dict[tuple[str, str], str] = {}
_DEFAULTS = {("cuda", "conv"): "tf32", ("cuda", "rnn"): "tf32"}
_KINDS = ("ieee", "tf32", "bf16", "none")
_JAX = {"highest": "highest", "high": "high", "medium": "default"}


def precision(backend: str, op: str) -> str:
    """What was asked for: for the op, or else for its backend, or else for all."""
    levels = (backend, op), (backend, "all"), ("generic", "all")
    asked = [PRECISIONS.get(level, "none") for level in levels]
    found = next((kind for kind in asked if kind != "none"), None)
    if found is None and (backend, op) not in PRECISIONS:
        return _DEFAULTS.get((backend, op), "none")
    return "none" if found is None or (backend, found) == ("cuda", "bf16") else found


def set_precision(backend: str, op: str, kind: str) -> None:
    """Asks for a precision; "none" leaves it to the wider settings."""
    if kind not in _KINDS:
        raise RuntimeError(f"Unknown precision: {kind}")
    if backend == "cuda" and kind == "bf16":
        raise RuntimeError("backend 'cuda' does not support precision 'bf16'")
    PRECISIONS[backend, op] = kind
    _tell_jax()


def _tell_jax() -> None:
    wanted = _JAX[get_float32_matmul_precision()]
    if jax.config.jax_default_matmul_precision != wanted:
        jax.config.update("jax_default_matmul_precision", wanted)


def of_precision(backend: str, op: str) -> Setting:
    """The attribute `fp32_precision` of a module."""
    return Setting(lambda: precision(backend, op), lambda kind: set_precision(backend, op, kind))


class Precision:
    """An object with the one attribute `fp32_precision`, of one op of a backend."""

    def __init__(self, backend: str, op: str) -> None:
        vars(self).update(backend=backend, op=op)

    @property
    def fp32_precision(self) -> str:
        return precision(vars(self)["backend"], vars(self)["op"])

    def __setattr__(self, name: str, value: Any) -> None:
        if name != "fp32_precision":
            raise AttributeError("Unknown attribute " + name)
        set_precision(vars(self)["backend"], vars(self)["op"], value)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError("Unknown attribute " + name)


def get_float32_matmul_precision() -> str:
    """How exactly float32 products are computed: highest, high or medium."""
    if precision("cuda", "matmul") != "tf32":
        return "highest"
    return "medium" if precision("mkldnn", "matmul") == "bf16" else "high"


def set_float32_matmul_precision(precision: str) -> None:
    """How exactly float32 products are computed: highest (float32), high (TF32), medium (bf16)."""
    kinds = {"highest": ("ieee", "ieee"), "high": ("tf32", "tf32"), "medium": ("tf32", "bf16")}
    if precision not in kinds:
        return warn(
            f"{precision} is not one of 'highest', 'high', or 'medium'; the current"
            "setFloat32MatmulPrecision call has no effect."
        )
    PRECISIONS["cuda", "matmul"], PRECISIONS["mkldnn", "matmul"] = kinds[precision]
    _tell_jax()
