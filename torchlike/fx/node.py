"""`torch.fx.Node`: one step of a graph."""

import builtins
import inspect
import types

from .._C import c_name
from ..core.dtypes import dtype
from ..core.tensor import Tensor
from ..overrides import resolve_name
from .immutable_collections import immutable_dict, immutable_list

BASE = (str, int, float, bool, complex, dtype)


def map_aggregate(a, fn):
    """An argument with `fn` applied to everything in it that is no container."""
    if isinstance(a, tuple):
        items = [map_aggregate(item, fn) for item in a]
        return type(a)(*items) if hasattr(a, "_fields") else tuple(items)
    if isinstance(a, list):
        return immutable_list([map_aggregate(item, fn) for item in a])
    if isinstance(a, dict):
        return immutable_dict({key: map_aggregate(value, fn) for key, value in a.items()})
    if isinstance(a, slice):
        parts = (map_aggregate(part, fn) for part in (a.start, a.stop, a.step))
        return slice(*parts)
    return fn(a)


def map_arg(a, fn):
    """An argument with `fn` applied to the nodes in it."""
    return map_aggregate(a, lambda x: fn(x) if isinstance(x, Node) else x)


def qualified_name(func) -> str:
    """How generated code spells a function."""
    name = getattr(func, "__name__", None) or type(func).__name__
    if getattr(builtins, name, None) is func:
        return name
    known = resolve_name(func)
    if known is not None:
        return c_name(known)
    if name == "<lambda>":
        try:
            name = inspect.getsource(func).split("=")[0].strip()
        except OSError as error:
            raise RuntimeError("Unable to represent lambda") from error
    module = getattr(func, "__module__", None) or "builtins"
    module = {"torchlike.misc": "torch"}.get(module, module)
    return f"{module.replace('torchlike', 'torch')}.{name}"


def type_repr(obj) -> str:
    """How a type annotation is printed."""
    if isinstance(obj, type) and not isinstance(obj, types.GenericAlias):
        return obj.__qualname__ if obj.__module__ == "builtins" else (
            f"{obj.__module__}.{obj.__qualname__}".replace("torchlike.", "torch.")
        )
    return "..." if obj is ... else repr(obj)


def format_arg(arg) -> str:
    """An argument in the printed graph."""
    if isinstance(arg, list):
        return f"[{', '.join(map(format_arg, arg))}]"
    if isinstance(arg, tuple):
        return f"({', '.join(map(format_arg, arg))}{',' if len(arg) == 1 else ''})"
    if isinstance(arg, dict):
        return "{" + ", ".join(f"{key}: {format_arg(value)}" for key, value in arg.items()) + "}"
    return f"%{arg}" if isinstance(arg, Node) else str(arg)


class Node:
    """One step: `op` says what `target`, `args` and `kwargs` mean."""

    def __init__(self, graph, name, op, target, args, kwargs, return_type=None) -> None:
        self.graph, self.name, self.op, self.target = graph, name, op, target
        self._input_nodes: dict = {}
        self.users: dict = {}
        self.type = return_type
        self.meta: dict = {}
        self._prev = self._next = self
        self._erased = False
        self._args, self._kwargs = (), {}
        self._assign(args, kwargs)

    @property
    def next(self):
        """The step after this one."""
        return self._next

    @property
    def prev(self):
        """The step before this one."""
        return self._prev

    @property
    def args(self):
        """Positional arguments."""
        return self._args

    @args.setter
    def args(self, given) -> None:
        self._assign(given, self._kwargs)

    @property
    def kwargs(self):
        """Arguments by name."""
        return self._kwargs

    @kwargs.setter
    def kwargs(self, given) -> None:
        self._assign(self._args, given)

    def _assign(self, args, kwargs) -> None:
        for node in self._input_nodes:
            node.users.pop(self, None)
        self._input_nodes = {}

        def use(node):
            self._input_nodes[node] = None
            node.users[self] = None
            return node

        self._args, self._kwargs = map_arg(tuple(args), use), map_arg(dict(kwargs), use)

    @property
    def all_input_nodes(self) -> list:
        """The nodes among the arguments."""
        return list(self._input_nodes)

    @property
    def stack_trace(self):
        """Where it was recorded, if that was kept."""
        return self.meta.get("stack_trace")

    @stack_trace.setter
    def stack_trace(self, trace) -> None:
        self.meta["stack_trace"] = trace

    # ----- changing the graph -----
    def prepend(self, x) -> None:
        """Move `x` before this node."""
        if self is x:
            return
        x._remove_from_list()
        before = self._prev
        before._next, x._prev, x._next, self._prev = x, before, self, x

    def append(self, x) -> None:
        """Move `x` after this node."""
        self._next.prepend(x)

    def _remove_from_list(self) -> None:
        self._prev._next, self._next._prev = self._next, self._prev

    def update_arg(self, idx: int, arg) -> None:
        """Replace one positional argument."""
        args = list(self.args)
        args[idx] = arg
        self.args = tuple(args)

    def insert_arg(self, idx: int, arg) -> None:
        """Insert one positional argument."""
        if not 0 <= idx <= len(self.args):
            raise AssertionError("insert_args index must be between 0 and len(self.args)")
        self.args = (*self.args[:idx], arg, *self.args[idx:])

    def update_kwarg(self, key: str, arg) -> None:
        """Replace one argument by name."""
        self.kwargs = {**self.kwargs, key: arg}

    def replace_input_with(self, old_input, new_input) -> None:
        """Use another node wherever this one used `old_input`."""
        def swap(node):
            return new_input if node is old_input else node

        self._assign(map_arg(self.args, swap), map_arg(self.kwargs, swap))

    def replace_all_uses_with(
        self, replace_with, delete_user_cb=lambda user: True, *, propagate_meta=False
    ) -> list:
        """Let every user of this node use another one; tells the users changed."""
        if propagate_meta:
            replace_with.meta.update(self.meta)
        chosen = [user for user in self.users if delete_user_cb(user)]
        for user in chosen:
            user.replace_input_with(self, replace_with)
        return chosen

    def is_impure(self, impure_random: bool = True) -> bool:
        """Whether it has an effect besides its result."""
        if self.op in ("placeholder", "output"):
            return True
        if self.op == "call_function":
            return self.target in SIDE_EFFECTS
        if self.op == "call_module":
            owner = self.graph.owning_module
            module = owner.get_submodule(self.target) if owner is not None else None
            return getattr(module, "_is_impure", False)
        return False

    # ----- text -----
    def __repr__(self) -> str:
        return self.name

    def _pretty_print_target(self, target) -> str:
        if isinstance(target, str):
            return target
        if getattr(target, "__module__", None) in ("builtins", "_operator", "math"):
            return f"{target.__module__.strip('_')}.{target.__name__}"
        return qualified_name(target)

    def format_node(self, placeholder_names=None, maybe_return_typename=None):
        """The node's line of the printed graph."""
        kind = "" if self.type is None else f"{type_repr(self.type)} "
        head = f"%{self.name} : {kind}[num_users={len(self.users)}] = {self.op}"
        if self.op == "placeholder":
            if placeholder_names is not None:
                note = f": {type_repr(self.type)}" if self.type else ""
                placeholder_names.append(f"{self.target}{note}")
                return None
            default = f"(default={self.args[0]})" if self.args else ""
            return f"{head}[target={self.target}]{default}"
        if self.op == "output":
            if self.type and maybe_return_typename is not None:
                maybe_return_typename[0] = f" -> {type_repr(self.type)}"
            return f"return {self.args[0]}"
        target = self._pretty_print_target(self.target)
        if self.op == "get_attr":
            return f"{head}[target={target}]"
        args, kwargs = format_arg(self.args), format_arg(self.kwargs)
        return f"{head}[target={target}](args = {args}, kwargs = {kwargs})"


SIDE_EFFECTS: set = set()


def has_side_effect(fn):
    """Marks a function whose calls are never dead code."""
    SIDE_EFFECTS.add(fn)
    return fn


def is_base(a) -> bool:
    """Whether a value can stand in a graph as it is."""
    return a is None or a is ... or isinstance(a, BASE) or not isinstance(a, Tensor) and (
        isinstance(a, range | type) or type(a).__module__.startswith(("torch", "torchlike"))
    )
