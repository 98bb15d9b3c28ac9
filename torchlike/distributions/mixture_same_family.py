"""Mixtures of distributions of one family."""

from .. import ops
from ..core.storage import Size
from ..core.tape import no_grad
from . import constraints
from .categorical import Categorical
from .constraints import MixtureSameFamilyConstraint
from .distribution import Distribution


class MixtureSameFamily(Distribution):
    """A categorical choice among the last batch dimension of a component distribution."""

    arg_constraints = {}
    has_rsample = False

    def __init__(self, mixture_distribution, component_distribution, validate_args=None):
        self._mixture_distribution = mixture_distribution
        self._component_distribution = component_distribution
        batch_shape = self._checked_batch()
        self._num_component = mixture_distribution.logits.shape[-1]
        event_shape = component_distribution.event_shape
        self._event_ndims = len(event_shape)
        super().__init__(batch_shape, event_shape, validate_args=validate_args)

    def _checked_batch(self):
        mixture, component = self._mixture_distribution, self._component_distribution
        if not isinstance(mixture, Categorical):
            raise ValueError(
                " The Mixture distribution needs to be an  instance of "
                "torch.distributions.Categorical"
            )
        if not isinstance(component, Distribution):
            raise ValueError(
                "The Component distribution needs to be an instance of "
                "torch.distributions.Distribution"
            )
        outer, inner = mixture.batch_shape, component.batch_shape[:-1]
        if any(1 != i != j != 1 for i, j in zip(reversed(outer), reversed(inner))):
            raise ValueError(
                f"`mixture_distribution.batch_shape` ({outer}) is not compatible with "
                f"`component_distribution.batch_shape`({inner})"
            )
        km, kc = mixture.logits.shape[-1], component.batch_shape[-1]
        if km != kc:
            raise ValueError(
                f"`mixture_distribution component` ({km}) does not equal "
                f"`component_distribution.batch_shape[-1]` ({kc})"
            )
        return inner

    def expand(self, batch_shape, _instance=None):
        new = self._get_checked_instance(MixtureSameFamily, _instance)
        batch_shape = Size(batch_shape)
        parts = batch_shape + (self._num_component,)
        new._component_distribution = self._component_distribution.expand(parts)
        kept = ["_num_component", "_event_ndims"]
        nested = ["_mixture_distribution"]
        return self._expanded(MixtureSameFamily, batch_shape, new, nested, kept)

    @constraints.dependent_property
    def support(self):
        return MixtureSameFamilyConstraint(self._component_distribution.support)

    @property
    def mixture_distribution(self):
        return self._mixture_distribution

    @property
    def component_distribution(self):
        return self._component_distribution

    def _mixed(self, values):
        """Their mean by the weights of the components."""
        probs = self._pad_mixture_dimensions(self.mixture_distribution.probs)
        return ops.sum(probs * values, dim=-1 - self._event_ndims)

    @property
    def mean(self):
        return self._mixed(self.component_distribution.mean)

    @property
    def variance(self):
        """The mean variance plus the variance of the means."""
        within = self._mixed(self.component_distribution.variance)
        away = self.component_distribution.mean - self._pad(self.mean)
        return within + self._mixed(away.pow(2.0))

    def cdf(self, x):
        below = self.component_distribution.cdf(self._pad(x))
        return ops.sum(below * self.mixture_distribution.probs, dim=-1)

    def log_prob(self, x):
        self._check(x)
        each = self.component_distribution.log_prob(self._pad(x))
        weights = ops.log_softmax(self.mixture_distribution.logits, dim=-1)
        return ops.logsumexp(each + weights, dim=-1)

    def sample(self, sample_shape=Size()):  # noqa: B008
        with no_grad():
            dim, event = len(sample_shape) + len(self.batch_shape), self.event_shape
            chosen = self.mixture_distribution.sample(sample_shape)
            drawn = self.component_distribution.sample(sample_shape)
            index = chosen.reshape(chosen.shape + (1,) * (len(event) + 1))
            index = index.repeat((1,) * chosen.dim() + (1,) + event)
            return ops.gather(drawn, dim, index).squeeze(dim)

    def _pad(self, x):
        return x.unsqueeze(-1 - self._event_ndims)

    def _pad_mixture_dimensions(self, x):
        dims = len(self.mixture_distribution.batch_shape)
        missing = 0 if dims == 1 else len(self.batch_shape) - dims
        shape = x.shape[:-1] + (1,) * missing + x.shape[-1:] + (1,) * self._event_ndims
        return x.reshape(shape)

    def __repr__(self):
        inner = f"\n  {self.mixture_distribution},\n  {self.component_distribution}"
        return f"MixtureSameFamily({inner})"
