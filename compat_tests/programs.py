"""Random programs of ops, views, in-place writes, grad modes and backward calls.

A program is a list of numbers, read as (op, operand, operand, detail) over a growing pool of
tensors, so every list is a program; what PyTorch refuses is part of what must agree. `seeded(n)`
gives the same program everywhere: goldens/programs.json holds what real torch shows of some, and
`scripts/fuzz.py` compares as many as one likes with a live one.
"""

import random
import re
import warnings

import numpy as np

from compat_tests import transcript


def _backward(torch, a, b, k):
    (a * a).sum().backward(retain_graph=k > 0)


def _grad(torch, a, b, k):
    (g,) = torch.autograd.grad((a * b).sum(), [a], create_graph=k > 0, allow_unused=True)
    return g


def _inside(mode, write):
    def run(torch, a, b, k):
        with getattr(torch, mode)():
            return write(torch, a, b, k)

    return run


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
    lambda torch, a, b, k: a.t_(),
    # ----- grad modes -----
    _inside("no_grad", lambda torch, a, b, k: a.mul_(0.5)),
    _inside("no_grad", lambda torch, a, b, k: a[k:]),
    _inside("no_grad", lambda torch, a, b, k: a + b),
    _inside("enable_grad", lambda torch, a, b, k: a * b),
    lambda torch, a, b, k: a.requires_grad_(),
    # ----- backward -----
    _backward,
    _grad,
]


def seeded(seed: int) -> list[tuple[int, int, int, int]]:
    """The program of a seed."""
    draw = random.Random(seed).randrange
    return [(draw(len(OPS)), draw(10), draw(10), draw(3)) for _ in range(3 + draw(10))]


def run(torch, program) -> str:
    """Everything a program shows."""
    shared = np.linspace(-1, 1, 6).reshape(2, 3)
    leaf = torch.linspace(-1.0, 1.0, 6, dtype=torch.float64).view(2, 3).requires_grad_()
    row = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64, requires_grad=True)
    pool = [leaf * 1, torch.from_numpy(shared), row * 2, leaf * leaf, row]
    said = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for op, a, b, k in program:
            operands = pool[a % len(pool)], pool[b % len(pool)]
            result = _attempt(lambda: OPS[op](torch, *operands, k))  # noqa: B023 (called at once)
            if isinstance(result, str):
                said.append(result)
            elif result is not None and not any(result is known for known in pool):
                pool.append(result)
        said += [str(_attempt(lambda: _shown(t))) for t in pool]  # noqa: B023 (called at once)
        said += [str(None if t.grad is None else t.grad.tolist()) for t in (leaf, row)]
        said.append(str(shared.tolist()))
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


def difference(got: str, want: str, rel: float = 1e-7) -> str | None:
    """None if two runs show the same, numbers to `rel`."""
    return transcript.difference(shortened(got), shortened(want), rel=rel, floor=1e-9)


_NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")


def shortened(text: str) -> str:
    """Numbers to ten digits: what a golden keeps."""
    return _NUMBER.sub(lambda n: repr(float(f"{float(n[0]):.10g}")), transcript.mask(text))
