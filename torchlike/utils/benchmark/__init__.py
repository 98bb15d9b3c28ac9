"""torch.utils.benchmark: how long statements take, with everything they recorded run."""

from .compare import Compare as Compare
from .measure import Measurement as Measurement
from .measure import select_unit as select_unit
from .timer import Language as Language
from .timer import Timer as Timer
from .timer import timer as timer
