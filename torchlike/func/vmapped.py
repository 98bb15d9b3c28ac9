"""`vmap`: a function of one example, run on all of them at once."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

from .. import ops
from ..core.mutate import overwrite
from ..core.record import VMAP
from ..core.tensor import Tensor
from ..utils._pytree import _broadcast_to_and_flatten, tree_flatten, tree_map_, tree_unflatten
from .batch import Level, enter, leave, tensor_levels
from .grads import wraps


def vmap(
    func: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """The function over a dim of its inputs: it sees one example, ops run on all."""
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(
            "Only allowed values for randomness are 'error', 'different', or 'same'. Got "
            f"{randomness}"
        )
    if chunk_size is not None and not chunk_size > 0:
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")

    @wraps(func)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        tree_map_(lambda d: _check_out_dim(d, func, out_dims), out_dims)
        size, dims, flat, spec = _batched_inputs(func, in_dims, args)
        call = functools.partial(
            _run,
            func,
            dims=dims,
            spec=spec,
            out_dims=out_dims,
            randomness=randomness,
            kwargs=kwargs,
        )
        if chunk_size is None:
            return call(size, flat)
        return _in_chunks(call, _chunks(flat, dims, size, chunk_size), out_dims, randomness)

    return wrapped


# ----- arguments -----
def name_of(func: Callable[..., Any]) -> str:
    """What messages call a function."""
    if hasattr(func, "__name__"):
        return func.__name__
    if isinstance(func, functools.partial):
        return f"functools.partial({name_of(func.func)}, ...)"
    return repr(func)


def _check_out_dim(dim: Any, func: Callable[..., Any], out_dims: Any) -> None:
    if not isinstance(dim, int | None):
        raise ValueError(
            f"vmap({name_of(func)}, ..., out_dims={out_dims}): `out_dims` must be an int, None or "
            "a python collection of ints representing where in the outputs the vmapped dimension "
            "should appear."
        )


def _batched_inputs(func: Any, in_dims: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """How many examples, the dim of each flat argument, the flat arguments, their structure."""
    head = f"vmap({name_of(func)}, in_dims={in_dims}, ...)(<inputs>): "
    if not isinstance(in_dims, int | tuple):
        raise ValueError(
            f"{head}expected `in_dims` to be int or a (potentially nested) tuple matching the "
            f"structure of inputs, got: {type(in_dims)}."
        )
    if not args:
        raise ValueError(
            f"vmap({name_of(func)})(<inputs>): got no inputs. Maybe you forgot to add inputs, or "
            "you are trying to vmap over a function with no inputs. The latter is unsupported."
        )
    flat, spec = tree_flatten(args)
    dims = _broadcast_to_and_flatten(in_dims, spec)
    if dims is None:
        raise ValueError(
            f"{head}in_dims is not compatible with the structure of `inputs`. in_dims has "
            f"structure {tree_flatten(in_dims)[1]} but inputs has structure {spec}."
        )
    dims = [_checked_in_dim(head, x, dim) for x, dim in zip(flat, dims, strict=True)]
    return _size(flat, dims), dims, flat, spec


def _checked_in_dim(head: str, x: Any, dim: Any) -> int | None:
    if dim is None:
        return None
    if not isinstance(dim, int):
        raise ValueError(
            f"{head}Got in_dim={dim} for an input but in_dim must be either an integer dimension "
            "or None."
        )
    if not isinstance(x, Tensor):
        raise ValueError(
            f"{head}Got in_dim={dim} for an input but the input is of type {type(x)}. We cannot "
            "vmap over non-Tensor arguments, please use None as the respective in_dim"
        )
    if not -x.ndim <= dim < x.ndim:
        raise ValueError(
            f"{head}Got in_dim={dim} for some input, but that input is a Tensor of dimensionality "
            f"{x.ndim} so expected in_dim to satisfy -{x.ndim} <= in_dim < {x.ndim}."
        )
    return dim % x.ndim


def _size(flat: list[Any], dims: list[int | None]) -> int:
    sizes = [x.shape[dim] for x, dim in zip(flat, dims, strict=True) if dim is not None]
    if not sizes:
        raise ValueError("vmap: Expected at least one Tensor to vmap over")
    if any(size != sizes[0] for size in sizes):
        raise ValueError(
            "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes "
            f"{sizes} for the mapped dimension"
        )
    return sizes[0]


# ----- the run -----
def _run(
    func: Any, size: int, flat: Any, *, dims: Any, spec: Any, out_dims: Any, randomness: str,
    kwargs: Any,
) -> Any:  # fmt: skip
    with Level(size, randomness) as level:
        pairs = list(zip(flat, dims, strict=True))
        inside = [x if dim is None else enter(x, dim, level) for x, dim in pairs]
        out = func(*tree_unflatten(list(inside), spec), **kwargs)
        result = _outputs(func, out, out_dims, level)
    _write_back(pairs, inside, level)
    return result


def _write_back(pairs: list[Any], inside: list[Any], level: Level) -> None:
    """What the function wrote into its examples shows in the argument they come from."""
    for (x, dim), t in zip(pairs, inside, strict=True):
        if dim is not None and t._storage.version:
            overwrite(x, leave(t, dim, level))


def _outputs(func: Any, out: Any, out_dims: Any, level: Level) -> Any:
    flat, spec = tree_flatten(out)
    if isinstance(out, Tensor) and isinstance(out_dims, tuple):
        dims = list(out_dims) if len(out_dims) == 1 else None
    else:
        dims = _broadcast_to_and_flatten(out_dims, spec)
    name = name_of(func)
    if dims is None:
        raise ValueError(
            f"vmap({name}, ..., out_dims={out_dims})(<inputs>): out_dims is not compatible with "
            f"the structure of `outputs`. out_dims has structure {tree_flatten(out_dims)[1]} but "
            f"outputs has structure {spec}."
        )
    return tree_unflatten(
        [_output(name, x, d, level) for x, d in zip(flat, dims, strict=True)], spec
    )


def _output(name: str, x: Any, dim: int | None, level: Level) -> Any:
    if dim is None:
        if tensor_levels(x):
            raise ValueError(
                f"vmap({name}, ...): `{name}` can not return a BatchedTensor when out_dim is None"
            )
        return x
    if not isinstance(x, Tensor):
        raise ValueError(
            f"vmap({name}, ...): `{name}` must only return Tensors, got type {type(x)}. Did you "
            "mean to set out_dims= to None for output?"
        )
    return leave(x, dim, level)


# ----- chunks -----
def _chunks(flat: Any, dims: Any, size: int, chunk: int) -> Iterator[tuple[int, list[Any]]]:
    for start in range(0, size, chunk):
        count = min(chunk, size - start)
        yield (
            count,
            [
                x if dim is None else x.narrow(dim, start, count)
                for x, dim in zip(flat, dims, strict=True)
            ],
        )


def _in_chunks(call: Any, chunks: Any, out_dims: Any, randomness: str) -> Any:
    state = ops.get_rng_state() if randomness == "same" else None
    found = []
    for count, flat in chunks:
        if state is not None:
            ops.set_rng_state(state)
        found.append(tree_flatten(call(count, flat)))
    spec = found[0][1]
    dims = _broadcast_to_and_flatten(out_dims, spec)
    columns = zip(*[leaves for leaves, _ in found], strict=True)
    return tree_unflatten(
        [ops.cat(column, dim=dim) for column, dim in zip(columns, dims, strict=True)], spec
    )


def chunk_vmap(
    func: Callable[..., Any], in_dims: Any = 0, out_dims: Any = 0, randomness: str = "error",
    chunks: int = 2,
) -> Callable[..., Any]:  # fmt: skip
    """`vmap` in so many pieces, one after the other."""

    @wraps(func)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        size = _batched_inputs(func, in_dims, args)[0]
        pieces = -(-size // chunks)
        return vmap(func, in_dims, out_dims, randomness, chunk_size=pieces)(*args, **kwargs)

    return wrapped


VMAP["vmap"] = vmap
