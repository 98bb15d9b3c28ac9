"""Recurrent layers over whole sequences, padded or packed, and their single steps."""

import math
import numbers
import warnings

from .. import ops
from . import init
from .module import Module
from .parameter import fresh
from .utils.rnn import PackedSequence

_GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "GRU": 3, "LSTM": 4}


def _run(mode):
    return {"RNN_TANH": ops.rnn_tanh, "RNN_RELU": ops.rnn_relu, "GRU": ops.gru}[mode]


def _reset_uniform(module):
    bound = 1.0 / math.sqrt(module.hidden_size) if module.hidden_size > 0 else 0
    for weight in module.parameters():
        init.uniform_(weight, -bound, bound)


class RNNBase(Module):
    """What RNN, LSTM and GRU share: weights, checks and the way through packed sequences."""

    __constants__ = ["mode", "input_size", "hidden_size", "num_layers", "bias", "batch_first",
                     "dropout", "bidirectional", "proj_size"]

    def __init__(
        self, mode, input_size, hidden_size, num_layers=1, bias=True, batch_first=False,
        dropout=0.0, bidirectional=False, proj_size=0, device=None, dtype=None,
    ):
        super().__init__()
        self.mode, self.input_size, self.hidden_size = mode, input_size, hidden_size
        self.num_layers, self.bias, self.batch_first = num_layers, bias, batch_first
        self.dropout, self.bidirectional = float(dropout), bidirectional
        self.proj_size = proj_size
        self._check_settings(dropout)
        self._all_weights = []
        for layer in range(num_layers):
            for suffix in ("", "_reverse")[: 1 + bool(bidirectional)]:
                shapes = self._shapes(layer, f"_l{layer}{suffix}")
                for name, shape in shapes.items():
                    setattr(self, name, fresh(shape, device, dtype))
                self._all_weights.append(list(shapes))
        self._flat_weights_names = [name for names in self._all_weights for name in names]
        self.reset_parameters()

    def _check_settings(self, dropout):
        number = isinstance(dropout, numbers.Number) and not isinstance(dropout, bool)
        if not number or not 0 <= dropout <= 1:
            raise ValueError(
                "dropout should be a number in range [0, 1] representing the probability of an "
                "element being zeroed"
            )
        if dropout > 0 and self.num_layers == 1:
            warnings.warn(
                "dropout option adds dropout after all but last recurrent layer, so non-zero "
                f"dropout expects num_layers greater than 1, but got dropout={dropout} and "
                f"num_layers={self.num_layers}",
                stacklevel=3,
            )
        for name, kind in _TYPES.items():
            value = getattr(self, name)
            if not isinstance(value, kind):
                raise TypeError(
                    f"{name} should be of type {kind.__name__}, got: {type(value).__name__}"
                )
            if kind is int and value <= 0:
                raise ValueError(f"{name} must be greater than zero")
        if self.num_layers <= 0:
            raise ValueError("num_layers must be greater than zero")
        if self.proj_size < 0:
            raise ValueError(
                "proj_size should be a positive integer or zero to disable projections"
            )
        if self.proj_size >= self.hidden_size:
            raise ValueError("proj_size has to be smaller than hidden_size")
        if self.mode not in _GATES:
            raise ValueError("Unrecognized RNN mode: " + self.mode)

    def _shapes(self, layer, suffix):
        gates, out = _GATES[self.mode] * self.hidden_size, self.proj_size or self.hidden_size
        width = self.input_size if layer == 0 else out * (1 + bool(self.bidirectional))
        shapes = {"weight_ih": (gates, width), "weight_hh": (gates, out)}
        if self.bias:
            shapes |= {"bias_ih": gates, "bias_hh": gates}
        if self.proj_size > 0:
            shapes["weight_hr"] = (self.proj_size, self.hidden_size)
        return {name + suffix: shape for name, shape in shapes.items()}

    def reset_parameters(self):
        """Draws new values."""
        _reset_uniform(self)

    @property
    def _flat_weights(self):
        return [getattr(self, name, None) for name in self._flat_weights_names]

    @property
    def all_weights(self):
        """The weights, a list per layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    def flatten_parameters(self):
        """Nothing to do: it is cuDNN that wants its weights in one piece."""

    def __getstate__(self):
        return super().__getstate__() | {"_flat_weights": self._flat_weights}  # PyTorch's has it

    def __setstate__(self, state):
        state = {k: v for k, v in state.items() if k not in ("_flat_weights", "all_weights")}
        super().__setstate__({"proj_size": 0} | state)

    # ----- checks -----
    def _batch(self, input, batch_sizes):
        if batch_sizes is not None:
            return int(batch_sizes[0])
        return input.size(0 if self.batch_first else 1)

    def _state_size(self, width, input, batch_sizes):
        layers = self.num_layers * (1 + bool(self.bidirectional))
        return layers, self._batch(input, batch_sizes), width

    def get_expected_hidden_size(self, input, batch_sizes):
        """The shape that the hidden state must have for this input."""
        return self._state_size(self.proj_size or self.hidden_size, input, batch_sizes)

    def check_input(self, input, batch_sizes):
        """Checks dtype and shape of the input."""
        expected = self._flat_weights[0].dtype
        if input.dtype != expected:
            raise ValueError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({expected}). "
                f"Convert input: input.to({expected}), or convert model: model.to({input.dtype})"
            )
        ndim = 2 if batch_sizes is not None else 3
        if input.dim() != ndim:
            raise RuntimeError(f"input must have {ndim} dimensions, got {input.dim()}")
        if self.input_size != input.size(-1):
            raise RuntimeError(
                "input.size(-1) must be equal to input_size. Expected "
                f"{self.input_size}, got {input.size(-1)}"
            )

    def check_hidden_size(self, hx, expected_hidden_size, msg="Expected hidden size {}, got {}"):
        """Checks the shape of a hidden state."""
        if hx.size() != expected_hidden_size:
            raise RuntimeError(msg.format(expected_hidden_size, list(hx.size())))

    def check_forward_args(self, input, hidden, batch_sizes):
        """Checks input and hidden state."""
        self.check_input(input, batch_sizes)
        self.check_hidden_size(hidden, self.get_expected_hidden_size(input, batch_sizes))

    def _check_state_ndim(self, states, ndim):
        if states[0].dim() != ndim:
            raise RuntimeError(
                f"For {_BATCHED[ndim]} {ndim}-D input, hx should also be {ndim}-D but got "
                f"{states[0].dim()}-D tensor"
            )

    def permute_hidden(self, hx, permutation):
        """The hidden state with its batch reordered."""
        return hx if permutation is None else hx.index_select(1, permutation)

    # ----- forward -----
    def _states(self, hx):
        return (hx,)

    def _hidden(self, states):
        return states[0]

    def _zeros(self, input, batch_sizes):
        size = self.get_expected_hidden_size(input, batch_sizes)
        return ops.zeros(*size, dtype=input.dtype, device=input.device)

    def _dimension_text(self, input):
        return f"{self._get_name()}: Expected input to be 2D or 3D, got {input.dim()}D instead"

    def forward(self, input, hx=None):
        if isinstance(input, PackedSequence):
            return self._forward_packed(input, hx)
        if input.dim() not in (2, 3):
            raise ValueError(self._dimension_text(input))
        batched, batch_dim = input.dim() == 3, 0 if self.batch_first else 1
        if hx is not None:
            self._check_state_ndim(self._states(hx), input.dim())
        if not batched:
            input = input.unsqueeze(batch_dim)
            if hx is not None:
                hx = self._hidden([state.unsqueeze(1) for state in self._states(hx)])
        hx = self._zeros(input, None) if hx is None else hx
        self.check_forward_args(input, hx, None)
        output, *states = self._recur(input, hx)
        if not batched:
            output = output.squeeze(batch_dim)
            states = [state.squeeze(1) for state in states]
        return output, self._hidden(states)

    def _forward_packed(self, packed, hx):
        input, batch_sizes, sorted_indices, unsorted_indices = packed
        hx = self._zeros(input, batch_sizes) if hx is None else \
            self.permute_hidden(hx, sorted_indices)
        self.check_forward_args(input, hx, batch_sizes)
        output, *states = self._recur(input, hx, batch_sizes)
        output = PackedSequence(output, batch_sizes, sorted_indices, unsorted_indices)
        return output, self.permute_hidden(self._hidden(states), unsorted_indices)

    def _recur(self, input, hx, batch_sizes=None):
        run = ops.lstm if self.mode == "LSTM" else _run(self.mode)
        settings = (self._flat_weights, self.bias, self.num_layers, self.dropout, self.training,
                    self.bidirectional)
        if batch_sizes is None:
            return run(input, hx, *settings, self.batch_first)
        return run(input, batch_sizes, hx, *settings)

    def extra_repr(self):
        usual = {"proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False,
                 "dropout": 0, "bidirectional": False}
        unusual = [n for n, value in usual.items() if getattr(self, n) != value]
        return ", ".join([f"{self.input_size}, {self.hidden_size}",
                          *(f"{name}={getattr(self, name)}" for name in unusual)])


_TYPES = {"bias": bool, "batch_first": bool, "input_size": int, "hidden_size": int}
_BATCHED = {2: "unbatched", 3: "batched"}
_NO_PROJECTION = "proj_size argument is only supported for LSTM, not RNN or GRU"


class RNN(RNNBase):
    """Elman's network: h' = tanh(W x + b + U h + c), or relu."""

    def __init__(self, *args, **kwargs):
        if "proj_size" in kwargs:
            raise ValueError(_NO_PROJECTION)
        if len(args) > 3:
            nonlinearity, args = args[3], (*args[:3], *args[4:])
        else:
            nonlinearity = kwargs.pop("nonlinearity", "tanh")
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(
                f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'."
            )
        super().__init__(f"RNN_{nonlinearity.upper()}", *args, **kwargs)
        self.nonlinearity = nonlinearity

    def _dimension_text(self, input):
        return f"RNN: Expected input to be 2D or 3D, got {input.dim()}D tensor instead"


class GRU(RNNBase):
    """Gated recurrent units, with the reset gate applied after the product, as in cuDNN."""

    def __init__(self, *args, **kwargs):
        if "proj_size" in kwargs:
            raise ValueError(_NO_PROJECTION)
        super().__init__("GRU", *args, **kwargs)


class LSTM(RNNBase):
    """Long short-term memory; the state is a pair (hidden, cell)."""

    def __init__(self, *args, **kwargs):
        super().__init__("LSTM", *args, **kwargs)

    def get_expected_cell_size(self, input, batch_sizes):
        """The shape that the cell state must have for this input."""
        return self._state_size(self.hidden_size, input, batch_sizes)

    def check_forward_args(self, input, hidden, batch_sizes):
        """Checks input, hidden and cell state."""
        self.check_input(input, batch_sizes)
        sizes = (self.get_expected_hidden_size(input, batch_sizes),
                 self.get_expected_cell_size(input, batch_sizes))
        for i, size in enumerate(sizes):
            self.check_hidden_size(hidden[i], size, f"Expected hidden[{i}] size {{}}, got {{}}")

    def _check_state_ndim(self, states, ndim):
        if any(state.dim() != ndim for state in states):
            raise RuntimeError(
                f"For {_BATCHED[ndim]} {ndim}-D input, hx and cx should also be {ndim}-D but got "
                f"({states[0].dim()}-D, {states[1].dim()}-D) tensors"
            )

    def permute_hidden(self, hx, permutation):
        """The state with its batch reordered."""
        if permutation is None:
            return hx
        return tuple(state.index_select(1, permutation) for state in hx)

    def _states(self, hx):
        return hx

    def _hidden(self, states):
        return tuple(states)

    def _zeros(self, input, batch_sizes):
        sizes = (self.get_expected_hidden_size(input, batch_sizes),
                 self.get_expected_cell_size(input, batch_sizes))
        return tuple(ops.zeros(*s, dtype=input.dtype, device=input.device) for s in sizes)


# ----- single steps -----
class RNNCellBase(Module):
    """What the cells share: weights, and inputs with or without a batch."""

    __constants__ = ["input_size", "hidden_size", "bias"]

    def __init__(self, input_size, hidden_size, bias, num_chunks, device=None, dtype=None):
        super().__init__()
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        gates = num_chunks * hidden_size
        self.weight_ih = fresh((gates, input_size), device, dtype)
        self.weight_hh = fresh((gates, hidden_size), device, dtype)
        self.register_parameter("bias_ih", fresh(gates, device, dtype, bias))
        self.register_parameter("bias_hh", fresh(gates, device, dtype, bias))
        self.reset_parameters()

    def reset_parameters(self):
        """Draws new values."""
        _reset_uniform(self)

    def extra_repr(self):
        parts = [f"{self.input_size}, {self.hidden_size}"]
        if self.bias is not True:
            parts.append(f"bias={self.bias}")
        if getattr(self, "nonlinearity", "tanh") != "tanh":
            parts.append(f"nonlinearity={self.nonlinearity}")
        return ", ".join(parts)

    def _check_ndim(self, what, tensor):
        if tensor.dim() not in (1, 2):
            raise ValueError(
                f"{type(self).__name__}: Expected {what} to be 1D or 2D, got {tensor.dim()}D "
                "instead"
            )

    def _step(self, cell, input, hx):
        """One step of a cell whose state is one tensor."""
        self._check_ndim("input", input)
        if hx is not None:
            self._check_ndim("hidden", hx)
        batched = input.dim() == 2
        if not batched:
            input, hx = input.unsqueeze(0), None if hx is None else hx.unsqueeze(0)
        if hx is None:
            hx = self._zeros(input)
        output = cell(input, hx, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        return output if batched else output.squeeze(0)

    def _zeros(self, input):
        return ops.zeros(input.size(0), self.hidden_size, dtype=input.dtype, device=input.device)


class RNNCell(RNNCellBase):
    """One step of RNN."""

    __constants__ = ["input_size", "hidden_size", "bias", "nonlinearity"]

    def __init__(
        self, input_size, hidden_size, bias=True, nonlinearity="tanh", device=None, dtype=None
    ):
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input, hx=None):
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        cell = ops.rnn_tanh_cell if self.nonlinearity == "tanh" else ops.rnn_relu_cell
        return self._step(cell, input, hx)


class GRUCell(RNNCellBase):
    """One step of GRU."""

    def __init__(self, input_size, hidden_size, bias=True, device=None, dtype=None):
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input, hx=None):
        return self._step(ops.gru_cell, input, hx)


class LSTMCell(RNNCellBase):
    """One step of LSTM."""

    def __init__(self, input_size, hidden_size, bias=True, device=None, dtype=None):
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input, hx=None):
        self._check_ndim("input", input)
        for i, state in enumerate(() if hx is None else hx):
            self._check_ndim(f"hx[{i}]", state)
        batched = input.dim() == 2
        if not batched:
            input = input.unsqueeze(0)
            hx = None if hx is None else tuple(state.unsqueeze(0) for state in hx)
        if hx is None:
            hx = (self._zeros(input),) * 2
        states = ops.lstm_cell(
            input, hx, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh
        )
        return states if batched else tuple(state.squeeze(0) for state in states)
