"""Corners of single ops that a row of rows_*.py does not reach; the goldens are PyTorch's."""

import warnings

import pytest

NUMBERS = [
    "x.clamp(0.1, 0.3)", "x.clamp_min(0.1)", "x.clamp_max(0.3)", "F.hardtanh(x, 0.1, 0.3)",
    "F.threshold(x, 0.1, 0.5)", "F.softshrink(x, 0.1)", "F.hardshrink(x, 0.3)",
]  # fmt: skip


@pytest.mark.parametrize("call", NUMBERS)
def test_gradient_at_a_bound_that_float32_cannot_hold(torch, golden, call):
    """A number meets the tensor's dtype before they are compared, at any shape."""
    for shape in ((2,), ()):
        x = torch.tensor([0.1, 0.3])
        x = (x if shape else x[1].clone()).requires_grad_()
        y = eval(call, {"x": x, "F": torch.nn.functional})
        golden(torch.autograd.grad(y.sum(), x, create_graph=True)[0])
        golden(y.grad_fn.name())


REDUCES = ["sum", "prod", "mean", "amax", "amin"]


@pytest.mark.parametrize("include", [True, False])
@pytest.mark.parametrize("reduce", REDUCES)
def test_scatter_reduce_at_zeros_and_ties(torch, golden, reduce, include):
    """One 0 among factors, two, none; an extremum reached twice, by the input itself too."""
    x = torch.tensor([0.0, 2.0, 0.0, 4.0], requires_grad=True)
    src = torch.tensor([3.0, 0.0, 5.0, 0.0, 0.0, 4.0, 4.0], requires_grad=True)
    index = torch.tensor([0, 0, 1, 2, 2, 3, 3])
    y = x.scatter_reduce(0, index, src, reduce, include_self=include)
    golden(y)
    golden(torch.autograd.grad((y * torch.tensor([1.0, 2.0, 3.0, 4.0])).sum(), (x, src)))


WRONG = [
    "torch.select_scatter(torch.ones(3, 2), torch.ones(3), 0, 0)",
    "torch.slice_scatter(torch.ones(3), torch.ones(1), 0, 0, 2)",
    "torch.slice_scatter(torch.ones(3), torch.ones(3), 0, 0, 3, 0)",
    "torch.combinations(torch.ones(2, 3))",
    "torch.combinations(torch.ones(3), -1)",
    "torch.ones(3).masked_scatter(torch.ones(3) > 0, torch.ones(2)).sum().item()",
]


@pytest.mark.parametrize("call", WRONG)
def test_wrong_call(torch, golden, call):
    """PyTorch's exception."""
    golden.error(eval, call, {"torch": torch})


LAYOUTS = [
    "torch.rot90(x, 3, (0, 2))", "torch.rot90(x.transpose(0, 1), 2)", "x.transpose(0, 2).flip(0)",
    "x.transpose(0, 1).roll(1)", "torch.combinations(x[0, 0], 0)",
    "torch.meshgrid(x[0, 0], x[0, 0, :2], indexing='xy')[0]",
    "torch.nonzero(x[0])", "torch.nonzero(x[0] < -9)", "torch.nonzero(x[0], as_tuple=True)[1]",
    "torch.as_strided_scatter(x, x[:, 0, :3], (2, 3), (3, 1))",
]  # fmt: skip


@pytest.mark.parametrize("call", LAYOUTS)
def test_layout(torch, golden, call):
    """Values, shape and strides."""
    y = eval(call, {"torch": torch, "x": torch.arange(24.0).reshape(2, 3, 4)})
    golden([y, y.stride()])


# One image is little enough to take the plain form of a convolution, 5 take the fast ones.
WINDOWS = [
    # input, weight, (stride, padding, dilation, groups)
    ((4, 8, 8), (6, 4, 3, 3), (1, 1, 1, 1)),
    ((4, 8, 8), (6, 4, 3, 3), (1, 0, 1, 1)),
    ((4, 14, 12), (4, 4, 3, 3), (2, (1, 0), 1, 1)),
    ((4, 8, 8), (4, 4, 3, 3), (1, 2, 2, 1)),
    ((8, 8, 8), (6, 4, 3, 3), (1, 1, 1, 2)),
    ((4, 9, 8), (4, 1, 3, 3), (1, 1, 1, 4)),
    ((4, 9, 8), (4, 1, 3, 2), (1, (1, 0), (1, 2), 4)),
    ((4, 12, 10), (8, 1, 3, 3), (2, 1, 1, 4)),
    ((2, 4, 5, 4), (3, 2, 3, 3, 3), (1, 1, 1, 1)),
    ((2, 7, 5, 4), (3, 2, 3, 2, 3), ((2, 1, 1), (1, 0, 1), (1, 2, 1), 1)),
    ((12, 50), (4, 12, 3), (1, 1, 1, 1)),
]


@pytest.mark.parametrize("shape, weight, settings", WINDOWS)
def test_a_batch_is_convolved_like_its_images(torch, shape, weight, settings):
    """The result and both gradients: each image alone against all at once."""
    torch.manual_seed(0)
    x, w = torch.randn(5, *shape), torch.randn(*weight)
    conv = getattr(torch.nn.functional, f"conv{len(shape) - 1}d")

    def run(part):
        part, kernel = part.clone().requires_grad_(), w.clone().requires_grad_()
        y = conv(part, kernel, None, *settings)
        return y.detach(), *torch.autograd.grad((y * y).sum() / 2, (part, kernel))

    whole, alone = run(x), [run(x[i : i + 1]) for i in range(5)]
    results, slopes, kernels = zip(*alone, strict=True)
    for found, wanted in zip(whole, (torch.cat(results), torch.cat(slopes), sum(kernels))):
        assert (found - wanted).abs().max() <= 1e-5 * wanted.abs().max()


def test_lobpcg(torch, golden):
    torch.manual_seed(0)
    a = torch.randn(20, 20, dtype=torch.float64)
    a = a @ a.mT
    eye = torch.eye(20, dtype=torch.float64)
    metric = eye * 2 + 0.1
    inverse = torch.diag(1 / a.diagonal())
    settings = [
        dict(k=3), dict(k=2, largest=False), dict(k=2, B=metric), dict(X=eye[:, :2]), dict(n=3),
        dict(k=1, method="basic", iK=inverse),
    ]  # fmt: skip
    for given in settings:
        values, vectors = torch.lobpcg(a, **given)
        product = given.get("B", eye) @ vectors
        assert torch.allclose(a @ vectors, product * values, atol=1e-4)
        golden([round(x, 4) for x in values.tolist()])
    both, _ = torch.lobpcg(torch.stack([a, 2 * a]), k=2)
    golden([[round(x, 4) for x in row] for row in both.tolist()])
    sparse, _ = torch.lobpcg(torch.diag(torch.arange(1.0, 10.0)).to_sparse(), k=2)
    golden([round(x, 3) for x in sparse.tolist()])
    golden.error(lambda: torch.lobpcg(torch.eye(3), k=2))
    golden.error(lambda: torch.lobpcg(torch.ones(3, 2)))


def test_old_names_warn_once():
    import torchlike as torch
    from torchlike.core.check import warn_once

    warn_once.cache_clear()
    eye = torch.eye(2)
    for old in (torch.qr, torch.cholesky, torch.lu, lambda x: torch.chain_matmul(x, x)):
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            old(eye), old(eye)
        assert len(seen) == 1 and " is deprecated " in str(seen[0].message)
        assert seen[0].filename == __file__
