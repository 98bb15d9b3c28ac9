"""The cold tier's forms of gather and scatter: `x[i]` and its updates along one dim, then any."""

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
        return _gather_windows(eqn)
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
        return _scatter_windows(eqn)
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


# ----- windows anywhere -----
def _places(index: Any, shape: Any, sizes: Any, starts: Any, pairs: Any, clip: bool) -> Any:
    """Index arrays of an operand's dims, over (index rows, window), and which rows lie inside.

    `sizes` are the window's, `starts` the dims that are indexed, `pairs` the (operand, index) dims
    that run together. A dim whose size is None has one place only, and no dim in the window.
    """
    batch = index.shape[:-1]
    offsets = [d for d, n in enumerate(sizes) if n is not None]
    inside, found = np.ones(batch, bool), []
    for d, n in enumerate(shape):
        at = np.zeros((1,) * len(batch), np.int64)
        if d in starts:
            at = index[..., starts.index(d)].astype(np.int64)
            inside &= (at >= 0) & (at <= n - (sizes[d] or 1))
            at = np.clip(at, 0, max(n - (sizes[d] or 1), 0))
        elif d in pairs:
            ones = [1] * len(batch)
            ones[pairs[d]] = -1
            at = np.arange(n).reshape(ones)
        at = np.reshape(at, (*np.shape(at), *(1,) * len(offsets)))
        if sizes[d] is not None:
            at = at + np.arange(sizes[d]).reshape([-1 if o == d else 1 for o in offsets])
        found.append(at)
    return tuple(found), None if clip or inside.all() else inside


def _gather_windows(eqn: Any) -> Any:
    p, x, out = eqn.params, eqn.invars[0].aval, eqn.outvars[0].aval
    d, mode, fill = p["dimension_numbers"], str(p["mode"]), p["fill_value"]
    gone = {*d.collapsed_slice_dims, *d.operand_batching_dims}
    sizes = [None if k in gone else n for k, n in enumerate(p["slice_sizes"])]
    pairs = dict(zip(d.operand_batching_dims, d.start_indices_batching_dims, strict=True))
    where = [k for k in range(out.ndim) if k not in d.offset_dims]
    if 0 in (*x.shape, *out.shape):
        return None

    def run(a: Any, index: Any) -> Any:
        at, inside = _places(index, a.shape, sizes, d.start_index_map, pairs, "FILL" not in mode)
        found = np.asarray(a[at])
        if inside is not None:
            found[~inside] = fill if fill is not None else _missing(found.dtype)
        return np.moveaxis(found, range(len(where)), where)

    return run


_MERGE = {"scatter-add": np.add, "scatter-mul": np.multiply, "scatter-min": np.minimum,
          "scatter-max": np.maximum}  # fmt: skip


@rule("scatter-mul", "scatter-min", "scatter-max")
def _scatter_windows(eqn: Any) -> Any:
    p, (x, _, update) = eqn.params, (v.aval for v in eqn.invars)
    d, merge = p["dimension_numbers"], _MERGE.get(eqn.primitive.name)
    gone = {*d.inserted_window_dims, *d.operand_batching_dims}
    kept = iter(d.update_window_dims)
    sizes = [None if k in gone else update.shape[next(kept)] for k in range(x.ndim)]
    pairs = dict(zip(d.operand_batching_dims, d.scatter_indices_batching_dims, strict=True))
    over = [k for k in range(update.ndim) if k not in d.update_window_dims]
    if x.dtype.kind not in "iufbc" or 0 in (*x.shape, *update.shape):
        return None

    def run(a: Any, index: Any, rows: Any) -> Any:
        clip, starts = "CLIP" in str(p["mode"]), d.scatter_dims_to_operand_dims
        at, inside = _places(index, a.shape, sizes, starts, pairs, clip)
        rows = np.moveaxis(rows, over, range(len(over)))
        if inside is not None:
            at = tuple(np.broadcast_to(k, rows.shape)[inside] for k in at)
            rows = rows[inside]
        out = np.array(a)
        if merge is None:
            out[at] = rows
        else:
            merge.at(out, at, rows)
        return out

    return run
