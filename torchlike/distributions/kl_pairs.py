"""KL(p || q) of distributions of two classes, where it is finite."""

import math

from .. import ops, special
from .bernoulli import Bernoulli
from .beta import Beta
from .continuous_bernoulli import ContinuousBernoulli
from .exponential import Exponential
from .gamma import Gamma
from .gumbel import Gumbel
from .laplace import Laplace
from .normal import Normal
from .pareto import Pareto
from .poisson import Poisson
from .uniform import Uniform
from .utils import euler_constant as _euler_gamma

PAIRS = {}


def _pair(type_p, type_q):
    def decorator(function):
        PAIRS[type_p, type_q] = function
        return function

    return decorator


def _x_log_x(tensor):
    return special.xlogy(tensor, tensor)


def _log_gamma_norm(q):
    """The log of a gamma density's constant, negated."""
    return q.concentration.lgamma() - q.concentration * q.rate.log()


# ----- from [0, 1] -----


@_pair(Bernoulli, Poisson)
def _kl_bernoulli_poisson(p, q):
    return -p.entropy() - (p.probs * q.rate.log() - q.rate)


@_pair(Beta, ContinuousBernoulli)
def _kl_beta_continuous_bernoulli(p, q):
    return -p.entropy() - p.mean * q.logits - ops.log1p(-q.probs) - q._cont_bern_log_norm()


@_pair(Beta, Exponential)
def _kl_beta_exponential(p, q):
    return -p.entropy() - q.rate.log() + q.rate * p.mean


@_pair(Beta, Gamma)
def _kl_beta_gamma(p, q):
    total = p.concentration1 + p.concentration0
    slope = (q.concentration - 1) * (p.concentration1.digamma() - total.digamma())
    return -p.entropy() + _log_gamma_norm(q) - slope + q.rate * p.concentration1 / total


@_pair(Beta, Normal)
def _kl_beta_normal(p, q):
    mean, spread = p.mean, q.scale.pow(2)
    total = p.concentration1 + p.concentration0
    constant = 0.5 * (spread * 2 * math.pi).log()
    second = (mean * (1 - mean) / (total + 1) + mean.pow(2)) * 0.5
    return -p.entropy() + constant + (second - q.loc * mean + q.loc.pow(2) * 0.5) / spread


@_pair(Beta, Uniform)
def _kl_beta_uniform(p, q):
    result = -p.entropy() + (q.high - q.low).log()
    result[(q.low > p.support.lower_bound) | (q.high < p.support.upper_bound)] = math.inf
    return result


@_pair(ContinuousBernoulli, Exponential)
def _kl_continuous_bernoulli_exponential(p, q):
    return -p.entropy() - ops.log(q.rate) + q.rate * p.mean


@_pair(ContinuousBernoulli, Normal)
def _kl_continuous_bernoulli_normal(p, q):
    constant = 0.5 * (math.log(2.0 * math.pi) + ops.square(q.loc / q.scale)) + ops.log(q.scale)
    second = p.variance + ops.square(p.mean) - 2.0 * q.loc * p.mean
    return -p.entropy() + constant + second / (2.0 * ops.square(q.scale))


@_pair(ContinuousBernoulli, Uniform)
def _kl_continuous_bernoulli_uniform(p, q):
    result = -p.entropy() + (q.high - q.low).log()
    support = p.support
    # PyTorch's condition, which holds for every uniform that begins at 0
    beyond = ops.max(ops.ge(q.low, support.lower_bound), ops.le(q.high, support.upper_bound))
    return ops.where(beyond, ops.ones_like(result) * math.inf, result)


# ----- from the positive half line -----


@_pair(Exponential, Gamma)
def _kl_exponential_gamma(p, q):
    ratio = q.rate / p.rate
    order = q.concentration.lgamma() + q.concentration * _euler_gamma
    return -q.concentration * ops.log(ratio) + ratio + order - (1 + _euler_gamma)


@_pair(Exponential, Gumbel)
def _kl_exponential_gumbel(p, q):
    product, start = p.rate * q.scale, q.loc / q.scale
    tail = ops.exp(start) * product / (product + 1)
    return product.log() - 1 - start + tail + product.reciprocal()


@_pair(Exponential, Normal)
def _kl_exponential_normal(p, q):
    spread, square = q.scale.pow(2), p.rate.pow(2)
    constant = 0.5 * ops.log(square * spread * 2 * math.pi)
    second = square.reciprocal() - q.loc / p.rate + q.loc.pow(2) * 0.5
    return constant - 1 + second / spread


@_pair(Gamma, Exponential)
def _kl_gamma_exponential(p, q):
    return -p.entropy() - q.rate.log() + q.rate * p.concentration / p.rate


@_pair(Gamma, Gumbel)
def _kl_gamma_gumbel(p, q):
    product, start, a = p.rate * q.scale, q.loc / q.scale, p.concentration
    own = (a - 1) * a.digamma() - a.lgamma() - a
    tail = ops.exp(start) * (1 + product.reciprocal()).pow(-a) - start
    return own + (product.log() + a / product) + tail


@_pair(Gamma, Normal)
def _kl_gamma_normal(p, q):
    spread, square, a = q.scale.pow(2), p.rate.pow(2), p.concentration
    constant = 0.5 * ops.log(square * spread * 2 * math.pi) - a - a.lgamma()
    second = 0.5 * (a.pow(2) + a) / square - q.loc * a / p.rate + 0.5 * q.loc.pow(2)
    return constant + (a - 1) * a.digamma() + second / spread


@_pair(Pareto, Exponential)
def _kl_pareto_exponential(p, q):
    product = p.scale * q.rate
    mean = p.alpha * product / (p.alpha - 1)
    result = (p.alpha / product).log() - p.alpha.reciprocal() + mean - 1
    result[p.alpha <= 1] = math.inf
    return result


@_pair(Pareto, Gamma)
def _kl_pareto_gamma(p, q):
    mean_log = p.scale.log() + p.alpha.reciprocal()
    rest = (1 - q.concentration) * mean_log + q.rate * p.alpha * p.scale / (p.alpha - 1)
    result = p.alpha.log() - mean_log + _log_gamma_norm(q) + rest - 1
    result[p.alpha <= 1] = math.inf
    return result


@_pair(Pareto, Normal)
def _kl_pareto_normal(p, q):
    part = p.scale / (p.alpha - 1)
    constant = (math.sqrt(2 * math.pi) * q.scale * p.alpha / p.scale).log()
    second = p.alpha * part.pow(2) / (p.alpha - 2) + (p.alpha * part - q.loc).pow(2)
    result = constant - p.alpha.reciprocal() + second / (2 * q.scale.pow(2)) - 1
    result[p.alpha <= 2] = math.inf
    return result


# ----- from the real line -----


@_pair(Gumbel, Normal)
def _kl_gumbel_normal(p, q):
    ratio = p.scale / q.scale
    spread = (math.pi * ratio * 0.5).pow(2) / 3
    away = ((p.loc + p.scale * _euler_gamma - q.loc) / q.scale).pow(2) * 0.5
    return -(ratio / math.sqrt(2 * math.pi)).log() + spread + away - (_euler_gamma + 1)


@_pair(Laplace, Normal)
def _kl_laplace_normal(p, q):
    spread = q.scale.pow(2)
    ratio = p.scale.pow(2) / spread
    second = 0.5 * p.loc.pow(2) - p.loc * q.loc + 0.5 * q.loc.pow(2)
    return -0.5 * ops.log(2 * ratio / math.pi) + ratio + second / spread - 1


@_pair(Normal, Gumbel)
def _kl_normal_gumbel(p, q):
    mean, ratio, start = p.loc / q.scale, (p.scale / q.scale).pow(2), q.loc / q.scale
    tail = ops.exp(-mean + 0.5 * ratio + start)
    constant = 0.5 * (1 + math.log(2 * math.pi))
    return -(ratio.log() * 0.5) + (mean - start) + tail - constant


@_pair(Normal, Laplace)
def _kl_normal_laplace(p, q):
    away = p.loc - q.loc
    scaled = away / p.scale
    near = math.sqrt(2 / math.pi) * p.scale * ops.exp(-0.5 * scaled.pow(2))
    far = away * ops.erf(math.sqrt(0.5) * scaled)
    constant = 0.5 * (1 + math.log(0.5 * math.pi))
    return -ops.log(p.scale / q.scale) + (near + far) / q.scale - constant


# ----- from an interval -----


@_pair(Uniform, Beta)
def _kl_uniform_beta(p, q):
    length, a, b = p.high - p.low, q.concentration1, q.concentration0
    below = (a - 1) * (_x_log_x(p.high) - _x_log_x(p.low) - length) / length
    above = (b - 1) * (_x_log_x(1 - p.high) - _x_log_x(1 - p.low) + length) / length
    log_beta = a.lgamma() + b.lgamma() - (a + b).lgamma()
    result = above + log_beta - ops.log(length) - below
    result[(p.high > q.support.upper_bound) | (p.low < q.support.lower_bound)] = math.inf
    return result


@_pair(Uniform, ContinuousBernoulli)
def _kl_uniform_continuous_bernoulli(p, q):
    chances = p.mean * q.logits
    result = -p.entropy() - chances - ops.log1p(-q.probs) - q._cont_bern_log_norm()
    support = q.support
    beyond = ops.max(ops.ge(p.high, support.upper_bound), ops.le(p.low, support.lower_bound))
    return ops.where(beyond, ops.ones_like(result) * math.inf, result)


def _outside_is_infinite(result, p, q):
    result[p.low < q.support.lower_bound] = math.inf
    return result


@_pair(Uniform, Exponential)
def _kl_uniform_exponetial(p, q):
    mean = q.rate * (p.high + p.low) / 2
    return _outside_is_infinite(mean - ((p.high - p.low) * q.rate).log(), p, q)


@_pair(Uniform, Gamma)
def _kl_uniform_gamma(p, q):
    length = p.high - p.low
    mean_log = (_x_log_x(p.high) - _x_log_x(p.low) - length) / length
    rest = (1 - q.concentration) * mean_log + q.rate * (p.high + p.low) / 2
    return _outside_is_infinite(-length.log() + _log_gamma_norm(q) + rest, p, q)


@_pair(Uniform, Gumbel)
def _kl_uniform_gumbel(p, q):
    ratio = q.scale / (p.high - p.low)
    high, low = (p.high - q.loc) / q.scale, (p.low - q.loc) / q.scale
    return ratio.log() + 0.5 * (high + low) - ratio * (ops.exp(-high) - ops.exp(-low))


@_pair(Uniform, Normal)
def _kl_uniform_normal(p, q):
    length = p.high - p.low
    constant = (math.sqrt(math.pi * 2) * q.scale / length).log()
    away = ((p.high + p.low - 2 * q.loc) / 2).pow(2)
    return constant + 0.5 * (length.pow(2) / 12 + away) / q.scale.pow(2)


@_pair(Uniform, Pareto)
def _kl_uniform_pareto(p, q):
    length = p.high - p.low
    constant = (q.alpha * q.scale.pow(q.alpha) * length).log()
    mean_log = (_x_log_x(p.high) - _x_log_x(p.low) - length) / length
    return _outside_is_infinite(mean_log * (q.alpha + 1) - constant, p, q)
