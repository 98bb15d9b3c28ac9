"""Records whole modules that PyTorch saved, for test_serialize_modules.py.

Run with a Python that has torch 2.13: python scripts/record_modules.py
"""

import sys
import warnings
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from compat_tests import module_files  # noqa: E402


def main() -> None:
    import torch
    import torch.nn.utils.prune

    if not torch.__version__.startswith("2.13"):
        raise SystemExit(f"goldens are those of torch 2.13, this is {torch.__version__}")
    warnings.simplefilter("ignore")
    with zipfile.ZipFile(module_files.PATH, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in module_files.MODULES:
            for kind, data in module_files.written(torch, name).items():
                archive.writestr(f"{name}.{kind}", data)
    print(f"{module_files.PATH.name}: {module_files.PATH.stat().st_size} bytes")


if __name__ == "__main__":
    main()
