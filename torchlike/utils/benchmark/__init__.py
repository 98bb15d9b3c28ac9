"""torch.utils.benchmark: how long statements take, with everything they recorded run."""

from .compare import Colorize as Colorize
from .compare import Compare as Compare
from .measure import Measurement as Measurement
from .measure import TaskSpec as TaskSpec
from .measure import ordered_unique as ordered_unique
from .measure import select_unit as select_unit
from .measure import trim_sigfig as trim_sigfig
from .measure import unit_to_english as unit_to_english
from .timer import Language as Language
from .timer import Timer as Timer
from .timer import timer as timer
