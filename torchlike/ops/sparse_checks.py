"""Whether the indices handed to a sparse tensor's maker are looked at, and how."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np


class check_sparse_tensor_invariants:  # noqa: N801 - PyTorch's name
    """Switches the checks on or off: by enable(), as a context, or around a function.

    PyTorch warns once when nobody has chosen; here nobody is warned.
    """

    _on = False

    def __init__(self, enable: bool = True) -> None:
        self.state = enable
        self.saved_state: bool | None = None

    @staticmethod
    def is_enabled() -> bool:
        """Are they made?"""
        return check_sparse_tensor_invariants._on

    @staticmethod
    def enable() -> None:
        """Make them from now on."""
        check_sparse_tensor_invariants._on = True

    @staticmethod
    def disable() -> None:
        """Leave them out from now on."""
        check_sparse_tensor_invariants._on = False

    def __enter__(self) -> None:
        if self.saved_state is not None:
            raise RuntimeError(
                "This context manager instance is already activated. Use a different context "
                "manager instance for context nesting."
            )
        self.saved_state = self.is_enabled()
        check_sparse_tensor_invariants._on = self.state

    def __exit__(self, *_: Any) -> None:
        check_sparse_tensor_invariants._on = bool(self.saved_state)
        self.saved_state = None

    def __call__(self, function: Callable) -> Callable:
        @functools.wraps(function)
        def checked(*args: Any, **kwargs: Any) -> Any:
            with type(self)(self.state):
                return function(*args, **kwargs)

        return checked


def wanted(check_invariants: bool | None) -> bool:
    """What the call asks for, or else what is switched on."""
    if check_invariants is None:
        return check_sparse_tensor_invariants.is_enabled()
    return check_invariants


def check_places(at: np.ndarray, size: tuple[int, ...], coalesced: bool) -> None:
    """COO: every index inside its dim; in order and each once if the caller says so."""
    if not at.shape[1]:
        return
    for dim, (row, n) in enumerate(zip(at, size, strict=False)):
        if row.min() < 0:
            raise RuntimeError(f"found negative index {row.min()} for dim {dim}")
        if row.max() >= n:
            raise RuntimeError(
                f"size is inconsistent with indices: for dim {dim}, size is {n} but found index "
                f"{row.max()}"
            )
    flat = np.ravel_multi_index(tuple(at), size[: len(at)]) if coalesced else np.arange(1)
    if (np.diff(flat) <= 0).any():
        raise RuntimeError(
            "cannot set is_coalesced to true if indices correspond to uncoalesced COO tensor"
        )


def check_compressed(
    edges: np.ndarray, plain: np.ndarray, sizes: tuple[int, int], rows: bool, count: int
) -> None:
    """CSR (`rows`) or CSC: edges that rise from 0 to nnz, and sorted plain indices between them."""
    edge, inner = ("crow_indices", "col_indices") if rows else ("ccol_indices", "row_indices")
    outer, n = ("nrows", "ncols") if rows else ("ncols", "nrows")
    whole = "rows" if rows else "columns"
    limit = sizes[1] if rows else sizes[0]
    wanted_edges = sizes[not rows] + 1
    if len(edges) != wanted_edges:
        raise RuntimeError(
            f"{edge}.shape[-1] must be equal to the number of {whole} + 1 (={wanted_edges}), "
            f"but got {len(edges)}"
        )
    if len(plain) != count:
        raise RuntimeError(
            f"{inner}.shape[-1] must be equal to nnz (={count}) as defined by values.shape[0], "
            f"but got {len(plain)}"
        )
    steps = np.diff(edges)
    if edges[0] != 0:
        raise _broken(f"{edge}[..., 0] == 0")
    if edges[-1] != count:
        raise _broken(f"{edge}[..., -1] == nnz")
    if ((plain < 0) | (plain >= limit)).any():
        raise _broken(f"0 <= {inner} < {n}")
    if ((steps < 0) | (steps > limit)).any():
        raise _broken(f"0 <= {edge}[..., 1:] - {edge}[..., :-1] <= {n}")
    owner = np.repeat(np.arange(len(steps)), steps)
    if ((np.diff(plain) <= 0) & (np.diff(owner) == 0)).any():
        raise _broken(
            f"{inner}[..., {edge}[..., i - 1]:{edge}[..., i]] for all i = 1, ..., {outer} are "
            "sorted and distinct along the last dimension values"
        )


def _broken(what: str) -> RuntimeError:
    return RuntimeError(f"`{what}` is not satisfied.")
