"""Runs cells of code as a notebook would, and writes down and compares what a person would see.

A file of cells is Python text in which a line `# In [name]` begins a cell; after `# Each [name]`
every line is a cell. A notebook's cells share one namespace (seeds/); a snippet stands alone
(snippets/). What is seen: printed text, the value of the last expression, warnings, and the
exception's type and message.
"""

import ast
import contextlib
import functools
import io
import json
import os
import re
import tempfile
import warnings
from pathlib import Path

from compat_tests.subject import imported_as_torch

HERE = Path(__file__).parent
GOLDENS = HERE / "goldens"

_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.\d*|\.\d+|\d+)(?:e[-+]?\d+)?(?![\w])", re.IGNORECASE)
_MASKS = [
    (re.compile(r"UserWarning: TypedStorage is deprecated.*\n"), ""),  # once per process
    (re.compile(r"(?<=module ')torchlike|(?<=<class ')torchlike"), "torch"),
    (re.compile(r"0x[0-9a-f]{6,}"), "0x…"),
    (re.compile(r" ?\(Triggered internally at [^)]*\)"), ""),
    # the list of a function's C++ overloads, not all of which we spell alike
    (re.compile(r"(?<=, but expected one of:)\n(?: .*\n?)+"), " …\n"),
]
_DOT_NODE = re.compile(r"(?<=[\tt>] )\d{9,}|(?<=\t)\d{9,}(?= [\[-])")


@functools.cache
def cells(path: Path) -> dict[str, str]:
    """The cells of a file by name, in order."""
    _, *parts = re.split(r"^# (In|Each) \[(.+)\]\n", path.read_text("utf-8"), flags=re.MULTILINE)
    found = []
    for kind, name, body in zip(parts[::3], parts[1::3], parts[2::3]):
        lines = [line for line in body.splitlines() if line and not line.startswith("#")]
        found += [(name, body)] if kind == "In" else [(f"{name}: {line}", line) for line in lines]
    names = [name for name, _ in found]
    if len(set(names)) != len(names):
        raise ValueError(f"{path.name}: named twice: {sorted(set(names), key=names.count)[-1]}")
    return dict(found)


def run_cell(code: str, namespace: dict) -> str:
    """What running `code` in `namespace` shows."""
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown), warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", DeprecationWarning)  # as Python does outside __main__
        warnings.showwarning = lambda message, category, *_, **__: shown.write(
            f"{category.__name__}: {message}\n"
        )
        try:
            _execute(code, namespace)
        except BaseException as error:
            shown.write(f"{type(error).__name__}: {error}\n")
            namespace["_error"] = None  # a traceback would keep the cell's tensors alive
    return mask(shown.getvalue())


def _execute(code: str, namespace: dict) -> None:
    tree = ast.parse(code)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "<cell>", "exec"), namespace)
    if last is not None:
        value = eval(compile(ast.Expression(last.value), "<cell>", "eval"), namespace)
        if value is not None:
            print(repr(value))


def run_notebook(path: Path, torch) -> dict[str, str]:
    """Every cell in one namespace, from seed 0."""
    torch.manual_seed(0)
    namespace = {"__name__": "__main__"}
    return {name: run_cell(code, namespace) for name, code in cells(path).items()}


def run_snippet(code: str, torch) -> str:
    """One cell alone, in an empty folder, from seed 0, with the usual names at hand."""
    import numpy

    torch.manual_seed(0)
    return _alone(code, torch, torch=torch, nn=torch.nn, F=torch.nn.functional, np=numpy)


def run_program(name: str, torch) -> str:
    """What a file of training/ prints, run as a script in an empty folder."""
    return _alone((HERE / "training" / f"{name}.py").read_text("utf-8"), torch)


def _alone(code: str, library, /, **names) -> str:
    names["__name__"] = "__main__"  # where a class defined in the code says it lives
    home = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            with imported_as_torch(library):
                return run_cell(code, names)
        finally:
            os.chdir(home)
            _restore(library)


def _restore(torch) -> None:
    """Undo what a snippet that failed half way may have left switched."""
    torch.set_grad_enabled(True)
    torch.set_default_dtype(torch.float32)
    torch.set_printoptions(profile="default", sci_mode=None)


@functools.cache
def recorded(name: str) -> dict:
    """The transcripts that real torch gave."""
    return json.loads((GOLDENS / f"{name}.json").read_text("utf-8"))


def snippets(area: str) -> list[tuple[str, str]]:
    """(file, name) of every snippet in the area's files: <area>.py and <area>_*.py."""
    files = sorted(path for path in (HERE / "snippets").glob(f"{area}*.py"))
    return [(path.stem, name) for path in files for name in cells(path)]


def snippet_difference(torch, file: str, name: str) -> str | None:
    """None if the snippet shows what real torch showed."""
    code = cells(HERE / "snippets" / f"{file}.py")[name]
    return difference(run_snippet(code, torch), recorded(file)[name])


def mask(text: str) -> str:
    """The text without what differs between two runs of the same program."""
    for pattern, word in _MASKS:
        text = pattern.sub(word, text)
    ids = {}
    return _DOT_NODE.sub(lambda found: ids.setdefault(found[0], f"node{len(ids)}"), text)


def difference(got: str, want: str, rel: float = 1e-3, floor: float = 1e-6) -> str | None:
    """None if the two say the same, numbers to `rel`; else what differs, for a person to read."""
    words_got, words_want = _NUMBER.split(got), _NUMBER.split(want)
    numbers = list(zip(_NUMBER.findall(got), _NUMBER.findall(want)))
    same = [_squeeze(w) for w in words_got] == [_squeeze(w) for w in words_want]
    if same and all(_close(a, b, rel, floor) for a, b in numbers):
        return None
    return f"\n--- torch\n{want}\n--- here\n{got}"


def _squeeze(text: str) -> str:
    """Columns may move by a space where a sign or a digit differs; lines may not."""
    return re.sub(r" +", " ", text)


def _close(got: str, want: str, rel: float, floor: float) -> bool:
    if got == want:
        return True
    if not any(c in got + want for c in ".eE"):
        return False  # whole numbers are counts, dims and indices: exact
    return abs(float(got) - float(want)) <= rel * abs(float(want)) + floor
