"""Tensors of random numbers: torch.rand … torch.multinomial, drawn from PyTorch's CPU streams."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core import dtypes, rng_draw, rng_reject
from ..core.check import broadcast_shapes
from ..core.device import META
from ..core.dtypes import BOOL, COMPLEX, FLOAT, INTEGER, SCALAR_NAMES
from ..core.mutate import write_out
from ..core.op import Array, composite, op
from ..core.rng import Generator
from ..core.tape import no_grad
from ..core.tensor import Tensor, to_host
from .random_arguments import (
    blank,
    blank_like,
    check_named,
    finish,
    is_int,
    mismatch,
    size_of,
)
from .random_fill import (
    bernoulli_,
    check_std,
    checked_chances,
    draw_to_tensor,
    fill,
    generator_for,
    has_no_derivative,
    normal_draw,
    of_tensors,
    passes_zeros,
    per_example,
    refuse,
    require,
    to_float,
    to_int,
)
from .random_integers import fill_integers
from .reparameterized import _standard_gamma_grad

# ----- filled tensors -----


def _made(function: str, size: tuple, options: dict, kind: Any, fill: Any) -> Tensor:
    """A new tensor (or `out=`), filled outside of autograd; `fill(tensor, generator)`."""
    with no_grad():
        tensor = per_example(blank(function, size, options, kind))
        tensor = fill(tensor, options.get("generator"))
    return finish(tensor, options)


def _sized(function: str, size: tuple, options: dict, fill: Any) -> Tensor:
    if ("size" in options) == bool(size):
        raise mismatch(function, size, options)
    size = (options.pop("size"),) if "size" in options else size
    check_named(function, size, options)
    return _made(function, size_of(function, size), options, None, fill)


@composite(method=False)
def rand(*size, **options):
    """Uniform numbers in [0, 1)."""
    return _sized("rand", size, options, _uniform)


@composite(method=False)
def randn(*size, **options):
    """Standard normal numbers."""
    return _sized("randn", size, options, _normal)


def _uniform(tensor: Tensor, generator: Any) -> Tensor:
    return tensor.uniform_(generator=generator)


def _normal(tensor: Tensor, generator: Any) -> Tensor:
    return tensor.normal_(generator=generator)


@composite(method=False)
def randint(*args, **options):
    """Integers in [low, high), evenly."""
    low, high, size = _randint_arguments(args, options)
    return _made(
        "randint", size, options, dtypes.int64, lambda t, g: fill_integers(t, low, high, g)
    )


def _randint_arguments(args: tuple, options: dict) -> tuple[int, int, tuple[int, ...]]:
    given = _named_bounds("randint", ("low", "high", "size"), args, options)
    size = given["size"]
    if "low" in given and not isinstance(size, tuple | list):
        raise mismatch("randint", args, options)
    high = to_int("randint", "high", 1, given["high"])
    if not isinstance(size, tuple | list):
        kind = type(size).__name__
        raise TypeError(
            f"randint(): argument 'size' (position 2) must be tuple of ints, not {kind}"
        )
    return to_int("randint", "low", 1, given.get("low", 0)), high, size_of("randint", (size,))


def _named_bounds(function: str, names: tuple, args: tuple, options: dict) -> dict:
    """Arguments by name from [low,] high and what follows; the names leave `options`."""
    given = {name: options.pop(name) for name in names if name in options}
    free = [name for name in names if name not in given]
    if "low" not in given and len(args) == len(free) - 1:
        free = free[1:]
    if len(args) != len(free):
        raise mismatch(function, args, {**given, **options})
    check_named(function, args, options)
    given |= zip(free, args)
    if "low" in given and not (is_int(given["low"]) and is_int(given["high"])):
        raise mismatch(function, args, options)
    return given


def _made_like(function: str, input: Any, options: dict, fill: Any) -> Tensor:
    check_named(function, (input,), options)
    _check_tensor(function, input)
    with no_grad():
        tensor = per_example(blank_like(function, input, options))
        tensor = fill(tensor, options.get("generator"))
    return finish(tensor, options)


@composite(method=False)
def rand_like(input, **options):
    """`rand` in another tensor's shape, dtype and device."""
    return _made_like("rand_like", input, options, _uniform)


@composite(method=False)
def randn_like(input, **options):
    """`randn` in another tensor's shape, dtype and device."""
    return _made_like("randn_like", input, options, _normal)


@composite(method=False)
def randint_like(input, *args, **options):
    """`randint` in another tensor's shape, dtype and device."""
    given = _named_bounds("randint_like", ("low", "high"), args, options)
    if not isinstance(input, Tensor) or not is_int(given["high"]):
        raise mismatch("randint_like", (input, *args), options)
    low, high = given.get("low", 0).__index__(), given["high"].__index__()
    return _made_like("randint_like", input, options, lambda t, g: fill_integers(t, low, high, g))


@composite(method=False)
def randperm(n, **options):
    """A random permutation of the integers below n."""
    n = to_int("randperm", "n", 1, n)
    check_named("randperm", (n,), options)
    if n < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {n}: [{n}]")

    def order(tensor: Tensor, generator: Any) -> Tensor:
        generator_for("randperm", generator, tensor.device)
        _check_permutation(n, tensor.dtype)
        return fill(tensor, "randperm", generator, lambda g: rng_draw.permutation(g, n), "")

    return _made("randperm", (n,), options, dtypes.int64, order)


_EXACT = {  # the longest permutation that a floating point dtype holds
    dtypes.float16: (2**11 + 1, "2049"),
    dtypes.float32: (2**24 + 1, "2^24+1"),
    dtypes.float64: (2**53 + 1, "2^53+1"),
}


def _check_permutation(n: int, kind: Any) -> None:
    refuse("randperm", kind, BOOL, COMPLEX)
    if kind in _EXACT:
        most, text = _EXACT[kind]
        name = SCALAR_NAMES[kind]
        require(n <= most, f"n cannot be greater than {text} for {name} type.")
    if kind.category == INTEGER:
        fits = n - 1 <= dtypes.iinfo(kind).max
        require(fits, f"value cannot be converted to type {kind.name}_t without overflow")


# ----- torch.normal -----


@composite(method=False)
@of_tensors
def normal(mean, std=1.0, size=None, *, generator=None, out=None, **options):
    """Normal numbers; mean and std may be tensors."""
    if size is not None:
        return _normal_of_size(mean, std, size, dict(options, generator=generator, out=out))
    tensors = isinstance(mean, Tensor) or isinstance(std, Tensor)
    if options or not tensors or not isinstance(generator, Generator | None):
        named = {} if generator is None else {"generator": generator}
        raise mismatch("normal", (mean, std), named | options)
    made = _normal_around(mean, std, generator)
    return made if out is None else write_out("normal", out, made)


def _normal_of_size(mean: Any, std: Any, size: Any, options: dict) -> Tensor:
    if not isinstance(size, tuple | list):
        raise mismatch("normal", (mean, std, size), {})
    check_named("normal", (mean, std, size), options)
    mean, std = to_float("normal", "mean", 1, mean), to_float("normal", "std", 2, std)
    shape = size_of("normal", (size,))
    return _made(
        "normal", shape, options, None, lambda t, g: t.normal_(mean, std, generator=g)
    )  # fmt: skip


def _normal_around(mean: Any, std: Any, generator: Any) -> Tensor:
    """Scaled and shifted on the host, where the spread must be seen anyway to be checked."""
    inputs = [x for x in (mean, std) if isinstance(x, Tensor)]
    first, scale, spread = inputs[0], 1.0, None
    which = 3 if len(inputs) == 2 else 1 if first is mean else 2
    if first.device is META:
        shape = broadcast_shapes(*[tuple(x.shape) for x in inputs])
        return passes_zeros(first.new_empty(shape), f"NormalBackward{which}", *inputs)  # type: ignore[attr-defined]
    if isinstance(std, Tensor):
        require(not std.is_complex(), "normal expects standard deviation to be non-complex")
        spread = to_host(std)
        require(bool((spread >= 0).all()), "normal expects all elements of std >= 0.0")
    else:
        scale = to_float("normal", "std", 2, std)
        check_std(scale)
    shape = broadcast_shapes(*[tuple(x.shape) for x in inputs])
    refuse("normal_kernel_cpu", first.dtype, BOOL, INTEGER)
    kind, center = dtypes.to_numpy(first.dtype), to_host(mean) if first is mean else mean
    standard = normal_draw(first.dtype, math.prod(shape), True, 0.0, scale)

    def draw(generator: Generator) -> np.ndarray:
        values = standard(generator).reshape(shape)
        if spread is not None:
            values = rng_draw.narrow(values * spread, kind)
        return rng_draw.narrow(values + np.asarray(center, kind), kind)

    draws = draw_to_tensor(draw, generator_for("normal", generator, first.device), first.device)
    return passes_zeros(draws, f"NormalBackward{which}", *inputs)


# ----- draws whose parameters are tensors -----


def _drawn(input: Tensor, name: str, generator: Any, sample: Any, node: str) -> Tensor:
    """`sample(generator, values)` of the input's values, in row-major order."""
    if input.device is META:
        return passes_zeros(input.new_empty(input.shape), node, input)  # type: ignore[attr-defined]
    source = generator_for(name, generator, input.device)
    values = to_host(input)
    drawn = draw_to_tensor(lambda g: sample(g, values), source, input.device)
    return passes_zeros(drawn, node, input)


@composite
@of_tensors
def bernoulli(input, p=None, *, generator=None, out=None):
    """0 or 1, with the probabilities in `input` (or all with `p`)."""
    _check_tensor("bernoulli", input)
    made = _bernoulli(input, generator) if p is None else _bernoulli_of(input, p, generator)
    return made if out is None else _resized_out("bernoulli", out, made.to(out.dtype))


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
        made = bernoulli_(per_example(input.new_empty(input.shape)), p, generator=generator)
    return has_no_derivative(made, "bernoulli", input)


def _check_tensor(function: str, input: Any) -> None:
    if not isinstance(input, Tensor):
        kind = type(input).__name__
        raise TypeError(f"{function}(): argument 'input' (position 1) must be Tensor, not {kind}")


@composite(method=False)
@of_tensors
def poisson(input, generator=None):
    """Poisson numbers with the rates in `input`."""
    _check_tensor("poisson", input)
    refuse("poisson_cpu", input.dtype, BOOL, INTEGER, COMPLEX)

    def sample(generator, rate):
        require(bool((rate >= 0).all()), "invalid Poisson rate, expected rate to be non-negative")
        return rng_reject.poisson(generator, rate)

    return _drawn(input, "poisson", generator, sample, "PoissonBackward0")


@composite(method=False)
@of_tensors
def binomial(count, prob, generator=None):
    """Binomial numbers."""
    for name, tensor in (("count", count), ("prob", prob)):
        if tensor.dtype.category != FLOAT:
            kind = SCALAR_NAMES[tensor.dtype]
            raise ValueError(
                f"binomial only supports floating-point dtypes for {name}, got: {kind}"
            )
    source = generator_for("binomial", generator, count.device)
    counts, chances = np.broadcast_arrays(to_host(count), to_host(prob))
    draw = draw_to_tensor(lambda g: rng_reject.binomial(g, counts, chances), source, count.device)
    return has_no_derivative(draw, "binomial", count, prob)


@composite(method=False)
@of_tensors
def _standard_gamma(input, generator=None):
    """Gamma numbers of unit rate, differentiable in their concentration."""
    refuse("gamma_cpu", input.dtype, BOOL, INTEGER, COMPLEX, *_halves(input))
    source = generator_for("_standard_gamma", generator, input.device)
    values = to_host(input)
    draw = draw_to_tensor(lambda g: rng_reject.standard_gamma(g, values), source, input.device)
    return gamma_drawn(input, draw) if input.requires_grad else draw


def _halves(input: Tensor) -> tuple[int, ...]:
    return (FLOAT,) if input.dtype.itemsize == 2 else ()


@op(module=None, promote="none", node="StandardGammaBackward0")
def gamma_drawn(input: Array, draw: Array):
    return draw


@gamma_drawn.gradient
def _(grad, input, draw):
    return grad * _standard_gamma_grad.public(input, draw), None


@composite(method=False)
@of_tensors
def _sample_dirichlet(input, generator=None):
    """Dirichlet numbers."""
    refuse("dirichlet", input.dtype, BOOL, INTEGER, COMPLEX, *_halves(input))
    source = generator_for("_sample_dirichlet", generator, input.device)
    values = to_host(input)
    draw = draw_to_tensor(lambda g: rng_reject.dirichlet(g, values), source, input.device)
    return has_no_derivative(draw, "_sample_dirichlet", input)


# ----- multinomial -----


@composite
@of_tensors
def multinomial(input, num_samples, replacement=False, *, generator=None, out=None):
    """Indices drawn by the weights in each row."""
    _check_tensor("multinomial", input)
    count = to_int("multinomial", "num_samples", 2, num_samples)
    _check_multinomial(input, count, replacement, out)
    if input.device is META:
        return input.new_empty((*input.shape[:-1], count), dtype=dtypes.int64)  # type: ignore[attr-defined]
    source = generator_for("multinomial", generator, input.device)
    weights = to_host(input)
    rows = weights if weights.ndim == 2 else weights[None]
    _check_weights(rows, replacement and count > 1)

    def draw(generator):
        indices = rng_draw.multinomial(generator, rows, count, replacement)
        return indices.reshape(*weights.shape[:-1], count)

    made = draw_to_tensor(draw, source, input.device)
    return made if out is None else _resized_out("multinomial", out, made)


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
    if not len(rows):
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


def _resized_out(function: str, out: Tensor, made: Tensor) -> Tensor:
    """PyTorch resizes here without a warning."""
    if out.shape != made.shape:
        out.resize_(made.shape)
    return write_out(function, out, made)
