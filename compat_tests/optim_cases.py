"""Optimizers and settings, and two problems they are run on: what record_optim.py records.

Each run gives the parameters after some steps, flattened, one row per step, and the final state.
Beside what float32 gives, the distance from it to what float64 gives is recorded: where a run is
chaotic (at a minimum, say), no two float32 programs agree better than that.
"""

import numpy as np

MARKS = (1, 20, 200)  # the steps after which parameters are looked at
MLP_MARKS = (1, 10, 40)

COMMON = [{}, {"weight_decay": 0.05}, {"maximize": True, "lr": 1e-4}]
ADAM = [
    *COMMON, {"lr": 0.01, "betas": (0.5, 0.9), "eps": 1e-3}, {"lr": 0.01, "betas": (0.0, 0.99)},
]
CASES = {
    "SGD": [
        *COMMON, {"lr": 0.05, "momentum": 0.9}, {"lr": 0.02, "momentum": 0.8, "nesterov": True},
        {"lr": 0.05, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.01},
        {"lr": 0.05, "foreach": True, "momentum": 0.5}, {"lr": 0.05, "fused": True},
    ],
    "Adam": [
        *ADAM, {"amsgrad": True, "lr": 0.05}, {"lr": 0.01, "weight_decay": 0.1,
        "decoupled_weight_decay": True}, {"lr": 0.02, "fused": True}, {"lr": 0.02, "foreach": True},
    ],
    "AdamW": [*ADAM, {"amsgrad": True, "lr": 0.05, "weight_decay": 0.2}],
    "Adamax": ADAM,
    "NAdam": [*ADAM, {"weight_decay": 0.1, "decoupled_weight_decay": True, "momentum_decay": 0.01}],
    "RAdam": [*ADAM, {"weight_decay": 0.1, "decoupled_weight_decay": True, "lr": 0.02}],
    "Adagrad": [*COMMON, {"lr": 0.1, "lr_decay": 0.01, "initial_accumulator_value": 0.1}],
    "Adadelta": [*COMMON, {"lr": 0.5, "rho": 0.95, "eps": 1e-5}],
    "RMSprop": [
        {"lr": 0.003}, {"weight_decay": 0.05, "lr": 0.001}, COMMON[2],
        {"momentum": 0.9, "lr": 0.0005},
        {"centered": True, "alpha": 0.9, "lr": 0.001},
        {"centered": True, "momentum": 0.5, "weight_decay": 0.01, "lr": 0.001},
    ],
    "Rprop": [{}, {"maximize": True, "lr": 1e-4}, {"etas": (0.3, 1.1), "step_sizes": (1e-4, 0.1)}],
    "ASGD": [*COMMON, {"lr": 0.05, "lambd": 0.01, "alpha": 0.6, "t0": 50}],
    "Adafactor": [
        *COMMON, {"lr": 0.004, "eps": (1e-4, 1e-2), "d": 2.0, "beta2_decay": -0.5},
    ],
    "Muon": [
        {}, {"lr": 0.02, "weight_decay": 0.0, "nesterov": False},
        {"lr": 0.01, "adjust_lr_fn": "match_rms_adamw", "momentum": 0.8},
    ],
    "LBFGS": [
        {"max_iter": 4, "lr": 0.1}, {"max_iter": 6, "history_size": 3, "lr": 0.3},
        {"line_search_fn": "strong_wolfe", "max_iter": 5},
    ],
}  # fmt: skip
COMPLEX = [
    "SGD", "Adam", "Adamax", "NAdam", "RAdam", "Adagrad", "Adadelta", "RMSprop", "Rprop", "ASGD",
]  # fmt: skip
DTYPES = ["float64", "bfloat16"]


def cases():
    """(name, class, options, dtype) of every run."""
    for cls, settings in CASES.items():
        for i, options in enumerate(settings):
            yield f"{cls}-{i}", cls, options, "float32"
    for cls in COMPLEX:
        yield f"{cls}-complex", cls, {"lr": 0.01}, "complex64"
        for dtype in DTYPES:
            yield f"{cls}-{dtype}", cls, {"lr": 0.01}, dtype


def _parameters(torch, cls, dtype):
    rng = np.random.default_rng(7)
    shapes = [(4, 3), (2, 5)] if cls == "Muon" else [(4, 3), (5,), ()]
    made = []
    for shape in shapes:
        start, target = rng.normal(size=(2, *shape))
        if dtype.startswith("complex"):
            start, target = start + 1j * rng.normal(size=shape), target - 2j
        as_dtype = getattr(torch, dtype)
        tensors = [torch.tensor(np.asarray(x)).to(as_dtype) for x in (start, target)]
        made.append((torch.nn.Parameter(tensors[0]), tensors[1]))
    return made


def _flat(torch, tensors):
    real = [torch.view_as_real(t) if t.is_complex() else t for t in tensors]
    parts = [np.asarray(t.detach().double().numpy()).ravel() for t in real]
    return np.concatenate(parts) if parts else np.zeros(0)


def _state(torch, optimizer):
    state = optimizer.state_dict()["state"]
    if type(optimizer).__name__ == "LBFGS":
        return []
    return [v for i in sorted(state) for _, v in sorted(state[i].items()) if hasattr(v, "numel")]


def _distance(pairs):
    """Squared distance to the targets, with each parameter's own curvature."""
    total = 0
    for i, (p, target) in enumerate(pairs):
        total = total + (0.3 + i) * ((p - target).abs() ** 2).sum()
    return total


def quadratic(torch, cls, options, dtype="float32"):
    """{"params": one row per mark, "state": flat} of a run on a sum of parabolas."""
    pairs = _parameters(torch, cls, dtype)
    optimizer = getattr(torch.optim, cls)([p for p, _ in pairs], **options)
    rows = []

    def closure():
        optimizer.zero_grad()
        loss = _distance(pairs)
        loss.backward()
        return loss

    for step in range(1, MARKS[-1] + 1):
        if cls == "LBFGS":
            optimizer.step(closure)
        else:
            for i, (p, target) in enumerate(pairs):
                p.grad = ((0.6 + 2 * i) * (p.detach() - target)).detach()
            optimizer.step()
        if step in MARKS:
            rows.append(_flat(torch, [p for p, _ in pairs]))
        if cls == "LBFGS" and step == MARKS[1]:
            break
    return {"params": np.stack(rows), "state": _flat(torch, _state(torch, optimizer))}


def mlp(torch, cls, options, dtype="float32"):
    """The parameters of a small network, and its losses, after MLP_MARKS steps of training."""
    rng = np.random.default_rng(3)

    def draw(*shape, scale=1.0):
        return torch.tensor((rng.normal(size=shape) * scale).astype("float32").astype(dtype))

    data, target = draw(16, 6), draw(16, 2)
    params = [torch.nn.Parameter(draw(*s, scale=0.4)) for s in ((8, 6), (8,), (2, 8), (2,))]
    w1, b1, w2, b2 = params
    trained = [w1, w2] if cls == "Muon" else params
    optimizer = getattr(torch.optim, cls)(trained, **options)

    def closure():
        optimizer.zero_grad()
        hidden = torch.tanh(data @ w1.t() + b1)
        loss = ((hidden @ w2.t() + b2 - target) ** 2).mean()
        loss.backward()
        return loss

    rows = []
    for step in range(1, MLP_MARKS[-1] + 1):
        loss = optimizer.step(closure)
        if step in MLP_MARKS:
            rows.append(np.append(_flat(torch, params), loss.item()))
    return np.stack(rows)


def largest(array):
    """The largest magnitude of each row, or of a flat array."""
    return np.abs(array).max(axis=-1, initial=0)


def record(torch):
    """Every run: {name: array}."""
    found = {}
    for name, cls, options, dtype in cases():
        for key, value in _runs(torch, cls, options, dtype):
            found[f"{name}/{key}"] = value
        if dtype == "float32":
            for key, value in _runs(torch, cls, options, "float64"):
                found[f"{name}/{key}~"] = largest(value - found[f"{name}/{key}"])
    return found


def _runs(torch, cls, options, dtype):
    yield from quadratic(torch, cls, options, dtype).items()
    if dtype in ("float32", "float64"):
        yield "mlp", mlp(torch, cls, options, dtype)


# ----- for the tests of the API -----
def parameters(torch, *shapes, dtype=None):
    """Parameters of ones, twos, … that have gradients."""
    made = []
    for i, shape in enumerate(shapes or [(2, 2), (3,)]):
        p = torch.nn.Parameter(torch.full(shape, 1.0 + i, dtype=dtype))
        p.grad = torch.full_like(p, 0.5 + i)
        made.append(p)
    return made


def make(torch, cls, params, **options):
    """An optimizer by name."""
    return getattr(torch.optim, cls)(params, **options)
