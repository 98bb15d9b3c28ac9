"""What a node shows as `_saved_…`: PyTorch's names (saved.txt) for what ours keeps or knows.

A number that only PyTorch keeps (the alpha of a sum) is not shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from .storage import Aval

Shown = tuple[str, Any]  # ("saved", its place among what the node saved) or ("known", the value)
REDUCTIONS = {"none": 0, "mean": 1, "sum": 2}


@cache
def _table() -> dict[str, list[str]]:
    lines = files("torchlike.core").joinpath("saved.txt").read_text("utf-8").splitlines()
    return {name: rest for name, *rest in map(str.split, lines)}


def saved_names(node: Any) -> dict[str, Shown]:
    """What PyTorch calls each thing that a node saved or knows."""
    wanted = _table().get(node.name())
    if wanted is None or node.plan.op.saves:
        return _declared(node)
    found = {}
    for name in wanted:
        plain, _, output = name.partition("@")
        shown = next(_candidates(node, plain, int(output) if output else None), None)
        if shown is not None:
            found[plain] = shown
    return found


def _candidates(node: Any, name: str, output: int | None) -> Iterator[Shown]:
    pull, plan = node.pullback, node.plan
    n = len(pull.inputs)
    if output is not None:
        if output in pull.results:
            yield "saved", n + pull.results.index(output)
        return
    for k, at in enumerate(pull.inputs):
        if name in (plan.names[at], _torchs(plan.names[at])):
            yield "saved", k
    if name == "self" and 0 in pull.inputs and plan.names[0] not in _table()[node.name()]:
        yield "saved", pull.inputs.index(0)
    if name in plan.statics:
        yield "known", _shown(name, plan.statics[name])
    owner, _, what = name.partition("_sym_")
    aval = _aval(plan, owner)
    if aval is not None and what == "sizes":
        yield "known", tuple(aval.shape)
    elif aval is not None and what == "numel":
        yield "known", aval.size
    elif aval is not None and what.startswith("argsize_"):
        yield "known", aval.shape[int(what[8:])]
    kinds = {_torchs(p.name): p.kind for p in plan.op.inputs}
    if kinds.get(name) == "operand":  # the other operand is a number: this one is not needed
        yield "known", None


def _aval(plan: Any, owner: str) -> Aval | None:
    for name, aval in zip(plan.names, plan.avals, strict=False):
        if owner in (name, _torchs(name)) and isinstance(aval, Aval):
            return aval
    return None


def _shown(name: str, value: Any) -> Any:
    return REDUCTIONS[value] if name == "reduction" and isinstance(value, str) else value


def _torchs(name: str) -> str:
    return "self" if name == "input" else name


def _declared(node: Any) -> dict[str, Shown]:
    """The names of the declaration, for nodes that PyTorch does not generate."""
    pull, plan = node.pullback, node.plan
    n = len(pull.inputs)
    found: dict[str, Shown] = {}
    for k, at in enumerate(pull.inputs):
        found[_torchs(plan.names[at])] = ("saved", k)
    for k, at in enumerate(pull.results):
        found["result" + (str(at) if len(plan.outs) > 1 else "")] = ("saved", n + k)
    saves = plan.op.saves
    wanted: Any = (saves(plan.statics) if callable(saves) else saves) or plan.op.formula_params
    for name, value in plan.statics.items():
        if name in wanted and value is not None:
            found[_torchs(name)] = ("known", value)
    if "input" in wanted and "self" not in found:
        found["self_sym_sizes"] = ("known", tuple(plan.avals[0].shape))
    if "self_sym_numel" in wanted:
        found["self_sym_numel"] = ("known", plan.avals[0].size)
    return found
