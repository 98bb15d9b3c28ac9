"""The Wishart distribution of positive definite matrices."""

import math
import warnings

from .. import linalg, ops
from ..core.dtypes import finfo
from ..core.storage import Size
from . import constraints
from .chi2 import Chi2
from .exp_family import ExponentialFamily
from .multivariate_normal import _FACTOR, half_log_det
from .transforms import broadcast
from .utils import is_number, lazy_property

_log_2 = math.log(2)


def _mvdigamma(x, p):
    """The derivative of mvlgamma."""
    if not x.gt((p - 1) / 2).all():
        raise AssertionError("Wrong domain for multivariate digamma function.")
    steps = ops.arange(p, dtype=x.dtype, device=x.device).div(2).expand(x.shape + (-1,))
    return ops.digamma(x.unsqueeze(-1) - steps).sum(-1)


class Wishart(ExponentialFamily):
    """By degrees of freedom and one of covariance, precision and Cholesky factor."""

    support = constraints.positive_definite
    has_rsample = True
    _mean_carrier_measure = 0

    @property
    def arg_constraints(self):
        return {
            "covariance_matrix": constraints.positive_definite,
            "precision_matrix": constraints.positive_definite,
            "scale_tril": constraints.lower_cholesky,
            "df": constraints.greater_than(self.event_shape[-1] - 1),
        }

    def __init__(
        self, df, covariance_matrix=None, precision_matrix=None, scale_tril=None,
        validate_args=None,
    ):  # fmt: skip
        given = {
            "covariance_matrix": covariance_matrix,
            "scale_tril": scale_tril,
            "precision_matrix": precision_matrix,
        }
        given = {name: matrix for name, matrix in given.items() if matrix is not None}
        if len(given) != 1:
            raise AssertionError(
                "Exactly one of covariance_matrix or precision_matrix or scale_tril may be "
                "specified."
            )
        ((name, matrix),) = given.items()
        if matrix.dim() < 2:
            raise ValueError(
                "scale_tril must be at least two-dimensional, with optional leading batch "
                "dimensions"
            )
        batch_shape = self._set_df(df, matrix)
        setattr(self, name, matrix.expand(batch_shape + (-1, -1)))
        if self.df.lt(matrix.shape[-1]).any():
            warnings.warn(
                "Low df values detected. Singular samples are highly likely to occur for "
                "ndim - 1 < df < ndim.",
                stacklevel=2,
            )
        super().__init__(batch_shape, matrix.shape[-2:], validate_args=validate_args)
        self._unbroadcasted_scale_tril = _FACTOR[name](matrix)
        self._set_chi2()

    def _set_df(self, df, matrix):
        """Broadcasts the degrees of freedom; the batch's shape."""
        least = matrix.shape[-1] - 1
        if is_number(df):
            batch_shape = Size(matrix.shape[:-2])
            self.df = ops.tensor(df, dtype=matrix.dtype, device=matrix.device)
        else:
            batch_shape = broadcast(matrix.shape[:-2], df)
            self.df = df.expand(batch_shape)
        if self.df.le(least).any():
            raise ValueError(
                f"Value of df={df} expected to be greater than ndim - 1 = {least}."
            )
        return batch_shape

    def _set_chi2(self):
        """The squared diagonal of Bartlett's factor."""
        self._batch_dims = [-(x + 1) for x in range(len(self._batch_shape))]
        factor = self._unbroadcasted_scale_tril
        steps = ops.arange(self._event_shape[-1], dtype=factor.dtype, device=factor.device)
        steps = steps.expand(self._batch_shape + (-1,))
        self._dist_chi2 = Chi2(df=self.df.unsqueeze(-1) - steps)

    def expand(self, batch_shape, _instance=None):
        new = self._expanded(Wishart, batch_shape, _instance)
        factor = self._unbroadcasted_scale_tril
        new._unbroadcasted_scale_tril = factor.expand(new._batch_shape + self.event_shape)
        new._set_chi2()
        return new

    def _whole(self, value):
        return value.expand(self._batch_shape + self._event_shape)

    @lazy_property
    def scale_tril(self):
        return self._whole(self._unbroadcasted_scale_tril)

    @lazy_property
    def covariance_matrix(self):
        factor = self._unbroadcasted_scale_tril
        return self._whole(factor @ factor.transpose(-2, -1))

    @lazy_property
    def precision_matrix(self):
        factor = self._unbroadcasted_scale_tril
        identity = ops.eye(self._event_shape[-1], device=factor.device, dtype=factor.dtype)
        return self._whole(ops.cholesky_solve(identity, factor))

    def _per_matrix(self, value):
        return value.view(self._batch_shape + (1, 1))

    @property
    def mean(self):
        return self._per_matrix(self.df) * self.covariance_matrix

    @property
    def mode(self):
        factor = self.df - self.covariance_matrix.shape[-1] - 1
        factor[factor <= 0] = math.nan
        return self._per_matrix(factor) * self.covariance_matrix

    @property
    def variance(self):
        v = self.covariance_matrix
        diagonal = v.diagonal(dim1=-2, dim2=-1)
        products = ops.einsum("...i,...j->...ij", diagonal, diagonal)
        return self._per_matrix(self.df) * (v.pow(2) + products)

    def _bartlett_sampling(self, sample_shape=Size()):  # noqa: B008
        """L A Aᵀ Lᵀ: A has chi variables on its diagonal and normal ones below it."""
        p = self._event_shape[-1]
        chi = self._dist_chi2.rsample(sample_shape).sqrt()
        chi = chi.clamp(min=finfo(chi.dtype).eps)
        noise = chi.diag_embed(dim1=-2, dim2=-1)
        i, j = ops.tril_indices(p, p, offset=-1)
        shape = Size(sample_shape) + self._batch_shape + (p * (p - 1) // 2,)
        noise[..., i, j] = ops.randn(shape, dtype=noise.dtype, device=noise.device)
        factor = self._unbroadcasted_scale_tril @ noise
        return factor @ factor.transpose(-2, -1)

    def _over_batch(self, mask):
        return mask.amax(self._batch_dims) if self._batch_shape else mask

    def rsample(self, sample_shape=Size(), max_try_correction=None):  # noqa: B008
        """Draws; the ones taken for singular are drawn again, at most 10 times."""
        tries = 10 if max_try_correction is None else max_try_correction
        sample = self._bartlett_sampling(Size(sample_shape))
        # PyTorch 2.13's first look marks the draws that are not singular: it warns and draws
        # them again. Kept so, because the numbers that come out depend on it.
        singular = self._over_batch(self.support.check(sample))
        if singular.any():
            warnings.warn("Singular sample detected.", stacklevel=2)
            for _ in range(tries):
                again = self._bartlett_sampling(singular[singular].shape)
                sample[singular] = again
                still = self._over_batch(~self.support.check(again))
                singular[singular.clone()] = still
                if not singular.any():
                    break
        return sample

    def log_prob(self, value):
        self._check(value)
        nu, p, factor = self.df, self._event_shape[-1], self._unbroadcasted_scale_tril
        solved = ops.cholesky_solve(value, factor)
        return (
            -nu * (p * _log_2 / 2 + half_log_det(factor))
            - ops.mvlgamma(nu / 2, p=p)
            + (nu - p - 1) / 2 * linalg.slogdet(value).logabsdet
            - solved.diagonal(dim1=-2, dim2=-1).sum(dim=-1) / 2
        )

    def entropy(self):
        nu, p = self.df, self._event_shape[-1]
        return (
            (p + 1) * (p * _log_2 / 2 + half_log_det(self._unbroadcasted_scale_tril))
            + ops.mvlgamma(nu / 2, p=p)
            - (nu - p - 1) / 2 * _mvdigamma(nu / 2, p=p)
            + nu * p / 2
        )

    @property
    def _natural_params(self):
        p = self._event_shape[-1]
        return -self.precision_matrix / 2, (self.df - p - 1) / 2

    def _log_normalizer(self, x, y):
        p = self._event_shape[-1]
        half = y + (p + 1) / 2
        log_det = linalg.slogdet(-2 * x).logabsdet
        return half * (-log_det + _log_2 * p) + ops.mvlgamma(half, p=p)
