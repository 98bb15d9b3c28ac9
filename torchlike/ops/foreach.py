"""torch._foreach_*: one op over the tensors of a list, made from the op itself.

Each tensor is a call of its own here, so results' `grad_fn` is the op's, not a Foreach node.
"""

from __future__ import annotations

from collections.abc import Callable
from numbers import Number
from typing import Any

from ..core.check import spelt
from ..core.op import TABLE
from ..core.tensor import Tensor

_UNARY = """
abs acos asin atan ceil clone cos cosh erf erfc exp expm1 floor frac lgamma log log10 log1p log2 max
neg norm reciprocal round rsqrt sigmoid sign sin sinh sqrt tan tanh trunc zero_
""".split()
_BINARY = """
add clamp_max clamp_min copy_ div lerp maximum minimum mm mul pow sub addcdiv addcmul
""".split()
_ONE_WAY = ("clone", "max", "norm", "mm")  # without a form that writes to the list
_BY_NUMBER = {"maximum": "clamp_min", "minimum": "clamp_max"}


def _listed(name: str, value: Any, where: str = "'self' (position 1)") -> list[Tensor]:
    if not isinstance(value, (list, tuple)):
        raise TypeError(f"{name}(): argument {where} must be tuple of Tensors, not {spelt(value)}")
    if not value:
        raise RuntimeError("Tensor list must have at least one tensor.")
    return list(value)


def _spread(given: Any, count: int, base: str) -> list[Any]:
    """What each tensor's call takes of an argument: an element of a list, else all of it."""
    if isinstance(given, Tensor) and given.ndim and base.startswith("addc"):
        return _spread(given.tolist(), count, base)  # type: ignore[attr-defined]
    if isinstance(given, Tensor) and given.ndim:
        raise RuntimeError(
            f"scalar tensor expected to be 0 dim but it has {given.ndim} dimensions and "
            f"{given.numel()} elements."
        )
    if not isinstance(given, (list, tuple)):
        return [given] * count
    if len(given) == count:
        return list(given)
    if given and isinstance(given[0], Tensor):
        raise RuntimeError(
            f"Tensor lists must have the same number of tensors, got {count} and {len(given)}"
        )
    raise RuntimeError("Tensor list must have same number of elements as scalar list.")


def _call(base: str, first: Any, rest: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """The op of one tensor."""
    plain = base.rstrip("_")
    if plain in _BY_NUMBER and isinstance(rest[0], Number):
        base = base.replace(plain, _BY_NUMBER[plain])
    if plain in ("addcdiv", "addcmul"):
        *others, value = (*rest, named["value"]) if "value" in named else (*rest, 1)[:3]
        return getattr(first, base)(*others, value=value)
    if base == "norm":
        return TABLE["linalg", "vector_norm"](first, *rest, **named)
    if not isinstance(first, Tensor):  # a number to the power of each tensor
        return TABLE["torch", base](first, *rest, **named)
    return getattr(first, base)(*rest, **named)


def _over_list(base: str) -> Callable[..., Any]:
    name, writes = f"_foreach_{base}", base.endswith("_")

    def foreach(self: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(self, Number) and base == "pow":
            self = [self] * len(_listed(name, args[0], "'exponent' (position 2)"))
        tensors = _listed(name, self)
        if "alpha" in kwargs and isinstance(args[0], Number):
            _listed(name, args[0], "'other' (position 2)")
        count = len(tensors)
        columns = [_spread(given, count, base) for given in args]
        words = {k: _spread(v, count, base) for k, v in kwargs.items() if k not in ("alpha", "ord")}
        same = {k: v for k, v in kwargs.items() if k in ("alpha", "ord")}
        made = [
            _call(base, tensor, tuple(column[i] for column in columns),
                  same | {k: v[i] for k, v in words.items()})
            for i, tensor in enumerate(tensors)
        ]  # fmt: skip
        return self if writes else tuple(made)

    foreach.__name__ = foreach.__qualname__ = name
    foreach.__doc__ = f"`{base}` of each tensor of a list."
    return foreach


_NAMES = [*_UNARY, *_BINARY]
_NAMES += [f"{n}_" for n in _NAMES if n not in _ONE_WAY and not n.endswith("_")]
FOREACH = {f"_foreach_{name}": _over_list(name) for name in _NAMES}
