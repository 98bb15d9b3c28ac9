"""Optimizers: the way of their parameters, and the API of the base class."""

import copy
import io
import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest

from . import optim_cases

RUNS = {name: rest for name, *rest in optim_cases.cases()}
CLASSES = [cls for cls in optim_cases.CASES if cls != "Muon"]
RATIO = 1e-5  # of the largest element, after 200 steps
CHAOS = 4  # times PyTorch's own distance from float64, where that is more
BFLOAT16 = 0.03  # PyTorch rounds after every operation there, we once a step
STALLED = {f"{cls}-bfloat16" for cls in ("Adamax", "NAdam", "RAdam", "Rprop")}  # … and it decides


@pytest.fixture(scope="module")
def recorded():
    with np.load(Path(__file__).parent / "goldens" / "optim.npz") as file:
        return dict(file)


def assert_near(recorded, key, found, scale=0.0):
    expected, ratio = recorded[key], BFLOAT16 if "bfloat16" in key else RATIO
    assert found.shape == expected.shape
    scale = np.maximum(optim_cases.largest(expected), scale)
    limit = np.maximum(ratio * scale, CHAOS * recorded.get(f"{key}~", 0))
    assert (optim_cases.largest(found - expected) <= limit).all()


@pytest.mark.parametrize("name", sorted(RUNS.keys() - STALLED))
def test_quadratic(torch, recorded, name):
    cls, options, dtype = RUNS[name]
    found = optim_cases.quadratic(torch, cls, options, dtype)
    assert_near(recorded, f"{name}/params", found["params"])
    assert_near(recorded, f"{name}/state", found["state"], scale=1.0)


@pytest.mark.parametrize("name", [n for n, run in RUNS.items() if run[2] == "float32"])
def test_mlp(torch, recorded, name):
    cls, options, _ = RUNS[name]
    assert_near(recorded, f"{name}/mlp", optim_cases.mlp(torch, cls, options))


# ----- helpers -----
def parameters(torch, *shapes, dtype=None):
    made = []
    for i, shape in enumerate(shapes or [(2, 2), (3,)]):
        p = torch.nn.Parameter(torch.full(shape, 1.0 + i, dtype=dtype))
        p.grad = torch.full_like(p, 0.5 + i)
        made.append(p)
    return made


def make(torch, cls, params, **options):
    return getattr(torch.optim, cls)(params, **options)


def step(optimizer):
    if type(optimizer).__name__ == "LBFGS":
        return optimizer.step(lambda: sum((p**2).sum() for p in optimizer._params))
    return optimizer.step()


# ----- options, state, checkpoints -----
@pytest.mark.parametrize("cls", [*CLASSES, "SparseAdam", "Muon"])
def test_defaults(torch, golden, cls):
    optimizer = make(torch, cls, parameters(torch, (2, 2)))
    golden(optimizer.defaults)
    golden(repr(optimizer))
    golden(list(optimizer.param_groups[0]))


STATES = {
    "SGD": {"momentum": 0.9}, "Adam": {"amsgrad": True},
    "RMSprop": {"momentum": 0.9, "centered": True}, "Muon": {},
}  # fmt: skip


@pytest.mark.parametrize("cls", [*CLASSES[:-1], "Muon"])
def test_state(torch, golden, cls):
    """Keys, dtypes, devices and shapes of the state, and the step count."""
    for dtype in (torch.float32, torch.float64):
        params = parameters(torch, *([(2, 3)] if cls == "Muon" else [(2, 3), (2,)]), dtype=dtype)
        optimizer = make(torch, cls, params, **STATES.get(cls, {}))
        optimizer.step()
        optimizer.step()
        state = optimizer.state_dict()
        golden([
            [i, k, str(v.dtype), v.device.type, list(v.shape), v.requires_grad]
            for i, s in state["state"].items() for k, v in s.items()
        ])  # fmt: skip
        golden([s["step"].item() for s in state["state"].values() if "step" in s])
        golden(state["param_groups"])


@pytest.mark.parametrize("cls", CLASSES)
def test_checkpoint(torch, cls):
    """Loaded into another optimizer, a state dict goes on as the first one would have."""
    options = STATES.get(cls, {})
    first, second = parameters(torch), parameters(torch)
    one, two = make(torch, cls, first, lr=0.02, **options), make(torch, cls, second, **options)

    def run(optimizer, params):
        def closure():
            optimizer.zero_grad()
            loss = sum((p**2).sum() for p in params)
            loss.backward()
            return loss

        for _ in range(3):
            optimizer.step(closure)

    run(one, first)
    with torch.no_grad():
        for p, q in zip(first, second):
            q.copy_(p)
    two.load_state_dict(copy.deepcopy(one.state_dict()))
    run(one, first)
    run(two, second)
    for p, q in zip(first, second):
        assert torch.equal(p, q)
    assert two.param_groups[0]["lr"] == 0.02
    assert one.state_dict()["state"].keys() == two.state_dict()["state"].keys()


@pytest.mark.parametrize("cls", ["SGD", "Adam", "AdamW", "Adagrad", "NAdam", "ASGD", "Rprop"])
def test_copies(torch, cls):
    """deepcopy and pickle keep parameters and their state together."""
    optimizer = make(torch, cls, parameters(torch), **STATES.get(cls, {}))
    optimizer.step()
    for other in (copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))):
        assert repr(other) == repr(optimizer)
        p, q = optimizer.param_groups[0]["params"][0], other.param_groups[0]["params"][0]
        assert p is not q and torch.equal(p, q)
        q.grad = p.grad.clone()
        other.step()
        assert not torch.equal(p, q)
        for key, value in optimizer.state[p].items():
            assert key in other.state[q] and other.state[q][key] is not value


def test_saved_to_a_file(torch):
    optimizer = make(torch, "Adam", parameters(torch), amsgrad=True)
    optimizer.step()
    file = io.BytesIO()
    torch.save(optimizer.state_dict(), file)
    file.seek(0)
    other = make(torch, "Adam", parameters(torch))
    other.load_state_dict(torch.load(file))
    assert other.param_groups[0]["amsgrad"]
    assert other.state_dict()["state"][0]["step"].item() == 1


def test_load_casts_to_the_parameter(torch, golden):
    source = make(torch, "Adam", parameters(torch, dtype=torch.float64))
    source.step()
    target = make(torch, "Adam", parameters(torch))
    target.load_state_dict(source.state_dict())
    golden([str(v.dtype) for s in target.state.values() for v in s.values()])
    target.step()
    state = target.state_dict()
    state["state"]["extra"] = [1, 2]
    state["state"][0]["note"] = {"deep": torch.ones(1, dtype=torch.float64), "number": 3}
    target.load_state_dict(state)
    held = target.state_dict()["state"]
    golden([held["extra"], str(held[0]["note"]["deep"].dtype), held[0]["note"]["number"]])


def test_load_errors(torch, golden):
    optimizer = make(torch, "SGD", parameters(torch), lr=0.1)
    state = optimizer.state_dict()
    golden.error(optimizer.load_state_dict, {"state": {}, "param_groups": []})
    group = {**state["param_groups"][0], "params": [0]}
    golden.error(optimizer.load_state_dict, {"state": {}, "param_groups": [group]})


def test_old_checkpoints(torch, golden):
    """Options that did not exist yet get their defaults; numbers become tensors."""
    for cls in ("Adam", "AdamW", "Adagrad", "RMSprop", "SGD", "NAdam", "ASGD", "Adamax"):
        optimizer = make(torch, cls, parameters(torch))
        optimizer.step()
        state = optimizer.state_dict()
        for held in state["state"].values():
            for key in ("step", "eta", "mu", "mu_product"):
                if key in held:
                    held[key] = held[key].item()
        for group in state["param_groups"]:
            for key in ("maximize", "foreach", "differentiable", "capturable", "fused", "amsgrad"):
                group.pop(key, None)
        optimizer.load_state_dict(state)
        optimizer.step()
        golden(sorted(optimizer.param_groups[0].items(), key=str))
        golden([v for s in optimizer.state_dict()["state"].values() for k, v in sorted(s.items())
                if v.ndim == 0])  # fmt: skip


# ----- groups -----
def test_groups(torch, golden):
    a, b, c = parameters(torch, (2,), (3,), (1,))
    optimizer = torch.optim.SGD([{"params": a, "lr": 0.3}, {"params": (b,)}], lr=0.1, momentum=0.5)
    optimizer.add_param_group({"params": c, "momentum": 0.0, "note": "mine"})
    golden([{k: v for k, v in g.items() if k != "params"} for g in optimizer.param_groups])
    optimizer.step()
    golden([p.tolist() for p in (a, b, c)])
    golden(optimizer.state_dict())


def test_group_errors(torch, golden):
    a, b = parameters(torch)
    sgd = torch.optim.SGD
    golden.error(sgd, a)
    golden.error(sgd, [])
    golden.error(sgd, [{"params": {a, b}}])
    golden.error(sgd, [1.5])
    golden.error(sgd, [torch.nn.Linear])
    golden.error(sgd, [a * 2])
    golden.error(sgd, [{"params": [a]}, {"params": [b, a]}])
    golden.error(sgd, [("a", a), b])
    golden.error(sgd([a]).add_param_group, [b])
    golden.error(sgd([a]).add_param_group, {"params": [("b", b)]})
    golden.error(sgd([("a", a)]).add_param_group, {"params": [b]})
    golden.error(sgd, [{"lr": 3}])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        sgd([a, a])
    golden([str(w.message) for w in caught])


def test_names_of_parameters(torch, golden):
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.named_parameters(), lr=0.1)
    state = optimizer.state_dict()
    golden(state)
    other = torch.optim.SGD([("w", model.weight), ("b", model.bias)], lr=0.2)
    other.load_state_dict(state)
    golden(other.param_groups[0]["param_names"])
    del state["param_groups"][0]["param_names"]
    other.load_state_dict(state)
    golden(other.param_groups[0]["param_names"])


def test_argument_errors(torch, golden):
    rows = [
        ("SGD", {"lr": -1}), ("SGD", {"momentum": -0.1}), ("SGD", {"weight_decay": -1}),
        ("SGD", {"nesterov": True}), ("SGD", {"learning_rate": 1}),
        ("SGD", {"nesterov": True, "momentum": 0.9, "dampening": 0.1}),
        ("Adam", {"lr": -1.0}), ("Adam", {"eps": -1.0}), ("Adam", {"betas": (1.0, 0.9)}),
        ("Adam", {"betas": (0.9, -0.1)}), ("Adam", {"weight_decay": -2}),
        ("Adam", {"betas": (0, 0)}), ("AdamW", {"eps": -1e-8}),
        ("Adamax", {"betas": (0.9, 1.2)}), ("NAdam", {"momentum_decay": -1}),
        ("RAdam", {"lr": float("nan")}), ("Adagrad", {"lr_decay": -1}),
        ("Adagrad", {"initial_accumulator_value": -0.5}), ("Adadelta", {"rho": 1.5}),
        ("RMSprop", {"momentum": -1}), ("RMSprop", {"alpha": -1}), ("Rprop", {"etas": (1.5, 1.2)}),
        ("ASGD", {"weight_decay": -0.5}), ("Adafactor", {"d": 0.5}), ("Adafactor", {"lr": -3}),
        ("Adafactor", {"beta2_decay": 0.8}), ("Adafactor", {"eps": (-1, 0.1)}),
        ("Adafactor", {"eps": (None, -1)}), ("Adafactor", {"weight_decay": -1}),
        ("SparseAdam", {"lr": 0}), ("SparseAdam", {"eps": 0.0}), ("LBFGS", {"lr": -1}),
        ("Muon", {"lr": -1}), ("Muon", {"momentum": -1}), ("Muon", {"weight_decay": -1}),
        ("Muon", {"adjust_lr_fn": "mine"}), ("Muon", {}),
    ]  # fmt: skip
    for cls, options in rows:
        golden.error(make, torch, cls, parameters(torch), **options)
    for cls in ("SGD", "Adam", "Rprop", "LBFGS", "Muon", "Adafactor"):
        golden.error(make, torch, cls, parameters(torch, (2, 2)), lr=torch.tensor([0.1, 0.2]))
    golden.error(make, torch, "LBFGS", [{"params": [p]} for p in parameters(torch)])
    golden.error(make, torch, "SparseAdam", [torch.nn.Parameter(torch.ones(2, dtype=torch.cfloat))])


@pytest.mark.parametrize("cls", ["SGD", "Adam", "AdamW", "Adamax", "NAdam", "RAdam", "Adagrad",
                                 "Adadelta", "RMSprop", "Rprop", "ASGD", "Adafactor"])  # fmt: skip
def test_implementation_flags(torch, golden, cls):
    """foreach, fused, capturable, differentiable: what works, and what is refused how."""
    rows = [
        {"capturable": True}, {"foreach": True, "capturable": True}, {"fused": True},
        {"fused": True, "capturable": True}, {"fused": True, "foreach": True},
        {"fused": True, "differentiable": True}, {"foreach": True, "differentiable": True},
        {"foreach": True, "lr": torch.tensor(0.1)}, {"fused": True, "lr": torch.tensor(0.1)},
        {"lr": torch.tensor([0.1])},
    ]  # fmt: skip
    for options in rows:
        params = parameters(torch, (2,))
        try:
            optimizer = make(torch, cls, params, **options)
            optimizer.step()
        except (TypeError, ValueError, RuntimeError, AssertionError) as error:
            golden(str(error).replace("Adam.__init__", "__init__").replace("AdamW.", ""))
        else:
            golden([round(x, 6) for x in params[0].tolist()])
            if "fused" in options:
                golden(optimizer._step_supports_amp_scaling)


def test_tensors_as_betas(torch, golden):
    params = parameters(torch)
    betas = torch.tensor(0.8), torch.tensor([0.9])
    optimizer = torch.optim.Adam(params, lr=torch.tensor(0.1), betas=betas)
    optimizer.step()
    optimizer.step()
    golden([round(x, 5) for p in params for x in p.flatten().tolist()])
    golden.error(torch.optim.Adam, params, betas=(0.9, torch.tensor(0.9)))
    golden.error(torch.optim.Adam, params, betas=betas, foreach=True)


def test_complex_refused(torch, golden):
    for cls in ("Adafactor", "Muon"):
        p = torch.nn.Parameter(torch.ones(2, 2, dtype=torch.complex64))
        p.grad = torch.ones_like(p)
        golden.error(make(torch, cls, [p]).step)
    golden.error(make(torch, "SGD", [p], fused=True).step)


def test_dense_gradients_refused(torch, golden):
    golden.error(torch.optim.SparseAdam(parameters(torch)).step)


# ----- stepping -----
def test_closure(torch, golden):
    (p,) = parameters(torch, (2,))
    optimizer = torch.optim.Adam([p], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = (p**2).sum()
        assert torch.is_grad_enabled()
        loss.backward()
        return loss

    golden([round(optimizer.step(closure).item(), 5) for _ in range(4)])
    golden(optimizer.step())


@pytest.mark.parametrize("cls", CLASSES[:-1])
def test_no_gradient_no_step(torch, cls):
    a, b = parameters(torch)
    b.grad = None
    optimizer = make(torch, cls, [a, b])
    before = b.detach().clone()
    optimizer.step()
    assert torch.equal(b, before)
    assert cls == "Adagrad" or not optimizer.state[b]


def test_zero_grad(torch):
    a, b = parameters(torch)
    optimizer = torch.optim.SGD([a, b])
    b.grad = None
    held = a.grad
    optimizer.zero_grad(set_to_none=False)
    assert a.grad is held and held.tolist() == [[0.0, 0.0], [0.0, 0.0]] and b.grad is None
    optimizer.zero_grad()
    assert a.grad is None


def test_versions_and_identity(torch):
    """A step writes into the parameter and its state: views and other holders see it."""
    (p,) = parameters(torch, (3,))
    view, version = p.detach()[:2], p._version
    optimizer = torch.optim.Adam([p], lr=0.5)
    optimizer.step()
    held = optimizer.state[p]["exp_avg"]
    optimizer.step()
    assert optimizer.state[p]["exp_avg"] is held
    assert p._version > version and view.tolist() == p.tolist()[:2]
    assert p.is_leaf and p.requires_grad and not held.requires_grad


def test_step_count_stays_on_the_host(torch):
    (p,) = parameters(torch, (3,))
    optimizer = torch.optim.Adam([p])
    for _ in range(3):
        optimizer.step()
    count = optimizer.state[p]["step"]
    assert count.item() == 3.0 and count.dtype == torch.float32 and count.device.type == "cpu"


def test_parameters_changed_from_outside(torch, golden):
    """Options may be changed between steps; state may be edited."""
    (p,) = parameters(torch, (2,))
    optimizer = torch.optim.SGD([p], lr=0.1, momentum=0.9)
    optimizer.step()
    optimizer.param_groups[0]["lr"] = 0.5
    optimizer.step()
    optimizer.state[p]["momentum_buffer"].zero_()
    optimizer.param_groups[0]["weight_decay"] = 0.1
    optimizer.step()
    golden([round(x, 5) for x in p.tolist()])


def test_differentiable(torch, golden):
    """Gradients flow through the steps to the first parameters and, where PyTorch can, the rate."""
    for cls, tensor_rate, steps in (
        ("SGD", True, 1), ("Adam", True, 2), ("RAdam", True, 2), ("ASGD", False, 2),
        ("NAdam", False, 1), ("Adagrad", False, 2), ("RMSprop", False, 2), ("Adadelta", False, 2),
        ("Adamax", False, 1),
    ):  # fmt: skip
        start = torch.tensor([1.0, 2.0], requires_grad=True)
        rate = torch.tensor(0.1, requires_grad=True) if tensor_rate else 0.1
        p = start.clone()
        options = {"momentum": 0.9} if cls == "SGD" else {}
        optimizer = make(torch, cls, [p], lr=rate, differentiable=True, **options)
        p.grad = start**2
        for _ in range(steps):
            optimizer.step()
            p.grad = torch.tensor([0.3, 0.7])
        (p**2).sum().backward()
        found = [*start.grad.tolist(), *([rate.grad.item()] if tensor_rate else [])]
        golden([round(x, 3) for x in found])


# ----- hooks -----
def test_step_hooks(torch):
    order = []
    (p,) = parameters(torch, (2,))
    optimizer = torch.optim.SGD([p], lr=0.1)
    handles = [
        optimizer.register_step_pre_hook(lambda opt, args, kwargs: order.append("pre")),
        optimizer.register_step_post_hook(lambda opt, args, kwargs: order.append("post")),
        torch.optim.optimizer.register_optimizer_step_pre_hook(lambda *a: order.append("all pre"))
        if hasattr(torch.optim, "optimizer") else None,
    ]  # fmt: skip
    optimizer.step()
    assert [name for name in order if name != "all pre"] == ["pre", "post"]
    for handle in filter(None, handles):
        handle.remove()
    optimizer.step()
    assert order.count("pre") == 1


def test_pre_hook_changes_arguments(torch, golden):
    (p,) = parameters(torch, (2,))
    optimizer = torch.optim.SGD([p], lr=0.1)
    with optimizer.register_step_pre_hook(lambda opt, args, kwargs: ((opt, lambda: 7), {})):
        assert optimizer.step() == 7
    optimizer.register_step_pre_hook(lambda opt, args, kwargs: 3)
    with pytest.raises(RuntimeError, match="must return None or a tuple of"):
        optimizer.step()


def test_state_dict_hooks(torch):
    optimizer = torch.optim.SGD(parameters(torch), lr=0.1)
    order = []
    optimizer.register_state_dict_pre_hook(lambda opt: order.append(1))
    optimizer.register_state_dict_pre_hook(lambda opt: order.append(0), prepend=True)
    optimizer.register_state_dict_post_hook(lambda opt, state: {**state, "note": 5})
    state = optimizer.state_dict()
    assert order == [0, 1] and state["note"] == 5

    def relaxed(opt, state):
        assert state is not given
        return {**state, "param_groups": [{**g, "lr": 9} for g in state["param_groups"]]}

    given = state
    optimizer.register_load_state_dict_pre_hook(relaxed)
    optimizer.register_load_state_dict_post_hook(lambda opt: order.append("loaded"))
    optimizer.load_state_dict(given)
    assert order[-1] == "loaded" and optimizer.param_groups[0]["lr"] == 9


# ----- optimizers of users -----
def test_own_optimizer(torch, golden):
    """Plain PyTorch code in `step`: the Lion optimizer."""

    class Lion(torch.optim.Optimizer):
        def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
            super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

        @torch.no_grad()
        def step(self, closure=None):
            loss = None
            if closure is not None:
                with torch.enable_grad():
                    loss = closure()
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    p.data.mul_(1 - group["lr"] * group["weight_decay"])
                    state = self.state[p]
                    if len(state) == 0:
                        state["exp_avg"] = torch.zeros_like(p)
                    beta1, beta2 = group["betas"]
                    update = state["exp_avg"].clone().mul_(beta1).add(p.grad, alpha=1 - beta1)
                    p.add_(update.sign_(), alpha=-group["lr"])
                    state["exp_avg"].mul_(beta2).add_(p.grad, alpha=1 - beta2)
            return loss

    params = parameters(torch)
    optimizer = Lion(params, lr=0.01, weight_decay=0.1)
    for _ in range(5):
        for p in params:
            p.grad = p.detach() * 0.5
        optimizer.step()
    golden([round(x, 5) for p in params for x in p.flatten().tolist()])
    golden(repr(optimizer))
    other = Lion(parameters(torch))
    other.load_state_dict(optimizer.state_dict())
    assert other.state_dict()["param_groups"] == optimizer.state_dict()["param_groups"]


def test_subclass_of_adam(torch):
    """`super().step()` runs hooks once for each class that has a step."""

    class Counting(torch.optim.Adam):
        calls = 0

        def step(self, closure=None):
            self.calls += 1
            return super().step(closure)

    params = parameters(torch)
    optimizer = Counting(params, lr=0.1)
    optimizer.step()
    assert optimizer.calls == 1 and optimizer.state[params[0]]["step"].item() == 1


def test_swap_in(torch, golden):
    live = parameters(torch, (2,))
    optimizer = torch.optim.Adam(live, lr=0.1)
    swap = torch.optim.swap_in_optimizer_params_and_state
    state = {"state": {}, "param_groups": optimizer.state_dict()["param_groups"]}
    other = parameters(torch, (3,))

    def inside(state, params):
        with swap(optimizer, params, state):
            optimizer.step()

    golden.error(inside, state, {"p": other[0]})
    optimizer.step()
    before = live[0].tolist()
    inside(state, {"p": other[0]})
    golden([round(x, 5) for x in other[0].tolist()])
    assert live[0].tolist() == before and optimizer.param_groups[0]["params"] == live
    for broken in (
        3, {"state": 1, "param_groups": []}, {"state": {}, "param_groups": 1},
        {"state": {}, "param_groups": []}, {"state": {}, "param_groups": [1]},
        {"state": {}, "param_groups": [{"params": 1}]}, {"state": {0: 1}, "param_groups": []},
        {"state": {}, "param_groups": [{"params": [0], "more": 1}]}, {**state, "state": {5: {}}},
        {"state": {}, "param_groups": [{"params": [0, 1]}]},
    ):  # fmt: skip
        golden.error(inside, broken, {"p": other[0]})
    golden.error(inside, state, {})


# ----- averages -----
def test_averaged_model(torch, golden):
    swa = torch.optim.swa_utils
    settings = [
        {}, {"avg_fn": swa.get_ema_avg_fn(0.9)}, {"multi_avg_fn": swa.get_ema_multi_avg_fn(0.9)},
        {"multi_avg_fn": swa.get_swa_multi_avg_fn()}, {"use_buffers": True},
        {"avg_fn": lambda mean, new, count: mean + (new - mean) / (count + 2)},
    ]  # fmt: skip
    for options in settings:
        model = torch.nn.BatchNorm1d(2)
        averaged = swa.AveragedModel(model, **options)
        for i in range(1, 4):
            with torch.no_grad():
                model.weight.fill_(float(i))
                model.bias.fill_(-0.5 * i)
                model.running_mean.fill_(10.0 * i)
            averaged.update_parameters(model)
        flat = {k: v.flatten().tolist() for k, v in averaged.state_dict().items()}
        golden({k: [round(x, 4) for x in v] for k, v in flat.items()})
        golden(averaged.n_averaged)
    golden.error(swa.AveragedModel, model, avg_fn=max, multi_avg_fn=max)
    golden.error(swa.get_ema_avg_fn, 1.5)
    golden.error(swa.get_ema_multi_avg_fn, -0.1)


def test_update_bn(torch, golden):
    model = torch.nn.Sequential(torch.nn.BatchNorm1d(2, momentum=0.3), torch.nn.Linear(2, 1))
    batches = [torch.arange(8.0).reshape(4, 2) * i for i in range(1, 4)]
    model.eval()
    torch.optim.swa_utils.update_bn([(x, None) for x in batches], model)
    assert not model.training and model[0].momentum == 0.3
    golden([round(x, 4) for x in (*model[0].running_mean.tolist(), *model[0].running_var.tolist())])
    torch.optim.swa_utils.update_bn(batches, model[1])
