"""torch._C: the few names of PyTorch's C extension that Python libraries use."""

from types import SimpleNamespace

from .core.device import get_default_device as _get_default_device  # noqa: F401
from .core.op import TABLE
from .core.rng import Generator as Generator
from .core.tensor import Tensor as TensorBase
from .ops.keys import DispatchKey as DispatchKey
from .ops.keys import DispatchKeySet as DispatchKeySet
from .ops.keys import excluding as _ExcludeDispatchKeyGuard  # noqa: F401
from .overrides import DisableTorchFunction as DisableTorchFunction
from .overrides import DisableTorchFunctionSubclass as DisableTorchFunctionSubclass
from .overrides import _disabled_torch_function_impl as _disabled_torch_function_impl

_TensorBase = TensorBase
_TensorMeta = type(TensorBase)  # of classes that count as a Tensor by `isinstance`

# Functions of nn.functional that PyTorch keeps here; those of linalg, fft and special are prefixed.
_NN = {
    name: name for name in (
        "avg_pool2d", "avg_pool3d", "elu_", "gelu", "hardtanh_", "leaky_relu_", "linear", "one_hot",
        "scaled_dot_product_attention", "softplus", "softshrink",
    )
} | {"log_sigmoid": "logsigmoid"}  # fmt: skip


def _space(module: str, names: dict[str, str]) -> SimpleNamespace:
    functions = {n: TABLE[module, own] for n, own in names.items() if (module, own) in TABLE}
    return SimpleNamespace(**functions)


_nn = _space("nn.functional", _NN)
_linalg, _fft, _special = (
    _space(module, {f"{module}_{name}": name for where, name in TABLE if where == module})
    for module in ("linalg", "fft", "special")
)


class Graph:
    """A TorchScript graph: the name, for annotations."""

    def __init__(self) -> None:
        raise NotImplementedError("torch._C.Graph is not supported")


class Value:
    """A value of a TorchScript graph: the name, for annotations."""

    def __init__(self) -> None:
        raise NotImplementedError("torch._C.Value is not supported")


# Files name functions by this class: `torch.relu` is an attribute of it.
_VariableFunctionsClass = type(
    "_VariableFunctionsClass",
    (),
    {name: staticmethod(made) for (where, name), made in TABLE.items() if where == "torch"},
)
_VariableFunctions = _VariableFunctionsClass()


def c_name(name: str) -> str:
    """How PyTorch's generated code spells a public function: by its place in C where it has one."""
    *_, module, own = name.split(".")
    if module in ("linalg", "fft", "special"):
        return f"torch._C._{module}.{module}_{own}"
    if module == "functional" and own in _NN.values():
        return f"torch._C._nn.{'log_sigmoid' if own == 'logsigmoid' else own}"
    return name


def _log_api_usage_once(event: str) -> None:
    """Nothing: usage is not reported."""


def _get_tracing_state() -> None:
    """The state of TorchScript's tracer: there is none."""


def _is_tracing() -> bool:
    """Whether TorchScript's tracer runs: never."""
    return False
