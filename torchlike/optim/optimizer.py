"""Optimizer: parameter groups, state, hooks and checkpoints."""

import functools
import warnings
from collections import OrderedDict, defaultdict
from collections.abc import Iterable
from copy import deepcopy
from itertools import chain

from .. import ops
from ..core import capture, dtypes
from ..core.hooks import RemovableHandle
from ..core.run import step_boundary
from ..core.snapshot import HOLDERS
from ..core.tape import set_grad_enabled
from ..core.tensor import Tensor
from ..misc import typename

ParamsT = Iterable[Tensor] | Iterable[dict] | Iterable[tuple[str, Tensor]]

SET_OF_PARAMS = (
    "optimizer parameters need to be organized in ordered collections, but the ordering of "
    "tensors in sets will change between runs. Please use a list instead."
)
DUPLICATES = (
    "optimizer contains a parameter group with duplicate parameters; in future, this will cause "
    "an error; see github.com/pytorch/pytorch/issues/40967 for more information"
)
WRONG_SIZE = (
    "loaded state dict contains a parameter group that doesn't match the size of optimizer's group"
)

_global_optimizer_pre_hooks = OrderedDict()
_global_optimizer_post_hooks = OrderedDict()


class _RequiredParameter:
    """Stands for an option without a default."""

    def __repr__(self):
        return "<required parameter>"


required = _RequiredParameter()


# ----- small helpers, some of them imported by third-party optimizers -----
def _to_scalar(x):
    """A one-element tensor without its dims; numbers as they are."""
    return x.squeeze() if isinstance(x, Tensor) and x.dim() != 0 else x


def _get_value(x):
    return x.item() if isinstance(x, Tensor) else x


def _get_scalar_dtype(is_fused=None):
    """The dtype of `step` and its like."""
    wide = dtypes.get_default_dtype() == dtypes.float64 and not is_fused
    return dtypes.float64 if wide else dtypes.float32


def _view_as_real(params, *state_and_grads):
    for i, p in enumerate(params):
        if p.is_complex():
            for tensors in (params, *state_and_grads):
                tensors[i] = ops.view_as_real(tensors[i])


def _use_grad_for_differentiable(func):
    """A step that records gradients only if the optimizer is differentiable."""

    @functools.wraps(func)
    def step(self, *args, **kwargs):
        with set_grad_enabled(self.defaults["differentiable"]):
            return func(self, *args, **kwargs)

    return step


def register_optimizer_step_pre_hook(hook):
    """Call `hook(optimizer, args, kwargs)` before every step of every optimizer."""
    return _register(_global_optimizer_pre_hooks, hook)


def register_optimizer_step_post_hook(hook):
    """Call `hook(optimizer, args, kwargs)` after every step of every optimizer."""
    return _register(_global_optimizer_post_hooks, hook)


def _register(hooks, hook, prepend=False):
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


_HOOKS = (
    "_optimizer_step_pre_hooks",
    "_optimizer_step_post_hooks",
    "_optimizer_state_dict_pre_hooks",
    "_optimizer_state_dict_post_hooks",
    "_optimizer_load_state_dict_pre_hooks",
    "_optimizer_load_state_dict_post_hooks",
)


class Optimizer:
    """Base of all optimizers. The end of a step also ends a window of recorded ops."""

    def __init__(self, params, defaults):
        self.defaults = defaults
        self._make_hooks()
        self._patch_step_function()
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, "
                f"but got {typename(params)}"
            )
        self.state = defaultdict(dict)
        self.param_groups = []
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)
        step_boundary()  # the model is made: its first step is a window as all later ones are

    def _make_hooks(self):
        for name in _HOOKS:
            self.__dict__.setdefault(name, OrderedDict())

    # Hooks are not saved: they may be anything.
    def __getstate__(self):
        return {
            "defaults": self.defaults, "state": self.state, "param_groups": self.param_groups
        }  # fmt: skip

    def __setstate__(self, state):
        self.__dict__.update(state)
        self._make_hooks()
        self._patch_step_function()
        self.defaults.setdefault("differentiable", False)

    def __repr__(self):
        text = f"{type(self).__name__} ("
        for i, group in enumerate(self.param_groups):
            text += f"\nParameter Group {i}\n"
            text += "".join(f"    {k}: {group[k]}\n" for k in sorted(group) if k != "params")
        return text + ")"

    # ----- stepping -----
    def step(self, closure=None):
        """One update of the parameters; `closure` computes the loss anew and returns it."""
        raise NotImplementedError

    @staticmethod
    def profile_hook_step(func):
        """The step with its hooks called before and after, and the window ended."""

        @functools.wraps(func)
        def wrapper(*args, **kwargs):
            self = args[0]
            before = chain(
                _global_optimizer_pre_hooks.values(), self._optimizer_step_pre_hooks.values()
            )
            for hook in before:
                changed = hook(self, args, kwargs)
                if changed is not None:
                    args, kwargs = _checked_arguments(func, changed)
            step = capture.current()
            if step is not None:
                step.stepped.append(self)
            out = func(*args, **kwargs)
            after = chain(
                self._optimizer_step_post_hooks.values(), _global_optimizer_post_hooks.values()
            )
            for hook in after:
                hook(self, args, kwargs)
            step_boundary()
            return out

        return wrapper

    def _patch_step_function(self):
        cls = type(self)
        if not getattr(cls.step, "hooked", None):
            cls.step = self.profile_hook_step(cls.step)
            cls.step.hooked = True

    def _accelerator_graph_capture_health_check(self):
        """Nothing to check: there are no CUDA graphs here. Third-party steps call it."""

    _cuda_graph_capture_health_check = _accelerator_graph_capture_health_check

    def zero_grad(self, set_to_none=True):
        """Forget the gradients, or set them to zero."""
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                if set_to_none:
                    p.grad = None
                    continue
                if p.grad.grad_fn is not None:
                    p.grad.detach_()
                else:
                    p.grad.requires_grad_(False)
                p.grad.zero_()

    # ----- hooks -----
    def register_step_pre_hook(self, hook):
        """Call `hook(optimizer, args, kwargs)` before each step; it may return new ones."""
        return _register(self._optimizer_step_pre_hooks, hook)

    def register_step_post_hook(self, hook):
        """Call `hook(optimizer, args, kwargs)` after each step."""
        return _register(self._optimizer_step_post_hooks, hook)

    def register_state_dict_pre_hook(self, hook, prepend=False):
        """Call `hook(optimizer)` before `state_dict`."""
        return _register(self._optimizer_state_dict_pre_hooks, hook, prepend)

    def register_state_dict_post_hook(self, hook, prepend=False):
        """Call `hook(optimizer, state_dict)` after `state_dict`; it may return another one."""
        return _register(self._optimizer_state_dict_post_hooks, hook, prepend)

    def register_load_state_dict_pre_hook(self, hook, prepend=False):
        """Call `hook(optimizer, state_dict)` before loading; it may return another one."""
        return _register(self._optimizer_load_state_dict_pre_hooks, hook, prepend)

    def register_load_state_dict_post_hook(self, hook, prepend=False):
        """Call `hook(optimizer)` after loading."""
        return _register(self._optimizer_load_state_dict_post_hooks, hook, prepend)

    # ----- checkpoints -----
    def state_dict(self):
        """State and groups, with parameters replaced by their numbers. Tensors are not copied."""
        for hook in self._optimizer_state_dict_pre_hooks.values():
            hook(self)
        ids, groups = {}, []
        start = 0
        for group in self.param_groups:
            packed = {key: value for key, value in group.items() if key != "params"}
            for i, p in enumerate(group["params"], start):
                ids.setdefault(id(p), i)
            packed["params"] = [ids[id(p)] for p in group["params"]]
            start += len(packed["params"])
            groups.append(packed)
        state = {ids[id(k)] if isinstance(k, Tensor) else k: v for k, v in self.state.items()}
        return _through(
            self._optimizer_state_dict_post_hooks, self, {"state": state, "param_groups": groups}
        )

    def load_state_dict(self, state_dict):
        """Take over a state dict's options and state, on the parameters' devices and dtypes."""
        state_dict = _through(self._optimizer_load_state_dict_pre_hooks, self, state_dict.copy())
        saved = deepcopy(state_dict["param_groups"])
        groups = self.param_groups
        if len(groups) != len(saved):
            raise ValueError("loaded state dict has a different number of parameter groups")
        if any(len(g["params"]) != len(s["params"]) for g, s in zip(groups, saved)):
            raise ValueError(WRONG_SIZE)
        owner = dict(zip(
            chain.from_iterable(s["params"] for s in saved),
            chain.from_iterable(g["params"] for g in groups),
        ))  # fmt: skip
        state = defaultdict(dict)
        for key, value in state_dict["state"].items():
            if key in owner:
                param = owner[key]
                state[param] = _cast(param, value, key, state_dict["param_groups"])
            else:
                state[key] = value
        for group, new in zip(groups, saved):
            new["params"] = group["params"]
            if "param_names" in group:
                new.setdefault("param_names", group["param_names"])
        self.__setstate__({"state": state, "param_groups": saved})
        for hook in self._optimizer_load_state_dict_post_hooks.values():
            hook(self)

    @staticmethod
    def _process_value_according_to_param_policy(param, value, param_id, param_groups, key=None):
        """A state tensor as it belongs to `param`: `step` keeps its dtype and stays on the host."""
        group = next((g for g in param_groups if param_id in g["params"]), {})
        if key == "step":
            if group.get("capturable", False) or group.get("fused", False):
                return value.to(dtype=dtypes.float32, device=param.device)
            return value
        if param.is_floating_point():
            return value.to(dtype=param.dtype, device=param.device)
        return value.to(device=param.device)

    # ----- groups -----
    def add_param_group(self, param_group):
        """Optimize more parameters, with options of their own."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        _collect(param_group)
        self._check_params(param_group["params"])
        for name, default in self.defaults.items():
            if default is required and name not in param_group:
                raise ValueError(
                    "parameter group didn't specify a value of required optimization parameter "
                    f"{name}"
                )
            param_group.setdefault(name, default)
        params = set(param_group["params"])
        if len(params) != len(param_group["params"]):
            warnings.warn(DUPLICATES, stacklevel=3)
        for group in self.param_groups:
            _check_names_match(param_group, group)
        if any(not params.isdisjoint(group["params"]) for group in self.param_groups):
            raise ValueError("some parameters appear in more than one parameter group")
        self.param_groups.append(param_group)

    def _check_params(self, params):
        for p in params:
            if not isinstance(p, Tensor):
                raise TypeError(
                    f"optimizer can only optimize Tensors, but one of the params is {typename(p)}"
                )
            if not (self.defaults.get("differentiable") or p.is_leaf or p.retains_grad):
                raise ValueError("can't optimize a non-leaf Tensor")


HOLDERS.append(Optimizer)


def _checked_arguments(func, changed):
    if isinstance(changed, tuple) and len(changed) == 2:
        return changed
    raise RuntimeError(
        f"{func} must return None or a tuple of (new_args, new_kwargs), but got {changed}."
    )


def _through(hooks, optimizer, state_dict):
    """The state dict after the hooks: each may return another one."""
    for hook in hooks.values():
        changed = hook(optimizer, state_dict)
        if changed is not None:
            state_dict = changed
    return state_dict


def _cast(param, value, param_id, groups, key=None):
    if isinstance(value, Tensor):
        policy = Optimizer._process_value_according_to_param_policy
        return policy(param, value, param_id, groups, key)
    if isinstance(value, dict):
        return {k: _cast(param, v, param_id, groups, k) for k, v in value.items()}
    if isinstance(value, Iterable):
        return type(value)(_cast(param, v, param_id, groups) for v in value)
    return value


def _collect(group):
    """Make `params` a list of tensors, and `param_names` that of their names if they have any."""
    params = group["params"]
    if isinstance(params, set):
        raise TypeError(SET_OF_PARAMS)
    params = [params] if isinstance(params, Tensor) else list(params)
    names = [p[0] for p in params if isinstance(p, tuple)]
    group["params"] = [p[1] if isinstance(p, tuple) else p for p in params]
    if names:
        if len(names) != len(params):
            raise ValueError(
                "all optimizer params should be with/without names. Some param names are missing"
            )
        group["param_names"] = names


def _check_names_match(new, group):
    if ("param_names" in new) != ("param_names" in group):
        kind = "with names" if "param_names" in new else "without names"
        raise ValueError(
            "all optimizer param groups should be with/without names. "
            f"cannot add param group {kind} to the optimizer"
        )
