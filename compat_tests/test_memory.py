"""Nothing outlives its use: loops with the garbage collector off keep their number of objects."""

import contextlib
import gc
import subprocess
import sys
import weakref

import pytest


@contextlib.contextmanager
def no_collector():
    """Only reference counts free anything inside."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def fewest(step, rounds):
    """The smallest number of objects seen between steps: what is pending comes and goes."""
    seen = []
    for place in range(rounds):
        step()
        if place % 7 == 0:
            seen.append(len(gc.get_objects()))
    return min(seen)


def growth(step, warm=200, rounds=100):
    """How many more objects there are after `rounds` further steps; compiling is over by then."""
    with no_collector():
        for _ in range(warm):
            step()
        before = fewest(step, rounds)
        return fewest(step, rounds) - before


def training(torch, optimizer):
    """A step of a small net with the named optimizer."""
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
    opt = getattr(torch.optim, optimizer)(net.parameters(), lr=0.01)
    data, target = torch.randn(16, 4), torch.randn(16, 1)

    def step():
        opt.zero_grad()
        loss = torch.nn.functional.mse_loss(net(data), target)
        loss.backward()
        opt.step()
        loss.item()

    return step


def forward_and_read(torch):
    w = torch.ones(8, 8, requires_grad=True)
    return lambda: (torch.ones(2, 8) @ w).relu().sum().item()


def forward_backward(torch):
    w = torch.ones(8, 8, requires_grad=True)

    def step():
        w.grad = None
        (torch.ones(2, 8) @ w).tanh().sum().backward()

    return step


def accumulate_in_place(torch):
    total = torch.zeros(3)

    def step():
        total.add_(torch.ones(3))
        total[1:] *= 0.5
        total[0].item()

    return step


def views_and_writes(torch):
    x = torch.zeros(4, 4)

    def step():
        x[1] = x[0] + 1
        x.t()[2].mul_(0.5)
        x.view(-1)[::3].zero_()
        x.sum().item()

    return step


def write_under_autograd(torch):
    w = torch.ones(3, requires_grad=True)

    def step():
        w.grad = None
        y = w * 2
        y[0] = 5
        y[1:].mul_(w[1:])
        y.sum().backward()

    return step


def hooks(torch):
    w = torch.ones(3, requires_grad=True)

    def step():
        w.grad = None
        y = w * 2
        y.register_hook(lambda g: g * 2)
        y.retain_grad()
        handle = w.register_hook(lambda g: g + 1)
        y.sum().backward()
        handle.remove()

    return step


def custom_function(torch):
    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 2 * x * g

    w = torch.ones(3, requires_grad=True)

    def step():
        w.grad = None
        Square.apply(w).sum().backward()

    return step


def double_backward(torch):
    w = torch.ones(3, requires_grad=True)

    def step():
        (g,) = torch.autograd.grad((w**3).sum(), w, create_graph=True)
        torch.autograd.grad((g * g).sum(), w)

    return step


def errors(torch):
    w = torch.ones(3, requires_grad=True)

    def step():
        y = (w * w).sum()
        y.backward()
        with contextlib.suppress(RuntimeError):
            y.backward()
        with contextlib.suppress(RuntimeError):
            w @ torch.ones(4)

    return step


LOOPS = [forward_and_read, forward_backward, accumulate_in_place, views_and_writes,
         write_under_autograd, hooks, custom_function, double_backward, errors]


@pytest.mark.parametrize("loop", LOOPS, ids=lambda loop: loop.__name__)
def test_loop_does_not_grow(torch, loop):
    assert growth(loop(torch)) < 20


@pytest.mark.parametrize("optimizer", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"])
def test_training_does_not_grow(torch, optimizer):
    assert growth(training(torch, optimizer)) < 20


def test_graph_dies_with_its_result(torch):
    with no_collector():
        x = torch.ones(3, requires_grad=True)
        y = x * 2
        z = (y + 1).sum()
        refs = [weakref.ref(t) for t in (x, y, z)]
        del y
        assert refs[1]() is None        # an addition saves nothing
        z.backward()
        del x, z
        assert not any(ref() is not None for ref in refs)


def test_unread_results_die(torch):
    with no_collector():
        kept = torch.ones(1000)
        refs = []
        for _ in range(50):
            y = kept * 2 + 1
            refs.append(weakref.ref(y))
        del y
        assert not any(ref() is not None for ref in refs)


@pytest.mark.parametrize("collecting", [True, False])
def test_import_leaves_the_collector_as_it_was(collecting):
    """What was loaded is no longer looked through: it took most of a full collection's time."""
    code = (
        f"import gc; gc.enable() if {collecting} else gc.disable()\n"
        "import torchlike; print(gc.isenabled(), gc.get_freeze_count() > 4 * len(gc.get_objects()))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == [str(collecting), "True"]
