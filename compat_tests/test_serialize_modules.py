"""Modules that real PyTorch saved whole load here, and are saved under the same names."""

import io
import pickle
import warnings
import zipfile

import pytest

import torchlike
from compat_tests import module_files, subject


@pytest.mark.parametrize("name", module_files.MODULES)
def test_whole_module(name):
    archive = zipfile.ZipFile(module_files.PATH)
    files = {kind: archive.read(f"{name}.{kind}") for kind in ("pt", "pkl", "txt")}
    with subject.imported_as_torch(torchlike), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = torchlike.load(io.BytesIO(files["pt"]), weights_only=False)
        plain = pickle.loads(files["pkl"])
        for one in (module, plain):
            assert repr(module_files.result(torchlike, name, one)) == files["txt"].decode()
        again = io.BytesIO()
        torchlike.save(module, again)
    assert module_files.names_in(again) == module_files.names_in(io.BytesIO(files["pt"]))


def test_weights_of_a_loaded_lstm_are_one():
    data = zipfile.ZipFile(module_files.PATH).read("lstm.pt")
    lstm = torchlike.load(io.BytesIO(data), weights_only=False)
    assert [id(w) for w in lstm._flat_weights] == [id(w) for w in lstm.parameters()]
    lstm(torchlike.ones(3, 1, 2))[0].sum().backward()
    assert all(w.grad is not None for w in lstm.parameters())
