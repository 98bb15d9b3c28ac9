"""`torch.func.rearrange`: dims reordered, split and joined by a pattern in einops' notation."""

from __future__ import annotations

import math
import re
from typing import Any

from ..core.op import TABLE
from ..core.tensor import Tensor

ELLIPSIS = "…"
NESTED = "Axis composition is one-level (brackets inside brackets not allowed)"
DOTS = "Expression may contain dots only inside ellipsis (...)"


class DimensionBindError(Exception):
    """The sizes of a tensor do not fit those a pattern asks for."""


class _Side:
    """One side of a pattern: a list of groups of names; `1` is the empty group."""

    def __init__(self, text: str) -> None:
        self.groups: list[list[str]] = []
        self.names: list[str] = []
        self.ellipsis_inside = False
        dots = text.replace("...", "")
        if "." in dots:
            raise ValueError(DOTS)
        if text.count("...") > 1:
            raise ValueError("Expression may contain dots only inside ellipsis (...); only one "
                             "ellipsis for tensor ")  # fmt: skip
        wrong = re.search(r"[^\w\s()]", dots)
        if wrong:
            raise ValueError(f"Unknown character '{wrong[0]}'")
        group: list[str] | None = None
        for token in re.findall(r"[()]|\w+|\.\.\.", text):
            if token == "(":
                if group is not None:
                    raise ValueError(NESTED)
                group = []
            elif token == ")":
                if group is None:
                    raise ValueError("Brackets are not balanced")
                self.groups.append(group)
                group = None
            else:
                self._add(token, group)
        if group is not None:
            raise ValueError(f"Imbalanced parentheses in expression: '{text}'")

    def _add(self, token: str, group: list[str] | None) -> None:
        if token == "1":
            if group is None:
                self.groups.append([])
            return
        if token.isdecimal():
            raise ValueError("rearrange only supports unnamed axes of size 1")
        name = ELLIPSIS if token == "..." else token
        if token[0] == "_" or token[-1] == "_":
            raise ValueError(
                f"Invalid axis identifier: {token}\n"
                "axis name should should not start or end with underscore"
            )
        if name in self.names:
            raise ValueError(f"Indexing expression contains duplicate dimension '{name}'")
        self.names.append(name)
        self.ellipsis_inside |= name is ELLIPSIS and group is not None
        if group is None:
            self.groups.append([name])
        else:
            group.append(name)


def _sides(pattern: str, lengths: dict[str, int]) -> tuple[_Side, _Side]:
    parts = pattern.split("->")
    if len(parts) != 2:
        raise ValueError("Pattern must contain a single '->' separator")
    left, right = _Side(parts[0]), _Side(parts[1])
    if ELLIPSIS in right.names and ELLIPSIS not in left.names:
        raise ValueError(
            f"Ellipsis found in right side, but not left side of a pattern {pattern}"
        )
    if left.ellipsis_inside:
        raise ValueError(f"Ellipsis is parenthesis in the left side is not allowed: {pattern}")
    once = {*left.names} ^ {*right.names}
    if once:
        raise ValueError(
            "Identifiers only on one side of rearrange expression (should be on both): " f"{once}"
        )
    unknown = {*lengths} - {*left.names}
    if unknown:
        raise ValueError(f"Identifiers not found in rearrange expression: {unknown}")
    return left, right


def _sizes(left: _Side, shape: tuple[int, ...], lengths: dict[str, int]) -> dict[str, Any]:
    """The size of each name; of the ellipsis, a tuple of them."""
    spread = len(shape) - (len(left.groups) - 1)
    dots = ELLIPSIS in left.names
    if len(left.groups) != len(shape) and not (dots and spread >= 0):
        least = len(left.groups) - dots
        raise ValueError(
            f"Number of dimensions in pattern ({least}) must be equal to the number of dimensions "
            f"in the tensor ({len(shape)})"
        )
    sizes: dict[str, Any] = dict(lengths)
    at = 0
    for group in left.groups:
        if group == [ELLIPSIS]:
            sizes[ELLIPSIS] = shape[at : at + spread]
            at += spread
            continue
        _bind(group, shape[at], sizes)
        at += 1
    return sizes


def _bind(group: list[str], size: int, sizes: dict[str, Any]) -> None:
    open_names = [name for name in group if name not in sizes]
    known = math.prod(sizes[name] for name in group if name in sizes)
    if len(open_names) > 1:
        raise DimensionBindError("cannot infer the sizes of two dimensions at once " + " and ".join(
            f"d{group.index(name) + 1}" for name in open_names[:2]))  # fmt: skip
    if open_names:
        if known == 0 or size % known:
            shown = tuple(sizes.get(name, "?") for name in group)
            raise DimensionBindError(
                f"inferred dimension does not evenly fit into larger dimension: {size} vs {shown}"
            )
        sizes[open_names[0]] = size // known
    elif known != size:
        shown = tuple(sizes[name] for name in group)
        raise DimensionBindError(
            f"Dimension sizes to do not match ({size} != {known}) when matching dimension pack "
            f"{shown}"
        )


def rearrange(
    tensor: Tensor | list[Tensor] | tuple[Tensor, ...], pattern: str, **axes_lengths: int
) -> Tensor:
    """The tensor's dims reordered, split and joined as `pattern` says: `'b (h c) w -> b c h w'`.

    A list of tensors of equal shape counts as one tensor with a leading dim. Lengths that the shape
    does not tell are keyword arguments. ValueError for a pattern that is none, DimensionBindError
    (functorch.dim's) for lengths that do not fit. Source: `torch.func.rearrange`, after einops.
    """
    if not isinstance(tensor, Tensor):
        tensor = TABLE["torch", "stack"](list(tensor))
    left, right = _sides(pattern, axes_lengths)
    sizes = _sizes(left, tuple(tensor.shape), axes_lengths)
    several = sizes.get(ELLIPSIS, ())

    def dims(name: str) -> list[int]:
        return [*several] if name is ELLIPSIS else [sizes[name]]

    split = [n for name in left.names for n in dims(name)]
    places, at = {}, 0
    for name in left.names:
        places[name] = range(at, at + len(dims(name)))
        at += len(dims(name))
    order = [d for name in right.names for d in places[name]]
    joined = []
    for group in right.groups:
        if group == [ELLIPSIS] and not right.ellipsis_inside:
            joined += several
        else:
            joined.append(math.prod(n for name in group for n in dims(name)))
    x: Any = tensor
    x = x if list(x.shape) == split else x.reshape(split)
    x = x if order == sorted(order) else x.permute(order)
    return x if list(x.shape) == joined else x.reshape(joined)
