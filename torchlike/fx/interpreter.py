"""`torch.fx.Interpreter` and `Transformer`: a graph run node by node."""

import contextlib

from ..nn import Module
from .graph import Graph
from .graph_module import GraphModule
from .node import map_aggregate, map_arg
from .proxy import GraphAppendingTracer, Proxy


class Interpreter:
    """Runs a GraphModule's nodes; each kind of node is a method to override."""

    def __init__(self, module: Module, garbage_collect_values=True, graph=None) -> None:
        self.module, self.submodules = module, dict(module.named_modules())
        self.graph = module.graph if graph is None else graph
        self.garbage_collect_values = garbage_collect_values
        self.env: dict = {}
        self.name = "Interpreter"
        self.extra_traceback = True

    def run(self, *args, initial_env=None, enable_io_processing=True):
        """The result for these inputs."""
        self.env = {} if initial_env is None else initial_env
        self.args_iter = iter(args)
        left = {node: len(node.users) for node in self.graph.nodes}
        for node in self.graph.nodes:
            if node in self.env:
                continue
            self.env[node] = self.run_node(node)
            if node.op == "output":
                return self.env[node]
            if self.garbage_collect_values:
                self._forget(node, left)
        return None

    def _forget(self, node, left: dict) -> None:
        for used in node.all_input_nodes:
            left[used] -= 1
            if not left[used]:
                self.env.pop(used, None)

    def boxed_run(self, args_list: list):
        """`run`, taking the inputs out of the list."""
        args = list(args_list)
        args_list.clear()
        return self.run(*args)

    def run_node(self, n):
        """The value of one node."""
        args, kwargs = self.fetch_args_kwargs_from_env(n)
        return getattr(self, n.op)(n.target, args, kwargs)

    def placeholder(self, target, args, kwargs):
        """An input."""
        if target.startswith("*"):
            return list(self.args_iter)
        try:
            return next(self.args_iter)
        except StopIteration:
            if args:
                return args[0]
            raise RuntimeError(
                f"Expected positional argument for parameter {target}, but one was not passed in!"
            ) from None

    def get_attr(self, target, args, kwargs):
        """A parameter, buffer or other attribute."""
        return self.fetch_attr(target)

    def call_function(self, target, args, kwargs):
        """A function's result."""
        return target(*args, **kwargs)

    def call_method(self, target, args, kwargs):
        """A method's result."""
        first, *rest = args
        return getattr(first, target)(*rest, **kwargs)

    def call_module(self, target, args, kwargs):
        """A submodule's result."""
        return self.fetch_attr(target)(*args, **kwargs)

    def output(self, target, args, kwargs):
        """The result."""
        return args[0]

    def fetch_attr(self, target: str):
        """What is found at a path."""
        found = self.module
        for i, part in enumerate(target.split(".")):
            if not hasattr(found, part):
                parts = ".".join(target.split(".")[: i + 1])
                raise RuntimeError(f"Node referenced nonexistent target {parts}")
            found = getattr(found, part)
        return found

    def fetch_args_kwargs_from_env(self, n):
        """A node's arguments, with values in place of nodes."""
        return self.map_nodes_to_values(n.args, n), self.map_nodes_to_values(n.kwargs, n)

    def map_nodes_to_values(self, args, n):
        """An argument, with values in place of nodes."""
        return map_arg(args, lambda node: self.env[node])

    @contextlib.contextmanager
    def _set_current_node(self, node):
        yield


class Transformer(Interpreter):
    """An interpreter that makes a new GraphModule."""

    def __init__(self, module) -> None:
        super().__init__(module)
        self.new_graph = Graph(tracer_cls=module.graph._tracer_cls)
        self.tracer = GraphAppendingTracer(self.new_graph)

    def placeholder(self, target, args, kwargs) -> Proxy:
        """An input of the new graph."""
        default = args[0] if args else ...
        return Proxy(self.new_graph.placeholder(target, default_value=default), self.tracer)

    def get_attr(self, target, args, kwargs) -> Proxy:
        """A read in the new graph."""
        return self.tracer.create_proxy("get_attr", target, args, kwargs)

    def call_module(self, target, args, kwargs):
        """A call of a submodule in the new graph."""
        return self.tracer.create_proxy("call_module", target, args, kwargs)

    def call_function(self, target, args, kwargs):
        """A call in the new graph."""
        return self.tracer.create_proxy("call_function", target, args, kwargs)

    def transform(self) -> GraphModule:
        """The new module."""
        result = super().run()
        if result is not None:
            result = map_aggregate(result, lambda a: a.node if isinstance(a, Proxy) else a)
            self.new_graph.output(result)
        return GraphModule(self.module, self.new_graph, type(self.module).__name__)
