"""How a tensor prints: `repr` and `format`, to the letter as PyTorch 2.13 does it."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .core import dtypes
from .core.dual import tangent_of
from .core.layouts import strided
from .core.parameter import Parameter
from .core.record import LOCAL, VMAP
from .core.storage import Storage, is_traced
from .core.tensor import Tensor, all_examples, to_host


@dataclass
class Options:
    """What set_printoptions sets. `sci_mode` None lets the values decide."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


PRINT_OPTS = Options()

PROFILES = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Change the options that are given; `sci_mode` is always set, None or not."""
    given = {
        "precision": precision,
        "threshold": threshold,
        "edgeitems": edgeitems,
        "linewidth": linewidth,
    }
    chosen = PROFILES.get(profile, {}) if profile is not None else {}
    chosen = chosen | {name: value for name, value in given.items() if value is not None}
    for name, value in chosen.items():
        setattr(PRINT_OPTS, name, value)
    PRINT_OPTS.sci_mode = sci_mode


def get_printoptions() -> dict[str, Any]:
    """The options in force, as keywords for set_printoptions."""
    return asdict(PRINT_OPTS)


@contextlib.contextmanager
def printoptions(**kwargs: Any) -> Iterator[None]:
    """set_printoptions for the length of a `with` block."""
    before = get_printoptions()
    set_printoptions(**kwargs)
    try:
        yield
    finally:
        set_printoptions(**before)


# ----- numbers -----


@dataclass
class Format:
    """How the numbers of one tensor are written: chosen once, from all that are shown."""

    floating: bool
    whole: bool = True
    scientific: bool = False
    width: int = 1

    def text(self, value: Any) -> str:
        """One number, padded to the common width."""
        return self.bare(value).rjust(self.width)

    def bare(self, value: Any) -> str:
        if not self.floating:
            return f"{value}"
        if self.scientific:
            return f"{value:.{PRINT_OPTS.precision}e}"
        if not self.whole:
            return f"{value:.{PRINT_OPTS.precision}f}"
        return f"{value:.0f}." if math.isfinite(value) else f"{value:.0f}"


def _choose_format(shown: np.ndarray, floating: bool) -> Format:
    """The format PyTorch picks: zeros, infinities and nans have no say in it."""
    format = Format(floating)
    values = shown.ravel()
    if floating:
        values = values[np.isfinite(values) & (values != 0)]
        if values.size:
            format.whole = bool((values == np.ceil(values)).all())
            format.scientific = _is_scientific(np.abs(values))
    format.width = max((len(format.bare(value)) for value in values.tolist()), default=1)
    return format


def _is_scientific(sizes: np.ndarray) -> bool:
    if PRINT_OPTS.sci_mode is not None:
        return PRINT_OPTS.sci_mode
    low, high = sizes.min(), sizes.max()
    with np.errstate(over="ignore"):
        return bool(high / low > 1000.0 or high > 1.0e8 or low < 1.0e-4)


def _complex_text(real: str, imaginary: str) -> str:
    imaginary = imaginary.lstrip() + "j"
    return real + imaginary if imaginary[0] in "+-" else f"{real}+{imaginary}"


def _cells(shown: np.ndarray) -> tuple[list[str], int]:
    """Every number as text, and the width that line breaking reckons with."""
    if shown.dtype.kind == "c":
        parts = [part.astype(np.float64, copy=False) for part in (shown.real, shown.imag)]
        formats = [_choose_format(part, floating=True) for part in parts]
        texts = [
            [format.text(value) for value in part.ravel().tolist()]
            for format, part in zip(formats, parts, strict=True)
        ]
        # One more for the j.
        return list(map(_complex_text, *texts)), formats[0].width + formats[1].width + 1
    floating = shown.dtype.kind not in "biu"
    if floating:
        # Exact from every narrower type; ml_dtypes' own scalars do not take format specs.
        shown = shown.astype(np.float64, copy=False)
    format = _choose_format(shown, floating)
    return [format.text(value) for value in shown.ravel().tolist()], format.width


# ----- brackets and lines -----


def _is_cut(length: int) -> bool:
    return length > 2 * PRINT_OPTS.edgeitems


def _edges(array: np.ndarray) -> np.ndarray:
    """Only the items that a summary shows: never more than 2 * edgeitems along a dimension."""
    edge = PRINT_OPTS.edgeitems
    picks = [
        np.r_[:edge, length - edge : length] if _is_cut(length) else np.arange(length)
        for length in array.shape
    ]
    return array[np.ix_(*picks)]


def _brackets(cells: np.ndarray, cut: tuple[bool, ...], indent: int, width: int) -> str:
    """The nested lists; `cut` tells the dimensions that lost their middle."""
    if cells.ndim == 0:
        return str(cells[()])
    if cells.ndim == 1:
        return _line(cells.tolist(), cut[0], indent, width)
    rows = [_brackets(row, cut[1:], indent + 1, width) for row in cells]
    if cut[0]:
        rows.insert(PRINT_OPTS.edgeitems, "...")
    return "[" + ("," + "\n" * (cells.ndim - 1) + " " * (indent + 1)).join(rows) + "]"


def _line(texts: list[str], cut: bool, indent: int, width: int) -> str:
    if cut:
        texts.insert(PRINT_OPTS.edgeitems, " ..." if PRINT_OPTS.edgeitems else "...")
    per_line = max(1, math.floor((PRINT_OPTS.linewidth - indent) / (width + 2)))
    lines = [", ".join(texts[i : i + per_line]) for i in range(0, len(texts), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"


def array_text(array: np.ndarray, indent: int) -> str:
    """The numbers of an array between brackets, without prefix and suffixes."""
    if array.size == 0:
        return "[]"
    summary = array.size > PRINT_OPTS.threshold and array.ndim > 0
    cut = tuple(summary and _is_cut(length) for length in array.shape)
    texts, width = _cells(_edges(array) if summary else array)
    shape = [2 * PRINT_OPTS.edgeitems if c else n for c, n in zip(cut, array.shape, strict=True)]
    cells = np.array(texts, dtype=object).reshape(shape)
    return _brackets(cells, cut, indent, width)


# ----- the whole text -----


def _has_values(tensor: Tensor) -> bool:
    """Not on the meta device, nor inside one of JAX's transforms (where PyTorch shows wrappers)."""
    storage = tensor._storage
    traced = type(storage) is Storage and is_traced(storage.value)
    return tensor.device.type != "meta" and not traced


def _sparse_contents(tensor: Tensor, indent: int) -> str:
    """Indices and values, a line each."""
    texts = []
    for name, held in tensor.parts().items():  # type: ignore[attr-defined]
        prefix = f"{name}=tensor("
        size = "" if held.numel() else f", size={tuple(held.shape)}"
        texts.append(prefix + array_text(to_host(held), indent + len(prefix)) + size + ")")
    return (",\n" + " " * indent).join(texts)


def _contents(tensor: Tensor, indent: int) -> str:
    if tensor.layout is not strided:  # type: ignore[attr-defined]
        return _sparse_contents(tensor, indent)
    return array_text(to_host(tensor), indent) if _has_values(tensor) else "..."


def _is_default(dtype: dtypes.dtype) -> bool:
    """Whether a reader would guess this dtype from the numbers alone."""
    default = dtypes.get_default_dtype()
    wide = default == dtypes.float64
    default_complex = dtypes.complex128 if wide else dtypes.complex64
    return dtype in (default, default_complex, dtypes.int64, dtypes.bool_)


def _suffixes(tensor: Tensor) -> list[str]:
    if tensor.layout is not strided:  # type: ignore[attr-defined]
        return _sparse_suffixes(tensor)
    meta = not _has_values(tensor)
    empty = meta or tensor.numel() == 0
    found = []
    if tensor.device.type != "cpu":
        found.append(f"device='{tensor.device}'")
    if meta or (empty and tensor.dim() != 1) or (not empty and not PRINT_OPTS.edgeitems):
        found.append(f"size={tuple(tensor.shape)}")
    # Without numbers to look at even int64 has to be said.
    plain = tensor.dtype == dtypes.get_default_dtype() if empty else _is_default(tensor.dtype)
    if not plain:
        found.append(f"dtype={tensor.dtype}")
    return found + _history(tensor) + _tangent(tensor)


def _sparse_suffixes(tensor: Any) -> list[str]:
    found = [] if tensor.device.type == "cpu" else [f"device='{tensor.device}'"]
    found += [f"size={tuple(tensor.shape)}", f"nnz={tensor._nnz()}"]
    if not _is_default(tensor.dtype):
        found.append(f"dtype={tensor.dtype}")
    return [*found, f"layout={tensor.layout}", *_history(tensor)]


def _history(tensor: Tensor) -> list[str]:
    try:
        node = tensor.grad_fn
    except RuntimeError:
        # A view made and changed under no_grad has no valid history to show.
        return ["grad_fn=<Invalid>"]
    if node is not None:
        return [f"grad_fn=<{node.name().rsplit('::', 1)[-1]}>"]
    return ["requires_grad=True"] if tensor.requires_grad else []


def _tangent(tensor: Tensor) -> list[str]:
    level = LOCAL.state.forward
    tangent = None if level is None else tangent_of(tensor, level)
    return [] if tangent is None else [f"tangent={tangent}"]


def _join(text: str, suffixes: list[str], indent: int, new_line: bool = False) -> str:
    """Add the suffixes, each on the current line if it fits there."""
    length = len(text) - text.rfind("\n") + 1
    if new_line:
        suffixes = suffixes.copy()
        text += ",\n" + " " * indent + (first := suffixes.pop(0))
        length = indent + len(first)
    for suffix in suffixes:
        if length + len(suffix) + 2 > PRINT_OPTS.linewidth:
            text += ",\n" + " " * indent + suffix
            length = indent + len(suffix)
        else:
            text += ", " + suffix
            length += len(suffix) + 2
    return text + ")"


def tensor_text(tensor: Tensor, *, tensor_contents: str | None = None) -> str:
    """repr(tensor)."""
    if tensor.layout is strided and (  # type: ignore[attr-defined]
        LOCAL.state.vmaps or LOCAL.state.transforms or all_examples(tensor) is not tensor
    ):
        return VMAP["text"](tensor, tensor_text)
    kind = type(tensor) if tensor.layout is strided else Tensor  # type: ignore[attr-defined]
    plain = kind is Tensor or kind is Parameter
    prefix = "tensor(" if plain else f"{kind.__name__}("
    if tensor_contents is None:
        tensor_contents = _contents(tensor, len(prefix))
    text = _join(prefix + tensor_contents, _suffixes(tensor), len(prefix), tensor.is_sparse)  # type: ignore[attr-defined]
    if isinstance(tensor, Parameter) and not plain:
        text = f"Parameter({text})"
    return text


# What PyTorch calls them in torch._tensor_str, where libraries' own tensors find them.
_tensor_str, _add_suffixes, _str_intern = _contents, _join, tensor_text


def parameter_text(tensor: Tensor, *, tensor_contents: str | None = None) -> str:
    """repr(parameter)."""
    return "Parameter containing:\n" + tensor_text(tensor, tensor_contents=tensor_contents)


def format_value(tensor: Tensor, spec: str) -> str:
    """format(tensor, spec): a zero-dim tensor formats as its number, others take no spec."""
    if type(tensor) is Tensor and tensor.dim() == 0 and tensor.device.type != "meta":
        return format(tensor.detach().item(), spec)
    return object.__format__(tensor, spec)
