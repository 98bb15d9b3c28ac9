"""The binomial distribution."""

from .. import ops
from ..core.storage import Size
from ..core.tape import no_grad
from . import constraints
from .distribution import Distribution
from .utils import ProbsOrLogits, along_batch


def _clamp_by_zero(x):
    """max(x, 0), with half the gradient at 0."""
    return (x.clamp(min=0) + x - x.clamp(max=0)) / 2


class Binomial(ProbsOrLogits, Distribution):
    """How many of `total_count` trials succeed."""

    arg_constraints = {
        "total_count": constraints.nonnegative_integer,
        "probs": constraints.unit_interval,
        "logits": constraints.real,
    }
    has_enumerate_support = True

    def __init__(self, total_count=1, probs=None, logits=None, validate_args=None):
        self._hold(probs, logits, total_count)
        super().__init__(self._param.size(), validate_args=validate_args)

    def expand(self, batch_shape, _instance=None):
        return self._expanded(Binomial, batch_shape, _instance)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self):
        return constraints.integer_interval(0, self.total_count)

    @property
    def mean(self):
        return self.total_count * self.probs

    @property
    def mode(self):
        return ((self.total_count + 1) * self.probs).floor().clamp(max=self.total_count)

    @property
    def variance(self):
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape=Size()):  # noqa: B008
        shape = self._extended_shape(sample_shape)
        with no_grad():
            return ops.binomial(self.total_count.expand(shape), self.probs.expand(shape))

    def log_prob(self, value):
        self._check(value)
        n, logits = self.total_count, self.logits
        failures = ops.lgamma(n - value + 1)
        # log(1 + exp(logits)), which does not overflow
        normalizer = (
            n * _clamp_by_zero(logits)
            + n * ops.log1p(ops.exp(-ops.abs(logits)))
            - ops.lgamma(n + 1)
        )
        return value * logits - ops.lgamma(value + 1) - failures - normalizer

    def _one_count(self, function):
        total_count = int(self.total_count.max())
        if not self.total_count.min() == total_count:
            raise NotImplementedError(
                f"Inhomogeneous total count not supported by `{function}`."
            )
        return total_count

    def entropy(self):
        self._one_count("entropy")
        log_prob = self.log_prob(self.enumerate_support(False))
        return -(ops.exp(log_prob) * log_prob).sum(0)

    def enumerate_support(self, expand=True):
        count = 1 + self._one_count("enumerate_support")
        values = ops.arange(count, dtype=self._param.dtype, device=self._param.device)
        return along_batch(self, values, expand)
