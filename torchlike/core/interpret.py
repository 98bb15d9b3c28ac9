"""The cold tier: a NumPy interpreter of jaxprs.

Compiling one tiny op costs XLA about 35 ms; running its jaxpr in NumPy costs microseconds. Only
primitives whose NumPy form is exact (or within an ulp or two) are listed; a jaxpr with any other
goes to XLA.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

Rule = Callable[[Any], Callable[..., Any] | None]  # eqn -> function of NumPy arrays, or None
RULES: dict[str, Rule] = {}
NAMED: dict[str, Callable[..., Any]] = {}  # jitted functions that NumPy has: by their names
MANY = 1 << 12  # elements from which on a select is made of bits
CALLS = {"jit", "pjit", "closed_call", "custom_jvp_call", "custom_vjp_call", "remat", "checkpoint"}


def interpreter(closed: ClosedJaxpr) -> Callable[..., list[Any]] | None:
    """A NumPy function that does what the jaxpr does, or None if a primitive has no rule."""
    try:
        steps, slots = _compile(closed.jaxpr, closed.consts)
    except NotImplementedError:
        return None
    constants, inputs, outputs, size = slots

    def run(*arrays: Any) -> list[Any]:
        env: list[Any] = [None] * size
        for slot, value in constants:
            env[slot] = value
        for slot, value in zip(inputs, arrays, strict=True):
            env[slot] = value
        for fun, ins, out, many in steps:
            result = fun(*[env[i] for i in ins])
            if many:
                for slot, value in zip(out, result, strict=True):
                    env[slot] = value
            else:
                env[out] = result
        return [env[i] for i in outputs]

    return run


def _compile(jaxpr: Jaxpr, consts: Sequence[Any]) -> tuple[list[Any], tuple[Any, ...]]:
    numbering: dict[Any, int] = {}
    constants: list[tuple[int, Any]] = []

    def slot(v: Any) -> int:
        if isinstance(v, Literal):
            constants.append((len(numbering), np.asarray(v.val, v.aval.dtype)))  # type: ignore[attr-defined]
            return numbering.setdefault(object(), len(numbering))
        return numbering.setdefault(v, len(numbering))

    for v, c in zip(jaxpr.constvars, consts, strict=True):
        constants.append((slot(v), np.asarray(c)))
    inputs = [slot(v) for v in jaxpr.invars]
    steps = []
    for eqn in jaxpr.eqns:
        name = eqn.primitive.name
        known = NAMED.get(eqn.params["name"]) if name in ("jit", "pjit") else None
        if known is not None:
            fun = lambda *xs, known=known: [known(*xs)]  # noqa: E731
        elif name in CALLS:
            inner: Any = eqn.params.get("jaxpr") or eqn.params.get("call_jaxpr")
            fun = interpreter(inner if isinstance(inner, ClosedJaxpr) else ClosedJaxpr(inner, ()))
        else:
            rule = RULES.get(name)
            fun = None if rule is None else rule(eqn)
        if fun is None:
            raise NotImplementedError(name)
        ins = [slot(v) for v in eqn.invars]
        many = name in CALLS or eqn.primitive.multiple_results
        out = [slot(v) for v in eqn.outvars] if many else slot(eqn.outvars[0])
        steps.append((fun, ins, out, many))
    outputs = [slot(v) for v in jaxpr.outvars]
    return steps, (constants, inputs, outputs, len(numbering))


# ----- rules -----
def _rows(**functions: Callable[..., Any]) -> None:
    for name, function in functions.items():
        RULES[name] = lambda eqn, function=function: function


def rule(*names: str) -> Callable[[Rule], Rule]:
    def declare(rule: Rule) -> Rule:
        for name in names:
            RULES[name] = rule
        return rule

    return declare


_rows(
    add=np.add, sub=np.subtract, mul=np.multiply, max=np.maximum, min=np.minimum, neg=np.negative,
    exp=np.exp, exp2=np.exp2, log=np.log, log1p=np.log1p, expm1=np.expm1, sin=np.sin, cos=np.cos,
    tan=np.tan, asin=np.arcsin, acos=np.arccos, atan=np.arctan, atan2=np.arctan2, sinh=np.sinh,
    cosh=np.cosh, tanh=np.tanh, asinh=np.arcsinh, acosh=np.arccosh, atanh=np.arctanh,
    sqrt=np.sqrt, cbrt=np.cbrt, sign=np.sign, abs=np.abs, floor=np.floor, ceil=np.ceil,
    gt=np.greater, lt=np.less, ge=np.greater_equal, le=np.less_equal, eq=np.equal,
    ne=np.not_equal, is_finite=np.isfinite, add_any=np.add, real=np.real, imag=np.imag,
    conj=np.conj, nextafter=np.nextafter, square=np.square, stop_gradient=lambda x: x,
    copy=lambda x: x, copy_p=lambda x: x, optimization_barrier=lambda *x: x,
    clamp=lambda lo, x, hi: np.minimum(np.maximum(x, lo), hi),
    **{"and": np.bitwise_and, "or": np.bitwise_or, "not": np.invert, "xor": np.bitwise_xor},
)  # fmt: skip


@rule("div")
def _div(eqn: Any) -> Any:
    if eqn.outvars[0].aval.dtype.kind not in "iu":
        return np.divide

    def divide(a: Any, b: Any) -> Any:  # towards zero; XLA gives -1 for x / 0
        b = np.asarray(b)
        safe = np.where(b == 0, b.dtype.type(1), b)
        q = np.abs(a) // np.abs(safe)
        q = np.where((np.asarray(a) < 0) != (safe < 0), -q, q).astype(b.dtype)
        return np.where(b == 0, np.array(-1).astype(b.dtype), q)

    return divide


@rule("rem")
def _rem(eqn: Any) -> Any:
    if eqn.outvars[0].aval.dtype.kind not in "iu":
        return np.fmod
    return lambda a, b: np.where(
        b == 0, a, np.fmod(a, np.where(b == 0, np.asarray(b).dtype.type(1), b))
    )


@rule("pow")
def _pow(eqn: Any) -> Any:
    x, y = (v.aval.dtype for v in eqn.invars)
    if x.kind in "iu" or y != x:
        return None
    return np.power


@rule("integer_pow")
def _integer_pow(eqn: Any) -> Any:
    y = eqn.params["y"]
    if y == 2:
        return np.square
    if y < 0:
        return lambda x: np.reciprocal(x ** np.asarray(-y, x.dtype) if y != -1 else x)
    return lambda x: _repeated(x, y)


def _repeated(x: Any, y: int) -> Any:
    out = None
    while y:
        if y & 1:
            out = x if out is None else out * x
        x, y = x * x, y >> 1
    return np.ones_like(x) if out is None else out


@rule("rsqrt")
def _rsqrt(eqn: Any) -> Any:
    return lambda x: np.reciprocal(np.sqrt(x))


@rule("logistic")
def _logistic(eqn: Any) -> Any:
    return lambda x: np.reciprocal(1 + np.exp(-x))


@rule("round")
def _round(eqn: Any) -> Any:
    # ROUND_TO_NEAREST_EVEN is 1; away from zero is 0
    if int(eqn.params["rounding_method"]) == 1:
        return np.rint
    return lambda x: np.trunc(x + np.copysign(np.asarray(0.5, x.dtype), x))


@rule("convert_element_type")
def _convert(eqn: Any) -> Any:
    source, target = eqn.invars[0].aval.dtype, np.dtype(eqn.params["new_dtype"])
    if source.kind in "fcV" and target.kind in "iu":
        return None if source.kind != "f" else lambda x: _float_to_int(x, target)
    if source.kind == "c" and target.kind != "c":
        return lambda x: np.real(x).astype(target)
    return lambda x: np.asarray(x).astype(target, copy=False)


def _float_to_int(x: Any, target: np.dtype[Any]) -> Any:
    """C's conversion as PyTorch does it on x86: through int64, wrapping; NaN gives the minimum."""
    x = np.asarray(x)
    if target.kind == "u" and target.itemsize == 8:
        return np.where(x < 2.0**63, x.astype(np.int64).astype(target), x.astype(target))
    return x.astype(np.int64).astype(target)


@rule("select_n")
def _select(eqn: Any) -> Any:
    if len(eqn.invars) != 3 or eqn.invars[0].aval.dtype != np.bool_:
        return None
    kind = eqn.outvars[0].aval.dtype
    bits = {4: np.int32, 8: np.int64}.get(kind.itemsize) if kind.kind in "fiu" else None

    def select(which: Any, no: Any, yes: Any) -> Any:
        # Shapes are those of the call: an elementwise op is traced with numbers.
        if bits is None or np.size(which) < MANY or not _fit(np.shape(which), no, yes):
            return np.where(which, yes, no)
        return _select_bits(which, np.asarray(no), np.asarray(yes), bits)

    return select


def _fit(shape: tuple[int, ...], *arrays: Any) -> bool:
    return all(np.shape(x) in (shape, ()) for x in arrays)


def _select_bits(which: Any, no: Any, yes: Any, bits: Any) -> Any:
    """np.where by masks: it mispredicts a branch at every other element, which costs 7 times."""
    mask = np.negative(which.astype(bits))
    a, b = yes.view(bits), no.view(bits)
    np.bitwise_and(mask, a ^ b, out=mask)
    return np.bitwise_xor(mask, b, out=mask).view(yes.dtype)


@rule("is_nan")
def _is_nan(eqn: Any) -> Any:
    return np.isnan


@rule("erf", "erfc", "lgamma", "digamma", "erf_inv", "bessel_i0e", "bessel_i1e")
def _scipy_special(eqn: Any) -> Any:
    from scipy import special  # a dependency of jax; imported when first needed: 30 ms

    names = {
        "erf": "erf",
        "erfc": "erfc",
        "lgamma": "gammaln",
        "digamma": "psi",
        "erf_inv": "erfinv",
        "bessel_i0e": "i0e",
        "bessel_i1e": "i1e",
    }
    function = getattr(special, names[eqn.primitive.name])
    kind = eqn.outvars[0].aval.dtype
    return lambda x: function(x.astype(np.float64)).astype(kind)


@rule("shift_left", "shift_right_logical", "shift_right_arithmetic")
def _shift(eqn: Any) -> Any:
    return None  # XLA defines shifts by too much, NumPy does not


@rule("complex")
def _complex(eqn: Any) -> Any:
    kind = eqn.outvars[0].aval.dtype

    def parts(re: Any, im: Any) -> Any:
        out = np.empty(np.broadcast_shapes(np.shape(re), np.shape(im)), kind)
        out.real, out.imag = re, im  # re + 1j * im makes nan of inf
        return out

    return parts


# ----- reductions -----
def _reduction(name: str, method: Callable[..., Any]) -> None:
    def rule(eqn: Any) -> Any:
        axes, kind = tuple(eqn.params["axes"]), eqn.invars[0].aval.dtype
        if kind.itemsize == 2 and kind.kind in "fV" and name in ("reduce_sum", "reduce_prod"):
            return lambda x: method(x.astype(np.float32), axis=axes).astype(kind)
        if name in ("reduce_sum", "reduce_prod"):
            return lambda x: method(x, axis=axes, dtype=kind)
        if 0 in eqn.invars[0].aval.shape:
            return None
        return lambda x: method(x, axis=axes)

    RULES[name] = rule


for _name, _method in dict(
    reduce_sum=np.add.reduce, reduce_prod=np.multiply.reduce, reduce_max=np.maximum.reduce,
    reduce_min=np.minimum.reduce, reduce_and=np.bitwise_and.reduce, reduce_or=np.bitwise_or.reduce,
).items():  # fmt: skip
    _reduction(_name, _method)


@rule("argmax", "argmin")
def _arg_reduce(eqn: Any) -> Any:
    (axis,), kind = eqn.params["axes"], np.dtype(eqn.params["index_dtype"])
    find = np.argmax if eqn.primitive.name == "argmax" else np.argmin
    return lambda x: find(x, axis=axis).astype(kind)


@rule("cumsum", "cumprod", "cummax", "cummin")
def _cumulative(eqn: Any) -> Any:
    ufunc = {
        "cumsum": np.add, "cumprod": np.multiply, "cummax": np.maximum, "cummin": np.minimum,
    }[eqn.primitive.name]  # fmt: skip
    axis, reverse = eqn.params["axis"], eqn.params["reverse"]

    def scan(x: Any) -> Any:
        if reverse:
            return np.flip(ufunc.accumulate(np.flip(x, axis), axis=axis), axis)
        return ufunc.accumulate(x, axis=axis)

    return scan


# ----- shape -----
@rule("transpose")
def _transpose(eqn: Any) -> Any:
    permutation = tuple(eqn.params["permutation"])
    return lambda x: np.transpose(x, permutation)


@rule("reshape")
def _reshape(eqn: Any) -> Any:
    if eqn.params.get("dimensions") is not None:
        return None
    sizes = tuple(eqn.params["new_sizes"])
    return lambda x: np.reshape(x, sizes)


@rule("squeeze")
def _squeeze(eqn: Any) -> Any:
    dims = tuple(eqn.params["dimensions"])
    return lambda x: np.squeeze(x, dims)


@rule("expand_dims")
def _expand_dims(eqn: Any) -> Any:
    dims = tuple(eqn.params["dimensions"])
    return lambda x: np.expand_dims(x, dims)


@rule("broadcast_in_dim")
def _broadcast_in_dim(eqn: Any) -> Any:
    shape, dims = tuple(eqn.params["shape"]), eqn.params["broadcast_dimensions"]
    source = eqn.invars[0].aval.shape
    middle = [1] * len(shape)
    for d, n in zip(dims, source, strict=True):
        middle[d] = n
    return lambda x: np.broadcast_to(np.reshape(x, middle), shape)


@rule("concatenate")
def _concatenate(eqn: Any) -> Any:
    axis = eqn.params["dimension"]
    return lambda *parts: np.concatenate(parts, axis)


@rule("stack")
def _stack(eqn: Any) -> Any:
    axis = eqn.params["axis"]
    return lambda *parts: np.stack(parts, axis)


@rule("unstack")
def _unstack(eqn: Any) -> Any:
    axis = eqn.params["axis"]
    return lambda x: list(np.moveaxis(x, axis, 0))


@rule("tile")
def _tile(eqn: Any) -> Any:
    reps = tuple(eqn.params["reps"])
    return lambda x: np.tile(x, reps)


@rule("rev")
def _rev(eqn: Any) -> Any:
    dims = tuple(eqn.params["dimensions"])
    return lambda x: np.flip(x, dims)


@rule("slice")
def _slice(eqn: Any) -> Any:
    p = eqn.params
    strides = p["strides"] or (1,) * len(p["start_indices"])
    at = tuple(map(slice, p["start_indices"], p["limit_indices"], strides))
    return lambda x: x[at]


@rule("dynamic_slice")
def _dynamic_slice(eqn: Any) -> Any:
    sizes, shape = eqn.params["slice_sizes"], eqn.invars[0].aval.shape

    def run(x: Any, *starts: Any) -> Any:
        at = [min(max(int(s), 0), n - k) for s, n, k in zip(starts, shape, sizes, strict=True)]
        return x[tuple(slice(s, s + k) for s, k in zip(at, sizes, strict=True))]

    return run


@rule("dynamic_update_slice")
def _dynamic_update_slice(eqn: Any) -> Any:
    shape, sizes = eqn.invars[0].aval.shape, eqn.invars[1].aval.shape

    def run(x: Any, update: Any, *starts: Any) -> Any:
        at = [min(max(int(s), 0), n - k) for s, n, k in zip(starts, shape, sizes, strict=True)]
        out = np.array(x)
        out[tuple(slice(s, s + k) for s, k in zip(at, sizes, strict=True))] = update
        return out

    return run


@rule("pad")
def _pad(eqn: Any) -> Any:
    config, shape = eqn.params["padding_config"], eqn.outvars[0].aval.shape
    kind = eqn.outvars[0].aval.dtype
    if any(lo < 0 or hi < 0 for lo, hi, _ in config):
        return None
    source = eqn.invars[0].aval.shape
    at = tuple(
        slice(lo, lo + max((n - 1) * (step + 1) + 1, 0) if n else lo, step + 1)
        for (lo, _, step), n in zip(config, source, strict=True)
    )

    def run(x: Any, fill: Any) -> Any:
        out = np.full(shape, fill, kind)
        out[at] = x
        return out

    return run


@rule("iota")
def _iota(eqn: Any) -> Any:
    shape, axis, kind = eqn.params["shape"], eqn.params["dimension"], np.dtype(eqn.params["dtype"])
    middle = [-1 if i == axis else 1 for i in range(len(shape))]
    made = np.broadcast_to(np.arange(shape[axis]).astype(kind).reshape(middle), shape)
    return lambda: made


@rule("sort")
def _sort(eqn: Any) -> Any:
    if len(eqn.invars) != 1 or eqn.invars[0].aval.dtype.kind not in "iufb":
        return None
    axis = eqn.params["dimension"]
    return lambda x: [np.sort(x, axis=axis, kind="stable")]


@rule("split")
def _split(eqn: Any) -> Any:
    axis = eqn.params["axis"]
    cuts = np.cumsum(eqn.params["sizes"])[:-1]
    return lambda x: np.split(x, cuts, axis)


# ----- products -----
@rule("dot_general")
def _dot_general(eqn: Any) -> Any:
    (ca, cb), (ba, bb) = eqn.params["dimension_numbers"]
    kind = eqn.outvars[0].aval.dtype
    if kind.kind not in "fc" or kind.itemsize < 4 or any(v.aval.dtype != kind for v in eqn.invars):
        return None
    na, nb = eqn.invars[0].aval.ndim, eqn.invars[1].aval.ndim
    if not ba and na == nb == 2 and len(ca) == 1:
        return _product_2d(ca[0], cb[0])
    free_a = [i for i in range(na) if i not in ca and i not in ba]
    free_b = [i for i in range(nb) if i not in cb and i not in bb]
    shape = eqn.outvars[0].aval.shape
    order_a, order_b = (*ba, *free_a, *ca), (*bb, *cb, *free_b)
    sizes_a, sizes_b = eqn.invars[0].aval.shape, eqn.invars[1].aval.shape

    def count(sizes: Any, dims: Any) -> int:
        return int(np.prod([sizes[d] for d in dims], dtype=np.int64))

    batch, m, k = count(sizes_a, ba), count(sizes_a, free_a), count(sizes_a, ca)
    n = count(sizes_b, free_b)

    def run(a: Any, b: Any) -> Any:
        left = np.transpose(a, order_a).reshape(batch, m, k)
        right = np.transpose(b, order_b).reshape(batch, k, n)
        return np.matmul(left, right).reshape(shape)

    return run


def _product_2d(ca: int, cb: int) -> Any:
    if ca == 1:
        return np.matmul if cb == 0 else lambda a, b: np.matmul(a, b.T)
    return (lambda a, b: np.matmul(a.T, b)) if cb == 0 else lambda a, b: np.matmul(a.T, b.T)
