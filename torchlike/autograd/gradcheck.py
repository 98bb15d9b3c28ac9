"""torch.autograd.gradcheck: gradients against finite differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import ops
from ..core.backward import grad
from ..core.tape import enable_grad, no_grad
from ..core.tensor import Tensor, from_host, to_host


class GradcheckError(RuntimeError):
    """What `gradcheck` raises when a gradient is wrong."""


def _numerical(
    function: Callable[..., Any], inputs: tuple[Any, ...], at: int, eps: float
) -> list[np.ndarray]:
    """The Jacobian of every output with respect to one input, by central differences."""
    base = to_host(inputs[at].detach())
    steps = [eps, 1j * eps] if np.iscomplexobj(base) else [eps]
    columns: list[list[np.ndarray]] = []
    for k in range(base.size):
        total = None
        for step in steps:
            moved = [_moved(function, inputs, at, base, k, sign * step) for sign in (1, -1)]
            diff = [(p - m) / (2 * eps) for p, m in zip(*moved, strict=True)]
            if total is None:
                total = diff
            else:  # PyTorch's convention: d/d(re) + i d/d(im), conjugated as a gradient
                total = [a + 1j * b for a, b in zip(total, diff, strict=True)]
        columns.append(total)  # type: ignore[arg-type]
    return (
        [np.stack([c[o].reshape(-1) for c in columns]) for o in range(len(columns[0]))]
        if columns
        else []
    )


def _moved(
    function: Any, inputs: Any, at: int, base: np.ndarray, k: int, step: Any
) -> list[np.ndarray]:
    changed = np.array(base)
    changed.reshape(-1)[k] += step
    given = list(inputs)
    given[at] = from_host(changed)
    with no_grad():
        outs = function(*given)
    outs = outs if isinstance(outs, (tuple, list)) else (outs,)
    return [to_host(o.detach()) for o in outs if isinstance(o, Tensor)]


def _analytical(out: Tensor, x: Tensor) -> np.ndarray:
    rows = []
    for k in range(out.numel()):
        seed = np.zeros(out.numel(), to_host(out.detach()).dtype)
        seed[k] = 1
        cotangent = from_host(seed.reshape(tuple(out.shape)))
        (g,) = grad([out], [x], [cotangent], True, allow_unused=True)
        rows.append(np.zeros(x.numel()) if g is None else to_host(g).reshape(-1))
    return np.stack(rows, 1) if rows else np.zeros((x.numel(), 0))


def gradcheck(
    func: Callable[..., Any], inputs: Any, *, eps: float = 1e-6, atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True, nondet_tol: float = 0.0, check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False, check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False, check_backward_ad: bool = True, fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:  # fmt: skip
    """Whether backward gradients agree with central differences (always by the full Jacobian)."""
    for name, value in (
        ("check_batched_grad", check_batched_grad),
        ("check_forward_ad", check_forward_ad),
        ("check_batched_forward_grad", check_batched_forward_grad),
    ):
        if value:
            raise NotImplementedError(f"gradcheck: {name}=True is not supported")
    given = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    try:
        _check(func, given, eps, atol, rtol)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def _check(
    func: Callable[..., Any], inputs: tuple[Any, ...], eps: float, atol: float, rtol: float
) -> None:
    wanted = [i for i, x in enumerate(inputs) if isinstance(x, Tensor) and x.requires_grad]  # type: ignore[attr-defined]
    if not wanted:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of the them "
            "have "
            "requires_grad=True."
        )
    outs = func(*inputs)
    outs = [
        o for o in (outs if isinstance(outs, (tuple, list)) else (outs,)) if isinstance(o, Tensor)
    ]
    for j, i in enumerate(wanted):
        numerical = _numerical(func, inputs, i, eps)
        for o, out in enumerate(outs):
            if not out.requires_grad:  # type: ignore[attr-defined]
                continue
            analytical = _analytical(out, inputs[i])
            if not np.allclose(analytical, numerical[o], rtol, atol):
                raise GradcheckError(
                    f"Jacobian mismatch for output {o} with respect to input {j},\n"
                    f"numerical:{from_host(np.array(numerical[o]))}\nanalytical:{from_host(np.array(analytical))}\n"
                )


def gradgradcheck(
    func: Callable[..., Any], inputs: Any, grad_outputs: Any = None, *, eps: float = 1e-6,
    atol: float = 1e-5, rtol: float = 1e-3, gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True, **named: Any,
) -> bool:  # fmt: skip
    """`gradcheck` of the gradient."""
    given = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    if gen_non_contig_grad_outputs:
        raise NotImplementedError(
            "gradgradcheck: gen_non_contig_grad_outputs=True is not supported"
        )
    if grad_outputs is None:
        outs = func(*given)
        outs = outs if isinstance(outs, (tuple, list)) else (outs,)
        vectors: Any = tuple(ops.randn_like(o).requires_grad_() for o in outs)
    else:
        vectors = (
            tuple(grad_outputs) if isinstance(grad_outputs, (tuple, list)) else (grad_outputs,)
        )
    n = len(given)

    def gradient(*args: Any) -> Any:
        xs, vs = args[:n], args[n:]
        xs = tuple(
            x if not isinstance(x, Tensor) or x.requires_grad else x.requires_grad_() for x in xs
        )  # type: ignore[attr-defined]
        with_grad = [x for x in xs if isinstance(x, Tensor)]
        outs = func(*xs)
        outs = outs if isinstance(outs, (tuple, list)) else (outs,)
        with enable_grad():
            return grad(
                outs, with_grad, vs, create_graph=True, allow_unused=True, materialize_grads=True
            )

    def checked(*args: Any) -> Any:
        with enable_grad():
            return gradient(*args)

    return gradcheck(
        checked,
        (*given, *vectors),
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        **named,
    )
