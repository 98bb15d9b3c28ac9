"""LRScheduler: counts epochs, asks `get_lr` for the new rates and puts them into the groups."""

import warnings
from contextlib import contextmanager
from functools import wraps
from types import FunctionType
from weakref import ref

from ...core.capture import hosted
from ...core.snapshot import HOLDERS
from ...core.tensor import Tensor
from ..optimizer import Optimizer, _to_scalar

EPOCH_DEPRECATION_WARNING = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where "
    "possible. Please use `scheduler.step()` to step the scheduler. During the deprecation, if "
    "epoch is different from None, the closed form is used instead of the new chainable form, "
    "where available. Please open an issue if you are unable to replicate your use case: "
    "https://github.com/pytorch/pytorch/issues/new/choose."
)
MORE = "https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate"
STEP_OVERRIDDEN = (
    "Seems like `optimizer.step()` has been overridden after learning rate scheduler "
    "initialization. Please, make sure to call `optimizer.step()` before `lr_scheduler.step()`. "
    f"See more details at {MORE}"
)
STEP_ORDER = (
    "Detected call of `lr_scheduler.step()` before `optimizer.step()`. In PyTorch 1.1.0 and later, "
    "you should call them in the opposite order: `optimizer.step()` before `lr_scheduler.step()`.  "
    "Failure to do this will result in PyTorch skipping the first value of the learning rate "
    f"schedule. See more details at {MORE}"
)
ASK_LAST_LR = (
    "To get the last learning rate computed by the scheduler, please use `get_last_lr()`."
)
NO_INITIAL_LR = (
    "param 'initial_lr' is not specified in param_groups[{}] when resuming scheduler with "
    "last_epoch >= 0.\nThis typically happens when:\n1. You're trying to resume training from a "
    "checkpoint but haven't properly loaded the optimizer state\n2. You're using last_epoch >= 0 "
    "for a fresh training run (not recommended)"
)


# ----- options of the groups -----
def _copied(value):
    return value.clone() if isinstance(value, Tensor) else value


def _format_param(name, optimizer, param):
    """One value per group."""
    count = len(optimizer.param_groups)
    if not isinstance(param, list | tuple):
        return [_copied(param) for _ in range(count)]
    if len(param) != count:
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups. {name} has {len(param)} "
            f"values, param_groups has {count}."
        )
    return [_copied(value) for value in param]


def _param_groups_val_list(optimizer, key):
    return [_copied(group[key]) for group in optimizer.param_groups]


def _update_param_group_val(param_group, key, val):
    if isinstance(param_group[key], Tensor):
        param_group[key].fill_(_to_scalar(val))
    else:
        param_group[key] = val


def check_optimizer(optimizer):
    """TypeError unless it is one."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")


def start_momentum(scheduler, optimizer, base, largest, last_epoch):
    """Give the groups the bounds between which a scheduler cycles momentum (or beta1)."""
    if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
        raise ValueError(
            "optimizer must support momentum or beta1 with `cycle_momentum` option enabled"
        )
    scheduler.use_beta1 = "betas" in optimizer.defaults
    if last_epoch == -1:
        for low, high, group in zip(base, largest, optimizer.param_groups):
            set_momentum(scheduler, group, high)
            group["max_momentum"], group["base_momentum"] = high, low


def set_momentum(scheduler, group, momentum):
    """Set the group's momentum, or its beta1."""
    if scheduler.use_beta1:
        group["betas"] = (momentum, *group["betas"][1:])
    else:
        group["momentum"] = momentum


# ----- modes -----
@contextmanager
def _enable_get_lr_call(scheduler):
    scheduler._get_lr_called_within_step = True
    try:
        yield scheduler
    finally:
        scheduler._get_lr_called_within_step = False


@contextmanager
def _initial_mode(scheduler):
    scheduler._is_initial = True
    try:
        yield
    finally:
        scheduler._is_initial = False


def _warn_get_lr_called_within_step(scheduler):
    if not scheduler._get_lr_called_within_step:
        warnings.warn(ASK_LAST_LR, UserWarning, stacklevel=2)


def _watch_steps(optimizer):
    """Make the optimizer note that it was stepped, so that the order can be checked."""
    if hasattr(optimizer.step, "_wrapped_by_lr_sched"):
        return
    func, held = optimizer.step.__func__, ref(optimizer)

    @wraps(func)
    def step(*args, **kwargs):
        optimizer = held()
        optimizer._opt_called = True
        return func.__get__(optimizer, type(optimizer))(*args, **kwargs)

    step._wrapped_by_lr_sched = True
    optimizer.step = step


# ----- functions in checkpoints -----
def function_state(function):
    """What a checkpoint holds of a function: a callable object's fields, or None."""
    plain = function is None or isinstance(function, FunctionType)
    return None if plain else function.__dict__.copy()


class LRScheduler:
    """Base of schedulers: subclasses give `get_lr`, and `_get_closed_form_lr` if they can."""

    _get_lr_called_within_step = False
    _is_initial = False

    def __init__(self, optimizer, last_epoch=-1):
        check_optimizer(optimizer)
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", _copied(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(NO_INITIAL_LR.format(i))
        self.base_lrs = _param_groups_val_list(optimizer, "initial_lr")
        self.last_epoch = last_epoch
        _watch_steps(optimizer)
        self._initial_step()

    def _initial_step(self):
        self._step_count = 0
        with _initial_mode(self):
            self.step()

    def state_dict(self):
        """All fields but the optimizer."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict):
        """Take over the fields of a state dict."""
        self.__dict__.update(state_dict)

    def get_last_lr(self):
        """The rates this scheduler set last, one per group."""
        return self._last_lr

    def get_lr(self):
        """The next rates, one per group."""
        raise NotImplementedError

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "step" in cls.__dict__:
            cls.step = hosted(cls.step)

    @hosted
    def step(self, epoch=None):
        """Go on by one epoch (or, deprecated, to `epoch`) and set the rates."""
        if self._step_count == 1:
            if not hasattr(self.optimizer.step, "_wrapped_by_lr_sched"):
                warnings.warn(STEP_OVERRIDDEN, UserWarning, stacklevel=2)
            elif not getattr(self.optimizer, "_opt_called", False):
                warnings.warn(STEP_ORDER, UserWarning, stacklevel=2)
        self._step_count += 1
        if epoch is not None:
            warnings.warn(EPOCH_DEPRECATION_WARNING, UserWarning, stacklevel=2)
        self._update_lr(epoch)

    def _update_lr(self, epoch=None):
        with _enable_get_lr_call(self):
            self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
            closed = getattr(self, "_get_closed_form_lr", None)
            values = self.get_lr() if epoch is None or closed is None else closed()
        self._set(values)

    def _set(self, values):
        for group, lr in zip(self.optimizer.param_groups, values, strict=True):
            _update_param_group_val(group, "lr", lr)
        self._last_lr = _param_groups_val_list(self.optimizer, "lr")

    # ----- shorthands for the schedules -----
    def _kept(self):
        return _param_groups_val_list(self.optimizer, "lr")

    def _scaled(self, factor):
        return [group["lr"] * factor for group in self.optimizer.param_groups]

    def _from_base(self, factor):
        return [base_lr * factor for base_lr in self.base_lrs]


HOLDERS.append(LRScheduler)


class _LRScheduler(LRScheduler):
    """The base's old name: third-party schedulers still derive from it."""
