"""Records PyTorch's random streams for test_rng.py: `python scripts/record_rng.py`.

Runs where torch 2.13 is installed.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from compat_tests import rng_cases as cases  # noqa: E402


def save(name: str, rows: dict) -> None:
    path = cases.GOLDENS / f"{name}.json"
    path.write_text(json.dumps(rows, indent=0, ensure_ascii=False) + "\n", "utf-8")
    print(f"{path.name}: {len(rows)} rows, {path.stat().st_size} bytes")


def main() -> None:
    import torch

    if not torch.__version__.startswith("2.13"):
        raise SystemExit(f"goldens are those of torch 2.13, this is {torch.__version__}")
    save("rng", {
        name: cases.digest(cases.run(torch, case)) for name, case in cases.streams().items()
    })  # fmt: skip
    save("rng_calls", {text: cases.call(torch, text) for text in cases.calls()})


if __name__ == "__main__":
    main()
