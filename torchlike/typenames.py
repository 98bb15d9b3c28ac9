"""torch.types: names for annotations."""

import builtins
from collections.abc import Sequence
from os import PathLike
from typing import Any, TypeAlias

from .core.device import device as _device
from .core.dtypes import dtype as _dtype
from .core.layouts import layout as _layout
from .core.storage import Size
from .core.tensor import Tensor

Device: TypeAlias = _device | str | int | None
FileLike: TypeAlias = str | PathLike[str] | Any
IntLikeType: TypeAlias = int
FloatLikeType: TypeAlias = float
BoolLikeType: TypeAlias = bool
Number: TypeAlias = int | float | bool
_int, _float, _bool, _complex = builtins.int, builtins.float, builtins.bool, builtins.complex
_Number = (builtins.int, builtins.float, builtins.bool)
_size: TypeAlias = Size | Sequence[int]
_symsize = _size
_TensorOrTensors: TypeAlias = Tensor | Sequence[Tensor]
DeviceLikeType = str | _device | int

__all__ = ["Device", "FileLike", "Number", "_device", "_dtype", "_layout", "_size"]
