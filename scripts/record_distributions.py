"""Records PyTorch's distributions for test_distributions.py.

Runs where torch 2.13 is installed.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from compat_tests import distribution_cases as cases  # noqa: E402


def main() -> None:
    import torch

    if not torch.__version__.startswith("2.13"):
        raise SystemExit(f"goldens are those of torch 2.13, this is {torch.__version__}")
    found = {case: cases.observe(torch, case) for case in cases.CASES}
    found["divergences"] = cases.divergences(torch)
    path = Path(cases.__file__).parent / "goldens" / "distribution_cases.json"
    rows = (f"{json.dumps(key)}: {json.dumps(value)}" for key, value in found.items())
    path.write_text("{\n" + ",\n".join(rows) + "\n}\n", "utf-8")
    print(f"{len(found)} rows, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
