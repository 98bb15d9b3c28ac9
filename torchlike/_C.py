"""torch._C: the few names of PyTorch's C extension that Python libraries use."""

from .core.rng import Generator as Generator
from .core.tensor import Tensor as TensorBase
from .overrides import DisableTorchFunction as DisableTorchFunction
from .overrides import DisableTorchFunctionSubclass as DisableTorchFunctionSubclass
from .overrides import _disabled_torch_function_impl as _disabled_torch_function_impl

_TensorBase = TensorBase


def _log_api_usage_once(event: str) -> None:
    """Nothing: usage is not reported."""


def _get_tracing_state() -> None:
    """The state of TorchScript's tracer: there is none."""


def _is_tracing() -> bool:
    """Whether TorchScript's tracer runs: never."""
    return False
