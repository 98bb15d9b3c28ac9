"""One pure rule per optimizer: (param, grad, *state, numbers) -> (new param, *new state).

The order of the arithmetic is that of PyTorch's single-tensor loops. Numbers come at run time, so a
schedule never recompiles; one that is None selects code. Bias corrections are made by the classes.
"""

import functools

import jax
import jax.numpy as jnp

from ..core.op import Array, Number, Optional, op


def rule(body, elementwise=True):
    """The op of a rule: half precision is computed in float32, numbers join at that dtype."""

    def wide(param, *arrays, **options):
        kind = jnp.float32 if param.dtype.itemsize == 2 else param.dtype

        def widen(x):
            return x.astype(kind) if hasattr(x, "astype") else x

        results = body(
            widen(param), *map(widen, arrays), **{name: widen(x) for name, x in options.items()}
        )
        return [x.astype(param.dtype) for x in results]

    declared = op(promote="none", module=None, elementwise=elementwise)(body)
    declared.body = wide
    public = declared.public
    public.order = tuple(p.name for p in declared.params)  # numbers are recorded in this order
    public.declared = declared
    public.inputs = [p.name for p in declared.inputs if p.kind == "number"]
    public.statics = [p.name for p in declared.statics]
    return public


def _signed(grad, maximize):
    return -grad if maximize else grad


def _decayed(grad, param, weight_decay):
    return grad if weight_decay is None else grad + weight_decay * param


def _shrunk(param, shrink):
    return param if shrink is None else param * shrink


def _lerp(start, end, weight):
    """PyTorch's: from the nearer end, so that weight 1 gives `end` exactly."""
    near = weight < 0.5
    return jnp.where(near, start, end) + jnp.where(near, weight, weight - 1) * (end - start)


@rule
def sgd(
    param: Array, grad: Array, buf: Optional[Array], *, lr: Number, momentum: Optional[Number],
    undamped: Number, weight_decay: Optional[Number], nesterov: bool, maximize: bool, cut: bool,
):  # fmt: skip
    """Gradient descent; `undamped` is 1 - dampening. `cut`: the buffer starts without history."""
    grad = _decayed(_signed(grad, maximize), param, weight_decay)
    if buf is None:
        return [param - lr * grad]
    buf = jax.lax.stop_gradient(grad) if cut else buf * momentum + undamped * grad
    grad = grad + momentum * buf if nesterov else buf
    return param - lr * grad, buf


@rule
def adam(
    param: Array, grad: Array, exp_avg: Array, exp_avg_sq: Array, max_exp_avg_sq: Optional[Array],
    *, step_size: Number, weight1: Number, beta2: Number, weight2: Number, root_correction2: Number,
    eps: Number, weight_decay: Optional[Number], shrink: Optional[Number], maximize: bool,
):  # fmt: skip
    """Adam, AdamW (`shrink`) and AMSGrad. `step_size` holds the first bias correction."""
    grad, param = _decayed(_signed(grad, maximize), param, weight_decay), _shrunk(param, shrink)
    exp_avg = _lerp(exp_avg, grad, weight1)
    exp_avg_sq = exp_avg_sq * beta2 + weight2 * grad * grad
    state, largest = [exp_avg, exp_avg_sq], exp_avg_sq
    if max_exp_avg_sq is not None:
        largest = jnp.maximum(max_exp_avg_sq, exp_avg_sq)
        state.append(largest)
    denom = jnp.sqrt(largest) / root_correction2 + eps
    return param - step_size * exp_avg / denom, *state


@rule
def adamax(
    param: Array, grad: Array, exp_avg: Array, exp_inf: Array, *, step_size: Number,
    weight1: Number, beta2: Number, eps: Number, weight_decay: Optional[Number], maximize: bool,
):  # fmt: skip
    """Adam with the largest gradient in place of the mean square."""
    grad = _decayed(_signed(grad, maximize), param, weight_decay)
    exp_avg = _lerp(exp_avg, grad, weight1)
    exp_inf = jnp.maximum(exp_inf * beta2, jnp.abs(grad) + eps)
    return param - step_size * exp_avg / exp_inf, exp_avg, exp_inf


@rule
def nadam(
    param: Array, grad: Array, exp_avg: Array, exp_avg_sq: Array, *, grad_size: Number,
    avg_size: Number, weight1: Number, beta2: Number, weight2: Number, correction2: Number,
    eps: Number, weight_decay: Optional[Number], shrink: Optional[Number], maximize: bool,
):  # fmt: skip
    """Adam with Nesterov's momentum: the gradient and its average each move the parameter."""
    param = _shrunk(param, shrink)
    grad = _decayed(_signed(grad, maximize), param, weight_decay)
    exp_avg = _lerp(exp_avg, grad, weight1)
    exp_avg_sq = exp_avg_sq * beta2 + weight2 * grad * grad
    denom = jnp.sqrt(exp_avg_sq / correction2) + eps
    return param - grad_size * grad / denom - avg_size * exp_avg / denom, exp_avg, exp_avg_sq


@rule
def radam(
    param: Array, grad: Array, exp_avg: Array, exp_avg_sq: Array, *, lr: Number, rect: Number,
    weight1: Number, beta2: Number, weight2: Number, correction1: Number, root_correction2: Number,
    eps: Number, weight_decay: Optional[Number], shrink: Optional[Number], maximize: bool,
):  # fmt: skip
    """Rectified Adam: not adaptive while `rect` is 0, in the first few steps."""
    param = _shrunk(param, shrink)
    grad = _decayed(_signed(grad, maximize), param, weight_decay)
    exp_avg = _lerp(exp_avg, grad, weight1)
    exp_avg_sq = exp_avg_sq * beta2 + weight2 * grad * grad
    update = exp_avg / correction1 * lr
    adapted = update * (root_correction2 / (jnp.sqrt(exp_avg_sq) + eps)) * rect
    return param - jnp.where(rect > 0, adapted, update), exp_avg, exp_avg_sq


@rule
def adagrad(
    param: Array, grad: Array, total: Array, *, lr: Number, eps: Number,
    weight_decay: Optional[Number], maximize: bool,
):  # fmt: skip
    """Steps divided by the root of all squared gradients so far."""
    grad = _decayed(_signed(grad, maximize), param, weight_decay)
    total = total + grad * grad
    return param - lr * grad / (jnp.sqrt(total) + eps), total


@rule
def adadelta(
    param: Array, grad: Array, square_avg: Array, acc_delta: Array, *, lr: Number, rho: Number,
    weight: Number, eps: Number, weight_decay: Optional[Number], maximize: bool,
):  # fmt: skip
    """Steps in the parameter's own unit: past changes over past gradients."""
    grad = _decayed(_signed(grad, maximize), param, weight_decay)
    square_avg = square_avg * rho + weight * grad * grad
    delta = jnp.sqrt(acc_delta + eps) / jnp.sqrt(square_avg + eps) * grad
    acc_delta = acc_delta * rho + weight * delta * delta
    return param - lr * delta, square_avg, acc_delta


@rule
def rmsprop(
    param: Array, grad: Array, square_avg: Array, buf: Optional[Array], grad_avg: Optional[Array],
    *, lr: Number, alpha: Number, weight: Number, eps: Number, momentum: Optional[Number],
    weight_decay: Optional[Number], maximize: bool,
):  # fmt: skip
    """Steps divided by the root of the mean square gradient; centered: by its deviation."""
    grad = _decayed(_signed(grad, maximize), param, weight_decay)
    square_avg = variance = square_avg * alpha + weight * grad * grad
    state = [square_avg]
    if grad_avg is not None:
        grad_avg = _lerp(grad_avg, grad, weight)
        variance = square_avg - grad_avg * grad_avg
    avg = jnp.sqrt(variance) + eps
    if buf is None:
        param = param - lr * grad / avg
    else:
        buf = buf * momentum + grad / avg
        param = param - lr * buf
        state.append(buf)
    return param, *state, *([] if grad_avg is None else [grad_avg])


@rule
def rprop(
    param: Array, grad: Array, prev: Array, step_size: Array, *, etaminus: Number, etaplus: Number,
    smallest: Number, largest: Number, maximize: bool,
):  # fmt: skip
    """Only the gradient's sign counts; each element's step grows while the sign stays."""
    grad = _signed(grad, maximize)
    sign = jnp.sign(grad * prev)
    factor = jnp.where(sign > 0, etaplus, jnp.where(sign < 0, etaminus, sign + 1))
    step_size = jnp.minimum(jnp.maximum(step_size * factor, smallest), largest)
    grad = jnp.where(sign < 0, jnp.zeros_like(grad), grad)
    return param - jnp.sign(grad) * step_size, grad, step_size


@rule
def asgd(
    param: Array, grad: Array, ax: Array, *, eta: Number, shrink: Number, mu: Number,
    weight_decay: Optional[Number], maximize: bool,
):  # fmt: skip
    """Gradient descent and, in `ax`, the average of its path."""
    grad = _decayed(_signed(grad, maximize), param, weight_decay)
    param = param * shrink - eta * grad
    return param, jnp.where(mu == 1, param, ax + (param - ax) * mu)


def _norm(array, axis=None):
    return jnp.sqrt(jnp.sum(array * array, axis=axis, keepdims=axis is not None))


@functools.partial(rule, elementwise=False)
def adafactor(
    param: Array, grad: Array, row_var: Optional[Array], col_var: Optional[Array],
    variance: Optional[Array], *, rho: Number, weight: Number, eps1: Number, eps2: Number,
    d: Number, shrink: Optional[Number], maximize: bool,
):  # fmt: skip
    """Adam's second moment of a matrix from its row and column means; relative step sizes."""
    grad = _signed(grad, maximize)
    alpha = jnp.maximum(eps2, _norm(param) / param.size**0.5) * rho
    if variance is None:
        row_var = _lerp(row_var, _norm(grad, -1) ** 2 / grad.shape[-1], weight)
        col_var = _lerp(col_var, _norm(grad, -2) ** 2 / grad.shape[-2], weight)
        mean = row_var.mean(-2, keepdims=True)
        estimate, state = row_var * col_var / jnp.maximum(mean, eps1), [row_var, col_var]
    else:
        estimate = variance = _lerp(variance, grad * grad, weight)
        state = [variance]
    update = jax.lax.rsqrt(jnp.maximum(estimate, eps1 * eps1)) * grad
    denom = jnp.maximum(1, _norm(update) / (update.size**0.5 * d))
    return _shrunk(param, shrink) - alpha / denom * update, *state


def _rounded(array):
    """To bfloat16's precision, kept in float32: XLA would drop a cast there and back."""
    return jax.lax.reduce_precision(array, exponent_bits=8, mantissa_bits=7)


def _orthogonal(matrix, coefficients, steps, eps):
    """Newton-Schulz iterations in bfloat16 towards the nearest orthogonal matrix."""
    a, b, c = coefficients
    tall = matrix.shape[0] > matrix.shape[1]
    x = _rounded(matrix.astype(jnp.float32))
    x = x.T if tall else x
    x = _rounded(x / jnp.maximum(_rounded(_norm(x)), _rounded(eps.astype(jnp.float32))))
    for _ in range(steps):
        gram = _rounded(_product(x, x.T))
        x = _rounded(a * x + _product(_rounded(b * gram + c * _product(gram, gram)), x))
    return x.T if tall else x


def _product(left, right):
    """Of matrices that hold bfloat16 numbers; accumulated in float32."""
    left, right = left.astype(jnp.bfloat16), right.astype(jnp.bfloat16)
    return jnp.matmul(left, right, preferred_element_type=jnp.float32)


@functools.partial(rule, elementwise=False)
def muon(
    param: Array, grad: Array, buf: Array, *, lr: Number, shrink: Number, momentum: Number,
    eps: Number, nesterov: bool, coefficients: tuple, steps: int,
):  # fmt: skip
    """Momentum whose update is made orthogonal; `lr` is already adjusted to the shape."""
    buf = _lerp(buf, grad, 1 - momentum)
    update = _lerp(grad, buf, momentum) if nesterov else buf
    update = _orthogonal(update, coefficients, steps, eps).astype(param.dtype)
    return param * shrink - lr * update, buf
