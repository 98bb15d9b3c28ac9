"""Pointwise functions of one tensor: exponentials, trigonometry, rounding, signs, complex parts."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax import lax

from ..core.dtypes import bool_
from ..core.mutate import write_out
from ..core.op import (
    TABLE,
    Array,
    Number,
    Optional,
    alias,
    checked,
    composite,
    op,
    publish,
    unary,
)
from ..core.tensor import Tensor
from . import trig_forms
from .kinds import BOOL, FLOATING, INTEGER, NUMERIC, in_single, is_complex, kind, refuse
from .memory import renumber
from .refused import refuse_gradient

LN2, LN10, DEGREE = math.log(2), math.log(10), math.pi / 180
NAN = complex(math.nan, math.nan)
NEG_BOOL = (
    "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a "
    "mask, use the `~` or `logical_not()` operator instead."
)
SIGN_COMPLEX = (
    "Unlike NumPy, torch.sign is not intended to support complex numbers. Please use torch.sgn "
    "instead."
)


def row(name: str, body: Callable[..., Any], rule: Callable[..., Any], **traits: Any) -> Any:
    """A float-valued function and its gradient, whose parameters name what is saved."""
    made = unary(name, body, **{"promote": "float", **traits})
    made.gradient(rule)
    return made


def conj(value: Any) -> Any:
    """The complex conjugate of a tensor or number in a gradient."""
    return value.conj() if isinstance(value, Tensor) else value.conjugate()


@op(elementwise=True, promote="none", module=None, differentiable=False)
def no_slope(grad: Array):
    return jnp.where(grad == grad, jnp.zeros_like(grad), jnp.zeros_like(grad))


def zeros_of(grad: Tensor) -> Tensor:
    """A zero gradient, whatever the values of `grad`."""
    return no_slope(grad)


# ----- exponentials and roots -----
row("exp", jnp.exp, lambda grad, result: grad * result.conj())
row("exp2", jnp.exp2, lambda grad, result: grad * result.conj() * LN2)
row("expm1", jnp.expm1, lambda grad, result: grad * (result.conj() + 1))
row("log", jnp.log, lambda grad, input: grad / input.conj())
row("log2", jnp.log2, lambda grad, input: grad / (input.conj() * LN2))
row("log10", jnp.log10, lambda grad, input: grad / (input.conj() * LN10))
row("log1p", jnp.log1p, lambda grad, input: grad / (input + 1).conj())
row("sqrt", jnp.sqrt, lambda grad, result: grad / (2 * result.conj()))
row("rsqrt", in_single(lax.rsqrt), lambda grad, result: -0.5 * grad * result.pow(3).conj())
row("reciprocal", lambda x: 1 / x, lambda grad, result: -grad * (result * result).conj())

# ----- trigonometry -----
row("sin", trig_forms.sin, lambda grad, input: grad * input.cos().conj())
row("cos", trig_forms.cos, lambda grad, input: grad * -input.sin().conj())
row("tan", jnp.tan, lambda grad, result: grad * (1 + result.pow(2)).conj())
row("asin", jnp.asin, lambda grad, input: grad * (-input * input + 1).rsqrt().conj())
row("acos", jnp.acos, lambda grad, input: grad * -((-input * input + 1).rsqrt().conj()))
row("atan", jnp.atan, lambda grad, input: grad / (input * input + 1).conj())
row("sinh", jnp.sinh, lambda grad, input: grad * input.cosh().conj())
row("cosh", jnp.cosh, lambda grad, input: grad * input.sinh().conj())
_OUT_OF_PLACE: Any = {"inplace": False}  # their twins have no gradient in PyTorch, see below
row("asinh", jnp.asinh, lambda grad, input: grad * (input.pow(2) + 1).rsqrt().conj(),
    **_OUT_OF_PLACE)  # fmt: skip
row("acosh", jnp.acosh, lambda grad, input: grad * _acosh_slope(input), **_OUT_OF_PLACE)
row("atanh", jnp.atanh, lambda grad, input: grad / (1 - input.pow(2)).conj(), **_OUT_OF_PLACE)
row("deg2rad", lambda x: x * DEGREE, lambda grad: grad * DEGREE)
row("rad2deg", lambda x: x * (1 / DEGREE), lambda grad: grad * (1 / DEGREE))
row("sinc", in_single(lambda x: _sinc(x)), lambda grad, input: grad * _sinc_slope(input).conj())


def _acosh_slope(input: Tensor) -> Tensor:
    if input.is_complex():
        return ((input + 1).rsqrt() * (input - 1).rsqrt()).conj()
    return (input * input - 1).rsqrt()


def _sinc(x: Any) -> Any:
    at_zero = x == 0
    turn = jnp.where(at_zero, jnp.ones_like(x), x * math.pi)
    return jnp.where(at_zero, jnp.ones_like(x), jnp.sin(turn) / turn)


def _sinc_slope(input: Tensor) -> Tensor:
    turn = input * math.pi
    slope = (turn * turn.cos() - turn.sin()) / (turn * input)
    return slope.masked_fill(input == 0, 0)


# ----- gates: the gradient is one op too, as in PyTorch -----
@op(elementwise=True, module=None)
def tanh_backward(grad: Array, result: Array):
    return in_single(lambda g, y: g * (1 - jnp.square(jnp.conj(y))))(grad, result)


@op(elementwise=True, module=None)
def sigmoid_backward(grad: Array, result: Array):
    return in_single(lambda g, y: g * ((1 - jnp.conj(y)) * jnp.conj(y)))(grad, result)


@op(elementwise=True, module=None)
def threshold_backward(grad: Array, output: Array):
    return jnp.where(output <= 0, jnp.zeros_like(grad), grad)


@threshold_backward.gradient
def _(grad, output):  # not `result`: that would be this op's own
    return threshold_backward(grad, output), None


row("tanh", jnp.tanh, lambda grad, result: tanh_backward(grad, result))
row("sigmoid", in_single(lax.logistic), lambda grad, result: sigmoid_backward(grad, result))


@op(elementwise=True)
def relu(input: Array):
    if input.dtype == bool:
        raise RuntimeError("Boolean inputs not supported for relu")
    _not_complex(input, "clamp is not supported for complex types")
    return jnp.maximum(input, jnp.zeros_like(input))


@relu.gradient
def _(grad, result):
    return threshold_backward(grad, result)


@op(elementwise=True, promote="float")
def logit(input: Array, eps: Optional[Number] = None):
    refuse("logit_cpu", input, FLOATING)
    x = input
    if eps is not None:  # the lower bound wins where they cross
        x = jnp.where(x < eps, eps, jnp.where(x > 1 - eps, 1 - eps, x)).astype(input.dtype)
    return in_single(lambda x: jnp.log(x / (1 - x)))(x)


@logit.gradient
def _(grad, input, eps):
    slope = grad / (input * (1 - input))
    if eps is None:
        return slope.masked_fill((input < 0) | (input > 1), math.nan)
    return slope.masked_fill((input < eps) | (input > 1 - eps), 0)


# ----- rounding: integers pass, gradients are zero -----
def _rounding(name: str, body: Callable[..., Any], **traits: Any) -> Any:
    def rounded(input: Any) -> Any:
        _not_complex(input, f"{name} is not supported for complex inputs")
        refuse(f"{name}_vml_cpu", input, NUMERIC)
        return input if kind(input) == INTEGER else body(input)

    made = unary(name, rounded, promote="common", **traits)
    made.gradient(zeros_of)
    return made


def _not_complex(input: Any, text: str) -> None:
    if is_complex(input):
        raise NotImplementedError(text)


def _nearest(x: Any) -> Any:
    return lax.round(x, lax.RoundingMethod.TO_NEAREST_EVEN)


_rounding("floor", jnp.floor)
_rounding("ceil", jnp.ceil)
_rounding("trunc", jnp.trunc)
round_whole = _rounding("round", _nearest, module=None, inplace=False)


@op(elementwise=True, module=None, node="RoundBackward1")
def round_decimals(input: Array, decimals: int):
    _not_complex(input, "round is not supported for complex inputs")
    refuse("round_cpu" if decimals else "round_vml_cpu", input, NUMERIC | {INTEGER})
    if decimals == 0:
        return _nearest(input)
    scale = 10.0 ** abs(decimals)
    return _nearest(input * scale) / scale if decimals > 0 else _nearest(input / scale) * scale


round_decimals.gradient(zeros_of)


@composite(inplace=True, name="round")
def round_(input: Tensor, *, decimals: int | None = None, out: Any = None) -> Tensor:
    """Round half to even, at `decimals` places after the point."""
    found = round_whole(input) if decimals is None else round_decimals(input, int(decimals))
    return found if out is None else write_out("round", out, found)


@op(elementwise=True)
def frac(input: Array):
    refuse("frac_cpu", input, FLOATING)
    return input - jnp.trunc(input)


frac.gradient(lambda grad: grad)


# ----- signs and magnitudes -----
def _abs(input: Any) -> Any:
    refuse("abs_cpu", input, NUMERIC)
    return jnp.abs(input)


def _neg(input: Any) -> Any:
    if input.dtype == bool:
        raise RuntimeError(NEG_BOOL)
    return -input


def _sign(input: Any) -> Any:
    _not_complex(input, SIGN_COMPLEX)
    if kind(input) == BOOL:
        return input
    one = jnp.ones_like(input)  # nan has sign 0
    return jnp.where(input > 0, one, jnp.where(input < 0, -one, jnp.zeros_like(input)))


def _sgn(input: Any) -> Any:
    if not is_complex(input):
        return _sign(input)
    size = jnp.abs(input)
    return jnp.where(jnp.isfinite(size), turned(input), jnp.full_like(input, NAN))


def turned(input: Any) -> Any:
    """A complex number scaled to size 1; 0 stays."""
    size = jnp.abs(input)
    scale = jnp.where(size == 0, jnp.zeros_like(size), 1 / jnp.where(size == 0, 1, size))
    return lax.complex(input.real * scale, input.imag * scale)


unary("abs", _abs, promote="common").gradient(lambda grad, input: grad * input.sgn())
unary("neg", _neg, promote="common").gradient(lambda grad: -grad)
unary("sign", _sign, promote="common").gradient(zeros_of)
unary("sgn", _sgn, promote="common").gradient(
    lambda grad, input, result: _sgn_rule(grad, input, result)
)


def _sgn_rule(grad: Tensor, input: Tensor, result: Tensor) -> Tensor:
    if not input.is_complex():
        return zeros_of(grad)
    slope = (grad - (grad * result.conj()).real * result) / input.abs()
    return slope.masked_fill(input == 0, 0)


@op(elementwise=True, differentiable=False)
def signbit(input: Array):
    if is_complex(input):
        raise NotImplementedError("signbit is not implemented for complex tensors.")
    if kind(input) <= INTEGER:
        return (input < 0) if kind(input) == INTEGER else input & ~input
    return jnp.signbit(input)


@composite
def positive(input: Tensor) -> Tensor:
    """The tensor itself."""
    if input.dtype == bool_:
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


@op(elementwise=True)
def nan_to_num(
    input: Array,
    nan: Optional[Number] = None,
    posinf: Optional[Number] = None,
    neginf: Optional[Number] = None,
):
    if is_complex(input):
        return lax.complex(*(_finite(x, nan, posinf, neginf) for x in (input.real, input.imag)))
    return input if kind(input) <= INTEGER else _finite(input, nan, posinf, neginf)


def _finite(x: Any, nan: Any, posinf: Any, neginf: Any) -> Any:
    limits = jnp.finfo(x.dtype)
    for replacement, of, default in (
        (nan, x != x, 0), (posinf, x == jnp.inf, limits.max), (neginf, x == -jnp.inf, limits.min),
    ):  # fmt: skip
        value = jnp.asarray(default if replacement is None else replacement.real, x.dtype)
        x = jnp.where(of, value, x)
    return x


nan_to_num.gradient(lambda grad, input: grad * input.isfinite())


# ----- complex numbers -----
@op(elementwise=True, promote="float")
def angle(input: Array):
    if is_complex(input):
        return jnp.angle(input)
    turned = jnp.where(input < 0, jnp.asarray(math.pi, input.dtype), jnp.zeros_like(input))
    return jnp.where(input != input, input, turned)


@angle.gradient
def _(grad, input):
    if not input.is_complex():
        return zeros_of(grad)
    return (grad * input / input.abs().pow(2) * 1j).masked_fill(input == 0, 0)


@op(elementwise=True, module=None, name="conj_physical", node="ConjPhysicalBackward0")
def conj_copy(input: Array):
    return jnp.conj(input)


conj_copy.gradient(lambda grad: grad.conj_physical())


@composite
def conj_physical(input: Tensor, *, out: Any = None) -> Tensor:
    """The complex conjugate as a new tensor; a real tensor itself."""
    found = conj_copy(input) if input.is_complex() else input
    return found if out is None else write_out("conj_physical", out, found)


# ----- twins that have a gradient of their own in PyTorch, or none -----
def _twin(name: str, function: Callable[[Tensor], Tensor]) -> None:
    composite(name=name, module=None, method=False, inplace=True)(function)
    twin: Any = getattr(Tensor, name + "_")
    publish("torch", name + "_", checked(twin.__wrapped__, "torch", name + "_"))


def _without_gradient(name: str) -> None:
    text = f"the derivative for 'inplace version of {name}' is not implemented."
    plain: Any = TABLE["torch", name]

    def function(input: Tensor) -> Tensor:
        node = f"{name.title()}Backward1"
        return refuse_gradient(plain(input), text, node, input, error=NotImplementedError)

    _twin(name, function)


def _conj_in_place(input: Tensor) -> Tensor:
    found = conj_copy(input)
    renumber(found._grad_fn)
    return found


_twin("conj_physical", _conj_in_place)
for _name in ("asinh", "acosh", "atanh"):
    _without_gradient(_name)
for _name, _other in dict(
    absolute="abs", negative="neg", fix="trunc", arccos="acos", arcsin="asin", arctan="atan",
    arccosh="acosh", arcsinh="asinh", arctanh="atanh",
).items():  # fmt: skip
    alias(_name, _other)
for _name, _other in dict(
    exp2="exp2", expm1="expm1", log1p="log1p", expit="sigmoid", logit="logit", sinc="sinc",
    round="round",
).items():  # fmt: skip
    alias(_name, _other, module="special", of="torch")
