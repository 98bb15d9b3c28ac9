"""Activations: those with nothing to set as a table, the others as small classes."""

import warnings

from .. import ops
from ..core.wrong_call import LendsInit
from . import functional as F
from . import init
from .layers import Described
from .module import Module
from .parameter import fresh


# ----- the table -----
def _plain(name, function, doc):
    """A module without settings around one function."""
    def forward(self, input):
        return function(input)

    forward.__qualname__ = f"{name}.forward"
    body = {"forward": forward, "__doc__": doc, "__module__": __name__}
    return type(name, (Module,), body)


Sigmoid = _plain("Sigmoid", ops.sigmoid, "1 / (1 + exp(-x)).")
Tanh = _plain("Tanh", ops.tanh, "The hyperbolic tangent.")
LogSigmoid = _plain("LogSigmoid", F.logsigmoid, "log(sigmoid(x)).")
Softsign = _plain("Softsign", F.softsign, "x / (1 + |x|).")
Tanhshrink = _plain("Tanhshrink", F.tanhshrink, "x - tanh(x).")


class _Activation(Described):
    """An activation that may work in place; its text says so only where it does."""

    def extra_repr(self):
        inplace = "inplace=True" if vars(self).get("inplace") else ""
        return ", ".join(part for part in (super().extra_repr(), inplace) if part)


class _InPlace(LendsInit, _Activation):
    """An activation with nothing to set but whether it works in place."""

    __constants__ = ["inplace"]

    def __init__(self, inplace=False):
        super().__init__()
        self.inplace = inplace


class ReLU(_InPlace):
    """max(x, 0)."""

    def forward(self, input):
        return F.relu(input, inplace=self.inplace)


class SiLU(_InPlace):
    """x * sigmoid(x)."""

    def forward(self, input):
        return F.silu(input, inplace=self.inplace)


class Mish(_InPlace):
    """x * tanh(softplus(x))."""

    def forward(self, input):
        return F.mish(input, inplace=self.inplace)


class SELU(_InPlace):
    """The self-normalizing exponential unit."""

    def forward(self, input):
        return F.selu(input, self.inplace)


class Hardsigmoid(_InPlace):
    """relu6(x + 3) / 6."""

    def forward(self, input):
        return F.hardsigmoid(input, self.inplace)

    def extra_repr(self):
        """Nothing, not even `inplace`, as in PyTorch."""
        return ""


class Hardswish(_InPlace):
    """x * relu6(x + 3) / 6."""

    def forward(self, input):
        return F.hardswish(input, self.inplace)

    def extra_repr(self):
        """Nothing, not even `inplace`, as in PyTorch."""
        return ""


# ----- with settings -----
class Threshold(_Activation):
    """x above a threshold, a fixed value elsewhere."""

    __constants__ = ["threshold", "value", "inplace"]
    _text = "threshold={threshold}, value={value}"

    def __init__(self, threshold, value, inplace=False):
        super().__init__()
        self.threshold, self.value, self.inplace = threshold, value, inplace

    def forward(self, input):
        return F.threshold(input, self.threshold, self.value, self.inplace)


class RReLU(_Activation):
    """A leaky ReLU with a random slope while training."""

    __constants__ = ["lower", "upper", "inplace"]
    _text = "lower={lower}, upper={upper}"

    def __init__(self, lower=1.0 / 8, upper=1.0 / 3, inplace=False):
        super().__init__()
        self.lower, self.upper, self.inplace = lower, upper, inplace

    def forward(self, input):
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)


class Hardtanh(_Activation):
    """x, cut to a range."""

    __constants__ = ["min_val", "max_val", "inplace"]
    _text = "min_val={min_val}, max_val={max_val}"

    def __init__(
        self, min_val=-1.0, max_val=1.0, inplace=False, min_value=None, max_value=None
    ):
        super().__init__()
        self.min_val = _renamed("min", min_val, min_value)
        self.max_val = _renamed("max", max_val, max_value)
        self.inplace = inplace
        if self.max_val <= self.min_val:
            raise AssertionError(
                f"max_val ({self.max_val}) must be greater than min_val ({self.min_val})"
            )

    def forward(self, input):
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)


def _renamed(end, new, old):
    if old is None:
        return new
    warnings.warn(
        f"keyword argument `{end}_value` is deprecated and renamed to `{end}_val`",
        FutureWarning,
        stacklevel=3,
    )
    return old


class ReLU6(Hardtanh):
    """min(max(x, 0), 6)."""

    _text = ""

    def __init__(self, inplace=False):
        super().__init__(0.0, 6.0, inplace)


class ELU(_Activation):
    """x where positive, alpha * (exp(x) - 1) elsewhere."""

    __constants__ = ["alpha", "inplace"]
    _text = "alpha={alpha}"

    def __init__(self, alpha=1.0, inplace=False):
        super().__init__()
        self.alpha, self.inplace = alpha, inplace

    def forward(self, input):
        return F.elu(input, self.alpha, self.inplace)


class CELU(_Activation):
    """x where positive, alpha * (exp(x / alpha) - 1) elsewhere."""

    __constants__ = ["alpha", "inplace"]
    _text = "alpha={alpha}"

    def __init__(self, alpha=1.0, inplace=False):
        super().__init__()
        self.alpha, self.inplace = alpha, inplace

    def forward(self, input):
        return F.celu(input, self.alpha, self.inplace)


class LeakyReLU(_Activation):
    """x where positive, slope * x elsewhere."""

    __constants__ = ["inplace", "negative_slope"]
    _text = "negative_slope={negative_slope}"

    def __init__(self, negative_slope=0.01, inplace=False):
        super().__init__()
        self.negative_slope, self.inplace = negative_slope, inplace

    def forward(self, input):
        return F.leaky_relu(input, self.negative_slope, self.inplace)


class PReLU(_Activation):
    """A leaky ReLU whose slope is learned, for all channels or each."""

    __constants__ = ["num_parameters"]
    _text = "num_parameters={num_parameters}"

    def __init__(self, num_parameters=1, init=0.25, device=None, dtype=None):
        super().__init__()
        self.num_parameters, self.init = num_parameters, init
        self.weight = fresh(num_parameters, device, dtype)
        self.reset_parameters()

    def reset_parameters(self):
        """Sets every slope to its initial value."""
        init.constant_(self.weight, self.init)

    def forward(self, input):
        return F.prelu(input, self.weight)


class GLU(_Activation):
    """The first half gated by the sigmoid of the second."""

    __constants__ = ["dim"]
    _text = "dim={dim}"

    def __init__(self, dim=-1):
        super().__init__()
        self.dim = dim

    def forward(self, input):
        return F.glu(input, self.dim)


class GELU(_Activation):
    """x times the normal distribution function at x, exact or by tanh."""

    __constants__ = ["approximate"]
    _text = "approximate={approximate!r}"

    def __init__(self, approximate="none"):
        super().__init__()
        self.approximate = approximate

    def forward(self, input):
        return F.gelu(input, approximate=self.approximate)


class Softplus(_Activation):
    """log(1 + exp(beta * x)) / beta; x itself beyond the threshold."""

    __constants__ = ["beta", "threshold"]
    _text = "beta={beta}, threshold={threshold}"

    def __init__(self, beta=1.0, threshold=20.0):
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def forward(self, input):
        return F.softplus(input, self.beta, self.threshold)


class Hardshrink(_Activation):
    """x where |x| > lambd, else 0."""

    __constants__ = ["lambd"]
    _text = "{lambd}"

    def __init__(self, lambd=0.5):
        super().__init__()
        self.lambd = lambd

    def forward(self, input):
        return F.hardshrink(input, self.lambd)


class Softshrink(_Activation):
    """x moved towards 0 by lambd."""

    __constants__ = ["lambd"]
    _text = "{lambd}"

    def __init__(self, lambd=0.5):
        super().__init__()
        self.lambd = lambd

    def forward(self, input):
        return F.softshrink(input, self.lambd)


# ----- softmax -----
class _OverDim(LendsInit, Described):
    __constants__ = ["dim"]
    _text = "dim={dim}"

    def __init__(self, dim=None):
        super().__init__()
        self.dim = dim

    def __setstate__(self, state):
        super().__setstate__(state)
        self.__dict__.setdefault("dim", None)


class Softmin(_OverDim):
    """softmax(-x)."""

    def forward(self, input):
        return F.softmin(input, self.dim, _stacklevel=5)


class Softmax(_OverDim):
    """exp(x), scaled to sum to one."""

    def forward(self, input):
        return F.softmax(input, self.dim, _stacklevel=5)


class LogSoftmax(_OverDim):
    """log(softmax(x))."""

    def forward(self, input):
        return F.log_softmax(input, self.dim, _stacklevel=5)


class Softmax2d(Module):
    """Softmax over the channels of images."""

    def forward(self, input):
        if input.dim() not in (3, 4):
            raise ValueError(
                f"Softmax2d: expected input to be 3D or 4D, got {input.dim()}D instead"
            )
        return F.softmax(input, -3, _stacklevel=5)
