"""Padding, resampling, and the layers that move pixels between dimensions."""

from ..core.wrong_call import LendsInit
from . import functional as F
from .layers import Described
from .sizes import several


# ----- padding -----
class _Pad(LendsInit, Described):
    __constants__ = ["padding"]
    _text = "{padding}"
    _ndim, _mode = 0, ""

    def __init__(self, padding):
        super().__init__()
        self.padding = several(2 * self._ndim, padding)

    def forward(self, input):
        return F.pad(input, self.padding, self._mode)


class _CircularPadNd(_Pad):
    _mode = "circular"

    def forward(self, input):
        self._check_input_dim(input)
        return super().forward(input)

    def _check_input_dim(self, input):
        low = self._ndim + 1
        if input.dim() not in (low, low + 1):
            raise ValueError(
                f"expected {low}D or {low + 1}D input (got {input.dim()}D input)"
            )


class _ConstantPadNd(_Pad):
    __constants__ = ["padding", "value"]
    _text = "padding={padding}, value={value}"

    def __init__(self, padding, value):
        super().__init__(padding)
        self.value = value

    def forward(self, input):
        return F.pad(input, self.padding, "constant", self.value)


class _ReflectionPadNd(_Pad):
    _mode = "reflect"


class _ReplicationPadNd(_Pad):
    _mode = "replicate"


class CircularPad1d(_CircularPadNd):
    """Pads sequences with their other end."""

    _ndim = 1


class CircularPad2d(_CircularPadNd):
    """Pads images with their other end."""

    _ndim = 2


class CircularPad3d(_CircularPadNd):
    """Pads volumes with their other end."""

    _ndim = 3


class ConstantPad1d(_ConstantPadNd):
    """Pads sequences with a number."""

    _ndim = 1


class ConstantPad2d(_ConstantPadNd):
    """Pads images with a number."""

    _ndim = 2


class ConstantPad3d(_ConstantPadNd):
    """Pads volumes with a number."""

    _ndim = 3


class ReflectionPad1d(_ReflectionPadNd):
    """Pads sequences with their mirror image."""

    _ndim = 1


class ReflectionPad2d(_ReflectionPadNd):
    """Pads images with their mirror image."""

    _ndim = 2


class ReflectionPad3d(_ReflectionPadNd):
    """Pads volumes with their mirror image."""

    _ndim = 3


class ReplicationPad1d(_ReplicationPadNd):
    """Pads sequences with their edge."""

    _ndim = 1


class ReplicationPad2d(_ReplicationPadNd):
    """Pads images with their edge."""

    _ndim = 2


class ReplicationPad3d(_ReplicationPadNd):
    """Pads volumes with their edge."""

    _ndim = 3


class _ZeroPad(LendsInit):
    _text = "{padding}"

    def __init__(self, padding):
        super().__init__(padding, 0.0)


class ZeroPad1d(_ZeroPad, ConstantPad1d):
    """Pads sequences with zeros."""


class ZeroPad2d(_ZeroPad, ConstantPad2d):
    """Pads images with zeros."""


class ZeroPad3d(_ZeroPad, ConstantPad3d):
    """Pads volumes with zeros."""


# ----- resampling -----
class Upsample(Described):
    """Resamples to a size, or by a factor."""

    __constants__ = ["size", "scale_factor", "mode", "align_corners", "name",
                     "recompute_scale_factor"]

    def __init__(
        self, size=None, scale_factor=None, mode="nearest", align_corners=None,
        recompute_scale_factor=None,
    ):
        super().__init__()
        self.name = type(self).__name__
        self.size, self.mode, self.align_corners = size, mode, align_corners
        self.recompute_scale_factor = recompute_scale_factor
        if isinstance(scale_factor, tuple):
            self.scale_factor = tuple(map(float, scale_factor))
        else:
            self.scale_factor = float(scale_factor) if scale_factor else None

    def forward(self, input):
        return F.interpolate(
            input, self.size, self.scale_factor, self.mode, self.align_corners,
            recompute_scale_factor=self.recompute_scale_factor,
        )

    def extra_repr(self):
        given = "size" if self.scale_factor is None else "scale_factor"
        return f"{given}={getattr(self, given)!r}, mode={self.mode!r}"

    def __setstate__(self, state):
        super().__setstate__({"recompute_scale_factor": True} | state)


class UpsamplingNearest2d(Upsample):
    """Resamples images by copying the nearest pixel."""

    def __init__(self, size=None, scale_factor=None):
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """Resamples images bilinearly, corners aligned."""

    def __init__(self, size=None, scale_factor=None):
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)


# ----- moving pixels -----
class PixelShuffle(Described):
    """(C r², H, W) to (C, H r, W r)."""

    __constants__ = ["upscale_factor"]
    _text = "upscale_factor={upscale_factor}"

    def __init__(self, upscale_factor):
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input):
        return F.pixel_shuffle(input, self.upscale_factor)


class PixelUnshuffle(Described):
    """(C, H r, W r) to (C r², H, W)."""

    __constants__ = ["downscale_factor"]
    _text = "downscale_factor={downscale_factor}"

    def __init__(self, downscale_factor):
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input):
        return F.pixel_unshuffle(input, self.downscale_factor)


class ChannelShuffle(Described):
    """Interleaves groups of channels."""

    __constants__ = ["groups"]
    _text = "groups={groups}"

    def __init__(self, groups):
        super().__init__()
        self.groups = groups

    def forward(self, input):
        return F.channel_shuffle(input, self.groups)


class Unfold(Described):
    """Image patches as columns."""

    __constants__ = ["kernel_size", "dilation", "padding", "stride"]
    _text = ("kernel_size={kernel_size}, dilation={dilation}, padding={padding}, "
             "stride={stride}")

    def __init__(self, kernel_size, dilation=1, padding=0, stride=1):
        super().__init__()
        self.kernel_size, self.dilation = kernel_size, dilation
        self.padding, self.stride = padding, stride

    def forward(self, input):
        return F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)


class Fold(Described):
    """Columns back to an image; overlapping patches add up."""

    __constants__ = ["output_size", "kernel_size", "dilation", "padding", "stride"]
    _text = "output_size={output_size}, " + Unfold._text

    def __init__(self, output_size, kernel_size, dilation=1, padding=0, stride=1):
        super().__init__()
        self.output_size, self.kernel_size, self.dilation = output_size, kernel_size, dilation
        self.padding, self.stride = padding, stride

    def forward(self, input):
        return F.fold(
            input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride
        )
