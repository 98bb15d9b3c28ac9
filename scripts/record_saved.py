"""Writes core/saved.txt: what each node of PyTorch's shows as `_saved_…`.

Runs where torch 2.13 and PyYAML are installed (its generator of nodes reads YAML). A line is a
node's name and what it saves; an output is followed by its number.
"""

from pathlib import Path

import torchgen
from torchgen.packaged.autograd.load_derivatives import load_derivatives

TARGET = Path(__file__).resolve().parent.parent / "torchlike" / "core" / "saved.txt"
PACKAGED = Path(torchgen.__file__).parent / "packaged"
HIDDEN = ("_scalar_type", "_layout", "_options")     # saved, but not shown to Python


def shown(attributes) -> list[str]:
    """The names a node's attributes go by."""
    names = [str(getattr(a.nctype.name, "name", a.nctype.name)) for a in attributes]
    return sorted(n for n in names if not n.endswith(HIDDEN))


def main() -> None:
    """Every node of derivatives.yaml."""
    found, _ = load_derivatives(str(PACKAGED / "autograd/derivatives.yaml"),
                                str(PACKAGED / "ATen/native/native_functions.yaml"),
                                str(PACKAGED / "ATen/native/tags.yaml"))
    lines = set()
    for schema, by_key in found.items():
        info = by_key.get("Default")
        if info is None or not info.op:
            continue
        returns = [r.name or ("result" if len(schema.returns) == 1 else f"result{i}")
                   for i, r in enumerate(schema.returns)]
        names = shown(info.all_saved_inputs)
        names += [f"{n}@{returns.index(n) if n in returns else 0}"
                  for n in shown(info.all_saved_outputs)]
        lines.add(" ".join([info.op, *names]))
    TARGET.write_text("\n".join(sorted(lines)) + "\n", "utf-8")


if __name__ == "__main__":
    main()
