"""torch.types: names for annotations."""

import builtins
from collections.abc import Sequence
from os import PathLike
from typing import IO, TypeAlias

from .core.device import device as _device
from .core.dtypes import dtype as _dtype
from .core.layouts import layout as _layout
from .core.storage import Size
from .core.tensor import Tensor

Device: TypeAlias = _device | str | int | None
FileLike: TypeAlias = str | PathLike[str] | IO[bytes]
IntLikeType: TypeAlias = int
FloatLikeType: TypeAlias = float
BoolLikeType: TypeAlias = bool
Number: TypeAlias = int | float | bool
_int, _float, _bool, _complex = builtins.int, builtins.float, builtins.bool, builtins.complex
_Number = (builtins.int, builtins.float, builtins.bool)
_size: TypeAlias = Size | list[int] | tuple[int, ...]
_symsize = _size
_TensorOrTensors: TypeAlias = Tensor | Sequence[Tensor]
_TensorOrOptionalTensors: TypeAlias = Tensor | Sequence[Tensor | None]

__all__ = ["Device", "FileLike", "Number", "_device", "_dtype", "_layout"]
