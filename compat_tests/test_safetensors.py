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


def test_a_step_ends_a_pin_and_keeps_the_address():
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    sgd = torch.optim.SGD(model.parameters(), lr=0.5)
    pointers = {name: t.data_ptr() for name, t in model.state_dict().items()}
    weight, bias = model[0].weight, model[0].bias
    seen = (ctypes.c_float * 6).from_address(weight.data_ptr())
    shared = bias.detach().numpy()
    seen[5] = 0.25
    assert weight[2, 1].item() == 0.25
    for _ in range(2):
        sgd.zero_grad()
        x = model[0](torch.tensor([[1.0, 2.0], [3.0, 5.0]]))
        (x.square().mean() + model[1](x).sum()).backward()
        sgd.step()
        assert shared.tolist() == bias.tolist()  # an array looks, so the memory is up to date
    assert seen[5] == 0.25 != weight[2, 1].item() and model[1].num_batches_tracked.item() == 2
    assert pointers == {name: t.data_ptr() for name, t in model.state_dict().items()}
    assert list(seen) == weight.flatten().tolist()
    other = weight.t()
    seen[1] = 7.0
    assert other[1, 0].item() == weight[0, 1].item() == 7.0
    with torch.no_grad():
        assert weight.add_(1)[0, 1].item() == seen[1] == 8.0
