"""Records how PyTorch's optimizers move parameters: `python scripts/record_optim.py`.

Runs where torch 2.13 is installed, from the checkout's root; writes compat_tests/goldens/optim.npz.
"""

import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from compat_tests import optim_cases  # noqa: E402


def main():
    import torch

    if not torch.__version__.startswith("2.13"):
        raise SystemExit(f"goldens are those of torch 2.13, this is {torch.__version__}")
    torch.set_num_threads(1)
    found = optim_cases.record(torch)
    np.savez_compressed(ROOT / "compat_tests" / "goldens" / "optim.npz", **found)
    print(f"optim.npz: {len(found)} arrays")


if __name__ == "__main__":
    main()
