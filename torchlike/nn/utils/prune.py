"""Pruning: a parameter times a mask of zeros and ones, put together by a forward pre-hook."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from numbers import Integral, Real

from ... import ops
from .gradients import parameters_to_vector


# ----- methods -----
class BasePruningMethod(ABC):
    """A way to choose what is pruned, and the hook that applies the mask before every forward."""

    def __call__(self, module, inputs):
        setattr(module, self._tensor_name, self.apply_mask(module))

    @abstractmethod
    def compute_mask(self, t, default_mask):
        """The mask for a tensor of importances; what the default mask prunes stays pruned."""

    def apply_mask(self, module):
        """The parameter times its mask."""
        _require(self._tensor_name is not None, lambda: f"Module {module} has to be pruned")
        original = getattr(module, self._tensor_name + "_orig")
        return getattr(module, self._tensor_name + "_mask").to(dtype=original.dtype) * original

    @classmethod
    def apply(cls, module, name, *args, importance_scores=None, **kwargs):
        """Prunes a parameter; on top of what was pruned before, if it was."""
        method = cls(*args, **kwargs)
        method._tensor_name = name
        method = _on_top(_take_hooks(module, name), method)
        original = getattr(module, name)
        if importance_scores is None:
            importance_scores = original
        _require(
            importance_scores.shape == original.shape,
            lambda: f"importance_scores should have the same shape as parameter {name} of "
            f"{module}, got {importance_scores.shape} vs {original.shape}",
        )
        first = not isinstance(method, PruningContainer)
        if first:
            module.register_parameter(name + "_orig", original)
            del module._parameters[name]
            mask = ops.ones_like(original)
        else:
            mask = getattr(module, name + "_mask").detach().clone()
        try:
            mask = method.compute_mask(importance_scores, default_mask=mask)
        except Exception:
            if first:
                module.register_parameter(name, getattr(module, name + "_orig"))
                del module._parameters[name + "_orig"]
            raise
        module.register_buffer(name + "_mask", mask)
        setattr(module, name, method.apply_mask(module))
        module.register_forward_pre_hook(method)
        return method

    def prune(self, t, default_mask=None, importance_scores=None):
        """The pruned version of a tensor."""
        scores = t if importance_scores is None else importance_scores
        _require(
            scores.shape == t.shape,
            lambda: "importance_scores should have the same shape as tensor t, got "
            f"{scores.shape} vs {t.shape}",
        )
        default_mask = ops.ones_like(t) if default_mask is None else default_mask
        return t * self.compute_mask(scores, default_mask=default_mask)

    def remove(self, module):
        """Makes the pruned values an ordinary parameter."""
        name = self._tensor_name
        _require(
            name is not None,
            lambda: f"Module {module} has to be pruned before pruning can be removed",
        )
        pruned = self.apply_mask(module)
        if hasattr(module, name):
            delattr(module, name)
        original = module._parameters.pop(name + "_orig")
        original.data = pruned.data
        del module._buffers[name + "_mask"]
        setattr(module, name, original)


def _require(holds, text):
    if not holds:
        raise AssertionError(text())


def _take_hooks(module, name):
    """The pruning method of a parameter, taken off the module; None if there is none."""
    hooks = module._forward_pre_hooks
    found = {key: hook for key, hook in hooks.items()
             if isinstance(hook, BasePruningMethod) and hook._tensor_name == name}
    _require(
        len(found) < 2,
        lambda: "Avoid adding multiple pruning hooks to the same tensor "
        f"{name} of module {module}. Use "
        "a PruningContainer.",
    )
    for key in found:
        del hooks[key]
    return next(iter(found.values()), None)


def _on_top(old, new):
    if old is None:
        return new
    both = old if isinstance(old, PruningContainer) else PruningContainer(old)
    both.add_pruning_method(new)
    return both


class PruningContainer(BasePruningMethod):
    """Several methods for one parameter, each pruning what the ones before it left."""

    def __init__(self, *args):
        self._pruning_methods = ()
        if len(args) == 1:
            self._tensor_name = args[0]._tensor_name
        for method in args:
            self.add_pruning_method(method)

    def add_pruning_method(self, method):
        """Adds a method for the same parameter."""
        if method is not None and not isinstance(method, BasePruningMethod):
            raise TypeError(f"{type(method)} is not a BasePruningMethod subclass")
        if method is not None and self._tensor_name != method._tensor_name:
            raise ValueError(
                "Can only add pruning methods acting on the parameter named "
                f"'{self._tensor_name}' to PruningContainer {self}. Found "
                f"'{method._tensor_name}'"
            )
        self._pruning_methods += (method,)

    def __len__(self):
        return len(self._pruning_methods)

    def __iter__(self):
        return iter(self._pruning_methods)

    def __getitem__(self, idx):
        return self._pruning_methods[idx]

    def compute_mask(self, t, default_mask):
        """The default mask, with what the last method prunes of the rest."""
        method = self._pruning_methods[-1]
        left = _left(method, t, default_mask)
        mask = default_mask.to(dtype=t.dtype, copy=True)
        part = method.compute_mask(t[left], default_mask=default_mask[left])
        mask[left] = part.to(dtype=mask.dtype)
        return mask


def _left(method, t, mask):
    """The index of what a method still has to choose from."""
    kind = method.PRUNING_TYPE
    if kind == "unstructured":
        return mask == 1
    if kind == "global":
        return (slice(None),) * t.dim()
    if kind != "structured":
        raise ValueError(f"Unrecognized PRUNING_TYPE {kind}")
    if not hasattr(method, "dim"):
        raise AttributeError(
            'Pruning methods of PRUNING_TYPE "structured" need to have the attribute `dim` '
            "defined."
        )
    dim = method.dim + t.dim() if method.dim < 0 else method.dim
    if dim < 0:
        raise IndexError(f"Index is out of bounds for tensor with dimensions {t.dim()}")
    keep = mask.sum(dim=[d for d in range(t.dim()) if d != dim]) != 0
    return _along(t, dim, keep)


def _along(t, dim, index):
    where = [slice(None)] * t.dim()
    where[dim] = index
    return tuple(where)


class Identity(BasePruningMethod):
    """Prunes nothing."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t, default_mask):
        """The default mask."""
        return default_mask

    @classmethod
    def apply(cls, module, name):
        """Adds a mask of ones."""
        return super().apply(module, name)


class _Amount(BasePruningMethod):
    """A method told how much to prune: a number of units, or a part of them."""

    def __init__(self, amount):
        if not isinstance(amount, Real):
            raise TypeError(f"Invalid type for amount: {amount}. Must be int or float.")
        whole = isinstance(amount, Integral)
        if whole and amount < 0 or not whole and not 0.0 <= float(amount) <= 1.0:
            raise ValueError(
                f"amount={amount} should either be a float in the range [0, 1] or a "
                "non-negative integer"
            )
        self.amount = amount

    def _count(self, size):
        count = self.amount if isinstance(self.amount, Integral) else round(self.amount * size)
        if count > size:
            raise ValueError(
                f"amount={count} should be smaller than the number of parameters to "
                f"prune={size}"
            )
        return count


class _Unstructured(_Amount):
    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t, default_mask):
        """The default mask without the chosen elements."""
        count = self._count(t.nelement())
        mask = default_mask.clone()
        if count:
            mask.view(-1)[self._choose(t, count)] = 0
        return mask


class RandomUnstructured(_Unstructured):
    """Prunes elements at random."""

    def _choose(self, t, count):
        return ops.topk(ops.rand_like(t).view(-1), k=count).indices

    @classmethod
    def apply(cls, module, name, amount):
        """Prunes a parameter."""
        return super().apply(module, name, amount=amount)


class L1Unstructured(_Unstructured):
    """Prunes the elements nearest to zero."""

    def _choose(self, t, count):
        return ops.topk(ops.abs(t).view(-1), k=count, largest=False).indices

    @classmethod
    def apply(cls, module, name, amount, importance_scores=None):
        """Prunes a parameter."""
        return super().apply(module, name, amount=amount, importance_scores=importance_scores)


class _Structured(_Amount):
    PRUNING_TYPE = "structured"

    def compute_mask(self, t, default_mask):
        """The default mask without the chosen channels."""
        if t.dim() <= 1:
            raise ValueError(
                "Structured pruning can only be applied to multidimensional tensors. Found "
                f"tensor of shape {t.shape} with {t.dim()} dims"
            )
        if self.dim >= t.dim():
            raise IndexError(f"Invalid index {self.dim} for tensor of size {t.shape}")
        count = self._count(t.shape[self.dim])
        if count == 0:
            return default_mask
        mask = ops.zeros_like(t)
        mask[_along(t, self.dim, self._keep(t, count))] = 1
        mask *= default_mask.to(dtype=mask.dtype)
        return mask


class RandomStructured(_Structured):
    """Prunes channels at random."""

    def __init__(self, amount, dim=-1):
        super().__init__(amount)
        self.dim = dim

    def _keep(self, t, count):
        drawn = ops.rand(t.shape[self.dim])
        return drawn > ops.kthvalue(drawn, k=count).values

    @classmethod
    def apply(cls, module, name, amount, dim=-1):
        """Prunes a parameter."""
        return super().apply(module, name, amount=amount, dim=dim)


class LnStructured(_Structured):
    """Prunes the channels with the smallest n-norm."""

    def __init__(self, amount, n, dim=-1):
        super().__init__(amount)
        self.n, self.dim = n, dim

    def _keep(self, t, count):
        rest = [d for d in range(t.dim()) if d != self.dim % t.dim()]
        norms = ops.norm(t, p=self.n, dim=rest)
        return ops.topk(norms, k=t.shape[self.dim] - count, largest=True).indices

    @classmethod
    def apply(cls, module, name, amount, n, dim, importance_scores=None):
        """Prunes a parameter."""
        return super().apply(
            module, name, amount=amount, n=n, dim=dim, importance_scores=importance_scores
        )


class CustomFromMask(BasePruningMethod):
    """Prunes where a given mask is zero."""

    PRUNING_TYPE = "global"

    def __init__(self, mask):
        self.mask = mask

    def compute_mask(self, t, default_mask):
        """Both masks together."""
        _require(
            default_mask.shape == self.mask.shape,
            lambda: f"default_mask shape {default_mask.shape} must match self.mask shape "
            f"{self.mask.shape}",
        )
        return default_mask * self.mask.to(dtype=default_mask.dtype)

    @classmethod
    def apply(cls, module, name, mask):
        """Prunes a parameter."""
        return super().apply(module, name, mask=mask)


# ----- functions -----
def identity(module, name):
    """Adds a mask of ones to a parameter."""
    Identity.apply(module, name)
    return module


def random_unstructured(module, name, amount):
    """Prunes elements of a parameter at random."""
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(module, name, amount, importance_scores=None):
    """Prunes the elements of a parameter nearest to zero."""
    L1Unstructured.apply(module, name, amount=amount, importance_scores=importance_scores)
    return module


def random_structured(module, name, amount, dim):
    """Prunes channels of a parameter at random."""
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(module, name, amount, n, dim, importance_scores=None):
    """Prunes the channels of a parameter with the smallest n-norm."""
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def custom_from_mask(module, name, mask):
    """Prunes a parameter where the mask is zero."""
    CustomFromMask.apply(module, name, mask)
    return module


def global_unstructured(parameters, pruning_method, importance_scores=None, **kwargs):
    """Prunes several parameters, (module, name) each, as if they were one."""
    if not isinstance(parameters, Iterable):
        raise TypeError("global_unstructured(): parameters is not an Iterable")
    scores = {} if importance_scores is None else importance_scores
    if not isinstance(scores, dict):
        raise TypeError("global_unstructured(): importance_scores must be of type dict")
    tensors = [getattr(module, name) for module, name in parameters]
    importance = [scores.get(pair, tensor) for pair, tensor in zip(parameters, tensors)]
    masks = [getattr(module, name + "_mask", ops.ones_like(tensor))
             for (module, name), tensor in zip(parameters, tensors)]
    method = pruning_method(**kwargs)
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(
            'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method '
            f"{pruning_method} of type {method.PRUNING_TYPE}"
        )
    method._tensor_name = "temp"
    container = PruningContainer(method)
    mask = container.compute_mask(parameters_to_vector(importance), parameters_to_vector(masks))
    parts = mask.split([tensor.numel() for tensor in tensors])
    for (module, name), part, tensor in zip(parameters, parts, tensors):
        custom_from_mask(module, name, mask=part.view_as(tensor))


def remove(module, name):
    """Makes the pruned values of a parameter permanent."""
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook, BasePruningMethod) and hook._tensor_name == name:
            hook.remove(module)
            del module._forward_pre_hooks[key]
            return module
    raise ValueError(
        f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed"
    )


def is_pruned(module):
    """Whether some parameter here or below is pruned."""
    return any(isinstance(hook, BasePruningMethod) for one in module.modules()
               for hook in one._forward_pre_hooks.values())
