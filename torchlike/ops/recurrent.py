"""Recurrent networks: a layer is one op that scans over time; around it PyTorch's public forms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from ..core.dtypes import C_NAMES, SCALAR_NAMES, bfloat16, float32, int64
from ..core.op import TABLE, Array, Arrays, Number, Optional, composite, op, publish
from ..core.tensor import Tensor, from_host, to_host
from .memory import renumber
from .recurrent_forms import CELLS, Weights, backward, count, forward

_FUSED = (float32, bfloat16)  # the dtypes PyTorch has one kernel per LSTM layer for


def _node(static: Any) -> str:
    return "MkldnnRnnLayerBackward0" if static["fused"] else "StackBackward0"


@op(name="_rnn_layer", module=None, promote="none", node=_node)
def _layer(
    input: Array, mask: Optional[Array], tensors: Arrays, mode: str, bias: bool, reverse: bool,
    fused: bool,
):  # fmt: skip
    """(outputs, last states …, an LSTM's cells) of one direction of one layer.

    `input` is (time, batch, features); `tensors` are the states (two for LSTM, else one) and then
    the weights; `fused` tells whether PyTorch has one kernel for it: the node has its name.
    """
    cut = count(mode)
    weights = Weights.of(tensors[cut:], bias)
    last, seen = forward(input, mask, tuple(tensors[:cut]), weights, mode, reverse)
    return (seen[0], *last, *seen[1:])


@op(name="_rnn_layer_slope", module=None, promote="none", node="MkldnnRnnLayerBackwardBackward0")
def _layer_slope(
    input: Array, mask: Optional[Array], tensors: Arrays, mode: str, bias: bool, reverse: bool
):
    """The gradients of the input, the states and the weights.

    `tensors` are the layer's own, all states seen, their gradients and those of the last states.
    """
    cut = count(mode)
    own, seen, slopes, last = (
        tensors[: -3 * cut], tensors[-3 * cut : -2 * cut], tensors[-2 * cut : -cut],
        tensors[-cut:],
    )  # fmt: skip
    weights = Weights.of(own[cut:], bias)
    found, rest = backward(input, mask, own[:cut], weights, seen, slopes, last, mode, reverse)
    return (found, *rest)


@_layer.gradient
def _(grads, results, input, mask, tensors, mode, bias, reverse):
    cut = count(mode)
    seen, slopes = ([x[0], *x[1 + cut :]] for x in (results, grads))
    given = [*tensors, *seen, *slopes, *grads[1 : 1 + cut]]
    found = _layer_slope.public(input, mask, given, mode, bias, reverse)
    return found[0], None, list(found[1:])


# ----- sequences of different lengths -----
@op(name="_pack_rows", module=None, promote="none", node=lambda static: static["origin"])
def _take_rows(input: Array, places: Array, origin: str):
    """The rows at `places` of all but the first two dims, flattened."""
    return input.reshape(input.shape[0] * input.shape[1], *input.shape[2:])[places]


@op(name="_pad_rows", module=None, promote="none", node="CopySlices")
def _put_rows(input: Array, places: Array, steps: int, batch: int, value: Number):
    """(steps, batch, …) with the rows of `input` at `places` and `value` elsewhere."""
    shape = (steps * batch, *input.shape[1:])
    full = jnp.full(shape, value.astype(input.dtype), input.dtype)
    return full.at[places].set(input).reshape(steps, batch, *input.shape[1:])


def _places(sizes: np.ndarray, batch: int) -> np.ndarray:
    """Where the rows of a packed sequence lie in (time, batch), flattened."""
    return np.concatenate([t * batch + np.arange(n) for t, n in enumerate(sizes)])


def _checked_lengths(lengths: Tensor, batch: int) -> np.ndarray:
    if lengths.ndim != 1 or lengths.dtype is not int64 or lengths.device.type != "cpu":
        raise RuntimeError(
            "'lengths' argument should be a 1D CPU int64 tensor, but got "
            f"{lengths.ndim}D {lengths.device.type} {SCALAR_NAMES[lengths.dtype]} tensor"
        )
    if len(lengths) != batch:
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {len(lengths)} "
            f"(batch_size={batch})"
        )
    values = to_host(lengths)
    if batch and values[-1] <= 0:
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' "
            "that is <= 0"
        )
    if (np.diff(values) > 0).any():
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. "
            "You can pass `enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to "
            "sidestep this requirement if you do not need ONNX exportability."
        )
    return values


@composite(method=False)
def _pack_padded_sequence(input: Tensor, lengths: Tensor, batch_first: bool):
    """(rows of all steps without padding, how many there are at each step)."""
    if batch_first:
        input = input.transpose(0, 1)
    if not input.numel():
        raise RuntimeError("Cannot pack empty tensors.")
    batch = input.size(1)
    values = _checked_lengths(lengths, batch)
    sizes = (np.arange(int(values[0]))[:, None] < values).sum(1).astype(np.int64)
    rows = from_host(_places(sizes[: input.shape[0]], batch))
    return _take_rows.public(input, rows, "PackPaddedSequenceBackward0"), from_host(sizes)


@composite(method=False)
def _pad_packed_sequence(
    data: Tensor, batch_sizes: Tensor, batch_first: bool, padding_value: float, total_length: int
):
    """(padded rows, lengths): the inverse of packing."""
    sizes = to_host(batch_sizes)
    batch = int(sizes[0])
    steps = max(total_length, len(sizes)) if total_length > 0 else len(sizes)
    rows = from_host(_places(sizes, batch))
    padded = _put_rows.public(data, rows, steps, batch, padding_value)
    lengths = (np.arange(batch)[:, None] < sizes).sum(1).astype(np.int64)
    return padded.transpose(0, 1) if batch_first else padded, from_host(lengths)


# ----- whole networks -----
_GATES = {"lstm": 4, "gru": 3}
_PRODUCT = "mat1 and mat2 shapes cannot be multiplied ({}x{} and {}x{})"
_DIFFER = (
    "The size of tensor a ({}) must match the size of tensor b ({}) at non-singleton dimension {}"
)


def _check_layer(
    x: Tensor, h: Tensor, weights: Sequence[Tensor], gates: int, projected: bool
) -> None:
    """RuntimeError for shapes and dtypes that don't fit, as PyTorch meets them step by step."""
    ours, theirs = weights[:2]
    for t in (x, h):
        if t.dtype is not ours.dtype:
            raise RuntimeError(
                "expected m1 and m2 to have the same dtype, but got: "
                f"{C_NAMES[t.dtype]} != {C_NAMES[ours.dtype]}"
            )
    steps, batch, features = x.shape
    if features != ours.shape[1]:
        raise RuntimeError(_PRODUCT.format(steps * batch, features, *reversed(ours.shape)))
    if h.shape[1] != theirs.shape[1]:
        raise RuntimeError(_PRODUCT.format(*h.shape, *reversed(theirs.shape)))
    if h.shape[0] == 1 != batch:
        raise RuntimeError(
            f"output with shape {list(h.shape)} doesn't match the broadcast shape "
            f"{[batch, h.shape[1]]}"
        )
    if h.shape[0] != batch:
        raise RuntimeError(_DIFFER.format(h.shape[0], batch, 0))
    width = theirs.shape[0] // gates
    if theirs.shape[0] != ours.shape[0]:
        raise RuntimeError(_DIFFER.format(width, ours.shape[0] // gates, 1))
    if width != h.shape[1] and not projected:
        raise RuntimeError(_PRODUCT.format(batch, width, *reversed(theirs.shape)))


class _Run:
    """The settings of one call, and the way of its input through layers and directions."""

    def __init__(self, mode: str, settings: Sequence[Any]) -> None:
        self.mode = mode
        params, self.biases, self.layers, self.dropout, self.train, self.bidirectional = settings
        self.directions = 1 + bool(self.bidirectional)
        count = len(params) // max(self.layers * self.directions, 1)
        usual = 4 if self.biases else 2
        self.projected = mode == "lstm" and count == usual + 1
        count = usual + self.projected
        if len(params) % count:
            raise RuntimeError("got an incorrect number of RNN parameters")
        self.weights = [list(params[i : i + count]) for i in range(0, len(params), count)]

    def padded(self, input: Tensor, hx: Sequence[Tensor], batch_first: bool) -> Any:
        """The network over (time, batch, features)."""
        input = input.transpose(0, 1) if batch_first else input
        if not input.shape[0]:
            raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
        output, states = self.through(input, hx, lambda x, *more: self.layer(x, None, *more))
        if batch_first:
            output = output.transpose(0, 1)
            if self.mode != "lstm":  # PyTorch turns it in place
                renumber(output._grad_fn)
        return (output, *states)

    def packed(self, data: Tensor, batch_sizes: Tensor, hx: Sequence[Tensor]) -> Any:
        """The network over packed rows: padded for each layer, the padding left out of states."""
        sizes = to_host(batch_sizes)
        batch, steps = int(sizes[0]), len(sizes)
        rows = from_host(_places(sizes, batch))
        mask = from_host((np.arange(batch) < sizes[:, None])[..., None])

        def layer(x: Tensor, states: Sequence[Tensor], i: int) -> Any:
            full = _put_rows.public(x, rows, steps, batch, 0.0)
            output, *last = self.layer(full, mask, states, i)
            return (_take_rows.public(output, rows, "CatBackward0"), *last)

        output, states = self.through(data, hx, layer)
        return (output, *states)

    def _check_counts(self, states: Tensor) -> None:
        given = (states.shape[0], len(self.weights))
        if self.bidirectional and any(n % 2 for n in given):
            raise RuntimeError("Odd number of params or hiddens given to a bidirectional RNN")
        for what, n in zip(("hidden states", "weights"), given, strict=True):
            if n != self.layers * self.directions:
                raise RuntimeError(f"Expected more {what} in stacked_rnn")

    def through(self, x: Tensor, hx: Sequence[Tensor], layer: Any) -> Any:
        """(output, final states stacked over layers and directions)."""
        self._check_counts(hx[0])
        kept: list[list[Tensor]] = [[] for _ in hx]
        for depth in range(self.layers):
            outputs = []
            for direction in range(self.directions):
                i = depth * self.directions + direction
                output, *last = layer(x, [states[i] for states in hx], i)
                outputs.append(output)
                for list_, state in zip(kept, last, strict=True):
                    list_.append(state)
            x = outputs[0] if len(outputs) == 1 else TABLE["torch", "cat"](outputs, -1)
            if self.dropout and self.train and depth < self.layers - 1:
                x = TABLE["torch", "dropout"](x, self.dropout, True)
        stack = TABLE["torch", "stack"]
        return x, [stack(states, 0) for states in kept]

    def layer(self, x: Tensor, mask: Tensor | None, states: Sequence[Tensor], i: int) -> Any:
        tensors = [*states, *self.weights[i]]
        _check_layer(x, states[0], self.weights[i], _GATES.get(self.mode, 1), self.projected)
        reverse = bool(i % self.directions)
        fused = self.mode == "lstm" and x.dtype in _FUSED and not self.projected
        found = _layer.public(x, mask, tensors, self.mode, bool(self.biases), reverse, fused)
        return found[: 1 + count(self.mode)]


def _network(mode: str) -> None:
    """Declare torch.<mode> in both its forms: (input, hx, …, batch_first), (data, sizes, hx, …)."""

    def run(input: Tensor, *args: Any, **kwargs: Any) -> Any:
        names = ["params", "has_biases", "num_layers", "dropout", "train", "bidirectional"]
        is_packed = "batch_sizes" in kwargs or "data" in kwargs or _is_sizes(args)
        names = ["batch_sizes", "hx", *names] if is_packed else ["hx", *names, "batch_first"]
        given = dict(zip(names, args, strict=False)) | kwargs
        settings = [given[n] for n in names if n not in ("batch_sizes", "hx", "batch_first")]
        hx = given["hx"]
        hx = [hx] if isinstance(hx, Tensor) else list(hx)
        if mode == "lstm" and len(hx) != 2:
            raise RuntimeError("lstm expects two hidden states")
        call = _Run(mode, settings)
        if is_packed:
            return call.packed(input, given["batch_sizes"], hx)
        return call.padded(input, hx, given["batch_first"])

    run.__name__ = run.__qualname__ = mode
    run.__module__ = "torch"
    publish("torch", mode, run)


def _is_sizes(args: Sequence[Any]) -> bool:
    """Whether what follows the input is `batch_sizes` rather than a hidden state."""
    return bool(args) and isinstance(args[0], Tensor) and args[0].dtype is int64


for _mode in CELLS:
    _network(_mode)


# ----- single steps, as ATen composes them -----
def _check_cell(
    input: Tensor, states: Sequence[Tensor], w_ih: Tensor, w_hh: Tensor, gates: int = 1
) -> None:
    if input.size(1) != w_ih.size(1):
        raise RuntimeError(
            f"input has inconsistent input_size: got {input.shape[1]} expected {w_ih.shape[1]}"
        )
    for i, state in enumerate(states):
        if state.shape[0] != input.shape[0]:
            raise RuntimeError(
                f"Input batch size {input.shape[0]} doesn't match hidden{i} batch size "
                f"{state.shape[0]}"
            )
        if state.size(1) != w_hh.size(1):
            raise RuntimeError(
                f"hidden{i} has inconsistent hidden_size: got {state.shape[1]}, expected "
                f"{w_hh.shape[1]}"
            )
    for what, weight in (("ih", w_ih), ("hh", w_hh)):
        if weight.shape[0] != gates * w_hh.shape[1]:
            raise RuntimeError(
                f"weight_{what} first dim must be {gates} * hidden_size = "
                f"{gates * w_hh.shape[1]}, but got {weight.shape[0]}"
            )


def _both(
    input: Tensor, h: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None, b_hh: Tensor | None
) -> tuple[Tensor, Tensor]:
    linear = TABLE["nn.functional", "linear"]
    return linear(input, w_ih, b_ih), linear(h, w_hh, b_hh)


@composite(method=False)
def rnn_tanh_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
):  # fmt: skip
    _check_cell(input, [hx], w_ih, w_hh)
    x, h = _both(input, hx, w_ih, w_hh, b_ih, b_hh)
    return (h + x).tanh()


@composite(method=False)
def rnn_relu_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
):  # fmt: skip
    _check_cell(input, [hx], w_ih, w_hh)
    x, h = _both(input, hx, w_ih, w_hh, b_ih, b_hh)
    return (h + x).relu()


@composite(method=False)
def gru_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
):  # fmt: skip
    _check_cell(input, [hx], w_ih, w_hh, 3)
    x, h = _both(input, hx, w_ih, w_hh, b_ih, b_hh)
    xr, xz, xn = x.chunk(3, 1)
    hr, hz, hn = h.chunk(3, 1)
    reset, update = (hr + xr).sigmoid(), (hz + xz).sigmoid()
    new = (xn + hn * reset).tanh()
    return (hx - new) * update + new


@composite(method=False)
def lstm_cell(
    input: Tensor, hx: Any, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
):  # fmt: skip
    if isinstance(hx, Tensor):
        raise TypeError(
            "lstm_cell(): argument 'hx' (position 2) must be tuple of Tensors, not Tensor"
        )
    if len(hx) != 2:
        raise RuntimeError("lstm_cell expects two hidden states")
    _check_cell(input, hx, w_ih, w_hh, 4)
    x, h = _both(input, hx[0], w_ih, w_hh, b_ih, b_hh)
    i, f, g, o = (x + h).chunk(4, 1)
    cell = f.sigmoid() * hx[1] + i.sigmoid() * g.tanh()
    return o.sigmoid() * cell.tanh(), cell
