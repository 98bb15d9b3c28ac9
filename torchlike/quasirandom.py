"""torch.quasirandom: Sobol sequences, PyTorch's numbers, computed on the host.

The direction numbers (Joe and Kuo, D(6), 21,201 dimensions) are those that SciPy ships.
"""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path

import numpy as np

from . import ops
from .core.dtypes import dtype as Dtype
from .core.dtypes import get_default_dtype
from .core.rng import Generator
from .core.tensor import Tensor, from_host, to_host

_BITS, _DIMENSIONS = 30, 21201


@functools.cache
def _directions() -> tuple[np.ndarray, np.ndarray]:
    """(polynomials, first direction numbers) of all dimensions."""
    found = importlib.util.find_spec("scipy")
    if found is None or found.origin is None:  # JAX needs SciPy
        raise ImportError("SobolEngine: SciPy, which has the direction numbers, is not installed")
    path = Path(found.origin).parent / "stats" / "_sobol_direction_numbers.npz"
    with np.load(path) as file:
        return file["poly"].astype(np.int64), file["vinit"].astype(np.int64)


def _first_state(dimension: int) -> np.ndarray:
    """The direction numbers of each dimension, as integers of 30 bits."""
    polynomials, start = _directions()
    numbers = np.ones((dimension, _BITS), np.int64)
    for d in range(1, dimension):
        polynomial = int(polynomials[d])
        degree = polynomial.bit_length() - 1
        row = start[d, :degree].tolist()
        for j in range(degree, _BITS):
            new = row[j - degree]
            for k in range(degree):
                if polynomial >> (degree - 1 - k) & 1:
                    new ^= row[j - k - 1] << (k + 1)
            row.append(new)
        numbers[d] = row[:_BITS]
    return numbers << np.arange(_BITS - 1, -1, -1)


def _scrambled(state: np.ndarray, matrices: np.ndarray) -> np.ndarray:
    """Each number's bits times a lower triangular matrix of bits, modulo 2."""
    high_first = np.arange(_BITS - 1, -1, -1)
    bits = state[:, :, None] >> high_first & 1  # dimension, number, bit
    mixed = np.einsum("djk,dpk->djp", bits, matrices) & 1
    return (mixed << high_first).sum(-1)


class SobolEngine:
    """Points of a Sobol sequence in [0, 1)^dimension; `scramble` shifts and mixes them at random,
    by a generator of its own if there is a seed."""

    MAXBIT, MAXDIM = _BITS, _DIMENSIONS

    def __init__(self, dimension: int, scramble: bool = False, seed: int | None = None) -> None:
        if not 1 <= dimension <= self.MAXDIM:
            raise ValueError(
                f"Supported range of dimensionality for SobolEngine is [1, {self.MAXDIM}]"
            )
        self.seed, self.scramble, self.dimension = seed, scramble, dimension
        self.sobolstate = from_host(_first_state(dimension))
        self.shift = ops.zeros(dimension, dtype=self.sobolstate.dtype)
        if scramble:
            self._scramble()
        self.quasi = self.shift.clone()  # type: ignore[attr-defined]
        self._first_point = (self.quasi / 2**_BITS).reshape(1, -1)  # type: ignore[attr-defined]
        self.num_generated = 0

    def _scramble(self) -> None:
        generator = None if self.seed is None else Generator().manual_seed(self.seed)
        size = (self.dimension, _BITS)
        bits = to_host(ops.randint(2, size, generator=generator))
        self.shift = from_host((bits << np.arange(_BITS)).sum(-1))
        matrices = to_host(ops.randint(2, (*size, _BITS), generator=generator).tril())  # type: ignore
        matrices = matrices | np.eye(_BITS, dtype=np.int64)
        self.sobolstate = from_host(_scrambled(to_host(self.sobolstate), matrices))

    def _steps(self, n: int) -> np.ndarray:
        """The next n points as integers; the first point of all is not among them."""
        at = np.arange(n) + max(self.num_generated - 1, 0)
        lowest_zero = np.bitwise_count(at & ~(at + 1))
        changes = to_host(self.sobolstate).T[lowest_zero]
        points = np.concatenate([to_host(self.quasi)[None], changes])
        points = np.bitwise_xor.accumulate(points)
        self.quasi = from_host(points[-1].copy())
        return points[1:]

    def draw(self, n: int = 1, out: Tensor | None = None, dtype: Dtype | None = None) -> Tensor:
        """The next n points, (n, dimension)."""
        kind = get_default_dtype() if dtype is None else dtype
        first = [self._first_point] if self.num_generated == 0 else []
        points = self._steps(n - len(first)) / 2.0**_BITS
        result = ops.cat([*(t.to(kind) for t in first), from_host(points).to(kind)])  # type: ignore
        self.num_generated += n
        return result if out is None else out.resize_as_(result).copy_(result)  # type: ignore

    def draw_base2(self, m: int, out: Tensor | None = None, dtype: Dtype | None = None) -> Tensor:
        """The next 2**m points; ValueError unless the number of all is then a power of 2."""
        total = self.num_generated + 2**m
        if total & (total - 1):
            raise ValueError(
                "The balance properties of Sobol' points require n to be a power of 2. "
                f"{self.num_generated} points have been previously generated, then: "
                f"n={self.num_generated}+2**{m}={total}. If you still want to do this, please use "
                "'SobolEngine.draw()' instead."
            )
        return self.draw(2**m, out, dtype)

    def reset(self) -> SobolEngine:
        """Back to the first point."""
        self.quasi = self.shift.clone()  # type: ignore[attr-defined]
        self.num_generated = 0
        return self

    def fast_forward(self, n: int) -> SobolEngine:
        """Leaves n points out."""
        self._steps(n - (self.num_generated == 0))
        self.num_generated += n
        return self

    def __repr__(self) -> str:
        shown = [f"dimension={self.dimension}"]
        shown += ["scramble=True"] if self.scramble else []
        shown += [f"seed={self.seed}"] if self.seed is not None else []
        return f"SobolEngine({', '.join(shown)})"
