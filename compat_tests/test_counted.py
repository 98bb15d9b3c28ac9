"""arange, linspace, logspace and range are PyTorch's to the last bit."""

import random
import warnings
import zlib

import pytest

KINDS = ["float32", "float64", "float16", "int64", "int32", "complex64", "complex128"]


def _calls(torch, rng, kind):
    """One call of each function with ends and a number of steps drawn at random."""
    start, end, count = rng.uniform(-9, 9), rng.uniform(-9, 9), rng.choice([1, 3, 20, 47, 700])
    low, high = min(start, end), max(start, end)
    step = (high - low) / count + 0.001 if kind.startswith("float") else 2
    dtype = getattr(torch, kind)
    yield torch.linspace(start, end, count, dtype=dtype)
    if kind.startswith("complex"):
        yield torch.linspace(complex(start, end), complex(end, 1.7), count, dtype=dtype)
        return
    yield torch.logspace(start / 5, end / 5, count, dtype=dtype)
    yield torch.logspace(start, end, count, 2.0, dtype=dtype)
    yield torch.arange(low, high, step, dtype=dtype)
    yield torch.arange(high, low, -step, dtype=dtype)
    yield torch.range(low, high, step, dtype=dtype)


@pytest.mark.parametrize("kind", KINDS)
def test_bits(torch, golden, kind):
    """Length and checksum of the bytes."""
    rng = random.Random(kind)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for _ in range(12):
            made = [t.numpy() for t in _calls(torch, rng, kind)]
            golden([f"{len(a)} {zlib.crc32(a.tobytes()):x}" for a in made])
