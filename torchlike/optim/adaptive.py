"""Optimizers that divide by a second moment of the gradient: Adam and its relatives."""

import numpy as np

from ..core import dtypes
from ..core.tape import enable_grad, no_grad
from ..core.tensor import Tensor, to_host
from . import rules, sparse
from .optimizer import Optimizer, _to_scalar
from .ruled import (
    NO_SPARSE,
    RuleOptimizer,
    advance,
    apply,
    check_at_least_0,
    check_betas,
    check_fused,
    check_lr,
    decays,
    full_like,
    host_scalar,
    scalar_lr,
    set_scalar,
    unless_zero,
    zeros_like,
)

EPS = "Invalid epsilon value: {}"
DECAY = "Invalid weight_decay value: {}"
LR_FOREACH = "{} as a Tensor is not supported for capturable=False and foreach=True"


def _check_adam(lr, betas, eps, weight_decay):
    check_lr(lr)
    check_at_least_0(eps, EPS)
    check_betas(betas)
    check_at_least_0(weight_decay, DECAY)


def _moments(optimizer_group, param, second="exp_avg_sq"):
    return {
        "step": host_scalar(0.0, optimizer_group, param), "exp_avg": zeros_like(param),
        second: zeros_like(param),
    }  # fmt: skip


class Adam(RuleOptimizer):
    """Adam, with AMSGrad and decoupled weight decay as options."""

    _added = {
        "amsgrad": False, "maximize": False, "foreach": None, "capturable": False,
        "differentiable": False, "decoupled_weight_decay": False, "fused": None,
    }  # fmt: skip
    _no_sparse = NO_SPARSE.format("Adam") + ", please consider SparseAdam instead"

    def __init__(
        self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, amsgrad=False, *,
        foreach=None, maximize=False, capturable=False, differentiable=False, fused=None,
        decoupled_weight_decay=False,
    ):  # fmt: skip
        if isinstance(lr, Tensor) and foreach and not capturable:
            raise ValueError(LR_FOREACH.format("lr"))
        _check_adam(lr, betas, eps, weight_decay)
        _check_tensor_betas(betas, foreach and not capturable)
        defaults = {
            "lr": lr, "betas": tuple(map(_to_scalar, betas)), "eps": eps,
            "weight_decay": weight_decay, "amsgrad": amsgrad, "maximize": maximize,
            "foreach": foreach, "capturable": capturable, "differentiable": differentiable,
            "fused": fused, "decoupled_weight_decay": decoupled_weight_decay,
        }  # fmt: skip
        super().__init__(params, defaults)
        check_fused(self, fused, foreach, differentiable)

    def _start(self, param, grad, group):
        state = _moments(group, param)
        if group["amsgrad"]:
            state["max_exp_avg_sq"] = zeros_like(param)
        return state

    def _update(self, param, grad, state, group):
        if group["foreach"] and isinstance(group["lr"], Tensor) and not group["capturable"]:
            raise RuntimeError(LR_FOREACH.format("lr"))
        (beta1, beta2), lr = group["betas"], scalar_lr(group)
        step = advance(state["step"])
        if group["differentiable"]:
            step = np.float32(step)  # PyTorch's corrections are float32 tensors then
        apply(
            rules.adam, param, grad, state["exp_avg"], state["exp_avg_sq"],
            state["max_exp_avg_sq"] if group["amsgrad"] else None,
            step_size=lr / (1 - beta1**step), weight1=1 - beta1, beta2=beta2, weight2=1 - beta2,
            root_correction2=(1 - beta2**step) ** 0.5, eps=group["eps"],
            maximize=bool(group["maximize"]), **decays(group, lr),
        )  # fmt: skip


def _check_tensor_betas(betas, plain_foreach):
    if not all(isinstance(b, float) for b in betas[:2]):
        if not all(isinstance(b, Tensor) for b in betas[:2]):
            raise ValueError("betas must be either both floats or both Tensors")
        for i in (0, 1):
            if plain_foreach:
                raise ValueError(LR_FOREACH.format(f"betas[{i}]"))
            if betas[i].numel() != 1:
                raise ValueError(f"Tensor betas[{i}] must be 1-element")


class AdamW(Adam):
    """Adam whose weight decay acts on the parameters alone."""

    def __init__(
        self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2, amsgrad=False, *,
        maximize=False, foreach=None, capturable=False, differentiable=False, fused=None,
    ):  # fmt: skip
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, foreach=foreach, maximize=maximize,
            capturable=capturable, differentiable=differentiable, fused=fused,
            decoupled_weight_decay=True,
        )  # fmt: skip

    # Checkpoints from before the merger of the two lack the option; here it is always on.
    def __setstate__(self, state):
        super().__setstate__(state)
        for group in self.param_groups:
            group["decoupled_weight_decay"] = True


class Adamax(RuleOptimizer):
    """Adam with the infinity norm."""

    _added = {"foreach": None, "maximize": False, "differentiable": False, "capturable": False}

    def __init__(
        self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, foreach=None, *,
        maximize=False, differentiable=False, capturable=False,
    ):  # fmt: skip
        _check_adam(lr, betas, eps, weight_decay)
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
            "foreach": foreach, "maximize": maximize, "differentiable": differentiable,
            "capturable": capturable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def _start(self, param, grad, group):
        return _moments(group, param, "exp_inf")

    def _update(self, param, grad, state, group):
        beta1, beta2 = group["betas"]
        step = advance(state["step"])
        apply(
            rules.adamax, param, grad, state["exp_avg"], state["exp_inf"],
            step_size=scalar_lr(group) / (1 - beta1**step), weight1=1 - beta1, beta2=beta2,
            eps=group["eps"], weight_decay=unless_zero(group["weight_decay"]),
            maximize=bool(group["maximize"]),
        )  # fmt: skip


class NAdam(RuleOptimizer):
    """Adam with Nesterov's momentum, whose weight follows a schedule."""

    _added = {
        "maximize": False, "foreach": None, "capturable": False, "differentiable": False,
        "decoupled_weight_decay": False,
    }  # fmt: skip
    _scalars = ("step", "mu_product")
    _captured = "params, mu_products and state_steps"

    def __init__(
        self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, momentum_decay=4e-3,
        decoupled_weight_decay=False, *, foreach=None, maximize=False, capturable=False,
        differentiable=False,
    ):  # fmt: skip
        _check_adam(lr, betas, eps, weight_decay)
        check_at_least_0(momentum_decay, "Invalid momentum_decay value: {}")
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
            "momentum_decay": momentum_decay, "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize, "foreach": foreach, "capturable": capturable,
            "differentiable": differentiable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def _start(self, param, grad, group):
        return {
            "step": host_scalar(0.0, group, param), "mu_product": host_scalar(1.0, group, param),
            "exp_avg": zeros_like(param), "exp_avg_sq": zeros_like(param),
        }  # fmt: skip

    def _update(self, param, grad, state, group):
        (beta1, beta2), lr = group["betas"], scalar_lr(group)
        step = advance(state["step"])
        mu, mu_next = (
            beta1 * (1.0 - 0.5 * 0.96 ** (t * group["momentum_decay"])) for t in (step, step + 1)
        )
        product = set_scalar(state["mu_product"], to_host(state["mu_product"]) * mu)
        apply(
            rules.nadam, param, grad, state["exp_avg"], state["exp_avg_sq"],
            grad_size=lr * (1.0 - mu) / (1.0 - product),
            avg_size=lr * mu_next / (1.0 - product * mu_next), weight1=1 - beta1, beta2=beta2,
            weight2=1 - beta2, correction2=1 - beta2**step, eps=group["eps"],
            maximize=bool(group["maximize"]), **decays(group, lr),
        )  # fmt: skip


class RAdam(RuleOptimizer):
    """Adam that turns adaptive only when its second moment rests on enough gradients."""

    _added = {
        "foreach": None, "maximize": False, "differentiable": False,
        "decoupled_weight_decay": False, "capturable": False,
    }  # fmt: skip

    def __init__(
        self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0,
        decoupled_weight_decay=False, *, foreach=None, maximize=False, capturable=False,
        differentiable=False,
    ):  # fmt: skip
        _check_adam(lr, betas, eps, weight_decay)
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
            "maximize": maximize, "foreach": foreach, "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay, "differentiable": differentiable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def _start(self, param, grad, group):
        return _moments(group, param)

    def _update(self, param, grad, state, group):
        (beta1, beta2), lr = group["betas"], scalar_lr(group)
        step = advance(state["step"])
        correction2 = 1 - beta2**step
        apply(
            rules.radam, param, grad, state["exp_avg"], state["exp_avg_sq"], lr=lr,
            rect=_rectification(beta2, step, correction2), weight1=1 - beta1, beta2=beta2,
            weight2=1 - beta2, correction1=1 - beta1**step, root_correction2=correction2**0.5,
            eps=group["eps"], maximize=bool(group["maximize"]), **decays(group, lr),
        )  # fmt: skip


def _rectification(beta2, step, correction2):
    """The variance rectification term, 0.0 while the variance is intractable."""
    inf = 2 / (1 - beta2) - 1
    rho = inf - 2 * step * beta2**step / correction2
    if rho <= 5.0:
        return 0.0
    return ((rho - 4) * (rho - 2) * inf / ((inf - 4) * (inf - 2) * rho)) ** 0.5


class Adagrad(RuleOptimizer):
    """Steps divided by the root of the sum of squared gradients. State exists from the start."""

    _takes_sparse = True
    _added = {"foreach": None, "maximize": False, "differentiable": False, "fused": None}

    def __init__(
        self, params, lr=1e-2, lr_decay=0, weight_decay=0, initial_accumulator_value=0, eps=1e-10,
        foreach=None, *, maximize=False, differentiable=False, fused=None,
    ):  # fmt: skip
        check_lr(lr)
        check_at_least_0(lr_decay, "Invalid lr_decay value: {}")
        check_at_least_0(weight_decay, DECAY)
        check_at_least_0(
            initial_accumulator_value, "Invalid initial_accumulator_value value: {}"
        )
        check_at_least_0(eps, EPS)
        defaults = {
            "lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable, "fused": fused,
        }  # fmt: skip
        super().__init__(params, defaults)
        check_fused(self, fused, foreach, differentiable)
        for group in self.param_groups:
            for p in group["params"]:
                self.state[p].update(self._start(p, None, group))

    def share_memory(self):
        """Move the sums to memory that other processes see."""
        for group in self.param_groups:
            for p in group["params"]:
                self.state[p]["sum"].share_memory_()

    def _start(self, param, grad, group):
        value = self.defaults["initial_accumulator_value"]
        if param.is_complex():
            value = complex(value, value)
        return {"step": host_scalar(0.0, group, param), "sum": full_like(param, value)}

    def _update(self, param, grad, state, group):
        step = advance(state["step"])
        apply(
            rules.adagrad, param, grad, state["sum"],
            lr=scalar_lr(group) / (1 + (step - 1) * group["lr_decay"]), eps=group["eps"],
            weight_decay=unless_zero(group["weight_decay"]), maximize=bool(group["maximize"]),
        )  # fmt: skip

    def _sparse_update(self, param, grad, state, group):
        step = advance(state["step"])
        lr = scalar_lr(group) / (1 + (step - 1) * group["lr_decay"])
        sparse.adagrad(param, grad, state, group, lr)


class Adadelta(RuleOptimizer):
    """Steps scaled by past steps over past gradients."""

    _added = {"foreach": None, "maximize": False, "differentiable": False, "capturable": False}
    _xla = (False, False)

    def __init__(
        self, params, lr=1.0, rho=0.9, eps=1e-6, weight_decay=0, foreach=None, *,
        capturable=False, maximize=False, differentiable=False,
    ):  # fmt: skip
        check_lr(lr)
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho}")
        check_at_least_0(eps, EPS)
        check_at_least_0(weight_decay, DECAY)
        defaults = {
            "lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
            "capturable": capturable, "foreach": foreach, "differentiable": differentiable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def _start(self, param, grad, group):
        return {
            "step": host_scalar(0.0, group, param), "square_avg": zeros_like(param),
            "acc_delta": zeros_like(param),
        }  # fmt: skip

    def _update(self, param, grad, state, group):
        advance(state["step"])
        apply(
            rules.adadelta, param, grad, state["square_avg"], state["acc_delta"],
            lr=scalar_lr(group), rho=group["rho"], weight=1 - group["rho"], eps=group["eps"],
            weight_decay=unless_zero(group["weight_decay"]), maximize=bool(group["maximize"]),
        )  # fmt: skip


class RMSprop(RuleOptimizer):
    """Steps divided by the root of the mean squared gradient."""

    _added = {
        "momentum": 0, "centered": False, "foreach": None, "maximize": False,
        "differentiable": False, "capturable": False,
    }  # fmt: skip
    _xla = (True, True)

    def __init__(
        self, params, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0, momentum=0, centered=False,
        capturable=False, foreach=None, maximize=False, differentiable=False,
    ):  # fmt: skip
        check_lr(lr)
        check_at_least_0(eps, EPS)
        check_at_least_0(momentum, "Invalid momentum value: {}")
        check_at_least_0(weight_decay, DECAY)
        check_at_least_0(alpha, "Invalid alpha value: {}")
        defaults = {
            "lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered,
            "weight_decay": weight_decay, "capturable": capturable, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def _start(self, param, grad, group):
        state = {"step": host_scalar(0.0, group, param), "square_avg": zeros_like(param)}
        if group["momentum"] > 0:
            state["momentum_buffer"] = zeros_like(param)
        if group["centered"]:
            state["grad_avg"] = zeros_like(param)
        return state

    def _update(self, param, grad, state, group):
        advance(state["step"])
        momentum = group["momentum"]
        apply(
            rules.rmsprop, param, grad, state["square_avg"],
            state["momentum_buffer"] if momentum > 0 else None,
            state["grad_avg"] if group["centered"] else None, lr=scalar_lr(group),
            alpha=group["alpha"], weight=1 - group["alpha"], eps=group["eps"],
            momentum=momentum if momentum > 0 else None,
            weight_decay=unless_zero(group["weight_decay"]), maximize=bool(group["maximize"]),
        )  # fmt: skip


class Adafactor(RuleOptimizer):
    """Adam-like steps whose memory for a matrix is its rows plus its columns."""

    _added = {"foreach": None}
    _complex = False

    def __init__(
        self, params, lr=1e-2, beta2_decay=-0.8, eps=(None, 1e-3), d=1.0, weight_decay=0.0, *,
        foreach=None, maximize=False,
    ):  # fmt: skip
        check_lr(lr, "Learning rate should be >= 0 but is: {}")
        if not 0.0 >= beta2_decay:
            raise ValueError(f"beta2_decay should be <= 0 but is: {beta2_decay}")
        if eps[0] is not None:
            check_at_least_0(eps[0], "epsilon1 should be >= 0 but is: {}")
        check_at_least_0(eps[1], "epsilon2 should be >= 0 but is: {}")
        if not 1.0 <= d:
            raise ValueError(f"Clipping threshold d should be >= 1 but is: {d}")
        check_at_least_0(weight_decay, "weight_decay should be >= 0 but is: {}")
        defaults = {
            "lr": lr, "beta2_decay": beta2_decay, "eps": eps, "d": d,
            "weight_decay": weight_decay, "foreach": foreach, "maximize": maximize,
        }  # fmt: skip
        super().__init__(params, defaults)

    def _start(self, param, grad, group):
        state = {"step": host_scalar(0.0, group, param)}
        if grad.dim() <= 1:
            return {**state, "variance": zeros_like(grad)}
        *rows, last = grad.shape
        state["row_var"] = grad.new_zeros([*rows, 1])
        state["col_var"] = grad.new_zeros([*rows[:-1], 1, last])
        return state

    def _update(self, param, grad, state, group):
        lr, (eps1, eps2) = scalar_lr(group), group["eps"]
        step = advance(state["step"])
        decay = unless_zero(group["weight_decay"])
        apply(
            rules.adafactor, param, grad, state.get("row_var"), state.get("col_var"),
            state.get("variance"), rho=min(lr, 1 / step**0.5), weight=step ** group["beta2_decay"],
            eps1=dtypes.finfo(param.dtype).eps if eps1 is None else eps1, eps2=eps2, d=group["d"],
            shrink=None if decay is None else 1 - lr * decay, maximize=bool(group["maximize"]),
        )  # fmt: skip


class SparseAdam(Optimizer):
    """Adam for sparse gradients: rows without one keep their moments and stay where they are."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, maximize=False):
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        for text, value in (("learning rate", lr), ("epsilon value", eps)):
            if not 0.0 < value:
                raise ValueError(f"Invalid {text}: {value}")
        check_betas(betas)
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize})
        places = [
            ([i, j], p)
            for i, group in enumerate(self.param_groups)
            for j, p in enumerate(group["params"])
        ]
        wrong = [place for place, p in places if p.is_sparse]
        if wrong:
            raise ValueError(
                f"Sparse params at indices {wrong}: SparseAdam requires dense parameter tensors"
            )
        complex_ = [place for place, p in places if p.is_complex()]
        if complex_:
            raise ValueError(
                f"Complex params at indices {complex_}: SparseAdam does not support complex "
                "parameters"
            )

    @no_grad()
    def step(self, closure=None):
        """One update of the rows that have a gradient."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None and not p.grad.is_sparse:
                    raise RuntimeError(
                        "SparseAdam does not support dense gradients, please consider Adam instead"
                    )
                if p.grad is not None:
                    self._update(p, group)
        return loss

    def _update(self, param, group):
        state = self.state[param]
        if not state:
            state.update(step=0, exp_avg=zeros_like(param), exp_avg_sq=zeros_like(param))
        sparse.adam(param, param.grad, state, group)
