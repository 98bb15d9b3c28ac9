"""Writes core/saved.txt: what each node of PyTorch's shows as `_saved_…`.

Runs where torch 2.13 and PyYAML are installed (its generator of nodes reads YAML). A line is a
node's name and what it saves, in the order it looks at them: `name@output?input:type=default`. The
number is that of an output; `?other` says that it is saved only if `other` requires grad; the type
is the schema's.
"""

from pathlib import Path

import torchgen
from torchgen.packaged.autograd.load_derivatives import load_derivatives

TARGET = Path(__file__).resolve().parent.parent / "torchlike" / "core" / "saved.txt"
PACKAGED = Path(torchgen.__file__).parent / "packaged"
HIDDEN = ("_scalar_type", "_layout", "_options")     # saved, but not shown to Python


def named(attribute) -> str:
    """The name an attribute of a node goes by."""
    return str(getattr(attribute.nctype.name, "name", attribute.nctype.name))


def guard(attribute, info) -> str:
    """`?input` if the attribute is saved only when that input requires grad, as generated."""
    users = [d for d in info.derivatives if attribute in d.saved_inputs]
    tensor = str(attribute.nctype.type).endswith("name='Tensor'))")
    if not tensor or len(users) != 1 or len(info.derivatives) < 2 or len(users[0].var_names) != 1:
        return ""
    if "backward" in info.name or any("[]" in str(a.type) and "Tensor" in str(a.type)
                                      for a in info.func.func.arguments.flat_all):
        return ""
    return "?" + users[0].var_names[0]


def input_shown(attribute, info) -> str:
    """One saved input as text."""
    name = named(attribute)
    for argument in info.func.func.arguments.flat_all:
        if argument.name == name:
            kind = str(argument.type).replace("SymInt", "int").replace(" ", "")
            default = "" if argument.default is None else f"={argument.default}"
            return f"{name}{guard(attribute, info)}:{kind}{default}".replace(" ", "")
    return name


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
        names = sorted(input_shown(a, info) for a in info.all_saved_inputs
                       if not named(a).endswith(HIDDEN))
        outputs = sorted(named(a) for a in info.all_saved_outputs
                         if not named(a).endswith(HIDDEN))
        names += [f"{n}@{returns.index(n) if n in returns else 0}" for n in outputs]
        lines.add(" ".join([info.op, *names]))
    TARGET.write_text("\n".join(sorted(lines)) + "\n", "utf-8")


if __name__ == "__main__":
    main()
