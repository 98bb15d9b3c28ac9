"""torch.autograd: backward, grad, Function, grad modes."""

import importlib

from ..core.backward import backward as backward
from ..core.backward import grad as grad
from ..core.tape import Node as Node
from ..core.tape import enable_grad as enable_grad
from ..core.tape import inference_mode as inference_mode
from ..core.tape import no_grad as no_grad
from ..core.tape import set_grad_enabled as set_grad_enabled
from . import checkpoint as checkpoint
from . import forward_ad as forward_ad
from . import function as function
from . import functional as functional
from . import grad_mode as grad_mode
from . import graph as graph
from . import profiler as profiler
from .anomaly import detect_anomaly as detect_anomaly
from .anomaly import set_detect_anomaly as set_detect_anomaly
from .function import Function as Function
from .grad_mode import _unsafe_preserve_version_counter as _unsafe_preserve_version_counter
from .grad_mode import is_multithreading_enabled as is_multithreading_enabled
from .grad_mode import set_multithreading_enabled as set_multithreading_enabled
from .gradcheck import gradcheck as gradcheck
from .gradcheck import gradgradcheck as gradgradcheck
from .variable import Variable as Variable


def kineto_available() -> bool:
    """Whether PyTorch's tracer Kineto is there: never, JAX has a profiler of its own."""
    return False


def is_view_replay_enabled() -> bool:
    """Whether views are made again for backward: never asked for."""
    return False


def __getattr__(name: str) -> object:
    if name == "profiler_util":  # imported when first asked for
        return importlib.import_module(".profiler_util", __package__)
    raise AttributeError(f"module 'torch.autograd' has no attribute '{name}'")


def variable(*args: object, **kwargs: object) -> None:
    """PyTorch's old factory: raises, as there."""
    raise RuntimeError("torch.autograd.variable(...) is deprecated, use torch.tensor(...) instead")
