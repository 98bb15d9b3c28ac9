"""torch.autograd.grad_mode: the context managers of grad mode."""

from ..core.tape import enable_grad as enable_grad
from ..core.tape import inference_mode as inference_mode
from ..core.tape import no_grad as no_grad
from ..core.tape import set_grad_enabled as set_grad_enabled
