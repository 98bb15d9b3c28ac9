"""Learning-rate schedulers: every schedule's numbers, state dicts, warnings and errors."""

import copy
import math
import warnings

import pytest

SCHEDULES = {
    "LambdaLR": lambda s, o: s.LambdaLR(o, lambda epoch: 0.95**epoch),
    "LambdaLR-list": lambda s, o: s.LambdaLR(o, [lambda e: 1 / (1 + e), lambda e: min(1, e / 5)]),
    "MultiplicativeLR": lambda s, o: s.MultiplicativeLR(o, lambda epoch: 0.95),
    "StepLR": lambda s, o: s.StepLR(o, 3, gamma=0.3),
    "MultiStepLR": lambda s, o: s.MultiStepLR(o, [2, 5, 5, 11], gamma=0.5),
    "ConstantLR": lambda s, o: s.ConstantLR(o, factor=0.4, total_iters=4),
    "LinearLR": lambda s, o: s.LinearLR(o, 0.25, 0.9, total_iters=6),
    "ExponentialLR": lambda s, o: s.ExponentialLR(o, gamma=0.9),
    "PolynomialLR": lambda s, o: s.PolynomialLR(o, total_iters=8, power=1.5),
    "CosineAnnealingLR": lambda s, o: s.CosineAnnealingLR(o, T_max=7, eta_min=0.01),
    "CyclicLR": lambda s, o: s.CyclicLR(o, 0.01, [0.1, 0.2], step_size_up=3, step_size_down=5),
    "CyclicLR-triangular2": lambda s, o: s.CyclicLR(o, 0.01, 0.1, 3, mode="triangular2"),
    "CyclicLR-exp_range": lambda s, o: s.CyclicLR(
        o, 0.01, 0.1, 3, mode="exp_range", gamma=0.97, cycle_momentum=False
    ),
    "CyclicLR-custom": lambda s, o: s.CyclicLR(
        o, 0.01, 0.1, 4, scale_fn=lambda x: 0.5 ** (x - 1), scale_mode="iterations"
    ),
    "CosineAnnealingWarmRestarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, 4, 2, 0.001),
    "OneCycleLR": lambda s, o: s.OneCycleLR(o, max_lr=[0.1, 0.3], total_steps=25),
    "OneCycleLR-three": lambda s, o: s.OneCycleLR(
        o, 0.1, epochs=5, steps_per_epoch=5, three_phase=True, anneal_strategy="linear"
    ),
    "OneCycleLR-plain": lambda s, o: s.OneCycleLR(
        o, 0.1, total_steps=25, cycle_momentum=False, pct_start=0.45, div_factor=10.0
    ),
    "SequentialLR": lambda s, o: s.SequentialLR(
        o, [s.LinearLR(o, 0.1, 1.0, 5), s.CosineAnnealingLR(o, 10), s.ExponentialLR(o, 0.9)],
        [5, 15],
    ),
    "ChainedScheduler": lambda s, o: s.ChainedScheduler(
        [s.ConstantLR(o, 0.1, 2), s.ExponentialLR(o, 0.9), s.CosineAnnealingLR(o, 9)]
    ),
    "ChainedScheduler-nested": lambda s, o: s.ChainedScheduler(
        [s.SequentialLR(o, [s.StepLR(o, 2), s.ExponentialLR(o, 0.8)], [4]), s.StepLR(o, 3, 0.5)]
    ),
    "SWALR": lambda s, o: s.swa_utils.SWALR(o, [0.02, 0.05], anneal_epochs=6),
    "SWALR-linear": lambda s, o: s.swa_utils.SWALR(o, 0.02, 3, "linear"),
}  # fmt: skip
BETAS = {"CyclicLR", "OneCycleLR"}


class Schedulers:
    """torch.optim.lr_scheduler, and swa_utils beside it."""

    def __init__(self, torch):
        self.torch, self.swa_utils = torch, torch.optim.swa_utils

    def __getattr__(self, name):
        return getattr(self.torch.optim.lr_scheduler, name)


def make_optimizer(torch, lr=0.1, adam=False, tensor_lr=False):
    params = [torch.nn.Parameter(torch.ones(2)) for _ in range(2)]
    groups = [{"params": [params[0]]}, {"params": [params[1]], "lr": lr * 2}]
    if tensor_lr:
        lr = torch.tensor(lr)
        groups[1]["lr"] = torch.tensor(groups[1]["lr"])
    if adam:
        return torch.optim.Adam(groups, lr=lr)
    return torch.optim.SGD(groups, lr=lr, momentum=0.9)


def rates(optimizer):
    keys = ("lr", "momentum", "betas")
    return [[group[key] for key in keys if key in group] for group in optimizer.param_groups]


def run(optimizer, scheduler, steps):
    found = []
    for _ in range(steps):
        optimizer.step()
        scheduler.step()
        found.append([scheduler.get_last_lr(), rates(optimizer)])
    return found


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedule(torch, golden, name):
    for adam in (False, True) if name in BETAS else (False,):
        optimizer = make_optimizer(torch, adam=adam)
        scheduler = SCHEDULES[name](Schedulers(torch), optimizer)
        golden([scheduler.get_last_lr(), rates(optimizer)])
        golden(run(optimizer, scheduler, 24))
        golden(scheduler.state_dict())
        golden(getattr(scheduler, "last_epoch", None))


@pytest.mark.parametrize("name", SCHEDULES)
def test_resume(torch, name):
    """A schedule saved and loaded goes on as the one that was never interrupted."""
    first, second = make_optimizer(torch), make_optimizer(torch)
    make = SCHEDULES[name]
    scheduler = make(Schedulers(torch), first)
    run(first, scheduler, 7)
    other = make(Schedulers(torch), second)
    other.load_state_dict(copy.deepcopy(scheduler.state_dict()))
    second.load_state_dict(first.state_dict())
    assert run(first, scheduler, 9) == run(second, other, 9)
    assert other.state_dict().keys() == scheduler.state_dict().keys()


CLOSED = ["StepLR", "MultiStepLR", "ConstantLR", "LinearLR", "ExponentialLR", "PolynomialLR",
          "CosineAnnealingLR", "LambdaLR", "CosineAnnealingWarmRestarts"]  # fmt: skip


@pytest.mark.parametrize("name", CLOSED)
def test_epoch_argument(torch, golden, name):
    optimizer = make_optimizer(torch)
    scheduler = SCHEDULES[name](Schedulers(torch), optimizer)
    optimizer.step()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for epoch in (3, 1, 9, 30):
            scheduler.step(epoch)
            golden([scheduler.last_epoch, scheduler.get_last_lr()])
    golden([str(w.message) for w in caught])


@pytest.mark.parametrize("name", ["StepLR", "LambdaLR", "CosineAnnealingLR", "CyclicLR", "SWALR"])
def test_last_epoch(torch, golden, name):
    """Made anew with `last_epoch`, a schedule goes on from there."""
    make = {
        "StepLR": lambda s, o: s.StepLR(o, 3, last_epoch=4),
        "LambdaLR": lambda s, o: s.LambdaLR(o, lambda e: 0.9**e, last_epoch=4),
        "CosineAnnealingLR": lambda s, o: s.CosineAnnealingLR(o, 8, last_epoch=4),
        "CyclicLR": lambda s, o: s.CyclicLR(o, 0.01, 0.1, 3, last_epoch=4),
        "SWALR": lambda s, o: s.swa_utils.SWALR(o, 0.02, 6, last_epoch=4),
    }[name]
    optimizer = make_optimizer(torch)
    golden.error(make, Schedulers(torch), optimizer)
    for group in optimizer.param_groups:
        group.update(initial_lr=group["lr"], max_momentum=0.9, base_momentum=0.8)
    scheduler = make(Schedulers(torch), optimizer)
    golden([scheduler.get_last_lr(), scheduler.last_epoch])
    golden(run(optimizer, scheduler, 6))


def test_plateau(torch, golden):
    metrics = [1.0, 0.9, 0.9, 0.91, 0.92, 0.5, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6]
    settings = [
        {"patience": 1}, {"patience": 2, "cooldown": 2, "factor": 0.5}, {"mode": "max"},
        {"mode": "max", "patience": 0, "threshold_mode": "abs", "threshold": 0.05},
        {"patience": 0, "threshold_mode": "abs", "min_lr": [0.05, 0.01]},
        {"patience": 0, "eps": 0.03, "min_lr": 0.01},
    ]  # fmt: skip
    for options in settings:
        optimizer = make_optimizer(torch)
        scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **options)
        found = []
        for metric in metrics:
            scheduler.step(torch.tensor(metric))
            found.append([scheduler.get_last_lr(), scheduler.num_bad_epochs, scheduler.in_cooldown])
        golden(found)
        golden({k: v for k, v in scheduler.state_dict().items() if k != "best"})
        loaded = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer)
        loaded.load_state_dict(scheduler.state_dict())
        assert loaded.state_dict() == scheduler.state_dict()


def test_plateau_new_group(torch, golden):
    for least in (0.0, [0.0, 0.0]):
        optimizer = make_optimizer(torch)
        scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, min_lr=least)
        optimizer.add_param_group({"params": [torch.nn.Parameter(torch.ones(1))]})
        scheduler.step(1.0)
        if least == 0.0:
            scheduler.step(2.0)
            golden(rates(optimizer))
        else:
            golden.error(scheduler.step, 2.0)


def test_tensor_rate(torch, golden):
    """A rate held in a tensor is changed in place."""
    for name in ("StepLR", "LinearLR", "CosineAnnealingLR", "ConstantLR", "SequentialLR"):
        optimizer = make_optimizer(torch, tensor_lr=True)
        held = optimizer.param_groups[0]["lr"]
        scheduler = SCHEDULES[name](Schedulers(torch), optimizer)
        for _ in range(4):
            optimizer.step()
            scheduler.step()
        assert optimizer.param_groups[0]["lr"] is held
        golden([round(lr.item(), 7) for lr in scheduler.get_last_lr()])
        assert held.item() == scheduler.get_last_lr()[0].item()


def test_step_order_warnings(torch, golden):
    def caught(function):
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            function()
        return [[w.category.__name__, str(w.message)] for w in seen]

    optimizer = make_optimizer(torch)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 3)
    golden(caught(scheduler.step))
    golden(caught(scheduler.step))
    optimizer = make_optimizer(torch)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 3)
    golden(caught(lambda: (optimizer.step(), scheduler.step())))
    golden(caught(scheduler.get_lr))
    optimizer = make_optimizer(torch)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 3)
    optimizer.step = lambda: None
    golden(caught(lambda: (optimizer.step(), scheduler.step())))


ERRORS = {
    "optimizer": lambda s, o: s.StepLR([1], 3),
    "optimizer-cyclic": lambda s, o: s.CyclicLR(None, 0.1, 0.2),
    "optimizer-plateau": lambda s, o: s.ReduceLROnPlateau("SGD"),
    "optimizer-onecycle": lambda s, o: s.OneCycleLR(1, 0.1, 10),
    "lambda-count": lambda s, o: s.LambdaLR(o, [lambda e: 1]),
    "lambda-class": lambda s, o: s.MultiplicativeLR(o, 0.5),
    "constant": lambda s, o: s.ConstantLR(o, factor=1.5),
    "linear-start": lambda s, o: s.LinearLR(o, start_factor=0),
    "linear-end": lambda s, o: s.LinearLR(o, end_factor=2),
    "sequential-none": lambda s, o: s.SequentialLR(o, [], []),
    "sequential-count": lambda s, o: s.SequentialLR(o, [s.StepLR(o, 2)], [3]),
    "sequential-plateau": lambda s, o: s.SequentialLR(o, [s.ReduceLROnPlateau(o)], []),
    "sequential-member": lambda s, o: s.SequentialLR(o, [3], []),
    "chained-none": lambda s, o: s.ChainedScheduler([]),
    "chained-plateau": lambda s, o: s.ChainedScheduler([s.ReduceLROnPlateau(o)]),
    "plateau-factor": lambda s, o: s.ReduceLROnPlateau(o, factor=1.0),
    "plateau-mode": lambda s, o: s.ReduceLROnPlateau(o, mode="least"),
    "plateau-threshold": lambda s, o: s.ReduceLROnPlateau(o, threshold_mode="ratio"),
    "plateau-min": lambda s, o: s.ReduceLROnPlateau(o, min_lr=[0.1]),
    "cyclic-count": lambda s, o: s.CyclicLR(o, [0.1], 0.2),
    "cyclic-mode": lambda s, o: s.CyclicLR(o, 0.1, 0.2, mode="square"),
    "cyclic-momentum": lambda s, o: s.CyclicLR(s.torch.optim.Adagrad(params(s)), 0.1, 0.2),
    "restarts-first": lambda s, o: s.CosineAnnealingWarmRestarts(o, 0),
    "restarts-mult": lambda s, o: s.CosineAnnealingWarmRestarts(o, 3, 0.5),
    "restarts-eta": lambda s, o: s.CosineAnnealingWarmRestarts(o, 3, eta_min="0"),
    "restarts-epoch": lambda s, o: s.CosineAnnealingWarmRestarts(o, 3).step(-1),
    "onecycle-none": lambda s, o: s.OneCycleLR(o, 0.1),
    "onecycle-total": lambda s, o: s.OneCycleLR(o, 0.1, total_steps=0),
    "onecycle-epochs": lambda s, o: s.OneCycleLR(o, 0.1, epochs=1.5, steps_per_epoch=3),
    "onecycle-steps": lambda s, o: s.OneCycleLR(o, 0.1, epochs=2, steps_per_epoch=-3),
    "onecycle-pct": lambda s, o: s.OneCycleLR(o, 0.1, 10, pct_start=2.0),
    "onecycle-anneal": lambda s, o: s.OneCycleLR(o, 0.1, 10, anneal_strategy="step"),
    "onecycle-momentum": lambda s, o: s.OneCycleLR(s.torch.optim.Adagrad(params(s)), 0.1, 10),
    "onecycle-over": lambda s, o: run(o, s.OneCycleLR(o, 0.1, 3), 5),
    "swa-strategy": lambda s, o: s.swa_utils.SWALR(o, 0.1, anneal_strategy="quick"),
    "swa-epochs": lambda s, o: s.swa_utils.SWALR(o, 0.1, anneal_epochs=-1),
    "base": lambda s, o: s.LRScheduler(o),
    "verbose": lambda s, o: s.StepLR(o, 3, verbose=True),
}  # fmt: skip


def params(s):
    return [s.torch.nn.Parameter(s.torch.ones(1))]


@pytest.mark.parametrize("name", ERRORS)
def test_error(torch, golden, name):
    golden.error(ERRORS[name], Schedulers(torch), make_optimizer(torch))


def test_other_optimizer(torch, golden):
    s, mine, other = Schedulers(torch), make_optimizer(torch), make_optimizer(torch)
    golden.error(s.SequentialLR, mine, [s.StepLR(mine, 2), s.StepLR(other, 2)], [3])
    golden.error(s.ChainedScheduler, [s.StepLR(mine, 2), s.StepLR(other, 2)])


def test_own_scheduler(torch, golden):
    """Users write `get_lr`, from the documented fields."""

    class Warmup(torch.optim.lr_scheduler._LRScheduler):
        def __init__(self, optimizer, warmup, last_epoch=-1):
            self.warmup = warmup
            super().__init__(optimizer, last_epoch)

        def get_lr(self):
            if self.last_epoch < self.warmup:
                return [base * (self.last_epoch + 1) / self.warmup for base in self.base_lrs]
            return [base / math.sqrt(self.last_epoch) for base in self.base_lrs]

    optimizer = make_optimizer(torch)
    scheduler = Warmup(optimizer, 4)
    assert isinstance(scheduler, torch.optim.lr_scheduler.LRScheduler)
    golden([run(optimizer, scheduler, 8), scheduler.state_dict(), scheduler._step_count])


def test_callable_objects_are_saved(torch):
    class Decay:
        def __init__(self, rate):
            self.rate = rate

        def __call__(self, epoch):
            return self.rate**epoch

    optimizer = make_optimizer(torch)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, Decay(0.5))
    state = scheduler.state_dict()
    assert state["lr_lambdas"] == [{"rate": 0.5}] * 2
    other = torch.optim.lr_scheduler.LambdaLR(optimizer, Decay(0.9))
    other.load_state_dict(state)
    assert other.lr_lambdas[0].rate == 0.5
    assert state["lr_lambdas"] == [{"rate": 0.5}] * 2


def test_fractional_epochs(torch, golden):
    optimizer = make_optimizer(torch)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, 3, T_mult=2)
    found = []
    for i in range(30):
        scheduler.step(i / 4)
        place = [scheduler.T_cur, scheduler.T_i, scheduler.last_epoch]
        found.append([scheduler.get_last_lr(), place])
    golden(found)


def test_names(torch, golden):
    golden(sorted(torch.optim.lr_scheduler.__all__))
    golden(sorted(torch.optim.swa_utils.__all__))
    golden(sorted(torch.optim.__all__))
