"""Small programs of autograd's own: adding two gradients, zeros and ones."""

from __future__ import annotations

from functools import lru_cache

import jax.numpy as jnp
import numpy as np

from .record import Spec, record
from .storage import Aval, Value


@lru_cache(1 << 12)
def sum_spec(a: Aval) -> Spec:
    """The op that adds two gradients."""
    return Spec("accumulate", (a,), lambda x, y: [x + y], lambda: lambda x, y: [x + y], a.device)


@lru_cache(1 << 12)
def _fill_spec(a: Aval, number: int) -> Spec:
    return Spec(
        ("zeros", "ones")[number], (a,), lambda: [jnp.full(a.shape, number, a.np)],
        lambda: lambda: [np.full(a.shape, number, a.np)], a.device,
    )  # fmt: skip


_choices: dict[Aval, Spec] = {}


def choice_spec(a: Aval) -> Spec:
    """The op that takes its second value where a flag is set, else its third."""
    found = _choices.get(a)
    if found is None:
        found = _choices[a] = Spec(
            "choose", (a,), lambda flag, x, y: [jnp.where(flag, x, y)],
            lambda: lambda flag, x, y: [np.where(flag, x, y)], a.device,
        )  # fmt: skip
    return found


def filled(a: Aval, number: int) -> Value:
    """A value of zeros or ones."""
    return record(_fill_spec(a, number), ())[0]


def zeros(a: Aval) -> Value:
    """A value of zeros."""
    return filled(a, 0)
