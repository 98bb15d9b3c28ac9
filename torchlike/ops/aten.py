"""torch.ops.aten: PyTorch's names for the ops that run, as values to compare and to call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core.op import TABLE
from ..core.tensor import Tensor

_PAIRS = """
add sub mul div eq ne lt le gt ge remainder fmod bitwise_and bitwise_or bitwise_xor xlogy
""".split()
_WRAPPED = ("add", "sub", "mul", "div")  # to which PyTorch hands a number as a tensor
_RENAMED = {  # what one op is called here, and by PyTorch
    "pow_static": "pow.Tensor_Scalar", "true_divide": "div.Tensor", "softmax": "_softmax.default",
    "log_softmax": "_log_softmax.default", "to_copy": "_to_copy.default", "select": "select.int",
    "linear_affine": "addmm.default", "linear_product": "mm.default", "where": "where.self",
    "flash_attention": "_scaled_dot_product_flash_attention_for_cpu.default",
    "transpose": "transpose.int", "nll_loss": "nll_loss_forward.default",
    "max_pool2d": "max_pool2d_with_indices.default", "clamp_number": "clamp.default",
    "var": "var.correction", "max_dim": "max.dim", "min_dim": "min.dim", "fill": "fill.Scalar",
    "pow_tensor": "pow.Tensor_Tensor", "pow_base": "pow.Scalar", "std": "std.correction",
    "clamp_min_number": "clamp_min.default", "clamp_max_number": "clamp_max.default",
    "index": "index.Tensor", "prelu_kernel": "_prelu_kernel.default", "scatter": "scatter.src",
    "cdist": "_cdist_forward.default", "linalg_solve_ex": "_linalg_solve_ex.default",
}  # fmt: skip
_REDUCED = {"sum": "sum.dim_IntList", "mean": "mean.dim", "prod": "prod.dim_int"}
_REDUCED |= {"any": "any.dim", "all": "all.dim"}
_UNCALLED = (
    "convolution", "native_layer_norm", "alias", "_pin_memory", "_sparse_addmm", "slice",
    "_sparse_mm_reduce_impl", "lift_fresh",
)  # fmt: skip
UNSEEN = ("out_of_range",)  # checks that PyTorch makes inside the op


class Namespace:
    """`torch.ops.NAME`."""

    def __init__(self, name: str) -> None:
        self.__name__ = f"torch.ops.{name}"

    def __getattr__(self, name: str) -> Any:
        space = vars(self)["__name__"].rpartition(".")[2]
        raise AttributeError(f"'_OpNamespace' '{space}' object has no attribute '{name}'")

    def __repr__(self) -> str:
        return f"<module '{self.__name__}' from 'torch.ops'>"


class OpOverloadPacket:
    """An op of all its signatures; attributes are its overloads."""

    def __init__(self, name: str, function: Callable[..., Any] | None) -> None:
        self.__name__, self.function = name, function

    def __getattr__(self, overload: str) -> OpOverload:
        if overload.startswith("__"):
            raise AttributeError(overload)
        return OpOverload(self, overload)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.function is None:
            raise NotImplementedError(f"torch.ops.{self}: a call is not supported")
        return self.function(*args, **kwargs)

    def __str__(self) -> str:
        return f"aten.{self.__name__}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OpOverloadPacket) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def __repr__(self) -> str:
        return f"<OpOverloadPacket(op='{self}')>"


class OpOverload:
    """One signature of an op."""

    def __init__(self, packet: OpOverloadPacket, overload: str) -> None:
        self.overloadpacket, self._overloadname = packet, overload

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.overloadpacket(*args, **kwargs)

    def name(self) -> str:
        """`aten::mm`, `aten::add.Tensor`."""
        plain = self._overloadname == "default"
        return f"aten::{self.overloadpacket.__name__}" + (f".{self._overloadname}" * (not plain))

    def __str__(self) -> str:
        return f"{self.overloadpacket}.{self._overloadname}"

    def __repr__(self) -> str:
        return f"<OpOverload(op='{self.overloadpacket}', overload='{self._overloadname}')>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OpOverload) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))


for _class in (OpOverload, OpOverloadPacket):
    _class.__module__ = "torch._ops"


def overload_of(op: Any, inputs: Any, statics: Any) -> OpOverload:
    """What PyTorch calls one call of an op."""
    full = _RENAMED.get(op.name)
    base, _, kind = op.name.rpartition("_")
    if full is None and kind in ("number", "all") and base:  # our own splits of one op
        full = f"{base}.{'Scalar' if kind == 'number' else 'default'}"
    if full is None and op.name in _PAIRS:
        number = op.name not in _WRAPPED and not isinstance(inputs[1], Tensor)
        full = f"{op.name}.{'Scalar' if number else 'Tensor'}"
    if full is None and op.name in _REDUCED and statics and statics[0] not in (None, ()):
        full = _REDUCED[op.name]
    name, _, overload = (full or f"{op.name}.default").partition(".")
    return OpOverload(OpOverloadPacket(name, _public(name)), overload)


def _public(name: str) -> Callable[..., Any] | None:
    places = [("torch", name), ("nn.functional", name)]
    where, _, rest = name.partition("_")
    found = next((TABLE[at] for at in [*places, (where, rest)] if at in TABLE), None)
    if found is None and name.endswith("_"):  # in place: a method only
        found = getattr(Tensor, name, None)
    return found


def __getattr__(name: str) -> OpOverloadPacket:
    known = {full.partition(".")[0] for full in _RENAMED.values()}
    function = None if name.startswith("__") else _public(name)
    if function is None and name not in (*known, *_UNCALLED):
        raise AttributeError(f"'_OpNamespace' 'aten' object has no attribute '{name}'")
    return OpOverloadPacket(name, function)
