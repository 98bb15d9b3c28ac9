# torch.utils.data's pipes, and torch.monitor.

# In [pipes that are iterated]
from torch.utils.data import DataChunk, DataLoader, IterDataPipe, functional_datapipe
from torch.utils.data.datapipes.iter import IterableWrapper, Mapper, Filter, Batcher
def double(x):
    return x * 2
def even(x):
    return x % 2 == 0
dp = IterableWrapper(range(7))
print(dp, len(dp), list(dp.map(double)), list(dp.filter(even)), list(dp.batch(3)), len(dp.batch(3)), list(dp.batch(3, drop_last=True)))
print(list(dp.batch(2).batch(2).unbatch(-1)), list(dp.batch(2).unbatch()), list(dp.concat(IterableWrapper([9]))))
print(list(IterableWrapper([(1, 2), (3, 4)]).map(double, input_col=0)), list(IterableWrapper([[1, 2]]).map(double, input_col=1, output_col=-1)))
print(list(IterableWrapper([{"a": 1}]).map(double, "a", "b")))
print(list(IterableWrapper([1, 2]).zip(IterableWrapper("ab"))), DataChunk([1, 2]).as_str("> "), repr(dp.map(double)))
@functional_datapipe("tripled")
class Tripled(IterDataPipe):
    def __init__(self, source):
        self.source = source
    def reset(self):
        print("reset")
    def __iter__(self):
        for x in self.source:
            yield x * 3
print(list(IterableWrapper([1, 2]).tripled()), list(DataLoader(IterableWrapper([1, 2, 3]), batch_size=2)))
a = iter(dp)
next(a)
b = iter(dp)
print(next(b))
for wrong in (lambda: next(a), lambda: dp.nothing, lambda: dp.batch(0), lambda: dp.map(double, output_col=1), lambda: functional_datapipe("map")(Tripled),
              lambda: list(dp.batch(2).unbatch(3)), lambda: list(dp.zip([1]))):
    try:
        wrong()
    except Exception as error:
        print(type(error).__name__, str(error).split("IterDataPipe: ")[0].split("\nThis")[0])

# In [pipes that are indexed, and decorators]
from torch.utils.data import IterDataPipe, MapDataPipe, argument_validation, guaranteed_datapipes_determinism, non_deterministic, runtime_validation
from torch.utils.data.datapipes.map import SequenceWrapper
from torch.utils.data.datapipes.iter import IterableWrapper
def double(x):
    return x * 2
dp = SequenceWrapper([1, 2, 3])
print(dp, len(dp), dp[1], dp.map(double)[2], dp.batch(2)[1], len(dp.batch(2)), dp.concat(dp)[4], dp.zip(dp)[1], list(dp.map(double)))
@non_deterministic
class Random(IterDataPipe):
    def __init__(self, n):
        self.n = n
    def __iter__(self):
        yield self.n
print(list(Random(2)))
@argument_validation
def take(pipe: IterDataPipe, n: int):
    return n
def guarded():
    with guaranteed_datapipes_determinism():
        Random(1)
for wrong in (lambda: take([1], 2), guarded, lambda: non_deterministic(3), lambda: runtime_validation(double), lambda: dp.concat(dp)[9], lambda: dp.batch(2)[2]):
    try:
        wrong()
    except Exception as error:
        print(type(error).__name__, error)

# In [events]
import datetime, torch.monitor as monitor
event = monitor.Event("a", datetime.datetime(2020, 1, 1), {"x": 1})
handle = monitor.register_event_handler(lambda e: print("got", e.name, e.data, e.timestamp))
monitor.log_event(event)
monitor.unregister_event_handler(handle)
monitor.log_event(event)
