"""torch.cuda.amp."""

import functools

from ..core import dtypes
from . import autocast_mode
from .autocast_mode import amp_definitely_not_available as amp_definitely_not_available
from .of_device import autocast_of, deprecate, scaler_of

autocast = autocast_of("cuda", dtypes.float16)
GradScaler = scaler_of("cuda")


def custom_fwd(fwd=None, *, cast_inputs=None):
    """Deprecated: `torch.amp.custom_fwd(…, device_type='cuda')`."""
    new = "torch.amp.custom_fwd(args..., device_type='cuda')"
    deprecate("torch.cuda.amp.custom_fwd(args...)", new)
    return functools.partial(autocast_mode.custom_fwd, device_type="cuda")(
        fwd=fwd, cast_inputs=cast_inputs
    )


def custom_bwd(bwd):
    """Deprecated: `torch.amp.custom_bwd(…, device_type='cuda')`."""
    new = "torch.amp.custom_bwd(args..., device_type='cuda')"
    deprecate("torch.cuda.amp.custom_bwd(args...)", new)
    return autocast_mode.custom_bwd(bwd, device_type="cuda")
