"""Rarely met methods and functions: by Python function, by diagonal, by segment, by file."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..core.check import check_dim, check_dims, warn_once
from ..core.dispatch import call
from ..core.dtypes import FLOAT, SCALAR_NAMES
from ..core.layouts import channels_last, contiguous_format, memory_format
from ..core.mutate import set_host, write_out
from ..core.op import TABLE, composite, install, publish
from ..core.tensor import Tensor, from_host, from_shared, to_host
from ..core.wrong_call import demand
from .similarity import norm_of_dims
from .sparse_tensor import is_sparse

for _name in ("is_ipu", "is_maia", "is_mtia", "is_vulkan"):
    setattr(Tensor, _name, property(lambda self: False))


def _module_load(self: Tensor, other: Tensor, assign: bool = False) -> Tensor:
    """What `load_state_dict` swaps in for this tensor: a new one that holds `other`'s values."""
    return (other if assign else self.copy_(other)).detach()  # type: ignore[attr-defined]


install("module_load", _module_load)


# ----- element by element, by a Python function -----
def _by_python(self: Tensor, name: str, function: Callable[..., Any], *others: Tensor) -> Tensor:
    if self.requires_grad:  # type: ignore[attr-defined]
        raise RuntimeError(
            f"Can't call {name}() on Variable that requires grad. Use var.detach().{name}() "
            "instead."
        )
    for other in others:
        if other.dtype is not self.dtype:
            raise TypeError(
                f"{name}: expected {self.type()} for 'other' (got {other.type()})"  # type: ignore[attr-defined]
            )
    shape = tuple(self.shape)
    others = tuple(t.expand(shape) for t in others)  # type: ignore[attr-defined]
    rows = [np.broadcast_to(to_host(t), shape).ravel().tolist() for t in (self, *others)]
    array = np.empty(len(rows[0]), to_host(self).dtype)
    for place, values in enumerate(zip(*rows, strict=True)):
        array[place] = function(*values)
    return set_host(self, array.reshape(shape))


@composite(module=None, method=True)
def apply_(self: Tensor, callable: Callable[[Any], Any]) -> Tensor:
    """Each element replaced by a Python function of it."""
    return _by_python(self, "apply_", callable)


@composite(module=None, method=True)
def map_(self: Tensor, tensor: Tensor, callable: Callable[[Any, Any], Any]) -> Tensor:
    """Each element replaced by a Python function of it and of another tensor's."""
    return _by_python(self, "map_", callable, tensor)


@composite(module=None, method=True)
def map2_(self: Tensor, x: Tensor, y: Tensor, callable: Callable[..., Any]) -> Tensor:
    """Each element replaced by a Python function of it and of two other tensors'."""
    return _by_python(self, "map2_", callable, x, y)


# ----- shape -----
@composite(module=None, method=True)
def fill_diagonal_(self: Tensor, fill_value: Any, wrap: bool = False) -> Tensor:
    """A number along the main diagonal; with `wrap` again after each block of a tall matrix."""
    if self.ndim < 2:
        raise RuntimeError("dimensions must larger than 1")
    if self.ndim > 2 and len(set(self.shape)) != 1:
        raise RuntimeError("all dimensions of input must be of equal length")
    height, width = self.shape[:2]
    step = sum(self.stride())  # type: ignore[attr-defined]
    size = min(height, width)
    parts = [(0, size)]
    if wrap and self.ndim == 2 and height > width + 1:
        every = range(0, height, width + 1)
        parts = [(row, min(width, height - row)) for row in every]
    for row, count in parts:
        start = self.storage_offset() + row * self.stride(0)  # type: ignore[attr-defined]
        self.as_strided((count,), (step,), start).fill_(fill_value)  # type: ignore[attr-defined]
    return self


DIM_ORDERS = (contiguous_format, channels_last)


@composite(module=None, method=True)
def dim_order(self: Tensor, *, ambiguity_check: Any = False) -> tuple[int, ...]:
    """The dims from the slowest in memory to the fastest."""
    stride, shape = self.stride(), self.shape  # type: ignore[attr-defined]
    formats = [] if isinstance(ambiguity_check, bool) else ambiguity_check
    if not isinstance(formats, list) or not all(isinstance(f, memory_format) for f in formats):
        raise TypeError("The ambiguity_check argument must be a bool or a list of memory formats.")
    several = 1 in shape or any(a == b for a, b in itertools.pairwise(stride))
    known = [f for f in DIM_ORDERS if self.ndim == 4 or f is contiguous_format]
    laid = [f for f in known if self.is_contiguous(memory_format=f)]  # type: ignore[attr-defined]
    if ambiguity_check is not False and several and sum(f in laid for f in formats) != 1:
        raise RuntimeError(
            "The tensor does not have unique dim order, or cannot map to exact one of the given "
            "memory formats."
        )
    if formats and len(laid) > 1:
        raise RuntimeError("The tensor does not have unique dim order.")
    return tuple(sorted(range(self.ndim), key=lambda d: -stride[d]))


@composite(module=None, method=True)
def resize(self: Tensor, *sizes: Any) -> Tensor:
    """Deprecated: another shape of the same number of elements."""
    return _resized(self, sizes)


@composite(module=None, method=True)
def resize_as(self: Tensor, tensor: Tensor) -> Tensor:
    """Deprecated: another tensor's shape, of the same number of elements."""
    return _resized(self, tuple(tensor.shape))


def _resized(self: Tensor, sizes: tuple[Any, ...]) -> Tensor:
    nested = any(not hasattr(n, "__index__") for n in sizes)
    if nested or math.prod(sizes) != self.numel():
        asked, given = ("x".join(map(str, s)) for s in (sizes, self.shape))
        count = sizes[0] if nested else math.prod(sizes)
        raise RuntimeError(
            f"requested resize to {asked} ({count} elements in total), but the given tensor has a "
            f"size of {given} ({self.numel()} elements). autograd's resize can only change the "
            "shape of a given tensor, while preserving the number of elements. "
        )
    return self.contiguous().view(sizes)  # type: ignore[attr-defined]


@composite(module=None, method=True)
def const_data_ptr(self: Tensor) -> int:
    """`data_ptr`, for reading."""
    return self.data_ptr()


# ----- norms by their old names -----
_OLD = (
    "at::{}_norm is deprecated and it is just left for JIT compatibility. It will be removed in a "
    "future PyTorch release. Please use `linalg.{}` instead"
)


@composite(method=False)
def nuclear_norm(input: Tensor, *args: Any, out: Any = None, **named: Any) -> Tensor:
    """The sum of the singular values: (input, keepdim=False) or (input, dim, keepdim=False)."""
    demand("torch.nuclear_norm", input, *args, **named)
    warn_once(_OLD.format("nuclear", "matrix_norm(A, 'nuc', dim, keepdim)"))
    names = ("dim", "keepdim") if "dim" in named or _is_dim(args[:1]) else ("keepdim",)
    given = dict(zip(names, args, strict=False)) | named
    if isinstance(dim := given.get("dim", (-2, -1)), int):
        dim = (dim, dim)
    found = TABLE["linalg", "matrix_norm"](input, "nuc", dim, given.get("keepdim", False))
    return found if out is None else write_out("nuclear_norm", out, found)


def _is_dim(first: Any) -> bool:
    return bool(first) and not isinstance(first[0], bool)


@composite(method=False)
def frobenius_norm(
    input: Tensor, dim: Any, keepdim: bool = False, *, out: Any = None
) -> Tensor:
    """The root of the sum of squares, over one or two dims."""
    demand("torch.frobenius_norm", input, dim, keepdim)
    dims = (dim,) if isinstance(dim, int) else tuple(dim)
    warn_once(_OLD.format("frobenius", "vector_norm(A, 2., dim, keepdim)"))
    if len(dims) > 2:
        raise RuntimeError(
            f"Expected at most 2 dimensions, but got {len(dims)} dimensions instead."
        )
    found = call(norm_of_dims, (input,), (2.0, check_dims(dims, input.ndim), keepdim))
    return found if out is None else write_out("frobenius_norm", out, found)


# ----- files, branches -----
@composite(method=False)
def from_file(
    filename: str, shared: bool | None = None, size: int | None = 0, *, dtype: Any = None,
    layout: Any = None, device: Any = None, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """The first `size` numbers of a file; with `shared` a write goes to the file."""
    from ..core.dtypes import get_default_dtype, to_numpy

    kind = to_numpy(dtype or get_default_dtype())
    if pin_memory:
        raise RuntimeError("tensors constructed from a file cannot be pinned")
    for name, given in (("layout", layout), ("device", device)):
        if given is not None and str(given) not in ("cpu", "torch.strided"):
            raise NotImplementedError(f"from_file: {name}={given} is not supported")
    wanted, mode = (size or 0) * kind.itemsize, "read-write" if shared else "read-only"
    if wanted < 0:
        raise RuntimeError(f"unable to mmap {wanted} bytes from file <{filename}>")
    if not shared and not Path(filename).exists():
        raise RuntimeError(
            f"unable to open file <{filename}> in {mode} mode: No such file or directory (2)"
        )
    if not shared and Path(filename).stat().st_size < wanted:
        raise RuntimeError(
            f"file <{filename}> size <{Path(filename).stat().st_size}> is smaller than the "
            f"required mapping size <{wanted}>"
        )
    if shared:
        with open(filename, "ab") as file:
            file.truncate(max(file.tell(), (size or 0) * kind.itemsize))
        return from_shared(np.memmap(filename, kind, "r+", shape=(size or 0,)))
    return from_host(np.fromfile(filename, kind, size or 0))


@composite(method=False)
def cond(pred: Any, true_fn: Callable[..., Any], false_fn: Callable[..., Any],
         operands: Any = ()) -> Any:  # fmt: skip
    """One of two functions of the operands, chosen now."""
    return (true_fn if bool(pred) else false_fn)(*operands)


@composite(method=False)
def while_loop(
    cond_fn: Callable[..., Any], body_fn: Callable[..., Any], carried_inputs: Any
) -> Any:
    """A function applied to its own results while another says so."""
    carried = tuple(carried_inputs)
    while bool(cond_fn(*carried)):
        found = body_fn(*carried)
        carried = tuple(found) if isinstance(found, (tuple, list)) else (found,)
    return carried


# ----- sparse products by their old names -----
publish("torch", "spmm", TABLE["torch", "mm"])
publish("torch", "dsmm", TABLE["torch", "mm"])


@composite
def smm(input: Tensor, mat: Tensor) -> Tensor:
    """A sparse product that is sparse."""
    if not is_sparse(input):
        raise RuntimeError("tensor.sspaddmm(...) can only be called on sparse tensors")
    return (input @ mat).to_sparse()  # type: ignore[operator]


# ----- sums and extrema of segments -----
_NEUTRAL = {"sum": 0, "mean": 0, "prod": 1, "max": -np.inf, "min": np.inf}


@composite(method=False)
def segment_reduce(
    data: Tensor, reduce: str, *, lengths: Any = None, indices: Any = None, offsets: Any = None,
    axis: int = 0, unsafe: bool = False, initial: Any = None,
) -> Tensor:  # fmt: skip
    """Sum, mean, max, min or prod of runs of a first dim, given by lengths or offsets of one dim.

    An empty run gives the neutral element (nan for mean), or `initial`.
    """
    if reduce not in _NEUTRAL:
        raise RuntimeError(
            f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}"
        )
    if data.dtype.category != FLOAT:
        raise NotImplementedError(
            f'"_segment_reduce_cpu" not implemented for \'{SCALAR_NAMES[data.dtype]}\''
        )
    if indices is not None or check_dim(axis, data.ndim) != 0:
        raise NotImplementedError("segment_reduce: indices and axis other than 0 are not supported")
    runs = _lengths(lengths, offsets)
    if runs.ndim != 1:
        raise NotImplementedError("segment_reduce: lengths of more than one dim are not supported")
    if not unsafe and runs.sum() != data.shape[0]:
        raise RuntimeError(
            "segment_reduce(): Expected all rows of lengths along axis to sum to "
            "data.size(lengths.dim()-1) when !unsafe."
        )
    at = from_host(np.repeat(np.arange(len(runs)), runs))
    name = {"max": "amax", "min": "amin", "mean": "sum"}.get(reduce, reduce)
    size = (len(runs), *data.shape[1:])
    start = data.new_full(size, _NEUTRAL[reduce] if initial is None else initial)  # type: ignore[attr-defined]
    index = at.reshape(-1, *(1,) * (data.ndim - 1)).expand(data.shape)  # type: ignore[attr-defined]
    found = start.scatter_reduce(0, index, data, name)
    if reduce != "mean":
        return found
    counts = from_host(runs.astype(np.int64)).reshape(-1, *(1,) * (data.ndim - 1))  # type: ignore[attr-defined]
    return found / counts if initial is None else found / counts.clamp(min=1)


def _lengths(lengths: Any, offsets: Any) -> np.ndarray:
    if lengths is not None:
        return to_host(lengths)
    if offsets is None:
        raise RuntimeError("segment_reduce(): Either lengths or offsets must be defined.")
    return np.diff(to_host(offsets))
