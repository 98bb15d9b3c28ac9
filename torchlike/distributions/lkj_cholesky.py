"""The LKJ distribution of Cholesky factors of correlation matrices."""

import math

from .. import ops
from ..core.dtypes import finfo
from ..core.storage import Size
from . import constraints
from .beta import Beta
from .distribution import Distribution
from .utils import broadcast_all


class LKJCholesky(Distribution):
    """Density det(correlation)^(concentration - 1) (Lewandowski et al., 2009), by the onion."""

    arg_constraints = {"concentration": constraints.positive}
    support = constraints.corr_cholesky

    def __init__(self, dim, concentration=1.0, validate_args=None):
        if dim < 2:
            raise ValueError(
                f"Expected dim to be an integer greater than or equal to 2. Found dim={dim}."
            )
        self.dim = dim
        (self.concentration,) = broadcast_all(concentration)
        a = self.concentration
        rows = ops.arange(dim - 1, dtype=a.dtype, device=a.device)
        rows = ops.cat([rows.new_zeros((1,)), rows])
        marginal = a + 0.5 * (dim - 2)
        self._beta = Beta(rows + 0.5, marginal.unsqueeze(-1) - 0.5 * rows)
        super().__init__(a.size(), Size((dim, dim)), validate_args)

    def expand(self, batch_shape, _instance=None):
        new = self._expanded(LKJCholesky, batch_shape, _instance, kept=["dim"])
        new._beta = self._beta.expand(Size(batch_shape) + (self.dim,))
        return new

    def sample(self, sample_shape=Size()):  # noqa: B008
        # each row is a direction on a sphere, its length drawn from a beta
        length = self._beta.sample(sample_shape).unsqueeze(-1)
        shape = self._extended_shape(sample_shape)
        normal = ops.randn(shape, dtype=length.dtype, device=length.device).tril(-1)
        direction = normal / normal.norm(dim=-1, keepdim=True)
        direction[..., 0, :].fill_(0.0)  # 0 / 0 in the first row
        w = ops.sqrt(length) * direction
        rest = ops.clamp(1 - ops.sum(w**2, dim=-1), min=finfo(w.dtype).tiny)
        w += ops.diag_embed(rest.sqrt())
        return w

    def log_prob(self, value):
        self._check(value)
        diagonal = value.diagonal(dim1=-1, dim2=-2)[..., 1:]
        order = ops.arange(2, self.dim + 1, device=self.concentration.device)
        order = 2 * (self.concentration - 1).unsqueeze(-1) + self.dim - order
        log_pdf = ops.sum(order * diagonal.log(), dim=-1)
        less = self.dim - 1
        alpha = self.concentration + 0.5 * less
        bottom = ops.lgamma(alpha) * less
        normalizer = 0.5 * less * math.log(math.pi) + ops.mvlgamma(alpha - 0.5, less) - bottom
        return log_pdf - normalizer
