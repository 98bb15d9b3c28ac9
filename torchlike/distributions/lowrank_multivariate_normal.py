"""The multivariate normal distribution whose covariance is low-rank plus diagonal."""

import math

from .. import linalg, ops
from ..core.storage import Size
from . import constraints
from .distribution import Distribution
from .multivariate_normal import _batch_mahalanobis, _batch_mv, half_log_det
from .utils import _standard_normal, lazy_property


def _add_identity(matrix):
    matrix = matrix.contiguous()
    n = matrix.size(-1)
    matrix.view(-1, n * n)[:, :: n + 1] += 1
    return matrix


def _batch_capacitance_tril(W, D):
    """The Cholesky factor of I + Wᵀ D⁻¹ W."""
    return linalg.cholesky(_add_identity(ops.matmul(W.mT / D.unsqueeze(-2), W)))


def _batch_lowrank_logdet(W, D, capacitance_tril):
    """log det(W Wᵀ + D), by the matrix determinant lemma."""
    return 2 * half_log_det(capacitance_tril) + D.log().sum(-1)


def _batch_lowrank_mahalanobis(W, D, x, capacitance_tril):
    """xᵀ (W Wᵀ + D)⁻¹ x, by Woodbury's identity."""
    inner = _batch_mv(W.mT / D.unsqueeze(-2), x)
    return (x.pow(2) / D).sum(-1) - _batch_mahalanobis(capacitance_tril, inner)


class LowRankMultivariateNormal(Distribution):
    """Covariance cov_factor cov_factorᵀ + diag(cov_diag)."""

    arg_constraints = {
        "loc": constraints.real_vector,
        "cov_factor": constraints.independent(constraints.real, 2),
        "cov_diag": constraints.independent(constraints.positive, 1),
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, loc, cov_factor, cov_diag, validate_args=None):
        event_shape = _checked_event(loc, cov_factor, cov_diag)
        parts = loc.unsqueeze(-1), cov_factor, cov_diag.unsqueeze(-1)
        try:
            loc_, self.cov_factor, diag_ = ops.broadcast_tensors(*parts)
        except RuntimeError as error:
            raise ValueError(
                f"Incompatible batch shapes: loc {loc.shape}, cov_factor {cov_factor.shape}, "
                f"cov_diag {cov_diag.shape}"
            ) from error
        self.loc, self.cov_diag = loc_[..., 0], diag_[..., 0]
        self._unbroadcasted_cov_factor = cov_factor
        self._unbroadcasted_cov_diag = cov_diag
        self._capacitance_tril = _batch_capacitance_tril(cov_factor, cov_diag)
        super().__init__(self.loc.shape[:-1], event_shape, validate_args=validate_args)

    def expand(self, batch_shape, _instance=None):
        kept = ["_unbroadcasted_cov_factor", "_unbroadcasted_cov_diag", "_capacitance_tril"]
        return self._expanded(LowRankMultivariateNormal, batch_shape, _instance, kept=kept)

    def _parts(self):
        factor, diag = self._unbroadcasted_cov_factor, self._unbroadcasted_cov_diag
        return factor, diag, self._capacitance_tril

    def _as_matrix(self, value):
        return value.expand(self._batch_shape + self._event_shape + self._event_shape)

    def _log_det(self):
        return _batch_lowrank_logdet(*self._parts())

    def _mahalanobis(self, x):
        factor, diag, capacitance = self._parts()
        return _batch_lowrank_mahalanobis(factor, diag, x, capacitance)

    @property
    def mean(self):
        return self.loc

    @property
    def mode(self):
        return self.loc

    @lazy_property
    def variance(self):
        factor, diag, _ = self._parts()
        whole = factor.pow(2).sum(-1) + diag
        return whole.expand(self._batch_shape + self._event_shape)

    @lazy_property
    def scale_tril(self):
        """By factoring I + D^-½ W Wᵀ D^-½, which is better conditioned than the covariance."""
        factor, diag, _ = self._parts()
        root = diag.sqrt().unsqueeze(-1)
        scaled = factor / root
        inner = linalg.cholesky(_add_identity(ops.matmul(scaled, scaled.mT)))
        return self._as_matrix(root * inner)

    @lazy_property
    def covariance_matrix(self):
        factor, diag, _ = self._parts()
        return self._as_matrix(ops.matmul(factor, factor.mT) + ops.diag_embed(diag))

    @lazy_property
    def precision_matrix(self):
        factor, diag, capacitance = self._parts()
        a = linalg.solve_triangular(capacitance, factor.mT / diag.unsqueeze(-2), upper=False)
        return self._as_matrix(ops.diag_embed(diag.reciprocal()) - a.mT @ a)

    def rsample(self, sample_shape=Size()):  # noqa: B008
        shape = self._extended_shape(sample_shape)
        rank = self.cov_factor.shape[-1:]
        common = _standard_normal(shape[:-1] + rank, self.loc.dtype, self.loc.device)
        own = _standard_normal(shape, self.loc.dtype, self.loc.device)
        factor, diag, _ = self._parts()
        return self.loc + _batch_mv(factor, common) + diag.sqrt() * own

    def log_prob(self, value):
        self._check(value)
        distance = self._mahalanobis(value - self.loc)
        constant = self._event_shape[0] * math.log(2 * math.pi)
        return -0.5 * (constant + self._log_det() + distance)

    def entropy(self):
        constant = self._event_shape[0] * (1.0 + math.log(2 * math.pi))
        result = 0.5 * (constant + self._log_det())
        return result.expand(self._batch_shape) if self._batch_shape else result


def _checked_event(loc, cov_factor, cov_diag):
    if loc.dim() < 1:
        raise ValueError("loc must be at least one-dimensional.")
    event_shape = loc.shape[-1:]
    if cov_factor.dim() < 2:
        raise ValueError(
            "cov_factor must be at least two-dimensional, with optional leading batch dimensions"
        )
    if cov_factor.shape[-2:-1] != event_shape:
        raise ValueError(
            f"cov_factor must be a batch of matrices with shape {event_shape[0]} x m"
        )
    if cov_diag.shape[-1:] != event_shape:
        raise ValueError(f"cov_diag must be a batch of vectors with shape {event_shape}")
    return event_shape
