"""The way to JAX: torchlike code as pure functions of JAX arrays, and JAX arrays as tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..core.device import CPU, device
from ..core.dtypes import from_numpy
from ..core.record import Batch, inside_transform
from ..core.storage import SHARED, Value, aval_of, concrete, read_jax, traced
from ..core.tensor import Tensor, wrap
from ..nn.module import Module
from .forward import jvp
from .modules import functional_call

ARRAYS = (jax.Array, np.ndarray, np.generic)


def from_jax(array: Any) -> Tensor:
    """A tensor of a JAX array's elements, on its device; the array is never donated."""
    if not isinstance(array, jax.Array):
        raise TypeError(
            f"from_jax(): argument 'array' must be jax.Array, not {type(array).__name__}"
        )
    if isinstance(array, jax.core.Tracer):
        return wrap(traced(array))
    if jnp.issubdtype(array.dtype, jax.dtypes.extended):
        raise TypeError(f"from_jax(): arrays of {array.dtype} are no tensors")
    aval = aval_of(tuple(array.shape), from_numpy(array.dtype), _device_of(array))
    return wrap(concrete(array, aval, SHARED))


def _device_of(array: Any) -> device:
    places = sorted(array.devices(), key=lambda d: d.id)
    if len(places) > 1:
        raise NotImplementedError("from_jax: array on several devices is not supported")
    platform = {"gpu": "cuda"}.get(places[0].platform, places[0].platform)
    if platform == "cpu":
        return CPU
    index = jax.devices(places[0].platform).index(places[0])
    return device(platform if platform == "cuda" else "xla", index)


def _tensor(x: Any) -> Any:
    return wrap(traced(jnp.asarray(x))) if isinstance(x, ARRAYS) else x


def _array(x: Any) -> Any:
    if not isinstance(x, Tensor):
        return jnp.asarray(x)
    value: Value = x._value_now()
    if value.array.__class__ is Batch:
        raise RuntimeError("to_jax: a tensor of torch.vmap can not leave it")
    return read_jax(value)


def to_jax(fn: Callable[..., Any]) -> Callable[..., Any]:
    """A function over tensors as a pure one over (pytrees of) JAX arrays.

    `jax.jit`, `jax.vmap`, `jax.grad`, `jax.jvp` apply to it; derivatives are PyTorch's where the
    two differ (ties, kinks). Random numbers are drawn while it is traced, tensors it closes over
    are constants, and what it writes into its arguments is lost.
    """

    def pure(*args: Any, **kwargs: Any) -> Any:
        flat, spec = jax.tree.flatten((args, kwargs))
        at = [i for i, x in enumerate(flat) if isinstance(x, ARRAYS)]
        shape: list[Any] = []

        def over_tensors(*tensors: Tensor) -> list[Any]:
            full = list(flat)
            for i, t in zip(at, tensors, strict=True):
                full[i] = t
            given, named = jax.tree.unflatten(spec, full)
            leaves, out_spec = jax.tree.flatten(fn(*given, **named))
            shape[:] = [out_spec]
            return leaves

        leaves = _differentiable(over_tensors)(*[jnp.asarray(flat[i]) for i in at])
        return jax.tree.unflatten(shape[0], leaves)

    return pure


def _differentiable(function: Callable[..., Sequence[Any]]) -> Callable[..., list[Any]]:
    """A function from tensors to a list of them, over arrays, with torchlike's `jvp` as JAX's."""

    @jax.custom_jvp
    def over_arrays(*arrays: Any) -> list[Any]:
        with inside_transform():
            return [_array(x) for x in function(*map(_tensor, arrays))]

    @over_arrays.defjvp
    def push(primals: Any, tangents: Any) -> Any:
        moving = [i for i, p in enumerate(primals) if jnp.issubdtype(p.dtype, jnp.inexact)]
        outs = over_arrays(*primals)  # by themselves: jax.checkpoint keeps apart what is linear
        pushed = _differentiable(_pushed(function, moving))(
            *primals, *[tangents[i] for i in moving]
        )
        return outs, [_tangent(p, t) for p, t in zip(outs, pushed, strict=True)]

    return over_arrays


def _pushed(function: Callable[..., Sequence[Any]], moving: list[int]) -> Callable[..., list[Any]]:
    """The function's tangents as one function of primals, then tangents."""

    def push(*tensors: Tensor) -> list[Any]:
        count = len(tensors) - len(moving)
        primals, tangents = tensors[:count], tensors[count:]

        def of_moving(*chosen: Tensor) -> tuple[Any, ...]:
            full = list(primals)
            for i, x in zip(moving, chosen, strict=True):
                full[i] = x
            return tuple(
                x if isinstance(x, Tensor) else wrap(traced(jnp.asarray(x)))
                for x in function(*full)
            )

        return list(jvp(of_moving, tuple(primals[i] for i in moving), tangents)[1])

    return push


def _tangent(primal: Any, tangent: Any) -> Any:
    if jnp.issubdtype(primal.dtype, jnp.inexact):
        return tangent
    return np.zeros(primal.shape, jax.dtypes.float0)


def functional(module: Module) -> tuple[dict[str, jax.Array], Callable[..., Any]]:
    """A module as (parameters, pure function of them): `apply(params, *args)` over JAX arrays.

    Buffers are constants, unless `params` holds them by name too; a forward that updates them
    leaves the module as it was.
    """
    params = {
        name: jnp.asarray(p.detach().__jax_array__()) for name, p in module.named_parameters()
    }

    def call(params: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        own = {name: b.clone() for name, b in module.named_buffers() if name not in params}
        return functional_call(module, {**own, **params}, args, kwargs)

    return params, to_jax(call)
