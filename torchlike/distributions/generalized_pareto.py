"""The generalised Pareto distribution."""

import math

from .. import ops
from ..core.storage import Size
from . import constraints
from .distribution import Distribution
from .utils import broadcast_all


class GeneralizedPareto(Distribution):
    """By location, scale and concentration (the tail's index; 0 is an exponential)."""

    arg_constraints = {
        "loc": constraints.real,
        "scale": constraints.positive,
        "concentration": constraints.real,
    }
    has_rsample = True

    def __init__(self, loc, scale, concentration, validate_args=None):
        self.loc, self.scale, self.concentration = broadcast_all(loc, scale, concentration)
        super().__init__(self.loc.size(), validate_args=validate_args)

    def expand(self, batch_shape, _instance=None):
        return self._expanded(GeneralizedPareto, batch_shape, _instance)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self):
        end = self.loc - self.scale / self.concentration
        return constraints.interval(
            self.loc, ops.where(self.concentration < 0, end, math.inf)
        )

    def _safe(self):
        """Where the concentration is 0, and the concentration with 1 there."""
        a = self.concentration
        zero = ops.isclose(a, ops.zeros_like(a))
        return zero, ops.where(zero, ops.ones_like(a), a)

    def _z(self, x):
        return (x - self.loc) / self.scale

    def rsample(self, sample_shape=Size()):  # noqa: B008
        shape = self._extended_shape(sample_shape)
        return self.icdf(ops.rand(shape, dtype=self.loc.dtype, device=self.loc.device))

    def log_prob(self, value):
        self._check(value)
        z = self._z(value)
        zero, safe = self._safe()
        power = 1 / safe + ops.ones_like(z)
        tail = ops.where(power == 0, power, power * ops.log1p(safe * z))
        return -self.scale.log() - ops.where(zero, z, tail)

    def log_survival_function(self, value):
        """log(1 - cdf)."""
        self._check(value)
        z = self._z(value)
        zero, safe = self._safe()
        return ops.where(zero, -z, -ops.log1p(safe * z) / safe)

    def log_cdf(self, value):
        return ops.log1p(-ops.exp(self.log_survival_function(value)))

    def cdf(self, value):
        return ops.exp(self.log_cdf(value))

    def icdf(self, value):
        zero, safe = self._safe()
        log_rest = ops.log1p(-value)
        tail = self.loc + self.scale / safe * ops.expm1(-safe * log_rest)
        return ops.where(zero, self.loc - self.scale * log_rest, tail)

    @property
    def mean(self):
        valid = self.concentration < 1
        safe = ops.where(valid, self.concentration, 0.5)
        return ops.where(valid, self.loc + self.scale / (1 - safe), math.nan)

    @property
    def variance(self):
        valid = self.concentration < 0.5
        safe = ops.where(valid, self.concentration, 0.25)
        result = self.scale**2 / ((1 - safe) ** 2 * (1 - 2 * safe))
        return ops.where(valid, result, math.nan)

    @property
    def mode(self):
        return self.loc

    def entropy(self):
        total = ops.log(self.scale) + self.concentration + 1
        return ops.broadcast_to(total, self._batch_shape)
