"""The multivariate normal distribution."""

import math

from .. import linalg, ops
from ..core.storage import Size
from . import constraints
from .distribution import Distribution
from .transforms import broadcast
from .utils import _standard_normal, lazy_property


def _batch_mv(bmat, bvec):
    """Matrix times vector, batches broadcast."""
    return ops.matmul(bmat, bvec.unsqueeze(-1)).squeeze(-1)


def _batch_mahalanobis(bL, bx):
    """xᵀ (L Lᵀ)⁻¹ x. Where x's batch is larger than L's, one solve serves all its vectors."""
    n, batch = bx.size(-1), bx.shape[:-1]
    inner = bL.dim() - 2
    outer = len(batch) - inner
    # each of L's batch dims of x is split in (repeats, L's size); repeats move to the front
    shape = list(batch[:outer])
    for size, whole in zip(bL.shape[:-2], batch[outer:]):
        shape += [whole // size, size]
    repeats = list(range(outer, outer + 2 * inner, 2))
    own = [d + 1 for d in repeats]
    split = bx.reshape(*shape, n).permute(*range(outer), *repeats, *own, outer + 2 * inner)
    factors = bL.reshape(-1, n, n)
    columns = split.reshape(-1, factors.size(0), n).permute(1, 2, 0)
    squared = linalg.solve_triangular(factors, columns, upper=False).pow(2).sum(-2)
    squared = squared.t().reshape(split.shape[:-1])
    back = list(range(outer))
    for i in range(inner):
        back += [outer + i, outer + inner + i]
    return squared.permute(back).reshape(batch)


def _precision_to_scale_tril(P):
    """The Cholesky factor of P⁻¹ (the reversed factor of the reversed matrix)."""
    reverse = linalg.cholesky(ops.flip(P, (-2, -1)))
    inverse = ops.transpose(ops.flip(reverse, (-2, -1)), -2, -1)
    identity = ops.eye(P.shape[-1], dtype=P.dtype, device=P.device)
    return linalg.solve_triangular(inverse, identity, upper=False)


def half_log_det(factor):
    return factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)


class MultivariateNormal(Distribution):
    """By mean and one of covariance, precision and the covariance's Cholesky factor."""

    arg_constraints = {
        "loc": constraints.real_vector,
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self, loc, covariance_matrix=None, precision_matrix=None, scale_tril=None,
        validate_args=None,
    ):  # fmt: skip
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        given = {
            "scale_tril": scale_tril,
            "covariance_matrix": covariance_matrix,
            "precision_matrix": precision_matrix,
        }
        given = {name: matrix for name, matrix in given.items() if matrix is not None}
        if len(given) != 1:
            raise ValueError(
                "Exactly one of covariance_matrix or precision_matrix or scale_tril may be "
                "specified."
            )
        ((name, matrix),) = given.items()
        if matrix.dim() < 2:
            shown = "scale_tril matrix" if name == "scale_tril" else name
            raise ValueError(
                f"{shown} must be at least two-dimensional, with optional leading batch dimensions"
            )
        batch_shape = broadcast(matrix.shape[:-2], loc[..., 0])
        setattr(self, name, matrix.expand(batch_shape + (-1, -1)))
        self.loc = loc.expand(batch_shape + (-1,))
        super().__init__(batch_shape, self.loc.shape[-1:], validate_args=validate_args)
        self._unbroadcasted_scale_tril = _FACTOR[name](matrix)

    def expand(self, batch_shape, _instance=None):
        kept = ["_unbroadcasted_scale_tril"]
        return self._expanded(MultivariateNormal, batch_shape, _instance, kept=kept)

    def _as_matrix(self, value):
        return value.expand(self._batch_shape + self._event_shape + self._event_shape)

    @lazy_property
    def scale_tril(self):
        return self._as_matrix(self._unbroadcasted_scale_tril)

    @lazy_property
    def covariance_matrix(self):
        factor = self._unbroadcasted_scale_tril
        return self._as_matrix(ops.matmul(factor, factor.mT))

    @lazy_property
    def precision_matrix(self):
        return self._as_matrix(ops.cholesky_inverse(self._unbroadcasted_scale_tril))

    @property
    def mean(self):
        return self.loc

    @property
    def mode(self):
        return self.loc

    @property
    def variance(self):
        square = self._unbroadcasted_scale_tril.pow(2).sum(-1)
        return square.expand(self._batch_shape + self._event_shape)

    def rsample(self, sample_shape=Size()):  # noqa: B008
        shape = self._extended_shape(sample_shape)
        noise = _standard_normal(shape, dtype=self.loc.dtype, device=self.loc.device)
        return self.loc + _batch_mv(self._unbroadcasted_scale_tril, noise)

    def log_prob(self, value):
        self._check(value)
        distance = _batch_mahalanobis(self._unbroadcasted_scale_tril, value - self.loc)
        half = half_log_det(self._unbroadcasted_scale_tril)
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + distance) - half

    def entropy(self):
        half = half_log_det(self._unbroadcasted_scale_tril)
        result = 0.5 * self._event_shape[0] * (1.0 + math.log(2 * math.pi)) + half
        return result.expand(self._batch_shape) if self._batch_shape else result


_FACTOR = {
    "scale_tril": lambda matrix: matrix,
    "covariance_matrix": linalg.cholesky,
    "precision_matrix": _precision_to_scale_tril,
}
