"""Capture: a step's ops recorded as one window whose inputs and outputs are found by watching.

While a step is captured, `Storage.value` is a property. The first look at memory that existed
before gives a placeholder, an input of the program; a write to it makes an output. Numbers drawn
and hyper-parameters used on the way become inputs too, with what makes them anew on the host.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from contextlib import contextmanager
from functools import wraps
from typing import Any, NamedTuple

import numpy as np

from . import storage as memory
from .capture_trace import OneTrace
from .capture_trace import where as where
from .device import CPU
from .dtypes import from_numpy
from .fills import choice_spec
from .record import LOCAL, flush_all, record
from .rng import Generator
from .snapshot import Snapshot, reachable
from .storage import HostStorage, Storage, Value, aval_of, concrete, let_go
from .tensor import Tensor, wrap

_raw: Any = memory._value_slot


class Uncapturable(NotImplementedError):
    """What a step does has no program whatever its values are; `torchlike.jit` runs it plainly."""


class _Current(threading.local):
    capture: Capture | None = None
    numbers: list[Any] | None = None  # where `apply` puts its numbers while a step is replayed


CURRENT = _Current()


# ----- where inputs come from -----
class Source(NamedTuple):
    """An input of the program: `storage`, `argument` number or `draw`."""

    kind: str
    item: Any


class Draw(NamedTuple):
    """Numbers to be drawn on the host before each run, for one input."""

    draw: Callable[[Generator], np.ndarray]
    generator: Generator
    leaf: int

    def __call__(self) -> np.ndarray:
        return self.draw(self.generator)


class Update:
    """One optimizer's numbers for parameters that share them: made anew before each run."""

    def __init__(self, optimizer: Any, args: tuple[Any, ...]) -> None:
        self.optimizer, self.args = optimizer, args
        self.storages: list[list[Storage]] = []  # of each parameter: counters kept on the host
        self.before: list[tuple[Storage, Any, int]] = []  # the counters before the capture's update
        self.skip: Value | None = None  # set where the update does not happen (GradScaler)
        self.statics: Any = None
        self.names: list[str] = []  # the numbers that are inputs
        self.leaves: dict[int, str] = {}  # leaf -> name of its number

    def fits(self, rule: Any, state: Any, numbers: dict[str, Any]) -> bool:
        """Whether a rule's call selects the same code as the captured one."""
        was, missing, options = self.statics
        if rule is not was or len(numbers) != len(options):
            return False
        for t, none in zip(state, missing, strict=True):
            if (t is None) is not none:
                return False
        for name, kind in options:
            n = numbers[name]
            if n.__class__ is not kind and (n is not kind and n != kind):
                return False
        return True


class Hosted(NamedTuple):
    """A method that runs on the host again before each run (a scheduler's step)."""

    method: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class Stream(NamedTuple):
    """A generator's state saved (`state` None) or put back, to be done again before each run."""

    generator: Generator
    saved: int
    state: np.ndarray | None


# ----- the capture -----
class Capture:
    """One run of a step, watched."""

    def __init__(self) -> None:
        self.snapshot = Snapshot()
        self.known = self.snapshot.storages()
        for s in self.known.values():
            let_go(s)
        self.hosts = {k: s for k, s in self.known.items() if isinstance(s, HostStorage)}
        self.before: dict[Storage, tuple[Any, int]] = {}  # of touched memory: raw value, version
        self.hosted: set[Storage] = set()  # written on the host
        self.fresh: dict[Storage, Value] = {}  # of memory made inside: the first value seen
        self.placeholders: list[tuple[int, weakref.ref[Value]]] = []
        self.effects: list[Any] = []
        self.groups: dict[Any, Update] = {}
        self.generators: dict[Generator, np.ndarray] = {}
        self.saves: list[np.ndarray] = []
        self.stepped: list[Any] = []
        self.region: dict[Storage, Value] | None = None  # memory written inside `unless`: before
        self.positive: list[Storage] = []  # counters known to be above 0
        self.traces = OneTrace()
        self.hosting = 0
        self.reason: str | None = None  # why the capture can't be replayed
        self._streams: Any = None
        self._regrown: list[tuple[Tensor, Any]] | None = None

    @property
    def trace(self) -> Any:
        """The trace; None before the first op."""
        return next(iter(self.traces.values()), None)

    def here(self) -> Any:
        return self.trace or self.traces.get(CPU)

    # ----- watching -----
    def __enter__(self) -> Capture:
        if CURRENT.capture is not None:
            raise RuntimeError("a capture inside a capture")
        state = LOCAL.state
        self.outer, state.traces = state.traces, self.traces
        state.given_grads = self.given_grads = {}
        for s in self.known.values():
            if s.__class__ is not Storage and s.__class__ is not HostStorage:
                _ = s.value  # memory another program holds becomes ordinary again
        for s in self.hosts.values():
            s.__class__ = Storage  # type: ignore[assignment]
        CURRENT.capture = self
        _watch(+1)
        return self

    def __exit__(self, *_: object) -> None:
        _watch(-1)
        CURRENT.capture = LOCAL.state.given_grads = None
        LOCAL.state.traces = self.outer
        for s in self.hosts.values():
            if s.host is not None:
                s.__class__ = HostStorage  # type: ignore[assignment]

    def placeholder(self, aval: Any, source: Source) -> Value:
        """A value that stands for an input."""
        trace = self.trace or self.traces.get(aval.device)
        v = concrete(None, aval)
        v.trace, v.slot = trace, ~len(trace.leaves)
        trace.leaves.append(source)
        self.placeholders.append((v.slot, weakref.ref(v)))
        return v

    def read(self, s: Storage, v: Any) -> Any:
        """What a look at memory gives."""
        if v is not None and v.trace is not None and v.trace is self.trace:
            if self.hosting and v.slot < 0 and s in self.before:
                return self.real(s, self.before[s][0])
            return v
        if self.hosting:
            return self.real(s, v)
        if id(s) in self.known:
            self.note(s, v)
            lifted = self.placeholder(self.real(s, v).aval, Source("storage", s))
            _raw.__set__(s, lifted)
            return lifted
        if v is not None and v.trace is None:
            self.fresh.setdefault(s, v)
        return v

    def real(self, s: Storage, v: Any) -> Value:
        """The value as it was before, also of memory shared with NumPy."""
        return memory.host_value(np.array(s.host, order="C")) if v is None else v

    def write(self, s: Storage, v: Value) -> None:
        if self.region is not None and not self.hosting and s not in self.region:
            try:
                self.region[s] = self.read(s, _raw.__get__(s))
            except AttributeError:
                pass  # memory that is just being made
        if id(s) in self.known:
            self.note(s, _raw.__get__(s))
            if self.hosting:
                self.hosted.add(s)
        _raw.__set__(s, v)

    def note(self, s: Storage, v: Any) -> None:
        if s not in self.before:
            self.before[s] = v, s.version

    # ----- on the host -----
    @contextmanager
    def on_host(self) -> Any:
        """Inside, memory is read and written at once; nothing is lifted."""
        self.hosting += 1
        try:
            yield
        finally:
            self.hosting -= 1

    def call_hosted(self, method: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Run a method that will run again before each run of the program."""
        if self.hosting:
            return method(*args, **kwargs)
        earlier = Snapshot(reachable(list(args)))
        with self.on_host():
            result = method(*args, **kwargs)
        if result is not None:
            self.reason = self.reason or f"{method.__qualname__} gave a result"
        self.effects.append(Hosted(method, args, kwargs))
        self.snapshot.accept(earlier.changed())  # what it changes, it will change again
        return result

    def draw(self, draw: Callable[[Generator], np.ndarray], source: Generator, where: Any) -> Any:
        """Numbers drawn on the host, as an input."""
        self.note_stream(source)
        array = draw(source)
        v = self.placeholder(
            aval_of(tuple(array.shape), from_numpy(array.dtype), where), Source("draw", array)
        )
        self.effects.append(Draw(draw, source, ~v.slot))
        return wrap(v)

    def note_stream(self, generator: Generator) -> None:
        if generator not in self.generators:
            self.generators[generator] = np.array(_save(generator))

    def save_stream(self, generator: Generator) -> np.ndarray:
        self.note_stream(generator)
        state = _save(generator)
        self.effects.append(Stream(generator, len(self.saves), None))
        self.saves.append(state)
        return state

    def load_stream(self, generator: Generator, state: np.ndarray) -> Generator:
        self.note_stream(generator)
        given = state.tobytes()
        at = next((i for i, s in enumerate(self.saves) if s.tobytes() == given), -1)
        self.effects.append(Stream(generator, at, np.array(state)))
        return _load(generator, state)

    # ----- optimizers -----
    def update(self, optimizer: Any, param: Any, grad: Any, state: Any, group: Any) -> None:
        """One parameter's update: its counters move on the host, its rule is recorded."""
        update = Update(optimizer, (param, param, state, group))
        self.applying = update
        counted = {s for s in self.hosted}
        held = [t for t in state.values() if isinstance(t, Tensor) and t._aval.ndim == 0]
        earlier = tuple(_plain(t) for t in held)
        marks = [(t._storage, _raw.__get__(t._storage), t._storage.version) for t in held]
        with self.on_host():
            optimizer._update(param, grad, state, group)
        mine = [t._storage for t in held if t._storage in self.hosted - counted]
        shape = tuple(param.shape) if optimizer._per_shape else ()
        key = (
            id(optimizer), id(group), shape, earlier, update.statics,
            tuple(map(_word, self.numbers)),
        )  # fmt: skip
        leader = self.groups.get(key)
        if leader is None:
            leader = self.groups[key] = update
            self.effects.append(update)
        elif leader is not update:
            leader.leaves.update(update.leaves)
        leader.storages.append(mine)
        leader.before += [mark for mark in marks if mark[0] in mine]

    def unless(self, flag: Tensor, step: Callable[[], Any]) -> Any:
        """Run a step whose writes, and counters, only hold where the flag is not set."""
        if self.region is not None:
            raise NotImplementedError("torchlike.jit: a step that may be skipped inside another")
        skip, first = flag._value_now(), len(self.effects)
        self.region = {}
        try:
            result = step()
        finally:
            region, self.region = self.region, None
        for s, old in region.items():
            new = _raw.__get__(s)
            if new is not old and s not in self.hosted:
                _raw.__set__(s, record(choice_spec(old.aval), (skip, old, new))[0])
        for e in self.effects[first:]:
            if not isinstance(e, Update):
                raise NotImplementedError("torchlike.jit: a step that may be skipped draws numbers")
            e.skip = skip
        return result

    def apply(
        self, rule: Callable[..., Any], run: Callable[[], None], state: Any, numbers: dict[str, Any]
    ) -> None:
        """Record a rule; its numbers become inputs."""
        update = self.applying
        if any(isinstance(n, Tensor) for n in numbers.values()):
            raise NotImplementedError(
                "torchlike.jit: a tensor as an optimizer's hyper-parameter inside the step"
            )
        update.statics = statics_of(rule, state, numbers)
        update.names = [n for n in rule.order if is_number(numbers.get(n))]
        self.numbers = [numbers[n] for n in update.names]
        first = len(self.here().leaves)
        hosting, self.hosting = self.hosting, 0
        try:
            run()
        finally:
            self.hosting = hosting
        leaves = self.here().leaves
        places = [i for i in range(first, len(leaves)) if is_number(leaves[i])]
        if len(places) != len(update.names):
            raise RuntimeError(f"{rule} took {len(places)} numbers, not {len(update.names)}")
        update.leaves = dict(zip(places, update.names, strict=True))

    def count(self, counter: Tensor) -> int:
        """A counter's value, of which the step may only use whether it is 0."""
        s = counter._storage
        with self.on_host():
            found = int(memory.read_numpy(s.value))
        if found == 0:
            self.reason = self.reason or "a counter is still 0"
        else:
            self.positive.append(s)
        return found

    # ----- undoing -----
    def regrown(self) -> list[tuple[Tensor, Any]]:
        """(tensor, its grad before) where the step, and no other thread, changed `.grad`.

        Found when the step has just ended: its gradients are still pending.
        """
        if self._regrown is None:
            self._regrown = [(t, old) for t, old in self.snapshot.regrown() if self.is_mine(t)]
        return self._regrown

    def is_mine(self, t: Tensor) -> bool:
        if id(t) in self.given_grads:
            return True
        memory = getattr(t._grad, "_storage", None)
        value = None if memory is None else _raw.__get__(memory)
        return t._grad is not None and (value is None or value.trace is self.trace)

    def rollback(self) -> None:
        """Everything as it was before the step."""
        for s, (value, version) in self.before.items():
            _raw.__set__(s, value)
            s.version = version
        for generator, state in self.generators.items():
            _load(generator, state)
        mine = {id(t) for t, _ in self.regrown()}
        self.snapshot.restore({id(t) for t, _ in self.snapshot.regrown()} - mine)


def _plain(t: Tensor) -> Any:
    """A 0-dim tensor's number, or None if it isn't known on the host."""
    v = _raw.__get__(t._storage)
    return v.array.item() if v is not None and isinstance(v.array, np.ndarray) else None


def is_number(x: Any) -> bool:
    return isinstance(x, (int, float, np.number)) and not isinstance(x, bool)


def _word(x: Any) -> Any:
    return type(x), np.asarray(x).tobytes()


def statics_of(rule: Any, state: Any, numbers: dict[str, Any]) -> Any:
    """What selects code in a rule's call: which state there is, which numbers, other options."""
    return (
        rule,
        tuple(t is None for t in state),
        tuple((k, type(v) if is_number(v) else v) for k, v in sorted(numbers.items())),
    )


# ----- the watched properties -----
_save, _load = Generator.save, Generator.load
_watching = 0
_lock = threading.Lock()


def _host(s: Storage) -> Any:
    """NumPy's memory, in another thread's storage: an ordinary one never had the field set."""
    return getattr(s, "host", None)


def _get(s: Storage) -> Any:
    capture = CURRENT.capture
    v = _raw.__get__(s)
    if capture is not None:
        return capture.read(s, v)
    return HostStorage.value.fget(s) if v is None and _host(s) is not None else v  # type: ignore[attr-defined]


def _set(s: Storage, v: Value) -> None:
    capture = CURRENT.capture
    if capture is not None:
        capture.write(s, v)
    elif _host(s) is not None and _raw.__get__(s) is None:
        HostStorage.value.fset(s, v)  # type: ignore[attr-defined]
    else:
        _raw.__set__(s, v)


def _watched_save(g: Generator) -> np.ndarray:
    capture = CURRENT.capture
    return _save(g) if capture is None else capture.save_stream(g)


def _watched_load(g: Generator, state: np.ndarray) -> Generator:
    capture = CURRENT.capture
    return _load(g, state) if capture is None else capture.load_stream(g, state)


def _watch(more: int) -> None:
    """Put the watched properties in place while any thread captures."""
    global _watching
    with _lock:
        _watching += more
        Storage.value = property(_get, _set) if _watching else _raw  # type: ignore[assignment]
        Generator.save = _watched_save if _watching else _save  # type: ignore[method-assign]
        Generator.load = _watched_load if _watching else _load  # type: ignore[method-assign]


# ----- what the rooms below call -----
def hosted(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method that torchlike.jit runs on the host before each run of a step that calls it."""

    @wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        capture = CURRENT.capture
        if capture is None:
            return method(*args, **kwargs)
        return capture.call_hosted(method, args, kwargs)

    return call


def current() -> Capture | None:
    """The capture this thread is inside of."""
    return CURRENT.capture


def prepare() -> None:
    """Before a capture: nothing is pending."""
    flush_all()
