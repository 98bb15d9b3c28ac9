"""`torchlike.jit`: a training step, run once in Python and from then on as one XLA program."""

from __future__ import annotations

import functools
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

from . import run
from .build_replay import finish
from .capture import CURRENT, Capture, Source, Uncapturable
from .dispatch import set_layout
from .geometry import contiguous_stride
from .guards import Guards, modes, surroundings
from .record import LOCAL, flush_all
from .replay import Replay, Stale
from .snapshot import PLAIN
from .storage import OWNED, concrete, storage_of
from .tensor import Tensor, fields_of

ONE_AT_A_TIME = threading.RLock()  # a capture takes what other captured steps hold: none may run

MAX_REPLAYS = 64  # captured steps kept per function, least recently used out first
_new = object.__new__


class Returned(NamedTuple):
    """One leaf of what a step returned. `kind`: plain, same, argument, grad, view or new."""

    kind: str
    item: Any
    fields: Any = None
    cls: type = Tensor


class Kept(NamedTuple):
    """A captured step: what runs it again, when it may, and what it returns."""

    replay: Replay
    guards: Guards
    returned: list[Returned]
    tree: Any
    avals: list[Any]


class jit:
    """A function over tensors whose ops, writes and optimizer steps run as one XLA program.

    Python runs once per signature: shapes and dtypes of tensor arguments, values of all others,
    modes, and what the step depends on (module attributes, which gradients and state exist …).
    Parameters, buffers, gradients, optimizer state, hyper-parameters and random draws become
    inputs and outputs by themselves. Reading a value inside raises RuntimeError naming the line.
    A step with a sparse gradient, whose places are values, runs in Python every time (its first
    call begins twice). `explain()` says why a call ran Python again.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        if not callable(function):
            raise TypeError(f"torchlike.jit takes a function, not {type(function).__name__}")
        self.function = function
        self.kept: OrderedDict[Any, list[Kept]] = OrderedDict()
        self.calls = self.captures = 0
        self.reasons: Counter[str] = Counter()
        self.programs: dict[int, Any] = {}
        self.plain: dict[Any, str] = {}
        functools.update_wrapper(self, function, updated=())

    def __get__(self, owner: Any, kind: Any = None) -> Any:
        if owner is None:
            return self
        bound = owner.__dict__.get(f"_jit_{id(self)}")
        if bound is None:
            bound = owner.__dict__[f"_jit_{id(self)}"] = jit(self.function.__get__(owner, kind))
        return bound

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if (
            CURRENT.capture is not None
            or LOCAL.state.tracing
            or LOCAL.state.vmaps
            or run.mode == "debug"
        ):
            return self.function(*args, **kwargs)
        flat, tree = jax.tree.flatten((args, kwargs))
        with ONE_AT_A_TIME:
            return self._run(flat, tree)

    def _run(self, flat: list[Any], tree: Any) -> Any:
        """By a replay, or captured anew."""
        tensors, key = _signature(flat, tree)
        told = ""
        for entry in self.kept.get(key, ()):
            broken = entry.guards.broken()
            if broken is None:
                try:
                    results = entry.replay.run(tensors)
                except Stale as stale:
                    entry.replay.stale = broken = str(stale)
                else:
                    self.calls += 1
                    return _rebuilt(entry, results, tensors)
            told = told or broken
        self.calls += 1
        if key in self.plain:
            return self._plainly(flat, tree, self.plain[key])
        self.reasons[told or "a new signature"] += 1
        return self._capture(flat, tree, tensors, key)

    def _capture(self, flat: list[Any], tree: Any, tensors: list[Tensor], key: Any) -> Any:
        flush_all()
        capture = Capture()
        try:
            with capture:
                stand_ins = _stand_ins(capture, tensors)
                given, named = jax.tree.unflatten(tree, _replaced(flat, tensors, stand_ins))
                out = self.function(*given, **named)
                del given, named
            leaves, out_tree = jax.tree.flatten(out)
            del out
            done = finish(capture, leaves, stand_ins, tensors)
        except BaseException as error:
            capture.rollback()
            if not isinstance(error, Uncapturable):
                raise
            self.plain[key] = str(error)
            return self._plainly(flat, tree, self.plain[key])
        self.captures += 1
        if done.program is not None:
            self.programs[id(done.program)] = done.program
        if done.replay is None:
            self.reasons[f"Python runs every time: {done.reason}"] += 1
        else:
            self._keep(capture, done.replay, key, leaves, out_tree, stand_ins)
        at = {id(s): t for s, t in zip(stand_ins, tensors, strict=True)}
        return jax.tree.unflatten(out_tree, [at.get(id(x), x) for x in leaves])

    def _plainly(self, flat: list[Any], tree: Any, reason: str) -> Any:
        """The function as it is, as often as it is called."""
        self.captures += 1
        self.reasons[f"Python runs every time: {reason}"] += 1
        given, named = jax.tree.unflatten(tree, flat)
        return self.function(*given, **named)

    def _keep(
        self, capture: Capture, replay: Replay, key: Any, leaves: list[Any], tree: Any,
        stand_ins: list[Tensor],
    ) -> None:  # fmt: skip
        returned = _returned(capture, replay, leaves, stand_ins)
        if returned is None:
            self.reasons["Python runs every time: it returns a view of an argument"] += 1
            return
        guards = Guards(capture, replay, surroundings(self.function))
        replay.guarded = guards
        entries = self.kept.setdefault(key, [])
        entries[:] = [e for e in entries if not e.replay.stale]
        avals = [replay.result_avals.get(r.item) for r in returned]
        entries.insert(0, Kept(replay, guards, returned, tree, avals))
        self.kept.move_to_end(key)
        if len(self.kept) > MAX_REPLAYS:
            self.kept.popitem(last=False)
        del entries[MAX_REPLAYS:]

    def explain(self) -> str:
        """How often Python ran and why; the programs there are."""
        lines = [
            f"{getattr(self, '__qualname__', 'step')}: {self.calls} calls, Python ran "
            f"{self.captures} times, {len(self.programs)} programs"
        ]
        lines += [f"  {n:5} × {reason}" for reason, n in self.reasons.most_common()]
        lines += [
            f"  program of {p.ops} ops, {p.label}: compiled in {p.seconds:.2f} s, run {p.hits} ×"
            for p in self.programs.values()
        ]
        return "\n".join(lines)


# ----- arguments -----
def _signature(flat: list[Any], tree: Any) -> tuple[list[Tensor], Any]:
    """The tensors among the arguments, and the key of everything else."""
    key: list[Any] = [tree, modes()]
    tensors: list[Tensor] = []
    seen: dict[int, int] = {}
    for x in flat:
        if x.__class__ is Tensor and not x._requires_grad:
            at = seen.setdefault(id(x), len(tensors))
            if at == len(tensors):
                tensors.append(x)
            stride = None if x._view is None else x._view.geometry.stride
            key.append((at, x._aval, stride))
        elif isinstance(x, Tensor):
            if x._grad_fn is not None:
                raise NotImplementedError(
                    "torchlike.jit: an argument that was computed under autograd; compute it "
                    "inside the step, or detach() it"
                )
            key.append(_Same(x))
        elif isinstance(x, np.ndarray):
            raise TypeError(
                "torchlike.jit: a NumPy array as argument would be a constant of the program; "
                "pass a tensor"
            )
        else:
            key.append((x.__class__, x) if isinstance(x, PLAIN) or _hashable(x) else _Same(x))
    return tensors, tuple(key)


def _hashable(x: Any) -> bool:
    try:
        hash(x)
    except TypeError:
        return False
    return True


class _Same:
    """A key that only the very same object equals."""

    __slots__ = ("held",)

    def __init__(self, held: Any) -> None:
        self.held = held

    def __eq__(self, other: Any) -> bool:
        return other.__class__ is _Same and other.held is self.held

    def __hash__(self) -> int:
        return id(self.held)


def _stand_ins(capture: Capture, tensors: list[Tensor]) -> list[Tensor]:
    """What the step sees in place of its tensor arguments: inputs of the program."""
    made = []
    for k, t in enumerate(tensors):
        value = capture.placeholder(t._aval, Source("argument", k))
        twin = _new(Tensor)
        twin._storage, twin._aval = storage_of(value), t._aval
        twin._inference = t._inference
        stride = tuple(t.geometry().stride)
        if stride != contiguous_stride(tuple(t.shape)) and not t.is_contiguous():
            set_layout(twin, stride)
        made.append(twin)
    return made


def _replaced(flat: list[Any], tensors: list[Tensor], stand_ins: list[Tensor]) -> list[Any]:
    twin = {id(t): s for t, s in zip(tensors, stand_ins, strict=True)}
    return [twin.get(id(x), x) if x.__class__ is Tensor else x for x in flat]


# ----- results -----
_LEFT_OUT = ("_storage", "_value", "_seen")


def _returned(
    capture: Capture, replay: Replay, leaves: list[Any], stand_ins: list[Tensor]
) -> list[Returned] | None:
    """How each leaf is made again; None when one can't be."""
    known = {id(t) for t, _ in capture.snapshot.tensors}
    grads = {id(g): t for t, g in replay.grads if g is not None}
    numbers = {id(s): k for k, s in enumerate(stand_ins)}
    inner = {id(s._storage) for s in stand_ins}
    inner |= {id(g._storage) for _, g in replay.grads if g is not None}
    made = []
    for x in leaves:
        if not isinstance(x, Tensor):
            made.append(Returned("plain", x))
        elif id(x) in numbers:
            made.append(Returned("argument", numbers[id(x)]))
        elif id(x) in grads:
            made.append(Returned("grad", grads[id(x)]))
        elif id(x) in known:
            made.append(Returned("same", x))
        elif id(x._storage) in inner:
            return None
        else:
            fields = {k: v for k, v in fields_of(x).items() if k not in _LEFT_OUT}
            if id(x._storage) in capture.known:
                made.append(Returned("view", x._storage, fields, type(x)))
            else:
                at = replay.result_of.get(id(x._storage.value))
                if at is None:
                    return None
                made.append(Returned("new", at, fields, type(x)))
    return made


def _rebuilt(entry: Kept, results: list[Any], tensors: list[Tensor]) -> Any:
    """What the step returns this time."""
    out: list[Any] = []
    storages: dict[int, Any] = {}
    for (kind, item, fields, cls), aval in zip(entry.returned, entry.avals, strict=True):
        if kind == "new":
            s = storages.get(item)
            if s is None:
                s = storages[item] = storage_of(concrete(results[item], aval, OWNED))
            t = _new(cls)
            fields_of(t).update(fields)
            t._storage = s
            out.append(t)
        elif kind == "view":
            t = _new(cls)
            fields_of(t).update(fields)
            t._storage = item
            out.append(t)
        elif kind == "argument":
            out.append(tensors[item])
        elif kind == "grad":
            out.append(item.grad)
        else:
            out.append(item)
    return jax.tree.unflatten(entry.tree, out)
