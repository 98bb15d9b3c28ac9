"""torch.autograd.functional: Jacobians, Hessians and their products with vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import ops
from ..core.history import grad
from ..core.tape import enable_grad
from ..core.tensor import Tensor


def _tuple(x: Any) -> tuple[tuple[Tensor, ...], bool]:
    return (x, True) if isinstance(x, tuple) else ((x,), False)


def _fresh(inputs: tuple[Tensor, ...], create_graph: bool) -> tuple[Tensor, ...]:
    if create_graph:
        return tuple(
            t.view_as(t) if t.requires_grad else t.detach().requires_grad_() for t in inputs
        )  # type: ignore[attr-defined]
    return tuple(t.detach().requires_grad_() for t in inputs)  # type: ignore[attr-defined]


def _outputs(
    func: Callable[..., Any], inputs: tuple[Tensor, ...]
) -> tuple[tuple[Tensor, ...], bool]:
    outs, many = _tuple(func(*inputs))
    for i, o in enumerate(outs):
        if not isinstance(o, Tensor):
            raise TypeError(
                "The outputs of the user-provided function must be either a Tensor or a tuple of "
                "Tensors, "
                f"but got {type(o)} at index {i}."
                if many
                else "The outputs of the user-provided function must be either a Tensor or a "
                f"tuple of Tensors, but got {type(o)}."
            )
    return outs, many


def _grads(outs: Any, inputs: Any, vectors: Any, create: bool, strict: bool) -> tuple[Tensor, ...]:
    kept = [(o, v) for o, v in zip(outs, vectors, strict=True) if o.requires_grad]
    if not kept:
        if strict:
            raise RuntimeError(
                "Output 0 of the user-provided function does not require gradients. The outputs "
                "must be computed in a differentiable manner from the input when running in strict "
                "mode."
            )
        return tuple(ops.zeros_like(t) for t in inputs)
    found = grad(
        [o for o, _ in kept], inputs, [v for _, v in kept], True, create, allow_unused=True
    )
    if strict and any(g is None for g in found):
        raise RuntimeError(
            "The output of the user-provided function is independent of input 0. This is not "
            "allowed in strict mode."
        )
    return tuple(ops.zeros_like(t) if g is None else g for g, t in zip(found, inputs, strict=True))


def _done(tensors: tuple[Tensor, ...], many: bool, create: bool) -> Any:
    kept = tensors if create else tuple(t.detach() for t in tensors)  # type: ignore[attr-defined]
    return kept if many else kept[0]


def vjp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> Any:
    """The function's value, and the product of a vector with its Jacobian."""
    with enable_grad():
        given, many_in = _tuple(inputs)
        given = _fresh(given, create_graph)
        outs, many_out = _outputs(func, given)
        if v is None:
            if len(outs) != 1 or outs[0].numel() != 1:
                raise RuntimeError(
                    "The vector v can only be None if the user-provided function returns a single "
                    "Tensor with a single element."
                )
            vectors: Any = (ops.ones_like(outs[0]),)
        else:
            vectors, _ = _tuple(v)
        found = _grads(outs, given, vectors, create_graph, strict)
    return _done(outs, many_out, create_graph), _done(found, many_in, create_graph)


def jvp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> Any:
    """The function's value, and the product of its Jacobian with a vector (two backward passes)."""
    with enable_grad():
        given, _ = _tuple(inputs)
        given = _fresh(given, create_graph)
        outs, many_out = _outputs(func, given)
        if v is None:
            if len(given) != 1 or given[0].numel() != 1:
                raise RuntimeError(
                    "The vector v can only be None if the input to the user-provided function is a "
                    "single Tensor with a single element."
                )
            vectors: Any = (ops.ones_like(given[0]),)
        else:
            vectors, _ = _tuple(v)
        duals = tuple(ops.zeros_like(o).requires_grad_() for o in outs)
        pulled = _grads(outs, given, duals, True, strict)
        found = _grads(pulled, duals, vectors, create_graph, False)
    return _done(outs, many_out, create_graph), _done(found, many_out, create_graph)


def jacobian(
    func: Callable[..., Any], inputs: Any, create_graph: bool = False, strict: bool = False,
    vectorize: bool = False, strategy: str = "reverse-mode",
) -> Any:  # fmt: skip
    """The Jacobian: for each output and input, a tensor of the output's shape + the input's."""
    if strategy == "forward-mode" and not vectorize:
        raise NotImplementedError(
            'torch.autograd.functional.jacobian: `strategy="forward-mode"` is only supported with '
            "`vectorize=True`. "
        )
    with enable_grad():
        given, many_in = _tuple(inputs)
        given = _fresh(given, create_graph)
        outs, many_out = _outputs(func, given)
        rows = tuple(_jacobian_of(o, given, create_graph, strict) for o in outs)
    cleaned = tuple(_done(row, many_in, create_graph) for row in rows)
    return cleaned if many_out else cleaned[0]


def _jacobian_of(
    out: Tensor, inputs: tuple[Tensor, ...], create: bool, strict: bool
) -> tuple[Tensor, ...]:
    flat = out.reshape(-1)
    basis = ops.eye(flat.numel(), dtype=out.dtype)
    rows = [_grads((flat,), inputs, (basis[i],), create, strict) for i in range(flat.numel())]
    if not rows:
        return tuple(out.new_zeros(tuple(out.shape) + tuple(t.shape)) for t in inputs)  # type: ignore[attr-defined]
    return tuple(
        ops.stack([row[k] for row in rows]).view(tuple(out.shape) + tuple(t.shape))
        for k, t in enumerate(inputs)
    )


def _scalar(func: Callable[..., Any]) -> Callable[..., Any]:
    def checked(*inputs: Tensor) -> Tensor:
        out = func(*inputs)
        if not isinstance(out, Tensor):
            raise RuntimeError("The function given to hessian should return a single Tensor")
        if out.numel() != 1:
            raise RuntimeError(
                "The Tensor returned by the function given to hessian should contain a single "
                "element"
            )
        return out.squeeze()  # type: ignore[attr-defined]

    return checked


def hessian(
    func: Callable[..., Any], inputs: Any, create_graph: bool = False, strict: bool = False,
    vectorize: bool = False, outer_jacobian_strategy: str = "reverse-mode",
) -> Any:  # fmt: skip
    """The Hessian of a function of one value."""
    _, many = _tuple(inputs)

    def gradient(*given: Tensor) -> tuple[Tensor, ...]:
        found = jacobian(_scalar(func), given, create_graph=True)
        return found

    whole = jacobian(gradient, inputs if many else (inputs,), create_graph, strict)
    return whole if many else whole[0][0]


def vhp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> Any:
    """The function's value, and the product of a vector with its Hessian."""
    with enable_grad():
        given, many_in = _tuple(inputs)
        given = _fresh(given, create_graph)
        outs, many_out = _outputs(_scalar(func), given)
        vectors = (ops.ones_like(given[0]),) if v is None else _tuple(v)[0]
        first = _grads(outs, given, (ops.ones_like(outs[0]),), True, strict)
        found = _grads(first, given, vectors, create_graph, False)
    return _done(outs, many_out, create_graph), _done(found, many_in, create_graph)


def hvp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> Any:
    """The function's value, and the product of its Hessian with a vector."""
    return vhp(func, inputs, v, create_graph, strict)
