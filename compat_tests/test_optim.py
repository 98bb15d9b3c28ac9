"""Optimizers: the way of their parameters, and the API of the base class."""

import copy
import io
import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest

from . import optim_cases
from .optim_cases import make, parameters

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


@pytest.mark.parametrize("options", [{}, {"max_iter": 0}, {"max_iter": 1}, {"history_size": 2}])
def test_state_of_lbfgs(torch, golden, options):
    """Keys and types, in PyTorch's order, after steps of different lengths."""
    params = parameters(torch)
    optimizer = make(torch, "LBFGS", params, line_search_fn="strong_wolfe", **options)

    def closure():
        optimizer.zero_grad()
        loss = sum(((p - 0.3 * i) ** 4).sum() for i, p in enumerate(params))
        loss.backward()
        return loss

    for _ in range(3):
        optimizer.step(closure)
        (state,) = optimizer.state_dict()["state"].values()
        golden([[key, type(value).__name__] for key, value in state.items()])


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
    golden.error(sgd, [copy.Error])
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
