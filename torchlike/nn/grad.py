"""`torch.nn.grad`: the gradients of convolutions, as functions of their own."""

from ..ops.conv import input_gradient, weight_gradient
from .sizes import _pair, _single, _triple


def conv1d_input(input_size, weight, grad_output, stride=1, padding=0, dilation=1, groups=1):
    """The gradient of `conv1d` for an input of this size."""
    settings = _single(stride), _single(padding), _single(dilation)
    return input_gradient(input_size, weight, grad_output, *settings, groups)


def conv1d_weight(input, weight_size, grad_output, stride=1, padding=0, dilation=1, groups=1):
    """The gradient of `conv1d` for a weight of this size."""
    settings = _single(stride), _single(padding), _single(dilation)
    return weight_gradient(input, weight_size, grad_output, *settings, groups)


def conv2d_input(input_size, weight, grad_output, stride=1, padding=0, dilation=1, groups=1):
    """The gradient of `conv2d` for an input of this size."""
    settings = _pair(stride), _pair(padding), _pair(dilation)
    return input_gradient(input_size, weight, grad_output, *settings, groups)


def conv2d_weight(input, weight_size, grad_output, stride=1, padding=0, dilation=1, groups=1):
    """The gradient of `conv2d` for a weight of this size."""
    settings = _pair(stride), _pair(padding), _pair(dilation)
    return weight_gradient(input, weight_size, grad_output, *settings, groups)


def conv3d_input(input_size, weight, grad_output, stride=1, padding=0, dilation=1, groups=1):
    """The gradient of `conv3d` for an input of this size."""
    settings = _triple(stride), _triple(padding), _triple(dilation)
    return input_gradient(input_size, weight, grad_output, *settings, groups)


def conv3d_weight(input, weight_size, grad_output, stride=1, padding=0, dilation=1, groups=1):
    """The gradient of `conv3d` for a weight of this size."""
    settings = _triple(stride), _triple(padding), _triple(dilation)
    return weight_gradient(input, weight_size, grad_output, *settings, groups)
