"""torch.autograd: backward, grad, Function, grad modes."""

from ..core.history import backward as backward
from ..core.history import grad as grad
from ..core.tape import Node as Node
from ..core.tape import enable_grad as enable_grad
from ..core.tape import inference_mode as inference_mode
from ..core.tape import no_grad as no_grad
from ..core.tape import set_grad_enabled as set_grad_enabled
from ..core.tensor import Tensor as Variable  # noqa: F401
from . import function as function
from . import grad_mode as grad_mode
from .function import Function as Function
