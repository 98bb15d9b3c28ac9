"""torch.library: ops of one's own, with their gradients. They run as Python.

Kept from PyTorch are schemas, overloads, and functions by device or for all; there are no
dispatch keys besides those of devices, Autograd, Autocast and the two Composite ones.
"""

import weakref

from ..core.refusals import refusing
from .operators import (
    AUTOCAST,
    AUTOGRAD,
    COMPOSITE,
    KEYS,
    Operator,
    declare,
    find,
    forget,
    namespace,
    split,
)
from .schema import Schema
from .schema import infer_schema as infer_schema

_KINDS = ("DEF", "IMPL", "FRAGMENT")
_LIBRARIES: "weakref.WeakValueDictionary[str, Library]" = weakref.WeakValueDictionary()
_KEPT: list = []  # libraries behind functions that name none: they stay
_NAMES = (
    *KEYS.values(), *AUTOGRAD, *AUTOCAST.values(), *COMPOSITE, "CompositeImplicitAutograd",
)  # fmt: skip


def fallthrough_kernel():
    """Given to Library.impl: leave it to the other functions. It is never called."""
    raise NotImplementedError("fallthrough_kernel() should never be called.")


class Library:
    """Ops of a namespace: "DEF" and "FRAGMENT" declare them, "IMPL" only gives functions.

    When it goes, its ops go.
    """

    def __init__(self, ns, kind, dispatch_key=""):
        if kind not in _KINDS:
            raise ValueError(f"Unsupported kind: {kind}")
        if kind == "DEF":
            if ns in _LIBRARIES:
                raise RuntimeError(
                    "Only a single TORCH_LIBRARY can be used to register the namespace "
                    f"{ns}; please put all of your definitions in a single TORCH_LIBRARY block."
                )
            _LIBRARIES[ns] = self
        self.ns, self.kind, self.dispatch_key = ns, kind, dispatch_key
        self._made: list[Operator] = []
        self._finalizer = weakref.finalize(self, _forget_all, self._made)

    def __repr__(self):
        return f"Library(kind={self.kind}, ns={self.ns}, dispatch_key={self.dispatch_key})>"

    def define(self, schema, alias_analysis="", *, tags=()):
        """Declares an op by its schema; gives its name. Tags change nothing here."""
        if alias_analysis not in ("", "FROM_SCHEMA", "CONSERVATIVE"):
            raise RuntimeError(f"Invalid alias_analysis type {alias_analysis}")
        read = Schema(schema)
        read.namespace = read.namespace or self.ns
        self._made.append(declare(read))
        return read.name + (f".{read.overload}" if read.overload else "")

    def impl(self, op_name, fn, dispatch_key="", *, with_keyset=False, allow_override=True):
        """The function of an op for a device ("CPU", "CUDA", "Meta"), "Autograd", or all."""
        if with_keyset:
            raise NotImplementedError("Library.impl: with_keyset=True is not supported")
        if not callable(fn):
            raise TypeError(
                f"Input function is required to be a callable but found type {type(fn)}"
            )
        key = dispatch_key or self.dispatch_key or "CompositeImplicitAutograd"
        if key not in _NAMES:
            raise NotImplementedError(f"Library.impl: dispatch_key={key!r} is not supported")
        operator = find(self._full(op_name) if isinstance(op_name, str) else op_name)
        if fn is fallthrough_kernel:
            operator.kernels.pop(key, None)
            return
        if key in operator.kernels and not allow_override:
            raise RuntimeError(
                f"This is not allowed since there's already a kernel registered from python "
                f"overriding {operator.name()}'s behavior for {key} dispatch key and {self.ns} "
                "namespace."
            )
        operator.kernels[key] = fn

    def _full(self, name):
        return name if "::" in name else f"{self.ns}::{name}"

    def _register_fake(self, op_name, fn, _stacklevel=1, *, allow_override=True):
        find(self._full(op_name)).fake = fn

    def fallback(self, fn, dispatch_key="", *, with_keyset=False):
        """Not supported."""
        raise NotImplementedError("Library.fallback is not supported")

    def _destroy(self):
        self._finalizer()
        if _LIBRARIES.get(self.ns) is self:
            del _LIBRARIES[self.ns]


def _forget_all(made):
    while made:
        forget(made.pop())


# ----- functions that find the op by its name -----
def define(qualname, schema=None, alias_analysis="", *, lib=None, tags=()):
    """Declares `namespace::name` with the schema "(Tensor x) -> Tensor"; or, given a Library and a
    schema, decorates the op's function."""
    if isinstance(qualname, Library):
        name = qualname.define(schema, alias_analysis, tags=tags)
        return lambda fn: (qualname.impl(name, fn), fn)[1]
    if not isinstance(qualname, str):
        raise ValueError(
            "define(qualname, schema): expected qualname to be instance of str, got "
            f"{type(qualname)}"
        )
    space, name = split(qualname)
    if lib is None:
        lib = Library(space, "FRAGMENT")
        _KEPT.append(lib)
    if not str(schema).lstrip().startswith("("):
        raise ValueError(
            'define(qualname, schema, ...): expected schema to look like e.g. "(Tensor x) -> '
            f'Tensor" but got "{schema}"'
        )
    lib.define(name + schema, tags=tags)
    return None


def impl(qualname, types, func=None, *, lib=None):
    """The function of an op for devices ("cpu", "cuda") or "default"; or, given a Library, a name
    and a dispatch key, decorates it. A function decorated by the first form is lost (None)."""
    if isinstance(qualname, Library):
        key = func or ""
        return lambda fn: (qualname.impl(types, fn, key), fn)[1]
    if func is None:
        return lambda fn: impl(qualname, types, fn, lib=lib)
    operator = find(qualname)
    for kind in [types] if isinstance(types, str) else types:
        operator.kernels[_key(kind)] = func
    return None


def _key(kind):
    if kind in _NAMES:
        return kind
    if kind not in KEYS:
        raise NotImplementedError(f"torch.library: the device type {kind!r} is not supported")
    return KEYS[kind]


def register_fake(op, func=None, /, *, lib=None, _stacklevel=1, allow_override=True):
    """What tells the result's shape on the device meta."""
    if func is None:
        return lambda func: register_fake(op, func)
    find(op).fake = func
    return func


impl_abstract = register_fake


def register_kernel(op, device_types, func=None, /, *, lib=None):
    """The function for some types of devices; None means all."""
    if func is None:
        return lambda func: register_kernel(op, device_types, func)
    kinds = [device_types] if isinstance(device_types, str) else device_types
    operator = find(op)
    for kind in kinds or ["default"]:
        operator.kernels[_key(kind)] = func
    return func


def register_autograd(op, backward, /, *, setup_context=None, lib=None):
    """The gradient: backward(ctx, *grads), after setup_context(ctx, inputs, output)."""
    operator = find(op)
    if operator._schema.is_mutable:
        raise RuntimeError(
            f"Cannot register autograd formula for non-functional operator {op!r}. Please create a "
            "functional operator and register an autograd formula for that."
        )
    operator.backward, operator.setup = backward, setup_context


class CustomOpDef:
    """An op made by `custom_op`: called like the function it was made from."""

    def __init__(self, space, name, schema, fn):
        self._namespace, self._name, self._init_fn = space, name, fn
        self._qualname, self._schema = f"{space}::{name}", schema
        self._opoverload = declare(Schema(self._qualname + schema))
        self._opoverload.always_own_node = True
        self._opoverload.kernels["CompositeExplicitAutograd"] = fn
        self.__name__, self.__doc__ = name, fn.__doc__

    def __repr__(self):
        return f"<CustomOpDef({self._qualname})>"

    def __call__(self, *args, **kwargs):
        return self._opoverload(*args, **kwargs)

    def register_fake(self, fn, /):
        """What tells the result's shape on the device meta."""
        return register_fake(self, fn)

    def register_kernel(self, device_types, fn=None, /):
        """The function for some types of devices."""
        return register_kernel(self, device_types, *([] if fn is None else [fn]))

    def register_autograd(self, backward, /, *, setup_context=None):
        """The gradient: backward(ctx, *grads), after setup_context(ctx, inputs, output)."""
        register_autograd(self, backward, setup_context=setup_context)


def custom_op(name, fn=None, /, *, mutates_args, device_types=None, schema=None, tags=None):
    """An op `namespace::name` from a function over tensors, in `torch.ops`, too; with
    `device_types` only for these. Tags change nothing here."""
    if fn is None:
        return lambda fn: custom_op(name, fn, mutates_args=mutates_args, device_types=device_types,
                                    schema=schema, tags=tags)  # fmt: skip
    space, own = split(name)
    if schema is None:
        schema = infer_schema(fn, mutates_args=mutates_args)
    known = vars(namespace(space)).get(own)
    if known is not None:  # a second definition takes the first one's place, as in notebooks
        forget(find(name))
    made = CustomOpDef(space, own, schema, fn)
    if device_types is not None:
        del made._opoverload.kernels["CompositeExplicitAutograd"]
        made.register_kernel(device_types, fn)
    return made


_REFUSED = (
    "get_ctx", "get_kernel", "opcheck", "register_autocast", "register_torch_dispatch",
    "register_vmap", "triton_op", "wrap_triton",
)  # fmt: skip
for _name in _REFUSED:
    globals()[_name] = refusing(_name, f"torch.library.{_name} is not supported")

__all__ = [
    "Library", "custom_op", "define", "fallthrough_kernel", "impl", "impl_abstract", "infer_schema",
    "register_fake", *(name for name in _REFUSED if name != "opcheck"),
]  # fmt: skip
