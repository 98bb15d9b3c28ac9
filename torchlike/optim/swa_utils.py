"""Averages of a model's weights: AveragedModel, its averaging functions, SWALR, update_bn."""

import itertools
import math
from copy import deepcopy

import numpy as np

from .. import ops
from ..core import capture
from ..core.mutate import set_host
from ..core.tape import no_grad
from ..core.tensor import from_host, to_host
from ..nn.module import Module
from .lr_scheduler import LRScheduler
from .lr_scheduler.base import _format_param, _warn_get_lr_called_within_step

__all__ = [
    "AveragedModel", "update_bn", "SWALR", "get_ema_multi_avg_fn", "get_swa_multi_avg_fn",
    "get_ema_avg_fn", "get_swa_avg_fn",
]  # fmt: skip


# ----- averaging functions -----
def _check_decay(decay):
    if decay < 0.0 or decay > 1.0:
        raise ValueError(
            f"Invalid decay value {decay} provided. Please provide a value in [0,1] range."
        )


def _is_continuous(tensor):
    return tensor.is_floating_point() or tensor.is_complex()


def get_ema_multi_avg_fn(decay=0.999):
    """Exponential moving averages of a list of tensors, in place."""
    _check_decay(decay)

    @no_grad()
    def ema_update(ema_param_list, current_param_list, _):
        pairs = zip(ema_param_list, current_param_list, strict=True)
        if _is_continuous(ema_param_list[0]):
            for average, current in pairs:
                average.lerp_(current, 1 - decay)
        else:
            for average, current in pairs:
                average.copy_(average * decay + current * (1 - decay))

    return ema_update


def get_swa_multi_avg_fn():
    """Running means of a list of tensors, in place."""

    @no_grad()
    def swa_update(averaged_param_list, current_param_list, num_averaged):
        pairs = zip(averaged_param_list, current_param_list, strict=True)
        if _is_continuous(averaged_param_list[0]):
            weight = 1 / (num_averaged + 1)
            for average, current in pairs:
                average.lerp_(current, weight)
        else:
            for average, current in pairs:
                average.addcdiv_(current - average, ops.as_tensor(num_averaged + 1))

    return swa_update


def get_ema_avg_fn(decay=0.999):
    """The exponential moving average of one tensor."""
    _check_decay(decay)

    @no_grad()
    def ema_update(ema_param, current_param, num_averaged):
        return decay * ema_param + (1 - decay) * current_param

    return ema_update


def get_swa_avg_fn():
    """The running mean of one tensor."""

    @no_grad()
    def swa_update(averaged_param, current_param, num_averaged):
        return averaged_param + (current_param - averaged_param) / (num_averaged + 1)

    return swa_update


class AveragedModel(Module):
    """A copy of a model whose parameters are averages of the model's over time."""

    def __init__(
        self, model, device=None, avg_fn=None, multi_avg_fn=None, use_buffers=False
    ):
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", from_host(np.asarray(0, np.int64), device=device))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args, **kwargs):
        """What the averaged model gives."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model):
        """Take the model's present parameters into the average."""
        mine, theirs = self._averaged(self.module), self._averaged(model)
        pairs = [(a.detach(), p.detach().to(a.device)) for a, p in zip(mine, theirs)]
        step = capture.current()
        count = int(to_host(self.n_averaged)) if step is None else step.count(self.n_averaged)
        if count == 0:
            for average, current in pairs:
                average.copy_(current)
        else:
            self._average(pairs)
        if not self.use_buffers:
            for average, current in zip(self.module.buffers(), model.buffers(), strict=True):
                average.detach().copy_(current.detach().to(average.device))
        if step is None:
            set_host(self.n_averaged, np.asarray(count + 1))  # counted without ending the window
        else:
            self.n_averaged.add_(1)

    def _averaged(self, model):
        buffers = model.buffers() if self.use_buffers else ()
        return itertools.chain(model.parameters(), buffers)

    def _average(self, pairs):
        if self.multi_avg_fn is None:
            function = self.avg_fn or get_swa_avg_fn()
            for average, current in pairs:
                average.copy_(function(average, current, self.n_averaged.to(average.device)))
            return
        kinds = {}
        for average, current in pairs:
            lists = kinds.setdefault((average.device, average.dtype), ([], []))
            lists[0].append(average)
            lists[1].append(current)
        for (device, _), lists in kinds.items():
            self.multi_avg_fn(*lists, self.n_averaged.to(device))


@no_grad()
def update_bn(loader, model, device=None):
    """Estimate the running statistics of all batch norms anew, by one pass over the data."""
    from ..nn.norm import _BatchNorm

    momenta = {}
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            module.reset_running_stats()
            momenta[module] = module.momentum
    if not momenta:
        return
    was_training = model.training
    model.train()
    for module in momenta:
        module.momentum = None
    for input in loader:
        if isinstance(input, list | tuple):
            input = input[0]
        model(input if device is None else input.to(device))
    for module, momentum in momenta.items():
        module.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """Anneals the rate to a fixed one, `swa_lr`."""

    def __init__(
        self, optimizer, swa_lr, anneal_epochs=10, anneal_strategy="cos", last_epoch=-1
    ):
        swa_lrs = _format_param("swa_lr", optimizer, swa_lr)
        for lr, group in zip(swa_lrs, optimizer.param_groups):
            group["swa_lr"] = lr
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                "anneal_strategy must be one of 'cos' or 'linear', instead got "
                f"{anneal_strategy}"
            )
        self._set_anneal_func(anneal_strategy)
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(
                f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}"
            )
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    @staticmethod
    def _linear_anneal(t):
        return t

    @staticmethod
    def _cosine_anneal(t):
        return (1 - math.cos(math.pi * t)) / 2

    @staticmethod
    def _get_initial_lr(lr, swa_lr, alpha):
        """The rate before annealing, from the present one."""
        return swa_lr if alpha == 1 else (lr - alpha * swa_lr) / (1 - alpha)

    def _alpha(self, step):
        return self.anneal_func(max(0, min(1, step / max(1, self.anneal_epochs))))

    def get_lr(self):
        """Rates at the next step."""
        _warn_get_lr_called_within_step(self)
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, alpha = self._alpha(step - 1), self._alpha(step)
        rates = []
        for group in self.optimizer.param_groups:
            start = self._get_initial_lr(group["lr"], group["swa_lr"], before)
            rates.append(group["swa_lr"] * alpha + start * (1 - alpha))
        return rates

    def _set_anneal_func(self, anneal_strategy):
        self._anneal_strategy = anneal_strategy
        cosine = anneal_strategy == "cos"
        self.anneal_func = self._cosine_anneal if cosine else self._linear_anneal

    def state_dict(self):
        """Fields but the annealing function."""
        state = super().state_dict()
        state.pop("anneal_func")
        return state

    def load_state_dict(self, state_dict):
        """Take over fields."""
        self.__dict__.update(state_dict)
        self._set_anneal_func(self._anneal_strategy)
