"""What XLA and malloc are asked for: nothing they do not know, nothing the user has settled."""

import ctypes
import types

import jax.numpy as jnp
import pytest

from torchlike.core import xla


@pytest.fixture
def fresh():
    xla.options.cache_clear()
    yield
    xla.options.cache_clear()


def test_a_release_without_these_options_compiles_without_them(fresh, monkeypatch):
    monkeypatch.setattr(xla, "OPTIONS", {"xla_cpu_not_an_option": "1"})
    assert xla.options() == {}
    one = jnp.ones(3)
    assert xla.compiled(lambda x: x + 1, one)(one).tolist() == [2, 2, 2]
    assert xla.jitted(lambda x: x + 1)(one).tolist() == [2, 2, 2]


def test_this_release_knows_them(fresh):
    assert xla.options() == xla.OPTIONS


@pytest.mark.parametrize(
    "settled", ["", "MALLOC_TRIM_THRESHOLD_", "MALLOC_ARENA_MAX", "GLIBC_TUNABLES"]
)
def test_memory_is_kept_unless_the_environment_says_something(settled, monkeypatch):
    calls = []
    library = types.SimpleNamespace(mallopt=lambda *option: calls.append(option))
    monkeypatch.setattr(ctypes, "CDLL", lambda name: library)
    for name in ("MALLOC_TRIM_THRESHOLD_", "MALLOC_ARENA_MAX", "GLIBC_TUNABLES"):
        monkeypatch.delenv(name, raising=False)
    if settled:
        monkeypatch.setenv(settled, "1")
    xla.keep_memory()
    assert sorted(calls) == ([] if settled else [(-8, 2), (-3, 1 << 30), (-1, 1 << 30)])


def test_a_system_without_mallopt_is_left_alone(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: types.SimpleNamespace())
    xla.keep_memory()
