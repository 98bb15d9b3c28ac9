"""Random programs against a live PyTorch: `scripts/fuzz.py --torch-python PATH [--seeds A B]`.

PATH is a Python with torch 2.13; this one has torchlike. Exits 1 when a program differs.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from compat_tests import programs  # noqa: E402

LIVE = """
import json, sys, torch
from compat_tests import programs
for seed in range(int(sys.argv[1]), int(sys.argv[2])):
    print(json.dumps(programs.run(torch, programs.seeded(seed))))
"""


def live(python: str, first: int, last: int) -> list[str]:
    """What PyTorch shows of each seed's program."""
    command = [python, "-c", LIVE, str(first), str(last)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--torch-python", required=True)
    parser.add_argument("--seeds", nargs=2, type=int, default=(0, 1000), metavar=("A", "B"))
    given = parser.parse_args()
    import torchlike

    wrong = 0
    for seed, want in enumerate(live(given.torch_python, *given.seeds), given.seeds[0]):
        if found := programs.difference(programs.run(torchlike, programs.seeded(seed)), want):
            wrong += 1
            print(f"seed {seed}: {programs.seeded(seed)}{found}")
    print(f"{wrong} of {given.seeds[1] - given.seeds[0]} programs differ")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
