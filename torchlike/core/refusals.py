"""Public functions that only refuse, made from their names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def refusing(
    name: str,
    text: str,
    error: type[Exception] = NotImplementedError,
    doc: str = "Not supported.",
    first: Callable[[], object] | None = None,
) -> Callable[..., Any]:
    """A function that raises `error(text)` whatever its arguments, after calling `first`."""

    def refused(*args: Any, **kwargs: Any) -> Any:
        if first is not None:
            first()
        raise error(text)

    refused.__name__ = refused.__qualname__ = name
    refused.__doc__ = doc
    return refused
