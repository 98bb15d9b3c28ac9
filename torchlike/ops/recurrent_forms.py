"""The array forms of recurrent layers: a step of each kind, the scan over time and its gradient.

The gradient's scan carries the states' gradients only: the weights' are one product over all steps
afterwards, where `jax.vjp` of the scan would add a small product to them at every step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from .product_forms import turned_product


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

    def merged(self, mode: str) -> Weights:
        """With both biases added before the scan, where a cell only sees their sum."""
        if mode == "gru" or self.b_ih is None:
            return self
        return self._replace(b_ih=self.b_ih + self.b_hh, b_hh=None)

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
    cell, weights = CELLS[mode], weights.merged(mode)

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
    weights = weights.merged(mode)
    before = tuple(_shifted(s, first, reverse) for s, first in zip(seen, states, strict=True))
    inputs, hidden = weights.inputs(x), _every(before[0], weights.w_hh, weights.b_hh)
    shares, project = SHARES[mode](inputs, hidden, before), weights.project

    def step(carry: Any, row: Any) -> Any:
        shares, keep, slope = row
        new = tuple(c + s for c, s in zip(carry, slope, strict=True))
        passed = [0.0] * len(new)
        if keep is not None:
            passed = [jnp.where(keep, jnp.zeros((), n.dtype), n) for n in new]
            new = tuple(jnp.where(keep, n, jnp.zeros((), n.dtype)) for n in new)
        of_h = new[0] if project is None else new[0] @ project
        parts, dold = _passed_on(shares, (of_h, *new[1:]))
        dold = (dold[0] + parts[-1] @ weights.w_hh, *dold[1:])
        shown = None if project is None else new[0]
        return tuple(d + p for d, p in zip(dold, passed, strict=True)), (parts, shown)

    first, (parts, slope) = jax.lax.scan(step, last, (shares, mask, slopes), reverse=not reverse)
    shown = None if project is None else (slope, CELLS[mode](inputs, hidden, before)[0])
    return _gathered(x, states, weights, seen, first, parts, shown, reverse)


# ----- a step's derivatives -----
# A cell is elementwise, so its derivatives for all steps are made at once, before the scan over
# time, which then only multiplies: an LSTM's loop takes 4.2 ms where one with `jax.vjp` took 7.9.
class _Shares(NamedTuple):
    """What of a state's gradient reaches the gates (each by itself) and the state before."""

    gates: tuple[tuple[Any, ...], ...]  # of the input's part (if it differs) and the state's
    state: Any
    memory: Any = None  # LSTM: what of h's gradient the cell state gets


def _shares_of(cell: Any, gates: int, whole: bool) -> Any:
    """Of a cell with one state: the gradient of ones."""

    def shares(x: Any, hidden: Any, states: Any) -> _Shares:
        found, pull = jax.vjp(cell, x, hidden, states)
        dx, dhidden, (dstate,) = pull((jnp.ones_like(found[0]),))
        parts = (dx, dhidden) if whole else (dhidden,)
        return _Shares(tuple(tuple(jnp.split(p, gates, axis=-1)) for p in parts), dstate)

    return shares


def _lstm_shares(x: Any, hidden: Any, states: Any) -> _Shares:
    c = states[1]
    i, f, g, o = jnp.split(x + hidden, 4, axis=-1)
    i, f, g, o = _sigmoid(i), _sigmoid(f), jnp.tanh(g), _sigmoid(o)
    shown = jnp.tanh(f * c + i * g)
    gates = g * i * (1 - i), c * f * (1 - f), i * (1 - g * g), shown * o * (1 - o)
    return _Shares((gates,), f, o * (1 - shown * shown))


def _shares_in_single(shares: Any) -> Any:
    """As `_in_single`: derivatives of 16-bit numbers are reckoned, and kept, in float32."""

    def of(x: Any, hidden: Any, states: Any) -> _Shares:
        if x.dtype.itemsize != 2:
            return shares(x, hidden, states)
        return shares(*jax.tree.map(lambda a: a.astype(jnp.float32), (x, hidden, states)))

    return of


SHARES = {
    "rnn_tanh": _shares_in_single(_shares_of(CELLS["rnn_tanh"], 1, False)),
    "rnn_relu": _shares_in_single(_shares_of(CELLS["rnn_relu"], 1, False)),
    "gru": _shares_in_single(_shares_of(CELLS["gru"], 3, True)),
    "lstm": _shares_in_single(_lstm_shares),
}


def _passed_on(shares: _Shares, new: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """The gradients of the gates and of the states before, from those of the states after."""
    kind, wide = new[0].dtype, shares.state.dtype
    dh, *rest = (d.astype(wide) for d in new)
    if shares.memory is None:
        parts = [[dh * gate for gate in gates] for gates in shares.gates]
        dold = ((dh * shares.state).astype(kind),)
    else:
        dc = rest[0] + dh * shares.memory
        *three, last = shares.gates[0]
        parts = [[*(dc * gate for gate in three), dh * last]]
        dold = (0.0, (dc * shares.state).astype(kind))
    return tuple(jnp.concatenate(p, -1).astype(kind) for p in parts), dold


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
    grads = [*first, turned_product(dx, _flat(x)), turned_product(dhidden, _flat(before))]
    if weights.b_ih is not None:
        grads += [dx.sum(0, dtype=dx.dtype), dhidden.sum(0, dtype=dx.dtype)]
    if shown is not None:
        grads.append(turned_product(_flat(shown[0]), _flat(shown[1])))
    return (dx @ weights.w_ih).reshape(x.shape), grads
