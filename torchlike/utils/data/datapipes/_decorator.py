"""Decorators of pipes."""

import inspect
import typing
from functools import wraps

from .datapipe import IterDataPipe, MapDataPipe

_state = {"determinism": False, "validation": True}


class functional_datapipe:
    """Makes a pipe a method, of this name, of all pipes of its kind."""

    def __init__(self, name: str, enable_df_api_tracing: bool = False) -> None:
        self.name, self.enable_df_api_tracing = name, enable_df_api_tracing

    def __call__(self, cls):
        base = cls.cls if isinstance(cls, non_deterministic) else cls
        kind = IterDataPipe if issubclass(base, IterDataPipe) else MapDataPipe
        if not issubclass(base, kind):
            raise TypeError("`functional_datapipe` can only decorate IterDataPipe")
        kind.register_datapipe_as_function(self.name, cls, self.enable_df_api_tracing)
        return cls


class _Switched:
    """Changes a setting from when it is made to the end of its block."""

    name, value = "", False

    def __init__(self) -> None:
        self.prev, _state[self.name] = _state[self.name], self.value

    def __enter__(self) -> None:
        return None

    def __exit__(self, *error) -> None:
        _state[self.name] = self.prev


class guaranteed_datapipes_determinism(_Switched):
    """A block in which pipes marked as non-deterministic can't be made."""

    name, value = "determinism", True


class runtime_validation_disabled(_Switched):
    """A block in which `runtime_validation` checks nothing."""

    name, value = "validation", False


class non_deterministic:
    """Marks a pipe whose items may differ from run to run: always, or where a function of its
    arguments says so."""

    def __init__(self, arg) -> None:
        self.cls, self.deterministic_fn = None, None
        if isinstance(arg, type):
            if not issubclass(arg, IterDataPipe):
                raise TypeError(
                    "Only `IterDataPipe` can be decorated with `non_deterministic`, but "
                    f"{arg.__name__} is found"
                )
            self.cls = arg
        elif callable(arg):
            self.deterministic_fn = arg
        else:
            raise TypeError(f"{arg} can not be decorated by non_deterministic")

    def __call__(self, *args, **kwargs):
        if self.cls is None:
            return self._of(args[0])
        if _state["determinism"] and self._differs(args, kwargs):
            inputs = "" if self.deterministic_fn is None else " with the inputs"
            raise TypeError(
                f"{self.cls.__name__} is non-deterministic{inputs}, but you set "
                "'guaranteed_datapipes_determinism'. You can turn off determinism for this "
                "DataPipe if that is acceptable for your application"
            )
        return self.cls(*args, **kwargs)

    def _of(self, cls):
        if not (isinstance(cls, type) and issubclass(cls, IterDataPipe)):
            raise TypeError(f"Only `IterDataPipe` can be decorated, but {cls.__name__} is found")
        self.cls = cls
        return self

    def _differs(self, args, kwargs) -> bool:
        if self.deterministic_fn is None:
            return True
        found = self.deterministic_fn(*args, **kwargs)
        if not isinstance(found, bool):
            raise TypeError(
                "deterministic_fn of `non_deterministic` decorator is required to return a boolean "
                f"value, but {type(found)} is found"
            )
        return found


def argument_validation(f):
    """Checks that arguments annotated as pipes are pipes; the types of their items are not
    compared."""
    signature, hints = inspect.signature(f), typing.get_type_hints(f)

    @wraps(f)
    def checked(*args, **kwargs):
        for name, value in signature.bind(*args, **kwargs).arguments.items():
            hint = typing.get_origin(hints.get(name)) or hints.get(name)
            pipe = isinstance(hint, type) and issubclass(hint, IterDataPipe)
            if pipe and not isinstance(value, IterDataPipe):
                raise TypeError(
                    f"Expected argument '{name}' as a IterDataPipe, but found {type(value)}"
                )
        return f(*args, **kwargs)

    return checked


def runtime_validation(f):
    """For `__iter__` of a pipe; the types of items are those of Python, so nothing is checked."""
    if f.__name__ != "__iter__":
        raise TypeError(f"Can not decorate function {f.__name__} with 'runtime_validation'")

    @wraps(f)
    def iterated(self):
        yield from f(self)

    return iterated
