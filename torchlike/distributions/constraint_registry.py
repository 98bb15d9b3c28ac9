"""`biject_to` and `transform_to`: a map from unconstrained numbers onto a constraint."""

import functools

from . import constraints, transforms
from .utils import is_number


class ConstraintRegistry:
    """Maps by the type of constraint."""

    def __init__(self):
        self._registry = {}

    def register(self, constraint, factory=None):
        """Adds what makes the map for a constraint (an instance or a class); also a decorator."""
        if factory is None:
            return lambda factory: self.register(constraint, factory)
        kind = type(constraint) if isinstance(constraint, constraints.Constraint) else constraint
        if not isinstance(kind, type) or not issubclass(kind, constraints.Constraint):
            raise TypeError(
                "Expected constraint to be either a Constraint subclass or instance, "
                f"but got {constraint}"
            )
        self._registry[kind] = factory
        return factory

    def __call__(self, constraint):
        kind = type(constraint)
        if kind not in self._registry:
            raise NotImplementedError(f"Cannot transform {kind.__name__} constraints")
        return self._registry[kind](constraint)


biject_to = ConstraintRegistry()  # bijective maps only
transform_to = ConstraintRegistry()  # good for optimising: may be over-parametrised


def _register(factory, *regions, where=(biject_to, transform_to)):
    for registry in where:
        for region in regions:
            registry.register(region, factory)


def _shifted(bound, sign):
    """exp, then a step from the bound."""

    def factory(constraint):
        start = transforms.AffineTransform(getattr(constraint, bound), sign)
        return transforms.ComposeTransform([transforms.ExpTransform(), start])

    return factory


def _to_interval(constraint):
    low, high = constraint.lower_bound, constraint.upper_bound
    if is_number(low) and is_number(high) and (low, high) == (0, 1):
        return transforms.SigmoidTransform()
    scaled = transforms.AffineTransform(low, high - low)
    return transforms.ComposeTransform([transforms.SigmoidTransform(), scaled])


def _to_independent(registry, constraint):
    base = registry(constraint.base_constraint)
    return transforms.IndependentTransform(base, constraint.reinterpreted_batch_ndims)


def _to_cat(registry, constraint):
    parts = [registry(c) for c in constraint.cseq]
    return transforms.CatTransform(parts, constraint.dim, constraint.lengths)


def _to_stack(registry, constraint):
    return transforms.StackTransform([registry(c) for c in constraint.cseq], constraint.dim)


def _always(transform):
    return lambda constraint: transform()


_register(lambda constraint: transforms.identity_transform, constraints.real)
_register(
    _shifted("lower_bound", 1), constraints.greater_than, constraints.greater_than_eq
)  # fmt: skip
_register(_shifted("upper_bound", -1), constraints.less_than)
_register(_to_interval, constraints.interval, constraints.half_open_interval)
_register(_always(transforms.CorrCholeskyTransform), constraints.corr_cholesky)
for _registry in (biject_to, transform_to):
    _made = functools.partial
    _register(_made(_to_independent, _registry), constraints.independent, where=[_registry])
    _register(_made(_to_cat, _registry), constraints.cat, where=[_registry])
    _register(_made(_to_stack, _registry), constraints.stack, where=[_registry])
biject_to.register(constraints.simplex, _always(transforms.StickBreakingTransform))
transform_to.register(constraints.simplex, _always(transforms.SoftmaxTransform))
transform_to.register(constraints.lower_cholesky, _always(transforms.LowerCholeskyTransform))
_register(
    _always(transforms.PositiveDefiniteTransform),
    constraints.positive_definite, constraints.positive_semidefinite, where=[transform_to],
)  # fmt: skip
