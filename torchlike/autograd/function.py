"""`autograd.Function`: a pair of forward and backward written by the user."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable
from typing import Any

from ..core.anomaly import remember
from ..core.check import BACKWARD_TWICE
from ..core.dual import paused
from ..core.function_nodes import function_node
from ..core.mutate import rebase
from ..core.nodes import edge_of
from ..core.parameter import alias_of
from ..core.record import LOCAL, VMAP
from ..core.storage import Aval
from ..core.tape import (
    Node,
    Packed,
    modified_text,
    no_grad,
    sequence_number,
    value_now,
    with_history,
    zeros,
)
from ..core.tensor import Tensor, counter_of, wrap
from ..core.writable import check_history
from .function_jvp import push_tangents
from .function_vmap import rule_of

LEGACY = (
    "Legacy autograd function with non-static forward method is deprecated. Please use new-style "
    "autograd "
    "function with static forward method. (Example: "
    "https://pytorch.org/docs/stable/autograd.html#torch.autograd.Function)"
)


OLD_STYLE = (
    "In order to use an autograd.Function with functorch transforms (vmap, grad, jvp, jacrev, "
    "...), it must override the setup_context staticmethod. For more details, please see "
    "https://pytorch.org/docs/main/notes/extending.func.html"
)


class FunctionCtx:
    """What `forward` leaves for `backward`."""

    to_save: tuple[Any, ...] = ()
    dirty_tensors: tuple[Any, ...] = ()
    non_differentiable: tuple[Any, ...] = ()
    materialize_grads: bool = True
    saved_for_forward: tuple[Any, ...] = ()

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep inputs or outputs for `ctx.saved_tensors`."""
        self.to_save = tensors

    def save_for_forward(self, *tensors: Any) -> None:
        """Keep tensors for `jvp`."""
        for t in tensors:
            if t is not None and not isinstance(t, Tensor):
                raise TypeError("save_for_forward expects Tensors")
        self.saved_for_forward = tensors

    def mark_dirty(self, *args: Any) -> None:
        """These inputs were written to."""
        self.dirty_tensors = args

    def mark_non_differentiable(self, *args: Any) -> None:
        """These outputs have no gradient."""
        self.non_differentiable = args

    def set_materialize_grads(self, value: bool) -> None:
        """Whether missing output gradients come as zeros (default) or None."""
        self.materialize_grads = value


class BackwardCFunction(FunctionCtx, Node):
    """The node of one `apply`; also the `ctx` of forward and backward."""

    takes_none = True
    _forward_cls: Any = None
    needs_input_grad: tuple[bool, ...] = ()
    _saved: tuple[Any, ...] | None = ()
    _inputs_are_tensors: tuple[bool, ...] = ()
    _for_forward: tuple[Any, ...] | None = None  # while `jvp` runs

    def __repr__(self) -> str:
        return f"<torch.autograd.function.{type(self).__name__} object at {hex(id(self))}>"

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What `save_for_backward` kept; RuntimeError if it was freed or written to since."""
        if self._for_forward is not None:
            return self._for_forward
        if self._saved is None:
            raise RuntimeError(BACKWARD_TWICE)
        return tuple(None if s is None else s.unpack(self) for s in self._saved)

    @property
    def saved_variables(self) -> tuple[Any, ...]:
        return self.saved_tensors

    def release(self) -> None:
        if self._saved:
            self._saved = None

    def apply(self, *grads: Any) -> Any:
        """Run the user's backward."""
        cls = self._forward_cls
        if cls.vjp is not Function.vjp and cls.backward is not Function.backward:
            raise RuntimeError(
                "Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You "
                "should only implement one of them."
            )
        user = cls.vjp if cls.vjp is not Function.vjp else cls.backward
        return user(self, *grads)

    def apply_tensors(self, grads: list[Any]) -> list[Any]:
        if self.materialize_grads:
            grads = [
                wrap(zeros(a)) if g is None else g for g, a in zip(grads, self.outs, strict=True)
            ]
        found = self.apply(*grads)
        return self._checked(list(found) if isinstance(found, (tuple, list)) else [found])

    def _checked(self, found: list[Any]) -> list[Any]:
        expected = len(self._inputs_are_tensors)
        name = type(self).__name__
        if all(g is None for g in found[expected:]):
            del found[expected:]
        if len(found) != expected:
            raise RuntimeError(
                f"function {name} returned an incorrect number of gradients (expected {expected}, "
                "got "
                f"{len(found)})"
            )
        grads = []
        for i, (g, is_tensor) in enumerate(zip(found, self._inputs_are_tensors, strict=True)):
            if g is not None and not is_tensor:
                raise RuntimeError(
                    f"function {name} returned a gradient different than None at position {i + 1}, "
                    "but "
                    "the corresponding forward input was not a Variable"
                )
            if is_tensor:
                grads.append(_fitted(name, g, self._input_avals[len(grads)], len(grads)))
        return grads

    _input_avals: tuple[Aval, ...] = ()


def _fitted(name: str, g: Any, aval: Aval, index: int) -> Any:
    """The gradient in its input's shape and dtype; RuntimeError if the shape can't be made."""
    if g is None:
        return None
    if not isinstance(g, Tensor):
        raise RuntimeError(f"expected Variable or None (got {type(g).__name__})")
    if g.shape != aval.shape:
        shape, want = tuple(g.shape), tuple(aval.shape)
        extra = len(shape) - len(want)
        fits = extra >= 0 and all(n in (1, m) for n, m in zip(want, shape[extra:], strict=True))
        if not fits:
            raise RuntimeError(
                f"Function {name} returned an invalid gradient at index {index} - got "
                f"{list(shape)} but "
                f"expected shape compatible with {list(want)}"
            )
        g = g.sum_to_size(want)  # type: ignore[attr-defined]
    return g if g.dtype is aval.dtype else g.to(aval.dtype)  # type: ignore[attr-defined]


class _SavedInput:
    """A saved tensor that is not an output: its value, version and history."""

    def __init__(self, t: Tensor) -> None:
        self.value, self.edge = t._value_now(), edge_of(t)
        self.leaf = t if t._grad_fn is None and t._requires_grad else None
        self.counter, self.plain = counter_of(t), t._view is None
        self.version = self.counter.version
        self.tangents = t._tangents
        hooks = LOCAL.state.saved_hooks
        with no_grad():
            self.packed = Packed(t, hooks[-1]) if hooks else None

    def unpack(self, ctx: BackwardCFunction) -> Tensor:
        self.check(None)
        return self.remade(self.edge) if self.leaf is None or self.packed else self.leaf

    def remade(self, edge: Any) -> Tensor:
        t = with_history(self.packed.value() if self.packed else self.value, edge)
        if self.tangents is not None:
            t._tangents = self.tangents
        return t

    def check(self, whence: Any) -> None:
        now = self.counter.version
        if now != self.version and int(now) == int(self.version):  # written by `.data`, by NumPy
            self.value = value_now(self.value, self.counter, self.edge, self.plain)
        elif now != self.version and self.packed is None:
            edge = whence if whence is not None else None if self.leaf is not None else self.edge
            raise RuntimeError(
                modified_text(self.value.aval, edge, self.counter, self.version, now)
            )


class _SavedOutput(_SavedInput):
    """A saved output: held by value, or it would hold its own node."""

    def __init__(self, t: Tensor, number: int) -> None:
        super().__init__(t)
        self.edge, self.leaf, self.number = None, None, number

    def unpack(self, ctx: BackwardCFunction) -> Tensor:
        self.check((ctx, self.number))
        return self.remade((ctx, self.number))


class FunctionMeta(type):
    """Gives every Function its node class."""

    def __init__(cls, name: str, bases: tuple[type, ...], attrs: dict[str, Any]) -> None:
        super().__init__(name, bases, attrs)
        known = {"_forward_cls": cls, "__module__": BackwardCFunction.__module__}
        cls._backward_cls = type(name + "Backward", (BackwardCFunction,), known)


class Function(metaclass=FunctionMeta):
    """Subclass it with static `forward` and `backward`, and call `apply`.

    Both styles of PyTorch: `forward(ctx, …)`, or `forward(…)` with
    `setup_context(ctx, inputs, output)`.
    """

    generate_vmap_rule = False
    _backward_cls: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        warnings.warn(
            f"{type(self)} should not be instantiated. Methods on autograd functions are all "
            "static, so "
            "you should invoke them on the class itself. Instantiating an autograd function will "
            "raise "
            "an error in a future version of PyTorch.",
            DeprecationWarning,
            stacklevel=2,
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(LEGACY)

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """To be written by the subclass."""
        raise NotImplementedError(
            "You must implement the forward function for custom autograd.Function."
        )

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        """To be written by the subclass when `forward` takes no ctx."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """To be written by the subclass (or `vjp`)."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom "
            "autograd.Function to "
            "use it with backward mode AD."
        )

    vjp = backward

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        """To be written by the subclass for forward-mode AD."""
        raise NotImplementedError(
            "You must implement the jvp function for custom autograd.Function to use it with "
            "forward "
            "mode AD."
        )

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *args: Any) -> Any:
        """To be written by the subclass, or `generate_vmap_rule = True`, for `vmap`."""
        raise NotImplementedError(
            "To use autograd.Function with vmap, you must either override the vmap staticmethod or "
            "set generate_vmap_rule=True."
        )

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run `forward` and record the node."""
        ctx = cls._backward_cls()
        if not isinstance(inspect.getattr_static(cls, "forward"), (staticmethod, classmethod)):
            raise RuntimeError(LEGACY)
        new_style = cls.setup_context is not Function.setup_context
        if (LOCAL.state.transforms or LOCAL.state.vmaps) and not new_style:
            raise RuntimeError(OLD_STYLE)
        args, forward = _positional(cls.forward, new_style, args, kwargs), cls.forward
        if LOCAL.state.vmaps:
            if rule := rule_of(cls, Function):
                if not rule.inside:
                    return rule(*args)
                forward = rule
            args = tuple(VMAP["imported"](a) if isinstance(a, Tensor) else a for a in args)
        tensors = [a for a in args if isinstance(a, Tensor)]
        track = LOCAL.state.grad_enabled and any(t.requires_grad for t in tensors)  # type: ignore[attr-defined]
        ctx.needs_input_grad = tuple(
            isinstance(a, Tensor) and a.requires_grad
            for a in args  # type: ignore[attr-defined]
        )
        ctx._inputs_are_tensors = tuple(isinstance(a, Tensor) for a in args)
        ctx._input_avals = tuple(t._aval for t in tensors)
        ctx.edges = tuple(edge_of(t) for t in tensors) if track else ()
        ctx.seq = sequence_number()
        if track and LOCAL.state.anomaly[0]:
            remember(ctx)
        with no_grad(), paused():
            if new_style:
                out = forward(*args)
                cls.setup_context(ctx, args, out)
            else:
                out = forward(ctx, *args)
        many = isinstance(out, tuple)
        marked = ctx.dirty_tensors, ctx.non_differentiable
        outs = _finished(ctx, list(out) if many else [out], tensors, track)
        if LOCAL.state.duals:
            push_tangents(ctx, args, outs, *({id(t) for t in ts} for ts in marked))
            _save_tangents(ctx, outs)
        return tuple(outs) if many else outs[0]


def _positional(
    forward: Callable[..., Any], new_style: bool, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, ...]:
    """The arguments by position, as they have gradients; of the new style with the defaults."""
    if not kwargs and (not new_style or len(args) == _signature(forward)[1]):
        return args
    if new_style:
        bound = _signature(forward)[0].bind(*args, **kwargs)
        bound.apply_defaults()
        args, kwargs = bound.args, bound.kwargs
    names = [p.name for p in _signature(forward)[0].parameters.values() if p.kind in _BY_POSITION]
    names = names[not new_style :]
    for name in kwargs:
        if name not in names:
            raise TypeError(f"forward() got an unexpected keyword argument '{name}'")
        if name in names[: len(args)]:
            raise TypeError(f"forward() got multiple values for argument '{name}'")
    for at in range(len(args), len(args) + len(kwargs)):
        if names[at] not in kwargs:
            text = f"forward() missing required argument: '{names[at]}' (position {at})"
            raise TypeError(text)
        args = (*args, kwargs[names[at]])
    return args


_BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@functools.lru_cache(256)
def _signature(forward: Callable[..., Any]) -> tuple[inspect.Signature, int]:
    """A forward's signature, and how many arguments it takes if by position and no more."""
    signature = inspect.signature(forward)
    kinds = [p.kind for p in signature.parameters.values()]
    return signature, len(kinds) if all(kind in _BY_POSITION for kind in kinds) else -1


def _finished(ctx: Any, outs: list[Any], inputs: list[Tensor], track: bool) -> list[Any]:
    """Give the outputs their grad_fn, and save what forward asked to be saved."""
    given = {id(t) for t in inputs}
    dirty = _written(ctx, outs, track)
    constant = {id(t) for t in ctx.non_differentiable}
    finished, numbers, views = [], {}, []
    for at, o in enumerate(outs):
        new = o
        if isinstance(o, Tensor):
            numbers[id(o)] = at
            wanted = track and id(o) not in constant and o._aval.dtype.category >= 2
            if id(o) not in dirty:
                new = _as_is(o, wanted) if id(o) in given else o
                if new._base_tensor is not None:
                    views.append(new)
            if wanted:
                _attach(new, ctx, at, id(o) in dirty)
        finished.append(new)
    several = sum(isinstance(o, Tensor) and o._grad_fn is ctx for o in finished) > 1
    for view in views:
        view._creation = "multi" if several else "custom"
    ctx.outs = tuple(o._aval if isinstance(o, Tensor) else None for o in finished)
    ctx._saved = tuple(_saved(i, t, numbers if track else {}) for i, t in enumerate(ctx.to_save))
    ctx.to_save = ctx.dirty_tensors = ctx.non_differentiable = ()
    return finished


def _written(ctx: Any, outs: list[Any], track: bool) -> set[int]:
    """The inputs marked as dirty, whose versions move; RuntimeError where they may not be."""
    for t in ctx.dirty_tensors:
        if track:
            if t._requires_grad and t._grad_fn is None and t._base_tensor is None:
                raise RuntimeError(
                    "a leaf Variable that requires grad has been used in an in-place operation."
                )
            check_history(t)
        counter_of(t).version += 1
    dirty = {id(t) for t in ctx.dirty_tensors}
    if not dirty <= {id(o) for o in outs}:
        raise RuntimeError(
            "Some elements marked as dirty during the forward method were not returned as output. "
            "The inputs that are modified inplace must all be outputs of the Function."
        )
    return dirty


def _as_is(t: Tensor, wanted: bool) -> Tensor:
    """An input that forward returned: a view of it; apart from it where its history is not."""
    with no_grad():
        return t.view_as(t) if wanted or not t.requires_grad else t.detach()  # type: ignore[attr-defined]


def _save_tangents(ctx: Any, outs: list[Any]) -> None:
    """What was saved of the outputs has the tangents that they got since."""
    for s in ctx._saved or ():
        if isinstance(s, _SavedOutput):
            s.tangents = outs[s.number]._tangents


def _saved(position: int, t: Any, numbers: dict[int, int]) -> _SavedInput | None:
    if t is None:
        return None
    if not isinstance(t, Tensor):
        raise TypeError(
            f"save_for_backward can only save variables, but argument {position} is of type "
            f"{type(t).__name__}"
        )
    return _SavedOutput(t, numbers[id(t)]) if id(t) in numbers else _SavedInput(t)


def _attach(o: Tensor, ctx: Any, number: int, dirty: bool) -> None:
    """Make the node an output's history; what a view was written with becomes its base's."""
    made = alias_of(o) if dirty else o
    made._grad_fn, made._out_nr, made._requires_grad = ctx, number, True
    if dirty:
        rebase(o, made)
    else:
        o._view_version = counter_of(o).version


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a backward that can't be differentiated again: doing so raises."""

    @functools.wraps(backward)
    def wrapper(ctx: Any, *grads: Any) -> Any:
        twice = LOCAL.state.grad_enabled and any(
            isinstance(g, Tensor) and g.requires_grad
            for g in grads  # type: ignore[attr-defined]
        )
        with no_grad():
            found = backward(ctx, *grads)
        if not twice:
            return found
        many = isinstance(found, tuple)
        outs = [_refusing(o) for o in (found if many else (found,))]
        return tuple(outs) if many else outs[0]

    return wrapper


def _refusing(o: Any) -> Any:
    if not isinstance(o, Tensor):
        return o
    t = alias_of(o)

    def refuse(*_: Any) -> Any:
        raise RuntimeError(
            "trying to differentiate twice a function that was marked with @once_differentiable"
        )

    t._grad_fn = function_node("DelayedError", refuse, [], [t._aval])
    t._requires_grad = True
    return t


class InplaceFunction(Function):
    """Kept for old code: a Function with an `inplace` flag."""
