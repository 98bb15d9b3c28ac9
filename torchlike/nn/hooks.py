"""Module hooks: the global ones, those of one module, and the call of a module that has any."""

import functools
import warnings
import weakref
from collections import OrderedDict

from ..core.hooks import RemovableHandle
from ..core.tensor import Tensor
from .backward_hooks import BackwardHook, hook_last_node

registration: dict[str, OrderedDict] = {
    kind: OrderedDict() for kind in ("buffer", "module", "parameter")
}
forward_pre: OrderedDict = OrderedDict()
forward: OrderedDict = OrderedDict()
forward_with_kwargs: OrderedDict = OrderedDict()
forward_always: OrderedDict = OrderedDict()
backward_pre: OrderedDict = OrderedDict()
backward: OrderedDict = OrderedDict()
_full_backward: bool | None = None  # which kind `backward` holds, once there was one

TWO_KINDS = (
    "Cannot use both regular backward hooks and full backward hooks {}. "
    "Please use only one of them."
)


def add_hook(hooks, hook, *, prepend=False, flags=()):
    """Puts `hook` into `hooks`, and its id into each dictionary of `flags`; returns its handle."""
    handle = RemovableHandle(hooks, extra_dict=list(flags))
    hooks[handle.id] = hook
    for flag in flags:
        flag[handle.id] = True
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


# ----- global registration -----
def register_module_buffer_registration_hook(hook):
    """Calls `hook(module, name, buffer)` before a buffer is registered; a result replaces it."""
    return add_hook(registration["buffer"], hook)


def register_module_module_registration_hook(hook):
    """Calls `hook(module, name, submodule)` before a submodule is registered."""
    return add_hook(registration["module"], hook)


def register_module_parameter_registration_hook(hook):
    """Calls `hook(module, name, param)` before a parameter is registered."""
    return add_hook(registration["parameter"], hook)


def register_module_forward_pre_hook(hook):
    """A forward pre-hook for all modules."""
    return add_hook(forward_pre, hook)


def register_module_forward_hook(hook, *, with_kwargs=False, always_call=False):
    """A forward hook for all modules."""
    flags = [forward_with_kwargs] * with_kwargs + [forward_always] * always_call
    return add_hook(forward, hook, flags=flags)


def register_module_full_backward_pre_hook(hook):
    """A full backward pre-hook for all modules."""
    return add_hook(backward_pre, hook)


def register_module_full_backward_hook(hook):
    """A full backward hook for all modules."""
    return _add_global_backward(hook, full=True)


def register_module_backward_hook(hook):
    """The old kind of backward hook for all modules; prefer the full one."""
    return _add_global_backward(hook, full=False)


def _add_global_backward(hook, full):
    global _full_backward
    if _full_backward is not None and _full_backward != full:
        raise RuntimeError(TWO_KINDS.format("as a global Module hook"))
    _full_backward = full
    return add_hook(backward, hook)


def registered(kind, module, name, value):
    """`value` as the global registration hooks of this kind leave it."""
    for hook in registration[kind].values():
        output = hook(module, name, value)
        if output is not None:
            value = output
    return value


class _WrappedHook:
    """A hook that also gets its module, held weakly so that hook and module form no cycle."""

    def __init__(self, hook, module=None):
        self.hook = hook
        functools.update_wrapper(self, hook)
        self.with_module = module is not None
        if self.with_module:
            self.module = weakref.ref(module)

    def __call__(self, *args, **kwargs):
        if not self.with_module:
            return self.hook(*args, **kwargs)
        module = self.module()
        if module is None:
            raise RuntimeError("You are trying to call the hook of a dead Module!")
        return self.hook(module, *args, **kwargs)

    def __getstate__(self):
        state = {"hook": self.hook, "with_module": self.with_module}
        return state | {"module": self.module()} if self.with_module else state

    def __setstate__(self, state):
        self.hook, self.with_module = state["hook"], state["with_module"]
        if self.with_module:
            if state["module"] is None:
                raise RuntimeError("You are trying to revive the hook of a dead Module!")
            self.module = weakref.ref(state["module"])


# ----- a call with hooks -----
class HookedCall:
    """One call of a module that has hooks: what they changed so far, and which of them have run."""

    def __init__(self, module, args, kwargs):
        self.module, self.args, self.kwargs = module, args, kwargs
        self.result = None
        self.called = set()

    def __call__(self):
        try:
            return self.run()
        except Exception:
            self.run_always()
            raise

    def run(self):
        module = self.module
        full, old = backward_hooks(module)
        pre = [*backward_pre.values(), *module._backward_pre_hooks.values()]
        self.run_pre()
        frame = BackwardHook(module, full, pre) if full or pre else None
        if frame:
            self.args = frame.setup_input_hook(self.args)
        self.result = module.forward(*self.args, **self.kwargs)
        self.run_forward()
        if frame:
            self.result = _framed_result(frame, self.result)
        if old:
            old = [_WrappedHook(hook, module) for hook in old]
            hook_last_node(old, self.args, self.result)
        return self.result

    def run_pre(self):
        module = self.module
        for key, hook in (*forward_pre.items(), *module._forward_pre_hooks.items()):
            if key in module._forward_pre_hooks_with_kwargs:
                self.replace_both(hook(module, self.args, self.kwargs))
                continue
            args = hook(module, self.args)
            if args is not None:
                self.args = args if isinstance(args, tuple) else (args,)

    def replace_both(self, given):
        if given is None:
            return
        if not (isinstance(given, tuple) and len(given) == 2):
            raise RuntimeError(
                "forward pre-hook must return None or a tuple of (new_args, new_kwargs), "
                f"but got {given}."
            )
        self.args, self.kwargs = given

    def run_forward(self):
        module = self.module
        always = (*module._forward_hooks_always_called, *forward_always)
        for key, hook in (*forward.items(), *module._forward_hooks.items()):
            if key in always:
                self.called.add(key)
            self.call_one(key, hook, (module._forward_hooks_with_kwargs, forward_with_kwargs))

    def call_one(self, key, hook, with_kwargs):
        if any(key in flag for flag in with_kwargs):
            output = hook(self.module, self.args, self.kwargs, self.result)
        else:
            output = hook(self.module, self.args, self.result)
        if output is not None:
            self.result = output

    def run_always(self):
        """The hooks that are called even though forward, or a hook before them, raised."""
        module = self.module
        self.call_rest("global module", forward, forward_always, ())
        with_kwargs = (module._forward_hooks_with_kwargs,)
        self.call_rest(
            "module", module._forward_hooks, module._forward_hooks_always_called, with_kwargs
        )

    def call_rest(self, whose, hooks, always, with_kwargs):
        for key, hook in hooks.items():
            if key not in always or key in self.called:
                continue
            try:
                self.call_one(key, hook, with_kwargs)
            except Exception as error:
                warnings.warn(
                    f"{whose} forward hook with ``always_call=True`` raised an exception that was "
                    f"silenced as another error was raised in forward: {error}",
                    stacklevel=2,
                )


def backward_hooks(module):
    """The full backward hooks, and those of the old kind, that apply to a module."""
    kinds = {True: [], False: [], None: []}
    kinds[_full_backward] += backward.values()
    kinds[module._is_full_backward_hook] += module._backward_hooks.values()
    return kinds[True], kinds[False]


def _framed_result(frame, result):
    if not isinstance(result, Tensor | tuple):
        warnings.warn(
            "For backward hooks to be called, module output should be a Tensor or a tuple of "
            f"Tensors but received {type(result)}",
            stacklevel=2,
        )
    return frame.setup_output_hook(result)


class Hooked:
    """The part of Module that registers hooks."""

    def register_forward_pre_hook(self, hook, *, prepend=False, with_kwargs=False):
        """Calls `hook(module, args[, kwargs])` before forward; its result replaces them."""
        flags = [self._forward_pre_hooks_with_kwargs] * with_kwargs
        return add_hook(self._forward_pre_hooks, hook, prepend=prepend, flags=flags)

    def register_forward_hook(
        self, hook, *, prepend=False, with_kwargs=False, always_call=False
    ):
        """Calls `hook(module, args[, kwargs], output)` after forward; a result replaces output."""
        flags = [self._forward_hooks_with_kwargs] * with_kwargs
        flags += [self._forward_hooks_always_called] * always_call
        return add_hook(self._forward_hooks, hook, prepend=prepend, flags=flags)

    def register_full_backward_pre_hook(self, hook, prepend=False):
        """Calls `hook(module, grad_output)` before the gradients of the inputs are computed."""
        return add_hook(self._backward_pre_hooks, hook, prepend=prepend)

    def register_full_backward_hook(self, hook, prepend=False):
        """Calls `hook(module, grad_input, grad_output)` once both are there."""
        self._use_backward_kind(full=True)
        return add_hook(self._backward_hooks, hook, prepend=prepend)

    def register_backward_hook(self, hook):
        """The old kind, which sees only the last graph node; prefer the full one."""
        self._use_backward_kind(full=False)
        return add_hook(self._backward_hooks, hook)

    def _use_backward_kind(self, full):
        if self._is_full_backward_hook not in (None, full):
            raise RuntimeError(TWO_KINDS.format("on a single Module"))
        self._is_full_backward_hook = full
