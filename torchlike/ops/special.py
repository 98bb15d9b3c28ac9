"""The error, gamma, Bessel-I and entropy functions: torch.special and their older names."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import jax.scipy.special as jsp
from jax import lax

from ..core.dtypes import finfo
from ..core.mutate import write_out
from ..core.op import Array, Operand, alias, composite, op, unary
from ..core.tensor import Tensor
from . import softmax as softmax  # declared before its aliases below
from .elementwise import mul_number
from .hurwitz import zeta as hurwitz
from .kinds import COMPLEX, in_single, refuse, with_tensor
from .refused import refuse_gradient

SQRT_PI, SQRT_2PI = math.sqrt(math.pi), math.sqrt(2 * math.pi)
REAL_ONLY = frozenset({COMPLEX})


def _real_row(
    name: str, body: Callable[..., Any], rule: Callable[..., Any], **traits: Any
) -> Any:
    def checked(input: Any) -> Any:
        refuse(f"{name}_vml_cpu", input, REAL_ONLY)
        return in_single(body)(input)

    made = unary(name, checked, promote="float", **traits)
    made.gradient(rule)
    return made


def _special(name: str, body: Callable[..., Any], rule: Callable[..., Any]) -> Any:
    node = f"Special{name.title().replace('_', '')}Backward0"
    return _real_row(name, body, rule, module="special", node=node, out=True)


# ----- error functions -----
def _log_ndtr(x: Any) -> Any:
    t = x * math.sqrt(0.5)
    far = jnp.log(jsp.erfcx(-jnp.minimum(t, 0)) / 2) - t * t
    return jnp.where(x < -1, far, jnp.log1p(-lax.erfc(t) / 2))


def _bell(input: Tensor) -> Tensor:
    return (2 / SQRT_PI) * (-input.pow(2)).exp()


_real_row("erf", lax.erf, lambda grad, input: _bell(input) * grad)
_real_row("erfc", lax.erfc, lambda grad, input: -_bell(input) * grad)
_real_row(
    "erfinv", lax.erf_inv, lambda grad, result: (0.5 * SQRT_PI) * result.pow(2).exp() * grad
)
_special(
    "erfcx", jsp.erfcx, lambda grad, input, result: (2 * input * result - 2 / SQRT_PI) * grad
)
_special(
    "ndtri", jsp.ndtri,
    lambda grad, result: grad * SQRT_2PI * (result.square() / 2).exp(),
)  # fmt: skip
_special(
    "log_ndtr", _log_ndtr,
    lambda grad, input, result: grad / SQRT_2PI * (-(result + input.pow(2) / 2)).exp(),
)  # fmt: skip
_special("entr", jsp.entr, lambda grad, input: grad * -(1 + input.log()))


@composite(module="special")
def ndtr(input: Tensor, *, out: Any = None) -> Tensor:
    """The area under the normal curve left of x."""
    if out is not None:
        return write_out("special_ndtr", out, ndtr(input))
    return mul_number((input * math.sqrt(0.5)).erf().add(1), 0.5)


# ----- gamma functions -----
def _digamma(x: Any) -> Any:
    pole = jnp.copysign(jnp.asarray(jnp.inf, x.dtype), -x)  # psi(±0) = ∓inf; jax gives nan
    return jnp.where(x == 0, pole, lax.digamma(jnp.where(x == 0, jnp.ones_like(x), x)))


def _lgamma(x: Any) -> Any:
    infinite = jnp.isinf(x)
    found = lax.lgamma(jnp.where(infinite, jnp.ones_like(x), x))
    return jnp.where(infinite, jnp.full_like(x, jnp.inf), found)


def _trigamma(x: Any) -> Any:
    """psi' by reflection, six steps up and the asymptotic series."""
    left = x < 0.5
    mirrored = jnp.square(math.pi / jnp.sin(math.pi * x))
    y = jnp.where(left, 1 - x, x)
    total = jnp.where(left, -mirrored, jnp.zeros_like(x))
    for _ in range(6):
        total, y = total + 1 / (y * y), y + 1
    inverse = 1 / (y * y)
    tail = inverse * (1 / 6 - inverse * (1 / 30 - inverse * (1 / 42)))
    total = total + (1 + 1 / (2 * y) + tail) / y
    return jnp.where(left, -total, total)


_real_row("lgamma", _lgamma, lambda grad, input: grad * input.digamma())
_real_row("digamma", _digamma, lambda grad, input: grad * input.polygamma(1))


@op(elementwise=True, promote="float", module=None, name="polygamma")
def polygamma_of(input: Array, n: int):
    refuse("polygamma_cpu", input, REAL_ONLY)
    return in_single(lambda x: _polygamma(x, n))(input)


def _polygamma(input: Any, n: int) -> Any:
    if n == 0:
        return _digamma(input)
    if n == 1:
        return _trigamma(input)
    factor = (-1.0) ** (n + 1) * math.factorial(n)
    return factor * hurwitz(jnp.asarray(n + 1, input.dtype), input)


@polygamma_of.gradient
def _(grad, input, n):
    return grad * polygamma_of(input, n + 1)


@composite(method=False)
def polygamma(n: int, input: Tensor, *, out: Any = None) -> Tensor:
    """The n-th derivative of digamma."""
    if n < 0:
        raise RuntimeError("polygamma(n, x) does not support negative n.")
    found = polygamma_of(input, n)
    return found if out is None else write_out("polygamma", out, found)


@composite(name="polygamma", module=None, method=True, inplace=True, inplace_function=False)
def polygamma_method(self: Tensor, n: int) -> Tensor:
    """The n-th derivative of digamma, with the order last."""
    return polygamma(n, self)


@composite(inplace=True)
def mvlgamma(input: Tensor, p: int, *, out: Any = None) -> Tensor:
    """The logarithm of the multivariate gamma function of dimension p."""
    if p < 1:
        raise RuntimeError("p has to be greater than or equal to 1")
    found = mvlgamma_of(input, p)
    return found if out is None else write_out("mvlgamma", out, found)


@op(elementwise=True, promote="float", module=None, name="mvlgamma")
def mvlgamma_of(input: Array, p: int):
    shift = p * (p - 1) / 4 * math.log(math.pi)
    return sum((_lgamma(input - j / 2) for j in range(1, p)), _lgamma(input) + shift)


@mvlgamma_of.gradient
def _(grad, input, p):
    return grad * sum(((input - j / 2).digamma() for j in range(1, p)), input.digamma())


def _zeta(form: int) -> Any:
    def zeta(input: Operand, other: Operand):
        return in_single(hurwitz)(input, other)

    made = op(
        elementwise=True, promote=with_tensor("special_zeta", to_float=True), module=None,
        name=f"special_zeta{form or ''}", node=f"SpecialZetaBackward{form}",
    )(zeta)  # fmt: skip

    @made.gradient
    def _(grad, input, other):
        return None, grad * -input * made(input + 1, other)

    return made.public


_ZETA = [_zeta(form) for form in range(3)]


@composite(module="special", method=False)
def zeta(input: Any, other: Any, *, out: Any = None) -> Tensor:
    """Hurwitz's zeta function, differentiable in the second argument."""
    form = 1 if not isinstance(input, Tensor) else 0 if isinstance(other, Tensor) else 2
    found = _ZETA[form](input, other)
    if isinstance(input, Tensor) and input.requires_grad:
        text = "the derivative for 'zeta' is not implemented."
        node = f"SpecialZetaBackward{form}"
        found = refuse_gradient(found, text, node, input, other, error=NotImplementedError)
    return found if out is None else write_out("special_zeta", out, found)


# ----- products with a logarithm -----
def _product_with_log(name: str, log: Callable[..., Any], low: float, title: str) -> Any:
    """x · log y in its three forms (tensors, a number first, a number last), whose nodes differ."""

    def product(input: Operand, other: Operand):
        refuse(f"{name}_cpu", input, REAL_ONLY)
        return in_single(lambda x, y: _times_log(x, y, log))(input, other)

    forms = []
    for form in range(3):
        made = op(
            elementwise=True, promote=with_tensor(name, to_float=True), module=None,
            name=f"{name}{form or ''}", node=f"{title}Backward{form}",
        )(product)  # fmt: skip
        made.gradient(_times_log_rule(made, low))
        forms.append(made.public)

    def function(input: Any, other: Any, *, out: Any = None) -> Tensor:
        form = 0 if isinstance(other, Tensor) and isinstance(input, Tensor) else 2
        form = form if isinstance(input, Tensor) else 1
        found = forms[form](input, other)
        return found if out is None else write_out(name, out, found)

    function.__doc__ = f"The product of the first and a logarithm of the second ({name})."
    return function


def _times_log(x: Any, y: Any, log: Callable[..., Any]) -> Any:
    product = jnp.where(x == 0, jnp.zeros_like(x), x * log(y))
    return jnp.where(y != y, y, product)


def _times_log_rule(function: Any, low: float) -> Callable[..., Any]:
    def rule(grad, input, other):
        undefined = (other <= low) & (input == 0)
        up = function(grad, other).masked_fill(undefined, 0)
        return up, grad * input / (other - low)

    return rule


composite(name="xlogy", inplace=True)(_product_with_log("xlogy", jnp.log, 0, "Xlogy"))
composite(name="xlog1py", module="special")(
    _product_with_log("xlog1py", jnp.log1p, -1, "SpecialXlog1Py")
)

# ----- modified Bessel functions of the first kind -----
_real_row("i0", jsp.i0, lambda grad, input: grad * i1(input))
i0e = _special("i0e", jsp.i0e, lambda grad, input, result: _i0e_rule(grad, input, result))
i1 = _special("i1", jsp.i1, lambda grad, input, result: _i1_rule(grad, input, result))
i1e = _special("i1e", jsp.i1e, lambda grad, input, result: _i1e_rule(grad, input, result))


def _i0e_rule(grad: Tensor, input: Tensor, result: Tensor) -> Tensor:
    return grad * (i1e(input) - input.sgn() * result)


def _i1_rule(grad: Tensor, input: Tensor, result: Tensor) -> Tensor:
    slope = input.i0() - result / input
    return grad * slope.masked_fill(~(input.abs() > _tiny(input)), 0.5)


def _i1e_rule(grad: Tensor, input: Tensor, result: Tensor) -> Tensor:
    slope = i0e(input) - result * (input.sgn() + 1 / input)
    return grad * slope.masked_fill(~(input.abs() > _tiny(input)), 0.5)


def _tiny(input: Tensor) -> float:
    return finfo(input.dtype).eps


alias("polygamma", "polygamma", module="special", of="torch")
for _name, _other in dict(
    erf="erf", erfc="erfc", erfinv="erfinv", digamma="digamma", psi="digamma",
    gammaln="lgamma",
    multigammaln="mvlgamma", i0="i0", xlogy="xlogy", softmax="softmax", log_softmax="log_softmax",
).items():  # fmt: skip
    alias(_name, _other, module="special", of="torch")
