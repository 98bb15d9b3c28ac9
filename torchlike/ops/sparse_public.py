"""Making sparse tensors, looking into them, and `torch.sparse`.

PyTorch warns once that CSR is a beta feature; here nobody does. A gradient has the places of its
sparse tensor, also where PyTorch makes a dense one (`mm`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.check import check_dim
from ..core.layouts import sparse_bsc, sparse_bsr, sparse_coo, sparse_csc, sparse_csr, strided
from ..core.mutate import write_out
from ..core.op import composite, publish
from ..core.tensor import Tensor, to_host
from .create import SPARSE, zeros
from .data import as_tensor, tensor
from .sparse_blocks import BlockTensor, block_tensor, blocks_of, publish_maker
from .sparse_calls import plus_product, product, sum_over
from .sparse_checks import check_compressed, check_places, wanted
from .sparse_kernels import keep, pick, softmax_of
from .sparse_more import reduced_product
from .sparse_tensor import (
    PARTS,
    WORDS,
    SparseTensor,
    coalesced,
    compressed,
    constant,
    coo,
    dense,
    flat,
    from_dense,
    is_sparse,
    layout_named,
    refused,
)


# ----- making them -----
def _values(given: Any, dtype: Any, device: Any, requires_grad: bool) -> Tensor:
    held = given if isinstance(given, Tensor) else tensor(given, dtype=dtype, device=device)
    if dtype is not None or device is not None:
        held = held.to(device=device, dtype=dtype)  # type: ignore[attr-defined]
    if requires_grad:
        held = held.detach().requires_grad_()  # type: ignore[attr-defined]
    return held


def _refuse_pinned(pin_memory: bool) -> None:
    if pin_memory:
        raise RuntimeError("Cannot access accelerator device when none is available.")


@composite(method=False)
def sparse_coo_tensor(
    indices: Any, values: Any = None, size: Any = None, *, dtype: Any = None, device: Any = None,
    pin_memory: bool = False, requires_grad: bool = False, check_invariants: bool | None = None,
    is_coalesced: bool | None = None,
) -> Tensor:  # fmt: skip
    """A COO tensor of indices (dims, nnz) and values (nnz, …); or of a size: nothing but zeros."""
    _refuse_pinned(pin_memory)
    if values is None:
        empty = np.zeros((len(indices), 0), np.int64)
        held = _values(np.zeros(0, np.float32).tolist(), dtype, device, requires_grad)
        return coo(empty, held, indices, True)
    held = _values(values, dtype, device, requires_grad)
    at = to_host(as_tensor(indices)).astype(np.int64)
    if at.ndim != 2:
        raise RuntimeError(f"indices must be sparse_dim x nnz, but got: {list(at.shape)}")
    count = held.shape[0] if held.ndim else 1
    if at.shape[1] != count:
        raise RuntimeError(
            f"indices and values must have same nnz, but got nnz from indices: {at.shape[1]}, nnz "
            f"from values: {count}"
        )
    size = _inferred(at, held) if size is None else tuple(size)
    _check_size(at, held, size)
    if wanted(check_invariants):
        check_places(at, size, bool(is_coalesced))
    if not requires_grad:
        held = keep(held, "SparseCooTensorWithDimsAndTensorsBackward0")
    return coo(at, held, size, bool(is_coalesced))


def _inferred(at: np.ndarray, values: Tensor) -> tuple[int, ...]:
    for dim, low in enumerate(at.min(1, initial=0)):
        if low < 0:
            raise RuntimeError(f"found negative index {low} for dim {dim}")
    if not at.shape[1]:
        return (*(0,) * len(at), *values.shape[1:])
    return (*(int(top) + 1 for top in at.max(1)), *values.shape[1:])


def _check_size(at: np.ndarray, values: Tensor, size: tuple[int, ...]) -> None:
    if len(size) != len(at) + values.ndim - 1:
        raise RuntimeError(
            f"'len(size) == sparse_dim + dense_dim' is not satisfied: len(size) = {len(size)}, "
            f"sparse_dim = {len(at)}, dense_dim = {values.ndim - 1}"
        )
    wanted = [at.shape[1], *size[len(at) :]]
    if list(values.shape) != wanted:
        raise RuntimeError(
            f"values has incorrect size, expected {wanted}, got {list(values.shape)}"
        )


@composite(method=False)
def sparse_compressed_tensor(
    compressed_indices: Any, plain_indices: Any, values: Any, size: Any = None, *,
    dtype: Any = None, layout: Any = None, device: Any = None, pin_memory: bool = False,
    requires_grad: bool = False, check_invariants: bool | None = None,
) -> Tensor:  # fmt: skip
    """A CSR or CSC tensor of the edges of its rows (columns), plain indices and values."""
    _refuse_pinned(pin_memory)
    if layout in (sparse_bsr, sparse_bsc):
        return block_tensor(
            compressed_indices, plain_indices, values, size, layout, dtype, device, requires_grad
        )
    if layout not in (sparse_csr, sparse_csc):
        shown = str(layout).removeprefix("torch.").title().replace("_", "")
        raise RuntimeError(
            f"sparse_compressed_tensor expected sparse compressed tensor layout but got {shown}"
        )
    edges, plain = (to_host(as_tensor(x)) for x in (compressed_indices, plain_indices))
    held = _values(values, dtype, device, requires_grad)
    if held.ndim != 1 or edges.ndim != 1:
        raise NotImplementedError("sparse_compressed_tensor: batches and blocks are not supported")
    if size is None:
        size = (len(edges) - 1, int(plain.max(initial=-1)) + 1)
        size = size if layout is sparse_csr else size[::-1]
    if wanted(check_invariants):
        check_compressed(edges, plain, tuple(size), layout is sparse_csr, held.shape[0])
    if not requires_grad:
        held = keep(held, "SparseCompressedTensorBackward0")
    return SparseTensor((edges, plain), held, size, layout)


def _of_zeros(name: str, size: Any, layout: Any, kind: Any, like: Any) -> SparseTensor:
    """What factories make: nothing but zeros, or the places of a compressed tensor."""
    wanted = like.layout if layout is None else layout
    same = is_sparse(like) and name.endswith("_like") and like.layout is wanted
    if same and wanted is not sparse_coo and name in ("ones_like", "empty_like"):
        held = like._held.detach().to(kind)
        return like.with_values(held * 0 + 1 if name == "ones_like" else held)
    if "ones" in name or name == "full_like":
        raise NotImplementedError(
            f"Could not run 'aten::fill_.Scalar' with arguments from the '{WORDS[wanted]}CPU' "
            "backend."
        )
    dims = like.sparse_dim() if same and wanted is sparse_coo else len(size)
    nothing = zeros((0, *size[dims:]), dtype=kind)
    if wanted is sparse_coo:
        return coo(np.zeros((dims, 0), np.int64), nothing, size, True)
    if wanted not in (sparse_csr, sparse_csc) or len(size) != 2:
        raise NotImplementedError(f"{name}: layout={wanted} of {len(size)} dims is not supported")
    edges = np.zeros(size[wanted is sparse_csc] + 1, np.int64)
    return SparseTensor((edges, np.zeros(0, np.int64)), nothing, size, wanted)


SPARSE.append(_of_zeros)


def _maker(layout: Any) -> None:
    def make(compressed_indices: Any, plain_indices: Any, values: Any, size: Any = None,
             **options: Any) -> Tensor:  # fmt: skip
        return sparse_compressed_tensor(
            compressed_indices, plain_indices, values, size, layout=layout, **options
        )

    publish_maker(layout, make)


_maker(sparse_csr)
_maker(sparse_csc)


# ----- looking into them -----
def _need(self: Tensor, name: str, wanted: Any, words: str) -> None:
    have = self.layout  # type: ignore[attr-defined]
    if have is not wanted and name not in PARTS.get(have, ()):
        raise RuntimeError(f"{name} expected sparse {words} tensor layout but got {WORDS[have]}")


@composite(module=None, method=True)
def coalesce(self: Tensor) -> Tensor:
    """COO with indices in order and each once, their values added."""
    _need(self, "coalesce", sparse_coo, "coordinate")
    return coalesced(self)  # type: ignore[arg-type]


@composite(module=None, method=True)
def is_coalesced(self: Tensor) -> bool:
    """Whether the indices are known to be in order and each once."""
    _need(self, "is_coalesced", sparse_coo, "coordinate")
    return self._coalesced  # type: ignore[attr-defined]


@composite(module=None, method=True)
def _coalesced_(self: Tensor, coalesced: bool) -> Tensor:
    """Says that the indices are in order, or that nobody knows."""
    self._coalesced = coalesced  # type: ignore[attr-defined]
    return self


@composite(module=None, method=True)
def indices(self: Tensor) -> Tensor:
    """The indices of a coalesced COO tensor, (sparse dims, nnz)."""
    _need(self, "indices", sparse_coo, "coordinate")
    return _of_coalesced(self, "indices", self._indices())  # type: ignore[attr-defined]


def _of_coalesced(self: Any, name: str, found: Tensor) -> Tensor:
    if self.layout is sparse_coo and not self._coalesced:
        raise RuntimeError(
            f"Cannot get {name} on an uncoalesced tensor, please call .coalesce() first"
        )
    return found


@composite(module=None, method=True)
def values(self: Tensor) -> Tensor:
    """The values of a coalesced tensor, differentiably."""
    if not is_sparse(self):
        raise RuntimeError("values expected sparse tensor layout but got Strided")
    held = self._held  # type: ignore[attr-defined]
    return _of_coalesced(self, "values", keep(held, "ValuesBackward0") if held.grad_fn else held)


@composite(module=None, method=True)
def _indices(self: Tensor) -> Tensor:
    """The indices as they are."""
    if self.layout is not sparse_coo:  # type: ignore[attr-defined]
        raise refused("_indices", self)
    return self._places[0]  # type: ignore[attr-defined]


@composite(module=None, method=True)
def _values_(self: Tensor) -> Tensor:
    """The values as they are, without history."""
    if not is_sparse(self):
        raise refused("_values", self)
    return self._held.detach()  # type: ignore[attr-defined]


Tensor._values = _values_  # type: ignore[attr-defined]


def _reader(name: str, layout: Any, place: int) -> None:
    words = "row compressed" if layout is sparse_csr else "column compressed"

    def read(self: Tensor) -> Tensor:
        _need(self, name, layout, words)
        return self._places[place]  # type: ignore[attr-defined]

    read.__name__, read.__doc__ = name, f"The {name.replace('_', ' ')} of a compressed tensor."
    setattr(Tensor, name, read)


for _layout in (sparse_csr, sparse_csc):
    for _place, _name in enumerate(PARTS[_layout]):
        _reader(_name, _layout, _place)


def _part_copied(name: str) -> Any:
    read = getattr(Tensor, name)

    def copied(input: Tensor, *, out: Any = None) -> Tensor:
        if input.layout is sparse_coo:  # type: ignore[attr-defined]
            raise refused(f"{name}_copy", input)
        made = read(input).clone()
        return made if out is None else write_out(f"{name}_copy", out, made)

    copied.__doc__ = f"`{name}`, copied; of compressed tensors."
    return copied


for _name in ("values", "indices", *PARTS[sparse_csr], *PARTS[sparse_csc]):
    publish("torch", f"{_name}_copy", _part_copied(_name))


@composite(module=None, method=True)
def sparse_dim(self: Tensor) -> int:
    """The number of dims that indices tell: 0 for a dense tensor."""
    return 0


@composite(module=None, method=True)
def dense_dim(self: Tensor) -> int:
    """The number of dims of each value: all for a dense tensor."""
    return self.ndim


@composite(module=None, method=True)
def _nnz(self: Tensor) -> int:
    """The number of values stored."""
    raise refused("_nnz", self)


for _name, _plain in {"_dimI": "sparse_dim", "_dimV": "dense_dim"}.items():
    setattr(Tensor, _name, lambda self, name=_plain: getattr(self, name)())
Tensor.layout = property(lambda self: strided)  # type: ignore[attr-defined]
for _name in ("sparse_dim", "dense_dim", "_nnz"):  # SparseTensor's own come first
    assert _name in vars(SparseTensor)


# ----- from one form to another -----
@composite(module=None, method=True)
def to_dense(self: Tensor, dtype: Any = None, *, masked_grad: bool | None = None) -> Tensor:
    """The tensor with its zeros; a dense tensor itself. `masked_grad` changes nothing here:
    a sparse tensor's gradient has its places."""
    if is_sparse(self) and dtype is not None:
        raise RuntimeError("dtype argument is not supported by sparse_to_dense")
    found = dense(self) if is_sparse(self) else self  # type: ignore[arg-type]
    return found if dtype is None else found.to(dtype)  # type: ignore[attr-defined]


@composite(module=None, method=True)
def to_sparse(
    self: Tensor, sparse_dim: int | None = None, *, layout: Any = None, blocksize: Any = None,
    dense_dim: int | None = None,
) -> Tensor:  # fmt: skip
    """COO (of the first `sparse_dim` dims), or the layout asked for."""
    if dense_dim is not None:
        raise NotImplementedError(f"to_sparse: dense_dim={dense_dim} is not supported")
    wanted = sparse_coo if layout is None else layout_named(layout)
    if blocksize is not None and wanted not in (sparse_bsr, sparse_bsc):
        raise NotImplementedError(f"to_sparse: blocksize={blocksize} is not supported")
    if wanted is strided:
        return to_dense(self)
    if wanted is self.layout:  # type: ignore[attr-defined]
        return self
    if wanted in (sparse_bsr, sparse_bsc):
        return blocks_of(self, wanted, blocksize)
    if wanted is not sparse_coo:
        return _compressed(self, wanted)
    if isinstance(self, BlockTensor):
        return self.elements()
    if is_sparse(self):
        held = keep(self._held, "ToSparseBackward1")  # type: ignore[attr-defined]
        return coalesced(coo(self.locations(), held, self.shape, self.layout is sparse_csr))  # type: ignore[attr-defined]
    return _from_dense(self, self.ndim if sparse_dim is None else sparse_dim,
                       0 if sparse_dim is not None else 1)  # fmt: skip


def _from_dense(t: Tensor, dims: int, which: int) -> SparseTensor:
    if t.ndim and dims == 0:
        raise RuntimeError(
            "dense_to_sparse: sparse_dim argument must be in >0 when self.dim()>0"
        )
    if not 0 <= dims <= t.ndim:
        raise RuntimeError(
            f"dense_to_sparse: sparse_dim argument must be in [0,{t.ndim}] range, but {dims} is "
            "given"
        )
    return from_dense(t, dims, f"ToSparseBackward{which}")


def _compressed(self: Tensor, layout: Any) -> SparseTensor:
    if isinstance(self, BlockTensor):
        raise RuntimeError(
            f"sparse_compressed_to_sparse_{layout.name[7:]}: expected SparseCsr or SparseCsc "
            f"layout but got {WORDS[self.layout]}"
        )
    if self.ndim != 2:
        raise NotImplementedError(f"to_sparse: {layout} of {self.ndim} dims is not supported")
    node = "ToSparseCsrBackward0" if layout is sparse_csr else "ToSparseCscBackward0"
    if not is_sparse(self):
        s = from_dense(self, 2, node)
        return compressed(s, layout, node) if layout is sparse_csc else _rows(s)
    return compressed(self, layout, node)  # type: ignore[arg-type]


def _rows(s: SparseTensor) -> SparseTensor:
    """CSR of a COO tensor in order, without another node."""
    rows, cols = s.locations()
    edges = np.searchsorted(rows, np.arange(s.shape[0] + 1))
    return SparseTensor((edges, cols), s._held, s.shape, sparse_csr)


@composite(module=None, method=True)
def to_sparse_coo(self: Tensor) -> Tensor:
    """The tensor as COO."""
    return to_sparse(self, layout=sparse_coo)


@composite(module=None, method=True)
def to_sparse_csr(self: Tensor, dense_dim: int | None = None) -> Tensor:
    """The tensor as CSR."""
    return to_sparse(self, layout=sparse_csr, dense_dim=dense_dim)


@composite(module=None, method=True)
def to_sparse_csc(self: Tensor, dense_dim: int | None = None) -> Tensor:
    """The tensor as CSC."""
    return to_sparse(self, layout=sparse_csc, dense_dim=dense_dim)


@composite(module=None, method=True)
def sparse_mask(self: Tensor, mask: Tensor) -> Tensor:
    """The elements at the places of a sparse tensor."""
    if not is_sparse(mask):
        raise refused("sparse_mask", mask)
    if self.shape != mask.shape:
        raise RuntimeError(
            "sparse_mask(): operands have incompatible sizes; self has size "
            f"{list(self.shape)} but mask has size {list(mask.shape)}"
        )
    if is_sparse(self):
        self = dense(self, "SparseMaskBackward0")  # type: ignore[arg-type]
    dims = mask.sparse_dim()  # type: ignore[attr-defined]
    at = constant(flat(mask.locations(), mask.shape[:dims]))  # type: ignore[attr-defined]
    return mask.with_values(pick(self, at, dims, "SparseMaskBackward0"))  # type: ignore[attr-defined]


@composite(module=None, method=True)
def is_same_size(self: Tensor, other: Tensor) -> bool:
    """Whether the shapes are equal."""
    return self.shape == other.shape


# ----- torch.sparse -----
@composite(module="sparse", name="mm", method=False)
def sparse_mm(mat1: Tensor, mat2: Tensor, reduce: str | None = None) -> Tensor:
    """A product of matrices, one of them sparse."""
    if reduce is not None:
        return reduced_product(mat1, mat2, reduce)
    if is_sparse(mat1) or is_sparse(mat2):
        both = is_sparse(mat1) and is_sparse(mat2)
        name = "SparseSparseMatmul" if both else "SparseAddmm"
        return product(mat1, mat2, name + "Backward0")
    return mat1 @ mat2  # type: ignore[operator]


@composite(module="sparse", name="addmm", method=False)
def sparse_addmm(
    mat: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Any = 1, alpha: Any = 1
) -> Tensor:
    """beta · mat + alpha · mat1 @ mat2."""
    return plus_product(mat, mat1, mat2, beta, alpha, "SparseAddmmBackward0")


@composite(module="sparse", name="sum", method=False)
def sparse_sum(input: Tensor, dim: Any = None, dtype: Any = None) -> Tensor:
    """The sum of all values, or over some dims."""
    found = input if dtype is None else input.to(dtype)  # type: ignore[attr-defined]
    if dim is None:
        return found.coalesce().values().sum()  # type: ignore[attr-defined]
    return sum_over(found, dim)  # type: ignore[arg-type]


def _softmax(input: Tensor, dim: int, dtype: Any, log: bool) -> Tensor:
    if not is_sparse(input):
        raise refused("_sparse_log_softmax" if log else "_sparse_softmax", input)
    dim = check_dim(dim, input.ndim)
    s = input if dtype is None else input.to(dtype)  # type: ignore[attr-defined]
    s = coalesced(s)  # type: ignore[arg-type]
    node = "SparseLogSoftmaxBackward0" if log else "SparseSoftmaxBackward0"
    if dim >= s.sparse_dim():
        return s.with_values((s._held.log_softmax if log else s._held.softmax)(dim - s.ndim))  # type: ignore[attr-defined]
    left = [d for d in range(s.sparse_dim()) if d != dim]
    places = flat(s.locations()[left], [s.shape[d] for d in left])
    group = np.unique(places, return_inverse=True)[1]
    count = int(group.max(initial=-1)) + 1
    return s.with_values(softmax_of(s._held, constant(group), count, log, node))


@composite(module="sparse", name="softmax", method=False)
def sparse_softmax(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """softmax over the values that are stored along a dim."""
    return _softmax(input, dim, dtype, False)


@composite(module="sparse", name="log_softmax", method=False)
def sparse_log_softmax(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """log_softmax over the values that are stored along a dim."""
    return _softmax(input, dim, dtype, True)


