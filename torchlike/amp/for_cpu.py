"""torch.cpu.amp."""

from ..core import dtypes
from .of_device import autocast_of, scaler_of

autocast = autocast_of("cpu", dtypes.bfloat16)
GradScaler = scaler_of("cpu")
