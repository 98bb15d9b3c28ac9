"""Optimizers in use: closures, hooks, users' own classes, averaged models."""

import pytest

from .optim_cases import CASES, make, parameters

CLASSES = [cls for cls in CASES if cls not in ("Muon", "LBFGS")]


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


@pytest.mark.parametrize("cls", CLASSES)
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


@pytest.mark.parametrize("cls", [c for c in CLASSES if c != "SparseAdam"])
def test_flags_may_be_numbers(torch, cls):
    """As configuration files and argument parsers give them."""
    found = []
    for options in ({"maximize": 1}, {"maximize": True}):
        params = parameters(torch)
        make(torch, cls, params, lr=0.1, **options).step()
        found.append([p.tolist() for p in params])
    assert found[0] == found[1] and found[0][1][0] > 2


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


# ----- all parameters in one record -----
@pytest.mark.parametrize("cls", CLASSES)
def test_parameters_that_share_memory_or_gradients(torch, cls, golden):
    """One is the other's gradient, one looks at another's memory: each update sees the last."""
    torch.manual_seed(0)
    a, b = (torch.nn.Parameter(torch.rand(2, 2) + 0.5) for _ in range(2))
    whole = torch.nn.Parameter(torch.rand(4))
    part = torch.nn.Parameter(whole.data[1:3])
    for p in (a, whole, part):
        p.grad = torch.ones_like(p)
    b.grad = a.data
    optimizer = make(torch, cls, [a, b, whole, part])
    for _ in range(3):
        optimizer.step()
    golden([[round(x, 4) for x in p.detach().flatten().tolist()] for p in (a, b, whole, part)])


def test_steps_that_differ(torch, golden):
    """Parameters whose gradients come now and then have counts of their own."""
    torch.manual_seed(0)
    params = [torch.nn.Parameter(torch.rand(2)) for _ in range(4)]
    optimizer = torch.optim.AdamW([{"params": params[:2]}, {"params": params[2:], "lr": 0.1}])
    for k in range(6):
        for i, p in enumerate(params):
            p.grad = p.detach() * (i + 1) if (k + i) % 3 else None
        optimizer.step()
    golden([[round(x, 6) for x in p.tolist()] for p in params])
    golden([optimizer.state[p]["step"].item() for p in params])


def test_a_refused_gradient_leaves_its_group(torch, golden):
    first, second = parameters(torch), parameters(torch)
    optimizer = torch.optim.Adam([{"params": first}, {"params": second}], lr=0.1)
    before = [p.detach().clone() for p in (*first, *second)]
    second[1].grad = second[1].grad.to_sparse()
    with pytest.raises(RuntimeError) as error:
        optimizer.step()
    golden(str(error.value))
    golden([torch.equal(p, old) for p, old in zip((*first, *second), before, strict=True)])
