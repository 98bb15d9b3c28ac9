"""Put on PYTHONPATH by `tell`: its sitecustomize runs in every interpreter started from here."""

import os
from pathlib import Path

HERE = str(Path(__file__).parent)
FLAG = "TORCHLIKE_ALIAS"  # where torchlike lies


def tell(on: bool) -> None:
    """Whether in interpreters started from here `import torch` means torchlike."""
    paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    paths = [path for path in paths if path != HERE]
    os.environ.pop(FLAG, None)
    if on:
        paths.insert(0, HERE)
        os.environ[FLAG] = str(Path(__file__).parent.parent.parent)
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)
    if not paths:
        del os.environ["PYTHONPATH"]
