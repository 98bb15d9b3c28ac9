"""Grids and combinations of the elements of vectors."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from ..core.check import warn
from ..core.op import composite
from ..core.tensor import Tensor, from_host
from ..core.wrong_call import demand
from .movement import stack


# ----- grids -----
@composite(method=False)
def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Tensor, ...]:
    """Coordinate grids of 1-D tensors."""
    given: Any = tensors
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        given = tensors[0]
    demand("meshgrid", given, **({} if indexing is None else {"indexing": indexing}))
    if not given:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    if indexing is None:
        warn(
            "torch.meshgrid: in an upcoming release, it will be required to pass the indexing "
            "argument. (Triggered internally at "
            "/pytorch/aten/src/ATen/native/TensorShape.cpp:4383.)",
            UserWarning
        )
    for t in given:
        if t.dtype is not given[0].dtype:
            raise RuntimeError("meshgrid expects all tensors to have the same dtype")
    if indexing not in (None, "ij", "xy"):
        raise RuntimeError(
            'torch.meshgrid: indexing must be one of "xy" or "ij", but received: ' + str(indexing)
        )
    for t in given:
        if t.ndim > 1:
            raise RuntimeError(
                "torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: "
                + _stream_text(t)
            )
    swap = indexing == "xy" and len(given) > 1
    order = [given[1], given[0], *given[2:]] if swap else list(given)
    sizes = [t.numel() for t in order]
    grids = []
    for i, t in enumerate(order):
        shape = [-1 if j == i else 1 for j in range(len(order))]
        grids.append(t.reshape(shape).expand(sizes))
    if swap:
        grids[0], grids[1] = grids[1], grids[0]
    return tuple(grids)


def _stream_text(t: Tensor) -> str:
    """A matrix as C++ streams print it."""
    rows = "\n".join(
        " ".join(f" {x:g}" for x in row)[0:] for row in t.reshape(t.shape[0], -1).tolist()
    )
    sizes = ",".join(map(str, t.shape))
    return f"{rows}\n[ torch.{t.dtype.legacy}{{{sizes}}} ]"


@composite(method=False)
def cartesian_prod(*tensors: Any) -> Tensor:
    """Every combination of elements, one a row."""
    if len(tensors) == 1:
        return tensors[0]
    return stack([g.flatten() for g in meshgrid(*tensors, indexing="ij")], 1)


@composite(method=False)
def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """Every r-subset of a vector's elements, one a row."""
    if input.ndim != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {list(input.shape)}")
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    if r == 0:
        return input.new_empty(0)  # type: ignore[attr-defined]
    pick = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    chosen = np.zeros((input.numel(),) * r, np.bool_)
    for places in pick(range(input.numel()), r):
        chosen[places] = True
    mask = from_host(chosen)
    parts = [grid.masked_select(mask) for grid in meshgrid(*[input] * r, indexing="ij")]
    return stack(parts, 1)
