"""torch.func against real torch's transcripts (snippets/func.py), and the way to JAX."""

import numpy as np
import pytest

from compat_tests import transcript


@pytest.fixture(autouse=True)
def func(request):
    """torchlike.func, also where torchlike itself is not asked for."""
    if not request.config.getoption("--oracle"):
        return pytest.importorskip("torchlike.func")


@pytest.mark.parametrize("file, name", transcript.snippets("func"))
def test_snippet(torch, file, name):
    if found := transcript.snippet_difference(torch, file, name):
        pytest.fail(found, pytrace=False)


# ----- as JAX functions --------------------------------------------------------------------------

KINKED = [-1.0, 0.0, 2.0]


def kinked(a):
    return (a.relu() ** 2).sum() + a.abs().sum()


@pytest.fixture
def jax():
    return pytest.importorskip("jax")


def test_to_jax_under_every_transform(jax, func):
    f, x = func.to_jax(kinked), jax.numpy.array(KINKED, np.float32)
    assert float(f(x)) == float(jax.jit(f)(x)) == 7
    for grad in (jax.grad(f), jax.jit(jax.grad(f)), jax.jacfwd(f), jax.jacrev(f)):
        np.testing.assert_array_equal(grad(x), [-1, 0, 5])
    np.testing.assert_array_equal(jax.hessian(f)(x), np.diag([0, 0, 2]))
    rows = jax.vmap(jax.grad(f))(jax.numpy.stack([x, x + 1]))
    np.testing.assert_array_equal(rows, [[-1, 0, 5], [0, 3, 7]])


def test_to_jax_keeps_pytorchs_convention_at_ties(jax, func):
    f = func.to_jax(lambda tree: {"most": tree["a"].amax(), "where": tree["a"].argmax()})
    tree = {"a": jax.numpy.ones(4, np.float32)}
    assert int(f(tree)["where"]) == 0
    grads = jax.grad(lambda tree: f(tree)["most"])(tree)
    np.testing.assert_allclose(grads["a"], np.full(4, 0.25))


def test_to_jax_to_the_third_order(jax, torch, func):
    f = func.to_jax(torch.sin)
    third = jax.grad(jax.grad(jax.grad(f)))
    np.testing.assert_allclose(third(1.0), -np.cos(1.0), rtol=1e-6)


def test_to_jax_under_checkpoint(jax, torch, func):
    x, w = jax.numpy.ones((3, 4)), jax.numpy.full((4, 2), 0.3)
    f = func.to_jax(lambda x, w: torch.tanh(x @ w).pow(2).sum())
    want = jax.grad(f, argnums=1)(x, w)
    saved = jax.checkpoint_policies.dots_saveable
    for kept in (jax.checkpoint(f), jax.checkpoint(f, policy=saved), jax.jit(jax.checkpoint(f))):
        np.testing.assert_allclose(jax.grad(kept, argnums=1)(x, w), want, rtol=1e-6)
    second = jax.hessian(jax.checkpoint(f), argnums=1)(x, w)
    np.testing.assert_allclose(second, jax.hessian(f, argnums=1)(x, w), rtol=1e-5)


def test_to_jax_of_other_transforms(jax, func):
    f = func.to_jax(func.vmap(func.grad(lambda row: (row**3).sum())))
    np.testing.assert_array_equal(jax.jit(f)(np.ones((2, 3), np.float32)), np.full((2, 3), 3))
    jacobian = jax.jacrev(f)(np.ones((1, 2), np.float32))
    np.testing.assert_array_equal(jacobian.reshape(2, 2), 6 * np.eye(2))


def test_to_jax_says_what_it_can_not_know(jax, func):
    f = jax.jit(func.to_jax(lambda a: a if a.sum() > 0 else -a))
    with pytest.raises(RuntimeError, match="read inside a JAX transform"):
        f(np.ones(3, np.float32))


def test_functional_module(jax, torch, func):
    nn = torch.nn
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 1))
    params, apply = func.functional(model)
    x = np.random.default_rng(0).standard_normal((8, 3)).astype(np.float32)
    grads = jax.jit(jax.grad(lambda params: (apply(params, x) ** 2).mean()))(params)
    assert model[1].num_batches_tracked.item() == 0
    (model(torch.from_numpy(x)) ** 2).mean().backward()
    for name, p in model.named_parameters():
        np.testing.assert_allclose(grads[name], p.grad.numpy(), rtol=1e-4, atol=1e-6)


def test_from_jax(jax, torch, func):
    array = jax.numpy.arange(3)
    t = func.from_jax(array)
    assert (t.dtype, t.tolist(), (t + 1).tolist()) == (torch.int64, [0, 1, 2], [1, 2, 3])
    t.add_(1)
    np.testing.assert_array_equal(array, [0, 1, 2])
    np.testing.assert_array_equal(jax.numpy.asarray(t), [1, 2, 3])
    with pytest.raises(TypeError, match="must be jax.Array, not list"):
        func.from_jax([1])
    assert torch.tensor(array[1:]).tolist() == torch.as_tensor(array[1:]).tolist() == [1, 2]


# ----- beyond PyTorch ----------------------------------------------------------------------------

def test_autograd_inside_vmap(torch, func):
    def gradient(a):
        b = a.detach()
        b.requires_grad = True
        return torch.autograd.grad((b**3).sum(), b)[0]

    rows = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert func.vmap(gradient)(rows).tolist() == (3 * rows**2).tolist()


def test_what_vmap_wrote_into_a_captured_tensor_is_refused(torch, func):
    captured = torch.tensor([1.0, 2.0])
    with pytest.raises(RuntimeError, match="inplace arithmetic"):
        func.vmap(lambda a: captured.mul_(a))(torch.ones(3))
    assert captured.tolist() == [1, 2]


def test_indices_out_of_range_are_found_inside_vmap(torch, func):
    table = torch.ones(2, 3)
    with pytest.raises(IndexError, match="index 5 is out of bounds"):
        func.vmap(lambda row, i: row[i])(table, torch.tensor([0, 5])).tolist()


def test_a_hot_loop_of_transforms(torch, func):
    """Fused windows give what cold ones gave."""
    rows = torch.arange(12.0).reshape(4, 3) / 10
    step = func.vmap(func.grad(lambda w, x: (x @ w).sin()), in_dims=(None, 0))
    w, seen = torch.ones(3), []
    for _ in range(6):
        seen.append(step(w, rows).tolist())
    np.testing.assert_allclose(seen, [seen[0]] * 6, rtol=1e-5)


def test_a_jax_users_training_loop(jax, torch, func):
    torch.manual_seed(0)
    nn = torch.nn
    model = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
    params, apply = func.functional(model)
    x = np.random.default_rng(0).standard_normal((32, 2)).astype(np.float32)
    y = x[:, :1] * x[:, 1:]

    @jax.jit
    def step(params):
        loss, grads = jax.value_and_grad(lambda p: ((apply(p, x) - y) ** 2).mean())(params)
        return jax.tree.map(lambda p, g: p - 0.1 * g, params, grads), loss

    losses = []
    for _ in range(60):
        params, loss = step(params)
        losses.append(float(loss))
    assert losses[-1] < 0.5 * losses[0]
    assert not np.allclose(params["0.weight"], model[0].weight.detach().numpy())


def test_to_jax_uses_the_jvp_of_a_function(jax, torch, func):
    class Hundred(torch.autograd.Function):
        @staticmethod
        def forward(x):
            return x * 2

        @staticmethod
        def setup_context(ctx, inputs, output):
            pass

        @staticmethod
        def jvp(ctx, t):
            return t * 100

    f = func.to_jax(lambda a: Hundred.apply(a).sum())
    np.testing.assert_array_equal(jax.grad(f)(np.ones(3, np.float32)), np.full(3, 100))


def test_memory_is_shared_without_a_copy(jax, torch, func):
    t = torch.arange(3.0)
    seen = np.from_dlpack(t)
    t.add_(1)
    np.testing.assert_array_equal(seen, [1, 2, 3])
    own = np.arange(3.0)
    shared = torch.from_dlpack(own)
    own[0] = 7
    assert shared.tolist() == [7, 1, 2]
    array = jax.numpy.arange(4.0)
    assert func.from_jax(array).__jax_array__() is array
    assert torch.from_dlpack(array).tolist() == [0, 1, 2, 3]
    assert jax.numpy.from_dlpack(t).tolist() == [1, 2, 3]
