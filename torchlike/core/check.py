"""Errors with PyTorch's types and texts, and the checks of dims, sizes and shapes."""

from __future__ import annotations

import functools
import sys
import warnings
from collections.abc import Sequence
from typing import Any

FREED_HOOKS = (
    "Calling register_hooks on a saved tensor after it has been freed. Saved intermediate values "
    "of the graph are freed when you call .backward() or autograd.grad(). Specify "
    "retain_graph=True if you need to backward through the graph a second time or if you need to "
    "access saved variables after calling backward."
)
DETACHED_SAVED = (
    "Trying to use a saved tensor that has been detached in-place, i.e. with .detach_().This is "
    "not supported, please use out-of-place `.detach()` instead"
)
BACKWARD_TWICE = (
    "Trying to backward through the graph a second time (or directly access saved tensors after "
    "they have already been freed). Saved intermediate values of the graph are freed when you "
    "call .backward() or autograd.grad(). Specify retain_graph=True if you need to backward "
    "through the graph a second time or if you need to access saved tensors after calling "
    "backward."
)
LEAF_INPLACE = "a leaf Variable that requires grad is being used in an in-place operation."
LEAF_VIEW_INPLACE = (
    "a view of a leaf Variable that requires grad is being used in an in-place operation."
)
NON_LEAF_FLAG = "you can only change requires_grad flags of leaf variables."
NON_LEAF_FLAG_OFF = (
    NON_LEAF_FLAG + " If you want to use a computed variable in a subgraph that doesn't require "
    "differentiation use var_no_grad = var.detach()."
)
FLOAT_GRAD_ONLY = "Only Tensors of floating point and complex dtype can require gradients"
NON_LEAF_GRAD = (
    "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad "
    "attribute won't be populated during autograd.backward(). If you indeed want the .grad field "
    "to be populated for a non-leaf Tensor, use .retain_grad() on the non-leaf Tensor. If you "
    "access the non-leaf Tensor by mistake, make sure you access the leaf Tensor instead. See "
    "github.com/pytorch/pytorch/pull/30531 for more information. (Triggered internally at "
    "/pytorch/build/aten/src/ATen/core/TensorBody.h:500.)"
)
INFERENCE_SAVED = (
    "Inference tensors cannot be saved for backward. Please do not use Tensors created in "
    "inference mode in computation tracked by autograd. To work around this, you can make a clone "
    "to get a normal tensor and use it in autograd, or use `torch.no_grad()` instead of "
    "`torch.inference_mode()`."
)
OVERLAP_WRITE = (
    "unsupported operation: more than one element of the written-to tensor refers to a single "
    "memory location. Please clone() the tensor before performing the operation."
)
OVERLAP_OUT = (
    "unsupported operation: some elements of the input tensor and the written-to tensor refer to a "
    "single memory location. Please clone() the tensor before performing the operation."
)
BOOL_AMBIGUOUS = "Boolean value of Tensor with more than one value is ambiguous"
BOOL_EMPTY = "Boolean value of Tensor with no values is ambiguous"


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """A warning that points at the first frame outside the package, however deep this one is."""
    frame, level = sys._getframe(1), 3
    while frame.f_back is not None and _is_inside(frame.f_back.f_globals.get("__name__", "")):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


warn_once = functools.cache(warn)


def _is_inside(module: str) -> bool:
    return module == "torch" or module.startswith(_PACKAGE)  # compiled functions say "torch"


_PACKAGE = __name__.partition(".")[0] + "."


def check_dim(dim: int, ndim: int) -> int:
    """`dim` counted from the front; IndexError (PyTorch's text) when out of range."""
    if dim.__class__ is not int:
        dim = as_int(dim)
    low, high = -max(ndim, 1), max(ndim, 1) - 1
    if not low <= dim <= high:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{low}, {high}], but got {dim})"
        )
    return dim % max(ndim, 1)


def as_int(x: Any) -> int:
    """An integer, of whatever class; TypeError for booleans, fractions and None."""
    if isinstance(x, bool) or not hasattr(x, "__index__"):
        raise TypeError(f"must be int, not {type(x).__name__}")
    return x.__index__()


def check_dims(dims: Sequence[int], ndim: int) -> tuple[int, ...]:
    """Several dims counted from the front; RuntimeError when one appears twice."""
    found = tuple(check_dim(d, ndim) for d in dims)
    for i, d in enumerate(found):
        if d in found[:i]:
            raise RuntimeError(f"dim {d} appears multiple times in the list of dims")
    return found


def broadcast_shapes(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The common shape by broadcasting; RuntimeError (PyTorch's text) when there is none."""
    first, *rest = shapes
    for other in rest:
        if other != first:
            first = _broadcast_two(first, other)
    return first


def _broadcast_two(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    ndim = max(len(a), len(b))
    wide_a, wide_b = (1,) * (ndim - len(a)) + a, (1,) * (ndim - len(b)) + b
    out = list(wide_a)
    for i in range(ndim - 1, -1, -1):
        x, y = wide_a[i], wide_b[i]
        if x == 1:
            out[i] = y
        elif y != 1 and x != y:
            raise RuntimeError(
                f"The size of tensor a ({x}) must match the size of tensor b ({y}) at "
                f"non-singleton dimension {i}"
            )
    return tuple(out)


def infer_size(size: Sequence[int], count: int) -> tuple[int, ...]:
    """`size` with its -1 filled in for `count` elements; RuntimeError if it can't be."""
    known, hole = 1, None
    for i, n in enumerate(size):
        if n == -1:
            if hole is not None:
                raise RuntimeError("only one dimension can be inferred")
            hole = i
        elif n < 0:
            raise RuntimeError(f"invalid shape dimension {n} at index {i} of shape {list(size)}")
        else:
            known *= n
    fits = count == known if hole is None else (known != 0 and count % known == 0)
    if hole is not None and known == 0 and count == 0:
        raise RuntimeError(
            f"cannot reshape tensor of 0 elements into shape {list(size)} because the unspecified "
            "dimension size -1 can be any value and is ambiguous"
        )
    if not fits:
        raise RuntimeError(f"shape '{list(size)}' is invalid for input of size {count}")
    return tuple(count // known if i == hole else n for i, n in enumerate(size))


def sizes_of(
    given: Sequence[Any], function: str, argument: str = "size", position: int = 1
) -> tuple[int, ...]:
    """`f(2, 3)`, `f((2, 3))` and `f(torch.Size(…))` alike, as a tuple of ints."""
    if not given:
        raise TypeError(f'{function}() missing 1 required positional arguments: "{argument}"')
    first = given[0]
    packed = len(given) == 1 and isinstance(first, (tuple, list))
    if packed:
        given = first  # type: ignore[assignment]
    elif given and not _is_int(first):
        if len(given) > 1:
            raise TypeError(f"{function}() takes 1 positional argument but {len(given)} were given")
        raise TypeError(
            f"{function}(): argument '{argument}' (position {position}) must be tuple of ints, "
            f"not {type(first).__name__}"
        )
    if all([n.__class__ is int for n in given]):
        return tuple(given)
    for i, n in enumerate(given):
        if not (_is_int(n) or (i and isinstance(n, bool))):
            raise TypeError(_size_text(function, argument, i, n))
    return tuple([n.__index__() for n in given])


def _is_int(n: Any) -> bool:
    return hasattr(n, "__index__") and not isinstance(n, bool)


def _size_text(function: str, argument: str, at: int, found: Any) -> str:
    kind = type(found).__name__
    if at == 0:
        return (
            f"{function}(): argument '{argument}' (position 1) must be tuple of ints, but found "
            f"element of type {kind} at pos 0"
        )
    return (
        f"{function}(): argument '{argument}' failed to unpack the object at pos {at + 1} with "
        f'error "type must be tuple of ints,but got {kind}"'
    )


def invalid_call(
    function: str,
    args: Sequence[Any],
    named: dict[str, Any] | None = None,
    forms: Sequence[str] = (),
) -> TypeError:
    """PyTorch's error for arguments that fit none of a function's overloads."""
    got = ", ".join(spelt(a) for a in args)
    if named:
        pairs = ", ".join(f"{name}={spelt(value)}" for name, value in named.items())
        got = f"{got}, {pairs}" if args else f"{pairs}, "
    lines = "".join(f" * ({form})\n" for form in forms)
    return TypeError(
        f"{function}() received an invalid combination of arguments - got ({got}), but expected "
        f"one of:\n{lines}"
    )


def spelt(x: Any) -> str:
    """The name of a value's class as PyTorch spells it: classes written in C with their module."""
    kind = type(x)
    if kind.__name__ in _TORCH_CLASSES:
        return f"{kind.__module__}.{kind.__name__}"
    if kind.__flags__ & _WRITTEN_IN_PYTHON or kind.__module__ == "builtins":
        return kind.__name__
    return f"{kind.__module__}.{kind.__name__}"


_WRITTEN_IN_PYTHON = 1 << 9  # Py_TPFLAGS_HEAPTYPE
_TORCH_CLASSES = ("dtype", "device", "layout", "memory_format", "Generator", "Size")


def unsupported(function: str, argument: str, value: Any) -> NotImplementedError:
    """The one error for an argument PyTorch has and torchlike does not."""
    return NotImplementedError(f"{function}: {argument}={value!r} is not supported")


def no_dynamic_shape(name: str) -> str:
    """PyTorch's message where `vmap` meets an op whose result's shape depends on the elements."""
    return (
        "vmap: We do not support batching operators that can output dynamic shape. Attempted to "
        f"vmap over aten::{name}. Please file an issue at "
        "https://github.com/pytorch/pytorch/issues if you need this feature."
    )


def no_meta_kernel(name: str) -> str:
    """PyTorch's message where a meta tensor meets an op whose result depends on the elements."""
    if name == "nonzero":
        return (
            "The register_meta function for torch.nonzero() raises unimplemented by default, as a "
            "correct data-independent implementation does not exist. This implementation returns a "
            "fake value, assuming all elements of the tensor are non-zero. To enable this "
            "registration, please set 'torch.fx.experimental._config.meta_nonzero_assume_all_"
            "nonzero' to True."
        )
    return (
        f"aten::{name}: attempted to run this operator with Meta tensors, but there was no fake "
        "impl or Meta kernel registered. You may have run into this message while using an "
        "operator with PT2 compilation APIs (torch.compile/torch.export); in order to use this "
        "operator with those APIs you'll need to add a fake impl. Please see the following for "
        "next steps:  https://pytorch.org/tutorials/advanced/custom_ops_landing_page.html"
    )
