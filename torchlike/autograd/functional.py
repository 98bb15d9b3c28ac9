"""torch.autograd.functional: Jacobians, Hessians and their products with vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import ops
from ..core.backward import grad
from ..core.history import watch
from ..core.tape import enable_grad
from ..core.tensor import Tensor
from ..func.reverse import basis
from ..func.vmapped import vmap
from .forward_ad import dual_level, make_dual, unpack_dual

Tensors = tuple[Tensor, ...]
_GIVEN, _RETURNED = "inputs", "outputs of the user-provided function"


# ----- arguments -----
def _tuple(x: Any, what: str, name: str) -> tuple[bool, Tensors]:
    """Whether it is a tuple, and the tensors in it; TypeError for anything else."""
    many = isinstance(x, tuple)
    for i, t in enumerate(x if many else (x,)):
        if not isinstance(t, Tensor):
            which = f"value at index {i}" if many else f"given {what}"
            raise TypeError(
                f"The {what} given to {name} must be either a Tensor or a tuple of Tensors but the "
                f"{which} has type {type(t)}."
            )
    return many, x if many else (x,)


def _fresh(tensors: Tensors, create: bool, watched: bool = True) -> Tensors:
    """The tensors, cut off from their history unless a graph is asked for."""
    return tuple(
        t.view_as(t) if create and t.requires_grad else t.detach().requires_grad_(watched)  # type: ignore[attr-defined]
        for t in tensors
    )


def _vector(v: Any, like: Tensors, many: bool, name: str, create: bool, text: str) -> Any:
    """The vector that a product is asked for; None stands for one when there is one element."""
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise RuntimeError(
                f"The vector v can only be None if the {text} a single Tensor with a single "
                "element."
            )
        return (None,)
    vectors = _fresh(_tuple(v, "v", name)[1], create, False)
    if len(vectors) != len(like):
        raise RuntimeError(
            f"v is a tuple of invalid length: should be {len(like)} but got {len(vectors)}."
            if many
            else "The given v should contain a single Tensor."
        )
    for i, (t, want) in enumerate(zip(vectors, like, strict=True)):
        if t.shape != want.shape:
            raise RuntimeError(
                f"{f'Entry {i} in ' if many else ''}v has invalid size: should be {want.shape} but "
                f"got {t.shape}."
            )
    return vectors


_ONE_INPUT = "input to the user-provided function is"
_ONE_OUTPUT = "user-provided function returns"


# ----- results -----
def _done(tensors: Tensors, many: bool, create: bool) -> Any:
    kept = tensors if create else tuple(t.detach() for t in tensors)  # type: ignore[attr-defined]
    return kept if many else kept[0]


def _nested(rows: Sequence[Sequence[Tensor]], many_out: bool, many_in: bool) -> Any:
    """A tensor per output and input, as the function's own tuples are."""
    found = rows if many_in else tuple(row[0] for row in rows)
    return found if many_out else found[0]


# ----- what strict mode refuses -----
_STRICT = " This is not allowed in strict mode."
_NEEDED = {
    "outputs": (
        "Output {} of the user-provided function does not require gradients. The outputs must be "
        "computed in a differentiable manner from the input when running in strict mode."
    ),
    "gradients": (
        "The gradient with respect to input {} is independent of the inputs of the user-provided "
        "function." + _STRICT
    ),
    "jacobian": (
        "While computing the hessian, found that the jacobian of the user-provided function with "
        "respect to input {} is independent of the input." + _STRICT + " You should ensure that "
        "your function is twice differentiable and that the jacobian depends on the inputs (this "
        "would be violated by a linear function for example)."
    ),
}
_MISSING = {
    "gradients": "The output of the user-provided function is independent of input {}." + _STRICT,
    "tangents": (
        "The gradient with respect to the input is independent of entry {} in the grad_outputs "
        "when using the double backward trick to compute forward mode gradients." + _STRICT
    ),
    "products": "The jacobian of the user-provided function is independent of input {}." + _STRICT,
    "pushed": (
        "The hessian of the user-provided function is independent of entry {} in the "
        "grad_jacobian." + _STRICT[:-1] + " as it prevents from using the double backward trick to "
        "replace forward mode AD."
    ),
}
_CONSTANT = (
    "The {} of the user-provided function is independent of input {}." + _STRICT[:-1] + " when "
    "create_graph=True."
)


def _check_graph(tensors: Sequence[Any], what: str, strict: bool) -> None:
    for i, t in enumerate(tensors if strict else ()):
        if t is None:
            raise RuntimeError(_MISSING["gradients"].format(i))
        if not t.requires_grad:
            raise RuntimeError(_NEEDED[what].format(i))


def _filled(grads: Any, like: Tensors, strict: bool, create: bool, what: str) -> Tensors:
    """Zeros where there is no gradient; RuntimeError for that in strict mode."""
    found = []
    for i, (g, t) in enumerate(zip(grads, like, strict=True)):
        if g is None and strict:
            raise RuntimeError(_MISSING[what].format(i))
        if g is not None and strict and create and not g.requires_grad:
            kind = "hessian" if what in ("products", "pushed") else "jacobian"
            raise RuntimeError(_CONSTANT.format(kind, i))
        found.append(ops.zeros_like(t) if g is None else g)
    return tuple(found)


def _grads(
    outs: Any, inputs: Any, vectors: Any = None, create: bool = False, **how: Any
) -> tuple[Any, ...]:
    """Gradients of those outputs that have some; None where there is no way."""
    pairs = list(zip(outs, vectors or [None] * len(outs), strict=True))
    pairs = [(o, v) for o, v in pairs if o is not None and o.requires_grad]
    if not pairs:
        return (None,) * len(inputs)
    kept, given = zip(*pairs, strict=True)
    return grad(kept, inputs, given, allow_unused=True, create_graph=create, **how)


# ----- products with vectors -----
def vjp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False,
    strict: bool = False,
) -> Any:  # fmt: skip
    """The function's value, and the product of a vector with its Jacobian."""
    with enable_grad():
        many_in, given = _tuple(inputs, _GIVEN, "vjp")
        given = _fresh(given, create_graph)
        many_out, outs = _tuple(func(*given), _RETURNED, "vjp")
        _check_graph(outs, "outputs", strict)
        vectors = _vector(v, outs, many_out, "vjp", create_graph, _ONE_OUTPUT)
        found = _grads(outs, given, vectors, create_graph)
        found = _filled(found, given, strict, create_graph, "gradients")
    return _done(outs, many_out, create_graph), _done(found, many_in, create_graph)


def jvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False,
    strict: bool = False,
) -> Any:  # fmt: skip
    """The function's value, and the product of its Jacobian with a vector (two backward passes)."""
    with enable_grad():
        many_in, given = _tuple(inputs, _GIVEN, "jvp")
        given = _fresh(given, create_graph)
        vectors = _vector(v, given, many_in, "jvp", create_graph, _ONE_INPUT)
        many_out, outs = _tuple(func(*given), _RETURNED, "jvp")
        _check_graph(outs, "outputs", strict)
        duals = tuple(ops.zeros_like(o).requires_grad_() for o in outs)
        pulled = _grads(outs, given, duals, True)
        _check_graph(pulled, "gradients", strict)
        found = _grads(pulled, duals, vectors, create_graph)
        found = _filled(found, outs, strict, create_graph, "tangents")
    return _done(outs, many_out, create_graph), _done(found, many_out, create_graph)


def _scalar(out: Any, strict: bool, name: str) -> Tensor:
    """The one number that a function must return whose Hessian is asked for."""
    many, outs = _tuple(out, _RETURNED, name)
    _check_graph(outs, "outputs", strict)
    if many:
        raise RuntimeError(f"The function given to {name} should return a single Tensor")
    if outs[0].numel() != 1:
        raise RuntimeError(
            f"The Tensor returned by the function given to {name} should contain a single element"
        )
    return outs[0]


def vhp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False,
    strict: bool = False,
) -> Any:  # fmt: skip
    """The function's value, and the product of a vector with its Hessian."""
    return _hessian_product("vhp", func, inputs, v, create_graph, strict)


def hvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False,
    strict: bool = False,
) -> Any:  # fmt: skip
    """The function's value, and the product of its Hessian with a vector."""
    return _hessian_product("hvp", func, inputs, v, create_graph, strict)


def _hessian_product(
    name: str, func: Any, inputs: Any, v: Any, create: bool, strict: bool
) -> Any:
    with enable_grad():
        many_in, given = _tuple(inputs, _GIVEN, name)
        given = _fresh(given, create)
        vectors = _vector(v, given, many_in, name, create, _ONE_INPUT)
        out = _scalar(func(*given), strict, name)
        slope = _grads((out,), given, create=True)
        _check_graph(slope, "jacobian", strict)
        if name == "vhp":
            found = _grads(slope, given, vectors, create)
            found = _filled(found, given, strict, create, "products")
        else:
            duals = tuple(ops.zeros_like(t).requires_grad_() for t in given)
            twice = _grads(slope, given, duals, True)
            found = _grads(twice, duals, vectors, create)
            found = _filled(found, given, strict, create, "pushed")
    return _done((out,), False, create), _done(found, many_in, create)


# ----- Jacobians -----
def jacobian(
    func: Callable[..., Any], inputs: Any, create_graph: bool = False, strict: bool = False,
    vectorize: bool = False, strategy: str = "reverse-mode",
) -> Any:  # fmt: skip
    """The Jacobian: for each output and input, a tensor of the output's shape + the input's."""
    if strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError(
            'Expected strategy to be either "forward-mode" or "reverse-mode". Hint: If your '
            'function has more outputs than inputs, "forward-mode" tends to be more performant. '
            'Otherwise, prefer to use "reverse-mode".'
        )
    if strategy == "forward-mode":
        return _forward(func, inputs, create_graph, strict, vectorize)
    with enable_grad():
        many_in, given = _tuple(inputs, _GIVEN, "jacobian")
        given = _fresh(given, create_graph)
        many_out, outs = _tuple(func(*given), _RETURNED, "jacobian")
        _check_graph(outs, "outputs", strict)
        if vectorize and strict:
            raise RuntimeError(
                _REFUSED.format("strict", "vectorized", "True", "", "vectorize=False")
            )
        rows = (_all_rows if vectorize else _row_by_row)(outs, given, create_graph, strict)
        if not create_graph:
            rows = tuple(tuple(t.detach() for t in row) for row in rows)
    return _nested(rows, many_out, many_in)


_REFUSED = (
    "torch.autograd.functional.jacobian: `{0}=True` and `{1}={2}` are not supported together{3}. "
    "Please either set `{0}=False` or `{4}`."
)
_REVERSE = 'strategy="reverse-mode"'


def _row_by_row(outs: Tensors, given: Tensors, create: bool, strict: bool) -> Any:
    return tuple(_rows_of(i, o, given, create, strict) for i, o in enumerate(outs))


def _rows_of(index: int, out: Tensor, given: Tensors, create: bool, strict: bool) -> Tensors:
    flat = out.reshape(-1)  # type: ignore[attr-defined]
    rows = [_grads((flat[j],), given, create=create, retain_graph=True) for j in range(len(flat))]
    for row in rows if strict else ():
        for i, g in enumerate(row):
            if g is None:
                raise RuntimeError(
                    f"Output {index} of the user-provided function is independent of input {i}."
                    + _STRICT
                )
            if create and not g.requires_grad:
                raise RuntimeError(_CONSTANT.format("jacobian", index))
    full = [_filled(row, given, False, create, "") for row in rows]
    columns = zip(*full, strict=True) if full else [()] * len(given)
    return tuple(
        ops.stack(column, dim=0).view(out.shape + t.shape)
        for column, t in zip(columns, given, strict=True)
    )


def _all_rows(outs: Tensors, given: Tensors, create: bool, strict: bool) -> Any:
    flat = tuple(o.reshape(-1) for o in outs)  # type: ignore[attr-defined]
    (vectors,) = basis(flat)
    sizes = [len(o) for o in flat]
    found = _grads(flat, given, vectors, create, is_grads_batched=True)
    whole = [
        ops.zeros_like(t).expand((sum(sizes), *t.shape)) if g is None else g
        for g, t in zip(found, given, strict=True)
    ]
    parts = [g.split(sizes, dim=0) for g in whole]
    return tuple(
        tuple(p[i].reshape(o.shape + t.shape) for p, t in zip(parts, given, strict=True))
        for i, o in enumerate(outs)
    )


def _forward(func: Any, inputs: Any, create: bool, strict: bool, vectorize: bool) -> Any:
    for wrong, name, error in (
        (create, "create_graph", NotImplementedError),
        (strict, "strict", RuntimeError),
    ):
        if wrong:
            raise error(_REFUSED.format(name, "strategy", '"forward-mode"', " (yet)", _REVERSE))
    many_in, given = _tuple(inputs, _GIVEN, "jacobian")
    if not vectorize:
        raise NotImplementedError(
            "Computing Jacobian using forward-AD or forward-over-reverse Hessian isonly "
            "implemented for `vectorize=True`."
        )
    shown: list[Any] = []

    def push(tangents: Sequence[Tensor]) -> Tensors:
        with dual_level():
            duals = [make_dual(t, v) for t, v in zip(given, tangents, strict=True)]
            many_out, outs = _tuple(func(*duals), "outputs", "jacobian")
            parts = [unpack_dual(o) for o in outs]
            shown[:] = [many_out, [p.shape for p, _ in parts]]
            return tuple(ops.zeros_like(p) if v is None else v for p, v in parts)

    (columns,) = basis(given)
    pushed = vmap(push)(columns)
    many_out, shapes = shown
    sizes = [t.numel() for t in given]
    rows = [
        [
            part.movedim(0, -1).reshape(shape + t.shape)
            for part, t in zip(column.split(sizes, dim=0), given, strict=True)
        ]
        for column, shape in zip(pushed, shapes, strict=True)
    ]
    return _nested(rows, many_out, many_in)


def hessian(
    func: Callable[..., Any], inputs: Any, create_graph: bool = False, strict: bool = False,
    vectorize: bool = False, outer_jacobian_strategy: str = "reverse-mode",
) -> Any:  # fmt: skip
    """The Hessian of a function of one value: the Jacobian of its gradient."""
    many, given = _tuple(inputs, _GIVEN, "hessian")
    if outer_jacobian_strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError(
            'Expected strategy to be either "forward-mode" or "reverse-mode".'
        )

    def gradient(*given: Tensor) -> Tensors:
        if outer_jacobian_strategy == "forward-mode":
            given = tuple(watch(t) for t in given)
        found = jacobian(
            lambda *given: _scalar(func(*given), strict, "hessian").squeeze(), given, True  # type: ignore[attr-defined]
        )
        _check_graph(found, "jacobian", strict)
        return found

    found = jacobian(gradient, given, create_graph, strict, vectorize, outer_jacobian_strategy)
    return found if many else found[0][0]
