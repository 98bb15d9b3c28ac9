"""`torch.nn.grad`: the gradients of convolutions, as functions of their own."""

from ..ops.conv import input_gradient, weight_gradient
from .sizes import several


def _of_input(n):
    def gradient(input_size, weight, grad_output, stride=1, padding=0, dilation=1, groups=1):
        settings = (several(n, x) for x in (stride, padding, dilation))
        return input_gradient(input_size, weight, grad_output, *settings, groups)

    return _named(gradient, f"conv{n}d_input", n, "an input")


def _of_weight(n):
    def gradient(input, weight_size, grad_output, stride=1, padding=0, dilation=1, groups=1):
        settings = (several(n, x) for x in (stride, padding, dilation))
        return weight_gradient(input, weight_size, grad_output, *settings, groups)

    return _named(gradient, f"conv{n}d_weight", n, "a weight")


def _named(gradient, name, n, of):
    gradient.__name__ = gradient.__qualname__ = name
    gradient.__doc__ = (
        f"The gradient of `conv{n}d` for {of} of this size, as a tensor of that size.\n\n"
        "RuntimeError where `grad_output` has not the size of the convolution's result."
    )
    return gradient


conv1d_input, conv2d_input, conv3d_input = (_of_input(n) for n in (1, 2, 3))
conv1d_weight, conv2d_weight, conv3d_weight = (_of_weight(n) for n in (1, 2, 3))
