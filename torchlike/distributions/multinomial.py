"""The multinomial distribution."""

import math

from .. import ops
from ..core.layouts import contiguous_format
from ..core.storage import Size
from . import constraints
from .binomial import Binomial
from .categorical import Categorical
from .distribution import Distribution
from .one_hot_categorical import OverCategorical
from .utils import broadcast_all


class Multinomial(OverCategorical, Distribution):
    """How often each category comes up in `total_count` draws."""

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}

    def __init__(self, total_count=1, probs=None, logits=None, validate_args=None):
        if not isinstance(total_count, int):
            raise NotImplementedError("inhomogeneous total_count is not supported")
        self.total_count = total_count
        self._categorical = Categorical(probs=probs, logits=logits)
        self._binomial = Binomial(total_count=total_count, probs=self.probs)
        event_shape = self._categorical.param_shape[-1:]
        super().__init__(self._categorical.batch_shape, event_shape, validate_args=validate_args)

    def expand(self, batch_shape, _instance=None):
        nested, kept = ["_categorical"], ["total_count"]
        return self._expanded(Multinomial, batch_shape, _instance, nested, kept)

    @constraints.dependent_property(is_discrete=True, event_dim=1)
    def support(self):
        return constraints.multinomial(self.total_count)

    @property
    def mean(self):
        return self.probs * self.total_count

    @property
    def variance(self):
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape=Size()):  # noqa: B008
        sample_shape = Size(sample_shape)
        drawn = self._categorical.sample(Size((self.total_count,)) + sample_shape)
        drawn = drawn.permute(*range(1, drawn.dim()), 0)
        counts = drawn.new(self._extended_shape(sample_shape)).zero_()
        counts.scatter_add_(-1, drawn, ops.ones_like(drawn))
        return counts.type_as(self.probs)

    def entropy(self):
        n = ops.tensor(self.total_count)
        whole = n * self._categorical.entropy() - ops.lgamma(n + 1)
        counts = self._binomial.enumerate_support(expand=False)[1:]
        chances = ops.exp(self._binomial.log_prob(counts))
        return whole + (chances * ops.lgamma(counts + 1)).sum([0, -1])

    def log_prob(self, value):
        self._check(value)
        logits, value = broadcast_all(self.logits, value)
        logits = logits.clone(memory_format=contiguous_format)
        orders = ops.lgamma(value.sum(-1) + 1)
        repeats = ops.lgamma(value + 1).sum(-1)
        logits[(value == 0) & (logits == -math.inf)] = 0  # 0 · -inf counts as 0
        return orders - repeats + (logits * value).sum(-1)
