"""torch.save and torch.load: where files come from and go to, and where tensors go."""

from __future__ import annotations

import gzip
import io
import os
import pathlib
import pickle
import warnings
import zipfile

import pytest

from compat_tests.forged import same, saved, zipped
from compat_tests.test_serialize import recorded, text, untext


class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y


# ----- map_location -----


def test_map_location(torch):
    file = saved(torch, [torch.ones(2), torch.ones(3)]).getvalue()
    seen = []

    def keep(storage, location):
        seen.append((location, storage.nbytes(), str(storage.device)))
        return storage

    choices = ["cpu", torch.device("cpu"), {"cpu": "cpu"}, {"cuda:1": "cpu"}, keep, None]
    choices += [lambda storage, location: None]
    for choice in choices:
        for old in (True, False):
            options = {"_use_new_zipfile_serialization": not old}
            data = file if not old else saved(torch, [torch.ones(2)], **options).getvalue()
            loaded = torch.load(io.BytesIO(data), map_location=choice)
            assert loaded[0].tolist() == [1, 1] and loaded[0].device.type == "cpu"
    assert seen == [("cpu", 8, "cpu"), ("cpu", 8, "cpu"), ("cpu", 12, "cpu")]
    for choice in ("meta", torch.device("meta"), {"cpu": "meta"}):
        loaded = torch.load(io.BytesIO(file), map_location=choice)
        assert loaded[1].device.type == "meta" and loaded[1].shape == (3,)


def test_map_location_complains(torch, golden):
    file = saved(torch, torch.ones(2)).getvalue()
    for wrong in ("somewhere", 5, {"cpu": "nowhere"}):
        golden.error(torch.load, io.BytesIO(file), map_location=wrong)
    with pytest.raises(TypeError, match="'wrap_storage' must be UntypedStorage"):
        torch.load(io.BytesIO(file), map_location=lambda storage, location: 5)


def on_gpu(torch) -> bytes:
    """A file as a machine with a GPU writes it."""
    archive = zipfile.ZipFile(saved(torch, torch.ones(2)))
    parts = {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}
    tag = b"X\3\0\0\0cpu", b"X\6\0\0\0cuda:0"
    return zipped(parts.pop("data.pkl").replace(*tag), parts)


def test_files_from_a_gpu(torch, golden):
    file = on_gpu(torch)
    for choice in ("cpu", {"cuda:0": "cpu"}, lambda storage, location: storage):
        assert torch.load(io.BytesIO(file), map_location=choice).tolist() == [1, 1]
    if torch.cuda.is_available():
        assert torch.load(io.BytesIO(file)).device.type == "cuda"
    else:
        golden.error(torch.load, io.BytesIO(file))


# ----- files -----


def test_kinds_of_files(torch, tmp_path):
    obj, path = {"x": torch.arange(3)}, tmp_path / "dir.v1" / "model.tar.pt"
    path.parent.mkdir()
    for target in (path, str(path)):
        torch.save(obj, target)
        assert zipfile.ZipFile(path).namelist()[0] == "model.tar/data.pkl"
        assert same(torch.load(target), obj)
    with open(path, "wb") as file:
        torch.save(obj, file)
    with open(path, "rb") as file:
        assert same(torch.load(file), obj)
    with gzip.open(path, "wb") as file:
        torch.save(obj, file)
    with gzip.open(path) as file:
        assert same(torch.load(file), obj)
    torch.save(obj, tmp_path / "größe.pt")
    assert zipfile.ZipFile(tmp_path / "größe.pt").namelist()[0] == "archive/data.pkl"


def test_a_file_inside_a_file(torch):
    file = io.BytesIO()
    file.write(b"something else")
    torch.save(torch.arange(3), file)
    file.seek(14)
    assert torch.load(file).tolist() == [0, 1, 2]
    old = io.BytesIO()
    for number in (1, 2):
        torch.save(torch.tensor(number), old, _use_new_zipfile_serialization=False)
    old.seek(0)
    assert [torch.load(old).item(), torch.load(old).item()] == [1, 2]


class OnlyWrites:
    def __init__(self):
        self.parts = []

    def write(self, data):
        self.parts.append(bytes(data))
        return len(data)

    def flush(self):
        pass


def test_a_file_that_only_writes(torch):
    file = OnlyWrites()
    torch.save(torch.arange(3), file)
    assert torch.load(io.BytesIO(b"".join(file.parts))).tolist() == [0, 1, 2]


def closed(file):
    file.close()
    return file


def test_wrong_files(torch, golden, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("missing.pt", pathlib.Path("missing.pt"), "."):
        golden.error(torch.load, name)
    for wrong in (None, 5, b"bytes", closed(io.BytesIO())):
        golden.error(torch.load, wrong)
    for wrong in (None, 5, closed(io.BytesIO()), "no/folder.pt", pathlib.Path("/no/where/x.pt")):
        golden.error(torch.save, 1, wrong)
    golden.error(torch.save, 1, type("NoCall", (), {"write": 5, "__module__": "m"})())
    for content in (b"", b"\x80\x02garbage", pickle.dumps({"a": 1}, 2), b"PK\3\4"):
        golden.error(torch.load, io.BytesIO(content))
        pathlib.Path("wrong.pt").write_bytes(content)
        golden.error(torch.load, "wrong.pt")
        if content[:1] != b"\x80":
            golden.error(torch.load, io.BytesIO(content), weights_only=False)
    golden.error(torch.save, 1, io.BytesIO(), pickle_protocol=9)


def test_wrong_arguments(torch, golden, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = saved(torch, torch.ones(1)).getvalue()
    golden.error(torch.load, io.BytesIO(file), weights_only=True, pickle_module=pickle)
    golden.error(torch.load, io.BytesIO(file), mmap=True)
    torch.save(1, "old.pt", _use_new_zipfile_serialization=False)
    golden.error(torch.load, "old.pt", mmap=True)
    golden.error(torch.load, io.BytesIO(file), weights_only=False, nonsense=1)
    shared = torch.arange(4.0)
    with pytest.raises(TypeError):
        torch.load()
    golden.error(torch.save, [shared, shared.view(torch.int32)], io.BytesIO())


def test_environment_decides(torch, golden, monkeypatch):
    file = saved(torch, Point(1, 2)).getvalue()
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    with pytest.warns(UserWarning, match="TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD detected"):
        assert torch.load(io.BytesIO(file)).x == 1
    with pytest.raises(pickle.UnpicklingError):
        torch.load(io.BytesIO(file), weights_only=True)
    monkeypatch.setenv("TORCH_FORCE_WEIGHTS_ONLY_LOAD", "yes")
    golden.error(torch.load, io.BytesIO(file))
    monkeypatch.delenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD")
    with pytest.raises(pickle.UnpicklingError):
        torch.load(io.BytesIO(file), weights_only=False)


def test_pickle_module_and_protocols(torch, golden):
    obj = {"x": torch.arange(3), "y": [1, "two", b"three"]}
    for protocol in (1, 2, 3, 4, 5, -1):
        file = saved(torch, obj, pickle_protocol=protocol, pickle_module=pickle)
        assert same(torch.load(file, weights_only=False), obj)
        file.seek(0)
        assert same(torch.load(file, pickle_module=pickle), obj)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        golden.error(torch.load, saved(torch, obj, pickle_protocol=4))
        golden.error(torch.load, saved(torch, obj, pickle_protocol=3))
    with pytest.warns(UserWarning, match="Detected pickle protocol 3"):
        assert torch.load(saved(torch, 5, pickle_protocol=3)) == 5


def test_a_pickle_module_written_in_c(torch):
    cloudpickle = pytest.importorskip("cloudpickle")
    factor = 3
    file = saved(torch, [torch.arange(3), lambda x: factor * x], pickle_module=cloudpickle)
    tensor, function = torch.load(file, weights_only=False)
    assert tensor.tolist() == [0, 1, 2] and function(2) == 6


def test_mmap(torch, tmp_path):
    path, obj = tmp_path / "model.pt", {"a": torch.arange(100.0), "b": torch.empty(0)}
    torch.save(obj, path)
    before = path.read_bytes()
    loaded = torch.load(path, mmap=True)
    assert same(loaded, obj)
    loaded["a"].zero_()
    assert loaded["a"].sum() == 0 and path.read_bytes() == before


# ----- writing safely -----


def test_a_failing_save_leaves_the_old_file(torch, tmp_path):
    path = tmp_path / "model.pt"
    torch.save(1, path)
    with pytest.raises((AttributeError, pickle.PicklingError)):
        torch.save(lambda: 1, path)
    if not hasattr(torch, "_C"):  # PyTorch writes in place
        assert torch.load(path) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["model.pt"]


class Broken:
    """Fails in the middle of being written."""

    def __reduce__(self):
        raise KeyError("broken")


def test_an_interrupted_old_format_save(torch, tmp_path):
    path = tmp_path / "model.pt"
    torch.save(1, path)
    with pytest.raises(KeyError):
        torch.save([torch.ones(5), Broken()], path, _use_new_zipfile_serialization=False)
    if not hasattr(torch, "_C"):
        assert torch.load(path) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["model.pt"]


def test_permissions_and_links_stay(torch, tmp_path):
    path, link = tmp_path / "model.pt", tmp_path / "link.pt"
    path.touch(mode=0o640)
    path.chmod(0o640)
    link.symlink_to(path)
    torch.save(2, link)
    assert link.is_symlink() and torch.load(path) == 2
    assert path.stat().st_mode & 0o777 == 0o640
    fresh = tmp_path / "fresh.pt"
    torch.save(2, fresh)
    mask = os.umask(0)
    os.umask(mask)
    assert fresh.stat().st_mode & 0o777 == 0o666 & ~mask
    torch.save(torch.ones(10), "/dev/null")


# ----- what real files hold besides dense tensors -----
@pytest.mark.filterwarnings("ignore:Sparse CSR")
def test_sparse_tensors_in_the_old_format(torch, golden):
    """There the bytes come after the tensors that are made from them."""
    parts = [torch.eye(3).to_sparse(), torch.eye(2, 3).to_sparse_csr()]
    old = {"_use_new_zipfile_serialization": False}
    for file in (untext(recorded(golden, text(saved(torch, parts, **old).read()))),
                 saved(torch, parts, **old).read()):  # fmt: skip
        found = torch.load(io.BytesIO(file))
        assert [t.to_dense().tolist() for t in found] == [t.to_dense().tolist() for t in parts]
        assert [t.layout for t in found] == [t.layout for t in parts]


def test_functions_and_named_tuples(torch, golden):
    """Built-in functions are attributes of a class in PyTorch's files; tuples come with a dict."""
    parts = [torch.relu, torch.nn.functional.gelu, torch.max(torch.eye(2), 0)]
    file = untext(recorded(golden, text(saved(torch, parts).read())))
    relu, gelu, largest = torch.load(io.BytesIO(file), weights_only=False)
    assert relu is torch.relu and gelu is torch.nn.functional.gelu
    assert largest.values.tolist() == [1, 1] and largest.indices.tolist() == [0, 1]


def test_generators(torch, golden):
    generator = torch.Generator().manual_seed(5)
    torch.rand(3, generator=generator)
    golden.error(torch.load, saved(torch, generator))
    files = [recorded(golden, text(saved(torch, generator).read()))]
    want = torch.rand(4, generator=generator.clone_state()).tolist()
    for file in (untext(files[0]), saved(torch, generator).read()):
        found = torch.load(io.BytesIO(file), weights_only=False)
        assert found.initial_seed() == 5 and torch.rand(4, generator=found).tolist() == want


@pytest.mark.parametrize("new", [True, False])
def test_storages(torch, new):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's, about typed storages
        storage = torch.arange(3.0).storage()
        file = saved(torch, storage, _use_new_zipfile_serialization=new)
        found = torch.load(file)
        copy = found.clone()
        copy[0] = 5
        assert found.tolist() == [0, 1, 2] and copy.tolist() == [5, 1, 2]
        assert str(found) == str(storage)


def test_local_objects(torch):
    class Local:
        pass

    for obj in (lambda: 3, Local()):
        with pytest.raises(AttributeError, match="Can't pickle local object 'test_local_objects.*"):
            torch.save(obj, io.BytesIO())
