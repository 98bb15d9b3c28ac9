"""Module: parameters, buffers and children; their registration, traversal, calling and text."""

import inspect
import warnings
from collections import OrderedDict

from ..core.hooks import Changes
from ..core.parameter import Parameter
from ..core.run import step_boundary
from ..core.snapshot import HOLDERS
from ..core.tensor import Tensor
from ..misc import typename as typename
from . import hooks
from .convert import Convertible
from .hooks import Hooked, HookedCall, registered
from .parameter import Buffer
from .state import Stateful

_REPLICA = (
    "Calling .zero_grad() from a module created with nn.DataParallel() has no effect. The "
    "parameters are copied (in a differentiable manner) from the original module. This means they "
    "are not leaf nodes in autograd and so don't accumulate gradients. If you need gradients in "
    "your forward method, consider using autograd.grad instead."
)
_OLD_REGISTER_BUFFER = (
    "Registering a non-persistent buffer on a Module subclass that implements register_buffer() "
    "without the persistent argument is not allowed."
)
_NOT_LEAF = (
    "Cannot assign non-leaf Tensor to parameter '{0}'. Model parameters must be created "
    "explicitly. To express '{0}' as a function of another Tensor, compute the value in the "
    "forward() method."
)

# PyTorch shows them here
register_module_backward_hook = hooks.register_module_backward_hook
register_module_buffer_registration_hook = hooks.register_module_buffer_registration_hook
register_module_forward_hook = hooks.register_module_forward_hook
register_module_forward_pre_hook = hooks.register_module_forward_pre_hook
register_module_full_backward_hook = hooks.register_module_full_backward_hook
register_module_full_backward_pre_hook = hooks.register_module_full_backward_pre_hook
register_module_module_registration_hook = hooks.register_module_module_registration_hook
register_module_parameter_registration_hook = hooks.register_module_parameter_registration_hook

# every instance has these in its __dict__; pickles of older releases may lack some
_FIELDS = {
    "training": lambda: True,
    "_parameters": dict,
    "_buffers": dict,
    "_non_persistent_buffers_set": set,
    "_backward_pre_hooks": OrderedDict,
    "_backward_hooks": OrderedDict,
    "_is_full_backward_hook": lambda: None,
    "_forward_hooks": OrderedDict,
    "_forward_hooks_with_kwargs": OrderedDict,
    "_forward_hooks_always_called": OrderedDict,
    "_forward_pre_hooks": OrderedDict,
    "_forward_pre_hooks_with_kwargs": OrderedDict,
    "_state_dict_hooks": OrderedDict,
    "_state_dict_pre_hooks": OrderedDict,
    "_load_state_dict_pre_hooks": OrderedDict,
    "_load_state_dict_post_hooks": OrderedDict,
    "_modules": dict,
}
_KINDS = ("_parameters", "_buffers", "_modules")


def _indent(text, by=2):
    first, *rest = text.split("\n")
    return "\n".join([first, *(" " * by + line if line.strip() else "" for line in rest)])


def _like_tensor(value):
    return isinstance(value, Tensor) or hasattr(value, "__torch_function__")


class Module(Hooked, Convertible, Stateful):
    """The base class of all neural network modules."""

    dump_patches: bool = False
    training: bool
    call_super_init: bool = False
    _compiled_call_impl = None

    def __init__(self, *args, **kwargs):
        if not self.call_super_init and kwargs:
            raise TypeError(
                f"{type(self).__name__}.__init__() got an unexpected keyword argument "
                f"'{next(iter(kwargs))}'"
            )
        if not self.call_super_init and args:
            raise TypeError(
                f"{type(self).__name__}.__init__() takes 1 positional argument but "
                f"{len(args) + 1} were given"
            )
        for name, make in _FIELDS.items():
            object.__setattr__(self, name, make())
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    def forward(self, *input):
        """The computation; every subclass defines it."""
        raise NotImplementedError(
            f'Module [{type(self).__name__}] is missing the required "forward" function'
        )

    # ----- registration -----
    def _check_new(self, kind, fields, name):
        if fields not in self.__dict__:
            raise AttributeError(f"cannot assign {kind} before Module.__init__() call")
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {typename(name)}")
        if "." in name:
            got = f", got: {name}" if kind == "module" else ""
            raise KeyError(f'{kind} name can\'t contain "."{got}')
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')
        if hasattr(self, name) and name not in self.__dict__[fields]:
            raise KeyError(f"attribute '{name}' already exists")

    def register_buffer(self, name, tensor, persistent=True):
        """Adds a tensor that is state but not learned; saved unless it is not `persistent`."""
        self._check_new("buffer", "_buffers", name)
        if tensor is not None and not _like_tensor(tensor):
            raise TypeError(
                f"cannot assign '{typename(tensor)}' object to buffer '{name}' "
                "(torch Tensor or None required)"
            )
        self._buffers[name] = registered("buffer", self, name, tensor)
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def register_parameter(self, name, param):
        """Adds a parameter, or the place for one (None)."""
        self._check_new("parameter", "_parameters", name)
        if param is not None:
            if not isinstance(param, Parameter):
                raise TypeError(
                    f"cannot assign '{typename(param)}' object to parameter '{name}' "
                    "(torch.nn.Parameter or None required)"
                )
            if param.grad_fn:
                raise ValueError(_NOT_LEAF.format(name))
            param = registered("parameter", self, name, param)
        self._parameters[name] = param

    def add_module(self, name, module):
        """Adds a child module, or the place for one (None)."""
        if not isinstance(module, Module) and module is not None:
            raise TypeError(f"{typename(module)} is not a Module subclass")
        self._check_new("module", "_modules", name)
        self._modules[name] = registered("module", self, name, module)

    def register_module(self, name, module):
        """The same as `add_module`."""
        self.add_module(name, module)

    # ----- attributes -----
    def __getattr__(self, name):
        fields = self.__dict__  # on the road of every `self.weight`, hence no loop
        if "_modules" in fields:  # it is the last one that __init__ makes
            if name in fields["_parameters"]:
                return fields["_parameters"][name]
            if name in fields["_modules"]:
                return fields["_modules"][name]
            if name in fields["_buffers"]:
                return fields["_buffers"][name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __setattr__(self, name, value):
        Changes.count += 1
        fields = self.__dict__
        if isinstance(value, Parameter):
            self._make_room(name, "_parameters", "parameters")
            self.register_parameter(name, value)
        elif name in fields.get("_parameters", ()):
            if value is not None:
                raise TypeError(
                    f"cannot assign '{typename(value)}' as parameter '{name}' "
                    "(torch.nn.Parameter or None expected)"
                )
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            self._make_room(name, "_modules", "module")
            self._modules[name] = registered("module", self, name, value)
        elif name in fields.get("_modules", ()):
            if value is not None:
                raise TypeError(
                    f"cannot assign '{typename(value)}' as child module '{name}' "
                    "(torch.nn.Module or None expected)"
                )
            self._modules[name] = registered("module", self, name, value)
        elif name in fields.get("_buffers", ()) or isinstance(value, Buffer):
            self._set_buffer(name, value)
        else:
            super().__setattr__(name, value)

    def _make_room(self, name, kind, what):
        """Takes `name` out of everything but `kind`, where it is about to be put."""
        fields = self.__dict__
        if kind not in fields:
            raise AttributeError(f"cannot assign {what} before Module.__init__() call")
        fields.pop(name, None)
        for other in _KINDS:
            if other != kind:
                fields[other].pop(name, None)
        fields["_non_persistent_buffers_set"].discard(name)

    def _set_buffer(self, name, value):
        if value is not None and not _like_tensor(value):
            raise TypeError(
                f"cannot assign '{typename(value)}' as buffer '{name}' "
                "(torch.nn.Buffer, torch.Tensor or None expected)"
            )
        new = isinstance(value, Buffer)
        persistent = value.persistent if new else name not in self._non_persistent_buffers_set
        ours = getattr(self.register_buffer, "__func__", None) is Module.register_buffer
        if ours or "persistent" in inspect.signature(self.register_buffer).parameters:
            self.register_buffer(name, value, persistent)
        elif persistent:
            self.register_buffer(name, value)
        else:
            raise RuntimeError(_OLD_REGISTER_BUFFER)

    def __delattr__(self, name):
        kind = next((k for k in _KINDS if name in self.__dict__[k]), None)
        if kind is None:
            super().__delattr__(name)
            return
        del self.__dict__[kind][name]
        if kind == "_buffers":
            self._non_persistent_buffers_set.discard(name)

    def __dir__(self):
        names = [*dir(type(self)), *self.__dict__, *self._parameters, *self._modules]
        return sorted(name for name in [*names, *self._buffers] if not name[0].isdigit())

    # ----- lookup by dotted name -----
    def _child_of(self, name, kind, what):
        """The attribute `name`, which must be an instance of `kind`."""
        if not hasattr(self, name):
            raise AttributeError(f"{self._get_name()} has no attribute `{name}`")
        found = getattr(self, name)
        if kind is not None and not isinstance(found, kind):
            raise AttributeError(f"`{name}` is not {what}")
        return found

    def get_submodule(self, target):
        """The module at a dotted path below this one; "" is this one."""
        found = self
        for name in target.split(".") if target else ():
            found = Module._child_of(found, name, Module, "an nn.Module")
        return found

    def set_submodule(self, target, module, strict=False):
        """Puts a module at a dotted path; with `strict`, only in the place of another."""
        if target == "":
            raise ValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, Module):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if strict or hasattr(parent, name):
            parent._child_of(name, Module, "an nn.Module")
        setattr(parent, name, module)

    def get_parameter(self, target):
        """The parameter at a dotted path."""
        path, _, name = target.rpartition(".")
        return self.get_submodule(path)._child_of(name, Parameter, "an nn.Parameter")

    def get_buffer(self, target):
        """The buffer at a dotted path."""
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        found = module._child_of(name, None, "")
        if name not in module._buffers:
            raise AttributeError(f"`{name}` is not a buffer")
        return found

    # ----- traversal -----
    def _named_members(self, get_members_fn, prefix="", recurse=True, remove_duplicate=True):
        seen = set()
        modules = [(prefix, self)]
        if recurse:
            modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
        for path, module in modules:
            for name, value in get_members_fn(module):
                if value is None or value in seen:
                    continue
                if remove_duplicate:
                    seen.add(value)
                yield f"{path}.{name}" if path else name, value

    def named_parameters(self, prefix="", recurse=True, remove_duplicate=True):
        """Names and parameters of this module and those below it."""
        def of(module):
            return module._parameters.items()
        yield from self._named_members(of, prefix, recurse, remove_duplicate)

    def parameters(self, recurse=True):
        """The parameters of this module and those below it, each once."""
        for _, param in self.named_parameters(recurse=recurse):
            yield param

    def named_buffers(self, prefix="", recurse=True, remove_duplicate=True):
        """Names and buffers of this module and those below it."""
        def of(module):
            return module._buffers.items()
        yield from self._named_members(of, prefix, recurse, remove_duplicate)

    def buffers(self, recurse=True):
        """The buffers of this module and those below it, each once."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def named_children(self):
        """Names and modules right below this one, each once."""
        seen = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self):
        """The modules right below this one, each once."""
        for _, module in self.named_children():
            yield module

    def named_modules(self, memo=None, prefix="", remove_duplicate=True):
        """Dotted names and modules, this one first."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                path = f"{prefix}.{name}" if prefix else name
                yield from module.named_modules(memo, path, remove_duplicate)

    def modules(self, remove_duplicate=True):
        """This module and all below it."""
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    def apply(self, fn):
        """Calls `fn` with every module, children first."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    # ----- modes and gradients -----
    def train(self, mode=True):
        """Sets training mode here and below."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        step_boundary()  # what set the module up is no part of its first step
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self):
        """Sets evaluation mode here and below."""
        return self.train(False)

    def requires_grad_(self, requires_grad=True):
        """Sets `requires_grad` of all parameters."""
        for param in self.parameters():
            param.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none=True):
        """Drops the gradients of all parameters, or fills them with zeros."""
        if getattr(self, "_is_replica", False):
            warnings.warn(_REPLICA, stacklevel=2)
        for param in self.parameters():
            if param.grad is None:
                continue
            if set_to_none:
                param.grad = None
                continue
            if param.grad.grad_fn is not None:
                param.grad.detach_()
            else:
                param.grad.requires_grad_(False)
            param.grad.zero_()

    # ----- calling -----
    def __call__(self, *args, **kwargs):
        if (
            self._forward_hooks or self._forward_pre_hooks
            or self._backward_hooks or self._backward_pre_hooks
            or hooks.forward or hooks.forward_pre or hooks.backward or hooks.backward_pre
            or self._compiled_call_impl is not None
        ):
            return (self._compiled_call_impl or self._call_impl)(*args, **kwargs)
        return self.forward(*args, **kwargs)  # the hot road: no second Python frame

    def _call_impl(self, *args, **kwargs):
        return HookedCall(self, args, kwargs)()

    def compile(self, *args, **kwargs):
        """From now on calls go through `torch.compile`, with its arguments."""
        from ..compiler import compile as compiled

        self._compiled_call_impl = compiled(self._call_impl, *args, **kwargs)

    # ----- text and pickles -----
    def _get_name(self):
        return type(self).__name__

    def extra_repr(self):
        """What the text of this module says between its parentheses; for subclasses."""
        return ""

    def __repr__(self):
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        children = [f"({name}): {_indent(repr(m))}" for name, m in self._modules.items()]
        if len(lines) < 2 and not children:
            return f"{self._get_name()}({extra})"
        inside = "\n  ".join([*lines, *children])
        return f"{self._get_name()}(\n  {inside}\n)"

    def __getstate__(self):
        state = self.__dict__.copy()
        state.pop("_compiled_call_impl", None)
        return state

    def __setstate__(self, state):
        self.__dict__.update(state)
        for name, make in _FIELDS.items():
            if name not in self.__dict__:
                object.__setattr__(self, name, make())

    def _replicate_for_data_parallel(self):
        replica = type(self).__new__(type(self))
        replica.__dict__ = self.__dict__.copy()
        replica._parameters = {}
        replica._buffers = replica._buffers.copy()
        replica._modules = replica._modules.copy()
        replica._is_replica = True
        return replica


HOLDERS.append(Module)
