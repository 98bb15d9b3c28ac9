"""A tensor's autograd face: requires_grad, grad, grad_fn, hooks, detach, data."""

from __future__ import annotations

import warnings
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from .check import FLOAT_GRAD_ONLY, NON_LEAF_FLAG, NON_LEAF_FLAG_OFF, NON_LEAF_GRAD
from .dtypes import C_NAMES, FLOAT, SCALAR_NAMES, dtype
from .hooks import Changes, RemovableHandle
from .mutate import regenerate
from .parameter import alias_of
from .record import LOCAL
from .storage import Unwatched
from .tape import CUT, DETACHED, GRAD_FN, Node, _register
from .tensor import Counter, Tensor, counter_of
from .wrong_call import checked


# ----- properties -----
def grad_fn_of(t: Tensor) -> Node | None:
    """The node that made the tensor; of a view, made anew when its base has new history."""
    base = t._base_tensor
    if base is None or t._view_version == counter_of(t).version:
        return t._grad_fn
    if base._requires_grad or (t._creation == "custom" and t._grad_fn is not None):
        now = counter_of(t).version
        if int(t._view_version) != int(now):
            regenerate(t)
        t._view_version = now
    return t._grad_fn


def wants_grad(t: Tensor) -> bool:
    """Whether a gradient is wanted of the tensor, or through it: of a view if of its base."""
    return t._requires_grad or (t._base_tensor is not None and t._base_tensor._requires_grad)


def is_leaf(t: Tensor) -> bool:
    """Whether nothing that autograd knows made the tensor."""
    return grad_fn_of(t) is None


def requires_grad_(self: Tensor, requires_grad: bool = True) -> Tensor:
    """Set whether gradients are wanted; RuntimeError for non-leaves and integer dtypes."""
    if LOCAL.state.transforms or LOCAL.state.vmaps:
        apis = " (or perhaps using torch.autograd.functional.* APIs)"
        raise RuntimeError(_TRANSFORMED.format("requires_grad_()", apis))
    return watch(self, requires_grad)


_TRANSFORMED = (
    "You are attempting to call Tensor.{0}{1} inside of a function being transformed by a "
    "functorch transform. This is unsupported, please attempt to use the functorch transforms "
    "(e.g. grad, vjp, jacrev, jacfwd, hessian) or call {0} outside of a function being transformed "
    "instead."
)


def watch(self: Tensor, requires_grad: bool = True) -> Tensor:
    """`requires_grad_`, also inside of a transform."""
    if requires_grad is not True and requires_grad is not False:
        raise TypeError(f"must be bool, not {type(requires_grad).__name__}")
    if not is_leaf(self) and not requires_grad:
        raise RuntimeError(NON_LEAF_FLAG_OFF)
    text = "only Tensors of floating point dtype can require gradients"
    return _set_flag(self, requires_grad, text)


def _set_requires_grad(self: Tensor, requires_grad: bool) -> None:
    if not isinstance(requires_grad, bool):
        raise RuntimeError("requires_grad must be a bool")
    if not is_leaf(self):
        raise RuntimeError(NON_LEAF_FLAG if requires_grad else NON_LEAF_FLAG_OFF)
    _set_flag(self, requires_grad, FLOAT_GRAD_ONLY[0].lower() + FLOAT_GRAD_ONLY[1:])


def _set_flag(self: Tensor, requires_grad: bool, text: str) -> Tensor:
    if requires_grad and self._aval.dtype.category < FLOAT:
        raise RuntimeError(text)
    if requires_grad and self._inference and not LOCAL.state.inference:
        raise RuntimeError(
            "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed."
        )
    if self._grad_fn is None:
        self._requires_grad = bool(requires_grad)
    return self


def _get_grad(self: Tensor) -> Tensor | None:
    if self._grad is None and self._grad_fn is not None and not self._retains:
        warnings.warn(NON_LEAF_GRAD, UserWarning, stacklevel=2)
    grad = self._grad
    if grad is not None and grad._lent is False:
        grad._lent = True  # whoever takes it may keep it: the captured step makes another
        Changes.lent += 1
    return grad


def _set_grad(self: Tensor, grad: Any) -> None:
    if grad is not None:
        if not isinstance(grad, Tensor):
            raise TypeError(
                "assigned grad expected to be a Tensor or None but got grad of type "
                f"{type(grad).__name__}"
            )
        if grad is self:
            raise RuntimeError("can't assign Variable as its own grad")
        _check_grad(self, grad)
    given = LOCAL.state.given_grads
    if given is not None:
        given[id(self)] = self
    self._grad = grad


def _check_grad(self: Tensor, grad: Tensor) -> None:
    if grad._aval.dtype is not self._aval.dtype:
        given, own = C_NAMES.get(grad.dtype, grad.dtype.name), SCALAR_NAMES[self.dtype]
        raise RuntimeError(
            f"attempting to assign a gradient with dtype '{given}' to a tensor with grad_dtype "
            f"'{own}'. The gradient must match the tensor's grad_dtype (defaults to the tensor's "
            "dtype). You can set the tensor's grad_dtype attribute with a specific dtype, or None "
            "to allow any dtype. Set grad_dtype with caution. Diverging the dtypes of a tensor and "
            "its gradient may break downstream systems that assume they match."
        )
    if grad._aval.device is not self._aval.device:
        raise RuntimeError(
            f"attempting to assign a gradient with device type '{grad.device.type}' to a tensor "
            f"with device type '{self.device.type}'. Please ensure that the gradient and the "
            "tensor are on the same device"
        )
    if grad.shape != self.shape:
        raise RuntimeError(
            f"attempting to assign a gradient of size '{list(grad.shape)}' to a tensor of size "
            f"'{list(self.shape)}'. Please ensure that the gradient and the tensor are the same "
            "size"
        )


def _get_grad_dtype(self: Tensor) -> Any:
    if not is_leaf(self):
        raise RuntimeError("grad_dtype can only be accessed on leaf tensors.")
    return self._aval.dtype


def _set_grad_dtype(self: Tensor, wanted: Any) -> None:
    if wanted is not None and not isinstance(wanted, dtype):
        kind = type(wanted).__name__
        raise RuntimeError(f"grad_dtype must be a torch.dtype or None, but got {kind}")
    if not is_leaf(self):
        raise RuntimeError("grad_dtype can only be set on leaf tensors.")
    if wanted is not self._aval.dtype:
        raise NotImplementedError(f"grad_dtype: {wanted} for a tensor of {self._aval.dtype}")


def _del_grad(self: Tensor) -> None:
    _set_grad(self, None)


# ----- detach and data -----
def detach(self: Tensor) -> Tensor:
    """A tensor over the same memory and version without history."""
    t = alias_of(self)
    t._inference = self._inference
    return t


def detach_(self: Tensor) -> Tensor:
    """Forget the history in place; RuntimeError for a view."""
    if self._base_tensor is not None:
        raise RuntimeError(
            "Can't detach views in-place. Use detach() instead. If you are using "
            "DistributedDataParallel (DDP) for training, and gradient_as_bucket_view is set as "
            "True, gradients are views of DDP buckets, and hence detach_() cannot be called on "
            "these gradients. To fix this error, please refer to the Optimizer.zero_grad() "
            "function in torch/optim/optimizer.py as the solution."
        )
    if self._grad_fn is not None:
        DETACHED.setdefault(self._grad_fn, set()).add(self._out_nr)
        CUT[0] = True
    self._grad_fn, self._out_nr, self._requires_grad = None, 0, False
    return self


def _get_data(self: Tensor) -> Tensor:
    t = alias_of(self)
    t._counter = Counter(t._storage)
    return t


def _set_data(self: Tensor, other: Tensor) -> None:
    if not isinstance(other, Tensor):
        raise TypeError(f"Variable data has to be a tensor, but got {type(other).__name__}")
    if other._aval.dtype.category < FLOAT <= self._aval.dtype.category and self._requires_grad:
        raise RuntimeError(
            "data set to a tensor that requires gradients must be floating point or complex dtype"
        )
    self._storage.version = Unwatched(self._storage.version)
    self._storage, self._aval, self._view = other._storage, other._aval, other._view
    self._value, self._seen = other._value, other._seen
    Changes.count += 1


def _del_data(self: Tensor) -> None:
    raise RuntimeError("Deleting tensor data is not allowed. Delete tensor instead!")


# ----- hooks -----
def register_hook(self: Tensor, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
    """Call `hook(grad)` when this tensor's gradient is known; what it returns replaces it."""
    if not wants_grad(self):
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    node = grad_fn_of(self)
    if node is None:
        if self._hooks is None:
            self._hooks = OrderedDict()
        return _register(self._hooks, hook)
    if node.tensor_hooks is None:
        node.tensor_hooks = {}
    return _register(node.tensor_hooks.setdefault(self._out_nr, OrderedDict()), hook)


def register_post_accumulate_grad_hook(
    self: Tensor, hook: Callable[[Tensor], None]
) -> RemovableHandle:
    """Call `hook(param)` after the leaf's `.grad` was accumulated."""
    if not wants_grad(self):
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    if not is_leaf(self):
        raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
    if self._post_hooks is None:
        self._post_hooks = OrderedDict()
    return _register(self._post_hooks, hook)


NO_RETAIN = "can't retain_grad on Tensor that has requires_grad=False"


def retain_grad(self: Tensor) -> None:
    """Keep this non-leaf's gradient in `.grad`."""
    if not wants_grad(self):
        raise RuntimeError(NO_RETAIN)
    if LOCAL.state.transforms or LOCAL.state.vmaps:
        raise RuntimeError(_TRANSFORMED.format("retain_grad()", ""))
    node = grad_fn_of(self)
    if node is None or self._retains:
        return
    if node.retains is None:
        node.retains = {}
    node.retains[self._out_nr] = weakref.ref(self)
    self._retains = True


GRAD_FN.append(grad_fn_of)
for _name, _value in {
    "requires_grad": property(wants_grad, _set_requires_grad),
    "grad": property(_get_grad, _set_grad, _del_grad),
    "grad_dtype": property(_get_grad_dtype, _set_grad_dtype),
    "grad_fn": property(grad_fn_of),
    "is_leaf": property(is_leaf),
    "retains_grad": property(lambda self: self._retains),
    "output_nr": property(lambda self: self._out_nr),
    "data": property(_get_data, _set_data, _del_data),
    "_backward_hooks": property(lambda self: self._hooks),
    "_post_accumulate_grad_hooks": property(lambda self: self._post_hooks),
    "requires_grad_": checked(requires_grad_, "Tensor", "requires_grad_"),
    "detach": checked(detach, "Tensor", "detach"),
    "detach_": detach_,
    "register_hook": register_hook,
    "register_post_accumulate_grad_hook": register_post_accumulate_grad_hook,
    "retain_grad": retain_grad,
    "is_inference": lambda self: self._inference,
}.items():
    setattr(Tensor, _name, _value)
for _name in (
    "dim", "ndimension", "numel", "nelement", "element_size", "size", "storage_offset", "data_ptr",
    "is_contiguous", "is_floating_point", "is_complex", "is_signed", "item", "tolist", "numpy",
):  # fmt: skip
    setattr(Tensor, _name, checked(vars(Tensor)[_name], "Tensor", _name))
