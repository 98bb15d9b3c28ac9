"""Records what real PyTorch does with every module case and program: compat_tests/goldens/nn.*

Run with a Python that has torch 2.13: python scripts/record_nn.py
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from compat_tests import nn_cases, nn_programs  # noqa: E402


def main():
    texts, arrays = {}, {}
    for build, inputs in nn_cases.CASES:
        key = f"{build} | {inputs}"
        texts[key], found = nn_cases.observe(torch, build, inputs)
        arrays |= {f"{key} | {name}": value for name, value in found.items()}
    programs = {name: nn_programs.play(torch, src) for name, src in nn_programs.PROGRAMS.items()}
    goldens = ROOT / "compat_tests" / "goldens"
    goldens.mkdir(exist_ok=True)
    flat, places = nn_cases.pack(arrays)
    for name, place in places.items():
        key, _, leaf = name.rpartition(" | ")
        texts[key].setdefault("arrays", {})[leaf] = place
    recorded = {"cases": texts, "programs": programs}
    rows = [f"{json.dumps(k)}: {{\n{_rows(part)}\n}}" for k, part in recorded.items()]
    (goldens / "nn.json").write_text("{\n" + ",\n".join(rows) + "\n}\n")
    np.savez_compressed(goldens / "nn.npz", **flat)
    print(f"{len(texts)} cases, {len(programs)} programs, {len(arrays)} arrays")


def _rows(part):
    """A dictionary as JSON, one entry a line."""
    return ",\n".join(f"{json.dumps(key)}: {json.dumps(part[key])}" for key in part)


if __name__ == "__main__":
    main()
