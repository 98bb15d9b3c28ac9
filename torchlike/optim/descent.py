"""Optimizers without a second moment: SGD, ASGD, Rprop, Muon."""

import math

from ..core.tensor import Tensor
from . import rules, sparse
from .ruled import (
    RuleOptimizer,
    advance,
    apply,
    check_at_least_0,
    check_fused,
    check_lr,
    full_like,
    host_scalar,
    scalar_lr,
    set_scalar,
    unless_zero,
    zeros_like,
)


class SGD(RuleOptimizer):
    """Gradient descent with momentum, dampening and Nesterov's variant."""

    _added = {
        "nesterov": False, "maximize": False, "foreach": None, "differentiable": False,
        "fused": False,
    }  # fmt: skip
    _foreach_differentiable = True
    _takes_sparse = True

    def __init__(
        self, params, lr=1e-3, momentum=0, dampening=0, weight_decay=0, nesterov=False, *,
        maximize=False, foreach=None, differentiable=False, fused=None,
    ):  # fmt: skip
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        for name, value in (
            ("learning rate:", lr), ("momentum value:", momentum),
            ("weight_decay value:", weight_decay),
        ):  # fmt: skip
            if value < 0.0:
                raise ValueError(f"Invalid {name} {value}")
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        defaults = {
            "lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay,
            "nesterov": nesterov, "maximize": maximize, "foreach": foreach,
            "differentiable": differentiable, "fused": fused,
        }  # fmt: skip
        super().__init__(params, defaults)
        check_fused(self, fused, foreach, differentiable)

    def _state_of(self, param, grad, group):
        return self.state[param] if group["momentum"] != 0 else {}

    def _update(self, param, grad, state, group):
        momentum, undamped = unless_zero(group["momentum"]), 1 - group["dampening"]
        first = momentum is not None and state.get("momentum_buffer") is None
        if first:  # zeros and no dampening: the buffer starts as the gradient
            state["momentum_buffer"], undamped = zeros_like(param), 1
        apply(
            rules.sgd, param, grad, state.get("momentum_buffer"), lr=scalar_lr(group),
            momentum=momentum, undamped=undamped, nesterov=bool(group["nesterov"]),
            weight_decay=unless_zero(group["weight_decay"]), maximize=bool(group["maximize"]),
            cut=first and group["differentiable"],
        )  # fmt: skip

    def _sparse_update(self, param, grad, state, group):
        sparse.sgd(param, grad, state, group)


class ASGD(RuleOptimizer):
    """Averaged gradient descent: state `ax` is the average of the path after `t0` steps."""

    _added = {"foreach": None, "maximize": False, "differentiable": False, "capturable": False}
    _scalars = ("step", "eta", "mu")
    _captured = "params, mus, etas, and state_steps"

    def __init__(
        self, params, lr=1e-2, lambd=1e-4, alpha=0.75, t0=1e6, weight_decay=0, foreach=None,
        maximize=False, differentiable=False, capturable=False,
    ):  # fmt: skip
        check_lr(lr)
        check_at_least_0(weight_decay, "Invalid weight_decay value: {}")
        defaults = {
            "lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay,
            "foreach": foreach, "maximize": maximize, "differentiable": differentiable,
            "capturable": capturable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def _start(self, param, grad, group):
        starts = {"step": 0.0, "eta": float(scalar_lr(group)), "mu": 1.0}
        state = {name: host_scalar(value, group, param) for name, value in starts.items()}
        return {**state, "ax": zeros_like(param)}

    def _update(self, param, grad, state, group):
        lr, lambd = float(scalar_lr(group)), group["lambd"]
        step, eta = advance(state["step"]), state["eta"].item()
        apply(
            rules.asgd, param, grad, state["ax"], eta=eta, shrink=1 - lambd * eta,
            mu=state["mu"].item(), weight_decay=unless_zero(group["weight_decay"]),
            maximize=bool(group["maximize"]),
        )  # fmt: skip
        set_scalar(state["eta"], lr / (1 + lambd * lr * step) ** group["alpha"])
        set_scalar(state["mu"], 1 / max(1, step - group["t0"]))


class Rprop(RuleOptimizer):
    """Resilient backpropagation: each element has its own step size."""

    _added = {"foreach": None, "maximize": False, "differentiable": False, "capturable": False}
    _xla = (True, True)

    def __init__(
        self, params, lr=1e-2, etas=(0.5, 1.2), step_sizes=(1e-6, 50), *, capturable=False,
        foreach=None, maximize=False, differentiable=False,
    ):  # fmt: skip
        check_lr(lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        defaults = {
            "lr": lr, "etas": etas, "step_sizes": step_sizes, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable, "capturable": capturable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def _start(self, param, grad, group):
        lr = float(scalar_lr(group))
        size = complex(lr, lr) if param.is_complex() else lr
        return {
            "step": host_scalar(0.0, group, param), "prev": zeros_like(param),
            "step_size": full_like(grad, size),
        }  # fmt: skip

    def _update(self, param, grad, state, group):
        advance(state["step"])
        (etaminus, etaplus), (smallest, largest) = group["etas"], group["step_sizes"]
        apply(
            rules.rprop, param, grad, state["prev"], state["step_size"], etaminus=etaminus,
            etaplus=etaplus, smallest=smallest, largest=largest, maximize=bool(group["maximize"]),
        )  # fmt: skip


class Muon(RuleOptimizer):
    """Momentum made orthogonal, for the 2-D parameters of hidden layers."""

    _complex = False
    _per_shape = True
    _scalars = ()

    def __init__(
        self, params, lr=1e-3, weight_decay=0.1, momentum=0.95, nesterov=True,
        ns_coefficients=(3.4445, -4.775, 2.0315), eps=1e-7, ns_steps=5, adjust_lr_fn=None,
    ):  # fmt: skip
        check_lr(lr, "Learning rate should be >= 0 but is: {}")
        check_at_least_0(momentum, "momentum should be >= 0 but is: {}")
        check_at_least_0(weight_decay, "weight decay should be >= 0 but is: {}")
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ValueError(f"Adjust learning rate function {adjust_lr_fn} is not supported")
        defaults = {
            "lr": lr, "weight_decay": weight_decay, "momentum": momentum, "nesterov": nesterov,
            "ns_coefficients": ns_coefficients, "eps": eps, "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
        }  # fmt: skip
        super().__init__(params, defaults)
        for group in self.param_groups:
            for p in group["params"]:
                if p.ndim != 2:
                    raise ValueError(
                        "Muon only supports 2D parameters whereas we found a parameter with size: "
                        f"{p.size()}"
                    )

    def _start(self, param, grad, group):
        return {"momentum_buffer": zeros_like(grad)}

    def _update(self, param, grad, state, group):
        if grad.ndim != 2:
            raise ValueError("Param gradient must be a 2D matrix")
        if group["ns_steps"] >= 100:
            raise ValueError("Number of steps must be less than 100 for computational efficiency")
        if len(group["ns_coefficients"]) != 3:
            raise ValueError("Coefficients must be a tuple of exactly 3 values")
        lr = scalar_lr(group)
        apply(
            rules.muon, param, grad, state["momentum_buffer"],
            lr=lr * _shape_factor(param.shape, group["adjust_lr_fn"]),
            shrink=1 - lr * group["weight_decay"], momentum=group["momentum"], eps=group["eps"],
            nesterov=bool(group["nesterov"]), coefficients=tuple(group["ns_coefficients"]),
            steps=group["ns_steps"],
        )  # fmt: skip


def _shape_factor(shape, adjust_lr_fn):
    rows, columns = shape
    if adjust_lr_fn == "match_rms_adamw":
        return 0.2 * math.sqrt(max(rows, columns))
    return math.sqrt(max(1, rows / columns))
