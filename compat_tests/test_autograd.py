"""The autograd engine: programs that print what PyTorch prints; threads and interrupts.

The snippets and what real torch showed: snippets/autograd*.py and goldens/autograd*.json.
"""

import pytest

from compat_tests import transcript


@pytest.mark.parametrize("file, name", transcript.snippets("autograd"))
def test_snippet(torch, file, name):
    if found := transcript.snippet_difference(torch, file, name):
        pytest.fail(found, pytrace=False)


def test_a_value_outlives_its_graph(torch):
    x = torch.ones(2, requires_grad=True)
    y = x * 2
    node = y.grad_fn
    del y
    assert node.name() == "MulBackward0"
    assert node.next_functions[0][0].variable is x


def test_interrupt_while_recording(torch):
    """Ctrl-C may come anywhere: half-recorded work must not poison what follows."""
    x = torch.ones(3, requires_grad=True)
    for _ in range(5):
        try:
            y = (x * 2).sum()
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            pass
        y.backward()
    assert x.grad.tolist() == [10.0, 10.0, 10.0]


def test_every_thread_sees_its_own_values(torch):
    import threading

    results = {}

    def train(seed):
        generator = torch.Generator().manual_seed(seed)
        w = torch.zeros(4, requires_grad=True)
        data = torch.randn(4, generator=generator)
        for _ in range(50):
            ((w - data) ** 2).sum().backward()
            with torch.no_grad():
                w -= 0.1 * w.grad
                w.grad = None
        results[seed] = (w - data).abs().max().item()

    threads = [threading.Thread(target=train, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [0, 1, 2, 3] and max(results.values()) < 1e-3
