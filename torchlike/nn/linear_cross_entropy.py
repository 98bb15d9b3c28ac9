"""Cross entropy of a linear layer as one function."""

import math
from dataclasses import dataclass

from ..core import dtypes
from ..core.op import TABLE

_POLICIES = ("auto", "accurate", "balanced", "compact")


def _is_method(method):
    if method is None or method == "auto":
        return True
    name, colon, factor = method.partition(":")
    return name == "aspect_ratio" and (not colon or factor.isdigit() and int(factor) > 0)


@dataclass(slots=True, frozen=True)
class LinearCrossEntropyOptions:
    """How PyTorch splits the batch to save memory; checked, but XLA decides that by itself."""

    allow_retain_graph: bool = False
    batch_chunk_size: int | None = None
    chunking_method: str | None = "auto"
    acc_policy: str = "auto"
    acc_dtype: object = None

    def __post_init__(self):
        size, kinds = self.batch_chunk_size, (None, *_ACCUMULATE)
        if self.acc_policy not in _POLICIES:
            raise ValueError(f"invalid acc_policy: {self.acc_policy!r}")
        if not _is_method(self.chunking_method):
            raise ValueError(f"invalid chunking_method: {self.chunking_method!r}")
        if size is not None and not (isinstance(size, int) and size > 0):
            raise ValueError(f"batch_chunk_size must be positive int or None, got {size!r}")
        if self.acc_dtype not in kinds:
            raise ValueError(
                "acc_dtype must be one of {None, torch.float16, torch.bfloat16, torch.float32, "
                f"torch.float64}}, got {self.acc_dtype!r}. Pass acc_dtype=None to let the op pick "
                "automatically."
            )


_ACCUMULATE = (dtypes.float16, dtypes.bfloat16, dtypes.float32, dtypes.float64)


def linear_cross_entropy(
    input, linear_weight, target, *, linear_bias=None, weight=None, reduction="mean",
    ignore_index=None, label_smoothing=0.0, options=None,
):
    """cross_entropy(linear(input)); the weight is (classes, …, features)."""
    _check(input, linear_weight, linear_bias)
    classes, *outer, features = linear_weight.shape
    shape = (*input.shape[:-1], classes, *outer)
    if tuple(target.shape) == shape and ignore_index is not None:
        raise RuntimeError("ignore_index cannot be specified when target contains probabilities")
    if outer:
        width = math.prod(outer, start=classes)
        linear_weight = linear_weight.reshape((width, features))
        linear_bias = None if linear_bias is None else linear_bias.reshape(width)
    logits = TABLE["nn.functional", "linear"](input, linear_weight, linear_bias).reshape(shape)
    return TABLE["nn.functional", "cross_entropy"](
        logits, target, weight=weight, reduction=reduction,
        ignore_index=-100 if ignore_index is None else ignore_index,
        label_smoothing=label_smoothing,
    )


def _check(input, weight, bias):
    if input.dim() not in (1, 2):
        raise RuntimeError(f"expected input with dimensionality 1 or 2, got {input.dim()}")
    if weight.dim() < 2:
        raise RuntimeError(
            f"expected linear_weight with dimensionality at least 2, got {weight.dim()}"
        )
    if input.shape[-1] != weight.shape[-1]:
        raise RuntimeError(
            "expected equal input and linear_weight last dimensions (in_features), got "
            f"{input.shape[-1]} and {weight.shape[-1]}, respectively"
        )
    shape = tuple(weight.shape[:-1])
    if bias is not None and tuple(bias.shape) != shape:
        raise RuntimeError(f"expected linear_bias shape {shape}, got {tuple(bias.shape)}")
    if len(shape) > 1 and input.dim() == 1:
        raise RuntimeError(
            f"K-dimensional loss defined by linear_weight shape {tuple(weight.shape)} requires "
            f"batched input, (N, {input.shape[-1]}), got unbatched input with shape "
            f"{tuple(input.shape)}"
        )
