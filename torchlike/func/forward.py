"""`jvp`, `linearize`, `jacfwd`, `hessian`: forward mode.

`jvp` runs the function on tensors that carry tangents (`core.dual`). `linearize` runs it once for
many tangents, and pulls twice: the pullback is linear in its cotangent, and the pullback of *that*
is the pushforward. What only the first pull computes is dead code that no program runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import ops
from ..core.dtypes import FLOAT
from ..core.dual import Level, dual_at, primal_of, tangent_of
from ..core.nodes import edge_of
from ..core.record import LOCAL
from ..core.tape import zeros
from ..core.tensor import Tensor, wrap
from ..utils._pytree import tree_flatten, tree_map, tree_unflatten
from .grads import Pass, chosen, pull, replaced, transforming, wraps
from .reverse import _split, basis, check_outputs, jacrev, refuse_complex
from .vmapped import vmap

NAME = "jvp(f, primals, tangents)"


class Linear:
    """The pushforward of a function at one point."""

    def __init__(self, func: Callable[..., Any], primals: Any) -> None:
        _check_floating(tree_flatten(primals)[0], "primal")
        with Pass() as level:
            inputs = level.open(primals)
            out = func(*inputs)
            self.outs, self.spec = tree_flatten(out)
            check_outputs(self.outs, NAME)
            self._transpose(level, tree_flatten(inputs)[0])
            level.end()
            self.out = level.closed(out)
        self.level = level

    def _transpose(self, level: Pass, inputs: list[Tensor]) -> None:
        """Pull a dummy cotangent, which the pushforward will be the gradient of."""
        self.moving = [t for t in self.outs if t.dtype.category >= FLOAT and edge_of(t) is not None]
        self.inputs = inputs
        with Pass() as duals:
            self.dummies = [duals.opened(wrap(zeros(t._aval))) for t in self.moving]
            self.grads = pull(self.moving, level.edges, inputs, self.dummies, True, True)
        self.duals = duals

    def push(self, tangents: Sequence[Tensor]) -> Any:
        """The outputs' tangents, as a tree of the outputs' structure."""
        level, enabled = self.level, LOCAL.state.grad_enabled
        level.was_enabled = enabled
        create = enabled and (
            any(level.watched(self.grads)) or any(edge_of(t) is not None for t in tangents)
        )
        pairs = [
            (g, t) for g, t in zip(self.grads, tangents, strict=True) if edge_of(g) is not None
        ]
        found = iter(
            pull(
                [g for g, _ in pairs], self.duals.edges, self.dummies,
                [t.to(g.dtype) for g, t in pairs], True, create,
            )
        )  # fmt: skip
        moving = {id(t) for t in self.moving}
        full = [next(found) if id(t) in moving else wrap(zeros(t._aval)) for t in self.outs]
        return level.closed(tree_unflatten(full, self.spec))


# ----- jvp -----
def jvp(
    func: Callable[..., Any], primals: Any, tangents: Any, *, strict: bool = False,
    has_aux: bool = False,
) -> Any:  # fmt: skip
    """What the function returns, and how it moves when its inputs move along `tangents`."""
    return _jvp(func, primals, tangents, None, strict, has_aux)


def _jvp(func: Any, primals: Any, tangents: Any, argnums: Any, strict: bool, has_aux: bool) -> Any:
    if not isinstance(primals, tuple):
        raise RuntimeError(
            f"{NAME}: Expected primals to be a tuple. E.g. it should be valid to call f(*primals)."
        )
    moved = primals if argnums is None else chosen(primals, argnums)
    flat_primals, spec = tree_flatten(moved)
    flat_tangents, tangents_spec = tree_flatten(tangents)
    if spec != tangents_spec:
        raise RuntimeError(
            f"{NAME}: Expected primals and tangents to have the same python structure. For "
            "example, if primals is a tuple of 3 tensors, tangents also must be. Got primals with "
            f"structure {spec} and tangents with structure {tangents_spec}"
        )
    _check_tensors(flat_primals, "primals")
    _check_tensors(flat_tangents, "tangents")
    _check_floating(flat_primals, "primal")
    _check_floating(flat_tangents, "tangent")
    with transforming(), Level() as level:
        duals = [dual_at(level, p, t) for p, t in zip(flat_primals, flat_tangents, strict=True)]
        inputs = tree_unflatten(duals, spec)
        if isinstance(argnums, int):
            inputs = inputs[0]
        out = func(*(inputs if argnums is None else replaced(primals, inputs, argnums)))
        out, aux = _split(NAME, out, has_aux)
        outs, out_spec = tree_flatten(out)
        check_outputs(outs, NAME)
        pushed = [_tangent(t, level, strict) for t in outs]
        out, aux = (tree_map(lambda t: _primal(t, level), tree) for tree in (out, aux))
    pushed = tree_unflatten(pushed, out_spec)
    return (out, pushed, aux) if has_aux else (out, pushed)


def _primal(t: Any, level: Level) -> Any:
    return primal_of(t, level) if isinstance(t, Tensor) else t


def _tangent(t: Tensor, level: Level, strict: bool) -> Tensor:
    found = tangent_of(t, level)
    if found is None and strict:
        raise RuntimeError(
            "jvp(f, primals, tangents, strict=True): The output of f is independent of the inputs. "
            "This is not allowed with strict=True."
        )
    return wrap(zeros(t._aval)) if found is None else found


def _check_tensors(flat: Sequence[Any], which: str) -> None:
    if not flat:
        raise RuntimeError(f"{NAME}: Expected {which} to contain at least one Tensor.")
    for x in flat:
        if not isinstance(x, Tensor):
            raise RuntimeError(f"{NAME}: Expected {which} to only contain Tensors, got {type(x)}")


def _check_floating(flat: Sequence[Any], which: str) -> None:
    for x in flat:
        if isinstance(x, Tensor) and x.dtype.category < FLOAT:
            text = f"Expected {which} to be floating point or complex, but got: {x.dtype}"
            raise ValueError(text)


# ----- linearize -----
def linearize(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """What the function returns, and its `jvp` there as a function of the tangents."""
    flat_primals, spec = tree_flatten(primals)
    line = Linear(func, primals)

    def jvp_fn(*tangents: Any) -> Any:
        flat, tangents_spec = tree_flatten(tangents)
        if tangents_spec != spec:
            raise RuntimeError(
                f"Expected the tangents {tangents_spec} to have the same argspec as the primals "
                f"{spec}"
            )
        for i, (p, t) in enumerate(zip(flat_primals, flat, strict=True)):
            for what in ("shape", "device", "dtype"):
                _check_same(i, what, getattr(t, what), getattr(p, what))
        return line.push(flat)

    return line.out, jvp_fn


def _check_same(index: int, what: str, given: Any, expected: Any) -> None:
    if given != expected:
        raise RuntimeError(
            f"tangent:{index} with {what} {given} in flattened pytree doesn't match the {what} "
            f"{expected} of the corresponding primal."
        )


# ----- Jacobians -----
def jacfwd(
    func: Callable[..., Any], argnums: Any = 0, has_aux: bool = False, *, randomness: str = "error"
) -> Callable[..., Any]:
    """The Jacobian, a column of tangents at a time."""

    @wraps(func)
    def wrapper(*args: Any) -> Any:
        refuse_complex("jacfwd", args, "inputs")
        primals = args if argnums is None else chosen(args, argnums)
        flat, spec = tree_flatten(primals)

        def push(tangents: Any) -> Any:
            out, pushed, *aux = _jvp(func, args, tangents, argnums, False, has_aux)
            refuse_complex("jacfwd", out, "outputs")
            return (pushed, *aux) if has_aux else pushed

        (columns,) = basis(flat)
        found = vmap(push, randomness=randomness)(tree_unflatten(columns, spec))
        found, *aux = found if has_aux else (found,)
        outs, out_spec = tree_flatten(found)
        result = tree_unflatten([_jacobian(o, flat, spec, argnums) for o in outs], out_spec)
        if not has_aux:
            return result
        leaves, aux_spec = tree_flatten(aux[0])
        return result, tree_unflatten([x[0] for x in leaves], aux_spec)

    return wrapper


def _jacobian(out: Tensor, inputs: list[Tensor], spec: Any, argnums: Any) -> Any:
    """One output's columns, split and shaped by input."""
    columns = out.movedim(0, -1)  # type: ignore[attr-defined]
    parts = ops.split(columns, [x.numel() for x in inputs], dim=-1)
    shaped = [p.reshape(out.shape[1:] + x.shape) for p, x in zip(parts, inputs, strict=True)]
    tree = tree_unflatten(shaped, spec)
    return tree[0] if isinstance(argnums, int) else tree


def hessian(func: Callable[..., Any], argnums: Any = 0) -> Callable[..., Any]:
    """The Hessian: `jacfwd` of `jacrev`."""
    return jacfwd(jacrev(func, argnums), argnums)
