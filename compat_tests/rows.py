"""The rows: one line per op says what is particular about it; checks.py says what every op must do.

    Row("sin", real(3, 4))
    Row("add", real(3, 1), real(1, 4), alpha=[1, 2])     # a list is a choice: two cases
    Row("logsumexp", real(3, 4), dim=[0, -1], keepdim=[False, True])
    Row("cat", (real(2, 3), real(1, 3)), dim=0)          # a tuple is one argument: a sequence
    Row("nn.functional.relu", real(3, 4))
    Row("sum", real(2, 3), dim=5, raises=IndexError)     # type and text are compared with torch

Positional arguments come as they are called; `real`, `ints`, … stand for tensors whose numbers
follow from the op's name and the argument's place, so that torch and torchlike get the same ones.
Numbers, tuples, None and strings are passed through; `dtype("float64")` stands for torch.float64.
"""

import importlib.util
import itertools
import zlib
from dataclasses import dataclass, field, replace

import numpy as np


@dataclass(frozen=True)
class Data:
    """A tensor argument: what kind of numbers, of what shape and dtype, laid out how."""

    kind: str
    shape: tuple
    dtype: str
    low: float = 0.0
    high: float = 1.0
    layout: str = "contiguous"

    def array(self, seed: int) -> np.ndarray:
        """Its numbers, in the dtype nearest to it that NumPy has."""
        values = KINDS[self.kind](self, np.random.default_rng(seed))
        return values.astype({"bfloat16": "float32"}.get(self.dtype, self.dtype))

    def transposed(self) -> "Data":
        """The same, with the last two dimensions swapped in memory."""
        return replace(self, layout="transposed")

    def strided(self) -> "Data":
        """The same, as every second element of a longer row."""
        return replace(self, layout="strided")

    def double(self) -> "Data":
        """The same at the precision that finite differences need."""
        twins = {"float32": "float64", "float16": "float64", "bfloat16": "float64"}
        return replace(self, dtype=twins.get(self.dtype, self.dtype))


def _uniform(data, rng):
    return rng.uniform(data.low, data.high, data.shape)


def _complex(data, rng):
    return _uniform(data, rng) + 1j * _uniform(data, rng)


def _distinct(data, rng):
    count = int(np.prod(data.shape))
    return rng.permutation(np.linspace(data.low, data.high, count)).reshape(data.shape)


def _positive_definite(data, rng):
    factor = rng.uniform(-1, 1, data.shape)
    return factor @ factor.swapaxes(-1, -2) + data.shape[-1] * np.eye(data.shape[-1])


def _integers(data, rng):
    return rng.integers(int(data.low), int(data.high), data.shape)


def _awkward(data, rng):
    values = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3e4]
    return np.resize(values, data.shape)


KINDS = {"real": _uniform, "complex": _complex, "distinct": _distinct, "spd": _positive_definite,
         "ints": _integers, "awkward": _awkward}


def real(*shape, low=-2.0, high=2.0, dtype="float32") -> Data:
    """Uniform numbers."""
    return Data("real", shape, dtype, low, high)


def positive(*shape, low=0.1, high=3.0, dtype="float32") -> Data:
    """Uniform positive numbers, away from 0."""
    return Data("real", shape, dtype, low, high)


def unit(*shape, low=0.05, high=0.95, dtype="float32") -> Data:
    """Uniform numbers inside (0, 1)."""
    return Data("real", shape, dtype, low, high)


def distinct(*shape, low=-2.0, high=2.0, dtype="float32") -> Data:
    """Evenly spaced numbers in random order: no ties."""
    return Data("distinct", shape, dtype, low, high)


def cplx(*shape, low=-2.0, high=2.0, dtype="complex64") -> Data:
    """Uniform complex numbers."""
    return Data("complex", shape, dtype, low, high)


def spd(*shape, dtype="float32") -> Data:
    """Symmetric positive definite matrices."""
    return Data("spd", shape, dtype)


def ints(*shape, low=-5, high=6, dtype="int64") -> Data:
    """Integers in [low, high)."""
    return Data("ints", shape, dtype, low, high)


def bools(*shape) -> Data:
    """True and False."""
    return Data("ints", shape, "bool", 0, 2)


def awkward(*shape, dtype="float32") -> Data:
    """nan, infinities, both zeros, and a few plain numbers."""
    return Data("awkward", shape, dtype)


@dataclass(frozen=True)
class dtype:
    """Stands for torch.<name> in an argument."""

    name: str


@dataclass(frozen=True)
class Case:
    """One call: a row with its choices made. Keyword arguments are kept as a tuple of pairs."""

    op: str
    args: tuple
    kwargs: tuple
    raises: type | None = None
    tol: float | None = None
    skip: frozenset = frozenset()

    def __str__(self):
        said = [_say(a) for a in self.args] + [f"{k}={_say(v)}" for k, v in self.kwargs]
        return f"{self.op}({', '.join(said)})"

    def build(self, torch, double=False):
        """The arguments on `torch`: (args, kwargs, the tensors among them in order)."""
        tensors = []

        def made(value):
            if isinstance(value, Data):
                seed = zlib.crc32(f"{self.op}/{len(tensors)}".encode())
                tensors.append(_tensor(torch, value.double() if double else value, seed))
                return tensors[-1]
            if isinstance(value, dtype):
                return getattr(torch, value.name)
            return tuple(made(v) for v in value) if isinstance(value, tuple) else value

        args = [made(value) for value in self.args]
        return args, {key: made(value) for key, value in self.kwargs}, tensors


@dataclass(init=False)
class Row:
    """An op, its arguments, and what differs from the ordinary: see the module's docstring.

    raises: the exception expected; tol: relative tolerance; skip: checks that do not apply.
    """

    op: str
    args: tuple
    choices: dict = field(default_factory=dict)

    def __init__(self, op, *args, raises=None, tol=None, skip=(), **choices):
        self.op, self.args, self.choices = op, args, choices
        self.extra = {"raises": raises, "tol": tol, "skip": frozenset(skip)}

    def cases(self):
        """Every combination of the choices."""
        args = [value if isinstance(value, list) else [value] for value in self.args]
        options = [value if isinstance(value, list) else [value] for value in self.choices.values()]
        for picked in itertools.product(*args, *options):
            kwargs = tuple(zip(self.choices, picked[len(args):]))
            yield Case(self.op, picked[: len(args)], kwargs, **self.extra)


def _say(value) -> str:
    if isinstance(value, Data):
        layout = "" if value.layout == "contiguous" else f".{value.layout}"
        kind = value.kind if value.dtype in {"float32", "int64"} else f"{value.kind}.{value.dtype}"
        return f"{kind}{list(value.shape)}{layout}".replace(" ", "")
    if isinstance(value, dtype):
        return value.name
    if isinstance(value, tuple):
        return f"({','.join(map(_say, value))})"
    return repr(value)


def _tensor(torch, data: Data, seed: int):
    values = data.array(seed)
    as_dtype = getattr(torch, data.dtype)
    if data.layout == "transposed":
        return torch.tensor(values.swapaxes(-1, -2).copy()).to(as_dtype).transpose(-1, -2)
    if data.layout == "strided":
        return torch.tensor(np.repeat(values, 2, axis=-1)).to(as_dtype)[..., ::2]
    return torch.tensor(values).to(as_dtype)


def all_rows() -> list[Row]:
    """The rows of every rows_*.py beside this file."""
    rows = []
    for area in ("rows_math", "rows_shape", "rows_neural"):
        if importlib.util.find_spec(f"compat_tests.{area}"):
            rows += importlib.import_module(f"compat_tests.{area}").ROWS
    return rows


def all_cases() -> list[Case]:
    """The cases of every row, each once."""
    return list({str(case): case for row in all_rows() for case in row.cases()}.values())
