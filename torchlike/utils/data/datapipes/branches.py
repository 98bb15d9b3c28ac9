"""Pipes that part, join and group items."""

import copy as copies
import warnings
from collections import defaultdict, deque

from ._decorator import functional_datapipe
from .datapipe import DataChunk, IterDataPipe, length_of

_NOT_EXHAUSTED = (
    "Some child DataPipes are not exhausted when __iter__ is called. We are resetting the buffer "
    "and each child DataPipe will read from the start again."
)


class _Parted(IterDataPipe):
    """A source and what its branches have not taken yet. Branches read together: when one begins
    anew, all do."""

    method = ""

    def __init__(self, datapipe, num_instances: int, buffer_size: int) -> None:
        if buffer_size < 0:
            warnings.warn(
                f"Unlimited buffer size is set for `{self.method}`, please be aware of OOM at "
                "random places",
                stacklevel=4,
            )
        self.main_datapipe, self.num_instances = datapipe, num_instances
        self.buffer_size = buffer_size
        self.reset()

    def __getstate__(self):
        return {**self.__dict__, "source": None}

    def reset(self) -> None:
        """From the start."""
        self.source, self.exhausted, self.round = None, False, getattr(self, "round", 0) + 1
        self.stopped = [True] * self.num_instances
        self.waiting = [deque() for _ in range(self.num_instances)]

    def items(self, branch: int):
        """What one branch gives."""
        if self.source is None and self.stopped[branch]:
            self.source, self.stopped = iter(self.main_datapipe), [False] * self.num_instances
        try:
            while not self.stopped[branch]:
                if not self.waiting[branch] and not self._advance(branch):
                    break
                yield self.waiting[branch].popleft()
        finally:
            self.stopped[branch] = True
            self.waiting[branch].clear()
            if all(self.stopped):
                self.source = None

    def _advance(self, branch: int) -> bool:
        """Read until something waits for the branch; False at the end."""
        while not self.waiting[branch]:
            if self.exhausted or self.source is None:
                return False
            try:
                self._hand_out(next(self.source), branch)
            except StopIteration:
                self.exhausted, self.source = True, None
                return False
        return True

    def _hand_out(self, item, branch: int) -> None:
        raise NotImplementedError

    def length(self) -> int:
        return len(self.main_datapipe)


class _Forked(_Parted):
    """Every branch gets every item."""

    method = "fork"
    _copies = {None: lambda x: x, "shallow": copies.copy, "deep": copies.deepcopy}

    def __init__(self, datapipe, num_instances, buffer_size, copy) -> None:
        super().__init__(datapipe, num_instances, buffer_size)
        if copy not in self._copies:
            raise ValueError(
                f"Unknown copy method `{copy}` requested, choose one of None, `shallow` or `deep`."
            )
        self.copy = copy

    def _hand_out(self, item, branch: int) -> None:
        for queue, stopped in zip(self.waiting, self.stopped, strict=True):
            if not stopped:
                queue.append(self._copies[self.copy](item))
        if 0 <= self.buffer_size < max(map(len, self.waiting)):
            raise BufferError(
                f"ForkerIterDataPipe buffer overflow,buffer size {self.buffer_size} is "
                "insufficient."
            )


class _Demultiplexed(_Parted):
    """A function says which branch gets an item."""

    method = "demux"

    def __init__(self, datapipe, num_instances, classifier_fn, drop_none, buffer_size) -> None:
        super().__init__(datapipe, num_instances, buffer_size)
        self.classifier_fn, self.drop_none = classifier_fn, drop_none

    def _hand_out(self, item, branch: int) -> None:
        chosen = self.classifier_fn(item)
        if chosen is None and self.drop_none:
            return
        if chosen is None or not 0 <= chosen < self.num_instances:
            raise ValueError(
                "Output of the classification fn should be between 0 and "
                f"{self.num_instances - 1}. {chosen} is returned."
            )
        self.waiting[chosen].append(item)
        others = sum(len(queue) for k, queue in enumerate(self.waiting) if k != branch)
        if chosen != branch and 0 <= self.buffer_size < others:
            raise BufferError(
                f"DemultiplexerIterDataPipe buffer overflow, buffer size {self.buffer_size} is "
                "insufficient."
            )

    def length(self) -> int:
        raise TypeError


class _ChildDataPipe(IterDataPipe):
    """One branch."""

    def __init__(self, main_datapipe: _Parted, instance_id: int) -> None:
        self.main_datapipe, self.instance_id, self._round = main_datapipe, instance_id, 0

    def reset(self) -> None:
        """A second iteration of this branch is one of all branches."""
        whole = self.main_datapipe
        if self._round == whole.round:
            if not (whole.exhausted and all(whole.stopped)):
                warnings.warn(_NOT_EXHAUSTED, stacklevel=3)
            whole.reset()
        self._round = whole.round

    def __iter__(self):
        return self.main_datapipe.items(self.instance_id)

    def still_valid(self) -> bool:
        return self._round == self.main_datapipe.round

    def __len__(self) -> int:
        return self.main_datapipe.length()


def _check_count(num_instances: int) -> None:
    if num_instances < 1:
        raise ValueError(
            f"Expected `num_instances` larger than 0, but {num_instances} is found"
        )


@functional_datapipe("fork")
class Forker(IterDataPipe):
    """A list of pipes, each of which gives every item."""

    def __new__(cls, datapipe, num_instances: int, buffer_size: int = 1000, copy=None):
        _check_count(num_instances)
        if num_instances == 1:
            return datapipe
        whole = _Forked(datapipe, num_instances, buffer_size, copy)
        return [_ChildDataPipe(whole, i) for i in range(num_instances)]


@functional_datapipe("demux")
class Demultiplexer(IterDataPipe):
    """A list of pipes, to one of which `classifier_fn` sends an item."""

    def __new__(
        cls, datapipe, num_instances: int, classifier_fn, drop_none: bool = False,
        buffer_size: int = 1000,
    ):  # fmt: skip
        _check_count(num_instances)
        whole = _Demultiplexed(datapipe, num_instances, classifier_fn, drop_none, buffer_size)
        return [_ChildDataPipe(whole, i) for i in range(num_instances)]


@functional_datapipe("mux")
class Multiplexer(IterDataPipe):
    """One item of each pipe in turn, as long as each has one."""

    def __init__(self, *datapipes) -> None:
        self.datapipes = datapipes

    def __iter__(self):
        for items in zip(*self.datapipes, strict=False):
            yield from items

    def __len__(self) -> int:
        return min(length_of(self, pipe) for pipe in self.datapipes) * len(self.datapipes)


@functional_datapipe("groupby")
class Grouper(IterDataPipe):
    """Lists of items with the same key: when there are `group_size`, or the buffer is full."""

    def __init__(
        self, datapipe, group_key_fn, *, keep_key=False, buffer_size=10000, group_size=None,
        guaranteed_group_size=None, drop_remaining=False,
    ) -> None:  # fmt: skip
        self.guaranteed_group_size = None
        if group_size is not None and buffer_size is not None:
            if not 0 < group_size <= buffer_size:
                raise AssertionError("group_size must be > 0 and <= buffer_size")
            self.guaranteed_group_size = group_size
        if guaranteed_group_size is not None:
            if group_size is None or not 0 < guaranteed_group_size <= group_size:
                raise AssertionError(
                    "guaranteed_group_size must be > 0 and <= group_size and group_size must be set"
                )
            self.guaranteed_group_size = guaranteed_group_size
        self.datapipe, self.group_key_fn, self.keep_key = datapipe, group_key_fn, keep_key
        self.max_buffer_size, self.group_size = buffer_size, group_size
        self.drop_remaining = drop_remaining

    def __iter__(self):
        groups: dict = defaultdict(list)
        for item in self.datapipe:
            key = self.group_key_fn(item)
            groups[key].append(item)
            if len(groups[key]) == self.group_size:
                yield self._given(key, groups.pop(key))
            if sum(map(len, groups.values())) == self.max_buffer_size:
                biggest = self._without_biggest(groups)
                if biggest is not None:
                    yield self._given(key, biggest)
        for key, items in groups.items():
            yield self._given(key, items)

    def _given(self, key, items: list):
        """PyTorch tells the last item's key, too, when the buffer was full."""
        return (key, DataChunk(items)) if self.keep_key else DataChunk(items)

    def _without_biggest(self, groups: dict):
        items = groups.pop(max(groups, key=lambda key: len(groups[key])))
        if self.guaranteed_group_size is None or len(items) >= self.guaranteed_group_size:
            return items
        if not self.drop_remaining:
            raise RuntimeError("Failed to group items", str(items))
        return None
