"""What test_rng.py compares with PyTorch: streams by their bytes, calls by what they give or raise.

Everything here takes `torch` as an argument, so that it runs on real PyTorch too.
"""

import copy
import hashlib
import json
import warnings
from pathlib import Path

GOLDENS = Path(__file__).parent / "goldens"
SIZES = (1, 2, 3, 15, 16, 17, 33, 100, 625, 3001)
FLOATS = ("float32", "float64", "float16", "bfloat16")
INTEGERS = ("int64", "int32", "int16", "int8", "uint8")


def host(tensor):
    """The elements as a NumPy array; bfloat16 as float32."""
    tensor = tensor.detach()
    if str(tensor.dtype) == "torch.bfloat16":
        tensor = tensor.float()
    return tensor.contiguous().numpy()


def digest(tensors) -> str:
    """A short fingerprint of dtypes, shapes and every bit."""
    found = hashlib.sha256()
    for tensor in tensors:
        found.update(f"{tensor.dtype} {tuple(tensor.shape)} ".encode())
        found.update(host(tensor).tobytes())
    return found.hexdigest()[:24]


def run(torch, draw, seed=0):
    """The tensors that a case makes from a seed, and the generator's state afterwards."""
    torch.manual_seed(seed)
    made = draw(torch)
    return [*(made if isinstance(made, list | tuple) else [made]), torch.get_rng_state()]


def sized(draw):
    """A case that draws every size in turn from one stream."""
    return lambda torch: [draw(torch, n) for n in SIZES]


def ramp(torch, low, n):
    """Values from `low` in steps that no rounding touches."""
    return torch.arange(n) / 16 + low


def recorded(name):
    return json.loads((GOLDENS / f"{name}.json").read_text("utf-8"))


# ----- streams -----


def float_streams(name):
    """Cases for one floating point dtype."""

    def empty(torch, n):
        return torch.empty(n, dtype=getattr(torch, name))

    def gaps(torch, n):
        return torch.empty(n, 2, dtype=getattr(torch, name))[:, 0]

    return {
        "rand": sized(lambda torch, n: torch.rand(n, dtype=getattr(torch, name))),
        "uniform_ -0.3 0.71": sized(lambda torch, n: empty(torch, n).uniform_(-0.3, 0.71)),
        "randn": sized(lambda torch, n: torch.randn(n, dtype=getattr(torch, name))),
        "normal_ 0.3 1.7": sized(lambda torch, n: empty(torch, n).normal_(0.3, 1.7)),
        "normal_ with gaps": sized(lambda torch, n: gaps(torch, n).normal_(0.3, 1.7)),
        "uniform_ with gaps": sized(lambda torch, n: gaps(torch, n).uniform_()),
        "exponential_": sized(lambda torch, n: empty(torch, n).exponential_(0.7)),
        "geometric_": sized(lambda torch, n: empty(torch, n).geometric_(0.3)),
        "cauchy_": sized(lambda torch, n: empty(torch, n).cauchy_(0.3, 1.7)),
        "log_normal_": sized(lambda torch, n: empty(torch, n).log_normal_(0.3, 1.7)),
        "random_": sized(lambda torch, n: empty(torch, n).random_()),
        "randint": sized(lambda torch, n: torch.randint(0, 10, (n,), dtype=getattr(torch, name))),
        "random_ 3 None": sized(lambda torch, n: empty(torch, n).random_(3, None)),
        "bernoulli_": sized(lambda torch, n: empty(torch, n).bernoulli_(0.3)),
        "bernoulli": sized(lambda torch, n: torch.bernoulli(empty(torch, n).uniform_())),
        "dropout": sized(lambda torch, n: torch.nn.functional.dropout(torch.ones_like(
            empty(torch, n)), 0.3)),
        "multinomial 1": lambda torch: torch.multinomial(
            torch.rand(7, 30, dtype=getattr(torch, name)), 1),
        "multinomial all": lambda torch: torch.multinomial(
            torch.rand(7, 30, dtype=getattr(torch, name)), 9, True),
        "poisson": lambda torch: torch.poisson(
            torch.rand(500, dtype=getattr(torch, name)) * 30),
        "trunc_normal_": lambda torch: torch.nn.init.trunc_normal_(empty(torch, 999), std=0.7),
        "trunc_normal_ tail": lambda torch: torch.nn.init.trunc_normal_(
            empty(torch, 999), 0.0, 1.0, 1.0, 2.0),
    }  # fmt: skip


def integer_streams(name):
    """Cases for one integer dtype."""

    def empty(torch, n):
        return torch.empty(n, dtype=getattr(torch, name))

    return {
        "random_": sized(lambda torch, n: empty(torch, n).random_()),
        "random_ 5": sized(lambda torch, n: empty(torch, n).random_(5)),
        "random_ 1 None": sized(lambda torch, n: empty(torch, n).random_(1, None)),
        "randint": sized(lambda torch, n: torch.randint(2, 90, (n,), dtype=getattr(torch, name))),
        "bernoulli_": sized(lambda torch, n: empty(torch, n).bernoulli_(0.3)),
        "geometric_": sized(lambda torch, n: empty(torch, n).geometric_(0.3)),
        "randperm": lambda torch: [torch.randperm(n, dtype=getattr(torch, name)) for n in (5, 99)],
    }


def _strided(torch):
    return torch.empty(4, 5, 6).permute(2, 0, 1), torch.empty(6, 8).t()[::2]


def _filled(torch, fill):
    return [fill(tensor) for tensor in _strided(torch)]


def _channels_last(torch):
    return torch.ones(2, 3, 4, 5).to(memory_format=torch.channels_last)


OTHER = {
    "randn large": lambda torch: torch.randn(300_007),
    "randn large float64": lambda torch: torch.randn(70_001, dtype=torch.float64),
    "bool": lambda torch: [torch.empty(99, dtype=torch.bool).random_(),
                           torch.randint(0, 2, (99,), dtype=torch.bool),
                           torch.empty(99, dtype=torch.bool).bernoulli_()],
    "complex": lambda torch: [torch.view_as_real(f(50, dtype=torch.complex64))
                              for f in (torch.rand, torch.randn)],
    "randint wide": lambda torch: [torch.randint(low, high, (99,)) for low, high in (
        (-7, 2**31), (0, 2**28 - 1), (0, 2**28), (0, 2**32), (-5, 2**40), (-2**63, 2**63 - 1))],
    "random_ full": lambda torch: torch.empty(99, dtype=torch.int64).random_(-2**63, None),
    "randperm": lambda torch: [torch.randperm(n) for n in (0, 1, 2, 3, 17, 399, 400, 401, 5000)],
    "randperm large": lambda torch: torch.randperm(200_000),
    "order uniform_": lambda torch: _filled(torch, lambda t: t.uniform_()),
    "order normal_": lambda torch: _filled(torch, lambda t: t.normal_()),
    "order random_": lambda torch: _filled(torch, lambda t: t.random_(9)),
    "order bernoulli_": lambda torch: _filled(torch, lambda t: t.bernoulli_(0.4)),
    "order bernoulli_ p": lambda torch: _filled(
        torch, lambda t: t.bernoulli_(torch.full(t.shape, 0.4))),
    "order dropout": lambda torch: [torch.nn.functional.dropout(t.fill_(1.0))
                                    for t in _strided(torch)],
    "rand_like": lambda torch: [torch.rand_like(t) for t in (*_strided(torch),
                                                             _channels_last(torch))],
    "randn_like": lambda torch: [torch.randn_like(t) for t in (*_strided(torch),
                                                               _channels_last(torch))],
    "randint_like": lambda torch: [torch.randint_like(t, 3, 9) for t in _strided(torch)],
    "normal tensors": lambda torch: [
        torch.normal(ramp(torch, -1, 30).view(5, 6), ramp(torch, 0, 6)),
        torch.normal(ramp(torch, -1, 5), ramp(torch, 0, 5)),
        torch.normal(ramp(torch, -1, 40), 2.3), torch.normal(1.1, ramp(torch, 0, 40)),
        torch.normal(1.1, 2.5, (40,)), torch.normal(torch.zeros(40))],
    "multinomial": lambda torch: [torch.multinomial(torch.rand(7, 30), 9),
                                  torch.multinomial(torch.rand(300), 300),
                                  torch.multinomial(torch.rand(30), 200, replacement=True)],
    "binomial": lambda torch: [torch.binomial(torch.full((200,), n), torch.rand(200))
                               for n in (3.0, 90.0)],
    "_standard_gamma": lambda torch: [torch._standard_gamma(torch.rand(300) * 4),
                                      torch._standard_gamma(torch.rand(300).double() * 4)],
    "elements alike": lambda torch: _alike(torch),
    "_sample_dirichlet": lambda torch: torch._sample_dirichlet(torch.rand(90, 5) * 3),
    "feature_dropout": lambda torch: [
        torch.nn.functional.dropout1d(torch.ones(3, 4), 0.3),
        torch.nn.functional.dropout2d(torch.ones(5, 6, 2, 3), 0.3),
        torch.nn.functional.dropout3d(torch.ones(5, 6, 2, 3, 1), 0.3),
        torch.feature_dropout(torch.ones(5, 6, 2), 0.9, True)],
    "alpha_dropout": lambda torch: [
        torch.nn.functional.alpha_dropout(torch.ones(99), 0.3, True),
        torch.nn.functional.feature_alpha_dropout(torch.ones(5, 6, 2), 0.3, True)],
    "native_dropout": lambda torch: torch.native_dropout(ramp(torch, -2, 99), 0.3, True),
    "generator": lambda torch: _generator(torch),
    "fork_rng": lambda torch: _forked(torch),
    "init": lambda torch: _inits(torch),
    "layers": lambda torch: [p for layer in _layers(torch) for p in layer.parameters()],
}  # fmt: skip


def _alike(torch):
    """Many elements with the same parameters, with and without a normal that waits."""
    full = torch.full
    made = []
    for dtype in (torch.float32, torch.float64):
        for shape in (1.25, 2.5, 40.0):
            made.append(torch._standard_gamma(full((701,), shape, dtype=dtype)))
            torch.randn(3)
    made += [torch.poisson(full((3, 300), rate)) for rate in (0.3, 4.0, 9.5, 10.0, 200.0)]
    made += [torch.binomial(full((900,), count), full((900,), p))
             for count in (7.0, 60.0, 1e6) for p in (0.1, 0.5, 0.8)]
    return [*made, torch.randn(5)]


def _generator(torch):
    own = torch.Generator().manual_seed(5)
    first = [torch.rand(3, generator=own), torch.randn(5, generator=own), own.get_state()]
    state = own.get_state()
    ahead = torch.randn(5, generator=own)
    again = torch.randn(5, generator=torch.Generator().set_state(state))
    clone = own.clone_state()
    return [*first, ahead, again, torch.rand(2, generator=own), torch.rand(2, generator=clone)]


def _forked(torch):
    before = torch.rand(2)
    with torch.random.fork_rng():
        inside = torch.rand(2)
    return [before, inside, torch.rand(2)]


def _inits(torch):
    init = torch.nn.init
    shape = (6, 4, 3, 3)
    return [
        init.uniform_(torch.empty(shape), -1, 2), init.normal_(torch.empty(shape), 1, 2),
        init.xavier_uniform_(torch.empty(shape), 1.5), init.xavier_normal_(torch.empty(shape)),
        init.kaiming_uniform_(torch.empty(shape), 2.0),
        init.kaiming_normal_(torch.empty(shape), mode="fan_out", nonlinearity="relu"),
        init.sparse_(torch.empty(9, 7), 0.3), init.eye_(torch.empty(3, 4)),
        init.dirac_(torch.empty(6, 2, 3), 3), init.dirac_(torch.empty(3, 5, 2, 3)),
        init.constant_(torch.empty(3), 0.3), init.ones_(torch.empty(3)),
        init.zeros_(torch.empty(3)),
    ]  # fmt: skip


def _layers(torch):
    nn = torch.nn
    return (nn.Linear(7, 5), nn.Conv2d(3, 4, 3), nn.ConvTranspose1d(2, 3, 3), nn.Embedding(11, 3),
            nn.LSTM(3, 4, 2), nn.Bilinear(2, 3, 4), nn.MultiheadAttention(4, 2))  # fmt: skip


def streams():
    """Every case by name."""
    found = {f"{name} {dtype}": case for dtype in FLOATS
             for name, case in float_streams(dtype).items()}  # fmt: skip
    for dtype in INTEGERS:
        found |= {f"{name} {dtype}": case for name, case in integer_streams(dtype).items()}
    return found | OTHER


# ----- calls -----


def calls():
    """Every expression: one a line, under `#` titles."""
    lines = (Path(__file__).parent / "rng_calls.txt").read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def call(torch, text: str) -> str:
    """What an expression gives, in a line: a tensor's kind and digest, or the exception."""
    torch.manual_seed(0)
    one = torch.ones(4, 6, requires_grad=True)
    names = {
        "torch": torch, "F": torch.nn.functional, "init": torch.nn.init, "e": torch.empty,
        "leaf": one, "y": one * 1, "p": torch.full((4, 6), 0.5, requires_grad=True),
        "g": torch.Generator(), "copy_of": copy.deepcopy,
    }  # fmt: skip
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            shown = show(eval(text, names))
        except Exception as error:
            shown = f"{type(error).__name__}: {str(error).splitlines()[0]}"
    heard = [f"{w.category.__name__}: {str(w.message).split(' (Triggered')[0]}" for w in caught]
    return " | ".join([shown, *heard])


def show(value) -> str:
    if isinstance(value, tuple | list) and any(hasattr(v, "stride") for v in value):
        return " ".join(map(show, value))
    if hasattr(value, "stride"):
        made_by = value.grad_fn.name() if value.grad_fn is not None else value.requires_grad
        kind = f"{value.dtype} {tuple(value.shape)} {value.stride()} {made_by}"
        held = value.numel() > 0 and value.device.type != "meta"
        return f"{kind} {digest([value])[:8]}" if held else kind
    return repr(value).split(" object at ")[0].split(" at 0x")[0]
