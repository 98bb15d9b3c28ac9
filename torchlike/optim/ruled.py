"""What the optimizers of rules.py share: they loop here, check here and write here."""

import threading

import numpy as np

from .. import ops
from ..core import capture, dtypes
from ..core.joint import Joint, plain, possible
from ..core.mutate import overwrite, renew, set_host
from ..core.storage import Storage
from ..core.tape import enable_grad, set_grad_enabled
from ..core.tensor import Tensor, from_host, to_host
from .optimizer import Optimizer, _get_scalar_dtype, _to_scalar

ACCELERATORS = ["cuda", "xpu", "hpu", "privateuseone"]
FUSED_DEVICES = ["mps", "cuda", "xpu", "hpu", "cpu", "mtia", "privateuseone"]


# ----- numbers that live on the host -----
def host_scalar(value, group, param):
    """A 0-dim state tensor such as `step`: on the host unless PyTorch keeps it beside `param`."""
    fused = group.get("fused")
    array = np.asarray(value, dtypes.to_numpy(_get_scalar_dtype(fused)))
    return from_host(array, device=param.device if fused or group.get("capturable") else None)


def full_like(tensor, value):
    """State before the first step. On the CPU no op is recorded, so all steps are one window."""
    if tensor.device.type != "cpu":
        return ops.full_like(tensor, value).detach()
    return from_host(np.full(tensor.shape, value, dtypes.to_numpy(tensor.dtype)))


def zeros_like(tensor):
    """Zeros as state."""
    return full_like(tensor, 0)


_last = (None, None, 0.0)  # what a count was, what it became, as a number


def advance(step):
    """Count one step, without a device ever seeing it; returns the new count."""
    global _last
    storage = step._storage
    before = storage.value
    old, new, count = _last
    if before is old and storage.__class__ is Storage:  # parameters' counts are equal: one Value
        storage.value = new
        storage.version += 1
        return count
    found = to_host(step) + 1
    set_host(step, np.asarray(found))
    if new is not None and found == count and new.aval is step._aval:
        storage.value = new
    _last = before, storage.value, float(found)
    return float(found)


def set_scalar(scalar, value):
    """Set a host scalar; returns the value as it is now, rounded to its dtype."""
    array = np.asarray(value, dtypes.to_numpy(scalar.dtype))
    set_host(scalar, array)
    return array.item()


def unless_zero(number):
    """None for 0: it selects the code without that term."""
    return number if isinstance(number, Tensor) or number != 0 else None


# ----- checks of arguments -----
def check_lr(lr, text="Invalid learning rate: {}"):
    """A non-negative number, or a tensor holding one."""
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError("Tensor lr must be 1-element")
    check_at_least_0(lr, text)


def check_at_least_0(value, text):
    """ValueError with the text, unless value >= 0."""
    if not 0.0 <= value:
        raise ValueError(text.format(value))


def check_betas(betas):
    """Both in [0, 1)."""
    for i in (0, 1):
        if not 0.0 <= betas[i] < 1.0:
            raise ValueError(f"Invalid beta parameter at index {i}: {betas[i]}")


def check_fused(optimizer, fused, foreach, differentiable):
    """`fused` excludes the other two; GradScaler may then leave unscaling to the step."""
    if not fused:
        return
    if differentiable:
        raise RuntimeError("`fused` does not support `differentiable`")
    optimizer._step_supports_amp_scaling = True
    if foreach:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")


NO_SPARSE = "{} does not support sparse gradients"


class RuleOptimizer(Optimizer):
    """Runs a rule for each parameter that has a gradient; the recorder makes them one program.

    `foreach`, `fused` and `capturable` are accepted, with PyTorch's checks; the rule is the same.
    """

    _added = {}  # options that older checkpoints lack
    _scalars = ("step",)  # state kept in 0-dim tensors on the host
    _captured = "params and state_steps"  # what capturable=True wants on an accelerator
    _xla = (True, False)  # whether it may be XLA: single-tensor, foreach
    _complex = True
    _takes_sparse = False
    _no_sparse = NO_SPARSE
    _foreach_differentiable = False
    _per_shape = False  # whether the numbers of an update depend on the parameter's shape

    def __setstate__(self, state):
        super().__setstate__(state)
        for group in self.param_groups:
            for name, value in self._added.items():
                group.setdefault(name, value)
            for p in group["params"]:
                held = self.state.get(p, {})
                for name in self._scalars:
                    if name in held and not isinstance(held[name], Tensor):
                        held[name] = host_scalar(float(held[name]), group, p)

    def step(self, closure=None):
        """One update of the parameters; `closure` computes the loss anew and returns it."""
        loss = None
        with set_grad_enabled(self.defaults.get("differentiable", False)):
            if closure is not None:
                with enable_grad():
                    loss = closure()
            with _Together():
                for group in self.param_groups:
                    # as in PyTorch, nothing in a group changes if one of its gradients is refused
                    for ready in [self._ready(p, group) for p in group["params"]]:
                        if ready is not None:
                            self._step_param(*ready, group)
        return loss

    def _ready(self, param, group):
        """A parameter with its gradient and state; None if it is not to be updated."""
        grad = param.grad
        if grad is None:
            return None
        if grad.is_sparse:
            if not self._takes_sparse:
                raise RuntimeError(self._no_sparse.format(type(self).__name__))
        elif not self._complex and param.is_complex():
            raise RuntimeError(f"{type(self).__name__} does not support complex parameters")
        elif group.get("fused"):
            _check_fused_param(param)
            if not self._unscale(grad):
                return None
        return param, grad, self._state_of(param, grad, group)

    def _step_param(self, param, grad, state, group):
        if grad.is_sparse:
            _finish_together()
            return self._sparse_update(param, grad, state, group)
        self._check_kind(param, group)
        step = capture.current()
        if step is None:
            self._update(param, grad, state, group)
        else:
            step.update(self, param, grad, state, group)

    def _state_of(self, param, grad, group):
        state = self.state[param]
        if not state:
            state.update(self._start(param, grad, group))
        return state

    def _start(self, param, grad, group):
        """The state before the first step."""
        raise NotImplementedError

    def _update(self, param, grad, state, group):
        """One step of one parameter."""
        raise NotImplementedError

    def _sparse_update(self, param, grad, state, group):
        """One step of one parameter whose gradient is sparse."""
        raise NotImplementedError

    def _unscale(self, grad):
        """GradScaler's share of a fused step; False where an infinity was found."""
        if getattr(self, "found_inf", None) is not None and float(self.found_inf):
            return False
        if getattr(self, "grad_scale", None) is not None:
            overwrite(grad, grad / self.grad_scale)
        return True

    def _check_kind(self, param, group):
        foreach = bool(group.get("foreach"))
        if foreach and group.get("differentiable") and not self._foreach_differentiable:
            raise AssertionError("_foreach ops don't support autograd")
        if group.get("capturable") and not group.get("fused"):
            devices = ACCELERATORS + ["xla"] * self._xla[foreach]
            if param.device.type not in devices:
                captured = self._captured
                if foreach:  # PyTorch's list has one more comma there
                    captured = captured.replace("mu_products and", "mu_products, and")
                raise AssertionError(
                    f"If capturable=True, {captured} must be on supported devices: {devices}."
                )


def _check_fused_param(param):
    if param.device.type not in FUSED_DEVICES or not param.is_floating_point():
        raise RuntimeError(
            "`fused=True` requires all the params to be floating point Tensors of supported "
            f"devices: {FUSED_DEVICES} but {param.dtype} and {param.device.type}"
        )


class _Pending(threading.local):
    joint = None  # the updates of the step in progress, where they are recorded together


_PENDING = _Pending()


class _Together:
    """Updates inside are recorded as one at the end, also if one of them fails."""

    def __enter__(self):
        one_by_one = capture.current() is not None or not possible()
        self.outer, _PENDING.joint = _PENDING.joint, None if one_by_one else Joint()

    def __exit__(self, *error):
        try:
            _finish_together()
        finally:
            _PENDING.joint = self.outer


def _finish_together():
    if _PENDING.joint is not None:
        _PENDING.joint.finish()


def apply(rule, param, grad, *state, **numbers):
    """Write what the rule makes of a parameter and its state into them."""
    replayed = capture.CURRENT.numbers
    if replayed is not None:  # only the numbers are wanted: the program does the rest
        replayed.append((rule, state, numbers))
        return
    step = capture.current()
    if step is None:
        _write(rule, param, grad, state, numbers)
    else:
        step.apply(rule, lambda: _write(rule, param, grad, state, numbers), state, numbers)


def _write(rule, param, grad, state, numbers):
    if _PENDING.joint is not None and _joined(rule, (param, grad, *state), numbers):
        return
    if param.is_complex():
        real = ops.view_as_real
        param, grad, *state = (None if t is None else real(t) for t in (param, grad, *state))
    results = rule(param, grad, *state, **numbers)
    written = [t for t in (param, *state) if t is not None]
    for tensor, result in zip(written, [results] if len(written) == 1 else results, strict=True):
        renew(tensor, result)


def _joined(rule, tensors, numbers):
    """Whether the update was put with the others of this step."""
    given = [numbers[name] for name in rule.inputs]
    usual = not tensors[0].is_complex() and Tensor not in map(type, given)
    if not usual or not all(map(plain, tensors)):
        _finish_together()
        return False
    _PENDING.joint.add(rule.declared, tensors, given, tuple([numbers[n] for n in rule.statics]))
    return True


def decays(group, lr):
    """Weight decay as the rules take it: added to the gradient, or a factor of the parameter."""
    weight_decay = unless_zero(group["weight_decay"])
    if weight_decay is None or not group.get("decoupled_weight_decay"):
        return {"weight_decay": weight_decay, "shrink": None}
    return {"weight_decay": None, "shrink": 1 - lr * weight_decay}


def scalar_lr(group):
    """The group's learning rate: a number or a 0-dim tensor."""
    return _to_scalar(group["lr"])
