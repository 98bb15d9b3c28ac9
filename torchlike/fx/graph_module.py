"""`torch.fx.GraphModule`: a Module whose `forward` is a graph's code."""

import copy
import linecache

from ..core.parameter import Parameter
from ..core.tensor import Tensor
from ..nn import Module
from .graph import Graph, PythonCode

_count = [0]


def _assign(root, to: Module, target: str) -> None:
    """What a node refers to, put at the same place of another module."""
    *prefix, leaf = target.split(".")
    for part in prefix:
        below = getattr(root, part)
        if getattr(to, part, None) is None:
            setattr(to, part, Module())
        root, to = below, getattr(to, part)
    found = getattr(root, leaf)
    if isinstance(found, Tensor) and not isinstance(found, Parameter):
        to.register_buffer(leaf, found)
    else:
        setattr(to, leaf, found)


class GraphModule(Module):
    """A module of its own class per instance; `graph`, `code`, and `recompile` after a change."""

    def __new__(cls, *args, **kwargs):
        for base in cls.__mro__:
            if base.__qualname__ == "GraphModuleImpl":
                return super().__new__(cls)

        class GraphModuleImpl(cls):
            pass

        return super().__new__(GraphModuleImpl)

    def __init__(self, root, graph: Graph, class_name: str = "GraphModule") -> None:
        super().__init__()
        self.__class__.__name__ = class_name
        if isinstance(root, Module):
            self.training = getattr(root, "training", self.training)
            for node in graph.nodes:
                if node.op in ("get_attr", "call_module"):
                    _assign(root, self, node.target)
        elif isinstance(root, dict):
            for target, value in sorted(root.items(), key=lambda row: row[0].count(".")):
                *prefix, leaf = target.split(".")
                place = self
                for part in prefix:
                    if not hasattr(place, part):
                        setattr(place, part, Module())
                    place = getattr(place, part)
                setattr(place, leaf, value)
        else:
            raise RuntimeError(f"Unsupported type {root} passed for root!")
        self.graph = graph
        self._tracer_cls = graph._tracer_cls
        self.meta: dict = {}

    @property
    def graph(self) -> Graph:
        """The graph behind `forward`."""
        return self._graph

    @graph.setter
    def graph(self, g: Graph) -> None:
        if not isinstance(g, Graph):
            raise AssertionError(f"Expected a Graph instance, but got {type(g)}")
        self._graph = g
        g.owning_module = self
        self.recompile()

    def recompile(self) -> PythonCode:
        """Make `forward` anew from the graph."""
        made = self._graph.python_code(root_module="self")
        self._code = made.src
        _count[0] += 1
        file = f"<eval_with_key>.{_count[0]}"
        linecache.cache[file] = (len(made.src), None, made.src.splitlines(True), file)
        space = dict(made.globals)
        source = "\n".join(
            line for line in made.src.splitlines() if not line.startswith("torch.fx._symbolic")
        )
        exec(compile(source, file, "exec"), space)  # our own text, from the graph's nodes
        type(self).forward = space["forward"]
        return made

    @property
    def code(self) -> str:
        """The source of `forward`."""
        return self._code

    def print_readable(self, print_output=True, **kwargs) -> str:
        """The class with its forward, as text."""
        lines = [f"class {type(self).__name__}(torch.nn.Module):"]
        lines += [f"    {line}".rstrip() for line in self._code.strip().splitlines()]
        text = "\n".join(lines) + "\n"
        if print_output:
            print(text)
        return text

    def add_submodule(self, target: str, m: Module) -> bool:
        """Put a module at a path; False if something else is in the way."""
        *prefix, leaf = target.split(".")
        place = self
        for part in prefix:
            below = getattr(place, part, None)
            if below is None:
                below = Module()
                setattr(place, part, below)
            if not isinstance(below, Module):
                return False
            place = below
        place.add_module(leaf, m)
        return True

    def delete_submodule(self, target: str) -> bool:
        """Take the module at a path away; False if there is none."""
        *prefix, leaf = target.split(".")
        try:
            place = self.get_submodule(".".join(prefix))
        except AttributeError:
            return False
        if not isinstance(getattr(place, leaf, None), Module):
            return False
        delattr(place, leaf)
        return True

    def delete_all_unused_submodules(self) -> None:
        """Take the modules away that no node refers to."""
        used = {n.target for n in self.graph.nodes if n.op in ("call_module", "get_attr")}
        for name, module in list(self.named_modules()):
            inside = any(t == name or t.startswith(f"{name}.") for t in used)
            below = any(name.startswith(f"{t}.") for t in used)
            if name and not inside and not below and module is not self:
                self.delete_submodule(name)

    def __deepcopy__(self, memo):
        plain = Module()
        plain.__dict__.update(copy.deepcopy(
            {k: v for k, v in self.__dict__.items() if k != "_graph"}, memo
        ))
        made = GraphModule(plain, copy.deepcopy(self._graph), type(self).__name__)
        made.training, made.meta = self.training, dict(self.meta)
        return made

    def __copy__(self):
        return GraphModule(self, copy.deepcopy(self._graph), type(self).__name__)

    def __reduce__(self):
        raise NotImplementedError("pickling a torch.fx.GraphModule is not supported")

    def __str__(self) -> str:
        note = "# To see more debug info, please use `graph_module.print_readable()`"
        return "\n".join([Module.__repr__(self), self._code, note])
