"""The shape of the source: import direction, sizes, lint and types."""

import ast
import functools
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "torchlike"

# A module imports only from rooms on its own line or on lines above it, and never in a circle.
ROOMS = """
version
core
ops
fft linalg sparse special signals
printing masked seeding accelerator backends cpu cuda typenames misc overrides _C
__config__ device_streams futures quasirandom monitor nested package
nn
optim
utils
archive rebuild unpickle serialize
testing
autograd profiler func amp compiler scripting jit fx
distributions distributed ao hub library _custom_ops mps xpu onnx _dynamo _subclasses export
processes _higher_order_ops
children
alias restart
__init__ __main__
"""
RANK = {room: rank for rank, line in enumerate(ROOMS.split("\n")) for room in line.split()}
NO_JAX = ("nn", "optim", "utils", "distributions")
SPEAKS_JAX = ("optim.rules",)


def modules() -> dict[str, Path]:
    """Name inside the package ("core.tensor", "nn" for nn/__init__.py) -> file."""
    paths = sorted(PACKAGE.rglob("*.py"))
    return {name_of(path): path for path in paths}


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


MODULES = modules()


@functools.cache
def tree(name: str) -> ast.Module:
    return ast.parse(MODULES[name].read_text())


def executed(body):
    """Statements that run when the module is imported, without those for type checkers."""
    for node in body:
        yield node
        if isinstance(node, ast.If) and "TYPE_CHECKING" not in ast.unparse(node.test):
            yield from executed(node.body + node.orelse)
        elif isinstance(node, ast.Try | ast.With):
            yield from executed(node.body)


def imported(name: str) -> list[str]:
    """The package's modules that importing this one imports."""
    base = name.split(".") if MODULES[name].name == "__init__.py" else name.split(".")[:-1]
    base = [] if name == "__init__" else base
    found = []
    for node in executed(tree(name).body):
        if isinstance(node, ast.ImportFrom) and node.level:
            start = base[: len(base) - node.level + 1] + (node.module or "").split(".")
            start = [part for part in start if part]
            for alias in node.names:
                longer = ".".join([*start, alias.name])
                found.append(longer if longer in MODULES else ".".join(start))
    return [other for other in found if other in MODULES and other != name]


def absolute(name: str) -> set[str]:
    """The full names of what is imported anywhere in the module."""
    found = set()
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def room(name: str) -> str:
    return name.split(".")[0]


@pytest.mark.parametrize("name", MODULES)
def test_imports_only_from_above(name):
    assert room(name) in RANK, f"{room(name)} has no place in ROOMS"
    below = [other for other in imported(name) if RANK[room(other)] > RANK[room(name)]]
    assert not below


def test_no_import_circle():
    done: set[str] = set()

    def visit(name, path):
        assert name not in path, " -> ".join([*path[path.index(name) :], name])
        if name not in done:
            for other in imported(name):
                visit(other, [*path, name])
            done.add(name)

    for name in MODULES:
        visit(name, [])


@pytest.mark.parametrize("name", MODULES)
def test_foreign_imports(name):
    names = absolute(name)
    roots = {other.split(".")[0] for other in names}
    assert "torch" not in roots
    assert not any(other.startswith(("jax._src", "jaxlib")) for other in names)
    if room(name) in NO_JAX and name not in SPEAKS_JAX:
        assert not roots & {"jax", "jaxlib"}


def test_files_are_not_named_as_standard_modules():
    taken = {path.stem for path in PACKAGE.rglob("*.py")} & set(sys.stdlib_module_names)
    assert not taken - {"__init__", "__main__"}


def test_pages_have_no_half_merged_lines():
    pages = [*ROOT.glob("*.md"), *ROOT.glob("*/*.md"), *ROOT.glob("compat_tests/**/*.json")]
    assert len(pages) > 3
    marks = re.compile(rb"^(<{7}|>{7}) ", re.MULTILINE)
    assert not [page.name for page in pages if marks.search(page.read_bytes())]


def test_sizes():
    size = runpy.run_path(str(ROOT / "scripts" / "size.py"))
    sizes = size["measure"]()
    assert not size["excesses"](sizes)
    median, p90 = size["spread"](sizes)
    assert median <= size["MEDIAN"] and p90 <= size["P90"]


@pytest.mark.parametrize("command", ["ruff check", f"pyright --pythonpath {sys.executable}"])
def test_checker(command):
    command = [sys.executable, "-m", *command.split()]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-5000:] + run.stderr[-2000:]
