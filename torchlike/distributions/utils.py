"""What the distributions share: broadcasting, probabilities and logits, lazily made attributes."""

import functools

from .. import ops
from ..core.dtypes import finfo, get_default_dtype
from ..core.tape import enable_grad
from ..core.tensor import Tensor
from ..nn import functional as F

euler_constant = 0.57721566490153286060  # Euler's, to double precision


def is_number(value):
    return isinstance(value, bool | int | float)


def _is_tensor_like(value):
    return isinstance(value, Tensor) or hasattr(value, "__torch_function__")


def broadcast_all(*values):
    """Tensors of one shape; numbers get the dtype of the first tensor, or the default one."""
    if not all(_is_tensor_like(v) or is_number(v) for v in values):
        raise ValueError(
            "Input arguments must all be instances of Number, torch.Tensor or objects "
            "implementing __torch_function__."
        )
    first = next((v for v in values if isinstance(v, Tensor)), None)
    kind = get_default_dtype() if first is None else first.dtype
    place = None if first is None else first.device
    made = [ops.tensor(v, dtype=kind, device=place) if is_number(v) else v for v in values]
    return ops.broadcast_tensors(*made)


def _standard_normal(shape, dtype, device):
    return ops.empty(shape, dtype=dtype, device=device).normal_()


def _sum_rightmost(value, dim):
    """The sum over the last `dim` dimensions."""
    if dim == 0:
        return value
    return value.reshape(value.shape[:-dim] + (-1,)).sum(-1)


def filled(dist, like, value):
    """One value for every element of the distribution."""
    return ops.full(dist._extended_shape(), value, dtype=like.dtype, device=like.device)


# ----- probabilities and logits -----


def logits_to_probs(logits, is_binary=False):
    """Probabilities from log-odds, or from unnormalised log-probabilities along the last dim."""
    return ops.sigmoid(logits) if is_binary else F.softmax(logits, dim=-1)


def clamp_probs(probs):
    """Probabilities kept an epsilon away from 0 and 1."""
    eps = finfo(probs.dtype).eps
    return probs.clamp(min=eps, max=1 - eps)


def probs_to_logits(probs, is_binary=False):
    """The inverse of `logits_to_probs`, finite also at 0 and 1."""
    inside = clamp_probs(probs)
    if is_binary:
        return ops.log(inside) - ops.log1p(-inside)
    return ops.log(inside)


class lazy_property:
    """A property computed once, with gradients on, and kept in the instance."""

    def __init__(self, wrapped):
        self.wrapped = wrapped
        functools.update_wrapper(self, wrapped)

    def __get__(self, instance, obj_type=None):
        if instance is None:
            return _lazy_property_and_property(self.wrapped)
        with enable_grad():
            value = self.wrapped(instance)
        setattr(instance, self.wrapped.__name__, value)
        return value


class _lazy_property_and_property(lazy_property, property):
    """What the class shows for a lazy property: documentation tools look for a property."""

    def __init__(self, wrapped):
        property.__init__(self, wrapped)


class ProbsOrLogits:
    """Holds what was given of `probs` and `logits`; the other is made when it is asked for."""

    def _hold(self, probs, logits, total_count=None):
        """Keeps one of the two, broadcast against `total_count` if there is one."""
        require_one(probs, logits)
        name, given = ("logits", logits) if probs is None else ("probs", probs)
        if total_count is None:
            (given,) = broadcast_all(given)
        else:
            total_count, given = broadcast_all(total_count, given)
            self.total_count = total_count.type_as(given)
        setattr(self, name, given)
        self._param = given


    def _new(self, *args, **kwargs):
        return self._param.new(*args, **kwargs)

    @property
    def param_shape(self):
        return self._param.size()

    @lazy_property
    def logits(self):
        return probs_to_logits(self.probs, is_binary=True)

    @lazy_property
    def probs(self):
        return logits_to_probs(self.logits, is_binary=True)


def require_one(probs, logits):
    if (probs is None) == (logits is None):
        raise ValueError("Either `probs` or `logits` must be specified, but not both.")


# ----- triangles as vectors -----


def _triangle(n, diag, device):
    row = ops.arange(n, device=device)
    return row < row.view(-1, 1) + (diag + 1)


def tril_matrix_to_vec(mat, diag=0):
    """The elements on and below the `diag`-th diagonal, row by row."""
    n = mat.shape[-1]
    if diag < -n or diag >= n:
        raise ValueError(f"diag ({diag}) provided is outside [{-n}, {n - 1}].")
    return mat[..., _triangle(n, diag, mat.device)]


def vec_to_tril_matrix(vec, diag=0):
    """The square matrix whose lower triangle holds the vector."""
    side, length = 1 + 2 * diag, vec.shape[-1]
    n = (-side + (side**2 + 8 * length + 4 * abs(diag) * (diag + 1)) ** 0.5) / 2
    if round(n) - n > finfo(vec.dtype).eps:
        raise ValueError(
            f"The size of last dimension is {length} which cannot be expressed as "
            "the lower triangular part of a square D x D matrix."
        )
    n = round(n)
    mat = vec.new_zeros(vec.shape[:-1] + (n, n))
    mat[..., _triangle(n, diag, vec.device)] = vec
    return mat


def along_batch(dist, values, expand):
    """Scalar values along a new first dimension, before the batch."""
    values = values.view((-1,) + (1,) * len(dist._batch_shape))
    return values.expand((-1,) + dist._batch_shape) if expand else values


def require_dims(shape, count):
    """Refuses a shape with fewer dimensions than an event."""
    if len(shape) < count:
        raise ValueError("Too few dimensions on input")
    return shape
