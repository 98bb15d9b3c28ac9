"""Normalization over the batch, instances, groups, layers and neighbouring channels."""

import sys
import warnings
from numbers import Integral

from .. import ops
from ..core.dtypes import int64
from ..core.storage import let_go
from ..core.tape import no_grad
from ..core.wrong_call import own_init
from ..ops.norms import cross_map_lrn
from . import functional as F
from . import init
from .layers import Described
from .module import Module
from .parameter import fresh


class _Affine(Module):
    """A layer with a weight of ones and a bias of zeros, where it has them."""

    def _make_affine(self, shape, weight, bias, device, dtype):
        self.register_parameter("weight", fresh(shape, device, dtype, weight))
        self.register_parameter("bias", fresh(shape, device, dtype, weight and bias))

    def reset_parameters(self):
        """Sets the weight to ones and the bias to zeros."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)


# ----- with running statistics -----
class _NormBase(_Affine):
    _version = 2
    __constants__ = ["track_running_stats", "momentum", "eps", "num_features", "affine"]
    _dims = ()

    def __init__(
        self, num_features, eps=1e-5, momentum=0.1, affine=True, track_running_stats=True,
        device=None, dtype=None, *, bias=True,
    ):
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self._make_affine(num_features, affine, bias, device, dtype)
        mean = var = count = None
        if track_running_stats:
            mean = ops.zeros(num_features, device=device, dtype=dtype)
            var = ops.ones(num_features, device=device, dtype=dtype)
            count = ops.tensor(0, dtype=int64, device=device)
        self.register_buffer("running_mean", mean)
        self.register_buffer("running_var", var)
        self.register_buffer("num_batches_tracked", count)
        self.reset_parameters()

    def reset_running_stats(self):
        """Forgets what was seen so far."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self):
        """Forgets what was seen and learned so far."""
        self.reset_running_stats()
        super().reset_parameters()

    def _check_input_dim(self, input):
        if not self._dims:
            raise NotImplementedError
        if input.dim() not in self._dims:
            expected = " or ".join(f"{n}D" for n in self._dims)
            raise ValueError(f"expected {expected} input (got {input.dim()}D input)")

    def extra_repr(self):
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, bias={self.bias is not None}, "
            f"track_running_stats={self.track_running_stats}"
        )

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, *rest):
        version = local_metadata.get("version", None)
        key = prefix + "num_batches_tracked"
        if (version is None or version < 2) and self.track_running_stats and key not in state_dict:
            count = self.num_batches_tracked
            known = count is not None and count.device.type != "meta"
            state_dict[key] = count if known else ops.tensor(0, dtype=int64)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)


@own_init
class _BatchNorm(_NormBase):
    def forward(self, input):
        self._check_input_dim(input)
        factor = 0.0 if self.momentum is None else self.momentum
        tracking = self.training and self.track_running_stats
        if tracking and self.num_batches_tracked is not None:
            let_go(self.num_batches_tracked._storage)  # a pin doesn't hold a step up
            self.num_batches_tracked.add_(1)
            if self.momentum is None:  # a plain average over all batches
                factor = 1.0 / float(self.num_batches_tracked)
        mean, var = self.running_mean, self.running_var
        by_batch = self.training or mean is None and var is None
        if self.training and not self.track_running_stats:
            mean = var = None
        return F.batch_norm(
            input, mean, var, self.weight, self.bias, by_batch, factor, self.eps
        )


class BatchNorm1d(_BatchNorm):
    """Normalizes every feature of (N, C) or (N, C, L) over the batch."""

    _dims = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Normalizes every channel of images over the batch."""

    _dims = (4,)


class BatchNorm3d(_BatchNorm):
    """Normalizes every channel of volumes over the batch."""

    _dims = (5,)


class SyncBatchNorm(_BatchNorm):
    """BatchNorm for any number of dimensions; statistics across processes are not supported."""

    def __init__(
        self, num_features, eps=1e-5, momentum=0.1, affine=True, track_running_stats=True,
        process_group=None, device=None, dtype=None, *, bias=True,
    ):
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias
        )
        self.process_group = process_group

    def _check_input_dim(self, input):
        if input.dim() < 2:
            raise ValueError(f"expected at least 2D input (got {input.dim()}D input)")
        if input.size(1) == 0:
            raise ValueError("SyncBatchNorm number of input channels should be non-zero")
        distributed = sys.modules.get("torchlike.distributed")
        if self.training and distributed and distributed.is_initialized():
            _check_one_process(distributed, input)

    @classmethod
    def convert_sync_batchnorm(cls, module, process_group=None):
        """The module with every BatchNorm in it replaced, parameters and statistics kept."""
        made = module
        if isinstance(module, _BatchNorm):
            made = SyncBatchNorm(
                module.num_features, module.eps, module.momentum, module.affine,
                module.track_running_stats, process_group, bias=module.bias is not None,
            )
            with no_grad():
                made.weight, made.bias = module.weight, module.bias
            made.running_mean, made.running_var = module.running_mean, module.running_var
            made.num_batches_tracked = module.num_batches_tracked
            made.training = module.training
        for name, child in module.named_children():
            made.add_module(name, cls.convert_sync_batchnorm(child, process_group))
        return made


def _check_one_process(distributed, input):
    if input.device.type == "cpu":
        raise ValueError("SyncBatchNorm expected input tensor to be on GPU or XPU or privateuseone")
    if distributed.get_world_size() > 1:
        raise NotImplementedError("SyncBatchNorm: statistics across processes are not supported")


class _InstanceNorm(_NormBase):
    def __init__(
        self, num_features, eps=1e-5, momentum=0.1, affine=False, track_running_stats=False,
        device=None, dtype=None, *, bias=True,
    ):
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias
        )

    def _get_no_batch_dim(self):
        return self._dims[0]

    def forward(self, input):
        self._check_input_dim(input)
        self._check_features(input)
        if input.dim() == self._get_no_batch_dim():
            return self._apply_instance_norm(input.unsqueeze(0)).squeeze(0)
        return self._apply_instance_norm(input)

    def _check_features(self, input):
        dim = input.dim() - self._get_no_batch_dim()
        if input.size(dim) == self.num_features:
            return
        if self.affine:
            raise ValueError(
                f"expected input's size at dim={dim} to match num_features "
                f"({self.num_features}), but got: {input.size(dim)}."
            )
        warnings.warn(
            f"input's size at dim={dim} does not match num_features. You can silence this "
            "warning by not passing in num_features, which is not used because affine=False",
            stacklevel=3,
        )

    def _apply_instance_norm(self, input):
        return F.instance_norm(
            input, self.running_mean, self.running_var, self.weight, self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum, self.eps,
        )

    def _load_from_state_dict(
        self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
    ):
        old = [prefix + name for name in ("running_mean", "running_var")
               if prefix + name in state_dict]
        version = local_metadata.get("version", None)
        if version is None and not self.track_running_stats and old:
            names = " and ".join(f'"{key}"' for key in old)
            error_msgs.append(_OLD_STATISTICS.format(names=names, klass=type(self).__name__))
            for key in old:
                state_dict.pop(key)
        super()._load_from_state_dict(
            state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
        )


_OLD_STATISTICS = (
    "Unexpected running stats buffer(s) {names} for {klass} with track_running_stats=False. If "
    "state_dict is a checkpoint saved before 0.4.0, this may be expected because {klass} does not "
    "track running stats by default since 0.4.0. Please remove these keys from state_dict. If the "
    "running stats are actually needed, instead set track_running_stats=True in {klass} to enable "
    "them. See the documentation of {klass} for details."
)


class InstanceNorm1d(_InstanceNorm):
    """Normalizes every channel of every sequence by itself."""

    _dims = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """Normalizes every channel of every image by itself."""

    _dims = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """Normalizes every channel of every volume by itself."""

    _dims = (4, 5)


# ----- without -----
def _as_shape(shape):
    return (shape,) if isinstance(shape, Integral) else tuple(shape)


class LayerNorm(_Affine):
    """Normalizes over the last dimensions."""

    __constants__ = ["normalized_shape", "eps", "elementwise_affine"]

    def __init__(
        self, normalized_shape, eps=1e-5, elementwise_affine=True, bias=True, device=None,
        dtype=None,
    ):
        super().__init__()
        self.normalized_shape = _as_shape(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self._make_affine(self.normalized_shape, elementwise_affine, bias, device, dtype)
        self.reset_parameters()

    def forward(self, input):
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self):
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        )


class GroupNorm(_Affine):
    """Normalizes over groups of channels."""

    __constants__ = ["num_groups", "num_channels", "eps", "affine"]

    def __init__(
        self, num_groups, num_channels, eps=1e-5, affine=True, device=None, dtype=None, *,
        bias=True,
    ):
        super().__init__()
        if num_channels % num_groups != 0:
            raise ValueError(
                f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})"
            )
        self.num_groups, self.num_channels = num_groups, num_channels
        self.eps, self.affine = eps, affine
        self._make_affine(num_channels, affine, bias, device, dtype)
        self.reset_parameters()

    def forward(self, input):
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self):
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class RMSNorm(Described):
    """Divides by the root of the mean square over the last dimensions."""

    __constants__ = ["normalized_shape", "eps", "elementwise_affine"]
    _text = "{normalized_shape}, eps={eps}, elementwise_affine={elementwise_affine}"

    def __init__(
        self, normalized_shape, eps=None, elementwise_affine=True, device=None, dtype=None
    ):
        super().__init__()
        self.normalized_shape = _as_shape(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        weight = fresh(self.normalized_shape, device, dtype, elementwise_affine)
        self.register_parameter("weight", weight)
        self.reset_parameters()

    def reset_parameters(self):
        """Sets the weight to ones."""
        if self.elementwise_affine:
            init.ones_(self.weight)

    def forward(self, x):
        return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)


class _ChannelWindow(Described):
    __constants__ = ["size", "alpha", "beta", "k"]
    _text = "{size}, alpha={alpha}, beta={beta}, k={k}"

    def _set(self, size, alpha, beta, k):
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, input):
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)


class LocalResponseNorm(_ChannelWindow):
    """Divides by a power of the mean square over neighbouring channels."""

    def __init__(self, size, alpha=0.0001, beta=0.75, k=1.0):
        super().__init__()
        self._set(size, alpha, beta, k)


class CrossMapLRN2d(_ChannelWindow):
    """LocalResponseNorm under its name in Caffe."""

    def __init__(self, size, alpha=0.0001, beta=0.75, k=1):
        super().__init__()
        self._set(size, alpha, beta, k)

    def forward(self, input):
        if input.dim() != 4:
            raise ValueError(
                f"CrossMapLRN2d: Expected input to be 4D, got {input.dim()}D instead."
            )
        return cross_map_lrn(input, self.size, float(self.alpha), float(self.beta), float(self.k))
