"""PyTorch's dtypes, their NumPy counterparts and the promotion lattice."""

from __future__ import annotations

import builtins
from functools import cache
from math import isfinite
from typing import Any
from weakref import WeakValueDictionary

import ml_dtypes
import numpy as np

BOOL, INTEGER, FLOAT, COMPLEX = range(4)  # promotion categories, in rising order


class dtype:
    """A PyTorch dtype: one object per type, compared by identity."""

    __slots__ = ("name", "np", "category", "itemsize", "legacy", "_signed")
    __module__ = "torch"

    name: str
    np: np.dtype[Any] | None
    category: Any
    itemsize: Any
    legacy: str
    _signed: bool

    def __repr__(self) -> str:
        return "torch." + self.name

    def __reduce__(self) -> tuple[Any, ...]:
        return (_named, (self.name,))  # plain pickle needs no module called torch

    @property
    def is_floating_point(self) -> bool:
        return self.category == FLOAT

    @property
    def is_complex(self) -> bool:
        return self.category == COMPLEX

    @property
    def is_signed(self) -> bool:
        return self._signed

    def to_real(self) -> dtype:
        return _TO_REAL.get(self, self)

    def to_complex(self) -> dtype:
        return _TO_COMPLEX.get(self, complex64)


_BY_NUMPY: dict[Any, dtype] = {}
ALL: list[dtype] = []


def _named(name: str) -> dtype:
    return next(kind for kind in ALL if kind.name == name)


def _make(name: str, scalar: Any, category: Any, legacy: str = "", itemsize: Any = 0) -> dtype:
    made = dtype()
    made.name, made.category, made.legacy = name, category, legacy
    made.np = None if scalar is None else np.dtype(scalar)
    made.itemsize = itemsize if made.np is None else made.np.itemsize
    made._signed = not name.startswith("uint") and name != "bool"
    if made.np is not None:
        _BY_NUMPY[made.np] = made
    ALL.append(made)
    return made


bool_ = _make("bool", np.bool_, BOOL, "BoolTensor")
uint8 = _make("uint8", np.uint8, INTEGER, "ByteTensor")
int8 = _make("int8", np.int8, INTEGER, "CharTensor")
int16 = short = _make("int16", np.int16, INTEGER, "ShortTensor")
int32 = int = _make("int32", np.int32, INTEGER, "IntTensor")
int64 = long = _make("int64", np.int64, INTEGER, "LongTensor")
uint16 = _make("uint16", np.uint16, INTEGER, "UInt16Tensor")
uint32 = _make("uint32", np.uint32, INTEGER, "UInt32Tensor")
uint64 = _make("uint64", np.uint64, INTEGER, "UInt64Tensor")
float16 = half = _make("float16", np.float16, FLOAT, "HalfTensor")
bfloat16 = _make("bfloat16", ml_dtypes.bfloat16, FLOAT, "BFloat16Tensor")
float32 = float = _make("float32", np.float32, FLOAT, "FloatTensor")
float64 = double = _make("float64", np.float64, FLOAT, "DoubleTensor")
float8_e4m3fn = _make("float8_e4m3fn", ml_dtypes.float8_e4m3fn, FLOAT, "Float8_e4m3fnTensor")
float8_e5m2 = _make("float8_e5m2", ml_dtypes.float8_e5m2, FLOAT, "Float8_e5m2Tensor")
float8_e4m3fnuz = _make("float8_e4m3fnuz", ml_dtypes.float8_e4m3fnuz, FLOAT)
float8_e5m2fnuz = _make("float8_e5m2fnuz", ml_dtypes.float8_e5m2fnuz, FLOAT)
float8_e8m0fnu = _make("float8_e8m0fnu", ml_dtypes.float8_e8m0fnu, FLOAT)
complex32 = chalf = _make("complex32", None, COMPLEX, "ComplexHalfTensor", 4)
complex64 = cfloat = _make("complex64", np.complex64, COMPLEX, "ComplexFloatTensor")
complex128 = cdouble = _make("complex128", np.complex128, COMPLEX, "ComplexDoubleTensor")

PUBLIC = {d.name: d for d in ALL} | {
    "short": int16, "int": int32, "long": int64, "half": float16, "float": float32,
    "double": float64, "chalf": complex32, "cfloat": complex64, "cdouble": complex128,
}  # fmt: skip
_TO_REAL = {complex32: float16, complex64: float32, complex128: float64}
_TO_COMPLEX = {float16: complex32, float32: complex64, float64: complex128} | {
    c: c for c in _TO_REAL
}
SCALAR_NAMES = {
    bool_: "Bool", uint8: "Byte", int8: "Char", int16: "Short", int32: "Int", int64: "Long",
    uint16: "UInt16", uint32: "UInt32", uint64: "UInt64", float16: "Half", bfloat16: "BFloat16",
    float32: "Float", float64: "Double", complex32: "ComplexHalf", complex64: "ComplexFloat",
    complex128: "ComplexDouble", float8_e4m3fn: "Float8_e4m3fn", float8_e5m2: "Float8_e5m2",
}  # fmt: skip
C_NAMES = {
    bool_: "bool", uint8: "unsigned char", int8: "signed char", int16: "short int", int32: "int",
    int64: "long int", float16: "c10::Half", bfloat16: "c10::BFloat16", float32: "float",
    float64: "double", complex64: "c10::complex<float>", complex128: "c10::complex<double>",
}  # fmt: skip


def to_numpy(of: dtype) -> np.dtype[Any]:
    """The NumPy dtype of a PyTorch dtype."""
    if of.np is None:
        raise NotImplementedError(f"{of} is not supported: neither NumPy nor JAX has it")
    return of.np


def from_numpy(of: Any) -> dtype:
    """The PyTorch dtype of a NumPy dtype; TypeError (PyTorch's text) if there is none."""
    found = _BY_NUMPY.get(np.dtype(of).newbyteorder("="))
    if found is None:
        raise TypeError(
            f"can't convert np.ndarray of type {np.dtype(of).type.__module__}."
            f"{np.dtype(of).type.__name__}. The only supported types are: float64, float32, "
            "float16, complex64, complex128, int64, int32, int16, int8, uint64, uint32, uint16, "
            "uint8, and bool."
        )
    return found


# ----- the default dtype -----
_default = float32


def get_default_dtype() -> dtype:
    """The dtype of a tensor made from Python floats."""
    return _default


def set_default_dtype(d: dtype) -> None:
    """Set the dtype of tensors made from Python floats: a floating point dtype."""
    global _default
    if not isinstance(d, dtype):
        raise TypeError(
            "invalid dtype object: only floating-point types are supported as the default type"
        )
    if not d.is_floating_point:
        raise TypeError("only floating-point types are supported as the default type")
    _default = d
    for held in list(_CACHES.values()):
        held.clear()


class Recent(dict[Any, Any]):
    """A cache that forgets its older half when it is full, and all when the default dtype changes.

    For what can be made again: a loop whose shapes never repeat must not fill the memory.
    """

    def __init__(self, limit: builtins.int) -> None:
        super().__init__()
        self.limit = limit
        _CACHES[id(self)] = self

    def __setitem__(self, key: Any, value: Any) -> None:
        if len(self) >= self.limit:
            for old in list(self)[: self.limit // 2]:
                self.pop(old, None)  # another thread may have been here
        super().__setitem__(key, value)


_CACHES: WeakValueDictionary[builtins.int, Recent] = WeakValueDictionary()


# ----- promotion -----
_SIGNED = [int8, int16, int32, int64]


@cache
def promote_types(type1: dtype, type2: dtype) -> dtype:
    """The smallest dtype both convert to, by PyTorch's lattice."""
    for i, given in enumerate((type1, type2), 1):
        if not isinstance(given, dtype):
            raise TypeError(
                f"promote_types(): argument 'type{i}' (position {i}) must be torch.dtype, not "
                f"{type(given).__name__}"
            )
    a, b = (type1, type2) if type1.category <= type2.category else (type2, type1)
    if a is b:
        return a
    if a.category < b.category:
        return _across(a, b)
    if a.category == INTEGER:
        return _integers(a, b)
    if a.category == FLOAT:
        return _floats(a, b)
    return complex128 if complex128 in (a, b) else complex64


def _across(low: dtype, high: dtype) -> dtype:
    if high.category == COMPLEX and low.category == FLOAT:
        of_low = complex64 if low is bfloat16 else low.to_complex()
        return high if of_low is high else promote_types(of_low, high)
    return high


def _integers(a: dtype, b: dtype) -> dtype:
    for wide in (uint16, uint32, uint64):
        if wide in (a, b):
            first, second = SCALAR_NAMES[a], SCALAR_NAMES[b]
            raise RuntimeError(
                "Promotion for uint16, uint32, uint64 types is not supported, attempted to "
                f"promote {first} and {second}"
            )
    if uint8 in (a, b):
        other = b if a is uint8 else a
        return int16 if other is int8 else other
    return _SIGNED[max(_SIGNED.index(a), _SIGNED.index(b))]


def _floats(a: dtype, b: dtype) -> dtype:
    if a.itemsize == 1 or b.itemsize == 1:
        raise RuntimeError(
            f"Promotion for Float8 Types is not supported, attempted to promote "
            f"{SCALAR_NAMES.get(a, a.name)} and {SCALAR_NAMES.get(b, b.name)}"
        )
    if {a, b} == {float16, bfloat16}:
        return float32
    return a if a.itemsize >= b.itemsize else b


def of_number(kind: type) -> dtype:
    """The dtype a Python number of this class has in promotion."""
    if issubclass(kind, (bool, np.bool_)):
        return bool_
    if issubclass(kind, (PyInt, np.integer)):
        return int64
    if issubclass(kind, (PyFloat, np.floating)):
        return _default
    if issubclass(kind, (complex, np.complexfloating)):
        return _default.to_complex()
    raise TypeError(kind)


# the module's `int` and `float` are PyTorch's
PyInt, PyFloat = builtins.int, builtins.float


def combine(tensors: list[dtype], zero_dims: list[dtype], numbers: list[dtype]) -> dtype:
    """The result dtype of operands in PyTorch's three classes: tensors, 0-dim tensors, numbers.

    A lower class takes part only when its category (bool < int < float < complex) is higher.
    """
    result: dtype | None = None
    for group in (tensors, zero_dims, numbers):
        if not group:
            continue
        own = group[0]
        for other in group[1:]:
            own = promote_types(own, other)
        if result is None:
            result = own
        elif own.category > result.category:
            # Of a lower class only the category counts: float32 and a 0-d complex128 are complex64.
            lends = result.category == FLOAT and own.category == COMPLEX
            wide = complex128 if result is float64 else complex64  # of float16 too: no complex32
            result = wide if lends else promote_types(result, own)
    if result is None:
        raise RuntimeError("no operands")
    return result


def can_cast(from_: dtype, to: dtype) -> bool:
    """Whether PyTorch's casting rules allow `from_` to be written into `to`."""
    if from_.category > to.category:
        return False
    return True


# ----- limits -----
_SPELT = {  # as C++ spells them in messages about a single number
    bool_: "bool", uint8: "uint8_t", int8: "int8_t", int16: "int16_t", int32: "int",
    int64: "int64_t", uint16: "uint16_t", uint32: "uint32_t", uint64: "uint64_t",
    float16: "c10::Half", bfloat16: "c10::BFloat16", float32: "float", float64: "double",
    complex64: "c10::complex<float>", complex128: "c10::complex<double>",
}  # fmt: skip


def check_number(number: Any, kind: dtype, name: str | None = None) -> None:
    """RuntimeError (PyTorch's text) when a Python number does not fit into a dtype."""
    if isinstance(number, builtins.int) and not -(1 << 63) <= number < 1 << 64:
        raise OverflowError("int too big to convert")
    if kind.category in (BOOL, COMPLEX) or kind not in _SPELT:
        return
    if isinstance(number, (complex, np.complexfloating)):
        fits = number.imag == 0 and _fits(number.real, kind)
    else:
        fits = _fits(number, kind)
    if not fits:
        raise RuntimeError(
            f"value cannot be converted to type {name or _SPELT[kind]} without overflow"
        )


def _fits(number: Any, kind: dtype) -> bool:
    if kind.category == FLOAT:
        return not isfinite(number) or abs(number) <= _bounds(kind)[1]
    low, high = _bounds(kind)
    if not kind.is_signed and number < 0:
        return -number <= high  # C++ lets negative numbers wrap
    return bool(low <= number <= high)


@cache
def _bounds(kind: dtype) -> tuple[Any, Any]:
    made = finfo(kind) if kind.category == FLOAT else iinfo(kind)
    return made.min, made.max


def _of_limits(name: str, given: Any) -> dtype:
    """A dtype, also as Python's class for it; TypeError for anything else."""
    kinds = {builtins.float: float64, builtins.int: int64, builtins.complex: complex128}
    found = kinds.get(given, given) if isinstance(given, type) else given
    if not isinstance(found, dtype):
        kind = given.__class__.__name__
        raise TypeError(f"{name}(): argument 'type' (position 1) must be torch.dtype, not {kind}")
    return found


class finfo:
    """Limits of a floating point dtype: bits, eps, max, min, tiny, smallest_normal, resolution."""

    __module__ = "torch"
    eps: Any
    max: Any
    min: Any
    tiny: Any
    smallest_normal: Any
    resolution: Any

    def __init__(self, type: Any = ...) -> None:
        type = _default if type is ... else _of_limits("finfo", type)
        if not (type.is_floating_point or type.is_complex):
            raise TypeError(
                "torch.finfo() requires a floating point input type. Use torch.iinfo to handle "
                "'torch.finfo'"
            )
        real = type.to_real()
        info = ml_dtypes.finfo(to_numpy(real))
        self.bits, self.dtype = info.bits, real.name
        for name in ("eps", "max", "min", "tiny", "smallest_normal", "resolution"):
            setattr(self, name, PyFloat(getattr(info, name)))

    def __repr__(self) -> str:
        names = ("resolution", "min", "max", "eps", "smallest_normal", "tiny")
        body = ", ".join(f"{n}={getattr(self, n):.6g}" for n in names)
        return f"finfo({body}, dtype={self.dtype})"


class iinfo:
    """Limits of an integer dtype: bits, max, min."""

    __module__ = "torch"

    def __init__(self, type: dtype) -> None:
        type = _of_limits("iinfo", type)
        if type.category != INTEGER:
            raise TypeError(
                "torch.iinfo() requires an integer input type. Use torch.finfo to handle "
                "'torch.iinfo'"
            )
        info = np.iinfo(to_numpy(type))
        self.bits, self.dtype = info.bits, type.name
        self.max, self.min = PyInt(info.max), PyInt(info.min)

    def __repr__(self) -> str:
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"
