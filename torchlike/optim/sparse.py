"""Updates from sparse gradients: only the rows that have one move. PyTorch's order of operations,
so that sums come out alike.
"""

import math

from .. import ops


def _like(grad, values):
    """Other values at the places of a gradient."""
    return ops.sparse_coo_tensor(grad._indices(), values, grad.shape)


def _held(dense, grad):
    """The state at the places of a gradient."""
    return dense.sparse_mask(grad)._values()


def sgd(param, grad, state, group):
    """Descent; the momentum of rows is a sparse tensor, too."""
    lr, momentum = group["lr"], group["momentum"]
    grad = -grad if group["maximize"] else grad
    if group["weight_decay"] != 0:
        grad = grad + group["weight_decay"] * param
    if momentum != 0:
        buffer = state.get("momentum_buffer")
        if buffer is None:
            buffer = state["momentum_buffer"] = grad.clone()
        else:
            buffer.mul_(momentum).add_(grad, alpha=1 - group["dampening"])
        grad = grad.add(buffer, alpha=momentum) if group["nesterov"] else buffer
    param.add_(grad, alpha=-float(lr))


def adagrad(param, grad, state, group, lr):
    """Adagrad's step, its learning rate decayed already."""
    if group["weight_decay"] != 0:
        raise RuntimeError("weight_decay option is not compatible with sparse gradients")
    grad = (-grad if group["maximize"] else grad).coalesce()
    values = grad._values()
    state["sum"].add_(_like(grad, values.pow(2)))
    deviation = _held(state["sum"], grad).sqrt() + group["eps"]
    param.add_(_like(grad, values / deviation), alpha=-float(lr))


def adam(param, grad, state, group):
    """Adam with moments that only move where the gradient has a value."""
    beta1, beta2 = group["betas"]
    state["step"] += 1
    grad = (-grad if group["maximize"] else grad).coalesce()
    values = grad._values()
    if not values.numel():
        return
    first, second = state["exp_avg"], state["exp_avg_sq"]
    mean, square = _held(first, grad), _held(second, grad)
    mean_step = (values - mean) * (1 - beta1)
    square_step = (values.pow(2) - square) * (1 - beta2)
    first.add_(_like(grad, mean_step))
    second.add_(_like(grad, square_step))
    denominator = (square_step + square).sqrt() + group["eps"]
    corrections = 1 - beta1 ** state["step"], 1 - beta2 ** state["step"]
    size = float(group["lr"]) * math.sqrt(corrections[1]) / corrections[0]
    param.add_(_like(grad, -size * ((mean_step + mean) / denominator)))
