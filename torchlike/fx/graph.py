"""`torch.fx.Graph`: a list of nodes, printed and turned into Python code."""

import builtins
import contextlib
import keyword
import math
import re
from dataclasses import dataclass, field

from .node import Node, format_arg, map_arg, qualified_name, type_repr

REFLECTABLE = {
    "add": "{} + {}", "sub": "{} - {}", "mul": "{} * {}", "floordiv": "{} // {}",
    "truediv": "{} / {}", "div": "{} / {}", "mod": "{} % {}", "pow": "{} ** {}",
    "lshift": "{} << {}", "rshift": "{} >> {}", "and_": "{} & {}", "or_": "{} | {}",
    "xor": "{} ^ {}", "getitem": "{}[{}]", "matmul": "{} @ {}",
}  # fmt: skip
MAGIC = {
    "eq": "{} == {}", "ne": "{} != {}", "lt": "{} < {}", "gt": "{} > {}", "le": "{} <= {}",
    "ge": "{} >= {}", "pos": "+{}", "neg": "-{}", "invert": "~{}", **REFLECTABLE,
}  # fmt: skip
INPLACE = {
    "iadd": "{} += {}", "iand": "{} &= {}", "ifloordiv": "{} //= {}", "ilshift": "{} <<= {}",
    "imod": "{} %= {}", "imul": "{} *= {}", "imatmul": "{} @= {}", "ior": "{} |= {}",
    "ipow": "{} **= {}", "irshift": "{} >>= {}", "isub": "{} -= {}", "itruediv": "{} /= {}",
    "ixor": "{} ^= {}", "setitem": "{}[{}] = {}",
}  # fmt: skip
_NAME = re.compile(r"([a-zA-Z_0-9]*?)(?:_(\d+))?")
_OURS = ("inf", "nan", "NoneType", "torch", "device", "fx_pytree", "pytree")


class Namespace:
    """Names that are unique and hide neither a keyword nor a builtin."""

    def __init__(self) -> None:
        self._names: dict = {}
        self._used: set[str] = set()
        self._counts: dict[str, int] = {}

    def create_name(self, candidate: str, obj) -> str:
        """A name like the candidate; the same one for the same object."""
        if obj is not None and obj in self._names:
            return self._names[obj]
        candidate = re.sub(r"[^0-9a-zA-Z_]+", "_", candidate) or "_unnamed"
        candidate = f"_{candidate}" if candidate[0].isdigit() else candidate
        base, number = _NAME.fullmatch(candidate).groups()
        count = int(number or 0)
        if number is None or candidate in self._used:
            count = self._counts.get(base, 0)
            if self._illegal(candidate, obj):
                count += 1
                candidate = f"{base}_{count}"
        while candidate in self._used:
            count += 1
            candidate = f"{base}_{count}"
        self._used.add(candidate)
        self._counts[base] = count
        if obj is not None:
            self._names[obj] = candidate
        return candidate

    def _illegal(self, name: str, obj) -> bool:
        if keyword.iskeyword(name):
            return True
        return getattr(builtins, name, obj) is not obj or (name in _OURS and obj is None)


@dataclass
class PythonCode:
    """Source, and the globals that it needs."""

    src: str
    globals: dict = field(default_factory=dict)


class CodeGen:
    """Turns a graph into the source of a `forward`."""

    def gen_fn_def(self, free_vars: list[str], maybe_return_annotation: str) -> str:
        """The head of the function."""
        if not free_vars or free_vars[0] != "self":
            free_vars.insert(0, "self")
        return f"def forward({', '.join(free_vars)}){maybe_return_annotation}:"

    def generate_output(self, output_args) -> str:
        """The last line."""
        return f"return {output_args!r}"

    def process_inputs(self, *args):
        """The arguments as the placeholders take them."""
        return args

    def process_outputs(self, outputs):
        """The result as the caller gets it."""
        return outputs


class _Writer:
    """The lines of one function body."""

    def __init__(self, root: str, space: Namespace) -> None:
        self.root, self.space = root, space
        self.globals: dict = {}
        self.free, self.wrapped, self.lines = [], {}, []
        self.returns = ""

    def name_of(self, hint: str, obj) -> str:
        name = self.space.create_name(hint.replace(".", "_"), None)
        self.globals[name] = obj
        return name

    def function(self, target) -> str:
        path = qualified_name(target)
        root = path.split(".")[0]
        if root == "torch":
            import torchlike

            self.globals["torch"] = torchlike
            return path
        if getattr(target, "__module__", "") == "builtins" and hasattr(builtins, target.__name__):
            return target.__name__
        for name, known in self.globals.items():
            if known is target:
                return name
        if target.__module__ == "_operator":
            import _operator

            self.globals["_operator"] = _operator
            return path
        return self.name_of(path, target)

    def arg(self, value) -> str:
        if isinstance(value, Node):
            return repr(value)
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            name = self.name_of(type(value).__name__, type(value))
            return f"{name}({', '.join(map(self.arg, value))})"
        if isinstance(value, list | tuple):
            inner = ", ".join(map(self.arg, value))
            if isinstance(value, list):
                return f"[{inner}]"
            return f"({inner}{',' if len(value) == 1 else ''})"
        if isinstance(value, dict):
            return "{" + ", ".join(f"{k!r}: {self.arg(v)}" for k, v in value.items()) + "}"
        if isinstance(value, slice):
            return f"slice({', '.join(map(self.arg, (value.start, value.stop, value.step)))})"
        return self.constant(value)

    def constant(self, value) -> str:
        if isinstance(value, float) and not math.isfinite(value):
            self.globals.update(inf=math.inf, nan=math.nan)
            return repr(value)
        text = repr(value)
        if text.startswith(("torch.", "device(")):
            import torchlike

            self.globals.update(torch=torchlike, device=torchlike.device)
            return text
        if callable(value):
            return self.function(value)
        return text

    def call_args(self, args, kwargs) -> str:
        parts = [self.arg(a) for a in args] + [f"{k} = {self.arg(v)}" for k, v in kwargs.items()]
        return ", ".join(parts)

    def node(self, node: Node, code: CodeGen) -> None:
        note = "" if node.type is None else f" : {type_repr(node.type)}"
        if node.op == "placeholder":
            self.placeholder(node, note)
        elif node.op == "output":
            if node.type is not None:
                self.returns = f" -> {type_repr(node.type)}"
            self.lines.append(f"return {self.arg(node.args[0])}")
        else:
            self.lines.append(self.statement(node, note))

    def placeholder(self, node: Node, note: str) -> None:
        default = "" if not node.args else f" = {self.arg(node.args[0])}"
        self.free.append(f"{node.target}{note}{default}")
        raw = node.target.replace("*", "")
        if raw != repr(node):
            self.lines.append(f"{node!r} = {raw}")

    def statement(self, node: Node, note: str) -> str:
        args, kwargs = node.args, node.kwargs
        if node.op == "get_attr":
            return f"{node!r}{note} = {_path(self.root, node.target)}"
        if node.op == "call_module":
            place = _path(self.root, node.target)
            return f"{node!r}{note} = {place}({self.call_args(args, kwargs)})"
        if node.op == "call_method":
            rest = self.call_args(args[1:], kwargs)
            return f"{node!r}{note} = {_path(self.arg(args[0]), node.target)}({rest})"
        return self.called(node, note, args, kwargs)

    def called(self, node: Node, note: str, args, kwargs) -> str:
        target = node.target
        module, name = getattr(target, "__module__", ""), getattr(target, "__name__", "")
        if module == "_operator" and name in MAGIC:
            return f"{node!r}{note} = {MAGIC[name].format(*map(self.arg, args))}"
        if module == "_operator" and name in INPLACE:
            return f"{INPLACE[name].format(*map(self.arg, args))};  {node!r}{note} = {args[0]!r}"
        if target is getattr and isinstance(args[1], str) and args[1].isidentifier():
            if len(args) == 2:
                return f"{node!r}{note} = {_path(self.arg(args[0]), args[1])}"
        place = self.function(target)
        if hasattr(target, "_fx_wrapped"):
            self.wrapped[place] = None
        return f"{node!r}{note} = {place}({self.call_args(args, kwargs)})"


def _path(base: str, target: str) -> str:
    for part in target.split("."):
        base = f"{base}.{part}" if part.isidentifier() else f'getattr({base}, "{part}")'
    return base


class Graph:
    """A doubly linked list of nodes in order of execution."""

    def __init__(self, owning_module=None, tracer_cls=None, tracer_extras=None) -> None:
        self._root = Node(self, "", "root", "", (), {})
        self._graph_namespace = Namespace()
        self.owning_module = owning_module
        self._tracer_cls, self._tracer_extras = tracer_cls, tracer_extras
        self._codegen = CodeGen()
        self._insert = self._root.prepend
        self._length = 0

    # ----- reading it -----
    @property
    def nodes(self) -> "_Nodes":
        """The nodes in order."""
        return _Nodes(self)

    def find_nodes(self, *, op: str, target=None, sort: bool = True) -> list:
        """The nodes of one kind."""
        return [n for n in self.nodes if n.op == op and target in (None, n.target)]

    def output_node(self) -> Node:
        """The last node."""
        return next(n for n in reversed(self.nodes) if n.op == "output")

    def __str__(self) -> str:
        names: list = []
        returns = [""]
        lines = [n.format_node(None, returns) for n in self.nodes]
        text = f"graph({', '.join(names)}){returns[0]}:"
        return text + "".join(f"\n    {line}" for line in lines if line)

    def print_tabular(self) -> None:
        """The graph as a table, by the `tabulate` package."""
        try:
            from tabulate import tabulate
        except ImportError:
            print(
                "`print_tabular` relies on the library `tabulate`, which could not be found on "
                "this machine. Run `pip install tabulate` to install the library."
            )
            raise
        rows = [[n.op, n.name, n.target, n.args, n.kwargs] for n in self.nodes]
        print(tabulate(rows, headers=["opcode", "name", "target", "args", "kwargs"]))

    # ----- making nodes -----
    def create_node(self, op, target, args=None, kwargs=None, name=None, type_expr=None) -> Node:
        """A new node at the insertion point."""
        candidate = name if name is not None else self._target_to_str(target)
        name = self._graph_namespace.create_name(candidate, None)
        node = Node(self, name, op, target, args or (), kwargs or {}, type_expr)
        self._insert(node)
        self._length += 1
        return node

    def _target_to_str(self, target) -> str:
        name = target if isinstance(target, str) else getattr(
            target, "__name__", type(target).__name__
        )
        if name.startswith("__") and name.endswith("__"):
            name = name[2:-2]
        name = re.sub(r"(?<=[a-z])([A-Z])", r"_\1", name).lower()
        return name

    def placeholder(self, name, type_expr=None, default_value=...) -> Node:
        """A new input."""
        args = () if default_value is ... else (default_value,)
        return self.create_node("placeholder", name, args, type_expr=type_expr)

    def get_attr(self, qualified_name, type_expr=None) -> Node:
        """A new read of a parameter or buffer."""
        return self.create_node("get_attr", qualified_name, type_expr=type_expr)

    def call_module(self, module_name, args=None, kwargs=None, type_expr=None, name=None) -> Node:
        """A new call of a submodule."""
        return self.create_node("call_module", module_name, args, kwargs, name, type_expr)

    def call_method(self, method_name, args=None, kwargs=None, type_expr=None, name=None) -> Node:
        """A new call of a method of the first argument."""
        return self.create_node("call_method", method_name, args, kwargs, name, type_expr)

    def call_function(self, the_function, args=None, kwargs=None, type_expr=None, name=None):
        """A new call of a function."""
        return self.create_node("call_function", the_function, args, kwargs, name, type_expr)

    def output(self, result, type_expr=None) -> Node:
        """The result."""
        return self.create_node("output", "output", (result,), type_expr=type_expr)

    def node_copy(self, node, arg_transform=lambda x: x) -> Node:
        """A copy of another graph's node."""
        args, kwargs = map_arg(node.args, arg_transform), map_arg(node.kwargs, arg_transform)
        name = self._graph_namespace.create_name(node.name, None)
        made = Node(self, name, node.op, node.target, args, kwargs, node.type)
        made.meta = dict(node.meta)
        self._insert(made)
        self._length += 1
        return made

    def graph_copy(self, g, val_map: dict, return_output_node=False):
        """All nodes of another graph, put here; tells what its output becomes."""
        for node in g.nodes:
            if node in val_map:
                continue
            if node.op == "output":
                found = map_arg(node.args[0], lambda n: val_map[n])
                return (found, node) if return_output_node else found
            val_map[node] = self.node_copy(node, lambda n: val_map[n])
        return None

    # ----- changing it -----
    def erase_node(self, to_erase: Node) -> None:
        """Take a node away that nothing uses."""
        if to_erase.users:
            raise RuntimeError(
                f"Tried to erase Node {to_erase} but it still had {len(to_erase.users)} users in "
                f"the graph: {to_erase.users}!"
            )
        if to_erase.graph is not self:
            raise RuntimeError(f"Attempting to remove {to_erase} from wrong graph!")
        to_erase._remove_from_list()
        to_erase._erased = True
        self._length -= 1
        to_erase._assign((), {})

    @contextlib.contextmanager
    def _inserting(self, insert):
        before, self._insert = self._insert, insert
        try:
            yield
        finally:
            self._insert = before

    def inserting_before(self, n=None):
        """Inside, new nodes come before `n` (at the beginning without one)."""
        return self._inserting((self._root._next if n is None else n).prepend)

    def inserting_after(self, n=None):
        """Inside, new nodes come after `n`, each after the one before."""
        place = [self._root if n is None else n]

        def insert(node):
            place[0].append(node)
            place[0] = node

        return self._inserting(insert)

    def eliminate_dead_code(self, is_impure_node=None) -> bool:
        """Take away the nodes that nothing uses; tells whether there were any."""
        impure = is_impure_node or Node.is_impure
        dead = 0
        for node in reversed(self.nodes):
            if not node.users and not impure(node):
                self.erase_node(node)
                dead += 1
        return dead > 0

    def lint(self) -> None:
        """RuntimeError where the graph is not well formed."""
        seen: set = set()
        names: set = set()
        for node in self.nodes:
            if node.graph is not self:
                raise RuntimeError(f"Node '{node}' does not belong to this Graph!")
            for used in node.all_input_nodes:
                if used not in seen:
                    raise RuntimeError(
                        f"Argument '{used}' of Node '{node}' was used before it has been defined! "
                        f"Please check that Nodes in the graph are topologically ordered\n{self}"
                    )
            if node.name in names:
                raise RuntimeError(f"Node redefined name {node.name}!")
            seen.add(node)
            names.add(node.name)

    def set_codegen(self, codegen: CodeGen) -> None:
        """What turns the graph into code."""
        self._codegen = codegen

    def on_generate_code(self, make_transformer):
        """Not supported."""
        raise NotImplementedError("Graph.on_generate_code is not supported")

    # ----- code -----
    def python_code(self, root_module: str, *, verbose: bool = False) -> PythonCode:
        """The graph as the source of a function named `forward`."""
        writer = _Writer(root_module, Namespace())
        for node in self.nodes:
            writer.space._used.add(node.name)
        last_use = self._last_uses()
        body = []
        for node in self.nodes:
            writer.lines = []
            writer.node(node, self._codegen)
            text = "".join(f"    {line}\n" for line in writer.lines)
            body.append(text[:-1] + last_use.get(node, "") + "\n" if text else text)
        head = self._codegen.gen_fn_def(writer.free, writer.returns)
        wrap = "".join(
            f'torch.fx._symbolic_trace.wrap("{name}")\n' for name in writer.wrapped
        )
        body_text = "".join(body) or "    pass\n"
        text = f"\n{wrap}\n{head}\n{body_text}    "
        return PythonCode(text if wrap else "\n" + text, writer.globals)

    def _last_uses(self) -> dict:
        """The text that drops the values a node was the last to use."""
        found: dict = {}
        done: set = set()
        for node in reversed(self.nodes):
            dying = []
            for used in node.all_input_nodes:
                if used not in done:
                    done.add(used)
                    dying.append(used.name)
            unused = not node.users and node.op not in ("placeholder", "output")
            dying += [node.name] if unused else []
            if dying and node.op not in ("output", "placeholder"):
                found[node] = f";  {' = '.join(dying)} = None"
        return found

    def __deepcopy__(self, memo=None) -> "Graph":
        made = Graph(tracer_cls=self._tracer_cls)
        found = made.graph_copy(self, {}, return_output_node=True)
        if found is not None:
            out, old = found
            made.output(out, type_expr=old.type).meta = dict(old.meta)
        return made

    def __reduce__(self):
        raise NotImplementedError("pickling a torch.fx.Graph is not supported")


class _Nodes:
    """The nodes of a graph, also backwards; those taken away meanwhile are left out."""

    def __init__(self, graph: Graph, direction: str = "_next") -> None:
        self.graph, self.direction = graph, direction

    def __len__(self) -> int:
        return self.graph._length

    def __iter__(self):
        root = node = self.graph._root
        while (node := getattr(node, self.direction)) is not root:
            if not node._erased:
                yield node

    def __reversed__(self):
        return iter(_Nodes(self.graph, "_prev"))


__all__ = ["CodeGen", "Graph", "PythonCode", "format_arg"]
