"""Devices: PyTorch's names over JAX's devices."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import jax

_KNOWN = (
    "cpu, cuda, ipu, xpu, mkldnn, opengl, opencl, ideep, hip, ve, fpga, maia, xla, lazy, vulkan, "
    "mps, meta, hpu, mtia, privateuseone"
)
_PLATFORM = {"cpu": "cpu", "cuda": "gpu", "xla": "tpu"}
_INTERNED: dict[tuple[str, int | None], device] = {}


class device:
    """Where a tensor lives: `device("cpu")`, `device("cuda", 0)`, `device("cuda:1")`, `meta`.

    `cuda` is any GPU JAX knows, `xla` a TPU. RuntimeError for names PyTorch does not know.
    Also a context manager: tensors made inside it without `device=` are made there.
    """

    type: str
    index: int | None
    __slots__ = ("type", "index", "_saved")
    __module__ = "torch"

    def __new__(cls, type: Any = "cpu", index: int | None = None) -> device:
        if isinstance(type, device):
            return type
        if isinstance(index, int) and index < 0:
            raise RuntimeError("Device index must not be negative")
        if index is not None and not isinstance(index, int):
            raise TypeError(
                f"device(): argument 'index' (position 2) must be int, not {_class(index)}"
            )
        name, index = _parse(type, index)
        made = _INTERNED.get((name, index))
        if made is None:
            made = super().__new__(cls)
            made.type, made.index, made._saved = name, index, []
            _INTERNED[name, index] = made
        return made

    def __repr__(self) -> str:
        where = "" if self.index is None else f", index={self.index}"
        return f"device(type='{self.type}'{where})"

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_made, (self.type, self.index))  # plain pickle needs no module called torch

    def __enter__(self) -> device:
        self._saved.append(_default[0])
        _default[0] = self
        return self

    def __exit__(self, *_: object) -> None:
        _default[0] = self._saved.pop()


def _made(type: str, index: int | None) -> device:
    return device(type, index)


def _class(x: Any) -> str:
    return x.__class__.__name__


def _parse(spec: Any, index: int | None) -> tuple[str, int | None]:
    if isinstance(spec, int) and not isinstance(spec, bool):
        if spec < 0:
            raise RuntimeError("Device index must not be negative")
        if not count("cuda") and not count("xla"):
            raise RuntimeError("Cannot access accelerator device when none is available.")
        return accelerator_name(), spec
    if not isinstance(spec, str):
        raise TypeError(
            "device() received an invalid combination of arguments - got "
            f"({_class(spec)}), but expected one of:\n * (torch.device device)\n      didn't match "
            f"because some of the arguments have invalid types: (!{_class(spec)}!)\n"
            " * (str type, int index = -1)\n"
        )
    if not spec:
        raise RuntimeError("Device string must not be empty")
    match = re.fullmatch(r"([a-z_]+)(?::(0|[1-9]\d*))?", spec)
    if match is None:
        raise RuntimeError(f"Invalid device string: '{spec}'")
    name = match[1]
    if name not in _KNOWN.split(", "):
        raise RuntimeError(
            f"Expected one of {_KNOWN} device type at start of device string: {name}"
        )
    if match[2] is not None:
        if index is not None:
            raise RuntimeError(
                "type (string) must not include an index because index was passed explicitly: "
                + spec
            )
        index = int(match[2])
    return name, index


CPU = device("cpu")
META = device("meta")
_default = [CPU]


def accelerator_name() -> str:
    """The device type of this machine's accelerator ('cuda' when JAX sees none, as in PyTorch)."""
    return "xla" if count("xla") and not count("cuda") else "cuda"


@cache
def _jax_devices(platform: str) -> tuple[Any, ...]:
    try:
        return tuple(jax.devices(platform))
    except (
        RuntimeError
    ):  # JAX: "Unknown backend" when it was not built for, or finds no, such device
        return ()


def count(type: str) -> int:
    """How many devices of a type JAX sees."""
    return len(_jax_devices(_PLATFORM[type])) if type in _PLATFORM else 0


def resolve(spec: Any = None) -> device:
    """The concrete device of a `device=` argument; RuntimeError if this machine has none such."""
    found = _default[0] if spec is None else device(spec)
    if found is CPU or found is META:
        return found
    if found.type == "cpu":
        return CPU  # PyTorch prints cpu:0 for an explicit index; memory is the same
    if found.type == "meta":
        return META
    if found.type == "xpu":
        raise AssertionError("Torch not compiled with XPU enabled")
    if found.type not in _PLATFORM:
        raise NotImplementedError(f"device '{found.type}' is not supported by torchlike")
    if (found.index or 0) >= count(found.type):
        if found.type == "cuda":
            raise AssertionError("Torch not compiled with CUDA enabled")
        raise RuntimeError(f"no {found.type} device {found.index or 0} is known to JAX")
    return device(found.type, found.index or 0)


def to_jax(of: device) -> Any:
    """The JAX device behind a resolved device."""
    return _jax_devices(_PLATFORM[of.type])[of.index or 0]


def get_default_device() -> device:
    """The device of tensors made without `device=`."""
    return _default[0]


def set_default_device(device: Any) -> None:
    """Set the device of tensors made without `device=`; None means the CPU."""
    _default[0] = CPU if device is None else resolve(device)
