"""Norms and clipping of gradients, and parameters as one vector."""

import types
import warnings

from ... import ops
from ...core.op import TABLE
from ...core.tape import no_grad
from ...core.tensor import Tensor
from ..module import typename


def _listed(tensors):
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def _check_foreach(foreach, tensors):
    """`foreach` picks between spellings of one thing; PyTorch has none on other devices."""
    for tensor in tensors if foreach else ():
        if tensor.device.type not in ("cpu", "cuda"):
            raise RuntimeError(
                "foreach=True was passed, but can't use the foreach API on "
                f"{tensor.device.type} tensors"
            )


@no_grad()
def get_total_norm(tensors, norm_type=2.0, error_if_nonfinite=False, foreach=None):
    """The norm of all tensors together, as if they were one vector."""
    tensors, norm_type = _listed(tensors), float(norm_type)
    if not tensors:
        return ops.tensor(0.0)
    _check_foreach(foreach, tensors)
    where = tensors[0].device
    vector_norm = TABLE["linalg", "vector_norm"]
    norms = [vector_norm(t, norm_type).to(where) for t in tensors]
    total = vector_norm(ops.stack(norms), norm_type)
    if error_if_nonfinite and ops.logical_or(total.isnan(), total.isinf()):
        raise RuntimeError(
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, "
            "so it cannot be clipped. To disable this error and scale the gradients by the "
            "non-finite norm anyway, set `error_if_nonfinite=False`"
        )
    return total


@no_grad()
def clip_grads_with_norm_(parameters, max_norm, total_norm, foreach=None):
    """Scales the gradients so that a total norm above `max_norm` becomes `max_norm`."""
    grads = [p.grad for p in _listed(parameters) if p.grad is not None]
    if not grads:
        return
    _check_foreach(foreach, grads)
    scale = ops.clamp(float(max_norm) / (total_norm + 1e-6), max=1.0)
    for grad in grads:
        grad.mul_(scale.to(grad.device))


@no_grad()
def clip_grad_norm_(
    parameters, max_norm, norm_type=2.0, error_if_nonfinite=False, foreach=None
):
    """Scales the gradients down to a total norm of at most `max_norm`; returns the norm."""
    generator = isinstance(parameters, types.GeneratorType)
    parameters = _listed(parameters)
    max_norm = float(max_norm)
    if generator and not parameters:
        warnings.warn(
            "`parameters` is an empty generator, no gradient clipping will occur.", stacklevel=3
        )
    grads = [p.grad for p in parameters if p.grad is not None]
    total_norm = get_total_norm(grads, norm_type, error_if_nonfinite, foreach)
    clip_grads_with_norm_(parameters, max_norm, total_norm, foreach)
    return total_norm


def clip_grad_norm(
    parameters, max_norm, norm_type=2.0, error_if_nonfinite=False, foreach=None
):
    """Deprecated: `clip_grad_norm_`."""
    warnings.warn(
        "`torch.nn.utils.clip_grad_norm` is now deprecated in favor of "
        "`torch.nn.utils.clip_grad_norm_`.",
        FutureWarning,
        stacklevel=2,
    )
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


@no_grad()
def clip_grad_value_(parameters, clip_value, foreach=None):
    """Cuts every element of the gradients to [-clip_value, clip_value]."""
    clip_value = float(clip_value)
    grads = [p.grad for p in _listed(parameters) if p.grad is not None]
    _check_foreach(foreach, grads)
    for grad in grads:
        grad.clamp_(min=-clip_value, max=clip_value)


# ----- parameters as a vector -----
def parameters_to_vector(parameters):
    """All parameters, flattened and joined."""
    parameters = list(parameters)
    _check_one_device(parameters)
    return ops.cat([param.view(-1) for param in parameters])


def vector_to_parameters(vec, parameters):
    """Gives every parameter its slice of the vector as data."""
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected torch.Tensor, but got: {typename(vec)}")
    parameters, start = list(parameters), 0
    _check_one_device(parameters)
    for param in parameters:
        stop = start + param.numel()
        param.data = vec[start:stop].view_as(param).data
        start = stop


def _check_one_device(parameters):
    if len({param.device for param in parameters}) > 1:
        raise TypeError(
            "Found two parameters on different devices, this is currently not supported."
        )
