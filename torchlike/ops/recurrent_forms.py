"""The array forms of recurrent layers: a step of each kind, the scan over time and its gradient.

The gradient's scan carries the states' gradients only: the weights' are one product over all steps
afterwards, where `jax.vjp` of the scan would add a small product to them at every step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp


# ----- one step: (the input's part, the state's part, states) -> states -----
def _rnn_cell(activate: Any) -> Any:
    def cell(x: Any, hidden: Any, states: Any) -> Any:
        return (activate(x + hidden),)

    return cell


def _gru_cell(x: Any, hidden: Any, states: Any) -> Any:
    (h,) = states
    reset, update, _ = jnp.split(_sigmoid(x + hidden), 3, axis=-1)
    new = jnp.tanh(_last_third(x) + reset * _last_third(hidden))
    return ((h - new) * update + new,)


def _last_third(x: Any) -> Any:
    return jax.lax.slice_in_dim(x, x.shape[-1] // 3 * 2, x.shape[-1], axis=-1)


def _lstm_cell(x: Any, hidden: Any, states: Any) -> Any:
    """All gates in one tanh: XLA's loops over their slices take six times as long on CPU."""
    _, c = states
    gates = x + hidden
    ways = jnp.repeat(jnp.asarray([0.5, 0.5, 1, 0.5], gates.dtype), gates.shape[-1] // 4)
    i, f, g, o = jnp.split(jnp.tanh(gates * ways), 4, axis=-1)
    c = _as_sigmoid(f) * c + _as_sigmoid(i) * g
    return _as_sigmoid(o) * jnp.tanh(c), c


def _sigmoid(x: Any) -> Any:
    return _as_sigmoid(jnp.tanh(x * jnp.asarray(0.5, x.dtype)))


def _as_sigmoid(tanh: Any) -> Any:
    """The sigmoid of x from the tanh of x / 2, to an ulp of 1."""
    half = jnp.asarray(0.5, tanh.dtype)
    return half * tanh + half


def _in_single(cell: Any) -> Any:
    """A step that reckons in float32 where its numbers have 16 bits: a sigmoid got from a tanh of
    so few bits would lose what small ones are made of.
    """

    def step(x: Any, hidden: Any, states: Any) -> Any:
        if x.dtype.itemsize != 2:
            return cell(x, hidden, states)
        wide = jax.tree.map(lambda a: a.astype(jnp.float32), (x, hidden, states))
        return tuple(new.astype(x.dtype) for new in cell(*wide))

    return step


CELLS = {
    "rnn_tanh": _in_single(_rnn_cell(jnp.tanh)),
    "rnn_relu": _in_single(_rnn_cell(lambda x: jnp.maximum(x, jnp.zeros((), x.dtype)))),
    "gru": _in_single(_gru_cell),
    "lstm": _in_single(_lstm_cell),
}


class Weights(NamedTuple):
    """A layer's parameters; `project` makes an LSTM's output smaller than its cell."""

    w_ih: Any
    w_hh: Any
    b_ih: Any
    b_hh: Any
    project: Any

    @classmethod
    def of(cls, tensors: Sequence[Any], bias: bool) -> Weights:
        w_ih, w_hh, *rest = tensors
        b_ih, b_hh = rest[:2] if bias else (None, None)
        return cls(w_ih, w_hh, b_ih, b_hh, rest[-1] if len(rest) > 2 * bias else None)

    def inputs(self, x: Any) -> Any:
        """The input's part of all steps in one 2-D product: (time, batch, gates)."""
        return _every(x, self.w_ih, self.b_ih)


def count(mode: str) -> int:
    """How many states a layer has."""
    return 2 if mode == "lstm" else 1


def _linear(x: Any, weight: Any, bias: Any) -> Any:
    product = x @ weight.T
    return product if bias is None else product + bias


def _flat(x: Any) -> Any:
    return x.reshape(x.shape[0] * x.shape[1], x.shape[2])


def _every(x: Any, weight: Any, bias: Any) -> Any:
    return _linear(_flat(x), weight, bias).reshape(*x.shape[:2], weight.shape[0])


def forward(
    x: Any, mask: Any, states: tuple[Any, ...], weights: Weights, mode: str, reverse: bool
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """The last states, and the states after each step (time, batch, features)."""
    cell = CELLS[mode]

    def step(carry: Any, row: Any) -> Any:
        x, keep = row
        h, *rest = cell(x, _linear(carry[0], weights.w_hh, weights.b_hh), carry)
        new = (h if weights.project is None else h @ weights.project.T, *rest)
        if keep is not None:
            new = tuple(jnp.where(keep, n, old) for n, old in zip(new, carry, strict=True))
        return new, new

    return jax.lax.scan(step, states, (weights.inputs(x), mask), reverse=reverse)


def backward(
    x: Any, mask: Any, states: tuple[Any, ...], weights: Weights, seen: tuple[Any, ...],
    slopes: tuple[Any, ...], last: tuple[Any, ...], mode: str, reverse: bool,
) -> tuple[Any, list[Any]]:  # fmt: skip
    """The gradients of the input and of states and weights.

    `seen` are the states after each step, as `forward` gave them; `slopes` and `last` are their
    gradients and those of the last ones.
    """
    before = tuple(_shifted(s, first, reverse) for s, first in zip(seen, states, strict=True))
    hidden = _every(before[0], weights.w_hh, weights.b_hh)
    cell, project = CELLS[mode], weights.project

    def step(carry: Any, row: Any) -> Any:
        x, hidden, old, keep, slope = row
        new = tuple(c + s for c, s in zip(carry, slope, strict=True))
        passed = [0.0] * len(new)
        if keep is not None:
            passed = [jnp.where(keep, jnp.zeros((), n.dtype), n) for n in new]
            new = tuple(jnp.where(keep, n, jnp.zeros((), n.dtype)) for n in new)
        found, pull = jax.vjp(cell, x, hidden, old)
        of_h = new[0] if project is None else new[0] @ project
        dx, dhidden, dold = pull((of_h, *new[1:]))
        dold = (dold[0] + dhidden @ weights.w_hh, *dold[1:])
        shown = None if project is None else (new[0], found[0])
        whole = (dx, dhidden) if mode == "gru" else (dhidden,)
        return tuple(d + p for d, p in zip(dold, passed, strict=True)), (whole, shown)

    rows = (weights.inputs(x), hidden, before, mask, slopes)
    first, (parts, shown) = jax.lax.scan(step, last, rows, reverse=not reverse)
    return _gathered(x, states, weights, seen, first, parts, shown, reverse)


def _shifted(seen: Any, first: Any, reverse: bool) -> Any:
    """The state before each step."""
    if reverse:
        return jnp.concatenate([seen[1:], first[None]])
    return jnp.concatenate([first[None], seen[:-1]])


def _gathered(
    x: Any, states: tuple[Any, ...], weights: Weights, seen: tuple[Any, ...],
    first: tuple[Any, ...], parts: tuple[Any, ...], shown: Any, reverse: bool,
) -> tuple[Any, list[Any]]:  # fmt: skip
    """The products over all steps at once."""
    dx, dhidden = _flat(parts[0]), _flat(parts[-1])
    before = _shifted(seen[0], states[0], reverse)
    grads = [*first, dx.T @ _flat(x), dhidden.T @ _flat(before)]
    if weights.b_ih is not None:
        grads += [dx.sum(0, dtype=dx.dtype), dhidden.sum(0, dtype=dx.dtype)]
    if shown is not None:
        grads.append(_flat(shown[0]).T @ _flat(shown[1]))
    return (dx @ weights.w_ih).reshape(x.shape), grads
