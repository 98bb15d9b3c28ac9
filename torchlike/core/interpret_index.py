"""The cold tier's forms of gather and scatter: `x[i]` and its updates along one dim."""

from __future__ import annotations

from typing import Any

import numpy as np

from .interpret import rule

FEW = 1 << 12  # up to so many elements NumPy adds them faster than a sparse product is made


@rule("gather")
def _gather(eqn: Any) -> Any:
    """`x[i]` along leading dims, the form `jnp.take` and integer indexing lower to."""
    p = eqn.params
    d, x, i = p["dimension_numbers"], eqn.invars[0].aval, eqn.invars[1].aval
    mode = str(p["mode"])
    simple = (
        not d.operand_batching_dims
        and len(d.start_index_map) == 1
        and d.collapsed_slice_dims == d.start_index_map
        and p["slice_sizes"]
        == tuple(1 if k in d.collapsed_slice_dims else n for k, n in enumerate(x.shape))
        and "CLIP" not in mode
    )  # fmt: skip
    if not simple:
        return None
    axis, n = d.start_index_map[0], x.shape[d.start_index_map[0]]
    batch = i.ndim - 1
    where = [k for k in range(len(eqn.outvars[0].aval.shape)) if k not in d.offset_dims]
    fill = p["fill_value"]
    if n == 0:
        return None

    def run(a: Any, index: Any) -> Any:
        at = index[..., 0]
        bad = (at < 0) | (at >= n)
        out = np.take(a, np.where(bad, 0, at), axis=axis)
        if bad.any() and "FILL" in mode:
            value = fill if fill is not None else _missing(out.dtype)
            out[(slice(None),) * axis + (bad,)] = value
        return np.moveaxis(out, range(axis, axis + batch), where)

    return run


def _missing(kind: np.dtype[Any]) -> Any:
    if kind.kind in "iu":
        return np.iinfo(kind).max if kind.kind == "u" else np.iinfo(kind).min
    return True if kind.kind == "b" else np.nan


# ----- scattering -----
def _along_one_dim(eqn: Any) -> tuple[int, list[int]] | None:
    """The dim that is indexed and the update's dims that run over indices, if it is so simple."""
    p, (x, _, update) = eqn.params, (v.aval for v in eqn.invars)
    d = p["dimension_numbers"]
    axes = tuple(d.scatter_dims_to_operand_dims)
    if d.operand_batching_dims or len(axes) != 1 or tuple(d.inserted_window_dims) != axes:
        return None
    rest = [n for k, n in enumerate(x.shape) if k != axes[0]]
    whole = [update.shape[k] for k in d.update_window_dims] == rest
    known = x.dtype.kind in "iufb" and x.dtype.itemsize in (1, 4, 8)
    if not whole or not known or "CLIP" in str(p["mode"]) or 0 in x.shape:
        return None
    return axes[0], [k for k in range(update.ndim) if k not in d.update_window_dims]


@rule("scatter", "scatter-add")
def _scatter(eqn: Any) -> Any:
    found = _along_one_dim(eqn)
    if found is None:
        return None
    axis, over = found
    put = _added if eqn.primitive.name == "scatter-add" else _assigned
    source = eqn.invars[0].aval.shape
    moved = (source[axis], *source[:axis], *source[axis + 1 :])
    n, width = source[axis], int(np.prod(moved[1:], dtype=np.int64))

    def run(x: Any, index: Any, update: Any) -> Any:
        at = index.reshape(-1)
        rows = np.moveaxis(update, over, range(len(over))).reshape(len(at), width)
        inside = (at >= 0) & (at < n)
        if not inside.all():
            at, rows = at[inside], rows[inside]
        out = np.array(np.moveaxis(x, axis, 0), order="C").reshape(n, width)
        return np.moveaxis(put(out, at, rows).reshape(moved), 0, axis)

    return run


def _assigned(out: Any, at: Any, rows: Any) -> Any:
    out[at] = rows
    return out


def _added(out: Any, at: Any, rows: Any) -> Any:
    """Rows summed where they belong, in their order: a product with a sparse matrix, if many."""
    if rows.size > FEW and out.dtype.kind == "f":
        from scipy import sparse  # a dependency of jax; imported when first needed

        ones = np.ones(len(at), out.dtype)
        which = sparse.csc_matrix((ones, at, np.arange(len(at) + 1)), (len(out), len(at)))
        return out + which @ rows
    places = at[:, None] * rows.shape[1] + np.arange(rows.shape[1])
    np.add.at(out.reshape(-1), places.reshape(-1), rows.reshape(-1))
    return out
