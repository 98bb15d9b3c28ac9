"""Linear maps and embeddings: linear, bilinear, embedding, embedding_bag, one_hot."""

from __future__ import annotations

import functools
import math
from typing import Any

import jax.numpy as jnp
from jax import lax

from ..core import dtypes
from ..core.dispatch import call, unseen
from ..core.dtypes import C_NAMES, FLOAT, SCALAR_NAMES, from_numpy
from ..core.mutate import overwrite
from ..core.op import TABLE, Array, Number, Optional, composite, op, publish
from ..core.tape import no_grad
from ..core.tensor import Tensor, to_host
from .demands import check_range
from .kinds import NUMERIC, refuse, scalar_name
from .linalg import squeezed
from .movement import unsafe_view
from .product_forms import turned_product
from .sparse_rows import rows_of

INDEX_TYPE = (
    "Expected tensor for argument #{} 'indices' to have one of the following scalar types: Long, "
    "Int; but got {} instead (while checking arguments for {})"
)


# ----- linear -----
def _check_product(x: Any, wt: Any, bias: Any) -> None:
    if x.shape[1] != wt.shape[0]:
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({x.shape[0]}x{x.shape[1]} and "
            f"{wt.shape[0]}x{wt.shape[1]})"
        )
    if x.dtype != wt.dtype:
        if bias is not None:
            raise RuntimeError(
                f"mat1 and mat2 must have the same dtype, but got {scalar_name(x)} and "
                f"{scalar_name(wt)}"
            )
        names = C_NAMES[from_numpy(x.dtype)], C_NAMES[from_numpy(wt.dtype)]
        raise RuntimeError(
            "expected m1 and m2 to have the same dtype, but got: {} != {}".format(*names)
        )
    refuse("addmm_impl_cpu_", x, NUMERIC)
    if bias is None:
        return
    if bias.dtype != wt.dtype:
        raise RuntimeError(
            f"self and mat2 must have the same dtype, but got {scalar_name(bias)} and "
            f"{scalar_name(wt)}"
        )
    if bias.shape not in ((), (1,), (wt.shape[1],)):
        raise RuntimeError(
            f"The expanded size of the tensor ({wt.shape[1]}) must match the existing size "
            f"({bias.shape[-1]}) at non-singleton dimension 1.  Target sizes: "
            f"{[x.shape[0], wt.shape[1]]}.  Tensor sizes: {list(bias.shape)}"
        )


def _product(a: Any, turned: Any, kind: Any) -> Any:
    """With one row XLA would copy the weight first: on CPU 10 to 27 times a vector's time."""
    if a.shape[0] == 1:
        return lax.dot(turned.T, a[0], preferred_element_type=kind)[None]
    return lax.dot(a, turned, preferred_element_type=kind)


@op(module=None, promote="none", name="linear_product", node="MmBackward0")
def _mm(input: Array, mat2: Array):
    _check_product(input, mat2, None)
    return _product(input, mat2, input.dtype)


@op(module=None, promote="none", name="linear_affine", node="AddmmBackward0")
def _addmm(bias: Array, mat1: Array, mat2: Array):
    _check_product(mat1, mat2, bias)
    if mat1.dtype.itemsize > 2:
        return _product(mat1, mat2, mat1.dtype) + bias
    wide = _product(mat1, mat2, jnp.float32)  # rounded once, as ATen
    return (wide + bias.astype(wide.dtype)).astype(mat1.dtype)


def _back(grad: Tensor, input: Tensor, turned: Tensor) -> tuple[Tensor, Tensor]:
    """The weight's gradient, made in the weight's own layout: the gradient of `t()` undoes `t`."""
    plain = input.conj() if input.is_complex() else input
    of_input = grad.mm(_adjoint(turned))
    if unseen((grad, plain)) and grad.dtype == plain.dtype:
        return of_input, call(_turned_mm, (grad, plain)).t()
    return of_input, grad.t().mm(plain).t()


@op(module=None, promote="none", name="turned_product")
def _turned_mm(input: Array, mat2: Array):
    """`input.t().mm(mat2)` where nobody can see the view."""
    return turned_product(input, mat2)


def _adjoint(x: Tensor) -> Tensor:
    return x.t().conj() if x.is_complex() else x.t()


@_mm.gradient
def _(grad, input, mat2):
    return _back(grad, input, mat2)


@_addmm.gradient
def _(grad, bias, mat1, mat2):
    return grad, *_back(grad, mat1, mat2)


@op(module=None, promote="none", name="linear", differentiable=False)
def _rows(input: Array, weight: Array, bias: Optional[Array]):
    """All of `linear` as one op, for where nobody can see the views between."""
    rows = input.reshape(math.prod(input.shape[:-1]), input.shape[-1])
    found = _mm.body(rows, weight.T) if bias is None else _addmm.body(bias, rows, weight.T)
    return found.reshape(*input.shape[:-1], weight.shape[0])


@composite(module="nn.functional")
def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x Aᵀ + b, leading dims flattened into one matrix product."""
    _check_linear(input, weight)
    ndim = input._aval.ndim
    if ndim > 1 and weight._aval.ndim == 2 and unseen((input, weight, bias)):
        if bias is None or input.is_contiguous():
            return call(_rows, (input, weight, bias))
    turned = weight.t()
    if ndim == 2 and weight._aval.ndim == 2:
        return call(_mm, (input, turned)) if bias is None else call(_addmm, (bias, input, turned))
    if ndim == 1 and bias is None and weight._aval.ndim == 2:
        return squeezed(call(_mm, (input.unsqueeze(0), turned)), 0)
    if weight._aval.ndim != 2:
        found = input.matmul(turned)
        return found if bias is None else found + bias
    lead = tuple(input.shape[:-1])
    rows = input.reshape(math.prod(lead), input.shape[-1])
    if bias is not None and input.is_contiguous():
        return call(_addmm, (bias, rows, turned)).view(*lead, weight.shape[0])
    found = unsafe_view(call(_mm, (rows, turned)), (*lead, weight.shape[0]))
    return found if bias is None else found + bias


def _check_linear(input: Any, weight: Any) -> None:
    for at, (name, x) in enumerate((("input", input), ("weight", weight)), 1):
        if not isinstance(x, Tensor):
            raise TypeError(
                f"linear(): argument '{name}' (position {at}) must be Tensor, not "
                f"{type(x).__name__}"
            )
    if input.ndim == 0 or weight.ndim == 0:
        raise RuntimeError(
            f"both arguments to linear need to be at least 1D, but they are {input.ndim}D and "
            f"{weight.ndim}D"
        )


@op(module=None, name="trilinear")
def _trilinear(input1: Array, weight: Array, input2: Array):
    # the pairs (i, j) first, then one product with the weight as a matrix
    size = weight.shape[1] * weight.shape[2]
    pairs = (input1[:, :, None] * input2[:, None, :]).reshape(input1.shape[0], size)
    return _product(pairs, weight.reshape(weight.shape[0], size).T, pairs.dtype)


@composite
def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Any = None) -> Tensor:
    """x1ᵀ A x2 + b."""
    _check_bilinear(input1, input2, weight, bias)
    _check_one_dtype(input1=input1, input2=input2, weight=weight, bias=bias)
    lead = tuple(input1.shape[:-1])
    rows = math.prod(lead)
    first, second = input1.reshape(rows, input1.shape[-1]), input2.reshape(rows, input2.shape[-1])
    found = call(_trilinear, (first, weight, second)).reshape(*lead, weight.shape[0])
    return found if bias is None else found + bias


def _check_one_dtype(**tensors: Tensor | None) -> None:
    given = {name: t.dtype for name, t in tensors.items() if t is not None}
    if len(set(given.values())) > 1:
        kinds = ", ".join(f"{name}: {C_NAMES[dtype]}" for name, dtype in given.items())
        raise RuntimeError(f"All tensors must have the same dtype, got {kinds}")


def _check_bilinear(a: Tensor, b: Tensor, w: Tensor, bias: Tensor | None) -> None:
    def fail(what: str, got: Any, other: Any, word: str = "but expected") -> RuntimeError:
        return RuntimeError(f"bilinear(): {what}: got {got} {word} {other}")

    if a.ndim != b.ndim:
        raise fail("input dimensions do not match", a.ndim, b.ndim, "and")
    for i in range(a.ndim - 1):
        if a.shape[i] != b.shape[i]:
            raise fail(
                f"input batch dimensions do not match at dim {i}", a.shape[i], b.shape[i], "and"
            )
    if a.shape[-1] != w.shape[1]:
        raise fail("input1 size does not match weight size", a.shape[-1], w.shape[1])
    if b.shape[-1] != w.shape[2]:
        raise fail("input2 size does not match weight size", b.shape[-1], w.shape[2])
    if bias is not None and bias.shape[0] != w.shape[0]:
        raise fail("bias size does not match weight size", bias.shape[0], w.shape[0])


publish("nn.functional", "bilinear", TABLE["torch", "bilinear"])


# ----- embedding -----
def _check_indices(name: str, indices: Any, place: int = 1) -> None:
    if not isinstance(indices, Tensor):
        raise TypeError(
            f"{name}(): argument 'indices' (position 2) must be Tensor, not "
            f"{type(indices).__name__}"
        )
    if indices.dtype.name not in ("int64", "int32"):
        kind = SCALAR_NAMES[indices.dtype]
        old = kind in ("Byte", "Char", "Short", "Half", "Float", "Double")
        kind = f"torch.{kind}Tensor" if old else f"CPU{kind}Type"
        raise RuntimeError(INDEX_TYPE.format(place, kind, name))


@op(module=None, promote="none", name="embedding")
def _embedding(weight: Array, indices: Array, padding_idx: int, scale_grad_by_freq: bool):
    if weight.ndim != 2:
        raise RuntimeError("'weight' must be 2-D")
    if not weight.shape[0]:
        return jnp.zeros((*indices.shape, weight.shape[1]), weight.dtype)
    dims = lax.GatherDimensionNumbers((indices.ndim,), (0,), (0,))
    at, size = indices[..., None], (1, weight.shape[1])
    return lax.gather(weight, at, dims, size, mode="promise_in_bounds")


@_embedding.gradient
def _(grad, weight, indices, padding_idx, scale_grad_by_freq):
    return call(
        _embedding_dense, (grad, indices), (weight.shape[0], padding_idx, scale_grad_by_freq)
    )


@op(module=None, promote="none", name="embedding_dense", node="EmbeddingDenseBackwardBackward0")
def _embedding_dense(grad: Array, indices: Array, rows: int, padding_idx: int, scale: bool):
    flat, at = grad.reshape(-1, grad.shape[-1]), indices.reshape(-1)
    if scale:
        flat = flat / _frequency(at, rows)[at][:, None].astype(grad.dtype)
    if padding_idx >= 0:
        flat = jnp.where((at == padding_idx)[:, None], jnp.zeros_like(flat), flat)
    dims = lax.ScatterDimensionNumbers((1,), (0,), (0,))
    zeros = jnp.zeros((rows, grad.shape[-1]), grad.dtype)
    return lax.scatter_add(zeros, at[:, None], flat, dims, mode="drop")


def _frequency(at: Any, rows: int) -> Any:
    return jnp.zeros(rows, jnp.int64).at[at].add(1, mode="drop")


def _bag_frequency(at: Any, rows: int) -> Any:
    """What PyTorch's bags divide by: the count of the index that, sorted, stands at a row's rank.

    Its CPU code takes the rank among the distinct indices for a place in the sorted ones.
    """
    count = _frequency(at, rows)
    if not at.size:
        return count
    rank = jnp.maximum(jnp.cumsum((count > 0).astype(jnp.int64)) - 1, 0)
    return count[jnp.sort(at)[rank]]


@composite(name="embedding", method=False)
def torch_embedding(
    weight: Tensor, indices: Tensor, padding_idx: int = -1, scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:  # fmt: skip
    """Rows of `weight`, whose gradient may be sparse."""
    if weight.ndim != 2:
        raise RuntimeError("'weight' must be 2-D")
    _check_indices("embedding", indices)
    check_range(indices, 0, weight.shape[0], lambda _: IndexError("index out of range in self"))
    statics = (padding_idx, scale_grad_by_freq)
    if sparse and weight.requires_grad:
        lookup = functools.partial(call, _embedding, (weight, indices), statics)
        return rows_of(weight, indices, *statics, lookup)
    return call(_embedding, (weight, indices), statics)


def _padding(padding_idx: int | None, weight: Tensor) -> int:
    if padding_idx is None:
        return -1
    count = weight.size(0)
    if not -count <= padding_idx < count:
        raise AssertionError("Padding_idx must be within num_embeddings")
    return padding_idx % count


@composite(module="nn.functional")
def embedding(
    input: Tensor, weight: Tensor, padding_idx: int | None = None, max_norm: float | None = None,
    norm_type: float = 2.0, scale_grad_by_freq: bool = False, sparse: bool = False,
) -> Tensor:  # fmt: skip
    """Rows of `weight`; with `max_norm` the rows used are first rescaled in place."""
    padding_idx = _padding(padding_idx, weight)
    if max_norm is not None:
        with no_grad():
            embedding_renorm_(weight, input, max_norm, norm_type)
    return torch_embedding(weight, input, padding_idx, scale_grad_by_freq, sparse)


@op(module=None, promote="none", differentiable=False)
def renormed(weight: Array, indices: Array, max_norm: Number, norm_type: float):
    used = jnp.zeros(weight.shape[0], bool).at[indices.reshape(-1)].set(True, mode="drop")
    norm = jnp.linalg.norm(weight, norm_type, 1)
    most = max_norm.astype(weight.dtype)
    scale = jnp.where(used & (norm > most), most / (norm + 1e-7), jnp.ones_like(norm))
    return weight * scale.astype(weight.dtype)[:, None]


@composite(method=False)
def embedding_renorm_(
    weight: Tensor, indices: Tensor, max_norm: float, norm_type: float
) -> Tensor:
    """Rescale in place the rows used whose norm exceeds `max_norm`."""
    _check_indices("embedding_renorm_", indices, 2)
    if weight.ndim != 2:
        raise RuntimeError(
            f"Expected 2-dimensional tensor, but got {weight.ndim}-dimensional tensor for argument "
            "#1 'self' (while checking arguments for embedding_renorm_)"
        )
    if weight.dtype.category < FLOAT:
        raise RuntimeError(
            "norm(): input dtype should be either floating point or complex. Got "
            f"{SCALAR_NAMES[weight.dtype]} instead."
        )
    size = list(weight.shape)
    check_range(
        indices, 0, size[0],
        lambda bad: IndexError(
            f"select(): index {bad} out of range for tensor of size {size} at dimension 0"
        ),
    )  # fmt: skip
    return overwrite(weight, call(renormed, (weight, indices, max_norm), (norm_type,)))


# ----- one-hot -----
@op(module=None, promote="none", differentiable=False)
def one_hot_of(input: Array, classes: int):
    return (input[..., None] == jnp.arange(classes)).astype(jnp.int64)


@composite(module="nn.functional", name="one_hot")
def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """A new last dim, 1 at the class; without `num_classes` the values are read."""
    if tensor.dtype is not dtypes.int64:
        raise RuntimeError("one_hot is only applicable to index tensor of type LongTensor.")
    if tensor.numel() == 0:
        if num_classes <= 0:
            raise RuntimeError("Can not infer total number of classes from empty tensor.")
        return call(one_hot_of, (tensor,), (num_classes,))
    if num_classes == -1:
        check_range(tensor, 0, 1 << 62, _negative_class)
        if tensor.device.type == "meta":
            tensor.min().item()  # says that there is none
        num_classes = int(to_host(tensor).max()) + 1
    check_range(tensor, 0, num_classes, _bad_class)
    return call(one_hot_of, (tensor,), (num_classes,))


def _negative_class(bad: int) -> RuntimeError:
    return RuntimeError("Class values must be non-negative.")


def _bad_class(bad: int) -> RuntimeError:
    if bad < 0:
        return _negative_class(bad)
    return RuntimeError("Class values must be smaller than num_classes.")
