"""torch.optim: optimizers, learning-rate schedulers, weight averaging."""

from . import lr_scheduler as lr_scheduler
from . import swa_utils as swa_utils
from .adaptive import Adadelta as Adadelta
from .adaptive import Adafactor as Adafactor
from .adaptive import Adagrad as Adagrad
from .adaptive import Adam as Adam
from .adaptive import Adamax as Adamax
from .adaptive import AdamW as AdamW
from .adaptive import NAdam as NAdam
from .adaptive import RAdam as RAdam
from .adaptive import RMSprop as RMSprop
from .adaptive import SparseAdam as SparseAdam
from .descent import ASGD as ASGD
from .descent import SGD as SGD
from .descent import Muon as Muon
from .descent import Rprop as Rprop
from .lbfgs import LBFGS as LBFGS
from .optimizer import Optimizer as Optimizer
from .stateless import swap_in_optimizer_params_and_state as swap_in_optimizer_params_and_state

__all__ = [
    "Adafactor", "Adadelta", "Adagrad", "Adam", "Adamax", "AdamW", "ASGD", "LBFGS",
    "lr_scheduler", "Muon", "NAdam", "Optimizer", "RAdam", "RMSprop", "Rprop", "SGD",
    "SparseAdam", "swap_in_optimizer_params_and_state", "swa_utils",
]  # fmt: skip
