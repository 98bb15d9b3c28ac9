"""Folding a BatchNorm into the layer before it, and modules without initial values."""

import copy
import inspect

from ... import ops
from ...core.parameter import Parameter
from ..module import Module


def _check_eval(layer, bn):
    if layer.training or bn.training:
        raise AssertionError("Fusion only for eval!")
    if bn.running_mean is None or bn.running_var is None:
        raise AssertionError("bn.running_mean and bn.running_var must not be None")


def fuse_conv_bn_eval(conv, bn, transpose=False):
    """One convolution that does what both layers do in evaluation mode."""
    _check_eval(conv, bn)
    fused = copy.deepcopy(conv)
    fused.weight, fused.bias = fuse_conv_bn_weights(
        fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias,
        transpose,
    )
    return fused


def fuse_conv_bn_weights(conv_w, conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, transpose=False):
    """Weight and bias of the one convolution."""
    shape = [1, 1] + [1] * (conv_w.dim() - 2)
    shape[1 if transpose else 0] = -1
    conv_b, bn_w, bn_b = _defaults(conv_b, bn_w, bn_b, bn_rm)
    scale = bn_w * ops.rsqrt(bn_rv + bn_eps)
    return _parameters(
        conv_w, conv_b, conv_w * scale.reshape(shape), (conv_b - bn_rm) * scale + bn_b
    )


def fuse_linear_bn_eval(linear, bn):
    """One linear layer that does what both layers do in evaluation mode."""
    _check_eval(linear, bn)
    if bn.num_features not in (linear.out_features, 1):
        raise AssertionError(
            "To fuse, linear.out_features == bn.num_features or bn.num_features == 1, got "
            f"linear.out_features={linear.out_features} and bn.num_features={bn.num_features}"
        )
    fused = copy.deepcopy(linear)
    fused.weight, fused.bias = fuse_linear_bn_weights(
        fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias
    )
    return fused


def fuse_linear_bn_weights(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b):
    """Weight and bias of the one linear layer."""
    linear_b, bn_w, bn_b = _defaults(linear_b, bn_w, bn_b, bn_rm)
    scale = bn_w * ops.rsqrt(bn_rv + bn_eps)
    return _parameters(
        linear_w, linear_b, linear_w * scale.unsqueeze(-1), (linear_b - bn_rm) * scale + bn_b
    )


def _defaults(bias, bn_w, bn_b, like):
    return (
        ops.zeros_like(like) if bias is None else bias,
        ops.ones_like(like) if bn_w is None else bn_w,
        ops.zeros_like(like) if bn_b is None else bn_b,
    )


def _parameters(weight, bias, new_weight, new_bias):
    return (
        Parameter(new_weight.to(dtype=weight.dtype), weight.requires_grad),
        Parameter(new_bias.to(dtype=bias.dtype), bias.requires_grad),
    )


def skip_init(module_cls, *args, **kwargs):
    """A module whose parameters are not initialized."""
    if not issubclass(module_cls, Module):
        raise RuntimeError(f"Expected a Module; got {module_cls}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeError("Module must support a 'device' arg to skip initialization")
    device = kwargs.pop("device", "cpu")
    return module_cls(*args, device="meta", **kwargs).to_empty(device=device)
