"""IterDataPipe and MapDataPipe: what pipes are, and how their methods are found."""

import functools

from ..dataset import Dataset, IterableDataset


class DataChunk(list):
    """A batch that a pipe made."""

    def __init__(self, items) -> None:
        super().__init__(items)
        self.items = list(self)

    def as_str(self, indent: str = "") -> str:
        """The items in brackets."""
        return f"{indent}[{', '.join(map(str, self))}]"

    def raw_iterator(self):
        """The items."""
        yield from self.items


class _Chained:
    """Methods that `functional_datapipe` registered, on the class or on this instance's pipe."""

    functions: dict = {}
    str_hook = repr_hook = getstate_hook = reduce_ex_hook = None

    def __getattr__(self, name):
        if name not in self.functions:
            text = f"'{type(self).__name__}' object has no attribute '{name}"
            raise AttributeError(text)
        return functools.partial(self.functions[name], self)

    @classmethod
    def register_function(cls, function_name, function) -> None:
        """A method for all pipes of this kind."""
        cls.functions[function_name] = function

    @classmethod
    def register_datapipe_as_function(cls, function_name, cls_to_register,
                                      enable_df_api_tracing=False) -> None:  # fmt: skip
        """A pipe as a method of all pipes of this kind."""
        if enable_df_api_tracing:
            raise NotImplementedError(
                "functional_datapipe: enable_df_api_tracing=True is not supported"
            )
        if function_name in cls.functions:
            raise Exception(
                f"Unable to add DataPipe function name {function_name} as it is already taken"
            )
        cls.functions[function_name] = cls_to_register

    @classmethod
    def set_getstate_hook(cls, hook_fn) -> None:
        """What `pickle` stores of a pipe, made from its attributes."""
        if cls.getstate_hook is not None and hook_fn is not None:
            raise RuntimeError("Attempt to override existing getstate_hook")
        cls.getstate_hook = staticmethod(hook_fn) if hook_fn else None

    def __getstate__(self):
        hook = type(self).getstate_hook
        return self.__dict__ if hook is None else hook(self.__dict__)

    @classmethod
    def set_reduce_ex_hook(cls, hook_fn) -> None:
        """How `pickle` takes a pipe apart."""
        if cls.reduce_ex_hook is not None and hook_fn is not None:
            raise RuntimeError("Attempt to override existing reduce_ex_hook")
        cls.reduce_ex_hook = staticmethod(hook_fn) if hook_fn else None

    def __reduce_ex__(self, protocol):
        hook = type(self).reduce_ex_hook
        if hook is not None:
            try:
                return hook(self)
            except NotImplementedError:
                pass
        return super().__reduce_ex__(protocol)

    def __repr__(self) -> str:
        return self.repr_hook(self) if self.repr_hook else type(self).__qualname__

    def __str__(self) -> str:
        return self.str_hook(self) if self.str_hook else type(self).__qualname__

    def __dir__(self):
        return [*super().__dir__(), *self.functions]


class IterDataPipe(_Chained, IterableDataset):
    """A pipe that is iterated. A second iterator ends the first one; each begins with `reset()`."""

    functions: dict = {}
    _valid_iterator_id = None
    _number_of_samples_yielded = 0

    def __init_subclass__(cls, **kwargs) -> None:
        super().__init_subclass__(**kwargs)
        if "__iter__" in vars(cls):
            cls.__iter__ = _watched(vars(cls)["__iter__"])

    def __iter__(self):
        return self

    def reset(self) -> None:
        """Called when an iteration begins: nothing to do here."""

    def still_valid(self) -> bool:
        """Whether nothing else ended this pipe's iterators."""
        return True


def length_of(pipe, source) -> int:
    """The source's length, which `pipe` has too; TypeError where there is none."""
    if not hasattr(type(source), "__len__"):
        raise TypeError(f"{type(pipe).__name__} instance doesn't have valid length")
    return len(source)


def _watched(function):
    """`__iter__` whose iterators end as soon as there is another one."""

    @functools.wraps(function)
    def begun(self):
        self._valid_iterator_id = own = (self._valid_iterator_id or 0) + 1
        self._number_of_samples_yielded = 0
        self.reset()
        found = function(self)
        return found if found is self else _Guarded(self, found, own)

    return begun


class _Guarded:
    """An iterator of a pipe."""

    def __init__(self, pipe, found, own) -> None:
        self._pipe, self._found, self._own = pipe, found, own

    def __iter__(self):
        return self

    def __next__(self):
        pipe = self._pipe
        if pipe._valid_iterator_id != self._own or not pipe.still_valid():
            raise RuntimeError(
                "This iterator has been invalidated because another iterator has been created from "
                f"the same IterDataPipe: {type(pipe).__name__}"
            )
        item = next(self._found)
        pipe._number_of_samples_yielded += 1
        return item


class DFIterDataPipe(IterDataPipe):
    """Not supported: a pipe of data frames."""

    def __init__(self, *args, **kwargs) -> None:
        raise NotImplementedError("DFIterDataPipe is not supported")


class MapDataPipe(_Chained, Dataset):
    """A pipe that is indexed."""

    functions: dict = {}
