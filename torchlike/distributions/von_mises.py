"""The von Mises distribution: a normal distribution on the circle."""

import functools
import math

from .. import ops
from ..core.dtypes import bool_, float64
from ..core.storage import Size
from ..core.tape import no_grad
from . import constraints
from .distribution import Distribution
from .utils import broadcast_all, lazy_property

# Polynomials of the modified Bessel functions I0 and I1 (Abramowitz & Stegun 9.8.1 to 9.8.4),
# below 3.75 in (x / 3.75)², above it in 3.75 / x; highest power last.
_SMALL = [
    [1.0, 3.5156229, 3.0899424, 1.2067492, 0.2659732, 0.360768e-1, 0.45813e-2],
    [0.5, 0.87890594, 0.51498869, 0.15084934, 0.2658733e-1, 0.301532e-2, 0.32411e-3],
]
_LARGE = [
    [0.39894228, 0.1328592e-1, 0.225319e-2, -0.157565e-2, 0.916281e-2,
     -0.2057706e-1, 0.2635537e-1, -0.1647633e-1, 0.392377e-2],
    [0.39894228, -0.3988024e-1, -0.362018e-2, 0.163801e-2, -0.1031555e-1,
     0.2282967e-1, -0.2895312e-1, 0.1787654e-1, -0.420059e-2],
]  # fmt: skip


def _polynomial(x, coefficients):
    return functools.reduce(lambda total, c: c + x * total, reversed(coefficients))


def _log_modified_bessel_fn(x, order=0):
    """log I0(x) or log I1(x), for positive x."""
    if order not in (0, 1):
        raise AssertionError(f"order must be 0 or 1, got {order}")
    y = x / 3.75
    small = _polynomial(y * y, _SMALL[order])
    if order == 1:
        small = x.abs() * small
    large = x - 0.5 * x.log() + _polynomial(3.75 / x, _LARGE[order]).log()
    return ops.where(x < 3.75, small.log(), large)


class VonMises(Distribution):
    """By mean angle and concentration."""

    arg_constraints = {"loc": constraints.real, "concentration": constraints.positive}
    support = constraints.real
    has_rsample = False

    def __init__(self, loc, concentration, validate_args=None):
        self.loc, self.concentration = broadcast_all(loc, concentration)
        super().__init__(self.loc.shape, Size(), validate_args)

    def expand(self, batch_shape, _instance=None):
        loc, concentration = self.loc.expand(batch_shape), self.concentration.expand(batch_shape)
        chosen = self.__dict__.get("_validate_args")
        return type(self)(loc, concentration, validate_args=chosen)

    @property
    def mean(self):
        return self.loc

    @property
    def mode(self):
        return self.loc

    @lazy_property
    def variance(self):
        """One minus the length of the mean vector."""
        first = _log_modified_bessel_fn(self.concentration, order=1)
        return 1 - (first - _log_modified_bessel_fn(self.concentration, order=0)).exp()

    def log_prob(self, value):
        self._check(value)
        angle = self.concentration * ops.cos(value - self.loc)
        scale = _log_modified_bessel_fn(self.concentration, order=0)
        return angle - math.log(2 * math.pi) - scale

    @lazy_property
    def _loc(self):
        return self.loc.to(float64)

    @lazy_property
    def _concentration(self):
        return self.concentration.to(float64)

    @lazy_property
    def _proposal_r(self):
        """The wrapped Cauchy that proposals come from (Best and Fisher, 1979)."""
        kappa = self._concentration
        tau = 1 + (1 + 4 * kappa**2).sqrt()
        rho = (tau - (2 * tau).sqrt()) / (2 * kappa)
        return ops.where(kappa < 1e-5, 1 / kappa + kappa, (1 + rho**2) / (2 * rho))

    @no_grad()
    def sample(self, sample_shape=Size()):  # noqa: B008
        """By rejection, in float64: single precision hangs at large concentrations."""
        shape = self._extended_shape(sample_shape)
        x = ops.empty(shape, dtype=self._loc.dtype, device=self.loc.device)
        done = ops.zeros(shape, dtype=bool_, device=self.loc.device)
        r = self._proposal_r
        while not done.all():
            u1, u2, u3 = ops.rand((3, *shape), dtype=x.dtype, device=x.device).unbind()
            z = ops.cos(math.pi * u1)
            f = (1 + r * z) / (r + z)
            c = self._concentration * (r - f)
            accept = ((c * (2 - c) - u2) > 0) | ((c / u2).log() + 1 - c >= 0)
            x = ops.where(accept, (u3 - 0.5).sign() * f.acos(), x)
            done = done | accept
        return ((x + math.pi + self._loc) % (2 * math.pi) - math.pi).to(self.loc.dtype)
