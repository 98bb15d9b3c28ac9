"""Sparse tensors: programs that print what PyTorch prints (snippets/sparse.py)."""

import pytest

from compat_tests import transcript


@pytest.mark.parametrize("file, name", transcript.snippets("sparse"))
@pytest.mark.filterwarnings("ignore")
def test_snippet(torch, file, name):
    if found := transcript.snippet_difference(torch, file, name):
        pytest.fail(found, pytrace=False)


def test_an_op_without_a_sparse_form_says_so(torch):
    s = torch.sparse_coo_tensor([[0]], [1.0], (2,))
    for call in (torch.exp, torch.cos, lambda s: s.view(1, 2), lambda s: s == s):
        with pytest.raises(NotImplementedError, match="SparseCPU"):
            call(s)


def test_a_captured_step_takes_a_sparse_matrix():
    import torchlike as torch

    adjacency = torch.sparse_coo_tensor([[0, 1, 1], [1, 0, 1]], [1.0, 2.0, 3.0], (2, 2))
    weight = torch.ones(2, 2, requires_grad=True)

    def step(x):
        loss = torch.sparse.mm(adjacency, x @ weight).pow(2).sum()
        return (loss, *torch.autograd.grad(loss, weight))

    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    for got, want in zip(torch.jit(step)(x), step(x), strict=True):
        assert got.tolist() == want.tolist()
