"""The trace: ops are appended here and run when a value is needed.

A record is (specialised op, slots of its inputs, slot of its first output). Slots >= 0 are results
of the trace, ~k is leaf k: a computed Value, or a Python number. Results are held by weak
references only: a result whose Value has died is not an output of the program.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import weakref
from bisect import bisect_right
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .device import CPU, META, device
from .storage import FLUSH, INLINE, OWNED, Aval, Value, concrete, traced

MAX_RECORDS = 2000  # a window ends here at the latest
BOUND_MASK = (
    63  # a window's bounds are looked at every 64 records; 0: every op runs at once (debug)
)
MAX_BYTES = 1 << 30  # … or when its leaves keep this much memory alive

_ref = weakref.ref
_new_value = Value.__new__


class Spec:
    """An op at given static arguments and input avals: the unit of recording.

    `fun` maps JAX arrays to a list of JAX arrays. `interpret` does the same on NumPy arrays, or is
    None where NumPy cannot.
    """

    __slots__ = (
        "name", "outs", "fun", "_interpret", "_make_interpret", "jit", "device", "cheap", "spent",
        "parts",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        outs: tuple[Aval, ...],
        fun: Callable[..., Sequence[Any]],
        make_interpret: Callable[[], Callable[..., Sequence[Any]] | None],
        where: device,
        cheap: bool = False,
        parts: tuple[tuple[Spec, tuple[int, ...]], ...] = (),
    ) -> None:
        self.name, self.outs, self.fun, self.device = name, outs, fun, where
        self.parts = parts  # of a joint record (core.joint): specs, and which inputs each takes
        self._make_interpret: Any = make_interpret
        self._interpret: Any = None
        self.jit: Any = None
        self.cheap = cheap  # NumPy does it without touching the elements
        self.spent = 0  # elements touched in NumPy by the larger runs so far

    @property
    def interpret(self) -> Callable[..., Sequence[Any]] | None:
        if self._make_interpret is not None:
            self._interpret, self._make_interpret = self._make_interpret(), None
        return self._interpret

    def __repr__(self) -> str:
        return f"<{self.name} -> {', '.join(map(repr, self.outs))}>"


def single(records: list[Any]) -> list[Any]:
    """Records with the joint ones taken apart."""
    if not any(spec.parts for spec, _, _ in records):
        return records
    found = []
    for spec, slots, first in records:
        for part, at in spec.parts or ((spec, range(len(slots))),):
            found.append((part, tuple([slots[i] for i in at]), first))
            first += len(part.outs)
    return found


PACKAGE = os.path.dirname(os.path.dirname(__file__))
_OURS = (PACKAGE, "<torchlike")  # where functions made from declarations say they are


def user_line() -> tuple[str, int] | None:
    """Path and line of the innermost frame outside this package; under a microsecond."""
    frame = sys._getframe(2)
    while frame is not None:
        code = frame.f_code
        if not code.co_filename.startswith(_OURS):
            return code.co_filename, frame.f_lineno
        frame = frame.f_back
    return None


CALM = 64  # compiled windows in a row, after which new traces no longer note where they began
calm = 0


class Trace:
    """Recorded ops not yet run, of one thread on one device."""

    __slots__ = (
        "records", "values", "leaves", "leaf_slots", "device", "busy", "frozen", "done", "lock",
        "bytes", "checks", "urgent", "line",
    )  # fmt: skip

    def __init__(self, where: device) -> None:
        self.records: list[tuple[Spec, tuple[int, ...], int]] = []
        self.values: list[weakref.ref[Value]] = []
        self.leaves: list[Any] = []
        self.leaf_slots: dict[Value, int] = {}
        self.device = where
        self.busy = self.frozen = self.done = False
        self.lock = threading.RLock()
        self.bytes = 0
        self.urgent = False  # whether torch.compile wants this window compiled at once
        self.checks: list[tuple[Value, Callable[[], BaseException]]] = []
        self.line = user_line() if calm < CALM else None


class State:
    """What each thread has of its own: grad mode, traces, what stands between call and record."""

    __slots__ = (
        "grad_enabled", "inference", "traces", "interposed", "tracing", "saved_hooks", "anomaly",
        "vmaps", "duals", "forward", "transforms", "runs", "given_grads",
    )  # fmt: skip

    def __init__(self) -> None:
        self.grad_enabled = True
        self.inference = False
        self.traces: dict[device, Trace] = {}
        self.interposed: Any = None
        self.saved_hooks: list[Any] = []  # (pack, unpack) of saved_tensors_hooks, innermost last
        self.anomaly: tuple[bool, bool] = (
            False,
            False,
        )  # anomaly mode, and whether it looks for NaN
        self.tracing = 0  # depth of JAX transforms this thread is inside of
        self.vmaps: list[Any] = []  # the levels of torch.vmap this thread is inside of
        self.duals: list[Any] = []  # … and those of forward mode
        self.transforms = 0  # depth of torch.func's derivatives this thread is inside of
        self.given_grads: Any = None  # in a capture: {id: tensor} of those whose grad was assigned
        self.runs: list[Any] = []  # the backward passes this thread is inside of
        self.forward: Any = None  # the one that torch.autograd.forward_ad is in


class _Local(threading.local):
    def __init__(self) -> None:
        self.state = State()


LOCAL = _Local()
_first_slot = itemgetter(2)  # of a record


class _NeedsInline(Exception):
    """An input holds a JAX tracer."""


class _NeedsFlush(Exception):
    """An input is pending in another trace."""


def _leaf(tr: Trace, v: Value) -> int:
    """The slot of a value that enters the trace from outside."""
    pending = v.trace
    if pending is not None:
        if pending is INLINE:
            raise _NeedsInline
        raise _NeedsFlush(pending)
    leaves = tr.leaves
    slot = ~len(leaves)
    leaves.append(v)
    tr.leaf_slots[v] = slot
    tr.bytes += v.aval.size * v.aval.np.itemsize
    return slot


def record(spec: Spec, inputs: Sequence[Any]) -> list[Value]:
    """Append an op to the trace: its outputs, as pending values."""
    where = spec.device
    if where is META:
        return [concrete(None, a) for a in spec.outs]
    state = LOCAL.state
    traces = state.traces
    tr = traces.get(where)
    if tr is None or tr.frozen:
        tr = traces[where] = Trace(where)
    if not inputs and state.tracing:
        return inline(spec, inputs)
    tr.busy = True
    try:
        if tr.frozen:  # another thread wants what we have so far
            tr.busy = False
            tr = traces[where] = Trace(where)
            tr.busy = True
        slots = []
        seen = tr.leaf_slots
        for v in inputs:
            if v.__class__ is Value:
                if v.trace is tr:
                    slots.append(v.slot)
                    continue
                slot = seen.get(v)
                slots.append(_leaf(tr, v) if slot is None else slot)
            else:
                if v.__class__ is int and not -(1 << 63) <= v < 1 << 63:
                    raise OverflowError("int too big to convert")
                slots.append(~len(tr.leaves))
                tr.leaves.append(v)
        values = tr.values
        first = slot = len(values)
        outs = []
        for a in spec.outs:
            o = _new_value(Value)
            o.aval = a
            o.array = None
            o.trace = tr
            o.slot = slot
            slot += 1
            outs.append(o)
            values.append(_ref(o))
        tr.records.append((spec, tuple(slots), first))
    except _NeedsInline:
        return inline(spec, inputs)
    except _NeedsFlush as needs:
        tr.busy = False  # never wait for another thread while it may be waiting for us
        flush(needs.args[0])
        return record(spec, inputs)
    finally:
        tr.busy = False
    count = len(tr.records)
    if not count & BOUND_MASK:
        _bound(tr, count)
    return outs


def _bound(tr: Trace, count: int) -> None:
    """End a window that has grown too long or heavy; forget one whose results have all died."""
    if not BOUND_MASK or count >= MAX_RECORDS or tr.bytes > MAX_BYTES:
        flush(tr)
    elif not tr.checks and all(r() is None for r in tr.values):
        tr.frozen = tr.done = True


class Batch:
    """What a Value holds inside `torch.vmap`: all examples, and the level of each leading dim."""

    __slots__ = ("value", "levels")

    def __init__(self, value: Value, levels: tuple[Any, ...]) -> None:
        self.value, self.levels = value, levels


VMAP: dict[str, Callable[..., Any]] = {}  # func.batch puts its functions here, by name
DUAL: dict[str, Callable[..., Any]] = {}  # core.dual likewise


def inline(spec: Spec, inputs: Sequence[Any]) -> list[Value]:
    """Run an op at once, inside the JAX transform that its inputs' tracers belong to."""
    for v in inputs:
        if v.__class__ is Value and v.array.__class__ is Batch:
            return VMAP["record"](spec, inputs)
    arrays = [inside(v) for v in inputs]
    return [traced(o, spec.device) for o in spec.fun(*arrays)]


def inside(v: Any) -> Any:
    """The array of a Value or number, inside a transform."""
    if v.__class__ is not Value:
        return jnp.asarray(number_array(v))
    if v.trace is not None and v.trace is not INLINE:
        flush(v.trace)
    return v.array


def number_array(n: Any) -> np.ndarray:
    """A Python number as a 0-d array: bool, int64, float64 or complex128."""
    if n.__class__ is np.ndarray:
        return n  # a bool or complex number that was made ready for a program before
    if isinstance(n, (bool, np.bool_)):
        return np.asarray(n, np.bool_)
    if isinstance(n, (int, np.integer)):
        return np.asarray(n, np.int64)
    if isinstance(n, (float, np.floating)):
        return np.asarray(n, np.float64)
    return np.asarray(n, np.complex128)


def check_later(flag: Value, error: Callable[[], BaseException]) -> None:
    """Raise `error()` at the flush if `flag` turns out true (at once if it is known already)."""
    tr = flag.trace
    if tr is None:
        if bool(np.asarray(flag.array)):
            raise error()
    elif tr is not INLINE:
        tr.checks.append((flag, error))


# ----- looking ahead -----
PEEK = 1 << 12  # elements of a constant that is made in NumPy just to be looked at


def peek(v: Value) -> Any:
    """A value's array as NumPy has it, if that takes microseconds: views and small constants of
    arrays that are there. None otherwise; the trace stays as it is.
    """
    tr = v.trace
    if tr is None:
        return None if v.array is None else np.asarray(v.array)
    if tr is INLINE or tr.device.type != "cpu" or not tr.lock.acquire(blocking=False):
        return None  # another thread runs it just now
    try:
        return None if tr.done else _peek_slot(tr, v.slot)
    finally:
        tr.lock.release()


def _peek_slot(tr: Trace, slot: int) -> Any:
    if slot < 0:
        leaf = tr.leaves[~slot]
        if leaf.__class__ is not Value:
            return number_array(leaf)
        return None if leaf.trace is not None or leaf.array is None else np.asarray(leaf.array)
    spec, slots, first = tr.records[bisect_right(tr.records, slot, key=_first_slot) - 1]
    small = not any(s >= 0 or tr.leaves[~s].__class__ is Value for s in slots)
    if not (spec.cheap or (small and spec.outs[0].size <= PEEK)) or spec.interpret is None:
        return None
    arrays = [_peek_slot(tr, s) for s in slots]
    return None if any(a is None for a in arrays) else spec.interpret(*arrays)[slot - first]


# ----- flushing -----
EXECUTE: list[Callable[[Trace], None]] = []  # core.run puts its executor here


def flush(tr: Trace) -> None:
    """Run a trace, from any thread. A failed or interrupted run leaves it so that it can repeat."""
    if tr.done:
        return
    tr.frozen = True
    if tr.busy:
        _wait(tr)
    with tr.lock:
        if tr.done:
            return
        if LOCAL.state.tracing:  # what was recorded before is a constant of the transform
            with jax.ensure_compile_time_eval():
                EXECUTE[0](tr)
        else:
            EXECUTE[0](tr)


class inside_transform:
    """Marks this thread as being inside a JAX transform."""

    def __enter__(self) -> None:
        LOCAL.state.tracing += 1

    def __exit__(self, *_: object) -> None:
        LOCAL.state.tracing -= 1


def _wait(tr: Trace) -> None:
    """Let the owning thread finish the record it is in the middle of (microseconds)."""
    give_up = time.monotonic() + 1.0
    while tr.busy and time.monotonic() < give_up:
        time.sleep(0)
    # Still busy: the owner was killed inside a record, which left nothing half done.


def flush_value(v: Value) -> None:
    """Compute a pending value."""
    tr = v.trace
    if tr is INLINE:
        raise VMAP["read_error"](v) if v.array.__class__ is Batch else traced_read_error()
    flush(tr)
    if v.trace is not None:
        raise RuntimeError("this value was lost: the program that computes it failed")


def flush_all() -> None:
    """Run everything this thread has recorded."""
    for tr in list(LOCAL.state.traces.values()):
        if tr.records:
            flush(tr)


def traced_read_error() -> RuntimeError:
    """Reading a value inside a JAX transform is impossible: it has none yet."""
    return RuntimeError(
        "the value of a tensor was read inside a JAX transform (vmap, grad, jit), where it is not "
        "known yet: print, item, numpy, bool and data-dependent shapes can't be used there"
    )


FLUSH.append(flush_value)

__all__ = [
    "CPU", "LOCAL", "OWNED", "Spec", "State", "Trace", "check_later", "flush", "flush_all",
    "flush_value", "inline", "number_array", "peek", "record",
]  # fmt: skip
