"""State dictionaries: what a module saves, how it loads, and the words of PyTorch's errors."""

import warnings
from collections import OrderedDict, namedtuple
from collections.abc import Mapping
from itertools import chain

from ..core.parameter import Parameter
from ..core.tape import no_grad
from ..core.tensor import Tensor
from .hooks import _WrappedHook, add_hook
from .parameter import is_lazy

_EXTRA_STATE_KEY_SUFFIX = "_extra_state"
_NEVER = (
    "Reached a code path in Module.{}() that should never be called. Please file an issue at "
    "https://github.com/pytorch/pytorch/issues/new?template=bug-report.yml to report this bug."
)
_POSITIONAL = (
    "Positional args are being deprecated, use kwargs instead. Refer to https://pytorch.org/docs/"
    "main/generated/torch.nn.Module.html#torch.nn.Module.state_dict for details."
)
_META_COPY = (
    "for {}: copying from a non-meta parameter in the checkpoint to a meta parameter in the "
    "current model, which is a no-op. (Did you mean to pass `assign=True` to assign items in the "
    "state dictionary to their corresponding key in the module instead of copying them in place?)"
)
_POST_HOOK_RESULT = (
    "Hooks registered with ``register_load_state_dict_post_hook`` are not expected to return new "
    "values, if incompatible_keys need to be modified, it should be done inplace."
)


class _IncompatibleKeys(namedtuple("IncompatibleKeys", ["missing_keys", "unexpected_keys"])):
    __slots__ = ()

    def __repr__(self):
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return super().__repr__()

    __str__ = __repr__


class Stateful:
    """The part of Module that saves and loads."""

    _version: int = 1

    def get_extra_state(self):
        """What to save beside parameters and buffers; saved only where a subclass defines it."""
        raise RuntimeError(_NEVER.format("get_extra_state"))

    def set_extra_state(self, state):
        """Takes back what `get_extra_state` gave."""
        raise RuntimeError(_NEVER.format("set_extra_state"))

    def _has_own(self, name):
        return getattr(type(self), name) is not getattr(Stateful, name)

    # ----- saving -----
    def _saved(self):
        """Names and tensors that belong into the state dictionary."""
        kept = (b for b in self._buffers.items() if b[0] not in self._non_persistent_buffers_set)
        return [(name, value) for name, value in chain(self._parameters.items(), kept)
                if value is not None]

    def _save_to_state_dict(self, destination, prefix, keep_vars):
        for name, value in self._saved():
            destination[prefix + name] = value if keep_vars else value.detach()
        if self._has_own("get_extra_state"):
            destination[prefix + _EXTRA_STATE_KEY_SUFFIX] = self.get_extra_state()

    def state_dict(self, *args, destination=None, prefix="", keep_vars=False):
        """Parameters and persistent buffers by dotted name, sharing memory with the module."""
        if args:
            warnings.warn(_POSITIONAL, FutureWarning, stacklevel=2)
            destination = args[0] if destination is None else destination
            prefix = args[1] if len(args) > 1 and prefix == "" else prefix
            keep_vars = args[2] if len(args) > 2 and keep_vars is False else keep_vars
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = metadata
        for hook in self._state_dict_pre_hooks.values():
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(
                    destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars
                )
        for hook in self._state_dict_hooks.values():
            destination = _after_saving(hook, self, destination, prefix, metadata)
        return destination

    # ----- loading -----
    def _load_from_state_dict(
        self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
    ):
        for hook in self._load_state_dict_pre_hooks.values():
            hook(state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys,
                 error_msgs)
        known = dict(self._saved())
        assign = local_metadata.get("assign_to_params_buffers", False)
        for name, value in known.items():
            key = prefix + name
            if key in state_dict:
                problem = _take(self, name, value, key, state_dict[key], assign)
                error_msgs += [problem] if problem else []
            elif strict:
                missing_keys.append(key)
        extra = prefix + _EXTRA_STATE_KEY_SUFFIX
        wants_extra = self._has_own("set_extra_state")
        if wants_extra and extra in state_dict:
            self.set_extra_state(state_dict[extra])
        elif strict and wants_extra:
            missing_keys.append(extra)
        elif strict and extra in state_dict:
            unexpected_keys.append(extra)
        if strict:
            unexpected_keys += self._unexpected(state_dict, prefix, known)

    def _unexpected(self, state_dict, prefix, known):
        for key in state_dict:
            if not key.startswith(prefix) or key == prefix + _EXTRA_STATE_KEY_SUFFIX:
                continue
            head, dot, _ = key[len(prefix):].partition(".")
            if head not in (self._modules if dot else known):
                yield key

    def load_state_dict(self, state_dict, strict=True, assign=False):
        """Copies (or, with `assign`, puts) the saved tensors into this module and its children."""
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        metadata = getattr(state_dict, "_metadata", None)
        state_dict = OrderedDict(state_dict)
        if metadata is not None:
            state_dict._metadata = metadata
        keys = _IncompatibleKeys([], [])
        errors = []
        _load_tree(self, state_dict, "", metadata, assign, keys, errors)
        if strict:
            errors = [*_key_errors(keys), *errors]
        if errors:
            listed = "\n\t".join(errors)
            raise RuntimeError(
                f"Error(s) in loading state_dict for {type(self).__name__}:\n\t{listed}"
            )
        return keys

    # ----- hooks -----
    def register_state_dict_pre_hook(self, hook):
        """Calls `hook(module, prefix, keep_vars)` before the state is collected."""
        return add_hook(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook):
        """Calls `hook(module, state_dict, prefix, local_metadata)` after it is collected."""
        hook._from_public_api = True
        return add_hook(self._state_dict_hooks, hook)

    def _register_state_dict_hook(self, hook):
        if getattr(hook, "_from_public_api", False):
            raise RuntimeError(
                "Cannot register the same function as the state dict post hook that was "
                "previously registered via register_state_dict_post_hook"
            )
        return add_hook(self._state_dict_hooks, hook)

    def _register_load_state_dict_pre_hook(self, hook, with_module=False):
        wrapped = _WrappedHook(hook, self if with_module else None)
        return add_hook(self._load_state_dict_pre_hooks, wrapped)

    def register_load_state_dict_pre_hook(self, hook):
        """Calls `hook(module, state_dict, prefix, …)` before this module takes its state."""
        return self._register_load_state_dict_pre_hook(hook, with_module=True)

    def register_load_state_dict_post_hook(self, hook):
        """Calls `hook(module, incompatible_keys)` after this module and its children loaded."""
        return add_hook(self._load_state_dict_post_hooks, hook)


def _after_saving(hook, module, destination, prefix, metadata):
    given = hook(module, destination, prefix, metadata)
    if given is None:
        return destination
    if getattr(hook, "_from_public_api", False):
        raise RuntimeError("state_dict post-hook must return None")
    return given


def _load_tree(module, state, prefix, metadata, assign, keys, errors):
    local = {} if metadata is None else metadata.get(prefix[:-1], {})
    if assign:
        local["assign_to_params_buffers"] = assign
    module._load_from_state_dict(
        state, prefix, local, True, keys.missing_keys, keys.unexpected_keys, errors
    )
    for name, child in module._modules.items():
        if child is not None:
            below = f"{prefix}{name}."
            part = {key: value for key, value in state.items() if key.startswith(below)}
            _load_tree(child, part, below, metadata, assign, keys, errors)
    for hook in module._load_state_dict_post_hooks.values():
        if hook(module, keys) is not None:
            raise AssertionError(_POST_HOOK_RESULT)


def _key_errors(keys):
    for what, names in zip(("Missing", "Unexpected"), keys):
        if names:
            listed = ", ".join(f'"{name}"' for name in names)
            yield f"{what} key(s) in state_dict: {listed}. "


def _on_meta(tensor):
    return tensor.device.type == "meta"


def _take(module, name, current, key, given, assign):
    """Puts one saved tensor into its place; returns what was wrong, if anything."""
    if not isinstance(given, Tensor) and not hasattr(given, "__torch_function__"):
        return (
            f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like '
            f"object from checkpoint but received {type(given)}"
        )
    if not is_lazy(current):
        if current.ndim == 0 and tuple(given.shape) == (1,):
            given = given[0]  # checkpoints of PyTorch 0.3 have no 0-dim tensors
        if given.shape != current.shape:
            return (
                f"size mismatch for {key}: copying a param with shape {given.shape} from "
                f"checkpoint, the shape in current model is {current.shape}."
            )
    if _on_meta(current) and not _on_meta(given) and not assign:
        warnings.warn(_META_COPY.format(key), stacklevel=2)
    try:
        with no_grad():
            if assign:
                _assign(module, name, current, given)
            else:
                current.copy_(given)
    except Exception as error:
        return (
            f'While copying the parameter named "{key}", whose dimensions in the model are '
            f"{current.size()} and whose dimensions in the checkpoint are {given.size()}, an "
            f"exception occurred : {error.args}."
        )
    return None


def _assign(module, name, current, given):
    if isinstance(current, Parameter):
        if isinstance(given, Parameter):
            given.requires_grad_(current.requires_grad)
        else:
            given = Parameter(given, requires_grad=current.requires_grad)
    setattr(module, name, given)
