"""The cold tier's forms of primitives that hold others, and of convolutions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .interpret import interpreter, rule

WORK = 1 << 28  # multiplications a convolution may take: 20 to 40 ms; its program takes 300 to 1300


# ----- branches and loops -----
@rule("platform_index")
def _platform_index(eqn: Any) -> Any:
    return lambda: np.int32(_on_cpu(eqn.params["platforms"]))


def _on_cpu(platforms: Any) -> int:
    return next(i for i, names in enumerate(platforms) if names is None or "cpu" in names)


@rule("cond")
def _cond(eqn: Any) -> Any:
    """By platform only: what hangs on a number would hang on an array, as elementwise ops run."""
    platforms = eqn.params.get("branches_platforms")
    if platforms is None:
        return None
    branch = interpreter(eqn.params["branches"][_on_cpu(platforms)])
    return None if branch is None else lambda _, *xs: branch(*xs)  # the others need no form


@rule("scan")
def _scan(eqn: Any) -> Any:
    p = eqn.params
    step = interpreter(p["jaxpr"])
    if step is None:
        return None
    fixed, kept = p["num_consts"], p["num_consts"] + p["num_carry"]
    order = range(p["length"])[:: -1 if p["reverse"] else 1]
    shown = [v.aval for v in eqn.outvars[p["num_carry"] :]]

    def run(*arrays: Any) -> list[Any]:
        constants, carry, rows = arrays[:fixed], list(arrays[fixed:kept]), arrays[kept:]
        seen: list[Any] = [[None] * len(order) for _ in shown]
        for t in order:
            found = step(*constants, *carry, *[x[t] for x in rows])
            carry = found[: len(carry)]
            for column, row in zip(seen, found[len(carry) :], strict=True):
                column[t] = row
        if order:
            return [*carry, *map(np.stack, seen)]
        return [*carry, *[np.empty(a.shape, a.dtype) for a in shown]]

    return run


# ----- convolutions -----
@rule("conv_general_dilated")
def _convolution(eqn: Any) -> Any:
    """Windows of the input as the rows of a matrix, times the kernel."""
    p, (x, w), out = eqn.params, (v.aval for v in eqn.invars), eqn.outvars[0].aval
    kind, d = out.dtype, p["dimension_numbers"]
    exact = kind.kind in "fc" and kind.itemsize >= 4 and x.dtype == w.dtype == kind
    if not exact or p["batch_group_count"] != 1 or 0 in (*x.shape, *w.shape, *out.shape):
        return None
    if out.size * math.prod(w.shape) // w.shape[d.rhs_spec[0]] > WORK:
        return None
    groups, back = p["feature_group_count"], tuple(np.argsort(d.out_spec))
    taps = tuple(w.shape[i] for i in d.rhs_spec[2:])
    spatial = tuple(out.shape[i] for i in d.out_spec[2:])
    count, features = out.shape[d.out_spec[0]], out.shape[d.out_spec[1]]
    n = len(taps)

    def run(x: Any, w: Any) -> Any:
        x = _spread(np.transpose(x, d.lhs_spec), p["lhs_dilation"], p["padding"])
        seen = _windows(x, taps, p["window_strides"], p["rhs_dilation"])
        seen = seen.reshape(count, groups, -1, *spatial, *taps)
        order = (1, 0, *range(3, 3 + n), 2, *range(3 + n, 3 + 2 * n))  # g, n, places, c, taps
        rows = np.transpose(seen, order).reshape(groups, count * math.prod(spatial), -1)
        kernel = np.transpose(w, d.rhs_spec).reshape(groups, features // groups, -1)
        found = np.matmul(rows, np.swapaxes(kernel, 1, 2))
        found = found.reshape(groups, count, *spatial, -1)
        found = np.transpose(found, (1, 0, 2 + n, *range(2, 2 + n)))
        return np.transpose(found.reshape(count, features, *spatial), back)

    return run


def _spread(x: Any, steps: Any, padding: Any) -> Any:
    """The input with zeros between its elements and around it; negative padding crops."""
    sizes = [(m - 1) * step + 1 for m, step in zip(x.shape[2:], steps, strict=True)]
    room = [max(lo, 0) + m + max(hi, 0) for m, (lo, hi) in zip(sizes, padding, strict=True)]
    whole = np.zeros((*x.shape[:2], *room), x.dtype)
    at, crop = [slice(None)] * 2, [slice(None)] * 2
    for m, step, (lo, hi), n in zip(sizes, steps, padding, room, strict=True):
        at.append(slice(max(lo, 0), max(lo, 0) + m, step))
        crop.append(slice(max(-lo, 0), n - max(-hi, 0)))
    whole[tuple(at)] = x
    return whole[tuple(crop)]


def _windows(x: Any, taps: Any, strides: Any, steps: Any) -> Any:
    """(n, c, places, taps) of a padded input."""
    axes = tuple(range(2, x.ndim))
    reach = tuple((k - 1) * s + 1 for k, s in zip(taps, steps, strict=True))
    seen = np.lib.stride_tricks.sliding_window_view(x, reach, axes)  # type: ignore[call-overload]
    every = [slice(None, None, s) for s in (*strides, *steps)]
    return seen[(slice(None), slice(None), *every)]
