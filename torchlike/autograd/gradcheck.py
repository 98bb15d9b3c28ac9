"""torch.autograd.gradcheck: derivatives against finite differences.

A check probes the Jacobian along directions `u` of each input and weights `v` of each output: all
unit vectors (the whole Jacobian), or with `fast_mode` one random vector each.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from .. import ops
from ..core.backward import grad
from ..core.dtypes import complex128, float64
from ..core.function_nodes import function_node
from ..core.layouts import strided
from ..core.nodes import edge_of
from ..core.parameter import alias_of
from ..core.rng import Generator
from ..core.tensor import Tensor
from ..func.vmapped import vmap
from . import gradcheck_notes as notes
from .forward_ad import dual_level, make_dual, unpack_dual
from .gradcheck_jacobians import (
    GradcheckError,
    Settings,
    analytical_jacobian,
    as_tuple,
    close_enough,
    differentiable_outputs,
    numerical_jacobian,
    numerical_jacobians,
    pushed_forward,
    takes_steps,
    watched_inputs,
)
from .gradcheck_vectors import dense, random_vector, unit_vectors


# ----- comparing -----
def _compare(
    a: Tensor, n: Tensor, output: int, input: int, atol: float, how: Settings,
    whole: Callable[[], tuple[Tensor, Tensor]] | None = None,
) -> None:  # fmt: skip
    if close_enough(a, n, how.rtol, atol):
        return
    part = "imaginary" if how.imaginary else "real"
    looked_at = (input, "inputs") if how.forward else (output, "outputs")
    prefix = ""
    if looked_at[0] in how.complex_at:
        prefix = f"While considering the {part} part of complex {looked_at[1]} only, "
    mode = "computed with forward mode " if how.forward else ""
    raise GradcheckError(
        f"{prefix}Jacobian {mode}mismatch for output {output} with respect to input {input},\n"
        f"numerical:{n}\nanalytical:{a}\n" + ("" if whole is None else _seen_whole(*whole(), how))
    )


def _seen_whole(a: Tensor, n: Tensor, how: Settings) -> str:
    return notes.whole_jacobians(n, a, (n - a).abs().max(), close_enough(a, n, how.rtol, how.atol))


def _check(func: Any, inputs: Any, how: Settings) -> None:
    outs = as_tuple(func(*inputs))
    if not any(o.requires_grad for o in outs if isinstance(o, Tensor)) and not how.forward:
        _check_constant(func, inputs, how)
        return
    (_check_fast if how.fast else _check_whole)(func, inputs, outs, how)


def _check_constant(func: Any, inputs: Any, how: Settings) -> None:
    """Nothing that comes out requires grad: then nothing may move."""
    for at in watched_inputs(inputs):
        for jacobian in numerical_jacobians(func, inputs, at, how):
            if (jacobian != 0).any():
                raise GradcheckError("Numerical gradient for function expected to be zero")


def _check_whole(func: Any, inputs: Any, outs: Any, how: Settings) -> None:
    places = watched_inputs(inputs)
    numerical = [numerical_jacobians(func, inputs, at, how) for at in places]
    moving = [o for o in outs if takes_steps(o)]
    if how.forward:
        for j, at in enumerate(places):
            for i, a in enumerate(_all_pushed(func, inputs, at, how)):
                _compare(a, numerical[j][i], i, j, how.atol, how)
        return
    watched = [inputs[at] for at in places]
    for i, (which, o) in enumerate((k, o) for k, o in enumerate(moving) if o.requires_grad):
        for j, a in enumerate(_all_pulled(o, watched, how)):
            _compare(a, numerical[j][which], i, j, how.atol, how)


def _all_pushed(func: Any, inputs: Any, at: int, how: Settings) -> list[Tensor]:
    """Each output's Jacobian by forward mode."""
    rows = [pushed_forward(func, inputs, at, u, how) for u in unit_vectors(inputs[at])]
    return [ops.stack(parts) for parts in zip(*rows, strict=True)]


def _all_pulled(o: Tensor, watched: list[Tensor], how: Settings) -> list[Tensor]:
    """An output's Jacobian with respect to each input, by backward."""
    return analytical_jacobian(o, watched, [v.to(o.dtype) for v in unit_vectors(o)], how)


def _check_fast(func: Any, inputs: Any, outs: Any, how: Settings) -> None:
    places = watched_inputs(inputs)
    watched = [inputs[at] for at in places]
    moving = [o for o in outs if takes_steps(o)]
    g = Generator()  # not the user's stream
    directions = [
        (random_vector(x, True, g), random_vector(x, True, g))
        if x.is_complex()
        else random_vector(x, generator=g)
        for x in watched
    ]
    numerical = [
        numerical_jacobian(func, inputs, at, u, how.eps)
        for at, u in zip(places, directions, strict=True)
    ]
    for j, (at, u) in enumerate(zip(places, directions, strict=True)):
        if how.forward:
            for i, a in enumerate(pushed_forward(func, inputs, at, u, how)):
                whole = lambda at=at, i=i: (  # noqa: E731
                    _all_pushed(func, inputs, at, how)[i],
                    numerical_jacobians(func, inputs, at, how)[i],
                )
                _compare(a, numerical[j][i], i, j, how.atol * float(u.sum()), how, whole)
    if how.forward:
        return
    wanting = [(k, o) for k, o in enumerate(moving) if o.requires_grad]
    vectors = [random_vector(o, generator=g) for _, o in wanting]
    for i, ((which, o), v) in enumerate(zip(wanting, vectors, strict=True)):
        for j, a in enumerate(analytical_jacobian(o, watched, [v], how)):
            u = directions[j]
            parts = u if isinstance(u, tuple) else (u,)
            atol = how.atol * sum(float(part.sum()) for part in parts) * float(v.sum().real)
            n = (v * numerical[j][which]).sum()
            whole = lambda o=o, j=j, which=which: (  # noqa: E731
                _all_pulled(o, watched, how)[j],
                numerical_jacobians(func, inputs, places[j], how)[which],
            )
            _compare(_along(a[:, 0], u), n, i, j, atol, how, whole)


def _along(g: Tensor, u: Any) -> Tensor:
    if not isinstance(u, tuple):
        return g.dot(u)  # type: ignore[attr-defined]
    return g.real.dot(u[0]) + 1j * g.imag.dot(u[1])  # type: ignore[attr-defined]


# ----- complex numbers: their parts, one after the other -----
def _part_of_outputs(func: Any, part: str) -> Callable[..., Any]:
    def only(*inputs: Any) -> tuple[Any, ...]:
        outs = as_tuple(func(*inputs))
        return tuple(getattr(o, part) if o.is_complex() else o for o in outs)

    return only


def _part_of_inputs(func: Any, inputs: Any, places: list[int], part: str) -> Any:
    """The function of the real (imaginary) parts of its complex inputs, and these parts."""

    def only(*parts: Any) -> Any:
        full = list(parts)
        for i in places:
            x = inputs[i]
            full[i] = full[i] + x.imag * 1j if part == "real" else x.real + full[i] * 1j
        return func(*full)

    return only, tuple(getattr(x, part) if i in places else x for i, x in enumerate(inputs))


def _check_backward(func: Any, inputs: Any, outs: Any, how: Settings) -> None:
    if not any(o.is_complex() for o in as_tuple(outs) if isinstance(o, Tensor)):
        _check(func, inputs, how)
        return
    places = [i for i, o in enumerate(differentiable_outputs(outs)) if o.is_complex()]
    for part in ("imag", "real"):
        these = replace(how, complex_at=places, imaginary=part == "imag")
        _check(_part_of_outputs(func, part), inputs, these)


def _check_forward(func: Any, inputs: Any, how: Settings, undefined: bool) -> None:
    how = replace(how, forward=True)
    places = [i for i, x in enumerate(inputs) if isinstance(x, Tensor) and x.is_complex()]
    for part in ("imag", "real") if places else ("",):
        only, given = _part_of_inputs(func, inputs, places, part) if part else (func, inputs)
        these = replace(how, complex_at=places, imaginary=part == "imag")
        _check(only, given, these)
        if undefined:
            _check_undefined_tangents(only, given)


# ----- gradients and tangents that are not there -----
def _check_undefined_tangents(func: Any, inputs: Any) -> None:
    """A missing tangent means the same as zeros."""
    places = watched_inputs(inputs)
    tangents = {i: random_vector(inputs[i]).reshape(inputs[i].shape) for i in places}

    def run(given: dict[int, Tensor]) -> list[Any]:
        with dual_level():
            full = [make_dual(x.detach(), given[i]) if i in given else _plain(x)
                    for i, x in enumerate(inputs)]  # fmt: skip
            return [unpack_dual(o).tangent for o in as_tuple(func(*full)) if takes_steps(o)]

    for i in places:
        zero = run({**tangents, i: ops.zeros_like(inputs[i]).detach()})
        none = run({k: v for k, v in tangents.items() if k != i})
        for at, (a, b) in enumerate(zip(zero, none, strict=True)):
            if a is not None and b is not None and not close_enough(a, b, 1e-5, 1e-8):
                raise GradcheckError(
                    "Mismatch in tangent values for output with index: ", at, " when input: ",
                    inputs[i], " has an undefined tangent value. ", " Got: ", a, " but expected: ",
                    b,
                )  # fmt: skip


def _plain(x: Any) -> Any:
    return x.detach() if isinstance(x, Tensor) else x


_NOTES = (
    ' Please look at "Notes about undefined output gradients" in '
    '"tools/autograd/derivatives.yaml"'
)


def _check_undefined_grads(func: Any, inputs: Any, watched: list[Tensor]) -> None:
    """All, and then each single, output without a gradient: the inputs' are zeros or none."""
    count = len(differentiable_outputs(func(*inputs)))
    for missing in [range(count), *([i] for i in range(count) if count > 1)]:
        outs = differentiable_outputs(func(*inputs))
        given = [_swallowing(o) if i in missing else o for i, o in enumerate(outs)]
        try:
            found = grad(given, watched, [ops.zeros_like(o) for o in outs], allow_unused=True)
        except RuntimeError as error:
            raise GradcheckError(
                "Expected backward function to handle undefined output grads." + _NOTES
            ) from error
        if any(g is not None and not (dense(g) == 0).all() for g in found):
            raise GradcheckError(
                "Expected all input grads to be undefined or zero when all output grads are "
                "undefined or zero." + _NOTES
            )


def _swallowing(o: Tensor) -> Tensor:
    t = alias_of(o)
    t._grad_fn = function_node("UndefinedGradBackward", lambda _: [None], [edge_of(o)], [o._aval])
    t._requires_grad = True
    return t


def _check_zero_cotangents(outs: list[Tensor], watched: list[Tensor], masked: bool) -> None:
    if not watched:
        raise GradcheckError("no Tensors requiring grad found in input")
    if not outs:
        return
    zeros = [ops.zeros_like(o) for o in outs]
    for g, x in zip(grad(outs, watched, zeros, allow_unused=True), watched, strict=True):
        if g is None:
            continue
        full = dense(g)
        if not (ops.allclose(full, ops.zeros_like(full)) if masked else (full == 0).all()):
            raise GradcheckError("backward not multiplied by grad_output")
        for what, text in (("dtype", "type"), ("device", "device"), ("shape", "size")):
            if getattr(g, what) != getattr(x, what):
                raise GradcheckError(f"grad is incorrect {text}")


# ----- batched -----
def _check_batched(each: Callable[[Tensor], Any], like: Tensor, output: Any, forward: bool) -> None:
    """Under vmap a derivative is what it is one by one."""
    vectors = [ops.randn_like(like) for _ in range(2)]
    expected = [ops.stack(part) for part in zip(*map(each, vectors), strict=True)]
    note = notes.BATCHED_FORWARD if forward else notes.BATCHED
    try:
        found = vmap(each)(ops.stack(vectors))
    except RuntimeError as error:
        text = f"While computing batched gradients, got: {error}\n\n{note}"
        raise GradcheckError(text) from error
    for i, (got, want) in enumerate(zip(found, expected, strict=True)):
        if not ops.allclose(got, want):
            at = i if output is None else output
            raise GradcheckError(
                f"For output {at} and input {i}:\n\n{note}\n\nGot:\n{got}\n\nExpected:\n{want}"
            )


def _check_batched_grads(outs: list[Tensor], watched: list[Tensor]) -> None:
    for i, o in enumerate(outs):

        def pull(v: Tensor, o: Tensor = o) -> tuple[Tensor, ...]:
            found = grad(o, watched, v, retain_graph=True, allow_unused=True)
            pairs = zip(found, watched, strict=True)
            return tuple(ops.zeros_like(x).detach() if g is None else g for g, x in pairs)

        _check_batched(pull, o, i, False)


def _check_batched_tangents(func: Any, inputs: Any) -> None:
    for at in watched_inputs(inputs):

        def push(tangent: Tensor, at: int = at) -> tuple[Tensor, ...]:
            with dual_level():
                given = [make_dual(x.detach(), tangent) if i == at else _plain(x)
                         for i, x in enumerate(inputs)]  # fmt: skip
                parts = [unpack_dual(o) for o in as_tuple(func(*given)) if o is not None]
                return tuple(ops.zeros_like(p) if t is None else t for p, t in parts)

        _check_batched(push, inputs[at].detach(), None, True)


# ----- the public functions -----
def _check_inputs(inputs: tuple[Any, ...]) -> None:
    for i in watched_inputs(inputs):
        x = inputs[i]
        if x.dtype not in (float64, complex128):
            warnings.warn(
                f"Input #{i} requires gradient and is not a double precision floating point or "
                "complex. This check will likely fail if all the inputs are not of double "
                "precision floating point or complex. ",
                stacklevel=4,
            )
        gaps = zip(x.stride(), x.shape, strict=True)
        if x.layout is strided and any(s <= 0 and n > 1 for s, n in gaps):
            raise RuntimeError(
                f"The {i}th input has a dimension with stride 0. gradcheck only supports inputs "
                "that are non-overlapping to be able to compute the numerical gradients "
                "correctly. You should call .contiguous on the input before passing it to "
                "gradcheck."
            )
    if not watched_inputs(inputs):
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of them "
            "have requires_grad=True."
        )


def _check_outputs(outs: tuple[Any, ...]) -> None:
    differentiable_outputs(outs)
    if any(isinstance(o, Tensor) and o.layout is not strided for o in outs):
        raise ValueError(
            "Sparse output is not supported at gradcheck yet. Please call "
            "to_dense(masked_grad=...) on the output of fn for gradcheck."
        )


def _require(holds: bool, text: str) -> None:
    if not holds:
        raise AssertionError(text)


def gradcheck(
    func: Callable[..., Any], inputs: Any, *, eps: float = 1e-6, atol: float = 1e-5,
    rtol: float = 1e-3, raise_exception: bool = True, nondet_tol: float = 0.0,
    check_undefined_grad: bool = True, check_grad_dtypes: bool = False,
    check_batched_grad: bool = False, check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False, check_backward_ad: bool = True, fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:  # fmt: skip
    """Whether derivatives agree with central differences; GradcheckError where they don't."""
    back, need = "check_backward_ad", "Setting {}=True requires {} to be True"
    _require(check_forward_ad or check_backward_ad,
             f"Expected at least one of check_forward_ad or {back} to be True")  # fmt: skip
    _require(check_backward_ad or not check_batched_grad, need.format("check_batched_grad", back))
    _require(check_forward_ad or not check_batched_forward_grad,
             need.format("check_batched_forward_grad", "check_forward_ad"))  # fmt: skip
    how = Settings(eps, atol, rtol, nondet_tol, check_grad_dtypes, fast_mode, bool(masked))
    given = as_tuple(inputs)
    try:
        _check_inputs(given)
        outs = func(*given)
        _check_outputs(as_tuple(outs))
        if check_backward_ad:
            _check_backward(func, given, outs, how)
        if check_forward_ad:
            _check_forward(func, given, how, check_undefined_grad)
        if check_batched_forward_grad:
            _check_batched_tangents(func, given)
        if check_backward_ad:
            made, watched = differentiable_outputs(outs), [given[i] for i in watched_inputs(given)]
            if check_batched_grad:
                _check_batched_grads(made, watched)
            _check_zero_cotangents(made, watched, bool(masked))
            if check_undefined_grad and made:
                _check_undefined_grads(func, given, watched)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable[..., Any], inputs: Any, grad_outputs: Any = None, *, eps: float = 1e-6,
    atol: float = 1e-5, rtol: float = 1e-3, gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True, nondet_tol: float = 0.0, check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False, check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False, check_rev_over_rev: bool = True, fast_mode: bool = False,
    masked: bool = False,
) -> bool:  # fmt: skip
    """`gradcheck` of the gradient."""
    back, need = "check_rev_over_rev", "Setting {}=True requires check_rev_over_rev to be True"
    _require(check_fwd_over_rev or check_rev_over_rev,
             f"Expected at least one of check_fwd_over_rev or {back} to be True")  # fmt: skip
    for name, value in (
        ("check_undefined_grad", check_undefined_grad),
        ("check_batched_grad", check_batched_grad),
    ):
        _require(check_rev_over_rev or not value, need.format(name))
    given = as_tuple(inputs)
    if grad_outputs is None:
        vectors: Any = [_cotangent(o, gen_non_contig_grad_outputs)
                        for o in differentiable_outputs(func(*given))]  # fmt: skip
    else:
        vectors = as_tuple(grad_outputs)
    count, watched = len(given), watched_inputs(given)
    watched_vectors = watched_inputs(vectors)

    def gradient(*args: Any) -> tuple[Tensor, ...]:
        xs = [x.requires_grad_() if i in watched else x for i, x in enumerate(args[:count])]
        vs = [x.requires_grad_() if i in watched_vectors else x
              for i, x in enumerate(args[count:])]  # fmt: skip
        outs, into = differentiable_outputs(func(*xs)), [xs[i] for i in watched]
        found = grad(outs, into, vs, create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None)

    return gradcheck(
        gradient, (*given, *vectors), eps=eps, atol=atol, rtol=rtol,
        raise_exception=raise_exception, nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad, check_grad_dtypes=check_grad_dtypes,
        check_batched_grad=check_batched_grad, fast_mode=fast_mode,
        check_forward_ad=check_fwd_over_rev, check_backward_ad=check_rev_over_rev, masked=masked,
    )  # fmt: skip


def _cotangent(o: Tensor, spread: bool) -> Tensor:
    """Random numbers in [-1, 1) of the output's kind; spread: with gaps in memory."""
    kind = o.dtype if takes_steps(o) else float64
    shape = (*o.shape, 2) if spread else tuple(o.shape)
    numbers = ops.rand(shape, dtype=kind) * 2 - 1
    return (numbers[..., 0] if spread else numbers).detach().requires_grad_()
