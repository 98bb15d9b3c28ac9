"""Sizes of the package's files and functions against their budgets; exits 1 when one is broken."""

import ast
import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILE_LINES, FUNCTION_LINES = 500, 60
MEDIAN, P90 = 8, 30

# What may be longer, and why.
REASONS: dict[str, str] = {
    "overrides.py": "one protocol: its parts call each other both ways",
    "core/dispatch.py:call": "the hot path: each helper it calls costs 60 ns per op",
}


def functions(tree: ast.Module) -> list[tuple[str, int]]:
    """(name, lines) of every function; lines inside a nested function count for both."""
    return [
        (node.name, node.end_lineno - node.lineno + 1)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def measure() -> dict[str, tuple[int, list[tuple[str, int]]]]:
    """Path -> (lines of the file, its functions)."""
    sizes = {}
    for path in sorted((ROOT / "torchlike").rglob("*.py")):
        text = path.read_text()
        name = path.relative_to(ROOT / "torchlike").as_posix()
        sizes[name] = len(text.splitlines()), functions(ast.parse(text))
    return sizes


def excesses(sizes) -> list[str]:
    """One line for each budget that is broken and has no reason."""
    found = []
    for path, (lines, bodies) in sizes.items():
        rows = [(path, lines, FILE_LINES)]
        rows += [(f"{path}:{name}", length, FUNCTION_LINES) for name, length in bodies]
        found += [
            f"{what}: {length} lines, at most {limit}"
            for what, length, limit in rows
            if length > limit and what not in REASONS
        ]
    return found


def spread(sizes) -> tuple[float, float]:
    """Median and 90th percentile of the functions' lengths."""
    lengths = sorted(length for _, bodies in sizes.values() for _, length in bodies)
    return statistics.median(lengths), lengths[len(lengths) * 9 // 10]


def main() -> int:
    sizes = measure()
    for path, (lines, bodies) in sizes.items():
        print(f"{lines:6} {len(bodies):4} {path}")
    median, p90 = spread(sizes)
    total = sum(lines for lines, _ in sizes.values())
    print(f"{total:6} lines; functions: median {median:g}, 90 % within {p90} lines")
    broken = excesses(sizes)
    print(*broken, sep="\n")
    return bool(broken)


if __name__ == "__main__":
    sys.exit(main())
