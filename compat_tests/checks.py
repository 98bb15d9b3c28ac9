"""What every op must do, written once. A check takes (torch, case, want); reference.py says what
want is. `applies` says to which cases; a row leaves a check out by naming it in `skip`.
"""

import contextlib
import importlib
import os

import numpy as np

from compat_tests import reference, transcript

TOLERANCE = {"float16": 2e-3, "bfloat16": 2e-2, "float32": 1e-5, "complex64": 1e-5,
             "float64": 1e-9, "complex128": 1e-9}


def same(got: dict, want: dict, tol: float | None, stride: bool = True) -> None:
    """Leaf equals leaf: kind, dtype, shape, stride, numbers."""
    if "value" not in want:
        assert got == want
        return
    assert got["dtype"] == want["dtype"]
    assert got["value"].shape == want["value"].shape
    assert not stride or got["stride"] == want["stride"]
    if want["dtype"] not in TOLERANCE:
        np.testing.assert_array_equal(got["value"], want["value"])
        return
    limit = tol or TOLERANCE[want["dtype"]]
    finite = want["value"][np.isfinite(want["value"])]
    floor = limit * max(1.0, float(np.abs(finite).max(initial=0)))
    np.testing.assert_allclose(got["value"], want["value"], rtol=10 * limit, atol=floor)


def _all_same(got: list, want: list, tol, stride=True) -> None:
    assert len(got) == len(want)
    for one, other in zip(got, want):
        same(one, other, tol, stride)


def same_error(got: list, want: list) -> None:
    """Type and text."""
    assert got[0] == want[0], f"{got[0]} for {want[0]}: {got[1]}"
    assert not transcript.difference(got[1], want[1])


def forward(torch, case, want):
    """Values, dtypes, shapes and strides."""
    _all_same(reference.leaves(torch, reference.call(torch, case)), want["out"], case.tol)


def error(torch, case, want):
    """The same exception with the same words."""
    got = reference.evaluate(torch, case)
    assert "error" in got, f"no error; torch: {want['error']}"
    same_error(got["error"], want["error"])


def grad(torch, case, want):
    """Gradients of every floating input, and the names in the graph."""
    inputs, total, outputs = reference.traced(torch, case)
    nodes = [t.grad_fn.name() for t in outputs if isinstance(t, torch.Tensor) and t.grad_fn]
    assert nodes == want["nodes"]
    grads = torch.autograd.grad(total, inputs, allow_unused=True)
    _all_same(reference.leaves(torch, grads), want["grads"], case.tol, stride=False)


def grad_error(torch, case, want):
    """What cannot be differentiated says so as torch does."""
    got = reference.evaluate(torch, case)
    assert "grad_error" in got
    same_error(got["grad_error"], want["grad_error"])


def gradgrad(torch, case, want):
    """The derivative of the gradient, along one direction, by central differences in float64."""
    step = 1e-5

    def slopes(shift):
        inputs, total, _ = _shifted(torch, case, shift)
        grads = torch.autograd.grad(total, inputs, allow_unused=True, create_graph=True)
        pairs = zip(grads, _directions(torch, inputs, 1))
        return inputs, sum((g * u).sum() for g, u in pairs if g is not None)

    inputs, slope = slopes(0.0)
    if not isinstance(slope, torch.Tensor) or not slope.requires_grad:
        exact = 0.0
    else:
        second = torch.autograd.grad(slope, inputs, allow_unused=True)
        pairs = zip(second, _directions(torch, inputs, 2))
        exact = sum(float((s * v).sum()) for s, v in pairs if s is not None)
    after, before = float(slopes(step)[1]), float(slopes(-step)[1])
    measured = (after - before) / (2 * step)
    assert abs(exact - measured) <= 1e-4 * max(1.0, abs(measured)), (exact, measured)


def _shifted(torch, case, shift):
    """The traced call with its floating inputs moved along a fixed direction."""
    args, kwargs, tensors = case.build(torch, double=True)
    inputs = [t for t in tensors if t.is_floating_point()]
    with torch.no_grad():
        for tensor, direction in zip(inputs, _directions(torch, inputs, 2)):
            tensor += shift * direction
    torch.manual_seed(0)
    for tensor in inputs:
        tensor.requires_grad_()
    outputs = reference.flat(reference.find(torch, case.op)(*args, **kwargs))
    parts = [(tensor * weight).sum() for tensor, weight in reference.weights(torch, outputs)]
    return inputs, sum(parts), outputs


def _directions(torch, inputs, seed):
    rng = np.random.default_rng(seed)
    return [torch.tensor(rng.uniform(-1, 1, tuple(t.shape))) for t in inputs]


def method(torch, case, want):
    """x.op(…) is torch.op(x, …)."""
    got = reference.as_method(torch, case)
    _all_same(reference.leaves(torch, got), want["out"], case.tol)


def inplace(torch, case, want):
    """x.op_(…) leaves torch's value in x, or refuses with its words."""
    got = reference.in_place(torch, case)
    assert got is not None, "no in-place form"
    if "error" in want["inplace"]:
        assert "error" in got, f"no error; torch: {want['inplace']['error']}"
        same_error(got["error"], want["inplace"]["error"])
    else:
        assert "error" not in got, got
        same(got, want["inplace"], case.tol)


def out(torch, case, want):
    """out= receives the value and is returned."""
    same(reference.leaf(torch, reference.as_out(torch, case)), want["out"][0], case.tol, False)


def meta(torch, case, want):
    """Shapes and dtypes come without values."""
    for leaf, known in zip(reference.flat(reference.on_meta(torch, case)), want["out"]):
        if "value" in known:
            assert str(leaf.dtype)[6:] == known["dtype"]
            assert tuple(leaf.shape) == known["value"].shape


def modes(torch, case, want):
    """debug, strict and fused give one answer."""
    for name in ("debug", "strict", "fused"):
        with mode(name):
            forward(torch, case, want)


def compiled(torch, pairs):
    """Many rows recorded one after the other run as one XLA program, and give torch's answers."""
    run = importlib.import_module("torchlike.core.run")
    before = run.stats.fused
    with mode("fused"):
        outs = [reference.call(torch, case) for case, _ in pairs]
        run.compile_window(open_end=False)
    assert run.stats.fused > before
    for (case, want), out in zip(pairs, outs):
        try:
            _all_same(reference.leaves(torch, out), want["out"], case.tol)
        except AssertionError as error:
            raise AssertionError(f"{case}: {error}") from error


@contextlib.contextmanager
def mode(name: str):
    """TORCHLIKE_MODE for a while."""
    run = importlib.import_module("torchlike.core.run")
    run.set_mode(name)
    try:
        yield
    finally:
        run.set_mode(os.environ.get("TORCHLIKE_MODE", "fused"))


def applies(check, case, want) -> bool:
    """Whether the check says something about this case."""
    if check.__name__ in case.skip:
        return False
    if "error" in want or check is error:
        return "error" in want and check is error
    real = any(leaf.get("dtype") in ("float32", "float64") for leaf in want.get("grads", []))
    return {
        "grad": bool(want.get("grads")),
        "grad_error": "grad_error" in want,
        "gradgrad": real and not any(leaf.get("dtype", "").startswith("complex")
                                     for leaf in want["grads"] + want["out"]),
        "method": want["as_method"],
        "inplace": want["inplace"] is not None,
        "out": want["as_out"],
        "meta": want["on_meta"],
    }.get(check.__name__, True)


CHECKS = [forward, error, grad, grad_error, gradgrad, method, inplace, out, meta, modes]
