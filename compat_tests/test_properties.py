"""Random programs of ops, views, writes and backward: PyTorch and every mode see the same.

A program is a list of numbers, read as (op, operand, operand, detail) over a growing pool of
tensors, so every list is a program; what PyTorch refuses is part of what must agree.
"""

import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compat_tests import checks, subject, transcript

OPS = [
    # ----- new values -----
    lambda torch, a, b, k: a + b,
    lambda torch, a, b, k: a * b,
    lambda torch, a, b, k: torch.sub(a, b, alpha=k),
    lambda torch, a, b, k: a / (b.abs() + 1),
    lambda torch, a, b, k: a.tanh(),
    lambda torch, a, b, k: a.sigmoid(),
    lambda torch, a, b, k: a.relu(),
    lambda torch, a, b, k: (a * 0.5) ** (k + 1),
    lambda torch, a, b, k: a.clamp(min=-k, max=1.5),
    lambda torch, a, b, k: torch.where(a > b, a, b),
    lambda torch, a, b, k: a @ b.transpose(-1, -2),
    lambda torch, a, b, k: a.sum(k),
    lambda torch, a, b, k: a.mean(-1, keepdim=True),
    lambda torch, a, b, k: a.softmax(-1),
    lambda torch, a, b, k: a.cumsum(k),
    lambda torch, a, b, k: torch.cat([a, b], k),
    lambda torch, a, b, k: a[[0, -1]],
    lambda torch, a, b, k: a.clone(),
    lambda torch, a, b, k: a.detach(),
    # ----- views -----
    lambda torch, a, b, k: a.t(),
    lambda torch, a, b, k: a.transpose(0, k),
    lambda torch, a, b, k: a[k],
    lambda torch, a, b, k: a[..., k:],
    lambda torch, a, b, k: a[::2],
    lambda torch, a, b, k: a.unsqueeze(k),
    lambda torch, a, b, k: a.squeeze(),
    lambda torch, a, b, k: a.view(-1),
    lambda torch, a, b, k: a.reshape(3, -1),
    lambda torch, a, b, k: a.expand(2, *a.shape),
    lambda torch, a, b, k: a.diagonal(),
    lambda torch, a, b, k: a.split(1)[0],
    # ----- writes -----
    lambda torch, a, b, k: a.add_(b),
    lambda torch, a, b, k: a.mul_(0.5),
    lambda torch, a, b, k: a.tanh_(),
    lambda torch, a, b, k: a.copy_(b),
    lambda torch, a, b, k: a.zero_(),
    lambda torch, a, b, k: a.__setitem__(k, b),
    lambda torch, a, b, k: a.__setitem__((..., k), 2.0),
    lambda torch, a, b, k: a.__setitem__([0], 1.0),
    lambda torch, a, b, k: a.masked_fill_(a > 0.5, 0.25),
    lambda torch, a, b, k: a.data.add_(1),
    lambda torch, a, b, k: a.t_(),
]

DIGIT = st.integers(0, 9)
STEP = st.tuples(st.integers(0, len(OPS) - 1), DIGIT, DIGIT, st.integers(0, 2))
PROGRAMS = st.lists(STEP, min_size=1, max_size=12)
EXAMPLES = settings(max_examples=60, deadline=None, derandomize=True, database=None,
                    suppress_health_check=list(HealthCheck))


def run(torch, program) -> str:
    """Everything a program shows."""
    shared = np.linspace(-1, 1, 6).reshape(2, 3)
    leaf = torch.linspace(-1.0, 1.0, 6, dtype=torch.float64).view(2, 3).requires_grad_()
    row = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64, requires_grad=True)
    pool = [leaf * 1, torch.from_numpy(shared), row * 2, leaf * leaf, row]
    said = []
    for op, a, b, k in program:
        operands = pool[a % len(pool)], pool[b % len(pool)]
        result = _attempt(lambda: OPS[op](torch, *operands, k))     # noqa: B023 (called at once)
        if isinstance(result, str):
            said.append(result)
        elif result is not None and not any(result is known for known in pool):
            pool.append(result)
    said += [str(_attempt(lambda: _shown(t))) for t in pool] + [str(shared.tolist())]  # noqa: B023
    said.append(str(_attempt(lambda: _gradients(torch, pool, (leaf, row)))))
    return "\n".join(said)


def _attempt(action):
    try:
        return action()
    except (RuntimeError, IndexError, TypeError, ValueError) as error:
        return f"{type(error).__name__}: {error}"


def _shown(t) -> str:
    node = t.grad_fn.name() if t.grad_fn else None
    values = t.detach().reshape(-1).tolist()
    return f"{tuple(t.shape)} {t.stride()} v{t._version} {t.is_leaf} {node} {values}"


def _gradients(torch, pool, leaves) -> list:
    total = sum(((t * t).sum() for t in pool if t.requires_grad), torch.zeros(()).double())
    grads = torch.autograd.grad(total, leaves, allow_unused=True)
    return [g.tolist() for g in grads if g is not None]


def same(got: str, want: str) -> None:
    """Texts equal, numbers to 1e-7."""
    assert not transcript.difference(got, want, rel=1e-7, floor=1e-9)


@EXAMPLES
@given(program=PROGRAMS)
def test_as_pytorch(program):
    torch = pytest.importorskip("torchlike")
    if subject.oracle is None:
        pytest.skip("PyTorch is not installed here")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        same(run(torch, program), run(subject.oracle, program))


@EXAMPLES
@given(program=PROGRAMS)
def test_modes_agree(program):
    torch = pytest.importorskip("torchlike")
    shown = []
    for name in ("debug", "strict", "fused"):
        with checks.mode(name), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            shown += [run(torch, program) for _ in range(4 if name == "fused" else 1)]
    for other in shown[1:]:             # fused: the fourth time, the window is compiled as a whole
        same(other, shown[0])
