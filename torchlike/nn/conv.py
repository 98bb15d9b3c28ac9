"""Convolutions and transposed convolutions in one, two and three dimensions."""

from .. import ops
from ..core.tape import no_grad
from ..core.wrong_call import LendsInit
from . import functional as F
from .layers import reset_uniform
from .module import Module
from .parameter import fresh
from .sizes import several

_MODES = ("zeros", "reflect", "replicate", "circular")


def _texts(values):
    """A set of strings as Python prints it; PyTorch's messages show one, in no fixed order."""
    return "{" + ", ".join(map(repr, values)) + "}"


class _ConvNd(Module):
    __constants__ = ["stride", "padding", "dilation", "groups", "padding_mode", "output_padding",
                     "in_channels", "out_channels", "kernel_size"]
    _ndim = 0

    def __init__(
        self, in_channels, out_channels, kernel_size, stride, padding, dilation, transposed,
        output_padding, groups, bias, padding_mode, device=None, dtype=None,
    ):
        super().__init__()
        _check_groups(groups, in_channels, out_channels)
        _check_padding(padding, padding_mode, stride)
        self.in_channels, self.out_channels = in_channels, out_channels
        self.kernel_size, self.stride = kernel_size, stride
        self.padding, self.dilation = padding, dilation
        self.transposed, self.output_padding = transposed, output_padding
        self.groups, self.padding_mode = groups, padding_mode
        self._reversed_padding_repeated_twice = _pad_argument(padding, kernel_size, dilation)
        self.weight = fresh((*self._channels(), *kernel_size), device, dtype)
        self.register_parameter("bias", fresh(out_channels, device, dtype, bias))
        self.reset_parameters()

    def _channels(self):
        if self.transposed:
            return self.in_channels, self.out_channels // self.groups
        return self.out_channels, self.in_channels // self.groups

    def reset_parameters(self):
        """Draws new values, in row-major order however the weight lies in memory."""
        with no_grad():
            if self.weight.is_contiguous():
                reset_uniform(self.weight, self.bias)
            else:
                drawn = ops.empty(self.weight.shape, dtype=self.weight.dtype,
                                  device=self.weight.device)
                reset_uniform(drawn, self.bias)
                self.weight.copy_(drawn)

    def extra_repr(self):
        usual = {"padding": (0,) * len(self.padding), "dilation": (1,) * len(self.dilation),
                 "output_padding": (0,) * len(self.output_padding),
                 "groups": 1, "padding_mode": "zeros"}
        parts = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
                 f"stride={self.stride}"]
        for name, value in usual.items():
            if name == "padding_mode" and self.bias is None:
                parts.append("bias=False")
            if getattr(self, name) != value:
                parts.append(f"{name}={getattr(self, name)}")
        return ", ".join(parts)

    def __setstate__(self, state):
        super().__setstate__(state)
        self.__dict__.setdefault("padding_mode", "zeros")


def _check_groups(groups, in_channels, out_channels):
    if groups <= 0:
        raise ValueError("groups must be a positive integer")
    if in_channels % groups != 0:
        raise ValueError("in_channels must be divisible by groups")
    if out_channels % groups != 0:
        raise ValueError("out_channels must be divisible by groups")


def _check_padding(padding, mode, stride):
    if isinstance(padding, str):
        if padding not in ("same", "valid"):
            raise ValueError(
                f"Invalid padding string {padding!r}, should be one of "
                f"{_texts(('valid', 'same'))}"
            )
        if padding == "same" and any(s != 1 for s in stride):
            raise ValueError("padding='same' is not supported for strided convolutions")
    if mode not in _MODES:
        raise ValueError(
            f"padding_mode must be one of {_texts(_MODES)}, but got padding_mode='{mode}'"
        )


def _pad_argument(padding, kernel_size, dilation):
    """What F.pad needs to pad like this: (before, after) from the last dimension to the first."""
    if not isinstance(padding, str):
        return tuple(p for p in reversed(padding) for _ in range(2))
    if padding == "valid":
        return [0, 0] * len(kernel_size)
    totals = [d * (k - 1) for d, k in zip(reversed(dilation), reversed(kernel_size))]
    return [side for total in totals for side in (total // 2, total - total // 2)]


class _Conv(LendsInit, _ConvNd):
    def __init__(
        self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1,
        bias=True, padding_mode="zeros", device=None, dtype=None,
    ):
        n = self._ndim
        padding = padding if isinstance(padding, str) else several(n, padding)
        super().__init__(
            in_channels, out_channels, several(n, kernel_size), several(n, stride), padding,
            several(n, dilation), False, (0,) * n, groups, bias, padding_mode, device, dtype,
        )

    def _conv_forward(self, input, weight, bias):
        padding = self.padding
        if self.padding_mode != "zeros":
            pads = self._reversed_padding_repeated_twice
            input, padding = F.pad(input, pads, mode=self.padding_mode), (0,) * self._ndim
        convolve = _CONVOLVE[self._ndim]
        return convolve(input, weight, bias, self.stride, padding, self.dilation, self.groups)

    def forward(self, input):
        return self._conv_forward(input, self.weight, self.bias)


class Conv1d(_Conv):
    """Convolves sequences (N, C, L) with learned kernels."""

    _ndim = 1


class Conv2d(_Conv):
    """Convolves images (N, C, H, W) with learned kernels."""

    _ndim = 2


class Conv3d(_Conv):
    """Convolves volumes (N, C, D, H, W) with learned kernels."""

    _ndim = 3


class _ConvTransposeNd(LendsInit, _ConvNd):
    def __init__(
        self, in_channels, out_channels, kernel_size, stride=1, padding=0, output_padding=0,
        groups=1, bias=True, dilation=1, padding_mode="zeros", device=None, dtype=None,
    ):
        n = self._ndim
        if padding_mode != "zeros":
            raise ValueError(
                f'Only "zeros" padding mode is supported for {type(self).__name__}'
            )
        super().__init__(
            in_channels, out_channels, several(n, kernel_size), several(n, stride),
            several(n, padding), several(n, dilation), True, several(n, output_padding), groups,
            bias, padding_mode, device, dtype,
        )

    def forward(self, input, output_size=None):
        if self.padding_mode != "zeros":
            raise ValueError(
                f"Only `zeros` padding mode is supported for ConvTranspose{self._ndim}d"
            )
        output_padding = self._output_padding(input, output_size)
        return _TRANSPOSED[self._ndim](
            input, self.weight, self.bias, self.stride, self.padding, output_padding,
            self.groups, self.dilation,
        )

    def _output_padding(self, input, output_size):
        """What to add at the end so that the result has `output_size`."""
        if output_size is None:
            return self.output_padding
        n = self._ndim
        lead = 2 if input.dim() == n + 2 else 1
        if len(output_size) == lead + n:
            output_size = output_size[lead:]
        if len(output_size) != n:
            raise ValueError(
                f"ConvTranspose{n}D: for {input.dim()}D input, output_size must have {n} or "
                f"{lead + n} elements (got {len(output_size)})"
            )
        low = [
            (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + 1
            for size, stride, padding, dilation, kernel in zip(
                input.shape[lead:], self.stride, self.padding, self.dilation, self.kernel_size
            )
        ]
        high = [size + stride - 1 for size, stride in zip(low, self.stride)]
        for size, least, most in zip(output_size, low, high):
            if not least <= size <= most:
                raise ValueError(
                    f"requested an output size of {output_size}, but valid sizes range from "
                    f"{low} to {high} (for an input of {input.size()[2:]})"
                )
        return [size - least for size, least in zip(output_size, low)]


class ConvTranspose1d(_ConvTransposeNd):
    """The gradient of Conv1d as a layer: spreads every step over several."""

    _ndim = 1


class ConvTranspose2d(_ConvTransposeNd):
    """The gradient of Conv2d as a layer: spreads every pixel over several."""

    _ndim = 2


class ConvTranspose3d(_ConvTransposeNd):
    """The gradient of Conv3d as a layer: spreads every voxel over several."""

    _ndim = 3


_CONVOLVE = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
_TRANSPOSED = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
