"""In-place random fills: PyTorch's checks and order in memory, the draw on the host, one write."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ..core import capture, dtypes, rng_draw
from ..core.device import device as Device
from ..core.dtypes import BOOL, C_NAMES, COMPLEX, FLOAT, INTEGER, SCALAR_NAMES, dtype
from ..core.function_nodes import function_node
from ..core.geometry import Geometry, result_stride
from ..core.mutate import overwrite
from ..core.nodes import edge_of
from ..core.op import composite
from ..core.record import LOCAL, VMAP
from ..core.rng import Generator, generator_of
from ..core.tape import is_grad_enabled, zeros
from ..core.tensor import Tensor, from_host, to_host, wrap
from ..core.writable import check_writable
from .random_arguments import mismatch
from .random_device import Recipe, draw_on_device

Draw = Callable[[Generator], np.ndarray]
UNSIGNED = (dtypes.uint16, dtypes.uint32, dtypes.uint64)  # few kernels know these


# ----- arguments -----


def generator_for(function: str, generator: Any, device: Device) -> Generator:
    """The generator to draw from: the one given, or the device's own."""
    if generator is None:
        return generator_of(device)
    if not isinstance(generator, Generator):
        kind = type(generator).__name__
        raise TypeError(f"{function}(): argument 'generator' must be torch.Generator, not {kind}")
    if generator.device.type != device.type and device.type != "meta":
        raise RuntimeError(
            f"Expected a '{device.type}' device type for generator but found "
            f"'{generator.device.type}'"
        )
    return generator


def to_float(function: str, name: str, position: int, value: Any) -> float:
    """A Python float from a number or a tensor of one element."""
    number = isinstance(value, int | float | np.number)
    if not number and not (isinstance(value, Tensor) and value.ndim == 0):
        kind = type(value).__name__
        raise TypeError(
            f"{function}(): argument '{name}' (position {position}) must be float, not {kind}"
        )
    return float(value)


def to_int(function: str, name: str, position: int, value: Any) -> int:
    """A Python int from an integer or an integer tensor of one element; 64 bits wide."""
    if isinstance(value, bool | float) or not hasattr(value, "__index__"):
        kind = type(value).__name__
        raise TypeError(
            f"{function}(): argument '{name}' (position {position}) must be int, not {kind}"
        )
    value = value.__index__()
    if not -(1 << 63) <= value < 1 << 63:
        raise ValueError("Overflow when unpacking long long")
    return value


def refuse(kernel: str, kind: dtype, *categories: int) -> None:
    """NotImplementedError, as from PyTorch's dispatch, if a dtype is of these categories."""
    narrow_float = kind.category == FLOAT and kind.itemsize == 1
    if kind.category in categories or narrow_float or kind in UNSIGNED:
        name = SCALAR_NAMES.get(kind, kind.name)
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{name}'")


def require(condition: bool, message: str) -> None:
    if not condition:
        raise RuntimeError(message)


# ----- the write -----


def draw_to_tensor(draw: Draw, generator: Generator, device: Device) -> Tensor:
    """The one place where numbers drawn on the host become a tensor."""
    if LOCAL.state.vmaps:
        return VMAP["draw"](lambda: from_host(draw(generator), device))
    step = capture.current()
    if step is not None:
        return step.draw(draw, generator, device)
    return from_host(draw(generator), device)


def of_tensors(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A draw whose parameters are tensors; inside `vmap` it is drawn for all examples at once."""

    @functools.wraps(function)
    def drawn(*args: Any, **kwargs: Any) -> Tensor:
        if LOCAL.state.vmaps:
            return VMAP["draw_of"](function, args, kwargs)
        return function(*args, **kwargs)

    return drawn


def per_example(t: Tensor) -> Tensor:
    """Memory about to be filled; inside `vmap` with room for each example that draws its own."""
    return VMAP["blank"](t) if LOCAL.state.vmaps else t


def in_memory_order(draws: np.ndarray, at: Geometry) -> np.ndarray:
    """Flat draws as an array of a tensor's shape: the first draw goes to the lowest address."""
    shape = tuple(at.shape)
    if at.contiguous:
        return draws.reshape(shape)
    stride = result_stride((shape,), (tuple(at.stride),), shape)
    strided = as_strided(draws, shape, [step * draws.itemsize for step in stride])
    return np.ascontiguousarray(strided)


def passes_zeros(draw: Tensor, node: str, *inputs: Tensor) -> Tensor:
    """The draw, with a node that passes zeros back to what it was drawn from."""
    avals, edges = [x._aval for x in inputs], _edges(inputs)
    if edges:
        made = function_node(node, lambda _: [wrap(zeros(a)) for a in avals], edges, [draw._aval])
        draw._grad_fn, draw._requires_grad = made, True
    return draw


def has_no_derivative(draw: Tensor, function: str, *inputs: Tensor) -> Tensor:
    """The draw, with a node that raises, where PyTorch has no derivative."""

    def backward(grad: Tensor) -> list:
        raise RuntimeError(f"derivative for aten::{function} is not implemented")

    edges = _edges(inputs)
    if edges:
        made = function_node("NotImplemented", backward, edges, [draw._aval])
        type(made).name = lambda self: "torch::autograd::NotImplemented"
        draw._grad_fn, draw._requires_grad = made, True
    return draw


def _edges(inputs: tuple[Tensor, ...]) -> list:
    """Where the gradients of a draw go; [] when none is wanted."""
    edges = [edge_of(x) for x in inputs] if is_grad_enabled() else []
    return edges if any(edge is not None for edge in edges) else []


def fill(
    tensor: Tensor,
    name: str,
    generator: Any,
    draw: Draw,
    node: str,
    recipe: Recipe | None = None,
    parameters: tuple[Tensor, ...] = (),
) -> Tensor:
    """Overwrite a tensor with `draw(generator)`, flat values in memory order.

    An accelerator's tensor follows `recipe` on the device, where there is one.
    """
    check_writable(tensor)
    if tensor.device.type == "meta":
        return tensor
    source = generator_for(name, generator, tensor.device)
    kind, at = dtypes.to_numpy(tensor.dtype), tensor.geometry()  # draws hold no tensor alive

    def values(generator: Generator) -> np.ndarray:
        return in_memory_order(rng_draw.narrow(draw(generator), kind), at)

    if recipe is None or source.device.type == "cpu":
        drawn = draw_to_tensor(values, source, tensor.device)
    else:
        drawn = draw_on_device(recipe, tuple(tensor.shape), kind, source)
    return overwrite(tensor, passes_zeros(drawn, node, tensor, *parameters))


def real_kind(kind: dtype) -> np.dtype:
    """The NumPy dtype of a tensor's numbers: complex ones are pairs."""
    return dtypes.to_numpy(kind.to_real())


def joined(values: np.ndarray, kind: dtype) -> np.ndarray:
    """Pairs as complex numbers, if that is the dtype."""
    return values.view(dtypes.to_numpy(kind)) if kind.is_complex else values


# ----- uniform and normal -----


def method(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A Tensor method that is not a torch function; `vmap` fills the memory of all examples."""

    @functools.wraps(function)
    def filled(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        if LOCAL.state.vmaps:
            return VMAP["fill"](function, self, args, kwargs)
        return function(self, *args, **kwargs)

    return composite(filled, module=None, method=True)


def from_to(function: str, args: tuple, kwargs: dict, defaults: tuple) -> tuple:
    """Arguments called `from` and `to`, which Python cannot spell as parameters."""
    if len(args) > 2:
        raise TypeError(
            f"{function}() takes from 0 to 2 positional arguments but {len(args)} were given"
        )
    given = dict(zip(("from", "to"), args))
    for name, value in kwargs.items():
        if name not in ("from", "to") or name in given:
            raise TypeError(f"{function}() got an unexpected keyword argument '{name}'")
        given[name] = value
    return tuple(given.get(name, default) for name, default in zip(("from", "to"), defaults))


@method
def uniform_(self, *args, generator=None, **kwargs):
    """Uniform numbers in [from, to), in place."""
    low, high = from_to("uniform_", args, kwargs, (0.0, 1.0))
    low = to_float("uniform_", "from", 1, low)
    high = to_float("uniform_", "to", 2, high)
    kind = self.dtype
    refuse("check_uniform_bounds", kind, BOOL, INTEGER)
    check_uniform_bounds(low, high, kind.to_real())
    count = self.numel() * (1 + kind.is_complex)

    def draw(generator: Generator) -> np.ndarray:
        return joined(rng_draw.uniform(generator, count, low, high, real_kind(kind)), kind)

    return fill(self, "uniform_", generator, draw, "UniformBackward0", Recipe("uniform", low, high))


@functools.cache
def _largest(kind: dtype) -> float:
    return dtypes.finfo(kind).max


def check_uniform_bounds(low: float, high: float, kind: dtype) -> None:
    most = _largest(kind)
    for name, bound in (("from", low), ("to", high)):
        require(-most <= bound <= most, f"{name} is out of bounds for {C_NAMES[kind]}")
    require(
        low <= high,
        f"uniform_ expects to return a [from, to) range, but found from={low:g} > to={high:g}",
    )
    require(
        high - low <= most,
        f"uniform_ expects to-from <= std::numeric_limits<{SCALAR_NAMES[kind]}>::max(), but found "
        f"to={high:g} and from={low:g} which result in to-from to exceed the limit",
    )


@method
def normal_(self, mean=0.0, std=1.0, *, generator=None):
    """Normal numbers, in place."""
    mean, std = to_float("normal_", "mean", 1, mean), to_float("normal_", "std", 2, std)
    check_std(std)
    refuse("normal_kernel_cpu", self.dtype, BOOL, INTEGER)
    recipe = Recipe("normal", mean, std / math.sqrt(1 + self.is_complex()))
    draw = normal_draw(self.dtype, self.numel(), self.is_contiguous(), mean, std)
    return fill(self, "normal_", generator, draw, "NormalBackward0", recipe)


def check_std(std: float) -> None:
    require(std >= 0, f"normal expects std >= 0.0, but found std {std:g}")


def normal_draw(kind: dtype, count: int, contiguous: bool, mean: float, std: float) -> Draw:
    """Normals of a dtype; a complex one splits its variance between two parts."""
    real = real_kind(kind)
    if not kind.is_complex:
        return lambda g: rng_draw.normal(g, count, mean, std, real, contiguous)
    part = std / math.sqrt(2)

    def draw(generator: Generator) -> np.ndarray:
        values = rng_draw.normal(generator, 2 * count, 0.0, part, real, contiguous)
        return joined(values, kind) + dtypes.to_numpy(kind).type(mean)

    return draw


@method
def log_normal_(self, mean=1.0, std=2.0, *, generator=None):
    """Exponentials of normal numbers, in place."""
    mean, std = to_float("log_normal_", "mean", 1, mean), to_float("log_normal_", "std", 2, std)
    require(std > 0, f"log_normal_ expects std > 0.0, but found std={std:g}")
    kind, count = self.dtype, self.numel()
    refuse("log_normal_cpu", kind, BOOL, INTEGER, COMPLEX)
    return fill(
        self, "log_normal_", generator,
        lambda g: rng_draw.log_normal(g, count, mean, std, real_kind(kind)), "LogNormalBackward0",
    )  # fmt: skip


# ----- other continuous fills -----

_CONTINUOUS = (
    "{} distribution is a continuous probability distribution. dtype must be a floating point but "
    "you specified {}"
)


@method
def exponential_(self, lambd=1.0, *, generator=None):
    """Exponential numbers, in place."""
    rate, kind, count = to_float("exponential_", "lambd", 1, lambd), self.dtype, self.numel()
    name = SCALAR_NAMES.get(kind, kind.name)
    require(kind.category == FLOAT, _CONTINUOUS.format("Exponential", name))
    require(rate > 0, f"exponential_ expects lambda > 0.0, but found lambda={rate:g}")
    return fill(
        self, "exponential_", generator,
        lambda g: rng_draw.exponential(g, count, rate, real_kind(kind)), "ExponentialBackward0",
        Recipe("exponential", rate),
    )  # fmt: skip


@method
def cauchy_(self, median=0.0, sigma=1.0, *, generator=None):
    """Cauchy numbers, in place."""
    median, sigma = to_float("cauchy_", "median", 1, median), to_float("cauchy_", "sigma", 2, sigma)
    kind, count = self.dtype, self.numel()
    require(sigma > 0, f"cauchy_ expects sigma > 0.0, but found sigma={sigma:g}")
    name = C_NAMES.get(kind, kind.name)
    require(kind.category == FLOAT, _CONTINUOUS.format("Cauchy", name))
    return fill(
        self, "cauchy_", generator,
        lambda g: rng_draw.cauchy(g, count, median, sigma, real_kind(kind)), "CauchyBackward0",
    )  # fmt: skip


@method
def geometric_(self, p, *, generator=None):
    """Numbers of trials up to the first success, in place."""
    p, kind, count = to_float("geometric_", "p", 1, p), self.dtype, self.numel()
    require(0 < p < 1, f"geometric_ expects p to be in (0, 1), but got p={p:g}")
    refuse("geometric_cpu", kind, BOOL, COMPLEX)
    wide = real_kind(kind) if kind.category == FLOAT else np.dtype(np.float64)
    return fill(
        self, "geometric_", generator,
        lambda g: rng_draw.geometric(g, count, p, wide), "GeometricBackward0",
    )  # fmt: skip


# ----- Bernoulli -----


@method
def bernoulli_(self, p=0.5, *, generator=None):
    """0 or 1, in place; `p` may be a tensor."""
    if isinstance(p, Tensor):
        return _bernoulli_each(self, p, generator)
    if isinstance(p, str) or not hasattr(p, "__float__"):
        raise mismatch("bernoulli_", (p,), {})
    p, kind, count = to_float("bernoulli_", "p", 1, p), self.dtype, self.numel()
    require(0 <= p <= 1, f"bernoulli_ expects p to be in [0, 1], but got p={p:g}")
    refuse("bernoulli_scalar_cpu_", kind, COMPLEX)
    return fill(
        self, "bernoulli_", generator,
        lambda g: rng_draw.bernoulli(g, count, p), "BernoulliBackward2",
        Recipe("bernoulli", p),
    )  # fmt: skip


def _bernoulli_each(self: Tensor, p: Tensor, generator: Any) -> Tensor:
    refuse("bernoulli_tensor_cpu_self_", self.dtype, COMPLEX)
    refuse("bernoulli_tensor_cpu_p_", p.dtype, BOOL, INTEGER, COMPLEX)
    chances = checked_chances(to_host(p.expand(self.shape)))
    flat = flat_in_memory_order(chances, self)
    return fill(
        self, "bernoulli_", generator,
        lambda g: rng_draw.bernoulli_each(g, flat), "BernoulliBackward1", parameters=(p,),
    )  # fmt: skip


def checked_chances(p: np.ndarray) -> np.ndarray:
    require(
        bool(((p >= 0) & (p <= 1)).all()),
        "Expected p_in >= 0 && p_in <= 1 to be true, but got false.  (Could this error message be "
        "improved?  If so, please report an enhancement request to PyTorch.)",
    )
    return p


def flat_in_memory_order(values: np.ndarray, like: Tensor) -> np.ndarray:
    """The elements of an array in the order in which a tensor of its shape lies in memory."""
    if like.is_contiguous():
        return values.ravel()
    stride = like.geometry().stride
    slowest_first = sorted(range(values.ndim), key=lambda dim: -stride[dim])
    return values.transpose(slowest_first).ravel()


# ----- for torch.nn.init -----


def trunc_normal_(
    tensor: Tensor, mean: float, std: float, low: float, high: float, generator: Any
) -> Tensor:
    """Normals within [low, high]; no torch function or method."""
    kind, count, contiguous = tensor.dtype, tensor.numel(), tensor.is_contiguous()
    refuse("normal_kernel_cpu", kind, BOOL, INTEGER)
    refuse("lt_cpu", kind, COMPLEX)
    require(
        low <= high,
        f"uniform_ expects to return a [from, to) range, but found from={low:g} > to={high:g}",
    )
    return fill(
        tensor, "trunc_normal_", generator,
        lambda g: rng_draw.trunc_normal(
            g, count, mean, std, low, high, real_kind(kind), contiguous
        ), "NormalBackward0",
    )  # fmt: skip
