"""torch._utils: several tensors as one flat one and back, element sizes, device numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..core import dtypes
from ..core.device import count, device
from ..core.op import TABLE
from ..core.tensor import Tensor


def _flatten_dense_tensors(tensors: Sequence[Tensor]) -> Tensor:
    """All elements, in order, as one 1-D tensor."""
    return TABLE["torch", "cat"]([tensor.reshape(-1) for tensor in tensors])  # type: ignore


def _unflatten_dense_tensors(flat: Tensor, tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Views of a flat tensor, of the shapes of `tensors`."""
    made, at = [], 0
    for tensor in tensors:
        count = tensor.numel()
        made.append(flat[at : at + count].view(tensor.shape))  # type: ignore[attr-defined]
        at += count
    return tuple(made)


def _reorder_tensors_as(tensors: Iterable[Tensor], ordered_tensors: Iterable[Tensor]) -> Any:
    """The tensors in the order in which others of the same types come."""
    groups: dict[str, list[Tensor]] = {}
    for tensor in tensors:
        groups.setdefault(tensor.type(), []).append(tensor)  # type: ignore[attr-defined]
    queues = {kind: iter(group) for kind, group in groups.items()}
    return tuple(next(queues[t.type()]) for t in ordered_tensors)  # type: ignore[attr-defined]


def _element_size(dtype: Any) -> int:
    """Bytes of an element."""
    if not isinstance(dtype, dtypes.dtype):
        raise RuntimeError(f"expected torch.dtype, but got {type(dtype)}")
    return dtype.itemsize


def _get_device_index(given: Any, optional: bool = False, allow_cpu: bool = False) -> int | None:
    """The number of a device; -1 for the CPU if allowed, the current one if optional."""
    made = device(given) if isinstance(given, str) else given
    if isinstance(made, device):
        if made.type == "cpu" and not allow_cpu:
            raise ValueError(f"Expected a non cpu device, but got: {made}")
        made = -1 if made.type == "cpu" else made.index
    if isinstance(made, int):
        return made
    if optional:
        return 0 if count("cuda") else None
    raise ValueError(
        f"Expected a torch.device with a specified index or an integer, but got:{given}"
    )
