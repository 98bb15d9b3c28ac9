"""Weights of convolutions in another memory format."""

from ..conv import Conv2d, Conv3d, ConvTranspose2d, ConvTranspose3d


def convert_conv2d_weight_memory_format(module, memory_format):
    """Lay out the weights of all 2-d convolutions in `module`, in place."""
    return _convert(module, memory_format, (Conv2d, ConvTranspose2d))


def convert_conv3d_weight_memory_format(module, memory_format):
    """Lay out the weights of all 3-d convolutions in `module`, in place."""
    return _convert(module, memory_format, (Conv3d, ConvTranspose3d))


def _convert(module, memory_format, kinds):
    for one in module.modules():
        if isinstance(one, kinds):
            one.weight.data = one.weight.detach().contiguous(memory_format=memory_format)
    return module
