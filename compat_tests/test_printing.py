"""repr and format of tensors against PyTorch's: recorded, and live where torch can be imported."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

FLOATS = ["float32", "float64", "float16", "bfloat16"]
COMPLEX = ["complex64", "complex128"]
INTS = ["bool", "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64"]

# Values that decide between the notations, named for the case they provoke.
FAMILIES = {
    "unit": lambda r, n: r.uniform(-1, 1, n),
    "whole": lambda r, n: r.randint(-50, 50, n).astype(float),
    "special": lambda r, n: r.choice([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, 2.5], n),
    "spread": lambda r, n: r.uniform(-1, 1, n) * 10.0 ** r.randint(-9, 9, n),
    "large": lambda r, n: r.uniform(-1, 1, n) * 2e8,
    "huge whole": lambda r, n: r.randint(-(10**6), 10**6, n) * 1000.0,
    "zeros": lambda r, n: r.choice([0.0, -0.0], n),
    "infinite whole": lambda r, n: r.choice([np.inf, np.nan, 3.0, -7.0, 0.0], n),
    "edge of scientific": lambda r, n: r.choice([1e-4, 0.1, 0.0999, 1.1e-4, 0.0], n),
}
SHAPES = [(), (1,), (3,), (14,), (2, 3), (3, 1, 2), (0,), (2, 0, 3)]
OPTIONS: list[dict[str, Any]] = [
    {"precision": 2},
    {"precision": 0},
    {"sci_mode": True},
    {"sci_mode": False},
    {"threshold": 5, "edgeitems": 1},
    {"threshold": 5, "edgeitems": 2, "linewidth": 30},
    {"threshold": 0, "edgeitems": 0},
    {"edgeitems": 0},
    {"linewidth": 20},
    {"linewidth": 1},
    {"profile": "short"},
    {"profile": "full", "precision": 6},
    {"profile": "no such profile"},
]
OPTION_SHAPES = [(), (14,), (7, 3), (2, 7, 4), (0, 2)]


class Case(NamedTuple):
    dtype: str
    family: str
    shape: tuple[int, ...]
    options: dict[str, Any]
    seed: int

    def values(self) -> np.ndarray:
        random, count = np.random.RandomState(self.seed), int(np.prod(self.shape))
        draw = FAMILIES[self.family]
        if self.dtype in COMPLEX:
            pair = [draw(random, count).tolist() for _ in range(2)]
            return np.array(list(map(complex, *pair)), self.dtype).reshape(self.shape)
        if self.dtype in INTS:
            top = 2 if self.dtype == "bool" else min(np.iinfo(self.dtype).max, 2**31 - 1)
            low = 0 if self.dtype[0] in "ub" else -int(top)
            return random.randint(low, top, count).astype(self.dtype).reshape(self.shape)
        return draw(random, count).reshape(self.shape)


def by_dtype(dtype: str) -> list[Case]:
    """Every family at some shape, and every shape with some family."""
    families = FAMILIES if dtype not in INTS else ["unit"]
    rows = list(zip(families, itertools.cycle(SHAPES)))
    rows += [(family, (5,)) for family in families]
    rows += list(zip(itertools.cycle(families), [*SHAPES, (40, 30)]))
    return [Case(dtype, *row, {}, seed) for seed, row in enumerate(rows)]


def by_options(options: dict[str, Any]) -> list[Case]:
    dtypes = itertools.cycle(["float32", "int64", "complex64"])
    rows = zip(dtypes, itertools.cycle(FAMILIES), OPTION_SHAPES * 2)
    return [Case(*row, options, seed) for seed, row in enumerate(rows)]


def _function(torch):
    class Twice(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

    return Twice.apply


def _written(torch, history: bool):
    """A view that was written to: by autograd's rules, and behind its back."""
    base = torch.ones(3, requires_grad=True) * 1
    if history:
        base[0] = 2
        return base
    with torch.no_grad():
        view = base.view(3)
        view.mul_(2)
    return view


def _sub(torch, base):
    return type("Sub", (base,), {})


# What the numbers do not show: history, devices, kinds of tensor.
EXPRESSIONS = {
    "leaf": lambda torch: torch.ones(2, requires_grad=True),
    "add": lambda torch: torch.ones(2, requires_grad=True) + 1,
    "chain": lambda torch: (torch.ones(2, 2, requires_grad=True) @ torch.eye(2)).sum().log(),
    "long suffix": lambda torch: torch.full((9,), 0.123, requires_grad=True).double().sigmoid(),
    "suffix on its own line": lambda torch: torch.full((10,), 0.5, requires_grad=True).tanh(),
    "function": lambda torch: _function(torch)(torch.ones(2, requires_grad=True)),
    "written": lambda torch: _written(torch, history=True),
    "written unseen": lambda torch: _written(torch, history=False),
    "transposed": lambda torch: torch.arange(6.0).reshape(2, 3).T,
    "expanded": lambda torch: torch.tensor([1.5]).expand(2, 3),
    "negative step": lambda torch: torch.arange(5).flip(0),
    "conjugated": lambda torch: torch.tensor([1 + 2j, -3.5j]).conj(),
    "negative part": lambda torch: torch.tensor([1 + 2j, -3.5j]).conj().imag,
    "meta": lambda torch: torch.empty(2, 3, device="meta"),
    "meta int": lambda torch: torch.empty((), dtype=torch.int64, device="meta"),
    "meta leaf": lambda torch: torch.empty(4, device="meta", requires_grad=True),
    "parameter": lambda torch: torch.nn.Parameter(torch.arange(4.0).reshape(2, 2)),
    "frozen parameter": lambda torch: torch.nn.Parameter(torch.ones(2), requires_grad=False),
    "whole parameter": lambda torch: torch.nn.Parameter(torch.tensor([1]), requires_grad=False),
    "empty parameter": lambda torch: torch.nn.Parameter(),
    "nested list": lambda torch: [torch.ones(2), {"a": torch.tensor(1)}, (torch.zeros(1, 2),)],
    "subclass": lambda torch: torch.ones(12).as_subclass(_sub(torch, torch.Tensor)),
    "parameter subclass": lambda torch: _sub(torch, torch.nn.Parameter)(torch.ones(2)),
}
SPECS = ["", ".2f", "d", ">12", "e", "x", "%", "nonsense"]
FORMATTED = {
    "float": lambda torch: torch.tensor(1.5),
    "half": lambda torch: torch.tensor(1.1, dtype=torch.float16),
    "int": lambda torch: torch.tensor(30),
    "bool": lambda torch: torch.tensor(True),
    "complex": lambda torch: torch.tensor(1 + 2j),
    "leaf": lambda torch: torch.tensor(2.0, requires_grad=True),
    "vector": lambda torch: torch.ones(2),
    "parameter": lambda torch: torch.nn.Parameter(torch.tensor(1.0)),
    "meta": lambda torch: torch.ones((), device="meta"),
}


def text_of(torch, case: Case) -> str:
    tensor = torch.from_numpy(np.array(case.values())).to(getattr(torch, case.dtype))
    torch.set_printoptions(**case.options)
    try:
        return repr(tensor)
    finally:
        torch.set_printoptions(profile="default")


def format_of(value, spec: str) -> str:
    """format's answer, or its complaint."""
    try:
        return format(value, spec)
    except (TypeError, ValueError) as error:
        return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize("dtype", FLOATS + COMPLEX + INTS)
def test_values(torch, golden, dtype):
    for case in by_dtype(dtype):
        golden(text_of(torch, case))


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_options(torch, golden, options):
    for case in by_options(options):
        golden(text_of(torch, case))


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_expressions(torch, golden, name):
    golden(repr(EXPRESSIONS[name](torch)))


@pytest.mark.parametrize("name", FORMATTED)
def test_format(torch, golden, name):
    value = FORMATTED[name](torch)
    golden([format_of(value, spec) for spec in SPECS])


def test_float64_default(torch, golden):
    """Which dtypes go without saying depends on the default dtype."""
    torch.set_default_dtype(torch.float64)
    try:
        names = ["float32", "float64", "complex64", "complex128", "int64", "bool"]
        tensors = [torch.ones(2, dtype=getattr(torch, name)) for name in names]
        golden([repr(t) for t in [*tensors, torch.ones(0), torch.ones(2, device="meta")]])
    finally:
        torch.set_default_dtype(torch.float32)


def test_options_are_restored(torch):
    printing = torch._tensor_str
    before = printing.get_printoptions()
    with pytest.raises(KeyError), printing.printoptions(precision=1, sci_mode=True):
        assert repr(torch.tensor([1.0, 2.5])) == "tensor([1.0e+00, 2.5e+00])"
        raise KeyError
    assert printing.get_printoptions() == before


def test_custom_contents(torch):
    tensor = torch.ones(2, dtype=torch.float64)
    assert tensor.__repr__(tensor_contents="...") == "tensor(..., dtype=torch.float64)"


def test_huge_tensors_print_at_once(torch):
    """Only the shown items may be formatted: ten million would take seconds."""
    assert repr(torch.zeros(2500, 4000)).count("\n") == 6


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(FLOATS + COMPLEX + INTS),
    st.sampled_from(sorted(FAMILIES)),
    st.lists(st.integers(0, 6), max_size=4).map(tuple),
    st.fixed_dictionaries(
        {},
        optional={
            "precision": st.integers(0, 8),
            "threshold": st.integers(0, 30),
            "edgeitems": st.integers(0, 3),
            "linewidth": st.integers(1, 120),
            "sci_mode": st.sampled_from([None, True, False]),
        },
    ),
    st.integers(0, 2**31),
)
def test_against_live_torch(dtype, family, shape, options, seed):
    real, ours = pytest.importorskip("torch"), pytest.importorskip("torchlike")
    case = Case(dtype, family, shape, options, seed)
    assert text_of(ours, case) == text_of(real, case)
