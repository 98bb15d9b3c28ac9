"""`vmap` over `autograd.Function`: the rule that its `vmap` staticmethod states."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from ..core.record import LOCAL
from ..core.tensor import Tensor
from ..func.batch import Level, enter, leave, tensor_levels
from ..utils._pytree import _broadcast_to_and_flatten, tree_flatten, tree_unflatten

_MORE = "For more details, please see https://pytorch.org/docs/main/notes/extending.func.html"
_TWO = (
    "Expected the vmap staticmethod to have two returns, an output and out_dims with pytree "
    "structure compatible with the output. "
)


class VmapInfo(NamedTuple):
    """What a rule is told of the `vmap` it stands for."""

    batch_size: int
    randomness: str


class Rule:
    """A Function on all examples of the innermost `vmap`, by its own `vmap` staticmethod."""

    def __init__(self, cls: Any, level: Level) -> None:
        self.cls, self.level = cls, level
        self.inside = LOCAL.state.transforms > level.depth  # a derivative of one example is asked

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        flat, spec = tree_flatten(args)
        dims = [self._dim(x) for x in flat]
        whole = [
            x if dim is None else leave(x, dim, self.level)
            for x, dim in zip(flat, dims, strict=True)
        ]
        with _below(self.level):
            if all(dim is None for dim in dims):
                return self.cls.apply(*args, **kwargs)
            info = VmapInfo(self.level.size, self.level.randomness)
            found = self.cls.vmap(info, tree_unflatten(dims, spec), *tree_unflatten(whole, spec))
        out, out_dims = _two(found)
        return self._entered(out, out_dims, {id(w): x for w, x in zip(whole, flat, strict=True)})

    def _dim(self, x: Any) -> int | None:
        return getattr(x, "_entered", 0) if self.level in tensor_levels(x) else None

    def _entered(self, out: Any, out_dims: Any, given: dict[int, Any]) -> Any:
        """What the rule returned, seen by one example; an argument that it returned is itself."""
        flat, spec = tree_flatten(out)
        dims = _broadcast_to_and_flatten(out_dims, spec)
        if dims is None:
            raise RuntimeError(
                "The autograd.Function's vmap staticmethod returned an incompatible (output, "
                f"out_dims) tuple. Expected out_dims={out_dims} to be compatible with the "
                f"structure of `output`. out_dims has structure {tree_flatten(out_dims)[1]} but "
                f"output has structure {spec}. {_MORE}"
            )
        return tree_unflatten(
            [self._one(x, d, given) for x, d in zip(flat, dims, strict=True)], spec
        )

    def _one(self, x: Any, dim: int | None, given: dict[int, Any]) -> Any:
        if not isinstance(x, Tensor):
            return x
        if id(x) in given:
            return given[id(x)]
        return x if dim is None else enter(x, dim % x.ndim, self.level)


def rule_of(cls: Any, plain: Any) -> Rule | None:
    """The rule of a Function (not the `plain` one's); None where its forward runs on examples."""
    own = cls.vmap is not plain.vmap
    if own and not cls.generate_vmap_rule:
        return Rule(cls, LOCAL.state.vmaps[-1])
    head = f"You tried to vmap over {cls.__name__}, but it "
    if own:
        raise RuntimeError(
            f"{head}has both generate_vmap_rule=True and an overridden vmap staticmethod. Please "
            "set generate_vmap_rule=False or delete the overridden vmap staticmethod to avoid "
            f"ambiguity. {_MORE}"
        )
    if not cls.generate_vmap_rule:
        raise RuntimeError(
            f"{head}does not have vmap support. Please override and implement the vmap "
            f"staticmethod or set generate_vmap_rule=True. {_MORE}"
        )
    return None


def _two(found: Any) -> tuple[Any, Any]:
    if not isinstance(found, tuple):
        raise RuntimeError(f"{_TWO}Got a {type(found)} instead")
    if len(found) != 2:
        raise RuntimeError(f"{_TWO}Got {len(found)} returns instead")
    return found


@contextmanager
def _below(level: Level) -> Iterator[None]:
    """As if the innermost `vmap`, and the derivatives inside it, were not in progress."""
    state = LOCAL.state
    saved = state.vmaps, state.transforms, state.interposed
    state.vmaps, state.transforms, state.interposed = saved[0][:-1], level.depth, level.outer
    try:
        yield
    finally:
        state.vmaps, state.transforms, state.interposed = saved
