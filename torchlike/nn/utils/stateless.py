"""Calling a module with other parameters and buffers than its own."""

import contextlib
import warnings

from ...core.tensor import Tensor
from ..module import Module
from ..parallel import DataParallel

_MISSING = object()


def _swap(module, name, tensor):
    """Puts a tensor in the place of another; returns the other, or _MISSING."""
    for held in (module._parameters, module._buffers):
        if name in held:
            old = held[name]
            if tensor is _MISSING:
                del held[name]
            else:
                held[name] = tensor
            return old
    old = getattr(module, name, _MISSING)
    if old is not _MISSING and old is not None and not isinstance(old, Tensor):
        raise TypeError(f"attribute `{name}`: {old} is not an instance of torch.Tensor")
    if tensor is not _MISSING:
        setattr(module, name, tensor)
    elif old is not _MISSING:
        delattr(module, name)
    return old


def _swap_at(module, path, tensor):
    """Puts a tensor at a dotted name; returns what was there."""
    if tensor is not _MISSING and tensor is not None and not isinstance(tensor, Tensor):
        raise TypeError(f"{tensor} is not an instance of torch.Tensor")
    prefix, _, name = path.rpartition(".")
    return _swap(_submodule(module, prefix), name, tensor)


def _submodule(module, path):
    for i, name in enumerate(path.split(".") if path else ()):
        found = getattr(module, name, _MISSING)
        if found is _MISSING:
            raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
        if not isinstance(found, Module):
            where = ".".join(path.split(".")[: i + 1])
            raise TypeError(f"submodule `{where}`: {found} is not an instance of torch.nn.Module")
        module = found
    return module


def _named_tensors(module):
    yield from module.named_parameters(remove_duplicate=False)
    yield from module.named_buffers(remove_duplicate=False)


def _with_tied(module, given):
    """The given tensors under all the names that the module knows the replaced ones by."""
    names = {}
    for name, tensor in _named_tensors(module):
        names.setdefault(tensor, []).append(name)
    full = dict(given)
    for tied in names.values():
        chosen = [name for name in tied if name in given]
        if len({id(given[name]) for name in chosen}) > 1:
            raise ValueError(
                f"functional_call got multiple values for keys {sorted(tied)}, which are tied. "
                "Consider using tie_weights=False"
            )
        if chosen:
            full |= dict.fromkeys(tied, given[chosen[0]])
    return full


def _check_keys(module, given):
    known = {name for name, _ in _named_tensors(module)}
    listed = {"Unexpected": sorted(set(given) - known), "Missing": sorted(known - set(given))}
    errors = [f"{what} key(s): {', '.join(map(repr, names))}."
              for what, names in listed.items() if names]
    if errors:
        lines = "\n\t".join(errors)
        raise RuntimeError(
            f"Error(s) in reparametrizing for {module._get_name()}:\n\t{lines}"
        )


@contextlib.contextmanager
def _reparametrize_module(module, parameters_and_buffers, tie_weights=False, strict=False):
    given = parameters_and_buffers
    given = _with_tied(module, given) if tie_weights else given
    if strict:
        _check_keys(module, given)
    own = {}
    try:
        for path, tensor in given.items():
            own[path] = _swap_at(module, path, tensor)
        yield
    finally:
        now = {path: _swap_at(module, path, tensor) for path, tensor in own.items()}
        # what forward put in their place (a buffer, say) is the caller's new value
        parameters_and_buffers.update(
            {name: now[name] for name in parameters_and_buffers if name in now}
        )


def _functional_call(
    module, parameters_and_buffers, args=None, kwargs=None, *, tie_weights=True, strict=False
):
    if isinstance(module, DataParallel):
        raise RuntimeError("The stateless API can't be used with nn.DataParallel module")
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    with _reparametrize_module(module, parameters_and_buffers, tie_weights, strict):
        return module(*args, **(kwargs or {}))


def functional_call(
    module, parameters_and_buffers, args=None, kwargs=None, *, tie_weights=True, strict=False
):
    """Deprecated: `torch.func.functional_call`."""
    warnings.warn(
        "`torch.nn.utils.stateless.functional_call` is deprecated as of PyTorch 2.0 and will be "
        "removed in a future version of PyTorch. Please use `torch.func.functional_call` instead "
        "which is a drop-in replacement.",
        FutureWarning,
        stacklevel=2,
    )
    return _functional_call(
        module, parameters_and_buffers, args, kwargs, tie_weights=tie_weights, strict=strict
    )
