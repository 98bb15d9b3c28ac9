"""`grad`, `grad_and_value`, `vjp`, `jacrev`: reverse mode."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .. import ops
from ..core.dtypes import FLOAT
from ..core.nodes import edge_of
from ..core.record import LOCAL
from ..core.tensor import Tensor
from ..utils._pytree import tree_flatten, tree_leaves, tree_unflatten
from .grads import Pass, chosen, end_window, pull, replaced, wraps
from .vmapped import vmap


# ----- grad -----
def grad(func: Callable[..., Any], argnums: Any = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The gradient of a function that returns a scalar."""
    both = grad_and_value(func, argnums, has_aux)

    @wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        grads, value = both(*args, **kwargs)
        return (grads, value[1]) if has_aux else grads

    return wrapper


def grad_and_value(
    func: Callable[..., Any], argnums: Any = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """The gradient, and what the function returned."""

    @wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with Pass() as level:
            inputs = level.open(chosen(args, argnums, as_tuple=False))
            out = func(*replaced(level.wrapped(args), inputs, argnums), **kwargs)
            out, aux = _split("grad_and_value(f)(*args)", out, has_aux)
            _check_scalar(out)
            flat, spec = tree_flatten(inputs)
            level.end()
            create = level.watched([out])[0]
            grads = pull([out], level.edges, flat, None, create, create)
            result = level.closed(tree_unflatten(grads, spec))
            value = level.closed(out)
            aux = level.closed(aux) if has_aux else None
        if not create:
            end_window()
        return result, ((value, aux) if has_aux else value)

    return wrapper


def _split(name: str, out: Any, has_aux: bool) -> tuple[Any, Any]:
    if not has_aux:
        return out, None
    if not (isinstance(out, tuple) and len(out) == 2):
        raise RuntimeError(
            f"{name}: output of function f should be a tuple: (output, aux) if has_aux is True"
        )
    return out


def _check_scalar(out: Any) -> None:
    head = "grad_and_value(f)(*args): Expected f(*args) to return a"
    if not isinstance(out, Tensor):
        raise RuntimeError(f"{head} Tensor, got {type(out)}")
    if out.ndim != 0:
        raise RuntimeError(
            f"{head} scalar Tensor, got tensor with {out.ndim} dims. Maybe you wanted to use the "
            "vjp or jacrev APIs instead?"
        )


# ----- vjp -----
def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """What the function returns, and a function from cotangents to gradients."""
    return vjp_of(func, primals, None, has_aux)


def vjp_of(func: Callable[..., Any], primals: tuple[Any, ...], argnums: Any, has_aux: bool) -> Any:
    """`vjp` with respect to the arguments that `argnums` names; None means all."""
    with Pass() as level:
        inputs = level.open(primals if argnums is None else chosen(primals, argnums, False))
        out = func(*(inputs if argnums is None else replaced(primals, inputs, argnums)))
        out, aux = _split("vjp(f, *primals)", out, has_aux)
        outs, out_spec = tree_flatten(out)
        check_outputs(outs, "vjp(f, *primals)")
        level.end()
        aux = level.closed(aux) if has_aux else None
        result = level.closed(out)
        for t in outs:
            _check_float(t)
    flat, in_spec = tree_flatten(inputs)
    watched = any(level.watched(outs))

    def vjp_fn(cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        given, spec = tree_flatten(cotangents)
        if spec != out_spec:
            raise RuntimeError(
                "Expected pytree structure of cotangents to be the same as pytree structure of "
                f"outputs to the function. cotangents: {pretty(spec)}, primal output: "
                f"{pretty(out_spec)}"
            )
        create = LOCAL.state.grad_enabled if create_graph is None else create_graph
        create = create and (watched or any(edge_of(g) is not None for g in given))
        level.was_enabled = LOCAL.state.grad_enabled
        grads = pull(outs, level.edges, flat, given, retain_graph, create)
        return level.closed(tree_unflatten(grads, in_spec))

    return (result, vjp_fn, aux) if has_aux else (result, vjp_fn)


def pretty(spec: Any) -> str:
    """A tree's structure with a star for each leaf, as PyTorch prints it."""
    return repr(tree_unflatten([_Star()] * spec.num_leaves, spec))


class _Star:
    def __repr__(self) -> str:
        return "*"


def check_outputs(outs: Sequence[Any], name: str) -> None:
    """RuntimeError when a function returned nothing, or something that is no tensor."""
    if not outs or (len(outs) == 1 and outs[0] is None):
        raise RuntimeError(
            f"{name}: Expected f to be a function that has non-empty output (got output = {outs})"
        )
    for o in outs:
        if not isinstance(o, Tensor):
            raise RuntimeError(
                f"{name}: expected f(*primals) to return only tensors, got unsupported type "
                f"{type(o)}"
            )


def _check_float(t: Tensor) -> None:
    if t.dtype.category < FLOAT:
        raise RuntimeError(
            "vjp(f, ...): All outputs of f must be floating-point or complex Tensors, got Tensor "
            f"with dtype {t.dtype}"
        )


# ----- jacrev -----
def jacrev(
    func: Callable[..., Any],
    argnums: Any = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
    _preallocate_and_copy: bool = False,
) -> Callable[..., Any]:
    """The Jacobian, a row of cotangents at a time."""
    if chunk_size is not None and not chunk_size > 0:
        raise ValueError("jacrev: `chunk_size` should be greater than 0.")

    @wraps(func)
    def wrapper(*args: Any) -> Any:
        refuse_complex("jacrev", args, "inputs")
        out, vjp_fn, *aux = vjp_of(func, args, argnums, has_aux)
        outs, out_spec = tree_flatten(out)
        refuse_complex("jacrev", outs, "outputs")
        inputs, in_spec = tree_flatten(chosen(args, argnums, as_tuple=False))
        rows = [
            tree_leaves(_mapped(vjp_fn, tree_unflatten(part, out_spec), chunk_size))
            for part in basis(outs, chunk_size)
        ]
        whole = [
            ops.cat(parts, 0) if len(rows) > 1 else parts[0] for parts in zip(*rows, strict=True)
        ]
        sizes = [t.numel() for t in outs]
        split = [w.split(sizes, dim=0) for w in whole]
        found = [
            tree_unflatten(
                [s[i].reshape(o.shape + x.shape) for s, x in zip(split, inputs, strict=True)],
                in_spec,
            )
            for i, o in enumerate(outs)
        ]
        result = tree_unflatten(found, out_spec)
        return (result, *aux) if has_aux else result

    return wrapper


def _mapped(function: Any, part: Any, chunk_size: int | None) -> Any:
    """With `chunk_size=1` nothing is mapped: the function is called with plain tensors."""
    if chunk_size != 1:
        return vmap(function)(part)
    flat, spec = tree_flatten(part)
    found, out_spec = tree_flatten(function(tree_unflatten([t.squeeze(0) for t in flat], spec)))
    return tree_unflatten([t.unsqueeze(0) for t in found], out_spec)


def basis(tensors: Sequence[Tensor], chunk_size: int | None = None) -> Iterator[list[Tensor]]:
    """The standard basis of all tensors' elements together, `chunk_size` rows at a time."""
    sizes = [t.numel() for t in tensors]
    total = sum(sizes)
    step = chunk_size if chunk_size and chunk_size < total else max(total, 1)
    for start in range(0, max(total, 1), step):
        rows = ops.arange(start, min(start + step, total)).unsqueeze(1)
        at, part = 0, []
        for t, n in zip(tensors, sizes, strict=True):
            columns = ops.arange(at, at + n)
            part.append(
                (rows == columns).to(t).reshape(-1, *t.shape)
                if n
                else t.new_zeros(len(rows), *t.shape)
            )
            at += n
        yield part


def refuse_complex(name: str, tree: Any, which: str) -> None:
    """RuntimeError for complex tensors, which Jacobians don't know."""
    for i, x in enumerate(tree_leaves(tree)):
        if isinstance(x, Tensor) and x.is_complex():
            raise RuntimeError(
                f"{name}: Expected all {which} to be real but received complex tensor at flattened "
                f"input idx: {i}"
            )
