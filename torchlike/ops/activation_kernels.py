"""Activations as PyTorch's kernels take them: `torch.celu`, and the twins `torch.celu_`, `F.elu_`.

They have no argument `inplace`; `nn.functional`'s own, which have it, are in `activation`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core.dtypes import BOOL
from ..core.mutate import write_out
from ..core.op import TABLE, checked, composite, publish
from ..core.tensor import Tensor
from .activation import elu_scaled, hardtanh_of, rrelu_run, run


def _both(make: Callable[[bool], Callable[..., Tensor]], *places: str) -> None:
    """Publish `make(inplace=True)` as a twin; in `torch` what it makes of False too."""
    twin = make(True)
    name = twin.__name__ + "_"
    twin.__doc__ = f"In-place `{twin.__name__}`."
    if "torch" in places:
        composite(method=False)(make(False))
        composite(name=name, method=False)(twin)
    publish("nn.functional", name, TABLE.get(("torch", name)) or checked(twin, places[0], name))


def _selu(inplace: bool) -> Callable[..., Tensor]:
    inner = TABLE["nn.functional", "selu"]

    def selu(input: Tensor) -> Tensor:
        return inner(input, inplace)

    return selu


def _celu(inplace: bool) -> Callable[..., Tensor]:
    inner = TABLE["nn.functional", "celu"]

    def celu(input: Tensor, alpha: Any = 1.0) -> Tensor:
        return inner(input, alpha, inplace)

    return celu


def _rrelu(inplace: bool) -> Callable[..., Tensor]:
    def rrelu(
        input: Tensor, lower: Any = 1 / 8, upper: Any = 1 / 3, training: bool = False,
        generator: Any = None,
    ) -> Tensor:  # fmt: skip
        return rrelu_run(input, lower, upper, training, inplace, generator)

    return rrelu


def _leaky(inplace: bool) -> Callable[..., Tensor]:
    inner = TABLE["nn.functional", "leaky_relu"]

    def leaky_relu(input: Tensor, negative_slope: Any = 0.01) -> Tensor:
        return inner(input, negative_slope, inplace)

    return leaky_relu


def _elu(inplace: bool) -> Callable[..., Tensor]:
    inner = TABLE["nn.functional", "elu"]

    def elu(input: Tensor, alpha: Any = 1, scale: Any = 1, input_scale: Any = 1) -> Tensor:
        if scale == input_scale == 1:
            return inner(input, alpha, inplace)
        return run(elu_scaled, inplace, input, alpha, scale, input_scale)

    return elu


def _hardtanh(inplace: bool) -> Callable[..., Tensor]:
    def hardtanh(input: Tensor, min_val: Any = -1, max_val: Any = 1) -> Tensor:
        if input.dtype.category == BOOL:
            raise RuntimeError("Bool inputs not supported for hardtanh")
        return run(hardtanh_of, inplace, input, min_val, max_val)

    return hardtanh


for _make in (_selu, _celu, _rrelu):
    _both(_make, "torch")
for _make in (_leaky, _elu, _hardtanh):
    _both(_make, "nn.functional")


@composite(method=False)
def threshold(input: Tensor, threshold: Any, value: Any, *, out: Any = None) -> Tensor:
    """The input, or `value` where it does not exceed the threshold."""
    found = TABLE["nn.functional", "threshold"](input, threshold, value)
    return found if out is None else write_out("threshold", out, found)


@composite(method=False)
def threshold_(input: Tensor, threshold: Any, value: Any) -> Tensor:
    """In-place `threshold`."""
    return TABLE["nn.functional", "threshold"](input, threshold, value, True)


publish("nn.functional", "threshold_", TABLE["torch", "threshold_"])
