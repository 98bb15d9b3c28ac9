"""The half-Cauchy distribution."""

import math

from .. import ops
from .cauchy import Cauchy
from .half_normal import Folded
from .transforms import AbsTransform
from .utils import filled


class HalfCauchy(Folded):
    """|x| of a centred Cauchy variable."""

    def __init__(self, scale, validate_args=None):
        base = Cauchy(0, scale, validate_args=False)
        super().__init__(base, AbsTransform(), validate_args=validate_args)

    def expand(self, batch_shape, _instance=None):
        new = self._get_checked_instance(HalfCauchy, _instance)
        return super().expand(batch_shape, _instance=new)

    @property
    def mean(self):
        return filled(self, self.scale, math.inf)

    @property
    def variance(self):
        return self.base_dist.variance

    def log_prob(self, value):
        self._check(value)
        return super().log_prob(
            ops.as_tensor(value, dtype=self.scale.dtype, device=self.scale.device)
        )
