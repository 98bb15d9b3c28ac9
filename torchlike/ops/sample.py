"""Tensors of random numbers: torch.rand … torch.multinomial, drawn from PyTorch's CPU streams."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from ..core import dtypes, rng_draw, rng_reject
from ..core.dtypes import BOOL, COMPLEX, FLOAT, INTEGER, SCALAR_NAMES
from ..core.mutate import write_out
from ..core.op import Array, Optional, composite, op
from ..core.tape import is_grad_enabled, no_grad
from ..core.tensor import Tensor, to_host
from .create import empty, empty_like
from .fill import (
    bernoulli_,
    check_std,
    checked_chances,
    draw_to_tensor,
    generator_for,
    redrawn,
    redrawn_from,
    refuse,
    require,
    to_float,
    to_int,
)
from .fill_integers import fill_integers

# ----- filled tensors -----


def _made(size: tuple, options: dict, fill: Any) -> Tensor:
    """A new tensor (or `out=`), filled outside of autograd."""
    requires_grad = options.pop("requires_grad", False)
    with no_grad():
        tensor = fill(empty(*size, **options))
    return tensor.requires_grad_() if requires_grad else tensor


def _made_like(input: Any, options: dict, fill: Any) -> Tensor:
    requires_grad = options.pop("requires_grad", False)
    with no_grad():
        tensor = fill(empty_like(input, **options))
    return tensor.requires_grad_() if requires_grad else tensor


@composite(method=False)
def rand(*size, generator=None, **options):
    return _made(size, options, lambda t: t.uniform_(generator=generator))


@composite(method=False)
def randn(*size, generator=None, **options):
    return _made(size, options, lambda t: t.normal_(generator=generator))


@composite(method=False)
def rand_like(input, *, generator=None, **options):
    return _made_like(input, options, lambda t: t.uniform_(generator=generator))


@composite(method=False)
def randn_like(input, *, generator=None, **options):
    return _made_like(input, options, lambda t: t.normal_(generator=generator))


@composite(method=False)
def randint(*args, generator=None, **options):
    low, high, size = _bounds("randint", ("low", "high", "size"), args, options)
    if options.get("dtype") is None and options.get("out") is None:
        options["dtype"] = dtypes.int64
    return _made((size,), options, lambda t: fill_integers(t, low, high, generator))


@composite(method=False)
def randint_like(input, *args, generator=None, **options):
    low, high = _bounds("randint_like", ("low", "high"), args, options)
    return _made_like(input, options, lambda t: fill_integers(t, low, high, generator))


def _bounds(function: str, names: tuple, args: tuple, options: dict) -> tuple:
    """[low,] high and what follows, by position or name."""
    given = {name: options.pop(name) for name in names if name in options}
    free = [name for name in names if name not in given]
    if len(args) < len(free) and free[0] == "low":
        free, given["low"] = free[1:], 0
    if len(args) != len(free):
        kinds = ", ".join(type(arg).__name__ for arg in args)
        raise TypeError(
            f"{function}() received an invalid combination of arguments - got ({kinds})"
        )
    given |= zip(free, args)
    for name in ("low", "high"):
        given[name] = to_int(function, name, names.index(name) + 1, given[name])
    return tuple(given[name] for name in names)


@composite(method=False)
def randperm(n, *, generator=None, **options):
    n = to_int("randperm", "n", 1, n)
    kind = options.setdefault("dtype", None) or dtypes.int64
    if "out" in options and options["out"] is not None:
        kind = options["out"].dtype
    options["dtype"] = kind
    _check_permutation(n, kind)

    def fill(tensor: Tensor) -> Tensor:
        source = generator_for("randperm", generator, tensor.device)
        if tensor.device.type == "meta":
            return tensor
        order = draw_to_tensor(lambda g: rng_draw.permutation(g, n), source, tensor.device)
        return tensor.copy_(order)

    return _made((n,), options, fill)


def _check_permutation(n: int, kind: Any) -> None:
    refuse("randperm", kind, BOOL, COMPLEX)
    if kind.category == FLOAT:
        most = {dtypes.float16: 2049, dtypes.float32: 2**24 + 1, dtypes.float64: 2**53 + 1}
        text = {dtypes.float16: "2049", dtypes.float32: "2^24+1", dtypes.float64: "2^53+1"}
        if n > most.get(kind, n):
            raise RuntimeError(
                f"n cannot be greater than {text[kind]} for {SCALAR_NAMES[kind]} type."
            )
    elif n - 1 > dtypes.iinfo(kind).max:
        raise RuntimeError(f"value cannot be converted to type {kind.name}_t without overflow")


# ----- torch.normal -----


@composite(method=False)
def normal(mean, std=1.0, size=None, *, generator=None, out=None, **options):
    if size is not None:
        return _normal_of_size(mean, std, size, generator, dict(options, out=out))
    if options or not (isinstance(mean, Tensor) or isinstance(std, Tensor)):
        kinds = ", ".join(type(x).__name__ for x in (mean, std))
        raise TypeError(f"normal() received an invalid combination of arguments - got ({kinds})")
    made = _normal_around(mean, std, generator)
    return made if out is None else write_out("normal", out, made)


def _normal_of_size(mean: Any, std: Any, size: Any, generator: Any, options: dict) -> Tensor:
    mean, std = to_float("normal", "mean", 1, mean), to_float("normal", "std", 2, std)
    return _made((size,), options, lambda t: t.normal_(mean, std, generator=generator))


def _normal_around(mean: Any, std: Any, generator: Any) -> Tensor:
    """Scaled and shifted on the host: a spread must be seen to be checked anyway."""
    first = mean if isinstance(mean, Tensor) else std
    scale, shape = 1.0, first.shape
    if isinstance(std, Tensor):
        require(not std.is_complex(), "normal expects standard deviation to be non-complex")
        spread = to_host(std)
        require(bool((spread >= 0).all()), "normal expects all elements of std >= 0.0")
        if isinstance(mean, Tensor):
            shape = (mean + std).shape if mean.shape != std.shape else shape
    else:
        scale = to_float("normal", "std", 2, std)
        check_std(scale)
    with no_grad():
        draws = empty(shape, dtype=first.dtype, device=first.device)
        draws = draws.normal_(0.0, scale, generator=generator)
        if isinstance(std, Tensor):
            draws = draws.mul_(std)
        draws = draws.add_(mean)
    return _normal_node(mean, std, draws)


def _normal_node(mean: Any, std: Any, draws: Tensor) -> Tensor:
    tensors = [x for x in (mean, std) if isinstance(x, Tensor)]
    if not is_grad_enabled() or not any(x.requires_grad for x in tensors):
        return draws
    if len(tensors) == 2:
        return redrawn_from(mean, std, draws, "NormalBackward3")
    return redrawn(tensors[0], draws, f"NormalBackward{1 if isinstance(mean, Tensor) else 2}")


# ----- draws whose parameters are tensors -----


def _drawn(input: Tensor, name: str, generator: Any, sample: Any, node: str) -> Tensor:
    """`sample(generator, values)` of the input's values, in row-major order."""
    source = generator_for(name, generator, input.device)
    values = to_host(input)
    drawn = draw_to_tensor(lambda g: sample(g, values), source, input.device)
    return redrawn(input, drawn, node) if is_grad_enabled() and input.requires_grad else drawn


@composite
def bernoulli(input, p=None, *, generator=None, out=None):
    _check_tensor("bernoulli", input)
    made = _bernoulli(input, generator) if p is None else _bernoulli_of(input, p, generator)
    return made if out is None else write_out("bernoulli", out, made)


def _bernoulli(input: Tensor, generator: Any) -> Tensor:
    refuse("bernoulli_tensor_cpu_self_", input.dtype, COMPLEX)
    refuse("bernoulli_tensor_cpu_p_", input.dtype, BOOL, INTEGER)
    kind = dtypes.to_numpy(input.dtype)

    def sample(generator, p):
        flat = rng_draw.bernoulli_each(generator, checked_chances(p).ravel())
        return flat.reshape(p.shape).astype(kind)

    return _drawn(input, "bernoulli", generator, sample, "BernoulliBackward0")


def _bernoulli_of(input: Tensor, p: Any, generator: Any) -> Tensor:
    with no_grad():
        made = bernoulli_(empty_like(input), p, generator=generator)
    return undifferentiable(input, None, made, "bernoulli")


@op(module=None, promote="none", node="torch::autograd::NotImplemented")
def undifferentiable(input: Array, other: Optional[Array], draw: Array, name: str):
    """A draw that PyTorch has no derivative for: backward raises."""
    return draw


@undifferentiable.gradient
def _(grad, input, other, draw, name):
    raise RuntimeError(f"derivative for aten::{name} is not implemented")


def _check_tensor(function: str, input: Any) -> None:
    if not isinstance(input, Tensor):
        kind = type(input).__name__
        raise TypeError(f"{function}(): argument 'input' (position 1) must be Tensor, not {kind}")


@composite(method=False)
def poisson(input, generator=None):
    _check_tensor("poisson", input)
    refuse("poisson_cpu", input.dtype, BOOL, INTEGER, COMPLEX)

    def sample(generator, rate):
        require(bool((rate >= 0).all()), "invalid Poisson rate, expected rate to be non-negative")
        return rng_reject.poisson(generator, rate)

    return _drawn(input, "poisson", generator, sample, "PoissonBackward0")


@composite(method=False)
def binomial(count, prob, generator=None):
    for name, tensor in (("count", count), ("prob", prob)):
        if tensor.dtype.category != FLOAT:
            kind = SCALAR_NAMES[tensor.dtype]
            raise ValueError(
                f"binomial only supports floating-point dtypes for {name}, got: {kind}"
            )
    source = generator_for("binomial", generator, count.device)
    counts, chances = np.broadcast_arrays(to_host(count), to_host(prob))
    draw = draw_to_tensor(lambda g: rng_reject.binomial(g, counts, chances), source, count.device)
    return undifferentiable(count, prob, draw, "binomial")


@composite(method=False)
def _standard_gamma(input, generator=None):
    refuse("gamma_cpu", input.dtype, BOOL, INTEGER, COMPLEX, *_halves(input))
    source = generator_for("_standard_gamma", generator, input.device)
    values = to_host(input)
    draw = draw_to_tensor(lambda g: rng_reject.standard_gamma(g, values), source, input.device)
    return gamma_drawn(input, draw) if input.requires_grad else draw


def _halves(input: Tensor) -> tuple[int, ...]:
    return (FLOAT,) if input.dtype.itemsize == 2 else ()


@op(promote="none", method=False, out=False)
def _standard_gamma_grad(input: Array, output: Array):
    return jax.lax.random_gamma_grad(input, output)


@op(module=None, promote="none", node="StandardGammaBackward0")
def gamma_drawn(input: Array, draw: Array):
    return draw


@gamma_drawn.gradient
def _(grad, input, draw):
    return grad * _standard_gamma_grad.public(input, draw), None


@composite(method=False)
def _sample_dirichlet(input, generator=None):
    refuse("dirichlet", input.dtype, BOOL, INTEGER, COMPLEX, *_halves(input))
    source = generator_for("_sample_dirichlet", generator, input.device)
    values = to_host(input)
    draw = draw_to_tensor(lambda g: rng_reject.dirichlet(g, values), source, input.device)
    return undifferentiable(input, None, draw, "_sample_dirichlet")


# ----- multinomial -----


@composite
def multinomial(input, num_samples, replacement=False, *, generator=None, out=None):
    _check_tensor("multinomial", input)
    count = to_int("multinomial", "num_samples", 2, num_samples)
    _check_multinomial(input, count, replacement, out)
    source = generator_for("multinomial", generator, input.device)
    weights = to_host(input)
    rows = weights.reshape(-1, weights.shape[-1])
    _check_weights(rows, replacement and count > 1)

    def draw(generator):
        indices = rng_draw.multinomial(generator, rows, count, replacement)
        return indices.reshape(*weights.shape[:-1], count)

    made = draw_to_tensor(draw, source, input.device)
    return made if out is None else _resized_out(out, made)


def _check_multinomial(input: Tensor, count: int, replacement: bool, out: Any) -> None:
    if out is not None:
        kind = SCALAR_NAMES[out.dtype]
        require(out.dtype is dtypes.int64, f"multinomial expects Long tensor out, got: {kind}")
    require(input.ndim in (1, 2), "prob_dist must be 1 or 2 dim")
    require(
        input.dtype.category == FLOAT,
        f"multinomial only supports floating-point dtypes for input, got: "
        f"{SCALAR_NAMES[input.dtype]}",
    )
    require(count > 0, "cannot sample n_sample <= 0 samples")
    require(
        replacement or count <= input.shape[-1],
        "cannot sample n_sample > prob_dist.size(-1) samples without replacement",
    )


def _check_weights(rows: np.ndarray, replacement: bool) -> None:
    if not rows.size:
        return
    wide = rows.astype(np.float64)
    bad = "invalid multinomial distribution (encountering probability entry "
    if replacement:
        require(bool((~(wide < 0)).all()), bad + "< 0)")
        require(bool(np.isfinite(wide).all()), bad + "= infinity or NaN)")
    require(
        bool(((wide >= 0) & (wide < np.inf)).all()),
        "probability tensor contains either `inf`, `nan` or element < 0",
    )
    require(
        bool((wide.sum(-1) > 0).all()),
        "invalid multinomial distribution (sum of probabilities <= 0)",
    )


def _resized_out(out: Tensor, made: Tensor) -> Tensor:
    """PyTorch resizes here without a warning."""
    if out.shape != made.shape:
        out.resize_(made.shape)
    return write_out("multinomial", out, made)
