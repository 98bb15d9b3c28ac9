"""`kl_divergence`: one function per pair of distributions, found by the nearest base classes."""

import math
import warnings

from .. import autograd, linalg, ops
from ..core.check import broadcast_shapes
from ..nn import functional as F
from .bernoulli import Bernoulli
from .beta import Beta
from .binomial import Binomial
from .categorical import Categorical
from .cauchy import Cauchy
from .continuous_bernoulli import ContinuousBernoulli
from .dirichlet import Dirichlet
from .distribution import Distribution
from .exp_family import ExponentialFamily
from .exponential import Exponential
from .gamma import Gamma
from .geometric import Geometric
from .gumbel import Gumbel
from .half_normal import HalfNormal
from .independent import Independent
from .kl_pairs import PAIRS
from .laplace import Laplace
from .lowrank_multivariate_normal import LowRankMultivariateNormal
from .multivariate_normal import MultivariateNormal, _batch_mahalanobis, half_log_det
from .normal import Normal
from .one_hot_categorical import OneHotCategorical
from .pareto import Pareto
from .poisson import Poisson
from .transformed_distribution import TransformedDistribution
from .uniform import Uniform
from .utils import _sum_rightmost
from .utils import euler_constant as _euler_gamma

_KL_REGISTRY = {}
_KL_MEMOIZE = {}


def register_kl(type_p, type_q):
    """A decorator: the function computes KL(p || q) for these classes and their subclasses."""
    for name, kind in (("type_p", type_p), ("type_q", type_q)):
        if not isinstance(kind, type) and issubclass(kind, Distribution):
            raise TypeError(f"Expected {name} to be a Distribution subclass but got {kind}")

    def decorator(function):
        _KL_REGISTRY[type_p, type_q] = function
        _KL_MEMOIZE.clear()
        return function

    return decorator


def kl_divergence(p, q):
    """KL(p || q) = E[log p - log q], per batch element."""
    pair = type(p), type(q)
    if pair not in _KL_MEMOIZE:
        _KL_MEMOIZE[pair] = _nearest(*pair)
    if _KL_MEMOIZE[pair] is None:
        raise NotImplementedError(
            f"No KL(p || q) is implemented for p type {type(p).__name__} and q type "
            f"{type(q).__name__}"
        )
    return _KL_MEMOIZE[pair](p, q)


def _nearest(type_p, type_q):
    """The function of the most derived pair; p's class decides before q's."""
    pairs = [
        pair for pair in _KL_REGISTRY if issubclass(type_p, pair[0]) and issubclass(type_q, pair[1])
    ]
    if not pairs:
        return None

    def rank(pair):
        return type_p.__mro__.index(pair[0]), type_q.__mro__.index(pair[1])

    left_p, left_q = left = min(pairs, key=rank)
    right_p, right_q = right = min(pairs, key=lambda pair: rank(pair)[::-1])
    if _KL_REGISTRY[left] is not _KL_REGISTRY[right]:
        warnings.warn(
            f"Ambiguous kl_divergence({type_p.__name__}, {type_q.__name__}). Please "
            f"register_kl({left_p.__name__}, {right_q.__name__})",
            RuntimeWarning,
            stacklevel=3,
        )
    return _KL_REGISTRY[left]


# ----- one class -----


@register_kl(Bernoulli, Bernoulli)
def _kl_bernoulli_bernoulli(p, q):
    ones = p.probs * (F.softplus(-q.logits) - F.softplus(-p.logits))
    ones[q.probs == 0] = math.inf
    ones[p.probs == 0] = 0
    zeros = (1 - p.probs) * (F.softplus(q.logits) - F.softplus(p.logits))
    zeros[q.probs == 1] = math.inf
    zeros[p.probs == 1] = 0
    return ones + zeros


@register_kl(Beta, Beta)
def _kl_beta_beta(p, q):
    p1, p0, q1, q0 = p.concentration1, p.concentration0, q.concentration1, q.concentration0
    total_p, total_q = p1 + p0, q1 + q0
    gain = q1.lgamma() + q0.lgamma() + total_p.lgamma()
    loss = p1.lgamma() + p0.lgamma() + total_q.lgamma()
    slopes = (p1 - q1) * ops.digamma(p1), (p0 - q0) * ops.digamma(p0)
    rest = (total_q - total_p) * ops.digamma(total_p)
    return gain - loss + slopes[0] + slopes[1] + rest


@register_kl(Binomial, Binomial)
def _kl_binomial_binomial(p, q):
    if (p.total_count < q.total_count).any():
        raise NotImplementedError(
            "KL between Binomials where q.total_count > p.total_count is not implemented"
        )
    each = p.probs * (p.logits - q.logits) + (-p.probs).log1p() - (-q.probs).log1p()
    kl = p.total_count * each
    more = p.total_count > q.total_count
    kl[more] = _infinite_like(kl[more])
    return kl


@register_kl(Categorical, Categorical)
def _kl_categorical_categorical(p, q):
    each = p.probs * (p.logits - q.logits)
    each[(q.probs == 0).expand_as(each)] = math.inf
    each[(p.probs == 0).expand_as(each)] = 0
    return each.sum(-1)


@register_kl(OneHotCategorical, OneHotCategorical)
def _kl_onehotcategorical_onehotcategorical(p, q):
    return _kl_categorical_categorical(p._categorical, q._categorical)


@register_kl(Cauchy, Cauchy)
def _kl_cauchy_cauchy(p, q):
    top = ((p.scale + q.scale).pow(2) + (p.loc - q.loc).pow(2)).log()
    return top - (4 * p.scale * q.scale).log()


@register_kl(ContinuousBernoulli, ContinuousBernoulli)
def _kl_continuous_bernoulli_continuous_bernoulli(p, q):
    mean = p.mean * (p.logits - q.logits)
    own = p._cont_bern_log_norm() + ops.log1p(-p.probs)
    other = -q._cont_bern_log_norm() - ops.log1p(-q.probs)
    return mean + own + other


@register_kl(Dirichlet, Dirichlet)
def _kl_dirichlet_dirichlet(p, q):
    a, b = p.concentration, q.concentration
    total = a.sum(-1)
    whole = total.lgamma() - b.sum(-1).lgamma()
    parts = (a.lgamma() - b.lgamma()).sum(-1)
    slope = a.digamma() - total.digamma().unsqueeze(-1)
    return whole - parts + ((a - b) * slope).sum(-1)


@register_kl(Exponential, Exponential)
def _kl_exponential_exponential(p, q):
    ratio = q.rate / p.rate
    return -ratio.log() + ratio - 1


@register_kl(ExponentialFamily, ExponentialFamily)
def _kl_expfamily_expfamily(p, q):
    """A Bregman divergence of the log-normaliser."""
    if type(p) is not type(q):
        gap = " " * 28  # PyTorch's text continues a line with its indentation
        raise NotImplementedError(
            "The cross KL-divergence between different exponential families cannot "
            f"{gap}be computed using Bregman divergences"
        )
    own = [param.detach().requires_grad_() for param in p._natural_params]
    other = q._natural_params
    normalizer = p._log_normalizer(*own)
    slopes = autograd.grad(normalizer.sum(), own, create_graph=True)
    result = q._log_normalizer(*other) - normalizer
    for p_param, q_param, slope in zip(own, other, slopes):
        result = result - _sum_rightmost((q_param - p_param) * slope, len(q.event_shape))
    return result


@register_kl(Gamma, Gamma)
def _kl_gamma_gamma(p, q):
    rates = q.concentration * (p.rate / q.rate).log()
    orders = ops.lgamma(q.concentration) - ops.lgamma(p.concentration)
    slope = (p.concentration - q.concentration) * ops.digamma(p.concentration)
    return rates + orders + slope + (q.rate - p.rate) * (p.concentration / p.rate)


@register_kl(Geometric, Geometric)
def _kl_geometric_geometric(p, q):
    return -p.entropy() - ops.log1p(-q.probs) / p.probs - q.logits


@register_kl(Gumbel, Gumbel)
def _kl_gumbel_gumbel(p, q):
    ratio, q_start, p_start = p.scale / q.scale, q.loc / q.scale, p.loc / q.scale
    first = -ratio.log() - q_start + p_start
    tail = ops.exp(q_start + (1 + ratio).lgamma() - p_start)
    return first + ratio * _euler_gamma + tail - (1 + _euler_gamma)


@register_kl(HalfNormal, HalfNormal)
def _kl_halfnormal_halfnormal(p, q):
    return _kl_normal_normal(p.base_dist, q.base_dist)


@register_kl(Laplace, Laplace)
def _kl_laplace_laplace(p, q):
    ratio, away = p.scale / q.scale, (p.loc - q.loc).abs()
    return -ratio.log() + away / q.scale + ratio * ops.exp(-away / p.scale) - 1


@register_kl(Normal, Normal)
def _kl_normal_normal(p, q):
    ratio = (p.scale / q.scale).pow(2)
    away = ((p.loc - q.loc) / q.scale).pow(2)
    return 0.5 * (ratio + away - 1 - ratio.log())


@register_kl(Pareto, Pareto)
def _kl_pareto_pareto(p, q):
    ratio = q.alpha / p.alpha
    result = q.alpha * (p.scale / q.scale).log() + -ratio.log() + ratio - 1
    result[p.support.lower_bound < q.support.lower_bound] = math.inf
    return result


@register_kl(Poisson, Poisson)
def _kl_poisson_poisson(p, q):
    return p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate)


@register_kl(Uniform, Uniform)
def _kl_uniform_uniform(p, q):
    result = ((q.high - q.low) / (p.high - p.low)).log()
    result[(q.low > p.low) | (q.high < p.high)] = math.inf
    return result


@register_kl(TransformedDistribution, TransformedDistribution)
def _kl_transformed_transformed(p, q):
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError
    return kl_divergence(p.base_dist, q.base_dist)


@register_kl(Independent, Independent)
def _kl_independent_independent(p, q):
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError
    return _sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


# ----- normal vectors -----


def _same_event(p, q, kind):
    if p.event_shape != q.event_shape:
        gap = " " * 25  # PyTorch's text continues a line with its indentation
        raise ValueError(
            f"KL-divergence between two {kind} Normals with {gap}different event shapes cannot "
            "be computed"
        )


def _batch_trace_XXT(matrix):
    n, m = matrix.size(-1), matrix.size(-2)
    return matrix.reshape(-1, m * n).pow(2).sum(-1).reshape(matrix.shape[:-2])


def _solved(q):
    """C⁻¹ Wᵀ D⁻¹ of a low-rank covariance."""
    factor, diag, capacitance = q._parts()
    return linalg.solve_triangular(capacitance, factor.mT / diag.unsqueeze(-2), upper=False)


@register_kl(LowRankMultivariateNormal, LowRankMultivariateNormal)
def _kl_lowrankmultivariatenormal_lowrankmultivariatenormal(p, q):
    _same_event(p, q, "Low Rank Multivariate")
    p_factor, p_diag, _ = p._parts()
    q_diag, a = q._unbroadcasted_cov_diag, _solved(q)
    trace = (
        (p_diag / q_diag).sum(-1)
        + _batch_trace_XXT(p_factor * q_diag.rsqrt().unsqueeze(-1))
        - _batch_trace_XXT(a * p_diag.sqrt().unsqueeze(-2))
        - _batch_trace_XXT(a.matmul(p_factor))
    )
    log_dets, distance = q._log_det() - p._log_det(), q._mahalanobis(q.loc - p.loc)
    return 0.5 * (log_dets + trace + distance - p.event_shape[0])


@register_kl(MultivariateNormal, LowRankMultivariateNormal)
def _kl_multivariatenormal_lowrankmultivariatenormal(p, q):
    _same_event(p, q, "(Low Rank) Multivariate")
    factor, a = p._unbroadcasted_scale_tril, _solved(q)
    scaled = factor * q._unbroadcasted_cov_diag.rsqrt().unsqueeze(-1)
    trace = _batch_trace_XXT(scaled) - _batch_trace_XXT(a.matmul(factor))
    log_dets, distance = q._log_det() - 2 * half_log_det(factor), q._mahalanobis(q.loc - p.loc)
    return 0.5 * (log_dets + trace + distance - p.event_shape[0])


def _trace_by(q_factor, *p_factors):
    """tr(Q⁻¹ P), of P given by factors whose squares add up to it."""
    p_batch = p_factors[0].shape[:-2]
    batch = tuple(broadcast_shapes(tuple(q_factor.shape[:-2]), tuple(p_batch)))
    whole = q_factor.expand(*batch, -1, -1)
    return sum(
        _batch_trace_XXT(
            linalg.solve_triangular(whole, part.expand(*batch, -1, -1), upper=False)
        )
        for part in p_factors
    )  # fmt: skip


@register_kl(LowRankMultivariateNormal, MultivariateNormal)
def _kl_lowrankmultivariatenormal_multivariatenormal(p, q):
    _same_event(p, q, "(Low Rank) Multivariate")
    q_factor = q._unbroadcasted_scale_tril
    p_factor, p_diag, _ = p._parts()
    log_dets = 2 * half_log_det(q_factor) - p._log_det()
    distance = _batch_mahalanobis(q_factor, q.loc - p.loc)
    trace = _trace_by(q_factor, p_factor, ops.diag_embed(p_diag.sqrt()))
    return 0.5 * (log_dets + trace + distance - p.event_shape[0])


@register_kl(MultivariateNormal, MultivariateNormal)
def _kl_multivariatenormal_multivariatenormal(p, q):
    _same_event(p, q, "Multivariate")
    p_factor, q_factor = p._unbroadcasted_scale_tril, q._unbroadcasted_scale_tril
    log_dets = half_log_det(q_factor) - half_log_det(p_factor)
    distance = _batch_mahalanobis(q_factor, q.loc - p.loc)
    return log_dets + 0.5 * (_trace_by(q_factor, p_factor) + distance - p.event_shape[0])


# ----- pairs of classes -----


def _infinite_like(tensor):
    return ops.full_like(tensor, math.inf)


def _infinite(name):
    """p reaches where q has no density."""
    return lambda p, q: _infinite_like(getattr(p, name))


_UNIT = (Beta, ContinuousBernoulli)
for _kinds, _name, _others in (
    ([Beta], "concentration1", [Pareto]),
    ([ContinuousBernoulli], "probs", [Pareto]),
    ([Exponential], "rate", [*_UNIT, Pareto, Uniform]),
    ([Gamma], "concentration", [*_UNIT, Pareto, Uniform]),
    ([Gumbel, Laplace, Normal], "loc", [*_UNIT, Exponential, Gamma, Pareto, Uniform]),
    ([Pareto], "scale", [*_UNIT, Uniform]),
    ([Poisson], "rate", [Bernoulli, Binomial]),
):
    for _p in _kinds:
        _function = _infinite(_name)
        for _q in _others:
            register_kl(_p, _q)(_function)

_KL_REGISTRY |= PAIRS
