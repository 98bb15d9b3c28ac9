"""`torch.fx.Proxy`: a value that records what is done to it."""

import builtins
import dis
import operator
import sys

from ..core.tensor import Tensor
from ..overrides import install, is_tensor_method_or_property
from .graph import MAGIC, REFLECTABLE, Graph
from .node import Node, is_base, map_aggregate


class TraceError(ValueError):
    """What is asked of a symbolic value is not known while tracing."""


class TracerBase:
    """What records nodes for proxies."""

    graph: Graph
    proxy_buffer_attributes = False
    trace_asserts = False

    def create_node(self, kind, target, args, kwargs, name=None, type_expr=None) -> Node:
        """A new node of the graph."""
        return self.graph.create_node(kind, target, args, kwargs, name, type_expr)

    def proxy(self, node: Node) -> "Proxy":
        """The value of a node."""
        return Proxy(node, self)

    def create_proxy(
        self, kind, target, args, kwargs, name=None, type_expr=None, proxy_factory_fn=None
    ):
        """A new node, as a value."""
        args, kwargs = self.create_arg(args), self.create_arg(kwargs)
        node = self.create_node(kind, target, args, kwargs, name, type_expr)
        return (proxy_factory_fn or self.proxy)(node)

    def create_arg(self, a):
        """A value as a node's argument."""
        return map_aggregate(a, self._one_arg)

    def _one_arg(self, a):
        if isinstance(a, Proxy):
            return a.node
        if is_base(a) or isinstance(a, Node):
            return a
        raise NotImplementedError(f"argument of type: {type(a)}")

    def to_bool(self, obj) -> bool:
        """The truth of a symbolic value: not known."""
        raise TraceError("symbolically traced variables cannot be used as inputs to control flow")

    def iter(self, obj):
        """The items of a symbolic value: known only where it is unpacked into so many names."""
        frame = sys._getframe(2)
        code = list(dis.get_instructions(frame.f_code))
        here = next(i for i, one in enumerate(code) if one.offset == frame.f_lasti)
        nxt = next(
            one for one in code[here + 1 :] if one.opname not in ("CACHE", "EXTENDED_ARG")
        ) if code[here].opname != "UNPACK_SEQUENCE" else code[here]
        if nxt.opname == "UNPACK_SEQUENCE":
            return (obj[i] for i in range(nxt.argval))
        raise TraceError(
            "Proxy object cannot be iterated. This can be attempted when the Proxy is used in a "
            "loop or as a *args or **kwargs function argument. See the torch.fx docs on "
            "pytorch.org for a more detailed explanation of what types of control flow can be "
            "traced, and check out the Proxy docstring for help troubleshooting Proxy iteration "
            "errors"
        )

    def keys(self, obj):
        """The keys of a symbolic mapping, as a value."""
        return Attribute(obj, "keys")()


class GraphAppendingTracer(TracerBase):
    """Records into a given graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph


class Proxy:
    """Stands for the value of a node while a function is traced."""

    def __init__(self, node: Node, tracer: TracerBase | None = None) -> None:
        install()  # functions of a list of proxies look at their classes
        self.node, self.tracer = node, tracer or GraphAppendingTracer(node.graph)

    def __repr__(self) -> str:
        return f"Proxy({self.node.name})"

    def __getattr__(self, k) -> "Attribute":
        return Attribute(self, k)

    def __call__(self, *args, **kwargs):
        return self.tracer.create_proxy("call_method", "__call__", (self, *args), kwargs)

    def __iter__(self):
        return self.tracer.iter(self)

    def __bool__(self) -> bool:
        return self.tracer.to_bool(self)

    def __len__(self):
        raise RuntimeError(
            "'len' is not supported in symbolic tracing by default. If you want this call to be "
            "recorded, please call torch.fx.wrap('len') at module scope"
        )

    def keys(self):
        """The keys of a mapping."""
        return self.tracer.keys(self)

    def __contains__(self, item):
        raise TraceError("symbolically traced variables cannot be used as inputs to control flow")

    @classmethod
    def __torch_function__(cls, orig_method, types, args=None, kwargs=None):
        args, kwargs = args or (), kwargs or {}
        tracer = _tracer_of((args, kwargs))
        if is_tensor_method_or_property(orig_method) and args and isinstance(args[0], Tensor):
            return tracer.create_proxy("call_method", orig_method.__name__, args, kwargs)
        return tracer.create_proxy("call_function", orig_method, args, kwargs)


def _tracer_of(values) -> TracerBase:
    found = []
    map_aggregate(values, lambda x: found.append(x.tracer) if isinstance(x, Proxy) else None)
    return found[0]


class Attribute(Proxy):
    """An attribute of a proxy: a call of it is a method call; read, it is a node."""

    def __init__(self, root: Proxy, attr: str) -> None:
        self.root, self.attr, self.tracer = root, attr, root.tracer
        self._node = None

    @property
    def node(self) -> Node:
        """The node that reads it, made when it is needed."""
        if self._node is None:
            made = self.tracer.create_proxy("call_function", getattr, (self.root, self.attr), {})
            self._node = made.node
        return self._node

    def __call__(self, *args, **kwargs):
        return self.tracer.create_proxy("call_method", self.attr, (self.root, *args), kwargs)


class ParameterProxy(Proxy):
    """A parameter read while tracing; its shape is known."""

    def __init__(self, tracer, node, name, param) -> None:
        super().__init__(node, tracer)
        self.name, self.param = name, param

    def __repr__(self) -> str:
        return f"ParameterProxy({self.name})"

    @property
    def shape(self):
        return self.param.shape

    def size(self):
        return self.param.size()

    def dim(self):
        return self.param.dim()

    @property
    def ndim(self):
        return self.param.ndim

    def numel(self):
        return self.param.numel()


def _forward(name: str):
    target = getattr(operator, name)

    def method(self, *others):
        return self.tracer.create_proxy("call_function", target, (self, *others), {})

    method.__name__ = f"__{name.strip('_')}__"
    return method


def _reflected(name: str):
    target = getattr(operator, name)

    def method(self, other):
        return self.tracer.create_proxy("call_function", target, (other, self), {})

    method.__name__ = f"__r{name.strip('_')}__"
    return method


for _name in MAGIC:
    if hasattr(operator, _name):
        setattr(Proxy, f"__{_name.strip('_')}__", _forward(_name))
for _name in REFLECTABLE:
    if hasattr(operator, _name) and _name != "getitem":
        setattr(Proxy, f"__r{_name.strip('_')}__", _reflected(_name))
Proxy.__hash__ = object.__hash__
Proxy.__abs__ = lambda self: self.tracer.create_proxy("call_function", builtins.abs, (self,), {})
