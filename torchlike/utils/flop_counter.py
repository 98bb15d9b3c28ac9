"""FlopCounterMode: how many floating-point operations products take, by PyTorch's formulas.

Counted are products of matrices and convolutions; as in PyTorch, not what its CPU kernels hide:
LSTMs, attention by the kernel flash, products of vectors. A product of the backward pass counts for
the modules that ran in the forward pass when it was made.
"""

import warnings
from collections import defaultdict
from functools import wraps
from math import prod

from ..core.dispatch import call, call_view
from ..core.record import LOCAL
from ..core.tensor import Tensor
from ..ops import aten
from ..ops.einsum import parse
from ._pytree import tree_map
from .module_tracker import ModuleTracker

__all__ = ["FlopCounterMode", "register_flop_formula"]
flop_registry: dict = {}


# ----- formulas -----
def get_shape(value):
    """The shape of a tensor; anything else as it is."""
    return value.shape if isinstance(value, Tensor) else value


def shape_wrapper(formula):
    """`formula` over shapes, as a function over tensors."""

    @wraps(formula)
    def over_tensors(*args, out_val=None, **kwargs):
        args, kwargs, out_shape = tree_map(get_shape, (args, kwargs, out_val))
        return formula(*args, out_shape=out_shape, **kwargs)

    return over_tensors


def register_flop_formula(targets, get_raw=False):
    """Decorates a formula for `torch.ops.aten.…`, or a list of these: from the arguments' shapes
    (with `get_raw` from the arguments) and `out_shape=` to a number."""

    def register(formula):
        made = formula if get_raw else shape_wrapper(formula)
        for target in targets if isinstance(targets, (list, tuple)) else [targets]:
            if not isinstance(target, aten.OpOverloadPacket):
                raise ValueError(
                    "register_flop_formula(targets): expected each target to be OpOverloadPacket "
                    "(i.e. torch.ops.mylib.foo), JitFunction, or HigherOrderOperator, got "
                    f"{target} which is of type {type(target)}"
                )
            if target in flop_registry:
                raise RuntimeError(f"duplicate registrations for {target}")
            flop_registry[target] = made
        return made

    return register


def _packet(name):
    return aten.OpOverloadPacket(name, None)


@register_flop_formula(_packet("mm"))
def mm_flop(a_shape, b_shape, *args, out_shape=None, **kwargs) -> int:
    """A product of two matrices."""
    (m, k), (k2, n) = a_shape, b_shape
    if k != k2:
        raise AssertionError(f"matmul: inner dimensions must match (k == k2), got {k} and {k2}")
    return 2 * m * n * k


@register_flop_formula(_packet("addmm"))
def addmm_flop(self_shape, a_shape, b_shape, out_shape=None, **kwargs) -> int:
    """A product of two matrices; the addition is not counted."""
    return mm_flop(a_shape, b_shape)


@register_flop_formula(_packet("bmm"))
def bmm_flop(a_shape, b_shape, out_shape=None, **kwargs) -> int:
    """Products of pairs of matrices."""
    (b, *left), (b2, *right) = a_shape, b_shape
    if b != b2:
        raise AssertionError(f"bmm: batch dimensions must match (b == b2), got {b} and {b2}")
    return b * mm_flop(left, right)


@register_flop_formula(_packet("baddbmm"))
def baddbmm_flop(self_shape, a_shape, b_shape, out_shape=None, **kwargs) -> int:
    """Products of pairs of matrices; the addition is not counted."""
    return bmm_flop(a_shape, b_shape)


def conv_flop_count(x_shape, w_shape, out_shape, transposed=False) -> int:
    """A convolution: the filters once per place of the output (transposed: of the input)."""
    places = (x_shape if transposed else out_shape)[2:]
    return 2 * x_shape[0] * prod(places) * prod(w_shape)


@register_flop_formula(_packet("convolution"))
def conv_flop(x_shape, w_shape, _bias, _stride, _padding, _dilation, transposed, *args,
              out_shape=None, **kwargs) -> int:  # fmt: skip
    """A convolution."""
    return conv_flop_count(x_shape, w_shape, out_shape, transposed)


@register_flop_formula(_packet("convolution_backward"))
def conv_backward_flop(grad_out_shape, x_shape, w_shape, _bias, _stride, _padding, _dilation,
                       transposed, _output_padding, _groups, output_mask, out_shape,
                       **kwargs) -> int:  # fmt: skip
    """The convolutions that give the gradients of a convolution's input and filters."""

    def t(shape):
        return [shape[1], shape[0], *shape[2:]]

    count = 0
    if output_mask[0]:
        count += conv_flop_count(grad_out_shape, w_shape, out_shape[0], not transposed)
    if output_mask[1]:
        sides = (grad_out_shape, x_shape) if transposed else (x_shape, grad_out_shape)
        count += conv_flop_count(t(sides[0]), t(sides[1]), t(out_shape[1]))
    return count


def sdpa_flop_count(query_shape, key_shape, value_shape) -> int:
    """Attention: two products per head of the query."""
    b, heads, rows, width = query_shape
    columns, depth = key_shape[2], value_shape[3]
    scores = bmm_flop((b * heads, rows, width), (b * heads, width, columns))
    return scores + bmm_flop((b * heads, rows, columns), (b * heads, columns, depth))


def sdpa_backward_flop_count(grad_out_shape, query_shape, key_shape, value_shape) -> int:
    """Attention's gradients: the scores again, and two products for each of its two."""
    b, heads, rows, width = query_shape
    depth = value_shape[3]
    return 2 * b * heads * rows * key_shape[2] * (3 * width + 2 * depth)


@register_flop_formula(_packet("_scaled_dot_product_flash_attention"))
def sdpa_flop(query_shape, key_shape, value_shape, *args, out_shape=None, **kwargs) -> int:
    """Attention on an accelerator."""
    return sdpa_flop_count(query_shape, key_shape, value_shape)


@register_flop_formula(_packet("_scaled_dot_product_flash_attention_backward"))
def sdpa_backward_flop(grad_out_shape, query_shape, key_shape, value_shape, *args,
                       out_shape=None, **kwargs) -> int:  # fmt: skip
    """Attention's gradients on an accelerator."""
    return sdpa_backward_flop_count(grad_out_shape, query_shape, key_shape, value_shape)


# ----- from a call to what it computes: (PyTorch's name, shapes and other arguments, result) -----
_PAIRS = {"mm": 0, "linear_product": 0, "addmm": 1, "linear_affine": 1, "bmm": 0, "baddbmm": 1}


def _forward(op, inputs, statics, shapes, out):
    if op.name == "einsum":
        return [("bmm", pair, None) for pair in _einsum_pairs(shapes, statics[1])]
    if op.name == "_rnn_layer":
        return _rnn_steps(shapes, *statics)
    if op.name == "flash_attention":
        found = [("_scaled_dot_product_flash_attention", shapes[:3], out)]
        return [] if inputs[0].device.type == "cpu" else found
    packet = aten.overload_of(op, inputs, statics).overloadpacket
    if op.name in _PAIRS:
        return [(packet.__name__, shapes[: _PAIRS[op.name] + 2], out)]
    return [(packet.__name__, (*shapes, *statics), out)]


def _backward(op, inputs, statics, shapes, out):
    """What the gradients of those inputs take that need one."""
    wanted = [isinstance(x, Tensor) and x.requires_grad for x in inputs]
    if op.name in _PAIRS:
        return _pair_slopes(shapes[_PAIRS[op.name] :], wanted[_PAIRS[op.name] :])
    if op.name == "einsum":
        pairs = _einsum_pairs(shapes, statics[1])
        return [found for pair in pairs for found in _pair_slopes(pair, wanted)]
    if op.name == "convolution":
        arguments = (out, *shapes[:2], None, *statics, wanted[:3])
        return [("convolution_backward", arguments, (*shapes[:2], None))]
    if op.name == "_rnn_layer":
        return _rnn_slopes(shapes, wanted, *statics)
    if op.name == "flash_attention" and inputs[0].device.type != "cpu":
        return [("_scaled_dot_product_flash_attention_backward", (out, *shapes[:3]), None)]
    return []


def _pair_slopes(shapes, wanted):
    """The products for the gradients of the two factors of a product."""
    (*batch, m, k), n = shapes[0], shapes[1][-1]
    grad, left, right = (*batch, m, n), (*batch, k, m), (*batch, n, k)
    name = "bmm" if batch else "mm"
    found = [(name, (grad, right), None), (name, (left, grad), None)]
    return [one for one, needed in zip(found, wanted) if needed]


def _einsum_pairs(shapes, equation):
    """The batched products that einsum makes, from left to right; sums over one factor's own
    labels come first, and a product without a sum is none."""
    terms, output = parse(equation, shapes)
    size = {label: n for term, shape in zip(terms, shapes) for label, n in zip(term, shape)}
    found, left = [], set(terms[0])
    for at, right in enumerate(map(set, terms[1:]), 2):
        keep = set(output).union(*terms[at:])
        left, right = left & (keep | right), right & (keep | left)
        both = left & right
        batch, summed = prod(size[x] for x in both & keep), prod(size[x] for x in both - keep)
        rows, columns = prod(size[x] for x in left - both), prod(size[x] for x in right - both)
        if both - keep:
            found.append(((batch, rows, summed), (batch, summed, columns)))
        left = (left | right) & keep
    return found


def _rnn_steps(shapes, count, mode, bias, reverse, fused):
    """A layer of RNN or GRU (the kernel of LSTMs is hidden): all inputs at once, states in turn."""
    if fused:
        return []
    (time, rows, width), tensors = shapes[0], shapes[2:]
    gates, hidden = tensors[-3 if bias else -1]
    at = ((gates,),) if bias else ()
    name = "addmm" if bias else "mm"
    step = (name, (*at, (rows, hidden), (hidden, gates)), None)
    return [(name, (*at, (time * rows, width), (width, gates)), None), *[step] * time]


def _rnn_slopes(shapes, wanted, count, mode, bias, reverse, fused):
    found = []
    for at, (_, (*_, left, right), _) in enumerate(
        _rnn_steps(shapes, count, mode, bias, reverse, fused)
    ):
        first = wanted[0] if at == 0 else at > 1 or wanted[2]  # the state before has a gradient
        found += _pair_slopes((left, right), (first, any(wanted[3:])))
    return found


# ----- counting -----
_SUFFIXES = ("", "K", "M", "B", "T")


def get_suffix_str(number) -> str:
    """The suffix of a total: with it a number has two to four digits before the point."""
    return _SUFFIXES[max(0, min(len(_SUFFIXES) - 1, (len(str(number)) - 2) // 3))]


def convert_num_with_suffix(number, suffix) -> str:
    """`number` in thousands, millions …, with the suffix."""
    if not suffix:
        return str(number)
    return f"{number / 1000 ** _SUFFIXES.index(suffix):.3f}{suffix}"


def convert_to_percent_str(num, denom) -> str:
    """A share in percent."""
    return f"{num / denom:.2%}" if denom else "0%"


class FlopCounterMode:
    """Counts inside its `with` block, in total and per module, and prints a table at its end."""

    def __init__(self, mods=None, depth=2, display=True, custom_mapping=None) -> None:
        if mods is not None:
            warnings.warn("mods argument is not needed anymore, you can stop passing it",
                          stacklevel=2)  # fmt: skip
        self.flop_counts: dict = defaultdict(lambda: defaultdict(int))
        self.depth, self.display = depth, display
        own = {k: f if getattr(f, "_get_raw", False) else shape_wrapper(f)
               for k, f in (custom_mapping or {}).items()}  # fmt: skip
        self.flop_registry = {**flop_registry, **own}
        self.mod_tracker = ModuleTracker()

    def get_total_flops(self) -> int:
        """The number of everything counted."""
        return sum(self.flop_counts["Global"].values())

    def get_flop_counts(self) -> dict:
        """Module -> op -> number."""
        return {name: dict(counts) for name, counts in self.flop_counts.items()}

    def __enter__(self) -> "FlopCounterMode":
        self.flop_counts.clear()
        self.mod_tracker.__enter__()
        self._outer, self.counting = LOCAL.state.interposed, True
        LOCAL.state.interposed = self._seen
        return self

    def __exit__(self, *error) -> None:
        LOCAL.state.interposed, self.counting = self._outer, False
        self.mod_tracker.__exit__()
        if self.display:
            print(self.get_table(self.depth))

    def _seen(self, op, inputs, statics):
        state = LOCAL.state
        state.interposed = self._outer
        try:
            result = (call_view if op.view else call)(op, inputs, statics)
            self._counted(op, inputs, statics, result)
            return result
        finally:
            state.interposed = self._seen

    def _counted(self, op, inputs, statics, result) -> None:
        """Adds what the call takes, and what its gradients will."""
        first = result[0] if isinstance(result, (tuple, list)) else result
        shapes, out = [get_shape(x) for x in inputs], first.shape
        modules = set(self.mod_tracker.parents)
        self._add(modules, _forward(op, inputs, statics, shapes, out))
        slopes = _backward(op, inputs, statics, shapes, out)
        if slopes and first.grad_fn is not None:
            first.grad_fn.register_hook(lambda *_: self._add(modules, slopes))

    def _add(self, modules, found) -> None:
        if not self.counting:  # a backward pass after the block
            return
        for name, arguments, out in found:
            packet = _packet(name)
            formula = self.flop_registry.get(packet)
            number = formula(*arguments, out_val=out) if formula else 0
            for module in modules if formula else ():
                self.flop_counts[module][packet] += number

    # ----- the table -----
    def _rows(self, module, depth, suffix) -> list:
        counts, total = self.flop_counts[module], self.get_total_flops()
        rows = [(module, sum(counts.values())), *((f" - {op}", n) for op, n in counts.items())]
        return [(" " * depth + name, convert_num_with_suffix(n, suffix),
                 convert_to_percent_str(n, total)) for name, n in rows]  # fmt: skip

    def get_table(self, depth=None) -> str:
        """What was counted, one line per module and op."""
        depth = self.depth if depth is None else depth
        total = self.get_total_flops()
        suffix = get_suffix_str(total)
        names = [name for name in sorted(self.flop_counts) if name != "Global"
                 and (depth is None or name.count(".") < depth)]  # fmt: skip
        rows = [row for name in names for row in self._rows(name, name.count("."), suffix)]
        whole = any(sum(self.flop_counts[name].values()) >= total for name in names)
        if "Global" in self.flop_counts and not whole:
            inner = [(" " + name, *numbers) for name, *numbers in rows]
            rows = [*self._rows("Global", 0, suffix), *inner]
        return _aligned([("Module", "FLOP", "% Total"), *(rows or [("Global", "0", "0%")])])


def _aligned(rows) -> str:
    """The first column to the left, the others to the right, a rule under the head."""
    widths = [max(len(head) + 2, *map(len, column)) for head, *column in zip(*rows)]
    rows = [rows[0], tuple("-" * width for width in widths), *rows[1:]]
    lines = [[row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])] for row in rows]
    return "\n".join("  ".join(line) for line in lines)
