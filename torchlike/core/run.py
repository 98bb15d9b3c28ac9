"""The tiers: interpret in NumPy, one XLA program per op, or one XLA program for a whole window.

A window is what a trace holds when it is flushed; its ops are its identity. A window seen HOT times
becomes one fused program (core/fused.py), which serves every later window of the same ops.
"""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from pathlib import Path
from typing import Any

import jax
import numpy as np

from . import (
    background,
    fused,
    interpret_index,  # noqa: F401  for its rules
    interpret_nested,  # noqa: F401
    remembered,
    xla,
)
from . import record as recording
from .fused import Family, Window, stats
from .record import EXECUTE, LOCAL, Spec, Trace, flush, number_array, single
from .storage import OWNED, SHARED, Value

HOT = 3  # windows seen this often become one program
SMALL = 1 << 16  # elements an op may touch to be always interpreted in NumPy while it is cold
BUDGET = 1 << 24  # elements a larger op may touch in NumPy until its own program (35 ms) pays
HEAVY = 8  # a new window with more uninterpretable, uncompiled ops is compiled whole
KIN = 8  # so many windows of the same ops, on other shapes, are compiled without counting costs
MAX_WINDOWS = 512  # compiled windows kept, least recently used out first

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


windows: OrderedDict[tuple[Any, ...], Window] = OrderedDict()
families: OrderedDict[tuple[str, ...], Family] = OrderedDict()


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
        window = windows[key] = Window(key[0][0].name, _family(key))
        window.line = tr.line
        if len(windows) > MAX_WINDOWS:
            windows.popitem(last=False)
    window.seen += 1
    if tr.urgent:
        window.slow = 0
    if window.programs or _hot(window) or tr.urgent or (window.seen == 1 and _new(window, tr)):
        windows.move_to_end(key)
        if fused.run(window, tr, live):
            recording.calm += 1
            return
    recording.calm = 0
    window.line = window.line or tr.line
    window.slow += 1
    started, waited = time.perf_counter(), stats.waited_seconds
    _run_slowly(tr, live, interpret=True)
    window.spent += time.perf_counter() - started - (stats.waited_seconds - waited)


def _family(key: tuple[Any, ...]) -> Family:
    """The windows of the same ops on whatever shapes."""
    names = tuple([spec.name for spec, _, _ in key])
    family = families.get(names)
    if family is None:
        family = families[names] = Family()
        if len(families) > MAX_WINDOWS:
            families.popitem(last=False)
    family.windows += 1
    return family


def _hot(window: Window) -> bool:
    if not background.enabled:  # no clock: runs are to be the same
        return window.seen >= (HOT if window.family.windows <= KIN else HOT * KIN)
    if window.seen >= HOT:
        return window.spent >= patience(window)
    return window.seen > 1 and window.spent >= fused.GUESS  # as dear as a program already


def patience(window: Window) -> float:
    """Seconds a window may cost in the slower tier before a program pays: none, but as much as
    its program takes where shapes keep changing (skis are bought after as many rents).
    """
    return 0.0 if window.family.windows <= KIN else window.family.price


def _new(window: Window, tr: Trace) -> bool:
    """Whether a new window had better be a program from its first run on."""
    if background.enabled and remembered.has(tr.records):
        window.slow = 1  # no waiting for a variant that isn't stored
        return True
    return _heavy(tr)


def _heavy(tr: Trace) -> bool:
    """Whether running op by op would compile many programs."""
    cold = {id(r[0]) for r in single(tr.records) if r[0].jit is None and not _interpretable(r[0])}
    return len(cold) > HEAVY


def _interpretable(spec: Spec) -> bool:
    """Whether NumPy can run an op at all, and once within the budget."""
    return (
        spec.device.type == "cpu"
        and spec.interpret is not None
        and (spec.cheap or all(a.size <= BUDGET for a in spec.outs))
    )


# ----- op by op -----
def _run_slowly(tr: Trace, live: list[Value], interpret: bool) -> None:
    env: list[Any] = [None] * len(tr.values)
    leaves = tr.leaves
    records = single(tr.records)
    last, used = _last_uses(records, live)
    interpreted = 0
    with np.errstate(all="ignore"):
        for number, (spec, slots, first) in enumerate(records):
            if number not in used:
                continue
            arrays = [env[s] if s >= 0 else _leaf_array(leaves[~s]) for s in slots]
            if interpret and _fits(spec, arrays):
                results = by_numpy(spec, arrays)
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


def _last_uses(records: Any, live: list[Value]) -> tuple[dict[int, list[int]], set[int]]:
    """After which record a slot is used no more (to free memory); which records are used at all."""
    needed = {v.slot for v in live}
    freed: dict[int, list[int]] = {}
    used: set[int] = set()
    for number in range(len(records) - 1, -1, -1):
        spec, slots, first = records[number]
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
    """Whether to interpret an op this time; a large one until compiling it would have paid."""
    if spec.device.type != "cpu" or spec.interpret is None:
        return False
    size = 0 if spec.cheap else max((a.size for a in (*arrays, *spec.outs)), default=0)
    if size <= SMALL:
        return True
    if spec.jit is not None:
        return False
    spec.spent += size
    return spec.spent <= BUDGET


def by_numpy(spec: Spec, arrays: list[Any]) -> list[Any]:
    """An op's results, by NumPy."""
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
        spec.jit = xla.jitted(spec.fun)
        started = time.perf_counter()
        results = spec.jit(*arrays)
        stats.compiled_one(spec.name, 1, time.perf_counter() - started)
        return results
    stats.per_op += 1
    return spec.jit(*arrays)


# ----- boundaries and settings -----
def step_boundary() -> None:
    """End the window: called after `backward()` and `optimizer.step()`, so loops line up."""
    for tr in list(LOCAL.state.traces.values()):
        if tr.records:
            flush(tr)


def compile_window(open_end: bool) -> None:
    """Have what this thread recorded compiled at once; ended here unless more may join it."""
    for tr in list(LOCAL.state.traces.values()):
        if tr.records:
            tr.urgent = True
            if not open_end:
                flush(tr)


def _cache_folder() -> Path:
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "torchlike" / "xla"


def configure() -> None:
    """JAX's settings torchlike stands on: 64-bit types, full-precision products, a disk cache."""
    xla.keep_memory()
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
