"""What a node shows as `_saved_…`: PyTorch's names (saved.txt), found among what ours keeps.

An op whose arguments are spelled otherwise than PyTorch's says how with the trait `shows=`: names,
and functions of the `Call` that the node is of. Nothing here runs before somebody looks, but for
`kept`, once per pullback: what PyTorch saves and checks for writes though ours could do without.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from importlib.resources import files
from typing import Any, NamedTuple

from .check import BACKWARD_TWICE
from .geometry import contiguous_stride
from .storage import Aval, Shape

Shown = tuple[str, Any]  # "saved": its place among what the node saved; "known": a value; or "made"
_ENUMS = {"none": 0, "mean": 1, "sum": 2, "lstm": 2}  # reductions, kinds of recurrent layers
MISSING = object()


class Attribute(NamedTuple):
    """One thing that a node of PyTorch's saves: see scripts/record_saved.py."""

    name: str
    output: int | None
    guard: str
    kind: str
    default: str


@cache
def _table() -> dict[str, tuple[Attribute, ...]]:
    lines = files("torchlike.core").joinpath("saved.txt").read_text("utf-8").splitlines()
    return {name: tuple(map(_attribute, rest)) for name, *rest in map(str.split, lines)}


def _attribute(text: str) -> Attribute:
    head, _, kind = text.partition(":")
    kind, _, default = kind.partition("=")
    head, _, guard = head.partition("?")
    name, _, output = head.partition("@")
    return Attribute(name, int(output) if output else None, guard, kind, default)


def _wanted(plan: Any) -> tuple[Attribute, ...] | None:
    name = plan.node_class
    return _table().get(name if isinstance(name, str) else name.__name__)


# ----- what is kept to be shown, and watched for writes -----
def kept(plan: Any, targets: Sequence[int]) -> tuple[list[int], list[int]]:
    """Places (inputs, then results) that PyTorch saves, and the inputs that are numbers."""
    tensors, numbers = [], []
    for wanted in _wanted(plan) or ():
        at = _place(plan, wanted.name)
        if wanted.output is not None:
            if wanted.output < len(plan.outs):
                tensors.append(len(plan.avals) + wanted.output)
        elif at is None or wanted.guard and _place(plan, wanted.guard) not in targets:
            continue
        elif not isinstance(plan.avals[at], Aval):
            numbers.append(at)
        elif wanted.kind in ("Tensor", "Tensor?"):
            tensors.append(at)
    return tensors, numbers


def _place(plan: Any, name: str) -> int | None:
    """The input that PyTorch calls `name`; its `self` is our first one."""
    own = "input" if name == "self" else name
    if own in plan.names:
        return plan.names.index(own)
    others = {wanted.name for wanted in _wanted(plan) or ()}
    if name == "self" and plan.op.inputs and plan.op.inputs[0].name == plan.names[0] not in others:
        return 0
    return None


def order_of(node: Any, at: int) -> int:
    """When PyTorch looks at what our node saved at this place."""
    pull, plan = node.pullback, node.plan
    n = len(pull.inputs)
    for i, wanted in enumerate(_wanted(plan) or ()):
        if wanted.output is None:
            if at < n and _place(plan, wanted.name) == pull.inputs[at]:
                return i
        elif at >= n and wanted.output == pull.results[at - n]:
            return i
    return at


def in_order(node: Any, saved: Sequence[Any]) -> list[int]:
    """The places of what a node saved, in the order in which PyTorch looks at them."""
    return sorted(range(len(saved)), key=lambda at: order_of(node, at))


# ----- what is shown -----
def note(t: Any, **given: Any) -> Any:
    """The tensor; its node shows these arguments as they were given."""
    if t._grad_fn is not None:
        t._grad_fn.given = given
    return t


def note_dim(found: Any, function: str, dim: int) -> None:
    """A function's own node shows a dim as it was given; ours know it counted from the front."""
    t = found[0] if isinstance(found, tuple) and found else found
    node: Any = getattr(t, "_grad_fn", None)
    plan = getattr(node, "plan", None)
    if plan is not None and "dim" in plan.given and node.given is None:
        name = plan.node_class if isinstance(plan.node_class, str) else plan.node_class.__name__
        if name[: name.find("Backward")] == _NODES.get(function) or name.startswith(
            function.title().replace("_", "") + "Backward"
        ):
            node.given = {"dim": dim}


_NODES = {"chunk": "Split", "narrow": "Slice"}


def saved_names(node: Any) -> dict[str, Shown]:
    """What PyTorch calls each thing that a node saved or knows."""
    wanted, plan = _wanted(node.plan), node.plan
    if wanted is None:
        return _declared(node)
    found: dict[str, Shown] = {}
    for one in wanted:
        if node.given is not None and one.name in node.given:
            found[one.name] = "made", partial(_given, node, one)
            continue
        shows = plan.op.shows.get(one.name)
        shown = _shown(node, one) if shows is None else ("made", partial(_made, node, one, shows))
        if shown is not None:
            found[one.name] = shown
    return found


def _given(node: Any, wanted: Attribute) -> Any:
    if node.saved is None and wanted.kind.startswith("Tensor"):
        raise RuntimeError(BACKWARD_TWICE)
    return as_shown(node.given[wanted.name], wanted.kind)


def _made(node: Any, wanted: Attribute, shows: Callable[[Any], Any]) -> Any:
    return as_shown(shows(Call(node)), wanted.kind)


def _shown(node: Any, wanted: Attribute) -> Shown | None:
    pull, plan, name = node.pullback, node.plan, wanted.name
    if wanted.output is not None:
        kept = wanted.output in pull.results
        return ("saved", len(pull.inputs) + pull.results.index(wanted.output)) if kept else None
    at = _place(plan, name)
    if at is not None and not isinstance(plan.avals[at], Aval) and "Tensor" not in wanted.kind:
        return "made", lambda: as_shown(getattr(Call(node), plan.names[at]), wanted.kind)
    if at is not None:
        return ("saved", pull.inputs.index(at)) if at in pull.inputs else ("known", None)
    params = {_torchs(p.name): p for p in plan.op.params}
    if name in params and params[name].kind == "static":
        return "known", as_shown(plan.given[params[name].name], wanted.kind)
    if wanted.default and (name in params or _spelled_alike(plan)):
        return "known", as_shown(_default(wanted.default), wanted.kind)
    return ("known", None) if name in params else _of_shape(node, name)


def _spelled_alike(plan: Any) -> bool:
    """Whether every parameter has PyTorch's name: then those that we lack have their defaults."""
    theirs = {wanted.name.partition("_sym_")[0] for wanted in _wanted(plan) or ()}
    spelled = (p.name in theirs or _place(plan, p.name) is not None for p in plan.op.params)
    firsts = (p.kind in ("tensor", "operand") for p in plan.op.params)
    return all(a or b for a, b in zip(spelled, firsts, strict=True))


def _of_shape(node: Any, name: str) -> Shown | None:
    owner, _, what = name.partition("_sym_")
    at = _place(node.plan, owner)
    aval = None if at is None else node.plan.avals[at]
    if at is None or not isinstance(aval, Aval):
        return None
    if what == "sizes":
        return "known", tuple(aval.shape)
    if what == "strides":
        return "known", stride_of(node, at)
    if what == "numel":
        return "known", aval.size
    if what.startswith("argsize_"):
        return "known", aval.shape[int(what[8:].replace("minus_", "-"))]
    return None


def stride_of(node: Any, at: int) -> Shape:
    """The strides an input had."""
    if node.strides is not None:
        return node.strides[at]
    return contiguous_stride(tuple(node.plan.avals[at].shape))


def _default(text: str) -> Any:
    words = {"None": None, "True": True, "False": False, "[]": ()}
    if text in words or not text.lstrip("-")[0].isdigit():
        return words.get(text, text.strip("'"))
    return float(text) if "." in text or "e" in text else int(text)


def as_shown(value: Any, kind: str) -> Any:
    """A value as PyTorch's binding of that type shows it: integers have no sign."""
    if isinstance(value, str):
        return _ENUMS.get(value, value) if kind == "int" else value
    kind = kind.rstrip("?")
    if kind.startswith("int[") and value is not None:
        count = int(kind[4:-1] or 1)
        given = tuple(value) if isinstance(value, (tuple, list)) else (value,) * count
        return tuple(_unsigned(n) for n in given)
    if kind == "int" and value is not None:
        return _unsigned(value)
    return value


def _unsigned(n: Any) -> int:
    return int(n) % (1 << 64)


class Call:
    """The call that a node is of: its arguments by name, `shape` the first tensor's."""

    def __init__(self, node: Any) -> None:
        self._node = node

    def __getattr__(self, name: str) -> Any:
        node = self._node
        plan, pull = node.plan, node.pullback
        if name in plan.given:
            return plan.given[name]
        if name not in plan.names:
            return None
        at = plan.names.index(name)
        if at in pull.inputs:
            found = node.item_saved_at(pull.inputs.index(at))
            return found if isinstance(plan.avals[at], Aval) else _number(found)
        return node.numbers[pull.numbers.index(at)] if at in pull.numbers else None

    def size(self, name: str) -> Shape:
        """The shape of a tensor, () of one that was not given."""
        plan = self._node.plan
        return tuple(plan.avals[plan.names.index(name)].shape) if name in plan.names else ()

    def shapes(self, name: str) -> list[Shape]:
        """The shapes of a list of tensors."""
        own = self._node.plan.names
        return [self.size(n) for n in own if n.rstrip("0123456789") == name]

    def tensors(self, name: str) -> list[Any]:
        """Those of a list of tensors."""
        own = self._node.plan.names
        return [getattr(self, n) for n in own if n.rstrip("0123456789") == name]

    def result(self, at: int = 0) -> Any:
        """A saved result."""
        pull = self._node.pullback
        return self._node.item_saved_at(len(pull.inputs) + pull.results.index(at))


def _number(x: Any) -> Any:
    return x.item() if hasattr(x, "item") else x


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
    for name, value in plan.statics.items():
        if name in plan.op.formula_params and value is not None:
            found[_torchs(name)] = ("known", value)
    return found
