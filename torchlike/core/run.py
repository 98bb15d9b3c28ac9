"""The tiers: interpret in NumPy, one XLA program per op, or one XLA program for a whole window.

A window is what a trace holds when it is flushed; its ops are its identity. A window seen HOT times
becomes one fused program, which serves every later window of the same ops whose live results it
produces. Dead results are dropped; buffers that nothing else holds are donated.
"""

from __future__ import annotations

import os
import time
import weakref
from collections import Counter, OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from . import record as recording
from .device import to_jax
from .dtypes import from_numpy
from .record import EXECUTE, LOCAL, Spec, Trace, flush, number_array
from .storage import OWNED, SHARED, Value, aval_of, concrete

HOT = 3  # windows seen this often become one program
SMALL = 1 << 16  # elements an op may touch to be interpreted in NumPy
SETTLED = 4  # runs after which a program that donates nothing is looked at again
HEAVY = 8  # a new window with more uninterpretable, uncompiled ops is compiled whole
MAX_WINDOWS = 512  # compiled windows kept, least recently used out first
MAX_VARIANTS = 4  # programs per window: different sets of live results
DONATE_BYTES = 1 << 12  # a smaller buffer is not worth donating

MODES = ("fused", "strict", "debug")
mode = "fused"


def set_mode(name: str) -> None:
    """How ops run: `fused` windows (default), `strict` op by op, `debug` at once and checked."""
    global mode
    if name not in MODES:
        raise ValueError(f"TORCHLIKE_MODE must be one of {', '.join(MODES)}, got {name!r}")
    step_boundary()
    mode = name
    recording.BOUND_MASK = 0 if name == "debug" else 63


class Stats:
    """What ran how, since the start."""

    def __init__(self) -> None:
        self.windows = self.interpreted = self.per_op = self.fused = self.compiled = 0
        self.compile_seconds = 0.0


stats = Stats()


class Window:
    """One sequence of ops: how often it was seen, and its fused programs."""

    __slots__ = ("seen", "programs", "layout", "label", "numbers")

    def __init__(self, label: str) -> None:
        self.seen = 0
        self.programs: list[Program] = []
        self.layout: list[str] | None = None  # what each leaf is: array, float, int, other
        self.numbers: tuple[Any, ...] | None = None
        self.label = label


class Program:
    """A fused window: the live results it gives and the leaves it may donate."""

    __slots__ = ("live", "index", "donated", "gone", "call", "seconds", "hits")

    def __init__(
        self, live: tuple[int, ...], donated: tuple[int, ...], call: Callable[..., Any]
    ) -> None:
        self.live, self.donated, self.call = live, donated, call
        self.index = {slot: i for i, slot in enumerate(live)}
        self.gone = frozenset(donated)
        self.seconds, self.hits = 0.0, 0


windows: OrderedDict[tuple[Any, ...], Window] = OrderedDict()


# ----- the executor -----
def execute(tr: Trace) -> None:
    """Run a trace and give its live values their arrays. Leaves it repeatable if it fails."""
    traces = LOCAL.state.traces
    if traces.get(tr.device) is tr:
        del traces[tr.device]
    live = [v for v in [r() for r in tr.values] if v is not None and v.trace is tr]
    if tr.records and (live or tr.checks):
        _dispatch(tr, live)
    checks = tr.checks
    tr.done = True
    tr.records, tr.leaves, tr.leaf_slots, tr.checks = [], [], {}, []
    for flag, error in checks:
        if bool(np.asarray(flag.array)):
            raise error()


def _dispatch(tr: Trace, live: list[Value]) -> None:
    stats.windows += 1
    if mode != "fused":
        _run_slowly(tr, live, interpret=False)
        return
    key = tuple(tr.records)
    window = windows.get(key)
    if window is None:
        window = windows[key] = Window(key[0][0].name)
        if len(windows) > MAX_WINDOWS:
            windows.popitem(last=False)
    window.seen += 1
    if window.programs or window.seen >= HOT or (window.seen == 1 and _heavy(tr)):
        windows.move_to_end(key)
        _run_fused(window, tr, live)
    else:
        _run_slowly(tr, live, interpret=True)


def _heavy(tr: Trace) -> bool:
    """Whether running op by op would compile many programs."""
    cold = {id(r[0]) for r in tr.records if r[0].jit is None and not _interpretable(r[0])}
    return len(cold) > HEAVY


def _interpretable(spec: Spec) -> bool:
    if spec.device.type != "cpu":
        return False
    if not spec.cheap and any(a.size > SMALL for a in spec.outs):
        return False
    return spec.interpret is not None


# ----- op by op -----
def _run_slowly(tr: Trace, live: list[Value], interpret: bool) -> None:
    env: list[Any] = [None] * len(tr.values)
    leaves = tr.leaves
    last, used = _last_uses(tr, live)
    interpreted = 0
    with np.errstate(all="ignore"):
        for number, (spec, slots, first) in enumerate(tr.records):
            if number not in used:
                continue
            arrays = [env[s] if s >= 0 else _leaf_array(leaves[~s]) for s in slots]
            if interpret and _fits(spec, arrays):
                results = _interpret(spec, arrays)
                interpreted += 1
            else:
                results = _run_op(spec, arrays)
                if mode == "debug":
                    jax.block_until_ready(results)  # an error shows at the op that made it
            env[first : first + len(spec.outs)] = results
            for s in last.get(number, ()):
                env[s] = None
    stats.interpreted += interpreted
    held = {id(v.array): v for v in leaves if v.__class__ is Value}
    for v in live:
        v.array, v.slot, v.trace = env[v.slot], OWNED, None
        twin = held.setdefault(id(v.array), v)
        if twin is not v:  # an op gave back its input: neither may donate the buffer
            v.slot = twin.slot = SHARED


def _last_uses(tr: Trace, live: list[Value]) -> tuple[dict[int, list[int]], set[int]]:
    """After which record a slot is used no more (to free memory); which records are used at all."""
    needed = {v.slot for v in live}
    freed: dict[int, list[int]] = {}
    used: set[int] = set()
    for number in range(len(tr.records) - 1, -1, -1):
        spec, slots, first = tr.records[number]
        if not any(s in needed for s in range(first, first + len(spec.outs))):
            continue
        used.add(number)
        for s in slots:
            if s >= 0 and s not in needed:
                needed.add(s)
                freed.setdefault(number, []).append(s)
    return freed, used


def _leaf_array(leaf: Any) -> Any:
    return leaf.array if leaf.__class__ is Value else number_array(leaf)


def _fits(spec: Spec, arrays: list[Any]) -> bool:
    if spec.cheap and spec.device.type == "cpu":
        return spec.interpret is not None
    return all(a.size <= SMALL for a in arrays) and _interpretable(spec)


def _interpret(spec: Spec, arrays: list[Any]) -> list[Any]:
    interpret = spec.interpret
    assert interpret is not None
    results = interpret(*[a if a.__class__ is np.ndarray else np.asarray(a) for a in arrays])
    return [
        r if r.__class__ is np.ndarray and r.dtype == a.np and r.shape == a.shape
        else np.broadcast_to(np.asarray(r, a.np), a.shape)
        for r, a in zip(results, spec.outs, strict=True)
    ]  # fmt: skip


def _run_op(spec: Spec, arrays: list[Any]) -> Any:
    if spec.jit is None:
        spec.jit = jax.jit(spec.fun)
        started = time.perf_counter()
        results = spec.jit(*arrays)
        stats.compiled += 1
        stats.compile_seconds += time.perf_counter() - started
        return results
    stats.per_op += 1
    return spec.jit(*arrays)


# ----- whole windows -----
def _run_fused(window: Window, tr: Trace, live: list[Value]) -> None:
    leaves = tr.leaves
    if window.layout is None:
        window.layout = [_kind(leaf) for leaf in leaves]
    groups: dict[str, list[Any]] = {"array": [], "float": [], "int": [], "other": []}
    watch = []
    for leaf, kind in zip(leaves, window.layout, strict=True):
        if kind == "array":
            array = leaf.array
            if (
                array.__class__ is np.ndarray
            ):  # on its device from now on; it may share NumPy's memory
                array = leaf.array = jax.device_put(array, to_jax(tr.device))
                leaf.slot = SHARED
            elif leaf.slot == OWNED:
                watch.append((len(groups["array"]), weakref.ref(leaf)))
            groups["array"].append(array)
        else:
            groups[kind].append(number_array(leaf) if kind == "other" else leaf)
    # Drop our own hold on the leaves: those that die now are held by nobody, so may be donated.
    leaf = None
    leaves = None
    tr.leaves, tr.leaf_slots = [], {}
    free = {i for i, ref in watch if ref() is None}
    slots = tuple([v.slot for v in live])
    try:
        results = _call(window, tr.records, groups, slots, free)
    except BaseException:
        tr.leaves = _restore(window.layout, groups)  # so that the run can repeat
        raise
    for v, array in zip(live, results, strict=True):
        v.array, v.slot, v.trace = array, OWNED, None


def _call(
    window: Window, records: list[Any], groups: dict[str, list[Any]], slots: tuple[int, ...],
    free: set[int],
) -> list[Any]:  # fmt: skip
    arrays = groups["array"]
    numbers = (*_numbers(window, groups["float"], groups["int"]), groups["other"])
    program = _find(window, slots, free)
    if program is not None and free and not program.donated and program.hits == SETTLED:
        # Built while its leaves were still NumPy's or shared; now some could be donated: once more.
        if _donations(records, arrays, program.live, free):
            program = None
    fresh = program is None
    started = time.perf_counter()
    if program is None:
        program = _build(window, records, arrays, slots, free)
    given = [arrays[i] for i in program.donated]
    kept = [a for i, a in enumerate(arrays) if i not in program.gone]
    results = program.call(given, kept, *numbers)
    if fresh:
        window.programs.insert(0, program)  # the newest is tried first
        program.seconds = time.perf_counter() - started
        stats.compiled += 1
        stats.compile_seconds += program.seconds
    stats.fused += 1
    program.hits += 1
    if program.live == slots:
        return results
    return [results[program.index[s]] for s in slots]


def _numbers(window: Window, floats: list[Any], ints: list[Any]) -> tuple[Any, Any]:
    """A window's Python numbers as two arrays; the same numbers as last time are on the device."""
    given = np.array(floats, np.float64), np.array(ints, np.int64)
    key = given[0].tobytes(), given[1].tobytes()  # bytes: 0.0 and -0.0 differ, NaN equals itself
    if window.numbers is None or window.numbers[0] != key:
        window.numbers = (key, jax.device_put(given))
    return window.numbers[1]


def _kind(leaf: Any) -> str:
    if leaf.__class__ is Value:
        return "array"
    if isinstance(leaf, (bool, np.bool_, complex, np.complexfloating)) and not isinstance(
        leaf, float
    ):
        return "other"
    return "int" if isinstance(leaf, (int, np.integer)) else "float"


def _restore(layout: list[str], groups: dict[str, list[Any]]) -> list[Any]:
    sources = {kind: iter(items) for kind, items in groups.items()}
    return [host_or_device(next(sources[k])) if k == "array" else next(sources[k]) for k in layout]


def host_or_device(array: Any) -> Value:
    """A Value around an array that was a leaf's; never donated again."""
    return concrete(array, aval_of(tuple(array.shape), from_numpy(array.dtype)), SHARED)


def _find(window: Window, slots: tuple[int, ...], free: set[int]) -> Program | None:
    for program in window.programs:
        if program.gone <= free and (
            program.live == slots or all(s in program.index for s in slots)
        ):
            return program
    return None


def _build(
    window: Window, records: list[Any], arrays: list[Any], slots: tuple[int, ...], free: set[int]
) -> Program:
    live = slots
    if window.programs:  # one program for this set of results and the last one's
        live = tuple(sorted({*slots, *window.programs[0].live}))
    if len(window.programs) >= MAX_VARIANTS:
        free = set()
        window.programs.clear()
    donated = _donations(records, arrays, live, free)
    call = jax.jit(
        _fused(list(records), list(window.layout or []), live, donated), donate_argnums=0
    )
    return Program(live, donated, call)


def _donations(
    records: list[Any], arrays: list[Any], live: tuple[int, ...], free: set[int]
) -> tuple[int, ...]:
    """The leaves whose buffers a result of the same shape and dtype can take over."""
    wanted: Counter[Any] = Counter()
    alive = set(live)
    for spec, _, first in records:
        for i, a in enumerate(spec.outs):
            if first + i in alive:
                wanted[a.shape, a.np] += 1
    chosen = []
    for i in sorted(free):
        a = arrays[i]
        if a.nbytes >= DONATE_BYTES and wanted[a.shape, a.dtype] > 0:
            wanted[a.shape, a.dtype] -= 1
            chosen.append(i)
    return tuple(chosen)


def _fused(
    records: list[Any], layout: list[str], live: tuple[int, ...], donated: tuple[int, ...]
) -> Callable[..., list[Any]]:
    """The window as one function of its leaves."""
    size = records[-1][2] + len(records[-1][0].outs)
    gone = set(donated)

    def fused(given: list[Any], kept: list[Any], floats: Any, ints: Any, others: Any) -> list[Any]:
        given_at, kept_at = iter(given), iter(kept)
        count = layout.count("array")
        arrays = [next(given_at) if i in gone else next(kept_at) for i in range(count)]
        sources = {
            "array": iter(arrays),
            "float": iter(floats),
            "int": iter(ints),
            "other": iter(others),
        }
        leaves = [next(sources[kind]) for kind in layout]
        env: list[Any] = [None] * size
        for spec, slots, first in records:
            results = spec.fun(*[env[s] if s >= 0 else leaves[~s] for s in slots])
            env[first : first + len(spec.outs)] = results
        return _distinct([env[s] for s in live], arrays)

    return fused


def _distinct(outs: list[Any], inputs: list[Any]) -> list[Any]:
    """Copies of results that are inputs or appear twice: two Values never share a buffer."""
    seen = {id(a) for a in inputs}
    distinct = []
    for o in outs:
        distinct.append(jnp.copy(o) if id(o) in seen else o)
        seen.add(id(o))
    return distinct


# ----- boundaries and settings -----
def step_boundary() -> None:
    """End the window: called after `backward()` and `optimizer.step()`, so loops line up."""
    for tr in list(LOCAL.state.traces.values()):
        if tr.records:
            flush(tr)


def _cache_folder() -> Path:
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "torchlike" / "xla"


def configure() -> None:
    """JAX's settings torchlike stands on: 64-bit types, full-precision products, a disk cache."""
    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_default_matmul_precision", "highest")
    configured = getattr(jax.config, "jax_compilation_cache_dir", None)
    if configured is None and not os.environ.get("TORCHLIKE_NO_CACHE"):
        jax.config.update("jax_compilation_cache_dir", str(_cache_folder()))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)


configure()
EXECUTE.append(execute)
if os.environ.get("TORCHLIKE_MODE"):
    set_mode(os.environ["TORCHLIKE_MODE"])
