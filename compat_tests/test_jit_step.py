"""torchlike.jit: captured steps give the eager steps' numbers, and what they can't do raises."""

import contextlib
import copy
import threading

import numpy as np
import pytest

import torchlike as torch
import torchlike.nn.functional as F
from torchlike import nn

STEPS = 20


def batches(count=STEPS, size=8, width=6, classes=3, seed=3):
    g = torch.Generator().manual_seed(seed)
    return [
        (torch.randn(size, width, generator=g), torch.randint(0, classes, (size,), generator=g))
        for _ in range(count)
    ]


def mlp():
    return nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 3))


def training(model, optimizer, *after):
    """An ordinary step over a model, with whatever else belongs in it."""

    def step(x, y):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        for each in after:
            each()
        return loss

    return step


def both(make, data, tolerance=1e-6):
    """The numbers of the eager and of the captured step; the captured one for a closer look."""
    found = []
    for wrap in (lambda f: f, torch.jit):
        torch.manual_seed(0)
        step, *state = make()
        step = wrap(step)
        losses = [[t.item() for t in _listed(step(*batch))] for batch in data]
        found.append((losses, [t.detach().numpy().copy() for t in _tensors(state)]))
    (eager, before), (captured, after) = found
    np.testing.assert_allclose(captured, eager, rtol=tolerance * 10, atol=tolerance)
    for a, b in zip(before, after, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-5)
    return step


def _listed(out):
    return out if isinstance(out, (tuple, list)) else [out]


def _tensors(state):
    for s in state:
        yield from s.state_dict().values() if isinstance(s, nn.Module) else [s]


OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01, amsgrad=True),
    "radam": lambda p: torch.optim.RAdam(p, lr=0.01),
    "nadam": lambda p: torch.optim.NAdam(p, lr=0.01),
    "asgd": lambda p: torch.optim.ASGD(p, lr=0.01),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.01),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_mlp(name):
    def make():
        model = mlp()
        return training(model, OPTIMIZERS[name](model.parameters())), model

    step = both(make, batches())
    assert step.captures == 2 and len(step.programs) == 1


def test_cnn_batch_norm():
    def make():
        model = nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3)
        )
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
        return training(model, optimizer), model

    data = [(x.reshape(8, 1, 6, 6), y) for x, y in batches(width=36)]
    step = both(make, data, 1e-5)
    assert step.captures == 2


def test_gan_with_two_optimizers():
    def make():
        g = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 6))
        d = nn.Sequential(nn.Linear(6, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))
        opt_g = torch.optim.Adam(g.parameters(), lr=0.01, betas=(0.5, 0.99))
        opt_d = torch.optim.Adam(d.parameters(), lr=0.01)
        bce = nn.BCEWithLogitsLoss()

        def step(real, _):
            opt_d.zero_grad()
            fake = g(torch.randn(len(real), 4))
            ones, zeros = torch.ones(len(real), 1), torch.zeros(len(real), 1)
            loss_d = bce(d(real), ones) + bce(d(fake.detach()), zeros)
            loss_d.backward()
            opt_d.step()
            opt_g.zero_grad()
            for p in d.parameters():
                p.requires_grad_(False)
            loss_g = bce(d(fake), ones)
            loss_g.backward()
            for p in d.parameters():
                p.requires_grad_(True)
            opt_g.step()
            return loss_d, loss_g

        return step, g, d

    step = both(make, batches())
    assert step.captures <= 3


class TiedLanguageModel(nn.Module):
    """Embedding and output share their weights."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(11, 8)
        self.norm = nn.LayerNorm(8)
        self.out = nn.Linear(8, 11, bias=False)
        self.out.weight = self.embed.weight

    def forward(self, tokens):
        return self.out(self.norm(self.embed(tokens).cumsum(1)))


def test_tied_language_model():
    def make():
        model = TiedLanguageModel()
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)

        def step(tokens):
            optimizer.zero_grad(set_to_none=True)
            logits = model(tokens[:, :-1])
            loss = F.cross_entropy(logits.reshape(-1, 11), tokens[:, 1:].reshape(-1))
            loss.backward()
            optimizer.step()
            return loss

        return step, model

    g = torch.Generator().manual_seed(1)
    step = both(make, [(torch.randint(0, 11, (4, 9), generator=g),) for _ in range(STEPS)])
    (kept,) = [e for entries in step.kept.values() for e in entries]
    storages = [id(c.storage) for c in kept.replay.cells]
    assert len(storages) == len(set(storages)) and step.captures == 2


def test_gradient_accumulation():
    def make():
        model = mlp()
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

        def step(x, y, last):
            loss = F.cross_entropy(model(x), y) / 2
            loss.backward()
            if last:
                optimizer.step()
                optimizer.zero_grad()
            return loss

        return step, model

    data = [(*b, i % 2 == 1) for i, b in enumerate(batches())]
    step = both(make, data)
    assert step.captures <= 4 and len(step.programs) == 2


def test_gradients_stay_where_they_are():
    """Zeroed outside; kept by the user; seen between calls."""
    torch.manual_seed(0)
    model = nn.Linear(6, 3)

    @torch.jit
    def step(x, y):
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        return loss

    data = batches(6)
    kept = []
    for x, y in data:
        model.zero_grad()
        step(x, y)
        kept.append(model.weight.grad)
    for (x, y), grad in zip(data, kept, strict=True):
        model.zero_grad()
        F.cross_entropy(model(x), y).backward()
        np.testing.assert_allclose(grad.numpy(), model.weight.grad.numpy(), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("inside", [True, False])
def test_scheduler(inside):
    made = []

    def make():
        model = mlp()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
        scheduler = torch.optim.lr_scheduler.SequentialLR(
            optimizer,
            [
                torch.optim.lr_scheduler.LinearLR(optimizer, 0.1, total_iters=4),
                torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10),
            ],
            milestones=[5],
        )
        made.append((optimizer, scheduler))
        step = training(model, optimizer, *([scheduler.step] if inside else []))
        return step, model

    def stepped(make):
        def with_schedule():
            step, model = make()
            scheduler = made[-1][1]
            return step, model, scheduler

        return with_schedule

    if inside:
        step = both(make, batches())
        assert step.captures <= 4 and len(step.programs) == 1
    else:
        losses = []
        for wrap in (lambda f: f, torch.jit):
            torch.manual_seed(0)
            step, model, scheduler = stepped(make)()
            step = wrap(step)
            row = []
            for x, y in batches():
                row.append(step(x, y).item())
                scheduler.step()
            losses.append(row)
        np.testing.assert_allclose(losses[1], losses[0], rtol=1e-5)
        assert step.captures <= 3 and len(step.programs) == 1
    (first, a), (second, b) = made
    assert first.param_groups[0]["lr"] == second.param_groups[0]["lr"]
    assert a.last_epoch == b.last_epoch


def test_ema_by_hand_and_averaged_model():
    def make():
        model = mlp()
        average = torch.optim.swa_utils.AveragedModel(
            model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.9)
        )
        shadow = [p.detach().clone() for p in model.parameters()]
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

        @torch.no_grad()
        def ema():
            for s, p in zip(shadow, model.parameters(), strict=True):
                s.mul_(0.9).add_(p, alpha=0.1)

        step = training(model, optimizer, ema, lambda: average.update_parameters(model))
        return step, model, average, *shadow

    step = both(make, batches())
    assert step.captures <= 4


class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 3 * grad * x


def test_function_hooks_checkpoint_no_grad():
    def make():
        first, second = nn.Linear(6, 8), nn.Sequential(nn.Dropout(0.5), nn.Linear(8, 3))
        first.weight.register_hook(lambda g: g * 0.5)
        second.register_forward_hook(lambda m, args, out: out + 0.1)
        params = [*first.parameters(), *second.parameters()]
        optimizer = torch.optim.SGD(params, lr=0.1)

        def step(x, y):
            optimizer.zero_grad()
            h = Square.apply(first(x))
            out = torch.utils.checkpoint.checkpoint(second, h, use_reentrant=False)
            with torch.no_grad():
                scale = out.abs().mean()
                with torch.enable_grad():
                    pass
            loss = F.cross_entropy(out / (1 + scale), y)
            loss.backward()
            optimizer.step()
            return loss

        return step, first, second

    step = both(make, batches())
    assert step.captures <= 2


# ----- footguns ----------------------------------------------------------------------------------


def test_tensor_made_outside_is_an_input():
    scale = torch.tensor(2.0)

    @torch.jit
    def step(x):
        return x * scale

    x = torch.ones(3)
    assert step(x).tolist() == [2, 2, 2]
    scale.fill_(5.0)
    assert step(x).tolist() == [5, 5, 5]
    scale = torch.tensor(7.0)
    assert step(x).tolist() == [7, 7, 7]


def test_memory_whose_address_was_asked_for_between_runs():
    w = torch.nn.Parameter(torch.ones(2000))
    sgd = torch.optim.SGD([w], lr=0.5, momentum=0.5)

    @torch.jit
    def step():
        sgd.zero_grad()
        w.sum().backward()
        sgd.step()

    wanted = [0.5, -0.25, -1.125, -2.0625, -3.03125]
    for i, number in enumerate(wanted):
        step()
        if i == 2:
            w.data_ptr()
        assert w[7].item() == number


def test_numbers_from_numpy_are_not_frozen():
    array = np.ones(3, np.float32)

    @torch.jit
    def step(x):
        return x * torch.from_numpy(array) + torch.tensor(array)

    for n in range(4):
        array[:] = n
        assert step(torch.ones(3)).tolist() == [2 * n] * 3
    assert "numbers from NumPy" in step.explain()


def test_memory_shared_with_numpy():
    array = np.ones(3, np.float32)
    shared = torch.from_numpy(array)

    @torch.jit
    def step():
        out = shared[1:] + 1
        shared.mul_(2)
        return out

    assert step().tolist() == [2, 2] and array.tolist() == [2, 2, 2]
    array[1] = 10
    assert step().tolist() == [11, 3] and array.tolist() == [4, 20, 4]


SETTING = 1.0


def test_globals_closures_and_flags_are_not_frozen():
    global SETTING
    factor = 3.0
    drop = nn.Dropout(0.9)

    @torch.jit
    def step(x):
        return drop(x) * factor * SETTING

    x = torch.ones(50)
    drop.eval()
    assert step(x)[0].item() == 3
    SETTING = 2.0
    assert step(x)[0].item() == 6
    factor = 5.0
    assert step(x)[0].item() == 10
    drop.train()
    assert (step(x) == 0).sum().item() > 10
    drop.eval()
    captures = step.captures
    assert step(x)[0].item() == 10
    assert step.captures == captures  # the capture in this mode is still there
    assert "training of Dropout changed" in step.explain()


def test_python_arguments_are_static():
    ran = []

    @torch.jit
    def step(x, power, *, negate=False):
        ran.append(power)
        return -(x**power) if negate else x**power

    x = torch.tensor([2.0])
    outs = [step(x, 2), step(x, 3), step(x, 2), step(x, 2, negate=True), step(x, 2.0)]
    assert [o.item() for o in outs] == [4, 8, 4, -4, 4]
    assert ran == [2, 3, 2, 2.0]
    with pytest.raises(TypeError, match="NumPy array"):
        step(np.ones(3), 2)


def test_outputs_sharing_a_buffer_and_inputs_that_are_outputs():
    state = torch.zeros(2000)
    other = torch.zeros(2000)

    @torch.jit
    def step(x):
        state.copy_(x)
        other.copy_(state)
        y = x + 1
        return x, y, y, state, state.detach()

    for i in range(4):
        x = torch.full((2000,), float(i))
        same, y, again, s, alias = step(x)
        assert same is x and s is state and alias.data_ptr() == state.data_ptr()
        assert y.data_ptr() == again.data_ptr()
        y.add_(1)
        assert [t[0].item() for t in (x, again, state, other)] == [i, i + 2, i, i]


def test_arguments_written_in_place():
    @torch.jit
    def step(x):
        x.mul_(2)
        return x + 1

    for start in (1.0, 2.0, 3.0):
        x = torch.full((2,), start)
        version = x._version
        assert step(x).tolist() == [2 * start + 1] * 2
        assert x.tolist() == [2 * start] * 2 and x._version == version + 1


def test_a_value_kept_outside_survives_donation():
    weight = nn.Parameter(torch.ones(2000))
    optimizer = torch.optim.SGD([weight], lr=0.5)

    @torch.jit
    def step():
        optimizer.zero_grad()
        weight.sum().backward()
        optimizer.step()

    copies, arrays = [], []
    for _ in range(5):
        copies.append(weight.detach().clone())
        arrays.append(weight.detach().numpy().copy())
        step()
    assert [c[0].item() for c in copies] == [1, 0.5, 0, -0.5, -1]
    assert [a[0] for a in arrays] == [1, 0.5, 0, -0.5, -1]
    assert weight._version == 5


@pytest.mark.parametrize("read", ["item", "bool", "print", "numpy", "tolist", "nonzero"])
def test_reading_inside_raises_and_leaves_all_as_it_was(read):
    torch.manual_seed(0)
    model = mlp()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

    def step(x, y):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        x.add_(1)
        if read == "bool":
            return loss if loss > 0 else None
        if read == "print":
            return str(loss)
        return getattr(loss.detach(), read)()

    (x, y), (x2, y2) = batches(2)
    before = [p.detach().clone() for p in model.parameters()]
    random, start = torch.get_rng_state(), x.clone()
    captured = torch.jit(step)
    with pytest.raises(RuntimeError, match=r"read inside torchlike.jit, at .*test_jit_step.py:\d+"):
        captured(x, y)
    assert all(torch.equal(p, b) for p, b in zip(model.parameters(), before, strict=True))
    assert all(p.grad is None for p in model.parameters()) and not optimizer.state
    assert torch.equal(torch.get_rng_state(), random) and torch.equal(x, start)
    model.zero_grad()
    F.cross_entropy(model(x2), y2).backward()  # everything still works


@pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.SparseAdam])
def test_sparse_gradients_run_in_python(optimizer):
    def trained(wrap):
        torch.manual_seed(0)
        table = nn.Embedding(7, 2, padding_idx=0, sparse=True)
        rows = optimizer(table.parameters(), lr=0.1)

        def step(x):
            rows.zero_grad()
            loss = F.dropout(table(x)).pow(2).mean()
            loss.backward()
            rows.step()
            return loss

        step = wrap(step)
        losses = [step(torch.tensor([[i, 0, 2 * i]])).item() for i in range(4)]
        assert table.weight.grad.is_sparse
        return losses, table.weight.tolist(), step

    plain, captured = trained(lambda f: f), trained(torch.jit)
    np.testing.assert_allclose(captured[0], plain[0], rtol=1e-6)
    np.testing.assert_allclose(captured[1], plain[1], rtol=1e-6)
    assert "    4 × Python runs every time: embedding: sparse=True" in captured[2].explain()


def test_an_error_in_the_step_leaves_all_as_it_was():
    weight = nn.Parameter(torch.ones(3))
    optimizer = torch.optim.SGD([weight], lr=1.0, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1)

    @torch.jit
    def step(fail):
        weight.sum().backward()
        optimizer.step()
        scheduler.step()
        if fail:
            raise KeyError("mine")

    for _ in range(2):
        state = scheduler.last_epoch, optimizer.param_groups[0]["lr"], weight.tolist()
        grad = weight.grad
        with pytest.raises(KeyError, match="mine"):
            step(True)
        assert state == (scheduler.last_epoch, optimizer.param_groups[0]["lr"], weight.tolist())
        assert weight.grad is grad
        step(False)


def test_errors_that_depend_on_values():
    table = nn.Embedding(5, 2)

    @torch.jit
    def step(index):
        return table(index).sum()

    step(torch.tensor([1, 2]))
    with pytest.raises(IndexError, match="out of range"):
        step(torch.tensor([1, 9]))


def test_errors_that_show_before_a_run_leave_all_as_it_was():
    """Also right after somebody wrote to what the step holds; the step goes on afterwards."""
    torch.manual_seed(0)
    net, scores = nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 3)), nn.Dropout(0.5)
    adam = torch.optim.Adam(net.parameters(), lr=0.1)
    fixed = torch.tensor([0, 1])

    def plain(index, target):
        adam.zero_grad()
        loss = F.cross_entropy(scores(net(index)), target) + F.nll_loss(net(fixed), target)
        loss.backward()
        adam.step()
        return loss

    step = torch.jit(plain)
    good, bad = torch.tensor([1, 2]), torch.tensor([0, 7])
    with pytest.raises(IndexError, match="Target 7 is out of bounds"):
        step(good, bad)
    assert not adam.state
    for _ in range(3):
        step(good, good)
    net[1].weight.data.zero_()
    fixed[1] = 2
    before = [t.detach().clone() for t in (*net.parameters(), torch.get_rng_state())]
    for index, target in ((good, bad), (bad, good)):
        with pytest.raises(IndexError, match="out of"):
            step(index, target)
    after = [*net.parameters(), torch.get_rng_state()]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert {s["step"].item() for s in adam.state.values()} == {3}
    twin = copy.deepcopy((net, adam.state_dict(), torch.get_rng_state()))
    jitted = step(good, good).item()
    net.load_state_dict(twin[0].state_dict())
    adam.load_state_dict(twin[1])
    torch.set_rng_state(twin[2])
    assert plain(good, good).item() == pytest.approx(jitted, rel=1e-6)
    fixed[1] = 9
    with pytest.raises(IndexError, match="out of range"):
        step(good, good)


def test_a_step_that_keeps_tensors_still_works():
    history = []

    @torch.jit
    def step(x):
        y = x * 2
        history.append(y)
        return y + 1

    for i in range(4):
        step(torch.tensor([float(i)]))
    assert [h.item() for h in history] == [0, 2, 4, 6]
    assert "keeps a tensor made at" in step.explain() and "test_jit_step.py" in step.explain()
    assert len(step.programs) == 1


def test_what_changes_is_noticed():
    """Loading state, groups added, hooks, other parameters: the next call does the right thing."""
    torch.manual_seed(0)
    model = nn.Linear(2, 2, bias=False)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)

    @torch.jit
    def step(x):
        optimizer.zero_grad()
        model(x).sum().backward()
        optimizer.step()
        return model(x)

    x = torch.ones(1, 2)
    for _ in range(3):
        step(x)
    model.load_state_dict({"weight": torch.zeros(2, 2)})
    assert step(x).tolist() == [[-2, -2]]
    model.weight.data = torch.full((2, 2), 3.0)
    assert step(x).tolist() == [[4, 4]]
    handle = model.register_forward_hook(lambda m, args, out: out * 10)
    assert step(x).tolist() == [[10 * 2 * -8] * 2]
    handle.remove()
    optimizer.param_groups[0]["weight_decay"] = 0.5
    weight = model.weight.detach().clone()
    step(x)
    assert torch.allclose(model.weight, weight - (1 + 0.5 * weight))
    extra = nn.Parameter(torch.ones(1))
    extra.grad = torch.ones(1)
    optimizer.add_param_group({"params": [extra], "lr": 0.25})
    extra_grad = extra.grad
    step(x)
    assert extra.grad is None or extra.grad is extra_grad
    model.weight = nn.Parameter(torch.zeros(2, 2))
    assert step(x).tolist() == [[0, 0]]  # the new weight is no parameter of the optimizer


def test_optimizers_of_others():
    class Plain(torch.optim.Optimizer):
        def __init__(self, params, lr):
            super().__init__(params, {"lr": lr})

        @torch.no_grad()
        def step(self):
            for group in self.param_groups:
                for p in group["params"]:
                    p.add_(p.grad, alpha=-group["lr"])

    weight = nn.Parameter(torch.zeros(2))
    optimizer = Plain([weight], 1.0)

    @torch.jit
    def step():
        weight.grad = None
        weight.sum().backward()
        optimizer.step()

    for lr in (1.0, 1.0, 1.0, 10.0, 10.0, 1.0):
        optimizer.param_groups[0]["lr"] = lr
        step()
    assert weight.tolist() == [-24.0, -24.0]
    assert step.captures < 6 and len(step.programs) == 1


def test_graph_of_a_returned_tensor():
    model = nn.Linear(2, 1)
    out = torch.jit(lambda x: model(x))(torch.ones(1, 2))
    assert out.requires_grad and type(out.grad_fn).__name__ == "AddmmBackward0"
    with pytest.raises(RuntimeError, match="not kept"):
        out.backward()


def test_methods_nested_calls_and_modules():
    class Trainer:
        def __init__(self):
            self.weight = nn.Parameter(torch.ones(2))
            self.scale = 2.0

        @torch.jit
        def loss(self, x):
            return (self.weight * x * self.scale).sum()

    first, second = Trainer(), Trainer()
    second.weight = nn.Parameter(torch.zeros(2))
    x = torch.ones(2)
    assert [first.loss(x).item(), second.loss(x).item(), first.loss(x).item()] == [4, 0, 4]
    first.scale = 3.0
    assert first.loss(x).item() == 6
    outer = torch.jit(lambda x: first.loss(x) + 1)
    assert [outer(x).item() for _ in range(3)] == [7, 7, 7]
    with pytest.raises(TypeError, match="takes a function"):
        torch.jit(3)


def test_grad_scaler_skips_steps():
    """Infinite gradients leave parameters, Adam's state and its counters as they were."""
    made = []

    def make():
        model = mlp()
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        scaler = torch.amp.GradScaler("cpu", init_scale=4.0, growth_interval=3)
        made.append((optimizer, scaler))

        def step(x, y):
            optimizer.zero_grad()
            with torch.autocast("cpu", enabled=False):
                loss = F.cross_entropy(model(x), y)
            scaler.scale(loss).backward()
            scaler.unscale_(optimizer)
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            scaler.step(optimizer)
            scaler.update()
            return loss.nan_to_num(7.0)

        return step, model

    data = batches(12)
    for i in (2, 3, 8):
        data[i][0].fill_(float("inf"))
    step = both(make, data)
    assert step.captures <= 3
    (first, a), (second, b) = made
    assert a.get_scale() == b.get_scale() and a._get_growth_tracker() == b._get_growth_tracker()
    counts = [{s["step"].item() for s in o.state.values()} for o in (first, second)]
    assert counts == [{9.0}, {9.0}]


def test_autocast_around_and_inside():
    model = nn.Linear(6, 3)

    @torch.jit
    def step(x):
        with torch.no_grad():
            return model(x)

    x = torch.ones(2, 6)
    for _ in range(3):
        assert step(x).dtype is torch.float32
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert step(x).dtype is torch.bfloat16
            assert torch.equal(step(x), model(x).detach())


def test_memory_only_read_is_an_input():
    x, w = torch.arange(3.0), torch.ones(3, requires_grad=True)

    @torch.jit
    def plain():
        return x * 2

    @torch.jit
    def slope():
        return torch.autograd.grad((w * x).sum(), w)[0]

    for k in range(3):
        assert plain().tolist() == [2.0 * k, 2 * (1 + k), 2 * (2 + k)]
        assert slope().tolist() == x.tolist()
        x += 1
    assert plain.captures == slope.captures == 1


def test_another_thread_works_on_during_a_capture():
    done, errors = threading.Event(), []

    def other():
        try:
            while not done.is_set():
                a = torch.zeros(3)
                a += 1
                assert (a * 2).sum().item() == 6
                assert tuple(n for n in range(40))  # grows while Python runs: nobody may hold it
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=other)
    thread.start()
    w = torch.ones(3, requires_grad=True)
    for k in range(5):
        assert torch.jit(lambda x, k=k: (x * w * k).sum())(torch.ones(3)).item() == 3 * k
    done.set()
    thread.join()
    assert not errors


@pytest.mark.parametrize("fails", [False, True])
def test_gradients_of_another_thread_are_not_the_steps(fails):
    """What a thread does to its own gradients during a capture is neither repeated nor undone."""
    w, theirs = (torch.ones(3, requires_grad=True) for _ in range(2))
    (theirs * 2).sum().backward()
    cleared = torch.ones(3, requires_grad=True)
    (cleared * 2).sum().backward()

    def other():
        cleared.grad = None
        theirs.grad = None
        (theirs * 5).sum().backward()

    @torch.jit
    def step(x, fail):
        if cleared.grad is not None:
            thread = threading.Thread(target=other)
            thread.start()
            thread.join()
        w.grad = None
        (x * w).sum().backward()
        if fail:
            raise KeyError("midway")
        return x + 1

    x = torch.ones(3)
    for fail in (fails, False, False):
        with pytest.raises(KeyError) if fail else contextlib.nullcontext():
            step(x, fail)
        assert cleared.grad is None and theirs.grad.tolist() == [5, 5, 5]
        assert fail or w.grad.tolist() == [1, 1, 1]
        if not fail:
            theirs.grad = torch.full((3,), 5.0)
