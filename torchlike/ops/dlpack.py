"""DLPack: sharing memory with other libraries' arrays."""

from __future__ import annotations

import enum
from typing import Any

import numpy as np

from ..core.check import unsupported
from ..core.op import composite
from ..core.tensor import Tensor, from_host, from_shared
from .convert import clone


class DLDeviceType(enum.IntEnum):
    """Numbers of kinds of devices, as the DLPack standard has them."""

    kDLCPU = 1
    kDLCUDA = 2


@composite(module=None, method=True)
def __dlpack__(
    self: Tensor, *, stream: Any = -1, max_version: Any = None, dl_device: Any = None,
    copy: bool | None = None,
) -> Any:  # fmt: skip
    """The tensor's memory as a DLPack capsule."""
    if self.requires_grad:  # type: ignore[attr-defined]
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
    if stream is not None and stream != -1:
        raise unsupported("__dlpack__", "stream", stream)
    if self.device.type != "cpu":
        raise unsupported("__dlpack__", "device", self.device)
    array = (clone(self) if copy else self).numpy()
    return array.__dlpack__(max_version=max_version, dl_device=dl_device)


@composite(module=None, method=True)
def __dlpack_device__(self: Tensor) -> tuple[DLDeviceType, int]:
    """The device's kind and number."""
    if self.device.type not in ("cpu", "cuda"):
        raise ValueError(f"Unknown device type {self.device.type} for Dlpack")
    kind = DLDeviceType.kDLCPU if self.device.type == "cpu" else DLDeviceType.kDLCUDA
    return kind, self.device.index or 0


class _Capsule:
    """A bare capsule, as an array NumPy can import."""

    def __init__(self, capsule: Any) -> None:
        self.capsule = capsule

    def __dlpack__(self, **_: Any) -> Any:
        return self.capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0


@composite(method=False)
def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor over another library's memory; a copy where that memory is read-only."""
    source = ext_tensor if hasattr(ext_tensor, "__dlpack__") else _Capsule(ext_tensor)
    try:
        array = np.from_dlpack(source)
    except ValueError:
        if source is ext_tensor:
            raise
        raise RuntimeError(
            "from_dlpack received an invalid capsule. Note that DLTensor capsules can be consumed "
            "only once, so you might have already constructed a tensor from it once."
        ) from None
    if copy or not array.flags.writeable:
        t = from_host(np.array(array))
    else:
        t = from_shared(array)
    return t if device is None else t.to(device)  # type: ignore[attr-defined]


@composite(method=False)
def to_dlpack(tensor: Tensor) -> Any:
    """The tensor's memory as a DLPack capsule."""
    if not isinstance(tensor, Tensor):
        raise TypeError(
            "_to_dlpack(): argument 'data' (position 1) must be Tensor, not "
            f"{type(tensor).__name__}"
        )
    return tensor.__dlpack__()  # type: ignore[attr-defined]
