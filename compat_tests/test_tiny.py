"""The first thing to read and to run: what torchlike is, in a hundred lines. Runs in seconds."""

import io

import pytest


def test_tensors_print_as_in_pytorch(torch):
    x = torch.ones(2, 2, requires_grad=True)
    assert str(x) == "tensor([[1., 1.],\n        [1., 1.]], requires_grad=True)"
    assert str(x + 1) == "tensor([[2., 2.],\n        [2., 2.]], grad_fn=<AddBackward0>)"
    assert str((x * 3).mean()) == "tensor(3., grad_fn=<MeanBackward0>)"


def test_random_numbers_are_those_of_pytorch(torch):
    torch.manual_seed(0)
    assert str(torch.rand(3)) == "tensor([0.4963, 0.7682, 0.0885])"
    assert str(torch.randn(2)) == "tensor([0.3643, 0.1344])"
    assert torch.randperm(5).tolist() == [3, 2, 1, 4, 0]


def test_promotion(torch):
    whole, real = torch.tensor([1, 2]), torch.tensor([1.5, 2.5])
    assert (whole + real).dtype is torch.float32
    assert (whole / 2).dtype is torch.float32 and (whole // 2).dtype is torch.int64
    assert (real * torch.tensor(2.0, dtype=torch.float64)).dtype is torch.float32


def test_views_share_memory(torch):
    x = torch.zeros(3, 4)
    x.t()[1] += 5                   # adds in place, then assigns the row to itself: two writes
    x[0].fill_(1)
    assert x.tolist() == [[1, 1, 1, 1], [0, 5, 0, 0], [0, 5, 0, 0]]
    assert x.t().stride() == (1, 4) and x._version == 3


def test_numpy_shares_memory(torch):
    x = torch.zeros(2)
    array = x.numpy()
    array[0] = 7
    x[1] = 8
    assert x.tolist() == [7, 8] and array.tolist() == [7, 8]


def test_backward(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    loss = ((x + 2) ** 2 * 3).sum()
    loss.backward()
    assert x.grad.tolist() == [18, 24]
    with pytest.raises(RuntimeError, match="Trying to backward through the graph a second time"):
        loss.backward()


def test_gradient_of_a_gradient(torch):
    x = torch.tensor(2.0, requires_grad=True)
    (slope,) = torch.autograd.grad(x**3, x, create_graph=True)
    (curvature,) = torch.autograd.grad(slope, x)
    assert (slope.item(), curvature.item()) == (12, 12)


def test_the_graph_can_be_walked(torch):
    x = torch.ones(2, requires_grad=True)
    node = (x * 2 + 1).sum().grad_fn
    names = []
    while node is not None:
        names.append(node.name())
        node = node.next_functions[0][0] if node.next_functions else None
    assert names == ["SumBackward0", "AddBackward0", "MulBackward0",
                     "torch::autograd::AccumulateGrad"]


def test_errors_are_pytorchs(torch):
    with pytest.raises(RuntimeError, match=r"cannot be multiplied \(2x3 and 2x3\)"):
        torch.ones(2, 3) @ torch.ones(2, 3)
    with pytest.raises(IndexError, match=r"in range of \[-2, 1\], but got 2"):
        torch.ones(2, 3).sum(2)


def test_a_model_learns(torch):
    torch.manual_seed(0)
    inputs = torch.randn(64, 3)
    target = inputs @ torch.tensor([[1.0], [-2.0], [0.5]]) + 0.3
    model = torch.nn.Sequential(torch.nn.Linear(3, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    losses = []
    for _ in range(100):
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(model(inputs), target)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 100


def test_save_and_load(torch):
    model, file = torch.nn.Linear(2, 1), io.BytesIO()
    torch.save(model.state_dict(), file)
    file.seek(0)
    copy = torch.nn.Linear(2, 1)
    assert str(copy.load_state_dict(torch.load(file))) == "<All keys matched successfully>"
    assert torch.equal(copy.weight, model.weight)
