"""The continuous Bernoulli distribution (Loaiza-Ganem and Cunningham, 2019)."""

import math

from .. import ops, special
from ..core.storage import Size
from ..core.tape import no_grad
from ..nn import functional as F
from . import constraints
from .exp_family import ExponentialFamily
from .utils import ProbsOrLogits, broadcast_all, clamp_probs, lazy_property, logits_to_probs


class ContinuousBernoulli(ProbsOrLogits, ExponentialFamily):
    """On [0, 1], by `probs` or `logits`; between `lims` a Taylor series stands for 0/0."""

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.unit_interval
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(self, probs=None, logits=None, lims=(0.499, 0.501), validate_args=None):
        self._hold(probs, logits)
        if probs is not None:
            if validate_args is not None:
                if not self.arg_constraints["probs"].check(self.probs).all():
                    raise ValueError("The parameter probs has invalid values")
            self.probs = self._param = clamp_probs(self.probs)
        self._lims = lims
        super().__init__(self._param.size(), validate_args=validate_args)

    def expand(self, batch_shape, _instance=None):
        return self._expanded(ContinuousBernoulli, batch_shape, _instance, kept=["_lims"])

    @lazy_property
    def probs(self):
        return clamp_probs(logits_to_probs(self.logits, is_binary=True))

    def _outside(self, x, shift=0.0):
        low, high = self._lims
        return ops.max(ops.le(x, low - shift), ops.gt(x, high - shift))

    def _outside_unstable_region(self):
        return self._outside(self.probs)

    def _cut_probs(self):
        low = self._lims[0] * ops.ones_like(self.probs)
        return ops.where(self._outside_unstable_region(), self.probs, low)

    def _cont_bern_log_norm(self):
        """log of the normalising constant."""
        cut = self._cut_probs()
        below = ops.where(ops.le(cut, 0.5), cut, ops.zeros_like(cut))
        above = ops.where(ops.ge(cut, 0.5), cut, ops.ones_like(cut))
        side = ops.where(
            ops.le(cut, 0.5), ops.log1p(-2.0 * below), ops.log(2.0 * above - 1.0)
        )
        exact = ops.log(ops.abs(ops.log1p(-cut) - ops.log(cut))) - side
        x = ops.pow(self.probs - 0.5, 2)
        taylor = math.log(2.0) + (4.0 / 3.0 + 104.0 / 45.0 * x) * x
        return ops.where(self._outside_unstable_region(), exact, taylor)

    @property
    def mean(self):
        cut = self._cut_probs()
        exact = cut / (2.0 * cut - 1.0) + 1.0 / (ops.log1p(-cut) - ops.log(cut))
        x = self.probs - 0.5
        taylor = 0.5 + (1.0 / 3.0 + 16.0 / 45.0 * ops.pow(x, 2)) * x
        return ops.where(self._outside_unstable_region(), exact, taylor)

    @property
    def variance(self):
        cut = self._cut_probs()
        odds = ops.pow(ops.log1p(-cut) - ops.log(cut), 2)
        exact = cut * (cut - 1.0) / ops.pow(1.0 - 2.0 * cut, 2) + 1.0 / odds
        x = ops.pow(self.probs - 0.5, 2)
        taylor = 1.0 / 12.0 - (1.0 / 15.0 - 128.0 / 945.0 * x) * x
        return ops.where(self._outside_unstable_region(), exact, taylor)

    @property
    def stddev(self):
        return ops.sqrt(self.variance)

    def sample(self, sample_shape=Size()):  # noqa: B008
        with no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape=Size()):  # noqa: B008
        shape = self._extended_shape(sample_shape)
        return self.icdf(ops.rand(shape, dtype=self.probs.dtype, device=self.probs.device))

    def log_prob(self, value):
        self._check(value)
        logits, value = broadcast_all(self.logits, value)
        cross = F.binary_cross_entropy_with_logits(logits, value, reduction="none")
        return -cross + self._cont_bern_log_norm()

    def cdf(self, value):
        self._check(value)
        cut = self._cut_probs()
        powers = ops.pow(cut, value) * ops.pow(1.0 - cut, 1.0 - value)
        exact = (powers + cut - 1.0) / (2.0 * cut - 1.0)
        inside = ops.where(self._outside_unstable_region(), exact, value)
        inside = ops.where(ops.ge(value, 1.0), ops.ones_like(value), inside)
        return ops.where(ops.le(value, 0.0), ops.zeros_like(value), inside)

    def icdf(self, value):
        cut = self._cut_probs()
        rest = ops.log1p(-cut)
        moved = ops.log1p(-cut + value * (2.0 * cut - 1.0)) - rest
        return ops.where(self._outside_unstable_region(), moved / (ops.log(cut) - rest), value)

    def entropy(self):
        tails, heads = ops.log1p(-self.probs), ops.log(self.probs)
        return self.mean * (tails - heads) - self._cont_bern_log_norm() - tails

    @property
    def _natural_params(self):
        return (self.logits,)

    def _log_normalizer(self, x):
        outside = self._outside(x, 0.5)
        cut = ops.where(outside, x, (self._lims[0] - 0.5) * ops.ones_like(x))
        exact = ops.log(ops.abs(special.expm1(cut))) - ops.log(ops.abs(cut))
        taylor = 0.5 * x + ops.pow(x, 2) / 24.0 - ops.pow(x, 4) / 2880.0
        return ops.where(outside, exact, taylor)
