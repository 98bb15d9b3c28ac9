"""PyTorch's public names: which there are (goldens/names.json), and which torchlike has.

A name is public where its namespace lists it in `__all__`; where it has no such list, or leaves
names out, those are public that do not begin with "_" and are PyTorch's own things.
"""

import ast
import functools
import importlib
import inspect
import json
import re
import textwrap
import types
from pathlib import Path

PATH = Path(__file__).parent / "goldens" / "names.json"
PAGE = Path(__file__).resolve().parent.parent / "COMPAT.md"
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| (\w+) \| (.*) \|$", re.MULTILINE)
NAMESPACES = (
    "torch", "torch.Tensor", "torch.nn", "torch.nn.functional", "torch.linalg", "torch.fft",
    "torch.special", "torch.autograd", "torch.func", "torch.optim", "torch.optim.lr_scheduler",
    "torch.utils.data", "torch.distributions",
)  # fmt: skip
HELPERS = {"has_torch_function", "has_torch_function_unary", "has_torch_function_variadic"}
BY_CLASS = {"dtype": "dtype", "layout": "value", "memory_format": "value", "module": "module"}


def find(torch, path: str):
    """What `torch.<path>` is on `torch`; AttributeError where it is nothing."""
    _, *parts = path.split(".")
    found = torch
    for part in parts:
        try:
            found = getattr(found, part)
        except AttributeError:
            if not isinstance(found, types.ModuleType):
                raise
            try:
                found = importlib.import_module(f"{found.__name__}.{part}")
            except ImportError:
                raise AttributeError(path) from None
    return found


def kind(owner, thing) -> str:
    """What a thing is, in a word."""
    if type(thing).__name__ in BY_CLASS:
        return BY_CLASS[type(thing).__name__]
    if isinstance(thing, type):
        return "class"
    if isinstance(owner, type):
        return "method" if callable(thing) else "attribute"
    return "function" if callable(thing) else "value"


def _own(torch, namespace, name, thing) -> bool:
    """Whether a name that no `__all__` lists is PyTorch's own, and not an import or a text."""
    if isinstance(thing, types.ModuleType):
        return thing.__name__ == f"{namespace}.{name}"
    if isinstance(thing, type) and issubclass(thing, Exception):
        return thing.__module__.startswith("torch")
    if isinstance(thing, type | types.FunctionType):
        return thing.__module__.startswith(namespace)
    if callable(thing):
        return (thing.__module__ or "torch").startswith("torch") and name not in HELPERS
    return type(thing).__module__.startswith("torch")


def collect(torch) -> dict[str, dict[str, str]]:
    """Namespace -> name -> kind, of real torch."""
    found = {}
    for namespace in NAMESPACES:
        owner = find(torch, namespace)
        listed = set(getattr(owner, "__all__", ()))
        names = {name for name in dir(owner) if not name.startswith("_")}
        if not isinstance(owner, type):
            names = {
                name for name in names
                if name in listed or _own(torch, namespace, name, getattr(owner, name))
            }  # fmt: skip
        found[namespace] = {n: kind(owner, getattr(owner, n, None)) for n in sorted(names)}
    return found


@functools.cache
def recorded() -> dict[str, dict[str, str]]:
    """The names of torch 2.13."""
    return json.loads(PATH.read_text())


def names() -> list[tuple[str, str, str]]:
    """(namespace, name, kind) of every public name."""
    return [(space, n, what) for space, held in recorded().items() for n, what in held.items()]


def refuses(thing) -> bool:
    """Whether all that a function does is to raise NotImplementedError."""
    if not isinstance(thing, types.FunctionType):
        return False
    try:
        body = ast.parse(textwrap.dedent(inspect.getsource(thing))).body[0].body
    except (OSError, SyntaxError, AttributeError):
        return False
    first = body[1] if len(body) > 1 and ast.get_docstring(ast.Module(body, [])) else body[0]
    return isinstance(first, ast.Raise) and "NotImplementedError" in ast.unparse(first)


def exists(torch, namespace: str, name: str) -> bool:
    """Whether `torch` has the name, and it does more than refuse."""
    try:
        return not refuses(find(torch, f"{namespace}.{name}"))
    except AttributeError:
        return False


def rows(page: str) -> list[tuple[str, str, str, str, str]]:
    """(namespace, name, kind, state, evidence) of COMPAT.md's lines."""
    _, *parts = re.split(r"^## (\S+)$", page, flags=re.MULTILINE)
    return [(space, *row) for space, body in zip(parts[::2], parts[1::2])
            for row in ROW.findall(body)]
