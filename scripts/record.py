"""Records what real torch does, for the tests: `python scripts/record.py [NAME ...]`.

Runs where torch 2.13 is installed. Names are golden files without their ending (seeds, training,
names, ops, or a file of snippets/); none means all.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from compat_tests import transcript  # noqa: E402


def record_seeds(torch) -> dict:
    """Every notebook's cells."""
    folder = transcript.HERE / "seeds"
    return {p.stem: transcript.run_notebook(p, torch) for p in sorted(folder.glob("*.py"))}


def record_snippets(torch, path: Path) -> dict:
    """Every snippet of one file."""
    return {name: transcript.run_snippet(code, torch)
            for name, code in transcript.cells(path).items()}


def record_training(torch) -> dict:
    """What every program prints."""
    names = sorted(path.stem for path in (transcript.HERE / "training").glob("*.py"))
    return {name: transcript.run_program(name, torch) for name in names}


def save(name: str, content: dict) -> None:
    """Write a golden file, one cell or snippet a line group, so that a change reads well."""
    path = transcript.GOLDENS / f"{name}.json"
    path.write_text(json.dumps(content, indent=0, ensure_ascii=False) + "\n", "utf-8")
    print(f"{path.name}: {sum(len(v) if isinstance(v, dict) else 1 for v in content.values())}")


def main(wanted: list[str]) -> None:
    """Record the goldens named, or all."""
    import torch

    if not torch.__version__.startswith("2.13"):
        raise SystemExit(f"goldens are those of torch 2.13, this is {torch.__version__}")
    if not wanted or "seeds" in wanted:
        save("seeds", record_seeds(torch))
    if not wanted or "training" in wanted:
        save("training", record_training(torch))
    for path in sorted((transcript.HERE / "snippets").glob("*.py")):
        if not wanted or path.stem in wanted:
            save(path.stem, record_snippets(torch, path))
    if not wanted or "names" in wanted:
        from compat_tests import public

        save("names", public.collect(torch))
    if not wanted or "programs" in wanted:
        from compat_tests import programs

        found = {seed: programs.run(torch, programs.seeded(seed)) for seed in range(60)}
        save("programs", {str(seed): programs.shortened(text) for seed, text in found.items()})
    if not wanted or "ops" in wanted:
        from compat_tests import reference

        print(f"ops: {reference.record(torch)} cases")


if __name__ == "__main__":
    main(sys.argv[1:])
