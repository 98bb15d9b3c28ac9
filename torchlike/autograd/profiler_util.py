"""torch.autograd.profiler_util: what profiles are made of."""

from ..profiler.events import EventList as EventList
from ..profiler.events import FunctionEvent as FunctionEvent
from ..profiler.events import FunctionEventAvg as FunctionEventAvg

__all__ = ["EventList", "FunctionEvent", "FunctionEventAvg"]
