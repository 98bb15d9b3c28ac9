"""Parametrizations: a parameter computed by modules from what is really learned."""

from collections.abc import Sequence
from contextlib import contextmanager
from copy import deepcopy

from ...core.parameter import Parameter
from ...core.tape import no_grad
from ...core.tensor import Tensor
from ..containers import ModuleDict, ModuleList

_NOT_PICKLED = (
    "Serialization of parametrized modules is only supported through state_dict(). See:\n"
    "https://pytorch.org/tutorials/beginner/saving_loading_models.html"
    "#saving-loading-a-general-checkpoint-for-inference-and-or-resuming-training"
)
_cache: dict = {}
_cached_blocks = 0


@contextmanager
def cached():
    """Inside, every parametrized tensor is computed once."""
    global _cached_blocks
    _cached_blocks += 1
    try:
        yield
    finally:
        _cached_blocks -= 1
        if not _cached_blocks:
            _cache.clear()


def _register(module, name, tensor):
    if isinstance(tensor, Parameter):
        module.register_parameter(name, tensor)
    else:
        module.register_buffer(name, tensor)


def _right_inverse(module, value):
    """`right_inverse` where there is one that works; else the value."""
    if not hasattr(module, "right_inverse"):
        return value
    try:
        return module.right_inverse(value)
    except NotImplementedError:
        return value


def _check_same(new, old, start, names):
    """ValueError if dtype or shape differ; `names` are what the message calls the two."""
    for what in ("dtype", "shape"):
        before, after = getattr(old, what), getattr(new, what)
        if before != after:
            raise ValueError(
                f"{start.format(what=what)}\n{names[0]}{what}: {before}\n{names[1]}{what}: {after}"
            )


class ParametrizationList(ModuleList):
    """The parametrizations of one tensor, and the tensors it is computed from."""

    def __init__(self, modules, original, unsafe=False):
        if len(modules) == 0:
            raise ValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        shape, dtype = original.shape, original.dtype
        new = original
        with no_grad():
            for module in reversed(list(self)):
                new = _right_inverse(module, new)
        if not isinstance(new, Tensor | Sequence):
            raise ValueError(
                "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). "
                f"Got {type(new).__name__}"
            )
        self.is_tensor = isinstance(new, Tensor)
        self.ntensors = 1 if self.is_tensor else len(new)
        if self.is_tensor:
            self._hold_one(original, new)
        else:
            self._hold_several(original, new)
        if not unsafe:
            self._check_result(shape, dtype)

    def _hold_one(self, original, new):
        for what in ("dtype", "device"):
            before, after = getattr(original, what), getattr(new, what)
            if before != after:
                raise ValueError(
                    "When `right_inverse` outputs one tensor, it may not change the "
                    f"{what}.\noriginal.{what}: {before}\n"
                    f"right_inverse(original).{what}: {after}"
                )
        original.data = new.detach()
        _register(self, "original", original)

    def _hold_several(self, original, new):
        for i, one in enumerate(new):
            if not isinstance(one, Tensor):
                raise ValueError(
                    "'right_inverse' must return a Tensor or a Sequence of tensors (list, "
                    f"tuple...). Got element {i} of the sequence with type "
                    f"{type(one).__name__}."
                )
            if isinstance(original, Parameter):
                one = Parameter(one, original.requires_grad)
            one.requires_grad_(original.requires_grad)
            _register(self, f"original{i}", one)

    def _check_result(self, shape, dtype):
        result = self()
        if not isinstance(result, Tensor):
            raise ValueError(
                f"A parametrization must return a tensor. Got {type(result).__name__}."
            )
        for what, before in (("dtype", dtype), ("shape", shape)):
            after = getattr(result, what)
            if after != before:
                raise ValueError(
                    f"Registering a parametrization may not change the {what} of the tensor, "
                    f"unless `unsafe` flag is enabled.\nunparametrized {what}: {before}\n"
                    f"parametrized {what}: {after}"
                )

    def _originals(self):
        names = ["original"] if self.is_tensor else \
            [f"original{i}" for i in range(self.ntensors)]
        return {name: getattr(self, name) for name in names}

    def right_inverse(self, value):
        """Sets the originals so that the parametrized tensor becomes `value`."""
        with no_grad():
            for module in reversed(list(self)):
                if not hasattr(module, "right_inverse"):
                    raise RuntimeError(
                        f"parametrization {type(module).__name__} does not implement "
                        "right_inverse."
                    )
                value = module.right_inverse(value)
        values = self._as_originals(value)
        for i, (name, original) in enumerate(self._originals().items()):
            new = values[i]
            if original.dtype != new.dtype:
                which = "The tensor" if self.is_tensor else f"Tensor {i}"
                raise ValueError(
                    f"{which} returned by `right_inverse` has dtype {new.dtype} while "
                    f"`{name}` has dtype {original.dtype}"
                )
            original.data = new.detach()

    def _as_originals(self, value):
        if self.is_tensor:
            if not isinstance(value, Tensor):
                raise ValueError(
                    f"`right_inverse` should return a tensor. Got {type(value).__name__}"
                )
            return [value]
        start = "'right_inverse' must return a sequence of tensors"
        if not isinstance(value, Sequence):
            raise ValueError(f"{start}. Got {type(value).__name__}.")
        if len(value) != self.ntensors:
            raise ValueError(
                f"{start} of length {self.ntensors}. Got a sequence of length {len(value)}."
            )
        for i, one in enumerate(value):
            if not isinstance(one, Tensor):
                raise ValueError(
                    f"{start} or reference-type opaques. Got element {i} of type "
                    f"{type(one).__name__}."
                )
        return value

    def forward(self):
        first, *rest = self
        value = first(*self._originals().values())
        for module in rest:
            value = module(value)
        return value


# ----- the class of a parametrized module -----
def _deepcopy(self, memo):
    replica = memo.get(id(self))
    if replica is None:
        replica = memo[id(self)] = type(self).__new__(type(self))
        replica.__dict__ = deepcopy(self.__dict__, memo)
    return replica


def _getstate(self):
    raise RuntimeError(_NOT_PICKLED)


def _inject_class(module):
    """Gives the module a class of its own, which properties can be put on."""
    kind = type(module)
    body = {"__getstate__": _getstate}
    if not hasattr(kind, "__deepcopy__"):
        body["__deepcopy__"] = _deepcopy
    module.__class__ = type(f"Parametrized{kind.__name__}", (kind,), body)


def _inject_property(module, name):
    def get(self):
        parametrization = self.parametrizations[name]
        if not _cached_blocks:
            return parametrization()
        key = id(self), name
        if key not in _cache:
            _cache[key] = parametrization()
        return _cache[key]

    def put(self, value):
        self.parametrizations[name].right_inverse(value)

    setattr(type(module), name, property(get, put))


# ----- public functions -----
def register_parametrization(module, tensor_name, parametrization, *, unsafe=False):
    """Makes `module.tensor_name` the value of a module; several apply one after the other."""
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        if not unsafe:
            _check_next(module, tensor_name, parametrization)
        module.parametrizations[tensor_name].append(parametrization)
        module.parametrizations[tensor_name].unsafe |= unsafe
    elif tensor_name in module._buffers or tensor_name in module._parameters:
        held = ParametrizationList([parametrization], getattr(module, tensor_name), unsafe)
        delattr(module, tensor_name)
        if not is_parametrized(module):
            _inject_class(module)
            module.parametrizations = ModuleDict()
        _inject_property(module, tensor_name)
        module.parametrizations[tensor_name] = held
    else:
        raise ValueError(
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized element "
            f"with name '{tensor_name}'"
        )
    return module


def _check_next(module, name, parametrization):
    """A further parametrization may not change dtype or shape, forth and back."""
    now = getattr(module, name)
    after = parametrization(now)
    if not isinstance(after, Tensor):
        raise ValueError(
            f"A parametrization must return a tensor. Got {type(after).__name__}."
        )
    _check_same(
        after, now,
        "Registering a parametrization may not change the {what} of the tensor, unless the "
        "`unsafe` flag is enabled.",
        (f"module.{name}.", f"parametrization(module.{name})."),
    )
    back = _right_inverse(parametrization, after)
    if not isinstance(back, Tensor):
        raise ValueError(
            f"parametrization.right_inverse must return a tensor. Got: {type(back).__name__}"
        )
    _check_same(
        back, now,
        "The tensor returned by parametrization.right_inverse must have the same {what} as "
        f"module.{name}, unless the `unsafe` flag is enabled.",
        (f"module.{name}.", "returned "),
    )


def is_parametrized(module, tensor_name=None):
    """Whether the module, or one tensor of it, has parametrizations."""
    found = getattr(module, "parametrizations", None)
    if not isinstance(found, ModuleDict):
        return False
    return len(found) > 0 if tensor_name is None else tensor_name in found


def remove_parametrizations(module, tensor_name, leave_parametrized=True):
    """Makes the tensor an ordinary one again: with its present value, or the original's."""
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    held = module.parametrizations[tensor_name]
    if held.is_tensor:
        tensor = held.original
        if leave_parametrized:
            with no_grad():
                tensor.data = getattr(module, tensor_name).detach()
    elif leave_parametrized:
        now = getattr(module, tensor_name)
        tensor = Parameter(now) if now.requires_grad else now
    else:
        raise ValueError(
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is "
            "parametrized in terms of a sequence of tensors."
        )
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    _register(module, tensor_name, tensor)
    if not is_parametrized(module):
        del module.parametrizations
        module.__class__ = type(module).__bases__[0]
    return module


def type_before_parametrizations(module):
    """The class that the module had before it was parametrized."""
    return type(module).__bases__[0] if is_parametrized(module) else type(module)


def transfer_parametrizations_and_params(from_module, to_module, tensor_name=None):
    """Gives another module the parametrizations of this one, and what they are computed from."""
    if not is_parametrized(from_module):
        return to_module
    for name in from_module.parametrizations if tensor_name is None else [tensor_name]:
        if not hasattr(to_module, name):
            setattr(to_module, name, Parameter(getattr(from_module, name)))
        held = from_module.parametrizations[name]
        for parametrization in held:
            register_parametrization(to_module, name, parametrization)
        for key, original in held._originals().items():
            setattr(to_module.parametrizations[name], key, original)
    return to_module
