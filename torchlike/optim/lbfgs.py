"""LBFGS: a quasi-Newton method whose step evaluates the closure several times.

Numbers that Python compares (slopes, step lengths) are NumPy scalars of the parameters' dtype:
their arithmetic is that of PyTorch's 0-dim tensors, without a program for each.
"""

from typing import NamedTuple

import numpy as np

from .. import ops
from ..core.tape import enable_grad, no_grad
from ..core.tensor import Tensor, from_host, to_host
from .optimizer import Optimizer, _to_scalar
from .ruled import check_lr


def _read(tensor):
    """A 0-dim tensor as a NumPy scalar."""
    return to_host(tensor)[()]


class _Point(NamedTuple):
    """A place on the search line: step length, loss, gradient, slope along the line."""

    t: object
    loss: object
    grad: Tensor
    slope: object


def _cubic_minimum(a, b, bounds=None):
    """The step where the cubic through two points' losses and slopes is least, within bounds."""
    low, high = bounds or ((a.t, b.t) if a.t <= b.t else (b.t, a.t))
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = d1**2 - a.slope * b.slope
    if square < 0 or square != square:
        return (low + high) / 2.0
    d2 = np.sqrt(square)
    if a.t <= b.t:
        t = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
    else:
        t = a.t - (a.t - b.t) * ((a.slope + d2 - d1) / (a.slope - b.slope + 2 * d2))
    return min(max(t, low), high)


class _StrongWolfe:
    """A line search for a point that satisfies the strong Wolfe conditions."""

    def __init__(self, evaluate, start, max_iter, c1=1e-4, c2=0.9, tolerance=1e-9):
        self.evaluate, self.start, self.max_iter = evaluate, start, max_iter
        self.c1, self.c2, self.tolerance = c1, c2, tolerance
        self.iterations = 0

    def run(self, t, reach):
        """(point, evaluations); `reach` is the largest element of the direction."""
        with np.errstate(all="ignore"):
            bracket, found = self._bracket(t)
            if not found:
                bracket = self._zoom(bracket, reach)
        return min(bracket, key=lambda p: p.loss), self.iterations + 1

    def _too_high(self, point):
        start = self.start
        return point.loss > start.loss + self.c1 * point.t * start.slope

    def _flat_enough(self, point):
        return abs(point.slope) <= -self.c2 * self.start.slope

    def _bracket(self, t):
        """Two points with a minimum between them; or one that will do, and True."""
        before, point = self.start._replace(t=0), self.evaluate(t)
        while self.iterations < self.max_iter:
            if self._too_high(point) or (self.iterations > 1 and point.loss >= before.loss):
                return [before, point], False
            if self._flat_enough(point):
                return [point], True
            if point.slope >= 0:
                return [before, point], False
            t = point.t
            bounds = t + 0.01 * (t - before.t), t * 10
            t = _cubic_minimum(before, point, bounds)
            before, point = point, self.evaluate(t)
            self.iterations += 1
        return [self.start._replace(t=0), point], True

    def _zoom(self, bracket, reach):
        """Shrink the bracket around the minimum."""
        stalled, done = False, False
        low, high = _sorted(bracket)
        while not done and self.iterations < self.max_iter:
            if abs(bracket[1].t - bracket[0].t) * reach < self.tolerance:
                break
            t = _cubic_minimum(*bracket)
            t, stalled = _away_from_ends(t, [p.t for p in bracket], stalled)
            point = self.evaluate(t)
            self.iterations += 1
            if self._too_high(point) or point.loss >= bracket[low].loss:
                bracket[high] = point
                low, high = _sorted(bracket)
                continue
            if self._flat_enough(point):
                done = True
            elif point.slope * (bracket[high].t - bracket[low].t) >= 0:
                bracket[high] = bracket[low]
            bracket[low] = point
        return [bracket[low]]


def _sorted(bracket):
    return (0, 1) if bracket[0].loss <= bracket[1].loss else (1, 0)


def _away_from_ends(t, ends, stalled):
    """Keep the trial point off the bracket's ends when the search does not progress."""
    low, high = min(ends), max(ends)
    margin = 0.1 * (high - low)
    if not min(high - t, t - low) < margin:
        return t, False
    if not (stalled or t >= high or t <= low):
        return t, True
    return (high - margin if abs(t - high) < abs(t - low) else low + margin), False


# PyTorch's order of what a step leaves in the state; `al` is before them if it is there.
KEPT = ("d", "t", "old_dirs", "old_stps", "ro", "H_diag", "prev_flat_grad", "prev_loss")


class LBFGS(Optimizer):
    """Limited-memory BFGS; `step` needs a closure. One parameter group only."""

    def __init__(
        self, params, lr=1, max_iter=20, max_eval=None, tolerance_grad=1e-7,
        tolerance_change=1e-9, history_size=100, line_search_fn=None,
    ):  # fmt: skip
        check_lr(lr)
        defaults = {
            "lr": lr, "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change,
            "history_size": history_size, "line_search_fn": line_search_fn,
        }  # fmt: skip
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    @property
    def _params(self):
        return self.param_groups[0]["params"]

    # ----- parameters and gradients as one vector -----
    def _gather_flat_grad(self):
        return ops.cat([_flat_grad(p) for p in self._params], 0)

    def _add_grad(self, step_size, update):
        offset = 0
        for p in self._params:
            p = ops.view_as_real(p) if p.is_complex() else p
            part = update[offset : offset + p.numel()]
            p.add_(part.view_as(p), alpha=step_size)
            offset += p.numel()

    def _evaluate(self, closure, start, t, direction):
        """Loss and gradient at a point of the search line; the parameters are put back."""
        self._add_grad(t, direction)
        loss = float(closure())
        grad = self._gather_flat_grad()
        for p, value in zip(self._params, start):
            p.copy_(value)
        return _Point(t, loss, grad, _read(grad.dot(direction)))

    # ----- stepping -----
    @no_grad()
    def step(self, closure):
        """Up to `max_iter` iterations; returns the first loss."""
        closure = enable_grad()(closure)
        group = self.param_groups[0]
        state = self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        unordered = "d" not in state
        first = closure()
        loss, grad, evals = float(first), self._gather_flat_grad(), 1
        state["func_evals"] += 1
        if _largest(grad) <= group["tolerance_grad"]:
            return first
        n_iter = 0
        while n_iter < group["max_iter"]:
            n_iter += 1
            state["n_iter"] += 1
            self._find_direction(state, grad, group["history_size"])
            state["prev_loss"] = loss
            slope = _read(grad.dot(state["d"]))
            state["t"] = self._first_length(state, grad, group)
            if slope > -group["tolerance_change"]:
                break
            last = n_iter == group["max_iter"]
            start = _Point(state["t"], loss, grad, slope)
            loss, grad, used = self._move(closure, start, state, evals, last)
            evals += used
            state["func_evals"] += used
            if last or evals >= group["max_eval"] or self._converged(state, loss, grad, group):
                break
        if isinstance(state.get("t"), np.generic):
            state["t"] = from_host(np.asarray(state["t"]), device=self._params[0].device)
        if unordered:
            state.update({name: state.pop(name, None) for name in KEPT})
        return first

    def _find_direction(self, state, grad, history_size):
        """Set state["d"]: minus the gradient times the approximate inverse Hessian."""
        if state["n_iter"] == 1:
            state.update(d=grad.neg(), old_dirs=[], old_stps=[], ro=[], H_diag=1)
        else:
            _remember(state, grad, history_size)
            state["d"] = _two_loops(state, grad, history_size)
        if state.get("prev_flat_grad") is None:
            state["prev_flat_grad"] = grad.clone()
        else:
            state["prev_flat_grad"].copy_(grad)

    def _first_length(self, state, grad, group):
        lr = _to_scalar(group["lr"])
        lr = _read(lr) if isinstance(lr, Tensor) else lr
        if state["n_iter"] > 1:
            return lr
        return min(1.0, 1.0 / _read(grad.abs().sum())) * lr

    def _move(self, closure, start, state, evals, last):
        """Go along the direction: (loss, gradient, evaluations) at the end."""
        group, d = self.param_groups[0], state["d"]
        if group["line_search_fn"] is None:
            self._add_grad(start.t, d)
            if last:
                return start.loss, start.grad, 0
            loss = float(closure())
            return loss, self._gather_flat_grad(), 1
        if group["line_search_fn"] != "strong_wolfe":
            raise RuntimeError("only 'strong_wolfe' is supported")
        kept = [p.clone() for p in self._params]

        def evaluate(t):
            return self._evaluate(closure, kept, t, d)

        search = _StrongWolfe(evaluate, start, group["max_eval"] - evals)
        point, used = search.run(start.t, _largest(d))
        state["t"] = point.t
        self._add_grad(point.t, d)
        return point.loss, point.grad, used

    def _converged(self, state, loss, grad, group):
        change = group["tolerance_change"]
        return (
            _largest(grad) <= group["tolerance_grad"]
            or _largest(state["d"].mul(state["t"])) <= change
            or abs(loss - state["prev_loss"]) < change
        )


def _flat_grad(p):
    grad = p.new_zeros(p.numel()) if p.grad is None else p.grad.reshape(-1)
    return ops.view_as_real(grad).reshape(-1) if grad.is_complex() else grad


def _largest(vector):
    return _read(vector.abs().max())


def _remember(state, grad, history_size):
    """Add the last step and the change of gradient along it to the history, if they curve up."""
    y = grad.sub(state["prev_flat_grad"])
    s = state["d"].mul(state["t"])
    ys = y.dot(s)
    if _read(ys) <= 1e-10:
        return
    if len(state["old_dirs"]) == history_size:
        for name in ("old_dirs", "old_stps", "ro"):
            state[name].pop(0)
    state["old_dirs"].append(y)
    state["old_stps"].append(s)
    state["ro"].append(1.0 / ys)
    state["H_diag"] = ys / y.dot(y)


def _two_loops(state, grad, history_size):
    """The two-loop recursion: backwards, then forwards through the history."""
    history = list(zip(state["old_dirs"], state["old_stps"], state["ro"]))
    al = state.setdefault("al", [None] * history_size)
    q = grad.neg()
    for i, (y, s, ro) in reversed(list(enumerate(history))):
        al[i] = s.dot(q) * ro
        q.add_(y, alpha=-al[i])
    r = q.mul(state["H_diag"])
    for i, (y, s, ro) in enumerate(history):
        r.add_(s, alpha=al[i] - y.dot(r) * ro)
    return r
