"""Writes to sparse tensors in place."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.layouts import sparse_coo
from ..core.tensor import Tensor
from .sparse_tensor import (
    SparseTensor,
    coo,
    is_sparse,
)


# ----- in place -----
def _copy_(self: SparseTensor, src: Tensor, non_blocking: bool = False) -> SparseTensor:
    if not is_sparse(src):
        raise RuntimeError(
            "copy_() between dense and sparse Tensors is not implemented! Found self type = "
            f"{self.type()} and src type = {src.type()}"  # type: ignore[attr-defined]
        )
    return _replaced(self, src.to(self.dtype))  # type: ignore[attr-defined]


def _zero_(self: SparseTensor) -> SparseTensor:
    if self.layout is not sparse_coo:
        return _replaced(self, self * 0)  # type: ignore[operator]
    empty = np.zeros((self.sparse_dim(), 0), np.int64)
    return _replaced(self, coo(empty, self._held.detach()[:0], self.shape, True))  # type: ignore[attr-defined]


SparseTensor.copy_, SparseTensor.zero_ = _copy_, _zero_  # type: ignore[attr-defined]


def _replaced(self: SparseTensor, found: SparseTensor) -> SparseTensor:
    self._at, self._held, self._coalesced = found._at, found._held, found._coalesced
    return self


def _inplace(name: str) -> None:
    def write(self: SparseTensor, *args: Any, **named: Any) -> SparseTensor:
        return _replaced(self, getattr(self, name)(*args, **named))

    write.__name__, write.__doc__ = name + "_", f"`{name}`, into the tensor itself."
    setattr(SparseTensor, name + "_", write)


for _name in ("add", "sub", "mul", "div", "neg", "abs", "relu", "sqrt"):
    _inplace(_name)
for _sign, _name in {"__iadd__": "add_", "__isub__": "sub_", "__imul__": "mul_",
                     "__itruediv__": "div_"}.items():  # fmt: skip
    setattr(SparseTensor, _sign, getattr(SparseTensor, _name))
