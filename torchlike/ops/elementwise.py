"""Pointwise arithmetic on two or three operands, and the table of Tensor's operators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax import lax

from ..core.dtypes import C_NAMES, SCALAR_NAMES, bool_, dtype, of_number, uint8
from ..core.mutate import write_out
from ..core.op import TABLE, Array, Dtype, Number, Operand, Optional, alias, composite, op
from ..core.record import check_later
from ..core.tensor import Tensor
from ..core.wrong_call import demand
from .kinds import (
    BOOL,
    COMPLEX,
    FLOAT,
    INTEGER,
    NUMERIC,
    REAL,
    common,
    is_complex,
    is_exact,
    refuse,
)
from .refused import without_gradient
from .unary import conj, zeros_of

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
SUB_BOOLS = (
    "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or "
    "`logical_xor()` operator instead."
)
SUB_BOOL = (
    "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to "
    "invert a mask, use the `~` or `logical_not()` operator instead."
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
ALPHA = {
    BOOL: "Boolean alpha only supported for Boolean results.",
    FLOAT: "For integral input tensors, argument alpha must not be a floating point number.",
    COMPLEX: "For non-complex input tensors, argument alpha must not be a complex number.",
}


def _with_alpha(subtract: bool) -> Callable[..., dtype]:
    """The promotion of add or sub, which checks their operands and alpha on the way."""

    def rule(metas: Any, statics: Any) -> dtype:
        found = common(metas[:2])
        if subtract and found is bool_:
            raise RuntimeError(SUB_BOOLS)
        if subtract and any(m is bool or getattr(m, "dtype", None) is bool_ for m in metas[:2]):
            raise RuntimeError(SUB_BOOL)
        if len(metas) > 2:
            meta = metas[2]  # a number's class, or the Aval of a 0-dim tensor
            kind_of = of_number(meta) if isinstance(meta, type) else meta.dtype
            category = kind_of.category
            if (category == BOOL) != (found is bool_) and category in (BOOL, FLOAT):
                raise RuntimeError(ALPHA[category])
            if category > max(found.category, INTEGER):
                raise RuntimeError(ALPHA[category])
        return found

    return rule


def _times(value: Any, factor: Any) -> Any:
    """value · factor; a factor left out costs nothing."""
    return value if factor is None else value * factor


def _slope(grad: Any, factor: Any) -> Any:
    return grad if factor is None else grad * conj(factor)


@op(elementwise=True, promote=_with_alpha(False), opmath="rounded")
def add(input: Operand, other: Operand, *, alpha: Optional[Number] = None):
    return input + _times(other, alpha)


@add.gradient
def _(grad, alpha):
    return grad, _slope(grad, alpha)


@op(elementwise=True, promote=_with_alpha(True), opmath="rounded")
def sub(input: Operand, other: Operand, *, alpha: Optional[Number] = None):
    return input - _times(other, alpha)


@sub.gradient
def _(grad, alpha):
    return grad, -_slope(grad, alpha)


@op(elementwise=True, opmath=True)
def mul(input: Operand, other: Operand):
    return input * other


@mul.gradient
def _(grad, input, other):
    return grad * conj(other), grad * conj(input)


@op(elementwise=True, promote="float", node="DivBackward0", opmath=True)
def true_divide(input: Operand, other: Operand):
    return input / other


def _quotient_rule(grad, input, other):
    other = conj(other)
    return grad / other, -grad * (conj(input) / other / other)


true_divide.gradient(_quotient_rule)


def _by_number(name: str, node: str, body: Any, rule: Any) -> Any:
    """A product or quotient with a number as PyTorch's own composites make it (node …1)."""

    def scaled(input: Array, other: Operand):
        return body(input, other)

    made = op(elementwise=True, promote="float", module=None, name=name, node=node)(scaled)
    made.gradient(rule)
    return made.public


mul_number = _by_number(
    "mul_number", "MulBackward1", lambda x, y: x * y,
    lambda grad, input, other: (grad * conj(other), None),
)  # fmt: skip
div_number = _by_number(
    "div_number", "DivBackward1", lambda x, y: x / y,
    lambda grad, input, other: (grad / conj(other), None),
)  # fmt: skip


def check_divisor(input: Any, other: Any) -> None:
    """RuntimeError (PyTorch's text) for an integer division by zero, as soon as it is known."""
    if not isinstance(other, Tensor):
        whole = isinstance(other, int) and other == 0 and not input.is_meta
        if whole and input.dtype.category <= INTEGER:
            raise RuntimeError("ZeroDivisionError")
    elif other.dtype.category <= INTEGER and not (
        isinstance(input, float) or (isinstance(input, Tensor) and input.dtype.category > INTEGER)
    ):
        flag = other.eq(0).any()
        check_later(flag._value_now(), lambda: RuntimeError("ZeroDivisionError"))


# ----- ops whose node tells a tensor operand from a number -----
def two_forms(name: str, body: Any, rule: Any, nodes: tuple[int, int], **traits: Any) -> None:
    """A function of a tensor and a tensor or number, whose two nodes have two names."""
    divides = traits.get("promote") != "float"

    def of_tensor(input: Operand, other: Array):
        return body(input, other)

    def of_number(input: Array, other: Operand):
        return body(input, other)

    title, number_first = name.title().replace("_", ""), traits.pop("number_first", False)
    forms = []
    for form, suffix, node in ((of_tensor, "", nodes[0]), (of_number, "_number", nodes[1])):
        made = op(
            elementwise=True, module=None, name=name + suffix, node=f"{title}Backward{node}",
            **traits,
        )(form)  # fmt: skip
        made.gradient(rule)
        forms.append(made)
    tensor, number = (made.public for made in forms)

    def function(input: Any, other: Any, *, out: Any = None) -> Tensor:
        if not isinstance(input, Tensor):
            if not (number_first and isinstance(other, Tensor)):
                raise TypeError(
                    f"{name}(): argument 'input' (position 1) must be Tensor, not "
                    f"{type(input).__name__}"
                )
            found = without_gradient(name, tensor(input, other.detach()), other)
        else:
            found = (tensor if isinstance(other, Tensor) else number)(input, other)
        if divides:
            check_divisor(input, other)
        return found if out is None else write_out(name, out, found)

    function.__doc__ = f"{name}(input, other), pointwise."
    composite(name=name, inplace=True)(function)


def _remainder(input: Any, other: Any) -> Any:
    refuse("remainder_cpu", input, REAL | NUMERIC)
    return jnp.remainder(input, other)


def _fmod(input: Any, other: Any) -> Any:
    refuse("fmod_cpu", input, REAL | NUMERIC)
    return jnp.fmod(input, other)


def _copysign(input: Any, other: Any) -> Any:
    refuse("copysign_cpu", input, REAL)
    return jnp.copysign(input, other)


def _copysign_rule(grad, input, result):
    ratio = (result / input).masked_fill(input == 0, 0)
    return grad * ratio, zeros_of(grad)


two_forms(
    "remainder", _remainder,
    lambda grad, input, other: (grad, -grad * div(input, other, rounding_mode="floor")), (1, 0),
    number_first=True,
)  # fmt: skip
two_forms(
    "fmod", _fmod,
    lambda grad, input, other: (grad, -grad * div(input, other, rounding_mode="trunc")), (1, 0),
)  # fmt: skip
two_forms("copysign", _copysign, _copysign_rule, (0, 1), promote="float")


def _rsub(number: bool) -> Any:
    def reflected(input: Array, other: Operand, *, alpha: Optional[Number] = None):
        return other - _times(input, alpha)

    made = op(
        elementwise=True, module=None, promote=_with_alpha(True),
        name="rsub_number" if number else "rsub", node=f"RsubBackward{number:d}",
    )(reflected)  # fmt: skip
    made.gradient(lambda grad, alpha: (-_slope(grad, alpha), grad))
    return made.public


_RSUB = [_rsub(False), _rsub(True)]


@composite
def rsub(input: Tensor, other: Any, *, alpha: Any = None) -> Tensor:
    """other - alpha * input."""
    return _RSUB[not isinstance(other, Tensor)](input, other, alpha=alpha)


# ----- quotients that round -----
@op(elementwise=True, module=None, node="DivBackward2")
def div_mode(input: Operand, other: Operand, *, rounding_mode: str):
    quotient = trunc_quotient if rounding_mode == "trunc" else floor_quotient
    return quotient(input, other)


div_mode.gradient(lambda grad: (zeros_of(grad), zeros_of(grad)))


@composite(inplace=True)
def div(
    input: Any, other: Any, *, rounding_mode: str | None = None, out: Any = None
) -> Tensor:
    """The quotient; integers give floats unless a rounding mode is given."""
    if rounding_mode is None:
        return true_divide(input, other, out=out)
    if rounding_mode not in ROUNDING_MODES:
        raise RuntimeError(DIV_ROUNDING.format(rounding_mode))
    found = div_mode(input, other, rounding_mode=rounding_mode)
    check_divisor(input, other)
    return found if out is None else write_out("div", out, found)


@op(elementwise=True, module=None, name="floor_divide", differentiable=False)
def quotient_below(input: Operand, other: Operand):
    return floor_quotient(input, other)


@composite(inplace=True)
def floor_divide(input: Any, other: Any, *, out: Any = None) -> Tensor:
    """The quotient rounded down."""
    found = without_gradient("floor_divide", quotient_below(input, other), input, other)
    check_divisor(input, other)
    return found if out is None else write_out("floor_divide", out, found)


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


# ----- three operands -----
@op(elementwise=True, opmath=True)
def addcmul(input: Array, tensor1: Array, tensor2: Array, *, value: Optional[Number] = None):
    refuse("addcmul_cpu_out", input, NUMERIC)
    return input + _times(tensor1, value) * tensor2


@addcmul.gradient
def _(grad, tensor1, tensor2, value):
    return grad, _slope(grad * conj(tensor2), value), _slope(grad * conj(tensor1), value)


@op(elementwise=True, opmath=True)
def addcdiv(input: Array, tensor1: Array, tensor2: Array, *, value: Optional[Number] = None):
    if is_exact(input):
        raise RuntimeError(ADDCDIV_INT)
    return input + _times(tensor1 / tensor2, value)


@addcdiv.gradient
def _(grad, tensor1, tensor2, value):
    up, down = conj(1 / tensor2), conj(tensor1 / (tensor2 * tensor2))
    return grad, _slope(grad * up, value), _slope(-grad * down, value)


def _lerp(number: bool) -> Any:
    def between(input: Array, end: Array, weight: Operand):
        refuse("lerp_kernel_scalar" if number else "lerp_kernel_tensor", input, NUMERIC | {INTEGER})
        near = (jnp.abs(weight) if is_complex(weight) else weight) < 0.5  # the nearer end is exact
        step = end - input
        return jnp.where(near, input + weight * step, end - step * (1 - weight))

    made = op(
        elementwise=True, module=None, name="lerp_number" if number else "lerp",
        node=f"LerpBackward{not number:d}", opmath=True,
    )(between)  # fmt: skip
    made.gradient(
        lambda grad, input, end, weight: (
            grad * conj(1 - weight), grad * conj(weight), grad * conj(end - input)
        )
    )  # fmt: skip
    return made.public


_LERP = [_lerp(False), _lerp(True)]


@composite(inplace=True)
def lerp(input: Tensor, end: Tensor, weight: Any, *, out: Any = None) -> Tensor:
    """The point that divides input … end at `weight`, a number or a tensor."""
    _same_dtype(input, end=end)
    if isinstance(weight, Tensor) and weight.ndim:
        _same_dtype(input, weight=weight)
    found = _LERP[not isinstance(weight, Tensor)](input, end, weight)
    return found if out is None else write_out("lerp", out, found)


def _same_dtype(input: Tensor, **others: Tensor) -> None:
    for name, other in others.items():
        if other.dtype is not input.dtype:
            raise RuntimeError(
                f"expected dtype {C_NAMES[input.dtype]} for `{name}` but got dtype "
                f"{C_NAMES[other.dtype]}"
            )


# ----- the choice between two -----
@op(elementwise=True, promote="none", module=None, name="where")
def choose(condition: Array, input: Operand, other: Operand, dtype: Dtype):
    return jnp.where(condition.astype(bool), input.astype(dtype), other.astype(dtype))


@choose.gradient
def _(grad, condition):
    return None, grad.masked_fill(condition == 0, 0), grad.masked_fill(condition != 0, 0)


@composite(method=False)
def where(
    condition: Tensor, input: Any = ..., other: Any = ..., *, out: Any = None
) -> Any:
    """input where the condition holds, else other; the condition alone: where it holds."""
    if input is None and other is None:
        demand("torch.where", condition, input, other)
    if input is ... and other is ...:
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
    both = isinstance(input, Tensor) and isinstance(other, Tensor) and input.dtype is other.dtype
    kind = input.dtype if both else common_dtype(input, other)  # type: ignore[union-attr]
    found = choose(condition, input, other, kind)
    return found if out is None else write_out("where", out, found)


@composite(name="where", module=None, method=True)
def where_method(self: Tensor, condition: Tensor, other: Any) -> Tensor:
    """self where the condition holds, else other."""
    return where(condition, self, other)


def common_dtype(*operands: Any) -> dtype:
    """The dtype operands are promoted to."""
    return common([x._aval if isinstance(x, Tensor) else type(x) for x in operands])


for _name, _other in dict(multiply="mul", subtract="sub", divide="div").items():
    alias(_name, _other)
