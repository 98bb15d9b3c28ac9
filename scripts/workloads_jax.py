"""Some workloads of `scripts/workloads.py` as a JAX user writes them by hand, with optax.

Each function gives a step of no arguments like its namesake there: the same shapes and the same
mathematics, one jitted function with donated parameters, float32.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

KEY = jax.random.key(0)


def normal(*shape: int, scale: float = 1.0) -> Any:
    """Numbers to start from."""
    global KEY
    KEY, key = jax.random.split(KEY)
    return jax.random.normal(key, shape) * scale


def whole(limit: int, *shape: int) -> Any:
    return jnp.asarray(np.random.default_rng(0).integers(limit, size=shape))


def dense(inside: int, outside: int, bias: bool = True) -> dict[str, Any]:
    made = {"w": normal(inside, outside, scale=inside**-0.5)}
    return {**made, "b": jnp.zeros(outside)} if bias else made


def affine(p: dict[str, Any], x: Any) -> Any:
    return x @ p["w"] + p["b"] if "b" in p else x @ p["w"]


def cross_entropy(logits: Any, target: Any) -> Any:
    return optax.softmax_cross_entropy_with_integer_labels(logits, target).mean()


def trained(params: Any, optimizer: Any, loss_of: Callable[..., Any]) -> Callable[[], Any]:
    """The usual step."""
    state, key = optimizer.init(params), jax.random.key(1)

    @jax.jit(donate_argnums=(0, 1, 2))
    def update(params, state, key):
        key, own = jax.random.split(key)
        loss, grads = jax.value_and_grad(loss_of)(params, own)
        changes, state = optimizer.update(grads, state, params)
        return optax.apply_updates(params, changes), state, key, loss

    def step():
        nonlocal params, state, key
        params, state, key, loss = update(params, state, key)
        return loss

    return step


# ----- small things -----
def tutorial() -> Callable[[], Any]:
    slope = jax.jit(jax.grad(lambda x: ((x + 2) ** 2 * 3).mean()))
    return lambda: slope(jnp.ones((2, 2)))


def two_layers() -> Callable[[], Any]:
    x, y = normal(64, 1000), normal(64, 10)

    def loss_of(params, _):
        hidden = jnp.maximum(x @ params[0], 0)
        return ((hidden @ params[1] - y) ** 2).sum()

    return trained([normal(1000, 100), normal(100, 10)], optax.sgd(1e-6), loss_of)


def mlp() -> Callable[[], Any]:
    params = [dense(64, 128), dense(128, 128), dense(128, 10)]
    x, y = normal(32, 64), whole(10, 32)

    def loss_of(params, _):
        a = jax.nn.relu(affine(params[0], x))
        return cross_entropy(affine(params[2], jax.nn.relu(affine(params[1], a))), y)

    return trained(params, optax.adam(1e-3), loss_of)


def tiny_tensors() -> Callable[[], Any]:
    x = normal(3)
    return trained([normal(3, 3) for _ in range(200)], optax.sgd(0.01, 0.9),
                   lambda many, _: sum(((w @ x) ** 2).sum() for w in many))


def chain() -> Callable[[], Any]:
    x = jnp.abs(normal(1_000_000))

    @jax.jit
    def run(y):
        for _ in range(6):
            y = jnp.sin(y * 1.01) + 0.5
            y = jnp.abs(y * y - 0.1)
        return y.sum()

    return lambda: run(x)


def hessian_vector() -> Callable[[], Any]:
    w, x, v = normal(50, 50), normal(64, 50), normal(50, 50)
    slope = jax.grad(lambda w: (jnp.tanh(jnp.tanh(x @ w) @ w) ** 2).mean())
    product = jax.jit(lambda w: jax.grad(lambda w: (slope(w) * v).sum())(w))
    return lambda: product(w)


# ----- networks -----
def _convolved(p: dict[str, Any], x: Any) -> Any:
    form = ("NCHW", "OIHW", "NCHW")
    found = jax.lax.conv_general_dilated(x, p["w"], (1, 1), "VALID", dimension_numbers=form)
    return found + p["b"][:, None, None]


def _dropped(key: Any, rate: float, x: Any) -> Any:
    return jnp.where(jax.random.bernoulli(key, 1 - rate, x.shape), x / (1 - rate), 0)


def cnn() -> Callable[[], Any]:
    params = {
        "c1": {"w": normal(32, 1, 3, 3, scale=1 / 3), "b": jnp.zeros(32)},
        "c2": {"w": normal(64, 32, 3, 3, scale=288**-0.5), "b": jnp.zeros(64)},
        "d1": dense(9216, 128), "d2": dense(128, 10),
    }  # fmt: skip
    x, y = normal(64, 1, 28, 28), whole(10, 64)

    def loss_of(p, key):
        first, second = jax.random.split(key)
        a = jax.nn.relu(_convolved(p["c2"], jax.nn.relu(_convolved(p["c1"], x))))
        a = jax.lax.reduce_window(a, -jnp.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
        a = _dropped(first, 0.25, a).reshape(64, 9216)
        a = _dropped(second, 0.5, jax.nn.relu(affine(p["d1"], a)))
        return cross_entropy(affine(p["d2"], a), y)

    return trained(params, optax.adam(1e-3), loss_of)


def _normed(p: dict[str, Any], x: Any) -> Any:
    centred = x - x.mean(-1, keepdims=True)
    return centred * jax.lax.rsqrt((centred**2).mean(-1, keepdims=True) + 1e-5) * p["w"] + p["b"]


def gpt(width: int = 128, layers: int = 4, heads: int = 4, block: int = 64) -> Callable[[], Any]:
    ids, target = whole(65, 12, block), whole(65, 12, block)

    def norm():
        return {"w": jnp.ones(width), "b": jnp.zeros(width)}

    def layer():
        return {"n1": norm(), "n2": norm(), "qkv": dense(width, 3 * width),
                "out": dense(width, width), "up": dense(width, 4 * width),
                "down": dense(4 * width, width)}  # fmt: skip

    params = {"token": normal(65, width), "place": normal(block, width), "norm": norm(),
              "layers": [layer() for _ in range(layers)]}  # fmt: skip

    def attended(p, x):
        parts = jnp.split(affine(p["qkv"], x), 3, axis=-1)
        q, k, v = (part.reshape(12, block, heads, width // heads) for part in parts)
        y = jax.nn.dot_product_attention(q, k, v, is_causal=True)
        return affine(p["out"], y.reshape(12, block, width))

    def loss_of(p, _):
        x = p["token"][ids] + p["place"]
        for one in p["layers"]:
            x = x + attended(one, _normed(one["n1"], x))
            hidden = jax.nn.gelu(affine(one["up"], _normed(one["n2"], x)), approximate=False)
            x = x + affine(one["down"], hidden)
        logits = _normed(p["norm"], x) @ p["token"].T
        return cross_entropy(logits.reshape(-1, 65), target.reshape(-1))

    return trained(params, optax.adamw(1e-3, weight_decay=1e-2), loss_of)


def char_lstm() -> Callable[[], Any]:
    params = {"embed": normal(65, 64), "x": dense(64, 512), "h": dense(128, 512),
              "head": dense(128, 65)}  # fmt: skip
    ids, target = whole(65, 32, 64), whole(65, 32, 64)

    def loss_of(p, _):
        rows = affine(p["x"], p["embed"][ids]).transpose(1, 0, 2)

        def cell(carry, row):
            h, c = carry
            i, f, g, o = jnp.split(row + affine(p["h"], h), 4, axis=-1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            h = jax.nn.sigmoid(o) * jnp.tanh(c)
            return (h, c), h

        zero = jnp.zeros((32, 128))
        _, seen = jax.lax.scan(cell, (zero, zero), rows)
        logits = affine(p["head"], seen.transpose(1, 0, 2))
        return cross_entropy(logits.reshape(-1, 65), target.reshape(-1))

    return trained(params, optax.adam(1e-3), loss_of)


WORKLOADS = {
    "b": tutorial, "c": two_layers, "d": mlp, "e": cnn, "g": gpt, "h": char_lstm, "j": chain,
    "l": hessian_vector, "n": tiny_tensors,
}  # fmt: skip
