"""Writes COMPAT.md: what of PyTorch's public API works, from test results.

    python scripts/compat.py RESULTS.json                  runs the suite, writes what it showed
    python scripts/compat.py RESULTS.json OPINFO.json ...  writes the page from results there are
    python scripts/compat.py --names                       only what is there: names come and go
    python scripts/compat.py --missing CENSUS              the missing names, most used first

OPINFO.json are results of the op-database checker; CENSUS is a folder with names.tsv and
methods.tsv, which count the packages that use a name. A name works if
every case made for it passes (or, where there are none, every test that uses it), is partly there
if some case fails, and is missing if torchlike lacks it or it only raises NotImplementedError.
"""

import argparse
import ast
import contextlib
import csv
import functools
import inspect
import io
import json
import re
import sys
import textwrap
from collections import Counter, defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from compat_tests import public, transcript  # noqa: E402

PREFIXES = {
    "torch": "torch", "Tensor": "torch.Tensor", "nn": "torch.nn", "F": "torch.nn.functional",
    "optim": "torch.optim", "linalg": "torch.linalg", "func": "torch.func",
    "autograd": "torch.autograd", "data": "torch.utils.data", "dist": "torch.distributions",
    "distributions": "torch.distributions", "lr_scheduler": "torch.optim.lr_scheduler",
    "fft": "torch.fft", "special": "torch.special",
}  # fmt: skip
CHAIN = re.compile(rf"(?<![\w.])(?:{'|'.join(PREFIXES)})(?:\.\w+)+")
METHOD = re.compile(r"(?<=\.)[a-z]\w*")
CLASS = re.compile(r"(?<![\w.])[A-Z]\w+|(?<=[as]\.)[A-Z]\w+")
CLASS_SPACES = (
    "torch.optim", "torch.optim.lr_scheduler", "torch.distributions", "torch.utils.data",
)  # fmt: skip


# ----- which names a test uses -----
@functools.cache
def _known() -> dict[str, str]:
    return {f"{space}.{name}": kind for space, name, kind in public.names()}


@functools.cache
def mentioned(text: str) -> tuple[str, ...]:
    """Public names in a piece of Python, in order."""
    found = []
    for chain in CHAIN.findall(text):
        first, *rest = chain.split(".")
        for end in range(1, len(rest) + 1):
            found.append(".".join([PREFIXES[first], *rest[:end]]))
    found += [f"torch.Tensor.{name}" for name in METHOD.findall(text)]
    found += [f"{space}.{name}" for name in CLASS.findall(text) for space in CLASS_SPACES]
    return tuple(name for name in dict.fromkeys(found) if name in _known())


@functools.cache
def _source(function) -> str:
    """The text of a test, of the functions of its own file that it uses, and, where it has a
    fixture of that file, of the file's classes."""
    body = textwrap.dedent(inspect.getsource(function))
    space = getattr(function, "__globals__", {})
    used = {node.id for node in ast.walk(ast.parse(body)) if isinstance(node, ast.Name)}
    near = [space.get(name) for name in used]
    code = function.__code__
    if any(name in space for name in code.co_varnames[: code.co_argcount]):
        near += [thing for thing in space.values() if inspect.isclass(thing)]
    own = [thing for thing in near if getattr(thing, "__module__", None) == function.__module__]
    return "\n".join([body, *map(_text, own)])


def _text(thing) -> str:
    try:
        return inspect.getsource(thing)
    except (OSError, TypeError):  # made at run time, or no function and no class
        return ""


def _program(params: dict, module) -> list[str]:
    """The program that a test's parameters name: a snippet, or a value of a table by that key."""
    words = [value for value in params.values() if isinstance(value, str)]
    if {"file", "name"} <= params.keys():
        path = transcript.HERE / "snippets" / f"{params['file']}.py"
        return [transcript.cells(path)[params["name"]]]
    near = [module, *(m for m in vars(module).values() if inspect.ismodule(m))]
    tables = [t for m in near for t in vars(m).values() if isinstance(t, dict)]
    looked = [t[word] for t in tables for word in words if isinstance(t.get(word), str)]
    return words + looked


def uses(item) -> tuple[list[str], list[str]]:
    """(names a test was made for, names it merely uses)."""
    params = getattr(getattr(item, "callspec", None), "params", {})
    case = params.get("case")
    if hasattr(case, "op"):
        return _of_row(case, params["check"].__name__), []
    own = mentioned("\n".join(_program(params, item.module)))
    aimed = [n for n in own if "build" in params and n.startswith("torch.nn.")][:1]
    return aimed, [n for n in (*own, *mentioned(_source(item.function))) if n not in aimed]


def _of_row(case, check: str) -> list[str]:
    path = f"torch.{case.op}"
    if check in ("method", "inplace"):
        leaf = case.op + "_" * (check == "inplace")
        path = f"torch.Tensor.{leaf}"
    return [path]


# ----- results -----
class Results:
    """Per name: cases made for it that passed and failed, failures in words, tests that use it."""

    def __init__(self):
        self.passed, self.failed, self.used = Counter(), Counter(), Counter()
        self.words = defaultdict(Counter)
        self.refused = set()

    def case(self, name: str, ok: bool, what: str, count: int = 1) -> None:
        (self.passed if ok else self.failed)[name] += count
        if not ok:
            self.words[name][what] += count

    def state(self, torch, space: str, name: str) -> tuple[str, str]:
        """(works, partly, untested or missing; the evidence)."""
        path = f"{space}.{name}"
        if not public.exists(torch, space, name):
            return "missing", ""
        good, bad, used = self.passed[path], self.failed[path], self.used[path]
        if path in self.refused and not good:
            return "missing", "raises NotImplementedError"
        if good + bad:
            share = f"{good}/{good + bad}"
            wrong = ", ".join(f"{what} ({n})" for what, n in self.words[path].items())
            return ("partly", f"{share}; not: {wrong}") if bad else ("works", share)
        return ("works", f"used in {used} tests") if used else ("untested", "no test uses it")

    def dump(self) -> dict:
        """As JSON."""
        return {"passed": self.passed, "failed": self.failed, "used": self.used,
                "words": self.words}  # fmt: skip

    @classmethod
    def load(cls, path: Path) -> "Results":
        """What `dump` wrote."""
        made, read = cls(), json.loads(path.read_text())
        for name in ("passed", "failed", "used"):
            getattr(made, name).update(read[name])
        for name, words in read["words"].items():
            made.words[name].update(words)
        return made


class Collector:
    """A pytest plugin that files every test's outcome under the names it uses."""

    def __init__(self, results: Results):
        self.results, self.items = results, {}

    def pytest_collection_finish(self, session):
        self.items = {item.nodeid: item for item in session.items}

    def pytest_runtest_logreport(self, report):
        if report.when != "call" or report.skipped and not hasattr(report, "wasxfail"):
            return
        item = self.items[report.nodeid]
        aimed, used = uses(item)
        params = getattr(getattr(item, "callspec", None), "params", {})
        what = params["check"].__name__ if "check" in params else "a test"
        for name in aimed:
            self.results.case(name, report.passed, what)
        if report.passed:
            self.results.used.update(used)


FORMS = ("method", "inplace")


def read_database(results: Results, path: Path) -> None:
    """Adds the results of the op-database checker, of one dtype a file."""
    for full, op in json.loads(path.read_text())["ops"].items():
        if not op["public"] or not op.get("present"):
            continue
        name = f"torch.{_callable_name(full)}"
        for what, key in (("values", "samples"), ("gradients", "grads")):
            for one in op[key]:
                results.case(name, bool(one["ok"]), what)
        whys = [one.get("why") or "" for one in op["samples"] if not one["ok"]]
        if whys and len(whys) == len(op["samples"]) and all("NotImplementedEr" in w for w in whys):
            results.refused.add(name)
        for one in op.get("aliases", []):
            results.case(f"torch.{one['name']}", bool(one["ok"]), "values")
        for form in FORMS:
            if isinstance(found := op.get(form), dict) and "." not in name[6:]:
                leaf = name[6:] + "_" * (form == "inplace")
                results.case(f"torch.Tensor.{leaf}", bool(found["ok"]), form)


def _callable_name(full: str) -> str:
    """The function of a database entry: "nn.functional.gelu.tanh" is a variant of a name."""
    parts = full.split(".")
    while len(parts) > 1 and f"torch.{'.'.join(parts)}" not in _known():
        parts.pop()
    return ".".join(parts)


# ----- the page -----
HEAD = """# What of PyTorch 2.13 works

Written by `scripts/compat.py` from test results; not to be edited. A name *works* if every case
made for it passes, or, where it has none, if tests that use it pass; it is *partly* there if some
case fails; *untested* if it is there and no test uses it; *missing* if it is not there or only
raises `NotImplementedError`. A share counts cases: {cases}.

| namespace | names | works | partly | untested | missing |
| --- | ---: | ---: | ---: | ---: | ---: |
"""


def page(torch, results: Results, sources: list[Path]) -> str:
    """COMPAT.md."""
    found = {f"{s}.{n}": results.state(torch, s, n) for s, n, _ in public.names()}
    twins = defaultdict(list)
    for path, (state, _) in found.items():
        if state in ("works", "partly", "untested"):
            twins[id(public.find(torch, path))].append(path)
    for path, (state, _) in found.items():
        if state == "untested":  # another name of a thing that is tested
            same = [p for p in twins[id(public.find(torch, path))] if found[p][0] != "untested"]
            thing = public.find(torch, path)
            if same and (callable(thing) or hasattr(thing, "__dict__")):
                found[path] = (found[same[0]][0], f"as {same[0]}")
    cases = "rows of the suite" + ", and samples of PyTorch's op database" * bool(sources)
    return text_of(found, HEAD.format(cases=cases))


def text_of(found: dict[str, tuple[str, str]], head: str) -> str:
    """The page: counts, then a table for each namespace."""
    rows, counts = defaultdict(list), defaultdict(Counter)
    for space, name, kind in public.names():
        state, why = found[f"{space}.{name}"]
        for key in (space, "all"):
            counts[key][state] += 1
        rows[space].append(f"| `{name}` | {kind} | {state} | {why} |\n")
    for space, count in ((s, counts[s]) for s in (*public.NAMESPACES, "all")):
        cells = [count.total(), *(count[s] for s in ("works", "partly", "untested", "missing"))]
        head += f"| {space} | {' | '.join(map(str, cells))} |\n"
    for space in public.NAMESPACES:
        head += f"\n## {space}\n\n| name | kind | state | evidence |\n| --- | --- | --- | --- |\n"
        head += "".join(rows[space])
    return head


def renamed(torch, text: str) -> str:
    """The page with names that came or went since the tests were run."""
    head, _ = text.split("| torch |", 1)
    found = {}
    for space, name, _, state, why in public.rows(text):
        there = public.exists(torch, space, name)
        if not there:
            state, why = "missing", ""
        elif state == "missing" and not why:
            state, why = "untested", "newer than the last run of the tests"
        found[f"{space}.{name}"] = state, why
    for space, name, _ in public.names():
        fresh = "untested" if public.exists(torch, space, name) else "missing"
        found.setdefault(f"{space}.{name}", (fresh, ""))
    return text_of(found, head)


def missing(torch, census: Path) -> list[str]:
    """The names torchlike lacks, the most used first: "packages uses name"."""
    used = {}
    for file, prefix in (("names.tsv", ""), ("methods.tsv", "torch.Tensor.")):
        with (census / file).open() as lines:
            for row in csv.DictReader(lines, delimiter="\t"):
                key = prefix + row.get("name", row.get("method", ""))
                used[key] = int(row["packages"]), int(row["uses"])
    paths = [f"{s}.{n}" for s, n, _ in public.names() if not public.exists(torch, s, n)]
    ranked = sorted(((*used.get(path, (0, 0)), path) for path in paths), reverse=True)
    return [f"{packages:3} {uses:6} {path}" for packages, uses, path in ranked]


def run_suite(path: Path) -> int:
    """Runs every test and writes what it showed of each name."""
    import pytest

    results = Results()
    with contextlib.redirect_stdout(io.StringIO()) as said:
        code = pytest.main(["-q", str(ROOT / "compat_tests")], plugins=[Collector(results)])
    print(said.getvalue().strip().splitlines()[-1])
    path.write_text(json.dumps(results.dump()))
    return int(code)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", nargs="?", type=Path, help="what the suite showed")
    parser.add_argument("database", nargs="*", type=Path, help="results of the op checker")
    parser.add_argument("--missing", type=Path, metavar="CENSUS")
    parser.add_argument("--names", action="store_true")
    options = parser.parse_args()
    import torchlike

    if options.missing:
        print(*missing(torchlike, options.missing), sep="\n")
        return 0
    if options.names:
        public.PAGE.write_text(renamed(torchlike, public.PAGE.read_text()))
        return 0
    if options.results is None:
        parser.error("where to keep or find the suite's results")
    code = 0 if options.results.exists() else run_suite(options.results)
    results = Results.load(options.results)
    for path in options.database:
        read_database(results, path)
    public.PAGE.write_text(page(torchlike, results, options.database))
    return code


if __name__ == "__main__":
    sys.exit(main())
