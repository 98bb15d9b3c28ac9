"""Maps made of maps: composed, along parts of a tensor, over more dimensions."""

from .. import ops
from . import constraints
from .transform import Transform
from .utils import _sum_rightmost, lazy_property, require_dims


class ComposeTransform(Transform):
    """Maps applied one after another."""

    def __init__(self, parts, cache_size=0):
        if cache_size:
            parts = [part.with_cache(cache_size) for part in parts]
        super().__init__(cache_size=cache_size)
        self.parts = parts

    def __eq__(self, other):
        return isinstance(other, ComposeTransform) and self.parts == other.parts

    __hash__ = None

    def _recached(self, cache_size):
        return ComposeTransform(self.parts, cache_size=cache_size)

    @constraints.dependent_property(is_discrete=False)
    def domain(self):
        steps = [(part.codomain.event_dim, part.domain) for part in reversed(self.parts)]
        return _widened(steps, "domain")

    @constraints.dependent_property(is_discrete=False)
    def codomain(self):
        return _widened([(p.domain.event_dim, p.codomain) for p in self.parts], "codomain")

    @lazy_property
    def bijective(self):
        return all(part.bijective for part in self.parts)

    @lazy_property
    def sign(self):
        sign = 1
        for part in self.parts:
            sign = sign * part.sign
        return sign

    @property
    def inv(self):
        if self._inv is None:
            self._inv = ComposeTransform([part.inv for part in reversed(self.parts)])
            self._inv._inv = self
        return self._inv

    def __call__(self, x):
        for part in self.parts:
            x = part(x)
        return x

    def log_abs_det_jacobian(self, x, y):
        if not self.parts:
            return ops.zeros_like(x)
        values = [x]
        for part in self.parts[:-1]:
            values.append(part(values[-1]))
        values.append(y)
        total, event_dim = None, self.domain.event_dim
        for part, before, after in zip(self.parts, values, values[1:]):
            term = part.log_abs_det_jacobian(before, after)
            term = _sum_rightmost(term, event_dim - part.domain.event_dim)
            total = term if total is None else total + term
            event_dim += part.codomain.event_dim - part.domain.event_dim
        return total

    def forward_shape(self, shape):
        for part in self.parts:
            shape = part.forward_shape(shape)
        return shape

    def inverse_shape(self, shape):
        for part in reversed(self.parts):
            shape = part.inverse_shape(shape)
        return shape

    def __repr__(self):
        inner = ",\n    ".join(repr(part) for part in self.parts)
        return f"{type(self).__name__}(\n    {inner}\n)"


def _widened(steps, name):
    """The last step's region, over as many dimensions as the way there made dependent."""
    if not steps:
        return constraints.real
    event_dim = steps[0][0]
    for entered, region in steps:
        event_dim = max(event_dim + region.event_dim - entered, region.event_dim)
    last = steps[-1][1]
    if event_dim < last.event_dim:
        raise AssertionError(f"event_dim {event_dim} must be >= {name}.event_dim {last.event_dim}")
    extra = event_dim - last.event_dim
    return constraints.independent(last, extra) if extra else last


identity_transform = ComposeTransform([])


class IndependentTransform(Transform):
    """Another map, whose last batch dimensions count as the event."""

    def __init__(self, base_transform, reinterpreted_batch_ndims, cache_size=0):
        super().__init__(cache_size=cache_size)
        self.base_transform = base_transform.with_cache(cache_size)
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims

    def _recached(self, cache_size):
        count = self.reinterpreted_batch_ndims
        return IndependentTransform(self.base_transform, count, cache_size=cache_size)

    @constraints.dependent_property(is_discrete=False)
    def domain(self):
        return constraints.independent(self.base_transform.domain, self.reinterpreted_batch_ndims)

    @constraints.dependent_property(is_discrete=False)
    def codomain(self):
        return constraints.independent(
            self.base_transform.codomain, self.reinterpreted_batch_ndims
        )

    @property
    def bijective(self):
        return self.base_transform.bijective

    @property
    def sign(self):
        return self.base_transform.sign

    def _call(self, x):
        require_dims(x.shape, self.domain.event_dim)
        return self.base_transform(x)

    def _inverse(self, y):
        require_dims(y.shape, self.codomain.event_dim)
        return self.base_transform.inv(y)

    def log_abs_det_jacobian(self, x, y):
        result = self.base_transform.log_abs_det_jacobian(x, y)
        return _sum_rightmost(result, self.reinterpreted_batch_ndims)

    def forward_shape(self, shape):
        return self.base_transform.forward_shape(shape)

    def inverse_shape(self, shape):
        return self.base_transform.inverse_shape(shape)

    def __repr__(self):
        return f"{type(self).__name__}({self.base_transform!r}, {self.reinterpreted_batch_ndims})"


class _Parts(Transform):
    """A map for each part of a tensor along `dim`."""

    def __init__(self, tseq, dim=0, cache_size=0):
        if not all(isinstance(t, Transform) for t in tseq):
            raise AssertionError("All elements of tseq must be Transform instances")
        if cache_size:
            tseq = [t.with_cache(cache_size) for t in tseq]
        super().__init__(cache_size=cache_size)
        self.transforms, self.dim = list(tseq), dim

    def _check(self, value, name, size, what, dim_of="tensor"):
        if not -value.dim() <= self.dim < value.dim():
            raise AssertionError(
                f"dim {self.dim} out of range for {dim_of} with {value.dim()} dimensions"
            )
        found = value.size(self.dim)
        if found != size:
            raise AssertionError(f"{name}.size({self.dim}) = {found} must equal {what} {size}")

    def _call(self, x):
        self._check_one(x, "x")
        parts = zip(self.transforms, self._split(x))
        return self._join([t(part) for t, part in parts], self.dim)

    def _inverse(self, y):
        self._check_one(y, "y")
        parts = zip(self.transforms, self._split(y))
        return self._join([t.inv(part) for t, part in parts], self.dim)

    def _jacobians(self, x, y):
        for name, value in (("x", x), ("y", y)):
            self._check_one(value, name, name)
        parts = zip(self.transforms, self._split(x), self._split(y))
        return [(t, t.log_abs_det_jacobian(before, after)) for t, before, after in parts]

    @property
    def bijective(self):
        return all(t.bijective for t in self.transforms)


class CatTransform(_Parts):
    """Parts of given lengths, as `torch.cat` joins them."""

    def __init__(self, tseq, dim=0, lengths=None, cache_size=0):
        super().__init__(tseq, dim, cache_size)
        self.lengths = [1] * len(self.transforms) if lengths is None else list(lengths)
        if len(self.lengths) != len(self.transforms):
            raise AssertionError(
                f"lengths ({len(self.lengths)}) must match transforms ({len(self.transforms)})"
            )

    def _recached(self, cache_size):
        return CatTransform(self.transforms, self.dim, self.lengths, cache_size)

    @lazy_property
    def event_dim(self):
        return max(t.event_dim for t in self.transforms)

    @lazy_property
    def length(self):
        return sum(self.lengths)

    def _check_one(self, value, name, dim_of="tensor"):
        self._check(value, name, self.length, "length", dim_of)

    def _split(self, value):
        starts = [sum(self.lengths[:i]) for i in range(len(self.lengths))]
        return [value.narrow(self.dim, s, n) for s, n in zip(starts, self.lengths)]

    def _join(self, parts, dim):
        return ops.cat(parts, dim=dim)

    def log_abs_det_jacobian(self, x, y):
        terms = [
            _sum_rightmost(term, max(self.event_dim - t.event_dim, 0))
            for t, term in self._jacobians(x, y)
        ]
        dim = self.dim - x.dim() if self.dim >= 0 else self.dim
        dim += self.event_dim
        return ops.cat(terms, dim=dim) if dim < 0 else sum(terms)

    @constraints.dependent_property
    def domain(self):
        return constraints.cat([t.domain for t in self.transforms], self.dim, self.lengths)

    @constraints.dependent_property
    def codomain(self):
        return constraints.cat([t.codomain for t in self.transforms], self.dim, self.lengths)


class StackTransform(_Parts):
    """Parts as `torch.stack` joins them."""

    def _recached(self, cache_size):
        return StackTransform(self.transforms, self.dim, cache_size)

    def _check_one(self, value, name, dim_of="tensor"):
        self._check(value, name, len(self.transforms), "len(transforms)", dim_of)

    def _split(self, value):
        return [value.select(self.dim, i) for i in range(value.size(self.dim))]

    def _join(self, parts, dim):
        return ops.stack(parts, dim=dim)

    def log_abs_det_jacobian(self, x, y):
        return ops.stack([term for _, term in self._jacobians(x, y)], dim=self.dim)

    @constraints.dependent_property
    def domain(self):
        return constraints.stack([t.domain for t in self.transforms], self.dim)

    @constraints.dependent_property
    def codomain(self):
        return constraints.stack([t.codomain for t in self.transforms], self.dim)
