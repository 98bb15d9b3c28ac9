"""Learning-rate schedulers: base, chainable ones, cycles, and schedulers of schedulers."""

from .base import EPOCH_DEPRECATION_WARNING as EPOCH_DEPRECATION_WARNING
from .base import LRScheduler as LRScheduler
from .base import _enable_get_lr_call as _enable_get_lr_call
from .base import _format_param as _format_param
from .base import _LRScheduler as _LRScheduler
from .base import _warn_get_lr_called_within_step as _warn_get_lr_called_within_step
from .chainable import ConstantLR as ConstantLR
from .chainable import CosineAnnealingLR as CosineAnnealingLR
from .chainable import ExponentialLR as ExponentialLR
from .chainable import LambdaLR as LambdaLR
from .chainable import LinearLR as LinearLR
from .chainable import MultiplicativeLR as MultiplicativeLR
from .chainable import MultiStepLR as MultiStepLR
from .chainable import PolynomialLR as PolynomialLR
from .chainable import StepLR as StepLR
from .compound import ChainedScheduler as ChainedScheduler
from .compound import ReduceLROnPlateau as ReduceLROnPlateau
from .compound import SequentialLR as SequentialLR
from .cyclic import CosineAnnealingWarmRestarts as CosineAnnealingWarmRestarts
from .cyclic import CyclicLR as CyclicLR
from .cyclic import OneCycleLR as OneCycleLR

__all__ = [
    "LambdaLR", "MultiplicativeLR", "StepLR", "MultiStepLR", "ConstantLR", "LinearLR",
    "ExponentialLR", "SequentialLR", "CosineAnnealingLR", "ChainedScheduler", "ReduceLROnPlateau",
    "CyclicLR", "CosineAnnealingWarmRestarts", "OneCycleLR", "PolynomialLR", "LRScheduler",
]  # fmt: skip

for _name in (*__all__, "_LRScheduler"):
    globals()[_name].__module__ = __name__  # users see and pickle the public place
