"""Ops of one's own in `torch.ops`: namespaces, their ops, and which function a call runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..amp.autocast_mode import SETTINGS
from ..autograd import Function
from ..core.tensor import Tensor
from ..ops import SPACES, UNREADABLE
from ..ops.aten import Namespace, OpOverload, OpOverloadPacket
from ..ops.keys import EXCLUDED
from .schema import Schema

AUTOGRAD = ("Autograd", "AutogradCPU", "AutogradCUDA")
KEYS = {"cpu": "CPU", "cuda": "CUDA", "meta": "Meta", "default": "CompositeExplicitAutograd"}
AUTOCAST = {kind: f"Autocast{name}" for kind, name in (
    ("cpu", "CPU"), ("cuda", "CUDA"), ("xpu", "XPU"), ("mps", "MPS"), ("hpu", "HPU"),
)}  # fmt: skip
COMPOSITE = ("CompositeExplicitAutograd", "CompositeExplicitAutogradNonFunctional")


class Packet(OpOverloadPacket):
    """`torch.ops.NAME.OP`: an op with its overloads."""

    def __init__(self, namespace: str, name: str) -> None:
        super().__init__(name, None)
        self.namespace, self.table = namespace, dict[str, "Operator"]()

    def __getattr__(self, name: str) -> Operator:
        if name in ("table", "namespace") or name not in self.table:
            full = f"{self.namespace}::{self.__name__}" if name != "namespace" else ""
            raise AttributeError(
                f"The underlying op of '{full}' has no overload name '{name}'"
            )
        return self.table[name]

    def overloads(self) -> list[str]:
        """The names of the overloads."""
        return list(self.table)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        found = list(self.table.values())
        for overload in found[:-1]:
            if overload.fits(args, kwargs):
                return overload(*args, **kwargs)
        return found[-1](*args, **kwargs)

    def __str__(self) -> str:
        return f"{self.namespace}.{self.__name__}"


class Operator(OpOverload):
    """One overload: its schema, and the functions that were given for it."""

    def __init__(self, packet: Packet, schema: Schema) -> None:
        super().__init__(packet, schema.overload or "default")
        self._schema, self.kernels = schema, dict[str, Callable[..., Any]]()
        self.fake: Callable[..., Any] | None = None
        self.backward: Callable[..., Any] | None = None
        self.setup: Callable[..., Any] | None = None
        name = f"GeneratedBackwardFor_{packet.namespace}_{packet.__name__}_{self._overloadname}"
        self.function = type(name, (Function,), {
            "forward": staticmethod(self._forward), "backward": staticmethod(self._backwards),
        })  # fmt: skip
        self.always_own_node = False  # `custom_op`: a call without a gradient formula has a node

    def name(self) -> str:
        overload = f".{self._schema.overload}" if self._schema.overload else ""
        return self._schema.qualname + overload

    def fits(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Whether the arguments are those of this overload."""
        try:
            self._schema.bind(args, kwargs)
        except RuntimeError:
            return False
        return True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        values, named = self._schema.bind(args, kwargs)
        if (around := self._of_autocast()) is not None:
            return around(*values, **named)
        own = next((self.kernels[key] for key in AUTOGRAD if key in self.kernels), None)
        own = own or self.kernels.get("CompositeImplicitAutograd")
        wants_node = self.backward is not None or self.always_own_node
        if own is not None or self._schema.is_mutable or not wants_node:
            run = own or self.kernel(values)
            values, named = self._schema.without_defaults(values, named)
            return run(*values, **named)
        self._refuse_lists(values)
        return self.function.apply(named, *values)

    def kernel(self, values: Any) -> Callable[..., Any]:
        """The function for the device of the first tensor."""
        listed = [x for v in values for x in (v if isinstance(v, (list, tuple)) else [v])]
        kind = next((t.device.type for t in listed if isinstance(t, Tensor)), "cpu")
        key = KEYS.get(kind, kind.upper())
        if kind == "meta" and key not in self.kernels and self.fake is not None:
            return self.fake
        found = next((self.kernels[k] for k in (key, *COMPOSITE) if k in self.kernels), None)
        if found is None:
            raise NotImplementedError(
                f"Could not run '{self._schema.qualname}' with arguments from the '{key}' backend. "
                "This could be because no function was given for it; there are functions for "
                f"[{', '.join(self.kernels)}]."
            )
        return found

    def _of_autocast(self) -> Callable[..., Any] | None:
        """The function given for autocast, if it is on for the function's device."""
        for kind in SETTINGS.enabled:
            key = AUTOCAST.get(kind)
            if key in self.kernels and key not in EXCLUDED.names:
                return self.kernels[key]
        return None

    # ----- gradients -----
    def _refuse_lists(self, values: Any) -> None:
        for given in values:
            if isinstance(given, (list, tuple)) and any(
                isinstance(t, Tensor) and t.requires_grad for t in given
            ):
                raise NotImplementedError(
                    f"{self._schema.qualname}: gradients of tensors in a list are not supported"
                )

    def _forward(self, ctx: Any, named: dict[str, Any], *values: Any) -> Any:
        result = self.kernel(values)(*values, **named)
        if self.setup is not None and any(ctx.needs_input_grad):
            more = {"keyword_only_inputs": named} if named else {}
            self.setup(ctx=ctx, inputs=values, output=result, **more)
        return result

    def _backwards(self, ctx: Any, *grads: Any) -> Any:
        if self.backward is None:
            raise RuntimeError(
                f"Trying to backward through {self} but no autograd formula was registered. "
                "Please use register_autograd to add one."
            )
        found = self.backward(ctx, *grads)
        return (None, *found) if isinstance(found, (tuple, list)) else (None, found)


class Unread(Schema):
    """The schema of an op that C++ may have declared: any arguments, passed as they come."""

    def __init__(self, space: str, name: str, overload: str) -> None:
        super().__init__(f"{space}::{name}{'.' * bool(overload)}{overload}() -> ()")

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return tuple(args), dict(kwargs)

    def without_defaults(self, values: Any, named: Any) -> Any:
        return values, named


# ----- the table -----
def namespace(name: str) -> Namespace:
    """`torch.ops.NAME`, made if need be."""
    found = SPACES.setdefault(name, Namespace(name))
    assert isinstance(found, Namespace)
    return found


def declare(schema: Schema) -> Operator:
    """A new op; RuntimeError if there is one of its name."""
    space = namespace(schema.namespace)
    packet = vars(space).get(schema.name) or Packet(schema.namespace, schema.name)
    overload = schema.overload or "default"
    if overload in packet.table:
        raise RuntimeError(
            f"Tried to register an operator ({schema}) with the same name and overload name "
            "multiple times. Each overload's schema should only be registered with a single call "
            "to def()."
        )
    made = packet.table[overload] = Operator(packet, schema)
    setattr(space, schema.name, packet)
    return made


def forget(operator: Operator) -> None:
    """Takes an op back."""
    packet = operator.overloadpacket
    assert isinstance(packet, Packet)
    packet.table.pop(operator._overloadname, None)
    if not packet.table:
        vars(SPACES[packet.namespace]).pop(packet.__name__, None)


def split(qualname: str) -> tuple[str, str]:
    """Namespace and name; ValueError unless there are both."""
    space, found, name = qualname.partition("::")
    if not found:
        raise ValueError(
            'Expected `qualname` to be of the form "namespace::name", but got '
            f"{qualname}. The qualname passed to the torch.library APIs must consist of a "
            "namespace and a name, e.g. aten::sin"
        )
    return space, name


def find(op: Any) -> Operator:
    """The op of a name, of an overload, or of what `custom_op` made."""
    if isinstance(op, Operator):
        return op
    if isinstance(op, Packet):
        return next(iter(op.table.values()))
    if inner := getattr(op, "_opoverload", None):
        return inner
    if not isinstance(op, str):
        raise NotImplementedError(f"torch.library: {op!r} is not an op that was defined here")
    space, name = split(op)
    name, _, overload = name.partition(".")
    packet = vars(SPACES.get(space, object)).get(name)
    found = packet.table.get(overload or "default") if isinstance(packet, Packet) else None
    if found is None and UNREADABLE and space != "aten":
        return declare(Unread(space, name, overload))
    if found is None and space == "aten":
        raise NotImplementedError(f"torch.library: other functions for {op} are not supported")
    if found is None:
        raise RuntimeError(
            f"operator {space}::{name} does not exist: define it first, by Library.define or "
            "torch.library.define"
        )
    return found


