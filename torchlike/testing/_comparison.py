"""assert_close: values compared in pairs, one class per kind of value.

A pair refuses what it doesn't know (`UnsupportedInputs`), so the kinds are tried in order.
Quantized and nested tensors are not there to compare.
"""

from __future__ import annotations

import cmath
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .. import ops
from ..core import dtypes, layouts
from ..core.dtypes import dtype as Dtype
from ..core.dtypes import promote_types
from ..core.tensor import Tensor

_PRECISIONS = {
    dtypes.float16: (0.001, 1e-5), dtypes.bfloat16: (0.016, 1e-5), dtypes.float32: (1.3e-6, 1e-5),
    dtypes.float64: (1e-7, 1e-7), dtypes.complex32: (0.001, 1e-5),
    dtypes.complex64: (1.3e-6, 1e-5), dtypes.complex128: (1e-7, 1e-7),
}  # fmt: skip
_PRECISIONS_ALLCLOSE = {
    dtypes.float16: (1e-3, 1e-3), dtypes.float32: (1e-4, 1e-5), dtypes.float64: (1e-5, 1e-8),
}  # fmt: skip


class ErrorMeta(Exception):
    """A failed comparison: the error to raise, its text, and where in the inputs it was."""

    def __init__(self, type, msg, *, id=()) -> None:
        super().__init__(msg)
        self.type, self.msg, self.id = type, msg, id

    def to_error(self, msg: str | Callable[[str], str] | None = None) -> Exception:
        """The exception for the user, with a text of their own if they gave one."""
        if isinstance(msg, str):
            return self.type(msg)
        text = self.msg
        if self.id:
            text += f"\n\nThe failure occurred for item {_place(self.id)}"
        return self.type(msg(text) if callable(msg) else text)


class UnsupportedInputs(Exception):
    """Raised by a pair that doesn't compare values of this kind."""


def _place(id) -> str:
    return "".join(f"[{item!r}]" for item in id)


# ----- tolerances -----
def default_tolerances(*inputs: Tensor | Dtype, dtype_precisions=None) -> tuple[float, float]:
    """(rtol, atol): the loosest of the inputs' dtypes."""
    table = dtype_precisions or _PRECISIONS
    for given in inputs:
        if not isinstance(given, (Tensor, Dtype)):
            raise TypeError(
                f"Expected a torch.Tensor or a torch.dtype, but got {type(given)} instead."
            )
    kinds = [given.dtype if isinstance(given, Tensor) else given for given in inputs]
    rtols, atols = zip(*(table.get(kind, (0.0, 0.0)) for kind in kinds))
    return max(rtols), max(atols)


def get_tolerances(*inputs, rtol, atol, id=()) -> tuple[float, float]:
    """The tolerances given, or the inputs' defaults; one alone is an error."""
    if (rtol is None) != (atol is None):
        raise ErrorMeta(
            ValueError,
            "Both 'rtol' and 'atol' must be either specified or omitted, but got no "
            f"{'rtol' if rtol is None else 'atol'}.",
            id=id,
        )
    return default_tolerances(*inputs) if rtol is None else (rtol, atol)


# ----- texts -----
def _title(default: str, identifier, verdict: str) -> str:
    name = identifier(default) if callable(identifier) else identifier or default
    return f"{name} are not {verdict}!\n\n"


def _differences(absolute, relative, *, rtol, atol) -> str:
    """The two lines on how far apart the values are; each is (difference, its index or None)."""
    lines = []
    for word, (found, index), limit in (("absolute", absolute, atol), ("relative", relative, rtol)):
        line = f"{word.title()} difference: {found}"
        if index is not None:
            line = f"Greatest {word} difference: {found} at index {index}"
        lines.append(line + f" (up to {limit} allowed)" * (rtol != 0 or atol != 0))
    return "\n".join(lines)


def _verdict(rtol, atol) -> str:
    return "equal" if rtol == 0 and atol == 0 else "close"


def make_scalar_mismatch_msg(actual, expected, *, rtol, atol, identifier=None) -> str:
    """How two numbers differ."""
    absolute = abs(actual - expected)
    relative = float("inf") if expected == 0 else absolute / abs(expected)
    return (
        _title("Scalars", identifier, _verdict(rtol, atol))
        + f"Expected {expected} but got {actual}.\n"
        + _differences((absolute, None), (relative, None), rtol=rtol, atol=atol)
    )


def make_tensor_mismatch_msg(actual, expected, matches, *, rtol, atol, identifier=None) -> str:
    """How many elements differ, how far at most, and where."""
    count = matches.numel()
    wrong = count - int(matches.sum())
    share = f"Mismatched elements: {wrong} / {count} ({wrong / count:.1%})"
    if actual.dtype.is_floating_point and actual.dtype.itemsize == 1:
        first = tuple(ops.nonzero(~matches)[0].tolist())
        text = _title("Tensor-likes", identifier, "equal") + share
        return f"{text}\nThe first mismatched element is at index {first}."
    if not actual.dtype.is_floating_point and not actual.dtype.is_complex:
        actual, expected = actual.to(dtypes.int64), expected.to(dtypes.int64)
    gaps = ops.abs(actual - expected).flatten()
    gaps[matches.flatten()] = 0
    ratios = gaps / ops.abs(expected).flatten()
    ratios[matches.flatten()] = 0
    absolute, relative = (_largest(found, matches.shape) for found in (gaps, ratios))
    head = _title("Tensor-likes", identifier, _verdict(rtol, atol)) + share
    return f"{head}\n{_differences(absolute, relative, rtol=rtol, atol=atol)}"


def _largest(flat: Tensor, shape) -> tuple[Any, tuple[int, ...]]:
    value, index = ops.max(flat, 0)
    return value.item(), tuple(int(i) for i in np.unravel_index(int(index), shape))


# ----- pairs -----
class Pair:
    """Two values to compare; options that a kind of pair has no use for are left alone."""

    def __init__(self, actual, expected, *, id=(), **unknown_parameters) -> None:
        self.actual, self.expected, self.id = actual, expected, id
        self._unknown_parameters = unknown_parameters

    @staticmethod
    def _inputs_not_supported():
        raise UnsupportedInputs

    @staticmethod
    def _check_inputs_isinstance(*inputs, cls) -> None:
        if not all(isinstance(given, cls) for given in inputs):
            Pair._inputs_not_supported()

    def _fail(self, type, msg, *, id=()):
        raise ErrorMeta(type, msg, id=id or self.id)

    def compare(self) -> None:
        """Raises an ErrorMeta where the values differ."""
        raise NotImplementedError(f"{type(self).__name__}.compare")

    def extra_repr(self) -> Sequence[str | tuple[str, Any]]:
        """The options to show: names of attributes, or (name, value)."""
        return ()

    def __repr__(self) -> str:
        names = ("id", "actual", "expected", *self.extra_repr())
        rows = [(row, getattr(self, row)) if isinstance(row, str) else row for row in names]
        body = "".join(f"    {name}={value!s},\n" for name, value in rows)
        return f"{type(self).__name__}(\n{body})"


class ObjectPair(Pair):
    """Any two objects, by `==`."""

    def compare(self) -> None:
        try:
            equal = self.actual == self.expected
        except Exception as error:
            text = f"{self.actual} == {self.expected} failed with:\n{error}."
            raise ErrorMeta(ValueError, text, id=self.id) from error
        if not equal:
            self._fail(AssertionError, f"{self.actual} != {self.expected}")


class NonePair(Pair):
    """Two values of which at least one is None."""

    def __init__(self, actual, expected, **other_parameters) -> None:
        if actual is not None and expected is not None:
            self._inputs_not_supported()
        super().__init__(actual, expected, **other_parameters)

    def compare(self) -> None:
        if self.actual is not self.expected:
            self._fail(AssertionError, f"None mismatch: {self.actual} is not {self.expected}")


class BooleanPair(Pair):
    """Two truth values, Python's or NumPy's."""

    def __init__(self, actual, expected, *, id, **other_parameters) -> None:
        self._check_inputs_isinstance(actual, expected, cls=(bool, np.bool_))
        super().__init__(bool(actual), bool(expected), id=id, **other_parameters)

    def compare(self) -> None:
        if self.actual is not self.expected:
            self._fail(AssertionError, f"Booleans mismatch: {self.actual} is not {self.expected}")


class NumberPair(Pair):
    """Two numbers, Python's or NumPy's; their types are compared with `check_dtype=True`."""

    _TYPE_TO_DTYPE = {int: dtypes.int64, float: dtypes.float64, complex: dtypes.complex128}

    def __init__(self, actual, expected, *, id=(), rtol=None, atol=None, equal_nan=False,
                 check_dtype=False, **other_parameters) -> None:  # fmt: skip
        self._check_inputs_isinstance(actual, expected, cls=(int, float, complex, np.number))
        both = [given.item() if isinstance(given, np.number) else given
                for given in (actual, expected)]  # fmt: skip
        super().__init__(*both, id=id, **other_parameters)
        kinds = [self._TYPE_TO_DTYPE[type(given)] for given in both]
        self.rtol, self.atol = get_tolerances(*kinds, rtol=rtol, atol=atol, id=id)
        self.equal_nan, self.check_dtype = equal_nan, check_dtype

    def compare(self) -> None:
        actual, expected = self.actual, self.expected
        if self.check_dtype and type(actual) is not type(expected):
            self._fail(
                AssertionError,
                f"The (d)types do not match: {type(actual)} != {type(expected)}.",
            )
        if actual == expected:
            return
        if self.equal_nan and cmath.isnan(actual) and cmath.isnan(expected):
            return
        gap = abs(actual - expected)
        if not (cmath.isfinite(gap) and gap <= self.atol + self.rtol * abs(expected)):
            self._fail(
                AssertionError,
                make_scalar_mismatch_msg(actual, expected, rtol=self.rtol, atol=self.atol),
            )

    def extra_repr(self) -> Sequence[str]:
        return ("rtol", "atol", "equal_nan", "check_dtype")


_COMPRESSED = {  # layout -> its name and the methods for compressed and plain indices
    layouts.sparse_csr: ("CSR", "crow_indices", "col_indices"),
    layouts.sparse_csc: ("CSC", "ccol_indices", "row_indices"),
    layouts.sparse_bsr: ("BSR", "crow_indices", "col_indices"),
    layouts.sparse_bsc: ("BSC", "ccol_indices", "row_indices"),
}


class TensorLikePair(Pair):
    """Two tensors, or two things of related types that `as_tensor` takes."""

    def __init__(self, actual, expected, *, id=(), allow_subclasses=True, rtol=None, atol=None,
                 equal_nan=False, check_device=True, check_dtype=True, check_layout=True,
                 check_stride=False, **other_parameters) -> None:  # fmt: skip
        related = isinstance(actual, type(expected)) or isinstance(expected, type(actual))
        if not related or (not allow_subclasses and type(actual) is not type(expected)):
            self._inputs_not_supported()
        both = [self._to_tensor(given) for given in (actual, expected)]
        super().__init__(*both, id=id, **other_parameters)
        self.rtol, self.atol = get_tolerances(*both, rtol=rtol, atol=atol, id=id)
        self.equal_nan = equal_nan
        self.check_device, self.check_dtype = check_device, check_dtype
        self.check_layout, self.check_stride = check_layout, check_stride

    def _to_tensor(self, given) -> Tensor:
        try:
            return given if isinstance(given, Tensor) else ops.as_tensor(given)
        except Exception:
            raise UnsupportedInputs from None

    def compare(self) -> None:
        self._compare_attributes(self.actual, self.expected)
        if "meta" in (self.actual.device.type, self.expected.device.type):
            return
        self._compare_values(*self._equalize_attributes(self.actual, self.expected))

    def _compare_attributes(self, actual, expected) -> None:
        self._match("shape", actual.shape, expected.shape)
        if self.check_layout:
            self._match("layout", actual.layout, expected.layout)
        if self.check_stride and actual.layout == expected.layout == layouts.strided:
            self._match("stride()", actual.stride(), expected.stride())
        if self.check_device:
            self._match("device", actual.device, expected.device)
        if self.check_dtype:
            self._match("dtype", actual.dtype, expected.dtype)

    def _match(self, name, actual, expected) -> None:
        if actual != expected:
            self._fail(
                AssertionError,
                f"The values for attribute '{name}' do not match: {actual} != {expected}.",
            )

    def _equalize_attributes(self, actual, expected) -> tuple[Tensor, Tensor]:
        """Both on the CPU where devices differ, in one dtype, dense where layouts differ."""
        both = [actual, expected]
        if actual.device != expected.device:
            both = [t.cpu() for t in both]
        if actual.dtype != expected.dtype:
            wide = (dtypes.uint16, dtypes.uint32, dtypes.uint64)  # not in PyTorch's lattice
            kinds = [dtypes.int64 if t.dtype in wide else t.dtype for t in both]
            both = [t.to(promote_types(*kinds)) for t in both]
        if actual.layout != expected.layout:
            both = [t if t.layout == layouts.strided else t.to_dense() for t in both]
        return both[0], both[1]

    def _compare_values(self, actual, expected) -> None:
        if actual.layout == layouts.sparse_coo:
            return self._compare_sparse_coo_values(actual, expected)
        if actual.layout in _COMPRESSED:
            return self._compare_sparse_compressed_values(actual, expected)
        reduced = actual.dtype.is_floating_point and actual.dtype.itemsize == 1
        if reduced and (self.rtol != 0 or self.atol != 0):
            raise ErrorMeta(
                AssertionError,
                f"Rtol={self.rtol} and atol={self.atol} are not supported for bitwise comparison "
                "of low dimensional floats. Please use rtol=0.0 and atol=0.0.",
            )
        self._compare_close(actual, expected)

    def _same(self, what, actual, expected) -> None:
        if actual != expected:
            self._fail(
                AssertionError,
                f"The number of {what} tensors does not match: {actual} != {expected}",
            )

    def _compare_sparse_coo_values(self, actual, expected) -> None:
        dims = actual.sparse_dim(), expected.sparse_dim()
        self._same("sparse dimensions in sparse COO", *dims)
        self._same("specified values in sparse COO", actual._nnz(), expected._nnz())
        self._compare_equal(actual._indices(), expected._indices(), "Sparse COO indices")
        self._compare_close(actual._values(), expected._values(), "Sparse COO values")

    def _compare_sparse_compressed_values(self, actual, expected) -> None:
        name, *methods = _COMPRESSED[actual.layout]
        self._same(f"specified values in sparse {name}", actual._nnz(), expected._nnz())
        kind = promote_types(*(getattr(t, methods[0])().dtype for t in (actual, expected)))
        for method in methods:
            both = [getattr(t, method)().to(kind) for t in (actual, expected)]
            self._compare_equal(*both, f"Sparse {name} {method}")
        self._compare_close(actual.values(), expected.values(), f"Sparse {name} values")

    def _compare_equal(self, actual, expected, identifier) -> None:
        self._compare_regular(actual, expected, identifier, rtol=0, atol=0, equal_nan=False)

    def _compare_close(self, actual, expected, identifier=None) -> None:
        self._compare_regular(actual, expected, identifier, rtol=self.rtol, atol=self.atol,
                              equal_nan=self.equal_nan)  # fmt: skip

    def _compare_regular(self, actual, expected, identifier, *, rtol, atol, equal_nan) -> None:
        matches = ops.isclose(actual, expected, rtol=rtol, atol=atol, equal_nan=equal_nan)
        if matches.all():
            return
        limits = {"rtol": rtol, "atol": atol, "identifier": identifier}
        if actual.ndim:
            text = make_tensor_mismatch_msg(actual, expected, matches, **limits)
        else:
            text = make_scalar_mismatch_msg(actual.item(), expected.item(), **limits)
        self._fail(AssertionError, text)

    def extra_repr(self) -> Sequence[str]:
        return ("rtol", "atol", "equal_nan", "check_device", "check_dtype", "check_layout",
                "check_stride")  # fmt: skip


# ----- from nested inputs to pairs -----
def originate_pairs(actual, expected, *, pair_types, sequence_types=(Sequence,),
                    mapping_types=(Mapping,), id=(), **options) -> list[Pair]:  # fmt: skip
    """The pairs of two values, of the items of two sequences, or of two mappings' values."""
    both = actual, expected

    def inner(keys):
        kinds = {"pair_types": pair_types, "sequence_types": sequence_types,
                 "mapping_types": mapping_types}  # fmt: skip
        rows = (originate_pairs(actual[key], expected[key], id=(*id, key), **kinds, **options)
                for key in keys)  # fmt: skip
        return [pair for row in rows for pair in row]

    if all(isinstance(x, sequence_types) and not isinstance(x, str) for x in both):
        if len(actual) != len(expected):
            text = f"The length of the sequences mismatch: {len(actual)} != {len(expected)}"
            raise ErrorMeta(AssertionError, text, id=id)
        return inner(range(len(actual)))
    if all(isinstance(x, mapping_types) for x in both):
        return inner(_common_keys(actual, expected, id))
    for pair_type in pair_types:
        try:
            return [pair_type(actual, expected, id=id, **options)]
        except UnsupportedInputs:
            continue
        except ErrorMeta:
            raise
        except Exception as error:
            raise RuntimeError(_unexpected(pair_type, actual, expected, id)) from error
    raise ErrorMeta(
        TypeError,
        f"No comparison pair was able to handle inputs of type {type(actual)} and "
        f"{type(expected)}.",
        id=id,
    )


def _unexpected(pair_type, actual, expected, id) -> str:
    shown = [f"{type(given).__name__}(): {given}\n\n" for given in (actual, expected)]
    return (
        f"Originating a {pair_type.__name__}() at item {_place(id)} with\n\n{shown[0]}and\n\n"
        f"{shown[1]}resulted in the unexpected exception above."
    )


def _common_keys(actual, expected, id):
    """The keys of both mappings, sorted where they can be."""
    here, there = set(actual), set(expected)
    if here != there:
        raise ErrorMeta(
            AssertionError,
            "The keys of the mappings do not match:\n"
            f"Missing keys in the actual mapping: {sorted(there - here)}\n"
            f"Additional keys in the actual mapping: {sorted(here - there)}",
            id=id,
        )
    try:
        return sorted(here)
    except TypeError:
        return here


def not_close_error_metas(actual, expected, *, pair_types=(ObjectPair,),
                          **options) -> list[ErrorMeta]:  # fmt: skip
    """What is wrong, one ErrorMeta per pair that differs; inputs that form no pairs raise."""
    try:
        pairs = originate_pairs(actual, expected, pair_types=pair_types, **options)
    except ErrorMeta as found:
        raise found.to_error() from None
    wrong = []
    for pair in pairs:
        try:
            pair.compare()
        except ErrorMeta as found:
            wrong.append(found)
    return wrong


def assert_close(
    actual: Any, expected: Any, *, allow_subclasses: bool = True, rtol: float | None = None,
    atol: float | None = None, equal_nan: bool = False, check_device: bool = True,
    check_dtype: bool = True, check_layout: bool = True, check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:  # fmt: skip
    """AssertionError unless |actual - expected| <= atol + rtol * |expected| everywhere.

    Tensors must agree in shape, dtype, device and layout, too; sequences and mappings are compared
    item by item. `msg` is the error's text, or a function from the text to another.
    """
    __tracebackhide__ = True
    wrong = not_close_error_metas(
        actual, expected, pair_types=(NonePair, BooleanPair, NumberPair, TensorLikePair),
        allow_subclasses=allow_subclasses, rtol=rtol, atol=atol, equal_nan=equal_nan,
        check_device=check_device, check_dtype=check_dtype, check_layout=check_layout,
        check_stride=check_stride,
    )  # fmt: skip
    if wrong:
        raise wrong[0].to_error(msg)


def assert_allclose(
    actual: Any, expected: Any, rtol: float | None = None, atol: float | None = None,
    equal_nan: bool = True, msg: str = "",
) -> None:  # fmt: skip
    """Deprecated in PyTorch: assert_close without checks of dtypes, with looser tolerances."""
    warnings.warn(
        "`torch.testing.assert_allclose()` is deprecated since 1.12 and will be removed in a "
        "future release. Please use `torch.testing.assert_close()` instead. You can find detailed "
        "upgrade instructions in https://github.com/pytorch/pytorch/issues/61844.",
        FutureWarning, stacklevel=2,
    )  # fmt: skip
    if not isinstance(actual, Tensor):
        actual = ops.tensor(actual)
    if not isinstance(expected, Tensor):
        expected = ops.tensor(expected, dtype=actual.dtype)
    if rtol is None and atol is None:
        rtol, atol = default_tolerances(actual, expected, dtype_precisions=_PRECISIONS_ALLCLOSE)
    assert_close(actual, expected, rtol=rtol, atol=atol, equal_nan=equal_nan, check_dtype=False,
                 msg=msg or None)  # fmt: skip
