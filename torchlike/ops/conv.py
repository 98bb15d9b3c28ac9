"""Convolutions: one op, its gradients, and PyTorch's public forms of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jax import lax

from ..core.dispatch import call
from ..core.dtypes import C_NAMES, from_numpy
from ..core.op import TABLE, Array, Optional, checked, composite, op, publish
from ..core.tensor import Tensor
from ..core.wrong_call import demand
from .conv_forms import (
    Geometry,
    correlate,
    output_size,
    padded_size,
    spread,
    spread_size,
    weigh,
)
from .kinds import NUMERIC, refuse, scalar_name
from .unary import conj


# ----- checks, in PyTorch's words -----
def _check_geometry(x: Any, w: Any, geo: Geometry, transposed: bool, extra: Sequence[int]) -> None:
    if min(geo.padding) < 0:
        raise RuntimeError("negative padding is not supported")
    if min(extra) < 0:
        raise RuntimeError("negative output_padding is not supported")
    if min(geo.stride) <= 0:
        raise RuntimeError("non-positive stride is not supported")
    if min(geo.dilation) <= 0:
        zero = "non-positive dilation is not supported"
        raise RuntimeError(zero if 0 in geo.dilation else "dilation should be greater than zero")
    _check_channels(x, w, geo, transposed)
    if transposed:
        _check_extra(geo, extra)
        return
    reach = [d * (k - 1) + 1 for k, d in zip(w.shape[2:], geo.dilation)]
    have = padded_size(x.shape[2:], geo)
    if any(n < k for n, k in zip(have, reach)):
        raise RuntimeError(
            f"Calculated padded input size per channel: ({' x '.join(map(str, have))}). Kernel "
            f"size: ({' x '.join(map(str, reach))}). Kernel size can't be greater than actual "
            "input size"
        )


def _check_channels(x: Any, w: Any, geo: Geometry, transposed: bool) -> None:
    groups, shape = geo.groups, list(w.shape)
    if groups <= 0:
        raise RuntimeError("non-positive groups is not supported")
    if w.shape[0] < groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be at least {groups} at dimension 0, but "
            f"got weight of size {shape} instead"
        )
    if w.shape[0] % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, "
            f"but got weight of size [{shape}] instead"
        )
    wanted = w.shape[0] if transposed else w.shape[1] * groups
    if x.shape[1] != wanted:
        given = "transposed=1" if transposed else f"groups={groups}"
        raise RuntimeError(
            f"Given {given}, weight of size {shape}, expected input{list(x.shape)} to have "
            f"{wanted} channels, but got {x.shape[1]} channels instead"
        )


def _empty_kernel(size: Sequence[int]) -> str:
    said = "kernel size should be greater than zero, but got"
    if len(size) == 3:
        return f"{said}: {' x '.join(map(str, size))} (TxHxW)"
    height, width = size if len(size) == 2 else (1, *size)
    return f"{said} kernel_height: {height} kernel_width: {width}"


def _check_extra(geo: Geometry, extra: Sequence[int]) -> None:
    if len(extra) == 1:  # PyTorch sees a height of 1
        extra, geo = (0, *extra), geo._replace(stride=(1, *geo.stride), dilation=(1, *geo.dilation))
    if any(e >= s and e >= d for e, s, d in zip(extra, geo.stride, geo.dilation)):
        names = ("depth", "height", "width")[3 - len(extra) :]
        said = " ".join(
            f"{what}_{name}: {value}"
            for what, values in (
                ("output_padding", extra), ("stride", geo.stride), ("dilation", geo.dilation)
            )
            for name, value in zip(names, values)
        )  # fmt: skip
        raise RuntimeError(
            f"output padding must be smaller than either stride or dilation, but got {said}"
        )


def _check_types(x: Any, w: Any, bias: Any, transposed: bool, groups: int) -> None:
    if transposed and x.dtype != w.dtype:
        if x.dtype == bool:
            dims = max(x.ndim - 2, 2)
            raise NotImplementedError(
                f"\"slow_conv_transpose{dims}d_out_cpu\" not implemented for 'Bool'"
            )
        raise RuntimeError(f"expected scalar type {scalar_name(x)} but found {scalar_name(w)}")
    if bias is not None and bias.dtype != x.dtype:
        names = C_NAMES[from_numpy(x.dtype)], C_NAMES[from_numpy(bias.dtype)]
        raise RuntimeError("Input type ({}) and bias type ({}) should be the same".format(*names))
    if x.dtype != w.dtype:
        raise RuntimeError(f"expected scalar type {scalar_name(x)} but found {scalar_name(w)}")
    if x.ndim == 4:
        refuse("slow_conv2d_cpu", x, NUMERIC)
    if bias is None:
        return
    wanted = w.shape[1] * groups if transposed else w.shape[0]
    if bias.shape != (wanted,):
        given = "Given transposed=1, weight" if transposed else "Given weight"
        raise RuntimeError(
            f"{given} of size {list(w.shape)}, expected bias to be 1-dimensional with {wanted} "
            f"elements, but got bias of size {list(bias.shape)} instead"
        )


# ----- the op -----
def _geometry(n: int, stride: Any, padding: Any, dilation: Any, groups: int) -> Geometry:
    return Geometry(
        spread_size("stride", stride, n), spread_size("padding", padding, n),
        spread_size("dilation", dilation, n), groups,
    )  # fmt: skip


def _per_dim(name: str) -> Any:
    """An argument of a convolution as a node shows it: a number for each dim."""

    def shown(call: Any) -> Any:
        value = getattr(call, name)
        return value if isinstance(value, (tuple, list)) else (value,) * (len(call.input.shape) - 2)

    return shown


_SHOWS = {n: _per_dim(n) for n in ("stride", "padding", "dilation", "output_padding")} | {
    "bias_sym_sizes_opt": lambda call: call.size("bias") or (0,)
}


@op(promote="none", method=False, out=False, shows=_SHOWS)
def convolution(
    input: Array, weight: Array, bias: Optional[Array], stride: object, padding: object,
    dilation: object, transposed: bool, output_padding: object, groups: int,
):  # fmt: skip
    n = weight.ndim - 2
    if n < 1:
        raise RuntimeError("weight should have at least three dimensions")
    if 0 in weight.shape[2:]:
        raise RuntimeError(_empty_kernel(weight.shape[2:]))
    geo = _geometry(n, stride, padding, dilation, groups)
    extra = spread_size("output_padding", output_padding, n)
    _check_geometry(input, weight, geo, transposed, extra)
    _check_types(input, weight, bias, transposed, groups)
    if transposed:
        grown = _grown(input.shape[2:], weight.shape[2:], geo, extra)
        _check_grown(input.shape[2:], grown)
        found = spread(input, weight, geo, grown)
    else:
        found = correlate(input, weight, geo, output_size(input.shape[2:], weight.shape[2:], geo))
    return found if bias is None else found + bias.reshape(-1, *(1,) * n)


def _grown(size: Any, kernel: Any, geo: Geometry, extra: Sequence[int]) -> tuple[int, ...]:
    """The spatial shape of a transposed convolution's result."""
    return tuple(
        (n - 1) * s - 2 * p + d * (k - 1) + 1 + e
        for n, k, s, p, d, e in zip(size, kernel, geo.stride, geo.padding, geo.dilation, extra)
    )


def _check_grown(size: Any, grown: Sequence[int]) -> None:
    if min(grown) <= 0:
        raise RuntimeError(
            f"Given input size per channel: ({' x '.join(map(str, size))}). Calculated output size "
            f"per channel: ({' x '.join(map(str, grown))}). Output size is too small"
        )


@convolution.gradient
def _(grad, input, weight, bias, stride, padding, dilation, transposed, output_padding, groups):
    n = weight.ndim - 2
    geo = _geometry(n, stride, padding, dilation, groups)
    back = _input_gradient(grad, input, conj(weight), geo, transposed)
    input = conj(input)
    of_weight = (
        conv_weight(grad, input, tuple(weight.shape[2:]), *geo)
        if transposed
        else conv_weight(input, grad, tuple(weight.shape[2:]), *geo)
    )
    of_bias = None if bias is None else grad.sum([i for i in range(grad.ndim) if i != 1])
    return back, of_weight, of_bias


def _input_gradient(grad: Any, input: Any, weight: Any, geo: Geometry, transposed: bool) -> Any:
    zeros = (0,) * len(geo.stride)
    if transposed:
        back = convolution(grad, weight, None, *geo[:3], False, zeros, geo.groups)
        for i, size in enumerate(input.shape[2:], 2):  # output_padding past the stride
            back = back if back.shape[i] == size else back.narrow(i, 0, size)
        return back
    whole = _grown(grad.shape[2:], weight.shape[2:], geo, zeros)
    extra = tuple(have - n for have, n in zip(input.shape[2:], whole))
    return convolution(grad, weight, None, *geo[:3], True, extra, geo.groups)


@op(promote="none", module=None, name="convolution_weight", node="ConvolutionBackwardBackward0")
def conv_weight(
    input: Array, slope: Array, kernel: object, stride: object, padding: object, dilation: object,
    groups: int,
):  # fmt: skip
    geo: Any = Geometry(stride, padding, dilation, groups)  # type: ignore[arg-type]
    return weigh(input, slope, geo, kernel)


@conv_weight.gradient
def _(grad, input, slope, stride, padding, dilation, groups):
    geo = Geometry(stride, padding, dilation, groups)
    zeros = (0,) * len(stride)
    return (
        _input_gradient(conj(slope), input, grad, geo, False),
        convolution(conj(input), grad, None, *geo[:3], False, zeros, groups),
    )


# ----- the gradients as functions (torch.nn.grad) -----
def input_gradient(
    size: Any, weight: Tensor, grad: Tensor, stride: Any, padding: Any, dilation: Any, groups: int
) -> Tensor:
    """The gradient for an input of `size`."""
    geo = Geometry(stride, padding, dilation, groups)
    like = grad.new_empty(tuple(size), device="meta")  # type: ignore[attr-defined]
    _check_slope(like, weight, grad, geo)
    return _input_gradient(grad, like, conj(weight), geo, False)


def weight_gradient(
    input: Tensor, size: Any, grad: Tensor, stride: Any, padding: Any, dilation: Any, groups: int
) -> Tensor:
    """The gradient for a weight of `size`."""
    geo = Geometry(stride, padding, dilation, groups)
    like = grad.new_empty(tuple(size), device="meta")  # type: ignore[attr-defined]
    _check_slope(input, like, grad, geo)
    return conv_weight(conj(input), grad, tuple(size)[2:], *geo)


def _check_slope(input: Any, weight: Any, grad: Tensor, geo: Geometry) -> None:
    """RuntimeError where the gradient has not the size of the convolution's result."""
    n = weight.ndim - 2
    if input.ndim != weight.ndim:
        raise RuntimeError(
            f"Expected {weight.ndim}-dimensional input for {weight.ndim}-dimensional weight "
            f"{list(weight.shape)}, but got {input.ndim}-dimensional input of size "
            f"{list(input.shape)} instead"
        )
    _check_geometry(input, weight, geo, False, (0,) * n)
    if input.ndim != grad.ndim:
        raise RuntimeError(
            "Expected input and grad_output to have the same number of dimensions, but got: "
            f"{input.ndim} and {grad.ndim}"
        )
    spatial = output_size(input.shape[2:], weight.shape[2:], geo)
    wanted = (input.shape[0], weight.shape[0], *spatial)
    for i, (want, have) in enumerate(zip(wanted, grad.shape)):
        if want != have:  # PyTorch sees a height of 1
            ndim, place = max(grad.ndim, 4), i + (n == 1 and i > 1)
            raise RuntimeError(
                f"Expected a tensor of dimension {ndim} and tensor.size[{place}] == {want} but "
                f"got: dimension {ndim} and tensor.size[{place}] = {have}"
            )


# ----- the public forms -----
def _batched(name: str, n: int, input: Any, weight: Any, stride: Any) -> bool:
    if not isinstance(input, Tensor):
        raise TypeError(
            f"{name}() received an invalid combination of arguments - got ({type(input).__name__})"
        )
    if input.ndim not in (n + 1, n + 2):
        raise RuntimeError(
            f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to {name}, but got input "
            f"of size: {list(input.shape)}"
        )
    if isinstance(weight, Tensor) and weight.ndim != n + 2 and weight.ndim > 2:
        spread_size("stride", spread_size("stride", stride, n), weight.ndim - 2)
    return input.ndim == n + 2


def _same(input: Tensor, weight: Tensor, stride: Any, dilation: Any) -> tuple[Tensor, Any]:
    """The padding that keeps the size; an odd one is put on the right beforehand."""
    n = weight.ndim - 2
    if any(s != 1 for s in spread_size("stride", stride, n)):
        raise RuntimeError("padding='same' is not supported for strided convolutions")
    total = [
        d * (k - 1) for k, d in zip(weight.shape[2:], spread_size("dilation", dilation, n))
    ]
    if any(t % 2 for t in total):
        right = [side for t in reversed(total) for side in (0, t % 2)]
        input = TABLE["torch", "constant_pad_nd"](input, right)
    return input, tuple(t // 2 for t in total)


def _forward(n: int) -> None:
    name = f"conv{n}d"

    def conv(
        input: Tensor, weight: Tensor, bias: Any = None, stride: Any = 1, padding: Any = 0,
        dilation: Any = 1, groups: int = 1,
    ) -> Tensor:  # fmt: skip
        batched = _batched(name, n, input, weight, stride)
        x = input if batched else input.unsqueeze(0)
        if padding.__class__ is str:
            if padding not in ("same", "valid"):
                raise RuntimeError(f"Invalid padding string: '{padding}'")
            if padding == "same":
                x, padding = _same(x, weight, stride, dilation)
            else:
                padding = 0
        found = convolution(x, weight, bias, stride, padding, dilation, False, 0, groups)
        return found if batched else found.squeeze(0)

    conv.__doc__ = f"A {n}-D convolution; padding is a number, 'same' or 'valid'."
    _publish(name, conv)


def _publish(name: str, conv: Any) -> None:
    publish("nn.functional", name, checked(conv, "nn.functional", name))
    publish("torch", name, checked(conv, "torch", name))


def _transposed(n: int) -> None:
    name = f"conv_transpose{n}d"

    def conv(
        input: Tensor, weight: Tensor, bias: Any = None, stride: Any = 1, padding: Any = 0,
        output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
    ) -> Tensor:  # fmt: skip
        batched = _batched(name, n, input, weight, stride)
        x = input if batched else input.unsqueeze(0)
        if padding.__class__ is str:
            raise TypeError(f"{name}(): argument 'padding' must be tuple of ints, not str")
        found = convolution(
            x, weight, bias, stride, padding, dilation, True, output_padding, groups
        )
        return found if batched else found.squeeze(0)

    conv.__doc__ = f"The transpose of a {n}-D convolution."
    _publish(name, conv)


for _n in (1, 2, 3):
    _forward(_n)
    _transposed(_n)


@composite(method=False)
def conv_tbc(input: Tensor, weight: Tensor, bias: Tensor, pad: int = 0) -> Tensor:
    """A 1-D convolution of (time, batch, channels)."""
    demand("torch.conv_tbc", input, weight, bias, pad)
    for what, t, dims in (
        ("Input", input, "time, batch, in_channel"),
        ("Weight tensor", weight, "kernel_width, in_channels, out_channels"),
    ):
        if t.ndim != 3:
            raise RuntimeError(f"{what} must have 3 dims: {dims}")
    if bias.ndim != 1:
        raise RuntimeError("Bias must be 1-D")
    if input.shape[2] != weight.shape[1]:
        raise RuntimeError(
            "Input dim 2 (input channels) is not == dim 1 in the weight tensor"
        )
    if bias.shape[0] != weight.shape[2]:
        raise RuntimeError("Bias size must equal dim 2 in the weight tensor (output channels).")
    return call(_conv_tbc, (input, weight, bias), (pad,))


@op(module=None, name="conv_tbc")
def _conv_tbc(input: Array, weight: Array, bias: Array, pad: int):
    found = lax.conv_general_dilated(
        input, weight, (1,), [(pad, pad)], dimension_numbers=("WNC", "WIO", "WNC")
    )
    return found + bias


publish("nn.functional", "conv_tbc", TABLE["torch", "conv_tbc"])
