"""Exponential families: the entropy from the log-normaliser's gradient."""

from .. import autograd
from .distribution import Distribution


class ExponentialFamily(Distribution):
    """A density exp(<t(x), θ> - F(θ) + k(x)); subclasses give θ, F and the mean of k."""

    @property
    def _natural_params(self):
        raise NotImplementedError

    def _log_normalizer(self, *natural_params):
        raise NotImplementedError

    @property
    def _mean_carrier_measure(self):
        raise NotImplementedError

    def entropy(self):
        """By Bregman's identity: F(θ) - <θ, ∇F(θ)> - E[k]."""
        result = -self._mean_carrier_measure
        params = [p.detach().requires_grad_() for p in self._natural_params]
        normalizer = self._log_normalizer(*params)
        gradients = autograd.grad(normalizer.sum(), params, create_graph=True)
        result = result + normalizer
        for param, gradient in zip(params, gradients):
            result = result - (param * gradient).reshape(self._batch_shape + (-1,)).sum(-1)
        return result
