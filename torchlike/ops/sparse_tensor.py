"""Sparse tensors: places and values. COO holds all indices, CSR and CSC one of them compressed.

Places are constants on the host's side; values are an ordinary tensor, and what is differentiable
about a sparse tensor is its values. Nothing but this room knows how one is built.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from ..core.intercept import disabled_impl
from ..core.layouts import layout as layout_class
from ..core.layouts import sparse_bsc, sparse_bsr, sparse_coo, sparse_csc, sparse_csr, strided
from ..core.storage import aval_of
from ..core.tensor import Tensor, elements_for, from_host, to_host
from .sparse_kernels import keep, pick, spread

WORDS = {
    strided: "Strided", sparse_coo: "Sparse", sparse_csr: "SparseCsr", sparse_csc: "SparseCsc",
    sparse_bsr: "SparseBsr", sparse_bsc: "SparseBsc",
}  # fmt: skip


PARTS = {
    sparse_coo: ("indices",),
    sparse_csr: ("crow_indices", "col_indices"),
    sparse_csc: ("ccol_indices", "row_indices"),
    sparse_bsr: ("crow_indices", "col_indices"),
    sparse_bsc: ("ccol_indices", "row_indices"),
}


class SparseTensor(Tensor):
    """A tensor most of whose elements are zeros that nobody stores."""

    def __new__(cls, *_: Any) -> Self:
        return object.__new__(cls)

    def __init__(
        self, places: tuple[np.ndarray, ...], values: Tensor, size: Any, layout: Any,
        coalesced: bool = False,
    ) -> None:  # fmt: skip
        self._at, self._held, self._layout = places, values, layout
        self._coalesced = coalesced or values.shape[0] < 2 and layout is sparse_coo
        self._aval = aval_of(tuple(size), values.dtype, values.device)

    __torch_function__ = disabled_impl  # what is read off one is a plain Tensor
    layout = property(lambda self: self._layout)
    is_sparse = property(lambda self: self._layout is sparse_coo)
    is_sparse_csr = property(lambda self: self._layout is sparse_csr)

    @property
    def _storage(self) -> Any:  # type: ignore[override]
        raise NotImplementedError("Cannot access storage of SparseTensorImpl")

    def _value_now(self) -> Any:
        raise refused("to_host", self)

    @property
    def nbytes(self) -> int:  # type: ignore[override]
        raise RuntimeError(
            "nbytes is not defined for sparse tensors.  If you want the size of the constituent "
            "tensors, add the nbytes of the indices and values.  If you want the size of the  "
            "equivalent dense tensor, multiply numel() by element_size()"
        )

    def geometry(self) -> Any:
        raise NotImplementedError("Sparse tensors do not have strides")

    # ----- history is that of the values -----
    @property
    def _requires_grad(self) -> bool:  # type: ignore[override]
        return self._held._requires_grad

    @_requires_grad.setter
    def _requires_grad(self, wanted: bool) -> None:
        self._held._requires_grad = wanted

    @property
    def _grad_fn(self) -> Any:  # type: ignore[override]
        return self._held._grad_fn

    @_grad_fn.setter
    def _grad_fn(self, node: Any) -> None:
        self._held._grad_fn = node

    @property
    def grad(self) -> Any:  # type: ignore[override]
        """The gradient at the places that are stored."""
        found = self._held.grad
        return None if found is None else self.with_gradient(found)

    @grad.setter
    def grad(self, wanted: Any) -> None:
        self._held.grad = None if wanted is None else wanted._held  # type: ignore[attr-defined]

    _bearer = property(lambda self: self._held)

    def with_gradient(self, values: Tensor) -> SparseTensor:
        """The tensor's gradient from that of its values: each place once."""
        if self._coalesced or self._layout is not sparse_coo:
            return self.with_values(values)
        shape = self.shape[: self.sparse_dim()]
        _, first = np.unique(flat(self.locations(), shape), return_index=True)
        at = self._at[0][:, first]
        return coo(at, pick(values, constant(first), 1, "SparseMaskBackward0"), self.shape, True)

    def register_hook(self, hook: Any) -> Any:
        """Call `hook` with the gradient as a sparse tensor."""

        def of_values(grad: Tensor) -> Any:
            new = hook(self.with_gradient(grad))
            return new if new is None else new._held

        return self._held.register_hook(of_values)  # type: ignore[attr-defined]

    def retain_grad(self) -> None:
        """Keep this non-leaf's gradient in `.grad`."""
        self._held.retain_grad()  # type: ignore[attr-defined]

    # ----- in memory -----
    def contiguous(self, *, memory_format: Any = None) -> Any:
        """RuntimeError: nothing here lies row-major."""
        raise RuntimeError(
            "unsupported memory format option Contiguous"
            if self._layout is sparse_coo
            else "Sparse CSR tensors do not have is_contiguous"
        )

    def reshape(self, *shape: Any) -> Any:
        """RuntimeError: PyTorch has none."""
        raise RuntimeError("reshape is not implemented for sparse tensors")

    def with_values(self, values: Tensor) -> SparseTensor:
        """Other values at the same places."""
        size = (*self.shape[: self.sparse_dim()], *values.shape[1:])
        return SparseTensor(self._at, values, size, self._layout, self._coalesced)

    @property
    def _places(self) -> tuple[Tensor, ...]:
        """The indices as tensors."""
        return tuple(constant(array) for array in self._at)

    def sparse_dim(self) -> int:
        """The number of dims that indices tell."""
        return 2 if self._layout is not sparse_coo else self._at[0].shape[0]

    def dense_dim(self) -> int:
        """The number of dims that each value has itself."""
        return self._held.ndim - 1

    def _nnz(self) -> int:
        return self._held.shape[0]

    def locations(self) -> np.ndarray:
        """The index of each value, one column each."""
        if self._layout is sparse_coo:
            return self._at[0]
        edges, plain = self._at
        other = np.repeat(np.arange(len(edges) - 1), np.diff(edges))
        return np.stack([other, plain] if self._layout is sparse_csr else [plain, other])

    def elements(self) -> SparseTensor:
        """The tensor with a value for each element, not for each block."""
        return self

    def parts(self) -> dict[str, Tensor]:
        """What it is made of, by name."""
        names = PARTS[self._layout]
        return dict(zip((*names, "values"), (*self._places, self._held.detach()), strict=True))  # type: ignore[attr-defined]

    def detach(self) -> SparseTensor:
        """The same places and values without history."""
        return self.with_values(self._held.detach())  # type: ignore[attr-defined]

    def is_contiguous(self, *_: Any, **__: Any) -> bool:
        return False

    def stride(self, dim: int | None = None) -> Any:
        """No strides: zeros."""
        return (0,) * self.ndim if dim is None else 0

    def numpy(self, *args: Any, force: bool = False) -> Any:
        raise TypeError(
            f"can't convert {WORDS[self._layout]} layout tensor to numpy. Use Tensor.to_dense() "
            "first."
        )

    def tolist(self) -> Any:
        raise RuntimeError("Cannot access data pointer of Tensor that doesn't have storage")

    data_ptr = tolist

    def __deepcopy__(self, memo: Any) -> Any:
        return memo.setdefault(id(self), self.detach().clone())  # type: ignore[attr-defined]

    def __reduce_ex__(self, protocol: Any) -> Any:
        return rebuilt, stored(self)


SparseTensor.__name__ = SparseTensor.__qualname__ = "Tensor"  # PyTorch has one class for all
SparseTensor.__module__ = "torch"


def stored(s: SparseTensor) -> tuple[Any, tuple[Any, ...]]:
    """Layout and parts, as PyTorch's files hold them."""
    parts = (*s._places, s._held.detach(), s.shape)  # type: ignore[attr-defined]
    return s._layout, (*parts, s._coalesced) if s._layout is sparse_coo else parts


def rebuilt(layout: Any, parts: Any) -> SparseTensor:
    """The sparse tensor of these parts."""
    if layout is sparse_coo:
        indices, values, size, *known = parts
        return coo(to_host(indices), values, size, bool(known and known[0]))
    edges, plain, values, size = parts
    return SparseTensor((to_host(edges), to_host(plain)), values, size, layout)


def refused(name: str, tensor: Tensor) -> NotImplementedError:
    """PyTorch's error for an op that has no sparse form."""
    word = WORDS[tensor.layout].replace("Strided", "")  # type: ignore[attr-defined]
    return NotImplementedError(
        f"Could not run 'aten::{name}' with arguments from the '{word}CPU' backend."
    )


def constant(array: np.ndarray) -> Tensor:
    """Indices as a tensor."""
    return from_host(np.ascontiguousarray(array, np.int64))


def coo(at: np.ndarray, values: Tensor, size: Any, coalesced: bool = False) -> SparseTensor:
    """A COO tensor with these indices."""
    return SparseTensor((np.asarray(at, np.int64),), values, size, sparse_coo, coalesced)


def flat(at: np.ndarray, size: Any) -> np.ndarray:
    """Each index as one number, row-major."""
    if not len(at):
        return np.zeros(at.shape[1], np.int64)
    return np.asarray(np.ravel_multi_index(tuple(at), tuple(size)))


def is_sparse(x: Any) -> bool:
    """Whether `x` is a sparse tensor of any layout."""
    return isinstance(x, SparseTensor)


# ----- from one form to another -----
def coalesced(s: SparseTensor, node: str = "CoalesceBackward0") -> SparseTensor:
    """COO with indices in order, each once."""
    if s._coalesced and s._layout is sparse_coo:
        return s
    shape = s.shape[: s.sparse_dim()]
    places, group = np.unique(flat(s.locations(), shape), return_inverse=True)
    size = (len(places), *s._held.shape[1:])
    values = spread(s._held, constant(group), size, node)
    at = np.stack(np.unravel_index(places, shape)) if len(shape) else np.zeros((0, len(places)))
    return coo(at, values, s.shape, True)


def dense(s: SparseTensor, node: str = "ToDenseBackward0") -> Tensor:
    """The tensor with its zeros."""
    s = s.elements()
    at = constant(flat(s.locations(), s.shape[: s.sparse_dim()]))
    return spread(s._held, at, tuple(s.shape), node)


def compressed(s: SparseTensor, layout: Any, node: str) -> SparseTensor:
    """CSR or CSC."""
    if s._layout is sparse_coo and s.sparse_dim() != 2:
        name = layout.name[7:]
        raise RuntimeError(
            f"coo_to_sparse_{name}: conversion from Sparse to Sparse{name.title()} for input "
            "tensors with sparse_dim()!=2 is not supported"
        )
    main = 0 if layout is sparse_csr else 1
    s = coalesced(s) if not (s._layout is sparse_coo and s._coalesced) else s
    at = s.locations()
    order = np.lexsort((at[1 - main], at[main]))
    edges = np.searchsorted(at[main][order], np.arange(s.shape[main] + 1))
    ordered = (order == np.arange(len(order))).all()
    values = keep(s._held, node) if ordered else pick(s._held, constant(order), 1, node)
    return SparseTensor((edges, at[1 - main][order]), values, s.shape, layout)


def from_dense(t: Tensor, dims: int, node: str) -> SparseTensor:
    """COO of the elements (or blocks, where `dims` is less than all) that are not zero."""
    array = elements_for("_to_sparse", t)
    shape = array.shape[:dims]
    full = array.reshape(*shape, -1).any(-1) if array.ndim > dims else array != 0
    at = np.stack(np.nonzero(full)) if dims else np.zeros((0, 1), np.int64)
    return coo(at, pick(t, constant(flat(at, shape)), dims, node), t.shape, True)


def layout_named(given: Any) -> layout_class:
    """The layout asked for; RuntimeError for one that no tensor here has."""
    if given in WORDS:
        return given
    raise NotImplementedError(f"to_sparse: layout={given} is not supported")
