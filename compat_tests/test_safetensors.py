"""safetensors' own library on torchlike: it reads tensors through their addresses."""

import ctypes
import importlib
import sys

import pytest

import torchlike as torch
from compat_tests.subject import imported_as_torch


@pytest.fixture
def library():
    pytest.importorskip("safetensors")
    with imported_as_torch(torch):
        hidden = sys.modules.pop("safetensors.torch", None)
        yield importlib.import_module("safetensors.torch")
        del sys.modules["safetensors.torch"]
        if hidden is not None:
            sys.modules["safetensors.torch"] = hidden


def test_round_trip(library, tmp_path):
    given = {"a": torch.randn(3, 4), "b": torch.arange(5), "c": torch.ones(2, dtype=torch.bfloat16),
             "d": torch.tensor([True, False]), "e": torch.zeros(0, 3), "f": torch.randn(6)[2:4]}
    path = str(tmp_path / "x.safetensors")
    library.save_file(given, path, metadata={"k": "v"})
    for found in (library.load_file(path), library.load_file(path, backend="pread"),
                  library.load(library.save(given))):
        assert {k: v.dtype for k, v in found.items()} == {k: v.dtype for k, v in given.items()}
        assert all(torch.equal(found[name], value) for name, value in given.items())
    with importlib.import_module("safetensors").safe_open(path, "pt") as file:
        assert file.get_slice("a")[1:, :2].shape == (2, 2)


def test_modules(library, tmp_path):
    path = str(tmp_path / "m.safetensors")
    module, other = torch.nn.Linear(3, 4), torch.nn.Linear(3, 4)
    library.save_model(module, path)
    library.load_model(other, path)
    assert torch.equal(module.weight, other.weight)
    with pytest.raises(RuntimeError, match="share memory"):
        library.save_file({"a": module.weight, "b": module.weight}, path)


def test_memory_stays_where_its_address_says():
    x = torch.arange(4.0)
    at = (x * 2 + 1)[1:].data_ptr()
    assert at != x.data_ptr() and x[2:].data_ptr() == x.data_ptr() + 8
    seen = (ctypes.c_float * 4).from_address(x.data_ptr())
    x += 1
    assert list(seen) == [1, 2, 3, 4] and x.add_(1).data_ptr() == ctypes.addressof(seen)
    seen[0] = 9
    assert x.tolist() == [9, 3, 4, 5]
