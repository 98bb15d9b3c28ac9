"""The base class of distributions: shapes, validation, expansion and repr."""

import warnings

from .. import ops
from ..core.storage import Size
from ..core.tape import no_grad
from ..core.tensor import Tensor
from . import constraints
from .utils import lazy_property


class Distribution:
    """A batch of distributions: a sample has shape sample_shape + batch_shape + event_shape."""

    has_rsample = False
    has_enumerate_support = False
    _validate_args = __debug__

    @staticmethod
    def set_default_validate_args(value):
        """Whether distributions made from here on check their arguments."""
        if value not in [True, False]:
            raise ValueError
        Distribution._validate_args = value

    def __init__(self, batch_shape=Size(), event_shape=Size(), validate_args=None):  # noqa: B008
        self._batch_shape, self._event_shape = batch_shape, event_shape
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            self._validate_arguments()
        super().__init__()

    def _validate_arguments(self):
        try:
            known = self.arg_constraints
        except NotImplementedError:
            known = {}
            warnings.warn(
                f"{self.__class__} does not define `arg_constraints`. Please set "
                "`arg_constraints = {}` or initialize the distribution with "
                "`validate_args=False` to turn off validation.",
                stacklevel=3,
            )
        for name, constraint in known.items():
            lazy = isinstance(getattr(type(self), name, None), lazy_property)
            if constraints.is_dependent(constraint) or (lazy and name not in self.__dict__):
                continue
            value = getattr(self, name)
            if not constraint.check(value).all():
                raise ValueError(
                    f"Expected parameter {name} ({_described(value)}) of distribution {self!r} "
                    f"to satisfy the constraint {constraint!r}, but found invalid values:\n{value}"
                )

    # ----- expansion -----

    def expand(self, batch_shape, _instance=None):
        """The distribution with a larger batch, whose parameters are expanded views."""
        raise NotImplementedError

    def _expanded(self, cls, batch_shape, instance, nested=(), kept=()):
        """`expand` of a class that says where its tensors are.

        Its constrained parameters get the batch before their event; `nested` distributions are
        expanded too, `kept` attributes are taken over.
        """
        new = self._get_checked_instance(cls, instance)
        batch_shape = Size(batch_shape)
        declared = cls.arg_constraints
        for name, region in (self.arg_constraints if _per_instance(declared) else declared).items():
            if name in self.__dict__:
                value = self.__dict__[name]
                event = value.shape[value.dim() - region.event_dim :]
                setattr(new, name, value.expand(batch_shape + event))
        for name in nested:
            setattr(new, name, getattr(self, name).expand(batch_shape))
        for name in kept:
            setattr(new, name, getattr(self, name))
        if "_param" in self.__dict__:
            new._param = new.__dict__["logits" if "logits" in new.__dict__ else "probs"]
        super(cls, new).__init__(batch_shape, self.event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    def _get_checked_instance(self, cls, _instance=None):
        if _instance is None and type(self).__init__ != cls.__init__:
            raise NotImplementedError(
                f"Subclass {type(self).__name__} of {cls.__name__} that defines a custom __init__ "
                "method must also define a custom .expand() method."
            )
        return self.__new__(type(self)) if _instance is None else _instance

    # ----- what a subclass tells -----

    @property
    def batch_shape(self):
        return self._batch_shape

    @property
    def event_shape(self):
        return self._event_shape

    @property
    def arg_constraints(self):
        raise NotImplementedError

    @property
    def support(self):
        raise NotImplementedError

    @property
    def mean(self):
        raise NotImplementedError

    @property
    def mode(self):
        raise NotImplementedError(f"{self.__class__} does not implement mode")

    @property
    def variance(self):
        raise NotImplementedError

    @property
    def stddev(self):
        return self.variance.sqrt()

    def sample(self, sample_shape=Size()):  # noqa: B008
        """Draws, without a gradient."""
        with no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape=Size()):  # noqa: B008
        """Draws that are differentiable in the parameters."""
        raise NotImplementedError

    def sample_n(self, n):
        """`n` draws."""
        text = "`sample_n(n)` will be deprecated. Use `sample((n,))` instead."
        warnings.warn(text, FutureWarning, stacklevel=2)
        return self.sample(Size((n,)))

    def log_prob(self, value):
        """The logarithm of the density or the probability at `value`."""
        raise NotImplementedError

    def cdf(self, value):
        raise NotImplementedError

    def icdf(self, value):
        raise NotImplementedError

    def enumerate_support(self, expand=True):
        """All values of a discrete distribution, along a new first dimension."""
        raise NotImplementedError

    def entropy(self):
        raise NotImplementedError

    def perplexity(self):
        return ops.exp(self.entropy())

    # ----- for subclasses -----

    def _extended_shape(self, sample_shape=Size()):  # noqa: B008
        return Size(Size(sample_shape) + self._batch_shape + self._event_shape)

    def _check(self, value):
        """Refuses a value outside the support, where validation is on."""
        if self._validate_args:
            self._validate_sample(value)

    def _validate_sample(self, value):
        if not isinstance(value, Tensor):
            raise ValueError("The value argument to log_prob must be a Tensor")
        self._validate_shape(value.size())
        try:
            support = self.support
        except NotImplementedError:
            warnings.warn(
                f"{self.__class__} does not define `support` to enable sample validation. Please "
                "initialize the distribution with `validate_args=False` to turn off validation.",
                stacklevel=3,
            )
            return
        if support is None:
            raise AssertionError("support is unexpectedly None")
        if not support.check(value).all():
            raise ValueError(
                f"Expected value argument ({_described(value)}) to be within the support "
                f"({support!r}) of the distribution {self!r}, but found invalid values:\n{value}"
            )

    def _validate_shape(self, shape):
        if shape[len(shape) - len(self._event_shape) :] != self._event_shape:
            raise ValueError(
                "The right-most size of value must match event_shape: "
                f"{shape} vs {self._event_shape}."
            )
        whole = self._batch_shape + self._event_shape
        if any(1 != i != j != 1 for i, j in zip(reversed(shape), reversed(whole))):
            raise ValueError(
                f"Value is not broadcastable with batch_shape+event_shape: {shape} vs {whole}."
            )

    def __repr__(self):
        held = {n: self.__dict__[n] for n in self.arg_constraints if n in self.__dict__}
        shown = [f"{n}: {v if v.numel() == 1 else v.size()}" for n, v in held.items()]
        return f"{type(self).__name__}({', '.join(shown)})"


def _described(value):
    return f"{type(value).__name__} of shape {tuple(value.shape)}"


def _per_instance(declared):
    return isinstance(declared, property)
