"""torch.func: derivatives and batching of functions, nested in any order."""

from . import draws as draws
from . import shown as shown
from . import trees as trees
from .eager import debug_unwrap as debug_unwrap
from .eager import functionalize as functionalize
from .forward import hessian as hessian
from .forward import jacfwd as jacfwd
from .forward import jvp as jvp
from .forward import linearize as linearize
from .interop import from_jax as from_jax
from .interop import functional as functional
from .interop import to_jax as to_jax
from .modules import functional_call as functional_call
from .modules import replace_all_batch_norm_modules_ as replace_all_batch_norm_modules_
from .modules import stack_module_state as stack_module_state
from .rearrange import rearrange as rearrange
from .reverse import grad as grad
from .reverse import grad_and_value as grad_and_value
from .reverse import jacrev as jacrev
from .reverse import vjp as vjp
from .vmapped import chunk_vmap as chunk_vmap
from .vmapped import vmap as vmap

__all__ = [
    "debug_unwrap", "functional_call", "functionalize", "grad", "grad_and_value", "hessian",
    "jacfwd", "jacrev", "jvp", "linearize", "rearrange", "replace_all_batch_norm_modules_",
    "stack_module_state", "vjp", "vmap",
]  # fmt: skip
