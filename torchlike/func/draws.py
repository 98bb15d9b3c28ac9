"""Random numbers inside `vmap`: one draw for all examples, or each example its own."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..core.mutate import overwrite
from ..core.record import LOCAL, VMAP
from ..core.storage import aval_of
from ..core.tape import zeros
from ..core.tensor import Tensor, from_host, wrap
from .batch import Level, Levels, enter, in_order, levels_of, tensor_levels, whole

RANDOM = (
    "vmap: called random operation while in randomness error mode. Please either use the 'same' or "
    "'different' randomness flags on vmap or perform the randomness operation out of vmap"
)
SAME = (
    "Vmap does not currently support same randomness with a batched tensor input. Please file an "
    "issue with functorch"
)
UNBATCHED = (
    "vmap: Cannot ask for different inplace randomness on an unbatched tensor. This will appear "
    "like same randomness. If this is necessary for your usage, please file an issue with "
    "functorch."
)


def _different() -> Levels:
    """The levels at which each example draws its own numbers."""
    levels = LOCAL.state.vmaps
    if any(level.randomness == "error" for level in levels):
        raise RuntimeError(RANDOM)
    return tuple(level for level in levels if level.randomness == "different")


def _entered(t: Tensor, levels: Levels) -> Tensor:
    for level in levels:
        t = enter(t, 0, level)
    return t


def _draw(draw: Callable[[], Tensor]) -> Tensor:
    """A draw inside vmap: one for all examples, or one after the other for each."""
    levels = _different()
    if not levels:
        return draw()
    sizes = [level.size for level in levels]
    draws = [whole(draw()._value_now()).array for _ in range(math.prod(sizes))]
    stacked = np.stack(draws).reshape(*sizes, *draws[0].shape)
    return _entered(from_host(stacked), levels)


@contextmanager
def _suspended() -> Iterator[None]:
    """As if no `vmap` were in progress: ops see the memory of all examples."""
    state = LOCAL.state
    saved = state.vmaps, state.interposed
    state.vmaps, state.interposed = [], None
    try:
        yield
    finally:
        state.vmaps, state.interposed = saved


def _fill(function: Callable[..., Any], t: Tensor, args: Any, kwargs: Any) -> Tensor:
    """A random fill inside vmap: of one example's memory for all, or of all memory at once."""
    levels = _different()
    if set(levels) - set(tensor_levels(t)):
        raise RuntimeError(UNBATCHED)
    given = [_over(a, levels, t.ndim) if isinstance(a, Tensor) else a for a in args]
    with _suspended():
        sizes = [level.size for level in levels]
        aval = aval_of((*sizes, *t.shape), t._aval.dtype, t._aval.device)
        memory = wrap(zeros(aval))
        function(memory, *given, **kwargs)
    return overwrite(t, _entered(memory, levels))


def _over(t: Tensor, levels: Levels, ndim: int) -> Tensor:
    """All examples of a tensor: one leading dim per level (of size 1 where it has none), and so
    many dims after those."""
    have = levels_of(t._value_now())
    value, shape = whole(t._value_now()), (1,) * (ndim - t.ndim) + tuple(t.shape)
    lead = [level.size if level in have else 1 for level in levels]
    with _suspended():
        return wrap(value).reshape(*lead, *shape)  # type: ignore[attr-defined]


def _draw_of(function: Callable[..., Tensor], args: Any, kwargs: Any) -> Tensor:
    """A draw whose parameters are tensors, for all examples at once where they are batched."""
    tensors = [x for x in (*args, *kwargs.values()) if isinstance(x, Tensor)]
    batched = {level for x in tensors for level in tensor_levels(x)}
    if not batched:
        return function(*args, **kwargs)
    different = set(_different())
    if batched - different:
        raise RuntimeError(SAME)
    levels, ndim = in_order(different), max(x.ndim for x in tensors)
    sizes = [level.size for level in levels]

    def of_all(x: Any) -> Any:
        if not isinstance(x, Tensor):
            return x
        found = _over(x, levels, ndim)
        return found if x is not tensors[0] else found.expand(*sizes, *found.shape[len(sizes) :])  # type: ignore[attr-defined]

    given, named = [of_all(x) for x in args], {k: of_all(x) for k, x in kwargs.items()}
    with _suspended():
        rows = function.__name__ == "multinomial"  # which takes matrices at most
        if rows:
            lead = given[0].shape[:-1]
            given[0] = given[0].reshape(-1, given[0].shape[-1])
        drawn = function(*given, **named)
        drawn = drawn.reshape(*lead, -1) if rows else drawn  # type: ignore[attr-defined]
    return _entered(drawn.detach(), levels)  # type: ignore[attr-defined]


def _repeated_for(t: Tensor, level: Level) -> Tensor:
    aval = aval_of((level.size, *t.shape), t._aval.dtype, t._aval.device)
    return wrap(zeros(aval))


def _blank(t: Tensor) -> Tensor:
    """Memory for all examples that draw their own numbers."""
    levels, have = _different(), tensor_levels(t)
    for level in levels:
        t = t if level in have else enter(_repeated_for(t, level), 0, level)
    return t


VMAP.update(blank=_blank, draw=_draw, draw_of=_draw_of, fill=_fill)
