"""The cold tier: what NumPy makes of a jaxpr is what XLA makes of it."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax

import torchlike as torch
from torchlike.core import background, interpret, remembered, run


@pytest.mark.parametrize("predicate", [(), (5000, 1), (5000, 2)])
@pytest.mark.parametrize("kind", [np.float32, np.int64, np.float16])
def test_interpreted_select(predicate, kind):
    """Traced with numbers, run on arrays: large ones by their bits, with scalars on either side."""
    function = jax.jit(lambda which, no, yes: jax.lax.select(which, yes, no))
    number = jax.ShapeDtypeStruct((), kind)
    closed = function.trace(jax.ShapeDtypeStruct((), np.bool_), number, number).jaxpr
    select = interpret.interpreter(closed)
    rng = np.random.default_rng(0)
    which = np.asarray(rng.random(predicate) > 0.5)
    full, one = (rng.standard_normal((5000, 2)) * 9).astype(kind), kind(7)
    for no, yes in [(full, one), (one, full), (full, -full), (one, kind(3)), (full[:1], full)]:
        np.testing.assert_array_equal(select(which, no, yes)[0], np.where(which, yes, no))


def test_interpreted_select_keeps_nan():
    x = torch.tensor(np.where(np.arange(5000) % 2, np.nan, -0.0).astype(np.float32))
    x.requires_grad_()
    y = torch.where(x.isnan(), x, -x)
    y.sum().backward()
    assert y.isnan().sum() == 2500 and not torch.signbit(y[::2]).any()
    assert x.grad.tolist() == [-1.0, 1.0] * 2500


def test_a_users_function_may_be_called_as_ours():
    @jax.jit
    def sin(x):
        return x + 1

    found = interpret.interpreter(sin.trace(1.0).jaxpr)(np.float32(2))
    assert found == [3.0]


# ----- indices -----
def agree(function, *arrays, atol=0.0):
    """Interpreted as compiled; float32 products are summed in another order: `atol`."""
    found = interpret.interpreter(jax.make_jaxpr(function)(*arrays))(*arrays)
    expected = jax.tree.leaves(jax.jit(function)(*arrays))
    for a, b in zip(found, expected, strict=True):
        assert np.shape(a) == b.shape and np.asarray(a).dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=0, atol=atol)


CUBE = np.arange(120.0, dtype=np.float32).reshape(4, 5, 6) % 7
ROWS, COLUMNS = np.array([0, 3, 9, -1]), np.array([2, 3, 1, 0])  # 9: beyond
PLACES = {
    "two dims": lambda i, j: (i, j), "the last two": lambda i, j: (slice(None), i, j),
    "apart": lambda i, j: (i, slice(None), j), "a grid": lambda i, j: (i[:, None], j),
    "one": lambda i, j: (i,),
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("mode", ["fill", "clip"])
def test_gather_and_scatter(place, mode):
    at = PLACES[place]
    agree(lambda x, i, j: x.at[at(i, j)].get(mode=mode), CUBE, ROWS, COLUMNS)
    for change in ("set", "add", "multiply", "min", "max"):
        change_at = lambda x, i, j: getattr(x.at[at(i, j)], change)(2.5, mode=mode)  # noqa: B023, E731
        agree(change_at, CUBE, ROWS, COLUMNS)


@pytest.mark.parametrize("row", [2, 9])
def test_gather_and_scatter_of_one_element(row):
    for shape in ((row, 1, 3), (row,)):
        agree(lambda x, *at: x.at[at].get(mode="fill"), CUBE, *shape)  # noqa: B023
        agree(lambda x, *at: x.at[at].add(2.5), CUBE, *shape)
        agree(lambda x, *at: x.at[at].set(2.5), CUBE, *shape)
    assert torch.take(torch.tensor(3.0), torch.tensor(0)).item() == 3


def test_gather_and_scatter_in_batches():
    rows = np.array([1, 4, 3, 0])
    agree(jax.vmap(lambda x, i: x[i]), CUBE, rows)
    agree(jax.vmap(lambda x, i: x.at[i].set(0)), CUBE, rows)
    agree(jax.vmap(lambda x, i: x.at[i].add(1)), CUBE, rows)
    starts = np.array([0, 1, 5, -1])
    agree(jax.vmap(lambda i: lax.dynamic_slice(CUBE, (i, i, i), (2, 2, 2))), starts)


def test_parts():
    agree(lambda x: jax.numpy.tile(x, (2, 1, 3)), CUBE)
    agree(lambda x: jax.numpy.unstack(x, axis=1), CUBE)
    agree(lambda x: jax.numpy.stack([x, -x], axis=2), CUBE)
    agree(lambda x: lax.bessel_i0e(x) + lax.bessel_i1e(x), CUBE, atol=1e-6)  # scipy's in float64


# ----- branches, loops, convolutions -----
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("length", [0, 1, 5])
def test_scan(reverse, length):
    def running(start, scale, *xs):
        def step(carry, x):
            total, count = carry
            return (total * scale + x[0], count + 1), (total, x[1] * 2)

        return lax.scan(step, (start, 0), xs, reverse=reverse)

    agree(running, np.ones(3), 0.5, np.arange(length * 3.0).reshape(length, 3), np.arange(length))


def test_branches_by_platform():
    here = lambda x: lax.platform_dependent(x, cpu=jax.numpy.sin, default=lax.erf_inv)  # noqa: E731
    agree(here, np.float32(0.5), atol=1e-7)


def test_what_hangs_on_a_number_is_left_to_xla():
    """Elementwise ops are traced with numbers and run on arrays, each element its own way."""
    for choose in (
        lambda x: lax.cond(x > 0, lambda x: x + 1, lambda x: -x, x),
        lambda x: lax.while_loop(lambda x: x < 9, lambda x: x * 2, x),
    ):
        assert interpret.interpreter(jax.make_jaxpr(choose)(1.0)) is None
    x = torch.tensor([0.3, 1.7, 25.0])
    expected = torch.tensor([torch.special.zeta(2.0, v).item() for v in x])
    assert torch.allclose(torch.special.zeta(2.0, x), expected)


@st.composite
def convolutions(draw):
    """Any convolution of one to three dims: sizes, layouts, paddings that crop, holes, groups."""
    n, groups = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    few = lambda lo, hi: tuple(draw(st.integers(lo, hi)) for _ in range(n))  # noqa: E731
    names = "NCXYZ"[: 2 + n]
    layouts = [
        "".join(draw(st.permutations(letters))) for letters in (names, "OI" + names[2:], names)
    ]
    inside, outside = (groups * draw(st.integers(1, 2)) for _ in range(2))
    sizes = dict(zip("XYZ", few(3, 6)), N=draw(st.integers(1, 3)), C=inside)
    kernel = dict(zip("XYZ", few(1, 3)), O=outside, I=inside // groups)
    options = {
        "window_strides": few(1, 2), "padding": tuple(zip(few(-1, 2), few(-1, 2))),
        "lhs_dilation": few(1, 2), "rhs_dilation": few(1, 2), "feature_group_count": groups,
        "dimension_numbers": tuple(layouts),
    }  # fmt: skip
    return [sizes[k] for k in layouts[0]], [kernel[k] for k in layouts[1]], options


@settings(max_examples=60, deadline=None)
@given(convolutions())
def test_any_convolution(case):
    x_shape, w_shape, options = case
    rng = np.random.default_rng(0)
    x, w = (rng.standard_normal(s).astype(np.float32) for s in (x_shape, w_shape))
    function = lambda x, w: lax.conv_general_dilated(x, w, **options)  # noqa: E731
    closed = jax.make_jaxpr(function)(x, w)
    if 0 in closed.out_avals[0].shape:
        assert interpret.interpreter(closed) is None
    else:
        agree(function, x, w, atol=1e-5)  # at most 54 products of numbers around 1


def test_a_small_net_runs_at_once(monkeypatch):
    """A first forward and backward of a convolutional and of a recurrent net compile nothing."""
    monkeypatch.setattr(background, "enabled", True)
    monkeypatch.setattr(remembered, "_known", set())
    before = run.stats.compiled
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 5, 2, 1), torch.nn.ReLU(), torch.nn.Flatten())
    net(torch.randn(2, 3, 33, 29)).sum().backward()
    output, _ = torch.nn.GRU(7, 9)(torch.randn(11, 3, 7))
    output.sum().backward()
    assert net[0].weight.grad.isfinite().all() and output.isfinite().all()
    assert run.stats.compiled == before
