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

# In [pipes that shuffle and divide]
from torch.utils.data import DataLoader
from torch.utils.data.datapipes.iter import IterableWrapper, Sampler
from torch.utils.data.datapipes.map import SequenceWrapper
from torch.utils.data.datapipes.iter.sharding import SHARDING_PRIORITIES
torch.manual_seed(0)
print(list(IterableWrapper(range(9)).shuffle()), list(IterableWrapper(range(9)).shuffle(buffer_size=3)), len(IterableWrapper([1]).shuffle()))
pipe = IterableWrapper(range(6)).shuffle().set_seed(3)
print(list(pipe), list(pipe), list(pipe.set_shuffle(False)), list(IterableWrapper([[1, 2], [3]]).shuffle(unbatch_level=1).set_seed(0)))
pipe = SequenceWrapper(range(5)).shuffle(indices=[3, 1, 2])
print(list(pipe), list(pipe.set_seed(2)), len(pipe), list(Sampler(IterableWrapper(range(3)))))
pipe = IterableWrapper(range(20)).sharding_filter()
pipe.apply_sharding(2, 1, SHARDING_PRIORITIES.DISTRIBUTED)
pipe.apply_sharding(3, 2, SHARDING_PRIORITIES.MULTIPROCESSING)
print(list(pipe), len(pipe))
for shuffle in (None, True, False):
    torch.manual_seed(0)
    loader = DataLoader(IterableWrapper(range(6)).shuffle(), batch_size=3, shuffle=shuffle)
    print(list(loader), list(loader), torch.rand(1))
for wrong in (lambda: IterableWrapper([1]).shuffle(buffer_size=0), lambda: pipe.apply_sharding(2, 2), lambda: pipe.apply_sharding(2, 1)):
    try:
        wrong()
    except Exception as error:
        print(type(error).__name__, error)

# In [pipes that part, join and group]
import warnings
from torch.utils.data.datapipes.iter import IterableWrapper
def odd(x):
    return x % 2
def none_of_two(x):
    return None if x == 2 else x % 2
numbers = IterableWrapper(range(6))
a, b = numbers.fork(2)
print(list(a), list(b), list(zip(a, b)), len(a), numbers.fork(1) is numbers, a)
c, d = IterableWrapper([[1]], deepcopy=False).fork(2, copy="shallow")
print(list(c)[0] is list(d)[0])
e, f = numbers.demux(2, odd)
print(list(e), list(f), list(zip(e, f)), [list(x) for x in numbers.demux(2, none_of_two, drop_none=True)])
print(list(IterableWrapper(range(3)).mux(IterableWrapper("abcd"))), len(numbers.mux(numbers)))
letters = IterableWrapper("ababcab")
print(list(letters.groupby(str)), list(letters.groupby(str, group_size=2, keep_key=True)), list(letters.groupby(str, buffer_size=3)))
print(list(letters.groupby(str, buffer_size=3, group_size=3, guaranteed_group_size=2, drop_remaining=True)))
first = iter(a)
print(next(first))
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    print(next(iter(a)), seen[0].message)
    numbers.fork(2, buffer_size=-1)
    print(seen[-1].message)
def overflow(branches):
    return [next(it) for it in [iter(branches[0])] * 5]
for wrong in (lambda: next(first), lambda: numbers.fork(0), lambda: numbers.fork(2, copy="z"), lambda: overflow(numbers.fork(2, buffer_size=2)),
              lambda: overflow(numbers.demux(2, odd, buffer_size=1)), lambda: overflow(numbers.demux(2, none_of_two)), lambda: len(e),
              lambda: letters.groupby(str, group_size=0), lambda: letters.groupby(str, guaranteed_group_size=1)):
    try:
        wrong()
    except Exception as error:
        print(type(error).__name__, str(error).split(",")[0].split(" because")[0])

# In [pipes of files]
import os, tempfile
from torch.utils.data.datapipes.iter import FileLister, FileOpener, IterableWrapper
folder = tempfile.mkdtemp()
os.mkdir(folder + "/sub")
for name in ("b.txt", "a.py", "sub/c.txt"):
    with open(folder + "/" + name, "w") as file:
        file.write("hello " + name)
def shown(paths):
    return [path.removeprefix(folder) for path in paths]
print(shown(FileLister(folder)), shown(FileLister(folder, "*.txt", recursive=True)), shown(FileLister(folder, ["*.py"])), shown(IterableWrapper([folder]).list_files(recursive=True)))
print([(path[len(folder):], piece) for path, piece in FileLister(folder).open_files(mode="b").read_from_stream(4)])
for wrong in (lambda: FileOpener([], mode="w"), lambda: FileOpener([], mode="rb", encoding="u"), lambda: list(FileOpener([3])), lambda: len(FileLister(folder))):
    try:
        wrong()
    except Exception as error:
        print(type(error).__name__, str(error).split("\n")[0])
