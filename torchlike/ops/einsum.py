"""einsum, tensordot, inner, multi_dot: contractions reduced to matrix products."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp

from ..core.check import warn_once
from ..core.mutate import write_out
from ..core.op import Arrays, composite, op
from ..core.tensor import Tensor
from ..core.wrong_call import demand
from .kinds import scalar_name
from .linalg import mm, product

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


# ----- reading the equation -----
def _labels(text: str, operand: int | None) -> list[str]:
    """Letters and at most one `...`, of one operand or of the output."""
    found, i, text_ = [], 0, text
    while i < len(text_):
        if text_[i] == " ":
            i += 1
        elif text_.startswith("...", i):
            if "..." in found:
                where = "the output" if operand is None else f"operand {operand}"
                raise RuntimeError(
                    f"einsum(): found '.' for {where} for which an ellipsis was already found"
                )
            found.append("...")
            i += 3
        elif text_[i] in LETTERS:
            found.append(text_[i])
            i += 1
        elif text_[i] == ".":
            where = "the output" if operand is None else f"operand {operand}"
            raise RuntimeError(
                f"einsum(): found '.' for {where} that is not part of any ellipsis"
            )
        else:
            raise RuntimeError(
                f"einsum(): invalid subscript given at index {i} in the equation string, "
                "subscripts must be in [a-zA-Z]"
            )
    return found


def _check_counts(terms: list[list[str]], shapes: list[tuple[int, ...]]) -> None:
    if len(terms) != len(shapes):
        more = "more operands were provided than specified in the equation"
        fewer = "fewer operands were provided than specified in the equation"
        raise RuntimeError(f"einsum(): {more if len(shapes) > len(terms) else fewer}")
    for i, (term, shape) in enumerate(zip(terms, shapes, strict=True)):
        named = len(term) - ("..." in term)
        if "..." in term and named > len(shape):
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({named}) is more than the "
                f"number of dimensions ({len(shape)}) for operand {i}"
            )
        if "..." not in term and named != len(shape):
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({named}) does not match "
                f"the number of dimensions ({len(shape)}) for operand {i} and no ellipsis was given"
            )


def _check_sizes(terms: list[list[Any]], shapes: list[tuple[int, ...]]) -> None:
    sizes: dict[Any, int] = {}
    for i, (term, shape) in enumerate(zip(terms, shapes, strict=True)):
        for label, n in zip(term, shape, strict=True):
            if n != 1 and sizes.setdefault(label, n) != n:
                raise RuntimeError(
                    f"einsum(): subscript {label} has size {n} for operand {i} which does not "
                    f"broadcast with previously seen size {sizes[label]}"
                )


def parse(equation: str, shapes: list[tuple[int, ...]]) -> tuple[list[list[Any]], list[Any]]:
    """Labels of each operand and of the output; an ellipsis's dims are numbered from its end."""
    left, arrow, right = equation.partition("->")
    terms = [_labels(t, i) for i, t in enumerate(left.split(","))]
    _check_counts(terms, shapes)
    spans = [len(s) - len(t) + 1 if "..." in t else 0 for t, s in zip(terms, shapes, strict=True)]
    inputs = [_expand(t, span) for t, span in zip(terms, spans, strict=True)]
    _check_sizes(inputs, shapes)
    if arrow:
        return inputs, _output(_labels(right, None), inputs, max(spans))
    flat = [label for t in inputs for label in t]
    letters = sorted({x for x in flat if isinstance(x, str) and flat.count(x) == 1})
    return inputs, [*range(-max(spans), 0), *letters]


def _expand(term: list[str], span: int) -> list[Any]:
    found: list[Any] = []
    for label in term:
        found += range(-span, 0) if label == "..." else [label]
    return found


def _output(term: list[str], inputs: list[list[Any]], span: int) -> list[Any]:
    found = _expand(term, span)
    for label in found:
        if found.count(label) > 1:
            raise RuntimeError(
                f"einsum(): output subscript {label} appears more than once in the output"
            )
        if not any(label in t for t in inputs):
            raise RuntimeError(
                f"einsum(): output subscript {label} does not appear in the equation for any "
                "input operand"
            )
    return found


# ----- contracting -----
def _diagonals(x: Any, labels: list[Any]) -> tuple[Any, list[Any]]:
    """Repeated labels become one dim: their diagonal."""
    labels = list(labels)
    for label in dict.fromkeys(labels):
        while labels.count(label) > 1:
            i = labels.index(label)
            j = labels.index(label, i + 1)
            x = jnp.diagonal(x, axis1=i, axis2=j)
            labels = [v for k, v in enumerate(labels) if k not in (i, j)] + [label]
    return x, labels


def _sum_out(x: Any, labels: list[Any], keep: set[Any]) -> tuple[Any, list[Any]]:
    gone = tuple(i for i, label in enumerate(labels) if label not in keep)
    return (x.sum(gone, dtype=x.dtype) if gone else x), [v for v in labels if v in keep]


def _pair(a: Any, la: list[Any], b: Any, lb: list[Any], keep: set[Any]) -> tuple[Any, list[Any]]:
    """Contract two operands; only labels in `keep` survive. One 2-D or batched product."""
    size = dict(zip(lb, b.shape, strict=True)) | {
        k: n for k, n in zip(la, a.shape, strict=True) if n != 1 or k not in lb
    }
    a, la = _drop_ones(a, la, size, lb)
    b, lb = _drop_ones(b, lb, size, la)
    a, la = _sum_out(a, la, keep | set(lb))
    b, lb = _sum_out(b, lb, keep | set(la))
    batch = [k for k in la if k in lb and k in keep]
    inner = [k for k in la if k in lb and k not in keep]
    rows, cols = [k for k in la if k not in lb], [k for k in lb if k not in la]

    def arranged(x: Any, labels: list[Any], *groups: list[Any]) -> Any:
        order = [labels.index(k) for group in groups for k in group]
        counts = [math.prod(size[k] for k in group) for group in groups]
        return x.transpose(order).reshape(counts)

    left, right = arranged(a, la, batch, rows, inner), arranged(b, lb, batch, inner, cols)
    found = product(left[0], right[0]) if not batch else product(left, right)
    labels = [*batch, *rows, *cols]
    return found.reshape([size[k] for k in labels]), labels


def _drop_ones(x: Any, labels: list[Any], size: dict[Any, int], other: list[Any]) -> Any:
    """A dim of size 1 that broadcasts against the other operand is as good as absent."""
    gone = [i for i, k in enumerate(labels) if k in other and x.shape[i] == 1 and size[k] != 1]
    return jnp.squeeze(x, gone), [k for i, k in enumerate(labels) if i not in gone]


def _node(statics: dict[str, Any]) -> str:
    """The node PyTorch's einsum ends in: a product's view, or a plain product."""
    left, arrow, right = statics["equation"].partition("->")
    terms = [set(t) - set(" .") for t in left.split(",")]
    summed = set.union(*terms) - set(right) if arrow else set.intersection(*terms)
    return "ViewBackward0" if summed else "MulBackward0"


def _seen_whole(call: Any) -> tuple[int, ...]:
    """The shape that PyTorch's einsum views last: summed labels have size 1."""
    shapes = call.shapes("operands")
    inputs, output = parse(call.equation, shapes)
    size = {k: n for labels, s in zip(inputs, shapes, strict=True)
            for k, n in zip(labels, s, strict=True) if n != 1}  # fmt: skip
    summed = set().union(*inputs) - set(output)
    return tuple(size.get(k, 1) for k in output) + (1,) * len(summed)


@op(
    promote="none", module=None, name="einsum", node=_node, shows={"self_sym_sizes": _seen_whole}
)  # fmt: skip
def contract(operands: Arrays, equation: str, path: object = None):
    for x in operands[1:]:
        if x.dtype != operands[0].dtype:
            names = scalar_name(operands[0]), scalar_name(x)
            raise RuntimeError("expected scalar type {} but found {}".format(*names))
    inputs, output = parse(equation, [x.shape for x in operands])
    work = [_diagonals(x, labels) for x, labels in zip(operands, inputs, strict=True)]
    for at in _steps(path, len(work)):
        parts = [work.pop(i) for i in sorted(at, reverse=True)][::-1]
        keep = set(output).union(*[labels for _, labels in work]) if work else set(output)
        while len(parts) > 1:
            (a, la), (b, lb), *rest = parts
            later = keep.union(*[labels for _, labels in rest]) if rest else keep
            parts = [_pair(a, la, b, lb, later), *rest]
        work.append(parts[0])
    x, labels = _sum_out(*work[0], set(output))
    return x.transpose([labels.index(k) for k in output])


def _steps(path: Any, count: int) -> list[tuple[int, ...]]:
    """Which operands to contract, in order; from left to right without a path."""
    if path is None:
        return [(0, 1)] + [(0, n - 1) for n in range(count - 1, 1, -1)] if count > 1 else []
    flat = list(path)
    return [tuple(flat[i : i + 2]) for i in range(0, len(flat), 2)]


def _from_sublists(args: tuple[Any, ...]) -> tuple[str, list[Any]]:
    """The equation of einsum(op1, [0, 1], op2, [1, 2], …, [0, 2])."""

    def text(labels: Any) -> str:
        return "".join("..." if k is Ellipsis else _letter(k) for k in labels)

    pairs = len(args) // 2
    equation = ",".join(text(args[2 * i + 1]) for i in range(pairs))
    if len(args) % 2:
        equation += "->" + text(args[-1])
    return equation, [args[2 * i] for i in range(pairs)]


def _letter(index: int) -> str:
    if not (index >= 0 and index < len(LETTERS)):
        raise ValueError(
            "einsum(): subscript in subscript list is not within the valid range [0, 52)"
        )
    return LETTERS[26:][index] if index < 26 else LETTERS[index - 26]


@composite(method=False)
def einsum(*args: Any) -> Tensor:
    """Sums of products by Einstein's notation: an equation, or operands with label lists."""
    if len(args) < 2:
        raise ValueError(
            "einsum(): must specify the equation string and at least one operand, or at least one "
            "operand and its subscripts list"
        )
    if not isinstance(args[0], (str, Tensor)):
        demand("einsum", args[0], args[1:])
    equation, operands = (args[0], args[1:]) if isinstance(args[0], str) else _from_sublists(args)
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = operands[0]
    if not all([isinstance(t, Tensor) for t in operands]):
        demand("einsum", equation, operands)
    if len(operands) == 1 and isinstance(operands[0], Tensor):
        return _single(operands[0], equation)
    return contract(tuple(operands), equation, None)


def _single(x: Tensor, equation: str) -> Tensor:
    """One operand: diagonals, a permutation (views) and a sum."""
    (labels,), output = parse(equation, [tuple(x.shape)])
    for label in dict.fromkeys(labels):
        while labels.count(label) > 1:
            i = labels.index(label)
            j = labels.index(label, i + 1)
            x = x.diagonal(0, i, j)
            labels = [v for k, v in enumerate(labels) if k not in (i, j)] + [label]
    rest = [label for label in labels if label not in output]
    x = x.permute([labels.index(label) for label in (*output, *rest)])
    return x.sum(tuple(range(len(output), x.dim()))) if rest else x


# ----- tensordot and its relatives -----
def _tensordot_dims(a: Tensor, b: Tensor, dims: Any) -> tuple[list[int], list[int]]:
    if isinstance(dims, Tensor):
        dims = dims.tolist()
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(a.dim(), b.dim()):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        return list(range(-dims, 0)), list(range(dims))
    first, second = ([d] if isinstance(d, int) else list(d) for d in dims)
    return first, second


@composite(method=False)
def tensordot(a: Tensor, b: Tensor, dims: Any = 2, out: Any = None) -> Tensor:
    """The product summed over dims of both: a number of dims, or two lists."""
    da, db = _tensordot_dims(a, b, dims)
    if len(da) != len(db):
        raise RuntimeError(
            f"both dimension lists should have same length, got {da} and {db}"
        )
    for i, j in zip(da, db, strict=True):
        if a.shape[i] != b.shape[j] and 1 not in (a.shape[i], b.shape[j]):
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {a.shape[i]} in dim {i} "
                f"and second has size {b.shape[j]} in dim {j}"
            )
    found = _tensordot(a, b, da, db)
    return found if out is None else write_out("tensordot", out, found)


def _tensordot(a: Tensor, b: Tensor, da: list[int], db: list[int]) -> Tensor:
    for i, j in zip(da, db, strict=True):
        if a.shape[i] != b.shape[j]:
            a, b = (a.sum(i, True), b) if b.shape[j] == 1 else (a, b.sum(j, True))
    da, db = [d % a.dim() for d in da], [d % b.dim() for d in db]
    rows = [i for i in range(a.dim()) if i not in da]
    cols = [i for i in range(b.dim()) if i not in db]
    inner = math.prod(a.shape[i] for i in da)
    left = a.permute(*rows, *da).reshape(math.prod(a.shape[i] for i in rows), inner)
    right = b.permute(*db, *cols).reshape(inner, math.prod(b.shape[i] for i in cols))
    return mm(left, right).reshape([a.shape[i] for i in rows] + [b.shape[i] for i in cols])


@composite
def inner(input: Tensor, other: Tensor, *, out: Any = None) -> Tensor:
    """Sums of products over the last dim of both."""
    if input.dim() == 0 or other.dim() == 0:
        found = input * other
    elif input.shape[-1] != other.shape[-1]:
        raise RuntimeError(
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{list(input.shape)} and {list(other.shape)}"
        )
    else:
        found = _tensordot(input, other, [-1], [-1])
    return found if out is None else write_out("inner", out, found)


# ----- chains -----
def _best_split(sizes: list[int]) -> dict[tuple[int, int], int]:
    """Where to cut each stretch of the chain, by dynamic programming over the cost."""
    n = len(sizes) - 1
    cost = {(i, i): 0 for i in range(n)}
    cut = {}
    for span in range(1, n):
        for i in range(n - span):
            j = i + span
            options = [
                (cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k)
                for k in range(i, j)
            ]
            cost[i, j], cut[i, j] = min(options)
    return cut


def _chain(matrices: list[Tensor]) -> Tensor:
    cut = _best_split([m.shape[0] for m in matrices] + [matrices[-1].shape[1]])

    def multiply(i: int, j: int) -> Tensor:
        if i == j:
            return matrices[i]
        k = cut[i, j]
        return mm(multiply(i, k), multiply(k + 1, j))

    return multiply(0, len(matrices) - 1)


@composite(module="linalg", method=False)
def multi_dot(tensors: Any, *, out: Any = None) -> Tensor:
    """The product of a chain of matrices in the cheapest order; the ends may be vectors."""
    found = _multi_dot(list(tensors))
    return found if out is None else write_out("multi_dot", out, found)


def _multi_dot(chain: list[Tensor]) -> Tensor:
    if len(chain) < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(chain)}")
    last = len(chain) - 1
    for i, m in enumerate(chain):
        if not (m.dim() == 2 or (i in (0, last) and m.dim() == 1)):
            wanted = "1D or 2D" if i in (0, last) else "2D"
            raise RuntimeError(f"multi_dot(): tensor {i} must be {wanted} but got {m.dim()}D")
    shape = ([] if chain[0].dim() == 1 else [chain[0].shape[0]]) + (
        [] if chain[-1].dim() == 1 else [chain[-1].shape[-1]]
    )
    chain[0] = chain[0].unsqueeze(0) if chain[0].dim() == 1 else chain[0]
    chain[-1] = chain[-1].unsqueeze(1) if chain[-1].dim() == 1 else chain[-1]
    for i in range(last):
        if chain[i].shape[1] != chain[i + 1].shape[0]:
            raise RuntimeError(
                f"multi_dot(): tensors {i} and {i + 1} with shapes {list(chain[i].shape)} and "
                f"{list(chain[i + 1].shape)} cannot be multiplied"
            )
    return _chain(chain).reshape(shape)


@composite(method=False)
def chain_matmul(*matrices: Tensor, out: Any = None) -> Tensor:
    """The product of matrices in the cheapest order."""
    warn_once(
        "torch.chain_matmul is deprecated and will be removed in a future PyTorch release. Use "
        "torch.linalg.multi_dot instead, which accepts a list of two or more tensors rather than "
        "multiple parameters."
    )
    found = matrices[0] if len(matrices) == 1 else _multi_dot(list(matrices))
    return found if out is None else write_out("chain_matmul", out, found)
