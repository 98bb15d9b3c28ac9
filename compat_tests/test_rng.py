"""Random numbers are PyTorch's, bit for bit: streams, state bytes, arguments and errors.

Recorded by scripts/record_rng.py; where real PyTorch can be imported, other seeds run live too.
"""

import pickle

import numpy as np
import pytest

from compat_tests import rng_cases as cases
from compat_tests.subject import oracle

STREAMS = cases.streams()


@pytest.fixture(scope="module")
def torch():
    import torchlike

    return torchlike


@pytest.mark.parametrize("name", STREAMS)
def test_stream(torch, name):
    assert cases.digest(cases.run(torch, STREAMS[name])) == cases.recorded("rng")[name]


@pytest.mark.skipif(oracle is None, reason="needs real PyTorch")
@pytest.mark.parametrize("name", STREAMS)
def test_stream_live(torch, name):
    for seed in (1, -5, 2**32 + 5):
        ours, theirs = (cases.run(t, STREAMS[name], seed) for t in (torch, oracle))
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(cases.host(a), cases.host(b))


@pytest.mark.parametrize("text", cases.calls())
def test_call(torch, text):
    assert cases.call(torch, text) == cases.recorded("rng_calls")[text]


# ----- many values -----


def fuses() -> bool:
    """Whether XLA's products and sums are fused here: 2 ** -24 is left of the exact product."""
    import jax

    x = np.float32(1 + 2**-12)
    return float(jax.jit(lambda a, b, c: a * b + c)(x, x, -x * x)) == 2**-24


@pytest.mark.parametrize("mean, std", [(0.0, 1.0), (-3.5, 0.07)])
def test_many_normals(torch, monkeypatch, mean, std):
    """The XLA program gives NumPy's bits, and takes the same words."""
    from torchlike.core import rng_draw, rng_xla

    if not fuses():
        pytest.skip("NumPy makes all normals on a machine without fused multiply-adds")
    sizes = [rng_xla.CHUNK + 16, rng_xla.CHUNK + rng_xla.LEAST + 7]
    ours, theirs = torch.Generator(), torch.Generator()
    monkeypatch.setattr(rng_xla, "_program", None)
    monkeypatch.setattr(rng_xla, "_seen", -1 << 62)
    expected = [rng_draw.normal(theirs, size, mean, std) for size in sizes]
    rng_xla._build()
    assert rng_xla.program(sizes[0]) is not None
    for size, values in zip(sizes, expected, strict=True):
        np.testing.assert_array_equal(rng_draw.normal(ours, size, mean, std), values)
    np.testing.assert_array_equal(ours.save(), theirs.save())


@pytest.mark.parametrize("size", [2, 3, 399, 400, 70000])
def test_permutation_by_lapack(torch, monkeypatch, size):
    from torchlike.core import rng_draw

    found = []
    for interchange in (None, rng_draw._row_interchange(rng_draw._PATIENCE)):
        monkeypatch.setattr(rng_draw, "_row_interchange", lambda _, way=interchange: way)
        found.append(rng_draw.permutation(torch.Generator(), size))
    assert interchange is not None and found[1].dtype == np.int64
    np.testing.assert_array_equal(*found)


# ----- what bytes cannot show -----


def test_orthogonal(torch):
    """The same draw; the factorisation's rounding is LAPACK's own."""
    for shape in ((9, 4), (4, 9), (3, 2, 5)):
        made = cases.host(torch.nn.init.orthogonal_(torch.empty(shape), 2.0))
        matrix = made.reshape(shape[0], -1)
        gram = matrix @ matrix.T if matrix.shape[0] < matrix.shape[1] else matrix.T @ matrix
        np.testing.assert_allclose(gram, 4 * np.eye(len(gram)), atol=1e-5)


@pytest.mark.skipif(oracle is None, reason="needs real PyTorch")
@pytest.mark.parametrize("shape", [(9, 4), (4, 9), (3, 2, 5)])
def test_orthogonal_live(torch, shape):
    made = []
    for t in (torch, oracle):
        t.manual_seed(3)
        made.append(cases.host(t.nn.init.orthogonal_(t.empty(shape))))
    np.testing.assert_allclose(*made, atol=1e-5)


def test_state_round_trip(torch):
    """Also in the middle of a pair of normals, and through pickle."""
    generator = torch.Generator().manual_seed(11)
    for draw in (torch.randn, torch.rand):
        for count in (1, 5, 700):
            draw(count, generator=generator)
            copies = [generator.clone_state(), pickle.loads(pickle.dumps(generator)),
                      torch.Generator().set_state(generator.get_state())]  # fmt: skip
            expected = cases.host(torch.randn(3, generator=generator.clone_state()))
            for copy in copies:
                np.testing.assert_array_equal(cases.host(torch.randn(3, generator=copy)), expected)


def test_gradients_of_fills_are_zero(torch):
    x = torch.ones(20, requires_grad=True)
    (x * 2).uniform_().sum().backward()
    assert cases.host(x.grad).tolist() == [0.0] * 20


def test_dropout_gradient_is_the_mask(torch):
    x = torch.ones(50, requires_grad=True)
    y = torch.nn.functional.dropout(x, 0.4)
    y.sum().backward()
    np.testing.assert_array_equal(cases.host(x.grad), cases.host(y))


def test_gamma_has_a_gradient(torch):
    """d sample / d concentration: its mean is 1, the mean's derivative."""
    torch.manual_seed(0)
    concentration = torch.full((4000,), 2.5, dtype=torch.float64, requires_grad=True)
    torch._standard_gamma(concentration).sum().backward()
    assert abs(cases.host(concentration.grad).mean() - 1) < 0.05


@pytest.mark.parametrize("text", ["torch.bernoulli(p, 0.5)", "torch.binomial(p, p)",
                                  "torch._sample_dirichlet(p)"])  # fmt: skip
def test_no_derivative(torch, text):
    p = torch.full((3,), 0.5, requires_grad=True)
    made = eval(text, {"torch": torch, "p": p})
    with pytest.raises(RuntimeError, match=r"derivative for aten::\w+ is not implemented"):
        made.sum().backward()


def accelerator(seed):
    """A generator with an accelerator's engine, on the CPU."""
    from torchlike.core import rng

    generator = rng.Generator()
    generator._engine = rng._Counter()
    return generator.manual_seed(seed)


def test_accelerator_stream(torch):
    """Its state is a seed and an offset that every draw moves on."""
    first, second = accelerator(7), accelerator(0)
    first.words32(5)
    second._engine.load(first._engine.save(7))
    assert first.get_offset() == second.get_offset() == 4
    np.testing.assert_array_equal(first.words64(5), second.words64(5))
    assert first.set_offset(4).get_offset() == 4


@pytest.mark.parametrize("name, a, b, mean, std", [
    ("uniform", -1.0, 3.0, 1.0, 4 / 12**0.5), ("normal", 2.0, 0.5, 2.0, 0.5),
    ("bernoulli", 0.3, 1.0, 0.3, 0.21**0.5), ("integers", -2, 5, 1.0, 2.0),
    ("exponential", 2.0, 1.0, 0.5, 0.5),
])  # fmt: skip
@pytest.mark.parametrize("kind", ["float32", "float16", "float64"])
def test_accelerator_distributions(torch, name, a, b, mean, std, kind):
    from torchlike.ops.random_device import Recipe, draw_on_device

    generator = accelerator(1)
    drawn = [cases.host(draw_on_device(Recipe(name, a, b), (40, 500), np.dtype(kind), generator))
             for _ in range(2)]  # fmt: skip
    assert drawn[0].dtype == kind and not np.array_equal(*drawn)
    assert abs(drawn[0].mean(dtype=np.float64) - mean) < 0.03 * (1 + abs(mean))
    assert abs(drawn[0].std(dtype=np.float64) - std) < 0.03 * (1 + std)
