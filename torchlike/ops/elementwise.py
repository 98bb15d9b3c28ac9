"""Pointwise arithmetic on two or three operands, and the table of Tensor's operators."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax

from ..core.dtypes import C_NAMES, SCALAR_NAMES, bool_, combine, dtype, of_number, uint8
from ..core.mutate import write_out
from ..core.op import TABLE, Array, Dtype, Number, Operand, alias, composite, op
from ..core.tensor import Tensor
from . import return_types
from .kinds import COMPLEX, FLOAT, FLOATING, NUMERIC, REAL, is_complex, is_exact, kind, refuse, scalar_name
from .unary import LN2, conj, zeros_of

OPERATORS = {
    "__add__": "add", "__radd__": "add", "__sub__": "sub", "__rsub__": "rsub",
    "__mul__": "mul", "__rmul__": "mul", "__truediv__": "true_divide",
    "__floordiv__": "floor_divide", "__mod__": "remainder", "__pow__": "pow",
    "__matmul__": "matmul", "__neg__": "neg", "__pos__": "positive", "__abs__": "abs",
    "__and__": "bitwise_and", "__rand__": "bitwise_and", "__or__": "bitwise_or",
    "__ror__": "bitwise_or", "__xor__": "bitwise_xor", "__rxor__": "bitwise_xor",
    "__lshift__": "bitwise_left_shift", "__rshift__": "bitwise_right_shift",
    "__eq__": "eq", "__ne__": "ne", "__lt__": "lt", "__le__": "le", "__gt__": "gt", "__ge__": "ge",
    "__iadd__": "add_", "__isub__": "sub_", "__imul__": "mul_", "__itruediv__": "true_divide_",
    "__idiv__": "true_divide_", "__ifloordiv__": "floor_divide_", "__imod__": "remainder_",
    "__ipow__": "pow_", "__iand__": "bitwise_and_", "__ior__": "bitwise_or_",
    "__ixor__": "bitwise_xor_", "__ilshift__": "bitwise_left_shift_",
    "__irshift__": "bitwise_right_shift_",
}  # fmt: skip
ROUNDING_MODES = (None, "trunc", "floor")
DIV_ROUNDING = "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{}'"
SUB_BOOL = (
    "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or "
    "`logical_xor()` operator instead."
)
ADDCDIV_INT = (
    "Integer division with addcdiv is no longer supported, and in a future  release addcdiv will "
    "perform a true division of tensor1 and tensor2. The historic addcdiv behavior can be "
    "implemented as (input + value * torch.trunc(tensor1 / tensor2)).to(input.dtype) for integer "
    "inputs and as (input + value * tensor1 / tensor2) for float inputs. The future addcdiv "
    "behavior is just the latter implementation: (input + value * tensor1 / tensor2), for all "
    "dtypes."
)


# ----- sums and products -----
@op(elementwise=True)
def add(input: Operand, other: Operand, *, alpha: Number = 1):
    return input + alpha * other


@add.gradient
def _(grad, alpha):
    return grad, grad * conj(alpha)


@op(elementwise=True)
def sub(input: Operand, other: Operand, *, alpha: Number = 1):
    if input.dtype == bool:
        raise RuntimeError(SUB_BOOL)
    return input - alpha * other


@sub.gradient
def _(grad, alpha):
    return grad, grad * -conj(alpha)


@op(elementwise=True)
def rsub(input: Array, other: Operand, *, alpha: Number = 1):
    if input.dtype == bool:
        raise RuntimeError(SUB_BOOL)
    return other - alpha * input


@rsub.gradient
def _(grad, alpha):
    return grad * -conj(alpha), grad


@op(elementwise=True)
def mul(input: Operand, other: Operand):
    return input * other


@mul.gradient
def _(grad, input, other):
    return grad * conj(other), grad * conj(input)


@op(elementwise=True, promote="float", node="DivBackward0")
def true_divide(input: Operand, other: Operand):
    return input / other


@true_divide.gradient
def _(grad, input, other):
    other = conj(other)
    return grad / other, -grad * (conj(input) / other / other)


@op(elementwise=True, module=None, node="DivBackward2")
def div_mode(input: Operand, other: Operand, *, rounding_mode: str):
    return trunc_quotient(input, other) if rounding_mode == "trunc" else floor_quotient(input, other)


@div_mode.gradient
def _(grad, input, other):
    return zeros_of(grad), zeros_of(grad)


@composite(inplace=True)
def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """The quotient; integers give floats unless a rounding mode is given."""
    if rounding_mode is None:
        return true_divide(input, other)
    if rounding_mode not in ROUNDING_MODES:
        raise RuntimeError(DIV_ROUNDING.format(rounding_mode))
    return div_mode(input, other, rounding_mode=rounding_mode)


@op(elementwise=True, node="NotImplemented")
def floor_divide(input: Operand, other: Operand):
    return floor_quotient(input, other)


def trunc_quotient(a: Any, b: Any) -> Any:
    refuse("div_trunc_cpu", a, REAL | NUMERIC)
    return lax.div(*jnp.broadcast_arrays(a, b)) if is_exact(a) else jnp.trunc(a / b)


def floor_quotient(a: Any, b: Any) -> Any:
    refuse("div_floor_cpu", a, REAL | NUMERIC)
    if is_exact(a):
        return jnp.floor_divide(a, b)
    rest = jnp.fmod(a, b)  # as C does it, so that 1.0 // 0.1 is 9
    whole = (a - rest) / b
    whole = jnp.where((rest != 0) & ((b < 0) != (rest < 0)), whole - 1, whole)
    floor = jnp.floor(whole)
    floor = jnp.where(whole - floor > 0.5, floor + 1, floor)
    return jnp.where(b == 0, a / b, jnp.where(whole == 0, jnp.copysign(whole, a / b), floor))


@op(elementwise=True)
def remainder(input: Operand, other: Operand):
    refuse("remainder_cpu", input, REAL | NUMERIC)
    return jnp.remainder(input, other)


@remainder.gradient
def _(grad, input, other):
    return grad, -grad * div(input, other, rounding_mode="floor")


@op(elementwise=True)
def fmod(input: Array, other: Operand):
    refuse("fmod_cpu", input, REAL | NUMERIC)
    return jnp.fmod(input, other)


@fmod.gradient
def _(grad, input, other):
    return grad, -grad * div(input, other, rounding_mode="trunc")


@op(elementwise=True)
def addcmul(input: Array, tensor1: Array, tensor2: Array, *, value: Number = 1):
    refuse("addcmul_cpu_out", input, NUMERIC)
    return input + value * tensor1 * tensor2


@addcmul.gradient
def _(grad, tensor1, tensor2, value):
    return grad, grad * conj(tensor2 * value), grad * conj(tensor1 * value)


@op(elementwise=True)
def addcdiv(input: Array, tensor1: Array, tensor2: Array, *, value: Number = 1):
    if is_exact(input):
        raise RuntimeError(ADDCDIV_INT)
    return input + value * (tensor1 / tensor2)


@addcdiv.gradient
def _(grad, tensor1, tensor2, value):
    down = -grad * conj(value * tensor1 / (tensor2 * tensor2))
    return grad, grad * conj(value / tensor2), down


def _between(start: Any, end: Any, weight: Any) -> Any:
    refuse("lerp_kernel", start, FLOATING - {COMPLEX})
    near = (jnp.abs(weight) if is_complex(weight) else weight) < 0.5  # the nearer end is exact
    step = end - start
    return jnp.where(near, start + weight * step, end - step * (1 - weight))


@op(elementwise=True, module=None)
def lerp_number(input: Array, end: Array, weight: Number):
    return _between(input, end, weight)


@op(elementwise=True, module=None)
def lerp_tensor(input: Array, end: Array, weight: Array):
    return _between(input, end, weight)


@lerp_number.gradient
def _(grad, weight):
    return grad * conj(1 - weight), grad * conj(weight)


@lerp_tensor.gradient
def _(grad, input, end, weight):
    return grad * conj(1 - weight), grad * conj(weight), grad * conj(end - input)


@composite(inplace=True)
def lerp(input: Tensor, end: Tensor, weight: Any) -> Tensor:
    """The point that divides input … end at `weight`, a number or a tensor."""
    _same_dtype(input, end=end)
    if not isinstance(weight, Tensor):
        return lerp_number(input, end, weight)
    if weight.dim() > 0:
        _same_dtype(input, weight=weight)
    return lerp_tensor(input, end, weight.to(input.dtype))


def _same_dtype(input: Tensor, **others: Tensor) -> None:
    for name, other in others.items():
        if other.dtype is not input.dtype:
            raise RuntimeError(
                f"expected dtype {C_NAMES[input.dtype]} for `{name}` but got dtype "
                f"{C_NAMES[other.dtype]}"
            )


# ----- angles, magnitudes, floating point representation -----
@op(elementwise=True, promote="float")
def atan2(input: Array, other: Array):
    refuse("atan2_cpu", input, REAL)
    return jnp.arctan2(input, other)


@atan2.gradient
def _(grad, input, other):
    scaled = grad / (input * input + other * other)
    return scaled * other, scaled * -input


@op(elementwise=True)
def hypot(input: Array, other: Array):
    refuse("hypot_cpu", input, FLOATING)
    return jnp.hypot(input, other)


@hypot.gradient
def _(grad, input, other, result):
    return grad * (input / result), grad * (other / result)


def _log_sum(name: str, body: Any, rule: Any, refused: frozenset[int]) -> None:
    def log_sum(input: Array, other: Array):
        refuse(f"{name}_cpu", input, refused)
        return body(input, other)

    op(elementwise=True, name=name)(log_sum).gradient(rule)


def _logaddexp_rule(grad, input, other):
    first, second = (1 + (other - input).exp()).conj(), (1 + (input - other).exp()).conj()
    return grad / first, grad / second


def _logaddexp2_rule(grad, input, other):
    return grad / (1 + (other - input).exp2()), grad / (1 + (input - other).exp2())


_log_sum("logaddexp", jnp.logaddexp, _logaddexp_rule, FLOATING - {COMPLEX})
_log_sum("logaddexp2", jnp.logaddexp2, _logaddexp2_rule, FLOATING)


@op(elementwise=True, promote="float")
def copysign(input: Array, other: Operand):
    refuse("copysign_cpu", input, REAL)
    return jnp.copysign(input, other)


@copysign.gradient
def _(grad, input, other, result):
    ratio = (result / input).masked_fill(input == 0, 0)
    return grad * ratio, zeros_of(grad)


@op(elementwise=True)
def nextafter(input: Array, other: Array):
    refuse("nextafter_cpu", input, FLOATING)
    return jnp.nextafter(input, other)


@nextafter.gradient
def _(grad, input, other):
    return grad.masked_fill(input == other, 0), zeros_of(grad)


@op(elementwise=True, node="NotImplemented")
def heaviside(input: Array, values: Array):
    if is_complex(input):
        raise RuntimeError("heaviside is not yet implemented for complex tensors.")
    return jnp.where(input == 0, values, (input > 0).astype(input.dtype))


@op(elementwise=True, promote="float")
def ldexp(input: Array, other: Array):
    return input * jnp.exp2(other)


@ldexp.gradient
def _(grad, input, other, result):
    power = 2**other if isinstance(other, Tensor) else 2.0**other
    return grad * conj(power), grad * conj(result) * LN2


@op(elementwise=True, method=False, promote="none")
def polar(abs: Array, angle: Array):
    for x in (abs, angle):
        if kind(x) != FLOAT:
            names = scalar_name(abs), scalar_name(angle)
            raise RuntimeError(
                "Expected both inputs to be Half, Float or Double tensors but got {} and {}".format(
                    *names
                )
            )
    if abs.dtype != angle.dtype:
        names = scalar_name(abs), scalar_name(angle)
        raise RuntimeError(
            "Expected object of scalar type {} but got scalar type {} for second argument".format(
                *names
            )
        )
    return lax.complex(abs * jnp.cos(angle), abs * jnp.sin(angle))


@op(elementwise=True, promote="none", module=None, returns=tuple)
def polar_slopes(grad: Array, result: Array):
    size = jnp.abs(result)
    turned = jnp.where(size == 0, jnp.zeros_like(result), result / jnp.where(size == 0, 1, size))
    return (jnp.conj(grad) * turned).real, (jnp.conj(grad) * (result * 1j)).real


@polar.gradient
def _(grad, result):
    return polar_slopes(grad, result)


@op(module=None, node="FrexpBackward0")
def split_exponent(input: Array):
    if kind(input) != FLOAT:
        raise RuntimeError("torch.frexp() only supports floating-point dtypes")
    mantissa, exponent = jnp.frexp(input.astype(jnp.promote_types(input.dtype, jnp.float32)))
    return mantissa.astype(input.dtype), exponent.astype(jnp.int32)


@split_exponent.gradient
def _(grad, result1):
    return grad / result1.exp2()


@composite
def frexp(input: Tensor) -> Any:
    """Mantissa in [0.5, 1) and power of two, as a named tuple."""
    return return_types.frexp(split_exponent(input))


# ----- the choice between two -----
@op(elementwise=True, promote="none", module=None, name="where")
def choose(condition: Array, input: Operand, other: Operand, dtype: Dtype):
    return jnp.where(condition.astype(bool), input.astype(dtype), other.astype(dtype))


@choose.gradient
def _(grad, condition):
    return None, grad.masked_fill(condition == 0, 0), grad.masked_fill(condition != 0, 0)


@composite(method=False)
def where(
    condition: Tensor, input: Any = None, other: Any = None, *, out: Any = None
) -> Any:
    """input where the condition holds, else other; the condition alone: where it holds."""
    if input is None and other is None:
        return TABLE["torch", "nonzero"](condition, as_tuple=True)
    if not isinstance(condition, Tensor):
        raise TypeError(
            "where(): argument 'condition' (position 1) must be Tensor, not "
            f"{type(condition).__name__}"
        )
    if condition.dtype is not bool_ and condition.dtype is not uint8:
        raise RuntimeError(
            "where expected condition to be a boolean tensor, but got a tensor with dtype "
            f"{SCALAR_NAMES[condition.dtype]}"
        )
    found = choose(condition, input, other, common_dtype(input, other))
    return found if out is None else write_out("where", out, found)


@composite(name="where", module=None, method=True)
def where_method(self: Tensor, condition: Tensor, other: Any) -> Tensor:
    """self where the condition holds, else other."""
    return where(condition, self, other)


def common_dtype(*operands: Any) -> dtype:
    """The dtype operands are promoted to."""
    groups: tuple[list[dtype], ...] = [], [], []
    for x in operands:
        if isinstance(x, Tensor):
            groups[0 if x.ndim else 1].append(x.dtype)
        else:
            groups[2].append(of_number(type(x)))
    return combine(*groups)


for _name, _other in dict(
    multiply="mul", subtract="sub", divide="div", arctan2="atan2"
).items():
    alias(_name, _other)
