"""torch.library: functions as ops of one's own, with their gradients. They run as Python.

Ops made from a schema without a function (`define`, `impl`, `Library`) are not supported.
"""

import inspect
from types import SimpleNamespace

from .autograd import Function
from .core.refusals import refusing
from .core.tensor import Tensor
from .ops import SPACES

_OPS = {}


class CustomOpDef:
    """An op made by `custom_op`: called like the function it was made from."""

    def __init__(self, namespace, name, fn, mutates_args):
        self._namespace, self._name, self._fn = namespace, name, fn
        self._qualname, self._mutates = f"{namespace}::{name}", mutates_args
        self._signature = inspect.signature(fn)
        self._kernels, self._fake, self._backward, self._setup = {}, None, None, None
        self._function = type(f"GeneratedBackwardFor_{namespace}_{name}_default", (Function,), {
            "forward": staticmethod(self._forward), "backward": staticmethod(self._backwards),
        })  # fmt: skip
        self.__name__, self.__doc__ = name, fn.__doc__

    def __repr__(self):
        return f"<CustomOpDef({self._qualname})>"

    def __call__(self, *args, **kwargs):
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        if self._mutates:
            return self._kernel(bound.args)(*bound.args, **bound.kwargs)
        self._refuse_lists(bound.args)
        return self._function.apply(bound.kwargs, *bound.args)

    def _refuse_lists(self, args):
        for given in args:
            if isinstance(given, (list, tuple)) and any(
                isinstance(t, Tensor) and t.requires_grad for t in given
            ):
                raise NotImplementedError(
                    f"{self._qualname}: gradients of tensors in a list are not supported"
                )

    def _kernel(self, args):
        device = next((t.device.type for t in args if isinstance(t, Tensor)), None)
        return self._kernels.get(device, self._fn)

    def _forward(self, ctx, keywords, *args):
        result = self._kernel(args)(*args, **keywords)
        if self._setup is not None and any(ctx.needs_input_grad):
            more = {"keyword_only_inputs": keywords} if keywords else {}
            self._setup(ctx=ctx, inputs=args, output=result, **more)
        return result

    def _backwards(self, ctx, *grads):
        if self._backward is None:
            raise RuntimeError(
                f"Trying to backward through {self._qualname.replace('::', '.')}.default but no "
                "autograd formula was registered. Please use register_autograd to add one."
            )
        found = self._backward(ctx, *grads)
        return (None, *found) if isinstance(found, (tuple, list)) else (None, found)

    def register_fake(self, fn, /):
        """Keeps what tells the result's shape; shapes come from running the op."""
        self._fake = fn
        return fn

    def register_kernel(self, device_types, fn=None, /):
        """The function for some types of devices."""
        if fn is None:
            return lambda fn: self.register_kernel(device_types, fn)
        for kind in [device_types] if isinstance(device_types, str) else device_types or ():
            self._kernels[kind] = fn
        if device_types is None:
            self._fn = fn
        return fn

    def register_autograd(self, backward, /, *, setup_context=None):
        """The gradient: backward(ctx, *grads), after setup_context(ctx, inputs, output)."""
        if self._mutates:
            raise RuntimeError(
                f"Cannot register autograd formula for non-functional operator {self!r}. Please "
                "create a functional operator and register an autograd formula for that."
            )
        self._backward, self._setup = backward, setup_context


def custom_op(name, fn=None, /, *, mutates_args, device_types=None, schema=None, tags=None):
    """An op `namespace::name` from a function over tensors; `torch.ops` has it, too."""
    if fn is None:
        return lambda fn: custom_op(name, fn, mutates_args=mutates_args, device_types=device_types,
                                    schema=schema, tags=tags)  # fmt: skip
    namespace, found, own = name.partition("::")
    if not found:
        raise ValueError(f"custom_op: the name must be `namespace::name`, got {name!r}")
    made = _OPS[name] = CustomOpDef(namespace, own, fn, mutates_args)
    setattr(SPACES.setdefault(namespace, SimpleNamespace()), own, made)
    return made


def _op(op):
    if isinstance(op, CustomOpDef):
        return op
    if op not in _OPS:
        raise NotImplementedError(f"torch.library: {op!r} was not made by custom_op")
    return _OPS[op]


def register_fake(op, func=None, /, *, lib=None, _stacklevel=1, allow_override=True):
    """`CustomOpDef.register_fake` of an op or of the one of this name."""
    if func is None:
        return lambda func: register_fake(op, func)
    return _op(op).register_fake(func)


def register_autograd(op, backward, /, *, setup_context=None, lib=None):
    """`CustomOpDef.register_autograd` of an op or of the one of this name."""
    _op(op).register_autograd(backward, setup_context=setup_context)


def register_kernel(op, device_types, func=None, /, *, lib=None):
    """`CustomOpDef.register_kernel` of an op or of the one of this name."""
    return _op(op).register_kernel(device_types, *([] if func is None else [func]))


class Library:
    """Not supported."""

    def __init__(self, *args, **kwargs):
        raise NotImplementedError("torch.library.Library is not supported: use custom_op")


_REFUSED = (
    "define", "fallthrough_kernel", "get_ctx", "get_kernel", "impl", "infer_schema",
    "register_autocast", "register_torch_dispatch", "register_vmap", "triton_op", "wrap_triton",
)  # fmt: skip
for _name in _REFUSED:
    globals()[_name] = refusing(_name, f"torch.library.{_name} is not supported: use custom_op")

__all__ = ["Library", "custom_op", "register_fake", *_REFUSED]
